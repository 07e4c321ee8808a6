"""jiuzhu pay layout: what the clerk and scripts see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from tests.support import make_workspace


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = 0
    try:
        main(["--json", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    rows = [f"{i}~81010000{i:08d}~张{chr(0x4E00 + i)}~{i * 100}.50" for i in range(1, 7)]
    path = tmp_path / "银行样例.txt"
    path.write_bytes("\r\n".join([*rows, ""]).encode("gbk"))
    return path


def test_the_list_says_how_sure_each_is_and_what_cannot_be_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    workspace = make_workspace(tmp_path / "ws")
    code, data = run(capsys, "-C", str(workspace.root), "pay", "layout", "list")
    found = {one["code"]: one for one in data["layouts"]}
    assert code == 0 and {one["certainty"] for one in found.values()} == {"verified", "partial", "inferred", "unknown"}
    assert all(one["source"] for one in found.values())
    assert [
        one for one in ("cmb_sa", "boc_fast", "icbc_office") if found[one]["makes_files"] or not found[one]["says"]
    ] == []
    assert found["card_xlsx"]["in_use"] and not found["pain001"]["in_use"]


def test_a_file_that_fits_nothing_is_learnt_saved_and_then_fits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, sample: Path
) -> None:
    workspace = make_workspace(tmp_path / "ws")
    place = ("-C", str(workspace.root))
    code, data = run(capsys, *place, "pay", "layout", "check", str(sample))
    assert (code, data["fits"]) == (3, []) and data["encoding"] == "gbk"
    code, data = run(capsys, *place, "pay", "layout", "learn", str(sample), "--code", "county", "--save")
    assert code == 0 and data["same"] and data["usable"] and (workspace.root / data["file"]).exists()
    code, data = run(capsys, *place, "pay", "layout", "check", str(sample))
    assert (code, data["fits"]) == (0, ["county"])
    code, data = run(capsys, *place, "policy", "check")
    assert code == 0 and data["ok"]
    code, data = run(capsys, *place, "pay", "layout", "learn", str(sample), "--code", "county", "--save")
    assert code == 2


def test_layouts_are_checked_with_the_policy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    folder = workspace.policy_dir / "banks"
    folder.mkdir(exist_ok=True)
    columns = """columns = [
  { name = "账号", source = "account_no" },
  { name = "户名", source = "payee" },
  { name = "䶮", source = "amount", decimals = 9 },
]
"""
    (folder / "bad.toml").write_text(
        'name = "坏"\ncontainer = "fixed"\nfile_name = "{weird}"\nsource = "测试"\n' + columns, "utf-8"
    )
    code, data = run(capsys, "-C", str(workspace.root), "policy", "check")
    told = "\n".join(problem["text"] for problem in data["problems"] if "bad" in problem["where"])
    assert code == 3
    for what in ("不认识 {weird}", "source “payee”不认识", "要写 width", "编码没有的字", "decimals", "没有户名"):
        assert what in told, what
