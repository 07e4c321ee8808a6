"""What clerks' decisions say of people with two sound IDs: refreshed ``weights.Second``, with the shipped estimate as the prior.

Only what the decided pairs can tell is changed. How common second IDs are: the prior for which the pairs' probabilities add up to as many
persons as the clerks found. Telephone and account: their share of agreement among pairs found to be one person, but only of pairs that
would have come before the clerk whatever that field says; else it would measure how pairs are chosen. Few decisions move little: the
estimate counts as ``WEIGHT`` decisions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
import pyarrow as pa

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.matching import second, weights
from jiuzhu_cli.matching.engine import prepare

WEIGHT = 20.0  # decisions that the estimate counts for
FILE = "match_weights.json"  # in the workspace's policy folder


@dataclass(frozen=True, slots=True)
class Decided:
    """One pair that a clerk decided. ``score``: log2 of its odds under ``weights.Second()``; the levels as in ``weights`` (ABSENT, SAME …)."""

    same: bool
    score: float
    birth: int
    village: int
    phone: int
    account: int


def judged(records: pa.Table, pairs: Sequence[tuple[int, int, bool]]) -> list[Decided]:
    """``pairs`` (rows of ``records``, whether a clerk found one person) as the matching sees them by the shipped estimate among all ``records``."""
    if not pairs:
        return []
    a, b = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    levels, _, _, odds = second.odds_of(prepare(records).evidence, a, b, weights.Second())
    told = {field: levels.fields[field].tolist() for field in ("birth", "village", "phone", "account")}
    return [
        Decided(same, float(np.log2(odd)), *(told[field][at] for field in told))
        for at, ((_, _, same), odd) in enumerate(zip(pairs, odds, strict=True))
    ]


def refreshed(decisions: Sequence[Decided], *, day: str, prior: weights.Second | None = None) -> weights.Second:
    """``prior`` (the shipped estimate) changed by the decisions; without any it comes back as it is. ``day``: YYYY-MM-DD."""
    prior = prior or weights.Second()
    if not decisions:
        return prior
    same = [one for one in decisions if one.same]
    certain = [one for one in same if one.birth == weights.SAME and one.village == weights.SAME]
    estimate = weights.Agreement()
    return replace(
        prior,
        share=min(max(prior.share * _factor(decisions), 1e-6), 0.05),
        phone=_share([one.phone for one in certain if one.account != weights.DIFFERENT], estimate.phone),
        account=_share([one.account for one in certain if one.phone != weights.DIFFERENT], estimate.account),
        decided=len(decisions),
        same=len(same),
        day=day,
    )


def _share(levels: Sequence[int], estimate: float) -> float | None:
    told = [level for level in levels if level != weights.ABSENT]
    if not told:
        return None
    return (WEIGHT * estimate + told.count(weights.SAME)) / (WEIGHT + len(told))


def _factor(decisions: Sequence[Decided]) -> float:
    """By how much the prior must change so that the expected persons are as many as found (bisection; the sum grows with the factor)."""
    scores = np.array([one.score for one in decisions]) * np.log(2)
    found = (
        sum(one.same for one in decisions) + WEIGHT / 2
    )  # the estimate: decisions at even odds, half of them one person

    def expected(shift: float) -> float:
        return float((1 / (1 + np.exp(-(scores + shift)))).sum() + WEIGHT / (1 + np.exp(-shift)))

    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < found else (low, middle)
    return float(np.exp((low + high) / 2))


def as_text(known: weights.Second) -> str:
    """The small file as it is kept."""
    return json.dumps(asdict(known), ensure_ascii=False, indent=2) + "\n"


def from_text(text: str) -> weights.Second:
    """Reads what ``as_text`` wrote; PolicyError when it is something else."""
    names = {field.name for field in fields(weights.Second)}
    try:
        values = json.loads(text)
        known = weights.Second(**{name: value for name, value in values.items() if name in names})
        shares = (
            known.share,
            known.birth,
            known.sex,
            known.far,
            known.certain,
            known.phone or 0.5,
            known.account or 0.5,
        )
        if not all(0 < float(value) < 1 for value in shares):
            raise ValueError
    except (ValueError, TypeError, AttributeError) as error:
        raise PolicyError(f"政策文件 {FILE} 写坏了", "删掉它，用随带的估计；或重新运行 jiuzhu dedupe calibrate") from error  # fmt: skip
    return known
