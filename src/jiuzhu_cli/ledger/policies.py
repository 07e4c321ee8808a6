"""The policy that results were computed with, kept whole by its digest; and which one a month that was paid is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jiuzhu_cli.core.payment_states import SENT, sql_list
from jiuzhu_cli.ledger.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Pinned:
    """The policy of a month whose money has been released: as it was when its first payment batch was drafted."""

    month: str
    digest: str
    drafted_at: str
    content: bytes | None  # None: paid by a version that kept the digest only


def keep_policy(tx: Transaction, digest: str, packed: Callable[[], bytes]) -> None:
    """Keeps the policy that ``digest`` names, once; ``packed`` is asked only when the record does not hold it yet."""
    if not tx.execute("SELECT 1 FROM policy_version WHERE digest = ?", (digest,)).fetchone():
        tx.execute("INSERT INTO policy_version (digest, content, kept_at) VALUES (?,?,?)", (digest, packed(), tx.now))


def pinned_policies(store: Store, month: str = "") -> list[Pinned]:
    """Months of which money has been released (exported to the bank), in order; ``month`` only this one."""
    rows = store.query(
        "SELECT p.month, p.policy_digest, p.drafted_at, v.content FROM payment_batch p LEFT JOIN policy_version v ON v.digest = p.policy_digest"
        f" WHERE p.state IN {sql_list(SENT)} AND (? = '' OR p.month = ?)"
        f" AND p.sequence = (SELECT min(f.sequence) FROM payment_batch f WHERE f.month = p.month AND f.state IN {sql_list(SENT)})"
        " ORDER BY p.month",
        (month, month),
    )
    return [Pinned(row[0], row[1], row[2], row[3]) for row in rows]


def kept_policy(store: Store, digest: str) -> bytes | None:
    """The kept content of a policy; None when this record does not hold it."""
    rows = store.query("SELECT content FROM policy_version WHERE digest = ?", (digest,))
    return bytes(rows[0][0]) if rows else None


def roll_months(store: Store) -> list[str]:
    """Months of which rolls stand in the record, in order."""
    return [
        row[0]
        for row in store.query(
            "SELECT DISTINCT month FROM batch WHERE kind = 'roll' AND status = 'active' ORDER BY month"
        )
    ]
