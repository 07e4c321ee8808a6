"""Writes a scenario as a folder of workbooks in many table habits, with ``truth.json`` beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_rowcol_to_cell

from generator import damage, registers
from generator.containers import write
from generator.habits import CATALOGUE, Habit, random_habit, sane
from generator.headers import FORMS, HOUSEHOLD_PROGRAMMES, NOISE_COLUMNS, SELF_CARE_WORDS
from generator.layout import Grid, Row, Table, lay_out
from generator.naming import file_name, sheet_name, titles
from generator.scenario import Scenario
from generator.truth import Damage

TOWN_LISTS = ("subsistence_allowance", "extreme_poverty_support", "low_income_margin", "old_age_allowance")


@dataclass(frozen=True, slots=True)
class Unit:
    """One list of one programme, town ('' whole district) and month, to be laid out on one or two sheets."""

    programme: str
    town: str
    short: str
    month: str
    category: str
    habit: Habit
    roll: pd.DataFrame


class FolderWriter:
    """Lays out and writes every list of a scenario; collects the truth about files, rows and damaged cells."""

    def __init__(self, scenario: Scenario, target: Path, *, catalogue: bool = True, damaged_each: int = 2) -> None:
        self.scenario = scenario
        self.target = target
        self.rng = np.random.default_rng([scenario.world.seed, 11])
        self.catalogue = catalogue
        self.habits = self._assign_habits()
        month = scenario.world.month
        self.damaged = {
            (spoiled.programme, spoiled.key, spoiled.field): spoiled
            for spoiled in damage.choose(
                scenario.planter, scenario.rolls[month], self._damage_allowed, self.rng, damaged_each
            )
        }

    def _assign_habits(self) -> dict[str, Habit]:
        """Every town and every district-wide list gets a habit; with the catalogue, all of it is used."""
        names = [t.name for t in self.scenario.world.region.towns] + [code for code in FORMS if code not in TOWN_LISTS]
        if self.catalogue:
            return {name: CATALOGUE[index % len(CATALOGUE)] for index, name in enumerate(names)}
        return {name: random_habit(self.rng, index) for index, name in enumerate(names)}

    def habit_of(self, programme: str, town: str) -> Habit:
        return self.habits[town if programme in TOWN_LISTS else programme]

    def _damage_allowed(self, programme: str, town: str) -> bool:
        return programme not in HOUSEHOLD_PROGRAMMES or self.habit_of(programme, town).household not in (
            "wide",
            "paired",
        )

    def write(self) -> None:
        inbox = self.target / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        for month, rolls in self.scenario.rolls.items():
            shared: dict[str, list[tuple[Unit, list[Grid]]]] = {}
            for code, roll in rolls.items():
                self._note_roll(code, month, roll)
                for unit in self._units(code, month, roll):
                    grids = self._grids(unit)
                    if unit.habit.one_workbook and code in TOWN_LISTS:
                        shared.setdefault(unit.town, []).append((unit, grids))
                    else:
                        self._write_unit(inbox, unit, grids)
            for parts in shared.values():
                self._write_shared(inbox, parts)
        for name, container, grids in registers.make_registers(self.scenario, self.rng):
            path = write(inbox / name, grids, container)
            self.scenario.truth.files.append({"file": path.name, "kind": "register"})
        self.scenario.truth.write(self.target / "truth.json")

    def _units(self, code: str, month: str, roll: pd.DataFrame) -> list[Unit]:
        region = self.scenario.world.region
        if code not in TOWN_LISTS:
            return [Unit(code, "", "", month, "", sane(replace(self.habits[code], short_town=False)), roll)]
        units = []
        for town in region.towns:
            rows = roll[roll["town"] == town.name]
            split = (
                [("城市", rows[rows["urban"]]), ("农村", rows[~rows["urban"]])]
                if code == TOWN_LISTS[0]
                else [("", rows)]
            )
            for category, part in split:
                if len(part):
                    units.append(Unit(code, town.name, town.short, month, category, self.habits[town.name], part))
        return units

    # one list -------------------------------------------------------------------------------------------------

    def _grids(self, unit: Unit) -> list[Grid]:
        rows = self._rows(unit)
        heads = titles(
            unit.programme,
            unit.category,
            unit.town or self.scenario.world.region.name,
            unit.month,
            unit.habit,
            self.rng,
        )
        name = sheet_name(unit.programme, unit.category, unit.habit)
        household = unit.programme in HOUSEHOLD_PROGRAMMES
        mode = unit.habit.household
        if household and mode in ("wide", "paired"):
            wide = lay_out(self._wide_table(unit, rows, heads), unit.habit, self.rng, name)
            if mode == "wide":
                return [wide]
            return [wide, lay_out(self._long_table(unit, rows, heads, grouped=False), unit.habit, self.rng, name)]
        table = self._long_table(unit, rows, heads, grouped=household and mode in ("merged", "blank"))
        if unit.habit.per_village:
            return self._village_grids(table, unit)
        grids = [lay_out(table, unit.habit, self.rng, name)]
        if unit.habit.hidden_old and not unit.habit.one_workbook:
            grids.append(self._old_sheet(table, unit))
        return grids

    def _rows(self, unit: Unit) -> list[Row]:
        frame = unit.roll.assign(month=unit.month, key=unit.roll.index, yearly_income=unit.category == "农村")
        frame = frame.assign(order=~frame["lead"].astype(bool)).sort_values(
            ["town", "village", "case", "order"], kind="stable"
        )
        fillers = ("汉族", "初中", "张书记")
        wording = SELF_CARE_WORDS[int(self.rng.integers(len(SELF_CARE_WORDS)))]
        rows: list[Row] = frame.to_dict("records")  # type: ignore[assignment]
        for row in rows:
            row.update(zip(NOISE_COLUMNS, fillers, strict=True))
            if "self_care" in row:
                row["self_care"] = wording[row["self_care"]]
        return rows

    def _columns(self, unit: Unit, *, keep_optional: float = 0.75) -> list[str]:
        form = FORMS[unit.programme]
        available = {*unit.roll.columns, "town"}
        damaged = {field for code, _, field in self.damaged if code == unit.programme}
        columns = ["serial"] + [
            c
            for c in form.columns
            if c in available and (c not in form.optional or c in damaged or self.rng.random() < keep_optional)
        ]
        if unit.habit.extra_columns:
            columns[-1:-1] = [str(c) for c in self.rng.permutation(NOISE_COLUMNS)[:2]]
        if unit.town and unit.habit.titles == 0:
            columns.insert(1, "town")
        return list(dict.fromkeys(columns))

    def _long_table(self, unit: Unit, rows: list[Row], heads: tuple[str, ...], *, grouped: bool) -> Table:
        columns = self._columns(unit)
        if unit.programme in HOUSEHOLD_PROGRAMMES and grouped and self.rng.random() < 0.5:
            columns = [c for c in columns if c != "head_id_no"]
        return Table(unit.programme, tuple(columns), rows, heads, grouped, overrides=self._overrides(unit))

    def _wide_table(self, unit: Unit, rows: list[Row], heads: tuple[str, ...]) -> Table:
        """One row a household; the members stand together in one cell."""
        habit = unit.habit
        cases: dict[Any, list[Row]] = {}
        for row in rows:
            cases.setdefault(row["case"], []).append(row)
        wide = []
        for members in cases.values():
            others = members if habit.head_among_members else [m for m in members if m["id_no"] != m["head_id_no"]]
            wide.append(
                {
                    **members[0],
                    "member_names": habit.separator.join(m["name"] for m in others),
                    "member_ids": habit.separator.join(m["id_no"] for m in others),
                }
            )
        columns = [c for c in self._columns(unit) if c not in ("name", "id_no", "relation", "work_ability")]
        at = columns.index("head_id_no") + 1
        columns[at:at] = ["member_names", "member_ids"]
        return Table(unit.programme, tuple(columns), wide, heads, False)

    def _overrides(self, unit: Unit) -> dict[tuple[int, str], Any]:
        if unit.month != self.scenario.world.month:
            return {}
        return {(s.key, s.field): s.raw for s in self.damaged.values() if s.programme == unit.programme}

    def _village_grids(self, table: Table, unit: Unit) -> list[Grid]:
        grids = []
        for village in sorted({row["village"] for row in table.rows}):
            part = replace(table, rows=[row for row in table.rows if row["village"] == village])
            grids.append(lay_out(part, replace(unit.habit, subtotals=False), self.rng, village))
        return grids

    def _old_sheet(self, table: Table, unit: Unit) -> Grid:
        rows = [{**row, "amount": int(row.get("amount") or 0) + 100} for row in table.rows[::2]]
        grid = lay_out(replace(table, rows=rows, overrides={}), unit.habit, self.rng, "上年旧表")
        grid.hidden, grid.places = True, {}
        return grid

    # files and truth --------------------------------------------------------------------------------------------

    def _write_unit(self, inbox: Path, unit: Unit, grids: list[Grid]) -> None:
        if unit.habit.household == "paired" and unit.programme in HOUSEHOLD_PROGRAMMES:
            for word, grid in zip(("家庭查询", "人员查询"), grids, strict=True):
                self._write_file(inbox, [(unit, [grid])], word)
        else:
            self._write_file(inbox, [(unit, grids)])

    def _write_shared(self, inbox: Path, parts: list[tuple[Unit, list[Grid]]]) -> None:
        self._write_file(inbox, parts, "all")

    def _write_file(self, inbox: Path, parts: list[tuple[Unit, list[Grid]]], word: str = "") -> None:
        unit = parts[0][0]
        name = file_name(unit.programme, unit.category, unit.town, unit.short, unit.month, unit.habit, self.rng, word)
        folder = inbox / unit.town if unit.habit.town_folder else inbox
        folder.mkdir(exist_ok=True)
        path = write(folder / name, [grid for _, grids in parts for grid in grids], unit.habit.container)
        for part, grids in parts:
            self._note_cells(part, grids, path.name)
        self.scenario.truth.files.append(
            {"file": path.name, "kind": "roll", "month": unit.month, "town": unit.town, "habit": unit.habit.name,
             "programmes": [part.programme for part, _ in parts]}
        )  # fmt: skip

    def _note_cells(self, unit: Unit, grids: list[Grid], file: str) -> None:
        if unit.month != self.scenario.world.month:
            return
        for grid in grids:
            for spoiled in self.damaged.values():
                if spoiled.programme == unit.programme and spoiled.key in grid.places and spoiled.field in grid.columns:
                    row, column = grid.places[spoiled.key], grid.columns[spoiled.field]
                    person = unit.roll.loc[spoiled.key]
                    self.scenario.truth.damaged.append(
                        Damage(file, grid.name, xl_rowcol_to_cell(row, column), row + 1, spoiled.field, spoiled.what,
                               unit.programme, unit.month, str(person["town"]), str(person["id_no"]), spoiled.refused)
                    )  # fmt: skip

    def _note_roll(self, code: str, month: str, roll: pd.DataFrame) -> None:
        """``persons`` must be in the ledger, ``refused`` must not, ``either`` may (a cell beside the point is damaged);
        ``amount_fen`` is the sum over the cases of ``persons``."""
        spoiled = {
            s.key: s for s in self.damaged.values() if month == self.scenario.world.month and s.programme == code
        }
        for town, rows in roll.groupby("town", sort=True):
            refused = rows.index.isin([key for key, s in spoiled.items() if s.refused])
            either = rows.index.isin([key for key, s in spoiled.items() if not s.refused])
            kept = rows[~refused & ~either]
            cases = kept.drop_duplicates("case")
            self.scenario.truth.rolls.append(
                {"programme": code, "month": month, "town": str(town), "persons": kept["id_no"].tolist(), "villages": kept["village"].tolist(),
                 "refused": rows.loc[refused, "id_no"].tolist(), "either": rows.loc[either, "id_no"].tolist(), "cases": len(cases),
                 "amount_fen": int(cases["amount"].sum()) if "amount" in cases else None}
            )  # fmt: skip


def write_folder(scenario: Scenario, target: Path, *, catalogue: bool = True, damaged_each: int = 2) -> None:
    """Writes ``target/inbox/*`` and ``target/truth.json``."""
    FolderWriter(scenario, target, catalogue=catalogue, damaged_each=damaged_each).write()
