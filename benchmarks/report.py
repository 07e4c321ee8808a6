"""docs/performance.md from the measured lines (in Chinese)."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import Measured

PACKAGES = "python-calamine openpyxl duckdb pyarrow adbc-driver-sqlite numpy pandas typer XlsxWriter".split()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report. ``ratio`` is ours : the first peer's seconds; ``target`` in words ('': none), ``met`` whether it holds.
    ``figure``: what was measured, where it is no time."""

    work: str
    ours: Measured
    peers: tuple[tuple[str, Measured], ...]
    target: str
    met: bool
    note: str = ""
    figure: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours.seconds / self.peers[0][1].seconds if self.peers else None


def write_report(path: Path, lines: list[Line], *, day: date) -> None:
    """Numbers of other machines differ; the ratios are what counts."""
    text = [
        "# 性能",
        "",
        "本页由 `make bench` 写出：同一台机器、同一次运行里，本程序和对照程序各跑几遍取中位数。机器不同、有噪声，**看比值，不看秒数**。",
        "内存是程序和它的子进程同一时刻合计的峰值（各自的页加上最大的一份共享页）。样例数据由 `sample_data` 的生成器按固定种子生成，没有真人。",
        "",
        f"- 日期：{day.isoformat()}；{platform.system()} {platform.machine()}，{os.cpu_count()} 核；Python {platform.python_version()}",
        "- 版本：" + "、".join(f"{name} {version(name)}" for name in PACKAGES),
        "",
        "| 工作 | 本程序 | 对照 | 比值 | 目标 | 达到 | 峰值内存 |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        peers = "；".join(f"{name} {m.seconds:.2f} 秒 / {m.peak_mb:.0f} MB" for name, m in line.peers) or "—"
        ratio = f"{line.ratio:.2f}" if line.ratio is not None else "—"
        met = ("是" if line.met else "**否**") if line.target else "—"
        figure = line.figure or f"{line.ours.seconds:.2f} 秒（{line.ours.runs} 遍）"
        peak = f"{line.ours.peak_mb:.0f} MB" if line.ours.peak_mb else "—"
        text.append(f"| {line.work} | {figure} | {peers} | {ratio} | {line.target or '—'} | {met} | {peak} |")
    notes = [f"- {line.work}：{line.note}" for line in lines if line.note]
    if notes:
        text += ["", "## 说明", "", *notes]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
