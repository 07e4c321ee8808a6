"""Names, amounts, dates and IDs as offices write them: cases as data."""

from __future__ import annotations

from datetime import date

import pytest

from jiuzhu_cli.core.division import short_county, short_town, village_key, village_kind
from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.money import parse_amount, parse_capitals
from jiuzhu_cli.core.names import Name, read_name, same_name
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import small_number

NAMES = {
    "张 三": Name("张三"),
    "阿卜杜拉.买买提": Name("阿卜杜拉·买买提"),
    "艾山･江": Name("艾山·江"),
    "阿依古丽•买买提": Name("阿依古丽·买买提"),
    "张三（已故）": Name("张三", "", ("name_dead",), "已故"),
    "张三已故": Name("张三", "", ("name_dead",), "已故"),
    "张三 (死亡)": Name("张三", "", ("name_dead",), "死亡"),
    "李如故": Name("李如故"),
    "陈世亡": Name("陈世亡"),
    "张三(户主)": Name("张三", "", ("name_remark",), "户主"),
    "张三-户主": Name("张三", "", ("name_remark",), "户主"),
    "刘备（女）": Name("刘备", "", ("name_remark",), "女"),
    "张三（李四代领）": Name("张三", "", ("name_remark",), "李四代领"),
    "张三（李四）": Name("张三(李四)", "", ("name_brackets",)),
    "李某某": Name("李某某", "name_nobody"),
    "王女士": Name("王女士", "name_nobody"),
    "〃": Name("〃", "name_nobody"),
    "张*明": Name("张*明", "name_masked"),
    "*张三": Name("张三"),
    "张yan": Name("张yan", "", ("name_pinyin",)),
    "张？": Name("张?", "", ("name_unread",)),
    "张龙天": Name("张龙天", "", ("name_split",)),
    "张钅宏": Name("张钅宏", "", ("name_split",)),
    "张\ue863": Name("张䶮", "", ("rare_character",)),  # U+E863 of old fonts
    "张\ue5e5": Name("张\ue5e5", "", ("characters_private",)),
    "张㛃": Name("张㛃", "", ("rare_character",)),
    "John Smith": Name("John Smith"),
    "张三1": Name("张三1", "name_characters"),
    None: Name("", "name_missing"),
}
AMOUNTS = {
    "壹仟贰佰叁拾元整": 123_000,
    "1,200.50元": 120_050,
    "￥1,200": 120_000,
    "人民币叁佰元整": 30_000,
    "690元/月": 69_000,
    "690 元/人/月": 69_000,
    "1.2万": 1_200_000,
    "１２３．５": 12_350,
    "3元5角": 350,
    "二百三十": 23_000,
    "拾元": 1_000,
    "300。5": 30_050,
    "暂无": None,
}
NO_AMOUNTS = {
    "二百三": "amount_not_number",
    "三二一": "amount_not_number",
    "3600元/年": "amount_not_number",
    "约300": "amount_not_number",
    "300+50": "amount_not_number",
    "1,23": "amount_not_number",
    "(300)": "amount_negative",
    "－300": "amount_negative",
    "300.005": "amount_decimals",
}
DAY = date(2026, 11, 3)
DATES = [
    "2026.11.3", "20261103", 20261103, 46329, "46329", "46329.0", 46329.75, "二〇二六年十一月三日", "2026年11月3", "2026、11、3",
    "2026 11 3", "2026-11-3.", "2026-11-3 8:30", "2026/11/3 14:05:00", "2026年11月3日 10时30分", "2026-11-03T00:00:00", "２０２６－１１－０３",
]  # fmt: skip
FIRST_OF_MONTH = ["2026.11", 2026.11, 202611, "202611", "2026年11月", "2026/11", "二零二六年十一月", "2026年11月份"]
NO_DATES = {
    "26.11.3": "date_format", "民国115年11月3日": "date_format", "1793664000000": "date_format", 1793664000000: "date_format",
    "2026-11-31": "date_impossible", "2026/2/29": "date_impossible", 2026.1: "date_ambiguous", "11/3/2026": "date_format", 2026: "date_format",
}  # fmt: skip
GOOD = "11010519491231002X"
IDS = {
    "户主身份证号：11010519491231002X": (GOOD, ""),
    "110105-19491231-002X": (GOOD, ""),
    "11010519491231002×": (GOOD, ""),
    f"{GOOD}（本人）": (GOOD, ""),
    f"{GOOD}/110105194912310038": ("", "id_several"),
    f"{GOOD}{GOOD}": ("", "id_several"),
    "110105********002X": ("", "id_masked"),
    "110105194912310": ("", "id_prefix"),  # the first 15 of 18; month 49 of no old number
    "110105200101011": ("", "id_fifteen"),  # 1920-01-01, or the first 15 of one born 2001-01-01
    "110105491231002": (GOOD, ""),
    "110105194912310021.0": ("", "id_numeric"),
}


@pytest.mark.parametrize("raw", NAMES)
def test_names(raw: str) -> None:
    assert read_name(raw) == NAMES[raw]


def test_names_that_differ_in_signs_only() -> None:
    assert same_name("阿卜杜拉.买买提", "阿卜杜拉·买买提")
    assert same_name("张三（已故）", "张三")
    assert not same_name("张三", "张四")


@pytest.mark.parametrize("raw", AMOUNTS)
def test_amounts(raw: str) -> None:
    assert (parse_amount(raw).fen, parse_amount(raw).problem) == (AMOUNTS[raw], "")


@pytest.mark.parametrize("raw", NO_AMOUNTS)
def test_no_amounts(raw: str) -> None:
    assert parse_amount(raw).problem == NO_AMOUNTS[raw]


def test_a_unit_of_its_own_goes_before_the_columns() -> None:
    assert [parse_amount(text, "万元").fen for text in ("690元", "0.12", "叁佰元整")] == [69_000, 120_000, 30_000]
    assert parse_capitals("二百三") is None


@pytest.mark.parametrize("raw", DATES)
def test_dates(raw: object) -> None:
    assert parse_date(raw) == (DAY, "")


@pytest.mark.parametrize("raw", FIRST_OF_MONTH)
def test_months(raw: object) -> None:
    assert parse_date(raw) == (date(2026, 11, 1), "")


@pytest.mark.parametrize("raw", NO_DATES)
def test_no_dates(raw: object) -> None:
    assert parse_date(raw) == (None, NO_DATES[raw])


@pytest.mark.parametrize("raw", IDS)
def test_ids(raw: str) -> None:
    found = parse_id(raw)
    assert (found.value, found.problem) == IDS[raw]


def test_places() -> None:
    assert [short_town(n) for n in ("东岭彝族乡", "屏山街道办事处", "城关镇")] == ["东岭", "屏山", "城关"]
    assert {
        village_key(n) for n in ("前进村", "前进村委会", "前进村村民委员会", "前进村3组", "前进社区居委会", "前进")
    } == {"前进"}
    assert [village_kind(n) for n in ("前进村委会", "前进社区居民委员会", "前进")] == ["村", "社区", ""]
    assert [short_county(n) for n in ("鸡东县", "巴东土家族苗族自治县", "沙市区")] == ["鸡东", "巴东", "沙市"]


def test_small_numbers() -> None:
    told = {
        "3": 3,
        "三": 3,
        "两": 2,
        "十": 10,
        "十二": 12,
        "二十": 20,
        "九十九": 99,
        "": None,
        "三三": None,
        "百": None,
        "-1": None,
        "3.5": None,
    }
    assert {text: small_number(text) for text in told} == told
