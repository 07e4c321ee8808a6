"""Budgets (经费指标) as data: what the finance office has allotted, one entry a document, in the bureau's ``policy/budgets/*.toml``.

``[[budgets]]`` with ``id`` (unique over all files). An entry of a year and a level (中央、省、市、县) is money for the programmes it lists and
for nothing else; the order in which they stand there is the order in which they are served when it is short. Money taken back has a
negative amount. Nothing is shipped: what no file says is not known, and holds nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from jiuzhu_cli.core.errors import PolicyError, UsageError
from jiuzhu_cli.policy.funding import share_names, written_shares
from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.problem import Problem

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

FOLDER = "budgets"


class Budget(Shape):
    """``amount`` in 元, at most two decimals; ``programmes`` by code, name or alias."""

    id: str
    name: str
    document: str  # 文号
    issued: date  # 下达日期
    year: int = Field(gt=1990, lt=2200)
    level: Literal["中央", "省", "市", "县"]
    programmes: tuple[str, ...]
    amount: Decimal
    note: str = ""

    @field_validator("amount")
    @classmethod
    def _whole_fen(cls, value: Decimal) -> Decimal:
        if not value.is_finite() or value * 100 != (value * 100).to_integral_value():
            raise ValueError("应是元，最多两位小数")
        return value

    @property
    def amount_fen(self) -> int:
        return int(self.amount * 100)


def read_budgets(tables: Iterable[tuple[str, dict[str, Any]]], make: Callable[..., Budget]) -> tuple[Budget, ...]:
    """All entries by day of issue and ``id``. PolicyError for an ``id`` written twice or a list that is none."""
    found: dict[str, Budget] = {}
    for shown, table in tables:
        entries = table.get(FOLDER, [])
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise PolicyError(f"政策文件 {shown} 的 {FOLDER} 应是列表", f"写成 [[{FOLDER}]]")
        for entry in entries:
            one = make(Budget, entry, shown, str(entry.get("id", FOLDER)))
            if one.id in found:
                raise PolicyError(
                    f"政策文件 {shown} 的指标“{one.id}”在 {found[one.id].file} 里已经写过", "每条各用一个 id"
                )
            found[one.id] = one
    return tuple(sorted(found.values(), key=lambda one: (one.issued, one.id)))


def codes_of(policy: Policy, budget: Budget) -> tuple[str, ...]:
    """The codes of its programmes, in its order. PolicyError for a name that is no programme."""
    try:
        return tuple(dict.fromkeys(policy.programme(name).code for name in budget.programmes))
    except UsageError as error:
        raise PolicyError(f"{budget.at(f'指标 {budget.id}')}：{error.message}", error.todo) from error


def check_budgets(policy: Policy, today: date) -> Iterator[Problem]:
    """Programmes that do not exist or are never paid, entries without any, amounts of nothing, more taken back than given."""
    totals: dict[tuple[int, str, frozenset[str]], int] = {}
    last: dict[tuple[int, str, frozenset[str]], Budget] = {}
    for one in policy.budgets:
        where = one.at(f"指标 {one.id}")
        if not one.programmes:
            yield Problem("error", where, "programmes 是空的：写明用于哪些救助项目")
            continue
        try:
            codes = codes_of(policy, one)
        except PolicyError as error:
            yield Problem("error", where, error.message.removeprefix(f"{where}："))
            continue
        for code in codes:
            if not policy.programmes[code].payment.payable:
                yield Problem("warning", where, f"“{policy.programmes[code].name}”不由本系统发放，这笔指标用不到它")
        if not one.amount:
            yield Problem("warning", where, "金额是 0")
        if one.issued.year not in (one.year - 1, one.year, one.year + 1):
            yield Problem("warning", where, f"{one.issued} 下达，却是 {one.year} 年的指标，年度写对了吗")
        key: tuple[int, str, frozenset[str]] = (one.year, one.level, frozenset(codes))
        totals[key] = totals.get(key, 0) + one.amount_fen
        last[key] = one
    for key, fen in totals.items():
        if fen < 0:
            text = f"{key[0]} 年{key[1]}级同样用途的指标合计是负数：收回的一笔要与下达的写同样的 programmes"
            yield Problem("error", last[key].at(f"指标 {last[key].id}"), text)


def check_shares(policy: Policy, today: date) -> Iterator[Problem]:
    """Shares of a programme that come to more than 100 % on some day, or fall below 0: then nobody is known to pay."""
    known = set(policy.parameters.names())
    for programme in policy.programmes.values():
        names = [name for name in share_names(programme.name) if name in known]
        told: set[str] = set()
        for day in sorted(policy.parameters.changes(names)):
            for kind in ("城市", "农村"):
                values = written_shares(policy, programme.name, kind, f"{day:%Y-%m}").values()
                percents = [Decimal(str(value.value)) for value in values]
                if (sum(percents) > 100 or min(percents, default=Decimal(0)) < 0) and programme.code not in told:
                    told.add(programme.code)
                    where = next(iter(values)).file
                    text = f"“{programme.name}”的资金分担比例在 {day} 合计 {sum(percents)}%，超过 100% 或有负数：按没有写处理"
                    yield Problem("error", where, text)
