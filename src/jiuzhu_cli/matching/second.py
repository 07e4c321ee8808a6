"""Two different sound IDs, everything else equal: perhaps a second genuine ID. Real but rare: the rule counts strangers and asks for much.

For a pair of IDs: odds = share of second IDs * P(these levels | one person) / (expected strangers + members of the household who show them). The strangers
are counted in the data: of that name, of that name in that village, born that day, with that phone and account. Two IDs meet only where
each is clearly the other's best, so there are never three in one person.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jiuzhu_cli.matching import weights
from jiuzhu_cli.matching.evidence import Evidence

NO_HEIR = 0.05  # of members of one name in a household are born within five years (father and son are not)

SQL = """
SELECT min(a * 4294967296 + b) AS pair FROM (
  SELECT CAST(l.row AS BIGINT) AS a, r.row AS b, l.entity AS one, r.entity AS other
  FROM people l JOIN people r ON l.sound = r.sound AND l.village = r.village AND l.birth = r.birth
  WHERE l.entity < r.entity AND l.entity >= 0
  UNION ALL
  SELECT CAST(l.row AS BIGINT) AS a, r.row AS b, l.entity AS one, r.entity AS other
  FROM people l JOIN people r ON l.sound = r.sound AND l.village = r.village AND l.phone = r.phone AND l.account = r.account
  WHERE l.entity < r.entity AND l.entity >= 0 AND abs(l.birth - r.birth) < 50000) AS found
GROUP BY one, other ORDER BY pair
"""


def odds_of(
    evidence: Evidence, a: np.ndarray, b: np.ndarray, known: weights.Second
) -> tuple[weights.Levels, weights.Strangers, weights.Agreement, np.ndarray]:
    """Levels of the candidates (a record of each ID), what speaks against them, the agreement of such pairs, and their odds."""
    levels = evidence.levels(a, b, np.full(len(a), -1, np.int8))
    levels.id[:] = weights.ID_ABSENT  # that the numbers differ is in the prior
    strangers = evidence.strangers(a, b, levels)
    agreement = replace(evidence.statistics.agreement, birth=known.birth, far=known.far, sex=known.sex)
    agreement.phone, agreement.account = known.phone or agreement.phone, known.account or agreement.account
    odds = weights.odds(levels, strangers, agreement, np.full(len(a), known.share), kin_of(levels))
    levels.id[:] = weights.ID_FAR
    return levels, strangers, agreement, odds


def kin_of(levels: weights.Levels) -> np.ndarray:
    """Share of the household's members that come into question: of one name and born within five years are few."""
    return np.where(levels.fields["birth"] >= weights.DIFFERENT, NO_HEIR, 1.0)


def certain(evidence: Evidence, a: np.ndarray, b: np.ndarray, odds: np.ndarray, least: float) -> np.ndarray:
    """Which candidates meet in one person: the share of all odds of either ID must reach ``least``.

    Never numbers of one place and birth date: those are twins', or of a slip that no one can tell from twins'.
    """
    entity = evidence.roles.entity
    nodes, ends = np.unique(np.concatenate([entity[a], entity[b]]), return_inverse=True)
    one, other = ends[: len(a)], ends[len(a) :]
    total = np.bincount(one, weights=odds, minlength=len(nodes)) + np.bincount(
        other, weights=odds, minlength=len(nodes)
    )
    return ~twins(evidence, a, b) & (odds / (1 + np.maximum(total[one], total[other])) >= least)


def twins(evidence: Evidence, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether the two numbers are of one place and birth date."""
    key = evidence.people.ids.key
    return key[a] // 1000 == key[b] // 1000
