"""Lines of a bank's text file as Arrow columns, all of a column at once: for files of hundreds of thousands of lines.

Only lines that are plainly in order are read here; of any others None is said, and ``textfile.parse`` reads them line by line or tells
what is wrong with them. A test holds both to the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.payment.fits import codec_of
from jiuzhu_cli.payment.values import DATED, MONEY, WHOLE, values_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

Unpad = Callable[["BankColumn", list[str]], list[str]]
_NEWLINE, _ENDS = 10, (10, 13)
_BLANK = re.compile(r"[^\S\n]")  # white space within a line
_FIGURES = 18  # a number of so many figures is an int64


def vectors_of(layout: BankLayout, shape: Sequence[BankColumn], piece: bytes, unpad: Unpad) -> list[pa.Array] | None:
    """The values of a piece of whole lines (without the last one's end), column by column: int64 for ``line_no`` and money, else strings.

    ``unpad``: texts of a fixed-width column without what fills them up.
    """
    try:
        if layout.container == "fixed":
            texts = _fixed(layout, shape, piece)
        else:
            texts = _delimited(layout, shape, piece)
        return texts and [_values(layout, column, one, unpad) for column, one in zip(shape, texts, strict=True)]
    except (ValueError, OverflowError):  # of a value, of bytes that are no characters: the slow way says where
        return None


def as_vector(column: BankColumn, values: list[Any]) -> pa.Array:
    """Values that were read line by line as ``vectors_of`` has them."""
    import pyarrow as pa

    return pa.array(values, pa.int64() if column.source in WHOLE | MONEY else pa.string())


def _fixed(layout: BankLayout, shape: Sequence[BankColumn], piece: bytes) -> list[pa.Array] | None:
    """None when not every line is as long as the columns together."""
    import numpy as np

    width = sum(column.width for column in shape)
    end = b"\r\n" if piece[width : width + 2] == b"\r\n" else b"\n"
    count, rest = divmod(len(piece) + len(end), width + len(end))
    if rest or not count:
        return None
    table = np.frombuffer(piece + end, np.uint8).reshape(count, width + len(end))
    if not (table[:, width:] == np.frombuffer(end, np.uint8)).all() or np.isin(table[:, :width], _ENDS).any():
        return None
    found, at = [], 0
    for column in shape:
        texts = _slice(np.ascontiguousarray(table[:, at : at + column.width]), codec_of(layout))
        if texts is None:
            return None
        found.append(texts)
        at += column.width
    return found


def _slice(table: np.ndarray, codec: str) -> pa.Array | None:
    """A text a row of bytes; None when a character goes over the edge."""
    import numpy as np
    import pyarrow as pa

    count, width = table.shape
    if width and (table < 128).all():  # in every encoding that layouts know these are themselves
        offsets = np.arange(0, count * width + 1, width, dtype=np.int32)
        return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(table))
    lines = np.full((count, width + 1), _NEWLINE, np.uint8)
    lines[:, :-1] = table
    texts = _split(lines.tobytes()[:-1].decode(codec), "\n")
    return texts if len(texts) == count else None


def _split(text: str, mark: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.split_pattern(pa.array([text], pa.large_string()), mark).values.cast(pa.string())


def _delimited(layout: BankLayout, shape: Sequence[BankColumn], piece: bytes) -> list[pa.Array] | None:
    """None when a line has another number of columns, when the mark is several characters, or when there is white space to be taken off."""
    import numpy as np
    import pyarrow as pa

    mark, wide = layout.delimiter, len(shape) + layout.end_delimiter
    if len(mark) != 1 or not mark.isascii():
        return None
    whole = piece.replace(b"\r\n", b"\n").removesuffix(b"\r").decode(codec_of(layout))
    if _BLANK.search(whole):
        return None
    bytes_ = np.frombuffer(whole.encode() + b"\n", np.uint8)
    marks = bytes_[(bytes_ == ord(mark)) | (bytes_ == _NEWLINE)]
    count, rest = divmod(len(marks), wide)
    order = np.full(wide, ord(mark), np.uint8)
    order[-1] = _NEWLINE
    if rest or not (marks.reshape(count, wide) == order).all():
        return None
    flat = _split(whole.replace("\n", mark), mark)
    columns = [flat.take(pa.array(np.arange(index, count * wide, wide))) for index in range(wide)]
    if layout.end_delimiter and any(columns.pop().unique().to_pylist()):
        return None
    return columns


def _values(layout: BankLayout, column: BankColumn, texts: pa.Array, unpad: Unpad) -> pa.Array:
    """ValueError when a text is none of the column's kind."""
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = layout.container == "fixed"
    if column.source in WHOLE and not (
        filled and (column.pad not in "0 " or (column.pad == "0" and column.align == "left"))
    ):
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        if longest <= _FIGURES and pc.all(pc.ascii_is_decimal(texts)).as_py():
            return texts.cast(pa.int64())
    if _is_text(column) and (not filled or column.align == "left"):
        return pc.utf8_rtrim(texts, column.pad) if filled and column.pad else texts
    coded = texts.dictionary_encode()
    distinct = coded.dictionary.to_pylist()
    return as_vector(column, values_of(column, unpad(column, distinct) if filled else distinct)).take(coded.indices)


def _is_text(column: BankColumn) -> bool:
    """Whether ``values_of`` takes a column's texts as they are."""
    return column.source not in WHOLE | MONEY | {"own_flag"} and not (column.source in DATED and column.style)
