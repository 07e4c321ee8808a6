"""DuckDB's SQL as Spark says it: sqlglot translates; here are the few things that it does not know.

Statements are written once, for DuckDB. What stands in ``docs/dev/contracts.md`` under portable SQL passes unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp, parse
from sqlglot.errors import ErrorLevel

# name of a macro → names of its parameters, and its body
Macros = Mapping[str, tuple[list[str], exp.Expression]]


def parse_duckdb(sql: str) -> list[Any]:
    """The statements of ``sql`` as trees."""
    return [tree for tree in parse(sql, read="duckdb") if tree is not None]


def spark_sql(tree: exp.Expression, macros: Macros) -> str:
    """One query as Spark SQL, macros written out. sqlglot's UnsupportedError for what has no counterpart."""
    tree = _without_macros(tree.copy(), macros)
    tree = _without_qualify(tree)
    for kind in tree.find_all(exp.DataType):
        _whole(kind)
    return tree.sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)


def spark_type(kind: exp.DataType) -> str:
    """``VARCHAR`` → ``STRING`` …"""
    return _whole(kind.copy()).sql(dialect="spark")


def _whole(kind: exp.DataType) -> exp.DataType:
    """HUGEINT, in which amounts are compared exactly: as many figures as Spark's decimals have. Types of the snapshot's own are text."""
    if kind.this == exp.DataType.Type.USERDEFINED:
        kind.set("this", exp.DataType.Type.TEXT)
        kind.set("kind", None)
    if kind.this in (exp.DataType.Type.INT128, exp.DataType.Type.UINT128):
        kind.set("this", exp.DataType.Type.DECIMAL)
        kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in (38, 0)])
    return kind


def _without_macros(tree: exp.Expression, macros: Macros) -> exp.Expression:
    while True:
        calls = [call for call in tree.find_all(exp.Anonymous) if call.name.lower() in macros]
        if not calls:
            return tree
        call = calls[-1]  # the innermost comes last
        names, body = macros[call.name.lower()]
        given = dict(zip(names, call.expressions, strict=True))
        written = body.copy()
        for column in list(written.find_all(exp.Column)):
            if not column.table and column.name in given:
                column.replace(exp.paren(given[column.name].copy()))
        call.replace(exp.paren(written))


def macro(tree: exp.Create) -> tuple[str, list[str], exp.Expression]:
    """Name, parameters and body of ``CREATE MACRO name(a, b) AS …``."""
    head = tree.this
    return head.this.name.lower(), [parameter.name for parameter in head.expressions], tree.expression


def _without_qualify(tree: exp.Expression) -> exp.Expression:
    """QUALIFY as a filter around the query, on a column that is left out again. Columns of one name stay apart."""
    for query in reversed(list(tree.find_all(exp.Select))):  # the innermost first
        qualify = query.args.get("qualify")
        if qualify is None:
            continue
        inner = query.copy()
        for part in ("qualify", "with_", "order", "limit", "distinct"):
            inner.set(part, None)
        kept = exp.alias_(exp.paren(qualify.this.copy()), _KEPT)
        inner.set("expressions", [*inner.expressions, kept])
        star = exp.Star(except_=[exp.to_identifier(_KEPT)])
        outer = exp.Select(expressions=[star]).from_(inner.subquery("_q")).where(exp.column(_KEPT))
        for part in ("with_", "order", "limit", "distinct"):
            outer.set(part, query.args.get(part))
        if query is tree:
            tree = outer
        else:
            query.replace(outer)
    return tree


_KEPT = "_kept"


def query_sql(query: str) -> str:
    """One query; its last ORDER BY is left out, for parts are put in order where it counts."""
    tree = parse_duckdb(query)[0]
    tree.set("order", None)
    return spark_sql(tree, {})
