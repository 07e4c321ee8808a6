"""Bank files are made while the record is written: whichever fails, nothing half done stays, and the next run ends in the same files."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import OutsideError
from jiuzhu_cli.ledger.audit import check_ledger
from tests.payment.conftest import Desk, person

PEOPLE = [person(n, bank_name=name) for n, name in enumerate(("建行", "农信社", "邮储银行", "", "农信社"), 1)]


@pytest.fixture
def approved(desk: Desk) -> int:
    desk.roll(PEOPLE)
    number = int(desk.draft().batch["payment_id"])
    desk.lock()
    desk.approve()
    return number


def found(desk: Desk) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in desk.workspace.bank.rglob("*") if path.is_file()}


def test_a_record_that_refuses_the_export_leaves_no_file(desk: Desk, approved: int) -> None:
    with sqlite3.connect(desk.workspace.ledger_path) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE UPDATE OF state ON payment_line WHEN NEW.line_no = 5 BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(sqlite3.IntegrityError):
        desk.export()
    assert desk.batch(approved)["state"] == "approved" and found(desk) == {}
    with sqlite3.connect(desk.workspace.ledger_path) as db:
        db.execute("DROP TRIGGER full")
    assert desk.export().written == 4 and not any(name.startswith(".") for name in found(desk))


def test_a_folder_that_refuses_one_file_has_none_until_the_next_run(desk: Desk, approved: int, tmp_path: Path) -> None:
    """The state is on record then: the next run writes what is missing, as it does after a power cut."""
    folder = desk.workspace.bank / "2026-10" / str(approved)
    in_the_way = folder / f".rural_2026-10_01.3.{os.getpid()}.tmp.txt"
    in_the_way.mkdir(parents=True)
    with pytest.raises(OutsideError):
        desk.export()
    assert desk.batch(approved)["state"] == "exported" and found(desk) == {}
    in_the_way.rmdir()
    assert desk.export().written == 4
    assert check_ledger(desk.store, desk.workspace).problems == ()
    names = sorted(name for name in found(desk) if not name.startswith("manifest"))
    assert names == ["card_2026-10_01.xlsx", "ccb_2026-10_01.xlsx", "postal_2026-10_01.txt", "rural_2026-10_01.txt", "汇总单_2026-10_01.xlsx"]  # fmt: skip


def test_what_was_found_in_the_record_is_told_before_what_is_wrong_with_the_lines(desk: Desk, approved: int) -> None:
    """A line altered behind its back and a broken journal: the second says that nothing here is to be trusted."""
    with sqlite3.connect(desk.workspace.ledger_path) as db:
        for name in ("payment_line_fixed", "journal_no_update"):
            db.execute(f"DROP TRIGGER IF EXISTS {name}")
        db.execute("UPDATE payment_line SET account_no = '6217000000000000012' WHERE line_no = 1")
        db.execute("UPDATE journal SET actor = '贼' WHERE seq = 1")
    with pytest.raises(Exception, match="日志第 1 条") as error:
        desk.export()
    assert getattr(error.value, "code", "") == "journal_broken" and found(desk) == {}
