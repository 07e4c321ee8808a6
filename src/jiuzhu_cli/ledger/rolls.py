"""Rolls and registers in the record: saving a batch, what it supersedes and how it differs, undo, list, show.

A batch is never changed once saved but for its status: ``active`` → ``superseded`` (a corrected roll came) or ``undone``.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_id, mask_name
from jiuzhu_cli.ledger.incoming import Incoming
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS
from jiuzhu_cli.ledger.store import Store, Transaction

# where a row stands and what is looked up for it, not what it says
_PLACE = {"row_id", "batch_id", "table_no", "source_row", "case_no", "area_code"}
SHOWN_CHANGES = 200


@cache
def row_columns(kind: str) -> tuple[str, ...]:
    """Columns of a row of this kind as intake fills them, ``table_no`` first (no row and batch IDs)."""
    every = ROLL_COLUMNS if kind == "roll" else REGISTER_COLUMNS
    return tuple(name for name in every if name not in ("row_id", "batch_id"))


@cache
def content_columns(kind: str) -> tuple[str, ...]:
    """Columns that make two rows the same."""
    return tuple(name for name in row_columns(kind) if name not in _PLACE)


@dataclass(frozen=True, slots=True)
class BatchHead:
    """A row of ``batch`` to be saved; amounts in 分."""

    kind: str
    programme: str
    area: str
    month: str
    part: str
    file_name: str
    file_sha256: str
    content_sha256: str
    rows: int
    accepted: int
    refused: int
    amount_fen: int
    stated_total_fen: int | None
    policy_digest: str
    supplements: int | None = None


@dataclass(frozen=True, slots=True)
class TableHead:
    """A row of ``batch_table``; ``header_row`` is 1-based, ``columns`` JSON."""

    table_no: int
    sheet: str
    header_row: int
    columns: str
    rows: int
    accepted: int
    refused: int
    stated_total_fen: int | None
    title: str


@dataclass(slots=True)
class Difference:
    """Persons of a new batch against those it supersedes, by table; ``fields`` counts what changed, ``changes`` lists some."""

    added: dict[int, int] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    unchanged: dict[int, int] = field(default_factory=dict)
    withdrawn: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def nothing_new(self) -> bool:
        return not self.added and not self.changed


def live_batches(store: Store, kind: str, programme: str, month: str) -> list[dict[str, Any]]:
    """Active batches of this list in that month, supplements included: ``batch_id, area, part, supplements, content_sha256, file_name, file_sha256``."""
    rows = store.query(
        "SELECT batch_id, area, part, supplements, content_sha256, file_name, file_sha256 FROM batch"
        " WHERE status = 'active' AND kind = ? AND programme = ? AND month = ? ORDER BY batch_id",
        (kind, programme, month),
    )
    return [dict(row) for row in rows]


def areas(store: Store) -> list[str]:
    """The areas that active batches have, each once."""
    return [str(row["area"]) for row in store.query("SELECT DISTINCT area FROM batch WHERE status = 'active'")]


def batches_with_content(store: Store, content_sha256: str) -> list[dict[str, Any]]:
    """Batches ever saved with this very content, newest first."""
    rows = store.query("SELECT * FROM batch WHERE content_sha256 = ? ORDER BY batch_id DESC", (content_sha256,))
    return [dict(row) for row in rows]


def knows_file(store: Store, sha256: str) -> bool:
    """Whether a batch ever came from this very file."""
    return bool(store.query("SELECT 1 FROM batch WHERE file_sha256 = ? LIMIT 1", (sha256,)))


def active_root(store: Store, batch_id: int) -> int | None:
    """The active roll that ``batch_id`` is or supplements; None when it has been corrected or undone."""
    rows = store.query("SELECT coalesce(supplements, batch_id) FROM batch WHERE batch_id = ?", (batch_id,))
    root = rows[0][0] if rows else None
    alive = store.query("SELECT 1 FROM batch WHERE batch_id = ? AND status = 'active'", (root,))
    return int(root) if root is not None and alive else None


def active_among(store: Store, batch_ids: Sequence[int]) -> set[int]:
    """Those of ``batch_ids`` that are active."""
    wanted = set(batch_ids)
    return {row[0] for row in store.query("SELECT batch_id FROM batch WHERE status = 'active'")} & wanted


def list_of(store: Store, batch_id: int) -> tuple[str, str, str]:
    """Programme, month and area of a batch that exists."""
    row = store.query("SELECT programme, month, area FROM batch WHERE batch_id = ?", (batch_id,))[0]
    return str(row[0]), str(row[1]), str(row[2])


def roll_persons(store: Store, root: int, *, without_file: str) -> list[tuple[str, int]]:
    """``(id_no, lead)`` of a roll and its supplements, leaving out those that came from the file of that digest."""
    rows = store.query(
        "SELECT id_no, lead FROM roll_row WHERE batch_id IN (SELECT batch_id FROM batch WHERE status = 'active'"
        " AND file_sha256 <> ?2 AND (batch_id = ?1 OR supplements = ?1))",
        (root, without_file),
    )
    return [(row[0], row[1]) for row in rows]


def money_moved(store: Store, batch_ids: Sequence[int], *, waiting: bool = False, earlier: bool = False) -> int:
    """Payment lines under way or paid that came from these batches; ``waiting``: only those that have not left for the bank yet; ``earlier``: also
    from what these once replaced, for a month paid by the first list stays paid under the second and the third."""
    states = "'due'" if waiting else "'due', 'sent', 'paid'"
    further = " UNION SELECT p.replaced FROM batch_replaced p JOIN listed USING (batch_id)" if earlier else ""
    sql = (
        f"WITH RECURSIVE listed (batch_id) AS (SELECT batch_id FROM batch WHERE batch_id IN ({_marks(batch_ids)}){further})"
        " SELECT count(*) FROM payment_line l JOIN obligation o USING (obligation_id) JOIN roll_row r ON r.row_id = o.roll_row_id"
        f" WHERE l.state IN ({states}) AND r.batch_id IN (SELECT batch_id FROM listed)"
    )
    return int(store.query(sql, list(batch_ids))[0][0])


@contextlib.contextmanager
def attempt(tx: Transaction) -> Iterator[None]:
    """What is written inside is taken back, and only it, when ``Withdrawn`` is raised inside; which ends there."""
    tx.execute("SAVEPOINT attempt")
    try:
        yield
    except Withdrawn:
        tx.execute("ROLLBACK TO attempt")
    tx.execute("RELEASE attempt")


class Withdrawn(Exception):
    """Raised inside ``attempt`` to take back what was written there."""


def save_batch(
    tx: Transaction,
    head: BatchHead,
    tables: Sequence[TableHead],
    rows: Incoming,
    findings: Sequence[Sequence[Any]],
    *,
    replaces: Sequence[int] = (),
) -> int:
    """Saves a batch with its tables, rows and findings; ``replaces`` (with their supplements) become superseded.

    ``rows`` are staged (``incoming.stage_lists``); ``findings`` are (table_no, row, column_letters, field, code,
    severity, shown, detail). Returns the batch ID.
    """
    old = _with_supplements(tx, replaces)
    for batch_id in old:
        tx.execute("UPDATE batch SET status = 'superseded' WHERE batch_id = ?", (batch_id,))
    part = head.part
    if head.supplements is None:
        part = free_part(tx, head.kind, head.programme, head.area, head.month, part)
    cursor = tx.execute(
        "INSERT INTO batch (kind, programme, area, month, part, status, supersedes, supplements, file_name, file_sha256,"
        " content_sha256, rows, accepted, refused, amount_fen, stated_total_fen, policy_digest, actor, created_at)"
        " VALUES (?,?,?,?,?,'active',?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            head.kind, head.programme, head.area, head.month, part, replaces[0] if replaces else None, head.supplements,
            head.file_name, head.file_sha256, head.content_sha256, head.rows, head.accepted, head.refused, head.amount_fen,
            head.stated_total_fen, head.policy_digest, tx.actor, tx.now,
        ),
    )  # fmt: skip
    batch_id = int(cursor.lastrowid or 0)
    tx.executemany("INSERT INTO batch_replaced VALUES (?,?)", [(batch_id, one) for one in old])
    tx.executemany(
        "INSERT INTO batch_table VALUES (?,?,?,?,?,?,?,?,?,?)",
        [
            (batch_id, t.table_no, t.sheet, t.header_row, t.columns, t.rows, t.accepted, t.refused, t.stated_total_fen, t.title)
            for t in tables
        ],
    )  # fmt: skip
    listed = ", ".join(rows.columns)
    tx.execute(  # one text for all lists with these columns: SQLite makes its plan once
        f"INSERT INTO {head.kind}_row (batch_id, {listed}) SELECT ?, {listed} FROM {rows.table}"
        " WHERE rowid BETWEEN ? AND ? ORDER BY rowid",
        (batch_id, rows.first, rows.last),
    )
    tx.executemany(
        "INSERT INTO finding (batch_id, table_no, row, column_letters, field, code, severity, shown, detail)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        [(batch_id, *finding) for finding in findings],
    )
    return batch_id


def difference(tx: Transaction, kind: str, batch_id: int, old: Sequence[int]) -> Difference:
    """How the persons of ``batch_id`` differ from those of ``old`` and its supplements, within the transaction."""
    old = _with_supplements(tx, old)
    content = content_columns(kind)
    signature = " || char(31) || ".join(f"coalesce({name}, '')" for name in content if name != "id_no")
    for name, batches in (("new", [batch_id]), ("old", old)):
        tx.execute(f"DROP TABLE IF EXISTS temp.persons_{name}")
        tx.execute(
            f"CREATE TEMP TABLE persons_{name} AS SELECT id_no, min(table_no) AS table_no, count(*) AS n,"
            f" group_concat(said, char(30)) AS said FROM (SELECT id_no, table_no, {signature} AS said FROM {kind}_row"
            f" WHERE batch_id IN ({_marks(batches)}) ORDER BY 1, 3) GROUP BY id_no",
            batches,
        )
        tx.execute(f"CREATE UNIQUE INDEX temp.persons_{name}_id ON persons_{name} (id_no)")
    out = Difference()
    for table_no, fate, count in tx.execute(
        "SELECT n.table_no, CASE WHEN o.id_no IS NULL THEN 'added' WHEN o.said = n.said THEN 'unchanged' ELSE 'changed' END,"
        " count(*) FROM temp.persons_new n LEFT JOIN temp.persons_old o USING (id_no) GROUP BY 1, 2"
    ).fetchall():
        getattr(out, fate)[table_no] = count
    out.withdrawn = tx.execute(
        "SELECT count(*) FROM temp.persons_old WHERE id_no NOT IN (SELECT id_no FROM temp.persons_new)"
    ).fetchone()[0]
    if out.changed:
        _what_changed(tx, kind, batch_id, old, content, out)
    for name in ("new", "old"):
        tx.execute(f"DROP TABLE temp.persons_{name}")
    return out


def _what_changed(
    tx: Transaction, kind: str, batch_id: int, old: Sequence[int], content: Sequence[str], out: Difference
) -> None:
    fields = [name for name in content if name not in ("id_no", "extra")]
    pairs = (
        f"FROM temp.persons_new n JOIN temp.persons_old o USING (id_no) JOIN {kind}_row a ON {same_id('a', 'n.id_no')} AND a.batch_id = {batch_id}"
        f" JOIN {kind}_row b ON {same_id('b', 'n.id_no')} AND b.batch_id IN ({', '.join(map(str, old))})"
        " WHERE n.said <> o.said AND n.n = 1 AND o.n = 1"
    )
    sums = tx.execute(f"SELECT {', '.join(f'sum(a.{name} IS NOT b.{name})' for name in fields)} {pairs}").fetchone()
    out.fields = {name: count for name, count in zip(fields, sums, strict=True) if count}
    both = ", ".join(f"a.{name}, b.{name}" for name in fields)
    for row in tx.execute(f"SELECT a.id_no, {both} {pairs} ORDER BY a.row_id LIMIT {SHOWN_CHANGES}").fetchall():
        id_no, values = row[0], row[1:]
        differing = {
            name: [values[2 * i + 1], values[2 * i]]
            for i, name in enumerate(fields)
            if values[2 * i] != values[2 * i + 1]
        }
        shown = {name: pair if name.endswith(("_fen", "persons", "size")) else [] for name, pair in differing.items()}
        out.changes.append({"id_no": mask_id(id_no), "name": mask_name(str(values[0])), "fields": shown})


def record_difference(tx: Transaction, batch_id: int, found: Difference) -> None:
    """Writes the counts of a difference on its batch."""
    tx.execute(
        "UPDATE batch SET added = ?, changed = ?, withdrawn = ?, unchanged = ? WHERE batch_id = ?",
        (sum(found.added.values()), sum(found.changed.values()), found.withdrawn, sum(found.unchanged.values()), batch_id),
    )  # fmt: skip


def undo_batch(tx: Transaction, store: Store, batch_id: int) -> dict[str, Any]:
    """Takes a batch (and its supplements) back; what it superseded is active again.

    UsageError when there is no such batch; RefusedError when it is not active, or payments from it are under way.
    """
    batch = _batch(store, batch_id)
    if batch["status"] == "undone":
        raise RefusedError(f"批次 {batch_id} 已经撤销过了", "用 jiuzhu batch list 查看现有批次")
    if batch["status"] == "superseded":
        later = tx.execute(
            "SELECT batch_id FROM batch_replaced WHERE replaced = ? ORDER BY 1 DESC", (batch_id,)
        ).fetchone()
        after = f"批次 {later[0]}" if later else "后来的批次"
        raise RefusedError(f"批次 {batch_id} 已被{after}更正", f"要撤销，先撤销{after}")
    gone = [batch_id, *_supplements(tx, [batch_id])]
    lines = money_moved(store, gone)
    if lines:
        raise RefusedError(
            f"批次 {batch_id} 已有 {lines} 笔进入发放，不能撤销", "未付出的先取消付款批次；已付出的用补发、追缴更正"
        )
    for one in gone:
        tx.execute("UPDATE batch SET status = 'undone' WHERE batch_id = ?", (one,))
    back = [
        row[0]
        for row in tx.execute(
            "SELECT r.replaced FROM batch_replaced r JOIN batch b ON b.batch_id = r.replaced"
            " WHERE r.batch_id = ? AND b.status = 'superseded' ORDER BY 1",
            (batch_id,),
        ).fetchall()
    ]
    for one in back:
        _make_active(tx, one)
    tx.journal(f"batch:{batch_id}", {"undone": gone, "active_again": back})
    return {"batch": batch_id, "undone": gone, "active_again": back}


def _make_active(tx: Transaction, batch_id: int) -> None:
    """Active again; under a new part when another list has taken its place meanwhile."""
    row = tx.execute(
        "SELECT kind, programme, area, month, part, supplements FROM batch WHERE batch_id = ?", (batch_id,)
    ).fetchone()
    part = free_part(tx, *row[:5]) if row[5] is None else row[4]
    tx.execute("UPDATE batch SET status = 'active', part = ? WHERE batch_id = ?", (part, batch_id))


def free_part(tx: Transaction, kind: str, programme: str, area: str, month: str, wanted: str) -> str:
    """``wanted`` when no active roll has it under this key, else p2, p3 …"""
    taken = {
        row[0]
        for row in tx.execute(
            "SELECT part FROM batch WHERE status = 'active' AND supplements IS NULL AND kind = ? AND programme = ? AND area = ?"
            " AND month = ?",
            (kind, programme, area, month),
        ).fetchall()
    }
    number, part = 1, wanted
    while part in taken:
        number += 1
        part = f"{wanted}p{number}"
    return part


def list_batches(store: Store, *, month: str = "", every: bool = False) -> list[dict[str, Any]]:
    """Batches, oldest first; without ``every`` only active ones."""
    where = [] if every else ["status = 'active'"]
    if month:
        where.append("month = ?")
    sql = "SELECT * FROM batch" + (" WHERE " + " AND ".join(where) if where else "") + " ORDER BY batch_id"
    return [dict(row) for row in store.query(sql, (month,) if month else ())]


def show_batch(store: Store, batch_id: int) -> dict[str, Any]:
    """One batch with ``tables``, ``replaced``, ``supplemented_by`` and ``findings`` (values masked)."""
    batch = _batch(store, batch_id)
    tables = [
        dict(row) for row in store.query("SELECT * FROM batch_table WHERE batch_id = ? ORDER BY table_no", (batch_id,))
    ]
    for one in tables:
        one["columns"] = json.loads(one["columns"])
    batch["tables"] = tables
    batch["replaced"] = [
        row[0] for row in store.query("SELECT replaced FROM batch_replaced WHERE batch_id = ? ORDER BY 1", (batch_id,))
    ]
    batch["supplemented_by"] = [
        row[0] for row in store.query("SELECT batch_id FROM batch WHERE supplements = ? ORDER BY 1", (batch_id,))
    ]
    batch["findings"] = [
        dict(row) | {"detail": json.loads(row["detail"])}
        for row in store.query(
            "SELECT table_no, row, column_letters, field, code, severity, shown, detail FROM finding WHERE batch_id = ?"
            " ORDER BY table_no, row, column_letters, finding_id",
            (batch_id,),
        )
    ]
    return batch


def _batch(store: Store, batch_id: int) -> dict[str, Any]:
    rows = store.query("SELECT * FROM batch WHERE batch_id = ?", (batch_id,))
    if not rows:
        raise UsageError(f"没有批次 {batch_id}", "用 jiuzhu batch list 查看批次编号")
    return dict(rows[0])


def _supplements(tx: Transaction, batch_ids: Sequence[int]) -> list[int]:
    sql = (
        f"SELECT batch_id FROM batch WHERE status = 'active' AND supplements IN ({_marks(batch_ids)}) ORDER BY batch_id"
    )
    return [row[0] for row in tx.execute(sql, list(batch_ids)).fetchall()]


def _with_supplements(tx: Transaction, batch_ids: Sequence[int]) -> list[int]:
    if not batch_ids:
        return []
    sql = f"SELECT batch_id FROM batch WHERE supplements IN ({_marks(batch_ids)}) AND status <> 'undone' ORDER BY batch_id"
    return [*batch_ids, *(row[0] for row in tx.execute(sql, list(batch_ids)).fetchall())]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values)) or "NULL"
