"""From facts, flags, failed rules and events to one proposal a case: the action, the amount, the reasons, the articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from jiuzhu_cli.core.period import add_months, month_of
from jiuzhu_cli.ledger.proposals import Proposal
from jiuzhu_cli.policy.model import Event, Programme
from jiuzhu_cli.review import reasons as say
from jiuzhu_cli.review.as_if import Due
from jiuzhu_cli.review.eligibility import RuleResult
from jiuzhu_cli.review.events import Found, Hit
from jiuzhu_cli.review.leads import code_of

HEARING_BASIS = "《社会救助法》第48条（调减、停发前听取意见，决定后书面告知）"
Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where reasons come from, taken from the policy: built-in events by code, programmes, the registers' own source lines."""

    programmes: dict[str, Programme]
    built_in: Mapping[str, Event]
    found: Found
    death: str
    kin: str
    today: date
    hearing: bool = True  # 减停须听取意见, by the day of the decision
    grace_months: int = 0  # 渐退月数
    names: Mapping[str, str] = field(default_factory=dict)  # of programmes, and of registers as ``register:code``
    due: Mapping[tuple[int, int, str], Due] = field(default_factory=dict)  # as if: (event, case, person)
    heirs: Mapping[int, str] = field(default_factory=dict)  # who may be the new head, in words
    graces: Mapping[int, dict[str, Any]] = field(default_factory=dict)  # decided 渐退 by case
    links: Mapping[int, dict[str, Any]] = field(default_factory=dict)  # whose case goes on here, by case
    previous: Mapping[int, int | None] = field(default_factory=dict)  # last month's amount by case, 分


@dataclass(frozen=True, slots=True)
class Case:
    """All that was found of one case. ``less_share``: what is left when one person's own share is taken off, by person."""

    fact: Fact
    verdict: dict[str, Any] | None
    codes: Sequence[str]
    failed: Sequence[RuleResult]
    hits: Sequence[Hit] = ()
    changed: Mapping[str, int] = field(
        default_factory=dict
    )  # ``reached@ID``, ``less_share@ID``, ``frozen``: amounts, 分


def after_decision(month: str, decided: date, months: int = 1) -> str:
    """The month a decision takes effect: the one after it (次月), never before the month that was judged."""
    return max(month, add_months(month_of(decided), months))


def after_death(died: str | None, grace: int, month: str) -> str:
    """The first month without benefit: after that of the death, and the programme's grace; ``month`` when no date is told."""
    return add_months(died[:7], 1 + grace) if died else month


def propose(case: Case, sources: Sources) -> Proposal:
    """One proposal from what was found of a case; ``steps`` are added by the caller when an amount was found."""
    fact, programme = case.fact, sources.programmes[case.fact["programme"]]
    ranked = ranking(case, sources)
    first, event, hit = ranked[0]
    made = _decided(case, first, event, hit, sources)
    if programme.benefit == "status" and made.action not in ("stop", "transfer"):
        made = replace(made, action="check", after=None, hearing=False)
    hearing = made.hearing and sources.hearing
    told = list(dict.fromkeys(text for one in ranked for text in say.reasons(one, case, sources)))
    if made.action == "stop" and first != "all_dead" and sources.grace_months and fact["benefit"] != "status" and any(
        "家庭人均月收入" in r.words for r in case.failed
    ):  # fmt: skip
        told.append(f"因就业增收的，可按渐退规定继续发放，不超过 {sources.grace_months} 个月")
    if made.action == "stop" and first == "all_dead":
        told.append("对象已死亡，不需听取其意见；决定书面告知家属或供养机构")
    told += made.told
    basis = [text for one in ranked for text in say.basis(one, case, sources)]
    if hearing:
        basis.append(HEARING_BASIS)
    codes = ",".join(dict.fromkeys(_code(one, case, sources) for one in ranked))
    before: int | None = fact["amount_fen"]
    return Proposal(
        key="|".join(
            (fact["month"], programme.code, fact["place"], fact["id_no"], made.action, str(before), str(made.after), codes)
        ),
        month=fact["month"],
        programme=programme.code,
        area=fact["place"],
        id_no=fact["id_no"],
        name=fact["name"],
        action=made.action,
        before_fen=before,
        after_fen=made.after,
        effective_month=made.effective,
        reasons="；".join(dict.fromkeys(told)),
        basis="；".join(text for text in dict.fromkeys(basis) if text),
        steps=made.steps,
        needs_hearing=hearing,
    )  # fmt: skip


def ranking(case: Case, sources: Sources) -> list[tuple[str, Event, Hit | None]]:
    """Everything found of a case as (code, event, hit), that of the lowest rank first."""
    found: list[tuple[str, Event, Hit | None]] = [(code, sources.built_in[code], None) for code in case.codes]
    for level in ("stop", "check"):
        if any(one.rule.on_fail == level for one in case.failed):
            found.append((f"rule_{level}", sources.built_in[f"rule_{level}"], None))
    found += [(hit_event.id, hit_event, hit) for hit in case.hits for hit_event in [sources.found.event(hit)]]
    return sorted(found, key=lambda one: one[1].rank)


def _code(one: tuple[str, Event, Hit | None], case: Case, sources: Sources) -> str:
    code, event, hit = one
    if hit is None:
        return code
    group = [other for other in case.hits if other.number == hit.number and other.id_no == hit.id_no]
    return code_of(event, group, case.fact["id_no"], sources.found.lines)


@dataclass(frozen=True, slots=True)
class _Made:
    action: str
    after: int | None
    hearing: bool
    effective: str
    told: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()


def _decided(case: Case, code: str, event: Event, hit: Hit | None, sources: Sources) -> _Made:
    """What the decisive event asks for."""
    fact, verdict = case.fact, case.verdict
    rule = sources.programmes[fact["programme"]].review
    before: int | None = fact["amount_fen"]
    found = computed(before, verdict) if verdict and verdict["ways"] == 1 else None
    later = after_decision(fact["month"], sources.today, rule.after_decision)
    if code == "all_dead":
        return _Made("stop", 0, False, after_death(fact["last_died"], rule.death_grace_months, fact["month"]))
    if code == "head_dead":
        # a status is not cut when it goes on under another head
        hearing = fact["benefit"] != "status" and (found is None or before is None or found < before)
        when = later if hearing else after_death(fact["died"], rule.death_grace_months, fact["month"])
        return _Made("transfer", found, hearing, when, say.old_and_new_head(when))
    if code == "member_leaves":
        return _by_amount(code, fact, verdict, before, found, later)
    if code == "amount":
        made = _by_amount(code, fact, verdict, before, found, later)
        coming = sources.due.get((0, fact["key"], "next month"), Due(None)).fen
        if found is None or coming is None or coming == found:
            return made
        return replace(made, told=(*made.told, say.changes_next_month(fact["month"], coming)))
    if code in ("stopped", "rule_stop"):
        return _Made("stop", 0, True, later)
    if hit is None or event.action == "check":
        return _Made("check", None, False, later)
    if event.effective == "age":
        later = max(fact["month"], add_months(fact["month"], rule.after_age))
    if event.action == "stop":
        return _Made("stop", 0, event.hearing, later)
    if event.action == "by_amount":
        return _by_amount(code, fact, verdict, before, found, later)
    if event.action == "transfer":
        due = (
            sources.due.get((hit.number, hit.key, hit.id_no)) or sources.due.get((hit.number, hit.key, "")) or Due(None)
        )
        hearing = event.hearing and (before or 0) > (due.fen or 0)
        told = say.both_sides(fact, before, event, due, later, sources)
        return _Made("transfer", due.fen, hearing, later, told, due.steps)
    after = case.changed.get("frozen" if event.amount == "frozen" else f"{event.amount}@{hit.id_no}")
    steps: tuple[dict[str, Any], ...] = ()
    if event.amount == "reached":
        ahead = sources.due.get((0, hit.key, "next month"), Due(None))
        after, steps = ahead.fen, ahead.steps
    if event.amount == "computed":
        after = found
    if event.action == "grace":
        if after is None:
            return _Made("check", None, False, later, ("渐退金额（不含分类施保的补差）不能确定，请核定",))
        return _Made(
            "grace", after, event.hearing and before is not None and after < before, later, say.grace(sources, later)
        )
    if after is None or before is None or after == before:
        return _Made("check", None, False, later)
    if after == 0:
        return _Made("stop", 0, event.hearing, later)
    action = "increase" if after > before else "decrease"
    return _Made(action, after, event.hearing and after < before, later, (), steps)


def computed(before: int | None, verdict: dict[str, Any]) -> int | None:
    """What the case should be paid. Where facts leave a range, the nearest amount in it: of an amount within the range only the
    part that no whole number of add-ons explains is taken away.
    """
    low, high, step = verdict["low"], verdict["high"], verdict["step"]
    if low == high or before is None:
        return int(low) if low == high else None
    inside = low + (before - low) // step * step if step > 1 else before
    return int(min(max(inside, low), high))


def _by_amount(
    code: str, fact: Fact, verdict: dict[str, Any] | None, before: int | None, found: int | None, later: str
) -> _Made:
    if not verdict or verdict["fits"] or found is None:
        return _Made("check", None, False, later)
    if before is None:
        return _Made("check", found, False, later)
    if found == 0 and before > 0:
        if code == "member_leaves":
            # the income still holds that of the member who left: only an enquiry can tell that nothing is due
            return _Made("check", None, False, later)
        return _Made("stop", 0, True, later)
    if found == before or (found > before and verdict["held"]):
        # how far a top-up to a cap goes is the place's own table: said, not raised by itself
        return _Made("check", None, False, later)
    return _Made("increase" if found > before else "decrease", found, found < before, later)
