"""Lines of rolls against registers and other rolls: what each check finds, and the look-alikes at which it must keep silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.load import load_policy
from tests.dedupe.worlds import CARE, LIVING, LOW, MARGIN, OLD, POOR, World, household, ids, person, short
from tests.support import make_id

Found = set[tuple[Any, ...]]
ORPHAN, DE_FACTO, DISTRESSED = "orphan_allowance", "de_facto_orphan_allowance", "distressed_child_allowance"
CERTIFICATES, REGISTRATION = "register:disability_certificate", "register:household_registration"
SCHOOL, STAFF = "register:school_enrolment", "register:staff_and_cadres"


def _line(serial: int, *, born: str = "19700101", **more: Any) -> dict[str, Any]:
    return {"id_no": make_id(serial, born=born), "name": "王", **more}


def certificate_ended(w: World) -> Found:
    w.roll(LIVING, "东镇", *(person(n, 5_500) for n in range(1, 10)))
    w.register(
        "disability_certificate",
        _line(1, grade="3", valid_to="2026-09-30"),
        _line(2, grade="3", valid_to="2026-10-01"),  # still valid in October
        _line(3, grade="3", status="注销", event_date="2026-10-05"),  # in the month itself
        _line(4, grade="3", status="注销", event_date="2026-08-05", valid_to="2031-01-01"),
        _line(5, grade="3", valid_to="2026-06-30"),  # renewed at once
        _line(5, grade="3", valid_from="2026-07-01", valid_to="2036-06-30"),
        _line(6, grade="3", valid_to="2026-09-30"),  # renewed within three months: Hubei pays the gap
        _line(6, grade="3", valid_from="2026-12-20"),
        _line(7, grade="3", valid_to="2026-09-30"),  # renewed after four
        _line(7, grade="3", valid_from="2027-02-20"),
        _line(8, grade="3", status="冻结"),  # on a day that the list does not tell
    )  # 9 is on no list: may hold one from elsewhere
    return {("certificate_ended", LIVING, CERTIFICATES, ids(n), 5_500) for n in (1, 4, 7, 8)}


def certificate_ended_elsewhere(w: World) -> Found:
    """The list of another benefit's people accuses nobody."""
    w.roll(LOW, "东镇", person(1))
    w.register("disability_certificate", _line(1, grade="3", valid_to="2026-01-31"))
    return set()


def moved_away(w: World) -> Found:
    old = {"born": "19400101"}
    w.roll(OLD, "东镇", *(person(n, 6_000, **old) for n in range(1, 9)))
    w.roll(LOW, "东镇", person(11, 50_000))
    w.register(
        "household_registration",
        _line(1, **old, status="迁出", event_date="2026-09-30"),
        _line(2, **old, status="迁出", event_date="2026-10-01"),  # paid for the month of the move
        _line(3, **old, status="正常"),
        _line(4, **old, status="迁出", event_date="2026-05-01"),  # moved within the district
        _line(4, **old, status="正常", valid_from="2026-05-01"),
        _line(5, **old, status="注销（出国定居）", event_date="2026-08-11"),
        _line(6, **old, status="死亡注销", event_date="2026-09-11"),  # told by the death list
        _line(7, **old, event_date="2026-03-11"),  # 变动日期 without a word: which change?
        _line(11, status="迁出", event_date="2026-03-11"),
        _line(
            8, **old, status="死亡", event_date="2026-03-11"
        ),  # on no death list: the registration has ended all the same
    )
    w.register("death", _line(6, **old, event_date="2026-09-11"))
    found = {("registration_ended", OLD, REGISTRATION, ids(n, **old), 6_000) for n in (1, 5, 7, 8)}
    found |= {("registration_ended", LOW, REGISTRATION, ids(11), 50_000)}
    return found | {("after_death", OLD, "register:death", ids(6, **old), 6_000)}


def grown_up(w: World) -> Found:
    of_age, birthday, child = {"born": "20080930"}, {"born": "20081001"}, {"born": "20120101"}
    w.roll(ORPHAN, "东镇", person(1, 140_000, **of_age), person(2, 140_000, **birthday), person(3, 140_000, **child),
           person(4, 140_000, **of_age), person(5, 140_000, **of_age))  # fmt: skip
    w.roll(DISTRESSED, "东镇", person(6, 90_000, **of_age), person(7, 90_000, **birthday))
    w.register(
        "school_enrolment",
        _line(3, **child, valid_to="2026-07-01", status="毕业"),  # too young to be stopped
        _line(4, **of_age, valid_from="2024-09-01", valid_to="2027-07-01"),
        _line(5, **of_age, valid_to="2026-07-01"),
    )
    return {
        ("aged_out", ORPHAN, "", ids(1, **of_age), 140_000),
        ("left_school", ORPHAN, SCHOOL, ids(5, **of_age), 140_000),
        ("aged_out", DISTRESSED, "", ids(6, **of_age), 90_000),
    }


def graduated_within_the_month(w: World) -> Found:
    of_age = {"born": "20070101"}
    w.roll(DE_FACTO, "东镇", person(1, 140_000, **of_age), person(2, 140_000, **of_age))
    w.register(
        "school_enrolment",
        _line(1, **of_age, valid_to="2026-10-15"),
        _line(2, **of_age, valid_to="2026-06-30", status="高中毕业"),  # and goes on
        _line(2, **of_age, valid_from="2026-09-01", status="在读"),
    )
    return set()


def poor_minor_grown_up(w: World) -> Found:
    of_age = {"born": "20070101"}
    w.roll(POOR, "东镇", *(person(n, 80_000, **of_age) for n in (1, 2, 3)), person(4, 80_000, born="19500101"))
    w.register("school_enrolment", _line(1, **of_age, valid_to="2026-07-01"), _line(2, **of_age, valid_to="2028-07-01"))
    w.register("disability_certificate", _line(3, **of_age, grade="1", kind="肢体"))
    return {("left_school", POOR, SCHOOL, ids(1, **of_age), 80_000)}


def grades(w: World) -> Found:
    w.roll(CARE, "东镇", *(person(n, 12_000, disability_grade="一级") for n in (1, 2, 3)), person(4, 10_000), person(5, 10_000),
           person(6, 10_000, disability_grade="二级"), person(7, 10_000, disability_grade="二级"),
           person(8, 10_000, disability_grade="一级"))  # fmt: skip
    w.register(
        "disability_certificate",
        _line(1, grade="2", kind="肢体"),
        _line(2, grade="1", kind="视力"),
        _line(3, grade="2", kind="肢体", valid_to="2020-01-01"),  # an old one; the new one says the same as the roll
        _line(3, grade="1", kind="肢体", valid_from="2020-01-02"),
        _line(4, grade="4", kind="听力"),
        _line(5, grade="3", kind="肢体"),
        _line(6, grade="1", kind="肢体"),  # the roll says less than is due
        _line(8, grade="2", kind="肢体"),  # written wrong, paid right
    )
    return {
        ("grade_differs", CARE, CERTIFICATES, ids(1), 12_000),
        ("grade_differs", CARE, CERTIFICATES, ids(6), 10_000),
        ("grade_not_eligible", CARE, CERTIFICATES, ids(4), 10_000),
        ("grade_not_eligible", CARE, CERTIFICATES, ids(5), 10_000),
    }


def grade_in_the_number(w: World) -> Found:
    def with_number(serial: int, digits: str) -> dict[str, Any]:
        return person(serial, 10_000, disability_grade="二级", disability_no=make_id(serial) + digits)

    w.roll(CARE, "东镇", with_number(1, "43"), with_number(2, "42"), with_number(3, "41"))
    w.register("disability_certificate", _line(3, grade="2", kind="肢体"))  # the list bears the roll out
    return {("grade_against_number", CARE, "", ids(1), 10_000)}


def not_alone(w: World) -> Found:
    w.roll(POOR, "东镇", person(1, 80_000, care_mode="分散"), person(2, 80_000, care_mode="集中"), person(3, 80_000))
    w.roll(OLD, "东镇", person(8, 6_000, born="19300101", claimed_status="独居老人"), person(9, 6_000, born="19300101"))
    w.roll("temporary_assistance", "东镇", *household(1, 30_000, 1, 5), *household(2, 30_000, 2, 6))
    head = make_id(8, born="19300101")
    w.roll(MARGIN, "东镇", *household(3, None, 7, 10), *(row | {"head_id_no": head} for row in household(4, None, 11, 12)))  # fmt: skip
    return {
        ("not_alone", POOR, "", ids(1), 80_000),
        ("not_alone", OLD, "", ids(8, born="19300101"), 6_000),
    }


def kin_not_filed(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 1, 2, kin_filed="否"), person(3, 50_000, kin_filed="是"), person(4, 50_000),
           person(5, 50_000), person(6, 50_000, kin_filed="否"))  # fmt: skip
    w.register(
        "staff_and_cadres",
        _line(
            101, name="李干部", related_id_no=make_id(2), related_name="某", relation="父子", event_date="2025-12-01"
        ),
        _line(101, name="李干部", related_id_no=make_id(3), relation="父子"),
        _line(102, name="周干部", related_id_no=make_id(4), relation="夫妻", event_date="2025-12-01"),
        _line(102, name="周干部", related_id_no=make_id(5), relation="母女"),
    )
    found = {("kin_not_filed", LOW, STAFF, ids(1) | {make_id(101)}, 30_000 * 1)}
    return {(*one[:4], 45_000) for one in found} | {("kin_not_filed", LOW, STAFF, ids(5) | {make_id(102)}, 50_000)}


def cadre_on_a_roll(w: World) -> Found:
    w.roll(LOW, "东镇", person(101, 50_000, kin_filed="否"), person(102, 40_000, kin_filed="是"))
    w.register("staff_and_cadres", _line(101), _line(102))
    return {("kin_not_filed", LOW, STAFF, ids(101), 50_000)}


CASES: list[Callable[[World], Found]] = [
    certificate_ended, certificate_ended_elsewhere, moved_away, grown_up, graduated_within_the_month, poor_minor_grown_up,
    grades, grade_in_the_number, not_alone, kin_not_filed, cadre_on_a_roll,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
def test_found_and_nothing_else(world: World, case: Callable[[World], Found]) -> None:
    expected = case(world)
    result = world.run()
    assert short(result) == expected
    for doubt in result.doubts:
        assert "…" not in doubt["evidence"] and "{" not in doubt["evidence"] and doubt["basis"], doubt["evidence"]


def test_severities_and_evidence(world: World) -> None:
    moved_away(world)
    kin_not_filed_world = {d["id_no_a"]: d for d in world.run().doubts}
    assert kin_not_filed_world[make_id(1, born="19400101")]["severity"] == "strong"
    assert kin_not_filed_world[make_id(7, born="19400101")]["severity"] == "candidate"
    assert kin_not_filed_world[make_id(11)]["severity"] == "candidate"
    assert "出国定居（2026-08-11）" in kin_not_filed_world[make_id(5, born="19400101")]["evidence"]
    assert kin_not_filed_world[make_id(1, born="19400101")]["source_b"].endswith("第2行")


def test_another_region_pays_no_gap_between_certificates(world: World) -> None:
    certificate_ended(world)
    found = {d["id_no_a"] for d in world.run(policy=load_policy(None, region="230321")).doubts}
    assert found == {make_id(n) for n in (1, 4, 6, 7, 8)}


def test_what_was_not_imported_is_said_once(world: World) -> None:
    world.roll(OLD, "东镇", person(1, born="19400101"))
    said = [one["reason"] for one in world.run().not_judged if one["programme"] == REGISTRATION]
    assert len(said) == 1 and "户籍人口名单没有导入" in said[0]


def test_tiers_of_the_old(world: World) -> None:
    """The poor tier without the status, where the two tiers differ; judged where all three rolls are there."""
    folder = world.workspace.policy_dir
    (folder / "parameters").mkdir()
    (folder / "parameters" / "old.toml").write_text(
        '[[parameter]]\nname = "高龄津贴标准_80"\nunit = "元/人/月"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = 25 }]\n'
        '[[parameter]]\nname = "高龄津贴标准_80_困难"\nunit = "元/人/月"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = 100 }]\n',
        "utf-8",
    )
    policy = load_policy(folder, region="421002")
    old = {"born": "19400101"}
    for town in ("东镇", "西镇"):
        world.roll(OLD, town, *(person(n + (50 if town == "西镇" else 0), fen, **old) for n, fen in ((1, 10_000), (2, 2_500), (3, 10_000), (4, 10_000))))  # fmt: skip
        world.roll(LOW, town, person(3 + (50 if town == "西镇" else 0), 40_000, **old))
    world.roll(MARGIN, "东镇", person(4, None, **old))
    world.roll(POOR, "东镇", person(9, 80_000))
    result = world.run(policy=policy)
    assert short(result) == {
        ("tier_not_borne_out", OLD, LOW, ids(1, **old), 10_000)
    }  # 西镇: two of the rolls are wanting
    assert "困难老人的档次" in result.doubts[0]["evidence"]
    assert any(one["programme"] == LOW and one["town"] == "西镇" for one in result.not_judged)


def test_a_bureau_writes_its_own_check(world: World) -> None:
    folder = world.workspace.policy_dir
    (folder / "checks.toml").write_text(
        '[[checks]]\nid = "own"\non = ["temporary_assistance"]\ncode = "aged_out"\nwhen = "月初年龄 >= 60"\nsince = 2026-10-01\nbasis = "试行办法"\n'
        '[[checks]]\nid = "E04"\nswitch = "没有的开关"\n',
        "utf-8",
    )
    policy = load_policy(folder, region="421002")
    for month in ("2026-09", "2026-10"):
        world.roll("temporary_assistance", "东镇", person(1, 1_000, born="19660930", cause=month), person(2, 1_000, born="19661001", cause=month), month=month)  # fmt: skip
        world.roll(DISTRESSED, "东镇", person(5, 1_000, born="20000101"), month=month)
    result = world.run(month_from="2026-09", policy=policy)
    assert [(d["id_no_a"], d["month_from"]) for d in result.doubts if d["code"] == "aged_out"] == [(make_id(1, born="19660930"), "2026-10")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('when = "没有的词 > 1"\ncode = "aged_out"', "没有的词"),
        ('when = "年龄 > 1"\ncode = "no_such"', "没有疑点代码"),
        ('when = "年龄 > 1"\ncode = "exclusive"', "没有写 says"),
        ('when = "年龄 > 1"\ncode = "aged_out"\non = ["nowhere"]', "nowhere"),
        ('when = "年龄 > 1"\ncode = "aged_out"\nswitch = "没有"', "没有"),
    ],
)
def test_policy_check_names_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    from datetime import date

    (tmp_path / "checks.toml").write_text(f'[[checks]]\nid = "own"\n{text}\nbasis = "试"\n', "utf-8")
    found = check_policy(load_policy(tmp_path, region="421002"), date(2026, 11, 1))
    assert any(problem.level == "error" and said in problem.text for problem in found)
