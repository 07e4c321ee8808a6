"""The moves of payment batches (流转): who, when, why, as an append-only chain within each batch, and the only writes of their states.

A move's ``digest`` is the SHA-256 of its statement, which holds the digest of the move before it; a signature is made over the
same statement, and the journal's entry of the step (hash-chained itself) carries the digest. So a move can neither be altered,
nor left out, nor put in between.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.payment_states import MOVES
from jiuzhu_cli.core.signing import statement
from jiuzhu_cli.ledger.store import Store, Transaction

_STATED = ("payment_id", "from_state", "to_state", "actor", "at", "reason", "control_sha256", "level", "signer")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs the moves of a step: the key's ID, and what makes the signature of a statement."""

    key_id: str
    sign: Callable[[str], str]


def move_statement(move: Mapping[str, Any], previous: str) -> str:
    """What a move says: its own columns and the digest of the move before it ('' the first). Lines and sums are in the control digest."""
    return statement(kind="jiuzhu payment move v1", previous=previous, **{key: move[key] for key in _STATED})


def digest_of(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()


def moves(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """The way of a batch: ``from_state, to_state, actor, at, reason, control_sha256, level, signer, signature, digest``, in order."""
    rows = store.query("SELECT * FROM payment_move WHERE payment_id = ? ORDER BY move_id", (payment_id,))
    return [dict(row) for row in rows]


def last_digest(store: Store, payment_id: int) -> str:
    """The digest of the batch's newest move; '' when there is none, or it was made by a version without digests."""
    rows = store.query(
        "SELECT digest FROM payment_move WHERE payment_id = ? ORDER BY move_id DESC LIMIT 1", (payment_id,)
    )
    return str(rows[0][0]) if rows else ""


def expect(tx: Transaction, payment_id: int, digest: str) -> None:
    """RefusedError when the batch's newest move is not the one with ``digest``: somebody else was faster."""
    row = tx.execute(
        "SELECT digest FROM payment_move WHERE payment_id = ? ORDER BY move_id DESC LIMIT 1", (payment_id,)
    ).fetchone()
    if (row[0] if row else "") != digest:
        raise _moved(payment_id)


@contextlib.contextmanager
def moving(store: Store, batch: Mapping[str, Any], *, actor: str, command: str) -> Iterator[None]:
    """The workspace's lock for a step of ``batch``: what is checked inside is what moves on. RefusedError when the batch has been changed since it
    was read — while a password was asked for, another may have drafted and locked it anew."""
    with store.writing(actor, command):
        rows = store.query("SELECT * FROM payment_batch WHERE payment_id = ?", (batch["payment_id"],))
        if not rows or dict(rows[0]) != batch:
            raise _moved(batch["payment_id"])
        yield


# -- writing ---------------------------------------------------------------------------------------------------


def set_locked(tx: Transaction, payment_id: int, control: str) -> None:
    move(tx, payment_id, ("draft",), "locked", "control_sha256=?, locked_by=?, locked_at=?", control, tx.actor, tx.now)


def set_approved(tx: Transaction, payment_id: int, level: str = "", signer: Signer | None = None) -> None:
    """The last approval that the batch needs."""
    move(
        tx,
        payment_id,
        ("locked",),
        "approved",
        "approved_by=?, approved_at=?",
        tx.actor,
        tx.now,
        level=level,
        signer=signer,
    )


def note_approval(tx: Transaction, payment_id: int, level: str, signer: Signer | None = None) -> None:
    """An approval that needs another above it: the batch stays locked."""
    state = tx.execute("SELECT state FROM payment_batch WHERE payment_id = ?", (payment_id,)).fetchone()
    if state is None or state[0] != "locked":
        raise _moved(payment_id)
    note_move(tx, payment_id, "locked", "locked", level=level, signer=signer)


def set_released(tx: Transaction, payment_id: int, signer: Signer | None = None) -> None:
    move(tx, payment_id, ("approved",), "released", "released_by=?, released_at=?", tx.actor, tx.now, signer=signer)


def set_exported(tx: Transaction, payment_id: int) -> None:
    move(tx, payment_id, ("released",), "exported", "exported_at=?", tx.now)
    tx.execute("UPDATE payment_line SET state='sent' WHERE payment_id=? AND state='due'", (payment_id,))


def set_reopened(tx: Transaction, payment_id: int, reason: str) -> None:
    """Back to a draft: who locked and approved it stands in the moves only."""
    move(
        tx,
        payment_id,
        ("locked", "approved"),
        "draft",
        "control_sha256='', locked_by='', locked_at='', approved_by='', approved_at=''",
        reason=reason,
    )


def set_held_back(tx: Transaction, payment_id: int, reason: str) -> None:
    """A release taken back before anything was written for the bank."""
    move(tx, payment_id, ("released",), "approved", "released_by='', released_at=''", reason=reason)


def set_closed(tx: Transaction, payment_id: int, reason: str) -> None:
    move(tx, payment_id, ("reconciled",), "closed", "closed_by=?, closed_at=?", tx.actor, tx.now, reason=reason)


def set_cancelled(tx: Transaction, payment_id: int, reason: str) -> None:
    move(tx, payment_id, ("draft", "locked", "approved"), "cancelled", reason=reason)
    tx.execute("UPDATE payment_line SET state='cancelled' WHERE payment_id=? AND state='due'", (payment_id,))


def move(
    tx: Transaction,
    payment_id: int,
    states: tuple[str, ...],
    to: str,
    assignment: str = "",
    *values: str,
    reason: str = "",
    level: str = "",
    signer: Signer | None = None,
) -> str:
    """A change of state, with its row of record, whose digest it returns; RefusedError when another process has moved the batch in the meantime."""
    row = tx.execute("SELECT state FROM payment_batch WHERE payment_id = ?", (payment_id,)).fetchone()
    if row is None or row[0] not in states or (row[0], to) not in MOVES:
        raise _moved(payment_id)
    more = f", {assignment}" if assignment else ""
    tx.execute(f"UPDATE payment_batch SET state=?{more} WHERE payment_id=?", (to, *values, payment_id))
    return note_move(tx, payment_id, row[0], to, reason=reason, level=level, signer=signer)


def note_move(
    tx: Transaction,
    payment_id: int,
    from_state: str,
    to_state: str,
    *,
    reason: str = "",
    level: str = "",
    signer: Signer | None = None,
) -> str:
    control = tx.execute("SELECT control_sha256 FROM payment_batch WHERE payment_id = ?", (payment_id,)).fetchone()[0]
    before = tx.execute(
        "SELECT digest FROM payment_move WHERE payment_id = ? ORDER BY move_id DESC LIMIT 1", (payment_id,)
    ).fetchone()
    made = {
        "payment_id": payment_id, "from_state": from_state, "to_state": to_state, "actor": tx.actor, "at": tx.now, "reason": reason,
        "control_sha256": control, "level": level, "signer": signer.key_id if signer else "",
    }  # fmt: skip
    said = move_statement(made, before[0] if before else "")
    digest = digest_of(said)
    tx.execute(
        f"INSERT INTO payment_move ({', '.join(made)}, signature, digest) VALUES ({', '.join('?' * len(made))}, ?, ?)",
        (*made.values(), signer.sign(said) if signer else "", digest),
    )
    tx.journal(f"payment:{payment_id}", {"move": f"{from_state}>{to_state}", "level": level}, digest=digest)
    return digest


def _moved(payment_id: int) -> RefusedError:
    return RefusedError(f"第 {payment_id} 批刚被别人改动", "用 jiuzhu pay list 看它到了哪一步")
