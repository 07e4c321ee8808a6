"""How much room text takes in a cell, in half-width characters and lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WIDE = re.compile("[\u2e80-\U0010ffff“”‘’…—·×]+")


def text_width(text: str) -> int:
    """Half-width columns that ``text`` takes; Chinese characters take two; of several lines the longest."""
    if "\n" in text:
        return max(map(text_width, text.split("\n")))
    return len(text) + sum(map(len, _WIDE.findall(text)))


@lru_cache(maxsize=4096)  # a basis, a place, a file stand in thousands of rows
def lines_of(text: str, width: float, scale: float) -> int:
    """Lines that ``text`` takes in a cell of ``width`` half-width characters at 11 points times ``scale``."""
    room = max(1.0, (width - 1) / scale)
    if 2 * len(text) <= room and "\n" not in text:
        return 1
    if "\n" not in text:
        return max(1, -(-text_width(text) // int(room)))
    return sum(max(1, -(-text_width(line) // int(room))) for line in text.split("\n"))


# A4 less the margins that this program prints with: pixels across at 96 an inch, points down
PRINTED_ACROSS = {False: 717, True: 1045}
PRINTED_DOWN = {False: 748.0, True: 502.0}


def page_room(widths: Sequence[float], *, landscape: bool) -> float:
    """Points down that an A4 page holds of a sheet fitted to its width, columns of ``widths`` in digits of Calibri 11 (7 pixels)."""
    pixels = sum(int(width * 7 + 5) for width in widths)
    return PRINTED_DOWN[landscape] * 100 / min(100, PRINTED_ACROSS[landscape] * 100 // max(1, pixels))


def row_height(texts: Iterable[tuple[str, float]], size: float, least: float = 0) -> float:
    """Points of a row whose wrapped cells hold (text, width) in a font of ``size``; at least ``least``, at most 400."""
    lines = max((lines_of(text, width, size / 11) for text, width in texts if text), default=1)
    return min(max(least, lines * size * 1.45 + 3 if lines > 1 else 0), 400)
