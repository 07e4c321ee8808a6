"""A sheet under construction, cell by cell, for files whose cells come in any order; bounded like every other reader."""

from __future__ import annotations

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import Cell, Sheet, column_letters
from jiuzhu_cli.tabular.column import Column
from jiuzhu_cli.tabular.guard import MAX_AREA, SPARSE, SPARSE_AREA

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"


class CellGrid:
    """Takes cells at 0-based places, gives a ``Sheet``. ``file`` and ``name`` (the sheet's) are for messages.

    DataError on a place beyond the edges of a sheet, or when a few cells span an absurd rectangle.
    """

    def __init__(self, file: str, name: str) -> None:
        self.file, self.name = file, name
        self.rows = 0  # rows that the file carries, with or without a value
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: list[tuple[int, int, int, int]] = []
        self._columns: list[list[Cell]] = []
        self._allocated = self._filled = 0

    def put(self, row: int, column: int, value: Cell) -> None:
        """Sets a cell; blank ones (None) only count as carried rows."""
        if row >= MAX_ROWS or column >= MAX_COLUMNS:
            self._refuse(row, column)
        if row >= self.rows:
            self.rows = row + 1
        if value is None:
            return
        while len(self._columns) <= column:
            self._columns.append([])
        cells = self._columns[column]
        self._filled += 1
        gap = row - len(cells)
        if gap < 0:
            cells[row] = value
            return
        self._allocated += gap + 1
        if self._allocated > MAX_AREA or (self._allocated > SPARSE_AREA and self._filled * SPARSE < self._allocated):
            self._refuse(row, column)
        if gap:
            cells.extend([None] * gap)
        cells.append(value)

    def merge(self, row: int, column: int, last_row: int, last_column: int) -> None:
        """A merged range, inclusive; cut at the edges of a sheet. DataError when there are more than a sheet has cells."""
        if (last_row, last_column) != (row, column):
            self.merged.append((row, column, min(last_row, MAX_ROWS - 1), min(last_column, MAX_COLUMNS - 1)))

    def _refuse(self, row: int, column: int) -> None:
        far = f"{column_letters(column)}{row + 1}"
        if row >= MAX_ROWS or column >= MAX_COLUMNS:
            raise DataError(f"“{self.file}”的工作表“{self.name}”里有超出表格边界的单元格（{far}）", _RESAVE)
        raise DataError(
            f"“{self.file}”的工作表“{self.name}”只有 {self._filled} 个有内容的单元格，范围却一直到 {far}，没有读取",
            f"按 Ctrl+End 找到远处的单元格，把它所在的行、列整行整列删除，保存后再导入（范围 {far}）",
        )

    def sheet(self, *, hidden: bool = False) -> Sheet:
        """The sheet; every column as high as the last row with a value."""
        height, width = max(map(len, self._columns), default=0), len(self._columns)
        area = height * width
        if area > MAX_AREA or (area > SPARSE_AREA and self._filled * SPARSE < area):
            self._refuse(height - 1, width - 1)
        for cells in self._columns:
            cells.extend([None] * (height - len(cells)))
        return Sheet(
            self.name,
            hidden=hidden,
            width=width,
            height=height,
            columns=[Column(cells) for cells in self._columns],
            merged=self.merged,
            hidden_rows=self.hidden_rows,
            hidden_columns=self.hidden_columns,
            blank_rows=max(0, self.rows - height),
        )
