"""What each case should be paid: all cases at once in DuckDB. (One case in words: ``steps``.)

Amounts are whole 分. A household's 补差 is 标准 × 保障人数 − 家庭月收入, kept in twelfths of 分 and rounded once, at the end:
neither the year's income ÷ 12 nor an income per head is rounded first, so (632 − 1894/3) × 3 is 2.00 元 and never 3.
分类施保 counts once per person, by the highest that applies. Where a fact is not told, every reading counts as a candidate:
an amount that fits one of them is right, one that fits none is a difference, and several different candidates are a ``check``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.model import ParameterValue, Programme
from jiuzhu_cli.review.eligibility import standards_on

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

KINDS = {"urban": "城市", "rural": "农村"}
CARE = {"care_self": "自理", "care_partial": "半自理", "care_full": "全护理"}
GRADES = {"一级": 1, "二级": 2, "三级": 3, "四级": 4}
ADDONS = {"elder": "老年人", "minor": "未成年人", "severe": "重度残疾人", "ill": "重病患者"}


@dataclass(frozen=True, slots=True)
class Tariff:
    """One dated amount and whom it is for; an empty condition holds for all."""

    programme: str
    part: str  # basic, care, amount
    fen: int
    value: ParameterValue
    town_kind: str = ""
    care: str = ""
    grades: tuple[int, ...] = ()
    age_from: int | None = None
    age_to: int | None = None
    poor: bool | None = None


@dataclass(slots=True)
class AmountRules:
    """The month's parameters for amounts, looked up once. ``missing``: sentences on what cannot be computed."""

    month: str
    standards: dict[str, ParameterValue] = field(default_factory=dict)
    addons: dict[tuple[str, str], ParameterValue] = field(default_factory=dict)  # (elder…, 城市/农村)
    unit_fen: int = 1
    round_up: bool = False
    rounding: tuple[ParameterValue, ...] = ()
    elder_months: int = 60 * 12
    minor_months: int = 18 * 12
    tolerance_fen: int = 0  # 收入波动不调额幅度
    tariffs: list[Tariff] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    used: list[ParameterValue] = field(default_factory=list)


def amount_rules(policy: Policy, month: str, programmes: Iterable[Programme]) -> AmountRules:
    """Reads what the amount formulas of ``programmes`` need on the month's first day."""
    rules = AmountRules(month)
    day = first_day(month)

    def value(name: str | None) -> ParameterValue | None:
        found = policy.parameter_or_none(name, day) if name else None
        if found is not None and found.value != 0:  # 0 is how a place says that it has no such rule
            rules.used.append(found)
        return found

    for programme in programmes:
        roles = programme.review.parameters
        kind = programme.review.amount
        if kind == "top_up":
            rules.standards = standards_on(policy, month)
            rules.used += rules.standards.values()
            rules.missing += [
                f"{programme.name}：没有 {month} 的“{roles.get(f'standard_{role}', name)}”，该类家庭没有核算"
                for role, name in KINDS.items()
                if name not in rules.standards
            ]
            unit, up = value(roles.get("rounding")), value(roles.get("rounding_up"))
            rules.unit_fen = max(1, fen_of(unit)) if unit else 1
            rules.round_up = bool(up and up.value is True)
            rules.rounding = tuple(one for one in (unit, up) if one)
            elder, minor = value(roles.get("elder_age")), value(roles.get("minor_age"))
            rules.elder_months = int(Decimal(elder.value) * 12) if elder else rules.elder_months
            rules.minor_months = int(Decimal(minor.value) * 12) if minor else rules.minor_months
            tolerance = value(roles.get("income_tolerance"))
            rules.tolerance_fen = fen_of(tolerance) if tolerance else 0
            for role, town_kind in KINDS.items():
                for what in ADDONS:
                    addon = value(roles.get(f"addon_{what}_{role}"))
                    if addon is not None and fen_of(addon):
                        rules.addons[(what, town_kind)] = addon
        elif kind:
            rules.tariffs += _tariffs(programme, value, rules)
    return rules


def fen_of(value: ParameterValue) -> int:
    """The parameter in 分; PolicyError when it is no whole number of 分."""
    try:
        return value.amount_fen
    except ValueError as error:
        raise PolicyError(
            f"参数“{value.name}”的值 {value.value}{value.unit} 不是整分的金额", "改正后运行 jiuzhu policy check"
        ) from error


def _tariffs(programme: Programme, value: Any, rules: AmountRules) -> list[Tariff]:
    """The roles of a programme as tariffs: ``basic_*``, ``care_*``, ``amount``, ``amount_<等级>``, ``amount_<年龄>[_poor]``."""
    found: list[Tariff] = []
    ages = sorted(
        {
            int(role.split("_")[1])
            for role in programme.review.parameters
            if role[:7] == "amount_" and role[7:8].isdigit()
        }
    )
    graded = tuple(
        GRADES[role[7:]] for role, name in programme.review.parameters.items()
        if role.startswith("amount_") and role[7:] in GRADES and value(name) is not None
    )  # fmt: skip
    for role, name in programme.review.parameters.items():
        part, _, rest = role.partition("_")
        if part not in ("basic", "care", "amount"):
            continue
        one = value(name)
        if one is None:
            if part != "amount":
                rules.missing.append(f"{programme.name}：没有 {rules.month} 的“{name}”")
            continue
        base = {"programme": programme.code, "part": part, "fen": fen_of(one), "value": one}
        if part == "basic":
            found.append(Tariff(**base, town_kind=KINDS[rest]))
        elif part == "care":
            found.append(Tariff(**base, care=CARE[role]))
        elif not rest:
            others = tuple(g for g in GRADES.values() if g not in graded)
            if others:
                found.append(Tariff(**base, grades=others if graded else ()))
        elif rest[0].isdigit():
            low = int(rest.split("_")[0])
            higher = [age for age in ages if age > low]
            both = f"amount_{low}_poor" in programme.review.parameters
            poor = rest.endswith("_poor") if both else None
            found.append(Tariff(**base, age_from=low, age_to=higher[0] - 1 if higher else None, poor=poor))
        elif rest in GRADES:
            found.append(Tariff(**base, grades=(GRADES[rest],)))
    return found


_TOP_UP = """
CREATE TABLE addon_person AS
WITH who AS (
  SELECT DISTINCT ON (p.batch_id, p.case_no, p.id_no, k.kind) p.batch_id, p.case_no, p.id_no, p.name, f.key, k.kind, p.age_months,
    CASE WHEN p.grade_no IS NOT NULL THEN p.grade_no <= 2 WHEN p.certified IS NULL AND NOT f.has_disability THEN NULL ELSE false END AS severe,
    CASE WHEN p.listed_ill THEN true WHEN p.illness IS NULL AND (f.has_illness OR p.listed_ill IS NOT NULL) THEN false END AS ill,
    k.elder, k.minor, k.severe AS severe_fen, k.ill AS ill_fen
  FROM person p JOIN facts f USING (batch_id, case_no) JOIN kind k ON f.town_kind IS NULL OR f.town_kind = k.kind
  WHERE f.amount_rule = 'top_up' AND NOT p.leaves AND greatest(k.elder, k.minor, k.severe, k.ill) > 0
)
SELECT *, greatest(CASE WHEN age_months > {elder} THEN elder ELSE 0 END, CASE WHEN age_months < {minor} THEN minor ELSE 0 END,
                   CASE WHEN severe THEN severe_fen ELSE 0 END, CASE WHEN ill THEN ill_fen ELSE 0 END) AS low,
  -- the month of the birthday counts either way: 满龄当月或次月起 is a local custom
  greatest(CASE WHEN age_months >= {elder} OR age_months IS NULL THEN elder ELSE 0 END,
           CASE WHEN age_months <= {minor} OR age_months IS NULL THEN minor ELSE 0 END,
           CASE WHEN severe IS DISTINCT FROM false THEN severe_fen ELSE 0 END, CASE WHEN ill IS DISTINCT FROM false THEN ill_fen ELSE 0 END) AS high
FROM who;

INSERT INTO candidate
WITH addons AS (
  SELECT key, kind, sum(low) AS low, sum(high) AS high, max(high) AS most FROM addon_person GROUP BY key, kind
), living AS (
  SELECT f.*, k.kind, k.standard, greatest(k.elder, k.minor, k.severe, k.ill) AS most_fen, k.step,
    f.covered - CASE WHEN f.listed <= f.covered THEN f.leaving ELSE 0 END AS persons,
    f.size - CASE WHEN f.listed <= f.size THEN f.leaving ELSE 0 END AS all_persons
  FROM facts f JOIN kind k ON f.town_kind IS NULL OR f.town_kind = k.kind
  WHERE f.amount_rule = 'top_up' AND f.income12 IS NOT NULL AND f.covered IS NOT NULL AND k.standard IS NOT NULL
), short AS (
  SELECT *, 1 AS reading, CAST(standard * 12 * persons - income12 AS HUGEINT) AS top, CAST(12 AS HUGEINT) AS bottom FROM living
  UNION ALL
  -- 差额 × 人数 where part of the household is covered: the same household read per head, still one fraction
  SELECT *, 2, CAST(standard * 12 * all_persons - income12 AS HUGEINT) * persons, CAST(12 * all_persons AS HUGEINT)
  FROM living WHERE all_persons > persons AND persons > 0
), based AS (
  SELECT *, CAST(CASE WHEN top <= 0 OR persons <= 0 THEN 0
    WHEN {up} THEN (top + bottom * {unit} - 1) // (bottom * {unit}) * {unit}
    ELSE (2 * top + bottom * {unit}) // (2 * bottom * {unit}) * {unit} END AS BIGINT) AS base
  FROM short
), ranged AS (
  SELECT b.*, CASE WHEN b.base = 0 THEN 0 WHEN b.listed > b.covered THEN 0 ELSE coalesce(a.low, 0) END AS addon_low,
    CASE WHEN b.base = 0 THEN 0 ELSE coalesce(a.high, 0) + greatest(0, b.covered - b.listed) * b.most_fen END AS addon_high,
    coalesce(b.addon_fen, CASE WHEN b.base_fen IS NOT NULL THEN b.amount_fen - b.base_fen - coalesce(b.care_fen, 0) END) AS stated
  FROM based b LEFT JOIN addons a ON a.key = b.key AND a.kind = b.kind
)
SELECT key, reading, kind, '', base, 0,
  base + CASE WHEN told THEN stated ELSE addon_low END, base + CASE WHEN told THEN stated ELSE addon_high END, step, []
FROM (SELECT *, coalesce(stated BETWEEN addon_low AND addon_high AND (stated - addon_low) % step = 0, false) AS told FROM ranged);
"""

_TARIFF = """
INSERT INTO candidate
WITH fitting AS (
  SELECT f.key, t.no, t.part, t.fen, t.town_kind, t.care
  FROM facts f JOIN tariff t ON t.programme = f.programme
  WHERE f.amount_rule <> 'top_up' AND NOT f.dead
    AND (t.town_kind = '' OR f.town_kind IS NULL OR f.town_kind = t.town_kind)
    AND (t.care = '' OR f.care_word IS NULL OR f.care_word = t.care)
    AND (len(t.grades) = 0 OR f.grade_no IS NULL OR list_contains(t.grades, f.grade_no))
    AND (t.age_from IS NULL OR f.age IS NULL OR (f.age_months >= t.age_from * 12 AND (t.age_to IS NULL OR f.age_months <= (t.age_to + 1) * 12)))
    AND (t.poor IS NULL OR t.poor = (CASE WHEN f.on_subsistence OR f.on_extreme OR f.on_margin THEN true
         WHEN f.on_subsistence IS NULL OR f.on_extreme IS NULL OR f.on_margin IS NULL THEN NULL ELSE false END)
      OR (f.on_subsistence IS NOT TRUE AND f.on_extreme IS NOT TRUE AND f.on_margin IS NOT TRUE
          AND (f.on_subsistence IS NULL OR f.on_extreme IS NULL OR f.on_margin IS NULL)))
)
SELECT m.key, 1, m.town_kind, coalesce(c.care, ''), m.fen, coalesce(c.fen, 0), m.fen + coalesce(c.fen, 0), m.fen + coalesce(c.fen, 0), 1,
  list_filter([m.no, c.no], lambda x: x IS NOT NULL)
FROM fitting m LEFT JOIN fitting c ON c.key = m.key AND c.part = 'care'
WHERE m.part IN ('basic', 'amount');
"""

# a benefit that is topped up to a cap beside another (补差) is rightly less than its standard
_CAPPED = """
DELETE FROM candidate WHERE key IN (
  SELECT f.key FROM facts f JOIN person o ON o.id_no = f.id_no AND o.programme = ? WHERE f.programme = ? AND f.amount_rule <> 'top_up')
"""

_VERDICT = """
CREATE TABLE verdict AS
SELECT c.key, bool_or(f.amount_fen BETWEEN c.low AND c.high AND (f.amount_fen - c.low) % c.step = 0
    OR (f.amount_rule = 'top_up' AND c.base > 0 AND f.leaving = 0 AND f.amount_fen BETWEEN c.low - {tolerance} AND c.high + {tolerance} AND {tolerance} > 0)) AS fits, count(DISTINCT (c.low, c.high)) FILTER (c.place = 1) AS ways,
  min(c.low) FILTER (c.place = 1) AS low, max(c.high) FILTER (c.place = 1) AS high, max(c.step) FILTER (c.place = 1) AS step,
  min(c.low) AS least, max(c.high) AS most, list(DISTINCT c.low ORDER BY c.low) AS amounts, count(*) AS candidates
FROM candidate c JOIN facts f USING (key) GROUP BY c.key;
"""


def build_amounts(
    connection: duckdb.DuckDBPyConnection, rules: AmountRules, capped: Iterable[tuple[str, str]] = ()
) -> None:
    """Makes ``candidate`` (``key, place, town_kind, care, base, care_fen, low, high, step, tariffs``), ``addon_person`` and ``verdict``.

    ``capped``: pairs of programmes whose sum has a cap (relations T): who has both is paid less than the standard.
    """
    connection.execute(
        "CREATE TABLE candidate (key BIGINT, place INT, town_kind VARCHAR, care VARCHAR, base BIGINT, care_fen BIGINT, low BIGINT, high BIGINT, step BIGINT, tariffs INT[])"
    )
    connection.execute(
        "CREATE TABLE kind (kind VARCHAR, standard BIGINT, elder BIGINT, minor BIGINT, severe BIGINT, ill BIGINT, step BIGINT)"
    )
    for name in KINDS.values():
        row = [rules.addons[(what, name)].amount_fen if (what, name) in rules.addons else 0 for what in ADDONS]
        standard = rules.standards[name].amount_fen if name in rules.standards else None
        # one add-on for all: the amount can only stand whole steps above the base
        same = {one for one in row if one}
        connection.execute(
            "INSERT INTO kind VALUES (?,?,?,?,?,?,?)", [name, standard, *row, same.pop() if len(same) == 1 else 1]
        )
    connection.execute(
        _TOP_UP.format(
            elder=rules.elder_months,
            minor=rules.minor_months,
            unit=rules.unit_fen,
            up="true" if rules.round_up else "false",
        )
    )
    connection.execute(
        "CREATE TABLE tariff (no INT, programme VARCHAR, part VARCHAR, fen BIGINT, town_kind VARCHAR, care VARCHAR, grades INT[],"
        " age_from INT, age_to INT, poor BOOLEAN)"
    )
    for number, one in enumerate(rules.tariffs):
        connection.execute(
            "INSERT INTO tariff VALUES (?,?,?,?,?,?,?,?,?,?)",
            [number, one.programme, one.part, one.fen, one.town_kind, one.care, list(one.grades), one.age_from, one.age_to, one.poor],
        )  # fmt: skip
    connection.execute(_TARIFF)
    for first, second in capped:
        connection.execute(_CAPPED, [first, second])
        connection.execute(_CAPPED, [second, first])
    connection.execute(_VERDICT.format(tolerance=rules.tolerance_fen))
