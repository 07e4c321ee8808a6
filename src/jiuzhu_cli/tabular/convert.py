"""Rows as the reader gives them turned into columns, piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time, timedelta
from typing import Any

from jiuzhu_cli.tabular.cells import Cell

EXACT = 10**15  # integers below it survive a spreadsheet's number cell
_PROBE, _FEW = 256, 64  # as few distinct values among so many cells: the column's values are kept once each
_MOST_KEPT = 20_000


class Columns:
    """Columns under construction: ``columns[c][r]``, all of ``height``.

    '' becomes None, integral floats ints, times of day and durations text. Equal values of a column that repeats itself
    are one object: that halves the memory of a ledger and spares converting them again.
    """

    def __init__(self) -> None:
        self.columns: list[list[Cell]] = []
        self.height = 0
        self._known: list[dict[Any, Cell]] = []

    def add(self, rows: Sequence[Sequence[Any]], first_row: int = 0, first_column: int = 0) -> None:
        """Adds ``rows`` (all of one length) whose top left cell stands there. ValueError when they are not below the last."""
        if first_row < self.height:
            raise ValueError("rows out of order")
        if not rows:
            return
        self._pad(first_row)
        last_row = first_row + len(rows)
        while len(self.columns) < first_column + len(rows[0]):
            self.columns.append([None] * first_row)
            self._known.append({"": None})
        for index, cells in enumerate(zip(*rows, strict=True), first_column):
            self.columns[index].extend(self._values(self._known[index], cells))
        self._pad(last_row)

    def _pad(self, height: int) -> None:
        for column in self.columns:
            if len(column) < height:
                column.extend([None] * (height - len(column)))
        self.height = max(self.height, height)

    def _values(self, known: dict[Any, Cell], cells: Sequence[Any]) -> Iterable[Cell]:
        kinds = set(map(type, cells))
        if not kinds <= {str, float}:  # equal values of other types are not alike: True == 1.0
            return [cell or None if type(cell) is str else value_of(cell) for cell in cells]
        if len(set(cells[:_PROBE])) <= _FEW and len(known) < _MOST_KEPT:
            for cell in set(cells) - known.keys():
                known[cell] = value_of(cell)
            return map(known.__getitem__, cells)
        if float in kinds:
            return [cell or None if type(cell) is str else value_of(cell) for cell in cells]
        return [cell or None for cell in cells] if "" in cells else cells


def value_of(cell: Any) -> Cell:
    kind = type(cell)
    if kind is float:
        return int(cell) if -EXACT < cell < EXACT and cell.is_integer() else cell
    if kind is time:
        return cell.isoformat()
    if kind is timedelta:
        # [h]:mm cells, and day 0 of a date format
        return str(cell)
    return cell
