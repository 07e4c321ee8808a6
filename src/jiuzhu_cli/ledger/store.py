"""The system of record: one SQLite file per workspace, opened here and nowhere else.

Writes happen only inside ``Store.transaction``: it takes the workspace's lock, begins IMMEDIATE, and commits the rows
together with their journal entries, or nothing. Bulk data is staged by ADBC in a throw-away file first (``stage``,
``stage_all``), then copied in by INSERT ... SELECT inside the transaction.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, OutsideError, RefusedError, UsageError
from jiuzhu_cli.core.lean import without

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 6
PAGE_SIZE = 8192  # rows of 200 bytes: half as much room is left over at the ends of pages as with SQLite's 4096
GENESIS = "0" * 64
LOCK_WAIT_SECONDS = 5.0
_OPENING = threading.Lock()
BATCH_ROWS = 1 << 20  # of an answer as Arrow: the driver sets aside 8 bytes for each, in every column, before it reads
FEW_ROWS = 2_000  # so many are staged in memory by plain inserts, which costs less than a file


def utc_stamp(now: datetime | None = None) -> str:
    """A UTC time as the record keeps it."""
    return (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _entry_hash(*body: int | str) -> str:
    """Of (seq, at, actor, command, entity, detail, digest, previous)."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def damaged(path: Path, *, what: str = "已损坏，读不下去") -> DataError:
    """The error of a ledger that cannot be trusted, naming the newest backup beside it."""
    backups = sorted((path.parent / "backup").glob("ledger-*.db"), key=lambda backup: backup.stat().st_mtime)
    todo = f"用 jiuzhu restore backup/{backups[-1].name} 恢复" if backups else "用 jiuzhu restore 恢复手头最近的备份"
    return DataError(f"台账文件 {path.name} {what}", f"不要再写入；{todo}", code="ledger_damaged")


def ledger_error(error: Exception, path: Path) -> Exception:
    """What a database driver's ``error`` (SQLite's or ADBC's) means to a clerk; ``error`` itself when it is no fault of the file."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return RefusedError("台账正被另一个程序占用", "等它结束或关闭它后再运行")
    if "malformed" in text or "not a database" in text or "no such table" in text or "no such column" in text:
        return damaged(path)
    if "full" in text or "disk I/O" in text or "too large" in text or "too big" in text:
        return OutsideError("磁盘已满或写不进去，台账没有改动", "腾出空间后再运行")
    if "readonly" in text or "unable to open" in text:
        return OutsideError("打不开或写不了台账文件", "检查工作区文件夹和 ledger.db 的权限")
    return error


def sweep(root: Path) -> None:
    """Removes temporary files that killed processes left in the workspace; called by whoever holds its lock."""
    for pattern in (".staging-*.db*", ".restore.db", ".*.tmp*", "jiuzhu.toml.new", "out/**/.*.tmp*", "backup/.*.tmp*"):
        for path in root.glob(pattern):
            owner = re.search(r"[-.](\d+)\.(?:tmp|db)", path.name)
            if owner and _alive(int(owner.group(1))):
                continue
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _alive(pid: int) -> bool:
    """Whether a process of that number runs here. Windows refuses to unlink what is open, so of others no question is needed there."""
    if os.name == "nt":  # pragma: no cover - signal 0 would end the process there
        return pid == os.getpid()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def arrow_driver() -> Any:
    """ADBC's driver, loaded once: without polars, which takes longer than all the rest, and before threads read (half loaded by one it is none to others)."""
    import pyarrow  # noqa: F401 - without it the driver is half a driver

    with without("polars", "pyarrow.dataset"):
        from adbc_driver_sqlite import dbapi
    return dbapi


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
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise OutsideError("写不了工作区的锁文件", "检查工作区文件夹的权限") from error
        deadline = time.monotonic() + self.wait
        while not self._try():
            if time.monotonic() >= deadline:
                text = self.path.with_suffix(".who")
                who = text.read_text("utf-8").strip() if text.exists() else "另一个进程"
                os.close(self._file)
                raise RefusedError(f"台账正被占用：{who}", "等它结束后再运行；若那个程序已经关掉，再试一次即可")
            time.sleep(0.05)
        self._depth = 1
        try:
            self.path.with_suffix(".who").write_text(f"{holder}（进程 {os.getpid()}，自 {utc_stamp()}）", "utf-8")
        except OSError as error:
            self.release()
            raise OutsideError("写不了工作区的锁文件", "检查磁盘空间和工作区文件夹的权限") from error

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            with contextlib.suppress(OSError):
                self.path.with_suffix(".who").unlink()
            os.close(self._file)  # closing drops the lock


class PartUndone(Exception):
    """A part of a transaction was taken back for ``__cause__``; what was written before it stands."""


@dataclass(slots=True)
class Transaction:
    """What a stage's ledger functions write through. ``execute`` is for the ledger package only."""

    connection: sqlite3.Connection
    actor: str
    command: str
    now: str
    told: bool = False  # whether the journal says something of it

    def execute(self, sql: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(sql, params)

    def executemany(self, sql: str, rows: Any) -> None:
        self.connection.executemany(sql, rows)

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """What is written inside stands or falls together. ``PartUndone`` when an exception has taken it back, and only it.

        Errors of the database pass through and end the whole transaction.
        """
        told = self.told
        self.connection.execute("SAVEPOINT part")
        try:
            yield
        except sqlite3.Error:
            raise
        except Exception as error:
            self.connection.execute("ROLLBACK TO part")
            self.connection.execute("RELEASE part")
            self.told = told
            raise PartUndone from error
        self.connection.execute("RELEASE part")

    def journal(self, entity: str, detail: dict[str, Any], *, digest: str = "") -> None:
        """Adds a chained entry. ``detail`` must hold no full ID, account or phone."""
        last = self.connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        seq, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)
        entry = (seq, self.now, self.actor, self.command, entity, text, digest, previous)
        self.connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?)", (*entry, _entry_hash(*entry)))
        self.told = True


class Store:
    """An open ledger. ``query`` reads (any thread of this process), ``transaction`` writes."""

    def __init__(self, path: Path, *, lock_wait: float = LOCK_WAIT_SECONDS, migrate: bool = True) -> None:
        """Opens the ledger; one of an older version is brought to this one first (``migrate``; else it is read as it is)."""
        if not path.exists():
            raise OutsideError(f"找不到台账文件 {path.name}", "用 jiuzhu init 建工作区，或用 -C 指明工作区文件夹")
        self.path, self.lock = path, Lock(path.with_name(".lock"), wait=lock_wait)
        self._staging: Path | None = None
        self._staged_in_memory = self._swept = False
        version = self.version = self._open(lock_wait)
        if version < 1:
            self.connection.close()
            raise damaged(path, what="不是 jiuzhu 的台账，或内容已丢失")
        if version > SCHEMA_VERSION:
            self.connection.close()
            raise RefusedError(f"台账由更新版本的 jiuzhu 建立（版本 {version}）", "请升级 jiuzhu 后再打开")
        if version < SCHEMA_VERSION and migrate:
            self._migrate(version, lock_wait)

    def _open(self, wait: float) -> int:
        """Connects; returns the version of the schema."""
        try:
            self.connection = sqlite3.connect(self.path, isolation_level=None, timeout=wait)
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
            raise ledger_error(error, self.path) from error
        return int(version)

    def _migrate(self, version: int, wait: float) -> None:
        from jiuzhu_cli.ledger.migrate import migrate

        self.connection.close()
        backup = migrate(self.path, self.lock, to=SCHEMA_VERSION)
        self.version = self._open(wait)
        if backup is not None:
            with self.transaction(actor="jiuzhu", command="migrate") as tx:
                tx.journal("ledger", {"from": version, "to": SCHEMA_VERSION, "backup": backup.name})

    @staticmethod
    def create(path: Path) -> None:
        """A new, empty ledger at ``path`` (must not exist), file mode 0600. Killed half-way it leaves no ledger at all."""
        if path.exists():
            raise FileExistsError(path)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        os.close(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        connection = sqlite3.connect(temporary, isolation_level=None)
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
        sql = resources.files("jiuzhu_cli.ledger").joinpath("schema.sql").read_text("utf-8")
        connection.executescript(f"BEGIN;\n{sql}\nPRAGMA user_version={SCHEMA_VERSION};\nCOMMIT;")
        connection.close()
        temporary.replace(path)

    def close(self) -> None:
        self.connection.close()
        self._drop_staging()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a read; for the ledger package's own functions."""
        try:
            return self.connection.execute(sql, params).fetchall()
        except OverflowError as error:
            raise UsageError("数字太大，没有这样的编号", "核对编号后再运行") from error
        except sqlite3.DatabaseError as error:
            raise ledger_error(error, self.path) from error

    def arrow(self, sql: str) -> pa.Table:
        """A read as an Arrow table by ADBC: text as string, integers as int64. Committed data only."""
        dbapi = arrow_driver()

        def read(rows: int) -> pa.Table:
            cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(rows)})
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

        try:
            with _OPENING:  # one thread after the other: the driver sets itself up with the first
                opened = dbapi.connect(f"file:{self.path.as_posix()}?mode=ro")
            with opened as connection, connection.cursor() as cursor:
                try:
                    return read(BATCH_ROWS)
                except OSError as error:
                    if "Type mismatch" not in str(error):
                        raise
                # the driver takes a column's type from its first batch, where it may be all NULL: all in one, then
                cursor.execute(f"SELECT count(*) FROM ({sql})")
                return read(max(cursor.fetchall()[0][0], 1))
        except dbapi.DatabaseError as error:
            raise ledger_error(error, self.path) from error

    def arrows(
        self, queries: Sequence[str], *, readers: int = 2, then: Callable[[pa.Table], pa.Table] | None = None
    ) -> Iterator[pa.Table]:
        """The answers to ``queries`` as ``arrow`` gives them (and ``then`` makes of them), in order, read by ``readers`` threads a little ahead."""
        from collections import deque
        from concurrent.futures import Future, ThreadPoolExecutor

        def read(query: str) -> pa.Table:
            return then(self.arrow(query)) if then else self.arrow(query)

        if len(queries) < readers:
            yield from map(read, queries)
            return
        arrow_driver()
        with ThreadPoolExecutor(readers) as pool:
            ahead: deque[Future[pa.Table]] = deque()
            for query in queries:
                ahead.append(pool.submit(read, query))
                if len(ahead) > readers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def stage(self, name: str, table: pa.Table) -> None:
        """Puts ``table`` as ``staging.name`` for the next transaction (before it begins: ATTACH needs that)."""
        self._ingest({name: table})

    def _ingest(self, tables: Mapping[str, pa.Table]) -> None:
        """Puts ``tables`` into the throw-away file, by one connection: opening another takes as long as a hundred rows."""
        dbapi = arrow_driver()
        if self._staging is None:
            self._staging = self.path.with_name(f".staging-{os.getpid()}.db")
            self._staging.unlink(missing_ok=True)
            os.close(os.open(self._staging, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self.connection.execute("ATTACH DATABASE ? AS staging", (str(self._staging),))
        try:  # autocommit, so that the pragma holds; the driver brackets the ingest itself
            with dbapi.connect(str(self._staging), autocommit=True) as connection, connection.cursor() as cursor:
                # nobody reads it after a crash; large pages are written and read with fewer steps
                for pragma in ("synchronous=OFF", "page_size=32768", "journal_mode=OFF"):
                    cursor.execute(f"PRAGMA {pragma}")
                for name, table in tables.items():
                    cursor.adbc_ingest(name, table, mode="replace")
        except dbapi.DatabaseError as error:
            raise ledger_error(error, self.path) from error

    def stage_all(self, tables: Mapping[str, pa.Table], *, more: bool = False) -> None:
        """Puts all ``tables`` (of texts and integers) as ``staging.<name>`` for the next transaction, and nothing else; ``more``: besides those that are there."""
        if not more:
            self._drop_staging()
        many = sum(table.num_rows for table in tables.values()) >= FEW_ROWS
        if self._staging is not None or (many and not self._staged_in_memory):
            self._ingest(tables)
            return
        import pyarrow.types as kinds

        if not self._staged_in_memory:
            self.connection.execute("ATTACH DATABASE ':memory:' AS staging")
            self._staged_in_memory = True
        for name, table in tables.items():
            columns = (f"{field.name} {'INT' if kinds.is_integer(field.type) else 'TEXT'}" for field in table.schema)
            self.connection.execute(f"CREATE TABLE staging.{name} ({', '.join(columns)})")
            self.connection.executemany(
                f"INSERT INTO staging.{name} VALUES ({', '.join('?' * table.num_columns)})",
                zip(*(column.to_pylist() for column in table.columns), strict=True),
            )

    def _drop_staging(self) -> None:
        if self._staged_in_memory:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("DETACH DATABASE staging")
            self._staged_in_memory = False
        if self._staging is not None:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("DETACH DATABASE staging")
            for suffix in ("", "-journal"):
                with contextlib.suppress(OSError):
                    Path(str(self._staging) + suffix).unlink()
            self._staging = None

    @contextlib.contextmanager
    def writing(self, actor: str, command: str) -> Iterator[None]:
        """The workspace's lock over reads and the transactions that rest on them: what is read inside still holds when it is written."""
        self.lock.acquire(f"{actor} 正在运行 {command}")
        try:
            yield
        finally:
            self.lock.release()

    @contextlib.contextmanager
    def transaction(self, *, actor: str, command: str, now: datetime | None = None) -> Iterator[Transaction]:
        """All or nothing, one writer at a time. Leaves the ledger as it was on any exception, Ctrl-C included."""
        self.lock.acquire(f"{actor} 正在运行 {command}")
        try:
            if not self._swept:
                sweep(self.path.parent)
                self._swept = True
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                before = self.connection.total_changes
                tx = Transaction(self.connection, actor, command, utc_stamp(now))
                yield tx
                if not tx.told and self.connection.total_changes > before:  # nothing changes without an entry
                    tx.journal("ledger", {"rows": self.connection.total_changes - before})
                self.connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise ledger_error(error, self.path) from error
        finally:
            self._drop_staging()
            self.lock.release()

    def clock_set_back(self, now: datetime) -> str:
        """The latest time in the journal when what was written at ``now`` stands after entries of a later day; else ''."""
        last, latest = self.query(
            "SELECT (SELECT at FROM journal ORDER BY seq DESC LIMIT 1), (SELECT MAX(at) FROM journal)"
        )[0]
        return str(latest) if last == utc_stamp(now) and latest[:10] > last[:10] else ""

    def check_journal(self, *, since: int = 1) -> list[int]:
        """Sequence numbers of journal entries (from ``since`` on) whose chain or hash does not hold; [] when whole."""
        before = self.query("SELECT hash FROM journal WHERE seq = ?", (since - 1,))
        broken, previous, expected = [], str(before[0][0]) if before else GENESIS, since
        for row in self.connection.execute("SELECT * FROM journal WHERE seq >= ? ORDER BY seq", (since,)):
            body = (*row[:7], previous)  # as ``_entry_hash`` wants it
            if row["seq"] != expected or row["previous"] != previous or row["hash"] != _entry_hash(*body):
                broken.append(row["seq"])
            previous, expected = row["hash"], row["seq"] + 1
        return broken
