"""The manifest: every file written for people or banks, with its digest, so that an altered one is found."""

from __future__ import annotations

from pathlib import Path

from jiuzhu_cli.ledger.store import Store, Transaction
from jiuzhu_cli.ledger.workspace import Workspace

# forms that people fill in where they lie and give back: what stands in them is read by a command, and means nothing before
FORMS = frozenset({
    "doubts_workbook", "review_workbook", "review_town", "due_workbook", "due_town", "due_cards", "notices", "mending", "recovery", "import-errors",
    "import-remainder",
})  # fmt: skip


def record_file(
    tx: Transaction,
    workspace: Workspace,
    path: Path,
    *,
    entity: str,
    kind: str,
    sha256: str,
    lines: int | None = None,
    amount_fen: int | None = None,
) -> None:
    """Notes ``path`` (inside the workspace) as written; a file written again replaces its earlier entry."""
    tx.execute(
        "INSERT INTO output_file VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (path) DO UPDATE SET entity=excluded.entity, kind=excluded.kind,"
        " sha256=excluded.sha256, bytes=excluded.bytes, lines=excluded.lines, amount_fen=excluded.amount_fen, written_at=excluded.written_at",
        (workspace.relative(path), entity, kind, sha256, path.stat().st_size, lines, amount_fen, tx.now),
    )


def forget_file(tx: Transaction, path: str) -> None:
    """Takes a file off the manifest (``path`` as recorded), because it is withdrawn from where it lay."""
    tx.execute("DELETE FROM output_file WHERE path = ?", (path,))


def recorded_files(store: Store, *, entity: str | None = None) -> list[dict[str, object]]:
    """Entries of the manifest (``path, entity, kind, sha256, bytes, lines, amount_fen, written_at``), all or one entity's."""
    if entity is None:
        return [dict(row) for row in store.query("SELECT * FROM output_file ORDER BY path")]
    return [dict(row) for row in store.query("SELECT * FROM output_file WHERE entity = ? ORDER BY path", (entity,))]


def changed_files(store: Store, workspace: Workspace) -> list[tuple[str, str]]:
    """``(path, why)`` of files that are missing (``missing``) or no longer what was written (``altered``; of ``FORMS``: ``filled``)."""
    found = []
    for row in store.query("SELECT path, sha256, kind FROM output_file ORDER BY path"):
        path = workspace.root / row["path"]
        if not path.exists():
            found.append((row["path"], "missing"))
        elif _digest(path) != row["sha256"]:
            found.append((row["path"], "filled" if row["kind"] in FORMS else "altered"))
    return found


def _digest(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def set_aside(store: Store, workspace: Workspace, entity: str, kinds: frozenset[str]) -> list[Path]:
    """Forms of ``entity`` that somebody has filled in and no command has read yet are moved beside (``…_填过未读回.xlsx``), before others are written in
    their place; returns where they lie now."""
    import itertools

    moved = []
    for row in recorded_files(store, entity=entity):
        path = workspace.root / str(row["path"])
        if row["kind"] not in kinds or not path.is_file():
            continue
        digest = _digest(path)
        if digest == row["sha256"] or store.query("SELECT 1 FROM journal WHERE digest = ? LIMIT 1", (digest,)):
            continue
        for number in itertools.count(1):
            place = path.with_name(f"{path.stem}_填过未读回{number if number > 1 else ''}{path.suffix}")
            if not place.exists():
                break
        path.rename(place)
        moved.append(place)
    return moved
