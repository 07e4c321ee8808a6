"""Who changes over because the policy changes, round by round until nobody does: out by a rule, into another programme by income, and what follows
from relations E (data, not code): who leaves 低保 loses what rests on it, who enters gains it.

``move``: a row a case that leaves (``reason``, ``target`` where it changes over). ``entry``: a row of a roll made for whoever enters; ``blocked``: who
could enter but for something that people must look at. All in ``main``; rounds are judged in the schema ``after`` over ``after.roll``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.review.eligibility import REVIEWED
from jiuzhu_cli.review.simulate_state import ladder, relations_in_force

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

ROUNDS = 6  # a chain of relations is shorter; more would be a circle

TABLES = """
CREATE TABLE main.move (programme VARCHAR, batch_id BIGINT, case_no BIGINT, round INT, reason VARCHAR, target VARCHAR);
CREATE TABLE main.entry AS SELECT *, '' AS why, false AS open FROM main.roll LIMIT 0;
CREATE TABLE main.gained (programme VARCHAR, id_no VARCHAR, town VARCHAR, relation VARCHAR, listed BOOLEAN);
CREATE TABLE main.blocked (programme VARCHAR, target VARCHAR, batch_id BIGINT, case_no BIGINT, town VARCHAR, reason VARCHAR);
CREATE TABLE main.exclusive (a VARCHAR, b VARCHAR);
CREATE TABLE main.step (code VARCHAR, place INT, pays BOOLEAN, no INT);
CREATE TABLE main.known (code VARCHAR, name VARCHAR, unit VARCHAR, reviewed BOOLEAN);
"""

# rules that hold under the old policy (or are not known to fail) and fail under the new one
_BY_RULE = """
INSERT INTO main.move
SELECT s.programme, s.batch_id, s.case_no, $round, string_agg(DISTINCT f.message, '；' ORDER BY f.message), NULL
FROM after.failed f JOIN after.state s USING (key)
LEFT JOIN (SELECT s.programme, s.batch_id, s.case_no, f.rule FROM before.failed f JOIN before.state s USING (key)) b
  ON b.programme = s.programme AND b.batch_id = s.batch_id AND b.case_no = s.case_no AND b.rule = f.rule
WHERE f.stop AND b.rule IS NULL AND NOT s.gone
GROUP BY s.programme, s.batch_id, s.case_no;
"""

# what rested on a relation E alone, and rests on none any more
_BY_RELATION = """
INSERT INTO main.move
SELECT DISTINCT p.programme, p.batch_id, p.case_no, $round, '不再具备享受条件（' || b.why || '）', NULL
FROM after.person p JOIN (SELECT programme, id_no, string_agg(DISTINCT k.name, '、' ORDER BY k.name) AS why FROM before.support s JOIN main.known k ON k.code = s.through GROUP BY programme, id_no) b
  ON b.programme = p.programme AND b.id_no = p.id_no
WHERE p.lead = 1 AND p.id_no NOT IN (SELECT id_no FROM after.support a WHERE a.programme = p.programme)
  AND NOT EXISTS (SELECT 1 FROM main.move m WHERE m.programme = p.programme AND m.batch_id = p.batch_id AND m.case_no = p.case_no);
"""

# households that change over: those that leave, and those of a mere status that fulfil what a paying programme asks only now
_OVER = """
CREATE OR REPLACE TEMP TABLE over AS
SELECT q.target, q.programme, q.batch_id, q.case_no, q.open
FROM after.qualifies q JOIN main.step t ON t.code = q.target JOIN main.exclusive x ON x.a = q.programme AND x.b = q.target
JOIN after.state s ON s.programme = q.programme AND s.batch_id = q.batch_id AND s.case_no = q.case_no
LEFT JOIN main.move m ON m.programme = q.programme AND m.batch_id = q.batch_id AND m.case_no = q.case_no AND m.round = $round
LEFT JOIN before.qualifies b ON b.target = q.target AND b.programme = q.programme AND b.batch_id = q.batch_id AND b.case_no = q.case_no
WHERE NOT s.gone AND q.batch_id > 0 AND (m.programme IS NOT NULL OR (t.pays AND s.benefit = 'status' AND b.target IS NULL))
  AND NOT EXISTS (SELECT 1 FROM after.failed f WHERE f.key = s.key AND f.stop AND NOT f.doubtful AND m.programme IS NULL)
QUALIFY row_number() OVER (PARTITION BY q.programme, q.batch_id, q.case_no ORDER BY t.place) = 1;

-- whoever of the household has something else that excludes it: to be looked at, not counted
CREATE OR REPLACE TEMP TABLE hindered AS
SELECT DISTINCT o.target, o.programme, o.batch_id, o.case_no, k.name AS other
FROM over o JOIN after.person p ON p.programme = o.programme AND p.batch_id = o.batch_id AND p.case_no = o.case_no
JOIN main.roll r ON r.id_no = p.id_no AND (r.batch_id, r.case_no) <> (o.batch_id, o.case_no)
JOIN main.known k ON k.code = r.programme
WHERE r.programme = o.target OR EXISTS (SELECT 1 FROM main.exclusive x WHERE x.a = o.target AND x.b = r.programme);

INSERT INTO main.blocked
SELECT h.programme, h.target, h.batch_id, h.case_no, any_value(s.town), '家中有人在' || string_agg(DISTINCT h.other, '、' ORDER BY h.other) || '名册上，须先核实'
FROM hindered h JOIN after.state s ON s.programme = h.programme AND s.batch_id = h.batch_id AND s.case_no = h.case_no
WHERE NOT EXISTS (SELECT 1 FROM main.blocked b WHERE b.target = h.target AND b.programme = h.programme AND b.batch_id = h.batch_id AND b.case_no = h.case_no)
GROUP BY ALL;
DELETE FROM over o WHERE EXISTS (SELECT 1 FROM hindered h WHERE h.target = o.target AND h.programme = o.programme AND h.batch_id = o.batch_id AND h.case_no = o.case_no);

UPDATE main.move m SET target = o.target FROM over o WHERE m.programme = o.programme AND m.batch_id = o.batch_id AND m.case_no = o.case_no AND m.round = $round;
INSERT INTO main.move
SELECT o.programme, o.batch_id, o.case_no, $round, '转入' || k.name, o.target FROM over o JOIN main.known k ON k.code = o.target
WHERE NOT EXISTS (SELECT 1 FROM main.move m WHERE m.programme = o.programme AND m.batch_id = o.batch_id AND m.case_no = o.case_no);

INSERT INTO main.entry BY NAME
SELECT r.* REPLACE (o.target AS programme, -(r.batch_id * 1000 + t.no) AS batch_id, NULL AS amount_fen, NULL AS base_fen, NULL AS addon_fen, NULL AS care_fen,
    coalesce(r.household_size, r.covered_persons) AS covered_persons, CASE WHEN s.kind = '' THEN r.category ELSE s.kind END AS category, NULL AS grade),
  '由' || k.name || '转入' AS why, o.open
FROM over o JOIN main.roll r ON r.programme = o.programme AND r.batch_id = o.batch_id AND r.case_no = o.case_no
JOIN after.state s ON s.programme = o.programme AND s.batch_id = o.batch_id AND s.case_no = o.case_no
JOIN main.step t ON t.code = o.target JOIN main.known k ON k.code = o.programme;
"""

# a relation E that holds only now, by a programme that the person is in only now
_GAIN = """
CREATE OR REPLACE TEMP TABLE gain AS
SELECT a.programme, a.id_no, min(a.relation) AS relation, any_value(k.unit) AS unit, any_value(k.reviewed) AS reviewed
FROM after.support a JOIN main.known k ON k.code = a.programme JOIN main.known by_programme ON by_programme.code = a.through
WHERE NOT EXISTS (SELECT 1 FROM before.support b WHERE b.programme = a.programme AND b.id_no = a.id_no)
  AND NOT EXISTS (SELECT 1 FROM main.roll r WHERE r.programme = a.programme AND r.id_no = a.id_no)
  AND NOT EXISTS (SELECT 1 FROM main.gained g WHERE g.programme = a.programme AND g.id_no = a.id_no)
  AND NOT EXISTS (SELECT 1 FROM after.roll r JOIN main.exclusive x ON x.a = r.programme WHERE r.id_no = a.id_no AND x.b = a.programme)
GROUP BY a.programme, a.id_no;

INSERT INTO main.gained
SELECT DISTINCT ON (g.programme, g.id_no) g.programme, g.id_no, p.town, g.relation, EXISTS (SELECT 1 FROM coverage c WHERE c.programme = g.programme)
FROM gain g JOIN after.person p USING (id_no) ORDER BY g.programme, g.id_no, p.row_id;

INSERT INTO main.entry BY NAME
SELECT DISTINCT ON (g.programme, g.id_no) r.* REPLACE (g.programme AS programme, -(r.batch_id * 1000 + 900 + k.no) AS batch_id, r.row_id AS case_no, 1 AS lead,
    NULL AS amount_fen, NULL AS base_fen, NULL AS addon_fen, NULL AS care_fen, NULL AS grade, 1 AS household_size, 1 AS covered_persons),
  '随之新享受' AS why, false AS open
FROM gain g JOIN (SELECT code, row_number() OVER (ORDER BY code) AS no FROM main.known) k ON k.code = g.programme
JOIN (SELECT * FROM main.roll) r ON r.id_no = g.id_no
WHERE g.unit = 'person' AND g.reviewed ORDER BY g.programme, g.id_no, r.row_id;
"""


def prepare(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> None:
    """The tables of moves, empty, and what the policy says of exclusions and programmes."""
    connection.execute(TABLES)
    for one in relations_in_force(policy, month, "X"):
        if one.a != one.b:
            connection.executemany("INSERT INTO main.exclusive VALUES (?, ?)", [(one.a, one.b), (one.b, one.a)])
    for place, p in enumerate(ladder(policy)):
        connection.execute("INSERT INTO main.step VALUES (?,?,?,?)", [p.code, place, p.benefit != "status", place])
    connection.executemany(
        "INSERT INTO main.known VALUES (?,?,?,?)", [(p.code, p.name, p.unit, p.benefit in REVIEWED) for p in policy.programmes.values()]
    )  # fmt: skip


def make_roll(connection: duckdb.DuckDBPyConnection) -> None:
    """``after`` anew, with the rolls as the moves so far leave them."""
    connection.execute("""
    SET search_path = 'main'; DROP SCHEMA IF EXISTS after CASCADE; CREATE SCHEMA after;
    CREATE TABLE after.roll AS
    WITH all_rows AS (SELECT * FROM main.roll UNION ALL SELECT * EXCLUDE (why, open) FROM main.entry)
    SELECT r.* FROM all_rows r LEFT JOIN main.move m ON m.programme = r.programme AND m.batch_id = r.batch_id AND m.case_no = r.case_no WHERE m.programme IS NULL;
    """)


def lists_of_entries(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, bool]]:
    """By batch of an entry what the list has that it comes from: who has no disability written on a list that writes them has none."""
    cursor = connection.execute(
        "SELECT e.batch_id AS entry_batch, l.* EXCLUDE (batch_id) FROM (SELECT DISTINCT batch_id FROM main.entry) e JOIN before.list_facts l ON l.batch_id = (-e.batch_id) // 1000 ORDER BY 1"
    )
    names = [column[0] for column in cursor.description or []][1:]
    return {row[0]: dict(zip(names, map(bool, row[1:]), strict=True)) for row in cursor.fetchall()}


def find_moves(connection: duckdb.DuckDBPyConnection, round_: int) -> int:
    """What follows in this round from the two judgements; returns how many rows of the rolls change by it (services gained change none)."""
    connection.execute("SET search_path = 'after,main'")
    before = _count(connection)
    for script in (_BY_RULE, _BY_RELATION, _OVER, _GAIN):
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement, {"round": round_} if "$round" in statement else None)
    return _count(connection) - before


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    return int(
        connection.execute("SELECT (SELECT count(*) FROM main.move) + (SELECT count(*) FROM main.entry)").fetchall()[0][
            0
        ]
    )
