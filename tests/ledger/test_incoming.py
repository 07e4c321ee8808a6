"""Lists on their way in: what they have in common with live lists, and groups of which one part is taken back."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jiuzhu_cli.ledger import incoming, rolls
from jiuzhu_cli.ledger.rolls import BatchHead
from jiuzhu_cli.ledger.store import PartUndone, Store
from tests.support import make_id, make_workspace

Person = tuple[int, str, str]  # serial of the ID, name, village


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with make_workspace(tmp_path / "ws").open_store() as one:
        yield one


def table(persons: list[Person]) -> pa.Table:
    size = len(persons)
    values: dict[str, list[Any]] = {
        "table_no": [1] * size, "source_row": list(range(2, size + 2)), "case_no": list(range(1, size + 1)),
        "lead": [1] * size, "id_no": [make_id(serial) for serial, _, _ in persons],
        "name": [name for _, name, _ in persons], "town": [""] * size, "village": [village for _, _, village in persons],
    }  # fmt: skip
    return pa.table(
        {name: values[name] if name in values else pa.nulls(size, pa.string()) for name in rolls.row_columns("roll")}
    )


def head(part: str, supplements: int | None = None) -> BatchHead:
    return BatchHead(
        "roll", "old_age_allowance", "", "2026-10", part, "a.xlsx", "sha", part, 0, 0, 0, 0, None, "", supplements
    )


def save(store: Store, persons: list[Person], part: str, supplements: int | None = None) -> int:
    (rows,) = incoming.stage_lists(store, [("roll", table(persons))])
    with store.transaction(actor="甲", command="test") as tx:
        return rolls.save_batch(tx, head(part, supplements), [], rows, [])


@pytest.mark.parametrize("few", [0, 10_000])  # staged in a file, in memory
def test_what_lists_have_in_common_is_what_sets_say(store: Store, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiuzhu_cli.ledger.store.FEW_ROWS", few)
    chance = random.Random(7)

    def persons(count: int) -> list[Person]:
        return [
            (
                chance.randrange(1, 400),
                chance.choice("王李张刘陈") + chance.choice("伟芳娜"),
                chance.choice(["", "东村"]),
            )
            for _ in range(count)
        ]

    lists = {n: persons(chance.randrange(1, 30)) for n in range(12)}
    families: dict[int, list[int]] = {}
    members: dict[int, list[Person]] = {}
    for number, one in lists.items():
        root = save(store, one, f"r{number}")
        families[root], members[root] = [root], list(one)
    new = [persons(chance.randrange(1, 30)) for _ in range(5)]
    staged = incoming.stage_lists(store, [("roll", table(one)) for one in new])
    late = next(iter(families))
    with store.transaction(actor="甲", command="test") as tx:
        for turn, (one, rows) in enumerate(zip(new, staged, strict=True)):
            if turn == 3:  # a list that was looked at before gets a supplement
                families[late].append(rolls.save_batch(tx, head("", supplements=late), [], staged[0], []))
                members[late] += new[0]
            found = incoming.shares(tx, "roll", rows, families)
            for root, theirs in members.items():
                ids, others = {p[0] for p in one}, {p[0] for p in theirs}
                smaller = min(len(ids), len(others))
                by_id = len(ids & others) / smaller
                by_name = len({p[1:] for p in one} & {p[1:] for p in theirs}) / smaller
                assert found[root] == pytest.approx((by_id, 0 if by_id else by_name))


def test_a_part_is_taken_back_alone_and_says_why(store: Store) -> None:
    with store.transaction(actor="甲", command="test") as tx:
        with tx.part():
            tx.journal("batch:1", {"kept": True})
        with pytest.raises(PartUndone) as told, tx.part():
            tx.journal("batch:2", {"kept": False})
            raise ZeroDivisionError
        assert isinstance(told.value.__cause__, ZeroDivisionError)
        with tx.part():
            tx.journal("batch:3", {"kept": True})
    assert [row[0] for row in store.query("SELECT entity FROM journal ORDER BY seq")] == ["batch:1", "batch:3"]
    assert store.check_journal() == []


def test_both_kinds_are_staged_side_by_side(store: Store) -> None:
    register = pa.table(
        {
            name: ["x"] if name in ("id_no", "name", "town", "village") else [1] if name in ("table_no", "source_row") else pa.nulls(1, pa.string())
            for name in rolls.row_columns("register")
        }
    )  # fmt: skip
    found = incoming.stage_lists(
        store,
        [("roll", table([(1, "甲", "")])), ("register", register), ("roll", table([(2, "乙", ""), (3, "丙", "")]))],
    )
    assert [(one.table, one.first, one.last) for one in found] == [
        ("staging.incoming_roll_1", 1, 1), ("staging.incoming_register_2", 1, 1), ("staging.incoming_roll_1", 2, 3),
    ]  # fmt: skip
    assert [row[0] for row in store.query(f"SELECT name FROM {found[2].source} ORDER BY rowid")] == ["乙", "丙"]


@pytest.mark.parametrize("few", [0, 2, 10_000])
def test_what_is_staged_in_turns_is_there_together(store: Store, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiuzhu_cli.ledger.store.FEW_ROWS", few)
    first = incoming.stage_lists(store, [("roll", table([(1, "甲", "")])), ("roll", table([(2, "乙", "东村")]))])
    more = incoming.stage_lists(store, [("roll", table([(3, "丙", ""), (4, "丁", "")]))], after=len(first))
    names = [[row[0] for row in store.query(f"SELECT name FROM {one.source} ORDER BY rowid")] for one in first + more]
    assert names == [["甲"], ["乙"], ["丙", "丁"]]
    (alone,) = incoming.stage_lists(store, [("roll", table([(5, "戊", "")]))])
    assert [row[0] for row in store.query("SELECT name FROM staging.sqlite_master")] == [alone.table.split(".")[1]]
