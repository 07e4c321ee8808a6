"""What was before this month's payment, as tables for the gates: what was last paid to whom (``paid``), accounts looked into or new since the comparison (``looked_into``, ``late_account``), objections of earlier lists (``unanswered``), single
cases let through (``agreed``), what is said to have been paid after all (``said_paid``), and what new standards may add to an amount (``standard_change``)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.ledger import corrections, gates, overrides, payables
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.payment.candidates import load_table

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

NOTHING = Decimal(0)
_PAID = ("programme", "recipient_id_no", "item", "month", "paid_fen", "persons", "account_no", "payee_name", "line_id")


def add_earlier(connection: duckdb.DuckDBPyConnection, store: Store, policy: Policy, month: str) -> None:
    """Adds the tables to those of ``candidates.prepare``."""
    _paid(connection, store, month)
    paid = bool(connection.execute("SELECT count(*) FROM paid").fetchall()[0][0])
    load_table(connection, "looked_into", gates.accounts_looked_into(store, month) if paid else None, like=("row_id",))
    run = payables.compared(store, month)
    late = gates.accounts_since(store, month, after=run.seq) if run.seq and run.newest_roll > run.seq else None
    load_table(connection, "late_account", late, like=("row_id",))
    load_table(connection, "agreed", overrides.agreed(store, month))
    load_table(connection, "said_paid", corrections.said_paid(store))
    load_table(connection, "unanswered", gates.unanswered_objections(store, month))
    connection.execute("CREATE TABLE standard_change (programme VARCHAR, month VARCHAR, allowed_fen BIGINT)")
    pairs = connection.execute("SELECT DISTINCT programme, month FROM paid ORDER BY 1, 2").fetchall()
    rows = [(p, m, standard_change(policy, policy.programmes[p], m, month)) for p, m in pairs if p in policy.programmes]
    if rows := [row for row in rows if row[2]]:
        connection.executemany("INSERT INTO standard_change VALUES (?, ?, ?)", rows)


def _paid(connection: duckdb.DuckDBPyConnection, store: Store, month: str) -> None:
    """The lines of the last month in which something was paid, and of whom it does not name the earlier ones."""
    months = gates.earlier_months(store, month)
    load_table(connection, "paid", gates.paid_in(store, months[0], before=month) if months else None, like=_PAID)
    if len(months) < 2:
        return
    missing = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT recipient FROM candidate c WHERE NOT EXISTS (SELECT 1 FROM paid p WHERE p.programme = c.programme"
            " AND p.recipient_id_no = c.recipient) ORDER BY 1"
        ).fetchall()
    ]
    if 0 < len(missing) <= gates.FEW:
        more: Iterable[Any] = [gates.paid_to(store, missing, before=month)]
    else:
        more = (gates.paid_in(store, one, before=month) for one in months[1:]) if missing else ()
    for table in more:
        load_table(connection, "more", table)
        connection.execute(
            "INSERT INTO paid SELECT * FROM more m WHERE NOT EXISTS (SELECT 1 FROM paid p WHERE p.line_id = m.line_id)"
        )
        connection.execute("DROP TABLE more")


def standard_change(policy: Policy, programme: Programme, since: str, month: str) -> int:
    """分 a head (or a household) by which the programme's standards may have moved an amount between two months: of each part of its tariff
    table the largest move, added up; caps of its relations too."""
    then, now = first_day(since), first_day(month)
    parts: dict[str, Decimal] = {}
    for tariff in programme.tariffs:
        for formula in tariff.amounts.values():
            moved = abs(_value(policy, formula, now) - _value(policy, formula, then))
            parts[tariff.part] = max(parts.get(tariff.part, NOTHING), moved)
    for relation in policy.relations:
        if relation.cap and programme.code in (relation.a, relation.b):
            parts[f"cap:{relation.cap}"] = abs(_value(policy, relation.cap, now) - _value(policy, relation.cap, then))
    return int(sum(parts.values(), NOTHING) * 100)


def _value(policy: Policy, formula: str, day: date) -> Decimal:
    """The formula's value that day in 元; 0 where a parameter has none, or it is no sum of money."""
    try:
        inputs = policy.parameters.inputs(formula, day, formula)
        return policy.parameters.exactly(formula, inputs, formula)
    except (PolicyError, ArithmeticError, TypeError):
        return NOTHING
