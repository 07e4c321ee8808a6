"""Questions about columns at a terminal, and none to a script; --map that names no field."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jiuzhu_cli.cli.asking import said_columns
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.ledger.mappings import active_mappings
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import POLICY, name, workbook
from tests.support import make_id, make_workspace


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    rows = [[name(n), make_id(n), n, n + 1] for n in range(1, 6)]
    header = ["姓名", "身份证号", "打款金额", "转款金额"]
    workbook(tmp_path / "in" / "城关镇" / "a.xlsx", header, rows, title="2026年10月高龄津贴")
    rows = [[name(n), make_id(n), n] for n in range(10, 16)]
    workbook(tmp_path / "in" / "青溪镇" / "b.xlsx", ["姓名", "身份证号", "金额"], rows, title="2026年10月高龄津贴")
    return make_workspace(tmp_path / "w")


def at_terminal(work: Workspace, answer: bytes, *words: str) -> tuple[int, str]:
    """Runs an import of the folder at a terminal, types ``answer`` when something is asked; exit code and what was shown."""
    leader, follower = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "jiuzhu_cli",
        "-C",
        str(work.root),
        "--today",
        "2026-11-21",
        "import",
        str(work.root.parent / "in"),
    ]
    child = subprocess.Popen([*command, *words], stdin=follower, stdout=follower, stderr=follower, close_fds=True)
    os.close(follower)
    shown, asked, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([leader], [], [], 0.2)[0]:
            if child.poll() is not None:
                break
            continue
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        shown += part
        if not asked and "先不导入".encode() in shown:
            asked = True
            os.write(leader, answer)
    os.close(leader)
    return child.wait(10), shown.decode("utf-8", "replace")


def kept(work: Workspace) -> list[tuple[str, str, str]]:
    with work.open_store() as store:
        return [(one.sender, one.shown, one.field) for one in active_mappings(store)]


def test_answered_once_it_is_imported_and_remembered(work: Workspace) -> None:
    code, shown = at_terminal(work, b"d\n")
    assert code == 0, shown
    assert "哪一列是发放金额？" in shown and "C/D" in shown
    assert kept(work) == [("城关镇", "转款金额", "amount_fen")]
    with work.open_store() as store:
        assert store.query("SELECT sum(amount_fen) FROM roll_row WHERE town = '城关镇'")[0][0] == 100 * (
            2 + 3 + 4 + 5 + 6
        )


def test_without_an_answer_it_stays_refused(work: Workspace) -> None:
    code, shown = at_terminal(work, b"\n")
    assert code == 3 and "--map 打款金额=发放金额" in shown.replace("\r\n", "")
    assert kept(work) == []


@pytest.mark.parametrize("word", ["--yes", "--quiet", "--json", "--dry-run"])
def test_nobody_is_asked_who_wants_no_questions(work: Workspace, word: str) -> None:
    code, shown = at_terminal(work, b"d\n", word)
    assert code == 3 and "先不导入" not in shown


@pytest.mark.parametrize(
    ("pair", "near"),
    [("打款数=发放额度", "发放金额"), ("打款数=当月年龄", ""), ("打款数=", ""), ("=姓名", ""), ("姓名", "")],
)
def test_a_field_that_there_is_not(pair: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        said_columns(POLICY, [pair], [])
    assert near in caught.value.message


def test_fields_by_name_synonym_code_and_none() -> None:
    assert said_columns(POLICY, ["打款=发放金额", "b2=实发金额", "xm=name", "丁=忽略"], [])


def test_letters_of_columns_are_for_one_file(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"")
    assert said_columns(POLICY, ["C=发放金额"], [file]) == {"C": "发放金额"}
    for paths in ([tmp_path], [file, file], [tmp_path / "a.zip"]):
        with pytest.raises(UsageError, match="列号"):
            said_columns(POLICY, ["C=发放金额"], paths)
