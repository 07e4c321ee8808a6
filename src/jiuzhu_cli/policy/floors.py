"""Floors and ceilings of parameters (``data/floors.toml``): what a value must not fall below or rise above, as formulas over other parameters.

A floor is asked on every day on which the value, or anything that its formula needs, changes. ``上年_`` before a name in a formula is its value on the
last day of the year before. What has no value that day is not judged, nor what rests on an amount that is only the nation's stand-in for a local one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.model import Floor, ParameterValue
from jiuzhu_cli.policy.parameter import NoValueError
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


def check_floors(policy: Policy, today: date) -> Iterator[Problem]:
    """Each value below its floor (above its ceiling), with the days; and floors whose names do not exist."""
    for floor in policy.floors:
        where = floor.at(f"底线 {floor.id}")
        if not floor.at_least and not floor.at_most:
            yield Problem("error", where, "要写 at_least（不低于）或 at_most（不高于）")
        if floor.parameter not in policy.parameters.names():
            known = near(floor.parameter, policy.parameters.names())
            yield Problem("error", where, f"参数“{floor.parameter}”不存在{known}")
            continue
        try:
            yield from _broken(policy, floor)
        except PolicyError as error:
            yield Problem("error", where, error.message)


def _broken(policy: Policy, floor: Floor) -> Iterator[Problem]:
    from jiuzhu_cli.policy.expression import words_of

    table = policy.parameters
    if not table.applies(floor.parameter):
        return
    limits = [(text, sign) for text, sign in ((floor.at_least, "低"), (floor.at_most, "高")) if text]
    names = {floor.parameter, *(word for text, _ in limits for word in words_of(text, floor.at(f"底线 {floor.id}")))}
    days = sorted(
        day
        for day in table.changes(names)
        if (not floor.since or day >= floor.since) and (not floor.until or day <= floor.until)
    )
    if floor.since and not (floor.until and floor.until < floor.since):
        days = [floor.since, *(day for day in days if day != floor.since)]
    for text, sign in limits:
        told: tuple[Decimal, Decimal] | None = None
        for day in days:
            value, limit = table.value_or_none(floor.parameter, day), _limit(policy, floor, text, day)
            if value is None or limit is None or not isinstance(value.value, Decimal) or _stands_in(value):
                told = None
                continue
            low = Decimal(value.value) < limit if sign == "低" else Decimal(value.value) > limit
            if low and told != (value.value, limit):
                yield _said(floor, value, limit, text, sign, day)
            told = (value.value, limit) if low else None


def _limit(policy: Policy, floor: Floor, text: str, day: date) -> Decimal | None:
    where = floor.at(f"底线 {floor.id}")
    try:
        inputs = policy.parameters.inputs(text, day, where)
    except NoValueError:
        return None
    if any(_stands_in(one) for one in inputs.values()):
        return None
    return policy.parameters.exactly(text, inputs, where)


def _stands_in(value: ParameterValue) -> bool:
    return value.area == "" and not value.confirmed and not value.formula and value.unit.startswith("元")


def _said(floor: Floor, value: ParameterValue, limit: Decimal, text: str, sign: str, day: date) -> Problem:
    shown = limit.quantize(Decimal("0.01")).normalize()
    note = f"（{floor.note}）" if floor.note else ""
    asked = "" if floor.confirmed else "，这条底线请按本地文件核对"
    said = f"{day.isoformat()} 起是 {value.value} {value.unit}，{sign}于{'底线' if sign == '低' else '上限'} {shown:f}（{text}）：{floor.source}{note}{asked}"
    return Problem(floor.level, f"{value.file} 参数“{value.name}”", said)
