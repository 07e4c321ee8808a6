"""What the record itself knows of the steps of a procedure: proposals, doubts and postings with the days of their events."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.ledger.proposals import taken
from jiuzhu_cli.ledger.store import Store


def proposal_events(store: Store) -> list[dict[str, Any]]:
    """The newest proposal of each case and action that is not gone: ``case_id, programme, area, id_no, name, action, state, created_at,
    hearing_date, notice_date, decided_at`` (times UTC)."""
    rows = store.query(
        "SELECT case_id, programme, area, id_no, name, action, state, created_at, hearing_date, notice_date, decided_at FROM ("
        " SELECT *, row_number() OVER (PARTITION BY programme, id_no, action ORDER BY month DESC, case_id DESC) AS place FROM proposal"
        " WHERE state <> 'gone') WHERE place = 1 ORDER BY case_id"
    )
    return [dict(row) for row in rows]


def posting_events(store: Store) -> list[dict[str, Any]]:
    """Live postings: ``posting_id, programme, town, village, month, to_date, state, closed_at``."""
    rows = store.query(
        "SELECT posting_id, programme, town, village, month, to_date, state, closed_at FROM posting WHERE state <> 'replaced' ORDER BY posting_id"
    )
    return [dict(row) for row in rows]


def decided_cases(store: Store) -> set[tuple[str, str]]:
    """``(programme, id_no)`` of cases with a decision in force that stops, cuts or moves them."""
    rows = store.query(
        "SELECT DISTINCT programme, id_no FROM proposal WHERE state = 'effective' AND action IN ('stop','decrease','transfer')"
    )
    return {(row[0], row[1]) for row in rows}


def latest_roll_month(store: Store, until: str) -> str:
    """The latest month up to ``until`` that has a roll, '' when none has."""
    return str(
        store.query(
            "SELECT coalesce(max(month), '') FROM batch WHERE kind = 'roll' AND status = 'active' AND month <= ?",
            (until,),
        )[0][0]
    )


def decided_proposals(store: Store, month: str = "") -> list[dict[str, Any]]:
    """Decided proposals of ``month`` ('' of every month) by number, all columns but ``steps``."""
    rows = store.query(
        "SELECT case_id, month, programme, area, id_no, name, action, amount_before_fen, amount_after_fen, effective_month, reasons, basis, needs_hearing,"
        " state, hearing_date, notice_date, decided_at, maker, checker FROM proposal"
        " WHERE state IN ('agreed','effective','rejected') AND (?1 = '' OR month = ?1) ORDER BY case_id",
        (month,),
    )
    return [dict(row) for row in rows]


def suspended_cases(store: Store, month: str, code: str) -> list[dict[str, Any]]:
    """Cases whose latest decision in force by ``month`` is a stop for what ``code`` (an event) found: columns of the proposal."""
    rows = store.query(
        "SELECT case_id, month, programme, area, id_no, name, amount_before_fen, effective_month, proposal_key FROM ("
        " SELECT *, row_number() OVER (PARTITION BY programme, id_no ORDER BY effective_month DESC,"
        f" {taken('proposal.case_id')} DESC, decided_at DESC, case_id DESC) AS place FROM proposal"
        " WHERE state = 'effective' AND action IN ('start','increase','decrease','stop','transfer')) WHERE place = 1 AND action = 'stop' AND month <= ?"
        " ORDER BY case_id",
        (month,),
    )
    return [dict(row) for row in rows if code in row["proposal_key"].rpartition("|")[2].split(",")]
