"""Whole sheets in the habits of townships: where the header is, which rows are data, what the table says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from jiuzhu_cli.intake.table import Hints, Table
from tests.intake.sheets import codes, fields, sheet, tables_of
from tests.support import make_id

TITLE = "城关镇2026年10月农村低保花名册"
HEADER = ["序号", "姓名", "身份证号", "发放金额", "银行账号"]
ID = [make_id(n, born=f"19{40 + n}0101") for n in range(1, 60)]


def person(n: int, amount: Any = 100, **more: Any) -> list[Any]:
    return [n, "张三李四王五赵六"[n % 7 : n % 7 + 2], ID[n], amount, f"62170012345678901{n:02d}"]


def one(*rows: list[Any], file: str = "a.xlsx", **more: Any) -> Table:
    tables, _ = tables_of(sheet(rows, **more), file=file)
    assert len(tables) == 1, [table.title for table in tables]
    return tables[0]


def reasons(table: Table) -> dict[int, str]:
    return dict(table.skipped)


def test_title_unit_and_blank_rows_above_the_header() -> None:
    table = one(
        [TITLE],
        ["填报单位：城关镇人民政府", None, "单位：元", "制表日期：2026年10月8日"],
        [],
        HEADER,
        person(1),
        person(2),
    )
    assert (table.title, table.header_first, table.rows.tolist(), table.fatal) == (TITLE, 3, [4, 5], False)


def test_header_in_the_first_row() -> None:
    table = one(HEADER, person(1), file="城关镇2026年10月农村低保花名册.xlsx")
    assert (table.header_first, table.rows.tolist(), table.month, table.area) == (0, [1], "2026-10", "城关镇")


def test_header_far_below() -> None:
    table = one([TITLE], *[[f"一、填报说明第{n}条：请各村如实填写"] for n in range(30)], HEADER, person(1))
    assert (table.header_first, table.rows.tolist(), table.title) == (31, [32], TITLE)


def test_table_not_beginning_in_column_a() -> None:
    table = one(
        [None, None, TITLE], [None, None, *HEADER], [None, None, *person(1)], [None, None, "合计", None, None, 100]
    )
    assert (fields(table)["id_no"], table.rows.tolist(), table.stated_total_fen) == ("E", [2], 10000)


MERGED_HEAD = [
    [TITLE],
    ["序号", "户主", "家庭成员", None, None, "发放金额（元）", None, None, "备注"],
    [None, None, "姓名", "身份证号", "与户主关系", "基本", "分类施保", "合计", None],
]
HEAD_MERGES = [(0, 0, 0, 8), (1, 0, 2, 0), (1, 1, 2, 1), (1, 2, 1, 4), (1, 5, 1, 7), (1, 8, 2, 8)]
HOUSEHOLD_ROWS = [
    [1, "张三", "张三", ID[1], "本人", 300, 50, 350, None],
    [None, None, "李四", ID[2], "妻", None, None, None, None],
    [2, "王五", "王五", ID[3], "本人", 400, 0, 400, None],
]


@pytest.mark.parametrize("merged", [HEAD_MERGES, []], ids=["merged", "merges lost"])
def test_two_row_header(merged: list[tuple[int, int, int, int]]) -> None:
    table = one(*MERGED_HEAD, *HOUSEHOLD_ROWS, merged=merged)
    assert (table.header_first, table.header_last, table.rows.tolist()) == (1, 2, [3, 4, 5])
    assert fields(table) == {
        "serial_no": "A", "head_name": "B", "name": "C", "id_no": "D", "relation": "E",
        "base_fen": "F", "addon_fen": "G", "amount_fen": "H", "remark": "I",
    }  # fmt: skip
    assert table.columns[2].header == "家庭成员|姓名"


def test_three_row_header() -> None:
    table = one(
        [TITLE],
        ["序号", "家庭基本情况", None, None, None, "本月救助", None, None, "备注"],
        [None, "户主", None, "家庭成员", None, "发放金额", None, "账户", None],
        [None, "姓名", "身份证号", "姓名", "身份证号", "基本", "合计", None, None],
        [1, "张三", ID[1], "李四", ID[2], 300, 350, "6217001234567890101", None],
        merged=[
            (0, 0, 0, 8),
            (1, 0, 3, 0),
            (1, 1, 1, 4),
            (1, 5, 1, 7),
            (2, 1, 2, 2),
            (2, 3, 2, 4),
            (2, 5, 2, 6),
            (2, 7, 3, 7),
            (1, 8, 3, 8),
        ],
    )
    assert (table.header_first, table.header_last, table.rows.tolist()) == (1, 3, [4])
    got = fields(table)
    assert [
        got[code]
        for code in ("head_name", "head_id_no", "member_names", "member_ids", "base_fen", "amount_fen", "account_no")
    ] == list("BCDEFGH")


def test_group_heads_over_a_full_row_of_headers() -> None:
    table = one(
        [TITLE],
        ["基本信息", None, None, "发放信息", None],
        HEADER,
        person(1),
        merged=[(0, 0, 0, 4), (1, 0, 1, 2), (1, 3, 1, 4)],
    )
    assert (table.header_first, table.header_last, table.rows.tolist()) == (1, 2, [3])
    assert fields(table)["amount_fen"] == "D"


def test_row_of_column_numbers_under_the_header() -> None:
    table = one([TITLE], HEADER, ["甲", "乙", "1", "2", "3"], person(1))
    assert (table.header_last, table.rows.tolist()) == (2, [3])
    table = one([TITLE], HEADER, [1, 2, 3, 4, 5], person(1))
    assert (table.header_last, table.rows.tolist()) == (2, [3])


def test_first_person_without_id_is_data_not_header() -> None:
    table = one(
        [TITLE],
        ["姓名", "身份证号", "乡镇", "村", "金额"],
        ["张三", None, "城关镇", "东风村", 100],
        ["李四", ID[1], "城关镇", "东风村", 100],
    )
    assert (table.header_last, table.rows.tolist()) == (1, [2, 3])


def test_header_on_every_page() -> None:
    rows = [
        [TITLE],
        ["单位：元", None, "第1页"],
        HEADER,
        person(1),
        person(2),
        ["本页小计", None, None, 200],
        [TITLE],
        ["单位：元", None, "第2页"],
        HEADER,
        person(3),
        ["本页小计", None, None, 100],
        HEADER,
        person(4),
        ["总计", None, None, 400],
    ]
    table = one(*rows)
    assert table.rows.tolist() == [3, 4, 9, 12]
    assert table.stated_total_fen == 40000
    assert {row for row, why in table.skipped if why == "repeated_header"} == {6, 7, 8, 11}


def test_two_row_header_on_every_page() -> None:
    table = one(
        *MERGED_HEAD,
        *HOUSEHOLD_ROWS,
        *MERGED_HEAD[1:],
        *HOUSEHOLD_ROWS,
        merged=HEAD_MERGES + [(a + 5, b, c + 5, d) for a, b, c, d in HEAD_MERGES[1:]],
    )
    assert table.rows.tolist() == [3, 4, 5, 8, 9, 10]


def test_several_tables_on_one_sheet() -> None:
    tables, _ = tables_of(
        sheet([
            ["城关镇2026年10月农村低保花名册"], HEADER, person(1), ["合计", None, None, 100], ["制表人：张三"], [],
            ["城关镇2026年10月特困人员供养金发放表"], ["姓名", "身份证号", "供养方式", "金额"], ["王五", ID[5], "分散", 900], ["合计", None, None, 900], [],
            ["青溪镇2026年10月农村低保花名册"], HEADER, person(2), person(3), ["合计", None, None, 200],
        ]),
        file="民政10月.xlsx",
    )  # fmt: skip
    assert [(table.code, table.area, table.rows.tolist(), table.stated_total_fen) for table in tables] == [
        ("subsistence_allowance", "城关镇", [2], 10000),
        ("extreme_poverty_support", "城关镇", [8], 90000),
        ("subsistence_allowance", "青溪镇", [13, 14], 20000),
    ]


def test_same_header_under_another_village_title_is_another_table() -> None:
    tables, _ = tables_of(
        sheet(
            [
                ["城关镇东风村2026年10月农村低保"],
                HEADER,
                person(1),
                ["城关镇前进村2026年10月农村低保"],
                HEADER,
                person(2),
            ]
        ),
        file="a.xlsx",
    )
    assert [(table.area, table.village, table.rows.tolist()) for table in tables] == [
        ("城关镇", "东风村", [2]),
        ("城关镇", "前进村", [5]),
    ]


def test_village_headings_inside_the_table() -> None:
    table = one(
        [TITLE],
        HEADER,
        ["东风村"],
        person(1),
        person(2),
        ["小计", None, None, 200],
        ["前进村（1户）"],
        person(3),
        ["小计", None, None, 100],
        ["合计", None, None, 300],
    )
    assert table.rows.tolist() == [3, 4, 7]
    assert table.row_villages == ["东风村", "东风村", "前进村"]
    assert (table.stated_total_fen, table.area) == (30000, "城关镇")


def test_a_sheet_a_village() -> None:
    sheets = [sheet([[TITLE], HEADER, person(n)], name=name) for n, name in enumerate(["东风村", "前进村", "民主"], 1)]
    tables, _ = tables_of(*sheets, file="a.xlsx")
    assert [(table.area, table.village) for table in tables] == [
        ("城关镇", "东风村"),
        ("城关镇", "前进村"),
        ("城关镇", "民主"),
    ]


def test_a_sheet_a_programme_and_a_sheet_a_month() -> None:
    sheets = [sheet([HEADER, person(1)], name=name) for name in ("低保", "特困", "高龄津贴")]
    tables, _ = tables_of(*sheets, file="城关镇2026年10月民政资金.xlsx")
    assert [table.code for table in tables] == ["subsistence_allowance", "extreme_poverty_support", "old_age_allowance"]
    sheets = [sheet([HEADER, person(1)], name=name) for name in ("8月", "9月", "10月份")]
    tables, _ = tables_of(*sheets, file="城关镇2026年农村低保.xlsx")
    assert [table.month for table in tables] == ["2026-08", "2026-09", "2026-10"]


TOTALS: list[tuple[list[list[Any]], int | None, int | None, int | None]] = [
    ([["合计", None, None, 300]], 30000, None, None),
    ([["合　计", None, None, "300.00"]], 30000, None, None),
    ([[None, "总 计", "2户", 300]], 30000, 2, None),
    ([["合计：2户3人，金额300元"]], 30000, 2, 3),
    ([["合计", "2户", "3人", "¥300.00"]], 30000, 2, 3),
    ([["总计（大写）：叁佰元整", None, None, 300]], 30000, None, None),
    ([["东风村合计", None, None, 300], ["全镇合计", None, None, 300]], 30000, None, None),
    ([["小计", None, None, 300]], 30000, None, None),
    ([["合计", None, None, 299.99999999999994]], 30000, None, None),
    ([["合计", None, None, None]], None, None, None),
    ([], None, None, None),
]


@pytest.mark.parametrize(("rows", "fen", "households", "persons"), TOTALS)
def test_totals(rows: list[list[Any]], fen: int | None, households: int | None, persons: int | None) -> None:
    table = one([TITLE], HEADER, person(1), person(2, 200), *rows)
    assert table.rows.tolist() == [2, 3]
    assert (table.stated_total_fen, table.stated_households, table.stated_persons) == (fen, households, persons)


def test_totals_by_village_without_a_grand_total() -> None:
    table = one([TITLE], HEADER, person(1), ["合计", None, None, 100], person(2), person(3), ["合计", None, None, 200])
    assert (table.rows.tolist(), table.stated_total_fen) == ([2, 4, 5], 30000)


def test_total_above_the_rows() -> None:
    table = one([TITLE], HEADER, ["合计", None, None, 200], person(1), person(2))
    assert (table.rows.tolist(), table.stated_total_fen) == ([3, 4], 20000)


@pytest.mark.parametrize(
    "row",
    [
        ["制表人：张三", None, "审核人：李四", None, "2026年10月8日"], ["制表人：张三  制表时间：2026-10-08"], ["填报人：", None, None, "负责人（签字）："], ["单位（盖章）"],
        ["审核：", "复核：", "经办："], ["注：本表一式三份"], ["说明：1.本表由村填写"], ["备注：金额单位为元"], ["监督电话：0716-1234567"], ["以下空白"], [1], [None, None, "第1页"],
        ["1、本表须经村民代表会议评议"],
    ],
)  # fmt: skip
def test_rows_under_the_table_are_not_data(row: list[Any]) -> None:
    table = one([TITLE], HEADER, person(1), person(2), ["合计", None, None, 200], row)
    assert table.rows.tolist() == [2, 3]
    assert table.skipped[-1][0] == 5


@pytest.mark.parametrize(
    "row",
    [
        [3, "王五", None, 100, None], [None, "王五", None, None, None], [3, "王五", "4.21E+17", 100, None], [3, "王五", 421002197001010000, 100, None],
        [3, "王五", "身份证丢失", 100, None], [None, None, ID[9], None, None], [3, "小计生", None, 100, None], [3, "合生", "x", 100, None],
    ],
)  # fmt: skip
def test_damaged_rows_stay_data(row: list[Any]) -> None:
    assert one([TITLE], HEADER, person(1), row, person(2)).rows.tolist() == [2, 3, 4]


def test_prepared_lines_are_not_data() -> None:
    table = one(
        [TITLE],
        ["序号", "村", "姓名", "身份证号", "发放金额"],
        [1, "东风村", "张三", ID[1], 100],
        [2, "东风村", None, None, None],
        [3, "东风村", None, None, 0],
        [4],
    )
    assert table.rows.tolist() == [2]
    assert {reasons(table)[row] for row in (3, 4)} == {"prefilled"}


def test_blank_rows_between() -> None:
    assert one([TITLE], HEADER, person(1), [], ["  "], person(2), []).rows.tolist() == [2, 5]


def test_hidden_rows_and_columns_are_data_and_told() -> None:
    table = one([TITLE], HEADER, person(1), person(2), person(3), hidden_rows={3, 4}, hidden_columns={2})
    assert table.rows.tolist() == [2, 3, 4]
    told = {finding.code: finding.values for finding in table.findings}
    assert told["rows_hidden"] == {"rows": "4-5", "count": 2} and "C列" in str(told["columns_hidden"]["columns"])


def test_hidden_and_empty_sheets() -> None:
    tables, findings = tables_of(
        sheet([[TITLE], HEADER, person(1)]),
        sheet([[TITLE], HEADER, person(2)], name="旧", hidden=True),
        sheet([], name="Sheet3"),
        sheet([["封面"], ["城关镇"]], name="封面"),
        file="a.xlsx",
    )
    assert len(tables) == 1
    assert [(finding.code, finding.source.sheet) for finding in findings] == [
        ("sheet_hidden", "旧"),
        ("sheet_without_table", "封面"),
    ]


def test_people_without_a_header() -> None:
    tables, findings = tables_of(sheet([["张三", ID[1], 100], ["李四", ID[2], 100]]))
    assert tables == [] and [finding.code for finding in findings] == ["header_missing"]


def test_households_by_merged_cells() -> None:
    merged = [*HEAD_MERGES, (3, 0, 4, 0), (3, 1, 4, 1), (3, 7, 4, 7)]
    table = one(*MERGED_HEAD, *HOUSEHOLD_ROWS, merged=merged)
    assert table.blocks is not None and table.blocks.tolist() == [1, 1, 2]
    assert one(*MERGED_HEAD, *HOUSEHOLD_ROWS).blocks is None


def test_village_merged_over_many_households_is_no_household() -> None:
    rows = [["东风村", "张三", ID[1], 1], [None, "李四", ID[2], 1], [None, "王五", ID[3], 1]]
    table = one([TITLE], ["村", "姓名", "身份证号", "金额"], *rows, merged=[(2, 0, 4, 0)])
    assert table.blocks is None


def test_two_lists_side_by_side() -> None:
    tables, _ = tables_of(
        sheet([[TITLE], [*HEADER, None, *HEADER], [*person(1), None, *person(3)], [*person(2), None]]), file="a.xlsx"
    )
    assert [(table.rows.tolist(), fields(table)["id_no"]) for table in tables] == [([2, 3], "C"), ([2], "I")]


def test_two_subsidies_on_one_list() -> None:
    rows = [["张三", ID[1], 80, 100, 180], ["李四", ID[2], 80, None, 80], ["王五", ID[3], 0, 100, 100]]
    tables, _ = tables_of(
        sheet(
            [
                ["城关镇2026年10月残疾人两项补贴发放表"],
                ["姓名", "身份证号", "困难残疾人生活补贴", "重度残疾人护理补贴", "合计"],
                *rows,
            ]
        ),
        file="a.xlsx",
    )
    assert [(table.code, table.rows.tolist(), fields(table)["amount_fen"], table.fatal) for table in tables] == [
        ("disability_living_subsidy", [2, 3], "C", False),
        ("disability_care_subsidy", [2, 4], "D", False),
    ]


def test_rows_that_name_their_programme() -> None:
    rows = [["张三", ID[1], "农村低保", 80], ["李四", ID[2], "农村特困", 900], ["王五", ID[3], "农村低保", 70]]
    tables, _ = tables_of(
        sheet([["城关镇2026年10月救助资金发放表"], ["姓名", "身份证号", "救助类型", "金额"], *rows]), file="a.xlsx"
    )
    assert [(table.code, table.rows.tolist()) for table in tables] == [
        ("extreme_poverty_support", [3]),
        ("subsistence_allowance", [2, 4]),
    ]


def test_rows_that_name_their_month() -> None:
    rows = [["张三", ID[1], "2026年9月", 80], ["李四", ID[2], "2026年10月", 90]]
    tables, _ = tables_of(
        sheet([["城关镇农村低保发放表"], ["姓名", "身份证号", "发放月份", "金额"], *rows]), file="a.xlsx"
    )
    assert [(table.month, table.rows.tolist()) for table in tables] == [("2026-09", [2]), ("2026-10", [3])]


def test_provincial_pair() -> None:
    family = ["序号", "所属省", "所属市", "所属区", "所属街", "所属社", "户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "家庭人口", "保障人口", "户月保障金额（元）", "银行帐号", "开户银行", "最初享受月"]  # fmt: skip
    rows = [[1, "某省", "某市", "某县", "城关镇", "东风村", "张三", ID[1], "李四,王五", f"{ID[2]},{ID[3]}", 3, 3, 900, "6217001234567890101", "农商行", "2020-01"], [2, "某省", "某市", "某县", "城关镇", "东风村", "赵六", ID[4], None, None, 1, 1, 500, "6217001234567890102", "农商行", "2020-01"]]  # fmt: skip
    tables, _ = tables_of(sheet([family, *rows]), file="农村低保家庭查询_202610.xlsx")
    got = fields(tables[0])
    assert [
        got[code] for code in ("head_name", "head_id_no", "member_names", "member_ids", "amount_fen", "town", "village")
    ] == list("GHIJMEF")
    assert tables[0].column("amount_fen").level == "household"  # type: ignore[union-attr]
    assert (tables[0].code, tables[0].area, tables[0].category, tables[0].fatal) == (
        "subsistence_allowance",
        "城关镇",
        "农村",
        False,
    )
    people = ["姓名", "身份证号码", "户主姓名", "户主身份证号", "与户主关系", "户月保障金额（元）", "所属街", "所属社"]
    tables, _ = tables_of(
        sheet([people, ["李四", ID[2], "张三", ID[1], "妻", 900, "城关镇", "东风村"]]),
        file="农村低保人员查询_202610.xlsx",
    )
    got = fields(tables[0])
    assert [got[code] for code in ("name", "id_no", "head_name", "head_id_no", "amount_fen")] == list("ABCDF")


def test_inspur_export() -> None:
    header = [
        "地区",
        "户主姓名",
        "身份证号",
        "低保证号",
        "主要致贫原因",
        "家庭人口数",
        "保障人口数",
        "保障金额（元）",
        "起始保障年月",
        "家庭住址",
    ]
    rows = [
        ["示例区城关镇东风村", "张三", ID[1], "D1", "因病", 2, 2, 300, "2020-01", "一组"],
        ["示例区城关镇东风村", "李四", ID[2], "D2", "因残", 1, 1, 200, "2020-01", "二组"],
    ]
    table = one(
        ["2026年10月农村低保保障家庭名单"], header, *rows, ["制表人：王五 制表时间：2026-10-08"], merged=[(0, 0, 0, 9)]
    )
    assert (table.rows.tolist(), table.area, fields(table)["name"], fields(table)["id_no"], table.skipped) == (
        [2, 3],
        "城关镇",
        "B",
        "C",
        [(4, "signature")],
    )


def test_old_age_export() -> None:
    header = ["老人姓名", "身份证号码", "老人联系方式", "户籍地址", "发放金额", "银行卡号", "人员类型", "原始类型"]
    table = one(
        ["津贴对象"],
        header,
        ["张三", ID[1], "13800000000", "东风村", "100", "6217001234567890101", "低保", "80-89"],
        file="津贴对象.xlsx",
    )
    assert (table.code, table.header_first, table.rows.tolist(), fields(table)["amount_fen"]) == (
        "old_age_allowance",
        1,
        [2],
        "E",
    )
    assert "month_unknown" in codes(table)


@pytest.mark.parametrize("word", ["停发", "新增", "变动", "退出"])
def test_a_partial_list_never_replaces_the_roll(word: str) -> None:
    table = one([f"城关镇2026年10月农村低保{word}人员名单"], HEADER, person(1))
    assert table.fatal and "list_partial" in codes(table)
    tables, findings = tables_of(
        sheet([[TITLE], HEADER, person(1)], name="花名册"),
        sheet([[TITLE], HEADER, person(2)], name=word),
        file="a.xlsx",
    )
    assert len(tables) == 1 and not tables[0].fatal and [finding.code for finding in findings] == ["list_left_out"]
    tables, _ = tables_of(
        sheet([[f"城关镇2026年10月低保{word}"], HEADER, person(1)]), file="a.xlsx", hints=Hints(programme="低保")
    )
    assert not tables[0].fatal


def test_a_roll_that_includes_new_people_is_whole() -> None:
    assert not one(["城关镇2026年10月农村低保发放花名册（含新增）"], HEADER, person(1)).fatal


def test_town_headings_inside_a_district_list() -> None:
    table = one(["2026年10月农村低保"], HEADER, ["城关镇"], person(1), ["二、青溪镇（1户）"], person(2))
    assert (table.rows.tolist(), table.row_towns, table.area) == ([3, 5], ["城关镇", "青溪镇"], "")


def test_header_in_unknown_words_is_found_above_the_people() -> None:
    table = one(["xm", "sfzh18", "je"], ["张三", ID[1], 1], ["李四", ID[2], 1], file="城关镇低保202610.csv")
    assert (table.header_first, table.rows.tolist(), fields(table)["id_no"]) == (0, [1, 2], "B")


def test_kin_register_with_two_plain_ids() -> None:
    header = ["序号", "村干部姓名", "职务", "身份证号", "享受对象姓名", "身份证号", "与干部关系", "享受类别"]
    table = one(
        ["城关镇村（社区）干部近亲属享受低保、特困备案登记表"],
        header,
        [1, "张三", "主任", ID[1], "李四", ID[2], "兄", "低保"],
    )
    assert (table.kind, table.code, table.fatal) == ("register", "staff_and_cadres", False)
    got = fields(table)
    assert [got[code] for code in ("name", "id_no", "related_name", "related_id_no")] == list("BDEF")


def test_total_in_words_under_the_table() -> None:
    table = one([TITLE], HEADER, person(1), ["共1户1人，金额100元"])
    assert (table.rows.tolist(), table.stated_total_fen, table.stated_households, table.stated_persons) == (
        [2],
        10000,
        1,
        1,
    )
    assert one([TITLE], HEADER, person(1), ["合计（大写）：人民币壹佰元整"]).stated_total_fen == 10000


def test_a_village_alone_is_its_own_list() -> None:
    assert one(["城关镇东风村2026年10月农村低保"], HEADER, person(1)).area == "城关镇/东风村"


def test_sheets_of_towns_are_lists_of_towns_unless_one_is_mixed() -> None:
    def part(name: str, *towns: str) -> Any:
        rows = [[town, *person(n)] for n, town in enumerate(towns, 1)]
        return sheet([["2026年10月农村低保花名册"], ["乡镇", *HEADER], *rows], name=name)

    tables, _ = tables_of(part("一", "城关镇"), part("二", "青溪镇"), file="a.xlsx")
    assert [table.area for table in tables] == ["城关镇", "青溪镇"]
    tables, _ = tables_of(part("一", "城关镇"), part("二", "青溪镇", "白石乡"), file="a.xlsx")
    assert [table.area for table in tables] == ["", ""]


def test_month_on_a_line_of_its_own_but_not_the_day_of_writing() -> None:
    assert (
        one(["城关镇农村低保花名册"], ["（2026年9月）"], ["制表日期：2026年10月8日"], HEADER, person(1)).month
        == "2026-09"
    )
    table = one(["城关镇农村低保花名册"], ["制表日期：2026年10月8日"], HEADER, person(1))
    assert table.fatal and "month_unknown" in codes(table)


def test_a_column_of_bare_months_takes_the_year_of_the_file() -> None:
    table = one(
        ["月份", "姓名", "身份证号", "金额"],
        [10, "张三", ID[1], 100],
        ["10月", "李四", ID[2], 100],
        file="2026年城关镇高龄津贴.xlsx",
    )
    assert (table.month, table.fatal) == ("2026-10", False)


def test_village_headings_with_the_header_again() -> None:
    table = one([TITLE], HEADER, ["东风村"], HEADER, person(1), ["前进村"], HEADER, person(2))
    assert (table.rows.tolist(), table.row_villages) == ([4, 7], ["东风村", "前进村"])


def test_a_second_table_without_a_name_goes_on_with_the_list_above() -> None:
    tables, _ = tables_of(
        sheet(
            [
                [TITLE],
                ["填报单位：东风村"],
                HEADER,
                person(1),
                ["合计", None, None, 100],
                [],
                ["填报单位：前进村"],
                HEADER,
                person(2),
            ]
        ),
        file="a.xlsx",
    )
    assert [(table.code, table.month, table.area, table.village) for table in tables] == [
        ("subsistence_allowance", "2026-10", "城关镇", "东风村"),
        ("subsistence_allowance", "2026-10", "城关镇", "前进村"),
    ]


def test_summary_sheet_is_left_out() -> None:
    summary = sheet(
        [["城关镇2026年10月低保汇总表"], ["村", "户数", "人数", "金额"], ["东风村", 1, 2, 300], ["合计", 1, 2, 300]],
        name="汇总",
    )
    tables, findings = tables_of(summary, sheet([[TITLE], HEADER, person(1)], name="明细"), file="a.xlsx")
    assert len(tables) == 1 and [finding.code for finding in findings] == ["sheet_without_table"]


def test_carried_forward_lines_are_no_people() -> None:
    table = one(
        [TITLE],
        HEADER,
        person(1),
        ["过次页", None, None, 100],
        ["承前页", None, None, 100],
        person(2),
        ["合计", None, None, 200],
    )
    assert (table.rows.tolist(), table.stated_total_fen) == ([2, 5], 20000)


def test_units_on_a_row_under_the_header() -> None:
    table = one(
        [TITLE], ["姓名", "身份证号", "人口", "补助资金"], [None, None, "（人）", "（万元）"], ["张三", ID[1], 1, 0.01]
    )
    assert (table.header_last, table.rows.tolist(), table.column("amount_fen").unit) == (2, [3], "万元")  # type: ignore[union-attr]


def test_a_remark_alone_is_a_note() -> None:
    assert one([TITLE], [*HEADER, "备注"], person(1), [None] * 5 + ["以上已核"], person(2)).rows.tolist() == [2, 4]
