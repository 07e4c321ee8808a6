"""生存认证: not done in time, suspended the month after; made up, paid again, and told which months may be paid back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.ledger.proposals import effective_changes
from jiuzhu_cli.review.decisions import decide_from
from jiuzhu_cli.review.notices import run_notices
from tests.review.test_decisions import fill
from tests.review.worlds import NOW, World
from tests.support import make_id

OLD = "old_age_allowance"


def old(n: int, **more: Any) -> dict[str, Any]:
    return {"id_no": make_id(n, born="19400101"), "name": f"老{n}", "amount_fen": 5000, "start_month": "2024-01"} | more


def certify(world: World, n: int, day: str, told: str = "已认证", area: str = "") -> None:
    world.register(
        "visit_record", {"id_no": make_id(n, born="19400101"), "name": f"老{n}", "event_date": day, "extra": f'{{"生存认证": "{told}"}}'},
        area=area or f"{n}{day}{told}",
    )  # fmt: skip


def actions(world: World, month: str, today: date) -> dict[str, str]:
    world.review(month, today=today)
    return {p["name"]: p["action"] for p in world.proposals(month)}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


def test_not_certified_in_time_is_suspended_and_made_up_is_paid_again(world: World) -> None:
    rolls = {
        month: [old(1), old(2), old(3, start_month="2026-06")]
        for month in ("2026-07", "2026-08", "2026-09", "2026-10", "2026-11")
    }
    for month, rows in rolls.items():
        world.roll(OLD, *rows, month=month)
    certify(world, 1, "2026-01-10")
    certify(world, 1, "2026-07-02")
    certify(world, 2, "2026-03-05", "未认证")
    assert "老2" in actions(world, "2026-07", date(2026, 7, 20))  # a cycle after the town's first record
    book = world.review("2026-08", today=date(2026, 8, 20)).workbook
    found = {p["name"]: p for p in world.proposals("2026-08")}
    assert [
        (n, p["action"], p["after_fen"] if "after_fen" in p else p["amount_after_fen"], p["needs_hearing"])
        for n, p in found.items()
    ] == [("老2", "stop", 0, 0)]
    assert "生存认证" in found["老2"]["reasons"]
    decide_from(world.store, fill(world, book, {"老2": {"决定": "同意"}}), today=date(2026, 8, 21), now=NOW, actor="李")
    assert [(c.action, c.amount_after_fen) for c in effective_changes(world.store, "2026-09")] == [("stop", 0)]
    told = run_notices(
        world.store, world.workspace, world.policy, "2026-08", today=date(2026, 8, 25), now=NOW, actor="李"
    )
    assert [(n.kind.id, n.recipient) for n in told.notices] == [("stop", "老2")]  # the person, not a family
    assert actions(world, "2026-09", date(2026, 9, 20)) == {}  # decided; nothing new
    certify(world, 2, "2026-10-12")
    book = world.review("2026-10", today=date(2026, 10, 20)).workbook
    back = world.one("2026-10")
    assert (back["action"], back["amount_before_fen"], back["amount_after_fen"], back["effective_month"]) == (
        "start",
        5000,
        5000,
        "2026-11",
    )
    assert "2026-09 至 2026-10（2 个月）可以补发，每月 50.00 元，共 100.00 元" in back["reasons"]
    decide_from(
        world.store, fill(world, book, {"老2": {"决定": "同意"}}), today=date(2026, 10, 21), now=NOW, actor="李"
    )
    assert [(c.action, c.amount_after_fen) for c in effective_changes(world.store, "2026-11")] == [("start", 5000)]
    assert actions(world, "2026-11", date(2026, 11, 20)) == {}


def test_where_nobody_certifies_nobody_is_suspended(world: World) -> None:
    world.roll(OLD, old(1), old(2), month="2026-10")
    world.roll(OLD, old(5), month="2026-10", area="白水镇")
    assert actions(world, "2026-10", date(2026, 10, 20)) == {}
    certify(world, 1, "2026-09-10")  # just begun
    assert actions(world, "2026-10", date(2026, 10, 20)) == {}
    certify(world, 1, "2026-02-10")
    assert actions(world, "2026-10", date(2026, 10, 20)) == {"老2": "stop"}  # not the other town's


def test_who_is_on_no_roll_any_more_is_looked_into(world: World) -> None:
    world.roll(OLD, old(1), old(2), month="2026-10")
    certify(world, 1, "2026-02-10")
    certify(world, 1, "2026-09-10")
    book = world.review("2026-10").workbook
    decide_from(
        world.store, fill(world, book, {"老2": {"决定": "同意"}}), today=date(2026, 10, 22), now=NOW, actor="李"
    )
    world.roll(OLD, old(1), month="2026-12")
    certify(world, 2, "2026-12-02")
    world.review("2026-12", today=date(2026, 12, 20))
    found = [p for p in world.proposals("2026-12") if p["name"] == "老2"]
    assert [p["action"] for p in found] == ["check"]
    assert "名册上没有此人" in found[0]["reasons"]


def test_a_suspension_decided_late_begins_after_the_decision(world: World) -> None:
    """Only a death fixes the month by itself: what was paid meanwhile is not asked back."""
    world.roll(OLD, old(1), old(2), month="2026-08")
    certify(world, 1, "2026-01-10")
    certify(world, 1, "2026-07-10")
    book = world.review("2026-08", today=date(2026, 8, 20)).workbook
    decide_from(world.store, fill(world, book, {"老2": {"决定": "同意"}}), today=date(2026, 11, 3), now=NOW, actor="李")
    assert [p["effective_month"] for p in world.proposals("2026-08")] == ["2026-12"]
