"""Writing: text stays text, amounts are exact, same input same bytes, nothing cut off in silence."""

from __future__ import annotations

import random
import stat
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular import write
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.shown import Yuan, exact_yuan
from jiuzhu_cli.tabular.write import (
    ColumnSpec,
    Marked,
    SheetSpec,
    _Writer,
    new_book,
    text_width,
    write_xlsx,
)
from jiuzhu_cli.tabular.writecsv import write_csv

COLUMNS = [
    ColumnSpec("序号", kind="count"),
    ColumnSpec("姓名"),
    ColumnSpec("身份证号"),
    ColumnSpec("金额（元）", kind="amount"),
    ColumnSpec("日期", kind="date"),
    ColumnSpec("处理意见", choices=("待核实", "停发甲方")),
    ColumnSpec("说明", wrap=True),
]
ROWS = [
    [1, "张三", "42100219900101123X", 123456, date(2026, 10, 1), "待核实", "长" * 90],
    [2, '=HYPERLINK("x")', "0012", 10, None, None, ""],
    [3, "http://x.cn", "1e5", None, "2026-10-02", "停发甲方", "@x"],
]


def spec(**options: object) -> SheetSpec:
    return SheetSpec("疑点", COLUMNS, ROWS, title="2026年10月疑点", notes=["说明一", "说明二"], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("many", [False, True])
def test_values_come_back_as_they_went(tmp_path: Path, many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if many:
        monkeypatch.setattr(write, "MANY_CELLS", 0)
    path = tmp_path / "深" / "a.xlsx"
    digest = write_xlsx(
        path, [spec(), SheetSpec("藏", [ColumnSpec("a")], [["x"]], hidden=True)], marks={"jiuzhu": "x:2026-10"}
    )
    assert (
        write_xlsx(
            tmp_path / "b.xlsx",
            [spec(), SheetSpec("藏", [ColumnSpec("a")], [["x"]], hidden=True)],
            marks={"jiuzhu": "x:2026-10"},
        )
        == digest
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["a.xlsx"]
    book = read_workbook(path)
    assert book.sha256 == digest and book.marks == {"jiuzhu": "x:2026-10"}
    assert [s.hidden for s in book.sheets] == [False, True]
    rows = list(zip(*book.sheets[0].columns, strict=True))[4:]
    assert rows[0] == (1, "张三", "42100219900101123X", 1234.56, "2026-10-01", "待核实", "长" * 90)
    assert rows[1] == (2, '=HYPERLINK("x")', "0012", 0.1, None, None, None)
    assert rows[2] == (3, "http://x.cn", "1e5", None, "2026-10-02", "停发甲方", "@x")
    sheet = openpyxl.load_workbook(path)["疑点"]
    assert all(cell.data_type != "f" and not cell.hyperlink for row in sheet.iter_rows() for cell in row)
    assert sheet["D5"].number_format == "0.00" and sheet["C5"].number_format == "@"
    assert sheet.freeze_panes == "A5" and sheet.auto_filter.ref == "A4:G7" and sheet.print_title_rows == "$4:$4"
    assert sheet.page_setup.paperSize == 9 and sheet.sheet_properties.pageSetUpPr.fitToPage
    [choice] = sheet.data_validations.dataValidation
    assert choice.formula1 == '"待核实,停发甲方"' and str(choice.sqref) == "F5:F7"


def test_every_fen_is_exact(tmp_path: Path) -> None:
    amounts = [*range(0, 300), *random.Random(7).sample(range(10**9), 500), 10**13 + 1, -105]
    write_xlsx(tmp_path / "a.xlsx", [SheetSpec("表", [ColumnSpec("金额", kind="amount")], [[a] for a in amounts])])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    for fen in amounts:
        sign, whole = ("-" if fen < 0 else ""), abs(fen)
        shown = f"{sign}{whole // 100}.{whole % 100:02d}".rstrip("0").rstrip(".")
        assert f"<v>{shown}</v>" in xml


def test_fills_and_comments(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", [spec(fills={(1, 2): "red"}, comments={(1, 2): "号码坏了"})])
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["疑点"]["C6"]
    assert cell.fill.fgColor.rgb == "FFFFC7CE" and cell.comment is not None and "号码坏了" in cell.comment.text


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        (SheetSpec("表", [ColumnSpec("姓名")], [["长" * 32_768]]), "32768 个字"),
        (SheetSpec("表", [ColumnSpec("姓名")], [["x"]], title="长" * 32_768), "上限"),
        (SheetSpec("表", [ColumnSpec("姓名")], [["x"]] * 1_048_577), "超过表格上限"),
        (SheetSpec("表", [ColumnSpec("意见", choices=("很长的选项" * 60,))], [["x"]]), "下拉选项"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_left(tmp_path: Path, sheet: SheetSpec, says: str) -> None:
    with pytest.raises(DataError, match=says):
        write_xlsx(tmp_path / "a.xlsx", [sheet])
    assert not list(tmp_path.iterdir())


def test_csv_has_bom_crlf_and_no_live_formula(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "a.csv",
        ["姓名", "金额"],
        [["=1+1", 5], ["+a", "-b"], ["@c", "\td"], ['他"说', None], ["a,b", "x\ny"]],
    )
    assert (tmp_path / "a.csv").read_bytes() == (
        '\ufeff姓名,金额\r\n\'=1+1,5\r\n\'+a,\'-b\r\n\'@c,\'\td\r\n"他""说",\r\n"a,b","x\ny"\r\n'
    ).encode()


@pytest.mark.parametrize(("text", "width"), [("", 0), ("ab", 2), ("张三", 4), ("a张\nbcdef", 5), ("（元）", 6)])
def test_text_width(text: str, width: int) -> None:
    assert text_width(text) == width


def test_rows_of_large_sheets_are_what_xlsxwriter_writes(tmp_path: Path) -> None:
    """Put together a row at a time: the very bytes, whatever stands in the cells; footnotes and a second sheet follow."""
    texts = ["", " 前后空 ", 'a&b<c>"d"', "两\n行", "\x01\x1f", "_x0041_", "=1+1", "𠮷·买买提", "中" * 60, "x\t", None]
    rows = [
        (
            text,
            n * 7 - 3,
            n,
            date(2026, 10, n + 1),
            text,
            Marked("420102197001010011", ((0, 2), (5, 6), (16, 18))[: n % 4]),
            None,
        )
        for n, text in enumerate(texts)
    ]
    rows += [
        ("整格", 5, 10**9, "2026", "行" * 40, Marked("全部", ((0, 2),)), 1.5),
        ("x", -1, 0, None, "", Marked("尾部", ((1, 2),)), 0),
    ]
    columns = [
        ColumnSpec("文", 12), ColumnSpec("元", 10, kind="amount"), ColumnSpec("数", 8, kind="count", align="center"), ColumnSpec("日", 12, kind="date"),
        ColumnSpec("长", 20, wrap=True, choices=("甲", "乙")), ColumnSpec("证号", 20, shades={"x": "red"}), ColumnSpec("量", 8, kind="count"),
    ]  # fmt: skip
    spec = SheetSpec(
        "甲", columns, rows, title="标题", notes=["注"], footnotes=["脚注"], fills={(1, 0): "red", (2, 5): "yellow"}
    )
    empty = SheetSpec("乙", columns, [], title="没有行", footnotes=["脚注"])
    parts = []
    for rapid in (False, True):
        path = tmp_path / f"{rapid}.xlsx"
        with new_book(path, many=True) as book:
            for number, sheet in enumerate((spec, empty, spec_without_heads(columns, rows))):
                _Writer(book, sheet, first=number == 0, rapid=rapid).write()
        with zipfile.ZipFile(path) as package:
            parts.append(
                {
                    name: package.read(name)
                    for name in package.namelist()
                    if name.startswith("xl/") and name != "xl/sharedStrings.xml"
                }
            )
    assert parts[0].keys() == parts[1].keys()
    for name, part in parts[0].items():
        assert part == parts[1][name], name


def test_rows_put_together_in_memory_are_what_xlsxwriter_writes(tmp_path: Path) -> None:
    """The whole file: texts shared with other sheets, odd cells, rows with marks and fills in between, heights, a narrow sheet, a lean one."""
    texts = ["", " 前后空 ", 'a&b<c>"d"', "两\n行", "\x01\x1f", "_x0041_", "=1+1", "𠮷·买买提", "中" * 60, "x\t", None]
    rows: list[tuple[object, ...]] = [
        (texts[n % 11], n * 7 - 3, n, date(2026, 10, n % 28 + 1), f"第{n % 50}村", texts[n % 7], 1.5 if n % 3 else None)
        for n in range(400)
    ]
    rows[7] = ("整格", 5, 10**9, "2026", "行" * 40, Marked("全部", ((0, 2),)), 1.5)
    rows[8] = ("x", -1, 0, None, "", Marked("420102197001010011", ((0, 2), (5, 6))), 0)
    columns = [
        ColumnSpec("文", 12), ColumnSpec("元", 10, kind="amount"), ColumnSpec("数", 8, kind="count", align="center"), ColumnSpec("日", 12, kind="date"),
        ColumnSpec("长", 20, wrap=True, choices=("甲", "乙")), ColumnSpec("证号", 20, shades={"x": "red"}), ColumnSpec("量", 8, kind="count"),
    ]  # fmt: skip
    whole = SheetSpec(
        "甲", columns, rows, title="标题", notes=["注"], footnotes=["第3村"], fills={(1, 0): "red", (2, 5): "yellow"}
    )
    marked_first = SheetSpec("甲", columns, [rows[7], *rows])
    narrow = SheetSpec("甲", columns[:1], [row[:1] for row in rows] * 6, title="窄")
    second = SheetSpec("乙", columns, rows[:40], footnotes=["脚注"])
    for name, sheets in {"whole": [whole, second], "marked": [marked_first], "narrow": [narrow, second]}.items():
        made = []
        for rapid in (False, True):
            path = tmp_path / f"{name}{rapid}.xlsx"
            with new_book(path, many=False) as book:
                for number, sheet in enumerate(sheets):
                    writer = _Writer(book, sheet, first=number == 0, rapid=rapid)
                    assert writer.rapid == (rapid and number == 0 and name != "marked")
                    writer.write()
            made.append(path.read_bytes())
        assert made[0] == made[1], name


def test_a_text_too_long_for_a_cell_is_refused_in_any_row(tmp_path: Path) -> None:
    rows = [(f"{n}",) for n in range(2_000)] + [("长" * 32_768,)]
    with pytest.raises(DataError, match="2002 行“文”"):
        write_xlsx(tmp_path / "a.xlsx", [SheetSpec("甲", [ColumnSpec("文")], rows)])
    assert not list(tmp_path.iterdir())


def spec_without_heads(columns: list[ColumnSpec], rows: list[tuple[object, ...]]) -> SheetSpec:
    return SheetSpec("丙", columns, rows, header_row=False, row_height=20, borders=False)


def test_yuan_without_a_float_is_the_same() -> None:
    pick = random.Random(3)
    for fen in (
        0,
        1,
        7,
        10,
        99,
        100,
        1000,
        123456,
        -5,
        *(pick.randrange(1 << pick.randrange(1, 50)) for _ in range(2000)),
    ):
        assert exact_yuan(fen) == f"{Yuan(fen / 100)}", fen
