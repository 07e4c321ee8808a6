"""What the checks look at, as DuckDB tables made from a snapshot: who holds what in which month, cases, households, events.

Tables made by ``build_facts`` (amounts 分, months 'YYYY-MM', dates 'YYYY-MM-DD'):

- ``cases``: ``case_id`` (the row of its head), ``batch_id, case_no, programme, month, area, town, lead_id, category, amount_fen, listed, persons``
- ``holding``: one row a person on a roll: ``row_id, case_id, programme, month, id_no, name, town, village, lead, share_fen,
  case_fen, persons, listed``, ``often`` (the person may be found in another line or case of the month, too), the columns that conditions
  name, and what is known of the person on the month's last day: ``age, sex, certified, degree, disability, ill, enrolled, house`` (``PERSON_COLUMNS``)
- ``household``: ``case_id, programme, month, id_no, often``: persons of a case, each once, the head it names included
- ``death``: ``id_no, died, name, row_id, stated`` (``died`` NULL when the list gives no day; ``stated``: the day of death, not of what followed)
- ``standing``: register entries that hold all through a month, one a register, month and person, shaped like ``holding`` with programme
  ``register:CODE`` and the same columns of the person
- ``known_town``: ``month, town``: towns that rolls or the workspace name

``roll`` keeps ``KEPT_COLUMNS`` and what its batch says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day, last_day
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.ledger.circumstances import ENDED
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, REGISTER_COLUMNS, death_day, death_stands

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.model import Programme

ROLL_COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name head_id_no town village category covered_persons amount_fen "
    "payee_name payee_id_no account_no care_mode self_care work_ability disability_no disability_kind disability_grade cause "
    "claimed_status stage grade event_date kin_filed addon_fen care_fen phone address start_month"
).split()
# What is looked up in ``roll`` once ``holding`` has the rest: a million rows would keep the same texts in memory twice.
KEPT_COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name account_no kin_filed addon_fen care_fen address start_month"
).split()
_OF_CASES = ("category", "covered_persons", "amount_fen")  # as ``cases`` has them
LINE_COLUMNS = [name for name in REGISTER_COLUMNS if name not in ("extra", "area_code")]

_MACROS = """
CREATE MACRO grade_of(t) AS CASE
  WHEN regexp_matches(t, '[一壹1１Ⅰ]') THEN 1 WHEN regexp_matches(t, '[二贰2２Ⅱ]') THEN 2
  WHEN regexp_matches(t, '[三叁3３Ⅲ]') THEN 3 WHEN regexp_matches(t, '[四肆4４Ⅳ]') THEN 4 END;
CREATE MACRO kind_of(t) AS nullif(regexp_extract(t, '多重|视力|听力|言语|肢体|智力|精神'), '');
CREATE MACRO kind_of_digit(d) AS CASE d WHEN '1' THEN '视力' WHEN '2' THEN '听力' WHEN '3' THEN '言语' WHEN '4' THEN '肢体'
  WHEN '5' THEN '智力' WHEN '6' THEN '精神' WHEN '7' THEN '多重' END;
CREATE MACRO certificate_digit(t, n) AS CASE WHEN regexp_matches(t, '^[0-9]{17}[0-9X][1-7][1-4]') THEN substr(t, n, 1) END;
"""

# The head's row stands for the case: the first that is marked so, else its first row.
_CASES = """
CREATE TABLE cases AS
WITH grouped AS (
  SELECT batch_id, case_no, coalesce(min(CASE WHEN lead = 1 THEN row_id END), min(row_id)) AS case_id,
    max(CASE WHEN lead = 1 THEN amount_fen END) AS amount_fen, count(*) AS listed, max(covered_persons) AS stated, max(category) AS category
  FROM roll GROUP BY batch_id, case_no)
SELECT g.case_id, g.batch_id, g.case_no, r.programme, r.month, r.area, r.town, r.id_no AS lead_id, coalesce(r.category, g.category) AS category,
  g.amount_fen, g.listed, CASE WHEN u.household THEN coalesce(nullif(g.stated, 0), g.listed) ELSE g.listed END AS persons
FROM grouped g JOIN roll r ON r.row_id = g.case_id LEFT JOIN unit u ON u.programme = r.programme
"""

# A town's list and a district's list that repeats it are one listing, not two payments: the narrower list stays.
_DROP_REPEATED = """
DELETE FROM cases wide WHERE EXISTS (
  SELECT 1 FROM cases narrow
  WHERE narrow.programme = wide.programme AND narrow.month = wide.month AND narrow.lead_id = wide.lead_id AND narrow.town = wide.town
    AND narrow.amount_fen IS NOT DISTINCT FROM wide.amount_fen AND narrow.category IS NOT DISTINCT FROM wide.category
    AND narrow.batch_id <> wide.batch_id AND narrow.area <> wide.area
    AND (wide.area = '' OR starts_with(narrow.area, wide.area || '/')))
"""
_NESTED = """
SELECT count(*) FROM coverage wide JOIN coverage narrow USING (programme, month)
WHERE wide.area <> narrow.area AND (wide.area = '' OR starts_with(narrow.area, wide.area || '/'))
"""

# One workbook with lists of several villages is the town's workbook: a village without a list in it has nobody.
_TOWN_WORKBOOKS = """
INSERT INTO coverage
SELECT programme, split_part(area, '/', 1) AS town, month FROM (
  SELECT DISTINCT programme, month, area, file_name FROM origin WHERE kind = 'roll' AND contains(area, '/'))
GROUP BY programme, month, town, file_name HAVING count(*) > 1
"""

PERSON_COLUMNS = "age sex certified degree disability ill enrolled house".split()
PERSON = """CASE WHEN length({r}.id_no) = 18 THEN ({last} - TRY_CAST(substr({r}.id_no, 7, 8) AS INTEGER)) // 10000 END AS age,
  CAST(CASE WHEN length({r}.id_no) = 18 THEN CASE WHEN TRY_CAST(substr({r}.id_no, 17, 1) AS INTEGER) % 2 = 1 THEN '男' ELSE '女' END END AS sex_text) AS sex,
  coalesce(d.certified, FALSE) AS certified, d.degree, d.disability, coalesce(d.ill, FALSE) AS ill, coalesce(d.enrolled, FALSE) AS enrolled, d.house"""

# Heads whom a case names and does not list: few name one who is not their first.
_HEADS = """
CREATE TABLE unlisted_head AS
SELECT n.case_id, n.programme, n.month, n.head AS id_no FROM (
  SELECT DISTINCT c.case_id, c.programme, c.month, c.batch_id, c.case_no, r.head_id_no AS head FROM roll r JOIN cases c USING (batch_id, case_no)
  WHERE r.head_id_no <> '' AND r.head_id_no <> c.lead_id AND r.head_id_no <> r.id_no) n
WHERE NOT EXISTS (SELECT 1 FROM roll h WHERE h.batch_id = n.batch_id AND h.case_no = n.case_no AND h.id_no = n.head)
"""
# Three of four people stand in one line a month: what only concerns people of several lines need not look at them.
_MANY = """
CREATE TABLE many AS
SELECT id_no, month FROM (SELECT id_no, month FROM roll UNION ALL SELECT id_no, month FROM unlisted_head) x
GROUP BY id_no, month HAVING count(*) > 1
"""
_HOLDING = f"""
CREATE TABLE holding AS
SELECT r.row_id, c.case_id, r.programme, r.month, r.id_no, r.name, r.town, r.village, r.lead,
  CAST(floor((2 * c.amount_fen + c.persons) / (2 * c.persons)) AS BIGINT) AS share_fen, c.amount_fen AS case_fen, c.persons, c.listed,
  m.id_no IS NOT NULL AS often, c.category, r.care_mode, r.self_care, r.work_ability, r.cause, r.claimed_status, r.stage, r.grade, r.event_date,
  r.disability_no, r.disability_kind, r.disability_grade, r.account_no, r.payee_name, r.payee_id_no, r.phone,
  {PERSON.format(r="r", last="s.last_number")}
FROM roll r JOIN cases c USING (batch_id, case_no) JOIN span s ON s.month = r.month
LEFT JOIN described d ON d.id_no = r.id_no AND d.month = r.month LEFT JOIN many m ON m.id_no = r.id_no AND m.month = r.month
"""

# Only who stands in several lines can stand in one case twice.
_HOUSEHOLD = """
CREATE TABLE household AS
SELECT case_id, programme, month, id_no, often FROM holding WHERE listed = 1 OR NOT often
UNION ALL
SELECT DISTINCT case_id, programme, month, id_no, TRUE FROM holding WHERE listed > 1 AND often
UNION ALL
SELECT case_id, programme, month, id_no, TRUE FROM unlisted_head
"""

# The earliest day any list gives (cremated in September: dead by then); the name as the death list has it.
_DEATH = f"""
CREATE TABLE death AS
SELECT id_no, min({death_day()}) AS died, arg_min(name, coalesce({death_day()}, '9999')) AS name,
  arg_min(row_id, coalesce({death_day()}, '9999')) AS row_id,
  coalesce(min({death_day()}) = min(nullif(event_date, '')), FALSE) AS stated
FROM register WHERE register IN {DEATH_REGISTERS} AND {death_stands("status")} GROUP BY id_no
"""

# 风险是否消除: yes, without the day it was; where the list gives the day, the line holds until then.
_RISK_OVER = """r.register = 'poverty_monitoring' AND coalesce(r.valid_to, '') = '' AND
  (coalesce(r.status, '') = '是' OR (coalesce(r.status, '') LIKE '%消除%' AND NOT regexp_matches(r.status, '未|没|不|部分|待')))"""

# Lines of the wanted registers that were not taken back, from which day to which they hold.
_LINES = f"""
CREATE TABLE line AS
SELECT r.row_id, r.register, r.id_no, r.name, r.town, r.village, r.kind, r.grade, r.amount_fen, r.certificate_no, w.whole,
  coalesce(nullif(r.valid_from, ''), CASE WHEN NOT w.ends THEN nullif(r.event_date, '') END, '0000') AS since,
  coalesce(nullif(r.valid_to, ''), CASE WHEN w.ends THEN nullif(r.event_date, '') END, '9999') AS until,
  coalesce(r.valid_from, r.event_date, '') AS newest
FROM register r JOIN wanted w USING (register) WHERE NOT regexp_matches(coalesce(r.status, ''), '{ENDED}') AND NOT ({_RISK_OVER})
"""
_REPEATED = "CREATE TABLE repeated AS SELECT register, id_no FROM line GROUP BY register, id_no HAVING count(*) > 1"
_ENTRY = "CREATE TABLE entry AS SELECT *, CAST('' AS month_text) AS month FROM line LIMIT 0"
_ENTRIES = """
INSERT INTO entry
WITH held AS (SELECT *, CAST('{month}' AS month_text) AS month FROM line WHERE since <= CASE WHEN whole THEN '{first}' ELSE '{last}' END AND until >= '{last}')
SELECT * FROM held l WHERE NOT EXISTS (SELECT 1 FROM repeated s WHERE s.register = l.register AND s.id_no = l.id_no)
UNION ALL
SELECT * FROM (SELECT * FROM held l WHERE EXISTS (SELECT 1 FROM repeated s WHERE s.register = l.register AND s.id_no = l.id_no)) l
QUALIFY row_number() OVER (PARTITION BY register, id_no ORDER BY newest DESC, row_id) = 1
"""

# What registers say of a person in a month; of certificates the month's rolls, where no certificate list was imported.
_DESCRIBED = """
CREATE TABLE described AS
SELECT id_no, month, bool_or(certified) AS certified, min(degree) AS degree, CAST(max(disability) AS disability_text) AS disability,
  bool_or(ill) AS ill, bool_or(enrolled) AS enrolled, CAST(max(house) AS house_text) AS house
FROM (
  SELECT id_no, month, TRUE AS certified, coalesce(grade_of(grade), CAST(certificate_digit(certificate_no, 20) AS INTEGER)) AS degree,
    coalesce(kind_of(kind), kind_of_digit(certificate_digit(certificate_no, 19))) AS disability, FALSE AS ill, FALSE AS enrolled, NULL AS house
  FROM entry WHERE register = 'disability_certificate'
  UNION ALL
  SELECT id_no, month, TRUE, coalesce(grade_of(disability_grade), CAST(certificate_digit(disability_no, 20) AS INTEGER)),
    coalesce(kind_of(disability_kind), kind_of_digit(certificate_digit(disability_no, 19))), FALSE, FALSE, NULL
  FROM roll WHERE (disability_no <> '' OR disability_grade <> '')
    AND NOT EXISTS (SELECT 1 FROM register_coverage WHERE register = 'disability_certificate')
  UNION ALL
  SELECT id_no, month, FALSE, NULL, NULL, register = 'severe_illness', register = 'school_enrolment',
    CASE WHEN register = 'dilapidated_house_survey' THEN nullif(upper(regexp_extract(grade, '[A-Da-d]')), '') END
  FROM entry WHERE register IN ('severe_illness', 'school_enrolment', 'dilapidated_house_survey')) x
GROUP BY id_no, month
"""
_STANDING = f"""
CREATE TABLE standing AS
SELECT r.row_id, CAST('register:' || r.register AS code_text) AS programme, r.month, r.id_no, r.name, r.town, r.village, r.kind, r.grade, r.amount_fen,
  {PERSON.format(r="r", last="s.last_number")}
FROM entry r JOIN span s ON s.month = r.month LEFT JOIN described d ON d.id_no = r.id_no AND d.month = r.month
"""

# The registers that conditions speak of.
DESCRIBING = ("disability_certificate", "severe_illness", "school_enrolment", "dilapidated_house_survey")


def answer_questions(connection: Tables, questions: Sequence[tuple[int, int, str]]) -> None:
    """Where a column asks 是否低保户, yes becomes the status it asks for and no becomes nothing. ``questions``: batch, table, header."""
    if not questions:
        return
    connection.execute("CREATE TABLE question (batch_id BIGINT, table_no BIGINT, header VARCHAR)")
    insert_rows(connection, "question", questions)
    connection.execute(
        "UPDATE roll SET claimed_status = CASE WHEN regexp_matches(claimed_status, '^(是|有|√|✓|Y|y|1|已.*)$')"
        " THEN replace(q.header, '是否', '') WHEN regexp_matches(claimed_status, '^(否|无|不是|没有|×|X|x|N|n|0|/|-)$') THEN NULL ELSE claimed_status END"
        " FROM question q WHERE q.batch_id = roll.batch_id AND q.table_no = roll.table_no AND claimed_status IS NOT NULL"
    )


def build_facts(
    connection: Tables,
    *,
    programmes: Iterable[Programme],
    months: Collection[str],
    contradicting: Collection[str] = (),
    describing: Collection[str] = (),
    ending: Collection[str] = (),
    towns: Collection[str] = (),
) -> None:
    """Makes the tables of this module's docstring.

    An entry of a ``describing`` register holds if valid on the month's last day; one of a ``contradicting`` register (it bars a payment)
    only if valid all month. ``ending``: registers whose event is the end of an entry (注销) rather than its beginning (诊断、鉴定). ``towns``: the workspace's own list.
    """
    connection.execute(_MACROS)
    connection.execute("CREATE TABLE unit (programme VARCHAR, household BOOLEAN)")
    insert_rows(connection, "unit", [(p.code, p.unit == "household") for p in programmes])
    connection.execute("CREATE TABLE span (month month_text, first_day VARCHAR, last_day VARCHAR, last_number INTEGER)")
    insert_rows(
        connection,
        "span",
        [
            (m, first_day(m).isoformat(), last_day(m).isoformat(), int(last_day(m).strftime("%Y%m%d")))
            for m in sorted(months)
        ],
    )
    connection.execute("CREATE TABLE wanted (register VARCHAR, whole BOOLEAN, ends BOOLEAN)")
    described = {*describing, *DESCRIBING}
    insert_rows(
        connection, "wanted", [(r, r not in described, r in ending) for r in sorted({*contradicting, *described})]
    )
    for statement in (_TOWN_WORKBOOKS, _LINES, _REPEATED, _ENTRY):
        connection.execute(statement)
    for m in sorted(months):
        connection.execute(_ENTRIES.format(month=m, first=first_day(m).isoformat(), last=last_day(m).isoformat()))
    for statement in ("DROP TABLE line", _DESCRIBED, _STANDING, "DROP TABLE entry", _CASES):
        connection.execute(statement)
    if connection.execute(_NESTED).fetchall()[0][0]:
        connection.execute(_DROP_REPEATED)
    told = [name for name in ROLL_COLUMNS if name not in KEPT_COLUMNS and name != "head_id_no"]
    _forget(connection, _OF_CASES)
    for statement in (_HEADS, _MANY, _HOLDING):
        connection.execute(statement)
    _forget(connection, [name for name in told if name not in _OF_CASES] + ["head_id_no"])
    for statement in (_HOUSEHOLD, "DROP TABLE unlisted_head", "DROP TABLE many", _DEATH):
        connection.execute(statement)
    connection.execute("CREATE TABLE own_town (town VARCHAR)")
    insert_rows(connection, "own_town", [(t,) for t in sorted(towns)])
    connection.execute(
        "CREATE TABLE known_town AS SELECT DISTINCT month, town FROM cases WHERE town <> '' UNION SELECT month, town FROM span, own_town"
    )


def _forget(connection: Tables, columns: Iterable[str]) -> None:
    """Drops columns of ``roll`` that stand elsewhere by now: what does not fit into memory goes to disk and back."""
    for name in columns:
        connection.execute(f"ALTER TABLE roll DROP COLUMN {name}")


# Whether the rolls of ``programme`` were imported for that town and village: the town's list, the village's, or the whole district's.
COVERED = (
    "EXISTS (SELECT 1 FROM coverage k WHERE k.programme = {programme} AND k.month = {month} AND "
    "(k.area = '' OR k.area = {town} OR k.area = {town} || '/' || {village}))"
)
