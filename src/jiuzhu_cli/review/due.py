"""``jiuzhu review due``: who is to be reviewed or visited in a month, by each programme's cycle, one list a village.

A case is due when the months since its last decided review (else since it began) reach the programme's ``cycle_months``.
Cycles: 民发〔2021〕57号第31条 (a year, half a year for unsteady income), local otherwise; a case without any date is due now.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger.proposals import last_reviews
from jiuzhu_cli.review.eligibility import REVIEWED
from jiuzhu_cli.review.output import folder_of
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

_DUE = """
SELECT * EXCLUDE (month, months) FROM (
SELECT r.month, c.months, r.town, r.village, r.programme, r.id_no, r.name, coalesce(r.covered_persons, r.household_size, 1) AS persons, r.address, r.phone,
  coalesce(l.month, left(r.start_month, 7)) AS since, l.month IS NOT NULL AS reviewed, r.kin_filed
FROM roll r JOIN cycle c USING (programme) LEFT JOIN last_review l ON l.programme = r.programme AND l.id_no = r.id_no
WHERE r.lead = 1 AND r.month = ?)
WHERE since IS NULL OR (CAST(left(month, 4) AS INT) * 12 + CAST(substr(month, 6, 2) AS INT)
  - CAST(left(since, 4) AS INT) * 12 - CAST(substr(since, 6, 2) AS INT)) >= months
ORDER BY town, village, programme, name, id_no
"""
_COLUMNS = (
    ColumnSpec("序号", 6, "count"), ColumnSpec("村（社区）", 14), ColumnSpec("救助项目", 16), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20),
    ColumnSpec("人数", 6, "count"), ColumnSpec("上次复核/起始", 13), ColumnSpec("住址", 26, wrap=True), ColumnSpec("电话", 13),
    ColumnSpec("入户日期", 12), ColumnSpec("收入、财产、人口有无变化", 26, wrap=True), ColumnSpec("入户人员签字", 14),
)  # fmt: skip


@dataclass(slots=True)
class DueRun:
    month: str
    due: int
    unknown: int
    by_village: dict[str, int]
    by_programme: dict[str, int]
    workbook: Path

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "due": self.due,
            "unknown": self.unknown,
            "by_village": self.by_village,
            "by_programme": self.by_programme,
            "workbook": str(self.workbook),
        }


def run_due(
    store: Store, workspace: Workspace, policy: Policy, month: str, *, today: date, now: datetime, actor: str
) -> DueRun:
    """Finds the due cases on the rolls of ``month`` and writes one workbook, a sheet a town sorted by village."""
    from jiuzhu_cli.ledger.files import record_file
    from jiuzhu_cli.ledger.snapshot import open_snapshot

    check_month(month)
    columns = "row_id batch_id table_no source_row lead id_no name town village covered_persons household_size address phone start_month kin_filed".split()
    connection = open_snapshot(store, months=(month, month), roll_columns=columns, registers=False)
    try:
        if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册", "先用 jiuzhu import 导入当月花名册")
        connection.execute("CREATE TABLE cycle (programme VARCHAR, months INT)")
        cycles = [(p.code, p.review.cycle_months) for p in policy.programmes.values() if p.benefit in REVIEWED]
        connection.executemany("INSERT INTO cycle VALUES (?,?)", cycles)
        connection.execute("CREATE TABLE last_review (programme VARCHAR, id_no VARCHAR, month VARCHAR)")
        reviews = [one for one in last_reviews(store) if one[2] < month]
        if reviews:
            connection.executemany("INSERT INTO last_review VALUES (?,?,?)", reviews)
        rows = connection.execute(_DUE, [month]).fetchall()
    finally:
        connection.close()
    names = {p.code: p.name for p in policy.programmes.values()}
    towns: dict[str, list[tuple[Any, ...]]] = {}
    for town, village, programme, id_no, name, persons, address, phone, since, reviewed, _ in rows:
        listed = towns.setdefault(town, [])
        told = f"{since}{'复核' if reviewed else '起'}" if since else "未载"
        listed.append(
            (len(listed) + 1, village, names[programme], name, id_no, persons, told, address, phone, "", "", "")
        )
    path = folder_of(workspace, month) / f"走访清单-{month}.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sheets = [
        SheetSpec(
            town or "全区",
            _COLUMNS,
            listed,
            title=f"{month} {town} 应复核走访清单",
            notes=["内部资料，不得外传；入户核实后收回。"],
        )
        for town, listed in sorted(towns.items())
    ] or [SheetSpec("说明", (ColumnSpec("说明", 40),), [("本月没有到期应复核的户（人）。",)])]
    digest = write_xlsx(path, sheets, marks={"jiuzhu": "due", "month": month})
    with store.transaction(actor=actor, command="review due", now=now) as tx:
        record_file(tx, workspace, path, entity=f"review:{month}", kind="due_workbook", sha256=digest, lines=len(rows))
        tx.journal(f"review:{month}", {"due": len(rows)}, digest=digest)
    return DueRun(
        month,
        len(rows),
        sum(row[8] is None for row in rows),
        dict(sorted(Counter(f"{row[0]}/{row[1]}" if row[1] else row[0] for row in rows).items())),
        dict(sorted(Counter(row[2] for row in rows).items())),
        path,
    )
