"""Clerks' decisions on people with two numbers change how the matching judges such pairs; few decisions change little."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from jiuzhu_cli.core.doubt import disposition_of
from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.dedupe.calibrate import Calibration, calibrate, weights_of
from jiuzhu_cli.ledger.verdicts import Verdict, decide
from jiuzhu_cli.matching.calibration import FILE
from jiuzhu_cli.matching.weights import Second
from tests.dedupe.worlds import LOW, OLD, World, person

NAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"


def world_of(world: World, pairs: int) -> None:
    """Two rolls; on each a record of ``pairs`` people who stand there under different numbers, and forty others."""
    others = [person(450 + n, 40_000) | {"name": f"{NAMES[n % 20]}{chr(0x6000 + n)}"} for n in range(40)]
    first, second = [], []
    for n in range(pairs):
        same: dict[str, Any] = {"name": f"{NAMES[n]}文海", "village": f"{n}村", "phone": f"138{n:08d}"}
        first.append(person(2 * n + 1, 50_000) | same)
        second.append(person(2 * n + 201, 50_000) | same)
    world.roll(LOW, "东镇", *first, *others)
    world.roll(OLD, "东镇", *second)


def decided(world: World, *results: str) -> None:
    doubts = sorted((d for d in world.run().doubts if d["code"] == "second_number"), key=lambda d: d["doubt_id"])
    with world.store.transaction(actor="张经办", command="dedupe decide") as tx:
        decide(tx, [Verdict(doubt["doubt_id"], result, disposition_of(result, "b" if result == "confirmed" else "")) for doubt, result in zip(doubts, results, strict=True)])  # fmt: skip


def run(world: World) -> Calibration:
    return calibrate(world.workspace, world.store, today=date(2026, 11, 5), actor="张经办", now=datetime(2026, 11, 5, 1, tzinfo=UTC))  # fmt: skip


def test_without_decisions_the_estimate_stands(world: World) -> None:
    world_of(world, 2)
    world.run()
    assert run(world).known == Second()
    assert weights_of(world.workspace) == Second()
    assert not (world.workspace.policy_dir / FILE).exists()


@pytest.mark.parametrize(("results", "more"), [(("not_same",) * 12, False), (("confirmed",) * 12, True)])
def test_decisions_move_the_share_of_second_ids(world: World, results: tuple[str, ...], more: bool) -> None:
    world_of(world, 12)
    decided(world, *results)
    done = run(world)
    assert (done.known.decided, done.known.same, done.left_out, done.known.day) == (12, 12 * more, 0, "2026-11-05")
    assert weights_of(world.workspace) == done.known
    assert (done.known.share > Second().share) is more
    assert run(world).known == done.known  # again: from all decisions, not from what was last found
    few = done.known.phone
    assert few is None if not more else 0.6 < few < 0.8  # twelve times the same telephone, and the estimate of 60 %


def test_a_broken_file_is_told(world: World) -> None:
    (world.workspace.policy_dir / FILE).write_text('{"share": 2}', "utf-8")
    with pytest.raises(PolicyError, match=FILE):
        weights_of(world.workspace)
    run(world)
    assert weights_of(world.workspace) == Second()
