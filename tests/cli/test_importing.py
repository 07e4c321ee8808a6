"""What an import gives back besides the record: all findings in a file, exit codes by file and folder, the progress line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from wcwidth import wcswidth

from jiuzhu_cli.cli.progress import ProgressLine
from jiuzhu_cli.core.mask import find_personal_numbers
from jiuzhu_cli.tabular.read import read_workbook
from tests.intake.lists import PERSON_HEADER, person_rows, workbook
from tests.support import make_workspace


def jiuzhu(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(folder / "ws"), "--today", "2026-11-21", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_workspace(tmp_path / "ws")
    rows = person_rows(range(1, 25))
    workbook(tmp_path / "来表" / "东城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, rows)
    bad = person_rows(range(31, 61))
    for row in bad[:5]:
        row[2] = str(row[2])[:-1]
    workbook(tmp_path / "来表" / "西城街道2026年10月高龄津贴.xlsx", PERSON_HEADER, bad)
    return tmp_path


def test_all_findings_in_a_file(folder: Path) -> None:
    done = jiuzhu(folder, "--json", "import", str(folder / "来表"), "--findings", str(folder / "问题.json"))
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    found = json.loads((folder / "问题.json").read_text("utf-8"))
    assert len(found) == sum(table["findings"] for table in document["files"]) == 5
    assert all(table["messages_cut"] == 0 for table in document["files"])
    assert found[0] == {
        "file": "西城街道2026年10月高龄津贴.xlsx", "sheet": "Sheet", "row": 2, "column": "C", "header": "身份证号", "field": "身份证号",
        "code": "id_length", "severity": "error", "shown": found[0]["shown"], "message": found[0]["message"], "todo": found[0]["todo"],
        "batch": 2,
    }  # fmt: skip
    assert "*" in found[0]["shown"] and found[0]["message"] and found[0]["todo"]
    for suffix in ("csv", "xlsx"):
        assert (
            jiuzhu(folder, "import", str(folder / "来表"), "--findings", str(folder / f"问题.{suffix}")).returncode == 3
        )
    table = list(csv.reader((folder / "问题.csv").read_text("utf-8-sig").splitlines()))
    assert table[0][:4] == ["文件", "工作表", "行", "列"] and len(table) == 6 and table[1][7] == "拒收"
    [sheet] = read_workbook(folder / "问题.xlsx").sheets
    assert "西城街道2026年10月高龄津贴.xlsx" in list(sheet.columns[0])
    assert find_personal_numbers((folder / "问题.csv").read_text("utf-8-sig")) == []
    wrong = jiuzhu(folder, "import", str(folder / "来表"), "--findings", str(folder / "问题.doc"))
    assert wrong.returncode == 2 and ".csv" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "accepted", "code"),
    [
        ((), [24, 25], 3),
        (("--accept-valid",), [24, 25], 3),
        (("--strict",), [24, 0], 3),
        (("--max-bad-pct", "10"), [24, 0], 3),
        (("--max-bad-pct", "20"), [24, 25], 3),
        (("--strict", "--accept-valid"), [], 2),
    ],
)
def test_a_bad_file_does_not_keep_the_good_one_out(
    folder: Path, words: tuple[str, ...], accepted: list[int], code: int
) -> None:
    done = jiuzhu(folder, "--json", "import", str(folder / "来表"), *words)
    assert done.returncode == code
    document = json.loads(done.stdout)
    assert [table["accepted"] for table in document.get("files", [])] == accepted
    if accepted and not accepted[1]:
        bad = document["files"][1]
        assert (bad["status"], bad["batch"], bad["remainder_file"]) == ("refused", None, None)
        assert bad["errors_file"] and "整份退回" in bad["note"] and bad["todo"]


def test_a_trial_run_shows_last_month_and_keeps_nothing(folder: Path) -> None:
    assert jiuzhu(folder, "import", str(folder / "来表" / "东城街道2026年10月高龄津贴.xlsx")).returncode == 0
    next_month = workbook(folder / "东城街道2026年11月高龄津贴.xlsx", PERSON_HEADER, person_rows(range(1, 9)))
    tried = jiuzhu(folder, "--dry-run", "import", str(next_month))
    assert tried.returncode == 4 and "与上月比" in tried.stdout and "--accept-change" in tried.stdout
    taken = jiuzhu(folder, "--dry-run", "--json", "import", "--accept-change", str(next_month))
    assert taken.returncode == 0 and json.loads(taken.stdout)["files"][0]["last_month"]["withdrawn"] == 16
    assert len(json.loads(jiuzhu(folder, "--json", "batch", "list").stdout)["batches"]) == 1
    assert find_personal_numbers(tried.stdout) == []


def test_the_progress_line(tmp_path: Path) -> None:
    files = [tmp_path / f"城关镇{number}月城乡居民最低生活保障金发放花名册.xlsx" for number in range(4)]
    for file in files:
        file.write_bytes(b"x" * 1000)
    written: list[str] = []
    now = [0.0]
    line = ProgressLine(written.append, lambda: now[0], lambda: 60)
    with line:
        line.start([*files, tmp_path / "包.zip" / "里面.xlsx"])
        line.begin(files[0])
        assert "1/5" in line.text() and wcswidth(line.text()) < 60
        now[0] = 10
        line.end(files[0], 500)
        line.begin(files[1])
        assert "已读 500 行，每秒 50 行" in line.text() and "还要 30 秒" in line.text()
        line.end(files[0], 500)  # looked at again
        assert "已读 500 行" in line.text() and "2/5" in line.text()
        with line.hidden():
            count = len(written)
            line.begin(files[2])
            assert len(written) == count
    assert written[-1].strip("\r ") == "" and wcswidth(written[-1].strip("\r")) >= 50


def test_ctrl_c_leaves_no_line(tmp_path: Path) -> None:
    written: list[str] = []

    def interrupted() -> None:
        with ProgressLine(written.append, lambda: 0.0, lambda: 80) as line:
            line.start([tmp_path / "a.xlsx"])
            line.begin(tmp_path / "a.xlsx")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert written[-1].strip("\r ") == ""


def test_bar_within_a_file(tmp_path: Path) -> None:
    """How much of a large file is read, how fast, and what is left of its time; then what is being done with it."""
    file = tmp_path / "城关镇.xlsx"
    file.write_bytes(b"x" * 1000)
    now = [0.0]
    line = ProgressLine(lambda text: None, lambda: now[0], lambda: 100)
    line.start([file])
    line.begin(file)
    now[0] = 4
    line.within(file, 0.5, 100_000)
    assert line.text() == "正在读 城关镇.xlsx　1/1 █████░░░░░ 50%　已读 100,000 行，每秒 25,000 行　还要 16 秒"
    line.within(file, 1.0, 200_000)
    assert line.text().startswith("正在核对 城关镇.xlsx　1/1 ██████████ 100%")
    line.end(file, 199_998)
    assert line.text() == "正在登记 城关镇.xlsx　1/1　已读 199,998 行　已用 4 秒"
    assert wcswidth(line.text()) < 100
