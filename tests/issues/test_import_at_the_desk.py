"""An import on the last day of the month: wrong paths, lock files, junk in the folder, several programmes in one workbook."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tests.intake.lists import PERSON_HEADER, person_rows, workbook
from tests.issues.desk import Program
from tests.support import make_workspace

LIST = "城关镇2026年10月高龄津贴.xlsx"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A workspace and a folder beside it, ``来表``, with one list."""
    make_workspace(tmp_path / "ws")
    workbook(tmp_path / "来表" / LIST, PERSON_HEADER, person_rows([1, 2]))
    return tmp_path


@pytest.mark.parametrize("typed", ["城关镇2026年10月高龄津贴.xls", "城关2026年10月高龄津贴.xlsx"])
def test_path_that_is_nearly_right(program: Program, desk: Path, typed: str) -> None:
    told = program.run(desk / "ws", "import", desk / "来表" / typed)
    assert told.code == 2 and LIST in told.err


def test_name_of_a_file_in_the_inbox(program: Program, desk: Path) -> None:
    workbook(desk / "ws" / "inbox" / LIST, PERSON_HEADER, person_rows([1, 2]))
    told = program.run(desk / "ws", "import", LIST)
    assert told.code == 2 and "inbox" in told.err


@pytest.mark.parametrize("lock", ["~$", ".~"])
def test_lock_file_of_an_open_workbook(program: Program, desk: Path, lock: str) -> None:
    path = desk / "来表" / f"{lock}{LIST}"
    path.write_bytes(b"\x05clerk" + bytes(159))
    told = program.run(desk / "ws", "import", path)
    assert told.code == 2 and "临时文件" in told.err and f"导入“{LIST}”" in told.err
    told = program.run(desk / "ws", "import", desk / "来表", "--json")
    assert [one["file"] for one in told.data["files"]] == [LIST]


def test_what_a_folder_holds_besides_lists(program: Program, desk: Path) -> None:
    """The system's own files are not spoken of; others are counted apart from lists; a reason is said once."""
    folder = desk / "来表"
    for name in ("Thumbs.db", "desktop.ini", "来表.lnk"):
        (folder / name).write_bytes(b"\x00\x01")
    (folder / "通知.pdf").write_bytes(b"%PDF-1.4")
    (folder / "坏.xlsx").write_bytes((folder / LIST).read_bytes()[:900])
    told = program.run(desk / "ws", "import", folder)
    assert told.code == 3
    assert "Thumbs" not in told.out and "desktop" not in told.out and ".lnk" not in told.out
    assert (
        "共 2 张表，新导入 1 张" in told.out and "没有导入的 1 张" in told.out and "另有 1 个文件不是台账" in told.out
    )
    assert (
        told.out.count("已损坏") == 1 and told.out.count("请报送人重新发送") == 1 and "认不出是什么表" not in told.out
    )


def several_programmes(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, serials in (("附件1", (1, 2)), ("附件 2", (3, 4, 5)), ("高龄", (6,))):
        sheet = book.create_sheet(title)
        sheet.append(PERSON_HEADER)
        for row in person_rows(serials):
            sheet.append(row)
    book.save(path)
    return path


def test_programme_of_single_sheets(program: Program, desk: Path) -> None:
    """附件1 and 附件 2 tell nothing; said sheet by sheet, what the third one tells itself stands."""
    path = several_programmes(desk / "城关镇2026年10月.xlsx")
    told = program.run(desk / "ws", "import", path, "--json")
    assert [one["status"] for one in told.data["files"]] == ["refused", "refused", "imported"]
    assert "--programme 附件1=项目" in told.data["files"][0]["messages"][0]["todo"]
    said = ["--programme", "附件1=护理补贴", "--programme", "附件2=孤儿"]
    told = program.run(desk / "ws", "import", path, "--json", *said)
    assert [(one["programme"], one["accepted"]) for one in told.data["files"]] == [
        ("disability_care_subsidy", 2),
        ("orphan_allowance", 3),
        ("old_age_allowance", 1),
    ]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (["附件1=没有的项目"], "没有的项目"),
        (["=低保"], "表名=项目"),
        (["低保", "高龄津贴"], "说了两次"),
        (["附件1=低保", "附件1=孤儿"], "说了两次"),
    ],
)
def test_programme_said_wrongly(program: Program, desk: Path, said: list[str], word: str) -> None:
    words = [part for one in said for part in ("--programme", one)]
    told = program.run(desk / "ws", "import", desk / "来表", *words)
    assert told.code == 2 and word in told.err


def test_programme_of_a_sheet_that_is_not_there(program: Program, desk: Path) -> None:
    told = program.run(desk / "ws", "import", desk / "来表", "--programme", "附件9=低保")
    assert told.code == 0 and "没有找到：附件9" in told.out
