"""Leads that a clerk has confirmed: what follows for the case (``Event.then``), and the amounts that an event changes by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.model import Event
from jiuzhu_cli.review.events import Found, Hit
from jiuzhu_cli.review.readings import rows_of
from jiuzhu_cli.review.tariffs import AmountRules

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

CONFIRMED_RANK = 21
MONTHS = "线索复核间隔月数"


def lead_months(policy: Policy, month: str) -> int:
    """For how many months a decision on a lead holds while the register's lines stay the same."""
    value = policy.parameter_or_none(MONTHS, first_day(month))
    return int(value.value) if value is not None and not isinstance(value.value, bool) else 12


def code_of(event: Event, hits: Sequence[Hit], lead: str, lines: Mapping[int, Mapping[str, Any]]) -> str:
    """By what a later month knows again what was found: the event, the person who is not the lead, and which lines showed it (not what
    they were worth that day)."""
    hit = hits[0]
    named = event.id if hit.id_no == lead else f"{event.id}@{hit.id_no}"
    told = sorted(
        "\0".join(str(lines[one.line][name] or "") for name in ("register", "kind", "organisation", "certificate_no", "valid_from"))
        for one in hits
        if one.line in lines
    )  # fmt: skip
    return f"{named}#{hashlib.sha256('|'.join(told).encode()).hexdigest()[:8]}" if told else named


def take_decided(connection: duckdb.DuckDBPyConnection, found: Found, leads: Sequence[Mapping[str, Any]]) -> None:
    """What clerks have decided on the same lines: a lead agreed to becomes what follows (``Event.then``: a stop, a transfer, or the person
    leaves the case, as long as the hit stands); any other lead that was decided is not raised again. Makes ``held`` (``key, amount_fen``): the
    amount that a decision has left a case, which no standard explains."""
    known: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for one in leads:
        known.setdefault((one["programme"], one["area"], one["id_no"]), {}).update(dict.fromkeys(one["codes"], one))
    cases = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT key, programme, place, id_no, coalesce(covered, 1) FROM facts WHERE list_contains(CAST(? AS BIGINT[]), key)",
            [sorted(found.of_case)],
        ).fetchall()
    }
    leaving: dict[int, set[str]] = {}
    numbers: dict[tuple[int, str], int] = {}
    held: list[tuple[int, int]] = []
    for key, hits in list(found.of_case.items()):
        programme, place, lead, covered = cases[key]
        decided = known.get((programme, place, lead), {})
        if not decided:
            continue
        kept: list[Hit] = []
        for group in _groups(hits):
            event = found.event(group[0])
            was = decided.get(code_of(event, group, lead, found.lines))
            if was is None or not (event.registers or event.then):
                kept += group
            elif was["action"] == "check" and was["state"] == "agreed" and event.then:
                number = _confirmed(found, group[0], str(was["case_id"]), covered <= 1, numbers)
                if event.then == "leave":
                    leaving.setdefault(key, set()).add(group[0].id_no)
                kept += [replace(hit, number=number) for hit in group]
            elif was["state"] == "effective" and event.amount == "less_share":
                held.append((key, int(was["after_fen"])))
            elif was["action"] != "check" and event.then:
                kept += group  # it was only told beside what was decided
        found.of_case[key] = sorted(kept, key=lambda hit: (found.event(hit).rank, hit.number, hit.id_no, hit.line))
        if not kept:
            del found.of_case[key]
    connection.execute("CREATE TABLE held (key BIGINT, amount_fen BIGINT)")
    if held:
        connection.executemany("INSERT INTO held VALUES (?,?)", [list(one) for one in held])
    for key, ids in leaving.items():
        connection.execute(
            "UPDATE person SET leaves = true FROM facts f WHERE f.key = ? AND person.batch_id = f.batch_id AND person.case_no = f.case_no"
            " AND list_contains(CAST(? AS VARCHAR[]), person.id_no)",
            [key, sorted(ids)],
        )
        connection.execute(
            "UPDATE facts SET leaving = leaving + ? WHERE key = ? AND coalesce(covered, 1) > 1", [len(ids), key]
        )


def _groups(hits: Sequence[Hit]) -> list[list[Hit]]:
    """Hits of one event and person together, in their order."""
    made: dict[tuple[int, str], list[Hit]] = {}
    for hit in hits:
        made.setdefault((hit.number, hit.id_no), []).append(hit)
    return list(made.values())


def _confirmed(found: Found, hit: Hit, case_id: str, alone: bool, numbers: dict[tuple[int, str], int]) -> int:
    """The number of the event as it is once confirmed."""
    event = found.event(hit)
    action = {"stop": "stop", "transfer": "transfer", "leave": "stop" if alone else "check"}[event.then]
    number = numbers.setdefault((hit.number, f"{case_id}{action}"), len(found.compiled))
    if number == len(found.compiled):
        told = {
            "action": action, "amount": "zero" if action == "stop" else "", "then": "",
            "rank": CONFIRMED_RANK if action != "check" else 51, "message": f"{case_id} 已核实：{event.message or event.name}",
        }  # fmt: skip
        found.compiled.append(replace(found.compiled[hit.number], number=number, event=event.model_copy(update=told)))
    return number


def changed_amounts(
    connection: duckdb.DuckDBPyConnection,
    found: Found,
    facts: Mapping[int, dict[str, Any]],
    rules: AmountRules,
) -> dict[int, dict[str, int]]:
    """By case: ``frozen`` (the amount without add-ons) and ``less_share@ID`` (without one person's own share), in 分; what cannot be told
    is left out."""
    wanted = {
        key: [hit for hit in hits if found.event(hit).amount in ("frozen", "less_share")] for key, hits in found.of_case.items()
    }  # fmt: skip
    wanted = {key: hits for key, hits in wanted.items() if hits}
    if not wanted:
        return {}
    addons: dict[int, list[dict[str, Any]]] = {}
    for row in rows_of(
        connection,
        "SELECT a.* FROM addon_person a JOIN facts f USING (key) WHERE list_contains(CAST(? AS BIGINT[]), key)"
        " AND (f.town_kind IS NULL OR a.kind = f.town_kind) ORDER BY key, id_no",
        [sorted(wanted)],
    ):
        addons.setdefault(row["key"], []).append(row)
    made: dict[int, dict[str, int]] = {}
    for key, hits in wanted.items():
        fact, own = facts[key], addons.get(key, [])
        for hit in hits:
            if found.event(hit).amount == "frozen":
                value, name = without_addons(fact, own, rules), "frozen"
            else:
                value, name = _less_share(fact, own, hit, rules), f"less_share@{hit.id_no}"
            if value is not None:
                made.setdefault(key, {})[name] = value
    return made


def without_addons(fact: dict[str, Any], addons: Iterable[dict[str, Any]], rules: AmountRules) -> int | None:
    """The household's amount without 分类施保: as the list states them, else as far as the persons' add-ons are certain."""
    amount: int | None = fact["amount_fen"]
    if amount is None:
        return None
    if fact["addon_fen"] is not None:
        return int(amount - fact["addon_fen"])
    if fact["base_fen"] is not None:
        return int(fact["base_fen"])
    if not any(line.per == "member" and line.programme == fact["programme"] for line in rules.lines):
        return amount
    mine = list(addons)
    low, high = sum(one["low"] for one in mine), sum(one["high"] for one in mine)
    complete = fact["listed"] >= (fact["covered"] or fact["listed"])
    return amount - low if low == high and complete and amount >= low else None


def _less_share(fact: dict[str, Any], addons: Sequence[dict[str, Any]], hit: Hit, rules: AmountRules) -> int | None:
    """The case's amount without one person's own: an equal part of the household's amount, and that person's add-on."""
    persons = fact["covered"]
    base = without_addons(fact, addons, rules)
    if not persons or base is None:
        return None
    if persons == 1:
        return 0
    extra = int(fact["amount_fen"]) - base
    own = sum(one["low"] for one in addons if one["id_no"] == hit.id_no)
    settings = rules.settings[fact["programme"]]
    top, bottom, unit = base * (persons - 1), persons, settings.unit_fen
    if settings.round_up:
        left = (top + bottom * unit - 1) // (bottom * unit) * unit
    else:
        left = (2 * top + bottom * unit) // (2 * bottom * unit) * unit
    return left + max(0, extra - own)
