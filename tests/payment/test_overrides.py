"""Letting cases through a gate: a reason, a second person, on record by line, for one month."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.ledger import overrides as record
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import overrides, states
from jiuzhu_cli.payment.holds import BY_CODE, HOLDS
from tests.payment.conftest import LIVING, MONTH, Desk, person
from tests.support import make_id

NEXT = "2026-11"
A, B, C = make_id(1), make_id(2), make_id(3)
MOVED = "6217999900000001"


def changed(desk: Desk) -> None:
    """Three persons paid last month; two of them on other accounts now."""
    desk.roll([person(1), person(2), person(3)])
    desk.pay()
    desk.roll([person(1, account_no=MOVED), person(2, account_no="6217999900000002"), person(3)], month=NEXT)


def ask(desk: Desk, id_no: str = A, **options: Any) -> int:
    rows = overrides.ask(
        desk.store, desk.workspace, desk.policy, options.pop("month", NEXT), id_no, reason=options.pop("reason", "本人到场核实"),
        actor=options.pop("actor", "张经办"), now=desk.now, **options,
    )  # fmt: skip
    return int(rows[0]["override_id"])


def agree(desk: Desk, *numbers: int, actor: str = "王复核") -> None:
    overrides.agree(desk.store, numbers, actor=actor, now=desk.now)


# -- the whole batch


def test_a_batch_let_through_is_on_record_by_line_and_its_approval_is_the_agreement(desk: Desk) -> None:
    changed(desk)
    number = desk.draft(NEXT, override="社保卡统一换发").batch["payment_id"]
    rows = record.of_batch(desk.store, number)
    assert [
        (r["recipient_id_no"], r["code"], r["reason"], r["asked_by"], r["agreed_by"], r["override_id"]) for r in rows
    ] == [(who, "account_changed", "社保卡统一换发", "张经办", "", None) for who in (A, B)]
    assert all("尾号" in row["hold_reason"] for row in rows)
    desk.lock(number)
    with pytest.raises(RefusedError, match="不能自己审批"):
        desk.approve(number, actor="张 经办")
    assert {row["agreed_by"] for row in record.of_batch(desk.store, number)} == {""}
    desk.approve(number)
    assert {row["agreed_by"] for row in record.of_batch(desk.store, number)} == {"李审批"}
    assert record.summary(desk.store, number)[0]["lines"] == 2
    states.reopen(desk.store, desk.batch(number), reason="再核一遍", actor="张经办", now=desk.now)
    assert {row["agreed_by"] for row in record.of_batch(desk.store, number)} == {""}, "the approval is void"
    desk.draft(NEXT)
    assert record.of_batch(desk.store, number) == []
    assert not check_ledger(desk.store, desk.workspace).problems


def test_the_record_of_a_locked_batch_cannot_be_changed(desk: Desk) -> None:
    changed(desk)
    number = desk.draft(NEXT, override="理由").batch["payment_id"]
    desk.lock(number)
    for sql in (
        "DELETE FROM payment_override",
        "UPDATE payment_override SET reason = 'x'",
        "INSERT INTO payment_override SELECT payment_id, line_id, 'x', hold_reason, reason, asked_by, asked_at, '', '', NULL FROM payment_override LIMIT 1",
    ):
        with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="x", command="x") as tx:
            tx.execute(sql)


def test_a_record_altered_behind_the_ledgers_back_is_found(desk: Desk) -> None:
    changed(desk)
    number = desk.draft(NEXT, override="理由").batch["payment_id"]
    desk.lock(number)
    desk.approve(number)
    assert not check_ledger(desk.store, desk.workspace).problems
    desk.store.connection.execute("DROP TRIGGER payment_override_fixed")
    desk.store.connection.execute(
        "UPDATE payment_override SET reason = '另一个理由' WHERE line_id = (SELECT min(line_id) FROM payment_override)"
    )
    assert [one.code for one in check_ledger(desk.store, desk.workspace).problems] == ["overrides_differ"]
    desk.store.connection.execute("DROP TRIGGER payment_override_kept")
    desk.store.connection.execute("DELETE FROM payment_override")
    assert [one.code for one in check_ledger(desk.store, desk.workspace).problems] == ["overrides_differ"]


def test_a_case_that_something_else_holds_is_not_let_through(desk: Desk) -> None:
    desk.roll([person(1), person(2), person(3)])
    desk.pay()
    desk.roll([person(1, account_no="62a"), person(2, account_no="6217999900000002"), person(3)], month=NEXT)
    number = desk.draft(NEXT, override="理由").batch["payment_id"]
    assert [row["recipient_id_no"] for row in record.of_batch(desk.store, number)] == [B]


@pytest.mark.parametrize("code", [hold.code for hold in HOLDS if not hold.releasable])
def test_what_is_never_let_through_says_why(code: str) -> None:
    assert BY_CODE[code].never
    with pytest.raises(UsageError, match="不能放行"):
        overrides.gate_of(BY_CODE[code].name)


def test_the_certain_ones_are_never_let_through() -> None:
    never = {hold.code for hold in HOLDS if not hold.releasable}
    assert {"dead", "same_programme_twice", "paid_earlier", "maybe_paid", "no_account", "unfit"} <= never
    assert all(not hold.never for hold in HOLDS if hold.releasable)


# -- a single case


def test_a_single_case_goes_through_when_another_person_agrees(desk: Desk) -> None:
    changed(desk)
    number = ask(desk)
    made = desk.draft(NEXT)
    assert made.holds_by_code == {"account_changed": 2}, "asked only"
    with pytest.raises(RefusedError, match="不能自己同意"):
        agree(desk, number, actor="张 经办")
    agree(desk, number)
    made = desk.draft(NEXT)
    assert (made.batch["lines"], made.holds_by_code, made.released) == (
        2,
        {"account_changed": 1},
        {"account_changed": 1},
    )
    [row] = record.of_batch(desk.store, made.batch["payment_id"])
    assert (row["recipient_id_no"], row["asked_by"], row["agreed_by"], row["override_id"]) == (
        A,
        "张经办",
        "王复核",
        number,
    )
    assert desk.draft(NEXT).unchanged
    desk.lock()
    desk.approve()
    assert record.of_batch(desk.store, made.batch["payment_id"])[0]["agreed_by"] == "王复核", "not the approver"
    desk.export()


def test_beside_a_batchs_reason_the_single_ones_stand(desk: Desk) -> None:
    changed(desk)
    agree(desk, ask(desk))
    number = desk.draft(NEXT, override="统一换发").batch["payment_id"]
    assert {row["recipient_id_no"]: row["reason"] for row in record.of_batch(desk.store, number)} == {
        A: "本人到场核实",
        B: "统一换发",
    }


def test_it_ends_with_the_month(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    batch = desk.store.query("SELECT 1 FROM batch")
    assert batch
    desk.doubt(1, (A, LIVING, "甲镇"), (A, "disability_care_subsidy", "甲镇"), month_to=NEXT)
    agree(desk, ask(desk, month=MONTH))
    assert desk.draft().holds_by_code == {}
    desk.lock()
    desk.approve()
    desk.export()
    desk.roll([person(1), person(2)], month=NEXT)
    assert desk.draft(NEXT).holds_by_code == {"doubt_open": 1}


def test_taken_back_it_counts_no_more_and_the_draft_is_stale(desk: Desk) -> None:
    changed(desk)
    number = ask(desk)
    agree(desk, number)
    desk.draft(NEXT)
    overrides.end(desk.store, number, reason="核实有误", actor="王复核", now=desk.now)
    with pytest.raises(RefusedError, match="情况有变"):
        desk.lock()
    assert desk.draft(NEXT).holds_by_code == {"account_changed": 2}
    with pytest.raises(RefusedError, match="撤回"):
        agree(desk, number, actor="赵")
    agree(desk, ask(desk))


def test_what_is_asked_must_be_held_that_way(desk: Desk) -> None:
    changed(desk)
    with pytest.raises(RefusedError, match="没有被拦下"):
        ask(desk, C)
    with pytest.raises(UsageError, match="为什么放行"):
        ask(desk, reason=" ")
    with pytest.raises(UsageError, match="拦下的原因是：账号与上次不同"):
        ask(desk, gate="金额突变")
    with pytest.raises(UsageError, match="没有叫"):
        ask(desk, gate="随便")
    ask(desk, gate="账号与上次不同")
    with pytest.raises(RefusedError, match="已经申请过"):
        ask(desk)
    with pytest.raises(UsageError, match="没有第 99 号"):
        agree(desk, 99)


def test_nobody_asks_for_the_dead(desk: Desk) -> None:
    changed(desk)
    desk.register("death", [{"id_no": A, "name": "甲", "event_date": "2026-10-02"}])
    with pytest.raises(RefusedError, match="已死亡"):
        ask(desk)


def test_several_reasons_and_programmes_are_named_one_by_one(desk: Desk) -> None:
    changed(desk)
    desk.doubt(1, (A, LIVING, "甲镇"), (A, "disability_care_subsidy", "甲镇"), month_from=NEXT, month_to=NEXT)
    with pytest.raises(UsageError, match="拦下的原因是：账号与上次不同、疑点未核实"):
        ask(desk)
    first, second = ask(desk, gate="account_changed"), ask(desk, gate="doubt_open")
    agree(desk, first)
    assert desk.draft(NEXT).batch["lines"] == 1
    agree(desk, second)
    assert desk.draft(NEXT).batch["lines"] == 2


# -- through the program


def run(capsys: pytest.CaptureFixture[str], desk: Desk, *words: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as stop:
        main(["-C", str(desk.workspace.root), "--json", *words])
    out = capsys.readouterr()
    assert stop.value.code in (0, None), out
    return json.loads(out.out)  # type: ignore[no-any-return]


def test_the_commands_say_what_was_let_through_and_name_no_numbers(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(desk)
    asked = run(capsys, desk, "pay", "override", "ask", A, "--month", NEXT, "--reason", "本人到场", "--actor", "张经办")
    number = str(asked["overrides"][0]["override_id"])
    run(capsys, desk, "pay", "override", "agree", number, "--actor", "王复核")
    listed = run(capsys, desk, "pay", "override", "list", "--month", NEXT)
    run(capsys, desk, "pay", "draft", "--month", NEXT, "--override", "统一换发", "--actor", "张经办")
    run(capsys, desk, "pay", "lock", "--actor", "张经办")
    approved = run(capsys, desk, "pay", "approve", "--actor", "李审批")
    assert {(one["code"], one["single"], one["agreed_by"], one["lines"]) for one in approved["overrides"]} == {
        ("account_changed", True, "王复核", 1),
        ("account_changed", False, "李审批", 1),
    }
    assert [line["reason"] for line in approved["override_lines"]] == ["本人到场", "统一换发"]
    shown = run(capsys, desk, "pay", "show")
    assert shown["override_lines"] == approved["override_lines"]
    for data in (asked, listed, approved, shown):
        assert A not in json.dumps(data) and MOVED not in json.dumps(data)
    budget = run(capsys, desk, "pay", "budget", "--year", "2026")
    assert budget["year"] == 2026 and budget["budgets"] == [] and budget["out_fen"] == 30_006
