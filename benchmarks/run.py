"""``make bench``: measures us and the peers in one run and writes docs/performance.md.

``--quick`` takes small sizes and one run, to see that it works; it writes nowhere but under bench-work/.
"""

from __future__ import annotations

import argparse
import compileall
import json
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import data, imports, ledgers, matching  # noqa: E402
from benchmarks.measure import Measured, jiuzhu, measure, run_once  # noqa: E402
from benchmarks.report import Line, write_report  # noqa: E402
from jiuzhu_cli.dedupe.evidence import KINDS  # noqa: E402
from tests.e2e import scoring  # noqa: E402


class Bench:
    """Sizes and the work folder. ``scale`` 1 is the size of the targets."""

    def __init__(self, work: Path, *, quick: bool, large: bool = False) -> None:
        self.work = work
        self.large = large
        self.runs = 1 if quick else 3
        self.rows = 5_000 if quick else 100_000
        self.persons = 6_000 if quick else 255_000
        work.mkdir(parents=True, exist_ok=True)

    def workspace(self) -> Path:
        target = self.work / "workspace"
        shutil.rmtree(target, ignore_errors=True)
        run_once(jiuzhu("init", target, "--region", data.REGION, "--name", "示例区民政局"))
        return target

    def help_page(self) -> Line:
        ours = measure(jiuzhu("--help"), runs=max(5, self.runs))
        peer = measure([sys.executable, "-c", "import typer"], runs=max(5, self.runs))
        return Line("`jiuzhu --help`", ours, (("import typer", peer),), "≤ 1.5 倍", ours.seconds <= 1.5 * peer.seconds)

    def dedupe(self) -> Line:
        folder = data.many_rolls(self.work, self.persons, each=100 if self.runs > 1 else 5)
        truth = scoring.read_truth(folder / "truth.json")
        workspace = self.workspace()
        imported = run_once(jiuzhu("-C", workspace, "import", folder / "inbox", "--json"))
        kept = self.work / "ledger.imported"
        shutil.copy2(workspace / "ledger.db", kept)
        ours = measure(
            jiuzhu("-C", workspace, "dedupe", "run", "--month", data.MONTH, "--json"),
            runs=self.runs,
            prepare=lambda: self._discard(shutil.copy2(kept, workspace / "ledger.db")),
        )
        result = json.loads(ours.last)
        csv = Path(result["csv"])
        score = scoring.score_doubts(truth, scoring.read_csv(csv if csv.is_absolute() else workspace / csv))
        if score.lost or score.wrong:
            print(score.explain(), file=sys.stderr)
        rows = sum(file["rows"] for file in truth["files"])
        note = (
            f"{rows} 行、{len(truth['files'])} 个项目；疑点 {result['doubts']} 条；对照答案："
            f"查全 {score.recall:.4f}，查准 {score.precision:.4f}（强疑点）；先前导入整个文件夹 {imported.seconds:.1f} 秒、峰值 {imported.peak_mb:.0f} MB"
        )
        return Line(
            f"`dedupe run` {rows} 行名册",
            ours,
            (),
            "≤ 15 秒，≤ 2 GB",
            ours.seconds <= 15 and ours.peak_mb <= 2048,
            note,
        )

    def city(self, persons: int, *, seed: int, target: str, seconds: float, peak_mb: float) -> Line:
        """Three months of a city, straight from the record; the seed is none that anything was tuned on."""
        made = ledgers.city_workspace(self.work, persons, seed=seed, each=max(20, persons // 500))
        truth = scoring.read_truth(made / "truth.json")
        workspace = self.work / "city"
        shutil.rmtree(workspace, ignore_errors=True)
        shutil.copytree(made, workspace, ignore=shutil.ignore_patterns("ledger.db"))
        first, month = ledgers.MONTHS[0], ledgers.MONTHS[-1]
        ours = measure(
            jiuzhu("-C", workspace, "dedupe", "run", "--from", first, "--month", month, "--json"),
            runs=1 if persons > 300_000 else self.runs,
            prepare=lambda: self._discard(shutil.copy2(made / "ledger.db", workspace / "ledger.db")),
        )
        result = json.loads(ours.last)
        doubts = scoring.read_csv(Path(result["csv"]))
        rules = [(case["kind"], case["programmes"][1]) for case in truth["candidates"]]
        parts = [
            f"{KINDS[kind]}{what} {score.recall:.4f}/{score.precision:.4f}（{len(score.found) + len(score.lost)} 件）"
            for what, scores in (
                ("", scoring.score_doubts(truth, doubts)), ("线索", scoring.score_candidates(truth, doubts, rules)),
            )
            for kind, score in scores.by_kind().items()
        ]  # fmt: skip
        rows = truth["files"][0]["rows"]
        shutil.rmtree(workspace)
        note = f"{persons} 人、12 个项目、10 种比对名单，连查三个月 {rows} 行名册；疑点 {result['doubts']} 条；查全/查准：{'，'.join(parts)}"
        fits = ours.seconds <= seconds and ours.peak_mb <= peak_mb
        return Line(f"`dedupe run` {rows} 行名册（全市三个月）", ours, (), target, fits, note)

    def dedupe_city(self) -> Line:
        return self.city(100_000 if self.runs > 1 else 6_000, seed=81, target="≤ 5 秒，≤ 1 GB", seconds=5, peak_mb=1024)

    def dedupe_million(self) -> Line:
        persons = 1_000_000 if self.runs > 1 else 12_000
        return self.city(persons, seed=82, target="≤ 40 秒，≤ 4 GB", seconds=40, peak_mb=4096)

    @staticmethod
    def _discard(_: object) -> None:
        return None

    def lines(self) -> list[Callable[[], Line]]:
        return [
            self.help_page,
            *imports.lines(self),
            self.dedupe,
            self.dedupe_city,
            self.dedupe_million,
            *matching.lines(self),
        ]


def summary(name: str, measured: Measured) -> str:
    return f"{name}: {measured.seconds:.2f} s, {measured.peak_mb:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--large", action="store_true", help="also 10,000,000 records for match")
    parser.add_argument("--work", type=Path, default=ROOT / "bench-work")
    parser.add_argument(
        "--only",
        help="part of a benchmark's name: help_page, import (wide, million, folder, silent), dedupe (dedupe_city, dedupe_million), match",
    )
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "src", quiet=1)  # as pip leaves a package, whatever the environment says
    bench = Bench(options.work, quick=options.quick, large=options.large)
    lines = []
    for make in bench.lines():
        if not options.only or options.only in make.__name__:
            lines.append(make())
            print(summary(lines[-1].work, lines[-1].ours), file=sys.stderr)
            write_report(options.work / "performance.md", lines, day=date.today())  # a run cut short keeps what it has
    if not (options.quick or options.only):
        write_report(ROOT / "docs" / "performance.md", lines, day=date.today())
    print((options.work / "performance.md").read_text(encoding="utf-8"), file=sys.stderr)


if __name__ == "__main__":
    main()
