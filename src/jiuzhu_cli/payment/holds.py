"""The gates of payment (关口), all of them, and how they are asked: why a case is held back (拦下), and what lets it through all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.payment.hold import Hold
from jiuzhu_cli.payment.holds_account import ACCOUNT
from jiuzhu_cli.payment.holds_once import ONCE
from jiuzhu_cli.payment.holds_payee import PAYEE
from jiuzhu_cli.payment.holds_standing import STANDING
from jiuzhu_cli.payment.shortage import OVER_BUDGET, add_short

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from jiuzhu_cli.payment.budget import Purse
    from jiuzhu_cli.policy.load import Policy

# the money is asked last, of what nothing else holds
HOLDS: tuple[Hold, ...] = (*STANDING, *ONCE, *ACCOUNT, *PAYEE, OVER_BUDGET)
BY_CODE = {hold.code: hold for hold in HOLDS}
# said even of what is paid or under way: that its amount or month differs, or that it stands twice
_OF_PAID = "('paid_already_differs', 'paid_earlier', 'same_programme_twice')"


def ask(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, *, override: bool) -> None:
    """Makes ``hold`` (``n, code, reason, source, released``) and ``held`` (``n``) of the month's ``candidate`` cases (see ``hold``).

    ``override``: every releasable gate lets its cases through; single cases of the table ``agreed`` get through theirs. The money is asked for
    by ``ask_money``.
    """
    connection.execute("CREATE TABLE hold (n BIGINT, code VARCHAR, reason VARCHAR, source VARCHAR, released BOOLEAN)")
    connection.execute("CREATE TABLE confirmed (n BIGINT)")
    for hold in HOLDS:
        if hold is OVER_BUDGET:
            continue
        ask_one(connection, hold, policy, month, override=override)
        if hold.code == "doubt_confirmed":
            connection.execute("INSERT INTO confirmed SELECT n FROM hold WHERE code = 'doubt_confirmed'")
    # what is paid or under way already is not held: it is done
    connection.execute(
        f"DELETE FROM hold WHERE code NOT IN {_OF_PAID} AND n IN (SELECT n FROM candidate WHERE live_fen IS NOT NULL)"
    )
    connection.execute("CREATE TABLE held AS SELECT DISTINCT n FROM hold WHERE NOT released")


def ask_money(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    *,
    override: bool,
    purse_of: Callable[[int], Purse],
) -> None:
    """Asks the budgets of what nothing else holds, back-pay (``arrear``) along with the month's own, less what is kept back (``set_off``).

    ``purse_of``: a year's budgets as they stand.
    """
    if limits_of(OVER_BUDGET, policy, month) is None:
        return
    add_short(connection, policy, month, purse_of)
    ask_one(connection, OVER_BUDGET, policy, month, override=override, cases="every_case")
    connection.execute(
        "INSERT INTO held SELECT DISTINCT n FROM hold WHERE NOT released AND n NOT IN (SELECT n FROM held)"
    )


def ask_one(
    connection: duckdb.DuckDBPyConnection,
    hold: Hold,
    policy: Policy,
    month: str,
    *,
    override: bool,
    cases: str = "candidate",
) -> None:
    """One gate's rows into ``hold``, none while it is off."""
    limits = limits_of(hold, policy, month)
    if limits is None:
        return
    if hold.needs and not connection.execute(f"SELECT count(*) FROM {hold.needs}").fetchall()[0][0]:
        return
    released = str(hold.releasable)
    if hold.releasable and not override:
        released = (
            f"n IN (SELECT c.n FROM agreed a JOIN {cases} c ON c.programme = a.programme AND c.recipient = a.recipient_id_no AND c.item = a.item"
            f" WHERE a.code = '{hold.code}')"
        )
    connection.execute(
        f"INSERT INTO main.hold SELECT n, '{hold.code}', string_agg(DISTINCT reason, '；' ORDER BY reason),"
        f" string_agg(DISTINCT source, '、' ORDER BY source), {released} FROM ({hold.sql}) GROUP BY n",
        limits,
    )


def limits_of(hold: Hold, policy: Policy, month: str) -> dict[str, float] | None:
    """The values of a gate's limits that month; None when the gate is off: by its switch, a limit that is not set, or all of them 0."""
    day = first_day(month)
    if hold.switch and not policy.switch(hold.switch, day):
        return None
    found = {}
    for name, parameter in hold.limits.items():
        value = policy.parameter_or_none(parameter, day)
        if value is None or isinstance(value.value, str | bool):
            return None
        found[name] = max(float(value.value), 0.0)
    return None if found and not any(found.values()) else found
