"""Facts of each case (户/人) in one month, and the programmes' eligibility rules over all of them at once.

``build_facts`` turns the snapshot's ``roll`` and ``register`` into DuckDB tables:

- ``person``: a row of the roll with ``age`` (full years on the month's last day), ``elder``/``minor`` months, ``died``,
  certificate ``grade``/``kind``/``certified``, ``severe`` (重度残疾), ``on_subsistence``, ``on_margin``, ``on_extreme``;
- ``facts``: a row of a case, with its lead's person facts and the case's figures (分); ``income12`` is the household's
  income in twelfths of 分 a month, so that a year's income is never rounded before the end.

What is not known is NULL, and a rule over it is neither passed nor failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day, last_day
from jiuzhu_cli.ledger.circumstances import at_school
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, death_day, death_stands
from jiuzhu_cli.policy.expression import Ratio, compile_rule, fen, words_of
from jiuzhu_cli.policy.model import ParameterValue, Programme, Rule
from jiuzhu_cli.review.income import build_income
from jiuzhu_cli.review.tariffs import by_care, by_income

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.review.income_rules import IncomeRules

REVIEWED = frozenset({"top_up", "graded", "fixed", "status"})  # what is paid or held month after month
STANDARDS = {"城市": "低保标准_城市", "农村": "低保标准_农村"}
# word of a rule → programmes any of whose rolls makes it true
LISTED = {
    "在册低保": ("subsistence_allowance", "single_person_allowance"),
    "在册低保边缘": ("low_income_margin",),
    "在册特困": ("extreme_poverty_support",),
}
INVALID_CERTIFICATE = "注销|冻结|过期|失效|作废|无效|停用|死亡|迁出"
_GRADE = (
    "CASE WHEN {0} IS NULL THEN NULL WHEN regexp_matches({0}, '一|1|壹|Ⅰ') THEN 1 WHEN regexp_matches({0}, '二|2|贰|Ⅱ') THEN 2"
    " WHEN regexp_matches({0}, '三|3|叁|Ⅲ') THEN 3 WHEN regexp_matches({0}, '四|4|肆|Ⅳ') THEN 4 END"
)
_KIND = (
    "CASE WHEN {0} IS NULL THEN NULL WHEN {0} LIKE '%多重%' THEN '多重' WHEN {0} LIKE '%智力%' THEN '智力' WHEN {0} LIKE '%精神%' THEN '精神'"
    " WHEN {0} LIKE '%肢体%' THEN '肢体' WHEN {0} LIKE '%视力%' THEN '视力' WHEN {0} LIKE '%听力%' THEN '听力' WHEN {0} LIKE '%言语%' OR {0} LIKE '%语言%' THEN '言语' END"
)
# words of 生活自理能力: part first, for 部分丧失自理能力 holds both 丧失 and 自理; 轻/中/重度失能 name no tier of this scale
CARE = (
    "CASE WHEN {0} IS NULL THEN NULL WHEN regexp_matches({0}, '半|部分') THEN '半自理' WHEN regexp_matches({0}, '[轻中重]度') THEN NULL"
    " WHEN regexp_matches({0}, '不能|完全丧失|全护理|失能|无自理|不具备|不自理|全丧失|无生活自理') THEN '全护理'"
    " WHEN regexp_matches({0}, '自理|具备|完好|正常') THEN '自理' END"
)

_PERSON = f"""
CREATE TABLE certificate AS
SELECT id_no, {_GRADE.format("grade")} AS grade, {_KIND.format("kind")} AS kind,
       (status IS NULL OR NOT regexp_matches(status, '{INVALID_CERTIFICATE}'))
         AND (valid_to IS NULL OR valid_to >= '{{last}}') AND (valid_from IS NULL OR valid_from <= '{{last}}') AS valid
FROM register WHERE register = 'disability_certificate'
QUALIFY row_number() OVER (PARTITION BY id_no ORDER BY valid DESC, valid_from DESC NULLS LAST, row_id DESC) = 1;

CREATE TABLE death AS
SELECT id_no, min({death_day()}) AS died, list(DISTINCT name) AS names, min(file_name) AS file_name
FROM register WHERE register IN {DEATH_REGISTERS} AND {death_stands("status")} GROUP BY id_no
HAVING died IS NULL OR died <= '{{last}}';

CREATE TABLE ill AS SELECT DISTINCT id_no FROM register WHERE register = 'severe_illness';

CREATE TABLE listed_in AS
-- 低保 includes 单人保: who has it lives on the allowance as the others do
SELECT id_no, bool_or(programme IN ('subsistence_allowance', 'single_person_allowance')) AS subsistence, bool_or(programme = 'low_income_margin') AS margin,
       bool_or(programme = 'extreme_poverty_support') AS extreme
FROM roll WHERE month = '{{month}}' AND programme IN ('subsistence_allowance', 'single_person_allowance', 'low_income_margin', 'extreme_poverty_support') GROUP BY id_no;

CREATE TABLE covered_town AS
SELECT DISTINCT r.town, c.programme FROM (SELECT DISTINCT town FROM roll) r JOIN coverage c
ON c.month = '{{month}}' AND (c.area = r.town OR starts_with(c.area, r.town || '/')
  -- a list of the whole district tells its towns; one without any is a single town's whose name was not read
  OR (c.area = '' AND EXISTS (SELECT 1 FROM roll w WHERE w.programme = c.programme AND w.month = c.month AND w.area = '' AND w.town <> '')));

-- a register tells who is not in it only of the towns it was imported for
CREATE TABLE covers AS
SELECT r.town, bool_or(c.register = 'disability_certificate') AS certificate, bool_or(c.register = 'school_enrolment') AS enrolment,
       bool_or(c.register = 'severe_illness') AS illness
FROM (SELECT DISTINCT town FROM roll) r JOIN register_coverage c ON c.area = '' OR c.area = r.town OR starts_with(c.area, r.town || '/')
GROUP BY r.town;

CREATE TABLE enrolled AS SELECT DISTINCT id_no FROM register WHERE {at_school("'{last}'")};
CREATE TABLE house AS SELECT id_no, max(upper(left(grade, 1))) AS house FROM register WHERE register = 'dilapidated_house_survey' GROUP BY id_no;

CREATE TABLE person AS
WITH dated AS (
  SELECT *, CASE WHEN length(id_no) = 18 THEN try_strptime(substr(id_no, 7, 8), '%Y%m%d') END AS born
  FROM roll WHERE month = '{{month}}'
)
SELECT d.* EXCLUDE (born, disability_grade, disability_kind, self_care),
  CAST(year(DATE '{{last}}') - year(born) - CAST(month(DATE '{{last}}') * 100 + day(DATE '{{last}}') < month(born) * 100 + day(born) AS INT) AS BIGINT) AS age,
  CAST({{month_index}} - (year(born) * 12 + month(born)) AS BIGINT) AS age_months,
  CASE WHEN length(d.id_no) = 18 THEN CASE WHEN CAST(substr(d.id_no, 17, 1) AS INT) % 2 = 1 THEN '男' ELSE '女' END END AS sex,
  CASE WHEN cf.valid THEN cf.grade ELSE {_GRADE.format("d.disability_grade")} END AS grade_no,
  CASE WHEN cf.valid THEN cf.kind WHEN cv.certificate AND d.disability_kind IS NULL AND d.disability_grade IS NULL THEN '无'
       ELSE {_KIND.format("d.disability_kind")} END AS kind_word,
  CASE WHEN cv.certificate THEN coalesce(cf.valid, false) WHEN cf.valid THEN true END AS certified,
  {CARE.format("d.self_care")} AS care_word,
  de.id_no IS NOT NULL AND (list_contains(de.names, d.name) OR len(de.names) = 0) AS dead,
  de.id_no IS NOT NULL AND NOT list_contains(de.names, d.name) AND len(de.names) > 0 AS dead_other_name,
  CASE WHEN i.id_no IS NOT NULL THEN true WHEN cv.illness THEN false END AS listed_ill,
  CASE WHEN en.id_no IS NOT NULL THEN true WHEN cv.enrolment THEN false END AS enrolled, ho.house,
  de.died, de.file_name AS death_file, sp.doubt_id AS stop_doubt, sp.basis AS stop_basis, sp.other_programme AS stop_other,
  CASE WHEN l.subsistence THEN true WHEN s.programme IS NOT NULL THEN false END AS on_subsistence,
  CASE WHEN l.margin THEN true WHEN m.programme IS NOT NULL THEN false END AS on_margin,
  CASE WHEN l.extreme THEN true WHEN x.programme IS NOT NULL THEN false END AS on_extreme
FROM dated d
LEFT JOIN certificate cf USING (id_no) LEFT JOIN death de USING (id_no) LEFT JOIN ill i USING (id_no) LEFT JOIN enrolled en USING (id_no) LEFT JOIN house ho USING (id_no)
LEFT JOIN covers cv ON cv.town = d.town LEFT JOIN listed_in l USING (id_no)
LEFT JOIN stop_person sp ON sp.id_no = d.id_no AND sp.programme = d.programme
  AND (sp.area = '' OR sp.area = d.town OR sp.area = d.area OR starts_with(sp.area, d.town || '/'))
LEFT JOIN covered_town s ON s.town = d.town AND s.programme = 'subsistence_allowance'
LEFT JOIN covered_town m ON m.town = d.town AND m.programme = 'low_income_margin'
LEFT JOIN covered_town x ON x.town = d.town AND x.programme = 'extreme_poverty_support';
"""

_LISTS = """
-- who no longer counts in the household: the dead, and members (not the lead) stopped by a decided doubt
ALTER TABLE person ADD COLUMN leaves BOOLEAN;
UPDATE person SET leaves = dead OR (stop_doubt IS NOT NULL AND lead = 0);

CREATE TABLE list_facts AS
SELECT batch_id, bool_or(income_fen IS NOT NULL) AS has_income, bool_or(assets_fen IS NOT NULL) AS has_assets,
  bool_or(base_fen IS NOT NULL) AS has_base, bool_or(kin_filed IS NOT NULL) AS has_kin,
  bool_or(care_word IS NOT NULL) AS has_care, bool_or(grade IS NOT NULL) AS has_grade,
  bool_or(grade_no IS NOT NULL) AS has_disability, bool_or(illness IS NOT NULL) AS has_illness, false AS has_members
FROM person GROUP BY batch_id;
"""
_MEMBERS = """
CREATE TABLE members AS
SELECT batch_id, case_no, coalesce(bool_or(grade_no <= 2 OR listed_ill), false) AS hardship, count(DISTINCT id_no) AS listed, count(DISTINCT id_no) FILTER (leaves) AS leaving,
  count(DISTINCT id_no) FILTER (dead) AS dead, max(died) FILTER (dead) AS died, string_agg(DISTINCT name, '、' ORDER BY name) FILTER (dead) AS dead_names,
  string_agg(DISTINCT name, '、' ORDER BY name) FILTER (dead_other_name) AS misnamed, string_agg(DISTINCT name, '、' ORDER BY name) FILTER (leaves AND NOT dead) AS stopped_names
FROM person GROUP BY batch_id, case_no;
UPDATE list_facts SET has_members = coalesce(has_members, false) OR batch_id IN (SELECT batch_id FROM members WHERE listed > 1);
"""
CASES = """
CREATE TABLE facts AS
SELECT row_number() OVER (ORDER BY p.programme, p.town, p.village, p.batch_id, p.case_no) AS key, p.* REPLACE (
    coalesce(mi.income12, p.income_fen) AS income_fen, CASE WHEN mi.income12 IS NOT NULL THEN 'year' ELSE p.income_period END AS income_period),
  p.income_fen AS stated_fen, p.income_period AS stated_period, mi.income12 IS NOT NULL AS measured, mi.persons AS measured_persons, mi.gap AS income_gap, mi.leads AS income_leads, m.hardship, cy.years AS clergy_years, m.listed, m.dead AS dead_listed, m.died AS last_died, m.leaving, m.dead_names, m.misnamed, m.stopped_names,
  l.has_income OR mi.income12 IS NOT NULL AS has_income, l.has_assets, l.has_base, l.has_kin, l.has_care, l.has_grade, l.has_members, l.has_disability, l.has_illness,
  CASE WHEN p.village = '' THEN p.town ELSE p.town || '/' || p.village END AS place,
  coalesce(k.canonical, w.canonical, CASE WHEN p.category IN ('城市', '农村') THEN p.category END) AS town_kind,
  coalesce(p.covered_persons, CASE WHEN u.unit = 'person' THEN 1 WHEN l.has_members THEN m.listed END, p.household_size) AS covered,
  coalesce(mi.persons, p.household_size, p.covered_persons, CASE WHEN u.unit = 'person' THEN 1 WHEN l.has_members THEN m.listed END) AS size,
  coalesce(mi.income12, CASE p.income_period WHEN 'year' THEN p.income_fen WHEN 'month' THEN p.income_fen * 12 END) AS income12,
  u.unit, u.benefit, u.by_income, u.by_care
FROM person p JOIN members m USING (batch_id, case_no) JOIN list_facts l USING (batch_id)
JOIN reviewed u ON u.programme = p.programme
LEFT JOIN clergy cy ON cy.id_no = p.id_no
LEFT JOIN measured_income mi ON mi.batch_id = p.batch_id AND mi.case_no = p.case_no
LEFT JOIN category_word k ON k.programme = p.programme AND k.word = p.category
LEFT JOIN category_word w ON w.programme = p.programme AND w.word = p.care_mode -- 养育方式: an orphan's class stands in a column of its own
WHERE p.lead = 1;
"""

# word of a rule (``policy.vocabulary``) → column of ``facts``; money is exact: 分 over 100, twelfths of 分 over 1200
WORDS: dict[str, str | Ratio] = {
    "年龄": "age", "当月年龄": "age", "性别": "sex", "类别": "town_kind", "供养方式": "care_mode",
    "残疾等级": "grade_no", "残疾类别": "kind_word", "持残疾证": "certified", "残疾证有效": "certified", "残疾证号": "disability_no",
    "自理能力": "care_word", "生活自理能力": "care_word", "劳动能力": "work_ability", "等次": "grade", "档次": "grade",
    "家庭人口": "size", "保障人数": "covered", "对象类型": "claimed_status", "身份类别": "claimed_status",
    "救助原因": "cause", "申请原因": "cause", "进度": "stage", "患病病种": "illness", "近亲属备案": "kin_filed",
    "起始月份": "start_month", "事件日期": "event_date",
    "家庭月收入": Ratio("income12", "1200"), "家庭月收入合计": Ratio("income12", "1200"), "家庭人均月收入": Ratio("income12", "1200 * size"),
    "家庭有重病重残": "hardship", "宗教教职年数": "clergy_years", "家庭金融资产": fen("assets_fen"), "家庭人均金融资产": Ratio("assets_fen", "100 * size"),
    "发放金额": fen("amount_fen"), "金额": fen("amount_fen"), "当地低保标准": fen("standard_fen"),
    "重病": "listed_ill", "在读": "enrolled", "危房等级": "house", "在册低保": "on_subsistence", "在册低保边缘": "on_margin", "在册特困": "on_extreme",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule of a programme compiled for the month; ``sql`` is three-valued over ``facts``."""

    number: int
    programme: str
    rule: Rule
    sql: str
    words: tuple[str, ...]  # columns of ``facts`` it reads, as written
    parameters: tuple[ParameterValue, ...]


def build_facts(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    stops: Sequence[Mapping[str, Any]] = (),
    lists: Mapping[int, Mapping[str, bool]] | None = None,
) -> IncomeRules | None:
    """Makes ``person``, ``list_facts``, ``members`` and ``facts`` (with ``standard_fen``) for the rolls of ``month``.

    Where a household's income was measured (``review.income``), it stands in ``income_fen``, ``income12`` and ``size``; the roll's own
    figure is ``stated_fen``. Returns the rules it was measured by.

    ``stops``: doubts decided as a stop (``ledger.doubts.confirmed_stops``). ``lists``: by batch, columns the whole list
    has, where the snapshot holds only some of its cases (``ledger.people.person_snapshot``).
    """
    connection.execute(
        "CREATE TABLE stop_person (id_no VARCHAR, programme VARCHAR, area VARCHAR, doubt_id VARCHAR, basis VARCHAR, other_programme VARCHAR)"
    )
    once = {(one["id_no"], one["programme"], one["area"]): one for one in stops}
    if once:
        fields = ("id_no", "programme", "area", "doubt_id", "basis", "other_programme")
        connection.executemany(
            "INSERT INTO stop_person VALUES (?,?,?,?,?,?)", [[one[f] for f in fields] for one in once.values()]
        )
    index = int(month[:4]) * 12 + int(month[5:])
    connection.execute(_PERSON.format(last=last_day(month).isoformat(), month=month, month_index=index))
    connection.execute(
        "CREATE TABLE reviewed (programme VARCHAR, unit VARCHAR, benefit VARCHAR, by_income BOOLEAN, by_care BOOLEAN)"
    )
    connection.execute("CREATE TABLE category_word (programme VARCHAR, word VARCHAR, canonical VARCHAR)")
    reviewed = [p for p in policy.programmes.values() if p.benefit in REVIEWED]
    connection.executemany(
        "INSERT INTO reviewed VALUES (?,?,?,?,?)",
        [(p.code, p.unit, p.benefit, by_income(p), by_care(p)) for p in reviewed],
    )
    words = {(p.code, word): canonical for p in reviewed for canonical, all_ in p.categories.items() for word in all_}
    if words:
        connection.executemany(
            "INSERT INTO category_word VALUES (?,?,?)", [(code, word, name) for (code, word), name in words.items()]
        )
    connection.execute(_LISTS)
    for batch, columns in (lists or {}).items():
        told = ", ".join(f"{name} = {name} OR {str(value).lower()}" for name, value in columns.items())
        connection.execute(f"UPDATE list_facts SET {told} WHERE batch_id = {int(batch)}")
    standards = standards_on(policy, month)
    by_kind = {kind: value.amount_fen for kind, value in standards.items()}
    income = build_income(connection, policy, month, by_kind)
    connection.execute(_MEMBERS + CASES)
    same = next(iter(by_kind.values())) if len(by_kind) == 2 and len(set(by_kind.values())) == 1 else None
    connection.execute("ALTER TABLE facts ADD COLUMN standard_fen BIGINT")
    connection.execute(
        "UPDATE facts SET standard_fen = CASE town_kind WHEN '城市' THEN CAST(? AS BIGINT) WHEN '农村' THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END",
        [by_kind.get("城市"), by_kind.get("农村"), same],
    )
    return income


def standards_on(policy: Policy, month: str) -> dict[str, ParameterValue]:
    """低保标准 by 城市/农村 in force on the first day of ``month``; a kind without a value is left out."""
    found = {}
    for kind, name in STANDARDS.items():
        value = policy.parameter_or_none(name, first_day(month))
        if value is not None:
            found[kind] = value
    return found


def compiled_rules(policy: Policy, month: str, programmes: Iterable[Programme]) -> tuple[list[RuleResult], list[str]]:
    """The rules in force on the month's first day, and a sentence for each that cannot be judged (a parameter is missing)."""
    day = first_day(month)
    compiled: list[RuleResult] = []
    missing: list[str] = []
    for programme in programmes:
        for rule in programme.rules:
            if (rule.since and day < rule.since) or (rule.until and day > rule.until):
                continue
            where = programme.at(f"{programme.name}规则“{rule.name}”")
            words = words_of(rule.expression, where)
            try:
                values = policy.values_of(words, WORDS, day, where)
            except PolicyError as error:
                missing.append(f"{programme.name}“{rule.name}”：{error.message}")
                continue
            numbers: Mapping[str, Any] = {name: value.value for name, value in values.items()}
            sql = compile_rule(rule.expression, WORDS, numbers, where=where)
            compiled.append(
                RuleResult(
                    len(compiled),
                    programme.code,
                    rule,
                    sql,
                    tuple(word for word in words if word in WORDS),
                    tuple(values.values()),
                )
            )
    return compiled, missing


def failures(connection: duckdb.DuckDBPyConnection, rules: Iterable[RuleResult]) -> dict[int, list[RuleResult]]:
    """Rules that do not hold, by case key; unknown is not failed."""
    found: dict[int, list[RuleResult]] = {}
    for one in rules:
        rows = connection.execute(
            f"SELECT key FROM facts WHERE programme = ? AND NOT ({one.sql}) ORDER BY key", [one.programme]
        ).fetchall()
        for (key,) in rows:
            found.setdefault(key, []).append(one)
    return found


def drop_doubtful(
    connection: duckdb.DuckDBPyConnection, failed: dict[int, list[RuleResult]], incomplete: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Takes out failures that rest on not being on a list of which rows were refused: the person may be one of those rows.

    ``incomplete``: (programme, area) of such lists. Returns what is thereby not judged: ``programme, area, cases, reason``.
    """
    towns = {
        word: {area.split("/")[0] for code, area in incomplete if code in programmes}
        for word, programmes in LISTED.items()
    }
    wanted = [key for key, rules in failed.items() if any(word in rule.words for rule in rules for word in LISTED)]
    if not wanted or not any(towns.values()):
        return []
    places = dict(
        connection.execute(
            "SELECT key, town FROM facts WHERE list_contains(CAST(? AS BIGINT[]), key)", [wanted]
        ).fetchall()
    )
    dropped: dict[tuple[str, str], set[int]] = {}
    for key in wanted:
        kept = []
        for rule in failed[key]:
            if any(word in rule.words and towns[word] & {"", places[key]} for word in LISTED):
                dropped.setdefault((rule.programme, rule.rule.name), set()).add(key)
            else:
                kept.append(rule)
        failed[key] = kept
        if not kept:
            del failed[key]
    return [
        {
            "programme": programme,
            "area": "、".join(sorted({places[key] for key in keys})),
            "cases": len(keys),
            "reason": f"“{name}”没有判断：有关名册还有退回待改正的行，本人可能在其中，改正导入后再复核",
        }
        for (programme, name), keys in sorted(dropped.items())
    ]
