"""Faults that the walk (``test_model``) has found, each told again in a few steps."""

from __future__ import annotations

from jiuzhu_cli.ledger.audit import check_ledger
from tests.payment.conftest import Desk, person


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
