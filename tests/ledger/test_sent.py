"""The lines of one bank, found by where they should stand: the same lines wherever they do stand, and whatever was declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.sent import any_under_way, bank_codes, failed_lines, places, sent_lines
from jiuzhu_cli.ledger.store import Store
from tests.support import make_workspace

IN_ORDER, MIXED = "aabbbc", "abacbb"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_workspace(tmp_path).open_store()


def batch(store: Store, banks: str, declared: dict[str, int] | None = None) -> int:
    """An exported batch with a line of each of ``banks``; ``declared``: bank → lines (None: as they are)."""
    with store.transaction(actor="甲", command="test") as tx:
        number = tx.execute(
            "INSERT INTO payment_batch (month, sequence, kind, state, lines, amount_fen, policy_digest, drafted_by, drafted_at)"
            " SELECT '2026-10', COUNT(*) + 1, 'regular', 'draft', ?, ?, '', '甲', '' FROM payment_batch",
            (len(banks), 100 * len(banks)),
        ).lastrowid
        for line, bank in enumerate(banks, 1):
            person = f"{number}-{line}"
            owed = tx.execute(
                "INSERT INTO obligation (programme, month, recipient_id_no, recipient_name, town, village, amount_fen, persons, roll_row_id)"
                " VALUES ('x', '2026-10', ?, '某人', '甲镇', '', 100, 1, 0)",
                (person,),
            ).lastrowid
            tx.execute(
                "INSERT INTO payment_line (payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, state)"
                " VALUES (?, ?, ?, ?, ?, ?, '某人', ?, 100, 'due')",
                (number, line, line, owed, bank, person, person),
            )
        for bank, lines in (declared if declared is not None else {b: banks.count(b) for b in set(banks)}).items():
            tx.execute("INSERT INTO payment_total VALUES (?, 'bank', ?, ?, ?)", (number, bank, lines, 100 * lines))
        tx.execute("UPDATE payment_line SET state = 'sent' WHERE payment_id = ?", (number,))
    return int(number or 0)


def answer(store: Store, number: int, lines: list[int], state: str = "paid") -> None:
    with store.transaction(actor="甲", command="test") as tx:
        marks = ",".join(map(str, lines))
        tx.execute(f"UPDATE payment_line SET state = '{state}' WHERE payment_id = {number} AND line_no IN ({marks})")


@pytest.mark.parametrize("banks", [IN_ORDER, MIXED, "a"])
@pytest.mark.parametrize("declared", [None, {}, {"a": 1, "b": 4, "c": 1}, {"a": 2, "b": 3}, {"a": 3, "b": 2, "c": 1}])
def test_a_banks_lines_are_all_of_its_own_wherever_they_stand(
    store: Store, banks: str, declared: dict[str, int] | None
) -> None:
    batch(store, "cab")
    number = batch(store, banks, declared)
    for bank in "abc":
        own = payments.lines(store, number, bank=bank)
        wanted = own.column("line_no").to_pylist()
        if declared and declared.get(bank) == len(wanted) - 1:
            continue  # fewer were declared than there are: no such batch was ever locked (``payment_digests.sums_differ``)
        found = sent_lines(store, number, bank)()
        assert found.column("line_no").to_pylist() == wanted and found.column("line_id").equals(own.column("line_id"))
    if declared is None:
        assert bank_codes(store, number) == sorted(set(banks))
        assert places(store.query, number) == ({"a": (1, 2), "b": (3, 5), "c": (6, 6)} if banks == IN_ORDER else {} if banks == MIXED else {"a": (1, 1)})  # fmt: skip
    elif not declared:
        assert bank_codes(store, number) == sorted(set(banks)) and places(store.query, number) == {}


@pytest.mark.parametrize("banks", [IN_ORDER, MIXED])
@pytest.mark.parametrize("declared", [None, {}])
def test_the_last_line_without_an_answer_is_seen_wherever_it_stands(
    store: Store, banks: str, declared: dict[str, int] | None
) -> None:
    for last in range(1, 7):
        number = batch(store, banks, declared)
        answer(store, number, [line for line in range(1, 7) if line != last])
        assert any_under_way(store.query, number)
        answer(store, number, [last], "failed")
        assert not any_under_way(store.query, number)
        assert [line["line_no"] for line in failed_lines(store, number)] == [last]
        assert [line["line_no"] for line in failed_lines(store, number, bank=banks[last - 1])] == [last]
        assert failed_lines(store, number, bank="z") == []


def test_what_came_back_later_is_told_only_where_it_is_asked_for(store: Store) -> None:
    other, number = batch(store, IN_ORDER), batch(store, IN_ORDER)
    for one in (other, number):
        answer(store, one, [1, 2, 3, 5, 6])
        answer(store, one, [4], "failed")
        answer(store, one, [2], "reversed")
    assert [line["line_no"] for line in failed_lines(store, number)] == [4]
    both = failed_lines(store, number, reversed_=True)
    assert [(line["line_no"], line["state"], line["town"]) for line in both] == [
        (2, "reversed", "甲镇"),
        (4, "failed", "甲镇"),
    ]
