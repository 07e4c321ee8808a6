"""Rows of the engine for the few cases that are shown, and the steps of their amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.review.steps import limit_steps, steps_of

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.review.caps import Limit
    from jiuzhu_cli.review.tariffs import AmountRules


class Readings:
    """The readings of the flagged cases' amounts, fetched at once: a change of standard touches every case."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        rules: AmountRules,
        limits: Sequence[Limit],
        names: Mapping[str, str],
        which: str = "JOIN wanted USING (key)",
    ) -> None:
        self.rules, self.names = rules, names
        self.limits: dict[int, list[tuple[Limit, dict[str, Any]]]] = {}
        by_no = {one.no: one for one in limits}
        known = f"SELECT l.*, f.programme AS own FROM limit_row l JOIN facts f USING (key) {which} WHERE l.fen IS NOT NULL ORDER BY key, turn, no"
        for one in rows_of(connection, known):
            self.limits.setdefault(one["key"], []).append((by_no[one["no"]], one))
        self.readings: dict[int, list[dict[str, Any]]] = {}
        self.addons: dict[tuple[int, str], list[dict[str, Any]]] = {}
        for one in rows_of(connection, f"SELECT c.* FROM candidate c {which} ORDER BY key, place, kind, low"):
            self.readings.setdefault(one["key"], []).append(one)
        for one in rows_of(
            connection, f"SELECT p.* FROM addon_person p {which} WHERE low > 0 ORDER BY key, kind, id_no"
        ):
            self.addons.setdefault((one["key"], one["kind"]), []).append(one)

    def steps(self, fact: dict[str, Any], amount_fen: int, *, every: bool = False) -> tuple[dict[str, Any], ...]:
        """``amount_fen`` step by step by the first reading that gives it (``every``: the per-head reading too); () when none does."""
        for one in self.readings.get(fact["key"], []):
            if one["low"] - one["slack"] <= amount_fen <= one["high"] and (every or one["place"] == 1):
                addons = self.addons.get((fact["key"], one["kind"]), [])
                limits = limit_steps(self.limits.get(fact["key"], []), self.names)
                return tuple(steps_of(fact, one, amount_fen, addons, limits, self.rules))
        return ()


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str, params: list[Any] | None = None) -> list[dict[str, Any]]:
    """Rows of a query as dicts."""
    cursor = connection.execute(sql, params or [])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
