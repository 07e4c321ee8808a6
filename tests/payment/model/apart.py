"""Commands in processes of their own: ended by SIGKILL at a chosen moment, or two at the same time.

The children are forked from a server that has everything loaded (``served``), so that a command costs what it costs and no start. The
moment is counted in what a process does to the world: statements to SQLite, files opened for writing, renamed or removed; the signal is a real one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import JiuzhuError
from tests.payment.model.desk import open_desk, small_tables

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.payment.model.served"])
Command = tuple[str, dict[str, Any]]


class Tripwire:
    """Ends this process at the ``moment``-th deed (0: never)."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self.deeds = 0

    def deed(self, *_: object) -> None:
        self.deeds += 1
        if self.deeds == self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(self, connect: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        def connected(*args: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*args, **options)
            connection.set_trace_callback(self.deed)
            return connection

        return connected

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if opened or event in ("os.rename", "os.remove", "os.mkdir", "os.truncate"):
            self.deed()


def _child(root: str, command: Command, clock: float, moment: int, barrier: Barrier | None, result: str) -> None:
    wire = Tripwire(moment)
    sys.addaudithook(wire.hook)
    sqlite3.connect = wire.traced(sqlite3.connect)  # type: ignore[assignment]
    name, options = command
    if barrier is not None:
        barrier.wait(30)
    told: dict[str, Any] = {"code": 0, "message": ""}
    try:
        with small_tables(), open_desk(Path(root), clock) as desk:
            told["value"] = desk.run(name, options)
    except JiuzhuError as error:
        told |= {"code": error.exit_code, "message": error.message}
    wire.left = 0
    Path(result).write_text(json.dumps(told | {"deeds": wire.deeds}, ensure_ascii=False, default=str), encoding="utf-8")


def run(root: Path, commands: list[Command], clock: float, *, moment: int = 0) -> list[dict[str, Any]]:
    """The commands, each in a process of its own and all at once; what each told, ``killed`` instead when it was."""
    barrier = CONTEXT.Barrier(len(commands)) if len(commands) > 1 else None
    results = [root.parent / f"told{n}.json" for n in range(len(commands))]
    children = []
    for command, result in zip(commands, results, strict=True):
        result.unlink(missing_ok=True)
        child = CONTEXT.Process(target=_child, args=(str(root), command, clock, moment, barrier, str(result)))
        child.start()
        children.append(child)
    found: list[dict[str, Any]] = []
    for child, result in zip(children, results, strict=True):
        child.join(60)
        if child.exitcode == -signal.SIGKILL and moment:
            found.append({"killed": True})
            continue
        assert child.exitcode == 0 and result.exists(), f"the child ended with {child.exitcode}"
        found.append(json.loads(result.read_text(encoding="utf-8")))
    return found
