"""The commands: JSON of the contract, exit codes, nothing unmasked on a screen."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.core.mask import find_personal_numbers
from tests.review.test_decisions import fill
from tests.review.worlds import World, household
from tests.support import make_id


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    world.roll(
        "subsistence_allowance",
        household(1, 65000, 0, 1),
        household(2, 55000, 0, 1),
        household(3, 60000, 0, 1, name="户主1"),
        household(4, 60000, 0, 1, account_no="6217000010001234567"),
    )
    world.store.close()
    return world


def run(world: World, capsys: Any, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["-C", str(world.workspace.root), "--today", "2026-11-20", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_month(world: World, capsys: Any) -> None:
    code, out, _ = run(world, capsys, "review", "run", "--month", "2026-10", "--json")
    data = json.loads(out)
    assert code == 0
    assert (data["proposals"], data["by_action"], data["kept"]) == (2, {"decrease": 1, "increase": 1}, 2)
    assert {one["name"] for one in data["unconfirmed"]} >= {"低保标准_农村"}
    assert Path(data["csv"]).is_file()
    filled = fill(world, Path(data["workbook"]), {"户主1": {"决定": "同意"}, "户主2": {"决定": "同意"}})
    code, out, _ = run(world, capsys, "review", "decide", str(filled), "--json")
    data = json.loads(out)
    assert (code, data["applied"], len(data["refused"])) == (3, 1, 1)
    assert data["refused"][0]["sheet"] == "调减"
    code, out, _ = run(world, capsys, "review", "decide", str(filled))
    assert code == 3
    assert "48条" in out
    assert find_personal_numbers(out) == []
    code, out, _ = run(world, capsys, "review", "due", "--month", "2026-10", "--json")
    assert (code, json.loads(out)["due"]) == (0, 4)


def test_no_roll_no_review(world: World, capsys: Any) -> None:
    assert run(world, capsys, "review", "run", "--month", "2025-01")[0] == 2
    assert run(world, capsys, "review", "run", "--month", "2025-13")[0] == 2


@pytest.mark.parametrize("command", ["explain", "show"])
def test_one_person(world: World, capsys: Any, command: str) -> None:
    code, out, _ = run(world, capsys, command, "户主4")
    assert code == 0
    assert find_personal_numbers(out) == []
    assert "户主4" not in out
    code, out, _ = run(world, capsys, command, "户主4", "--full")
    assert make_id(4, born="19800101") in out
    code, _, err = run(world, capsys, command, "户主1")
    assert code == 2
    assert "2 个人" in err
    assert find_personal_numbers(err) == []
    assert run(world, capsys, command, "没有的人")[0] == 2


def test_explain_json(world: World, capsys: Any) -> None:
    code, out, _ = run(world, capsys, "explain", "户主4", "--json")
    data = json.loads(out)
    assert code == 0
    assert {"person", "programmes", "rules", "entitlements", "payments"} <= set(data)
    assert data["programmes"][0]["should"]["fits"]
    assert find_personal_numbers(out) == []


def test_explain_says_what_it_comes_to_first_and_folds_what_cannot_be_judged(world: World, capsys: Any) -> None:
    _, out, _ = run(world, capsys, "explain", "户主4")
    lines = out.splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("【"))
    assert lines[head + 1].startswith("金额：应发")
    (folded,) = [line for line in lines if line.startswith("不能判断")]
    assert "--all" in folded
    _, every, _ = run(world, capsys, "explain", "户主4", "--all")
    assert not any(line.startswith("不能判断") for line in every.splitlines())
    assert every.count("不能判断") > 3 and len(every) > len(out)


def test_decisions_taken_back_and_lists_of_deadlines_and_notices(world: World, capsys: Any, tmp_path: Path) -> None:
    _, out, _ = run(world, capsys, "review", "run", "--month", "2026-10", "--split-by-town", "--json")
    data = json.loads(out)
    parts = tmp_path / "交回"
    parts.mkdir()
    fill(world, Path(data["towns"][0]), {"户主2": {"决定": "同意"}}).rename(parts / "青溪镇.xlsx")
    (parts / "~$青溪镇.xlsx").write_bytes(b"")
    code, out, _ = run(world, capsys, "review", "decide", str(parts), "--json")
    assert (code, json.loads(out)["applied"], json.loads(out)["decision"]) == (0, 1, 1)
    code, out, _ = run(world, capsys, "review", "decisions", "--json")
    assert [(one["decision_id"], one["state"]) for one in json.loads(out)["decisions"]] == [(1, "active")]
    assert run(world, capsys, "review", "undo", "7", "--json")[0] == 2
    for undone in (1, 0):
        code, out, _ = run(world, capsys, "--yes", "review", "undo", "1")
        assert (code, "已经撤回过" in out) == (0, not undone)
    assert "已撤回" in run(world, capsys, "review", "decisions")[1]
    code, out, _ = run(world, capsys, "review", "notices", "--month", "2026-10", "--json")
    assert (code, json.loads(out)["notices"]) == (0, 0)
    code, out, _ = run(world, capsys, "review", "deadlines", "--on", "2026-12-31", "--fail-on", "overdue", "--json")
    data = json.loads(out)
    assert (code, data["overdue"], data["by_step"]["decide"]) == (3, 1, {"overdue": 1})
    code, out, _ = run(world, capsys, "review", "deadlines", "--on", "2026-12-31")
    assert code == 0
    assert "超期未办 1 件" in out
    assert find_personal_numbers(out) == []
    assert run(world, capsys, "review", "deadlines", "--on", "昨天")[0] == 2
    assert run(world, capsys, "review", "deadlines", "--fail-on", "x")[0] == 2
    code, out, _ = run(world, capsys, "review", "due", "--month", "2026-10", "--ahead", "12", "--cards")
    assert code == 0
    assert "jiuzhu import" in out
    assert find_personal_numbers(out) == []
    assert run(world, capsys, "review", "due", "--month", "2026-10", "--ahead", "99")[0] == 2
    assert run(world, capsys, "audit", "check")[0] == 0


@pytest.mark.parametrize(
    ("words", "answer"), [(("review", "undo", "1"), "没有撤回"), (("batch", "undo", "1"), "没有撤销")]
)
def test_a_question_that_nobody_can_answer_names_the_option(
    world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))  # a scheduled job: no terminal
    code, _, err = run(world, capsys, *words)
    assert (code, answer in err, "--yes" in err, "已中断" in err) == (4, True, True, False)
