"""The table ``hit``: what a check found, one row a month; ``run.py`` folds the months of one key into one doubt.

``key`` is what makes it the same doubt next month; ``row_a``/``row_b`` are roll rows (negative: register rows, NULL: none);
``fact`` is one more value the evidence needs (a cap in 分, a date of death, a claimed word …).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables

COLUMNS = {
    "key": "VARCHAR",
    "kind": "VARCHAR",
    "code": "VARCHAR",
    "rule": "VARCHAR",
    "severity": "VARCHAR",
    "month": "VARCHAR",
    "row_a": "BIGINT",
    "row_b": "BIGINT",
    "id_no_a": "VARCHAR",
    "name_a": "VARCHAR",
    "programme_a": "VARCHAR",
    "area_a": "VARCHAR",
    "id_no_b": "VARCHAR",
    "name_b": "VARCHAR",
    "programme_b": "VARCHAR",
    "area_b": "VARCHAR",
    "amount_fen": "BIGINT",
    "fen_a": "BIGINT",
    "fen_b": "BIGINT",
    "fact": "VARCHAR",
}


def create_hits(connection: Tables) -> None:
    connection.execute(f"CREATE TABLE hit ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")


def insert_rows(connection: Tables, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Small lists of parameters and rules into a table of the compute engine."""
    import pyarrow as pa

    if rows:
        columns = {f"c{place}": list(values) for place, values in enumerate(zip(*rows, strict=True))}
        connection.register("given", pa.table(columns))
        connection.execute(f"INSERT INTO {table} SELECT * FROM given")
        connection.unregister("given")
