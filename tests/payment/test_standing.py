"""How the payments stand: what waits for whom, success and timeliness as they were, money by payer."""

from __future__ import annotations

from datetime import date

from jiuzhu_cli.payment.standing import Standing, standing
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import MONTH, NOW, Desk, person
from tests.payment.test_correction import ask, correction
from tests.payment.test_papers import LOW, shares
from tests.payment.test_reconcile import BEFORE
from tests.payment.test_recovery import recover
from tests.support import make_id

TODAY = date(2026, 11, 20)


def stands(desk: Desk, first: str = "", last: str = "") -> Standing:
    return standing(desk.store, desk.policy, first=first, last=last, today=TODAY)


def due_by(desk: Desk, day: int) -> None:
    folder = desk.workspace.policy_dir / "parameters"
    folder.mkdir(exist_ok=True)
    text = f'[[parameter]]\nname = "发放截止日"\nunit = "日"\nsource = "测试"\nvalues = [{{ since = 2020-01-01, value = {day} }}]\n'
    (folder / "own.toml").write_text(text, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


def test_an_empty_record_has_nothing_to_measure(desk: Desk) -> None:
    found = stands(desk)
    assert (found.batches, found.outside, found.total.success, found.total.timely) == ([], [], None, None)


def test_each_batch_waits_for_somebody_until_it_is_done(desk: Desk) -> None:
    desk.roll([person(1), person(2, account_no="")])
    desk.draft()
    waits = [(stands(desk).batches[0]["state"], stands(desk).batches[0]["waits_for"])]
    for step in (desk.lock, desk.approve, desk.export):
        step()
        waits.append((stands(desk).batches[0]["state"], stands(desk).batches[0]["waits_for"]))
    assert waits == [("draft", "经办人"), ("locked", "审批人"), ("approved", "经办人"), ("exported", "银行")]
    assert [(what, n, fen) for what, n, fen, _ in stands(desk).outside] == [("拦下", 1, 10_002)]


def test_a_batch_is_ready_to_close_once_what_came_back_was_taken_up_again(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay(failures={1: "系统超时"})
    assert stands(desk).batches[0]["waits"] == "退回的 1 笔补发，再办结"
    second = desk.pay(failures={1: "系统超时"})
    assert [batch["waits"] for batch in stands(desk).batches] == ["办结", "退回的 1 笔补发，再办结"]
    desk.draft()
    assert [batch["waits"] for batch in stands(desk).batches][:2] == ["办结", "办结"]
    desk.cancel(second + 1)
    assert stands(desk).batches[1]["waits"] == "退回的 1 笔补发，再办结"
    desk.pay()
    assert {batch["waits"] for batch in stands(desk).batches if batch["state"] == "reconciled"} == {"办结"}


def test_rates_are_what_happened(desk: Desk) -> None:
    """NOW is the 25th of MONTH: of BEFORE the money left a month late, of MONTH on the 25th."""
    desk.roll([person(1), person(2)], month=BEFORE)
    first = desk.pay(BEFORE)
    desk.roll([person(i) for i in range(1, 5)])
    desk.pay(failures={1: "户名不符"})
    asked = ask(desk, first, [1], on_date=date(2026, 10, 28)).rows[0]["correction_id"]
    assert ("冲正待确认", 1) in [(what, n) for what, n, _, _ in stands(desk).outside]
    correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    due_by(desk, 25)
    found = stands(desk)
    assert (found.first, found.last) == ("2026-01", MONTH)
    assert found.total.success == 4 / 6 and found.total.timely == 3 / 4
    due_by(desk, 24)
    assert stands(desk).total.timely == 0
    october = stands(desk, MONTH, MONTH)
    assert len(october.batches) == 1 and october.total.success == 3 / 4
    assert (
        sum(found.by_source.values())
        == found.total.sums["paid_fen"]
        == sum(one.sums["paid_fen"] for one in found.by_town.values())
    )
    assert found.budget.year == 2026 and not found.budget.budgets


def test_what_is_to_come_back_is_told(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.pay()
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-09-02"}])
    recover(desk)
    assert [(what, n, fen) for what, n, fen, _ in stands(desk).outside] == [("尚待追回", 1, 10_001)]
    assert stands(desk).as_json()["outside"][0]["command"] == "jiuzhu pay recover"


def test_money_that_arrived_stands_under_who_pays_it(desk: Desk) -> None:
    """Shares are written by the programme's name, for 农村 another than for 城市; a programme without any is 未填."""
    shares(desk)  # 农村: 中央 70, 县 30; 城市: 县 33.3
    homes = [person(1, amount_fen=10_000, category="农村"), person(2, amount_fen=20_000, category="城市")]
    desk.roll(homes, programme=LOW, compare=False)
    desk.roll([person(3, amount_fen=500)])
    desk.pay(override="测试：不公示")
    found = stands(desk).by_source
    assert found == {"中央": 7_000, "县": 3_000 + 6_660, "未填": 13_340 + 500}
    assert list(found) == ["中央", "县", "未填"]
