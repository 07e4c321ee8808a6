"""``jiuzhu post`` as scripts see it: one JSON document, the contract's exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from tests.support import make_id, make_workspace, put_roll


def run(
    capsys: pytest.CaptureFixture[str], root: Path, *words: str, today: str = "2026-10-21"
) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main(["-C", str(root), "--today", today, "--json", "post", *words])
    code = ended.value.code
    return (code if isinstance(code, int) else 0), json.loads(capsys.readouterr().out)


def test_a_posting_from_making_to_closing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(tmp_path / "ws")
    with workspace.open_store() as store:
        people = [{"id_no": make_id(n), "name": f"张{n}", "amount_fen": 100 * n, "category": "农村"} for n in (1, 2)]
        put_roll(store, "subsistence_allowance", "青溪镇", "2026-10", people)
    month = ("--month", "2026-10")
    assert run(capsys, workspace.root, "close", *month)[0] == 4
    code, made = run(capsys, workspace.root, "make", *month, "--from", "2026-10-20")
    [one] = made["lists"]
    assert code == 0 and (one["area"], one["programme"]) == ("青溪镇/一村", "subsistence_allowance")
    assert (one["households"], one["persons"], one["amount_fen"], one["from"], one["to"]) == (
        2,
        2,
        300,
        "2026-10-20",
        "2026-10-26",
    )
    assert len(one["files"]) == 2 and all((workspace.root / path).exists() for path in one["files"])
    assert run(capsys, workspace.root, "make", *month, "--round", "final")[0] == 4
    assert run(capsys, workspace.root, "make", *month, "--round", "third")[0] == 2
    assert run(capsys, workspace.root, "make", *month, "--from", "tomorrow")[0] == 2
    assert run(capsys, workspace.root, "close", *month, today="2026-10-26")[0] == 4
    code, objection = run(capsys, workspace.root, "object", *month, "--person", make_id(1), "--text", "有车")
    assert code == 0 and make_id(1) not in json.dumps(objection)
    assert run(capsys, workspace.root, "close", *month, today="2026-10-27")[0] == 4
    number = str(objection["number"])
    assert run(capsys, workspace.root, "resolve", number, "--result", "不成立", "--note", "无车")[0] == 0
    code, closed = run(capsys, workspace.root, "close", *month, today="2026-10-27")
    assert code == 0 and [item["posting"] for item in closed["closed"]] == [one["posting"]]
    code, listed = run(capsys, workspace.root, "list", *month)
    assert code == 0 and listed["lists"][0]["state"] == "closed" and listed["objections"][0]["state"] == "dismissed"


def test_a_held_list_exits_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(tmp_path / "ws")
    with workspace.open_store() as store:
        put_roll(
            store,
            "subsistence_allowance",
            "青溪镇",
            "2026-10",
            [{"id_no": make_id(1), "name": "张三", "village": make_id(2), "amount_fen": 1}],
        )
    code, made = run(capsys, workspace.root, "make", "--month", "2026-10")
    assert code == 3 and made["lists"] == [] and len(made["held"]) == 1
