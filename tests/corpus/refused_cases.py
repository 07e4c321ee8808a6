"""Sheets that are no list with a row a person, or whose meaning nobody can know: recognised, refused, and said how to mend."""

from __future__ import annotations

from tests.corpus.book import FILE, HEADER, TITLE, File, Page, account, case, name, one, people
from tests.support import make_id


@case()
def cards_one_person_a_block() -> File:
    rows: list[list[object]] = []
    for n in (1, 2, 3):
        rows += [
            ["高龄津贴审批卡"],
            ["姓名", name(n), "身份证号", make_id(n)],
            ["发放金额", 100, "银行账号", account(n)],
            ["家庭住址", "城关镇东风村", "联系电话", "13800000000"],
            [],
        ]
    return one(*rows)


@case()
def cards_one_person_a_sheet() -> File:
    pages = [
        Page([["高龄津贴登记表"], ["姓名", name(n)], ["身份证号", make_id(n)], ["发放金额", 100]], name=name(n))
        for n in (1, 2)
    ]
    return File(FILE, pages)


@case()
def table_turned_on_its_side() -> File:
    return one([TITLE], *(list(row) for row in zip(HEADER, *people(1, 2, 3), strict=True)))


@case()
def people_without_any_header() -> File:
    return one(*([name(n), make_id(n), 100, account(n)] for n in (1, 2, 3)))


@case()
def two_id_columns_alike() -> File:
    head = ["序号", "姓名", "身份证号", "身份证号", "发放金额"]
    return one([TITLE], head, *([n, name(n), make_id(n), make_id(n + 10), 100] for n in (1, 2)))


@case()
def two_amount_columns() -> File:
    head = ["序号", "姓名", "身份证号", "补贴金额", "发放金额"]
    return one([TITLE], head, *([n, name(n), make_id(n), 100, 110 + n] for n in (1, 2)))


@case()
def month_said_nowhere() -> File:
    return one(["城关镇高龄津贴发放表"], HEADER, *people(1, 2), file="上报.xlsx")


@case()
def programme_said_nowhere() -> File:
    return one(["城关镇2026年10月发放表"], HEADER, *people(1, 2), file="上报.xlsx")


@case()
def a_list_of_stopped_people_alone() -> File:
    return one(["城关镇2026年10月高龄津贴停发名单"], HEADER, *people(1, 2))


@case()
def total_is_a_multiple_of_the_sum() -> File:
    return one([TITLE], HEADER, *people(1, 2), ["合计", None, None, 600])


@case()
def header_without_people() -> File:
    return one([TITLE], HEADER, [], ["制表人："])


@case()
def a_letter_instead_of_a_list() -> File:
    return one(
        ["关于报送高龄津贴的函"],
        ["区民政局："],
        ["现将我镇2026年10月高龄津贴发放情况报上，请审核。"],
        ["城关镇人民政府"],
    )


@case()
def numbers_too_big_for_a_month() -> File:
    return one([TITLE], HEADER, *people(1, 2), *people(3, amount=100_000_000))
