"""What the record remembers of doubts from run to run, and what payment and review are told."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from jiuzhu_cli.core.doubt import disposition_of
from jiuzhu_cli.core.errors import DataError, UsageError
from jiuzhu_cli.dedupe.dispositions import decide_files
from jiuzhu_cli.dedupe.output import CSV_COLUMNS
from jiuzhu_cli.ledger.doubts import confirmed_stops, held_sides, run_is_current
from jiuzhu_cli.ledger.verdicts import Verdict, decide
from tests.dedupe.worlds import HOUSE, LIVING, LOW, OLD, POOR, World, household, person
from tests.support import make_id


def _decide(world: World, doubt_id: str, result: str, side: str = "") -> None:
    with world.store.transaction(actor="张经办", command="test") as tx:
        decide(tx, [Verdict(doubt_id, result, disposition_of(result, side))])


def _double(world: World, month: str, fen: int = 50_000) -> list[int]:
    return [
        world.roll(LOW, "东镇", person(1, fen), month=month),
        world.roll(POOR, "东镇", person(1, 80_000), month=month),
    ]


def test_rerun_changes_nothing_and_writes_the_same_bytes(world: World) -> None:
    _double(world, "2026-10")
    world.roll(HOUSE, "西镇", person(4, claimed_status="低保户"))
    first = world.run(split_by_town=True)
    files = [first.csv, first.workbook, *first.town_workbooks]
    before = [path.read_bytes() for path in files]
    for path in files:
        path.unlink()
    second = world.run(split_by_town=True)
    assert [path.read_bytes() for path in files] == before
    assert (second.counts.added, second.counts.changed, second.counts.gone, second.counts.reopened) == (0, 0, 0, 0)
    assert second.as_json() == first.as_json() | {"new": 0}
    assert world.store.check_journal() == []


def test_later_month_extends_the_same_doubt(world: World) -> None:
    _double(world, "2026-09")
    [first] = world.run("2026-09").doubts
    _double(world, "2026-10")
    [second] = world.run("2026-10").doubts
    assert second["doubt_id"] == first["doubt_id"]
    assert (second["month_from"], second["month_to"], second["amount_fen"]) == ("2026-09", "2026-10", 100_000)
    [again] = world.run("2026-09").doubts
    assert (again["month_from"], again["month_to"], again["amount_fen"]) == ("2026-09", "2026-10", 100_000)


def test_corrected_roll_makes_it_gone_and_back(world: World) -> None:
    _, batch = _double(world, "2026-10")
    [doubt] = world.run().doubts
    world.undo(batch)
    result = world.run()
    assert (result.doubts, result.counts.gone, held_sides(world.store, "2026-10")) == ([], 1, [])
    world.roll(POOR, "东镇", person(1, 80_000))
    [back] = world.run().doubts
    assert back["doubt_id"] == doubt["doubt_id"]
    assert back["state"] == "open"


def test_one_month_corrected_leaves_the_other(world: World) -> None:
    _double(world, "2026-09")
    _, batch = _double(world, "2026-10")
    world.run("2026-10", "2026-09")
    world.undo(batch)
    [doubt] = world.run("2026-10", "2026-09").doubts
    assert (doubt["month_from"], doubt["month_to"], doubt["amount_fen"]) == ("2026-09", "2026-09", 50_000)
    assert "2026-09" in doubt["evidence"] and "2026-10" not in doubt["evidence"] and "至" not in doubt["evidence"]


def test_a_month_left_in_a_run_of_that_month_alone_is_taken_out_of_the_sentence(world: World) -> None:
    _double(world, "2026-09")
    _, batch = _double(world, "2026-10")
    [before] = world.run("2026-10", "2026-09").doubts
    assert "2026-10" in before["evidence"]
    world.undo(batch)
    assert world.run("2026-10").doubts == []
    [after] = world.run("2026-09").doubts
    assert "2026-09" in after["evidence"] and "2026-10" not in after["evidence"]


def test_legal_stays_decided_until_the_amount_grows(world: World) -> None:
    _double(world, "2026-09")
    [doubt] = world.run("2026-09").doubts
    _decide(world, doubt["doubt_id"], "allowed")
    _double(world, "2026-10", 51_000)
    result = world.run("2026-10")
    assert (len(result.doubts), result.open, result.as_json()["decided"]) == (1, 0, 1)
    assert held_sides(world.store, "2026-10") == []
    _double(world, "2026-11", 70_000)
    result = world.run("2026-11")
    assert (result.open, result.counts.reopened) == (1, 1)
    assert result.doubts[0]["disposition_note"].startswith("原处理结果：允许叠加；其后金额有变")
    assert world.run("2026-11").counts.reopened == 0


def test_adjust_holds_until_the_amount_changes(world: World) -> None:
    _double(world, "2026-09")
    [doubt] = world.run("2026-09").doubts
    _decide(world, doubt["doubt_id"], "confirmed", "adjust")
    _double(world, "2026-10")
    assert world.run("2026-10").open == 0
    assert {row["programme"] for row in held_sides(world.store, "2026-10")} == {LOW, POOR}
    _double(world, "2026-11", 45_000)
    assert world.run("2026-11").open == 1


def test_payment_is_told_whom_to_hold(world: World) -> None:
    world.roll(LOW, "东镇", *household(1, 90_000, 2, 1))
    world.roll(POOR, "东镇", person(1, 80_000))
    world.roll(OLD, "东镇", person(8, born="19300101"))
    world.roll(HOUSE, "东镇", person(9, claimed_status="低保"))
    world.register("death", {"id_no": make_id(8, born="19300101"), "name": "王", "event_date": "2026-01-01"})
    world.roll(LIVING, "西镇", person(5, account_no="622202000001"), person(6, account_no="622202000001"))
    world.run()
    held = {(row["programme"], row["id_no"]) for row in held_sides(world.store, "2026-10")}
    assert held == {
        (LOW, make_id(1)), (POOR, make_id(1)), (OLD, make_id(8, born="19300101")), (HOUSE, make_id(9)),
        (LIVING, make_id(5)), (LIVING, make_id(6)),
    }  # fmt: skip
    assert held_sides(world.store, "2026-09") == []


@pytest.mark.parametrize(
    ("result", "side", "held", "stopped"),
    [
        ("pending", "", {LOW, POOR}, set()),
        ("allowed", "", set(), set()),
        ("not_same", "", set(), set()),
        ("false_alarm", "", set(), set()),
        ("referred", "", set(), set()),
        ("confirmed", "", {LOW, POOR}, set()),
        ("confirmed", "a", {LOW}, {LOW}),
        ("confirmed", "b", {POOR}, {POOR}),
        ("confirmed", "both", {LOW, POOR}, {LOW, POOR}),
        ("confirmed", "adjust", {LOW, POOR}, set()),
        ("stopped", "a", {LOW}, set()),
        ("recovered", "b", {POOR}, set()),
    ],
)
def test_verdicts_hold_their_sides(world: World, result: str, side: str, held: set[str], stopped: set[str]) -> None:
    _double(world, "2026-10")
    [doubt] = world.run().doubts
    _decide(world, doubt["doubt_id"], result, side)
    assert {row["programme"] for row in held_sides(world.store, "2026-10")} == held
    assert {row["programme"] for row in confirmed_stops(world.store, "2026-10")} == stopped


def test_two_towns_holds_only_the_side_decided(world: World) -> None:
    world.roll(LOW, "东镇", *household(1, 90_000, 1, 2))
    world.roll(LOW, "西镇", *household(1, 90_000, 3, 1))
    [doubt] = world.run().doubts
    _decide(world, doubt["doubt_id"], "confirmed", "b")
    assert [(row["area"], row["id_no"]) for row in held_sides(world.store, "2026-10")] == [("西镇", make_id(1))]


def test_run_is_current_until_a_list_comes_in(world: World) -> None:
    assert run_is_current(world.store, "2026-10") is None
    _double(world, "2026-10")
    world.run()
    assert run_is_current(world.store, "2026-10") is True
    world.roll(LIVING, "东镇", person(3))
    assert run_is_current(world.store, "2026-10") is False


def test_months_and_empty_months(world: World) -> None:
    world.roll(LOW, "东镇", person(1))
    for month, month_from in (("2026-1", ""), ("2026-10", "2026-11"), ("2026-09", "")):
        with pytest.raises(UsageError):
            world.run(month, month_from)
    assert world.run().as_json()["doubts"] == 0


def test_csv_follows_the_contract(world: World) -> None:
    _double(world, "2026-10")
    result = world.run()
    data = result.csv.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert list(rows[0]) == CSV_COLUMNS
    assert rows[0]["doubt_id"] == "D000001"
    assert rows[0]["source_a"] == f"东镇{LOW}2026-10.xlsx Sheet1 第2行"
    assert (rows[0]["amount_fen"], rows[0]["disposition"], rows[0]["id_no_a"]) == ("50000", "pending", make_id(1))
    if os.name != "nt":
        assert result.csv.stat().st_mode & 0o777 == 0o600
    text = json.dumps(result.as_json(), ensure_ascii=False)
    assert make_id(1) not in text


def _filled(world: World, edit: object) -> Path:
    """The run's workbook with a human's edits: ``edit(sheet)`` on the first sheet of doubts."""
    import openpyxl

    result = world.run()
    book = openpyxl.load_workbook(result.workbook)
    edit(book.worksheets[1])  # type: ignore[operator]
    target = world.workspace.root / "inbox" / "填好.xlsx"
    book.save(target)
    return target


def _columns(sheet: object) -> dict[str, int]:
    return {cell.value: cell.column for row in sheet.iter_rows(max_row=5) for cell in row if cell.value}  # type: ignore[attr-defined]


def _rows(sheet: object) -> dict[str, int]:
    return {row[0].value: row[0].row for row in sheet.iter_rows() if str(row[0].value or "").startswith("D0")}  # type: ignore[attr-defined]


def test_filled_workbook_comes_back(world: World) -> None:
    for serial in range(1, 7):
        world.roll(LOW, "东镇", person(serial), part=str(serial))
        world.roll(POOR, "东镇", person(serial), part=str(serial))

    def edit(sheet) -> None:  # type: ignore[no-untyped-def]
        columns, rows = _columns(sheet), _rows(sheet)
        decision, note, id_a = columns["处理结果"], columns["备注"], columns["甲方身份证号"]
        sheet.cell(rows["D000001"], decision, " 停发甲方 ")
        sheet.cell(rows["D000001"], note, "已入户核实")
        sheet.cell(rows["D000002"], decision, "不管")
        sheet.cell(rows["D000003"], 1, "D999999")
        sheet.cell(rows["D000003"], decision, "停发甲方")
        sheet.cell(rows["D000004"], id_a, make_id(77))
        sheet.cell(rows["D000004"], decision, "停发甲方")
        sheet.cell(rows["D000005"], decision, "合规不处理")
        sheet.cell(rows["D000006"], decision).value = None
        sheet.insert_cols(2)
        sheet.insert_rows(1)
        sheet.cell(1, 2, "东镇王主任填")

    path = _filled(world, edit)
    result = decide_files(world.store, [path], actor="李核实")
    assert (result.applied, result.unchanged) == (2, 0)
    assert sorted(one.doubt_id for one in result.refused) == ["D000002", "D000004", "D999999"]
    assert all(one.cell and one.reason and one.sheet == "重复享受" for one in result.refused)
    again = decide_files(world.store, [path], actor="李核实")
    assert (again.applied, again.unchanged) == (0, 2)
    by_id = {doubt["doubt_id"]: doubt for doubt in world.run().doubts}
    assert (by_id["D000001"]["disposition"], by_id["D000001"]["disposition_note"]) == ("stop_a", "已入户核实")
    assert (by_id["D000001"]["disposed_by"], by_id["D000005"]["disposition"]) == ("李核实", "legal")


def test_an_older_copy_does_not_undo_a_decision(world: World) -> None:
    _double(world, "2026-10")
    untouched = _filled(world, lambda sheet: None)
    _decide(world, "D000001", "allowed")
    result = decide_files(world.store, [untouched], actor="甲")
    assert (result.applied, result.unchanged, result.refused) == (0, 1, [])
    assert world.run().doubts[0]["disposition"] == "legal"


def test_a_side_that_is_not_paid_cannot_be_stopped(world: World) -> None:
    world.roll(POOR, "东镇", person(1))
    world.register("death", {"id_no": make_id(1), "name": "王", "event_date": "2026-01-01"})

    def edit(sheet) -> None:  # type: ignore[no-untyped-def]
        sheet.cell(_rows(sheet)["D000001"], _columns(sheet)["处理结果"], "停发乙方")

    result = decide_files(world.store, [_filled(world, edit)], actor="甲")
    assert (result.applied, len(result.refused)) == (0, 1)


def test_one_doubt_decided_two_ways_is_refused(world: World) -> None:
    _double(world, "2026-10")

    def edit(sheet) -> None:  # type: ignore[no-untyped-def]
        row, columns = _rows(sheet)["D000001"], _columns(sheet)
        for column in range(1, sheet.max_column + 1):
            sheet.cell(row + 1, column, sheet.cell(row, column).value)
        sheet.cell(row, columns["处理结果"], "停发甲方")
        sheet.cell(row + 1, columns["处理结果"], "停发乙方")

    result = decide_files(world.store, [_filled(world, edit)], actor="甲")
    assert (result.applied, len(result.refused)) == (0, 2)


def test_a_file_that_is_no_list_of_doubts_applies_nothing(world: World) -> None:
    _double(world, "2026-10")

    def edit(sheet) -> None:  # type: ignore[no-untyped-def]
        sheet.cell(_rows(sheet)["D000001"], _columns(sheet)["处理结果"], "停发甲方")

    good = _filled(world, edit)
    with pytest.raises(DataError):
        decide_files(world.store, [good, world.run().csv], actor="甲")
    assert world.run().doubts[0]["disposition"] == "pending"
