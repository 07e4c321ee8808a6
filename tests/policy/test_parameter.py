"""Dated values: which one answers, and what is said when none does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.load import Policy, load_policy

BASE = """
[[parameter]]
name = "甲"
area = "%s"
unit = "元/人/月"
source = "某府发〔2026〕1号"
values = [%s]
"""


def policy_with(folder: Path, text: str, region: str = "421002") -> Policy:
    (folder / "parameters").mkdir(exist_ok=True)
    (folder / "parameters" / "local.toml").write_text(text, "utf-8")
    return load_policy(folder, region=region)


@pytest.mark.parametrize(
    ("day", "value"),
    [((2026, 1, 1), "100.5"), ((2026, 6, 30), "100.5"), ((2026, 7, 1), "120"), ((2027, 1, 1), "120")],
)
def test_the_value_of_the_day(tmp_path: Path, day: tuple[int, int, int], value: str) -> None:
    policy = policy_with(
        tmp_path, BASE % ("421002", "{ since = 2026-01-01, value = 100.50 }, { since = 2026-07-01, value = 120 }")
    )
    found = policy.parameter("甲", date(*day))
    assert found.value == Decimal(value) and found.source == "某府发〔2026〕1号"


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2026, 7, 1), date(2026, 7, 31)])
def test_before_the_first_and_in_a_gap_there_is_no_value(tmp_path: Path, day: date) -> None:
    values = "{ since = 2026-01-01, until = 2026-06-30, value = 1 }, { since = 2026-08-01, value = 2 }"
    policy = policy_with(tmp_path, BASE % ("421002", values))
    with pytest.raises(PolicyError, match="没有值"):
        policy.parameter("甲", day)
    assert policy.parameter_or_none("甲", day) is None


def test_the_nearest_area_decides_alone(tmp_path: Path) -> None:
    text = BASE % ("", "{ since = 2020-01-01, value = 1 }") + BASE % ("4210", "{ since = 2026-01-01, value = 2 }")
    policy = policy_with(tmp_path, text)
    assert policy.parameter("甲", date(2026, 2, 1)).value == 2
    assert policy.parameter("甲", date(2026, 2, 1), area="110101").value == 1
    with pytest.raises(PolicyError):
        policy.parameter("甲", date(2025, 2, 1))  # never the nation's value before the city's first


def test_a_bureau_overrides_one_value_by_name_area_and_date(tmp_path: Path) -> None:
    text = '[[parameter]]\nname = "低保标准_农村"\narea = "421002"\nunit = "元/人/月"\nsource = "区文"\nvalues = [{ since = 2026-07-01, value = 655 }]\n'
    policy = policy_with(tmp_path, text)
    assert policy.parameter("低保标准_农村", date(2026, 6, 1)).value == 585
    now = policy.parameter("低保标准_农村", date(2026, 7, 1))
    assert (now.value, now.source, now.confirmed) == (655, "区文", True)
    assert policy.parameter("特困基本生活标准_农村", date(2026, 7, 1)).value == 852  # 655 × 1.3 = 851.5, up


def test_a_formula_carries_the_doubt_of_its_inputs(tmp_path: Path) -> None:
    text = BASE % ("421002", '{ since = 2026-01-01, formula = "round(低保标准_城市 * 0.6, 2)" }')
    found = policy_with(tmp_path, text).parameter("甲", date(2026, 8, 1))
    assert found.value == 456 and found.formula and not found.confirmed and found.amount_fen == 45600


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ('{ since = 2026-01-01, formula = "甲 * 2" }', "绕成了圈"),
        ('{ since = 2026-01-01, formula = "低保标准_农寸 * 2" }', "低保标准_农村"),
        ('{ since = 2026-01-01, formula = "低保标准_农村 / 7" }', "除不尽"),
        ('{ since = 2026-01-01, formula = "低保标准_农村 /" }', "写法有误"),
        ('{ since = 2026-01-01, formula = "危改拨付计划 * 2" }', "不是数值参数"),
    ],
)
def test_bad_formulas_say_why(tmp_path: Path, values: str, words: str) -> None:
    policy = policy_with(tmp_path, BASE % ("421002", values))
    with pytest.raises(PolicyError) as error:
        policy.parameter("甲", date(2026, 8, 1))
    assert words in error.value.message


def test_unknown_names_offer_near_ones() -> None:
    with pytest.raises(PolicyError) as error:
        load_policy(region="421002").parameter("低保标准农村", date(2026, 1, 1))
    assert "低保标准_农村" in error.value.message
