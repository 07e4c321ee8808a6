"""Spark behind DuckDB's statements: what dedupe writes means the same there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from jiuzhu_cli.compute.spark import spark_session
from jiuzhu_cli.compute.tables import SparkTables
from tests.spark import needs_spark

PEOPLE = pa.table(
    {
        "id": ["a", "b", "c", "d", None],
        "town": ["东", "西", "东", None, "西"],
        "fen": pa.array([100, None, 300, -7, 5], pa.int64()),
        "note": ["二级", "一级 肢体", "", None, "x[y]"],
    }
)

# each script ends with a query; both engines must give the same rows
SCRIPTS = {
    "nulls come last, either way": "SELECT id, town FROM people ORDER BY town DESC, fen, id",
    "insert by position, cast to the table": "CREATE TABLE t (a VARCHAR, n BIGINT, f BOOLEAN);"
    "INSERT INTO t SELECT id, 1, NULL FROM people; INSERT INTO t WITH x AS (SELECT town FROM people) SELECT x.town, fen, TRUE FROM x, people;"
    "SELECT a, n, f, count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "delete keeps what is unknown": "CREATE TABLE t AS SELECT * FROM people; DELETE FROM t o WHERE o.fen > 50 AND EXISTS (SELECT 1 FROM people p"
    " WHERE p.town = o.town AND p.id <> o.id); SELECT id FROM t ORDER BY id",
    "qualify in an insert, columns of one name": "CREATE TABLE t (a VARCHAR, b VARCHAR, c VARCHAR, n BIGINT);"
    "INSERT INTO t SELECT 'a', id, town, 0 FROM people QUALIFY row_number() OVER (PARTITION BY town ORDER BY fen DESC, id) = 1;"
    "INSERT INTO t SELECT town, town, NULL, fen FROM people QUALIFY row_number() OVER (PARTITION BY town ORDER BY id) = 1;"
    "SELECT * FROM t ORDER BY ALL",
    "qualify over a star, twice": "WITH x AS (SELECT *, row_number() OVER (ORDER BY id) AS n FROM people QUALIFY n < 4) SELECT * FROM"
    " (SELECT * FROM x QUALIFY max(fen) OVER (PARTITION BY town) = fen) l ORDER BY id",
    "macros": "CREATE MACRO grade(t) AS CASE WHEN regexp_matches(t, '[二2]') THEN 2 WHEN regexp_matches(t, '一') THEN 1 END;"
    "CREATE MACRO twice(x, y) AS grade(x) * 2 + y; SELECT id, twice(note, 3), nullif(regexp_extract(note, '肢体|智力'), '') FROM people ORDER BY id",
    "a table of its own past": "CREATE TABLE t AS SELECT id, fen FROM people; CREATE OR REPLACE TABLE t AS SELECT id, fen + 1 AS fen FROM t"
    " WHERE fen IS NOT NULL; INSERT INTO t SELECT 'z', 9; SELECT * FROM t ORDER BY id",
    "an insert that reads its own table": "CREATE TABLE t (a VARCHAR, n BIGINT); INSERT INTO t SELECT id, fen FROM people;"
    "INSERT INTO t SELECT p.id, 0 FROM people p WHERE EXISTS (SELECT 1 FROM t WHERE t.a = p.id); SELECT * FROM t ORDER BY ALL",
    "a table that is there already keeps its rows": "CREATE TABLE t (a VARCHAR, n BIGINT); INSERT INTO t SELECT id, fen FROM people;"
    "CREATE TABLE IF NOT EXISTS t (a VARCHAR, n BIGINT); SELECT * FROM t ORDER BY ALL",
    "text": "SELECT concat_ws('|', id, NULL, town), starts_with(town, '东'), split_part(note, ' ', 2), contains(note, '['), length(note),"
    " substr(note, 2, 1), town || '/' || fen FROM people ORDER BY id",
    "whole numbers": "SELECT id, fen // 7, fen % 7, CAST(floor((2 * fen + 3) / (2 * 3)) AS BIGINT), TRY_CAST(note AS INTEGER),"
    " CAST(fen AS HUGEINT) * 3 > CAST(40000000000 AS HUGEINT) FROM people WHERE fen >= 0 ORDER BY id",
    "aggregates pass over nulls": "SELECT town, any_value(note) IS NULL, max(fen) FILTER (fen < 200), arg_min(id, fen), bool_or(fen > 200), count(fen)"
    " FROM people WHERE id IS NOT NULL GROUP BY town ORDER BY town",
    "exists among the columns": "SELECT id, EXISTS (SELECT 1 FROM people q WHERE q.town = p.town AND (q.note = '' OR q.id = p.id || 'x')) FROM people p ORDER BY id",
    "lists unnested": "SELECT id, unnest([town, note]) AS word FROM people ORDER BY ALL",
}  # fmt: skip


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with spark_session(partitions=2, memory="1g") as made:
        yield made


@needs_spark
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_same_rows_on_both_engines(session: Any, script: str) -> None:
    with duckdb.connect(":memory:") as here:
        here.register("people", PEOPLE)
        expected = here.execute(script).fetchall()
    spark = SparkTables(session)
    spark.register("people", PEOPLE)
    assert spark.execute(script).fetchall() == expected


@needs_spark
def test_what_is_not_portable_is_said(session: Any) -> None:
    with pytest.raises(NotImplementedError, match="UPDATE"):
        SparkTables(session).execute("UPDATE people SET id = 'x'")
