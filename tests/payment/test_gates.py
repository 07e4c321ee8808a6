"""The gates against what was before: each holds what it must and lets pass what is in order."""

from __future__ import annotations

from typing import Any

import pytest

from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import LIVING, MONTH, Desk, person
from tests.payment.test_plan import LOW, codes
from tests.support import make_id

NEXT = "2026-11"
A, B = make_id(1), make_id(2)
CARE = "disability_care_subsidy"


def held(desk: Desk, month: str = NEXT, **options: Any) -> dict[str, set[str]]:
    """hold code → recipients in ``month``; somebody payable stands beside them."""
    if not desk.store.query("SELECT 1 FROM batch WHERE area = '己镇' AND month = ?", (month,)):
        desk.roll([person(400)], area="己镇", month=month)
    made = desk.draft(month, **options)
    found: dict[str, set[str]] = {}
    for code, who in desk.store.query(
        "SELECT code, recipient_id_no FROM payment_hold WHERE payment_id = ?", (made.batch["payment_id"],)
    ):
        found.setdefault(code, set()).add(who)
    return found


def write_parameter(desk: Desk, name: str, *values: tuple[str, str], unit: str = "") -> None:
    folder = desk.workspace.policy_dir / "parameters"
    folder.mkdir(exist_ok=True)
    listed = ", ".join(f"{{ since = {since}, value = {value} }}" for since, value in values)
    text = f'[[parameter]]\nname = "{name}"\narea = "421002"\nsource = "测试"\nvalues = [{listed}]\n' + (
        f'unit = "{unit}"\n' if unit else ""
    )
    (folder / f"{name}.toml").write_text(text, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


# -- another account than was last paid


def test_another_account_than_was_last_paid_is_held(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    desk.roll([person(1, account_no="6217999900000001"), person(2)], month=NEXT)
    assert held(desk) == {"account_changed": {A}}
    reason = desk.store.query("SELECT reason FROM payment_hold")[0][0]
    assert "0001" in reason and "6217" not in reason and MONTH in reason
    assert held(desk, override="本人到场核实") == {}


def test_a_first_payment_has_no_earlier_account(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.pay()
    desk.roll([person(1), person(2)], month=NEXT)
    desk.roll([person(1, account_no="6217999900000001")], programme=CARE, month=NEXT)
    assert held(desk) == {}


def test_an_account_mended_after_a_refusal_is_not_a_change(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    batch = desk.roll([person(1), person(2)], month=NEXT)
    desk.pay(NEXT, failures={1: "账户已销户"})
    desk.supersede(batch, [person(1, account_no="6217999900000001"), person(2)], month=NEXT)
    made = desk.draft(NEXT)
    assert (made.batch["kind"], made.batch["lines"], made.holds_by_code) == ("retry", 1, {})


@pytest.mark.parametrize("reason", ["系统超时", "付款账户余额不足"])
def test_a_refusal_that_is_the_banks_own_asks_for_no_other_account(desk: Desk, reason: str) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    batch = desk.roll([person(1), person(2)], month=NEXT)
    desk.pay(NEXT, failures={1: reason})
    desk.supersede(batch, [person(1, account_no="6217999900000001"), person(2)], month=NEXT)
    assert held(desk) == {"account_changed": {A}}


def test_an_account_told_before_the_refusal_does_not_answer_it(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    desk.roll([person(1), person(2)], month=NEXT)
    later = desk.roll([person(1, account_no="6217999900000001"), person(2)], month="2026-12")
    with desk.store.transaction(actor="测试", command="test", now=desk.now) as tx:
        tx.execute("UPDATE batch SET created_at = ? WHERE batch_id = ?", (tx.now, later))
    desk.pay(NEXT, failures={1: "账户已销户"})
    assert held(desk, "2026-12") == {"account_changed": {A}}
    desk.supersede(later, [person(1, account_no="6217999900000001"), person(2)], month="2026-12")  # told again after it
    assert held(desk, "2026-12") == {}


def test_a_refused_account_is_mended_in_the_other_programme_too(desk: Desk) -> None:
    """One account, two programmes: what the bank said of it holds for both."""
    desk.roll([person(1), person(2)])
    desk.roll([person(1)], programme=CARE)
    desk.pay()
    desk.roll([person(1), person(2)], month=NEXT)
    desk.pay(NEXT, failures={1: "账户已销户"})
    batch = desk.roll([person(1, account_no="6217999900000001")], programme=CARE, month=NEXT)
    desk.supersede(batch, [person(1, account_no="6217999900000001")], programme=CARE, month=NEXT)
    assert held(desk).get("account_changed") is None


def test_the_next_change_after_a_mended_account_is_held_again(desk: Desk) -> None:
    batch = desk.roll([person(1), person(2)])
    desk.pay(failures={1: "账户已销户"})
    desk.supersede(batch, [person(1, account_no="6217999900000001"), person(2)])
    desk.pay()
    desk.roll([person(1, account_no="6217999900000001"), person(2)], month=NEXT)
    assert held(desk) == {}
    desk.roll([person(1, account_no="6217999900000007"), person(2)], month="2026-12")
    assert held(desk, "2026-12") == {"account_changed": {A}}


def test_an_account_known_from_the_payees_other_programme_is_no_change(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(1, account_no="6217999900000001")], programme=CARE)
    desk.pay()
    desk.roll([person(1, account_no="6217999900000001")], month=NEXT)
    desk.roll([person(1)], programme=CARE, month=NEXT)
    assert held(desk) == {}


def test_an_account_known_from_somebody_else_is_a_change(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    desk.roll([person(1, account_no=person(2)["account_no"]), person(2)], month=NEXT)
    assert held(desk) == {"account_changed": {A}}


@pytest.mark.parametrize(
    ("code", "disposition", "free"),
    [
        ("account_changed", "legal", True),
        ("accounts_changed_together", "legal", True),
        ("account_changed", "pending", False),
        ("payee_unknown", "legal", False),
    ],
)
def test_a_change_that_somebody_looked_into_is_paid(desk: Desk, code: str, disposition: str, free: bool) -> None:
    desk.roll([person(1)])
    desk.pay()
    batch = desk.roll([person(1, account_no="6217999900000001")], month=NEXT)
    row = desk.store.query("SELECT row_id FROM roll_row WHERE batch_id = ?", (batch,))[0][0]
    values = {"month_from": NEXT, "month_to": NEXT, "severity": "candidate", "kind": "account"}
    desk.doubt(1, (A, LIVING, "甲镇"), ("", "", ""), code=code, disposition=disposition, **values)
    with desk.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE doubt_month SET row_a = ?", (row,))
    assert held(desk) == ({} if free else {"account_changed": {A}})


def test_the_last_payment_may_lie_months_back_but_not_beyond_a_year(desk: Desk) -> None:
    desk.roll([person(1), person(2)], month="2025-11")
    desk.roll([person(3)], month="2025-12")
    for month in ("2025-11", "2025-12"):
        desk.pay(month)
    for serial, month in enumerate(("2026-08", "2026-09"), 8):
        desk.roll([person(serial)], month=month)
        desk.pay(month)
    desk.roll([person(1, account_no="6217999900000001")], month=NEXT)
    assert held(desk) == {"account_changed": {A}}
    desk.roll([person(2, account_no="6217999900000002"), person(3, account_no="6217999900000003")], month="2026-12")
    assert held(desk, "2026-12") == {"account_changed": {make_id(3)}}


def test_a_changed_account_of_an_instalment_is_held(desk: Desk) -> None:
    house = "dilapidated_house_renovation"
    desk.roll([person(1, stage="第一期")], programme=house)
    desk.pay(override="理由")
    desk.roll([person(1, stage="第二期", account_no="6217999900000001", amount_fen=5)], programme=house, month=NEXT)
    desk.posting(house, "甲镇", "一村", month=NEXT)
    assert held(desk) == {"account_changed": {A}}


@pytest.mark.parametrize("name", ["账号变更", "金额突变"])
def test_a_gate_that_is_switched_off_holds_nobody(desk: Desk, name: str) -> None:
    desk.roll([person(1, amount_fen=50_000)])
    desk.pay()
    desk.roll([person(1, account_no="6217999900000001", amount_fen=500_000)], month=NEXT)
    assert set(held(desk)) == {"account_changed", "amount_jump"}
    write_parameter(desk, f"发放拦下_{name}", ("2026-01-01", "false"))
    assert set(held(desk)) == {"账号变更": {"amount_jump"}, "金额突变": {"account_changed"}}[name]


# -- an amount far from the last


@pytest.mark.parametrize(
    ("before", "now", "held_back"),
    [
        (50_000, 500_000, True),  # a zero too many
        (500_000, 50_000, True),
        (50_000, 75_000, False),  # just half more
        (50_000, 75_001, True),
        (5_000, 25_000, False),  # fivefold, but 200 元
        (5_000, 25_001, True),
    ],
)
def test_an_amount_beyond_both_limits_is_held(desk: Desk, before: int, now: int, held_back: bool) -> None:
    desk.roll([person(1, amount_fen=before)])
    desk.pay()
    desk.roll([person(1, amount_fen=now)], month=NEXT)
    assert held(desk) == ({"amount_jump": {A}} if held_back else {})


def test_one_limit_alone_or_none(desk: Desk) -> None:
    desk.roll([person(1, amount_fen=50_000)])
    desk.pay()
    desk.roll([person(1, amount_fen=72_000)], month=NEXT)
    assert held(desk) == {}
    write_parameter(desk, "金额突变比例", ("2026-01-01", "0"), unit="%")
    assert held(desk) == {"amount_jump": {A}}
    write_parameter(desk, "金额突变金额", ("2026-01-01", "0"), unit="元")
    assert held(desk) == {}


@pytest.mark.parametrize("caught_up", [True, False])
def test_a_decision_explains_the_amount_it_sets_and_no_other(desk: Desk, caught_up: bool) -> None:
    desk.roll([person(1, amount_fen=50_000)])
    desk.pay()
    batch = desk.roll([person(1, amount_fen=150_000 if caught_up else 50_000)], month=NEXT)
    desk.decision(1, A, "increase", 50_000, 150_000, effective_month=NEXT, month=MONTH)
    assert held(desk) == {}
    desk.supersede(batch, [person(1, amount_fen=1_500_000)], month=NEXT)
    assert held(desk)["amount_jump"] == {A}


def test_an_old_decision_explains_nothing(desk: Desk) -> None:
    desk.roll([person(1, amount_fen=50_000)], month="2026-09")
    desk.decision(1, A, "increase", 50_000, 60_000, effective_month="2026-09", month="2026-08")
    desk.pay("2026-09")
    desk.roll([person(1, amount_fen=160_000)], month=MONTH)
    assert held(desk, MONTH) == {"amount_jump": {A}}


def test_a_start_anew_is_no_jump(desk: Desk) -> None:
    desk.roll([person(1, amount_fen=50_000)])
    desk.pay()
    desk.roll([person(1, amount_fen=150_000, start_month=NEXT)], month=NEXT)
    assert held(desk) == {}


def test_more_heads_at_the_same_rate_are_no_jump(desk: Desk) -> None:
    for month, heads, fen in ((MONTH, 1, (50_000, 50_000)), (NEXT, 3, (150_000, 500_000))):
        rows = [person(n, amount_fen=one, covered_persons=heads) for n, one in enumerate(fen, 1)]
        desk.roll(rows, programme=LOW, month=month)
        desk.posting(LOW, "甲镇", "一村", month=month)
        if month == MONTH:
            desk.pay()
    assert held(desk) == {"amount_jump": {B}}


def test_a_new_standard_explains_as_much_as_it_adds(desk: Desk) -> None:
    write_parameter(desk, "困难残疾人生活补贴标准", ("2026-01-01", "100"), ("2026-11-01", "400"), unit="元/人/月")
    desk.roll([person(1, amount_fen=10_000), person(2, amount_fen=10_000)])
    desk.pay()
    desk.roll([person(1, amount_fen=40_000), person(2, amount_fen=400_000)], month=NEXT)
    assert held(desk) == {"amount_jump": {B}}


def test_instalments_and_single_aid_do_not_jump(desk: Desk) -> None:
    house, urgent = "dilapidated_house_renovation", "temporary_assistance"
    desk.roll([person(1, stage="第一期", amount_fen=50_000)], programme=house)
    desk.roll([person(1, event_date="2026-10-02", amount_fen=50_000)], programme=urgent)
    desk.pay(override="理由")
    desk.roll([person(1, stage="第二期", amount_fen=1_500_000)], programme=house, month=NEXT)
    desk.roll([person(1, event_date="2026-11-02", amount_fen=300_000)], programme=urgent, month=NEXT)
    assert set(held(desk)) == {"not_posted"}


# -- a decision without a hearing


@pytest.mark.parametrize(
    ("values", "held_back"),
    [
        ({}, True),
        ({"hearing_date": "2026-10-02"}, True),
        ({"notice_date": "2026-10-02"}, True),
        ({"hearing_date": "2026-10-05", "notice_date": "2026-10-02"}, True),
        ({"hearing_date": "2026-10-02", "notice_date": "2026-10-05"}, False),
        ({"needs_hearing": 0}, False),
    ],
)
@pytest.mark.parametrize("caught_up", [True, False])
def test_a_cut_without_hearing_and_notice_is_held(
    desk: Desk, values: dict[str, Any], held_back: bool, caught_up: bool
) -> None:
    desk.roll([person(1, amount_fen=4_000 if caught_up else 10_001)])
    desk.decision(1, A, "decrease", 10_001, 4_000, month="2026-09", **({"needs_hearing": 1} | values))
    assert codes(desk) == ({"no_hearing": {A}} if held_back else {})


def test_a_rise_needs_no_hearing(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.decision(1, A, "increase", 10_001, 14_000, needs_hearing=1)
    assert codes(desk) == {}


def test_a_cut_that_the_roll_does_not_follow_is_not_asked_for(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.decision(1, A, "decrease", 9_000, 4_000, month="2026-08", needs_hearing=1)
    assert codes(desk) == {}


def test_it_is_asked_when_the_decision_is_first_paid(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.decision(1, A, "decrease", 10_001, 4_000, needs_hearing=1)
    desk.pay(override="会议纪要")
    desk.roll([person(1, amount_fen=4_000)], month=NEXT)
    assert held(desk) == {}


def test_a_stop_by_a_death_that_was_taken_back_is_said(desk: Desk) -> None:
    desk.roll([person(1)], month=NEXT)
    desk.decision(1, A, "stop", 10_001, 0, reasons="对象死亡：2026-09-02；其他", month="2026-09", effective_month=MONTH)
    assert held(desk) == {"stopped": {A}, "no_hearing": {A}}
    desk.register("death", [{"id_no": A, "name": "甲", "event_date": "2026-09-02"}])
    assert held(desk) == {"stopped": {A}, "dead": {A}}


# -- objections of earlier lists


def test_an_objection_of_an_earlier_list_waits_for_its_answer(desk: Desk) -> None:
    for month in (MONTH, NEXT):
        desk.roll([person(1), person(2)], programme=LOW, month=month)
        desk.posting(LOW, "甲镇", "一村", month=month)
    number = desk.store.query("SELECT posting_id FROM posting WHERE month = ?", (MONTH,))[0][0]
    desk.objection(number, A)
    assert held(desk) == {"objection_open": {A}}
    assert codes(desk) == {"not_posted": {A}}, "of this month's own list as before"
    assert held(desk, override="理由") == {}
    with desk.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE objection SET state = 'dismissed'")
    assert held(desk) == {}


# -- accounts after the comparison


def test_an_account_that_came_after_the_comparison_and_is_anothers_waits(desk: Desk) -> None:
    desk.roll([person(400)], area="己镇")
    first = desk.roll([person(1), person(2), person(3)])
    desk.supersede(
        first, [person(1, account_no=person(2)["account_no"]), person(2), person(3, account_no="62179999000003")]
    )
    assert held(desk, MONTH) == {"not_compared": {A}}
    desk.compare()
    assert held(desk, MONTH) == {}


def test_a_family_on_one_new_account_does_not_wait(desk: Desk) -> None:
    def household(account: str) -> list[dict[str, Any]]:
        return [
            person(1, case_no=1, account_no=account),
            person(2, case_no=1, lead=0, amount_fen=None, account_no=None),
        ]

    first = desk.roll(household("6217000000000001"), programme=LOW)
    desk.posting(LOW, "甲镇", "一村")
    desk.roll([person(2, account_no="6217999900000009"), person(400)])
    desk.supersede(first, household("6217999900000009"), programme=LOW)
    assert desk.draft().holds_by_code == {}
