"""Table habits: how a town office lays out its lists. A catalogue of typical ones, and random mixtures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Container = Literal["xlsx", "xls", "csv-gb18030", "csv-bom", "csv-utf8"]
HouseholdMode = Literal["merged", "blank", "repeated", "wide", "paired"]
DateStyle = Literal["date", "iso", "dot", "compact", "chinese", "serial"]
MonthIn = Literal["file", "title", "both"]


@dataclass(frozen=True, slots=True)
class Habit:
    """``household``: how households of several persons are shown. ``noise``: slips of typing, all of them readable."""

    name: str
    container: Container = "xlsx"
    titles: int = 1
    two_row_header: bool = False
    repeat_every: int = 0
    household: HouseholdMode = "repeated"
    per_village: bool = False
    subtotals: bool = False
    total: bool = True
    footer: bool = True
    hidden_old: bool = False
    extra_columns: bool = False
    month_in: MonthIn = "both"
    short_town: bool = False
    one_workbook: bool = False
    separator: str = "、"
    head_among_members: bool = False
    dates: DateStyle = "iso"
    noise: frozenset[str] = frozenset()
    annex: bool = False  # a first row 附件2
    margin_rows: int = 0  # blank rows above
    margin_columns: int = 0  # blank columns left
    gaps: bool = False  # a blank row between villages
    village_once: bool = False  # person lists: the village stands once for a run of rows, merged (blank in csv)
    remarks_below: bool = False  # notes under the table
    town_folder: bool = False  # the town stands in the folder's name and not in the file's


NOISE = (
    "full_width",
    "spaced_names",
    "lower_x",
    "thousands",
    "text_amounts",
    "old_15",
    "split_header",
    "spaced_header",
    "apostrophe",
)

CATALOGUE: tuple[Habit, ...] = (
    Habit("standard", titles=2),
    Habit("merged households", household="merged", two_row_header=True, total=True, dates="dot"),
    Habit("blank as above", household="blank", container="xls", noise=frozenset({"lower_x", "spaced_names"}), dates="compact"),
    Habit("one row a household", household="wide", titles=2, separator="、", noise=frozenset({"thousands"})),
    Habit("provincial export pair", household="paired", titles=0, total=False, footer=False, month_in="file", separator=","),
    Habit("sheet a village", per_village=True, subtotals=True, hidden_old=True, dates="serial"),
    Habit("csv from the old system", container="csv-gb18030", titles=0, total=False, footer=False, dates="iso", month_in="file"),
    Habit("header on every page", repeat_every=12, subtotals=True, titles=2, month_in="title", extra_columns=True, noise=frozenset({"text_amounts"})),
    Habit("all lists in one workbook", one_workbook=True, household="blank", extra_columns=True, noise=frozenset({"full_width"}), dates="date"),
    Habit("csv with mark", container="csv-bom", titles=1, household="repeated", short_town=True, noise=frozenset({"old_15"}), dates="chinese"),
    Habit("csv plain", container="csv-utf8", titles=0, total=True, footer=False, month_in="file", noise=frozenset({"apostrophe"})),
    Habit("short names", short_town=True, household="merged", subtotals=True, titles=2, month_in="title", noise=frozenset({"split_header"})),
)  # fmt: skip


def random_habit(rng: np.random.Generator, number: int) -> Habit:
    """A mixture that may occur nowhere in the catalogue."""
    container: Container = str(rng.choice(["xlsx", "xlsx", "xlsx", "xls", "csv-gb18030", "csv-bom", "csv-utf8"]))  # type: ignore[assignment]
    flat = container.startswith("csv")
    habit = Habit(
        f"random {number}",
        container=container,
        titles=int(rng.integers(0, 3)),
        two_row_header=not flat and rng.random() < 0.3,
        repeat_every=int(rng.choice([0, 0, 0, 8, 15, 22])),
        household=str(
            rng.choice(
                ["repeated", "blank", "wide", "paired"] if flat else ["merged", "blank", "repeated", "wide", "paired"]
            )
        ),  # type: ignore[arg-type]
        per_village=not flat and rng.random() < 0.2,
        subtotals=rng.random() < 0.3,
        total=rng.random() < 0.7,
        footer=rng.random() < 0.6,
        hidden_old=not flat and rng.random() < 0.25,
        extra_columns=rng.random() < 0.4,
        month_in=str(rng.choice(["file", "title", "both"])),  # type: ignore[arg-type]
        short_town=rng.random() < 0.3,
        one_workbook=container == "xlsx" and rng.random() < 0.15,
        separator=str(rng.choice(["、", ",", "，", ";", "\n", " ", "/"])),
        head_among_members=rng.random() < 0.5,
        dates=str(
            rng.choice(
                ["iso", "dot", "compact", "chinese"] if flat else ["date", "iso", "dot", "compact", "chinese", "serial"]
            )
        ),  # type: ignore[arg-type]
        annex=rng.random() < 0.2,
        margin_rows=int(rng.choice([0, 0, 0, 1, 2])),
        margin_columns=0 if flat else int(rng.choice([0, 0, 0, 1])),
        gaps=rng.random() < 0.2,
        village_once=rng.random() < 0.3,
        remarks_below=rng.random() < 0.3,
        town_folder=rng.random() < 0.25,
        noise=frozenset(word for word in NOISE if rng.random() < 0.25),
    )
    return sane(habit)


def sane(habit: Habit) -> Habit:
    """Without contradictions: a month must stand somewhere, a short town name needs a title with the full one, and sheets
    named after villages in a workbook of every programme need a title that says which."""
    if habit.per_village and habit.one_workbook:
        habit = replace(habit, titles=max(habit.titles, 1))
    if habit.titles == 0:
        habit = replace(habit, month_in="file", short_town=False, town_folder=False)
    if habit.household == "paired":
        habit = replace(
            habit, one_workbook=False, per_village=False, month_in="file", short_town=False, town_folder=False
        )
    return habit
