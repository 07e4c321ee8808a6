"""Leads that a clerk has confirmed: what follows for the case (``Event.then``), and the amounts that an event changes by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.review.events import Found, Hit
from jiuzhu_cli.review.readings import rows_of
from jiuzhu_cli.review.tariffs import AmountRules

if TYPE_CHECKING:
    import duckdb

CONFIRMED_RANK = 21


def take_confirmed(connection: duckdb.DuckDBPyConnection, found: Found, leads: Sequence[Mapping[str, Any]]) -> None:
    """Hits whose check was agreed to become what follows: a stop, a transfer, or the person leaves the case (``facts.leaving``).

    The person counts as long as the hit stands: a term of prison that is over brings them back.
    """
    agreed = {
        (one["programme"], one["area"], one["id_no"], code): one["case_id"] for one in leads for code in one["codes"]
    }
    if not agreed:
        return
    cases = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT key, programme, place, id_no, coalesce(covered, 1) FROM facts WHERE list_contains(CAST(? AS BIGINT[]), key)",
            [sorted(found.of_case)],
        ).fetchall()
    }
    leaving: dict[int, set[str]] = {}
    numbers: dict[tuple[int, str], int] = {}
    for key, hits in found.of_case.items():
        programme, place, lead, covered = cases[key]
        for at, hit in enumerate(hits):
            event = found.event(hit)
            code = event.id if hit.id_no == lead else f"{event.id}@{hit.id_no}"
            case_id = agreed.get((programme, place, lead, code))
            if not event.then or case_id is None:
                continue
            alone = covered <= 1
            if event.then == "leave":
                leaving.setdefault(key, set()).add(hit.id_no)
            action = {"stop": "stop", "transfer": "transfer", "leave": "stop" if alone else "check"}[event.then]
            number = numbers.setdefault((hit.number, f"{case_id}{action}"), len(found.compiled))
            if number == len(found.compiled):
                told = {
                    "action": action, "amount": "zero" if action == "stop" else "", "then": "",
                    "rank": CONFIRMED_RANK if action != "check" else 51, "message": f"{case_id} 已核实：{event.message or event.name}",
                }  # fmt: skip
                found.compiled.append(
                    replace(found.compiled[hit.number], number=number, event=event.model_copy(update=told))
                )
            hits[at] = replace(hit, number=number)
        hits.sort(key=lambda hit: (found.event(hit).rank, hit.number, hit.id_no, hit.line))
    for key, ids in leaving.items():
        connection.execute(
            "UPDATE person SET leaves = true FROM facts f WHERE f.key = ? AND person.batch_id = f.batch_id AND person.case_no = f.case_no"
            " AND list_contains(CAST(? AS VARCHAR[]), person.id_no)",
            [key, sorted(ids)],
        )
        connection.execute(
            "UPDATE facts SET leaving = leaving + ? WHERE key = ? AND coalesce(covered, 1) > 1", [len(ids), key]
        )


def changed_amounts(
    connection: duckdb.DuckDBPyConnection,
    found: Found,
    facts: Mapping[int, dict[str, Any]],
    verdicts: Mapping[int, dict[str, Any]],
    rules: AmountRules,
) -> dict[int, dict[str, int]]:
    """By case: ``frozen`` (the amount without add-ons), ``less_share@ID`` (without one person's own share), ``reached@ID`` (as the age
    just reached asks for), in 分; what cannot be told is left out."""
    wanted = {
        key: [(found.event(hit).amount, hit) for hit in hits if found.event(hit).amount in ("frozen", "less_share", "reached")]
        for key, hits in found.of_case.items()
    }  # fmt: skip
    wanted = {key: asked for key, asked in wanted.items() if asked}
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
    for key, asked in wanted.items():
        fact, own = facts[key], addons.get(key, [])
        for amount, hit in asked:
            if amount == "frozen":
                value, name = without_addons(fact, own, rules), "frozen"
            elif amount == "less_share":
                value, name = _less_share(fact, own, hit, rules), f"less_share@{hit.id_no}"
            else:
                value, name = _reached(fact, verdicts.get(key), own, hit), f"reached@{hit.id_no}"
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


def _reached(
    fact: dict[str, Any], verdict: dict[str, Any] | None, addons: Sequence[dict[str, Any]], hit: Hit
) -> int | None:
    """The amount as the age just reached asks for, where the roll still has the amount of before; None where it is right already."""
    before = fact["amount_fen"]
    if verdict is None or before is None or not verdict["fits"]:
        return None
    if fact["by_income"]:
        own = [one for one in addons if one["id_no"] == hit.id_no]
        if len(own) != 1 or own[0]["low"] == own[0]["high"]:
            return None
        step = own[0]["high"] - own[0]["low"]
        older = own[0]["age_months"] is not None and own[0]["age_months"] >= 40 * 12
        if older and before == verdict["low"]:
            return int(before + step)
        return int(before - step) if not older and before == verdict["high"] else None
    others = [one for one in verdict["amounts"] if one != before]
    return int(others[0]) if len(others) == 1 else None
