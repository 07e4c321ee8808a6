"""Households and persons whose status is clean by construction: nobody here is doubled, missed or dead. Plants come later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from generator.identity import bank_cards, citizen_ids, passbook_accounts, telephones
from generator.names import given_names, minority_names, minority_share, surnames
from generator.places import Region
from generator.standards import Standards

Rng = np.random.Generator

# status of a household → share of households
STATUS = {
    "subsistence": 0.40, "margin": 0.12, "extreme": 0.13, "rigid": 0.03, "old": 0.12, "disabled": 0.09,
    "orphan": 0.02, "de_facto": 0.025, "elder_care": 0.025, "ordinary": 0.04,
}  # fmt: skip
_FAMILY = ("subsistence", "margin", "rigid")
_SIZES = {"subsistence": (0.42, 0.27, 0.17, 0.09, 0.05), "margin": (0.2, 0.35, 0.3, 0.15), "rigid": (0.1, 0.4, 0.5)}
_AGES = {
    "subsistence": (32, 90), "margin": (32, 88), "extreme": (60, 95), "rigid": (32, 70), "old": (81, 101), "disabled": (20, 75),
    "orphan": (4, 15), "de_facto": (4, 15), "elder_care": (66, 79), "ordinary": (30, 70),
}  # fmt: skip
_CERTIFICATE_SHARE = {"subsistence": 0.16, "margin": 0.14, "extreme": 0.14, "disabled": 1.0}
BANKS = {
    "中国农业银行": "622848", "中国邮政储蓄银行": "621799", "农村商业银行": "623059", "中国工商银行": "622202", "中国建设银行": "621700",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    """``households``: one row a household, index = household number (``status, town, village, size, income``).

    ``persons``: one row a person, index = person number (``household, member, relation, name, id_no, born, male, phone,
    account, bank, grade, kind, …``); ``grade`` 0 means no disability certificate. Incomes in 分 a month.
    """

    region: Region
    standards: Standards
    month: str
    seed: int
    households: pd.DataFrame
    persons: pd.DataFrame


def make_world(region: Region, standards: Standards, *, persons: int, month: str, seed: int) -> World:
    """About ``persons`` persons. Same arguments, same world."""
    rng = np.random.default_rng([seed, int(region.code)])
    households = _households(rng, region, int(persons / 1.62))
    people = _persons(rng, region, households, month)
    if standards.old_age_or_disability:
        people.loc[people["age"] >= standards.old_age_from, "grade"] = 0
    households = households.assign(income=_incomes(rng, households, standards))
    return World(region, standards, month, seed, households, people)


def _households(rng: Rng, region: Region, count: int) -> pd.DataFrame:
    names, shares = list(STATUS), np.array(list(STATUS.values()))
    status = rng.choice(np.array(names, dtype=object), count, p=shares / shares.sum())
    size = np.ones(count, dtype=int)
    for name, weights in _SIZES.items():
        mask = status == name
        size[mask] = rng.choice(np.arange(1, len(weights) + 1), mask.sum(), p=weights)
    town = rng.integers(0, len(region.towns), count)
    villages = np.array([t.villages + ("",) * (9 - len(t.villages)) for t in region.towns], dtype=object)
    lengths = np.array([len(t.villages) for t in region.towns])
    village = villages[town, (rng.random(count) * lengths[town]).astype(int)]
    urban = np.array([name.endswith("社区") for name in village])
    town_name = np.array([t.name for t in region.towns], dtype=object)[town]
    return pd.DataFrame({"status": status, "size": size, "town": town_name, "village": village, "urban": urban})


def _persons(rng: Rng, region: Region, households: pd.DataFrame, month: str) -> pd.DataFrame:
    sizes = households["size"].to_numpy()
    household = np.repeat(np.arange(len(households)), sizes)
    count = len(household)
    member = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    status = households["status"].to_numpy()[household]
    low, high = (np.array([_AGES[s][i] for s in households["status"]]) for i in (0, 1))
    head_age = np.where(sizes >= 3, np.minimum(rng.integers(low, high), 62), rng.integers(low, high))
    head_male = rng.random(len(households)) < 0.62
    child = (member >= 2) | ((member == 1) & np.isin(household, np.flatnonzero(rng.random(len(households)) < 0.35)))
    age = head_age[household] - np.where(child, 26 + (member - 1) * 2, np.where(member == 1, 2, 0))
    age = np.maximum(age, 1)
    male = np.where(
        member == 0, head_male[household], np.where(child, rng.random(count) < 0.5, ~head_male[household])
    ).astype(bool)
    relation = np.where(member == 0, "本人", np.where(child, np.where(male, "儿子", "女儿"), "配偶")).astype(object)
    born = _birth_dates(rng, age, month)
    area = rng.choice(np.array(_id_areas(region.code), dtype=object), count, p=[0.9, 0.06, 0.03, 0.01])
    family = surnames(rng, len(households))[household]
    own = surnames(rng, count)
    name = np.where((member == 0) | child, family, own) + given_names(rng, male)
    minority = rng.random(count) < minority_share(region.code)
    name = np.where(minority, minority_names(rng, count), name)
    bank = rng.choice(np.array(list(BANKS), dtype=object), count, p=[0.3, 0.25, 0.3, 0.1, 0.05])
    cards = bank_cards(rng, np.array([BANKS[b] for b in bank], dtype=object))
    passbook = (rng.random(count) < 0.12) & np.isin(bank, ["农村商业银行", "中国邮政储蓄银行"])
    certified = rng.random(count) < np.array([_CERTIFICATE_SHARE.get(s, 0.0) for s in status])
    return pd.DataFrame(
        {
            "household": household, "member": member, "relation": relation, "name": name,
            "id_no": citizen_ids(area, born, male), "born": born, "male": male, "age": age,
            "phone": telephones(rng, len(households))[household],
            "bank": bank, "account": np.where(passbook, passbook_accounts(rng, count), cards),
            "own_account": rng.random(count) < 0.7,
            "grade": np.where(certified, rng.choice([1, 2, 3, 4], count, p=[0.2, 0.25, 0.3, 0.25]), 0),
            "kind": rng.integers(1, 8, count),
            "status": status,
            "town": households["town"].to_numpy()[household], "village": households["village"].to_numpy()[household],
            "urban": households["urban"].to_numpy()[household],
        }
    )  # fmt: skip


def _id_areas(region: str) -> tuple[str, ...]:
    """First-registration codes: here, a neighbour, an abolished county (胶南 370284), a residence permit of 台湾."""
    neighbour = region[:4] + ("02" if region[4:] != "02" else "03")
    return region, neighbour, "370284", "830000"


def _birth_dates(rng: Rng, age: np.ndarray, month: str) -> pd.Series:
    """Birthdays lie two to eight months back, so nobody crosses an age limit around ``month``."""
    years = pd.Series(int(month[:4]) - age).astype(str)
    return pd.to_datetime(years + month[4:] + "-01") - pd.to_timedelta(rng.integers(60, 240, len(age)), unit="D")


def _incomes(rng: Rng, households: pd.DataFrame, standards: Standards) -> np.ndarray:
    """Household income in 分 a month (whole 元), consistent with the status: below the standard, or between it and the margin's."""
    standard = np.where(households["urban"], standards.urban, standards.rural)
    status = households["status"].to_numpy()
    multiple = float(standards.margin_multiple)
    share = np.where(
        status == "margin", rng.uniform(1.05, 0.95 * multiple, len(households)), rng.uniform(0.1, 0.85, len(households))
    )
    share = np.where(status == "rigid", multiple * 1.1, share)
    return np.floor(standard * households["size"].to_numpy() * share / 100).astype(int) * 100
