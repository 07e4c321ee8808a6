"""Budgets against payments: what a document still has, what is short, and that nothing is short which some division covers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.payment import back_pay
from jiuzhu_cli.payment.budget import Demand, Pool, Purse, execution
from jiuzhu_cli.payment.budget_sheet import Taken, import_budgets
from jiuzhu_cli.policy.budgets import Budget
from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import LIVING, Desk, person
from tests.support import make_id

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
    assert not purse.take([(("c", "县"), 1)])
    assert purse.take([(("c", "县"), 0)]) and purse.room(("c", "县")) == 0


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
    desk.pay(override="县财政先垫付")
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


# -- the gate of money


def held(desk: Desk, **options: Any) -> dict[tuple[str, str], str]:
    """(programme, recipient) → reason of those over budget; another programme is payable beside them."""
    made = desk.draft(**options)
    rows = payments.holds(desk.store, made.batch["payment_id"])
    return {(row["programme"], row["recipient_id_no"]): row["reason"] for row in rows if row["code"] == "over_budget"}


def with_others(desk: Desk) -> None:
    desk.roll([person(90)], programme="elder_care_subsidy")


def test_a_programme_beyond_its_budget_waits_whole(desk: Desk) -> None:
    with_others(desk)
    desk.roll([person(1), person(2)])
    write_budgets(desk, ("1", "县", LIVING, "200.02"))
    assert set(held(desk)) == {(LIVING, make_id(1)), (LIVING, make_id(2))}
    assert "还剩 200.02 元，要 200.03 元" in next(iter(held(desk).values()))
    write_budgets(desk, ("1", "县", LIVING, "200.03"))
    assert held(desk) == {}
    assert desk.draft(override="区政府同意先垫付").held == 0


def test_the_level_that_is_short_is_named_with_what_is_left(desk: Desk) -> None:
    with_others(desk)
    desk.roll([person(1, amount_fen=10_000)])
    shares = share("困难残疾人生活补贴", "中央", "60") + share("困难残疾人生活补贴", "县", "40")
    write_budgets(desk, ("1", "中央", LIVING, "60.00"), ("2", "县", LIVING, "39.99"), extra=shares)
    [reason] = held(desk).values()
    assert reason == "2026 年县资金还剩 39.99 元，要 40.00 元，整个项目先不发"
    assert desk.store.query("SELECT source FROM payment_hold")[0][0] == "县"
    write_budgets(desk, ("1", "中央", LIVING, "60.00"), ("2", "县", LIVING, "40.00"), extra=shares)
    assert held(desk) == {}
    write_budgets(desk, ("1", "中央", LIVING, "60.00"), extra=shares)
    assert held(desk) == {}, "no document of that level is on record: nothing is known"


def test_where_no_share_is_written_the_levels_not_registered_are_named(desk: Desk) -> None:
    with_others(desk)
    desk.roll([person(1, amount_fen=10_000)])
    write_budgets(desk, ("1", "中央", LIVING, "50.00"), ("2", "省", LIVING, "10.00"))
    [reason] = held(desk).values()
    assert "市、县没有登记指标，全算在中央、省里" in reason and "中央、省还剩 60.00 元，要 100.00 元" in reason
    levels = [(str(n), level, LIVING, "10.00") for n, level in enumerate(("中央", "省", "市", "县"), 1)]
    write_budgets(desk, *levels)
    [reason] = held(desk).values()
    assert reason == "2026 年各级合计（没有写分担比例）还剩 40.00 元，要 100.00 元，整个项目先不发"
    # a share that is written is asked of its own level, the rest of those whose share is not
    write_budgets(
        desk,
        ("1", "中央", LIVING, "50.00"),
        ("2", "省", LIVING, "10.00"),
        extra=share("困难残疾人生活补贴", "中央", "50"),
    )
    [reason] = held(desk).values()
    assert "市、县没有登记指标，全算在省里" in reason and "省还剩 10.00 元，要 50.00 元" in reason


def test_what_was_paid_before_is_used_and_what_came_back_is_not(desk: Desk) -> None:
    with_others(desk)
    write_budgets(desk, ("1", "县", LIVING, "200.02"))
    desk.roll([person(1)])
    desk.pay()
    desk.roll([person(1)], month="2026-11")
    desk.roll([person(90)], programme="elder_care_subsidy", month="2026-11")
    made = desk.draft("2026-11")
    assert made.holds_by_code == {}
    write_budgets(desk, ("1", "县", LIVING, "200.01"))
    assert desk.draft("2026-11").holds_by_code == {"over_budget": 1}
    desk.roll([person(1)], month="2027-01")
    assert desk.draft("2027-01").holds_by_code == {}, "another year, without a budget"


def test_money_is_served_in_the_order_of_the_document(desk: Desk) -> None:
    with_others(desk)
    desk.roll([person(1)])
    desk.roll([person(2)], programme=CARE)
    write_budgets(desk, ("1", "县", f"{CARE},{LIVING}", "150.00"))
    assert set(held(desk)) == {(LIVING, make_id(1))}
    write_budgets(desk, ("1", "县", f"{LIVING},{CARE}", "150.00"))
    assert set(held(desk)) == {(CARE, make_id(2))}


def test_what_another_gate_holds_asks_for_no_money(desk: Desk) -> None:
    desk.roll([person(1), person(2, account_no="")])
    write_budgets(desk, ("1", "县", LIVING, "100.01"))
    assert held(desk) == {}


def test_aid_by_event_is_served_by_its_day(desk: Desk) -> None:
    urgent = "temporary_assistance"
    with_others(desk)
    days = {1: "2026-10-09", 2: "2026-10-02", 3: None, 4: "2026-10-05"}
    desk.roll(
        [person(n, amount_fen=10_000, event_date=day, category="小额快救") for n, day in days.items()], programme=urgent
    )
    write_budgets(desk, ("1", "县", urgent, "299.99"))
    assert {who for _, who in held(desk)} == {make_id(1), make_id(3)}
    write_budgets(desk, ("1", "县", urgent, "99.99"))
    assert len(held(desk)) == 4


def test_a_draft_of_one_programme_can_be_locked_though_another_goes_first(desk: Desk) -> None:
    desk.roll([person(1)])
    desk.roll([person(2)], programme=CARE)
    write_budgets(desk, ("1", "县", f"{CARE},{LIVING}", "150.00"))
    desk.draft(programmes=[LIVING])
    assert desk.lock()["state"] == "locked"


def test_the_gate_of_money_can_be_switched_off(desk: Desk) -> None:
    desk.roll([person(1)])
    off = '[[parameter]]\nname = "发放拦下_超经费指标"\narea = "421002"\nsource = "测试"\nvalues = [{ since = 2026-01-01, value = false }]\n'
    write_budgets(desk, ("1", "县", LIVING, "0.01"), extra=off)
    assert held(desk) == {}


# -- the finance office's table


def sheet(desk: Desk, rows: list[list[Any]], name: str = "指标表.csv") -> Path:
    path = desk.workspace.root / "inbox" / name
    path.write_text("\n".join(",".join(str(cell) for cell in row) for row in rows) + "\n", "utf-8")
    return path


def take_in(desk: Desk, path: Path) -> Taken:
    return import_budgets(desk.store, desk.workspace, desk.policy, path, year=2026, actor="张经办", now=desk.now)


HEAD = ["文号", "资金名称", "下达日期", "年度", "资金来源", "救助项目", "金额（万元）"]
ROWS = [
    ["财社〔2025〕120号", "困难群众救助补助资金", "2025-12-20", "2026", "中央财政", "低保、特困", "300.5"],
    ["区财社〔2026〕3号", "", "2026.2.1", "2026年", "本级", "低保", "20"],
    ["区财社〔2026〕9号", "", "2026-09-01", "", "区级", "低保", "-1.25"],
    ["合计", "", "", "", "", "", "319.25"],
]


def test_the_finance_offices_table_becomes_budgets_once(desk: Desk) -> None:
    taken = take_in(desk, sheet(desk, [["2026年指标"], HEAD, *ROWS]))
    assert (taken.added, taken.unchanged, taken.amount_fen) == (3, 0, 319_250_000)
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)
    assert [(one.level, one.amount_fen, one.programmes) for one in desk.policy.budgets] == [
        ("中央", 300_500_000, ("subsistence_allowance", "extreme_poverty_support")),
        ("县", 20_000_000, ("subsistence_allowance",)),
        ("县", -1_250_000, ("subsistence_allowance",)),
    ]
    assert not [one for one in check_policy(desk.policy, date(2026, 10, 1)) if one.level == "error"]
    more = [*ROWS[:3], ["区财社〔2026〕3号", "", "2026-02-01", "2026", "县", "特困", "20"]]
    again = take_in(desk, sheet(desk, [HEAD, *more]))
    assert (again.added, again.unchanged) == (1, 3)
    assert len(load_policy(desk.workspace.policy_dir).budgets) == 4


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [(4, "社会捐赠", "认不出"), (2, "去年", "不是日期"), (5, "低包", "没有叫"), (6, "若干", "读不出"), (6, "", "读不出"), (3, "26", "认不出"), (0, "", "没有写")],
)  # fmt: skip
def test_a_row_that_cannot_be_told_leaves_everything_as_it_was(desk: Desk, column: int, value: str, told: str) -> None:
    bad = list(ROWS[0])
    bad[column] = value
    with pytest.raises(DataError, match=told):
        take_in(desk, sheet(desk, [HEAD, ROWS[1], bad]))
    assert not (desk.workspace.policy_dir / "budgets").exists()


@pytest.mark.parametrize(
    ("head", "above", "fen"),
    [
        ("金额", "单位：万元", 300_500_000),
        ("金额", "", None),
        ("下达金额(元)", "单位：万元", 30_050),
        ("指标数", "（单位：元）", 30_050),
    ],
)
def test_whether_yuan_or_ten_thousand_is_never_guessed(desk: Desk, head: str, above: str, fen: int | None) -> None:
    path = sheet(desk, [["", "", "", "", "", "", above], [*HEAD[:6], head], ROWS[0]])
    if fen is None:
        with pytest.raises(DataError, match="元还是万元"):
            take_in(desk, path)
    else:
        assert take_in(desk, path).amount_fen == fen


@pytest.mark.parametrize(
    ("word", "level"),
    [("中央补助资金", "中央"), ("省级财政", "省"), ("市本级", "市"), ("区级配套资金", "县"), ("县", "县")],
)
def test_levels_as_offices_write_them(desk: Desk, word: str, level: str) -> None:
    row = [*ROWS[0][:4], word, *ROWS[0][5:]]
    take_in(desk, sheet(desk, [HEAD, row]))
    [one] = load_policy(desk.workspace.policy_dir).budgets
    assert one.level == level


def test_a_table_without_its_headers_is_refused(desk: Desk) -> None:
    with pytest.raises(DataError, match="表头"):
        take_in(desk, sheet(desk, [["姓名", "金额"], ["甲", "1"]]))


def test_back_pay_asks_for_money_with_its_programme(desk: Desk) -> None:
    with_others(desk)
    first = desk.roll([person(1)], month="2026-09")
    desk.pay("2026-09")
    desk.supersede(first, [person(1, amount_fen=12_000)], month="2026-09")
    desk.compare("2026-09")
    desk.roll([person(1, amount_fen=12_000)])
    back_pay.find(desk.store, desk.workspace, desk.policy, actor="张经办", now=desk.now)
    back_pay.decide(desk.store, [1], confirmed=True, note="核实", actor="张经办", now=desk.now)
    write_budgets(desk, ("1", "县", LIVING, "239.99"))  # 100.01 is spent, 120.00 and 19.99 are wanted
    assert desk.draft().holds_by_code == {"over_budget": 2}
    write_budgets(desk, ("1", "县", LIVING, "240.00"))
    made = desk.draft()
    assert (made.holds_by_code, made.batch["amount_fen"]) == ({}, 12_000 + 1_999 + 10_090)
    desk.lock()
    desk.approve()
    [level] = [one for one in execution(desk.store, desk.policy, 2026).levels if one.programme == LIVING]
    assert (level.out_fen, level.due_fen, level.over_fen) == (10_001, 13_999, 0)
