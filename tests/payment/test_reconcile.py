"""Due = paid + waiting + set off − claimed back, for every person; and the proof fails when the record is made to lie."""

from __future__ import annotations

from typing import Any

import pytest

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.payment import reconcile as module
from tests.payment.conftest import LIVING, MONTH, NOW, Desk, person
from tests.payment.test_recovery import recover
from tests.support import make_id

BEFORE, AFTER = "2026-09", "2026-11"


def reconcile(desk: Desk, first: str = "", last: str = "", **options: Any) -> module.Reconciled:
    return module.reconcile(
        desk.store, desk.workspace, desk.policy, first=first, last=last, actor="张经办", now=NOW, **options
    )


def identity(found: module.Reconciled) -> None:
    sums = found.sums
    waiting = sum(sums[name] for name in module.WAITING)
    assert (
        sums["due"]
        == sums["paid"] + waiting + sums["set_off"] + sums["declined"] - sums["claimed"] + sums["difference"]
    )
    assert sums["claimed"] == sums["repaid"] + sums["set_off_back"] + sums["waived"] + sums["open"]
    assert sums["due"] == sum(one["due_fen"] for one in found.by_programme)


def test_every_stage_of_a_batch_is_waiting_or_paid(desk: Desk) -> None:
    desk.roll([person(1), person(2), person(3), person(4, account_no="")])
    amounts = {n: 10_000 + n for n in range(1, 5)}
    found = reconcile(desk)
    assert found.balanced and found.sums["not_drafted"] == sum(amounts.values()) == found.sums["due"]
    number = desk.draft().batch["payment_id"]
    found = reconcile(desk)
    assert found.balanced and (found.sums["drafted"], found.sums["held"]) == (
        sum(amounts.values()) - amounts[4],
        amounts[4],
    )
    desk.lock()
    desk.approve()
    desk.export()
    assert reconcile(desk).sums["sent"] == sum(amounts.values()) - amounts[4]
    [path] = desk.answers(number, {2: "户名不符"})
    desk.read(path)
    found = reconcile(desk)
    assert found.balanced, found.by_reason
    failed = next(key[0] for key, states in desk.states().items() if states == ["failed"])
    assert found.sums["failed"] == amounts[int(failed[14:17]) // 2] and found.sums["held"] == amounts[4]
    identity(found)


def test_what_nobody_answers_for_is_a_difference(desk: Desk) -> None:
    first = desk.roll([person(i) for i in range(1, 6)])
    desk.pay()
    assert reconcile(desk).balanced
    changed = [person(1, amount_fen=15_000), person(2, amount_fen=4_000), person(4), person(5), person(6)]
    desk.supersede(first, changed)
    desk.compare()
    found = reconcile(desk)
    identity(found)
    assert {
        make_id(int(row["recipient"][14:17]) // 2): (row["why"], row["difference_fen"]) for row in found.differences
    } == {
        make_id(1): ("raised", 15_000 - 10_001),
        make_id(2): ("overpaid", 4_000 - 10_002),
        make_id(3): ("no_basis", -10_003),
        make_id(6): ("missed", 10_006),
    }
    recover(desk)
    found = reconcile(desk)
    identity(found)
    assert set(found.by_reason) == {"raised", "missed"} and found.sums["open"] == 10_002 - 4_000 + 10_003
    desk.pay()
    assert set(reconcile(desk).by_reason) == {"raised"}


def test_a_hold_that_came_up_after_the_draft_is_no_difference(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.pay()
    desk.roll([person(2)], area="乙镇", compare=False)  # not compared yet
    found = reconcile(desk)
    assert found.balanced and found.sums["held"] == 10_002


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DROP TRIGGER payment_batch_fixed; UPDATE payment_batch SET amount_fen = amount_fen + 1", "batch_lines"),
        ("UPDATE output_file SET amount_fen = amount_fen + 1 WHERE kind = 'bank_file'", "batch_manifest"),
        ("UPDATE payment_line SET state = 'reversed' WHERE line_no = 1", "reversal_unrecorded"),
        (
            "DROP TRIGGER payment_line_fixed; UPDATE payment_line SET set_off_fen = 5 WHERE line_no = 1",
            "set_off_unlinked",
        ),
        (
            "DROP TRIGGER journal_no_update; UPDATE journal SET detail = '{\"lines\": 9, \"amount_fen\": 9}' WHERE command = 'pay lock'",
            "batch_journal",
        ),
    ],
)
def test_a_record_that_was_tampered_with_does_not_balance(desk: Desk, sql: str, code: str) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    assert reconcile(desk).balanced
    desk.store.connection.executescript(sql)
    assert code in {one["code"] for one in reconcile(desk).problems}


def test_a_line_that_is_gone_or_changed_is_seen(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay()
    desk.store.connection.executescript("DROP TRIGGER payment_line_kept; DELETE FROM payment_line WHERE line_no = 1")
    found = reconcile(desk)
    identity(found)
    assert set(found.by_reason) == {"missed"} and {p["code"] for p in found.problems} == {"batch_lines"}


def test_months_are_judged_by_themselves(desk: Desk) -> None:
    for month in (BEFORE, MONTH):
        desk.roll([person(1), person(2)], month=month)
        desk.pay(month)
    desk.roll([person(1), person(2)], month=AFTER)
    found = reconcile(desk)
    assert found.balanced and (found.first, found.last) == (BEFORE, AFTER)
    assert found.sums["paid"] == 2 * 20_003 and found.sums["not_drafted"] == 20_003
    assert reconcile(desk, BEFORE, MONTH).sums["due"] == 2 * 20_003
    assert reconcile(desk, MONTH, MONTH).sums["due"] == 20_003
    with pytest.raises(UsageError):
        reconcile(desk, AFTER, BEFORE)
    with pytest.raises(RefusedError):
        reconcile(desk, "2020-01", "2020-02")


def test_decisions_count_from_their_month(desk: Desk) -> None:
    for month in (BEFORE, MONTH):
        desk.roll([person(1), person(2), person(3)], month=month)
        desk.pay(month)
    desk.decision(1, make_id(1), "increase", 10_001, 12_000, effective_month=BEFORE)
    desk.decision(2, make_id(2), "decrease", 10_002, 8_000, effective_month=MONTH)
    desk.decision(3, make_id(3), "stop", 10_003, 0, effective_month=MONTH)
    found = reconcile(desk)
    assert sorted((row["month"], row["why"], row["difference_fen"]) for row in found.differences) == [
        (BEFORE, "raised", 1_999),
        (MONTH, "overpaid", -10_003),
        (MONTH, "overpaid", -2_002),
        (MONTH, "raised", 1_999),
    ]
    assert [row["code"] for row in recover(desk).rows] == ["decided_lower", "stopped"]


def test_a_start_decided_for_months_before_the_list(desk: Desk) -> None:
    for month in (BEFORE, MONTH):
        desk.roll([person(1)], month=month)
        desk.pay(month)
    desk.decision(1, make_id(2), "start", None, 9_000, effective_month=BEFORE)
    assert reconcile(desk).balanced  # no list shows the person yet: nobody could be paid
    desk.roll([person(1), person(2, amount_fen=9_000)], month=AFTER)
    found = reconcile(desk)
    assert [(row["month"], row["why"], row["difference_fen"]) for row in found.differences] == [
        (BEFORE, "started", 9_000),
        (MONTH, "started", 9_000),
    ]


def test_an_event_listed_again_is_owed_once(desk: Desk) -> None:
    once = person(1, event_date="2026-09-03", cause="火灾")
    for month in (BEFORE, MONTH):
        desk.roll([once], programme="temporary_assistance", month=month)
    desk.pay(BEFORE, override="急难")
    found = reconcile(desk)
    assert found.balanced and found.sums["due"] == 10_001 == found.sums["paid"]
    assert reconcile(desk, MONTH, MONTH).sums["due"] == 0


def test_one_person_on_two_lists_is_owed_once(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.roll([person(1, amount_fen=20_000)], area="乙镇")
    desk.doubt(1, (make_id(1), LIVING, "乙镇"), (make_id(1), LIVING, "甲镇"), disposition="stop_a")
    desk.pay()
    found = reconcile(desk)
    assert found.balanced and found.sums["due"] == 20_003


def test_a_programme_that_was_left_for_later_waits(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], programme="disability_care_subsidy")
    desk.pay(programmes=[LIVING])
    found = reconcile(desk)
    assert found.balanced and found.sums["not_drafted"] == 10_002
