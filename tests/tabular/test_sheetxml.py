"""A sheet read as vectors holds the very cells that the kept reader and openpyxl see, whatever program wrote it."""

from __future__ import annotations

import datetime as dt
import random
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular import guard, sheetxml
from jiuzhu_cli.tabular.cells import CellError, Workbook
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.words import Unusual
from tests.tabular.test_guard import HEAD, MAIN, habits, raw_xlsx, sheet_xml
from tests.tabular.test_read import messy_xlsx


def kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbook:
    """Read by the kept reader behind its guard."""

    def refuse(*_: Any) -> None:
        raise Unusual("test")

    with monkeypatch.context() as patch:
        patch.setattr(guard, "read_sheet", refuse)
        return read_workbook(path)


def same(one: Workbook, other: Workbook) -> None:
    """Equal to the last cell, its type, and everything said of the sheets."""
    assert one == other
    for mine, theirs in zip(one.sheets, other.sheets, strict=True):
        for column, (left, right) in enumerate(zip(mine.columns, theirs.columns, strict=True)):
            for row, (cell, twin) in enumerate(zip(left, right, strict=True)):
                assert type(cell) is type(twin) and repr(cell) == repr(twin), (mine.name, column, row)
            assert left.kinds.tolist() == right.kinds.tolist() and left.text.equals(right.text)


def both(path: Path, monkeypatch: pytest.MonkeyPatch, *, vectors: bool = True, chunks: bool = True) -> Workbook:
    """Read both ways, whole and in chunks of all sizes; ``vectors``: whether every sheet must have been read as vectors."""
    facts = guard.inspect_xlsx(path.read_bytes(), path.name)
    assert bool(facts.hidden) == vectors
    expected = kept(path, monkeypatch)
    found = read_workbook(path)
    same(found, expected)
    for size in (300, 1021, 5000) if chunks else ():
        with monkeypatch.context() as patch:
            patch.setattr(guard, "CHUNK", size)
            patch.setattr(sheetxml, "LARGE", 0)  # on threads
            patch.setattr(sheetxml, "_MANY", 3 if size < 5000 else 1000)  # columns that grow, and such that are joined
            same(read_workbook(path), expected)
    return found


def test_written_by_openpyxl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = messy_xlsx(tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    sheet, chance = book["名册"], random.Random(5)
    day = dt.datetime(2026, 3, 4, 5, 6, 7)
    values = [
        "张三", "", None, 17, 17.25, True, "<&'\n行", "42100219900101001X", "是", 1.0, "a  b ", day, day.date(), day.time(), dt.timedelta(hours=30),
        " 前", "_x0041_", "=1+1", 1e20, 1e-7, -3, 0, 123456789.125, 0.1 + 0.2, 10**15, "a\rb", "\t", 2**53, -0.5, "#N/A", "é䶮𠮷",
    ]  # fmt: skip
    for row in range(10, 300):
        for column in range(1, 30):
            if chance.random() < 0.7:
                sheet.cell(row, column, chance.choice(values))
    sheet.merge_cells("B300:B305")
    sheet.row_dimensions[233].hidden = True
    book.save(path)
    found = both(path, monkeypatch).sheets[0]
    assert (300 - 1, 1, 305 - 1, 1) in found.merged and 232 in found.hidden_rows
    seen = openpyxl.load_workbook(path, data_only=True)["名册"]
    for row in range(10, 300):
        for column in range(1, 30):
            mine, theirs = found.columns[column - 1][row - 1], seen.cell(row, column).value
            if not isinstance(theirs, dt.datetime | dt.date | dt.time | dt.timedelta | None) and theirs not in (
                "",
                "#N/A",
                "_x0041_",
            ):
                assert mine == theirs or isinstance(mine, CellError), (row, column)


@pytest.mark.parametrize("memory", [True, False])
def test_written_by_xlsxwriter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: bool) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx", {"constant_memory": memory})
    sheet = book.add_worksheet("大表")
    day, money = book.add_format({"num_format": "yyyy年m月d日"}), book.add_format({"num_format": '#,##0.00"元"'})
    for row in range(5, 300):
        if row % 50:
            sheet.write_row(row, 2, [row, f"名{row % 7}", row / 8, "", "=1", 10**15 + row])
            sheet.write_number(row, 30, 46000 + row, day)
            sheet.write_number(row, 31, row * 1.1, money)
            sheet.write_formula(row, 32, f"=C{row}*2", money, row * 2)
            sheet.write_formula(row, 33, f'="字"&C{row}', None, f"字{row}")
            sheet.write_blank(row, 40, None, money)
    sheet.set_row(33, None, None, {"hidden": True})
    book.add_worksheet("空").hide()
    book.close()
    found = both(tmp_path / "a.xlsx", monkeypatch)
    assert found.sheets[0].height == 300 and found.sheets[0].columns[30][5] == dt.date(2025, 12, 14)
    assert found.sheets[0].columns[32][7] == 14 and found.sheets[1].hidden


@pytest.mark.parametrize("since_1904", [True, False])
def test_dates_count_from_where_the_workbook_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, since_1904: bool
) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx", {"date_1904": since_1904})
    sheet = book.add_worksheet()
    formats = [
        "yyyy-mm-dd",
        "yyyy/m/d h:mm",
        "h:mm",
        "[h]:mm",
        "mmm-yy",
        "General",
        "0.00",
        "@",
        '"d"0',
        "[$-804]yyyy",
        "m月",
    ]
    for column, one in enumerate(formats):
        for row, value in enumerate((1, 59, 60, 61, 46000, 46000.5, 46000.999999, 0, 0.25, 1.5)):
            sheet.write_number(row, column, value, book.add_format({"num_format": one}))
    book.close()
    found = both(tmp_path / "a.xlsx", monkeypatch).sheets[0]
    assert (found.columns[0][4] == dt.date(2025, 12, 9)) != since_1904


ROW = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>行{0}</t></is></c><c r="C{0}"><v>{0}</v></c></row>'
ROWS = [ROW.format(row) for row in range(1, 120)]
INDENTED = "".join(ROWS).replace("><", ">\n  <")


@pytest.mark.parametrize(
    ("data", "vectors"),
    [
        ("".join(ROWS), True),
        ("\n".join(ROWS).replace('"><c', '">\n<c'), True),
        ("\r\n".join(ROWS), True),
        ("".join(ROWS).replace("</is></c></row>", "</is></c>\n</row>"), True),
        ("".join(ROWS[:50]) + "<!-- " + "".join(ROWS[50:70]) + " -->" + "".join(ROWS[70:]), False),
        ("".join(ROWS[60:] + ROWS[:60]), False),
        ("".join(ROWS).replace('"', "'"), False),
        ("".join(ROWS).replace("行7<", "<![CDATA[<c r=\"A1\">]]><"), False),
        ("".join(row.replace(f'<row r="{n}"', "<row") if n % 3 == 2 else row for n, row in enumerate(ROWS, 1)), False),
        ("".join(ROWS).replace('<c r="C77">', "<c>"), False),
        ("".join(ROWS) + '<row r="400"><c r="B400" t="e"><v>#N/A</v></c></row>', True),
        ("".join(ROWS).replace("<v>77</v>", "<f>1+1</f>"), True),
        ("".join(ROWS).replace("<row ", '<row spans="1:3" '), False),
        ("".join(ROWS).replace("<v>", "<v >"), True),
        ("".join(ROWS).replace('"><c', '" spans="1:3" ht="14.25" x14ac:dyDescent="0.2" hidden="false"><c'), True),
        (INDENTED, False),
        ("".join(ROWS) + '<row r="130"/><row r="131" hidden="1"></row><row r="200" s="1"><c r="B200" s="0"/></row>', True),
        ('<row r="3"/>' + "".join(ROWS[4:]), True),
        ("".join(ROWS).replace("行77", "a<b/>c"), True),
        ("".join(ROWS).replace('r="C9"', 'r="c9"'), False),
        ("".join(ROWS).replace('r="C9"', 'r="C8"'), False),
        ("".join(ROWS).replace('r="C9"', 'r="A9"'), False),
        ("".join(ROWS).replace('r="C9"', 'r="AAC9"'), True),
        ("".join(ROWS).replace('<v>9</v></c>', '<v>9</v></c><c r="XFD9" s="0"/>'), True),
        ("".join(ROWS).replace('<v>9</v></c>', '<v>9</v></c><c r="XFE9" s="0"/>'), False),
        ("".join(ROWS).replace('r="C9"', 'r="$C$9"'), None),
    ],
)  # fmt: skip
def test_manners_of_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, vectors: bool | None) -> None:
    tail = '<mergeCells count="1"><mergeCell ref="A3:B4"/></mergeCells><rowBreaks count="1"><brk id="3"/></rowBreaks>'
    xml = sheet_xml(data, dimension="A1:C999", head='<cols><col min="2" max="2" hidden="1"/></cols>')
    path = raw_xlsx(tmp_path / "a.xlsx", xml.replace("</worksheet>", f"{tail}</worksheet>"))
    if vectors is None:  # nobody can read it
        with pytest.raises(DataError):
            read_workbook(path)
        return
    found = both(path, monkeypatch, vectors=vectors).sheets[0]
    assert found.columns[0][118] == "行119" and found.merged == [(2, 0, 3, 1)]
    assert found.hidden_columns == {1} and found.columns[2][99] == 100


CELLS = [
    "><v>5</v>", "><v> 5 </v>", "><v></v>", "><v/>", ' t="str"><v> a </v>', ' t="str"><v></v>', ' t="inlineStr"><is><t></t></is>',
    ' t="inlineStr"><is><t> a\r\nb </t></is>', ' t="inlineStr"><is><t>a_x000D_b&amp;&#10;</t></is>', ' t="inlineStr"><is><t/></is>',
    ' t="inlineStr"><is/>', ' t="b"><v>1</v>', ' t="b"><v>0</v>', ' t="d"><v>2026-01-02</v>', ' t="d"><v>2026-01-02T03:04:05</v>',
    ' t="e"><v>#N/A</v>', ' t="e"><v/>', ' t="e"><f>1/0</f><v>#DIV/0!</v>', "><v>1e400</v>", "><v>+5</v>", "><v>.5</v>", ' t="n"><v>1e3</v>',
    ' t="inlineStr"><is><r><rPr><color rgb="FF0000"/><sz val="9"/></rPr><t>a</t></r><r><t xml:space="preserve"> b</t></r></is>',
    ' t="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>zz</t></rPh><phoneticPr fontId="1"/></is>', ' t="str"><f>1</f><v>x</v>',
    ' t="str"><f>1</f><v></v>', "><f>1</f>", "><f/>", "><f>1</f><v/>", "><f>1</f><v></v>", '><f t="shared" si="0"/><v>7</v>', "><v>0x10</v>",
    ' t="inlineStr"><v>q</v>', ' t="str"><is><t>q</t></is>', "><v>1_000</v>", ' t="inlineStr"><is><t>tab\there\rcr</t></is>',
    "><v>5.12E2</v>", "><v>512.0</v>", "><v>0.1</v>", "><v>00.5</v>", "><v>1.50</v>", "><v>0.00001</v>", "><v>0.0001</v>", "><v>-0.0</v>",
    "><v>-12</v>", "><v>-12.5</v>", "><v>999999999999999</v>", "><v>1000000000000000</v>", "><v>421002199001011234</v>",
    "><v>1959.1500000000001</v>", "><v>123456789012.25</v>", "><v>12345678.125</v>", "><v>007</v>", "><v>0</v>", "><v>00</v>", "><v>1.</v>",
    "><v>1.2.3</v>", "><v>0.123456789012345</v>", "><v>0.1234567890123456</v>", "><v>12345678</v>", "><v>123456789</v>", "><v>1/2</v>",
    ' t="str"><v>12</v>', ' t="inlineStr"><is><t xml:space="preserve"> 空 </t></is>', ' t="inlineStr"><is><t xml:space="default">x</t></is>',
    ' cm="1" t="str"><f t="array" ref="A1">1</f><v>阵</v>', ' t="inlineStr"><is><t>&lt;b&gt;</t></is>', ' t="inlineStr"><is><t>a>b</t></is>', ">",
    ' t="str"><v>A&#x4e00;</v>', ' t="inlineStr"><is><t>_x4E00_ _x12</t></is>', ' t="inlineStr"><is><t>-x_y_</t></is>', "><v>Infinity</v>",
    "><v>-</v>", ' t="str">', ' t="inlineStr">', ' t="b">', ' s="0"><v>3</v>', ' s="0" t="n">', "><v>12345.5</v>", "><v>.</v>", "><v>5.</v>",
]  # fmt: skip


def test_every_kind_of_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    for number in range(12):
        rows = []
        for row in range(1, 40):
            some = sorted(chance.sample(range(26), chance.randint(0, 12)))
            cells = [f'<c r="{chr(65 + n)}{row}"{chance.choice(CELLS)}</c>' for n in some]
            closed = [re.sub(r"(<c [^<>]*)></c>", r"\1/>", cell) if chance.random() < 0.5 else cell for cell in cells]
            rows.append(f'<row r="{row}">{"".join(closed)}</row>')
        path = raw_xlsx(tmp_path / f"{number}.xlsx", sheet_xml("".join(rows)))
        both(path, monkeypatch, chunks=number < 3)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    data = f'<row r="2"><c r="B2"{cell}</c></row>'
    both(raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data)), monkeypatch, chunks=False)


@pytest.mark.parametrize("habit", habits())
def test_errors_and_hidden_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, habit: str) -> None:
    path = raw_xlsx(tmp_path / "a.xlsx", habits()[habit])
    both(path, monkeypatch, vectors=habit in ("usual", "no dimension", "prefixed"))


ITEMS = [
    "<si><t>张三</t></si>", "<si><t></t></si>", "<si><t/></si>", "<si/>", '<si><t xml:space="preserve"> 前后 </t></si>', "<si><t>a&amp;b</t></si>",
    '<si><t>李</t><phoneticPr fontId="1" type="noConversion"/></si>', "<si><r><rPr><sz val='9'/><strike/></rPr><t>红</t></r><r><t>字</t></r></si>",
    "<si><t>换\n行</t></si>", "<si><t>回\r\n车</t></si>", "<si><t>_x000D_</t></si>", "<si><t>12</t></si>", "<si><t>a</t><rPh sb='0' eb='1'><t>b</t></rPh></si>",
]  # fmt: skip


@pytest.mark.parametrize(("between", "prefix"), [("", ""), ("\n", ""), ("", "x:")])
@pytest.mark.parametrize("odd", [True, False])
def test_shared_strings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: str, prefix: str, odd: bool) -> None:
    chance = random.Random(7)
    usable = ITEMS if odd else ITEMS[:1] + ITEMS[4:5] + ITEMS[6:7]
    items = [chance.choice(usable).replace("张", f"张{n}") for n in range(400)]
    data = "".join(
        f'<row r="{n}"><c r="B{n}" t="s"><v>{n * 7 % 400}</v></c><c r="C{n}" t="str"><v>文</v></c>'
        f'<c r="D{n}" t="s"><f>A1</f><v>{n}</v></c></row>'
        for n in range(1, 150)
    )
    shared = f'<?xml version="1.0"?><sst xmlns="{MAIN}" count="1">{between}{between.join(items)}{between}</sst>'
    sheet = sheet_xml(data, dimension="B1:B149")
    if prefix:  # as programs in .NET write
        shared, sheet = (
            re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x=") for xml in (shared, sheet)
        )
    both(raw_xlsx(tmp_path / "a.xlsx", sheet, extra={"xl/sharedStrings.xml": shared}), monkeypatch)


@pytest.mark.parametrize("shared", ["", "<sst/>", f'<sst xmlns="{MAIN}"><si><t>a</t></si><si/></sst>', f'<x:sst xmlns:x="{MAIN}"><x:si><x:t>a</x:t></x:si></x:sst>'])  # fmt: skip
def test_strings_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str) -> None:
    data = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>7</v></c></row>'
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data), extra={"xl/sharedStrings.xml": shared} if shared else {})
    outcomes = []
    for read in (read_workbook, lambda p: kept(p, monkeypatch)):
        try:
            outcomes.append(repr([list(c) for c in read(path).sheets[0].columns]))
        except DataError as error:
            outcomes.append(error.message)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "number",
    ["0", "007", "00000001", "000000001", "1:", "/1", "1.0", "-1", "+1", " 1", "1 ", "1e0", "x", "0x1", "１", "9" * 8],
)
def test_the_number_of_a_string_in_any_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """What is no plain number is never taken for another string."""
    strings = "".join(f"<si><t>第{n}</t></si>" for n in range(30))
    data = (
        f'<row r="1"><c r="A1" t="s"><v>2</v></c><c r="B1" t="s"><v>{number}</v></c><c r="C1" t="s"><v>29</v></c></row>'
    )
    extra = {"xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>'}
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml(data), extra=extra)
    outcomes = []
    for read in (read_workbook, lambda p: kept(p, monkeypatch)):
        try:
            outcomes.append(repr([list(c) for c in read(path).sheets[0].columns]))
        except DataError as error:
            outcomes.append(error.message)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.99, 0.999])
def test_a_cut_sheet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: float) -> None:
    xml = sheet_xml("".join(ROWS), dimension="A1:C119")
    path = raw_xlsx(tmp_path / "a.xlsx", xml[: int(len(xml) * cut)])
    for size in (1 << 20, 700):
        monkeypatch.setattr(guard, "CHUNK", size)
        with pytest.raises(DataError):
            read_workbook(path)


def test_a_part_of_the_zip_that_is_damaged(tmp_path: Path) -> None:
    path = raw_xlsx(tmp_path / "a.xlsx", sheet_xml("".join(ROWS)))
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    for at in (info.header_offset + 80, info.header_offset + info.compress_size // 2, data.find(b"PK\x01\x02")):
        broken = bytearray(data)
        broken[at] ^= 0x5A
        (tmp_path / "b.xlsx").write_bytes(broken)
        with pytest.raises(DataError):
            read_workbook(tmp_path / "b.xlsx")


def test_text_that_is_no_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xml = sheet_xml("".join(ROWS)).encode().replace("行77<".encode(), b"\xc4\xfa<")
    path = raw_xlsx(tmp_path / "a.xlsx", xml)  # type: ignore[arg-type]
    outcomes = []
    for read in (read_workbook, lambda p: kept(p, monkeypatch)):
        try:
            outcomes.append(repr(list(read(path).sheets[0].columns[0])))
        except DataError as error:
            outcomes.append(error.message)
    assert outcomes[0] == outcomes[1]


def test_many_sheets_some_not_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.Workbook()
    for number, name in enumerate(("一", "二", "三")):
        sheet = book.create_sheet(name)
        for row in range(1, 30 if number == 1 else 200):
            sheet.append([name, row, f"{name}{row}", dt.date(2026, 1, 1) + dt.timedelta(row)])
    book["二"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    both(tmp_path / "a.xlsx", monkeypatch)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, data.replace(b'"', b"'") if info.filename.endswith("sheet3.xml") else data)
    found = both(tmp_path / "b.xlsx", monkeypatch, vectors=False)
    assert [sheet.height for sheet in found.sheets] == [0, 199, 29, 199]


def test_wide_and_sparse_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = "".join(f'<c r="{guard.column_letters(n)}1"><v>{n}</v></c>' for n in range(702))
    row = '<row r="90000"><c r="B90000"><v>1</v></c></row>'
    found = both(raw_xlsx(tmp_path / "a.xlsx", sheet_xml(f'<row r="1">{cells}</row>')), monkeypatch).sheets[0]
    assert found.width == 702 and found.columns[701][0] == 701
    with pytest.raises(DataError, match="ZZ90000"):
        read_workbook(raw_xlsx(tmp_path / "b.xlsx", sheet_xml(f'<row r="1">{cells}</row>{row}')))
    data = '<row r="7"><c r="C7"><v>1</v></c></row>' + row
    assert both(raw_xlsx(tmp_path / "c.xlsx", sheet_xml(data)), monkeypatch).sheets[0].height == 90000
    assert both(raw_xlsx(tmp_path / "d.xlsx", sheet_xml("", head=HEAD)), monkeypatch).sheets[0].hidden_columns == {1, 2}
