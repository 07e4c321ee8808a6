"""Attacks and oddities inside an xlsx: refused with a reason before the reader sees them, or read right."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular import guard, scan
from jiuzhu_cli.tabular.cells import CellError, column_index, column_letters
from jiuzhu_cli.tabular.read import read_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def raw_xlsx(path: Path, sheet: str, *, extra: dict[str, str] | None = None, workbook: str = "") -> Path:
    """An xlsx from hand-written sheet XML."""
    parts = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook
        or f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (parts | (extra or {})).items():
            archive.writestr(name, text)
    return path


def sheet_xml(data: str, *, dimension: str = "", head: str = "") -> str:
    claimed = f'<dimension ref="{dimension}"/>' if dimension else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}">{claimed}{head}<sheetData>{data}</sheetData></worksheet>'


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", "A1:B2", "A1", ""])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_cell_at_the_far_corner_is_refused_whatever_the_file_claims(
    tmp_path: Path, dimension: str, quote: str
) -> None:
    data = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data.replace('"', quote), dimension=dimension))
    with pytest.raises(DataError, match="XFD1048576"):
        read_workbook(path)


def test_a_far_cell_hidden_in_an_early_row(tmp_path: Path) -> None:
    data = '<row r="1"><c r="ZZZ9999999"><v>2</v></c><c r="A1"><v>1</v></c></row>'
    with pytest.raises(DataError, match="超出表格边界"):
        read_workbook(raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data, dimension="A1:A1")))


def test_a_million_blank_styled_rows_are_skipped(tmp_path: Path) -> None:
    rows = "".join(
        f'<row r="{n}" spans="1:3"><c r="A{n}" s="0"/><c r="B{n}" s="0"/></row>' for n in range(3, 1_000_001)
    )
    data = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="B2" t="str"><v>张</v></c></row>' + rows
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data, dimension="A1:B1000000"))
    begun = time.perf_counter()
    sheet = read_workbook(path).sheets[0]
    assert (sheet.width, sheet.height, sheet.blank_rows) == (2, 2, 999_998)
    assert time.perf_counter() - begun < 20


def test_doctype_and_entities_are_refused(tmp_path: Path) -> None:
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet xmlns="{MAIN}"><sheetData/></worksheet>'
    with pytest.raises(DataError, match="DOCTYPE"):
        read_workbook(raw_xlsx(tmp_path / "a.xlsx", bomb))
    with pytest.raises(DataError, match="DOCTYPE"):
        read_workbook(raw_xlsx(tmp_path / "b.xlsx", sheet_xml(""), extra={"xl/sharedStrings.xml": bomb}))
    with pytest.raises(DataError, match="UTF-8"):
        archive = raw_xlsx(tmp_path / "c.xlsx", sheet_xml(""))
        with zipfile.ZipFile(archive, "a") as z:
            z.writestr("xl/styles.xml", bomb.encode("utf-16"))
        read_workbook(archive)


def test_zip_bomb_and_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(" " * (64 << 20)))
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match="压缩炸弹"):
        read_workbook(path)
    many = {f"xl/junk{n}.xml": "<a/>" for n in range(guard.MAX_ENTRIES)}
    with pytest.raises(DataError, match="部件"):
        read_workbook(raw_xlsx(tmp_path / "b.xlsx", sheet_xml(""), extra=many))
    monkeypatch.setattr(guard, "MAX_INFLATED", 1000)
    with pytest.raises(DataError, match="大得不正常"):
        read_workbook(raw_xlsx(tmp_path / "c.xlsx", sheet_xml("<row/>" * 1000)))


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (["word/document.xml"], "Word"),
        (["content.xml", "mimetype"], "OpenDocument"),
        (["xl/workbook.bin"], "xlsb"),
        (["a.xlsx"], "压缩包"),
    ],
)
def test_other_zips(tmp_path: Path, parts: list[str], says: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for part in parts:
            archive.writestr(part, "x")
    with pytest.raises(DataError, match=says):
        read_workbook(tmp_path / "a.xlsx")


BODY = (
    '<row r="2" hidden="1"><c r="A2" t="e"><v>#REF!</v></c><c r="B2"><f>1+1</f><v/></c><c r="C2"><f>A1</f></c>'
    '<c r="D2"><f>1+1</f><v>2</v></c><c r="E2" t="str"><f>""</f><v></v></c><c r="F2"><f t="shared" si="0"/></c></row>'
    '<row r="4"><c r="B4" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="D4" t="inlineStr"><is><t>尾</t></is></c></row>'
)
HEAD = '<cols><col min="2" max="3" width="9" hidden="1"/><col min="7" max="16384" hidden="1"/></cols>'


def habits() -> dict[str, str]:
    plain = sheet_xml(BODY, dimension="A2:F4", head=HEAD)
    prefixed = plain.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x=")
    turned = plain.replace('<c r="A2" t="e">', '<c t="e" r="A2">').replace('<c r="B2">', '<c s="0" r="B2">')
    return {
        "usual": plain,
        "no dimension": plain.replace('<dimension ref="A2:F4"/>', ""),
        "prefixed": prefixed,
        "single quotes": plain.replace('"', "'").replace("<f>''</f>", '<f>""</f>'),
        "attributes turned round": turned,
        "indented": plain.replace("><", ">\n  <").replace("<v>\n  </v>", "<v></v>"),
    }


@pytest.mark.parametrize("habit", habits())
def test_errors_and_hidden_parts_in_every_manner_of_writing(tmp_path: Path, habit: str) -> None:
    sheet = read_workbook(raw_xlsx(tmp_path / "a.xlsx", habits()[habit])).sheets[0]
    never = CellError("formula_without_value")
    assert [cells[1] for cells in sheet.columns] == [CellError("#REF!"), never, never, 2, None, never]
    assert sheet.columns[1][3] == CellError("#DIV/0!") and sheet.columns[3][3] == "尾"
    assert sheet.hidden_rows == {1} and sheet.hidden_columns == {1, 2}
    assert sheet.height == 4


def test_cells_are_not_lost_at_the_edges_of_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="e"><v>#N/A</v></c><c r="B{n}"><f>1+1</f></c></row>' for n in range(1, 3001)
    )
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(rows, dimension="A1:B3000"))
    for size in (257, 1021, 4096):
        monkeypatch.setattr(guard, "CHUNK", size)
        sheet = read_workbook(path).sheets[0]
        assert set(sheet.columns[0]) == {CellError("#N/A")} and set(sheet.columns[1]) == {
            CellError("formula_without_value")
        }
        assert sheet.height == 3000


def test_no_worksheet_and_broken_xml(tmp_path: Path) -> None:
    empty = f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets/></workbook>'
    for name, workbook in (("a", empty), ("b", "<workbook"), ("c", "\xff")):
        with pytest.raises(DataError):
            read_workbook(raw_xlsx(tmp_path / f"{name}.xlsx", sheet_xml(""), workbook=workbook))


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", "A1:B2", ""])
def test_a_far_cell_in_small_letters(tmp_path: Path, dimension: str) -> None:
    data = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="xfd1048576"><v>2</v></c></row>'
    with pytest.raises(DataError, match="XFD1048576"):
        read_workbook(raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data, dimension=dimension)))


@pytest.mark.parametrize("corner", ["A1", "C9", "Z99", "X100002", "AF1048576", "ZZ234567", "AAA1", "XFD987654"])
def test_what_is_beyond_a_corner(corner: str) -> None:
    letters, digits = corner.rstrip("0123456789"), corner.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    beyond, rows, columns = scan._beyond_corner(letters.encode(), digits.encode())
    assert not beyond.search(f'<c r="{corner}">'.encode()) and not beyond.search(
        b'xmlns:r="http://a" footer="0.3" r="A1"'
    )
    assert rows >= int(digits) and columns > column_index(letters)
    for row in {1, int(digits), rows, rows + 1, 10 * rows, 999, 1_048_576, 9_999_999}:
        for column in {0, column_index(letters), columns - 1, columns, 26, 700, 702, 16_383}:
            if not beyond.search(f'r="{column_letters(column)}{row}"'.encode()):
                assert row <= rows and column < columns
