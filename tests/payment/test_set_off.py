"""What later payments keep back towards a recovery: only where the rule allows, only after somebody agreed, never of the subsistence minimum."""

from __future__ import annotations

import pytest

from jiuzhu_cli.payment import approvals
from jiuzhu_cli.payment.figures import figures, returned_sources
from jiuzhu_cli.payment.voucher import sides, voucher_lines
from jiuzhu_cli.policy.accounts import check_accounts
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import LIVING, MONTH, NOW, Desk, person
from tests.payment.test_back_pay import balanced
from tests.payment.test_reconcile import AFTER, BEFORE, reconcile
from tests.payment.test_recovery import recover
from tests.payment.test_repayments import fill, read
from tests.support import make_id


def rule(desk: Desk, share: int, kept: int = 0) -> None:
    folder = desk.workspace.policy_dir / "parameters"
    folder.mkdir(exist_ok=True)
    text = "".join(
        f'[[parameter]]\nname = "{name}"\nunit = "{unit}"\nsource = "测试"\nvalues = [{{ since = 2020-01-01, value = {value} }}]\n'
        for name, unit, value in (("追缴抵扣上限比例", "%", share), ("追缴抵扣后保留金额", "元/人/月", kept))
    )
    (folder / "own.toml").write_text(text, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


def overpaid(desk: Desk, programme: str = LIVING, agreed: str = "是") -> None:
    """Person 1 had 40 yuan too much in BEFORE, and stands on the next month's list."""
    first = desk.roll([person(1)], month=BEFORE, programme=programme)
    desk.pay(BEFORE, override="测试")
    desk.supersede(first, [person(1, amount_fen=6_001)], month=BEFORE, programme=programme)
    desk.roll([person(1), person(2)], programme=programme)
    [row] = recover(desk).rows
    assert row["over_fen"] == 4_000
    read(desk, fill(desk, {row["recovery_id"]: {"以后抵扣": agreed}}))


@pytest.mark.parametrize(
    ("share", "kept", "agreed", "programme", "expected"),
    [
        (0, 0, "是", LIVING, 0),
        (20, 0, "否", LIVING, 0),
        (20, 0, "是", LIVING, 2_000),
        (100, 0, "是", LIVING, 4_000),
        (20, 90, "是", LIVING, 1_001),
        (20, 200, "是", LIVING, 0),
        (20, 0, "是", "subsistence_allowance", 0),
    ],
)
def test_the_rule_decides_how_much(
    desk: Desk, share: int, kept: int, agreed: str, programme: str, expected: int
) -> None:
    rule(desk, share, kept)
    overpaid(desk, programme, agreed)
    made = desk.draft(override="测试")
    assert made.sums.set_off == expected and made.batch["amount_fen"] == 20_003 - expected
    assert made.sums.due == made.batch["amount_fen"] + made.sums.held + made.sums.already + made.sums.set_off
    balanced(desk)


def test_a_claim_is_set_off_month_by_month_and_no_further(desk: Desk) -> None:
    rule(desk, 25)
    overpaid(desk)
    number = desk.draft().batch["payment_id"]
    assert desk.draft().unchanged
    approvals.cancel(desk.store, desk.batch(number), reason="重做", actor="张经办", now=desk.now)
    assert recover(desk).rows[0]["over_fen"] == 4_000  # what was cancelled kept nothing back
    desk.pay()
    found = recover(desk)
    assert (found.rows[0]["over_fen"], found.sums["set_off_fen"]) == (1_500, 2_500)
    balanced(desk)
    desk.roll([person(1), person(2)], month=AFTER)
    failed = desk.pay(AFTER, failures={1: "系统超时", 2: "系统超时"})
    assert desk.batch(failed)["amount_fen"] == 20_003 - 1_500
    assert recover(desk).rows[0]["over_fen"] == 1_500  # the bank sent it back: nothing was kept
    balanced(desk)
    desk.pay(AFTER)
    assert recover(desk).rows == []
    balanced(desk)
    sums = reconcile(desk).sums
    assert (sums["set_off"], sums["set_off_back"], sums["open"]) == (4_000, 4_000, 0)


def test_other_programmes_are_left_alone(desk: Desk) -> None:
    rule(desk, 50)
    overpaid(desk)
    desk.roll([person(1)], programme="old_age_allowance")
    assert desk.draft(override="测试", programmes=["old_age_allowance"]).sums.set_off == 0
    assert desk.store.query("SELECT count(*) FROM recovery_set_off")[0][0] == 0
    assert make_id(1) and MONTH


def test_the_voucher_comes_to_what_was_due(desk: Desk) -> None:
    """What is kept back has lines of its own in each of the books; what the bank sends back is booked off with it."""
    rule(desk, 25)
    overpaid(desk)
    number = desk.pay(failures={1: "系统超时", 2: "系统超时"})
    found = figures(desk.store, desk.policy, desk.batch(number))
    lines = voucher_lines(desk.policy, found)
    assert desk.batch(number)["amount_fen"] == 20_003 - 2_500
    assert sides(lines) == dict.fromkeys(("财务会计", "预算会计"), (20_003, 20_003))
    kept = [line for line in lines if line.entry.money == "set_off"]
    assert sum(line.amount_fen for line in kept if line.entry.side == "credit") == 2 * 2_500
    assert {line.entry.code for line in kept} == {"5001", "1218", "7101"} and all(
        "抵扣追缴" in line.text for line in kept
    )
    back = voucher_lines(desk.policy, found, returned_sources(desk.store, desk.policy, found))
    assert sides(back) == dict.fromkeys(("财务会计", "预算会计"), (-20_003, -20_003))


def test_finance_may_leave_what_is_kept_back_out_of_its_books(desk: Desk) -> None:
    rule(desk, 25)
    text = "".join(f'[[entries]]\nid = "budget_set_off_{side}"\nused = false\n' for side in ("debit", "credit"))
    (desk.workspace.policy_dir / "accounts.toml").write_text(text, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)
    assert not [p for p in check_accounts(desk.policy, NOW.date()) if p.level == "error"]
    overpaid(desk)
    number = desk.pay()
    lines = voucher_lines(desk.policy, figures(desk.store, desk.policy, desk.batch(number)))
    assert sides(lines) == {"财务会计": (20_003, 20_003), "预算会计": (17_503, 17_503)}


def test_half_an_entry_is_no_entry(desk: Desk) -> None:
    (desk.workspace.policy_dir / "accounts.toml").write_text('[[entries]]\nid = "budget_set_off_debit"\nused = false\n', "utf-8")  # fmt: skip
    policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)
    assert [p for p in check_accounts(policy, NOW.date()) if "抵扣追缴" in p.where]
