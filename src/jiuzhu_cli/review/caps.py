"""Caps (补差, T) and the higher of two (择高, H) applied to the amounts of a person who has both benefits.

Order, fixed: first all T, by the order in which ``relations.toml`` names the benefit that is topped up, then all H in that file's order; each
counts with what those before it left. What the other benefit pays is its amount by this review where that is one figure (else the roll's,
where the review does not judge it); of a household's benefit a person's part is the amount ÷ persons covered, an exact fraction.

T: the topped-up benefit (``reduce``) is at most the cap less the others under the same cap, in whole 分 and never negative, so that the sum
never passes the cap. H: the lower one is nothing (``settle = "drop"``; of two equal ones ``reduce``), or both are paid and the higher one is
the difference (``difference``): the sum is the higher one either way. X is no amount: which of two exclusive benefits stays is a decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.expression import Ratio, compile_rule, words_of
from jiuzhu_cli.policy.model import ParameterValue, Relation
from jiuzhu_cli.review.amounts import VERDICT
from jiuzhu_cli.review.tariffs import AmountRules, fen_of

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

_WORDS = {
    "年龄": "age", "性别": "sex", "持残疾证": "certified", "残疾等级": "grade_no", "残疾类别": "kind_word", "重病": "listed_ill", "在读": "enrolled",
    "危房等级": "house", "类别": "category", "供养方式": "care_mode", "自理能力": "care_word", "劳动能力": "work_ability", "救助原因": "cause",
    "对象类型": "claimed_status", "档次": "grade", "进度": "stage",
}  # fmt: skip

_TABLES = """
CREATE TABLE stands (programme VARCHAR, key BIGINT, id_no VARCHAR, fen BIGINT, persons BIGINT);
"""

# the cases of one programme in which people stand who are on the roll of the other
_MET = """
CREATE OR REPLACE TEMP TABLE met AS
SELECT DISTINCT f.key FROM (SELECT DISTINCT id_no FROM person WHERE programme = $beside) o JOIN person p ON p.id_no = o.id_no AND p.programme = $programme
JOIN facts f USING (batch_id, case_no)
"""
# what each person has of a programme once this review stands; fen NULL: not one figure
_STANDS = f"""
INSERT INTO stands
WITH v AS ({VERDICT.format(which="JOIN met USING (key)")}), s AS (
  SELECT f.key, f.batch_id, f.case_no, CASE WHEN f.unit = 'person' THEN 1 ELSE f.covered - CASE WHEN f.listed <= f.covered THEN f.leaving ELSE 0 END END AS persons,
    CASE WHEN f.benefit = 'status' OR f.stop_doubt IS NOT NULL THEN 0 WHEN v.key IS NULL OR v.fits THEN f.amount_fen WHEN v.ways <> 1 THEN NULL
      WHEN v.low = v.high OR f.amount_fen IS NULL THEN CASE WHEN v.low = v.high THEN v.low END
      ELSE least(greatest(v.low + (f.amount_fen - v.low) // v.step * v.step, v.low), v.high) END AS fen
  FROM facts f JOIN met USING (key) LEFT JOIN v ON v.key = f.key WHERE f.programme = $programme AND NOT (f.unit = 'person' AND f.dead)
)
SELECT DISTINCT $programme, s.key, p.id_no, s.fen, s.persons FROM s JOIN person p USING (batch_id, case_no)
WHERE NOT p.leaves AND (s.persons > 0 OR s.persons IS NULL)
"""

# every case of the benefit that may be bounded, beside the person's one best case of the other
_PAIRS = """
SELECT a.key AS key_a, b.key AS key_b, a.fen AS fen_a, a.persons AS persons_a, b.fen AS fen_b, b.persons AS persons_b, {condition} AS holds
FROM ({a}) a JOIN ({b}) b USING (id_no)
"""
_SIDE = """
SELECT s.*, {columns} FROM stands s JOIN facts f USING (key) JOIN person p ON p.batch_id = f.batch_id AND p.case_no = f.case_no AND p.id_no = s.id_no
WHERE s.programme = '{programme}' QUALIFY row_number() OVER (PARTITION BY s.id_no{each} ORDER BY s.fen IS NULL DESC, s.fen / s.persons DESC, s.key, p.lead DESC, p.row_id) = 1
"""

_APPLY = """
UPDATE candidate SET low = least(low, l.fen), high = least(high, l.fen), slack = CASE WHEN l.fen < high THEN l.fen % 100 ELSE slack END
FROM (SELECT key, min(fen) AS fen FROM limit_row WHERE turn = {turn} GROUP BY key HAVING count(*) = count(fen)) l WHERE candidate.key = l.key;
DELETE FROM candidate WHERE key IN (SELECT key FROM limit_row WHERE turn = {turn} AND fen IS NULL);
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """One relation in force that bounds an amount; ``no`` is its place in the order of ``limits_of``."""

    no: int
    relation: Relation
    target: str  # T: the programme that is topped up
    other: str
    cap: ParameterValue | None


def limits_of(policy: Policy, rules: AmountRules) -> list[Limit]:
    """The relations T and H of the month in the order in which they are applied. A T without a value of its cap is said in ``rules.missing``."""
    day = first_day(rules.month)
    tops: dict[str, list[tuple[Relation, str, str, ParameterValue | None]]] = {}
    higher: list[tuple[Relation, str, str, ParameterValue | None]] = []
    for one in policy.relations:
        if one.kind not in ("T", "H") or one.level != "person" or not {one.a, one.b} <= policy.programmes.keys():
            continue
        if (one.since and day < one.since) or (one.until and day > one.until) or not policy.switch(one.switch, day):
            continue
        target, other = (one.a, one.b) if one.reduce == "a" else (one.b, one.a)
        if one.kind == "H":
            higher.append((one, target, other, None))
        elif policy.programmes[target].unit == "person":
            tops.setdefault(target, []).append((one, target, other, policy.parameter_or_none(one.cap, day)))
    ordered = [entry for group in tops.values() for entry in group] + higher
    return [Limit(no, *entry) for no, entry in enumerate(ordered)]


def apply_limits(connection: duckdb.DuckDBPyConnection, policy: Policy, rules: AmountRules) -> list[Limit]:
    """Bounds ``candidate`` by the relations T and H; fills ``limit_row`` (``key, turn, no, other_fen, other_persons, fen``: each bound and what it rests on).

    A person of whom the other benefit's figure is not known is not judged (no candidate is left).
    """
    connection.execute(_TABLES)
    present = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM facts").fetchall()}
    judged = {line.programme for line in rules.lines}
    limits = [
        one for one in limits_of(policy, rules) if {one.target, one.other} <= present and {one.target, one.other} & judged
    ]  # fmt: skip
    for one in limits:
        told = f"“{policy.programmes[one.relation.a].name}”与“{policy.programmes[one.relation.b].name}”"
        note = f"{told}合计不超过“{one.relation.cap}”" if one.relation.kind == "T" else f"{told}择高"
        held = one.relation.kind == "T" and one.relation.below == "check"
        connection.execute("INSERT INTO limit_word VALUES (?,?,?,?)", [one.no, note, one.relation.basis, held])
    turn = 0
    for target in dict.fromkeys(one.target for one in limits if one.relation.kind == "T"):
        _top_up(
            connection,
            policy,
            rules,
            [one for one in limits if one.relation.kind == "T" and one.target == target],
            turn,
        )
        turn += 1
    for one in limits:
        if one.relation.kind == "H":
            _higher(connection, policy, rules, one, turn)
            turn += 1
    return limits


def _top_up(
    connection: duckdb.DuckDBPyConnection, policy: Policy, rules: AmountRules, limits: Iterable[Limit], turn: int
) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE beside (key BIGINT, no INT, cap BIGINT, fen BIGINT, persons BIGINT)"
    )
    for one in limits:
        cap = fen_of(one.cap) if one.cap is not None else None
        if one.cap is None:
            rules.missing.append(
                f"关系 {one.relation.id}：没有 {rules.month} 的“{one.relation.cap}”，合计封顶的没有核算"
            )
        else:
            rules.used.append(one.cap)
        _stand(connection, one.other, one.target)
        a_first = one.relation.reduce == "b"
        key, fen, persons = ("key_b", "fen_a", "persons_a") if a_first else ("key_a", "fen_b", "persons_b")
        sql = _pairs(policy, rules, one, one.relation.reduce)
        connection.execute(f"INSERT INTO beside SELECT {key}, {one.no}, {cap if cap is not None else 'NULL'}, CASE WHEN holds THEN {fen} END, {persons} FROM ({sql}) WHERE holds IS NOT FALSE")  # fmt: skip
    # under one cap all others are taken off together; a fraction of a 分 is rounded up, so that the sum stays below
    connection.execute(
        f"""
        INSERT INTO limit_row SELECT b.key, {turn}, b.no, b.fen, b.persons, CASE WHEN l.known THEN greatest(0, l.cap - l.taken) END
        FROM beside b JOIN (
          SELECT key, cap, count(*) = count(fen + persons + cap) AS known, CAST(sum((fen + persons - 1) // persons) AS BIGINT) AS taken
          FROM beside GROUP BY key, cap) l ON l.key = b.key AND l.cap IS NOT DISTINCT FROM b.cap
        """
    )
    connection.execute(_APPLY.format(turn=turn))


def _higher(connection: duckdb.DuckDBPyConnection, policy: Policy, rules: AmountRules, limit: Limit, turn: int) -> None:
    relation = limit.relation
    _stand(connection, limit.other, limit.target)
    drop = relation.settle == "drop"
    tie_b = relation.reduce == "b"
    units = {side: policy.programmes[code].unit for side, code in (("a", relation.a), ("b", relation.b))}
    for own, other in (("a", "b"), ("b", "a")):
        if units[own] != "person":
            continue
        lower = f"fen_{own} * persons_{other} {'<=' if (own == 'b') == tie_b else '<'} fen_{other} * persons_{own}"
        bounded = f"CASE WHEN holds AND {lower} THEN 0 END" if drop else f"CASE WHEN holds AND NOT ({lower}) THEN fen_{own} - (fen_{other} + persons_{other} - 1) // persons_{other} END"  # fmt: skip
        connection.execute(
            f"""
            INSERT INTO limit_row SELECT key_{own}, {turn}, {limit.no}, fen_{other}, persons_{other}, {bounded} FROM ({_pairs(policy, rules, limit, own)})
            WHERE holds IS NOT FALSE AND (holds IS NULL OR fen_a IS NULL OR fen_b IS NULL OR persons_{other} IS NULL OR {lower if drop else f"NOT ({lower})"})
            """
        )
    connection.execute(_APPLY.format(turn=turn))


def _stand(connection: duckdb.DuckDBPyConnection, first: str, second: str) -> None:
    """Fills ``stands`` for two programmes by the candidates as they are now, for who is on both."""
    for programme, beside in ((first, second), (second, first)):
        connection.execute("DELETE FROM stands WHERE programme = ?", [programme])
        connection.execute(_MET, {"programme": programme, "beside": beside})
        connection.execute(_STANDS, {"programme": programme})


def _pairs(policy: Policy, rules: AmountRules, limit: Limit, own: str) -> str:
    """SQL of the persons who have both benefits, each case of side ``own``. ``holds`` is NULL where a fact of the condition is not known."""
    relation, day = limit.relation, first_day(rules.month)
    where = f"关系 {relation.id} 的条件"
    condition = "TRUE"
    if relation.when.strip():
        columns: dict[str, str | Ratio] = {}
        for prefix, side in (("", "a"), ("乙", "b")):
            columns |= {prefix + word: f"{side}.{name}" for word, name in _WORDS.items()}
            columns[f"{prefix}金额"] = Ratio(f"{side}.fen", f"100 * {side}.persons")
        known = set(policy.parameters.names()) - columns.keys()
        values = {word: policy.parameter(word, day).value for word in words_of(relation.when, where) if word in known}
        condition = compile_rule(relation.when, columns, values, where=where)
    chosen = ", ".join(f"p.{name}" for name in dict.fromkeys(_WORDS.values()))
    sides = {
        side: _SIDE.format(columns=chosen, programme=code, each=", s.key" if side == own else "")
        for side, code in (("a", relation.a), ("b", relation.b))
    }
    return _PAIRS.format(condition=condition, **sides)
