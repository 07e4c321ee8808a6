"""What the budgets do not cover: whatever the amounts, shares and documents, what goes out fits, and what waits would not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiuzhu_cli.payment.budget import Pool, Purse, charges
from jiuzhu_cli.payment.shortage import add_short
from jiuzhu_cli.policy.budgets import Budget
from jiuzhu_cli.policy.funding import OPEN, shares_of
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.payment.test_budget import share

CODES = ("disability_living_subsidy", "disability_care_subsidy", "temporary_assistance")
MONTHLY = {CODES[0]: True, CODES[1]: True, CODES[2]: False}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The first programme is divided, the second in part, of the third nobody has written who pays."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "parameters").mkdir()
    text = "".join(
        share(name, level, percent)
        for name, level, percent in (
            ("困难残疾人生活补贴", "中央", "33.3"), ("困难残疾人生活补贴", "省", "26.7"), ("困难残疾人生活补贴", "县", "40"),
            ("重度残疾人护理补贴", "中央", "50"),
        )
    )  # fmt: skip
    (folder / "parameters" / "shares.toml").write_text(text, "utf-8")
    found = load_policy(folder)
    found.__dict__["budgets"] = (object.__new__(Budget),)  # that there is one that year: see below
    return found


CASES = st.lists(st.tuples(st.sampled_from(CODES), st.integers(1, 900), st.integers(1, 9)), min_size=1, max_size=12)
DOCUMENTS = st.lists(
    st.tuples(
        st.sampled_from(("中央", "省", "市", "县")), st.permutations(CODES), st.integers(1, 3), st.integers(0, 3_000)
    ),
    max_size=5,
)


def purse_of(policy: Policy, documents: list[tuple[str, Any, int, int]]) -> Purse:
    pools = []
    for number, (level, codes, few, fen) in enumerate(documents, 1):
        budget = Budget(
            id=f"{number}", name="资金", document="文", issued=date(2026, 1, number), year=2026, level=level,  # type: ignore[arg-type]
            programmes=tuple(codes[:few]), amount=Decimal(fen) / 100,
        )  # fmt: skip
        pools.append(Pool(level, budget.programmes, [budget]))
    written = {
        code: tuple(
            one.level for one in shares_of(policy, policy.programmes[code].name, "", "2026-10") if one.level != OPEN
        )
        for code in CODES
    }
    return Purse(pools, written)


def wanted(
    policy: Policy, purse: Purse, cases: list[tuple[int, str, int, int]], numbers: set[int]
) -> list[tuple[Any, int]]:
    sums: dict[Any, int] = {}
    for code in CODES:
        fen = sum(fen for n, one, fen, _ in cases if one == code and n in numbers)
        for demand, part in charges(policy, code, "", "2026-10", fen):
            sums[demand] = sums.get(demand, 0) + part
    return [(demand, fen) for demand, fen in sums.items() if purse.payers(demand)]


@settings(deadline=None, max_examples=120)
@given(CASES, DOCUMENTS)
def test_what_goes_out_fits_and_what_waits_would_not(policy: Policy, drawn: Any, documents: Any) -> None:
    cases = [(n, code, fen, day) for n, (code, fen, day) in enumerate(drawn, 1)]
    policy.__dict__["budgets"] = tuple(one for pool in purse_of(policy, documents).pools for one in pool.budgets)
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "CREATE TABLE candidate (n BIGINT, programme VARCHAR, due_fen BIGINT, monthly BOOLEAN, category VARCHAR, event_date VARCHAR,"
            " recipient VARCHAR, item VARCHAR, live_fen BIGINT, stopped BOOLEAN)"
        )
        connection.execute("CREATE TABLE arrear AS SELECT * FROM candidate")
        connection.execute("CREATE VIEW every_case AS SELECT * FROM candidate UNION ALL BY NAME SELECT * FROM arrear")
        connection.execute("CREATE TABLE held (n BIGINT)")
        connection.execute("CREATE TABLE set_off (n BIGINT, fen BIGINT)")
        connection.execute("CREATE TABLE programme (code VARCHAR, single BOOLEAN, instalments BOOLEAN)")
        connection.executemany(
            "INSERT INTO programme VALUES (?, ?, false)", [(code, not MONTHLY[code]) for code in CODES]
        )
        connection.executemany(
            "INSERT INTO candidate VALUES (?, ?, ?, ?, '', ?, ?, '', NULL, false)",
            [(n, code, fen, MONTHLY[code], f"2026-10-0{day}", f"p{n:03d}") for n, code, fen, day in cases],
        )
        add_short(connection, policy, "2026-10", lambda year: purse_of(policy, documents))
        short = {row[0] for row in connection.execute("SELECT n FROM short").fetchall()}
    out = {n for n, *_ in cases} - short
    purse = purse_of(policy, documents)
    assert purse.take(wanted(policy, purse, cases, out), keep=False), "what goes out fits"
    for code in CODES:
        mine = [(day, n) for n, one, _, day in cases if one == code]
        waits = sorted(one for one in mine if one[1] in short)
        if MONTHLY[code]:
            assert len(waits) in (0, len(mine)), "whole or not at all"
            more = out | {n for _, n in waits}
            assert not waits or not purse.take(wanted(policy, purse, cases, more), keep=False), "it would not fit"
        elif waits:
            assert max((one for one in mine if one[1] in out), default=(0, 0)) < waits[0], "the earlier day first"
            more = out | {waits[0][1]}
            assert not purse.take(wanted(policy, purse, cases, more), keep=False), "one more would not fit"
