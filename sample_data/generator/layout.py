"""Lays a roll out as grids of cells, as one habit would have it, and remembers where each person ended up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from generator.cells import in_yuan, render_cell
from generator.habits import Habit
from generator.headers import BANDS, CASE_FIELDS, SYNONYMS, header_key

Row = dict[str, Any]
Merge = tuple[int, int, int, int]


@dataclass
class Grid:
    """One sheet. ``places``: key of a row → 0-based grid row; ``columns``: field → 0-based column."""

    name: str
    cells: list[list[Any]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    hidden: bool = False
    places: dict[int, int] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """What goes on one sheet. ``rows`` have a unique ``key`` and, when grouped, the same ``case`` in a run."""

    programme: str
    columns: tuple[str, ...]
    rows: list[Row]
    titles: tuple[str, ...]
    grouped: bool  # household cells stand once a household
    total_fields: tuple[str, ...] = ("amount",)
    overrides: dict[tuple[int, str], Any] = field(default_factory=dict)  # damaged cells: (key, field) → raw


def lay_out(table: Table, habit: Habit, rng: np.random.Generator, name: str) -> Grid:
    grid = Grid(name)
    columns = table.columns
    grid.columns = {column: index for index, column in enumerate(columns)}
    yearly = bool(table.rows) and table.rows[0].get("yearly_income", False)
    repeated = not table.grouped and len({row["case"] for row in table.rows}) < len(table.rows)
    headers = [
        _header(header_key(column, table.programme, yearly_income=yearly, repeated=repeated), habit, rng)
        for column in columns
    ]
    if habit.annex:
        grid.cells.append(["附件2"] + [None] * (len(columns) - 1))
    for title in table.titles[: habit.titles]:
        grid.cells.append([title] + [None] * (len(columns) - 1))
        grid.merges.append((len(grid.cells) - 1, 0, len(grid.cells) - 1, len(columns) - 1))
    _put_header(grid, columns, headers, habit)
    _put_rows(grid, table, habit, rng, headers)
    if habit.village_once and not table.grouped and "village" in columns:
        _merge_villages(grid, table)
    if habit.total:
        grid.cells.append(_sum_row("合计", table.rows, table))
    if habit.footer:
        grid.cells.append(
            [f"制表人：王某  审核人：李某  制表日期：{_footer_date(table)}"] + [None] * (len(columns) - 1)
        )
    if habit.remarks_below:
        grid.cells += [
            [text] + [None] * (len(columns) - 1)
            for text in ("说明：1.本表一式三份，村（社区）、乡镇、区民政局各存一份。", "2.金额以元为单位。")
        ]
    _shift(grid, habit.margin_rows, habit.margin_columns)
    return grid


def _shift(grid: Grid, rows: int, columns: int) -> None:
    """Moves everything down and to the right."""
    width = len(grid.cells[0])
    grid.cells = [[None] * (width + columns) for _ in range(rows)] + [[None] * columns + row for row in grid.cells]
    grid.merges = [(r0 + rows, c0 + columns, r1 + rows, c1 + columns) for r0, c0, r1, c1 in grid.merges]
    grid.places = {key: row + rows for key, row in grid.places.items()}
    grid.columns = {name: column + columns for name, column in grid.columns.items()}


def _footer_date(table: Table) -> str:
    month = next((row["month"] for row in table.rows), "2026-10")
    return f"{month[:4]}年{int(month[5:])}月20日"


def _header(key: str, habit: Habit, rng: np.random.Generator) -> str:
    text = str(rng.choice(SYNONYMS[key]))
    if "split_header" in habit.noise and len(text) >= 4 and "（" not in text:
        return text[:2] + "\n" + text[2:]
    if "spaced_header" in habit.noise and len(text) <= 4 and "（" not in text:
        return " ".join(text) if len(text) > 2 else f"{text[0]}  {text[-1]}"
    return text


def _put_header(grid: Grid, columns: tuple[str, ...], headers: list[str], habit: Habit) -> None:
    if not habit.two_row_header:
        grid.cells.append(list(headers))
        return
    top, at = list(headers), len(grid.cells)
    bands = [next((band for band, fields in BANDS.items() if column in fields), "") for column in columns]
    start = 0
    while start < len(columns):
        end = start
        while end + 1 < len(columns) and bands[end + 1] == bands[start] and bands[start]:
            end += 1
        if bands[start] and end > start:
            top[start : end + 1] = [bands[start]] + [None] * (end - start)  # type: ignore[list-item]
            grid.merges.append((at, start, at, end))
        else:
            grid.merges.append((at, start, at + 1, start))
        start = end + 1
    bottom = [None if top[i] == headers[i] else headers[i] for i in range(len(columns))]
    grid.cells += [list(top), bottom]


def _put_rows(grid: Grid, table: Table, habit: Habit, rng: np.random.Generator, headers: list[str]) -> None:
    since_header = serial = 0
    village_rows: list[Row] = []
    previous: Row | None = None
    run_start = len(grid.cells)
    for row in table.rows:
        new_case = previous is None or row["case"] != previous["case"]
        if previous is not None and new_case:
            if habit.subtotals and row["village"] != previous["village"]:
                _close_run(grid, table, habit, run_start)
                grid.cells.append(_sum_row(f"{previous['village']}小计", village_rows, table))
                village_rows, run_start = [], len(grid.cells)
            if habit.gaps and row["village"] != previous["village"]:
                _close_run(grid, table, habit, run_start)
                grid.cells.append([None] * len(table.columns))
                run_start = len(grid.cells)
            if habit.repeat_every and since_header >= habit.repeat_every:
                _close_run(grid, table, habit, run_start)
                _put_header(grid, table.columns, headers, habit)
                since_header, run_start = 0, len(grid.cells)
        if new_case:
            _close_run(grid, table, habit, run_start)
            run_start, serial = len(grid.cells), serial + 1
        shown = {**row, "serial": serial}
        if _village_above(row, previous, grid, table, habit):
            shown["village"] = None
        grid.places[row["key"]] = len(grid.cells)
        grid.cells.append([_value(shown, column, table, new_case, habit, rng) for column in table.columns])
        village_rows.append(row)
        since_header += 1
        previous = row
    _close_run(grid, table, habit, run_start)
    if habit.subtotals and previous is not None:
        grid.cells.append(_sum_row(f"{previous['village']}小计", village_rows, table))


def _merge_villages(grid: Grid, table: Table) -> None:
    column, start = grid.columns["village"], -1
    for row in sorted(grid.places.values()):
        if grid.cells[row][column] is not None:
            start = row
        elif grid.merges and grid.merges[-1][:2] == (start, column):
            grid.merges[-1] = (start, column, row, column)
        else:
            grid.merges.append((start, column, row, column))


def _village_above(row: Row, previous: Row | None, grid: Grid, table: Table, habit: Habit) -> bool:
    """Whether the village's cell is left blank because the row just above it bears the same."""
    if not habit.village_once or table.grouped or previous is None or "serial" not in table.columns:
        return False
    return previous["village"] == row["village"] and grid.places.get(previous["key"]) == len(grid.cells) - 1


def _value(row: Row, column: str, table: Table, first: bool, habit: Habit, rng: np.random.Generator) -> Any:
    if (row["key"], column) in table.overrides:
        return table.overrides[row["key"], column]
    if table.grouped and not first and column in CASE_FIELDS:
        return None
    value = row.get(column)
    if column == "income" and value is not None and row.get("yearly_income"):
        value = int(value) * 12
    return render_cell(column, value, habit, rng)


def _close_run(grid: Grid, table: Table, habit: Habit, start: int) -> None:
    """Merges the household cells of the rows since ``start``."""
    end = len(grid.cells) - 1
    if table.grouped and habit.household == "merged" and end > start:
        for column, index in grid.columns.items():
            if column in CASE_FIELDS:
                grid.merges.append((start, index, end, index))


def _sum_row(label: str, rows: list[Row], table: Table) -> list[Any]:
    """A sub-total or total: the label in the first column, the sum once a case."""
    cells: list[Any] = [label] + [None] * (len(table.columns) - 1)
    first: dict[Any, Row] = {}
    for row in rows:
        first.setdefault(row["case"], row)
    for total in table.total_fields:
        if total in table.columns and table.columns.index(total):
            cells[table.columns.index(total)] = in_yuan(sum(_counted(row, total, table) for row in first.values()))
    return cells


def _counted(row: Row, field_name: str, table: Table) -> int:
    """What Excel's SUM sees in a cell, in 分: damaged numbers count, damaged texts do not."""
    if (row["key"], field_name) not in table.overrides:
        return int(row[field_name])
    raw = table.overrides[row["key"], field_name]
    return round(raw * 100) if isinstance(raw, int | float) else 0
