"""A line booked as paid whose money came back: two persons, owed again, paid again once."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

import pytest

from jiuzhu_cli.core.errors import JiuzhuError, RefusedError, UsageError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import correction, states
from tests.payment.conftest import NOW, Desk, person
from tests.payment.test_reconcile import reconcile
from tests.payment.test_recovery import recover
from tests.payment.test_set_off import overpaid, rule
from tests.support import make_id

TODAY = date(2026, 11, 20)


def ask(desk: Desk, number: int, lines: list[int], **options: Any) -> correction.Corrected:
    values: dict[str, Any] = {
        "kind": "bank_returned",
        "on_date": date(2026, 11, 3),
        "reference": "T1",
        "reason": "银行系统故障，退汇",
    } | options
    return correction.ask(desk.store, desk.batch(number), lines, today=TODAY, actor="张经办", now=NOW, **values)


def test_money_that_came_back_is_owed_and_paid_again_once(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay()
    with pytest.raises(RefusedError, match="没有要发的款"):
        desk.draft()
    made = ask(desk, number, [1])
    asked = made.rows[0]["correction_id"]
    assert made.as_json()["amount_fen"] == made.rows[0]["amount_fen"]
    with pytest.raises(RefusedError, match="没有要发的款"):  # asked is not done
        desk.draft()
    with pytest.raises(RefusedError, match="等另一人确认"):
        ask(desk, number, [1])
    with pytest.raises(RefusedError, match="不能自己确认"):
        correction.answer(desk.store, [asked], done=True, actor="张 经办", now=NOW)
    done = correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    assert done.rows[0]["state"] == "done" and correction.waiting(desk.store).rows == []
    with pytest.raises(RefusedError, match="已冲正"):
        correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    again = desk.pay()
    assert desk.batch(again)["lines"] == 1 and desk.batch(again)["kind"] == "retry"
    assert sorted(desk.states().values()) == [["paid"], ["reversed", "paid"]]
    with pytest.raises(RefusedError, match="没有要发的款"):
        desk.draft()
    assert check_ledger(desk.store, desk.workspace).problems == ()


def test_what_is_dropped_can_be_asked_again(desk: Desk) -> None:
    desk.roll([person(1)])
    number = desk.pay()
    asked = ask(desk, number, [1]).rows[0]["correction_id"]
    assert correction.answer(desk.store, [asked], done=False, actor="张经办", now=NOW).rows[0]["state"] == "dropped"
    assert desk.states() == {(make_id(1), ""): ["paid"]}
    assert ask(desk, number, [1]).rows[0]["correction_id"] != asked


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "mistake"},
        {"reason": " "},
        {"on_date": date(2026, 11, 21)},
        {"lines": [7]},
        {"lines": []},
        {"lines": [2]},
    ],
)
def test_what_cannot_be_reversed_is_refused_whole(desk: Desk, values: dict[str, Any]) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={2: "户名不符"})
    lines = [1, *values.pop("lines", [])] if values.get("lines") else values.pop("lines", [1])
    with pytest.raises(JiuzhuError):
        ask(desk, number, lines, **values)
    assert correction.waiting(desk.store).rows == []


def test_a_batch_not_sent_and_an_unknown_number(desk: Desk) -> None:
    desk.roll([person(1)])
    number = desk.draft().batch["payment_id"]
    with pytest.raises(RefusedError, match="还没有送银行"):
        ask(desk, number, [1])
    with pytest.raises(UsageError, match="没有冲正 7"):
        correction.answer(desk.store, [7], done=True, actor="李审批", now=NOW)


def test_the_record_keeps_corrections_and_moves_only_paid_lines(desk: Desk) -> None:
    desk.roll([person(1)])
    number = desk.pay()
    ask(desk, number, [1])
    for sql in (
        "DELETE FROM payment_correction",
        "UPDATE payment_correction SET state = 'done', answered_by = asked_by",
        "INSERT INTO payment_correction SELECT 9, line_id, kind, 1, '', '', '', 'x', '', 'asked', '', '' FROM payment_correction",
    ):
        with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="甲", command="test") as tx:
            tx.execute(sql)


def test_a_claim_ends_when_the_bank_sent_the_money_back(desk: Desk) -> None:
    desk.roll([person(1)])
    number = desk.pay()
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-09-02"}])
    assert len(recover(desk).rows) == 1
    asked = ask(desk, number, [1]).rows[0]["correction_id"]
    correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    found = recover(desk)
    assert (found.rows, found.sums["claimed_fen"], found.sums["repaid_fen"]) == ([], 0, 0)


AFTER = "paid_after_all"


def test_a_refusal_that_was_wrong_is_booked_as_paid_by_two_persons(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "系统超时"})
    made = ask(desk, number, [1], kind=AFTER, reason="银行更正：已入账")
    correction_id = made.rows[0]["correction_id"]
    with pytest.raises(RefusedError, match="待确认实际到账 1"):  # until it is answered nothing is paid again
        desk.draft()
    with pytest.raises(RefusedError, match="不能自己确认"):
        correction.answer(desk.store, [correction_id], done=True, actor="张经办", now=NOW)
    assert correction.answer(desk.store, [correction_id], done=True, actor="李审批", now=NOW).rows[0]["state"] == "done"
    assert sorted(desk.states().values()) == [["paid"], ["paid"]]
    [line] = desk.store.query("SELECT reason, reason_code FROM payment_line WHERE line_no = 1")
    assert tuple(line) == ("", "")
    with pytest.raises(RefusedError, match="没有要发的款"):
        desk.draft()
    found = reconcile(desk)
    assert found.balanced and found.sums["paid"] == found.sums["due"] and found.sums["failed"] == 0
    assert check_ledger(desk.store, desk.workspace).problems == ()
    # and what was paid after all can still come back
    back = ask(desk, number, [1]).rows[0]["correction_id"]
    correction.answer(desk.store, [back], done=True, actor="李审批", now=NOW)
    assert desk.batch(desk.pay())["lines"] == 1
    found = reconcile(desk)
    assert found.balanced and found.problems == [] and found.sums["paid"] == found.sums["due"]


def test_what_was_not_paid_after_all_is_dropped_and_paid_again(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "系统超时"})
    asked = ask(desk, number, [1], kind=AFTER).rows[0]["correction_id"]
    correction.answer(desk.store, [asked], done=False, actor="张经办", now=NOW)
    assert desk.batch(desk.pay())["kind"] == "retry"
    assert reconcile(desk).balanced


@pytest.mark.parametrize(("step", "code"), [("draft", "in_batch"), ("lock", "in_batch"), ("sent", "paid_again"), ("paid", "paid_again")])  # fmt: skip
def test_what_is_paid_again_is_never_booked_twice(desk: Desk, step: str, code: str) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "系统超时"})
    again = int(desk.draft().batch["payment_id"])
    if step != "draft":
        desk.lock()
    if step in ("sent", "paid"):
        desk.approve()
        desk.export()
    if step == "paid":
        for path in desk.answers(again):
            desk.read(path, number=again)
    with pytest.raises(RefusedError) as refused:
        ask(desk, number, [1], kind=AFTER)
    assert refused.value.code == code and f"第 {again} 批" in str(refused.value)
    if step == "paid":  # the payment that was made again has come back: then the first may stand
        back = ask(desk, again, [1]).rows[0]["correction_id"]
        correction.answer(desk.store, [back], done=True, actor="李审批", now=NOW)
        first = ask(desk, number, [1], kind=AFTER).rows[0]["correction_id"]
        correction.answer(desk.store, [first], done=True, actor="李审批", now=NOW)
        found = reconcile(desk)
        assert found.balanced and found.sums["paid"] == found.sums["due"]
    elif step == "draft":
        desk.cancel(again)
        assert ask(desk, number, [1], kind=AFTER).rows


def test_a_draft_made_before_it_was_asked_does_not_slip_through(desk: Desk) -> None:
    """Confirming looks again: the second person may come days later."""
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "系统超时"})
    asked = ask(desk, number, [1], kind=AFTER).rows[0]["correction_id"]
    desk.roll([person(3)], area="乙镇")
    made = desk.draft()
    assert made.holds_by_code == {"said_paid": 1} and made.batch["lines"] == 1
    with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="甲", command="test") as tx:
        tx.execute("UPDATE payment_line SET state = 'paid' WHERE state = 'failed'")
    correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    assert reconcile(desk).balanced


def test_only_what_was_refused_can_be_paid_after_all(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "系统超时"})
    for lines in ([2], [1, 2]):
        with pytest.raises(RefusedError, match="没有记作失败"):
            ask(desk, number, lines, kind=AFTER)
    assert correction.waiting(desk.store).rows == []


def test_a_closed_batch_takes_it_too(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "系统超时"})
    states.close(desk.store, desk.batch(number), reason="", actor="李审批", now=NOW)
    asked = ask(desk, number, [1], kind=AFTER).rows[0]["correction_id"]
    correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    assert sorted(desk.states().values()) == [["paid"], ["paid"]]
    assert check_ledger(desk.store, desk.workspace).problems == ()


def test_a_claim_that_came_back_otherwise_is_not_set_off_twice(desk: Desk) -> None:
    rule(desk, 100)
    overpaid(desk)
    number = desk.pay(failures={1: "系统超时", 2: "系统超时"})
    desk.roll([person(1), person(2)], month="2026-11")
    [line] = desk.store.query("SELECT line_no FROM payment_line WHERE payment_id = ? AND set_off_fen > 0", (number,))
    desk.pay("2026-11")  # sets the same claim off
    with pytest.raises(RefusedError) as refused:
        ask(desk, number, [line[0]], kind=AFTER)
    assert refused.value.code == "set_off_again"
