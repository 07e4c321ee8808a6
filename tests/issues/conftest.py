"""One server of real processes, and one workspace brought as far as each test needs, for the tests of faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.issues.desk import Program
from tests.support import make_id, make_workspace, put_register, put_roll

MONTH = "2026-10"
LIVING, OLD = "disability_living_subsidy", "old_age_allowance"


def person(serial: int, fen: int, **values: object) -> dict[str, object]:
    """A row with everything that must not get out: ID, account, phone, address, illness."""
    return {
        "id_no": make_id(serial, born="19400101"), "name": f"张{chr(0x4E00 + serial)}", "amount_fen": fen, "account_no": f"6217{serial:012d}",
        "payee_name": f"张{chr(0x4E00 + serial)}", "phone": f"138{serial:08d}", "address": f"幸福路{serial}号附{serial}号", "illness": "尿毒症",
        "bank_name": ("建行", "农信社", "邮储银行", "")[serial % 4],
    } | values  # fmt: skip


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    one = Program(tmp_path_factory.mktemp("streams"))
    yield one
    one.close()


def _fill(workspace: Workspace) -> None:
    with workspace.open_store() as store:
        put_roll(store, LIVING, "青溪镇", MONTH, [person(n, 8000) for n in range(1, 60)])
        put_roll(store, OLD, "青溪镇", MONTH, [person(n, 10000, village=f"{n % 3}号村") for n in range(30, 90)])
        put_roll(store, OLD, "白石镇", MONTH, [person(n, 10000) for n in range(85, 120)])
        dead = {"id_no": make_id(40, born="19400101"), "name": f"张{chr(0x4E00 + 40)}", "event_date": "2026-08-01"}
        put_register(store, "death", [dead])


@pytest.fixture(scope="session")
def stages(program: Program, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of one workspace: filled, reviewed, posted, approved, exported. To be copied, never written."""
    import shutil

    folder = tmp_path_factory.mktemp("stages")
    root = make_workspace(folder / "now").root
    _fill(Workspace(root))
    found: dict[str, Path] = {}

    def keep(name: str) -> None:
        found[name] = folder / name
        shutil.copytree(root, found[name])

    def run(*words: str, today: str = "2026-11-13") -> None:
        answer = program.run(root, *words, today=today)
        assert answer.code == 0, (words, answer)

    month = ("--month", MONTH)
    keep("filled")
    run("dedupe", "run", *month)
    run("review", "run", *month)
    keep("reviewed")
    for round_, start, end in (("first", "2026-10-21", "2026-11-02"), ("final", "2026-11-02", "2026-11-12")):
        run("post", "make", *month, "--round", round_, today=start)
        run("post", "close", *month, today=end)
    keep("posted")
    run("pay", "draft", *month)
    run("pay", "lock")
    run("pay", "approve", "--actor", "李审批")
    keep("approved")
    run("pay", "export")
    keep("exported")
    return found
