"""What the program made of the quarter, against what was planted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.second_hand import LOW, POOR, Plant, World

RowKey = tuple[str, str, str, str]


def ledger_rows(workspace: Path) -> Counter[RowKey]:
    """Programme, month, town, ID of every row of the record."""
    with sqlite3.connect(workspace / "ledger.db") as store:
        found = store.execute(
            "SELECT b.programme, b.month, r.town, r.id_no FROM roll_row r JOIN batch b USING (batch_id) WHERE b.status = 'active'"
        ).fetchall()
    return Counter((str(a), str(b), str(c), str(d)) for a, b, c, d in found)


def ledger_money(workspace: Path) -> Counter[tuple[str, str]]:
    """分 by programme and month."""
    with sqlite3.connect(workspace / "ledger.db") as store:
        found = store.execute(
            "SELECT b.programme, b.month, sum(r.amount_fen) FROM roll_row r JOIN batch b USING (batch_id) WHERE b.status = 'active' GROUP BY 1, 2"
        ).fetchall()
    return Counter({(str(a), str(b)): int(c or 0) for a, b, c in found})


def fits(plant: Plant, doubt: dict[str, str]) -> bool:
    named = {doubt["id_no_a"], doubt["id_no_b"]} - {""}
    sides = {doubt["programme_a"], doubt["programme_b"]}
    if doubt["kind"] != plant.kind or not named or not named <= plant.persons:
        return False
    match plant.kind:
        case "double":
            return sides == {plant.a, plant.b}
        case "missed":
            return doubt["programme_b"] == plant.b and plant.a in ("", doubt["programme_a"])
        case "claim":
            return doubt["programme_a"] == plant.a and doubt["programme_b"] == plant.b
        case "after_event":
            return plant.a in sides
        case _:
            return len(named) == 2


def score(
    world: World, doubts: Iterable[dict[str, str]]
) -> tuple[list[Plant], list[dict[str, str]], list[dict[str, str]]]:
    """Plants not found, strong doubts that nobody planted, and doubts of any severity about people who must be left alone."""
    doubts = list(doubts)
    lost = [
        p for p in world.plants if not any(fits(p, d) and (not p.strong or d["severity"] == "strong") for d in doubts)
    ]
    unplanned = [d for d in doubts if not any(fits(p, d) for p in world.plants)]
    wrong = [d for d in unplanned if d["severity"] == "strong"]
    legal = [d for d in unplanned if {d["id_no_a"], d["id_no_b"]} & set(world.legal) and d["severity"] != "strong"]
    return lost, wrong, legal


def unfounded_reviews(world: World, proposals: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Changes of money or standing proposed for cases in which nothing was planted: every other amount is exactly due."""
    touched = {id_no for plant in world.plants for id_no in plant.persons} | {id_no for _, id_no in world.reviews}
    heads = {
        p.id_no: case.people[0].id_no
        for roll in world.rolls
        for case in roll.cases
        for p in case.people
        if p.id_no in touched
    }
    return [
        row
        for row in proposals
        if row["action"] not in ("keep", "check")
        and row["programme"] in (LOW, POOR)
        and row["id_no"]
        not in touched
        | set(heads.values())
        | {i for i, why in world.legal.items() if why == "died in the month of the roll"}
    ]
