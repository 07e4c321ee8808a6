"""Whatever is done to the payments, in whatever order, whoever is killed at it: nobody is paid twice and nothing that is owed is lost.

``JIUZHU_WALKS`` more walks, ``JIUZHU_WALK_SEED`` other ones. A fault prints its seed and the few steps that are left of it.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jiuzhu_cli.ledger import payables
from jiuzhu_cli.payment import holds, matching, plan
from tests.payment.model.desk import make_template
from tests.payment.model.walk import Fault, Step, Walk, fault_of, shorter, steps_of

pytestmark = pytest.mark.slow
WALKS, LENGTH = int(os.environ.get("JIUZHU_WALKS", "20")), 500
FIRST = int(os.environ.get("JIUZHU_WALK_SEED", "1"))


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """In memory where there is such a place: a walk commits some hundred times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def template(place: Path) -> Path:
    return make_template(place / "template")


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_no_double_and_no_loss(place: Path, template: Path, seed: int) -> None:
    steps = steps_of(seed, LENGTH)
    found = fault_of(place, template, seed, steps)
    if found is not None:
        left = shorter(place, template, seed, steps[: found[0] + 1])
        again = fault_of(place, template, seed, left)
        pytest.fail(
            f"walk {seed}, step {found[0]}: {found[1]!r}\nreplay: fault_of(place, template, {seed}, {left})\nwhich finds: {again}"
        )


def test_the_walks_are_long_enough() -> None:
    steps = Counter(name for seed in range(FIRST, FIRST + WALKS) for name, _ in steps_of(seed, LENGTH))
    assert WALKS < 20 or (
        steps.total() >= 10_000 and steps["kill"] >= 100 and steps["both"] >= 40 and steps["clock"] >= 200
    )


# -- the walk can fail: rules broken on purpose ------------------------------------------------------------------


def drop_the_index(walk: Walk) -> None:
    walk.desk.store.connection.execute("DROP INDEX payment_once")


def nothing(_: Walk) -> None:
    return None


def swapped(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def finds(place: Path, template: Path, alter: Callable[[Walk], None], words: str) -> tuple[int, list[Step], Exception]:
    """The first seed whose walk finds the broken rule."""
    for seed in range(1, 9):
        steps = [
            step for step in steps_of(seed, LENGTH) if step[0] not in ("kill", "both")
        ]  # other processes know nothing of it
        found = fault_of(place, template, seed, steps, alter=alter)
        if found is not None:
            assert words in str(found[1]), found
            return seed, steps[: found[0] + 1], found[1]
    raise AssertionError("eight walks found nothing")


OWED = "l.state IN ('due','sent','paid')"


def test_it_finds_a_payment_made_twice(place: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the draft looks at what was paid nor does the record refuse a second line; and the walk is made short."""
    monkeypatch.setitem(payables._TABLES, "owed", swapped(payables._TABLES["owed"], OWED, "l.state = 'due'"))
    seed, steps, _ = finds(place, template, drop_the_index, "drafted")
    left = shorter(place, template, seed, steps, seconds=3, alter=drop_the_index)
    assert len(left) < len(steps)
    again = fault_of(place, template, seed, left, alter=drop_the_index)
    assert again is not None and isinstance(again[1], Fault)


def test_the_record_itself_refuses_a_second_line(place: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(payables._TABLES, "owed", swapped(payables._TABLES["owed"], OWED, "l.state = 'due'"))
    finds(place, template, nothing, "UNIQUE constraint failed")


def test_it_finds_a_case_left_out(place: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        plan, "_PLAN_LINES", swapped(plan._PLAN_LINES, "AND NOT c.stopped", "AND NOT c.stopped AND c.due_fen % 50 = 0")
    )
    finds(place, template, nothing, "not drafted")


def test_it_finds_the_dead_paid(place: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "HOLDS", tuple(hold for hold in holds.HOLDS if hold.code != "dead"))
    finds(place, template, nothing, "owed [Owed(fen=0")


def test_it_finds_a_failure_booked_as_paid(place: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "outcome_of", lambda layout, text: "paid")
    monkeypatch.setattr(matching, "_rows", _without_paid_amounts(matching._rows))
    finds(place, template, nothing, "is paid, the bank paid")


def _without_paid_amounts(rows: Callable[..., object]) -> Callable[..., object]:
    def made(layout: object, file: matching.BankFile, *rest: object) -> object:
        file.columns.pop("paid_amount", None)
        return rows(layout, file, *rest)

    return made
