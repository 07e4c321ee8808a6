"""What the checks look at, as DuckDB tables made from a snapshot: who holds what in which month, cases, households, events.

Tables made by ``build_facts`` (amounts 分, months 'YYYY-MM', dates 'YYYY-MM-DD'):

- ``cases``: ``case_id, programme, month, area, town, lead_id, amount_fen, listed, persons``
- ``holding``: one row a person on a roll: ``row_id, case_id, programme, month, id_no, name, town, village, lead, share_fen,
  case_fen, persons`` and the columns that conditions name
- ``household``: ``case_id, programme, month, id_no``: persons of a case, the head it names included
- ``death``: ``id_no, died, name, row_id, stated`` (``died`` NULL when the list gives no day; ``stated``: the day of death, not of what followed)
- ``standing``: register entries that hold all through a month, shaped like ``holding`` with programme ``register:CODE``
- ``person``: ``id_no, month`` and what conditions say of a person (age, certificate …)
- ``known_town``: ``month, town``: towns that rolls or the workspace name
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day, last_day
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, REGISTER_COLUMNS, death_day, death_stands

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.model import Programme

ROLL_COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name head_id_no town village category covered_persons amount_fen "
    "payee_name payee_id_no account_no care_mode self_care work_ability disability_no disability_kind disability_grade cause "
    "claimed_status stage grade event_date kin_filed addon_fen care_fen"
).split()
LINE_COLUMNS = [name for name in REGISTER_COLUMNS if name not in ("extra", "area_code")]

ENDED = "注销|过期|失效|作废|冻结|停用|停发|迁出|撤销|终止|^毕业|已毕业|结业|肄业|退学|离校|开除"

_MACROS = """
CREATE MACRO grade_of(t) AS CASE
  WHEN regexp_matches(t, '[一壹1１Ⅰ]') THEN 1 WHEN regexp_matches(t, '[二贰2２Ⅱ]') THEN 2
  WHEN regexp_matches(t, '[三叁3３Ⅲ]') THEN 3 WHEN regexp_matches(t, '[四肆4４Ⅳ]') THEN 4 END;
CREATE MACRO kind_of(t) AS nullif(regexp_extract(t, '多重|视力|听力|言语|肢体|智力|精神'), '');
CREATE MACRO kind_of_digit(d) AS CASE d WHEN '1' THEN '视力' WHEN '2' THEN '听力' WHEN '3' THEN '言语' WHEN '4' THEN '肢体'
  WHEN '5' THEN '智力' WHEN '6' THEN '精神' WHEN '7' THEN '多重' END;
CREATE MACRO certificate_digit(t, n) AS CASE WHEN regexp_matches(t, '^[0-9]{17}[0-9X][1-7][1-4]') THEN substr(t, n, 1) END;
"""

_CASES = """
CREATE TABLE cases AS
SELECT row_number() OVER (ORDER BY batch_id, case_no) AS case_id, * FROM (
  SELECT r.batch_id, r.case_no, any_value(programme) AS programme, any_value(month) AS month, any_value(area) AS area,
    arg_max(town, r.lead) AS town, arg_max(id_no, r.lead) AS lead_id, arg_max(category, r.lead) AS category,
    max(amount_fen) FILTER (r.lead = 1) AS amount_fen, count(*) AS listed,
    CASE WHEN any_value(u.household) THEN coalesce(nullif(max(covered_persons), 0), count(*)) ELSE count(*) END AS persons
  FROM roll r LEFT JOIN unit u USING (programme) GROUP BY r.batch_id, r.case_no)
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

_HOLDING = """
CREATE TABLE holding AS
SELECT r.row_id, c.case_id, r.programme, r.month, r.id_no, r.name, r.town, r.village, r.lead,
  CAST(floor((2 * c.amount_fen + c.persons) / (2 * c.persons)) AS BIGINT) AS share_fen, c.amount_fen AS case_fen, c.persons,
  c.category, r.care_mode, r.self_care, r.work_ability, r.cause, r.claimed_status, r.stage, r.grade, r.event_date,
  r.disability_no, r.disability_kind, r.disability_grade, r.account_no, r.payee_name, r.payee_id_no
FROM roll r JOIN cases c USING (batch_id, case_no)
"""

_HOUSEHOLD = """
CREATE TABLE household AS
SELECT DISTINCT case_id, c.programme, c.month, id_no FROM (
  SELECT batch_id, case_no, id_no FROM roll UNION ALL
  SELECT batch_id, case_no, head_id_no FROM roll WHERE head_id_no IS NOT NULL AND head_id_no <> '') JOIN cases c USING (batch_id, case_no)
"""

# The earliest day any list gives (cremated in September: dead by then); the name as the death list has it.
_DEATH = f"""
CREATE TABLE death AS
SELECT id_no, min({death_day()}) AS died, arg_min(name, coalesce({death_day()}, '9999')) AS name,
  arg_min(row_id, coalesce({death_day()}, '9999')) AS row_id,
  coalesce(min({death_day()}) = min(nullif(event_date, '')), FALSE) AS stated
FROM register WHERE register IN {DEATH_REGISTERS} AND {death_stands("status")} GROUP BY id_no
"""

_STANDING = f"""
CREATE TABLE standing AS
SELECT r.row_id, 'register:' || r.register AS programme, m.month, r.id_no, r.name, r.town, r.village, r.kind, r.grade, r.amount_fen
FROM register r JOIN wanted w USING (register)
JOIN span m ON coalesce(nullif(r.valid_from, ''), CASE WHEN NOT w.ends THEN nullif(r.event_date, '') END, '0000')
    <= CASE WHEN w.whole THEN m.first_day ELSE m.last_day END
  AND coalesce(nullif(r.valid_to, ''), CASE WHEN w.ends THEN nullif(r.event_date, '') END, '9999') >= m.last_day
WHERE NOT regexp_matches(coalesce(r.status, ''), '{ENDED}')
QUALIFY row_number() OVER (PARTITION BY r.register, m.month, r.id_no ORDER BY coalesce(r.valid_from, r.event_date, '') DESC, r.row_id) = 1
"""

_PERSON = """
CREATE TABLE person AS
WITH who AS (SELECT id_no, month FROM holding UNION SELECT id_no, month FROM standing),
certificate AS (
  SELECT id_no, month, coalesce(grade_of(grade), CAST(certificate_digit(certificate_no, 20) AS INTEGER)) AS grade,
    coalesce(kind_of(kind), kind_of_digit(certificate_digit(certificate_no, 19))) AS kind
  FROM standing JOIN (SELECT row_id, certificate_no FROM register) USING (row_id) WHERE programme = 'register:disability_certificate'),
stated AS (  -- only where no certificate list was imported: what the month's rolls say of it
  SELECT id_no, month, min(coalesce(grade_of(disability_grade), CAST(certificate_digit(disability_no, 20) AS INTEGER))) AS grade,
    max(coalesce(kind_of(disability_kind), kind_of_digit(certificate_digit(disability_no, 19)))) AS kind
  FROM holding WHERE (disability_no <> '' OR disability_grade <> '')
    AND NOT EXISTS (SELECT 1 FROM register_coverage WHERE register = 'disability_certificate') GROUP BY ALL)
SELECT w.id_no, w.month,
  CASE WHEN length(w.id_no) = 18 THEN (s.last_number - TRY_CAST(substr(w.id_no, 7, 8) AS INTEGER)) // 10000 END AS age,
  CASE WHEN length(w.id_no) = 18 THEN CASE WHEN TRY_CAST(substr(w.id_no, 17, 1) AS INTEGER) % 2 = 1 THEN '男' ELSE '女' END END AS sex,
  coalesce(c.id_no, t.id_no) IS NOT NULL AS certified, coalesce(c.grade, t.grade) AS degree, coalesce(c.kind, t.kind) AS disability,
  i.id_no IS NOT NULL AS ill, e.id_no IS NOT NULL AS enrolled, h.grade AS house
FROM who w JOIN span s USING (month)
LEFT JOIN certificate c USING (id_no, month) LEFT JOIN stated t USING (id_no, month)
LEFT JOIN (SELECT id_no, month FROM standing WHERE programme = 'register:severe_illness') i USING (id_no, month)
LEFT JOIN (SELECT id_no, month FROM standing WHERE programme = 'register:school_enrolment') e USING (id_no, month)
LEFT JOIN (SELECT id_no, month, upper(regexp_extract(grade, '[A-Da-d]')) AS grade FROM standing
           WHERE programme = 'register:dilapidated_house_survey') h USING (id_no, month)
"""

# The registers that conditions speak of.
DESCRIBING = ("disability_certificate", "severe_illness", "school_enrolment", "dilapidated_house_survey")


def answer_questions(connection: duckdb.DuckDBPyConnection, questions: Sequence[tuple[int, int, str]]) -> None:
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
    connection: duckdb.DuckDBPyConnection,
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
    connection.execute("CREATE TABLE span (month VARCHAR, first_day VARCHAR, last_day VARCHAR, last_number INTEGER)")
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
    connection.execute(_CASES)
    if connection.execute(_NESTED).fetchall()[0][0]:
        connection.execute(_DROP_REPEATED)
    for statement in (_TOWN_WORKBOOKS, _HOLDING, _HOUSEHOLD, _DEATH, _STANDING, _PERSON):
        connection.execute(statement)
    connection.execute("CREATE TABLE own_town (town VARCHAR)")
    insert_rows(connection, "own_town", [(t,) for t in sorted(towns)])
    connection.execute(
        "CREATE TABLE known_town AS SELECT DISTINCT month, town FROM cases WHERE town <> '' UNION SELECT month, town FROM span, own_town"
    )


# Whether the rolls of ``programme`` were imported for that town and village: the town's list, the village's, or the whole district's.
COVERED = (
    "EXISTS (SELECT 1 FROM coverage k WHERE k.programme = {programme} AND k.month = {month} AND "
    "(k.area = '' OR k.area = {town} OR k.area = {town} || '/' || {village}))"
)
