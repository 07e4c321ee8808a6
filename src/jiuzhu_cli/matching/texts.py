"""Text columns as bytes and numbers, without a Python object a cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def text_column(records: pa.Table, name: str) -> pa.Array:
    """A column as one array of text; NULL everywhere when it is absent."""
    if name not in records.column_names:
        return pa.nulls(records.num_rows, pa.string())
    found = records[name].combine_chunks() if isinstance(records[name], pa.ChunkedArray) else records[name]
    if isinstance(found, pa.ChunkedArray):  # no rows: pyarrow leaves it chunked
        found = pa.concat_arrays(found.chunks) if found.num_chunks else pa.nulls(0, pa.string())
    return pc.cast(found, pa.string())


def letters(text: pa.Array) -> np.ndarray:
    """The bytes of all texts one after another (a ``string`` array without NULL)."""
    _, offsets, data = text.buffers()
    if data is None or not len(text):
        return np.empty(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]


def table_of(text: pa.Array, width: int) -> np.ndarray:
    """``width`` bytes a text, 0 after its end; texts are ASCII and not longer."""
    sizes = pc.binary_length(text).to_numpy(zero_copy_only=False)
    out = np.zeros((len(text), width), np.uint8)
    if len(text):
        rows = np.repeat(np.arange(len(text)), sizes)
        out[rows, np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)] = letters(text)
    return out


def coded(column: pa.Array, code: Callable[[str], int], *, known: int) -> np.ndarray:
    """``code`` of each distinct text; ``known`` for NULL."""
    encoded = pc.dictionary_encode(column)
    numbers = np.array([*(code(text) for text in encoded.dictionary.to_pylist()), known], dtype=np.int64)
    return numbers[pc.fill_null(encoded.indices, len(numbers) - 1).to_numpy(zero_copy_only=False)]


def figures(column: pa.Array, least: int) -> np.ndarray:
    """The digits of each text as one number (those beyond the last eighteen do not count), -1 where there are fewer than ``least``."""
    text = pc.fill_null(column, "")
    rest = pc.invert(pc.or_(pc.ascii_is_decimal(text), pc.equal(text, "")))
    odd = pc.utf8_normalize(text.filter(rest), "NFKC")  # full-width digits
    text = pc.replace_with_mask(text, rest, pc.replace_substring_regex(odd, "[^0-9]", ""))
    sizes = pc.binary_length(text)
    if (pc.max(sizes).as_py() or 0) > 18:
        text = pc.utf8_slice_codeunits(text, -18)
    told = pc.greater_equal(sizes, least)
    numbers = pc.cast(pc.if_else(told, text, None), pa.int64())
    return pc.fill_null(numbers, -1).to_numpy(zero_copy_only=False)


def numbered(values: np.ndarray) -> np.ndarray:
    """Equal small numbers for equal values (int32, in order of appearance), -1 for what is below 0."""
    known = pa.array(values, mask=values < 0)
    return pc.fill_null(pc.dictionary_encode(known).indices, -1).to_numpy(zero_copy_only=False)


def named(column: pa.Array, tidy: Callable[[str], str]) -> np.ndarray:
    """Equal 64-bit numbers for equal tidied texts, the same in every run and part of the data; -1 for NULL and ''."""
    return coded(column, lambda text: stable(tidy(text)), known=-1)


def stable(text: str) -> int:
    """A number of a text below 2**62 that depends on nothing else; -1 for ''."""
    if not text:
        return -1
    value = 0
    for byte in text.encode():
        value = (value * 1_000_003 + byte + 1) & 0xFFFFFFFFFFFFFFFF
    return (value * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 2
