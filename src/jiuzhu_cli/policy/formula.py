"""Formulas of parameters (``ceil(低保标准_农村 * 1.3)``), computed exactly; and the check that units are not mixed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.expression import TODO, as_decimal, parse, shown, word_of
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from sqlglot.exp import Expression


def evaluate(expression: str, numbers: Mapping[str, Any], where: str = "公式") -> Decimal:
    """The exact value of an arithmetic formula over ``numbers``; PolicyError when it does not come out in ≤ 6 decimals."""
    value = _Evaluator(numbers, where).value(parse(expression, where))
    if (value * 10**6).denominator != 1:
        raise PolicyError(f"{where}除不尽：{shown(expression)}", "用 round(…, 2)、ceil(…) 或 floor(…) 写明怎样取整")
    return as_decimal(value)


def exactly(node: Expression, numbers: Mapping[str, Any], where: str = "公式") -> Fraction:
    """The value of a part of an expression that needs nothing but ``numbers``; PolicyError when it needs more."""
    return _Evaluator(numbers, where).value(node)


class _Evaluator:
    def __init__(self, numbers: Mapping[str, Any], where: str) -> None:
        self.numbers, self.where = numbers, where

    def value(self, node: Expression) -> Fraction:
        from sqlglot import exp

        if not isinstance(node, exp.Expression):
            raise PolicyError(f"{self.where}里函数或运算符缺了内容", TODO)
        if isinstance(node, exp.Paren):
            return self.value(node.this)
        if isinstance(node, exp.Neg):
            return -self.value(node.this)
        if isinstance(node, exp.Literal) and not node.is_string:
            return Fraction(node.this)
        if isinstance(node, exp.Column):
            word = word_of(node)
            found = self.numbers.get(word)
            if not isinstance(found, Decimal | int) or isinstance(found, bool):
                raise PolicyError(f"{self.where}里的“{word}”不是数值参数{near(word, self.numbers)}", TODO)
            return Fraction(found)
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
            left, right = self.value(node.this), self.value(node.expression)
            if isinstance(node, exp.Div) and right == 0:
                raise PolicyError(f"{self.where}除以了零", TODO)
            name = type(node).__name__
            return (
                left + right
                if name == "Add"
                else left - right
                if name == "Sub"
                else left * right
                if name == "Mul"
                else left / right
            )
        if isinstance(node, exp.Least | exp.Greatest):
            values = [self.value(one) for one in (node.this, *node.expressions)]
            return min(values) if isinstance(node, exp.Least) else max(values)
        if isinstance(node, exp.Ceil | exp.Floor | exp.Round):
            digits = node.args.get("decimals")
            if digits is not None and not (isinstance(digits, exp.Literal) and digits.this in tuple("0123456")):
                raise PolicyError(f"{self.where}里取整的位数只能是 0 到 6", TODO)
            shift = 10 ** int(digits.this) if digits is not None else 1
            scaled = self.value(node.this) * shift
            floor = (scaled if isinstance(node, exp.Floor) else scaled + Fraction(1, 2)).__floor__()
            return Fraction(-((-scaled).__floor__()) if isinstance(node, exp.Ceil) else floor, shift)
        raise PolicyError(f"{self.where}用了不允许的写法：{shown(node.sql(dialect='duckdb'))}", TODO)


def check_units(expression: str, money: Collection[str], words: Collection[str], where: str = "规则") -> None:
    """PolicyError when the expression adds or compares amounts (元) with bare quantities; literals may be either."""
    _Units(money, words, where).of(parse(expression, where))


class _Units:
    def __init__(self, money: Collection[str], words: Collection[str], where: str) -> None:
        self.money, self.words, self.where = money, words, where

    def of(self, node: Expression) -> str:
        """``money``, ``number`` or ``''`` (literals, text, truth values)."""
        from sqlglot import exp

        if isinstance(node, exp.Column):
            return "money" if word_of(node) in self.money else "number"
        parts = [self.of(child) for child in node.iter_expressions()]
        units = {unit for unit in parts if unit}
        if isinstance(node, exp.Mul | exp.Div):
            if isinstance(node, exp.Mul):
                if parts == ["money", "money"]:
                    self._refuse(node)
                return "money" if "money" in units else "number" if units else ""
            return ("number" if parts[1] == "money" else "money") if parts[0] == "money" else "number" if units else ""
        mixed = isinstance(
            node, exp.Add | exp.Sub | exp.Predicate | exp.Between | exp.Least | exp.Greatest | exp.Coalesce
        )
        if mixed and not isinstance(node, exp.Connector) and len(units) > 1:
            self._refuse(node)
        if isinstance(node, exp.Predicate | exp.Between | exp.Connector | exp.Not):
            return ""
        return units.pop() if len(units) == 1 else ""

    def _refuse(self, node: Expression) -> None:
        raise PolicyError(
            f"{self.where}里金额（元）和数混用：{shown(node.sql(dialect='duckdb'))}",
            "金额只能和金额相加减、相比较；倍数用乘",
        )
