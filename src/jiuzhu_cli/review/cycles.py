"""Who is due: each case's tasks with their cycle, the last time they were done, the month they are due, and the month planned for them.

``build_due`` makes the table ``due`` (a row a case and task). Cycles are data (``cycles.toml``), else the programme's ``cycle_months``.
民发〔2021〕57号第31条: a year, half a year for unsteady income; everything else is local.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day, last_day
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.eligibility import REVIEWED
from jiuzhu_cli.review.visits import build_visits

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.procedure import Cycle

ROLL_COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name relation town village category grade covered_persons household_size"
    " income_fen income_period address phone start_month kin_filed"
).split()
ADVANCE = "复核可提前月数"


@dataclass(slots=True)
class Rules:
    """The cycles in force: what was used that is not confirmed, and what each default is (programme → months)."""

    used: list[ParameterValue]
    defaults: dict[str, int]
    graded: set[str]  # programmes whose cycle depends on a class


def build_due(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    decided: list[tuple[str, str, str]],
    *,
    ahead: int = 1,
) -> Rules:
    """Makes ``due`` from the snapshot's rolls of ``month`` and its visit records. ``decided``: ``(programme, id_no, month)`` of last decisions.

    Columns: ``key, programme, batch_id, case_no, id_no, name, town, village, persons, address, phone, kin_filed, income_fen, income_period,
    task, task_name, months, class, class_known, since`` (month of the last time, else of the start), ``done`` (whether ``since`` is a last time),
    ``due_month, late`` (months, NULL: never seen done and begun long ago), ``planned`` (0 is ``month``).
    """
    build_visits(connection, policy, first=first_day(month).isoformat(), until=last_day(month).isoformat())
    rules = _rules(connection, policy, month)
    connection.execute("CREATE TABLE decided (programme VARCHAR, id_no VARCHAR, month VARCHAR)")
    before = [one for one in decided if one[2] < month]
    if before:
        connection.executemany("INSERT INTO decided VALUES (?,?,?)", before)
    connection.execute("CREATE TABLE task (task VARCHAR, name VARCHAR, proof BOOLEAN, place INT)")
    connection.execute("CREATE TABLE covers (task VARCHAR, done VARCHAR)")
    for place, task in enumerate(policy.review_tasks):
        connection.execute("INSERT INTO task VALUES (?,?,?,?)", [task.id, task.name, task.proof, place])
        for other in (task.id, *task.covers):
            connection.execute("INSERT INTO covers VALUES (?,?)", [task.id, other])
    connection.execute("CREATE TABLE category_kind (programme VARCHAR, word VARCHAR, kind VARCHAR)")
    words = {
        (p.code, word): kind
        for p in policy.programmes.values()
        for kind, many in p.categories.items()
        for word in (kind, *many)
    }
    connection.executemany(
        "INSERT INTO category_kind VALUES (?,?,?)", [(*key, kind) for key, kind in words.items()] or [("", "", "")]
    )
    advance = policy.parameter_or_none(ADVANCE, first_day(month))
    connection.execute(_DUE.format(month=month, ahead=ahead, advance=int(Decimal(advance.value)) if advance else 0))
    return rules


def _rules(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> Rules:
    connection.execute(
        "CREATE TABLE cycle (programme VARCHAR, task VARCHAR, class VARCHAR, category VARCHAR, town VARCHAR, months INT, weight INT, place INT)"
    )
    rules = Rules([], {}, set())
    tasks = {task.id for task in policy.review_tasks}
    reviewed = [p.code for p in policy.programmes.values() if p.benefit in REVIEWED]
    rows: list[tuple[Any, ...]] = []
    for code in reviewed:
        rules.defaults[code] = policy.programmes[code].review.cycle_months
        rows.append((code, "review", "", "", "", rules.defaults[code], -1, -1))
    for place, one in enumerate(policy.cycles):
        day = first_day(month)
        if (one.since and day < one.since) or (one.until and day > one.until) or not policy.switch(one.switch, day):
            continue
        if one.task not in tasks:
            raise PolicyError(f"cycles.toml 的“{one.id}”：没有叫“{one.task}”的 task", "写 [[tasks]] 里有的 id")
        months = _months(policy, one, day, rules)
        weight = 4 * bool(one.towns) + 2 * bool(one.grade) + bool(one.category)
        for code in one.on or reviewed:
            if one.grade and one.task == "review":
                rules.graded.add(code)
            if one.task == "review" and not weight:
                rules.defaults[code] = months
            rows += [
                (code, one.task, one.grade, one.category, town, months, weight, place) for town in one.towns or ("",)
            ]
    connection.executemany("INSERT INTO cycle VALUES (?,?,?,?,?,?,?,?)", rows)
    return rules


def _months(policy: Policy, cycle: Cycle, day: date, rules: Rules) -> int:
    """Months between two times; 0: not done at all. PolicyError when the parameter has no value."""
    if not cycle.parameter and not cycle.per_year:
        return cycle.months
    value = policy.parameter(cycle.parameter or cycle.per_year, day)
    rules.used.append(value)
    number = Decimal(value.value) if not isinstance(value.value, bool) else Decimal(0)
    if cycle.parameter:
        return int(number)
    return int(12 / number) if number > 0 else 0


_DUE = """
CREATE TABLE case_row AS
SELECT row_number() OVER (ORDER BY r.programme, r.town, r.village, r.batch_id, r.case_no) AS key, r.*,
  coalesce(r.covered_persons, r.household_size, 1) AS persons, k.kind AS kind,
  coalesce(c.class, g.class, w.class, '') AS class
FROM roll r LEFT JOIN classed c USING (id_no) LEFT JOIN class_word g ON g.word = r.grade LEFT JOIN class_word w ON w.word = r.category
LEFT JOIN category_kind k ON k.programme = r.programme AND k.word = r.category
WHERE r.lead = 1 AND r.month = '{month}';

CREATE TABLE case_task AS
SELECT c.key, y.task, y.months FROM case_row c JOIN cycle y ON y.programme = c.programme AND (y.class = '' OR y.class = c.class)
  AND (y.category = '' OR y.category = c.kind OR y.category = c.category) AND (y.town = '' OR y.town = c.town)
QUALIFY row_number() OVER (PARTITION BY c.key, y.task ORDER BY y.weight DESC, y.place DESC) = 1;

-- visits of any member count for the case; what was done is the task named and those it covers, without a name every task but those
-- that want proof; proof counts whatever the visit was for
CREATE TABLE case_visit AS
SELECT DISTINCT c.key, v.* FROM case_row c JOIN roll m ON m.batch_id = c.batch_id AND m.case_no = c.case_no AND m.month = '{month}'
JOIN visit v ON v.id_no = m.id_no
WHERE v.programme IS NULL OR c.programme IN (SELECT programme FROM visit_programme p WHERE p.words = v.programme)
  OR NOT EXISTS (SELECT 1 FROM visit_programme p WHERE p.words = v.programme);

CREATE TABLE last_time AS
SELECT key, task, max(month) AS month FROM (
  SELECT v.key, o.done AS task, v.month FROM case_visit v JOIN visit_task n ON n.words = v.tasks JOIN covers o ON o.task = n.task JOIN task t ON t.task = o.done
  WHERE NOT v.not_met AND NOT t.proof
  UNION ALL SELECT v.key, t.task, v.month FROM case_visit v CROSS JOIN task t
  WHERE NOT v.not_met AND NOT t.proof AND NOT EXISTS (SELECT 1 FROM visit_task n WHERE n.words = v.tasks)
  UNION ALL SELECT v.key, t.task, v.month FROM case_visit v CROSS JOIN task t WHERE t.proof AND v.proof
  UNION ALL SELECT c.key, 'review', d.month FROM case_row c JOIN decided d ON d.programme = c.programme AND d.id_no = c.id_no)
GROUP BY key, task;

CREATE MACRO month_no(m) AS TRY_CAST(left(m, 4) AS INT) * 12 + TRY_CAST(substr(m, 6, 2) AS INT) - 1;
CREATE MACRO month_text(n) AS printf('%04d-%02d', n // 12, n % 12 + 1);

CREATE TABLE due AS
WITH timed AS (
  SELECT c.*, t.task, k.name AS task_name, k.place AS task_place, t.months, coalesce(l.month, left(c.start_month, 7)) AS since, l.month IS NOT NULL AS done
  FROM case_row c JOIN case_task t USING (key) JOIN task k ON k.task = t.task LEFT JOIN last_time l ON l.key = c.key AND l.task = t.task
  WHERE t.months > 0
), reckoned AS (
  SELECT *, month_no(since) + months AS due_no, month_no('{month}') AS now_no FROM timed
), lateness AS (
  SELECT *, CASE WHEN due_no IS NULL THEN NULL WHEN due_no >= now_no THEN 0 WHEN done OR now_no - due_no < months THEN now_no - due_no END AS late FROM reckoned
), placed AS (
  SELECT *, CASE WHEN late IS NULL THEN NULL ELSE greatest(due_no - now_no, 0) END AS ahead FROM lateness
), grouped AS (
  SELECT *, row_number() OVER (PARTITION BY town, village, task, months, ahead ORDER BY id_no, programme, key) - 1 AS pos,
    count(*) OVER (PARTITION BY town, village, task, months, ahead) AS together,
    dense_rank() OVER (PARTITION BY task, months, ahead ORDER BY town, village) - 1 AS place_no,
    least({advance}, months - 1, coalesce(ahead, 0)) AS early FROM placed
), shared AS (SELECT *, max(place_no) OVER (PARTITION BY task, months, ahead) + 1 AS places FROM grouped)
-- evenly within the village, the villages one after the other where each has but a few
SELECT * EXCLUDE (pos, together, early, now_no, ahead, due_no, place_no, places), CASE WHEN due_no IS NULL THEN '{month}' ELSE month_text(due_no) END AS due_month,
  due_no IS NULL OR due_no <= now_no AS is_due,
  CAST(CASE WHEN ahead IS NULL THEN (pos * places + place_no) * least(months, {ahead}) // (together * places)
    ELSE ahead - early + (pos * places + place_no) * (early + 1) // (together * places) END AS INT) AS planned
FROM shared;
"""
