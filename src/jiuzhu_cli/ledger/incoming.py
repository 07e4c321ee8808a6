"""Lists on their way into the record: staged beside it, compared with the lists that stand there, then copied in.

All lists of one transaction are staged together, those of one kind that fill the same columns in one table:
``staging.incoming_roll_1``, ``staging.incoming_register_2`` …; a cell that nobody fills costs as much on the way as one that is filled.
What a live list holds is read once an import into temporary tables with an index, so that a folder of lists of one key costs
what its rows cost, not its files squared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Incoming:
    """The rows ``first``..``last`` of a staged table: one list. ``columns``: those that hold anything."""

    table: str
    first: int
    last: int
    columns: tuple[str, ...]

    @property
    def source(self) -> str:
        """The list as SQL may select from it: ``FROM {source}``, in the order of the rows by ``rowid``."""
        return f"{self.table} WHERE rowid BETWEEN {self.first} AND {self.last}"


def stage_lists(store: Store, lists: Sequence[tuple[str, pa.Table]], *, after: int = 0) -> list[Incoming]:
    """Puts lists ``(kind, rows)`` beside the record for the next transaction; columns as of ``rolls.row_columns(kind)``.

    ``after``: so many lists are staged for it already, and stay; what was staged for another does not.
    """
    import pyarrow as pa

    layouts: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for index, (kind, rows) in enumerate(lists):
        named = zip(rows.column_names, rows.columns, strict=True)
        held = tuple(name for name, column in named if column.null_count < rows.num_rows)
        layouts.setdefault((kind, held or tuple(rows.column_names)), []).append(index)
    out: dict[int, Incoming] = {}
    tables: dict[str, pa.Table] = {}
    for number, ((kind, columns), mine) in enumerate(layouts.items(), after + 1):
        name, first = f"incoming_{kind}_{number}", 1
        tables[name] = pa.concat_tables([lists[index][1].select(columns) for index in mine], promote_options="default")
        for index in mine:
            last = first + lists[index][1].num_rows - 1
            out[index] = Incoming(f"staging.{name}", first, last, columns)
            first = last + 1
    store.stage_all(tables, more=after > 0)
    return [out[index] for index in range(len(lists))]


def shares(
    tx: Transaction, kind: str, incoming: Incoming, families: Mapping[int, Sequence[int]]
) -> dict[int, tuple[float, float]]:
    """How much an incoming list has in common with live lists: root batch → (by ID, by name and village).

    ``families``: the root and its supplements. Each is the share of common persons in the smaller list, counted by ID; the
    second is only looked at where no ID is common, else 0.
    """
    _know(tx, kind, families)
    roots = ", ".join(map(str, families))
    mine = tx.execute(f"SELECT count(DISTINCT id_no) FROM {incoming.source}").fetchone()[0]
    sizes = dict(tx.execute(f"SELECT root, ids FROM temp.known_list WHERE root IN ({roots})").fetchall())
    common = dict(
        tx.execute(
            f"SELECT k.root, count(*) FROM (SELECT DISTINCT id_no FROM {incoming.source}) AS i"
            f" CROSS JOIN temp.known_id AS k USING (id_no) WHERE +k.root IN ({roots}) GROUP BY k.root"
        ).fetchall()
    )
    strangers = [root for root in families if not common.get(root)]
    named = _by_name(tx, kind, incoming, {root: families[root] for root in strangers}) if strangers else {}
    out = {}
    for root in families:
        smaller = min(mine, sizes[root])
        out[root] = (common.get(root, 0) / smaller, named.get(root, 0) / smaller) if smaller else (0.0, 0.0)
    return out


def _know(tx: Transaction, kind: str, families: Mapping[int, Sequence[int]]) -> None:
    """Reads the persons of lists that are not known yet, or have got a supplement since."""
    tx.execute("CREATE TEMP TABLE IF NOT EXISTS known_list (root INTEGER PRIMARY KEY, members, ids, named)")
    tx.execute(
        "CREATE TEMP TABLE IF NOT EXISTS known_id (id_no TEXT, root INTEGER, PRIMARY KEY (id_no, root)) WITHOUT ROWID"
    )
    tx.execute(
        "CREATE TEMP TABLE IF NOT EXISTS known_name (name TEXT, village TEXT, root INTEGER,"
        " PRIMARY KEY (name, village, root)) WITHOUT ROWID"
    )
    known = dict(tx.execute("SELECT root, members FROM temp.known_list").fetchall())
    for root, family in families.items():
        members = ", ".join(map(str, family))
        if known.get(root) == members:
            continue
        if root in known:
            for table in ("known_list", "known_id", "known_name"):
                tx.execute(f"DELETE FROM temp.{table} WHERE root = ?", (root,))
        ids = tx.execute(
            f"INSERT INTO temp.known_id SELECT DISTINCT id_no, {root} FROM {kind}_row WHERE batch_id IN ({members})"
        ).rowcount
        tx.execute("INSERT INTO temp.known_list VALUES (?, ?, ?, 0)", (root, members, ids))


def _by_name(tx: Transaction, kind: str, incoming: Incoming, families: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Root → how many pairs of name and village the incoming list shares with it."""
    roots = ", ".join(map(str, families))
    for (root,) in tx.execute(f"SELECT root FROM temp.known_list WHERE NOT named AND root IN ({roots})").fetchall():
        members = ", ".join(map(str, families[root]))
        tx.execute(
            f"INSERT INTO temp.known_name SELECT DISTINCT name, village, {root} FROM {kind}_row WHERE batch_id IN ({members})"
        )
        tx.execute("UPDATE temp.known_list SET named = 1 WHERE root = ?", (root,))
    return dict(
        tx.execute(
            f"SELECT k.root, count(*) FROM (SELECT DISTINCT name, village FROM {incoming.source}) AS i"
            f" CROSS JOIN temp.known_name AS k USING (name, village) WHERE +k.root IN ({roots}) GROUP BY k.root"
        ).fetchall()
    )
