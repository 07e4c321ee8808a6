"""The bank's answer: what is booked, and what holds the whole file so that nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.payment.matching import outcome_of
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.payment.conftest import Desk, person

BANKS = {"rural_text": "农信社", "postal_fixed": "邮储银行", "ccb_xlsx": "建行", "card_xlsx": ""}


def exported(desk: Desk, bank: str = "rural_text", people: int = 4, reason: str = "户名不符") -> tuple[int, Path]:
    """An exported batch of one bank and its answer with the second line failed."""
    desk.roll([person(i, bank_name=BANKS[bank]) for i in range(1, people + 1)])
    number = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    desk.export()
    return number, desk.answers(number, {2: reason})[0]


def nothing_booked(desk: Desk, number: int) -> bool:
    states = {row[0] for row in desk.store.query("SELECT state FROM payment_line WHERE payment_id = ?", (number,))}
    return states == {"sent"} and desk.store.query("SELECT COUNT(*) FROM bank_return")[0][0] == 0


@pytest.mark.parametrize("bank", BANKS)
def test_a_return_is_booked_once(desk: Desk, bank: str) -> None:
    number, path = exported(desk, bank)
    read = desk.read(path)
    assert (read.succeeded, read.failed, read.missing, read.amount_fen, read.bank) == (
        3,
        1,
        0,
        10_001 + 10_003 + 10_004,
        bank,
    )
    book = read_workbook(desk.workspace.root / read.files[0]["path"]).sheets[0]
    cells = [str(cell) for column in book.columns for cell in column]
    assert "户名不符" in cells and any("核对户名" in cell for cell in cells)
    journal = desk.store.query("SELECT COUNT(*) FROM journal")[0][0]
    with pytest.raises(RefusedError) as error:
        desk.read(path)
    assert error.value.code == "already" and desk.store.query("SELECT COUNT(*) FROM journal")[0][0] == journal
    saved = path.with_name("另存.txt" if path.suffix == ".txt" else "另存.xlsx")
    if path.suffix == ".txt":  # the same answers in another file
        saved.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
        with pytest.raises(RefusedError) as error:
            desk.read(saved)
        assert error.value.code == "already"
    assert desk.batch(number)["state"] == "reconciled"


def edit(old: str, new: str) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        assert any(old in line for line in lines)
        return [line.replace(old, new) for line in lines]

    return change


TEXT_FAULTS: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "wrong total": (edit("4|400.10|", "4|400.11|"), "对不上"),
    "wrong count": (edit("4|400.10|", "5|400.10|"), "汇总写 5 笔"),
    "a line twice": (lambda ls: ["5|500.14|2026-10", *ls[1:], ls[4]], "重复"),
    "an unknown line": (
        lambda ls: ["5|500.10|2026-10", *ls[1:], "6217999999999999|100.00|王五|成功|"],
        "本批没有这一笔",
    ),
    "another amount": (
        lambda ls: [ls[0].replace("400.10", "400.11"), ls[1].replace("100.01", "100.02"), *ls[2:]],
        "金额",
    ),
    "another account": (edit("6217000000000001", "6217000000000009"), "本批没有这一笔"),
    "another name": (edit("张" + chr(0x4E01), "李四"), "户名"),
    "an unreadable result": (edit("成功", "处理中"), "看不懂"),
    "no result": (edit("成功", ""), "看不懂"),
    "both ways": (edit("成功", "成功失败"), "看不懂"),
    "a missing column": (
        lambda ls: [ls[0], ls[1].rpartition("|")[0].rpartition("|")[0].rpartition("|")[0], *ls[2:]],
        "第 2 行",
    ),
    "nothing": (lambda ls: ["0|0.00|2026-10"], "没有付款结果"),
}


@pytest.mark.parametrize("fault", TEXT_FAULTS)
def test_one_fault_holds_the_whole_file(desk: Desk, fault: str) -> None:
    number, path = exported(desk)
    change, message = TEXT_FAULTS[fault]
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    path.write_bytes("".join(line + "\r\n" for line in change(lines)).encode("gbk"))
    with pytest.raises(DataError, match=message) as error:
        desk.read(path)
    assert error.value.exit_code == 3 and nothing_booked(desk, number)


def test_a_word_of_the_banks_own_says_where_it_is_to_be_written(desk: Desk) -> None:
    number, path = exported(desk)
    lines = path.read_bytes().decode("gbk").replace("成功", "已受理")
    path.write_bytes(lines.encode("gbk"))
    with pytest.raises(DataError, match="结果看不懂（已受理）") as error:
        desk.read(path)
    assert "policy/banks/rural_text.toml" in error.value.todo and nothing_booked(desk, number)


def test_missing_lines_stay_sent_and_may_come_later(desk: Desk) -> None:
    number, path = exported(desk, reason="系统超时")
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    part = path.with_name("部分.txt")
    part.write_bytes("\r\n".join(["2|200.03|2026-10", *lines[1:3]]).encode("gbk"))
    read = desk.read(part)
    assert (read.succeeded, read.failed, read.missing) == (1, 1, 2) and desk.batch(number)["state"] == "exported"
    with pytest.raises(RefusedError):  # sent lines are not owed: only the failed one is
        desk.cancel(number)
    assert desk.draft().batch["lines"] == 1
    full = desk.read(path)  # the full answer repeats two lines and tells of two more
    assert (full.lines, full.missing) == (4, 0) and desk.batch(number)["state"] == "reconciled"


def test_a_second_answer_may_not_contradict_the_first(desk: Desk) -> None:
    number, path = exported(desk)
    desk.read(path)
    turned = path.with_name("改口.txt")
    turned.write_bytes(path.read_bytes().replace("失败|户名不符".encode("gbk"), "成功|".encode("gbk")))
    with pytest.raises(DataError, match="与已入账的结果不同"):
        desk.read(turned)
    assert desk.states()[(person(2)["id_no"], "")] == ["failed"] and number


def test_a_retrys_answer_is_not_taken_for_the_first_batchs(desk: Desk) -> None:
    number, path = exported(desk, reason="系统超时")
    desk.read(path)
    desk.draft()
    desk.lock()
    desk.approve()
    desk.export()
    answer = desk.answers(2)[0]
    unnamed = answer.with_name("回盘.txt")
    answer.rename(unnamed)
    assert desk.read(unnamed).batch["payment_id"] == 2
    assert number == 1 and desk.batch(2)["state"] == "reconciled"


def test_a_file_named_for_one_batch_with_the_lines_of_another_is_held(desk: Desk) -> None:
    number, path = exported(desk)
    other = path.with_name("rural_2026-10_01_回盘.txt")
    desk.roll([person(9, bank_name="农信社")], area="乙镇")
    second = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    desk.export()
    wrong = desk.answers(second)[0]
    other.write_bytes(wrong.read_bytes())
    with pytest.raises(DataError, match="对不上该批"):
        desk.read(other)
    with pytest.raises(DataError, match="整份未收"):
        desk.read(wrong, number=number)
    assert desk.read(wrong).batch["payment_id"] == second


def test_ambiguous_lines_are_held_equal_outcomes_are_not(desk: Desk) -> None:
    """Two programmes of one person, same sum, same account, in a file without line numbers."""
    for programme in ("disability_living_subsidy", "disability_care_subsidy"):
        desk.roll([person(1, bank_name="农信社"), person(2, bank_name="农信社")], programme=programme)
    desk.draft()
    desk.lock()
    desk.approve()
    desk.export()
    path = desk.answers(1)[0]
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    split = path.with_name("一成一败.txt")
    first = next(i for i, line in enumerate(lines) if "6217000000000001" in line)
    split.write_bytes(
        "\r\n".join([line.replace("成功", "失败") if i == first else line for i, line in enumerate(lines)]).encode(
            "gbk"
        )
    )
    with pytest.raises(DataError, match="分不清"):
        desk.read(split)
    assert desk.read(path).succeeded == 4


@pytest.mark.parametrize(
    "head",
    [
        ("顺序号", "卡号", "户名", "交易金额", "交易状态", "摘要"),
        ("序号", "收款账号", "收款人名称", "金额（元）", "处理结果", "失败原因"),
    ],
)
def test_a_workbook_is_read_by_its_headers(desk: Desk, head: tuple[str, ...]) -> None:
    _number, _path = exported(desk, "ccb_xlsx")
    rows = [
        (
            str(i),
            f"6217{i:012d}",
            person(i)["name"],
            10_000 + i,
            "失败" if i == 3 else "交易成功",
            "账户不存在" if i == 3 else "",
        )
        for i in range(1, 5)
    ]
    columns = [ColumnSpec(name, kind="amount" if "金额" in name else "text") for name in head]
    path = desk.workspace.root / "inbox" / "银行给的.xlsx"
    write_xlsx(
        path,
        [SheetSpec(name="回单", columns=columns, rows=[*rows, ("合计", "", "", 40_010, "", "")], title="代发结果明细")],
    )
    read = desk.read(path)
    assert (read.succeeded, read.failed) == (3, 1)
    assert desk.store.query("SELECT reason FROM payment_line WHERE state = 'failed'")[0][0] == "账户不存在"


def test_a_file_numbered_anew_is_matched_by_account_and_name(desk: Desk) -> None:
    exported(desk, "ccb_xlsx")
    rows = [(str(5 - i), f"6217{i:012d}", person(i)["name"], 10_000 + i, "成功") for i in range(1, 5)]
    columns = [
        ColumnSpec(name, kind="amount" if name == "金额" else "text")
        for name in ("序号", "账号", "姓名", "金额", "结果")
    ]
    path = desk.workspace.root / "inbox" / "r.xlsx"
    write_xlsx(path, [SheetSpec(name="S", columns=columns, rows=rows)])
    assert desk.read(path).succeeded == 4


def test_a_partly_paid_line_stays_under_way(desk: Desk) -> None:
    exported(desk, "ccb_xlsx")
    rows = [
        (str(i), f"6217{i:012d}", person(i)["name"], 10_000 + i, (10_000 + i) if i != 2 else 500, "成功")
        for i in range(1, 5)
    ]
    columns = [
        ColumnSpec(n, kind="amount" if "金额" in n else "text")
        for n in ("序号", "账号", "姓名", "金额", "成功金额", "结果")
    ]
    path = desk.workspace.root / "inbox" / "r.xlsx"
    write_xlsx(path, [SheetSpec(name="S", columns=columns, rows=rows)])
    read = desk.read(path)
    assert (read.succeeded, read.partial, read.amount_fen) == (3, 1, 30_008)
    assert [tuple(r) for r in desk.store.query("SELECT state, reason FROM payment_line WHERE line_no = 2")] == [
        ("sent", "部分到账：5.00 元")
    ]
    with pytest.raises(RefusedError):
        desk.draft()


def test_a_workbook_without_results_is_told(desk: Desk) -> None:
    number, _ = exported(desk, "ccb_xlsx")
    sent = next(desk.workspace.bank.rglob("ccb_*.xlsx"))
    with pytest.raises(DataError, match="结果"):
        desk.read(sent)
    assert nothing_booked(desk, number)


def test_the_exported_text_with_two_columns_more_is_understood(desk: Desk) -> None:
    desk.write_policy("rural_text", "returns = []\nreturns_summary = false\n")
    exported(desk)
    sent = next(desk.workspace.bank.rglob("rural_*.txt")).read_bytes().decode("gbk").split("\r\n")[:-1]
    path = desk.workspace.root / "inbox" / "r.txt"
    path.write_bytes("\r\n".join([sent[0], *(line + "|成功|" for line in sent[1:])]).encode("gbk"))
    assert desk.read(path).succeeded == 4


def test_what_cannot_be_a_return(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_text("x", "utf-8")
    with pytest.raises(RefusedError) as error:
        desk.read(path)
    assert error.value.code == "not_exported"
    number, _ = exported(desk)
    for data in (b"", b"\x00\xff" * 40, b"PK\x03\x04junk", "随便".encode("gbk")):
        path.write_bytes(data)
        with pytest.raises(DataError):
            desk.read(path)
    with pytest.raises(UsageError):
        desk.read(path, bank="nowhere")
    with pytest.raises(UsageError):
        desk.read(path, number=77)
    assert nothing_booked(desk, number)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("成功", "paid"), ("交易成功", "paid"), ("00", "paid"), ("发放失败", "failed"), ("失败", "failed"), ("未成功", "failed"), ("不成功", "failed"),
        ("户名不符", "failed"), ("账户不存在", "failed"), ("部分成功", "partial"), ("", ""), ("处理中", ""), ("99", ""), ("成功失败", ""), ("非成功状态", ""),
    ],
)  # fmt: skip
def test_words_of_banks(word: str, expected: str, shipped_policy: Policy) -> None:
    assert outcome_of(shipped_policy.banks["rural_text"], word) == expected


@pytest.mark.parametrize(
    ("bank", "old", "new", "reason"),
    [
        ("rural_text", "1|100.01|2026-10", "2|100.01|2026-10", "农商行.*汇总写 2 笔，实有 1 笔"),
        ("rural_text", "1|100.01|2026-10", "1|100.03|2026-10", "农商行.*汇总金额 100.03 元"),
        ("rural_text", "1|100.01|2026-10", "x|100.01|2026-10", "第 1 行读不懂.*农商行"),
        ("postal_fixed", "9     00000001", "9     00000002", "邮储.*汇总写 2 笔，实有 1 笔"),
        ("postal_fixed", "00000000010002", "0000000001000x", "第 1 行读不懂.*邮储"),
    ],
)
def test_a_return_of_several_banks_is_told_the_reason_of_its_own_layout(
    desk: Desk, bank: str, old: str, new: str, reason: str
) -> None:
    desk.roll([person(i, bank_name=name) for i, name in enumerate(BANKS.values(), start=1)])
    number = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    desk.export()
    path = next(p for p in desk.answers(number) if p.name.startswith(bank.split("_", maxsplit=1)[0]))
    text = path.read_bytes().decode("gbk")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode("gbk"))
    with pytest.raises(DataError, match=reason):
        desk.read(path.rename(path.with_name("回盘.txt")))
    assert nothing_booked(desk, number)


# -- what the first answer does not tell


def test_a_second_text_with_only_the_missing_lines_closes_the_batch(desk: Desk) -> None:
    number, path = exported(desk)
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    for name, head, rows in (("一.txt", "2|200.03|2026-10", lines[1:3]), ("二.txt", "2|200.07|2026-10", lines[3:])):
        part = path.with_name(name)
        part.write_bytes("\r\n".join([head, *rows]).encode("gbk"))
        read = desk.read(part)
        assert read.lines == 2
    assert (read.succeeded, read.missing) == (2, 0) and desk.batch(number)["state"] == "reconciled"


@pytest.mark.parametrize("anew", [False, True])
def test_a_second_workbook_with_only_the_missing_lines_closes_the_batch(desk: Desk, anew: bool) -> None:
    """Whether or not the bank numbers the rest anew from 1."""
    number, _ = exported(desk, "ccb_xlsx")
    columns = [
        ColumnSpec(n, kind="amount" if n == "金额" else "text") for n in ("序号", "账号", "姓名", "金额", "结果")
    ]
    for name, people in (("一.xlsx", (1, 2)), ("二.xlsx", (3, 4))):
        rows = [
            (str(i - people[0] + 1 if anew else i), f"6217{i:012d}", person(i)["name"], 10_000 + i, "成功")
            for i in people
        ]
        path = desk.workspace.root / "inbox" / name
        write_xlsx(path, [SheetSpec(name="S", columns=columns, rows=rows)])
        read = desk.read(path)
    assert (read.succeeded, read.missing) == (2, 0) and desk.batch(number)["state"] == "reconciled"


def test_lines_without_an_answer_are_settled_by_hand(desk: Desk) -> None:
    number, path = exported(desk, reason="系统超时")
    lines = path.read_bytes().decode("gbk").split("\r\n")[:-1]
    path.write_bytes("\r\n".join(["2|200.03|2026-10", *lines[1:3]]).encode("gbk"))
    desk.read(path)
    for faulty in ({"numbers": [9]}, {"numbers": [3], "reason": " "}):
        with pytest.raises(UsageError):
            desk.settle(number, **faulty)
    with pytest.raises(RefusedError, match="第 1 笔已有结果"):
        desk.settle(number, numbers=[1, 3])
    done = desk.settle(number, numbers=[3])
    assert (done.missing, desk.batch(number)["state"]) == (1, "exported")
    done = desk.settle(number, numbers=[4], paid=False)
    assert (done.missing, done.files[0]["lines"], desk.batch(number)["state"]) == (0, 2, "reconciled")
    assert desk.draft().batch["amount_fen"] == 10_002 + 10_004  # both failures are owed again, nothing else


def test_a_partly_paid_line_is_not_called_failed_unless_the_bank_took_it_back(desk: Desk) -> None:
    number, path = exported(desk)
    path.write_bytes(path.read_bytes().replace("失败|户名不符".encode("gbk"), "部分成功|".encode("gbk")))
    assert desk.read(path).partial == 1
    with pytest.raises(RefusedError) as error:
        desk.settle(number, numbers=[2], paid=False)
    assert error.value.code == "partly_paid"
    assert desk.settle(number, numbers=[2], paid=False, reversed_=True).missing == 0
    assert desk.draft().batch["amount_fen"] == 10_002


def test_only_what_was_sent_is_settled(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.draft()
    with pytest.raises(RefusedError) as error:
        desk.settle(1, numbers=[1])
    assert error.value.code == "not_exported"
