"""A whole month of a random small ledger: files, lines, holds and cases agree to the 分, nobody is paid twice, and again is the same."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.proposals import decide, proposals_of
from jiuzhu_cli.payment.bankfile import read_export
from jiuzhu_cli.payment.parts import layout_of
from jiuzhu_cli.review.run import run_review
from jiuzhu_cli.tabular.read import read_workbook
from tests.payment.conftest import LIVING, MONTH, NOW, Desk, person
from tests.support import make_id

CARE = "disability_care_subsidy"
BANKS = ("农信社", "邮储银行", "建行", "中国银行", "")
ODD: tuple[dict[str, Any], ...] = (
    {"name": "䶮小丫"}, {"account_no": ""}, {"account_no": "62x"}, {"payee_name": "=1"}, {"amount_fen": 9_000_000}, {"amount_fen": 0},
)  # fmt: skip


def invent(desk: Desk, chance: random.Random) -> list[dict[str, Any]]:
    """Two programmes in two towns, with people who are dead, doubted, decided on, odd or listed twice; returns the first roll."""
    rolls = []
    for programme in (LIVING, CARE):
        for town in ("甲镇", "乙镇"):
            people = chance.sample(range(1, 60), 12)
            rows = [person(i, bank_name=chance.choice(BANKS), amount_fen=chance.randint(1, 99_999)) for i in people]
            for row in chance.sample(rows, 3):
                row.update(chance.choice(ODD))
            desk.roll(rows, programme=programme, area=town, compare=False)
            rolls.append(rows)
    everyone = [make_id(i) for i in range(1, 60)]
    desk.register("death", [{"id_no": i, "name": "某", "event_date": chance.choice(["2026-08-01", f"{MONTH}-03", None])} for i in chance.sample(everyone, 5)])  # fmt: skip
    dispositions = ("pending", "legal", "stop_a", "stop_b", "adjust")
    for number, one in enumerate(chance.sample(everyone, 6)):
        desk.doubt(number, (one, LIVING, "甲镇"), (one, CARE, "甲镇"), disposition=chance.choice(dispositions), disposed_at="2026-10-20T00:00:00Z")  # fmt: skip
    for number, row in enumerate(chance.sample(rolls[0], 3)):
        action, after = chance.choice([("stop", 0), ("increase", 100_000), ("decrease", 1)])
        desk.decision(number, row["id_no"], action, row["amount_fen"], after)
    desk.compare()
    return rolls[0]


@pytest.mark.parametrize("seed", range(5))
def test_a_random_month_adds_up(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    first = invent(desk, chance)
    number = desk.draft().batch["payment_id"]
    if (
        seed % 2
    ):  # a roll corrected between draft and lock: what no longer holds cannot be locked, the new draft replaces the old
        batch = desk.store.query("SELECT min(batch_id) FROM batch WHERE kind = 'roll'")[0][0]
        desk.supersede(batch, [row | {"amount_fen": 7_777} for row in first])
        with pytest.raises(RefusedError):
            desk.lock()
        number = desk.draft().batch["payment_id"]
    made = desk.draft()  # what is due is drafted, held or paid; the list of those held says the same sum
    assert made.unchanged and made.sums.due == made.batch["amount_fen"] + made.sums.held
    listed = read_workbook(desk.workspace.root / made.files[0]).sheets[0].columns[4]
    assert listed[-1] == pytest.approx(made.sums.held / 100) and len(listed) == 2 + made.held + 1
    rolls = "SELECT SUM(r.amount_fen) FROM roll_row r JOIN batch b USING (batch_id) WHERE b.status = 'active' AND ?"
    assert made.sums.rolls == desk.store.query(rolls, (1,))[0][0]
    desk.lock()
    desk.approve()
    files = desk.export().files
    lines = sum_of(desk, "SELECT count(*), sum(amount_fen) FROM payment_line WHERE payment_id = ?", number)
    assert (sum(f["lines"] for f in files), sum(f["amount_fen"] for f in files)) == lines
    written = [read_export(layout_of(desk.policy, f["bank"]), desk.workspace.root / f["path"]) for f in files]
    assert (sum(map(len, written)), sum(sum(w.columns["amount"]) for w in written)) == lines
    # every case with an amount is either a line or held, never both, never neither
    cases = Counter(
        (r[0], r[1])
        for r in desk.store.query(
            "SELECT b.programme, r.id_no FROM batch b JOIN roll_row r USING (batch_id) WHERE b.kind = 'roll' AND b.status = 'active' AND r.amount_fen > 0"
        )
    )
    paid = [(r[0], r[1]) for r in desk.store.query("SELECT programme, recipient_id_no FROM obligation")]
    held = {
        (r[0], r[1])
        for r in desk.store.query("SELECT programme, recipient_id_no FROM payment_hold WHERE payment_id = ?", (number,))
    }
    assert len(paid) == len(set(paid)) == lines[0]
    assert set(cases) == set(paid) | held
    assert all(cases[case] > 1 for case in set(paid) & held)  # of one person on two lists one side was stopped
    for path in desk.answers(number, dict.fromkeys(range(1, lines[0], 7), "系统超时")):
        desk.read(path)
    made = desk.draft()  # again: only what failed
    assert (made.batch["kind"], made.batch["lines"]) == ("retry", len(range(1, lines[0], 7)))
    assert check_ledger(desk.store, desk.workspace).problems == ()


def sum_of(desk: Desk, sql: str, number: int) -> tuple[int, int]:
    row = desk.store.query(sql, (number,))[0]
    return row[0], row[1]


def test_an_undone_roll_leaves_its_batch_and_a_retry_takes_the_changed_account(desk: Desk) -> None:
    first = desk.roll([person(1), person(2), person(3)])
    desk.draft()
    with desk.store.transaction(actor="测试", command="batch undo", now=desk.now) as tx:
        tx.execute("UPDATE batch SET status = 'undone' WHERE batch_id = ?", (first,))
        tx.journal(f"batch:{first}", {"undone": True})
    with pytest.raises(RefusedError, match="3 笔已不能照原样发"):
        desk.lock()
    second = desk.roll([person(1), person(2)])
    assert desk.pay(failures={1: "账户已销户"}) == 1
    rows = [person(1, account_no="6217888800000001"), person(2, account_no="6217888800000002")]
    desk.supersede(second, rows)
    assert desk.pay() == 2
    paid = desk.store.query("SELECT account_no FROM payment_line WHERE state = 'paid' ORDER BY account_no")
    assert len(paid) == 2 and sorted(s[-1] for s in desk.states().values()) == ["paid", "paid"]
    assert sum("62178888" in r[0] for r in paid) == 1  # only who failed is paid to the changed account


def test_what_review_decides_is_what_is_paid(desk: Desk, tmp_path: Path) -> None:
    """Review's own proposals, decided, in the month and the month after: a death, a dead head whose household goes on, a rise."""
    low = "subsistence_allowance"

    def home(serial: int, income: int, case: int, **more: Any) -> dict[str, Any]:
        return person(serial, amount_fen=50_000, income_fen=income, income_period="month", covered_persons=1, household_size=1,
                      category="农村", case_no=case, village="一村") | more  # fmt: skip

    mate = person(9, amount_fen=None, account_no=None, case_no=2, lead=0, relation="配偶")
    rows = [home(1, 0, 1), home(2, 0, 2, covered_persons=2, household_size=2), mate, home(3, 0, 3)]
    for month in (MONTH, "2026-11"):
        desk.roll(rows, programme=low, month=month)
        desk.posting(low, "甲镇", "一村", month=month)
    desk.register(
        "death", [{"id_no": make_id(i), "name": person(i)["name"], "event_date": f"{MONTH}-08"} for i in (1, 2)]
    )
    run_review(desk.store, desk.workspace, desk.policy, MONTH, today=NOW.date(), now=NOW, actor="张经办")
    found = {p["id_no"]: p for p in proposals_of(desk.store, MONTH)}
    assert {i: found[make_id(i)]["action"] for i in (1, 2, 3)} == {1: "stop", 2: "transfer", 3: "increase"}
    with desk.store.transaction(actor="李审批", command="review decide", now=NOW) as tx:
        for p in found.values():
            month = max(p["effective_month"], "2026-11")
            decide(tx, p["case_id"], state="effective", note="", hearing_date="", notice_date="", effective_month=month)
    made = desk.draft()
    assert (made.batch["lines"], made.batch["amount_fen"], made.held) == (
        3,
        150_000,
        0,
    )  # the month of death is paid as listed
    made = desk.draft("2026-11")
    assert made.batch["lines"] == 1 and made.batch["amount_fen"] == found[make_id(3)]["amount_after_fen"] > 50_000
    held = {
        (r[0], r[1])
        for r in desk.store.query(
            "SELECT recipient_id_no, code FROM payment_hold WHERE payment_id = ?", (made.batch["payment_id"],)
        )
    }
    assert {(make_id(1), "stopped"), (make_id(2), "stopped"), (make_id(1), "dead"), (make_id(2), "dead")} == held
