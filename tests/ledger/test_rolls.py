"""Batches in the record: what supersedes what, parts, differences, attempts taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.incoming import stage_lists
from jiuzhu_cli.ledger.rolls import BatchHead, TableHead
from jiuzhu_cli.ledger.store import Store
from tests.support import make_id, make_workspace


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with make_workspace(tmp_path / "ws").open_store() as one:
        yield one


def rows(persons: dict[int, int], **more: Any) -> pa.Table:
    """Serial → amount, as rows of a roll of single persons."""
    size = len(persons)
    values: dict[str, list[Any]] = {
        "table_no": [1] * size, "source_row": list(range(2, size + 2)), "case_no": list(range(1, size + 1)), "lead": [1] * size,
        "id_no": [make_id(s) for s in persons], "name": ["某人"] * size, "town": ["东城街道"] * size, "village": ["一村"] * size,
        "amount_fen": list(persons.values()),
    }  # fmt: skip
    values |= {name: [value] * size for name, value in more.items()}
    columns = {}
    for name in rolls.row_columns("roll"):
        whole = name.endswith("_fen") or name in (
            "table_no",
            "source_row",
            "case_no",
            "lead",
            "household_size",
            "covered_persons",
        )
        columns[name] = pa.array(values.get(name, [None] * size), type=pa.int64() if whole else pa.string())
    return pa.table(columns)


def save(
    store: Store, table: pa.Table, *, replaces: tuple[int, ...] = (), part: str = "", supplements: int | None = None
) -> int:
    head = BatchHead(
        "roll", "old_age_allowance", "东城街道", "2026-10", part, "a.xlsx", "sha", f"{table}", table.num_rows, table.num_rows, 0, 0,
        None, "", supplements,
    )  # fmt: skip
    tables = [TableHead(1, "Sheet1", 1, "[]", table.num_rows, table.num_rows, 0, None, "")]
    (staged,) = stage_lists(store, [("roll", table)])
    with store.transaction(actor="甲", command="test") as tx:
        return rolls.save_batch(tx, head, tables, staged, [], replaces=replaces)


def test_a_difference_names_persons_and_fields(store: Store) -> None:
    old = save(store, rows({1: 100, 2: 100, 3: 100}))
    new = save(store, rows({2: 100, 3: 150, 4: 100}), replaces=(old,))
    with store.transaction(actor="甲", command="test") as tx:
        found = rolls.difference(tx, "roll", new, [old])
    assert (found.added, found.changed, found.unchanged, found.withdrawn) == ({1: 1}, {1: 1}, {1: 1}, 1)
    assert found.fields == {"amount_fen": 1}
    assert found.changes[0]["id_no"] == make_id(3)[:6] + "********" + make_id(3)[-4:]


def test_staged_and_plain_inserts_are_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows({n: n * 10 for n in range(1, 60)}, phone="13800000000")
    plain = save(store, table)
    monkeypatch.setattr("jiuzhu_cli.ledger.store.FEW_ROWS", 1)
    staged = save(store, table, part="x")
    columns = ", ".join(rolls.row_columns("roll"))
    both = [
        [
            tuple(row)
            for row in store.query(f"SELECT {columns} FROM roll_row WHERE batch_id = ? ORDER BY row_id", (batch,))
        ]
        for batch in (plain, staged)
    ]
    assert both[0] == both[1]


def test_parts_never_collide(store: Store) -> None:
    save(store, rows({1: 1}))
    save(store, rows({2: 1}))
    save(store, rows({3: 1}))
    assert [b["part"] for b in rolls.list_batches(store)] == ["", "p2", "p3"]


def test_undo_brings_back_under_a_free_part(store: Store) -> None:
    first = save(store, rows({1: 1}))
    second = save(store, rows({1: 2}), replaces=(first,), part="城市")
    save(store, rows({9: 1}))  # takes the part that the first had
    with store.transaction(actor="甲", command="test") as tx:
        assert rolls.undo_batch(tx, store, second)["active_again"] == [first]
    assert {b["batch_id"]: b["part"] for b in rolls.list_batches(store)} == {1: "p2", 3: ""}


def test_supplements_go_and_come_with_their_roll(store: Store) -> None:
    first = save(store, rows({1: 1}))
    extra = save(store, rows({2: 1}), supplements=first)
    assert rolls.active_root(store, extra) == first
    later = save(store, rows({1: 1, 2: 1}), replaces=(first,))
    assert rolls.active_root(store, extra) is None
    with store.transaction(actor="甲", command="test") as tx:
        assert rolls.undo_batch(tx, store, later)["active_again"] == [first, extra]
    with store.transaction(actor="甲", command="test") as tx:
        assert rolls.undo_batch(tx, store, first)["undone"] == [first, extra]


def test_an_attempt_is_taken_back_alone(store: Store) -> None:
    with store.transaction(actor="甲", command="test") as tx:
        tx.journal("batch:0", {"kept": True})
        with rolls.attempt(tx):
            tx.journal("batch:0", {"kept": False})
            raise rolls.Withdrawn
        with pytest.raises(ZeroDivisionError), rolls.attempt(tx):
            raise ZeroDivisionError
    assert [row[0] for row in store.query("SELECT detail FROM journal")] == ['{"kept": true}']
    assert store.check_journal() == []
