"""Checks of the levels of approval (``approvals.toml``) and of agreed payees: a level that can never be asked, or that two share, protects nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from jiuzhu_cli.core.actors import actor_key
from jiuzhu_cli.policy.problem import Problem

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


def check_approvals(policy: Policy, today: date) -> Iterator[Problem]:
    levels = policy.approval_levels
    names = [level.name for level in levels]
    limits = [level.up_to for level in levels]
    before: set[str] = set()
    for level in levels:
        where = level.at(f"审批层级 {level.id}")
        if names.count(level.name) > 1:
            yield Problem("error", where, f"有两级都叫“{level.name}”：批一次就都算批了")
        if limits.count(level.up_to) > 1:
            limit = "都不写 up_to" if level.up_to is None else f"up_to 都是 {level.up_to}"
            yield Problem("error", where, f"有两级{limit}：分不出先后")
        own = set(map(actor_key, level.persons))
        if own and own <= before:
            yield Problem("warning", where, "这一级的人都在前面的级里：同一人不能批两级，可能没有人能批")
        before |= own
    if levels and None not in limits:
        yield Problem("warning", levels[-1].at("审批层级"), "没有一级不设上限：超过最高一级的批次谁也批不了")
    for programme in policy.programmes.values():
        for mode in programme.payment.by_agreement:
            if mode not in ("集中", "分散") and mode not in programme.categories:
                yield Problem("error", programme.code, f"by_agreement 的“{mode}”不是供养方式，也不是本项目的类别")
