"""``income.toml``: a bureau's entries over the shipped ones, and every slip of the pen named."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.income import plain_word
from jiuzhu_cli.policy.load import load_policy

TODAY = date(2026, 11, 20)
PAGE = Path(__file__).parents[2] / "docs" / "家庭收入测算.md"
ITEM = '[[items]]\nid = "tea"\nname = "茶园收入"\nkind = "business"\nsource = "示例"\n'


def problems(folder: Path, text: str, parameters: str = "") -> list[str]:
    (folder / "income.toml").write_text(text, "utf-8")
    (folder / "parameters").mkdir(exist_ok=True)
    (folder / "parameters" / "own.toml").write_text(parameters, "utf-8")
    return [one.text for one in check_policy(load_policy(folder, region="421002"), TODAY) if one.level == "error"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ITEM + 'words = ["房租"]\n', "同时属于"),
        (ITEM + 'estimate = "数量 * 茶园均收入"\n', "茶园均收入"),
        (ITEM + 'impute = true\nestimate = "月最低工资标准"\n', "要写 when"),
        (ITEM + 'exclude = [{ switch = "茶园开关", source = "示例" }]\n', "茶园开关"),
        (ITEM + 'exclude = [{ switch = "月最低工资标准", source = "示例" }]\n', "不是开关"),
        (ITEM + 'exclude = [{ on = ["tea_support"], source = "示例" }]\n', "没有叫“tea_support”"),
        (ITEM + 'exclude = [{ when = "年纪 > 60", source = "示例" }]\n', "年纪"),
        (ITEM + 'exclude = [{ source = "示例", since = 2026-02-01, until = 2026-01-01 }]\n', "until 早于 since"),
        (ITEM + 'unless = ["wages"]\n', "wages"),
        (ITEM + 'on = ["subsistence_allowance"]\n', "写在 exclude"),
        (ITEM + 'count = "金额 + 数量"\n', "混用"),
        (ITEM + 'estimate = "数量 > 3"\n', "不是数"),
        (ITEM + 'amount = "3"\n', "不认识这个键"),
        ('[[members]]\nid = "own"\nwhen = "关系 = 1"\ncounts = true\nmessage = "x"\nsource = "示例"\n', "不同种类"),
        ('[[members]]\nid = "own"\nbefore = "heads"\nwhen = "在名册"\ncounts = true\nmessage = "x"\nsource = "示例"\n', "heads"),
        ('[[leads]]\nid = "own"\nlisted_in = "pensions"\ncovers = ["wage"]\nmessage = "x"\nsource = "示例"\n', "pensions"),
        ('[relations]\n"配偶" = "妻"\n', "应是列表"),
        ('[[item]]\nid = "x"\n', "不认识的键"),
    ],
)  # fmt: skip
def test_slips_are_named(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, text)
    assert found and any(said in one for one in found), found


def test_the_pages_example_is_sound(tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
    parameter = '[[parameter]]\nname = "茶园亩均年纯收入"\narea = "421002"\nunit = "元/亩/年"\nsource = "某县文件"\nvalues = [{ since = 2026-01-01, value = 3000 }]\n'
    assert problems(tmp_path, example, parameter) == []
    assert load_policy(tmp_path, region="421002").income.by_word()["茶叶收入"].id == "tea"


def test_a_bureaus_rule_is_asked_where_it_wants(tmp_path: Path) -> None:
    (tmp_path / "income.toml").write_text(
        '[[members]]\nid = "own"\nbefore = "head"\nwhen = "年龄 > 100"\ncounts = true\nmessage = "x"\nsource = "示例"\n'
        '[[items]]\nid = "wage"\nwords = ["工钱"]\n',
        "utf-8",
    )
    known = load_policy(tmp_path, region="421002").income
    order = [one.id for one in known.members]
    assert order.index("own") == order.index("head") - 1
    assert known.by_word()["工钱"].id == "wage" and "务工" not in known.by_word()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("工资性收入（元/年）", "工资性收入"),
        (" 房 租 (元)", "房租"),
        ("养殖业收入（生猪）", "养殖业收入"),
        ("（元）", "(元)"),
    ],
)
def test_words_are_compared_without_what_stands_behind_in_brackets(text: str, plain: str) -> None:
    assert plain_word(text) == plain


def test_every_word_of_the_shipped_items_means_one() -> None:
    known = load_policy(region="421002").income
    assert known.by_word()["养殖业收入"].id == "breeding" and known.by_word()["养殖业收入(生猪)"].id == "pigs"
    assert all(known.by_word()[word].id for word in known.by_word())
    assert len(known.choices()) == len(set(known.choices())) > 30
