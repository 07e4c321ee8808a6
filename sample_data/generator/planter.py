"""The tool that plants use: picks unused households, changes rolls, and writes the truth down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from generator.population import World
from generator.rolls import Rolls
from generator.truth import Truth

SUBSISTENCE, MARGIN, EXTREME, RIGID = (
    "subsistence_allowance", "low_income_margin", "extreme_poverty_support", "rigid_expenditure",
)  # fmt: skip
LIVING, NURSING, OLD_AGE = "disability_living_subsidy", "disability_care_subsidy", "old_age_allowance"
ORPHAN, DE_FACTO, ELDER_CARE = "orphan_allowance", "de_facto_orphan_allowance", "elder_care_subsidy"
RENOVATION = "dilapidated_house_renovation"


@dataclass
class Planter:
    """The world, its rolls and what has been used up. ``closed``: towns kept out of all plants (a roll is not imported)."""

    world: World
    rolls: Rolls
    truth: Truth
    rng: np.random.Generator
    closed: frozenset[str]
    deaths: dict[int, str] = field(default_factory=dict)  # person → date
    used: set[int] = field(default_factory=set)

    @property
    def persons(self) -> pd.DataFrame:
        return self.world.persons

    def knows(self, *codes: str) -> bool:
        """Whether rolls of all these programmes are made in this world."""
        return all(code in self.rolls for code in codes)

    def size(self) -> pd.Series:
        return self.persons["household"].map(self.world.households["size"])

    def certified_household(self) -> pd.Series:
        return self.persons.groupby("household")["grade"].transform("max") > 0

    def oldest(self) -> pd.Series:
        return self.persons.groupby("household")["age"].transform("max")

    def quiet(self) -> pd.Series:
        """Calm, and without one-off aid."""
        busy = set().union(*(self.rolls[c]["household"] for c in ("temporary_assistance", RENOVATION)))
        return self.calm() & ~self.persons["household"].isin(busy)

    def calm(self) -> pd.Series:
        """Persons of households without a certificate and without anybody of 80."""
        return ~self.certified_household() & (self.oldest() < 80)

    def pick(self, mask: pd.Series, count: int) -> pd.DataFrame:
        """Up to ``count`` persons of unused households outside the closed towns, one a household; marks them used."""
        free = mask & ~self.persons["household"].isin(self.used)
        if self.closed:
            free &= ~self.persons["town"].isin(self.closed)
        pool = self.persons[free].drop_duplicates("household")
        chosen = pool.iloc[self.rng.permutation(len(pool))[:count]]
        self.used.update(chosen["household"])
        return chosen

    def household(self, number: int) -> pd.DataFrame:
        return self.persons[self.persons["household"] == number]

    def append(self, code: str, rows: pd.DataFrame) -> None:
        rows = rows.copy()
        rows["case"] = rows["case"].rank(method="dense").astype(int) + max(
            20_000_000, int(self.rolls[code]["case"].max())
        )
        self.rolls[code] = pd.concat([self.rolls[code], rows], ignore_index=True)

    def drop(self, code: str, people: pd.DataFrame) -> None:
        """Takes these persons' rows off a roll."""
        roll = self.rolls[code]
        self.rolls[code] = roll[~roll["person"].isin(people.index)].reset_index(drop=True)

    def change(self, code: str, person: int, **values: Any) -> None:
        """Sets fields on all rows of the cases that ``person`` is in."""
        roll = self.rolls[code]
        cases = roll.loc[roll["person"] == person, "case"]
        for name, value in values.items():
            roll.loc[roll["case"].isin(cases), name] = value

    def certify(self, people: pd.DataFrame, grade: int, kind: int = 4) -> pd.DataFrame:
        """Gives these persons a disability certificate; returns them with it."""
        self.persons.loc[people.index, ["grade", "kind"]] = (grade, kind)
        return self.persons.loc[people.index]

    def plant(self, kind: str, rule: str, people: pd.DataFrame, programmes: tuple[str, ...]) -> None:
        """One planted fact for each of these persons."""
        for id_no, town in zip(people["id_no"], people["town"], strict=True):
            self.truth.plant(kind, rule, (id_no,), programmes, months=(self.world.month,), towns=(town,))

    def other_town(self, town: str, urban: bool) -> tuple[str, str]:
        """A village of another open town, of the same kind (社区 or 村), so that the category stays true."""
        others = [t for t in self.world.region.towns if t.name != town and t.name not in self.closed]
        places = [(t.name, village) for t in others for village in t.villages]
        places = [place for place in places if place[1].endswith("社区") == urban] or places
        return places[int(self.rng.integers(len(places)))]

    def singles(self, people: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
        """Each of these persons as (person number, that person's row)."""
        return [(int(person), people.loc[[person]]) for person in people.index.tolist()]

    def each(self, mask: pd.Series, count: int) -> list[tuple[int, pd.DataFrame]]:
        """Up to ``count`` picks as (person number, that person's row)."""
        return self.singles(self.pick(mask, count))
