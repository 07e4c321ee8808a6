"""What a terminal of 100 columns gets; what a script gets: whole paths, one document also of a wrong command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from wcwidth import wcswidth

from jiuzhu_cli.cli.context import TERMINAL, _absolute, first_few, moment, shorten, table
from jiuzhu_cli.cli.privacy import masked
from jiuzhu_cli.cli.words import entity, journal_detail


@pytest.mark.parametrize("words", [1, 3, 9])
def test_a_table_fits_the_terminal_and_loses_nothing(words: int) -> None:
    text = "花名册没有家庭金融资产列，财产没有核对" * words
    shown = table(
        [("最低生活保障", text, "1,234.50", "out/internal/x.xlsx")] * 3, ["项目", "说明", "金额（元）", "文件"]
    )
    assert max(wcswidth(line) for line in shown.splitlines()) <= TERMINAL
    assert sum(line.count("财") for line in shown.splitlines()) == 3 * words


def test_figures_stand_right_and_ids_stay_text() -> None:
    shown = table([("甲", "1,000.00", "421002********3482"), ("乙", "2.00", "")], ["项目", "金额（元）", "身份证号"])
    rows = shown.splitlines()[2:]
    assert rows[0].index("1,000.00") + len("1,000.00") == rows[1].index("2.00") + len("2.00")
    assert "421002********3482" in rows[0]


def test_a_long_name_keeps_both_ends() -> None:
    short = shorten("2026.10花园街道民政救助台账发放表.xlsx", 20)
    assert wcswidth(short) <= 20 and short.startswith("2026.10") and short.endswith(".xlsx") and "…" in short
    assert shorten("低保.xlsx", 20) == "低保.xlsx"


def test_scripts_are_told_whole_paths_also_of_a_trial_run() -> None:
    told = _absolute(
        {"csv": "/scratch/out/a.csv", "files": [{"path": "out/b.xlsx", "file": "out/x"}]}, "/scratch", "/real"
    )
    assert told == {"csv": "/real/out/a.csv", "files": [{"path": "/real/out/b.xlsx", "file": "out/x"}]}


def test_wrong_usage_with_json_is_one_document(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "jiuzhu_cli", "dedupe", "run", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 2
    assert json.loads(ran.stdout)["error"]["exit"] == 2


def test_words_for_people() -> None:
    assert moment("2026-10-22T17:30:00Z") == "2026-10-23 01:30"
    assert entity("payment:1") == "付款批次 1"
    assert (entity("payment_papers:3"), entity("held_return:3"), entity("line:7")) == (
        "单据 3",
        "未收的回盘 3",
        "付款明细 7",
    )
    assert journal_detail('{"kind": "back_pay"}', {}) == "补发以前月份"
    assert journal_detail('{"amount_fen": 1050, "lines": 2, "policy": "ab"}', {}) == "金额 10.50 元，笔数 2"
    assert first_few([str(n) for n in range(5)], 3)[-1] == "…… 还有 2 条，加 --json 看全部"


def test_names_that_stand_only_in_sentences_are_masked() -> None:
    shown = masked(
        {"person": {"name": "姜英霞", "id_no": "421002196403036366"}, "reasons": "家庭成员李波勇已死亡"}, {"李波勇"}
    )
    assert "李波勇" not in json.dumps(shown, ensure_ascii=False) and "姜英霞" not in str(shown)
