"""Claims of record: opened once, repaid in parts, waived by two, read back without doubling."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.ledger import recoveries
from jiuzhu_cli.payment import recovery, repayments
from tests.payment.conftest import LIVING, NOW, Desk, person
from tests.payment.test_recovery import recover
from tests.support import make_id

TODAY = date(2026, 11, 20)


def fill(desk: Desk, rows: dict[int, dict[str, Any]]) -> Path:
    """The workbook that ``recover`` wrote, with cells filled in by claim and header."""
    path = desk.workspace.internal / "pay" / "追缴台账.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = next(r for r in range(1, 10) if sheet.cell(r, 1).value == "追缴编号")
    heads = {sheet.cell(at, c).value: c for c in range(1, sheet.max_column + 1)}
    for row in range(at + 1, sheet.max_row + 1):
        for head, value in rows.get(sheet.cell(row, 1).value, {}).items():
            sheet.cell(row, heads[head]).value = value
    copy = path.with_name("填好的.xlsx")
    book.save(copy)
    return copy


def read(desk: Desk, path: Path, actor: str = "张经办") -> repayments.Booked:
    return repayments.read_back(desk.store, path, today=TODAY, actor=actor, now=desk.now)


def overpaid(desk: Desk, count: int = 2) -> list[dict[str, Any]]:
    """``count`` people paid after their death."""
    desk.roll([person(i) for i in range(1, count + 1)])
    desk.pay()
    desk.register(
        "death", [{"id_no": make_id(i), "name": "甲", "event_date": "2026-09-02"} for i in range(1, count + 1)]
    )
    return recover(desk).rows


def test_claims_are_opened_once_and_instalments_add_up(desk: Desk) -> None:
    first, second = overpaid(desk)
    again = recover(desk)
    assert (again.opened, again.changed, len(again.rows)) == (0, 0, 2)
    number = first["recovery_id"]
    path = fill(desk, {number: {"追回日期": "2026-11-03", "追回金额（元）": 40.01, "收据号": "A1"}})
    assert (read(desk, path).booked, read(desk, path).unchanged) == (1, 1)
    left = {row["recovery_id"]: row["over_fen"] for row in recover(desk).rows}
    assert left == {number: first["over_fen"] - 4_001, second["recovery_id"]: second["over_fen"]}
    rest = (first["over_fen"] - 4_001) / 100
    assert read(desk, fill(desk, {number: {"追回日期": date(2026, 11, 10), "追回金额（元）": rest}})).booked == 1
    found = recover(desk)
    assert [row["recovery_id"] for row in found.rows] == [second["recovery_id"]]
    assert found.sums["repaid_fen"] == first["over_fen"] and (found.opened, found.changed) == (0, 0)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"追回日期": "2026-11-03", "追回金额（元）": 5_000}, "超过尚欠"),
        ({"追回金额（元）": 5}, "没有追回日期"),
        ({"追回日期": "2026-12-03", "追回金额（元）": 5}, "在今天之后"),
        ({"追回日期": "昨天", "追回金额（元）": 5}, "不是日期"),
        ({"追回日期": "2026-11-03", "追回金额（元）": "几元"}, "金额"),
        ({"追回日期": "2026-11-03", "追回金额（元）": -5}, "金额"),
        ({"追回日期": "2026-11-03"}, "没有追回金额"),
        ({"免收金额（元）": 5}, "没有免收理由"),
        ({"以后抵扣": "也许"}, "是或否"),
        ({"追缴编号": 99, "追回日期": "2026-11-03", "追回金额（元）": 5}, "没有编号"),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_the_others_are_booked(
    desk: Desk, cells: dict[str, Any], reason: str
) -> None:
    first, second = overpaid(desk)
    good = {"追回日期": "2026-11-03", "追回金额（元）": 1}
    done = read(desk, fill(desk, {first["recovery_id"]: cells, second["recovery_id"]: good}))
    assert done.booked == 1 and [reason in one["reason"] for one in done.refused] == [True] and done.refused[0]["cell"]


def test_a_waiver_needs_a_second_person(desk: Desk) -> None:
    [row] = overpaid(desk, 1)
    number = row["recovery_id"]
    path = fill(desk, {number: {"免收金额（元）": 60, "免收理由": "遗属生活困难，会议纪要3号"}})
    assert (read(desk, path).asked, read(desk, path).unchanged) == (1, 1)
    assert recover(desk).rows[0]["over_fen"] == row["over_fen"]  # not yet
    with pytest.raises(RefusedError, match="不能自己确认"):
        repayments.confirm(desk.store, number, actor="张 经办", now=NOW)
    assert repayments.confirm(desk.store, number, actor="李审批", now=NOW) == 6_000
    assert recover(desk).rows[0]["over_fen"] == row["over_fen"] - 6_000
    with pytest.raises(UsageError):
        repayments.confirm(desk.store, number, actor="李审批", now=NOW)
    # what waits for a second person leaves no room for the same money twice
    asked = fill(desk, {number: {"免收金额（元）": (row["over_fen"] - 6_000) / 100, "免收理由": "另一半"}})
    assert read(desk, asked).asked == 1
    over = fill(desk, {number: {"追回日期": "2026-11-03", "追回金额（元）": 1}})
    assert "待确认" in read(desk, over).refused[0]["reason"]


def test_a_claim_follows_the_record_but_keeps_what_came_back(desk: Desk) -> None:
    [row] = overpaid(desk, 1)
    number, whole = row["recovery_id"], row["over_fen"]
    read(desk, fill(desk, {number: {"追回日期": "2026-11-03", "追回金额（元）": 30}}))
    with desk.store.transaction(actor="甲", command="test") as tx:  # the death was a mistake
        tx.execute("UPDATE batch SET status = 'undone' WHERE kind = 'register'")
        tx.journal("batch:2", {})
    found = recover(desk)
    assert found.rows == [] and found.sums["claimed_fen"] == 3_000 == found.sums["repaid_fen"]
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-09-02"}])
    assert recover(desk).rows[0]["over_fen"] == whole - 3_000
    kinds = [(e["kind"], e["amount_fen"]) for e in recoveries.entries(desk.store, number)]
    assert kinds == [("claim", whole), ("repayment", 3_000), ("claim", 3_000 - whole), ("claim", whole - 3_000)]


def test_a_doubt_that_says_it_came_back_is_booked_and_taken_back_with_it(desk: Desk) -> None:
    [row] = overpaid(desk, 1)
    doubt = desk.doubt(
        1, (make_id(1), LIVING, "甲镇"), (make_id(1), "extreme_poverty_support", "甲镇"), disposition="recovered_a"
    )
    with desk.store.transaction(actor="甲", command="test") as tx:
        tx.execute("UPDATE doubt_month SET decided_fen = 1")
        tx.journal(f"doubt:{doubt}", {})
    found = recover(desk)
    assert (found.rows, found.sums["repaid_fen"]) == ([], row["over_fen"])
    assert recover(desk).changed == 0
    with desk.store.transaction(actor="甲", command="test") as tx:
        tx.execute("UPDATE doubt SET disposition = 'stop_a'")
        tx.journal(f"doubt:{doubt}", {})
    assert recover(desk).rows[0]["over_fen"] == row["over_fen"]


def test_entries_are_append_only_and_one_line_has_one_claim(desk: Desk) -> None:
    [row] = overpaid(desk, 1)
    for sql in (
        "DELETE FROM recovery_entry",
        "UPDATE recovery_entry SET amount_fen = 1",
        "UPDATE recovery_entry SET confirmed_by = 'x'",
        f"INSERT INTO recovery SELECT 99, line_id, code, cause, reason, 0, '', '' FROM recovery WHERE recovery_id = {row['recovery_id']}",
    ):
        with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="甲", command="test") as tx:
            tx.execute(sql)


def test_another_workbook_is_no_claims_book(desk: Desk, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "别的.xlsx")
    with pytest.raises(DataError, match="不是追缴台账"):
        read(desk, tmp_path / "别的.xlsx")


def test_what_somebody_has_filled_in_is_not_written_over(desk: Desk) -> None:
    """Filled in where it lies and not read yet: a new list goes beside it; once it was read whole, in its place."""
    [first] = overpaid(desk, 1)
    place = desk.workspace.internal / "pay" / "追缴台账.xlsx"
    fill(desk, {first["recovery_id"]: {"追回日期": "2026-11-03", "追回金额（元）": 40}}).replace(place)
    content = place.read_bytes()
    found = recover(desk)
    assert found.kept.endswith("追缴台账.xlsx") and found.files[0]["path"].endswith("追缴台账_2.xlsx")
    assert place.read_bytes() == content
    assert recover(desk).files[0]["path"].endswith("追缴台账_2.xlsx"), "the second is nobody's yet"
    assert read(desk, place).booked == 1
    done = recovery.recover(desk.store, desk.workspace, desk.policy, read=place, actor="张经办", now=desk.now)
    assert (done.kept, done.files[0]["path"]) == ("", desk.workspace.relative(place)) and place.read_bytes() != content
