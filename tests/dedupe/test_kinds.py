"""Each kind of doubt and each look-alike that must not be reported, as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jiuzhu_cli.policy.load import load_policy
from tests.dedupe.worlds import (  # fmt: skip
    CARE,
    HELP,
    HOUSE,
    LIVING,
    LOW,
    MARGIN,
    OLD,
    POOR,
    SINGLE,
    World,
    household,
    ids,
    name,
    person,
    short,
)
from tests.support import make_id

Found = set[tuple[Any, ...]]


def _exclusive(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, 50_000))
    w.roll(POOR, "东镇", person(1, 80_000))
    return {("exclusive", LOW, POOR, ids(1), 50_000)}


def _exclusive_member_across_towns(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 1, 2, 3))
    w.roll(POOR, "西镇", person(3, 80_000))
    return {("exclusive", LOW, POOR, ids(3), 30_000)}


def _status_only_side_costs_the_paid_one(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, 50_000))
    w.roll(MARGIN, "东镇", person(1, None))
    return {("exclusive", LOW, MARGIN, ids(1), 50_000)}


def _single_person_beside_margin_household(w: World) -> Found:
    w.roll(LOW, "东镇", person(3, 50_000, head_id_no=make_id(1)))
    w.roll(MARGIN, "东镇", *household(1, None, 1, 2))
    return set()


def _status_moves_between_months(w: World) -> Found:
    w.roll(LOW, "东镇", person(1), month="2026-09")
    w.roll(POOR, "东镇", person(1), month="2026-10")
    return set()


def _legal_stacking(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, born="19400101"))
    for programme in (LIVING, CARE, OLD, HELP, HOUSE):
        w.roll(programme, "东镇", person(1, born="19400101"))
    w.register("disability_certificate", {"id_no": make_id(1, born="19400101"), "name": "王", "grade": "一级", "kind": "肢体"})  # fmt: skip
    return set()


def _two_cases_in_one_town(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 1, 2, 3), *household(2, 40_000, 4, 3))
    return {("same_programme_twice", LOW, LOW, ids(3), 20_000)}


def _two_towns(w: World) -> Found:
    w.roll(OLD, "东镇", person(1, 10_000, born="19400101"))
    w.roll(OLD, "西镇", person(1, 8_000, born="19400101"))
    return {("two_towns", OLD, OLD, ids(1, born="19400101"), 8_000)}


def _rural_and_urban(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, 60_000, category="城市"), part="城市")
    w.roll(LOW, "东镇", person(1, 40_000, category="农村"), part="农村")
    return {("rural_and_urban", LOW, LOW, ids(1), 40_000)}


def _district_list_repeats_town_lists(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 1, 2))
    w.roll(LOW, "", *household(7, 90_000, 1, 2, town="东镇"))
    return set()


def _one_off_for_two_events(w: World) -> Found:
    w.roll(HELP, "东镇", person(1, 100_000, cause="火灾"), person(1, 50_000, cause="车祸"))
    return set()


def _one_off_twice_for_one_event(w: World) -> Found:
    w.roll(HELP, "东镇", person(1, 100_000, cause="火灾"), person(1, 50_000, cause="火灾"))
    return {("same_programme_twice", HELP, HELP, ids(1), 50_000)}


def _work_injury_care(w: World) -> Found:
    w.roll(LIVING, "东镇", person(1, 5_500))
    w.register("work_injury_care", {"id_no": make_id(1), "name": "王", "valid_from": "2025-01-01"})
    return {("exclusive", "register:work_injury_care", LIVING, ids(1), 5_500)}


def _work_injury_care_ended(w: World) -> Found:
    w.roll(LIVING, "东镇", person(1, 5_500))
    w.register("work_injury_care", {"id_no": make_id(1), "name": "王", "valid_from": "2025-01-01", "valid_to": "2026-09-30"})  # fmt: skip
    return set()


def _dead(w: World, day: str) -> None:
    w.register("death", {"id_no": make_id(1), "name": "王", "event_date": day})


def _same_cause_on_two_days_of_granting(w: World) -> Found:
    """The dates are those of the two approvals: the cause is still one and the same."""
    w.roll(HELP, "东镇", person(1, 100_000, cause="火灾", event_date="2026-10-08"))
    w.roll(HELP, "东镇", person(1, 50_000, cause="火灾", event_date="2026-10-20"), part="第2批")
    return {("same_programme_twice", HELP, HELP, ids(1), 50_000)}


def _after_death_single(w: World) -> Found:
    w.roll(POOR, "东镇", person(1, 80_000))
    _dead(w, "2026-09-30")
    return {("after_death", POOR, "register:death", ids(1), 80_000)}


def _month_of_death_is_fine(w: World) -> Found:
    w.roll(POOR, "东镇", person(1, 80_000))
    _dead(w, "2026-10-01")
    return set()


def _dead_member_counts_the_share(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 100_000, 2, 1, 3))
    _dead(w, "2026-05-01")
    return {("after_death", LOW, "register:death", ids(1), 33_333)}


def _dead_head_counts_the_whole(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 100_000, 1, 2))
    _dead(w, "2026-05-01")
    return {("after_death", LOW, "register:death", ids(1), 100_000)}


def _one_off_after_death(w: World) -> Found:
    w.roll(HELP, "东镇", person(1, 70_000))
    _dead(w, "2026-01-01")
    return {("after_death", HELP, "register:death", ids(1), 70_000)}


def _undated_death(w: World) -> Found:
    w.roll(POOR, "东镇", person(1, 80_000))
    w.register("death", {"id_no": make_id(1), "name": "王", "event_date": None})
    return {("after_death_undated", POOR, "register:death", ids(1), 80_000)}


def _only_the_cremation_is_known(w: World) -> Found:
    """Cremated on 2 September: dead by then, so October must not be paid."""
    w.roll(POOR, "东镇", person(1, 80_000))
    w.register("cremation", {"id_no": make_id(1), "name": "王", "event_date": None, "valid_from": "2026-09-02"})
    return {("after_death", POOR, "register:death", ids(1), 80_000)}


def _dead_and_household_registration_cancelled(w: World) -> Found:
    """户口注销 in a death list confirms the death; only a withdrawn entry (撤销) takes it back."""
    w.roll(POOR, "东镇", person(1, 80_000), person(2, 80_000))
    w.register(
        "death",
        {"id_no": make_id(1), "name": "王", "event_date": "2026-08-03", "status": "户口注销"},
        {"id_no": make_id(2), "name": "王", "event_date": "2026-08-03", "status": "已撤销（误报）"},
    )
    return {("after_death", POOR, "register:death", ids(1), 80_000)}


def _imprisoned(w: World) -> Found:
    w.roll(POOR, "东镇", person(1, 80_000))
    w.register("imprisonment", {"id_no": make_id(1), "name": "王", "valid_from": "2026-08-10", "valid_to": "2028-08-09"})  # fmt: skip
    return {("in_custody", "register:imprisonment", POOR, ids(1), 80_000)}


CERTIFICATE = {"id_no": make_id(1), "name": "王", "grade": "3", "kind": "肢体残疾", "town": "东镇"}


def _missed_living(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 2, 1))
    w.roll(LIVING, "东镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE)
    return {("missed_strong", LOW, LIVING, ids(1), 0)}


def _has_it_in_another_town(w: World) -> Found:
    w.roll(LOW, "东镇", person(1))
    w.roll(LIVING, "东镇", person(5, 5_500))
    w.roll(LIVING, "西镇", person(1, 5_500))
    w.register("disability_certificate", CERTIFICATE)
    return set()


def _town_not_imported(w: World) -> Found:
    w.roll(LOW, "东镇", person(1))
    w.roll(LIVING, "西镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE)
    return set()


def _village_imported(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, village="一村"), person(2, village="二村"))
    w.roll(LIVING, "东镇/一村", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE, CERTIFICATE | {"id_no": make_id(2)})
    return {("missed_strong", LOW, LIVING, ids(1), 0)}


def _workbook_of_a_town_by_villages(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, village="一村"), person(2, village="三村"))
    for village, serial in (("一村", 5), ("二村", 6)):
        batch = w.roll(LIVING, f"东镇/{village}", person(serial, 5_500))
        with w.store.transaction(actor="测试", command="test") as tx:
            tx.execute("UPDATE batch SET file_name = '东镇各村.xlsx' WHERE batch_id = ?", (batch,))
    w.register("disability_certificate", CERTIFICATE | {"id_no": make_id(2)})
    return {("missed_strong", LOW, LIVING, ids(2), 0)}


def _certificate_expired(w: World) -> Found:
    w.roll(LOW, "东镇", person(1), person(2))
    w.roll(LIVING, "东镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE | {"valid_to": "2026-10-30"}, CERTIFICATE | {"id_no": make_id(2), "status": "注销"})  # fmt: skip
    return set()


def _dead_misses_nothing(w: World) -> Found:
    w.roll(LOW, "东镇", person(1))
    w.roll(LIVING, "东镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE)
    _dead(w, "2026-10-20")
    return set()


def _extreme_poverty_bars_the_subsidies(w: World) -> Found:
    w.roll(POOR, "东镇", person(1))
    w.roll(CARE, "东镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE | {"grade": "一级"})
    return set()


def _missed_care_from_register_alone(w: World) -> Found:
    w.roll(CARE, "东镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE | {"grade": "二级"})
    return {("missed_strong", "register:disability_certificate", CARE, ids(1), 0)}


def _grade_three_physical_has_no_care(w: World) -> Found:
    w.roll(CARE, "东镇", person(5, 5_500))
    w.register("disability_certificate", CERTIFICATE)
    return set()


def _register_without_town(w: World) -> Found:
    w.roll(CARE, "东镇", person(5, 5_500))
    w.roll(LOW, "西镇", person(6))
    w.register("disability_certificate", CERTIFICATE | {"grade": "一级", "town": ""})
    return set()


def _margin_person_with_a_severe_disability_may_join(w: World) -> Found:
    """The ground itself (on the margin list, exclusive with 低保) does not bar what it grounds."""
    w.roll(MARGIN, "东镇", person(1))
    w.roll(LOW, "东镇", person(5))
    w.register("disability_certificate", CERTIFICATE | {"grade": "一级"})
    return {("missed_candidate", MARGIN, LOW, ids(1), 0)}


def _ill_since_the_day_of_the_diagnosis(w: World) -> Found:
    """The day that a list of patients or of surveyed houses gives is when it began; that of a cancelled certificate is its end."""
    w.roll(MARGIN, "东镇", person(1), person(2), person(3))
    w.roll(LOW, "东镇", person(5))
    w.register(
        "severe_illness",
        {"id_no": make_id(1), "event_date": "2026-03-02"},
        {"id_no": make_id(2), "event_date": "2026-11-02"},
    )
    w.register("disability_certificate", {"id_no": make_id(3), "grade": "一级", "event_date": "2026-03-02"})
    return {("missed_candidate", MARGIN, LOW, ids(1), 0)}


def _unsafe_house_since_the_survey(w: World) -> Found:
    w.roll(LOW, "东镇", person(1), person(2))
    w.roll(HOUSE, "东镇", person(5))
    w.register("dilapidated_house_survey", {"id_no": make_id(1), "grade": "D级", "event_date": "2026-03-02"}, {"id_no": make_id(2), "grade": "B级", "event_date": "2026-03-02"})  # fmt: skip
    return {("missed_candidate", LOW, HOUSE, ids(1), 0)}


def _register_without_town_all_covered(w: World) -> Found:
    w.roll(CARE, "东镇", person(5, 5_500))
    w.roll(CARE, "西镇", person(7, 5_500))
    w.roll(LOW, "西镇", person(6))
    w.register("disability_certificate", CERTIFICATE | {"grade": "一级", "town": ""})
    return {("missed_strong", "register:disability_certificate", CARE, ids(1), 0)}


def _turns_eighty_on_the_last_day(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, born="19461031"), person(2, born="19461101"))
    w.roll(OLD, "东镇", person(5, born="19300101"))
    return {("missed_strong", LOW, OLD, ids(1, born="19461031"), 0)}


def _no_roll_at_all(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, born="19300101"))
    return set()


def _claim(w: World) -> Found:
    w.roll(LOW, "东镇", person(2))
    w.roll(HOUSE, "东镇", person(1, 2_000_000, claimed_status="低保户"))
    return {("claim_not_borne_out", HOUSE, LOW, ids(1), 2_000_000)}


def _claim_through_household(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 2, 1), person(4, head_id_no=make_id(3)))
    w.roll(HOUSE, "东镇", person(1, claimed_status="低保户"), person(3, claimed_status="低保户"))
    return set()


def _claim_through_a_third_roll(w: World) -> Found:
    w.roll(LOW, "东镇", person(2))
    w.roll("rigid_expenditure", "东镇", *household(1, None, 3, 1))
    w.roll(MARGIN, "东镇", *household(1, None, 1, 4))
    w.roll(HELP, "东镇", *household(5, 30_000, 1, 2))
    w.roll(HOUSE, "东镇", person(1, claimed_status="低保户"))
    return {("exclusive_household", MARGIN, "rigid_expenditure", ids(1), 0)}


def _claims_margin_not_subsistence(w: World) -> Found:
    w.roll(LOW, "东镇", person(2))
    w.roll(MARGIN, "东镇", *household(1, None, 1))
    w.roll(HOUSE, "东镇", person(1, claimed_status="低保边缘户"), person(3, claimed_status="一般户"), person(4, claimed_status="非低保户"))  # fmt: skip
    return set()


def _claim_by_a_yes(w: World) -> Found:
    w.roll(LOW, "东镇", person(2))
    batch = w.roll(HOUSE, "东镇", person(1, claimed_status="是"), person(3, claimed_status="否"), person(2, claimed_status="是"))  # fmt: skip
    with w.store.transaction(actor="测试", command="test") as tx:
        columns = '[{"column": "C", "header": "是否低保户", "field": "claimed_status"}]'
        tx.execute("UPDATE batch_table SET columns = ? WHERE batch_id = ?", (columns, batch))
    return {("claim_not_borne_out", HOUSE, LOW, ids(1), 10_000)}


def _claim_where_roll_is_missing(w: World) -> Found:
    w.roll(LOW, "西镇", person(2))
    w.roll(HOUSE, "东镇", person(1, claimed_status="低保户"))
    return set()


def _category_claim_in_old_age(w: World) -> Found:
    w.roll(LOW, "东镇", person(2))
    w.roll(OLD, "东镇", person(1, 20_000, born="19300101", category="农村低保"))
    return {("claim_not_borne_out", OLD, LOW, ids(1, born="19300101"), 20_000)}


def _shared_account(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, account_no="6222020000000001"), person(2, 7_000, account_no="6222020000000001"))
    w.roll(OLD, "西镇", person(3, 9_000, born="19300101", account_no="6222020000000001"))
    old = ids(3, born="19300101")
    return {
        ("shared_account", OLD, LOW, old | ids(1), 10_000),
        ("shared_account", OLD, LOW, old | ids(2), 7_000),
    }


def _family_account(w: World) -> Found:
    w.roll(LOW, "东镇", *[row | {"account_no": "6222020000000001"} for row in household(1, 90_000, 1, 2, 3)])
    w.roll(LIVING, "东镇", person(2, account_no="6222020000000001"), person(4, account_no="6222020000000001", head_id_no=make_id(3)))  # fmt: skip
    return set()


def _account_of_a_guardian_on_no_common_list(w: World) -> Found:
    """Found, but as a candidate: see test_a_guardians_account_is_looked_at_and_not_held."""
    w.roll(LOW, "东镇", person(1, account_no="6222020000000001"))
    w.roll(
        "orphan_allowance", "东镇", person(2, 7_000, born="20150101", account_no="6222020000000001", payee_name=name(1))
    )
    return {("shared_account", LOW, "orphan_allowance", ids(1) | ids(2, born="20150101"), 7_000)}


def _account_of_a_home(w: World) -> Found:
    home = {"account_no": "6222020000000009", "payee_name": "东镇福利院", "care_mode": "集中"}
    w.roll(POOR, "东镇", person(1, **home), person(2, **home))
    return set()


def _account_reused_in_another_month(w: World) -> Found:
    w.roll(LOW, "东镇", person(1, account_no="6222020000000001"), month="2026-09")
    w.roll(LOW, "东镇", person(2, account_no="6222020000000001"))
    return set()


def _household_exclusive(w: World) -> Found:
    w.roll(LOW, "东镇", *household(1, 90_000, 1, 2))
    w.roll("rigid_expenditure", "东镇", *household(1, None, 3, 2))
    return {("exclusive_household", LOW, "rigid_expenditure", ids(2), 90_000)}


CASES: list[Callable[[World], Found]] = [
    value for key, value in sorted(globals().items()) if key.startswith("_") and callable(value) and key not in ("_dead",)
    and not key.startswith("__")
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.__name__.strip("_") for case in CASES])
def test_found_and_nothing_else(world: World, case: Callable[[World], Found]) -> None:
    expected = case(world)
    assert short(world.run()) == expected


def test_relations_with_caps_and_the_higher_one(world: World) -> None:
    """T and H with relations of a bureau's own, cap from a parameter."""
    folder = world.workspace.policy_dir
    (folder / "relations.toml").write_text(
        """
[[relations]]
id = "own-cap"
a = "subsistence_allowance"
b = "temporary_assistance"
kind = "T"
cap = "合计封顶_试"
basis = "试行办法"
[[relations]]
id = "own-high"
a = "disability_care_subsidy"
b = "old_age_allowance"
kind = "H"
basis = "试行办法"
[[relations]]
id = "own-unknown-cap"
a = "low_income_margin"
b = "temporary_assistance"
kind = "T"
cap = "没有这个参数"
basis = "试行办法"
""",
        "utf-8",
    )
    (folder / "parameters").mkdir()
    (folder / "parameters" / "x.toml").write_text(
        '[[parameter]]\nname = "合计封顶_试"\nunit = "元"\nsource = "试行办法"\nvalues = [{ since = 2020-01-01, value = 1000 }]\n',
        "utf-8",
    )
    policy = load_policy(folder, region="421002")
    world.roll(LOW, "东镇", *household(1, 120_000, 1, 2), person(3, 20_000))
    world.roll(HELP, "东镇", person(2, 50_000), person(3, 80_000))
    world.roll(CARE, "东镇", person(4, 6_000, born="19300101"))
    world.roll(OLD, "东镇", person(4, 5_000, born="19300101"))
    result = world.run(policy=policy)
    assert short(result) == {
        ("over_cap", LOW, HELP, ids(2), 10_000),
        ("lower_of_two", CARE, OLD, ids(4, born="19300101"), 5_000),
    }
    assert [one for one in result.not_judged if "没有这个参数" in str(one["reason"])]


def test_what_cannot_be_judged_is_said_once(world: World) -> None:
    world.roll(LOW, "东镇", *(person(n, born="19300101") for n in range(1, 6)))
    world.roll(LOW, "西镇", person(7, born="19300101"))
    result = world.run()
    said = [one for one in result.not_judged if one["programme"] == OLD]
    assert [(one["town"], one["month"], one["persons"]) for one in said] == [("", "2026-10", 6)]
    world.roll(OLD, "东镇", person(9, born="19300101"))
    said = [one for one in world.run().not_judged if one["programme"] == OLD]
    assert [(one["town"], one["persons"]) for one in said] == [("西镇", 1)]


def test_single_person_programme_is_a_low_income_programme_too(world: World) -> None:
    world.roll(SINGLE, "东镇", person(1, 40_000))
    world.roll(LOW, "东镇", *household(1, 90_000, 2, 1, 3))
    assert short(world.run()) == {("exclusive", LOW, SINGLE, ids(1), 30_000)}


def test_a_line_of_a_list_stands_for_each_month_once(world: World) -> None:
    """The same line of the certificate list is the ground in every month: one doubt, each month said once, judged where the roll is there."""
    for month in ("2026-08", "2026-09", "2026-10"):
        world.roll(CARE, "东镇", person(5, 5_500), month=month)
    world.register(
        "disability_certificate",
        CERTIFICATE | {"grade": "二级"},
        CERTIFICATE | {"grade": "二级", "valid_from": "2025-01-01"},
    )
    world.register("severe_illness", {"id_no": make_id(1), "event_date": "2025-01-01", "town": "东镇"})
    [doubt] = [d for d in world.run(month_from="2026-07").doubts if d["kind"] == "missed"]
    assert (doubt["month_from"], doubt["month_to"]) == ("2026-08", "2026-10")
    assert "2026-08至2026-10" in doubt["evidence"] and doubt["evidence"].count("2026-09") == 0
    assert doubt["source_a"].endswith("第3行")  # the newer certificate


def test_rows_without_a_head_of_their_own_make_a_case(world: World) -> None:
    """A member's row that came later, and a list whose head is somebody it does not list."""
    rows = [
        person(1, None, case_no=1, lead=0),
        person(2, None, case_no=1, lead=0, head_id_no=make_id(9), category="农村"),
    ]
    world.roll(LOW, "东镇", *rows, person(3, 30_000, case_no=2))
    world.roll("rigid_expenditure", "东镇", *household(1, None, 9, 8), *household(2, None, 7, 3))
    found = {(d["code"], d["id_no_a"], d["id_no_b"]) for d in world.run().doubts}
    assert found == {("exclusive_household", make_id(1), make_id(9)), ("exclusive_household", make_id(3), make_id(3))}


def test_months_fold_into_one_doubt(world: World) -> None:
    for month in ("2026-07", "2026-08", "2026-10"):
        world.roll(LOW, "东镇", person(1, 50_000), month=month)
        world.roll(POOR, "东镇", person(1, 80_000), month=month)
    [doubt] = world.run(month_from="2026-06").doubts
    assert (doubt["month_from"], doubt["month_to"], doubt["amount_fen"]) == ("2026-07", "2026-10", 150_000)
    assert "2026-07至2026-08、2026-10" in doubt["evidence"]
    assert doubt["source_a"].endswith("Sheet1 第2行")


@pytest.mark.parametrize(
    ("born", "holder", "severity"), [("20150101", 1, "candidate"), ("20150101", 2, "strong"), ("19900101", 1, "strong")]
)
def test_a_guardians_account_is_looked_at_and_not_held(world: World, born: str, holder: int, severity: str) -> None:
    """A minor's money on the account of the adult named as its holder; not where the name is the minor's own, nor of an adult's money."""
    world.roll(LOW, "东镇", person(1, account_no="6222020000000001"))
    world.roll("orphan_allowance", "东镇", person(2, born=born, account_no="6222020000000001", payee_name=name(holder)))
    found = [d["severity"] for d in world.run().doubts if d["code"] == "shared_account"]
    assert found == [severity]
