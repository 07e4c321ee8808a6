"""Damaged numbers: taken from the one other record of the same person that fits, told with its source; else refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.identity import check_char
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import PERSON_HEADER, codes, name, person_rows, record, run, workbook
from tests.support import make_id, make_workspace

CARD = "6228480402564890018"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def number(serial: int) -> str:
    """An ID that Excel would have rounded to a different one."""
    first17 = make_id(serial)[:14] + f"{serial % 90 + 10:02d}3"
    return first17 + check_char(first17)


DAMAGES = {
    "number cell": lambda good: int(good[:15] + "000"),
    "number cell of a double": lambda good: float(good[:17] + "0"),
    "zeros": lambda good: good[:15] + "000",
    "scientific": lambda good: f"{good[0]}.{good[1:15]}E+17",
    "one digit": lambda good: good[:8] + str((int(good[8]) + 1) % 10) + good[9:],
    "neighbours": lambda good: good[:14] + good[15] + good[14] + good[16:],
    "one lost": lambda good: good[:6] + good[7:],
    "one too many": lambda good: good[:6] + good[5] + good[6:],
    "first fifteen": lambda good: good[:15],
    "unreadable": lambda good: good[:9] + "?" + good[10:],
}


def files(
    tmp: Path, damaged: object, *, who: str = "", good: str = "", others: list[list[Any]] | None = None
) -> tuple[Path, Path]:
    sound = person_rows(range(1, 6))
    sound[2][2] = good or number(3)
    one = workbook(tmp / "in" / "城关镇2026年10月农村特困.xlsx", PERSON_HEADER, [*sound, *(others or [])])
    rows = person_rows(range(3, 9), village="二村")
    rows[0][1], rows[0][2] = who or name(3), damaged
    return one, workbook(tmp / "in" / "城关镇2026年10月高龄津贴.xlsx", PERSON_HEADER, rows)


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_id_comes_back_from_another_roll(ws: Workspace, tmp_path: Path, damage: str) -> None:
    good = number(3)
    one, two = files(tmp_path, DAMAGES[damage](good))
    run(ws, one)
    result = run(ws, two).tables[0]
    assert (result.accepted, result.refused) == (6, 0), [f.code for f in result.findings]
    found = next(f for f in result.findings if f.code == "id_recovered")
    assert (found.severity, found.source.column, found.source.row) == ("warning", "C", 2)
    assert found.values["other_file"] == one.name and found.values["other_row"] == 4
    assert good not in str(found.values) and good not in found.shown
    assert (good,) in record(ws, "r.id_no")


def test_the_order_of_files_does_not_matter(ws: Workspace, tmp_path: Path) -> None:
    files(tmp_path, number(3)[:15] + "000")
    result = run(ws, tmp_path / "in")
    assert sum(table.refused for table in result.tables) == 0
    assert any("id_recovered" in codes(table) for table in result.tables)
    assert [row[0] for row in record(ws, "r.id_no")].count(number(3)) == 2


def test_without_asking_for_it_nothing_is_recovered(ws: Workspace, tmp_path: Path) -> None:
    files(tmp_path, number(3)[:15] + "000")
    result = run(ws, tmp_path / "in", recover=False)
    assert sum(table.refused for table in result.tables) == 1


def test_another_name_is_another_person(ws: Workspace, tmp_path: Path) -> None:
    one, two = files(tmp_path, number(3)[:15] + "000", who="欧阳某华".replace("某", "青"))
    run(ws, one)
    assert run(ws, two).tables[0].refused == 1


def test_two_candidates_are_told_and_refused(ws: Workspace, tmp_path: Path) -> None:
    good = number(3)
    twin17 = good[:15] + f"{(int(good[15:17]) + 2) % 100:02d}"
    twin = ["三村", name(3), twin17 + check_char(twin17), 100, "421001009999"]
    one, two = files(tmp_path, good[:15] + "000", others=[twin])
    run(ws, one)
    result = run(ws, two).tables[0]
    assert result.refused == 1
    assert next(f for f in result.findings if f.code == "id_candidates").values["count"] == 2


def test_who_stands_on_the_list_already_is_not_found_again(ws: Workspace, tmp_path: Path) -> None:
    good = number(3)
    one, _ = files(tmp_path, "")
    rows = person_rows(range(3, 9))
    rows[0][2], rows[1][1], rows[1][2] = good, name(3), good[:15] + "000"
    run(ws, one)
    result = run(ws, workbook(tmp_path / "城关镇2026年10月高龄津贴.xlsx", PERSON_HEADER, rows)).tables[0]
    assert (result.accepted, result.refused) == (5, 1)


def test_a_damaged_account_comes_back_for_the_same_person(ws: Workspace, tmp_path: Path) -> None:
    sound = person_rows(range(1, 6))
    sound[2][4] = CARD
    rows = person_rows(range(3, 9))
    rows[0][4] = int(CARD[:15] + "0000")
    rows[1][4] = int(CARD[:15] + "0000")  # another person: no account of theirs begins so
    run(ws, workbook(tmp_path / "城关镇2026年10月农村特困.xlsx", PERSON_HEADER, sound))
    result = run(ws, workbook(tmp_path / "城关镇2026年10月高龄津贴.xlsx", PERSON_HEADER, rows)).tables[0]
    assert (result.accepted, result.refused) == (5, 1)
    found = next(f for f in result.findings if f.code == "account_recovered")
    assert CARD not in str(found.values)
    assert record(ws, "r.account_no").count((CARD,)) == 2


def test_a_damaged_head_comes_back_from_its_own_row(ws: Workspace, tmp_path: Path) -> None:
    header = ["户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "家庭人口", "保障金额"]
    good, mate = number(1), number(2)
    lines = [
        [name(1), good[:15] + "000", name(1), good, "本人", 2, 300],
        [name(1), good[:15] + "000", name(2), mate, "妻", 2, None],
    ]
    result = run(ws, workbook(tmp_path / "城关镇2026年10月农村低保.xlsx", header, lines)).tables[0]
    assert (result.accepted, result.refused) == (2, 0), codes(result)
    assert record(ws, "r.head_id_no") == [(good,), (good,)]


def test_sex_and_birth_that_the_list_states_must_agree(ws: Workspace, tmp_path: Path) -> None:
    good = number(3)
    one, _ = files(tmp_path, "")
    run(ws, one)
    other = "女" if int(good[16]) % 2 else "男"
    for column, wrong in (("性别", other), ("出生日期", "1900-01-01")):
        rows = [[name(3), good[:15] + "000", wrong, 100], [name(8), make_id(8), None, 100]]
        path = workbook(
            tmp_path / f"城关镇2026年10月高龄津贴{column}.xlsx", ["姓名", "身份证号", column, "发放金额"], rows
        )
        assert run(ws, path).tables[0].refused == 1


def test_files_that_are_all_damaged_help_one_another(ws: Workspace, tmp_path: Path) -> None:
    left, right = person_rows(range(1, 6)), person_rows(range(1, 6))
    for at, row in enumerate((*left, *right)):
        row[2] = number(at % 5 + 1)
        row[4] = CARD[:-4] + "0018" if at % 5 == 1 else row[4]
    left[0][2], right[3][2], right[1][4] = number(1)[:15] + "000", number(4)[:15] + "000", int(CARD[:15] + "0000")
    workbook(tmp_path / "in" / "城关镇2026年10月农村特困.xlsx", PERSON_HEADER, left)
    workbook(tmp_path / "in" / "城关镇2026年10月高龄津贴.xlsx", PERSON_HEADER, right)
    result = run(ws, tmp_path / "in")
    assert [table.refused for table in result.tables] == [0, 0], [codes(table) for table in result.tables]
    assert sorted(record(ws, "r.id_no")) == sorted((number(at),) for at in range(1, 6) for _ in "12")
    assert record(ws, "r.account_no").count((CARD,)) == 2
