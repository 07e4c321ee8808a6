"""One policy's judgement of the rolls for a simulation: the SQL of the review, in a schema of its own.

``judge_state`` leaves, beside the tables of ``eligibility``, ``amounts`` and ``caps``:

- ``failed (key, programme, rule, stop, message, doubtful)``: rules that do not hold; ``doubtful`` ones rest on a list of which rows were refused;
- ``state``: a row a case: who it is, ``persons`` that count, ``gone`` (dead, or stopped by a decided doubt), ``grace_fen``;
- ``amount (key, kind, low, high)``: what is due, by the category it is read as; none where it cannot be computed;
- ``qualifies (target, programme, batch_id, case_no, open)``: households of other programmes that fulfil all rules on income of ``target``;
  ``open`` where a rule that is only to be checked (property) is not known;
- ``support (programme, id_no, through, relation)``: to whom a relation E gives ``programme``, by being in ``through``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.expression import Ratio, compile_rule, words_of
from jiuzhu_cli.policy.model import Programme, Relation
from jiuzhu_cli.review.amounts import build_candidates, judge_amounts
from jiuzhu_cli.review.caps import Limit, apply_limits
from jiuzhu_cli.review.eligibility import LISTED, REVIEWED, WORDS, RuleResult, build_facts, compiled_rules
from jiuzhu_cli.review.grace import make_grace
from jiuzhu_cli.review.tariffs import AmountRules, amount_rules
from jiuzhu_cli.review.tiers import apply_tiers

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.proposals import Grace
    from jiuzhu_cli.policy.load import Policy

# words of a relation's condition → columns of ``person``
PERSON_WORDS: dict[str, str | Ratio] = {
    "年龄": "p.age", "性别": "p.sex", "持残疾证": "p.certified", "残疾等级": "p.grade_no", "残疾类别": "p.kind_word", "重病": "p.listed_ill",
    "在读": "p.enrolled", "危房等级": "p.house", "类别": "p.category", "供养方式": "p.care_mode", "自理能力": "p.care_word",
    "劳动能力": "p.work_ability", "救助原因": "p.cause", "对象类型": "p.claimed_status", "档次": "p.grade", "进度": "p.stage",
}  # fmt: skip

_STATE = """
CREATE TABLE state AS
SELECT f.key, f.programme, f.batch_id, f.case_no, f.id_no, f.name, f.town, f.village, coalesce(f.town_kind, '') AS kind, f.unit, f.benefit,
  CASE WHEN f.unit = 'person' THEN 1 ELSE greatest(0, coalesce(f.covered, 1) - CASE WHEN f.listed <= f.covered THEN f.leaving ELSE 0 END) END AS persons,
  f.stop_doubt IS NOT NULL OR (f.dead AND (f.unit = 'person' OR (f.covered IS NOT NULL AND f.dead_listed >= greatest(f.listed, f.covered)))) AS gone, g.amount_fen AS grace_fen,
  f.income12, f.size, CASE
    WHEN f.benefit = 'status' OR g.key IS NOT NULL OR c.key IS NOT NULL THEN ''
    WHEN f.by_income AND NOT f.has_income THEN '花名册没有收入列' WHEN f.income_gap IS NOT NULL THEN '收入测算不全'
    WHEN f.by_income AND f.income12 IS NULL THEN '收入没有填' WHEN f.by_income AND f.covered IS NULL THEN '保障人数没有填'
    WHEN f.by_care AND f.care_word IS NULL THEN '生活自理能力没有填' ELSE '标准没有值或情况不明，金额算不出' END AS unknown
FROM facts f LEFT JOIN (SELECT key, max(amount_fen) AS amount_fen FROM grace WHERE left_months >= 0 GROUP BY key) g ON g.key = f.key
LEFT JOIN (SELECT DISTINCT key FROM candidate) c ON c.key = f.key;

CREATE TABLE amount AS
SELECT c.key, c.kind, min(c.low) AS low, max(c.high) AS high FROM candidate c JOIN state s USING (key) WHERE c.place = 1 AND s.grace_fen IS NULL GROUP BY c.key, c.kind
UNION ALL SELECT key, '', grace_fen, grace_fen FROM state WHERE grace_fen IS NOT NULL
UNION ALL SELECT key, '', 0, 0 FROM state WHERE benefit = 'status' AND grace_fen IS NULL;
"""


@dataclass(slots=True)
class StateRules:
    """By what one policy judged: ``untouched`` compares two of them."""

    amounts: AmountRules
    rules: list[RuleResult]
    limits: list[Limit]
    missing: list[str]
    standards: dict[str, int]


def relations_in_force(policy: Policy, month: str, kind: str) -> list[Relation]:
    """Relations of that kind in force on the month's first day, switches asked."""
    day = first_day(month)
    return [
        one for one in policy.relations
        if one.kind == kind and not (one.since and day < one.since) and not (one.until and day > one.until) and policy.switch(one.switch, day)
    ]  # fmt: skip


def ladder(policy: Policy) -> list[Programme]:
    """Programmes that a household may change over to by its income: of households, reviewed, with a rule on income that must hold; those that pay first."""
    found = [
        p for p in policy.programmes.values()
        if p.unit == "household" and p.benefit in REVIEWED and any(r.on_fail == "stop" and _on_income(r.expression) for r in p.rules)
    ]  # fmt: skip
    return sorted(found, key=lambda p: (p.benefit == "status", p.code))


def _on_income(expression: str) -> bool:
    return any(word.startswith("家庭") and "收入" in word for word in words_of(expression))


def judge_state(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    policy: Policy,
    month: str,
    *,
    today: date,
    stops: Sequence[dict[str, Any]] = (),
    graces: Iterable[Grace] = (),
    incomplete: Collection[tuple[str, str]] = (),
    lists: Mapping[int, Mapping[str, bool]] | None = None,
) -> StateRules:
    """Makes the tables named above in ``schema`` (which may hold a ``roll`` of its own) and leaves it first in the search path.

    ``lists``: columns that whole lists have, as in ``build_facts``.
    """
    from jiuzhu_cli.review.eligibility import standards_on

    connection.execute(f"SET search_path = '{schema},main'")
    connection.execute(f"CREATE TABLE {schema}.roll_extra AS FROM main.roll_extra")
    build_facts(connection, policy, month, stops, lists)
    apply_tiers(connection, policy, month, today)
    make_grace(connection, policy, month, graces)
    present = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM facts").fetchall()}
    programmes = [p for p in policy.programmes.values() if p.code in present and p.benefit in REVIEWED]
    amounts = amount_rules(policy, month, programmes, WORDS)
    build_candidates(connection, amounts)
    limits = apply_limits(connection, policy, amounts)
    judge_amounts(connection)
    asked = {p.code: p for p in (*programmes, *ladder(policy))}
    rules, missing = compiled_rules(policy, month, asked.values())
    connection.execute(_STATE)
    _failed(connection, rules, present, incomplete)
    _qualifies(connection, policy, rules)
    missing += _support(connection, policy, month)
    standards = {kind: one.amount_fen for kind, one in standards_on(policy, month).items()}
    return StateRules(amounts, rules, limits, [*amounts.missing, *missing], standards)


def untouched(before: StateRules, after: StateRules) -> list[str]:
    """Programmes whose tables, rules and bounds are the same under both policies: what cannot be computed there has not changed either."""

    def signature(one: StateRules, code: str) -> Any:
        lines = [(x.part, x.label, x.per, x.kind, x.fen, x.sql) for x in one.amounts.lines if x.programme == code]
        rules = [(x.rule.name, x.sql, one.standards if "当地低保标准" in x.words else 0) for x in one.rules if x.programme == code]  # fmt: skip
        bound = [(x.relation.id, x.cap.value if x.cap else None) for x in one.limits if code in (x.target, x.other)]
        return lines, one.amounts.settings.get(code), rules, bound

    same = {code for code in {*before.amounts.settings, *after.amounts.settings} if signature(before, code) == signature(after, code)}  # fmt: skip
    while True:  # what is bounded by a benefit that has changed may change, too
        tied = {
            x.target for x in (*before.limits, *after.limits) if x.other not in same
        } | {x.other for x in (*before.limits, *after.limits) if x.relation.kind == "H" and x.target not in same}  # fmt: skip
        if not same & tied:
            return sorted(same)
        same -= tied


def _failed(
    connection: duckdb.DuckDBPyConnection, rules: list[RuleResult], present: set[str], incomplete: Collection[tuple[str, str]]
) -> None:  # fmt: skip
    connection.execute("CREATE TABLE failed (key BIGINT, programme VARCHAR, rule VARCHAR, stop BOOLEAN, message VARCHAR, doubtful BOOLEAN)")  # fmt: skip
    for one in rules:
        if one.programme not in present:
            continue
        towns = {
            area.split("/")[0] for word, codes in LISTED.items() if word in one.words for listed, area in incomplete if listed in codes
        }  # fmt: skip
        doubtful = "true" if "" in towns else "list_contains(CAST($towns AS VARCHAR[]), town)" if towns else "false"
        spared = " AND key NOT IN (SELECT key FROM grace WHERE left_months >= 0)" if any("收入" in word for word in one.words) else ""  # fmt: skip
        asked = {
            "code": one.programme,
            "rule": one.rule.name,
            "stop": one.rule.on_fail == "stop",
            "message": one.rule.message,
        }
        connection.execute(
            f"INSERT INTO failed SELECT key, programme, $rule, $stop, $message, {doubtful} FROM facts WHERE programme = $code AND NOT ({one.sql}){spared}",
            asked | ({"towns": sorted(towns)} if "$towns" in doubtful else {}),
        )


def _qualifies(connection: duckdb.DuckDBPyConnection, policy: Policy, rules: list[RuleResult]) -> None:
    connection.execute("CREATE TABLE qualifies (target VARCHAR, programme VARCHAR, batch_id BIGINT, case_no BIGINT, open BOOLEAN)")  # fmt: skip
    for target in ladder(policy):
        own = [one for one in rules if one.programme == target.code]
        if len(own) < sum(1 for r in target.rules if r.on_fail == "stop"):
            continue  # a rule could not be compiled: nothing is concluded
        must = " AND ".join(f"({one.sql}) IS TRUE" for one in own if one.rule.on_fail == "stop") or "false"
        checks = [one for one in own if one.rule.on_fail != "stop"]
        may = " AND ".join(f"({one.sql}) IS NOT FALSE" for one in checks) or "true"
        unknown = " OR ".join(f"({one.sql}) IS NULL" for one in checks) or "false"
        connection.execute(
            f"INSERT INTO qualifies SELECT ?, programme, batch_id, case_no, {unknown} FROM facts WHERE unit = 'household' AND programme <> ?"
            f" AND income12 IS NOT NULL AND {must} AND {may}",
            [target.code, target.code],
        )


def _support(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str) -> list[str]:
    connection.execute("CREATE TABLE support (programme VARCHAR, id_no VARCHAR, through VARCHAR, relation VARCHAR)")
    told: list[str] = []
    for one in relations_in_force(policy, month, "E"):
        if one.a == one.b or one.b not in policy.programmes or one.a.startswith("stopped:"):
            continue
        try:
            condition = relation_sql(policy, one, month)
        except PolicyError as error:
            told.append(f"关系 {one.id} 的条件按名册判断不了，没有推算：{error.message}")
            continue
        register = one.a.removeprefix("register:") if one.a.startswith("register:") else ""
        who = "true" if one.a == "*" else "p.id_no IN (SELECT id_no FROM register WHERE register = $a)" if register else "p.programme = $a"  # fmt: skip
        asked = {"b": one.b, "by": one.a, "id": one.id} | ({} if one.a == "*" else {"a": register or one.a})
        connection.execute(
            f"INSERT INTO support SELECT DISTINCT $b, p.id_no, $by, $id FROM person p WHERE {who} AND NOT p.leaves AND {condition}", asked
        )  # fmt: skip
    return told


def relation_sql(policy: Policy, relation: Relation, month: str) -> str:
    """The relation's condition over ``person`` p; PolicyError for words that a person of a roll does not have."""
    if not relation.when.strip():
        return "true"
    where = f"关系 {relation.id} 的条件"
    known = set(policy.parameters.names()) - PERSON_WORDS.keys()
    values = {
        word: policy.parameter(word, first_day(month)).value for word in words_of(relation.when, where) if word in known
    }
    return compile_rule(relation.when, PERSON_WORDS, values, where=where)
