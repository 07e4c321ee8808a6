"""How much room text takes in a cell, in half-width characters and lines."""

from __future__ import annotations

import re
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
