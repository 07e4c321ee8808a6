"""The town a roll is of: short and full names, ethnic townships, and that an unknown town is never the whole district."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.intake.areas import UNKNOWN, Towns, district_word
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import PERSON_HEADER, codes, person_rows, record, run, run_one, workbook
from tests.support import make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def with_town(town: str, serials: range) -> list[list[object]]:
    return [[town, *row] for row in person_rows(serials)]


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("东岭彝族乡特困人员救助供养资金发放表", "东岭彝族乡"),
        ("特困东岭彝族乡_202610", "东岭彝族乡"),
        ("禄劝彝族苗族自治县东岭彝族乡2026年9月低保花名册", "东岭彝族乡"),
        ("纳古回族镇低保", "纳古回族镇"),
        ("马街苗族彝族乡高龄津贴", "马街苗族彝族乡"),
        ("2026年9月双龙民族乡低保", "双龙民族乡"),
        ("昭通市镇雄县塘房镇低保", "塘房镇"),
        ("新乡市新乡县低保花名册", ""),
        ("东乡族自治县达板镇低保", "达板镇"),
        ("城关镇社区低保", "城关镇"),
        ("巴林左旗红旗街道低保", "红旗街道"),
    ],
)
def test_names_of_towns(text: str, town: str) -> None:
    assert Towns(()).find(text)[0] == town


@pytest.mark.parametrize(
    ("cell", "full"),
    [
        ("乌东德", "乌东德镇"),
        ("乌东德镇", "乌东德镇"),
        ("乌东德镇人民政府", "乌东德镇"),
        ("乌东德镇民政办", "乌东德镇"),
        ("禄劝县乌东德", "乌东德镇"),
        ("屏山", "屏山街道"),
        ("屏山街道办事处", "屏山街道"),
        ("屏山办事处", "屏山街道"),
        ("东岭", "东岭彝族乡"),
        ("东岭乡", "东岭彝族乡"),
        ("东岭民族乡", "东岭彝族乡"),
        ("别处", "别处"),
    ],
)
@pytest.mark.parametrize("configured", [True, False])
def test_short_and_full_names(cell: str, full: str, configured: bool) -> None:
    names = ["乌东德镇", "屏山街道", "东岭彝族乡"]
    towns = Towns(names) if configured else Towns([]).knowing(names)
    assert towns.canonical(cell) == full


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("禄劝彝族苗族自治县困难残疾人生活补贴发放花名册", True),
        ("2026年9月全区高龄津贴", True),
        ("区本级特困", True),
        ("江陵县2026年9月农村低保", True),
        ("县残联", True),
        ("住建局危改", True),
        ("市退役军人事务局", True),
        ("2026年9月农村危房改造补助资金兑付表", False),
        ("东街社区低保", False),
        ("低保花名册", False),
        ("城区低保", False),
        ("幸福小区低保", False),
    ],
)
def test_words_of_a_district_list(text: str, whole: bool) -> None:
    assert bool(district_word(text, sender=True)) == whole


def test_a_short_name_in_the_column_is_the_town_of_the_file(workspace: Workspace, tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "乌东德镇2026年9月高龄津贴.xlsx", ["乡镇", *PERSON_HEADER], with_town("乌东德", range(1, 5))
    )
    table = run_one(workspace, path)
    assert (table.area, "area_conflict" in codes(table)) == ("乌东德镇", False)
    assert {town for (town,) in record(workspace, "town")} == {"乌东德镇"}


def test_mixed_names_in_one_column_are_one_town(workspace: Workspace, tmp_path: Path) -> None:
    rows = (
        with_town("屏山", range(1, 3)) + with_town("屏山街道办事处", range(3, 5)) + with_town("屏山街道", range(5, 7))
    )
    table = run_one(workspace, workbook(tmp_path / "2026年9月高龄津贴.xlsx", ["乡镇", *PERSON_HEADER], rows))
    assert table.area == "屏山街道"
    assert {town for (town,) in record(workspace, "town")} == {"屏山街道"}


def test_a_roll_of_no_known_town_is_not_the_districts(workspace: Workspace, tmp_path: Path) -> None:
    table = run_one(workspace, workbook(tmp_path / "2026年9月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 5))))
    assert (table.status, table.area) == ("imported", UNKNOWN)
    assert [f.severity for f in table.findings if f.code == "area_unknown"] == ["warning"]
    assert {town for (town,) in record(workspace, "town")} == {""}


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("2026年9月高龄津贴.xlsx", "示例区高龄津贴发放表"),
        ("2026年9月全区高龄津贴.xlsx", ""),
        ("民政局2026年9月高龄津贴.xlsx", ""),
    ],
)
def test_a_list_that_says_it_is_the_districts(workspace: Workspace, tmp_path: Path, file: str, title: str) -> None:
    path = workbook(tmp_path / file, PERSON_HEADER, person_rows(range(1, 5)), title=title)
    assert run_one(workspace, path).area == ""


def test_a_roll_given_its_town_later_takes_the_place_of_the_one_without(workspace: Workspace, tmp_path: Path) -> None:
    from jiuzhu_cli.intake.table import Hints

    path = workbook(tmp_path / "2026年9月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 9)))
    run_one(workspace, path)
    told = run_one(workspace, path, hints=Hints(area="城关镇"))
    assert (told.status, told.area) == ("corrected", "城关镇")
    assert len(record(workspace, "id_no")) == 8
    again = run_one(
        workspace, workbook(tmp_path / "b" / "2026年9月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 8)))
    )
    assert again.status == "ask" and "--area 城关镇" in again.todo


def test_two_rolls_of_unknown_towns_stand_side_by_side(workspace: Workspace, tmp_path: Path) -> None:
    for folder, serials in (("a", range(1, 9)), ("b", range(8, 20))):
        path = workbook(tmp_path / folder / "2026年9月高龄津贴.xlsx", PERSON_HEADER, person_rows(serials))
        assert run_one(workspace, path).status == "imported"
    assert len(record(workspace, "id_no")) == 20


def test_the_districts_list_by_hint(workspace: Workspace, tmp_path: Path) -> None:
    from jiuzhu_cli.intake.table import Hints

    path = workbook(tmp_path / "2026年9月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 9)))
    assert run_one(workspace, path, hints=Hints(area="全区")).area == ""


def test_files_of_one_folder_tell_each_other_the_full_name(workspace: Workspace, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    workbook(inbox / "a.xlsx", ["乡镇", *PERSON_HEADER], with_town("乌东德", range(1, 5)), title="2026年9月高龄津贴")
    workbook(inbox / "b.xlsx", PERSON_HEADER, person_rows(range(11, 15)), title="乌东德镇2026年9月特困人员供养")
    first = run(workspace, inbox)
    assert {t.area for t in first.tables} == {"乌东德镇"}
    assert {t.status for t in run(workspace, inbox).tables} == {"already"}


def test_the_record_tells_the_full_name(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, workbook(tmp_path / "乌东德镇2026年8月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 5))))
    path = workbook(tmp_path / "2026年9月高龄津贴.xlsx", ["乡镇", *PERSON_HEADER], with_town("乌东德", range(1, 5)))
    assert run_one(workspace, path).area == "乌东德镇"


def test_a_short_name_of_two_towns_is_said(tmp_path: Path) -> None:
    from tests.intake.sheets import sheet, tables_of

    rows = [["乡镇", *PERSON_HEADER], *with_town("朝阳", range(1, 5))]
    towns = ("朝阳镇", "朝阳街道")
    [table], _ = tables_of(sheet(rows), file="2026年9月高龄津贴.xlsx", towns=towns)
    assert (table.area, [f.code for f in table.findings]) == ("朝阳", ["area_ambiguous"])
    [table], _ = tables_of(sheet(rows), file="朝阳街道2026年9月高龄津贴.xlsx", towns=towns)
    assert (table.area, [f.code for f in table.findings]) == ("朝阳街道", [])
