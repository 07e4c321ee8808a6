"""Divisions and banks: the shipped table, the bureau's own over it, names in every everyday form."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.divisions import Divisions, changes, counties, county_codes, full_name, successors
from jiuzhu_cli.policy.gazetteer import look_up
from jiuzhu_cli.policy.load import load_policy

SHASHI = Divisions("421002")


def test_the_country_is_there() -> None:
    names = counties()
    assert len([code for code in names if len(code) == 2]) >= 34
    assert len([code for code in names if len(code) == 6]) > 2900
    assert full_name("421002101217") == "湖北省荆州市沙市区"
    assert full_name("370211") == "山东省青岛市黄岛区"


@pytest.mark.parametrize(
    ("old", "today", "year"),
    [("370284", "370211", 2012), ("500234", "500154", 2016), ("511221", "500154", 2016), ("421023", "421088", 2020)],
)
def test_an_ended_county_leads_to_the_one_of_today(old: str, today: str, year: int) -> None:
    way = successors(old)
    assert (way[-1].new_code, way[-1].year) == (today, year)
    assert successors(today) == []


def test_no_change_leads_round_in_a_circle() -> None:
    for change in changes():
        assert len(successors(change.old_code)) < 10


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("胶南市", {"370211"}),
        ("监利", {"421088"}),
        ("荆州市沙市区", {"421002"}),
        ("开县", {"500154"}),
        ("不存在的县", set()),
    ],
)
def test_counties_by_name(name: str, codes: set[str]) -> None:
    assert county_codes(name) == codes


@pytest.mark.parametrize(
    ("town", "village", "code", "problem"),
    [
        ("岑河镇", "白渎村", "421002101217", ""),
        ("岑河", "白渎", "421002101217", ""),
        ("岑河镇", "白渎村委会", "421002101217", ""),
        ("岑河镇", "白渎村三组", "421002101217", ""),
        ("岑河乡", "", "421002101000", "renamed"),
        ("岑河镇", "没有的村", "421002101000", ""),
        ("没有的镇", "白渎村", "", "unknown"),
        ("", "白渎村", "", ""),
    ],
)
def test_places(town: str, village: str, code: str, problem: str) -> None:
    found = SHASHI.place(town, village)
    assert (found.code, found.problem) == (code, problem)


def test_a_town_of_the_next_county() -> None:
    assert SHASHI.elsewhere("郢城镇") == "421003"
    assert SHASHI.elsewhere("岑河镇") == SHASHI.elsewhere("哪里都没有的镇") == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_bureaus_own_table_adds_renames_and_removes(tmp_path: Path, encoding: str) -> None:
    rows = [
        "代码,乡镇,村,又名,状态",
        "421002900,新风镇,,老新风乡,",
        "421002900201,新风镇,红旗村,红旗大队,",
        "421002101,岑河街道,,,",
        "421002102,观音垱镇,,,撤销",
    ]
    (tmp_path / "divisions.csv").write_text("\n".join(rows) + "\n", encoding=encoding)
    policy = load_policy(tmp_path, region="421002")
    assert "divisions.csv" in policy.own_files()
    assert policy.digest != load_policy(None, region="421002").digest
    own = policy.divisions
    assert own.place("新风", "红旗").code == own.place("新风镇", "红旗大队").code == "421002900201"
    assert own.town("老新风乡").code == "421002900000"
    assert own.town("岑河街道").code == own.town("岑河镇").code == "421002101000"
    assert own.place("岑河街道", "白渎村").code == "421002101217"
    assert own.town("观音垱镇").problem == "unknown"


@pytest.mark.parametrize("text", ["名称\n岑河镇\n", "代码,乡镇,村\n42100,岑河镇,\n", "代码,乡镇\n421002101,\n"])
def test_a_bad_table_of_ones_own_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "divisions.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"divisions\.csv"):
        assert load_policy(tmp_path, region="421002").divisions.towns


def test_towns_help_only_where_they_are_this_places() -> None:
    assert "岑河镇" in SHASHI.likely_towns([])
    assert "岑河镇" in SHASHI.likely_towns(["关沮镇", "新风镇"])
    assert SHASHI.likely_towns(["城关镇", "青溪镇"]) == []
    assert "朝阳街道" not in SHASHI.likely_towns(["关沮镇", "朝阳乡"])
    assert Divisions("").towns == {} and Divisions("999999").likely_towns([]) == []


BANKS = {
    "中国邮政储蓄银行沙市区支行": "中国邮政储蓄银行",
    "邮储": "中国邮政储蓄银行",
    "农行": "中国农业银行",
    "农业发展银行": "中国农业发展银行",
    "沙市农村商业银行": "农村商业银行",
    "农村信用社岑河分社": "农村信用社",
    "建行": "中国建设银行",
    "社保卡": "",
}


@pytest.mark.parametrize("text", BANKS)
def test_banks(text: str) -> None:
    found = load_policy().bank_names.find(text)
    assert (found.name if found else "") == BANKS[text]


def test_a_number_of_another_bank() -> None:
    banks = load_policy().bank_names
    assert banks.differ("农行", "403100000004") == ("中国邮政储蓄银行", "中国农业银行")
    assert banks.differ("农商行", "402100000018") is None  # 农信社 became 农商行
    assert banks.differ("社保卡", "402100000018") is None


LOOKED_UP = {
    "370284": "370284 已停用：2012 年改为 370211 黄岛区",
    "421002": "421002 湖北省荆州市沙市区",
    "421002101217": "421002101217 湖北省荆州市沙市区岑河镇白渎村",
    "岑河镇白渎村": "421002101217 湖北省荆州市沙市区岑河镇白渎村",
    "岑河": "421002101000 湖北省荆州市沙市区岑河镇",
    "监利县": "421023 2020 年停用，现为 421088 监利市",
}


@pytest.mark.parametrize("text", LOOKED_UP)
def test_a_place_looked_up(text: str) -> None:
    found = [f"{place.code} {place.note or place.name}" for place in look_up(text, SHASHI)]
    assert any(line.startswith(LOOKED_UP[text]) for line in found), found


def test_nothing_is_made_up() -> None:
    assert look_up("哪里都没有", SHASHI) == look_up("999999", SHASHI) == look_up("421002101999", SHASHI) == []
