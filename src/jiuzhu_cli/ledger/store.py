"""The system of record: one SQLite file per workspace, opened here and nowhere else.

Writes happen only inside ``Store.transaction``: it takes the workspace's lock, begins IMMEDIATE, and commits the rows
together with their journal entries, or nothing. Bulk data is staged by ADBC in a throw-away file first (``stage``), then
copied in by one INSERT ... SELECT inside the transaction.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, OutsideError, RefusedError

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
GENESIS = "0" * 64
LOCK_WAIT_SECONDS = 5.0


def utc_stamp(now: datetime | None = None) -> str:
    """A UTC time as the record keeps it."""
    return (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry_hash(*body: int | str) -> str:
    """Of (seq, at, actor, command, entity, detail, digest, previous)."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Lock:
    """One writer per workspace: an advisory lock on a file that says who holds it and since when."""

    def __init__(self, path: Path, *, wait: float = LOCK_WAIT_SECONDS) -> None:
        self.path, self.wait, self._file = path, wait, -1
        self._depth = 0

    def _try(self) -> bool:
        if os.name == "nt":  # pragma: no cover - bureau desktops
            import msvcrt

            try:
                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            except OSError:
                return False
            return True
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def acquire(self, holder: str) -> None:
        """RefusedError (exit 4) when another process keeps it longer than ``wait`` seconds."""
        if self._depth:
            self._depth += 1
            return
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self.wait
        while not self._try():
            if time.monotonic() >= deadline:
                text = self.path.with_suffix(".who")
                who = text.read_text("utf-8").strip() if text.exists() else "另一个进程"
                os.close(self._file)
                raise RefusedError(f"台账正被占用：{who}", "等它结束后再运行；若那个程序已经关掉，再试一次即可")
            time.sleep(0.05)
        self.path.with_suffix(".who").write_text(f"{holder}（进程 {os.getpid()}，自 {utc_stamp()}）", "utf-8")
        self._depth = 1

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            with contextlib.suppress(OSError):
                self.path.with_suffix(".who").unlink()
            os.close(self._file)  # closing drops the lock


@dataclass(slots=True)
class Transaction:
    """What a stage's ledger functions write through. ``execute`` is for the ledger package only."""

    connection: sqlite3.Connection
    actor: str
    command: str
    now: str

    def execute(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(sql, params)

    def executemany(self, sql: str, rows: Any) -> None:
        self.connection.executemany(sql, rows)

    def journal(self, entity: str, detail: dict[str, Any], *, digest: str = "") -> None:
        """Adds a chained entry. ``detail`` must hold no full ID, account or phone."""
        last = self.connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        seq, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)
        entry = (seq, self.now, self.actor, self.command, entity, text, digest, previous)
        self.connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?)", (*entry, _entry_hash(*entry)))


class Store:
    """An open ledger. ``query`` reads (any thread of this process), ``transaction`` writes."""

    def __init__(self, path: Path, *, lock_wait: float = LOCK_WAIT_SECONDS) -> None:
        if not path.exists():
            raise OutsideError(f"找不到台账文件 {path.name}", "用 jiuzhu init 建工作区，或用 -C 指明工作区文件夹")
        self.path = path
        self.lock = Lock(path.with_name(".lock"), wait=lock_wait)
        self._staging: Path | None = None
        try:
            self.connection = sqlite3.connect(path, isolation_level=None, timeout=lock_wait)
            self.connection.row_factory = sqlite3.Row
            version = self.connection.execute("PRAGMA user_version").fetchone()[0]
            for pragma in (
                "foreign_keys=ON",
                "synchronous=FULL",
                "recursive_triggers=ON",
                "temp_store=MEMORY",
                "cache_size=-65536",
            ):
                self.connection.execute(f"PRAGMA {pragma}")
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"台账文件 {path.name} 已损坏，无法打开", "不要再写入；用 jiuzhu restore 恢复 backup/ 中最近的备份"
            ) from error
        if version > SCHEMA_VERSION:
            raise RefusedError(f"台账由更新版本的 jiuzhu 建立（版本 {version}）", "请升级 jiuzhu 后再打开")

    @staticmethod
    def create(path: Path) -> None:
        """A new, empty ledger at ``path`` (must not exist), file mode 0600."""
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        os.close(descriptor)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=DELETE")
        sql = resources.files("jiuzhu_cli.ledger").joinpath("schema.sql").read_text("utf-8")
        connection.executescript(f"BEGIN;\n{sql}\nPRAGMA user_version={SCHEMA_VERSION};\nCOMMIT;")
        connection.close()

    def close(self) -> None:
        self.connection.close()
        self._drop_staging()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a read; for the ledger package's own functions."""
        return self.connection.execute(sql, params).fetchall()

    def arrow(self, sql: str) -> pa.Table:
        """A read as an Arrow table by ADBC: text as string, integers as int64. Committed data only."""
        from adbc_driver_sqlite import dbapi

        with dbapi.connect(f"file:{self.path.as_posix()}?mode=ro") as connection, connection.cursor() as cursor:
            # one batch: the driver takes a column's type from its first batch, where the column may still be all NULL
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "1000000000"})
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

    def stage(self, name: str, table: pa.Table) -> None:
        """Puts ``table`` as ``staging.name`` for the next transaction (before it begins: ATTACH needs that)."""
        from adbc_driver_sqlite import dbapi

        if self._staging is None:
            self._staging = self.path.with_name(f".staging-{os.getpid()}.db")
            with contextlib.suppress(FileNotFoundError):
                self._staging.unlink()
            os.close(os.open(self._staging, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self.connection.execute("ATTACH DATABASE ? AS staging", (str(self._staging),))
        # autocommit, so that the pragma holds; the driver brackets the ingest itself
        with dbapi.connect(str(self._staging), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.adbc_ingest(name, table, mode="replace")

    def _drop_staging(self) -> None:
        if self._staging is not None:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("DETACH DATABASE staging")
            for suffix in ("", "-journal"):
                with contextlib.suppress(OSError):
                    Path(str(self._staging) + suffix).unlink()
            self._staging = None

    @contextlib.contextmanager
    def transaction(self, *, actor: str, command: str, now: datetime | None = None) -> Iterator[Transaction]:
        """All or nothing, one writer at a time. Leaves the ledger as it was on any exception, Ctrl-C included."""
        self.lock.acquire(f"{actor} 正在运行 {command}")
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self.connection, actor, command, utc_stamp(now))
                self.connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise RefusedError("台账正被另一个程序打开写入", "关闭它后再运行") from error
            if "full" in str(error) or "disk I/O" in str(error):
                raise OutsideError("磁盘已满或写不进去，台账没有改动", "腾出空间后再运行") from error
            raise
        finally:
            self._drop_staging()
            self.lock.release()

    def check_journal(self) -> list[int]:
        """Sequence numbers of journal entries whose chain or hash does not hold; [] when whole."""
        broken, previous, expected = [], GENESIS, 1
        for row in self.connection.execute("SELECT * FROM journal ORDER BY seq"):
            body = (
                row["seq"],
                row["at"],
                row["actor"],
                row["command"],
                row["entity"],
                row["detail"],
                row["digest"],
                previous,
            )
            if row["seq"] != expected or row["previous"] != previous or row["hash"] != _entry_hash(*body):
                broken.append(row["seq"])
            previous, expected = row["hash"], row["seq"] + 1
        return broken
