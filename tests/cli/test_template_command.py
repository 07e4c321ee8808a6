"""jiuzhu template: where the form goes, that nothing filled in is lost, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.support import make_workspace


def jiuzhu(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(workspace), "--today", "2026-11-21", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "w").root


def made(work: Path, *words: str) -> Path:
    done = jiuzhu(work, "template", *words, "--json")
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["path"])


def test_a_form_that_was_filled_in_is_never_written_over(work: Path) -> None:
    first = made(work, "低保", "--month", "2026-10", "--area", "城关镇")
    assert (
        first == work / "out" / "template" / "城关镇2026-10最低生活保障模板.xlsx"
        and first.stat().st_mode & 0o777 == 0o600
    )
    assert made(work, "低保", "--month", "2026-10", "--area", "城关镇") == first  # as written: the same file
    book = openpyxl.load_workbook(first)
    book.worksheets[0]["B4"] = "东风村"
    book.save(first)
    kept = first.read_bytes()
    second = made(work, "低保", "--month", "2026-10", "--area", "城关镇")
    assert second.name == "城关镇2026-10最低生活保障模板_2.xlsx" and first.read_bytes() == kept


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["没有的项目"], 2),
        (["低保", "--month", "2026-13"], 2),
        (["低保", "--area", "../../x"], 2),
        (["低保", "--area", "=1+1"], 2),
        (["低保", "-o", "x.xls"], 2),
        (["低保", "-o", "{there}"], 4),
        (["低保", "-o", "/proc/nowhere/x.xlsx"], 5),
    ],
)
def test_what_is_refused(work: Path, words: list[str], code: int) -> None:
    there = work / "在.xlsx"
    there.write_bytes(b"mine")
    done = jiuzhu(work, "template", *(word.format(there=there) for word in words))
    assert (done.returncode, done.stderr[:3], there.read_bytes()) == (code, "错误：", b"mine"), done.stderr
