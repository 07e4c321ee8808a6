"""Silent loss: ``silent.py FOLDER WORKSPACE`` counts what an import of the folder would lose without a word. Must be 0.

Read: every cell of every xlsx equals what openpyxl sees (a number as a number, a date as a date, an error as an error).
Imported: every row of every table is taken in or refused, and every refused row is named by a finding. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from jiuzhu_cli.intake.batch import import_paths
from jiuzhu_cli.ledger.workspace import find_workspace
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.tabular.cells import CellError
from jiuzhu_cli.tabular.read import read_workbook


def plain(cell: Any) -> Any:
    """A cell of either reader as one form: None, bool, float, text, date or moment."""
    if isinstance(cell, CellError):
        return cell.code
    if isinstance(cell, bool) or cell is None:
        return cell
    if isinstance(cell, int | float):
        return float(cell)
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else cell
    if isinstance(cell, str):
        return cell.replace("\r\n", "\n") or None
    return cell


def same(ours: Any, theirs: Any) -> bool:
    """Whether two cells say the same. A time of day or a duration may be ours as text."""
    if isinstance(theirs, time | timedelta):
        return ours is not None
    return bool(ours == theirs) and isinstance(ours, bool) == isinstance(theirs, bool)


def cells_lost(path: Path) -> tuple[int, int, list[str]]:
    """(cells compared, cells that differ, some of their addresses)."""
    ours = {sheet.name: sheet for sheet in read_workbook(path).sheets}
    compared, lost, where = 0, 0, []
    book = load_workbook(path, data_only=True)
    for sheet in book.worksheets:
        mine = ours[sheet.title]
        for at, row in enumerate(sheet.iter_rows()):
            for column, cell in enumerate(row):
                told = mine.columns[column][at] if column < len(mine.columns) and at < mine.height else None
                if cell.value is not None or told is not None:
                    compared += 1
                    if not same(plain(told), plain(cell.value)):
                        lost += 1
                        where.append(f"{path.name} {sheet.title}!{cell.coordinate}")
    return compared, lost, where


def rows_lost(folder: Path, workspace: Path) -> tuple[int, int, list[str]]:
    """(rows of tables, rows neither taken in nor explained, files with such)."""
    place = find_workspace(workspace, explicit=True)
    policy = load_policy(region=place.region)
    now = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    result = import_paths(place, policy, [folder], today=date(2026, 11, 21), now=now, actor="测量")
    rows, lost, where = 0, 0, []
    for table in result.tables:
        rows += table.rows
        errors = [finding for finding in table.findings if finding.severity == "error"]
        whole = table.status in ("ask", "paid", "superseded_old", "already") or any(not f.source.row for f in errors)
        told = len({finding.source.row for finding in errors if finding.source.row})
        missing = table.rows - table.accepted - table.refused + (0 if whole else max(0, table.refused - told))
        if missing:
            lost += missing
            where.append(f"{table.file} {table.sheet}")
    return rows, lost, where


def main() -> None:
    folder, workspace = Path(sys.argv[1]), Path(sys.argv[2])
    cells: Counter[str] = Counter()
    where: list[str] = []
    for path in sorted(folder.rglob("*.xlsx")):
        compared, lost, places = cells_lost(path)
        cells.update(compared=compared, lost=lost)
        where += places
    rows, rows_gone, files = rows_lost(folder, workspace)
    told = {"cells": cells["compared"], "cells_lost": cells["lost"], "rows": rows, "rows_lost": rows_gone}
    print(json.dumps({**told, "where": (where + files)[:20]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
