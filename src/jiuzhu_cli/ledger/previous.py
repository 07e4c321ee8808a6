"""Last month's rolls beside this month's, as far as review compares them: who stood where, with what amount.

Makes ``previous`` (``programme, area, town, village, batch_id, case_no, lead, id_no, name, relation, amount_fen, persons``; the case's amount on
every row of it, persons as the row states them) and ``previous_cover`` (``programme, area``: lists of that month) in a snapshot's engine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.snapshot import row_ranges

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store

_COLUMNS = "batch_id BIGINT, case_no BIGINT, lead BIGINT, id_no VARCHAR, name VARCHAR, relation VARCHAR, town VARCHAR, village VARCHAR, amount_fen BIGINT, persons BIGINT"
_NAMES = "batch_id, case_no, lead, id_no, name, relation, town, village, amount_fen, coalesce(covered_persons, household_size) AS persons"
_CAST = ", ".join(f"CAST({column.split()[0]} AS {column.split()[1]})" for column in _COLUMNS.split(", "))
_EMPTY = f"""
CREATE TABLE IF NOT EXISTS previous_cover (programme VARCHAR, area VARCHAR);
CREATE TABLE IF NOT EXISTS previous (programme VARCHAR, area VARCHAR, {_COLUMNS});
"""


def add_previous(connection: duckdb.DuckDBPyConnection, store: Store, month: str) -> None:
    """Last month's rolls, all of them."""
    _lists(connection, store, month)
    batches = [row[0] for row in connection.execute("SELECT batch_id FROM previous_list").fetchall()]
    connection.execute(f"CREATE TABLE previous_row ({_COLUMNS})")
    queries = [
        f"SELECT {_NAMES} FROM roll_row WHERE row_id BETWEEN {first} AND {last}"
        for first, last in row_ranges(store, "roll_row", batches)
    ]
    for data in store.arrows(queries):
        connection.register("incoming", data)
        connection.execute(f"INSERT INTO previous_row SELECT {_CAST} FROM incoming")
        connection.unregister("incoming")
    _finish(connection)


def add_previous_of(connection: duckdb.DuckDBPyConnection, store: Store, month: str, ids: Sequence[str]) -> None:
    """Last month's cases in which any of these people stood."""
    _lists(connection, store, month)
    rows = store.query(
        f"SELECT {_NAMES} FROM roll_row WHERE (batch_id, case_no) IN (SELECT r.batch_id, r.case_no FROM json_each(?2) w"
        f" CROSS JOIN roll_row r ON {same_id('r', 'w.value')} JOIN batch b USING (batch_id)"
        " WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = ?1)",
        (add_months(month, -1), json.dumps(list(ids))),
    )
    connection.execute(f"CREATE TABLE previous_row ({_COLUMNS})")
    if rows:
        marks = ",".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO previous_row VALUES ({marks})", [tuple(row) for row in rows])
    _finish(connection)


def without_previous(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables of this module with nothing in them, where nobody has made them."""
    connection.execute(_EMPTY)


def _lists(connection: duckdb.DuckDBPyConnection, store: Store, month: str) -> None:
    connection.execute("CREATE TABLE previous_list (batch_id BIGINT, programme VARCHAR, area VARCHAR)")
    lists = store.query(
        "SELECT batch_id, programme, area FROM batch WHERE kind = 'roll' AND status = 'active' AND month = ?",
        (add_months(month, -1),),
    )
    if lists:
        connection.executemany("INSERT INTO previous_list VALUES (?,?,?)", [tuple(row) for row in lists])


def _finish(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("""
    CREATE TABLE previous_cover AS SELECT DISTINCT programme, area FROM previous_list;
    CREATE TABLE previous AS
    SELECT l.programme, l.area, r.* EXCLUDE (amount_fen), max(CASE WHEN r.lead = 1 THEN r.amount_fen END) OVER (PARTITION BY r.batch_id, r.case_no) AS amount_fen
    FROM previous_row r JOIN previous_list l USING (batch_id);
    DROP TABLE previous_row; DROP TABLE previous_list;
    """)
