"""Who is the same person: ``jiuzhu match`` beside Splink and an exact join, on seeds and mixes that nothing was tuned on.

Splink runs in an environment of its own under the work folder (made on first use with pip; without it the lines say so): its versions of
DuckDB and sqlglot need not be ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import Measured, jiuzhu, measure, python
from benchmarks.report import Line
from tests.matching.others import make_other_lists
from tests.matching.people import HARD, STANDARD, Lists, Mix, make_lists, pair_scores

if TYPE_CHECKING:
    from benchmarks.run import Bench

SEED = 20261122
PEERS = Path(__file__).resolve().parent / "peers"
SPLINK = {"Splink 4": "splink>=4,<5", "Splink 5": "splink>=5,<6"}
PART = 1_000_000  # the largest lists are made in parts of so many records, each of other people
TWINS = replace(STANDARD, twins=0.02, popular=0.5, heaped=0.4)
BARE = replace(HARD, no_phone=0.5, no_account=0.4, second_id=0.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One line: ``make(size, seed, district)`` gives the lists. ``least``: F1 and precision to reach, where the targets say."""

    name: str
    size: int
    make: Callable[[int, int, int], Lists]
    least: tuple[float, float] | None = None
    peers: tuple[tuple[str, str], ...] = (("Splink 4", "tuned"),)


def of_mix(mix: Mix) -> Callable[[int, int, int], Lists]:
    return lambda size, seed, district: make_lists(size, mix, seed, region=421000 + 2000 * district)


def of_others(size: int, seed: int, _: int) -> Lists:
    return make_other_lists(size, seed)


def cases(*, quick: bool, large: bool) -> list[Case]:
    small, city = (5_000, 20_000) if quick else (100_000, 1_000_000)
    both = (("Splink 4", "tuned"), ("Splink 4", "tutorial"), ("Splink 5", "tuned"))
    found = [
        Case("标准错误率", small, of_mix(STANDARD), None, both),
        Case("高错误率", small, of_mix(HARD), None, both),
        Case("没见过的一：双胞胎多五倍、大众名一半", small, of_mix(TWINS)),
        Case("没见过的二：少电话少账号、没有第二个号码", small, of_mix(BARE)),
        Case("没见过的三：另一套人（少数民族姓名、繁体、大小村）", small, of_others),
        Case("标准错误率", city, of_mix(STANDARD), (0.9997, 0.9985)),
        Case("高错误率", city, of_mix(HARD), (0.9965, 0.9985)),
    ]
    return [*found, Case("标准错误率", 10_000_000, of_mix(STANDARD), None, ())] if large else found


def _files(work: Path, case: Case, number: int) -> tuple[Path, Path]:
    """Records and truth, made once. Lists beyond ``PART`` are of several districts: their people differ."""
    records, truth = work / f"match{case.size}-{number}.parquet", work / f"match{case.size}-{number}.npy"
    if not (records.exists() and truth.exists()):
        persons, first = [], 0
        with pq.ParquetWriter(records, pa.schema([(name, pa.string()) for name in _parts(case).__next__().records.column_names])) as writer:  # fmt: skip
            for part in _parts(case):
                writer.write_table(part.records.cast(writer.schema))
                persons.append(part.person + first)
                first = int(persons[-1].max()) + 1
        np.save(truth, np.concatenate(persons))
    return records, truth


def _parts(case: Case) -> Iterable[Lists]:
    for start in range(0, case.size, PART):
        district = start // PART
        yield case.make(min(PART, case.size - start), SEED + district, district)


def splink_python(work: Path, name: str) -> Path | None:
    """The interpreter of an environment with that Splink, made on first use; None when it cannot be had."""
    folder = work / name.lower().replace(" ", "")
    binary = folder / "bin" / "python"
    if not binary.exists():
        venv.create(folder, with_pip=True)
    probe = subprocess.run([binary, "-c", "import splink, pypinyin, pyarrow"], check=False, capture_output=True)
    if probe.returncode:
        packages = [SPLINK[name], "pyarrow", "pypinyin"]
        subprocess.run(
            [binary, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=False
        )
        probe = subprocess.run([binary, "-c", "import splink, pypinyin, pyarrow"], check=False, capture_output=True)
    return None if probe.returncode else binary


def _scores(truth: Path, out: Path) -> str:
    precision, recall, f1 = pair_scores(np.load(truth), pq.read_table(out).sort_by("row")["person"].to_numpy())
    return f"查准 {precision:.4f}，查全 {recall:.4f}，F1 {f1:.4f}"


def line(bench: Bench, case: Case, number: int) -> Line:
    records, truth = _files(bench.work, case, number)
    out = bench.work / "match.out.parquet"
    runs = 1 if case.size > PART else bench.runs
    ours = measure(jiuzhu("match", records, "--out", out, "--json", "--quiet"), runs=runs)
    precision, _, f1 = pair_scores(np.load(truth), pq.read_table(out)["person"].to_numpy())
    notes = [f"{json.loads(ours.last)['persons']} 人；本程序 {_scores(truth, out)}"]
    peers: list[tuple[str, Measured]] = []
    for splink, mode in case.peers:
        binary, theirs = splink_python(bench.work, splink), bench.work / f"{splink}.{mode}.parquet".replace(" ", "")
        said = f"{splink}{'（调好）' if mode == 'tuned' else '（照教程）'}"
        if binary is None:
            notes.append(f"{said}装不上，没有比")
            continue
        try:
            # one run at the size of a city: it takes minutes
            peers.append((said, measure([str(binary), str(PEERS / "splink_people.py"), mode, str(records), str(theirs)], runs=1 if case.size >= PART else runs)))  # fmt: skip
        except RuntimeError as error:
            print(error, file=sys.stderr)
            notes.append(f"{said}没有跑完")
            continue
        notes.append(f"{said} {_scores(truth, theirs)}")
    exact = bench.work / "exact.out.parquet"
    peers.append(("身份证号相等", measure(python(PEERS / "exact_ids.py", records, exact), runs=runs)))
    notes.append(f"身份证号相等 {_scores(truth, exact)}")
    goal, met = "—", True
    if case.least is not None:
        ratio = ours.seconds / peers[0][1].seconds
        goal = f"F1 ≥ {case.least[0]}，查准 ≥ {case.least[1]}，≤ 调好的 Splink 4 的 0.2 倍，≤ 1.5 GB"
        met = f1 >= case.least[0] and precision >= case.least[1] and ours.peak_mb <= 1536
        met &= len(peers) > 1 and ratio <= 0.2
    elif case.size > PART:
        goal, met = "≤ 100 万行的 12 倍，≤ 10 GB", ours.peak_mb <= 10_240
        city = bench.work / f"match{PART}-{number - 2}.parquet"  # the standard mix, one line of the table before
        if city.exists():
            one = measure(jiuzhu("match", city, "--out", out, "--json", "--quiet"), runs=bench.runs)
            notes.append(f"用时是 100 万行的 {ours.seconds / one.seconds:.1f} 倍")
            met &= ours.seconds <= 12 * one.seconds
    return Line(f"`match` {case.size} 行，{case.name}", ours, tuple(peers), goal, met, "；".join(notes))


def lines(bench: Bench, *, large: bool = False) -> list[Callable[[], Line]]:
    """One line a case, for ``run.py``."""

    def maker(case: Case, number: int) -> Callable[[], Line]:
        def match() -> Line:
            return line(bench, case, number)

        return match

    return [maker(case, number) for number, case in enumerate(cases(quick=bench.runs == 1, large=large))]
