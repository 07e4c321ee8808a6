"""What the clerks and the banks of a walk do: lists, deaths, decisions, the batch from draft to close, and what the banks answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.payment import back_pay, correction, recovery, states
from tests.payment.conftest import NOW
from tests.payment.model import bank
from tests.payment.model.beside import Beside, Fault
from tests.payment.model.desk import APPROVER, CLERK, row_of
from tests.payment.model.world import (
    AMOUNTS,
    BANKS,
    MONTHS,
    PEOPLE,
    PRICE,
    PROGRAMMES,
    TOWNS,
    Decision,
    Listing,
    Part,
    Sheet,
    Transfer,
)
from tests.support import make_id, put_register


class Clerk(Beside):
    """Each ``do_`` is a step; the number it was drawn with decides everything else. What takes effect is told to the model."""

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
        told = "SELECT MIN(seq) FROM journal WHERE entity = 'payment:' || ? AND command = 'pay export' AND json_extract(detail, '$.file') IS NOT NULL"
        for batch in sorted(set(self.exported) - self.delivered, key=lambda one: self.rows(told, one)[0][0]):
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
