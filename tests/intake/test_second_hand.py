"""What the hostile quarter of ``tests/e2e/second_hand`` brought to light in intake, one small table each."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from jiuzhu_cli.intake.areas import Towns
from jiuzhu_cli.intake.recognise import month_in
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import PERSON_HEADER, codes, name, person_rows, record, run, run_one, workbook
from tests.support import make_id, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("2026-10河乡特困供养金发放表", "河乡"),
        ("2026.10低保边缘家庭（范镇）", "范镇"),
        ("某某县范镇高龄津贴", "范镇"),
        ("本乡低保花名册", ""),
        ("城镇低保花名册", ""),
        ("该镇特困人员名单", ""),
    ],
)
def test_a_town_may_have_a_name_of_one_character(text: str, town: str) -> None:
    assert Towns([]).find(text)[0] == town


def test_a_figure_after_a_blank_is_no_part_of_the_month() -> None:
    found = month_in("2026.10 80周岁以上老人高龄津贴", today=date(2026, 11, 21))
    assert found is not None
    assert found.month == "2026-10"


def test_living_allowance_of_the_very_old_is_old_age_allowance(workspace: Workspace, tmp_path: Path) -> None:
    path = workbook(tmp_path / "城关镇高龄老人生活津贴2026年10月.xlsx", PERSON_HEADER, person_rows(range(1, 4)))
    assert run_one(workspace, path).programme == "old_age_allowance"


def test_a_second_batch_never_corrects_the_first_whoever_stands_on_both(workspace: Workspace, tmp_path: Path) -> None:
    header = ["村", "姓名", "身份证号", "救助金额", "银行账号"]
    first = workbook(tmp_path / "城关镇临时救助（第一批）2026年10月.xlsx", header, person_rows(range(1, 3)))
    second = workbook(tmp_path / "城关镇临时救助（第二批）2026年10月.xlsx", header, person_rows([2]))
    third = workbook(tmp_path / "城关镇2026年10月第2批临时救助（更正）.xlsx", header, person_rows([2], 300))
    assert [run_one(workspace, path).status for path in (first, second, third)] == ["imported", "imported", "corrected"]
    assert len(record(workspace, "r.id_no")) == 3


def test_a_million_a_month_is_a_slip_of_the_finger(workspace: Workspace, tmp_path: Path) -> None:
    rows = person_rows(range(1, 4))
    rows[1][3] = 99_999_999
    result = run_one(workspace, workbook(tmp_path / "城关镇2026年10月高龄津贴.xlsx", PERSON_HEADER, rows))
    assert (result.accepted, result.refused) == (2, 1)
    assert "amount_too_large" in codes(result)


def test_one_member_beside_each_head_is_a_household_of_two(workspace: Workspace, tmp_path: Path) -> None:
    header = ["村", "户主姓名", "户主身份证号", "享受人数", "家庭成员姓名", "家庭成员身份证号码"]
    rows = [["一村", name(s), make_id(s), 2, name(s + 50), make_id(s + 50)] for s in range(1, 5)]
    run_one(workspace, workbook(tmp_path / "城关镇2026年10月低保边缘家庭花名册.xlsx", header, rows))
    assert {row[0] for row in record(workspace, "r.id_no")} == {make_id(s) for s in (*range(1, 5), *range(51, 55))}


def test_what_proves_the_level_of_amounts_on_one_sheet_holds_for_its_sheets_alike(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Repeated amounts of a village with one household: the other villages' rows show that they are the household's."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    serial = 1
    for village, households in (("东山村", 5), ("西河村", 1)):
        sheet = book.create_sheet(village)
        sheet.append([f"城关镇{village}2026年10月农村低保金发放表"])
        sheet.append(["户主姓名", "姓名", "身份证号", "与户主关系", "保障人数", "发放金额", "银行账号"])
        for _ in range(households):
            head = serial
            for kin in ("户主", "配偶"):
                sheet.append([name(head), name(serial), make_id(serial), kin, 2, 500, f"42100100{head:06d}"])
                serial += 1
        if households > 1:
            sheet.append(["合计", None, None, None, None, 500 * households, None])
    path = tmp_path / "城关镇2026年10月农村低保.xlsx"
    book.save(path)
    results = run(workspace, path).tables
    assert [(one.refused, one.amount_fen) for one in results] == [(0, 250000), (0, 50000)]


def test_a_village_sheet_of_refused_rows_only_is_in_the_remainder(workspace: Workspace, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for village, serials in (("东山村", range(1, 4)), ("西河村", range(4, 5))):
        sheet = book.create_sheet(village)
        sheet.append([f"城关镇{village}2026年10月高龄津贴"])
        sheet.append(PERSON_HEADER)
        for row in person_rows(serials, village=village):
            sheet.append(row if village == "东山村" else [*row[:2], "待补", *row[3:]])
    book.save(tmp_path / "城关镇2026年10月高龄津贴.xlsx")
    good, bad = run(workspace, tmp_path / "城关镇2026年10月高龄津贴.xlsx").tables
    assert (good.refused, bad.refused, bad.batch) == (0, 1, good.batch)
    assert bad.remainder_file
    texts = [
        cell.value
        for sheet in openpyxl.load_workbook(workspace.root / bad.remainder_file)
        for row in sheet
        for cell in row
    ]
    assert name(4) in texts


def test_few_statuses_among_many_others_are_still_claims(workspace: Workspace, tmp_path: Path) -> None:
    """困难类型 of a 高龄 roll: eleven times 其他, once 低保."""
    rows = [[*row, "低保" if serial == 5 else "其他"] for serial, row in enumerate(person_rows(range(1, 13)))]
    run_one(workspace, workbook(tmp_path / "城关镇2026年10月高龄津贴.xlsx", [*PERSON_HEADER, "困难类型"], rows))
    assert [row[0] for row in record(workspace, "r.claimed_status")].count("低保") == 1
