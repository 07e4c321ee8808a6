"""The walk: random commands one after another, after each of them the record beside the model (``world``).

A step is a name and a number that draws everything else when the step is taken, so that any part of a walk is a walk: a failing one
is made shorter by leaving steps out. ``drain`` ends a walk: no more accidents, all that can be paid is paid, and then nobody may be
short of anything without a reason.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import back_pay, correction, reconcile, recovery, states
from tests.payment.conftest import NOW
from tests.payment.model import apart, bank
from tests.payment.model.desk import APPROVER, CLERK, WalkDesk, open_desk, row_of, small_tables
from tests.payment.model.world import (
    BANKS,
    LIVING,
    MONTHS,
    PRICE,
    PROGRAMMES,
    TOWNS,
    Decision,
    Key,
    Listing,
    Part,
    Person,
    Row,
    Sheet,
    Transfer,
    World,
    paid_out,
)
from tests.support import make_id, put_register

Step = tuple[str, int]
# how often each step is drawn; the month's own commands come often enough that months are paid to the end
WEIGHTS = {
    "correct": 18, "undo_import": 4, "death": 1, "decide": 5, "undo_decision": 4, "compare": 8, "draft": 6, "lock": 5.5, "approve": 9, "export": 8,
    "answer": 20, "settle": 9, "cancel": 3, "clock": 4, "audit": 1.5, "kill": 1.4, "both": 0.6, "reopen": 1, "release": 2, "close": 1, "reverse": 3,
    "back_pay": 1.5, "recover": 1,
}  # fmt: skip
PEOPLE = 5
AMOUNTS = {LIVING: 8_000, "disability_care_subsidy": 12_000, PRICE: 5_000}
AT_ONCE = (
    ("draft", "draft"), ("draft", "lock"), ("lock", "lock"), ("lock", "cancel"), ("approve", "cancel"), ("approve", "approve"),
    ("export", "export"), ("export", "cancel"), ("read", "read"), ("read", "draft"), ("settle", "read"), ("import", "draft"), ("import", "lock"),
)  # fmt: skip


# holds that a reason given lets through
RELEASED = {"not_compared", "decision_differs", "account_changed", "account_refused"}


class Fault(AssertionError):
    """What the walk found."""


class Walk:
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

    # -- taking steps -----------------------------------------------------------------------------------------

    def take(self, step: Step) -> None:
        name, number = step
        self.count[name] += 1
        getattr(self, f"do_{name}")(random.Random(number))
        self.check()

    def attempt(self, action: Callable[[], Any], *, code: list[str] | None = None) -> Any:
        """What the command returned, None when it refused; a refusal is an answer, anything else a fault."""
        try:
            made = action()
        except JiuzhuError as error:
            if error.exit_code not in (2, 3, 4):
                raise Fault(f"ended with {error.exit_code}: {error.message}") from error
            if code is not None:
                code += [error.code, error.message]
            return None
        self.count["took effect"] += 1
        return True if made is None else made

    def rows(self, sql: str, *params: Any) -> list[Any]:
        return self.desk.store.query(sql, params)

    def batches(self, *states: str) -> list[int]:
        marks = ",".join("?" * len(states))
        return [
            row[0]
            for row in self.rows(f"SELECT payment_id FROM payment_batch WHERE state IN ({marks}) ORDER BY 1", *states)
        ]

    # -- lists, deaths, decisions -----------------------------------------------------------------------------

    def do_correct(self, chance: random.Random) -> None:
        self.change(chance)
        listing = self.new_list(chance)
        if listing is None:
            return
        batch = self.attempt(lambda: self.desk.import_list(**self.as_import(listing)))
        if batch:
            self.taken_in(listing, batch)
        if chance.random() < 0.8:
            self.compare(listing.month)

    def change(self, chance: random.Random) -> None:
        """Something happens to somebody; the lists learn of it when they are handed in next."""
        person = self.world.people[chance.randint(1, PEOPLE)]
        code = chance.choice(PROGRAMMES)
        kind = chance.choice(["amount", "account", "town", "gone", "back", "event"])
        if kind == "amount" and person.amounts[code]:
            person.amounts[code] = AMOUNTS[code] + person.number * 100 + chance.choice([-50, 0, 20, 40])
        elif kind == "account":
            person.cards += 1
        elif kind == "town":
            person.town = chance.choice(TOWNS)
        elif kind == "gone":
            person.amounts[code] = 0
        elif kind == "back":
            person.amounts[code] = AMOUNTS[code] + person.number * 100
        elif kind == "event":
            person.event = chance.randint(1, 4)

    def new_list(self, chance: random.Random) -> Listing | None:
        programme, town, month = chance.choice(PROGRAMMES), chance.choice(TOWNS), chance.choice(MONTHS)
        rows = self.world.rows_now(programme, town)
        replaced = [one.batch for one in self.world.active(month, programme, town)]
        return Listing(0, programme, town, month, rows, 0, replaced) if rows else None

    def as_import(self, listing: Listing) -> dict[str, Any]:
        self.marks += 1
        listing.batch = -self.marks
        return {
            "programme": listing.programme, "town": listing.town, "month": listing.month, "rows": row_of(listing), "mark": f"名册{self.marks}",
            "replaces": listing.replaces,
        }  # fmt: skip

    def taken_in(self, listing: Listing, batch: int) -> None:
        listing.batch, listing.order = batch, self.world.next()
        self.world.take_in(listing)
        self.owed_anew()

    def owed_anew(self) -> None:
        for month in MONTHS:
            self.world.owed(month)

    def compare(self, month: str) -> None:
        self.desk.compare(month)
        self.world.compared[month] = self.world.next()

    def do_compare(self, chance: random.Random) -> None:
        self.compare(chance.choice(MONTHS))

    def do_undo_import(self, chance: random.Random) -> None:
        batches = [one.batch for one in self.world.lists.values()]
        if batches:
            batch = chance.choice(batches[-6:])
            if self.attempt(lambda: self.desk.undo_import(batch)):
                self.world.take_back(batch)
                self.owed_anew()

    def do_death(self, chance: random.Random) -> None:
        number = chance.randint(1, PEOPLE)
        if number in self.world.deaths or len(self.world.deaths) > 1:
            return self.do_compare(chance)
        day = f"{chance.choice(MONTHS)}-{chance.randint(1, 28):02d}"
        row = {"id_no": make_id(number), "name": self.world.people[number].name, "event_date": day}
        put_register(self.desk.store, "death", [row], area=f"第{number}份")
        self.world.deaths[number] = day
        self.world.next()
        return self.owed_anew()

    def do_decide(self, chance: random.Random) -> None:
        cases = [
            (one, number) for one in self.world.active() if one.programme != PRICE for number in sorted(one.rows)
        ]  # fmt: skip
        if not cases:
            return
        listing, number = chance.choice(cases)
        before = listing.rows[number].amount
        action = chance.choice(["stop", "increase", "decrease"])
        after = {"stop": 0, "increase": before + 30, "decrease": before - 60}[action]
        decision = Decision(number, listing.programme, listing.town, action, before, after, listing.month)
        self.cases += 1
        case = self.cases
        batch = self.attempt(
            lambda: self.desk.decide(
                case, number, listing.programme, listing.town, action, before, after, listing.month
            )
        )
        if batch:
            self.world.decisions[batch] = decision
            self.world.next()
            self.owed_anew()

    def do_undo_decision(self, chance: random.Random) -> None:
        if self.world.decisions:
            batch = chance.choice(sorted(self.world.decisions))
            if self.attempt(lambda: self.desk.undo_decisions(batch)):
                del self.world.decisions[batch]
                self.owed_anew()

    # -- the batch --------------------------------------------------------------------------------------------

    def do_draft(self, chance: random.Random) -> None:
        override = "专题会议纪要" if chance.random() < 0.3 else None
        programmes = tuple(chance.sample(PROGRAMMES, 2)) if chance.random() < 0.15 else ()
        self.draft(chance.choice(MONTHS), override, programmes)

    def draft(self, month: str, override: str | None = None, programmes: tuple[str, ...] = ()) -> bool:
        said: list[str] = []
        made = self.attempt(lambda: self.desk.draft(month, override=override, programmes=programmes), code=said)
        if made:
            self.check_draft(int(made.batch["payment_id"]), month, programmes, override=override)
        elif said[0] in ("nothing_owed", "all_held"):
            self.check_draft(0, month, programmes, override=override)
        return bool(made)

    def do_lock(self, chance: random.Random) -> None:
        self.attempt(lambda: self.desk.lock(self.some(chance, "draft")))

    def do_approve(self, chance: random.Random) -> None:
        actor = APPROVER if chance.random() < 0.85 else CLERK
        self.attempt(lambda: self.desk.approve(self.some(chance, "locked"), actor=actor))

    def do_cancel(self, chance: random.Random) -> None:
        self.attempt(lambda: self.desk.cancel(self.some(chance, "draft", "locked", "approved")))

    def do_reopen(self, chance: random.Random) -> None:
        self.move(chance, states.reopen, "locked", "approved")

    def do_release(self, chance: random.Random) -> None:
        batch = self.some(chance, "approved")
        if batch:
            self.attempt(
                lambda: states.release(
                    self.desk.store, self.desk.workspace, self.desk.batch(batch), actor=APPROVER, now=self.desk.now
                )
            )

    def do_close(self, chance: random.Random) -> None:
        self.move(chance, states.close, "reconciled")

    def move(self, chance: random.Random, step: Callable[..., Any], *words: str) -> None:
        batch = self.some(chance, *words)
        if batch:
            self.attempt(
                lambda: step(self.desk.store, self.desk.batch(batch), reason="走一走", actor=CLERK, now=self.desk.now)
            )

    def do_reverse(self, chance: random.Random) -> None:
        """Money that was booked comes back; one asks, mostly another confirms."""
        held = self.states()
        found = [
            (sheet.batch, one)
            for sheet in self.sheets
            for one in sheet.transfers
            if one.real and all(held[part.line_id] == "paid" for part in one.parts)
        ]
        if not found:
            return
        batch, transfer = chance.choice(found)
        desk = self.desk
        asked = self.attempt(
            lambda: correction.ask(
                desk.store,
                desk.batch(batch),
                [transfer.parts[0].line_no],
                kind="bank_returned",
                on_date=NOW.date(),
                reference="凭证1",
                reason="退汇",
                today=NOW.date(),
                actor=CLERK,
                now=desk.now,
            )
        )
        if not asked:
            return
        number = [row["correction_id"] for row in asked.rows]
        drawn = chance.random()
        done = drawn < 0.8
        # one's own is refused
        if drawn > 0.9 and self.attempt(
            lambda: correction.answer(desk.store, number, done=True, actor=CLERK, now=desk.now)
        ):
            raise Fault("somebody confirmed their own correction")
        if (
            self.attempt(lambda: correction.answer(desk.store, number, done=done, actor=APPROVER, now=desk.now))
            and done
        ):
            transfer.real = 0

    def do_recover(self, _: random.Random) -> None:
        desk = self.desk
        self.attempt(lambda: recovery.recover(desk.store, desk.workspace, desk.policy, actor=CLERK, now=desk.now))

    def do_back_pay(self, _: random.Random) -> None:
        """What paid months still owe is found and confirmed; the next draft takes it up."""
        desk = self.desk
        found = self.attempt(
            lambda: back_pay.find(desk.store, desk.workspace, desk.policy, write=False, actor=CLERK, now=desk.now)
        )
        numbers = [row["back_pay_id"] for row in found.rows if row["state"] == "found"] if found else []
        if numbers:
            self.attempt(
                lambda: back_pay.decide(desk.store, numbers, confirmed=True, note="核实", actor=CLERK, now=desk.now)
            )

    def do_export(self, chance: random.Random) -> None:
        self.export(self.some(chance, "approved", "released", "exported", "reconciled"))

    def some(self, chance: random.Random, *states: str) -> int:
        found = self.batches(*states)
        return chance.choice(found) if found else 0

    def export(self, number: int) -> None:
        made = self.attempt(lambda: self.desk.export(number))
        if made:
            files = {file["path"]: file["sha256"] for file in made.files}
            batch = int(made.batch["payment_id"])
            if self.exported.setdefault(batch, files) != files:
                raise Fault(f"batch {batch} was written anew with other bytes")

    def do_clock(self, chance: random.Random) -> None:
        self.desk.clock += chance.choice([-60 * 24 * 40, -60 * 24, -90, 90, 60 * 24 * 3, 60 * 24 * 35])

    def do_audit(self, _: random.Random) -> None:
        problems = check_ledger(self.desk.store, self.desk.workspace).problems
        if problems:
            raise Fault(f"the audit: {problems}")

    # -- the bank ---------------------------------------------------------------------------------------------

    def do_answer(self, chance: random.Random) -> None:
        self.deliver(chance)
        drawn = chance.random()
        if drawn < 0.1 and self.read:
            path, number = chance.choice(self.read)
            if self.attempt(lambda: self.desk.read_file(path, number if chance.random() < 0.5 else 0)):
                raise Fault(f"{path} was booked twice")
            return
        waiting = [(sheet, path) for sheet in self.sheets for path in sheet.answers]
        if not waiting:
            return
        sheet, name = chance.choice(waiting)
        if drawn < 0.25:
            broken = bank.damage(Path(name), chance, self.mail)
            before = self.states()
            if self.attempt(lambda: self.desk.read_file(str(broken))) or self.states() != before:
                raise Fault(f"{broken.name} is damaged and was booked")
            return
        self.read_answer(sheet, name, sheet.batch if chance.random() < 0.2 else 0)

    def read_answer(self, sheet: Sheet, name: str, number: int = 0) -> None:
        said: list[str] = []
        made = self.attempt(lambda: self.desk.read_file(name, number), code=said)
        if not made and "都对得上" in said[1]:  # the clerk is asked which batch it is
            made = self.attempt(lambda: self.desk.read_file(name, sheet.batch), code=said)
        if not made and said[0] != "already":
            raise Fault(f"the bank's honest answer {Path(name).name} was refused: {said}")
        self.was_read(sheet, name)

    def was_read(self, sheet: Sheet, name: str) -> None:
        sheet.answers.remove(name)
        self.read.append((name, sheet.batch))

    def deliver(self, chance: random.Random, *, kind: bool = False) -> None:
        """Takes every exported batch to the bank that was not there yet; the bank pays, refuses, forgets, and answers."""
        for batch in sorted(set(self.exported) - self.delivered):
            self.delivered.add(batch)
            found: dict[str, dict[int, list[Any]]] = {}
            for row in self.rows(
                "SELECT l.line_id, l.line_no, l.transfer_no, l.account_no, l.amount_fen, l.bank, l.payee_name, o.programme, o.month, o.recipient_id_no, o.item"
                " FROM payment_line l JOIN obligation o USING (obligation_id) WHERE l.payment_id = ? ORDER BY l.line_no", batch,
            ):  # fmt: skip
                found.setdefault(row["bank"], {}).setdefault(row["transfer_no"], []).append(row)
            for path in sorted(self.exported[batch]):
                self._deliver_file(self.root / path, batch, found, chance, kind=kind)
            left = [row["line_no"] for transfers in found.values() for rows in transfers.values() for row in rows]
            if left:
                raise Fault(f"lines {left} of batch {batch} are in no file")

    def _deliver_file(
        self, path: Path, batch: int, found: dict[str, dict[int, list[Any]]], chance: random.Random, *, kind: bool
    ) -> None:
        code, sent = bank.read_sent(path)
        transfers = []
        for account, fen, name in sent:
            number = next(
                (n for n, rows in found.get(code, {}).items() if {row["account_no"] for row in rows} == {account} and sum(row["amount_fen"] for row in rows) == fen), 0
            )  # fmt: skip
            lines = found[code].pop(number) if number else []
            people = {self.person(row["recipient_id_no"]) for row in lines}
            if len(people) != 1 or {row["payee_name"] for row in lines} != {name}:
                raise Fault(f"{path.name} pays {fen} to {account}, no line does")
            person = people.pop()
            paid = [Part(row["line_id"], row["line_no"], self.key(row), row["amount_fen"]) for row in lines]
            transfer = Transfer(number, account, name, fen, person, paid)
            if account not in {
                f"62{BANKS.index(p.bank)}{p.number:05d}{n:06d}"
                for p in [self.world.people[person]]
                for n in range(p.cards + 1)
            }:
                raise Fault(f"{path.name} pays person {person} to an account that is not theirs")
            bank.settle_truth(self.world, transfer, chance, kind=kind)
            transfers.append(transfer)
        sheet = Sheet(batch, code, path.stem, transfers)
        self.sheets.append(sheet)
        told = [one for one in transfers if one.told != "missing"]
        parts = (
            [told]
            if kind or len(told) < 3 or chance.random() < 0.7
            else [told[: len(told) // 2], told[len(told) // 2 :]]
        )
        sheet.answers = [
            str(bank.answer(sheet, part, self.mail, f"{batch}_{n}")) for n, part in enumerate(parts) if part
        ]

    def key(self, row: Any) -> Key:
        month = "" if row["item"] else row["month"]
        return Key(row["programme"], month, self.person(row["recipient_id_no"]), row["item"])

    def person(self, id_no: str) -> int:
        return next(p.number for p in self.world.people.values() if p.id_no == id_no)

    def do_settle(self, chance: random.Random) -> None:
        sheets = [one for one in self.sheets if not one.answers and self.unsettled(one)]
        if sheets:
            self.settle(chance.choice(sheets), chance)

    def unsettled(self, sheet: Sheet) -> list[Transfer]:
        states = self.states()
        return [one for one in sheet.transfers if any(states[part.line_id] == "sent" for part in one.parts)]

    def settle(self, sheet: Sheet, chance: random.Random) -> None:
        """The clerk asks the bank, which tells the truth; of what it paid in part it pays the rest or takes the part back."""
        for transfer in self.unsettled(sheet):
            if 0 < transfer.real < transfer.fen:
                transfer.real = transfer.fen if chance.random() < 0.5 else 0
        paid = chance.random() < 0.5
        asked = [one.parts[0].line_no for one in self.unsettled(sheet) if bool(one.real) == paid]
        if asked:
            self.attempt(lambda: self.desk.settle(sheet.batch, numbers=asked, paid=paid, reversed_=not paid))

    # -- processes --------------------------------------------------------------------------------------------

    def command(self, name: str, chance: random.Random) -> tuple[apart.Command, Callable[[], None]] | None:
        """A command for another process, and what the model does when it may have taken effect."""

        def nothing() -> None:
            return None

        if name == "draft":
            return ("draft_month", {"month": chance.choice(MONTHS)}), nothing
        if name == "import":
            self.change(chance)
            listing = self.new_list(chance)
            if listing is None:
                return None
            options = self.as_import(listing)

            def look() -> None:
                found = self.rows("SELECT batch_id FROM batch WHERE file_name = ?", options["mark"] + ".xlsx")
                if found:
                    self.taken_in(listing, found[0][0])

            return ("import_list", options), look
        if name == "read":
            waiting = [(sheet, path) for sheet in self.sheets for path in sheet.answers]
            return (("read_file", {"path": chance.choice(waiting)[1]}), nothing) if waiting else None
        if name == "settle":
            for sheet in self.sheets:
                asked = [
                    one.parts[0].line_no for one in self.unsettled(sheet) if one.real == one.fen and not sheet.answers
                ]
                if asked:
                    return ("settle", {"number": sheet.batch, "numbers": asked, "paid": True}), nothing
            return None
        states = {
            "lock": ("draft",),
            "approve": ("locked",),
            "export": ("approved",),
            "cancel": ("approved", "locked", "draft"),
        }[name]
        number = self.some(chance, *states)
        return ((name, {"number": number}), nothing) if number else None

    def do_kill(self, chance: random.Random) -> None:
        """A command is killed somewhere; whatever it was, it happened or it did not."""
        names = ["draft", "lock", "approve", "export", "export", "cancel", "import", "read", "read", "settle"]
        chance.shuffle(names)
        chosen = next(filter(None, (self.command(name, chance) for name in names)))
        moment = chance.randint(1, MOMENTS[chosen[0][0]])
        told = apart.run(self.root, [chosen[0]], self.desk.clock, moment=moment)
        self.count["killed" if "killed" in told[0] else "outran the kill"] += 1
        chosen[1]()
        self.wait(told)

    def do_both(self, chance: random.Random) -> None:
        """Two commands at the same time, of which each takes effect or refuses."""
        pairs = list(AT_ONCE)
        chance.shuffle(pairs)
        for pair in pairs:
            again = chance.random()
            first = self.command(pair[0], random.Random(again))
            second = first if pair[0] == pair[1] else self.command(pair[1], random.Random(again))
            if first is None or second is None:
                continue
            told = apart.run(self.root, [first[0], second[0]], self.desk.clock)
            self.count["two at once"] += 1
            for one in (first, second) if first is not second else (first,):
                one[1]()
            self.wait(told)
            return

    def wait(self, told: Sequence[dict[str, Any]]) -> None:
        for one in told:
            if one.get("code", 0) not in (0, 2, 3, 4):
                raise Fault(f"another process ended with {one['code']}: {one['message']}")

    # -- the record beside the model --------------------------------------------------------------------------

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

    # -- the end ----------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """No more accidents: everything is answered, mended, drafted and paid. Whoever is owed something then has it."""
        chance = random.Random(0)
        for batch in self.batches("exported"):
            self.export(batch)
        for _ in range(2):
            self.deliver(chance, kind=True)
            self.read_all(chance)
            for batch in self.batches("released"):
                self.export(batch)
            for batch in self.batches("draft", "locked", "approved"):
                self.attempt(lambda batch=batch: self.desk.cancel(batch))
        self.mend_lists()
        for month in MONTHS:
            self.pay_all(month, chance, times=1)
        self.do_recover(chance)
        self.do_back_pay(chance)
        for month in MONTHS[::-1]:
            self.pay_all(month, chance)
        self.check_end()
        self.do_audit(chance)
        desk = self.desk
        proof = reconcile.reconcile(
            desk.store, desk.workspace, desk.policy, write=False, actor=CLERK, now=desk.now
        ) if self.lines() else None  # fmt: skip
        if proof is not None and not proof.balanced:
            raise Fault(f"pay reconcile: {proof.differences} {proof.problems}")

    def pay_all(self, month: str, chance: random.Random, *, times: int = 3) -> None:
        """Drafts and pays as long as there is anything to draft, at most so many times."""
        if not self.world.active(month):
            return
        for _ in range(times):
            if not self.draft(month, "专题会议纪要"):  # what a person may let through is let through
                break
            number = self.batches("draft")[-1]
            for action in (self.desk.lock, self.desk.approve):
                if not self.attempt(lambda action=action, number=number: action(number)):
                    raise Fault(f"{action.__name__} refused in a calm month")
            self.export(number)
            self.deliver(chance, kind=True)
            self.read_all(chance)
            self.check()

    def read_all(self, chance: random.Random) -> None:
        for sheet in self.sheets:
            for name in list(sheet.answers):
                self.read_answer(sheet, name)
        for sheet in self.sheets:
            for _ in range(8):
                if self.unsettled(sheet):
                    self.settle(sheet, chance)

    def mend_lists(self) -> None:
        """Every account that was refused is replaced, on the lists of all months."""
        for person in self.world.people.values():
            if person.account in self.world.refused:
                person.cards += 1
        for listing in self.world.active():
            rows = {
                n: Row(row.amount, self.world.people[n].account, self.world.people[n].bank, row.item) for n, row in listing.rows.items()
            }  # fmt: skip
            new = Listing(0, listing.programme, listing.town, listing.month, rows, 0, [listing.batch])
            batch = self.attempt(lambda new=new: self.desk.import_list(**self.as_import(new)))
            self.taken_in(new, batch)
        for month in MONTHS:
            self.compare(month)

    def check_end(self) -> None:
        """Of all that the lists owe: paid by the bank, the amount as owed when it was drafted, or a reason that still holds."""
        had: Counter[Key] = Counter()
        for transfer in paid_out(self.sheets):
            for key, fen in transfer.shares():
                had[key] += fen
        booked: Counter[int] = Counter()
        for row in self.lines():
            if row["state"] == "paid":
                booked[self.person(row["recipient_id_no"])] += row["amount_fen"]
            elif row["state"] in ("due", "sent"):
                raise Fault(f"line {row['line_id']} is still {row['state']}")
        received: Counter[int] = Counter()
        for transfer in paid_out(self.sheets):
            received[transfer.person] += transfer.real
        if booked != received:
            raise Fault(f"booked as paid {booked}, the banks paid {received}")
        for month in MONTHS:
            for key, entries in self.world.owed(month).items():
                if (
                    any(one.fen for one in entries)
                    and not had[key]
                    and not self.reasons(key, month, entries) - RELEASED
                ):
                    raise Fault(f"{key} is owed {[one.fen for one in entries]} and never got it")


# -- whole walks ----------------------------------------------------------------------------------------------

# how many deeds (statements, files) each command has at least: where it may be killed
MOMENTS = {
    "draft_month": 60,
    "lock": 45,
    "approve": 40,
    "export": 75,
    "cancel": 25,
    "import_list": 45,
    "read_file": 60,
    "settle": 40,
}


def steps_of(seed: int, length: int) -> list[Step]:
    chance = random.Random(seed)
    names = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=length)
    # the first lists, so that there is something to pay
    return [("correct", chance.randrange(2**32)) for _ in range(6)] + [
        (name, chance.randrange(2**32)) for name in names
    ]


@contextlib.contextmanager
def walking(folder: Path, template: Path, seed: int) -> Iterator[Walk]:
    """A walk in a folder of its own, which is removed afterwards."""
    place = folder / f"walk{seed}-{time.monotonic_ns()}"
    place.mkdir(parents=True)
    walk = Walk(place, template, seed)
    try:
        yield walk
    finally:
        walk.close()
        shutil.rmtree(place, ignore_errors=True)


def fault_of(
    folder: Path, template: Path, seed: int, steps: Sequence[Step], *, alter: Callable[[Walk], None] | None = None
) -> tuple[int, Exception] | None:
    """The first step that finds a fault, and the fault; None when the walk ends well. ``alter`` breaks something first."""
    with small_tables(), walking(folder, template, seed) as walk:
        if alter is not None:
            alter(walk)
        for place, step in enumerate(steps):
            try:
                walk.take(step)
            except Exception as error:
                return place, error
        try:
            walk.drain()
        except Exception as error:
            return len(steps), error
    return None


def shorter(
    folder: Path,
    template: Path,
    seed: int,
    steps: Sequence[Step],
    *,
    seconds: float = 60,
    alter: Callable[[Walk], None] | None = None,
) -> list[Step]:
    """Fewer steps that still find a fault: by halves, quarters … left out, as long as there is time."""
    until = time.monotonic() + seconds
    left = list(steps)
    size = max(1, len(left) // 2)
    while time.monotonic() < until:
        at = 0
        while at < len(left) and time.monotonic() < until:
            fewer = left[:at] + left[at + size :]
            found = fault_of(folder, template, seed, fewer, alter=alter)
            if found is not None:
                left = fewer[: found[0] + 1]
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return left
