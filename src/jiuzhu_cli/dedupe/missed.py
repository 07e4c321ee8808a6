"""Missed aid (应享未享): entitlements of policy-reference appendix B that the roll of the programme due does not show.

``a`` may also be ``stopped:CODE`` (on the latest roll of CODE before, no longer on this month's) and the programme due itself (its own line
shows what is wanting). Judged only where that programme's roll of the person's town (or village) and month was imported; elsewhere it is said once that
it cannot be judged. Left out: the dead, people who have it in another town, people whose other benefit bars it (X or H).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.dedupe.circumstances import COLUMNS, make_tables, tables_of
from jiuzhu_cli.dedupe.facts import COVERED, PERSON, PERSON_COLUMNS
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.dedupe.terms import DUE, OTHER, PAIR, condition, in_force
from jiuzhu_cli.policy.expression import words_of

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Relation

# ``rank``: the strong ground before a candidate, relations in their order, the later row first; with the month it tells the row of ``due``.
_TABLES = """
CREATE TABLE due (rank BIGINT, severity VARCHAR, month VARCHAR, row_id BIGINT, id_no VARCHAR, programme VARCHAR, town VARCHAR, village VARCHAR,
  due VARCHAR, rule VARCHAR);
CREATE TABLE barred (due VARCHAR, other VARCHAR, id_no VARCHAR, month VARCHAR);
CREATE TABLE home AS
SELECT h.id_no, h.month, min(h.town) AS town, min(h.village) AS village FROM holding h
WHERE EXISTS (SELECT 1 FROM standing s WHERE s.id_no = h.id_no AND s.month = h.month AND (coalesce(s.town, '') = '' OR coalesce(s.village, '') = ''))
GROUP BY h.id_no, h.month HAVING min(h.town) = max(h.town)
"""
STOPPED = "stopped:"
ROWS = 1 << 43  # more than there are row numbers

# A register's line may lack the town: then the person's rolls of the month tell it, if they all say the same.
_FROM_REGISTER = f"""
SELECT s.programme, s.month, s.row_id * -1 AS row_id, s.id_no, coalesce(nullif(s.town, ''), w.town, '') AS town,
  coalesce(nullif(s.village, ''), w.village, '') AS village, s.kind AS category, NULL AS care_mode, NULL AS self_care, NULL AS work_ability,
  NULL AS cause, NULL AS claimed_status, NULL AS stage, s.grade, 0 AS share_fen, s.amount_fen AS listed_fen, {", ".join(f"s.{name}" for name in PERSON_COLUMNS)}
FROM standing s LEFT JOIN home w USING (id_no, month)
WHERE s.programme = '{{a}}'
"""
BARRING_REGISTER = (
    "(SELECT id_no, month, programme, kind AS category, NULL AS care_mode, NULL AS self_care, NULL AS work_ability, NULL AS cause, "
    f"NULL AS claimed_status, NULL AS stage, grade, 0 AS share_fen, {', '.join(PERSON_COLUMNS)} FROM standing)"
)
_FROM_ROLL = "SELECT * FROM holding WHERE {which}"

# Who stood on the list of that place before, within the run's months or just before them, and no longer does where this month's is there
# and whole: a row that was refused may be theirs.
_STOPPED = f"""
CREATE TABLE stopped AS
WITH earlier AS (
  SELECT programme, month, row_id, id_no, name, town, village, amount_fen AS share_fen FROM before
  UNION ALL SELECT programme, month, row_id, id_no, name, town, village, share_fen FROM holding),
last_on AS (
  SELECT e.*, m.month AS now, m.last_number FROM earlier e JOIN span m ON e.month < m.month WHERE e.programme IN ({{codes}})
    AND NOT EXISTS (SELECT 1 FROM holding h WHERE h.programme = e.programme AND h.id_no = e.id_no AND h.month = m.month)
  QUALIFY row_number() OVER (PARTITION BY e.programme, e.id_no, m.month ORDER BY e.month DESC, e.row_id) = 1)
SELECT l.programme, l.now AS month, l.row_id, l.id_no, l.name, l.town, l.village, NULL AS category, NULL AS care_mode, NULL AS self_care,
  NULL AS work_ability, NULL AS cause, NULL AS claimed_status, NULL AS stage, NULL AS grade, l.share_fen, {PERSON.format(r="l", last="l.last_number")}
FROM last_on l LEFT JOIN described d ON d.id_no = l.id_no AND d.month = l.now
WHERE NOT EXISTS (SELECT 1 FROM earlier e WHERE e.programme = l.programme AND e.town = l.town AND e.month > l.month AND e.month < l.now)
  AND NOT EXISTS (SELECT 1 FROM imported i WHERE i.programme = l.programme AND i.month = l.now AND i.wanting > 0
    AND (i.area = '' OR split_part(i.area, '/', 1) = l.town))
  AND {COVERED.format(programme="l.programme", month="l.now", town="l.town", village="l.village")}
"""
_FROM_STOPPED = "SELECT * FROM stopped WHERE programme = '{a}'"

_DUE = """
INSERT INTO due
SELECT {rank} - a.row_id, '{severity}', a.month, a.row_id, a.id_no, a.programme, a.town, a.village, '{b}', '{rule}'
FROM ({source}) a {joins}
WHERE a.month IN ({months}) AND {condition} {absent}
"""
_ABSENT = (
    "AND NOT EXISTS (SELECT 1 FROM holding b WHERE b.programme = '{b}' AND b.id_no = a.id_no AND b.month = a.month)"
)

# Where a household programme is due, somebody else of the case may have it for all.
_HOUSEHOLD_HAS = """
CREATE OR REPLACE TABLE had AS
WITH asked AS (SELECT DISTINCT id_no, month FROM due WHERE due = '{b}' AND programme <> '{b}'),
own AS (SELECT h.id_no, h.month, h.case_id FROM household h JOIN asked USING (id_no, month)),
mate AS (SELECT o.id_no AS asker, o.month, m.id_no FROM own o JOIN household m ON m.case_id = o.case_id)
SELECT DISTINCT m.asker AS id_no, m.month FROM mate m
WHERE EXISTS (SELECT 1 FROM household h WHERE h.programme = '{b}' AND h.id_no = m.id_no AND h.month = m.month);
DELETE FROM due o WHERE o.due = '{b}' AND o.programme <> '{b}' AND EXISTS (SELECT 1 FROM had h WHERE h.id_no = o.id_no AND h.month = o.month)
"""
# What is X or H with the programme due bars it; but not the very ground it is due on (a 边缘 person who may move into 低保).
_BARRED = """
INSERT INTO barred SELECT '{due}', '{other}', a.id_no, a.month FROM {table} a
WHERE a.programme = '{other}' AND a.month IN ({months}) AND {condition}
  AND EXISTS (SELECT 1 FROM due o WHERE o.due = '{due}' AND o.id_no = a.id_no AND o.month = a.month)
"""

# One row per person and programme due. Left out: the dead, and whom another benefit bars. Somebody whose grounds lie in several towns
# can be judged only where all of them are covered: they may have it in the other. Where no town is told all towns must be covered.
_ONE_EACH = """
CREATE TABLE judged AS
WITH dead AS (SELECT d.id_no, s.month FROM death d CROSS JOIN span s WHERE coalesce(d.died, '') <= s.last_day),
place AS (SELECT DISTINCT due, month, town, village FROM due WHERE town <> ''),
here AS (SELECT p.due, p.month, p.town, p.village FROM place p WHERE {covered}),
wanting AS (
  SELECT DISTINCT k.programme, k.month FROM (SELECT DISTINCT programme, month FROM coverage) k JOIN known_town t ON t.month = k.month
  WHERE NOT EXISTS (SELECT 1 FROM coverage c WHERE c.programme = k.programme AND c.month = t.month AND (c.area = '' OR c.area = t.town))),
district AS (
  SELECT DISTINCT k.programme, k.month FROM coverage k
  WHERE NOT EXISTS (SELECT 1 FROM wanting w WHERE w.programme = k.programme AND w.month = k.month))
SELECT o.due, o.id_no, o.month, min(o.rank) AS rank, bool_and(h.due IS NOT NULL OR d.programme IS NOT NULL) AS covered
FROM due o LEFT JOIN here h ON h.due = o.due AND h.month = o.month AND h.town = o.town AND h.village = o.village
LEFT JOIN district d ON o.town = '' AND d.programme = o.due AND d.month = o.month
WHERE NOT EXISTS (SELECT 1 FROM dead x WHERE x.id_no = o.id_no AND x.month = o.month)
  AND NOT EXISTS (SELECT 1 FROM barred b WHERE b.due = o.due AND b.month = o.month AND b.id_no = o.id_no AND b.other <> o.programme)
GROUP BY o.due, o.id_no, o.month
""".replace("{covered}", COVERED.format(programme="p.due", month="p.month", town="p.town", village="p.village"))

_HITS = f"""
INSERT INTO hit
WITH best AS (SELECT o.* FROM judged j JOIN due o ON o.rank = j.rank AND o.month = j.month WHERE j.covered),
refused AS (
  SELECT programme, month, split_part(area, '/', 1) AS town, CAST(sum(wanting) AS BIGINT) AS wanting FROM imported WHERE wanting > 0 GROUP BY 1, 2, 3),
told AS (
  SELECT row_id, month, name, share_fen, {", ".join(PERSON_COLUMNS)} FROM holding WHERE row_id IN (SELECT row_id FROM best)
  UNION ALL
  SELECT -row_id, month, name, 0, {", ".join(PERSON_COLUMNS)} FROM standing WHERE -row_id IN (SELECT row_id FROM best)
  UNION ALL
  SELECT row_id, month, name, share_fen, {", ".join(PERSON_COLUMNS)} FROM stopped WHERE row_id IN (SELECT row_id FROM best))
SELECT concat_ws('|', 'missed', b.due, b.id_no), 'missed',
  coalesce(w.code, CASE b.severity WHEN 'strong' THEN 'missed_strong' ELSE 'missed_candidate' END),
  b.rule, b.severity, b.month, b.row_id, NULL, b.id_no, t.name, b.programme, b.town, '', '', b.due, b.town, 0, t.share_fen, 0,
  concat_ws('|', coalesce(CAST(t.age AS VARCHAR), ''), CASE WHEN t.certified THEN 'certified' ELSE '' END, coalesce(CAST(t.degree AS VARCHAR), ''),
    coalesce(t.disability, ''), coalesce(CAST(f.wanting AS VARCHAR), ''))
FROM best b JOIN told t USING (row_id, month) LEFT JOIN due_code w ON w.rule = b.rule
LEFT JOIN refused f ON f.programme = b.due AND f.month = b.month AND f.town = b.town
"""

# Where no list of the programme was imported at all it does not matter in which town.
_UNJUDGED = """
WITH missing AS (
  SELECT j.*, k.programme IS NOT NULL AS any_roll FROM judged j
  LEFT JOIN (SELECT DISTINCT programme, month FROM coverage) k ON k.programme = j.due AND k.month = j.month WHERE NOT j.covered)
SELECT due, '' AS town, month, count(*) AS persons, any_roll FROM missing WHERE NOT any_roll GROUP BY due, month, any_roll
UNION ALL
SELECT m.due, o.town, m.month, count(*), m.any_roll FROM missing m JOIN due o ON o.rank = m.rank AND o.month = m.month WHERE m.any_roll GROUP BY m.due, o.town, m.month, m.any_roll
ORDER BY 1, 3, 2
"""


def find_missed(
    connection: Tables, policy: Policy, relations: Collection[Relation], months: Collection[str]
) -> list[dict[str, object]]:
    """Adds missed aid to ``hit``; ``fact`` is ``age|certified|grade|kind|rows of the list that were refused``. Returns what cannot be judged: ``programme, town, month, persons, reason``."""
    connection.execute(_TABLES)
    present = {
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT programme FROM holding UNION SELECT DISTINCT programme FROM standing"
        ).fetchall()
    }
    _find_stopped(connection, relations)
    dues: set[str] = set()
    codes: list[tuple[object, ...]] = []
    for position, relation in enumerate(relations):
        held = [month for month in sorted(months) if in_force(relation, policy, month)]
        if relation.kind not in ("E", "C") or relation.b not in policy.programmes or not held:
            continue
        if relation.a not in present and relation.a != "*" and not relation.a.startswith(STOPPED):
            continue
        dues.add(relation.b)
        codes += [(relation.id, relation.code)] if relation.code else []
        tables = tables_of(words_of(relation.when)) if relation.when.strip() else []
        make_tables(connection, tables)
        severity = relation.severity if relation.kind == "E" else "candidate"
        own = relation.a == relation.b or relation.a == STOPPED + relation.b
        connection.execute(
            _DUE.format(
                rule=relation.id,
                rank=(severity != "strong") * 1000 * ROWS + position * ROWS,
                severity=severity,
                b=relation.b,
                source=_source(relation),
                joins=" ".join(one.joined for one in tables),
                absent="" if own else _ABSENT.format(b=relation.b),
                months=_texts(held),
                condition=condition(relation, policy, held, DUE | COLUMNS),
            )
        )
    connection.execute("CREATE TABLE due_code (rule VARCHAR, code VARCHAR)")
    insert_rows(connection, "due_code", codes)
    for due in sorted(dues):
        if policy.programmes[due].unit == "household":
            connection.execute(_HOUSEHOLD_HAS.replace("{b}", due))
    _bar(connection, policy, relations, months, dues, present)
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


def _source(relation: Relation) -> str:
    """The rows that side a stands for, with the columns of ``holding`` that conditions name."""
    if relation.a.startswith("register:"):
        return _FROM_REGISTER.replace("{a}", relation.a)
    if relation.a.startswith(STOPPED):
        return _FROM_STOPPED.replace("{a}", relation.a.removeprefix(STOPPED))
    return _FROM_ROLL.replace("{which}", f"programme <> '{relation.b}'" if relation.a == "*" else f"programme = '{relation.a}'")  # fmt: skip


def _find_stopped(connection: Tables, relations: Collection[Relation]) -> None:
    """The table ``stopped`` for the programmes whose leavers a relation asks for."""
    codes = {relation.a.removeprefix(STOPPED) for relation in relations if relation.a.startswith(STOPPED)}
    connection.execute(_STOPPED.replace("{codes}", _texts(sorted(codes)) or "NULL"))


def _bar(
    connection: Tables,
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
