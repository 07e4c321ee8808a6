"""kill -9 at any moment of an export or of the reading of a return: nothing lost, nothing doubled, the same bytes afterwards."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.workspace import find_workspace
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import Desk, person
from tests.support import make_workspace

pytestmark = pytest.mark.slow
TIMES = int(os.environ.get("JIUZHU_KILLS", "7"))  # of the export; a third as many rounds of four returns
WORDS = ["建行", "农信社", "邮储银行", ""]


def command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "jiuzhu_cli", "-C", str(root), "--today", "2026-10-25", "--json", "pay", *words]


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, *words), capture_output=True, text=True, check=False)


def kill_when(root: Path, ready: Callable[[], bool], *words: str, seconds: float = 30) -> bool:
    """Starts the command and kills it the moment ``ready``; False when it had already ended."""
    process = subprocess.Popen(command(root, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + seconds
    while process.poll() is None and not ready() and time.monotonic() < until:
        time.sleep(0.0005)
    alive = process.poll() is None
    if alive:
        process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def files_of(root: Path) -> dict[str, str]:
    """Every bank file and its digest; temporary names included, so that none may remain in the end."""
    found = {}
    for path in sorted((root / "out" / "bank").rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            found[path.relative_to(root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one approved batch of 400 lines for four banks."""
    workspace = make_workspace(tmp_path_factory.mktemp("kill") / "ws")
    with workspace.open_store() as store:
        desk = Desk(workspace, store, load_policy(region="421002"))
        desk.roll([person(i, bank_name=WORDS[i % 4]) for i in range(1, 401)])
        desk.draft()
        desk.lock()
        desk.approve()
    return workspace.root


def sound(root: Path) -> None:
    workspace = find_workspace(root, explicit=True)
    with workspace.open_store() as store:
        assert check_ledger(store, workspace).problems == ()


def moments(root: Path, index: int) -> Callable[[], bool]:
    """Kill points from the first touch of the ledger to the last file, told by what is on disk."""
    start = time.monotonic()
    journal, bank = root / "ledger.db-journal", root / "out" / "bank" / "2026-10" / "1"
    kinds: list[Callable[[], bool]] = [
        lambda: (root / ".lock").exists() and (root / ".who").exists(),
        journal.exists,
        bank.exists,
        lambda: bank.exists() and any(p.name.startswith(".") for p in bank.iterdir()),
        lambda: bank.exists() and sum(not p.name.startswith(".") for p in bank.iterdir()) >= 2,
        lambda: bank.exists() and (bank / "manifest.json").exists(),
        lambda: bank.exists() and (bank / "manifest.json").exists() and journal.exists(),
    ]
    if index < len(kinds):
        return kinds[index]
    return lambda: time.monotonic() - start > 0.2 + 0.11 * (index - len(kinds))


def test_killed_exports_end_in_the_same_files(approved: Path, tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    shutil.copytree(approved, reference)
    assert run(reference, "export").returncode == 0
    expected = files_of(reference)
    killed = 0
    for index in range(TIMES):
        root = tmp_path / f"export{index}"
        shutil.copytree(approved, root)
        killed += kill_when(root, moments(root, index), "export")
        done = run(root, "export")
        assert done.returncode == 0, done.stderr
        assert files_of(root) == expected
        sound(root)
        shutil.rmtree(root)
    assert killed >= TIMES // 2


def test_killed_returns_book_all_or_nothing(approved: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(approved, base)
    assert run(base, "export").returncode == 0
    workspace = find_workspace(base, explicit=True)
    with workspace.open_store() as store:
        desk = Desk(workspace, store, load_policy(region="421002"))
        answers = desk.answers(1, dict.fromkeys(range(5, 400, 40), "户名不符"))
        store.close()
    ready: list[Callable[[Path], Callable[[], bool]]] = [
        lambda root: (root / ".who").exists,
        lambda root: (root / "ledger.db-journal").exists,
        lambda root: lambda: any(root.glob(".staging-*")),
        lambda root: lambda: any((root / "out" / "internal" / "pay").rglob("*发放失败*")),
    ]
    killed, rounds = 0, max(2, TIMES // 3)
    for index in range(rounds):
        root = tmp_path / f"return{index}"
        shutil.copytree(base, root)
        for number, path in enumerate(answers):
            killed += kill_when(root, ready[(index + number) % len(ready)](root), "return", str(path))
            done = run(root, "return", str(path))
            assert done.returncode in (0, 4), done.stderr
            if done.returncode == 4:
                assert '"already"' in done.stdout
        with find_workspace(root, explicit=True).open_store() as store:
            states = {
                r[0]: (r[1], r[2])
                for r in store.query("SELECT state, COUNT(*), SUM(amount_fen) FROM payment_line GROUP BY state")
            }
            assert set(states) == {"paid", "failed"} and states["failed"][0] == 10 and states["paid"][0] == 390
            assert store.query("SELECT COUNT(*), SUM(succeeded), SUM(failed) FROM bank_return")[0][:] == (4, 390, 10)
            assert store.query("SELECT state FROM payment_batch")[0][0] == "returned"
        assert len(list((root / "out" / "internal" / "pay").rglob("发放失败*.xlsx"))) == len(
            [p for p in (base / "out" / "bank").rglob("*_01.*") if not p.name.startswith("汇总")]
        )
        sound(root)
        shutil.rmtree(root)
    assert killed >= rounds
