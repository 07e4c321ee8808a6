"""A large worksheet read slice by slice, while it is being inflated and looked through.

The reader takes a whole workbook, keeps every cell of a sheet at once and works on one core. So a large sheet's XML is
cut between rows, and each slice is handed to it as a small workbook of its own (the same styles and shared strings, a
sheet with just these rows) on a second thread: the reader leaves the interpreter free. Memory stays that of a few slices.
Cells are the very ones that reading the sheet at once gives, for the same reader reads them; wherever a slice fails or
rows are out of order, the sheet is read at once instead.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.tabular.convert import Columns

LARGE = 16 << 20  # bytes of a sheet's XML from which slices pay
SLICE = 2 << 20
SHARED = 4  # a slice is so many times larger than the shared strings, which are parsed for every slice
MAX_SLICE = 24 << 20  # each is held a few times over
READERS = 2
_LONGEST_HEAD = 1 << 20  # what stands before the rows
_ROW = b'<row r="'
_DIMENSION = re.compile(rb"<dimension [^>]*/>|<dimension [^>]*>\s*</dimension>")
_END = b"</sheetData></worksheet>"


@dataclass(slots=True)
class SlicedSheet:
    """What was read: columns at true coordinates, merged ranges as 0-based inclusive (row0, col0, row1, col1)."""

    columns: Columns
    merged: list[tuple[int, int, int, int]]


@dataclass(slots=True)
class _Slice:
    rows: list[list[Any]]
    start: tuple[int, int]
    merged: list[tuple[int, int, int, int]]


class Slices:
    """Takes the chunks of a sheet's XML in order (cut before ``<row``), gives the sheet. One use each.

    ``shell``: the parts of the workbook that cells need; ``part``: the sheet's; ``title``: its name.
    """

    def __init__(self, shell: Mapping[str, bytes], part: str, title: str) -> None:
        self._shell, self._part, self._title = shell, part, title
        self._size = min(max(SLICE, SHARED * max((len(data) for data in shell.values()), default=0)), MAX_SLICE)
        self._head = b""
        self._held: list[bytes] = []
        self._begun = False
        self._running: deque[Future[_Slice]] = deque()
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="slice")
        self._out = SlicedSheet(Columns(), [])
        self.failed = False

    def add(self, chunk: bytes) -> None:
        """The next chunk. It must be safe for the reader: no cell absurdly far away."""
        if self.failed:
            return
        if not self._begun:
            chunk = self._head + chunk
            at = chunk.find(_ROW)
            self._head = chunk[:at] if at >= 0 else chunk
            if at < 0 and len(chunk) <= _LONGEST_HEAD:
                return
            if at < 0 or b"<sheetData>" not in self._head:
                self.abandon()
                return
            self._begun, self._head, chunk = True, _DIMENSION.sub(b"", self._head), chunk[at:]
        elif sum(map(len, self._held)) >= self._size and chunk.startswith(_ROW):
            self._submit(_END)
        self._held.append(chunk)

    def _submit(self, end: bytes) -> None:
        sheet = b"".join([self._head, *self._held, end])
        self._held = []
        self._running.append(self._pool.submit(self._read, sheet))
        del sheet
        while len(self._running) > READERS and not self.failed:
            self._collect()

    def _read(self, sheet: bytes) -> _Slice:
        from python_calamine import CalamineWorkbook

        book = io.BytesIO()
        with zipfile.ZipFile(book, "w") as archive:
            for name, data in self._shell.items():
                archive.writestr(name, data)
            archive.writestr(self._part, sheet)
        del sheet
        book.seek(0)
        with CalamineWorkbook.from_filelike(book) as workbook:
            found = workbook.get_sheet_by_name(self._title)
            merged = [(a, b, c, d) for (a, b), (c, d) in found.merged_cell_ranges or []]
            if found.start is None:
                return _Slice([], (0, 0), merged)
            return _Slice(found.to_python(skip_empty_area=True), found.start, merged)

    def _collect(self) -> None:
        try:
            one = self._running.popleft().result()
            if one.rows:
                self._out.columns.add(one.rows, *one.start)
            self._out.merged += one.merged
        except Exception:  # whatever it is, reading the sheet at once will say
            self.abandon()
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # the reader's own failure, not an Exception
                raise
            self.abandon()

    def abandon(self) -> None:
        """Gives up; what was read is dropped."""
        self.failed = True
        self._held, self._out = [], SlicedSheet(Columns(), [])
        self._running.clear()
        self._pool.shutdown(cancel_futures=True)

    def finish(self) -> SlicedSheet | None:
        """The sheet, or None when it has to be read at once."""
        if not self.failed and self._begun:
            self._submit(b"")  # the rest of the file closes the sheet
            while self._running and not self.failed:
                self._collect()
        self._pool.shutdown(cancel_futures=True)
        return None if self.failed or not self._begun else self._out
