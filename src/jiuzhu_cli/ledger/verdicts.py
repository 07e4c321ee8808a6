"""What people decide on doubts (疑点): results taken down with who and when, what they rest on, and when they must be taken anew."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.doubt import verdict_label
from jiuzhu_cli.core.names import same_name
from jiuzhu_cli.ledger.store import Store, Transaction

# What a decision rests on, of the doubt's last month: persons, programmes, the accounts paid into, the day a register gives.
_SIDE_FACTS = """json_object('id_no', d.id_no_{s}, 'name', d.name_{s}, 'programme', d.programme_{s},
    'account', coalesce((SELECT l.account_no FROM roll_row r JOIN roll_row l ON l.batch_id = r.batch_id AND l.case_no = r.case_no AND l.lead = 1
      WHERE r.row_id = m.row_{s} AND l.account_no <> '' LIMIT 1), ''),
    'date', coalesce((SELECT coalesce(nullif(g.event_date, ''), g.valid_from) FROM register_row g WHERE g.row_id = -m.row_{s}), ''))"""
_FACTS = f"""
UPDATE doubt SET facts = f.facts FROM (
  SELECT d.doubt_id, json_object('a', {_SIDE_FACTS.format(s="a")}, 'b', {_SIDE_FACTS.format(s="b")}) AS facts
  FROM doubt d JOIN doubt_month m ON m.doubt_id = d.doubt_id AND m.month = d.month_to
  WHERE d.state = 'open' AND d.doubt_key IN (SELECT doubt_key FROM staging.found)) f
WHERE f.doubt_id = doubt.doubt_id AND doubt.facts <> f.facts
"""
FACT_WORDS = {"id_no": "身份证号", "name": "姓名", "programme": "项目", "account": "账号", "date": "日期"}

# Months against the amount decided on: their own, else that of the last month decided, else (the months decided on have left the rolls
# since) the amount that the decision keeps. A tenth (and 1 元) either way is no change; after 调整金额 any change is one. ``again``: after
# 已停发 and 已追回 a month later than those decided on.
_AMOUNTS = """
WITH last AS (SELECT doubt_id, max(month) AS month FROM doubt_month WHERE decided_fen IS NOT NULL GROUP BY doubt_id),
against AS (
  SELECT d.doubt_id, d.disposition, m.month, m.amount_fen,
    coalesce(m.decided_fen, (SELECT x.decided_fen FROM doubt_month x WHERE x.doubt_id = d.doubt_id AND x.month = l.month),
      CASE WHEN d.decided_facts <> '' THEN json_extract(d.decided_facts, '$.fen') END) AS decided_fen,
    m.decided_fen IS NULL AND m.month > coalesce(l.month, '') AS later
  FROM doubt d JOIN doubt_month m USING (doubt_id) LEFT JOIN last l ON l.doubt_id = d.doubt_id
  WHERE d.state = 'open' AND d.disposition <> 'pending')
SELECT doubt_id, max(later) AND (disposition LIKE 'stopped%' OR disposition LIKE 'recovered%') AS again,
  coalesce(max(abs(amount_fen - decided_fen) * 10 > decided_fen + 1000), 0) AS beyond,
  coalesce(max(amount_fen <> decided_fen), 0) AND disposition = 'adjust' AS adjusted
FROM against GROUP BY doubt_id HAVING again OR beyond OR adjusted
"""
_CHANGED = """
SELECT doubt_id, facts, decided_facts FROM doubt WHERE state = 'open' AND disposition <> 'pending'
  AND facts <> CASE WHEN decided_facts = '' THEN '' ELSE json_remove(decided_facts, '$.fen') END
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision to be taken down. ``source``: the file, sheet and cell that said it; ``digest``: of the file."""

    doubt_id: str
    result: str
    disposition: str
    note: str = ""
    checked_by: str = ""
    checked_on: str = ""
    source: str = ""
    digest: str = ""


def take_facts(tx: Transaction) -> None:
    """Notes what the staged run's doubts rest on now (``doubt.facts``)."""
    tx.execute(_FACTS)


def changed_facts(before: str, now: str) -> list[str]:
    """What differs between two ``facts``, in words (``甲方账号``). What one of them leaves open is no difference."""
    old, new = (json.loads(text) if text else {} for text in (before, now))
    found = []
    for side, label in (("a", "甲方"), ("b", "乙方")):
        for name, word in FACT_WORDS.items():
            one, other = (part.get(side, {}).get(name) or "" for part in (old, new))
            if one and other and one != other and not (name == "name" and same_name(one, other)):
                found.append(label + word)
    return found


def _filled(before: str, now: str) -> str:
    """``before``, with what it left open taken from ``now``."""
    old, new = (json.loads(text) if text else {} for text in (before, now))
    merged = {s: {k: old.get(s, {}).get(k) or v for k, v in new[s].items()} for s in new}
    if "fen" in old:
        merged["fen"] = old["fen"]
    return json.dumps(merged, ensure_ascii=False, separators=(",", ":"))


def reopen(tx: Transaction, *, run_month: str) -> int:
    """Decided doubts whose facts have materially changed go back to ``pending``: the old result and what changed in note and history.

    Changed: persons, programmes, accounts, names, dates (``changed_facts``); amounts by more than a tenth; after 已停发 and 已追回 a
    further month that shows the doubt again.
    """
    why: dict[str, list[str]] = {}
    for row in tx.execute(_CHANGED).fetchall():
        changed = changed_facts(row["decided_facts"], row["facts"])
        if changed:
            why[row["doubt_id"]] = [f"{'、'.join(changed)}有变"]
        else:
            filled = _filled(row["decided_facts"], row["facts"])
            tx.execute("UPDATE doubt SET decided_facts = ? WHERE doubt_id = ?", (filled, row["doubt_id"]))
    for row in tx.execute(_AMOUNTS).fetchall():
        reasons = why.setdefault(row["doubt_id"], [])
        if row["again"]:
            reasons.append("名册上又有")
        if row["beyond"] or row["adjusted"]:
            reasons.append("金额有变")
    for doubt_id, reasons in sorted(why.items()):
        doubt = tx.execute("SELECT * FROM doubt WHERE doubt_id = ?", (doubt_id,)).fetchone()
        text = "；".join(reasons)
        tx.execute(
            "INSERT INTO doubt_history (doubt_id, at, actor, month, event, result, disposition, note, checked_by, checked_on, source)"
            " VALUES (?, ?, ?, ?, 'reopened', ?, ?, ?, ?, ?, ?)",
            (doubt_id, tx.now, tx.actor, run_month, doubt["result"], doubt["disposition"], doubt["disposition_note"], doubt["checked_by"],
             doubt["checked_on"], text),
        )  # fmt: skip
        note = f"原处理结果：{verdict_label(doubt)}；其后{text}，请重新核实。{doubt['disposition_note']}"
        tx.execute(
            "UPDATE doubt SET disposition_note = ?, result = 'pending', disposition = 'pending', disposed_by = '', disposed_at = '',"
            " checked_by = '', checked_on = '', decided_facts = '', opened_at = ? WHERE doubt_id = ?",
            (note, tx.now, doubt_id),
        )
        tx.execute("UPDATE doubt_month SET decided_fen = NULL WHERE doubt_id = ?", (doubt_id,))
    return len(why)


def note_events(tx: Transaction, event: str, doubt_ids: Iterable[str], *, month: str) -> None:
    """Takes down that doubts are ``gone`` from the rolls, or ``back``."""
    tx.executemany(
        "INSERT INTO doubt_history (doubt_id, at, actor, month, event) VALUES (?, ?, ?, ?, ?)",
        [(one, tx.now, tx.actor, month, event) for one in doubt_ids],
    )


def decide(tx: Transaction, verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """Takes down what was decided; returns (applied, unchanged). Keeps the amounts and facts decided on, and a history."""
    applied = 0
    for v in verdicts:
        said = (v.result, v.disposition, v.note, v.checked_by, v.checked_on)
        done = tx.execute(
            "UPDATE doubt SET result = ?1, disposition = ?2, disposition_note = ?3, checked_by = ?4, checked_on = ?5, disposed_by = ?6,"
            " disposed_at = ?7, decided_facts = CASE WHEN ?2 = 'pending' OR facts = '' THEN ''"
            "  ELSE json_set(facts, '$.fen', (SELECT m.amount_fen FROM doubt_month m WHERE m.doubt_id = ?8 AND m.month = month_to)) END,"
            " opened_at = CASE WHEN ?2 = 'pending' AND disposition <> 'pending' THEN ?7 ELSE opened_at END WHERE doubt_id = ?8"
            " AND (result, disposition, disposition_note, checked_by, checked_on) <> (?1, ?2, ?3, ?4, ?5)",
            (*said, tx.actor, tx.now, v.doubt_id),
        ).rowcount
        if done:
            applied += 1
            decided = "NULL" if v.disposition == "pending" else "amount_fen"
            tx.execute(f"UPDATE doubt_month SET decided_fen = {decided} WHERE doubt_id = ?", (v.doubt_id,))
            tx.execute(
                "INSERT INTO doubt_history (doubt_id, at, actor, event, result, disposition, note, checked_by, checked_on, source)"
                " VALUES (?, ?, ?, 'decided', ?, ?, ?, ?, ?, ?)",
                (v.doubt_id, tx.now, tx.actor, *said, v.source),
            )
            detail = {"result": v.result, "disposition": v.disposition, "file": v.source}
            tx.journal(f"doubt:{v.doubt_id}", detail, digest=v.digest)
    return applied, len(verdicts) - applied


def history(store: Store, doubt_ids: Iterable[str]) -> list[dict[str, Any]]:
    """What happened to these doubts, oldest first: the columns of ``doubt_history``."""
    wanted, found = sorted(set(doubt_ids)), []
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ", ".join("?" * len(part))
        found += [dict(r) for r in store.query(f"SELECT * FROM doubt_history WHERE doubt_id IN ({marks})", part)]
    return sorted(found, key=lambda event: event["event_id"])


def last_decisions(store: Store, doubt_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """The event that made each doubt's present decision; doubts without one are left out."""
    return {event["doubt_id"]: event for event in history(store, doubt_ids) if event["event"] == "decided"}


def decisions_seen(store: Store, window: tuple[str, str]) -> int:
    """The number of the latest decision on any doubt of the window's months; 0 before the first. A workbook bears it as a mark: what was
    decided later its clerk has not seen.
    """
    found = store.query(
        "SELECT max(event_id) FROM doubt_history WHERE event = 'decided' AND doubt_id IN (SELECT doubt_id FROM doubt_month WHERE month BETWEEN ? AND ?)",
        window,
    )
    return int(found[0][0] or 0)
