"""Income and property of households as data (``income.toml``): items, who counts, what registers tell, property.

The shapes, and the reading of the file; what they come to for a household is computed in ``review/income.py``. Rules are
expressions (``policy.expression``) in the words of ``vocabulary.MEMBER`` and ``vocabulary.ITEM``; amounts of formulas are 元 a year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.parts import table_of

FILE = "income.toml"
Kind = Literal["wage", "business", "property", "transfer", "other"]
KIND_NAMES = {"wage": "工资性收入", "business": "经营净收入", "property": "财产净收入", "transfer": "转移净收入", "other": "其他收入"}  # fmt: skip


class Condition(Shape):
    """When something applies: dates, a local switch, programmes (() all), and ``when`` over the member and the line."""

    on: tuple[str, ...] = ()
    when: str = ""
    switch: str = ""  # a boolean parameter; '' always on
    since: date | None = None
    until: date | None = None
    source: str
    note: str = ""

    def in_force(self, day: date) -> bool:
        """By its dates alone."""
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)


class Deduction(Condition):
    """What is taken off one line: ``amount``, 元 a year, never more than the line comes to."""

    name: str
    amount: str


class Band(Shape):
    """One step of a scale: the first whose ``when`` holds gives the factor (系数), a parameter."""

    when: str
    factor: str


class IncomeItem(Condition):
    """One kind of income (or, ``effect`` deduct, of what is taken off the household's income).

    ``words``: what offices write for it, also the headers of a household's row. A line counts what it states, by the year
    (``months``: 数量 is the number of months of a monthly amount); ``count``: how much of 金额 counts; ``estimate``: the income where
    no amount is stated (数量 亩, 头). ``impute``: without a line, for every member of whom ``when`` holds, unless the member has a line of
    one of the items ``unless``. ``exclude``: when it does not count.
    """

    id: str
    name: str
    kind: Kind
    effect: Literal["count", "deduct"] = "count"
    words: tuple[str, ...] = ()
    unit: str = ""  # what 数量 counts
    months: bool = False
    estimate: str = ""
    count: str = ""
    impute: bool = False
    bands: tuple[Band, ...] = ()
    unless: tuple[str, ...] = ()
    exclude: tuple[Condition, ...] = ()
    deduct: tuple[Deduction, ...] = ()


class MemberRule(Condition):
    """Whether a person counts among the members who live together; the first whose ``when`` holds decides."""

    id: str
    counts: bool
    message: str
    before: str = ""  # of a bureau's own rule: asked in front of the rule of this id


class IncomeLead(Condition):
    """A register that tells of income: ``covers`` are the items under which a member's income by it would stand.

    ``yearly``: its amount is income a ``month`` or a ``year`` ('': it tells none). ``ended``: words of its 状态 that end it; ``months``: so long after its last day a line still tells.
    """

    id: str
    listed_in: str  # the register
    covers: tuple[str, ...]
    yearly: Literal["", "month", "year"] = ""
    ended: tuple[str, ...] = ()
    months: int = 0
    message: str


@dataclass(frozen=True)
class IncomePolicy:
    """All of ``income.toml``, the bureau's entries over the shipped ones."""

    items: tuple[IncomeItem, ...]
    members: tuple[MemberRule, ...]
    leads: tuple[IncomeLead, ...]
    relations: Mapping[str, tuple[str, ...]]
    circumstances: Mapping[str, tuple[str, ...]]

    def by_word(self) -> dict[str, IncomeItem]:
        """Items by what offices write for them (``plain_word``)."""
        return {word: one for one in self.items if not one.impute for word in words_for(one)}

    def choices(self) -> tuple[str, ...]:
        """The names that a form offers: everything that is stated and not only computed."""
        return tuple(one.name for one in self.items if not one.impute)


def words_for(item: IncomeItem) -> tuple[str, ...]:
    """How offices write an item: its name in full, its words without spaces and brackets behind."""
    return tuple(dict.fromkeys((compact(item.name), *map(plain_word, item.words))))


def plain_word(text: str) -> str:
    """As words of items are compared: without spaces, and without what stands in brackets behind (（元/年）)."""
    flat = compact(text)
    for left, right in (("（", "）"), ("(", ")")):
        if flat.endswith(right) and left in flat[1:]:
            flat = flat[: flat.rindex(left)]
    return flat


def read_words(table: Iterable[tuple[str, dict[str, Any]]], key: str) -> dict[str, tuple[str, ...]]:
    """``[relations]`` or ``[circumstances]``: a plain word → how offices write it; the bureau's list of a word replaces the shipped one."""
    known: dict[str, tuple[str, ...]] = {}
    for shown, entries in table:
        for name, words in table_of(entries.get(key, {}), shown, key).items():
            if not isinstance(words, list):
                raise PolicyError(f"政策文件 {shown} 的“{key}.{name}”应是列表 [ ]", "对照包内同名文件改正")
            known[name] = tuple(map(str, words))
    return known


def in_order(rules: Iterable[MemberRule]) -> tuple[MemberRule, ...]:
    """As they are asked: in the order of the file, a rule with ``before`` in front of the one it names."""
    out: list[MemberRule] = []
    for rule in rules:
        at = next((index for index, one in enumerate(out) if one.id == rule.before), len(out))
        out.insert(at, rule)
    return tuple(out)
