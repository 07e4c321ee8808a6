from __future__ import annotations

from datetime import date

import pytest

from jiuzhu_cli.core.identity import age_on, birth_date, check_char, parse_id, sex, upgrade15

GOOD = "11010519491231002X"


@pytest.mark.parametrize(
    ("raw", "value", "notes"),
    [
        (GOOD, GOOD, ()),
        ("11010519491231002x", GOOD, ()),
        (" 110105 19491231 002X ", GOOD, ("id_tidied",)),
        ("１１０１０５１９４９１２３１００２Ｘ", GOOD, ("id_tidied",)),
        ("'11010519491231002X", GOOD, ("id_tidied",)),
        ("身份证号：11010519491231002X", GOOD, ("id_tidied",)),
        ("11010519491231\u200b002X\n", GOOD, ("id_tidied",)),
        ("1101O519491231002X", GOOD, ("id_letter_slip",)),
        ("610104620927690", "610104196209276908", ("id_upgraded",)),
        (610104620927690, "610104196209276908", ("id_upgraded",)),
        (610104620927690.0, "610104196209276908", ("id_upgraded",)),
        ("ABC123456789012", "ABC123456789012", ()),
    ],
)
def test_reads(raw: object, value: str, notes: tuple[str, ...]) -> None:
    got = parse_id(raw)
    assert (got.value, got.problem) == (value, "")
    assert set(notes) <= set(got.notes)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, "id_missing"),
        ("  ", "id_missing"),
        (1.10105194912310e17, "id_numeric"),
        (110105194912310020, "id_numeric"),
        ("1.10105E+17", "id_scientific"),
        ("110105194912310021", "id_checksum"),
        ("11010519491231002", "id_length"),
        ("1101051949123100233", "id_length"),
        ("11010519491331002X", "id_checksum"),
        ("张三", "id_characters"),
        (True, "id_characters"),
        ("110105194912310000", "id_excel_zeros"),
        ("110105999999000", "id_birth"),
    ],
)
def test_refuses(raw: object, problem: str) -> None:
    got = parse_id(raw)
    assert (got.value, got.problem) == ("", problem)


def test_zeros_that_pass_the_check_digit_are_damaged_all_the_same() -> None:
    """One in eleven numbers that Excel rounded to …000 still has a right check digit."""
    passing = [f"{p}000" for p in (f"11010519900101{n}" for n in range(10)) if check_char(p + "00") == "0"]
    assert passing
    assert all(parse_id(number).problem == "id_excel_zeros" for number in passing)


def test_a_birth_after_today_is_refused() -> None:
    first17 = "11010520991231002"
    assert parse_id(first17 + check_char(first17), today=date(2026, 11, 1)).problem == "id_birth"


def test_what_a_number_tells() -> None:
    assert birth_date(GOOD) == date(1949, 12, 31)
    assert sex(GOOD) == "女"
    assert age_on(date(1946, 11, 21), date(2026, 11, 20)) == 79
    assert age_on(date(1946, 11, 21), date(2026, 11, 21)) == 80
    assert age_on(date(2004, 2, 29), date(2022, 2, 28)) == 17
    assert upgrade15("610104620927690") == "610104196209276908"
