"""Checks of cycles, classes, time limits and notices (``cycles.toml``, ``deadlines.toml``): what they name must be there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, get_args

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.check_tools import check_parameter, check_side
from jiuzhu_cli.policy.model import Action
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.procedure import DeadlineStep

PROGRESS = "case_progress"
# the words of events that the record itself knows, by subject; those of the register of progress are its own columns
EVENTS = {
    "progress": frozenset({"受理", "申请"}),
    "proposal": frozenset({"建议", "听取意见", "决定", "告知"}),
    "doubt": frozenset({"发现", "处理"}),
    "death": frozenset({"死亡", "办结"}),
    "posting": frozenset({"公示期满", "办结"}),
}


def check_procedure(policy: Policy, today: date) -> Iterator[Problem]:
    yield from _classes(policy)
    yield from _cycles(policy)
    for step in policy.deadline_steps:
        yield from _step(policy, step)
    for kind in policy.notice_kinds:
        where = kind.at(f"告知书 {kind.id}")
        yield from _limit(policy, where, "limit", kind.limit)
        for action in kind.actions:
            if action not in get_args(Action):
                yield Problem("error", where, f"没有“{action}”这种建议{near(action, get_args(Action))}")


def parameters_used(policy: Policy) -> Iterator[str]:
    """Names of parameters that these files use."""
    for cycle in policy.cycles:
        yield from (cycle.parameter, cycle.per_year, cycle.switch)
    for step in policy.deadline_steps:
        yield from (step.limit, step.count_first, step.by_working_days)
        for other in step.instead:
            yield from (other.limit, other.switch)
    yield from (kind.limit for kind in policy.notice_kinds)


def _classes(policy: Policy) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for one in policy.review_classes:
        for word in one.words:
            key = compact(word).upper()
            if owner.setdefault(key, one.id) != one.id:
                yield Problem("error", one.at(f"类别 {one.id}"), f"“{word}”同时属于类别 {owner[key]}")
    tasks = {task.id for task in policy.review_tasks}
    for task in policy.review_tasks:
        for other in task.covers:
            if other not in tasks:
                yield Problem("error", task.at(f"事项 {task.id}"), f"covers 里没有“{other}”{near(other, tasks)}")


def _cycles(policy: Policy) -> Iterator[Problem]:
    tasks = [task.id for task in policy.review_tasks]
    classes = [one.id for one in policy.review_classes]
    for one in policy.cycles:
        where = one.at(f"周期 {one.id}")
        yield from _programmes(policy, where, one.on)
        if one.task not in tasks:
            yield Problem("error", where, f"没有“{one.task}”这个事项{near(one.task, tasks)}")
        if one.grade and one.grade not in classes:
            yield Problem("error", where, f"没有“{one.grade}”这个类别{near(one.grade, classes)}")
        if sum((bool(one.parameter), bool(one.per_year), bool(one.months))) > 1:
            yield Problem("error", where, "parameter、per_year、months 只写一个")
        if one.months < 0:
            yield Problem("error", where, "months 不能小于 0")
        if one.parameter:
            yield from check_parameter(policy, where, "parameter", one.parameter, unit="月")
        if one.per_year:
            yield from check_parameter(policy, where, "per_year", one.per_year, unit="次")
        yield from _switches(policy, where, (("switch", one.switch),))
        if one.since and one.until and one.until < one.since:
            yield Problem("error", where, "until 早于 since")


def _step(policy: Policy, step: DeadlineStep) -> Iterator[Problem]:
    where = step.at(f"时限 {step.id}")
    yield from _programmes(policy, where, step.on)
    known = set(EVENTS[step.subject])
    if step.subject == "progress" and PROGRESS in policy.registers:
        known |= set(policy.registers[PROGRESS].kept)
    for word in (step.start, *step.end):
        if word not in known:
            yield Problem("error", where, f"没有叫“{word}”的环节日期{near(word, known)}")
    yield from _limit(policy, where, "limit", step.limit)
    for other in step.instead:
        yield from _limit(policy, where, "instead", other.limit)
        yield from _switches(policy, where, (("instead", other.switch),))
        if not other.special and not other.switch:
            yield Problem("error", where, "instead 要写 special = true 或 switch")
    yield from _switches(policy, where, (("count_first", step.count_first), ("by_working_days", step.by_working_days)))
    if step.since and step.until and step.until < step.since:
        yield Problem("error", where, "until 早于 since")


def _limit(policy: Policy, where: str, key: str, name: str) -> Iterator[Problem]:
    """A time limit is a number of 工作日, 日 or 月."""
    yield from check_parameter(policy, where, key, name)
    table = policy.parameters
    if name in table.names() and table.applies(name):
        for one in table.chosen(name):
            if isinstance(one.value, bool) or not re.match("个?(工作日|日|天|月)", one.unit):
                yield Problem("error", where, f"{key} 里的“{name}”不以工作日、日或月计")
                return


def _programmes(policy: Policy, where: str, codes: Iterable[str]) -> Iterator[Problem]:
    for code in codes:
        yield from check_side(policy, where, code)


def _switches(policy: Policy, where: str, named: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    for key, name in named:
        if name:
            yield from check_parameter(policy, where, key, name, switch=True)
