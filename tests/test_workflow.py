"""The demo: a whole month on the checked-in sample set, with every planted case found and every fen accounted for."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.workspace import find_workspace
from jiuzhu_cli.workflow import SAMPLE_MONTH, sample_folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("demo") / "演示"
    done = subprocess.run(
        [sys.executable, "-m", "jiuzhu_cli", "demo", str(folder), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    return folder, json.loads(done.stdout)


def test_every_step_is_told_and_every_output_is_there(demo: tuple[Path, dict[str, object]]) -> None:
    folder, told = demo
    steps = {step["step"]: step for step in told["steps"]}  # type: ignore[attr-defined]
    assert len(steps) == 13 and steps["查账"]["ok"] is True
    assert steps["银行回盘"]["failed"] == 2
    assert steps["补发"]["lines"] == 2
    for path in told["outputs"]:  # type: ignore[attr-defined]
        assert (folder / path).is_file(), path


def test_what_the_truth_says_is_doubled_missed_or_claimed_is_found(demo: tuple[Path, dict[str, object]]) -> None:
    folder, _ = demo
    with next((folder / "out/internal/dedupe" / SAMPLE_MONTH).glob("*.csv")).open(
        encoding="utf-8-sig", newline=""
    ) as file:
        found = {(row["kind"], who) for row in csv.DictReader(file) for who in (row["id_no_a"], row["id_no_b"]) if who}
    truth = json.loads((sample_folder() / "truth.json").read_text("utf-8"))
    planted = [
        p
        for p in truth["planted"]
        if SAMPLE_MONTH in p["months"] and p["kind"] in ("double", "missed", "claim", "after_event", "account")
    ]
    assert planted
    lost = [p for p in planted if not any((p["kind"], who) in found for who in p["persons"])]
    assert lost == []


def test_money_sent_is_what_the_ledger_holds_and_nobody_is_paid_twice(demo: tuple[Path, dict[str, object]]) -> None:
    folder, _ = demo
    workspace = find_workspace(folder, explicit=True)
    manifest = json.loads((folder / "out/bank" / SAMPLE_MONTH / "1" / "manifest.json").read_text("utf-8"))
    with workspace.open_store() as store:
        assert check_ledger(store, workspace).problems == ()
        lines, fen = store.query("SELECT COUNT(*), SUM(amount_fen) FROM payment_line WHERE payment_id = 1")[0]
        twice = store.query(
            "SELECT 1 FROM payment_line l JOIN obligation o USING (obligation_id) WHERE l.state IN ('due','sent','paid')"
            " GROUP BY o.programme, o.month, o.recipient_id_no, o.item HAVING COUNT(*) > 1"
        )
    assert twice == []
    assert sum(entry["lines"] for entry in manifest["files"]) == lines
    assert sum(entry["amount_fen"] for entry in manifest["files"]) == fen
