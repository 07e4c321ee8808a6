"""Review proposals (复核建议) in the record: saved by a run, decided by a workbook, read by payment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.steps import pack, unpack
from jiuzhu_cli.ledger.store import Store, Transaction

ACTIONS = ("start", "increase", "decrease", "stop", "grace", "transfer", "keep", "check")
PAYING = ("start", "increase", "decrease", "stop", "grace", "transfer")  # actions that change what is paid
UNDECIDED = ("open", "gone")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a run says of one case. ``key`` tells whether a later run says the same; amounts in 分, None: not an amount.

    ``steps``: dicts ``{label, how, value, adds_fen?, source?, since?, confirmed?}``; the ``adds_fen`` sum to ``after_fen``.
    """

    key: str
    month: str
    programme: str
    area: str  # town, or town/village
    id_no: str  # the case's lead
    name: str
    action: str
    before_fen: int | None
    after_fen: int | None
    effective_month: str
    reasons: str
    basis: str
    steps: tuple[dict[str, Any], ...]
    needs_hearing: bool


@dataclass(frozen=True, slots=True)
class Saved:
    added: int
    unchanged: int
    gone: int


@dataclass(frozen=True, slots=True)
class Change:
    """A decided change that alters what ``month`` pays. ``roll_row_id`` is the lead's row on that month's roll."""

    programme: str
    area: str
    id_no: str
    action: str
    amount_before_fen: int | None
    amount_after_fen: int | None  # 0 for a stop; None for a transfer: nothing is paid under the old case
    case_id: str
    effective_month: str
    roll_row_id: int


def save_proposals(
    tx: Transaction, month: str, proposals: Sequence[Proposal], *, policy_digest: str, digest: str = ""
) -> Saved:
    """Makes the month's undecided proposals equal to ``proposals``; decided ones are never touched.

    A proposal of an earlier run that is no longer made becomes ``gone``; made again it is open under its old number.
    """
    known = {
        row["proposal_key"]: row["state"]
        for row in tx.execute("SELECT proposal_key, state FROM proposal WHERE month = ?", (month,))
    }
    last = tx.execute("SELECT coalesce(max(CAST(substr(case_id, 2) AS INTEGER)), 0) FROM proposal").fetchone()[0]
    rows, added = [], 0
    packed = pack(tx, (item.steps for item in proposals))
    for item, steps in zip(proposals, packed, strict=True):
        if item.key not in known:
            added += 1
        rows.append(
            (
                f"R{last + added:06d}" if item.key not in known else "",
                item.key, item.month, item.programme, item.area, item.id_no, item.name, item.action,
                item.before_fen, item.after_fen, item.effective_month, item.reasons, item.basis,
                steps, int(item.needs_hearing), policy_digest, tx.now,
            )
        )  # fmt: skip
    new_keys = {item.key for item in proposals}
    gone = [(key,) for key, state in known.items() if state == "open" and key not in new_keys]
    tx.executemany("UPDATE proposal SET state = 'gone' WHERE proposal_key = ?", gone)
    tx.executemany(
        "INSERT INTO proposal (case_id, proposal_key, month, programme, area, id_no, name, action, amount_before_fen, amount_after_fen,"
        " effective_month, reasons, basis, steps, needs_hearing, policy_digest, state, created_at)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'open',?)",
        [row for row in rows if row[0]],
    )
    tx.executemany(
        "UPDATE proposal SET effective_month=?, reasons=?, basis=?, steps=?, needs_hearing=?, policy_digest=?, state='open'"
        " WHERE proposal_key = ? AND state IN ('open','gone')",
        [(row[10], row[11], row[12], row[13], row[14], row[15], row[1]) for row in rows if not row[0]],
    )
    saved = Saved(added, len(rows) - added, len(gone))
    tx.journal(
        f"review:{month}",
        {"proposals": len(rows), "added": added, "gone": len(gone), "policy": policy_digest[:16]},
        digest=digest,
    )
    return saved


def proposals_of(store: Store, month: str) -> list[dict[str, Any]]:
    """The month's proposals but those ``gone``, by number; ``steps`` as a list."""
    rows = store.query("SELECT * FROM proposal WHERE month = ? AND state <> 'gone' ORDER BY case_id", (month,))
    return plain(store, rows)


def proposals_by_case(store: Store, case_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Proposals by their numbers, whatever their state."""
    wanted = sorted(set(case_ids))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = plain(store, store.query(f"SELECT * FROM proposal WHERE case_id IN ({marks})", part))
        found |= {row["case_id"]: row for row in rows}
    return found


def plain(store: Store, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows of ``proposal`` as dicts, ``steps`` as a list."""
    made = [dict(row) for row in rows]
    for row, steps in zip(made, unpack(store, [row["steps"] for row in made]), strict=True):
        row["steps"] = steps
    return made


def decide(
    tx: Transaction,
    case_id: str,
    *,
    state: str,
    note: str,
    hearing_date: str,
    notice_date: str,
    effective_month: str,
    maker: str = "",
    checker: str = "",
) -> None:
    """Writes one decision with who read it in. The caller has checked it; the journal entry names only the number."""
    tx.execute(
        "UPDATE proposal SET state=?, decision_note=?, hearing_date=?, notice_date=?, effective_month=?, decided_by=?, decided_at=?,"
        " maker=?, checker=? WHERE case_id=?",
        (state, note, hearing_date, notice_date, effective_month, tx.actor, tx.now, maker, checker, case_id),
    )
    tx.journal(
        f"proposal:{case_id}",
        {"state": state, "hearing": hearing_date, "notice": notice_date, "effective_month": effective_month},
    )


def taken(case: str) -> str:
    """SQL: the number of the last standing batch of decisions on ``case`` (a column), 0 when it was decided otherwise.

    Of two decisions the one taken down later is the later one, whatever the computer's clock said.
    """
    return (
        "COALESCE((SELECT MAX(k.decision_id) FROM decision_line k JOIN decision_batch t USING (decision_id)"
        f" WHERE k.case_id = {case} AND t.state = 'active'), 0)"
    )


def effective_changes(store: Store, month: str) -> list[Change]:
    """Decided changes in force in ``month`` for cases still on that month's roll.

    The roll has caught up, and the change is left out, when a rise or cut no longer finds the amount it was decided on,
    or when a stopped case was missing from a roll of the same list in between (it was taken up again later).
    The latest decision on a case wins.
    """
    rows = store.query(
        f"""
        WITH decided AS (
          SELECT *, row_number() OVER (PARTITION BY programme, id_no, area ORDER BY effective_month DESC, month DESC,
                                       {taken("proposal.case_id")} DESC, decided_at DESC, case_id DESC) AS place
          FROM proposal WHERE state = 'effective' AND effective_month <= ?1
            AND action IN ('start','increase','decrease','stop','grace','transfer')
        )
        SELECT p.programme, p.area, p.id_no, p.action, p.amount_before_fen, p.amount_after_fen, p.case_id, p.effective_month, r.row_id
        FROM decided p
        CROSS JOIN roll_row r ON {same_id("r", "p.id_no")} AND r.lead = 1
        JOIN batch b ON b.batch_id = r.batch_id AND b.status = 'active' AND b.kind = 'roll' AND b.month = ?1 AND b.programme = p.programme
        WHERE p.place = 1 AND (p.area = r.town OR p.area LIKE r.town || '/%')
          AND (p.action IN ('stop','transfer') OR r.amount_fen IS p.amount_before_fen)
          AND NOT EXISTS (
            SELECT 1 FROM batch x WHERE x.kind = 'roll' AND x.status = 'active' AND x.supplements IS NULL
              AND x.programme = b.programme AND x.area = b.area AND x.part = b.part AND x.month >= p.effective_month AND x.month < ?1
              AND NOT EXISTS (SELECT 1 FROM roll_row y JOIN batch z ON z.batch_id = y.batch_id WHERE {same_id("y", "p.id_no")} AND z.kind = 'roll'
                              AND z.status = 'active' AND z.programme = x.programme AND z.area = x.area AND z.month = x.month))
        ORDER BY p.case_id
        """,
        (month,),
    )
    return [Change(*tuple(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Grace:
    """A decided 渐退: the case's amount stays ``amount_fen`` from ``since`` on."""

    programme: str
    area: str
    id_no: str
    since: str
    amount_fen: int
    case_id: str


def graces(store: Store, month: str) -> list[Grace]:
    """Decisions of grace taken by ``month``, of each case the last decision; a later one of another kind has ended it."""
    rows = store.query(
        f"""
        WITH decided AS (
          SELECT *, row_number() OVER (PARTITION BY programme, id_no, area ORDER BY effective_month DESC, month DESC, {taken("proposal.case_id")} DESC,
                                       decided_at DESC, case_id DESC) AS place
          FROM proposal WHERE state = 'effective' AND action IN ('start','increase','decrease','stop','grace','transfer') AND month <= ?1)
        SELECT programme, area, id_no, effective_month, amount_after_fen, case_id FROM decided WHERE place = 1 AND action = 'grace'
        ORDER BY case_id
        """,
        (month,),
    )
    return [Grace(*tuple(row)) for row in rows]


def decided_leads(store: Store, month: str, months: int) -> list[dict[str, Any]]:
    """What clerks decided in the ``months`` before ``month`` and in it: ``case_id, programme, area, id_no, action, state, after_fen`` and
    ``codes``, what had been found (``code@person#lines``)."""
    rows = store.query(
        "SELECT case_id, programme, area, id_no, action, state, amount_after_fen AS after_fen, proposal_key FROM proposal"
        " WHERE state IN ('agreed', 'rejected', 'effective') AND month BETWEEN ? AND ? ORDER BY case_id",
        (add_months(month, -months), month),
    )
    names = ("case_id", "programme", "area", "id_no", "action", "state", "after_fen")
    return [
        {**{name: row[name] for name in names}, "codes": row["proposal_key"].split("|")[-1].split(",")} for row in rows
    ]


def decided_moves(store: Store, month: str) -> list[tuple[str, str, str]]:
    """``(programme, id_no, action)`` of decisions in force by ``month`` that take somebody on (start) or end a case (stop, transfer)."""
    rows = store.query(
        "SELECT DISTINCT programme, id_no, action FROM proposal WHERE state = 'effective' AND action IN ('start', 'stop', 'transfer')"
        " AND effective_month <= ? ORDER BY 1, 2, 3",
        (month,),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def last_reviews(store: Store) -> list[tuple[str, str, str]]:
    """``(programme, id_no, month)`` of each case's last decided review."""
    return [
        (row[0], row[1], row[2])
        for row in store.query(
            "SELECT programme, id_no, max(month) FROM proposal WHERE state IN ('agreed','rejected','effective') GROUP BY programme, id_no"
        )
    ]


def incomplete_lists(store: Store, month: str) -> list[tuple[str, str]]:
    """``(programme, area)`` of the month's active rolls of which rows were refused at import."""
    rows = store.query(
        "SELECT DISTINCT programme, area FROM batch WHERE kind = 'roll' AND status = 'active' AND month = ? AND refused > 0 ORDER BY 1, 2",
        (month,),
    )
    return [(row[0], row[1]) for row in rows]
