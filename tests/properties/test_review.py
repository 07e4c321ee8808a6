"""Amounts by the engine against exact fractions, and steps that add up, for households nobody thought of."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS, duck_type
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.review.run import judge
from tests.support import make_id

POLICY = load_policy(region="231025")
HOUSEHOLD = st.fixed_dictionaries(
    {
        "persons": st.integers(1, 6),
        "income": st.integers(0, 700_000),
        "period": st.sampled_from(["month", "year"]),
        "paid": st.integers(0, 500_000),
        "kind": st.sampled_from(["城市", "农村"]),
        "births": st.lists(st.dates(date(1930, 1, 1), date(2026, 9, 30)), min_size=5, max_size=5),
    }
)
STANDARD = {"农村": 63200, "城市": 78590}


def expected(case: dict[str, Any], addons: int) -> int:
    """标准 × 人数 − 月收入, up to whole 元, and the add-ons when anything is due."""
    monthly = Fraction(case["income"], 12 if case["period"] == "year" else 1)
    short = STANDARD[case["kind"]] * case["persons"] - monthly
    return 0 if short <= 0 else -(-short // 100) * 100 + addons


def snapshot(cases: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    tables = {
        "roll": ("programme", "area", "month", "file_name", "sheet", *ROLL_COLUMNS),
        "register": ("register", "month", "file_name", "sheet", *REGISTER_COLUMNS),
        "coverage": ("programme", "area", "month"),
        "register_coverage": ("register", "area"),
    }
    for name, columns in tables.items():
        connection.execute(f'CREATE TABLE "{name}" ({", ".join(f"{c} {duck_type(c)}" for c in columns)})')
    # all is known: nobody is disabled or ill
    connection.execute("INSERT INTO register_coverage VALUES ('disability_certificate', ''), ('severe_illness', '')")
    serial = 0
    for number, case in enumerate(cases, 1):
        for place in range(case["persons"]):
            serial += 1
            born = date(1980, 1, 1) if place == 0 else case["births"][place - 1]
            row = {
                "programme": "subsistence_allowance", "area": "", "month": "2026-10", "row_id": serial, "batch_id": 1, "case_no": number,
                "lead": int(place == 0), "id_no": make_id(serial, born=born.strftime("%Y%m%d")), "name": f"人{serial}", "town": "某镇", "village": "",
                "category": case["kind"],
            }  # fmt: skip
            if place == 0:
                row |= {"amount_fen": case["paid"], "income_fen": case["income"], "income_period": case["period"]}
                row |= {"covered_persons": case["persons"]}
            connection.execute(
                f"INSERT INTO roll ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values())
            )
    return connection


def sure_addons(case: dict[str, Any]) -> tuple[int, int]:
    """Least and most add-ons. Linkou: from the month of the 60th birthday (满60当月加) to that of the 18th (满18次月减)."""
    each = 10400 if case["kind"] == "农村" else 14200
    least = most = 0
    for born in case["births"][: case["persons"] - 1]:
        months = (2026 - born.year) * 12 + 10 - born.month
        counts = months >= 720 or months <= 216
        least, most = least + each * counts, most + each * counts
    return least, most


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HOUSEHOLD, min_size=1, max_size=25))
def test_engine_agrees_with_exact_fractions_and_steps_add_up(cases: list[dict[str, Any]]) -> None:
    connection = snapshot(cases)
    judged = judge(connection, POLICY, "2026-10", today=date(2026, 10, 20), stops=[], in_force={})
    verdicts = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT f.case_no, v.low, v.high, v.fits FROM verdict v JOIN facts f USING (key)"
        ).fetchall()
    }
    made = {proposal.id_no: proposal for proposal in judged.proposals}
    leads = dict(connection.execute("SELECT case_no, id_no FROM facts").fetchall())
    for number, case in enumerate(cases, 1):
        low, high = (expected(case, addons) for addons in sure_addons(case))
        assert verdicts[number][:2] == (low, high)
        proposal = made.get(leads[number])
        if low == high:
            assert verdicts[number][2] == (case["paid"] == low)
        if proposal is not None and proposal.after_fen is not None and proposal.action != "check":
            assert proposal.after_fen != case["paid"] or (proposal.action, case["paid"]) == ("stop", 0)  # not entitled
            assert low <= proposal.after_fen <= high
            assert sum(step.get("adds_fen", 0) for step in proposal.steps) == proposal.after_fen
            assert proposal.needs_hearing == (proposal.after_fen < case["paid"])
    connection.close()
