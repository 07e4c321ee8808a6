"""From facts and flags to one proposal a case: the action, the amount, the reasons, the articles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import add_months, month_of
from jiuzhu_cli.ledger.proposals import Proposal
from jiuzhu_cli.policy.model import Programme
from jiuzhu_cli.review.changes import RANKS
from jiuzhu_cli.review.eligibility import RuleResult

HEARING_BASIS = "《社会救助法》第48条（调减、停发前听取意见，决定后书面告知）"
LISTED = {
    "在册低保": "subsistence_allowance",
    "在册低保边缘": "low_income_margin",
    "在册特困": "extreme_poverty_support",
}
Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where reasons come from, taken from the policy: the registers' own source lines, programmes by code."""

    programmes: dict[str, Programme]
    death: str
    kin: str
    today: date
    hearing: bool = True  # 减停须听取意见, by the day of the decision
    grace_months: int = 0  # 渐退月数
    names: Mapping[str, str] = field(default_factory=dict)  # of programmes, and of registers as ``register:code``


def after_decision(month: str, decided: date) -> str:
    """The month a decision takes effect: the one after it (次月), never before the month that was judged."""
    return max(month, add_months(month_of(decided), 1))


def after_death(died: str | None, grace: int, month: str) -> str:
    """The first month without benefit: after that of the death, and the programme's grace; ``month`` when no date is told."""
    return add_months(died[:7], 1 + grace) if died else month


def propose(
    fact: Fact, verdict: dict[str, Any] | None, codes: list[str], failed: list[RuleResult], sources: Sources
) -> Proposal:
    """One proposal from a case's flags; ``steps`` are added by the caller when an amount was found."""
    programme = sources.programmes[fact["programme"]]
    before: int | None = fact["amount_fen"]
    found = _amount(before, verdict) if verdict and verdict["ways"] == 1 else None
    by_level = {level: [one for one in failed if one.rule.on_fail == level] for level in ("stop", "check")}
    ranked = sorted(
        {*codes, *(f"rule_{level}" for level, rules in by_level.items() if rules)}, key=lambda code: RANKS[code]
    )
    action, after, hearing = "check", None, False
    first = ranked[0]
    effective = after_decision(fact["month"], sources.today)
    if first == "all_dead":
        action, after = "stop", 0
        effective = after_death(fact["last_died"], programme.review.death_grace_months, fact["month"])
    elif first in ("stopped", "rule_stop"):
        action, after, hearing = "stop", 0, True
    elif first == "head_dead":
        action, after = "transfer", found
        hearing = found is None or before is None or found < before
        if not hearing:
            effective = after_death(fact["died"], programme.review.death_grace_months, fact["month"])
    elif first in ("member_leaves", "amount") and verdict and not verdict["fits"] and found is not None:
        action, after = _by_amount(before, found)
        if first == "member_leaves" and action == "stop":
            # the income still holds that of the member who left: only an enquiry can tell that nothing is due
            action, after = "check", None
        hearing = action in ("decrease", "stop")
    if programme.benefit == "status" and action != "stop":
        action, after, hearing = "check", None, False
    hearing = hearing and sources.hearing
    reasons = [text for code in ranked for text in _reasons(code, fact, verdict, by_level, before, found, sources)]
    if action == "stop" and sources.grace_months and any("家庭人均月收入" in r.words for r in failed):
        reasons.append(f"因就业增收的，可按渐退规定继续发放，不超过 {sources.grace_months} 个月")
    if action == "stop" and first == "all_dead":
        reasons.append("对象已死亡，不需听取其意见；决定书面告知家属或供养机构")
    basis = [text for code in ranked for text in _basis(code, fact, by_level, programme, sources)]
    if hearing:
        basis.append(HEARING_BASIS)
    reasons, basis = list(dict.fromkeys(reasons)), list(dict.fromkeys(text for text in basis if text))
    key = "|".join(
        (fact["month"], programme.code, fact["place"], fact["id_no"], action, str(before), str(after), ",".join(ranked))
    )
    return Proposal(
        key=key,
        month=fact["month"],
        programme=programme.code,
        area=fact["place"],
        id_no=fact["id_no"],
        name=fact["name"],
        action=action,
        before_fen=before,
        after_fen=after,
        effective_month=effective,
        reasons="；".join(reasons),
        basis="；".join(basis),
        steps=(),
        needs_hearing=hearing,
    )


def _amount(before: int | None, verdict: dict[str, Any]) -> int | None:
    """What the case should be paid. Where facts leave a range, the nearest amount in it: of an amount within the range only the
    part that no whole number of add-ons explains is taken away.
    """
    low, high, step = verdict["low"], verdict["high"], verdict["step"]
    if low == high or before is None:
        return int(low) if low == high else None
    inside = low + (before - low) // step * step if step > 1 else before
    return int(min(max(inside, low), high))


def _by_amount(before: int | None, after: int) -> tuple[str, int | None]:
    if before is None:
        return "check", after
    if after == 0 and before > 0:
        return "stop", 0
    if after == before:
        return "check", None
    return ("increase" if after > before else "decrease"), after


def _reasons(
    code: str,
    fact: Fact,
    verdict: dict[str, Any] | None,
    failed: dict[str, list[RuleResult]],
    before: int | None,
    found: int | None,
    sources: Sources,
) -> list[str]:
    """Sentences of one flag, as clerks read them (internal: names in full, no ID)."""
    if code == "all_dead":
        return [f"{fact['dead_names']}已死亡（{fact['last_died'] or '日期未载'}），应从死亡次月起停发"]
    if code == "head_dead":
        tail = "，其他成员的金额须按新户重新核定" if found is None else f"，新户应发 {yuan(found)} 元"
        return [f"户主{fact['name']}已死亡（{fact['died'] or '日期未载'}），停旧户、建新户{tail}"]
    if code == "member_leaves":
        told = []
        if fact["dead_names"]:
            told.append(f"家庭成员{fact['dead_names']}已死亡（{fact['last_died'] or '日期未载'}），其份额应减除")
        if fact["stopped_names"]:
            told.append(f"家庭成员{fact['stopped_names']}经核实不应重复享受，其份额应减除")
        if verdict is None or found is None:
            told.append("没有收入或人数，减除后的金额请核定")
        elif found == 0:
            told.append("按花名册所载收入已无补差，但其中可能含离开成员的收入，请入户重新核定")
        elif verdict["fits"]:
            told.append("金额已相符，请从名册中去掉该成员")
        else:
            told.append("家庭收入按花名册所载，离开成员本人的收入请一并核减")
        return told
    if code == "stopped":
        return [f"疑点 {fact['stop_doubt']} 已核实，决定停发本项{_beside(fact, sources)}"]
    if code == "amount":
        return _amount_reasons(fact, verdict, before, found)
    if code.startswith("rule_"):
        return [one.rule.message for one in failed[code.removeprefix("rule_")]]
    return {
        "income_missing": ["缺家庭收入或收入周期，不能核算金额"],
        "persons_missing": ["缺保障人数，不能核算金额"],
        "care_missing": ["缺生活自理能力（或写法不明），照料护理档次不能确定"],
        "misnamed": [f"死亡名单上有同一身份证号而姓名不同的人（花名册：{fact['misnamed']}），先核对身份"],
        "kin": [f"{fact['kin_who']}是经办人员或村（居）干部的近亲属，花名册未注明备案：请登记备案并入户调查"],
    }[code]


def _beside(fact: Fact, sources: Sources) -> str:
    """What the doubt set against this benefit, in brackets; '' when it named nothing."""
    other = fact["stop_other"] or ""
    name = sources.names.get(other, other)
    if not other:
        return ""
    if other == fact["programme"]:
        return f"（{name}另有一份）"
    return f"（见{name}）" if other.startswith("register:") else f"（另一方：{name}）"


def _amount_reasons(fact: Fact, verdict: dict[str, Any] | None, before: int | None, found: int | None) -> list[str]:
    assert verdict is not None
    if found is None:
        ways = "、".join(yuan(one) for one in verdict["amounts"])
        return [f"花名册 {yuan(before)} 元，与按所缺情况（城乡、档次等）算得的 {ways} 元都不相符，请补全情况后核定"]
    told = f"花名册 {yuan(before)} 元，按 {fact['month']} 的标准核算应为 {yuan(found)} 元"
    if before is not None:
        told += f"，{'少' if found > before else '多'} {yuan(abs(found - before))} 元"
    if fact["size"] and fact["covered"] and fact["size"] != fact["covered"]:
        told += f"（家庭人口 {fact['size']} 人，保障 {fact['covered']} 人）"
    return [told]


def _basis(
    code: str, fact: Fact, failed: dict[str, list[RuleResult]], programme: Programme, sources: Sources
) -> list[str]:
    if code in ("all_dead", "head_dead", "misnamed") or (code == "member_leaves" and fact["dead_names"]):
        return [sources.death]
    if code == "stopped":
        return [fact["stop_basis"]]
    if code.startswith("rule_"):
        return [one.rule.source for one in failed[code.removeprefix("rule_")]]
    return [sources.kin] if code == "kin" else [programme.source]
