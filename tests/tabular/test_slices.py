"""A large sheet read slice by slice holds the very cells that reading it at once gives, whatever program wrote it."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular import guard, slices
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.read import read_workbook
from tests.tabular.test_guard import MAIN, raw_xlsx, sheet_xml
from tests.tabular.test_read import messy_xlsx


def both(path: Path, monkeypatch: pytest.MonkeyPatch, *, sliced: bool = True) -> Workbook:
    """Read at once and in slices of a few rows; ``sliced``: whether the slices must have held."""
    whole = read_workbook(path)
    monkeypatch.setattr(guard, "LARGE", 0)
    monkeypatch.setattr(guard, "CHUNK", 700)
    monkeypatch.setattr(slices, "SLICE", 400)
    monkeypatch.setattr(slices, "SHARED", 0)
    facts = guard.inspect_xlsx(path.read_bytes(), path.name)
    assert bool(facts.read) == sliced
    pieces = read_workbook(path)
    monkeypatch.undo()
    for one, other in zip(whole.sheets, pieces.sheets, strict=True):
        assert one == other
        kinds = [[type(cell) for cell in cells] for cells in one.columns]
        assert kinds == [[type(cell) for cell in cells] for cells in other.columns]
    return pieces


def test_written_by_openpyxl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = messy_xlsx(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    sheet, chance = book["名册"], random.Random(5)
    for row in range(10, 400):
        values = ["张三", "", None, row, row / 4, True, f"<&'{row}\n行", f"42100219900101{row:04d}", "是", 1.0, "a  b "]
        for column in range(1, 14):
            if chance.random() < 0.7:
                sheet.cell(row, column, chance.choice(values))
    sheet.merge_cells("B300:B305")
    sheet.row_dimensions[333].hidden = True
    book.save(path)
    found = both(path, monkeypatch).sheets[0]
    assert (300 - 1, 1, 305 - 1, 1) in found.merged and 332 in found.hidden_rows


def test_written_by_xlsxwriter_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx", {"constant_memory": True})
    sheet = book.add_worksheet("大表")
    for row in range(5, 300):
        if row % 50:
            sheet.write_row(row, 2, [row, f"名{row % 7}", row / 8, "", "=1", 10**15 + row])
    book.add_worksheet("空")
    book.close()
    assert both(tmp_path / "a.xlsx", monkeypatch).sheets[0].height == 300


ROW = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>行{0}</t></is></c><c r="C{0}"><v>{0}</v></c></row>'
ROWS = [ROW.format(row) for row in range(1, 120)]


@pytest.mark.parametrize(
    ("data", "sliced"),
    [
        ("".join(ROWS), True),
        ("".join(ROWS[:50]) + "<!-- " + "".join(ROWS[50:70]) + " -->" + "".join(ROWS[70:]), False),
        ("".join(ROWS[60:] + ROWS[:60]), False),
        ("".join(ROWS).replace('"', "'"), False),
        ("".join(row.replace(f'<row r="{n}"', "<row") if n % 3 == 2 else row for n, row in enumerate(ROWS, 1)), True),
        ("".join(ROWS) + '<row r="400"><c r="B400" t="e"><v>#N/A</v></c></row>', True),
        ("".join(ROWS).replace("<v>77</v>", "<f>1+1</f>"), True),
        ("".join(ROWS).replace("<row ", '<row spans="1:3" '), False),
    ],
)
def test_odd_xml_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, sliced: bool) -> None:
    tail = '<mergeCells count="1"><mergeCell ref="A3:B4"/></mergeCells><rowBreaks count="1"><brk id="3"/></rowBreaks>'
    xml = sheet_xml(data, dimension="A1:C999", head='<cols><col min="2" max="2" hidden="1"/></cols>')
    path = raw_xlsx(tmp_path / "a.xlsx", xml.replace("</worksheet>", f"{tail}</worksheet>"))
    found = both(path, monkeypatch, sliced=sliced).sheets[0]
    assert found.columns[0][118] == "行119" and found.merged == [(2, 0, 3, 1)]


def test_shared_strings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = "".join(f"<si><t>字{n}</t></si>" for n in range(200))
    data = "".join(f'<row r="{n}"><c r="B{n}" t="s"><v>{n * 7 % 200}</v></c></row>' for n in range(1, 150))
    shared = f'<?xml version="1.0"?><sst xmlns="{MAIN}">{texts}</sst>'
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data, dimension="B1:B149"), extra={"xl/sharedStrings.xml": shared})
    assert both(path, monkeypatch).sheets[0].columns[1][:3] == ["字7", "字14", "字21"]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.99])
def test_a_cut_sheet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: float) -> None:
    xml = sheet_xml("".join(ROWS), dimension="A1:C119")
    path = raw_xlsx(tmp_path / "a.xlsx", xml[: int(len(xml) * cut)])
    monkeypatch.setattr(guard, "LARGE", 0)
    monkeypatch.setattr(guard, "CHUNK", 700)
    monkeypatch.setattr(slices, "SLICE", 400)
    with pytest.raises(DataError):
        read_workbook(path)


def test_many_sheets_some_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.Workbook()
    for number, name in enumerate(("一", "二", "三")):
        sheet = book.create_sheet(name)
        for row in range(1, 30 if number == 1 else 200):
            sheet.append([name, row, f"{name}{row}"])
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        sizes = [info.file_size for info in archive.infolist() if "worksheets/sheet" in info.filename]
    both(tmp_path / "a.xlsx", monkeypatch)
    monkeypatch.setattr(guard, "LARGE", max(sizes) - 1000)
    assert [sheet.height for sheet in read_workbook(tmp_path / "a.xlsx").sheets] == [0, 199, 29, 199]
