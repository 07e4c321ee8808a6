"""A batch from hand to hand at the command line: a key with its password file, levels, release, the way told; JSON and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.support import make_id, make_workspace, put_roll

MONTH = "2026-10"
LEVELS = """
[[levels]]
id = "a"
name = "科室负责人"
up_to = 100
persons = ["李审批"]
[[levels]]
id = "b"
name = "分管局领导"
"""


class Hand:
    def __init__(self, workspace: Workspace, home: Path) -> None:
        self.workspace, self.home = workspace, home

    def __call__(self, *words: str, fails: int = 0) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "jiuzhu_cli", "-C", str(self.workspace.root), "--today", "2026-10-25", "--json", "pay", *words],
            capture_output=True, text=True, check=False, env=os.environ | {"HOME": str(self.home)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == fails, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    workspace = make_workspace(tmp_path / "ws")
    rows = [
        {"id_no": make_id(n), "name": f"张{chr(0x4E00 + n)}", "amount_fen": 10_000 + n, "account_no": f"6217{n:012d}"}
        for n in (1, 2)
    ]
    with workspace.open_store() as store:
        put_roll(store, "disability_living_subsidy", "甲镇", MONTH, rows)
        with store.transaction(actor="测试", command="dedupe run", now=datetime(2026, 10, 24, tzinfo=UTC)) as tx:
            tx.journal(f"dedupe:{MONTH}", {})
    settings = workspace.root / "jiuzhu.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("# separate_release", "separate_release"), "utf-8")
    (workspace.policy_dir / "approvals.toml").write_text(LEVELS, "utf-8")
    (tmp_path / "home").mkdir()
    return Hand(workspace, tmp_path / "home")


def test_level_by_level_signed_released_exported_and_told(hand: Hand, tmp_path: Path) -> None:
    secret = tmp_path / "密码.txt"
    secret.write_text("很长的一个密码\n", "utf-8")
    secret.chmod(0o644)
    hand("key", "make", "--actor", "李审批", "--password-file", str(secret), fails=2)  # others may read it
    secret.chmod(0o600)
    hand("key", "make", "--actor", "李审批", "--password-file", str(secret), fails=2)  # too short
    secret.write_text("足够长的一个密码\n", "utf-8")
    hand("key", "make", "--dry-run", "--actor", "李审批", "--password-file", str(secret))
    assert not list(hand.home.rglob("*.json"))
    made = hand("key", "make", "--actor", "李审批", "--password-file", str(secret))
    assert Path(made["path"]).is_relative_to(hand.home) and hand("key", "list")["keys"][0]["key_id"] == made["key_id"]

    assert hand("draft", "--month", MONTH)["lines"] == 2
    hand("lock")
    assert hand("approve", "--actor", "王局", fails=4)["error"]["code"] == "not_their_level"
    hand("approve", "--actor", "李审批", fails=2)  # no terminal to ask for the password
    first = hand("approve", "--actor", "李审批", "--password-file", str(secret))
    assert (first["state"], first["waiting_for"]) == ("locked", ["分管局领导"])
    assert [(one["level"], one["signer"]) for one in first["approvals"]] == [("科室负责人", made["key_id"])]
    second = hand("approve", "--actor", "王局")
    assert (second["state"], second["approved_by"], second["waiting_for"]) == ("approved", "王局", [])
    assert hand("export", fails=4)["error"]["code"] == "not_released"
    assert hand("release", fails=4)["error"]["code"] == "own_release"
    assert hand("release", "--actor", "赵放行")["released_by"] == "赵放行"
    assert hand("export")["state"] == "exported"
    told = hand("log", "1")
    assert [(m["from_state"], m["to_state"]) for m in told["moves"]] == [
        ("", "draft"), ("draft", "locked"), ("locked", "locked"), ("locked", "approved"), ("approved", "released"), ("released", "exported"),
    ]  # fmt: skip
    assert told["problems"] == []
    assert hand("close", fails=4)["error"]["code"] == "not_reconciled"


def test_reopened_with_a_reason_and_released_no_more(hand: Hand) -> None:
    hand("draft", "--month", MONTH)
    hand("lock")
    hand("approve", "--actor", "李审批")
    hand("approve", "--actor", "王局")
    hand("reopen", fails=2)
    assert hand("reopen", "--reason", "账号要更正")["state"] == "draft"
    assert hand("release", "--actor", "赵放行", fails=4)["error"]["code"] == "wrong_state"
    hand("key", "revoke", "0000-0000-0000-0000", "--reason", "丢失", fails=2)
