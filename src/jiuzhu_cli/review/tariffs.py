"""The tariff tables of the programmes for one month: parameters looked up, conditions compiled, lines numbered.

What a programme pays is data (``policy.model.Tariff``). Nothing here knows a programme, a grade or an age: ``amounts`` computes every
case from these lines at once, ``steps`` says one case in words by the same lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.expression import Ratio, compile_rule, fen, words_of
from jiuzhu_cli.policy.formula import evaluate
from jiuzhu_cli.policy.model import ParameterValue, Programme, Tariff

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

METHODS = ("差额", "分档")
EITHER = "两可"
AGES = {
    "当月": "age_months // 12",
    "次月": "(age_months - 1) // 12",
}  # full years counted from the month, from the one after
_TOLD = "concat_ws(' ', category, stage, grade, cause)"
_STAGES = " ".join(
    f"WHEN regexp_matches({_TOLD}, '{words}') THEN '{name}'"
    for words, name in (
        ("中职|职高|技校|中专", "中职"), ("高中|普高", "高中"), ("初中|[七八九]年级|初[一二三]", "初中"), ("小学|[一二三四五六]年级", "小学"),
        ("学前|幼儿", "学前"), ("大学|本科|大专|高职", "大学"),
    )
)  # fmt: skip
# words of a condition on a member (``per = "member"``): who is known not to be disabled has grade 9 and kind 无
MEMBER_WORDS: dict[str, str | Ratio] = {
    "性别": "sex", "类别": "reading_kind", "残疾等级": "counted_grade", "残疾类别": "counted_kind", "持残疾证": "counted_certified", "重病": "counted_ill",
    "在读": "enrolled", "自理能力": "care_word", "劳动能力": "work_ability", "家庭人口": "size", "保障人数": "covered", "户主": "lead = 1",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table in force. ``fen`` None: a parameter has no value, nothing can be computed where the line would count."""

    no: int
    programme: str
    part: str
    label: str
    per: str  # household, person, gap, member
    kind: str  # category it is for, '' all
    fen: int | None
    sql: str  # condition, three-valued
    amount: str  # as written
    values: tuple[ParameterValue, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a programme's gap (补差) is rounded, and how far a paid amount may differ while nothing has changed."""

    unit_fen: int = 1
    round_up: bool = False
    rounding: tuple[ParameterValue, ...] = ()
    tolerance_fen: int = 0


@dataclass(slots=True)
class AmountRules:
    """The month's tariff lines of all programmes. ``missing``: sentences on what cannot be computed."""

    month: str
    lines: list[Line] = field(default_factory=list)
    settings: dict[str, Settings] = field(default_factory=dict)
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)  # programme → categories its lines tell apart
    missing: list[str] = field(default_factory=list)
    used: list[ParameterValue] = field(default_factory=list)


def by_income(programme: Programme) -> bool:
    """Whether a line asks for the household's income."""
    return any(one.per == "gap" for one in programme.tariffs)


def by_care(programme: Programme) -> bool:
    """Whether a line asks for the tier of self-care."""
    # asked as text first: parsing every programme's conditions takes a tenth of a second
    return any("自理能力" in one.when and "自理能力" in words_of(one.when) for one in programme.tariffs)


def amount_rules(
    policy: Policy, month: str, programmes: Iterable[Programme], columns: Mapping[str, str | Ratio]
) -> AmountRules:
    """The lines of ``programmes`` in force on the month's first day. ``columns``: words of a condition on a case → SQL over ``facts``.

    PolicyError: a word that is not known, an amount that is no whole number of 分.
    """
    rules = AmountRules(month)
    for programme in programmes:
        _Reader(policy, programme, rules, columns).read()
    return rules


def fen_of(value: ParameterValue) -> int:
    """The parameter in 分; PolicyError when it is no whole number of 分."""
    try:
        return value.amount_fen
    except ValueError as error:
        raise PolicyError(
            f"参数“{value.name}”的值 {value.value}{value.unit} 不是整分的金额", "改正后运行 jiuzhu policy check"
        ) from error


class _Reader:
    """One programme's table read into ``rules``."""

    def __init__(
        self, policy: Policy, programme: Programme, rules: AmountRules, columns: Mapping[str, str | Ratio]
    ) -> None:
        self.policy, self.programme, self.rules = policy, programme, rules
        self.day: date = first_day(rules.month)
        roles = programme.review.parameters
        method = self._value(roles.get("method"), note=False)
        told = str(method.value) if method else ""
        self.columns = {
            **columns,
            "类别": "reading_kind",
            # a list that grades its households and tells no income pays by grade
            "计算方式": f"'{told}'" if told in METHODS else "CASE WHEN has_grade AND NOT has_income THEN '分档' ELSE '差额' END",
            "档别": "NULLIF(upper(regexp_replace(grade, '[第类档级等 ]', '', 'g')), '')",
            "金额": fen("amount_fen"),
            "学段": f"CASE {_STAGES} END",
            "寄宿": f"CASE WHEN regexp_matches({_TOLD}, '非寄宿|不寄宿|走读') THEN false WHEN regexp_matches({_TOLD}, '寄宿|住校|住宿') THEN true END",
            "按学期": f"CASE WHEN regexp_matches({_TOLD}, '学年|全年|年度') THEN false WHEN regexp_matches({_TOLD}, '学期|春季|秋季') THEN true END",
        }  # fmt: skip

    def read(self) -> None:
        rules, programme = self.rules, self.programme
        for tariff in programme.tariffs:
            if (tariff.since and self.day < tariff.since) or (tariff.until and self.day > tariff.until):
                continue
            if self.policy.switch(tariff.switch, self.day):
                for kind, amount in tariff.amounts.items():
                    self._line(tariff, kind, amount)
        asked = [t for t in programme.tariffs if "类别" in words_of(t.when or "true") or not isinstance(t.amount, str)]
        if asked:
            named = [kind for tariff in asked for kind in tariff.amounts if kind]
            rules.kinds[programme.code] = tuple(dict.fromkeys([*programme.categories, *named]))
        rules.settings[programme.code] = self._settings()

    def _settings(self) -> Settings:
        if not by_income(self.programme):
            return Settings()
        roles = self.programme.review.parameters
        unit, up = self._value(roles.get("rounding")), self._value(roles.get("rounding_up"))
        tolerance = self._value(roles.get("income_tolerance"))
        return Settings(
            max(1, fen_of(unit)) if unit else 1,
            bool(up and up.value is True),
            tuple(one for one in (unit, up) if one),
            fen_of(tolerance) if tolerance else 0,
        )

    def _value(self, name: str | None, *, note: bool = True) -> ParameterValue | None:
        """The parameter; None when it has no value that day, or 0, which is how a place says that it has no such rule."""
        found = self.policy.parameter_or_none(name, self.day) if name else None
        if found is None or found.value == 0:
            return None
        if note:
            self.rules.used.append(found)
        return found

    def _line(self, tariff: Tariff, kind: str, amount: str) -> None:
        where = f"{self.programme.name}标准“{tariff.label or tariff.part}”"
        names = words_of(amount, where)
        found = {name: self.policy.parameter_or_none(name, self.day) for name in names}
        values = tuple(value for value in found.values() if value is not None)
        missing = [name for name, value in found.items() if value is None]
        sum_fen: int | None = None
        if not missing:
            sum_fen = self._fen(amount, values, where)
            if sum_fen == 0:  # the place has no such rule
                return
        elif tariff.per == "member":
            return
        sql, wanting, asked = self._condition(tariff, kind, where)
        for name in dict.fromkeys([*missing, *wanting]):
            self.rules.missing.append(f"{self.programme.name}：没有 {self.rules.month} 的“{name}”，用到它的没有核算")
        if wanting:
            sum_fen = None
        self.rules.used += [*values, *asked]
        per = tariff.per or self._per(values)
        for label, fen_, told in self._stages(tariff, sum_fen, sql):
            number = len(self.rules.lines)
            self.rules.lines.append(
                Line(number, self.programme.code, tariff.part, label, per, kind, fen_, told, amount, values)
            )

    def _stages(self, tariff: Tariff, sum_fen: int | None, sql: str) -> list[tuple[str, int | None, str]]:
        """The line, or with a plan of instalments one a stage and the whole: which of them, where the stage is not told, stays open."""
        plan = self._value(tariff.plan) if tariff.plan else None
        if plan is None or sum_fen is None:
            return [(tariff.label, sum_fen, sql)]
        stages = [
            (name.strip(), int(share)) for name, _, share in (p.rpartition(":") for p in str(plan.value).split(","))
        ]
        heres = ["stage LIKE '%{}%'".format(name.replace("'", "''")) for name, _ in stages]
        parts = [
            (f"{tariff.label} {name} {share}%".strip(), sum_fen * share // 100, f"({sql} AND {here})")
            for (name, share), here in zip(stages, heres, strict=True)
        ]
        return [*parts, (tariff.label, sum_fen, f"({sql} AND NOT ({' OR '.join(heres)}))")]

    def _per(self, values: tuple[ParameterValue, ...]) -> str:
        """By the unit of the amount: 元/户 is paid once, 元/人 times those covered."""
        a_head = any("人" in one.unit for one in values)
        return "person" if a_head and self.programme.unit == "household" else "household"

    def _fen(self, amount: str, values: tuple[ParameterValue, ...], where: str) -> int:
        if len(values) == 1 and values[0].name == amount.strip():
            return fen_of(values[0])
        sum_yuan = evaluate(amount, {one.name: one.value for one in values}, where)
        if sum_yuan * 100 != (sum_yuan * 100).to_integral_value() or sum_yuan < 0:
            raise PolicyError(
                f"{where}算得 {sum_yuan} 元，不是整分的金额", "用 round(…, 2)、ceil(…) 或 floor(…) 写明怎样取整"
            )
        return int(sum_yuan * Decimal(100))

    def _condition(self, tariff: Tariff, kind: str, where: str) -> tuple[str, list[str], list[ParameterValue]]:
        """SQL of the line's condition, the parameters it wants and does not find, and those it uses."""
        guard = f"reading_kind = '{kind}'" if kind else ""
        if not tariff.when.strip():
            return guard or "TRUE", [], []
        columns = MEMBER_WORDS if tariff.per == "member" else self.columns
        words = words_of(tariff.when, where)
        # a word that is neither of the vocabulary nor a parameter is left for the compiler to name, with near words
        known = set(self.policy.parameters.names()) - columns.keys() - {"年龄", "月初年龄"}
        found = {word: self.policy.parameter_or_none(word, self.day) for word in words if word in known}
        wanting = [name for name, value in found.items() if value is None]
        if wanting:
            return "NULL", wanting, []
        values = {name: value.value for name, value in found.items() if value is not None}
        turning = self._value(tariff.turning) if tariff.turning else None
        told = str(turning.value) if turning else EITHER
        ways = [AGES[told]] if told in AGES else list(AGES.values())
        compiled = [
            compile_rule(tariff.when, {**columns, "年龄": f"({age})", "月初年龄": f"({AGES['次月']})"}, values, where=where)
            for age in (ways if "年龄" in words else ways[:1])
        ]  # fmt: skip
        sql = compiled[0]
        if len(compiled) > 1:  # 满龄当月或次月起 is a local custom: where the two differ, both are right
            sql = f"(CASE WHEN {compiled[0]} IS NOT DISTINCT FROM {compiled[1]} THEN {compiled[0]} END)"
        return (
            f"({guard} AND {sql})" if guard else sql,
            [],
            [value for value in found.values() if value is not None],
        )
