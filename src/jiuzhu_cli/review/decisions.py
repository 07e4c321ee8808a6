"""``jiuzhu review decide``: filled-in workbooks come back; what the law asks for is asked for before anything takes effect.

社会救助法第48条: a cut or a stop needs the recipient heard and, the decision made, a written notice with its reasons. Without
both dates the row is refused and nothing of it is written. Maker (决定人) and checker (复核人) are never the same; where the bureau
wants two of them (parameters below) a row without a checker is refused. A decision taken twice the same way changes nothing.

Two copies that decide a case differently, or a copy that contradicts what somebody else decided after it was written, are a conflict:
nothing of that case is applied, both sides are shown (``Conflict``), until somebody says which file holds (``prefer``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.text import tidy
from jiuzhu_cli.ledger.decisions import Decision, deciding_batches, same, take_down
from jiuzhu_cli.ledger.proposals import PAYING, proposals_by_case
from jiuzhu_cli.review.decision_rows import Refused, Row, day_of, read_rows, text_of
from jiuzhu_cli.review.output import AGREE, CASE, CHECKER, DECISION, HEARING, MAKER, NOTICE, REJECT, REMARK, STATES
from jiuzhu_cli.review.proposing import after_decision

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy

_YES = {"同意", "是", "通过", "同意建议"}
_NO = {"不同意", "否", "不通过", "驳回"}
TWO_FOR_CUTS, TWO_FROM = "减停须复核人", "复核人起点金额"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a conflict: what it decides, where it stands, who read it in and when ('' when it is only in a file)."""

    place: str
    verdict: str
    maker: str = ""
    actor: str = ""
    at: str = ""
    note: str = ""

    def as_json(self) -> dict[str, str]:
        return {"place": self.place, "verdict": self.verdict, "maker": self.maker, "actor": self.actor, "at": self.at}


@dataclass(frozen=True, slots=True)
class Conflict:
    case_id: str
    sides: list[Side]


@dataclass(slots=True)
class Decided:
    """``refused``: ``file, sheet, cell, case_id, reason, todo`` of each row not taken, those of ``conflicts`` too. ``decision``: the batch's
    number, None when nothing new was decided. ``unchecked``: cuts and stops without a checker, where the bureau does not ask for one."""

    applied: int = 0
    unchanged: int = 0
    effective: int = 0
    unchecked: int = 0
    decision: int | None = None
    refused: list[dict[str, str]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "applied": self.applied,
            "unchanged": self.unchanged,
            "effective": self.effective,
            "unchecked": self.unchecked,
            "decision": self.decision,
            "refused": self.refused,
            "conflicts": [{"case_id": c.case_id, "sides": [s.as_json() for s in c.sides]} for c in self.conflicts],
        }


def decide_from(
    store: Store, path: Path, *, today: date, now: datetime, actor: str, policy: Policy | None = None
) -> Decided:
    """``decide_files`` of one workbook."""
    return decide_files(store, [path], today=today, now=now, actor=actor, policy=policy)


def decide_files(
    store: Store,
    files: Sequence[Path],
    *,
    today: date,
    now: datetime,
    actor: str,
    policy: Policy | None = None,
    prefer: Sequence[Path] = (),
) -> Decided:
    """Takes down what the workbooks decide, as one batch: every good row, or none when the run breaks.

    Rows without a decision are left alone. ``policy``: whether a checker is wanted; without it none is. ``prefer``: files that win over
    the others and over the record. DataError when a file is no review workbook; UsageError when a preferred file is not among ``files``.
    """
    wanted = _preferred(files, prefer)
    rows: list[Row] = []
    digests = []
    for path in dict.fromkeys(files):
        found, digest = read_rows(path)
        rows += found
        digests.append(digest)
    known = proposals_by_case(store, {row.case_id for row in rows})
    result = Decided()
    rules = _Rules.of(policy, today)
    taken: dict[str, list[tuple[Row, dict[str, str]]]] = {}
    for row in rows:
        try:
            values = _decision(row, known.get(row.case_id), rules, today, actor)
        except Refused as refused:
            _refuse(result, row, refused)
            continue
        if values is not None:
            taken.setdefault(row.case_id, []).append((row, values))
    last = deciding_batches(store, list(taken))
    ready: list[Decision] = []
    for case_id, said in taken.items():
        proposal, decided = known[case_id], last.get(case_id)
        against = _against(said, proposal, decided, wanted, actor)
        if against is not None:
            result.conflicts.append(Conflict(case_id, against))
            for row, _ in said:
                reason = f"{case_id} 各处决定不一样，没有采用"
                _refuse(result, row, Refused(DECISION, reason, "商定后只留一种，或加 --prefer 文件 以它为准"))
            continue
        row, values = next((one for one in said if one[0].path in wanted), said[-1])
        if same(proposal, values):
            result.unchanged += 1
            continue
        ready.append(Decision(case_id, values, row.place))
        result.effective += values["state"] == "effective"
        result.unchecked += (
            values["state"] == "effective" and proposal["action"] in ("stop", "decrease") and not values["checker"]
        )
    if ready:
        names = "、".join(mask_text(path.name) for path in dict.fromkeys(files))
        with store.transaction(actor=actor, command="review decide", now=now) as tx:
            result.decision = take_down(tx, ready, files=names[:300], digest=digests[0] if len(digests) == 1 else "")
    result.applied = len(ready)
    return result


@dataclass(frozen=True, slots=True)
class _Rules:
    """When a checker must have signed: for cuts and stops; from an amount of 分 a month on (0: never by amount)."""

    cuts: bool = False
    from_fen: int = 0

    @classmethod
    def of(cls, policy: Policy | None, today: date) -> _Rules:
        if policy is None:
            return cls()
        amount = policy.parameter_or_none(TWO_FROM, today)
        from_fen = int(Decimal(amount.value) * 100) if amount is not None and not isinstance(amount.value, str) else 0
        return cls(policy.switch(TWO_FOR_CUTS, today), from_fen)

    def why(self, proposal: dict[str, Any]) -> str:
        """Why this proposal needs a checker, '' when it needs none."""
        if proposal["action"] not in PAYING:
            return ""
        if self.cuts and proposal["action"] in ("stop", "decrease"):
            return "是停发或调减"
        highest = max(proposal["amount_before_fen"] or 0, proposal["amount_after_fen"] or 0)
        return f"每月金额达到 {self.from_fen // 100} 元" if 0 < self.from_fen <= highest else ""


def _refuse(result: Decided, row: Row, refused: Refused) -> None:
    result.refused.append(
        {
            "file": row.path.name,
            "sheet": row.sheet,
            "cell": row.cell(refused.header),
            "case_id": mask_text(row.case_id),
            "reason": refused.reason,
            "todo": refused.todo,
        }
    )


def _against(
    said: list[tuple[Row, dict[str, str]]],
    proposal: dict[str, Any],
    decided: dict[str, Any] | None,
    wanted: set[Path],
    actor: str,
) -> list[Side] | None:
    """The sides of a conflict about one case, None when what holds can be told.

    A copy that says what the record says is no other opinion. The record is contradicted by a copy that had not seen its decision, unless
    the same person reads it in who decided.
    """
    new = [one for one in said if not same(proposal, one[1])]
    chosen = [one for one in new if one[0].path in wanted]
    if len({_core(values) for _, values in chosen or new}) > 1:
        return [_side(row, values) for row, values in chosen or new]
    if chosen or not new or decided is None:
        return None
    row, values = new[-1]
    known = row.seen >= decided["decision_id"] or decided["actor"] == actor
    if known or _core(values) == _core(proposal | {"decision_note": ""}):
        return None
    verdict = STATES[proposal["state"]] or "已撤回"
    record = Side(
        f"已登记（决定批次 {decided['decision_id']}）", _said(verdict, proposal), proposal["maker"], decided["actor"],
        decided["created_at"], proposal["decision_note"],
    )  # fmt: skip
    return [record, *(_side(*one) for one in new)]


def _core(values: dict[str, Any]) -> tuple[str, ...]:
    """What two copies may not disagree about: remarks and names are no contradiction."""
    return tuple(values[column] for column in ("state", "hearing_date", "notice_date"))


def _side(row: Row, values: dict[str, str]) -> Side:
    verdict = REJECT if values["state"] == "rejected" else AGREE
    return Side(row.place, _said(verdict, values), values["maker"], note=values["decision_note"])


def _said(verdict: str, values: dict[str, Any]) -> str:
    days = ((values["hearing_date"], "听取意见"), (values["notice_date"], "书面告知"))
    return "，".join([verdict, *(f"{day} {what}" for day, what in days if day)])


def _preferred(files: Sequence[Path], prefer: Sequence[Path]) -> set[Path]:
    """The files that ``prefer`` names, by path or by name alone where that names one."""
    found = set()
    for wanted in prefer:
        alike = [path for path in files if path == wanted or path.resolve() == wanted.resolve()]
        alike = alike or [path for path in files if path.name == str(wanted)]
        if len(set(alike)) != 1:
            raise UsageError(f"--prefer 的“{wanted}”不在要读的文件里，或不止一个", "写要读的文件之一，写全路径")
        found.add(alike[0])
    return found


def _decision(
    row: Row, proposal: dict[str, Any] | None, rules: _Rules, today: date, actor: str
) -> dict[str, str] | None:
    """What a row decides, None when it decides nothing; Refused with the cell's header otherwise."""
    word = text_of(row, DECISION)
    if not word:
        return None
    if proposal is None:
        raise Refused(CASE, f"没有编号为“{mask_text(row.case_id)}”的复核建议", "用最近一次生成的工作簿填写")
    if word not in _YES | _NO:
        raise Refused(DECISION, f"决定“{mask_text(word)}”看不懂", "从下拉框选同意或不同意")
    note = tidy(text_of(row, REMARK, raw=True))[:500]
    hearing, notice = day_of(row, HEARING, today), day_of(row, NOTICE, today)
    agreed = word in _YES
    if proposal["state"] == "gone":
        raise Refused(CASE, f"{row.case_id} 已不成立（花名册或名单已改）", "重新运行 jiuzhu review run 后按新表填写")
    state = "rejected" if not agreed else "effective" if _pays(proposal) else "agreed"
    if proposal["state"] == "effective" and state != "effective":
        raise Refused(
            DECISION, f"{row.case_id} 已决定并生效，不能在表里改回", "决定错了的用 jiuzhu review undo 撤回那个批次；情况有变的，改花名册后重新复核"
        )  # fmt: skip
    if agreed and proposal["needs_hearing"]:
        _heard(row, hearing, notice)
    maker, checker = _signed(row, proposal, rules, actor, needed=agreed)
    effective = proposal["effective_month"]
    told = notice.isoformat() if notice else ""
    settled = proposal["state"] == "effective" and proposal["notice_date"] == told
    if state == "effective" and not settled and not follows_death(proposal):
        effective = after_decision(proposal["month"], notice or today)
    return {
        "state": state,
        "decision_note": note,
        "hearing_date": hearing.isoformat() if hearing else "",
        "notice_date": told,
        "effective_month": effective,
        "maker": maker,
        "checker": checker,
    }


def _heard(row: Row, hearing: date | None, notice: date | None) -> None:
    """Refused unless a cut or stop was heard and told, in that order."""
    law = "（社会救助法第48条）"
    if hearing is None and notice is None:
        raise Refused(
            HEARING,
            f"{row.case_id} 是停发或调减，缺听取意见日期和书面告知日期{law}",
            "先听取救助对象意见，再书面告知并说明理由，两个日期都填上",
        )
    if hearing is None:
        raise Refused(HEARING, f"{row.case_id} 是停发或调减，缺听取意见日期{law}", "听取救助对象意见后填写日期")
    if notice is None:
        raise Refused(NOTICE, f"{row.case_id} 是停发或调减，缺书面告知日期{law}", "书面告知并说明理由后填写日期")
    if hearing > notice:
        raise Refused(NOTICE, f"{row.case_id} 书面告知早于听取意见{law}", "应先听取意见，再决定、告知；核对两个日期")


def _signed(row: Row, proposal: dict[str, Any], rules: _Rules, actor: str, *, needed: bool) -> tuple[str, str]:
    """Maker and checker as the row names them; Refused when they are one, or a checker is wanting."""
    maker, checker = text_of(row, MAKER)[:40], text_of(row, CHECKER)[:40]
    if checker and checker == (maker or actor):
        raise Refused(CHECKER, f"{row.case_id} 的复核人和决定人是同一人", "由另一人复核，在“复核人”写他的姓名")
    why = rules.why(proposal) if needed else ""
    if why and not checker:
        raise Refused(CHECKER, f"{row.case_id} {why}，缺复核人", "由决定人以外的人复核后，在“复核人”写姓名")
    if why and not maker:
        raise Refused(MAKER, f"{row.case_id} {why}，缺决定人", "在“决定人”写作出决定的人的姓名")
    return maker, checker


def _pays(proposal: dict[str, Any]) -> bool:
    return proposal["action"] in PAYING and (
        proposal["amount_after_fen"] is not None or proposal["action"] == "transfer"
    )


def follows_death(proposal: dict[str, Any]) -> bool:
    """A stop or transfer that needs no hearing because somebody has died: its month is fixed by that (次月), nobody is left to be heard.
    The first reason is the one that decided the action."""
    first = proposal["reasons"].partition("；")[0]
    return (
        proposal["action"] in ("stop", "transfer")
        and not proposal["needs_hearing"]
        and ("死亡" in first or "去世" in first)
    )


__all__ = ["AGREE", "Conflict", "Decided", "decide_files", "decide_from", "follows_death"]
