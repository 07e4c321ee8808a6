"""Small workbooks as data: what stands on which sheet, and one way to write it as xlsx, xls or text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.intake.lists import name
from tests.support import make_id

Row = Sequence[Any]


@dataclass(frozen=True)
class Formula:
    """A formula and the result that the program which saved the file has put beside it."""

    text: str
    value: Any


@dataclass(frozen=True)
class Page:
    """One sheet. ``rows`` from row 1 on; rows, columns and ranges are named as Excel names them."""

    rows: Sequence[Row]
    name: str = "Sheet1"
    merges: Sequence[str] = ()
    hidden_rows: Sequence[int] = ()
    hidden_columns: Sequence[str] = ()
    struck: Sequence[int | str] = ()  # rows or cells crossed out
    filtered: str = ""  # range under an autofilter
    shapes: Sequence[str] = ()  # texts in text boxes that float over the sheet
    hidden: bool = False


@dataclass(frozen=True)
class File:
    """One file: pages of a workbook, or plain text in ``encoding``. The suffix of ``name`` says the form."""

    name: str
    pages: Sequence[Page] = ()
    text: str = ""
    encoding: str = "gb18030"


def write(folder: Path, file: File) -> Path:
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.name.endswith((".csv", ".txt")):
        path.write_bytes((file.text or _lines(file.pages[0])).encode(file.encoding))
    elif file.name.endswith((".xls", ".et")):
        _write_biff(path, file)
    else:
        _write_xlsx(path, file)
    return path


def _lines(page: Page) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(page.rows)
    return out.getvalue()


def _write_xlsx(path: Path, file: File) -> None:
    import xlsxwriter
    from openpyxl.utils import coordinate_to_tuple

    book = xlsxwriter.Workbook(str(path))
    crossed = book.add_format({"font_strikeout": True})
    for page in file.pages:
        sheet = book.add_worksheet(page.name)
        for merge in page.merges:
            sheet.merge_range(merge, "")
        for at, row in enumerate(page.rows):
            for column, value in enumerate(row):
                place = f"{chr(65 + column)}{at + 1}" if column < 26 else ""
                style = crossed if at + 1 in page.struck or place in page.struck else None
                if isinstance(value, Formula):
                    sheet.write_formula(at, column, value.text, style, value.value)
                elif isinstance(value, str):
                    sheet.write_string(at, column, value, style)
                elif value is not None:
                    sheet.write(at, column, value, style)
        for row in page.hidden_rows:
            sheet.set_row(row - 1, None, None, {"hidden": True})
        for letters in page.hidden_columns:
            sheet.set_column(f"{letters}:{letters}", None, None, {"hidden": True})
        for text in page.shapes:
            sheet.insert_textbox(*(at - 1 for at in coordinate_to_tuple("H3")), text)
        if page.filtered:
            sheet.autofilter(page.filtered)
        if page.hidden:
            sheet.hide()
    book.close()


def _write_biff(path: Path, file: File) -> None:
    import xlwt
    from openpyxl.utils import range_boundaries

    book = xlwt.Workbook()
    crossed = xlwt.XFStyle()
    crossed.font.struck_out = True
    plain = xlwt.XFStyle()
    for page in file.pages:
        sheet = book.add_sheet(page.name, cell_overwrite_ok=True)
        for at, row in enumerate(page.rows):
            for column, value in enumerate(row):
                if value is not None:
                    place = f"{chr(65 + column)}{at + 1}"
                    sheet.write(at, column, value, crossed if {at + 1, place} & {*page.struck} else plain)
        for merge in page.merges:
            left, top, right, bottom = range_boundaries(merge)
            row = page.rows[top - 1]
            value = row[left - 1] if len(row) >= left and row[left - 1] is not None else ""
            sheet.write_merge(top - 1, bottom - 1, left - 1, right - 1, value)
        for row in page.hidden_rows:
            sheet.row(row - 1).hidden = True
        sheet.visibility = 1 if page.hidden else 0
    book.save(str(path))


# ---- cases -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One habit or accident: its files, how they are imported, and where what must come of it stands."""

    name: str
    chapter: str
    build: Callable[[], File | Sequence[File]]
    options: dict[str, Any] = field(default_factory=dict)

    def files(self) -> list[File]:
        made = self.build()
        return [made] if isinstance(made, File) else list(made)


CASES: dict[str, Case] = {}


def case(**options: Any) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Registers a builder under its own name; the chapter is its module's. ``options`` of ``import_paths`` and hints."""

    def add(build: Callable[[], Any]) -> Callable[[], Any]:
        chapter = build.__module__.rpartition(".")[2]
        assert build.__name__ not in CASES, build.__name__
        CASES[build.__name__] = Case(build.__name__, chapter, build, options)
        return build

    return add


# ---- people and rows -----------------------------------------------------------------------------------------------

TITLE = "城关镇2026年10月高龄津贴发放表"
FILE = "城关镇2026年10月高龄津贴.xlsx"
HOMES = "城关镇2026年10月农村低保.xlsx"
HEADER = ["序号", "姓名", "身份证号", "发放金额", "银行账号"]


def account(number: int) -> str:
    return f"42100100{number:06d}"


def person(number: int, amount: Any = 100, serial: Any = None) -> list[Any]:
    """A row under ``HEADER``."""
    return [number if serial is None else serial, name(number), make_id(number), amount, account(number)]


def people(*numbers: int, amount: Any = 100) -> list[list[Any]]:
    return [person(number, amount) for number in numbers]


def one(*rows: Row, file: str = FILE, **more: Any) -> File:
    """A workbook of one sheet."""
    return File(file, [Page(rows, **more)])
