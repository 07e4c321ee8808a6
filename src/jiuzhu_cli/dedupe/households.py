"""Households that look divided for the sake of the aid (分户、离婚骗保): candidates only, each a hint to go and look.

Divorced or registered apart shortly before the first month on the roll; husband and wife, people of one registration book, or people of
one door in two cases of one programme. People whom any roll lists in one case are one household and left alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.dedupe.payees import divided_programmes, number
from jiuzhu_cli.ledger.circumstances import months_of

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy

SPAN = "分户离婚核查月数"
_DOOR = "[0-9０-９一二三四五六七八九十]+(-[0-9]+)?(号|室|栋|幢|单元)"

# Cases with the month they first stand in: as the roll says, else the first month that shows them although the month before was imported.
_FIRST = """
CREATE TABLE first_seen AS
WITH appeared AS (
  SELECT h.programme, h.id_no, min(h.month) AS month FROM holding h JOIN divided d ON d.programme = h.programme AND d.month = h.month
  WHERE h.lead = 1 AND EXISTS (SELECT 1 FROM before b WHERE b.programme = h.programme AND b.town = h.town)
    AND NOT EXISTS (SELECT 1 FROM before b WHERE b.programme = h.programme AND b.id_no = h.id_no)
  GROUP BY h.programme, h.id_no)
SELECT h.case_id, coalesce(nullif(x.start_month, ''), a.month) AS first, d.span
FROM holding h JOIN divided d ON d.programme = h.programme AND d.month = h.month LEFT JOIN case_home x ON x.row_id = h.row_id
LEFT JOIN appeared a ON a.programme = h.programme AND a.id_no = h.id_no
WHERE h.lead = 1
"""
# What the marriage lists last say of a couple by the month's end.
_COUPLES = """
CREATE TABLE couple AS
SELECT least(r.id_no, r.related_id_no) AS one, greatest(r.id_no, r.related_id_no) AS other, m.month,
  arg_max(coalesce(r.kind, ''), coalesce(r.event_date, '')) AS kind, max(coalesce(r.event_date, '')) AS day, arg_max(r.row_id, coalesce(r.event_date, '')) AS line,
  arg_max(CASE WHEN r.id_no < r.related_id_no THEN r.name ELSE r.related_name END, coalesce(r.event_date, '')) AS name_one,
  arg_max(CASE WHEN r.id_no < r.related_id_no THEN r.related_name ELSE r.name END, coalesce(r.event_date, '')) AS name_other
FROM register r CROSS JOIN span m
WHERE r.register = 'marriage' AND r.related_id_no <> '' AND coalesce(r.event_date, '') <= m.last_day
  AND NOT regexp_matches(coalesce(r.status, ''), '撤销|无效|作废')
GROUP BY 1, 2, 3
"""
_DIVORCED = f"""
INSERT INTO hit
WITH apart AS (
  SELECT one AS id_no, other AS other_id, name_other AS other_name, month, day, line FROM couple WHERE kind LIKE '%离%' AND day <> ''
  UNION ALL SELECT other, one, name_one, month, day, line FROM couple WHERE kind LIKE '%离%' AND day <> '')
SELECT concat_ws('|', 'household', 'divorced', h.programme, least(h.id_no, a.other_id), greatest(h.id_no, a.other_id)), 'household',
  'divorced_before_applying', 'household', 'candidate', h.month, h.row_id, -a.line, h.id_no, h.name, h.programme, h.town,
  a.other_id, coalesce(a.other_name, ''), 'register:marriage', '', coalesce(c.amount_fen, 0), coalesce(h.share_fen, 0), coalesce(c.amount_fen, 0),
  concat_ws('|', '离婚日期=' || a.day, '起始月份=' || f.first)
FROM apart a JOIN holding h ON h.id_no = a.id_no AND h.month = a.month JOIN first_seen f ON f.case_id = h.case_id JOIN cases c ON c.case_id = h.case_id
WHERE {months_of("f.first")} - {months_of("a.day")} BETWEEN 0 AND f.span
QUALIFY row_number() OVER (PARTITION BY h.programme, least(h.id_no, a.other_id), greatest(h.id_no, a.other_id), h.month ORDER BY h.lead DESC, h.row_id) = 1
"""
_SPLIT = f"""
INSERT INTO hit
WITH apart AS (
  SELECT id_no, row_id AS line, name, coalesce(nullif(event_date, ''), valid_from) AS day FROM register
  WHERE register = 'household_registration' AND regexp_matches(concat_ws(' ', status, kind), '分户|立户'))
SELECT concat_ws('|', 'household', 'split', h.programme, h.id_no), 'household', 'split_before_applying', 'household', 'candidate', h.month, h.row_id,
  -a.line, h.id_no, h.name, h.programme, h.town, h.id_no, a.name, 'register:household_registration', '', coalesce(c.amount_fen, 0),
  coalesce(h.share_fen, 0), coalesce(c.amount_fen, 0), concat_ws('|', '分户日期=' || a.day, '起始月份=' || f.first)
FROM apart a JOIN holding h ON h.id_no = a.id_no JOIN first_seen f ON f.case_id = h.case_id JOIN cases c ON c.case_id = h.case_id
WHERE a.day <> '' AND {months_of("f.first")} - {months_of("a.day")} BETWEEN 0 AND f.span
QUALIFY row_number() OVER (PARTITION BY h.programme, h.id_no, h.month ORDER BY a.day DESC, h.row_id) = 1
"""

# Two cases of one programme and month, by what they have in common: 1 husband and wife, 2 a registration book, 3 a door. Where more than
# three share a door it is a house of many.
_MET = f"""
CREATE TABLE meeting AS
WITH listed AS (
  SELECT h.row_id, h.case_id, h.id_no, h.programme, h.month, h.lead FROM holding h JOIN divided d ON d.programme = h.programme AND d.month = h.month),
book AS (
  SELECT l.*, r.certificate_no AS book FROM listed l JOIN (
    SELECT DISTINCT id_no, certificate_no FROM register WHERE register = 'household_registration' AND certificate_no <> ''
      AND NOT regexp_matches(coalesce(status, ''), '迁出|注销|死亡')) r ON r.id_no = l.id_no WHERE l.lead = 1),
door AS (
  SELECT h.row_id, h.case_id, h.id_no, h.programme, h.month, h.town || '/' || h.village || '/' || replace(replace(x.address, ' ', ''), '　', '') AS door
  FROM holding h JOIN case_home x ON x.row_id = h.row_id JOIN divided d ON d.programme = h.programme AND d.month = h.month
  WHERE regexp_matches(x.address, '{_DOOR}')),
found AS (
  SELECT 1 AS why, a.row_id AS row_a, b.row_id AS row_b, a.case_id AS case_a, b.case_id AS case_b, a.month, a.programme, '' AS what
  FROM couple k JOIN listed a ON a.id_no = k.one AND a.month = k.month JOIN listed b ON b.id_no = k.other AND b.month = k.month AND b.programme = a.programme
  WHERE regexp_matches(k.kind, '结婚|复婚|已婚|结|在婚')
  UNION ALL
  SELECT 2, a.row_id, b.row_id, a.case_id, b.case_id, a.month, a.programme, a.book FROM book a JOIN book b USING (programme, month, book) WHERE a.row_id < b.row_id
  UNION ALL
  SELECT 3, a.row_id, b.row_id, a.case_id, b.case_id, a.month, a.programme, '' FROM door a JOIN door b USING (programme, month, door)
  JOIN (SELECT programme, month, door FROM door GROUP BY ALL HAVING count(*) BETWEEN 2 AND 3) USING (programme, month, door) WHERE a.row_id < b.row_id)
SELECT * FROM found WHERE case_a <> case_b
"""
# Left alone: cases with a person in common, or with two persons whom a third case lists together.
_TWO_CASES = """
CREATE TABLE reached AS
WITH own AS (SELECT DISTINCT h.case_id, h.id_no FROM household h WHERE h.case_id IN (SELECT case_a FROM meeting)),
further AS (SELECT DISTINCT o.case_id AS case_a, h.case_id FROM own o JOIN household h USING (id_no))
SELECT DISTINCT f.case_a, h.id_no FROM further f JOIN household h USING (case_id);
CREATE TABLE joined AS
SELECT DISTINCT r.case_a, w.case_id AS case_b FROM household w JOIN reached r USING (id_no) WHERE w.case_id IN (SELECT case_b FROM meeting);
CREATE TABLE two_cases AS
SELECT * FROM meeting f WHERE NOT EXISTS (SELECT 1 FROM joined j WHERE j.case_a = f.case_a AND j.case_b = f.case_b)
QUALIFY row_number() OVER (PARTITION BY least(case_a, case_b), greatest(case_a, case_b) ORDER BY why, row_a, row_b) = 1
"""
_TOGETHER = """
INSERT INTO hit
SELECT concat_ws('|', 'household', 'two_cases', t.programme, least(a.id_no, b.id_no), greatest(a.id_no, b.id_no)), 'household',
  CASE t.why WHEN 1 THEN 'spouses_apart' WHEN 2 THEN 'one_book_two_cases' ELSE 'one_door_two_cases' END, 'household', 'candidate', t.month,
  a.row_id, b.row_id, a.id_no, a.name, a.programme, a.town, b.id_no, b.name, b.programme, b.town,
  coalesce(least(ca.amount_fen, cb.amount_fen), 0), coalesce(ca.amount_fen, 0), coalesce(cb.amount_fen, 0), ''
FROM two_cases t JOIN holding a ON a.row_id = t.row_a JOIN holding b ON b.row_id = t.row_b
JOIN cases ca ON ca.case_id = t.case_a JOIN cases cb ON cb.case_id = t.case_b
"""


def find_households(connection: Tables, policy: Policy, months: Collection[str]) -> None:
    """Adds divided households of the policy's monthly household programmes to ``hit``; ``fact`` is ``word=value|…``."""
    codes = divided_programmes(policy)
    rows = [
        (code, month, int(span)) for month in sorted(months) if (span := number(policy, SPAN, month)) is not None for code in codes
    ]  # fmt: skip
    if not rows:
        return
    connection.execute("CREATE TABLE divided (programme VARCHAR, month VARCHAR, span INTEGER)")
    insert_rows(connection, "divided", rows)
    for statement in (_FIRST, _COUPLES, _DIVORCED, _SPLIT, _MET, _TWO_CASES, _TOGETHER):
        connection.execute(statement)
