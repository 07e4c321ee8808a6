"""Households in their many habits: who belongs together, who leads, and figures that stand once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.intake.lists import codes, record, run, run_one, workbook
from tests.support import make_id, make_workspace

A, B, C, D, E = (make_id(n) for n in range(1, 6))
FILE = "东城街道2026年10月农村低保花名册.xlsx"
HEAD = ["户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "家庭人口", "户月保障金额", "银行账号"]
CARD = "421001000000001"
BAD = A[:-1] + ("0" if A[-1] != "0" else "1")

# header, rows, merges → (case, lead, ID, amount) of every person
HABITS: dict[str, tuple[list[str], list[list[Any]], list[str], list[tuple[Any, ...]]]] = {
    "relation, blank is as above": (
        ["姓名", "身份证号", "与户主关系", "保障金额"],
        [["王伟", A, "户主", 500], ["王芳", B, "女儿", None], ["李静", C, "本人", 300]],
        [],
        [(1, 1, A, 50000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
    "merged cells without a word of kinship": (
        ["家庭编号", "姓名", "身份证号", "保障金额"],
        [["H1", "王伟", A, 500], [None, "王芳", B, None], ["H2", "李静", C, 300]],
        ["A2:A3", "D2:D3"],
        [(1, 1, A, 50000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
    "code repeated": (
        ["低保证号", "姓名", "身份证号", "户月保障金额"],
        [["D01", "王伟", A, 500], ["D01", "王芳", B, 500], ["D02", "李静", C, 300]],
        [],
        [(1, 1, A, 50000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
    "head's ID on every row, members before the head": (
        HEAD,
        [
            ["王伟", A, "王芳", B, "女儿", 2, 500, CARD],
            ["王伟", A, "王伟", A, "本人", 2, 500, CARD],
            ["李静", C, "李静", C, "本人", 1, 300, CARD],
        ],
        [],
        [(1, 0, B, None), (1, 1, A, 50000), (2, 1, C, 30000)],
    ),
    "household columns blank on members": (
        ["序号", "姓名", "身份证号", "家庭人口", "保障金额"],
        [[1, "王伟", A, 2, 500], [None, "王芳", B, None, None], [2, "李静", C, 1, 300]],
        [],
        [(1, 1, A, 50000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
    "only the heads": (
        ["户主姓名", "户主身份证号", "保障人口数", "保障金额"],
        [["王伟", A, 2, 500], ["李静", C, 1, 300]],
        [],
        [(1, 1, A, 50000), (2, 1, C, 30000)],
    ),
    "members in one cell": (
        ["户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "户月保障金额"],
        [["王伟", A, "王芳、王强", f"{B}、{D}", 500], ["李静", C, "", "", 300]],
        [],
        [(1, 1, A, 50000), (1, 0, B, None), (1, 0, D, None), (2, 1, C, 30000)],
    ),
    "each person's own amount, by the header": (
        ["户主身份证号", "姓名", "身份证号", "人月保障金额"],
        [[A, "王伟", A, 250], [A, "王芳", B, 200], [C, "李静", C, 300]],
        [],
        [(1, 1, A, 45000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
    "each person's own amount, by the stated total": (
        ["户主身份证号", "姓名", "身份证号", "保障金额"],
        [[A, "王伟", A, 250], [A, "王芳", B, 250], [C, "李静", C, 300], ["合计", None, None, 800]],
        [],
        [(1, 1, A, 50000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
    "the household's amount repeated, by the stated total": (
        ["户主身份证号", "姓名", "身份证号", "保障金额"],
        [[A, "王伟", A, 250], [A, "王芳", B, 250], [C, "李静", C, 300], ["合计", None, None, 550]],
        [],
        [(1, 1, A, 25000), (1, 0, B, None), (2, 1, C, 30000)],
    ),
}


@pytest.mark.parametrize("habit", HABITS)
def test_habit(habit: str, tmp_path: Path) -> None:
    header, rows, merges, expected = HABITS[habit]
    workspace = make_workspace(tmp_path / "ws")
    result = run_one(workspace, workbook(tmp_path / FILE, header, rows, merges=merges))
    assert result.refused == 0, [(f.code, f.source) for f in result.findings]
    assert record(workspace, "case_no, lead, id_no, r.amount_fen") == expected
    assert result.amount_fen == sum(row[3] or 0 for row in expected)
    heads = {case: id_no for case, lead, id_no, _ in expected if lead}
    assert record(workspace, "head_id_no") == [(heads[case],) for case, *_ in expected]


def test_an_amount_that_may_be_either_is_asked_about(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["户主身份证号", "姓名", "身份证号", "保障金额"]
    path = workbook(tmp_path / FILE, header, [[A, "王伟", A, 250], [A, "王芳", B, 250], [C, "李静", C, 300]])
    result = run_one(workspace, path)
    assert result.status == "refused"
    assert "amount_level_unknown" in codes(result)
    assert run_one(workspace, path, level="person").amount_fen == 80000
    assert run_one(workspace, path, level="household").amount_fen == 55000


def test_repeated_top_ups_tell_by_arithmetic(tmp_path: Path) -> None:
    """标准 × 人数 − 月收入 fits the household and not the person."""
    workspace = make_workspace(tmp_path / "ws")
    standard = 600  # 农村, sample region
    header = ["户主身份证号", "姓名", "身份证号", "家庭人口", "家庭月收入", "保障金额"]
    rows = []
    for number in range(4):
        head, member = make_id(10 + 2 * number), make_id(11 + 2 * number)
        income = 310 + 20 * number
        rows += [
            [head, "王伟", head, 2, income, standard * 2 - income],
            [head, "王芳", member, 2, income, standard * 2 - income],
        ]
    result = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    assert result.amount_fen == sum(row[5] for row in rows[::2]) * 100


def test_refused_lead_refuses_its_household(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["姓名", "身份证号", "与户主关系", "保障金额"]
    rows = [["王伟", BAD, "户主", 500], ["王芳", B, "女儿", None], ["李静", C, "户主", 300]]
    result = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    assert (result.accepted, result.refused) == (1, 2)
    assert {"id_checksum", "lead_refused"} <= codes(result)
    assert record(workspace, "id_no") == [(C,)]


def test_refused_member_leaves_the_household(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["姓名", "身份证号", "与户主关系", "保障金额"]
    rows = [["王伟", A, "户主", 500], ["王芳", B[:-1], "女儿", None], ["李静", C, "户主", 300]]
    result = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    assert (result.accepted, result.refused, result.amount_fen) == (2, 1, 80000)
    assert {"id_length", "member_refused"} <= codes(result)


def test_personal_amounts_of_a_household_with_a_refused_member_wait_together(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["户主身份证号", "姓名", "身份证号", "人月保障金额"]
    rows = [[A, "王伟", A, 250], [A, "王芳", B[:-1], 200], [C, "李静", C, 300]]
    result = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    assert (result.accepted, result.refused, result.amount_fen) == (1, 2, 30000)
    assert "household_incomplete" in codes(result)


def test_damaged_member_in_a_shared_cell_leaves_the_household(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "户月保障金额"]
    rows = [["王伟", A, "王芳、王强", f"{B}、{D[:-1]}", 500], ["李静", C, "张敏", E, 300]]
    result = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    assert (result.accepted, result.refused, result.amount_fen) == (2, 0, 80000)
    assert record(workspace, "id_no, name, lead") == [(A, "王伟", 1), (B, "王芳", 0), (C, "李静", 1), (E, "张敏", 0)]
    [finding] = [f for f in result.findings if f.code == "member_id_damaged"]
    assert (finding.severity, finding.source.cell()) == ("error", "D2")


def test_conflicting_household_figures_are_said_and_the_lead_s_stand(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    rows = [["王伟", A, "王伟", A, "本人", 2, 500, CARD], ["王伟", A, "王芳", B, "女儿", 3, None, CARD]]
    result = run_one(workspace, workbook(tmp_path / FILE, HEAD, rows))
    assert "household_value_conflict" in codes(result)
    assert record(workspace, "household_size, account_no") == [(2, CARD), (None, None)]


def test_the_same_row_twice_and_the_same_person_twice(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["村", "姓名", "身份证号", "发放金额"]
    rows = [["一村", "王伟", A, 100], ["一村", "王伟", A, 100], ["一村", "李静", C, 100], ["二村", "李静", C, 50]]
    path = workbook(tmp_path / "东城街道2026年10月高龄津贴.xlsx", header, rows)
    result = run_one(workspace, path)
    assert (result.accepted, result.refused, result.amount_fen) == (3, 1, 25000)
    assert {"duplicate_row", "duplicate_person"} <= codes(result)


def test_the_two_provincial_exports_are_one_roll(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    folder = tmp_path / "in"
    persons = ["所属街", "所属社", "户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "户月保障金额（元）"]
    workbook(
        folder / "农村低保人员查询_20261008101112.xlsx",
        persons,
        [
            ["东城街道", "一村", "王伟", A, "王伟", A, "本人", 500],
            ["东城街道", "一村", "王伟", A, "王芳", B, "女儿", 500],
            ["东城街道", "一村", "李静", C, "李静", C, "本人", 300],
        ],
    )
    homes = [
        "所属街",
        "所属社",
        "户主姓名",
        "户主身份证号",
        "家庭成员姓名",
        "家庭成员身份证号",
        "户月保障金额（元）",
        "银行帐号",
    ]
    workbook(
        folder / "农村低保家庭查询_20261008101254.xlsx",
        homes,
        [
            ["东城街道", "一村", "王伟", A, "王伟,王芳", f"{A},{B}", 500, "421001000000001"],
            ["东城街道", "一村", "李静", C, "李静", C, 300, "421001000000002"],
            ["东城街道", "一村", "张敏", D, "张敏,张磊", f"{D},{E}", 200, "421001000000003"],
        ],
    )
    result = run(workspace, folder)
    assert {t.status for t in result.tables} == {"imported"}
    assert len({t.batch for t in result.tables}) == 1
    assert record(workspace, "lead, id_no, r.amount_fen, account_no") == [
        (1, A, 50000, "421001000000001"),
        (0, B, None, None),
        (1, C, 30000, "421001000000002"),
        (1, D, 20000, "421001000000003"),
        (0, E, None, None),
    ]
    assert sum(t.amount_fen for t in result.tables) == 100000
    assert {t.status for t in run(workspace, folder).tables} == {"already"}
