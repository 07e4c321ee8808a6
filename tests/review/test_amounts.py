"""Amounts worked out by hand: three regions, both sides of a change of standard, years and months, add-ons, tiers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.review.worlds import World, household
from tests.support import make_id

# region, month, what the roll says, (action, after) or None when the roll is right
TOP_UP: list[tuple[str, str, dict[str, Any], tuple[str, int | None] | None]] = [
    # 231025 rural 632: (632 − 1894/3) × 3 is 2.00, not 3
    ("231025", "2026-10", household(1, 200, 189400, 3), None),
    ("231025", "2026-10", household(1, 300, 189400, 3), ("decrease", 200)),
    # the year's income ÷ 12, rounded once: 632×3 − 22727/12 = 2.083… → 3
    ("231025", "2026-10", household(1, 300, 2272700, 3, income_period="year"), None),
    ("231025", "2026-10", household(1, 200, 2272700, 3, income_period="year"), ("increase", 300)),
    ("231025", "2026-10", household(1, 200, 2272800, 3, income_period="year"), None),
    # 421002 rural: 585 until June, 600 from July 2026
    ("421002", "2026-06", household(1, 58500 * 2 - 30000, 30000, 2), None),
    ("421002", "2026-07", household(1, 58500 * 2 - 30000, 30000, 2), ("increase", 90000)),
    ("421002", "2026-06", household(1, 90000, 30000, 2), ("decrease", 87000)),
    ("421002", "2026-07", household(1, 90000, 30000, 2), None),
    ("421002", "2026-07", household(1, 122000, 30000, 2, category="城市"), None),
    # 230321 rural 600 in 2025, 632 from 2026
    ("230321", "2025-12", household(1, 60000, 0, 1), None),
    ("230321", "2026-01", household(1, 60000, 0, 1), ("increase", 63200)),
    # at the standard: nothing is due; one 分 below: one 元 by rounding up
    ("421002", "2026-10", household(1, 10000, 120000, 2), ("stop", 0)),
    ("421002", "2026-10", household(1, 100, 119999, 2), None),
    # words of 城乡 are read by the programme's own table
    ("421002", "2026-10", household(1, 76000, 0, 1, category="城镇"), None),
    # 城乡 not told: either standard is right, anything else is to be checked
    ("421002", "2026-10", household(1, 76000, 0, 1, category=None), None),
    ("421002", "2026-10", household(1, 60000, 0, 1, category=None), None),
    ("421002", "2026-10", household(1, 65000, 0, 1, category=None), ("check", None)),
    # part of the household covered: both readings of the rule are accepted
    ("421002", "2026-10", household(1, 60000, 120000, 3, household_size=4), None),
    ("421002", "2026-10", household(1, 90000, 120000, 3, household_size=4), None),
    ("421002", "2026-10", household(1, 70000, 120000, 3, household_size=4), ("decrease", 60000)),
    # facts missing
    ("421002", "2026-10", household(1, 70000, 0, 1, income_period=None), ("check", None)),
]  # fmt: skip


@pytest.mark.parametrize("place", sorted({case[:2] for case in TOP_UP}), ids="-".join)
def test_top_up(tmp_path: Path, place: tuple[str, str]) -> None:
    region, month = place
    world = World.make(tmp_path, region)
    cases = [
        (row | {"id_no": make_id(number, born="19800101")}, expected)
        for number, (*of, row, expected) in enumerate(TOP_UP, 10)
        if tuple(of) == place
    ]
    # one more household keeps the list's columns known
    world.roll("subsistence_allowance", *(row for row, _ in cases), household(9, 0, 99999900, 1), month=month)
    world.review(month)
    found = {p["id_no"]: p for p in world.proposals(month)}
    for row, expected in cases:
        proposal = found.get(row["id_no"])
        if expected is None:
            assert proposal is None, proposal
            continue
        assert proposal is not None, row
        assert (proposal["action"], proposal["amount_after_fen"]) == expected, proposal
        assert proposal["needs_hearing"] == (expected[0] in ("decrease", "stop"))
        if expected[1] is not None:
            assert sum(step.get("adds_fen", 0) for step in proposal["steps"]) == expected[1]
            standard = proposal["steps"][0]
            assert standard["since"] <= f"{month}-01"
            assert standard["source"]


ELDER, CHILD = make_id(21, born="19500101", area="231025"), make_id(22, born="20150101", area="231025")
TURNS_18, TURNS_60 = make_id(23, born="20081015", area="231025"), make_id(24, born="19661031", area="231025")
TURNED_18 = make_id(25, born="20080930", area="231025")


def _family(*members: str, amount: int, addon: int | None = None, **more: Any) -> list[dict[str, Any]]:
    lead = household(1, amount, 0, len(members) + 1, case_no=1, lead=1, disability_grade=None, addon_fen=addon, **more)
    rest = [
        {"id_no": id_no, "name": f"成员{i}", "case_no": 1, "lead": 0, "category": "农村"}
        for i, id_no in enumerate(members)
    ]
    return [lead, *rest]


# 231025: add-on 104 a person; 632 × n beside it. A disability list is imported and empty of them, and so is one of severe illness
ADDONS = [
    (_family(ELDER, amount=63200 * 2 + 10400), None),
    (_family(ELDER, amount=63200 * 2), ("increase", 63200 * 2 + 10400)),
    (_family(ELDER, CHILD, amount=63200 * 3 + 20800), None),
    (_family(ELDER, CHILD, amount=63200 * 3 + 31200), ("decrease", 63200 * 3 + 20800)),
    # 满 18 次月减: the month of the birthday still counts, the next month is told
    (_family(TURNS_18, amount=63200 * 2 + 10400), ("decrease", 63200 * 2)),
    (_family(TURNS_18, amount=63200 * 2), ("increase", 63200 * 2 + 10400)),
    (_family(TURNS_60, amount=63200 * 2), ("increase", 63200 * 2 + 10400)),  # 满 60 当月加
    (_family(TURNED_18, amount=63200 * 2), None),
    (_family(ELDER, amount=63200 * 2 + 10400, addon=10400, base_fen=63200 * 2), None),
]


def test_add_ons_count_once_a_person(tmp_path: Path) -> None:
    world = World.make(tmp_path, "231025")
    world.register("disability_certificate", {"id_no": make_id(400), "name": "别人", "grade": "一级", "kind": "肢体"})
    world.register("severe_illness", {"id_no": make_id(401), "name": "别人"})
    for number, (rows, _) in enumerate(ADDONS):
        rows[0]["id_no"] = make_id(100 + number, born="19800101")
        world.roll("subsistence_allowance", *rows, area=f"第{number}镇")
    world.review()
    found = {p["id_no"]: p for p in world.proposals()}
    for rows, expected in ADDONS:
        proposal = found.get(rows[0]["id_no"])
        assert (proposal and (proposal["action"], proposal["amount_after_fen"])) == expected
        if proposal:
            assert sum(step.get("adds_fen", 0) for step in proposal["steps"]) == proposal["amount_after_fen"]


def test_severely_disabled_elder_gets_one_add_on(tmp_path: Path) -> None:
    world = World.make(tmp_path, "231025")
    world.register("disability_certificate", {"id_no": ELDER, "name": "成员0", "grade": "一级", "kind": "肢体"})
    world.register("severe_illness", {"id_no": make_id(401), "name": "别人"})
    world.roll("subsistence_allowance", *_family(ELDER, amount=63200 * 2 + 20800))
    world.review()
    assert (world.one()["action"], world.one()["amount_after_fen"]) == ("decrease", 63200 * 2 + 10400)
    assert "一人只计一次" in str(world.one()["steps"])


def _supported(serial: int, amount: int, self_care: str | None, born: str = "19500101", **more: Any) -> dict[str, Any]:
    return {
        "id_no": make_id(serial, born=born),
        "name": f"特困{serial}",
        "amount_fen": amount,
        "self_care": self_care,
        "category": "农村",
    } | more


# 421002 rural: 600 × 1.3 = 780; care 191, 319, 637
CARE = [
    (_supported(1, 97100, "全自理"), None),
    (_supported(1, 97100, "具备生活自理能力"), None),
    (_supported(1, 109900, "半自理"), None),
    (_supported(1, 109900, "部分丧失生活自理能力"), None),
    (_supported(1, 141700, "全护理"), None),
    (_supported(1, 141700, "完全丧失生活自理能力"), None),
    (_supported(1, 141700, "不能自理"), None),
    (_supported(1, 97100, "全护理"), ("increase", 141700)),
    (_supported(1, 141700, "自理"), ("decrease", 97100)),
    (_supported(1, 97100, None), ("check", None)),
    (_supported(1, 117900, "自理", category="城市"), None),  # 760 × 1.3 = 988, + 191
    (_supported(1, 97100, "自理", category=None), None),
    (_supported(1, 117900, "自理", category=None), None),
    (_supported(1, 100000, "自理", category=None), ("check", None)),
]


def test_basic_plus_care(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rows = [row | {"id_no": make_id(number, born="19500101")} for number, (row, _) in enumerate(CARE, 1)]
    world.roll("extreme_poverty_support", *rows)
    world.review()
    found = {p["id_no"]: p for p in world.proposals()}
    for row, (_, expected) in zip(rows, CARE, strict=True):
        proposal = found.get(row["id_no"])
        assert (proposal and (proposal["action"], proposal["amount_after_fen"])) == expected, row
        if proposal and expected and expected[1] is not None:
            assert [s["adds_fen"] for s in proposal["steps"] if "adds_fen" in s] in ([78000, 63700], [78000, 19100])


def test_standard_of_the_care_tier_changes_in_august(tmp_path: Path) -> None:
    world = World.make(tmp_path, "230321")
    row = _supported(1, 82200 + 17200, "自理")  # 632 × 1.3 → 822; care 172 until July, 191 from August 2026
    for month in ("2026-07", "2026-08"):
        world.roll("extreme_poverty_support", row, month=month)
        world.review(month)
    assert world.proposals("2026-07") == []
    assert world.one("2026-08")["amount_after_fen"] == 82200 + 19100


def test_conditions_of_support_are_checked_only_where_known(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    young = _supported(1, 97100, "自理", born="19900101")
    world.roll("extreme_poverty_support", young)
    world.review()
    assert world.proposals() == []  # nothing is known of a disability
    world.register("disability_certificate", {"id_no": make_id(400), "name": "别人", "grade": "二级", "kind": "肢体"})
    world.review()
    assert world.one()["action"] == "check"
    assert "无劳动能力" in world.one()["reasons"]


def test_fixed_amounts_by_grade_and_age(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    old, older = make_id(1, born="19400101"), make_id(2, born="19300101")
    world.roll("old_age_allowance", {"id_no": old, "amount_fen": 5000}, {"id_no": older, "amount_fen": 5000})
    cared = make_id(3)
    world.register("disability_certificate", {"id_no": cared, "name": "某人", "grade": "1", "kind": "肢体"})
    world.roll("disability_care_subsidy", {"id_no": cared, "amount_fen": 10000})
    world.review()
    found = {p["id_no"]: (p["action"], p["amount_after_fen"]) for p in world.proposals()}
    assert found == {older: ("increase", 10000), cared: ("increase", 12000)}


def test_roll_without_income_is_said_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rows = [household(i, 30000, 0, 1, income_fen=None, income_period=None) for i in range(1, 6)]
    world.roll("subsistence_allowance", *rows)
    world.roll(
        "subsistence_allowance",
        *[r | {"grade": "A", "id_no": make_id(i + 50)} for i, r in enumerate(rows)],
        area="白石镇",
    )
    result = world.review()
    assert world.proposals() == []
    reasons = [gap["reason"] for gap in result.not_judged]
    assert len(reasons) == len(set(reasons))
    assert any("没有收入列" in reason for reason in reasons)
    assert any("分档" in reason for reason in reasons)


def test_assets_over_the_limit_are_checked(tmp_path: Path) -> None:
    world = World.make(tmp_path)  # 24 months × 600
    world.roll(
        "subsistence_allowance",
        household(1, 60000, 0, 1, assets_fen=60000 * 24),
        household(2, 60000, 0, 1, assets_fen=60000 * 24 + 1),
        household(3, 60000, 0, 1),
    )
    world.review()
    assert (world.one()["name"], world.one()["action"]) == ("户主2", "check")


def test_unconfirmed_parameters_are_named_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 60000, 0, 1), household(2, 60000, 0, 1))
    names = [one.name for one in world.review().unconfirmed]
    assert "低保标准_农村" in names
    assert len(names) == len(set(names))
