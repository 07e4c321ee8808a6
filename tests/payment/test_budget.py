"""Budgets against payments: what a document still has, what is short, and that nothing is short which some division covers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiuzhu_cli.payment.budget import Demand, Pool, Purse, execution
from jiuzhu_cli.policy.budgets import Budget
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import LIVING, Desk, person

CARE = "disability_care_subsidy"


def budget(number: int, fen: int, *programmes: str, level: str = "县") -> Budget:
    return Budget(
        id=f"{number:02d}", name="资金", document="文", issued=date(2026, 1, number), year=2026, level=level,  # type: ignore[arg-type]
        programmes=programmes, amount=Decimal(fen) / 100,
    )  # fmt: skip


def pool(number: int, fen: int, *programmes: str, level: str = "县") -> Pool:
    return Pool(level, programmes, [budget(number, fen, *programmes, level=level)])


def write_budgets(desk: Desk, *entries: tuple[str, str, str, str], extra: str = "") -> None:
    """(id, level, programmes by comma, 元) each."""
    folder = desk.workspace.policy_dir / "budgets"
    folder.mkdir(exist_ok=True)
    text = "".join(
        f'[[budgets]]\nid = "{number}"\nname = "救助资金"\ndocument = "财社〔2026〕{number}号"\nissued = 2026-01-0{place}\nyear = 2026\n'
        f'level = "{level}"\nprogrammes = {programmes.split(",")}\namount = {amount}\n'
        for place, (number, level, programmes, amount) in enumerate(entries, 1)
    )
    (folder / "2026.toml").write_text(text, "utf-8")
    if extra:
        (desk.workspace.policy_dir / "parameters").mkdir(exist_ok=True)
        (desk.workspace.policy_dir / "parameters" / "shares.toml").write_text(extra, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


def share(programme: str, level: str, percent: str) -> str:
    return f'[[parameter]]\nname = "资金分担_{programme}_{level}"\nunit = "%"\nsource = "测试"\nvalues = [{{ since = 2026-01-01, value = {percent} }}]\n'


# -- which document pays which programme


def test_wide_money_gives_way_to_what_only_it_can_pay() -> None:
    wide, other = pool(1, 100, "a", "b"), pool(2, 100, "a", "c")
    purse = Purse([wide, other], {})
    assert purse.draw(("a", "县"), 100) == 100 and wide.used == {("a", "县"): 100}
    assert purse.room(("b", "县")) == 100, "a moves over to the other pot"
    assert wide.used == {("a", "县"): 100}, "asking changes nothing"
    assert purse.draw(("b", "县"), 150) == 100
    assert wide.left == 0 and other.left == 0
    purse.give_back(("b", "县"), 40)
    assert purse.room(("c", "县")) == 40


LETTERS = "abc"
POOLS = st.lists(st.tuples(st.integers(0, 50), st.sets(st.sampled_from(LETTERS), min_size=1)), max_size=5)


@given(POOLS, st.lists(st.tuples(st.sampled_from(LETTERS), st.integers(0, 60)), max_size=8))
def test_as_much_is_paid_as_any_division_could(pots: list[tuple[int, set[str]]], asked: list[tuple[str, int]]) -> None:
    """Max flow = min cut: over all sets of programmes, what stands outside and the money that the set can reach."""
    pools = [pool(n, fen, *sorted(names)) for n, (fen, names) in enumerate(pots, 1)]
    purse = Purse(pools, {})
    got = sum(purse.draw((name, "县"), fen) for name, fen in asked)
    wanted = {name: sum(fen for other, fen in asked if other == name) for name in LETTERS}
    subsets = chain.from_iterable(combinations(LETTERS, n) for n in range(len(LETTERS) + 1))
    cut = min(
        sum(fen for name, fen in wanted.items() if name not in inside)
        + sum(fen for fen, names in pots if names & set(inside))
        for inside in subsets
    )
    assert got == cut
    drawn: dict[Demand, int] = {}
    for one in pools:
        assert 0 <= one.left <= one.fen and min(one.used.values(), default=0) >= 0
        for demand, fen in one.used.items():
            assert not fen or demand[0] in one.programmes
            drawn[demand] = drawn.get(demand, 0) + fen
    assert all(fen <= wanted[name] for (name, _), fen in drawn.items())


# -- a year of a real ledger


def test_the_years_execution_adds_up(desk: Desk) -> None:
    write_budgets(
        desk, ("1", "中央", f"{LIVING},{CARE}", "150.00"), ("2", "县", LIVING, "60.00"), ("3", "县", LIVING, "-10.00"),
        extra=share("困难残疾人生活补贴", "中央", "60") + share("困难残疾人生活补贴", "县", "40"),
    )  # fmt: skip
    desk.roll([person(1)])
    desk.roll([person(2)], programme=CARE)
    desk.pay()
    found = execution(desk.store, desk.policy, 2026)
    levels = {(one.programme, one.level): (one.out_fen, one.due_fen, one.over_fen) for one in found.levels}
    assert levels == {
        (LIVING, "中央"): (6_001, 0, 0),
        (LIVING, "县"): (4_000, 0, 0),
        (CARE, "未填"): (10_002, 0, 1_003),  # 150.00 - 60.01 is left of the only document for it
    }
    assert [(one.budget.id, one.used_fen, one.left_fen) for one in found.budgets] == [
        ("1", 15_000, 0),
        ("2", 4_000, 2_000),
        ("3", 0, -1_000),
    ]
    assert (found.amount_fen, found.out_fen, found.left_fen, found.over_fen) == (20_000, 20_003, 1_000, 1_003)
    assert execution(desk.store, desk.policy, 2025).levels == ()


def test_drafts_are_due_and_returned_lines_count_no_more(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.pay(failures={1: "账户已销户"})
    [level] = execution(desk.store, desk.policy, 2026).levels
    assert (level.level, level.out_fen, level.due_fen, level.over_fen) == ("未填", 10_002, 0, None)
    desk.draft(override="理由")
    [level] = execution(desk.store, desk.policy, 2026).levels
    assert (level.out_fen, level.due_fen) == (10_002, 10_001)


@pytest.mark.parametrize("percents", [("33.3", "33.3", "33.4"), ("0", "0", "100"), ("99.99", "0.01", "0")])
def test_levels_of_a_programme_add_up_to_the_fen(desk: Desk, percents: tuple[str, str, str]) -> None:
    write_budgets(desk, extra="".join(map(share, ["困难残疾人生活补贴"] * 3, ("中央", "省", "县"), percents)))
    desk.roll([person(number, amount_fen=3_333 + number) for number in range(1, 6)])
    desk.pay()
    assert sum(one.out_fen for one in execution(desk.store, desk.policy, 2026).levels) == sum(range(3_334, 3_339))
