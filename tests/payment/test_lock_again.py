"""Locking a draft: the plan is made anew unless nothing can have changed it, and every kind of change makes it so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.payment import approvals, states
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import LIVING, Desk, person
from tests.payment.test_reconcile import BEFORE
from tests.support import make_id


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The months of which locking made the plan anew."""
    found: list[str] = []
    compute = approvals.compute

    def counted(store: Any, workspace: Any, policy: Any, month: str, *words: Any, **options: Any) -> Any:
        found.append(month)
        return compute(store, workspace, policy, month, *words, **options)

    monkeypatch.setattr(approvals, "compute", counted)
    return found


def other_policy(desk: Desk) -> None:
    (desk.workspace.policy_dir / "approvals.toml").write_text('[[levels]]\nid = "a"\nname = "组长"\n', "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


def other_batch(desk: Desk) -> None:
    desk.roll([person(5)], month=BEFORE)
    desk.draft(BEFORE)


def other_batch_answered(desk: Desk) -> None:
    desk.roll([person(5)], month=BEFORE)
    number = int(desk.draft(BEFORE).batch["payment_id"])
    desk.lock(number)
    desk.approve(number)
    desk.export(number)
    for path in desk.answers(number):
        desk.read(path, number=number)


def reopened(desk: Desk) -> None:
    desk.lock(1)
    states.reopen(desk.store, desk.batch(1), reason="再看", actor="王锁定", now=desk.now)


def disposed(desk: Desk) -> None:
    with desk.store.transaction(actor="测试", command="dedupe decide", now=desk.now) as tx:
        tx.execute("UPDATE doubt SET evidence = '看过'")  # without a word of its own: the entry is made all the same


CHANGES: dict[str, Callable[[Desk], object]] = {
    "a roll": lambda desk: desk.roll([person(7)], area="乙镇"),
    "a register": lambda desk: desk.register(
        "deaths", [{"id_no": make_id(9), "name": "乙", "event_date": "2026-01-01"}]
    ),
    "a doubt": lambda desk: desk.doubt(1, (make_id(8), LIVING, "甲镇"), (make_id(9), LIVING, "乙镇")),
    "a doubt disposed of": disposed,
    "a decision": lambda desk: desk.decision(1, make_id(1), "increase", 10_001, 10_001),
    "a posting": lambda desk: desk.posting(LIVING, "甲镇", "", state="open"),
    "an objection": lambda desk: desk.objection(desk.posting(LIVING, "丙镇", "")),
    "the comparison run again": lambda desk: desk.compare(),
    "the policy": other_policy,
    "a setting": lambda desk: desk.configure("max_line_yuan = 50000", "max_line_yuan = 60000"),
    "another batch": other_batch,
    "another batch answered": other_batch_answered,
    "a return to draft": reopened,
}


def test_a_draft_that_nothing_has_touched_is_not_planned_again(desk: Desk, planned: list[str]) -> None:
    desk.roll([person(1), person(2, account_no="")])  # one is held: its list is noted after the draft
    desk.draft()
    assert desk.lock(1)["state"] == "locked"
    assert planned == []


def test_a_draft_made_again_is_what_the_last_one_rests_on(desk: Desk, planned: list[str]) -> None:
    desk.roll([person(1)])
    desk.draft()
    desk.roll([person(2)], area="乙镇")
    desk.draft(override="已核实")
    desk.lock(1)
    assert planned == []


def test_a_draft_made_again_by_a_program_that_notes_nothing_is_planned_again(desk: Desk, planned: list[str]) -> None:
    """Its entry was taken for a list of the draft before, and what that rested on for what this one does."""
    desk.roll([person(1)])
    desk.draft()
    with desk.store.transaction(actor="张经办", command="pay draft", now=desk.now) as tx:
        tx.journal("payment:1", {"lines": 1, "holds": {"no_account": 1}, "redrafted": True})
    desk.lock(1)
    assert planned == ["2026-10"]


def test_what_can_no_longer_be_paid_is_refused(desk: Desk, planned: list[str]) -> None:
    desk.roll([person(1), person(2)])
    desk.draft()
    desk.register("death", [{"id_no": make_id(1), "name": "甲", "event_date": "2026-01-01"}])
    with pytest.raises(RefusedError) as refused:
        desk.lock(1)
    assert (refused.value.code, planned) == ("stale_draft", ["2026-10"])


def test_a_journal_whose_chain_is_broken_since_the_draft_proves_nothing(desk: Desk, planned: list[str]) -> None:
    """What it says of the draft, and that nothing came after, may be somebody's own words."""
    desk.roll([person(1), person(2)])
    desk.draft()
    connection = desk.store.connection
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE journal SET actor = '别人' WHERE command = 'pay draft'")
    desk.lock(1)
    assert planned == ["2026-10"]


@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_the_plan_is_made_again(desk: Desk, planned: list[str], change: str) -> None:
    desk.roll([person(1)])
    desk.doubt(7, (make_id(6), LIVING, "丁镇"), (make_id(7), LIVING, "丁镇"))
    desk.draft()
    CHANGES[change](desk)
    desk.lock(1)
    assert planned == ["2026-10"]
