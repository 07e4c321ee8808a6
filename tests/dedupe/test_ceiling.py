"""A roll that is doubled beyond all likelihood: the run stops and says which import to look at."""

from __future__ import annotations

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.policy.load import load_policy
from tests.dedupe.test_words import run
from tests.dedupe.worlds import LIVING, LOW, POOR, World, person


def roll(world: World, programme: str, first: int, last: int, town: str = "东镇") -> int:
    return world.roll(programme, town, *(person(n) for n in range(first, last + 1)))


def test_the_later_import_is_named_and_nothing_is_put_on_record(world: World) -> None:
    roll(world, LOW, 1, 100)
    wrong = roll(world, POOR, 41, 90)
    with pytest.raises(RefusedError) as refused:
        world.run()
    assert "50 人重复在册" in refused.value.message and f"jiuzhu batch undo {wrong} " in refused.value.todo
    assert world.store.query("SELECT count(*) FROM doubt")[0][0] == 0
    world.undo(wrong)
    assert world.run().doubts == []


def test_the_roll_that_meets_most_others_is_named(world: World) -> None:
    """A 低保 list read as 特困 before the others came: it stands against two lists, though it was the first."""
    wrong = roll(world, POOR, 1, 100)
    roll(world, LOW, 1, 50)
    roll(world, LOW, 51, 100, "西镇")
    with pytest.raises(RefusedError) as refused:
        world.run()
    assert f"jiuzhu batch undo {wrong} " in refused.value.todo


def test_a_stray_double_elsewhere_does_not_blame_the_earlier_import(world: World) -> None:
    """The right list has one double more than the wrong one, with a third list: the wrong one still is the later."""
    roll(world, LOW, 1, 100)
    wrong = roll(world, POOR, 41, 90)
    world.roll(LOW, "西镇", person(1))
    with pytest.raises(RefusedError) as refused:
        world.run()
    assert f"jiuzhu batch undo {wrong} " in refused.value.todo


@pytest.mark.parametrize(("low", "poor"), [((1, 29), (1, 29)), ((1, 200), (170, 369)), ((1, 100), (101, 200))])
def test_few_persons_or_a_small_share_are_doubts_as_ever(
    world: World, low: tuple[int, int], poor: tuple[int, int]
) -> None:
    roll(world, LOW, *low)
    roll(world, POOR, *poor)
    assert world.run().by("kind").get("double", 0) == max(0, low[1] - poor[0] + 1)


def test_legal_stacking_is_never_too_much(world: World) -> None:
    roll(world, LOW, 1, 100)
    roll(world, LIVING, 1, 100)
    assert world.run().doubts == []


def test_whoever_has_looked_goes_on(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    roll(world, LOW, 1, 40)
    roll(world, POOR, 1, 40)
    command = ["-C", str(world.workspace.root), "dedupe", "run", "--month", "2026-10"]
    assert run(command) == 4
    assert "batch undo" in capsys.readouterr().err
    assert run([*command, "--accept-doubles"]) == 0


def test_the_ceiling_is_a_parameter(world: World) -> None:
    folder = world.workspace.policy_dir / "parameters"
    folder.mkdir()
    (folder / "a.toml").write_text(
        '[[parameter]]\nname = "重复疑点上限人数"\nunit = "人"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = 5 }]\n',
        "utf-8",
    )
    roll(world, LOW, 1, 10)
    roll(world, POOR, 1, 5)
    assert len(world.run().doubts) == 5
    with pytest.raises(RefusedError):
        world.run(policy=load_policy(folder.parent, region="421002"))
