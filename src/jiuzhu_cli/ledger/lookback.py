"""What a run over some months has to know of the months before them: one-off aid already given, accounts used until now, who imported what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store

TABLES = {
    "before": "programme VARCHAR, area VARCHAR, month VARCHAR, file_name VARCHAR, sheet VARCHAR, source_row BIGINT, row_id BIGINT, town VARCHAR,"
    " village VARCHAR, id_no VARCHAR, name VARCHAR, account_no VARCHAR, amount_fen BIGINT, cause VARCHAR, stage VARCHAR, event_date VARCHAR",
    "paid_before": "programme VARCHAR, id_no VARCHAR, account_no VARCHAR, month VARCHAR",
    "imported": "batch_id BIGINT, actor VARCHAR, file_name VARCHAR, created_at VARCHAR",
}


def create_lookback(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables of ``load_lookback``, empty, where they are not there."""
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")


def load_lookback(
    store: Store, connection: duckdb.DuckDBPyConnection, *, window: tuple[str, str], since: str, once: Sequence[str], once_since: str
) -> None:  # fmt: skip
    """Live rows before ``window`` into the snapshot's connection.

    ``before``: lead rows; of the programmes ``once`` all from ``once_since`` on, of the others each place's latest month from ``since`` on.
    ``paid_before``: the account that the person's last payment of a programme went to, from ``since`` on.
    ``imported``: who brought in the window's rolls, and when.
    """
    first, last = window
    few = ", ".join(f"'{code}'" for code in once) or "NULL"
    live = f"b.status = 'active' AND b.kind = 'roll' AND b.month < '{first}'"
    latest = (
        f"b.programme NOT IN ({few}) AND b.month >= '{since}' AND b.month = (SELECT max(o.month) FROM batch o WHERE o.status = 'active'"
        f" AND o.kind = 'roll' AND o.month < '{first}' AND o.programme = b.programme AND o.area = b.area)"
    )
    found = {
        "before": "SELECT b.programme, b.area, b.month, b.file_name, t.sheet, r.source_row, r.row_id, r.town, r.village, r.id_no, r.name,"
        " r.account_no, r.amount_fen, r.cause, r.stage, r.event_date FROM batch b JOIN roll_row r USING (batch_id)"
        " JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no"
        f" WHERE {live} AND r.lead = 1 AND ((b.programme IN ({few}) AND b.month >= '{once_since}') OR ({latest}))",
        "paid_before": "SELECT o.programme, o.recipient_id_no AS id_no, l.account_no, max(o.month) AS month FROM payment_line l JOIN obligation o USING (obligation_id)"
        f" WHERE l.state IN ('sent', 'paid') AND o.month >= '{since}' AND o.month < '{first}' GROUP BY 1, 2, 3",
        "imported": "SELECT batch_id, actor, file_name, created_at FROM batch"
        f" WHERE status = 'active' AND kind = 'roll' AND month BETWEEN '{first}' AND '{last}'",
    }
    create_lookback(connection)
    for name, sql in found.items():
        connection.register("incoming", store.arrow(sql))
        fields = [column.split()[0] for column in TABLES[name].split(", ")]
        connection.execute(f"INSERT INTO {name} SELECT {', '.join(fields)} FROM incoming")
        connection.unregister("incoming")
