"""Rows of large sheets as XlsxWriter would write them, a string a row: its own way costs a call, an object and a tag writer a cell.

Only for workbooks in constant-memory mode, whose rows XlsxWriter keeps in a file of the sheet until the workbook is packed: the rows
are put into that file. A test holds them to the same bytes as XlsxWriter's.
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
from xlsxwriter import workbook as module

from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.inflate import machine

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

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


class Book(xlsxwriter.Workbook):
    """A workbook whose parts are packed quickly when it is large."""

    def _store_workbook(self) -> None:
        plain = module.ZipFile
        if self.constant_memory:
            module.ZipFile = _Archive
            # the parts of a small one are packed out of memory: ten files less to be made and removed
            self.in_memory = sum(sheet.row_data_fh.tell() for sheet in self.worksheets_objs) < _SMALL
        try:
            super()._store_workbook()
        finally:
            module.ZipFile = plain


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
