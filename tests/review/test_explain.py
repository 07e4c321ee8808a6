"""One person explained: what is said is what is done; and the visit lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl

from jiuzhu_cli.cli.privacy import masked
from jiuzhu_cli.core.mask import find_personal_numbers
from jiuzhu_cli.ledger.people import find_person
from jiuzhu_cli.review.due import run_due
from jiuzhu_cli.review.explain import explain_person
from tests.review.worlds import MONTH, NOW, TODAY, World, household
from tests.support import make_id


def explain(world: World, text: str, month: str = "") -> dict[str, Any]:
    return explain_person(world.store, world.policy, find_person(world.store, text), month, today=TODAY)


def test_same_as_the_run(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rows = [
        household(1, 65000, 30000, 2, assets_fen=100),
        household(2, 90000, 30000, 2),
        household(3, 10000, 70000, 1),
        household(4, 60000, None, 1, income_fen=None),
    ]
    world.roll("subsistence_allowance", *rows)
    world.review()
    made = {p["id_no"]: p for p in world.proposals()}
    for row in rows:
        told = explain(world, row["id_no"])["programmes"][0]
        if row["id_no"] in made:
            one = made[row["id_no"]]
            assert (told["proposal"]["action"], told["proposal"]["amount_after_fen"], told["proposal"]["reasons"]) == (
                one["action"],
                one["amount_after_fen"],
                one["reasons"],
            )
        else:
            assert told["proposal"] is None
            assert told["should"]["fits"]
            assert sum(step.get("adds_fen", 0) for step in told["should"]["steps"]) == row["amount_fen"]
    first = explain(world, "户主1")
    rules = {one["rule"]: one for one in first["rules"]}
    assert rules["收入低于标准"]["result"] == "pass"
    assert rules["收入低于标准"]["values"] == {"家庭人均月收入": "150.00", "当地低保标准": "600.00"}
    assert rules["收入低于标准"]["source"]
    assert rules["金融资产未超限"]["thresholds"]["金融资产月数"]["value"] == "24"
    assert first["programmes"][0]["source"]["row"] == 2
    assert explain(world, "户主3")["rules"][0]["result"] == "fail"


def test_entitlements(tmp_path: Path) -> None:
    """Satisfied, absent, barred, unknown."""
    world = World.make(tmp_path)
    has, lacks, barred = (make_id(i) for i in (1, 2, 3))
    grade = {"grade": "2", "kind": "肢体", "name": "某人"}
    world.register("disability_certificate", *({"id_no": i} | grade for i in (has, lacks, barred)))
    world.roll(
        "subsistence_allowance",
        household(1, 60000, 0, 1, id_no=has, name="某甲"),
        household(2, 60000, 0, 1, id_no=lacks, name="某乙"),
    )
    world.roll("extreme_poverty_support", {"id_no": barred, "name": "某丙", "amount_fen": 97100})
    world.roll("disability_living_subsidy", {"id_no": has, "name": "某甲", "amount_fen": 8000})
    found = {
        name: {e["due"]: e["status"] for e in explain(world, name)["entitlements"]} for name in ("某甲", "某乙", "某丙")
    }
    assert found["某甲"]["disability_living_subsidy"] == "satisfied"
    assert found["某乙"]["disability_living_subsidy"] == "absent"
    assert found["某乙"]["disability_care_subsidy"] == "unknown"  # its roll is not imported
    assert found["某丙"]["disability_care_subsidy"] == "barred"


def test_a_list_column_is_known_from_the_whole_list(tmp_path: Path) -> None:
    """One case alone does not tell whether the list has an income column."""
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 60000, 0, 1), household(2, 60000, 0, 1, income_fen=None))
    assert explain(world, "户主2")["programmes"][0]["proposal"]["action"] == "check"


def test_member_and_absent_month(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    mate = {"id_no": make_id(10), "name": "成员", "case_no": 1, "lead": 0}
    world.roll("subsistence_allowance", household(1, 120000, 0, 2, case_no=1), mate)
    told = explain(world, "成员")
    assert told["programmes"][0]["case"]["lead_name"] == "户主1"
    assert told["programmes"][0]["should"]["fits"]
    assert explain(world, "成员", "2026-01")["programmes"] == []


def test_masked_on_a_screen(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 65000, 0, 1, account_no="6217000010001234567", phone="13800138000", address="一组 5 号")
    world.roll("subsistence_allowance", row)
    world.register("death", {"id_no": row["id_no"], "name": "户主1", "event_date": "2026-09-01"})
    world.review()
    shown = str(masked(explain(world, "户主1")))
    assert find_personal_numbers(shown) == []
    assert "户主1" not in shown
    assert "最低生活保障" in shown


def test_visit_list(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        "subsistence_allowance",
        household(1, 60000, 0, 1, start_month="2025-10"),  # twelve months: due
        household(2, 60000, 0, 1, start_month="2025-11"),
        household(3, 60000, 0, 1, village="二村"),  # no date: due
    )
    result = run_due(world.store, world.workspace, world.policy, MONTH, today=TODAY, now=NOW, actor="张经办")
    assert (result.due, result.unknown) == (2, 1)
    assert result.by_village == {"青溪镇/一村": 1, "青溪镇/二村": 1}
    sheet = openpyxl.load_workbook(result.workbook)["青溪镇"]
    assert "户主1" in [str(c.value) for row in sheet.iter_rows() for c in row]
