"""The model: what each person is owed and what the banks really paid, in plain Python, sharing nothing with the program's own sums.

It knows what was put into the record (lists, deaths, decisions) and what truly happened to every payment; it is told nothing by the
program but which of its commands took effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support import make_id

MONTHS = ("2026-08", "2026-09", "2026-10")
TOWNS = ("甲镇", "乙镇")
LIVING, CARE, PRICE = "disability_living_subsidy", "disability_care_subsidy", "price_subsidy"
PROGRAMMES = (LIVING, CARE, PRICE)  # two monthly ones, and one paid by event: none of them is posted
BANKS = ("甲行", "乙行")
PEOPLE = 5
AMOUNTS = {LIVING: 8_000, CARE: 12_000, PRICE: 5_000}


@dataclass
class Person:
    number: int
    town: str
    bank: str
    amounts: dict[str, int]  # by programme, 0: not entitled
    cards: int = 0  # how many accounts there have been
    event: int = 1  # day of the event that the one-off payment is for

    @property
    def id_no(self) -> str:
        return make_id(self.number)

    @property
    def name(self) -> str:
        return "张" + chr(0x4E00 + self.number)

    @property
    def account(self) -> str:
        return f"62{BANKS.index(self.bank)}{self.number:05d}{self.cards:06d}"


@dataclass(frozen=True)
class Row:
    amount: int
    account: str
    bank: str
    item: str


@dataclass
class Listing:
    """One imported list of a programme, town and month; ``order``: when it came in, among all that is recorded."""

    batch: int
    programme: str
    town: str
    month: str
    rows: dict[int, Row]
    order: int
    replaces: list[int]
    status: str = "active"


@dataclass(frozen=True)
class Decision:
    person: int
    programme: str
    town: str
    action: str
    before: int
    after: int
    month: str


@dataclass(frozen=True)
class Key:
    """What is owed once. The month does not tell events apart: they are owed once ever."""

    programme: str
    month: str
    person: int
    item: str


@dataclass(frozen=True)
class Owed:
    fen: int
    row: Row
    town: str


@dataclass
class World:
    people: dict[int, Person]
    lists: dict[int, Listing] = field(default_factory=dict)
    deaths: dict[int, str] = field(default_factory=dict)  # person → day, as the registers tell
    decisions: dict[int, Decision] = field(default_factory=dict)  # the batch of decisions → what stands
    compared: dict[str, int] = field(default_factory=dict)  # month → when
    first_listed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # accounts that the bank has refused
    dear: dict[Key, int] = field(default_factory=dict)  # the most that was ever owed for it
    order: int = 0

    def next(self) -> int:
        self.order += 1
        return self.order

    def active(self, month: str = "", programme: str = "", town: str = "") -> list[Listing]:
        return [
            one
            for one in self.lists.values()
            if one.status == "active" and month in ("", one.month) and programme in ("", one.programme) and town in ("", one.town)
        ]  # fmt: skip

    def rows_now(self, programme: str, town: str) -> dict[int, Row]:
        """Who should stand on that town's list today."""
        found = {}
        for person in self.people.values():
            if person.town == town and person.amounts[programme]:
                item = f"event:2026-07-{person.event:02d}" if programme == PRICE else ""
                found[person.number] = Row(person.amounts[programme], person.account, person.bank, item)
        return found

    def take_in(self, listing: Listing) -> None:
        for one in listing.replaces:
            self.lists[one].status = "superseded"
        self.lists[listing.batch] = listing
        for number in listing.rows:
            self.first_listed.setdefault((listing.programme, listing.month, number), listing.order)

    def take_back(self, batch: int) -> None:
        listing = self.lists[batch]
        listing.status = "undone"
        for one in listing.replaces:
            self.lists[one].status = "active"

    # -- what is owed -----------------------------------------------------------------------------------------

    def owed(self, month: str) -> dict[Key, list[Owed]]:
        """All that the lists of ``month`` owe, a person on two towns' lists with both; 0 分 where nothing is due (any more)."""
        found: dict[Key, list[Owed]] = {}
        for listing in self.active(month):
            for number, row in listing.rows.items():
                key = Key(listing.programme, "" if row.item else month, number, row.item)
                found.setdefault(key, []).append(Owed(self._due(listing, number, row), row, listing.town))
        for key, entries in found.items():
            self.dear[key] = max(self.dear.get(key, 0), *(entry.fen for entry in entries))
        return found

    def _due(self, listing: Listing, number: int, row: Row) -> int:
        if self.dead(number, listing.month):
            return 0
        decision = self.decision(listing, number)
        if decision is None or row.item:
            return row.amount
        if decision.action == "stop":
            return row.amount if self._taken_up_again(listing, number, decision) else 0
        caught_up = row.amount != decision.before or self._taken_up_again(listing, number, decision)
        return row.amount if caught_up else decision.after

    def decision(self, listing: Listing, number: int) -> Decision | None:
        """The last decision on this case that holds in the list's month."""
        fitting = [
            (one.month, batch)
            for batch, one in self.decisions.items()
            if (one.person, one.programme, one.town) == (number, listing.programme, listing.town) and one.month <= listing.month
        ]  # fmt: skip
        return self.decisions[max(fitting)[1]] if fitting else None

    def _taken_up_again(self, listing: Listing, number: int, decision: Decision) -> bool:
        """A list in between that left the case out: on the later list it stands anew."""
        between = [
            one for one in self.active(programme=listing.programme, town=listing.town) if decision.month <= one.month < listing.month
        ]  # fmt: skip
        return any(number not in one.rows for one in between)

    def dead(self, number: int, month: str) -> bool:
        """The month of the death is still paid."""
        return number in self.deaths and month > self.deaths[number][:7]

    def twice(self, key: Key, month: str) -> bool:
        return len([one for one in self.active(month, key.programme) if key.person in one.rows]) > 1

    def late(self, key: Key, month: str) -> bool:
        """First listed after the month was last compared."""
        return self.first_listed.get((key.programme, month, key.person), 0) > self.compared.get(month, 0)

    def decided(self, key: Key) -> bool:
        return any((one.person, one.programme) == (key.person, key.programme) for one in self.decisions.values())


@dataclass(frozen=True)
class Part:
    """A line that a transfer pays."""

    line_id: int
    line_no: int
    key: Key
    fen: int


@dataclass
class Transfer:
    """A row of a file as a bank got it, and what became of it: a line, or a payee's month and back-pay in one. ``told``: what the bank's
    answer will say; ``real``: the money that moved."""

    number: int
    account: str
    name: str
    fen: int
    person: int
    parts: list[Part]
    told: str = ""
    reason: str = ""
    real: int = 0

    def shares(self) -> Iterator[tuple[Key, int]]:
        """What of the money that moved is for what: the first lines first."""
        left = self.real
        for part in self.parts:
            share = min(left, part.fen)
            left -= share
            yield part.key, share


@dataclass
class Sheet:
    """One bank file that was delivered: ``path`` of what was sent; ``answers``: files of the bank that nobody has read yet."""

    batch: int
    bank: str
    stem: str
    transfers: list[Transfer]
    answers: list[str] = field(default_factory=list)
    answered: bool = False


def paid_out(sheets: list[Sheet]) -> Iterator[Transfer]:
    for sheet in sheets:
        for transfer in sheet.transfers:
            if transfer.real:
                yield transfer
