"""Back-pay (补发) in the record: money owed for a month that was paid already: found, decided on, and once drafted an obligation of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.payment_states import LIVE, SENT, sql_list
from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa

# of the back-pay ``b`` a line is drafted, under way or paid
DRAFTED = (
    "EXISTS (SELECT 1 FROM obligation o JOIN payment_line l USING (obligation_id) WHERE o.programme = b.programme AND o.month = b.month AND"
    f" o.recipient_id_no = b.recipient_id_no AND o.item = b.item AND o.purpose = 'back_pay' AND o.cause = b.cause AND l.state IN {sql_list(LIVE)})"
)


def paid_months(store: Store, until: str) -> list[str]:
    """Months up to ``until`` of which a batch was sent to the bank, in order."""
    rows = store.query(
        f"SELECT DISTINCT month FROM payment_batch WHERE state IN {sql_list(SENT)} AND month <= ? ORDER BY month",
        (until,),
    )
    return [row[0] for row in rows]


def back_pays(store: Store, *, states: Sequence[str] = (), number: int = 0) -> list[dict[str, Any]]:
    """Rows of ``back_pay`` by month, town and number, with ``drafted`` (1: a line of it is drafted, under way or paid)."""
    only = f" AND b.state IN {sql_list(states)}" if states else ""
    rows = store.query(
        f"SELECT b.*, {DRAFTED} AS drafted FROM back_pay b WHERE ? IN (0, b.back_pay_id){only} ORDER BY b.month, b.town, b.back_pay_id",
        (number,),
    )
    return [dict(row) for row in rows]


def save_found(tx: Transaction, found: Iterable[Mapping[str, Any]], months: Sequence[str]) -> dict[str, int]:
    """Makes the record of ``months`` say what was found: ``programme, month, recipient, item, cause, amount_fen, name, town, village, row_id,
    reason, sure`` (nothing is left to decide). What is no longer found, and not drafted, becomes ``gone``. Returns ``added, changed, gone``."""
    counts = {"added": 0, "changed": 0, "gone": 0}
    seen = set()
    for row in found:
        key = (row["programme"], row["month"], row["recipient"], row["item"], row["cause"])
        seen.add(key)
        known = tx.execute(
            "SELECT back_pay_id, state, amount_fen FROM back_pay WHERE programme = ? AND month = ? AND recipient_id_no = ? AND item = ? AND cause = ?",
            key,
        ).fetchone()
        if known is None:
            counts["added"] += 1
            tx.execute(
                "INSERT INTO back_pay (programme, month, recipient_id_no, item, cause, amount_fen, recipient_name, town, village, roll_row_id, reason, state,"
                " found_by, found_at, decided_by, decided_at, decision_note) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    *key, row["amount_fen"], row["name"], row["town"], row["village"], row["row_id"], row["reason"], "confirmed" if row["sure"] else "found",
                    tx.actor, tx.now, *((tx.actor, tx.now, row["reason"]) if row["sure"] else ("", "", "")),
                ),
            )  # fmt: skip
        elif known["state"] in ("gone", "declined") or known["amount_fen"] != row["amount_fen"]:
            counts["changed"] += 1
            # what was confirmed stays so for the part that is left; a new amount of what was declined is asked anew, however sure
            sure = row["sure"] and known["state"] != "declined"
            state = "confirmed" if sure or known["state"] == "confirmed" else "found"
            tx.execute(
                "UPDATE back_pay SET amount_fen = ?, reason = ?, roll_row_id = ?, state = ? WHERE back_pay_id = ?",
                (row["amount_fen"], row["reason"], row["row_id"], state, known["back_pay_id"]),
            )
    marks = ", ".join("?" * len(months))
    standing = tx.execute(
        f"SELECT b.* FROM back_pay b WHERE b.state IN ('found','confirmed') AND b.month IN ({marks}) AND NOT {DRAFTED}",
        tuple(months),
    ).fetchall()
    for row in standing:
        if (row["programme"], row["month"], row["recipient_id_no"], row["item"], row["cause"]) not in seen:
            counts["gone"] += 1
            tx.execute("UPDATE back_pay SET state = 'gone' WHERE back_pay_id = ?", (row["back_pay_id"],))
    return counts


def decide(tx: Transaction, numbers: Sequence[int], *, state: str, note: str) -> int:
    """Confirms or declines what was found; returns the sum in 分. UsageError for an unknown number; RefusedError for one that is drafted or gone."""
    total = 0
    for number in dict.fromkeys(numbers):
        row = tx.execute(
            f"SELECT b.*, {DRAFTED} AS drafted FROM back_pay b WHERE b.back_pay_id = ?", (number,)
        ).fetchone()
        if row is None:
            raise UsageError(f"没有补发 {number}", "用 jiuzhu pay back-pay 看清单")
        if row["drafted"]:
            raise RefusedError(
                f"补发 {number} 已制单，没有改动", "不该发的，发出前用 jiuzhu pay cancel 取消那一批", code="already"
            )
        if row["state"] == "gone":
            raise RefusedError(
                f"补发 {number} 现在已不成立，没有改动", "用 jiuzhu pay back-pay 看现在的清单", code="gone"
            )
        total += row["amount_fen"]
        tx.execute(
            "UPDATE back_pay SET state = ?, decided_by = ?, decided_at = ?, decision_note = ? WHERE back_pay_id = ?",
            (state, tx.actor, tx.now, note, number),
        )
    return total


def back_pays_of(store: Store, people: Sequence[str]) -> list[dict[str, Any]]:
    """Back-pay of these persons that still stands: ``back_pay_id, programme, month, cause, amount_fen, reason, state``, and ``line_state`` and ``payment_id``
    of what was last drafted of it ('' and 0: nothing was)."""
    rows = store.query(
        "SELECT b.back_pay_id, b.programme, b.month, b.cause, b.amount_fen, b.reason, b.state, COALESCE(l.state, '') AS line_state,"
        " COALESCE(l.payment_id, 0) AS payment_id FROM json_each(?) j CROSS JOIN back_pay b ON b.recipient_id_no = j.value LEFT JOIN payment_line l ON"
        " l.line_id = (SELECT MAX(k.line_id) FROM obligation o JOIN payment_line k USING (obligation_id) WHERE o.recipient_id_no = b.recipient_id_no"
        " AND o.programme = b.programme AND o.month = b.month AND o.item = b.item AND o.purpose = 'back_pay' AND o.cause = b.cause AND k.state <> 'cancelled')"
        " WHERE b.state <> 'gone' OR l.line_id IS NOT NULL ORDER BY b.month, b.back_pay_id",
        (json.dumps(list(people)),),
    )
    return [dict(row) for row in rows]


def confirmed(store: Store, until: str, *, without: int = 0) -> pa.Table:
    """Confirmed back-pay for months up to ``until`` (which draws up itself what was missed of it) that is not under way or paid, but by payment
    ``without``: ``back_pay_id, programme, month, recipient, item, cause, roll_row_id, name``."""
    return store.arrow(
        "SELECT back_pay_id, programme, month, recipient_id_no AS recipient, item, cause, roll_row_id, recipient_name AS name FROM back_pay f"
        f" WHERE state = 'confirmed' AND month <= '{until}' AND NOT (month = '{until}' AND cause = 'missed') AND NOT EXISTS (SELECT 1 FROM obligation o"
        " JOIN payment_line l USING (obligation_id) WHERE o.programme = f.programme AND o.month = f.month AND o.recipient_id_no = f.recipient_id_no"
        " AND o.item = f.item AND o.purpose = 'back_pay' AND o.cause = f.cause"
        f" AND l.state IN ('due', 'sent', 'paid') AND l.payment_id <> {int(without)})"
    )


def case_rows(store: Store, rows: Sequence[int]) -> pa.Table:
    """What a payment needs of these rows of rolls: place, account, payee, persons."""
    listed = ", ".join(map(str, map(int, rows))) or "NULL"
    return store.arrow(
        "SELECT r.row_id, r.batch_id, r.case_no, b.area, r.id_no, r.town, r.village, COALESCE(r.covered_persons, r.household_size, 0) AS persons, r.payee_name,"
        " r.payee_id_no, r.account_no, r.bank_name, r.bank_code, r.base_fen, r.addon_fen, r.care_fen, r.category, r.phone, r.address, b.file_name, b.file_sha256"
        f" FROM roll_row r JOIN batch b USING (batch_id) WHERE r.row_id IN ({listed})"
    )


def upheld(store: Store) -> pa.Table:
    """Objections that were found right: ``objection_id, programme, month, id_no``."""
    return store.arrow(
        "SELECT o.objection_id, p.programme, p.month, o.id_no FROM objection o JOIN posting p USING (posting_id) WHERE o.state = 'upheld' AND o.id_no <> ''"
    )


def obligations(store: Store, months: Sequence[str], *, without: int = 0) -> pa.Table:
    """``obligation_id, programme, month, recipient, item, cause, failed`` of the back-pay of ``months`` that was drafted before."""
    marks = ", ".join(f"'{month}'" for month in months) or "NULL"
    return store.arrow(
        "SELECT obligation_id, programme, month, recipient_id_no AS recipient, item, cause, EXISTS (SELECT 1 FROM payment_line l WHERE"
        " l.obligation_id = o.obligation_id AND l.state IN ('failed','reversed')) AS failed FROM obligation o"
        f" WHERE o.purpose = 'back_pay' AND o.month IN ({marks})"
    )


def forget_undrafted(tx: Transaction) -> None:
    """Back-pay that only a replaced draft knew is owed as found, no longer as drafted."""
    tx.execute(
        "DELETE FROM obligation WHERE purpose = 'back_pay' AND NOT EXISTS (SELECT 1 FROM payment_line l WHERE l.obligation_id = obligation.obligation_id)"
    )


def save_set_offs(tx: Transaction) -> None:
    """Writes ``staging.plan_set_off`` (``line_id, recovery_id, amount_fen``): what the lines keep back, towards which claims."""
    tx.execute(
        "INSERT INTO recovery_set_off (line_id, recovery_id, amount_fen) SELECT line_id, recovery_id, amount_fen FROM staging.plan_set_off"
    )
