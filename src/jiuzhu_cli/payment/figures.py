"""The figures that a batch's papers print: by programme, town and funding source, beside last month and the same month last year."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.ledger.payment_sums import batches_by, came_back, kept_sums
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.policy.accounts import subject_of
from jiuzhu_cli.policy.funding import LEVELS, OPEN, Share, divided, shares_of

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


@dataclass(frozen=True, slots=True)
class Tally:
    """笔数, 户数 (of programmes paid by household), 人数, 分 that the bank pays, 分 set off towards recoveries."""

    lines: int = 0
    households: int = 0
    persons: int = 0
    amount_fen: int = 0
    set_off_fen: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.lines + other.lines,
            self.households + other.households,
            self.persons + other.persons,
            self.amount_fen + other.amount_fen,
            self.set_off_fen + other.set_off_fen,
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One programme, category and town of one month. ``again``: an earlier batch had tried to pay these lines.

    ``rank``: programmes in the order of their budget subjects; ``place``: towns in the bureau's order.
    """

    programme: str
    category: str
    town: str
    again: bool
    tally: Tally
    rank: tuple[Any, ...]
    place: tuple[Any, ...]


Key = Callable[[Cell], Any]


def tallied(cells: Iterable[Cell], key: Key) -> dict[Any, Tally]:
    """Sums by ``key``, in the order of the cells."""
    found: dict[Any, Tally] = {}
    for cell in cells:
        found[key(cell)] = found.get(key(cell), Tally()) + cell.tally
    return found


def total(cells: Iterable[Cell]) -> Tally:
    return sum((cell.tally for cell in cells), Tally())


@dataclass(frozen=True, slots=True)
class Source:
    """What one payer owes of a programme's category in the batch: by the bank, and as set off towards recoveries."""

    programme: str
    category: str
    share: Share
    amount_fen: int
    set_off_fen: int = 0


@dataclass(slots=True)
class Figures:
    """``cells``: the batch; ``month``: all of its month up to it; ``before``, ``year_ago``: the months it is compared with.

    Of months each obligation counts once, in the batch that tried first: what came back and was paid again is in no month twice.
    """

    batch: dict[str, Any]
    names: dict[str, str]
    cells: tuple[Cell, ...]
    month: tuple[Cell, ...]
    before: tuple[Cell, ...]
    year_ago: tuple[Cell, ...]
    sources: tuple[Source, ...]

    def name(self, programme: str) -> str:
        return self.names.get(programme, programme)

    def title(self, programme: str, category: str) -> str:
        """``最低生活保障（农村）``."""
        return self.name(programme) + (f"（{category}）" if category else "")

    def by_town(self) -> dict[str, Tally]:
        return tallied(sorted(self.cells, key=attrgetter("place")), attrgetter("town"))

    def seen(self, order: str) -> list[Cell]:
        """The cells of all months, in the ``order`` of ``rank`` or ``place``."""
        return sorted((*self.cells, *self.month, *self.before, *self.year_ago), key=attrgetter(order))

    @property
    def total(self) -> Tally:
        return total(self.cells)

    def by_source(self) -> dict[str, int]:
        """分 by payer, in the order of the levels; what nobody has written last."""
        found: dict[str, int] = {}
        for source in self.sources:
            found[source.share.level] = found.get(source.share.level, 0) + source.amount_fen
        return {level: found[level] for level in (*LEVELS, OPEN) if level in found}


def figures(store: Store, policy: Policy, batch: dict[str, Any], *, towns: Sequence[str] = ()) -> Figures:
    """The figures of a batch that is locked or further; the same whenever they are asked for. ``towns``: their order, others behind them."""
    number, month = int(batch["payment_id"]), str(batch["month"])
    cells = tuple(sorted(_cells(store, policy, [number], towns), key=attrgetter("rank")))
    now, before, ago = (
        tuple(cell for cell in _cells(store, policy, batches_by(store, one, number), towns) if not cell.again)
        for one in (month, add_months(month, -1), add_months(month, -12))
    )
    names = {code: programme.name for code, programme in policy.programmes.items()}
    return Figures(batch, names, cells, now, before, ago, tuple(_sources(policy, names, cells, month)))


def _cells(store: Store, policy: Policy, numbers: Iterable[int], towns: Sequence[str]) -> Iterator[Cell]:
    places = {town: place for place, town in enumerate(towns)}
    for number in numbers:
        for row in kept_sums(store, number):
            code, town = row["programme"], row["town"]
            programme = policy.programmes.get(code)
            category = _category(policy, code, row["category"])
            households = row["recipients"] if programme is None or programme.unit == "household" else 0
            tally = Tally(row["lines"], households, row["persons"], row["amount_fen"], row["set_off_fen"])
            subject = subject_of(policy.subjects, code, category)
            booked = subject.function_code if subject else ""
            place = (places.get(town, len(places)), town)
            yield Cell(
                code, category, town, bool(row["again"]), tally, (not booked, booked, code, category, *place), place
            )


def _sources(policy: Policy, names: dict[str, str], cells: Iterable[Cell], month: str) -> Iterator[Source]:
    for (programme, category), tally in tallied(cells, lambda cell: (cell.programme, cell.category)).items():
        yield from _divided(policy, names, programme, category, (tally.amount_fen, tally.set_off_fen), month)


def returned_sources(store: Store, policy: Policy, found: Figures) -> list[Source]:
    """What came back of the batch (refused, reversed), by who had paid it; [] when nothing has."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row in came_back(store, int(found.batch["payment_id"])):
        key = row["programme"], _category(policy, row["programme"], row["category"])
        fen, kept = sums.get(key, (0, 0))
        sums[key] = fen + row["amount_fen"], kept + row["set_off_fen"]
    month = str(found.batch["month"])
    order = dict.fromkeys((cell.programme, cell.category) for cell in found.cells)
    return [one for key in order if key in sums for one in _divided(policy, found.names, *key, sums[key], month)]


def _divided(
    policy: Policy, names: dict[str, str], programme: str, category: str, fen: tuple[int, int], month: str
) -> Iterator[Source]:
    kind = category if category in ("城市", "农村") else ""
    shares = shares_of(policy, names.get(programme, programme), kind, month)
    for share, *parts in zip(shares, *(divided(one, shares) for one in fen), strict=True):
        yield Source(programme, category, share, *parts)


def _category(policy: Policy, programme: str, written: str) -> str:
    """The category as the programme names it; a roll's free text stands on no paper."""
    known = policy.programmes.get(programme)
    return written if known is not None and written in known.categories else ""


def change(now: int, then: int) -> str:
    """``+3.25%``, ``-0.10%``, ``0.00%``; ``—`` where there was nothing before."""
    if not then:
        return "—"
    # in whole hundredths of a per cent, a half away from zero: a float would round 2.675 either way
    sign = -1 if now < then else 1
    hundredths = (abs(now - then) * 20000 + then) // (2 * then)
    return f"{'-' if sign < 0 and hundredths else '+' if hundredths else ''}{hundredths // 100}.{hundredths % 100:02d}%"
