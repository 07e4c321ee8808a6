"""Same-person pairs at the size of a city: ``jiuzhu match`` beside an exact join, on seeds that nothing was tuned on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from benchmarks.measure import jiuzhu, measure, python
from benchmarks.report import Line
from tests.matching.people import HARD, STANDARD, Mix, make_lists, pair_scores

if TYPE_CHECKING:
    from benchmarks.run import Bench

SEED = 20261122
PEER = Path(__file__).resolve().parent / "peers" / "exact_ids.py"
# name, mix, least F1, least precision
MIXES = (("标准错误率", STANDARD, 0.9997, 0.9985), ("高错误率", HARD, 0.9965, 0.9985))


def _files(work: Path, size: int, mix: Mix, name: str) -> tuple[Path, Path]:
    records, truth = work / f"match{size}{name}.parquet", work / f"match{size}{name}.npy"
    if not (records.exists() and truth.exists()):
        lists = make_lists(size, mix, SEED)
        pq.write_table(lists.records, records)
        np.save(truth, lists.person)
    return records, truth


def lines(bench: Bench) -> list[Callable[[], Line]]:
    """One line a mix, for ``run.py``."""
    size = 20_000 if bench.runs == 1 else 1_000_000

    def line(name: str, mix: Mix, least_f1: float, least_precision: float) -> Line:
        records, truth = _files(bench.work, size, mix, name)
        out, other = bench.work / "match.out.parquet", bench.work / "exact.out.parquet"
        ours = measure(jiuzhu("match", records, "--out", out, "--json", "--quiet"), runs=bench.runs)
        peer = measure(python(PEER, records, other), runs=bench.runs)
        person = np.load(truth)
        precision, recall, f1 = pair_scores(person, pq.read_table(out)["person"].to_numpy())
        exact = pair_scores(person, pq.read_table(other).sort_by("row")["person"].to_numpy())
        note = (
            f"{json.loads(ours.last)['persons']} 人；查准 {precision:.4f}，查全 {recall:.4f}，F1 {f1:.4f}；"
            f"只按身份证号相等：查准 {exact[0]:.4f}，查全 {exact[1]:.4f}，F1 {exact[2]:.4f}。还没有与 Splink 同跑"
        )
        met = f1 >= least_f1 and precision >= least_precision and ours.peak_mb <= 1536
        goal = f"F1 ≥ {least_f1}，查准 ≥ {least_precision}，≤ 1.5 GB"
        return Line(f"`match` {size} 行，{name}", ours, (("身份证号相等", peer),), goal, met, note)

    def match_lists(entry: tuple[str, Mix, float, float]) -> Callable[[], Line]:
        def match() -> Line:
            return line(*entry)

        return match

    return [match_lists(entry) for entry in MIXES]
