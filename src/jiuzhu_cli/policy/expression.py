"""Rules as data: one boolean expression in Chinese terms, compiled to DuckDB SQL for all rows at once.

Grammar (parsed by sqlglot, then a whitelist): words of ``vocabulary`` and parameters, numbers, 'text', true/false,
``+ - * /``, ``= <> < <= > >=``, ``and or not``, ``in (…)``, ``between … and …``, ``is [not] null``, ``like``, brackets and the functions
``coalesce least greatest round ceil floor abs``. ``≥ ≤ ≠ × ÷ 且 或 非`` and full-width signs may be typed.

Units: a rule speaks in 元. A column in 分 is given as ``fen("r.amount_fen")``, any other quotient as ``Ratio(over, under)``;
arithmetic is done on integer fractions (HUGEINT), so nothing is rounded: ``1894/3 < 632`` is decided exactly.
Three-valued: an unknown value makes the comparison NULL, and so does a division by zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.text import half_width
from jiuzhu_cli.policy.vocabulary import KINDS
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from sqlglot.exp import Expression

MAX_LENGTH = 2000
_SIGNS = {"≥": ">=", "≤": "<=", "≠": "<>", "×": "*", "÷": "/", "，": ",", "“": "'", "”": "'", "‘": "'", "’": "'"}
_WORD_OPERATORS = re.compile(r"(?<=[\s)\d'])(且|或)(?=[\s(])|(?:^|(?<=[\s(]))(非)(?=[\s(])")
_OPERATOR = {"且": "and", "或": "or", "非": "not"}
_COMPARE = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
TODO = "改正后运行 jiuzhu policy check"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A column that is ``over / under``, both SQL integers; NULL where ``under`` is not positive."""

    over: str
    under: str = "1"


def fen(sql: str) -> Ratio:
    """A column of the record in 分, read in 元."""
    return Ratio(sql, "100")


@dataclass(frozen=True, slots=True)
class _Part:
    """Compiled piece: ``plain`` SQL, and when it is a number its exact fraction. ``kind``: number, text, flag, '' unknown."""

    plain: str
    kind: str
    over: str = ""
    under: str = ""  # '' is 1
    exact: bool = False  # must be compared as a fraction


def parse(expression: str, where: str = "规则") -> Expression:
    """The syntax tree of one expression; PolicyError when it is none. Nothing is checked yet but the syntax."""
    from sqlglot.errors import SqlglotError

    if len(expression) > MAX_LENGTH:
        raise PolicyError(f"{where}太长（超过 {MAX_LENGTH} 字）", "拆成几条规则")
    try:
        trees = _trees(expression)
    except (SqlglotError, RecursionError, ValueError) as error:
        raise PolicyError(f"{where}写法有误：{shown(expression)}", "检查括号、引号和运算符；" + TODO) from error
    if len(trees) != 1 or trees[0] is None:
        raise PolicyError(f"{where}应是一条表达式：{shown(expression)}", TODO)
    return trees[0]


@lru_cache(maxsize=1024)
def _trees(expression: str) -> list[Expression | None]:
    """Parsed once: a rule is asked for its words and then compiled. Nobody changes a tree."""
    import sqlglot

    return sqlglot.parse(_typed(expression), dialect="duckdb")


def words_of(expression: str, where: str = "规则") -> list[str]:
    """Words (columns and parameters) that the expression uses, each once, in order."""
    from sqlglot import exp

    return list(dict.fromkeys(word_of(column) for column in parse(expression, where).find_all(exp.Column, bfs=False)))


def compile_rule(
    expression: str,
    columns: Mapping[str, str | Ratio],
    parameters: Mapping[str, Any],
    *,
    where: str = "规则",
    kinds: Mapping[str, str] = KINDS,
) -> str:
    """DuckDB SQL of a boolean rule. ``columns``: word → SQL (or ``Ratio``); ``parameters``: name → Decimal, bool or text.

    PolicyError naming ``where``, the word and near words: unknown word, a function or sign that is not allowed,
    text compared with a number, or an expression that is not true or false.
    """
    try:
        part = _Compiler(columns, parameters, where, kinds).compile(parse(expression, where))
    except RecursionError as error:
        raise PolicyError(f"{where}括号套得太深", "拆成几条规则") from error
    if part.kind not in ("flag", ""):
        raise PolicyError(f"{where}的结果不是真假：{shown(expression)}", "写成比较或条件，例如 年龄 >= 60")
    return f"({part.plain})"


def compile_number(
    expression: str,
    columns: Mapping[str, str | Ratio],
    parameters: Mapping[str, Any],
    *,
    where: str = "公式",
    kinds: Mapping[str, str] = KINDS,
) -> Ratio:
    """The exact fraction that an arithmetic expression comes to, for all rows: two SQL integers (HUGEINT), NULL where unknown.

    As ``compile_rule`` otherwise; a PolicyError when the expression is true or false, or text.
    """
    try:
        part = _Compiler(columns, parameters, where, kinds).compile(parse(expression, where))
    except RecursionError as error:
        raise PolicyError(f"{where}括号套得太深", "拆成几条") from error
    if part.kind not in ("number", "") or not part.over:
        raise PolicyError(f"{where}的结果不是数：{shown(expression)}", "写成算式，例如 数量 * 种植亩均年纯收入")
    return Ratio(part.over, part.under or "1")


class _Compiler:
    def __init__(
        self, columns: Mapping[str, str | Ratio], parameters: Mapping[str, Any], where: str, kinds: Mapping[str, str]
    ) -> None:
        self.columns, self.parameters, self.where, self.kinds = columns, parameters, where, kinds

    def compile(self, node: Expression) -> _Part:
        from sqlglot import exp

        if not isinstance(node, exp.Expression):  # ceil() and the like
            raise PolicyError(f"{self.where}里函数或运算符缺了内容", TODO)
        name = type(node).__name__
        if isinstance(node, exp.Paren):
            part = self.compile(node.this)
            return _Part(f"({part.plain})", part.kind, part.over, part.under, part.exact)
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Literal):
            return _text(node.this) if node.is_string else _number(self._fraction(node.this))
        if isinstance(node, exp.Boolean):
            return _Part("TRUE" if node.this else "FALSE", "flag")
        if name in _COMPARE:
            return self._compared(self.compile(node.this), _COMPARE[name], self.compile(node.expression))
        if isinstance(node, exp.And | exp.Or):
            sides = [self._flag(side) for side in (node.this, node.expression)]
            return _Part(f"({sides[0]} {name.upper()} {sides[1]})", "flag")
        if isinstance(node, exp.Not):
            return _Part(f"(NOT {self._flag(node.this)})", "flag")
        if isinstance(node, exp.Between):
            value = self.compile(node.this)
            low = self._compared(value, ">=", self.compile(node.args["low"]))
            high = self._compared(value, "<=", self.compile(node.args["high"]))
            return _Part(f"({low.plain} AND {high.plain})", "flag")
        if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
            value = self.compile(node.this)
            hits = [self._compared(value, "=", self.compile(one)).plain for one in node.expressions]
            return _Part(f"({' OR '.join(hits)})", "flag")
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            value = self.compile(node.this)
            unknown = f"({value.over}) IS NULL OR ({value.under}) IS NULL" if value.exact and value.under else None
            return _Part(f"({unknown or f'{value.plain} IS NULL'})", "flag")
        if isinstance(node, exp.Like):
            value, pattern = self.compile(node.this), self.compile(node.expression)
            if "number" in (value.kind, pattern.kind) or "flag" in (value.kind, pattern.kind):
                raise PolicyError(f"{self.where}里 like 只能用于文字", TODO)
            return _Part(f"({value.plain} LIKE {pattern.plain})", "flag")
        return self._arithmetic(node, name)

    def _arithmetic(self, node: Expression, name: str) -> _Part:
        from sqlglot import exp

        if name in ("Add", "Sub", "Mul", "Div"):
            return _combine(name, self._numeric(node.this), self._numeric(node.expression))
        if isinstance(node, exp.Neg):
            part = self._numeric(node.this)
            return _fraction(f"(-{part.over})", part.under)
        if isinstance(node, exp.Coalesce | exp.Least | exp.Greatest):
            values = [self.compile(one) for one in (node.this, *node.expressions)]
            if isinstance(node, exp.Coalesce) and not any(one.exact for one in values):
                kinds = {one.kind for one in values} - {""}
                if len(kinds) > 1:
                    raise PolicyError(f"{self.where}里 coalesce 的各项种类不同", TODO)
                plain = f"COALESCE({', '.join(one.plain for one in values)})"
                return _Part(plain, kinds.pop() if kinds else "", *_scaled(plain))
            result = self._numeric_part(values[0])
            for one in values[1:]:
                result = _choose(name, result, self._numeric_part(one))
            return result
        if isinstance(node, exp.Ceil | exp.Floor | exp.Round | exp.Abs):
            part = self._numeric(node.this)
            digits = node.args.get("decimals")
            if digits is not None and not (isinstance(digits, exp.Literal) and digits.this in tuple("0123456")):
                raise PolicyError(f"{self.where}里 {name.lower()} 的位数只能是 0 到 6", TODO)
            return _rounded(name, part, int(digits.this) if digits is not None else 0)
        written = node.name if isinstance(node, exp.Anonymous) else node.sql(dialect="duckdb")
        raise PolicyError(
            f"{self.where}用了不允许的写法：{shown(written)}",
            "只能用比较、四则、and/or/not、in、between、is null 和少数函数",
        )

    def _column(self, node: Expression) -> _Part:
        word = word_of(node)
        kind = {"money": "number", "date": "text"}.get(self.kinds.get(word, ""), self.kinds.get(word, ""))
        if word in self.columns:
            column = self.columns[word]
            if isinstance(column, Ratio):
                under = f"CASE WHEN ({column.under}) > 0 THEN CAST(({column.under}) AS HUGEINT) END"
                constant = column.under.strip().isdigit() and int(column.under) > 0
                return _fraction(f"CAST(({column.over}) AS HUGEINT)", column.under.strip() if constant else under)
            return _Part(f"({column})", kind, *_scaled(f"({column})"))
        if word in self.parameters:
            value = self.parameters[word]
            if isinstance(value, bool):
                return _Part("TRUE" if value else "FALSE", "flag")
            return _text(value) if isinstance(value, str) else _number(Fraction(value))
        known = [*self.columns, *self.parameters]
        raise PolicyError(f"{self.where}里的“{word}”不认识{near(word, known)}", "改成规则用词或参数名；" + TODO)

    def _fraction(self, text: str) -> Fraction:
        try:
            return Fraction(Decimal(text))
        except (ArithmeticError, ValueError) as error:
            raise PolicyError(f"{self.where}里的数“{shown(text)}”写法不对", TODO) from error

    def _numeric(self, node: Expression) -> _Part:
        return self._numeric_part(self.compile(node))

    def _numeric_part(self, part: _Part) -> _Part:
        if part.kind not in ("number", "") or not part.over:
            raise PolicyError(f"{self.where}里拿文字或真假去计算：{shown(part.plain)}", TODO)
        return part

    def _flag(self, node: Expression) -> str:
        part = self.compile(node)
        if part.kind not in ("flag", ""):
            raise PolicyError(f"{self.where}里 and、or、not 的一边不是真假：{shown(node.sql(dialect='duckdb'))}", TODO)
        return part.plain

    def _compared(self, left: _Part, sign: str, right: _Part) -> _Part:
        if left.kind and right.kind and left.kind != right.kind:
            raise PolicyError(
                f"{self.where}里拿不同种类的值比较：{shown(left.plain)} {sign} {shown(right.plain)}",
                "文字加引号，数不加引号；残疾等级写 1 到 4",
            )
        if not (left.exact or right.exact):
            return _Part(f"({left.plain} {sign} {right.plain})", "flag")
        left, right = self._numeric_part(left), self._numeric_part(right)
        return _Part(f"({_times(left.over, right.under)} {sign} {_times(right.over, left.under)})", "flag")


def word_of(node: Expression) -> str:
    return ".".join(part.name for part in node.parts) if hasattr(node, "parts") else node.name


def _text(value: str) -> _Part:
    return _Part("'" + value.replace("'", "''") + "'", "text")


def _number(value: Fraction) -> _Part:
    over, under = str(value.numerator), "" if value.denominator == 1 else str(value.denominator)
    if not under:
        return _Part(over, "number", f"CAST({over} AS HUGEINT)", "")
    return _Part(f"CAST('{as_decimal(value)}' AS DECIMAL(30,10))", "number", f"CAST({over} AS HUGEINT)", under)


def as_decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _scaled(sql: str) -> tuple[str, str]:
    """A plain number column as a fraction; four decimals are kept, which covers counts and 元."""
    return f"CAST(CAST({sql} AS DECIMAL(30,4)) * 10000 AS HUGEINT)", "10000"


def _fraction(over: str, under: str) -> _Part:
    return _Part(over if not under else f"(({over}) / ({under}))", "number", over, under, exact=True)


def _times(left: str, right: str) -> str:
    return left if not right else right if not left else f"(({left}) * ({right}))"


def _combine(name: str, left: _Part, right: _Part) -> _Part:
    if name == "Mul":
        return _fraction(_times(left.over, right.over), _times(left.under, right.under))
    if name == "Div":
        sign = f"CASE WHEN ({right.over}) < 0 THEN -1 ELSE 1 END"
        over = _times(_times(left.over, right.under), sign)
        return _fraction(over, _times(left.under, f"NULLIF(ABS({right.over}), 0)"))
    sign = "+" if name == "Add" else "-"
    over = f"({_times(left.over, right.under)} {sign} {_times(right.over, left.under)})"
    return _fraction(over, _times(left.under, right.under))


def _choose(name: str, left: _Part, right: _Part) -> _Part:
    if name == "Coalesce":
        first = f"({left.over}) IS NOT NULL" + (f" AND ({left.under}) IS NOT NULL" if left.under else "")
    else:
        sign = "<=" if name == "Least" else ">="
        first = f"({_times(left.over, right.under)}) {sign} ({_times(right.over, left.under)})"
    other = f"NOT ({first})"  # neither when the comparison is unknown
    over = f"CASE WHEN {first} THEN {left.over} WHEN {other} THEN {right.over} END"
    under = f"CASE WHEN {first} THEN {left.under or 1} WHEN {other} THEN {right.under or 1} END"
    return _fraction(over, under if left.under or right.under else "")


def _rounded(name: str, part: _Part, digits: int) -> _Part:
    """Whole units (or ``digits`` decimals): ceil up, floor down, round half up; negative numbers too."""
    if name == "Abs":
        return _fraction(f"ABS({part.over})", part.under)
    shift = 10**digits
    over, under = f"(({part.over}) * {shift})", part.under or "1"
    if name == "Round":
        over, under = f"(2 * {over} + ({under}))", f"(2 * ({under}))"
    elif name == "Ceil":
        over = f"(-{over})"
    # DuckDB's // cuts towards zero
    floor = f"(({over} // ({under})) - CASE WHEN {over} % ({under}) < 0 THEN 1 ELSE 0 END)"
    return _fraction(f"(-{floor})" if name == "Ceil" else floor, str(shift) if digits else "")


def _typed(expression: str) -> str:
    """Signs as people type them, outside quotes, as the grammar has them."""
    return "".join(
        piece if quoted else _WORD_OPERATORS.sub(lambda m: _OPERATOR[m.group(1) or m.group(2)], half_width(piece))
        for piece, quoted in _pieces("".join(_SIGNS.get(sign, sign) for sign in expression))
    )


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    for index, piece in enumerate(re.split(r"('(?:[^']|'')*')", text)):
        yield piece, index % 2 == 1


def shown(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
