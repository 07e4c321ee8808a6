"""One column of a sheet: its cells as vectors (texts in Arrow, kinds in numpy), and as Python values where somebody asks.

A large ledger stays in Arrow from the reader to the record; what looks at single cells (titles, headers, odd values) reads
them by index. A column made from Python values turns into vectors when they are asked for, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from jiuzhu_cli.tabular.cells import Cell, CellError

if TYPE_CHECKING:
    import pyarrow as pa

# kinds of a cell; the text beside it is: nothing, the text itself, '-12', repr of a float, 'TRUE'/'FALSE', ISO date,
# ISO date and time (YYYY-MM-DDTHH:MM:SS[.ffffff]), the error's code
BLANK, TEXT, INT, FLOAT, BOOL, DATE, DATETIME, ERROR = range(8)
_KIND_OF: dict[type, int] = {
    str: TEXT, int: INT, float: FLOAT, bool: BOOL, date: DATE, datetime: DATETIME, CellError: ERROR, type(None): BLANK
}  # fmt: skip
_REMEMBERED = 20_000  # cells of a column that remembers which of them are distinct
_LONG = 4096  # so many cells at once are read through their distinct values


class Column(Sequence[Cell]):
    """Cells of one column, ``len`` of them: ``str | int | float | bool | date | datetime | CellError | None``.

    ``text``: Arrow string array, null where blank; ``kinds``: uint8 by cell (``BLANK`` … ``ERROR``).
    """

    __slots__ = ("_cells", "_coded", "_distinct", "_kinds", "_part", "_text")

    def __init__(
        self, cells: list[Cell] | None = None, *, text: pa.StringArray | None = None, kinds: np.ndarray | None = None
    ) -> None:
        """From Python values, or from ``text`` and ``kinds`` of the same length."""
        self._cells, self._text, self._kinds = cells, text, kinds
        self._part: tuple[slice, Column] | None = None  # the rows that were taken last: a table's, again and again
        self._distinct: tuple[list[Cell], np.ndarray] | None = None
        self._coded: pa.DictionaryArray | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Without what it remembers."""
        return _made, (self._cells, self._text, self._kinds)

    @property
    def text(self) -> pa.StringArray:
        if self._text is None:
            self._vectors()
        return self._text

    @property
    def kinds(self) -> np.ndarray:
        if self._kinds is None:
            self._vectors()
        assert self._kinds is not None
        return self._kinds

    def _vectors(self) -> None:
        import pyarrow as pa

        cells = self._cells or []
        self._kinds = np.fromiter((_KIND_OF[type(cell)] for cell in cells), dtype=np.uint8, count=len(cells))
        if np.isin(self._kinds, (BLANK, TEXT)).all():
            self._text = pa.array(cells, type=pa.string())
        else:
            self._text = pa.array(list(map(written, cells)), type=pa.string())

    def __len__(self) -> int:
        return len(self._cells if self._cells is not None else self.text)

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if self._cells is not None:
            return self._cells[index]
        if isinstance(index, slice):
            return _values(self.text[index], self.kinds[index])
        kind = int(self.kinds[index])
        return None if kind == BLANK else _value(kind, self.text[index].as_py())

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._cells if self._cells is not None else self[:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def distinct(self) -> tuple[list[Cell], np.ndarray]:
        """The distinct cells, None last (whether or not a cell is blank), and of every cell which of them it is."""
        found = self._distinct or self._find_distinct()
        if len(self) <= _REMEMBERED:
            self._distinct = found
        return found[0].copy(), found[1]

    def coded(self) -> pa.DictionaryArray:
        """The texts by their distinct ones."""
        coded = self._coded or self.text.dictionary_encode()
        if len(self) <= _REMEMBERED:
            self._coded = coded
        return coded

    def _find_distinct(self) -> tuple[list[Cell], np.ndarray]:
        coded = self.coded()
        texts = coded.dictionary.to_pylist()
        codes = (coded.indices.fill_null(len(texts)) if coded.indices.null_count else coded.indices).to_numpy()
        if self.kinds.max(initial=BLANK) <= TEXT:
            return [*texts, None], codes
        kinds = np.bincount(self.kinds, minlength=ERROR + 1)[TEXT:].nonzero()[0] + TEXT
        if len(kinds) <= 1:
            kind = int(kinds[0]) if len(kinds) else TEXT
            return [*(texts if kind == TEXT else [_value(kind, text) for text in texts]), None], codes
        keys = codes.astype(np.int64) * (ERROR + 1) + self.kinds  # a text may be written by cells of several kinds
        blank = len(texts) * (ERROR + 1) + BLANK
        used = np.unique(np.append(keys, blank))
        place = np.zeros(blank + 1, dtype=np.int64)
        place[used] = np.arange(len(used))
        pairs = (divmod(key, ERROR + 1) for key in used[:-1].tolist())
        return [*(_value(kind, texts[code]) for code, kind in pairs), None], place[keys]

    def take(self, rows: np.ndarray | slice) -> Column:
        """The cells at ``rows`` (ascending or not); without a copy where they stand without gaps."""
        rows = rows if isinstance(rows, slice) else run_of(rows)
        if isinstance(rows, slice):
            if self._cells is not None:
                return Column(self._cells[rows])
            if self._part is None or self._part[0] != rows:
                self._part = rows, Column(text=self.text[rows], kinds=self.kinds[rows])
            return self._part[1]
        if self._cells is not None:
            return Column([self._cells[row] for row in rows.tolist()])
        import pyarrow as pa

        return Column(text=self.text.take(pa.array(rows)), kinds=self.kinds[rows])

    def as_vectors(self) -> Column:
        """The same without Python values."""
        return Column(text=self.text, kinds=self.kinds)

    def put(self, row: int, value: Cell) -> None:
        """Sets one cell; grows the column with blanks where it must. For the reader's repairs only."""
        if self._cells is None:
            self._cells = self[:]
        self._cells.extend([None] * (row + 1 - len(self._cells)))
        self._cells[row] = value
        self._text = self._kinds = self._part = self._distinct = self._coded = None

    def grow(self, height: int) -> None:
        """Blanks below, to ``height`` cells."""
        if len(self) < height:
            self.put(height - 1, None)


def _made(cells: list[Cell] | None, text: pa.StringArray | None, kinds: np.ndarray | None) -> Column:
    return Column(cells, text=text, kinds=kinds)


def run_of(rows: np.ndarray) -> np.ndarray | slice:
    """``rows`` as a slice where they stand one below the other without gaps."""
    if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows) and bool((rows[1:] > rows[:-1]).all()):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def kind_of(cell: Cell) -> int:
    """``BLANK`` … ``ERROR``."""
    return _KIND_OF[type(cell)]


def written(cell: Cell) -> str | None:
    """The text that stands beside the kind."""
    if cell is None or type(cell) is str:
        return cell
    if type(cell) is bool:
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, date):
        return cell.isoformat()
    return cell.code if isinstance(cell, CellError) else repr(cell)


def _value(kind: int, text: str) -> Cell:
    if kind == TEXT:
        return text
    if kind == INT:
        return int(text)
    if kind == FLOAT:
        return float(text)
    if kind == BOOL:
        return text == "TRUE"
    if kind == DATE:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text) if kind == DATETIME else CellError(text)


def _values(text: pa.StringArray, kinds: np.ndarray) -> list[Cell]:
    if (kinds <= TEXT).all() and len(kinds) <= _LONG:
        return text.to_pylist()
    coded = text.dictionary_encode() if len(kinds) > _LONG else None
    if coded is not None and len(coded.dictionary) * 2 <= len(kinds):  # equal texts of a column are one object
        distinct = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        texts = distinct[coded.indices.fill_null(len(distinct) - 1).to_numpy(zero_copy_only=False)].tolist()
    else:
        texts = text.to_pylist()
    if (kinds <= TEXT).all():
        return texts
    made: dict[tuple[int, str], Cell] = {}
    for index in (kinds > TEXT).nonzero()[0].tolist():
        key = int(kinds[index]), texts[index]
        if key not in made:
            made[key] = _value(*key)
        texts[index] = made[key]
    return texts
