"""``jiuzhu explain``: one person's month, rule by rule: values, thresholds, pass or fail, article; the amount step by step.

The same SQL that judges a whole district runs over a snapshot of just this person's cases, so that what is explained is what is done.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import check_month, last_day
from jiuzhu_cli.ledger.doubts import confirmed_stops
from jiuzhu_cli.ledger.people import Person, latest_month, person_file, person_snapshot
from jiuzhu_cli.ledger.proposals import decided_leads, decided_moves, graces
from jiuzhu_cli.policy.expression import Ratio, compile_rule, fen, words_of
from jiuzhu_cli.policy.vocabulary import CIRCUMSTANCE
from jiuzhu_cli.review.eligibility import WORDS, RuleResult
from jiuzhu_cli.review.explain_events import explain_events, threshold, value_text
from jiuzhu_cli.review.income_steps import income_of
from jiuzhu_cli.review.judging import judge
from jiuzhu_cli.review.leads import lead_months
from jiuzhu_cli.review.readings import Readings, rows_of
from jiuzhu_cli.review.tiers import read_roll_extra

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Relation

_SELF = {
    "年龄": "s.age", "性别": "s.sex", "持残疾证": "s.certified", "残疾等级": "s.grade_no", "残疾类别": "s.kind_word",
    "重病": "s.ill", "在读": "s.enrolled", "危房等级": "s.house",
}  # fmt: skip
_ROW: dict[str, str | Ratio] = {
    "类别": "a.category", "供养方式": "a.care_mode", "自理能力": "a.care_word", "劳动能力": "a.work_ability", "救助原因": "a.cause",
    "对象类型": "a.claimed_status", "金额": fen("a.amount_fen"), "档次": "a.grade", "进度": "a.stage",
}  # fmt: skip


def explain_person(store: Store, policy: Policy, person: Person, month: str, *, today: date) -> dict[str, Any]:
    """``person, month, programmes[], rules[], events[], entitlements[], payments[], recoveries[], back_pays[], corrections[]`` for one person, nothing masked yet.

    ``month`` '' is the last month in which the person stands on a roll (this month when on none).
    """
    month = check_month(month) if month else latest_month(store, person.id_no) or today.isoformat()[:7]
    connection, lists = person_snapshot(store, person.id_no, month)
    try:
        rows = [row[0] for row in connection.execute("SELECT row_id FROM roll").fetchall()]
        read_roll_extra(connection, store, policy, month, rows)
        judged = judge(
            connection, policy, month, today=today, stops=confirmed_stops(store, month), in_force={}, lists=lists,
            graces=graces(store, month), leads=decided_leads(store, month, lead_months(policy, month)), moves=decided_moves(store, month),
        )  # fmt: skip
        file = person_file(store, person.id_no)
        programmes, rules = _programmes(connection, policy, person, judged)
        events = explain_events(connection, policy, judged.found, person.id_no)
        entitlements = _entitlements(connection, policy, person, month)
    finally:
        connection.close()
    known = [one for one in file["proposals"] if one["month"] == month and one["state"] != "gone"]
    for entry in programmes:
        entry["proposals"] = [
            {
                name: one[name]
                for name in (
                    "case_id",
                    "action",
                    "state",
                    "effective_month",
                    "reasons",
                    "amount_after_fen",
                    "hearing_date",
                    "notice_date",
                )
            }
            for one in known
            if one["programme"] == entry["programme"]
        ]
    return {
        "person": {"name": person.names[0], "id_no": person.id_no, "places": list(person.places)},
        "month": month,
        "programmes": programmes,
        "rules": rules,
        "events": events,
        "entitlements": entitlements,
        **{key: file[key] for key in ("payments", "recoveries", "back_pays", "corrections")},
        "not_judged": [gap["reason"] for gap in judged.not_judged],
    }


def _programmes(
    connection: duckdb.DuckDBPyConnection, policy: Policy, person: Person, judged: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rolls of the month that hold the person, each with its case's amount and what is proposed; and every rule."""
    own = rows_of(
        connection,
        "SELECT p.programme, p.file_name, p.sheet, p.source_row, p.amount_fen AS own_fen, p.town, p.village, p.category, p.relation,"
        " f.key, p.batch_id, p.case_no, f.id_no AS lead_id, f.name AS lead_name, f.amount_fen, f.size, f.covered, f.listed, f.income_fen, f.income_period, f.dead"
        " FROM person p LEFT JOIN facts f USING (batch_id, case_no) WHERE p.id_no = ? ORDER BY p.programme, p.row_id",
        [person.id_no],
    )
    found, rules = [], []
    for row in own:
        programme = policy.programmes.get(row["programme"])
        entry: dict[str, Any] = {
            "programme": row["programme"],
            "name": programme.name if programme else row["programme"],
            "town": row["town"],
            "village": row["village"],
            "category": row["category"],
            "source": {"file": row["file_name"], "sheet": row["sheet"], "row": row["source_row"]},
            "case": {
                "lead_name": row["lead_name"],
                "household_size": row["size"],
                "covered_persons": row["covered"],
                "income_fen": row["income_fen"],
                "income_period": row["income_period"],
            },
            "amount_fen": row["amount_fen"] if row["key"] is not None else row["own_fen"],
            "income": None,
            "should": None,
            "proposal": None,
        }
        if row["key"] is not None:
            entry["income"] = income_of(connection, judged.income, row["batch_id"], row["case_no"])
            entry["should"] = _should(connection, policy, judged, row["key"])
            entry["proposal"] = next(
                (
                    {
                        "action": made.action,
                        "amount_after_fen": made.after_fen,
                        "reasons": made.reasons,
                        "basis": made.basis,
                    }
                    for key, made in judged.by_key.items()
                    if key == row["key"]
                ),
                None,
            )
            rules += [
                _rule(connection, rule, row["key"]) for rule in judged.rules if rule.programme == row["programme"]
            ]
        found.append(entry)
    return found, rules


def _should(connection: duckdb.DuckDBPyConnection, policy: Policy, judged: Any, key: int) -> dict[str, Any] | None:
    """What the case should be paid: range, whether the roll fits, and the steps of the reading that fits (else the first)."""
    verdicts = rows_of(connection, "SELECT * FROM verdict WHERE key = ?", [key])
    if not verdicts:
        return None
    fact = rows_of(connection, "SELECT * FROM facts WHERE key = ?", [key])[0]
    paid = fact["amount_fen"]
    names = {code: one.name for code, one in policy.programmes.items()}
    known = Readings(connection, judged.amounts, judged.limits, names, f"JOIN (SELECT {int(key)} AS key) USING (key)")
    paid = paid if verdicts[0]["fits"] and known.steps(fact, paid or 0, every=True) else None
    shown = known.readings[key][0]["low"] if paid is None else paid
    return {
        "fits": verdicts[0]["fits"],
        "low_fen": verdicts[0]["least"],
        "high_fen": verdicts[0]["most"],
        "steps": list(known.steps(fact, shown, every=True)),
    }


def _rule(connection: duckdb.DuckDBPyConnection, rule: RuleResult, key: int) -> dict[str, Any]:
    asked: list[str] = [f"CAST({rule.sql} AS BOOLEAN)"]
    for word in rule.words:
        column = WORDS[word]
        asked += [column.over, column.under] if isinstance(column, Ratio) else [column, "1"]
    row = connection.execute(f"SELECT {', '.join(asked)} FROM facts WHERE key = ?", [key]).fetchall()[0]
    values = {word: value_text(row[1 + 2 * i], row[2 + 2 * i], WORDS[word]) for i, word in enumerate(rule.words)}
    return {
        "programme": rule.programme,
        "rule": rule.rule.name,
        "expression": rule.rule.expression,
        "values": values,
        "thresholds": {one.name: threshold(one) for one in rule.parameters},
        "result": {True: "pass", False: "fail", None: "unknown"}[row[0]],
        "message": "" if row[0] is not False else rule.rule.message,
        "source": rule.rule.source,
    }


_SELF_TABLE = """
CREATE TABLE self AS
SELECT id_no, CAST(year(DATE '{last}') - year(born) - CAST(month(DATE '{last}') * 100 + day(DATE '{last}') < month(born) * 100 + day(born) AS INT) AS BIGINT) AS age,
  CASE WHEN length(id_no) = 18 THEN CASE WHEN CAST(substr(id_no, 17, 1) AS INT) % 2 = 1 THEN '男' ELSE '女' END END AS sex,
  CASE WHEN cv.certificate THEN coalesce(c.valid, false) END AS certified,
  CASE WHEN c.valid THEN c.grade END AS grade_no, CASE WHEN c.valid THEN c.kind END AS kind_word,
  CASE WHEN i.id_no IS NOT NULL THEN true WHEN cv.illness THEN false END AS ill,
  CASE WHEN en.id_no IS NOT NULL THEN true WHEN cv.enrolment THEN false END AS enrolled, ho.house
FROM (SELECT '{id_no}' AS id_no, CASE WHEN length('{id_no}') = 18 THEN try_strptime(substr('{id_no}', 7, 8), '%Y%m%d') END AS born) me
LEFT JOIN certificate c USING (id_no) LEFT JOIN ill i USING (id_no) LEFT JOIN enrolled en USING (id_no) LEFT JOIN house ho USING (id_no)
CROSS JOIN (SELECT bool_or(certificate) AS certificate, bool_or(illness) AS illness, bool_or(enrolment) AS enrolment FROM covers) cv
"""


def _entitlements(
    connection: duckdb.DuckDBPyConnection, policy: Policy, person: Person, month: str
) -> list[dict[str, Any]]:
    """What the person should have by the relations E and C, each ``satisfied, absent, barred`` or ``unknown``."""
    if not person.id_no.isalnum():
        return []
    day = last_day(month)
    connection.execute(_SELF_TABLE.format(last=day.isoformat(), id_no=person.id_no))
    held = {
        row[0] for row in connection.execute("SELECT programme FROM person WHERE id_no = ?", [person.id_no]).fetchall()
    }
    household = {row[0] for row in connection.execute("SELECT programme FROM person").fetchall()}
    listed = {
        f"register:{row[0]}"
        for row in connection.execute(
            "SELECT DISTINCT register FROM register WHERE id_no = ?", [person.id_no]
        ).fetchall()
    }
    in_force = [
        one
        for one in policy.relations
        if (not one.since or day >= one.since)
        and (not one.until or day <= one.until)
        and policy.switch(one.switch, day)
    ]
    best: dict[str, dict[str, Any]] = {}
    order = {"satisfied": 0, "barred": 1, "absent": 2, "unknown": 3}
    for relation in in_force:
        due = relation.b
        if relation.kind not in ("E", "C") or due not in policy.programmes or relation.code:
            continue
        if (
            set(words_of(relation.when or "true")) & CIRCUMSTANCE.keys()
        ):  # needs other people's lines: the list of doubts tells
            continue
        if (relation.a != "*" and relation.a not in held | listed) or (relation.a == "*" and not held - {due}):
            continue
        holds = _holds(connection, policy, relation, person.id_no, day)
        if holds is False:
            continue
        status, why = _status(connection, policy, in_force, due, held, listed, household, holds)
        entry = {
            "due": due,
            "name": policy.programmes[due].name,
            "strength": "strong" if relation.kind == "E" and relation.severity == "strong" else "candidate",
            "because": policy.programmes[relation.a].name
            if relation.a in policy.programmes
            else _register(policy, relation.a),
            "condition": relation.when,
            "status": status,
            "why": why,
            "basis": relation.basis,
        }
        if due not in best or order[status] < order[best[due]["status"]]:
            best[due] = entry
    return [best[due] for due in sorted(best)]


def _register(policy: Policy, code: str) -> str:
    plain = code.removeprefix("register:")
    return policy.registers[plain].name if plain in policy.registers else "任何一项" if code == "*" else plain


def _holds(
    connection: duckdb.DuckDBPyConnection, policy: Policy, relation: Relation, id_no: str, day: date
) -> bool | None:
    """Whether the relation's condition holds for the person; None when a fact is missing."""
    if not relation.when.strip():
        return True
    where = relation.at(f"关系 {relation.id} 的条件")
    columns: dict[str, str | Ratio] = {**_SELF, **_ROW}
    if relation.a.startswith("register:"):
        columns |= dict.fromkeys(_ROW, "CAST(NULL AS VARCHAR)")
    values = policy.values_of(words_of(relation.when, where), columns, day, where)
    sql = compile_rule(relation.when, columns, {name: one.value for name, one in values.items()}, where=where)
    source = "self s"
    if not relation.a.startswith("register:"):
        which = f"a.programme <> '{relation.b}'" if relation.a == "*" else f"a.programme = '{relation.a}'"
        source = f"self s JOIN person a ON a.id_no = s.id_no AND {which}"
    answers = {
        row[0] for row in connection.execute(f"SELECT {sql} FROM {source} WHERE s.id_no = ?", [id_no]).fetchall()
    }
    return True if True in answers else None if None in answers else False


def _status(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    relations: list[Relation],
    due: str,
    held: set[str],
    listed: set[str],
    household: set[str],
    holds: bool | None,
) -> tuple[str, str]:
    if due in held or (policy.programmes[due].unit == "household" and due in household):
        return "satisfied", ""
    for other in relations:
        if other.kind in ("X", "H") and not other.when and other.a != other.b and due in (other.a, other.b):
            has = other.b if due == other.a else other.a
            if has in held | listed:
                name = policy.programmes[has].name if has in policy.programmes else _register(policy, has)
                return "barred", f"已享受{name}，两项不能同时享受（{other.basis}）"
    if holds is None:
        return "unknown", "资料不全，不能判断"
    rolls = connection.execute(
        "SELECT count(*) FROM coverage c WHERE c.programme = ? AND (c.area = '' OR split_part(c.area, '/', 1) IN (SELECT town FROM person)"
        " OR NOT EXISTS (SELECT 1 FROM person))",
        [due],
    ).fetchall()[0][0]
    return ("absent", "当月名册上没有") if rolls else ("unknown", "该项目当月名册没有导入")
