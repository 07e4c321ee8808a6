"""The manifest: a form that somebody filled in is kept before another takes its place, unless a command has read it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jiuzhu_cli.ledger.files import changed_files, record_file, set_aside
from tests.support import make_workspace

ENTITY = "dedupe:2026-10"
FORMS = frozenset({"doubts_workbook"})


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_filled_form_is_kept_until_it_was_read(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    book, listed = workspace.internal / "疑点.xlsx", workspace.internal / "疑点.csv"
    workspace.internal.mkdir(parents=True, exist_ok=True)
    with workspace.open_store() as store:

        def write() -> None:
            for path, kind in ((book, "doubts_workbook"), (listed, "doubts_csv")):
                path.write_bytes(b"written")
                with store.transaction(actor="甲", command="test") as tx:
                    record_file(tx, workspace, path, entity=ENTITY, kind=kind, sha256=digest(b"written"))

        write()
        assert set_aside(store, workspace, ENTITY, FORMS) == []
        book.write_bytes(b"filled in")
        listed.write_bytes(b"altered")
        assert changed_files(store, workspace) == [
            (workspace.relative(listed), "altered"), (workspace.relative(book), "filled"),
        ]  # fmt: skip
        [kept] = set_aside(store, workspace, ENTITY, FORMS)
        assert kept.read_bytes() == b"filled in" and not book.exists() and listed.read_bytes() == b"altered"
        write()
        book.write_bytes(b"filled in again")
        [second] = set_aside(store, workspace, ENTITY, FORMS)
        assert second != kept and kept.read_bytes() == b"filled in"
        write()
        book.write_bytes(b"read")
        with store.transaction(actor="甲", command="dedupe decide") as tx:
            tx.journal("doubt:D000001", {}, digest=digest(b"read"))
        assert set_aside(store, workspace, ENTITY, FORMS) == [] and book.exists()
        book.unlink()
        assert set_aside(store, workspace, ENTITY, FORMS) == []
