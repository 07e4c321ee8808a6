"""Puts rolls and registers straight into a ledger, for tests of rooms behind intake. Rows are dicts of column values."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.identity import check_char
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace, create_workspace

REGION = "421002"


def make_workspace(folder: Path, *, region: str = REGION, name: str = "示例区民政局") -> Workspace:
    return create_workspace(folder, region=region, name=name, actor="张经办")


def make_id(serial: int, *, area: str = "421002", born: str = "19700101", male: bool = True) -> str:
    """A valid, generated ID: ``serial`` 1..499 within one area, birth date and sex."""
    first17 = f"{area}{born}{serial * 2 + (1 if male else 0):03d}"
    return first17 + check_char(first17)


def _batch(
    store: Store, kind: str, programme: str, area: str, month: str, part: str, rows: list[dict[str, Any]]
) -> int:
    total = sum(row.get("amount_fen") or 0 for row in rows)
    digest = hashlib.sha256(
        json.dumps([programme, area, month, part, rows], sort_keys=True, default=str).encode()
    ).hexdigest()
    with store.transaction(actor="测试", command="test") as tx:
        cursor = tx.execute(
            "INSERT INTO batch (kind, programme, area, month, part, status, file_name, file_sha256, content_sha256, rows, accepted, refused,"
            " amount_fen, policy_digest, actor, created_at) VALUES (?,?,?,?,?,'active',?,?,?,?,?,0,?,'','测试',?)",
            (
                kind,
                programme,
                area,
                month,
                part,
                f"{area}{programme}{month}.xlsx",
                digest,
                digest,
                len(rows),
                len(rows),
                total,
                tx.now,
            ),
        )
        batch = int(cursor.lastrowid or 0)
        tx.execute("INSERT INTO batch_table VALUES (?,1,'Sheet1',1,'[]',?,?,0,NULL,'')", (batch, len(rows), len(rows)))
        for index, row in enumerate(rows):
            base: dict[str, Any] = {"batch_id": batch, "table_no": 1, "source_row": index + 2, "name": "某人"}
            if kind == "roll":
                base |= {"case_no": index + 1, "lead": 1, "town": area.split("/", maxsplit=1)[0], "village": "一村"}
            values = base | row
            names = ", ".join(values)
            tx.execute(
                f"INSERT INTO {kind}_row ({names}) VALUES ({', '.join('?' * len(values))})", list(values.values())
            )
        tx.journal(f"batch:{batch}", {"rows": len(rows)})
    return batch


def put_roll(store: Store, programme: str, area: str, month: str, rows: list[dict[str, Any]], *, part: str = "") -> int:
    """One active roll; each row a case of its own unless it gives ``case_no`` and ``lead``. Returns the batch ID."""
    return _batch(store, "roll", programme, area, month, part, rows)


def put_register(store: Store, register: str, rows: list[dict[str, Any]], *, area: str = "", month: str = "") -> int:
    """One active register list. Returns the batch ID."""
    return _batch(store, "register", register, area, month, "", rows)
