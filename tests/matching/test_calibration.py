"""Weights from decisions: calibrated on decisions made by known chances, they come near these chances; few decisions move little."""

from __future__ import annotations

import numpy as np
import pytest

from jiuzhu_cli.matching.calibration import Decided, as_text, from_text, refreshed
from jiuzhu_cli.matching.weights import ABSENT, DIFFERENT, SAME, Second


def decisions(size: int, factor: float, phone: float, seed: int) -> list[Decided]:
    """Pairs whose true odds are ``factor`` times those of their score; ``phone``: share of one person's telephones that agree."""
    rng = np.random.default_rng(seed)
    out = []
    for score in rng.uniform(-4, 6, size).tolist():
        odds = factor * 2**score
        same = bool(rng.random() < odds / (1 + odds))
        level = SAME if rng.random() < (phone if same else 0.1) else DIFFERENT
        out.append(Decided(same, score, SAME, SAME, level, ABSENT))
    return out


@pytest.mark.parametrize("factor", [0.25, 1.0, 6.0])
def test_many_decisions_tell_how_common_second_ids_are(factor: float) -> None:
    known = refreshed(decisions(3000, factor, 0.35, 5), day="2026-11-01")
    assert known.share / Second().share == pytest.approx(factor, rel=0.25)
    assert known.phone == pytest.approx(0.35, abs=0.04)
    assert known.account is None


def test_few_decisions_move_little() -> None:
    known = refreshed([Decided(False, 2.0, SAME, SAME, SAME, SAME)] * 2, day="2026-11-01")
    assert Second().share / 2 < known.share < Second().share


def test_what_the_choice_of_pairs_decided_is_not_counted() -> None:
    """Accounts differ: such a pair came before the clerk because of its telephone. Its telephone says nothing."""
    known = refreshed([Decided(True, 3.0, SAME, SAME, SAME, DIFFERENT)] * 50, day="2026-11-01")
    assert known.phone is None


def test_the_file_comes_back() -> None:
    known = refreshed(decisions(40, 2.0, 0.5, 1), day="2026-11-01")
    assert from_text(as_text(known)) == known
