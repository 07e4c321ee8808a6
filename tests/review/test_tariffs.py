"""Tariff tables as data: a local class, a percentage, graded lists, units, birthdays, several lines that may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.load import load_policy
from tests.review.worlds import TODAY, World, household
from tests.support import make_id


def _with(world: World, region: str = "421002", **files: str) -> World:
    """The bureau's own folder over the shipped data: ``parameters=…`` or ``programme__code=…``."""
    folder = world.workspace.root / "policy"
    for name, text in files.items():
        kind, _, code = name.partition("__")
        path = folder / ("parameters/own.toml" if kind == "parameters" else f"programmes/{code}.toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    world.policy = load_policy(folder, region=region)
    return world


def _parameter(name: str, value: str, unit: str = "元/人/月") -> str:
    return f'[[parameter]]\nname = "{name}"\narea = "421002"\nunit = "{unit}"\nsource = "某政发〔2026〕1号"\nvalues = [{{ since = 2026-01-01, {value} }}]\n'


def _found(world: World) -> dict[str, tuple[str, int | None]]:
    for one in world.proposals():
        if one["amount_after_fen"] is not None and one["steps"]:
            assert sum(step.get("adds_fen", 0) for step in one["steps"]) == one["amount_after_fen"]
    return {one["id_no"]: (one["action"], one["amount_after_fen"]) for one in world.proposals()}


def _graded(
    serial: int, grade: str | None, amount: int, persons: int = 1, category: str | None = "城市"
) -> dict[str, Any]:
    return household(serial, amount, 0, persons, income_fen=None, income_period=None, grade=grade, category=category)


GRADES = "".join(
    _parameter(f"低保分档标准_城市_{grade}", f"value = {value}").replace("421002", "999999")
    for grade, value in (("A", 690), ("B", 610), ("C", 530))
)


def test_graded_lists_are_paid_by_grade_and_persons(tmp_path: Path) -> None:
    world = _with(World.make(tmp_path, "999999"), "999999", parameters=GRADES)
    rows = [
        _graded(1, "A类", 138000, 2), _graded(2, "B", 61000), _graded(3, "二档", 61000), _graded(4, "C类", 61000),
        _graded(5, None, 53000), _graded(6, None, 54000), _graded(7, "A", 69000, category="农村"),
    ]  # fmt: skip
    world.roll("subsistence_allowance", *rows)
    result = world.review()
    assert _found(world) == {rows[3]["id_no"]: ("decrease", 53000), rows[5]["id_no"]: ("check", None)}
    # no grades are told for the country
    assert [gap["cases"] for gap in result.not_judged if "分档" in gap["reason"]] == [1]


def test_a_list_with_income_is_topped_up_unless_the_place_pays_by_grade(tmp_path: Path) -> None:
    row = household(1, 60000, 30000, 1, grade="A", category="城市")
    world = _with(World.make(tmp_path, "999999"), "999999", parameters=GRADES)
    world.roll("subsistence_allowance", row)
    world.review()
    assert _found(world) == {row["id_no"]: ("decrease", 48600)}  # 785.9 less 300, up to the 元
    _with(world, "999999", parameters=(
        _parameter("低保金计算方式", 'value = "分档"', "") + _parameter("低保分档标准_城市_A", "value = 500", "元/户/月")
    ).replace("421002", "999999"))  # fmt: skip
    world.review()
    assert _found(world) == {row["id_no"]: ("decrease", 50000)}  # once a household


def test_add_on_as_a_percentage_of_the_standard(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _with(world, parameters=_parameter("分类施保标准_农村_老年人", 'formula = "round(低保标准_农村 * 0.15, 0)"'))
    rows = [household(1, 60000, 0, 1, id_no=make_id(1, born="19500101")), household(2, 60000, 0, 1)]
    world.roll("subsistence_allowance", *rows)
    world.register("disability_certificate", {"id_no": make_id(400), "name": "别人", "grade": "一级", "kind": "肢体"})
    world.register("severe_illness", {"id_no": make_id(401), "name": "别人"})
    world.review()
    assert _found(world) == {rows[0]["id_no"]: ("increase", 69000)}


def test_a_class_of_ones_own_needs_only_a_file(tmp_path: Path) -> None:
    """单人户加发: another line in the table, its amount arithmetic over parameters."""
    world = World.make(tmp_path)
    _with(
        world,
        parameters=_parameter("独居老人加发比例", "value = 20", "%"),
        programme__subsistence_allowance="""
[[tariffs]]
part = "低保金"
per = "gap"
amount = { "城市" = "低保标准_城市", "农村" = "低保标准_农村" }
[[tariffs]]
part = "分类施保"
label = "独居老人"
per = "member"
amount = { "城市" = "低保标准_城市 * 独居老人加发比例 / 100", "农村" = "低保标准_农村 * 独居老人加发比例 / 100" }
when = "年龄 >= 70 and 家庭人口 = 1"
""",
    )
    old = household(1, 60000, 0, 1, id_no=make_id(1, born="19500101"))
    pair = household(2, 120000, 0, 2, id_no=make_id(2, born="19500101"))
    world.roll("subsistence_allowance", old, pair)
    world.review()
    assert _found(world) == {old["id_no"]: ("increase", 72000)}
    step = next(step for step in world.one()["steps"] if step["label"] == "分类施保")
    assert step["formula"] == "低保标准_农村 * 独居老人加发比例 / 100"
    assert {one["parameter"] for one in step["parameters"]} == {"低保标准_农村", "独居老人加发比例"}


def test_an_addon_without_a_label_shows_no_empty_brackets(tmp_path: Path) -> None:
    world = _with(
        World.make(tmp_path),
        programme__subsistence_allowance="""
[[tariffs]]
part = "低保金"
per = "gap"
amount = { "城市" = "低保标准_城市", "农村" = "低保标准_农村" }
[[tariffs]]
part = "独居加发"
per = "member"
amount = { "城市" = "低保标准_城市 * 0.1", "农村" = "低保标准_农村 * 0.1" }
when = "年龄 >= 70"
""",
    )
    world.roll("subsistence_allowance", household(1, 60000, 0, 1, id_no=make_id(1, born="19500101"), name="陶永福"))
    world.review()
    assert next(step["how"] for step in world.one()["steps"] if step["label"] == "独居加发") == "陶永福，一人只计一次"


def test_a_figure_that_is_no_whole_fen_is_refused(tmp_path: Path) -> None:
    world = _with(World.make(tmp_path), parameters=_parameter("养老护理补贴标准", "value = 1.005"))
    world.roll("elder_care_subsidy", {"id_no": make_id(1), "amount_fen": 10000})
    with pytest.raises(PolicyError, match="养老护理补贴标准"):
        world.review()


def test_orphans_by_where_they_live(tmp_path: Path) -> None:
    world = World.make(tmp_path)  # 1400 at home; 1900 in a home by the national default
    rows = [
        {"id_no": make_id(n, born="20150101"), "name": f"儿童{n}", "amount_fen": amount, "category": category}
        for n, (category, amount) in enumerate(
            [("社会散居", 140000), ("集中养育", 140000), ("集中", 190000), (None, 190000), (None, 140000), (None, 150000)], 1
        )
    ]  # fmt: skip
    world.roll("orphan_allowance", *rows)
    world.review()
    assert _found(world) == {rows[1]["id_no"]: ("increase", 190000), rows[5]["id_no"]: ("check", None)}


def test_orphans_whose_class_stands_under_rearing_are_judged_by_it(tmp_path: Path) -> None:
    world = World.make(tmp_path)  # the roll's own header 养育方式 is read as care_mode
    rows = [
        {"id_no": make_id(n, born="20150101"), "name": f"儿童{n}", "amount_fen": amount, "care_mode": mode}
        for n, (mode, amount) in enumerate([("散居", 190000), ("社会散居", 140000), ("集中养育", 140000)], 1)
    ]
    world.roll("orphan_allowance", *rows)
    world.review()
    assert _found(world) == {rows[0]["id_no"]: ("decrease", 140000), rows[2]["id_no"]: ("increase", 190000)}


def test_rent_by_household_or_by_head(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    rows = [household(n, 30000, 0, 3, category=None) for n in (1, 2)]
    world.roll("rental_subsidy", *rows)
    _with(world, parameters=_parameter("租赁补贴标准", "value = 300", "元/户/月"))
    world.review()
    assert _found(world) == {}
    _with(world, parameters=_parameter("租赁补贴标准", "value = 300", "元/人/月"))
    world.review()
    assert _found(world) == {row["id_no"]: ("increase", 90000) for row in rows}


@pytest.mark.parametrize(
    ("turning", "born", "amount", "expected"),
    [
        ("当月", "19361015", 5000, ("increase", 10000)), ("当月", "19361015", 10000, None),
        ("次月", "19361015", 10000, ("decrease", 5000)),
        # right this month; the next one is told
        ("次月", "19361015", 5000, ("increase", 10000)), ("两可", "19361015", 5000, ("increase", 10000)),
        ("两可", "19361015", 10000, None), ("两可", "19361015", 7000, ("check", None)),
        ("次月", "19360930", 10000, None), ("当月", "19361101", 5000, None),
    ],
)  # fmt: skip
def test_the_month_of_a_birthday(
    tmp_path: Path, turning: str, born: str, amount: int, expected: tuple[str, int | None] | None
) -> None:
    world = _with(World.make(tmp_path), parameters=_parameter("高龄津贴满龄计发", f'value = "{turning}"', ""))
    world.roll("old_age_allowance", {"id_no": make_id(1, born=born), "amount_fen": amount})
    world.review()
    assert _found(world) == ({make_id(1, born=born): expected} if expected else {})


def test_age_not_told_leaves_every_band_open(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        "old_age_allowance", {"id_no": "X123456789", "amount_fen": 10000}, {"id_no": "X123456780", "amount_fen": 7000}
    )
    world.review()
    assert _found(world) == {"X123456780": ("check", None)}


def test_without_a_value_on_the_day_nothing_is_judged(tmp_path: Path) -> None:
    own = _parameter("养老护理补贴标准", "value = 300").replace(
        "since = 2026-01-01", "since = 2026-01-01, until = 2026-06-30"
    )
    world = _with(World.make(tmp_path), parameters=own)
    world.roll("elder_care_subsidy", {"id_no": make_id(1), "amount_fen": 10000})
    result = world.review()
    assert _found(world) == {}
    assert [gap["reason"] for gap in result.not_judged if "名单" not in gap["reason"]] == [
        "养老护理补贴：没有 2026-10 的“养老护理补贴标准”，用到它的没有核算"
    ]


def test_one_off_aid_is_checked_where_the_place_has_its_figure(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    gifts = [{"id_no": make_id(n), "name": f"户主{n}", "amount_fen": amount} for n, amount in ((1, 30000), (2, 50000))]
    world.roll("festival_gift", *gifts)
    world.review()
    assert _found(world) == {}  # the national figure is only an example
    _with(world, parameters=_parameter("节日慰问标准", "value = 300", "元/户次"))
    world.review()
    assert _found(world) == {gifts[1]["id_no"]: ("check", None)}
    assert "应为 300.00 元" in world.one()["reasons"]


def test_schooling_by_stage_boarding_and_term(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    told = [
        ("小学", "2026年秋季学期", 62500, True), ("小学", "寄宿 秋季学期", 62500, True), ("小学", "走读 秋季学期", 31250, True),
        ("小学", "走读 秋季学期", 62500, False), ("初中", "寄宿 全年", 150000, True), ("初中", "寄宿 全年", 75000, False),
        ("初中", None, 75000, True), ("初中", None, 80000, False), ("高中", "秋季学期", 99900, True), (None, None, 62500, True),
    ]  # fmt: skip
    rows = [
        {
            "id_no": make_id(n, born="20140101"),
            "name": f"学生{n}",
            "amount_fen": amount,
            "category": category,
            "stage": stage,
        }
        for n, (category, stage, amount, _) in enumerate(told, 1)
    ]
    world.roll("education_assistance", *rows)
    world.review()
    assert set(_found(world)) == {row["id_no"] for row, one in zip(rows, told, strict=True) if not one[3]}


def test_instalments_by_the_plan(tmp_path: Path) -> None:
    world = World.make(tmp_path)  # C 12000 in four parts: 30, 30, 20, 20
    own = _parameter("危改补助_C级", "value = 12000", "元/户") + _parameter("危改补助_D级", "value = 24000", "元/户")
    _with(world, parameters=own)
    told = [("C", "开工", 360000, True), ("C级", "竣工", 240000, True), ("C", "开工", 1200000, False), ("C", None, 1200000, True),
            ("C", None, 360000, True), ("D", "主体完工", 720000, True), ("D", "主体完工", 360000, False)]  # fmt: skip
    rows = [
        {"id_no": make_id(n), "name": f"户主{n}", "amount_fen": amount, "grade": grade, "stage": stage}
        for n, (grade, stage, amount, _) in enumerate(told, 1)
    ]
    world.roll("dilapidated_house_renovation", *rows)
    world.review()
    assert set(_found(world)) == {row["id_no"] for row, one in zip(rows, told, strict=True) if not one[3]}


def test_a_head_listed_again_among_the_members_gets_one_add_on(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _with(world, parameters=_parameter("分类施保标准_农村_老年人", "value = 100"))
    old = make_id(1, born="19500101")
    lead = household(1, 70000, 0, 1, id_no=old, name="老人", case_no=1, lead=1)
    world.roll(
        "subsistence_allowance", lead, {"id_no": old, "name": "老人", "case_no": 1, "lead": 0, "relation": "本人"}
    )
    world.register("disability_certificate", {"id_no": make_id(400), "name": "别人", "grade": "一级", "kind": "肢体"})
    world.register("severe_illness", {"id_no": make_id(401), "name": "别人"})
    world.review()
    assert _found(world) == {}


def test_a_programme_file_of_the_first_version_is_read_as_the_table_it_means(tmp_path: Path) -> None:
    old = """
name = "渔民补贴"
department = "民政"
unit = "person"
benefit = "graded"
source = "某文"
[review]
amount = "graded"
cycle_months = 12
[review.parameters]
amount = "渔民补贴标准"
"amount_一级" = "渔民补贴标准_一级"
amount_90 = "渔民补贴标准_90"
"""
    own = "".join(
        _parameter(name, f"value = {value}")
        for name, value in (("渔民补贴标准", 80), ("渔民补贴标准_一级", 120), ("渔民补贴标准_90", 100))
    )
    world = _with(World.make(tmp_path), parameters=own, programme__fishery=old)
    rows = [
        {"id_no": make_id(1, born="19300101"), "name": "老人", "amount_fen": 8000, "disability_grade": "四级"},
        {"id_no": make_id(2), "name": "某人", "amount_fen": 8000, "disability_grade": "一级"},
        {"id_no": make_id(3), "name": "某人", "amount_fen": 8000, "disability_grade": "四级"},
    ]
    world.roll("fishery", *rows)
    world.review()
    assert _found(world) == {rows[0]["id_no"]: ("increase", 10000), rows[1]["id_no"]: ("increase", 12000)}


def test_old_keys_over_a_shipped_table_do_not_stop_the_month(tmp_path: Path) -> None:
    world = _with(World.make(tmp_path), programme__elder_care_subsidy='[review]\namount = "fixed"\ncycle_months = 6\n')
    world.roll("elder_care_subsidy", {"id_no": make_id(1), "name": "某人", "amount_fen": 10000})
    world.review()
    assert _found(world) == {make_id(1): ("increase", 20000)}
    _with(world, programme__elder_care_subsidy='[review.parameters]\namount = "养老服务消费补贴上限"\n')
    said = [one.text for one in check_policy(world.policy, TODAY)]
    assert any("review.parameters.amount 不再看" in text for text in said)


def test_the_single_person_has_add_ons_too(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _with(world, parameters=_parameter("分类施保标准_农村_重度残疾人", "value = 100"))
    person = make_id(1, born="19800101")
    world.register("disability_certificate", {"id_no": person, "name": "某人", "grade": "一级", "kind": "肢体"})
    world.register("severe_illness", {"id_no": make_id(401), "name": "别人"})
    world.roll("single_person_allowance", household(1, 60000, 0, 1, id_no=person, name="某人", household_size=1))
    world.review()
    assert _found(world) == {person: ("increase", 70000)}


def test_a_loss_is_no_income_and_no_persons_are_no_ground_to_stop(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 65000, -5000, 1), household(2, 60000, 0, 0))
    world.review()
    found = {p["name"]: (p["action"], p["amount_after_fen"]) for p in world.proposals()}
    assert found == {"户主1": ("decrease", 60000), "户主2": ("check", None)}
