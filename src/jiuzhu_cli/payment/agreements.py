"""Who is paid in a person's place (代领、集中供养): agreements on file, those in force in a month, and what they do to a roll's cases.

A roll that names neither payee nor account takes them from the agreement; one that gives the agreement's account or payee takes the
rest. What a roll says otherwise stands, and is compared with the agreement by the gates (``holds_payee``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import first_day, last_day

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

ENDED = ("终止", "解除", "撤销", "作废", "失效", "到期", "停止")  # 状态 words that end an agreement
UNKNOWN = "?"  # an agreement for a programme that nobody can tell: never used, and told where it would have mattered

# of those in force the newest holds: by the day it begins, one for the programme itself before one for all
_IN_FORCE = """
CREATE TABLE agreement AS
WITH current AS (
  SELECT a.row_id, a.id_no, p.code AS programme, coalesce(a.payee_name, '') AS payee_name, coalesce(a.payee_id_no, '') AS payee_id_no,
         coalesce(a.account_no, '') AS account_no, coalesce(a.bank_name, '') AS bank_name, coalesce(a.valid_from, '') AS since, w.code <> '' AS own
  FROM agreements a JOIN agreed_programme w ON w.written = coalesce(a.programme, '') JOIN programme p ON w.code IN ('', p.code)
  WHERE coalesce(a.valid_from, '') <= $last AND coalesce(nullif(a.valid_to, ''), '9999') >= $first
    AND NOT regexp_matches(coalesce(a.status, ''), $ended) AND coalesce(a.account_no, '') <> ''),
newest AS (
  SELECT * FROM current QUALIFY rank() OVER (PARTITION BY id_no, programme ORDER BY own DESC, since DESC) = 1)
SELECT id_no, programme, max(row_id) AS row_id, arg_max(payee_name, row_id) AS payee_name, arg_max(payee_id_no, row_id) AS payee_id_no,
       arg_max(account_no, row_id) AS account_no, arg_max(bank_name, row_id) AS bank_name,
       count(DISTINCT payee_name || chr(31) || replace(account_no, '-', '')) AS ways
FROM newest GROUP BY id_no, programme
"""
_RECIPIENT = "CASE WHEN p.payee = 'head' THEN coalesce(nullif(c.head_id_no, ''), c.id_no) ELSE c.id_no END"
_TAKE = f"""
UPDATE cases SET payee_name = a.payee_name, payee_id_no = a.payee_id_no, account_no = a.account_no,
       bank_name = CASE WHEN a.bank_name <> '' THEN a.bank_name ELSE cases.bank_name END, bank_code = NULL, agreement_row = a.row_id
FROM (SELECT c.row_id AS roll_row, a.* FROM cases c JOIN programme p ON p.code = c.programme
      JOIN agreement a ON a.programme = c.programme AND a.id_no = {_RECIPIENT}
      WHERE a.ways = 1 AND coalesce(c.payee_name, '') IN ('', a.payee_name) AND coalesce(c.account_no, '') IN ('', a.account_no)) a
WHERE a.roll_row = cases.row_id
"""


def take_agreements(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, programmes: Sequence[Programme]
) -> None:
    """Makes ``agreement`` (one a person and programme: ``ways`` > 1 where several newest ones differ) and ``agreed_programme``
    (what agreements write of a programme → its code, '' all), and puts payees into ``cases`` (``agreement_row``: whence)."""
    import pyarrow as pa

    rows = connection.execute("SELECT DISTINCT coalesce(programme, '') FROM agreements").fetchall()
    written = sorted(row[0] for row in rows)
    named = pa.table(
        {
            "written": pa.array(written, pa.string()),
            "code": pa.array([_code(policy, one) for one in written], pa.string()),
        }
    )
    connection.register("incoming", named)
    connection.execute("CREATE TABLE agreed_programme AS SELECT * FROM incoming")
    connection.unregister("incoming")
    special = [(p.code, one) for p in programmes for one in p.payment.by_agreement]
    connection.execute("CREATE TABLE by_agreement (programme VARCHAR, mode VARCHAR)")
    if special:
        connection.executemany("INSERT INTO by_agreement VALUES (?, ?)", special)
    connection.execute(
        _IN_FORCE,
        {"first": first_day(month).isoformat(), "last": last_day(month).isoformat(), "ended": "|".join(ENDED)},
    )
    connection.execute("ALTER TABLE cases ADD COLUMN agreement_row BIGINT")
    if connection.execute("SELECT count(*) FROM agreement").fetchall()[0][0]:
        connection.execute(_TAKE)


def _code(policy: Policy, written: str) -> str:
    if not written.strip():
        return ""
    try:
        return policy.programme(written).code
    except UsageError:
        return UNKNOWN
