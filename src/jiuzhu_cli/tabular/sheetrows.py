"""Rows of a worksheet's XML read as vectors: texts to Arrow, kinds to numpy, a chunk of rows at a time.

Only what is written in the plain manner of the known programs is read here, and every byte of it is accounted for: each
tag of a chunk belongs to a row or a cell of a known shape, standing at its literal place. Cells of another shape or with
values that are not plainly text or number go, once for each distinct writing, to the kept reader (``oddcells``). Whatever
leaves a doubt raises ``Unusual``, and the whole sheet is read by the kept reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.tabular.column import BLANK, FLOAT, INT, TEXT
from jiuzhu_cli.tabular.oddcells import OddCells, Tails
from jiuzhu_cli.tabular.shared import SharedStrings
from jiuzhu_cli.tabular.words import (
    ENDS,
    PAD,
    Split,
    Unusual,
    codes_of,
    escapes,
    indices,
    literal,
    numbers_of,
    other_numbers,
    plain_numbers,
    spans,
    stands,
    strings,
    whole_numbers,
    words_of,
)

MAX_GRID = 8 << 20  # cells of the rectangle of one chunk
MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
_ROW_TAIL = re.compile(rb'(?:\s+[\w:.]+="[^"<>&]*")*\s*(/?)>\s*')
_HIDDEN = re.compile(rb'\shidden="(?:1|true)"')

_CELL, _CELL_MASK = literal(b'<c r="')
_ROW, _ = literal(b'<row r="')
_ROW_END, _ROW_END_MASK = literal(b"</row>")
_VALUE, _VALUE_MASK = literal(b"<v>")
_VALUE_END, _ = literal(b"</v></c>")
_INLINE, _INLINE_MASK = literal(b"<is><t>")
_INLINE_SPACED, _ = literal(b"<is><t x")
_SPACED = b'<t xml:space="preserve">'
_INLINE_END, _ = literal(b"</t></is")
_INLINE_END_5, _ = literal(b"/is></c>")
_FORMULA, _FORMULA_MASK = literal(b"<f")
_FORMULA_VALUE, _FORMULA_VALUE_MASK = literal(b"</f><v>")
_CELL_END, _CELL_END_MASK = literal(b"</c>")
_SPACES = np.zeros(256, dtype=bool)
_SPACES[[9, 10, 13, 32]] = True


@dataclass(slots=True)
class Rows:
    """What one chunk holds. ``text[c]``: strings of rows ``first`` … ``last`` (0-based), None where the column is blank there."""

    first: int = 0
    last: int = -1
    text: list[pa.StringArray | None] = field(default_factory=list)
    kinds: list[np.ndarray | None] = field(default_factory=list)
    cells: int = 0  # with a value
    top: int = 0  # number of the first row of the chunk in the file, 1-based, and of the last
    bottom: int = 0
    hidden: list[int] = field(default_factory=list)


class RowReader:
    """Reads chunks that begin with ``<row`` and end with a whole row. Safe for several threads."""

    def __init__(self, odd: OddCells, tails: Tails, shared: SharedStrings) -> None:
        self.odd, self.tails, self.shared = odd, tails, shared
        self._row_tails: dict[bytes, tuple[bool, bool]] = {}

    def read(self, data: bytes) -> Rows:
        """``data``: the chunk and ``PAD``. Unusual when it is not of the plain shape."""
        try:
            return _Chunk(self, data).run()
        except IndexError:  # tags that are not where they should be
            raise Unusual("tags") from None

    def row_tail(self, tail: bytes) -> tuple[bool, bool]:
        """Whether a row with these attributes is closed at once, and whether it is hidden."""
        known = self._row_tails.get(tail)
        if known is None:
            match = _ROW_TAIL.fullmatch(tail)
            if match is None:
                raise Unusual("row")
            known = bool(match.group(1)), _HIDDEN.search(tail) is not None
            if len(self._row_tails) < 100_000:
                self._row_tails[tail] = known
        return known


class _Chunk:
    def __init__(self, reader: RowReader, data: bytes) -> None:
        self.reader, self.data, self.size = reader, data, len(data) - len(PAD)
        self.bytes = np.frombuffer(data, dtype=np.uint8)
        self.words = words_of(data)
        self.ends = (self.bytes[: self.size + ENDS] == 60).nonzero()[0]  # '<', and those behind the data
        self.tags = self.ends[:-ENDS]
        self.out = Rows()

    def run(self) -> Rows:
        self._find()
        if not len(self.cell):
            return self.out
        self._references()
        self._values()
        return self._grid()

    def _find(self) -> None:
        """Indices in ``tags`` of rows, of cells and of the tag behind each cell; the frame of the rows is checked."""
        letters = self.bytes.take(self.tags + 1)
        rows = (letters == ord("r")).nonzero()[0]
        heads = self.words[self.tags[rows]]
        mine = heads == _ROW
        if not mine.all():  # <r>, <rPr>, <rPh> of a text with formats
            second = self.bytes.take(self.tags[rows[~mine]] + 2)
            if (second == ord("o")).any():
                raise Unusual("row without number")
            rows = rows[mine]
        cells = (letters == ord("c")).nonzero()[0]
        heads = self.words[self.tags[cells]]
        mine = (heads & _CELL_MASK) == _CELL
        if not mine.all():  # <color>, <charset> of a text with formats
            third = self.bytes.take(self.tags[cells[~mine]] + 2)
            if np.isin(third, np.frombuffer(b" >/\t\r\n", dtype=np.uint8)).any():
                raise Unusual("cell without reference")
            cells, heads = cells[mine], heads[mine]
        if not len(rows) or rows[0] != 0 or self.tags[0] != 0:
            raise Unusual("cells without a row")
        self._rows(rows, cells)
        self.cell, self.heads = cells, heads
        self.after = np.empty_like(cells)
        self.after[:-1] = cells[1:]
        full = self.counts > 0
        self.after[(np.cumsum(self.counts) - 1)[full]] = self.close[full]
        self.tag_count = self.after - cells

    def _rows(self, rows: np.ndarray, cells: np.ndarray) -> None:
        at = self.tags[rows]
        word = self.words[at + 8]
        digits, number = numbers_of(word)
        if (digits > 7).any() or (digits < 1).any() or (self.bytes.take(at + 8) == 48).any():
            raise Unusual("row number")
        if (np.diff(number) <= 0).any() or number[-1] > MAX_ROW:
            raise Unusual("order of rows")
        self.number, self.row_digits = number, digits
        shift = (64 - 8 * (digits + 1)).astype(np.uint64)
        self.row_mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> shift
        self.row_word = word & self.row_mask  # the digits and the quote behind them
        self.out.top, self.out.bottom = int(number[0]), int(number[-1])

        ends = self.ends
        begin = at + 9 + digits
        tails = spans(self.data, begin, ends[rows + 1]).dictionary_encode()
        facts = [self.reader.row_tail(tail) for tail in tails.dictionary.to_pylist()]
        forms = codes_of(tails.indices)
        closed = np.array([fact[0] for fact in facts], dtype=bool)[forms]
        hidden = np.array([fact[1] for fact in facts], dtype=bool)[forms]
        self.out.hidden = (number[hidden] - 1).tolist()

        following = np.append(rows[1:], len(self.tags))
        self.close = following - 1  # the tag that ends the row
        if (following[closed] != rows[closed] + 1).any():
            raise Unusual("row closed at once")
        opened = ~closed
        end = self.tags[self.close[opened]]
        if ((self.words[end] & _ROW_END_MASK) != _ROW_END).any():
            raise Unusual("end of row")
        rest = ends[following[opened]] - end - 6  # line ends between rows
        if (rest > 2).any() or not all(
            _SPACES[self.bytes.take(end[rest > gap] + 6 + gap)].all() for gap in range(int(rest.max(initial=0)))
        ):
            raise Unusual("between rows")
        first = np.searchsorted(cells, rows)
        self.counts = np.diff(np.append(first, len(cells)))
        full = self.counts > 0
        if (self.counts[closed] > 0).any() or (cells[first[full]] != rows[full] + 1).any():
            raise Unusual("row")
        if ((self.close - rows)[opened & ~full] != 1).any():
            raise Unusual("row")

    def _references(self) -> None:
        """Column of each cell and where its attributes begin; the number in its reference must be its row's."""
        self.row = np.repeat(np.arange(len(self.counts)), self.counts)
        first = ((self.heads >> np.uint64(48)) & np.uint64(255)).astype(np.int64) - 65
        second = (self.heads >> np.uint64(56)).astype(np.int64) - 65
        two = second >= 0
        if first.min() < 0 or first.max() > 25 or second.max() > 25:
            raise Unusual("reference")
        self.column = np.where(two, first * 26 + second + 26, first)
        at = self.tags[self.cell] + 7 + two
        longer = two.nonzero()[0]
        if len(longer):
            third = self.bytes.take(self.tags[self.cell[longer]] + 8).astype(np.int64) - 65
            three = (third >= 0) & (third <= 25)
            longer = longer[three]
            self.column[longer] = self.column[longer] * 26 + third[three] + 26
            at[longer] += 1
            if self.column.max() >= MAX_COLUMN:
                raise Unusual("reference")
        word = self.words[at] & np.repeat(self.row_mask, self.counts)
        if (word != np.repeat(self.row_word, self.counts)).any():
            raise Unusual("reference")  # of another row
        steps = np.diff(self.column)
        if ((steps <= 0) & (np.diff(self.row) == 0)).any():
            raise Unusual("order of cells")
        self.tail = at + np.repeat(self.row_digits + 1, self.counts)

    def _values(self) -> None:
        """Where each cell's value stands, and of which sort it is: text or number, shared string, odd, or none."""
        count, tails = len(self.cell), self.reader.tails
        self.tail_end, self.behind = self.ends[self.cell + 1], self.ends[self.after]
        self.what, closed = tails.forms(self.data, self.words, self.tail, self.tail_end)
        if (closed != (self.tag_count == 1)).any() or (self.behind[closed] != self.tail_end[closed]).any():
            raise Unusual("cell closed at once")
        self.begin, self.end = np.full(count, -1), np.full(count, -2)
        # a blank of a sort that may say something else stays for the kept reader
        odd = (self.tag_count != 1) | ((self.what != tails.NUMBER) & (self.what != tails.DATED))
        text, number, shared = np.zeros((3, count), dtype=bool)
        for tags, shape in ((2, self._empty), (4, self._value), (5, self._value), (6, self._inline_or_formula)):
            here = (self.tag_count == tags).nonzero()[0]
            if len(here):
                fine, inline = shape(here)
                what = self.what[here]
                text[here] = fine & (what == np.where(inline, tails.INLINE, tails.STR))
                number[here] = fine & (what == tails.NUMBER) & ~inline
                shared[here] = fine & (what == tails.SHARED) & ~inline
                odd[here] &= ~(text[here] | number[here] | shared[here])
                if tags == 2:
                    odd[here] = (what != tails.NUMBER) & (what != tails.DATED)
        empty = self.begin == self.end
        odd |= empty & (text | number | shared)
        text[empty] = number[empty] = shared[empty] = False
        self.kind = np.full(count, BLANK, dtype=np.uint8)
        self.renumbered, self.rewritten = np.zeros(0, dtype=np.int64), list[str]()
        self._escapes(text, odd)
        self._numbers(number, odd)
        self.kind[text] = TEXT
        self.text_or_number = text | number
        self.shared, self.odd = shared.nonzero()[0], odd.nonzero()[0]

    def _empty(self, here: np.ndarray) -> tuple[np.ndarray, np.ndarray | np.bool_]:
        """``<c …></c>``"""
        end = self.tail_end[here]
        if ((self.words[end] & _CELL_END_MASK) != _CELL_END).any() or (self.behind[here] != end + 4).any():
            raise Unusual("cell")
        return np.zeros(len(here), dtype=bool), np.False_

    def _value(self, here: np.ndarray) -> tuple[np.ndarray, np.ndarray | np.bool_]:
        """``<c …><v>…</v></c>``, perhaps with ``<f …/>`` before the value."""
        first = self.cell[here] + self.tag_count[here] - 3
        at, end = self.ends[first], self.ends[first + 1]
        fine = ((self.words[at] & _VALUE_MASK) == _VALUE) & (self.words[end] == _VALUE_END)
        fine &= self.behind[here] == end + 8
        if self.tag_count[here[0]] == 5:
            fine &= (self.words[self.tail_end[here]] & _FORMULA_MASK) == _FORMULA
            fine &= self.bytes.take(at - 2) == ord("/")
        self.begin[here], self.end[here] = at + 3, end
        return fine, np.False_

    def _inline_or_formula(self, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``<c …><is><t>…</t></is></c>``, perhaps with ``xml:space``; ``<c …><f …>…</f><v>…</v></c>``. Which, too."""
        words, ends, first, behind = self.words, self.ends, self.cell[here], self.behind[here]
        head, opens = words[self.tail_end[here]], ends[first + 2]
        spaced = head == _INLINE_SPACED
        inline = ((head & _INLINE_MASK) == _INLINE) | spaced
        begin = opens + np.where(inline, np.where(spaced, len(_SPACED), 3), 7)
        end = ends[first + np.where(inline, 3, 4)]
        text = inline & (words[end] == _INLINE_END) & (words[end + 5] == _INLINE_END_5) & (behind == end + 13)
        if spaced.any():
            text[spaced] &= stands(words, opens[spaced], _SPACED)
        formula = ~inline & ((head & _FORMULA_MASK) == _FORMULA) & (behind == end + 8)
        formula &= ((words[opens] & _FORMULA_VALUE_MASK) == _FORMULA_VALUE) & (words[end] == _VALUE_END)
        self.begin[here], self.end[here] = begin, end
        return text | formula, inline

    def _escapes(self, text: np.ndarray, odd: np.ndarray) -> None:
        """Texts with an entity, an ``_x000D_`` or a carriage return are odd."""
        found = escapes(self.data)
        if len(found):
            owner = np.searchsorted(self.tail, found, side="right") - 1
            owner = owner[owner >= 0]
            owner = owner[text[owner]]
            text[owner], odd[owner] = False, True

    def _numbers(self, number: np.ndarray, odd: np.ndarray) -> None:
        """Numbers written as Python writes them keep their text, others get it; what is no number is odd."""
        here = number.nonzero()[0]
        if not len(here):
            return
        begin, end = self.begin[here], self.end[here]
        integral, fraction, rest = plain_numbers(self.data, self.words, begin, end)
        self.kind[here[integral]], self.kind[here[fraction]] = INT, FLOAT
        number[here[rest]] = False
        if len(rest):
            mine, whole, self.rewritten = other_numbers(self.data, begin[rest], end[rest])
            self.renumbered = here[rest[mine]]
            self.kind[self.renumbered] = np.where(whole, INT, FLOAT)
            odd[here[rest]] = True
            odd[self.renumbered] = False

    def _grid(self) -> Rows:
        """The cells as columns. Sources: the chunk itself, the shared strings, what the kept reader made of odd cells."""
        out, count = self.out, len(self.cell)
        code = np.zeros(count, dtype=np.int32)  # which text, 0 for none; > 0 of the chunk, < 0 of the odd cells
        plain = self.text_or_number.nonzero()[0]
        code[plain] = np.arange(1, 2 * len(plain), 2)
        present = self.text_or_number.copy()
        present[self.shared] = present[self.renumbered] = True
        others: list[str | None] = [None, *self.rewritten]
        code[self.renumbered] = -np.arange(1, len(others))
        if len(self.odd):
            self._odd_cells(code, present, others)
        other_text = strings(others)
        index: np.ndarray | None = None
        if len(self.shared):
            number = self._shared_numbers()
            self.kind[self.shared] = self.reader.shared.kinds[number]
            index = np.zeros(count, dtype=np.int32)
            index[self.shared] = number
        valued = present.nonzero()[0]
        if not len(valued):
            return out
        rows = self.number[self.row] - 1
        out.cells, out.first, out.last = len(valued), int(rows[valued[0]]), int(rows[valued[-1]])
        height, width = out.last - out.first + 1, int(self.column[valued].max()) + 1
        if height * width > MAX_GRID:
            raise Unusual("sparse")
        stride = height + -height % 8  # whole bytes of the flags that say which cells are blank
        place = self.column[valued] * stride + rows[valued] - out.first

        def spread(values: np.ndarray) -> np.ndarray:
            grid = np.zeros(stride * width, dtype=values.dtype)
            grid[place] = values[valued]
            return grid.reshape(width, stride)

        codes, kinds = spread(code), spread(self.kind)[:, :height]
        shared = spread(index)[:, :height] if index is not None else None
        low, high = codes.min(axis=1).tolist(), codes.max(axis=1).tolist()
        texts = None
        if max(high) > 0:
            held = spans(self.data, self.begin[plain], self.end[plain], between=True)
            taken = held.take(indices((np.maximum(codes, 0) if min(low) < 0 else codes).ravel()))
            try:
                texts = Split(taken.cast(pa.string()), stride, height)
            except pa.ArrowInvalid:
                raise Unusual("encoding") from None
        for column in range(width):
            parts = []
            if texts is not None and high[column] > 0:
                parts.append(texts.part(column))
            if low[column] < 0:
                parts.append(other_text.take(indices(np.maximum(-codes[column, :height], 0))))
            if shared is not None and shared[column].any():
                parts.append(self.reader.shared.text.take(indices(shared[column])))
            out.text.append((pc.coalesce(*parts) if len(parts) > 1 else parts[0]) if parts else None)
            out.kinds.append(kinds[column] if parts else None)
        return out

    def _odd_cells(self, code: np.ndarray, present: np.ndarray, others: list[str | None]) -> None:
        """Adds the texts of the odd cells to ``others``; sets ``code``, ``kind`` and ``present`` of theirs."""
        if b"<!" in self.data or b"<?" in self.data:
            raise Unusual("comment")
        bodies = spans(self.data, self.tail[self.odd], self.ends[self.after[self.odd]]).dictionary_encode()
        answers = self.reader.odd.read(bodies.dictionary.to_pylist())
        forms, first = codes_of(bodies.indices), len(others)
        others += [answer.text for answer in answers]
        code[self.odd] = -first - forms
        self.kind[self.odd] = np.array([answer.kind for answer in answers], dtype=np.uint8)[forms]
        present[self.odd] = np.array([answer.present for answer in answers], dtype=bool)[forms]

    def _shared_numbers(self) -> np.ndarray:
        """Index in the shared strings of the cells that use them: 1 is the first string, 0 is none."""
        begin, end = self.begin[self.shared], self.end[self.shared]
        number = whole_numbers(self.words, begin, end)
        if number is None or int(number.max()) >= len(self.reader.shared):
            raise Unusual("shared string")
        number += 1
        return number
