"""What users read: every code has a name, a sentence and a line in the documentation; commands exit as promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jiuzhu_cli.core.doubt import OLD_WORDS, RESULTS
from jiuzhu_cli.dedupe import conflicts, evidence
from jiuzhu_cli.policy.doubts import shipped
from tests.dedupe.worlds import LOW, POOR, World, person
from tests.support import make_id

GUIDE = Path(__file__).parents[2] / "docs" / "疑点说明.md"


def test_every_code_is_spoken_and_documented() -> None:
    texts = shipped()
    assert {code for code, one in texts.items() if not one.says} == set(evidence._SENTENCES)
    assert {one.kind for one in texts.values()} <= set(evidence.KINDS)
    assert {*conflicts.CODES.values(), *conflicts.EVENT_REGISTERS.values()} <= set(texts)
    guide = GUIDE.read_text("utf-8")
    assert [one.kind for one in texts.values() if f"`{one.kind}`" not in guide] == []
    rows = [f"| `{code}` | {one.name} | {one.note} |" for code, one in texts.items()]
    assert [row for row in rows if row.replace("|  |", "| |") not in guide] == []  # the guide's tables are the data's
    assert [word for word in (*OLD_WORDS, *(r.label for r in RESULTS.values())) if word not in guide] == []


@pytest.mark.parametrize(
    ("months", "said"),
    [(["2026-03"], "2026-03"), (["2026-11", "2026-12", "2027-01"], "2026-11至2027-01"), (["2026-03", "2026-05"], "2026-03、2026-05")],
)  # fmt: skip
def test_months_are_said_short(months: list[str], said: str) -> None:
    assert evidence.say_months(months) == said


def run(arguments: list[str]) -> int:
    from jiuzhu_cli.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_command_exits_as_promised(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.roll(LOW, "东镇", person(1))
    world.roll(POOR, "东镇", person(1))
    base = ["-C", str(world.workspace.root), "dedupe"]
    assert run([*base, "run", "--month", "2026-10", "--json"]) == 0
    out = capsys.readouterr().out
    data = json.loads(out)
    assert (data["doubts"], data["strong"], data["by_kind"]) == (1, 1, {"double": 1})
    assert make_id(1) not in out
    assert Path(data["csv"]).exists()
    assert run([*base, "run", "--month", "2026-10", "--fail-on", "strong"]) == 3
    assert run([*base, "run", "--month", "2026-13"]) == 2
    assert run([*base, "run", "--month", "2026-10", "--fail-on", "some"]) == 2
    assert run([*base, "list", "--month", "2026-10"]) == 0
    assert make_id(1) not in capsys.readouterr().out
    assert run([*base, "decide", data["csv"]]) == 3


def test_lists_on_the_screen_mask_names_and_name_the_town(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Side a may be a register's line of the whole district: then the town is side b's; who is in no town at all is said."""
    world.roll(LOW, "东镇", person(1, name="欧阳春晓"))
    world.roll("disability_care_subsidy", "东镇", person(7))
    world.register("missing_declared", {"id_no": make_id(1), "name": "欧阳春晓", "valid_from": "2026-01-05"})
    world.register("disability_certificate", {"id_no": make_id(3), "name": "诸葛长风", "grade": "1"})
    base = ["-C", str(world.workspace.root), "dedupe"]
    world.roll(LOW, "东镇", person(9), month="2026-09")
    assert run([*base, "run", "--month", "2026-09"]) == 0
    capsys.readouterr()
    assert run([*base, "run", "--month", "2026-10", "--split-by-town"]) == 0
    assert "有 1 条没有写明乡镇" in capsys.readouterr().out
    for words in (
        ["list", "--month", "2026-10"],
        ["list", "--month", "2026-10", "--json"],
        ["diff", "2026-09", "2026-10"],
    ):
        assert run([*base, *words]) == 0
        out = capsys.readouterr().out
        assert "欧*春晓" in out and "欧阳春晓" not in out and "诸葛长风" not in out and make_id(1) not in out
    assert run([*base, "list", "--month", "2026-10"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "宣告失踪" in line)
    assert "东镇" in line
