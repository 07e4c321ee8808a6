"""Payments in the record: obligations, batches, lines and holds — a draft written down, and what is read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.ledger.back_pays import forget_undrafted, save_set_offs
from jiuzhu_cli.ledger.payment_digests import declare
from jiuzhu_cli.ledger.payment_moves import note_move
from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa

LINES = (
    "SELECT l.line_no, o.programme, o.month, o.recipient_id_no, o.item, l.bank, l.account_no, l.payee_name, l.payee_id_no, l.bank_name,"
    " l.amount_fen, l.state, l.reason, l.line_id, l.obligation_id, o.recipient_name, o.town, o.village, o.roll_row_id, o.persons,"
    " l.transfer_no, l.bank_code, l.set_off_fen, l.reason_code, l.returned_at, o.purpose, o.cause"
    " FROM payment_line l JOIN obligation o USING (obligation_id)"
)


# what a line freezes, as ``staging.plan_line`` has it
FROZEN = (
    "line_no, transfer_no, bank, account_no, payee_name, payee_id_no, bank_name, bank_code, amount_fen, set_off_fen,"
    " roll_row_id, case_id, parts, digest"
)

# -- batches --------------------------------------------------------------------------------------------------


def batch(store: Store, payment_id: int) -> dict[str, Any]:
    """One row of ``payment_batch`` as a dict; UsageError when there is none."""
    rows = store.query("SELECT * FROM payment_batch WHERE payment_id = ?", (payment_id,))
    if not rows:
        raise UsageError(f"没有第 {payment_id} 批", "用 jiuzhu pay list 查看")
    return dict(rows[0])


def batches(store: Store, *, month: str = "", states: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Batches (all columns) by month and sequence, of ``month`` and ``states`` when given."""
    where, params = ["1=1"], []
    if month:
        where.append("month = ?")
        params.append(month)
    if states:
        where.append(f"state IN ({', '.join('?' * len(states))})")
        params += states
    rows = store.query(f"SELECT * FROM payment_batch WHERE {' AND '.join(where)} ORDER BY month, sequence", params)
    return [dict(row) for row in rows]


def latest_month(store: Store, states: tuple[str, ...]) -> str:
    """The latest month that has a batch in one of ``states``; '' when none."""
    marks = ", ".join("?" * len(states))
    return str(
        store.query(f"SELECT COALESCE(MAX(month), '') FROM payment_batch WHERE state IN ({marks})", states)[0][0]
    )


def states_of(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """``bank, state, lines, amount_fen`` of a batch's lines."""
    rows = store.query(
        "SELECT bank, state, COUNT(*) AS lines, SUM(amount_fen) AS amount_fen FROM payment_line WHERE payment_id = ? GROUP BY bank, state"
        " ORDER BY bank, state",
        (payment_id,),
    )
    return [dict(row) for row in rows]


def whole_of(store: Store, payment_id: int) -> tuple[int, int]:
    """Lines and 分 of a batch, line by line."""
    row = store.query(
        "SELECT COUNT(*), COALESCE(SUM(amount_fen), 0) FROM payment_line WHERE payment_id = ?", (payment_id,)
    )[0]
    return int(row[0]), int(row[1])


def by_programme(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """``programme, bank, lines, amount_fen`` of a batch, for the cover sheet."""
    rows = store.query(
        "SELECT o.programme, l.bank, COUNT(*) AS lines, SUM(l.amount_fen) AS amount_fen FROM payment_line l JOIN obligation o USING (obligation_id)"
        " WHERE l.payment_id = ? GROUP BY o.programme, l.bank ORDER BY o.programme, l.bank",
        (payment_id,),
    )
    return [dict(row) for row in rows]


# -- lines and holds ------------------------------------------------------------------------------------------


def lines(store: Store, payment_id: int, *, bank: str = "", state: str = "") -> pa.Table:
    """Lines of a batch as Arrow, by line number (columns of ``LINES``)."""
    only = f" AND l.bank = '{_word(bank)}'" if bank else ""
    only += f" AND l.state = '{_word(state)}'" if state else ""
    return store.arrow(f"{LINES} WHERE l.payment_id = {int(payment_id)}{only} ORDER BY l.line_no")


def contacts(store: Store, payment_id: int, bank: str) -> pa.Table:
    """``phone, address`` of the rolls that the lines of a bank stand in, by line number."""
    return store.arrow(
        "SELECT COALESCE(r.phone, '') AS phone, COALESCE(r.address, '') AS address FROM payment_line l JOIN obligation o USING (obligation_id)"
        f" LEFT JOIN roll_row r ON r.row_id = o.roll_row_id WHERE l.payment_id = {int(payment_id)} AND l.bank = '{_word(bank)}' ORDER BY l.line_no"
    )


def transfers(store: Store, payment_id: int, *, bank: str = "") -> pa.Table:
    """The rows of the bank's files as Arrow, by number: lines of one payee combined (一卡通合并) are one transfer with their sum.

    The columns of ``lines`` as a bank file needs them, so that either can be written and read back: ``line_no`` is the transfer's
    number, ``line_id`` its first line's, ``amount_fen`` the sum; ``programme`` and ``month`` are '' where its lines differ;
    ``lines`` tells how many they are.
    """
    if not is_combined(store, payment_id):
        import numpy as np
        import pyarrow as pa

        table = lines(store, payment_id, bank=bank)
        return table.append_column("lines", pa.array(np.ones(table.num_rows, dtype=np.int64)))
    only = f" AND l.bank = '{_word(bank)}'" if bank else ""
    same = "CASE WHEN MIN(o.{0}) = MAX(o.{0}) THEN MIN(o.{0}) ELSE '' END AS {0}"
    sql = LINES.replace("l.line_no,", "l.transfer_no AS line_no,")
    for name in ("o.programme", "o.month", "l.amount_fen", "l.set_off_fen", "o.persons"):
        sql = sql.replace(f" {name},", f" t.{name[2:]},")
    sql = sql.replace(" FROM payment_line l", ", t.lines FROM t JOIN payment_line l ON l.line_id = t.line_id")
    return store.arrow(
        f"WITH t AS (SELECT MIN(l.line_id) AS line_id, {same.format('programme')}, {same.format('month')}, SUM(l.amount_fen) AS amount_fen,"
        " SUM(l.set_off_fen) AS set_off_fen, SUM(o.persons) AS persons, COUNT(*) AS lines FROM payment_line l JOIN obligation o USING (obligation_id)"
        f" WHERE l.payment_id = {int(payment_id)}{only} GROUP BY l.transfer_no) {sql} ORDER BY l.transfer_no"
    )


def is_combined(store: Store, payment_id: int) -> bool:
    """Whether some transfer of the batch pays several lines."""
    return bool(store.query(_COMBINED, (payment_id,)))


_COMBINED = "SELECT 1 FROM payment_line WHERE payment_id = ? AND transfer_no <> line_no LIMIT 1"


def banks_of(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """``bank, lines, transfers, amount_fen, first, last`` (line numbers) of a batch; a transfer is a row of the bank's files."""
    rows = store.query(
        "SELECT bank, COUNT(*) AS lines, COUNT(DISTINCT transfer_no) AS transfers, SUM(amount_fen) AS amount_fen, MIN(line_no) AS first, MAX(line_no) AS last FROM payment_line"
        " WHERE payment_id = ? GROUP BY bank ORDER BY bank",
        (payment_id,),
    )
    return [dict(row) for row in rows]


def holds(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """Rows of ``payment_hold`` of a batch, by town and name."""
    rows = store.query(
        "SELECT * FROM payment_hold WHERE payment_id = ? ORDER BY town, recipient_name, recipient_id_no, programme, code",
        (payment_id,),
    )
    return [dict(row) for row in rows]


def draft_rests_on(store: Store, payment_id: int) -> str:
    """What the draft noted that it was made from beside the ledger; '' when the journal has anything after it but the draft's own lists (``holds``: how many cases;
    of a draft drawn up anew: by which gates), and when its chain does not hold from there on."""
    entity = f"payment:{payment_id}"
    drafted = store.query(
        "SELECT seq, json_extract(detail, '$.rests_on') AS rests_on FROM journal WHERE entity = ?1 AND command = 'pay draft'"
        " AND json_extract(detail, '$.rests_on') IS NOT NULL ORDER BY seq DESC LIMIT 1",
        (entity,),
    )
    for seq, rests_on in drafted:
        since = store.query(
            "SELECT 1 FROM journal WHERE seq > ?1 AND NOT (entity = ?2 AND command = 'pay draft' AND json_type(detail, '$.holds') = 'integer') LIMIT 1",
            (seq, entity),
        )
        return "" if since or store.check_journal(since=seq) else str(rests_on)
    return ""


def next_ids(store: Store) -> tuple[int, int]:
    """The next free ``obligation_id`` and ``line_id``. Call it under the workspace's lock."""
    row = store.query(
        "SELECT (SELECT COALESCE(MAX(obligation_id), 0) FROM obligation) + 1, (SELECT COALESCE(MAX(line_id), 0) FROM payment_line) + 1"
    )[0]
    return int(row[0]), int(row[1])


def save_draft(
    tx: Transaction,
    *,
    payment_id: int,
    month: str,
    kind: str,
    lines: int,
    amount_fen: int,
    policy_digest: str,
    override: str,
) -> int:
    """Writes the staged plan (``staging.plan_line``, ``staging.plan_hold``) as a draft; returns its payment ID.

    ``payment_id`` 0 makes a new batch with the month's next sequence number; else that draft's rows are replaced.
    ``plan_line.new`` = 1: the obligation is written too; 0: it stands and takes the line's amount and source row. ``staging.plan_basis``
    (``basis_no, content``) is what lines rest on, ``staging.plan_total`` what they come to (``payment_digests.declare``).
    """
    if payment_id:
        tx.execute("DELETE FROM payment_line WHERE payment_id = ?", (payment_id,))
        tx.execute("DELETE FROM payment_hold WHERE payment_id = ?", (payment_id,))
        tx.execute(
            "UPDATE payment_batch SET kind=?, lines=?, amount_fen=?, policy_digest=?, override_reason=?, drafted_by=?, drafted_at=?"
            " WHERE payment_id = ? AND state = 'draft'",
            (kind, lines, amount_fen, policy_digest, override, tx.actor, tx.now, payment_id),
        )
        note_move(tx, payment_id, "draft", "draft")
    else:
        cursor = tx.execute(
            "INSERT INTO payment_batch (month, sequence, kind, state, lines, amount_fen, policy_digest, override_reason, drafted_by, drafted_at)"
            " SELECT ?, COALESCE(MAX(sequence), 0) + 1, ?, 'draft', ?, ?, ?, ?, ?, ? FROM payment_batch WHERE month = ?",
            (month, kind, lines, amount_fen, policy_digest, override, tx.actor, tx.now, month),
        )
        payment_id = int(cursor.lastrowid or 0)
        note_move(tx, payment_id, "", "draft")
    tx.execute(
        "UPDATE obligation SET month = p.month, amount_fen = p.amount_fen + p.set_off_fen, recipient_name = p.recipient_name, town = p.town,"
        " village = p.village, persons = p.persons, roll_row_id = p.roll_row_id, case_id = p.case_id"
        " FROM staging.plan_line p WHERE p.new = 0 AND p.obligation_id = obligation.obligation_id"
    )
    tx.execute(
        "INSERT INTO obligation (obligation_id, programme, month, recipient_id_no, item, purpose, cause, recipient_name, town, village, amount_fen,"
        " persons, roll_row_id, case_id) SELECT obligation_id, programme, month, recipient_id_no, item, purpose, cause, recipient_name, town, village,"
        # in the order of the key that makes it unique: the index grows page by page
        " amount_fen + set_off_fen, persons, roll_row_id, case_id FROM staging.plan_line WHERE new = 1 ORDER BY programme, month, recipient_id_no, item"
    )
    tx.execute("INSERT OR IGNORE INTO payment_basis (content) SELECT content FROM staging.plan_basis ORDER BY content")
    tx.execute(
        # staged in the order of their numbers, and read so: nothing is sorted, a basis is looked for once
        "WITH known AS MATERIALIZED (SELECT p.basis_no, b.basis_id FROM staging.plan_basis p JOIN payment_basis b ON b.content = p.content)"
        f" INSERT INTO payment_line (line_id, payment_id, obligation_id, {FROZEN}, basis_id, state) SELECT l.line_id, ?, l.obligation_id, {FROZEN},"
        " k.basis_id, 'due' FROM staging.plan_line l CROSS JOIN known k ON k.basis_no = l.basis_no ORDER BY l.rowid",
        (payment_id,),
    )
    save_set_offs(tx)
    declare(tx, payment_id)
    save_holds(tx, payment_id)
    # obligations that only a replaced draft knew are owed no longer
    tx.execute(
        "DELETE FROM obligation WHERE month = ? AND purpose = 'regular' AND NOT EXISTS (SELECT 1 FROM payment_line l WHERE l.obligation_id = obligation.obligation_id)",
        (month,),
    )
    forget_undrafted(tx)
    return payment_id


def save_holds(tx: Transaction, payment_id: int) -> None:
    """Writes ``staging.plan_hold`` under the batch."""
    tx.execute(
        "INSERT INTO payment_hold (payment_id, programme, recipient_id_no, recipient_name, town, amount_fen, code, reason, source)"
        " SELECT ?, programme, recipient_id_no, recipient_name, town, amount_fen, code, reason, source FROM staging.plan_hold",
        (payment_id,),
    )


def _word(text: str) -> str:
    if not text.replace("_", "").isalnum():
        raise ValueError(text)
    return text
