"""Rules: what they decide, what they refuse, and that arithmetic is exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.expression import Ratio, compile_rule, fen, words_of
from jiuzhu_cli.policy.formula import check_units, evaluate

COLUMNS: dict[str, str | Ratio] = {
    "家庭人均月收入": Ratio("income_fen", "100 * persons"),
    "金额": fen("income_fen"),
    "年龄": "age",
    "残疾类别": "kind",
    "残疾等级": "grade",
    "持残疾证": "certified",
    "家庭人口": "persons",
}
PARAMETERS: dict[str, Any] = {"低保标准": Decimal(632), "倍数": Decimal("1.5"), "开关": True, "农村名": "农村"}


def decide(expression: str, **row: Any) -> bool | None:
    values = {"income_fen": None, "persons": None, "age": None, "kind": None, "grade": None, "certified": None} | row
    types = {"kind": "VARCHAR", "certified": "BOOLEAN"}
    columns = ", ".join(f"CAST(? AS {types.get(name, 'BIGINT')}) AS {name}" for name in values)
    sql = f"SELECT {compile_rule(expression, COLUMNS, PARAMETERS)} FROM (SELECT {columns})"
    found = duckdb.execute(sql, list(values.values())).fetchone()
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("expression", "row", "result"),
    [
        ("家庭人均月收入 < 低保标准", {"income_fen": 189599, "persons": 3}, True),
        ("家庭人均月收入 < 低保标准", {"income_fen": 189600, "persons": 3}, False),
        ("家庭人均月收入 * 3 = 1894", {"income_fen": 189400, "persons": 3}, True),  # (1894/3)*3, not 1894.000…1
        ("家庭人均月收入 < 低保标准", {"income_fen": 189599, "persons": 0}, None),
        ("家庭人均月收入 < 低保标准", {"persons": 3}, None),
        ("家庭人均月收入 <= 低保标准 * 倍数", {"income_fen": 94800, "persons": 1}, True),
        ("金额 > 0.1 + 0.2", {"income_fen": 30}, False),
        ("ceil(金额 / 3) = 4", {"income_fen": 1001}, True),
        ("floor(-金额) = -11", {"income_fen": 1001}, True),
        ("round(金额, 1) = 10.1", {"income_fen": 1005}, True),
        ("least(金额, 低保标准) = 632", {"income_fen": 70000}, True),
        ("greatest(金额, 低保标准) = 632", {}, None),
        ("coalesce(金额, 0) = 0", {}, True),
        ("金额 is null", {}, True),
        ("金额 / 家庭人口 is null", {"income_fen": 3, "persons": 0}, True),
        ("1 / (家庭人口 - 3) < 0", {"persons": 1}, True),
        ("残疾等级 <= 2 or (残疾等级 = 3 and 残疾类别 in ('智力', '精神'))", {"grade": 3, "kind": "精神"}, True),
        ("残疾等级 <= 2 or (残疾等级 = 3 and 残疾类别 in ('智力', '精神'))", {"grade": 3, "kind": "肢体"}, False),
        ("持残疾证 and 开关", {"certified": True}, True),
        ("not 持残疾证", {}, None),
        ("残疾类别 = 农村名", {"kind": "农村"}, True),
        ("残疾类别 like '%力%'", {"kind": "听力"}, True),
        ("年龄 between 60 and 79", {"age": 79}, True),
        ("（年龄 ≥ 80） 且 非 (年龄 ≥ 90)", {"age": 80}, True),
        ("年龄 ≥ 80 或 残疾类别 ＝ '且（）'", {"age": 1, "kind": "且（）"}, True),
        ("残疾类别 = 'O''Neil; --'", {"kind": "O'Neil; --"}, True),
    ],
)
def test_rules_decide(expression: str, row: dict[str, Any], result: bool | None) -> None:
    assert decide(expression, **row) is result


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("年岁 > 3", "年龄"),
        ("残疾类别 = 3", "不同种类"),
        ("残疾等级 = '一级'", "不同种类"),
        ("年龄", "不是真假"),
        ("年龄 and 持残疾证", "不是真假"),
        ("残疾类别 + 1 > 2", "计算"),
        ("年龄 > 1; select 1", "一条表达式"),
        ("(select 1)", "不允许"),
        ("年龄 in (select 1)", "不允许"),
        ("exists(select 1)", "不允许"),
        ("drop table roll", "不允许"),
        ("read_text('x') = 'a'", "不允许"),
        ("getenv('HOME') = 'a'", "不允许"),
        ("年龄::text = 'a'", "不允许"),
        ("case when 年龄 > 1 then true end", "不允许"),
        ("*", "不允许"),
        ("((((", "写法有误"),
        ("", "一条表达式"),
        ("'", "写法有误"),
        ("(" * 900 + "年龄 > 1" + ")" * 900, ""),
        ("年龄 > 1 or " * 300 + "true", "太长"),
        ("round(年龄, 100000) > 1", "位数"),
    ],
)
def test_rules_refuse_everything_else(expression: str, words: str) -> None:
    with pytest.raises(PolicyError) as error:
        compile_rule(expression, COLUMNS, PARAMETERS, where="规则“测试”")
    assert words in error.value.message and "测试" in error.value.message


def test_words_are_listed_once_in_order() -> None:
    assert words_of("年龄 > 高龄起始年龄 and 年龄 < 100") == ["年龄", "高龄起始年龄"]


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("ceil(标准 * 1.3)", "822"),
        ("round(标准 / 3, 2)", "210.67"),
        ("floor(标准 / 3)", "210"),
        ("greatest(标准, 700) - 0.5", "699.5"),
        ("least(标准, 700)", "632"),
        ("-标准 + 1", "-631"),
        ("round(-2.5)", "-2"),
    ],
)
def test_formulas(formula: str, value: str) -> None:
    assert evaluate(formula, {"标准": Decimal(632)}) == Decimal(value)


@pytest.mark.parametrize("formula", ["标准 / 7", "标准 / 0", "标准 > 1", "没有 + 1", "round(标准, 标准)", "abs(标准)"])
def test_formulas_refuse(formula: str) -> None:
    with pytest.raises(PolicyError):
        evaluate(formula, {"标准": Decimal(632)})


@pytest.mark.parametrize(
    ("expression", "sound"),
    [
        ("钱 < 钱 * 数", True),
        ("钱 / 数 < 钱", True),
        ("钱 / 钱 < 数", True),
        ("钱 <= 500", True),
        ("钱 between 1 and 2 and 数 in (1, 2)", True),
        ("钱 < 数", False),
        ("钱 + 数 > 0", False),
        ("钱 * 钱 > 1", False),
        ("coalesce(钱, 数) > 1", False),
    ],
)
def test_units_are_not_mixed(expression: str, sound: bool) -> None:
    if sound:
        check_units(expression, {"钱"}, {"钱", "数"})
    else:
        with pytest.raises(PolicyError, match="混用"):
            check_units(expression, {"钱"}, {"钱", "数"})
