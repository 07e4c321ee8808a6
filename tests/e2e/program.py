"""Runs the real program in a child process, as a clerk or a script would."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """``data`` is the JSON document on stdout."""

    code: int
    data: dict[str, Any]
    stderr: str


@dataclass(frozen=True, slots=True)
class Program:
    """The program in one workspace. A traceback, or more or less than one JSON document, fails the test at once."""

    workspace: Path

    def run(self, *arguments: str | Path, expect: tuple[int, ...] = (0,)) -> Answer:
        command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(self.workspace), *map(str, arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        words = " ".join(map(str, arguments))
        assert "Traceback" not in done.stderr, f"{words}: {done.stderr[-2000:]}"
        assert done.returncode in expect, f"{words}: {done.returncode} {done.stdout[-1500:]} {done.stderr[-1500:]}"
        return Answer(done.returncode, json.loads(done.stdout), done.stderr)

    def init(self, region: str) -> None:
        command = [
            sys.executable,
            "-m",
            "jiuzhu_cli",
            "init",
            str(self.workspace),
            "--region",
            region,
            "--name",
            "示例民政局",
        ]
        subprocess.run(command, capture_output=True, check=True)

    def path(self, shown: str) -> Path:
        """A path as the program prints it: absolute, or relative to the workspace."""
        path = Path(shown)
        return path if path.is_absolute() else self.workspace / path
