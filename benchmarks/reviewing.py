"""``review run`` over a district, and ``explain`` of one person in it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.district import MONTH, district_workspace
from benchmarks.measure import jiuzhu, measure
from benchmarks.report import Line

if TYPE_CHECKING:
    from benchmarks.run import Bench

SEED = 91
# the same month under standards that change every household's amount
DEARER = """area = "421002"
source = "调标演算"
[[parameter]]
name = "低保标准_农村"
unit = "元/人/月"
values = [{ since = 2026-10-01, value = 720 }]
[[parameter]]
name = "低保标准_城市"
unit = "元/人/月"
values = [{ since = 2026-10-01, value = 912 }]
"""


def _copy(made: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(made, target)


def scores(truth: dict[str, Any], listed: Path) -> tuple[str, list[str]]:
    """Recall by what was planted and precision of all that was proposed; and what was wrong, said."""
    with listed.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["action"] != "keep"]
    made = {(row["programme"], row["id_no"]): row for row in rows}
    wrong, found, planted = [], {}, {}
    for one in truth["planted"]:
        row = made.get((one["programme"], one["id_no"]))
        hit = row is not None and row["action"] in one["actions"]
        planted[one["plant"]] = planted.get(one["plant"], 0) + 1
        found[one["plant"]] = found.get(one["plant"], 0) + hit
        if not hit:
            wrong.append(f"{one['plant']} {one['programme']}: {row and (row['action'], row['reasons'])}")
    expected = {(one["programme"], one["id_no"]) for one in truth["planted"]}
    beside = [row for key, row in made.items() if key not in expected]
    wrong += [f"beside {row['programme']}: {row['action']} {row['reasons']}" for row in beside]
    by_plant = "，".join(f"{name} {found[name]}/{count}" for name, count in sorted(planted.items()))
    precision = 1 - len(beside) / len(made) if made else 0.0
    recall = sum(found.values()) / max(1, sum(planted.values()))
    return f"查全 {recall:.4f}（{by_plant}），查准 {precision:.4f}", wrong


def lines(bench: Bench) -> list[Callable[[], Line]]:
    """``review run``, the same where every amount changes, and ``explain``, for ``run.py``."""
    full = bench.runs > 1
    households, register_lines = (100_000, 2_000_000) if full else (4_000, 80_000)

    def workspace() -> tuple[Path, Path, dict[str, Any]]:
        made = district_workspace(bench.work, households, register_lines, seed=SEED)
        return made, bench.work / "district", json.loads((made / "truth.json").read_text(encoding="utf-8"))

    def said(truth: dict[str, Any]) -> str:
        rows = truth["rows"]
        return f"{truth['households']} 户 {truth['persons']} 人，名册 {rows['roll']} 行，比对名单 {rows['register']} 行"

    def review() -> Line:
        made, target, truth = workspace()
        ours = measure(
            jiuzhu("-C", target, "review", "run", "--month", MONTH, "--json"),
            runs=bench.runs,
            prepare=lambda: _copy(made, target),
        )
        result = json.loads(ours.last)
        told, wrong = scores(truth, target / result["csv"])
        print("\n".join(wrong[:20]))
        fits = ours.seconds <= 15 and ours.peak_mb <= 3072
        return Line(f"`review run` {truth['households']} 户", ours, (), "≤ 15 秒，≤ 3 GB", fits, f"{said(truth)}；建议 {result['proposals']} 件；{told}")  # fmt: skip

    def review_standard() -> Line:
        made, target, truth = workspace()

        def prepare() -> None:
            _copy(made, target)
            folder = target / "policy" / "parameters"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "dearer.toml").write_text(DEARER, encoding="utf-8")

        ours = measure(
            jiuzhu("-C", target, "review", "run", "--month", MONTH, "--json"), runs=min(2, bench.runs), prepare=prepare
        )
        result = json.loads(ours.last)
        fits = ours.seconds <= 45 and ours.peak_mb <= 3072
        return Line(
            f"`review run` {truth['households']} 户，标准调整后每户都变", ours, (), "≤ 45 秒，≤ 3 GB", fits,
            f"建议 {result['proposals']} 件，逐户写明计算过程",
        )  # fmt: skip

    def simulation() -> Line:
        made, target, truth = workspace()
        words = ("policy", "simulate", "--set", "低保标准=+8%", "--from", "2027-01", "--json")
        ours = measure(jiuzhu("-C", target, *words), runs=min(2, bench.runs), prepare=lambda: _copy(made, target))
        total = json.loads(ours.last)["total"]
        fits = ours.seconds <= 20 and ours.peak_mb <= 3072
        return Line(
            f"`policy simulate` {truth['households']} 户，两种政策", ours, (), "≤ 20 秒，≤ 3 GB", fits,
            f"新增 {total['in']}，退出 {total['out']}，增额 {total['up']}；三个文件",
        )  # fmt: skip

    def review_explain() -> Line:
        made, target, truth = workspace()
        _copy(made, target)
        person = next(one["id_no"] for one in truth["planted"] if one["plant"] == "paid_too_much")
        ours = measure(jiuzhu("-C", target, "explain", person, "--month", MONTH, "--json"), runs=max(5, bench.runs))
        fits = ours.seconds < 1
        return Line("`explain` 一人（同一台账）", ours, (), "< 1 秒", fits, "逐条规则、逐步金额")

    return [review, review_standard, simulation, review_explain]
