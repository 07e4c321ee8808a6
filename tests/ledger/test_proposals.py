"""Proposals in the record: numbers, memory, what a later run leaves alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jiuzhu_cli.ledger.proposals import Proposal, decide, effective_changes, proposals_of, save_proposals
from jiuzhu_cli.ledger.store import Store
from tests.support import make_id, make_workspace, put_roll

ONE = Proposal(
    key="2026-10|a", month="2026-10", programme="subsistence_allowance", area="青溪镇/一村", id_no=make_id(1), name="某人", action="decrease",
    before_fen=500, after_fen=300, effective_month="2026-11", reasons="多", basis="法", steps=({"label": "应发", "adds_fen": 300},),
    needs_hearing=True,
)  # fmt: skip
TWO = replace(ONE, key="2026-10|b", id_no=make_id(2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_workspace(tmp_path / "bureau").open_store()


def save(store: Store, *proposals: Proposal) -> tuple[int, int, int]:
    with store.transaction(actor="甲", command="review run") as tx:
        saved = save_proposals(tx, "2026-10", proposals, policy_digest="x")
    return saved.added, saved.unchanged, saved.gone


def settle(store: Store, case_id: str, state: str, month: str = "2026-11") -> None:
    with store.transaction(actor="乙", command="review decide") as tx:
        decide(tx, case_id, state=state, note="", hearing_date="", notice_date="", effective_month=month)


def test_numbers_are_kept(store: Store) -> None:
    assert save(store, ONE, TWO) == (2, 0, 0)
    assert save(store, TWO) == (0, 1, 1)
    assert [p["case_id"] for p in proposals_of(store, "2026-10")] == ["R000002"]
    assert save(store, ONE, TWO, replace(ONE, key="2026-10|c")) == (1, 2, 0)
    assert [p["case_id"] for p in proposals_of(store, "2026-10")] == ["R000001", "R000002", "R000003"]
    assert proposals_of(store, "2026-10")[0]["steps"] == [{"label": "应发", "adds_fen": 300}]


@pytest.mark.parametrize("state", ["agreed", "rejected", "effective"])
def test_decisions_are_never_overwritten(store: Store, state: str) -> None:
    save(store, ONE)
    settle(store, "R000001", state)
    save(store)
    save(store, replace(ONE, reasons="另说", effective_month="2027-01"))
    row = proposals_of(store, "2026-10")[0]
    assert (row["state"], row["reasons"], row["effective_month"], row["decided_by"]) == (state, "多", "2026-11", "乙")


def roll(store: Store, month: str, amount: int, area: str = "青溪镇", **more: object) -> None:
    put_roll(store, "subsistence_allowance", area, month, [{"id_no": make_id(1), "amount_fen": amount} | more])


def test_change_holds_while_the_roll_shows_the_old_amount(store: Store) -> None:
    save(store, ONE)
    roll(store, "2026-10", 500)
    roll(store, "2026-11", 500)
    roll(store, "2026-12", 300)
    roll(store, "2027-01", 320)
    assert effective_changes(store, "2026-11") == []
    settle(store, "R000001", "effective")
    assert [c.amount_after_fen for c in effective_changes(store, "2026-11")] == [300]
    assert all(effective_changes(store, month) == [] for month in ("2026-10", "2026-12", "2027-01"))


def test_change_is_for_its_own_town(store: Store) -> None:
    save(store, replace(ONE, action="stop", after_fen=0))
    settle(store, "R000001", "effective")
    roll(store, "2026-11", 500, area="白石镇")
    assert effective_changes(store, "2026-11") == []
    roll(store, "2026-11", 500)
    assert [c.action for c in effective_changes(store, "2026-11")] == ["stop"]


def test_latest_decision_wins(store: Store) -> None:
    save(store, ONE, replace(ONE, key="2026-10|later", after_fen=200))
    settle(store, "R000001", "effective", "2026-11")
    settle(store, "R000002", "effective", "2026-12")
    roll(store, "2026-12", 500)
    assert [(c.case_id, c.amount_after_fen) for c in effective_changes(store, "2026-12")] == [("R000002", 200)]
