"""Decisions on proposals in the record, batch by batch: taken down together, taken back together until money has followed them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.payment_states import FIXED, SENT, sql_list
from jiuzhu_cli.ledger.proposals import decide
from jiuzhu_cli.ledger.store import Store, Transaction

COLUMNS = (
    "state", "decision_note", "hearing_date", "notice_date", "effective_month", "maker", "checker", "decided_by", "decided_at",
)  # fmt: skip
_BY_MAN = COLUMNS[:7]  # what a workbook says; the rest is who read it in, and when


@dataclass(frozen=True, slots=True)
class Decision:
    """What one row decides. ``values``: the columns of ``_BY_MAN``; ``source``: file, sheet and cell."""

    case_id: str
    values: dict[str, str]
    source: str


def same(proposal: dict[str, Any], values: dict[str, str]) -> bool:
    """Whether the record says already what a row decides; names that the row leaves out are no difference."""
    return all(
        proposal[column] == values[column] or (column in ("maker", "checker") and not values[column])
        for column in _BY_MAN
    )


def take_down(tx: Transaction, decisions: Sequence[Decision], *, files: str, digest: str = "") -> int:
    """Writes the decisions as one batch and returns its number; the caller has checked them. The journal names only numbers."""
    marks = {row.case_id for row in decisions}
    before = {
        row["case_id"]: {column: row[column] for column in COLUMNS}
        for row in map(
            dict,
            tx.execute(
                f"SELECT case_id, {', '.join(COLUMNS)} FROM proposal WHERE case_id IN (SELECT value FROM json_each(?))",
                (json.dumps(sorted(marks)),),
            ),
        )
    }
    effective = sum(one.values["state"] == "effective" for one in decisions)
    number = tx.execute(
        "INSERT INTO decision_batch (file_names, applied, effective, state, actor, created_at) VALUES (?,?,?,'active',?,?)",
        (files, len(decisions), effective, tx.actor, tx.now),
    ).lastrowid
    assert number is not None
    for one in decisions:
        old = before[one.case_id]
        new = {c: one.values[c] or (old[c] if c in ("maker", "checker") else "") for c in _BY_MAN}
        decide(
            tx, one.case_id, state=new["state"], note=new["decision_note"], hearing_date=new["hearing_date"], notice_date=new["notice_date"],
            effective_month=new["effective_month"], maker=new["maker"], checker=new["checker"],
        )  # fmt: skip
        new |= {"decided_by": tx.actor, "decided_at": tx.now}
        tx.execute(
            "INSERT INTO decision_line VALUES (?,?,?,?,?)",
            (number, one.case_id, json.dumps(old, ensure_ascii=False), json.dumps(new, ensure_ascii=False), one.source),
        )
    tx.journal(f"decision:{number}", {"applied": len(decisions), "effective": effective}, digest=digest)
    return int(number)


def last_decision(store: Store) -> int:
    """The number of the newest batch of decisions, 0 when there is none: what a workbook written now has seen."""
    return int(store.query("SELECT coalesce(max(decision_id), 0) FROM decision_batch")[0][0])


def deciding_batches(store: Store, case_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """By case, the standing batch that decided it last: ``decision_id, actor, created_at, source``."""
    rows = store.query(
        "SELECT l.case_id, l.decision_id, b.actor, b.created_at, l.source FROM decision_line l JOIN decision_batch b USING (decision_id)"
        " WHERE b.state = 'active' AND l.case_id IN (SELECT value FROM json_each(?)) ORDER BY l.decision_id",
        (json.dumps(list(case_ids)),),
    )
    return {row["case_id"]: dict(row) for row in rows}


def decision_batches(store: Store) -> list[dict[str, Any]]:
    """All batches of decisions, oldest first, with ``months`` of the proposals they decided."""
    rows = store.query(
        "SELECT b.*, (SELECT group_concat(month, '、') FROM (SELECT DISTINCT p.month FROM decision_line l JOIN proposal p USING (case_id)"
        " WHERE l.decision_id = b.decision_id ORDER BY 1)) AS months FROM decision_batch b ORDER BY b.decision_id"
    )
    return [dict(row) for row in rows]


def undo_decisions(tx: Transaction, number: int) -> dict[str, Any]:
    """Takes a batch of decisions back: each proposal is what it was before. Taken back already: nothing is done (``undone`` 0).

    UsageError when there is none of that number. RefusedError when a later batch decided one of its cases again, or money of a month
    that one of its decisions affects has been released or is locked.
    """
    rows = tx.execute("SELECT state FROM decision_batch WHERE decision_id = ?", (number,)).fetchall()
    if not rows:
        raise UsageError(f"没有决定批次 {number}", "用 jiuzhu review decisions 查看批次编号")
    if rows[0][0] == "undone":
        return {"decision": number, "undone": 0}
    later = tx.execute(
        "SELECT min(x.decision_id) FROM decision_line l JOIN decision_line x ON x.case_id = l.case_id AND x.decision_id > l.decision_id"
        " JOIN decision_batch b ON b.decision_id = x.decision_id AND b.state = 'active' WHERE l.decision_id = ?",
        (number,),
    ).fetchone()[0]
    if later is not None:
        raise RefusedError(f"决定批次 {number} 里有的户后来又在批次 {later} 作了决定", f"先撤回批次 {later}")
    moved = tx.execute(_MOVED, (number,)).fetchone()
    if moved is not None:
        month, state = moved
        if state in SENT:
            raise RefusedError(
                f"决定批次 {number} 影响的 {month} 已经发放，不能撤回",
                "多发、少发的用追缴、补发更正；情况有变的，改名册后重新复核",
            )
        raise RefusedError(f"决定批次 {number} 影响的 {month} 发放批次已锁定", "先取消那个发放批次，再撤回决定")
    lines = tx.execute("SELECT case_id, before FROM decision_line WHERE decision_id = ?", (number,)).fetchall()
    for case_id, before in lines:
        old = json.loads(before)
        tx.execute(
            f"UPDATE proposal SET {', '.join(f'{column}=?' for column in COLUMNS)} WHERE case_id=?",
            (*(old[column] for column in COLUMNS), case_id),
        )
    tx.execute(
        "UPDATE decision_batch SET state = 'undone', undone_by = ?, undone_at = ? WHERE decision_id = ?",
        (tx.actor, tx.now, number),
    )
    tx.journal(f"decision:{number}", {"undone": len(lines)})
    return {"decision": number, "undone": len(lines)}


# A payment batch, locked or released, of the decision's programme and of a month from which it holds: it paid what was decided, or left
# out who was stopped.
_MOVED = f"""
SELECT b.month, b.state FROM decision_line l JOIN proposal p USING (case_id)
JOIN payment_batch b ON b.state IN {sql_list(FIXED)} AND b.month >= p.effective_month
WHERE l.decision_id = ? AND p.state = 'effective' AND (
  EXISTS (SELECT 1 FROM payment_line x JOIN obligation o USING (obligation_id)
          WHERE x.payment_id = b.payment_id AND x.state <> 'cancelled' AND o.programme = p.programme)
  OR EXISTS (SELECT 1 FROM payment_hold h WHERE h.payment_id = b.payment_id AND h.programme = p.programme AND h.recipient_id_no = p.id_no))
ORDER BY b.state NOT IN {sql_list(SENT)}, b.month LIMIT 1
"""
