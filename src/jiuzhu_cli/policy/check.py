"""Checks that the policy hangs together (``jiuzhu policy check``): each check takes the policy and yields problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from jiuzhu_cli.core.doubt import KINDS as KINDS_OF_DOUBTS
from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.accounts import check_accounts
from jiuzhu_cli.policy.budgets import check_budgets, check_shares
from jiuzhu_cli.policy.check_approvals import check_approvals
from jiuzhu_cli.policy.check_banks import check_banks
from jiuzhu_cli.policy.check_income import check_income
from jiuzhu_cli.policy.check_parameters import PARTS, check_own, check_parameters
from jiuzhu_cli.policy.check_procedure import check_procedure
from jiuzhu_cli.policy.check_programmes import check_programmes
from jiuzhu_cli.policy.check_rules import check_conditions, check_contradictions
from jiuzhu_cli.policy.check_tools import check_expression, check_parameter, check_side
from jiuzhu_cli.policy.findings import placeholders
from jiuzhu_cli.policy.floors import check_floors
from jiuzhu_cli.policy.glossary import header_clashes
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.policy.model import Programme, Register
from jiuzhu_cli.policy.parts import tables
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.return_reasons import check_return_reasons
from jiuzhu_cli.policy.vocabulary import (
    CHECK_WORDS,
    CIRCUMSTANCE,
    GONE,
    LINE,
    OF_CASES,
    OF_PERSON,
    PERSON,
    RELATION_WORDS,
    ROW,
    SUMS,
    Kind,
)
from jiuzhu_cli.policy.words import near

REGISTER_FIELDS = frozenset(
    "id_no name event_date valid_from valid_to status kind grade certificate_no related_id_no related_name relation"
    " organisation amount_fen quantity town village account_no bank_name".split()
)


def check_policy(policy: Policy, today: date) -> list[Problem]:
    """All problems found, in a fixed order; [] when the policy is sound."""
    found: list[Problem] = []
    for name in PARTS:
        try:
            getattr(policy, name)
        except PolicyError as error:
            found.append(Problem("error", name, error.message))
    found += _keys(policy)
    if found:
        return found
    for check in CHECKS:
        found += check(policy, today)
    return found


def _keys(policy: Policy) -> Iterator[Problem]:
    """A list under a name that nobody reads (``[[relation]]``) would be lost without a word."""
    known: dict[str, set[str]] = {}
    for part in PARTS.values():
        if part.key:
            known.setdefault(part.part, set()).add(part.key)
    for file, keys in known.items():
        for shown, table in tables(policy.files, file):
            for key in sorted(set(table) - keys):
                yield Problem("error", shown, f"不认识的键“{key}”{near(key, keys)}")


def _names(policy: Policy, today: date) -> Iterator[Problem]:
    for header, first, second in header_clashes(policy.glossary):
        yield Problem("error", "glossary.toml", f"表头“{header}”同时属于 {first} 和 {second}")
    owner: dict[str, str] = {}
    entries: list[Programme | Register] = [*policy.programmes.values(), *policy.registers.values()]
    for entry in entries:
        for word in dict.fromkeys(map(compact, (entry.name, *entry.aliases))):
            if owner.setdefault(word, entry.code) != entry.code:
                yield Problem("error", entry.code, f"名称“{word}”同时属于 {owner[word]}")
        for field in entry.required:
            if field not in policy.glossary:
                yield Problem("error", entry.code, f"required 里的“{field}”不是字段{near(field, policy.glossary)}")
    for register in policy.registers.values():
        for field in sorted(set(register.fields) - REGISTER_FIELDS):
            yield Problem("error", register.code, f"fields 里的“{field}”不是名单的列{near(field, REGISTER_FIELDS)}")


def _relations(policy: Policy, today: date) -> Iterator[Problem]:
    for relation in policy.relations:
        where = relation.at(f"关系 {relation.id}")
        for side in (relation.a, relation.b):
            yield from check_side(policy, where, side)
        if relation.kind == "T":
            if not relation.cap:
                yield Problem("error", where, "补差（T）要写 cap：封顶参数")
            else:
                yield from check_parameter(policy, where, "cap", relation.cap, unit="元")
            reduced = relation.a if relation.reduce == "a" else relation.b
            if reduced in policy.programmes and policy.programmes[reduced].unit != "person":
                yield Problem("error", where, "补差的一方（reduce）要是按人发的项目")
        if relation.code and (relation.code not in policy.doubts or not policy.doubts[relation.code].says):
            yield Problem(
                "error", where, f"没有写了 says 的疑点代码“{relation.code}”{near(relation.code, policy.doubts)}"
            )
        if relation.within:
            yield from check_parameter(policy, where, "within", relation.within, unit="月")
        if relation.switch:
            yield from check_parameter(policy, where, "switch", relation.switch, switch=True)
        if relation.since and relation.until and relation.until < relation.since:
            yield Problem("error", where, "until 早于 since")
        if relation.when.strip():
            words = RELATION_WORDS | CIRCUMSTANCE if relation.kind in ("E", "C") else RELATION_WORDS
            yield from check_expression(policy, where, relation.when, words, relation.since or today)
    for claim in policy.claims:
        where = claim.at(f"声称 {claim.id or '、'.join(claim.words[:2])}")
        for side in claim.programmes:
            yield from check_side(policy, where, side)
        if claim.on:
            yield from check_side(policy, where, claim.on)
        if not claim.programmes or not (claim.words or claim.on):
            yield Problem("error", where, "要写 programmes，并写 words 或 on")
        for side in claim.needs:
            yield from check_side(policy, where, side)
        if claim.when.strip():
            yield from check_expression(policy, where, claim.when, PERSON | ROW, today)
            if not claim.on or claim.words:
                yield Problem("error", where, "when 只用于写 on、不写 words 的声称")
        if claim.switch:
            yield from check_parameter(policy, where, "switch", claim.switch, switch=True)


def _checks(policy: Policy, today: date) -> Iterator[Problem]:
    for code in policy.doubts.values():
        if code.kind not in KINDS_OF_DOUBTS:
            yield Problem("error", f"疑点 {code.code}", f"没有“{code.kind}”这一类{near(code.kind, KINDS_OF_DOUBTS)}")
        try:
            placeholders(code.says)
        except ValueError:
            yield Problem("error", f"疑点 {code.code}", f"花括号不成对：{code.says}")
    for check in policy.checks:
        where = check.at(f"检查 {check.id}")
        for side in (*check.on, *([check.against] if check.against else [])):
            yield from check_side(policy, where, side)
        if check.code not in policy.doubts:
            yield Problem("error", where, f"没有疑点代码“{check.code}”{near(check.code, policy.doubts)}")
        elif not policy.doubts[check.code].says:
            yield Problem("error", where, f"疑点代码“{check.code}”没有写 says，不能用于检查")
        if check.switch:
            yield from check_parameter(policy, where, "switch", check.switch, switch=True)
        yield from check_expression(policy, where, check.when, CHECK_WORDS, check.since or today)


def _events(policy: Policy, today: date) -> Iterator[Problem]:
    seen: set[str] = set()
    for event in policy.events:
        where = event.at(f"事项 {event.id}")
        if event.id in seen:
            yield Problem("error", where, "id 与另一条事项相同")
        seen.add(event.id)
        for side in (*event.on, *(f"register:{code}" for code in event.registers), *([event.to] if event.to else [])):
            yield from check_side(policy, where, side)
        if event.action == "transfer" and event.per != "built_in" and not event.to:
            yield Problem("error", where, "转到哪个项目，要写 to")
        if (event.action == "start") != (event.per == "outside") and event.per != "built_in":
            yield Problem("error", where, '新增（start）只用于 per = "outside"，反过来也是')
        if event.per == "outside" and (not event.on or event.registers):
            yield Problem("error", where, 'per = "outside" 要写 on（哪个项目），不写 registers')
        if event.then == "transfer" and not event.to:
            yield Problem("error", where, 'then = "transfer" 要写 to')
        if event.switch:
            yield from check_parameter(policy, where, "switch", event.switch, switch=True)
        if event.per == "built_in":
            continue
        if not (event.when.strip() or event.registers):
            yield Problem("error", where, "要写 when 或 registers")
        numbers: dict[str, tuple[Kind, str]] = {
            word: ("number", "") for code in event.registers if code in policy.registers for word in policy.registers[code].numbers
        }  # fmt: skip
        words = {"outside": OF_PERSON, "gone": GONE}.get(event.per, OF_CASES)
        if event.registers:
            yield from check_expression(
                policy, where, event.lines or "true", words | LINE | numbers, event.since or today
            )
            words = words | LINE | numbers | SUMS
        if event.when.strip():
            yield from check_expression(policy, where, event.when, words, event.since or today)


def _rest(policy: Policy, today: date) -> Iterator[Problem]:
    for text in policy.findings.values():
        for template in (text.message, text.todo):
            try:
                placeholders(template)
            except ValueError:
                yield Problem("error", f"发现 {text.code}", f"花括号不成对：{template}")
    for stretch in policy.holidays:
        if stretch.last < stretch.first:
            yield Problem("error", "holidays.toml", f"{stretch.name} {stretch.first} 的止日早于起日")
    if policy.holidays and today.year > max(one.last.year for one in policy.holidays):
        yield Problem("warning", "holidays.toml", f"没有 {today.year} 年的节假日，工作日只按周末数")


CHECKS: tuple[Callable[[Policy, date], Iterator[Problem]], ...] = (
    _names,
    check_parameters,
    check_own,
    check_programmes,
    _relations,
    _checks,
    _events,
    check_conditions,
    check_contradictions,
    check_floors,
    check_income,
    check_procedure,
    check_budgets,
    check_shares,
    check_banks,
    check_accounts,
    check_approvals,
    check_return_reasons,
    _rest,
)
