"""Public keys of those who sign approvals and releases (签名密钥登记). Private keys never come near the ledger."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.actors import actor_key
from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.signing import statement
from jiuzhu_cli.ledger.store import Store, Transaction


def person_of(name: str) -> str:
    """A name as keys and approvals compare it."""
    return actor_key(name)


def proof_statement(person: str, public: str) -> str:
    """What a key signs of itself when it is enrolled: whose it is."""
    return statement(kind="jiuzhu signing key v1", person=person, public_key=public)


def keys(store: Store) -> list[dict[str, Any]]:
    """All keys ever enrolled (columns of ``signing_key``), in the order of enrolment."""
    return [dict(row) for row in store.query("SELECT * FROM signing_key ORDER BY enrolled_at, key_id")]


def key_of(store: Store, person: str) -> dict[str, Any] | None:
    """The key with which ``person`` signs now; None when they have none."""
    sql = "SELECT * FROM signing_key WHERE person = ? AND revoked_at = ''"
    rows = store.query(sql, (person_of(person),))
    return dict(rows[0]) if rows else None


def enrol(tx: Transaction, *, key_id: str, person: str, public: str, proof: str) -> None:
    """Registers a key for ``person``. RefusedError when they sign with another already, or the key is known."""
    if tx.execute("SELECT 1 FROM signing_key WHERE key_id = ? OR public_key = ?", (key_id, public)).fetchone():
        raise RefusedError(f"密钥 {key_id} 已经登记过", "用 jiuzhu pay key list 查看")
    live = tx.execute("SELECT key_id FROM signing_key WHERE person = ? AND revoked_at = ''", (person,)).fetchone()
    if live:
        raise RefusedError(f"{person} 已有密钥 {live[0]}", "要换的先停用：jiuzhu pay key revoke --reason 原因")
    tx.execute(
        "INSERT INTO signing_key (key_id, person, public_key, proof, enrolled_by, enrolled_at, after_move)"
        " SELECT ?, ?, ?, ?, ?, ?, COALESCE(MAX(move_id), 0) FROM payment_move",
        (key_id, person, public, proof, tx.actor, tx.now),
    )
    tx.journal(f"signer:{key_id}", {"person": person, "enrolled": public})


def revoke(tx: Transaction, key_id: str, reason: str) -> None:
    """From now on the key signs nothing; what it signed stands."""
    done = tx.execute(
        "UPDATE signing_key SET revoked_by = ?, revoked_at = ?, reason = ?, revoked_after = (SELECT COALESCE(MAX(move_id), 0) FROM payment_move)"
        " WHERE key_id = ? AND revoked_at = ''",
        (tx.actor, tx.now, reason, key_id),
    ).rowcount
    if done != 1:
        raise RefusedError(f"密钥 {key_id} 已经停用", "用 jiuzhu pay key list 查看")
    tx.journal(f"signer:{key_id}", {"revoked": True, "reason": reason})
