"""What went to one bank of a batch, and what came back of it: read without going through the lines of the other banks.

A draft numbers the lines of a bank one behind the other. No constraint says so, so where they stand is reckoned from what the draft
declared (``payment_total``, fixed with the batch) and believed only when exactly the declared lines are found there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.payments import LINES, banks_of
from jiuzhu_cli.ledger.store import Store, arrow_driver

if TYPE_CHECKING:
    import pyarrow as pa

Ask = Callable[[str, Sequence[Any]], Sequence[Any]]

_DECLARED = "SELECT name, lines FROM payment_total WHERE payment_id = ? AND axis = 'bank' ORDER BY name"
_AT = "SELECT bank FROM payment_line WHERE payment_id = ? AND line_no = ?"
_SENT = "SELECT line_id, line_no, transfer_no, amount_fen, account_no, payee_name, state, reason, returned_at FROM payment_line WHERE payment_id = {}"


def bank_codes(store: Store, payment_id: int) -> list[str]:
    """The layouts that a batch's lines go out by, sorted."""
    declared = [str(row[0]) for row in store.query(_DECLARED, (payment_id,))]
    return declared or [entry["bank"] for entry in banks_of(store, payment_id)]


def places(ask: Ask, payment_id: int) -> dict[str, tuple[int, int]]:
    """Bank → first and last line number, as they should stand by what was declared; {} when they do not begin that way."""
    declared = {str(name): int(lines) for name, lines in ask(_DECLARED, (payment_id,))}
    found: dict[str, tuple[int, int]] = {}
    first = 1
    while len(found) < len(declared):
        row = ask(_AT, (payment_id, first))
        bank = str(row[0][0]) if row else ""
        if bank in found or bank not in declared:
            return {}
        found[bank] = first, first + declared[bank] - 1
        first += declared[bank]
    return found


def sent_lines(store: Store, payment_id: int, bank: str, *, pool: Executor | None = None) -> Callable[[], pa.Table]:
    """Gives ``line_id, line_no, transfer_no, amount_fen, account_no, payee_name, state, reason, returned_at`` of all lines of one bank, by line
    number, when it is called; ``pool``: read there meanwhile."""
    which = _SENT.format(int(payment_id)) + " AND bank = '{}'".format(bank.replace("'", "''"))
    whole = f"{which} ORDER BY line_no"
    place = places(store.query, payment_id).get(bank)
    near = f"{which} AND line_no BETWEEN {place[0]} AND {place[1]} ORDER BY line_no" if place else whole
    if pool is not None:
        arrow_driver()
    reading = pool.submit(store.arrow, near) if pool is not None else None

    def read() -> pa.Table:
        table = reading.result() if reading is not None else store.arrow(near)
        if place is not None and table.num_rows != place[1] - place[0] + 1:
            return store.arrow(whole)
        return table

    return read


def failed_lines(store: Store, payment_id: int, *, bank: str = "", reversed_: bool = False) -> list[dict[str, Any]]:
    """Lines that failed (``reversed_``: or were paid and came back later), by line number; columns as ``payments.lines`` has them."""
    few = LINES.replace("payment_line l", "payment_line l INDEXED BY payment_line_refused")
    rows = store.query(
        f"{few} WHERE l.payment_id = ?1 AND l.state IN ('failed','reversed') AND ?2 IN ('', l.bank) AND (?3 OR l.state = 'failed') ORDER BY l.line_no",
        (payment_id, bank, reversed_),
    )
    return [dict(row) for row in rows]


def any_under_way(ask: Ask, payment_id: int) -> bool:
    """Whether a line of the batch has no answer yet. Where a whole bank has none its first line tells; else all are gone through."""
    open_ = "SELECT 1 FROM payment_line WHERE payment_id = ?1 AND state IN ('due','sent')"
    firsts = [first for first, _ in places(ask, payment_id).values()]
    marks = ", ".join(map(str, firsts))
    return bool(
        ask(f"{open_} AND line_no IN ({marks}) LIMIT 1", (payment_id,)) or ask(f"{open_} LIMIT 1", (payment_id,))
    )
