"""What stands in the record beside what the model (``world``) knows: asked after each step of a walk."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tests.payment.model import bank
from tests.payment.model.desk import WalkDesk, open_desk
from tests.payment.model.world import (
    AMOUNTS,
    BANKS,
    PEOPLE,
    TOWNS,
    Key,
    Person,
    Sheet,
    World,
)


class Fault(AssertionError):
    """What the walk found."""


class Beside:
    """A walk's workspace, open, and its model."""

    def __init__(self, folder: Path, template: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.root = folder / "ws"
        shutil.copytree(template, self.root)
        self.mail = folder / "bank"
        self.mail.mkdir()
        chance = random.Random(seed)
        people = {
            number: Person(
                number,
                chance.choice(TOWNS),
                chance.choice(BANKS),
                {code: base + number * 100 if chance.random() < 0.8 else 0 for code, base in AMOUNTS.items()},
            )
            for number in range(1, PEOPLE + 1)
        }
        self.world = World(people)
        self.sheets: list[Sheet] = []
        self.delivered: set[int] = set()
        self.exported: dict[int, dict[str, str]] = {}  # batch → its files and their digests, when an export ended well
        self.read: list[tuple[str, int]] = []
        self.cases = 0
        self.marks = 0
        self.count: Counter[str] = Counter()  # steps, and how many commands took effect
        self.opening = open_desk(self.root)
        self.desk: WalkDesk = self.opening.__enter__()

    def close(self) -> None:
        self.opening.__exit__(None, None, None)

    def rows(self, sql: str, *params: Any) -> list[Any]:
        return self.desk.store.query(sql, params)

    def batches(self, *states: str) -> list[int]:
        marks = ",".join("?" * len(states))
        return [
            row[0]
            for row in self.rows(f"SELECT payment_id FROM payment_batch WHERE state IN ({marks}) ORDER BY 1", *states)
        ]

    def key(self, row: Any) -> Key:
        month = "" if row["item"] else row["month"]
        return Key(row["programme"], month, self.person(row["recipient_id_no"]), row["item"])

    def person(self, id_no: str) -> int:
        return next(p.number for p in self.world.people.values() if p.id_no == id_no)

    def states(self) -> dict[int, str]:
        return dict(map(tuple, self.rows("SELECT line_id, state FROM payment_line")))

    def lines(self) -> list[Any]:
        return self.rows(
            "SELECT l.line_id, l.payment_id, l.state, l.amount_fen, l.set_off_fen, l.account_no, o.obligation_id, o.programme, o.month, o.recipient_id_no,"
            " o.item, o.purpose, o.cause, o.town FROM payment_line l JOIN obligation o USING (obligation_id)"
        )

    def check(self) -> None:
        live: Counter[tuple[Any, ...]] = Counter()
        states: dict[int, str] = {}
        for row in self.lines():
            states[row["line_id"]] = row["state"]
            if row["state"] in ("due", "sent", "paid"):
                live[tuple(row)[7:8] + (() if row["item"] else (row["month"],)) + tuple(row)[9:13]] += 1
        double = [key for key, times in live.items() if times > 1]
        if double:
            raise Fault(f"owed once, under way or paid more than once: {double}")
        had: Counter[Key] = Counter()
        for sheet in self.sheets:
            for one in sheet.transfers:
                for key, fen in one.shares():
                    had[key] += fen
                for part in one.parts:
                    state = states.get(part.line_id, "gone")
                    if state not in ("sent", "paid", "failed", "reversed") or (state == "paid" and one.real != one.fen) or (
                        state in ("failed", "reversed") and one.real
                    ):  # fmt: skip
                        raise Fault(f"line {part.line_id} is {state}, the bank paid {one.real} of {one.fen}")
        for key, fen in had.items():
            if fen > self.world.dear.get(key, 0):
                raise Fault(f"the banks paid {fen} for {key}, never owed more than {self.world.dear.get(key, 0)}")

    def check_draft(self, number: int, month: str, programmes: tuple[str, ...], *, override: str | None = None) -> None:
        """Every case that the lists of the month owe is in the draft, under way, paid, or held for a reason that the model knows."""
        owed = {
            key: entries
            for key, entries in self.world.owed(month).items()
            if not programmes or key.programme in programmes
        }
        drafted: dict[Key, Any] = {}
        live: dict[Key, list[Any]] = {}
        more: list[tuple[Key, Any]] = []
        for row in self.lines():
            key = self.key(row)
            if row["payment_id"] == number and row["purpose"] == "back_pay":
                more.append((key, row))
            elif row["payment_id"] == number:
                drafted[key] = row
            elif row["state"] in ("due", "sent", "paid"):
                live.setdefault(key, []).append(row)
        for key, row in drafted.items():
            # what is left of a month may go out beside its back-pay
            beside = [one for one in live.get(key, []) if one["purpose"] == "back_pay" and one["cause"] != "missed"]
            whole = (
                row["amount_fen"] + row["set_off_fen"] + sum(one["amount_fen"] + one["set_off_fen"] for one in beside)
            )
            fitting = [one for one in owed.get(key, []) if one.fen and one.fen == whole]
            if not fitting or len(live.get(key, [])) > len(beside):
                raise Fault(
                    f"drafted {row['amount_fen']} for {key}: owed {owed.get(key)}, under way or paid {bool(live.get(key))}"
                )
            if not override and row["account_no"] in self.refused():
                raise Fault(f"drafted for {key} to {row['account_no']}, which the bank has refused")
            if row["account_no"] not in {one.row.account for one in fitting}:
                raise Fault(f"drafted for {key} to {row['account_no']}, the list says otherwise")
        for key, _ in more:
            whole = sum(one["amount_fen"] + one["set_off_fen"] for one in live.get(key, [])) + sum(
                one["amount_fen"] + one["set_off_fen"] for other, one in more if other == key
            )
            if whole > self.world.dear.get(key, 0):
                raise Fault(f"back-pay brings {key} to {whole}, never owed more than {self.world.dear.get(key, 0)}")
        held: dict[Key, set[str]] = {}
        for row in self.rows(
            "SELECT programme, recipient_id_no, code FROM payment_hold WHERE payment_id = ?", number
        ):  # fmt: skip
            person = self.person(row["recipient_id_no"])
            for key in owed:
                if (key.programme, key.person) == (row["programme"], person):
                    held.setdefault(key, set()).add(row["code"])
        for key, entries in owed.items():
            if key in drafted or key in live or key in dict(more) or not any(one.fen for one in entries):
                continue
            reasons = self.reasons(key, month, entries)
            if not reasons or (number and not held.get(key, set()) & reasons):
                raise Fault(
                    f"{key} is owed {[one.fen for one in entries]} and not drafted; held {held.get(key)}, known {reasons}"
                )

    def refused(self) -> set[str]:
        """Accounts that a booked answer of the bank called at fault."""
        states = self.states()
        return {
            one.account
            for sheet in self.sheets
            for one in sheet.transfers
            if one.told == "failed" and bank.REASONS[one.reason] and states[one.parts[0].line_id] == "failed"
        }

    def reasons(self, key: Key, month: str, entries: list[Any]) -> set[str]:
        """The holds that the model finds in order for this case."""
        world = self.world
        known = {
            "dead": world.dead(key.person, month),
            "same_programme_twice": world.twice(key, month),
            "not_compared": world.late(key, month),
            "decision_differs": world.decided(key),
            "account_refused": any(
                row["state"] in ("failed", "reversed")
                and self.person(row["recipient_id_no"]) == key.person
                and (row["account_no"] in {one.row.account for one in entries} or row["programme"] == key.programme)
                for row in self.lines()
            ),
            # an earlier month went to another account, and the bank did not ask for a new one
            "account_changed": any(
                row["state"] in ("sent", "paid") and row["programme"] == key.programme and self.person(row["recipient_id_no"]) == key.person
                and row["month"] < month and row["account_no"] not in {one.row.account for one in entries} for row in self.lines()
            ),
            # another event of the same person was paid in this month and has since gone from the lists
            "maybe_paid": any(
                row["month"] == month and row["programme"] == key.programme and row["state"] in ("due", "sent", "paid")
                and self.person(row["recipient_id_no"]) == key.person for row in self.lines()
            ),
        }  # fmt: skip
        return {code for code, holds in known.items() if holds}
