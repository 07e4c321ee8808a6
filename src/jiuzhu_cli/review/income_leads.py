"""Registers that tell of income which nobody counted: leads for an enquiry, never income by themselves.

Where a household has lines of income, a person on such a register without a line that would hold it is told, and one whose line states less
than the register. Where there is only the roll's own figure, a register whose amount alone is more than all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day

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
    AND (valid_from IS NULL OR left(valid_from, 7) <= '{month}') AND (valid_to IS NULL OR left(valid_to, 7) >= '{month}') GROUP BY id_no
), stated AS (
  -- a household told in one row holds everybody's income of the kind under its head
  SELECT l.hk, CASE WHEN c.wide THEN '' ELSE l.id_no END AS id_no, sum(l.year_q) // 10000 AS year_fen
  FROM income_line l JOIN income_case c USING (hk) WHERE l.item_no IN ({items}) GROUP BY ALL HAVING sum(l.year_q) > 0
), measured AS (
  SELECT c.batch_id, c.case_no, {number} AS lead, m.name, t.year_fen, s.year_fen AS stated_fen
  FROM income_case c JOIN income_member m USING (hk) JOIN told t ON t.id_no = m.id_no
  LEFT JOIN stated s ON s.hk = c.hk AND s.id_no = CASE WHEN c.wide THEN '' ELSE m.id_no END
  WHERE c.heads = 1 AND m.counts AND (s.hk IS NULL OR s.year_fen < t.year_fen)
), rolled AS (
  SELECT l.batch_id, l.case_no, {number} AS lead, p.name, t.year_fen, CASE l.income_period WHEN 'year' THEN l.income_fen WHEN 'month' THEN l.income_fen * 12 END AS stated_fen
  FROM person p JOIN income_programme i USING (programme) JOIN told t ON t.id_no = p.id_no JOIN person l ON l.batch_id = p.batch_id AND l.case_no = p.case_no AND l.lead = 1
  WHERE NOT p.dead AND t.year_fen > CASE l.income_period WHEN 'year' THEN l.income_fen WHEN 'month' THEN l.income_fen * 12 END
    AND NOT EXISTS (SELECT 1 FROM income_case c WHERE c.batch_id = p.batch_id AND c.case_no = p.case_no)
)
SELECT batch_id, case_no, lead, name, year_fen, stated_fen, true FROM measured UNION ALL SELECT DISTINCT batch_id, case_no, lead, name, year_fen, stated_fen, false FROM rolled
"""


def build_leads(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> None:
    """Makes ``income_lead`` and fills ``measured_income.leads`` (a row is added for cases that have leads and no lines)."""
    connection.execute(
        "CREATE TABLE income_lead (batch_id BIGINT, case_no BIGINT, lead BIGINT, name VARCHAR, year_fen BIGINT, stated_fen BIGINT, measured BOOLEAN)"
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
        WITH told AS (
          SELECT batch_id, case_no, string_agg(DISTINCT l.name || t.message || '（' || t.register || CASE WHEN l.year_fen IS NULL THEN '' ELSE '，年 ' || yuan_of(l.year_fen) || ' 元' END || '）' ||
            CASE WHEN NOT l.measured THEN '，多于名册的全户收入，收入里没有计入' WHEN l.stated_fen IS NULL THEN '，家庭收入核算里没有计入'
              ELSE '，家庭收入核算只列 ' || yuan_of(l.stated_fen) || ' 元' END, '；') AS leads
          FROM income_lead l JOIN lead_text t USING (lead) GROUP BY batch_id, case_no)
        SELECT coalesce(m.batch_id, t.batch_id) AS batch_id, coalesce(m.case_no, t.case_no) AS case_no, m.hk, m.income12, m.gross, m.minus, m.persons, m.gap, t.leads
        FROM measured_income m FULL JOIN told t ON t.batch_id = m.batch_id AND t.case_no = m.case_no"""
    )


def _sql(lead: IncomeLead, number: int, policy: Policy, month: str) -> str:
    numbers = {item.id: at for at, item in enumerate(policy.income_items)}
    covers = ", ".join(str(numbers[name]) for name in lead.covers if name in numbers) or "-1"
    times = {"": "CAST(NULL AS BIGINT)", "month": "12", "year": "1"}[lead.yearly]
    return _HIT.format(
        register=lead.listed_in, ended="|".join(lead.ended) or "^$", month=month, times=times, items=covers, number=number
    )  # fmt: skip
