"""A month's cases judged as one: facts, events, amounts, rules; of what was found a proposal each. Reads a snapshot, writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.ledger.proposals import PAYING, Grace, Proposal
from jiuzhu_cli.policy.model import ParameterValue, Programme
from jiuzhu_cli.review import event_words
from jiuzhu_cli.review.amounts import build_candidates, judge_amounts
from jiuzhu_cli.review.as_if import Due, Wish, amounts_as_if
from jiuzhu_cli.review.caps import Limit, apply_limits
from jiuzhu_cli.review.certifying import make_certified
from jiuzhu_cli.review.changes import BUILT_IN, find_flags, not_judged
from jiuzhu_cli.review.eligibility import (
    REVIEWED,
    WORDS,
    RuleResult,
    build_facts,
    compiled_rules,
    drop_doubtful,
    failures,
)
from jiuzhu_cli.review.events import Found, Hit, find_events, in_force
from jiuzhu_cli.review.grace import make_grace, months_on
from jiuzhu_cli.review.heirs import heirs_of
from jiuzhu_cli.review.income import INCOME_REGISTERS, used_rules
from jiuzhu_cli.review.leads import changed_amounts, take_decided
from jiuzhu_cli.review.links import make_links, movement
from jiuzhu_cli.review.once import judge_once
from jiuzhu_cli.review.proposing import Case, Sources, propose
from jiuzhu_cli.review.readings import Readings, rows_of
from jiuzhu_cli.review.standalone import propose_alone
from jiuzhu_cli.review.tariffs import AmountRules, amount_rules
from jiuzhu_cli.review.tiers import apply_tiers

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.review.income_rules import IncomeRules

# registers that facts and flags read, whatever the events ask for
REGISTERS = frozenset(
    "death cremation disability_certificate severe_illness staff_and_cadres school_enrolment dilapidated_house_survey self_care_assessment".split()
)
HEARING = "减停须听取意见"
AHEAD = "next month"


@dataclass(slots=True)
class Judgement:
    """A month judged, nothing written yet."""

    proposals: list[Proposal]
    kept: int  # cases judged right
    in_force: int  # cases whose decided change the roll does not show yet
    not_judged: list[dict[str, Any]]
    unconfirmed: list[ParameterValue]
    by_key: dict[int, Proposal]  # case key of the snapshot → proposal
    amounts: AmountRules
    rules: list[RuleResult]
    found: Found
    programmes: list[Programme]
    limits: list[Limit]
    income: IncomeRules | None = None  # by what income was measured, if any was
    links: list[dict[str, Any]] = field(default_factory=list)  # cases that go on under another head or programme
    movement: list[dict[str, Any]] = field(default_factory=list)


def registers_of(policy: Policy, month: str) -> list[str]:
    """The registers that a review of ``month`` reads: those of facts and flags, and those that its events speak of."""
    day = first_day(month)
    asked = {*REGISTERS, *INCOME_REGISTERS, *(lead.listed_in for lead in policy.income_leads if lead.in_force(day))}
    for event in policy.events:
        if in_force(event, policy, day):
            asked |= set(event.registers)
            asked |= {"household_registration"} if event.per == "outside" else set()
            text = f"{event.lines} {event.when}"
            asked |= {register for word, register in event_words.REGISTER_OF.items() if word in text}
    return sorted(asked)


def of_known(policy: Policy, month: str) -> list[str]:
    """Of ``registers_of`` those whose lines count only for people whom the rolls or another register name: not lists that name
    households and kin, couples, whoever has died (a member of last month's roll, too), or was visited while suspended."""
    whole = {"visit_record", "death", "cremation", "staff_and_cadres", "household_registration", *INCOME_REGISTERS}
    mutual = {one.code for one in policy.registers.values() if one.mutual}
    return [code for code in registers_of(policy, month) if code not in whole | mutual]


def judge(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    *,
    today: date,
    stops: list[dict[str, Any]],
    in_force: dict[tuple[str, str, str], int | None],
    keep_rows: bool = False,
    lists: dict[int, dict[str, bool]] | None = None,
    incomplete: Collection[tuple[str, str]] = (),
    graces: Sequence[Grace] = (),
    leads: Sequence[dict[str, Any]] = (),
    moves: Sequence[tuple[str, str, str]] = (),
) -> Judgement:
    """Judges what a snapshot holds of ``month``; reads nothing else and writes nothing (see ``build_facts`` for ``lists``).

    ``incomplete``: (programme, area) of lists of which rows were refused: who is missing there may only be refused. What was decided
    before: ``graces``, ``leads``, ``moves`` (starts and ends), as ``ledger.proposals`` gives them.
    """
    income = build_facts(connection, policy, month, stops, lists)
    care = apply_tiers(connection, policy, month, today)
    make_grace(connection, policy, month, graces)
    make_certified(connection, policy, month)
    connection.execute("CREATE TABLE decided_end (programme VARCHAR, id_no VARCHAR, action VARCHAR)")
    ended = [list(one) for one in moves if one[2] != "start"]
    if ended:
        connection.executemany("INSERT INTO decided_end VALUES (?,?,?)", ended)
    make_links(connection, policy)
    found = find_events(connection, policy, month, incomplete=incomplete)
    take_decided(connection, found, leads)
    present = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM facts").fetchall()}
    programmes = [p for p in policy.programmes.values() if p.code in present and p.benefit in REVIEWED]
    amounts = amount_rules(policy, month, programmes, WORDS)
    build_candidates(connection, amounts)
    limits = apply_limits(connection, policy, amounts)
    judge_amounts(connection)
    rules, missing = compiled_rules(policy, month, programmes)
    failed = failures(connection, rules)
    doubtful = drop_doubtful(connection, failed, incomplete)
    _spare_grace(connection, failed)
    built_in = {one.id: one for one in policy.events if one.per == "built_in"}
    asked = {code for code, one in built_in.items() if code in BUILT_IN and _asked(one, policy, month)}
    flags = find_flags(connection, asked)
    keys = sorted(set(flags) | set(failed) | set(found.of_case))
    facts, verdicts = _rows(connection, keys)
    changed = changed_amounts(connection, found, facts, amounts)
    due = _due(connection, policy, month, found)
    keys = _only_changed(connection, keys, found, _reached(found, due, facts, verdicts), {*flags, *failed})
    grace_months = months_on(policy, month)
    sources = Sources(
        {p.code: p for p in policy.programmes.values()},
        built_in,
        found,
        policy.registers["death"].source if "death" in policy.registers else "",
        policy.registers["staff_and_cadres"].source if "staff_and_cadres" in policy.registers else "",
        today,
        hearing=policy.switch(HEARING, max(today, first_day(month))),
        grace_months=grace_months,
        names={p.code: p.name for p in policy.programmes.values()}
        | {f"register:{r.code}": r.name for r in policy.registers.values()},
        due=due,
        heirs=heirs_of(connection, [key for key, codes in flags.items() if "head_dead" in codes]),
        graces={row["key"]: row for row in rows_of(connection, "SELECT * FROM grace")},
        links={row["key"]: row for row in rows_of(connection, "SELECT * FROM link")},
        previous=dict(
            connection.execute(
                "SELECT f.key, max(v.amount_fen) FROM facts f JOIN wanted USING (key) JOIN previous v ON v.programme = f.programme AND v.id_no = f.id_no"
                " AND v.lead = 1 GROUP BY f.key"
            ).fetchall()
        ),
    )
    readings = Readings(connection, amounts, limits, sources.names)
    by_key: dict[int, Proposal] = {}
    skipped = 0
    for key in keys:
        fact = facts[key]
        case = Case(
            fact, verdicts.get(key), flags.get(key, []), failed.get(key, []), found.of_case.get(key, []), changed.get(key, {})
        )  # fmt: skip
        made = propose(case, sources)
        decided = in_force.get((made.programme, made.area, made.id_no), -1)
        if decided in (0, None) or (decided != -1 and decided == made.after_fen):
            skipped += 1  # already decided; the roll has not caught up yet
            continue
        if made.action in PAYING and made.after_fen is not None and not made.steps and not _only_dead(made, fact):
            made = replace(made, steps=readings.steps(fact, made.after_fen))
        by_key[key] = made
    proposals = [*by_key.values(), *propose_alone(found, sources, month, moves), *judge_once(connection, policy, month)]
    if keep_rows:
        proposals += _keeps(connection, month)
    return Judgement(
        proposals,
        _kept(connection),
        skipped,
        [*_gaps(connection, amounts, missing), *doubtful, *found.gaps],
        _unconfirmed(
            amounts, rules, found, [*care, *(income.unconfirmed(used_rules(connection, income)) if income else ())]
        ),
        by_key,
        amounts,
        rules,
        found,
        programmes,
        limits,
        income,
        list(sources.links.values()),
        movement(connection),
    )


def _reached(
    found: Found,
    due: dict[tuple[int, int, str], Due],
    facts: dict[int, dict[str, Any]],
    verdicts: dict[int, dict[str, Any]],
) -> set[int]:
    """Cases whose right amount changes next month by an age that has been reached."""
    return {
        key for (_, key, who), one in due.items()
        if who == AHEAD and one.fen is not None and one.fen != facts[key]["amount_fen"] and key in verdicts and verdicts[key]["fits"]
    }  # fmt: skip


def _only_changed(
    connection: duckdb.DuckDBPyConnection, keys: list[int], found: Found, changed: set[int], others: Collection[int]
) -> list[int]:
    """Takes out the ages reached that change no amount, and the cases of which then nothing is left."""
    for key in [key for key in keys if key in found.of_case and key not in changed]:
        found.of_case[key] = [hit for hit in found.of_case[key] if found.event(hit).amount != "reached"]
        if not found.of_case[key]:
            del found.of_case[key]
    left = [key for key in keys if key in found.of_case or key in others]
    connection.execute("DELETE FROM wanted WHERE NOT list_contains(CAST(? AS BIGINT[]), key)", [left])
    return left


def _asked(event: Any, policy: Policy, month: str) -> bool:
    return in_force(event, policy, first_day(month))


def _spare_grace(connection: duckdb.DuckDBPyConnection, failed: dict[int, list[RuleResult]]) -> None:
    """In grace the income may be over the line: rules that speak of income are not held against the case, unless its head has died."""
    spared = connection.execute(
        "SELECT g.key FROM grace g JOIN facts f USING (key) WHERE g.left_months >= 0 AND NOT f.dead"
    ).fetchall()
    for (key,) in spared:
        kept = [rule for rule in failed.get(key, []) if not any("收入" in word for word in rule.words)]
        if kept:
            failed[key] = kept
        else:
            failed.pop(key, None)


def _due(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, found: Found
) -> dict[tuple[int, int, str], Due]:
    """What the other side of a transfer or a start would be: by (event, case, person; '' the household), and what a case would be once
    an age that was reached counts: by (0, case, ``AHEAD``)."""
    asked: list[tuple[int, int, str, str]] = []
    older: dict[int, list[str]] = {}
    for key, hits in found.of_case.items():
        for hit in hits:
            event = found.event(hit)
            if event.amount == "reached":
                older.setdefault(key, []).append(hit.id_no)
            if event.action == "transfer" and event.to in policy.programmes:
                alone = policy.programmes[event.to].unit == "person"
                asked.append((hit.number, hit.key, hit.id_no if alone else "", event.to))
    asked += [(hit.number, 0, hit.id_no, hit.programme) for hit in found.others if found.event(hit).action == "start"]
    asked = list(dict.fromkeys(asked))
    programmes = dict(
        connection.execute(
            "SELECT key, programme FROM facts WHERE list_contains(CAST(? AS BIGINT[]), key)", [list(older)]
        ).fetchall()
    )
    wishes = [Wish(number, key, id_no, to) for number, (_, key, id_no, to) in enumerate(asked, 1)]
    wishes += [
        Wish(number, key, "", programmes[key], tuple(dict.fromkeys(older[key])))
        for number, key in enumerate(older, len(asked) + 1)
    ]
    made = amounts_as_if(connection, policy, month, wishes)
    return {(0, key, AHEAD): made[number] for number, key in enumerate(older, len(asked) + 1)} | {
        (event, key, id_no if key else f"{id_no}|{to}"): made[number]
        for number, (event, key, id_no, to) in enumerate(asked, 1)
    }


def _only_dead(made: Proposal, fact: dict[str, Any]) -> bool:
    """A stop that follows from a death alone has no sum to show."""
    return made.action == "stop" and bool(fact["dead"])


def _rows(
    connection: duckdb.DuckDBPyConnection, keys: list[int]
) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    """Facts and verdicts of the flagged cases only."""
    connection.execute("CREATE TABLE wanted (key BIGINT)")
    # a list parameter: registering an Arrow table would import pandas, half a second for ``explain``
    connection.execute("INSERT INTO wanted SELECT unnest(CAST(? AS BIGINT[]))", [keys])
    facts = rows_of(
        connection,
        "SELECT f.*, k.who AS kin_who FROM facts f JOIN wanted USING (key) LEFT JOIN kin_case k USING (key)",
    )
    verdicts = rows_of(connection, "SELECT v.* FROM verdict v JOIN wanted USING (key)")
    return {row["key"]: row for row in facts}, {row["key"]: row for row in verdicts}


def _kept(connection: duckdb.DuckDBPyConnection) -> int:
    return int(
        connection.execute(
            "SELECT count(*) FROM verdict v WHERE v.fits AND v.key NOT IN (SELECT key FROM wanted)"
        ).fetchall()[0][0]
    )


def _keeps(connection: duckdb.DuckDBPyConnection, month: str) -> list[Proposal]:
    rows = connection.execute(
        "SELECT f.programme, f.place, f.id_no, f.name, f.amount_fen FROM facts f JOIN verdict v USING (key)"
        " WHERE v.fits AND f.key NOT IN (SELECT key FROM wanted) ORDER BY f.key"
    ).fetchall()
    return [
        Proposal("|".join((month, programme, place, id_no, "keep", str(fen))), month, programme, place, id_no, name, "keep",
                 fen, fen, month, "金额与资格核对相符", "", (), False)
        for programme, place, id_no, name, fen in rows
    ]  # fmt: skip


def _gaps(connection: duckdb.DuckDBPyConnection, amounts: AmountRules, missing: list[str]) -> list[dict[str, Any]]:
    gaps = not_judged(connection)
    return gaps + [
        {"programme": "", "area": "", "cases": 0, "reason": text} for text in dict.fromkeys(amounts.missing + missing)
    ]


def _unconfirmed(
    amounts: AmountRules, rules: list[RuleResult], found: Found, others: Iterable[ParameterValue]
) -> list[ParameterValue]:
    hit = {one.number for hits in found.of_case.values() for one in hits} | {one.number for one in found.others}
    used = [
        *amounts.used,
        *others,
        *(value for rule in rules for value in rule.parameters),
        *(value for one in found.compiled if one.number in hit for value in one.parameters),
    ]
    return sorted(
        {one.name: one for one in used if not one.confirmed}.values(),
        key=lambda one: one.name,
    )


__all__ = ["Hit", "Judgement", "judge", "registers_of"]
