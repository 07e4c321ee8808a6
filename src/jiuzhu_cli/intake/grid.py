"""A sheet as layout detection sees it: rows of texts on demand, whole columns only as cached vectors."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jiuzhu_cli.core.text import compact

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.read import Sheet

ID_TEXT = re.compile(r"^['‘’]?(\d{17}[\dXx]|\d{15}|[A-Za-z]{3}\d{12})$")
_LONG_NUMBER = re.compile(r"\d{5,}")


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
        self._regular: dict[int, np.ndarray] = {}

    def value(self, row: int, column: int) -> Any:
        return self.columns[column][row]

    def text(self, row: int, column: int) -> str:
        return cell_text(self.columns[column][row])

    def cells(self, row: int, first: int = 0, last: int | None = None) -> list[tuple[int, Any]]:
        """The cells of a row that hold something, as (column, value)."""
        stop = self.width if last is None else last + 1
        out = []
        for index in range(first, stop):
            value = self.columns[index][row]
            if value is None or (type(value) is str and (not value or value.isspace())):
                continue
            out.append((index, value))
        return out

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
        """For each row: whether the cell is written like an ID (15 or 18 characters, digits). Cached per column."""
        known = self._regular.get(column)
        if known is None:
            known = np.fromiter(
                (
                    type(value) is str and len(value) in (18, 15) and value[:14].isdigit()
                    for value in self.columns[column]
                ),
                dtype=bool,
                count=self.height,
            )
            self._regular[column] = known
        return known

    def id_column(self, first_row: int, first: int, last: int, sample: int = 300) -> int | None:
        """The column of a region whose cells are most often written like IDs (at least a fifth of a sample), or None."""
        best, best_share = None, 0.2
        stop = min(self.height, first_row + sample)
        for index in range(first, last + 1):
            values = [value for value in self.columns[index][first_row:stop] if value not in (None, "")]
            if values:
                share = sum(looks_like_id(value) for value in values) / max(len(values), 1)
                share *= min(1.0, len(values) / max(1, (stop - first_row) * 0.2))
                if share > best_share:
                    best, best_share = index, share
        return best


def has_long_number(text: str) -> bool:
    return bool(_LONG_NUMBER.search(text))
