"""What a locked batch comes to by programme, category and town, kept beside it (``payment_sum``); and what other months came to by then.

The lines of a batch never change, but the obligation behind one is told anew when it is tried again: papers and comparisons rest on
what is kept here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.payment_digests import of_batch
from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("programme", "category", "town", "again", "lines", "recipients", "persons", "amount_fen", "set_off_fen")

_LINES = (
    "SELECT o.programme, COALESCE(r.category, '') AS category, o.town, o.recipient_id_no, o.persons, l.amount_fen, l.set_off_fen,"
    " EXISTS (SELECT 1 FROM payment_line e WHERE e.obligation_id = l.obligation_id AND e.line_id < l.line_id AND e.state <> 'cancelled') AS again"
    " FROM payment_line l JOIN obligation o USING (obligation_id) LEFT JOIN roll_row r ON r.row_id = COALESCE(NULLIF(l.roll_row_id, 0), o.roll_row_id) WHERE {lines}"
)
_BY_RECIPIENT = (
    "SELECT programme, category, town, again, recipient_id_no, count(*) AS lines, max(persons) AS persons, sum(amount_fen) AS amount_fen,"
    " sum(set_off_fen) AS set_off_fen FROM line GROUP BY ALL"
)


def computed_sums(store: Store, payment_id: int) -> pa.Table:
    """The batch's lines summed up, by ``programme, category, town, again``; columns of ``COLUMNS``.

    A recipient with several lines in one place (instalments, months paid back) is one of ``recipients``, with its persons once.
    """
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.register("line", of_batch(store, payment_id, _LINES))
        return connection.sql(
            f"SELECT programme, category, town, CAST(again AS BIGINT) AS again, CAST(sum(lines) AS BIGINT) AS lines, count(*) AS recipients,"
            " CAST(sum(persons) AS BIGINT) AS persons, CAST(sum(amount_fen) AS BIGINT) AS amount_fen, CAST(sum(set_off_fen) AS BIGINT) AS set_off_fen"
            f" FROM ({_BY_RECIPIENT}) GROUP BY programme, category, town, again ORDER BY ALL"
        ).to_arrow_table()


def keep_sums(tx: Transaction, payment_id: int, control: str, sums: list[dict[str, Any]]) -> None:
    """Writes the sums of a batch in place of what stood there (a batch may go back to draft and be locked again, with another ``control``)."""
    tx.execute("DELETE FROM payment_sum WHERE payment_id = ?", (payment_id,))
    tx.executemany(
        f"INSERT INTO payment_sum (payment_id, control_sha256, {', '.join(COLUMNS)}) VALUES (?, ?{', ?' * len(COLUMNS)})",
        [(payment_id, control, *(row[name] for name in COLUMNS)) for row in sums],
    )


def kept_sums(store: Store, payment_id: int, *, compute: bool = True) -> list[dict[str, Any]]:
    """The sums of a batch as they were kept when it was locked; ``compute``: from its lines when they never were (an earlier version's)."""
    rows = store.query(
        f"SELECT {', '.join('s.' + name for name in COLUMNS)} FROM payment_sum s JOIN payment_batch b USING (payment_id, control_sha256)"
        " WHERE payment_id = ? ORDER BY programme, category, town, again",
        (payment_id,),
    )
    found = [dict(row) for row in rows]
    return computed_sums(store, payment_id).to_pylist() if compute and not found else found


def came_back(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """``programme, category, lines, amount_fen, set_off_fen`` of the batch's lines whose money came back (refused, reversed)."""
    rows = store.query(
        "SELECT o.programme, COALESCE(r.category, '') AS category, COUNT(*) AS lines, SUM(l.amount_fen) AS amount_fen, SUM(l.set_off_fen) AS set_off_fen FROM payment_line l"
        " JOIN obligation o USING (obligation_id) LEFT JOIN roll_row r ON r.row_id = COALESCE(NULLIF(l.roll_row_id, 0), o.roll_row_id)"
        " WHERE l.payment_id = ? AND l.state IN ('failed', 'reversed') GROUP BY 1, 2 ORDER BY 1, 2",
        (payment_id,),
    )
    return [dict(row) for row in rows]


def back_paid(store: Store, payment_id: int) -> tuple[int, int]:
    """Lines and 分 of a batch that pay for months before it (补发)."""
    row = store.query(
        "SELECT COUNT(*), COALESCE(SUM(l.amount_fen), 0) FROM obligation o INDEXED BY obligation_back_pay CROSS JOIN payment_line l USING"
        " (obligation_id) WHERE o.purpose = 'back_pay' AND l.payment_id = ?",
        (payment_id,),
    )[0]
    return int(row[0]), int(row[1])


def held_sums(store: Store, payment_id: int) -> tuple[list[dict[str, Any]], int]:
    """What was kept out of a batch: ``code, cases, amount_fen`` by reason, most first, and the number of cases (each may have several reasons)."""
    rows = store.query(
        "SELECT code, COUNT(*) AS cases, COALESCE(SUM(amount_fen), 0) AS amount_fen FROM payment_hold WHERE payment_id = ? GROUP BY code"
        " ORDER BY cases DESC, code",
        (payment_id,),
    )
    cases = store.query(
        "SELECT COUNT(*) FROM (SELECT DISTINCT programme, recipient_id_no, town, amount_fen FROM payment_hold WHERE payment_id = ?)",
        (payment_id,),
    )
    return [dict(row) for row in rows], int(cases[0][0])


def batches_by(store: Store, month: str, payment_id: int) -> list[int]:
    """The month's batches that stood locked or further when ``payment_id`` was last locked, itself included.

    Later drafts, and what was taken back or cancelled since, change nothing: the same question gets the same answer.
    """
    rows = store.query(
        "SELECT b.payment_id FROM payment_batch b JOIN payment_move m ON m.payment_id = b.payment_id WHERE b.month = ?1 AND m.move_id ="
        " (SELECT MAX(x.move_id) FROM payment_move x WHERE x.payment_id = b.payment_id AND x.move_id <="
        "   (SELECT MAX(t.move_id) FROM payment_move t WHERE t.payment_id = ?2 AND t.from_state = 'draft' AND t.to_state = 'locked'))"
        " AND m.to_state NOT IN ('draft', 'cancelled') ORDER BY b.payment_id",
        (month, payment_id),
    )
    return [int(row[0]) for row in rows]
