"""Who is in the draft and who is held, reason by reason."""

from __future__ import annotations

from typing import Any

import pytest

from jiuzhu_cli.core.errors import RefusedError, UsageError
from tests.payment.conftest import LIVING, MONTH, Desk, person
from tests.support import make_id

LOW = "subsistence_allowance"
HOUSE = "dilapidated_house_renovation"
URGENT = "temporary_assistance"
A, B = make_id(1), make_id(2)


def codes(desk: Desk, **options: Any) -> dict[str, set[str]]:
    """hold code → recipients, with one payable person beside them so that there is always a draft."""
    if not desk.store.query("SELECT 1 FROM batch WHERE area = '己镇'"):
        desk.roll([person(400)], area="己镇")
    made = desk.draft(**options)
    held: dict[str, set[str]] = {}
    for row in desk.store.query(
        "SELECT code, recipient_id_no FROM payment_hold WHERE payment_id = ?", (made.batch["payment_id"],)
    ):
        held.setdefault(row[0], set()).add(row[1])
    return held


def test_a_plain_month_is_paid_to_the_right_accounts(desk: Desk) -> None:
    desk.roll([person(1, name="张丁"), person(2, name="张七", bank_name="中国建设银行甲支行")])
    made = desk.draft()
    assert (made.batch["lines"], made.batch["amount_fen"], made.held) == (2, 20_003, 0)
    rows = desk.store.query(
        "SELECT bank, account_no, payee_name, payee_id_no, amount_fen FROM payment_line ORDER BY line_no"
    )
    assert [tuple(row) for row in rows] == [
        ("card_xlsx", "6217000000000001", "张丁", A, 10_001),
        ("ccb_xlsx", "6217000000000002", "张七", B, 10_002),
    ]


def test_a_month_never_compared_is_refused_unless_overridden(desk: Desk) -> None:
    desk.roll([person(1)], compare=False)
    with pytest.raises(RefusedError, match="还没有比对过"):
        desk.draft()
    assert desk.draft(override="会议纪要").batch["lines"] == 1


def test_override_needs_a_reason(desk: Desk) -> None:
    desk.roll([person(1)])
    with pytest.raises(UsageError):
        desk.draft(override=" ")


def test_persons_listed_after_the_comparison_wait_for_the_next_one(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], area="乙镇", compare=False)
    made = desk.draft()
    assert made.batch["lines"] == 1 and made.holds_by_code == {"not_compared": 1}
    desk.compare()
    assert desk.draft().batch["lines"] == 2


@pytest.mark.parametrize("kind", ["double", "claim", "after_event", "account"])
def test_an_open_strong_doubt_holds_both_sides(desk: Desk, kind: str) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], programme="disability_care_subsidy")
    desk.doubt(1, (A, LIVING, "甲镇"), (B, "disability_care_subsidy", "甲镇"), kind=kind)
    assert codes(desk)["doubt_open"] == {A, B}
    assert codes(desk, override="已口头核实").get("doubt_open") is None


@pytest.mark.parametrize("change", [{"severity": "candidate"}, {"kind": "missed"}, {"state": "gone"}, {"month_from": "2026-11", "month_to": "2026-11"},
                                    {"disposition": "legal"}, {"disposition": "referred"}])  # fmt: skip
def test_other_doubts_do_not_hold(desk: Desk, change: dict[str, str]) -> None:
    desk.roll([person(1)])
    desk.doubt(1, (A, LIVING, "甲镇"), (A, "extreme_poverty_support", "甲镇"), **change)
    assert codes(desk) == {}


def test_a_doubt_about_another_programme_does_not_hold(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.doubt(1, (A, "extreme_poverty_support", "甲镇"), (A, "disability_care_subsidy", "甲镇"))
    assert codes(desk) == {}


@pytest.mark.parametrize(("disposition", "held"), [("stop_a", {A}), ("stop_b", {B}), ("stop_both", {A, B}), ("adjust", {A, B}),
                                                    ("confirmed", {A, B}), ("stopped_a", {A}), ("recovered_b", {B})])  # fmt: skip
def test_a_confirmed_doubt_holds_its_side_even_overridden(desk: Desk, disposition: str, held: set[str]) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], programme="disability_care_subsidy")
    desk.doubt(
        1,
        (A, LIVING, "甲镇"),
        (B, "disability_care_subsidy", "甲镇"),
        disposition=disposition,
        disposed_at="2026-10-20T00:00:00Z",
    )
    assert codes(desk, override="理由")["doubt_confirmed"] == held


def test_adjust_is_released_when_the_roll_changes_the_amount(desk: Desk) -> None:
    first = desk.roll([person(1)])
    desk.doubt(
        1,
        (A, LIVING, "甲镇"),
        (A, "disability_care_subsidy", "甲镇"),
        disposition="adjust",
        disposed_at="2026-10-20T00:00:00Z",
    )
    assert codes(desk)["doubt_confirmed"] == {A}
    desk.supersede(first, [person(1, amount_fen=5_000)])
    assert codes(desk) == {}


def test_one_programme_in_two_towns_is_held_on_both_sides(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(1)], area="乙镇")
    assert codes(desk, override="理由") == {"same_programme_twice": {A}}


def test_the_side_that_stays_is_paid_once_the_other_is_stopped(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(1, account_no="6217999900000001")], area="乙镇")
    desk.doubt(1, (A, LIVING, "甲镇"), (A, LIVING, "乙镇"), disposition="stop_b", disposed_at="2026-10-20T00:00:00Z")
    assert codes(desk) == {"doubt_confirmed": {A}}
    row = desk.store.query(
        "SELECT account_no FROM payment_line l JOIN obligation o USING (obligation_id) WHERE recipient_id_no = ?", (A,)
    )
    assert [r[0] for r in row] == ["6217000000000001"]


def test_a_district_list_repeating_a_town_list_is_one_payment(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(1, town="甲镇")], area="")
    made = desk.draft()
    assert (made.batch["lines"], made.held) == (1, 0)


def test_a_member_in_two_households_holds_both(desk: Desk) -> None:
    rows = [
        person(1, case_no=1), person(3, case_no=1, lead=0, amount_fen=None, account_no=None),
        person(2, case_no=2), person(3, case_no=2, lead=0, amount_fen=None, account_no=None),
    ]  # fmt: skip
    desk.posting(LOW, "甲镇", "一村")
    desk.roll(rows, programme=LOW)
    desk.posting(LOW, "甲镇", "一村", state="replaced")
    assert codes(desk, override="理由")["same_programme_twice"] == {A, B}
    desk.doubt(
        1, (make_id(3), LOW, "甲镇"), (make_id(3), LOW, "甲镇"), disposition="legal", disposed_at="2026-10-20T00:00:00Z"
    )
    assert "same_programme_twice" not in codes(
        desk, override="理由"
    )  # somebody looked into it (允许叠加, 非同一人, 误报)


def test_paid_in_the_month_of_death_but_not_after(desk: Desk) -> None:
    desk.roll([person(1), person(2, payee_name="李代领", payee_id_no=make_id(3))])
    desk.register("death", [{"id_no": number, "name": "甲", "event_date": f"{MONTH}-12"} for number in (A, make_id(3))])
    desk.register("cremation", [{"id_no": A, "name": "甲", "event_date": None}])
    assert codes(desk) == {}
    desk.roll([person(1), person(2, payee_name="李代领", payee_id_no=make_id(3))], month="2026-11")
    desk.roll([person(4)], month="2026-11", area="乙镇")
    assert desk.draft("2026-11").holds_by_code == {"dead": 2}


@pytest.mark.parametrize("event_date", ["2026-09-02", None])
def test_the_dead_are_not_paid(desk: Desk, event_date: str | None) -> None:
    desk.roll([person(1)])
    desk.register("death", [{"id_no": A, "name": "甲", "event_date": event_date}])
    assert codes(desk, override="理由") == {"dead": {A}}


def test_a_withdrawn_death_entry_does_not_hold(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.register("death", [{"id_no": A, "name": "甲", "event_date": "2026-09-02", "status": "已撤销"}])
    assert codes(desk) == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account_no": None}, "no_account"),
        ({"account_no": "6217abc"}, "bad_account"),
        ({"amount_fen": 5_000_001}, "over_cap"),
    ],
)
def test_bad_lines_are_held(desk: Desk, change: dict[str, Any], code: str) -> None:
    desk.roll([person(1, **change)])
    assert codes(desk, override="理由") == {code: {A}}


def test_status_programmes_and_blank_amounts_are_not_paid(desk: Desk) -> None:
    desk.roll([person(1)], programme="low_income_margin")
    desk.roll([person(2, amount_fen=None), person(3, amount_fen=0)])
    with pytest.raises(RefusedError, match="没有要发的款"):
        desk.draft()
    with pytest.raises(UsageError, match="不发钱"):
        desk.draft(programmes=["低保边缘"])


# -- posting


def test_an_unposted_list_is_held_and_a_closed_one_is_paid(desk: Desk) -> None:
    desk.roll([person(1)], programme=LOW)
    assert codes(desk) == {"not_posted": {A}}
    number = desk.posting(LOW, "甲镇", "一村", state="open")
    assert codes(desk) == {"not_posted": {A}}
    with desk.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE posting SET state = 'closed' WHERE posting_id = ?", (number,))
    assert codes(desk) == {}


def test_posting_of_another_village_does_not_count(desk: Desk) -> None:
    desk.roll([person(1)], programme=LOW)
    desk.posting(LOW, "甲镇", "二村")
    assert codes(desk) == {"not_posted": {A}}


def test_an_objection_holds_the_list_or_the_person(desk: Desk) -> None:
    desk.roll([person(1), person(2)], programme=LOW)
    number = desk.posting(LOW, "甲镇", "一村")
    desk.objection(number, A)
    assert codes(desk) == {"not_posted": {A}}
    desk.objection(number)
    assert codes(desk) == {"not_posted": {A, B}}


def test_who_was_listed_after_the_posting_was_not_posted(desk: Desk) -> None:
    first = desk.roll([person(1)], programme=LOW)
    desk.posting(LOW, "甲镇", "一村")
    desk.supersede(first, [person(1), person(2)], programme=LOW)
    assert codes(desk)["not_posted"] == {B}


# -- decisions


@pytest.mark.parametrize("action", ["decrease", "grace"])
def test_a_stop_leaves_the_case_out_and_a_change_pays_the_new_amount(desk: Desk, action: str) -> None:
    desk.roll([person(1), person(2)])
    desk.decision(1, A, "stop", 10_001, 0)
    desk.decision(2, B, action, 10_002, 4_000)
    assert codes(desk, override="理由") == {"stopped": {A}}
    row = desk.store.query("SELECT amount_fen, case_id FROM obligation WHERE recipient_id_no = ?", (B,))[0]
    assert tuple(row) == (4_000, "R000002")


@pytest.mark.parametrize("change", [{"state": "agreed"}, {"state": "open"}, {"effective_month": "2026-11"}])
def test_a_decision_not_yet_in_force_changes_nothing(desk: Desk, change: dict[str, str]) -> None:
    desk.roll([person(1)])
    desk.decision(1, A, "stop", 10_001, 0, **change)
    assert codes(desk) == {}


def test_a_roll_that_contradicts_this_months_decision_is_held(desk: Desk) -> None:
    desk.roll([person(1, amount_fen=7_000)])
    desk.decision(1, A, "increase", 10_001, 12_000)
    assert codes(desk) == {"decision_differs": {A}}


# -- once


def test_two_instalments_are_two_payments_and_each_is_paid_once_in_whatever_month(desk: Desk) -> None:
    desk.posting(HOUSE, "甲镇", "一村")
    desk.roll([person(1, stage="第一期")], programme=HOUSE)
    number = desk.pay(override="理由")
    assert desk.batch(number)["state"] == "reconciled"
    desk.roll([person(1, stage="一期"), person(1, stage="第二期")], programme=HOUSE, month="2026-11")
    made = desk.draft("2026-11", override="理由")
    assert made.batch["lines"] == 1 and made.holds_by_code == {"paid_earlier": 1}
    assert sorted(item for _, item in desk.states()) == ["stage:1", "stage:2"]


def test_an_instalment_without_its_number_is_paid_only_once(desk: Desk) -> None:
    desk.roll([person(1)], programme=HOUSE)
    desk.pay(override="理由")
    desk.roll([person(1)], programme=HOUSE, month="2026-11")
    with pytest.raises(RefusedError, match="以前月份已发"):
        desk.draft("2026-11", override="理由")


def test_two_urgent_grants_of_different_days_are_two_payments(desk: Desk) -> None:
    desk.roll([person(1, event_date="2026-10-02"), person(1, event_date="2026-10-19")], programme=URGENT)
    made = desk.draft(override="理由")
    assert (made.batch["lines"], made.held) == (2, 0)


def test_the_same_urgent_grant_reported_again_next_month_is_not_paid_again(desk: Desk) -> None:
    desk.roll([person(1, event_date="2026-10-02")], programme=URGENT)
    desk.roll([person(2, cause="因病")], programme=URGENT, area="乙镇")
    desk.pay(override="理由")
    desk.roll([person(1, event_date="2026-10-02")], programme=URGENT, month="2026-11")
    desk.roll([person(2, cause="因病"), person(3)], programme=URGENT, area="乙镇", month="2026-11")
    desk.posting(URGENT, "乙镇", "一村", month="2026-11")
    assert desk.draft("2026-11").holds_by_code == {"paid_earlier": 1, "same_one_off": 1}


def test_a_corrected_roll_never_pays_a_second_time(desk: Desk) -> None:
    first = desk.roll([person(1), person(2)])
    desk.pay()
    second = desk.supersede(first, [person(1, amount_fen=99_000), person(2)])
    with pytest.raises(RefusedError, match="已发且金额不同 1"):
        desk.draft()
    # the ID is corrected to another one: same account
    desk.supersede(second, [person(1), person(9, account_no="6217000000000002")])
    desk.compare()
    with pytest.raises(RefusedError, match="可能已发过 1"):
        desk.draft(override="理由")


def test_a_new_head_of_a_paid_household_is_not_paid_again(desk: Desk) -> None:
    member = person(2, case_no=1, lead=0, amount_fen=None, account_no=None)
    first = desk.roll([person(1, case_no=1), member], programme=LOW)
    desk.pay(override="理由")
    turned = [person(2, case_no=1), person(1, case_no=1, lead=0, amount_fen=None, account_no=None)]
    desk.supersede(first, turned, programme=LOW)
    with pytest.raises(RefusedError, match="可能已发过"):
        desk.draft(override="理由")


def test_a_household_is_paid_to_its_head(desk: Desk) -> None:
    desk.roll([person(2, head_id_no=A, head_name="张户主", payee_name="李代领", payee_id_no=make_id(7))], programme=LOW)
    desk.draft(override="理由")
    row = desk.store.query(
        "SELECT recipient_id_no, recipient_name, payee_name, payee_id_no FROM obligation JOIN payment_line USING (obligation_id)"
    )[0]
    assert tuple(row) == (A, "张户主", "李代领", make_id(7))


def test_only_the_programmes_asked_for(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], programme="disability_care_subsidy")
    assert desk.draft(programmes=["护理补贴"]).batch["lines"] == 1
    assert [row[0] for row in desk.store.query("SELECT programme FROM obligation")] == ["disability_care_subsidy"]


def test_an_unknown_default_bank_is_said(desk: Desk) -> None:
    from jiuzhu_cli.core.errors import DataError

    desk.configure('default_bank = "card_xlsx"', 'default_bank = "nowhere"')
    desk.roll([person(1)])
    with pytest.raises(DataError, match="default_bank"):
        desk.draft()


def test_all_held_writes_the_list_and_no_batch(desk: Desk) -> None:
    desk.roll([person(1, account_no="")])
    with pytest.raises(RefusedError, match="没有账号 1"):
        desk.draft()
    assert desk.store.query("SELECT COUNT(*) FROM payment_batch")[0][0] == 0
    text = (desk.workspace.internal / "pay" / MONTH / f"拦下名单_{MONTH}.csv").read_text("utf-8-sig")
    assert A in text and "没有账号" in text


# -- what a bank's file cannot hold


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "䶮小丫"}, "里的“䶮”银行文件写不了"),
        ({"payee_name": "李|四"}, "分隔符"),
        ({"payee_name": "=HYPERLINK(1)"}, "像公式"),
        ({"payee_name": "王" * 21, "bank_name": "邮储银行"}, "超出 40 字节"),
        ({"payee_name": "@某", "bank_name": ""}, "像公式"),
        ({"address": "一组\n二号", "bank_name": ""}, "换行"),
    ],
)
def test_who_does_not_fit_the_banks_file_is_held_and_the_others_are_paid(
    desk: Desk, change: dict[str, Any], reason: str
) -> None:
    desk.roll([person(1, **({"bank_name": "农商行"} | change)), *(person(i, bank_name="农商行") for i in (2, 3))])
    made = desk.draft()
    assert (made.batch["lines"], made.holds_by_code, made.warnings) == (2, {"unfit": 1}, [])
    assert reason in desk.store.query("SELECT reason FROM payment_hold")[0][0]
    desk.lock()
    desk.approve()
    assert sum(f["lines"] for f in desk.export().files) == 2


def test_the_same_name_fits_a_workbook(desk: Desk) -> None:
    desk.roll([person(1, name="䶮小丫"), person(2, name="䶮小", bank_name="中国建设银行")])
    assert (desk.draft().batch["lines"], desk.draft().held) == (2, 0)


# -- whom a doubt holds


def test_a_doubt_about_an_account_holds_only_what_is_paid_into_it(desk: Desk) -> None:
    shared, own = "6217000000009999", {"account_no": "6217000000000001"}
    care = "disability_care_subsidy"
    desk.roll([person(1, account_no=shared), person(2, account_no=shared)])
    desk.roll([person(1, **own), person(2, account_no=shared)], programme=care)
    desk.doubt(1, (A, LIVING, "甲镇"), (B, LIVING, "甲镇"), kind="account")
    assert codes(desk) == {"doubt_open": {A, B}}
    held = {tuple(r) for r in desk.store.query("SELECT programme, recipient_id_no FROM payment_hold")}
    assert held == {(LIVING, A), (LIVING, B), (care, B)}


def test_a_members_doubt_holds_the_household_also_when_the_member_came_later(desk: Desk) -> None:
    batch = desk.roll([person(1, case_no=1)])
    late = desk.roll([person(2, case_no=9, lead=0, amount_fen=None, account_no=None, head_id_no=A)], area="甲镇/补")
    with desk.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE batch SET supplements = ?, area = '甲镇' WHERE batch_id = ?", (batch, late))
    desk.doubt(1, (B, LIVING, "甲镇"), (B, "extreme_poverty_support", "甲镇"))
    assert codes(desk) == {"doubt_open": {A}}


def test_small_urgent_aid_needs_no_posting(desk: Desk) -> None:
    desk.roll([person(1, category="小额快救"), person(2, category="急难型"), person(3)], programme=URGENT)
    assert codes(desk) == {"not_posted": {B, make_id(3)}}


# -- decisions and months


def test_a_stop_or_rise_of_a_later_month_leaves_this_month_alone(desk: Desk) -> None:
    for month in (MONTH, "2026-11"):
        desk.roll([person(1), person(2), person(3)], month=month)
    desk.decision(1, A, "stop", 10_001, 0, effective_month="2026-11")
    desk.decision(2, B, "increase", 10_002, 20_000, effective_month="2026-11")
    assert (desk.draft().batch["amount_fen"], desk.draft().held) == (30_006, 0)
    made = desk.draft("2026-11")
    assert (made.batch["amount_fen"], made.holds_by_code) == (20_000 + 10_003, {"stopped": 1})


def test_two_decisions_on_one_case_under_two_areas_pay_it_once(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.decision(1, A, "increase", 10_001, 12_000, area="甲镇")
    desk.decision(2, A, "decrease", 10_001, 9_000, area="甲镇/一村")
    made = desk.draft()
    assert (made.batch["lines"], made.batch["amount_fen"], made.held) == (1, 9_000, 0)
