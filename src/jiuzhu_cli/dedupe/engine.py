"""Which engine looks for the doubts: DuckDB in this process, or Spark with the same statements. Same tables in, same hits out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.compute.tables import SparkTables, Tables


@contextmanager
def on_engine(engine: str, snapshot: duckdb.DuckDBPyConnection) -> Iterator[Tables]:
    """The tables of a snapshot on ``engine`` (``duckdb`` or ``spark``); afterwards ``snapshot`` holds the table ``hit`` either way.

    UsageError or OutsideError when Spark cannot be had.
    """
    if engine == "duckdb":
        yield snapshot
        return
    from jiuzhu_cli.compute.spark import spark_session
    from jiuzhu_cli.compute.tables import SparkTables

    with spark_session() as session:
        tables = SparkTables(session)
        hand_over(snapshot, tables)
        yield tables
        take_hits(tables, snapshot)


def hand_over(snapshot: duckdb.DuckDBPyConnection, tables: SparkTables) -> None:
    """Puts the snapshot's tables before Spark, with what was laid beside them."""
    laid = "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1"
    for (name,) in snapshot.execute(laid).fetchall():
        rows = snapshot.sql(f'SELECT * FROM "{name}"').to_arrow_table()
        plain = pa.schema((one.name, _plain(one.type)) for one in rows.schema)
        tables.load(name, rows.cast(plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Text of few values comes from the snapshot as numbers with a dictionary."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def take_hits(tables: SparkTables, snapshot: duckdb.DuckDBPyConnection) -> None:
    """Brings ``hit`` back to where evidence is put together."""
    snapshot.register("found", tables.execute("SELECT * FROM hit").to_arrow_table())
    snapshot.execute("CREATE TABLE hit AS SELECT * FROM found")
    snapshot.unregister("found")
