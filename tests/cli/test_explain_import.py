"""``import --explain``: every column with its reason, rows passed over, questions; and nothing in the workspace changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wcwidth import wcswidth

from tests.intake.lists import name, workbook
from tests.ledger.test_migrate import old_ledger
from tests.support import make_id, make_workspace


def jiuzhu(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(workspace), "--today", "2026-11-21", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_workspace(tmp_path / "w")
    header = [
        "序号",
        "户主\n姓名",
        "身份证号码",
        None,
        "保障金额（百元）",
        "领款帐户很长很长的一个表头用来看看会不会超出屏幕",
        "备注",
    ]
    rows: list[list[Any]] = [[n, name(n), make_id(n), "男", n, f"42100100{n:06d}", "无"] for n in range(1, 8)]
    rows[3][2] = "421002197001010000"
    rows += [["合计", None, None, None, 28, None, None], ["制表人：张三", None, None, None, "审核人：李四", None, None]]
    workbook(tmp_path / "in" / "城关镇.xlsx", header, rows, title="城关镇2026年10月农村低保花名册")  # type: ignore[arg-type]
    ask = ["姓名", "身份证号", "打款金额", "转款金额"]
    workbook(
        tmp_path / "in" / "青溪镇.xlsx",
        ask,
        [[name(n), make_id(n), n, n + 1] for n in range(1, 5)],
        title="青溪镇2026年10月高龄津贴",
    )
    (tmp_path / "in" / "坏.xlsx").write_bytes(b"PK\x03\x04 nothing")
    return tmp_path


def test_json_says_all_and_nothing_is_written(folder: Path) -> None:
    before = everything(folder / "w")
    done = jiuzhu(folder / "w", "import", str(folder / "in"), "--explain", "--json")
    assert done.returncode == 0, done.stderr
    tables = {table["file"]: table for table in json.loads(done.stdout)["tables"]}
    assert everything(folder / "w") == before
    low = tables["城关镇.xlsx"]
    assert (low["programme_name"], low["month"], low["area"], low["category"]) == (
        "最低生活保障",
        "2026-10",
        "城关镇",
        "农村",
    )
    assert (low["header_rows"], low["data_rows"], low["accepted"], low["refused"]) == ([2, 2], [3, 9], 6, 1)
    columns = {column["column"]: column for column in low["columns"]}
    assert columns["B"]["name"] == "姓名" and "只有这一列姓名" in columns["B"]["why"]
    assert columns["D"]["name"] == "性别" and columns["D"]["why"] == "内容是男、女（100%）"
    assert (columns["E"]["name"], columns["E"]["unit"]) == ("发放金额", "百元")
    assert [(block["rows"], block["text"]) for block in low["skipped"]] == [
        ("10", "合计行"),
        ("11", "制表、审核等落款"),
    ]
    asked = tables["青溪镇.xlsx"]["questions"]
    assert any("--map 打款金额=发放金额 或 --map 转款金额=发放金额" in one["answer"] for one in asked)
    assert tables["坏.xlsx"]["note"]


def test_the_screen_keeps_to_its_width_and_shows_nobody(folder: Path) -> None:
    done = jiuzhu(folder / "w", "import", str(folder / "in"), "--explain")
    assert done.returncode == 0, done.stderr
    assert max(wcswidth(line) for line in done.stdout.splitlines()) <= 100
    for words in ("第 10 行不当数据：合计行", "导入时会问、会退回的", "没有导入", "身份证号"):
        assert words in done.stdout
    assert make_id(1) not in done.stdout and "42100100000001" not in done.stdout


def test_an_old_ledger_is_only_looked_at(folder: Path) -> None:
    old_ledger(folder / "w" / "ledger.db")
    before = everything(folder / "w")
    assert jiuzhu(folder / "w", "import", str(folder / "in"), "--explain").returncode == 0
    assert everything(folder / "w") == before
