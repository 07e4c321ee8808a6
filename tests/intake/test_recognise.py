"""Programme, register, month and category from texts: one line a case, as townships write them."""

from __future__ import annotations

from datetime import date

import pytest

from jiuzhu_cli.intake.recognise import Names, category_in, is_range, month_in
from tests.intake.sheets import TODAY, codes, policy, sheet, tables_of
from tests.support import make_id

NAMES = Names(policy())

LOW, MARGIN, POOR = "subsistence_allowance", "low_income_margin", "extreme_poverty_support"
LIVING, CARE, OLD = "disability_living_subsidy", "disability_care_subsidy", "old_age_allowance"
TEMP, HOUSE = "temporary_assistance", "dilapidated_house_renovation"

PROGRAMMES = {
    "江陵县城关镇2026年10月农村低保发放花名册": [LOW],
    "2026年10月城市居民最低生活保障金发放表": [LOW],
    "低保边缘家庭花名册": [MARGIN],
    "青溪镇低保边缘户台账（2026年10月）": [MARGIN],
    "低保户危房改造花名册": [HOUSE],
    "2026年农村低收入群体等重点对象危房改造台账": [HOUSE],
    "低保对象临时救助发放表": [TEMP],
    "特困人员、低保对象临时救助审批表": [TEMP],
    "重度残疾人护理补贴发放名单": [CARE],
    "困难残疾人生活补贴发放名单": [LIVING],
    "城关镇护理补贴2026.10": [CARE],
    "低保家庭重度残疾人护理补贴": [CARE],
    "困难残疾人生活补贴和重度残疾人护理补贴发放表": [LIVING, CARE],
    "2026年10月残疾人两项补贴花名册": [LIVING, CARE],
    "两项补贴": [LIVING, CARE],
    "津贴对象": [OLD],
    "80岁以上高龄津贴发放花名册": [OLD],
    "低保高龄老人高龄津贴": [OLD],
    "特困人员救助供养资金发放表（分散供养）": [POOR],
    "农村五保供养对象花名册": [POOR],
    "特困人员人员查询_20261103": [POOR],
    "农村低保家庭查询_20261103101530": [LOW],
    "低保、特困人员花名册": [LOW, POOR],
    "急难型临时救助台账": [TEMP],
    "低保金补助资金发放表": [LOW],
    "低保补贴发放花名册": [LOW],
    "特困供养金": [POOR],
    "死亡人员名单2026年10月": ["death"],
    "低保特困死亡人员名单": ["death"],
    "残疾人证台账": ["disability_certificate"],
    "村干部近亲属备案表": ["staff_and_cadres"],
    "低保对象春节慰问金发放表": ["festival_gift"],
    "低保户物价补贴发放花名册": ["price_subsidy"],
    "特困人员参保资助名单": ["medical_enrolment"],
    "高龄老人生活补贴": [OLD],
    "困境儿童生活补贴": ["distressed_child_allowance"],
    "失能老人护理补贴": ["elder_care_subsidy"],
    "低保边缘家庭医疗救助花名册": ["medical_assistance"],
    # another benefit that no policy file knows is never taken for the group that receives it
    "低保户电费减免补贴": [],
    "特困人员体检表": [],
    "低保家庭宽带优待名单": [],
    "老年人失能护理补贴": ["elder_care_subsidy"],
    "2026年10月救助对象花名册": [],
    "Sheet1": [],
    "": [],
}


@pytest.mark.parametrize(("text", "expected"), PROGRAMMES.items())
def test_what_a_text_names(text: str, expected: list[str]) -> None:
    assert [code for _, code in NAMES.in_text(text)] == expected


MONTHS = {
    "城关镇2026年10月农村低保": ("2026-10", "stated"),
    "2026年9月份低保金": ("2026-09", "stated"),
    "二〇二六年十月特困供养": ("2026-10", "stated"),
    "低保_202610": ("2026-10", "stated"),
    "2026.10城关镇特困": ("2026-10", "stated"),
    "2026-10低保": ("2026-10", "stated"),
    "2026年度城关镇10月低保": ("2026-10", "stated"),
    "26年10月低保": ("2026-10", "short"),
    "10月低保花名册": ("2026-10", "yearless"),
    "12月低保花名册": ("2025-12", "yearless"),
    "十月低保": ("2026-10", "yearless"),
    "农村低保家庭查询_20261103": ("2026-11", "day"),
    "农村低保家庭查询_20261103101530": ("2026-11", "day"),
    "制表日期：2026年10月25日": ("2026-10", "day"),
    "低保花名册": None,
    "2026年农村危房改造": None,
    "2026年1-10月低保": None,
    "2026年第四季度高龄津贴": None,
    "13月": None,
}


@pytest.mark.parametrize(("text", "expected"), MONTHS.items())
def test_month_of_a_text(text: str, expected: tuple[str, str] | None) -> None:
    found = month_in(text, today=TODAY)
    assert (found and (found.month, found.sure)) == expected


def test_month_without_year_takes_the_year_told_elsewhere() -> None:
    found = month_in("12月", year="2026", today=TODAY)
    assert found is not None and (found.month, found.sure) == ("2026-12", "stated")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2026年10-12月", True), ("2026-10月", False), ("三季度", True), ("10月", False), ("9月至10月", True)],
)
def test_several_months(text: str, expected: bool) -> None:
    assert is_range(text) is expected


@pytest.mark.parametrize(
    ("programme", "text", "expected"),
    [
        (LOW, "农村低保花名册", "农村"),
        (LOW, "城镇低保", "城市"),
        (LOW, "2026年10月城乡低保", ""),
        (LOW, "低保花名册", ""),
        (TEMP, "急难型临时救助", "急难型"),
    ],
)
def test_category_of_a_text(programme: str, text: str, expected: str) -> None:
    assert category_in(text, policy().programmes[programme].categories) == expected


HEADER = ["序号", "姓名", "身份证号", "发放金额", "银行账号"]


def roll(title: str = "", *, name: str = "Sheet1", header: list[str] | None = None) -> object:
    rows = [[title]] if title else []
    rows += [
        header or HEADER,
        [1, "张三", make_id(1), 100, "6217001234567890123"],
        [2, "李四", make_id(2), 200, "6217001234567890131"],
    ]
    return sheet(rows, name=name)


def understood(*, title: str = "", file: str = "a.xlsx", name: str = "Sheet1", **more: object):
    tables, _ = tables_of(roll(title, name=name), file=file, **more)
    return tables[0]


def test_title_beats_file_name_and_says_so() -> None:
    table = understood(title="城关镇2026年10月农村低保花名册", file="城关镇2026年10月特困.xlsx")
    assert (table.code, table.fatal) == (LOW, False)
    assert "programme_conflict" in codes(table)


def test_unknown_benefit_is_fatal_even_with_columns_of_a_known_one() -> None:
    tables, _ = tables_of(
        sheet(
            [
                ["2026年10月低保户电费减免补贴发放表"],
                ["户主姓名", "身份证号", "低保证号", "保障人口", "户月保障金额"],
                ["张三", make_id(1), "1", 1, 30],
            ]
        ),
        file="1.xlsx",
    )
    assert tables[0].fatal and tables[0].code == "" and "programme_unknown" in codes(tables[0])


def test_columns_tell_when_no_name_does() -> None:
    tables, _ = tables_of(
        sheet(
            [
                ["户主姓名", "身份证号", "低保证号", "保障人口", "户月保障金额", "银行账号"],
                ["张三", make_id(1), "1", 1, 30, "1"],
            ]
        ),
        file="城关镇2026-10.xlsx",
    )
    assert (tables[0].code, tables[0].month, tables[0].area) == (LOW, "2026-10", "城关镇")


def test_sheet_name_folder_and_hint() -> None:
    assert understood(name="10月", file="2026年城关镇低保.xlsx").month == "2026-10"
    table = understood(file="花名册.xlsx", folders=("2026年10月", "城关镇", "低保"))
    assert (table.code, table.month, table.area) == (LOW, "2026-10", "城关镇")


def test_month_conflict_range_and_missing() -> None:
    assert "month_conflict" in codes(understood(title="2026年9月低保花名册", file="低保202610.xlsx"))
    table = understood(title="2026年10-12月高龄津贴发放表", file="202612.xlsx")
    assert table.fatal and "month_range" in codes(table)
    table = understood(title="低保花名册")
    assert table.fatal and "month_unknown" in codes(table)


def test_registers_need_no_month() -> None:
    tables, _ = tables_of(
        sheet([["死亡人员名单"], ["姓名", "身份证号", "死亡日期"], ["张三", make_id(1), date(2026, 9, 1)]]),
        file="死亡.xlsx",
    )
    assert (tables[0].kind, tables[0].code, tables[0].month, tables[0].fatal) == ("register", "death", "", False)
