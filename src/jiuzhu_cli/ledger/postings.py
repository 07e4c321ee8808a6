"""Posting lists (公示) and objections (异议) in the record. A posting is one programme, town, village, month and round.

Nothing is overwritten: a list whose content changed is ``replaced`` by a new posting with new dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[str, str, str]  # programme, town, village

_CASES = """
SELECT b.programme, r.row_id, r.batch_id, r.case_no, r.id_no, r.name, COALESCE(r.head_id_no, '') AS head_id_no,
       COALESCE(r.head_name, '') AS head_name, r.town, r.village, COALESCE(r.category, '') AS category,
       COALESCE(r.care_mode, '') AS care_mode, COALESCE(r.kin_filed, '') AS kin_filed, COALESCE(r.household_size, 0) AS household_size,
       COALESCE(r.covered_persons, 0) AS covered_persons, COALESCE(r.amount_fen, 0) AS amount_fen,
       (SELECT COUNT(*) FROM roll_row m WHERE m.batch_id = r.batch_id AND m.case_no = r.case_no) AS listed_persons
FROM batch b JOIN roll_row r USING (batch_id)
WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = '{month}' AND r.lead = 1
"""


@dataclass(frozen=True, slots=True)
class Posting:
    """What is to be on the wall. ``content_sha256`` tells whether a later run would post the same."""

    programme: str
    town: str
    village: str
    month: str
    round: str
    households: int
    persons: int
    amount_fen: int
    from_date: str
    to_date: str
    content_sha256: str

    @property
    def key(self) -> Key:
        return self.programme, self.town, self.village


def cases_of(store: Store, month: str) -> pa.Table:
    """The lead rows of a (checked) month's live rolls, one a case, with what posting lists may need; no account, phone or address."""
    return store.arrow(_CASES.format(month=month))


def live_postings(store: Store, month: str, *, round_: str = "", posting_id: int | None = None) -> list[dict[str, Any]]:
    """Postings of a month that are not replaced, with ``open_objections`` and ``objections`` counts, in order of number."""
    rows = store.query(
        "SELECT p.*, (SELECT COUNT(*) FROM objection o WHERE o.posting_id = p.posting_id) AS objections,"
        " (SELECT COUNT(*) FROM objection o WHERE o.posting_id = p.posting_id AND o.state = 'open') AS open_objections"
        " FROM posting p WHERE p.state <> 'replaced' AND (?1 = '' OR p.month = ?1) AND (?2 = '' OR p.round = ?2)"
        " AND (?3 IS NULL OR p.posting_id = ?3) ORDER BY p.posting_id",
        (month, round_, posting_id),
    )
    return [dict(row) for row in rows]


def posting_state(store: Store, month: str, *, round_: str = "first") -> dict[Key, str]:
    """``open`` or ``closed`` by (programme, town, village); what is missing has not been posted."""
    return {(p["programme"], p["town"], p["village"]): p["state"] for p in live_postings(store, month, round_=round_)}


def save_postings(
    tx: Transaction,
    made: Sequence[Posting],
    replaced: Mapping[Key, int],
    withdrawn: Sequence[int],
    policy_digest: str = "",
) -> dict[Key, int]:
    """Adds ``made``; those in ``replaced`` (key → old number) take the place of old ones, whose unsettled objections move along.

    ``withdrawn`` are live postings whose village is no longer on any roll. Returns the new numbers by key.
    An upheld objection moves only while the roll that it concerned has not been imported anew since.
    """
    for old in (*replaced.values(), *withdrawn):
        tx.execute("UPDATE posting SET state = 'replaced' WHERE posting_id = ?", (old,))
    numbers = {}
    for posting in made:
        cursor = tx.execute(
            "INSERT INTO posting (programme, town, village, month, round, households, persons, amount_fen, from_date, to_date,"
            " content_sha256, state, created_by, created_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,'open',?,?)",
            (
                posting.programme, posting.town, posting.village, posting.month, posting.round, posting.households,
                posting.persons, posting.amount_fen, posting.from_date, posting.to_date, posting.content_sha256, tx.actor, tx.now,
            ),
        )  # fmt: skip
        number = int(cursor.lastrowid or 0)
        numbers[posting.key] = number
        detail = {
            "action": "posted", "programme": posting.programme, "area": f"{posting.town}/{posting.village}",
            "month": posting.month, "round": posting.round, "households": posting.households, "amount_fen": posting.amount_fen,
            "from": posting.from_date, "to": posting.to_date, "replaces": replaced.get(posting.key), "policy": policy_digest[:16],
        }  # fmt: skip
        tx.journal(f"posting:{number}", detail, digest=posting.content_sha256)
        if posting.key in replaced:
            tx.execute(
                "UPDATE objection SET posting_id = ?1 WHERE posting_id = ?2 AND (state = 'open' OR (state = 'upheld' AND id_no IN ("
                " SELECT r.id_no FROM roll_row r JOIN batch b USING (batch_id) WHERE b.kind = 'roll' AND b.status = 'active'"
                " AND b.programme = ?3 AND b.month = ?4 AND b.created_at <= objection.resolved_at)))",
                (number, replaced[posting.key], posting.programme, posting.month),
            )
    for old in withdrawn:
        tx.journal(f"posting:{old}", {"action": "withdrawn"})
    return numbers


def close_postings(tx: Transaction, numbers: Sequence[int], *, override: str = "") -> None:
    """Marks postings closed; ``override`` is the reason when the time or an objection would forbid it."""
    for number in numbers:
        tx.execute(
            "UPDATE posting SET state = 'closed', closed_by = ?, closed_at = ? WHERE posting_id = ? AND state = 'open'",
            (tx.actor, tx.now, number),
        )
        tx.journal(f"posting:{number}", {"action": "closed", "override": override})


def add_objection(tx: Transaction, posting_id: int, *, id_no: str, text: str, received_on: str) -> int:
    """A new open objection; ``id_no`` is the person it is about, '' when it is about the list. Returns its number."""
    cursor = tx.execute(
        "INSERT INTO objection (posting_id, id_no, text, received_on, state) VALUES (?,?,?,?,'open')",
        (posting_id, id_no, text, received_on),
    )
    number = int(cursor.lastrowid or 0)
    tx.journal(f"objection:{number}", {"action": "received", "posting": posting_id, "received_on": received_on})
    return number


def resolve_objection(tx: Transaction, objection_id: int, *, state: str, resolution: str) -> None:
    """``state`` is ``upheld`` (成立) or ``dismissed`` (不成立)."""
    tx.execute(
        "UPDATE objection SET state = ?, resolution = ?, resolved_by = ?, resolved_at = ? WHERE objection_id = ?",
        (state, resolution, tx.actor, tx.now, objection_id),
    )
    tx.journal(f"objection:{objection_id}", {"action": "resolved", "state": state})


def objections_of(store: Store, month: str = "", *, objection_id: int | None = None) -> list[dict[str, Any]]:
    """Objections of live postings with ``programme, town, village, month, round``, by number; all months when ``month`` is ''."""
    rows = store.query(
        "SELECT o.*, p.programme, p.town, p.village, p.month, p.round, p.state AS posting_state FROM objection o JOIN posting p USING (posting_id)"
        " WHERE (?1 = '' OR p.month = ?1) AND (?2 IS NULL OR o.objection_id = ?2) AND (p.state <> 'replaced' OR ?2 IS NOT NULL)"
        " ORDER BY o.objection_id",
        (month, objection_id),
    )
    return [dict(row) for row in rows]


def persons_on(store: Store, posting: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(ID, name) of everybody on the live roll rows that a posting lists, members included."""
    rows = store.query(
        "SELECT DISTINCT r.id_no, r.name FROM batch b JOIN roll_row r USING (batch_id) WHERE b.kind = 'roll' AND b.status = 'active'"
        " AND b.programme = ? AND b.month = ? AND r.town = ? AND r.village = ? ORDER BY r.id_no",
        (posting["programme"], posting["month"], posting["town"], posting["village"]),
    )
    return [(row["id_no"], row["name"]) for row in rows]
