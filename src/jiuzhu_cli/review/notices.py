"""``jiuzhu review notices``: which written notices the decisions need, to whom, until when, with which remedy, and whether they were sent.

What is said is data (``deadlines.toml`` ``[[notices]]``); a notice counts as sent on the 书面告知日期 of the decision. The letters are made elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import month_of
from jiuzhu_cli.ledger.progress import decided_proposals
from jiuzhu_cli.review.deadlines import Clock
from jiuzhu_cli.review.decisions import follows_death
from jiuzhu_cli.review.events_of_steps import local_day
from jiuzhu_cli.review.output import folder_of
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.procedure import NoticeKind

STATES = {"overdue": "超期未送", "unsent": "未送", "sent": "已送"}
CSV_HEADER = (
    "notice", "notice_name", "state", "case_id", "programme", "area", "id_no", "name", "recipient", "effective_month", "decided_on", "deadline", "sent_on",
    "reasons", "remedy", "basis",
)  # fmt: skip
_COLUMNS = (
    ColumnSpec("告知书", 20, wrap=True), ColumnSpec("建议编号", 10), ColumnSpec("救助项目", 14), ColumnSpec("乡镇/村", 16), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20),
    ColumnSpec("送给谁", 16, wrap=True), ColumnSpec("生效月份", 10), ColumnSpec("决定日期", 11), ColumnSpec("应送达日期", 11), ColumnSpec("送达日期", 11), ColumnSpec("情况", 10, shades={"超期未送": "red", "未送": "yellow"}),
    ColumnSpec("理由", 40, wrap=True), ColumnSpec("救济途径", 34, wrap=True), ColumnSpec("依据", 34, wrap=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notice:
    kind: NoticeKind
    proposal: dict[str, Any]
    recipient: str
    decided_on: date | None
    deadline: date | None
    sent_on: str
    state: str


@dataclass(slots=True)
class NoticeRun:
    month: str
    notices: list[Notice]
    csv: Path
    workbook: Path

    def as_json(self) -> dict[str, Any]:
        counts = Counter(one.state for one in self.notices)
        return {
            "month": self.month,
            "notices": len(self.notices),
            **{state: counts[state] for state in STATES},
            "by_notice": dict(sorted(Counter(one.kind.id for one in self.notices).items())),
            "csv": str(self.csv),
            "workbook": str(self.workbook),
        }


def run_notices(
    store: Store, workspace: Workspace, policy: Policy, month: str, *, today: date, now: datetime, actor: str
) -> NoticeRun:
    """Lists the notices of the decisions on the proposals of ``month``, or, with '', those of every month that are not sent yet."""
    from jiuzhu_cli.ledger.files import record_file

    clock = Clock(policy, today)
    names = {p.code: p.name for p in policy.programmes.values()}
    found = [
        one for proposal in decided_proposals(store, month) for kind in policy.notice_kinds
        if _needs(kind, proposal) and ((one := _notice(kind, proposal, clock, today)).state != "sent" or month)
    ]  # fmt: skip
    found.sort(key=lambda one: (list(STATES).index(one.state), one.deadline or date.max, one.proposal["case_id"]))
    label = month or f"未送-{today.isoformat()}"
    folder = folder_of(workspace, month or month_of(today))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    result = NoticeRun(
        month, found, folder / f"notices-{month or today.isoformat()}.csv", folder / f"告知书清单-{label}.xlsx"
    )
    listed = write_csv(result.csv, CSV_HEADER, [_csv_row(one) for one in found])
    sheet = SheetSpec(
        "告知书清单", _COLUMNS, [_row(one, names) for one in found], title=f"{label} 告知书清单", freeze_columns=5,
        notes=["内部资料，不得外传。送达后把日期填在复核建议工作簿的“书面告知日期”，用 jiuzhu review decide 读回，这里就是已送。"],
    )  # fmt: skip
    book = write_xlsx(result.workbook, [sheet], marks={"jiuzhu": "notices", "month": month})
    with store.transaction(actor=actor, command="review notices", now=now) as tx:
        entity = f"review:{month or month_of(today)}"
        for path, kind, digest in ((result.csv, "notices_csv", listed), (result.workbook, "notices", book)):
            record_file(tx, workspace, path, entity=entity, kind=kind, sha256=digest, lines=len(found))
        tx.journal(entity, {"notices": len(found), "unsent": sum(one.state != "sent" for one in found)}, digest=book)
    return result


def _needs(kind: NoticeKind, proposal: dict[str, Any]) -> bool:
    return proposal["action"] in kind.actions and (proposal["state"] == "rejected") == kind.refused


def _notice(kind: NoticeKind, proposal: dict[str, Any], clock: Clock, today: date) -> Notice:
    decided = local_day(proposal["decided_at"])
    limit = clock.limit_of(kind.limit, decided) if decided else None
    deadline = clock.days.deadline(decided, limit[0], working=limit[1] == "工作日") if decided and limit else None
    sent = proposal["notice_date"]
    dead = proposal["action"] == "stop" and follows_death(proposal)
    state = "sent" if sent else "overdue" if deadline and deadline < today else "unsent"
    return Notice(kind, proposal, "家属或供养机构" if dead else proposal["name"], decided, deadline, sent, state)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _csv_row(one: Notice) -> list[Any]:
    p = one.proposal
    return [
        one.kind.id, one.kind.name, one.state, p["case_id"], p["programme"], p["area"], p["id_no"], p["name"], one.recipient, p["effective_month"],
        _iso(one.decided_on), _iso(one.deadline), one.sent_on, p["reasons"], one.kind.remedy, one.kind.source,
    ]  # fmt: skip


def _row(one: Notice, names: dict[str, str]) -> tuple[Any, ...]:
    p = one.proposal
    return (
        one.kind.name, p["case_id"], names.get(p["programme"], p["programme"]), p["area"], p["name"], p["id_no"], one.recipient, p["effective_month"],
        _iso(one.decided_on), _iso(one.deadline), one.sent_on, STATES[one.state], p["reasons"], one.kind.remedy, one.kind.source,
    )  # fmt: skip
