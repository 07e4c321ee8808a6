"""Working days: forward and back agree, pauses stop the clock, years without a holiday table are said."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiuzhu_cli.core.workdays import Workdays, merged
from jiuzhu_cli.policy.load import load_policy

OFF, WORKED = load_policy(region="421002").days_off()
DAYS = Workdays(OFF, WORKED)
dates = st.dates(date(2024, 6, 1), date(2027, 6, 30))
spans = st.builds(lambda first, n: (first, None if n < 0 else first + timedelta(days=n)), dates, st.integers(-1, 40))


def slow(start: date, days: int, *, working: bool, count_first: bool, pauses: list) -> date | None:  # type: ignore[type-arg]
    """Day by day, as one counts on a calendar."""
    day = start if count_first else start + timedelta(days=1)
    for _ in range(4000):
        paused = any(first <= day and (last is None or day <= last) for first, last in pauses)
        if not paused and (not working or DAYS.works(day)):
            days -= 1
            if days == 0:
                return day
        day += timedelta(days=1)
    return None


@given(dates, st.integers(1, 60), st.booleans(), st.booleans(), st.lists(spans, max_size=4))
def test_a_deadline_is_what_counting_on_a_calendar_gives(start, days, working, count_first, pauses) -> None:  # type: ignore[no-untyped-def]
    pauses = [one for one in pauses if one[1] is None or one[1] >= one[0]]
    found = DAYS.deadline(start, days, working=working, count_first=count_first, pauses=pauses)
    assert found == slow(start, days, working=working, count_first=count_first, pauses=pauses)


@given(dates, st.integers(1, 60), st.booleans(), st.booleans(), st.lists(spans, max_size=4))
def test_counting_back_agrees(start, days, working, count_first, pauses) -> None:  # type: ignore[no-untyped-def]
    end = DAYS.deadline(start, days, working=working, count_first=count_first, pauses=pauses)
    if end is not None:
        told = {"working": working, "count_first": count_first, "pauses": pauses}
        assert DAYS.elapsed(start, end, **told) == days
        assert DAYS.elapsed(start, end - timedelta(days=1), **told) == days - 1


@given(st.lists(spans, max_size=6), dates)
def test_merged_pauses_stand_still_on_the_same_days(pauses, day) -> None:  # type: ignore[no-untyped-def]
    def still(some) -> bool:  # type: ignore[no-untyped-def]
        return any(first <= day and (last is None or day <= last) for first, last in some)

    joined = merged(pauses)
    assert still(joined) == still(pauses)
    assert all(a[1] is not None and a[1] + timedelta(days=1) < b[0] for a, b in itertools.pairwise(joined))


@pytest.mark.parametrize(
    ("start", "days", "first", "end"),
    [
        (date(2026, 9, 30), 3, False, date(2026, 10, 10)),  # 10-01 to 10-07 off, 10-10 (Saturday) is worked
        (date(2026, 9, 30), 1, True, date(2026, 9, 30)),
        (date(2026, 10, 3), 1, True, date(2026, 10, 8)),  # begun on a holiday, its own day cannot count
        (date(2026, 2, 13), 1, False, date(2026, 2, 14)),  # Saturday worked for the spring festival
        (date(2026, 2, 14), 1, False, date(2026, 2, 24)),
    ],
)
def test_around_holidays(start: date, days: int, first: bool, end: date) -> None:
    assert DAYS.deadline(start, days, count_first=first) == end


def test_an_open_pause_stops_the_limit_but_not_one_that_ended_before() -> None:
    pause = [(date(2026, 11, 5), None)]
    assert DAYS.deadline(date(2026, 11, 2), 10, pauses=pause) is None
    assert DAYS.deadline(date(2026, 11, 2), 2, pauses=pause) == date(2026, 11, 4)
    assert DAYS.elapsed(date(2026, 11, 2), date(2026, 11, 30), pauses=pause) == 2


def test_years_without_a_table_are_named() -> None:
    assert DAYS.unknown_years(date(2026, 12, 20), date(2027, 1, 10)) == [2027]
    assert DAYS.unknown_years(date(2026, 12, 20), date(2026, 12, 30)) == []
    assert DAYS.deadline(date(2026, 11, 2), 0) == date(2026, 11, 2)
