"""What the gates of a payment (发放的关口) read of the record beside the month's cases: what was last paid to whom, accounts refused or looked
into since, accounts that came after the comparison, objections that nobody has answered. All as Arrow tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jiuzhu_cli.core.payment_states import OUT, sql_list
from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

BACK = 12  # months in which a last payment is looked for
FEW = 50_000  # persons asked for one by one; more of them are read month by month

_PAID = (
    "SELECT o.programme, o.recipient_id_no, o.item, o.month, o.amount_fen AS paid_fen, o.persons, l.account_no, l.payee_name, l.line_id"
    " FROM {source} WHERE l.state IN {out} AND o.purpose = 'regular' AND o.month < '{month}' AND o.month >= '{since}'"
)
_OF_BATCHES = "payment_batch b JOIN payment_line l USING (payment_id) JOIN obligation o USING (obligation_id)"
_OF_PERSONS = "json_each('{ids}') j CROSS JOIN obligation o ON o.recipient_id_no = j.value JOIN payment_line l USING (obligation_id)"


def earlier_months(store: Store, month: str) -> list[str]:
    """Months before ``month`` in which something was sent to a bank, the latest first, at most ``BACK`` back."""
    rows = store.query(
        "SELECT DISTINCT month FROM payment_batch WHERE month < ? AND month >= ? AND exported_at <> '' ORDER BY month DESC",
        (month, add_months(month, -BACK)),
    )
    return [str(row[0]) for row in rows]


def paid_in(store: Store, paid_month: str, *, before: str) -> pa.Table:
    """Lines of the batches of ``paid_month`` that were paid or are at the bank, owed for a month before ``before``.

    ``programme, recipient_id_no, item, month`` (owed for) ``, paid_fen`` (owed: what was kept back towards a recovery is in it) ``, persons,
    account_no, payee_name, line_id``.
    """
    sql = _PAID.format(source=_OF_BATCHES, out=sql_list(OUT), month=before, since=add_months(before, -BACK))
    return store.arrow(f"{sql} AND b.month = '{paid_month}'")


def paid_to(store: Store, recipients: Sequence[str], *, before: str) -> pa.Table:
    """As ``paid_in``, of these persons and any month."""
    source = _OF_PERSONS.format(ids=json.dumps(list(recipients)).replace("'", ""))
    return store.arrow(_PAID.format(source=source, out=sql_list(OUT), month=before, since=add_months(before, -BACK)))


def accounts_looked_into(store: Store, month: str) -> pa.Table:
    """``row_id`` of roll rows whose changed account somebody has looked into and lets pass (疑点 发放前换了账户、一次导入集中换了许多账户)."""
    return store.arrow(
        "SELECT m.row_a AS row_id FROM doubt d JOIN doubt_month m USING (doubt_id) WHERE d.code = 'account_changed' AND d.state = 'open'"
        f" AND d.disposition IN ('legal','referred') AND m.month = '{month}' AND m.row_a > 0"
        " UNION SELECT r.row_id FROM doubt d JOIN doubt_month m USING (doubt_id) JOIN roll_row a ON a.row_id = m.row_a"
        " JOIN roll_row r ON r.batch_id = a.batch_id AND r.lead = 1 WHERE d.code = 'accounts_changed_together' AND d.state = 'open'"
        f" AND d.disposition IN ('legal','referred') AND m.month = '{month}' AND m.row_a > 0"
    )


def accounts_since(store: Store, month: str, *, after: int) -> pa.Table:
    """``row_id`` of the month's cases whose account no list told before the journal entry ``after`` (the comparison)."""
    return store.arrow(
        "WITH listed AS (SELECT b.batch_id, b.programme, b.status, (SELECT MIN(j.seq) FROM journal j WHERE j.entity = 'batch:' || b.batch_id) AS seq"
        f" FROM batch b WHERE b.kind = 'roll' AND b.month = '{month}')"
        " SELECT r.row_id FROM listed n JOIN roll_row r USING (batch_id) WHERE n.status = 'active' AND r.lead = 1 AND r.account_no <> ''"
        f" AND n.seq > {int(after)} AND NOT EXISTS (SELECT 1 FROM roll_row p JOIN listed e ON e.batch_id = p.batch_id WHERE {same_id('p', 'r.id_no')}"
        f" AND e.programme = n.programme AND e.seq <= {int(after)} AND p.account_no = r.account_no)"
    )


def unanswered_objections(store: Store, month: str) -> pa.Table:
    """Open objections about a person, raised in ``month`` or before: ``objection_id, programme, town, id_no, raised_month, round, received_on``."""
    return store.arrow(
        "SELECT o.objection_id, p.programme, p.town, o.id_no, p.month AS raised_month, p.round, o.received_on FROM objection o"
        f" JOIN posting p USING (posting_id) WHERE o.state = 'open' AND o.id_no <> '' AND p.state <> 'replaced' AND p.month <= '{month}'"
    )
