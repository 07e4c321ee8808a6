"""One generated world with everything planted: the rolls of the month and of the month before, the deaths, the truth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from generator import decoys, plants
from generator.months import months_back
from generator.places import Region, make_region
from generator.planter import EXTREME, MARGIN, OLD_AGE, SUBSISTENCE, Planter
from generator.population import World, make_world
from generator.rolls import Rolls, make_rolls
from generator.standards import Standards
from generator.truth import Truth


@dataclass
class Scenario:
    """``rolls``: month → programme → roll. ``deaths``: ID → date."""

    world: World
    truth: Truth
    planter: Planter
    rolls: dict[str, Rolls]
    deaths: dict[str, str] = field(default_factory=dict)


def make_scenario(
    region_code: str,
    standards: Standards,
    *,
    persons: int,
    month: str,
    seed: int,
    towns: int = 9,
    each: int = 2,
    programmes: Collection[str] | None = None,
    complete: bool = False,
) -> Scenario:
    """``each``: how many of every planted fact. ``programmes``: the codes that may appear (default all twelve).
    ``complete``: every town hands in every list (else two leave one out)."""
    region = make_region(region_code, towns)
    world = make_world(region, standards, persons=persons, month=month, seed=seed)
    world.persons["cancelled"] = False
    truth = Truth(seed, region_code, [months_back(month, 1), month], [t.name for t in region.towns])
    omitted = {} if complete else _omitted(region)
    rolls = {code: roll for code, roll in make_rolls(world).items() if programmes is None or code in programmes}
    planter = Planter(world, rolls, truth, np.random.default_rng([seed, 7]), frozenset(omitted))
    for plant in plants.PLANTS:
        plant(planter, each)
    decoys.planted_decoys(planter, each)
    decoys.omit_rolls(planter, omitted)
    before = decoys.previous_month(
        planter, [t.name for t in region.towns[:3]], (SUBSISTENCE, MARGIN, EXTREME, OLD_AGE), months_back(month, 1)
    )
    decoys.note_natural_decoys(planter)
    scenario = Scenario(world, truth, planter, {months_back(month, 1): before, month: planter.rolls})
    scenario.deaths = {str(world.persons["id_no"].iloc[p]): day for p, day in planter.deaths.items()}
    return scenario


def _omitted(region: Region) -> dict[str, str]:
    """Two towns hand in all lists but one."""
    return {region.towns[3].name: OLD_AGE, region.towns[-3].name: SUBSISTENCE}
