"""What a run knows of the months before it: aid given again for one cause, accounts that changed; and whose name an account is in."""

from __future__ import annotations

from typing import Any

import pytest

from jiuzhu_cli.policy.load import load_policy
from tests.dedupe.worlds import HELP, LOW, OLD, POOR, World, household, ids, name, person, short
from tests.support import make_id

AGAIN = "same_cause_again"


def codes(world: World, *wanted: str, **more: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(d["code"], d["id_no_a"]): d for d in world.run(**more).doubts if d["code"] in wanted}


def test_one_cause_within_a_year(world: World) -> None:
    """Earlier grants count though the run is of October only; a year to the month is long enough."""
    for month, serial, cause in (("2026-02", 1, "火灾"), ("2025-10", 2, "火灾"), ("2025-11", 3, "火灾"), ("2026-02", 4, "车祸"), ("2026-02", 5, None)):  # fmt: skip
        world.roll(HELP, "东镇", person(serial, 50_000, cause=cause), month=month, part=str(serial))
    world.roll(
        HELP, "西镇", *(person(n, 80_000, cause="火灾") for n in (1, 2, 3, 4, 5)), person(6, 80_000, cause="火灾")
    )
    found = short(world.run())
    assert found == {(AGAIN, HELP, HELP, ids(n), 80_000) for n in (1, 3)}
    [doubt] = [d for d in world.run().doubts if d["id_no_a"] == make_id(1)]
    assert (doubt["severity"], doubt["month_from"]) == ("strong", "2026-10")
    assert "2026-02 已因同一事由" in doubt["evidence"] and "2026-02.xlsx" in doubt["source_b"]


def test_the_months_of_the_run_count_too(world: World) -> None:
    for month in ("2026-08", "2026-10"):
        world.roll(HELP, "东镇", person(1, 50_000, cause="火灾"), month=month)
    [doubt] = world.run(month_from="2026-08").doubts
    assert (doubt["code"], doubt["month_from"], doubt["month_to"]) == (AGAIN, "2026-10", "2026-10")


def test_a_list_that_repeats_last_months_grant(world: World) -> None:
    for month in ("2026-09", "2026-10"):
        world.roll(HELP, "东镇", person(1, 50_000, cause="火灾", event_date="2026-09-08"), month=month)
    assert short(world.run()) == set()


def test_lists_without_days_may_repeat_one_grant(world: World) -> None:
    for month in ("2026-09", "2026-10"):
        world.roll(HELP, "东镇", person(1, 50_000, cause="火灾"), person(2, 50_000 if month == "2026-09" else 60_000, cause="火灾"), month=month)  # fmt: skip
    assert {key[1]: d["severity"] for key, d in codes(world, AGAIN).items()} == {
        make_id(1): "candidate",
        make_id(2): "strong",
    }


def test_another_member_of_the_household_is_looked_at(world: World) -> None:
    world.roll(HELP, "东镇", person(1, 50_000, cause="火灾"), month="2026-09")
    world.roll(HELP, "东镇", *household(1, 60_000, 2, 1, cause="火灾"))
    assert {key: d["severity"] for key, d in codes(world, AGAIN).items()} == {(AGAIN, make_id(2)): "candidate"}


def test_a_member_of_the_household_by_another_roll_is_looked_at(world: World) -> None:
    """Lists of one-off aid name only who applied; the 低保 roll says who lives together. Another cause, another household: nothing."""
    world.roll(HELP, "东镇", person(1, 50_000, cause="火灾"), person(5, 50_000, cause="车祸"), month="2026-09")
    world.roll(HELP, "东镇", *(person(n, 60_000, cause="火灾") for n in (2, 6, 7)))
    world.roll(LOW, "东镇", *household(1, 90_000, 1, 2), *household(2, 90_000, 5, 6))
    assert {key: d["severity"] for key, d in codes(world, AGAIN).items()} == {(AGAIN, make_id(2)): "candidate"}


def test_the_span_is_a_parameter_of_the_region(world: World) -> None:
    folder = world.workspace.policy_dir / "parameters"
    folder.mkdir()
    (folder / "a.toml").write_text(
        '[[parameter]]\nname = "临时救助同一事由间隔月数"\nunit = "月"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = 6 }, { since = 2026-10-01, value = 3 }]\n',
        "utf-8",
    )
    policy = load_policy(folder.parent, region="421002")
    world.roll(HELP, "东镇", person(1, 50_000, cause="火灾"), month="2026-06")
    for month in ("2026-09", "2026-10"):
        world.roll(HELP, "东镇", person(1 if month == "2026-10" else 2, 80_000, cause="火灾"), month=month)
    assert codes(world, AGAIN, policy=policy) == {}  # four months, three are asked for since October


def _cards(world: World, month: str, accounts: dict[int, str], programme: str = LOW, **more: Any) -> None:
    world.roll(programme, "东镇", *(person(n, 50_000, account_no=a, **more) for n, a in accounts.items()), month=month)


CHANGED, TOGETHER, STRANGER = "account_changed", "accounts_changed_together", "payee_unknown"


def test_an_account_that_changed_since_the_last_roll(world: World) -> None:
    _cards(world, "2026-06", {5: "6222020000000005"})  # longer ago than is looked back
    _cards(world, "2026-08", {1: "6222020000000001", 2: "6222020000000002", 3: "6222020000000003", 4: ""})
    _cards(world, "2026-10", {1: "6222020000000011", 2: "6222020000000002", 4: "6222020000000004", 5: "6222020000000055", 6: "6222020000000006"})  # fmt: skip
    found = codes(world, CHANGED)
    assert set(found) == {(CHANGED, make_id(1))}
    doubt = found[CHANGED, make_id(1)]
    assert (doubt["severity"], doubt["amount_fen"], doubt["id_no_b"]) == ("candidate", 50_000, "")
    assert "6222********0011" in doubt["evidence"] and "2026-08 名册上是6222********0001" in doubt["evidence"]
    assert "2026-08.xlsx" in doubt["source_b"]


def test_changed_within_the_months_of_the_run(world: World) -> None:
    for month, account in (("2026-08", "6222020000000001"), ("2026-09", "6222020000000002"), ("2026-10", "6222020000000002")):  # fmt: skip
        _cards(world, month, {1: account})
    [doubt] = codes(world, CHANGED, month_from="2026-08").values()
    assert (doubt["month_from"], doubt["month_to"]) == ("2026-09", "2026-09")
    assert codes(world, CHANGED, month="2026-10") == {}


def test_changed_since_the_last_payment(world: World) -> None:
    """No earlier roll is at hand, but where the money went is known."""
    with world.store.transaction(actor="测试", command="test") as tx:
        for n, (serial, account, state) in enumerate([(1, "6222020000000001", "paid"), (2, "6222020000000002", "paid"), (3, "6222020000000003", "failed")], 1):  # fmt: skip
            tx.execute(
                "INSERT INTO obligation (obligation_id, programme, month, recipient_id_no, recipient_name, town, village, amount_fen, persons, roll_row_id)"
                " VALUES (?, ?, '2026-09', ?, '某', '东镇', '', 100, 1, 1)",
                (n, LOW, make_id(serial)),
            )
            if n == 1:
                tx.execute(
                    "INSERT INTO payment_batch (payment_id, month, sequence, kind, state, lines, amount_fen, policy_digest, drafted_by, drafted_at)"
                    " VALUES (1, '2026-09', 1, 'regular', 'draft', 3, 300, '', '甲', '')"
                )
            tx.execute(
                "INSERT INTO payment_line (payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, state)"
                " VALUES (1, ?, ?, ?, '农商行', ?, '某', '', 100, 'due')",
                (n, n, n, account),
            )
            for step in ("sent", state):
                tx.execute("UPDATE payment_line SET state = ? WHERE line_no = ?", (step, n))
        tx.journal("payment:1", {"test": True})
    _cards(world, "2026-10", {1: "6222020000000011", 2: "6222020000000002", 3: "6222020000000033"})
    [doubt] = codes(world, CHANGED).values()
    assert doubt["id_no_a"] == make_id(1) and "2026-09 发放时是" in doubt["evidence"]


@pytest.mark.parametrize(("changed", "people", "said"), [(9, 60, CHANGED), (12, 200, CHANGED), (12, 100, TOGETHER)])
def test_many_accounts_changed_in_one_import(world: World, changed: int, people: int, said: str) -> None:
    before = {n: f"62220200{n:08d}" for n in range(1, people + 1)}
    _cards(world, "2026-09", before)
    _cards(world, "2026-10", {n: f"62220300{n:08d}" if n <= changed else account for n, account in before.items()})
    found = codes(world, CHANGED, TOGETHER)
    assert set(found) == {(said, make_id(n)) for n in range(1, changed + 1)}
    if said == TOGETHER:
        assert all(f"{people} 人中有 {changed} 人换了账户，由测试导入" in d["evidence"] for d in found.values())


def test_a_bank_that_changes_all_numbers_is_said_once(world: World) -> None:
    before = {n: f"62220200{n:08d}" for n in range(1, 41)}
    _cards(world, "2026-09", before)
    _cards(world, "2026-10", {n: f"62170300{n:08d}" for n in before})
    [key] = codes(world, CHANGED, TOGETHER)
    assert key[0] == TOGETHER


def test_a_payee_whom_nobody_knows(world: World) -> None:
    card = {"account_no": "6222020000000001"}
    child = {"born": "20150101"}
    world.roll(
        OLD,
        "东镇",
        person(1, payee_name="路人甲", **card),
        person(2, payee_name=name(2), account_no="6222020000000002"),
        person(3, payee_name=name(4), account_no="6222020000000003"),  # 4 shares a household with 3
        person(5, payee_name="李监护", account_no="6222020000000005"),
        person(6, payee_name="周配偶", account_no="6222020000000006"),
        person(7, payee_name="", account_no="6222020000000007"),
        person(8, payee_name="东镇敬老院", account_no="6222020000000008"),
        person(
            9, payee_name="路人乙", payee_id_no=make_id(10), account_no="6222020000000009"
        ),  # 10 is of the household
        person(11, payee_name="张三", account_no=""),
        person(12, payee_name="路人丙", account_no="6222020000000012", **child),
    )
    world.roll(LOW, "东镇", *household(1, 90_000, 3, 4), *household(2, 90_000, 10, 9))
    world.roll(POOR, "西镇", person(20, 80_000, payee_name="路人丁", account_no="6222020000000020", care_mode="集中"))
    world.register(
        "disability_certificate", {"id_no": make_id(5), "name": "王", "grade": "4", "related_name": "李监护"}
    )
    world.register("marriage", {"id_no": make_id(30), "name": "周配偶", "related_id_no": make_id(6), "related_name": name(6), "kind": "结婚"})  # fmt: skip
    world.roll(
        OLD, "南镇", person(40, payee_name="路人戊", account_no="6222020000000040")
    )  # no list of that town's households
    found = codes(world, STRANGER)
    assert set(found) == {(STRANGER, make_id(1))}
    assert "路人甲" in found[STRANGER, make_id(1)]["evidence"]
