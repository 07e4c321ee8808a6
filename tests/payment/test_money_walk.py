"""Half a year of a random small town: deaths, corrections, decisions backwards, refusals, reversals, repayments. Whenever claims and back-pay have been
looked for, every person balances; in the end everybody has what is due and nobody has it twice."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import back_pay, correction
from tests.payment.conftest import LIVING, NOW, Desk, person
from tests.payment.test_back_pay import balanced
from tests.payment.test_recovery import recover
from tests.payment.test_repayments import fill, read
from tests.payment.test_set_off import rule
from tests.support import make_id, put_register

FIRST = "2026-05"
SEEDS = (1, 2)
TOWNS = ("甲镇", "乙镇")


class Town:
    """Lists by month and town, as they stand, and what was done to them."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self.desk, self.chance = desk, chance
        self.rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.batch: dict[tuple[str, str], int] = {}
        self.amount = {i: chance.randint(5_000, 30_000) for i in range(1, 13)}
        self.cases = self.lists = 0

    def list_month(self, month: str) -> None:
        for place, town in enumerate(TOWNS):
            rows = [
                person(i, amount_fen=self.amount[i])
                for i in self.amount
                if i % 2 == place and self.chance.random() > 0.1
            ]
            self.put(month, town, rows)
        self.desk.compare(month)

    def put(self, month: str, town: str, rows: list[dict[str, Any]]) -> None:
        key = (month, town)
        if key in self.batch:
            self.batch[key] = self.desk.supersede(self.batch[key], rows, area=town, month=month)
        else:
            self.batch[key] = self.desk.roll(rows, area=town, month=month, compare=False)
        self.rows[key] = rows

    # -- what happens

    def correct_a_list(self) -> None:
        month, town = self.chance.choice(sorted(self.rows))
        rows = [dict(row) for row in self.rows[month, town]]
        for row in self.chance.sample(rows, min(2, len(rows))):
            row["amount_fen"] = max(1, row["amount_fen"] + self.chance.randint(-3_000, 3_000))
        if rows and self.chance.random() < 0.4:
            rows.pop(self.chance.randrange(len(rows)))
        present = {row["id_no"] for found in self.rows.values() for row in found} & {row["id_no"] for row in rows}
        absent = [i for i in self.amount if make_id(i) not in present and i % 2 == TOWNS.index(town)]
        if absent and self.chance.random() < 0.5:
            rows.append(person(absent[0], amount_fen=self.amount[absent[0]]))
        self.put(month, town, rows)
        self.desk.compare(month)

    def a_death(self) -> None:
        one, month = self.chance.choice(list(self.amount)), self.chance.choice(sorted(self.rows))[0]
        self.lists += 1
        put_register(
            self.desk.store,
            "death",
            [{"id_no": make_id(one), "name": "某", "event_date": f"{month}-11"}],
            area=f"{self.lists}村",
        )

    def a_death_taken_back(self) -> None:
        with self.desk.store.transaction(actor="测试", command="batch undo", now=self.desk.now) as tx:
            tx.execute(
                "UPDATE batch SET status = 'undone' WHERE batch_id = (SELECT max(batch_id) FROM batch WHERE kind = 'register')"
            )
            tx.journal("batch:0", {})

    def a_decision(self) -> None:
        month, town = self.chance.choice(sorted(self.rows))
        if not self.rows[month, town]:
            return
        row = self.chance.choice(self.rows[month, town])
        self.cases += 1
        action, after = self.chance.choice(
            [("increase", row["amount_fen"] + 1_111), ("decrease", max(1, row["amount_fen"] - 1_111)), ("stop", 0)]
        )
        self.desk.decision(self.cases, row["id_no"], action, row["amount_fen"], after, effective_month=month, month=month, area=town, hearing_date="2026-04-01", notice_date="2026-04-02")  # fmt: skip

    def a_reversal(self) -> None:
        rows = self.desk.store.query(
            "SELECT payment_id, line_no FROM payment_line WHERE state = 'paid' ORDER BY line_id"
        )
        if not rows:
            return
        number, line = self.chance.choice([tuple(row) for row in rows])
        made = correction.ask(
            self.desk.store, self.desk.batch(number), [line], kind="bank_returned", on_date=date(2026, 10, 1), reference="", reason="退汇",
            today=date(2026, 11, 20), actor="张经办", now=NOW,
        )  # fmt: skip
        correction.answer(
            self.desk.store, [row["correction_id"] for row in made.rows], done=True, actor="李审批", now=NOW
        )

    def money_back(self) -> None:
        rows = recover(self.desk).rows
        if rows:
            row = self.chance.choice(rows)
            part = self.chance.randint(1, row["over_fen"])
            cells = {
                "追回日期": f"2026-11-{self.chance.randint(1, 19):02d}",
                "追回金额（元）": part / 100,
                "收据号": str(self.chance.random()),
                "以后抵扣": "是",
            }
            assert read(self.desk, fill(self.desk, {row["recovery_id"]: cells})).booked == 1

    def pay(self, month: str) -> None:
        failures = {n: "系统超时" for n in range(1, 30) if self.chance.random() < 0.15}
        try:
            number = int(self.desk.draft(month, override="测试").batch["payment_id"])
        except RefusedError:
            return None
        if self.chance.random() < 0.2:
            self.desk.cancel(number)
            return self.pay(month)
        self.desk.lock(number)
        self.desk.approve(number)
        self.desk.export(number)
        for path in self.desk.answers(number, failures):
            self.desk.read(path, number=number)
        return None

    def settle(self) -> None:
        """Claims and back-pay are looked for and confirmed; from here on everybody must balance."""
        recover(self.desk)
        found = back_pay.find(
            self.desk.store, self.desk.workspace, self.desk.policy, write=False, actor="张经办", now=NOW
        )
        numbers = [row["back_pay_id"] for row in found.rows if row["state"] == "found"]
        if numbers:
            back_pay.decide(self.desk.store, numbers, confirmed=True, note="核实", actor="张经办", now=NOW)
        balanced(self.desk)


@pytest.mark.parametrize("seed", SEEDS)
def test_everybody_balances_whatever_happens(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    town = Town(desk, chance)
    rule(desk, 30)
    months = [add_months(FIRST, n) for n in range(4)]
    for month in months:
        town.list_month(month)
        town.pay(month)
        for _ in range(3):
            chance.choice([town.correct_a_list, town.correct_a_list, town.a_death, town.a_death_taken_back, town.a_decision, town.a_decision, town.a_reversal, town.money_back])()  # fmt: skip
        town.settle()
        town.pay(chance.choice(months[: months.index(month) + 1]))
    for _ in range(4):  # what waits is paid, the oldest months first
        town.settle()
        for month in months:
            town.pay(month)
    town.settle()
    # nobody has more than is due and claimed, and no obligation two lines
    assert check_ledger(desk.store, desk.workspace).problems == ()
    assert desk.store.query("SELECT 1 FROM obligation WHERE programme <> ?", (LIVING,)) == []
