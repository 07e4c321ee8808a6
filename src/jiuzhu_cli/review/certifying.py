"""生存认证: who has not been seen alive in time is suspended the month after (an event, ``events.toml``); who makes it up is taken on again.

``make_certified`` is what the words 认证间隔月数 and 认证开展月数 read. ``resumptions`` proposes to pay again, and says which months may be paid back.
Where nobody has recorded a certification nobody is uncertified: a town counts only from a whole cycle after its first record.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import add_months, last_day, months_between
from jiuzhu_cli.ledger.circumstances import months_of
from jiuzhu_cli.ledger.proposals import Proposal
from jiuzhu_cli.review.proposing import after_decision
from jiuzhu_cli.review.visits import CERTIFIED, NOT_CERTIFIED, REGISTER, kept_sql

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

EVENT = "uncertified"

_PROOF = """
CREATE TABLE proof AS
SELECT id_no, left(event_date, 10) AS day FROM register
WHERE register = '{register}' AND event_date <> '' AND left(event_date, 10) <= '{last}'
  AND regexp_matches({told}, '{yes}') AND NOT regexp_matches({told}, '{no}');

CREATE TABLE certified AS
WITH last AS (SELECT id_no, max(day) AS day FROM proof GROUP BY id_no),
town AS (SELECT p.programme, p.town, min(f.day) AS day FROM proof f JOIN person p USING (id_no) GROUP BY ALL)
SELECT f.key, last.day, {now} - {last_months} AS months_since, {now} - coalesce({last_months}, {start_months}) AS months, {now} - {town_months} AS begun
FROM facts f LEFT JOIN last ON last.id_no = f.id_no LEFT JOIN town ON town.programme = f.programme AND town.town = f.town
"""


def make_certified(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> None:
    """``certified``: ``key, day`` (the last time), ``months`` since then, or since the case began, ``begun`` (months since the town's first
    record, NULL where there is none). Needs ``register``, ``person``, ``facts``."""
    told = kept_sql(policy.registers.get(REGISTER), "certified")
    connection.execute(
        _PROOF.format(
            register=REGISTER, last=last_day(month).isoformat(), told=told, yes=CERTIFIED, no=NOT_CERTIFIED, now=int(month[:4]) * 12 + int(month[5:]),
            last_months=months_of("last.day"), start_months=months_of("f.start_month"), town_months=months_of("town.day"),
        )
    )  # fmt: skip


def resumptions(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    suspended: Iterable[dict[str, Any]],
    *,
    today: date,
) -> list[Proposal]:
    """A ``start`` for each suspended case (``ledger.progress.suspended_cases``) that has been certified since; a ``check`` when it is on no roll.

    Needs what ``judge`` has made. The amount is the roll's own, which the suspension has kept from being paid.
    """
    event = next((one for one in policy.events if one.id == EVENT), None)
    found: list[Proposal] = []
    for stop in suspended:
        row = connection.execute("SELECT max(day) FROM proof WHERE id_no = ? AND left(day, 7) >= ?", [stop["id_no"], stop["month"]]).fetchone()  # fmt: skip
        if row is None or row[0] is None:
            continue
        case = connection.execute(
            "SELECT name, place, amount_fen FROM facts WHERE programme = ? AND id_no = ? ORDER BY key LIMIT 1", [stop["programme"], stop["id_no"]]
        ).fetchone()  # fmt: skip
        name, place, amount = case if case is not None else (stop["name"], stop["area"], None)
        effective = after_decision(month, today)
        action = "start" if amount is not None else "check"
        found.append(
            Proposal(
                key="|".join(
                    (month, stop["programme"], place, stop["id_no"], action, str(amount), str(amount), "recertified")
                ),
                month=month,
                programme=stop["programme"],
                area=place,
                id_no=stop["id_no"],
                name=name,
                action=action,
                before_fen=amount,
                after_fen=amount,
                effective_month=effective,
                reasons=_reasons(stop, str(row[0]), effective, on_roll=case is not None),
                basis=event.source if event is not None else "",
                steps=(),
                needs_hearing=False,
            )
        )
    return found


def _reasons(stop: dict[str, Any], day: str, effective: str, *, on_roll: bool) -> str:
    told = f"{day} 已补生存认证（{stop['case_id']} 因未认证暂停），恢复发放"
    if not on_roll:
        told += "；本月名册上没有此人，补进名册后发放"
    if effective > stop["effective_month"]:
        months = months_between(stop["effective_month"], add_months(effective, -1))
        each = stop["amount_before_fen"]
        span = months[0] if len(months) == 1 else f"{months[0]} 至 {months[-1]}"
        money = f"，每月 {yuan(each)} 元，共 {yuan(each * len(months))} 元" if each else ""
        told += f"；暂停的 {span}（{len(months)} 个月）可以补发{money}，按补发办理"
    return told
