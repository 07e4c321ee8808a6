"""What registers say of a person in a month, told alike wherever it is asked: SQL over ``register``, ``span (month, first_day, last_day)`` and
``death (id_no)``. Each table has at most one row a person and month, with the register's line (``line`` row_id, ``line_name``). Months are
counted from the month of the event: 0 in that month, 1 in the next.
"""

from __future__ import annotations

# words of a line's 状态 that end it
ENDED = "注销|过期|失效|作废|冻结|停用|停发|迁出|撤销|终止|死亡|去世|^毕业|已毕业|结业|肄业|退学|离校|开除"
MOVED = "迁出|注销|出国|定居|移居|死亡|去世"
LEFT_SCHOOL = "毕业|结业|肄业|退学|离校|开除"
UNKNOWN_MONTHS = 99  # ended, on a day that the list does not tell


def months_of(text: str) -> str:
    """SQL: the number of a month, counted through the years."""
    return f"(TRY_CAST(substr({text}, 1, 4) AS INTEGER) * 12 + TRY_CAST(substr({text}, 6, 2) AS INTEGER))"


def months_since(month: str, day: str) -> str:
    return f"CASE WHEN {day} < '1900' THEN {UNKNOWN_MONTHS} ELSE {months_of(month)} - {months_of(day)} END"


def at_school(last: str) -> str:
    """SQL: a line of the school register says that the person is at school beyond the day ``last``: who has left stays on the list."""
    return (
        f"register = 'school_enrolment' AND coalesce(valid_from, '') <= {last} AND coalesce(nullif(valid_to, ''), '9999') > {last}"
        f" AND (coalesce(status, '') LIKE '%未毕业%' OR NOT regexp_matches(coalesce(status, ''), '{LEFT_SCHOOL}|{ENDED}'))"
    )


# Whose certificates had all ended before the month began. A line that is cancelled without a day ended some time ago; one that only
# begins later says when the certificate is renewed.
LAPSED = f"""
CREATE TABLE lapsed AS
WITH line AS (
  SELECT row_id, id_no, name, coalesce(nullif(valid_from, ''), '0000') AS since,
    CASE WHEN regexp_matches(coalesce(status, ''), '{ENDED}') THEN coalesce(nullif(event_date, ''), '')
      ELSE least(coalesce(nullif(valid_to, ''), '9999'), coalesce(nullif(event_date, ''), '9999')) END AS until,
    coalesce(nullif(valid_to, ''), '0000') AS printed
  FROM register WHERE register = 'disability_certificate'),
monthly AS (
  SELECT l.row_id, l.id_no, l.name, m.month, m.first_day,
    CASE WHEN l.since > m.last_day THEN NULL WHEN l.until <> '' THEN l.until WHEN l.printed < m.first_day THEN l.printed ELSE '0000' END AS until,
    CASE WHEN l.since > m.last_day THEN l.since END AS renewed
  FROM line l CROSS JOIN span m)
SELECT id_no, month, arg_max(row_id, until) AS line, arg_max(name, until) AS line_name, max(until) AS ended,
  {months_since("month", "max(until)")} AS months, {months_of("min(renewed)")} - {months_of("month")} AS renewal
FROM monthly GROUP BY id_no, month HAVING max(until) < min(first_day)
"""

# Who is no longer registered here: every line of theirs says so, and no death list does.
MOVED_AWAY = f"""
CREATE TABLE moved AS
WITH line AS (
  SELECT row_id, id_no, name, coalesce(nullif(event_date, ''), '') AS day,
    CASE WHEN regexp_matches(coalesce(status, ''), '出国|定居|移居') THEN '出国定居' WHEN status LIKE '%迁出%' THEN '迁出'
      WHEN regexp_matches(coalesce(status, ''), '{MOVED}') THEN '注销' WHEN coalesce(status, '') = '' AND event_date <> '' THEN '未注明' END AS how
  FROM register WHERE register = 'household_registration')
SELECT l.id_no, m.month, arg_max(l.row_id, l.day) AS line, arg_max(l.name, l.day) AS line_name, arg_max(l.how, l.day) AS how,
  max(l.day) AS ended, {months_since("m.month", "CASE WHEN max(l.day) = '' THEN '0000' ELSE max(l.day) END")} AS months
FROM line l CROSS JOIN span m
WHERE NOT EXISTS (SELECT 1 FROM line s WHERE s.id_no = l.id_no AND s.how IS NULL)
  AND NOT EXISTS (SELECT 1 FROM death d WHERE d.id_no = l.id_no)
GROUP BY l.id_no, m.month HAVING max(l.day) <= max(m.last_day)
"""

# Who was at school and is no more: every line has ended by the month's last day.
LEFT_SCHOOL_SQL = f"""
CREATE TABLE left_school AS
WITH line AS (
  SELECT row_id, id_no, name, coalesce(nullif(valid_from, ''), '0000') AS since,
    CASE WHEN regexp_matches(coalesce(status, ''), '{LEFT_SCHOOL}|{ENDED}') AND coalesce(status, '') NOT LIKE '%未毕业%'
      THEN coalesce(nullif(valid_to, ''), nullif(event_date, ''), '0000') ELSE coalesce(nullif(valid_to, ''), '9999') END AS until
  FROM register WHERE register = 'school_enrolment')
SELECT l.id_no, m.month, arg_max(l.row_id, l.until) AS line, arg_max(l.name, l.until) AS line_name, max(l.until) AS ended,
  {months_since("m.month", "max(l.until)")} AS months
FROM line l CROSS JOIN span m GROUP BY l.id_no, m.month HAVING max(l.until) <= min(m.last_day)
"""
