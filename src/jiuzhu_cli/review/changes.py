"""What the program itself finds of a case: death, a doubt decided as a stop, an amount that differs, kin of staff, facts that are missing.

``find_flags`` asks all cases at once (tables of ``eligibility.build_facts`` and ``amounts.judge_amounts``). Each flag is a ``built_in``
event of ``events.toml``, which holds its rank: which one decides the action when a case has several; the others are told beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

# 近亲属 are 配偶、父母、子女、兄弟姐妹、祖孙 (policy-reference 1.1); these words name other relations
NOT_NEAR_KIN = "侄|甥|婿|媳|岳|公公|婆婆|堂|表|叔|伯|姑|舅|姨|姻|嫂|邻|姐夫|妹夫|同事|朋友"
NOT_FILED = "否|未|无|没|不|×|✗"

_KIN = f"""
CREATE TABLE kin AS
SELECT DISTINCT ON (id_no) id_no, staff, relation FROM (
  SELECT related_id_no AS id_no, name AS staff, relation FROM register
  WHERE register = 'staff_and_cadres' AND related_id_no IS NOT NULL AND (relation IS NULL OR NOT regexp_matches(relation, '{NOT_NEAR_KIN}'))
  UNION ALL SELECT id_no, name, '本人' FROM register WHERE register = 'staff_and_cadres'
) ORDER BY id_no, staff, relation;

CREATE TABLE kin_case AS
SELECT f.key, min(p.name || '（' || coalesce(k.relation, '近亲属') || '：' || k.staff || '）') AS who,
  bool_or(f.kin_filed IS NULL OR regexp_matches(f.kin_filed, '{NOT_FILED}')) AS unfiled
FROM facts f JOIN person p USING (batch_id, case_no) JOIN kin k ON k.id_no = p.id_no
WHERE f.by_income OR f.by_care GROUP BY f.key;
"""

# a household whose number is not told may have others
_NOBODY_LEFT = (
    "(f.unit = 'person' OR f.covered IS NOT NULL) AND f.dead_listed >= greatest(f.listed, coalesce(f.covered, 1))"
)
# a roll that has whole 元 only, or months rounded to 分, says the same within that
_DIFFERS = (
    "abs(f.income12 - f.stated_fen * CASE f.stated_period WHEN 'month' THEN 12 WHEN 'year' THEN 1 END)"
    " >= CASE WHEN f.stated_fen % 100 = 0 THEN 100 ELSE 1 END * CASE f.stated_period WHEN 'month' THEN 12 ELSE 1 END"
)
# code and condition over facts f, verdict v (may be NULL), kin k and grace g
_FLAGS: dict[str, str] = {
    "all_dead": f"f.dead AND {_NOBODY_LEFT}",
    "stopped": "f.stop_doubt IS NOT NULL",
    "head_dead": f"f.dead AND NOT ({_NOBODY_LEFT})",
    "member_leaves": "NOT f.dead AND f.leaving > 0",
    # in grace, and after the cut of one person's share, the amount is what was decided
    "amount": "v.key IS NOT NULL AND NOT v.fits AND NOT f.dead AND g.key IS NULL AND h.key IS NULL",
    "income_differs": f"f.measured AND ({_DIFFERS} OR f.measured_persons <> f.household_size)",
    "income_gap": "f.income_gap IS NOT NULL",
    "income_leads": "f.income_leads IS NOT NULL AND NOT f.dead",
    "income_missing": "f.by_income AND f.has_income AND f.income12 IS NULL",
    "persons_missing": "f.by_income AND f.has_income AND f.income12 IS NOT NULL AND coalesce(f.covered, 0) = 0",
    "care_missing": "f.by_care AND f.care_word IS NULL AND f.has_care",
    "care_differs": "NOT f.dead AND (f.roll_care <> f.assessed OR f.assessed_said <> f.assessed)",
    "assessment_old": "NOT f.dead AND f.assessed_old",
    "reassess_late": "f.reassess_by IS NOT NULL",
    "misnamed": "f.misnamed IS NOT NULL",
    "kin": "k.unfiled AND f.has_kin",
    "relinked": "n.key IS NOT NULL",
}
RULES = ("rule_stop", "rule_check")  # of ``eligibility.failures``, by what the rule asks for
BUILT_IN = frozenset(_FLAGS) | set(RULES)


def find_flags(connection: duckdb.DuckDBPyConnection, codes: Collection[str]) -> dict[int, list[str]]:
    """The flags of ``codes`` by case key. Makes ``kin`` and ``kin_case``."""
    connection.execute(_KIN)
    source = (
        "FROM facts f LEFT JOIN verdict v USING (key) LEFT JOIN kin_case k USING (key)"
        " LEFT JOIN (SELECT key FROM grace WHERE left_months >= 0) g USING (key)"
        " LEFT JOIN (SELECT DISTINCT key, amount_fen FROM held) h ON h.key = f.key AND h.amount_fen = f.amount_fen LEFT JOIN link n ON n.key = f.key"
    )
    cells = ", ".join(f"CASE WHEN {where} THEN '{code}' END" for code, where in _FLAGS.items() if code in codes)
    return dict(
        connection.execute(
            f"SELECT * FROM (SELECT f.key, list_filter([{cells}], lambda x: x IS NOT NULL) AS codes {source}) WHERE len(codes) > 0 ORDER BY key"
        ).fetchall()
    )


def not_judged(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What cannot be judged for want of a column, each reason said once a programme: ``programme, area, cases, reason``."""
    rows = connection.execute(
        """
        WITH gap AS (
          SELECT programme, area, CASE WHEN has_grade THEN '分档发放，花名册没有收入，金额没有核算' ELSE '花名册没有收入列，金额没有核算' END AS reason
          FROM facts WHERE by_income AND NOT has_income AND key NOT IN (SELECT key FROM verdict)
          UNION ALL
          SELECT programme, area, '花名册没有生活自理能力列，照料护理档次没有核对' FROM facts WHERE by_care AND NOT has_care
          UNION ALL
          SELECT f.programme, f.area, '花名册没有近亲属备案列；这些户与经办人员或村（居）干部有近亲属关系，请核对是否备案'
          FROM facts f JOIN kin_case k USING (key) WHERE NOT f.has_kin
          UNION ALL
          SELECT programme, area, '花名册没有家庭金融资产列，财产没有核对' FROM facts WHERE by_income AND has_income AND NOT has_assets
        )
        SELECT programme, string_agg(DISTINCT area, '、' ORDER BY area), count(*), reason FROM gap GROUP BY programme, reason ORDER BY programme, reason
        """
    ).fetchall()
    return [{"programme": p, "area": a, "cases": n, "reason": reason} for p, a, n, reason in rows]
