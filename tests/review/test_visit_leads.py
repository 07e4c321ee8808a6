"""What visitors found becomes leads of the next review: nothing is stopped by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.review.worlds import World, household
from tests.support import make_id

LOW = "subsistence_allowance"


def visited(world: World, area: str = "", **cells: Any) -> None:
    base = {"id_no": make_id(1, born="19800101"), "name": "户主1", "event_date": "2026-10-02"}
    world.register("visit_record", base | cells, area=area)


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"status": "收入变化"}, "入户走访发现变化"),
        ({"status": "财产变化、家庭人口变化"}, "入户走访发现变化"),
        ({"status": "已就业"}, "入户走访发现变化"),
        ({"status": "无变化"}, ""),
        ({"status": "收入无变化"}, ""),
        ({"status": "未就业"}, ""),
        ({"status": "无人在家"}, ""),
        ({"status": "拒绝入户"}, "拒绝入户核查"),
        ({"status": "已去世"}, "入户得知已去世"),
        ({"status": "已搬离"}, "已搬离"),
        ({"status": "无变化", "amount_fen": 10000}, "家庭月收入与花名册不同"),
        ({"status": "无变化", "amount_fen": 0}, ""),
        ({"status": "无变化", "extra": '{"现家庭人口": "3人"}'}, "家庭人口与花名册不同"),
        ({"status": "无变化", "extra": '{"现家庭人口": "1"}'}, ""),
        ({"status": "收入变化", "event_date": "2026-01-02"}, ""),  # long ago
        ({"status": "收入变化", "event_date": None}, ""),  # not visited
    ],
)
def test_leads(tmp_path: Path, cells: dict[str, Any], word: str) -> None:
    world = World.make(tmp_path)
    world.roll(LOW, household(1, 60000, 0, 1), household(2, 60000, 0, 1))
    visited(world, **cells)
    world.review()
    found = world.proposals()
    assert [(p["action"], p["name"]) for p in found] == ([("check", "户主1")] if word else [])
    assert not word or word in found[0]["reasons"]


def test_a_later_visit_without_a_change_ends_the_lead(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(LOW, household(1, 60000, 0, 1))
    visited(world, status="收入变化")
    visited(world, "青溪镇", status="无变化", event_date="2026-10-20")
    world.review()
    assert world.proposals() == []
