"""A household's income in words: who counts, every line with how it comes about and by which document, the sums. And reasons for review.

``steps_sql`` says it of all households in one query; ``income_of`` of one, as ``explain`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.review.income_rules import SCALE, IncomeRules
from jiuzhu_cli.review.steps import source_of

if TYPE_CHECKING:
    import duckdb

_MACROS = f"""
CREATE OR REPLACE MACRO fen_text(x) AS (CASE WHEN x < 0 THEN '-' ELSE '' END) || (abs(x) // 100)::VARCHAR || '.' || lpad((abs(x) % 100)::VARCHAR, 2, '0');
-- millionths of 分 as 元, with as many decimals as there are
CREATE OR REPLACE MACRO exact_text(x) AS CASE WHEN x % {SCALE} = 0 THEN fen_text(x // {SCALE})
  ELSE (x // {100 * SCALE})::VARCHAR || '.' || rtrim(lpad((x % {100 * SCALE})::VARCHAR, 8, '0'), '0') END;
CREATE OR REPLACE MACRO quantity_text(q) AS (q // 10000)::VARCHAR || CASE WHEN q % 10000 = 0 THEN '' ELSE '.' || rtrim(lpad((q % 10000)::VARCHAR, 4, '0'), '0') END;
"""

_STEPS = """
WITH off AS (
  SELECT o.line_no, string_agg('扣减' || n.label || ' ' || exact_text(o.amount) || ' 元', '，' ORDER BY o.rule) AS how,
    string_agg(n.text, '；' ORDER BY o.rule) AS basis, list(o.rule ORDER BY o.rule) AS rules
  FROM income_off o JOIN income_note n ON n.rule = o.rule GROUP BY o.line_no
), said AS (
  SELECT l.*, i.name AS item, i.unit, i.rule AS item_rule, ir.text AS item_text, ir.how AS formula, er.source AS excluded_by, mr.how AS member_how, mr.source AS member_source,
    o.how AS off_how, o.basis AS off_basis, o.rules AS off_rules, br.text AS band_text, m.rule AS member_rule
  FROM income_line l JOIN income_item_text i USING (item_no) JOIN income_member m ON m.hk = l.hk AND m.id_no = l.id_no
  LEFT JOIN income_note ir ON ir.rule = i.rule LEFT JOIN income_note er ON er.rule = l.excluded LEFT JOIN income_note mr ON mr.rule = m.rule
  LEFT JOIN income_note br ON br.rule = l.band LEFT JOIN off o USING (line_no) {where_line}
), stated AS (
  SELECT *, CASE WHEN amount_fen IS NULL OR year_q IS NULL THEN CASE WHEN quantity_q IS NOT NULL THEN quantity_text(quantity_q) || ' ' || unit || '：' ELSE '' END || coalesce(formula, '')
      WHEN period = 'month' THEN fen_text(amount_fen) || ' 元/月 × ' || CASE WHEN months IS NULL THEN '12' ELSE quantity_text(months) || ' 个月' END
      WHEN period = 'year' THEN '全年 ' || fen_text(amount_fen) || ' 元' ELSE fen_text(amount_fen) || ' 元' END
    || CASE WHEN year_q IS NOT NULL AND formula <> '' THEN '：' || formula ELSE '' END AS how FROM said
)
SELECT hk, name, label, how, fen, basis, rules, part, place FROM (
  SELECT m.hk, 1 AS part, row_number() OVER (PARTITION BY m.hk ORDER BY m.counts DESC, m.id_no) AS place, m.name,
    CASE WHEN m.counts THEN '计入成员' WHEN m.counts = false THEN '不计入成员' ELSE '成员待定' END AS label,
    coalesce(m.shown_relation || '：', '') || coalesce(n.how, '关系、居住情况不明') AS how, NULL AS fen, coalesce(n.source, '') AS basis, [m.rule] AS rules
  FROM income_member m LEFT JOIN income_note n ON n.rule = m.rule {where_member}
  UNION ALL
  SELECT hk, CASE WHEN deducts THEN 3 ELSE 2 END, line_no, name, item,
    CASE WHEN problem IS NOT NULL THEN problem WHEN NOT counts THEN how || '；不计入：' || coalesce(member_how, '成员待定') WHEN excluded IS NOT NULL THEN how || '；不计入'
      ELSE concat_ws('；', how, off_how, CASE WHEN net % {scale} <> 0 THEN '计 ' || exact_text(net) || ' 元' END) END,
    CASE WHEN problem IS NULL AND counts AND excluded IS NULL THEN CAST((CASE WHEN deducts THEN -net ELSE net END) // {scale} AS BIGINT) END,
    CASE WHEN NOT counts THEN member_source WHEN excluded IS NOT NULL THEN excluded_by ELSE concat_ws('；', item_text, band_text, off_basis) END,
    list_concat([CASE WHEN NOT counts THEN member_rule WHEN excluded IS NOT NULL THEN excluded ELSE item_rule END, CASE WHEN counts AND excluded IS NULL THEN band END],
      CASE WHEN counts AND excluded IS NULL THEN off_rules END)
  FROM stated
  UNION ALL
  SELECT m.hk, 4, 1, '', '核算年收入', CASE WHEN m.gap IS NOT NULL THEN '没有核算：' || m.gap
      WHEN m.minus > 0 THEN '收入 ' || exact_text(m.gross) || ' 元，扣减 ' || exact_text(m.minus) || ' 元' || CASE WHEN m.minus > m.gross THEN '，减到 0 为止' ELSE '' END
      ELSE '各项合计 ' || exact_text(m.gross) || ' 元' END || CASE WHEN m.gap IS NULL AND (m.gross - m.minus) % {scale} > 0 THEN '，最后舍去不足一分的' ELSE '' END,
    m.income12, '年为基础，先合计，最后一次舍入', []
  FROM measured_income m WHERE m.hk IS NOT NULL {where_sum}
) ORDER BY hk, part, place
"""


def prepare_texts(connection: duckdb.DuckDBPyConnection, rules: IncomeRules) -> None:
    """``income_note`` and ``income_item_text``: what rules and items say of themselves."""
    connection.execute(_MACROS)
    connection.execute(
        "CREATE TABLE income_note (rule BIGINT, label VARCHAR, how VARCHAR, source VARCHAR, text VARCHAR)"
    )
    if rules.notes:
        connection.executemany(
            "INSERT INTO income_note VALUES (?,?,?,?,?)",
            [(number, one.label, one.how, one.source, one.text()) for number, one in enumerate(rules.notes)],
        )
    connection.execute("CREATE TABLE income_item_text (item_no BIGINT, name VARCHAR, unit VARCHAR, rule BIGINT)")
    known = [(n, one.name, one.unit, rules.item_rule.get(n)) for n, one in enumerate(rules.items)]
    if known:
        connection.executemany("INSERT INTO income_item_text VALUES (?,?,?,?)", known)


def steps_sql(hk: int | None = None) -> str:
    """``hk, name, label, how, fen, basis, rules, part, place`` in the order of households, members, lines, sums; of one household or all."""
    one = f"= {int(hk)}" if hk is not None else ""
    return _STEPS.format(
        scale=SCALE,
        where_line=f"WHERE l.hk {one}" if one else "", where_member=f"WHERE m.hk {one}" if one else "", where_sum=f"AND m.hk {one}" if one else "",
    )  # fmt: skip


def income_of(
    connection: duckdb.DuckDBPyConnection, rules: IncomeRules | None, batch_id: int, case_no: int
) -> dict[str, Any] | None:
    """A case's measured income: ``year_fen, gap, leads, persons`` and ``steps``; None when there is nothing to tell."""
    rows = connection.execute(
        "SELECT hk, income12, persons, gap, leads FROM measured_income WHERE batch_id = ? AND case_no = ?",
        [batch_id, case_no],
    ).fetchall()
    if not rows:
        return None
    hk, year, persons, gap, leads = rows[0]
    steps: list[dict[str, Any]] = []
    if hk is not None and rules is not None:
        prepare_texts(connection, rules)
        for _, name, label, how, fen, basis, used, *_ in connection.execute(steps_sql(hk)).fetchall():
            known = [one for rule in used if rule is not None for one in rules.notes[rule].parameters]
            steps.append(
                {
                    "label": label,
                    "name": name,
                    "how": how,
                    "value": "" if fen is None else yuan(fen),
                    "basis": basis,
                    "parameters": [source_of(one) for one in known],
                }
            )
    return {"year_fen": year, "persons": persons, "gap": gap or "", "leads": leads or "", "steps": steps}


def income_reason(code: str, fact: dict[str, Any]) -> str:
    """The sentence of one flag of income."""
    if code == "income_gap":
        return f"家庭收入没有按明细核算，仍用名册所载：{fact['income_gap']}"
    if code == "income_leads":
        return f"{fact['income_leads']}：请核实，不自动计入"
    told = []
    if fact["measured_persons"] not in (None, fact["household_size"]) and fact["household_size"]:
        told.append(
            f"家庭成员计入 {fact['measured_persons']} 人，名册家庭人口 {fact['household_size']} 人，请核对成员情况"
        )
    if fact["stated_fen"] is not None:
        told += _difference(fact)
    return "；".join(told)


def _difference(fact: dict[str, Any]) -> list[str]:
    yearly = fact["stated_period"] == "year"
    stated = fact["stated_fen"] * (1 if yearly else 12)
    more = fact["income12"] - stated
    if not more:
        return []
    told = f"家庭收入核算为全年 {yuan(fact['income12'])} 元，名册所载{'年' if yearly else '月'}收入 {yuan(fact['stated_fen'])} 元"
    if not yearly:
        told += f"（折年 {yuan(stated)} 元）"
    return [f"{told}，核算{'多' if more > 0 else '少'} {yuan(abs(more))} 元；按核算的收入判断，请更正名册"]
