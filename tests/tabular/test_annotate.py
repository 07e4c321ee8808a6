"""Annotated copies: the sender's formats kept, bad cells red with the reason, a summary in front, the same bytes again."""

from __future__ import annotations

import time
from pathlib import Path

import openpyxl
import pytest
import xlwt
from openpyxl.styles import Font

from jiuzhu_cli.tabular import annotate
from jiuzhu_cli.tabular.annotate import CellMark, annotate_copy
from jiuzhu_cli.tabular.cells import Sheet, Workbook
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec

SUMMARY = SheetSpec(
    "导入说明", [ColumnSpec("项目", 20), ColumnSpec("数", kind="count"), ColumnSpec("金额", kind="amount")], [["读到", 2, 12345]], title="导入结果",
    notes=["红色单元格要改。"],
)  # fmt: skip
MARKS = [CellMark("名册", 3, "B", "校验位不对"), CellMark("名册", 3, 2, "重复"), CellMark("名册", 1, "C", "标题")]
REASONS = {("名册", 3): "=身份证号校验位不对"}


def source_xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名册"
    sheet["A1"] = "某镇名册"
    sheet.merge_cells("A1:D1")
    sheet["A1"].font = Font("楷体", 20, bold=True)
    for column, text in enumerate(["姓名", "身份证号", "金额"], 1):
        sheet.cell(2, column, text)
    sheet["A3"], sheet["B3"], sheet["C3"] = "张三", "42100219900101123", 100.5
    sheet["A4"], sheet["B4"], sheet["C4"] = "李四", "421002199001011231", "=C3*2"
    sheet.column_dimensions["B"].width = 33
    book.create_sheet("导入说明")["A1"] = "占了名字"
    book.save(path)
    return path


def test_kept_copy(tmp_path: Path) -> None:
    source, target = source_xlsx(tmp_path / "a.xlsx"), tmp_path / "out.xlsx"
    first = annotate_copy(source, target, MARKS, REASONS, SUMMARY, header_rows={"名册": 2})
    time.sleep(1.1)
    assert annotate_copy(source, target, MARKS, REASONS, SUMMARY, header_rows={"名册": 2}) == first
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["导入说明2", "名册", "导入说明"] and book.active.title == "导入说明2"
    front, sheet = book["导入说明2"], book["名册"]
    assert front["A1"].value == "导入结果" and front["C4"].value == 123.45
    assert sheet["A1"].font.name == "楷体" and sheet.column_dimensions["B"].width == 33
    assert "A1:D1" in [str(r) for r in sheet.merged_cells.ranges]
    assert sheet["B3"].fill.fgColor.rgb == "FFFFC7CE" and sheet["B3"].comment.text == "校验位不对；重复"
    assert sheet["A1"].comment.text == "标题" and sheet["A4"].fill.fill_type is None
    assert (sheet["E2"].value, sheet["E3"].value, sheet["E3"].data_type) == ("核对结果", "=身份证号校验位不对", "s")
    assert sheet["C4"].value == "=C3*2"


@pytest.mark.parametrize("kind", ["xls", "csv"])
def test_plain_copy(tmp_path: Path, kind: str) -> None:
    if kind == "xls":
        old = xlwt.Workbook()
        sheet = old.add_sheet("名册")
        for row, cells in enumerate([["某镇名册"], ["姓名", "身份证号", "金额"], ["张三", "42100219900101123", 100.5]]):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell)
        old.save(tmp_path / "名册.xls")
    else:
        (tmp_path / "名册.csv").write_text("某镇名册\n姓名,身份证号,金额\n张三,42100219900101123,100.5\n", "utf-8")
    [source] = tmp_path.iterdir()
    first = annotate_copy(source, tmp_path / "out.xlsx", MARKS, REASONS, SUMMARY, header_rows={"名册": 2})
    assert annotate_copy(source, tmp_path / "out.xlsx", MARKS, REASONS, SUMMARY, header_rows={"名册": 2}) == first
    sheets = {sheet.name: sheet for sheet in read_workbook(tmp_path / "out.xlsx").sheets}
    front = next(iter(sheets.values()))
    assert any(cell == annotate.PLAIN_NOTE for cell in front.columns[0])
    sheet = sheets["名册"]
    assert sheet.columns[1][2] == "42100219900101123" and str(sheet.columns[2][2]) == "100.5"
    assert sheet.columns[-1][1:3] == ["核对结果", "=身份证号校验位不对"]
    cell = openpyxl.load_workbook(tmp_path / "out.xlsx")["名册"]["B3"]
    assert cell.fill.fgColor.rgb == "FFFFC7CE" and cell.comment is not None
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cell_that_is_no_number_is_copied_as_text(tmp_path: Path) -> None:
    sheet = Sheet("表", width=1, height=3, columns=[["金额", float("nan"), float("inf")]])
    book = Workbook(tmp_path / "a.csv", "csv", [sheet], "0")
    marks, summary = [CellMark("表", 2, "A", "不是数")], SheetSpec("核对结果", [ColumnSpec("项", 8)], [["1"]])
    annotate_copy(book.path, tmp_path / "b.xlsx", marks, {("表", 2): "不是数"}, summary, book=book)
    assert read_workbook(tmp_path / "b.xlsx").sheets[1].columns[0] == ["金额", "nan", "inf"]
