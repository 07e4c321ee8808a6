"""Copies by changing the parts concerned only: everything else byte for byte, whatever wrote the workbook."""

from __future__ import annotations

import re
import zipfile
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment

from jiuzhu_cli.tabular.annotate import CellMark, CopyDraft, annotate_copy, write_fronts
from jiuzhu_cli.tabular.package import Odd
from jiuzhu_cli.tabular.patch import Draft
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec
from tests.tabular.packages import check_package, rewritten, rich_workbook

SUMMARY = SheetSpec(
    "核对结果", [ColumnSpec("项目", 20), ColumnSpec("金额", kind="amount")], [["=1+1", 12345]], title="导入核对结果"
)
CHANGES = SheetSpec("与上月比", [ColumnSpec("变化"), ColumnSpec("人数", kind="count")], [["新增", 3], ["撤下", -1]], fills={(0, 1): "yellow"})  # fmt: skip
MARKS = [
    CellMark("名册", 3, "B", "姓名不对"), CellMark("名册", 4, "C", "校验位不对"), CellMark("名册", 6, "F", "合并格"),
    CellMark("名册", 8, "H", "没有的格", "yellow"), CellMark("统计", 9, "C", "没有的行"),
]  # fmt: skip
REASONS = {
    ("名册", 3): "拒收：姓名不对",
    ("名册", 4): "=cmd|' /C calc'!A0",
    ("名册", 6): "长" * 60,
    ("名册", 8): "请核对",
}
RED, YELLOW = "FFFFC7CE", "FFFFEB9C"


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_workbook(tmp_path_factory.mktemp("rich") / "名册.xlsx")


def test_all_else_stays_byte_for_byte(rich: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.xlsx"
    digest = annotate_copy(rich, target, MARKS, REASONS, SUMMARY, CHANGES, header_rows={"名册": 2})
    assert (
        annotate_copy(rich, tmp_path / "again.xlsx", MARKS, REASONS, SUMMARY, CHANGES, header_rows={"名册": 2})
        == digest
    )
    before, after = check_package(rich), check_package(target)
    touched = {name for name in before if before[name] != after[name]}
    assert touched == {
        "[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml", "xl/comments1.xml", "xl/drawings/vmlDrawing1.vml", "xl/worksheets/_rels/sheet2.xml.rels",
    }  # fmt: skip
    old, new = (parts["xl/worksheets/sheet1.xml"].decode() for parts in (before, after))
    for row in (7, 9, 20, 33):
        [line] = re.findall(rf'<row r="{row}".*?</row>', old)
        assert line in new
    assert (
        old[old.index("</sheetData>") :] == new[new.index("</sheetData>") :]
    )  # filter, formats, drop-downs, print settings


def test_what_is_put_in(rich: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.xlsx"
    annotate_copy(rich, target, MARKS, REASONS, SUMMARY, CHANGES, header_rows={"名册": 2})
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["核对结果", "与上月比", "名册", "统计"] and book.active.title == "核对结果"
    assert [s.title for s in book if s.sheet_view.tabSelected] == ["核对结果"]
    sheet = book["名册"]
    fills = {c.coordinate: c.fill.fgColor.rgb for row in sheet.iter_rows() for c in row if c.fill.fill_type}
    assert fills == {
        "B3": RED, "C4": RED, "F5": RED, "H8": YELLOW, "G2": RED, "G3": RED, "G4": RED, "G6": RED, "G8": YELLOW,
    }  # fmt: skip
    assert sheet["C4"].number_format == "@" and sheet["C4"].border.left.style == "thin"
    assert sheet["B3"].comment.text == "原来的批注\n【核对】姓名不对" and sheet["B3"].comment.author == "镇民政办"
    assert sheet["C4"].comment.text == "校验位不对" and sheet["F5"].comment.text == "合并格"
    assert (
        sheet["G2"].value == "核对结果" and sheet["G4"].value == "=cmd|' /C calc'!A0" and sheet["G4"].data_type == "s"
    )
    assert sheet.row_dimensions[6].height > 30 and 20 <= sheet.row_dimensions[8].height < 21
    assert sheet.print_title_rows == "$1:$2" and "金额区" in book.defined_names
    assert sheet.conditional_formatting and sheet.data_validations.dataValidation
    assert book["核对结果"]["A3"].value == "=1+1" and book["核对结果"]["A3"].data_type == "s"
    assert book["核对结果"]["B3"].value == 123.45


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [
        ("sheet1", r' spans="[^"]*"', ""),
        ("sheet1", r'<row r="(\d)" spans', r'<row x14ac:dyDescent="0.2" xmlns:x14ac="urn:x" r="\1" spans'),
        ("sheet1", r'<c r="([A-Z]+\d+)" s="(\d+)"', r'<c s="\2" r="\1"'),
        ("sheet1", r'<row r="8".*?</row>', '<row r="8"/>'),
        ("sheet1", r'<row r="8".*?</row>', ""),
        ("sheet1", r"<dimension[^>]*/>", ""),
        ("sheet1", r"<cols>.*?</cols>", ""),
        ("sheet1", r"<cols>.*?</cols>", '<cols><col min="1" max="16384" width="9" style="1"/></cols>'),
        ("sheet1", r'(<row r="3"[^>]*>)(.*?)(</row>)', r'\1\2<c r="G3" s="1"/><c r="XFD3" s="1"/>\3'),
        ("sheet1", r"<sheetData>", "<sheetData >"),
    ],
)
def test_ways_of_writing_a_sheet(rich: Path, tmp_path: Path, part: str, before: str, after: str) -> None:
    name = f"xl/worksheets/{part}.xml"
    source = rewritten(rich, {name: (before, after)}, tmp_path / "a.xlsx")
    annotate_copy(source, tmp_path / "b.xlsx", MARKS, REASONS, SUMMARY, header_rows={"名册": 2})
    parts = check_package(tmp_path / "b.xlsx")
    assert "xl/charts/chart1.xml" in parts  # not made by openpyxl
    same_values(source, tmp_path / "b.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["名册"]
    assert sheet["C4"].fill.fgColor.rgb == RED and sheet["H8"].fill.fgColor.rgb == YELLOW
    assert REASONS["名册", 8] in [c.value for c in sheet[8]]


def same_values(source: Path, target: Path) -> None:
    """Every cell of the source stands in the copy with its value."""
    old, new = openpyxl.load_workbook(source), openpyxl.load_workbook(target)
    for sheet in old:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert new[sheet.title][cell.coordinate].value == cell.value


def test_prefixed_elements(rich: Path, tmp_path: Path) -> None:
    def prefixed(name: str) -> None:
        nonlocal source
        data = check_package(source)[name].decode()
        text = re.sub(r"<(/?)([A-Za-z]\w*)(?=[\s/>])", r"<\1x:\2", data).replace("xmlns=", "xmlns:x=")
        target = tmp_path / f"{len(list(tmp_path.iterdir()))}.xlsx"
        with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as out:
            for one in archive.namelist():
                out.writestr(one, text if one == name else archive.read(one))
        source = target

    source = rich
    for name in ("xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml", "xl/comments1.xml"):
        prefixed(name)
    annotate_copy(source, tmp_path / "out.xlsx", MARKS, REASONS, SUMMARY, header_rows={"名册": 2})
    assert "xl/charts/chart1.xml" in check_package(tmp_path / "out.xlsx")
    same_values(source, tmp_path / "out.xlsx")
    assert openpyxl.load_workbook(tmp_path / "out.xlsx")["名册"]["C4"].fill.fgColor.rgb == RED


def test_macros_are_left_behind(rich: Path, tmp_path: Path) -> None:
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main"
    source = rewritten(
        rich,
        {
            "[Content_Types].xml": (
                main.replace(".", r"\.") + r"\+xml",
                "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            ),
            "xl/_rels/workbook.xml.rels": (
                "</Relationships>",
                '<Relationship Id="rIdV" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/></Relationships>',
            ),
        },
        tmp_path / "a.xlsm",
        {"xl/vbaProject.bin": b"macro"},
    )
    rewritten(source, {"[Content_Types].xml": ("<Override", '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/><Override')}, tmp_path / "b.xlsm")  # fmt: skip
    annotate_copy(source, tmp_path / "out.xlsx", MARKS, REASONS, SUMMARY, header_rows={"名册": 2})
    parts = check_package(tmp_path / "out.xlsx")
    assert not [name for name in parts if "vba" in name.lower()]
    assert not [name for name, data in parts.items() if b"vbaProject" in data or b"macroEnabled" in data]
    assert "xl/charts/chart1.xml" in parts


@pytest.mark.parametrize("part", ["_xmlsignatures/origin.sigs", "xl/activeX/activeX1.bin", "xl/macrosheets/sheet1.xml"])
def test_what_is_not_patched_is_copied_another_way(rich: Path, tmp_path: Path, part: str) -> None:
    source = rewritten(rich, {}, tmp_path / "a.xlsx", {part: b"<a/>"})
    with pytest.raises(Odd):
        Draft(source, {}, {}, ["名册", "统计"], tmp_path)
    annotate_copy(source, tmp_path / "out.xlsx", MARKS, REASONS, SUMMARY, header_rows={"名册": 2})
    assert part not in check_package(tmp_path / "out.xlsx")
    assert openpyxl.load_workbook(tmp_path / "out.xlsx")["名册"]["C4"].fill.fgColor.rgb == RED


@pytest.mark.parametrize("large", [True, False])
def test_a_draft_gives_the_same_bytes(rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool) -> None:
    if large:
        monkeypatch.setattr("jiuzhu_cli.tabular.patch.LARGE", 1)
    book, headers = read_workbook(rich), {"名册": 2}
    plain = annotate_copy(rich, tmp_path / "a.xlsx", MARKS, REASONS, SUMMARY, header_rows=headers, book=book)
    folder = tmp_path / "waiting"
    folder.mkdir()
    with closing(CopyDraft(folder, MARKS, REASONS, headers, book)) as draft:
        assert draft.is_of(list(MARKS), dict(REASONS), headers)
        rest = {"header_rows": headers, "book": book, "draft": draft}
        assert annotate_copy(rich, tmp_path / "b.xlsx", MARKS, REASONS, SUMMARY, **rest) == plain  # type: ignore[arg-type]
    check_package(tmp_path / "b.xlsx")
    with closing(CopyDraft(folder, MARKS[1:], REASONS, headers, book)) as draft:  # of other marks: it is not used
        rest = {"header_rows": headers, "book": book, "draft": draft}
        assert annotate_copy(rich, tmp_path / "c.xlsx", MARKS, REASONS, SUMMARY, **rest) == plain  # type: ignore[arg-type]
    assert list(folder.iterdir()) == []


def test_a_copy_that_comes_back_is_marked_afresh(rich: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    annotate_copy(rich, first, MARKS, REASONS, SUMMARY, CHANGES, header_rows={"名册": 2})
    book = read_workbook(first)
    book.sheets = book.sheets[2:]
    annotate_copy(first, second, MARKS[1:2], {("名册", 4): "还是不对"}, SUMMARY, header_rows={"名册": 2}, book=book)
    parts = check_package(second)
    assert "xl/charts/chart1.xml" in parts
    copy = openpyxl.load_workbook(second)
    assert copy.sheetnames == ["核对结果", "名册", "统计"]
    sheet = copy["名册"]
    assert next(c.coordinate for row in sheet.iter_rows(min_row=3) for c in row if c.fill.fill_type) == "C4"
    assert sum(c.fill.fill_type is not None for row in sheet.iter_rows(min_row=3) for c in row) == 2
    assert [c.value for c in sheet[2] if c.value == "核对结果"] == ["核对结果"]
    comments = {c.coordinate: c.comment.text for row in sheet.iter_rows() for c in row if c.comment}
    assert comments == {"B3": "原来的批注", "C4": "校验位不对"}
    assert sheet.print_title_rows == "$1:$2"


def test_many_comments_are_cut_and_red_cells_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiuzhu_cli.tabular.patch.MAX_REMARKS", 5)
    book = openpyxl.Workbook()
    for row in range(20):
        book.active.append([f"人{row}", row])
    book.save(tmp_path / "a.xlsx")
    marks = [CellMark("Sheet", row, "A", "不对") for row in range(2, 20)]
    annotate_copy(tmp_path / "a.xlsx", tmp_path / "b.xlsx", marks, {}, SUMMARY)
    check_package(tmp_path / "b.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx")["Sheet"]
    assert sum(cell.comment is not None for cell in sheet["A"]) == 5
    assert sum(cell.fill.fill_type is not None for cell in sheet["A"]) == 18


def test_fronts_alone(tmp_path: Path) -> None:
    digest = write_fronts(tmp_path / "a.xlsx", [SUMMARY, CHANGES])
    assert write_fronts(tmp_path / "b.xlsx", [SUMMARY, CHANGES]) == digest
    check_package(tmp_path / "a.xlsx")
    sheets = read_workbook(tmp_path / "a.xlsx").sheets
    assert [sheet.name for sheet in sheets] == ["核对结果", "与上月比"]
    assert list(sheets[1].columns[1]) == ["人数", 3, -1]


CELLS = st.one_of(st.none(), st.integers(-9999, 9999), st.text("甲乙丙<&>\"'_x0041_\n =", min_size=1, max_size=8).filter(lambda t: not t.startswith("=") and t.strip()))  # fmt: skip


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=12),
    gap=st.integers(1, 4),
    places=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 8), st.sampled_from(["red", "yellow"])), max_size=6),
    commented=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), max_size=3, unique=True),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sheet_keeps_its_cells(
    tmp_path: Path,
    rows: list[list[object]],
    gap: int,
    places: list[tuple[int, int, str]],
    commented: list[tuple[int, int]],
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for number, cells in enumerate(rows):
        for column, value in enumerate(cells, 1):
            if value is not None:
                cell = sheet.cell(1 + number * gap, column)
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"
    for row, column in commented:
        sheet.cell(row, column).comment = Comment("原批注", "镇")
    book.save(tmp_path / "a.xlsx")
    marks = [CellMark("Sheet", row, column, f"原因{row}", colour) for row, column, colour in places]  # type: ignore[arg-type]
    reasons = {("Sheet", row): f"原因{row}" for row, _, _ in places}
    annotate_copy(tmp_path / "a.xlsx", tmp_path / "b.xlsx", marks, reasons, SUMMARY)
    check_package(tmp_path / "b.xlsx")
    copy = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert copy.sheetnames == ["核对结果", "Sheet"]
    old = openpyxl.load_workbook(tmp_path / "a.xlsx")["Sheet"]
    for line in old.iter_rows():
        for cell in line:
            assert copy["Sheet"][cell.coordinate].value in (cell.value, "核对结果", *reasons.values()) if cell.value is None else copy["Sheet"][cell.coordinate].value == cell.value  # fmt: skip
    for mark in marks:
        row, column = mark.place
        assert copy["Sheet"].cell(row + 1, column + 1).fill.fgColor.rgb in (RED, YELLOW)
        assert f"原因{mark.row}" in copy["Sheet"].cell(row + 1, column + 1).comment.text
    for row, column in commented:
        assert copy["Sheet"].cell(row, column).comment.text.startswith("原批注")
