"""Cases let through a gate (放行) in the record: asked for by one person with a reason, agreed to by another.

``hold_override``: one case, one gate, one month (单笔放行). ``payment_override``: every line of a batch that a gate would have held, with whose
reason lets it go out; of ``pay draft --override`` the agreement is the batch's approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.payment_states import APPROVED, sql_list
from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa


# -- single cases ---------------------------------------------------------------------------------------------


def agreed(store: Store, month: str) -> pa.Table:
    """What counts in ``month``: ``programme, recipient_id_no, item, code, reason, asked_by, asked_at, agreed_by, agreed_at, override_id``."""
    return store.arrow(
        "SELECT programme, recipient_id_no, item, code, reason, asked_by, asked_at, agreed_by, agreed_at, override_id FROM hold_override"
        f" WHERE month = '{month}' AND agreed_at <> '' AND ended_at = ''"
    )


def asked(store: Store, month: str = "", *, number: int = 0) -> list[dict[str, Any]]:
    """Rows of ``hold_override`` of ``month`` (all of them with ''), or the one of this number, in order."""
    rows = store.query(
        "SELECT * FROM hold_override WHERE (?1 = '' OR month = ?1) AND (?2 = 0 OR override_id = ?2) ORDER BY override_id",
        (month, number),
    )
    return [dict(row) for row in rows]


def ask(tx: Transaction, month: str, cases: Sequence[dict[str, Any]], *, reason: str) -> list[int]:
    """Takes down the wish; ``cases``: ``programme, recipient_id_no, item, recipient_name, town, code, reason`` (why they are held). Returns the
    numbers. RefusedError when one is asked for already."""
    numbers = []
    for case in cases:
        key = (month, case["programme"], case["recipient_id_no"], case["item"], case["code"])
        standing = tx.execute(
            "SELECT override_id FROM hold_override WHERE month = ? AND programme = ? AND recipient_id_no = ? AND item = ? AND code = ?"
            " AND ended_at = ''",
            key,
        ).fetchone()
        if standing is not None:
            raise RefusedError(
                f"{month} 这一笔已经申请过放行（第 {standing[0]} 号）",
                f"由另一人同意：jiuzhu pay override agree {standing[0]} --actor 同意人",
                code="already",
            )
        number = tx.execute(
            "INSERT INTO hold_override (month, programme, recipient_id_no, item, code, recipient_name, town, hold_reason, reason, asked_by, asked_at)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (*key, case["recipient_name"], case["town"], case["reason"], reason, tx.actor, tx.now),
        ).lastrowid
        numbers.append(int(number or 0))
        detail = {"month": month, "programme": case["programme"], "code": case["code"], "action": "asked"}
        tx.journal(f"override:{number}", detail)
    return numbers


def agree(tx: Transaction, number: int) -> None:
    """The second person agrees; the caller has checked who it is. RefusedError when somebody was quicker."""
    done = tx.execute(
        "UPDATE hold_override SET agreed_by = ?, agreed_at = ? WHERE override_id = ? AND agreed_at = '' AND ended_at = ''",
        (tx.actor, tx.now, number),
    )
    if done.rowcount != 1:
        raise RefusedError(f"第 {number} 号放行刚被别人改动", "用 jiuzhu pay override list 查看")
    tx.journal(f"override:{number}", {"action": "agreed"})


def end(tx: Transaction, number: int, reason: str) -> None:
    """Not agreed to, or taken back: it counts no more. RefusedError when it has ended already."""
    done = tx.execute(
        "UPDATE hold_override SET ended_by = ?, ended_at = ?, ended_reason = ? WHERE override_id = ? AND ended_at = ''",
        (tx.actor, tx.now, reason, number),
    )
    if done.rowcount != 1:
        raise RefusedError(f"第 {number} 号放行已经撤回", "用 jiuzhu pay override list 查看")
    tx.journal(f"override:{number}", {"action": "ended"})


# -- lines of a batch -----------------------------------------------------------------------------------------


def save_of_draft(tx: Transaction, payment_id: int, reason: str) -> None:
    """Writes ``staging.plan_override`` (``line_id, code, hold_reason`` and, of a single case, the columns of ``agreed``) under the draft;
    where no single case is named, ``reason`` is the batch's and the drafter has asked."""
    tx.execute(
        "INSERT INTO payment_override (payment_id, line_id, code, hold_reason, reason, asked_by, asked_at, agreed_by, agreed_at, override_id)"
        " SELECT ?, line_id, code, hold_reason, COALESCE(reason, ?), COALESCE(asked_by, ?), COALESCE(asked_at, ?), COALESCE(agreed_by, ''),"
        " COALESCE(agreed_at, ''), override_id FROM staging.plan_override",
        (payment_id, reason, tx.actor, tx.now),
    )


def erase_of_draft(tx: Transaction, payment_id: int) -> None:
    tx.execute("DELETE FROM payment_override WHERE payment_id = ?", (payment_id,))


def agree_batch(tx: Transaction, payment_id: int) -> int:
    """The approver of a locked batch agrees to what it lets through as a whole; returns the number of lines and gates."""
    return tx.execute(
        "UPDATE payment_override SET agreed_by = ?, agreed_at = ? WHERE payment_id = ? AND override_id IS NULL",
        (tx.actor, tx.now, payment_id),
    ).rowcount


_SEALED = (
    "SELECT l.line_no, v.code, v.hold_reason, v.reason, v.asked_by, v.asked_at, v.agreed_by, v.agreed_at, v.override_id"
    " FROM payment_override v JOIN payment_line l USING (line_id) WHERE v.payment_id = ? ORDER BY l.line_no, v.code"
)


def seal(tx: Transaction, payment_id: int) -> str:
    """SHA-256 over what a batch lets through and who agreed, for the journal; '' when nothing."""
    return _digest(tx.execute(_SEALED, (payment_id,)))


def override_problems(store: Store) -> list[tuple[str, str, str]]:
    """``(code, entity, text)`` of approved batches whose overrides are not those that were approved, by the journal."""
    approved = store.query(
        "SELECT entity, json_extract(detail, '$.let_through') AS sealed FROM journal j WHERE command = 'pay approve' AND sealed IS NOT NULL"
        f" AND EXISTS (SELECT 1 FROM payment_batch p WHERE 'payment:' || p.payment_id = j.entity AND p.state IN {sql_list(APPROVED)}) ORDER BY seq"
    )
    last = {row["entity"]: row["sealed"] for row in approved}
    return [
        ("overrides_differ", entity, f"{entity} 放行的记录与审批时不一致")
        for entity, sealed in last.items()
        if _digest(store.query(_SEALED, (int(entity.partition(":")[2]),))) != sealed
    ]


def _digest(rows: Iterable[Any]) -> str:
    digest, found = hashlib.sha256(), False
    for row in rows:
        digest.update((json.dumps(list(row), ensure_ascii=False) + "\n").encode())
        found = True
    return digest.hexdigest() if found else ""


def of_batch(store: Store, payment_id: int, *, single: bool = False) -> list[dict[str, Any]]:
    """What a batch lets through (``single``: only what was agreed case by case), by line: ``line_no, programme, town, recipient_name,
    recipient_id_no, amount_fen, code, hold_reason, reason,
    asked_by, asked_at, agreed_by, agreed_at, override_id`` (None: of the whole batch)."""
    rows = store.query(
        "SELECT l.line_no, o.programme, o.town, o.recipient_name, o.recipient_id_no, l.amount_fen, v.code, v.hold_reason, v.reason, v.asked_by,"
        " v.asked_at, v.agreed_by, v.agreed_at, v.override_id FROM payment_override v JOIN payment_line l USING (line_id)"
        f" JOIN obligation o USING (obligation_id) WHERE v.payment_id = ?{' AND v.override_id IS NOT NULL' if single else ''}"
        " ORDER BY l.line_no, v.code",
        (payment_id,),
    )
    return [dict(row) for row in rows]


def recorded(store: Store, payment_id: int) -> list[tuple[str, str, int]]:
    """``(code, hold_reason, override_id or 0)`` of a batch's overrides, sorted: to tell whether a draft says the same."""
    rows = store.query(
        "SELECT code, hold_reason, COALESCE(override_id, 0) FROM payment_override WHERE payment_id = ? ORDER BY 1, 2, 3",
        (payment_id,),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def summary(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """``code, reason, asked_by, agreed_by, single, lines, amount_fen`` of what a batch lets through, by gate and reason."""
    rows = store.query(
        "SELECT v.code, v.reason, v.asked_by, v.agreed_by, v.override_id IS NOT NULL AS single, COUNT(*) AS lines, SUM(l.amount_fen) AS amount_fen"
        " FROM payment_override v JOIN payment_line l USING (line_id) WHERE v.payment_id = ? GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 5, 2, 3",
        (payment_id,),
    )
    return [dict(row) | {"single": bool(row["single"])} for row in rows]
