"""``jiuzhu dedupe diff``: what became of the doubts from one month to a later one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import verdict_label
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.dedupe.output import CSV_COLUMNS
from jiuzhu_cli.ledger.doubts import doubts_between, run_is_current
from jiuzhu_cli.ledger.files import record_file
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace

CHANGES = {
    "new": "新增",
    "reopened": "重新打开",
    "still_open": "仍待核实",
    "decided": "仍在，已有处理结果",
    "gone": "不再出现",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """``rows``: doubts (columns of the table) with ``change``: a key of ``CHANGES``. ``stale``: months whose lists changed since their run."""

    first: str
    second: str
    rows: list[dict[str, Any]]
    csv: Path
    stale: list[str]

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(row["change"] for row in self.rows)
        return {change: found[change] for change in CHANGES}


def change_of(doubt: dict[str, Any]) -> str:
    """New: never seen before. Reopened: decided once, but what it rests on changed; or gone in the first month and back in the second."""
    if not doubt["in_second"]:
        return "gone"
    pending = doubt["disposition"] == "pending"
    if doubt["in_first"]:
        return ("reopened" if doubt["reopened"] else "still_open") if pending else "decided"
    return ("reopened" if pending else "decided") if doubt["earlier"] else "new"


def diff_months(
    workspace: Workspace, store: Store, first: str, second: str, *, actor: str, now: datetime | None = None
) -> Difference:
    """Compares what the record shows for two months, and writes it as CSV beside the second month's list.

    UsageError for months in the wrong order, or when doubts were never looked for in one of them.
    """
    if check_month(first) >= check_month(second):
        raise UsageError(f"{first} 不早于 {second}", "先写较早的月份，例如 jiuzhu dedupe diff 2026-09 2026-10")
    current = {month: run_is_current(store, month) for month in (first, second)}
    for month, state in current.items():
        if state is None:
            raise UsageError(f"{month} 还没有比对过", f"先运行 jiuzhu dedupe run --month {month}")
    rows = [doubt | {"change": change_of(doubt)} for doubt in doubts_between(store, first, second)]
    order = {change: n for n, change in enumerate(CHANGES)}
    rows.sort(key=lambda row: (order[row["change"]], row["doubt_id"]))
    path = workspace.internal / "dedupe" / second / f"疑点变化_{first}_{second}.csv"
    header = ("change", "change_name", *CSV_COLUMNS, "verdict")
    body = [
        (row["change"], CHANGES[row["change"]], *(row[name] for name in CSV_COLUMNS), verdict_label(row))
        for row in rows
    ]
    digest = write_csv(path, header, body)
    with store.transaction(actor=actor, command="dedupe diff", now=now) as tx:
        record_file(tx, workspace, path, entity=f"dedupe:{second}", kind="doubts_diff", sha256=digest, lines=len(rows))
    return Difference(first, second, rows, path, [month for month, state in current.items() if state is False])
