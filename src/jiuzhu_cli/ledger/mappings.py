"""What people said that columns of a sender's form mean (``--map``): kept, used again next month, listed, forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.ledger.store import Store, Transaction

_COLUMNS = "mapping_id, kind, programme, sender, form, header, column_letters, shown, field, actor, created_at"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """One column's meaning. ``mapping_id`` 0: said just now, not kept yet.

    ``sender``: the town whose lists it holds for, '' for lists that name none; ``form``: digest of the form's headers, ''
    where the header alone tells the column; ``header`` is normalised, '' where ``letters`` tell the column; ``shown`` is
    the header as printed; ``field`` a glossary code, '' for a column that is not used.
    """

    kind: str
    programme: str
    sender: str
    form: str
    header: str
    letters: str
    shown: str
    field: str
    mapping_id: int = 0
    actor: str = ""
    created_at: str = ""

    @property
    def day(self) -> str:
        """The day it was said, as people here count it (北京时间)."""
        try:
            said = datetime.fromisoformat(self.created_at.replace("Z", "+00:00"))
        except ValueError:
            return ""
        return f"{said + timedelta(hours=8):%Y-%m-%d}"

    @property
    def by(self) -> str:
        return f"按 {self.day} {self.actor}的指定"

    @property
    def key(self) -> tuple[str, ...]:
        return self.kind, self.programme, self.sender, self.form, self.header, self.letters


def active_mappings(store: Store) -> tuple[ColumnMapping, ...]:
    """All that hold, oldest first."""
    rows = store.query(f"SELECT {_COLUMNS} FROM column_mapping WHERE state = 'active' ORDER BY mapping_id")
    return tuple(
        ColumnMapping(
            row["kind"], row["programme"], row["sender"], row["form"], row["header"], row["column_letters"], row["shown"],
            row["field"], row["mapping_id"], row["actor"], row["created_at"],
        )
        for row in rows
    )  # fmt: skip


def remember(tx: Transaction, said: Iterable[ColumnMapping]) -> int:
    """Keeps what was said and is new; another meaning of the same column replaces the old one. Returns how many."""
    kept = 0
    for one in {mapping.key: mapping for mapping in said}.values():
        old = tx.execute(
            "SELECT mapping_id, field FROM column_mapping WHERE state = 'active' AND kind = ? AND programme = ? AND sender = ?"
            " AND form = ? AND header = ? AND column_letters = ?",
            one.key,
        ).fetchone()
        if old is not None and old["field"] == one.field:
            continue
        if old is not None:
            _end(tx, [old["mapping_id"]], "replaced")
        cursor = tx.execute(
            "INSERT INTO column_mapping (kind, programme, sender, form, header, column_letters, shown, field, state, actor, created_at)"
            " VALUES (?,?,?,?,?,?,?,?,'active',?,?)",
            (*one.key, mask_text(one.shown), one.field, tx.actor, tx.now),
        )
        tx.journal(
            f"mapping:{cursor.lastrowid}",
            {
                "programme": one.programme,
                "sender": one.sender,
                "header": mask_text(one.shown) or one.letters,
                "field": one.field,
            },
        )
        kept += 1
    return kept


def drop(tx: Transaction, mapping_ids: Sequence[int]) -> None:
    """Ends mappings that a column's content contradicted."""
    _end(tx, mapping_ids, "contradicted")


def forget(tx: Transaction, mapping_ids: Sequence[int]) -> None:
    """Ends mappings at somebody's wish. UsageError when one of them does not hold."""
    holding = {row[0] for row in tx.execute("SELECT mapping_id FROM column_mapping WHERE state = 'active'").fetchall()}
    unknown = [one for one in mapping_ids if one not in holding]
    if unknown:
        raise UsageError(f"没有编号 {'、'.join(map(str, unknown))} 的记忆", "用 jiuzhu mapping list 查看编号")
    _end(tx, mapping_ids, "forgotten")


def _end(tx: Transaction, mapping_ids: Sequence[int], state: str) -> None:
    for one in dict.fromkeys(mapping_ids):
        ended = tx.execute(
            "UPDATE column_mapping SET state = ?, ended_by = ?, ended_at = ? WHERE mapping_id = ? AND state = 'active'",
            (state, tx.actor, tx.now, one),
        )
        if ended.rowcount:
            tx.journal(f"mapping:{one}", {"state": state})
