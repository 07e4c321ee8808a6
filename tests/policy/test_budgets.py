"""Budgets as data: how they are read, and what policy check says of slips."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.budgets import codes_of
from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.load import load_policy

GOOD = """[[budgets]]
id = "{id}"
name = "2026年困难群众救助补助资金"
document = "财社〔2025〕120号"
issued = 2025-12-20
year = 2026
level = "中央"
programmes = ["低保", "特困"]
amount = 3000000.50
"""


def write(root: Path, text: str, name: str = "2026.toml") -> Path:
    (root / "budgets").mkdir(exist_ok=True)
    (root / "budgets" / name).write_text(text, "utf-8")
    return root


def said(root: Path) -> list[str]:
    return [f"{one.level} {one.text}" for one in check_policy(load_policy(root), date(2026, 6, 1)) if "budgets" in one.where + one.text]  # fmt: skip


def test_entries_are_read_with_the_names_offices_use(tmp_path: Path) -> None:
    policy = load_policy(write(tmp_path, GOOD.format(id="1")))
    [one] = policy.budgets
    assert one.amount_fen == 300_000_050
    assert codes_of(policy, one) == ("subsistence_allowance", "extreme_poverty_support")
    assert said(tmp_path) == []
    assert load_policy().budgets == ()


def test_one_id_is_written_once_over_all_files(tmp_path: Path) -> None:
    write(tmp_path, GOOD.format(id="1"))
    with pytest.raises(PolicyError, match="已经写过"):
        _ = load_policy(write(tmp_path, GOOD.format(id="1"), "more.toml")).budgets


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"中央"', '"中央财政"', "level"),
        ("3000000.50", "3000000.505", "amount"),
        ("year = 2026\n", "", "year"),
        ("issued = 2025-12-20", 'issued = "去年"', "issued"),
        ("name =", "title =", "缺这个键"),
        ('["低保", "特困"]', '["底保"]', "没有叫“底保”的救助项目"),
        ('["低保", "特困"]', "[]", "是空的"),
        ("amount = 3000000.50", "amount = -1", "负数"),
        ("amount = 3000000.50", "amount = 0", "金额是 0"),
        ("year = 2026", "year = 2062", "年度写对了吗"),
        ("[[budgets]]", "[[budget]]", "不认识的键"),
    ],
)
def test_slips_are_said(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = GOOD.format(id="1")
    assert old in text
    write(tmp_path, text.replace(old, new))
    found = check_policy(load_policy(tmp_path), date(2026, 6, 1))
    assert any(told in one.text for one in found), [one.text for one in found]


@pytest.mark.parametrize(
    ("percents", "told"), [((60, 40), ""), ((60, 30), ""), ((60, 41), "合计 101%"), ((110, -10), "负数")]
)  # fmt: skip
def test_shares_are_known_and_must_not_pass_the_whole(tmp_path: Path, percents: tuple[int, int], told: str) -> None:
    (tmp_path / "parameters").mkdir()
    text = "".join(
        f'[[parameter]]\nname = "资金分担_最低生活保障_{level}"\nunit = "%"\nsource = "测试"\nvalues = [{{ since = 2026-01-01, value = {value} }}]\n'
        for level, value in zip(("中央", "农村_县"), percents, strict=True)
    )
    (tmp_path / "parameters" / "分担.toml").write_text(text, "utf-8")
    found = [
        one.text for one in check_policy(load_policy(tmp_path), date(2026, 6, 1)) if "分担" in one.where + one.text
    ]
    assert (not found) if not told else (len(found) == 1 and told in found[0])
