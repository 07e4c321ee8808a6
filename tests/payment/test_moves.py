"""From hand to hand: levels of approval, release, return to draft, closing, signatures; and the chain that tells of it all."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.payment_moves import Signer, moves
from jiuzhu_cli.ledger.signing_keys import key_of
from jiuzhu_cli.payment import approvals, export, keys, states
from jiuzhu_cli.payment.levels import given, waiting
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import MONTH, Desk, person
from tests.support import make_id

PEOPLE = [person(1), person(2), person(3)]
PASSWORD = "八位以上的密码啊"
LEVELS = """
[[levels]]
id = "office"
name = "科室负责人"
up_to = 200
persons = ["李审批", "钱副科"]
[[levels]]
id = "deputy"
name = "分管局领导"
up_to = 400
persons = ["王局"]
"""


def locked(desk: Desk, people: list[dict[str, Any]] = PEOPLE) -> int:
    desk.roll(people)
    number = int(desk.draft().batch["payment_id"])
    desk.lock()
    return number


def refused(code: str) -> Any:
    return pytest.raises(RefusedError, check=lambda error: error.code == code)


def tamper(desk: Desk, sql: str, *triggers: str) -> None:
    """As somebody with a database tool would: past the triggers."""
    with sqlite3.connect(desk.workspace.ledger_path) as connection:
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(sql)


def problems(desk: Desk) -> set[str]:
    return {problem.code for problem in check_ledger(desk.store, desk.workspace).problems}


def make_key(desk: Desk, who: str, folder: Path) -> Path:
    path = folder / f"{who}.key.json"
    keys.make_key(desk.workspace, path, who, PASSWORD)
    keys.enrol(desk.store, path, PASSWORD, actor=who, now=desk.now)
    return path


def signer(desk: Desk, who: str, path: Path, password: str = PASSWORD) -> Signer | None:
    return keys.signer_of(desk.store, desk.workspace, who, lambda _: path, lambda _: password)


# -- release, reopen, close ------------------------------------------------------------------------------------


def test_who_when_and_why_of_every_move(desk: Desk) -> None:
    number = locked(desk)
    desk.approve()
    states.reopen(desk.store, desk.batch(number), reason="账号要更正", actor="李审批", now=desk.now)
    assert desk.batch(number) | {
        "state": "draft",
        "approved_by": "",
        "locked_by": "",
        "control_sha256": "",
    } == desk.batch(number)
    desk.roll([person(4)], area="乙镇")
    desk.draft()
    desk.lock()
    desk.approve(actor="王局")
    states.release(desk.store, desk.workspace, desk.batch(number), actor="赵放行", now=desk.now)
    desk.export()
    for path in desk.answers(number):
        desk.read(path)
    states.close(desk.store, desk.batch(number), reason="对账单 7 号", actor="张经办", now=desk.now)
    way = [(m["from_state"], m["to_state"], m["actor"], m["reason"]) for m in moves(desk.store, number)]
    assert way == [
        ("", "draft", "张经办", ""), ("draft", "locked", "张经办", ""), ("locked", "approved", "李审批", ""), ("approved", "draft", "李审批", "账号要更正"),
        ("draft", "draft", "张经办", ""), ("draft", "locked", "张经办", ""), ("locked", "approved", "王局", ""), ("approved", "released", "赵放行", ""),
        ("released", "exported", "张经办", ""), ("exported", "reconciled", "张经办", ""), ("reconciled", "closed", "张经办", "对账单 7 号"),
    ]  # fmt: skip
    assert not problems(desk)


def test_a_reopened_batch_needs_a_reason_and_a_new_approval(desk: Desk) -> None:
    number = locked(desk)
    with pytest.raises(UsageError):
        states.reopen(desk.store, desk.batch(number), reason=" ", actor="李审批", now=desk.now)
    desk.approve()
    states.reopen(desk.store, desk.batch(number), reason="改", actor="张经办", now=desk.now)
    with pytest.raises(RefusedError):
        desk.export(number)
    desk.lock()
    with pytest.raises(RefusedError):
        desk.export(number)
    desk.approve()
    assert desk.export().batch["state"] == "exported"
    with refused("wrong_state"):
        states.reopen(desk.store, desk.batch(number), reason="晚了", actor="张经办", now=desk.now)
    assert not problems(desk)


def test_where_release_is_apart_nobody_exports_before_it(desk: Desk) -> None:
    desk.configure("max_line_yuan = 50000", "max_line_yuan = 50000\nseparate_release = true")
    number = locked(desk)
    with refused("wrong_state"):
        states.release(desk.store, desk.workspace, desk.batch(number), actor="赵放行", now=desk.now)
    desk.approve()
    with refused("not_released"):
        desk.export()
    with refused("own_release"):
        states.release(desk.store, desk.workspace, desk.batch(number), actor="张 经办", now=desk.now)
    states.release(desk.store, desk.workspace, desk.batch(number), actor="赵放行", now=desk.now)
    states.hold_back(desk.store, desk.batch(number), reason="等专户到账", actor="赵放行", now=desk.now)
    with refused("not_released"):
        desk.export()
    states.release(desk.store, desk.workspace, desk.batch(number), actor="赵放行", now=desk.now)
    with refused("not_reopenable"):
        states.reopen(desk.store, desk.batch(number), reason="改", actor="张经办", now=desk.now)
    assert desk.export(number).batch["released_by"] == "赵放行"
    assert not problems(desk)


def test_closed_is_closed(desk: Desk) -> None:
    number = locked(desk)
    desk.approve()
    desk.export()
    with refused("not_reconciled"):
        states.close(desk.store, desk.batch(number), reason="", actor="张经办", now=desk.now)
    for path in desk.answers(number, {2: "系统超时"}):
        desk.read(path)
    states.close(desk.store, desk.batch(number), reason="", actor="张经办", now=desk.now)
    for sql in (
        "UPDATE payment_line SET reason = '改'",
        "UPDATE payment_batch SET state = 'reconciled'",
    ):
        with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="张经办", command="x") as tx:
            tx.execute(sql)
    with refused("wrong_state"):
        states.close(desk.store, desk.batch(number), reason="", actor="张经办", now=desk.now)
    assert desk.draft().batch["kind"] == "retry"  # what failed in it is owed, and paid by another
    assert not problems(desk)


# -- levels ----------------------------------------------------------------------------------------------------


def with_levels(desk: Desk) -> None:
    (desk.workspace.policy_dir / "approvals.toml").write_text(LEVELS, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


def test_an_approval_holds_wherever_its_level_stands_in_the_order(desk: Desk) -> None:
    """A level set up below one that has approved is still waited for, the one that has approved is not."""
    with_levels(desk)
    number = locked(desk)
    batch = desk.approve(actor="李审批")
    path = desk.workspace.policy_dir / "approvals.toml"
    path.write_text(LEVELS + '[[levels]]\nid = "clerk"\nname = "组长"\nup_to = 100\n', "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)
    assert [one.name for one in waiting(desk.policy, batch, given(desk.store, number))] == ["组长", "分管局领导"]
    assert desk.approve(actor="赵组长")["state"] == "locked"
    assert desk.approve(actor="王局")["state"] == "approved"


def test_a_small_batch_needs_the_first_level_only(desk: Desk) -> None:
    with_levels(desk)
    number = locked(desk, [person(1)])  # 100.01 元
    with refused("not_their_level"):
        desk.approve(actor="王局")
    assert desk.approve(actor="钱副科")["state"] == "approved"
    assert [one["level"] for one in given(desk.store, number)] == ["科室负责人"]


def test_a_larger_one_is_approved_level_by_level(desk: Desk) -> None:
    with_levels(desk)
    number = locked(desk)  # 300.06 元
    assert desk.approve(actor="李审批")["state"] == "locked"
    with refused("same_approver"):
        desk.approve(actor="李 审批")
    with refused("not_their_level"):
        desk.approve(actor="钱副科")
    with pytest.raises(RefusedError):
        desk.export(number)
    done = desk.approve(actor="王局")
    assert (done["state"], done["approved_by"]) == ("approved", "王局")
    assert [(one["level"], one["actor"]) for one in given(desk.store, number)] == [
        ("科室负责人", "李审批"),
        ("分管局领导", "王局"),
    ]
    states.reopen(desk.store, done, reason="改", actor="王局", now=desk.now)
    desk.lock()
    assert not given(desk.store, number)
    assert desk.approve(actor="李审批")["state"] == "locked"
    assert not problems(desk)


def test_nobody_may_approve_above_the_highest_level(desk: Desk) -> None:
    with_levels(desk)
    locked(desk, [*PEOPLE, person(4)])  # 400.10 元
    with refused("above_levels"):
        desk.approve()


def test_the_drafter_of_a_level_does_not_approve(desk: Desk) -> None:
    with_levels(desk)
    desk.roll([person(1)])
    desk.draft(actor="李审批")
    desk.lock()
    with refused("own_approval"):
        desk.approve(actor="李审批")
    assert desk.approve(actor="钱副科")["state"] == "approved"


# -- signatures ------------------------------------------------------------------------------------------------


def test_who_has_a_key_signs(desk: Desk, tmp_path: Path) -> None:
    path = make_key(desk, "李审批", tmp_path)
    number = locked(desk)
    with refused("unsigned"):
        desk.approve()
    desk.approve(signer=signer(desk, "李审批", path))
    desk.export()  # 张经办 has none and need not
    signed = [(m["to_state"], m["signer"]) for m in moves(desk.store, number) if m["signature"]]
    key = key_of(desk.store, "李审批")
    assert key is not None and signed == [("approved", key["key_id"])]
    assert not problems(desk)


def test_signatures_may_be_demanded_of_everybody(desk: Desk, tmp_path: Path) -> None:
    desk.configure("max_line_yuan = 50000", "max_line_yuan = 50000\nrequire_signature = true")
    locked(desk)
    with refused("not_enrolled"):
        signer(desk, "李审批", tmp_path)
    with refused("unsigned"):
        desk.approve()
    desk.approve(signer=signer(desk, "李审批", make_key(desk, "李审批", tmp_path)))
    with refused("unsigned"):
        desk.export()
    desk.export(signer=signer(desk, "张经办", make_key(desk, "张经办", tmp_path)))
    assert not problems(desk)


def test_another_persons_key_signs_nothing(desk: Desk, tmp_path: Path) -> None:
    path, other = make_key(desk, "李审批", tmp_path), make_key(desk, "王局", tmp_path)
    locked(desk)
    with refused("unsigned"):
        desk.approve(signer=signer(desk, "王局", other))
    with pytest.raises(UsageError, match="不是 李审批"):
        signer(desk, "李审批", other)
    with pytest.raises(DataError, match="密码不对"):
        signer(desk, "李审批", path, "错的错的错的错的")
    with pytest.raises(RefusedError):
        keys.enrol(desk.store, path, PASSWORD, actor="王局", now=desk.now)


def test_a_revoked_key_signs_no_more_and_its_signatures_stand(desk: Desk, tmp_path: Path) -> None:
    path = make_key(desk, "李审批", tmp_path)
    number = locked(desk)
    old = signer(desk, "李审批", path)
    desk.approve(signer=old)
    key = key_of(desk.store, "李审批")
    assert key is not None
    keys.revoke(desk.store, key["key_id"], "丢失", actor="张经办", now=desk.now)
    desk.export(number)
    assert not problems(desk)
    desk.roll([person(9)], area="乙镇")
    desk.draft()
    desk.lock()
    with refused("unsigned"):
        desk.approve(signer=old)
    (tmp_path / "新").mkdir()
    desk.approve(signer=signer(desk, "李审批", make_key(desk, "李审批", tmp_path / "新")))
    assert not problems(desk)


def test_keys_stay_out_of_the_workspace_and_under_a_password(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="不能放在工作区里"):
        keys.make_key(desk.workspace, desk.workspace.root / "x.key.json", "李审批", PASSWORD)
    with pytest.raises(UsageError, match="太短"):
        keys.make_key(desk.workspace, tmp_path / "x.key.json", "李审批", "短")
    path = make_key(desk, "李审批", tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(UsageError, match="别人也能读"):
        signer(desk, "李审批", path)


# -- what cannot be forged without being found -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "triggers", "codes"),
    [
        ("UPDATE payment_move SET actor = '贼' WHERE to_state = 'approved'", ("payment_move_no_update",), {"moves_broken", "signature_bad"}),
        ("UPDATE payment_move SET signature = replace(signature, substr(signature, 1, 2), '00')", ("payment_move_no_update",), {"signature_bad"}),
        ("UPDATE payment_move SET signature = '', signer = ''", ("payment_move_no_update",), {"moves_broken", "signature_missing"}),
        ("DELETE FROM payment_move WHERE to_state = 'locked'", ("payment_move_no_delete",), {"moves_broken", "signature_bad"}),
        ("UPDATE signing_key SET person = '贼'", ("signing_key_fixed",), {"key_bad", "signature_bad"}),
        ("DELETE FROM signing_key", ("signing_key_kept",), {"key_bad", "signature_bad"}),
        ("UPDATE payment_batch SET approved_by = '王局'", (), {"approval_unrecorded", "moves_broken"}),
        ("UPDATE payment_line SET payee_id_no = '1' WHERE line_no = 1", ("payment_line_fixed",), {"control_differs"}),
        ("UPDATE payment_basis SET content = replace(content, '2026', '2025')", (), {"control_differs"}),
        ("UPDATE payment_line SET digest = ''", ("payment_line_fixed",), {"control_differs"}),
        ("UPDATE payment_total SET amount_fen = amount_fen + 1 WHERE axis = 'town'", ("payment_total_fixed",), {"sums_differ"}),
    ],
)  # fmt: skip
def test_what_is_altered_behind_its_back_is_found_and_stops_the_money(
    desk: Desk, tmp_path: Path, sql: str, triggers: tuple[str, ...], codes: set[str]
) -> None:
    path = make_key(desk, "李审批", tmp_path)
    number = locked(desk)
    desk.approve(signer=signer(desk, "李审批", path))
    assert not problems(desk)
    tamper(desk, sql, *triggers)
    assert problems(desk) >= codes
    for step in (
        lambda: states.release(desk.store, desk.workspace, desk.batch(number), actor="赵放行", now=desk.now),
        lambda: desk.export(number),
    ):
        with pytest.raises(RefusedError) as error:
            step()
        assert error.value.code in codes
    assert not list(desk.workspace.bank.rglob("*.*"))


def test_a_draft_altered_behind_its_back_is_not_locked(desk: Desk) -> None:
    desk.roll(PEOPLE)
    desk.draft()
    tamper(desk, "UPDATE payment_line SET payee_id_no = '1' WHERE line_no = 1")
    with refused("control_differs"):
        desk.lock()
    tamper(desk, "UPDATE payment_total SET lines = 2 WHERE axis = 'programme'", "payment_total_fixed")
    with refused("sums_differ"):
        desk.lock()
    assert desk.batch(1)["month"] == MONTH and desk.batch(1)["state"] == "draft"


# -- what a line rests on -----------------------------------------------------------------------------------------


def test_what_a_line_rested_on_is_told_after_policy_and_roll_have_changed(desk: Desk) -> None:
    from jiuzhu_cli.cli.payment_basis import source, standards
    from jiuzhu_cli.ledger.people import person_file

    batch = desk.roll([person(1, base_fen=9_000, addon_fen=1_001), person(2)])
    desk.decision(1, make_id(2), "decrease", 10_002, 9_000, steps='[{"text": "按新标准"}]', maker="李审批")
    number = desk.pay()
    digest = desk.policy.digest
    desk.write_policy("rural_text", "max_lines = 3\n")
    desk.supersede(batch, [person(1, amount_fen=5_000), person(2)])
    assert desk.policy.digest != digest
    one, two = (person_file(desk.store, make_id(n))["payments"][0] for n in (1, 2))
    assert one["payment_id"] == number and one["basis"]["policy"] == digest and one["parts"]["base_fen"] == 9_000
    assert one["basis"]["roll"]["batch"] == batch and "基本 90.00 元" in source(one) and "第 2 行" in source(one)
    assert (
        two["basis"]["case"] | {"action": "decrease", "amount_after_fen": 9_000, "maker": "李审批"}
        == two["basis"]["case"]
    )
    assert two["basis"]["case"]["steps"] == [{"text": "按新标准"}] and "复核决定 R000001" in source(two)
    named = {p["parameter"] for p in one["basis"]["parameters"]}
    assert named and named <= set(desk.policy.parameters.names()) and digest[:12] in standards(one)
    assert not problems(desk)


def test_a_batch_of_before_line_digests_still_verifies(desk: Desk) -> None:
    """What version 4 left: lines without digest and basis, the control digest over their columns, moves without digests."""
    from jiuzhu_cli.ledger.payment_digests import old_control, sealed_lines

    number = locked(desk)
    desk.approve()
    control = old_control(sealed_lines(desk.store, number))
    with sqlite3.connect(desk.workspace.ledger_path) as connection:
        for name in ("payment_line_fixed", "payment_move_no_update", "payment_total_kept"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE payment_line SET digest = '', basis_id = NULL, parts = '', roll_row_id = 0")
        connection.execute("UPDATE payment_batch SET control_sha256 = ?", (control,))
        connection.execute("UPDATE payment_move SET digest = ''")
        connection.execute("DELETE FROM payment_total")
    with desk.store.transaction(actor="李审批", command="pay approve", now=desk.now) as tx:
        tx.journal(f"payment:{number}", {"drafted_by": "张经办"}, digest=control)
    assert not problems(desk)
    desk.export()
    for path in desk.answers(number):
        desk.read(path)
    assert desk.batch(number)["state"] == "reconciled" and not problems(desk)
    tamper(desk, "UPDATE payment_line SET account_no = '6217000000000000012' WHERE line_no = 1")
    assert problems(desk) == {"control_differs"}


def test_signatures_demanded_later_are_demanded_of_what_was_approved_before(desk: Desk, tmp_path: Path) -> None:
    number = locked(desk)
    desk.approve()
    desk.configure("max_line_yuan = 50000", "max_line_yuan = 50000\nrequire_signature = true")
    mine = signer(desk, "张经办", make_key(desk, "张经办", tmp_path))
    with refused("unsigned"):
        desk.export(signer=mine)
    states.reopen(desk.store, desk.batch(number), reason="补签名", actor="张经办", now=desk.now)
    desk.lock()
    desk.approve(signer=signer(desk, "李审批", make_key(desk, "李审批", tmp_path)))
    assert desk.export(signer=mine).batch["state"] == "exported"
    assert not problems(desk)


def test_two_approvers_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second reads what was approved before the first has written: it is refused, not counted for the next level."""
    with_levels(desk)
    number = locked(desk)
    real = approvals.check_control

    def overtaken(store: Any, batch: dict[str, Any]) -> None:
        monkeypatch.setattr(approvals, "check_control", real)
        desk.approve(actor="钱副科")
        real(store, batch)

    monkeypatch.setattr(approvals, "check_control", overtaken)
    with pytest.raises(RefusedError, match="刚被别人改动"):
        desk.approve(actor="李审批")
    assert [(one["level"], one["actor"]) for one in given(desk.store, number)] == [("科室负责人", "钱副科")]


def test_a_batch_drafted_anew_while_a_password_was_asked_for_is_another(desk: Desk) -> None:
    """The same lines with the same digest, but drafted by the approver himself: what he was shown before is no longer what stands there."""
    number = locked(desk)
    shown = desk.batch(number)

    def drafted_anew(actor: str) -> None:
        states.reopen(desk.store, desk.batch(number), reason="重做", actor="王锁定", now=desk.now)
        desk.draft(actor=actor, override=f"{actor}的说明")
        desk.lock(number)

    drafted_anew("李审批")
    assert desk.batch(number)["control_sha256"] == shown["control_sha256"]
    by: dict[str, Any] = {"actor": "李审批", "now": desk.now}
    with pytest.raises(RefusedError, match="刚被别人改动"):
        approvals.approve(desk.store, desk.workspace, desk.policy, shown, **by)
    with pytest.raises(RefusedError, match="刚被别人改动"):
        approvals.cancel(desk.store, shown, reason="", **by)
    approved = desk.approve(number, actor="赵审批")
    drafted_anew("张经办")
    desk.approve(number, actor="李审批")
    with pytest.raises(RefusedError, match="刚被别人改动"):
        states.release(desk.store, desk.workspace, approved, actor="钱副科", now=desk.now)
    with pytest.raises(RefusedError, match="刚被别人改动"):
        export.export(desk.store, desk.workspace, desk.policy, approved, actor="钱副科", now=desk.now)
    assert desk.batch(number)["state"] == "approved" and not problems(desk)
    assert desk.export(number).batch["state"] == "exported"


def test_a_line_tried_again_from_another_town_leaves_the_sums_of_the_first_batch(desk: Desk) -> None:
    batch = desk.roll(PEOPLE)
    number = desk.pay(failures={1: "户名不符"})
    failed = next(key for key, states in desk.states().items() if states == ["failed"])[0]
    moved = [
        row | ({"town": "乙镇", "account_no": "6217888800000001"} if row["id_no"] == failed else {}) for row in PEOPLE
    ]
    desk.supersede(batch, moved)
    assert desk.draft().batch["lines"] == 1
    desk.lock(2)
    assert not problems(desk)
    desk.approve()
    desk.export()
    assert desk.export(number).written == 0  # the first batch's files, looked at again
    assert not problems(desk)


def test_a_line_whose_rest_only_is_owed_is_not_lost(desk: Desk) -> None:
    """Of a failed payment a part has gone out as back-pay since: no decision tells the lower amount."""
    batch = desk.roll(PEOPLE)
    desk.pay(failures={1: "户名不符"})
    failed = next(key for key, states in desk.states().items() if states == ["failed"])[0]
    with desk.store.transaction(actor="测试", command="test", now=desk.now) as tx:
        tx.execute(
            "INSERT INTO obligation (programme, month, recipient_id_no, purpose, cause, recipient_name, town, village, amount_fen, persons, roll_row_id)"
            " SELECT programme, month, recipient_id_no, 'back_pay', 'roll:1', recipient_name, town, village, 1000, 1, roll_row_id FROM obligation"
            " WHERE recipient_id_no = ?",
            (failed,),
        )
        tx.execute(
            "INSERT INTO payment_batch (month, sequence, kind, state, lines, amount_fen, policy_digest, drafted_by, drafted_at)"
            " VALUES ('2026-11', 1, 'back_pay', 'draft', 1, 1000, '', '张经办', '')"
        )
        tx.execute(
            "INSERT INTO payment_line (payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, state)"
            " SELECT 2, 1, 1, obligation_id, 'card_xlsx', '621700000000', '甲', '', 1000, 'due' FROM obligation WHERE purpose = 'back_pay'"
        )
    mended = [row | ({"account_no": "6217888800000001"} if row["id_no"] == failed else {}) for row in PEOPLE]
    desk.supersede(batch, mended)
    made = desk.draft()
    due = next(row["amount_fen"] for row in PEOPLE if row["id_no"] == failed)
    assert (made.batch["lines"], made.batch["amount_fen"]) == (1, due - 1000)
    desk.lock(made.batch["payment_id"])


def test_the_slip_names_the_key_that_signed(desk: Desk, tmp_path: Path) -> None:
    from jiuzhu_cli.payment.slip import signatures_of

    number = locked(desk)
    desk.approve(signer=signer(desk, "李审批", make_key(desk, "李审批", tmp_path)))
    key = key_of(desk.store, "李审批")
    assert key is not None
    signed = {one.name: one.key for one in signatures_of(desk.batch(number), given(desk.store, number), [])}
    assert signed["李审批"] == key["key_id"] and signed["张经办"] == ""
