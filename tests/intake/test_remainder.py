"""Rows sent back, corrected by a clerk in every way: all or some, sorted, with columns added, the workbook's marks lost."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.read import read_workbook
from tests.intake.lists import name, record, run, run_one, workbook
from tests.support import make_id, make_workspace

HEADER = ["户编号", "姓名", "身份证号", "与户主关系", "村", "户月保障金额", "银行账号"]
FILE = "东山镇2026年10月农村低保.xlsx"


def households() -> list[list[object]]:
    """Six households of three, right."""
    return [
        [f"H{home}", f"人{'甲乙丙丁戊己'[home]}{'一二三'[place]}", make_id(home * 3 + place + 1), ["户主", "配偶", "子"][place], "东村",
         None if place else 800 + home, None if place else f"81010000{home:08d}"]
        for home in range(6)
        for place in range(3)
    ]  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def sent_back(workspace: Workspace, folder: Path) -> Path:
    """A head with a damaged ID, one with a bad amount, two members with bad IDs: eight rows come back."""
    rows = households()
    rows[0][2], rows[4][2], rows[6][5], rows[10][2] = str(rows[0][2])[:-2], str(rows[4][2])[:-2], "八百多", None
    one = run_one(
        workspace, workbook(folder / FILE, HEADER, rows, title="东山镇2026年10月农村低保花名册"), recover=False
    )
    assert (one.accepted, one.refused) == (10, 8)
    return workspace.root / one.remainder_file


def corrected(source: Path, target: Path, names: Collection[str], *, untidy: bool = False) -> Path:
    """The right values put in for ``names``; ``untidy``: rows shuffled, a column added, the document's properties lost."""
    book = openpyxl.load_workbook(source)
    sheet = book.active
    first = next(row for row in range(1, 9) if "身份证号" in [cell.value for cell in sheet[row]])
    places = {cell.value: cell.column for cell in sheet[first]}
    right = {row[1]: row for row in households()}
    for row in range(first + 1, sheet.max_row + 1):
        name = sheet.cell(row, places["姓名"]).value
        if name in names:
            sheet.cell(row, places["身份证号"]).value = right[name][2]
            sheet.cell(row, places["户月保障金额"]).value = right[name][5]
    if untidy:
        body = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=first + 1)]
        random.Random(1).shuffle(body)
        for offset, cells in enumerate(body, first + 1):
            for column, value in enumerate(cells, 1):
                sheet.cell(offset, column).value = value
        sheet.cell(first, sheet.max_column + 1).value = "经办备注"
        sheet.cell(first + 1, sheet.max_column).value = "已电话核实"
        for prop in list(book.custom_doc_props.names):
            del book.custom_doc_props[prop]
    book.save(target)
    return target


EVERYONE = {str(row[1]) for row in households()}
WHOLE = sorted((str(row[2]), str(row[1]), int(row[3] == "户主")) for row in households())


@pytest.mark.parametrize("untidy", [False, True])
def test_all_corrected_at_once(workspace: Workspace, tmp_path: Path, untidy: bool) -> None:
    path = corrected(sent_back(workspace, tmp_path), tmp_path / "改正.xlsx", EVERYONE, untidy=untidy)
    one = run_one(workspace, path, recover=False)
    assert (one.status, one.accepted, one.refused) == ("imported", 8, 0)
    assert sorted(record(workspace, "id_no, name, lead")) == WHOLE
    heads = {row[0]: row[1] for row in record(workspace, "id_no, head_id_no")}
    assert all(heads[make_id(home * 3 + place + 1)] == make_id(home * 3 + 1) for home in range(6) for place in range(3))
    assert sum(row[0] or 0 for row in record(workspace, "r.amount_fen")) == sum(80000 + 100 * home for home in range(6))
    kept = {row[0] for row in record(workspace, "extra")}
    assert not any("退回原因" in (text or "") or "原表行号" in (text or "") for text in kept)


def test_a_corrected_head_brings_its_household(workspace: Workspace, tmp_path: Path) -> None:
    path = corrected(sent_back(workspace, tmp_path), tmp_path / "改正.xlsx", {"人甲一"}, untidy=True)
    one = run_one(workspace, path, recover=False)
    assert (one.accepted, one.refused) == (3, 5) and one.remainder_file
    names = {row[0] for row in record(workspace, "name")}
    assert {"人甲一", "人甲二", "人甲三"} <= names and "人丙一" not in names


def test_what_came_back_already_is_not_doubled(workspace: Workspace, tmp_path: Path) -> None:
    remainder = sent_back(workspace, tmp_path)
    run_one(workspace, corrected(remainder, tmp_path / "一.xlsx", {"人甲一"}), recover=False)
    second = corrected(remainder, tmp_path / "二.xlsx", EVERYONE, untidy=True)
    one = run_one(workspace, second, recover=False)
    assert (one.status, one.accepted, one.refused, one.unchanged, one.remainder_file) == ("imported", 5, 0, 3, "")
    assert sorted(record(workspace, "id_no, name, lead")) == WHOLE
    again = run_one(workspace, second, recover=False)
    assert (again.status, again.refused) == ("already", 0)
    assert sorted(record(workspace, "id_no, name, lead")) == WHOLE


def test_the_rest_of_the_rest(workspace: Workspace, tmp_path: Path) -> None:
    one = run_one(workspace, corrected(sent_back(workspace, tmp_path), tmp_path / "一.xlsx", {"人甲一"}), recover=False)
    rest = workspace.root / one.remainder_file
    sheet = read_workbook(rest).sheets[0]
    headers = [column[row] for column in sheet.columns for row in range(5) if column[row] in ("退回原因", "原表行号")]
    assert sorted(headers) == ["原表行号", "退回原因"]
    last = run_one(workspace, corrected(rest, tmp_path / "二.xlsx", EVERYONE, untidy=True), recover=False)
    assert (last.accepted, last.refused) == (5, 0)
    assert sorted(record(workspace, "id_no, name, lead")) == WHOLE


def test_another_ledgers_remainder_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = corrected(sent_back(workspace, tmp_path), tmp_path / "改正.xlsx", EVERYONE)
    other = make_workspace(tmp_path / "别处")
    one = run_one(other, path, recover=False)
    assert one.status == "refused" and "不在这个工作区" in one.note
    run_one(other, workbook(tmp_path / "x" / "西山镇2026年10月农村低保.xlsx", HEADER, households()), recover=False)
    assert run_one(other, path, recover=False).status == "refused"


def test_member_listed_in_a_cell_comes_back_by_himself(tmp_path: Path) -> None:
    """His household is taken in without him; on the workbook to be mended he has a row of his own, and joins it from there."""
    workspace = make_workspace(tmp_path / "ws")
    header = ["村", "户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "户月保障金额", "银行账号"]
    rows: list[list[Any]] = [
        [
            "东风村",
            name(1),
            make_id(1),
            f"{name(2)}、{name(3)}",
            f"{make_id(2)}、{make_id(3)[:17]}",
            800,
            "42100100000001",
        ],
        ["东风村", name(4), make_id(4)[:17], name(5), make_id(5), 500, "42100100000004"],
        ["东风村", name(6), make_id(6), name(7), make_id(7), 400, "42100100000006"],
    ]
    path = workbook(tmp_path / "城关镇2026年10月农村低保.xlsx", header, rows)
    first = run(workspace, path)
    [table] = first.tables
    assert first.exit_code == 3 and table.remainder_file
    assert [row[0] for row in record(workspace, "r.id_no")] == [make_id(n) for n in (1, 2, 6, 7)]
    book = openpyxl.load_workbook(workspace.root / table.remainder_file)
    assert len(book.sheetnames) == 2 and book.sheetnames[1].endswith("成员")
    wrong = {make_id(n)[:17]: make_id(n) for n in (3, 4)}
    for sheet in book:
        for cells in sheet.iter_rows():
            for cell in cells:
                if cell.value in wrong:
                    cell.value = wrong.pop(str(cell.value))
    assert not wrong
    book.save(tmp_path / "改好.xlsx")
    again = run(workspace, tmp_path / "改好.xlsx")
    assert again.exit_code == 0 and [one.status for one in again.tables] == ["imported"] * 2
    found = record(workspace, "r.id_no, r.head_id_no, r.amount_fen, r.village, r.lead")
    assert sorted(found) == sorted(
        (make_id(n), make_id(head), fen, "东风村", int(n == head))
        for n, head, fen in ((1, 1, 80000), (2, 1, None), (3, 1, None), (4, 4, 50000), (5, 4, None), (6, 6, 40000), (7, 6, None))
    )  # fmt: skip
    # once more the file with the errors: what was mended is not taken away again, though 4's number is known by now
    assert run(workspace, path).tables[0].status == "already" and len(record(workspace, "r.id_no")) == 7


def test_household_without_damage_asks_nothing_back(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "户月保障金额"]
    path = workbook(
        tmp_path / "城关镇2026年10月农村低保.xlsx", header, [[name(1), make_id(1), name(2), make_id(2), 800]]
    )
    done = run(workspace, path)
    assert done.exit_code == 0 and not done.tables[0].remainder_file
