"""Registers that tell of income which nobody counted: leads for an enquiry, never income by themselves.

A member of a household with lines of income who stands on such a register and has no line that would hold it is told, and one whose line
states less than the register. (Where there is only the roll's own figure, the registers' own ``[[review]]`` compares with it.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import add_months, first_day

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.income import IncomeLead
    from jiuzhu_cli.policy.load import Policy

_YUAN = "((x) // 100)::VARCHAR || '.' || lpad(((x) % 100)::VARCHAR, 2, '0')"

_HIT = """
INSERT INTO income_lead
WITH told AS (
  SELECT id_no, max(amount_fen) * {times} AS year_fen FROM register
  WHERE register = '{register}' AND NOT coalesce(regexp_matches(status, '{ended}'), false)
    AND (valid_from IS NULL OR left(valid_from, 7) <= '{month}') AND (valid_to IS NULL OR left(valid_to, 7) >= '{until}') GROUP BY id_no
), stated AS (
  -- a household told in one row holds everybody's income of the kind under its head
  SELECT l.hk, CASE WHEN c.wide THEN '' ELSE l.id_no END AS id_no, sum(l.year_q) // 10000 AS year_fen
  FROM income_line l JOIN income_case c USING (hk) WHERE l.item_no IN ({items}) GROUP BY ALL HAVING sum(l.year_q) > 0
), measured AS (
  SELECT c.batch_id, c.case_no, {number} AS lead, m.name, t.year_fen, s.year_fen AS stated_fen
  FROM income_case c JOIN income_member m USING (hk) JOIN told t ON t.id_no = m.id_no
  LEFT JOIN stated s ON s.hk = c.hk AND s.id_no = CASE WHEN c.wide THEN '' ELSE m.id_no END
  WHERE c.heads = 1 AND m.counts AND (s.hk IS NULL OR s.year_fen < t.year_fen)
)
SELECT * FROM measured
"""


def build_leads(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> None:
    """Makes ``income_lead`` and fills ``measured_income.leads``."""
    connection.execute(
        "CREATE TABLE income_lead (batch_id BIGINT, case_no BIGINT, lead BIGINT, name VARCHAR, year_fen BIGINT, stated_fen BIGINT)"
    )
    connection.execute(f"CREATE OR REPLACE MACRO yuan_of(x) AS {_YUAN}")
    day = first_day(month)
    present = {row[0] for row in connection.execute("SELECT DISTINCT register FROM register").fetchall()}
    said = []
    for number, lead in enumerate(policy.income_leads):
        if lead.listed_in in present and lead.in_force(day) and policy.switch(lead.switch, day):
            connection.execute(_sql(lead, number, policy, month))
            said.append((number, policy.registers[lead.listed_in].name, lead.message))
    if not said:
        return
    connection.execute("CREATE TABLE lead_text (lead BIGINT, register VARCHAR, message VARCHAR)")
    connection.executemany("INSERT INTO lead_text VALUES (?,?,?)", said)
    connection.execute(
        """CREATE OR REPLACE TABLE measured_income AS
        WITH one AS (
          SELECT DISTINCT batch_id, case_no, l.name || t.message || '（' || t.register || CASE WHEN l.year_fen IS NULL THEN '' ELSE '，年 ' || yuan_of(l.year_fen) || ' 元' END || '）' ||
            CASE WHEN l.stated_fen IS NULL THEN '，家庭收入核算里没有计入'
              ELSE '，家庭收入核算只列 ' || yuan_of(l.stated_fen) || ' 元' END AS text
          FROM income_lead l JOIN lead_text t USING (lead)
        ), told AS (SELECT batch_id, case_no, string_agg(text, '；' ORDER BY text) AS leads FROM one GROUP BY batch_id, case_no)
        SELECT m.* REPLACE (t.leads AS leads) FROM measured_income m LEFT JOIN told t ON t.batch_id = m.batch_id AND t.case_no = m.case_no"""
    )


def _sql(lead: IncomeLead, number: int, policy: Policy, month: str) -> str:
    numbers = {item.id: at for at, item in enumerate(policy.income_items)}
    covers = ", ".join(str(numbers[name]) for name in lead.covers if name in numbers) or "-1"
    times = {"": "CAST(NULL AS BIGINT)", "month": "12", "year": "1"}[lead.yearly]
    return _HIT.format(
        register=lead.listed_in, ended="|".join(map(re.escape, lead.ended)).replace("'", "''") or "^$", month=month, until=add_months(month, -lead.months), times=times, items=covers, number=number
    )  # fmt: skip
