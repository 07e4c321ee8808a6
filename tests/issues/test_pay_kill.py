"""kill -9 at any moment of an export or of the reading of a return: nothing lost, nothing doubled, the same bytes afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.workspace import find_workspace
from jiuzhu_cli.payment.export import export
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.payment.conftest import Desk, person
from tests.support import make_workspace

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("JIUZHU_KILLS", "4"))  # of the export at random moments, besides those of ``moments``
WORDS = ["建行", "农信社", "邮储银行", ""]
CHANCE = random.Random(20261025)


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
def policy() -> Policy:
    return load_policy(region="421002")


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory, policy: Policy) -> Path:
    """A workspace with one approved batch of 120 lines for four banks."""
    workspace = make_workspace(tmp_path_factory.mktemp("kill") / "ws")
    with workspace.open_store() as store:
        desk = Desk(workspace, store, policy)
        desk.roll([person(i, bank_name=WORDS[i % 4]) for i in range(1, 121)])
        desk.draft()
        desk.lock()
        desk.approve()
    return workspace.root


@contextmanager
def desk_at(root: Path, policy: Policy) -> Iterator[Desk]:
    workspace = find_workspace(root, explicit=True)
    with workspace.open_store() as store:
        yield Desk(workspace, store, policy)


@pytest.fixture(scope="module")
def exported(
    approved: Path, policy: Policy, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, float, list[Path]]:
    """The same after its export by the command line, how long that took, and the four banks' answers."""
    root = tmp_path_factory.mktemp("exported") / "ws"
    shutil.copytree(approved, root)
    start = time.monotonic()
    assert run(root, "export").returncode == 0
    seconds = time.monotonic() - start
    with desk_at(root, policy) as desk:
        return root, seconds, desk.answers(1, dict.fromkeys(range(5, 120, 12), "户名不符"))


def at_random(seconds: float) -> Callable[[], bool]:
    """Any moment of a run that takes about ``seconds``."""
    until = time.monotonic() + seconds * CHANCE.uniform(0.25, 0.98)
    return lambda: time.monotonic() > until


def _seconds_of(root: Path, *words: str) -> float:
    start = time.monotonic()
    assert run(root, *words).returncode == 0
    return time.monotonic() - start


def moments(root: Path) -> list[Callable[[], bool]]:
    """Kill points at which much is half done, told by what is on disk."""
    bank = root / "out" / "bank" / "2026-10" / "1"
    return [
        (root / "ledger.db-journal").exists,
        lambda: bank.exists() and any(p.name.startswith(".") for p in bank.iterdir()),
        lambda: bank.exists() and sum(not p.name.startswith(".") for p in bank.iterdir()) >= 2,
        (bank / "manifest.json").exists,
    ]


def test_killed_exports_end_in_the_same_files(
    approved: Path, exported: tuple[Path, float, list[Path]], policy: Policy, tmp_path: Path
) -> None:
    reference, seconds, _ = exported
    expected = files_of(reference)
    with desk_at(reference, policy) as desk:
        now = datetime.fromisoformat(desk.batch(1)["exported_at"])
    killed, marked = 0, len(moments(reference))
    for index in range(marked + KILLS):
        root = tmp_path / f"export{index}"
        shutil.copytree(approved, root)
        killed += kill_when(root, moments(root)[index] if index < marked else at_random(seconds), "export")
        with desk_at(root, policy) as desk:
            export(desk.store, desk.workspace, policy, desk.batch(1), actor="张经办", now=now)
            assert check_ledger(desk.store, desk.workspace).problems == ()
        assert files_of(root) == expected
        shutil.rmtree(root)
    assert killed >= (marked + KILLS) // 2


def test_killed_returns_book_all_or_nothing(
    exported: tuple[Path, float, list[Path]], policy: Policy, tmp_path: Path
) -> None:
    base, _, answers = exported
    root = tmp_path / "return"
    shutil.copytree(base, root)
    seconds = min(
        _seconds_of(shutil.copytree(base, tmp_path / f"trial{n}"), "return", str(answers[0])) for n in range(2)
    )
    marks = [(root / ".lock.who").exists, (root / "ledger.db-journal").exists]
    killed = 0
    for path in answers:  # each is killed twice: at a random moment, then at a marked or another random one
        killed += kill_when(root, at_random(seconds), "return", str(path))
        killed += kill_when(root, marks.pop() if marks else at_random(seconds), "return", str(path))
        with desk_at(root, policy) as desk:
            try:
                desk.read(path)
            except RefusedError as error:
                assert error.code == "already"
    with desk_at(root, policy) as desk:
        states = {r[0]: r[1] for r in desk.store.query("SELECT state, COUNT(*) FROM payment_line GROUP BY state")}
        assert states == {"paid": 110, "failed": 10}
        failing = desk.store.query("SELECT DISTINCT bank FROM payment_line WHERE state = 'failed'")
        assert desk.store.query("SELECT COUNT(*), SUM(succeeded), SUM(failed) FROM bank_return")[0][:] == (4, 110, 10)
        assert desk.batch(1)["state"] == "reconciled"
        assert check_ledger(desk.store, desk.workspace).problems == ()
    assert len(list((root / "out" / "internal" / "pay").rglob("发放失败*.xlsx"))) == len(failing)
    assert killed >= len(answers) // 2  # the random moments may come too late on a machine whose speed changes
