"""Bytes looked at eight at a time: what the vector readers need of words, literals, digits and spans.

A word is eight bytes as a little-endian number. Digit arithmetic in words: the usual bit tricks (SWAR).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.tabular.convert import EXACT

ENDS = 8  # so many tags seem to open behind the data: looking at a tag's successors needs no care
PAD = b"<" * ENDS + bytes(56)  # what stands behind the data, so that words may be looked at everywhere
_HIGH, _LOW = np.uint64(0x8080808080808080), np.uint64(0x0F0F0F0F0F0F0F0F)
_ONES, _SIXES = np.uint64(0x0101010101010101), np.uint64(0x0606060606060606)
_NIBBLES, _NINES = np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x4646464646464646)
_ZEROS, _DOTS = np.uint64(0x3030303030303030), np.uint64(0x2E2E2E2E2E2E2E2E)
_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LEFT = (64 - 8 * np.arange(9)).astype(np.uint64)
_INTEGER = r"^-?[1-9][0-9]{0,14}$"
_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?$"
_DECIMAL = r"^-?(?:[1-9][0-9]*|0)\.(?:[0-9]{0,3}[1-9]|[0-9]{0,3}[1-9][0-9]*[1-9])$|^-?[1-9][0-9]*\.[0-9]*[1-9]$"


class Unusual(Exception):
    """What the vector readers do not read: the sheet or table goes to the kept reader. Never leaves the room."""


def words_of(data: bytes) -> np.ndarray:
    """The word at every byte of ``data`` but the last seven."""
    return np.ndarray((len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))


def literal(text: bytes) -> tuple[np.uint64, np.uint64]:
    """Word and mask of up to eight bytes."""
    return np.uint64(int.from_bytes(text, "little")), np.uint64((1 << 8 * len(text)) - 1)


_TINY, _TINY_MASK = literal(b"0.0000")  # from here down Python writes an exponent


_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)


def masks(length: np.ndarray) -> np.ndarray:
    """Mask of the first ``length`` bytes (eight at most) of a word."""
    return _MASKS[np.minimum(length, 8)]


def _digits_only(word: np.ndarray) -> np.ndarray:
    return (((word + _NINES) | (word - _ZEROS)) & _HIGH) == 0


def numbers_of(word: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many digits each word begins with (0-8), and the number that they are; both int64."""
    value = word ^ _ZEROS
    other = ((value + _SIXES) | value) & _NIBBLES  # exact up to the first byte that is no digit
    lowest = other & (~other + np.uint64(1))
    digits = np.full(len(word), 8, dtype=np.int64)
    some = lowest != 0
    digits[some] = np.log2(lowest[some].astype(np.float64)).astype(np.int64) >> 3
    return digits, _value(word << _LEFT[np.maximum(digits, 1)])


def whole_numbers(words: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """The numbers in spans of one to eight digits each, int64; None when a span is anything else."""
    length = end - begin
    if int(length.min()) < 1 or int(length.max()) > 8:
        return None
    left = _LEFT[length]
    word = words[begin] << left  # the digits at the end of the word, zero bytes before them
    if not _digits_only(word | (_ZEROS & ~(_FULL << left))).all():
        return None
    return _value(word)


def _value(word: np.ndarray) -> np.ndarray:
    """The number that digits stand for, which fill the word from its end; int64."""
    value = word & _LOW
    value = (value * np.uint64(2561)) >> np.uint64(8)
    value = ((value & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    value = ((value & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return value.astype(np.int64)


def plain_numbers(
    data: bytes, words: np.ndarray, begin: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which spans are integers below 10^15, and which are fractions, written just as Python writes the number; which are neither.

    A decimal of at most 15 digits is the shortest that stands for its double, so its text is what ``repr`` gives. The
    third are indices.
    """
    length = end - begin
    mask = masks(length)
    word = (words[begin] & mask) | (_ZEROS & ~mask)
    short = (length <= 8) & (length > 0)
    first = word & np.uint64(255)
    integral = short & _digits_only(word) & ((first != 48) | (length == 1))
    fraction = np.zeros(len(length), dtype=bool)
    rest = (~integral).nonzero()[0]
    if len(rest):
        fraction[rest] = _short_fractions(words, word[rest], first[rest], end[rest]) & short[rest]
        rest = rest[~fraction[rest]]
    if len(rest):
        texts = spans(data, begin[rest], end[rest])
        integral[rest] = flags_of(pc.match_substring_regex(texts, _INTEGER))
        # 15 digits and the point; a sign makes it one fewer
        fraction[rest] = flags_of(pc.match_substring_regex(texts, _DECIMAL)) & (length[rest] <= 16)
        rest = rest[~(integral[rest] | fraction[rest])]
    return integral, fraction, rest


def other_numbers(data: bytes, begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Which spans are numbers in any other decimal writing, and of those: whether integral below 10^15, and Python's text."""
    texts = spans(data, begin, end)
    mine = flags_of(pc.match_substring_regex(texts, _NUMBER)).nonzero()[0]
    values = texts.take(indices(mine.astype(np.int32))).cast(pa.string()).cast(pa.float64())
    numbers = np.frombuffer(values.buffers()[1], dtype=np.float64)[: len(mine)]
    mine, numbers = mine[np.isfinite(numbers)], numbers[np.isfinite(numbers)]
    integral = (np.abs(numbers) < EXACT) & (numbers == np.trunc(numbers))
    written = [repr(int(x)) if whole else repr(x) for x, whole in zip(numbers.tolist(), integral.tolist(), strict=True)]
    return mine, integral, written


def _short_fractions(words: np.ndarray, word: np.ndarray, first: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Of words filled up with '0': digits with one point among them, no needless zero at either end."""
    other = word ^ _DOTS
    point = (other - _ONES) & ~other & _HIGH
    single = (point != 0) & ((point & (point - np.uint64(1))) == 0) & (point != 0x80)
    digits = _digits_only(word + (point >> np.uint64(6)))  # '.' + 2 is '0'
    last = (words[end - 1] & np.uint64(255)) - np.uint64(49)
    return single & digits & (last < 9) & ((first != 48) | (point == 0x8000)) & ((word & _TINY_MASK) != _TINY)


def spans(data: bytes, begin: np.ndarray, end: np.ndarray, *, between: bool = False) -> pa.BinaryArray:
    """The bytes of ``data`` from ``begin`` to ``end``; Unusual unless they are ascending and do not overlap.

    ``between``: without a copy, span ``i`` being element ``2 i + 1``; what stands between is there too, but element 0 is null.
    """
    count = len(begin)
    offsets = np.empty(2 * count + 1, dtype=np.int32)
    offsets[0], offsets[1::2], offsets[2::2] = 0, begin, end
    if (np.diff(offsets) < 0).any() or int(offsets[-1]) > len(data):
        raise Unusual("spans")  # Arrow would read memory that is none of ours
    valid = np.full((2 * count + 7) // 8, 255, dtype=np.uint8)
    valid[:1] = 254
    held = pa.Array.from_buffers(
        pa.binary(), 2 * count, [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    return held if between else held.take(indices(np.arange(1, 2 * count, 2, dtype=np.int32)))


class Split:
    """One array of texts as several: pieces of ``height`` texts that begin every ``stride`` ones, a multiple of eight.

    Each piece has memory of its own size, within that of the whole: sent elsewhere it takes nothing of its neighbours along.
    """

    def __init__(self, texts: pa.StringArray, stride: int, height: int) -> None:
        valid, offsets, data = texts.buffers()
        self._stride, self._height = stride, height
        self._valid = None if valid is None else memoryview(valid)
        self._offsets, self._data = np.frombuffer(offsets, dtype=np.int32), memoryview(data)

    def part(self, number: int) -> pa.StringArray:
        """The piece of that number."""
        at = number * self._stride
        offsets = self._offsets[at : at + self._height + 1]
        first = int(offsets[0])
        data = pa.py_buffer(self._data[first : int(offsets[-1])])
        valid = None if self._valid is None else pa.py_buffer(self._valid[at >> 3 : (at + self._stride) >> 3])
        return pa.StringArray.from_buffers(self._height, pa.py_buffer(offsets - first), data, valid)


def indices(values: np.ndarray) -> pa.Int32Array:
    """``values`` (int32) for Arrow without a copy. ``pa.array`` would import pandas, which takes longer than a file."""
    return pa.Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def codes_of(array: pa.Int32Array) -> np.ndarray:
    """The other way round; no nulls."""
    return np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array)]


def flags_of(array: pa.BooleanArray) -> np.ndarray:
    """Flags as numpy, no nulls; see ``indices``."""
    bits = np.frombuffer(array.buffers()[1], dtype=np.uint8)
    return np.unpackbits(bits, bitorder="little")[array.offset : array.offset + len(array)].astype(bool)


def strings(texts: list[str | None]) -> pa.StringArray:
    """A few texts for Arrow; see ``indices``."""
    held = [b"" if text is None else text.encode() for text in texts]
    offsets = np.zeros(len(held) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in held], out=offsets[1:])
    valid = np.packbits([text is not None for text in texts], bitorder="little")
    return pa.StringArray.from_buffers(
        len(held), pa.py_buffer(offsets), pa.py_buffer(b"".join(held)), pa.py_buffer(valid)
    )


def stands(words: np.ndarray, at: np.ndarray, text: bytes) -> np.ndarray:
    """Whether ``text`` (eight bytes at least) stands at each place."""
    same = np.ones(len(at), dtype=bool)
    for offset in [*range(0, len(text) - 8, 8), len(text) - 8]:
        same &= words[at + offset] == literal(text[offset : offset + 8])[0]
    return same


def escapes(data: bytes) -> np.ndarray:
    """Where in ``data`` (with ``PAD`` bytes behind it) an entity, ``_x000D_`` or a carriage return stands."""
    found, size = [], len(data) - len(PAD)
    every = np.frombuffer(data, dtype=np.uint8)
    for byte in (b"&", b"\r", b"_"):
        if data.find(byte, 0, size) >= 0:
            at = (every[:size] == byte[0]).nonzero()[0]
            found.append(at if byte != b"_" else at[every.take(at + 1) == ord("x")])
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
