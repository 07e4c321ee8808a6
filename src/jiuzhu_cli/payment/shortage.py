"""The gate of money (超出经费指标): what of the month no longer fits the year's budgets, programme by programme.

Asked last, of what nothing else holds. Programmes are served in the order in which the budgets list them. One that is paid month by month is
paid whole or not at all: nobody can choose who of equals goes without. One that is paid by event or instalment is served by the day of the
event, the earlier first, as far as the money goes. See ``budget`` for who pays what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.payment.budget import Demand, Purse, charges, has_kinds
from jiuzhu_cli.payment.hold import Hold
from jiuzhu_cli.policy.funding import LEVELS, OPEN

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

OVER_BUDGET = Hold(
    "over_budget",
    "超出经费指标",
    "SELECT n, reason, source FROM short",
    "追加的、还没有登记的指标（各级都要）登记后重新制单（jiuzhu pay budget --import 指标表，或写进 policy/budgets/）；先垫付的，写明理由放行",
    releasable=True,
    switch="发放拦下_超经费指标",
)
# what each may be paid and by whom, in its turn; back-pay of a programme goes with its months
_WAITING = """
CREATE TABLE waiting AS
SELECT c.n, c.programme, NOT (p.single OR p.instalments) AS monthly, c.due_fen - coalesce(k.fen, 0) AS due_fen,
       CASE WHEN $kinds AND c.category IN ('城市', '农村') THEN c.category ELSE '' END AS kind,
       row_number() OVER (PARTITION BY c.programme ORDER BY coalesce(nullif(c.event_date, ''), '9999'), c.recipient, c.item, c.n) AS turn
FROM every_case c JOIN programme p ON p.code = c.programme LEFT JOIN (SELECT n, sum(fen) AS fen FROM set_off GROUP BY n) k USING (n)
WHERE c.live_fen IS NULL AND NOT c.stopped AND c.n NOT IN (SELECT n FROM held)
"""


def add_short(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, purse_of: Callable[[int], Purse]
) -> None:
    """Makes ``short`` (``n, reason, source``: the levels that are short): cases that the budgets of ``month``'s year do not cover."""
    connection.execute("CREATE TABLE short (n BIGINT, reason VARCHAR, source VARCHAR)")
    year = int(month[:4])
    if not any(one.year == year for one in policy.budgets):
        return
    purse = purse_of(year)
    connection.execute(_WAITING, {"kinds": has_kinds(policy)})
    for programme in purse.order:
        count, monthly = connection.execute(
            "SELECT count(*), bool_and(monthly) FROM waiting WHERE programme = ?", [programme]
        ).fetchall()[0]
        if not count:
            continue
        needs = _needs(connection, policy, purse, programme, month, count)
        if purse.take(needs):
            continue
        reason = _reason(purse, needs, year, whole=monthly)
        levels = "、".join(demand[1] for demand, fen in needs if purse.room(demand) < fen)
        served = 0 if monthly else _served(connection, policy, purse, programme, month, count)
        connection.execute(
            "INSERT INTO short SELECT n, ?, ? FROM waiting WHERE programme = ? AND turn > ?",
            [reason, levels, programme, served],
        )


def _needs(
    connection: duckdb.DuckDBPyConnection, policy: Policy, purse: Purse, programme: str, month: str, turns: int
) -> list[tuple[Demand, int]]:
    """What the first ``turns`` cases of a programme ask of each payer who is known."""
    sums: dict[Demand, int] = {}
    for kind, fen in connection.execute(
        "SELECT kind, sum(due_fen) FROM waiting WHERE programme = ? AND turn <= ? GROUP BY kind", [programme, turns]
    ).fetchall():
        for demand, part in charges(policy, programme, kind, month, int(fen)):
            sums[demand] = sums.get(demand, 0) + part
    return [(demand, fen) for demand, fen in sums.items() if purse.payers(demand)]


def _served(
    connection: duckdb.DuckDBPyConnection, policy: Policy, purse: Purse, programme: str, month: str, count: int
) -> int:
    """How many cases in their turn the money reaches for; it is drawn."""
    fits, beyond = 0, count
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if purse.take(_needs(connection, policy, purse, programme, month, middle), keep=False):
            fits = middle
        else:
            beyond = middle
    purse.take(_needs(connection, policy, purse, programme, month, fits))
    return fits


def _open_payers(purse: Purse, demand: Demand) -> str:
    """Who is asked for money whose shares nobody has written; of levels without any budget nothing is known, so that theirs is asked of the others."""
    levels = {pool.level for pool in purse.payers(demand)}
    listed = "、".join(level for level in LEVELS if level in levels)
    missing = "、".join(
        level for level in LEVELS if level not in levels and level not in purse.written.get(demand[0], ())
    )
    if not missing:
        return "各级合计（没有写分担比例）"
    return f"没有写分担比例，{missing}没有登记指标，全算在{listed}里（{missing}也出钱的，登记那一级的指标，或写资金分担参数）：{listed}"


def _reason(purse: Purse, needs: list[tuple[Demand, int]], year: int, *, whole: bool) -> str:
    parts = []
    for demand, fen in needs:
        left = purse.room(demand)
        if left < fen:
            payer = _open_payers(purse, demand) if demand[1] == OPEN else f"{demand[1]}资金"
            parts.append(f"{payer}还剩 {yuan(left)} 元，要 {yuan(fen)} 元")
    told = "；".join(parts) or "几级合起来不够"
    return f"{year} 年{told}" + ("，整个项目先不发" if whole else "，按发生日期先后，轮不到的先不发")
