"""By when a strong doubt must have a result: so many working days after it came up, dated holidays and worked weekends counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import posting_end

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

PARAMETER = "疑点核实时限"
_BEIJING = timezone(timedelta(hours=8))


class Deadlines:
    """Last days for a result, by the day on which a doubt came up."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.holidays, self.worked = policy.days_off()
        self._known: dict[str, date | None] = {}

    def last_day(self, opened_at: str) -> date | None:
        """``opened_at``: a UTC time of the record. None when it is not known, or when no deadline is set (the parameter is 0)."""
        if opened_at not in self._known:
            self._known[opened_at] = self._reckon(opened_at)
        return self._known[opened_at]

    def _reckon(self, opened_at: str) -> date | None:
        try:
            opened = datetime.fromisoformat(opened_at).astimezone(_BEIJING).date()
        except ValueError:
            return None
        value = self.policy.parameter_or_none(PARAMETER, opened)
        days = int(Decimal(value.value)) if value is not None and not isinstance(value.value, str) else 0
        if days <= 0:
            return None
        return posting_end(
            opened, days, working_days=True, count_first_day=False, holidays=self.holidays, extra_workdays=self.worked
        )

    def of(self, doubt: Mapping[str, Any]) -> date | None:
        """The last day for a doubt that must have a result and has none; None for every other."""
        if doubt["state"] == "open" and doubt["severity"] == "strong" and doubt["disposition"] == "pending":
            return self.last_day(doubt["opened_at"])
        return None

    def overdue(self, doubt: Mapping[str, Any], today: date | None) -> bool:
        """Whether that day is past; never without a ``today``."""
        last = self.of(doubt)
        return last is not None and today is not None and last < today
