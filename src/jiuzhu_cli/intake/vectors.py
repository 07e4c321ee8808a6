"""Texts of a whole column looked at by their code points, so that only the odd ones are read one by one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import compress
from typing import Any

import numpy as np

_PROBE = 512
_CHINESE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF))


def repeats_itself(cells: Sequence[Any]) -> bool:
    """Whether a column seems to have few distinct values, which are then read once each."""
    probe = cells[:_PROBE]
    return len(set(probe)) * 2 <= len(probe)


@cache
def chinese_characters() -> np.ndarray:
    """By code point: whether it is a character of the two common blocks (U+3400–4DBF, U+4E00–9FFF)."""
    table = np.zeros(0x110000, dtype=bool)
    for first, last in _CHINESE:
        table[first : last + 1] = True
    return table


@cache
def plain_characters() -> np.ndarray:
    """By code point: whether ``str.isprintable`` and not a space; beyond the first plane none."""
    table = np.zeros(0x110000, dtype=bool)
    table[:0x10000] = [chr(code).isprintable() for code in range(0x10000)]
    table[0x20] = False
    return table


def made_of(cells: Sequence[Any], table: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    """Which ``cells`` are texts of ``shortest`` to ``longest`` characters, all of which ``table`` (by code point) admits."""
    good = np.zeros(len(cells), dtype=bool)
    indexes, texts = _texts(cells)
    if not texts:
        return good
    codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    ends = (
        np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1) - 1
    )  # where each text's \n stands
    lengths = np.diff(ends, prepend=-1) - 1
    fine = (lengths >= shortest) & (lengths <= longest)
    admitted = table[codes]
    admitted[ends[:-1]] = True
    fine[np.searchsorted(ends, np.flatnonzero(~admitted))] = False
    good[indexes] = fine
    return good


def ascii_matrix(cells: Sequence[Any], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Indexes of the cells that are ASCII texts of just ``width`` characters, and these as rows of bytes."""
    indexes, texts = _texts(cells)
    chosen = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) == width
    if not chosen.all():
        indexes, texts = indexes[chosen], list(compress(texts, chosen.tolist()))
    joined = "".join(texts)
    if not joined.isascii():
        chosen = np.fromiter(map(str.isascii, texts), dtype=bool, count=len(texts))
        indexes, joined = indexes[chosen], "".join(compress(texts, chosen.tolist()))
    return indexes, np.frombuffer(joined.encode(), dtype=np.uint8).reshape(-1, width)


def keep(cells: Sequence[Any], good: np.ndarray) -> list[Any]:
    """The good cells, None in place of the others."""
    if good.all():
        return list(cells)
    out = list(cells)
    for index in np.flatnonzero(~good).tolist():
        out[index] = None
    return out


def _texts(cells: Sequence[Any]) -> tuple[np.ndarray, Sequence[str]]:
    kinds = set(map(type, cells))
    if kinds <= {str}:
        return np.arange(len(cells)), cells
    chosen = [type(cell) is str for cell in cells]
    return np.flatnonzero(chosen), list(compress(cells, chosen))
