"""A new workbook with the cells of one that cannot be copied as it is (xls, csv, web pages), its marks and reasons."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import Sheet
from jiuzhu_cli.tabular.write import FILLS, FONT, MAX_TEXT, SheetSpec, append_sheet, new_book, text_width

_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")


@dataclass(slots=True)
class PlainMarks:
    """What is put into one sheet; all places 0-based. ``cells``: colours by row and column; ``comments``: by row."""

    cells: dict[int, dict[int, str]]
    comments: dict[int, list[tuple[int, str]]]
    reasons: dict[int, str]
    reason_column: int | None
    header_row: int
    header: str
    mild: set[int] = field(default_factory=set)


def write_plain(path: Path, sheets: Sequence[tuple[Sheet, PlainMarks]], fronts: Sequence[SheetSpec], note: str) -> None:
    """Writes ``fronts`` (the first with ``note``), then the sheets. DataError when a text is longer than a cell holds."""
    with new_book(path, many=True) as book:
        for place, front in enumerate(fronts):
            notes = front.notes if place else [*front.notes, note]
            append_sheet(book, replace(front, notes=notes), first=place == 0)
        formats = _Formats(book)
        for sheet, marks in sheets:
            _sheet(book, sheet, marks, formats)


class _Formats:
    """Formats by ground colour ('' is none) and kind."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[str, str], Any] = {}

    def get(self, colour: str = "", kind: str = "") -> Any:
        if (colour, kind) not in self._made:
            style: dict[str, Any] = {"font_name": FONT, "font_size": 11}
            if colour:
                style["bg_color"] = FILLS[colour]
            if kind == "day":
                style["num_format"] = "yyyy-mm-dd"
            elif kind == "reason":
                style["text_wrap"] = True
            self._made[colour, kind] = self._book.add_format(style)
        return self._made[colour, kind]


def _sheet(book: Any, sheet: Sheet, marks: PlainMarks, formats: _Formats) -> None:
    target = book.add_worksheet(_SHEET_NAME.sub("_", sheet.name)[:31] or "Sheet")
    if sheet.hidden:
        target.hide()
    columns = [list(column) for column in sheet.columns]
    for index, cells in enumerate(columns):
        widest = max((text_width(str(cell)) for cell in cells[:500] if cell is not None), default=6)
        target.set_column(index, index, min(widest + 2, 40))
    if marks.reason_column is not None:
        target.set_column(marks.reason_column, marks.reason_column, 50)
    none: dict[int, str] = {}
    for row in range(sheet.height):
        colours = marks.cells.get(row, none)
        for column, text in marks.comments.get(row, ()):  # in its turn: constant-memory mode drops what comes late
            target.write_comment(row, column, text, {"author": "jiuzhu"})
        for index, cells in enumerate(columns):
            _cell(target, sheet.name, row, index, cells[row], colours.get(index, ""), formats)
        if marks.reason_column is not None:
            if row in marks.reasons:
                ground = formats.get("yellow" if row in marks.mild else "red", "reason")
                target.write_string(row, marks.reason_column, marks.reasons[row][:MAX_TEXT], ground)
            elif row == marks.header_row:
                target.write_string(row, marks.reason_column, marks.header, formats.get("red"))


def _cell(target: Any, name: str, row: int, index: int, value: Any, colour: str, formats: _Formats) -> None:
    if value is None:
        if colour:
            target.write_blank(row, index, None, formats.get(colour))
    elif isinstance(value, bool):
        target.write_boolean(row, index, value, formats.get(colour))
    elif isinstance(value, int | float) and math.isfinite(value):
        target.write_number(row, index, value, formats.get(colour))
    elif isinstance(value, datetime | date):
        target.write_datetime(row, index, value, formats.get(colour, "day"))
    else:
        text = str(value)
        if len(text) > MAX_TEXT:
            raise DataError(f"工作表“{name}”第 {row + 1} 行的文字超过单元格上限", "缩短后再试")
        target.write_string(row, index, text, formats.get(colour))
