"""A line booked as paid whose money came back: two persons, owed again, paid again once."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

import pytest

from jiuzhu_cli.core.errors import JiuzhuError, RefusedError, UsageError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import correction
from tests.payment.conftest import NOW, Desk, person
from tests.payment.test_recovery import recover
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
