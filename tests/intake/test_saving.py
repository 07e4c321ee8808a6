"""Files saved in groups: each whole or not at all, and each as if it had come alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.intake import saving
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import PERSON_HEADER, person_rows, record, run, workbook
from tests.support import make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def folder(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    workbook(inbox / "1" / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 30)))
    workbook(inbox / "2" / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 30)))
    workbook(inbox / "3" / "东城街道2026年10月高龄津贴（更正）.xlsx", PERSON_HEADER, person_rows(range(2, 32), 120))
    workbook(inbox / "4" / "东城街道2026年10月高龄津贴第二批.xlsx", PERSON_HEADER, person_rows(range(100, 120)))
    workbook(inbox / "5" / "西城街道2026年10月特困.xlsx", PERSON_HEADER, person_rows(range(200, 230)))
    return inbox


@pytest.mark.parametrize("together", [1, 2, 64])
def test_files_of_a_group_are_judged_one_after_the_other(
    workspace: Workspace, tmp_path: Path, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "GROUP_FILES", together)
    result = run(workspace, folder(tmp_path))
    assert [(t.status, t.batch) for t in result.tables] == [
        ("imported", 1), ("already", 1), ("corrected", 2), ("imported", 3), ("imported", 4),
    ]  # fmt: skip
    assert (result.tables[2].added, result.tables[2].changed, result.tables[2].withdrawn) == (2, 28, 1)
    assert len(record(workspace, "r.id_no")) == 30 + 20 + 30
    again = run(workspace, tmp_path / "inbox")
    assert [t.status for t in again.tables] == ["superseded_old", "superseded_old", "already", "already", "already"]


def test_a_fault_over_one_file_keeps_none_before_it_out(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = saving.save_list

    def faulty(tx: Any, store: Any, one: Any, source: Any, *rest: Any) -> None:
        real(tx, store, one, source, *rest)
        if "第二批" in source.name:
            raise ZeroDivisionError

    monkeypatch.setattr(saving, "save_list", faulty)
    with pytest.raises(ZeroDivisionError):
        run(workspace, folder(tmp_path))
    assert {row[0] for row in record(workspace, "b.file_name")} == {"东城街道2026年10月高龄津贴（更正）.xlsx"}
    monkeypatch.setattr(saving, "save_list", real)
    assert [t.status for t in run(workspace, tmp_path / "inbox").tables][3:] == ["imported", "imported"]
    with workspace.open_store() as store:
        assert store.check_journal() == []


def test_a_full_disk_leaves_the_group_out_whole(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    from jiuzhu_cli.core.errors import OutsideError

    real = saving.save_list
    calls = []

    def full(*rest: Any) -> None:
        real(*rest)
        calls.append(1)
        if len(calls) == 3:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(saving, "save_list", full)
    with pytest.raises(OutsideError):
        run(workspace, folder(tmp_path))
    assert record(workspace, "r.id_no") == []
