"""Runs commands and measures them: wall time, processor time and peak memory with their children, median of several."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).resolve().parent / "launcher.py"


@dataclass(frozen=True, slots=True)
class Sample:
    seconds: float
    cpu: float
    peak_mb: float
    stdout: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the samples; ``last`` is the output of the last run."""

    seconds: float
    cpu: float  # processor seconds of the command and its children
    peak_mb: float
    runs: int
    last: str


def run_once(command: Sequence[str], *, accepted: tuple[int, ...] = (0, 3)) -> Sample:
    """One child process; RuntimeError when it ends otherwise than accepted.

    A small launcher stands between: a child's peak memory would else include that of the process it was forked from. What earlier ones left
    to be written to the disk is written first: the system would take a core for it meanwhile.
    """
    if hasattr(os, "sync"):
        os.sync()
    with tempfile.TemporaryDirectory() as folder:
        out, err, figures = (Path(folder) / name for name in ("out", "err", "figures"))
        with out.open("w") as stdout, err.open("w") as stderr:
            launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(figures), *command]
            subprocess.run(launcher, stdout=stdout, stderr=stderr, env={**os.environ, "NO_COLOR": "1"}, check=True)
        code, seconds, cpu, peak_mb = json.loads(figures.read_text())
        if code not in accepted:
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {err.read_text()[-2000:]}")
        return Sample(seconds, cpu, peak_mb, out.read_text(encoding="utf-8"))


def measure(
    command: Sequence[str],
    *,
    runs: int = 3,
    prepare: Callable[[], None] | None = None,
    accepted: tuple[int, ...] = (0, 3),
) -> Measured:
    """Median of ``runs`` runs; ``prepare`` puts things back before each and is not counted."""
    samples = []
    for _ in range(runs):
        if prepare is not None:
            prepare()
        samples.append(run_once(command, accepted=accepted))
    return Measured(
        statistics.median(s.seconds for s in samples),
        statistics.median(s.cpu for s in samples),
        statistics.median(s.peak_mb for s in samples),
        runs,
        samples[-1].stdout,
    )


def jiuzhu(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "jiuzhu_cli", *map(str, arguments)]


def python(script: str | Path, *arguments: str | Path) -> list[str]:
    return [sys.executable, str(script), *map(str, arguments)]
