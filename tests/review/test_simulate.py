"""Simulations of a policy: sums worked out by hand, the review itself as the oracle, what must hold whatever is changed."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.mask import find_personal_numbers
from jiuzhu_cli.ledger.proposals import proposals_of
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.policy.overlay import broken_floors, changes, parse_settings, read_settings, with_values
from jiuzhu_cli.review.simulate import Simulation, rolled, simulate
from jiuzhu_cli.review.simulate_cost import by_source
from tests.review.test_cli import run
from tests.review.worlds import MONTH, TODAY, World, household
from tests.support import make_id

DAY = date(2026, 10, 1)


def adult(serial: int, persons: int, income: int, **more: Any) -> list[dict[str, Any]]:
    """A household of ``persons`` grown-ups, each listed; income a month in 分."""
    case = more.pop("case_no", serial)
    amount = more.pop("amount_fen", 0)
    rows = [household(serial, amount, income, persons, case_no=case, lead=1, **more)]
    for n in range(1, persons):
        member = {"id_no": make_id(serial, born=f"1985010{n}"), "name": f"成员{serial}之{n}"}
        shared = {key: value for key, value in rows[0].items() if key not in ("id_no", "name")}
        rows.append(shared | member | {"lead": 0})
    return rows


def what_if(world: World, *texts: str, since: str = MONTH, month: str = MONTH) -> Simulation:
    after = with_values(world.policy, parse_settings(texts), [], date(int(since[:4]), int(since[5:]), 1))
    return simulate(world.store, world.policy, after, month, since, today=TODAY)


def read_sheets(path: Path) -> dict[str, str]:
    from openpyxl import load_workbook

    book = load_workbook(path)
    return {sheet.title: str([[cell for cell in row if cell is not None] for row in sheet.values]) for sheet in book}


def of(result: Simulation, programme: str) -> dict[str, Any]:
    return rolled(result.sums, "programme")[(programme,)]


def counts(one: dict[str, Any]) -> dict[str, int]:
    return {name: one[name] for name in ("in", "out", "up", "down", "same", "open", "unknown") if one[name]}


@pytest.mark.parametrize(("region", "standard"), [("230321", 63200), ("421002", 60000)])
def test_two_regions_by_hand(tmp_path: Path, region: str, standard: int) -> None:
    """One of 1 at 100 元, one of 3 at 600 元 together; the standard rises by 30 元: 30 and 90 元 more a month."""
    world = World.make(tmp_path, region=region)
    world.roll("subsistence_allowance", *adult(1, 1, 10000), *adult(2, 3, 60000))
    for code in ("disability_certificate", "severe_illness"):
        world.register(code, {"id_no": make_id(450), "name": "别人", "grade": "四级", "kind": "肢体"})
    now = world.policy.parameter("低保标准_农村", DAY).amount_fen
    assert now == standard
    result = what_if(world, "低保标准_农村=+30")
    one = of(result, "subsistence_allowance")
    assert counts(one) == {"up": 2}
    assert (one["b_low"], one["b_high"]) == (now - 10000 + 3 * now - 60000,) * 2
    assert (one["low"], one["high"]) == (12000, 12000)
    assert (one["persons_b"], one["persons_a"], one["up_persons"]) == (4, 4, 4)


def test_a_higher_standard_takes_in_the_margin_and_what_follows(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="230321")
    disabled = make_id(11, born="19800101")
    world.roll("subsistence_allowance", *adult(1, 1, 10000))
    world.roll(
        "low_income_margin", *adult(11, 1, 70000), *adult(12, 2, 140000), *adult(13, 1, 90000), *adult(14, 1, 94900)
    )
    world.roll("disability_living_subsidy", {"id_no": make_id(9), "name": "某某", "amount_fen": 8000})
    world.roll("medical_enrolment", {"id_no": make_id(1, born="19800101"), "name": "户主1", "amount_fen": 0})
    for code in ("disability_certificate", "severe_illness"):
        world.register(code, {"id_no": disabled, "name": "户主11", "grade": "一级", "kind": "肢体"} if code[0] == "d" else {"id_no": make_id(77), "name": "别人"})  # fmt: skip
    result = what_if(world, "低保标准_农村=780")
    low = of(result, "subsistence_allowance")
    # 780 − 700 + 104 for the severely disabled; 2 × 780 − 1400 = 160; 632 → 780 for the one who is in
    assert counts(low) == {"in": 2, "up": 1}
    assert (low["low"], low["high"], low["in_persons"]) == (18400 + 16000 + 14800, 18400 + 16000 + 14800, 3)
    assert low["property_open"] == 2
    # who had 949 元 was over the old line of 948 元, and is below the new one of 1170 元
    assert counts(of(result, "low_income_margin")) == {"out": 2, "in": 1, "same": 1}
    assert counts(of(result, "disability_living_subsidy")) == {"in": 1}
    assert (
        of(result, "disability_living_subsidy")["low"]
        == world.policy.parameter("困难残疾人生活补贴标准", DAY).amount_fen
    )
    assert [(one["programme"], one["lost"], one["gained"], one["listed"]) for one in result.in_kind] == [("medical_enrolment", 0, 3, True)]  # fmt: skip


def test_a_lower_standard_puts_out_and_what_rests_on_it(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="230321")
    lead = make_id(1, born="19800101")
    world.roll("subsistence_allowance", *adult(1, 1, 60000), *adult(2, 1, 10000))
    world.roll("low_income_margin", *adult(13, 1, 70000))
    world.roll(
        "disability_living_subsidy", {"id_no": lead, "name": "户主1", "amount_fen": 8000, "disability_grade": "二级"}
    )
    world.roll("medical_enrolment", {"id_no": lead, "name": "户主1", "amount_fen": 0})
    world.register("disability_certificate", {"id_no": lead, "name": "户主1", "grade": "二级", "kind": "肢体"})
    result = what_if(world, "低保标准_农村=500")
    low = of(result, "subsistence_allowance")
    # 632 − 600 = 32 and 104 for the severely disabled go; 632 − 100 = 532 becomes 400
    assert counts(low) == {"out": 1, "down": 1}
    assert (low["low"], low["high"]) == (-3200 - 10400 - 13200, -3200 - 10400 - 13200)
    assert counts(of(result, "disability_living_subsidy")) == {"out": 1}
    # 600 元 is below the new line of the margin, 750 元
    assert counts(of(result, "low_income_margin")) == {"in": 1, "same": 1}
    assert [(one["programme"], one["lost"]) for one in result.in_kind] == [("medical_enrolment", 1)]
    reasons = {row[0]: row[15] for row in result.rows if row[6] == "out"}
    assert "不低于当地低保标准" in reasons["subsistence_allowance"]


def random_world(folder: Path, seed: int, region: str = "230321") -> World:
    """Rolls of 低保 whose amounts are what the policy says, some wrong, some over the line; 边缘 beside; everybody listed."""
    rng = random.Random(seed)
    world = World.make(folder, region=region)
    rows: list[dict[str, Any]] = []
    for serial in range(1, 61):
        persons = rng.randint(1, 5)
        income = rng.choice([0, rng.randint(0, 70000), rng.randint(60000, 66000)]) * persons
        kind = rng.choice(["农村", "城市"])
        rows += adult(serial, persons, income, category=kind, amount_fen=rng.randint(0, 60000) * persons)
    world.roll("subsistence_allowance", *rows)
    margin = [row for serial in range(61, 100) for row in adult(serial, 1, rng.randint(60000, 120000), category="农村")]
    world.roll("low_income_margin", *margin)
    for code in ("disability_certificate", "severe_illness"):
        world.register(code, {"id_no": make_id(450), "name": "别人", "grade": "四级", "kind": "肢体"})
    return world


def paid_after_review(world: World, policy: Policy) -> int:
    """What the 低保 roll comes to once every proposal of the review is followed."""
    world.policy = policy
    world.review(keep_rows=True)
    total = 0
    for one in proposals_of(world.store, MONTH):
        if one["programme"] == "subsistence_allowance":
            stops = one["action"] == "stop"
            total += 0 if stops else one["amount_after_fen"]
    return total


@pytest.mark.parametrize("seed", [5, 29])
def test_differences_are_those_of_two_reviews(tmp_path: Path, seed: int) -> None:
    world = random_world(tmp_path, seed)
    old = world.policy
    new = with_values(old, [("低保标准", "+7%")], [], DAY)
    result = simulate(world.store, old, new, MONTH, MONTH, today=TODAY)
    entered = sum(
        row[13] for row in result.rows if row[0] == "subsistence_allowance" and "转入" in row[15] and row[6] == "in"
    )
    one = of(result, "subsistence_allowance")
    assert one["low"] == one["high"]
    assert one["up"] and one["in"]
    before, after = paid_after_review(world, old), paid_after_review(world, new)
    assert one["low"] - entered == after - before
    assert (one["b_low"], one["a_low"] - entered) == (before, after)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_changed_is_nothing(tmp_path: Path, seed: int) -> None:
    world = random_world(tmp_path, seed)
    for texts in (["低保标准_农村=632"], ["低保标准=+0"]):
        result = what_if(world, *texts)
        for one in rolled(result.sums, "programme").values():
            assert (one["low"], one["high"], one["in"], one["out"], one["up"], one["down"], one["open"]) == (0,) * 7
        assert not result.in_kind
        assert not result.blocked


@pytest.mark.parametrize("seed", [3, 4])
def test_a_higher_standard_hurts_nobody_on_it(tmp_path: Path, seed: int) -> None:
    world = random_world(tmp_path, seed)
    last = -1
    for percent in (1, 5, 20):
        one = of(what_if(world, f"低保标准=+{percent}%"), "subsistence_allowance")
        assert (one["out"], one["down"]) == (0, 0)
        assert one["low"] >= last
        last = one["low"]
    mirror = of(what_if(world, "低保标准=-5%"), "subsistence_allowance")
    assert (mirror["in"], mirror["up"]) == (0, 0)


def test_what_cannot_be_known_is_said(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="230321")
    rows = [{key: value for key, value in row.items() if not key.startswith("income")} for row in adult(1, 1, 0)]
    world.roll("subsistence_allowance", *rows)
    result = what_if(world, "低保标准_农村=780")
    assert counts(of(result, "subsistence_allowance")) == {"unknown": 1}
    assert [(one["cases"], one["reason"]) for one in result.unknown] == [(1, "花名册没有收入列")]
    # a parameter that the programme does not use leaves it as it is, known or not
    assert counts(of(what_if(world, "高龄津贴标准_80=26"), "subsistence_allowance")) == {"same": 1}


def test_cliffs_are_read_off_rules_and_relations(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="230321")
    world.roll("subsistence_allowance", *adult(1, 1, 60000), *adult(2, 2, 120000), *adult(3, 1, 10000))
    result = what_if(world, "低保标准_农村=780")
    falls = {(f["policy"], f["programme"], f["kind"], f["size"]): f for f in result.cliff.falls}
    fall = falls["before", "subsistence_allowance", "农村", 3]
    # 3 × 632 = 1896: at 1895 元 a month there is 1 元, at 1896 nothing, and the household is 边缘
    assert (fall["income_below_fen"], fall["income_at_fen"], fall["loss_low_fen"], fall["next"]) == (189500, 189600, 100, "low_income_margin")  # fmt: skip
    assert {one["programme"] for one in fall["lost"]} >= {
        "medical_enrolment",
        "disability_living_subsidy",
        "subsistence_allowance",
    }
    after = falls["after", "subsistence_allowance", "农村", 3]
    assert (after["income_at_fen"], after["line"]) == (234000, 780.0)
    over = falls["before", "low_income_margin", "农村", 1]
    assert (over["line"], over["next"]) == (948.0, "")
    near = {(n["policy"], n["line"]): (n["below"], n["at"]) for n in result.cliff.near if n["kind"] == "农村"}
    assert near["before", 632.0] == (2, 0)  # 600 元 a head is within 10 % of 632, 100 is not


def test_shares_add_up_and_nothing_is_guessed(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="230321")
    world.roll("subsistence_allowance", *adult(1, 1, 10000))
    assert [(s["source"], s["low"]) for s in by_source(world.policy, what_if(world, "低保标准_农村=+0.05"))] == [
        ("未填", 100)
    ]
    entries = "".join(
        f'[[parameter]]\nname = "资金分担_最低生活保障_{level}"\nunit = "%"\nsource = "测试"\nvalues = [{{ since = 2026-01-01, value = {share} }}]\n'
        for level, share in (("中央", 65.5), ("省", 24.3), ("县", 10.2))
    )
    folder = world.workspace.policy_dir / "parameters"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "分担.toml").write_text(entries, encoding="utf-8")
    from jiuzhu_cli.policy.load import load_policy

    policy = load_policy(world.workspace.policy_dir, region="230321")
    world.policy = policy
    found = by_source(policy, what_if(world, "低保标准_农村=+0.05"))
    assert [(s["source"], s["percent"], s["low"]) for s in found] == [
        ("中央", "65.5", 66),
        ("省", "24.3", 24),
        ("县", "10.2", 10),
    ]


def test_settings(tmp_path: Path) -> None:
    world = World.make(tmp_path, region="230321")
    policy = world.policy
    new = with_values(
        policy, parse_settings(["低保标准_农村=+5%", "渐退月数=3", "护理补贴_含三级智力精神=否"]), [], DAY
    )
    found = {
        one.name: (str(one.before), str(one.after), one.derived)
        for one in changes(policy, new, DAY, ["低保标准_农村", "渐退月数"])
    }
    assert found["低保标准_农村"] == ("632", "663.60", False)
    assert found["特困基本生活标准_农村"] == ("822", "863", True)
    assert found["渐退月数"][1] == "3"
    assert found["护理补贴_含三级智力精神"][:2] == ("True", "False")
    assert new.parameter("低保标准_农村", date(2026, 9, 30)).value == 632
    assert new.files.own() != policy.files.own()
    assert not list(world.workspace.policy_dir.rglob("*模拟*"))
    for bad, word in (
        ("低保标=1", "相近的有"),
        ("低保标准_农村=x", "不是数"),
        ("低保标准_农村=1.005", "整分"),
        ("护理补贴_含三级智力精神=3", "开关"),
        ("低保标准", "写法不对"),
    ):
        with pytest.raises(UsageError) as error:
            with_values(policy, parse_settings([bad]), [], DAY)
        assert word in str(error.value) + error.value.todo
    texts, entries = read_settings('"低保标准_农村" = 700.5\n[set]\n"渐退月数" = 2\n'.encode(), "x.toml")
    assert (texts, entries) == ([("低保标准_农村", "700.5"), ("渐退月数", "2")], [])
    low = with_values(policy, [("低保标准_农村", "300")], [], DAY)
    assert any("低于底线" in text for text in broken_floors(policy, low, TODAY))
    assert broken_floors(policy, new, TODAY) == []


def test_the_command(tmp_path: Path, capsys: Any) -> None:
    world = World.make(tmp_path, region="230321")
    world.roll("subsistence_allowance", *adult(1, 1, 10000), *adult(2, 1, 62000))
    world.roll("low_income_margin", *adult(11, 1, 70000))
    world.store.close()
    words = ("policy", "simulate", "--set", "低保标准=780", "--from", "2027-01")
    code, out, _ = run(world, capsys, *words, "--json")
    data = json.loads(out)
    assert code == 0
    assert (data["month"], data["from"], data["months_to_year_end"]) == (MONTH, "2027-01", 12)
    assert data["total"]["full_year_low"] == data["total"]["low"] * 12
    files = [Path(one) for one in data["files"]]
    bytes_ = [one.read_bytes() for one in files]
    code, out, _ = run(world, capsys, *words)
    assert code == 0
    assert find_personal_numbers(out) == []
    assert [one.read_bytes() for one in files] == bytes_
    sheets = read_sheets(files[0])
    assert list(sheets) == ["说明", "总表", "按乡镇", "按项目", "资金来源", "悬崖", "临界户"]
    assert find_personal_numbers("".join(sheets.values())) == []
    assert "户主1" not in "".join(sheets.values())
    assert "户主1" in "".join(read_sheets(files[1]).values())
    for wrong in (
        ("--from", "2027-01"),
        ("--set", "低保标=780", "--from", "2027-01"),
        ("--set", "低保标准=780", "--from", "2026-01"),
    ):
        assert run(world, capsys, "policy", "simulate", *wrong)[0] == 2


def test_add_ons_that_the_roll_states_follow_a_new_sum(tmp_path: Path) -> None:
    """Two of four, who are not listed, have an add-on of 104; at 120 they have 32 元 more, nothing is left open."""
    world = World.make(tmp_path, region="230321")
    base = 4 * 63200 - 100000
    row = household(1, base + 20800, 100000, 4, base_fen=base, addon_fen=20800)
    world.roll("subsistence_allowance", row)
    one = of(what_if(world, "分类施保标准_农村=120"), "subsistence_allowance")
    assert counts(one) == {"up": 1}
    assert (one["low"], one["high"]) == (3200, 3200)


def test_who_is_known_by_income_only_is_counted_as_not_counted(tmp_path: Path) -> None:
    from jiuzhu_cli.review.simulate_output import limits_told

    world = World.make(tmp_path, region="230321")
    world.roll("subsistence_allowance", *adult(1, 1, 10000))
    line = {"name": "某某", "kind": "工资", "grade": "元/月", "amount_fen": 50000}
    world.register("income_item", {"id_no": make_id(40)} | line, {"id_no": make_id(1, born="19800101")} | line)
    result = what_if(world, "低保标准_农村=780")
    assert result.applicants == 1
    assert any("另有 1 户不在任何名册上" in text for text in limits_told(result))


def test_graded_amounts_and_a_household_head_count_of_none(tmp_path: Path) -> None:
    """A place that pays by grade: a grade's sum changes those of that grade only; another place's switch changes nobody."""
    world = World.make(tmp_path, region="640502")
    rows = [row | {"grade": grade} for serial, grade in ((1, "A"), (2, "B")) for row in adult(serial, 1, 10000)]
    world.roll("subsistence_allowance", *rows)
    result = what_if(world, "低保分档标准_农村_A=+10")
    one = of(result, "subsistence_allowance")
    assert (one["low"], one["high"], counts(one)) == (1000, 1000, {"up": 1, "same": 1})


def test_every_amount_of_a_district_is_the_reviews(tmp_path: Path) -> None:
    """A made-up district with all kinds of programmes, deaths, caps: by case, both sides are what the review proposes or keeps under that policy,
    and who goes over to 低保 is whom the review would transfer, with the same sum."""
    from benchmarks.district import MONTH as OF_DISTRICT
    from benchmarks.district import district_workspace
    from jiuzhu_cli.ledger.workspace import find_workspace
    from jiuzhu_cli.policy.load import load_policy
    from jiuzhu_cli.review.run import run_review
    from tests.review.worlds import NOW

    workspace = find_workspace(district_workspace(tmp_path, 500, 6000, seed=23), explicit=True)
    old = load_policy(workspace.policy_dir, region=workspace.region)
    day = date(int(OF_DISTRICT[:4]), int(OF_DISTRICT[5:]), 1)
    new = with_values(old, [("低保标准", "+9%"), ("照料护理标准_全护理", "+20"), ("高龄津贴标准_80", "+5")], [], day)
    with workspace.open_store() as store:
        result = simulate(store, old, new, OF_DISTRICT, OF_DISTRICT, today=TODAY)
        moved = {(row[0], row[4]): row for row in result.rows}
        proposed = []
        for policy in (old, new):
            run_review(store, workspace, policy, OF_DISTRICT, today=TODAY, now=NOW, actor="张经办", keep_rows=True)
            found = {(one["programme"], one["id_no"]): one for one in proposals_of(store, OF_DISTRICT)}
            proposed.append(found)
    compared = 0
    for side, found in zip((9, 11), proposed, strict=True):
        for key, one in found.items():
            row = moved.get(key)
            after = one["amount_before_fen"] if one["action"] == "keep" else one["amount_after_fen"]
            if row is None or row[side] is None or after is None or row[6] == "out":
                continue
            assert row[side] <= after <= row[side + 1], (key, one["action"], one["reasons"])
            compared += 1
    assert compared > 500
    over = {key[1] for key, row in moved.items() if key[0] == "subsistence_allowance" and "转入" in row[15]}
    transfers = {
        key[1] for key, one in proposed[1].items() if key[0] == "low_income_margin" and one["action"] == "transfer"
    }
    assert over
    assert over == transfers - {key[1] for key, one in proposed[0].items() if one["action"] == "transfer"}


def test_what_a_list_would_say_of_others_is_known_of_whoever_comes_from_it(tmp_path: Path) -> None:
    """The list of the margin writes disabilities and illnesses: who has none written there has no add-on in 低保 either."""
    world = World.make(tmp_path, region="230321")
    world.roll("subsistence_allowance", *adult(1, 1, 10000))
    other = adult(12, 1, 90000, disability_grade="二级", illness="尿毒症")
    world.roll("low_income_margin", *adult(11, 1, 70000), *other)
    result = what_if(world, "低保标准_农村=780")
    entered = [row for row in result.rows if row[0] == "subsistence_allowance" and row[6] == "in"]
    assert [(row[13], row[14]) for row in entered] == [(8000, 8000)]
