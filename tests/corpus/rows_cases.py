"""Rows inside a table that are nobody: totals, pages, notes, signatures, headings, blanks."""

from __future__ import annotations

from tests.corpus.book import FILE, HEADER, TITLE, File, Formula, Page, account, case, name, one, people, person
from tests.support import make_id

ITEMS = ["序号", "村", "姓名", "身份证号", "发放金额", "银行账号"]


def villager(number: int, village: str, amount: float = 100) -> list[object]:
    return [number, village, name(number), make_id(number), amount, account(number)]


@case()
def header_on_every_page_with_page_numbers() -> File:
    rows = [
        [TITLE], HEADER, *people(1, 2), ["本页小计", None, None, 200], ["第1页", None, "共3页"],
        [TITLE], HEADER, *people(3, 4), ["本页小计", None, None, 200], ["第2页", None, "共3页"],
        [TITLE], HEADER, *people(5), ["本页小计", None, None, 100], ["合计", None, None, 500], ["第3页", None, "共3页"],
    ]  # fmt: skip
    return one(*rows)


@case()
def carried_over_and_brought_forward() -> File:
    """过次页 and 承前页: running sums, never anybody's money."""
    rows = [
        [TITLE], HEADER, *people(1, 2), ["过次页", None, None, 200],
        HEADER, ["承前页", None, None, 200], *people(3, 4), ["过次页", None, None, 400],
        HEADER, ["承前页", None, None, 400], *people(5), ["合计", None, None, 500],
    ]  # fmt: skip
    return one(*rows)


@case()
def page_totals_called_total_each_exactly_half() -> File:
    """本页合计 on two pages of the same sum: together they are the list's, none of them is the total."""
    rows = [
        [TITLE], HEADER, *people(1, 2), ["本页合计", None, None, 200],
        [TITLE], HEADER, *people(3, 4), ["本页合计", None, None, 200],
    ]  # fmt: skip
    return one(*rows)


@case()
def page_totals_plain_word_each_a_third() -> File:
    rows = [
        HEADER, *people(1, 2), ["合计", None, None, 200],
        HEADER, *people(3, 4), ["合计", None, None, 200],
        HEADER, *people(5, 6), ["合计", None, None, 200],
    ]  # fmt: skip
    return one(*rows)


@case()
def total_of_the_last_page_only_is_half() -> File:
    """Only the last page has its 合计, under a header printed again: the page's, not the list's."""
    return one([TITLE], HEADER, *people(1, 2), [TITLE], HEADER, *people(3, 4), ["本页合计", None, None, 200])


@case()
def running_total_and_page_total() -> File:
    rows = [
        HEADER, *people(1, 2), ["本页合计", None, None, 200], ["累计", None, None, 200],
        HEADER, *people(3, 4), ["本页合计", None, None, 200], ["累计", None, None, 400],
    ]  # fmt: skip
    return one(*rows)


@case()
def people_added_below_the_total_and_a_new_total() -> File:
    rows = [[TITLE], HEADER, *people(1, 2), ["合计", None, None, 200], *people(3), ["合计", None, None, 300]]
    return one(*rows)


@case()
def sub_totals_of_villages() -> File:
    rows = [
        [TITLE], ITEMS,
        villager(1, "东风村"), villager(2, "东风村", 200), ["东风村小计", None, "2人", None, 300],
        villager(3, "前进村", 150), ["小计", None, "1人", None, 150],
        ["总计", None, "3人", None, 450],
    ]  # fmt: skip
    return one(*rows)


@case()
def sub_totals_above_their_rows() -> File:
    rows = [
        [TITLE], ITEMS,
        ["东风村合计", None, "2人", None, 300], villager(1, "东风村"), villager(2, "东风村", 200),
        ["前进村合计", None, "1人", None, 150], villager(3, "前进村", 150),
    ]  # fmt: skip
    return one(*rows)


@case()
def total_differs_from_the_sum() -> File:
    return one([TITLE], HEADER, *people(1, 2, 3), ["合计", None, None, 290])


@case()
def total_is_a_formula() -> File:
    return one([TITLE], HEADER, *people(1, 2, 3), ["合计", None, None, Formula("=SUM(D3:D5)", 300)])


@case()
def total_in_capitals() -> File:
    return one([TITLE], HEADER, *people(1, 2, 3), ["合计（大写）", "叁佰元整", None, 300])


@case()
def total_only_in_capitals() -> File:
    return one([TITLE], HEADER, *people(1, 2, 3), ["金额合计大写：人民币叁佰元整"])


@case()
def total_label_in_the_id_column() -> File:
    return one([TITLE], HEADER, *people(1, 2), [None, None, "合计", 200])


@case()
def total_label_in_the_last_column() -> File:
    return one([TITLE], [*HEADER, "备注"], *people(1, 2), [None, None, None, 200, None, "合计"])


@case()
def total_label_spread_over_cells() -> File:
    return one([TITLE], HEADER, *people(1, 2), ["合", "计", None, 200])


@case()
def total_merged_over_the_names() -> File:
    return one([TITLE], HEADER, *people(1, 2), ["合    计", None, None, 200], merges=["A5:C5"])


@case()
def total_in_households_and_persons() -> File:
    return one([TITLE], HEADER, *people(1, 2), ["合计：2户2人，金额200元"])


@case()
def total_above_the_rows() -> File:
    return one([TITLE], HEADER, ["合计", None, "2人", 200], *people(1, 2))


@case()
def signatures_and_date_below() -> File:
    return one(
        [TITLE],
        HEADER,
        *people(1, 2),
        [],
        ["单位负责人：", None, "审核人：李某", None, "制表人：张某"],
        ["制表时间：2026年10月9日"],
        ["", None, None, "2026年10月9日"],
    )


@case()
def notes_below() -> File:
    return one(
        [TITLE],
        HEADER,
        *people(1, 2),
        ["注：1.本表一式三份，村、镇、区各一份。"],
        ["2.监督电话：0716-1234567"],
        ["说明：本月新增1人，停发0人"],
        ["以上人员均已公示，公示期7天（10月1日至10月7日），无异议。"],
    )


@case()
def blank_rows_and_rows_of_spaces() -> File:
    return one([TITLE], HEADER, [], person(1), [" ", "　", None, "", " "], person(2), [], [], [], person(3))


@case()
def village_headings_between() -> File:
    rows = [
        [TITLE], HEADER,
        ["一、东风村"], *people(1, 2),
        ["二、前进村（共1户1人）"], *people(3),
    ]  # fmt: skip
    return one(*rows, merges=["A3:E3", "A6:E6"])


@case()
def serial_numbers_begin_anew() -> File:
    rows = [person(1, serial=1), person(2, serial=2), person(3, serial=1), person(4, serial="2")]
    return one([TITLE], HEADER, *rows)


@case()
def lines_prepared_for_later() -> File:
    """Serial numbers and formulas of nought written ahead below the last person."""
    ahead = [[n, None, None, Formula(f'=IF(B{n + 2}="",0,100)', 0), None] for n in (3, 4, 5)]
    return one([TITLE], HEADER, *people(1, 2), *ahead, ["合计", None, None, 200])


@case()
def below_here_blank() -> File:
    return one([TITLE], HEADER, *people(1, 2), [None, "以下空白"], [], ["此页无正文"])


@case()
def a_person_called_like_a_total() -> File:
    """计春 is a name; 合计 is none. Nobody is passed over for a word."""
    rows = [[1, "计春", make_id(1), 100, account(1)], person(2)]
    return one([TITLE], HEADER, *rows, ["合计", None, None, 200])


@case()
def second_list_beneath_of_another_programme() -> File:
    rows = [
        [TITLE], HEADER, *people(1, 2), ["合计", None, None, 200], [],
        ["城关镇2026年10月重度残疾人护理补贴发放表"],
        [*HEADER[:4], "残疾等级", "银行账号"],
        *([n, name(n), make_id(n), 80, "一级", account(n)] for n in (3, 4)), ["合计", None, None, 160],
    ]  # fmt: skip
    return one(*rows, file="城关镇2026年10月.xlsx")


@case()
def comma_file_with_notes() -> File:
    rows = [[TITLE], HEADER, *people(1, 2), ["合计", "", "", "200"], ["制表人：张某", "", "审核：李某"]]
    return File(FILE.replace("xlsx", "csv"), [Page(rows)])


@case()
def old_excel_with_everything() -> File:
    rows = [
        [TITLE], ["单位：元"], ITEMS, villager(1, "东风村"), villager(2, "东风村"), ["小计", None, None, None, 200],
        villager(3, "前进村"), ["合计", None, None, None, 300], ["审核人：", None, None, "制表人："],
    ]  # fmt: skip
    return File(FILE.replace("xlsx", "xls"), [Page(rows, merges=["A1:F1"])])
