"""The clerk's side: the workbook with both records, what comes back of it, two clerks who differ, deadlines, two months compared."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock

from jiuzhu_cli.core.doubt import KINDS, RESULTS, disposition_of, result_choices, verdict_of
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.dedupe.deadline import Deadlines
from jiuzhu_cli.dedupe.diff import diff_months
from jiuzhu_cli.dedupe.dispositions import DecideResult, decide_files
from jiuzhu_cli.dedupe.marks import differences
from jiuzhu_cli.ledger.doubts import confirmed_stops, held_sides, waiting
from jiuzhu_cli.ledger.verdicts import Verdict, decide, history
from tests.dedupe.worlds import LIVING, LOW, OLD, POOR, World, household, person, policy
from tests.support import make_id

NAMED = "双重享受 允许叠加 非同一人 待核实 已停发 已追回 误报".split()
Row = dict[str, Any]


def sheet_rows(path: Path, sheet: str) -> list[Row]:
    """The rows of a sheet by header, as text or figures."""
    table = openpyxl.load_workbook(path, rich_text=True)[sheet]
    grid = [[cell.value for cell in row] for row in table.iter_rows()]
    top = next(n for n, row in enumerate(grid) if row[0] in ("疑点编号", "类别", "栏目", "核实期限"))
    return [dict(zip(grid[top], row, strict=True)) for row in grid[top + 1 :]]


def fill(source: Path, target: Path, said: dict[str, Row], *, drop: Callable[[str], bool] = lambda _: False) -> Path:
    """A copy of the workbook with a clerk's cells; rows that ``drop`` says of are deleted."""
    book = openpyxl.load_workbook(source)
    for sheet in book:
        columns = {cell.value: cell.column for row in sheet.iter_rows(max_row=6) for cell in row if cell.value}
        if "疑点编号" not in columns or "处理结果" not in columns:
            continue
        for row in range(sheet.max_row, 1, -1):
            number = str(sheet.cell(row, columns["疑点编号"]).value or "")
            for header, value in said.get(number, {}).items():
                sheet.cell(row, columns[header]).value = value
            if number.startswith("D0") and drop(number):
                sheet.delete_rows(row)
    target.parent.mkdir(parents=True, exist_ok=True)
    book.save(target)
    return target


def doubles(world: World, *serials: int, month: str = "2026-10", fen: int = 50_000, **more: Any) -> None:
    """Each person on two rolls that exclude each other."""
    for serial in serials:
        town = "东镇" if serial % 2 else "西镇"
        world.roll(
            LOW,
            town,
            person(serial, fen, account_no=f"62220200000000{serial:04d}", phone="13800000001", **more),
            month=month,
            part=str(serial),
        )
        world.roll(POOR, town, person(serial, 80_000, account_no=f"62220200000000{serial:04d}"), month=month, part=str(serial))  # fmt: skip


def read(world: World, *files: Path, **more: Any) -> DecideResult:
    return decide_files(world.store, files, actor=more.pop("actor", "张经办"), **more)


def row_of(world: World, number: str = "D000001") -> Row:
    return dict(world.store.query("SELECT * FROM doubt WHERE doubt_id = ?", (number,))[0])


# ---- the workbook ----------------------------------------------------------------------------------------------


def test_both_records_stand_side_by_side(world: World) -> None:
    doubles(world, 1)
    result = world.run()
    [row] = sheet_rows(result.workbook, "重复享受")
    assert (row["甲方姓名"], row["乙方姓名"]) == ("王钱天", "王钱天")
    assert row["甲方身份证号"] == row["乙方身份证号"] == make_id(1)
    assert (row["甲方项目"], row["乙方项目"]) == ("最低生活保障", "特困人员救助供养")
    assert row["甲方乡镇村"] == row["乙方乡镇村"] == "东镇/一村"
    assert (row["甲方金额"], row["乙方金额"], row["涉及金额（元）"]) == (500, 800, 500)
    assert row["甲方出生日期、性别"] == "1970-01-01 男"
    assert row["甲方账号"] == "622202000000000001"
    assert row["甲方电话"] == "13800000001"
    assert (row["甲方出处"], row["乙方出处"]) == (
        f"东镇{LOW}2026-10.xlsx Sheet1 第2行", f"东镇{POOR}2026-10.xlsx Sheet1 第2行",
    )  # fmt: skip
    assert (row["处理结果"], row["停发哪一方"]) == ("待核实", None)
    assert row["依据"]


def test_choices_print_and_legend(world: World) -> None:
    doubles(world, 1)
    result = world.run()
    book = openpyxl.load_workbook(result.workbook)
    assert book.sheetnames == ["汇总", "重复享受", "填表说明"]
    sheet = book["重复享受"]
    offered = [validation.formula1 for validation in sheet.data_validations.dataValidation]
    assert set(NAMED) <= set(offered[0].strip('"').split(","))
    assert offered[1] == '"甲方,乙方,双方,调整金额"'
    assert sheet.page_setup.orientation == "landscape"
    assert int(sheet.page_setup.paperSize) == 9  # A4
    headers = [cell.value for cell in sheet[2]]
    last = openpyxl.utils.get_column_letter(headers.index("核实期限") + 1)
    assert sheet.print_area.endswith(f":${last}$3")
    legend = {row["填写或看到的"]: row for row in sheet_rows(result.workbook, "填表说明")}
    assert all(r.label in " ".join(legend) for r in RESULTS.values())
    assert "重复享受：互斥项目同月享受" in legend


def test_every_kind_offers_what_can_be_read_back() -> None:
    for kind in KINDS:
        assert "待核实" in result_choices(kind)
        assert KINDS[kind].confirmed in result_choices(kind)
        assert len(",".join(result_choices(kind))) <= 255


def test_differing_characters_are_red_and_bold(world: World) -> None:
    world.roll(LOW, "东镇", person(1) | {"name": "王小明"})
    world.roll(POOR, "东镇", person(1) | {"name": "王晓明"})
    shared = "622202000000000001"
    world.roll(LIVING, "西镇", person(5, account_no=shared), person(6, account_no=shared))
    result = world.run()
    [row] = sheet_rows(result.workbook, "重复享受")
    for header, marked in (("甲方姓名", "小"), ("乙方姓名", "晓")):
        runs = [part for part in row[header] if isinstance(part, TextBlock)]
        assert isinstance(row[header], CellRichText)
        assert [(r.text, bool(r.font.b), r.font.color.rgb[-6:]) for r in runs if r.font.b] == [(marked, True, "C00000")]
    [row] = sheet_rows(result.workbook, "账户异常")
    for letter, serial in (("甲方", 5), ("乙方", 6)):
        cell = row[f"{letter}身份证号"]
        assert str(cell) == make_id(serial)
        assert isinstance(cell, CellRichText)
    assert str(row["甲方账号"]) == str(row["乙方账号"]) == shared


@pytest.mark.parametrize(
    ("a", "b", "left", "right"),
    [
        ("421002", "421002", (), ()),
        ("421002", "", (), ()),
        ("421002", "412002", ((1, 3),), ((1, 3),)),
        ("42100219", "4210219", ((4, 5),), ()),
        ("张三", "张三丰", (), ((2, 3),)),
        ("王五", "李四", ((0, 2),), ((0, 2),)),
    ],
)
def test_differences(a: str, b: str, left: Any, right: Any) -> None:
    found = differences(a, b)
    if len(a) != len(b) and left:  # which of two equal digits is missing cannot be told
        assert [end - start for start, end in found[0]] == [end - start for start, end in left]
        assert found[1] == right
    else:
        assert found == (left, right)
    assert differences("123456789012345678", "876543210987654321", always=False) == ((), ())


def test_a_name_quite_different_is_marked_whole(world: World) -> None:
    world.roll(LOW, "东镇", person(1) | {"name": "王五"})
    world.roll(POOR, "东镇", person(1) | {"name": "李四"})
    book = openpyxl.load_workbook(world.run().workbook)
    cell = next(c for row in book["重复享受"].iter_rows() for c in row if c.value == "王五")
    assert (cell.font.b, cell.font.color.rgb[-6:]) == (True, "C00000")


def test_the_summary_counts_by_kind_code_and_town(world: World) -> None:
    doubles(world, 1, 2, 3)
    first = world.run(now=datetime(2026, 10, 9, 1, tzinfo=UTC))
    with world.store.transaction(actor="甲", command="test") as tx:
        decide(tx, [Verdict("D000001", "allowed", "legal")])
    result = world.run(today=date(2026, 12, 1))
    rows = sheet_rows(result.workbook, "汇总")
    by_town = {row["乡镇"]: row for row in rows if row["类别"] == "重复享受"}
    figures = ("条数", "强疑点", "涉及金额（元）", "已处理", "待核实", "超期")
    assert [by_town["东镇"][f] for f in figures] == [2, 2, 1000, 1, 1, 1]
    assert [by_town["西镇"][f] for f in figures] == [1, 1, 500, 0, 1, 1]
    assert [by_town["小计"][f] for f in figures] == [3, 3, 1500, 1, 2, 2]
    total = next(row for row in rows if row["类别"] == "合计")
    assert [total[f] for f in figures] == [3, 3, 1500, 1, 2, 2]
    late = sheet_rows(result.workbook, "超期未核实")
    assert {row["疑点编号"] for row in late} == {"D000002", "D000003"}
    assert (first.overdue, result.overdue) == (0, 2)


# ---- what comes back -------------------------------------------------------------------------------------------


def test_towns_come_back_whole_or_in_part(world: World, tmp_path: Path) -> None:
    doubles(world, 1, 2, 3, 4)
    result = world.run(split_by_town=True)
    east, west = result.town_workbooks
    said = {"处理结果": "双重享受", "停发哪一方": "乙方", "核实人": "李核实", "核实日期": "2026-10-12", "备注": "入户"}
    one = fill(east, tmp_path / "东.xlsx", {"D000001": said}, drop=lambda n: n == "D000002")
    other = fill(west, tmp_path / "西.xlsx", {"D000003": {"处理结果": "允许叠加"}})
    found = read(world, one, other)
    assert (found.applied, found.refused, found.conflicts) == (2, [], [])
    doubt = row_of(world)
    assert (verdict_of(doubt), doubt["checked_by"], doubt["checked_on"], doubt["disposed_by"]) == (
        ("confirmed", "b"), "李核实", "2026-10-12", "张经办",
    )  # fmt: skip
    assert [(e["event"], e["source"]) for e in history(world.store, ["D000001"])] == [
        ("decided", "东.xlsx 重复享受 Q3")
    ]
    assert read(world, one, other).applied == 0
    assert [row["programme"] for row in confirmed_stops(world.store, "2026-10")] == [POOR]


def test_workbooks_of_an_earlier_run_are_told(world: World) -> None:
    """They stay: somebody may have filled them in."""
    doubles(world, 1, 2, 3, 4)
    first = world.run(split_by_town=True)
    assert first.stale_workbooks == []
    assert set(world.run().stale_workbooks) == set(first.town_workbooks)
    gone, *rest = first.town_workbooks
    gone.unlink()
    again = world.run()
    assert again.stale_workbooks == rest and again.as_json()["stale_workbooks"] == [str(path) for path in rest]
    assert world.run(split_by_town=True).stale_workbooks == []


def test_a_date_that_excel_made_of_it_is_read(world: World, tmp_path: Path) -> None:
    doubles(world, 1)
    said = {"D000001": {"处理结果": "误报", "核实日期": datetime(2026, 10, 12)}}
    assert read(world, fill(world.run().workbook, tmp_path / "a.xlsx", said)).applied == 1
    assert row_of(world)["checked_on"] == "2026-10-12"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"处理结果": "双重享受", "停发哪一方": "丙方"}, "只能填"),
        ({"处理结果": "允许叠加", "停发哪一方": "甲方"}, "不填停发哪一方"),
        ({"处理结果": "已停发"}, "写明是哪一方"),
        ({"处理结果": "已追回", "停发哪一方": "调整金额"}, "写明是哪一方"),
        ({"处理结果": "停发甲方", "停发哪一方": "乙方"}, "却写"),
        ({"处理结果": "双重享受", "核实日期": "上周"}, "看不懂"),
        ({"处理结果": "双重享受", "核实日期": "2026-12-31"}, "今天之后"),
        ({"处理结果": "重复"}, "只能填"),
    ],
)
def test_words_that_cannot_be(world: World, tmp_path: Path, said: Row, why: str) -> None:
    doubles(world, 1)
    found = read(world, fill(world.run().workbook, tmp_path / "a.xlsx", {"D000001": said}), today=date(2026, 11, 1))
    assert (found.applied, len(found.refused)) == (0, 1)
    assert why in found.refused[0].reason
    assert found.refused[0].cell[-1] == "3"
    assert row_of(world)["disposition"] == "pending"


@pytest.mark.parametrize(
    ("word", "verdict"),
    [("停发甲方", ("confirmed", "a")), ("调整金额", ("confirmed", "adjust")), ("合规不处理", ("allowed", "")), ("已转部门办理", ("referred", "")),
     ("属实", ("confirmed", ""))],
)  # fmt: skip
def test_old_words_in_the_old_column_still_hold(
    world: World, tmp_path: Path, word: str, verdict: tuple[str, str]
) -> None:
    doubles(world, 1)
    path = fill(world.run().workbook, tmp_path / "旧.xlsx", {"D000001": {"处理结果": None}})
    book = openpyxl.load_workbook(path)
    for row in book["重复享受"].iter_rows():
        for cell in row:
            if cell.value == "处理结果":
                cell.value = "处理意见"
                book["重复享受"].cell(cell.row + 1, cell.column, word)
    book.save(path)
    assert read(world, path).applied == 1
    assert verdict_of(row_of(world)) == verdict


def test_one_payable_side_need_not_be_named(world: World, tmp_path: Path) -> None:
    world.roll(OLD, "东镇", person(8, born="19300101"))
    world.register("death", {"id_no": make_id(8, born="19300101"), "name": "王", "event_date": "2026-01-01"})
    said = {"D000001": {"处理结果": "属实"}}
    assert read(world, fill(world.run().workbook, tmp_path / "a.xlsx", said)).applied == 1
    assert row_of(world)["disposition"] == "stop_a"


# ---- two clerks ------------------------------------------------------------------------------------------------

EAST = {"处理结果": "双重享受", "停发哪一方": "甲方", "核实人": "东镇赵", "核实日期": "2026-10-11", "备注": "在家"}
WEST = {"处理结果": "允许叠加", "核实人": "西镇钱", "核实日期": "2026-10-12"}


def test_two_files_that_differ_are_shown_and_nothing_is_applied(world: World, tmp_path: Path) -> None:
    doubles(world, 1, 3)
    book = world.run().workbook
    one = fill(book, tmp_path / "东" / "疑点.xlsx", {"D000001": EAST, "D000002": {"处理结果": "误报"}})
    other = fill(book, tmp_path / "西" / "疑点.xlsx", {"D000001": WEST})
    found = read(world, one, other)
    assert (found.applied, row_of(world)["disposition"]) == (1, "pending")
    [conflict] = found.conflicts
    assert [(s.file, s.sheet, s.cell, s.verdict, s.checked_by, s.checked_on, s.note) for s in conflict.sides] == [
        (str(one), "重复享受", "Q3", "双重享受（停发甲方）", "东镇赵", "2026-10-11", "在家"),
        (str(other), "重复享受", "Q3", "允许叠加", "西镇钱", "2026-10-12", ""),
    ]
    assert {r.doubt_id for r in found.refused} == {"D000001"}
    assert read(world, one, other, prefer=[other]).applied == 1
    assert row_of(world)["result"] == "allowed"
    assert read(world, other).unchanged >= 1


def test_a_later_file_does_not_silently_replace_the_record(world: World, tmp_path: Path) -> None:
    doubles(world, 1)
    book = world.run().workbook
    assert read(world, fill(book, tmp_path / "东.xlsx", {"D000001": EAST}), actor="甲").applied == 1
    later = fill(book, tmp_path / "西.xlsx", {"D000001": WEST})
    found = read(world, later, actor="乙")
    assert (found.applied, verdict_of(row_of(world))) == (0, ("confirmed", "a"))
    record, said = found.conflicts[0].sides
    assert (record.file, record.sheet, record.cell, record.actor, record.checked_by) == (
        "东.xlsx",
        "重复享受",
        "Q3",
        "甲",
        "东镇赵",
    )
    assert (said.file, said.verdict, bool(said.at)) == ("西.xlsx", "允许叠加", False)
    assert read(world, later, actor="乙", prefer=[Path("西.xlsx")]).applied == 1
    assert [e["result"] for e in history(world.store, ["D000001"])] == ["confirmed", "allowed"]


def test_who_has_seen_the_decision_may_change_it(world: World, tmp_path: Path) -> None:
    doubles(world, 1)
    old = world.run().workbook
    read(world, fill(old, tmp_path / "东.xlsx", {"D000001": EAST}))
    after = world.run().workbook  # shows the decision
    [row] = sheet_rows(after, "重复享受")
    assert (row["处理结果"], row["停发哪一方"], row["核实人"], row["备注"]) == ("双重享受", "甲方", "东镇赵", "在家")
    assert read(world, fill(after, tmp_path / "b.xlsx", {"D000001": WEST | {"停发哪一方": None}})).applied == 1
    assert row_of(world)["result"] == "allowed"
    again = fill(world.run().workbook, tmp_path / "c.xlsx", {"D000001": {"处理结果": "待核实"}})
    assert read(world, again).applied == 1  # taken back on purpose
    assert row_of(world)["disposition"] == "pending"


def test_one_clerk_correcting_himself_needs_only_a_later_date(world: World, tmp_path: Path) -> None:
    doubles(world, 1)
    book = world.run().workbook
    read(world, fill(book, tmp_path / "a.xlsx", {"D000001": EAST}))
    same_day = fill(book, tmp_path / "b.xlsx", {"D000001": WEST | {"核实人": "东镇赵", "核实日期": "2026-10-11"}})
    assert len(read(world, same_day).conflicts) == 1
    later = fill(book, tmp_path / "c.xlsx", {"D000001": WEST | {"核实人": "东镇赵"}})
    assert read(world, later).applied == 1
    assert row_of(world)["result"] == "allowed"


def test_the_same_said_twice_is_no_conflict(world: World, tmp_path: Path) -> None:
    doubles(world, 1)
    book = world.run().workbook
    one = fill(book, tmp_path / "a.xlsx", {"D000001": EAST})
    other = fill(book, tmp_path / "b.xlsx", {"D000001": EAST | {"核实人": None, "备注": None, "核实日期": None}})
    found = read(world, other, one)
    assert (found.applied, found.conflicts, row_of(world)["checked_by"]) == (1, [], "东镇赵")
    assert read(world, other).applied == 0
    assert row_of(world)["disposition_note"] == "在家"  # a blank takes nothing away


def test_prefer_must_name_one_of_the_files(world: World, tmp_path: Path) -> None:
    doubles(world, 1)
    path = fill(world.run().workbook, tmp_path / "a.xlsx", {})
    with pytest.raises(UsageError):
        read(world, path, prefer=[Path("b.xlsx")])


# ---- how long a decision holds ---------------------------------------------------------------------------------


def _said(world: World, result: str, side: str = "") -> None:
    with world.store.transaction(actor="甲", command="test") as tx:
        decide(tx, [Verdict("D000001", result, disposition_of(result, side))])


@pytest.mark.parametrize(
    ("change", "reopened", "word"),
    [
        ({}, 0, ""),
        ({"amount_fen": 54_000}, 0, ""),
        ({"amount_fen": 56_000}, 1, "金额"),
        ({"amount_fen": 44_000}, 1, "金额"),
        ({"account_no": "622202000000009999"}, 1, "甲方账号"),
        ({"account_no": None}, 0, ""),  # a list without accounts says nothing new
        ({"name": "赵六七"}, 1, "甲方姓名"),
    ],
)
def test_a_decision_holds_until_its_evidence_changes(world: World, change: Row, reopened: int, word: str) -> None:
    doubles(world, 1, month="2026-09")
    world.run("2026-09")
    _said(world, "allowed")
    row = person(1, 50_000, account_no="622202000000000001") | change
    world.roll(LOW, "东镇", row)
    world.roll(POOR, "东镇", person(1, 80_000, account_no="622202000000000001"))
    result = world.run()
    assert result.counts.reopened == reopened
    doubt = next(d for d in result.doubts if d["kind"] == "double")  # a changed account is a doubt of its own
    assert (doubt["doubt_id"], doubt["disposition"]) == ("D000001", "pending" if reopened else "legal")
    assert word in doubt["disposition_note"]
    assert [e["event"] for e in history(world.store, ["D000001"])] == ["decided", *["reopened"] * reopened]
    assert world.run().counts.reopened == 0
    if not reopened:  # the earlier month looked at once more changes nothing
        assert world.run("2026-09").counts.reopened == 0
        assert row_of(world)["evidence"] == doubt["evidence"]


def test_a_register_s_date_is_evidence(world: World) -> None:
    old = make_id(8, born="19300101")
    world.roll(OLD, "东镇", person(8, born="19300101"))
    batch = world.register("death", {"id_no": old, "name": "王", "event_date": "2026-01-01"})
    world.run()
    _said(world, "false_alarm")
    assert world.run().open == 0
    world.undo(batch)
    world.register("death", {"id_no": old, "name": "王", "event_date": "2026-02-03"}, area="x")
    assert "乙方日期" in world.run().doubts[0]["disposition_note"]


def test_stopped_and_on_the_roll_again(world: World) -> None:
    doubles(world, 1, month="2026-09")
    world.run("2026-09")
    _said(world, "stopped", "a")
    assert [row["programme"] for row in held_sides(world.store, "2026-09")] == [LOW]
    assert confirmed_stops(world.store, "2026-09") == []
    assert world.run("2026-09").open == 1 - 1
    doubles(world, 1, month="2026-10")
    result = world.run("2026-10")
    assert (result.open, result.counts.reopened) == (1, 1)
    assert "名册上又有" in result.doubts[0]["disposition_note"]
    assert {row["programme"] for row in held_sides(world.store, "2026-10")} == {LOW, POOR}


def test_stopped_taken_off_and_back_in_a_later_month(world: World) -> None:
    """The month decided on is corrected away; what was decided is still known when the roll shows it again."""
    doubles(world, 1)
    world.run()
    _said(world, "stopped", "a")
    [[batch]] = world.store.query("SELECT batch_id FROM batch WHERE programme = ?", (LOW,))
    world.undo(batch)
    assert world.run().counts.gone == 1
    doubles(world, 1, month="2026-11")
    result = world.run("2026-11")
    assert (result.counts.reopened, result.open) == (1, 1)
    assert [e["event"] for e in history(world.store, ["D000001"])] == ["decided", "gone", "reopened", "back"]


@pytest.mark.parametrize(("fen", "reopened"), [(50_000, 0), (70_000, 1)])
def test_allowed_taken_off_and_back(world: World, fen: int, reopened: int) -> None:
    doubles(world, 1)
    world.run()
    _said(world, "allowed")
    [[batch]] = world.store.query("SELECT batch_id FROM batch WHERE programme = ?", (LOW,))
    world.undo(batch)
    world.run()
    doubles(world, 1, month="2026-11", fen=fen)
    assert world.run("2026-11").counts.reopened == reopened


def test_an_earlier_month_looked_at_later_is_not_again(world: World) -> None:
    doubles(world, 1, month="2026-09")
    doubles(world, 1, month="2026-10")
    world.run("2026-10")
    _said(world, "stopped", "a")
    assert world.run("2026-10", "2026-09").counts.reopened == 0


def test_the_number_stays_through_corrections_and_undo(world: World) -> None:
    doubles(world, 1, 3)
    world.run()
    with world.store.transaction(actor="甲", command="test") as tx:
        tx.execute("UPDATE batch SET status = 'superseded' WHERE programme = ? AND part = '1'", (LOW,))
        tx.journal("batch:1", {})
    world.roll(LOW, "东镇", person(1, 50_000, account_no="622202000000000001"), part="更正")
    result = world.run()
    assert [d["doubt_id"] for d in result.doubts] == ["D000001", "D000002"]
    assert result.counts.added == 0
    [row] = [r for r in sheet_rows(result.workbook, "重复享受") if r["疑点编号"] == "D000001"]
    assert row["甲方账号"] == "622202000000000001"  # shown from the new roll


# ---- deadlines, two months -------------------------------------------------------------------------------------


def test_working_days_count_dated_holidays(world: World) -> None:
    world.roll(LOW, "东镇", person(1), month="2026-09")
    world.roll(POOR, "东镇", person(1), month="2026-09")
    world.run("2026-09", now=datetime(2026, 9, 24, 18, tzinfo=UTC))  # 25 September in Beijing
    deadlines = Deadlines(policy())
    [doubt] = waiting(world.store)
    days_off, worked = policy().days_off()
    last, left = date(2026, 9, 25), 10
    while left:
        last = date.fromordinal(last.toordinal() + 1)
        left -= last in worked or (last.weekday() < 5 and last not in days_off)
    assert deadlines.of(doubt) == last
    assert last > date(2026, 10, 9)  # the National Day holidays lie between
    assert not deadlines.overdue(doubt, last)
    assert deadlines.overdue(doubt, date.fromordinal(last.toordinal() + 1))
    _said(world, "allowed")
    assert deadlines.of(row_of(world)) is None


def test_two_months_compared(world: World) -> None:
    for month, serials in (("2026-08", (7,)), ("2026-09", (1, 3, 5)), ("2026-10", (1, 3, 7, 9))):
        doubles(world, *serials, month=month, fen=90_000 if month == "2026-10" else 50_000)
    world.run("2026-08")
    first = {d["id_no_a"]: d["doubt_id"] for d in world.run("2026-09").doubts if d["kind"] == "double"}
    with world.store.transaction(actor="甲", command="test") as tx:
        decide(tx, [Verdict(first[make_id(3)], "allowed", "legal")])
    with pytest.raises(UsageError):
        diff_months(world.workspace, world.store, "2026-09", "2026-10", actor="甲")  # October was not looked at
    world.run("2026-10")
    found = diff_months(world.workspace, world.store, "2026-09", "2026-10", actor="甲")
    rows = [row for row in found.rows if row["kind"] == "double"]  # who left a roll may be a doubt of its own
    told = {row["id_no_a"]: row["change"] for row in rows}
    assert told == {
        make_id(1): "still_open", make_id(3): "reopened", make_id(5): "gone", make_id(7): "reopened", make_id(9): "new",
    }  # fmt: skip
    assert sum(found.counts.values()) == len(found.rows)
    lines = list(csv.DictReader(found.csv.read_text("utf-8-sig").splitlines()))
    assert [line["change"] for line in lines if line["kind"] == "double"] == [
        "new",
        "reopened",
        "reopened",
        "still_open",
        "gone",
    ]
    with pytest.raises(UsageError):
        diff_months(world.workspace, world.store, "2026-10", "2026-09", actor="甲")


def test_a_household_s_record_shows_what_the_case_is_paid(world: World) -> None:
    world.roll(LOW, "东镇", *household(1, 90_000, 2, 1, account_no="622202000000000009"))
    world.roll(POOR, "东镇", person(1, 80_000))
    [row] = sheet_rows(world.run().workbook, "重复享受")
    assert (row["甲方金额"], row["甲方账号"]) == (900, "622202000000000009")
    assert row["甲方出处"].endswith("第3行")
