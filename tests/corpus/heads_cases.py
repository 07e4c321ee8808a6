"""Titles, unit rows and headers: where a table begins and what its columns are."""

from __future__ import annotations

from tests.corpus.book import FILE, HEADER, HOMES, TITLE, File, Page, account, case, name, one, people, person
from tests.support import make_id


@case()
def title_and_unit_row() -> File:
    return one(
        [TITLE],
        ["填报单位：城关镇人民政府（盖章）", None, "填报时间：2026年10月9日", "单位：元"],
        HEADER,
        *people(1, 2, 3),
        merges=["A1:E1"],
        file="上报.xlsx",
    )


@case()
def two_line_title_with_page_setup() -> File:
    return one(
        ["某某市示例区城关镇"],
        ["2026年10月份高龄津贴发放花名册"],
        ["第1页 共1页"],
        ["（表一）"],
        HEADER,
        *people(1, 2),
        file="表一.xlsx",
    )


@case()
def header_of_two_rows() -> File:
    return one(
        [TITLE],
        ["序号", "老人信息", None, "发放情况", None],
        [None, "姓名", "身份证号", "发放金额", "银行账号"],
        *people(1, 2),
        merges=["A1:E1", "A2:A3", "B2:C2", "D2:E2"],
    )


@case()
def header_of_three_rows() -> File:
    return one(
        [TITLE],
        ["序号", "老人信息", None, "发放情况", None, None],
        [None, "姓名", "身份证号", "补贴", None, "银行账号"],
        [None, None, None, "类型", "发放金额", None],
        *([n, name(n), make_id(n), "80周岁", 100, account(n)] for n in (1, 2)),
        merges=["A1:F1", "A2:A4", "B2:C2", "D2:F2", "B3:B4", "C3:C4", "D3:E3", "F3:F4"],
    )


@case()
def header_merges_lost_in_text() -> File:
    page = Page(
        [
            [TITLE],
            ["序号", "老人信息", "", "发放情况", ""],
            ["", "姓名", "身份证号", "发放金额", "银行账号"],
            *people(1, 2),
        ]
    )
    return File(FILE.replace("xlsx", "csv"), [page])


@case()
def header_in_two_languages() -> File:
    """The second line of each header is Mongolian, as in the banner offices of Inner Mongolia."""
    words = ["ᠳ᠋ᠤᠭᠠᠷ", "ᠨᠡᠷ᠎ᠡ", "ᠪᠡᠶ᠎ᠡ ᠶᠢᠨ ᠦᠨᠡᠮᠯᠡᠯ", "ᠮᠥᠩᠭᠦ", "ᠳᠠᠩᠰᠠ"]
    return one([TITLE], HEADER, words, *people(1, 2))


@case()
def header_with_tibetan_in_the_cell() -> File:
    words = ["ཨང་", "མིང་", "ཐོབ་ཐང་", "དངུལ་", "རྩིས་ཁྲ"]
    return one([TITLE], [f"{a}\n{b}" for a, b in zip(HEADER, words, strict=True)], *people(1, 2))


@case()
def header_words_split_over_cells() -> File:
    """姓 | 名 in two cells, as a table that came out of a Word document."""
    rows = [[n, name(n), None, make_id(n), 100, account(n)] for n in (1, 2)]
    return one([TITLE], ["序号", "姓", "名", "身份证号", "发放金额", "银行账号"], *rows)


@case()
def header_spaced_and_full_width() -> File:
    return one(
        [TITLE],
        ["序　号", "姓　　名", "身 份 证\n号　　码", "发放金额（元）", "银行帐号："],
        *people(1, 2),
    )


@case()
def leading_empty_rows_and_columns() -> File:
    rows = [[None, None, *row] for row in [HEADER, *people(1, 2)]]
    return one([], [], [None, None, None, TITLE], [], *rows)


@case()
def columns_left_empty_between() -> File:
    head = ["序号", None, "姓名", None, "身份证号", "发放金额", None, "银行账号"]
    return one([TITLE], head, *([n, None, name(n), None, make_id(n), 100, None, account(n)] for n in (1, 2)))


@case()
def column_order_turned_round() -> File:
    return one([TITLE], HEADER[::-1], *(row[::-1] for row in people(1, 2, 3)))


@case()
def extra_columns_are_kept() -> File:
    head = [*HEADER, "网格员", "是否脱贫户"]
    return one([TITLE], head, [*person(1), "甲", "是"], [*person(2), None, "否"])


@case()
def column_numbers_under_the_header() -> File:
    return one([TITLE], HEADER, ["甲", "1", "2", "3", "4"], *people(1, 2))


@case()
def units_row_under_the_header() -> File:
    return one([TITLE], HEADER, [None, None, None, "（元）", None], *people(1, 2))


@case()
def amounts_in_ten_thousands() -> File:
    head = ["序号", "姓名", "身份证号", "发放金额（万元）", "银行账号"]
    return one([TITLE], head, *people(1, 2, amount=0.01), ["合计", None, None, 0.02])


@case()
def unit_above_the_table_is_hundreds() -> File:
    return one([TITLE], ["单位：百元"], HEADER, *people(1, 2, amount=1), ["合计", None, None, 2])


@case()
def instructions_above_the_header() -> File:
    return one(
        [TITLE],
        ["填表说明：1.身份证号须为18位；2.金额保留两位小数；3.每月5日前报送。"],
        ["注：表内姓名须与身份证一致，发放金额不含一次性补贴"],
        HEADER,
        *people(1, 2),
    )


@case()
def title_repeated_inside_by_printing() -> File:
    return one([TITLE], HEADER, *people(1, 2), [TITLE], HEADER, *people(3, 4), [TITLE], HEADER, *people(5))


@case()
def households_under_bands() -> File:
    return one(
        ["城关镇2026年10月农村低保花名册"],
        ["户主信息", None, "家庭成员信息", None, None, "保障情况", None],
        ["户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "户月保障金额", "银行账号"],
        [name(1), make_id(1), name(1), make_id(1), "本人", 600, account(1)],
        [name(1), make_id(1), name(2), make_id(2), "配偶", 600, account(1)],
        [name(3), make_id(3), name(3), make_id(3), "本人", 350, account(3)],
        merges=["A2:B2", "C2:E2", "F2:G2"],
        file=HOMES,
    )
