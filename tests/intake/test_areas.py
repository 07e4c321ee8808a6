"""Towns and villages as file names, titles, 填报单位 lines, sheet names and columns write them."""

from __future__ import annotations

import pytest

from jiuzhu_cli.intake.areas import UNKNOWN, Towns, district_word, sheet_village, short_village
from tests.intake.sheets import TOWNS, codes, sheet, tables_of
from tests.support import make_id

TEXTS = {
    "江陵县城关镇2026年10月农村低保发放花名册": ("城关镇", ""),
    "城关2026年10月低保": ("城关镇", ""),
    "大石桥镇低保": ("大石桥镇", ""),
    "石桥镇低保": ("石桥镇", ""),
    "大石桥低保": ("大石桥镇", ""),
    "填报单位：青溪镇人民政府": ("青溪镇", ""),
    "填报单位（盖章）：朝阳街道办事处": ("朝阳街道", ""),
    "朝阳街道东街社区城市低保": ("朝阳街道", "东街社区"),
    "白石乡前进村农村低保花名册": ("白石乡", "前进村"),
    "白石乡前进村村民委员会低保公示": ("白石乡", "前进村"),
    "朝阳村低保花名册": ("", "朝阳村"),
    "示例区民政局2026年10月农村低保": ("", ""),
    "2026年10月城镇低保花名册": ("", ""),
    "各乡镇街道低保汇总": ("", ""),
    "青溪镇农村特困供养": ("青溪镇", ""),
    "龙潭镇2026年10月低保": ("龙潭镇", ""),
    "2026年10月江陵县龙潭乡低保": ("龙潭乡", ""),
    "农村低保家庭查询_20261103": ("", ""),
    "城关镇东风村": ("城关镇", "东风村"),
    "城关镇低保家庭": ("城关镇", ""),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_places_in_a_text(text: str, expected: tuple[str, str]) -> None:
    assert Towns(TOWNS).find(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年10月柳树镇柳树村低保", ("柳树镇", "柳树村")),
        ("黑龙江省林口县柳树镇", ("柳树镇", "")),
        ("呼伦贝尔市扎赉特旗巴彦高勒苏木低保", ("巴彦高勒苏木", "")),
        ("经济开发区管委会低保", ("", "")),
    ],
)
def test_places_without_configured_towns(text: str, expected: tuple[str, str]) -> None:
    assert Towns(()).find(text) == expected


@pytest.mark.parametrize(("name", "many", "expected"), [("东风村", False, "东风村"), ("3.东风村", False, "东风村"), ("东风", True, "东风"), ("东风", False, ""), ("Sheet1", True, ""), ("10月", True, ""), ("农村低保", True, ""), ("汇总", True, "")])  # fmt: skip
def test_village_of_a_sheet_name(name: str, many: bool, expected: str) -> None:
    assert sheet_village(name, many=many) == expected


def test_short_village() -> None:
    assert [short_village(text) for text in ("前进村村民委员会", "前进村委会", "东街居委会", "前进村", "")] == [
        "前进村",
        "前进村",
        "东街居委会",
        "前进村",
        "",
    ]


def roll(towns: list[str], title: str = "2026年10月低保花名册", villages: list[str] | None = None):
    rows: list[list[object]] = [[title], ["乡镇", "村", "姓名", "身份证号", "发放金额"]]
    for index, town in enumerate(towns):
        rows.append([town, (villages or ["前进村"] * len(towns))[index], "张三", make_id(index + 1), 100])
    rows.append(["合计", None, None, None, 100 * len(towns)])
    return sheet(rows)


def test_one_town_in_the_column_is_the_area() -> None:
    tables, _ = tables_of(roll(["青溪镇"] * 3, villages=["一村", "二村", "一村"]), file="a.xlsx")
    assert (tables[0].area, tables[0].village) == ("青溪镇", "")
    tables, _ = tables_of(roll(["江陵县青溪镇", "青溪", "青溪镇"]), file="a.xlsx")
    assert (tables[0].area, tables[0].village) == ("青溪镇", "前进村")


def test_several_towns_are_the_district_list() -> None:
    tables, _ = tables_of(roll(["青溪镇", "城关镇", "白石乡"]), file="a.xlsx")
    assert (tables[0].area, codes(tables[0])) == ("", [])


def test_title_against_column() -> None:
    tables, _ = tables_of(roll(["青溪镇"] * 3, title="城关镇2026年10月低保"), file="a.xlsx")
    assert tables[0].area.startswith("青溪镇") and "area_conflict" in codes(tables[0])


def test_nothing_says_a_town() -> None:
    tables, _ = tables_of(
        sheet([["2026年10月低保"], ["姓名", "身份证号", "发放金额"], ["张三", make_id(1), 1]]), file="a.xlsx"
    )
    assert (tables[0].area, codes(tables[0]), tables[0].fatal) == (UNKNOWN, ["area_unknown"], False)


def test_area_text_column() -> None:
    rows = [
        ["2026年10月低保"],
        ["地区", "户主姓名", "身份证号", "保障金额（元）"],
        ["示例区城关镇东风村", "张三", make_id(1), 1],
        ["示例区城关镇前进村", "李四", make_id(2), 1],
    ]
    tables, _ = tables_of(sheet(rows), file="a.xlsx")
    assert tables[0].area == "城关镇"


@pytest.mark.parametrize(
    ("text", "town", "district"),
    [
        ("古渡街道城市最低生活保障金发放花名册", "古渡街道", ""),
        ("长阳县古渡镇城市低保", "古渡镇", "长阳县"),
        ("古渡街道城区低保花名册", "古渡街道", ""),
        ("2026.10古渡城市低保发放表", "古渡街道", ""),
        ("昆明市城市低保", "", "昆明市"),
        ("项城市低保花名册", "", "项城市"),
        ("河南省项城市低保花名册", "", "河南省项城市"),
        ("城市低保花名册", "", ""),
    ],
)
def test_urban_is_the_programmes_word(text: str, town: str, district: str) -> None:
    assert Towns([], ["古渡街道"] if town != "古渡镇" else []).find(text)[0] == town
    assert district_word(text, sender=False) == district
