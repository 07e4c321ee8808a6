"""The record of banks' answers (回盘): files read, what they said of each line, lines settled by hand."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.ledger.payment_moves import move
from jiuzhu_cli.ledger.sent import any_under_way
from jiuzhu_cli.ledger.store import Store, Transaction


def return_by_digest(store: Store, sha256: str, *, payment_id: int = 0) -> dict[str, Any] | None:
    """The return that was read from a file with this digest (for that batch when given), None when it never was."""
    rows = store.query(
        "SELECT * FROM bank_return WHERE sha256 = ?1 AND ?2 IN (0, payment_id) ORDER BY return_id DESC",
        (sha256, payment_id),
    )
    return dict(rows[0]) if rows else None


def returns(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """Rows of ``bank_return`` of a batch, in the order they were read."""
    rows = store.query("SELECT * FROM bank_return WHERE payment_id = ? ORDER BY return_id", (payment_id,))
    return [dict(row) for row in rows]


def book_return(
    tx: Transaction, *, payment_id: int, bank: str, file_name: str, sha256: str, figures: dict[str, int]
) -> None:
    """Books the staged outcomes (``staging.outcome``: ``line_id, state, reason, reason_code``) and the return itself; all or nothing.

    ``state`` paid or failed closes a line that is under way; ``sent`` only notes the reason (partly paid).
    """
    tx.execute(
        "UPDATE payment_line SET state = o.state, reason = o.reason, reason_code = o.reason_code,"
        " returned_at = CASE WHEN o.state = 'sent' THEN returned_at ELSE ? END"
        " FROM staging.outcome o WHERE o.line_id = payment_line.line_id AND payment_line.state = 'sent' AND payment_line.payment_id = ?",
        (tx.now, payment_id),
    )
    names = ("lines", "succeeded", "failed", "partial", "missing", "unknown", "amount_fen")
    tx.execute(
        "INSERT INTO bank_return (payment_id, bank, file_name, sha256, lines, succeeded, failed, partial, missing, unknown, amount_fen, read_by,"
        " read_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (payment_id, bank, file_name, sha256, *(figures[name] for name in names), tx.actor, tx.now),
    )
    set_reconciled(tx, payment_id)


def settle(
    tx: Transaction, payment_id: int, numbers: Sequence[int], state: str, reason: str, reason_code: str = ""
) -> None:
    """Closes lines under way (by line number) as ``paid`` or ``failed``; RefusedError when one has its answer already."""
    failed = state == "failed"
    done = tx.execute(
        "UPDATE payment_line SET state=?, reason=?, reason_code=?, returned_at=? WHERE payment_id=? AND state='sent'"
        " AND line_no IN (SELECT value FROM json_each(?))",
        (state, reason if failed else "", reason_code if failed else "", tx.now, payment_id, json.dumps(list(numbers))),
    ).rowcount
    if done != len(numbers):
        raise RefusedError(f"第 {payment_id} 批刚被别人改动", "用 jiuzhu pay show 看它到了哪一步")
    set_reconciled(tx, payment_id)


def settle_rest(tx: Transaction, payment_id: int, bank: str) -> tuple[int, int]:
    """Closes as paid every line of a bank that is under way and of which nothing was said: ``(lines, 分)``."""
    which = "payment_id = ? AND bank = ? AND state = 'sent' AND reason = ''"
    count, amount = tx.execute(
        f"SELECT COUNT(*), COALESCE(SUM(amount_fen), 0) FROM payment_line WHERE {which}", (payment_id, bank)
    ).fetchone()
    tx.execute(f"UPDATE payment_line SET state = 'paid', returned_at = ? WHERE {which}", (tx.now, payment_id, bank))
    set_reconciled(tx, payment_id)
    return int(count), int(amount)


def handled_by(store: Store, payment_id: int, bank: str) -> set[str]:
    """Who drafted, locked, released or exported the batch or read a return of that bank: not whoever approved it."""
    rows = store.query(
        "SELECT actor FROM payment_move WHERE payment_id = ?1 AND to_state IN ('draft','locked','released','exported')"
        " UNION SELECT read_by FROM bank_return WHERE payment_id = ?1 AND bank = ?2"
        " UNION SELECT drafted_by FROM payment_batch WHERE payment_id = ?1",
        (payment_id, bank),
    )
    return {str(row[0]) for row in rows}


def lines_with(store: Store, payment_id: int, numbers: Collection[int]) -> dict[int, dict[str, Any]]:
    """Line number → ``line_no, transfer_no, bank, state, reason, amount_fen`` of the lines of these numbers and those combined with them."""
    rows = store.query(
        "SELECT line_no, transfer_no, bank, state, reason, amount_fen FROM payment_line WHERE payment_id = ?1 AND transfer_no IN (SELECT transfer_no"
        " FROM payment_line WHERE payment_id = ?1 AND line_no IN (SELECT value FROM json_each(?2))) ORDER BY line_no",
        (payment_id, json.dumps(sorted(numbers))),
    )
    return {row["line_no"]: dict(row) for row in rows}


def count_under_way(store: Store, payment_id: int) -> int:
    """Lines sent to the bank and not answered yet."""
    return int(
        store.query("SELECT COUNT(*) FROM payment_line WHERE payment_id = ? AND state = 'sent'", (payment_id,))[0][0]
    )


def under_way(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """Lines sent to the bank and not answered yet: ``line_no, transfer_no, bank, town, recipient_name, amount_fen, reason``."""
    rows = store.query(
        "SELECT l.line_no, l.transfer_no, l.bank, o.town, o.recipient_name, l.amount_fen, l.reason FROM payment_line l JOIN obligation o USING (obligation_id)"
        " WHERE l.payment_id = ? AND l.state = 'sent' ORDER BY l.line_no",
        (payment_id,),
    )
    return [dict(row) for row in rows]


def set_reconciled(tx: Transaction, payment_id: int) -> None:
    """A batch is ``reconciled`` once every line has its answer; before that nothing changes."""
    state = tx.execute("SELECT state FROM payment_batch WHERE payment_id = ?", (payment_id,)).fetchone()[0]
    if state == "exported" and not any_under_way(lambda sql, params: tx.execute(sql, params).fetchall(), payment_id):
        move(tx, payment_id, ("exported",), "reconciled")
