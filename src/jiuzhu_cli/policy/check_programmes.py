"""Checks of programmes: what may be posted, their rules, their tables of amounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from jiuzhu_cli.policy.check_tools import attempted, check_expression, check_parameter
from jiuzhu_cli.policy.earlier import OLD_ROLE
from jiuzhu_cli.policy.expression import words_of
from jiuzhu_cli.policy.findings import placeholders
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.policy.model import Programme
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.vocabulary import RULE_WORDS, TARIFF_WORDS
from jiuzhu_cli.policy.words import near

POSTING_COLUMNS = frozenset("head_name name village category care_mode household_size persons amount kin_filed".split())


def check_programmes(policy: Policy, today: date) -> Iterator[Problem]:
    for programme in policy.programmes.values():
        for role, name in programme.review.parameters.items():
            yield from check_parameter(policy, programme.code, f"review.parameters.{role}", name)
            used = [text for tariff in programme.tariffs for text in tariff.amounts.values()]
            if used and OLD_ROLE.fullmatch(role) and not any(name in text for text in used):
                yield Problem("warning", programme.code, f"金额写在 [[tariffs]] 里，review.parameters.{role} 不再看")
        yield from _tariffs(policy, programme, today)
        for name in placeholders(programme.posting.standard):
            yield from check_parameter(policy, programme.code, "posting.standard", name)
        for column in programme.posting.columns:
            if column not in POSTING_COLUMNS:
                yield Problem(
                    "error", programme.code, f"posting.columns 里的“{column}”不许公示{near(column, POSTING_COLUMNS)}"
                )
        for category in programme.posting.except_categories:
            if category not in programme.categories:
                yield Problem("error", programme.code, f"posting.except_categories 里的“{category}”不是这个项目的类别")
        if not programme.posting.allowed and not programme.posting.reason:
            yield Problem("error", programme.code, "不公示的项目要写明 posting.reason")
        for rule in programme.rules:
            where = programme.at(f"{programme.name}规则“{rule.name}”")
            yield from check_expression(policy, where, rule.expression, RULE_WORDS, rule.since or today)


def _tariffs(policy: Policy, programme: Programme, today: date) -> Iterator[Problem]:
    """A tariff table: amounts are arithmetic over parameters in 元, conditions are rules, a part's last lines can be reached."""
    closed: set[tuple[str, str]] = set()
    for tariff in programme.tariffs:
        where = programme.at(f"{programme.name}标准“{tariff.label or tariff.part}”")
        if tariff.since and tariff.until and tariff.until < tariff.since:
            yield Problem("error", where, "until 早于 since")
        for kind, amount in tariff.amounts.items():
            if kind and programme.categories and kind not in programme.categories:
                yield Problem(
                    "error", where, f"amount 里的“{kind}”不是这个项目的类别{near(kind, programme.categories)}"
                )
            if {(tariff.part, kind), (tariff.part, "")} & closed:
                yield Problem("warning", where, "前面已有不带条件的一行，这一行用不到")
            if (
                not tariff.when.strip()
                and tariff.per != "member"
                and not (tariff.switch or tariff.since or tariff.until)
            ):
                closed.add((tariff.part, kind))
            yield from _amount(policy, where, amount)
        if tariff.when.strip():
            yield from check_expression(policy, where, tariff.when, TARIFF_WORDS, tariff.since or today)
        for key, name in (("turning", tariff.turning), ("switch", tariff.switch), ("plan", tariff.plan)):
            if name:
                yield from check_parameter(policy, where, key, name, switch=key == "switch")
    parts = {
        tariff.part: {t.per == "member" for t in programme.tariffs if t.part == tariff.part}
        for tariff in programme.tariffs
    }
    for part, kinds in parts.items():
        if len(kinds) > 1:
            yield Problem("error", f"{programme.name}标准“{part}”", "同一部分里不能有的按成员（member）、有的不按")


def _amount(policy: Policy, where: str, amount: str) -> Iterator[Problem]:
    names: list[str] = []
    yield from attempted(where, lambda: names.extend(words_of(amount, where)))
    for name in names:
        yield from check_parameter(
            policy, where, "amount", name, unit="元" if names == [name] == [amount.strip()] else ""
        )
    if not names:
        yield Problem("error", where, f"amount“{amount}”里没有参数：金额写在参数里，注明起始日期和文件")
