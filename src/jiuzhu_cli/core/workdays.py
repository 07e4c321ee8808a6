"""Time limits by days (期限): working or natural days, the first day counted or not, the clock standing still in between.

A year whose holidays nobody has entered is not a year without holidays: ``unknown_years`` says which ones a limit touches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property

Pause = tuple[
    date, date | None
]  # first and last day on which the clock stands still, both included; None: still standing
_FIRST, _LAST = date(1980, 1, 1), date(2120, 12, 31)


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """Pauses that overlap or touch as one, in order; an open one swallows what follows. One that ends before it begins is none."""
    out: list[Pause] = []
    for first, last in sorted(pauses, key=lambda one: one[0]):
        if last is not None and last < first:
            continue
        if out and (out[-1][1] is None or first <= out[-1][1] + timedelta(days=1)):
            before = out[-1][1]
            out[-1] = (out[-1][0], None if before is None or last is None else max(before, last))
        else:
            out.append((first, last))
    return out


class Workdays:
    """Monday to Friday without the public holidays, plus the weekend days worked for them (调休).

    ``years``: those whose holidays are known; by default the years that the two tables speak of.
    """

    def __init__(
        self, off: Collection[date] = (), worked: Collection[date] = (), *, years: Collection[int] | None = None
    ) -> None:
        self.off, self.worked = frozenset(off), frozenset(worked)
        self.years = frozenset(day.year for day in (*self.off, *self.worked)) if years is None else frozenset(years)

    def works(self, day: date) -> bool:
        return day in self.worked or (day.weekday() < 5 and day not in self.off)

    @cached_property
    def _ordinals(self) -> list[int]:
        """All working days as ordinals, in order."""
        off = {day.toordinal() for day in self.off if day not in self.worked}
        worked = {day.toordinal() for day in self.worked}
        return [day for day in range(_FIRST.toordinal(), _LAST.toordinal() + 1)
                if day in worked or ((day + 6) % 7 < 5 and day not in off)]  # fmt: skip

    def count(self, first: date, last: date, *, working: bool = True) -> int:
        """Days that count from ``first`` to ``last``, both included; 0 when ``last`` is before ``first``."""
        if last < first:
            return 0
        if not working:
            return last.toordinal() - first.toordinal() + 1
        days = self._ordinals
        return bisect_right(days, last.toordinal()) - bisect_left(days, first.toordinal())

    def nth(self, first: date, days: int, *, working: bool = True) -> date:
        """The ``days``-th day that counts (1 or more), ``first`` itself being the first that may."""
        if not working:
            return first + timedelta(days=days - 1)
        return date.fromordinal(self._ordinals[bisect_left(self._ordinals, first.toordinal()) + days - 1])

    def deadline(
        self, start: date, days: int, *, working: bool = True, count_first: bool = False, pauses: Sequence[Pause] = ()
    ) -> date | None:
        """The last day of a limit of ``days`` that began with what happened on ``start``; None while the clock stands still.

        ``count_first``: the day itself counts (含首日), else the day after it is the first. A limit of 0 days ends on ``start``.
        """
        if days <= 0:
            return start
        at = start if count_first else start + timedelta(days=1)
        left = days
        for first, last in merged(pauses):
            if last is not None and last < at:
                continue
            before = self.count(at, first - timedelta(days=1), working=working)
            if before >= left:
                break
            if last is None:
                return None
            left -= before
            at = max(at, last + timedelta(days=1))
        return self.nth(at, left, working=working)

    def elapsed(
        self, start: date, end: date, *, working: bool = True, count_first: bool = False, pauses: Sequence[Pause] = ()
    ) -> int:
        """Days of a limit used up at the end of ``end``; pauses do not count. 0 when ``end`` is before ``start``."""
        at = start if count_first else start + timedelta(days=1)
        used = self.count(at, end, working=working)
        for first, last in merged(pauses):
            used -= self.count(max(first, at), end if last is None else min(last, end), working=working)
        return used

    def unknown_years(self, first: date, last: date) -> list[int]:
        """Years from ``first`` to ``last`` whose holidays are not known: working days counted in them are a guess."""
        return [year for year in range(first.year, last.year + 1) if year not in self.years]


__all__ = ["Pause", "Workdays", "merged"]
