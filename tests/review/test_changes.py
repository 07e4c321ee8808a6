"""What happens to cases: deaths, decided doubts, kin, missing facts; and what a second run makes of the first."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.review.output import CSV_HEADER
from tests.review.worlds import World, household
from tests.support import make_id

GOLDEN = Path(__file__).parent.parent / "golden" / "review"


def member(serial: int, case: int, **more: Any) -> dict[str, Any]:
    base = {
        "id_no": make_id(serial, born="19820101"),
        "name": f"成员{serial}",
        "case_no": case,
        "lead": 0,
        "category": "农村",
    }
    return base | more


def dead(row: dict[str, Any], day: str = "2026-09-03", **more: Any) -> dict[str, Any]:
    return {"id_no": row["id_no"], "name": row["name"], "event_date": day} | more


def doubt(store: Any, **values: Any) -> None:
    """A decided doubt as dedupe leaves it."""
    row = {
        "doubt_id": "D000001", "doubt_key": "k", "kind": "double", "code": "double_exclusive", "severity": "strong", "month_from": "2026-10",
        "month_to": "2026-10", "id_no_a": "", "name_a": "", "programme_a": "", "area_a": "", "source_a": "", "id_no_b": "", "name_b": "",
        "programme_b": "", "area_b": "", "source_b": "", "amount_fen": 0, "evidence": "", "basis": "《特困人员认定办法》", "state": "open",
        "disposition": "pending", "run_month": "2026-10", "first_seen": "", "last_seen": "",
    } | values  # fmt: skip
    with store.transaction(actor="测试", command="test") as tx:
        tx.execute(f"INSERT INTO doubt ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values()))
        tx.execute(
            "INSERT INTO doubt_month (doubt_id, month, amount_fen) VALUES (?, ?, 0)",
            (row["doubt_id"], row["month_from"]),
        )
        tx.journal("doubt:D000001", {})


def test_deaths(tmp_path: Path) -> None:
    """Alone: stop from the month after. Member: recomputed. Head: old case closed. All: stop. In the month: rightly paid once more."""
    world = World.make(tmp_path)
    alone = household(1, 60000, 0, 1, case_no=1)
    head, mate = household(2, 120000, 0, 2, case_no=2), member(20, 2)
    widow, man = household(3, 120000, 0, 2, case_no=3), member(30, 3)
    last, other = household(4, 120000, 0, 2, case_no=4), member(40, 4)
    living = household(5, 60000, 0, 1, case_no=5)
    world.roll("subsistence_allowance", alone, head, mate, widow, man, last, other, living)
    old = {"id_no": make_id(6, born="19400101"), "name": "高龄", "amount_fen": 5000}
    world.roll("old_age_allowance", old)
    world.register(
        "death",
        dead(alone),
        dead(mate, "2026-08-31"),
        dead(widow, "2026-10-05"),
        dead(last, "2026-07-01"),
        dead(other, "2026-09-30"),
        dead(old, "2026-10-02"),
    )
    world.review()
    found = {p["id_no"]: p for p in world.proposals()}

    def told(row: dict[str, Any]) -> tuple[Any, ...]:
        p = found[row["id_no"]]
        return p["action"], p["amount_after_fen"], p["needs_hearing"], p["effective_month"]

    assert told(alone) == ("stop", 0, 0, "2026-10")
    assert told(head) == ("decrease", 60000, 1, "2026-11")
    assert told(widow) == ("transfer", 60000, 1, "2026-11")
    assert "旧户至 2026-10 止，新户自 2026-11 起" in found[widow["id_no"]]["reasons"]  # neither gap nor overlap
    assert told(last) == ("stop", 0, 0, "2026-10")
    assert told(old) == ("stop", 0, 0, "2026-11")
    assert living["id_no"] not in found
    assert "死亡" in found[alone["id_no"]]["basis"]
    assert "书面告知家属" in found[alone["id_no"]]["reasons"]
    assert sum(s.get("adds_fen", 0) for s in found[head["id_no"]]["steps"]) == 60000


def test_death_after_the_month_is_not_yet_told(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", row)
    world.register("death", dead(row, "2026-11-02"))
    world.review()
    assert world.proposals() == []


def test_same_id_under_another_name_is_checked_not_stopped(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", row)
    world.register("death", dead(row) | {"name": "另一人"})
    world.review()
    assert world.one()["action"] == "check"


def test_head_only_list_keeps_the_others(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 180000, 0, 3)
    world.roll("subsistence_allowance", row)
    world.register("death", dead(row))
    world.review()
    assert (world.one()["action"], world.one()["amount_after_fen"]) == ("transfer", 120000)


def test_death_of_a_member_without_income_is_checked(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = household(1, 70000, 0, 2, income_fen=None, income_period=None, case_no=1), member(10, 1)
    world.roll("subsistence_allowance", head, mate)
    world.register("death", dead(mate))
    world.review()
    assert (world.one()["action"], world.one()["amount_after_fen"]) == ("check", None)


def test_decided_doubt_becomes_a_stop_to_be_heard(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = {
        "id_no": make_id(1, born="19500101"),
        "name": "某人",
        "amount_fen": 97100,
        "self_care": "自理",
        "category": "农村",
    }
    world.roll("extreme_poverty_support", row)
    world.roll("subsistence_allowance", household(1, 60000, 0, 1, id_no=row["id_no"], name="某人"))
    doubt(
        world.store, id_no_a=row["id_no"], programme_a="subsistence_allowance", area_a="青溪镇", id_no_b=row["id_no"],
        programme_b="extreme_poverty_support", area_b="青溪镇", disposition="stop_a",
    )  # fmt: skip
    world.review()
    one = world.one()
    assert (one["programme"], one["action"], one["needs_hearing"]) == ("subsistence_allowance", "stop", 1)
    assert "D000001" in one["reasons"]
    assert "48条" in one["basis"]


def test_decided_doubt_of_a_member_cuts_the_household(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = household(1, 120000, 0, 2, case_no=1), member(10, 1)
    world.roll("subsistence_allowance", head, mate)
    doubt(
        world.store,
        id_no_b=mate["id_no"],
        programme_b="subsistence_allowance",
        area_b="青溪镇",
        disposition="stop_b",
        programme_a="orphan_allowance",
    )
    world.review()
    assert (world.one()["action"], world.one()["amount_after_fen"], world.one()["needs_hearing"]) == (
        "decrease",
        60000,
        1,
    )


def test_decided_doubt_stops_only_its_own_town(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", row, area="青溪镇")
    world.roll("subsistence_allowance", row, area="白石镇")
    doubt(
        world.store, id_no_a=row["id_no"], programme_a="subsistence_allowance", area_a="青溪镇", id_no_b=row["id_no"],
        programme_b="subsistence_allowance", area_b="白石镇", disposition="stop_b",
    )  # fmt: skip
    world.review()
    assert world.one()["area"].startswith("白石镇")


def test_kin_of_staff(tmp_path: Path) -> None:
    """Near kin not filed is checked; filed, distant or not on the list's columns is not."""
    world = World.make(tmp_path)
    rows = [
        household(1, 60000, 0, 1, kin_filed="否"),
        household(2, 60000, 0, 1, kin_filed="是"),
        household(3, 60000, 0, 1, kin_filed=None),
        household(4, 60000, 0, 1, kin_filed="否"),
        household(5, 60000, 0, 1, kin_filed="否"),
    ]
    world.roll("subsistence_allowance", *rows)
    relation = ["父亲", "母亲", "儿子", "侄子", None]
    world.register(
        "staff_and_cadres",
        *(
            {"id_no": make_id(200 + i), "name": f"干部{i}", "related_id_no": row["id_no"], "relation": relation[i]}
            for i, row in enumerate(rows[:4])
        ),
    )
    world.review()
    assert {p["name"] for p in world.proposals()} == {"户主1", "户主3"}
    assert {p["action"] for p in world.proposals()} == {"check"}


def test_kin_without_a_column_is_said_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", row)
    world.register(
        "staff_and_cadres", {"id_no": make_id(200), "name": "干部", "related_id_no": row["id_no"], "relation": "子"}
    )
    result = world.review()
    assert world.proposals() == []
    assert any("近亲属备案列" in gap["reason"] for gap in result.not_judged)


def test_one_proposal_a_case_tells_every_reason(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 70000, 0, 1, assets_fen=99999900, kin_filed="否"))
    world.register(
        "staff_and_cadres", {"id_no": make_id(200), "name": "干部", "related_id_no": make_id(1, born="19800101")}
    )
    world.review()
    one = world.one()
    assert (one["action"], one["amount_after_fen"]) == ("decrease", 60000)
    assert "月标准倍数" in one["reasons"]
    assert "近亲属" in one["reasons"]


@pytest.mark.parametrize("refused", ["subsistence_allowance", "single_person_allowance"])
def test_not_on_an_incomplete_list_is_not_judged(tmp_path: Path, refused: str) -> None:
    """Who is missing on a list with refused rows may be one of them: said once, nobody stopped. 单人保 is 低保 too."""
    world = World.make(tmp_path)
    person = make_id(1)
    world.register("disability_certificate", {"id_no": person, "name": "某人", "grade": "3", "kind": "肢体"})
    world.roll("disability_living_subsidy", {"id_no": person, "name": "某人", "amount_fen": 8000})
    lists = {"subsistence_allowance": world.roll("subsistence_allowance", household(2, 60000, 0, 1))}
    lists["single_person_allowance"] = world.roll("single_person_allowance", household(3, 60000, 0, 1))
    world.review()
    assert [one["action"] for one in world.proposals() if one["id_no"] == person] == ["stop"]
    with world.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE batch SET refused = 1 WHERE batch_id = ?", (lists[refused],))
        tx.journal("test", {})
    result = world.review()
    assert [one for one in world.proposals() if one["id_no"] == person] == []
    assert [gap["cases"] for gap in result.not_judged if "退回" in gap["reason"]] == [1]


def test_second_run_changes_nothing_and_a_corrected_roll_clears(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    batch = world.roll("subsistence_allowance", household(1, 65000, 0, 1), household(2, 66000, 0, 1))
    first = world.review()
    before = world.proposals()
    bytes_before = first.csv.read_bytes(), first.workbook.read_bytes()
    again = world.review()
    assert (again.added, again.gone, world.proposals()) == (0, 0, before)
    assert (again.csv.read_bytes(), again.workbook.read_bytes()) == bytes_before
    with world.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE batch SET status = 'superseded' WHERE batch_id = ?", (batch,))
        tx.journal("test", {})
    world.roll("subsistence_allowance", household(1, 60000, 0, 1), household(2, 66000, 0, 1))
    third = world.review()
    assert (third.added, third.gone) == (0, 1)
    assert [p["case_id"] for p in world.proposals()] == ["R000002"]


def test_only_the_month_asked_for_is_judged(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 65000, 0, 1), month="2026-09")
    world.roll("subsistence_allowance", household(1, 60000, 0, 1))
    assert world.review().proposals == 0
    assert world.review("2026-09").proposals == 1
    assert world.review().proposals == 0


def test_hearing_follows_the_law_of_the_day(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 65000, 0, 1), month="2026-03")
    world.review("2026-03", today=date(2026, 3, 20))
    assert world.one("2026-03")["needs_hearing"] == 0
    world.review("2026-03", today=date(2026, 7, 2))
    assert world.one("2026-03")["needs_hearing"] == 1


def test_keep_rows_only_on_demand(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 60000, 0, 1), household(2, 65000, 0, 1))
    assert (world.review().kept, world.review().by_action) == (1, {"decrease": 1})
    assert world.review(keep_rows=True).by_action == {"decrease": 1, "keep": 1}


def test_list_for_people_is_as_agreed(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    first, mate = household(1, 120000, 0, 2, case_no=1), member(10, 1)
    world.roll(
        "subsistence_allowance",
        first,
        mate,
        household(2, 65000, 0, 1, case_no=2),
        household(3, 10000, 70000, 1, case_no=3),
    )
    world.register("death", dead(mate))
    result = world.review()
    text = result.csv.read_bytes()
    golden = GOLDEN / "review-2026-10.csv"
    assert text.startswith("\ufeff".encode() + ",".join(CSV_HEADER).encode())
    assert text == golden.read_bytes()
    assert oct(result.csv.stat().st_mode)[-3:] == "600"
    assert "internal" in result.csv.parts
