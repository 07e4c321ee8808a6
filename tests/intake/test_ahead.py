"""Reader processes that judge give what this process gives: the same results, the same record."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.intake.ahead import judged_here
from jiuzhu_cli.intake.batch import Options, import_paths
from jiuzhu_cli.intake.result import ImportResult
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.annotate import PLAIN_NOTE
from jiuzhu_cli.tabular.child import Readers
from jiuzhu_cli.tabular.read import read_workbook
from tests.intake.lists import NOW, PERSON_HEADER, POLICY, TODAY, person_rows, record, workbook
from tests.support import make_workspace


def fill(inbox: Path) -> None:
    """Full and short towns, households, damaged rows, the two sides of a pair, a broken file, a file that is no list."""
    damaged = person_rows(range(1, 30))
    damaged[3][2] = str(damaged[3][2])[:-1]
    damaged[5][3] = "一百"
    workbook(inbox / "1" / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, damaged)
    workbook(inbox / "2" / "东城2026年10月特困.xlsx", PERSON_HEADER, person_rows(range(40, 60)))
    header = ["乡镇", *PERSON_HEADER]
    rows = [["西关镇", *row] for row in person_rows(range(60, 90))]
    workbook(inbox / "3" / "2026年10月临时救助发放表.xlsx", header, rows)
    workbook(inbox / "4" / "西关2026年10月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(90, 120)))
    households = [
        [f"户{n}", record_id, 300] for n, record_id in enumerate([row[2] for row in person_rows(range(200, 206))])
    ]
    members = [["户主", f"户{n}", row[2], row[2]] for n, row in enumerate(person_rows(range(200, 206)))]
    workbook(
        inbox / "5" / "东城街道2026年10月农村低保家庭查询_1.xlsx",
        ["户主姓名", "户主身份证号", "户月保障金额"],
        households,
    )
    workbook(
        inbox / "5" / "东城街道2026年10月农村低保人员查询_2.xlsx",
        ["与户主关系", "姓名", "身份证号", "户主身份证号"],
        members,
    )
    (inbox / "6.xlsx").write_bytes(b"PK\x03\x04 broken")
    workbook(inbox / "7.xlsx", ["会议", "时间"], [["例会", "周一"]])


def run(root: Path, inbox: Path, readers: Readers | None) -> tuple[Workspace, ImportResult]:
    workspace = make_workspace(root)
    result = import_paths(workspace, POLICY, [inbox], Options(), today=TODAY, now=NOW, actor="张经办", readers=readers)
    return workspace, result


def content(workspace: Workspace) -> list[Any]:
    columns = "b.batch_id, b.area, b.part, b.rows, b.refused, r.table_no, r.source_row, r.case_no, r.lead, r.id_no, r.name, r.town, r.amount_fen"
    return record(workspace, columns)


def test_readers_that_judge_give_what_this_process_gives(tmp_path: Path) -> None:
    fill(tmp_path / "inbox")
    here, expected = run(tmp_path / "here", tmp_path / "inbox", None)
    with Readers(2) as readers:
        there, found = run(tmp_path / "there", tmp_path / "inbox", readers)
    assert [table.as_json(POLICY) for table in found.tables] == [table.as_json(POLICY) for table in expected.tables]
    assert content(there) == content(here) != []
    assert {table.status for table in expected.tables} >= {"imported", "refused"}
    assert {row[1] for row in content(here)} >= {"东城街道", "西关镇"}  # short names were completed by other files


def written(workspace: Workspace) -> dict[str, bytes]:
    """The files that imports have left, by name."""
    folder = workspace.internal / "import"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cells_of(path: Path) -> set[Any]:
    """All cells of a workbook."""
    return {cell for sheet in read_workbook(path).sheets for column in sheet.columns for cell in column}


def odd(path: Path) -> None:
    """Gives a workbook's cells a style that is not there: it is read, but neither patched nor copied."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<c r=", b'<c s="99" r=')
    with zipfile.ZipFile(path, "w") as target:
        for name, data in parts.items():
            target.writestr(name, data)


def test_what_comes_over_without_its_cells_is_written_of_like_the_whole(tmp_path: Path) -> None:
    """Two months in which accounts and amounts change, a list with a warning only, one of ours come back, one put together oddly."""
    for month in ("09", "10"):
        for number, town in enumerate(("东城街道", "西关镇", "南关镇")):
            rows = person_rows(range(number * 40, number * 40 + 40), amount=100 + int(month) * (number == 1))
            if month == "10":
                rows[number][4] = f"62284800{number:04d}"
            folder = tmp_path / "inbox" / month
            workbook(folder / f"{town}2026年{month}月高龄津贴.xlsx", PERSON_HEADER, rows)
    warned = person_rows(range(300, 330))
    warned[3][1] = "李大强（已故）"
    told = workbook(tmp_path / "inbox" / "10" / "南关镇2026年10月特困.xlsx", PERSON_HEADER, warned)
    again = person_rows(range(250, 280))
    again[2][1] = "王大明（已故）"
    reasons = [[*row, "说过一次" if place == 2 else None] for place, row in enumerate(again)]
    workbook(tmp_path / "inbox" / "10" / "东城街道2026年10月特困.xlsx", [*PERSON_HEADER, "核对结果"], reasons)
    strange = tmp_path / "inbox" / "10" / "西关镇2026年10月特困.xlsx"
    workbook(strange, PERSON_HEADER, [[*row[:1], "赵大有（已故）", *row[2:]] for row in person_rows(range(340, 370))])
    odd(strange)
    here, expected = run(tmp_path / "here", tmp_path / "inbox", None)
    with Readers(2) as readers:
        there, found = run(tmp_path / "there", tmp_path / "inbox", readers)
        job = readers.submit(
            told,
            (),
            (
                "jiuzhu_cli.intake.ahead:judged_here",
                (told, tmp_path / "inbox", ["东城街道", "西关镇", "南关镇"], False),
            ),
        ).result()
    assert job.light and not any(sheet.columns for sheet in job.book.sheets)
    assert [table.as_json(POLICY) for table in found.tables] == [table.as_json(POLICY) for table in expected.tables]
    assert content(there) == content(here) != []
    assert written(there) == written(here)
    assert len(written(here)) == 6  # three lists that changed, three with a warning
    plain = [path for path in there.internal.rglob("*西关镇2026年10月特困*") if PLAIN_NOTE in cells_of(path)]
    assert len(plain) == 1  # the cells were read again for it


def test_damaged_numbers_come_back_alike_whoever_was_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a damaged number is looked up in is counted in files, not in time: a slow and a fast reader leave one record."""
    monkeypatch.setattr("jiuzhu_cli.intake.saving.GROUP_FILES", 5)
    for number in range(24):
        rows = person_rows(range(number * 10, number * 10 + 10))
        if number % 3 == 1:  # the number stands sound in the file before
            rows[4] = [*person_rows([number * 10 - 5])[0]]
            rows[4][2] = str(rows[4][2])[:-1]
        kind = "高龄津贴" if number % 2 else "特困"
        workbook(
            tmp_path / "inbox" / f"{number}号东城街道2026年10月{kind}第{number % 9 + 1}批.xlsx", PERSON_HEADER, rows
        )
    here, expected = run(tmp_path / "here", tmp_path / "inbox", None)
    with Readers(2) as readers:
        there, found = run(tmp_path / "there", tmp_path / "inbox", readers)
    assert [table.as_json(POLICY) for table in found.tables] == [table.as_json(POLICY) for table in expected.tables]
    assert content(there) == content(here) != []
    assert any("recovered" in finding.code for table in expected.tables for finding in table.findings)


def test_a_remainder_is_left_to_the_one_who_has_the_record(tmp_path: Path) -> None:
    fill(tmp_path / "inbox")
    with Readers(2) as readers:
        workspace, result = run(tmp_path / "ws", tmp_path / "inbox", readers)
        remainder = next(table.remainder_file for table in result.tables if table.remainder_file)
        folder = tmp_path / "back"
        for number in range(3):  # enough files that the readers judge
            workbook(folder / f"{number}.xlsx", ["会议", "时间"], [["例会", "周一"]])
        (folder / "改好.xlsx").write_bytes((workspace.root / remainder).read_bytes())
        again = import_paths(
            workspace, POLICY, [folder], Options(), today=TODAY, now=NOW, actor="张经办", readers=readers
        )
    told = next(table for table in again.tables if table.file == "改好.xlsx")
    assert (told.status, told.rows, told.refused) == ("refused", 1, 1)  # not mended yet, but known for what it is


def test_a_reader_that_is_killed_costs_its_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "inbox")
    monkeypatch.setattr("jiuzhu_cli.intake.ahead._THEN", "tests.intake.test_ahead:die_over_the_third")
    with Readers(2) as readers:
        workspace, result = run(tmp_path / "ws", tmp_path / "inbox", readers)
    by_file = {table.file: table for table in result.tables}
    lost = by_file["3/2026年10月临时救助发放表.xlsx"]
    assert lost.status == "refused" and "中断" in lost.note
    assert by_file["1/东城街道2026年10月高龄津贴.xlsx"].status == "imported"
    assert by_file["4/西关2026年10月高龄津贴.xlsx"].status == "imported"
    assert content(workspace)


def die_over_the_third(book: Any, asked: Any, setting: Any) -> Any:
    """In the reader: kills it over one file."""
    import os
    import signal

    if asked[0].parent.name == "3":
        os.kill(os.getpid(), signal.SIGKILL)
    return judged_here(book, asked, setting)


def test_errors_of_reading_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 broken")
    with Readers(2) as readers, pytest.raises(DataError):
        readers.submit(tmp_path / "broken.xlsx", (), ("jiuzhu_cli.intake.ahead:judged_here", None)).result()
