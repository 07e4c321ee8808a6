"""DuckDB's SQL as Spark says it. Statements are written once, for DuckDB; sqlglot translates."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import ErrorLevel


def spark_sql(query: str) -> str:
    """One query; its last ORDER BY is left out, for parts are put in order where it counts. sqlglot's UnsupportedError for what has no counterpart."""
    tree = parse_one(query, read="duckdb")
    if isinstance(tree, exp.Query):
        tree.set("order", None)
    return tree.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
