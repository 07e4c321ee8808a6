"""Where the events of time limits come from: the register of progress (办理进度台账), and what the record knows itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import month_of, parse_date
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.core.workdays import Pause
from jiuzhu_cli.ledger.doubts import waiting
from jiuzhu_cli.ledger.progress import decided_cases, latest_roll_month, posting_events, proposal_events
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, death_day, death_stands
from jiuzhu_cli.review.visits import kept_sql, programmes_in

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy

PROGRESS = "case_progress"
PAUSES = (("暂停起", "暂停止"), ("暂停起2", "暂停止2"))
ACCEPTED, APPLIED, CLOSED, SPECIAL, WHY = "受理", "申请", "办结", "特殊", "暂停原因"
_NO = ("", "否", "无", "不是", "×", "一般")
_BEIJING = timezone(timedelta(hours=8))
_COLUMNS = "row_id batch_id table_no source_row id_no name event_date valid_from valid_to kind status organisation town village extra".split()


@dataclass(slots=True)
class Item:
    """One thing that goes its way: ``events`` by word. ``reference``: where it stands (number of a proposal, doubt, posting; who handles it)."""

    subject: str
    programme: str  # '' unknown: every step that names no programme
    id_no: str
    name: str
    town: str
    village: str
    reference: str = ""
    action: str = ""
    special: bool = False
    why: str = ""
    events: dict[str, date] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    items: list[Item]
    unread: list[
        str
    ]  # what a date or programme of the register could not be read from, with row, masked of nothing personal
    without_programme: int = 0


def find_items(store: Store, policy: Policy, on: date) -> Found:
    """Everything whose steps may be running or done on that day."""
    found = Found([], [])
    month = latest_roll_month(store, month_of(on))
    connection = _open(store, month)
    try:
        _progress(connection, policy, on, found)
        if month:
            found.items += _deaths(connection, store, month, on)
    finally:
        connection.close()
    found.items += _proposals(store, on)
    found.items += _doubts(store)
    found.items += _postings(store)
    return found


def _open(store: Store, month: str) -> duckdb.DuckDBPyConnection:
    from jiuzhu_cli.ledger.snapshot import open_snapshot

    span = (month or "0000-00", month or "0000-00")
    return open_snapshot(
        store, months=span, roll_columns="row_id batch_id table_no source_row case_no lead id_no name town village".split(),
        registers=(PROGRESS, "death", "cremation"), register_columns=_COLUMNS, places=False,
    )  # fmt: skip


def _progress(connection: duckdb.DuckDBPyConnection, policy: Policy, on: date, found: Found) -> None:
    """Lines of the register; lines of one person, programme and day of acceptance are one case, whose pauses add up."""
    register = policy.registers.get(PROGRESS)
    if register is None:
        return
    words = list(register.kept)
    kept = ", ".join(f"{kept_sql(register, word, 'r')}" for word in words)
    rows = connection.execute(
        f"SELECT r.id_no, r.name, coalesce(r.kind, ''), coalesce(r.organisation, ''), CASE WHEN r.town <> '' THEN r.town ELSE split_part(o.area, '/', 1) END, r.village,"
        f" r.source_row, r.event_date, r.valid_from{', ' + kept if kept else ''} FROM register r JOIN origin o ON o.kind = 'register' AND o.batch_id = r.batch_id"
        f" AND o.table_no = r.table_no WHERE r.register = '{PROGRESS}' ORDER BY r.row_id"
    ).fetchall()
    named: dict[str, list[str]] = {}
    read: dict[Any, date | None] = {}
    cases: dict[tuple[str, str, str], Item] = {}

    def day(value: Any, word: str, row: int) -> date | None:
        if value not in read:
            read[value], problem = parse_date(value)
            if problem:
                found.unread.append(f"第 {row} 行“{word}”")
        return read[value]

    for id_no, name, kind, who, town, village, row, accepted, applied, *more in rows:
        if kind not in named:
            named[kind] = programmes_in(kind, policy) if kind else []
        codes = named[kind]
        found.without_programme += not codes
        cells = dict(zip(words, more, strict=True))
        key = (id_no, kind, accepted or applied or "")
        item = cases.get(key)
        if item is None:
            item = cases[key] = Item("progress", codes[0] if len(codes) == 1 else "", id_no, name, town, village, who)
            found.items.append(item)
        item.special = item.special or compact(cells.get(SPECIAL) or "") not in _NO
        item.why = item.why or (cells.get(WHY) or "")
        told = {ACCEPTED: accepted, APPLIED: applied} | {
            w: v for w, v in cells.items() if not w.startswith("暂停") and w != SPECIAL
        }
        for word, value in told.items():
            when = day(value, word, row) if value else None
            if when is not None and when <= on:
                item.events.setdefault(word, when)
        for first, last in PAUSES:
            begun = day(cells[first], first, row) if cells.get(first) else None
            if begun is not None and begun <= on:
                item.pauses.append((begun, day(cells[last], last, row) if cells.get(last) else None))


def _deaths(connection: duckdb.DuckDBPyConnection, store: Store, month: str, on: date) -> Iterator[Item]:
    """The dead who still stand on the month's rolls and whose case nobody has decided yet."""
    settled = decided_cases(store)
    for programme, id_no, name, town, village, died, lead in connection.execute(
        f"SELECT r.programme, r.id_no, any_value(r.name), any_value(r.town), any_value(r.village), d.died, any_value(l.id_no) FROM roll r"
        f" JOIN (SELECT id_no, name, min({death_day()}) AS died FROM register WHERE register IN {DEATH_REGISTERS} AND {death_stands('status')} GROUP BY id_no, name) d"
        f" ON d.id_no = r.id_no AND d.name = r.name LEFT JOIN roll l ON l.batch_id = r.batch_id AND l.case_no = r.case_no AND l.lead = 1"
        f" WHERE r.month = '{month}' AND d.died <= '{on.isoformat()}' GROUP BY r.programme, r.id_no, d.died ORDER BY ALL"
    ).fetchall():
        when, problem = parse_date(died)
        if problem or when is None or (programme, lead) in settled or (programme, id_no) in settled:
            continue
        yield Item("death", programme, id_no, name, town, village, f"{month} 仍在册", events={"死亡": when})


def _proposals(store: Store, on: date) -> Iterator[Item]:
    for one in proposal_events(store):
        town, _, village = one["area"].partition("/")
        item = Item(
            "proposal", one["programme"], one["id_no"], one["name"], town, village, one["case_id"], one["action"]
        )
        told = {"建议": one["created_at"], "听取意见": one["hearing_date"], "告知": one["notice_date"]}
        if one["state"] in ("agreed", "effective", "rejected"):
            told["决定"] = one["decided_at"]
        for word, at in told.items():
            when = local_day(at)
            if when is not None and when <= on:
                item.events[word] = when
        if one["state"] == "rejected" and one["action"] != "start":  # nothing changes for anybody: nobody is told
            item.events.setdefault("告知", item.events.get("决定", on))
        yield item


def _doubts(store: Store) -> Iterator[Item]:
    for one in waiting(store):
        side = "a" if one["area_a"] else "b"
        town, _, village = one[f"area_{side}"].partition("/")
        item = Item(
            "doubt", one[f"programme_{side}"], one[f"id_no_{side}"], one[f"name_{side}"], town, village, one["doubt_id"]
        )
        if (when := local_day(one["opened_at"])) is not None:
            item.events["发现"] = when
        yield item


def _postings(store: Store) -> Iterator[Item]:
    for one in posting_events(store):
        item = Item(
            "posting",
            one["programme"],
            "",
            f"公示 {one['posting_id']}",
            one["town"],
            one["village"],
            f"公示 {one['posting_id']}（{one['month']}）",
        )
        for word, at in {"公示期满": one["to_date"], "办结": one["closed_at"]}.items():
            if (when := local_day(at)) is not None:
                item.events[word] = when
        yield item


def local_day(at: str) -> date | None:
    """The day of a time of the record (UTC) as it was here; a date as it is."""
    if not at:
        return None
    try:
        if len(at) == 10:
            return date.fromisoformat(at)
        return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(_BEIJING).date()
    except ValueError:
        return None
