"""Prepared tables as the rows of the record: one Arrow table a batch, and the digest of what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.ledger.rolls import content_columns, row_columns

_NEVER_NULL = {"id_no", "name", "town", "village"}


def frame(kind: str, tables: Sequence[Prepared]) -> pa.Table:
    """The accepted persons of ``tables`` with those columns of ``ledger.rolls.row_columns(kind)`` that hold anything.

    Cases are numbered from 1.
    """
    parts, cases = [], 0
    for number, table in enumerate(tables, 1):
        part, cases = _part(kind, table, number, cases)
        parts.append(part)
    return pa.concat_tables(parts, promote_options="default") if len(parts) > 1 else parts[0]


def _part(kind: str, table: Prepared, number: int, cases: int) -> tuple[pa.Table, int]:
    rows = table.rows
    assert rows is not None
    left_out = rows.refused if rows.absorbed is None else rows.refused | rows.absorbed
    kept = (~left_out).nonzero()[0]
    everyone = len(kept) == rows.size
    order = pa.array(kept)
    case = rows.case[kept]
    seen = np.zeros(int(case.max(initial=-1)) + 1, dtype=np.int64)
    seen[case] = 1
    case = (np.cumsum(seen) - 1)[case]  # without the numbers of refused cases
    columns: dict[str, pa.Array] = {}
    for name in row_columns(kind):
        if name == "table_no":
            columns[name] = pa.array(np.full(len(kept), number, dtype=np.int64))
        elif name == "source_row":
            columns[name] = pa.array(rows.table.rows[rows.origin[kept]] + 1)
        elif name == "case_no":
            columns[name] = pa.array(case + cases + 1)
        elif name == "lead":
            columns[name] = pa.array(rows.lead[kept].astype(np.int64))
        elif name in _NEVER_NULL or name in rows.values:
            held = rows.get(name).array
            values = held if everyone else held.take(order)
            if name in _NEVER_NULL:
                columns[name] = values.fill_null("") if values.null_count else values
            elif values.null_count < len(values):
                columns[name] = values
    return pa.table(columns), cases + int(seen.sum())


class Carried:
    """Rows on their way to another process, where they are a table again: all columns in one piece of memory."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows

    def __reduce__(self) -> tuple[Any, ...]:
        batches = self._rows.to_batches()
        if len(batches) > 1:
            batches = self._rows.combine_chunks().to_batches()
        return _arrived, (self._rows.schema, [batch.serialize() for batch in batches])


def _arrived(schema: pa.Schema, batches: Sequence[pa.Buffer]) -> pa.Table:
    return pa.Table.from_batches([pa.ipc.read_record_batch(batch, schema) for batch in batches], schema)


def content_digest(kind: str, key: Sequence[str], rows: pa.Table) -> str:
    """SHA-256 of what a list says, whatever the order of its rows and columns and wherever they stood."""
    digest = hashlib.sha256("\0".join((kind, *key, str(rows.num_rows), "")).encode())
    order = pc.sort_indices(rows.column("id_no"))
    for name in sorted(set(rows.column_names).intersection(content_columns(kind))):
        column = rows.column(name)
        if column.null_count < len(column):
            digest.update(f"{name}\0".encode())
            held = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
            for part in _bytes_of(held.take(order)):
                digest.update(part)
    return digest.hexdigest()


def _bytes_of(column: pa.Array) -> Iterator[memoryview]:
    """What a column of texts or integers holds, blanks included (as U+0002 among texts)."""
    size = len(column)
    if pa.types.is_string(column.type):
        _, offsets, data = (pc.fill_null(column, "\x02") if column.null_count else column).buffers()
        yield memoryview(offsets)[: 4 * (size + 1)]
        yield memoryview(data)[: int(np.frombuffer(offsets, dtype=np.int32, count=size + 1)[-1])]
    elif not column.null_count:
        width = column.type.bit_width // 8
        yield memoryview(b"\1" * size)
        yield memoryview(column.buffers()[1])[width * column.offset : width * (column.offset + size)]
    else:
        yield memoryview(pc.is_valid(column).to_numpy(zero_copy_only=False)).cast("B")
        yield memoryview(pc.fill_null(column, 0).to_numpy()).cast("B")
