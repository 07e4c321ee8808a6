"""Accounts that changed just before a payment, many of them in one import, and accounts in a name that is nobody's of the household.

A change is seen against the person's own account on the latest roll before (within a set number of months), else against where their
last payment went. Never more than candidates: a bank that merges, a lost card, a child who collects the money are all in order.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.core.names import same_name
from jiuzhu_cli.core.period import add_months, last_day
from jiuzhu_cli.dedupe.accounts import HOMES
from jiuzhu_cli.dedupe.hits import insert_rows

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.policy.load import Policy

BACK, MANY, SHARE = "账户变更回看月数", "账户集中变更人数", "账户集中变更比例"
_WHOLE = 50  # percent: from here on the list's accounts were changed as a whole (another bank): said once

# People with more than one account in a programme, then month by month. A payment tells only where no earlier roll does.
_CHANGED = """
CREATE TABLE account_seen AS
WITH seen AS (
  SELECT programme, id_no, month, account_no, row_id, 1 AS roll FROM holding WHERE lead = 1 AND account_no <> ''
  UNION ALL SELECT programme, id_no, month, account_no, row_id, 1 FROM before WHERE account_no <> ''
  UNION ALL SELECT programme, id_no, month, account_no, NULL, 0 FROM paid_before WHERE account_no <> ''),
moved AS (SELECT programme, id_no FROM seen GROUP BY programme, id_no HAVING min(account_no) <> max(account_no))
SELECT programme, id_no, month, max(roll) AS roll, max(CASE WHEN roll = 1 THEN row_id END) AS row_id,
  coalesce(max(CASE WHEN roll = 1 THEN account_no END), max(account_no)) AS account_no,
  coalesce(count(DISTINCT CASE WHEN roll = 1 THEN account_no END), 0) AS accounts
FROM seen JOIN moved USING (programme, id_no) GROUP BY programme, id_no, month;
CREATE TABLE account_change AS
WITH step AS (
  SELECT *, lag(account_no) OVER one AS old, lag(row_id) OVER one AS old_row, lag(month) OVER one AS old_month, lag(roll) OVER one AS old_roll
  FROM account_seen WHERE accounts <= 1 WINDOW one AS (PARTITION BY programme, id_no ORDER BY month))
SELECT s.*, r.batch_id FROM step s JOIN back b ON b.month = s.month JOIN (SELECT row_id, batch_id FROM roll) r ON r.row_id = s.row_id
WHERE s.roll = 1 AND s.old <> s.account_no AND s.old_month >= b.since;
"""

# How many of an import's people changed, of how many that have an account to compare with.
_TOGETHER = """
CREATE TABLE together AS
WITH changes AS (SELECT batch_id, month, count(*) AS changed FROM account_change GROUP BY batch_id, month),
compared AS (
  SELECT r.batch_id, count(*) AS people FROM roll r JOIN changes c USING (batch_id) WHERE r.lead = 1 AND r.account_no <> '' GROUP BY r.batch_id)
SELECT c.batch_id, c.changed, p.people, i.actor, i.file_name FROM changes c JOIN compared p USING (batch_id) JOIN back b USING (month)
LEFT JOIN imported i USING (batch_id)
WHERE c.changed >= b.many AND c.changed * 100 >= p.people * b.share
"""
_HITS = """
INSERT INTO hit
SELECT concat_ws('|', 'account', 'changed', c.programme, c.id_no, c.account_no), 'account',
  CASE WHEN t.batch_id IS NULL THEN 'account_changed' ELSE 'accounts_changed_together' END, 'account', 'candidate', c.month, c.row_id, c.old_row,
  h.id_no, h.name, h.programme, h.town, '', '', '', '', coalesce(h.case_fen, 0), coalesce(h.case_fen, 0), 0,
  concat_ws('|', '新账号=' || c.account_no, '原账号=' || c.old, '原月份=' || c.old_month, '原处=' || CASE WHEN c.old_roll = 1 THEN '名册' ELSE '发放' END,
    '人数=' || CAST(t.changed AS VARCHAR), '可比人数=' || CAST(t.people AS VARCHAR), '经办=' || t.actor, '文件=' || t.file_name)
FROM account_change c JOIN holding h ON h.row_id = c.row_id LEFT JOIN together t ON t.batch_id = c.batch_id
QUALIFY coalesce(t.changed * 100 < t.people * {whole}, TRUE) OR row_number() OVER (PARTITION BY c.batch_id ORDER BY h.id_no) = 1
"""

# The account's name is neither the person's nor an institution's. Children and people in centralised care have theirs collected for them.
# Where no list of households of that town was imported nothing can show who belongs to whom.
_STRANGE = f"""
CREATE TABLE strange AS
SELECT h.row_id, h.case_id, h.month, h.id_no, h.name, h.payee_name, coalesce(h.payee_id_no, '') AS payee_id_no
FROM holding h
WHERE h.lead = 1 AND h.account_no <> '' AND coalesce(h.payee_name, '') NOT IN ('', '本人', '户主', '同上') AND h.payee_name <> h.name
  AND coalesce(h.payee_id_no, '') <> h.id_no AND coalesce(h.care_mode, '') <> '集中' AND coalesce(h.age, 18) >= 18
  AND NOT regexp_matches(h.payee_name, '{HOMES}|公司|中心|村|委员会|合作社|政府|民政|学校|银行')
  AND (h.month || h.town IN (SELECT month || split_part(area, '/', 1) FROM coverage WHERE programme IN ({{households}}))
    OR h.month IN (SELECT month FROM coverage WHERE area = '' AND programme IN ({{households}})))
"""
# Everybody who shares a case with the person in any month, the head that a case names, and whom registers put beside them.
_NEAR = """
CREATE TABLE near AS
WITH who AS (SELECT DISTINCT id_no FROM strange),
mates AS (
  SELECT DISTINCT own.id_no, mate.id_no AS other FROM household own JOIN who USING (id_no) JOIN household mate ON mate.case_id = own.case_id),
beside AS (
  SELECT r.id_no, r.related_id_no AS other, r.related_name AS name FROM register r JOIN who USING (id_no)
    WHERE r.related_id_no <> '' OR r.related_name <> ''
  UNION SELECT r.related_id_no, r.id_no, r.name FROM register r JOIN who w ON w.id_no = r.related_id_no
  UNION SELECT r.id_no, o.id_no, o.name FROM register r JOIN who w ON w.id_no = r.id_no
    JOIN register o ON o.register = r.register AND o.certificate_no = r.certificate_no
    WHERE r.register = 'household_registration' AND r.certificate_no <> '')
SELECT m.id_no, m.other, h.name FROM mates m JOIN (SELECT DISTINCT id_no, name FROM holding) h ON h.id_no = m.other
UNION SELECT id_no, other, '' FROM mates UNION SELECT id_no, coalesce(other, ''), coalesce(name, '') FROM beside
"""
_UNRELATED = """
SELECT row_id, name, payee_name FROM strange s WHERE NOT EXISTS (
  SELECT 1 FROM near n WHERE n.id_no = s.id_no AND ((n.other <> '' AND n.other = s.payee_id_no) OR (n.name <> '' AND n.name = s.payee_name)))
"""
_PAYEES = """
INSERT INTO hit
SELECT concat_ws('|', 'account', 'payee', h.programme, h.id_no, h.account_no), 'account', 'payee_unknown', 'account', 'candidate', h.month, h.row_id, NULL,
  h.id_no, h.name, h.programme, h.town, '', '', '', '', coalesce(h.case_fen, 0), coalesce(h.case_fen, 0), 0,
  concat_ws('|', '账号=' || h.account_no, '户名=' || h.payee_name)
FROM holding h JOIN strange_row s ON s.row_id = h.row_id
QUALIFY row_number() OVER (PARTITION BY h.programme, h.id_no, h.account_no, h.month ORDER BY h.row_id) = 1
"""


def find_payees(connection: Tables, policy: Policy, months: Collection[str]) -> None:
    """Adds changed accounts and accounts in strangers' names to ``hit``; ``fact`` is ``word=value|…``."""
    connection.execute("CREATE TABLE back (month VARCHAR, since VARCHAR, many INTEGER, share DOUBLE)")
    rows: list[tuple[object, ...]] = []
    for month in sorted(months):
        span, many, share = (number(policy, name, month) for name in (BACK, MANY, SHARE))
        if span is not None:
            rows.append((month, add_months(month, -int(span)), many if many is not None else 1 << 30, share or 0))
    if rows:
        insert_rows(connection, "back", rows)
        connection.execute(_CHANGED)
        connection.execute(_TOGETHER)
        connection.execute(_HITS.format(whole=_WHOLE))
    households = ", ".join(f"'{code}'" for code in divided_programmes(policy)) or "NULL"
    connection.execute(_STRANGE.replace("{households}", households))
    connection.execute(_NEAR)
    odd = [row for row, name, payee in connection.execute(_UNRELATED).fetchall() if not same_name(name, payee)]
    connection.execute("CREATE TABLE strange_row (row_id BIGINT)")
    insert_rows(connection, "strange_row", [(row,) for row in odd])
    connection.execute(_PAYEES)


def divided_programmes(policy: Policy) -> list[str]:
    """Programmes that a household has as a whole month by month: their lists show who belongs to whom."""
    return [
        one.code
        for one in policy.programmes.values()
        if one.unit == "household" and one.benefit in ("top_up", "graded", "status")
    ]


def number(policy: Policy, name: str, month: str) -> float | None:
    """A parameter that is a number, on the month's last day; None where there is none."""
    found = policy.parameter_or_none(name, last_day(month))
    return float(found.value) if found is not None and not isinstance(found.value, str | bool) else None
