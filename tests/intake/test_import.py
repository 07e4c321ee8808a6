"""``jiuzhu import`` and ``jiuzhu batch`` as a script sees them: JSON, exit codes, files, nothing personal on the screen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.mask import find_personal_numbers
from tests.intake.lists import PERSON_HEADER, person_rows, workbook
from tests.support import make_id, make_workspace

KEYS = (
    "file sheet kind programme area month batch status rows accepted refused findings added changed withdrawn unchanged"
    " amount_fen stated_total_fen errors_file remainder_file"
).split()


def jiuzhu(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(workspace), "--today", "2026-11-21", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_workspace(tmp_path / "ws")
    rows = person_rows(range(1, 9))
    rows[2][2] = str(rows[2][2])[:-1]
    workbook(tmp_path / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, rows)
    return tmp_path


def test_json_of_an_import_and_its_repetition(folder: Path) -> None:
    path = str(folder / "东城街道2026年10月高龄津贴.xlsx")
    done = jiuzhu(folder / "ws", "--json", "import", path)
    assert done.returncode == 3, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    [table] = document["files"]
    assert set(KEYS) <= table.keys()
    assert (table["kind"], table["programme"], table["area"], table["month"]) == (
        "roll", "old_age_allowance", "东城街道", "2026-10",
    )  # fmt: skip
    assert (table["rows"], table["accepted"], table["refused"], table["amount_fen"]) == (8, 7, 1, 70000)
    assert table["findings"] == 1
    assert table["messages"][0]["code"] == "id_length"
    assert table["messages"][0]["cell"] == "C4"
    assert (folder / "ws" / table["errors_file"]).is_file()
    assert (folder / "ws" / table["remainder_file"]).is_file()
    assert find_personal_numbers(done.stdout) == []
    again = json.loads(jiuzhu(folder / "ws", "--json", "import", path).stdout)["files"][0]
    assert (again["status"], again["batch"], again["unchanged"]) == ("already", table["batch"], 7)


def test_the_screen_says_what_to_do_and_shows_nobody(folder: Path) -> None:
    done = jiuzhu(folder / "ws", "import", str(folder / "东城街道2026年10月高龄津贴.xlsx"))
    assert "身份证号应为 18 位" in done.stdout
    assert "待改正的行" in done.stdout
    assert "下一步" in done.stdout
    assert find_personal_numbers(done.stdout + done.stderr) == []
    assert make_id(1) not in done.stdout
    shown = jiuzhu(folder / "ws", "batch", "show", "1")
    assert shown.returncode == 0
    assert "身份证号" in shown.stdout
    assert find_personal_numbers(shown.stdout) == []
    assert "东城街道" in jiuzhu(folder / "ws", "batch", "list", "--month", "2026-10").stdout
    assert jiuzhu(folder / "ws", "--yes", "batch", "undo", "1").returncode == 0
    assert jiuzhu(folder / "ws", "--yes", "batch", "undo", "1").returncode == 4
    assert jiuzhu(folder / "ws", "batch", "show", "7").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-file.xlsx"],
        [".", "--replace", "--append"],
        [".", "--strict", "--accept-valid"],
        [".", "--month", "十月"],
        [".", "--programme", "没有这个项目"],
        [".", "--map", "金额"],
        [".", "--amount-level", "maybe"],
    ],
)
def test_wrong_usage(folder: Path, words: list[str]) -> None:
    done = jiuzhu(folder / "ws", "import", *words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_a_trial_run_leaves_no_trace(folder: Path) -> None:
    before = (folder / "ws" / "ledger.db").read_bytes()
    done = jiuzhu(folder / "ws", "--dry-run", "import", str(folder / "东城街道2026年10月高龄津贴.xlsx"))
    assert done.returncode == 3
    assert (folder / "ws" / "ledger.db").read_bytes() == before
    assert not (folder / "ws" / "out" / "internal" / "import").exists()


def test_a_file_asked_for_by_name_must_hold_a_list(folder: Path) -> None:
    other = workbook(folder / "食堂菜单.xlsx", ["星期", "菜"], [["一", "白菜"], ["二", "豆腐"]])
    assert jiuzhu(folder / "ws", "import", str(other)).returncode == 3
