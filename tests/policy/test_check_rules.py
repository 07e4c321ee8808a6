"""``policy check`` on rules, relations, floors and dates: every fault is told with its file, nothing is told of what is shipped."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.check_parameters import check_months
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.policy.problem import Problem
from tests.policy.test_files import write

TODAY = date(2026, 11, 21)
REGIONS = ["", "421002", "230321", "231025", "640502", "110101"]


def check(folder: Path, region: str = "421002") -> list[Problem]:
    return check_policy(load_policy(folder, region=region), TODAY)


def relation(id_: str, a: str, b: str, kind: str, **more: str) -> str:
    lines = [
        f"{key} = {value if key in ('since', 'until') else chr(34) + value + chr(34)}" for key, value in more.items()
    ]
    return (
        f'[[relations]]\nid = "{id_}"\na = "{a}"\nb = "{b}"\nkind = "{kind}"\nbasis = "文"\n' + "\n".join(lines) + "\n"
    )


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("day", [date(2024, 6, 1), date(2026, 6, 30), date(2026, 7, 1), date(2026, 11, 21)])
def test_nothing_is_said_of_the_shipped_rules(region: str, day: date) -> None:
    said = [one for one in check_policy(load_policy(region=region), day) if "没有值" not in one.text]
    assert said == []


RULE = '[[rules]]\nname = "甲"\nexpression = "{0}"\nmessage = "不行"\nsource = "文"\n'


@pytest.mark.parametrize(
    ("name", "text", "level", "words"),
    [
        ("programmes/legal_aid.toml", RULE.format("年龄 < 16 and 年龄 >= 60"), "error", ["policy/programmes/legal_aid.toml", "甲", "不会成立"]),
        ("programmes/legal_aid.toml", RULE.format("残疾等级 >= 1"), "warning", ["legal_aid.toml", "总是成立"]),
        ("programmes/legal_aid.toml", RULE.format("残疾类别 = '智障'"), "warning", ["智障", "残疾类别"]),
        ("programmes/subsistence_allowance.toml", RULE.format("类别 = '城镇'"), "warning", ["城镇", "类别"]),
        ("programmes/legal_aid.toml", RULE.format("年令 < 3"), "error", ["legal_aid.toml", "甲", "年令", "年龄"]),
        ("programmes/legal_aid.toml", RULE.format("年龄 < 特困老年起岁"), "error", ["legal_aid.toml", "特困老年起岁", "特困老年起龄"]),
        ("checks.toml", '[[checks]]\nid = "E04"\nwhen = "月初年龄 < 10 and 月初年龄 > 20"\n', "error", ["policy/checks.toml", "E04", "不会成立"]),
        ("checks.toml", '[[checks]]\nid = "E04"\nwhen = "月处年龄 < 10"\n', "error", ["policy/checks.toml", "E04", "月处年龄", "月初年龄"]),
        ("relations.toml", relation("Z1", "legal_aid", "rehabilitation", "X", when="年龄 = 3 and 年龄 = 4"), "error", ["policy/relations.toml", "Z1"]),
        ("relations.toml", relation("Z1", "subsistence_allowance", "extreme_poverty_support", "S"), "error", ["Z1", "A01", "矛盾", "互斥", "可叠加"]),
        ("relations.toml", relation("Z1", "extreme_poverty_support", "subsistence_allowance", "E"), "error", ["Z1", "A01", "矛盾"]),
        ("relations.toml", relation("Z1", "elder_care_subsidy", "disability_care_subsidy", "X"), "error", ["Z1", "A21", "择高"]),
        ("relations.toml", relation("Z1", "de_facto_orphan_allowance", "disability_living_subsidy", "S", when="金额 < 100"), "error", ["Z1", "A15b", "补差"]),
        ("relations.toml", relation("Z1", "disability_living_subsidy", "de_facto_orphan_allowance", "S", when="乙金额 > 5000"), "error", ["Z1", "A15"]),
        ("relations.toml", relation("Z1", "extreme_poverty_support", "subsistence_allowance", "X"), "warning", ["Z1", "A01", "重复"]),
        ("events.toml", '[[events]]\nid = "Z1"\nname = "某"\nper = "case"\nrank = 5\naction = "check"\nwhen = "年龄 < 1 and 年龄 > 2"\nsource = "文"\n', "error", ["policy/events.toml", "Z1", "不会成立"]),
        ("floor.toml", "", "error", ["floors.toml"]),
        ("floors.toml", '[[floor]]\nid = "Z"\n', "error", ["policy/floors.toml", "floor", "floors"]),
        ("floors.toml", '[[floors]]\nid = "Z"\nparameter = "低保标准-农村"\nat_least = "1"\nsource = "文"\n', "error", ["policy/floors.toml", "低保标准_农村"]),
        ("floors.toml", '[[floors]]\nid = "Z"\nparameter = "低保标准_农村"\nat_least = "低保标准_成市"\nsource = "文"\n', "error", ["policy/floors.toml", "低保标准_成市", "低保标准_城市"]),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_file(tmp_path: Path, name: str, text: str, level: str, words: list[str]) -> None:
    write(tmp_path, name, text)
    found = check(tmp_path)
    assert any(one.level == level and all(word in one.where + one.text for word in words) for one in found), found


@pytest.mark.parametrize(
    "text",
    [
        relation("Z1", "subsistence_allowance", "extreme_poverty_support", "S", level="household"),  # another level
        relation("Z1", "old_age_allowance", "disability_living_subsidy", "S"),  # A22 (H) is switched off here
        relation("Z1", "de_facto_orphan_allowance", "disability_living_subsidy", "S", when="年龄 < 18 and 年龄 > 20"),
        relation("Z1", "elder_care_subsidy", "disability_care_subsidy", "X", until="2020-12-31")
        + '[[relations]]\nid = "A21"\nsince = 2021-01-01\n',  # one after the other
        relation("Z1", "extreme_poverty_support", "subsistence_allowance", "C"),  # may be looked into
    ],
)
def test_what_can_stand_together_is_no_contradiction(tmp_path: Path, text: str) -> None:
    write(tmp_path, "relations.toml", text)
    assert [one for one in check(tmp_path) if "矛盾" in one.text] == []


def test_a_switch_that_is_on_makes_the_contradiction(tmp_path: Path) -> None:
    write(tmp_path, "relations.toml", relation("Z1", "old_age_allowance", "disability_living_subsidy", "S"))
    assert [one for one in check(tmp_path, region="230321") if "A22" in one.text and "矛盾" in one.text]


PARAMETER = '[[parameter]]\nname = "{0}"\narea = "421002"\nunit = "{1}"\nsource = "区文"\nvalues = [{2}]\n'


@pytest.mark.parametrize(
    ("name", "unit", "values", "days"),
    [
        ("特困基本生活标准_农村", "元/人/月", "{ since = 2026-01-01, value = 760 }, { since = 2026-09-01, value = 790 }", ["2026-01-01", "2026-07-01"]),
        ("特困基本生活标准_农村", "元/人/月", "{ since = 2026-01-01, value = 761 }, { since = 2026-07-01, value = 780 }", []),
        ("照料护理标准_全护理", "元/人/月", "{ since = 2026-01-01, value = 586.66 }", ["2026-01-01", "2027-01-01"]),  # of 1760 in 2025, of 1850 in 2026
        ("照料护理标准_全护理", "元/人/月", "{ since = 2026-01-01, value = 586.67 }", ["2027-01-01"]),
        ("低保标准_农村", "元/人/月", "{ since = 2026-01-01, value = 446.99 }, { since = 2026-07-01, value = 456 }", ["2026-01-01"]),
        ("低保标准_城市", "元/人/月", "{ since = 2026-01-01, value = 739 }", ["2026-01-01"]),
        ("渐退月数", "月", "{ since = 2020-01-01, value = 12 }", ["2022-10-20"]),  # said only then
        ("价格补贴启动线_居民消费价格", "%", "{ since = 2016-08-01, value = 3.5 }", ["2022-09-01"]),
        ("公示天数", "日", "{ since = 2020-01-01, value = 5 }", ["2020-01-01"]),
    ],
)  # fmt: skip
def test_a_value_below_its_floor(tmp_path: Path, name: str, unit: str, values: str, days: list[str]) -> None:
    write(tmp_path, "parameters/own.toml", PARAMETER.format(name, unit, values))
    found = [one for one in check(tmp_path) if f"“{name}”" in one.where and ("底线" in one.text or "上限" in one.text)]
    assert [one.text[:10] for one in found] == days
    assert all("policy/parameters/own.toml" in one.where for one in found)


def test_the_ratio_of_a_place_moves_the_floor(tmp_path: Path) -> None:
    write(
        tmp_path,
        "parameters/own.toml",
        PARAMETER.format("城市低保与最低工资比例下限", "%", "{ since = 2020-01-01, value = 45 }"),
    )
    assert {one.text[:10] for one in check(tmp_path)} == {"2024-01-01", "2025-01-01", "2026-01-01", "2026-07-01"}


def test_one_value_written_twice(tmp_path: Path) -> None:
    for number in (1, 2):
        write(
            tmp_path,
            f"parameters/{number}.toml",
            PARAMETER.format("低保标准_农村", "元/人/月", f"{{ since = 2026-07-01, value = 61{number} }}"),
        )
    found = [one for one in check(tmp_path) if "写了两次" in one.text]
    assert [("1.toml 是 611" in one.text, "2.toml 是 612" in one.text) for one in found] == [(True, True)]


def test_a_series_that_begins_after_the_rolls(tmp_path: Path) -> None:
    write(tmp_path, "parameters/own.toml", PARAMETER.format("高龄起始年龄", "岁", "{ since = 2026-07-01, value = 70 }"))
    policy = load_policy(tmp_path, region="421002")
    found = list(check_months(policy, ["2026-05", "2026-06", "2026-07"]))
    assert [("own.toml" in one.where, "2026-05、2026-06 " in one.text) for one in found] == [(True, True)]
    assert list(check_months(policy, ["2026-07"])) == []


def test_one_parameter_that_makes_a_rule_impossible_is_named(tmp_path: Path) -> None:
    write(
        tmp_path, "parameters/own.toml", PARAMETER.format("高龄起始年龄", "岁", "{ since = 2020-01-01, value = 800 }")
    )
    found = [one for one in check(tmp_path) if "高龄起始年龄" in one.text and "不会成立" in one.text]
    assert found and {one.level for one in found} == {"warning"}


def test_a_formula_that_names_nothing_tells_its_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        "parameters/own.toml",
        PARAMETER.format("特困基本生活标准_农村", "元/人/月", '{ since = 2026-01-01, formula = "低保标准_农寸 * 2" }'),
    )
    policy = load_policy(tmp_path, region="421002")
    with pytest.raises(PolicyError) as error:
        policy.parameter("特困基本生活标准_农村", TODAY)
    assert all(word in error.value.message for word in ("policy/parameters/own.toml", "低保标准_农寸", "低保标准_农村"))
