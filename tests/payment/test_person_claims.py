"""A person's claims, back-pay and corrections as ``show`` and ``explain`` find them: by index, whatever the size of the record."""

from __future__ import annotations

from datetime import date

from jiuzhu_cli.cli.claims import sections
from jiuzhu_cli.ledger.people import person_file
from jiuzhu_cli.payment import correction
from tests.payment.conftest import NOW, Desk, person
from tests.payment.test_back_pay import find
from tests.payment.test_reconcile import BEFORE
from tests.payment.test_set_off import overpaid, rule
from tests.support import make_id


def test_what_is_open_between_a_person_and_the_bureau(desk: Desk) -> None:
    rule(desk, 25)
    overpaid(desk)
    number = desk.pay()
    [line] = desk.store.query("SELECT line_no FROM payment_line WHERE payment_id = ? AND set_off_fen = 0", (number,))
    correction.ask(
        desk.store, desk.batch(number), [line[0]], kind="bank_returned", on_date=date(2026, 11, 3), reference="", reason="退汇", today=date(2026, 11, 3),
        actor="张经办", now=NOW,
    )  # fmt: skip
    first, second = person_file(desk.store, make_id(1)), person_file(desk.store, make_id(2))
    [claim] = first["recoveries"]
    assert [claim[f"{name}_fen"] for name in ("claimed", "repaid", "set_off", "waived", "open")] == [
        4_000,
        0,
        2_500,
        0,
        1_500,
    ]
    assert first["corrections"] == [] and second["recoveries"] == []
    assert [(one["kind"], one["state"], one["line_no"]) for one in second["corrections"]] == [
        ("bank_returned", "asked", line[0])
    ]
    shown = {title: rows for title, _, rows in sections(first, {})}
    assert shown["追缴"][0][-1] == "15.00" and shown["补发"] == []
    assert sections(person_file(desk.store, make_id(9)), {}) == []


def test_back_pay_says_where_it_stands(desk: Desk) -> None:
    first = desk.roll([person(1), person(2)], month=BEFORE)
    desk.pay(BEFORE)
    desk.supersede(first, [person(1, amount_fen=15_000), person(2)], month=BEFORE)
    desk.compare(BEFORE)
    desk.roll([person(1), person(2)])

    def state() -> list[str]:
        return [
            row[4]
            for title, _, rows in sections(person_file(desk.store, make_id(1)), {})
            for row in rows
            if title == "补发"
        ]

    [row] = find(desk).rows
    assert state() == ["待确认"]
    from jiuzhu_cli.payment import back_pay

    back_pay.decide(desk.store, [row["back_pay_id"]], confirmed=True, note="测试", actor="张经办", now=NOW)
    assert state() == ["待制单"]
    number = desk.pay()
    assert state() == [f"第 {number} 批已到账"]
    assert {one["purpose"] for one in person_file(desk.store, make_id(1))["payments"]} == {"regular", "back_pay"}


def test_nothing_is_read_from_end_to_end(desk: Desk) -> None:
    """Every query of a person's claims goes by an index: no table of the record is scanned."""
    told: list[str] = []
    connection = desk.store.connection
    connection.set_trace_callback(told.append)
    person_file(desk.store, make_id(1))
    connection.set_trace_callback(None)
    mine = [sql for sql in told if any(name in sql for name in ("recovery", "back_pay", "payment_correction"))]
    assert len(mine) == 3
    for sql in mine:
        plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert not [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step], plan
