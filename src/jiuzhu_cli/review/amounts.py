"""What each case should be paid: all cases at once in DuckDB, by the tariff tables. (One case in words: ``steps``.)

Amounts are whole 分. A household's 补差 is 标准 × 保障人数 − 家庭月收入, kept in twelfths of 分 and rounded once, at the end:
neither the year's income ÷ 12 nor an income per head is rounded first, so (632 − 1894/3) × 3 is 2.00 元 and never 3.
A figure for members (分类施保) counts once per person, by the highest that applies. Where a fact is not told, every reading counts as a
candidate: an amount that fits one of them is right, one that fits none is a difference, and several different candidates are a ``check``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.review.tariffs import AmountRules, Line

if TYPE_CHECKING:
    import duckdb

_TABLES = """
CREATE TABLE tariff_line (no INT, part INT, per VARCHAR, fen BIGINT);
CREATE TABLE setting (programme VARCHAR, unit BIGINT, up BOOLEAN, tolerance BIGINT, kinds VARCHAR[]);
CREATE TABLE candidate (key BIGINT, place INT, kind VARCHAR, base BIGINT, low BIGINT, high BIGINT, step BIGINT, slack BIGINT, lines INT[], figures BIGINT[]);
CREATE TABLE addon_person (key BIGINT, kind VARCHAR, id_no VARCHAR, name VARCHAR, age_months BIGINT, low BIGINT, high BIGINT, hits INT[]);
CREATE TABLE limit_row (key BIGINT, turn INT, no INT, other_fen BIGINT, other_persons BIGINT, fen BIGINT);
CREATE TABLE limit_word (no INT, note VARCHAR, basis VARCHAR, held BOOLEAN);
"""

# one row a case and category it may be of: where a list does not tell 城市 or 农村, the case is read both ways
_READING = """
CREATE TABLE reading AS
SELECT f.key, f.programme, k.kind,
  nullif(f.covered, 0) - CASE WHEN f.listed <= f.covered THEN f.leaving ELSE 0 END AS persons,
  f.size - CASE WHEN f.listed <= f.size THEN f.leaving ELSE 0 END AS all_persons, CASE WHEN f.income12 < 0 THEN 0 ELSE f.income12 END AS income12
FROM facts f JOIN setting s ON s.programme = f.programme, unnest(s.kinds) AS k(kind)
WHERE NOT (f.unit = 'person' AND f.dead) AND (k.kind = '' OR f.town_kind IS NULL OR f.town_kind = k.kind OR NOT list_contains(s.kinds, f.town_kind));
"""

# the first line of a part that holds counts; lines before it of which that is not known may
_CHOICE = """
INSERT INTO choice
SELECT key, reading_kind, unnest([{picked}]) AS no FROM (
  SELECT f.*, r.kind AS reading_kind FROM facts f JOIN reading r USING (key) WHERE f.programme = ?)
"""

# place 2: 差额 × 人数 where part of the household is covered: the same household read per head, still one fraction
_FIGURE = """
CREATE TABLE figure AS
WITH chosen AS (
  SELECT c.key, c.kind, l.no, l.part, l.per, l.fen, r.persons, r.all_persons, r.income12, s.unit, s.up
  FROM choice c JOIN tariff_line l USING (no) JOIN reading r USING (key, kind) JOIN setting s ON s.programme = r.programme
), short AS (
  SELECT *, 1 AS place, CAST(fen * 12 * persons - income12 AS HUGEINT) AS top, CAST(12 AS HUGEINT) AS bottom FROM chosen WHERE per = 'gap'
  UNION ALL
  SELECT *, 2, CAST(fen * 12 * all_persons - income12 AS HUGEINT) * persons, CAST(12 * all_persons AS HUGEINT)
  FROM chosen WHERE per = 'gap' AND all_persons > persons AND persons > 0
)
SELECT key, kind, part, no, place, CAST(CASE WHEN top IS NULL THEN NULL WHEN top <= 0 OR persons <= 0 THEN 0
    WHEN up THEN (top + bottom * unit - 1) // (bottom * unit) * unit
    ELSE (2 * top + bottom * unit) // (2 * bottom * unit) * unit END AS BIGINT) AS fen
FROM short
UNION ALL
SELECT key, kind, part, no, 1, CASE per WHEN 'person' THEN fen * persons ELSE fen END FROM chosen WHERE per <> 'gap';
"""

_MEMBERS = """
INSERT INTO addon_person
WITH who AS (
  SELECT DISTINCT ON (p.batch_id, p.case_no, p.id_no, r.kind) p.*, f.key, f.size, f.covered, r.kind AS reading_kind,
    CASE WHEN p.grade_no IS NOT NULL THEN p.grade_no WHEN p.certified IS NULL AND NOT f.has_disability THEN NULL ELSE 9 END AS counted_grade,
    CASE WHEN p.kind_word IS NOT NULL THEN p.kind_word WHEN p.certified IS NULL AND NOT f.has_disability THEN NULL ELSE '无' END AS counted_kind,
    CASE WHEN p.grade_no IS NOT NULL THEN true WHEN p.certified IS NULL AND NOT f.has_disability THEN NULL ELSE coalesce(p.certified, false) END AS counted_certified,
    CASE WHEN p.listed_ill THEN true WHEN p.illness IS NULL AND (f.has_illness OR p.listed_ill IS NOT NULL) THEN false END AS counted_ill
  FROM person p JOIN (SELECT key, batch_id, case_no, size, covered, has_disability, has_illness FROM facts WHERE programme = ?) f USING (batch_id, case_no)
  JOIN reading r USING (key)
  WHERE NOT p.leaves
  -- who is listed twice (a head again among the members) counts once
  ORDER BY p.batch_id, p.case_no, p.id_no, r.kind, p.lead DESC, p.row_id
), judged AS (SELECT key, reading_kind, id_no, name, age_months, {conditions} FROM who)
SELECT key, reading_kind, id_no, name, age_months, greatest({low}), greatest({high}), list_filter([{hits}], lambda x: x IS NOT NULL)
FROM judged WHERE {possible};
"""

_COMBINED = """
INSERT INTO candidate
WITH based AS ({combined}),
addons AS (SELECT key, kind, sum(low) AS low, sum(high) AS high FROM addon_person GROUP BY key, kind),
ranged AS (
  SELECT b.*, f.covered, m.step,
    CASE WHEN b.base = 0 OR f.listed > f.covered THEN 0 ELSE coalesce(a.low, 0) END AS addon_low,
    CASE WHEN b.base = 0 THEN 0 ELSE coalesce(a.high, 0) + greatest(0, f.covered - f.listed) * m.most END AS addon_high,
    coalesce(f.addon_fen, CASE WHEN f.base_fen IS NOT NULL THEN f.amount_fen - f.base_fen - coalesce(f.care_fen, 0) END) AS stated
  FROM based b JOIN facts f USING (key) JOIN most m ON m.kind = b.kind AND m.programme = f.programme LEFT JOIN addons a ON a.key = b.key AND a.kind = b.kind
)
SELECT key, place, kind, base, base + CASE WHEN told THEN stated ELSE addon_low END, base + CASE WHEN told THEN stated ELSE addon_high END, step, 0, nos, fens
-- what the roll itself says of add-ons is taken where it lies within what the facts allow
FROM (SELECT *, coalesce(stated BETWEEN addon_low AND addon_high AND (stated - addon_low) % step = 0 AND addon_high > 0, false) AS told FROM ranged);
"""

# a figure that cannot be computed leaves the case unjudged, whatever the other readings say
_UNKNOWN = "DELETE FROM candidate WHERE key IN (SELECT key FROM candidate WHERE low IS NULL OR high IS NULL)"

# a case's candidates taken together (columns: key, programme, fits, ways, low, high, step, least, most, amounts, candidates)
VERDICT = """
SELECT c.key, any_value(f.programme) AS programme, coalesce(bool_or(f.amount_fen BETWEEN c.low - c.slack AND c.high AND (c.slack > 0 OR (f.amount_fen - c.low) % c.step = 0)
    OR (f.by_income AND c.base > 0 AND f.leaving = 0 AND s.tolerance > 0 AND f.amount_fen BETWEEN c.low - s.tolerance AND c.high + s.tolerance)), false) AS fits,
  count(DISTINCT (c.low, c.high)) FILTER (c.place = 1) AS ways,
  min(c.low) FILTER (c.place = 1) AS low, max(c.high) FILTER (c.place = 1) AS high, max(c.step) FILTER (c.place = 1) AS step,
  min(c.low) AS least, max(c.high) AS most, list(DISTINCT c.low ORDER BY c.low) AS amounts, count(*) AS candidates
FROM candidate c JOIN facts f USING (key) JOIN setting s ON s.programme = f.programme {which} GROUP BY c.key
"""

# ``beside`` and ``beside_basis``: the relations that bound the amount; ``held``: less than a cap leaves is only to be checked
_VERDICT = f"""
CREATE TABLE verdict AS
SELECT v.* EXCLUDE (programme), b.beside, b.beside_basis, coalesce(b.held, false) AS held FROM ({VERDICT.format(which="")}) v LEFT JOIN (
  SELECT key, string_agg(w.note, '；' ORDER BY l.turn, w.no) AS beside, string_agg(DISTINCT w.basis, '；') AS beside_basis, bool_or(w.held) AS held
  FROM limit_row l JOIN limit_word w USING (no) JOIN (SELECT key, max(high) AS high FROM candidate GROUP BY key) c USING (key)
  WHERE l.fen = c.high GROUP BY key) b USING (key);
"""


def build_candidates(connection: duckdb.DuckDBPyConnection, rules: AmountRules) -> None:
    """Makes ``tariff_line``, ``setting``, ``reading``, ``figure``, ``addon_person``, ``candidate`` (every reading of every case); ``limit_row``, ``limit_word`` empty.

    ``candidate``: ``key, place, kind, base`` (without add-ons), ``low, high, step`` (what with them may be paid), ``slack`` (below ``low``
    that is right, too), ``lines`` and their ``figures``. ``rules`` come from ``tariffs.amount_rules``.
    """
    connection.execute(_TABLES)
    parts: dict[str, list[str]] = {}
    for line in rules.lines:
        if line.per != "member" and line.part not in parts.setdefault(line.programme, []):
            parts[line.programme].append(line.part)
    for line in rules.lines:
        part = parts[line.programme].index(line.part) if line.per != "member" else -1
        connection.execute("INSERT INTO tariff_line VALUES (?,?,?,?)", [line.no, part, line.per, line.fen])
    for code, one in rules.settings.items():
        kinds = list(rules.kinds.get(code, ())) or [""]
        connection.execute(
            "INSERT INTO setting VALUES (?,?,?,?,?)", [code, one.unit_fen, one.round_up, one.tolerance_fen, kinds]
        )
    connection.execute(_READING)
    connection.execute("CREATE TABLE choice (key BIGINT, kind VARCHAR, no INT)")
    for code, names in parts.items():
        for name in names:
            lines = [one for one in rules.lines if (one.programme, one.part) == (code, name) and one.per != "member"]
            connection.execute(_CHOICE.format(picked=_first_that_holds(lines)), [code])
    connection.execute("DELETE FROM choice WHERE no IS NULL")
    connection.execute(_FIGURE)
    _members(connection, rules)
    _most(connection, rules)
    for code, names in parts.items():
        connection.execute(_COMBINED.format(combined=_parts(code, len(names))))
    connection.execute(_UNKNOWN)


def judge_amounts(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes ``verdict``: whether the roll's amount fits one of the case's candidates, and in which range it should lie.

    After ``caps.apply_limits``, which fills ``limit_row`` and ``limit_word``.
    """
    connection.execute(_VERDICT)


def _first_that_holds(lines: list[Line]) -> str:
    """SQL list of the lines that may count: each that holds, or may, while none before it surely holds."""
    return ", ".join(
        f"CASE WHEN {' AND '.join([f'({one.sql}) IS NOT FALSE', *(f'({before.sql}) IS NOT TRUE' for before in lines[:at])])} THEN {one.no} END"
        for at, one in enumerate(lines)
    )


def _parts(code: str, number: int) -> str:
    """SQL of one row a combination of the parts' figures: ``key, place, kind, base, nos, fens``. A part without any leaves nothing."""
    joins = " ".join(
        f"JOIN figure p{at} ON p{at}.key = p0.key AND p{at}.kind = p0.kind AND p{at}.part = {at}"
        for at in range(1, number)
    )
    columns = [f"p{at}" for at in range(number)]
    return (
        f"SELECT p0.key, greatest({', '.join(f'{one}.place' for one in columns)}) AS place, p0.kind, {' + '.join(f'{one}.fen' for one in columns)} AS base,"
        f" [{', '.join(f'{one}.no' for one in columns)}] AS nos, [{', '.join(f'{one}.fen' for one in columns)}] AS fens"
        f" FROM figure p0 JOIN reading r ON r.key = p0.key AND r.kind = p0.kind AND r.programme = '{code}' {joins} WHERE p0.part = 0"
    )


def _members(connection: duckdb.DuckDBPyConnection, rules: AmountRules) -> None:
    by_programme: dict[str, list[Line]] = {}
    for line in rules.lines:
        if line.per == "member":
            by_programme.setdefault(line.programme, []).append(line)
    for code, lines in by_programme.items():
        names = [f"c{line.no}" for line in lines]
        connection.execute(
            _MEMBERS.format(
                conditions=", ".join(f"{line.sql} AS {name}" for line, name in zip(lines, names, strict=True)),
                low=", ".join(f"CASE WHEN {n} THEN {line.fen} ELSE 0 END" for line, n in zip(lines, names, strict=True)),
                high=", ".join(f"CASE WHEN {n} IS NOT FALSE THEN {line.fen} ELSE 0 END" for line, n in zip(lines, names, strict=True)),
                hits=", ".join(f"CASE WHEN {n} THEN {line.no} END" for line, n in zip(lines, names, strict=True)),
                possible=" OR ".join(f"{name} IS NOT FALSE" for name in names),
            ),
            [code],
        )  # fmt: skip


def _most(connection: duckdb.DuckDBPyConnection, rules: AmountRules) -> None:
    """``most``: by programme and category the highest add-on, and the step: with one add-on for all the amount stands whole steps above the base."""
    connection.execute("CREATE TABLE most (programme VARCHAR, kind VARCHAR, most BIGINT, step BIGINT)")
    for code in rules.settings:
        for kind in rules.kinds.get(code, ()) or ("",):
            found = {
                line.fen or 0
                for line in rules.lines
                if line.programme == code and line.per == "member" and line.kind in ("", kind)
            }
            step = next(iter(found)) if len(found) == 1 else 1
            connection.execute("INSERT INTO most VALUES (?,?,?,?)", [code, kind, max(found, default=0), max(1, step)])
