"""What a simulation costs: a month, to the year's end, a full year; a head; by programme, town, category and by who pays (中央、省、市、县).

The shares of who pays are parameters (``资金分担_<项目名>_<中央|省|市|县>``, in %, with ``_城市_`` or ``_农村_`` before the level where they differ).
Where a place has not written them, nothing is guessed: the sum stands under 未填.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.review.simulate import Simulation, rolled

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import ParameterValue

LEVELS = ("中央", "省", "市", "县")
OPEN = "未填"
SHARE = "资金分担"


def months_left(since: str) -> int:
    """Months from ``since`` to December, both counted."""
    return 13 - int(since[5:])


def half_up(value: Fraction) -> int:
    """Whole 分; a half away from zero."""
    return int(value + Fraction(1, 2)) if value >= 0 else -int(-value + Fraction(1, 2))


def table_of(sums: Sequence[dict[str, Any]], since: str, *keys: str) -> list[dict[str, Any]]:
    """The rows of ``rolled`` as dicts with ``keys`` in front, and what they come to in time and a head."""
    rows = []
    for values, one in sorted(rolled(sums, *keys).items()):
        row = dict(zip(keys, values, strict=True)) | one
        for side in ("low", "high"):
            row[f"to_year_end_{side}"] = one[side] * months_left(since)
            row[f"full_year_{side}"] = one[side] * 12
            for when in ("b", "a"):
                heads = one[f"priced_{when}"]
                row[f"head_{when}_{side}"] = half_up(Fraction(one[f"{when}_{side}"], heads)) if heads else None
        rows.append(row)
    return rows


def shares(policy: Policy, name: str, kind: str, since: str) -> dict[str, ParameterValue]:
    """Who pays how many % of a programme that month, as far as it is written."""
    found = {}
    for level in LEVELS:
        names = [f"{SHARE}_{name}_{kind}_{level}", f"{SHARE}_{name}_{level}"] if kind else [f"{SHARE}_{name}_{level}"]
        for one in names:
            value = policy.parameter_or_none(one, first_day(since)) if one in policy.parameters.names() else None
            if value is not None and isinstance(value.value, Decimal):
                found[level] = value
                break
    return found


def by_source(policy: Policy, result: Simulation) -> list[dict[str, Any]]:
    """A row by programme, category and source: ``percent`` (None: not written), the difference a month and a year in 分.

    The sources of a programme add up to its difference exactly: the last one takes what rounding leaves. Shares that do not add up to 100 leave the
    rest under 未填; more than 100 is no division at all, everything is 未填.
    """
    rows: list[dict[str, Any]] = []
    for (programme, kind), one in sorted(rolled(result.sums, "programme", "kind").items()):
        if not (one["low"] or one["high"] or one["a_high"] or one["b_high"]):
            continue
        found = shares(policy, result.names[programme], kind, result.since)
        parts = [(level, Fraction(Decimal(value.value)), value.confirmed) for level, value in found.items()]
        if sum(part for _, part, _ in parts) > 100 or any(part < 0 for _, part, _ in parts):
            parts = []
        rest = 100 - sum(part for _, part, _ in parts)
        pieces: list[tuple[str, Fraction | None, bool]] = [*parts, *([(OPEN, None, True)] if rest else [])]
        left = {"low": one["low"], "high": one["high"]}
        for index, (level, percent, confirmed) in enumerate(pieces):
            row: dict[str, Any] = {
                "programme": programme, "kind": kind, "source": level, "percent": None if percent is None else str(Decimal(percent.numerator) / Decimal(percent.denominator)),
                "confirmed": confirmed,
            }  # fmt: skip
            for side in ("low", "high"):
                last = index == len(pieces) - 1
                share = left[side] if last or percent is None else half_up(one[side] * percent / 100)
                left[side] -= share
                row[side], row[f"full_year_{side}"] = share, share * 12
                row[f"to_year_end_{side}"] = share * months_left(result.since)
            rows.append(row)
    return rows
