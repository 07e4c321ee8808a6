"""A sheet as layout detection sees it: rows of texts on demand, whole columns only as cached vectors."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.tabular.column import BLANK, TEXT, Column

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.read import Sheet

ID_TEXT = re.compile(r"^['‘’]?(\d{17}[\dXx]|\d{15}|[A-Za-z]{3}\d{12})$")
_LONG_NUMBER = re.compile(r"\d{5,}")
_FEW, _MANY = 6, 64  # rows read together where they are asked for one after the other; twice as many each time


def cell_text(value: Any) -> str:
    """A cell as short text for looking at labels; '' for blanks and error values. Not for reading values."""
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(getattr(value, "code", ""))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def looks_like_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 15 and bool(ID_TEXT.match(compact(value)))


class Grid:
    """Row-wise view of a column-major sheet. Rows are made only where they are asked for."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.columns = sheet.columns
        self.height = sheet.height
        self.width = len(sheet.columns)
        self._regular: dict[int, tuple[Column, np.ndarray]] = {}
        self._first = self._asked = -1  # where the rows read together begin, and the row asked for last
        self._together = _FEW
        self._ahead: list[tuple[Any, ...]] = []
        self._read: list[Column] = []

    def value(self, row: int, column: int) -> Any:
        return self.columns[column][row]

    def text(self, row: int, column: int) -> str:
        return cell_text(self.columns[column][row])

    def _row(self, row: int) -> tuple[Any, ...]:
        """The cells of a row; where rows are asked for one after the other, a few of them are read at once."""
        fresh = len(self._read) == self.width and all(map(_same, self._read, self.columns))
        if fresh and 0 <= row - self._first < len(self._ahead):
            self._asked = row
            return self._ahead[row - self._first]
        near = row <= self._asked + 4 and row >= self._asked - 4
        self._asked = row
        if not near:
            return tuple(column[row] for column in self.columns)
        self._first, self._read = max(0, row - 2), list(self.columns)
        stop = row + self._together
        self._together = min(2 * self._together, _MANY)
        self._ahead = list(zip(*(column[self._first : stop] for column in self.columns), strict=True))
        return self._ahead[row - self._first]

    def cells(self, row: int, first: int = 0, last: int | None = None) -> list[tuple[int, Any]]:
        """The cells of a row that hold something, as (column, value)."""
        stop = self.width if last is None else last + 1
        return [
            (index, value)
            for index, value in enumerate(self._row(row)[first:stop], first)
            if value is not None and not (type(value) is str and (not value or value.isspace()))
        ]

    @cached_property
    def _merges_by_top(self) -> dict[int, list[tuple[int, int, int, int]]]:
        out: dict[int, list[tuple[int, int, int, int]]] = {}
        for area in self.sheet.merged:
            out.setdefault(area[0], []).append(area)
        return out

    def merges_at(self, row: int) -> list[tuple[int, int, int, int]]:
        """Merged ranges that touch a row and begin at most 11 rows above it (headers, titles)."""
        tops = self._merges_by_top
        return [area for top in range(row - 11, row + 1) for area in tops.get(top, ()) if area[2] >= row]

    def regular(self, column: int) -> np.ndarray:
        """For each row: whether the cell is written like an ID (15 or 18 bytes that begin with 14 digits). Cached."""
        cells = self.columns[column]
        known = self._regular.get(column)
        if known is None or known[0] is not cells:
            known = self._regular[column] = cells, _digits_first(cells, 0, self.height, 14)
        return known[1]

    def id_column(self, first_row: int, first: int, last: int, sample: int = 300) -> int | None:
        """The column of a region whose cells are most often written like IDs (at least a fifth of a sample), or None."""
        best, best_share = None, 0.2
        stop = min(self.height, first_row + sample)
        for index in range(first, last + 1):
            column = self.columns[index]
            ids, filled = _ids(column, first_row, stop)
            if ids:
                share = ids / filled
                share *= min(1.0, filled / max(1, (stop - first_row) * 0.2))
                if share > best_share:
                    best, best_share = index, share
                if best_share == 1.0:
                    break  # none can be more
        return best


def has_long_number(text: str) -> bool:
    return bool(_LONG_NUMBER.search(text))


def _same(left: Column, right: Column) -> bool:
    return left is right


def _texts(column: Column, start: int, stop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the texts in these rows: where they begin, how many bytes they have (0: no text), and the bytes of all."""
    array = column.text
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[array.offset + start : array.offset + stop + 1]
    lengths = (ends[1:] - ends[:-1]) * (column.kinds[start:stop] == TEXT)
    return ends[:-1], lengths, np.frombuffer(data or b"", dtype=np.uint8)


def _digits_first(column: Column, start: int, stop: int, count: int) -> np.ndarray:
    """Which of the rows hold a text of 15 or 18 bytes whose first ``count`` are digits."""
    begins, lengths, data = _texts(column, start, stop)
    found = (lengths == 15) | (lengths == 18)
    rows = found.nonzero()[0]
    if len(rows):
        found[rows] = (data[begins[rows][:, None] + np.arange(count)] - np.uint8(48) < 10).all(axis=1)
    return found


def _ids(column: Column, start: int, stop: int) -> tuple[int, int]:
    """How many cells of these rows look like an ID, and how many hold anything (told only where there are IDs)."""
    begins, lengths, data = _texts(column, start, stop)
    long = (lengths >= 15).nonzero()[0]
    if not len(long):
        return 0, 0
    # a text that begins with a Chinese character (U+4000 and above in UTF-8) is none
    long = long[(data[begins[long]] < 0xE4) | (data[begins[long]] > 0xE9)]
    if not len(long):
        return 0, 0
    first, sizes = begins[long], lengths[long]
    base = int(first[0])
    others = np.cumsum(data[base : int(first[-1] + sizes[-1])] - np.uint8(48) > 9, dtype=np.int64)
    others = np.append(0, others)
    count = others[first - base + sizes] - others[first - base]  # bytes that are no digits
    last_is_x = data[first + sizes - 1] | 0x20 == ord("x")
    sure = ((sizes == 15) & (count == 0)) | ((sizes == 18) & ((count == 0) | (count == 1) & last_is_x))
    doubtful = long[~sure & (count > 0)].tolist()
    kinds = column.kinds[start:stop]
    filled = np.count_nonzero((kinds != BLANK) & ((kinds != TEXT) | (lengths > 0)))
    return int(sure.sum()) + sum(looks_like_id(column[start + row]) for row in doubtful), int(filled)
