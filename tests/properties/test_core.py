"""Properties of IDs, money, dates and masks that must hold for any input."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from jiuzhu_cli.core.identity import birth_date, check_char, parse_id, upgrade15
from jiuzhu_cli.core.mask import find_personal_numbers, mask_account, mask_id, mask_text
from jiuzhu_cli.core.money import capitals, parse_amount, parse_capitals, yuan
from jiuzhu_cli.core.names import normalise_name
from jiuzhu_cli.core.period import EXCEL_EPOCH, add_months, months_between, parse_date, posting_end


@st.composite
def ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2026, 11, 21)))
    area = draw(st.sampled_from(["110105", "421002", "230321", "370284", "500154", "810000"]))
    first17 = f"{area}{born:%Y%m%d}{draw(st.integers(1, 999)):03d}"
    return first17 + check_char(first17)


@given(ids())
def test_a_valid_id_reads_as_itself_unless_excel_could_have_made_it(number: str) -> None:
    got = parse_id(number)
    assert (got.value, got.problem) == ((number, "") if not number.endswith("000") else ("", "id_excel_zeros"))


@given(ids(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: str, place: int, step: int) -> None:
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert not parse_id(wrong).ok


@given(ids(), st.integers(0, 15))
def test_swapped_neighbours_never_pass(number: str, place: int) -> None:
    if number[place] != number[place + 1]:
        assert not parse_id(number[:place] + number[place + 1] + number[place] + number[place + 2 :]).ok


@given(ids().filter(lambda n: n[6:8] == "19"))
def test_fifteen_digits_come_back(number: str) -> None:
    assert upgrade15(number[:6] + number[8:17]) == number
    assert birth_date(number) is not None


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans()))
def test_no_cell_crashes_a_reader(raw: object) -> None:
    parse_id(raw)
    parse_amount(raw)
    parse_date(raw)
    normalise_name(raw)


@given(ids().filter(str.isdigit).map(float))
def test_a_float_is_never_an_id(number: float) -> None:
    assert parse_id(number).problem == "id_numeric"


@given(st.integers(0, 10**13))
def test_money_round_trips(fen: int) -> None:
    assert parse_amount(yuan(fen)).fen == fen
    assert parse_amount(yuan(fen, grouped=True)).fen == fen
    assert parse_capitals(capitals(fen)) == fen
    assert Decimal(yuan(fen)) * 100 == fen


@given(st.dates(date(1958, 1, 1), date(2079, 1, 1)))
def test_dates_in_every_form_are_one_day(day: date) -> None:
    serial = (day - EXCEL_EPOCH).days
    for form in (
        f"{day:%Y-%m-%d}",
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        serial,
        float(serial),
    ):
        assert parse_date(form) == (day, "")


@given(st.integers(1, 400), st.dates(date(2020, 1, 1), date(2026, 12, 31)), st.booleans(), st.booleans())
def test_a_posting_never_ends_early(days: int, start: date, working: bool, first: bool) -> None:
    end = posting_end(start, days, working_days=working, count_first_day=first)
    assert (end - start).days >= days - first


@given(st.integers(-600, 600))
def test_months_count(count: int) -> None:
    month = add_months("2026-10", count)
    span = months_between(min(month, "2026-10"), max(month, "2026-10"))
    assert len(span) == abs(count) + 1


@given(
    st.lists(
        st.one_of(
            ids(),
            st.from_regex(r"62\d{14,17}", fullmatch=True),
            st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
            st.text(alphabet="张王李村，、 ", max_size=5),
        ),
        max_size=6,
    )
)
def test_masked_text_holds_no_full_number(parts: list[str]) -> None:
    assert find_personal_numbers(mask_text("；".join(parts))) == []


@given(ids())
def test_a_mask_keeps_length_and_hides_the_birthday(number: str) -> None:
    assert len(mask_id(number)) == 18
    assert number[6:14] not in mask_id(number)
    assert len(mask_account(number + "1")) == 19
