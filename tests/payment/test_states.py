"""The states of a batch and what each command says at each of them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.core import payment_states
from jiuzhu_cli.core.errors import DataError, RefusedError, UsageError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.payment_moves import moves
from tests.payment.conftest import MONTH, Desk, person
from tests.support import make_id

BANKED = [
    person(1, bank_name="中国建设银行"), person(2, bank_name="示例农商行"), person(3, bank_name="邮政储蓄银行"), person(4), person(5),
]  # fmt: skip


def test_the_whole_way(desk: Desk) -> None:
    desk.roll(BANKED)
    number = desk.draft().batch["payment_id"]
    locked = desk.lock()
    assert locked["state"] == "locked" and len(locked["control_sha256"]) == 64
    assert desk.approve()["approved_by"] == "李审批"
    made = desk.export()
    data = made.as_json()
    assert (data["state"], data["lines"], data["amount_fen"]) == ("exported", 5, 50_015)
    assert sum(f["lines"] for f in data["files"]) == 5 and sum(f["amount_fen"] for f in data["files"]) == 50_015
    manifest = json.loads((desk.workspace.root / made.manifest).read_text("utf-8"))
    assert manifest["files"] == data["files"] and manifest["control_sha256"] == locked["control_sha256"]
    assert all((desk.workspace.root / f["path"]).stat().st_mode & 0o777 == 0o600 for f in data["files"])
    for path in desk.answers(number, {2: "户名不符"}):
        desk.read(path)
    assert desk.batch(number)["state"] == "reconciled"
    assert sorted(s for states in desk.states().values() for s in states) == ["failed", "paid", "paid", "paid", "paid"]
    assert not check_ledger(desk.store, desk.workspace).problems


def test_own_approval_is_refused_however_it_is_spelt(desk: Desk) -> None:
    desk.roll(BANKED)
    desk.draft()
    desk.lock()
    for actor in ("张经办", " 张 经办"):
        with pytest.raises(RefusedError) as error:
            desk.approve(actor=actor)
        assert error.value.code == "own_approval"


def test_steps_out_of_order_are_refused(desk: Desk) -> None:
    desk.roll(BANKED)
    with pytest.raises(RefusedError):
        desk.lock()
    number = desk.draft().batch["payment_id"]
    with pytest.raises(RefusedError):
        desk.approve(number)
    with pytest.raises(RefusedError):
        desk.export(number)
    desk.lock()
    with pytest.raises(RefusedError):
        desk.lock(number)
    with pytest.raises(RefusedError):
        desk.export(number)
    desk.approve()
    with pytest.raises(RefusedError):
        desk.approve(number)
    desk.export()
    for step in (desk.lock, desk.approve, desk.cancel):
        with pytest.raises(RefusedError):
            step(number)
    with pytest.raises(UsageError):
        desk.lock(99)


def test_the_same_month_again_shows_the_same_batch(desk: Desk) -> None:
    desk.roll(BANKED)
    first = desk.draft()
    entries = desk.store.query("SELECT COUNT(*) FROM journal")[0][0]
    again = desk.draft()
    assert again.unchanged and again.batch == first.batch
    assert desk.store.query("SELECT COUNT(*) FROM journal")[0][0] == entries
    desk.roll([person(6)], area="乙镇")
    renewed = desk.draft()
    assert (renewed.batch["payment_id"], renewed.batch["lines"], renewed.unchanged) == (1, 6, False)
    desk.lock()
    for _ in range(2):
        with pytest.raises(RefusedError, match="没有要发的款"):
            desk.draft()
    desk.approve()
    desk.export()
    with pytest.raises(RefusedError) as error:
        desk.draft()
    assert error.value.code == "nothing_owed" and error.value.exit_code == 4


def test_export_again_gives_the_same_bytes(desk: Desk) -> None:
    desk.roll(BANKED)
    desk.draft()
    desk.lock()
    desk.approve()
    first = desk.export()
    again = desk.export()
    assert again.files == first.files and again.written == 0
    lost = desk.workspace.root / first.files[0]["path"]
    content = lost.read_bytes()
    lost.unlink()
    third = desk.export()
    assert third.written == 1 and lost.read_bytes() == content and third.files == first.files


def test_an_altered_file_stops_the_export(desk: Desk) -> None:
    desk.roll(BANKED)
    desk.draft()
    desk.lock()
    desk.approve()
    path = desk.workspace.root / desk.export().files[-1]["path"]
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\r\n", b"\n"))
    with pytest.raises(RefusedError) as error:
        desk.export()
    assert error.value.code == "altered_file" and path.read_bytes() != content
    assert desk.export(rewrite=True).written == 1
    assert path.read_bytes() == content


def test_tampered_lines_stop_the_batch(desk: Desk) -> None:
    desk.roll(BANKED)
    desk.draft()
    desk.lock()
    with desk.store.transaction(actor="贼", command="x") as tx:
        tx.execute("DROP TRIGGER payment_line_fixed")  # the record itself refuses
        tx.execute("UPDATE payment_line SET account_no = '6217999999999999' WHERE line_no = 1")
    with pytest.raises(RefusedError) as error:
        desk.approve()
    assert error.value.code == "control_differs"


def test_a_draft_that_no_longer_holds_cannot_be_locked(desk: Desk) -> None:
    desk.roll(BANKED)
    desk.draft()
    desk.doubt(1, (make_id(1), "disability_living_subsidy", "甲镇"), (make_id(1), "extreme_poverty_support", "甲镇"))
    with pytest.raises(RefusedError) as error:
        desk.lock()
    assert error.value.code == "stale_draft"
    assert desk.draft().batch["lines"] == 4
    assert desk.lock()["lines"] == 4


def test_cancelled_money_is_owed_again_and_released_holds_follow(desk: Desk) -> None:
    desk.roll([*BANKED, person(6, account_no="")])
    desk.draft()
    desk.lock()
    desk.approve()
    assert desk.cancel()["state"] == "cancelled"
    assert desk.pay() == 2
    assert desk.batch(2)["sequence"] == 2
    batch = desk.store.query("SELECT batch_id FROM batch ORDER BY batch_id DESC LIMIT 1")[0][0]
    desk.supersede(batch, [*BANKED, person(6)])
    made = desk.draft()
    assert (made.batch["kind"], made.batch["lines"], made.already) == ("regular", 1, 5)


def test_failures_are_retried_once_with_the_corrected_account(desk: Desk) -> None:
    first = desk.roll(BANKED)
    desk.pay(failures={1: "账户已销户", 3: "户名不符"})
    failed = [key for key, states in desk.states().items() if states == ["failed"]]
    assert len(failed) == 2
    corrected = [row | ({"account_no": "6217888800000001"} if (row["id_no"], "") in failed else {}) for row in BANKED]
    desk.supersede(first, corrected)
    made = desk.draft()
    assert (made.batch["kind"], made.batch["lines"]) == ("retry", 2)
    assert {row[0] for row in desk.store.query("SELECT account_no FROM payment_line WHERE payment_id = 2")} == {
        "6217888800000001"
    }
    desk.lock()
    desk.approve()
    desk.export()
    for path in desk.answers(2):
        desk.read(path)
    assert all(states[-1] == "paid" and states.count("paid") == 1 for states in desk.states().values())
    with pytest.raises(RefusedError, match="没有要发的款"):
        desk.draft()
    assert not check_ledger(desk.store, desk.workspace).problems


def test_a_layout_narrowed_after_the_lock_refuses_the_whole_export(desk: Desk) -> None:
    """Drafting holds who does not fit; the export is the last line of defence and never writes a question mark."""
    desk.write_policy("rural_text", 'encoding = "gb18030"\n')
    desk.roll([person(1, name="䶮小丫", bank_name="农商行"), person(2, bank_name="农商行"), person(3)])
    desk.draft()
    desk.lock()
    desk.approve()
    desk.write_policy("rural_text", 'encoding = "gbk"\n')
    with pytest.raises(DataError, match="䶮小丫") as error:
        desk.export()
    assert error.value.exit_code == 3
    assert desk.batch(1)["state"] == "approved" and not list(desk.workspace.bank.rglob("*.*"))


def test_a_layout_narrowed_after_the_draft_refuses_the_lock(desk: Desk) -> None:
    desk.write_policy("rural_text", 'encoding = "gb18030"\n')
    desk.roll([person(1, name="䶮小丫", bank_name="农商行"), person(2)])
    desk.draft()
    desk.write_policy("rural_text", 'encoding = "gbk"\n')
    with pytest.raises(RefusedError, match="情况有变"):
        desk.lock()


def test_a_bureau_may_override_a_layout_and_split_files(desk: Desk) -> None:
    desk.write_policy(
        "rural_text", 'max_lines = 2\nencoding = "gb18030"\ndelimiter = ","\nfile_name = "XX{month}_{sequence}"\n'
    )
    desk.roll([person(i, name="䶮小丫", bank_name="农信社") for i in range(1, 6)])
    number = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    files = desk.export().files
    assert [Path(f["path"]).name for f in files] == [f"XX{MONTH}_1_0{i}.txt" for i in (1, 2, 3)]
    assert [f["lines"] for f in files] == [2, 2, 1]
    first, *others = desk.answers(number)
    read = desk.read(first)
    assert (read.succeeded, read.missing) == (2, 3) and desk.batch(number)["state"] == "exported"
    for path in others:
        read = desk.read(path)
    assert read.missing == 0 and desk.batch(number)["state"] == "reconciled"


def test_over_the_banks_own_cap_is_held(desk: Desk) -> None:
    desk.write_policy("rural_text", "max_line_fen = 10001\n")
    desk.roll([person(1, bank_name="农信社"), person(2, bank_name="农信社")])
    assert desk.draft().holds_by_code == {"over_cap": 1}


def moves_to(db: sqlite3.Connection, name: str, come: str, to: str) -> bool:
    db.execute(f"DELETE FROM payment_{name}")
    db.execute(f"INSERT INTO payment_{name} VALUES (?)", (come,))
    try:
        db.execute(f"UPDATE payment_{name} SET state = ?", (to,))
    except sqlite3.IntegrityError:
        return False
    return True


def test_the_record_itself_refuses_moves_that_are_not_in_the_table(desk: Desk) -> None:
    """Every pair of states is tried on the table itself: what the program's table allows is what the triggers allow."""
    desk.roll(BANKED)
    desk.draft()
    every = set(payment_states.WORDS)
    script = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'payment_{}_moves'"
    for name, table in (("batch", payment_states.MOVES), ("line", payment_states.LINE_MOVES)):
        states_ = sorted({state for pair in table for state in pair} | {"neither"})
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute(f"CREATE TABLE payment_{name} (state TEXT NOT NULL)")
            db.execute(desk.store.query(script.format(name))[0][0])
            assert {
                pair for pair in product(states_, states_) if pair[0] != pair[1] and moves_to(db, name, *pair)
            } == table
    for state in every - {to for come, to in payment_states.MOVES if come == "draft"} - {"draft"}:
        with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="贼", command="x") as tx:
            tx.execute("UPDATE payment_batch SET state = ?", (state,))
    desk.lock()
    for sql in (
        "UPDATE payment_line SET amount_fen = 1",
        "UPDATE payment_line SET account_no = '1'",
        "DELETE FROM payment_line",
        "UPDATE payment_batch SET lines = 1",
        "DELETE FROM payment_batch",
        "UPDATE payment_move SET actor = '乙'",
        "DELETE FROM payment_move",
        "INSERT INTO payment_line (payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, state)"
        " SELECT payment_id, 99, 99, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, 'due' FROM payment_line LIMIT 1",
    ):
        with pytest.raises(sqlite3.IntegrityError), desk.store.transaction(actor="贼", command="x") as tx:
            tx.execute(sql)


def test_the_way_of_a_batch_is_kept(desk: Desk) -> None:
    desk.roll(BANKED)
    number = desk.draft().batch["payment_id"]
    desk.lock()
    desk.approve()
    desk.export()
    way = [(m["from_state"], m["to_state"], m["actor"]) for m in moves(desk.store, number)]
    assert way == [
        ("", "draft", "张经办"), ("draft", "locked", "张经办"), ("locked", "approved", "李审批"), ("approved", "released", "张经办"),
        ("released", "exported", "张经办"),
    ]  # fmt: skip


def test_the_list_says_what_kind_each_batch_is(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.roll(BANKED)
    desk.pay(failures={2: "账户冻结"})
    desk.draft(override="银行已解冻")
    with pytest.raises(SystemExit):
        main(["-C", str(desk.workspace.root), "pay", "list"])
    told = capsys.readouterr().out.splitlines()
    assert [word for line in told for word in ("正常发放", "失败重发") if word in line] == ["正常发放", "失败重发"]
