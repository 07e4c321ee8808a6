"""Batches of decisions: two copies that contradict each other, maker and checker, taking back, a workbook a town."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.ledger.decisions import decision_batches, undo_decisions
from jiuzhu_cli.ledger.proposals import effective_changes
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.review.decisions import Decided, decide_files
from tests.review.test_decisions import HEARD, fill
from tests.review.worlds import NOW, World, household
from tests.support import make_id

DAY = date(2026, 11, 20)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    world.roll("subsistence_allowance", household(1, 65000, 0, 1), household(2, 55000, 0, 1))
    world.roll("subsistence_allowance", household(3, 10000, 70000, 1), area="白水镇")
    return world


def copy(world: World, book: Path, name: str, answers: dict[str, dict[str, Any]]) -> Path:
    return fill(world, book, answers).rename(book.with_name(name))


def decide(world: World, *files: Path, actor: str = "李审核", **more: Any) -> Decided:
    return decide_files(world.store, files, today=DAY, now=NOW, actor=actor, **more)


def states(world: World) -> dict[str, str]:
    return {p["name"]: p["state"] for p in world.proposals()}


def undo(world: World, number: int) -> dict[str, Any]:
    with world.store.transaction(actor="李审核", command="review undo", now=NOW) as tx:
        return undo_decisions(tx, number)


def test_two_copies_that_disagree_are_shown_and_nothing_of_the_case_is_taken(world: World) -> None:
    book = world.review().workbook
    a = copy(world, book, "甲.xlsx", {"户主1": HEARD, "户主2": {"决定": "同意", "决定人": "甲"}})
    b = copy(world, book, "乙.xlsx", {"户主1": HEARD, "户主2": {"决定": "不同意", "决定人": "乙"}})
    result = decide(world, a, b)
    assert (result.applied, len(result.conflicts), len(result.refused)) == (1, 1, 2)
    sides = result.conflicts[0].sides
    assert [(s.place.split()[0], s.verdict, s.maker) for s in sides] == [
        ("甲.xlsx", "同意", "甲"),
        ("乙.xlsx", "不同意", "乙"),
    ]
    assert states(world) | {} == {"户主1": "effective", "户主2": "open", "户主3": "open"}
    again = decide(world, a, b, prefer=[Path("乙.xlsx")])
    assert (again.applied, again.unchanged, again.conflicts) == (1, 1, [])
    assert states(world)["户主2"] == "rejected"
    with pytest.raises(UsageError):
        decide(world, a, prefer=[Path("丙.xlsx")])


def test_a_copy_that_had_not_seen_the_others_decision_is_a_conflict_with_the_record(world: World) -> None:
    book = world.review().workbook
    a = copy(world, book, "甲.xlsx", {"户主2": {"决定": "不同意", "备注": "外出"}})
    b = copy(world, book, "乙.xlsx", {"户主2": {"决定": "同意"}})
    decide(world, a, actor="甲")
    result = decide(world, b, actor="乙")
    assert (result.applied, len(result.conflicts)) == (0, 1)
    record, other = result.conflicts[0].sides
    assert (record.actor, record.verdict, record.note, other.verdict) == ("甲", "不同意", "外出", "同意")
    assert decide(world, b, actor="甲").applied == 1  # the very person thinks again
    undo(world, 2)
    seen = copy(world, world.review().workbook, "丙.xlsx", {"户主2": {"决定": "同意"}})  # written after the decision
    assert decide(world, seen, actor="乙").applied == 1


def test_taking_back_is_whole_idempotent_and_in_order(world: World) -> None:
    book = world.review().workbook
    first = decide(world, copy(world, book, "甲.xlsx", {"户主2": {"决定": "不同意"}}))
    second = decide(world, copy(world, book, "乙.xlsx", {"户主2": {"决定": "同意"}, "户主1": HEARD}))
    assert (first.decision, second.decision) == (1, 2)
    with pytest.raises(RefusedError, match="后来又在批次 2 作了决定"):
        undo(world, 1)
    assert undo(world, 2) == {"decision": 2, "undone": 2}
    assert states(world) == {"户主1": "open", "户主2": "rejected", "户主3": "open"}
    assert undo(world, 2) == {"decision": 2, "undone": 0}
    assert undo(world, 1)["undone"] == 1
    assert set(states(world).values()) == {"open"}
    assert [(b["decision_id"], b["state"], b["months"]) for b in decision_batches(world.store)] == [
        (1, "undone", "2026-10"), (2, "undone", "2026-10"),
    ]  # fmt: skip
    with pytest.raises(UsageError):
        undo(world, 9)
    assert world.store.check_journal() == []
    # what was taken back can be decided anew, under a new number
    assert decide(world, copy(world, book, "丁.xlsx", {"户主1": HEARD})).decision == 3


def test_payment_no_longer_sees_what_was_taken_back(world: World) -> None:
    decide(world, copy(world, world.review().workbook, "甲.xlsx", {"户主1": HEARD}))
    world.roll("subsistence_allowance", household(1, 65000, 0, 1), month="2026-12")
    assert [c.amount_after_fen for c in effective_changes(world.store, "2026-12")] == [60000]
    undo(world, 1)
    assert effective_changes(world.store, "2026-12") == []


def strict(world: World, tmp_path: Path) -> Any:
    own = tmp_path / "own" / "parameters"
    own.mkdir(parents=True)
    (own / "x.toml").write_text(
        '[[parameter]]\nname = "减停须复核人"\narea = "421002"\nsource = "内控"\nvalues = [{ since = 2026-01-01, value = true }]\n'
        '[[parameter]]\nname = "复核人起点金额"\narea = "421002"\nunit = "元/月"\nsource = "内控"\nvalues = [{ since = 2026-01-01, value = 580 }]\n',
        "utf-8",
    )
    return load_policy(tmp_path / "own", region="421002")


@pytest.mark.parametrize(
    ("name", "answer", "word"),
    [
        ("户主1", HEARD, "缺复核人"),
        ("户主1", HEARD | {"复核人": "乙"}, "缺决定人"),
        ("户主1", HEARD | {"决定人": "甲", "复核人": "甲"}, "同一人"),
        ("户主1", HEARD | {"复核人": "李审核"}, "同一人"),  # no maker named: it is who reads it in
        ("户主2", {"决定": "同意", "决定人": "甲"}, "达到 580 元"),
        ("户主1", HEARD | {"决定人": "甲", "复核人": "乙"}, ""),
        ("户主2", {"决定": "不同意"}, ""),
    ],
)
def test_a_checker_where_the_bureau_wants_one(
    world: World, tmp_path: Path, name: str, answer: dict[str, str], word: str
) -> None:
    path = copy(world, world.review().workbook, "甲.xlsx", {name: answer})
    result = decide(world, path, policy=strict(world, tmp_path))
    assert result.applied == (not word)
    assert not word or word in result.refused[0]["reason"]
    row = next(p for p in world.proposals() if p["name"] == name)
    assert (row["maker"], row["checker"]) == (
        (answer.get("决定人", ""), answer.get("复核人", "")) if not word else ("", "")
    )


def test_without_that_rule_a_cut_without_checker_is_taken_and_counted(world: World) -> None:
    path = copy(world, world.review().workbook, "甲.xlsx", {"户主1": HEARD, "户主2": {"决定": "同意"}})
    assert decide(world, path, policy=world.policy).unchecked == 1


def test_a_workbook_a_town_comes_back_in_parts(world: World) -> None:
    from jiuzhu_cli.review.run import run_review

    made = run_review(
        world.store, world.workspace, world.policy, "2026-10", today=date(2026, 10, 22), now=NOW, actor="甲", split_by_town=True
    )  # fmt: skip
    assert [p.name for p in made.towns] == ["复核建议-2026-10-白水镇.xlsx", "复核建议-2026-10-青溪镇.xlsx"]
    told = {
        p.name: {str(c.value) for s in openpyxl.load_workbook(p) for r in s.iter_rows() for c in r} for p in made.towns
    }
    assert make_id(3, born="19800101") in told["复核建议-2026-10-白水镇.xlsx"]
    assert make_id(3, born="19800101") not in told["复核建议-2026-10-青溪镇.xlsx"]
    assert decide(world, fill(world, made.towns[0], {"户主3": HEARD})).applied == 1
    assert decide(world, fill(world, made.towns[1], {"户主2": {"决定": "同意"}})).applied == 1
    assert states(world) == {"户主1": "open", "户主2": "effective", "户主3": "effective"}
