"""A large text table without quotes read as vectors: every separator is one, so positions are all that is needed."""

from __future__ import annotations

import numpy as np

from jiuzhu_cli.tabular.column import BLANK, TEXT, Column
from jiuzhu_cli.tabular.growing import GrowingColumns
from jiuzhu_cli.tabular.sheetrows import Rows
from jiuzhu_cli.tabular.words import Unusual, indices, spans

LARGE = 1 << 20  # bytes from which it pays
PIECE = 1 << 20
_MAX_LINE = 1 << 20
_MAX_GRID = 8 << 20  # cells of the rectangle of one piece


def plain_columns(text: str, mark: str) -> tuple[list[Column], int] | None:
    """Columns and height of ``text`` with the separator ``mark``, as the csv module splits it; None where that must do it.

    Blank cells are null; a line without any character is a row; rows may differ in length.
    """
    if len(text) < LARGE or '"' in text or ord(mark) > 127:
        return None
    data = text.encode().replace(b"\r\n", b"\n")
    if b"\r" in data or not data.strip(b"\n"):
        return None
    grown = GrowingColumns()
    try:
        at = 0
        while at < len(data):
            end = data.rfind(b"\n", at, at + PIECE) + 1
            if not end:
                end = data.find(b"\n", at) + 1 or len(data)
            grown.add(_rows(data[at:end], ord(mark), grown.height))
            at = end
    except Unusual:
        return None
    return grown.columns(), grown.height


def _rows(piece: bytes, mark: int, first: int) -> Rows:
    if not piece.endswith(b"\n"):
        piece += b"\n"
    every = np.frombuffer(piece, dtype=np.uint8)
    ends = np.flatnonzero((every == mark) | (every == 10))
    begins = np.zeros_like(ends)
    begins[1:] = ends[:-1] + 1
    last = every[ends] == 10  # the field that ends a line
    line = np.zeros_like(ends)
    np.cumsum(last[:-1], out=line[1:])
    opens = np.zeros(int(line[-1]) + 1, dtype=np.int64)
    opens[1:] = np.flatnonzero(last)[:-1] + 1
    column = np.arange(len(ends)) - opens[line]
    height, width = len(opens), int(column.max()) + 1
    if height * width > _MAX_GRID or int(np.diff(begins[opens], append=len(piece)).max()) > _MAX_LINE:
        raise Unusual("lines")
    code = np.zeros(width * height, dtype=np.int32)
    code[column * height + line] = np.where(ends > begins, np.arange(1, 2 * len(ends), 2), 0)
    grid = code.reshape(width, height)
    held = spans(piece, begins, ends, between=True)
    return Rows(
        first=first,
        last=first + height - 1,
        text=[held.take(indices(codes)).cast("string") for codes in grid],
        kinds=[np.where(codes > 0, TEXT, BLANK).astype(np.uint8) for codes in grid],
    )
