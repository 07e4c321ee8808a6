"""Real processes, quickly: a server that has only imported the program forks one child a command; faults are injected there.

Each child is ``jiuzhu`` itself with its own streams, limits and life; it can be killed at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SERVER = """
import importlib, json, os, sys
for name in ("audit batch dedupe explain import_ init pay policy post review show status".split()):
    importlib.import_module("jiuzhu_cli.cli." + name)
for name in ("dedupe.run dedupe.dispositions review.run review.decisions review.explain posting.rounds posting.render posting.closing"
             " payment.plan payment.export payment.approvals payment.returns payment.recovery intake.batch tabular.annotate tabular.write"
             " ledger.backup ledger.audit ledger.doctor ledger.snapshot").split():
    importlib.import_module("jiuzhu_cli." + name)
import adbc_driver_sqlite.dbapi, duckdb, openpyxl, pyarrow.compute, python_calamine, xlsxwriter
from jiuzhu_cli.cli.main import main
print("ready", flush=True)
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(job["out"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), 1)
        os.dup2(os.open(job["err"], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), 2)
        if job["limit"]:
            import resource, signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (job["limit"], job["limit"]))
        code = 1
        try:
            main(job["words"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                pass
        os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Program:
    """``run`` gives exit code and both streams. A traceback or exit code 1 is a fault wherever it happens: ``bad`` says so."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(
        self, root: Path | None, *words: str | Path, today: str = "2026-11-21", limit: int = 0
    ) -> tuple[int, Path, Path]:
        self.count += 1
        out, err = self.folder / f"{self.count}.out", self.folder / f"{self.count}.err"
        place = [] if root is None else ["-C", str(root)]
        arguments = [*place, *(["--today", today] if today else []), *map(str, words)]
        assert self.process.stdin is not None
        job = {"words": arguments, "out": str(out), "err": str(err), "limit": limit}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return int(self._line()), out, err

    def finish(self, out: Path, err: Path) -> Answer:
        code = int(self._line())
        return Answer(code, out.read_text("utf-8", "replace"), err.read_text("utf-8", "replace"))

    def run(self, root: Path | None, *words: str | Path, today: str = "2026-11-21", limit: int = 0) -> Answer:
        _, out, err = self.start(root, *words, today=today, limit=limit)
        return self.finish(out, err)

    def kill(self, root: Path, after: float, *words: str | Path, today: str = "2026-11-21") -> int:
        """Runs the command and kills it after so many seconds; its exit code (-9 when the kill met it alive)."""
        child, out, err = self.start(root, *words, today=today)
        time.sleep(after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return self.finish(out, err).code

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)


def clean(answer: Answer) -> bool:
    """No fault of the program: no traceback, an exit code of the contract, a Chinese word when it failed."""
    spoken = answer.code == 0 or any("\u4e00" <= char <= "\u9fff" for char in answer.err + answer.out)
    return answer.code in (0, 2, 3, 4, 5, 130) and "Traceback" not in answer.err + answer.out and spoken


def leftovers(root: Path) -> list[str]:
    """Temporary files under ``root``; nothing of the kind may stay once a command has ended well."""
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(
        n
        for n in names
        if ".tmp" in n or ".staging" in n or n in (".lock.who", ".restore.db") or n.endswith((".new", "-journal"))
    )
