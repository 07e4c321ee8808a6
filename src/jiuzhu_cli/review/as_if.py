"""What a case or a person would be paid under another programme: the amounts of ``amounts``, asked over rows made as if.

The same SQL over the same columns in a schema of its own (``as_if``), so that a transfer or a start shows the sum that the other side will have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.review.amounts import build_candidates, judge_amounts
from jiuzhu_cli.review.eligibility import WORDS
from jiuzhu_cli.review.tariffs import amount_rules, by_care, by_income

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy


@dataclass(frozen=True, slots=True)
class Wish:
    """``key``: a case of ``facts`` (0: ``id_no`` has none and stands in ``outsider``); ``id_no`` '': the whole household.

    ``older``: people of the case who are taken as they will be next month: the age they have just reached counts then, whatever the
    place's custom (满龄当月、次月).
    """

    number: int
    key: int
    id_no: str
    programme: str
    older: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """``fen``: what would be due, None where facts leave it open; ``steps``: how."""

    fen: int | None
    steps: tuple[dict[str, Any], ...] = ()


def amounts_as_if(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, wishes: Sequence[Wish]
) -> dict[int, Due]:
    """The amount of each wish by its number; of a programme that pays nothing 0."""
    from jiuzhu_cli.review.readings import Readings, rows_of

    due = {one.number: Due(0 if policy.programmes[one.programme].benefit == "status" else None) for one in wishes}
    asked = [one for one in wishes if due[one.number].fen is None]
    if not asked:
        return due
    programmes = [policy.programmes[code] for code in sorted({one.programme for one in asked})]
    try:
        connection.execute("CREATE SCHEMA as_if; SET search_path = 'as_if,main'")
        connection.execute(
            "CREATE TABLE wish (number BIGINT, key BIGINT, id_no VARCHAR, programme VARCHAR, unit VARCHAR, benefit VARCHAR, by_income BOOLEAN, by_care BOOLEAN)"
        )
        connection.executemany(
            "INSERT INTO wish VALUES (?,?,?,?,?,?,?,?)",
            [
                (w.number, w.key, w.id_no, p.code, p.unit, p.benefit, by_income(p), by_care(p))
                for w in asked
                for p in [policy.programmes[w.programme]]
            ],
        )
        connection.execute("CREATE TABLE older (number BIGINT, id_no VARCHAR)")
        older = [(one.number, id_no) for one in asked for id_no in one.older]
        if older:
            connection.executemany("INSERT INTO older VALUES (?,?)", older)
        _rows(connection)
        rules = amount_rules(policy, month, programmes, WORDS)
        build_candidates(connection, rules)
        judge_amounts(connection)
        readings = Readings(connection, rules, (), {}, "")
        for fact in rows_of(
            connection, "SELECT f.*, v.low, v.high, v.ways FROM facts f JOIN verdict v USING (key) ORDER BY key"
        ):
            if fact["ways"] == 1 and fact["low"] == fact["high"]:
                due[fact["key"]] = Due(int(fact["low"]), readings.steps(fact, fact["low"]))
    finally:
        connection.execute("SET search_path = 'main'")
        connection.execute("DROP SCHEMA IF EXISTS as_if CASCADE")
    return due


def _rows(connection: duckdb.DuckDBPyConnection) -> None:
    """``facts`` and ``person`` of the wishes, numbered by them."""
    of_person = [row[0] for row in connection.execute("DESCRIBE main.person").fetchall()]
    of_case = [row[0] for row in connection.execute("DESCRIBE main.facts").fetchall()]
    rest = [
        name for name in of_case
        if name not in of_person and name not in ("key", "unit", "benefit", "by_income", "by_care", "covered", "size", "listed", "leaving")
    ]  # fmt: skip
    one = "w.unit = 'person'"
    moved = "programme, batch_id, case_no, amount_fen, base_fen, addon_fen, care_fen"
    connection.execute(f"""
    CREATE TABLE facts AS
    SELECT w.number AS key, p.* EXCLUDE ({moved}), w.programme, CAST(-1 AS BIGINT) AS batch_id, w.number AS case_no,
      CAST(NULL AS BIGINT) AS amount_fen, CAST(NULL AS BIGINT) AS base_fen, CAST(NULL AS BIGINT) AS addon_fen, CAST(NULL AS BIGINT) AS care_fen,
      {", ".join(f"f.{name}" for name in rest)}, w.unit, w.benefit, w.by_income, w.by_care,
      CASE WHEN {one} THEN 1 WHEN w.programme = f.programme THEN f.covered ELSE f.size END AS covered, CASE WHEN {one} THEN 1 ELSE f.size END AS size,
      CASE WHEN {one} THEN 1 ELSE f.listed END AS listed, CASE WHEN {one} THEN 0 ELSE f.leaving END AS leaving
    FROM wish w JOIN main.facts f ON f.key = w.key
    JOIN main.person p ON p.batch_id = f.batch_id AND p.case_no = f.case_no AND p.id_no = CASE WHEN w.id_no = '' THEN f.id_no ELSE w.id_no END
    QUALIFY row_number() OVER (PARTITION BY w.number ORDER BY p.lead DESC, p.row_id) = 1;
    CREATE TABLE person AS
    SELECT p.* REPLACE (CAST(-1 AS BIGINT) AS batch_id, w.number AS case_no)
    FROM wish w JOIN main.facts f ON f.key = w.key JOIN main.person p ON p.batch_id = f.batch_id AND p.case_no = f.case_no
    WHERE w.unit <> 'person' OR p.id_no = CASE WHEN w.id_no = '' THEN f.id_no ELSE w.id_no END;
    """)
    older = "FROM older o WHERE o.number = t.case_no AND o.id_no = t.id_no"
    for table in ("facts", "person"):
        connection.execute(f"UPDATE {table} t SET age_months = age_months + 1 {older}")
    if connection.execute("SELECT count(*) FROM wish WHERE key = 0").fetchall()[0][0]:
        connection.execute("""
        INSERT INTO facts BY NAME
        SELECT w.number AS key, o.* EXCLUDE (nth, row_id) REPLACE (o.age_months + 1 AS age_months), w.programme, CAST(-1 AS BIGINT) AS batch_id, w.number AS case_no, w.unit, w.benefit, w.by_income, w.by_care,
          CAST(1 AS BIGINT) AS covered, CAST(1 AS BIGINT) AS size, CAST(1 AS BIGINT) AS listed, CAST(0 AS BIGINT) AS leaving, CAST(1 AS BIGINT) AS lead
        FROM wish w JOIN outsider o ON o.id_no = w.id_no WHERE w.key = 0;
        INSERT INTO person BY NAME
        SELECT CAST(-1 AS BIGINT) AS batch_id, w.number AS case_no, o.* EXCLUDE (nth, row_id) REPLACE (o.age_months + 1 AS age_months), w.programme, CAST(1 AS BIGINT) AS lead, false AS leaves
        FROM wish w JOIN outsider o ON o.id_no = w.id_no WHERE w.key = 0;
        """)
