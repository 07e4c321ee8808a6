"""Rules: whatever is typed either compiles to SQL that DuckDB takes or is a PolicyError; arithmetic is that of fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.expression import Ratio, compile_rule, fen
from jiuzhu_cli.policy.formula import evaluate

COLUMNS: dict[str, str | Ratio] = {
    "金额": fen("a"),
    "人均": Ratio("a", "100 * n"),
    "年龄": "n",
    "类别": "k",
    "持残疾证": "f",
}
PARAMETERS = {"标准": Decimal("632.5"), "开关": True}
WORDS = [*COLUMNS, *PARAMETERS, "没有的词", "1", "0", "2.5", "'农村'", "null", "true", "select", "from", "年龄"]
SIGNS = [
    "+",
    "-",
    "*",
    "/",
    "=",
    "<",
    ">=",
    "<>",
    "and",
    "or",
    "not",
    "in",
    "between",
    "is",
    "like",
    "(",
    ")",
    ",",
    ";",
    "::",
    "且",
    "非",
    "--",
]
FUNCTIONS = ["coalesce(", "least(", "round(", "ceil(", "abs(", "sum(", "getenv("]
CONNECTION = duckdb.connect()
CONNECTION.execute(
    "CREATE TABLE t AS SELECT * FROM (VALUES (189400, 3, '农村', true), (0, 0, NULL, NULL), (NULL, NULL, '城市', false)) v(a, n, k, f)"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS + SIGNS + FUNCTIONS), min_size=1, max_size=12))
def test_any_words_compile_or_are_refused(pieces: list[str]) -> None:
    try:
        sql = compile_rule(" ".join(pieces), COLUMNS, PARAMETERS)
    except PolicyError as error:
        assert error.todo
        return
    for (found,) in CONNECTION.execute(f"SELECT {sql} FROM t").fetchall():
        assert found in (True, False, None)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        compile_rule(text, COLUMNS, PARAMETERS)
    except PolicyError:
        return


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**12),
    st.integers(1, 30),
    st.decimals("0.01", "9999.99", places=2),
    st.decimals("0.1", "9.9", places=1),
    st.sampled_from(["<", "<=", "=", ">=", ">"]),
)
def test_comparison_is_exact(fen_sum: int, persons: int, standard: Decimal, times: Decimal, sign: str) -> None:
    sql = compile_rule(f"人均 {sign} 标准 * 倍数", {"人均": Ratio("a", "100 * n")}, {"标准": standard, "倍数": times})
    left, right = Fraction(fen_sum, 100 * persons), Fraction(standard) * Fraction(times)
    expected = {"<": left < right, "<=": left <= right, "=": left == right, ">=": left >= right, ">": left > right}[
        sign
    ]
    row = duckdb.execute(f"SELECT {sql} FROM (SELECT ?::BIGINT AS a, ?::BIGINT AS n)", [fen_sum, persons]).fetchone()
    assert row is not None and row[0] is expected


@settings(max_examples=150, deadline=None)
@given(
    st.integers(-(10**8), 10**8), st.integers(1, 999), st.sampled_from(["ceil", "floor", "round"]), st.integers(0, 3)
)
def test_sql_and_formulas_round_alike(over: int, under: int, how: str, digits: int) -> None:
    call = f"{how}(值, {digits})" if digits and how == "round" else f"{how}(值)"
    expected = evaluate(call.replace("值", f"甲 / {under}"), {"甲": over})
    sql = compile_rule(f"{call} = {expected}", {"值": Ratio("a", str(under))}, {})
    row = duckdb.execute(f"SELECT {sql} FROM (SELECT ?::BIGINT AS a)", [over]).fetchone()
    assert row is not None and row[0] is True
