"""``jiuzhu policy simulate``: the same rolls judged by two policies, the one that stands and one with other values; what differs.

Both are judged by the SQL of the review (``simulate_state``) on the first day of ``since``, as though the rolls of ``month`` were of that month: ages,
certificates and income are those of then. Who changes over follows by rules and relations (``simulate_moves``). Nothing is written to the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger.doubts import confirmed_stops
from jiuzhu_cli.ledger.proposals import graces, incomplete_lists
from jiuzhu_cli.review.income import INCOME_REGISTERS
from jiuzhu_cli.review.judging import REGISTERS
from jiuzhu_cli.review.readings import rows_of
from jiuzhu_cli.review.simulate_moves import ROUNDS, find_moves, lists_of_entries, make_roll, prepare
from jiuzhu_cli.review.simulate_state import judge_state, untouched
from jiuzhu_cli.review.tiers import read_roll_extra

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.review.cliff import Cliff

CLASSES = ("in", "out", "up", "down", "same", "open", "unknown")

# a row a case that either policy pays or holds; differences only where both sides are known, by the category that it is read as
_DIFF = """
CREATE TABLE main.diff AS
WITH b AS (
  SELECT s.* FROM before.state s WHERE NOT s.gone AND s.key NOT IN (SELECT key FROM before.failed WHERE stop AND NOT doubtful)
), a AS (
  SELECT s.* FROM after.state s WHERE NOT s.gone AND s.key NOT IN (SELECT f.key FROM after.failed f WHERE f.stop AND NOT f.doubtful)
), both_sides AS (
  SELECT coalesce(b.programme, a.programme) AS programme, coalesce(b.batch_id, a.batch_id) AS batch_id, coalesce(b.case_no, a.case_no) AS case_no,
    b.key AS key_b, a.key AS key_a, coalesce(a.id_no, b.id_no) AS id_no, coalesce(a.name, b.name) AS name, coalesce(a.town, b.town, '') AS town, coalesce(a.village, b.village, '') AS village,
    coalesce(a.kind, b.kind) AS kind, coalesce(a.unit, b.unit) AS unit, coalesce(a.benefit, b.benefit) AS benefit, coalesce(b.persons, 0) AS persons_b, coalesce(a.persons, 0) AS persons_a,
    coalesce(nullif(b.unknown, ''), nullif(a.unknown, ''), '') AS unknown
  FROM b FULL JOIN a ON a.programme = b.programme AND a.batch_id = b.batch_id AND a.case_no = b.case_no
), paired AS (
  SELECT d.programme, d.batch_id, d.case_no, min(x.low) AS b_low, max(x.high) AS b_high, min(y.low) AS a_low, max(y.high) AS a_high,
    CASE WHEN d.key_b IS NULL THEN min(y.low) WHEN d.key_a IS NULL THEN -max(x.high) ELSE min(least(y.low - x.low, y.high - x.high)) END AS low,
    CASE WHEN d.key_b IS NULL THEN max(y.high) WHEN d.key_a IS NULL THEN -min(x.low) ELSE max(greatest(y.low - x.low, y.high - x.high)) END AS high
  FROM both_sides d LEFT JOIN before.amount x ON x.key = d.key_b LEFT JOIN after.amount y ON y.key = d.key_a
  WHERE d.key_b IS NULL OR d.key_a IS NULL OR x.kind = y.kind
  GROUP BY d.programme, d.batch_id, d.case_no, d.key_b, d.key_a
)
SELECT d.* EXCLUDE (unknown), p.b_low, p.b_high, p.a_low, p.a_high, p.low, p.high,
  CASE WHEN key_b IS NULL THEN 'in' WHEN key_a IS NULL THEN 'out' WHEN benefit = 'status' THEN 'same'
    WHEN p.low IS NULL OR p.high IS NULL THEN CASE WHEN list_contains(CAST($untouched AS VARCHAR[]), d.programme) THEN 'same' ELSE 'unknown' END
    WHEN p.low = 0 AND p.high = 0 THEN 'same' WHEN p.low > 0 THEN 'up' WHEN p.high < 0 THEN 'down' ELSE 'open' END AS class,
  CASE WHEN key_b IS NULL THEN coalesce(e.why, '已在名册，现在不符合，改变后符合') WHEN key_a IS NULL THEN coalesce(m.reason, '') WHEN p.low IS NULL THEN unknown ELSE '' END AS reason, coalesce(e.open, false) AS property_open
FROM both_sides d LEFT JOIN paired p USING (programme, batch_id, case_no)
LEFT JOIN main.move m ON m.programme = d.programme AND m.batch_id = d.batch_id AND m.case_no = d.case_no
LEFT JOIN (SELECT DISTINCT ON (programme, batch_id, case_no) programme, batch_id, case_no, why, open FROM main.entry) e ON e.programme = d.programme AND e.batch_id = d.batch_id AND e.case_no = d.case_no;
"""

# where the roll says how much of an amount is add-ons, and there is one sum for all of them under each policy, that is how many persons have one
_STATED = """
UPDATE after.amount SET low = k.fen, high = k.fen FROM (
  SELECT sa.key, ca.kind, ca.base + (cb.low - cb.base) // mb.most * ma.most AS fen
  FROM before.candidate cb JOIN before.state sb ON sb.key = cb.key JOIN before.most mb ON mb.programme = sb.programme AND mb.kind = cb.kind
  JOIN after.state sa ON sa.programme = sb.programme AND sa.batch_id = sb.batch_id AND sa.case_no = sb.case_no
  JOIN after.candidate ca ON ca.key = sa.key AND ca.kind = cb.kind AND ca.place = 1 JOIN after.most ma ON ma.programme = sa.programme AND ma.kind = ca.kind
  JOIN after.facts f ON f.key = sa.key
  WHERE cb.place = 1 AND cb.low = cb.high AND ca.low < ca.high AND ca.base > 0 AND cb.base > 0 AND mb.step = mb.most AND ma.step = ma.most AND mb.most > 1 AND ma.most > 1
    AND (f.addon_fen IS NOT NULL OR f.base_fen IS NOT NULL) AND (cb.low - cb.base) % mb.most = 0 AND sa.grace_fen IS NULL
) k WHERE k.key = after.amount.key AND k.kind = after.amount.kind
"""

# households whose income is on a list, but who are on no roll
_APPLICANTS = """
SELECT count(DISTINCT head) FROM (SELECT coalesce(nullif(related_id_no, ''), id_no) AS head FROM register WHERE register = 'income_item' UNION SELECT id_no FROM register WHERE register = 'household_income')
WHERE head NOT IN (SELECT id_no FROM roll)
"""

_SUMS = """
SELECT programme, kind, town, class, any_value(unit) AS unit, count(*) AS cases, CAST(sum(persons_b) AS BIGINT) AS persons_b, CAST(sum(persons_a) AS BIGINT) AS persons_a,
  CAST(coalesce(sum(persons_b) FILTER (b_low IS NOT NULL), 0) AS BIGINT) AS priced_b, CAST(coalesce(sum(persons_a) FILTER (a_low IS NOT NULL), 0) AS BIGINT) AS priced_a,
  CAST(coalesce(sum(b_low), 0) AS BIGINT) AS b_low, CAST(coalesce(sum(b_high), 0) AS BIGINT) AS b_high, CAST(coalesce(sum(a_low), 0) AS BIGINT) AS a_low, CAST(coalesce(sum(a_high), 0) AS BIGINT) AS a_high,
  CAST(coalesce(sum(low), 0) AS BIGINT) AS low, CAST(coalesce(sum(high), 0) AS BIGINT) AS high, count(*) FILTER (low IS NULL AND benefit <> 'status' AND class IN ('in', 'out')) AS unpriced,
  count(*) FILTER (property_open) AS property_open
FROM main.diff GROUP BY programme, kind, town, class ORDER BY programme, kind, town, class
"""

# rules that are only to be checked and fail only now, of cases that stay
_CHECKS = """
SELECT s.programme, f.message, count(*) AS cases FROM after.failed f JOIN after.state s USING (key)
LEFT JOIN (SELECT s.programme, s.batch_id, s.case_no, f.rule FROM before.failed f JOIN before.state s USING (key)) b
  ON b.programme = s.programme AND b.batch_id = s.batch_id AND b.case_no = s.case_no AND b.rule = f.rule
WHERE NOT f.stop AND b.rule IS NULL AND NOT s.gone AND s.batch_id > 0 GROUP BY s.programme, f.message ORDER BY 1, 2
"""

# what is not reviewed month by month (participation in insurance …), and benefits whose roll is not there: persons only
_KIND = """
SELECT programme, CAST(sum(lost) AS BIGINT) AS lost, CAST(sum(gained) AS BIGINT) AS gained, bool_and(listed) AS listed FROM (
  SELECT m.programme, count(*) AS lost, 0 AS gained, true AS listed FROM main.move m JOIN main.known k ON k.code = m.programme WHERE NOT k.reviewed GROUP BY m.programme
  UNION ALL SELECT g.programme, 0, count(*), bool_and(g.listed) FROM main.gained g JOIN main.known k ON k.code = g.programme WHERE NOT k.reviewed OR k.unit <> 'person' GROUP BY g.programme
) GROUP BY programme ORDER BY programme
"""

_LIST = """
SELECT programme, town, village, name, id_no, kind, class, persons_b, persons_a, b_low, b_high, a_low, a_high, low, high, reason || CASE WHEN property_open THEN '；财产未知，须核实' ELSE '' END AS reason
FROM main.diff WHERE class <> 'same' ORDER BY programme, class, town, village, id_no
"""


@dataclass(slots=True)
class Simulation:
    """What differs. ``sums``: a row by programme, category, town and class; ``rows``: the cases that change, or of which that is not known."""

    month: str
    since: str
    sums: list[dict[str, Any]]
    rows: list[tuple[Any, ...]]
    checks: list[dict[str, Any]]
    in_kind: list[dict[str, Any]]
    blocked: list[dict[str, Any]]
    unknown: list[dict[str, Any]]
    missing: list[str]
    rounds: int
    cliff: Cliff
    names: dict[str, str] = field(default_factory=dict)
    applicants: int = 0  # households with lines of income that are on no roll
    incomplete: list[tuple[str, str]] = field(
        default_factory=list
    )  # (programme, area) of rolls of which rows were refused


def latest_rolls(store: Store) -> str:
    """The last month that has rolls; UsageError when there is none."""
    from jiuzhu_cli.ledger.policies import roll_months

    months = roll_months(store)
    if not months:
        raise UsageError("还没有导入任何花名册，没有可模拟的", "先用 jiuzhu import 导入花名册")
    return months[-1]


def simulate(
    store: Store, before: Policy, after: Policy, month: str, since: str, *, today: date, near_percent: int = 10
) -> Simulation:
    """Judges the rolls of ``month`` by both policies on the 1st of ``since``. UsageError when the month has no roll, or ``since`` is before it."""
    from jiuzhu_cli.ledger.snapshot import open_snapshot
    from jiuzhu_cli.review.cliff import find_cliff
    from jiuzhu_cli.review.run import COLUMNS, REGISTER_COLUMNS

    check_month(month)
    check_month(since)
    if since < month:
        raise UsageError(
            f"--from {since} 早于花名册的月份 {month}", "模拟往后看；要看以前，用 --month 指定更早的花名册"
        )
    connection = open_snapshot(
        store, months=(month, month), roll_columns=COLUMNS, registers=sorted({*REGISTERS, *INCOME_REGISTERS, *_asked(before), *_asked(after)}),
        register_columns=REGISTER_COLUMNS,
    )  # fmt: skip
    try:
        if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册，没有可模拟的", "先用 jiuzhu import 导入当月花名册")
        read_roll_extra(connection, store, before, month)
        connection.execute(f"UPDATE roll SET month = '{since}'; UPDATE coverage SET month = '{since}'")
        decided: dict[str, Any] = {
            "today": today, "stops": confirmed_stops(store, month), "graces": graces(store, month), "incomplete": incomplete_lists(store, month),
        }  # fmt: skip
        prepare(connection, after, since)
        connection.execute("CREATE SCHEMA before")
        old = judge_state(connection, "before", before, since, **decided)
        for number in range(1, ROUNDS + 1):
            make_roll(connection)
            new = judge_state(connection, "after", after, since, **decided, lists=lists_of_entries(connection))
            if not find_moves(connection, number):
                break
        else:
            raise UsageError("关系互相牵连，模拟没有停下来", "运行 jiuzhu policy check，改正互相矛盾的关系")
        connection.execute("SET search_path = 'main'")
        connection.execute(_STATED)
        connection.execute(_DIFF, {"untouched": untouched(old, new)})
        cliff = find_cliff(connection, before, after, since, today=today, near_percent=near_percent)
        return Simulation(
            month, since, rows_of(connection, _SUMS), connection.execute(_LIST).fetchall(), rows_of(connection, _CHECKS),
            rows_of(connection, _KIND),
            rows_of(connection, "SELECT target, town, reason, count(*) AS cases FROM main.blocked GROUP BY ALL ORDER BY ALL"),
            rows_of(connection, "SELECT programme, reason, count(*) AS cases FROM main.diff WHERE class = 'unknown' GROUP BY ALL ORDER BY ALL"),
            sorted({*old.missing, *new.missing}), number, cliff,
            {p.code: p.name for p in after.programmes.values()}, connection.execute(_APPLICANTS).fetchall()[0][0], list(decided["incomplete"]),
        )  # fmt: skip
    finally:
        connection.close()


def _asked(policy: Policy) -> set[str]:
    """Registers that relations E speak of."""
    return {
        one.a.removeprefix("register:") for one in policy.relations if one.kind == "E" and one.a.startswith("register:")
    }


def rolled(sums: Sequence[dict[str, Any]], *keys: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """``sums`` added up by ``keys``: counts by class (``in``, ``in_persons`` …), money before, after and the difference in 分 (low, high)."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    money = ("b_low", "b_high", "a_low", "a_high", "low", "high", "priced_b", "priced_a", "unpriced", "property_open")
    for one in sums:
        into = found.setdefault(
            tuple(one[key] for key in keys),
            {**{name: 0 for c in CLASSES for name in (c, f"{c}_persons")}, **dict.fromkeys(money, 0), "cases_b": 0, "persons_b": 0, "cases_a": 0, "persons_a": 0},
        )  # fmt: skip
        into[one["class"]] += one["cases"]
        into[f"{one['class']}_persons"] += one["persons_b"] if one["class"] == "out" else one["persons_a"]
        for name in (*money, "persons_b", "persons_a"):
            into[name] += one[name]
        into["cases_b"] += one["cases"] if one["class"] != "in" else 0
        into["cases_a"] += one["cases"] if one["class"] != "out" else 0
    return found
