"""Rows of sheets as XlsxWriter would write them, a string a row: its own way costs a call, an object and a tag writer a cell.

In constant-memory mode XlsxWriter keeps rows in a file of the sheet until the workbook is packed: they are put into that file. Else the sheet keeps
them (``Sheet``), and texts stand in the book's table of shared strings. Tests hold both to the same bytes as XlsxWriter's.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import xlsxwriter
from xlsxwriter import packager
from xlsxwriter import workbook as module
from xlsxwriter.sharedstrings import SharedStrings
from xlsxwriter.worksheet import Worksheet

from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.inflate import machine

if TYPE_CHECKING:
    from xlsxwriter.format import Format

# control characters, what XML takes for itself, XlsxWriter's own way to write either, blanks at an end
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f&<>]|^\s|\s$|_x[0-9a-fA-F]{4}_")
# the same for cells one under the other; a cell of several lines may be taken for odd
_ODD_AMONG = re.compile(r"[\x00-\x08\x0b-\x1f&<>]|_x[0-9a-fA-F]{4}_|^\s|\s$", re.MULTILINE)
_LONG = 30_000  # characters of a row; from there on each cell is looked at
_SMALL = 4 << 20  # characters of rows
_PACKING = 2  # of zlib: half the time of its own choice, a tenth more bytes; of ISA-L: a sixth of the time


class _Archive(zipfile.ZipFile):
    """A large book's parts are packed by the fast machine."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        stream = super().open(*arguments, **options)
        if getattr(stream, "_compressor", None) is not None:  # opened for writing, and to be packed
            stream._compressor = machine.compressobj(_PACKING, zlib.DEFLATED, -15)  # type: ignore[attr-defined]
        return stream


class _Strings(SharedStrings):
    """The table of shared strings: what XML takes as it is is written as it is."""

    def _write_sst_strings(self) -> None:
        write = self.fh.write
        for text in self.string_table.string_array:
            if _ODD.search(text):
                self._write_si(text)
            else:
                write(f"<si><t>{text}</t></si>")


class Sheet(Worksheet):
    """A sheet some of whose rows are XML already: the row's first cell is all of them, its last one empty."""

    def put(self, row: int, width: int, cells: str) -> None:
        self.table[row] = {0: cells, width - 1: ""} if width > 1 else {0: cells}

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if cell.__class__ is str:
            self.fh.write(cell)
        else:
            super()._write_cell(row, col, cell)

    def _write_row(self, row: int, spans: str | None, row_info: Any = None, empty_row: bool = False) -> None:
        if row_info is None and spans and not empty_row and self.default_row_height == self.original_row_height:
            self.fh.write(f'<row r="{row + 1}" spans="{spans}">')
        else:
            super()._write_row(row, spans, row_info, empty_row)


class Book(xlsxwriter.Workbook):
    """A workbook whose parts are packed quickly when it is large."""

    def add_worksheet(self, name: str | None = None, worksheet_class: Any = None) -> Worksheet:
        return super().add_worksheet(name, worksheet_class or (None if self.constant_memory else Sheet))

    def _store_workbook(self) -> None:
        plain, strings = module.ZipFile, packager.SharedStrings
        if self.constant_memory:
            module.ZipFile = _Archive
        packager.SharedStrings = _Strings
        try:
            super()._store_workbook()
        finally:
            module.ZipFile, packager.SharedStrings = plain, strings


class Cells:
    """XML of cells. ``styles``: the number of each column's format."""

    def __init__(self, sheet: Worksheet, styles: Sequence[int]) -> None:
        self.sheet, self.styles = sheet, styles
        self.starts = [f'<c r="{column_letters(index)}' for index in range(len(styles))]
        self.texts = [f'" s="{style}" t="inlineStr"><is><t>' for style in styles]
        self.blanks = [f'" s="{style}"/>' for style in styles]
        self._fonts: dict[int, str] = {}

    def plain(self, values: Iterable[object]) -> bool:
        """Whether all texts of a row can stand in XML as they are."""
        among = "\n".join([value for value in values if value.__class__ is str and value])  # type: ignore[misc]
        return len(among) < _LONG and not _ODD_AMONG.search(among)

    def blank(self, column: int, row: str, style: int) -> str:
        return f'{self.starts[column]}{row}" s="{style}"/>'

    def text(self, column: int, row: str, style: int, text: str) -> str:
        if _ODD.search(text):
            return f'{self.starts[column]}{row}" s="{style}" t="inlineStr"><is>{self._odd(text)}</is></c>'
        return f'{self.starts[column]}{row}" s="{style}" t="inlineStr"><is><t>{text}</t></is></c>'

    def number(self, column: int, row: str, style: int, number: str) -> str:
        return f'{self.starts[column]}{row}" s="{style}"><v>{number}</v></c>'

    def runs(self, column: int, row: str, style: int, runs: Iterable[tuple[Format | None, str]]) -> str:
        """Text in several fonts; the first may have none of its own."""
        parts = "".join(f"<r>{self._font(font) if font else ''}{self._odd(text)}</r>" for font, text in runs)
        return f'{self.starts[column]}{row}" s="{style}" t="inlineStr"><is>{parts}</is></c>'

    @staticmethod
    @lru_cache(maxsize=4096)  # single figures and characters, most of them
    def _odd(text: str) -> str:
        from xlsxwriter.utility import _preserve_whitespace
        from xlsxwriter.xmlwriter import XMLwriter

        plain = XMLwriter._escape_control_characters(text)
        kept = ' xml:space="preserve"' if _preserve_whitespace(plain) else ""
        return f"<t{kept}>{XMLwriter()._escape_data(plain)}</t>"

    def _font(self, font: Format) -> str:
        if id(font) not in self._fonts:
            from xlsxwriter.xmlwriter import XMLwriter

            target = io.StringIO()
            self.sheet.rstring = XMLwriter()
            self.sheet.rstring._set_filehandle(target)
            self.sheet._write_font(font)
            self._fonts[id(font)] = target.getvalue()
        return self._fonts[id(font)]


def put_rows(sheet: Worksheet, first: int, width: int, rows: Iterable[tuple[float, Sequence[str]]]) -> None:
    """Puts rows (height in points or 0, cells of ``Cells``) from 0-based ``first`` on, all of ``width`` columns."""
    sheet._write_single_row(first)  # what XlsxWriter holds back of the row before
    target, last, empty = sheet.row_data_fh, first - 1, round(sheet.default_row_height)
    for number, (height, cells) in enumerate(rows, first + 1):
        pixels = int(height * 4.0 / 3.0 + 0.5)  # as XlsxWriter rounds them
        high = f' ht="{pixels * 0.75:.16g}" customHeight="1"' if height and pixels != empty else ""
        target.write(f'<row r="{number}"{high}>{"".join(cells)}</row>')
        last = number - 1
    if last >= first:
        sheet._check_dimensions(first, 0)
        sheet.previous_row = first
        sheet._check_dimensions(last, width - 1)
        sheet.previous_row = last


def put_shared(sheet: Sheet, first: int, width: int, rows: Iterable[Sequence[str] | None]) -> None:
    """Puts rows (cells of ``Cells``; None: written already) from 0-based ``first`` on, all of ``width`` columns, into a book not in constant-memory mode."""
    last = first - 1
    for last, cells in enumerate(rows, first):
        if cells is not None:
            sheet.put(last, width, "".join(cells))
    if last >= first:
        sheet._check_dimensions(first, 0)
        sheet._check_dimensions(last, width - 1)
