"""Tiers of self-care by the six items (吃饭、穿衣、上下床、如厕、室内行走、洗澡), as an assessment register or the roll itself tells them.

《特困人员认定办法》第20—22条: all met 自理, up to three not met 部分丧失, four or more 完全丧失 (``tiers.toml``). The latest assessment up to the
month's end decides the tier by which the amount is computed; what the roll writes is kept beside it. All persons at once in the engine.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day, last_day, parse_date, posting_end
from jiuzhu_cli.ledger.snapshot import add_roll_extra
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.eligibility import CARE
from jiuzhu_cli.review.tariffs import by_care

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy

REGISTER = "self_care_assessment"
CYCLE, AGAIN = "特困自理评估周期月数", "特困自理复评工作日"
_COLUMNS = {
    "roll_care": "VARCHAR", "assessed": "VARCHAR", "assessed_said": "VARCHAR", "assessed_on": "VARCHAR", "assessed_months": "BIGINT",
    "unmet": "BIGINT", "unmet_names": "VARCHAR", "assessed_file": "VARCHAR", "assessed_old": "BOOLEAN", "changed_on": "VARCHAR", "reassess_by": "VARCHAR",
}  # fmt: skip

_ASSESSED = f"""
CREATE TABLE care_line AS
SELECT 'r' || r.row_id AS line, r.id_no, r.name, nullif(r.event_date, '') AS on_day, nullif(r.valid_from, '') AS changed, {CARE.format("r.grade")} AS said, r.extra,
  r.file_name, 1 AS dated, r.row_id
FROM register r WHERE r.register = '{REGISTER}' AND (r.event_date IS NULL OR r.event_date <= '{{last}}')
UNION ALL
SELECT 'p' || f.key, f.id_no, f.name, NULL, NULL, NULL, x.extra, f.file_name, 0, f.row_id
FROM facts f JOIN roll_extra x USING (row_id) WHERE f.by_care;

CREATE TABLE care_answer AS
WITH cell AS (SELECT line, extra, unnest(json_keys(extra)) AS header FROM care_line WHERE extra IS NOT NULL),
told AS (
  SELECT c.line, i.no, i.name, replace(trim(json_extract_string(c.extra, '$."' || c.header || '"')), ' ', '') AS cell FROM cell c JOIN care_item i ON regexp_matches(c.header, i.words)
)
SELECT t.line, t.no, any_value(t.name) AS name, bool_and(a.met) FILTER (a.met IS NOT NULL) AS met
FROM told t LEFT JOIN care_word a ON a.word = t.cell GROUP BY t.line, t.no;

CREATE TABLE assessment AS
WITH counted AS (
  SELECT line, count(*) FILTER (met IS NOT NULL) AS answered, count(*) FILTER (NOT met) AS unmet, string_agg(name, '、' ORDER BY no) FILTER (NOT met) AS names
  FROM care_answer GROUP BY line
)
SELECT l.*, c.unmet, c.names, coalesce(t.tier, l.said) AS tier, CASE WHEN t.tier IS NOT NULL THEN l.said END AS said_beside
FROM care_line l LEFT JOIN counted c ON c.line = l.line AND c.answered = {{items}}
LEFT JOIN care_tier t ON c.unmet BETWEEN t.low AND t.high;
"""

# a dated assessment counts before what the roll itself lists; a change that was not assessed yet says nothing of the tier
_FACTS = """
UPDATE facts SET roll_care = care_word WHERE by_care;
UPDATE facts SET assessed = a.tier, assessed_said = a.said_beside, assessed_on = a.on_day, unmet = a.unmet, unmet_names = a.names, assessed_file = a.file_name,
  assessed_months = {month_index} - (CAST(substr(a.on_day, 1, 4) AS INT) * 12 + CAST(substr(a.on_day, 6, 2) AS INT)), care_word = a.tier
FROM (SELECT * FROM assessment WHERE tier IS NOT NULL
      QUALIFY row_number() OVER (PARTITION BY id_no ORDER BY dated DESC, on_day DESC NULLS LAST, row_id DESC) = 1) a
WHERE facts.by_care AND facts.id_no = a.id_no AND NOT facts.dead AND (a.dated = 0 OR a.name = facts.name);
UPDATE facts SET has_care = true WHERE assessed IS NOT NULL;
UPDATE facts SET assessed_old = assessed_months > {cycle} WHERE {cycle} > 0;
"""

_CHANGED = """
SELECT f.key, c.changed, min(a.on_day) AS on_day FROM facts f
JOIN (SELECT id_no, max(changed) AS changed FROM care_line WHERE changed IS NOT NULL AND changed <= ? GROUP BY id_no) c USING (id_no)
LEFT JOIN care_line a ON a.id_no = c.id_no AND a.on_day >= c.changed
WHERE f.by_care AND NOT f.dead GROUP BY f.key, c.changed ORDER BY f.key
"""


def apply_tiers(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, today: date) -> list[ParameterValue]:
    """Adds what is assessed to ``facts`` and makes it the tier that amounts count by: ``roll_care`` (as the roll writes), ``assessed``, ``assessed_said``
    (the list's own word where it differs from its items), ``assessed_on``, ``unmet``, ``assessed_old``, ``changed_on`` and ``reassess_by`` (a change not
    assessed in time). ``roll_extra (row_id, extra)``: other columns of rolls, where the snapshot has them. Returns the parameters used.
    """
    for name, kind in _COLUMNS.items():
        connection.execute(f"ALTER TABLE facts ADD COLUMN {name} {kind}")
    connection.execute("CREATE TABLE IF NOT EXISTS roll_extra (row_id BIGINT, extra VARCHAR)")
    connection.execute("UPDATE facts SET roll_care = care_word WHERE by_care")
    some = f"SELECT 1 FROM register WHERE register = '{REGISTER}' UNION ALL SELECT 1 FROM roll_extra LIMIT 1"
    if not connection.execute(some).fetchall():
        return []
    used = [one for name in (CYCLE, AGAIN) if (one := policy.parameter_or_none(name, first_day(month))) is not None]
    limits = {one.name: int(Decimal(one.value)) for one in used}
    _words(connection, policy)
    connection.execute(_ASSESSED.format(last=last_day(month).isoformat(), items=len(policy.care_items)))
    index = int(month[:4]) * 12 + int(month[5:])
    connection.execute(_FACTS.format(month_index=index, cycle=limits.get(CYCLE, 0)))
    if limits.get(AGAIN):
        _late(connection, policy, month, today, limits[AGAIN])
    return used


def read_roll_extra(
    connection: duckdb.DuckDBPyConnection, store: Store, policy: Policy, month: str, rows: Sequence[int] | None = None
) -> None:
    """The rolls' own columns of the items, where they have any: ``roll_extra``; of these ``rows`` only, where they are given."""
    words = [word for item in policy.care_items for word in item.words]
    programmes = [one.code for one in policy.programmes.values() if by_care(one)]
    add_roll_extra(connection, store, month, programmes, words, rows)


def _words(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    connection.execute(
        "CREATE TABLE care_item (no INT, name VARCHAR, words VARCHAR); CREATE TABLE care_word (word VARCHAR, met BOOLEAN);"
        " CREATE TABLE care_tier (tier VARCHAR, low INT, high INT)"
    )
    for number, item in enumerate(policy.care_items):
        words = "|".join(re.escape(word) for word in item.words)
        connection.execute("INSERT INTO care_item VALUES (?,?,?)", [number, item.name, words])
    rows = {word: answer.met for answer in policy.care_answers for word in answer.words}
    connection.executemany("INSERT INTO care_word VALUES (?,?)", [list(row) for row in rows.items()])
    for tier in policy.care_tiers:
        connection.execute("INSERT INTO care_tier VALUES (?,?,?)", [tier.id, tier.unmet_from, tier.unmet_to])


def _late(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, today: date, days: int) -> None:
    """Changes of which the assessment came late, or has not come: the few that are told."""
    off, worked = policy.days_off()
    late: list[tuple[str, str, int]] = []
    for key, changed, on_day in connection.execute(_CHANGED, [last_day(month).isoformat()]).fetchall():
        began, done = parse_date(changed)[0], parse_date(on_day)[0] if on_day else None
        if began is None:
            continue
        due = posting_end(began, days, working_days=True, count_first_day=False, holidays=off, extra_workdays=worked)
        if (done or today) > due:
            late.append((began.isoformat(), due.isoformat(), key))
    if late:
        connection.executemany("UPDATE facts SET changed_on = ?, reassess_by = ? WHERE key = ?", late)


def told(fact: dict[str, object]) -> str:
    """What was assessed, in words: the day and the items not met."""
    when = f"{fact['assessed_on']} " if fact["assessed_on"] else ""
    if fact["unmet"] is None:
        return f"{when}评估为{fact['assessed']}"
    names = f"（{fact['unmet_names']}）" if fact["unmet"] else ""
    return f"{when}评估六项中 {fact['unmet']} 项不能达到{names}，为{fact['assessed']}"


def reasons(code: str, fact: dict[str, object]) -> list[str]:
    """Sentences of the flags ``care_differs``, ``assessment_old``, ``reassess_late``."""
    if code == "assessment_old":
        return [
            f"生活自理能力 {fact['assessed_on']} 评估，已有 {fact['assessed_months']} 个月，超过评估周期，请重新评估"
        ]
    if code == "reassess_late":
        done = (
            f"{fact['assessed_on']} 才复评"
            if str(fact["assessed_on"] or "") >= str(fact["changed_on"])
            else "还没有复评"
        )
        return [f"自理能力 {fact['changed_on']} 有变化，应在 {fact['reassess_by']} 以前复评，{done}"]
    said: Iterable[str] = [
        *([f"名册写{fact['roll_care']}，{told(fact)}"] if fact["roll_care"] not in (None, fact["assessed"]) else []),
        *(
            [f"评估结论写{fact['assessed_said']}，与六项不符，请核对"]
            if fact["assessed_said"] not in (None, fact["assessed"])
            else []
        ),
    ]
    return list(said)


__all__ = ["apply_tiers", "read_roll_extra", "reasons", "told"]
