"""One-off aid again for the same cause (同一事由重复): this month's grant against the grants of the months before it.

How many months back is a parameter that the programme's relation with itself names (``within``). Another cause, or a cause that one
of the lists leaves open, is no doubt; what the next month's list merely repeats (same day, same amount) is one grant, and may be one where neither list gives the day.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import add_months, last_day
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.dedupe.terms import in_force

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Relation

# Of several earlier grants the latest; side a is who is paid now, side b who was (another member of the household: to be looked at).
_HITS = """
INSERT INTO hit
WITH given AS (
  SELECT programme, month, id_no, name, town, amount_fen, cause, stage, event_date, row_id FROM before
  UNION ALL
  SELECT programme, month, id_no, name, town, case_fen, cause, stage, event_date, row_id FROM holding WHERE lead = 1),
now_given AS (
  SELECT h.*, w.since, w.rule, w.severity FROM holding h JOIN within w ON w.programme = h.programme AND w.month = h.month
  WHERE h.lead = 1 AND coalesce(h.cause, '') <> ''),
mates AS (  -- lists of one-off aid name the applicant only: the others of the household as any roll of the month has it
  SELECT n.row_id, m.id_no AS mate FROM now_given n JOIN household m ON m.case_id = n.case_id
  UNION SELECT n.row_id, m.id_no FROM now_given n JOIN household own ON own.id_no = n.id_no AND own.month = n.month
  JOIN household m ON m.case_id = own.case_id),
met AS (
  SELECT n.*, g.id_no AS id_b, g.name AS name_b, g.town AS town_b, g.amount_fen AS fen_b, g.row_id AS row_b, g.month AS month_b,
    coalesce(g.event_date, '') AS day_b,
    coalesce(g.event_date, '') = '' AND coalesce(n.event_date, '') = '' AND g.amount_fen IS NOT DISTINCT FROM n.case_fen AS repeated
  FROM now_given n JOIN mates m ON m.row_id = n.row_id
  JOIN given g ON g.programme = n.programme AND g.id_no = m.mate AND g.cause = n.cause AND g.month >= n.since AND g.month < n.month
  WHERE coalesce(g.stage, '') = coalesce(n.stage, '')
    AND NOT (coalesce(g.event_date, '') <> '' AND g.event_date = n.event_date AND g.amount_fen IS NOT DISTINCT FROM n.case_fen))
SELECT concat_ws('|', 'double', 'again', programme, id_no, cause), 'double', 'same_cause_again', rule,
  CASE WHEN id_no = id_b AND NOT repeated THEN severity ELSE 'candidate' END, month, row_id, row_b, id_no, name, programme, town, id_b, name_b, programme, town_b,
  coalesce(case_fen, 0), coalesce(case_fen, 0), coalesce(fen_b, 0),
  concat_ws('|', '事由=' || cause, '前次=' || CASE WHEN day_b = '' THEN month_b ELSE day_b END)
FROM met
QUALIFY row_number() OVER (PARTITION BY programme, id_no, cause, month ORDER BY id_b <> id_no, month_b DESC, row_b) = 1
"""


def find_again(connection: Tables, policy: Policy, relations: Collection[Relation], months: Collection[str]) -> None:
    """Adds aid given again for one cause to ``hit``; ``fact`` is ``事由=…|前次=…``."""
    connection.execute("CREATE TABLE within (programme VARCHAR, month VARCHAR, since VARCHAR, rule VARCHAR, severity VARCHAR)")  # fmt: skip
    rows = [
        (relation.a, month, add_months(month, 1 - span), relation.id, relation.severity)
        for relation in relations
        for month in sorted(months)
        if relation.within and in_force(relation, policy, month) and (span := months_back(policy, relation, month))
    ]
    if rows:
        insert_rows(connection, "within", rows)
        connection.execute(_HITS)


def months_back(policy: Policy, relation: Relation, month: str) -> int:
    """How many months before ``month`` the relation looks at; 0 where it looks at none."""
    found = policy.parameter_or_none(relation.within, last_day(month)) if relation.within else None
    return int(found.value) if found is not None and not isinstance(found.value, str | bool) else 0
