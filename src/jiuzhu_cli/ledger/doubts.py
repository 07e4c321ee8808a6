"""Doubts (疑点) in the record: what a run found, and what payment and review must know of it. What people decide: ``verdicts``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import BLOCKING_KINDS, RELEASED, RUN_KINDS, effect_on
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.store import Store, Transaction
from jiuzhu_cli.ledger.verdicts import note_events, reopen, take_facts

if TYPE_CHECKING:
    import sqlite3

    import pyarrow as pa

_CONTENT = (
    "kind code rule severity id_no_a name_a programme_a area_a source_a id_no_b name_b programme_b area_b source_b evidence basis"
).split()
_MONTHLY = "month amount_fen row_a row_b fen_a fen_b fact".split()


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What a run changed in the record. ``reopened``: decided ones whose facts changed so much that they must be decided anew."""

    added: int
    changed: int
    gone: int
    reopened: int


def stage_run(store: Store, found: pa.Table, months: pa.Table) -> None:
    """Stages a run's doubts (``doubt_key, position`` and the columns of ``doubt``) and their months (``doubt_key`` and those of
    ``doubt_month``: ``month, amount_fen, row_a, row_b, fen_a, fen_b, fact``).
    """
    store.stage("found", found)
    store.stage("found_month", months)


# What the sentence of a doubt is made of: the doubt with its last month's row, and its months with what was at stake.
Tell = Callable[[Mapping[str, Any], Sequence[tuple[str, int]]], str]


def record_run(
    tx: Transaction, *, run_month: str, window: tuple[str, str], policy: str = "", tell: Tell | None = None
) -> RunCounts:
    """Folds the staged run over the months ``window`` into the record.

    The same key keeps its number and disposition; months of the window that no longer show it are taken off; a doubt left without a
    month is ``gone``. A run over earlier months than the doubt's last leaves its facts as the later month told them; its sentence is made
    anew by ``tell`` where a month was taken off. A decision stands until what it rests on changes (``verdicts.reopen``).
    """
    first, last = window
    tx.execute("CREATE INDEX staging.found_key ON found (doubt_key)")
    tx.execute("CREATE INDEX staging.found_month_key ON found_month (doubt_key, month)")
    before = {row["doubt_id"]: _digest(row) for row in tx.execute("SELECT * FROM doubt")}
    newest = tx.execute("SELECT coalesce(max(rowid), 0) FROM doubt").fetchone()[0]
    number = tx.execute("SELECT coalesce(max(CAST(substr(doubt_id, 2) AS INTEGER)), 0) FROM doubt").fetchone()[0]
    names = ", ".join(_CONTENT)
    added = tx.execute(
        f"INSERT INTO doubt (doubt_id, doubt_key, {names}, month_from, month_to, amount_fen, state, run_month, first_seen, last_seen,"
        " result, opened_at)"
        f" SELECT printf('D%06d', ? + row_number() OVER (ORDER BY f.position)), f.doubt_key, {names}, '', '', 0, 'open', ?, ?, ?, 'pending', ?"
        " FROM staging.found f WHERE NOT EXISTS (SELECT 1 FROM doubt d WHERE d.doubt_key = f.doubt_key)",
        (number, run_month, run_month, run_month, tx.now),
    ).rowcount
    ours = f"kind IN ({', '.join('?' * len(RUN_KINDS))})"
    no_longer = (
        f"FROM doubt_month WHERE month BETWEEN ? AND ? AND doubt_id IN (SELECT doubt_id FROM doubt WHERE {ours})"
        " AND NOT EXISTS (SELECT 1 FROM staging.found_month f JOIN doubt d USING (doubt_key)"
        "   WHERE d.doubt_id = doubt_month.doubt_id AND f.month = doubt_month.month)"
    )
    other_months = {row[0] for row in tx.execute(f"SELECT doubt_id {no_longer}", (first, last, *RUN_KINDS))}
    tx.execute(f"DELETE {no_longer}", (first, last, *RUN_KINDS))
    tx.execute(
        f"INSERT INTO doubt_month (doubt_id, {', '.join(_MONTHLY)}) SELECT d.doubt_id, {', '.join('f.' + name for name in _MONTHLY)}"
        " FROM staging.found_month f JOIN doubt d USING (doubt_key) WHERE TRUE ON CONFLICT (doubt_id, month) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in _MONTHLY[1:])
    )
    tx.execute(
        "UPDATE doubt SET state = 'open', run_month = ?, last_seen = max(last_seen, ?) FROM staging.found f WHERE f.doubt_key = doubt.doubt_key"
        " AND doubt.rowid <= ?",
        (run_month, run_month, newest),
    )
    tx.execute(
        f"UPDATE doubt SET {', '.join(f'{name} = f.{name}' for name in _CONTENT)} FROM staging.found f WHERE f.doubt_key = doubt.doubt_key"
        " AND doubt.rowid <= ? AND NOT EXISTS (SELECT 1 FROM doubt_month m WHERE m.doubt_id = doubt.doubt_id AND m.month > ?)",
        (newest, last),
    )
    tx.execute(
        f"UPDATE doubt SET state = 'gone' WHERE state = 'open' AND {ours} AND NOT EXISTS (SELECT 1 FROM doubt_month m WHERE m.doubt_id = doubt.doubt_id)",
        RUN_KINDS,
    )
    tx.execute(
        "UPDATE doubt SET month_from = m.first, month_to = m.last, amount_fen = m.total FROM"
        " (SELECT doubt_id, min(month) AS first, max(month) AS last, sum(amount_fen) AS total FROM doubt_month GROUP BY doubt_id) m"
        " WHERE m.doubt_id = doubt.doubt_id AND (month_from, month_to, amount_fen) <> (m.first, m.last, m.total)"
    )
    if tell is not None:
        _tell_again(tx, other_months, tell)
    take_facts(tx)
    reopened = reopen(tx, run_month=run_month)
    after = list(tx.execute(f"SELECT {'*' if before else 'doubt_id, state'} FROM doubt"))
    changed = sum(1 for row in after if row["doubt_id"] in before and before[row["doubt_id"]] != _digest(row))
    was = {doubt_id: state for doubt_id, state, _ in before.values()}
    gone = [row["doubt_id"] for row in after if row["state"] == "gone" and was.get(row["doubt_id"], "open") == "open"]
    back = [row["doubt_id"] for row in after if row["state"] == "open" and was.get(row["doubt_id"]) == "gone"]
    note_events(tx, "gone", gone, month=run_month)
    note_events(tx, "back", back, month=run_month)
    open_now = sum(1 for row in after if row["state"] == "open")
    tx.journal(
        f"dedupe:{run_month}",
        {"from": first, "to": last, "added": added, "changed": changed, "gone": len(gone), "reopened": reopened, "open": open_now, "policy": policy[:16]},
    )  # fmt: skip
    return RunCounts(added, changed - len(gone), len(gone), reopened)


def _tell_again(tx: Transaction, doubt_ids: Iterable[str], tell: Tell) -> None:
    """The sentences of open doubts that lost a month. Those of an older program, which kept no figures, stay as they are."""
    for doubt_id in sorted(doubt_ids):
        doubt = tx.execute("SELECT * FROM doubt WHERE doubt_id = ? AND state = 'open'", (doubt_id,)).fetchone()
        months = tx.execute("SELECT * FROM doubt_month WHERE doubt_id = ? ORDER BY month", (doubt_id,)).fetchall()
        if doubt is None or not months or months[-1]["fen_a"] is None:
            continue
        hit = {**dict(doubt), **dict(months[-1])}
        text = tell(hit, [(month["month"], month["amount_fen"]) for month in months])
        tx.execute("UPDATE doubt SET evidence = ?1 WHERE doubt_id = ?2 AND evidence <> ?1", (text, doubt_id))


def _digest(row: Any) -> tuple[str, str, int]:
    """What makes a doubt changed: anything but when it was last looked at."""
    content = "\x1f".join(str(row[name]) for name in (*_CONTENT, "month_from", "month_to", "amount_fen", "disposition"))
    return (row["doubt_id"], row["state"], hash(content))


def doubts_of(store: Store, window: tuple[str, str]) -> list[dict[str, Any]]:
    """Doubts that the rolls of the window's months show, as dicts of the table's columns, by number."""
    rows = store.query(
        "SELECT * FROM doubt WHERE state = 'open' AND doubt_id IN (SELECT doubt_id FROM doubt_month WHERE month BETWEEN ? AND ?)"
        " ORDER BY doubt_id",
        window,
    )
    return _dicts(rows)


def _dicts(rows: Sequence[sqlite3.Row]) -> list[dict[str, Any]]:
    """Many rows as dicts: ``dict(row)`` looks each name up."""
    names = rows[0].keys() if rows else []
    return [dict(zip(names, row, strict=True)) for row in rows]


def doubts_by_id(store: Store, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Doubts by number, whatever their state."""
    wanted = sorted(set(ids))
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        for row in store.query(f"SELECT * FROM doubt WHERE doubt_id IN ({', '.join('?' * len(part))})", part):
            found[row["doubt_id"]] = dict(row)
    return found


def status_questions(store: Store) -> list[tuple[int, int, str]]:
    """Columns of live rolls that ask for a status (是否低保户) rather than name one: ``(batch_id, table_no, header)``."""
    rows = store.query(
        "SELECT t.batch_id, t.table_no, json_extract(c.value, '$.header') AS header FROM batch_table t JOIN batch b USING (batch_id),"
        " json_each(t.columns) c WHERE b.status = 'active' AND b.kind = 'roll' AND t.columns LIKE '%是否%'"
        " AND json_extract(c.value, '$.field') = 'claimed_status' AND header LIKE '%是否%'"
    )
    return [(row["batch_id"], row["table_no"], row["header"]) for row in rows]


def waiting(store: Store, *, month: str = "") -> list[dict[str, Any]]:
    """Strong doubts without a result, of ``month`` or of all, as dicts of the table's columns, by number."""
    only = " AND doubt_id IN (SELECT doubt_id FROM doubt_month WHERE month = ?)" if month else ""
    sql = f"SELECT * FROM doubt WHERE state = 'open' AND disposition = 'pending' AND severity = 'strong'{only} ORDER BY doubt_id"
    return [dict(row) for row in store.query(sql, (month,) if month else ())]


def doubts_between(store: Store, first: str, second: str) -> list[dict[str, Any]]:
    """Doubts that ``first`` or ``second`` shows, by number: the table's columns and ``in_first, in_second``, ``earlier`` (an earlier month
    than ``first`` showed it too), ``reopened`` (a run of a month after ``first``, up to ``second``, put a decision back).
    """
    rows = store.query(
        "SELECT d.*, s.in_first, s.in_second, s.earlier, EXISTS (SELECT 1 FROM doubt_history h WHERE h.doubt_id = d.doubt_id"
        "  AND h.event = 'reopened' AND h.month > ?1 AND h.month <= ?2) AS reopened FROM doubt d JOIN"
        " (SELECT doubt_id, max(month = ?1) AS in_first, max(month = ?2) AS in_second, max(month < ?1) AS earlier FROM doubt_month GROUP BY doubt_id) s"
        " USING (doubt_id) WHERE s.in_first OR s.in_second ORDER BY d.doubt_id",
        (first, second),
    )
    return [dict(row) for row in rows]


def one_person(store: Store) -> list[tuple[str, str]]:
    """Pairs of numbers that a clerk found to be one person's: same-person doubts with a result that says so, whatever became of the money."""
    rows = store.query(
        "SELECT id_no_a, id_no_b FROM doubt WHERE kind = 'same_person' AND id_no_a <> id_no_b AND id_no_b <> ''"
        " AND result IN ('confirmed', 'allowed', 'stopped', 'recovered') ORDER BY doubt_id"
    )
    return [(row[0], row[1]) for row in rows]


def decided_numbers(store: Store) -> list[dict[str, Any]]:
    """Doubts of one person under two numbers that a clerk decided: ``doubt_id, same`` (one person or not), and the rows of the last month
    that showed them: ``month, row_a, row_b``."""
    rows = store.query(
        "SELECT d.doubt_id, d.result <> 'not_same' AS same, m.month, m.row_a, m.row_b FROM doubt d JOIN doubt_month m USING (doubt_id)"
        " WHERE d.code = 'second_number' AND d.result IN ('confirmed', 'allowed', 'stopped', 'recovered', 'not_same') AND m.row_a > 0 AND m.row_b > 0"
        " AND m.month = (SELECT max(month) FROM doubt_month x WHERE x.doubt_id = d.doubt_id) ORDER BY d.doubt_id"
    )
    return [{**dict(row), "same": bool(row["same"])} for row in rows]


def earlier_pending(store: Store, month: str) -> int:
    """Doubts of months before ``month`` only, still without a decision."""
    return int(
        store.query(
            "SELECT count(*) FROM doubt WHERE state = 'open' AND disposition = 'pending' AND month_to < ?", (month,)
        )[0][0]
    )


# ---- for payment and review ------------------------------------------------------------------------------------

# One row for each side a doubt names in the month. A doubt about an account concerns what is paid into that account, whatever the
# programme, and nothing else that the persons receive; when the rolls no longer show it, the programmes that the doubt names.
# ``twin``: both sides are one person and one programme, so that only the area tells them apart.
_SIDES = f"""
WITH live AS (
  SELECT d.*, d.id_no_a = d.id_no_b AND d.programme_a = d.programme_b AS twin FROM doubt d JOIN doubt_month m USING (doubt_id)
  WHERE d.state = 'open' AND m.month = ?1),
named AS (
  SELECT *, 'a' AS side, id_no_a AS id_no, programme_a AS programme, area_a AS area, id_no_b AS other_id_no, programme_b AS other_programme FROM live
  UNION ALL
  SELECT *, 'b', id_no_b, programme_b, area_b, id_no_a, programme_a FROM live WHERE id_no_b <> ''),
paid AS (
  SELECT b.programme, r.id_no, r.account_no FROM (SELECT DISTINCT id_no FROM named WHERE kind = 'account') n
  CROSS JOIN roll_row r ON {same_id("r", "n.id_no")} JOIN batch b USING (batch_id)
  WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = ?1 AND r.lead = 1 AND r.account_no <> '')
SELECT DISTINCT n.doubt_id, n.kind, n.severity, n.disposition, n.disposed_at, n.side, n.id_no, coalesce(p.programme, n.programme) AS programme, n.area,
  n.other_programme, n.twin, n.basis, n.disposition_note AS note
FROM named n LEFT JOIN paid p ON n.kind = 'account' AND p.id_no = n.id_no
  AND EXISTS (SELECT 1 FROM paid o WHERE o.id_no = n.other_id_no AND o.account_no = p.account_no)
WHERE n.programme NOT LIKE 'register:%'
ORDER BY n.doubt_id, n.side, programme
"""


def _sides(store: Store, month: str) -> list[dict[str, Any]]:
    return [
        dict(row) | {"twin": bool(row["twin"]), "effect": effect_on(row["disposition"], row["side"])}
        for row in store.query(_SIDES, (month,))
    ]


def held_sides(store: Store, month: str) -> list[dict[str, Any]]:
    """What payment must hold back in ``month``: strong doubts without a result, sides to be stopped or stopped already, amounts to
    be adjusted, doubts confirmed without a side.

    Dicts ``doubt_id, kind, severity, disposition, disposed_at, side, id_no, programme, area, other_programme, twin, basis, note,
    effect``; ``effect`` says why (``core.doubt.effect_on``). Never missed aid, never candidates without a result.
    """
    return [
        row
        for row in _sides(store, month)
        if row["effect"] in ("stop", "done", "adjust", "undecided")
        or (row["effect"] == "pending" and row["severity"] == "strong" and row["kind"] in BLOCKING_KINDS)
    ]


def released_sides(store: Store, month: str) -> list[dict[str, Any]]:
    """Sides of doubts that somebody looked into and lets pass (允许叠加, 非同一人, 误报, 已转部门办理); columns as ``held_sides``."""
    return [row for row in _sides(store, month) if row["disposition"] in RELEASED]


def confirmed_stops(store: Store, month: str) -> list[dict[str, Any]]:
    """Sides that somebody decided to stop in ``month`` and that are not stopped yet, for review's stop proposals (社会救助法 第48条);
    columns as ``held_sides``.
    """
    return [row for row in _sides(store, month) if row["effect"] == "stop"]


def run_is_current(store: Store, month: str) -> bool | None:
    """Whether doubts were looked for in ``month`` since its newest list came in; None when never."""
    ran = store.query("SELECT max(seq) FROM journal WHERE entity = ?", (f"dedupe:{month}",))[0][0]
    if ran is None:
        return None
    changed = store.query(
        "SELECT max(j.seq) FROM journal j JOIN batch b ON j.entity = 'batch:' || b.batch_id WHERE b.month IN (?, '') OR b.kind = 'register'",
        (month,),
    )[0][0]
    return changed is None or changed < ran
