"""What holds of every amount: an independent sum in fractions, never negative, falling with income, deaf to the order of members, never above the cap."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.review.test_tariffs import _parameter, _with
from tests.review.worlds import World, household
from tests.support import make_id

LOW, DE_FACTO = "subsistence_allowance", "de_facto_orphan_allowance"
STANDARD = {"城市": 76000, "农村": 60000}  # 421002 in October 2026
ELDER, MINOR, SEVERE, ILL = 12000, 9000, 15000, 10000
ADDONS = "".join(
    _parameter(f"分类施保标准_{kind}_{name}", f"value = {fen / 100}")
    for kind in STANDARD
    for name, fen in (("老年人", ELDER), ("未成年人", MINOR), ("重度残疾人", SEVERE), ("重病患者", ILL))
)


def _world(tmp_path: Path, unit: str, up: str) -> World:
    return _with(
        World.make(tmp_path),
        parameters=ADDONS
        + _parameter("低保金取整单位", f"value = {unit}", "元")
        + _parameter("低保金进位取整", f"value = {up}", ""),
    )


def _due(case: dict[str, Any], unit: int, up: bool) -> int:
    """The amount worked out anew, person by person, in fractions."""
    income = Fraction(case["income"], 12 if case["period"] == "year" else 1)
    short = STANDARD[case["kind"]] * len(case["members"]) - income
    if short <= 0:
        return 0
    steps = short / unit
    base = -((-steps) // 1) * unit if up else (steps + Fraction(1, 2)) // 1 * unit
    if base == 0:
        return 0
    extra = 0
    for born, severe, ill in case["members"]:
        age = 2026 - int(born[:4]) - (born[4:] > "1031")
        extra += max(ELDER * (age >= 60), MINOR * (age < 18), SEVERE * severe, ILL * ill)
    return int(base) + extra


def _cases(rng: random.Random, count: int) -> list[dict[str, Any]]:
    made = []
    for _ in range(count):
        # nobody was born in October: the month of a birthday is another test's
        members = [
            (f"{rng.randint(1930, 2025)}{rng.choice((1, 3, 6, 9, 12)):02d}{rng.randint(1, 28):02d}", rng.random() < 0.2, rng.random() < 0.2)
            for _ in range(rng.randint(1, 6))
        ]  # fmt: skip
        kind, period = rng.choice(("城市", "农村")), rng.choice(("month", "year"))
        line = STANDARD[kind] * len(members) * (12 if period == "year" else 1)
        made.append({"members": members, "kind": kind, "period": period, "income": rng.choice((0, line - 1, line, line + 1, rng.randint(0, line)))})  # fmt: skip
    return made


def _put(world: World, cases: list[dict[str, Any]], order: random.Random | None = None) -> list[str]:
    """The cases on one roll, each paid 1 分 so that something is said of all; returns the heads' IDs."""
    heads, rows, disabled, ill = [], [], [], []
    for number, case in enumerate(cases, 1):
        people = [
            {"id_no": make_id(number * 6 + i, born=born), "name": f"成员{number}丿{i}", "severe": severe, "ill": sick}
            for i, (born, severe, sick) in enumerate(case["members"])
        ]  # fmt: skip
        heads.append(people[0]["id_no"])
        disabled += [
            {"id_no": p["id_no"], "name": p["name"], "grade": "二级", "kind": "肢体"} for p in people if p["severe"]
        ]
        ill += [{"id_no": p["id_no"], "name": p["name"]} for p in people if p["ill"]]
        lines = [
            {"id_no": p["id_no"], "name": p["name"], "case_no": number, "lead": 0, "relation": "成员"}
            for p in people[1:]
        ]
        lead = household(number, 1, case["income"], len(people), id_no=people[0]["id_no"], name=people[0]["name"], case_no=number, lead=1,
                         category=case["kind"], income_period=case["period"])  # fmt: skip
        everybody = [lead, *lines]
        if order:
            order.shuffle(everybody)
        rows += everybody
    world.roll(LOW, *rows)
    world.register(
        "disability_certificate",
        *(disabled or [{"id_no": make_id(9), "name": "别人", "grade": "四级", "kind": "肢体"}]),
    )
    world.register("severe_illness", *(ill or [{"id_no": make_id(9), "name": "别人"}]))
    return heads


def _amounts(world: World) -> dict[str, int]:
    world.review()
    found = {}
    for one in world.proposals():
        if one["programme"] == LOW and one["amount_after_fen"] is not None:
            found[one["id_no"]] = one["amount_after_fen"]
            if one["steps"]:
                assert sum(step.get("adds_fen", 0) for step in one["steps"]) == one["amount_after_fen"]
    return found


@pytest.mark.parametrize(
    ("unit", "up", "seed"), [("1", "true", 1), ("0.01", "false", 2), ("0.1", "false", 3), ("10", "true", 4)]
)
def test_every_household_as_worked_out_anew(tmp_path: Path, unit: str, up: str, seed: int) -> None:
    cases = _cases(random.Random(seed), 80)
    world = _world(tmp_path, unit, up)
    heads = _put(world, cases, random.Random(seed + 100))
    found = _amounts(world)
    step = int(Fraction(unit) * 100)
    for head, case in zip(heads, cases, strict=True):
        due = _due(case, step, up == "true")
        assert found.get(head, 1) == due or (due == 1 and head not in found), case


def test_more_income_is_never_more_aid(tmp_path: Path) -> None:
    members = [("19500101", False, False), ("19850101", True, False), ("20160101", False, False)]
    incomes = sorted({0, 1, 17999, 18000, 18001, 60000, 179999, 180000, 180001, *range(3, 180000, 7919)})
    world = _world(tmp_path, "1", "true")
    heads = _put(
        world, [{"members": members, "kind": "农村", "period": "month", "income": income} for income in incomes]
    )
    found = _amounts(world)
    paid = [found.get(head, 1) for head in heads]
    assert paid == sorted(paid, reverse=True)
    assert min(paid) == 0
    assert all(amount >= 0 for amount in paid)


def test_the_order_of_members_says_nothing(tmp_path: Path) -> None:
    cases = _cases(random.Random(7), 60)
    first, second = _world(tmp_path / "a", "1", "true"), _world(tmp_path / "b", "1", "true")
    _put(first, cases)
    _put(second, cases, random.Random(8))
    assert _amounts(first) == _amounts(second)


def test_nobody_passes_the_cap_and_nothing_is_negative(tmp_path: Path) -> None:
    """Children in households of one to six, whatever the household gets: share + allowance ≤ 1400, the allowance ≥ 0, and less by a 分 would do for none."""
    rng = random.Random(11)
    world = _with(World.make(tmp_path), parameters=_parameter("低保金取整单位", "value = 0.01", "元"))
    rows, children = [], {}
    for number in range(1, 81):
        persons, income = rng.randint(1, 6), rng.randint(0, 60000)
        amount = max(0, 60000 * persons - income)
        child = make_id(number, born="20160101")
        children[child] = Fraction(amount, persons)
        rows.append(household(number, amount, income, persons, case_no=number, lead=1))
        rows.append({"id_no": child, "name": f"儿童{number}", "case_no": number, "lead": 0})
    world.roll(LOW, *rows)
    world.roll(
        DE_FACTO, *({"id_no": child, "name": f"儿童{n}", "amount_fen": 140000} for n, child in enumerate(children, 1))
    )
    world.review()
    after = {p["id_no"]: p["amount_after_fen"] for p in world.proposals() if p["programme"] == DE_FACTO}
    for child, share in children.items():
        allowance = after.get(child, 140000)
        assert allowance >= 0
        assert share + allowance <= 140000
        assert share + allowance > 139999
