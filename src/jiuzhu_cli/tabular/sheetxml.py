"""A worksheet's XML to columns: cut between rows while it is inflated, read as vectors on two threads, put together.

Memory is that of the result and of a few chunks. ``Unusual`` wherever the sheet is not written in the plain manner of the
known programs (see ``sheetrows``): then nothing of it counts and the kept reader reads it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from jiuzhu_cli.tabular.cells import split_reference
from jiuzhu_cli.tabular.column import Column
from jiuzhu_cli.tabular.growing import GrowingColumns
from jiuzhu_cli.tabular.sheetrows import RowReader, Rows
from jiuzhu_cli.tabular.words import PAD, Unusual

THREADS, LARGE = 2, 4 << 20  # from so many bytes of XML on, threads pay
_MANY = 8  # parts from which columns grow in place
_LONGEST_HEAD, _LONGEST_ROW, _LONGEST_TAIL = 1 << 20, 16 << 20, 64 << 20
_ROOT = re.compile(rb"<worksheet[\s>]")
_EMPTY = re.compile(rb"<sheetData\s*/>|<sheetData>\s*</sheetData>")
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3}[0-9]{1,7})(?::([A-Z]{1,3}[0-9]{1,7}))?"\s*/>')


@dataclass(slots=True)
class SheetXml:
    """Columns at true coordinates, merged ranges as 0-based inclusive (row0, col0, row1, col1), what else the rows tell."""

    columns: list[Column] = field(default_factory=list)
    height: int = 0
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    rows: int = 0  # number of the last row in the file
    head: bytes = b""  # what stands before the rows


def read_sheet(
    blocks: Iterable[bytes], reader: RowReader, size: int, check: Callable[[int, int, int], None]
) -> SheetXml:
    """``blocks``: the XML piece by piece; ``size``: bytes of all of it, by the archive's word.

    ``check(last_row, last_column, cells)``, 0-based, is asked before the columns are put together. Unusual: see above.
    """
    sheet, pieces = SheetXml(), _Pieces(blocks)
    parts: list[Rows] = []
    grown = GrowingColumns()
    cells = width = 0
    for one in _read_all(reader, pieces, size >= LARGE):
        if one.top and one.top <= sheet.rows:
            raise Unusual("order of rows")
        sheet.rows = max(sheet.rows, one.bottom)
        sheet.hidden_rows.update(one.hidden)
        if one.cells:
            parts.append(one)
            cells, width, sheet.height = cells + one.cells, max(width, len(one.text)), one.last + 1
        if len(parts) == _MANY:
            # the rectangle so far is looked at before it is filled
            check(sheet.height - 1, width - 1, cells)
            while parts:
                grown.add(parts.pop(0))
    sheet.head = pieces.head
    sheet.merged = _merged(pieces.tail)
    if width:
        check(sheet.height - 1, width - 1, cells)
    if grown.height:
        while parts:
            grown.add(parts.pop(0))
        sheet.columns = grown.columns()
    else:
        sheet.columns = [_column(parts, index, sheet.height) for index in range(width)]
    return sheet


def _read_all(reader: RowReader, pieces: Iterable[bytes], threads: bool) -> Iterator[Rows]:
    if not threads:
        yield from map(reader.read, pieces)
        return
    running: deque[Future[Rows]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="rows") as pool:
        try:
            for piece in pieces:
                try:
                    running.append(pool.submit(reader.read, piece))
                except RuntimeError:  # no room for the stack of a thread
                    raise MemoryError from None
                if len(running) > THREADS:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


class _Pieces:
    """The rows in pieces that begin with ``<row`` and end with a row, with room behind; then ``head`` and ``tail`` are known."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.head = self.tail = b""

    def __iter__(self) -> Iterator[bytes]:
        block, carry = self._begin(), b""
        while block:
            last = block.rfind(b"<row ")
            if last < 0:
                block, carry = carry + block, b""
                last = max(block.rfind(b"<row "), 0)
            end = block.find(b"</sheetData>", last)
            if end >= 0:
                yield b"".join((carry, memoryview(block)[:end], PAD))
                self._finish(block[end:])
                return
            if carry or last:
                yield b"".join((carry, memoryview(block)[:last], PAD))
            carry = block[last:]
            if len(carry) > _LONGEST_ROW:
                raise Unusual("long row")
            block = next(self._blocks, b"")
            if not block:
                raise Unusual("cut off")

    def _begin(self) -> bytes:
        """Reads up to the first row; what has been read of the rows, nothing when there are none."""
        head = b""
        for block in self._blocks:
            head += block
            at = head.find(b"<row ")
            if at >= 0:
                self.head = head[:at]
                if b"<!" in self.head or not _ROOT.search(self.head) or not self.head.rstrip().endswith(b"<sheetData>"):
                    raise Unusual("head")
                return head[at:]
            if len(head) > _LONGEST_HEAD:
                raise Unusual("head")
        match = _EMPTY.search(head)
        if match is None or b"<!" in head or not _ROOT.search(head):
            raise Unusual("no rows")
        self.head = head[: match.start()] + b"<sheetData>"
        self._finish(b"</sheetData>" + head[match.end() :])
        return b""

    def _finish(self, tail: bytes) -> None:
        parts, size = [tail], len(tail)
        for block in self._blocks:
            parts.append(block)
            size += len(block)
            if size > _LONGEST_TAIL:
                raise Unusual("tail")
        self.tail = b"".join(parts)
        if not self.tail.rstrip().endswith(b"</worksheet>") or b"<!" in self.tail:
            raise Unusual("tail")
        try:
            expat.ParserCreate().Parse(self.head + self.tail, True)  # the sheet without its rows
        except expat.ExpatError:
            raise Unusual("frame") from None


def _merged(tail: bytes) -> list[tuple[int, int, int, int]]:
    found = []
    for match in _MERGED.finditer(tail):
        first = split_reference(match.group(1).decode())
        last = split_reference((match.group(2) or match.group(1)).decode())
        if first is None or last is None:
            raise Unusual("merged")
        found.append((*first, *last))
    if len(found) != len(re.findall(rb"mergeCell[\s/>]", tail)):
        raise Unusual("merged")
    return found


def _column(parts: list[Rows], index: int, height: int) -> Column:
    """One column of all parts, blank where a part has nothing."""
    texts, kinds, at = [], np.zeros(height, dtype=np.uint8), 0
    for part in parts:
        text, own = (part.text[index], part.kinds[index]) if index < len(part.text) else (None, None)
        if text is None or own is None:
            continue
        if part.first > at:
            texts.append(pa.nulls(part.first - at, pa.string()))
        at = part.last + 1
        texts.append(text)
        kinds[part.first : at] = own
    if at < height:
        texts.append(pa.nulls(height - at, pa.string()))
    return Column(text=pa.concat_arrays(texts) if len(texts) > 1 else texts[0], kinds=kinds)
