"""What a clerk reads when a bank's word was wrong: the command to run is in the message, and it names the right line."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.core.errors import DataError
from tests.payment.conftest import Desk, desk, empty_workspace, shipped_policy
from tests.payment.test_return_kinds import combined

__all__ = ["desk", "empty_workspace", "shipped_policy"]


def run(desk: Desk, *arguments: str, actor: str = "张经办") -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told), pytest.raises(SystemExit) as ended:
        main(["-C", str(desk.workspace.root), "--today", "2026-11-20", "--actor", actor, *arguments])
    assert ended.value.code == 0, told.getvalue()
    return told.getvalue()


def test_the_message_of_a_contradiction_names_the_line_to_correct(desk: Desk) -> None:
    number, [path] = combined(desk)
    desk.read(path)
    later = path.with_name(f"后来{path.name}")
    for other in desk.answers(number, {}, name="later"):
        later = other
    with pytest.raises(DataError) as error:
        desk.read(later)
    command = re.search(r"jiuzhu (pay reverse --batch \d+ --kind 实际到账(?: --line \d+)+)", error.value.todo)
    assert command, error.value.todo
    desk.store.close()
    asked = run(desk, *command[1].split(), "--reason", "银行更正回盘")
    assert "已提出改记到账 2 笔" in asked
    confirm = re.search(r"jiuzhu (pay reverse (?:--confirm \d+ ?)+)", asked)
    assert confirm
    done = run(desk, *confirm[1].split(), actor="李审批")
    assert "改记到账 2" in done and "原来的退回凭证作废" in done
    assert "没有待确认的" in run(desk, "pay", "reverse")
