"""Columns of a large sheet that grow in place: joining many small arrays at the end would take the memory twice."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import pyarrow as pa

from jiuzhu_cli.tabular.column import BLANK, Column
from jiuzhu_cli.tabular.sheetrows import Rows
from jiuzhu_cli.tabular.words import Unusual

_LONGEST = (1 << 31) - 1  # bytes of text in one column: what Arrow's offsets can say


def _pages(size: int) -> mmap.mmap:
    if hasattr(mmap, "MAP_PRIVATE"):  # shared ones, the default, cannot grow
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return mmap.mmap(-1, size)


class _Growing:
    """Bytes in pages of the system's: what is not written takes no memory, growing copies nothing, and they go back at once."""

    def __init__(self) -> None:
        self._pages = _pages(1 << 16)
        self.size = 0

    def add(self, data: Any) -> None:
        size = self.size + memoryview(data).nbytes
        if size > len(self._pages):
            self._resize(max(size, 2 * len(self._pages)))
        self._pages[self.size : size] = data
        self.size = size

    def _resize(self, size: int) -> None:
        try:
            self._pages.resize(size)
        except (SystemError, OSError, ValueError):  # not every system can
            old = self._pages
            self._pages = _pages(size)
            self._pages[: self.size] = old[: self.size]
            old.close()

    def done(self) -> pa.Buffer:
        return pa.py_buffer(self._pages).slice(0, self.size)


class GrowingColumns:
    """Takes the parts of a sheet in order, gives its columns."""

    def __init__(self) -> None:
        self._texts: list[_Growing] = []
        self._offsets: list[_Growing] = []
        self._kinds: list[_Growing] = []
        self.height = 0

    def add(self, part: Rows) -> None:
        """Rows below those before; Unusual when a column becomes too long for Arrow."""
        while len(self._texts) < len(part.text):
            self._begin()
        count = part.last + 1 - part.first
        gap = part.first - self.height
        for index, (texts, offsets, kinds) in enumerate(zip(self._texts, self._offsets, self._kinds, strict=True)):
            text, own = (part.text[index], part.kinds[index]) if index < len(part.text) else (None, None)
            blank = gap if text is not None else gap + count
            if blank:
                offsets.add(np.full(blank, texts.size, dtype=np.int32).data.cast("B"))
                kinds.add(bytes(blank))
            if text is not None and own is not None:
                _, ends, data = text.buffers()
                own_ends = np.frombuffer(ends, dtype=np.int32)[text.offset : text.offset + count + 1]
                first, last = int(own_ends[0]), int(own_ends[-1])
                if texts.size + last - first > _LONGEST:
                    raise Unusual("column too long")
                offsets.add((own_ends[1:] + np.int32(texts.size - first)).data.cast("B"))
                kinds.add(own.data)
                if last > first:
                    texts.add(memoryview(data)[first:last])
        self.height = part.last + 1

    def _begin(self) -> None:
        """One more column, blank so far."""
        offsets, kinds = _Growing(), _Growing()
        offsets.add(bytes(4 * (self.height + 1)))
        kinds.add(bytes(self.height))
        self._texts.append(_Growing())
        self._offsets.append(offsets)
        self._kinds.append(kinds)

    def columns(self) -> list[Column]:
        """All of them, ``height`` long. Nothing can be added afterwards."""
        made = []
        for texts, offsets, grown in zip(self._texts, self._offsets, self._kinds, strict=True):
            kinds = np.frombuffer(grown.done(), dtype=np.uint8)
            valid = pa.py_buffer(np.packbits(kinds != BLANK, bitorder="little"))
            made.append(
                Column(
                    text=pa.StringArray.from_buffers(self.height, offsets.done(), texts.done(), valid),
                    kinds=kinds,
                )
            )
        return made
