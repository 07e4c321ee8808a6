"""Every case of ``tests/cases/**.toml``, and that together they are examples of all that is shipped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jiuzhu_cli.ledger.proposals import ACTIONS
from jiuzhu_cli.review.eligibility import REVIEWED
from jiuzhu_cli.review.judging import REGISTERS
from tests.review.library import Case, Shared, fen, library, shipped, shown_steps

# what the program itself finds has its sentence in the program
BUILT_IN = {
    "all_dead": "应从死亡次月起停发", "stopped": "已核实，决定停发本项", "rule_stop": "不低于当地低保标准", "head_dead": "停旧户、建新户",
    "member_leaves": "其份额应减除", "amount": "标准核算应为", "rule_check": "年龄和残疾情况不属于无劳动能力", "income_missing": "缺家庭收入",
    "persons_missing": "缺保障人数", "care_missing": "缺生活自理能力", "misnamed": "先核对身份",
    "care_differs": "评估六项中", "assessment_old": "超过评估周期", "reassess_late": "还没有复评", "relinked": "停旧建新而来",
    "income_differs": "核算为全年", "income_gap": "仍用名册所载", "income_leads": "不自动计入", "kin": "是经办人员或村（居）干部的近亲属",
}  # fmt: skip
MADE: dict[str, Shared | Exception] = {}
GROUPS: dict[str, list[Case]] = {}
for one in library():
    GROUPS.setdefault(one.group, []).append(one)


def shared(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """The ledger in which this case lives, filled and reviewed on first use."""
    if case.group not in MADE:
        try:
            MADE[case.group] = Shared(tmp_path_factory.mktemp("cases"), GROUPS[case.group])
        except Exception as error:  # said once for every case of the group, not made again for each
            MADE[case.group] = error
    made = MADE[case.group]
    if isinstance(made, Exception):
        raise made
    return made


def _params() -> list[Any]:
    return [
        pytest.param(
            case,
            id=case.short,
            marks=[pytest.mark.xfail(reason=case["xfail"], strict=True)] if case.get("xfail") else [],
        )
        for case in library()
    ]


@pytest.mark.parametrize("case", _params())
def test_case(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    print(case.id, case["why"], sep="\n")  # shown when it fails
    world = shared(case, tmp_path_factory)
    if case.number in world.unreadable:
        raise world.unreadable[case.number]
    made = list(world.proposals[case.number])
    for expected in case["expect"]:
        found = [one for one in made if _is(world, case, expected, one)]
        assert len(found) == 1, f"{expected}\nbut made: {_told(made)}"
        made.remove(found[0])
        _check(expected, found[0])
    beside = [one for one in made if one["action"] != "keep"]
    assert not beside, f"proposed, but not expected: {_told(beside)}"
    if "price" in case.told:
        ids = {id_no: name for name, id_no in world.people[case.number].values()}
        paid = {ids[id_no]: fen_ for id_no, fen_ in world.price.items() if id_no in ids}
        assert paid == {one["人"]: fen(one["金额"]) for one in case["price"]}, "price subsidy"
    for claim in case.covers:
        _claimed(world, case, claim)


def _is(world: Shared, case: Case, expected: dict[str, Any], one: dict[str, Any]) -> bool:
    return (
        one["id_no"] == world.people[case.number][expected["人"]][1]
        and one["programme"] == case.programme_of(world.policy, expected)
        and (expected["action"] == one["action"])
    )


def _check(expected: dict[str, Any], one: dict[str, Any]) -> None:
    columns = {"before": "amount_before_fen", "after": "amount_after_fen"}
    for key, column in columns.items():
        if key in expected:
            assert one[column] == fen(expected[key]), f"{key}: {_told([one])}"
    if "month" in expected:
        assert one["effective_month"] == expected["month"], _told([one])
    if "hearing" in expected:
        assert bool(one["needs_hearing"]) == expected["hearing"], _told([one])
    for key, text in (("reasons", one["reasons"]), ("basis", one["basis"]), ("steps", shown_steps(one))):
        for words in expected.get(key, []):
            assert words in text, f"{key}: {text}"
    for words in expected.get("not_reasons", []):
        assert words not in one["reasons"], one["reasons"]
    if one["steps"] and one["amount_after_fen"] is not None:
        assert sum(step.get("adds_fen", 0) for step in one["steps"]) == one["amount_after_fen"], shown_steps(one)


def _told(made: list[dict[str, Any]]) -> list[str]:
    return [
        f"{one['programme']} {one['name']} {one['action']} {one['amount_before_fen']}→{one['amount_after_fen']} {one['effective_month']}"
        f"{' 听取意见' if one['needs_hearing'] else ''}：{one['reasons']}（{one['basis']}）"
        for one in made
    ]


def _claimed(world: Shared, case: Case, claim: str) -> None:
    """That the case is an example of what it says it is one of."""
    kind, _, name = claim.partition(":")
    if kind == "rule":
        code, _, rule = name.partition("/")
        messages = [one.message for one in world.policy.programmes[code].rules if one.name == rule]
        assert messages, f"no such rule: {claim}"
        reasons = "；".join(one["reasons"] for one in world.proposals[case.number] if one["programme"] == code)
        assert messages[0] in reasons, reasons
    elif kind == "event":
        event = next(one for one in world.policy.events if one.id == name)
        says = BUILT_IN.get(name) or event.message
        reasons = "；".join(one["reasons"] for one in world.proposals[case.number] if one["action"] != "keep")
        for part in re.split(r"\{[^}]*\}", says):
            assert part in reasons, f"{claim}: {part} in {reasons}"
    elif kind == "register":
        assert name in {
            world.policy.register(key.partition("@")[0].partition("#")[0]).code for key in case["registers"]
        }
    elif kind == "relation":
        relation = next(one for one in world.policy.relations if one.id == name)
        rolls = {world.policy.programme(key.partition("@")[0].partition("#")[0]).code for key in case["rolls"]}
        lists = {
            f"register:{world.policy.register(key.partition('@')[0].partition('#')[0]).code}"
            for key in case.get("registers", {})
        }
        assert {relation.a, relation.b} <= rolls | lists, claim
    else:
        raise AssertionError(f"unknown claim {claim}")


def test_together_they_are_examples_of_all_that_is_shipped() -> None:
    """Each rule, event and lead, register that review reads, relation T or H, action, and figure of a programme is in some case."""
    policy = shipped("421002")
    claimed = {claim for case in library() for claim in case.covers}
    reviewed = {one.code: one for one in policy.programmes.values() if one.benefit in REVIEWED}
    wanted = {f"rule:{one.code}/{rule.name}" for one in reviewed.values() for rule in one.rules}
    wanted |= {f"event:{one.id}" for one in policy.events}
    wanted |= {f"register:{code}" for one in policy.events for code in one.registers if one.per != "built_in"}
    wanted |= {f"register:{code}" for code in REGISTERS}
    wanted |= {f"relation:{one.id}" for one in policy.relations if one.kind in ("T", "H") and one.level == "person"}
    acted = {one["action"] for case in library() for one in case["expect"]}
    assert acted == set(ACTIONS), set(ACTIONS) ^ acted
    figured = {
        case.programme_of(policy, one)
        for case in library()
        if not case.get("files")
        for one in case["expect"]
        if "after" in one or one["action"] == "keep"
    }
    wanted |= {f"amount:{code}" for code, one in reviewed.items() if one.tariffs}
    claimed |= {f"amount:{code}" for code in figured}
    missing = sorted(wanted - claimed)
    assert not missing, f"no case is an example of {missing}"
    assert len(library()) >= 200


def test_cases_say_what_they_are() -> None:
    names = [case.id for case in library()]
    assert len(names) == len(set(names))
    for case in library():
        assert case["why"].strip(), case.id
        assert len(case.get("people", {})) <= 10, case.id
