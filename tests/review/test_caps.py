"""Caps (T) and the higher one (H) in the amounts: shares, several children, chains, ties, what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.review.test_tariffs import _found, _parameter, _with
from tests.review.worlds import World, household
from tests.support import make_id

DE_FACTO, DISTRESSED, LOW = "de_facto_orphan_allowance", "distressed_child_allowance", "subsistence_allowance"
LIVING, NURSING, ELDER = "disability_living_subsidy", "disability_care_subsidy", "elder_care_subsidy"
CHILD, SECOND = make_id(31, born="20160101"), make_id(32, born="20170101")


def _child(id_no: str, amount: int, name: str = "儿童甲") -> dict[str, Any]:
    return {"id_no": id_no, "name": name, "amount_fen": amount}


def _family(amount: int, income: int, *children: str) -> list[dict[str, Any]]:
    lead = household(1, amount, income, 1 + len(children), case_no=1, lead=1)
    return [
        lead,
        *(
            {"id_no": c, "name": f"儿童{n}", "case_no": 1, "lead": 0, "category": "农村"}
            for n, c in enumerate(children)
        ),
    ]


# cap 1400; 421002 rural 600 a head
@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        (80000, None), (93080, ("decrease", 80000)), (140000, ("decrease", 80000)), (80001, ("decrease", 80000)),
        (78000, ("check", None)), (0, ("check", None)),
    ],
)  # fmt: skip
def test_the_allowance_beside_subsistence_is_what_the_cap_leaves(
    tmp_path: Path, paid: int, expected: tuple[str, int | None] | None
) -> None:
    world = World.make(tmp_path)
    world.roll(DE_FACTO, _child(CHILD, paid))
    world.roll(LOW, household(1, 60000, 0, 1, id_no=CHILD, name="儿童甲"))
    world.review()
    assert _found(world) == ({CHILD: expected} if expected else {})
    if expected and expected[1] is not None:
        one = world.one()
        assert "合计不超过" in one["reasons"]
        assert "补差" in one["basis"]
        step = next(step for step in one["steps"] if step["label"] == "合计封顶补差")
        assert (step["parameter"], step["since"], step["adds_fen"]) == (
            "低保与事实无人抚养合计封顶",
            "2024-01-01",
            -60000,
        )


def test_a_place_that_raises_to_the_cap_says_so(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    (world.workspace.root / "policy").mkdir(exist_ok=True)
    (world.workspace.root / "policy" / "relations.toml").write_text(
        '[[relations]]\nid = "A08"\nbelow = "increase"\n', encoding="utf-8"
    )
    _with(world)
    world.roll(DE_FACTO, _child(CHILD, 50000))
    world.roll(LOW, household(1, 60000, 0, 1, id_no=CHILD, name="儿童甲"))
    world.review()
    assert _found(world) == {CHILD: ("increase", 80000)}


def test_a_share_is_an_exact_fraction_and_the_sum_never_passes_the_cap(tmp_path: Path) -> None:
    """632 × 3 − 1894 = 2.00 for three: 0.666… a head leaves 1399.33, not 1399.34; whole 元 are right, too."""
    world = World.make(tmp_path, "231025")
    _with(world, "231025", parameters=_parameter("低保与事实无人抚养合计封顶", "value = 1400").replace("421002", "231025")
          + "".join(_parameter(f"分类施保标准_农村_{w}", "value = 0").replace("421002", "231025") for w in ("老年人", "未成年人", "重度残疾人", "重病患者")))  # fmt: skip
    world.roll(LOW, *_family(200, 189400, CHILD, SECOND))
    world.roll(DE_FACTO, _child(CHILD, 140000), _child(SECOND, 139933), area="一镇")
    world.roll(DE_FACTO, _child(make_id(33, born="20160101"), 139900), area="二镇")
    world.review()
    assert _found(world)[CHILD] == ("decrease", 139933)
    assert SECOND not in _found(world)
    world.roll(DE_FACTO, _child(CHILD, 139900), _child(SECOND, 139934), area="三镇")
    world.review()
    assert _found(world)[SECOND] == ("decrease", 139933)


def test_a_household_whose_amount_is_wrong_is_counted_by_what_it_should_be(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(LOW, *_family(90000, 0, CHILD))  # 1200 is due, 600 a head
    world.roll(DE_FACTO, _child(CHILD, 95000))
    world.review()
    assert _found(world) == {make_id(1, born="19800101"): ("increase", 120000), CHILD: ("decrease", 80000)}


def test_an_amount_above_the_cap_leaves_nothing(tmp_path: Path) -> None:
    world = _with(World.make(tmp_path), parameters=_parameter("低保与事实无人抚养合计封顶", "value = 500"))
    world.roll(LOW, household(1, 60000, 0, 1, id_no=CHILD, name="儿童甲"))
    world.roll(DE_FACTO, _child(CHILD, 20000))
    world.review()
    assert _found(world) == {CHILD: ("stop", 0)}


def test_a_household_that_cannot_be_computed_leaves_the_child_unjudged(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(LOW, household(1, 50000, 0, 1, category=None, id_no=CHILD, name="儿童甲"))  # neither standard
    world.roll(DE_FACTO, _child(CHILD, 140000))
    world.review()
    assert {one["programme"]: one["action"] for one in world.proposals()} == {LOW: "check"}


def test_beside_the_margin_status_the_whole_cap_is_left(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        "low_income_margin",
        household(1, None, 150000, 2, case_no=1, lead=1),
        {"id_no": CHILD, "name": "儿童甲", "case_no": 1, "lead": 0},
    )  # type: ignore[arg-type]
    world.roll(DISTRESSED, _child(CHILD, 140000))
    world.review()
    assert _found(world) == {}


def test_relations_follow_each_other(tmp_path: Path) -> None:
    """低保 600 → 事实无人抚养 800 → 生活补贴 at most 1400 − 800, which is more than its 80; in full (X) nothing is computed."""
    world = World.make(tmp_path)
    world.register("disability_certificate", {"id_no": CHILD, "name": "儿童甲", "grade": "二级", "kind": "肢体"})
    world.roll(LOW, household(1, 60000, 0, 1, id_no=CHILD, name="儿童甲"))
    world.roll(DE_FACTO, _child(CHILD, 140000))
    world.roll(LIVING, _child(CHILD, 8000))
    world.review()
    assert {(p["programme"], p["action"], p["amount_after_fen"]) for p in world.proposals()} == {
        (DE_FACTO, "decrease", 80000)
    }
    _with(world, parameters=_parameter("事实无人抚养儿童标准", "value = 850"))
    world.review()  # 850 − 800 leaves 50 of the 80
    assert {(p["programme"], p["action"], p["amount_after_fen"]) for p in world.proposals()} == {
        (DE_FACTO, "decrease", 80000), (LIVING, "decrease", 5000)
    }  # fmt: skip


OLD = make_id(41, born="19500101")


@pytest.mark.parametrize(
    ("elder", "expected"),
    [
        (200, {(NURSING, "stop", 0)}),
        (90, {(ELDER, "stop", 0)}),
        (120, {(NURSING, "stop", 0)}),  # of two equal ones the one named second
    ],
)
def test_the_lower_of_two_is_not_paid(tmp_path: Path, elder: int, expected: set[tuple[str, str, int]]) -> None:
    world = _with(World.make(tmp_path), parameters=_parameter("养老护理补贴标准", f"value = {elder}"))
    world.register("disability_certificate", {"id_no": OLD, "name": "老人", "grade": "一级", "kind": "肢体"})  # 120
    world.roll(ELDER, _child(OLD, elder * 100, "老人"))
    world.roll(NURSING, _child(OLD, 12000, "老人"))
    world.review()
    assert {(p["programme"], p["action"], p["amount_after_fen"]) for p in world.proposals()} == expected
    assert "择高" in world.one()["reasons"]
    assert world.one()["needs_hearing"]
    assert [s["adds_fen"] for s in world.one()["steps"] if "adds_fen" in s] in ([12000, -12000], [9000, -9000])


def test_where_the_place_says_difference_the_higher_one_is_what_is_above(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    (world.workspace.root / "policy").mkdir(exist_ok=True)
    (world.workspace.root / "policy" / "relations.toml").write_text(
        '[[relations]]\nid = "A21"\nsettle = "difference"\n', encoding="utf-8"
    )
    _with(world, parameters=_parameter("养老护理补贴标准", "value = 200"))
    world.register("disability_certificate", {"id_no": OLD, "name": "老人", "grade": "一级", "kind": "肢体"})
    world.roll(ELDER, _child(OLD, 20000, "老人"))
    world.roll(NURSING, _child(OLD, 12000, "老人"))
    world.review()
    assert {(p["programme"], p["action"], p["amount_after_fen"]) for p in world.proposals()} == {
        (ELDER, "decrease", 8000)
    }


def test_all_others_under_one_cap_are_taken_off_together(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    (world.workspace.root / "policy").mkdir(exist_ok=True)
    (world.workspace.root / "policy" / "relations.toml").write_text(
        '[[relations]]\nid = "Z1"\na = "orphan_allowance"\nb = "distressed_child_allowance"\nkind = "T"\ncap = "孤儿基本生活标准_散居"\nbasis = "某文"\n',
        encoding="utf-8",
    )
    _with(
        world,
        parameters=_parameter("孤儿基本生活标准_集中", "value = 300") + _parameter("困境儿童生活费标准", "value = 900"),
    )
    world.roll(LOW, household(1, 60000, 0, 1, id_no=CHILD, name="儿童甲"))
    world.roll("orphan_allowance", _child(CHILD, 30000) | {"category": "集中"})
    world.roll(DISTRESSED, _child(CHILD, 90000))
    world.review()
    assert _found(world) == {CHILD: ("decrease", 50000)}  # 1400 − 600 − 300
    step = next(step for step in world.one()["steps"] if step["label"] == "合计封顶补差")
    assert step["how"] == "合计不超过 1400.00，减去最低生活保障 600.00、孤儿基本生活费 300.00，不足一分的舍去"
    assert step["relation"] == "A10、Z1"
