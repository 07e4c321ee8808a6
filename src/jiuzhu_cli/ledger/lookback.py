"""What a run over some months has to know of the months before them: one-off aid already given, accounts used until now, who imported what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.snapshot import row_ranges

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.ledger.store import Store

TABLES = {
    "before": "programme VARCHAR, area VARCHAR, month VARCHAR, file_name VARCHAR, sheet VARCHAR, source_row BIGINT, row_id BIGINT, town VARCHAR,"
    " village VARCHAR, id_no VARCHAR, name VARCHAR, account_no VARCHAR, amount_fen BIGINT, cause VARCHAR, stage VARCHAR, event_date VARCHAR",
    "paid_before": "programme VARCHAR, id_no VARCHAR, account_no VARCHAR, month VARCHAR",
    "imported": "batch_id BIGINT, programme VARCHAR, area VARCHAR, month VARCHAR, actor VARCHAR, file_name VARCHAR, created_at VARCHAR, wanting BIGINT",
    "case_home": "row_id BIGINT, address VARCHAR, start_month VARCHAR",
}

_ROW = (
    "batch_id table_no source_row row_id town village id_no name account_no amount_fen cause stage event_date".split()
)


def create_lookback(connection: Any) -> None:
    """The tables of ``load_lookback``, empty, where they are not there."""
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")


def load_lookback(
    store: Store, connection: duckdb.DuckDBPyConnection, *, window: tuple[str, str], since: str, once: Sequence[str], once_since: str, homes: Sequence[str] = ()
) -> None:  # fmt: skip
    """Live rows before ``window`` into the snapshot's connection.

    ``before``: lead rows; of the programmes ``once`` all from ``once_since`` on, of the others each place's latest month from ``since`` on.
    ``paid_before``: the account that the person's last payment of a programme went to, from ``since`` on.
    ``imported``: the window's rolls: who brought them in, when, and how many of their rows were refused and never came back (``wanting``). ``case_home``: address and first month of the window's
    cases of the programmes ``homes``, of ``roll``.
    """
    first, last = window
    few = ", ".join(f"'{code}'" for code in once) or "NULL"
    live = "b.status = 'active' AND b.kind = 'roll'"
    latest = (
        f"b.programme NOT IN ({few}) AND b.month >= '{since}' AND b.month = (SELECT max(o.month) FROM batch o WHERE o.status = 'active'"
        f" AND o.kind = 'roll' AND o.month < '{first}' AND o.programme = b.programme AND o.area = b.area)"
    )
    lists = store.arrow(
        "SELECT b.batch_id, t.table_no, b.programme, b.area, b.month, b.file_name, t.sheet FROM batch b JOIN batch_table t USING (batch_id)"
        f" WHERE {live} AND b.month < '{first}' AND ((b.programme IN ({few}) AND b.month >= '{once_since}') OR ({latest}))"
    )
    paid = store.arrow(
        "SELECT o.programme, o.recipient_id_no AS id_no, l.account_no, max(o.month) AS month FROM payment_line l JOIN obligation o USING (obligation_id)"
        f" WHERE l.state IN ('sent', 'paid') AND o.month >= '{since}' AND o.month < '{first}' GROUP BY 1, 2, 3"
    )
    who = store.arrow(
        "SELECT b.batch_id, b.programme, b.area, b.month, b.actor, b.file_name, b.created_at, CASE WHEN b.supplements IS NULL THEN max(0, b.refused"
        " - coalesce((SELECT sum(s.accepted) FROM batch s WHERE s.supplements = b.batch_id AND s.status = 'active'), 0)) ELSE 0 END AS wanting"
        f" FROM batch b WHERE {live} AND b.month BETWEEN '{first}' AND '{last}'"
    )
    create_lookback(connection)
    connection.register("lists", lists)
    queries = [
        f"SELECT {', '.join(_ROW)} FROM roll_row WHERE row_id BETWEEN {low} AND {high} AND lead = 1"
        for low, high in row_ranges(store, "roll_row", lists["batch_id"].unique().to_pylist())
    ]
    rows = "SELECT {fields} FROM incoming r JOIN lists b ON b.batch_id = r.batch_id AND b.table_no = r.table_no"
    for data in store.arrows(queries):
        _insert(connection, "before", data, rows)
    connection.unregister("lists")
    theirs = ", ".join(f"'{code}'" for code in homes) or "NULL"
    # the window's rows are there already
    connection.execute("DROP TABLE case_home")
    connection.execute(
        "CREATE VIEW case_home AS SELECT row_id, address, start_month FROM roll"
        f" WHERE lead = 1 AND programme IN ({theirs}) AND (address <> '' OR start_month <> '')"
    )
    _insert(connection, "paid_before", paid, "SELECT {fields} FROM incoming")
    _insert(connection, "imported", who, "SELECT {fields} FROM incoming")


def _insert(connection: duckdb.DuckDBPyConnection, name: str, data: pa.Table, select: str) -> None:
    fields = [column.split()[0] for column in TABLES[name].split(", ")]
    connection.register("incoming", data)
    connection.execute(f"INSERT INTO {name} {select.format(fields=', '.join(fields))}")
    connection.unregister("incoming")
