"""Which case goes on as which (停旧建新, 转项目): kept by the review that sees the new one on the roll."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jiuzhu_cli.ledger.store import Store, Transaction


def keep_links(tx: Transaction, month: str, links: Iterable[Mapping[str, Any]]) -> int:
    """Makes the month's links equal to ``links`` (``programme, new_id_no, old_id_no, from_programme, kind``); returns how many."""
    rows = sorted(
        (month, one["programme"], one["new_id_no"], one["old_id_no"], one["from_programme"], one["kind"]) for one in links
    )  # fmt: skip
    tx.execute("DELETE FROM case_link WHERE month = ?", (month,))
    tx.executemany(
        "INSERT INTO case_link (month, programme, new_id_no, old_id_no, from_programme, kind, case_id) VALUES (?1,?2,?3,?4,?5,?6,"
        " coalesce((SELECT case_id FROM proposal WHERE programme = ?5 AND id_no = ?4 AND action = 'transfer' AND state = 'effective'"
        " ORDER BY effective_month DESC, case_id DESC LIMIT 1), ''))",
        rows,
    )
    return len(rows)


def links_of(store: Store, month: str) -> list[dict[str, Any]]:
    """The month's links with the decision (``case_id``, '' when none) that ended the old case."""
    return [
        dict(row) for row in store.query("SELECT * FROM case_link WHERE month = ? ORDER BY programme, new_id_no", (month,))
    ]  # fmt: skip
