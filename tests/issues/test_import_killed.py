"""kill -9 at any moment of an import loses nothing and doubles nothing: running it again gives the undisturbed ledger.

A child process really runs ``jiuzhu import`` and is really killed, at moments spread over its whole run. Children are
forked from a process that has only imported the modules, so that the time goes into importing lists, not Python.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.lists import PERSON_HEADER, person_rows, workbook
from tests.support import make_id, make_workspace

KILLS = 20
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")]

NURSERY = """
import os, sys
import jiuzhu_cli.cli.import_, jiuzhu_cli.intake.batch, jiuzhu_cli.tabular.annotate, openpyxl, xlsxwriter, adbc_driver_sqlite.dbapi
import python_calamine, pyarrow.compute
import jiuzhu_cli.cli.import_, jiuzhu_cli.intake.saving
from jiuzhu_cli.cli.main import main
from jiuzhu_cli.tabular.child import Readers
# reader processes have tests of their own; here the time is to go into the record and its files
jiuzhu_cli.cli.import_.Readers = lambda workers, early=None, **others: Readers(0, early=early)
jiuzhu_cli.intake.saving.GROUP_FILES = int(sys.argv[1])
jiuzhu_cli.intake.save.LONG_LIST = jiuzhu_cli.intake.outputs.LONG_LIST = 1_000  # the large one counts as large
jiuzhu_cli.tabular.patch.LARGE = 1
print("ready", flush=True)
for line in sys.stdin:
    workspace, inbox = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        try:
            main(["-C", workspace, "--today", "2026-11-21", "--json", "import", inbox])
        except SystemExit as end:
            os._exit(int(end.code or 0))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Forks children that run ``jiuzhu import``; ``run`` kills one after ``after`` seconds if it still lives."""

    def __init__(self, group_files: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, str(group_files)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def run(self, workspace: Path, inbox: Path, after: float | None = None) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{workspace}\t{inbox}\n")
        self.process.stdin.flush()
        child = int(self._line())
        if after is not None:
            time.sleep(after)
            with contextlib.suppress(ProcessLookupError):  # it was through already
                os.kill(child, signal.SIGKILL)
        return int(self._line())


@pytest.fixture
def nursery(request: pytest.FixtureRequest) -> Iterator[Nursery]:
    one = Nursery(request.param)
    yield one
    assert one.process.stdin is not None
    one.process.stdin.close()
    one.process.wait(60)


def fill(inbox: Path) -> None:
    """Rolls of two towns, damaged rows among them, a corrected one, a large one (staged), a register."""
    damaged = person_rows(range(1, 30))
    damaged[3][3] = "待定"
    workbook(inbox / "1" / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, damaged)
    workbook(inbox / "2" / "东城街道2026年10月高龄津贴（更正）.xlsx", PERSON_HEADER, person_rows(range(2, 32), 120))
    large = [row for born in range(1940, 1946) for row in _born(born)]
    large[7][3] = "待定"
    workbook(inbox / "3" / "西城街道2026年10月特困.xlsx", PERSON_HEADER, large)
    header = ["姓名", "身份证号", "死亡日期"]
    workbook(inbox / "4" / "死亡名单2026年10月.xlsx", header, [["王伟", make_id(n), "2026-10-05"] for n in range(1, 9)])


def _born(year: int) -> list[list[object]]:
    rows = person_rows(range(1, 340))
    for serial, row in enumerate(rows, 1):
        row[2] = make_id(serial, born=f"{year}0101")
        row[4] = f"42100{year}{serial:06d}"
    return rows


def state(workspace: Path) -> dict[str, object]:
    """All that the ledger and the output folder hold."""
    found: dict[str, object] = {}
    connection = sqlite3.connect(workspace / "ledger.db")
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall():
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        found[table] = (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
    connection.close()
    for path in sorted((workspace / "out").rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            found[path.relative_to(workspace).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize("nursery", [1, 3], indirect=True)  # files in one transaction
def test_killed_at_any_moment(tmp_path: Path, nursery: Nursery) -> None:
    inbox, empty = tmp_path / "inbox", tmp_path / "empty"
    fill(inbox)
    make_workspace(empty)
    calm = tmp_path / "calm"
    shutil.copytree(empty, calm)
    started = time.monotonic()
    assert nursery.run(calm, inbox) == 3
    whole = time.monotonic() - started
    expected = state(calm)
    assert expected["batch"][0] == 4  # type: ignore[index]
    chance = random.Random(20261121)
    killed = midway = number = 0
    before = state(empty)
    while killed < KILLS or midway < 2:  # some moments must really fall between the steps
        number += 1
        assert number < 3 * KILLS
        workspace = tmp_path / f"w{number}"
        shutil.copytree(empty, workspace)
        moment = whole * (0.3 + 0.7 * (number % KILLS + chance.random()) / KILLS)
        killed += nursery.run(workspace, inbox, after=moment) == -signal.SIGKILL
        midway += state(workspace) not in (expected, before)
        assert nursery.run(workspace, inbox) in (0, 3)  # 0: the roll with the bad row has been corrected already
        assert state(workspace) == expected, f"killed after {moment:.3f} of {whole:.3f} s"
        shutil.rmtree(workspace)
