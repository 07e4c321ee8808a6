"""What a roll says its people are elsewhere: columns named by asking (是否低保户), and 对象类型 that holds other programmes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import name, record, run_one, workbook
from tests.support import make_id, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def old_age(workspace: Workspace, tmp_path: Path, headers: list[str], cells: list[list[object]]) -> list[str | None]:
    rows = [[name(n), make_id(n), 100, f"42100100{n:06d}", *row] for n, row in enumerate(cells, 1)]
    header = ["姓名", "身份证号", "发放金额", "银行账号", *headers]
    table = run_one(workspace, workbook(tmp_path / "城关镇2026年10月高龄津贴.xlsx", header, rows))
    assert table.refused == 0
    return [row[0] for row in record(workspace, "claimed_status")]


@pytest.mark.parametrize(
    ("header", "word"),
    [("是否低保", "低保"), ("是否低保户", "低保户"), ("是否特困", "特困"), ("是否边缘户", "边缘户"), ("是否为五保户", "五保户"), ("低保户（是/否）", "低保户")],
)  # fmt: skip
def test_a_question_answered_by_yes(workspace: Workspace, tmp_path: Path, header: str, word: str) -> None:
    assert old_age(workspace, tmp_path, [header], [["是"], ["否"], [None], ["√"], ["/"]]) == [
        word,
        None,
        None,
        word,
        None,
    ]


def test_several_questions(workspace: Workspace, tmp_path: Path) -> None:
    cells: list[list[object]] = [["是", "否"], ["否", "是"], ["是", "是"], ["否", "否"]]
    found = old_age(workspace, tmp_path, ["是否低保", "是否特困"], cells)
    assert found == ["低保", "特困", "低保、特困", None]


def test_a_question_about_either_says_nothing(workspace: Workspace, tmp_path: Path) -> None:
    assert old_age(workspace, tmp_path, ["是否低保或边缘"], [["是"], ["否"]]) == [None, None]


def test_a_question_answered_in_words(workspace: Workspace, tmp_path: Path) -> None:
    assert old_age(workspace, tmp_path, ["是否低保"], [["低保户"], ["非低保"], ["低保边缘"]]) == [
        "低保户",
        "非低保",
        "低保边缘",
    ]


@pytest.mark.parametrize("header", ["对象类型", "户类型", "贫困类型", "农户类别", "家庭类型", "对象类别"])
def test_kinds_of_households_in_house_renovation(workspace: Workspace, tmp_path: Path, header: str) -> None:
    words = ["低保户", "特困户", "分散供养五保户", "边缘户", "脱贫户", "脱贫户", "一般户"]
    rows = [[name(n), make_id(n), word, "D级", 20000, f"42100100{n:06d}"] for n, word in enumerate(words, 1)]
    header_row = ["户主姓名", "身份证号", header, "危房等级", "补助金额", "银行账号"]
    table = run_one(workspace, workbook(tmp_path / "城关镇2026年10月农村危房改造.xlsx", header_row, rows))
    assert (table.refused, table.category) == (0, "")
    assert [row[0] for row in record(workspace, "claimed_status")] == words


def test_a_lists_own_kinds_stay_its_category(workspace: Workspace, tmp_path: Path) -> None:
    rows = [[name(n), make_id(n), "农村低保", 300, f"42100100{n:06d}"] for n in range(1, 5)]
    header = ["户主姓名", "身份证号", "保障类别", "保障金额", "银行账号"]
    run_one(workspace, workbook(tmp_path / "城关镇2026年10月低保.xlsx", header, rows))
    assert record(workspace, "category, claimed_status") == [("农村", None)] * 4
