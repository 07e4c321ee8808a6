"""A household on one row: its members in shared cells or in columns side by side, beside the head's own ID."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.intake.result import TableResult
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import codes, name, record, run_one, workbook
from tests.support import make_id, make_workspace

FILE = "城关镇2026年10月农村低保.xlsx"
SIZES = (1, 3, 2, 1, 4)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def households() -> list[list[tuple[str, str, str]]]:
    """Households of SIZES persons: (name, ID, kinship), the head first."""
    serial = itertools.count(1)
    out = []
    for size in SIZES:
        numbers = [next(serial) for _ in range(size)]
        out.append([(name(n), make_id(n), ["本人", "配偶", "子", "女"][at]) for at, n in enumerate(numbers)])
    return out


def expect_everyone(workspace: Workspace, table: TableResult, *, kin: bool = True) -> None:
    assert (table.rows, table.accepted, table.refused, table.amount_fen) == (5, 5, 0, 150000), table.findings
    found = record(workspace, "id_no, name, head_id_no, lead, r.amount_fen, relation")
    wanted = {}
    for index, members in enumerate(households(), 1):
        for who, id_no, word in members:
            lead = int(id_no == members[0][1])
            wanted[id_no] = (who, members[0][1], lead, index * 10000 if lead else None, word)
    got = {row[0]: tuple(row[1:]) for row in found}
    if not kin:
        wanted = {key: value[:-1] for key, value in wanted.items()}
        got = {key: value[:-1] for key, value in got.items()}
    assert got == wanted
    assert len(found) == sum(SIZES)


HEADS = [("户主姓名", "户主身份证号"), ("户主姓名", "身份证号"), ("姓名", "身份证号"), ("户主", "身份证号码")]
MEMBERS = [
    ("家庭成员姓名", "家庭成员身份证号"),
    ("家庭成员", "家庭成员身份证号码"),
    ("共同生活家庭成员姓名", "共同生活家庭成员身份证号码"),
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("with_head", [True, False])
@pytest.mark.parametrize("mark", ["、", ",", "；", "\n", " "])
def test_members_in_shared_cells(
    workspace: Workspace, tmp_path: Path, head: tuple[str, str], member: tuple[str, str], with_head: bool, mark: str
) -> None:
    rows: list[Sequence[Any]] = []
    for index, members in enumerate(households(), 1):
        shown = members if with_head else members[1:]
        rows.append(
            [members[0][0], members[0][1], mark.join(m[0] for m in shown) or None, mark.join(m[1] for m in shown) or None,
             mark.join(m[2] for m in shown) or None, len(members), index * 100]
        )  # fmt: skip
    header = [*head, *member, "与户主关系", "保障人口", "户月保障金额"]
    table = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    expect_everyone(workspace, table, kin=with_head)
    assert "covered_persons_differ" not in codes(table)


def test_all_persons_in_one_pair_of_cells(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        ["、".join(m[0] for m in members), "、".join(m[1] for m in members), index * 100]
        for index, members in enumerate(households(), 1)
    ]
    table = run_one(workspace, workbook(tmp_path / FILE, ["姓名", "身份证号", "户月保障金额"], rows))
    expect_everyone(workspace, table, kin=False)


def test_head_named_beside_cells_of_ids(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        [
            members[0][0],
            "、".join(m[0] for m in reversed(members)),
            "、".join(m[1] for m in reversed(members)),
            index * 100,
        ]
        for index, members in enumerate(households(), 1)
    ]
    header = ["户主姓名", "家庭成员姓名", "身份证号", "户月保障金额"]
    expect_everyone(workspace, run_one(workspace, workbook(tmp_path / FILE, header, rows)), kin=False)


def test_kinship_in_brackets(workspace: Workspace, tmp_path: Path) -> None:
    rows = [
        [members[0][0], members[0][1], "、".join(f"{m[0]}（{m[2]}）" for m in members), "、".join(m[1] for m in members), index * 100]
        for index, members in enumerate(households(), 1)
    ]  # fmt: skip
    header = ["户主姓名", "身份证号", "家庭成员", "家庭成员身份证号", "户月保障金额"]
    expect_everyone(workspace, run_one(workspace, workbook(tmp_path / FILE, header, rows)), kin=False)


def side_by_side(members: list[tuple[str, str, str]], slots: int) -> list[Any]:
    cells: list[Any] = []
    for at in range(slots):
        cells += members[at] if at < len(members) else (None, None, None)
    return cells


ONE_ROW = [
    [f"{prefix}{at}{noun}" for at in numbers for noun in ("姓名", "身份证号", "与户主关系")]
    for prefix, numbers in (("成员", "1234"), ("家庭成员", "一二三四"))
] + [[f"家庭成员{noun}（{at}）" for at in "1234" for noun in ("姓名", "身份证号码", "关系")]]


@pytest.mark.parametrize("header", ONE_ROW)
@pytest.mark.parametrize("with_head", [True, False])
def test_members_side_by_side(workspace: Workspace, tmp_path: Path, header: list[str], with_head: bool) -> None:
    rows = [
        [members[0][0], members[0][1], *side_by_side(members if with_head else members[1:], 4), index * 100]
        for index, members in enumerate(households(), 1)
    ]
    path = workbook(tmp_path / FILE, ["户主姓名", "身份证号", *header, "户月保障金额"], rows)
    expect_everyone(workspace, run_one(workspace, path), kin=with_head)


@pytest.mark.parametrize("parents", [["家庭成员1", "家庭成员2", "家庭成员3"], ["家庭成员", None, None]])
def test_members_side_by_side_under_two_rows(workspace: Workspace, tmp_path: Path, parents: list[str | None]) -> None:
    first = (
        ["户主姓名", "户主身份证号"] + [cell for parent in parents for cell in (parent, None, None)] + ["户月保障金额"]
    )
    second = [None, None] + ["姓名", "身份证号", "关系"] * 3 + [None]
    rows = [
        second,
        *([m[0][0], m[0][1], *side_by_side(m[1:], 3), index * 100] for index, m in enumerate(households(), 1)),
    ]
    merges = ["A1:A2", "B1:B2", "L1:L2"]
    merges += ["C1:E1", "F1:H1", "I1:K1"] if parents[1] else ["C1:K1"]
    table = run_one(workspace, workbook(tmp_path / FILE, first, rows, merges=merges))
    expect_everyone(workspace, table, kin=False)


def test_numbered_persons_without_a_head(workspace: Workspace, tmp_path: Path) -> None:
    header = (
        ["村"] + [f"成员{at}{noun}" for at in range(1, 5) for noun in ("姓名", "身份证号", "关系")] + ["户月保障金额"]
    )
    rows = [["一村", *side_by_side(m, 4), index * 100] for index, m in enumerate(households(), 1)]
    expect_everyone(workspace, run_one(workspace, workbook(tmp_path / FILE, header, rows)))


def test_a_damaged_member_leaves_the_household(workspace: Workspace, tmp_path: Path) -> None:
    header = ["户主姓名", "身份证号", "成员1姓名", "成员1身份证号", "成员2姓名", "成员2身份证号", "户月保障金额"]
    rows = [
        [name(1), make_id(1), name(2), make_id(2)[:-1], name(3), make_id(3), 100],
        [name(4), make_id(4), name(5), None, None, None, 100],
        [name(6), make_id(6), None, None, None, None, 100],
    ]
    table = run_one(workspace, workbook(tmp_path / FILE, header, rows))
    assert (table.accepted, table.refused, table.amount_fen) == (3, 0, 30000)
    assert {"member_id_damaged", "member_left_out"} <= codes(table)
    assert len(record(workspace, "id_no")) == 4
