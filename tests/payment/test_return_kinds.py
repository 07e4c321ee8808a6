"""What banks send back in practice: failures only, masked accounts, columns of their own, combined transfers, money sent back late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.payment import settlement
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.payment.conftest import Desk, person
from tests.payment.test_returns import exported


def workbook(
    desk: Desk, heads: list[str], rows: list[tuple[Any, ...]], name: str = "回盘.xlsx", title: str = ""
) -> Path:
    path = desk.workspace.root / "inbox" / name
    columns = [
        ColumnSpec(head, kind="amount" if "金额" in head and rows and isinstance(rows[0][i], int) else "text")
        for i, head in enumerate(heads)
    ]
    write_xlsx(path, [SheetSpec(name="S", columns=columns, rows=rows, title=title)])
    return path


def states(desk: Desk) -> list[str]:
    return [row[0] for row in desk.store.query("SELECT state FROM payment_line ORDER BY line_no")]


def cells(path: Path) -> str:
    return str([[str(cell) for cell in column] for column in read_workbook(path).sheets[0].columns])


# -- columns ------------------------------------------------------------------------------------------------


def test_a_bank_may_reorder_add_and_drop_columns_and_group_digits(desk: Desk) -> None:
    exported(desk, "ccb_xlsx")
    heads = ["交易日期", "处理结果", "交易金额", "账户名称", "网点", "卡号", "失败原因"]
    rows = [
        ("20261028", "成功", f"{(10_000 + i) / 100:,.2f}", person(i)["name"], "城东", person(i)["account_no"], "")
        for i in (3, 1, 4)
    ]
    rows.append(("20261028", "失败", "100.02", person(2)["name"], "", person(2)["account_no"], "E12 该账户已销户"))
    rows.append(("", "", "400.10", "合计", "", "", ""))
    read = desk.read(workbook(desk, heads, rows, title="某行代发结果清单"))
    assert (read.succeeded, read.failed, read.missing, read.by_reason) == (3, 1, 0, {"account_closed": 1})
    assert tuple(desk.store.query("SELECT reason, reason_code FROM payment_line WHERE state = 'failed'")[0]) == (
        "E12 该账户已销户",
        "account_closed",
    )


def test_amounts_with_thousands_separators_are_yuan(desk: Desk) -> None:
    desk.roll([person(1, amount_fen=1_234_567, bank_name="农信社")])
    desk.draft(), desk.lock(), desk.approve(), desk.export()
    path = desk.answers(1)[0]
    path.write_bytes(path.read_bytes().replace(b"12345.67", b"12,345.67"))
    assert desk.read(path).amount_fen == 1_234_567


def test_a_masked_account_is_matched_by_number_and_what_is_left_of_it(desk: Desk) -> None:
    exported(desk, "ccb_xlsx")
    heads = ["序号", "账号", "姓名", "金额", "结果"]

    def rows(wrong: int = 0) -> list[tuple[Any, ...]]:
        return [
            (str(i), f"6217******{i + (i == wrong):04d}", person(i)["name"], 10_000 + i, "成功") for i in range(1, 5)
        ]

    with pytest.raises(DataError, match="账号与序号 4 的不同"):
        desk.read(workbook(desk, heads, rows(4), "错.xlsx"))
    assert desk.read(workbook(desk, heads, rows())).succeeded == 4


def test_without_accounts_number_and_name_must_agree(desk: Desk) -> None:
    exported(desk, "ccb_xlsx")
    heads = ["序号", "姓名", "金额", "结果"]
    good = [(str(i), person(i)["name"], 10_000 + i, "成功") for i in range(1, 5)]
    with pytest.raises(DataError, match="账号与序号"):
        desk.read(workbook(desk, heads, [*good[:3], ("4", "李四", 10_004, "成功")], "错.xlsx"))
    assert desk.read(workbook(desk, heads, good)).succeeded == 4


def test_the_banks_word_stands_for_the_reason_where_it_gives_no_other(desk: Desk) -> None:
    exported(desk, "ccb_xlsx")
    rows = [
        (str(i), person(i)["account_no"], person(i)["name"], 10_000 + i, "成功" if i != 2 else "交易失败-账户冻结")
        for i in range(1, 5)
    ]
    assert desk.read(workbook(desk, ["序号", "账号", "姓名", "金额", "结果"], rows)).by_reason == {"account_frozen": 1}


def test_words_never_seen_are_kept_and_counted_as_other(desk: Desk) -> None:
    number, path = exported(desk, reason="Z77 月相不合")
    read = desk.read(path)
    assert read.by_reason == {"other": 1} and len(read.mending) == 1
    assert tuple(desk.store.query("SELECT reason, reason_code FROM payment_line WHERE state = 'failed'")[0]) == (
        "Z77 月相不合",
        "other",
    )
    assert "Z77 月相不合" in cells(desk.workspace.root / read.files[0]["path"]) and number


# -- failures only -----------------------------------------------------------------------------------------


def only_failures(desk: Desk) -> tuple[int, Path]:
    desk.write_policy("ccb_xlsx", "returns_only_failures = true\n")
    number, _ = exported(desk, "ccb_xlsx")
    row = ("2", person(2)["account_no"], person(2)["name"], 10_002, "账户已销户")
    return number, workbook(desk, ["序号", "账号", "姓名", "金额", "失败原因"], [row], "失败清单.xlsx")


def rest(
    desk: Desk, number: int, actor: str, bank: str = "", reason: str = "银行10月28日书面确认"
) -> settlement.Settled:
    return settlement.settle_rest(
        desk.store, desk.policy, desk.batch(number), bank, reason=reason, actor=actor, now=desk.now
    )


def test_what_a_bank_of_failures_only_does_not_name_is_paid_only_when_another_person_says_so(desk: Desk) -> None:
    number, path = only_failures(desk)
    read = desk.read(path)
    assert (read.succeeded, read.failed, read.missing, read.only_failures) == (0, 1, 3, True)
    assert states(desk) == ["sent", "failed", "sent", "sent"]
    with pytest.raises(RefusedError) as error:
        rest(desk, number, "张 经办")
    assert error.value.code == "own_confirmation"
    with pytest.raises(UsageError):
        rest(desk, number, "李审批", reason=" ")
    with pytest.raises(UsageError, match="不是只回失败的格式"):
        rest(desk, number, "李审批", bank="rural_text")
    done = rest(desk, number, "李审批")
    assert (done.lines, done.amount_fen, done.missing) == (3, 30_008, 0) and desk.batch(number)["state"] == "reconciled"
    with pytest.raises(RefusedError):
        rest(desk, number, "李审批")
    assert states(desk) == ["paid", "failed", "paid", "paid"]
    detail = desk.store.query("SELECT detail FROM journal WHERE command = 'pay settle'")[-1][0]
    assert "银行10月28日书面确认" in detail and '"lines": 3' in detail


def test_a_list_without_a_row_says_that_none_failed_and_pays_nobody(desk: Desk) -> None:
    number, _ = only_failures(desk)
    read = desk.read(workbook(desk, ["序号", "账号", "姓名", "金额", "失败原因"], [], "空.xlsx"))
    assert (read.lines, read.failed, read.missing) == (0, 0, 4) and set(states(desk)) == {"sent"}
    with pytest.raises(RefusedError):
        desk.read(desk.workspace.root / "inbox" / "空.xlsx")
    assert rest(desk, number, "李审批").lines == 4


def test_a_bank_that_names_every_row_is_not_taken_for_one_of_failures_only(desk: Desk) -> None:
    number, _ = exported(desk, "ccb_xlsx")
    row = ("2", person(2)["account_no"], person(2)["name"], 10_002, "失败", "账户已销户")
    read = desk.read(workbook(desk, ["序号", "账号", "姓名", "金额", "结果", "失败原因"], [row]))
    assert (read.failed, read.missing, read.only_failures) == (1, 3, False)
    with pytest.raises(UsageError):
        rest(desk, number, "李审批")


# -- held, and why -----------------------------------------------------------------------------------------


def test_every_row_that_held_a_file_back_is_listed(desk: Desk) -> None:
    people = 30
    number, path = exported(desk, people=people)
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    turned = [line.replace("|成功|", "|处理中|") for line in lines[1:]]
    path.write_bytes("\r\n".join([lines[0], *turned]).encode("gbk"))
    with pytest.raises(DataError) as error:
        desk.read(path)
    assert "另有 9 处" in error.value.message and error.value.code == "held_return"
    [listed] = (desk.workspace.internal / "pay").rglob("回盘未收_*.xlsx")
    text = cells(listed)
    assert text.count("结果看不懂") == people - 1 and person(5)["account_no"] not in text
    assert str(listed.name) in error.value.todo and set(states(desk)) == {"sent"}
    entries = desk.store.query("SELECT COUNT(*) FROM journal")[0][0]
    with pytest.raises(DataError):
        desk.read(path)
    assert desk.store.query("SELECT COUNT(*) FROM journal")[0][0] == entries and number


def test_money_sent_back_late_is_pointed_to_the_correction(desk: Desk) -> None:
    number, path = exported(desk, reason="系统超时")
    desk.read(path)
    late = path.with_name("退汇.txt")
    late.write_bytes(
        f"1|100.03|2026-10\r\n{person(3)['account_no']}|100.03|{person(3)['name']}|失败|账户已销户\r\n".encode("gbk")
    )
    with pytest.raises(DataError, match="是退汇") as error:
        desk.read(late)
    assert error.value.code == "late_failure" and f"jiuzhu pay reverse --batch {number} --line 3" in error.value.todo
    assert states(desk)[2] == "paid"


def test_a_success_after_a_failure_is_not_taken(desk: Desk) -> None:
    _, path = exported(desk)
    desk.read(path)
    later = path.with_name("后来.txt")
    later.write_bytes(
        f"1|100.02|2026-10\r\n{person(2)['account_no']}|100.02|{person(2)['name']}|成功|\r\n".encode("gbk")
    )
    with pytest.raises(DataError, match="可能已另行补发") as error:
        desk.read(later)
    assert error.value.code == "contradicts" and states(desk)[1] == "failed"


# -- several lines in one transfer ------------------------------------------------------------------------


def combined(desk: Desk) -> tuple[int, list[Path]]:
    desk.configure("[payment]", "[payment]\ncombine_payees = true")
    severe = "disability_care_subsidy"
    desk.roll([person(i, bank_name="建行") for i in range(1, 4)], compare=False)
    desk.roll([person(i, bank_name="建行", amount_fen=500 + i) for i in (1, 2)], programme=severe)
    number = desk.draft().batch["payment_id"]
    desk.lock(), desk.approve(), desk.export()
    return number, desk.answers(number, {1: "账户已销户"})


def test_the_result_of_a_transfer_is_that_of_all_its_lines(desk: Desk) -> None:
    number, [path] = combined(desk)
    pairs = [tuple(row) for row in desk.store.query("SELECT line_no, transfer_no FROM payment_line ORDER BY line_no")]
    first = [line for line, transfer in pairs if transfer == 1]
    assert len(first) == 2 and len(pairs) == 5
    read = desk.read(path)
    assert (read.lines, read.succeeded, read.failed, read.missing) == (3, 2, 1, 0) and desk.batch(number)[
        "state"
    ] == "reconciled"
    found = {row[0]: row[1] for row in desk.store.query("SELECT line_no, state FROM payment_line")}
    assert {line for line, state in found.items() if state == "failed"} == set(first)
    [form] = read.mending
    assert form["lines"] == 1 and "P1-1" in cells(desk.workspace.root / form["path"])


def test_one_line_of_a_transfer_is_settled_with_the_others(desk: Desk) -> None:
    number, _ = combined(desk)
    done = desk.settle(number, numbers=[1], paid=False, reason="银行电话答复账户已销户")
    assert done.lines == 2 and sum(done.amount_fen for _ in "1") == 10_001 + 501
    codes = {row[0] for row in desk.store.query("SELECT reason_code FROM payment_line WHERE state = 'failed'")}
    assert codes == {"account_closed"}
