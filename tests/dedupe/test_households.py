"""Households divided before they applied, or standing twice: hints; families that any roll knows as one, and houses of many, are left alone."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.policy.load import load_policy
from tests.dedupe.worlds import HELP, LOW, MARGIN, World, household, name, person
from tests.support import make_id

DIVORCED, SPLIT = "divorced_before_applying", "split_before_applying"
COUPLE, BOOK, DOOR = "spouses_apart", "one_book_two_cases", "one_door_two_cases"


def found(world: World, **more: Any) -> set[tuple[str, frozenset[str]]]:
    result = world.run(**more)
    for doubt in result.doubts:
        assert "…" not in doubt["evidence"] and "{" not in doubt["evidence"], doubt["evidence"]
        assert doubt["kind"] != "household" or (doubt["severity"] == "candidate" and doubt["basis"])
    return {(d["code"], frozenset((d["id_no_a"], d["id_no_b"]))) for d in result.doubts if d["kind"] == "household"}


def one(code: str, *serials: int) -> tuple[str, frozenset[str]]:
    return code, frozenset(make_id(n) for n in serials)


def marriage(first: int, second: int, kind: str, day: str, **more: Any) -> dict[str, Any]:
    return {"id_no": make_id(first), "name": name(first), "related_id_no": make_id(second), "related_name": name(second), "kind": kind, "event_date": day} | more  # fmt: skip


def test_divorced_shortly_before_the_first_month(world: World) -> None:
    world.roll(
        LOW,
        "东镇",
        *(person(n, start_month=month) for n, month in ((1, "2026-03"), (3, "2026-03"), (5, "2026-03"), (7, "2026-03"), (9, None), (11, "2025-01"))),
        *household(1, 90_000, 13, 14, start_month="2026-03"),
    )  # fmt: skip
    world.register(
        "marriage",
        marriage(2, 1, "离婚登记", "2025-10-08"),
        marriage(3, 4, "离婚登记", "2025-02-27"),  # thirteen months before
        marriage(5, 6, "离婚登记", "2025-10-08"),  # and married again
        marriage(5, 6, "复婚（结婚登记）", "2025-12-08"),
        marriage(7, 8, "结婚登记", "2025-10-08"),
        marriage(9, 10, "离婚登记", "2026-05-08"),  # nothing tells since when
        marriage(11, 12, "离婚登记", "2025-10-08"),  # after they had begun
        marriage(14, 15, "离婚登记", "2026-03-01"),  # a member
    )
    assert found(world) == {one(DIVORCED, 1, 2), one(DIVORCED, 14, 15)}
    [doubt] = [d for d in world.run().doubts if make_id(1) in (d["id_no_a"], d["id_no_b"])]
    assert "2025-10-08 离婚登记，2026-03 起" in doubt["evidence"]


def test_the_first_month_that_shows_a_case(world: World) -> None:
    """Where the roll does not say since when: on October's roll, not on September's of that town."""
    world.roll(LOW, "东镇", person(3), month="2026-09")
    world.roll(LOW, "东镇", person(1), person(3))
    world.roll(LOW, "西镇", person(5))  # no earlier roll of that town
    world.register("marriage", *(marriage(n, n + 1, "离婚", "2026-05-08") for n in (1, 3, 5)))
    assert found(world) == {one(DIVORCED, 1, 2)}


def test_registered_apart(world: World) -> None:
    world.roll(LOW, "东镇", *(person(n, start_month="2026-03") for n in (1, 2, 3)))
    world.roll(HELP, "东镇", person(4, start_month="2026-03"))
    line = {"name": "王", "status": "分户"}
    world.register(
        "household_registration",
        line | {"id_no": make_id(1), "event_date": "2026-01-08"},
        line | {"id_no": make_id(2), "event_date": "2026-04-08"},
        line | {"id_no": make_id(3), "event_date": "2026-01-08", "status": "正常"},
        line | {"id_no": make_id(4), "event_date": "2026-01-08"},
    )
    assert {code for code in found(world) if code[0] == SPLIT} == {(SPLIT, frozenset([make_id(1)]))}


def test_husband_and_wife_in_two_cases(world: World) -> None:
    world.roll(LOW, "东镇", person(1), *household(1, 90_000, 3, 4), *household(2, 80_000, 5, 20), person(8), person(30))
    world.roll(LOW, "西镇", person(2), *household(3, 70_000, 6, 21), person(31))
    world.roll(MARGIN, "西镇", person(9, None))
    world.roll(MARGIN, "东镇", *household(4, None, 20, 21))  # 5 and 6 are one family by another roll
    world.register(
        "marriage",
        marriage(1, 2, "结婚登记", "2001-05-01"),
        marriage(3, 4, "结婚登记", "2001-05-01"),
        marriage(5, 6, "结婚登记", "2001-05-01"),
        marriage(30, 31, "", "2001-05-01"),  # a list of divorces, for all it says
        marriage(8, 9, "结婚登记", "2001-05-01"),  # one in 低保, the other's household on the margin
    )
    assert found(world) == {one(COUPLE, 1, 2)}


def test_one_registration_book(world: World) -> None:
    world.roll(LOW, "东镇", *(person(n) for n in range(1, 6)))
    book = {"name": "王", "certificate_no": "420001"}
    world.register(
        "household_registration",
        book | {"id_no": make_id(1), "status": "正常"},
        book | {"id_no": make_id(2)},
        book | {"id_no": make_id(3), "status": "迁出", "event_date": "2026-10-08"},
        book | {"id_no": make_id(4), "certificate_no": ""},
        book | {"id_no": make_id(5), "certificate_no": ""},
    )
    assert {code for code in found(world) if code[0] == BOOK} == {one(BOOK, 1, 2)}


def test_one_door(world: World) -> None:
    at = {n: {"address": text} for n, text in {1: "东镇一村3组12号", 2: "东镇一村 3组12号", 3: "东镇一村3组", 4: "东镇一村3组", 5: "东镇一村3组8号"}.items()}  # fmt: skip
    world.roll(
        LOW,
        "东镇",
        *(person(n, **more) for n, more in at.items()),
        *(person(n, address="敬老院1号楼1室") for n in range(11, 17)),
    )
    world.roll(MARGIN, "东镇", person(6, None, address="东镇一村3组8号"))  # 单人保 beside a 边缘 household
    assert found(world) == {one(DOOR, 1, 2)}


def test_the_span_is_a_parameter(world: World) -> None:
    folder = world.workspace.policy_dir / "parameters"
    folder.mkdir()
    (folder / "a.toml").write_text(
        '[[parameter]]\nname = "分户离婚核查月数"\nunit = "月"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = 3 }]\n',
        "utf-8",
    )
    world.roll(LOW, "东镇", person(1, start_month="2026-03"), person(3, start_month="2026-03"))
    world.register("marriage", marriage(1, 2, "离婚", "2025-11-30"), marriage(3, 4, "离婚", "2025-12-01"))
    assert found(world) == {one(DIVORCED, 1, 2), one(DIVORCED, 3, 4)}
    assert found(world, policy=load_policy(folder.parent, region="230321")) == {one(DIVORCED, 3, 4)}
