"""Texts of a whole column looked at by their bytes and code points, so that only the odd ones are read one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.names import ODD_CHARACTERS, ODD_NAME

_NAME = ((0xB7, 0xB7), (0x4E00, 0x9FA5))
_CHINESE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF))
_PLAIN = (
    (0x21, 0x7E), (0xB7, 0xB7), (0x3001, 0x3003), (0x3005, 0x3011), (0x3014, 0x3017), *_CHINESE, (0xFF01, 0xFF5E),
)  # fmt: skip

_PIECE = 1 << 16  # texts
_WORTH_RE2 = 200  # texts; Arrow makes a pattern anew for each column


def _table(ranges: tuple[tuple[int, int], ...]) -> np.ndarray:
    table = np.zeros(0x110000, dtype=bool)
    for first, last in ranges:
        table[first : last + 1] = True
    return table


@cache
def name_characters() -> np.ndarray:
    """By code point: whether names are made of it, U+4E00–U+9FA5 and the interpunct."""
    return _table(_NAME)


@cache
def _safe_characters() -> np.ndarray:
    table = name_characters().copy()
    table[[ord(char) for char in ODD_CHARACTERS]] = False
    return table


def plain_names(texts: pa.StringArray, longest: int) -> np.ndarray:
    """Which are names that read as themselves (``core.names.read_name``)."""
    good = made_of(texts, _safe_characters(), 1, longest)
    rows = (~good).nonzero()[0]
    if len(rows) > _WORTH_RE2:
        rest = texts.take(pa.array(rows))
        strange = pc.match_substring_regex(rest, ODD_NAME).fill_null(True).to_numpy(zero_copy_only=False)
        good[rows] = made_of(rest, name_characters(), 1, longest) & ~strange
    elif len(rows):
        search, admits = _odd_name(), _name()
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
            good[row] = bool(text) and len(text) <= longest and admits(text) is not None and not search(text)
    return good


@cache
def _name() -> Callable[[str], object]:
    """The same for a few texts: by a pattern."""
    ranges = "".join(f"{chr(first)}-{chr(last)}" for first, last in _NAME)
    return re.compile(f"[{ranges}]+").fullmatch


@cache
def _odd_name() -> Callable[[str], object]:
    return re.compile(ODD_NAME).search


@cache
def plain_characters() -> np.ndarray:
    """By code point: whether it is common in a line of text and no space: ASCII, Chinese, their punctuation."""
    return _table(_PLAIN)


def _offsets_and_bytes(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Where each text begins (and the last ends) in the bytes of them all."""
    _, places, data = texts.buffers()
    if not len(texts) or data is None:
        return np.zeros(len(texts) + 1, dtype=np.int32), np.empty(0, dtype=np.uint8)
    offsets = np.frombuffer(places, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return offsets - offsets[0], np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]


def longest_bytes(texts: pa.StringArray) -> int:
    """The bytes of the longest text, 0 when there is none."""
    offsets = _offsets_and_bytes(texts)[0]
    return int((offsets[1:] - offsets[:-1]).max(initial=0))


def has_short(texts: pa.StringArray, longest: int) -> bool:
    """Whether a text of 1 to ``longest`` bytes is among them."""
    offsets = _offsets_and_bytes(texts)[0]
    sizes = offsets[1:] - offsets[:-1]
    return bool(((sizes > 0) & (sizes <= longest)).any())


def has_empty(texts: pa.StringArray) -> bool:
    """Whether a text without a character is among them."""
    offsets = _offsets_and_bytes(texts)[0]
    empty = offsets[1:] == offsets[:-1]
    if texts.null_count:
        empty &= texts.is_valid().to_numpy(zero_copy_only=False)
    return bool(empty.any())


def in_pieces(judge: Callable[[pa.StringArray], np.ndarray], texts: pa.StringArray) -> np.ndarray:
    """What ``judge`` says of each text, so many at a time that they stay in the processor's cache and take little memory."""
    if len(texts) <= _PIECE:
        return judge(texts)
    return np.concatenate([judge(texts[at : at + _PIECE]) for at in range(0, len(texts), _PIECE)])


def made_of(texts: pa.StringArray, table: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    """Which are texts of ``shortest`` (1 or more) to ``longest`` characters, all of which ``table`` (by code point) admits."""
    return in_pieces(lambda piece: _made_of(piece, table, shortest, longest), texts)


def _made_of(texts: pa.StringArray, table: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    if texts.null_count:
        texts = texts.fill_null("")
    lengths = pc.utf8_length(texts).to_numpy()
    good: np.ndarray = (lengths >= shortest) & (lengths <= longest)
    codes = np.frombuffer(_offsets_and_bytes(texts)[1].tobytes().decode().encode("utf-32-le"), dtype=np.uint32)
    wrong = ~table[codes]
    if wrong.any():
        good[np.searchsorted(np.cumsum(lengths), wrong.nonzero()[0], side="right")] = False
    return good


def of_width(texts: pa.StringArray, width: int, judge: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Which texts take just ``width`` bytes and are good as ``judge`` says of rows of bytes (n × width)."""

    def piece(part: pa.StringArray) -> np.ndarray:
        good = np.zeros(len(part), dtype=bool)
        rows, chars = bytes_of(part, width)
        if len(rows):
            good[rows] = judge(chars)
        return good

    return in_pieces(piece, texts)


def bytes_of(texts: pa.StringArray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Indexes of the texts that take just ``width`` bytes, and these as rows of bytes."""
    offsets, data = _offsets_and_bytes(texts)
    chosen = (offsets[1:] - offsets[:-1]) == width
    if texts.null_count:
        chosen &= texts.is_valid().to_numpy(zero_copy_only=False)
    rows = chosen.nonzero()[0]
    if len(rows) < len(texts):
        data = _offsets_and_bytes(texts.take(pa.array(rows)))[1]
    return rows, data.reshape(-1, width)


def to_texts(chars: np.ndarray) -> pa.StringArray:
    """Rows of bytes (n × width, UTF-8) as texts."""
    size, width = chars.shape
    offsets = np.arange(0, (size + 1) * width, width, dtype=np.int32)
    data = pa.py_buffer(np.ascontiguousarray(chars))
    return pa.StringArray.from_buffers(size, pa.py_buffer(offsets), data)


def repeated(texts: pa.StringArray) -> np.ndarray:
    """Which texts may stand more than once: surely all that do, and of 18 digits (X for the last) no others.

    These are told apart as numbers: a dictionary of a million texts would take two hundred megabytes.
    """
    numbers = np.zeros(len(texts), dtype=np.int64)  # 0: not of 18 bytes
    for at in range(0, len(texts), _PIECE):
        rows, chars = bytes_of(texts[at : at + _PIECE], 18)
        digits = (chars - np.uint8(48)).astype(np.float64)
        halves = digits.reshape(-1, 2, 9) @ 10.0 ** np.arange(8, -1, -1)  # doubles hold them exactly
        numbers[rows + at] = halves[:, 0].astype(np.int64) * 10**10 + halves[:, 1].astype(np.int64) + 1
    ordered = np.sort(numbers)
    twice = ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)]
    out = np.isin(numbers, np.unique(twice)) if len(twice) else np.zeros(len(texts), dtype=bool)
    others = texts.take(pa.array((numbers == 0).nonzero()[0])).dictionary_encode().indices
    codes = np.asarray(others.fill_null(-1)) + 1
    if len(codes):
        out[numbers == 0] = (np.bincount(codes)[codes] > 1) & (codes > 0)
    return out
