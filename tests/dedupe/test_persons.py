"""One person under two numbers, two people under one: put before a clerk, nothing done until decided; then both numbers count as one."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.doubt import disposition_of
from jiuzhu_cli.ledger.verdicts import Verdict, decide
from tests.dedupe.worlds import HOUSE, LIVING, LOW, OLD, POOR, World, household, person, short
from tests.support import make_id

SECOND, DEAD, NAMES = "second_number", "dead_under_another_number", "one_number_two_names"
PHONE, CARD = {"phone": "13800000001"}, {"account_no": "6222020000000001"}
Pair = tuple[str, frozenset[str]]


def people(world: World, **more: Any) -> set[Pair]:
    return {(d["code"], frozenset((d["id_no_a"], d["id_no_b"]))) for d in world.run(**more).doubts if d["kind"] == "same_person"}  # fmt: skip


def pair(code: str, *numbers: str) -> Pair:
    return code, frozenset(numbers)


def alike(serial: int, named: str = "王建国", fen: int = 50_000, **more: Any) -> dict[str, Any]:
    return person(serial, fen, **more) | {"name": named}


def test_everything_else_agrees(world: World) -> None:
    world.roll(LOW, "东镇", alike(1), alike(11, "李红梅", village="二村", **PHONE), alike(21, "赵大海", **CARD))
    world.roll(POOR, "东镇", alike(2))
    world.roll(OLD, "西镇", alike(12, "李红梅", **PHONE), alike(22, "赵大海"))
    assert people(world) == {pair(SECOND, make_id(1), make_id(2)), pair(SECOND, make_id(11), make_id(12))}
    [first, *_] = [d for d in world.run().doubts if d["kind"] == "same_person"]
    assert (first["severity"], first["amount_fen"]) == ("candidate", 50_000)
    assert "姓名、出生日期、村相同" in first["evidence"]
    world.roll(HOUSE, "南镇", alike(3, born="19700102", **PHONE, **CARD), alike(4, "李建国"))
    world.roll("temporary_assistance", "北镇", alike(3, born="19700103", **PHONE, **CARD))
    assert pair(SECOND, make_id(3, born="19700102"), make_id(3, born="19700103")) in people(world)


def test_twins_fathers_and_sons_and_namesakes(world: World) -> None:
    """By the hundred: one household, one card, one telephone, names alike, born on one day or of one name."""
    rows: list[dict[str, Any]] = []
    for n in range(0, 300, 3):
        both = {"phone": f"139{n:08d}", "account_no": f"62220200{n:08d}"}
        rows += [
            alike(n + 1, f"张雨{chr(0x4E00 + n)}", **both),
            alike(n + 2, f"张宇{chr(0x4E00 + n)}", **both),
        ]  # twins, a guardian's card
        rows += [alike(n + 3, f"周世{chr(0x5000 + n)}", born="19500101", **both), alike(n + 3, f"周世{chr(0x5000 + n)}", born="19780101", **both)]  # fmt: skip
        rows += [alike(n + 1, f"吴文{chr(0x5200 + n)}", born="19600101", village=f"{n}村"), alike(n + 2, f"吴文{chr(0x5200 + n)}", born="19600101", village=f"{n + 1}村")]  # fmt: skip
    world.roll(LIVING, "东镇", *rows)
    same = [alike(401, "郑同名"), alike(402, "郑同名")]
    world.roll(
        LOW, "西镇", *[row | {"case_no": 1, "lead": int(n == 0)} for n, row in enumerate(same)]
    )  # told to be two, in one case
    world.roll(POOR, "西镇", alike(411, "冯某一", phone="13900000001", account_no="6222020000000007"))
    world.roll(
        OLD, "西镇", alike(412, "冯某一", phone="13900000002", account_no="6222020000000008")
    )  # all else differs
    assert people(world) == set()


def test_a_number_corrected_from_one_month_to_the_next(world: World) -> None:
    world.roll(LOW, "东镇", alike(1), month="2026-09")
    world.roll(LOW, "东镇", alike(2), month="2026-10")
    assert people(world, month_from="2026-09") == set()


def test_dead_under_another_number(world: World) -> None:
    world.roll(POOR, "东镇", alike(1), alike(2, "李四海"), alike(3, "赵五湖"), alike(4, "钱六江"), alike(5, "孙七河"))
    world.register(
        "death",
        {"id_no": make_id(101), "name": "王建国", "event_date": "2026-08-01"},
        {"id_no": make_id(102, area="110101"), "name": "李四海", "event_date": "2026-08-01"},  # issued elsewhere
        {"id_no": make_id(103), "name": "赵五湖", "event_date": "2026-10-02"},  # the month itself
        {"id_no": make_id(104), "name": "钱六江", "event_date": "2026-08-01", "town": "西镇"},
        {"id_no": make_id(5), "name": "孙七河", "event_date": "2026-08-01"},  # under his own number
    )
    assert people(world) == {pair(DEAD, make_id(1), make_id(101))}
    assert {d["code"] for d in world.run().doubts if d["kind"] != "same_person"} == {"after_death"}


def test_two_people_under_one_number(world: World) -> None:
    world.roll(LOW, "东镇", alike(1), alike(2, "李红梅"), alike(3, "曾玉"), alike(4, "张龑"), alike(5, "王"))
    world.roll(
        OLD, "西镇", alike(1, "陈桂花"), alike(2, "李红霉"), alike(3, "曾钰"), alike(4, "张yan"), alike(5, "刘备")
    )
    assert people(world) == {pair(NAMES, make_id(1))}
    [doubt] = [d for d in world.run().doubts if d["code"] == NAMES]
    assert (doubt["name_a"], doubt["name_b"], doubt["severity"]) == ("王建国", "陈桂花", "candidate")


def _decide(world: World, result: str, side: str = "") -> None:
    [doubt] = [d for d in world.run().doubts if d["code"] == SECOND]
    with world.store.transaction(actor="张经办", command="dedupe decide") as tx:
        decide(tx, [Verdict(doubt["doubt_id"], result, disposition_of(result, side))])


def test_what_a_clerk_found_holds_from_then_on(world: World) -> None:
    world.roll(LOW, "东镇", alike(1), *household(7, 90_000, 31, 32))
    world.roll(POOR, "东镇", alike(2, fen=80_000))
    world.roll(HOUSE, "东镇", alike(2, fen=1_000_000, claimed_status="低保户"))
    world.register("death", {"id_no": make_id(2), "name": "王建国", "event_date": "2026-10-05"})
    assert {one[0] for one in short(world.run())} == {SECOND, "claim_not_borne_out"}
    _decide(world, "not_same")
    assert {one[0] for one in short(world.run())} == {SECOND, "claim_not_borne_out"}
    _decide(world, "confirmed", "b")
    found = {d["code"]: d for d in world.run().doubts}
    assert set(found) == {SECOND, "exclusive"}  # the claim is borne out under the other number
    double = found["exclusive"]
    assert (double["id_no_a"], double["id_no_b"], double["severity"]) == (make_id(1), make_id(2), "strong")
    assert "认定为同一人" in double["evidence"]
    assert {d["code"] for d in world.run().doubts} == set(found)  # and again


def test_a_death_stops_the_other_number_once_it_is_known(world: World) -> None:
    world.roll(LOW, "东镇", alike(1))
    world.roll(OLD, "东镇", alike(2))
    world.register("death", {"id_no": make_id(2), "name": "王建国", "event_date": "2026-08-05"})
    before = {(d["code"], d["id_no_a"]) for d in world.run().doubts}
    assert before == {(SECOND, make_id(1)), ("after_death", make_id(2))}
    _decide(world, "confirmed")
    after = {(d["code"], d["id_no_a"]) for d in world.run().doubts}
    assert after == before | {("after_death", make_id(1))}


def test_a_birth_date_that_a_whole_village_has_tells_nothing(world: World) -> None:
    """Made-up numbers: hundreds of one name, village and day would be tens of thousands of pairs."""
    world.roll(LOW, "东镇", *[alike(serial) for serial in range(1, 301)])
    assert people(world) == set()
