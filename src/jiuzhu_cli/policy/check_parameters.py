"""Checks of parameters: dates, units, formulas, values written twice; names in the bureau's own folder that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.check_income import used_names
from jiuzhu_cli.policy.check_procedure import parameters_used
from jiuzhu_cli.policy.check_tools import attempted
from jiuzhu_cli.policy.expression import words_of
from jiuzhu_cli.policy.findings import placeholders
from jiuzhu_cli.policy.funding import share_names
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.policy.model import Check, Claim, Event, ParameterValue, Relation
from jiuzhu_cli.policy.parts import parts_of
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.words import near

PARTS = parts_of(Policy)
FILES = {part.part for part in PARTS.values() if not part.folder}
FOLDERS = {part.part for part in PARTS.values() if part.folder}


def check_parameters(policy: Policy, today: date) -> Iterator[Problem]:
    table = policy.parameters
    for first, second in table.twice:
        text = f"{second.since} 起的值写了两次：{first.file} 是 {first.value}，{second.file} 是 {second.value}；用的是后一个"
        yield Problem("error", second.at(f"参数“{second.name}”"), text)
    for (name, area), series in table.series.items():
        where = series[-1].at(f"参数“{name}”{f'（{area}）' if area else ''}")
        for one, following in zip(series, (*series[1:], None), strict=True):
            if one.until is not None and one.until < one.since:
                yield Problem("error", where, f"止期 {one.until} 早于起期 {one.since}")
            if one.until is not None and following is not None:
                if one.until >= following.since:
                    yield Problem(
                        "error", where, f"{one.since} 起的值写到 {one.until}，与 {following.since} 起的值重叠"
                    )
                elif one.until + timedelta(days=1) < following.since:
                    yield Problem("warning", where, f"{one.until} 之后到 {following.since} 之前没有值")
            if bool(one.unit) and isinstance(one.value, bool):
                yield Problem("error", where, "开关（真假）不该有单位")
            if one.unit.startswith("元") and not one.formula and not isinstance(one.value, Decimal):
                yield Problem("error", where, f"以元计的值不是数：{one.value}")
            day = max(one.since, today)
            if (
                one.formula
                and table.applies(name)
                and table.chosen(name) is series
                and (not following or following.since > day)
            ):
                yield from attempted(where, lambda name=name, day=day: table.value(name, day))  # type: ignore[misc]
        if table.region.startswith(area) and name == "危改拨付计划":
            yield from _plan(where, series)
    for name in table.names():
        try:
            missing = table.applies(name) and table.value_or_none(name, today) is None
        except PolicyError:  # said above, where the formula stands
            continue
        if missing:
            yield Problem("warning", f"参数“{name}”", f"{today} 没有值")


def _plan(where: str, series: tuple[ParameterValue, ...]) -> Iterator[Problem]:
    for one in series:
        shares = [part.rpartition(":")[2] for part in str(one.value).split(",")]
        if not all(share.isdigit() for share in shares) or sum(map(int, shares)) != 100:
            yield Problem("error", where, f"拨付计划“{one.value}”应写成 阶段:百分比，合计 100")


def check_months(policy: Policy, months: Iterable[str]) -> Iterator[Problem]:
    """Months with rolls on whose first day a local series has no value while a wider one has: what is written begins too late."""
    table = policy.parameters
    for name in table.names():
        if not table.applies(name):
            continue
        series = table.chosen(name)
        wanting = [month for month in months if table.value_or_none(name, first_day(month)) is None]
        wider = [one for (other, area), values in table.series.items() if other == name and area != series[0].area and table.region.startswith(area) for one in values]  # fmt: skip
        wanting = [month for month in wanting if any(one.since <= first_day(month) for one in wider)]
        if wanting:
            where = series[0].at(f"参数“{name}”")
            text = f"从 {series[0].since} 起才有值，而 {'、'.join(wanting[:3])} 已导入花名册；把更早的值一起写上（写了本地区的，就不再看全国缺省值）"
            yield Problem("warning", where, text)


def check_own(policy: Policy, today: date) -> Iterator[Problem]:
    """A file that nobody reads, or a parameter that nothing uses, is a slip of the pen in the bureau's own folder."""
    for name in policy.own_files():
        folder, _, inside = name.partition("/")
        if not (folder in FOLDERS if inside else name in FILES):
            yield Problem("error", f"policy/{name}", f"不认识的文件，没有读{near(folder, FILES | FOLDERS)}")
    shipped = set(load_policy(region=policy.region).parameters.names())
    used = set(_used_words(policy))
    for name in policy.parameters.names():
        if name not in shipped and name not in used:
            yield Problem("warning", f"参数“{name}”", f"没有地方用到，名称写对了吗{near(name, shipped)}")


def _used_words(policy: Policy) -> Iterator[str]:
    for programme in policy.programmes.values():
        yield from programme.review.parameters.values()
        yield from (name for tariff in programme.tariffs for name in (tariff.turning, tariff.switch, tariff.plan))
        yield from placeholders(programme.posting.standard)
        yield from share_names(programme.name)
    rules = [rule.expression for programme in policy.programmes.values() for rule in programme.rules]
    for programme in policy.programmes.values():
        for tariff in programme.tariffs:
            rules += [*tariff.amounts.values(), *([tariff.when] if tariff.when.strip() else [])]
    formulas = [one.formula for series in policy.parameters.series.values() for one in series if one.formula]
    judging: list[Relation | Claim | Check | Event] = [
        *policy.relations, *policy.claims, *policy.checks, *policy.events
    ]  # fmt: skip
    conditions = [rule.when for rule in judging if rule.when.strip()]
    conditions += [event.lines for event in policy.events if event.lines.strip()]
    for text in (*rules, *formulas, *conditions):
        try:
            yield from words_of(text)
        except PolicyError:  # said where it stands
            continue
    for relation in policy.relations:
        yield from (relation.cap, relation.within)
    yield from (rule.switch for rule in judging)
    yield from used_names(policy)
    yield from parameters_used(policy)
