"""One account under unrelated people (账户异常): lines of different households paid into the same account in one month.

Legal and left alone: a family on the head's account, a guardian's account for somebody listed in the same household (a minor's money
on the account of an adult whom the roll names as its holder, with no list that ties the two: to be looked at, not held). People are
related when any roll of the period lists them in one case or names the same head, directly or through others; marriage and
household registration lists count too. Money of people in centralised care that goes to their home's account is legal as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables

_ROUNDS = 12  # chains of households longer than this do not occur; each round doubles nothing but follows one more link

KIN_REGISTERS = ("marriage", "household_registration")
HOMES = "福利院|敬老院|养老院|养老中心|护理院|光荣院|供养|福利中心|托养|救助站|医院|颐养"

_SHARED = f"""
CREATE TABLE paid AS
WITH several AS (
  SELECT account_no, month FROM holding WHERE lead = 1 AND account_no <> '' GROUP BY account_no, month HAVING min(id_no) <> max(id_no))
SELECT account_no, h.month, h.id_no, min(h.name) AS name, min(h.row_id) AS row_id, arg_min(h.programme, h.row_id) AS programme,
  arg_min(h.town, h.row_id) AS town, sum(coalesce(case_fen, 0)) AS amount_fen,
  CASE WHEN max(age) < 18 THEN max(coalesce(payee_name, '')) ELSE '' END AS keeper,
  bool_or(coalesce(nullif(payee_id_no, ''), '') = h.id_no OR coalesce(nullif(payee_name, ''), h.name) = h.name) AS own
FROM holding h JOIN several USING (account_no, month) WHERE h.lead = 1
  AND NOT regexp_matches(coalesce(payee_name, ''), '{HOMES}') AND NOT (coalesce(h.care_mode, '') = '集中' AND coalesce(payee_name, '') = '')
GROUP BY ALL;
CREATE TABLE shared AS SELECT * FROM paid JOIN (
  SELECT account_no, month FROM paid GROUP BY ALL HAVING count(*) > 1) USING (account_no, month);
CREATE TABLE link AS
WITH near AS (SELECT DISTINCT h.case_id FROM household h WHERE h.id_no IN (SELECT id_no FROM shared)
              UNION SELECT h2.case_id FROM household h JOIN shared s USING (id_no) JOIN household m ON m.case_id = h.case_id
              JOIN household h2 ON h2.id_no = m.id_no)
SELECT DISTINCT CAST(case_id AS VARCHAR) AS tie, id_no FROM household JOIN near USING (case_id)
UNION SELECT 'r' || row_id, unnest([id_no, related_id_no]) FROM register
  WHERE register IN {KIN_REGISTERS} AND related_id_no <> ''
    AND (id_no IN (SELECT id_no FROM shared) OR related_id_no IN (SELECT id_no FROM shared));
CREATE TABLE family AS SELECT id_no, id_no AS label FROM (SELECT id_no FROM shared UNION SELECT id_no FROM link);
"""

_SPREAD = """
CREATE OR REPLACE TABLE family AS
SELECT f.id_no, least(f.label, coalesce(min(t.label), f.label)) AS label
FROM family f LEFT JOIN link l USING (id_no)
LEFT JOIN (SELECT l.tie, min(f.label) AS label FROM link l JOIN family f USING (id_no) GROUP BY l.tie) t USING (tie)
GROUP BY f.id_no, f.label
"""

# First: somebody whose own account it seems to be, of the largest family; every further person of other families against them.
_HITS = """
INSERT INTO hit
WITH members AS (
  SELECT s.*, f.label, count(*) OVER (PARTITION BY account_no, month, f.label) AS kin FROM shared s JOIN family f USING (id_no)),
ranked AS (
  SELECT *, first_value(id_no) OVER best AS first_id, first_value(label) OVER best AS first_label FROM members
  WINDOW best AS (PARTITION BY account_no, month ORDER BY kin DESC, own DESC, id_no)),
counted AS (SELECT account_no, month, count(*) AS people FROM members GROUP BY ALL)
SELECT concat_ws('|', 'account', b.account_no, a.id_no, b.id_no), 'account', 'shared_account', 'account',
  CASE WHEN (a.keeper = b.name AND b.keeper = '') OR (b.keeper = a.name AND a.keeper = '') THEN 'candidate' ELSE 'strong' END, b.month, a.row_id, b.row_id,
  a.id_no, a.name, a.programme, a.town, b.id_no, b.name, b.programme, b.town, b.amount_fen, a.amount_fen, b.amount_fen,
  concat_ws('|', b.account_no, CAST(c.people AS VARCHAR))
FROM ranked b JOIN members a ON a.account_no = b.account_no AND a.month = b.month AND a.id_no = b.first_id
JOIN counted c ON c.account_no = b.account_no AND c.month = b.month
WHERE b.label <> b.first_label
"""


def find_accounts(connection: Tables) -> None:
    """Adds shared accounts to ``hit``; ``fact`` is ``account|people on it``."""
    connection.execute(_SHARED)
    for _ in range(_ROUNDS):
        before = connection.execute("SELECT count(DISTINCT label), sum(hash(label) % 1000003) FROM family").fetchall()
        connection.execute(_SPREAD)
        if (
            connection.execute("SELECT count(DISTINCT label), sum(hash(label) % 1000003) FROM family").fetchall()
            == before
        ):
            break
    connection.execute(_HITS)
