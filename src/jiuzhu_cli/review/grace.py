"""渐退 (grace): the case's amount stays for some months after its income has come over the line, without add-ons.

Policy: 民政部 2022-10-20 兜底保障通知一(三): not more than six months; the place decides how many (parameter 渐退月数), from the 1st of the
month after the decision. It ends on the head's death.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import add_months, first_day
from jiuzhu_cli.ledger.proposals import Grace

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

MONTHS = "渐退月数"


def months_on(policy: Policy, month: str) -> int:
    """How many months of grace a decision gives that takes effect in ``month``; 0 where the place knows none."""
    value = policy.parameter_or_none(MONTHS, first_day(month))
    return max(0, min(12, int(value.value))) if value is not None and not isinstance(value.value, bool) else 0


def make_grace(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, graces: Iterable[Grace]) -> None:
    """``grace``: ``key, case_id, since, until, left_months, amount_fen`` of cases on this month's rolls; ``left_months`` 0 in the last month."""
    connection.execute(
        "CREATE TABLE grace_decision (programme VARCHAR, area VARCHAR, id_no VARCHAR, case_id VARCHAR, since VARCHAR, until VARCHAR, amount_fen BIGINT, left_months BIGINT)"
    )
    rows = []
    index = _index(month)
    for one in graces:
        until = add_months(one.since, months_on(policy, one.since) - 1)
        rows.append(
            (one.programme, one.area, one.id_no, one.case_id, one.since, until, one.amount_fen, _index(until) - index)
        )
    if rows:
        connection.executemany("INSERT INTO grace_decision VALUES (?,?,?,?,?,?,?,?)", rows)
    connection.execute(
        "CREATE TABLE grace AS SELECT f.key, g.case_id, g.since, g.until, g.left_months, g.amount_fen FROM grace_decision g"
        " JOIN facts f ON f.programme = g.programme AND f.id_no = g.id_no AND f.place = g.area"
    )


def _index(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])
