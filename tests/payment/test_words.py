"""What the clerk reads: refusals that say what there is instead, sums that add up, lists made for paper."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.cli.context import Context
from jiuzhu_cli.cli.main import build_command
from jiuzhu_cli.core.errors import JiuzhuError, OutsideError, RefusedError
from jiuzhu_cli.payment import approvals
from jiuzhu_cli.payment.layout import read_bytes
from tests.payment.conftest import LIVING, MONTH, Desk, person
from tests.support import make_id

ANY = ("draft", "locked", "approved", "exported", "reconciled", "cancelled")


def choose(*states: str, otherwise: tuple[str, ...] = (), month: str = "") -> Callable[[Desk], Any]:
    return lambda desk: approvals.choose(desk.store, states, month=month, otherwise=otherwise)


def refusal(desk: Desk, step: Callable[[Desk], Any]) -> JiuzhuError:
    with pytest.raises(RefusedError) as error:
        step(desk)
    return error.value


def test_what_is_said_when_no_batch_waits_for_the_step(desk: Desk) -> None:
    for step in (choose("draft"), choose(otherwise=ANY), choose("draft", "locked", "approved")):
        assert refusal(desk, step).message == "还没有付款批次"
    error = refusal(desk, choose("draft", month=MONTH))
    assert (error.message, error.todo) == (f"{MONTH} 还没有付款批次", f"先制单：jiuzhu pay draft --month {MONTH}")
    desk.roll([person(1)])
    desk.draft()
    error = refusal(desk, choose("exported"))
    assert (error.message, error.todo) == (f"没有等待回盘的批次（{MONTH} 第 1 批草稿）", "先锁定：jiuzhu pay lock")
    desk.lock()
    assert refusal(desk, choose("draft")).message == f"没有等待锁定的批次（{MONTH} 第 1 批已锁定）"
    desk.approve(actor="李科长")
    error = refusal(desk, lambda desk: desk.approve(1, actor="王科长"))
    assert (error.message, error.todo) == ("第 1 批已由 李科长 审批过，现在已审批", "导出银行文件：jiuzhu pay export")
    desk.export()
    error = refusal(desk, choose("draft"))
    assert error.message == f"没有等待锁定的批次（{MONTH} 第 1 批已导出）" and "jiuzhu pay return" in error.todo
    assert (
        refusal(desk, choose("draft", "locked", "approved")).message == f"没有可以取消的批次（{MONTH} 第 1 批已导出）"
    )


def test_a_file_that_cannot_be_read_is_told_in_chinese(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="没有这个文件"):
        read_bytes(tmp_path / "没有.txt")


def test_the_sums_of_a_draft_add_up(desk: Desk) -> None:
    rows = [person(i) for i in range(1, 7)] + [person(7, account_no="", bank_name="建行")]
    first = desk.roll([*rows, person(7, account_no=""), person(8)])  # 7 stands twice: each of its cases is held
    number = desk.draft().batch["payment_id"]
    held = 2 * 10_007
    desk.lock(), desk.approve(), desk.export()
    for path in desk.answers(number, {2: "系统超时"}):
        desk.read(path)
    desk.decision(1, make_id(8), "increase", 10_008, 15_000)
    desk.doubt(1, (make_id(2), LIVING, "甲镇"), (make_id(99), LIVING, "乙镇"))
    desk.supersede(first, [*rows, person(7, account_no=""), person(8), person(9)])
    desk.compare()
    made = desk.draft(override="区专题会议纪要")
    sums, data = made.sums, made.as_json()
    assert sums.rolls == sum(10_000 + i for i in range(1, 10)) + 10_007
    assert sums.due == sums.rolls + 15_000 - 10_008 == made.batch["amount_fen"] + sums.held + sums.already
    assert sums.held == held + 15_000  # who was paid by the old amount is told of, and held
    assert (data["held"], data["held_fen"], data["already_fen"]) == (3, sums.held, sums.already)
    assert made.released == {"doubt_open": 1}
    book, table = (desk.workspace.root / path for path in made.files)
    cells = [list(row) for row in openpyxl.load_workbook(book).active.iter_rows(values_only=True)]
    codes = [row[-1] for row in csv.reader(table.read_text("utf-8-sig").splitlines())]
    assert codes[0] == "代码" and "no_account" in "".join(codes[1:]) and "no_account" not in str(cells)
    assert (cells[-1][0], cells[-1][4]) == ("合计", sums.held / 100) and len(cells) == 2 + made.held + 1


def test_what_another_reason_still_holds_was_not_let_through(desk: Desk) -> None:
    desk.roll([person(1), person(2, account_no=""), person(3)])
    for i in (1, 2):
        desk.doubt(i, (make_id(i), LIVING, "甲镇"), (make_id(90 + i), LIVING, "乙镇"))
    made = desk.draft(override="区专题会议纪要")
    assert (made.batch["lines"], made.released, made.holds_by_code) == (2, {"doubt_open": 1}, {"no_account": 1})
    text = (desk.workspace.root / made.files[1]).read_text("utf-8-sig")
    assert "没有账号" in text and "疑点未核实" not in text


def test_the_cover_is_made_for_paper(desk: Desk) -> None:
    desk.roll([person(1, bank_name="农行"), person(2, bank_name="建行"), person(3)])
    desk.draft()
    desk.lock(), desk.approve()
    made = desk.export()
    book = openpyxl.load_workbook(desk.workspace.root / made.cover)
    for sheet in book:
        cells = [list(row) for row in sheet.iter_rows(values_only=True)]
        assert cells[-1][0] == "合计" and cells[-1][2:4] == [3, 300.06]
        assert not any(
            isinstance(c, str) and (made.files[0]["sha256"][:17] in c or "UTC" in c) for row in cells for c in row
        )
    notes = "".join(str(book["汇总"].cell(row, 1).value) for row in (2, 3))
    assert f"导出时间：{MONTH}-25 10:" in notes and desk.batch(1)["control_sha256"][:16] in notes
    full = json.loads((desk.workspace.root / made.manifest).read_text("utf-8"))
    assert full["control_sha256"] == desk.batch(1)["control_sha256"] and len(full["files"][0]["sha256"]) == 64
    failed = [
        f["path"]
        for path in desk.answers(1, {1: "户名不符", 2: "户名不符", 3: "户名不符"})
        for f in desk.read(path).files
    ]
    assert sorted(Path(path).stem.rpartition("_")[2] for path in failed) == ["农业银行", "建设银行", "财政一卡通"]


Say = Callable[..., str]


@pytest.fixture
def say(desk: Desk, capsys: pytest.CaptureFixture[str]) -> Say:
    """A command in this process; what it prints, runs of blanks as one. ``refused``: the exit code it must end with."""

    def run(*words: str, refused: int = 0, **flags: bool) -> str:
        capsys.readouterr()
        context = Context.make(desk.workspace.root, f"{MONTH}-28", "王经办", flags)
        text = ""
        try:
            build_command().main(args=list(words), prog_name="jiuzhu", standalone_mode=False, obj=context)
        except JiuzhuError as error:
            assert error.exit_code == refused, error
            text = f"{error.message}\n{error.todo}"
        else:
            assert not refused
        finally:
            context.finish()
        return "\n".join(" ".join(line.split()) for line in (capsys.readouterr().out + text).splitlines())

    return run


def test_draft_show_and_settle_as_the_clerk_sees_them(desk: Desk, say: Say) -> None:
    desk.roll([*(person(i) for i in range(1, 5)), person(5, account_no="")])
    text = say("pay", "draft", "--month", MONTH)
    assert "名册应发 5 笔 500.15 元 = 制单 4 笔 400.10 + 拦下 1 笔 100.05 + 已发或在途 0 笔 0.00" in text
    assert "名单：out/internal/pay" in text and "名单：" not in say("pay", "draft", "--month", MONTH, dry_run=True)
    desk.lock(), desk.approve(), desk.export()
    answer = desk.answers(1, {4: "户名不符"})[0]
    book = openpyxl.load_workbook(answer)
    sheet = book.active
    at = next(r for r in range(1, sheet.max_row + 1) if any("张" in str(c.value) for c in sheet[r]))
    sheet.delete_rows(at, 2)  # the bank says nothing of the first two
    book.save(answer)
    assert "没有回音 2 笔" in say("pay", "return", str(answer))
    text = say("pay", "show")
    assert "没有回音或部分到账的 2 笔" in text and "jiuzhu pay settle --batch 1 --line 序号 --paid" in text
    assert "没有账号 1" in text and "card_xlsx" not in text and "no_account" not in text
    data = json.loads(say("pay", "show", "1", json=True))
    assert [line["line_no"] for line in data["under_way"]] == [1, 2] and data["holds_by_code"] == {"no_account": 1}
    for words in (["--paid", "--failed"], []):
        assert "要写一个" in say("pay", "settle", "--line", "1", "--reason", "回单", *words, refused=2)
    text = say("pay", "settle", "--line", "1", "--paid", "--reason", "银行电话答复已入账")
    assert "第 1 批 1 笔 100.01 元记作到账，还有 1 笔没有回音" in text
    text = say("pay", "settle", "--line", "2", "--failed", "--reason", "银行电话答复账户已销")
    assert "记作失败，还有 0 笔没有回音" in text and "失败名单：" in text and "jiuzhu pay draft --month" in text
    assert "已对账" not in (text := say("pay", "show")) and "没有回音" not in text
    assert "已由 李审批 审批过，现在已对账" in say("pay", "approve", refused=4)
    assert f"没有等待回盘的批次（{MONTH} 第 1 批已对账）" in say(
        "pay", "settle", "--line", "1", "--paid", "--reason", "回单", refused=4
    )
    assert desk.states()[(make_id(1), "")] == ["paid"] and desk.states()[(make_id(2), "")] == ["failed"]
