"""Every row of appendix B fires on a world made for it, and keeps silent on its look-alikes; people on no roll at all (政策找人)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.policy.load import Policy, load_policy
from tests.dedupe.worlds import CARE, HELP, HOUSE, LIVING, LOW, MARGIN, OLD, POOR, World, household, person
from tests.support import make_id

ORPHAN, DE_FACTO, SCHOOLING = "orphan_allowance", "de_facto_orphan_allowance", "education_assistance"
ENROLMENT, MEDICAL, PRICE, RIGID = "medical_enrolment", "medical_assistance", "price_subsidy", "rigid_expenditure"
MONITORED, ILL = "poverty_monitoring", "severe_illness"
Found = set[tuple[str, str, str]]  # rule, programme due, ID

SWITCHES = """
[[parameter]]
name = "价格补贴当月启动"
source = "试"
values = [{ since = 2026-10-01, until = 2026-10-31, value = true }]
[[parameter]]
name = "提示低保老人转特困"
source = "试"
values = [{ since = 2020-01-01, value = true }]
[[parameter]]
name = "分类施保标准_农村_老年人"
unit = "元/人/月"
source = "试"
values = [{ since = 2020-01-01, value = 104 }]
"""


def found(world: World, **more: Any) -> Found:
    result = world.run(**more)
    for doubt in result.doubts:
        assert "…" not in doubt["evidence"] and "{" not in doubt["evidence"], doubt["evidence"]
    return {(d["rule"], d["programme_b"], d["id_no_a"]) for d in result.doubts if d["kind"] == "missed"}


def one(rule: str, due: str, serial: int, born: str = "19700101") -> tuple[str, str, str]:
    return rule, due, make_id(serial, born=born)


def line(serial: int, born: str = "19700101", **more: Any) -> dict[str, Any]:
    return {"id_no": make_id(serial, born=born), "name": "王", "town": "东镇"} | more


def handed_in(w: World, *programmes: str) -> None:
    """The roll of the town is there, with somebody else on it."""
    for programme in programmes:
        w.roll(programme, "东镇", person(499, 1_000, born="19300101" if programme == OLD else "19750101"))


def b01_b02_subsidies(w: World) -> Found:
    handed_in(w, LIVING, CARE)
    w.roll(LOW, "东镇", person(1), person(2))
    w.register("disability_certificate", line(1, grade="4", kind="听力"), line(3, grade="2", kind="肢体"))
    return {one("B01", LIVING, 1), one("B02", CARE, 3)}


def watched_while_the_risk_lasts(w: World) -> Found:
    """风险是否消除: no, not yet, yes without a day; yes on a day after the month."""
    handed_in(w, MARGIN)
    w.register(MONITORED, line(1, status="否"), line(2, status="未消除"), line(3, status="是"), line(4, status="已消除"),
               line(5, status="是", valid_to="2026-11-20"), line(6, status="部分消除"))  # fmt: skip
    return {one("B17", MARGIN, n) for n in (1, 2, 5, 6)}


def b03_b04_enrolment(w: World) -> Found:
    handed_in(w, ENROLMENT)
    w.roll(POOR, "东镇", person(1))
    w.roll(LOW, "东镇", *household(1, 90_000, 2, 3))
    w.roll(ENROLMENT, "西镇", person(3, None))
    return {one("B03", ENROLMENT, 1), one("B04", ENROLMENT, 2)}


def b05_addons(w: World) -> Found:
    rural = {"category": "农村", "addon_fen": 0}
    w.roll(LOW, "东镇", person(1, born="19500101", **rural), person(2, **rural), person(3, born="19500101", **rural | {"category": "城市"}),
           person(4, born="19500101", **rural | {"addon_fen": 10_400}), person(5, born="19500101", **rural | {"addon_fen": None}))  # fmt: skip
    w.roll(LOW, "西镇", person(6, born="19500101", category="农村"))  # a list without the column
    return {one("B05", LOW, 1, "19500101"), one("B05", LOW, 5, "19500101")}


def b06_old_age(w: World) -> Found:
    handed_in(w, OLD)
    w.roll(LOW, "东镇", person(1, born="19461031"), person(2, born="19461101"))
    w.register(
        "household_registration", line(3, "19400101"), line(4, "19400101", status="迁出", event_date="2026-05-01")
    )
    return {one("B06", OLD, 1, "19461031"), one("B06b", OLD, 3, "19400101")}


def b07_price(w: World) -> Found:
    handed_in(w, PRICE)
    w.roll(LOW, "东镇", person(1))
    w.roll(ORPHAN, "东镇", person(2, born="20150101"))
    w.roll(MARGIN, "东镇", person(3, None))
    return {one("B07", PRICE, 1), one("B07c", PRICE, 2, "20150101")}


def b08_school(w: World) -> Found:
    handed_in(w, SCHOOLING)
    w.roll(LOW, "东镇", person(1, born="20100101"), person(2, born="20100101"), person(3, born="20050101"))
    w.register("school_enrolment", line(1, "20100101"), line(3, "20050101", status="毕业"))
    return {one("B08", SCHOOLING, 1, "20100101")}


def b09_care(w: World) -> Found:
    w.roll(POOR, "东镇", *(person(n, 80_000, self_care=level, care_fen=fen) for n, level, fen in (
        (1, "全护理", 31_900), (2, "全护理", 63_700), (3, "半自理", 31_900), (4, "半自理", 19_100), (5, None, 0))))  # fmt: skip
    w.roll(POOR, "西镇", person(6, 80_000, self_care="全护理"))
    return {one("B09", POOR, 1), one("B09", POOR, 4)}


def b10_single(w: World) -> Found:
    handed_in(w, LOW)
    w.roll(MARGIN, "东镇", *household(1, None, 1, 2), *household(2, None, 3, 4))
    w.register(ILL, line(1, event_date="2026-01-01"))
    w.register("disability_certificate", line(3, grade="3", kind="精神"), line(4, grade="3", kind="肢体"))
    return {one("B10", LOW, 1), one("B10", LOW, 3)}


def b11_to_extreme_poverty(w: World) -> Found:
    handed_in(w, POOR)
    w.roll(LOW, "东镇", person(1, born="19661031"), person(2, born="19661101"))
    return {one("B11", POOR, 1, "19661031")}


def b12_minors_stopped(w: World) -> Found:
    of_16, of_18, of_15 = {"born": "20100101"}, {"born": "20080101"}, {"born": "20120101"}
    former = [
        person(1, **of_16),
        person(2, **of_18),
        person(3, **of_18),
        person(4, **of_16),
        person(5, **of_16),
        person(6, **of_15),
        person(7),
    ]
    w.roll(POOR, "东镇", *former, month="2026-09")
    w.roll(POOR, "西镇", person(8, **of_16), month="2026-09")  # no list of October
    handed_in(w, POOR)
    w.roll(ORPHAN, "东镇", person(4, **of_16))  # chose the other
    w.roll(LOW, "东镇", person(7), person(6, **of_15))
    w.register("school_enrolment", line(2, "20080101"))
    w.register("death", line(5, "20100101", event_date="2026-09-20"))
    return {one("B12", POOR, 1, "20100101"), one("B12b", POOR, 2, "20080101"), one("B16", LOW, 3, "20080101"), one("B16", LOW, 1, "20100101"),
            one("B16", LOW, 2, "20080101")}  # fmt: skip


def b13_houses(w: World) -> Found:
    handed_in(w, HOUSE)
    w.roll(LOW, "东镇", person(1), person(2))
    w.roll(POOR, "东镇", person(3, care_mode="集中"), person(4, care_mode="分散"))
    w.register(
        "dilapidated_house_survey",
        line(1, grade="D级"),
        line(2, grade="B级"),
        line(3, grade="C级"),
        line(4, grade="C级"),
    )
    return {one("B13", HOUSE, 1), one("B13b", HOUSE, 4)}


def b14_children_whose_parents_are_gone(w: World) -> Found:
    handed_in(w, DE_FACTO)
    child, parent, grandparent = "20150101", "19850101", "19550101"
    books = {"1": (1, "death"), "2": (2, "imprisonment"), "3": (3, ""), "4": (4, "death")}
    for book, (n, why) in books.items():
        rows = [line(n, child, certificate_no=book), line(n + 10, grandparent, certificate_no=book)]
        rows += [line(n + 20, parent, certificate_no=book), line(n + 30, parent, certificate_no=book)]
        w.register("household_registration", *rows, area=book)
        if why:
            w.register("death", line(n + 20, parent, event_date="2026-08-01"), area=f"{book}a")
            w.register(why, line(n + 30, parent, event_date="2026-08-01", valid_from="2026-08-01"), area=f"{book}b")
    w.roll(ORPHAN, "东镇", person(4, 140_000, born=child))
    return {one("B14", DE_FACTO, 1, child), one("B14", DE_FACTO, 2, child)}


def b15_newly_ill(w: World) -> Found:
    handed_in(w, HELP)
    w.roll(HELP, "东镇", *household(9, 50_000, 3, 4), month="2026-05", part="旧")
    w.roll(LOW, "东镇", *(person(n) for n in (1, 2)), *household(1, 90_000, 4, 3))
    w.register(
        ILL, line(1, event_date="2026-08-15"), line(2, event_date="2026-06-15"), line(4, event_date="2026-09-15")
    )
    return {one("B15d", HELP, 1)}


def found_by_policy(w: World) -> Found:
    """On a list and on no roll at all."""
    handed_in(w, MARGIN, RIGID, HOUSE, SCHOOLING, MEDICAL)
    w.roll(LOW, "东镇", person(2))
    w.register(MONITORED, line(1), line(2), line(3, valid_to="2026-06-30"), line(4, "20120101"))
    w.register(
        ILL,
        line(11, amount_fen=3_500_000, event_date="2025-01-01"),
        line(12, amount_fen=2_000_000),
        line(13),
        line(1, amount_fen=1),
    )
    w.register("school_enrolment", line(4, "20120101"))
    w.register("dilapidated_house_survey", line(1, grade="C级"), line(21, grade="D级"), line(11, grade="D级"))
    return {
        one("B17", MARGIN, 1), one("B17", MARGIN, 4, "20120101"), one("B18", RIGID, 11), one("B19", SCHOOLING, 4, "20120101"),
        one("B20", HOUSE, 1), one("B20", HOUSE, 11), one("B21", MEDICAL, 1),
    }  # fmt: skip


CASES: list[Callable[[World], Found]] = [
    b01_b02_subsidies, watched_while_the_risk_lasts, b03_b04_enrolment, b05_addons, b06_old_age, b07_price, b08_school, b09_care, b10_single, b11_to_extreme_poverty,
    b12_minors_stopped, b13_houses, b14_children_whose_parents_are_gone, b15_newly_ill, found_by_policy,
]  # fmt: skip


@pytest.fixture
def switched(world: World) -> Policy:
    folder = world.workspace.policy_dir / "parameters"
    folder.mkdir()
    (folder / "switches.toml").write_text(SWITCHES, "utf-8")
    return load_policy(folder.parent, region="421002")


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
def test_each_row_of_appendix_b(world: World, switched: Policy, case: Callable[[World], Found]) -> None:
    expected = case(world)
    assert found(world, policy=switched) == expected


def test_nobody_is_sought_where_the_switch_is_off(world: World) -> None:
    found_by_policy(world)
    folder = world.workspace.policy_dir / "parameters"
    folder.mkdir()
    (folder / "off.toml").write_text(
        '[[parameter]]\nname = "政策找人提示"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = false }]\n',
        "utf-8",
    )
    assert found(world, policy=load_policy(folder.parent, region="421002")) == set()


def _refuse(world: World, batch: int, rows: int) -> None:
    with world.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE batch SET refused = ? WHERE batch_id = ?", (rows, batch))


def test_a_refused_row_may_be_theirs(world: World) -> None:
    """Nobody is said to have been stopped while rows of the list wait to be mended; of missed aid it is told."""
    minor = {"born": "20100101"}
    world.roll(POOR, "东镇", person(1, **minor), month="2026-09")
    now = world.roll(POOR, "东镇", person(499))
    world.roll(LOW, "西镇", person(2))
    living = world.roll(LIVING, "西镇", person(498))
    world.register("disability_certificate", line(2, grade="4", kind="听力", town="西镇"))
    assert ("B12", POOR, make_id(1, born="20100101")) in found(world)
    _refuse(world, now, 1)
    _refuse(world, living, 3)
    assert found(world) == {one("B01", LIVING, 2)}
    [doubt] = world.run().doubts
    assert "有 3 行退回没有改正" in doubt["evidence"]


def test_a_claim_names_the_rows_that_were_refused(world: World) -> None:
    batch = world.roll(LOW, "东镇", person(2))
    world.roll(HOUSE, "东镇", person(1, 2_000_000, claimed_status="低保户"))
    [doubt] = world.run().doubts
    assert "退回" not in doubt["evidence"]
    _refuse(world, batch, 2)
    [doubt] = world.run().doubts
    assert doubt["severity"] == "strong" and "名册有 2 行退回没有改正" in doubt["evidence"]


def test_what_was_not_imported_is_not_judged(world: World) -> None:
    """Without the rolls of those towns nobody on a list may be said to be on none."""
    world.roll(LOW, "东镇", person(2))
    world.register(MONITORED, line(1))
    result = world.run()
    assert [d for d in result.doubts if d["kind"] == "missed"] == []
    assert any(one["programme"] == MARGIN and one["persons"] == 1 for one in result.not_judged)


def test_every_relation_of_appendix_b_has_a_source(tmp_path: Path) -> None:
    policy = load_policy(tmp_path, region="421002")
    assert {f"B{n:02d}" for n in range(1, 17)} <= {relation.id[:3] for relation in policy.relations}
    assert all(relation.basis for relation in policy.relations)
