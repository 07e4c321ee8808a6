"""Missed aid (应享未享): entitlements of policy-reference appendix B that the roll of the programme due does not show.

Judged only where that programme's roll of the person's town (or village) and month was imported; elsewhere it is said once that
it cannot be judged. Left out: the dead, people who have it in another town, people whose other benefit bars it (X or H).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.dedupe.facts import COVERED
from jiuzhu_cli.dedupe.terms import DUE, OTHER, PAIR, condition, in_force
from jiuzhu_cli.policy.expression import words_of

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Relation

_TABLES = """
CREATE TABLE due (rule VARCHAR, position INTEGER, severity VARCHAR, month VARCHAR, row_id BIGINT, id_no VARCHAR, name VARCHAR,
  programme VARCHAR, town VARCHAR, village VARCHAR, due VARCHAR, age INTEGER, grade INTEGER, kind VARCHAR, certified BOOLEAN, share_fen BIGINT);
CREATE TABLE barred (due VARCHAR, other VARCHAR, id_no VARCHAR, month VARCHAR);
"""

# A register's line may lack the town: then the person's rolls of the month tell it, if they all say the same.
_FROM_REGISTER = """
SELECT s.programme, s.month, s.row_id * -1 AS row_id, s.id_no, s.name, coalesce(nullif(s.town, ''), w.town, '') AS town,
  coalesce(nullif(s.village, ''), w.village, '') AS village, s.kind AS category, NULL AS care_mode, NULL AS self_care, NULL AS work_ability,
  NULL AS cause, NULL AS claimed_status, NULL AS stage, s.grade, 0 AS share_fen
FROM standing s LEFT JOIN (
  SELECT id_no, month, min(town) AS town, min(village) AS village FROM holding GROUP BY ALL HAVING min(town) = max(town)) w USING (id_no, month)
WHERE s.programme = '{a}'
"""
BARRING_REGISTER = (
    "(SELECT id_no, month, programme, kind AS category, NULL AS care_mode, NULL AS self_care, NULL AS work_ability, NULL AS cause, "
    "NULL AS claimed_status, NULL AS stage, grade, 0 AS share_fen FROM standing)"
)
_FROM_ROLL = "SELECT * FROM holding WHERE {which}"

_DUE = """
INSERT INTO due
SELECT '{rule}', {position}, '{severity}', a.month, a.row_id, a.id_no, a.name, a.programme, a.town, a.village, '{b}',
  p.age, p.degree, p.disability, p.certified, a.share_fen
FROM ({source}) a LEFT JOIN person p ON p.id_no = a.id_no AND p.month = a.month
WHERE a.month IN ({months}) AND {condition}
  AND NOT EXISTS (SELECT 1 FROM holding b WHERE b.programme = '{b}' AND b.id_no = a.id_no AND b.month = a.month)
"""

# Where a household programme is due, somebody else of the case may have it for all.
_HOUSEHOLD_HAS = """
DELETE FROM due WHERE due = '{b}' AND EXISTS (
  SELECT 1 FROM household own JOIN household mate ON mate.case_id = own.case_id
  JOIN household has ON has.id_no = mate.id_no AND has.programme = '{b}' AND has.month = due.month
  WHERE own.id_no = due.id_no AND own.month = due.month)
"""
# What is X or H with the programme due bars it; but not the very ground it is due on (a 边缘 person who may move into 低保).
_BARRED = """
INSERT INTO barred SELECT DISTINCT '{due}', '{other}', a.id_no, a.month FROM {table} a LEFT JOIN person p ON p.id_no = a.id_no AND p.month = a.month
WHERE a.programme = '{other}' AND a.month IN ({months}) AND {condition}
"""

_LEFT_OUT = """
DELETE FROM due WHERE
  EXISTS (SELECT 1 FROM death d JOIN span s ON s.month = due.month WHERE d.id_no = due.id_no AND coalesce(d.died, '') <= s.last_day)
  OR EXISTS (SELECT 1 FROM barred b WHERE b.due = due.due AND b.month = due.month AND b.id_no = due.id_no AND b.other <> due.programme)
"""

# One row per person and programme due; the strong ground before a candidate, relations in their order. Somebody whose grounds lie in
# several towns can be judged only where all of them are covered: they may have it in the other.
_ONE_EACH = """
CREATE TABLE judged AS
SELECT * REPLACE (bool_and(covered) OVER (PARTITION BY due, id_no, month) AS covered) FROM (
  SELECT *, CASE WHEN town = '' THEN NOT EXISTS (
      SELECT 1 FROM known_town t WHERE t.month = due.month AND NOT EXISTS (
        SELECT 1 FROM coverage k WHERE k.programme = due.due AND k.month = due.month AND k.area IN ('', t.town)))
      AND EXISTS (SELECT 1 FROM coverage k WHERE k.programme = due.due AND k.month = due.month)
    ELSE {covered} END AS covered
  FROM due)
QUALIFY row_number() OVER (PARTITION BY due, id_no, month ORDER BY severity DESC, position, row_id DESC) = 1
""".replace("{covered}", COVERED.format(programme="due.due", month="due.month", town="due.town", village="due.village"))

_HITS = """
INSERT INTO hit
SELECT concat_ws('|', 'missed', due, id_no), 'missed', CASE severity WHEN 'strong' THEN 'missed_strong' ELSE 'missed_candidate' END,
  rule, severity, month, row_id, NULL, id_no, name, programme, town, '', '', due, town, 0, share_fen, 0,
  concat_ws('|', coalesce(CAST(age AS VARCHAR), ''), CASE WHEN certified THEN 'certified' ELSE '' END, coalesce(CAST(grade AS VARCHAR), ''),
    coalesce(kind, ''))
FROM judged WHERE covered
"""

_UNJUDGED = """
SELECT due, CASE WHEN any_roll THEN town ELSE '' END AS town, month, count(*) AS persons, any_roll
FROM (SELECT *, EXISTS (SELECT 1 FROM coverage k WHERE k.programme = due AND k.month = judged.month) AS any_roll FROM judged WHERE NOT covered)
GROUP BY ALL ORDER BY due, month, town
"""


def find_missed(
    connection: duckdb.DuckDBPyConnection, policy: Policy, relations: Collection[Relation], months: Collection[str]
) -> list[dict[str, object]]:
    """Adds missed aid to ``hit``; ``fact`` is ``age|certified|grade|kind``. Returns what cannot be judged: ``programme, town, month, persons, reason``."""
    connection.execute(_TABLES)
    present = {
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT programme FROM holding UNION SELECT DISTINCT programme FROM standing"
        ).fetchall()
    }
    dues: set[str] = set()
    for position, relation in enumerate(relations):
        held = [month for month in sorted(months) if in_force(relation, policy, month)]
        if relation.kind not in ("E", "C") or relation.b not in policy.programmes or not held:
            continue
        if relation.a not in present and relation.a != "*":
            continue
        dues.add(relation.b)
        if relation.a.startswith("register:"):
            source = _FROM_REGISTER.replace("{a}", relation.a)
        else:
            source = _FROM_ROLL.replace(
                "{which}", f"programme <> '{relation.b}'" if relation.a == "*" else f"programme = '{relation.a}'"
            )
        connection.execute(
            _DUE.format(
                rule=relation.id,
                position=position,
                severity=relation.severity if relation.kind == "E" else "candidate",
                b=relation.b,
                source=source,
                months=_texts(held),
                condition=condition(relation, policy, held, DUE),
            )
        )
    for due in sorted(dues):
        if policy.programmes[due].unit == "household":
            connection.execute(_HOUSEHOLD_HAS.replace("{b}", due))
    _bar(connection, policy, relations, months, dues, present)
    connection.execute(_LEFT_OUT)
    connection.execute(_ONE_EACH)
    connection.execute(_HITS)
    unjudged = []
    for due, town, month, persons, any_roll in connection.execute(_UNJUDGED).fetchall():
        name = policy.programmes[due].name
        if any_roll:
            where = town or "有人所在乡镇不明，而部分乡镇"
            reason = f"{where}的{name}名册（{month}）没有导入，这里不判漏享"
        else:
            reason = f"{name}的名册（{month}）没有导入，全区不判漏享"
        unjudged.append(
            {"kind": "missed", "programme": due, "town": town, "month": month, "persons": persons, "reason": reason}
        )
    return unjudged


def _bar(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    relations: Collection[Relation],
    months: Collection[str],
    dues: Collection[str],
    present: Collection[str],
) -> None:
    """Fills ``barred``. A condition on the programme due itself cannot be judged (nobody has it yet): then nothing is barred."""
    for relation in relations:
        held = [month for month in sorted(months) if in_force(relation, policy, month)]
        if relation.kind not in ("X", "H") or relation.a == relation.b or not held:
            continue
        for due, other, columns in ((relation.b, relation.a, DUE), (relation.a, relation.b, OTHER)):
            if due not in dues or other not in present:
                continue
            if any(word not in columns and word in PAIR for word in words_of(relation.when or "true")):
                continue
            connection.execute(
                _BARRED.format(
                    due=due,
                    other=other,
                    table=BARRING_REGISTER if other.startswith("register:") else "holding",
                    months=_texts(held),
                    condition=condition(relation, policy, held, columns),
                )
            )


def _texts(values: Collection[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
