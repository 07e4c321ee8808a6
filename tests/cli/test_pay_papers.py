"""The papers at the command line: what each step brings, what can be asked for, what is refused."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.ledger.store import Store
from tests.support import make_id, make_workspace, put_roll

MONTH = "2026-10"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    workspace = make_workspace(tmp_path / "ws")
    with workspace.open_store() as store:
        for town, base in (("甲镇", 0), ("乙镇", 50)):
            rows = [
                {
                    "id_no": make_id(base + n),
                    "name": f"张{n}",
                    "amount_fen": 10_000 + n,
                    "account_no": f"6217{base + n:012d}",
                    "town": town,
                }
                for n in range(1, 6)
            ]
            put_roll(store, "disability_living_subsidy", town, MONTH, rows)
        compared(store)
    return workspace.root


def compared(store: Store) -> None:
    with store.transaction(actor="测试", command="dedupe run") as tx:
        tx.journal(f"dedupe:{MONTH}", {})


def run(root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    """The answer as JSON; {} when the command is to fail with ``code``."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(["-C", str(root), "--json", *words])
    assert ended.value.code == code, out.getvalue()
    return {} if code else dict(json.loads(out.getvalue()))


def kinds(answer: dict[str, Any]) -> list[str]:
    return [paper["kind"] for paper in answer.get("papers", [])]


def test_each_step_brings_its_papers_and_the_audit_knows_them(desk: Path) -> None:
    run(desk, "pay", "draft", "--month", MONTH)
    locked = run(desk, "pay", "lock")
    assert kinds(locked) == ["slip", "summary", "roster", "roster", "filing_list"] and locked["state"] == "locked"
    approved = run(desk, "--actor", "李审批", "pay", "approve")
    assert kinds(approved) == ["slip", "filing_list"]
    exported = run(desk, "pay", "export")
    assert kinds(exported) == ["slip", "voucher", "voucher", "filing_list"] and len(exported["files"]) == 1
    assert run(desk, "audit", "check")["ok"] is True
    again = run(desk, "pay", "papers")
    assert again["written"] == 0 and len(again["papers"]) == 7
    one = run(desk, "pay", "papers", "--town", "甲镇", "-p", "disability_living_subsidy")
    assert [(p["kind"], p["lines"]) for p in one["papers"]] == [("roster", 5), ("filing_list", 10)]
    (desk / again["papers"][0]["path"]).write_bytes(b"")
    run(desk, "audit", "check", code=3)
    run(desk, "pay", "papers", code=4)
    assert run(desk, "pay", "papers", "--rewrite")["written"] == 1
    assert run(desk, "audit", "check")["ok"] is True


def test_a_filled_in_slip_stops_neither_approval_nor_export(desk: Path) -> None:
    run(desk, "pay", "draft", "--month", MONTH)
    slip = desk / run(desk, "pay", "lock")["papers"][0]["path"]
    slip.write_bytes(b"signed on the screen")
    approved = run(desk, "--actor", "李审批", "pay", "approve")
    assert approved["state"] == "approved" and slip.read_bytes() == b"signed on the screen"
    assert run(desk, "pay", "export")["state"] == "exported"


def test_rosters_of_a_large_batch_are_made_when_asked_for(desk: Path) -> None:
    config = desk / "jiuzhu.toml"
    config.write_text(config.read_text("utf-8").replace("[payment]\n", "[payment]\nroster_lines = 9\n"), "utf-8")
    run(desk, "pay", "draft", "--month", MONTH)
    assert kinds(run(desk, "pay", "lock")) == ["slip", "summary", "filing_list"]
    assert kinds(run(desk, "pay", "papers", "--only", "花名册", "--masked")) == ["roster_masked"] * 2 + ["filing_list"]


def test_what_cannot_be_made_is_said(desk: Path) -> None:
    run(desk, "pay", "papers", code=4)
    run(desk, "pay", "draft", "--month", MONTH)
    run(desk, "pay", "papers", code=4)
    run(desk, "pay", "lock")
    run(desk, "pay", "papers", "--only", "凭证", code=4)
    run(desk, "pay", "papers", "--only", "传单", code=2)
    run(desk, "pay", "papers", "--town", "丙镇", code=2)
