"""Doubles (重复享受): exclusive, capped and higher-one relations, the same programme twice, in two towns, in the urban and rural list.

Everything is judged within one month, so that a change of status (one stops, the other starts next month) is no doubt.
Findings go into the table ``hit`` (see ``hits.py``); relations come as data, there is no code for any one programme.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import last_day
from jiuzhu_cli.dedupe.facts import PERSON_COLUMNS
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.dedupe.terms import PAIR, condition, in_force

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Relation

CODES = {"X": "exclusive", "T": "over_cap", "H": "lower_of_two"}
# Life events in a register contradict a payment as death does; other registers (工伤护理 …) are another benefit.
EVENT_REGISTERS = {
    "death": "after_death",
    "cremation": "after_death",
    "imprisonment": "in_custody",
    "compulsory_rehab": "in_custody",
    "missing_declared": "declared_missing",
}
MONTHLY = ("top_up", "graded", "fixed", "status")
ONCE = ("one_off", "instalments")

# Who can be doubled at all: what somebody holds in a month is a set of bits, and few sets hold two programmes that do not go together.
# Two programmes may share a bit: then a few more people are looked at.
BITS = 62
_SUSPECTS = """
CREATE TABLE suspect AS
WITH held AS (
  SELECT h.id_no, h.month, bit_or(b.mask) AS mask, count(*) AS n FROM (
    SELECT id_no, month, programme FROM holding WHERE often
    UNION ALL
    SELECT h.id_no, h.month, h.programme FROM holding h WHERE NOT h.often
      AND EXISTS (SELECT 1 FROM standing s JOIN bit k USING (programme) WHERE s.id_no = h.id_no AND s.month = h.month)
    UNION ALL SELECT id_no, month, programme FROM standing) h JOIN bit b USING (programme)
  GROUP BY h.id_no, h.month HAVING count(*) > 1),
pair AS (
  SELECT DISTINCT a.mask | b.mask AS mask FROM matrix m JOIN bit a ON a.programme = m.a JOIN bit b ON b.programme = m.b WHERE m.level = 'person'),
bad AS (SELECT DISTINCT s.mask FROM (SELECT DISTINCT mask FROM held) s JOIN pair p ON s.mask & p.mask = p.mask)
SELECT id_no, month FROM held WHERE n > bit_count(mask) OR mask IN (SELECT mask FROM bad)
"""
# codes and months as plain text, as the rules have them: few rows, and joins of unlike types are slow
_ROW = "CAST(programme AS VARCHAR) AS programme, CAST(month AS VARCHAR) AS month, id_no, row_id, name, town, village, category, care_mode, self_care, work_ability, cause, claimed_status, stage, grade, event_date"
_SIDES = f"""
CREATE TABLE side AS
SELECT {_ROW}, coalesce(share_fen, 0) AS share_fen, coalesce(case_fen, 0) AS case_fen, lead, case_id, {", ".join(PERSON_COLUMNS)}
FROM holding JOIN suspect USING (id_no, month)
UNION ALL
SELECT CAST(programme AS VARCHAR), CAST(month AS VARCHAR), id_no, -row_id, name, town, village, kind, NULL, NULL, NULL, NULL, NULL, NULL, grade, NULL, 0, 0, 0, NULL, {", ".join(PERSON_COLUMNS)}
FROM standing JOIN suspect USING (id_no, month)
"""

# One hit per relation, person and month: of several listings the pair in one town first, then the earliest rows.
_PERSON_PAIRS = """
INSERT INTO hit
SELECT concat_ws('|', kind, rule, a.id_no) AS key, kind, code, rule, severity, a.month, a.row_id, b.row_id,
  a.id_no, a.name, a.programme, a.town, b.id_no, b.name, b.programme, b.town,
  CASE letter WHEN 'T' THEN a.share_fen + b.share_fen - cap_fen WHEN 'H' THEN least(a.share_fen, b.share_fen)
    ELSE coalesce(least(nullif(a.share_fen, 0), nullif(b.share_fen, 0)), 0) END AS amount_fen,
  a.share_fen, b.share_fen, CAST(cap_fen AS VARCHAR)
FROM matrix m JOIN side a ON a.programme = m.a AND a.month = m.month
JOIN side b ON b.id_no = a.id_no AND b.month = a.month AND b.programme = m.b
WHERE m.level = 'person' AND (letter <> 'T' OR a.share_fen + b.share_fen > cap_fen) AND {condition}
QUALIFY row_number() OVER (PARTITION BY rule, a.id_no, a.month ORDER BY a.town <> b.town, a.row_id, b.row_id) = 1
"""

# Two cases that share a person (or name the same head). Shown: the shared person, heads first, else the case's head.
_TOGETHER = """
CREATE TABLE met AS
WITH second AS (SELECT * FROM household WHERE often AND programme IN (SELECT b FROM matrix WHERE level = 'household')),
first AS (
  SELECT h.*, s.case_id AS case_b, s.programme AS b FROM second s JOIN household h ON h.id_no = s.id_no AND h.month = s.month
  WHERE h.often AND h.programme IN (SELECT a FROM matrix WHERE level = 'household'))
SELECT m.*, f.case_id AS case_a, f.case_b, f.id_no FROM first f JOIN matrix m ON m.level = 'household' AND m.a = f.programme AND m.b = f.b AND m.month = f.month;
CREATE TABLE met_row AS SELECT * FROM holding WHERE case_id IN (SELECT case_a FROM met UNION SELECT case_b FROM met)
"""
_HOUSEHOLD_PAIRS = """
INSERT INTO hit
WITH together AS (
  SELECT m.*, ra.row_id IS NULL AS absent_a, rb.row_id IS NULL AS absent_b, coalesce(ra.lead, 0) AS lead_a, coalesce(rb.lead, 0) AS lead_b
  FROM met m LEFT JOIN met_row ra ON ra.case_id = m.case_a AND ra.id_no = m.id_no LEFT JOIN met_row rb ON rb.case_id = m.case_b AND rb.id_no = m.id_no),
shown AS (
  SELECT * FROM together
  QUALIFY row_number() OVER (PARTITION BY rule, case_a, case_b
    ORDER BY absent_a OR absent_b, lead_a DESC, lead_b DESC, id_no) = 1),
pairs AS (
  SELECT s.*, CASE WHEN absent_a THEN ca.lead_id ELSE s.id_no END AS id_a, CASE WHEN absent_b THEN cb.lead_id ELSE s.id_no END AS id_b,
    coalesce(ca.amount_fen, 0) AS fen_a, coalesce(cb.amount_fen, 0) AS fen_b
  FROM shown s JOIN cases ca ON ca.case_id = s.case_a JOIN cases cb ON cb.case_id = s.case_b)
SELECT concat_ws('|', kind, rule, a.id_no, b.id_no), kind, CASE letter WHEN 'X' THEN 'exclusive_household' ELSE code END, rule, severity,
  a.month, a.row_id, b.row_id, a.id_no, a.name, a.programme, a.town, b.id_no, b.name, b.programme, b.town,
  CASE letter WHEN 'T' THEN fen_a + fen_b - cap_fen WHEN 'H' THEN least(fen_a, fen_b)
    ELSE coalesce(least(nullif(fen_a, 0), nullif(fen_b, 0)), 0) END, fen_a, fen_b, CAST(cap_fen AS VARCHAR)
FROM pairs JOIN met_row a ON a.case_id = case_a AND a.id_no = id_a JOIN met_row b ON b.case_id = case_b AND b.id_no = id_b
WHERE (letter <> 'T' OR fen_a + fen_b > cap_fen) AND {condition}
QUALIFY row_number() OVER (PARTITION BY rule, a.id_no, b.id_no, a.month ORDER BY a.row_id, b.row_id) = 1
"""

# The second, third … listing of a person in one programme against the first. Rows of one case that repeat a person count too.
_TWICE = """
INSERT INTO hit
WITH listed AS (
  SELECT s.*, row_number() OVER nth AS n, first_value(row_id) OVER nth AS first_row
  FROM side s JOIN once USING (programme, month)
  WINDOW nth AS (PARTITION BY s.programme, s.month, s.id_no ORDER BY town, row_id)),
pairs AS (
  SELECT a.month, a.id_no, a.programme, once.kind AS once_kind, once.rule AS rule, a.row_id AS row_a, b.row_id AS row_b, a.name AS name_a, b.name AS name_b,
    a.town AS town_a, b.town AS town_b, a.share_fen AS fen_a, b.share_fen AS fen_b, a.category AS category_a, b.category AS category_b,
    a.town <> b.town AS towns, {same_cause} AS same_cause, b.n, once.severity
  FROM listed b JOIN side a ON a.row_id = b.first_row AND a.month = b.month JOIN once ON once.programme = b.programme AND once.month = b.month
    WHERE b.n > 1 AND {condition})
SELECT concat_ws('|', 'double', 'twice', programme, id_no, CASE WHEN towns THEN least(town_a, town_b) || '/' || greatest(town_a, town_b) ELSE '' END,
    CASE WHEN n > 2 THEN CAST(n AS VARCHAR) ELSE '' END),
  'double', CASE WHEN towns THEN 'two_towns' WHEN category_a <> category_b AND category_a IN ('城市', '农村') AND category_b IN ('城市', '农村')
    THEN 'rural_and_urban' ELSE 'same_programme_twice' END, rule,
  CASE WHEN once_kind = 'monthly' OR same_cause = 'same' THEN severity ELSE 'candidate' END, month, row_a, row_b,
  id_no, name_a, programme, town_a, id_no, name_b, programme, town_b, least(fen_a, fen_b), fen_a, fen_b,
  concat_ws('、', category_a, category_b)
FROM pairs WHERE once_kind = 'monthly' OR same_cause <> 'other' OR towns
"""

# One-off aid may be given again for another event: the same cause, or no cause told, is a doubt (S10/S11: 同一事由不重复).
_SAME_CAUSE = """CASE
  WHEN coalesce(a.cause, '') <> coalesce(b.cause, '') AND coalesce(a.cause, '') <> '' AND coalesce(b.cause, '') <> '' THEN 'other'
  WHEN coalesce(a.stage, '') <> coalesce(b.stage, '') AND coalesce(a.stage, '') <> '' AND coalesce(b.stage, '') <> '' THEN 'other'
  WHEN a.cause = b.cause AND a.cause <> '' THEN 'same'  -- whatever the dates, which are those of two payments
  WHEN coalesce(a.event_date, '') <> coalesce(b.event_date, '') AND coalesce(a.event_date, '') <> '' AND coalesce(b.event_date, '') <> '' THEN 'other'
  WHEN coalesce(a.cause, '') = coalesce(b.cause, '') THEN 'same' ELSE 'unknown' END"""


def find_conflicts(
    connection: Tables, policy: Policy, relations: Collection[Relation], months: Collection[str]
) -> list[dict[str, object]]:
    """Adds doubles to ``hit``. Returns what could not be judged for want of a cap: ``programme, month, reason``."""
    unjudged = _load_rules(connection, policy, relations, months)
    _load_once(connection, policy, relations, months)
    _load_bits(connection)
    for statement in (_SUSPECTS, _SIDES, _TOGETHER):
        connection.execute(statement)
    cases = _conditions(policy, [r for r in relations if r.kind in CODES and r.a != r.b], months, "rule")
    connection.execute(_PERSON_PAIRS.replace("{condition}", cases))
    connection.execute(_HOUSEHOLD_PAIRS.replace("{condition}", cases))
    own = _conditions(policy, [r for r in relations if r.kind in CODES and r.a == r.b], months, "once.rule")
    connection.execute(_TWICE.replace("{condition}", own).replace("{same_cause}", _SAME_CAUSE))
    return unjudged


def _conditions(policy: Policy, relations: Collection[Relation], months: Collection[str], column: str) -> str:
    """One SQL condition for all relations: those without ``when`` hold, the others decide by their own expression."""
    branches = " ".join(
        f"WHEN '{r.id}' THEN {condition(r, policy, _months_in_force(r, policy, months), PAIR)}"
        for r in relations
        if r.when.strip() and _months_in_force(r, policy, months)
    )
    return f"(CASE {column} {branches} ELSE TRUE END)" if branches else "TRUE"


def _months_in_force(relation: Relation, policy: Policy, months: Collection[str]) -> list[str]:
    return [month for month in sorted(months) if in_force(relation, policy, month)]


def _load_rules(
    connection: Tables, policy: Policy, relations: Collection[Relation], months: Collection[str]
) -> list[dict[str, object]]:
    rows: list[tuple[object, ...]] = []
    unjudged: list[dict[str, object]] = []
    for relation in relations:
        if relation.kind not in CODES or relation.a == relation.b or _about_death(relation):
            continue
        for month in _months_in_force(relation, policy, months):
            cap: int | None = None
            if relation.kind == "T":
                try:
                    value = policy.parameter(relation.cap, last_day(month)).value
                    cap = round(float(value) * 100)
                except PolicyError as error:
                    unjudged.append(
                        {
                            "kind": "double",
                            "programme": relation.b,
                            "town": "",
                            "month": month,
                            "persons": 0,
                            "reason": f"补差封顶不能判定：{error.message}",
                        }
                    )
                    continue
            register = next((s.partition(":")[2] for s in (relation.a, relation.b) if s.startswith("register:")), "")
            code = EVENT_REGISTERS.get(register, CODES[relation.kind])
            kind = "after_event" if register in EVENT_REGISTERS else "double"
            level = "person" if register else relation.level
            for a, b in _expand(relation, policy):
                rows.append(
                    (relation.id, a, b, relation.kind, level, relation.severity, kind, code, cap, month),
                )
    connection.execute(
        "CREATE TABLE matrix (rule VARCHAR, a VARCHAR, b VARCHAR, letter VARCHAR, level VARCHAR, severity VARCHAR, kind VARCHAR, code VARCHAR,"
        " cap_fen BIGINT, month VARCHAR)"
    )
    insert_rows(connection, "matrix", rows)
    return unjudged


def _load_bits(connection: Tables) -> None:
    """A bit for each programme and register that a rule of ``matrix`` or ``once`` names."""
    named = connection.execute(
        "SELECT a FROM matrix UNION SELECT b FROM matrix UNION SELECT programme FROM once"
    ).fetchall()
    connection.execute("CREATE TABLE bit (programme VARCHAR, mask BIGINT)")
    insert_rows(connection, "bit", [(code, 1 << n % BITS) for n, code in enumerate(sorted(row[0] for row in named))])


def _about_death(relation: Relation) -> bool:
    """Death is judged by ``events.py`` for every programme; the relation there only lends its basis."""
    return any(side in ("register:death", "register:cremation") for side in (relation.a, relation.b))


def _expand(relation: Relation, policy: Policy) -> list[tuple[str, str]]:
    """``*`` stands for every programme but the one on the other side."""
    if relation.a != "*" and relation.b != "*":
        return [(relation.a, relation.b)]
    if relation.a == "*":
        return [(code, relation.b) for code in policy.programmes if code != relation.b]
    return [(relation.a, code) for code in policy.programmes if code != relation.a]


def _load_once(connection: Tables, policy: Policy, relations: Collection[Relation], months: Collection[str]) -> None:
    """Which programmes a person may have but once a month: a relation of the programme with itself, else its kind of benefit."""
    own = {relation.a: relation for relation in relations if relation.a == relation.b and relation.kind != "E"}
    rows: list[tuple[object, ...]] = []
    for code, programme in policy.programmes.items():
        relation = own.get(code)
        for month in sorted(months):
            if relation is not None:
                if relation.kind == "S" or not in_force(relation, policy, month):
                    continue
                kind = "once" if relation.within else "monthly"
                rows.append((code, month, kind, relation.id, relation.severity))
            elif programme.benefit in MONTHLY:
                rows.append((code, month, "monthly", "", "strong"))
            elif programme.benefit in ONCE:
                rows.append((code, month, "once", "", "strong"))
    connection.execute(
        "CREATE TABLE once (programme VARCHAR, month VARCHAR, kind VARCHAR, rule VARCHAR, severity VARCHAR)"
    )
    insert_rows(connection, "once", rows)
