"""Pairs and persons from keys, in SQL that any engine with window functions runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.matching.keys import EXACT, MatchKey

if TYPE_CHECKING:
    import duckdb


def pairs_sql(records: str, keys: Sequence[MatchKey] = EXACT) -> str:
    """SELECT of pairs of the table ``records``: ``row_a, row_b, key, level``; every record against the first of its group.

    A pair found by several keys is kept once, under the first of them.
    """
    groups = " UNION ALL ".join(
        f"SELECT r.row, {key.value} AS value, '{key.name}' AS key, '{key.level}' AS level, {position} AS position FROM {records} r"
        for position, key in enumerate(keys)
    )
    return (
        "SELECT row_a, row_b, key, level FROM ("
        " SELECT first_value(row) OVER (PARTITION BY position, value ORDER BY row) AS row_a, row AS row_b, key, level, position"
        f" FROM ({groups}) WHERE value IS NOT NULL) WHERE row_a <> row_b"
        " QUALIFY row_number() OVER (PARTITION BY row_a, row_b ORDER BY position) = 1"
    )


def find_pairs(
    connection: duckdb.DuckDBPyConnection, records: str, keys: Sequence[MatchKey] = EXACT
) -> list[tuple[int, int, str, str]]:
    """The pairs of ``records`` in order: ``row_a, row_b, key, level``."""
    return connection.execute(pairs_sql(records, keys) + " ORDER BY row_a, row_b").fetchall()
