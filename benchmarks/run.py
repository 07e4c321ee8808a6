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

from benchmarks import data, imports, ledgers, matching, paying, reviewing  # noqa: E402
from benchmarks.measure import Measured, jiuzhu, measure, run_once  # noqa: E402
from benchmarks.report import Line, write_report  # noqa: E402
from jiuzhu_cli.dedupe.evidence import KINDS  # noqa: E402
from tests.e2e import scoring  # noqa: E402

MILLION_SEED = 82


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

    def city(self, persons: int, *, seed: int, target: str = "", seconds: float = 0, peak_mb: float = 0) -> Line:
        """Three months of a city, straight from the record; the seed is none that anything was tuned on."""
        made = self.made(persons, seed)
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
        return self.city(100_000 if self.runs > 1 else 6_000, seed=81)  # the target speaks of a million persons

    def dedupe_million(self) -> Line:
        return self.city(self.million, seed=MILLION_SEED, target="≤ 40 秒，≤ 4 GB", seconds=40, peak_mb=4096)

    def made(self, persons: int, seed: int) -> Path:
        return ledgers.city_workspace(self.work, persons, seed=seed, each=max(20, persons // 500))

    @property
    def million(self) -> int:
        return 1_000_000 if self.runs > 1 else 12_000

    def ledger_size(self) -> Line:
        """The ledger as the import's own statements fill it, never packed."""
        size = ledgers.ledger_size(self.made(self.million, MILLION_SEED) / "ledger.db")
        nothing = Measured(0, 0, 0, 1, "")
        note = (
            f"{self.million} 人三个月的台账 {size.file / 1e6:.0f} MB，其中索引 {size.indexes / 1e6:.0f} MB；各表各栏的值写成文字（数字写成十进制，不算分隔）"
            f"共 {size.values / 1e6:.0f} MB，只算文字栏 {size.texts / 1e6:.0f} MB（比值 {size.file / size.texts:.2f}）"
        )
        ratio = size.file / size.values
        return Line("台账文件大小 ÷ 文字字节数", nothing, (), "≤ 1.5", ratio <= 1.5, note, f"{ratio:.2f}")

    def person(self) -> Line:
        """One person of the large ledger by ID, by name with the ID's last four, and explained; the slowest counts."""
        made = self.made(self.million, MILLION_SEED)
        id_no, name = ledgers.somebody(made / "ledger.db")
        asked = {
            "show 身份证号": ("show", id_no),
            "show 姓名": ("show", name + id_no[-4:]),
            "explain 身份证号": ("explain", id_no),
        }
        found = {
            words: measure(jiuzhu("-C", made, *command), runs=max(5, self.runs)) for words, command in asked.items()
        }
        slowest = max(found.values(), key=lambda one: one.seconds)
        note = "，".join(f"{words} {one.seconds:.2f} 秒" for words, one in found.items())
        work = f"`show`、`explain` 一个人（{self.million} 人的台账，最慢的一种）"
        return Line(work, slowest, (), "≤ 0.7 秒", slowest.seconds <= 0.7, note)

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
            self.ledger_size,
            self.person,
            *reviewing.lines(self),
            *paying.lines(self),
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
        help="part of a benchmark's name: help_page, import (wide, million, folder, silent), dedupe (dedupe_city, dedupe_million), ledger_size, person, review (review_standard, review_explain), pay, match",
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
