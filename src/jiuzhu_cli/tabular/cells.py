"""Cells and sheets as every stage sees them, whatever file they came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.column import Column

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell without a usable value. ``code`` is what Excel shows (``#N/A``, ``#REF!`` ...) or ``formula_without_value``."""

    code: str

    def __str__(self) -> str:
        return "公式没有结果" if self.code == "formula_without_value" else self.code


Cell = Any  # str | int | float | bool | date | datetime | None | CellError


@dataclass(slots=True)
class Sheet:
    """One sheet at true coordinates: ``columns[c][r]`` is the cell of column c, row r (0-based), ``None`` when blank.

    Every column is a ``column.Column``, ``height`` long: index it for single cells, take ``text`` and ``kinds`` for all of them.

    Numbers: ``int`` when integral and below 10^15, else ``float``: a number of more than 15 digits stays recognisable as one.
    ``merged`` holds 0-based inclusive (row0, col0, row1, col1). ``blank_rows`` counts rows that the file carries
    without any value behind the last row with one (styled emptiness), which were skipped. ``struck``: 0-based (row, column)
    of cells crossed out (删除线), where the form of the file says so.
    """

    name: str
    hidden: bool = False
    width: int = 0
    height: int = 0
    columns: list[Column] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    blank_rows: int = 0
    struck: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        from jiuzhu_cli.tabular.column import Column

        self.columns = [cells if isinstance(cells, Column) else Column(cells) for cells in self.columns]

    def put(self, row: int, column: int, value: Cell) -> None:
        """Sets a cell, growing the sheet where it must."""
        from jiuzhu_cli.tabular.column import Column

        while self.width <= column:
            self.columns.append(Column([None] * self.height))
            self.width += 1
        if row >= self.height:
            self.height = row + 1
            for cells in self.columns:
                cells.grow(self.height)
        self.columns[column].put(row, value)


@dataclass(slots=True)
class Workbook:
    """A file as read. ``marks`` are the custom document properties that jiuzhu's own workbooks carry."""

    path: Path
    kind: str  # xlsx | xls | csv
    sheets: list[Sheet]
    sha256: str
    marks: dict[str, str] = field(default_factory=dict)
    bare: bool = False  # ``path`` is the very xlsx: it lies in no archive and is not encrypted


def column_letters(index: int) -> str:
    """Letters of the 0-based column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """0-based column of ``letters``."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def split_reference(reference: str) -> tuple[int, int] | None:
    """0-based (row, column) of a reference such as ``B7``; None when it is none."""
    match = _REFERENCE.fullmatch(reference)
    return (int(match.group(2)) - 1, column_index(match.group(1))) if match else None
