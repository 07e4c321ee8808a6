"""Accounts, phones, counts, words: cases as data."""

from __future__ import annotations

import pytest

from jiuzhu_cli.core.account import luhn, parse_account
from jiuzhu_cli.intake import clean
from jiuzhu_cli.tabular.cells import CellError

CARD = "6228480402564890018"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (CARD, (CARD, "")),
        (f" {CARD[:4]} {CARD[4:12]}-{CARD[12:]} ", (CARD, "")),
        (f"'{CARD}", (CARD, "")),
        (CARD[:-1] + "9", (None, "account_luhn")),
        (float(CARD), (None, "account_numeric")),
        (622848040256489, ("622848040256489", "")),
        (123456789012345678, (None, "account_numeric")),
        ("6.22848E+18", (None, "account_scientific")),
        ("420001234567890000", (None, "account_numeric")),
        ("8112345678901200", ("8112345678901200", "")),
        ("卡号待补", (None, "account_characters")),
        ("123", (None, "account_length")),
        ("无", (None, "")),
        (None, (None, "")),
        (True, (None, "account_characters")),
    ],
)
def test_account(cell: object, expected: tuple[str | None, str]) -> None:
    assert parse_account(cell) == expected
    column = clean.clean_accounts([cell, None])
    assert (column.values[0], column.problems.get(0, "")) == expected


def test_a_card_with_zeros_and_a_right_check_digit_is_kept_and_said() -> None:
    card = next(c for c in (f"62284{n:010d}0000" for n in range(20)) if luhn(c))
    assert parse_account(card) == (card, "account_zeros")


@pytest.mark.parametrize(
    ("cell", "value", "problem"),
    [
        ("13812345678", "13812345678", ""),
        (13812345678, "13812345678", ""),
        ("138-1234-5678", "13812345678", ""),
        ("13812345678/07168123456", "13812345678/07168123456", ""),
        ("1381234567", "1381234567", "phone_format"),
        ("无", None, ""),
    ],
)
def test_phone(cell: object, value: str | None, problem: str) -> None:
    column = clean.clean_phones([cell])
    assert (column.values[0], column.problems.get(0, "")) == (value, problem)


@pytest.mark.parametrize(
    ("cell", "value"), [(3, 3), ("3人", 3), (3.0, 3), (" ３ ", 3), ("三", 3), (3.5, None), (-1, None), ("", None)]
)
def test_count(cell: object, value: int | None) -> None:
    assert clean.clean_counts([cell]).values == [value]


def test_words() -> None:
    assert clean.clean_words(["1级", "贰级", 3, None, "五级"], clean.GRADES, "x").values == [
        "一级",
        "二级",
        "三级",
        None,
        "五级",
    ]
    assert clean.clean_words(["五级"], clean.GRADES, "x").problems == {0: "x"}
    assert clean.clean_flags(["已备案", "√", "否", "", True]).values == ["是", "是", "否", None, "是"]


def test_an_excel_error_is_a_problem_in_every_column() -> None:
    error = CellError("#N/A")
    for cleaned in (
        clean.clean_texts([error, "x"]),
        clean.clean_amounts([error, 1]),
        clean.clean_names([error, "张三"]),
        clean.clean_accounts([error, CARD]),
        clean.clean_dates([error, "2026-01-01"]),
    ):
        assert cleaned.problems == {0: "cell_error"}
        assert cleaned.values[0] is None
