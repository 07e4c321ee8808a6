"""The two exports of one provincial list, together and one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus.book import write
from tests.corpus.homes_cases import households_export, persons_export
from tests.intake.lists import codes, record, run, run_one
from tests.support import make_workspace

WHOLE = [(1, 60000, "42100100000001"), (0, None, None), (1, 35000, "42100100000003"), (1, 90000, "42100100000004"), *[(0, None, None)] * 2, (1, 28000, "42100100000007")]  # fmt: skip


@pytest.mark.parametrize("first", [0, 1])
def test_one_half_does_not_correct_the_other(tmp_path: Path, first: int) -> None:
    """As a correction the second would take away members or accounts that only the first tells."""
    workspace = make_workspace(tmp_path / "ws")
    halves = [write(tmp_path, half) for half in (persons_export(money=True), households_export(money=True))]
    assert run_one(workspace, halves[first]).status == "imported"
    before = record(workspace, "lead, r.amount_fen, account_no")
    asked = run_one(workspace, halves[1 - first])
    assert (asked.status, asked.todo[:9]) == ("ask", "把“家庭查询”和“")
    assert record(workspace, "lead, r.amount_fen, account_no") == before
    assert {table.status for table in run(workspace, *halves).tables} <= {"corrected", "already"}
    assert record(workspace, "lead, r.amount_fen, account_no") == WHOLE


def test_a_household_that_neither_half_pays_is_refused(tmp_path: Path) -> None:
    """The persons have no money, and one of them no household: nobody knows what it gets."""
    workspace = make_workspace(tmp_path / "ws")
    homes, persons = households_export(money=True), persons_export(money=False)
    homes.pages[0].rows.pop()  # type: ignore[attr-defined]
    result = run(workspace, write(tmp_path, homes), write(tmp_path, persons))
    assert [table.status for table in result.tables] == ["imported", "imported"]
    assert {code for table in result.tables for code in codes(table)} == {"amount_missing"}
    assert record(workspace, "lead, r.amount_fen, account_no") == WHOLE[:-1]
