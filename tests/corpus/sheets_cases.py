"""Several tables: under one another, side by side, one sheet a village, a month, a town; sheets that are no lists."""

from __future__ import annotations

from tests.corpus.book import FILE, HEADER, TITLE, File, Page, account, case, name, one, people
from tests.support import make_id


@case()
def one_sheet_per_village() -> File:
    pages = [
        Page([[f"城关镇{village}2026年10月高龄津贴发放表"], HEADER, *people(*numbers)], name=village)
        for village, numbers in (("东风村", (1, 2)), ("前进村", (3,)))
    ]
    return File(FILE, pages)


@case()
def one_sheet_per_village_without_titles() -> File:
    pages = [Page([HEADER, *people(*n)], name=v) for v, n in (("东风村", (1, 2)), ("前进村", (3,)))]
    return File(FILE, pages)


@case()
def one_sheet_per_month() -> File:
    pages = [
        Page([[f"城关镇高龄津贴{month}发放表"], HEADER, *people(1, 2)], name=month) for month in ("8月", "9月", "10月")
    ]
    return File("城关镇2026年高龄津贴.xlsx", pages)


@case()
def one_sheet_per_month_only_the_name_tells() -> File:
    pages = [Page([HEADER, *people(*n)], name=month) for month, n in (("9月", (1, 2)), ("10月", (1, 2, 3)))]
    return File("城关镇2026年高龄津贴.xlsx", pages)


@case()
def one_sheet_per_town() -> File:
    pages = [Page([HEADER, *people(*n)], name=town) for town, n in (("城关镇", (1, 2)), ("青溪镇", (3,)))]
    return File("2026年10月高龄津贴.xlsx", pages)


@case()
def one_sheet_per_programme() -> File:
    pages = [
        Page([HEADER, *people(1, 2)], name="高龄津贴"),
        Page([[*HEADER[:4], "残疾等级"], *([n, name(n), make_id(n), 80, "一级"] for n in (3, 4))], name="护理补贴"),
    ]
    return File("城关镇2026年10月.xlsx", pages)


@case()
def summary_sheet_before_the_lists() -> File:
    summary = Page(
        [["汇总表"], ["村名", "户数", "人数", "金额"], ["东风村", 2, 2, 200], ["前进村", 1, 1, 100]], name="汇总"
    )
    pages = [Page([HEADER, *people(*n)], name=v) for v, n in (("东风村", (1, 2)), ("前进村", (3,)))]
    return File(FILE, [summary, *pages, Page([], name="Sheet3")])


@case()
def tables_under_one_another_by_village() -> File:
    return one(
        ["城关镇东风村2026年10月高龄津贴发放表"], HEADER, *people(1, 2), ["合计", None, None, 200],
        [],
        ["城关镇前进村2026年10月高龄津贴发放表"], HEADER, *people(3), ["合计", None, None, 100],
    )  # fmt: skip


@case()
def villages_under_one_another_with_equal_totals() -> File:
    """Each 合计 is its own village's, though the second equals the sum of those before it."""
    return one(
        [TITLE], ["东风村"], HEADER, *people(1, 2), ["合计", None, None, 200],
        ["前进村"], HEADER, *people(3, 4), ["合计", None, None, 200],
    )  # fmt: skip


@case()
def tables_side_by_side() -> File:
    left, right = people(1, 3, 5), people(2, 4)
    rows = [[*a, *b] for a, b in zip(left, [*right, [None] * 5], strict=True)]
    return one([TITLE], [*HEADER, *HEADER], *rows)


@case()
def tables_side_by_side_with_a_gap_and_own_totals() -> File:
    rows = [[*a, None, *b] for a, b in zip(people(1, 3), people(2, 4), strict=True)]
    end = ["合计", None, None, 200, None, None, "合计", None, None, 200, None]
    return one([TITLE], [*HEADER, None, *HEADER], *rows, end, merges=["A1:K1"])


@case()
def two_villages_side_by_side() -> File:
    """Each panel has its own village above its header."""
    rows = [[*a, None, *b] for a, b in zip(people(1, 3), people(2, 4), strict=True)]
    place = ["东风村", None, None, None, None, None, "前进村"]
    return one([TITLE], place, [*HEADER, None, *HEADER], *rows, merges=["A1:K1", "A2:E2", "G2:K2"])


@case()
def hidden_sheet_is_not_read() -> File:
    return File(FILE, [Page([[TITLE], HEADER, *people(1, 2)]), Page([HEADER, *people(8, 9)], name="旧", hidden=True)])


@case()
def hidden_rows_and_columns_are_read() -> File:
    return one([TITLE], HEADER, *people(1, 2, 3), hidden_rows=[4], hidden_columns=["E"])


@case()
def filter_left_on() -> File:
    return one([TITLE], HEADER, *people(1, 2, 3, 4), hidden_rows=[3, 5], filtered="A2:E6")


@case()
def text_boxes_are_no_cells() -> File:
    return one([TITLE], HEADER, *people(1, 2), shapes=["城关镇民政办\n2026年11月", f"{name(7)} {make_id(7)}"])


@case()
def list_goes_on_on_a_second_sheet() -> File:
    return File(FILE, [Page([[TITLE], HEADER, *people(1, 2)]), Page([HEADER, *people(3)], name="Sheet2")])


@case()
def stopped_people_beside_the_roll_are_left_out() -> File:
    stopped = Page([["2026年10月停发名单"], HEADER[:3], *(row[:3] for row in people(8))], name="停发")
    return File(FILE, [Page([[TITLE], HEADER, *people(1, 2)], name="发放"), stopped])


@case()
def text_in_tabs_from_another_program() -> File:
    lines = ["\t".join(map(str, row)) for row in [HEADER, *people(1, 2)]]
    return File("城关镇2026年10月高龄津贴.txt", text="\r\n".join(lines), encoding="utf-16")


@case()
def old_excel_one_sheet_per_village() -> File:
    pages = [Page([HEADER, *people(*n)], name=v) for v, n in (("东风村", (1, 2)), ("前进村", (3,)))]
    return File(FILE.replace("xlsx", "xls"), pages)


@case()
def two_subsidies_in_one_list() -> File:
    """生活补贴 and 护理补贴 side by side: a list each, of those who have an amount there."""
    rows = [
        [1, name(1), make_id(1), "一级", 80, 100, account(1)],
        [2, name(2), make_id(2), "三级", 80, None, account(2)],
    ]
    head = ["序号", "姓名", "身份证号", "残疾等级", "困难残疾人生活补贴", "重度残疾人护理补贴", "银行账号"]
    return one(["城关镇2026年10月残疾人两项补贴发放表"], head, *rows, file="城关镇2026年10月.xlsx")
