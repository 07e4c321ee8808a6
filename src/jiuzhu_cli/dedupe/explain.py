"""Why a doubt stands: its rule with the source, the months with their arithmetic, both records down to the cells they came from, what
happened to it, and what it does to payment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import DISPOSITIONS, KINDS, SIDES, effect_on, payable_sides, verdict_label
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.dedupe.deadline import Deadlines
from jiuzhu_cli.dedupe.evidence import SEVERITIES, Speaker
from jiuzhu_cli.dedupe.marks import differences
from jiuzhu_cli.ledger.doubt_records import months_of, record
from jiuzhu_cli.ledger.doubts import doubts_by_id
from jiuzhu_cli.ledger.recoveries import recovered_lines
from jiuzhu_cli.ledger.verdicts import history

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy

RELATION_KINDS = {
    "X": "互斥：不能同时享受",
    "T": "补差：合计不得超过封顶标准",
    "H": "择高：只享较高的一项",
    "E": "应享：有前一项的应当享受后一项",
    "C": "线索：有前一项的可能符合后一项",
    "S": "可以叠加",
}
EFFECTS = {
    "pending": "没有处理结果",
    "stop": "拦下，复核出停发建议",
    "done": "拦下（已停发）",
    "adjust": "拦下，金额改了再发",
    "undecided": "拦下，等写明停发哪一方",
    "release": "照发",
}
# of a record, in the order in which a clerk looks; the rest of its columns are bookkeeping
_NOT_SHOWN = {"row_id", "batch_id", "lead", "case_fen", "persons", "table_no", "source_row", "case_no", "programme", "area", "month", "batch_status", "file_name", "file_sha256", "sheet", "columns", "lead_row", "extra", "area_code", "bank_code"}  # fmt: skip


def explain_doubt(store: Store, policy: Policy, doubt_id: str, *, today: date) -> dict[str, Any]:
    """Everything about one doubt as plain data (``doubt, rule, months, records, match, history, payment``); money in 分, nothing masked.

    UsageError when there is no such number.
    """
    number = "D" + doubt_id.strip().upper().removeprefix("D").zfill(6)  # D12 and 12 are D000012
    doubt = doubts_by_id(store, [number]).get(number)
    if doubt is None:
        raise UsageError(f"没有疑点 {number}", "疑点编号在疑点工作簿第一列，或用 jiuzhu dedupe list --month 查")
    speaker = Speaker(policy)
    months = months_of(store, number)
    last = months[-1] if months else {"row_a": None, "row_b": None, "fact": None}
    sides = {side: _record(store, policy, speaker, doubt, last[f"row_{side}"], side) for side in "ab"}
    code = policy.doubts.get(doubt["code"])
    return {
        "doubt": {name: value for name, value in doubt.items() if name not in ("facts", "decided_facts")}
        | {
            "kind_name": KINDS[doubt["kind"]].name if doubt["kind"] in KINDS else doubt["kind"],
            "code_name": code.name if code else doubt["code"],
            "severity_name": SEVERITIES[doubt["severity"]],
            "verdict": verdict_label(doubt),
        },
        "rule": _rule(policy, speaker, doubt) | {"note": code.note if code else ""},
        "months": [_month(store, policy, doubt, one) for one in months],
        "records": sides,
        "match": _match(doubt, sides, last["fact"]),
        "history": history(store, [number]),
        "payment": _payment(store, policy, doubt, today),
    }


def _rule(policy: Policy, speaker: Speaker, doubt: Mapping[str, Any]) -> dict[str, Any]:
    """The relation, claim or check behind a doubt, as the policy has it now, and the basis as it was when it was found."""
    found: dict[str, Any] = {"rule": doubt["rule"], "basis": doubt["basis"], "means": "", "when": "", "cap": ""}
    relation = speaker.relations.get(doubt["rule"])
    if relation is not None:
        sides = "、".join("各项目" if one == "*" else speaker.name(one) for one in (relation.a, relation.b))
        means = f"{sides}：{RELATION_KINDS[relation.kind]}"
        if relation.kind in ("E", "C"):
            means = (
                f"{sides}：{RELATION_KINDS[relation.kind]}"
                if relation.a != relation.b
                else f"{speaker.name(relation.a)}名册的一行自己缺的"
            )
        elif relation.within:
            means = f"{speaker.name(relation.a)}：同一事由在参数“{relation.within}”的月数内只给一次"
        elif relation.a == relation.b:
            means = f"{speaker.name(relation.a)}：一人一月只享受一份"
        found |= {"means": means, "when": relation.when, "cap": relation.cap}
        return found
    claim, check = speaker.claims.get(doubt["rule"]), speaker.checks.get(doubt["rule"])
    if claim is not None:
        proofs = "、".join(speaker.name(one) for one in claim.programmes)
        stated = f"写明“{'、'.join(claim.words[:4])}”的" if claim.words else f"在{speaker.name(claim.on)}名册上的"
        found |= {"means": f"{stated}，应当在{proofs}上", "when": claim.when}
    elif check is not None:
        found |= {"means": check.note, "when": check.when}
    return found


def _month(store: Store, policy: Policy, doubt: Mapping[str, Any], month: Mapping[str, Any]) -> dict[str, Any]:
    """One month of a doubt: what each side had, how the amount at stake comes about, where both rows stand."""
    places: dict[str, Any] = {}
    shares = []
    for side in "ab":
        found = record(store, month[f"row_{side}"])
        if found is not None:
            shares.append(_share(SIDES[side], month[f"fen_{side}"], found.get("case_fen"), found.get("persons") or 1))
            names = ("file_name", "sheet", "source_row", "month", "batch_id", "batch_status")
            places[side] = {name: found[name] for name in names} | {"file_name": _file(found)}
    return {
        "month": month["month"],
        "amount_fen": month["amount_fen"],
        "fen_a": month["fen_a"],
        "fen_b": month["fen_b"],
        "decided_fen": month["decided_fen"],
        "arithmetic": "；".join(part for part in (*shares, arithmetic(policy, doubt, month)) if part),
        "places": places,
    }


def _share(label: str, fen: int | None, case_fen: int | None, persons: int) -> str:
    """A person's share of a household's amount, where that is what the figure is."""
    if fen is None or case_fen is None or persons < 2 or fen != (2 * case_fen + persons) // (2 * persons):
        return ""
    return f"{label}户 {yuan(case_fen)} ÷ {persons} 人 = {yuan(fen)}"


def arithmetic(policy: Policy, doubt: Mapping[str, Any], month: Mapping[str, Any]) -> str:
    """How the amount at stake comes about, told only where the figures bear it out."""
    amount, a, b = month["amount_fen"], month["fen_a"], month["fen_b"]
    if doubt["kind"] == "missed":  # nothing is at stake yet: what the ground is paid now
        return f"现领 {yuan(a)} 元" if a else "没有领到的，不计金额"
    if a is None or b is None:
        return f"{yuan(amount)} 元"
    fact = str(month["fact"] or "")
    relation = next((r for r in policy.relations if r.id == doubt["rule"]), None)
    if relation is not None and relation.kind == "T" and fact.isdigit() and a + b - int(fact) == amount:
        cap = f"封顶 {yuan(int(fact))}" + (f"（{relation.cap}）" if relation.cap else "")
        return f"甲方 {yuan(a)} + 乙方 {yuan(b)} = {yuan(a + b)}，{cap}，超出 {yuan(amount)} 元"
    paid = [fen for fen in (a, b) if fen]
    if len(paid) == 2 and amount == min(paid) and a != b:
        return f"甲方 {yuan(a)}、乙方 {yuan(b)}，取较低的 {yuan(amount)} 元"
    if len(paid) == 2 and amount == a == b:
        return f"甲方、乙方都是 {yuan(amount)} 元"
    if amount == a:
        return f"甲方 {yuan(amount)} 元"
    return f"{'乙方 ' if amount == b and doubt['id_no_a'] != doubt['id_no_b'] else ''}{yuan(amount)} 元"


def _record(
    store: Store, policy: Policy, speaker: Speaker, doubt: Mapping[str, Any], row_id: int | None, side: str
) -> dict[str, Any] | None:
    """One side's row with what it holds, and for each value the column of the file it stood in. None when the doubt has no such row."""
    found = record(store, row_id)
    if found is None:
        if not doubt[f"id_no_{side}"]:
            return None
        return {
            "programme": doubt[f"programme_{side}"], "programme_name": speaker.name(doubt[f"programme_{side}"]), "file_name": "", "sheet": "",
            "source_row": None, "source": doubt[f"source_{side}"], "values": {"name": doubt[f"name_{side}"], "id_no": doubt[f"id_no_{side}"]},
            "cells": {}, "lead_row": None, "account_no": "",
        }  # fmt: skip
    columns = _columns(found)
    labels = {name: entry.name for name, entry in policy.glossary.items()}
    values = {name: value for name, value in found.items() if name not in _NOT_SHOWN and value not in (None, "")}
    return {
        "programme": found["programme"],
        "programme_name": speaker.name(found["programme"]),
        "month": found["month"],
        "batch_id": found["batch_id"],
        "batch_status": found["batch_status"],
        "file_name": _file(found),
        "file_sha256": found["file_sha256"],
        "sheet": found["sheet"],
        "source_row": found["source_row"],
        "source": " ".join(part for part in (_file(found), found["sheet"], f"第{found['source_row']}行") if part),
        "values": values,
        "cells": {name: columns.get(name, {}) | {"label": labels.get(name, name)} for name in values},
        "lead_row": found.get("lead_row"),
        "account_no": found.get("account_no") or (found.get("lead_row") or {}).get("account_no") or "",
    }  # fmt: skip


# a value that has no column of its own was read from one of these: several members in a cell, income a year
_FROM = {
    "id_no": ("head_id_no", "member_ids"),
    "name": ("head_name", "member_names"),
    "income_fen": ("income_month", "income_year"),
}


def _columns(found: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The column of the file, with its header, that each value of a record stood in."""
    columns = {
        c["field"]: {"column": c["column"], "header": c["header"]}
        for c in json.loads(found["columns"])
        if c.get("field")
    }
    head = found["id_no"] == found.get("head_id_no")
    for name, others in _FROM.items():
        usable = others if head or name == "income_fen" else others[::-1]
        other = next((one for one in usable if one in columns), "")
        if name not in columns and other:
            columns[name] = columns[other]
    return columns


def _file(found: Mapping[str, Any]) -> str:
    """The file of a record. A list that came as two files (persons and households) is one batch; its tables are those files in turn."""
    parts = str(found["file_name"]).split("、")
    if len(parts) > 1 and all("." in part for part in parts):
        return parts[min(found["table_no"], len(parts)) - 1]
    return str(found["file_name"])


def _match(doubt: Mapping[str, Any], sides: Mapping[str, Any], fact: str | None) -> dict[str, Any]:
    """Two people under two numbers: what brought them together (``fact``: ``word=value|…``), how the matching compares them, and which
    characters differ. {} for one person.
    """
    if not doubt["id_no_b"] or doubt["id_no_a"] == doubt["id_no_b"]:
        return {}
    told = {word: value for word, mark, value in (part.partition("=") for part in str(fact or "").split("|")) if mark}
    rows = [side["values"] | {"account_no": side["account_no"]} for side in sides.values() if side is not None]
    compared = _compared(rows[0], rows[1]) if len(rows) == 2 else {}
    marks = differences(doubt["id_no_a"], doubt["id_no_b"])
    return {"told": told, "compared": compared, "places": [[start + 1, end] for start, end in marks[0]]}


def _compared(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """How the matching compares these two records alone: ``matching.explain.Explained`` and its ``lines``."""
    import pyarrow as pa

    from jiuzhu_cli.matching.engine import COLUMNS
    from jiuzhu_cli.matching.explain import explain_pair

    columns = {
        name: pa.array([None if row.get(name) in (None, "") else str(row[name]) for row in (a, b)], pa.string())
        for name in COLUMNS
    }
    found = explain_pair(pa.table(columns), 0, 1)
    return found.as_json() | {"lines": found.lines()}


def _payment(store: Store, policy: Policy, doubt: Mapping[str, Any], today: date) -> dict[str, Any]:
    deadlines = Deadlines(policy)
    due = deadlines.of(doubt)
    blocks = doubt["kind"] in KINDS and KINDS[doubt["kind"]].blocks and doubt["severity"] == "strong"
    effects = {}
    for side in payable_sides(doubt):
        effect = effect_on(doubt["disposition"], side)
        said = EFFECTS[effect]
        if effect == "pending":
            said = "拦下，等处理结果" if blocks else "照发（不拦发放）"
        effects[side] = {"effect": effect, "says": "照发（疑点不再出现）" if doubt["state"] == "gone" else said}
    return {
        "disposition": doubt["disposition"],
        "says": DISPOSITIONS.get(doubt["disposition"], doubt["disposition"]),
        "sides": effects,
        "deadline": due.isoformat() if due else "",
        "overdue": deadlines.overdue(doubt, today),
        "recovered": recovered_lines(store, doubt["doubt_id"]),
    }
