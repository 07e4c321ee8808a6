from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.mask import find_personal_numbers, mask_account, mask_id, mask_name, mask_phone, mask_text
from jiuzhu_cli.core.money import capitals, parse_amount, parse_capitals, round_fen, yuan
from jiuzhu_cli.core.names import name_problem, normalise_name, same_name
from jiuzhu_cli.core.period import (
    add_months,
    check_month,
    find_month,
    last_day,
    months_between,
    parse_date,
    posting_end,
)
from jiuzhu_cli.core.text import header_brackets, header_key


@pytest.mark.parametrize(
    ("raw", "unit", "fen"),
    [
        (690, "元", 69000),
        (690.5, "元", 69050),
        ("690", "元", 69000),
        ("1,234.50", "元", 123450),
        ("１，２３４．５", "元", 123450),
        ("￥690.00", "元", 69000),
        ("690元", "元", 69000),
        ("2.4万元", "元", 2400000),
        (2.4, "万元", 2400000),
        ("壹仟贰佰元整", "元", 120000),
        (Decimal("0.01"), "元", 1),
        (0, "元", 0),
        (0.1 + 0.2, "元", 30),
        (100.00000000000001, "元", 10000),
        ("", "元", None),
        ("/", "元", None),
        (None, "元", None),
    ],
)
def test_amount(raw: object, unit: str, fen: int | None) -> None:
    got = parse_amount(raw, unit)
    assert (got.fen, got.problem) == (fen, "")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("六百多", "amount_not_number"),
        (float("nan"), "amount_not_number"),
        (float("inf"), "amount_not_number"),
        ("1,23.4", "amount_not_number"),
        (-5, "amount_negative"),
        ("12.345", "amount_decimals"),
        (690.005, "amount_decimals"),
        (100.0001, "amount_decimals"),
        (1e15, "amount_too_large"),
        (True, "amount_not_number"),
    ],
)
def test_amount_refused(raw: object, problem: str) -> None:
    assert parse_amount(raw).problem == problem


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (1050, "壹拾元伍角整"),
        (1005, "壹拾元零伍分"),
        (123450, "壹仟贰佰叁拾肆元伍角整"),
        (1000100000, "壹仟万壹仟元整"),
        (10000000, "壹拾万元整"),
        (10050000, "壹拾万零伍佰元整"),
    ],
)
def test_capitals(fen: int, text: str) -> None:
    assert capitals(fen) == text
    assert parse_capitals(text) == fen


def test_rounding_is_once_and_explicit() -> None:
    # (632 - 1894/3) * 3 must be 2 yuan: sum first, round once
    exact = Decimal(632) * 3 - Decimal(1894)
    assert round_fen(exact * 100, 100, up=True) == 200
    assert round_fen(Decimal("82160"), 100, up=True) == 82200
    assert yuan(123456789, grouped=True) == "1,234,567.89"
    assert yuan(-5) == "-0.05"


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("2026-11-03", date(2026, 11, 3)),
        ("2026.11.3", date(2026, 11, 3)),
        ("2026/11/3", date(2026, 11, 3)),
        ("20261103", date(2026, 11, 3)),
        (20261103, date(2026, 11, 3)),
        ("2026年11月3日", date(2026, 11, 3)),
        ("二〇二六年十一月三日", date(2026, 11, 3)),
        (46329, date(2026, 11, 3)),
        ("46329", date(2026, 11, 3)),
        (datetime(2026, 11, 3, 8), date(2026, 11, 3)),
        ("2026-11-03 00:00:00", date(2026, 11, 3)),
        ("2026年11月", date(2026, 11, 1)),
        ("2026.11", date(2026, 11, 1)),
        ("202611", date(2026, 11, 1)),
        ("2026.1", date(2026, 1, 1)),
        ("", None),
        ("长期", None),
    ],
)
def test_date(raw: object, day: date | None) -> None:
    assert parse_date(raw) == (day, "")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [("2026-11-31", "date_impossible"), ("民国一百年", "date_format"), ("20261", "date_format"), (3.5, "date_format")],
)
def test_date_refused(raw: object, problem: str) -> None:
    assert parse_date(raw) == (None, problem)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("城关镇2026年10月农村低保花名册.xlsx", "2026-10"),
        ("2026-9 高龄", "2026-09"),
        ("低保202610", "2026-10"),
        ("低保20261015导出", "2026-10"),
        ("二〇二六年十月份发放表", "2026-10"),
        ("2026年度10月", "2026-10"),
        ("421002名单", ""),
        ("发放表", ""),
        ("2026年第三季度", ""),
    ],
)
def test_find_month(text: str, month: str) -> None:
    assert find_month(text) == month


def test_months() -> None:
    assert add_months("2026-11", 2) == "2027-01"
    assert add_months("2026-01", -1) == "2025-12"
    assert months_between("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert last_day("2024-02") == date(2024, 2, 29)
    for wrong in ("2026-13", "202610", "", "2026-1"):
        with pytest.raises(UsageError):
            check_month(wrong)


def test_posting_counts_days_as_set() -> None:
    start = date(2025, 3, 11)
    assert posting_end(start, 7, working_days=False, count_first_day=True) == date(2025, 3, 17)  # 东园镇 2025
    assert posting_end(start, 7, working_days=False, count_first_day=False) == date(2025, 3, 18)
    assert posting_end(start, 7, working_days=True, count_first_day=True) == date(2025, 3, 19)
    holiday = {date(2025, 3, 12)}
    assert posting_end(start, 7, working_days=True, count_first_day=True, holidays=holiday) == date(2025, 3, 20)
    assert posting_end(start, 7, working_days=True, count_first_day=True, extra_workdays={date(2025, 3, 15)}) == date(
        2025, 3, 18
    )


def test_masks() -> None:
    number = "110105199003078" + "888"
    assert mask_id(number) == "110105********8888"
    assert mask_account("6217000010001234567") == "6217***********4567"
    assert mask_phone("13812345678") == "138****5678"
    assert [mask_name(n) for n in ("张三", "张小明", "欧阳娜娜", "买买提·艾力", "张", "")] == [
        "张*",
        "张*明",
        "欧*娜娜",
        "买*****",
        "*",
        "",
    ]
    masked = mask_text(f"证号{number}，卡6217000010001234567，电话13812345678")
    assert find_personal_numbers(masked) == []
    assert find_personal_numbers(f"{number} 6217000010001234567 13812345678 610104620927690") == [
        "id18",
        "id15",
        "account",
        "phone",
    ]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("张 三", "张三"),
        ("张　三", "张三"),
        ("买买提•艾力", "买买提·艾力"),
        ("买买提.艾力", "买买提·艾力"),
        ("\u200b䶮某", "䶮某"),
        ("John  Smith", "John Smith"),
        (None, ""),
    ],
)
def test_names(raw: object, name: str) -> None:
    assert normalise_name(raw) == name
    assert same_name(str(raw or ""), name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "name_missing"),
        ("张3", "name_characters"),
        ("=1+1", "name_characters"),
        ("张" * 51, "name_length"),
        ("张三", ""),
    ],
)
def test_name_problem(name: str, problem: str) -> None:
    assert name_problem(name) == problem


def test_headers() -> None:
    assert header_key("银 行\n帐号（一卡通）") == "银行账号"
    assert header_key("*身份证号码：") == "身份证号码"
    assert header_key("（元）") == "(元)"
    assert header_brackets("户月保障金额（万元）") == ["万元"]
