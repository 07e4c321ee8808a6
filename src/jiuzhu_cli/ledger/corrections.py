"""Corrections (冲正) in the record: a line booked as paid whose money came back, or that was booked wrongly. Asked by one person, done by another."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.ledger.store import Store, Transaction

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


def ask(tx: Transaction, line_id: int, *, kind: str, amount_fen: int, on_date: str, reference: str, reason: str) -> int:
    """Notes that a paid line is to be reversed; nothing is owed again yet. RefusedError when that was asked or done before."""
    known = tx.execute(
        "SELECT correction_id, state FROM payment_correction WHERE line_id = ? AND state <> 'dropped'", (line_id,)
    ).fetchone()
    if known is not None:
        done = "已冲正" if known[1] == "done" else "已提出冲正，等另一人确认"
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
    """A second person confirms (``done``: the line is reversed, its money owed again), or it is dropped. The caller has checked who."""
    changed = tx.execute(
        "UPDATE payment_correction SET state = ?, answered_by = ?, answered_at = ? WHERE correction_id = ? AND state = 'asked'",
        ("done" if done else "dropped", tx.actor, tx.now, correction["correction_id"]),
    ).rowcount
    if changed and done:
        changed = tx.execute(
            "UPDATE payment_line SET state = 'reversed', reason = ? WHERE line_id = ? AND state = 'paid'",
            (correction["reason"], correction["line_id"]),
        ).rowcount
    if changed != 1:
        raise RefusedError(
            f"冲正 {correction['correction_id']} 刚被别人办过，没有改动", "用 jiuzhu pay reverse 看清单", code="already"
        )


def paid_lines(store: Store, payment_id: int, numbers: list[int]) -> list[dict[str, Any]]:
    """These lines of a batch and those combined with them in one transfer: ``line_id, line_no, transfer_no, state, amount_fen, recipient_name``.

    UsageError for a number that the batch does not have.
    """
    import json

    rows = store.query(
        "SELECT line_id, line_no, transfer_no, state, l.amount_fen, o.recipient_name FROM payment_line l JOIN obligation o USING (obligation_id)"
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
