"""Faults that the walk (``test_model``) has found, each told again in a few steps."""

from __future__ import annotations

import pytest

from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import export
from tests.payment.conftest import MONTH, NOW, Desk, person
from tests.payment.model.world import PRICE
from tests.payment.test_back_pay import balanced, find, paid_lines, told
from tests.payment.test_correction import ask, correction
from tests.payment.test_reconcile import AFTER, BEFORE, reconcile
from tests.payment.test_recovery import recover
from tests.support import make_id


def test_who_moves_after_a_refusal_leaves_the_first_batch_its_towns(desk: Desk) -> None:
    """The next try of the same money stands in the new town; the sums of the batch that failed are those it was drafted with."""
    here = desk.roll([person(1), person(2)])
    number = desk.pay(failures={1: "账号不存在"})
    failed = desk.store.query(
        "SELECT o.recipient_id_no FROM payment_line l JOIN obligation o USING (obligation_id) WHERE l.state = 'failed'"
    )
    mover = next(n for n in (1, 2) if person(n)["id_no"] == failed[0][0])
    desk.supersede(here, [person(3 - mover)])
    desk.roll([person(mover, account_no="6217888800000001")], area="乙镇")
    assert desk.pay() == number + 1
    assert check_ledger(desk.store, desk.workspace).problems == ()


def raised(desk: Desk, fen: int) -> None:
    """The decision is taken back and taken anew with another amount: it is the same case."""
    with desk.store.transaction(actor="测试", command="review decide", now=desk.now) as tx:
        tx.execute("UPDATE proposal SET amount_after_fen = ? WHERE case_id = 'R000001'", (fen,))
        tx.journal("decision:1", {})


def decided_backwards(desk: Desk) -> int:
    """A month is paid, then a decision raises it; the next month's batch takes the difference along. Returns that batch, locked."""
    desk.roll([person(1), person(2)], month=BEFORE)
    desk.pay(BEFORE)
    desk.roll([person(1, amount_fen=12_000), person(2)])
    desk.decision(1, make_id(1), "increase", 10_001, 12_000, effective_month=BEFORE)
    find(desk)
    number = int(desk.draft().batch["payment_id"])
    desk.lock(number)
    return number


def finish(desk: Desk, number: int) -> None:
    desk.approve(number)
    desk.export(number)
    for path in desk.answers(number):
        desk.read(path, number=number)


def test_back_pay_that_another_batch_pays_is_not_drafted_again_when_its_amount_has_changed(desk: Desk) -> None:
    number = decided_backwards(desk)
    raised(desk, 13_000)
    desk.roll([person(1, amount_fen=13_000), person(2)], month=AFTER)
    later = desk.draft(AFTER)  # ended in a conflict with the line of the first batch
    assert (later.batch["lines"], later.sums.back_pay) == (2, 0)
    assert check_ledger(desk.store, desk.workspace).problems == ()
    finish(desk, number)
    assert (BEFORE, "back_pay", 1_999) in paid_lines(desk)


def test_what_the_same_cause_makes_due_after_its_back_pay_is_paid_too(desk: Desk) -> None:
    """A cause is paid once; its further amount was neither drafted nor missed: the proof counted what was paid as still to come."""
    finish(desk, decided_backwards(desk))
    raised(desk, 13_000)
    assert [(row["why"], row["difference_fen"]) for row in reconcile(desk).differences] == [("raised", 1_000)]
    assert sorted(told(find(desk))) == [
        (BEFORE, "case", 1_000, "confirmed", False),
        (BEFORE, "case", 1_999, "confirmed", True),
    ]
    desk.roll([person(1, amount_fen=12_000), person(2)], month=AFTER)
    desk.pay(AFTER)
    paid = [line for line in paid_lines(desk) if line[1] == "back_pay"]
    assert sorted(paid) == [(BEFORE, "back_pay", 1_000), (BEFORE, "back_pay", 1_999)]
    raised(desk, 13_500)  # and a third time
    find(desk)
    desk.roll([person(9)], area="乙镇", month=AFTER)
    assert desk.draft(AFTER).sums.back_pay == 500
    balanced(desk)
    assert check_ledger(desk.store, desk.workspace).problems == ()


def test_an_event_missed_in_one_month_and_on_the_next_ones_list_is_drafted_once(desk: Desk) -> None:
    """It stood in the draft as what was missed and as the month's own: twice the money, or a conflict where it had been tried before."""
    desk.roll([person(1, event_date="2026-07-01")], programme=PRICE, month=BEFORE)
    desk.pay(BEFORE)
    missed = person(2, event_date="2026-07-03")
    desk.roll([missed], programme=PRICE, area="乙镇", month=BEFORE)
    assert told(find(desk)) == [(BEFORE, "missed", 10_002, "confirmed", False)]
    desk.roll([missed], programme=PRICE, area="乙镇", month=MONTH)
    number = desk.pay(MONTH)
    assert (desk.batch(number)["lines"], desk.batch(number)["amount_fen"]) == (1, 10_002)
    find(desk)
    balanced(desk)


def test_an_event_paid_as_missed_and_reversed_is_drafted_once(desk: Desk) -> None:
    desk.roll([person(1, event_date="2026-07-01")], programme=PRICE, month=BEFORE)
    desk.pay(BEFORE)
    missed = person(2, event_date="2026-07-03")
    desk.roll([missed], programme=PRICE, area="乙镇", month=BEFORE)
    find(desk)
    desk.roll([person(3)], month=MONTH)
    number = desk.pay(MONTH)  # the missed event goes along
    [line] = desk.store.query(
        "SELECT line_no FROM payment_line l JOIN obligation o USING (obligation_id) WHERE o.purpose = 'back_pay'"
    )
    asked = ask(desk, number, [line[0]]).rows[0]["correction_id"]
    correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    desk.roll([missed], programme=PRICE, area="乙镇", month=AFTER)
    number = desk.pay(AFTER)
    assert (desk.batch(number)["lines"], desk.batch(number)["amount_fen"]) == (1, 10_002)
    balanced(desk)
    assert check_ledger(desk.store, desk.workspace).problems == ()


def refused_at_last(desk: Desk, waits: int) -> None:
    """The batch that waited goes to the bank, which refuses the account: the next month holds it."""
    desk.export(waits)
    for path in desk.answers(waits, {1: "账号不存在"}):
        desk.read(path, number=waits)
    desk.roll([person(1), person(2)], month=AFTER)
    number = desk.pay(AFTER)
    held = desk.store.query("SELECT recipient_id_no, code FROM payment_hold WHERE payment_id = ?", (number,))
    assert [tuple(row) for row in held] == [(make_id(1), "account_refused")]


def test_an_account_refused_after_another_batch_was_paid_into_it_is_held(desk: Desk) -> None:
    """The batch with the lower number went to the bank last: by the numbers its refusal counted as overcome."""
    desk.roll([person(1)], month=BEFORE)
    waits = int(desk.draft(BEFORE).batch["payment_id"])
    desk.lock(waits)
    desk.approve(waits)
    desk.roll([person(1)])
    assert desk.pay() > waits
    refused_at_last(desk, waits)


def test_a_batch_whose_export_was_broken_off_goes_to_the_bank_when_its_files_are_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its state said exported before another batch was paid into the account; its files came later, and the bank's refusal with them."""
    desk.roll([person(1)], month=BEFORE)
    waits = int(desk.draft(BEFORE).batch["payment_id"])
    desk.lock(waits)
    desk.approve(waits)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(export, "_write_files", interrupted)
        desk.export(waits)
    assert desk.batch(waits)["state"] == "exported"
    desk.roll([person(1)])
    desk.pay()
    refused_at_last(desk, waits)


def test_an_account_paid_into_after_it_was_refused_is_not_held(desk: Desk) -> None:
    desk.roll([person(1)], month=BEFORE)
    desk.pay(BEFORE, {1: "账号不存在"})
    desk.roll([person(1)])
    number = desk.pay(override="银行说账户已恢复")
    desk.roll([person(1)], month=AFTER)
    assert desk.pay(AFTER) > number


def test_an_event_drafted_in_one_month_and_held_in_another_is_no_difference(desk: Desk) -> None:
    """It is owed in the month whose draft was cancelled, but stands on a later list, and is held there: the proof called it missed."""
    event = person(1, event_date="2026-07-03")
    first = desk.roll([event, person(2, event_date="2026-07-02")], programme=PRICE, month=BEFORE)
    number = int(desk.draft(BEFORE).batch["payment_id"])
    desk.cancel(number)
    desk.supersede(first, [person(2, event_date="2026-07-02")], programme=PRICE, month=BEFORE)
    desk.pay(BEFORE)
    paid = desk.roll([person(1, event_date="2026-07-01")], programme=PRICE)
    desk.pay()
    desk.supersede(paid, [event, person(3, event_date="2026-07-02")], programme=PRICE)
    recover(desk)  # what was paid for the other day is claimed
    balanced(desk)  # nothing drafted since: the plan of today tells
    desk.compare()
    desk.draft()
    held = desk.store.query("SELECT recipient_id_no, code FROM payment_hold")
    assert [tuple(row) for row in held] == [(make_id(1), "maybe_paid")]
    balanced(desk)
