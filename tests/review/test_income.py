"""Households' income by lines: who counts, what counts, by which rule; and what review makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.ledger.people import find_person
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.review.explain import explain_person
from jiuzhu_cli.review.income_output import run_income
from jiuzhu_cli.tabular.read import read_workbook
from tests.review.worlds import MONTH, NOW, TODAY, World, household
from tests.support import make_id

HEAD, WIFE, SON = make_id(1, born="19800101"), make_id(2, born="19820101", male=False), make_id(3, born="20150101")
NAMES = {HEAD: "户主1", WIFE: "李妻", SON: "小明"}


def item(id_no: str, kind: str, amount: int | None = None, period: str = "年", **more: Any) -> dict[str, Any]:
    """One line of 家庭收入核算明细; amount in 分."""
    base = {"id_no": id_no, "name": NAMES.get(id_no, "某人"), "related_id_no": HEAD}
    return base | {"kind": kind, "amount_fen": amount, "grade": period if amount is not None else None} | more


def member(id_no: str, relation: str, **more: Any) -> dict[str, Any]:
    """One line of 家庭成员情况."""
    return {"id_no": id_no, "name": NAMES.get(id_no, "某人"), "related_id_no": HEAD, "relation": relation} | more


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


def income(world: World, month: str = MONTH, id_no: str = HEAD, programme: int = 0) -> dict[str, Any]:
    data = explain_person(world.store, world.policy, find_person(world.store, id_no), month, today=TODAY)
    found: dict[str, Any] = data["programmes"][programme]["income"]
    return found


def with_parameters(world: World, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "own" / "parameters"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "local.toml").write_text(text, "utf-8")
    world.policy = load_policy(tmp_path / "own", region="421002")


def test_lines_of_months_and_years_are_added_by_the_year(world: World) -> None:
    """1,000 a month for 8 months less the sample region's 20 % costs, rent of a year; aid is not income."""
    world.roll("subsistence_allowance", household(1, 120000, 0, 3))
    world.register(
        "income_item",
        item(HEAD, "务工收入", 100000, "月", quantity="8"),
        item(WIFE, "房租", 600000),
        item(HEAD, "低保金", 999999, "月"),
    )
    found = income(world)
    assert found["year_fen"] == 640000 + 600000 and found["gap"] == ""
    told = {step["label"]: step for step in found["steps"]}
    assert told["工资性收入"]["how"] == "1000.00 元/月 × 8 个月；扣减必要就业成本 1600.00 元"
    assert told["工资性收入"]["value"] == "6400.00"
    assert {one["parameter"] for one in told["工资性收入"]["parameters"]} >= {"必要就业成本扣减比例"}
    assert told["政府和社会救助款物"]["value"] == "" and "第13条" in told["政府和社会救助款物"]["basis"]
    world.review()
    made = world.one()
    # 600 × 3 − 12400 ÷ 12 = 766.67, up to whole 元
    assert (made["action"], made["amount_after_fen"]) == ("decrease", 76700)
    assert "核算为全年 12400.00 元，名册所载月收入 0.00 元" in made["reasons"]
    assert any("按收入明细核算" in step.get("how", "") for step in made["steps"])


def test_a_third_of_a_fen_is_never_rounded_before_the_end(tmp_path: Path) -> None:
    """(632 − 1894 / 3) × 3 is 2, not 3: the trap of the reference, by the lines of income."""
    world = World.make(tmp_path, region="230321")
    world.roll("subsistence_allowance", household(1, 200, 189400, 3))
    world.register("income_item", item(HEAD, "赡养费", 189400, "月"))
    assert income(world)["year_fen"] == 189400 * 12
    world.review()
    assert world.proposals() == []


def test_fractions_of_a_fen_are_kept_until_the_households_sum(world: World) -> None:
    """3.3333 亩 at 800 元 are 2666.64 元; a third such field and the costs of 0.01 元 wages leave parts of a 分."""
    world.roll("subsistence_allowance", household(1, 100000, 0, 3))
    world.register(
        "income_item",
        item(HEAD, "种植业收入", quantity="3.3333 亩"),
        item(WIFE, "务工收入", 1, "年"),
        item(SON, "务工收入", 2, "年"),
    )
    found = income(world)
    # 266664 + 0.8 + 1.6 = 266666.4 → 266666; each cut by itself would be 266665
    assert found["year_fen"] == 266666
    assert "舍去不足一分" in found["steps"][-1]["how"]


def test_land_and_livestock_are_estimated_where_no_amount_is_stated(world: World) -> None:
    world.roll("subsistence_allowance", household(1, 100000, 0, 3))
    world.register(
        "income_item",
        item(HEAD, "种植业收入", quantity="5"),
        item(HEAD, "养羊", quantity="3"),
        item(HEAD, "土地流转", 100000, "年", quantity="99"),
    )
    found = income(world)
    assert found["year_fen"] == 5 * 80000 + 3 * 20000 + 100000
    how = {step["label"]: step["how"] for step in found["steps"]}
    assert how["种植业收入"].startswith("5 亩：") and how["土地流转收入"].startswith("全年 1000.00 元")


def test_a_place_without_its_yield_leaves_the_household_unmeasured(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="110101")
    world.roll("subsistence_allowance", household(1, 100000, 50000, 3))
    world.register("income_item", item(HEAD, "种植业收入", quantity="5"))
    found = income(world)
    assert found["year_fen"] is None and "种植亩均年纯收入" in found["gap"]
    world.review()
    made = [one for one in world.proposals() if "没有按明细核算" in one["reasons"]]
    assert len(made) == 1


@pytest.mark.parametrize(
    ("line", "gap"),
    [
        (item(HEAD, "神秘收入", 100), "不认识"),
        (item(HEAD, "工资", 100, ""), "没有写明按年还是按月"),
        (item(HEAD, "工资", 100, "月", quantity="13"), "月数"),
        (item(HEAD, "工资", 100, "月", quantity="许多"), "不是数"),
        (item(HEAD, "工资"), "没有写金额"),
        (item(HEAD, "工资", -100), "负数"),
        (item(HEAD, "工资", 100, valid_to="2026-09"), "到期"),
    ],
)
def test_what_is_wanting_is_told_and_the_rolls_figure_stays(world: World, line: dict[str, Any], gap: str) -> None:
    world.roll("subsistence_allowance", household(1, 150000, 30000, 3))
    world.register("income_item", line)
    assert gap in income(world)["gap"]
    world.review()
    made = world.one()
    assert made["action"] == "check" and gap in made["reasons"] and made["amount_after_fen"] is None


def test_the_exclusion_of_the_basic_pension_ends_on_its_day(world: World) -> None:
    """“十四五期间”: December 2025 leaves it out, January 2026 counts it until the place says otherwise (请核对)."""
    for month in ("2025-12", "2026-01"):
        world.roll("subsistence_allowance", household(1, 100000, 0, 3), month=month)
    world.register("income_item", item(HEAD, "基础养老金", 14300, "月"))
    assert income(world, "2025-12")["year_fen"] == 0
    after = income(world, "2026-01")
    assert after["year_fen"] == 14300 * 12
    used = [one for step in after["steps"] for one in step["parameters"]]
    assert [(one["parameter"], one["confirmed"]) for one in used] == [("基础养老金不计入收入", False)]


def test_a_local_switch_brings_the_exclusion_back(world: World, tmp_path: Path) -> None:
    world.roll("subsistence_allowance", household(1, 180000, 0, 3))
    world.register("income_item", item(HEAD, "基础养老金", 14300, "月"), item(HEAD, "高龄津贴", 5000, "月"))
    assert income(world)["year_fen"] == (14300 + 5000) * 12
    with_parameters(
        world,
        tmp_path,
        '[[parameter]]\nname = "基础养老金不计入收入"\narea = "42"\nsource = "鄂某发〔2026〕1号"\nvalues = [{ since = 2026-01-01, value = true }]\n',
    )
    assert income(world)["year_fen"] == 5000 * 12


def test_extreme_poverty_leaves_out_the_basic_pension_and_the_allowance_of_the_old_always(world: World) -> None:
    old = make_id(9, born="19400101")
    world.roll("extreme_poverty_support", {"id_no": old, "name": "老人", "amount_fen": 78000, "category": "农村", "care_mode": "分散", "self_care": "自理"})  # fmt: skip
    lines = [{"related_id_no": old, "id_no": old, "name": "老人", "grade": "月"} | more for more in (
        {"kind": "基础养老金", "amount_fen": 14300}, {"kind": "高龄津贴", "amount_fen": 5000}, {"kind": "退休金", "amount_fen": 10000})]  # fmt: skip
    world.register("income_item", *lines)
    assert income(world, id_no=old)["year_fen"] == 120000


def test_who_counts_and_who_does_not(world: World) -> None:
    """A prisoner's income and head do not count, a student's do; a son who lives elsewhere does not."""
    grown, prisoner, away = make_id(4, born="20040101"), make_id(5, born="19950101"), make_id(6, born="19900101")
    rows = [household(1, 100000, 0, 5, case_no=1)] + [
        {"id_no": id_no, "name": name, "relation": relation, "case_no": 1, "lead": 0}
        for id_no, name, relation in ((WIFE, "李妻", "妻"), (grown, "某人", "长子"), (prisoner, "某人", "次子"), (away, "某人", "三子"))
    ]  # fmt: skip
    world.roll("subsistence_allowance", *rows)
    world.register("imprisonment", {"id_no": prisoner, "valid_from": "2025-01-01", "valid_to": "2027-01-01"})
    world.register(
        "household_member",
        member(HEAD, "本人", grade="无劳动能力"),
        member(WIFE, "妻", grade="无劳动能力"),
        member(grown, "长子", status="在校", valid_to="2026-12-31"),
        member(prisoner, "次子"),
        member(away, "三子", kind="否"),
    )
    world.register(
        "income_item", item(HEAD, "其他收入", 100), *(item(one, "其他收入", 100000) for one in (grown, prisoner, away))
    )
    found = income(world)
    assert (found["year_fen"], found["persons"]) == (100100, 3)
    why = {step["how"] for step in found["steps"] if step["label"] == "不计入成员"}
    assert why == {"次子：在监狱服刑", "三子：不长期共同居住"}
    # released, he is no longer left out by the register; nor is his release guessed from a day that has not come
    assert income(world, "2026-10")["persons"] == 3


@pytest.mark.parametrize(
    ("born", "relation", "more", "counts"),
    [
        ("20080101", "儿子", {}, False),
        ("20081101", "儿子", {}, True),
        ("20081031", "儿子", {}, False),
        ("20000101", "儿子", {"status": "研究生在读"}, False),
        ("20000101", "儿子", {"status": "在校", "valid_to": "2026-06-30"}, False),
        ("20000101", "儿子", {"status": "在校", "valid_to": "2027-06-30"}, True),
        ("19900101", "儿子", {"grade": "完全丧失劳动能力"}, True),
        ("19900101", "儿子", {"kind": "是"}, True),
        ("19500101", "母亲", {"kind": "是"}, True),
        ("19500101", "母亲", {"kind": "否"}, False),
        ("19800101", "妻子", {"status": "离婚"}, False),
        ("19800101", "妻子", {"status": "宗教教职人员", "valid_from": "2023-10-31"}, False),
        ("19800101", "妻子", {"status": "宗教教职人员", "valid_from": "2023-11-01"}, True),
        ("19800101", "妻子", {"status": "宣告失踪"}, False),
        ("19800101", "妻子", {"status": "强戒"}, False),
    ],
)
def test_household_rules_on_their_day(
    world: World, born: str, relation: str, more: dict[str, Any], counts: bool
) -> None:
    """A form without who lives together leaves an adult who can live alone open: here that is the not counted of `False`."""
    other = make_id(7, born=born)
    world.roll("subsistence_allowance", household(1, 100000, 0, 2))
    world.register("household_member", member(HEAD, "本人", grade="无劳动能力"), member(other, relation, **({"grade": "无劳动能力"} if relation != "儿子" else {"grade": "有劳动能力"} if "grade" not in more and "kind" not in more else {}) | more))  # fmt: skip
    world.register("income_item", item(HEAD, "无收入"), item(other, "其他收入", 120000))
    found = income(world)
    told = next(step for step in found["steps"] if step["name"] == "某人")
    assert (told["label"] == "计入成员") is counts, told
    if counts:
        assert found["persons"] == 2


def test_income_is_imputed_by_age_and_ability_unless_it_is_stated(world: World) -> None:
    """The minimum wage × 12 × 0.9 (under 45), 0.8 (45 to 54), 0.5 (part of it); not for students, the old, those with wages."""
    wage = world.policy.parameter("月最低工资标准", TODAY).value * 12
    people = {
        make_id(11, born="19900101"): ("有劳动能力", wage * 90),
        make_id(12, born="19800101"): ("有劳动能力", wage * 80),
        make_id(13, born="19700101"): ("部分丧失劳动能力", wage * 50),
        make_id(14, born="19600101"): ("有劳动能力", 0),
        make_id(15, born="19900102"): ("无劳动能力", 0),
    }
    world.roll("subsistence_allowance", household(1, 100000, 0, 6))
    world.register(
        "household_member",
        member(HEAD, "本人", grade="无劳动能力"),
        *(member(one, "弟弟", grade=ability, kind="是") for one, (ability, _) in people.items()),
    )
    world.register("income_item", item(HEAD, "无收入"))
    assert income(world)["year_fen"] == sum(fen for _, fen in people.values())
    first = next(iter(people))
    world.register("income_item", item(first, "工资", 100000, "年"), area="青溪镇")
    assert income(world)["year_fen"] == sum(fen for _, fen in people.values()) - wage * 90 + 80000


def test_hardship_is_taken_off_the_household_but_never_below_nothing(world: World) -> None:
    severe = make_id(8, born="19800102")
    world.roll("subsistence_allowance", household(1, 100000, 0, 2))
    world.register("disability_certificate", {"id_no": severe, "grade": "一级", "kind": "肢体"})
    world.register(
        "household_member", member(HEAD, "本人", grade="无劳动能力"), member(severe, "妻子", grade="无劳动能力")
    )
    world.register("income_item", item(HEAD, "赡养费", 500000), item(severe, "医疗自付支出", 120000))
    found = income(world)
    assert found["year_fen"] == 500000 - 120000 - 15000 * 12  # 150 元 a month for the disabled, the sample region's
    world.register("income_item", item(HEAD, "大病支出", 99999900), area="青溪镇")
    assert income(world)["year_fen"] == 0


def test_the_latest_report_of_a_household_holds_as_a_whole(world: World) -> None:
    from tests.support import put_register

    for month in ("2026-08", "2026-10"):
        world.roll("subsistence_allowance", household(1, 100000, 0, 3), month=month)
    put_register(world.store, "income_item", [item(HEAD, "工资", 500000), item(WIFE, "房租", 300000)], month="2026-08")
    put_register(world.store, "income_item", [item(WIFE, "房租", 400000)], month="2026-09")
    assert income(world, "2026-10")["year_fen"] == 400000
    assert income(world, "2026-08")["year_fen"] == 400000 + 300000  # what came later is not known yet


def test_the_head_died_and_the_new_lead_is_found_by_the_lines(world: World) -> None:
    """The household's lines stand under the old head; the widow leads the roll: the dead man's income is gone with him."""
    world.roll("subsistence_allowance", household(2, 60000, 0, 1) | {"id_no": WIFE, "name": "李妻"})
    world.register("death", {"id_no": HEAD, "name": "户主1", "event_date": "2026-09-03"})
    world.register("household_member", member(HEAD, "本人"), member(WIFE, "妻", grade="无劳动能力"))
    world.register("income_item", item(HEAD, "退休金", 200000, "月"), item(WIFE, "房租", 60000))
    found = income(world, id_no=WIFE)
    assert (found["year_fen"], found["persons"]) == (60000, 1)


def test_a_household_in_one_row_counts_when_its_parts_come_to_its_sum(world: World) -> None:
    import json

    others = [make_id(21, born="19800101"), make_id(22, born="19800101"), make_id(23, born="19800101")]
    world.roll("subsistence_allowance", *(household(n, 100000, 0, 3) | {"id_no": one} for n, one in zip((1, 21, 22, 23), (HEAD, *others), strict=True)))  # fmt: skip
    parts = {"工资性收入（元）": "1,000", "经营净收入": "500.5", "财产性收入": "", "转移性收入": "-"}
    rows = [
        (HEAD, parts, 150050),
        (others[0], parts, 150050 * 10000),  # the list is in 万元
        (others[1], parts, 150051),
        (others[2], parts, None),
    ]
    world.register("household_income", *({"id_no": one, "name": "户主1", "grade": "年", "amount_fen": total, "extra": json.dumps(extra, ensure_ascii=False)} for one, extra, total in rows))  # fmt: skip
    assert income(world)["year_fen"] == 80000 + 50050
    assert income(world, id_no=others[0])["year_fen"] == (80000 + 50050) * 10000
    assert "不符" in income(world, id_no=others[1])["gap"]
    assert "合计" in income(world, id_no=others[2])["gap"]


def test_registers_tell_of_income_that_nobody_counted(world: World) -> None:
    world.roll("subsistence_allowance", household(1, 160000, 20000, 3), household(31, 160000, 20000, 3))
    world.register("income_item", item(HEAD, "其他收入", 240000), item(WIFE, "退休金", 100000, "月"))
    world.register(
        "pension",
        {"id_no": HEAD, "name": "户主1", "amount_fen": 150000},
        {"id_no": WIFE, "name": "李妻", "amount_fen": 120000},
    )
    world.register("social_insurance", {"id_no": SON, "name": "小明", "organisation": "厂"}, {"id_no": make_id(31, born="19800101"), "name": "户主31"})  # fmt: skip
    world.register("tax", {"id_no": make_id(31, born="19800101"), "name": "户主31", "amount_fen": 100})
    found = income(world)
    assert "户主1按月领取养老金（养老金领取名单，年 18000.00 元），家庭收入核算里没有计入" in found["leads"]
    assert "李妻按月领取养老金（养老金领取名单，年 14400.00 元），家庭收入核算只列 12000.00 元" in found["leads"]
    assert found["year_fen"] == 240000 + 1200000  # told, not counted
    world.review()
    assert sum("不自动计入" in one["reasons"] for one in world.proposals()) == 1


def test_without_lines_all_stays_as_it_was(world: World) -> None:
    world.roll("subsistence_allowance", household(1, 160000, 20000, 3))
    assert income(world) is None
    world.review()
    assert world.proposals() == []
    with pytest.raises(UsageError, match="还没有导入家庭收入核算明细"):
        run_income(world.store, world.workspace, world.policy, MONTH, now=NOW, actor="甲")


def test_a_roll_in_whole_yuan_says_the_same(world: World) -> None:
    world.roll("subsistence_allowance", household(1, 116700, 63300, 3))
    world.register("income_item", item(HEAD, "赡养费", 759960))  # 633.30 a month
    world.review()
    assert world.proposals() == []


def test_the_workbook_holds_every_household_and_step(world: World) -> None:
    world.roll("subsistence_allowance", household(1, 120000, 0, 3), household(31, 10000, 0, 2))
    other = make_id(31, born="19800101")
    world.register(
        "income_item",
        item(HEAD, "务工收入", 100000, "月"),
        {"id_no": other, "name": "户主31", "related_id_no": other, "kind": "怪收入", "amount_fen": 1, "grade": "年"},
    )
    result = run_income(world.store, world.workspace, world.policy, MONTH, now=NOW, actor="甲")
    assert (result.households, result.measured, result.gaps, result.differs) == (2, 1, 1, 1)
    again = result.workbook.read_bytes()
    assert (
        run_income(world.store, world.workspace, world.policy, MONTH, now=NOW, actor="甲").workbook.read_bytes()
        == again
    )
    book = read_workbook(result.workbook)
    assert [sheet.name for sheet in book.sheets] == ["说明", "各户收入", "计算步骤"]
    texts = {str(cell) for sheet in book.sheets for column in sheet.columns for cell in column}
    assert {"低于低保标准", "没有核算", "核算年收入"} <= texts


def test_the_limit_of_assets_is_wider_where_anybody_of_the_household_is_gravely_ill(
    world: World, tmp_path: Path
) -> None:
    """36 and 48 months of the standard, as one county has it: 600 × 36 × 2 persons, 600 × 48 × 2."""
    with_parameters(
        world,
        tmp_path,
        "".join(
            f'[[parameter]]\nname = "{name}"\narea = "421002"\nunit = "月"\nsource = "示例"\nvalues = [{{ since = 2020-01-01, value = {value} }}]\n'
            for name, value in (("金融资产月数", 36), ("金融资产月数_重病重残", 48))
        ),
    )
    ill = make_id(41, born="19800101")
    rows: list[dict[str, Any]] = []
    for case, (serial, assets, mate) in enumerate(
        ((1, 4_320_100, WIFE), (2, 4_320_100, ill), (3, 5_760_000, ill), (4, 5_760_100, ill)), 1
    ):
        rows.append(household(serial, 120000, 0, 2, assets_fen=assets, case_no=case))
        rows.append(
            {
                "id_no": mate if case < 3 else make_id(40 + case, born="19800101"),
                "name": "某人",
                "relation": "妻",
                "lead": 0,
                "case_no": case,
            }
        )
    world.roll("subsistence_allowance", *rows)
    world.register(
        "severe_illness",
        *(
            {"id_no": one, "kind": "尿毒症"}
            for one in (ill, make_id(43, born="19800101"), make_id(44, born="19800101"))
        ),
    )
    world.review()
    found = {one["id_no"] for one in world.proposals() if "金融资产" in one["reasons"]}
    assert found == {make_id(1, born="19800101"), make_id(4, born="19800101")}


def test_clergy_of_three_years_may_be_a_unit_of_their_own(world: World) -> None:
    years = {make_id(51, born="19800101"): "2023-10-31", make_id(52, born="19800101"): "2023-11-01"}
    world.roll("single_person_allowance", *({"id_no": one, "name": "师父", "amount_fen": 60000, "income_fen": 0, "income_period": "month", "category": "农村"} for one in years))  # fmt: skip
    world.register("severe_illness", {"id_no": WIFE, "kind": "尿毒症"})
    world.register("disability_certificate", *({"id_no": one, "kind": "肢体", "grade": "三级"} for one in years))
    world.register("household_member", *({"id_no": one, "name": "师父", "related_id_no": one, "relation": "本人", "status": "宗教教职人员", "valid_from": since} for one, since in years.items()))  # fmt: skip
    world.review()
    assert [one["id_no"] for one in world.proposals()] == [make_id(52, born="19800101")]


@pytest.mark.parametrize("second", [240000, 300000])
def test_an_item_that_two_lists_state_is_not_counted_twice(world: World, second: int) -> None:
    """Two lists of one month: nobody can tell whether the second is a correction or a further room that is let."""
    world.roll("subsistence_allowance", household(1, 160000, 20000, 3))
    world.register("income_item", item(HEAD, "房租", 240000))
    world.register("income_item", item(HEAD, "房租", second), item(WIFE, "利息", 100), area="青溪镇")
    found = income(world)
    assert found["year_fen"] is None and "房租”在两份表里都有" in found["gap"]
