"""Prepared tables as the rows of the record: one Arrow table a batch, and the digest of what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.ledger.rolls import content_columns, row_columns

_WHOLE = {"table_no", "source_row", "case_no", "lead", "household_size", "covered_persons"}
_NEVER_NULL = {"id_no", "name", "town", "village"}


def frame(kind: str, tables: Sequence[Prepared]) -> pa.Table:
    """The accepted persons of ``tables`` with the columns of ``ledger.rolls.row_columns(kind)``; cases numbered from 1."""
    parts, cases = [], 0
    for number, table in enumerate(tables, 1):
        part, cases = _part(kind, table, number, cases)
        parts.append(part)
    return pa.concat_tables(parts)


def _part(kind: str, table: Prepared, number: int, cases: int) -> tuple[pa.Table, int]:
    rows = table.rows
    assert rows is not None
    left_out = rows.refused if rows.absorbed is None else rows.refused | rows.absorbed
    kept = np.flatnonzero(~left_out)
    everyone = len(kept) == rows.size
    order = pa.array(kept)
    _, case = np.unique(rows.case[kept], return_inverse=True)
    columns: dict[str, pa.Array] = {}
    for name in row_columns(kind):
        if name == "table_no":
            columns[name] = pa.array(np.full(len(kept), number, dtype=np.int64))
        elif name == "source_row":
            columns[name] = pa.array(rows.table.rows[rows.origin[kept]] + 1)
        elif name == "case_no":
            columns[name] = pa.array(case.astype(np.int64) + cases + 1)
        elif name == "lead":
            columns[name] = pa.array(rows.lead[kept].astype(np.int64))
        else:
            whole = name.endswith("_fen") or name in _WHOLE
            values: list[Any] | None = rows.values.get(name)
            if values is None:
                columns[name] = _blank(name, whole, len(kept))
            else:
                array = pa.array(values, type=pa.int64() if whole else pa.string())
                array = array if everyone else array.take(order)
                columns[name] = pc.fill_null(array, "") if name in _NEVER_NULL else array
    return pa.table(columns), cases + (int(case.max()) + 1 if len(case) else 0)


def _blank(name: str, whole: bool, size: int) -> pa.Array:
    if name in _NEVER_NULL:
        return pa.array([""] * size, type=pa.string())
    return pa.nulls(size, pa.int64() if whole else pa.string())


def content_digest(kind: str, key: Sequence[str], rows: pa.Table) -> str:
    """SHA-256 of what a list says, whatever the order of its rows and columns and wherever they stood."""
    digest = hashlib.sha256("\0".join((kind, *key, "")).encode())
    if rows.num_rows:
        lines = _lines(rows, sorted(content_columns(kind)))
        ordered = lines.take(pc.sort_indices(rows.column("id_no")))  # lines would do as well, and take far longer
        _, offsets, data = ordered.buffers()
        digest.update(memoryview(offsets))
        digest.update(memoryview(data))
    return digest.hexdigest()


def _lines(rows: pa.Table, names: Sequence[str]) -> pa.LargeStringArray:
    """The columns joined by U+001F, U+0002 where there is nothing."""
    columns: list[pa.Scalar | pa.ChunkedArray] = []
    blanks = 0
    for name in [*names, ""]:
        column = rows.column(name) if name else None
        if column is not None and column.null_count == len(column):
            blanks += 1  # most of them, in most lists: joined beforehand
            continue
        if blanks:
            columns.append(pa.scalar("\x1f".join(["\x02"] * blanks), pa.large_string()))
            blanks = 0
        if column is not None:
            columns.append(pc.cast(column, pa.large_string()))
    separator = pa.scalar("\x1f", pa.large_string())
    joined = pc.binary_join_element_wise(*columns, separator, null_handling="replace", null_replacement="\x02")
    return pa.chunked_array(joined).combine_chunks()
