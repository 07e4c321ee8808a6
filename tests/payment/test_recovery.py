"""Money paid out that must come back: found by what the record says now."""

from __future__ import annotations

import pytest

from jiuzhu_cli.ledger.recoveries import recovered_lines
from jiuzhu_cli.payment import recovery
from jiuzhu_cli.tabular.read import read_workbook
from tests.payment.conftest import LIVING, MONTH, Desk, person
from tests.support import make_id


def recover(desk: Desk, month: str = "") -> recovery.Recoveries:
    return recovery.recover(desk.store, desk.workspace, desk.policy, month=month, actor="张经办", now=desk.now)


def test_nothing_to_recover(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.pay()
    made = recover(desk).as_json()
    assert (made["lines"], made["amount_fen"], made["by_code"], made["files"], made["claims"]) == (0, 0, {}, [], 0)


def test_each_cause_is_found_and_counted_once(desk: Desk) -> None:
    first = desk.roll([person(i) for i in range(1, 8)])
    desk.pay(failures={7: "户名不符"})
    failed = next(key[0] for key, states in desk.states().items() if states == ["failed"])
    dead, alive, doubled, stopped, lowered, gone = [make_id(i) for i in range(1, 8) if make_id(i) != failed][:6]
    desk.register(
        "death",
        [
            {"id_no": dead, "name": "甲", "event_date": "2026-09-30"},
            {"id_no": alive, "name": "乙", "event_date": "2026-10-01"},  # died within the month paid for
            {"id_no": failed, "name": "丙", "event_date": "2026-01-01"},  # never reached the account
        ],
    )
    desk.doubt(1, (doubled, LIVING, "甲镇"), (doubled, "extreme_poverty_support", "甲镇"), disposition="stop_a")
    desk.doubt(2, (dead, LIVING, "甲镇"), (dead, "extreme_poverty_support", "甲镇"), disposition="stop_a")
    desk.decision(1, stopped, "stop", 1, 0)
    rows = [person(i) for i in range(1, 8)]
    kept = [row | ({"amount_fen": 4_000} if row["id_no"] == lowered else {}) for row in rows if row["id_no"] != gone]
    desk.supersede(first, kept)
    found = recover(desk, MONTH)
    assert {row["recipient_id_no"]: row["code"] for row in found.rows} == {
        dead: "dead", doubled: "doubt_confirmed", stopped: "stopped", lowered: "overpaid", gone: "withdrawn",
    }  # fmt: skip
    paid = next(row for row in rows if row["id_no"] == lowered)["amount_fen"]
    assert next(row for row in found.rows if row["code"] == "overpaid")["over_fen"] == paid - 4_000
    book = read_workbook(desk.workspace.root / found.files[0]["path"])
    assert book.sheets[0].height == 4 + 5 + 1
    assert book.sheets[0].columns[11][-1] == pytest.approx(sum(row["over_fen"] for row in found.rows) / 100)
    assert recover(desk, "2026-09").rows == []


@pytest.mark.parametrize(
    ("disposition", "left"),
    [
        ("stopped_a", True),
        ("stop_both", True),
        ("recovered_a", False),
        ("recovered_both", False),
        ("recovered_b", True),
    ],
)
def test_what_came_back_is_no_longer_asked_for(desk: Desk, disposition: str, left: bool) -> None:
    """Also not for another cause: the doubt about a dead person says 已追回, the death alone would ask again."""
    desk.roll([person(1)])
    desk.pay()
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-09-02"}])
    desk.doubt(
        1, (make_id(1), LIVING, "甲镇"), (make_id(1), "extreme_poverty_support", "甲镇"), disposition=disposition
    )
    with desk.store.transaction(actor="甲", command="test") as tx:
        tx.execute("UPDATE doubt_month SET decided_fen = 1")
        tx.journal("doubt:D000001", {})
    assert [row["code"] for row in recover(desk).rows] == (["dead"] if left else [])
    lines = recovered_lines(desk.store, "D000001")
    assert [(row["programme"], row["month"]) for row in lines] == ([] if left else [(LIVING, MONTH)])


def test_the_other_town_of_a_confirmed_double_keeps_its_money(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], area="乙镇")
    desk.pay()
    desk.doubt(1, (make_id(1), LIVING, "丙镇"), (make_id(1), LIVING, "甲镇"), disposition="stop_a")
    assert recover(desk).rows == []


def test_household_grace_after_a_death(desk: Desk) -> None:
    grace = desk.policy.programmes["subsistence_allowance"].review.death_grace_months
    desk.roll([person(1)], programme="subsistence_allowance")
    desk.pay(override="理由")
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-09-02"}])
    assert len(recover(desk).rows) == (0 if grace else 1)
