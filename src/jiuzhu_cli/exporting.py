"""``jiuzhu export snapshot``: the record as Parquet that a city or province collects from its districts (layout: docs/共享快照.md).

In the clear, all columns but the free ones (``extra``); with a key, keyed hashes of numbers and only what an exact comparison needs.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import OutsideError, RefusedError, UsageError, reason_of
from jiuzhu_cli.core.keyed import check_key, fingerprint, keyed_hash, normal_digits, normal_id
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.core.shared import MARK, SCHEMA_VERSION
from jiuzhu_cli.ledger.files import record_file
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS, open_snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace

# Clear: everything that a list says, but for the columns nobody recognised. ``row_id``, ``batch_id`` lead back into the district's record.
_CLEAR = {
    "roll": ["programme", "area", "month", *(name for name in ROLL_COLUMNS if name not in ("extra", "table_no", "source_row"))],
    "register": ["register", "month", *(name for name in REGISTER_COLUMNS if name not in ("extra", "table_no", "source_row"))],
}  # fmt: skip
# Hashed: no names (the commonest name has the commonest hash), no birth date, village or address (few people share them), no certificate
# numbers (they hold the ID), no row numbers; what is left says where the person is, in which programme and for how much.
_HASHED = {
    "roll": "programme area month town category lead covered_persons amount_fen id_no head_id_no payee_id_no account_no phone".split(),
    "register": "register month id_no related_id_no status".split(),
}
_NUMBERS = {
    "id_no": "id", "head_id_no": "id", "payee_id_no": "id", "related_id_no": "id", "account_no": "account", "phone": "phone",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """``files``: path, rows, amount_fen, sha256 of each; the manifest is the last."""

    folder: Path
    hashed: bool
    files: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "hashed": self.hashed, "files": self.files}


def export_snapshot(
    workspace: Workspace,
    store: Store,
    *,
    folder: str,
    month: str,
    key: bytes | None,
    policy_digest: str,
    actor: str,
    now: datetime | None = None,
) -> Exported:
    """Writes ``roll.parquet``, ``register.parquet``, ``coverage.parquet`` and ``manifest.json`` to ``folder`` under ``out/internal``.

    ``month`` '': all months. UsageError when there is no roll, or for a folder elsewhere. Same record and key, same bytes. The manifest is
    written last: a folder without it is not whole.
    """
    import pyarrow.compute as pc

    from jiuzhu_cli.tabular.files import write_atomic

    target = (workspace.internal / folder).resolve()
    if not target.is_relative_to(workspace.internal.resolve()) or target == workspace.internal.resolve():
        raise UsageError(
            f"导出文件夹“{folder}”不在 out/internal 里",
            "写一个文件夹名，例如 --out 上报/2026-10；内有个人信息，不能放到别处",
        )
    months = (check_month(month), month) if month else None
    connection = open_snapshot(store, months=months, places=False)
    try:
        if not connection.execute("SELECT count(*) FROM coverage").fetchall()[0][0]:
            raise UsageError(f"{month or '台账里'}还没有导入任何花名册", "先用 jiuzhu import 导入名册")
        tables: dict[str, pa.Table] = {}
        for name, columns in (_HASHED if key else _CLEAR).items():
            shown = ", ".join(columns)
            tables[name] = connection.sql(
                f"SELECT '{workspace.region}' AS region, {shown} FROM {name} ORDER BY row_id"
            ).to_arrow_table()
        tables["coverage"] = connection.sql(
            f"SELECT '{workspace.region}' AS region, programme, area, month FROM coverage ORDER BY ALL"
        ).to_arrow_table()
    finally:
        connection.close()
    about = {
        "schema_version": SCHEMA_VERSION,
        "region": workspace.region,
        "month": month,
        "hashed": key is not None,
        "key_fingerprint": fingerprint(key) if key else "",
        "policy_digest": policy_digest,
    }
    files: list[dict[str, Any]] = []
    for name, clear in tables.items():
        table = _hashed(clear, key) if key else clear
        path = target / f"{name}.parquet"
        digest = _write(path, table.replace_schema_metadata({MARK: json.dumps(about, sort_keys=True)}))
        amount = int(pc.sum(table["amount_fen"]).as_py() or 0) if "amount_fen" in table.column_names else 0
        files.append(
            {"path": str(path), "name": path.name, "rows": table.num_rows, "amount_fen": amount, "sha256": digest}
        )
    listed = [
        {k: v for k, v in one.items() if k != "path"} | {"columns": _columns(tables[one["name"][:-8]])} for one in files
    ]
    manifest = (
        json.dumps(about | {"amounts_in": "分", "files": listed}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    )
    path = target / "manifest.json"
    digest = write_atomic(path, lambda temporary: temporary.write_text(manifest, "utf-8", newline="\n"))
    files.append({"path": str(path), "name": path.name, "rows": 0, "amount_fen": 0, "sha256": digest})
    entity = f"export:{month or 'all'}"
    with store.transaction(actor=actor, command="export snapshot", now=now) as tx:
        for one in files:
            record_file(tx, workspace, Path(one["path"]), entity=entity, kind="snapshot", sha256=one["sha256"], lines=one["rows"], amount_fen=one["amount_fen"])  # fmt: skip
        tx.journal(
            entity,
            {
                "hashed": key is not None,
                "key_fingerprint": about["key_fingerprint"],
                "files": {one["name"]: one["sha256"] for one in files},
            },
        )
    return Exported(target, key is not None, files)


def _write(path: Path, table: pa.Table) -> str:
    import pyarrow.parquet as pq

    from jiuzhu_cli.tabular.files import write_atomic

    return write_atomic(path, lambda part: pq.write_table(table, part, compression="zstd", row_group_size=1 << 18))


def _columns(table: pa.Table) -> dict[str, str]:
    return {field.name: str(field.type) for field in table.schema}


def _hashed(table: pa.Table, key: bytes) -> pa.Table:
    """Numbers as keyed hashes; rows in the order of the hashes, which says nothing of the list's own order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, kind in _NUMBERS.items():
        if name not in table.column_names:
            continue
        normal = normal_id if kind == "id" else normal_digits
        coded = pc.dictionary_encode(pc.fill_null(table[name].combine_chunks(), ""))
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        hashes = pa.array([keyed_hash(key, kind, normal(value)) for value in coded.dictionary.to_pylist()], pa.string())
        table = table.set_column(table.column_names.index(name), name, hashes.take(coded.indices))
    if "id_no" in table.column_names:
        return table.sort_by(
            [("id_no", "ascending"), *((name, "ascending") for name in table.column_names if name != "id_no")]
        )
    return table


def read_key(path: Path) -> bytes:
    """The shared key of a file. OutsideError when it cannot be read, RefusedError when others can read it, UsageError for a weak one."""
    try:
        mode = path.stat().st_mode
        key = path.read_bytes()
    except OSError as error:
        raise OutsideError(f"读不了密钥文件 {path.name}：{reason_of(error)}", "核对路径和权限") from error
    if os.name == "posix" and mode & 0o077:
        raise RefusedError(f"密钥文件 {path.name} 别人也能读", f"chmod 600 {path.name} 后再运行；泄露过的密钥要换")
    return check_key(key[:4096])


def make_key(path: Path) -> bytes:
    """Writes a new random key, 0600. RefusedError when the file is there."""
    key = secrets.token_hex(32).encode("ascii")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise RefusedError(f"{path.name} 已经在了，没有覆盖", "换一个文件名") from error
    except OSError as error:
        raise OutsideError(f"写不了 {path.name}：{reason_of(error)}", "换一个可写的文件夹") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return key
