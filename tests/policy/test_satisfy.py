"""Conditions that hold for nobody or everybody: what is decided agrees with asking DuckDB of every combination of values."""

from __future__ import annotations

import random

import duckdb
import pytest

from jiuzhu_cli.policy.expression import compile_rule, words_of
from jiuzhu_cli.policy.satisfy import Conditions


@pytest.mark.parametrize(
    ("text", "can_hold", "can_fail"),
    [
        ("年龄 >= 60 and 年龄 < 18", False, True),
        ("年龄 > 17 and 年龄 < 18", False, True),  # ages are whole
        ("家庭人均月收入 > 17 and 家庭人均月收入 < 18", True, True),
        ("残疾等级 = 5", False, True),
        ("残疾等级 <= 4", True, False),
        ("残疾等级 is null and 残疾等级 = 1", False, True),
        ("残疾等级 is null or 残疾等级 is not null", True, False),
        ("残疾类别 = '智力' and 残疾类别 in ('精神', '肢体')", False, True),
        ("持残疾证 or not 持残疾证", True, False),
        ("not (持残疾证 and 在读) and 持残疾证 and 在读", False, True),
        ("年龄 between 16 and 59 and 年龄 in (60, 61)", False, True),
        ("coalesce(换证间隔月数, 99) < 3 and 换证间隔月数 is null", False, True),
        ("家庭月收入 * 2 < 金额 and 家庭月收入 * 2 > 金额", False, True),
        ("家庭月收入 * 2 < 金额 and 金额 > 3", True, True),
        ("对象类型 like '%独居%' and not (对象类型 like '%独居%')", False, True),
        ("对象类型 like '%独居%' and 对象类型 like '%孤寡%'", True, True),
        ("月初年龄 > 年龄 and 年龄 > 同户他人 and 同户他人 > 月初年龄", False, True),
        ("金额 < 0", False, True),
        ("名册残疾等级 <> 残疾等级 and 名册残疾等级 < 残疾等级 and 残疾等级 = 1", False, True),
    ],
)
def test_what_can_be(text: str, can_hold: bool, can_fail: bool) -> None:
    conditions = Conditions({})
    assert conditions.possible([(text, True)]) is can_hold
    assert conditions.possible([(text, False)]) is can_fail


def test_a_parameter_stands_for_any_value_or_for_its_own() -> None:
    text = "年龄 >= 高龄起始年龄"
    assert Conditions({"高龄起始年龄": None}).possible([(text, True)]) is True
    assert Conditions({"高龄起始年龄": 800}).possible([(text, True)]) is False
    both = [("金额 >= 标准", True), ("金额 < 标准", True)]
    assert Conditions({"标准": None}).possible(both) is False


def test_too_many_ways_are_not_decided() -> None:
    text = " and ".join(f"(年龄 = {n} or 年龄 = {n + 100})" for n in range(20))
    assert Conditions({}).possible([(text, True)]) is None


def _expression(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.2:
        money, other = draw.sample(["金额", "家庭金融资产"], 2)
        atoms = [
            f"{money} {draw.choice(['<', '<=', '>', '>=', '=', '<>'])} {draw.randint(0, 3)}",
            f"{money} {draw.choice(['<', '<=', '=', '<>'])} {other}",
            f"残疾等级 {draw.choice(['<', '<=', '=', '<>', '>'])} {draw.randint(0, 5)}",
            "持残疾证",
            f"{money} is null",
            f"coalesce({money}, {draw.randint(0, 2)}) > {draw.randint(0, 3)}",
            f"残疾等级 in ({draw.randint(1, 3)}, {draw.randint(2, 5)})",
        ]
        return draw.choice(atoms)
    sides = _expression(draw, depth - 1), _expression(draw, depth - 1)
    return draw.choice([f"({sides[0]} and {sides[1]})", f"({sides[0]} or {sides[1]})", f"not ({sides[0]})"])


def test_it_agrees_with_every_combination_of_values() -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE amount AS SELECT unnest([NULL, " + ", ".join(str(n / 4) for n in range(17)) + "])::DOUBLE AS m"
    )
    connection.execute(
        "CREATE TABLE every AS SELECT a.m AS first, b.m AS second, g.g, f.f FROM amount a, amount b,"
        " (SELECT unnest([NULL, 1, 2, 3, 4]) AS g) g, (SELECT unnest([NULL, true, false]) AS f) f"
    )
    columns = {"金额": "first", "家庭金融资产": "second", "残疾等级": "g", "持残疾证": "f"}
    draw = random.Random(7)
    impossible = 0
    for _ in range(150):
        text = _expression(draw, 4)
        sql = compile_rule(text, columns, {})
        held, failed = connection.execute(
            f"SELECT coalesce(bool_or({sql}), false), coalesce(bool_or(NOT {sql}), false) FROM every"
        ).fetchall()[0]
        conditions = Conditions({})
        assert set(words_of(text)) <= columns.keys()
        found = conditions.possible([(text, True)]), conditions.possible([(text, False)])
        assert all(one is None or one == truth for one, truth in zip(found, (held, failed), strict=True)), text
        impossible += found.count(False)
    assert impossible > 10  # the comparison has something to compare
