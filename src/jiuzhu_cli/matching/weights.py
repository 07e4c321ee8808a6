"""How strongly a comparison speaks for one person: levels, their weights and the score.

For a candidate pair the score is the natural bet behind Fellegi–Sunter weights, with other people counted instead of assumed away:

    odds = prior odds * P(these levels | one person) / expected number of OTHER people in the data who show these levels

Other people are strangers (as many as the data hold, with this name, this birth date …, counted in the data itself: so the cut-off
follows the size of the data) and members of the household, who share village, phone and account. A pair is put together when
odds / (1 + odds of all who are asked about together) reaches ``ACCEPTED``: the margin over the next best is part of it.
``score`` in the output is log2(odds).

How often one person's records agree (``Agreement``) is measured on the pairs of equal sound IDs in the data at hand, when there are at
least ``ENOUGH``; else the values below stand, which were measured on generated lists (tests/matching/people.py, seed 1, both mixes mixed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiuzhu_cli.matching.names import ONE_OFF, SHAPE

ACCEPTED = 0.70
ENOUGH = 200
UNLIKE = 0.25  # prior odds that a record with a doubtful ID belongs elsewhere
# levels of the ID
ID_ABSENT, ID_SLIP, ID_PREFIX, ID_TWO, ID_FAR, ID_TEXT = 0, 1, 2, 3, 4, 5
ID_LEVELS = ("absent", "one_slip", "prefix", "two_slips", "different", "same_text")
# levels of the other fields
ABSENT, SAME, DIFFERENT, FAR = 0, 1, 2, 3  # FAR: birth dates more than one figure apart (father and son)
FIELD_LEVELS = ("absent", "equal", "different", "far")
FIELDS = ("birth", "sex", "village", "phone", "account")

# P(level | one person). IDs: of those damaged; by name level: matching.names.LEVELS
SAME_ID = np.array([1.0, 0.90, 0.90, 0.06, 0.0003, 0.90])
SAME_NAME = np.array([0.955, 0.018, 0.012, 0.010, 0.003, 0.0005])
# expected members of the household with that level of the name; P(field equal | member of the household)
HOUSE_NAME = np.array([0.002, 0.002, 0.02, 0.12, 1.2, 1.0])
HOUSE_SAME = {"birth": 0.005, "sex": 0.5, "village": 0.97, "phone": 0.5, "account": 1 / 3}
HOUSE_ID = np.array([1.0, 0.002, 0.004, 0.02, 1.0, 0.0005])
TWINS = 4.0
# share of strangers with the surname whose name is that near (shape; one character off)
NEAR_NAME = {SHAPE: 0.004, ONE_OFF: 0.03}


@dataclass(slots=True)
class Agreement:
    """Shares measured or assumed: P(field equal | one person, both told), the share of records whose person has another one, and the
    share of one person's differing birth dates that differ in more than one figure. ``pairs``: measured on so many."""

    birth: float = 0.985
    sex: float = 0.99
    village: float = 0.95
    phone: float = 0.60
    account: float = 0.75
    again: float = 0.45
    far: float = 0.01
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class Second:
    """Second genuine IDs: share of records that carry one, and P(field equal | one person under two IDs). ``far``: of differing birth dates, those that
    differ in more than one figure. ``phone``, ``account``: None, as measured in the data. ``certain``: share of all odds that a pair must have.

    The shares stand for estimates: 0.2 % as in the project's hard mix; a wrong sex digit or birth date is what numbers are issued anew for.
    ``matching.calibration`` refreshes them from clerks' decisions: ``decided`` pairs of which ``same`` were one person, on ``day``.
    """

    share: float = 0.002
    birth: float = 0.7
    sex: float = 0.7
    far: float = 0.3
    phone: float | None = None
    account: float | None = None
    certain: float = 0.9
    decided: int = 0
    same: int = 0
    day: str = ""


@dataclass(slots=True)
class Levels:
    """One entry a candidate pair: levels of ID, name and the other fields (``FIELDS``)."""

    id: np.ndarray
    name: np.ndarray
    fields: dict[str, np.ndarray]


@dataclass(slots=True)
class Strangers:
    """What the data say about other people, a candidate pair: expected strangers with this name level, share with the field's value, share of
    strangers whose ID is that near."""

    name: np.ndarray
    fields: dict[str, np.ndarray]
    id: np.ndarray


def odds(
    levels: Levels, strangers: Strangers, agreement: Agreement, prior: np.ndarray, kin: float | np.ndarray = 1.0
) -> np.ndarray:
    """Odds that the two records of each pair are one person (see above). ``kin``: share of the household that comes into question."""
    one = SAME_ID[levels.id] * SAME_NAME[levels.name]
    stranger = strangers.name * strangers.id
    house = HOUSE_ID[levels.id] * HOUSE_NAME[levels.name]
    # twins are named alike: a name one character off and the birth date equal go together
    twins = (levels.name == ONE_OFF) & (levels.fields["birth"] == SAME)
    house = np.where(twins, TWINS * house, house)
    close = np.isin(levels.id, (ID_SLIP, ID_PREFIX, ID_TWO, ID_TEXT))
    for field in FIELDS:
        level = levels.fields[field]
        same = getattr(agreement, field)
        near: float | np.ndarray = HOUSE_SAME[field]
        share = strangers.fields[field]
        if field == "birth":  # numbers that are near share the birth date mostly
            share = np.where(close, 0.9, share)
            near = np.where(close, 0.9, near)
        one = one * np.choose(level, [1.0, same, 1 - same, (1 - same) * agreement.far])
        stranger = stranger * np.choose(level, [1.0, share, 1 - share, 1 - share])
        house = house * np.choose(level, [1.0, near, 1 - near, 1 - near])
    return prior * one / (stranger + kin * house + 1e-12)


def each(levels: Levels, strangers: Strangers, agreement: Agreement) -> dict[str, np.ndarray]:
    """log2 of P(level | one person) / P(level | stranger) a field, as ``odds`` multiplies them; the name's counts the strangers of that name."""
    close = np.isin(levels.id, (ID_SLIP, ID_PREFIX, ID_TWO, ID_TEXT))
    out = {"id": np.log2(SAME_ID[levels.id] / strangers.id), "name": np.log2(SAME_NAME[levels.name] / np.maximum(strangers.name, 1e-12))}  # fmt: skip
    for field in FIELDS:
        same, share = getattr(agreement, field), strangers.fields[field]
        if field == "birth":
            share = np.where(close, 0.9, share)
        one = np.choose(levels.fields[field], [1.0, same, 1 - same, (1 - same) * agreement.far])
        out[field] = np.log2(one / np.choose(levels.fields[field], [1.0, share, 1 - share, 1 - share]))
    return out
