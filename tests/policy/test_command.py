"""jiuzhu policy: what it prints, in and outside a workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jiuzhu_cli.cli.main import main
from tests.support import make_workspace


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = 0
    try:
        main(["--today", "2026-11-21", *arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_show_a_standard_on_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "policy", "show", "低保标准_农村", "--on", "2026-05-01", "--region", "421002", "--json")
    found = json.loads(out)["parameters"][0]
    assert code == 0 and found["value"]["value"] == "585" and len(found["series"]) >= 3
    assert found["value"]["confirmed"] is False


def test_the_workspace_decides_region_and_overrides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(tmp_path / "w", region="230321")
    (workspace.policy_dir / "parameters").mkdir()
    (workspace.policy_dir / "parameters" / "x.toml").write_text(
        '[[parameter]]\nname = "低保标准_农村"\narea = "230321"\nunit = "元/人/月"\nsource = "县文"\nvalues = [{ since = 2026-10-01, value = 650 }]\n',
        "utf-8",
    )
    _, out, _ = run(capsys, "-C", str(workspace.root), "policy", "show", "低保标准_农村")
    assert "650 元/人/月" in out and "县文" in out and "请核对" not in out.splitlines()[0]


@pytest.mark.parametrize(
    "name", ["五保", "A08", "E01", "B12", "F01", "head_dead", "死亡名单", "低保标准", "disability_care_subsidy"]
)
def test_show_finds_everything(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, "policy", "show", name, "--region", "421002")
    assert code == 0 and len(out.splitlines()) >= 3


def test_an_unknown_name_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "policy", "show", "低宝")
    assert code == 2 and "低保" in err


@pytest.mark.parametrize(
    "option",
    [
        "--programmes",
        "--registers",
        "--relations",
        "--checks",
        "--banks",
        "--rules",
        "--events",
        "--floors",
        "--fields",
        "--switches",
        "--unconfirmed",
    ],
)
def test_lists(capsys: pytest.CaptureFixture[str], option: str) -> None:
    code, out, _ = run(capsys, "policy", "list", option, "--region", "421002", "--json")
    assert code == 0 and next(value for value in json.loads(out).values() if isinstance(value, list))


def test_check_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "policy", "check", "--region", "421002")[0] == 0
    workspace = make_workspace(tmp_path / "w")
    (workspace.policy_dir / "relations.toml").write_text('[[relations]]\nid = "A01"\na = "dibao"\n', "utf-8")
    code, out, _ = run(capsys, "-C", str(workspace.root), "policy", "check", "--json")
    data = json.loads(out)
    assert code == 3 and not data["ok"] and any("dibao" in one["text"] for one in data["problems"])
