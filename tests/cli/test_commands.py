"""Every command has Chinese help; usage errors are Chinese and exit 2; --json is one document."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from jiuzhu_cli.cli.main import COMMANDS, Desk, _hoist, build_command

CHINESE = re.compile(r"[一-鿿]")


def walk(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            found += walk(child, (*path, name))
    return found


TREE = walk(build_command())


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jiuzhu_cli", *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def test_every_word_of_the_contract_is_there() -> None:
    contract = (
        "init demo import batch dedupe match review explain show post pay policy status doctor audit backup restore"
    )
    assert set(contract.split()) <= set(COMMANDS)
    assert isinstance(TREE[0][1], Desk)


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = "import sys; from jiuzhu_cli.cli.main import build_command as b, click; b().get_help(click.Context(b())); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"pandas", "numpy", "pyarrow", "duckdb", "openpyxl", "pydantic", "rich", "sqlglot", "tabulate"}
    assert not heavy & set(loaded)
    assert not [name for name in loaded if name.startswith("jiuzhu_cli.intake") or name == "jiuzhu_cli.cli.pay"]


@pytest.mark.parametrize(("path", "command"), TREE, ids=lambda x: "-".join(x) if isinstance(x, tuple) else "")
def test_command_has_chinese_help(path: tuple[str, ...], command: click.Command) -> None:
    assert CHINESE.search(command.help or ""), path
    for param in command.params:
        if isinstance(param, click.Option) and "--help" not in param.opts:
            assert CHINESE.search(param.help or ""), (path, param.opts)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "没有"),
        (["status", "--nonsense"], "没有"),
        (["init", "x"], "缺少选项"),
        (["init", "x", "--region"], "后面要跟"),
        (["show"], "缺少参数"),
        (["--today", "yesterday", "status"], "不是日期"),
        (["-C"], "后面要跟"),
    ],
)
def test_usage_errors_are_chinese_and_exit_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_no_workspace_is_said_and_exit_2(tmp_path: Path) -> None:
    done = run("status", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert "jiuzhu init" in done.stderr
    assert json.loads(done.stdout)["error"]["exit"] == 2


def test_global_options_may_stand_anywhere() -> None:
    rest, values, flags = _hoist(["import", "a.xlsx", "--json", "-C", "w", "--today=2026-11-01", "--", "--json"])
    assert rest == ["import", "a.xlsx", "--", "--json"]
    assert values == {"directory": "w", "today": "2026-11-01"}
    assert flags == {"json": True}


def test_init_makes_private_folders_and_refuses_twice(tmp_path: Path) -> None:
    work = tmp_path / "工作区"
    done = run("init", str(work), "--region", "421002", "--name", "示例区民政局", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["workspace"] == str(work)
    for name in ("", "policy", "templates", "inbox", "out/internal", "out/public", "out/bank", "logs", "backup"):
        assert (work / name).stat().st_mode & 0o777 == 0o700
    for name in ("ledger.db", "jiuzhu.toml"):
        assert (work / name).stat().st_mode & 0o777 == 0o600
    assert run("init", str(work), "--region", "421002", "--name", "x").returncode == 4
    assert run("init", str(tmp_path / "y"), "--region", "42", "--name", "x").returncode == 2
    assert run("status", cwd=work / "inbox").returncode == 0


def test_dry_run_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    work = tmp_path / "w"
    run("init", str(work), "--region", "421002", "--name", "x")
    before = (work / "ledger.db").read_bytes()
    done = run("-C", str(work), "backup", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "试运行" in done.stderr
    assert (work / "ledger.db").read_bytes() == before
    assert not list((work / "backup").iterdir())


def test_backup_audit_restore(tmp_path: Path) -> None:
    work = tmp_path / "w"
    run("init", str(work), "--region", "421002", "--name", "x")
    made = json.loads(run("-C", str(work), "backup", "--json").stdout)
    assert json.loads(run("-C", str(work), "audit", "check", "--json").stdout)["ok"]
    assert run("-C", str(work), "restore", made["backup"], "--yes").returncode == 0
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(Path(made["backup"]).read_bytes()[:5000] + b"x" * 3000)
    refused = run("-C", str(work), "restore", str(damaged), "--yes")
    assert refused.returncode == 3, refused.stderr
    assert json.loads(run("-C", str(work), "audit", "check", "--json").stdout)["ok"]
