"""Checks of ``income.toml``: words that mean two items, names that lead nowhere, formulas that cannot be computed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.check_tools import check_parameter, check_side
from jiuzhu_cli.policy.expression import compile_number, compile_rule, words_of
from jiuzhu_cli.policy.formula import check_units
from jiuzhu_cli.policy.income import Condition, IncomeItem, words_for
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.vocabulary import ITEM, KINDS, MEMBER
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

WORDS = MEMBER | ITEM
Expressions = Iterator[tuple[str, str, bool]]  # where, expression, whether it is a sum


def check_income(policy: Policy, today: date) -> Iterator[Problem]:
    """All problems of the file."""
    known = policy.income
    ids = [one.id for one in known.items]
    owner: dict[str, str] = {}
    for item in known.items:
        where = item.at(f"收入项目“{item.name}”")
        for word in () if item.impute else words_for(item):
            if owner.setdefault(word, item.name) != item.name:
                yield Problem("error", where, f"写法“{word}”同时属于“{owner[word]}”")
        if item.impute and not (item.when.strip() and item.estimate):
            yield Problem("error", where, "推算的项目（impute）要写 when 和 estimate")
        if item.bands and "系数" not in item.estimate:
            yield Problem("error", where, "写了 bands，estimate 里要用“系数”")
        for band in item.bands:
            yield from check_parameter(policy, where, "bands.factor", band.factor)
        for name in item.unless:
            if name not in ids:
                yield Problem("error", where, f"unless 里的“{name}”不是收入项目{near(name, ids)}")
        for one in (item, *item.exclude, *item.deduct):
            yield from _condition(policy, where, one)
    for rule in known.members:
        where = rule.at(f"家庭成员规则“{rule.id}”")
        yield from _condition(policy, where, rule)
        if rule.before and rule.before not in {one.id for one in known.members}:
            yield Problem("error", where, f"before 里的“{rule.before}”不是家庭成员规则")
        if not rule.when.strip():
            yield Problem("error", where, "要写 when")
    for lead in known.leads:
        where = lead.at(f"收入线索“{lead.id}”")
        yield from check_side(policy, where, f"register:{lead.listed_in}")
        yield from _condition(policy, where, lead)
        for name in lead.covers:
            if name not in ids:
                yield Problem("error", where, f"covers 里的“{name}”不是收入项目{near(name, ids)}")
    for table, words in (("relations", known.relations), ("circumstances", known.circumstances)):
        meant: dict[str, str] = {}
        for name, spellings in words.items():
            for word in (name, *spellings):
                if meant.setdefault(word, name) != name:
                    yield Problem("error", f"income.toml {table}", f"写法“{word}”同时属于“{meant[word]}”和“{name}”")
    for where, expression, number in expressions_of(policy):
        yield from _expression(policy, where, expression, number, today)


def expressions_of(policy: Policy) -> Expressions:
    """Every expression of the file."""
    for item in policy.income_items:
        where = item.at(f"收入项目“{item.name}”")
        yield from ((where, text, True) for text in (item.estimate, item.count) if text.strip())
        yield from ((where, band.when, False) for band in item.bands)
        yield from ((where, off.amount, True) for off in item.deduct)
        for one in (item, *item.exclude, *item.deduct):
            if one.when.strip():
                yield where, one.when, False
    for rule in policy.income_members:
        yield f"家庭成员规则“{rule.id}”", rule.when, False


def used_names(policy: Policy) -> Iterator[str]:
    """Parameters that the file names."""
    for item in policy.income_items:
        yield from (band.factor for band in item.bands)
        yield from (one.switch for one in (item, *item.exclude, *item.deduct))
    yield from (one.switch for one in (*policy.income_members, *policy.income_leads))
    for where, expression, _ in expressions_of(policy):
        try:
            yield from words_of(expression, where)
        except PolicyError:  # said where it stands
            continue


def _condition(policy: Policy, where: str, one: Condition) -> Iterator[Problem]:
    if one.since and one.until and one.until < one.since:
        yield Problem("error", where, "until 早于 since")
    for programme in one.on:
        yield from check_side(policy, where, programme)
    if one.switch:
        yield from check_parameter(policy, where, "switch", one.switch, switch=True)
    if isinstance(one, IncomeItem) and one.on:
        yield Problem("error", where, "收入项目不写 on；不计入哪些项目的，写在 exclude 里")


def _expression(policy: Policy, where: str, expression: str, number: bool, on: date) -> Iterator[Problem]:

    try:
        used = words_of(expression, where)
        names = [word for word in used if word not in WORDS]
        table = policy.parameters
        absent = [word for word in names if word in table.names() and table.value_or_none(word, on) is None]
        # without a value for the region only the lines that need it wait, and review says so
        stated = {word: table.value(word, on) for word in names if word in table.names() and word not in absent}
        values = {word: one.value for word, one in stated.items()} | dict.fromkeys(absent, 1)
        compile_any = compile_number if number else compile_rule
        compile_any(expression, dict.fromkeys(WORDS, "x"), values, where=where)
        money = {word for word, one in stated.items() if one.unit.startswith("元")}
        if not absent:
            plain = {word for word, kind in KINDS.items() if kind == "money"}
            check_units(expression, plain | money, set(used), where)
    except PolicyError as error:
        yield Problem("error", where, error.message)
