"""What a sheet is to be: its columns, its rows, what stands around them and how it is printed (``write`` makes it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jiuzhu_cli.core.errors import DataError

MAX_TEXT = 32_767  # UTF-16 units in one cell, a limit of the format
Kind = Literal["text", "amount", "count", "date"]


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column. ``width`` in half-width characters, 0: by content. ``amount`` cells are 分 (int), shown as 元.

    ``choices`` makes a drop-down for the column's cells; ``wrap`` breaks long text into lines, ``shrink`` prints it smaller; ``shades`` (text → a colour of ``FILLS``)
    colours cells by what they hold, also after somebody changed it.
    """

    header: str
    width: float = 0
    kind: Kind = "text"
    choices: tuple[str, ...] | None = None
    wrap: bool = False
    align: Literal["", "left", "center", "right"] = ""
    shades: Mapping[str, str] | None = None
    shrink: bool = False
    fill: str = ""  # a colour of ``FILLS`` behind the cells


@dataclass(slots=True)
class SheetSpec:
    """One sheet: title and notes above, a header row, the rows.

    ``fills`` and ``comments`` are keyed by 0-based (row, column) within ``rows``. ``rows_per_page`` puts a page break behind
    every so many rows, ``page_breaks`` before these 0-based rows (Excel ignores breaks while it fits to the width: let ``row_height``, or ``heights``
    of the rows, fill the page, too). ``footnotes`` stand below the rows, across all columns.
    """

    name: str
    columns: Sequence[ColumnSpec]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    notes: Sequence[str] = ()
    footnotes: Sequence[str] = ()
    fills: Mapping[tuple[int, int], str] = field(default_factory=dict)
    comments: Mapping[tuple[int, int], str] = field(default_factory=dict)
    freeze: bool = True
    freeze_columns: int = 0  # so many at the left stay in sight, too
    autofilter: bool = True
    header_row: bool = True
    hidden: bool = False
    landscape: bool = True
    repeat_header: bool = True
    rows_per_page: int = 0
    page_breaks: Sequence[int] = ()
    font_size: float = 11
    row_height: float = 0  # points; 0: by content
    heights: Sequence[float] = ()  # points of each row, where somebody has laid out the pages
    borders: bool = True
    page_footer: str = "&C第 &P 页 共 &N 页"
    paper: Literal["", "A3", "A4"] = ""  # '': A4, or A3 where a landscape sheet would be too small to read
    print_columns: int = 0  # only so many at the left are printed, with title and notes above them; 0: all

    @property
    def first_row(self) -> int:
        """0-based sheet row of the first data row."""
        return bool(self.title) + len(self.notes) + self.header_row


def check_text(text: str, where: str = "") -> str:
    """``text`` if a cell can hold it; DataError when it is too long (XlsxWriter would drop it silently)."""
    if len(text) > MAX_TEXT:
        raise DataError(
            f"{where or '单元格'}的文字有 {len(text)} 个字，超过表格单元格上限 {MAX_TEXT}", "缩短该处文字后再试"
        )
    return text
