"""Corrections (冲正) in the record: a line booked as paid whose money came back, or that was booked wrongly, or one booked as refused that was paid after
all. Asked by one person, done by another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.payment_states import LIVE, sql_list
from jiuzhu_cli.ledger.dues import BALANCES
from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa

AFTER_ALL = "paid_after_all"  # booked as refused, paid in truth

_ROWS = (
    "SELECT c.*, l.payment_id, l.line_no, l.bank, o.programme, o.month, o.recipient_id_no, o.recipient_name, o.town, o.village FROM payment_correction c"
    " JOIN payment_line l USING (line_id) JOIN obligation o USING (obligation_id)"
)


def corrections(store: Store, *, states: tuple[str, ...] = (), number: int = 0) -> list[dict[str, Any]]:
    """Corrections in order, of ``states`` or that ``number``: columns of ``payment_correction`` with the line's batch, number, bank and person."""
    marks = ", ".join("?" * len(states))
    only = f" AND c.state IN ({marks})" if states else ""
    rows = store.query(f"{_ROWS} WHERE ? IN (0, c.correction_id){only} ORDER BY c.correction_id", (number, *states))
    return [dict(row) for row in rows]


def corrections_of(store: Store, lines: list[int]) -> list[dict[str, Any]]:
    """The corrections of these lines that wait or were done: ``correction_id, line_id, payment_id, line_no, programme, month, kind, amount_fen, on_date,
    reference, reason, state, asked_by, answered_by``."""
    rows = store.query(
        "SELECT c.correction_id, c.line_id, l.payment_id, l.line_no, o.programme, o.month, c.kind, c.amount_fen, c.on_date, c.reference, c.reason, c.state,"
        " c.asked_by, c.answered_by FROM json_each(?) j CROSS JOIN payment_correction c ON c.line_id = j.value AND c.state <> 'dropped'"
        " JOIN payment_line l ON l.line_id = c.line_id JOIN obligation o USING (obligation_id) ORDER BY c.correction_id",
        (json.dumps(lines),),
    )
    return [dict(row) for row in rows]


def ask(tx: Transaction, line_id: int, *, kind: str, amount_fen: int, on_date: str, reference: str, reason: str) -> int:
    """Notes that a paid line is to be reversed (``AFTER_ALL``: a refused one booked as paid); nothing changes yet. RefusedError when that was asked or
    done before."""
    known = tx.execute(
        "SELECT correction_id, state FROM payment_correction WHERE line_id = ?1 AND state <> 'dropped' AND (kind = ?2) = (?3 = ?2)",
        (line_id, AFTER_ALL, kind),
    ).fetchone()
    if known is not None:
        done = "已更正过" if known[1] == "done" else "已提出更正，等另一人确认"
        raise RefusedError(
            f"这一笔{done}（冲正 {known[0]}），没有改动",
            f"jiuzhu pay reverse --confirm {known[0]} --actor 确认人",
            code="already",
        )
    number = tx.execute(
        "INSERT INTO payment_correction (line_id, kind, amount_fen, on_date, reference, reason, asked_by, asked_at, state)"
        " VALUES (?,?,?,?,?,?,?,?,'asked')",
        (line_id, kind, amount_fen, on_date, reference, reason, tx.actor, tx.now),
    ).lastrowid
    assert number is not None
    return int(number)


def answer(tx: Transaction, correction: dict[str, Any], *, done: bool) -> None:
    """A second person confirms (``done``: the line is reversed, its money owed again; or paid after all), or it is dropped. The caller has checked who."""
    changed = tx.execute(
        "UPDATE payment_correction SET state = ?, answered_by = ?, answered_at = ? WHERE correction_id = ? AND state = 'asked'",
        ("done" if done else "dropped", tx.actor, tx.now, correction["correction_id"]),
    ).rowcount
    if changed and done:
        after_all = correction["kind"] == AFTER_ALL
        changed = tx.execute(
            "UPDATE payment_line SET state = 'paid', reason = ?, reason_code = '' WHERE line_id = ? AND state = 'failed'"
            if after_all
            else "UPDATE payment_line SET state = 'reversed', reason = ? WHERE line_id = ? AND state = 'paid'",
            ("" if after_all else correction["reason"], correction["line_id"]),
        ).rowcount
    if changed != 1:
        raise RefusedError(
            f"冲正 {correction['correction_id']} 刚被别人办过，没有改动", "用 jiuzhu pay reverse 看清单", code="already"
        )


def lines(store: Store, payment_id: int, numbers: list[int]) -> list[dict[str, Any]]:
    """These lines of a batch and those combined with them in one transfer: ``line_id, line_no, transfer_no, state, reason, amount_fen, recipient_name``.

    UsageError for a number that the batch does not have.
    """
    rows = store.query(
        "SELECT line_id, line_no, transfer_no, state, reason, l.amount_fen, o.recipient_name FROM payment_line l JOIN obligation o USING (obligation_id)"
        " WHERE payment_id = ?1 AND transfer_no IN (SELECT transfer_no FROM payment_line WHERE payment_id = ?1 AND line_no IN"
        " (SELECT value FROM json_each(?2))) ORDER BY line_no",
        (payment_id, json.dumps(numbers)),
    )
    found = [dict(row) for row in rows]
    strange = sorted(set(numbers) - {row["line_no"] for row in found})
    if strange or not numbers:
        raise UsageError(
            f"第 {payment_id} 批没有第 {'、'.join(map(str, strange))} 笔", f"用 jiuzhu pay show {payment_id} 看有哪些笔"
        )
    return found


# of refused lines: a line of the same obligation that is live; and back-pay of the same month that was drafted after the refusal, which made up for it
_PAID_AGAIN = f"""
SELECT DISTINCT a.line_id, a.line_no, l.payment_id, l.line_no AS other_no, l.state, p.state AS batch_state, p.month
FROM json_each(?1) j CROSS JOIN payment_line a ON a.line_id = j.value JOIN obligation o USING (obligation_id)
JOIN obligation k ON k.recipient_id_no = o.recipient_id_no AND k.programme = o.programme AND k.month = o.month AND k.item = o.item
JOIN payment_line l ON l.obligation_id = k.obligation_id JOIN payment_batch p ON p.payment_id = l.payment_id
WHERE l.state IN {sql_list(LIVE)} AND (k.obligation_id = o.obligation_id OR p.drafted_at >= a.returned_at) ORDER BY a.line_no, l.line_id
"""
# claims that have come back since, or are set off by another payment: less is open than these lines had kept back
_SET_OFF_AGAIN = f"""
SELECT c.recovery_id, SUM(s.amount_fen) AS kept_fen, c.open_fen FROM json_each(?1) j CROSS JOIN recovery_set_off s ON s.line_id = j.value
JOIN ({BALANCES}) c USING (recovery_id) GROUP BY c.recovery_id HAVING SUM(s.amount_fen) > c.open_fen ORDER BY 1
"""


def paid_again(store: Store, lines: list[int]) -> list[dict[str, Any]]:
    """What was drafted or paid since for the same money as these refused lines (by ``line_id``): ``line_id, line_no`` of the refused one, ``payment_id,
    other_no, state, batch_state, month`` of the other."""
    return [dict(row) for row in store.query(_PAID_AGAIN, (json.dumps(lines),))]


def set_off_again(store: Store, lines: list[int]) -> list[dict[str, Any]]:
    """Claims of which less is open than these refused lines would keep back once they count as paid: ``recovery_id, kept_fen, open_fen``."""
    kept = store.query(
        "SELECT 1 FROM recovery_set_off WHERE line_id IN (SELECT value FROM json_each(?)) LIMIT 1", (json.dumps(lines),)
    )
    return [dict(row) for row in store.query(_SET_OFF_AGAIN, (json.dumps(lines),))] if kept else []


def said_paid(store: Store) -> pa.Table:
    """What somebody says was paid after all, and nobody has confirmed yet: ``programme, recipient_id_no, month`` (owed for) ``, item, correction_id``."""
    return store.arrow(
        "SELECT o.programme, o.recipient_id_no, o.month, o.item, MIN(c.correction_id) AS correction_id FROM payment_correction c"
        " JOIN payment_line l USING (line_id) JOIN obligation o USING (obligation_id)"
        f" WHERE c.state = 'asked' AND c.kind = '{AFTER_ALL}' GROUP BY 1, 2, 3, 4"
    )
