"""The rules of income for one month: ``income.toml`` compiled to SQL over lines and members, with what each rule says of itself.

Switches, dates and parameters are settled here; what is left in the SQL is what differs from line to line. Every rule that decides
something has a number (``rule``) under which ``notes`` keeps its name, source and parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.expression import Ratio, compile_number, compile_rule, fen, words_of
from jiuzhu_cli.policy.income import Condition, IncomeItem, MemberRule
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.policy.vocabulary import ITEM, MEMBER

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

SCALE = 10**6  # what a line comes to is kept in millionths of 分
YUAN = 100 * SCALE
MEMBER_COLUMNS: dict[str, str | Ratio] = {
    "年龄": "m.age", "性别": "m.sex", "残疾等级": "m.grade_no", "残疾类别": "m.kind_word", "重病": "m.ill", "在读": "m.enrolled",
    "劳动能力": "m.work", "关系": "m.relation", "情况": "m.circumstance", "情况年数": "m.years", "共同生活": "m.together", "在名册": "m.on_roll", "在明细": "m.on_lines", "名册列成员": "m.roll_lists",
    "服刑": "m.prison", "强制戒毒": "m.rehab", "宣告失踪": "m.missing", "死亡": "m.dead",
}  # fmt: skip
ITEM_COLUMNS: dict[str, str | Ratio] = {
    "金额": Ratio("l.year_q", "1000000"),
    "数量": Ratio("l.quantity_q", "10000"),
    "系数": Ratio("l.factor_q", "1000000"),
    "当地低保标准": fen("c.standard_fen"),
}
assert MEMBER_COLUMNS.keys() == MEMBER.keys() and ITEM_COLUMNS.keys() == ITEM.keys()


@dataclass(frozen=True, slots=True)
class Note:
    """What a rule says of itself: how it is called, its formula or reason, its source, the parameters it used."""

    label: str
    how: str
    source: str
    parameters: tuple[ParameterValue, ...] = ()

    def text(self) -> str:
        """One line for workbooks: parameters with date and document, source."""
        return "；".join((*(parameter_text(one) for one in self.parameters), self.source))


def parameter_text(one: ParameterValue) -> str:
    """``种植亩均年纯收入 800元/亩/年（自 2024-01-01，文件，请核对）``."""
    value = "是" if one.value is True else "否" if one.value is False else f"{one.value}{one.unit}"
    checked = "" if one.confirmed else "，请核对"
    return f"{one.name} {value}（自 {one.since.isoformat()}，{one.source}{checked}）"


@dataclass(slots=True)
class IncomeRules:
    """All that the SQL of ``review.income`` needs for a month. ``CASE`` pieces speak of ``l`` (line), ``m`` (member), ``c`` (case)."""

    items: tuple[IncomeItem, ...]
    numbers: dict[str, int] = field(default_factory=dict)  # item id → its number
    notes: list[Note] = field(default_factory=list)
    values: dict[int, str] = field(default_factory=dict)  # item → SQL of its year's amount, in millionths of 分
    excluded: dict[int, list[tuple[str, int]]] = field(default_factory=dict)  # item → (condition, rule)
    off: list[tuple[int, str, str, int]] = field(default_factory=list)  # (item, condition, amount, rule)
    factors: dict[int, list[tuple[str, int, int]]] = field(
        default_factory=dict
    )  # item → (condition, factor × 10^6, rule)
    imputed: list[tuple[int, str]] = field(default_factory=list)  # (item, condition)
    members: list[tuple[str, bool, int]] = field(default_factory=list)  # (condition, counts, rule)
    item_rule: dict[int, int] = field(default_factory=dict)
    wanting: dict[int, str] = field(default_factory=dict)  # item → what is missing to compute it

    def unconfirmed(self, used: Iterable[int]) -> list[ParameterValue]:
        """Parameters of these rules that nobody has checked against the local document, each once."""
        known = {one.name: one for rule in used for one in self.notes[rule].parameters if not one.confirmed}
        return [known[name] for name in sorted(known)]

    def note(self, label: str, how: str, source: str, parameters: Iterable[ParameterValue] = ()) -> int:
        known = tuple(parameters)
        self.notes.append(Note(label, how, source, known))
        return len(self.notes) - 1


def income_rules(policy: Policy, month: str) -> IncomeRules:
    """``income.toml`` as it stands on the first day of ``month``. PolicyError for an expression that cannot be compiled."""
    return _Reading(policy, month).rules


class _Reading:
    def __init__(self, policy: Policy, month: str) -> None:
        self.policy, self.day = policy, first_day(month)
        known = policy.income
        self.rules = IncomeRules(known.items)
        for number, item in enumerate(known.items):
            self.rules.numbers[item.id] = number
        for number, item in enumerate(known.items):
            self._item(number, item)
        for rule in known.members:
            self._member(rule)

    def _item(self, number: int, item: IncomeItem) -> None:
        rules, where = self.rules, f"收入项目“{item.name}”"
        if not self.applies(item):
            if not item.impute:
                rules.excluded[number] = [("TRUE", rules.note(item.name, "当期不用这一项", item.source))]
            return
        parameters: list[ParameterValue] = []
        scale = self._bands(number, item, where)
        stated = f"l.year_q * {SCALE // 10**4}"
        try:
            parts = [self.amount(formula, where, parameters) for formula in (item.count, item.estimate)]
        except PolicyError as error:
            rules.wanting[number] = error.message
            parts = ["", ""]
        if item.count:
            stated = parts[0] or "NULL"
        if item.estimate:
            guessed = parts[1] or "NULL"
            rules.values[number] = guessed if item.impute else f"CASE WHEN l.year_q IS NOT NULL THEN {stated} ELSE {guessed} END"  # fmt: skip
        elif item.count:
            rules.values[number] = stated
        # a switch that is off lets the line count: that, too, rests on somebody's word
        parameters += [
            value
            for one in item.exclude
            if one.in_force(self.day) and not self.applies(one)
            for value in self.switches(one)
        ]
        how = item.estimate or item.count
        rules.item_rule[number] = rules.note(item.name, how, item.source, parameters)
        if item.impute and scale:
            rules.imputed.append((number, self.condition(item, where)))
        rules.excluded[number] = [
            (self.condition(one, where), rules.note(item.name, "不计入", one.source, self.switches(one)))
            for one in item.exclude
            if self.applies(one)
        ]
        for off in item.deduct:
            if self.applies(off):
                found: list[ParameterValue] = []
                try:
                    amount = self.amount(off.amount, f"{where}的扣减“{off.name}”", found)
                except PolicyError as error:
                    rules.wanting[number] = error.message
                    continue
                rule = rules.note(off.name, off.amount, off.source, found)
                rules.off.append((number, self.condition(off, where), amount, rule))

    def _bands(self, number: int, item: IncomeItem, where: str) -> bool:
        """Whether an imputed item can be computed at all: some band of it, or none is needed."""
        for band in item.bands:
            value = self.policy.parameter_or_none(band.factor, self.day)
            if value is None:
                self.rules.wanting[number] = f"没有“{band.factor}”当月的值"
                continue
            condition = self.compiled(band.when, f"{where}的 bands")
            rule = self.rules.note(band.factor, band.when, value.source, [value])
            self.rules.factors.setdefault(number, []).append((condition, int(value.value * 10**6), rule))
        return not item.bands or number in self.rules.factors

    def _member(self, rule: MemberRule) -> None:
        if self.applies(rule):
            where = f"家庭成员规则“{rule.id}”"
            condition = self.condition(rule, where)
            number = self.rules.note(rule.id, rule.message, rule.source, self.switches(rule))
            self.rules.members.append((condition, rule.counts, number))

    def applies(self, one: Condition) -> bool:
        return one.in_force(self.day) and self.policy.switch(one.switch, self.day)

    def switches(self, one: Condition) -> list[ParameterValue]:
        found = self.policy.parameter_or_none(one.switch, self.day) if one.switch else None
        return [found] if found else []

    def condition(self, one: Condition, where: str) -> str:
        """SQL: the case's programme and ``when``; dates and switches are settled by ``applies``."""
        parts = []
        if one.on:
            parts.append(f"c.programme IN ({', '.join(_quoted(code) for code in one.on)})")
        if one.when.strip():
            parts.append(self.compiled(one.when, where))
        return " AND ".join(parts) or "TRUE"

    def compiled(self, expression: str, where: str) -> str:
        values = self.parameters(expression, where)
        return compile_rule(
            expression, MEMBER_COLUMNS | ITEM_COLUMNS, {one.name: one.value for one in values}, where=where
        )

    def amount(self, formula: str, where: str, parameters: list[ParameterValue]) -> str:
        """SQL of a formula in 元 a year as millionths of 分 (what lies below is cut), '' for none."""
        if not formula:
            return ""
        values = self.parameters(formula, where)
        parameters += values
        exact = compile_number(
            formula, MEMBER_COLUMNS | ITEM_COLUMNS, {one.name: one.value for one in values}, where=where
        )
        return f"CAST(({exact.over}) * {YUAN} AS HUGEINT) // ({exact.under})"

    def parameters(self, expression: str, where: str) -> list[ParameterValue]:
        """The parameters an expression names, with the day's values. PolicyError when one has none."""
        known = MEMBER_COLUMNS.keys() | ITEM_COLUMNS.keys()
        return [self.policy.parameter(word, self.day) for word in words_of(expression, where) if word not in known]


def case_of(pieces: Sequence[tuple[str, Any]], otherwise: str = "NULL") -> str:
    """``CASE WHEN … THEN … ELSE … END`` of (condition, value), the first that holds."""
    if not pieces:
        return otherwise
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in pieces)} ELSE {otherwise} END"


def by_item(pieces: dict[int, str], column: str = "l.item_no", otherwise: str = "NULL") -> str:
    """``CASE item WHEN …``: one expression for all lines at once."""
    if not pieces:
        return otherwise
    return f"CASE {column} {' '.join(f'WHEN {number} THEN {sql}' for number, sql in sorted(pieces.items()))} ELSE {otherwise} END"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
