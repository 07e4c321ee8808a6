"""A year of payments, small: in the end every person's account balances to the fen, by the program's proof and by the truth beside it."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.year import Year, months, office
from jiuzhu_cli.cli.main import main
from jiuzhu_cli.ledger.audit import check_ledger

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [int(os.environ.get("JIUZHU_YEAR_SEED", "1"))])
def test_a_year_balances_for_every_person(tmp_path: Path, seed: int) -> None:
    root = tmp_path / "year"

    def run(*words: str | Path, accept: tuple[int, ...] = (0,)) -> dict[str, Any]:
        out = io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(io.StringIO()),
            pytest.raises(SystemExit) as ended,
        ):
            main(["-C", str(root), "--today", "2026-12-31", *map(str, words), "--json"])
        assert ended.value.code in accept, f"{words}: {out.getvalue()}"
        told: dict[str, Any] = json.loads(out.getvalue())
        return told

    # so few persons would have no accident: many times as many as in life
    year = Year(300, seed=seed, towns=3, accidents=8)
    made = office(root, year, run)
    for _ in months(made):
        pass
    assert made.prove() == []
    seen = year.tally.seen
    assert (
        min(
            seen[name]
            for name in (
                "deaths reported",
                "refused by the bank",
                "accounts mended",
                "came back",
                "instalments",
                "rows corrected",
            )
        )
        > 0
    ), seen
    with made.store() as store:
        assert check_ledger(store, made.workspace).problems == ()
