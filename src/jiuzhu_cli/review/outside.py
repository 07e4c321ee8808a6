"""Events of people who have no case: known but on no roll of the programme, or on last month's roll and not on this month's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import first_day, last_day

SHARE, LEAST = "名册减员上限比例", "名册减员上限人数"

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.review.events import Compiled, Hit

# Whom this month's rolls or the household registration name, each once: a roll before the registration, whoever is dead left out.
_OUTSIDERS = """
CREATE TABLE outsider AS
WITH named AS (
  SELECT id_no, name, town, village, age, age_months, sex, certified, grade_no, kind_word, listed_ill, enrolled, house, dead,
    on_subsistence, on_margin, on_extreme, 0 AS nth, row_id FROM person
  WHERE town <> ''
  UNION ALL
  SELECT r.id_no, r.name, r.place, coalesce(r.village, ''),
    CAST(year(DATE '{last}') - year(born) - CAST(month(DATE '{last}') * 100 + day(DATE '{last}') < month(born) * 100 + day(born) AS INT) AS BIGINT),
    CAST({month_index} - (year(born) * 12 + month(born)) AS BIGINT), CASE WHEN CAST(substr(r.id_no, 17, 1) AS INT) % 2 = 1 THEN '男' ELSE '女' END,
    cf.valid, CASE WHEN cf.valid THEN cf.grade END, CASE WHEN cf.valid THEN cf.kind END, i.id_no IS NOT NULL, en.id_no IS NOT NULL, ho.house, d.id_no IS NOT NULL,
    CASE WHEN s.town IS NOT NULL THEN false END, CASE WHEN m.town IS NOT NULL THEN false END, CASE WHEN x.town IS NOT NULL THEN false END, 1, r.row_id
  FROM (
    SELECT g.*, coalesce(nullif(g.town, ''), split_part(o.area, '/', 1), '') AS place, try_strptime(substr(g.id_no, 7, 8), '%Y%m%d') AS born
    FROM register g LEFT JOIN origin o ON o.kind = 'register' AND o.batch_id = g.batch_id AND o.table_no = g.table_no
    WHERE g.register = 'household_registration' AND length(g.id_no) = 18) r
  LEFT JOIN certificate cf USING (id_no) LEFT JOIN ill i USING (id_no) LEFT JOIN enrolled en USING (id_no) LEFT JOIN house ho USING (id_no) LEFT JOIN death d USING (id_no)
  LEFT JOIN covered_town s ON s.town = r.place AND s.programme = 'subsistence_allowance'
  LEFT JOIN covered_town m ON m.town = r.place AND m.programme = 'low_income_margin'
  LEFT JOIN covered_town x ON x.town = r.place AND x.programme = 'extreme_poverty_support'
)
SELECT n.* FROM named n WHERE NOT dead AND NOT EXISTS (SELECT 1 FROM death d WHERE d.id_no = n.id_no)
QUALIFY row_number() OVER (PARTITION BY id_no ORDER BY nth, row_id) = 1
"""
_MISSING = """
SELECT p.id_no, p.name, p.town, p.village FROM outsider p {joins}
WHERE EXISTS (SELECT 1 FROM coverage c WHERE c.programme = '{programme}' AND c.month = '{month}'
    AND (c.area = '' OR c.area = p.town OR c.area = p.town || '/' || p.village OR (p.town = '' AND {everywhere})))
  AND NOT EXISTS (SELECT 1 FROM person h WHERE h.id_no = p.id_no AND h.programme IN ({held})) AND {when}
ORDER BY p.id_no
"""
# What last month's rolls had of a programme and this month's of that town has nowhere: whole cases, and single members of a case that stays.
_GONE = """
CREATE TABLE gone AS
WITH here AS (SELECT DISTINCT programme, id_no FROM person),
stays AS (
  SELECT v.programme, v.batch_id, v.case_no, min(f.key) AS key FROM previous v JOIN person p ON p.programme = v.programme AND p.id_no = v.id_no
  JOIN facts f ON f.batch_id = p.batch_id AND f.case_no = p.case_no GROUP BY ALL)
SELECT v.programme, v.batch_id, v.case_no, v.town, v.village, v.id_no, v.name, v.lead, v.amount_fen, s.key, s.key IS NULL AS whole, d.id_no IS NOT NULL AS dead,
  coalesce(hd.dead, false) AS head_dead, coalesce(hd.moved, false) AS moved, coalesce(hd.decided, false) OR EXISTS (SELECT 1 FROM decided_end e WHERE e.programme = v.programme AND e.id_no = v.id_no)
    OR EXISTS (SELECT 1 FROM link l WHERE l.from_programme = v.programme AND l.old_id_no = v.id_no) AS decided
FROM previous v LEFT JOIN (
  SELECT w.batch_id, w.case_no, bool_or(x.id_no IS NOT NULL) AS dead, bool_or(e.id_no IS NOT NULL) AS decided, bool_or(coalesce(e.action = 'transfer', false)) AS moved FROM previous w LEFT JOIN death x ON x.id_no = w.id_no
  LEFT JOIN decided_end e ON e.programme = w.programme AND e.id_no = w.id_no WHERE w.lead = 1 GROUP BY ALL) hd ON hd.batch_id = v.batch_id AND hd.case_no = v.case_no LEFT JOIN here h ON h.programme = v.programme AND h.id_no = v.id_no
LEFT JOIN stays s ON s.programme = v.programme AND s.batch_id = v.batch_id AND s.case_no = v.case_no LEFT JOIN death d ON d.id_no = v.id_no
WHERE h.id_no IS NULL AND EXISTS (SELECT 1 FROM coverage c WHERE c.programme = v.programme AND c.month = '{month}'
  AND (c.area = '' OR c.area = v.town OR c.area = v.town || '/' || v.village))
"""


def find_outside(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    compiled: Iterable[Compiled],
    incomplete: Collection[tuple[str, str]],
) -> list[Hit]:
    """Hits of ``per = "outside"``: whoever holds the programme or one that excludes it is left out, and so is a town whose list had rows refused."""
    from jiuzhu_cli.review.events import Hit, joins

    asked = [one for one in compiled if one.event.per == "outside"]
    if not asked:
        return []
    connection.execute(
        _OUTSIDERS.format(last=last_day(month).isoformat(), month_index=int(month[:4]) * 12 + int(month[5:]))
    )
    found = []
    for one in asked:
        for programme in one.programmes:
            towns = {area.split("/")[0] for code, area in incomplete if code == programme}
            everywhere = (  # who is known without a town is judged when no town's list is wanting
                "NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT town FROM person) t WHERE NOT EXISTS (SELECT 1 FROM coverage k"
                f" WHERE k.programme = '{programme}' AND k.month = '{month}' AND (k.area = '' OR split_part(k.area, '/', 1) = t.town)))"
            )
            held = ", ".join(f"'{code}'" for code in sorted({programme, *excluding(policy, programme, month)}))
            rows = connection.execute(
                _MISSING.format(
                    joins=joins([one]),
                    programme=programme,
                    month=month,
                    held=held,
                    when=one.when,
                    everywhere=everywhere,
                )
            ).fetchall()
            found += [
                Hit(
                    one.number, 0, id_no, name,
                    place=f"{town}/{village}" if village else town, programme=programme, before_fen=0,
                )
                for id_no, name, town, village in rows
                if not towns & {"", town}
            ]  # fmt: skip
    return found


def excluding(policy: Policy, programme: str, month: str) -> set[str]:
    """Programmes that cannot be had beside this one (relations X and H without a condition) in that month."""
    day = first_day(month)
    return {
        other
        for one in policy.relations
        if one.kind in ("X", "H") and not one.when and one.a != one.b and programme in (one.a, one.b)
        and (one.since is None or day >= one.since) and (one.until is None or day <= one.until) and policy.switch(one.switch, day)
        for other in (one.a, one.b)
        if other != programme
    }  # fmt: skip


def find_gone(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    compiled: Iterable[Compiled],
    incomplete: Collection[tuple[str, str]],
) -> tuple[list[Hit], list[dict[str, Any]]]:
    """Hits of ``per = "gone"``: a member's belongs to the case that stays (``key``), a whole case's to nobody (one hit, its lead's).

    A list of last month of which more than a bureau's share is gone was not left by so many: a list of this month is still wanting, or
    names its people in another way. Nobody of it is told; it is said once (``programme, area, cases, reason``).
    """
    from jiuzhu_cli.review.events import Hit

    asked = [one for one in compiled if one.event.per == "gone"]
    if not asked:
        return [], []
    month = connection.execute("SELECT month FROM span").fetchall()[0][0]
    connection.execute(_GONE.format(month=month))
    share, least = (_limit(policy, month, name, other) for name, other in ((SHARE, 20), (LEAST, 5)))
    names = ", ".join(repr(code) for code in sorted({code for one in asked for code in one.programmes}))
    crowded = connection.execute(
        "SELECT v.batch_id, any_value(v.programme), string_agg(DISTINCT v.town, '、' ORDER BY v.town), count(*) FILTER (g.id_no IS NOT NULL AND NOT g.dead)"
        " FROM previous v LEFT JOIN gone g ON g.batch_id = v.batch_id AND g.case_no = v.case_no AND g.id_no = v.id_no"
        f" WHERE v.programme IN ({names}) GROUP BY v.batch_id"
        f" HAVING count(*) FILTER (g.id_no IS NOT NULL AND NOT g.dead) > greatest({least}, count(*) * {share} / 100) ORDER BY 1"
    ).fetchall()
    gaps = [
        {
            "programme": programme,
            "area": towns,
            "cases": people,
            "reason": f"上月名册有 {people} 人本月不在册，多半是本月还有名册没有导入，或者列人的办法变了，没有逐户提示",
        }
        for _, programme, towns, people in crowded
    ]
    left_out = ", ".join(str(row[0]) for row in crowded) or "-1"
    found = []
    for one in asked:
        rows = connection.execute(
            "SELECT coalesce(g.key, 0), g.id_no, g.name, g.town, g.village, g.programme, g.amount_fen FROM gone g"
            f" WHERE g.programme IN ({', '.join(repr(code) for code in one.programmes)}) AND g.batch_id NOT IN ({left_out}) AND {one.when}"
            # of a whole case one line stands for all
            " QUALIFY NOT g.whole OR row_number() OVER (PARTITION BY g.batch_id, g.case_no ORDER BY g.lead DESC, g.id_no) = 1"
            " ORDER BY g.programme, g.id_no"
        ).fetchall()
        for key, id_no, name, town, village, programme, amount in rows:
            if {area.split("/")[0] for code, area in incomplete if code == programme} & {"", town}:
                continue
            found.append(
                Hit(
                    one.number, key, id_no, name,
                    place=f"{town}/{village}" if village else town, programme=programme, before_fen=amount,
                )
            )  # fmt: skip
    return found, gaps


def _limit(policy: Policy, month: str, name: str, other: int) -> int:
    value = policy.parameter_or_none(name, first_day(month))
    return int(value.value) if value is not None and not isinstance(value.value, bool) else other
