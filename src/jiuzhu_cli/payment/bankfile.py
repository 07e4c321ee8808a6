"""Bank files made ready: written under a name that nobody takes for theirs, read back, compared with the record, and put in their place then."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from jiuzhu_cli.core.errors import OutsideError
from jiuzhu_cli.payment.layout import BankFile, pieces_in, read_bytes, write_file
from jiuzhu_cli.payment.parts import Part
from jiuzhu_cli.payment.textfile import decoded
from jiuzhu_cli.payment.textvectors import as_vector
from jiuzhu_cli.payment.values import MONEY, WHOLE, Lines, column_values, count_of, cut, is_fixed
from jiuzhu_cli.tabular.files import put_in_place

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that is as it should be, under the name it has until it is put in its place."""

    path: Path
    draft: Path
    digest: str

    def put(self) -> str:
        put_in_place(self.draft, self.path)
        return self.digest


def make_ready(layout: BankLayout, part: Part, number: int = 0) -> Ready:
    """Writes one bank file whole beside its place, reads it back and compares. OutsideError, and nothing left, when it differs.

    ``number`` tells drafts of one moment apart; the process's own number, by which a killed one is cleared away, stands in the name, too.
    """
    draft = part.path.with_name(f".{part.path.stem[:60]}.{number}.{os.getpid()}.tmp{part.path.suffix}")
    try:
        digest = write_file(layout, draft, part.columns, part.summary)
        difference = self_check(layout, replace(part, path=draft))
    except BaseException:
        _remove(draft)
        raise
    if difference:
        _remove(draft)
        raise OutsideError(
            f"写出的 {part.path.name} 读回来与台账不一致（{difference}），已删除", "再运行一次；仍不一致请联系维护人员"
        )
    return Ready(part.path, draft, digest)


def _remove(draft: Path) -> None:
    with contextlib.suppress(OSError):
        draft.unlink()


def write_part(layout: BankLayout, part: Part) -> str:
    """One bank file made ready and put in its place; returns its SHA-256."""
    return make_ready(layout, part).put()


class Making:
    """Bank files made ready one after the other beside what is done inside ``with``; what has not been put in its place by its end is removed.

    A thread of its own does it: while SQLite changes a million lines it needs nothing of Python's.
    """

    def __init__(self, files: Sequence[tuple[BankLayout, Part]]) -> None:
        self.files = files
        self._made: list[Ready] = []
        self._stopped = False

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(1)
        self._work: Future[None] = self._pool.submit(self._make)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._pool.shutdown()
        for ready in self._made:
            _remove(ready.draft)

    def _make(self) -> None:
        for number, (layout, part) in enumerate(self.files):
            if self._stopped:
                return
            self._made.append(make_ready(layout, part, number))

    def put(self) -> dict[Path, str]:
        """All in their places, with their digests; what kept one from being made is raised, and then none is."""
        self._work.result()
        return {ready.path: ready.put() for ready in self._made}


def read_export(layout: BankLayout, path: Path) -> BankFile:
    """An exported file read back by its layout."""
    whole: BankFile | None = None
    for piece in pieces_in(layout, path):
        if whole is None:
            whole = piece
            continue
        for source, values in piece.columns.items():
            whole.columns.setdefault(source, []).extend(values)
        whole.rows += piece.rows
        whole.summary |= piece.summary
    assert whole is not None
    return whole


def self_check(layout: BankLayout, part: Part) -> str:
    """Where the written file differs from the record; '' when every value of every line is the same."""
    if layout.is_book:
        from jiuzhu_cli.payment.sheets import differs_from

        return differs_from(layout, part.path, part.columns, part.summary)
    if layout.container != "pain001" and isinstance(part.columns, Lines):
        return _differs(layout, part, part.columns.table)
    at = 0
    for piece in pieces_in(layout, part.path):
        size = len(piece)
        expected = cut(part.columns, at, at + size)
        if count_of(expected) != size:
            return f"多于 {part.lines} 行"
        at += size
        for column in layout.columns:
            if is_fixed(column) or column.source not in expected or column.source not in piece.columns:
                continue
            values, found = column_values(column, expected, size), piece.columns[column.source]
            if found != values and (column.source in MONEY | WHOLE or found != [value or "" for value in values]):
                return f"“{column.name}”列不同"
    return "" if at == part.lines else f"{at} 行，应为 {part.lines} 行"


def _differs(layout: BankLayout, part: Part, table: pa.Table) -> str:
    """``self_check`` of a text file that was written from Arrow: read as vectors, compared as vectors."""
    import pyarrow as pa

    at = 0
    for piece in decoded(layout, read_bytes(part.path), vectors=True):
        size = len(piece)
        if at + size > part.lines:
            return f"多于 {part.lines} 行"
        expected = table.slice(at, size)
        at += size
        for column in layout.columns:
            if is_fixed(column) or column.source not in table.column_names or column.source not in piece.columns:
                continue
            values = expected[column.source]
            if column.only:
                values = pa.chunked_array([as_vector(column, list(column_values(column, Lines(expected), size)))])
            if not pa.chunked_array([piece.columns[column.source]]).equals(values):
                return f"“{column.name}”列不同"
    return "" if at == part.lines else f"{at} 行，应为 {part.lines} 行"
