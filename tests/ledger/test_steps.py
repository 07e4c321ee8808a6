"""Steps of amounts in the record: what they say of parameters is kept once and comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jiuzhu_cli.ledger.steps import pack, unpack
from tests.support import make_workspace

SOURCE: dict[str, Any] = {
    "parameter": "低保标准_农村", "unit": "元/人/月", "since": "2026-07-01", "source": "某文件", "confirmed": False,
}  # fmt: skip
STEPS: list[dict[str, Any]] = [
    {"label": "低保标准（农村）", **SOURCE, "value": "600.00"},
    {"label": "补差金额", "how": "600.00 × 2 − 0.00", "value": "1200.00", "adds_fen": 120000, "rounding": [{**SOURCE, "value": "1"}]},
    {"label": "应发金额", "value": "1200.00"},
]  # fmt: skip


def test_sources_are_kept_once_and_come_back(tmp_path: Path) -> None:
    store = make_workspace(tmp_path / "bureau").open_store()
    for _ in range(2):  # a second run finds the sources of the first
        with store.transaction(actor="甲", command="review run") as tx:
            packed = pack(tx, [STEPS, STEPS, []])
            tx.journal("review", {})
    assert all("某文件" not in text for text in packed)
    assert store.query("SELECT count(*) FROM step_source")[0][0] == 1
    assert unpack(store, packed) == [STEPS, STEPS, []]
    # as version 3 of the ledger kept them: written out
    assert unpack(store, [json.dumps(STEPS)]) == [STEPS]
