"""``jiuzhu review decide``: the filled-in workbook comes back; what the law asks for is asked for before anything takes effect.

社会救助法第48条: a cut or a stop needs the recipient heard and, the decision made, a written notice with its reasons. Without
both dates the row is refused and nothing of it is written. A decision taken twice the same way changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact, tidy
from jiuzhu_cli.ledger.proposals import PAYING, decide, proposals_by_case
from jiuzhu_cli.review.output import AGREE, CASE, DECISION, HEARING, NOTICE, REMARK
from jiuzhu_cli.review.proposing import after_decision
from jiuzhu_cli.tabular.cells import CellError, Sheet, column_letters
from jiuzhu_cli.tabular.read import as_text, read_workbook

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store

_YES = {"同意", "是", "通过", "同意建议"}
_NO = {"不同意", "否", "不通过", "驳回"}


@dataclass(slots=True)
class Decided:
    """``refused``: ``file, sheet, cell, case_id, reason, todo`` of each row that was not taken."""

    applied: int = 0
    unchanged: int = 0
    effective: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)

    def __iadd__(self, other: Decided) -> Decided:
        self.applied += other.applied
        self.unchanged += other.unchanged
        self.effective += other.effective
        self.refused += other.refused
        return self

    def as_json(self) -> dict[str, Any]:
        return {
            "applied": self.applied,
            "unchanged": self.unchanged,
            "effective": self.effective,
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True)
class _Row:
    sheet: str
    row: int  # 1-based
    case_id: str
    cells: dict[str, tuple[str, Any]]  # header → (address, value)


class _Refused(Exception):
    def __init__(self, header: str, reason: str, todo: str) -> None:
        super().__init__(reason)
        self.header, self.reason, self.todo = header, reason, todo


def decide_from(store: Store, path: Path, *, today: date, now: datetime, actor: str) -> Decided:
    """Reads the workbook at ``path`` and writes its decisions. DataError when it is no review workbook.

    Rows without a decision are left alone. One transaction: every good row, or none when the run breaks.
    """
    book = read_workbook(path)
    rows = [row for sheet in book.sheets if not sheet.hidden for row in _rows(sheet)]
    if not rows:
        raise DataError(
            f"“{path.name}”里没有复核建议（找不到“{CASE}”和“{DECISION}”两列）",
            "用 jiuzhu review run 生成的工作簿填写，不要改表头",
        )
    known = proposals_by_case(store, {row.case_id for row in rows})
    result = Decided()
    seen: dict[str, str] = {}
    ready: list[tuple[str, dict[str, str]]] = []
    for row in rows:
        try:
            decision = _decision(row, known.get(row.case_id), seen, today)
        except _Refused as refused:
            cell = row.cells.get(refused.header, (f"A{row.row}", None))[0]
            result.refused.append(
                {
                    "file": path.name,
                    "sheet": row.sheet,
                    "cell": cell,
                    "case_id": mask_text(row.case_id),
                    "reason": refused.reason,
                    "todo": refused.todo,
                }
            )
            continue
        if decision is None:
            continue
        if _same(known[row.case_id], decision):
            result.unchanged += 1
        else:
            ready.append((row.case_id, decision))
            result.effective += decision["state"] == "effective"
    if ready:
        with store.transaction(actor=actor, command="review decide", now=now) as tx:
            for case_id, decision in ready:
                decide(tx, case_id, **decision)
            tx.journal(
                "review:decide",
                {"applied": len(ready), "refused": len(result.refused), "file": mask_text(path.name)},
                digest=book.sha256,
            )
    result.applied = len(ready)
    return result


def _rows(sheet: Sheet) -> list[_Row]:
    """The rows of a sheet that has the workbook's headers, wherever the header row has come to stand."""
    header: dict[str, int] = {}
    found: list[_Row] = []
    for index in range(sheet.height):
        values = [column[index] if index < len(column) else None for column in sheet.columns]
        words = {compact(value): place for place, value in enumerate(values) if isinstance(value, str)}
        if CASE in words and DECISION in words:
            header = {name: words[name] for name in (CASE, DECISION, HEARING, NOTICE, REMARK) if name in words}
            continue
        if not header:
            continue
        case_id = compact(as_text(values[header[CASE]])) if values[header[CASE]] is not None else ""
        cells = {name: (f"{column_letters(place)}{index + 1}", values[place]) for name, place in header.items()}
        if case_id or any(cells[name][1] not in (None, "") for name in cells):
            found.append(_Row(sheet.name, index + 1, case_id, cells))
    return found


def _decision(row: _Row, proposal: dict[str, Any] | None, seen: dict[str, str], today: date) -> dict[str, str] | None:
    """What a row decides, None when it decides nothing; _Refused with the cell's header otherwise."""
    word = _text(row, DECISION)
    if not word:
        return None
    if proposal is None:
        raise _Refused(CASE, f"没有编号为“{mask_text(row.case_id)}”的复核建议", "用最近一次生成的工作簿填写")
    if word not in _YES | _NO:
        raise _Refused(DECISION, f"决定“{mask_text(word)}”看不懂", "从下拉框选同意或不同意")
    if seen.setdefault(row.case_id, word) != word:
        raise _Refused(DECISION, f"{row.case_id} 在表里出现两次，决定不一样", "只留一行")
    note = tidy(_text(row, REMARK, raw=True))[:500]
    hearing, notice = _day(row, HEARING, today), _day(row, NOTICE, today)
    agreed = word in _YES
    if proposal["state"] == "gone":
        raise _Refused(CASE, f"{row.case_id} 已不成立（花名册或名单已改）", "重新运行 jiuzhu review run 后按新表填写")
    state = "rejected" if not agreed else "effective" if _pays(proposal) else "agreed"
    if proposal["state"] == "effective" and state != "effective":
        raise _Refused(DECISION, f"{row.case_id} 已决定并生效，不能在表里改回", "情况有变的，改花名册后重新复核")
    if agreed and proposal["needs_hearing"]:
        law = "（社会救助法第48条）"
        if hearing is None and notice is None:
            raise _Refused(
                HEARING,
                f"{row.case_id} 是停发或调减，缺听取意见日期和书面告知日期{law}",
                "先听取救助对象意见，再书面告知并说明理由，两个日期都填上",
            )
        if hearing is None:
            raise _Refused(HEARING, f"{row.case_id} 是停发或调减，缺听取意见日期{law}", "听取救助对象意见后填写日期")
        if notice is None:
            raise _Refused(NOTICE, f"{row.case_id} 是停发或调减，缺书面告知日期{law}", "书面告知并说明理由后填写日期")
        if hearing > notice:
            raise _Refused(
                NOTICE, f"{row.case_id} 书面告知早于听取意见{law}", "应先听取意见，再决定、告知；核对两个日期"
            )
    effective = proposal["effective_month"]
    told = notice.isoformat() if notice else ""
    settled = proposal["state"] == "effective" and proposal["notice_date"] == told
    if state == "effective" and not settled and not _from_death(proposal):
        effective = after_decision(proposal["month"], notice or today)
    return {
        "state": state,
        "note": note,
        "hearing_date": hearing.isoformat() if hearing else "",
        "notice_date": told,
        "effective_month": effective,
    }


def _pays(proposal: dict[str, Any]) -> bool:
    return proposal["action"] in PAYING and (
        proposal["amount_after_fen"] is not None or proposal["action"] == "transfer"
    )


def _from_death(proposal: dict[str, Any]) -> bool:
    """A stop or transfer that needs no hearing follows from a death: its month is fixed by that (次月)."""
    return proposal["action"] in ("stop", "transfer") and not proposal["needs_hearing"]


def _same(proposal: dict[str, Any], decision: dict[str, str]) -> bool:
    return all(
        proposal[column] == decision[key]
        for column, key in (
            ("state", "state"),
            ("decision_note", "note"),
            ("hearing_date", "hearing_date"),
            ("notice_date", "notice_date"),
            ("effective_month", "effective_month"),
        )
    )


def _text(row: _Row, header: str, *, raw: bool = False) -> str:
    value = row.cells.get(header, ("", None))[1]
    if value is None:
        return ""
    if isinstance(value, CellError):
        raise _Refused(header, f"单元格是错误值 {value}", "改成文字或日期")
    text = as_text(value)
    return text if raw else compact(text)


def _day(row: _Row, header: str, today: date) -> date | None:
    value = row.cells.get(header, ("", None))[1]
    if isinstance(value, CellError):
        raise _Refused(header, f"单元格是错误值 {value}", "填 YYYY-MM-DD")
    day, problem = parse_date(value)
    if problem:
        raise _Refused(header, f"“{header}”不是日期", "填 YYYY-MM-DD，例如 2026-11-03")
    if day is not None and day > today:
        raise _Refused(header, f"“{header}”{day.isoformat()} 在今天之后", "事情做了以后再填")
    return day


__all__ = ["AGREE", "Decided", "decide_from"]
