"""A household's amount under a two-row header whose bands speak of persons (家庭基本情况, 人员信息, 发放信息)."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from jiuzhu_cli.intake.headers import level_of
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import codes, name, record, run, run_one, workbook
from tests.support import make_id, make_workspace

BANDS = [
    ["家庭基本情况", None, None, "人员信息", None, None, "发放信息", None],
    ["家庭基本情况", None, None, "人员信息", None, None, None, None],
    ["基本信息", None, None, None, None, None, "保障对象信息", None],
]
HEADER = ["户主姓名", "户主身份证号", "家庭人口", "姓名", "身份证号", "与户主关系", "户月保障金额（元）", "银行账号"]
SIZES = (2, 1, 3)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def rows(*, blank: bool) -> list[list[object]]:
    out: list[list[object]] = []
    serial = 0
    for house, size in enumerate(SIZES, 1):
        head = serial + 1
        for at in range(size):
            serial += 1
            household: list[object] = [name(head), make_id(head), size]
            money: list[object] = [house * 300, f"4210010000{head:04d}"]
            if blank and at:
                household, money = [None] * 3, [None] * 2
            out.append([*household, name(serial), make_id(serial), "本人" if at == 0 else "子女", *money])
    return out


def banded(path: Path, bands: list[str | None], body: list[list[object]]) -> Path:
    edges = [at for at, band in enumerate(bands) if band] + [len(bands)]
    merges = [f"{chr(65 + a)}1:{chr(64 + b)}1" for a, b in itertools.pairwise(edges) if b - a > 1]
    return workbook(path, [band or "" for band in bands], [HEADER, *body], merges=merges)


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize("blank", [True, False])
def test_amount_is_the_households(workspace: Workspace, tmp_path: Path, bands: list[str | None], blank: bool) -> None:
    table = run_one(workspace, banded(tmp_path / "城关镇2026年10月农村低保.xlsx", bands, rows(blank=blank)))
    assert (table.rows, table.refused, table.amount_fen) == (6, 0, 180000), codes(table)
    assert [row[0] for row in record(workspace, "r.amount_fen") if row[0] is not None] == [30000, 60000, 90000]


@pytest.mark.parametrize("bands", BANDS)
def test_the_pair_of_the_province(workspace: Workspace, tmp_path: Path, bands: list[str | None]) -> None:
    persons = banded(tmp_path / "in" / "城关镇农村低保人员查询_20261008.xlsx", bands, rows(blank=False))
    homes = workbook(
        tmp_path / "in" / "城关镇农村低保家庭查询_20261008.xlsx",
        ["户主姓名", "户主身份证号", "保障人口", "户月保障金额（元）"],
        [[row[0], row[1], row[2], row[6]] for row in rows(blank=True) if row[0]],
    )
    result = run(workspace, persons.parent)
    assert [t.status for t in result.tables] == ["imported", "imported"]
    assert len({t.batch for t in result.tables}) == 1 and homes.exists()
    assert sum(row[0] or 0 for row in record(workspace, "r.amount_fen")) == 180000
    assert len(record(workspace, "id_no")) == 6


@pytest.mark.parametrize(
    ("parts", "level"),
    [
        (["人员信息", "户月保障金额（元）"], "household"),
        (["家庭基本情况", "人均月补助"], "person"),
        (["人员信息", "月保障金额"], ""),
        (["家庭情况", "发放金额"], ""),
        (["户月保障金额", "其中：补差"], "household"),
        (["保障金额（元/人）"], "person"),
        (["金额（元/户·月）"], "household"),
        (["个人补助标准"], "person"),
    ],
)
def test_level_of_a_header(parts: list[str], level: str) -> None:
    assert level_of(parts) == level
