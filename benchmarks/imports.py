"""The import beside what only reads: one large ledger, a larger one, a folder of small ones; and what it loses in silence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import data
from benchmarks.measure import Measured, jiuzhu, measure, python, run_once
from benchmarks.report import Line

if TYPE_CHECKING:
    from benchmarks.run import Bench

PEERS = Path(__file__).resolve().parent / "peers"
SILENT = Path(__file__).resolve().parent / "silent.py"


def lines(bench: Bench) -> list[Callable[[], Line]]:
    """The lines of the import for ``run.py``; the large ledger comes before the larger one that is held against it."""
    large: list[Measured] = []

    def import_wide() -> Line:
        return _wide(bench, large)

    def import_saved() -> Line:
        return _saved(bench)

    def import_million() -> Line:
        return _million(bench, large)

    def import_folder() -> Line:
        return _folder(bench)

    def import_silent() -> Line:
        return _silent(bench)

    return [import_wide, import_saved, import_million, import_folder, import_silent]


def _import(bench: Bench, path: Path, *, runs: int) -> Measured:
    target = bench.work / "workspace"

    def fresh() -> None:
        bench.workspace()

    return measure(jiuzhu("-C", target, "import", path, "--json", "--quiet"), runs=runs, prepare=fresh)


def _wide(bench: Bench, large: list[Measured]) -> Line:
    path = data.wide_ledger(bench.work, bench.rows)
    ours = _import(bench, path, runs=bench.runs)
    large.append(ours)
    calamine = measure(python(PEERS / "read_calamine.py", path), runs=bench.runs)
    once = min(bench.runs, 1)
    by_hand_db = bench.work / "by-hand.db"
    by_hand_db.unlink(missing_ok=True)
    peers = (
        ("calamine 只读", calamine),
        ("pandas + calamine 只读", measure(python(PEERS / "read_pandas.py", "calamine", path), runs=once)),
        ("pandas + openpyxl 只读", measure(python(PEERS / "read_pandas.py", "openpyxl", path), runs=once)),
        ("openpyxl + sqlite3", measure(python(PEERS / "openpyxl_sqlite.py", path, by_hand_db), runs=once)),
    )
    entry = json.loads(ours.last)["files"][0]
    by_hand = peers[-1][1].seconds / ours.seconds
    note = f"读 {entry['rows']} 行，收 {entry['accepted']} 行，退 {entry['refused']} 行；比不做任何检查的 openpyxl + sqlite3 快 {by_hand:.1f} 倍"
    met = ours.seconds <= calamine.seconds and ours.peak_mb <= 400 and by_hand >= 7
    goal = "≤ 1.0 倍（比 openpyxl + sqlite3 快 7 倍以上），≤ 400 MB"
    return Line(f"导入 {bench.rows} 行 × 24 列 xlsx", ours, peers, goal, met, note)


def _saved(bench: Bench) -> Line:
    """The same ledger with shared strings, as most offices send it: other bytes, other ways through the reader."""
    path = data.saved_ledger(bench.work, bench.rows)
    ours = _import(bench, path, runs=bench.runs)
    calamine = measure(python(PEERS / "read_calamine.py", path), runs=bench.runs)
    entry = json.loads(ours.last)["files"][0]
    note = f"同一份台账，文字放在共享字符串里；收 {entry['accepted']} 行，退 {entry['refused']} 行"
    met = ours.seconds <= calamine.seconds and ours.peak_mb <= 400
    work = f"导入 {bench.rows} 行 × 24 列 xlsx（Excel、WPS 另存的）"
    return Line(work, ours, (("calamine 只读", calamine),), "≤ 1.0 倍，≤ 400 MB", met, note)


def _million(bench: Bench, large: list[Measured]) -> Line:
    rows = bench.rows * 10
    ours = _import(bench, data.long_ledger(bench.work, rows), runs=1)
    entry = json.loads(ours.last)["files"][0]
    smaller = large[-1] if large else _import(bench, data.wide_ledger(bench.work, bench.rows), runs=1)
    times = ours.seconds / smaller.seconds
    note = f"收 {entry['accepted']} 行，退 {entry['refused']} 行；用时是 {bench.rows} 行的 {times:.1f} 倍"
    met = times <= 11 and ours.peak_mb <= 1024
    return Line(f"导入 {rows} 行 × 24 列 xlsx", ours, (), f"{bench.rows} 行的 11 倍以内，≤ 1 GB", met, note)


def _folder(bench: Bench) -> Line:
    folder = data.folder_of_rolls(bench.work, 85_000 if bench.runs > 1 else 4_000)
    ours = _import(bench, folder, runs=bench.runs)
    peer = measure(python(PEERS / "read_calamine.py", folder), runs=bench.runs)
    told = json.loads(ours.last)
    ratio = ours.seconds / peer.seconds
    note = f"{len(told['files'])} 个文件，收 {told['accepted']} 行，退 {told['refused']} 行；处理器用时共 {ours.cpu:.1f} 秒"
    work = f"导入一个文件夹：{len(told['files'])} 个文件、{told['rows']} 行"
    return Line(work, ours, (("calamine 只读", peer),), "≤ 1.5 倍", ratio <= 1.5, note)


def _silent(bench: Bench) -> Line:
    folder = data.messy_folder(bench.work)
    workspace = bench.work / "workspace-messy"
    shutil.rmtree(workspace, ignore_errors=True)
    run_once(jiuzhu("init", workspace, "--region", data.REGION, "--name", "示例区民政局"))
    ours = measure(python(SILENT, folder, workspace), runs=1)
    told = json.loads(ours.last)
    lost = told["cells_lost"] + told["rows_lost"]
    note = (
        f"习惯随机混合、有坏格的台账：{told['cells']} 个单元格逐个与 openpyxl 对照，不同 {told['cells_lost']} 个；"
        f"{told['rows']} 行都收下或写明原因，没有交代的 {told['rows_lost']} 行{'：' + '、'.join(told['where']) if lost else ''}"
    )
    return Line("不声不响丢掉的单元格和行（用时含 openpyxl 的）", ours, (), "0", lost == 0, note)
