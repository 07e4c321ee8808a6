"""Division codes, 联行号, remarks beside names and columns against one another, from a file to the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import codes, name, record, run_one, workbook
from tests.support import make_id, make_workspace

CARD = "6228480402564890018"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def rows(*more: tuple[Any, ...]) -> list[list[Any]]:
    return [[name(at), make_id(at), 100, *extra] for at, extra in enumerate(more, 1)]


def take(ws: Workspace, header: list[str], *more: tuple[Any, ...], file: str = "岑河镇2026年10月高龄津贴") -> Any:
    path = ws.root.parent / f"{file}.xlsx"
    return run_one(ws, workbook(path, ["姓名", "身份证号", "发放金额", *header], rows(*more)))


def found(result: Any, code: str) -> list[tuple[int, str, str]]:
    return [(f.source.row, f.source.column, f.severity) for f in result.findings if f.code == code]


def test_codes_of_villages_and_towns(ws: Workspace) -> None:
    result = take(
        ws, ["乡镇", "村"], ("岑河镇", "白渎村"), ("岑河", "白渎"), ("岑河镇", "没有的村"), ("没有的镇", "白渎村")
    )
    assert result.refused == 0
    assert record(ws, "r.area_code") == [("421002101217",), ("421002101217",), ("421002101000",), (None,)]


def test_a_list_of_one_town_gets_its_codes_too(ws: Workspace) -> None:
    take(ws, ["村"], ("白渎村",), ("陈龙村",))
    assert all(code.startswith("421002101") and not code.endswith("000") for (code,) in record(ws, "r.area_code"))


def test_a_town_of_the_next_county_is_told_once(ws: Workspace) -> None:
    result = take(ws, ["乡镇"], ("岑河镇",), ("郢城镇",), ("郢城镇",), file="2026年10月高龄津贴")
    assert found(result, "town_elsewhere") == [(0, "", "warning")]
    assert result.refused == 0


def test_invented_towns_get_no_code_and_no_word(ws: Workspace) -> None:
    result = take(ws, ["乡镇"], ("青溪镇",), ("白石乡",), file="2026年10月高龄津贴")
    assert not codes(result) & {"town_elsewhere", "town_renamed", "area_code_ambiguous"}
    assert record(ws, "r.town, r.area_code") == [("青溪镇", None), ("白石乡", None)]


def test_another_ending_is_told(ws: Workspace) -> None:
    result = take(ws, ["乡镇"], ("岑河乡",), ("岑河乡",), file="2026年10月高龄津贴")
    assert found(result, "town_renamed") == [(0, "", "notice")]
    assert record(ws, "r.area_code") == [("421002101000",)] * 2


def test_codes_that_the_list_states(ws: Workspace) -> None:
    result = take(ws, ["区划代码"], ("421002101217",), (421002101,), ("420115001001",), ("4210",))
    assert record(ws, "r.area_code") == [("421002101217",), ("421002101000",), ("420115001001",), ("421002101000",)]
    assert found(result, "area_code_elsewhere") == [(4, "D", "warning")]
    assert found(result, "area_code_format") == [(5, "D", "warning")]


def test_numbers_of_banks(ws: Workspace) -> None:
    header = ["银行账号", "开户银行", "联行号"]
    result = take(
        ws,
        header,
        (CARD, "农行", "103100000026"),
        (CARD, "农行", "403100000004"),
        (CARD, "农行", "103100000027"),
        (CARD, "邮储", 403100000004),
    )
    assert result.refused == 0
    assert record(ws, "r.bank_code") == [("103100000026",), ("403100000004",), (None,), ("403100000004",)]
    assert found(result, "bank_code_differs") == [(3, "F", "warning")]
    assert found(result, "bank_code_check") == [(4, "F", "warning")]


def test_what_stands_beside_a_name(ws: Workspace, tmp_path: Path) -> None:
    data = rows((), (), (), ())
    data[0][0], data[1][0], data[2][0], data[3][0] = "张三（已故）", "李四(户主)", "王某某", "赵*"
    result = run_one(ws, workbook(tmp_path / "岑河镇2026年10月高龄津贴.xlsx", ["姓名", "身份证号", "发放金额"], data))
    assert record(ws, "r.name, r.remark") == [("张三", "姓名旁注：已故"), ("李四", "姓名旁注：户主")]
    assert found(result, "name_dead") == [(2, "A", "warning")]
    assert found(result, "name_remark") == [(3, "A", "notice")]
    assert found(result, "name_nobody") == [(4, "A", "error")]
    assert found(result, "name_masked") == [(5, "A", "error")]


def test_sums_in_figures_and_in_words(ws: Workspace) -> None:
    result = take(ws, ["金额（大写）"], ("壹佰元整",), ("壹佰壹拾元整",), ("一百元",))
    assert (result.accepted, result.refused) == (2, 1)
    assert found(result, "amount_words_differ") == [(3, "D", "error")]


def test_ages_and_dates(ws: Workspace) -> None:
    year = int(make_id(1)[6:10])
    header = ["年龄", "起始月份", "批准日期"]
    age = 2026 - year
    result = take(
        ws,
        header,
        (age, "2020-01", "2020-01-05"),
        (age + 9, "2026-11", "2027-01-05"),
        (f"{age}岁", "2020.1", "1900-01-01"),
    )
    assert result.refused == 0
    for code, row in (("age_differs", 3), ("start_after_list", 3), ("date_future", 3), ("date_before_birth", 4)):
        assert [r for r, _, _ in found(result, code)] == [row], code


def test_a_household_with_more_members_than_it_says(ws: Workspace, tmp_path: Path) -> None:
    header = ["户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "家庭人口", "保障人口", "保障金额"]
    head = [name(1), make_id(1)]
    lines = [[*head, name(1), make_id(1), "本人", 1, 2, 300], [*head, name(2), make_id(2), "妻", 1, 2, None]]
    result = run_one(ws, workbook(tmp_path / "岑河镇2026年10月农村低保.xlsx", header, lines))
    assert [row for row, _, _ in found(result, "household_size_differs")] == [2]


def test_twenty_notices_of_a_kind_are_enough(ws: Workspace, tmp_path: Path) -> None:
    data = [["张䶮", make_id(at), 100] for at in range(1, 41)]
    result = run_one(ws, workbook(tmp_path / "岑河镇2026年10月高龄津贴.xlsx", ["姓名", "身份证号", "发放金额"], data))
    assert len(found(result, "rare_character")) == 20
    assert next(f for f in result.findings if f.code == "rare_character_more").values["count"] == 20
