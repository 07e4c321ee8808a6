"""How payments went: lines and sums by state, programme and town, and whether the money left in time. One pass over the lines of the months."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.payment_states import SENT, sql_list
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger.spending import kind_of
from jiuzhu_cli.ledger.store import Store


def rates(store: Store, first: str, last: str, due_day: int, *, kinds: bool = False) -> list[dict[str, Any]]:
    """``programme, town, month`` (paid in), ``kind`` (城市, 农村; '' unless ``kinds``) with lines and 分 by state (``paid, sent, failed, reversed,
    due``), ``timely_lines, timely_fen`` (regular lines of which the file left by day ``due_day`` of the month they are owed for, by the clock of
    Beijing) of ``regular_lines, regular_fen``. Batches cancelled are left out."""
    kind, join = kind_of(kinds=kinds)
    sent = f"p.state IN {sql_list(SENT)}"
    money = "l.amount_fen + l.set_off_fen"
    out = f"l.state IN ('sent','paid') AND o.purpose = 'regular' AND {sent}"
    timely = f"{out} AND date(p.exported_at, '+8 hours') <= date(o.month || '-01', '+{int(due_day) - 1} days')"
    states = ", ".join(
        f"SUM(l.state = '{state}') AS {state}, SUM(CASE WHEN l.state = '{state}' THEN {money} ELSE 0 END) AS {state}_fen"
        for state in ("due", "sent", "paid", "failed", "reversed")
    )
    rows = store.query(
        f"SELECT o.programme, o.town, p.month, {kind} AS kind, {states}, SUM({out}) AS regular_lines, SUM(CASE WHEN {out} THEN {money} ELSE 0 END) AS regular_fen,"
        f" SUM({timely}) AS timely_lines, SUM(CASE WHEN {timely} THEN {money} ELSE 0 END) AS timely_fen"
        f" FROM payment_batch p JOIN payment_line l USING (payment_id) JOIN obligation o USING (obligation_id) {join} WHERE p.state <> 'cancelled'"
        f" AND p.month BETWEEN '{check_month(first)}' AND '{check_month(last)}' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    return [dict(row) for row in rows]


def owing(store: Store) -> dict[int, int]:
    """Batch → lines of it that were refused or came back, and of which nothing was drafted again."""
    rows = store.query(
        "SELECT f.payment_id, COUNT(*) FROM payment_line f INDEXED BY payment_failed WHERE f.state IN ('failed','reversed') AND NOT EXISTS"
        " (SELECT 1 FROM payment_line l WHERE l.obligation_id = f.obligation_id AND l.line_id > f.line_id AND l.state <> 'cancelled') GROUP BY f.payment_id"
    )
    return {row[0]: row[1] for row in rows}


def held_now(store: Store, first: str, last: str) -> dict[str, tuple[int, int]]:
    """Month → cases and 分 that its last batch left out."""
    rows = store.query(
        "SELECT p.month, COUNT(DISTINCT h.programme || h.recipient_id_no), SUM(h.fen) FROM payment_batch p JOIN (SELECT payment_id, programme, recipient_id_no,"
        " MAX(amount_fen) AS fen FROM payment_hold GROUP BY 1, 2, 3) h USING (payment_id) WHERE p.state <> 'cancelled' AND p.month BETWEEN ? AND ?"
        " AND p.sequence = (SELECT MAX(q.sequence) FROM payment_batch q WHERE q.month = p.month AND q.state <> 'cancelled') GROUP BY p.month",
        (first, last),
    )
    return {row[0]: (row[1], row[2] or 0) for row in rows}
