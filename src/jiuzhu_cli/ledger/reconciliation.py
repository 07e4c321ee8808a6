"""What of payments must agree within the record: batches with their lines, journal and manifest; claims, set-offs and reversals with theirs."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.payment_states import FIXED, SENT, sql_list
from jiuzhu_cli.ledger.dues import BALANCES
from jiuzhu_cli.ledger.store import Store

# code → query of ``entity, months, stated_fen, found_fen``; {first} and {last} are checked months (of the batch, or owed for)
_AGREE = {
    "batch_lines": (
        "SELECT 'payment:' || p.payment_id, p.month, p.amount_fen, COALESCE(l.fen, 0) FROM payment_batch p LEFT JOIN (SELECT payment_id, COUNT(*) AS n,"
        " SUM(amount_fen) AS fen FROM payment_line GROUP BY payment_id) l USING (payment_id) WHERE p.state <> 'cancelled'"
        " AND p.month BETWEEN '{first}' AND '{last}' AND (p.lines <> COALESCE(l.n, 0) OR p.amount_fen <> COALESCE(l.fen, 0))"
    ),
    "batch_journal": (
        "SELECT 'payment:' || p.payment_id, p.month, p.amount_fen, COALESCE(json_extract(j.detail, '$.amount_fen'), 0) FROM payment_batch p LEFT JOIN journal j"
        " ON j.seq = (SELECT MAX(k.seq) FROM journal k WHERE k.entity = 'payment:' || p.payment_id AND k.command LIKE 'pay lock%' AND"
        f" json_extract(k.detail, '$.amount_fen') IS NOT NULL) WHERE p.state IN {sql_list(FIXED)} AND p.month BETWEEN '{{first}}' AND '{{last}}' AND"
        " (j.seq IS NULL OR json_extract(j.detail, '$.amount_fen') <> p.amount_fen OR json_extract(j.detail, '$.lines') <> p.lines)"
    ),
    "batch_manifest": (
        "SELECT 'payment:' || p.payment_id, p.month, p.amount_fen, COALESCE(f.fen, 0) FROM payment_batch p LEFT JOIN (SELECT entity, SUM(amount_fen) AS fen"
        " FROM output_file WHERE kind = 'bank_file' GROUP BY entity) f ON f.entity = 'payment:' || p.payment_id"
        f" WHERE p.state IN {sql_list(SENT)} AND p.month BETWEEN '{{first}}' AND '{{last}}' AND p.amount_fen <> COALESCE(f.fen, 0)"
    ),
    "reversal_unrecorded": (
        "SELECT 'line:' || l.line_id, o.month, l.amount_fen, COALESCE(c.amount_fen, 0) FROM payment_line l JOIN obligation o USING (obligation_id)"
        " LEFT JOIN payment_correction c ON c.line_id = l.line_id AND c.state = 'done' AND c.kind <> 'paid_after_all' WHERE l.state = 'reversed'"
        " AND o.month BETWEEN '{first}' AND '{last}' AND l.amount_fen IS NOT c.amount_fen"
    ),
    "set_off_unlinked": (
        "SELECT 'line:' || l.line_id, o.month, l.set_off_fen, COALESCE(s.fen, 0) FROM payment_line l JOIN obligation o USING (obligation_id) LEFT JOIN"
        " (SELECT line_id, SUM(amount_fen) AS fen FROM recovery_set_off GROUP BY line_id) s USING (line_id)"
        " WHERE (l.set_off_fen > 0 OR s.line_id IS NOT NULL) AND o.month BETWEEN '{first}' AND '{last}' AND l.set_off_fen <> COALESCE(s.fen, 0)"
    ),
    "came_back_too_much": (
        f"SELECT 'recovery:' || c.recovery_id, o.month, c.claimed_fen, c.claimed_fen - c.open_fen FROM ({BALANCES}) c JOIN payment_line l USING (line_id)"
        " JOIN obligation o USING (obligation_id) WHERE c.open_fen < 0 AND o.month BETWEEN '{first}' AND '{last}'"
    ),
}


def disagreements(store: Store, first: str, last: str) -> list[dict[str, Any]]:
    """``code, entity, month, stated_fen, found_fen`` of what should say the same and does not, in the months from ``first`` to ``last``."""
    found = []
    for code, sql in _AGREE.items():
        for row in store.query(sql.format(first=first, last=last)):
            found.append({"code": code, "entity": row[0], "month": row[1], "stated_fen": row[2], "found_fen": row[3]})
    return found


def months_on_record(store: Store) -> list[str]:
    """Months that have an active roll or a batch of payments, in order."""
    rows = store.query(
        "SELECT month FROM batch WHERE kind = 'roll' AND status = 'active' UNION SELECT month FROM payment_batch WHERE state <> 'cancelled' ORDER BY 1"
    )
    return [row[0] for row in rows]
