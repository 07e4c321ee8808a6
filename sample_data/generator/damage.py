"""Damages single cells of rolls, the way Excel and tired hands do. Only rows whose loss changes nothing else are chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from generator.cells import in_yuan
from generator.planter import Planter
from generator.rolls import Rolls


@dataclass(frozen=True, slots=True)
class Damaged:
    """The cell of ``field`` in the row ``key`` of a roll shows ``raw``."""

    programme: str
    key: int
    field: str
    raw: Any
    what: str
    refused: bool


def _one_digit(text: str) -> str:
    """Another digit at the 11th place: the check digit cannot hold."""
    digit = str((int(text[10]) + 1) % 10)
    return text[:10] + digit + text[11:]


Spoil = Callable[[str], Any]
ID_DAMAGE: dict[str, Spoil] = {
    "scientific": lambda text: f"{int(text[:17]) * 10:.5E}",
    "number": lambda text: float(text[:17] + "0"),
    "zeros": lambda text: text[:15] + "000",
    "one_digit": _one_digit,
    "missing": lambda text: None,
    "short": lambda text: text[:17],
}
AMOUNT_DAMAGE: dict[str, Spoil] = {
    "amount_words": lambda text: "待定",
    "amount_negative": lambda fen: -in_yuan(int(fen)),
}
ACCOUNT_DAMAGE: dict[str, Spoil] = {"account_number": float}
DATE_DAMAGE: dict[str, Spoil] = {"date_impossible": lambda text: "2026-02-30"}


def choose(
    p: Planter, rolls: Rolls, allowed: Callable[[str, str], bool], rng: np.random.Generator, each: int
) -> list[Damaged]:
    """``allowed(programme, town)`` says where single cells can be damaged without hurting a neighbour's row."""
    counts = Counter(id_no for roll in rolls.values() for id_no in roll["id_no"])
    calm = set(p.persons.index[p.calm() & ~p.persons["household"].isin(p.used)])
    used: set[int] = set()
    result: list[Damaged] = []

    def pick(programme: str, wanted: Callable[[pd.DataFrame], pd.Series], count: int) -> pd.DataFrame:
        roll = rolls[programme]
        fine = roll["person"].isin(calm - used) & wanted(roll)
        if programme != "temporary_assistance":  # a lost one-off line changes no other judgement
            fine &= roll["id_no"].map(lambda i: counts[i] == 1)
        fine &= roll["town"].map(lambda town: allowed(programme, town))
        pool = roll[fine]
        pool = pool.drop_duplicates("household")
        chosen = pool.iloc[rng.permutation(len(pool))[:count]]
        used.update(p.persons.index[p.persons["household"].isin(chosen["household"])])
        return chosen

    def spoil(
        programme: str, field: str, kinds: dict[str, Spoil], wanted: Callable[[pd.DataFrame], pd.Series], refused: bool
    ) -> None:
        for what, change in kinds.items():
            for row in pick(programme, wanted, each).itertuples():
                raw = change(str(getattr(row, field)))
                result.append(Damaged(programme, int(row.Index), field, raw, what, refused))  # type: ignore[arg-type]

    def alone(roll: pd.DataFrame) -> pd.Series:
        return roll["household_size"] == 1 if "household_size" in roll else roll["lead"]

    def member(roll: pd.DataFrame) -> pd.Series:
        return ~roll["lead"].astype(bool)

    spoil("subsistence_allowance", "id_no", ID_DAMAGE, member, True)
    spoil("low_income_margin", "id_no", {"one_digit": _one_digit}, member, True)
    spoil("extreme_poverty_support", "id_no", ID_DAMAGE, alone, True)
    spoil("extreme_poverty_support", "amount", AMOUNT_DAMAGE, alone, True)
    spoil("subsistence_allowance", "amount", AMOUNT_DAMAGE, alone, True)
    spoil("extreme_poverty_support", "account_no", ACCOUNT_DAMAGE, alone, False)
    spoil("temporary_assistance", "event_date", DATE_DAMAGE, alone, False)
    return result
