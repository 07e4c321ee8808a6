"""``jiuzhu review deadlines``: which steps are past their time limit, which soon will be, by step and by town.

Limits are data (``deadlines.toml``), their days parameters; working days by the dated holiday table. Suspensions stop the clock. What is done is
looked at, too: late, or a posting that was shorter than it must be.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import add_months, month_of
from jiuzhu_cli.core.workdays import Workdays
from jiuzhu_cli.review.events_of_steps import CLOSED, Item, find_items
from jiuzhu_cli.review.output import folder_of
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.procedure import DeadlineStep

WARNING = "办理时限预警日数"
KNOWN_YEAR = 10  # days off from which a year's holiday table is taken to be there
STATES = {"overdue": "超期未办", "warning": "即将到期", "paused": "暂停计时", "late": "超期办结", "short": "时间不足"}
CSV_HEADER = (
    "step", "step_name", "state", "programme", "area", "id_no", "name", "started", "deadline", "ended", "days", "limit", "reference", "basis",
)  # fmt: skip
_COLUMNS = (
    ColumnSpec("环节", 20, wrap=True), ColumnSpec("救助项目", 14), ColumnSpec("乡镇", 10), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20),
    ColumnSpec("起算日期", 11), ColumnSpec("时限", 11), ColumnSpec("期限", 11), ColumnSpec("办结日期", 11), ColumnSpec("天数", 12), ColumnSpec("编号、经办人", 14), ColumnSpec("依据", 44, wrap=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timed:
    """One step of one item. ``days``: past the deadline (overdue, late), left (warning, paused), wanting (short), in the limit's own unit."""

    step: DeadlineStep
    item: Item
    state: str
    started: date
    deadline: date | None
    ended: date | None
    days: int
    limit: str


@dataclass(slots=True)
class DeadlineRun:
    """``unknown_years``: years whose holidays nobody has entered, though working days were counted in them."""

    on: date
    timed: list[Timed]
    running: int
    unknown_years: list[int]
    unread: list[str]
    without_programme: int
    unconfirmed: list[str]
    csv: Path = field(default_factory=Path)
    workbook: Path = field(default_factory=Path)

    def count(self, *states: str) -> int:
        return sum(one.state in states for one in self.timed)

    def by(self, what: Any) -> dict[str, dict[str, int]]:
        """State counts by what ``what`` says of each."""
        found: dict[str, dict[str, int]] = {}
        for one in self.timed:
            counts = found.setdefault(what(one), {})
            counts[one.state] = counts.get(one.state, 0) + 1
        return dict(sorted(found.items()))

    def as_json(self) -> dict[str, Any]:
        return {
            "on": self.on.isoformat(),
            **{state: self.count(state) for state in STATES},
            "running": self.running,
            "by_step": self.by(lambda one: one.step.id),
            "by_town": self.by(lambda one: one.item.town),
            "unknown_years": self.unknown_years,
            "unread": self.unread,
            "without_programme": self.without_programme,
            "unconfirmed": self.unconfirmed,
            "csv": str(self.csv),
            "workbook": str(self.workbook),
        }


def run_deadlines(
    store: Store, workspace: Workspace, policy: Policy, on: date, *, now: datetime, actor: str
) -> DeadlineRun:
    """Reckons every step up to the end of ``on``; writes the workbook and the CSV. Same record, same day, same bytes."""
    from jiuzhu_cli.ledger.files import record_file

    found = find_items(store, policy, on)
    clock = Clock(policy, on)
    timed: list[Timed] = []
    running = 0
    for step in policy.deadline_steps:
        for item in found.items:
            if (
                item.subject != step.subject
                or (step.on and item.programme not in step.on)
                or (step.actions and item.action not in step.actions)
            ):
                continue
            one = clock.time(step, item)
            if one is not None:
                running += one.ended is None
                if one.state:
                    timed.append(one)
    order = {state: place for place, state in enumerate(STATES)}
    timed.sort(
        key=lambda one: (
            order[one.state],
            one.deadline or date.max,
            one.item.town,
            one.item.village,
            one.item.id_no,
            one.step.id,
            one.item.reference,
        )
    )
    result = DeadlineRun(
        on, timed, running, sorted(clock.unknown), found.unread[:50], found.without_programme, sorted(clock.unconfirmed)
    )
    folder = folder_of(workspace, month_of(on))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = {p.code: p.name for p in policy.programmes.values()}
    result.csv, result.workbook = folder / f"deadlines-{on.isoformat()}.csv", folder / f"办理时限-{on.isoformat()}.xlsx"
    listed = write_csv(result.csv, CSV_HEADER, [_csv_row(one) for one in timed])
    book = write_xlsx(result.workbook, _sheets(result, names), marks={"jiuzhu": "deadlines", "month": month_of(on)})
    with store.transaction(actor=actor, command="review deadlines", now=now) as tx:
        for path, kind, digest in ((result.csv, "deadlines_csv", listed), (result.workbook, "deadlines", book)):
            record_file(
                tx, workspace, path, entity=f"review:{month_of(on)}", kind=kind, sha256=digest, lines=len(timed)
            )
        tx.journal(f"review:{month_of(on)}", {"deadlines": on.isoformat(), "overdue": result.count("overdue"), "warning": result.count("warning")}, digest=book)  # fmt: skip
    return result


class Clock:
    """Deadlines by the parameters of the day on which each limit began."""

    def __init__(self, policy: Policy, on: date) -> None:
        self.policy, self.on = policy, on
        off, worked = policy.days_off()
        known = Counter(day.year for day in off)
        self.days = Workdays(off, worked, years=[year for year, count in known.items() if count >= KNOWN_YEAR])
        warn = policy.parameter_or_none(WARNING, on)
        self.warn = int(Decimal(warn.value)) if warn is not None and not isinstance(warn.value, str | bool) else 0
        self.unknown: set[int] = set()
        self.unconfirmed: set[str] = set()
        self._limits: dict[tuple[str, bool, date], tuple[int, str, bool] | None] = {}

    def time(self, step: DeadlineStep, item: Item) -> Timed | None:
        """One step of one item; None when it has not begun, is not measured, or was broken off. ``state`` '' when all is well."""
        started = item.events.get(step.start)
        if started is None or (step.since and started < step.since) or (step.until and started > step.until):
            return None
        limit = self._limit(step, item, started)
        if limit is None:
            return None
        number, unit, count_first = limit
        working = unit == "工作日"
        deadline = self._deadline(started, number, unit, count_first, item)
        ended = min((item.events[word] for word in step.end if word in item.events), default=None)
        if ended is None and CLOSED in item.events and CLOSED not in step.end:
            return None  # withdrawn or broken off
        shown = f"{number} 个工作日" if working else f"{number} 个月" if unit == "月" else f"{number} 日"
        told = (step, item)
        if working:
            last = max(deadline or started, ended or min(self.on, deadline or self.on))
            self.unknown.update(self.days.unknown_years(started, last))
        if step.at_least:
            if ended is None or deadline is None or ended >= deadline:
                return Timed(*told, "", started, deadline, ended, 0, shown)
            return Timed(
                *told,
                "short",
                started,
                deadline,
                ended,
                self.days.count(ended + timedelta(1), deadline, working=working),
                shown,
            )
        if ended is not None:
            late = deadline is not None and ended > deadline
            over = self.days.count(deadline + timedelta(1), ended, working=working) if late and deadline else 0
            return Timed(*told, "late" if over else "", started, deadline, ended, over, shown)
        if deadline is None:
            used = self.days.elapsed(started, self.on, working=working, count_first=count_first, pauses=item.pauses)
            return Timed(*told, "paused", started, None, None, number - used, shown)
        if self.on > deadline:
            over = self.days.count(deadline + timedelta(1), self.on, working=working)
            return Timed(*told, "overdue", started, deadline, None, over, shown)
        left = self.days.count(self.on + timedelta(1), deadline, working=working)
        return Timed(*told, "warning" if left <= (step.warn or self.warn) else "", started, deadline, None, left, shown)

    def _deadline(self, started: date, number: int, unit: str, count_first: bool, item: Item) -> date | None:
        if unit == "月":
            month = add_months(month_of(started), number)
            year, place = int(month[:4]), int(month[5:])
            return date(year, place, min(started.day, calendar.monthrange(year, place)[1]))
        return self.days.deadline(
            started, number, working=unit == "工作日", count_first=count_first, pauses=item.pauses
        )

    def _limit(self, step: DeadlineStep, item: Item, started: date) -> tuple[int, str, bool] | None:
        """(number, 工作日/日/月, whether the first day counts) of a limit that began that day; None when none is set."""
        key = (step.id, item.special, started)
        if key not in self._limits:
            self._limits[key] = self._find(step, item, started)
        return self._limits[key]

    def _find(self, step: DeadlineStep, item: Item, started: date) -> tuple[int, str, bool] | None:
        switch = self.policy.switch
        name = next(
            (
                one.limit
                for one in step.instead
                if (one.special and item.special) or (one.switch and switch(one.switch, started))
            ),
            step.limit,
        )
        limit = self.limit_of(name, started)
        if limit is None:
            return None
        number, unit = limit
        if unit == "日" and step.by_working_days and switch(step.by_working_days, started):
            unit = "工作日"
        return number, unit, bool(step.count_first) and switch(step.count_first, started)

    def limit_of(self, name: str, started: date) -> tuple[int, str] | None:
        """What a parameter says of a limit that began that day: number and 工作日, 日 or 月; None when it sets none."""
        value = self.policy.parameter_or_none(name, started)
        if value is None or isinstance(value.value, str | bool) or Decimal(value.value) <= 0:
            return None
        if not value.confirmed:
            self.unconfirmed.add(value.name)
        unit = "工作日" if "工作日" in value.unit else "月" if "月" in value.unit else "日"
        return int(Decimal(value.value)), unit


def _csv_row(one: Timed) -> list[Any]:
    item = one.item
    area = f"{item.town}/{item.village}" if item.village else item.town
    return [
        one.step.id, one.step.name, one.state, item.programme, area, item.id_no, item.name, one.started.isoformat(), _iso(one.deadline), _iso(one.ended),
        one.days, one.limit, item.reference, one.step.source,
    ]  # fmt: skip


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _said(one: Timed) -> str:
    """The days in words, with the unit of the limit."""
    unit = "个工作日" if "工作日" in one.limit else "天"
    return {"overdue": f"超 {one.days} {unit}", "late": f"超 {one.days} {unit}", "warning": f"还有 {one.days} {unit}", "paused": f"还余 {one.days} {unit}", "short": f"少 {one.days} {unit}"}[one.state]  # fmt: skip


def _sheets(result: DeadlineRun, names: dict[str, str]) -> list[SheetSpec]:
    sheets = [_summary(result)]
    for state, title in STATES.items():
        rows = [_row(one, names) for one in result.timed if one.state == state]
        if rows:
            sheets.append(
                SheetSpec(
                    title,
                    _COLUMNS,
                    rows,
                    title=f"{result.on.isoformat()} {title}",
                    notes=["内部资料，不得外传。"],
                    freeze_columns=1,
                )
            )
    return sheets


def _row(one: Timed, names: dict[str, str]) -> Sequence[Any]:
    item = one.item
    why = f"；暂停：{item.why}" if one.state == "paused" and item.why else ""
    return (
        one.step.name, names.get(item.programme, item.programme), item.town, item.village, item.name, item.id_no, one.started.isoformat(), one.limit,
        _iso(one.deadline) or "暂停中", _iso(one.ended), _said(one), item.reference, one.step.source + why,
    )  # fmt: skip


def _summary(result: DeadlineRun) -> SheetSpec:
    rows: list[tuple[Any, ...]] = []
    steps = {one.step.id: one.step.name for one in result.timed}
    for what, table in (("环节", result.by(lambda one: one.step.id)), ("乡镇", result.by(lambda one: one.item.town))):
        rows += [
            (
                what,
                steps.get(key, key) if what == "环节" else key or "未注明",
                *(counts.get(state, 0) for state in STATES),
            )
            for key, counts in table.items()
        ]
    notes = [
        f"算到 {result.on.isoformat()} 为止，正在计时的 {result.running} 件。先办“超期未办”，再办“即将到期”；日期补在办理进度台账里导入，再运行一次。",
        *_warnings(result),
    ]
    columns = (
        ColumnSpec("按", 8),
        ColumnSpec("环节或乡镇", 26),
        *(ColumnSpec(title, 10, "count") for title in STATES.values()),
    )
    return SheetSpec("汇总", columns, rows, title=f"{result.on.isoformat()} 办理时限", notes=notes, autofilter=False)


def _warnings(result: DeadlineRun) -> Iterable[str]:
    """What the figures rest on that somebody must look at; also said on the screen."""
    if result.unknown_years:
        years = "、".join(map(str, result.unknown_years))
        yield f"没有 {years} 年的节假日：这些年的工作日只除去了周末，期限可能偏早。放假通知出来后写进工作区 policy/holidays.toml。"
    if result.unread:
        yield f"办理进度台账里有 {len(result.unread)} 处日期看不懂，没有计算：{'、'.join(result.unread[:5])}{' …' if len(result.unread) > 5 else ''}。"
    if result.without_programme:
        yield f"办理进度台账里有 {result.without_programme} 行没有写清救助项目，只按不分项目的时限计算。"
    if result.unconfirmed:
        yield f"请核对：这些时限还没有按本地文件核对：{'、'.join(result.unconfirmed)}。"


warnings_of = _warnings
