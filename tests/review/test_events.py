"""Events as data: what registers and time bring about, told once a case; a bureau's own file adds one without any code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jiuzhu_cli.policy.load import load_policy
from tests.review.worlds import World, household

OWN = """
[[events]]
id = "own-gift"
name = "赠与收入"
on = ["subsistence_allowance"]
registers = ["deposit"]
lines = "名单种类 like '%赠与%'"
when = "全户合计 > 当地低保标准 * 2"
message = "{姓名}收到大额赠与，请核实"
source = "某民发〔2026〕1号"
"""


def own_world(folder: Path, text: str = OWN) -> World:
    """A bureau with its own events file."""
    world = World.make(folder)
    (world.workspace.root / "policy").mkdir(exist_ok=True)
    (world.workspace.root / "policy" / "events.toml").write_text(text, "utf-8")
    world.policy = load_policy(world.workspace.root / "policy", region="421002")
    return world


def member(serial: int, case: int, **more: Any) -> dict[str, Any]:
    row = household(serial, 0, 0, 1)
    return {"id_no": row["id_no"], "name": f"成员{serial}", "case_no": case, "lead": 0, "category": "农村"} | more


def test_a_bureaus_own_event_sums_a_household(tmp_path: Path) -> None:
    world = own_world(tmp_path)
    head, mate = household(1, 120000, 0, 2, case_no=1), member(2, 1)
    other = household(3, 60000, 0, 1, case_no=3)
    world.roll("subsistence_allowance", head, mate, other)
    world.register(
        "deposit",
        {"id_no": head["id_no"], "name": head["name"], "kind": "赠与", "amount_fen": 70000},
        {"id_no": mate["id_no"], "name": mate["name"], "kind": "赠与", "amount_fen": 60000},
        {"id_no": other["id_no"], "name": other["name"], "kind": "赠与", "amount_fen": 110000},
    )
    world.review()
    one = world.one()
    assert (one["id_no"], one["action"], one["amount_after_fen"]) == (head["id_no"], "check", None)
    assert "合计 1300.00 元" in one["reasons"] or "合计 1,300.00 元" in one["reasons"]
    assert "第 2 行" in one["reasons"] and "某民发〔2026〕1号" in one["basis"]


def test_namesake_is_no_hit(tmp_path: Path) -> None:
    world = own_world(tmp_path)
    head = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", head)
    world.register(
        "deposit", {"id_no": household(9, 0, 0, 1)["id_no"], "name": head["name"], "kind": "赠与", "amount_fen": 900000}
    )
    world.review()
    assert world.proposals() == []
