"""Budgets against payments (经费指标与支出): what a year's allotments cover, what is left of each, and what no longer fits.

Money of a level (中央、省、市、县) may pay only that level's share of the programmes its document names (``policy.funding``: the shares are
parameters; ``policy.budgets``: the documents). Where nobody has written a programme's shares, money of any level may pay for it. What no
document covers at all is not known and is not judged. Which document pays which programme is a flow: a wide one gives way where a narrow
one can pay, so that nothing is called short which some division of the money would cover.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.spending import Spent, spent_in
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.policy.budgets import Budget, codes_of
from jiuzhu_cli.policy.funding import LEVELS, OPEN, SHARE, divided, shares_of

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

Demand = tuple[str, str]  # programme, level; level 未填: of a share that nobody has written


@dataclass(slots=True)
class Pool:
    """Documents of one level for the same programmes: one pot. ``used`` is what flows out of it, by demand."""

    level: str
    programmes: tuple[str, ...]
    budgets: list[Budget]
    used: dict[Demand, int] = field(default_factory=dict)

    @property
    def fen(self) -> int:
        return max(sum(one.amount_fen for one in self.budgets), 0)

    @property
    def left(self) -> int:
        return self.fen - sum(self.used.values())

    def pays(self, demand: Demand, written: Mapping[str, Iterable[str]]) -> bool:
        """``written``: programme → levels whose share is written; an unwritten rest is paid by the other levels."""
        programme, level = demand
        if programme not in self.programmes:
            return False
        return self.level == level or (level == OPEN and self.level not in written.get(programme, ()))


@dataclass(slots=True)
class Purse:
    """All pools of a year, and who may draw on them."""

    pools: list[Pool]
    written: dict[str, tuple[str, ...]]

    @property
    def order(self) -> tuple[str, ...]:
        """Programmes as the documents list them, the earlier document first: who is served first when money is short."""
        first = sorted(
            (one.issued, one.id, place, code)
            for pool in self.pools
            for one in pool.budgets
            for place, code in enumerate(pool.programmes)
        )
        return tuple(dict.fromkeys(code for *_, code in first))

    def payers(self, demand: Demand) -> list[Pool]:
        return [pool for pool in self.pools if pool.pays(demand, self.written)]

    def draw(self, demand: Demand, fen: int) -> int:
        """Takes up to ``fen`` for ``demand``, moving others' money between pots where that makes room; returns what was got."""
        got = 0
        while got < fen:
            way = self._way(demand)
            if way is None:
                break
            amount = min([fen - got, way[-1][0].left, *(pool.used[other] for pool, other in way[:-1] if other)])
            taker = demand
            for pool, other in way:
                pool.used[taker] = pool.used.get(taker, 0) + amount
                if other:
                    pool.used[other] -= amount
                    taker = other
            got += amount
        return got

    def take(self, needs: Iterable[tuple[Demand, int]], *, keep: bool = True) -> bool:
        """Draws all of ``needs``, or nothing when they do not fit (or when it is only asked whether they do: not ``keep``)."""
        before = self._standing()
        fits = all(self.draw(demand, fen) == fen for demand, fen in needs)
        if not (fits and keep):
            self._put_back(before)
        return fits

    def _standing(self) -> list[dict[Demand, int]]:
        return [dict(pool.used) for pool in self.pools]

    def _put_back(self, before: list[dict[Demand, int]]) -> None:
        for pool, used in zip(self.pools, before, strict=True):
            pool.used = used

    def room(self, demand: Demand) -> int:
        """What ``demand`` could still draw; nothing is changed."""
        before = self._standing()
        got = self.draw(demand, sum(pool.fen for pool in self.pools))
        self._put_back(before)
        return got

    def _way(self, demand: Demand) -> list[tuple[Pool, Demand | None]] | None:
        """The shortest way to free money: each pot with the demand that must move on to the next; None when there is none."""
        came: dict[int, tuple[int, Demand] | None] = {}
        waiting: deque[int] = deque()
        index = {id(pool): number for number, pool in enumerate(self.pools)}
        for pool in self.payers(demand):
            came[index[id(pool)]] = None
            waiting.append(index[id(pool)])
        while waiting:
            number = waiting.popleft()
            if self.pools[number].left > 0:
                way: list[tuple[Pool, Demand | None]] = [(self.pools[number], None)]
                while (before := came[number]) is not None:
                    number, moved = before
                    way.insert(0, (self.pools[number], moved))
                return way
            for other, fen in self.pools[number].used.items():
                if fen <= 0:
                    continue
                for pool in self.payers(other):
                    if index[id(pool)] not in came:
                        came[index[id(pool)]] = (number, other)
                        waiting.append(index[id(pool)])
        return None


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """One document: ``used_fen`` is what of it is paid, at the bank or in a batch; ``left_fen`` the rest."""

    budget: Budget
    programmes: tuple[str, ...]
    used_fen: int
    left_fen: int

    def as_json(self) -> dict[str, Any]:
        one = self.budget
        return {
            "budget": one.id, "name": one.name, "document": one.document, "issued": one.issued.isoformat(), "year": one.year, "level": one.level,
            "programmes": list(self.programmes), "amount_fen": one.amount_fen, "used_fen": self.used_fen, "left_fen": self.left_fen,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class LevelUse:
    """One programme and payer. ``level`` 未填: nobody has written who pays. ``over_fen``: beyond all documents that may pay it;
    None: no document covers it, nothing is known."""

    programme: str
    level: str
    out_fen: int
    due_fen: int
    over_fen: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "programme": self.programme, "level": self.level, "out_fen": self.out_fen, "due_fen": self.due_fen, "over_fen": self.over_fen,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Execution:
    """A year's budgets and what they paid for. Sums: ``amount_fen`` allotted, ``out_fen`` paid or at the bank, ``due_fen`` in batches
    not yet sent, ``left_fen`` of the documents."""

    year: int
    budgets: tuple[BudgetUse, ...]
    levels: tuple[LevelUse, ...]

    @property
    def amount_fen(self) -> int:
        return sum(one.budget.amount_fen for one in self.budgets)

    @property
    def left_fen(self) -> int:
        return sum(one.left_fen for one in self.budgets)

    @property
    def out_fen(self) -> int:
        return sum(one.out_fen for one in self.levels)

    @property
    def due_fen(self) -> int:
        return sum(one.due_fen for one in self.levels)

    @property
    def over_fen(self) -> int:
        return sum(one.over_fen or 0 for one in self.levels)

    def as_json(self) -> dict[str, Any]:
        sums = {key: getattr(self, key) for key in ("amount_fen", "out_fen", "due_fen", "left_fen", "over_fen")}
        return {
            "year": self.year,
            **sums,
            "budgets": [one.as_json() for one in self.budgets],
            "levels": [one.as_json() for one in self.levels],
        }


def execution(store: Store, policy: Policy, year: int) -> Execution:
    """The year's budgets against its payments (batches of its months). Without any budget the payments stand there all the same."""
    purse, demands, over = _drawn(store, policy, year, 0)
    levels = [
        LevelUse(programme, level, out, due, over.get((programme, level)))
        for (programme, level), (out, due) in sorted(demands.items(), key=lambda one: (one[0][0], _place(one[0][1])))
    ]
    return Execution(year, tuple(_uses(purse.pools)), tuple(levels))


def purse_of(store: Store, policy: Policy, year: int, *, without: int = 0) -> Purse:
    """The year's pools after all that is paid or under way has drawn on them (but for payment ``without``)."""
    return _drawn(store, policy, year, without)[0]


def charges(policy: Policy, programme: str, kind: str, month: str, fen: int) -> list[tuple[Demand, int]]:
    """``fen`` of a programme by who pays it."""
    shares = shares_of(policy, _name(policy, programme), kind, month)
    return [((programme, share.level), part) for share, part in zip(shares, divided(fen, shares), strict=True) if part]


def has_kinds(policy: Policy) -> bool:
    """Whether some share differs between 城市 and 农村."""
    return any(
        name.startswith(f"{SHARE}_") and ("_城市_" in name or "_农村_" in name) for name in policy.parameters.names()
    )


def _drawn(
    store: Store, policy: Policy, year: int, without: int
) -> tuple[Purse, dict[Demand, tuple[int, int]], dict[Demand, int]]:
    spent = spent_in(store, year, kinds=has_kinds(policy), without=without)
    purse = Purse(_pools(policy, year), _written(policy, year))
    demands: dict[Demand, tuple[int, int]] = {}
    for one in spent:
        for demand, out, due in _parts(policy, one):
            before = demands.get(demand, (0, 0))
            demands[demand] = (before[0] + out, before[1] + due)
    over: dict[Demand, int] = {}
    place = {code: number for number, code in enumerate(purse.order)}
    for demand in sorted(demands, key=lambda one: (place.get(one[0], len(place)), one[0], _place(one[1]))):
        if purse.payers(demand):
            fen = sum(demands[demand])
            over[demand] = fen - purse.draw(demand, fen)
    return purse, demands, over


def _parts(policy: Policy, one: Spent) -> Iterable[tuple[Demand, int, int]]:
    """The whole is divided, what is out is divided, the rest is due: both add up."""
    whole = dict(charges(policy, one.programme, one.kind, one.month, one.out_fen + one.due_fen))
    out = dict(charges(policy, one.programme, one.kind, one.month, one.out_fen))
    return [(demand, out.get(demand, 0), fen - out.get(demand, 0)) for demand, fen in whole.items()]


def _pools(policy: Policy, year: int) -> list[Pool]:
    """The pots of a year, those for the fewest programmes first."""
    found: dict[tuple[str, frozenset[str]], Pool] = {}
    for one in policy.budgets:
        if one.year == year:
            codes = codes_of(policy, one)
            found.setdefault((one.level, frozenset(codes)), Pool(one.level, codes, [])).budgets.append(one)
    return sorted(found.values(), key=lambda pool: (len(pool.programmes), _place(pool.level), pool.budgets[0].id))


def _written(policy: Policy, year: int) -> dict[str, tuple[str, ...]]:
    """Programme → levels of which some share is written in some month of the year, for 城市 or 农村 or both."""
    found = {}
    for code, programme in policy.programmes.items():
        levels = {
            share.level
            for kind in ("城市", "农村")
            for month in (f"{year:04d}-01", f"{year:04d}-12")
            for share in shares_of(policy, programme.name, kind, month)
        } - {OPEN}
        if levels:
            found[code] = tuple(sorted(levels, key=_place))
    return found


def _uses(pools: Sequence[Pool]) -> Iterable[BudgetUse]:
    """Each document's part of what its pot paid: the earlier one first; what was taken back is taken off the latest."""
    rows = []
    for pool in pools:
        back = -sum(one.amount_fen for one in pool.budgets if one.amount_fen < 0)
        usable: dict[str, int] = {}
        for one in reversed(pool.budgets):
            taken = min(back, max(one.amount_fen, 0))
            back -= taken
            usable[one.id] = max(one.amount_fen, 0) - taken
        used = sum(pool.used.values())
        for one in pool.budgets:
            part = min(used, usable[one.id])
            used -= part
            rows.append(BudgetUse(one, pool.programmes, part, one.amount_fen - part))
    return sorted(rows, key=lambda row: (row.budget.issued, row.budget.id))


def _name(policy: Policy, code: str) -> str:
    return policy.programmes[code].name if code in policy.programmes else code


def _place(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
