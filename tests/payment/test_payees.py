"""Who is paid: agreements on file, and one payee's lines as one transfer, down to the bank's file and back."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import LIVING, Desk, person
from tests.support import make_id, put_register

CARE = "disability_care_subsidy"  # another one per person, never posted
HOME = {"related_name": "示例区中心敬老院", "account_no": "80010000123456789", "bank_name": "示例农商行"}


def agreement(serial: int, **values: Any) -> dict[str, Any]:
    return {"id_no": make_id(serial), "name": f"张{chr(0x4E00 + serial)}", "valid_from": "2026-01-01"} | HOME | values


def unnamed(serial: int, **values: Any) -> dict[str, Any]:
    """A roll row that says nothing of payee or account."""
    return person(serial, account_no="", **values)


def paid_to(desk: Desk, number: int = 1) -> dict[str, tuple[str, str, str]]:
    rows = payments.lines(desk.store, number).to_pylist()
    return {row["recipient_id_no"]: (row["payee_name"], row["account_no"], row["bank"]) for row in rows}


def holds(desk: Desk) -> dict[str, int]:
    try:
        return desk.draft().holds_by_code
    except RefusedError as error:
        assert error.code == "all_held"
        return {"all_held": 1}


def demand(desk: Desk) -> None:
    path = desk.workspace.policy_dir / "parameters" / "x.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        '[[parameter]]\nname = "代领须有协议"\narea = "421002"\nsource = "本局规定"\nvalues = [{ since = 2020-01-01, value = true }]\n',
        "utf-8",
    )
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


# -- agreements ------------------------------------------------------------------------------------------------


def test_a_roll_without_payees_is_paid_as_agreed(desk: Desk) -> None:
    desk.register(
        "payee_agreement",
        [
            agreement(1),
            agreement(
                2, related_name="王监护", related_id_no=make_id(90), account_no="6217000000000000012", bank_name=""
            ),
        ],
    )
    desk.roll([unnamed(1), unnamed(2), person(3)])
    assert desk.draft().holds_by_code == {}
    paid = paid_to(desk)
    assert paid[make_id(1)] == ("示例区中心敬老院", "80010000123456789", "rural_text")
    assert paid[make_id(2)][:2] == ("王监护", "6217000000000000012")
    assert paid[make_id(3)][0] == person(3)["name"]
    parts = [json.loads(row[0]) for row in desk.store.query("SELECT parts FROM payment_line ORDER BY line_no")]
    assert sum("agreement" in one for one in parts) == 2
    desk.lock()
    desk.approve()
    desk.export()
    assert not check_ledger(desk.store, desk.workspace).problems


@pytest.mark.parametrize(
    "values",
    [{"valid_to": "2026-09-30"}, {"valid_from": "2026-11-01"}, {"status": "已终止"}, {"account_no": ""}, {"grade": "低保"}, {"grade": "莫名其妙补贴"}],
)  # fmt: skip
def test_an_agreement_that_is_not_in_force_pays_nobody(desk: Desk, values: dict[str, Any]) -> None:
    desk.register("payee_agreement", [agreement(1, **values)])
    desk.roll([unnamed(1), person(2)])
    found = holds(desk)
    assert found.pop("no_account") == 1 and set(found) <= {"agreement_unclear"}
    assert bool(found) == (values.get("grade") == "莫名其妙补贴")


def test_the_newest_agreement_holds_and_two_of_one_day_do_not(desk: Desk) -> None:
    desk.register(
        "payee_agreement",
        [
            agreement(1, related_name="旧院", account_no="800100009"),
            agreement(2, related_name="甲院"),
            agreement(2, related_name="乙院", account_no="800100008"),
        ],
    )
    put_register(desk.store, "payee_agreement", [agreement(1, valid_from="2026-06-01")], area="甲镇")
    desk.roll([unnamed(1), unnamed(2)])
    assert holds(desk) == {"agreement_unclear": 1, "no_account": 1}
    assert paid_to(desk) == {make_id(1): ("示例区中心敬老院", "80010000123456789", "rural_text")}


def test_one_for_the_programme_goes_before_one_for_all(desk: Desk) -> None:
    desk.register(
        "payee_agreement",
        [
            agreement(1, grade="困难残疾人生活补贴", valid_from="2025-01-01"),
            agreement(1, related_name="别人", account_no="800100009"),
        ],
    )
    desk.roll([unnamed(1)])
    desk.roll([unnamed(1)], programme=CARE)
    assert not holds(desk)
    names = {row["programme"]: row["payee_name"] for row in payments.lines(desk.store, 1).to_pylist()}
    assert names == {LIVING: "示例区中心敬老院", CARE: "别人"}


def test_a_roll_that_says_otherwise_is_held_and_one_that_pays_the_person_is_not(desk: Desk) -> None:
    desk.register("payee_agreement", [agreement(n) for n in (1, 2, 3, 4, 5)])
    desk.roll([
        person(1),  # to the person's own card
        person(2, payee_name="李别人", payee_id_no=make_id(80)),
        person(3, payee_name=HOME["related_name"], account_no=HOME["account_no"]),
        unnamed(4) | {"account_no": HOME["account_no"]},  # the account without its name
        unnamed(5, payee_name=HOME["related_name"]),  # the name without its account
    ])  # fmt: skip
    assert holds(desk) == {"payee_differs": 1}
    assert {key: value[0] for key, value in paid_to(desk).items()} == {
        make_id(1): person(1)["name"], make_id(3): HOME["related_name"], make_id(4): HOME["related_name"],
        make_id(5): HOME["related_name"],
    }  # fmt: skip


def test_a_payee_without_agreement_is_held_only_where_agreements_are_demanded(desk: Desk) -> None:
    rows = [
        person(1, payee_name="李别人", payee_id_no=make_id(80)),
        person(2, case_no=2, payee_name="赵家人", payee_id_no=make_id(81)),
        person(81, case_no=2, lead=0, amount_fen=None, name="赵家人", account_no=None),
        person(3, payee_name="孙儿媳"),  # known from the register of members
        person(4),
    ]
    desk.roll(rows)
    desk.register("household_member", [{"id_no": make_id(82), "name": "孙儿媳", "related_id_no": make_id(3)}])
    assert holds(desk) == {}
    demand(desk)
    assert holds(desk) == {"payee_unagreed": 1}
    desk.register(
        "payee_agreement",
        [agreement(1, related_name="李别人", related_id_no=make_id(80), account_no=rows[0]["account_no"])],
    )
    assert holds(desk) == {}


def test_who_lives_in_a_home_is_paid_by_agreement_where_that_is_demanded(desk: Desk) -> None:
    programme = "extreme_poverty_support"
    desk.roll([person(1, care_mode="集中"), person(2, care_mode="分散")], programme=programme)
    desk.posting(programme, "甲镇", "")
    assert holds(desk) == {}
    demand(desk)
    assert holds(desk) == {"payee_unagreed": 1}


# -- transfers ---------------------------------------------------------------------------------------------------


def combined(desk: Desk) -> None:
    desk.configure("max_line_yuan = 50000", "max_line_yuan = 500\ncombine_payees = true")
    desk.roll([person(1, amount_fen=20_000), person(2, amount_fen=30_000), person(3, amount_fen=100)])
    desk.roll([person(1, amount_fen=15_000), person(2, amount_fen=30_000)], programme=CARE)


def test_one_payees_lines_are_one_transfer_and_stay_lines(desk: Desk) -> None:
    combined(desk)
    number = int(desk.draft().batch["payment_id"])
    assert (desk.batch(number)["lines"], desk.batch(number)["amount_fen"]) == (5, 95_100)
    table = payments.transfers(desk.store, number).to_pylist()
    # 350 元 in one; 600 元 would be more than one transfer may carry
    assert sorted((row["amount_fen"], row["lines"]) for row in table) == [
        (100, 1),
        (30_000, 1),
        (30_000, 1),
        (35_000, 2),
    ]
    assert [row["line_no"] for row in table] == [1, 2, 3, 4]
    desk.lock()
    desk.approve()
    made = desk.export()
    assert sum(f["lines"] for f in made.files) == 4 and sum(f["amount_fen"] for f in made.files) == 95_100
    assert not check_ledger(desk.store, desk.workspace).problems


def test_what_the_bank_says_of_a_transfer_holds_for_all_its_lines(desk: Desk) -> None:
    combined(desk)
    number = int(desk.draft().batch["payment_id"])
    desk.lock()
    desk.approve()
    desk.export()
    row = next(row for row in payments.transfers(desk.store, number).to_pylist() if row["lines"] == 2)
    for path in desk.answers(number, {row["line_no"]: "户名不符"}):
        desk.read(path)
    found = desk.store.query("SELECT transfer_no, state, COUNT(*) FROM payment_line GROUP BY 1, 2 ORDER BY 1")
    assert {(r[0], r[1]): r[2] for r in found} == {
        (n, "failed" if n == row["line_no"] else "paid"): 2 if n == row["line_no"] else 1 for n in range(1, 5)
    }
    assert desk.batch(number)["state"] == "reconciled"
    assert not check_ledger(desk.store, desk.workspace).problems


def test_a_transfer_without_answer_is_settled_whole(desk: Desk) -> None:
    combined(desk)
    number = int(desk.draft().batch["payment_id"])
    desk.lock()
    desk.approve()
    desk.export()
    lines = payments.lines(desk.store, number).to_pylist()
    numbers = sorted({row["transfer_no"]: row["line_no"] for row in lines}.values())
    desk.settle(number, numbers=numbers)
    assert {row[0] for row in desk.store.query("SELECT DISTINCT state FROM payment_line")} == {"paid"}
    assert desk.batch(number)["state"] == "reconciled"


def test_lines_are_not_combined_unless_asked(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(1)], programme=CARE)
    desk.draft()
    assert [row["lines"] for row in payments.transfers(desk.store, 1).to_pylist()] == [1, 1]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_combined_comes_to_the_same(desk: Desk, seed: int) -> None:
    """Any people on any lists, sharing accounts or not: every line in one transfer, each of one payee and bank and within the cap."""
    rng = random.Random(seed)
    cap = rng.choice([30_000, 60_000, 5_000_000])
    desk.configure("max_line_yuan = 50000", f"max_line_yuan = {cap // 100}\ncombine_payees = true")
    banks = [None, "中国建设银行", "示例农商行", "邮政储蓄银行"]
    for programme in (LIVING, CARE, "left_behind_child_support"):
        people = rng.sample(range(1, 60), rng.randint(5, 40))
        rows = [
            person(n, amount_fen=rng.randint(1, cap), bank_name=banks[n % 4])
            | ({"payee_name": "王代领", "payee_id_no": make_id(99), "account_no": "621799000000"} if n % 7 == 0 else {})
            for n in people
        ]
        desk.roll(rows, programme=programme)
    number = int(desk.draft().batch["payment_id"])
    lines, transfers = (
        payments.lines(desk.store, number).to_pylist(),
        payments.transfers(desk.store, number).to_pylist(),
    )
    assert [t["line_no"] for t in transfers] == list(range(1, len(transfers) + 1))
    assert (
        sum(t["amount_fen"] for t in transfers)
        == sum(row["amount_fen"] for row in lines)
        == desk.batch(number)["amount_fen"]
    )
    assert sum(t["lines"] for t in transfers) == len(lines) == desk.batch(number)["lines"]
    for t in transfers:
        own = [row for row in lines if row["transfer_no"] == t["transfer_no"]]
        assert {(row["bank"], row["account_no"], row["payee_name"]) for row in own} == {
            (t["bank"], t["account_no"], t["payee_name"])
        }
        assert len(own) == 1 or t["amount_fen"] <= cap
    assert [t["bank"] for t in transfers] == sorted(t["bank"] for t in transfers)
    desk.lock()
    desk.approve()
    made = desk.export()
    assert sum(f["lines"] for f in made.files) == len(transfers)
    for path in desk.answers(number, {rng.randint(1, len(transfers)): "户名不符" for _ in range(3)}):
        desk.read(path)
    assert desk.batch(number)["state"] == "reconciled" and not check_ledger(desk.store, desk.workspace).problems
