"""What a damaged number still says: the sound one always fits, and few others do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jiuzhu_cli.core.account import luhn, parse_account, parse_bank_code
from jiuzhu_cli.core.damage import account_damage, id_damage
from jiuzhu_cli.core.identity import check_char, parse_id


@st.composite
def sound_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1920, 1, 1), date(2020, 12, 31)))
    first17 = (
        f"{draw(st.sampled_from(['421002', '110105', '652901', '810000']))}{born:%Y%m%d}{draw(st.integers(1, 999)):03d}"
    )
    return first17 + check_char(first17)


@given(sound_ids(), st.integers(0, 16), st.integers(1, 9))
@example("11010519400201001X", 16, 1)
def test_the_sound_id_fits_whatever_happened_to_it(good: str, place: int, step: int) -> None:
    wrong = good[:place] + str((int(good[place]) + step) % 10) + good[place + 1 :]
    swapped = good[:place] + good[place + 1] + good[place] + good[place + 2 :]
    forms: list[object] = [wrong, swapped, good[:place] + good[place + 1 :], good[:place] + "7" + good[place:]]
    forms += [good[:15] + "000", good[:15], f"{good[0]}.{good[1:15]}E+17", good[:place] + "?" + good[place + 1 :]]
    if good.isdigit():
        forms += [float(good), int(float(good)), int(good[:15] + "000"), f"{good}.0"]
    for form in forms:
        if form != good and not parse_id(form).ok:
            damage = id_damage(form)
            assert damage.fits(good), form
            assert len(damage.probes) < 400


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()))
def test_no_cell_crashes(raw: object) -> None:
    id_damage(raw)
    account_damage(raw)
    parse_account(raw)
    parse_bank_code(raw)


@pytest.mark.parametrize(
    "raw",
    ["110105********002X", "1.10105E+17", "张三", "", None, True, 12345, 3.5, "1101051949", float("nan"), "110105"],
)
def test_too_little_is_not_looked_for(raw: object) -> None:
    assert not id_damage(raw)


@given(st.integers(10**17, 10**19 - 1))
def test_an_account_as_a_number_fits_what_it_was(number: int) -> None:
    good = str(number)
    for form in (int(good[:15].ljust(len(good), "0")), float(number), f"{good[0]}.{good[1:15]}E+{len(good) - 1}"):
        damage = account_damage(form)
        assert damage and damage.fits(good), form
    assert not account_damage(good) or not good[15:].strip("0")


def test_cards_and_passbooks() -> None:
    card = next(f"622848040256489{n:04d}" for n in range(1, 10000) if luhn(f"622848040256489{n:04d}"))
    cases: dict[object, tuple[str | None, str]] = {
        f"{card[:4]} {card[4:12]} {card[12:]}": (card, ""),
        f"农行：{card}": (card, ""),
        f"{card}（本人）": (card, ""),
        "421001000001/421001000002": (None, "account_several"),
        "6228****1234": (None, "account_masked"),
        "0000000000": (None, "account_length"),
        "暂无": (None, ""),
        f"{card}.0": (None, "account_numeric"),
        "421001000001.0": ("421001000001", ""),
    }
    for cell, expected in cases.items():
        assert parse_account(cell) == expected, cell


@pytest.mark.parametrize(  # head offices: 工 农 中 建 交 招 兴业 邮储
    "code",
    "102100099996 103100000026 104100000004 105100000017 301290000007 308584000013 309391000011 403100000004".split(),
)
def test_bank_codes(code: str) -> None:
    assert parse_bank_code(code) == (code, "")
    assert parse_bank_code(int(code)) == (code, "")
    assert parse_bank_code(code[:-1] + str((int(code[-1]) + 1) % 10)) == (None, "bank_code_check")
    assert parse_bank_code(code[:3]) == (None, "bank_code_length")
