"""Failed lines go out on a form for each town, come back by import filled in, and are paid by a retry batch into the mended account."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.identity import check_char
from jiuzhu_cli.intake.batch import import_paths
from jiuzhu_cli.intake.job import Options
from jiuzhu_cli.ledger import mending as record
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import correction
from jiuzhu_cli.payment.failures import mending_forms
from jiuzhu_cli.payment.mending import CHANGED, LATER, RENAMED, RESTORED, read_mended
from tests.payment.conftest import Desk, person
from tests.support import make_id

HEAD_ROW = 5  # title, three notes, headers


def luhn_account(serial: int) -> str:
    """A card number whose check digit holds."""
    body = f"621799{serial:012d}"
    for digit in range(10):
        number = f"{body}{digit}"
        total = sum(
            (d * 2 - 9 if d * 2 > 9 else d * 2) if at % 2 else d for at, d in enumerate(map(int, reversed(number)))
        )
        if total % 10 == 0:
            return number
    raise AssertionError


def failed(desk: Desk, failures: dict[int, str], people: int = 4, **values: Any) -> list[dict[str, Any]]:
    """A batch in which these lines failed; the towns' forms."""
    desk.roll([person(i, bank_name="农信社", **values) for i in range(1, people + 1)])
    number = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    desk.export()
    [read] = [desk.read(path) for path in desk.answers(number, failures)]
    return read.mending


def fill(desk: Desk, form: dict[str, Any], answers: dict[str, dict[str, Any]], name: str = "填好.xlsx") -> Path:
    """A copy of the form filled in by ID; headers as keys."""
    path = desk.workspace.root / "inbox" / name
    shutil.copy(desk.workspace.root / form["path"], path)
    book = openpyxl.load_workbook(path)
    sheet = book.active
    heads = {cell.value: cell.column for cell in sheet[HEAD_ROW]}
    for row in range(HEAD_ROW + 1, sheet.max_row + 1):
        for head, value in answers.get(sheet.cell(row, heads["身份证号"]).value, {}).items():
            sheet.cell(row, heads[head]).value = value
    book.save(path)
    return path


def bring_in(desk: Desk, path: Path) -> Any:
    return import_paths(
        desk.workspace, desk.policy, [path], Options(), actor="张经办", now=desk.now, today=date(2026, 10, 26)
    )


NEW = luhn_account(77)


def test_a_mended_account_is_paid_by_a_retry_and_the_rest_stays_held(desk: Desk) -> None:
    [form] = failed(desk, {1: "账户已销户", 2: "户名不符", 3: "系统超时"})
    assert (form["town"], form["lines"]) == ("甲镇", 2)  # nothing is to be mended where the bank's system failed
    text = str(
        [[c.value for c in row] for row in openpyxl.load_workbook(desk.workspace.root / form["path"]).active.rows]
    )
    assert "P1-1" in text and person(1)["account_no"] not in text and "销户" in text
    made = desk.draft()
    assert (made.batch["kind"], made.batch["lines"], made.holds_by_code) == ("retry", 1, {"account_refused": 2})
    done = {"处理": CHANGED, "新账号": NEW, "新开户银行": "建行", "核实人": "王村干", "核实日期": "2026-10-26"}
    result = bring_in(desk, fill(desk, form, {make_id(1): done}))
    [entry] = result.as_json(desk.policy)["files"]
    assert (entry["status"], entry["kind"], entry["accepted"], entry["refused"]) == ("imported", "register", 1, 0), (
        entry
    )
    made = desk.draft()
    assert (made.batch["kind"], made.batch["lines"], made.holds_by_code) == ("retry", 2, {"account_refused": 1})
    lines = {
        row[0]: tuple(row)[1:]
        for row in desk.store.query(
            "SELECT o.recipient_id_no, l.account_no, l.bank, l.payee_name, l.payee_id_no FROM payment_line l JOIN obligation o USING (obligation_id)"
            " WHERE l.payment_id = 2"
        )
    }
    assert lines[make_id(1)] == (NEW, "ccb_xlsx", person(1)["name"], make_id(1))
    desk.lock(), desk.approve(), desk.export()
    for path in desk.answers(2):
        desk.read(path)
    assert desk.states()[make_id(1), ""] == ["failed", "paid"] and desk.batch(2)["state"] == "reconciled"
    # next month's roll still has the closed account: the mended one is paid, without asking again
    desk.roll([person(i, bank_name="农信社") for i in (1, 2)], month="2026-11")
    made = desk.draft("2026-11")
    assert (made.batch["kind"], made.batch["lines"], made.holds_by_code) == ("regular", 1, {"account_refused": 1})
    assert desk.store.query("SELECT account_no FROM payment_line WHERE payment_id = 3")[0][0] == NEW


ROWS: dict[str, tuple[str, dict[str, Any], str]] = {
    "restored": ("账户冻结", {"处理": RESTORED}, ""),
    "the bank asked": ("疑似重复交易", {"处理": RESTORED}, ""),
    "a closed account cannot be restored": ("账户已销户", {"处理": RESTORED}, "原账户不能再用"),
    "renamed": ("户名不符", {"处理": RENAMED, "新户名": "张一一", "户名与本人关系": "本人"}, ""),
    "renamed to a stranger": ("户名不符", {"处理": RENAMED, "新户名": "李四"}, "要写明与本人的关系"),
    "renamed to nobody in particular": ("户名不符", {"处理": RENAMED, "新户名": "李四", "户名与本人关系": "其他"}, "要写明与本人的关系"),
    "a guardian's account": ("户名不符", {"处理": CHANGED, "新账号": NEW, "新户名": "李四", "户名与本人关系": "监护人"}, ""),
    "renamed, and the account is closed": ("账户已销户", {"处理": RENAMED, "新户名": "张一一", "户名与本人关系": "本人"}, "要换账户"),
    "changed to nothing": ("账户已销户", {"处理": CHANGED}, "没有填新账号"),
    "changed to the same": ("账户已销户", {"处理": CHANGED, "新账号": person(1)["account_no"]}, "没有填新账号"),
    "nobody answers for it": ("账户已销户", {"处理": CHANGED, "新账号": NEW, "核实人": ""}, "没有写核实人"),
    "not now": ("账户已销户", {"处理": LATER}, ""),
    "restored and changed": ("账户冻结", {"处理": RESTORED, "新账号": NEW}, "又填了新账户"),
    "a word of its own": ("账户已销户", {"处理": "办好了", "新账号": NEW}, "看不懂"),
    "another's key": ("账户已销户", {"处理": CHANGED, "新账号": NEW, "笔号": "P1-2"}, "笔号与身份证号对不上"),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_what_a_row_of_the_form_may_say(desk: Desk, case: str) -> None:
    reason, answer, problem = ROWS[case]
    person_1 = person(1, account_no=luhn_account(1))
    desk.roll([person_1 | {"bank_name": "农信社"}, person(2, bank_name="农信社")])
    desk.pay(failures={1: reason})
    files = desk.store.query("SELECT path FROM output_file WHERE kind = 'mending'")
    answer = {"核实人": "王村干"} | answer
    answer = answer | ({"新账号": person_1["account_no"]} if case == "changed to the same" else {})
    bring_in(desk, fill(desk, {"path": files[0][0]}, {make_id(1): answer}))
    usable, wrong = read_mended(desk.store, desk.policy)
    if problem:
        assert not usable and [told for told in wrong.values() if problem in told], wrong
        with pytest.raises(RefusedError) as error:
            desk.draft()
        assert error.value.code == "all_held"
    elif answer["处理"] == LATER:
        with pytest.raises(RefusedError):
            desk.draft()
    else:
        assert not wrong and desk.draft().batch["lines"] == 1


def test_what_is_not_filled_in_and_damaged_accounts_do_not_come_in(desk: Desk) -> None:
    [form] = failed(desk, {1: "账户已销户", 2: "账户已销户", 3: "账户已销户"})
    answers = {
        make_id(1): {
            "处理": CHANGED,
            "新账号": 6217990000000000771,
            "核实人": "王",
        },  # a number cell has lost its digits
        make_id(2): {"处理": CHANGED, "新账号": NEW[:-1] + str((int(NEW[-1]) + 1) % 10), "核实人": "王"},
    }
    result = bring_in(desk, fill(desk, form, answers))
    [entry] = result.as_json(desk.policy)["files"]
    assert (entry["accepted"], entry["refused"]) == (0, 2), entry
    assert not record.mended_lines(desk.store)


def test_a_mended_account_that_is_refused_again_is_held_again(desk: Desk) -> None:
    [form] = failed(desk, {1: "账户已销户"}, people=2)
    bring_in(desk, fill(desk, form, {make_id(1): {"处理": CHANGED, "新账号": NEW, "核实人": "王"}}))
    desk.draft(), desk.lock(), desk.approve(), desk.export()
    [read] = [desk.read(path) for path in desk.answers(2, {1: "无此账号"})]
    with pytest.raises(RefusedError) as error:
        desk.draft()
    assert error.value.code == "all_held"
    third = luhn_account(99)
    bring_in(
        desk, fill(desk, read.mending[0], {make_id(1): {"处理": CHANGED, "新账号": third, "核实人": "王"}}, "再填.xlsx")
    )
    assert desk.draft().batch["kind"] == "retry"
    assert desk.store.query("SELECT account_no FROM payment_line WHERE payment_id = 3")[0][0] == third


def test_a_corrected_roll_does_as_well(desk: Desk) -> None:
    roll = desk.roll([person(1), person(2)])
    desk.pay(failures={1: "账户已销户"})
    with pytest.raises(RefusedError):
        desk.draft()
    desk.supersede(roll, [person(1, account_no="6217000000000999"), person(2)])
    desk.compare()
    assert desk.draft().batch["kind"] == "retry"


def test_a_form_that_somebody_filled_in_place_is_not_written_over(desk: Desk) -> None:
    desk.roll([person(i, bank_name=bank) for i, bank in enumerate(("农信社", "农信社", "建行", "建行"), 1)])
    number = desk.draft().batch["payment_id"]
    desk.lock(), desk.approve(), desk.export()
    first, second = desk.answers(number, {1: "账户已销户", 3: "账户已销户"})
    [form] = desk.read(first).mending
    path = desk.workspace.root / form["path"]
    book = openpyxl.load_workbook(path)
    book.active["L6"] = CHANGED
    book.save(path)
    kept = path.read_bytes()
    [both] = desk.read(second).mending
    assert path.read_bytes() == kept and both["path"] != form["path"] and both["lines"] == 2
    with pytest.raises(RefusedError):  # read twice: not one file more
        desk.read(second)
    assert sorted(p.name for p in path.parent.glob("失败更正_*")) == sorted(
        Path(p).name for p in (form["path"], both["path"])
    )


def test_check_characters_of_the_cards_used_here() -> None:
    assert check_char(make_id(1)[:17]) == make_id(1)[17] and luhn_account(99) != NEW


def test_money_that_came_back_later_is_mended_in_the_same_way(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    number = desk.pay()
    asked = correction.ask(
        desk.store, desk.batch(number), [1], kind="bank_returned", on_date=date(2026, 10, 26), reference="T1", reason="退汇：账户已销户",
        today=date(2026, 10, 27), actor="张经办", now=desk.now,
    )  # fmt: skip
    correction.answer(desk.store, [asked.rows[0]["correction_id"]], done=True, actor="李审批", now=desk.now)
    with pytest.raises(RefusedError, match="账户被银行退过"):
        desk.draft()
    [form] = mending_forms(
        desk.store, desk.workspace, desk.policy, desk.batch(number), actor="张经办", now=desk.now
    )  # fmt: skip
    bring_in(desk, fill(desk, form, {make_id(1): {"处理": CHANGED, "新账号": NEW, "核实人": "王"}}))
    assert desk.draft().batch["kind"] == "retry"
    assert desk.store.query("SELECT account_no FROM payment_line WHERE payment_id = 2")[0][0] == NEW


def test_a_form_that_was_filled_in_where_it_lies_is_not_tampering(desk: Desk) -> None:
    """The towns fill in these very files: the check of the record stays quiet, and tells of a bank file that was touched."""
    desk.roll([person(1), person(2)])
    desk.pay(failures={1: "账户已销户"})
    kinds = {
        row[0]: row[1]
        for row in desk.store.query("SELECT kind, path FROM output_file WHERE kind IN ('mending', 'bank_file')")
    }
    for path in kinds.values():
        with (desk.workspace.root / path).open("ab") as file:
            file.write(b" ")
    found = check_ledger(desk.store, desk.workspace)
    assert found.filled == (kinds["mending"],) and [p.entity for p in found.problems] == [kinds["bank_file"]]
