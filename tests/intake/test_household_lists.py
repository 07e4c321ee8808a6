"""Lists of a household's income and members in the habits of offices: the head written once, whole sheets in 万元."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import codes, name, run_one, workbook
from tests.support import make_id, make_workspace

HEADER = ["户主姓名", "户主身份证号", "姓名", "身份证号", "收入项目", "金额", "收入期间"]


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def heads(ws: Workspace, batch: int | None) -> list[str | None]:
    with ws.open_store() as store:
        rows = store.query("SELECT related_id_no FROM register_row WHERE batch_id = ? ORDER BY row_id", (batch,))
        return [row[0] for row in rows]


def line(head: int | None, person: int, kind: str = "工资") -> list[Any]:
    """``head`` None: the cells of the head are blank."""
    return [
        name(head) if head else None,
        make_id(head) if head else None,
        name(person),
        make_id(person),
        kind,
        100,
        "年",
    ]


def test_a_head_written_once_holds_for_the_rows_below(ws: Workspace, tmp_path: Path) -> None:
    rows = [line(1, 1), line(None, 1, "房租"), line(None, 2), line(3, 3), line(None, 4), line(5, 5)]
    result = run_one(ws, workbook(tmp_path / "家庭收入核算明细.xlsx", HEADER, rows))
    assert (result.accepted, result.refused) == (6, 0), result.findings
    assert heads(ws, result.batch) == [make_id(n) for n in (1, 1, 1, 3, 3, 5)]


def test_a_blank_where_every_row_names_its_head_is_an_omission(ws: Workspace, tmp_path: Path) -> None:
    rows = [line(1, 1), line(1, 2), line(None, 3), line(3, 4)]
    result = run_one(ws, workbook(tmp_path / "家庭收入核算明细.xlsx", HEADER, rows))
    assert (result.accepted, result.refused) == (3, 1)
    assert "required_missing" in codes(result)


def test_below_a_head_that_cannot_be_read_nobody_is_given_to_another_household(ws: Workspace, tmp_path: Path) -> None:
    broken = line(3, 3)
    broken[1] = make_id(3)[:-1] + ("1" if make_id(3)[-1] != "1" else "2")
    rows = [line(1, 1), line(None, 2), broken, line(None, 4), line(5, 5), line(None, 6)]
    result = run_one(ws, workbook(tmp_path / "家庭收入核算明细.xlsx", HEADER, rows))
    assert (result.accepted, result.refused) == (4, 2)
    assert heads(ws, result.batch) == [make_id(n) for n in (1, 1, 5, 5)]
