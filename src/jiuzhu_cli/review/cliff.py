"""悬崖效应: what a household loses when its income reaches a line, over all that is bound to the line, before and after a change of policy.

The lines are read off the programmes' own rules (income below something), what is bound to them off the relations E and the tariff tables. Households
of 1 to 5 grown-up, healthy persons one 元 a month below the line and at it are put through the SQL of the review as rolls of their own, so that an amount
here is what the review would pay. What depends on a person (a disability, an age) is named beside it with its sum, for it is not theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.expression import parse, word_of, words_of
from jiuzhu_cli.policy.formula import exactly
from jiuzhu_cli.policy.model import Programme
from jiuzhu_cli.review.eligibility import LISTED, REVIEWED, WORDS, standards_on
from jiuzhu_cli.review.readings import rows_of
from jiuzhu_cli.review.simulate_state import judge_state, ladder, relations_in_force
from jiuzhu_cli.review.tariffs import Line, amount_rules

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

SIZES = (1, 2, 3, 4, 5)
PER_HEAD, WHOLE = ("家庭人均月收入",), ("家庭月收入", "家庭月收入合计")
STANDARD = "当地低保标准"
_FITS = """
SELECT target, case_no FROM cliff.qualifies
UNION ALL SELECT programme, case_no FROM cliff.state WHERE unit = 'household' AND key NOT IN (SELECT key FROM cliff.failed)
"""
YUAN = 1200  # one 元 a month in twelfths of 分


@dataclass(frozen=True, slots=True)
class Bar:
    """An upper bound on income: ``head12`` a head in twelfths of 分 a month, exactly; ``within``: who is just at it is still inside."""

    programme: str
    rule: str
    kind: str
    head12: Fraction
    per_head: bool
    within: bool
    source: str


@dataclass(slots=True)
class Cliff:
    """``falls``: a row by policy (before, after), line and size; ``near``: real households within ``percent`` % of each line by town."""

    falls: list[dict[str, Any]]
    near: list[dict[str, Any]]
    percent: int


def find_cliff(
    connection: duckdb.DuckDBPyConnection, before: Policy, after: Policy, month: str, *, today: date, near_percent: int
) -> Cliff:
    """Needs the schema ``before`` of ``simulate_state`` for the real households; makes and drops its own."""
    falls: list[dict[str, Any]] = []
    near: list[dict[str, Any]] = []
    for when, policy in (("before", before), ("after", after)):
        lines = income_lines(policy, month)
        falls += [{"policy": when, **one} for one in _falls(connection, policy, month, lines, today)]
        near += [{"policy": when, **one} for one in _near(connection, policy, lines, near_percent)]
    return Cliff(falls, near, near_percent)


def income_lines(policy: Policy, month: str) -> list[Bar]:
    """The upper bounds on income in the rules of the programmes that are reviewed, by category."""
    from sqlglot import exp

    day = first_day(month)
    found: list[Bar] = []
    for p in policy.programmes.values():
        if p.benefit not in REVIEWED or (p.since and day < p.since) or (p.until and day > p.until):
            continue
        for rule in p.rules:
            if (rule.since and day < rule.since) or (rule.until and day > rule.until):
                continue
            where = p.at(f"{p.name}规则“{rule.name}”")
            for node in parse(rule.expression, where).find_all(exp.LT, exp.LTE, exp.GT, exp.GTE):
                left, right = node.this, node.expression
                if isinstance(node, exp.GT | exp.GTE):
                    left, right = right, left
                word = word_of(left) if isinstance(left, exp.Column) else ""
                if word not in (*PER_HEAD, *WHOLE):
                    continue
                for kind, standard in standards_on(policy, month).items():
                    value = _value(policy, right, day, Fraction(standard.amount_fen, 100), where)
                    if value is not None and value > 0:
                        within = isinstance(node, exp.LTE | exp.GTE)
                        found.append(Bar(p.code, rule.name, kind, value * YUAN, word in PER_HEAD, within, rule.source))
    return found


def _value(policy: Policy, node: Any, day: date, standard: Fraction, where: str) -> Fraction | None:
    from sqlglot import exp

    words = {word_of(one) for one in node.find_all(exp.Column)}
    try:
        values: dict[str, Any] = {
            name: policy.parameter(name, day).value for name in words if name in policy.parameters.names()
        }
    except PolicyError:
        return None
    if STANDARD in words:  # as a number of formulas: no fraction is lost, standards have whole 分
        values[STANDARD] = _decimal(standard)
    try:
        return exactly(node, values, where)
    except PolicyError:
        return None


def _decimal(value: Fraction) -> Any:
    from decimal import Decimal

    return Decimal(value.numerator) / Decimal(value.denominator)


def _points(lines: Iterable[Bar]) -> dict[tuple[str, int, int, Bar], tuple[int, int]]:
    """By (category, size, …): the household's income in twelfths of 分 one 元 a month below the line, and at it."""
    found = {}
    for line in lines:
        for size in SIZES:
            limit = line.head12 * (size if line.per_head else 1)
            at = limit.__floor__() + 1 if line.within else limit.__ceil__()
            found[line.kind, size, 0, line] = (max(0, at - YUAN), at)
    return found


def _falls(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, lines: list[Bar], today: date
) -> list[dict[str, Any]]:
    points = _points(lines)
    steps = ladder(policy)
    codes = list(dict.fromkeys([*(line.programme for line in lines), *(p.code for p in steps)]))
    wanted = sorted({(kind, size, income) for (kind, size, _, _), pair in points.items() for income in pair})
    cases: dict[tuple[str, str, int, int], int] = {}
    rows: list[tuple[Any, ...]] = []
    born = f"{int(month[:4]) - 40}0101"
    for code in codes:
        alone = policy.programmes[code].unit == "person"
        for kind, size, income in wanted:
            if alone and size > 1:
                continue
            number = cases[code, kind, size, income] = len(cases) + 1
            for member in range(size):
                id_no = f"{len(rows):06d}{born}0010"
                rows.append((code, month, 1 + codes.index(code), number, int(member == 0), id_no, kind, size, income))
    try:
        connection.execute("CREATE SCHEMA cliff; SET search_path = 'cliff,main'")
        connection.execute(
            "CREATE TABLE cliff.roll AS FROM main.roll LIMIT 0; CREATE TABLE cliff.register AS FROM main.register LIMIT 0;"
            "CREATE TABLE cliff.coverage AS FROM main.coverage LIMIT 0; CREATE TABLE cliff.register_coverage AS FROM main.register_coverage LIMIT 0"
        )
        _insert(connection, rows)
        for code in codes:
            connection.execute("INSERT INTO cliff.coverage (programme, area, month) VALUES (?, '', ?)", [code, month])
        for register in ("disability_certificate", "severe_illness", "school_enrolment"):
            connection.execute("INSERT INTO cliff.register_coverage (register, area) VALUES (?, '')", [register])
        judge_state(connection, "cliff", policy, month, today=today)
        paid = {
            row[0]: (row[1], row[2])
            for row in connection.execute(
                "SELECT s.case_no, min(a.low), max(a.high) FROM cliff.amount a JOIN cliff.state s USING (key) GROUP BY s.case_no"
            ).fetchall()
        }
        places = {number: (kind, size, income) for (_, kind, size, income), number in cases.items()}
        fits: dict[tuple[str, int, int], set[str]] = {}
        for target, case in connection.execute(_FITS).fetchall():
            fits.setdefault(places[case], set()).add(target)
    finally:
        connection.execute("SET search_path = 'main'; DROP SCHEMA IF EXISTS cliff CASCADE")
    bound = _Bound(policy, month)
    falls = []
    for (kind, size, _, line), (low, at) in points.items():
        own = policy.programmes[line.programme]
        if own.unit == "person" and size > 1:
            continue
        here = cases[own.code, kind, size, low]
        next_ = next((p for p in steps if p.code != own.code and p.code in fits.get((kind, size, at), ())), None)
        falls.append(_fall(line, size, (low, at), own, next_, paid.get(here), paid.get(cases[next_.code, kind, size, at]) if next_ else (0, 0), bound))  # fmt: skip
    return sorted(
        falls,
        key=lambda f: (-(f["loss_high_fen"] or 0) - f["more_fen"], f["line"], f["kind"], f["size"], f["programme"]),
    )


def _fall(
    line: Bar, size: int, income: tuple[int, int], own: Programme, next_: Programme | None, below: tuple[int, int] | None,
    above: tuple[int, int] | None, bound: _Bound,
) -> dict[str, Any]:  # fmt: skip
    lost = bound.of(own.code, line.kind)
    kept = bound.of(next_.code, line.kind) if next_ else []
    keys = {(one["programme"], one["label"], one["when"]) for one in kept}
    free = {one["programme"] for one in kept if not one["when"] and not one["fen"]}
    gone = [
        one
        for one in lost
        if (one["programme"], one["label"], one["when"]) not in keys and one["programme"] not in free
    ]
    had = {(one["programme"], one["label"], one["when"]) for one in lost}
    won = [one for one in kept if (one["programme"], one["label"], one["when"]) not in had]
    known = below is not None and above is not None
    return {
        "line": float(round(line.head12 / YUAN, 2)),
        "rule": line.rule,
        "kind": line.kind,
        "size": size,
        "programme": own.code,
        "next": next_.code if next_ else "",
        "income_below_fen": income[0] // 12,
        "income_at_fen": income[1] // 12,
        "below_low_fen": below[0] if below else None,
        "below_high_fen": below[1] if below else None,
        "at_low_fen": above[0] if above else None,
        "at_high_fen": above[1] if above else None,
        "loss_low_fen": below[0] - above[1] if below and above and known else None,
        "loss_high_fen": below[1] - above[0] if below and above and known else None,
        "more_fen": _most(gone),
        "lost": gone,
        "gained": won,
        "source": line.source,
    }


def _most(lost: list[dict[str, Any]]) -> int:
    """What one person who meets the conditions may lose beside: of each programme the highest sum."""
    highest: dict[str, int] = {}
    for one in lost:
        if one["fen"]:
            highest[one["programme"]] = max(highest.get(one["programme"], 0), one["fen"][1])
    return sum(highest.values())


class _Bound:
    """What being in a programme brings beside its own amount: by relations E, by add-ons of members, by lines of others that ask for it."""

    def __init__(self, policy: Policy, month: str) -> None:
        self.policy = policy
        self.relations = [
            one for one in relations_in_force(policy, month, "E")
            if one.a != one.b and one.a in policy.programmes and one.b in policy.programmes
        ]  # fmt: skip
        self.others = {
            one.b for one in relations_in_force(policy, month, "E") if one.a == "*" or one.a.startswith("register:")
        }
        paying = [p for p in policy.programmes.values() if p.benefit in REVIEWED and p.benefit != "status"]
        self.lines = amount_rules(policy, month, paying, WORDS).lines
        self.whens = {
            (p.code, t.label, amount): t.when for p in paying for t in p.tariffs for amount in t.amounts.values()
        }  # fmt: skip

    def of(self, code: str, kind: str) -> list[dict[str, Any]]:
        """``programme, label, when`` ('' for everyone), ``fen`` (low, high) or None in kind, ``basis``."""
        found: list[dict[str, Any]] = []
        for one in self.relations:
            if one.a == code and one.b not in self.others:
                sums = [line.fen for line in self.lines if line.programme == one.b and line.fen and line.per != "member" and line.kind in ("", kind)]  # fmt: skip
                found.append(_entry(one.b, "", one.when, (min(sums), max(sums)) if sums else None, one.basis))
        words = {word for word, programmes in LISTED.items() if code in programmes}
        for line in self.lines:
            when = self.whens.get((line.programme, line.label, line.amount), "")
            if line.fen is None or line.kind not in ("", kind):
                continue
            if line.programme == code and line.per == "member":
                found.append(_entry(code, line.label, when, (line.fen, line.fen), ""))
            elif line.programme != code and when and words & set(words_of(when)):
                more = line.fen - self._else(line, when)
                if more > 0:
                    found.append(_entry(line.programme, line.label or "标准", when, (more, more), ""))
        return found

    def _else(self, line: Line, when: str) -> int:
        """What the same table pays to whoever is on no such roll, where a later line is for everybody else of the same condition."""
        for other in self.lines:
            told = self.whens.get((other.programme, other.label, other.amount), "").strip()
            same = (other.programme, other.part) == (line.programme, line.part) and other.no > line.no
            if same and told in when and not LISTED.keys() & set(words_of(told) if told else ()):
                return other.fen or 0
        return 0


def _entry(programme: str, label: str, when: str, fen: tuple[int, int] | None, basis: str) -> dict[str, Any]:
    return {"programme": programme, "label": label, "when": when, "fen": list(fen) if fen else None, "basis": basis}


def _insert(connection: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> None:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    names = ("programme", "month", "batch_id", "case_no", "lead", "id_no", "category", "household_size", "income_fen")
    types = (
        pa.string(),
        pa.string(),
        pa.int64(),
        pa.int64(),
        pa.int64(),
        pa.string(),
        pa.string(),
        pa.int64(),
        pa.int64(),
    )
    data = pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)})
    connection.register("made", data)
    connection.execute("""
    INSERT INTO cliff.roll BY NAME
    SELECT m.*, row_number() OVER () AS row_id, household_size AS covered_persons, 'year' AS income_period, '' AS area, '示例' AS town, '' AS village, '示例' AS name,
      1 AS table_no, '自理' AS self_care FROM made m
    """)
    connection.unregister("made")


def _near(
    connection: duckdb.DuckDBPyConnection, policy: Policy, lines: list[Bar], percent: int
) -> list[dict[str, Any]]:
    """Households on rolls, each once, whose income a head is within ``percent`` % of a line: ``below`` and ``at`` (or above) it by town."""
    found: list[dict[str, Any]] = []
    distinct = {(line.kind, line.head12): line for line in lines if line.per_head}
    for (kind, head12), _ in sorted(distinct.items(), key=lambda one: (one[0][0], one[0][1])):
        over, under = head12.numerator, head12.denominator
        rows = rows_of(
            connection,
            f"""
            SELECT town, count(*) FILTER (below) AS below, count(*) FILTER (NOT below) AS at FROM (
              SELECT DISTINCT ON (id_no) town, CAST(income12 AS HUGEINT) * {under} < CAST({over} AS HUGEINT) * size AS below FROM before.facts
              WHERE unit = 'household' AND town_kind = ? AND income12 IS NOT NULL AND size > 0 AND NOT dead
                AND abs(CAST(income12 AS HUGEINT) * {under} - CAST({over} AS HUGEINT) * size) * 100 <= CAST({over} AS HUGEINT) * size * {int(percent)}
              ORDER BY id_no, key) GROUP BY town ORDER BY town
            """,
            [kind],
        )
        programmes = sorted({line.programme for line in lines if (line.kind, line.head12) == (kind, head12)})
        found += [
            {"line": float(round(head12 / YUAN, 2)), "kind": kind, "programmes": programmes, **row} for row in rows
        ]
    return found
