"""Who pays (资金分担): the shares of 中央, 省, 市, 县 in a programme's money, as parameters, and sums divided by them to the 分.

``资金分担_<项目名>_<中央|省|市|县>``, in %, with ``_城市_`` or ``_农村_`` before the level where they differ. Where a place has not written
them, nothing is guessed: the money stands under 未填.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import ParameterValue

LEVELS = ("中央", "省", "市", "县")
OPEN = "未填"
SHARE = "资金分担"


@dataclass(frozen=True, slots=True)
class Share:
    """One payer's part. ``percent`` None: nobody has written who pays (``level`` is then 未填)."""

    level: str
    percent: Fraction | None
    confirmed: bool = True

    @property
    def percent_text(self) -> str | None:
        """``37.5``, None when not written."""
        return (
            None if self.percent is None else str(Decimal(self.percent.numerator) / Decimal(self.percent.denominator))
        )


def share_names(name: str) -> list[str]:
    """All parameters that may say who pays for the programme of this name."""
    return [f"{SHARE}_{name}_{kind}{level}" for kind in ("", "城市_", "农村_") for level in LEVELS]


def written_shares(policy: Policy, name: str, kind: str, month: str) -> dict[str, ParameterValue]:
    """What is written of a programme (by its name; ``kind`` 城市, 农村 or '') that month, by level."""
    found = {}
    for level in LEVELS:
        names = [f"{SHARE}_{name}_{kind}_{level}", f"{SHARE}_{name}_{level}"] if kind else [f"{SHARE}_{name}_{level}"]
        for one in names:
            value = policy.parameter_or_none(one, first_day(month)) if one in policy.parameters.names() else None
            if value is not None and isinstance(value.value, Decimal):
                found[level] = value
                break
    return found


def shares_of(policy: Policy, name: str, kind: str, month: str) -> tuple[Share, ...]:
    """The payers in the order of ``LEVELS``; together 100 %, what is not written last, as 未填.

    More than 100 % or less than none at all is no division: then everything is 未填.
    """
    found = written_shares(policy, name, kind, month)
    parts = [Share(level, Fraction(Decimal(str(value.value))), value.confirmed) for level, value in found.items()]
    percents = [part.percent or Fraction(0) for part in parts]
    if sum(percents) > 100 or any(percent < 0 for percent in percents):
        parts, percents = [], []
    return (*parts, Share(OPEN, None)) if sum(percents) < 100 else tuple(parts)


def divided(amount_fen: int, shares: Sequence[Share]) -> list[int]:
    """``amount_fen`` by ``shares`` (together 100 %), in whole 分, adding up to it exactly.

    Each sum up to a payer is rounded, not each part: no part turns negative, and who pays 0 % pays nothing.
    """
    upto, before, parts = Fraction(0), 0, []
    for share in shares:
        upto = Fraction(100) if share.percent is None else upto + share.percent
        until = half_up(amount_fen * upto / 100)
        parts.append(until - before)
        before = until
    return parts


def half_up(value: Fraction) -> int:
    """Whole 分; a half away from zero."""
    return int(value + Fraction(1, 2)) if value >= 0 else -int(-value + Fraction(1, 2))
