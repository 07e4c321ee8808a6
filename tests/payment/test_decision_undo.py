"""A batch of decisions may be taken back until money has followed it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.ledger.decisions import Decision, take_down, undo_decisions
from jiuzhu_cli.ledger.proposals import effective_changes
from tests.payment.conftest import MONTH, NOW, Desk, person
from tests.support import make_id


def decided(desk: Desk, action: str, after: int, month: str = MONTH) -> int:
    before = person(1)["amount_fen"]
    desk.decision(1, make_id(1), action, before, after, state="open", decided_at="", effective_month=month)
    values = {"state": "effective", "decision_note": "", "hearing_date": "", "notice_date": "", "effective_month": month, "maker": "", "checker": ""}  # fmt: skip
    with desk.store.transaction(actor="甲", command="review decide", now=desk.now) as tx:
        return take_down(tx, [Decision("R000001", values, "")], files="x.xlsx")


def undo(desk: Desk, number: int) -> int:
    with desk.store.transaction(actor="甲", command="review undo", now=desk.now) as tx:
        return int(undo_decisions(tx, number)["undone"])


@pytest.mark.parametrize(("action", "after"), [("stop", 0), ("decrease", 100), ("increase", 99_000)])
def test_released_money_closes_the_way_back(desk: Desk, action: str, after: int) -> None:
    desk.roll([person(1), person(2)])
    number = decided(desk, action, after)
    desk.draft()
    assert undo(desk, number) == 1  # a draft is made anew
    if (
        action != "stop"
    ):  # nobody is left in a draft whose amount no longer holds; who was left out comes with the next draft
        with pytest.raises(RefusedError):
            desk.lock()
    with desk.store.transaction(actor="甲", command="review decide", now=desk.now) as tx:
        values = {"state": "effective", "decision_note": "", "hearing_date": "", "notice_date": "", "effective_month": MONTH, "maker": "", "checker": ""}  # fmt: skip
        number = take_down(tx, [Decision("R000001", values, "")], files="x.xlsx")
    desk.draft()
    desk.lock()
    with pytest.raises(RefusedError, match="已锁定"):
        undo(desk, number)
    desk.approve()
    desk.export()
    with pytest.raises(RefusedError, match="已经发放"):
        undo(desk, number)
    assert desk.store.query("SELECT state FROM proposal")[0][0] == "effective"


def test_money_of_months_before_does_not_bind(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = decided(desk, "stop", 0, month="2027-01")
    desk.draft()
    desk.lock()
    desk.approve()
    desk.export()
    assert undo(desk, number) == 1


def test_of_two_decisions_the_later_one_holds_whatever_the_clock_says(desk: Desk) -> None:
    """Found by the walk: the clock was set back between them, and the earlier decision was paid."""
    desk.roll([person(1), person(2)])
    before = person(1)["amount_fen"]
    values = {"state": "effective", "decision_note": "", "hearing_date": "", "notice_date": "", "effective_month": MONTH, "maker": "", "checker": ""}  # fmt: skip
    for number, (action, after, day) in enumerate(
        [("stop", 0, NOW), ("increase", before + 30, NOW - timedelta(days=9))], 1
    ):
        desk.decision(number, make_id(1), action, before, after, state="open", decided_at="")
        with desk.store.transaction(actor="甲", command="review decide", now=day) as tx:
            take_down(tx, [Decision(f"R{number:06d}", values, "")], files=f"{number}.xlsx")
    assert [(c.action, c.amount_after_fen) for c in effective_changes(desk.store, MONTH)] == [("increase", before + 30)]
    made = desk.draft()
    assert (made.batch["lines"], made.batch["amount_fen"]) == (2, before + 30 + person(2)["amount_fen"])
