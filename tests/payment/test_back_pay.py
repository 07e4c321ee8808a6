"""Money owed for a month that was paid: found, decided on where nobody has decided, drafted with the current month once and only once."""

from __future__ import annotations

import sqlite3

import pytest

from jiuzhu_cli.core.errors import JiuzhuError, RefusedError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import back_pay
from tests.payment.conftest import LIVING, MONTH, NOW, Desk, person
from tests.payment.test_reconcile import AFTER, BEFORE, identity, reconcile
from tests.payment.test_recovery import recover
from tests.payment.test_repayments import fill, read
from tests.support import make_id


def find(desk: Desk) -> back_pay.Found:
    return back_pay.find(desk.store, desk.workspace, desk.policy, actor="张经办", now=NOW)


def decide(desk: Desk, numbers: list[int], *, confirmed: bool = True) -> None:
    back_pay.decide(desk.store, numbers, confirmed=confirmed, note="核实", actor="张经办", now=NOW)


def told(found: back_pay.Found) -> list[tuple[str, str, int, str, bool]]:
    return [(r["month"], r["cause"].split(":")[0], r["amount_fen"], r["state"], bool(r["drafted"])) for r in found.rows]


def paid_lines(desk: Desk) -> list[tuple[str, str, int]]:
    rows = desk.store.query(
        "SELECT o.month, o.purpose, l.amount_fen FROM payment_line l JOIN obligation o USING (obligation_id) WHERE l.state = 'paid' ORDER BY l.line_id"
    )
    return [tuple(row) for row in rows]


def balanced(desk: Desk) -> None:
    found = reconcile(desk)
    identity(found)
    assert found.balanced, (found.by_reason, found.problems)


def test_a_list_corrected_upwards_is_paid_after_somebody_confirmed_it(desk: Desk) -> None:
    first = desk.roll([person(1), person(2)], month=BEFORE)
    desk.pay(BEFORE)
    desk.supersede(first, [person(1, amount_fen=12_000), person(2)], month=BEFORE)
    desk.compare(BEFORE)
    desk.roll([person(1, amount_fen=12_000), person(2)])
    found = find(desk)
    assert told(found) == [(BEFORE, "roll", 1_999, "found", False)] == told(find(desk)) and found.files
    assert desk.draft().batch["lines"] == 2  # not decided yet
    balanced(desk)  # found and undecided is waiting, not lost
    decide(desk, [1])
    made = desk.draft()
    assert (made.batch["lines"], made.batch["amount_fen"], made.sums.back_pay) == (3, 22_002 + 1_999, 1_999)
    assert made.batch["kind"] == "regular" and desk.draft().unchanged
    with pytest.raises(RefusedError, match="已制单"):
        decide(desk, [1], confirmed=False)
    assert desk.pay() and told(find(desk)) == [(BEFORE, "roll", 1_999, "confirmed", True)]
    assert (BEFORE, "back_pay", 1_999) in paid_lines(desk)
    with pytest.raises(RefusedError):
        desk.draft()
    with pytest.raises(RefusedError):  # nor by drafting the old month again
        desk.draft(BEFORE)
    balanced(desk)
    assert check_ledger(desk.store, desk.workspace).problems == ()


def test_all_that_waits_is_confirmed_at_once_as_a_search_after_it_would_say(desk: Desk) -> None:
    people = [person(1), person(2), person(3)]
    first = desk.roll(people, month=BEFORE)
    desk.pay(BEFORE)
    desk.supersede(first, [person(1, amount_fen=12_000), person(2, amount_fen=13_000), person(3)], month=BEFORE)
    desk.compare(BEFORE)
    desk.roll(people)
    found, count, fen = back_pay.confirm_all(
        desk.store, desk.workspace, desk.policy, note="核实", actor="张经办", now=NOW
    )
    assert (count, fen) == (2, sum(row["amount_fen"] for row in found.rows)) and found.files
    assert {row["state"] for row in found.rows} == {"confirmed"} and not any(found.counts.values())
    again = find(desk)
    assert (again.rows, again.counts) == (found.rows, found.counts)
    with pytest.raises(RefusedError, match="没有待确认"):
        back_pay.confirm_all(desk.store, desk.workspace, desk.policy, note="核实", actor="张经办", now=NOW)
    assert desk.draft().sums.back_pay == fen


def test_what_a_decision_adds_after_its_back_pay_was_declined_is_found_alone(desk: Desk) -> None:
    """The next search made it the whole difference, confirmed: what was declined would have been paid after all."""
    desk.roll([person(1), person(2)], month=BEFORE)
    desk.pay(BEFORE)
    desk.roll([person(1, amount_fen=12_000), person(2)])
    desk.decision(1, make_id(1), "increase", 10_001, 12_000, effective_month=BEFORE)
    decide(desk, [find(desk).rows[0]["back_pay_id"]], confirmed=False)
    with desk.store.transaction(actor="测试", command="review decide", now=desk.now) as tx:
        tx.execute("UPDATE proposal SET amount_after_fen = 13000 WHERE case_id = 'R000001'")
    for _ in range(2):
        assert sorted(told(find(desk))) == [
            (BEFORE, "case", 1_000, "confirmed", False),
            (BEFORE, "case", 1_999, "declined", False),
        ]
    desk.roll([person(1, amount_fen=13_000), person(2)], month=AFTER)
    desk.pay(AFTER)
    assert (BEFORE, "back_pay", 1_000) in paid_lines(desk)
    assert reconcile(desk).sums["declined"] == 1_999
    balanced(desk)


def test_a_missed_month_that_was_declined_is_asked_for_whole_when_more_of_it_is_due(desk: Desk) -> None:
    desk.roll([person(1)], month=BEFORE)
    desk.pay(BEFORE)
    late = desk.roll([person(2)], area="乙镇", month=BEFORE)
    decide(desk, [find(desk).rows[0]["back_pay_id"]], confirmed=False)
    desk.supersede(late, [person(2, amount_fen=12_000)], area="乙镇", month=BEFORE)
    for _ in range(2):
        assert told(find(desk)) == [(BEFORE, "missed", 12_000, "found", False)]
    balanced(desk)


def test_declined_is_told_and_not_paid(desk: Desk) -> None:
    first = desk.roll([person(1)])
    desk.pay()
    desk.supersede(first, [person(1, amount_fen=12_000)])
    desk.compare()
    find(desk)
    decide(desk, [1], confirmed=False)
    assert told(find(desk)) == [(MONTH, "roll", 1_999, "declined", False)]
    with pytest.raises(RefusedError):
        desk.draft()
    assert reconcile(desk).sums["declined"] == 1_999
    balanced(desk)


def test_a_decision_backwards_and_a_start_before_the_list_need_no_second_decision(desk: Desk) -> None:
    for month in (BEFORE, MONTH):
        desk.roll([person(1)], month=month)
        desk.pay(month)
    desk.roll([person(1, amount_fen=12_000), person(2, amount_fen=9_000)], month=AFTER)
    desk.decision(1, make_id(1), "increase", 10_001, 12_000, effective_month=BEFORE)
    desk.decision(2, make_id(2), "start", None, 9_000, effective_month=MONTH)
    assert sorted(told(find(desk))) == [
        (BEFORE, "case", 1_999, "confirmed", False), (MONTH, "case", 1_999, "confirmed", False), (MONTH, "case", 9_000, "confirmed", False),
    ]  # fmt: skip
    number = desk.pay(AFTER)
    assert desk.batch(number)["amount_fen"] == 21_000 + 2 * 1_999 + 9_000
    assert all(row["drafted"] for row in find(desk).rows)
    with pytest.raises(RefusedError):
        desk.draft(AFTER)
    balanced(desk)


def test_a_missed_month_is_owed_whole_by_one_way_or_the_other(desk: Desk) -> None:
    desk.roll([person(1)], month=BEFORE)
    desk.pay(BEFORE)
    desk.roll([person(2)], area="乙镇", month=BEFORE)
    desk.roll([person(1), person(2)])
    assert told(find(desk)) == [(BEFORE, "missed", 10_002, "confirmed", False)]
    number = desk.draft().batch["payment_id"]
    with pytest.raises(JiuzhuError):  # it stands in this month's draft
        desk.draft(BEFORE)
    for sql in (
        f"INSERT INTO obligation SELECT 99, '{LIVING}', '{BEFORE}', recipient_id_no, '', 'regular', '', recipient_name, town, village, 5, 1, 1, '' FROM obligation WHERE cause = 'missed'",
        f"INSERT INTO obligation SELECT 99, '{LIVING}', month, recipient_id_no, '', 'back_pay', 'missed', recipient_name, town, village, 5, 1, 1, '' FROM obligation WHERE purpose = 'regular'",
    ):
        with (
            pytest.raises(sqlite3.IntegrityError, match="owed"),
            desk.store.transaction(actor="甲", command="test") as tx,
        ):
            tx.execute(sql)
    desk.cancel(number)
    assert desk.pay() == number + 1
    assert desk.batch(number + 1)["lines"] == 3
    # a whole month beside a whole month is one transfer: its answer could not be told from the other's
    transfers = desk.store.query(
        "SELECT transfer_no, count(*) FROM payment_line WHERE payment_id = ? GROUP BY 1 ORDER BY 1", (number + 1,)
    )
    assert sorted(row[1] for row in transfers) == [1, 2]
    with pytest.raises(RefusedError):
        desk.draft(BEFORE)
    balanced(desk)


def test_a_missed_month_paid_by_its_own_draft_is_no_longer_back_pay(desk: Desk) -> None:
    desk.roll([person(1)], month=BEFORE)
    desk.pay(BEFORE)
    desk.roll([person(2)], area="乙镇", month=BEFORE)
    find(desk)
    desk.pay(BEFORE)
    desk.roll([person(1), person(2)])
    assert desk.draft().batch["lines"] == 2
    assert told(find(desk)) == []
    balanced(desk)


def test_what_the_months_gates_hold_is_not_missed(desk: Desk) -> None:
    desk.roll([person(1)], month=BEFORE)
    desk.pay(BEFORE)
    desk.roll([person(2)], area="乙镇", month=BEFORE, compare=False)
    assert told(find(desk)) == []


def test_back_pay_that_the_bank_refused_is_paid_again(desk: Desk) -> None:
    first = desk.roll([person(1)])
    desk.pay()
    desk.supersede(first, [person(1, amount_fen=12_000)])
    desk.compare()
    find(desk)
    decide(desk, [1])
    number = desk.pay(failures={1: "系统超时"})
    assert desk.batch(number)["kind"] == "back_pay"
    balanced(desk)
    assert told(find(desk)) == [(MONTH, "roll", 1_999, "confirmed", False)]
    desk.pay()
    assert [line for line in paid_lines(desk) if line[1] == "back_pay"] == [(MONTH, "back_pay", 1_999)]
    balanced(desk)


def test_a_reversed_line_is_paid_again_without_what_back_pay_has_paid(desk: Desk) -> None:
    from tests.payment.test_correction import ask, correction

    first = desk.roll([person(1)])
    number = desk.pay()
    desk.supersede(first, [person(1, amount_fen=12_000)])
    desk.compare()
    find(desk)
    decide(desk, [1])
    desk.pay()
    asked = ask(desk, number, [1]).rows[0]["correction_id"]
    correction.answer(desk.store, [asked], done=True, actor="李审批", now=NOW)
    balanced(desk)
    again = desk.pay()
    assert desk.batch(again)["amount_fen"] == 10_001
    balanced(desk)
    with pytest.raises(RefusedError):
        desk.draft()


def test_what_is_no_longer_so_is_gone_and_never_drafted(desk: Desk) -> None:
    first = desk.roll([person(1)])
    desk.pay()
    second = desk.supersede(first, [person(1, amount_fen=12_000)])
    desk.compare()
    find(desk)
    decide(desk, [1])
    desk.supersede(second, [person(1)])
    desk.compare()
    with pytest.raises(RefusedError):
        desk.draft()
    assert told(find(desk)) == []
    with pytest.raises(RefusedError, match="不成立"):
        decide(desk, [1])


def test_the_dead_and_the_doubted_are_held(desk: Desk) -> None:
    first = desk.roll([person(1), person(2)])
    desk.pay()
    desk.supersede(first, [person(1, amount_fen=12_000), person(2, amount_fen=12_000, account_no="")])
    desk.compare()
    find(desk)
    decide(desk, [1, 2])
    desk.doubt(1, (make_id(1), LIVING, "甲镇"), (make_id(1), "extreme_poverty_support", "甲镇"))
    with pytest.raises(RefusedError, match="拦下"):
        desk.draft()


def test_money_recovered_that_turns_out_to_be_due_is_owed_again(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.pay()
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-09-02"}])
    [row] = recover(desk).rows
    read(desk, fill(desk, {row["recovery_id"]: {"追回日期": "2026-11-03", "追回金额（元）": 30}}))
    with desk.store.transaction(actor="甲", command="test") as tx:
        tx.execute("UPDATE batch SET status = 'undone' WHERE kind = 'register'")
        tx.journal("batch:2", {})
    assert told(find(desk)) == [(MONTH, "recovery", 3_000, "found", False)]
    decide(desk, [1])
    desk.pay()
    balanced(desk)
    assert told(find(desk)) == [(MONTH, "recovery", 3_000, "confirmed", True)]


def test_the_basis_of_back_pay_is_of_the_month_it_is_owed_for(desk: Desk) -> None:
    """Its month, its roll; and an account at a bank that nobody else of this month has."""
    first = desk.roll([person(1), person(2)], month=BEFORE)
    desk.pay(BEFORE)
    raised = desk.supersede(first, [person(1, amount_fen=12_000, bank_name="中国建设银行"), person(2)], month=BEFORE)
    desk.compare(BEFORE)
    desk.roll([person(9)])
    find(desk)
    decide(desk, [1])
    desk.draft()
    rows = desk.store.query(
        "SELECT json_extract(b.content, '$.month'), json_extract(b.content, '$.roll.batch'), l.amount_fen FROM payment_line l"
        " JOIN obligation o USING (obligation_id) JOIN payment_basis b USING (basis_id) WHERE o.purpose = 'back_pay'"
    )
    assert [tuple(row) for row in rows] == [(BEFORE, raised, 1_999)]
    desk.lock()
