"""What registers and time bring about: leads that are looked into first, and what follows when a clerk has agreed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from jiuzhu_cli.ledger.proposals import decide, effective_changes
from jiuzhu_cli.policy.load import load_policy
from tests.review.worlds import TODAY, World, household
from tests.support import make_id, put_register


def member(serial: int, case: int, **more: Any) -> dict[str, Any]:
    row = {
        "id_no": make_id(serial, born="19820101"),
        "name": f"成员{serial}",
        "case_no": case,
        "lead": 0,
        "category": "农村",
    }
    return row | more


def line(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id_no": row["id_no"], "name": row["name"]} | more


def settle(world: World, proposal: dict[str, Any], state: str, effective: str = "2026-11") -> None:
    with world.store.transaction(actor="李决定", command="test") as tx:
        decide(
            tx,
            proposal["case_id"],
            state=state,
            note="",
            hearing_date="2026-10-20",
            notice_date="2026-10-21",
            effective_month=effective,
        )


def by_name(world: World, month: str = "2026-10") -> dict[str, dict[str, Any]]:
    return {p["name"]: p for p in world.proposals(month) if p["state"] == "open"}


def test_what_is_tolerated_or_over_is_no_hit(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rows = [household(n, 60000, 0, 1, case_no=n) for n in range(1, 9)]
    world.roll("subsistence_allowance", *rows)
    world.register(
        "vehicle",
        line(rows[0], kind="残疾人机动轮椅车", valid_from="2020-01-01"),
        line(rows[1], kind="普通二轮摩托车", valid_from="2020-01-01"),
        line(rows[2], kind="小型轿车", status="注销", valid_from="2020-01-01"),
        line(rows[3], kind="小型轿车", valid_from="2026-11-03"),
        line(rows[4], kind="小型轿车", valid_from="2020-01-01") | {"id_no": make_id(77)},  # a namesake's car
    )
    world.register("imprisonment", line(rows[5], valid_from="2024-01-01", valid_to="2026-10-30"))
    world.register(
        "business",
        line(rows[6], organisation="幸福村夫妻小卖部", kind="个体"),
        line(rows[7], organisation="某公司", status="吊销"),
    )
    world.review()
    assert world.proposals() == []


def test_a_lead_tells_line_value_and_limit_and_stops_nothing(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = household(1, 120000, 0, 2, case_no=1), member(2, 1)
    world.roll("subsistence_allowance", head, mate)
    world.register(
        "vehicle", line(mate, kind="小型轿车", certificate_no="鄂D12345", amount_fen=8000000, valid_from="2020-05-01")
    )
    world.review()
    one = world.one()
    assert (one["action"], one["amount_after_fen"], one["needs_hearing"]) == ("check", None, 0)
    for told in ("成员2", "鄂D12345", "80,000.00 元", "第 2 行", "车辆限数 0辆"):
        assert told in one["reasons"].replace("80000.00", "80,000.00")


def test_assets_of_several_registers_are_summed_per_household_and_balances_count_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rich, mate = household(1, 120000, 0, 2, case_no=1), member(2, 1)
    poor = household(3, 60000, 0, 1, case_no=3)
    world.roll("subsistence_allowance", rich, mate, poor)
    months = world.policy.parameter("金融资产月数", TODAY).value
    limit = int(60000 * months)
    world.register("deposit", line(rich, organisation="农行", amount_fen=limit, event_date="2026-09-30"))
    world.register("payment_platform", line(mate, organisation="微信", amount_fen=limit + 100, event_date="2026-09-30"))
    # the same balance asked for twice is one balance
    world.register(
        "securities",
        line(poor, organisation="某证券", amount_fen=limit - 100, event_date="2026-08-31"),
        line(poor, organisation="某证券", amount_fen=limit - 200, event_date="2026-09-30"),
    )
    world.review()
    one = world.one()
    assert (one["name"], one["action"]) == ("户主1", "check")
    assert "合计" in one["reasons"]


def test_prisoner_leaves_once_confirmed_and_the_subsidy_is_stopped(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = household(1, 120000, 0, 2, case_no=1), member(2, 1)
    world.roll("subsistence_allowance", head, mate)
    world.roll("disability_living_subsidy", {"id_no": mate["id_no"], "name": mate["name"], "amount_fen": 8000})
    world.register("disability_certificate", line(mate, grade="二级", kind="肢体"))
    world.register("imprisonment", line(mate, valid_from="2026-09-15", valid_to="2028-09-14"))
    world.review()
    found = by_name(world)
    assert {p["action"] for p in found.values()} == {"check"}
    assert set(found) == {"户主1", "成员2"}
    again = world.review()
    assert (again.added, again.gone) == (0, 0)
    for one in found.values():
        settle(world, one, "agreed")
    world.review()
    low, subsidy = by_name(world)["户主1"], by_name(world)["成员2"]
    assert (low["action"], low["amount_after_fen"], low["needs_hearing"]) == ("decrease", 60000, 1)
    assert "已核实" in low["reasons"]
    assert (subsidy["action"], subsidy["amount_after_fen"], subsidy["needs_hearing"]) == ("stop", 0, 1)
    # the term is over: they count again
    world.roll("subsistence_allowance", head, mate, month="2028-10")
    world.review("2028-10", today=date(2028, 10, 20))
    assert all("服刑" not in p["reasons"] for p in world.proposals("2028-10"))


def test_a_lead_that_was_rejected_comes_back_only_with_a_new_line(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", row)
    world.register("vehicle", line(row, kind="小型轿车", certificate_no="鄂D12345", valid_from="2020-05-01"))
    world.review()
    settle(world, world.one(), "rejected")
    world.roll("subsistence_allowance", row, month="2026-11")
    world.review("2026-11", today=date(2026, 11, 20))
    assert world.proposals("2026-11") == []
    world.register(
        "vehicle", line(row, kind="小型轿车", certificate_no="鄂D99999", valid_from="2026-10-05"), area="青溪镇"
    )
    world.review("2026-11", today=date(2026, 11, 20))
    assert [p["action"] for p in world.proposals("2026-11")] == ["check"]


def test_whoever_turns_eighty_is_started_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    old, here = make_id(1, born="19461010"), make_id(2, born="19461010")
    moved, dead, young, has = (
        make_id(n, born=b) for n, b in ((3, "19461010"), (4, "19461010"), (5, "19461110"), (6, "19461010"))
    )
    world.roll("old_age_allowance", {"id_no": has, "name": "在册", "amount_fen": 5000})
    world.roll("subsistence_allowance", household(2, 60000, 0, 1, id_no=here, name="低保老人"))
    world.register(
        "household_registration",
        *(
            {"id_no": i, "name": n, "town": "青溪镇"}
            for i, n in ((old, "户籍老人"), (dead, "亡者"), (young, "未满"), (has, "在册"), (here, "低保老人"))
        ),
        {"id_no": moved, "name": "迁出者", "town": "青溪镇", "status": "迁出", "event_date": "2026-03-01"},
    )
    world.register("death", {"id_no": dead, "name": "亡者", "event_date": "2026-09-01"})
    world.review()
    started = {p["name"]: p for p in world.proposals() if p["action"] == "start"}
    assert set(started) == {"户籍老人", "低保老人"}
    assert started["户籍老人"]["amount_before_fen"] == 0
    assert started["户籍老人"]["amount_after_fen"] == 5000
    assert started["低保老人"]["amount_after_fen"] == 5000
    assert {p["effective_month"] for p in started.values()} == {"2026-11"}
    assert {p["area"].split("/")[0] for p in started.values()} == {"青溪镇"}
    assert (world.review().added, len([p for p in world.proposals() if p["action"] == "start"])) == (0, 2)
    settle(world, started["户籍老人"], "effective")
    world.roll("old_age_allowance", {"id_no": has, "name": "在册", "amount_fen": 5000}, month="2026-11")
    world.review("2026-11", today=date(2026, 11, 20))
    assert "户籍老人" not in {p["name"] for p in world.proposals("2026-11")}


def _employed(world: World, amount: int = 70400) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two people, 1,300 元 a month between them (650 a head, the line is 600), one at work since August, an add-on in the amount."""
    head = household(1, amount, 130000, 2, case_no=1, base_fen=60000, addon_fen=amount - 60000)
    mate = member(2, 1)
    world.roll("subsistence_allowance", head, mate)
    world.register(
        "social_insurance",
        line(mate, organisation="某厂", kind="企业职工养老保险", valid_from="2026-08-01", event_date="2026-10-01"),
    )
    return head, mate


def test_grace_runs_frozen_ends_and_is_told(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = _employed(world)
    world.review()
    one = world.one()
    assert (one["action"], one["amount_before_fen"], one["amount_after_fen"], one["needs_hearing"]) == (
        "grace",
        70400,
        60000,
        1,
    )
    assert "2026-11 至 2027-04" in one["reasons"]
    settle(world, one, "effective")
    paid = head | {"amount_fen": 70400}
    world.roll("subsistence_allowance", paid, mate, month="2026-11")
    assert [(c.action, c.amount_after_fen) for c in effective_changes(world.store, "2026-11")] == [("grace", 60000)]
    frozen = head | {"amount_fen": 60000, "addon_fen": 0}
    for month, expected in (("2026-12", set()), ("2027-03", {"check"}), ("2027-04", {"check"}), ("2027-05", {"stop"})):
        world.roll("subsistence_allowance", frozen, mate, month=month)
        world.review(month, today=date.fromisoformat(f"{month}-20"))
        made = world.proposals(month)  # what was decided on the same lines is not raised again
        assert {p["action"] for p in made} == expected, (month, [(p["action"], p["reasons"]) for p in made])
        if expected == {"stop"}:
            assert made[0]["needs_hearing"] == 1


def test_grace_ends_with_the_heads_death(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = _employed(world)
    world.review()
    settle(world, world.one(), "effective")
    world.roll("subsistence_allowance", head | {"amount_fen": 60000}, mate, month="2026-12")
    world.register("death", line(head, event_date="2026-11-20"))
    world.review("2026-12", today=date(2026, 12, 20))
    one = world.one("2026-12")
    assert one["action"] == "stop"
    assert "渐退终止" in one["reasons"]


def test_between_the_lines_goes_to_the_margin_and_back_without_gap_or_overlap(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    up = household(1, 10000, 70000, 1, case_no=1, assets_fen=100000)
    unknown = household(2, 10000, 70000, 1, case_no=2)
    world.roll("subsistence_allowance", up, unknown)
    fallen = {k: v for k, v in household(3, 0, 50000, 1, assets_fen=100000).items() if k != "amount_fen"}
    alone = household(4, 60000, 0, 1)
    margin = {k: v for k, v in household(5, 0, 140000, 2, case_no=9, assets_fen=100).items() if k != "amount_fen"}
    world.roll(
        "low_income_margin",
        fallen | {"case_no": 8},
        margin,
        {**member(4, 9), "id_no": alone["id_no"], "name": alone["name"]},
    )
    world.roll("single_person_allowance", alone | {"disability_grade": "一级", "disability_kind": "肢体"})
    world.review()
    found = by_name(world)
    assert (found["户主1"]["action"], found["户主1"]["amount_after_fen"], found["户主1"]["needs_hearing"]) == (
        "transfer",
        0,
        1,
    )
    assert "发至 2026-10" in found["户主1"]["reasons"]
    assert "自 2026-11 起" in found["户主1"]["reasons"]
    assert found["户主2"]["action"] == "stop"  # nothing is known of its assets
    assert (found["户主3"]["action"], found["户主3"]["amount_after_fen"], found["户主3"]["needs_hearing"]) == (
        "transfer",
        10000,
        0,
    )
    assert sum(step.get("adds_fen", 0) for step in found["户主3"]["steps"]) == 10000
    assert "户主5" not in found  # a margin household with somebody on the single-person allowance is in order


def test_work_refused_three_times_costs_ones_own_share_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    head, mate = household(1, 120000, 0, 2, case_no=1), member(2, 1)
    alone, excused = household(3, 60000, 0, 1, case_no=3), household(4, 60000, 0, 1, case_no=4)
    rows = (head, mate, alone, excused)
    world.roll("subsistence_allowance", *rows)
    days = ("2026-05-01", "2026-07-01", "2026-09-01")
    world.register(
        "work_refusal",
        *(
            line(one, event_date=day, status="无正当理由", organisation=f"保洁{day}")
            for one in (mate, alone)
            for day in days
        ),
        *(
            line(excused, event_date=day, status=why, organisation=day)
            for day, why in zip(days, ("无正当理由", "正当理由", "无正当理由"), strict=True)
        ),
    )
    world.review()
    found = by_name(world)
    assert (found["户主1"]["action"], found["户主1"]["amount_after_fen"], found["户主1"]["needs_hearing"]) == (
        "decrease",
        60000,
        1,
    )
    assert (found["户主3"]["action"], found["户主3"]["amount_after_fen"]) == ("stop", 0)
    assert "户主4" not in found
    settle(world, found["户主1"], "effective")
    world.roll("subsistence_allowance", head | {"amount_fen": 60000}, mate, month="2026-11")
    world.review("2026-11", today=date(2026, 11, 20))
    assert "户主1" not in {p["name"] for p in world.proposals("2026-11")}


def test_rolls_beside_each_other(tmp_path: Path) -> None:
    """In and out, a case gone without a decision, a head who died: the new case is the old one, no entry and no exit."""
    world = World.make(tmp_path)
    grown, added = household(1, 60000, 0, 1, case_no=1), member(11, 1)
    shrunk, left = household(2, 120000, 0, 2, case_no=2), member(12, 2)
    gone = household(3, 60000, 0, 1, case_no=3)
    dead, widow = household(4, 120000, 0, 2, case_no=4), member(14, 4, relation="配偶")
    world.roll("subsistence_allowance", grown, shrunk, left, gone, dead, widow, month="2026-09")
    heir = household(14, 60000, 0, 1, case_no=5, id_no=widow["id_no"], name=widow["name"])
    newcomer = household(6, 60000, 0, 1, case_no=6)
    world.roll("subsistence_allowance", grown | {"amount_fen": 120000, "covered_persons": 2, "household_size": 2}, added,
               shrunk | {"amount_fen": 60000, "covered_persons": 1, "household_size": 1}, heir, newcomer)  # fmt: skip
    world.register("death", line(dead, event_date="2026-09-10"))
    result = world.review()
    found = by_name(world)
    assert {name: p["action"] for name, p in found.items()} == dict.fromkeys(
        ("户主1", "户主2", "户主3", "成员14"), "check"
    )
    assert "成员11" in found["户主1"]["reasons"]
    assert "600.00" in found["户主1"]["reasons"]
    assert "成员12" in found["户主2"]["reasons"]
    assert "第48条" in found["户主3"]["basis"]
    assert "户主4" in found["成员14"]["reasons"]
    assert result.movement == [
        {"programme": "subsistence_allowance", "entered": 1, "ended": 1, "relinked": 1, "transferred": 0}
    ]
    from jiuzhu_cli.ledger.links import links_of

    assert [(one["old_id_no"], one["new_id_no"], one["kind"]) for one in links_of(world.store, "2026-10")] == [
        (dead["id_no"], widow["id_no"], "head_dead")
    ]


def test_new_head_is_the_spouse_or_asked_for(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    first, wife = household(1, 120000, 0, 2, case_no=1), member(2, 1, relation="配偶")
    second = household(3, 180000, 0, 3, case_no=3)
    sons = [member(n, 3, relation="儿子") for n in (4, 5)]
    world.roll("subsistence_allowance", first, wife, second, *sons)
    world.register("death", line(first, event_date="2026-10-02"), line(second, event_date="2026-10-02"))
    world.review()
    found = by_name(world)
    assert "建议新户主：成员2" in found["户主1"]["reasons"]
    assert "请确定新户主" in found["户主3"]["reasons"]
    assert found["户主1"]["action"] == "transfer"


def test_what_was_not_imported_is_said_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 60000, 0, 1))
    world.roll("subsistence_allowance", household(2, 60000, 0, 1), area="白石镇")
    world.register("vehicle", {"id_no": make_id(99), "name": "别人", "kind": "小型轿车"}, area="青溪镇")
    said = [gap for gap in world.review().not_judged if "没有导入的名单" in gap["reason"]]
    assert len(said) == 2
    assert [gap for gap in said if gap["area"] == "白石镇" and "车辆" in gap["reason"]]
    assert [gap for gap in said if gap["area"] == "" and "车辆" not in gap["reason"]]


def test_a_lone_recipient_of_sixty_is_transferred_once_it_is_confirmed(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1, id_no=make_id(1, born="19660915"))
    world.roll("subsistence_allowance", row)
    world.review()
    assert world.one()["action"] == "check"
    settle(world, world.one(), "agreed")
    world.roll("subsistence_allowance", row, month="2026-11")
    world.review("2026-11", today=date(2026, 11, 20))
    one = world.one("2026-11")
    assert (one["action"], one["needs_hearing"]) == ("transfer", 1)  # the tier of care is not known yet
    assert "发至 2026-11" in one["reasons"] and "自 2026-12 起" in one["reasons"]
    # the month after, 特困 begins where 低保 ended: linked, no entry
    settle(world, one, "effective", "2026-12")
    world.roll(
        "extreme_poverty_support",
        {"id_no": row["id_no"], "name": row["name"], "amount_fen": 97100, "self_care": "自理", "category": "农村"},
        month="2026-12",
    )
    world.roll("subsistence_allowance", household(9, 60000, 0, 1), month="2026-12")
    result = world.review("2026-12", today=date(2026, 12, 20))
    assert [(one["programme"], one["transferred"]) for one in result.movement if one["transferred"]] == [
        ("extreme_poverty_support", 1)
    ]
    assert [p["name"] for p in world.proposals("2026-12") if p["action"] == "check"] == ["户主1"]


def test_explain_tells_every_event_with_its_line_and_what_cannot_be_judged(tmp_path: Path) -> None:
    from jiuzhu_cli.ledger.people import find_person
    from jiuzhu_cli.review.explain import explain_person

    world = World.make(tmp_path)
    row = household(1, 60000, 0, 1)
    world.roll("subsistence_allowance", row)
    world.register("vehicle", line(row, kind="小型轿车", certificate_no="鄂D12345", valid_from="2020-05-01"))
    world.register("business", {"id_no": make_id(9), "name": "别人", "organisation": "某店"})
    told = explain_person(world.store, world.policy, find_person(world.store, row["id_no"]), "2026-10", today=TODAY)
    events = {one["event"]: one for one in told["events"]}
    on = {
        one.id
        for one in world.policy.events
        if one.per in ("person", "case") and "subsistence_allowance" in one.on and not one.switch
    }
    assert on <= set(events)
    assert events["vehicle"]["result"] is True
    assert "鄂D12345" in events["vehicle"]["lines"][0]
    assert events["vehicle"]["thresholds"]["车辆限数"]["value"] == "0"
    assert events["business"]["result"] is False  # imported, and not in it
    assert events["housing_fund"]["result"] is None  # not imported
    assert events["to_margin"]["values"]["家庭人均月收入"] == "0.00"


def test_lists_of_several_months_are_one_car_and_a_sold_car_is_none(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    (world.workspace.root / "policy" / "parameters").mkdir(parents=True, exist_ok=True)
    (world.workspace.root / "policy" / "parameters" / "own.toml").write_text(
        '[[parameter]]\nname = "车辆限数"\narea = "421002"\nunit = "辆"\nsource = "某办法"\nvalues = [{ since = 2020-01-01, value = 1 }]\n',
        "utf-8",
    )
    world.policy = load_policy(world.workspace.root / "policy", region="421002")
    keeps, sold, two = (household(n, 60000, 0, 1, case_no=n) for n in (1, 2, 3))
    world.roll("subsistence_allowance", keeps, sold, two)
    car = {"kind": "小型轿车", "valid_from": "2020-05-01"}
    for month, rows in (
        (
            "2026-09",
            [
                line(keeps, certificate_no="A1", **car),
                line(sold, certificate_no="B1", **car),
                line(sold, certificate_no="B2", **car),
            ],
        ),
        (
            "2026-10",
            [
                line(keeps, certificate_no="A1", **car),
                line(two, certificate_no="C1", **car),
                line(two, certificate_no="C2", **car),
            ],
        ),
        ("2026-12", [line(keeps, certificate_no="A1", **car), line(keeps, certificate_no="A2", **car)]),
    ):
        put_register(world.store, "vehicle", rows, month=month)
    prison = line(sold, valid_from="2026-01-05", valid_to="2029-01-04")
    put_register(world.store, "imprisonment", [prison], month="2026-03")
    put_register(world.store, "imprisonment", [line(household(9, 0, 0, 1), valid_from="2026-05-01")], month="2026-05")
    world.review()
    found = by_name(world)
    assert set(found) == {"户主2", "户主3"}
    assert "服刑" in found["户主2"]["reasons"] and "机动车" not in found["户主2"]["reasons"]
    assert "C1" in found["户主3"]["reasons"]


def test_half_a_roll_that_is_not_there_yet_is_said_once(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    town = [household(n, 60000, 0, 1, case_no=n, category="城市") for n in range(1, 12)]
    country = [household(n, 60000, 0, 1, case_no=n) for n in range(20, 32)]
    world.roll("subsistence_allowance", *town, month="2026-09", part="城市")
    world.roll("subsistence_allowance", *country, month="2026-09", part="农村")
    world.roll("subsistence_allowance", *country[1:], part="农村")
    result = world.review()
    assert [p["name"] for p in world.proposals()] == ["户主20"]
    assert [gap["cases"] for gap in result.not_judged if "本月不在册" in gap["reason"]] == [11]


def test_members_are_not_new_where_last_month_named_heads_only(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rows = [(household(n, 120000, 0, 2, case_no=n), member(100 + n, n)) for n in range(1, 8)]
    world.roll("subsistence_allowance", *(head for head, _ in rows), month="2026-09")
    world.roll("subsistence_allowance", *(row for pair in rows for row in pair))
    world.roll("subsistence_allowance", *(head for head, _ in rows), month="2026-11")
    world.review()
    assert world.proposals() == []
    world.review("2026-11", today=date(2026, 11, 20))
    assert world.proposals("2026-11") == []


def test_a_household_that_moved_to_another_programme_is_not_gone(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    row = {key: value for key, value in household(1, 0, 50000, 1).items() if key != "amount_fen"}
    stays = {key: value for key, value in household(2, 0, 70000, 1).items() if key != "amount_fen"}
    world.roll("low_income_margin", row, stays, month="2026-09")
    world.roll("subsistence_allowance", household(3, 60000, 0, 1), month="2026-09")
    world.roll("low_income_margin", stays)
    world.roll("subsistence_allowance", household(3, 60000, 0, 1), household(1, 10000, 50000, 1))
    result = world.review()
    one = world.one()
    assert (one["programme"], one["action"]) == ("subsistence_allowance", "check")
    assert "低保边缘" in one["reasons"]
    assert {one["programme"]: (one["entered"], one["ended"], one["transferred"]) for one in result.movement} == {
        "subsistence_allowance": (0, 0, 1)
    }
