"""Durability: kills, full disks, two processes, damaged and newer ledgers, restores. Real processes, real files."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.issues.conftest import MONTH
from tests.issues.desk import Program, clean, leftovers

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="fork, SIGKILL, rlimit")]
JOBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "dedupe": ("filled", ("dedupe", "run", "--month", MONTH)),
    "review": ("filled", ("review", "run", "--month", MONTH)),
    "post": ("reviewed", ("post", "make", "--month", MONTH)),
    "draft": ("posted", ("pay", "draft", "--month", MONTH)),
    "export": ("approved", ("pay", "export")),
    "backup": ("exported", ("backup",)),
}
EVERY = [
    ("status",), ("doctor",), ("audit", "check"), ("audit", "log"), ("batch", "list"), ("dedupe", "run", "--month", MONTH), ("review", "run", "--month", MONTH),
    ("review", "due", "--month", MONTH), ("post", "make", "--month", MONTH), ("pay", "draft", "--month", MONTH), ("pay", "export"), ("pay", "recover"),
    ("show", "张三"), ("explain", "张三"), ("backup",),
]  # fmt: skip


def copy(source: Path, tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(source, root)
    return root


def outcome(root: Path) -> dict[str, Any]:
    """What is on record (journal apart: repeated attempts may be told there) and every file for people or banks."""
    found: dict[str, Any] = {}
    connection = sqlite3.connect(root / "ledger.db")
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if table != "journal":
            found[table] = sorted(map(repr, connection.execute(f"SELECT * FROM {table}").fetchall()))
    connection.close()
    for path in sorted((root / "out").rglob("*")):
        if path.is_file():
            found[path.relative_to(root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.mark.parametrize("name", [name for name in JOBS if name != "backup"])
def test_killed_at_any_moment_a_command_ends_the_same_when_run_again(
    name: str, program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    base, words = JOBS[name]
    reference = copy(stages[base], tmp_path / "reference")
    assert program.run(reference, *words).code == 0
    killed = 0
    for moment in (0.04, 0.1, 0.2):
        root = copy(stages[base], tmp_path)
        killed += program.kill(root, moment, *words) == -9
        again = program.run(root, *words)
        assert again.code == 0, again
        assert outcome(root) == outcome(reference)
        assert leftovers(root) == []
    assert killed


@pytest.mark.parametrize("name", JOBS)
def test_full_disk_exits_5_and_a_second_run_mends_it(
    name: str, program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    base, words = JOBS[name]
    size = (stages[base] / "ledger.db").stat().st_size
    for limit in (6000, size - 8192):
        root = copy(stages[base], tmp_path)
        answer = program.run(root, *words, limit=limit)
        assert clean(answer) and answer.code in (0, 5), answer
        assert answer.code == 5 or limit > 6000
        assert [p for p in (root / "out").rglob("*") if p.is_file() and not p.stat().st_size] == []
        assert program.run(root, *words).code == 0
        assert program.run(root, "audit", "check").code == 0
        assert leftovers(root) == []


def test_second_writer_is_told_who_and_readers_read_on(
    program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    root = copy(stages["posted"], tmp_path)
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from jiuzhu_cli.ledger.store import Store
        with Store(Path({str(root / "ledger.db")!r})) as store, store.transaction(actor="王五", command="import") as tx:
            print("held", flush=True)
            sys.stdin.readline()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None and holder.stdout.readline() == "held\n"
        assert program.run(root, "status").code == 0
        answer = program.run(root, "pay", "draft", "--month", MONTH)
        assert answer.code == 4 and "王五" in answer.err and str(holder.pid) in answer.err
        holder.stdin.write("\n")
    assert program.run(root, "pay", "draft", "--month", MONTH).code == 0


def test_two_drafts_at_once_make_one_batch(program: Program, stages: dict[str, Path], tmp_path: Path) -> None:
    root = copy(stages["posted"], tmp_path)
    command = [
        sys.executable,
        "-m",
        "jiuzhu_cli",
        "-C",
        str(root),
        "--today",
        "2026-11-13",
        "--json",
        "pay",
        "draft",
        "--month",
        MONTH,
    ]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    connection = sqlite3.connect(root / "ledger.db")
    assert connection.execute("SELECT COUNT(*) FROM payment_batch").fetchone() == (1,)
    connection.close()
    assert program.run(root, "audit", "check").code == 0


def damage(name: str, root: Path) -> None:
    path = root / "ledger.db"
    data = bytearray(path.read_bytes())
    if name == "flipped":
        chance = random.Random(7)
        for at in range(4096 * 3, len(data) - 4096, 4096 * 5):
            data[at : at + 4096] = chance.randbytes(4096)
    elif name == "half":
        del data[len(data) // 8192 * 4096 :]
    elif name == "text":
        data = bytearray("这不是数据库".encode() * 400)
    elif name == "empty":
        data.clear()
    elif name == "newer":
        data[60:64] = (99).to_bytes(4, "big")
    path.write_bytes(data)
    if name == "foreign":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE a (b)")
        connection.close()


@pytest.mark.parametrize("name", ["flipped", "half", "text", "empty", "foreign", "newer"])
def test_a_ledger_not_to_be_trusted_is_said_by_every_command(
    name: str, program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    root = copy(stages["approved"], tmp_path)
    backup = program.run(root, "--json", "backup").data["backup"]
    damage(name, root)
    before = (root / "ledger.db").read_bytes()
    told = 0
    for words in EVERY:
        answer = program.run(root, *words)
        assert clean(answer) and answer.code in (0, 2, 3, 4), (words, answer)
        told += answer.code in (3, 4)
        assert not list((root / "out" / "bank").rglob("*.*")), "nothing goes to a bank from a damaged ledger"
    assert told >= (len(EVERY) if name != "flipped" else 6)
    assert (root / "ledger.db").read_bytes() == before or name == "flipped"
    if name != "newer":
        assert Path(backup).name in program.run(root, "audit", "check").err or name == "flipped"
    assert program.run(root, "--yes", "restore", backup).code == 0
    assert program.run(root, "audit", "check").code == 0


@pytest.mark.parametrize("name", ["flipped", "half", "text", "empty", "newer"])
def test_a_bad_backup_never_replaces_the_ledger(
    name: str, program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    root = copy(stages["exported"], tmp_path)
    bad = tmp_path / "bad"
    shutil.copytree(root, bad)
    damage(name, bad)
    before = (root / "ledger.db").read_bytes()
    answer = program.run(root, "--yes", "restore", bad / "ledger.db")
    assert clean(answer) and answer.code in (3, 4)
    assert (root / "ledger.db").read_bytes() == before and leftovers(root) == []


def test_a_killed_restore_leaves_a_whole_ledger_in_its_place(
    program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    root = copy(stages["exported"], tmp_path)
    backup = program.run(root, "--json", "backup").data["backup"]
    for moment in range(5):
        program.kill(root, 0.01 + moment * 0.015, "--yes", "restore", backup)
        assert program.run(root, "audit", "check").code == 0
    assert program.run(root, "--yes", "restore", backup).code == 0
    assert leftovers(root) == []


def test_a_restored_ledger_never_pays_again_what_it_forgot(
    program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    root = copy(stages["approved"], tmp_path)
    backup = program.run(root, "--json", "backup").data["backup"]
    files = program.run(root, "--json", "pay", "export").data["files"]
    restored = program.run(root, "--json", "--yes", "restore", backup).data
    assert {Path(file["path"]).name for file in files} <= {Path(name).name for name in restored["forgotten"]}
    before = outcome(root)
    again = program.run(root, "pay", "export")
    assert again.code == 4 and "不记得" in again.err
    assert outcome(root) == before


def test_what_killed_processes_left_is_cleared_and_the_living_are_left_alone(
    program: Program, stages: dict[str, Path], tmp_path: Path
) -> None:
    root = copy(stages["posted"], tmp_path)
    dead, alive = 4_000_000, os.getpid()
    folder = root / "out" / "internal" / "pay"
    folder.mkdir(parents=True, exist_ok=True)
    for pid in (dead, alive):
        (root / f".staging-{pid}.db").write_bytes(b"x")
        (folder / f".拦下名单.{pid}.tmp.xlsx").write_bytes(b"x")
        (folder / f".rows.{pid}.tmpabc").mkdir()
    (root / ".lock.who").write_text("王五 正在运行 import（进程 4000000）", "utf-8")
    assert program.run(root, "pay", "draft", "--month", MONTH).code == 0
    left = sorted(path.name for path in [*root.glob(".*.*"), *folder.glob(".*")])
    assert left == sorted([f".staging-{alive}.db", f".拦下名单.{alive}.tmp.xlsx", f".rows.{alive}.tmpabc"])


def test_a_clock_set_back_is_said_and_numbers_go_on(program: Program, stages: dict[str, Path], tmp_path: Path) -> None:
    root = copy(stages["posted"], tmp_path)
    assert "核对电脑日期" not in program.run(root, "backup", today="2050-01-01").err
    answer = program.run(root, "backup", today="2020-01-05")
    assert answer.code == 0 and "2050-01-01" in answer.err and "核对电脑日期" in answer.err
    assert "核对电脑日期" not in program.run(root, "status", today="2020-01-04").err
    assert program.run(root, "pay", "draft", "--month", MONTH, today="2020-01-06").code == 0
    assert program.run(root, "audit", "check").code == 0
    assert program.run(root, "status", "--month", "2026-10", today="2099-01-01").code == 0
