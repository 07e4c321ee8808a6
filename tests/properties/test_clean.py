"""Columns cleaned by vectors say what the scalar readers of core say, cell by cell, whatever stands in them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.account import luhn, parse_account
from jiuzhu_cli.core.identity import check_char, parse_id
from jiuzhu_cli.core.money import parse_amount
from jiuzhu_cli.core.names import read_name
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.intake import clean

TODAY = date(2026, 11, 21)


def _id(first17: str) -> str:
    return first17 + check_char(first17)


first17 = st.builds(
    lambda area, born, serial: f"{area}{born}{serial:03d}",
    st.sampled_from(["421002", "110101", "810000", "990101", "910000", "000000", "370284"]),
    st.one_of(
        st.dates(date(1890, 1, 1), date(2030, 12, 31)).map(lambda d: d.strftime("%Y%m%d")),
        st.integers(0, 99_999_999).map("{:08d}".format),
    ),
    st.integers(0, 999),
)
ids = st.one_of(
    first17.map(_id),
    first17.map(_id).map(str.lower),
    st.tuples(first17, st.sampled_from("0123456789X")).map("".join),
    first17.map(lambda t: _id(t)[:15] + "000"),
    first17.map(lambda t: " " + _id(t)),
    first17.map(lambda t: _id(t)[:6] + _id(t)[8:17]),
    st.text(alphabet="0123456789Xx OlI１２３", min_size=15, max_size=19),
    st.text(max_size=20),
    st.integers(0, 10**18),
    st.floats(),
    st.none(),
    st.booleans(),
    st.dates(),
)
amounts = st.one_of(
    st.integers(-(10**16), 10**17),
    st.floats(),
    st.integers(-(10**6), 10**8).map(lambda fen: fen / 100),
    st.integers(0, 10**13).map(lambda fen: fen / 100),
    st.integers(0, 10**7).map(lambda mill: mill / 1000),
    st.decimals(0, 10**6, places=2).map(str),
    st.decimals(0, 10**6, places=3).map(str),
    st.integers(0, 10**8).map("{:,}".format),
    st.sampled_from(["", " ", "-", "无", "１２３", "1.5万元", "叁佰元整", "#", "1 200", "￥300", "0.10", "nan", "inf"]),
    st.none(),
    st.booleans(),
)
dates = st.one_of(
    st.dates(date(1880, 1, 1), date(2210, 1, 1)),
    st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1)),
    st.dates().map(date.isoformat),
    st.sampled_from(
        ["2026-02-30", "2026.11", "20261103", "2026年11月3日", "长期", "", "2026/1/5", "1899-12-31", "2100-13-01"]
    ),
    st.integers(0, 30_000_000),
    st.floats(0, 70_000),
    st.none(),
    st.booleans(),
)
names = st.one_of(
    st.text(alphabet="王李张伟依龙天岂页小姐先生同志师傅已去世死亡故销户过离·钅", min_size=1, max_size=5),
    st.text(alphabet="王李张伟阿依·提 .•　*'某故已龙天䶮㛃（）()女士?yan\ue863", max_size=8),
    st.text(max_size=6),
    st.none(),
    st.integers(0, 99),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ids, max_size=30))
def test_ids(cells: list[object]) -> None:
    found = clean.clean_ids(cells, TODAY)
    for index, cell in enumerate(cells):
        told = parse_id(cell, today=TODAY)
        assert (found.values[index] or "") == told.value
        assert found.problems.get(index, "") == told.problem
        assert found.notes.get(index, ()) == told.notes


@settings(max_examples=150, deadline=None)
@given(st.lists(amounts, max_size=30), st.sampled_from(["元", "万元", "千元", "分"]))
def test_amounts(cells: list[object], unit: str) -> None:
    found = clean.clean_amounts(cells, unit)
    for index, cell in enumerate(cells):
        told = parse_amount(cell, unit)
        assert (found.values[index], found.problems.get(index, "")) == (told.fen, told.problem), cell


@settings(max_examples=150, deadline=None)
@given(st.lists(dates, max_size=30))
def test_dates(cells: list[object]) -> None:
    found = clean.clean_dates(cells)
    for index, cell in enumerate(cells):
        day, problem = parse_date(cell)
        assert (found.values[index], found.problems.get(index, "")) == (day.isoformat() if day else None, problem), cell


@settings(max_examples=150, deadline=None)
@given(st.lists(names, max_size=30))
def test_names(cells: list[object]) -> None:
    found = clean.clean_names(cells)
    for index, cell in enumerate(cells):
        told = read_name(cell)
        assert (found.values[index] or "", found.problems.get(index, "")) == (told.value, told.problem)
        assert found.notes.get(index, ()) == told.notes


@given(st.text(alphabet="0123456789", min_size=9, max_size=18))
def test_a_card_with_its_check_digit_is_read_alike_by_both_paths(digits: str) -> None:
    body = "62" + digits[:16].ljust(16, "1")
    card = next(body + d for d in "0123456789" if luhn(body + d))
    wrong = body + str((int(card[-1]) + 1) % 10)
    column = clean.clean_accounts([card, wrong, digits, int(digits), None])
    for index, cell in enumerate([card, wrong, digits, int(digits)]):
        assert (column.values[index], column.problems.get(index, "")) == parse_account(cell)
    assert column.problems[1] == "account_luhn"


@given(st.decimals(0, 10**9, places=2))
def test_a_float_of_two_decimals_is_exact(value: Decimal) -> None:
    assert clean.clean_amounts([float(value)]).values == [int(value * 100)]
