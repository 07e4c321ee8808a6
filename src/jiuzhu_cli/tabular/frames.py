"""Values between the program and its reader processes: pickles with their large buffers beside them, not copied twice.

A workbook goes column by column, and what is sent is let go of, so that it is never held twice.
"""

from __future__ import annotations

import io
import pickle
import struct
from dataclasses import dataclass, field
from typing import Any

_HEAD = struct.Struct("<QQI")  # bytes that are read at once, those of them that are the pickle, number of buffers
_SMALL, _ALIGNED = 1 << 16, 64  # bytes: smaller buffers go together, each as the vectors' readers like it


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reader has come with the file that it was asked for; more follows."""

    share: float
    rows: int


@dataclass(frozen=True, slots=True)
class Failure:
    """What a reader raised. ``pickled``: the error itself; ``kind``: its class, should it not be readable."""

    pickled: bytes
    kind: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        try:
            pickled = pickle.dumps(error)
            pickle.loads(pickled)
        except Exception:  # errors with arguments of their own
            pickled = b""
        return cls(pickled, type(error).__name__)

    def error(self) -> BaseException:
        """The error, to be raised."""
        if not self.pickled:
            return RuntimeError(self.kind)
        error: BaseException = pickle.loads(self.pickled)
        return error


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a reader is to know for all files that are to come, pickled; the functions that it runs ask for the ``value``.

    ``at_hand``: parts of it that the reader holds already, being forked from who tells it: they are only named.
    """

    pickled: bytes
    at_hand: tuple[Any, ...] = ()
    _loaded: list[Any] = field(default_factory=list, repr=False)

    @classmethod
    def of(cls, value: Any, at_hand: tuple[Any, ...] = ()) -> Told:
        written = io.BytesIO()
        _Naming(written, at_hand).dump(value)
        return cls(written.getvalue())

    @property
    def value(self) -> Any:
        """Loaded once; None when nothing was told."""
        if not self._loaded:
            self._loaded.append(_Finding(io.BytesIO(self.pickled), self.at_hand).load() if self.pickled else None)
        return self._loaded[0]


class _Naming(pickle.Pickler):
    """Names the objects ``at_hand`` instead of packing them."""

    def __init__(self, stream: Any, at_hand: tuple[Any, ...]) -> None:
        super().__init__(stream, protocol=5)
        self._names = {id(one): number for number, one in enumerate(at_hand)}

    def persistent_id(self, value: Any) -> int | None:
        return self._names.get(id(value))


class _Finding(pickle.Unpickler):
    """Finds what ``_Naming`` named."""

    def __init__(self, stream: Any, at_hand: tuple[Any, ...]) -> None:
        super().__init__(stream)
        self._at_hand = at_hand

    def persistent_load(self, number: Any) -> Any:
        return self._at_hand[number]


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook whose columns follow: so many for each sheet."""

    book: Any
    columns: list[int]


def send(stream: Any, value: Any) -> None:
    """Writes ``value`` to a binary stream without a buffer of its own. OSError when nobody reads any more."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    raws = [buffer.raw() for buffer in buffers]
    sizes = struct.pack(f"<{len(raws)}Q", *map(len, raws))
    pieces: list[Any] = [b"", sizes, data, bytes(-(len(sizes) + len(data)) % _ALIGNED)]
    for raw in raws:
        if len(raw) <= _SMALL:
            pieces += (raw, bytes(-len(raw) % _ALIGNED))
    pieces[0] = _HEAD.pack(sum(map(len, pieces)), len(data), len(raws))
    _write(stream, b"".join(pieces))
    for raw in raws:
        if len(raw) > _SMALL:
            _write(stream, raw)


def send_book(stream: Any, book: Any) -> None:
    """Sends a ``cells.Workbook``, which is empty afterwards."""
    columns = [sheet.columns for sheet in book.sheets]
    for sheet in book.sheets:
        sheet.columns = []
    send(stream, _Book(book, [len(one) for one in columns]))
    for held in columns:
        held.reverse()
        while held:
            send(stream, held.pop().as_vectors())


def receive(stream: Any) -> Any:
    """Reads what was sent. EOFError when the stream ends before."""
    value = _receive(stream)
    if not isinstance(value, _Book):
        return value
    for sheet, count in zip(value.book.sheets, value.columns, strict=True):
        sheet.columns = [_receive(stream) for _ in range(count)]
    return value.book


def _receive(stream: Any) -> Any:
    together, size, count = _HEAD.unpack(_read(stream, _HEAD.size))
    held = _read(stream, together)
    sizes = struct.unpack_from(f"<{count}Q", held)
    at = 8 * count + size
    data, at = held[8 * count : at], at + -at % _ALIGNED
    buffers = []
    for one in sizes:
        if one <= _SMALL:
            buffers.append(held[at : at + one])
            at += one + -one % _ALIGNED
        else:
            buffers.append(_read(stream, one))
    return pickle.loads(data, buffers=buffers)


def _write(stream: Any, data: Any) -> None:
    view = memoryview(data)
    while view.nbytes:
        view = view[stream.write(view) :]


def _read(stream: Any, size: int) -> memoryview:
    if size < 1 << 16:
        held: Any = bytearray(size)
    else:
        import numpy as np

        held = np.empty(size, dtype=np.uint8)  # not filled with zeros first
    view = memoryview(held)
    at = 0
    while at < size:
        got = stream.readinto(view[at:])
        if not got:
            raise EOFError("reader ended")
        at += got
    return view
