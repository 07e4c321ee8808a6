"""Months: quarter lists, columns of months, a month a row, back pay."""

from __future__ import annotations

from typing import Any

from tests.corpus.book import HEADER, TITLE, File, account, case, name, one, people
from tests.support import make_id

QUARTER = "城关镇2026年第三季度高龄津贴发放表"
BY_MONTH = ["序号", "姓名", "身份证号", "7月", "8月", "9月", "合计", "银行账号"]


def months(number: int, *amounts: Any, total: Any = None) -> list[Any]:
    whole = sum(amount for amount in amounts if isinstance(amount, int)) if total is None else total
    return [number, name(number), make_id(number), *amounts, whole, account(number)]


@case()
def quarter_in_three_columns() -> File:
    rows = [months(1, 100, 100, 100), months(2, 100, 120, 120), ["合计", None, None, 200, 220, 220, 640]]
    return one([QUARTER], BY_MONTH, *rows, file="三季度.xlsx")


@case()
def quarter_in_three_columns_not_everybody_each_month() -> File:
    """Who came in August, who died in August: only on the lists of the months with an amount."""
    rows = [months(1, None, 100, 100), months(2, 100, "-", ""), months(3, 100, 100, 0)]
    return one([QUARTER], BY_MONTH, *rows, file="三季度.xlsx")


@case()
def quarter_row_does_not_add_up() -> File:
    rows = [months(1, 100, 100, 100), months(2, 100, 100, 100, total=350)]
    return one([QUARTER], BY_MONTH, *rows, file="三季度.xlsx")


@case()
def quarter_of_months_under_a_band() -> File:
    rows = [months(1, 100, 100, 100), months(2, 100, 120, 120)]
    return one(
        ["城关镇高龄津贴发放表（2026年7-9月）"],
        ["序号", "姓名", "身份证号", "发放金额（元）", None, None, None, "银行账号"],
        [None, None, None, "七月", "八月", "九月", "小计", None],
        *rows,
        merges=["A2:A3", "B2:B3", "C2:C3", "D2:G2", "H2:H3"],
        file="上报.xlsx",
    )


@case()
def quarter_across_the_new_year() -> File:
    head = ["序号", "姓名", "身份证号", "2026年12月金额", "2027年1月金额"]
    return one(
        ["城关镇高龄津贴发放表"], head, [1, name(1), make_id(1), 100, 110], [2, name(2), make_id(2), 100, 110],
        file="上报.xlsx",
    )  # fmt: skip


@case()
def quarter_of_households_with_members() -> File:
    """Members' rows have no amounts: they belong to each month's household."""
    head = ["户号", "姓名", "身份证号", "与户主关系", "7月保障金", "8月保障金", "9月保障金", "合计"]
    rows = [
        [1, name(1), make_id(1), "户主", 600, 600, 620, 1820], [None, name(2), make_id(2), "配偶"],
        [2, name(3), make_id(3), "户主", None, 350, 350, 700], [None, name(4), make_id(4), "之子"],
    ]  # fmt: skip
    return one(["城关镇2026年三季度农村低保发放表"], head, *rows, file="上报.xlsx")


@case()
def quarter_with_one_sum_is_asked() -> File:
    return one([QUARTER], HEADER, *people(1, 2, amount=300), file="三季度.xlsx")


@case(month="2026-07..2026-09")
def quarter_with_one_sum_split_when_told() -> File:
    return one([QUARTER], HEADER, *people(1, 2, amount=300), ["合计", None, None, 600], file="三季度.xlsx")


@case(month="2026-07..2026-09")
def quarter_sum_that_does_not_divide() -> File:
    rows = [*people(1, amount=300), *people(2, amount=100)]
    return one([QUARTER], HEADER, *rows, file="三季度.xlsx")


@case()
def last_month_beside_this_month() -> File:
    """The title says October: September beside it is for comparison."""
    head = ["序号", "姓名", "身份证号", "9月金额", "10月金额", "银行账号"]
    rows = [[n, name(n), make_id(n), 90, 100, account(n)] for n in (1, 2)]
    return one([TITLE], head, *rows)


@case()
def a_month_a_row() -> File:
    head = ["序号", "姓名", "身份证号", "所属月份", "发放金额"]
    rows = [[n, name(n), make_id(n), month, 100] for month in ("2026年9月", "2026年10月") for n in (1, 2)]
    return one(["城关镇高龄津贴发放表"], head, *rows, file="上报.xlsx")


@case()
def back_pay_beside_the_month_with_a_sum() -> File:
    """What is paid is the sum; the back pay in it is said and kept."""
    head = ["序号", "姓名", "身份证号", "月金额", "补发金额", "合计", "银行账号"]
    rows = [
        [1, name(1), make_id(1), 100, 200, 300, account(1)],
        [2, name(2), make_id(2), 100, None, 100, account(2)],
        [3, name(3), make_id(3), 100, 0, 100, account(3)],
    ]
    return one([TITLE], head, *rows, ["合计", None, None, 300, 200, 500])


@case()
def back_pay_beside_the_month_without_a_sum() -> File:
    """Nothing says that the back pay is paid with this list: the month's amount counts, and it is told."""
    head = ["序号", "姓名", "身份证号", "发放金额", "补发金额", "银行账号"]
    rows = [[1, name(1), make_id(1), 100, 200, account(1)], [2, name(2), make_id(2), 100, None, account(2)]]
    return one([TITLE], head, *rows, ["合计", None, None, 200, 200])


@case()
def months_paid_times_the_months_amount() -> File:
    head = ["序号", "姓名", "身份证号", "月补贴金额", "发放月数", "发放金额"]
    rows = [[1, name(1), make_id(1), 100, 1, 100], [2, name(2), make_id(2), 100, 3, 300]]
    return one([TITLE], head, *rows)


@case()
def year_to_date_beside_the_month() -> File:
    head = ["序号", "姓名", "身份证号", "本月发放金额", "1-10月累计", "银行账号"]
    rows = [[n, name(n), make_id(n), 100, 1000, account(n)] for n in (1, 2)]
    return one([TITLE], head, *rows, ["合计", None, None, 200, 2000])


@case()
def a_year_card_with_empty_months() -> File:
    head = ["序号", "姓名", "身份证号", *(f"{month}月" for month in range(1, 13)), "合计"]
    rows = [[n, name(n), make_id(n), 100, 100, *[None] * 10, 200] for n in (1, 2)]
    return one(["城关镇2026年高龄津贴发放登记表"], head, *rows, file="上报.xlsx")


@case()
def quarter_with_back_pay_in_its_sum() -> File:
    head = ["序号", "姓名", "身份证号", "7月", "8月", "9月", "补发", "合计"]
    rows = [[1, name(1), make_id(1), 100, 100, 100, 50, 350], [2, name(2), make_id(2), 100, 100, 100, None, 300]]
    return one([QUARTER], head, *rows, file="三季度.xlsx")
