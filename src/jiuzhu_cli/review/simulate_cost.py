"""What a simulation costs: a month, to the year's end, a full year; a head; by programme, town, category and by who pays (中央、省、市、县).

The shares of who pays are parameters (``policy.funding``); where a place has not written them, the sum stands under 未填.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.policy.funding import divided, half_up, shares_of
from jiuzhu_cli.review.simulate import Simulation, rolled

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


def months_left(since: str) -> int:
    """Months from ``since`` to December, both counted."""
    return 13 - int(since[5:])


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


def by_source(policy: Policy, result: Simulation) -> list[dict[str, Any]]:
    """A row by programme, category and source: ``percent`` (None: not written), the difference a month and a year in 分.

    The sources of a programme add up to its difference exactly: the last one takes what rounding leaves. Shares that do not add up to 100 leave the
    rest under 未填; more than 100 is no division at all, everything is 未填.
    """
    rows: list[dict[str, Any]] = []
    for (programme, kind), one in sorted(rolled(result.sums, "programme", "kind").items()):
        if not (one["low"] or one["high"] or one["a_high"] or one["b_high"]):
            continue
        shares = shares_of(policy, result.names[programme], kind, result.since)
        parts = {side: divided(one[side], shares) for side in ("low", "high")}
        for index, share in enumerate(shares):
            row: dict[str, Any] = {
                "programme": programme, "kind": kind, "source": share.level, "percent": share.percent_text, "confirmed": share.confirmed,
            }  # fmt: skip
            for side in ("low", "high"):
                row[side], row[f"full_year_{side}"] = parts[side][index], parts[side][index] * 12
                row[f"to_year_end_{side}"] = parts[side][index] * months_left(result.since)
            rows.append(row)
    return rows
