"""From draft to reconciliation: 1,000,000 lines at seven banks, each command in a process of its own (see ``payroll``)."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Measured, Sample, jiuzhu, run_once
from benchmarks.payroll import MONTHS, answers, payroll_workspace
from benchmarks.report import Line

if TYPE_CHECKING:
    from benchmarks.run import Bench

SEED = 91
NAMES = {"draft": "制单", "lock": "锁定", "approve": "审批", "export": "导出", "return": "回盘", "reconcile": "对账"}


def month_paid(workspace: Path, month: str) -> tuple[dict[str, list[Sample]], dict[str, Any]]:
    """Every step's samples (a return a bank), and what the draft, the returns and the reconciliation said."""
    steps: dict[str, list[Sample]] = {}
    said: dict[str, Any] = {}

    def step(name: str, *words: str | Path) -> dict[str, Any]:
        sample = run_once(jiuzhu("-C", workspace, *words, "--json"), accepted=(0, 3))
        steps.setdefault(name, []).append(sample)
        told: dict[str, Any] = json.loads(sample.stdout)
        print(
            f"{name}: {sample.seconds:.2f} s, {sample.cpu:.2f} s of processor, {sample.peak_mb:.0f} MB", file=sys.stderr
        )
        return told

    said["draft"] = step("draft", "pay", "draft", "--month", month)
    step("lock", "pay", "lock")
    step("approve", "--actor", "李审批", "pay", "approve")
    step("export", "pay", "export")
    told = [step("return", "pay", "return", path) for path in answers(workspace, month, workspace / "inbox" / month)]
    said["failed"] = sum(one["failed"] for one in told)
    said["reconcile"] = step("reconcile", "pay", "reconcile", "--from", month, "--to", month)
    return steps, said


def lines(bench: Bench) -> list[Callable[[], Line]]:
    """``pay`` of one month, for ``run.py``."""
    count = 1_000_000 if bench.runs > 1 else 20_000

    def pay_million() -> Line:
        made = payroll_workspace(bench.work, count, seed=SEED)
        target = bench.work / "paying"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)
        steps, said = month_paid(target, MONTHS[1])
        shutil.rmtree(target)
        every = [sample for samples in steps.values() for sample in samples]
        total = Measured(sum(s.seconds for s in every), sum(s.cpu for s in every), max(s.peak_mb for s in every), 1, "")
        note = "，".join(
            f"{NAMES[name]} {sum(s.seconds for s in samples):.1f} 秒 / {max(s.peak_mb for s in samples):.0f} MB"
            for name, samples in steps.items()
        )
        drafted = said["draft"]["lines"]
        fits = total.seconds <= 60 and total.peak_mb <= 3072
        return Line(
            f"`pay draft` 到 `pay reconcile` {drafted} 笔", total, (), "≤ 60 秒，≤ 3 GB", fits,
            f"四个项目、七家银行（文本占七成）、前一个月已发；{len(steps['return'])} 份回盘，失败 {said['failed']} 笔；{note}",
        )  # fmt: skip

    return [pay_million]
