"""``jiuzhu review due``: who is to be reviewed, visited or certified in a month, the calendar of the months ahead, the forms for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import add_months, check_month, last_day
from jiuzhu_cli.ledger.proposals import last_reviews
from jiuzhu_cli.review.cycles import ROLL_COLUMNS, Rules, build_due
from jiuzhu_cli.review.output import folder_of
from jiuzhu_cli.review.visit_forms import write_visit_book, write_visit_cards
from jiuzhu_cli.review.visits import CLASSES, REGISTER, REGISTER_COLUMNS
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

MOST_AHEAD = 24
MOST_CARDS = 20_000  # pages at once; nobody prints more

# one line a case, its tasks together; the most urgent speaks for it
_CASES = """
SELECT key, programme, id_no, name, town, village, persons, coalesce(address, '') AS address, coalesce(phone, '') AS phone, income_fen, income_period, class,
  string_agg(task_name, '、' ORDER BY task_place) AS tasks, min(due_month) AS due_month,
  arg_min(since, due_month) FILTER (since IS NOT NULL) AS since, coalesce(arg_min(done, due_month) FILTER (since IS NOT NULL), false) AS done,
  max(late) AS late, bool_or(since IS NULL) AS undated, bool_or(late IS NULL) AS unseen,
  bool_or(task IN (SELECT task FROM task WHERE proof)) AS proof
FROM due WHERE is_due GROUP BY ALL ORDER BY town, village, programme, name, id_no, key
"""
_MEMBERS = """
SELECT c.key, r.name, CASE WHEN r.lead = 1 THEN coalesce(r.relation, '户主') ELSE r.relation END, date_diff('year', try_strptime(substr(r.id_no, 7, 8), '%Y%m%d'), DATE '{last}')
  - CAST(strftime(DATE '{last}', '%m%d') < substr(r.id_no, 11, 4) AS INT) AS age
FROM case_row c JOIN roll r ON r.batch_id = c.batch_id AND r.case_no = c.case_no AND r.month = '{month}' ORDER BY c.key, r.lead DESC, r.source_row, r.row_id
"""
# each time a task is planned within the horizon
_PLANNED = """
CREATE TABLE planned_time AS SELECT key, town, village, task, task_name, task_place, months, unnest(range(planned, {ahead}, months)) AS step FROM due WHERE planned < {ahead}
"""


@dataclass(frozen=True, slots=True)
class DueCase:
    """A case with something due: ``late`` months past the due month, None when it was never seen done; ``class_name`` '' when unknown."""

    key: int
    programme: str
    programme_name: str
    id_no: str
    name: str
    town: str
    village: str
    persons: int
    address: str
    phone: str
    income_fen: int | None
    income_period: str | None
    class_name: str
    tasks: str
    due_month: str
    since: str | None
    done: bool
    late: int | None
    proof: bool

    @property
    def since_text(self) -> str:
        return f"{self.since}{'复核' if self.done else '起'}" if self.since else "未载"

    @property
    def late_text(self) -> str:
        if self.since is None:
            return "没有起始月份"
        if self.late is None:
            return "没有复核记录"
        return f"逾期 {self.late} 个月" if self.late else ""


@dataclass(slots=True)
class DueRun:
    """``overdue``: past the due month; ``unseen``: begun longer ago than two cycles and never recorded as done; ``unknown``: no date at all."""

    month: str
    due: int
    overdue: int
    unseen: int
    unknown: int
    by_village: dict[str, int]
    by_programme: dict[str, int]
    by_task: dict[str, int]
    class_unknown: dict[str, int]  # programme → cases whose class nothing tells
    defaults: dict[str, int]  # of those programmes, the months they get instead
    unconfirmed: list[str]
    workbook: Path
    towns: list[Path] = field(default_factory=list)
    cards: list[Path] = field(default_factory=list)
    calendar: Path | None = None
    months: dict[str, int] = field(default_factory=dict)  # month → planned, for the calendar

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "due": self.due,
            "overdue": self.overdue,
            "unseen": self.unseen,
            "unknown": self.unknown,
            "by_village": self.by_village,
            "by_programme": self.by_programme,
            "by_task": self.by_task,
            "class_unknown": self.class_unknown,
            "defaults": self.defaults,
            "unconfirmed": self.unconfirmed,
            "workbook": str(self.workbook),
            "towns": [str(path) for path in self.towns],
            "cards": [str(path) for path in self.cards],
            "calendar": str(self.calendar) if self.calendar else None,
            "months": self.months,
        }


def run_due(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    *,
    today: date,
    now: datetime,
    actor: str,
    ahead: int = 0,
    split_by_town: bool = False,
    cards: bool = False,
    town: str = "",
) -> DueRun:
    """Finds the due cases on the rolls of ``month`` and writes the workbook to be filled in, a sheet a town sorted by village.

    ``ahead``: months of the calendar, 0 for none; ``split_by_town``: a workbook a town besides; ``cards``: printable pages, a file a town;
    ``town``: files of this town only. UsageError when no roll of the month has been imported, no case of the town is due, or pages are too many.
    """
    from jiuzhu_cli.ledger.files import record_file

    check_month(month)
    if not 0 <= ahead <= MOST_AHEAD:
        raise UsageError(f"日历最多排 {MOST_AHEAD} 个月", "例如 --ahead 12")
    connection = _open(store, month)
    try:
        rules = build_due(connection, policy, month, last_reviews(store), ahead=ahead or 1)
        cases = _cases(connection, policy)
        unknown_class = dict(
            connection.execute(
                "SELECT programme, count(*) FROM case_row WHERE class = '' GROUP BY programme ORDER BY programme"
            ).fetchall()
        )
        by_task = dict(
            connection.execute("SELECT task, count(*) FROM due WHERE is_due GROUP BY task ORDER BY task").fetchall()
        )
        members = _members(connection, month) if cards else {}
        calendar = _calendar(connection, month, ahead) if ahead else None
    finally:
        connection.close()
    folder = folder_of(workspace, month)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    towns: dict[str, list[DueCase]] = {}
    for one in cases:
        towns.setdefault(one.town, []).append(one)
    if town and town not in towns:
        raise UsageError(
            f"“{town}”没有到期的户（人），或乡镇名写得不对", f"清单里的乡镇：{'、'.join(sorted(towns)[:12]) or '没有'}"
        )
    chosen = {name: own for name, own in sorted(towns.items()) if not town or name == town}
    if cards and (pages := sum(map(len, chosen.values()))) > MOST_CARDS:
        raise UsageError(f"要打印 {pages} 页，太多", "用 --town 一个乡镇一个乡镇地出，或先用 --ahead 排日历分月走访")
    result = _result(month, cases, rules, unknown_class, by_task, folder / f"走访清单-{month}.xlsx")
    written: list[tuple[Path, str, str, int]] = [
        (result.workbook, write_visit_book(result.workbook, month, dict(towns)), "due_workbook", len(cases))
    ]
    for name, own in chosen.items():
        label = safe_name(name or "未注明乡镇")
        if split_by_town:
            path = folder / f"走访清单-{month}-{label}.xlsx"
            result.towns.append(path)
            written.append((path, write_visit_book(path, month, {name: own}, area=name), "due_town", len(own)))
        if cards:
            path = folder / f"入户核查走访表-{month}-{label}.xlsx"
            result.cards.append(path)
            written.append(
                (path, write_visit_cards(path, month, workspace.bureau, own, members), "due_cards", len(own))
            )
    if calendar is not None:
        result.calendar, result.months = folder / f"复核日历-{month}.xlsx", calendar.months
        written.append((result.calendar, write_xlsx(result.calendar, calendar.sheets, marks={"jiuzhu": "calendar", "month": month}), "calendar", len(calendar.sheets[0].rows)))  # fmt: skip
    with store.transaction(actor=actor, command="review due", now=now) as tx:
        for path, sha256, kind, lines in written:
            record_file(tx, workspace, path, entity=f"review:{month}", kind=kind, sha256=sha256, lines=lines)
        tx.journal(f"review:{month}", {"due": len(cases), "overdue": result.overdue}, digest=written[0][1])
    return result


def _open(store: Store, month: str) -> duckdb.DuckDBPyConnection:
    from jiuzhu_cli.ledger.snapshot import open_snapshot

    connection = open_snapshot(
        store, months=(month, month), roll_columns=ROLL_COLUMNS, registers=(REGISTER, CLASSES), register_columns=REGISTER_COLUMNS, places=False
    )  # fmt: skip
    if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
        connection.close()
        raise UsageError(f"{month} 还没有导入任何花名册", "先用 jiuzhu import 导入当月花名册")
    return connection


def _cases(connection: duckdb.DuckDBPyConnection, policy: Policy) -> list[DueCase]:
    names = {p.code: p.name for p in policy.programmes.values()}
    classes = {one.id: one.name for one in policy.review_classes}
    found = []
    for row in connection.execute(_CASES).fetchall():
        (
            key,
            programme,
            id_no,
            name,
            town,
            village,
            persons,
            address,
            phone,
            income,
            period,
            grade,
            tasks,
            due,
            since,
            done,
            late,
            _,
            unseen,
            proof,
        ) = row
        found.append(
            DueCase(
                key, programme, names[programme], id_no, name, town, village, persons, address, phone, income, period, classes.get(grade, ""), tasks, due,
                since, done, None if unseen and not late else late, proof,
            )
        )  # fmt: skip
    return found


def _members(connection: duckdb.DuckDBPyConnection, month: str) -> dict[int, list[dict[str, Any]]]:
    """Who is listed with each case: name, relation, age at the month's end."""
    found: dict[int, list[dict[str, Any]]] = {}
    sql = _MEMBERS.format(month=month, last=last_day(month).isoformat())
    for key, name, relation, age in connection.execute(sql).fetchall():
        found.setdefault(key, []).append({"name": name, "relation": relation, "age": age})
    return found


def _result(
    month: str,
    cases: Sequence[DueCase],
    rules: Rules,
    unknown_class: dict[str, int],
    by_task: dict[str, int],
    workbook: Path,
) -> DueRun:
    unsure = {code: count for code, count in unknown_class.items() if code in rules.graded}
    return DueRun(
        month,
        len(cases),
        sum(bool(one.late) for one in cases),
        sum(one.late is None and one.since is not None for one in cases),
        sum(one.since is None for one in cases),
        dict(sorted(Counter(f"{one.town}/{one.village}" if one.village else one.town for one in cases).items())),
        dict(sorted(Counter(one.programme for one in cases).items())),
        by_task,
        unsure,
        {code: rules.defaults[code] for code in unsure},
        sorted({value.name for value in rules.used if not value.confirmed}),
        workbook,
    )


@dataclass(frozen=True, slots=True)
class _Calendar:
    sheets: list[SheetSpec]
    months: dict[str, int]


def _calendar(connection: duckdb.DuckDBPyConnection, month: str, ahead: int) -> _Calendar:
    """A sheet of counts by village and month, and one line a case and task with the month planned for it first."""
    connection.execute(_PLANNED.format(ahead=ahead))
    months = [add_months(month, step) for step in range(ahead)]
    counted: dict[tuple[str, str, str], list[int]] = {}
    for town, village, task, _, at, count in connection.execute(
        "SELECT town, village, task_name, task_place, step, count(*) FROM planned_time GROUP BY ALL ORDER BY town, village, task_place, step"
    ).fetchall():
        counted.setdefault((town, village, task), [0] * ahead)[at] += count
    rows = [(*key, *counts, sum(counts)) for key, counts in counted.items()]
    totals = [sum(counts[step] for counts in counted.values()) for step in range(ahead)]
    if rows:
        rows.append(("合计", "", "", *totals, sum(totals)))
    columns = [
        ColumnSpec("乡镇", 12),
        ColumnSpec("村（社区）", 14),
        ColumnSpec("事项", 10),
        *(ColumnSpec(m, 9, "count") for m in months),
        ColumnSpec("合计", 8, "count"),
    ]
    counts = SheetSpec(
        "日历", columns, rows, title=f"{months[0]} 至 {months[-1]} 复核走访日历",
        notes=["户（人）次。同一村同一月到期的，摊到到期月和之前的月份（参数“复核可提前月数”）；台账里没有复核记录的，按周期摊开；逾期的排在第一个月。"],
        freeze_columns=3,
    )  # fmt: skip
    lines = connection.execute(
        "SELECT town, village, name, right(id_no, 4), task_name, months, coalesce(since, '') || CASE WHEN since IS NULL THEN '未载' WHEN done THEN '复核' ELSE '起' END,"
        f" due_month, planned FROM due WHERE planned < {int(ahead)} ORDER BY planned, town, village, name, id_no, task_place, key"
    ).fetchall()
    detail = SheetSpec(
        "逐户", (ColumnSpec("建议月份", 10), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 14), ColumnSpec("姓名", 10), ColumnSpec("证号后四位", 11), ColumnSpec("事项", 10),
                ColumnSpec("周期（月）", 9, "count"), ColumnSpec("上次/起始", 12), ColumnSpec("到期月份", 10)),
        [(months[line[8]], *line[:8]) for line in lines], title="逐户的建议月份（每项的第一次）", notes=["内部资料，不得外传。"],
    )  # fmt: skip
    return _Calendar([counts, detail], dict(zip(months, totals, strict=True)))
