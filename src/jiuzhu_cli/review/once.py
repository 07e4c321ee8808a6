"""Amounts of one-off aid and instalments (一次性救助、分期拨付) against their tariffs: what differs is to be checked, nothing else is judged of them.

Only where every figure has been checked against the local document (``confirmed``): what a national default says of a gift or a grant
that each place sets for itself is no ground to ask about every line. The same SQL as for monthly benefits, in a schema of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.ledger.proposals import Proposal
from jiuzhu_cli.review.amounts import build_candidates, judge_amounts
from jiuzhu_cli.review.eligibility import CASES, WORDS
from jiuzhu_cli.review.readings import rows_of
from jiuzhu_cli.review.tariffs import amount_rules, by_care, by_income

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

ONCE = frozenset({"one_off", "instalments"})


def judge_once(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> list[Proposal]:
    """A ``check`` for each line of one-off aid of which the amount fits no tariff. Needs ``person`` and what ``build_facts`` made beside it."""
    present = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM person").fetchall()}
    programmes = [p for p in policy.programmes.values() if p.code in present and p.benefit in ONCE and p.tariffs]
    rules = amount_rules(policy, month, programmes, WORDS)
    sure = {
        p.code
        for p in programmes
        if (lines := [line for line in rules.lines if line.programme == p.code])
        and all(value.confirmed for line in lines for value in line.values)
    }
    programmes = [p for p in programmes if p.code in sure]
    if not programmes:
        return []
    rules = amount_rules(policy, month, programmes, WORDS)
    try:
        connection.execute("CREATE SCHEMA once; SET search_path = 'once,main'")
        connection.execute(
            "CREATE TABLE reviewed (programme VARCHAR, unit VARCHAR, benefit VARCHAR, by_income BOOLEAN, by_care BOOLEAN);"
            " CREATE TABLE category_word (programme VARCHAR, word VARCHAR, canonical VARCHAR)"
        )
        connection.executemany(
            "INSERT INTO reviewed VALUES (?,?,?,?,?)",
            [(p.code, p.unit, p.benefit, by_income(p), by_care(p)) for p in programmes],
        )
        words = [(p.code, word, name) for p in programmes for name, all_ in p.categories.items() for word in all_]
        if words:
            connection.executemany("INSERT INTO category_word VALUES (?,?,?)", words)
        connection.execute(CASES + "ALTER TABLE facts ADD COLUMN standard_fen BIGINT;")
        build_candidates(connection, rules)
        judge_amounts(connection)
        odd = rows_of(
            connection,
            "SELECT f.programme, f.place, f.id_no, f.name, f.amount_fen, v.amounts FROM facts f JOIN verdict v USING (key)"
            " WHERE NOT v.fits AND f.amount_fen IS NOT NULL ORDER BY f.key",
        )
    finally:
        connection.execute("SET search_path = 'main'")
        connection.execute("DROP SCHEMA IF EXISTS once CASCADE")
    made = []
    for one in odd:
        programme, before = policy.programmes[one["programme"]], one["amount_fen"]
        due = "、".join(yuan(fen) for fen in one["amounts"])
        key = "|".join((month, programme.code, one["place"], one["id_no"], "check", str(before), "None", "amount"))
        reason = f"花名册 {yuan(before)} 元，按 {month} 的标准应为 {due} 元，请核对"
        made.append(
            Proposal(key, month, programme.code, one["place"], one["id_no"], one["name"], "check", before, None, month, reason, programme.source, (), False)
        )  # fmt: skip
    return made
