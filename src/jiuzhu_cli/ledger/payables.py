"""What the plan of a payment reads from the record, as Arrow tables: the month's cases and everything that may hold one back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.payment_states import sql_list
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.proposals import effective_changes, taken
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, death_day, death_stands
from jiuzhu_cli.ledger.steps import unpack
from jiuzhu_cli.ledger.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_LIVE = "b.kind = 'roll' AND b.status = 'active' AND b.month = '{month}'"

# name → SQL; {month} is a checked month. Columns ending in _fen, and those in INTEGERS, are whole numbers, the rest text.
_TABLES = {
    "cases": (
        "SELECT b.programme, b.area, b.batch_id, r.row_id, r.case_no, r.id_no, r.name, r.head_id_no, r.head_name, r.town, r.village,"
        " r.amount_fen, COALESCE(r.covered_persons, r.household_size, 0) AS persons, r.payee_name, r.payee_id_no, r.account_no, r.bank_name,"
        " r.bank_code, r.stage, r.event_date, r.cause, r.start_month, r.category, r.care_mode, r.phone, r.address, r.base_fen, r.addon_fen, r.care_fen FROM batch b JOIN roll_row r USING (batch_id)"
        f" WHERE {_LIVE} AND r.lead = 1 AND r.amount_fen > 0"
    ),
    "rolls": "SELECT b.batch_id, b.file_name, b.file_sha256, b.created_at FROM batch b WHERE " + _LIVE,
    "members": f"SELECT b.programme, r.batch_id, r.case_no, r.id_no, r.name, r.head_id_no FROM batch b JOIN roll_row r USING (batch_id) WHERE {_LIVE}",
    "decisions": (
        "SELECT case_id, programme, id_no, month, action, amount_before_fen, amount_after_fen, effective_month, decided_at,"
        f" needs_hearing, hearing_date, notice_date, reasons, {taken('proposal.case_id')} AS taken FROM proposal"
        " WHERE state = 'effective' AND effective_month <= '{month}'"
    ),
    "postings": (
        "SELECT p.posting_id, p.programme, p.town, p.village, p.round, p.state, COALESCE((SELECT MIN(j.seq) FROM journal j"
        " WHERE j.entity = 'posting:' || p.posting_id), 0) AS seq FROM posting p WHERE p.month = '{month}' AND p.state <> 'replaced'"
    ),
    "objections": (
        "SELECT o.posting_id, o.id_no, o.state FROM objection o JOIN posting p USING (posting_id)"
        " WHERE p.month = '{month}' AND p.state <> 'replaced' AND o.state IN ('open','upheld')"
    ),
    "dead": (
        f"SELECT r.id_no, MIN({death_day('r')}) AS event_date FROM batch b JOIN register_row r USING (batch_id)"
        f" WHERE b.kind = 'register' AND b.status = 'active' AND b.programme IN {DEATH_REGISTERS}"
        f" AND {death_stands('r.status')} GROUP BY r.id_no"
    ),
    # what is owed once and stands already: this month's, and items (instalments, events) of any month. live_fen: what went out for it, back-pay
    # (extra_fen) and all, less what is claimed back
    "owed": (
        "SELECT o.obligation_id, o.programme, o.month, o.recipient_id_no, o.item, o.purpose, o.cause, o.town, o.roll_row_id,"
        " l.amount_fen + l.set_off_fen + COALESCE(x.extra_fen, 0) - COALESCE(x.claimed_fen, 0) AS live_fen, COALESCE(x.extra_fen, 0) AS extra_fen,"
        " COALESCE(l.state, '') AS live_state, COALESCE(l.payment_id, 0) AS payment_id, COALESCE(l.account_no, '') AS account_no,"
        " EXISTS (SELECT 1 FROM payment_line f WHERE f.obligation_id = o.obligation_id AND f.state IN ('failed','reversed')) AS failed"
        " FROM obligation o LEFT JOIN payment_line l ON l.obligation_id = o.obligation_id AND l.state IN ('due','sent','paid')"
        " AND l.payment_id <> {without} LEFT JOIN (SELECT k.programme, k.month, k.recipient_id_no, k.item, SUM(k.fen) AS extra_fen, SUM(k.back) AS claimed_fen"
        " FROM (SELECT b.programme, b.month, b.recipient_id_no, b.item, d.amount_fen + d.set_off_fen AS fen, 0 AS back FROM obligation b"
        " JOIN payment_line d USING (obligation_id) WHERE b.purpose = 'back_pay' AND b.cause <> 'missed' AND d.state IN ('due','sent','paid')"
        " AND d.payment_id <> {without} UNION ALL SELECT b.programme, b.month, b.recipient_id_no, b.item, 0, e.amount_fen FROM recovery_entry e"
        " JOIN recovery r USING (recovery_id) JOIN payment_line d USING (line_id) JOIN obligation b USING (obligation_id) WHERE e.kind = 'claim') k"
        " GROUP BY 1, 2, 3, 4) x ON x.programme = o.programme AND x.month = o.month AND x.recipient_id_no = o.recipient_id_no AND x.item = o.item"
        " WHERE o.cause IN ('', 'missed') AND (o.month = '{month}' OR o.item <> '')"
    ),
    # who is paid in a person's place by agreement; which of them are in force is told in ``payment/agreements.py``
    "agreements": (
        "SELECT r.row_id, r.id_no, r.related_name AS payee_name, r.related_id_no AS payee_id_no, r.account_no, r.bank_name, r.grade AS programme,"
        " r.valid_from, r.valid_to, r.status FROM batch b JOIN register_row r USING (batch_id) WHERE b.kind = 'register' AND b.status = 'active'"
        " AND b.programme = 'payee_agreement'"
    ),
    # members of households as the register of members tells them; the rolls may name the head only
    "mates": (
        "SELECT DISTINCT r.related_id_no AS head_id_no, r.id_no, r.name FROM batch b JOIN register_row r USING (batch_id) WHERE b.kind = 'register'"
        " AND b.status = 'active' AND b.programme = 'household_member' AND r.related_id_no <> ''"
    ),
    # one-off aid (of the programmes that are paid by event) of the twelve months before, for 同一事由一年内不重复
    "one_offs": (
        "SELECT o.programme, o.recipient_id_no, o.month, l.amount_fen, COALESCE(r.cause, '') AS cause FROM obligation o"
        " JOIN payment_line l ON l.obligation_id = o.obligation_id AND l.state IN ('due','sent','paid') JOIN roll_row r ON r.row_id = o.roll_row_id"
        " WHERE o.programme IN {single} AND o.item = '' AND o.month >= '{year_before}' AND o.month < '{month}'"
    ),
}
INTEGERS = {
    "batch_id",
    "row_id",
    "case_no",
    "persons",
    "posting_id",
    "seq",
    "obligation_id",
    "roll_row_id",
    "payment_id",
    "failed",
    "needs_hearing",
    "line_id",
    "objection_id",
    "override_id",
    "taken",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """When the month was last compared: the journal's sequence number (0: never) and that of the newest roll."""

    seq: int
    newest_roll: int


def plan_tables(
    store: Store, month: str, *, year_before: str, single: Sequence[str], without: int = 0
) -> Iterator[tuple[str, pa.Table]]:
    """The tables of ``_TABLES`` for ``month`` with their names, one after another; lines of payment ``without`` (a draft to be replaced) do not count
    as live. ``single``: the programmes paid by event."""
    known = {"month": month, "year_before": year_before, "without": int(without), "single": sql_list(single)}
    return zip(_TABLES, store.arrows([sql.format(**known) for sql in _TABLES.values()]), strict=True)


def changes(store: Store, month: str) -> pa.Table:
    """Review decisions in force in ``month``, one a row of its rolls: ``roll_row_id, action, amount_after_fen, case_id, effective_month``."""
    import pyarrow as pa

    # a list's area may be written as town or as town/village: the later decision on a case is the one that holds
    every = sorted(effective_changes(store, month), key=lambda c: (c.effective_month, c.case_id))
    found = list({c.roll_row_id: c for c in every}.values())
    return pa.table(
        {
            "roll_row_id": pa.array([c.roll_row_id for c in found], pa.int64()),
            "action": pa.array([c.action for c in found], pa.string()),
            "amount_after_fen": pa.array([c.amount_after_fen for c in found], pa.int64()),
            "case_id": pa.array([c.case_id for c in found], pa.string()),
            "effective_month": pa.array([c.effective_month for c in found], pa.string()),
        }
    )


def decided(store: Store, cases: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What is frozen of each review decision by case ID: action, amounts, since when, steps, policy, who decided and checked."""
    rows = store.query(
        "SELECT case_id, action, amount_before_fen, amount_after_fen, effective_month, basis, steps, policy_digest AS policy, maker, checker,"
        " decided_by FROM proposal WHERE case_id IN (SELECT value FROM json_each(?))",
        (json.dumps([case for case in cases if case]),),
    )
    steps = unpack(store, [row["steps"] for row in rows])
    return {row["case_id"]: dict(row) | {"steps": one} for row, one in zip(rows, steps, strict=True)}


def compared(store: Store, month: str) -> Compared:
    """Whether and when duplicates were looked for in ``month``, by the journal."""
    run = store.query(
        "SELECT COALESCE(MAX(seq), 0) FROM journal WHERE entity = ? AND command LIKE 'dedupe run%'",
        (f"dedupe:{month}",),
    )[0][0]
    newest = store.query(
        "SELECT COALESCE(MAX(j.seq), 0) FROM batch b JOIN journal j ON j.entity = 'batch:' || b.batch_id"
        " WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = ?",
        (month,),
    )[0][0]
    return Compared(int(run), int(newest))


def first_seen(store: Store, month: str, *, after: int) -> pa.Table:
    """``programme, id_no, seq``: for persons of ``month``'s rolls, the journal entry of the first roll that named them.

    Only those first named after journal entry ``after`` (a comparison, a posting).
    """
    return store.arrow(
        "SELECT b.programme, r.id_no, MIN(s.seq) AS seq FROM batch b JOIN (SELECT b2.batch_id, MIN(j.seq) AS seq FROM batch b2 JOIN journal j"
        " ON j.entity = 'batch:' || b2.batch_id GROUP BY b2.batch_id) s USING (batch_id) JOIN roll_row r USING (batch_id)"
        f" WHERE b.kind = 'roll' AND b.month = '{month}' GROUP BY b.programme, r.id_no HAVING MIN(s.seq) > {int(after)}"
    )


def changed_since(store: Store, month: str) -> pa.Table:
    """``programme, id_no, created_at``: cases whose amount a corrected roll changed, and when that roll was imported."""
    return store.arrow(
        "SELECT DISTINCT b.programme, n.id_no, b.created_at FROM batch b JOIN roll_row n ON n.batch_id = b.batch_id AND n.lead = 1"
        " JOIN batch e ON e.programme = b.programme AND e.month = b.month AND e.status = 'superseded' AND e.kind = 'roll'"
        f" JOIN roll_row p ON {same_id('p', 'n.id_no')} AND p.batch_id = e.batch_id AND p.lead = 1 AND p.amount_fen <> n.amount_fen"
        f" WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = '{month}' AND b.supersedes IS NOT NULL"
    )
