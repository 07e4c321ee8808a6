"""Reading: what a file is is told by its content, cells stand at true coordinates, nothing the reader loses stays lost."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
import xlwt
from openpyxl.styles import PatternFill

from jiuzhu_cli.core.errors import DataError, OutsideError
from jiuzhu_cli.tabular.cells import CellError, column_index, column_letters
from jiuzhu_cli.tabular.read import read_workbook


def messy_xlsx(path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名册"
    sheet["B3"], sheet["C3"], sheet["D3"], sheet["G3"] = "张三", 5, 2.5, True
    sheet["E3"] = "#N/A"
    sheet["E3"].data_type = "e"
    sheet["F3"] = "=1+1"
    sheet["H3"], sheet["I3"] = dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 3, 4)
    sheet["L3"], sheet["M3"] = 421002199001011234, 421002900101123
    sheet["B5"] = "合并"
    sheet.merge_cells("B5:C6")
    for row in range(7, 3007):
        sheet.cell(row, 2).fill = PatternFill("solid", fgColor="FFFF0000")
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["D"].hidden = True
    book.create_sheet("隐藏").sheet_state = "hidden"
    book.create_sheet("深藏").sheet_state = "veryHidden"
    book.save(path)
    return path


def test_xlsx_cells_positions_and_what_the_reader_loses(tmp_path: Path) -> None:
    book = read_workbook(messy_xlsx(tmp_path / "a.xlsx"))
    sheet = book.sheets[0]
    assert (book.kind, sheet.width, sheet.height) == ("xlsx", 13, 5)
    row = [cells[2] for cells in sheet.columns]
    assert row[:9] == [
        None, "张三", 5, 2.5, CellError("#N/A"), CellError("formula_without_value"), True, dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 3, 4),
    ]  # fmt: skip
    assert type(row[2]) is int and type(row[12]) is int
    assert type(row[11]) is float  # 18 digits in a number cell: still a number, so that it can be refused as damaged
    assert sheet.columns[1][4] == "合并" and sheet.merged == [(4, 1, 5, 2)]
    assert sheet.hidden_rows == {2} and sheet.hidden_columns == {3}
    assert sheet.blank_rows == 3001
    assert [(s.name, s.hidden) for s in book.sheets] == [("名册", False), ("隐藏", True), ("深藏", True)]


def test_xls_the_same(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("名册")
    sheet.write(2, 1, "张三")
    sheet.write(2, 2, 5)
    sheet.write(2, 3, 2.5)
    sheet.write(2, 4, dt.date(2026, 1, 2), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    sheet.write(2, 6, 421002199001011234)
    sheet.row(2).set_cell_error(5, 0x2A)
    sheet.write_merge(4, 5, 1, 2, "合并")
    sheet.row(2).hidden = True
    sheet.col(3).hidden = True
    book.add_sheet("藏").visibility = 1
    for name in ("a.xls", "a.et", "lies.xlsx"):
        book.save(tmp_path / name)
        read = read_workbook(tmp_path / name)
        found = read.sheets[0]
        assert read.kind == "xls"
        values = [cells[2] for cells in found.columns]
        assert values[1:6] == ["张三", 5, 2.5, dt.date(2026, 1, 2), CellError("#N/A")] and type(values[6]) is float
        assert found.merged == [(4, 1, 5, 2)] and found.columns[1][4] == "合并"
        assert found.hidden_rows == {2} and found.hidden_columns == {3}
        assert [s.hidden for s in read.sheets] == [False, True]


def test_large_xls_keeps_every_row(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("大表")
    for row in range(6000):
        sheet.write(row, 0, f"42100219900101{row:04d}")
        sheet.write(row, 1, row / 100)
    sheet.row(5999).set_cell_error(2, 0x17)
    book.save(tmp_path / "a.xls")
    found = read_workbook(tmp_path / "a.xls").sheets[0]
    assert found.height == 6000 and found.columns[0][5999] == "421002199001015999"
    assert found.columns[2][5999] == CellError("#REF!")


TEXT = "姓名,身份证号,金额\r\n张三,421002199001011234,100.50\r\n䶮,,\r\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8"),
        b"\xef\xbb\xbf" + TEXT.encode("utf-8"),
        TEXT.encode("gb18030"),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace(",", "\t").encode("utf-8"),
        TEXT.replace("421002199001011234", '="421002199001011234"').encode("utf-8"),
    ],
)
def test_text_tables(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "名册.csv"
    path.write_bytes(data)
    book = read_workbook(path)
    assert book.kind == "csv"
    assert book.sheets[0].columns == [
        ["姓名", "张三", "䶮"],
        ["身份证号", "421002199001011234", None],
        ["金额", "100.50", None],
    ]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"a,b\n1,2\n\xff\xff,3\n", "第 3 行"),
        ("a.csv", b"a,b\n1,\x00\n", "第 2 行"),
        ("a.csv", b'a,b\n1,"2\n3,4\n', "第 2 行"),
        ("a.xlsx", b"%PDF-1.7\n", "PDF"),
        ("a.xls", b"<html><table></table></html>", "HTML"),
        ("a.xls", b'<?xml version="1.0"?><Workbook/>', "没有工作表"),
        ("a.xls", b'<?xml version="1.0"?><letter/>', "XML"),
        ("a.xlsx", b"PK\x03\x04 not a zip", "损坏"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "损坏"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 6000, "损坏"),
        ("a.xlsx", b"", "空文件"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "图片"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError) as refused:
        read_workbook(tmp_path / name)
    assert says in refused.value.message and refused.value.todo


def test_missing_file_is_outside(tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        read_workbook(tmp_path / "none.xlsx")


def test_encrypted_workbook(tmp_path: Path) -> None:
    msoffcrypto = pytest.importorskip("msoffcrypto.format.ooxml")
    messy_xlsx(tmp_path / "plain.xlsx")
    with (tmp_path / "plain.xlsx").open("rb") as plain, (tmp_path / "a.xlsx").open("wb") as out:
        msoffcrypto.OOXMLFile(plain).encrypt("密码1", out)
    with pytest.raises(DataError, match="打开密码"):
        read_workbook(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="密码不对"):
        read_workbook(tmp_path / "a.xlsx", passwords=["错"])
    assert read_workbook(tmp_path / "a.xlsx", passwords=["错", "密码1"]).sheets[0].columns[1][2] == "张三"


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_column_letters(index: int, letters: str) -> None:
    assert column_letters(index) == letters and column_index(letters) == index
