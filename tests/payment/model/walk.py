"""The walk: random commands (``clerk``) one after another, after each of them the record beside the model (``beside``).

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

from jiuzhu_cli.payment import reconcile
from tests.payment.model import apart
from tests.payment.model.beside import Fault
from tests.payment.model.clerk import Clerk
from tests.payment.model.desk import CLERK, small_tables
from tests.payment.model.world import MONTHS, Key, Listing, Row, paid_out

Step = tuple[str, int]
# how often each step is drawn; the month's own commands come often enough that months are paid to the end
WEIGHTS = {
    "correct": 18, "undo_import": 4, "death": 1, "decide": 5, "undo_decision": 4, "compare": 8, "draft": 6, "lock": 5.5, "approve": 9, "export": 8,
    "answer": 20, "settle": 9, "cancel": 3, "clock": 4, "audit": 1.5, "kill": 1.4, "both": 0.6, "reopen": 1, "release": 2, "close": 1, "reverse": 3,
    "back_pay": 1.5, "recover": 1,
}  # fmt: skip
AT_ONCE = (
    ("draft", "draft"), ("draft", "lock"), ("lock", "lock"), ("lock", "cancel"), ("approve", "cancel"), ("approve", "approve"),
    ("export", "export"), ("export", "cancel"), ("read", "read"), ("read", "draft"), ("settle", "read"), ("import", "draft"), ("import", "lock"),
)  # fmt: skip
# holds that a reason given lets through
RELEASED = {"not_compared", "decision_differs", "account_changed", "account_refused"}


class Walk(Clerk):
    """Its steps, killed and simultaneous commands among them, and its calm end."""

    def take(self, step: Step) -> None:
        name, number = step
        self.count[name] += 1
        getattr(self, f"do_{name}")(random.Random(number))
        self.check()

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
