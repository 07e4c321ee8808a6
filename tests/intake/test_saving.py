"""Files saved in groups: each whole or not at all, and each as if it had come alone."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.core.errors import OutsideError
from jiuzhu_cli.intake import outputs, save, saving
from jiuzhu_cli.ledger.files import changed_files, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.annotate import CopyDraft
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


@pytest.mark.parametrize(("together", "ahead"), [(1, 24), (2, 24), (64, 24), (64, 1), (64, 2)])
@pytest.mark.parametrize("few", [0, 10_000])  # staged in a file, in memory
def test_files_of_a_group_are_judged_one_after_the_other(
    workspace: Workspace, tmp_path: Path, together: int, ahead: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "GROUP_FILES", together)
    monkeypatch.setattr(saving, "STAGED_FILES", ahead)
    monkeypatch.setattr("jiuzhu_cli.ledger.store.FEW_ROWS", few)
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


@pytest.mark.parametrize("ahead", [1, 24])
def test_a_full_disk_leaves_the_group_out_whole(
    workspace: Workspace, tmp_path: Path, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr(saving, "STAGED_FILES", ahead)
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


def test_rows_that_cannot_be_put_beside_the_record_leave_the_group_out_whole(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "STAGED_FILES", 2)
    real, calls = Store.stage_all, []

    def full(*rest: Any, **more: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OutsideError("full", "")
        real(*rest, **more)

    monkeypatch.setattr(Store, "stage_all", full)
    with pytest.raises(OutsideError):
        run(workspace, folder(tmp_path))
    assert record(workspace, "r.id_no") == []
    assert not list(workspace.root.glob(".staging*"))
    assert [t.status for t in run(workspace, tmp_path / "inbox").tables][3:] == ["imported", "imported"]


def beside_the_saving(monkeypatch: pytest.MonkeyPatch, *, rows: int) -> None:
    """From so many rows on a list is digested, and its annotated copy made, while it is saved."""
    monkeypatch.setattr(save, "LONG_LIST", rows)
    monkeypatch.setattr(outputs, "LONG_LIST", rows)
    monkeypatch.setattr("jiuzhu_cli.tabular.patch.LARGE", 1)


def with_faults(path: Path, amounts: float = 100) -> Path:
    rows = person_rows(range(1, 40), amounts)
    rows[3][2] = "42100219490101003"  # a figure is missing
    rows[7][4] = "12"
    return workbook(path, PERSON_HEADER, rows)


@pytest.mark.parametrize("rows", [1, 10_000])
def test_long_lists_come_out_like_short_ones(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    drafts: list[bool] = []
    real = CopyDraft.write
    monkeypatch.setattr(CopyDraft, "write", lambda self, *rest: (drafts.append(True), real(self, *rest))[1])
    monkeypatch.setattr("jiuzhu_cli.tabular.patch.LARGE", 1)
    beside_the_saving(monkeypatch, rows=rows)
    begun: list[object] = []
    submit = outputs.Drafts.begin
    monkeypatch.setattr(outputs.Drafts, "begin", lambda self, job: (submit(self, job), begun.extend(self._begun))[0])
    source = with_faults(tmp_path / "in" / "东城街道2026年10月高龄津贴.xlsx")
    [first] = run(workspace, source).tables
    assert (first.status, first.accepted, first.refused) == ("imported", 37, 2)
    assert bool(begun) == (rows == 1)
    copy = workspace.root / str(first.errors_file)
    written = copy.read_bytes()
    copy.unlink()
    [again] = run(workspace, source).tables  # the same file: known before anything is staged
    assert (again.status, again.batch) == ("already", first.batch)
    assert copy.read_bytes() == written  # with the draft and without it
    other = with_faults(tmp_path / "in" / "另存" / "东城街道2026年10月高龄津贴.xlsx")
    with zipfile.ZipFile(other, "a") as archive:
        archive.comment = b"saved by another program"
    [saved] = run(workspace, other).tables  # the same rows in another file: known by their digest
    assert (saved.status, saved.batch, saved.unchanged) == ("already", first.batch, 37)
    assert len(record(workspace, "r.id_no")) == 37
    assert [path.name for path in workspace.root.iterdir() if "staging" in path.name or "tmp" in path.name] == []
    with workspace.open_store() as store:
        assert store.check_journal() == []


def test_a_draft_that_the_last_month_outdates_is_made_anew(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts that changed are told when the list is compared, after the draft was begun."""
    texts = []
    for rows in (10_000, 1):
        own = make_workspace(tmp_path / f"ws{rows}")
        beside_the_saving(monkeypatch, rows=rows)
        run(own, with_faults(tmp_path / f"{rows}" / "东城街道2026年9月高龄津贴.xlsx"))
        changed = person_rows(range(1, 40))
        changed[9][4], changed[11][4] = "42100100000999", "12"
        [table] = run(own, workbook(tmp_path / f"{rows}" / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, changed)).tables  # fmt: skip
        assert table.status == "imported"
        book = openpyxl.load_workbook(own.root / str(table.errors_file))
        texts.append([[cell.value for cell in row] for sheet in book for row in sheet.iter_rows()])
    assert texts[0] == texts[1]
    assert any("账号" in str(cell) and "请核对" in str(cell) for row in texts[0] for cell in row)


def test_a_fault_while_a_draft_is_under_way_leaves_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside_the_saving(monkeypatch, rows=1)

    def faulty(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(saving, "save_list", faulty)
    with pytest.raises(ZeroDivisionError):
        run(workspace, with_faults(tmp_path / "东城街道2026年10月高龄津贴.xlsx"))
    assert record(workspace, "r.id_no") == []
    assert list((workspace.internal / "import").glob("**/*.xlsx")) == []
    assert not [path for path in workspace.root.rglob("*") if "tmp" in path.name]


def damaged(tmp_path: Path, files: int) -> Path:
    for number in range(1, files + 1):
        rows = person_rows(range(50 * number, 50 * number + 20), 80 + number)
        rows[3][3] = "待定"
        workbook(tmp_path / "inbox" / f"{number}街道2026年10月高龄津贴.xlsx", PERSON_HEADER, rows)
    return tmp_path / "inbox"


@pytest.mark.parametrize("together", [1, 2, 64])
def test_files_for_people_are_there_and_noted_when_all_is_saved(
    workspace: Workspace, tmp_path: Path, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "GROUP_FILES", together)
    monkeypatch.setattr(saving, "FIRST_FILES", 1)
    result = run(workspace, damaged(tmp_path, 5))
    told = {name for t in result.tables for name in (t.errors_file, t.remainder_file)}
    with workspace.open_store() as store:
        assert {entry["path"] for entry in recorded_files(store)} == told and len(told) == 10
        assert changed_files(store, workspace) == [] and store.check_journal() == []
        entities = [row[0] for row in store.query('SELECT entity FROM journal WHERE detail LIKE \'%"file": "out/%\'')]
        assert sorted(entities) == sorted(2 * [f"batch:{number}" for number in range(1, 6)])


def test_a_file_for_people_that_cannot_be_written_stops_the_import_and_is_made_up_for(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "GROUP_FILES", 1)
    real = outputs.write_remainder

    def full(target: Path, tables: Any, batch: int, *rest: Any) -> Any:
        if batch == 2:
            raise OSError("no space left")
        return real(target, tables, batch, *rest)

    monkeypatch.setattr(outputs, "write_remainder", full)
    with pytest.raises(OSError, match="no space"):
        run(workspace, damaged(tmp_path, 4))
    with workspace.open_store() as store:
        assert {int(str(entry["entity"]).split(":")[1]) for entry in recorded_files(store)} == {1}
    monkeypatch.setattr(outputs, "write_remainder", real)
    again = run(workspace, tmp_path / "inbox")
    assert all((workspace.root / t.remainder_file).exists() for t in again.tables)
    with workspace.open_store() as store:
        assert len(recorded_files(store)) == 8 and changed_files(store, workspace) == [] and store.check_journal() == []
