"""What registers and other rolls say of persons beyond ``facts.py``, a small table each, made only when a rule asks for its words.

All hold at most one row a person and month (``kin`` one a roll row). A table about a register carries its line: ``line`` (row_id),
``line_name``, and what the rule's words mean. Months are counted from the month of the event: 0 in that month, 1 in the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiuzhu_cli.ledger.circumstances import LAPSED, LEFT_SCHOOL_SQL, MOVED_AWAY, months_of
from jiuzhu_cli.policy.expression import Ratio, fen

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables

# Who stands in one case of several people has all its others; only who stands in more of them must be counted person by person.
_MATES = """
CREATE TABLE mates AS
WITH sized AS (SELECT case_id, count(*) AS people FROM household GROUP BY case_id HAVING count(*) > 1),
own AS (SELECT h.id_no, h.month, h.case_id, s.people FROM household h JOIN sized s USING (case_id)),
person AS (SELECT id_no, month, count(*) AS cases, max(people) AS people FROM own GROUP BY id_no, month)
SELECT id_no, month, people - 1 AS others FROM person WHERE cases = 1
UNION ALL
SELECT o.id_no, o.month, count(DISTINCT m.id_no) - 1 FROM person p JOIN own o USING (id_no, month) JOIN household m ON m.case_id = o.case_id
WHERE p.cases > 1 GROUP BY o.id_no, o.month
"""

# Cases with a person whom the list names, as a relative or as staff. What the roll itself says of the filing comes first.
_KIN = """
CREATE TABLE kin AS
WITH named AS (
  SELECT row_id, related_id_no AS id_no, id_no AS staff_id, name AS staff, coalesce(relation, '') AS relation, status, event_date FROM register
  WHERE register = 'staff_and_cadres' AND coalesce(related_id_no, '') <> '' AND related_id_no <> id_no
  UNION ALL
  SELECT row_id, id_no, id_no, name, '本人', status, event_date FROM register WHERE register = 'staff_and_cadres'),
said AS (
  SELECT batch_id, case_no, max(CASE WHEN kin_filed IN ('是', '否') THEN kin_filed END) AS filed, max(CASE WHEN lead = 1 THEN row_id END) AS lead_row
  FROM roll GROUP BY batch_id, case_no),
met AS (
  SELECT s.lead_row, s.filed, n.*, r.name AS member, row_number() OVER (PARTITION BY s.lead_row ORDER BY r.lead DESC, n.relation = '本人', n.row_id) AS nth
  FROM named n JOIN roll r ON r.id_no = n.id_no JOIN said s ON s.batch_id = r.batch_id AND s.case_no = r.case_no)
SELECT lead_row, row_id AS line, staff_id AS line_id, staff AS line_name, member, relation,
  coalesce(filed, CASE WHEN coalesce(status, '') LIKE '%未%' OR coalesce(status, '') IN ('否', '无') THEN '否'
    WHEN coalesce(status, '') <> '' OR coalesce(event_date, '') <> '' THEN '是' ELSE '否' END) AS filed
FROM met WHERE nth = 1
"""

_HELPED = "CREATE TABLE helped AS SELECT DISTINCT id_no, month FROM holding"
_WATCHED = "CREATE TABLE watched AS SELECT id_no, month FROM standing WHERE programme = 'register:poverty_monitoring'"

_DIAGNOSED = f"""
CREATE TABLE diagnosed AS
SELECT r.id_no, m.month, {months_of("m.month")} - {months_of("max(coalesce(nullif(r.event_date, ''), r.valid_from))")} AS months
FROM register r CROSS JOIN span m
WHERE r.register = 'severe_illness' AND coalesce(nullif(r.event_date, ''), nullif(r.valid_from, '')) <= m.last_day
GROUP BY r.id_no, m.month
"""
# What a list does not write for one household although it has the column counts as nothing there.
_FIGURES = """
CREATE TABLE figures AS
WITH has AS (SELECT batch_id, max(coalesce(addon_fen, 0)) > 0 AS addon, max(coalesce(care_fen, 0)) > 0 AS care FROM roll GROUP BY batch_id)
SELECT c.case_id, max(CASE WHEN h.addon THEN coalesce(r.addon_fen, 0) END) AS addon_fen,
  max(CASE WHEN h.care THEN coalesce(r.care_fen, 0) END) AS care_fen
FROM roll r JOIN has h USING (batch_id) JOIN cases c USING (batch_id, case_no) WHERE h.addon OR h.care GROUP BY c.case_id
"""

# Anybody of the household, on a roll of the months before or of the run up to that month.
_AIDED = f"""
CREATE TABLE aided AS
WITH given AS (
  SELECT id_no, month FROM before WHERE programme = 'temporary_assistance'
  UNION ALL SELECT id_no, month FROM holding WHERE programme = 'temporary_assistance')
SELECT DISTINCT own.id_no, own.month FROM given g JOIN household mate ON mate.id_no = g.id_no JOIN household own ON own.case_id = mate.case_id
WHERE g.month <= own.month AND {months_of("own.month")} - {months_of("g.month")} < 12
"""
# Children whose registration book names people of their parents' age, all of whom are gone.
_ORPHANED = """
CREATE TABLE orphaned AS
WITH book AS (
  SELECT DISTINCT certificate_no AS book, id_no, CAST(substr(id_no, 7, 4) AS INTEGER) AS born FROM register
  WHERE register = 'household_registration' AND certificate_no <> '' AND length(id_no) = 18),
gone AS (
  SELECT d.id_no, m.month FROM death d CROSS JOIN span m WHERE coalesce(d.died, '') <= m.last_day
  UNION SELECT id_no, month FROM standing WHERE programme IN ('register:imprisonment', 'register:compulsory_rehab', 'register:missing_declared'))
SELECT c.id_no, m.month FROM book c JOIN book p ON p.book = c.book AND c.born - p.born BETWEEN 16 AND 45 CROSS JOIN span m
LEFT JOIN gone g ON g.id_no = p.id_no AND g.month = m.month
WHERE CAST(substr(m.month, 1, 4) AS INTEGER) - c.born <= 18
GROUP BY c.id_no, m.month HAVING count(*) = count(g.id_no)
"""


@dataclass(frozen=True, slots=True)
class Circumstance:
    """``table`` with its ``create`` statement, how side a's row finds its row in it; ``register``: whose line its rows carry."""

    table: str
    create: str
    join: str = "{table}.id_no = a.id_no AND {table}.month = a.month"
    register: str = ""

    @property
    def joined(self) -> str:
        return f"LEFT JOIN {self.table} ON {self.join.format(table=self.table)}"


ALL = (
    Circumstance("lapsed", LAPSED, register="disability_certificate"),
    Circumstance("moved", MOVED_AWAY, register="household_registration"),
    Circumstance("left_school", LEFT_SCHOOL_SQL, register="school_enrolment"),
    Circumstance("mates", _MATES),
    Circumstance("kin", _KIN, "{table}.lead_row = a.row_id", register="staff_and_cadres"),
    Circumstance("helped", _HELPED),
    Circumstance("watched", _WATCHED),
    Circumstance("diagnosed", _DIAGNOSED),
    Circumstance("aided", _AIDED),
    Circumstance("orphaned", _ORPHANED),
    Circumstance("figures", _FIGURES, "{table}.case_id = a.case_id"),
)

# the registers that these tables are made of
REGISTERS = frozenset(one.register for one in ALL if one.register) | {"severe_illness", "poverty_monitoring"}

COLUMNS: dict[str, str | Ratio] = {
    "月初年龄": "CASE WHEN length(a.id_no) = 18 THEN (CAST(replace(a.month, '-', '') AS INTEGER) * 100 - TRY_CAST(substr(a.id_no, 7, 8) AS INTEGER)) // 10000 END",
    "名册残疾等级": "grade_of(a.disability_grade)",
    "证号残疾等级": "CAST(certificate_digit(a.disability_no, 20) AS INTEGER)",
    "名册残疾类别": "kind_of(a.disability_kind)",
    "残疾证失效月数": "lapsed.months",
    "残疾证失效日期": "nullif(lapsed.ended, '0000')",
    "换证间隔月数": "lapsed.renewal",
    "户籍变动": "moved.how",
    "户籍变动月数": "moved.months",
    "户籍变动日期": "nullif(moved.ended, '')",
    "学籍名单已导入": "EXISTS (SELECT 1 FROM register_coverage k WHERE k.register = 'school_enrolment')",
    "学籍结束月数": "left_school.months",
    "学籍结束日期": "nullif(left_school.ended, '0000')",
    "同户他人": "coalesce(mates.others, 0)",
    "干部近亲属": "kin.line IS NOT NULL",
    "近亲属是否备案": "kin.filed",
    "干部姓名": "kin.line_name",
    "与干部关系": "kin.relation",
    "亲属姓名": "kin.member",
    "有救助": "helped.id_no IS NOT NULL",
    "监测对象": "watched.id_no IS NOT NULL",
    "名单金额": fen("a.listed_fen"),
    "一年内临时救助": "aided.id_no IS NOT NULL",
    "父母缺失": "orphaned.id_no IS NOT NULL",
    "确诊月数": "diagnosed.months",
    "分类施保金": fen("figures.addon_fen"),
    "照料护理金": fen("figures.care_fen"),
}


def tables_of(words: Iterable[str]) -> list[Circumstance]:
    """The tables that these words need, in a fixed order."""
    used = {word: COLUMNS[word] for word in words if word in COLUMNS}
    texts = [column if isinstance(column, str) else f"{column.over} {column.under}" for column in used.values()]
    return [one for one in ALL if any(f"{one.table}." in text for text in texts)]


def make_tables(connection: Tables, wanted: Iterable[Circumstance]) -> None:
    """Makes those of the tables that are not there yet."""
    for one in dict.fromkeys(wanted):
        connection.execute(one.create.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
