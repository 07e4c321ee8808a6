"""Copies of the ledger by SQLite's online backup; a copy is checked before it counts and before it replaces anything."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jiuzhu_cli.core.errors import DataError, OutsideError, RefusedError, reason_of
from jiuzhu_cli.ledger.files import recorded_files
from jiuzhu_cli.ledger.store import SCHEMA_VERSION, Lock, Store
from jiuzhu_cli.ledger.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Backup:
    path: Path
    sha256: str
    size: int


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        with (
            closing(sqlite3.connect(f"file:{source.as_posix()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(temporary)) as new,
        ):
            old.backup(new)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        _verify(temporary, source.name)
        temporary.replace(target)
    except sqlite3.OperationalError as error:
        temporary.unlink(missing_ok=True)
        raise OutsideError(f"写不了备份：{error}", "检查磁盘空间和文件权限") from error
    except sqlite3.Error as error:
        temporary.unlink(missing_ok=True)
        raise DataError(f"{source.name} 不是完好的台账：{error}", "换一个备份文件") from error
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutsideError(f"写不了备份 {target.name}：{reason_of(error)}", "检查路径、权限和磁盘空间") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _verify(path: Path, name: str) -> None:
    """DataError unless ``path`` (shown as ``name``) is a whole ledger of this version or older, its journal chain unbroken."""
    with closing(sqlite3.connect(path)) as connection:
        ok = connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise RefusedError(f"备份由更新版本的 jiuzhu 建立（版本 {version}）", "请升级 jiuzhu 后再恢复")
    if not ok or version < 1:
        raise DataError(f"{name} 不是完好的台账", "换一个备份文件")
    with Store(path, migrate=False) as store:  # an older backup stays what it is
        broken = store.check_journal()
    if broken:
        raise DataError(f"备份的操作日志从第 {broken[0]} 条起不连", "换一个备份文件")


def _free_name(path: Path) -> Path:
    """``path``, or the first ``_2``, ``_3`` … beside it that does not exist."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return free


def back_up(workspace: Workspace, target: Path | None, *, now: datetime, actor: str) -> Backup:
    """A checked copy at ``target`` or ``backup/ledger-时间.db``. Never overwrites another file."""
    path = target or workspace.root / "backup" / f"ledger-{now.astimezone(UTC):%Y%m%dT%H%M%S}.db"
    if path.exists() and target is not None:
        raise RefusedError(f"{path.name} 已经存在", "换一个文件名")
    path = _free_name(path)
    workspace.open_store().close()  # an interrupted write is rolled back first
    _copy(workspace.ledger_path, path)  # before anything is written: a damaged ledger is neither copied nor written to
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with workspace.open_store() as store, store.transaction(actor=actor, command="backup", now=now) as tx:
        tx.journal("ledger", {"backup": path.name}, digest=digest)
    return Backup(path, digest, path.stat().st_size)


@dataclass(frozen=True, slots=True)
class Restored:
    """``kept``: where the replaced ledger is, None when there was none; ``forgotten``: bank files that the restored ledger does not know."""

    kept: Path | None
    forgotten: list[str]


def restore_from(workspace: Workspace, source: Path, *, now: datetime, actor: str) -> Restored:
    """Replaces the ledger by ``source`` after checking it. At every moment there is one whole ledger in its place."""
    if not source.is_file():
        raise OutsideError(f"找不到备份文件 {source.name}", "到 backup 文件夹里看看有哪些")
    candidate = workspace.root / ".restore.db"
    lock = Lock(workspace.root / ".lock")
    lock.acquire(f"{actor} 正在恢复台账")
    try:
        _copy(source, candidate)
        kept = _keep(workspace, now) if workspace.ledger_path.exists() else None
        candidate.replace(workspace.ledger_path)
    except OSError as error:
        raise OutsideError(f"换不了台账：{reason_of(error)}", "关闭正打开着它的程序，检查磁盘空间和权限") from error
    finally:
        with contextlib.suppress(OSError):
            candidate.unlink()
        lock.release()
    with workspace.open_store() as store:
        with store.transaction(actor=actor, command="restore", now=now) as tx:
            tx.journal("ledger", {"restored": source.name, "kept": kept.name if kept else ""})
        known = {str(row["path"]) for row in recorded_files(store)}
    names = (workspace.relative(path) for path in sorted(workspace.bank.rglob("*")) if path.is_file())
    return Restored(kept, [name for name in names if name not in known and not Path(name).name.startswith(".")])


def _keep(workspace: Workspace, now: datetime) -> Path:
    """A second name (or copy) of the present ledger under ``backup/``, a journal that belongs to it beside it."""
    ledger, hot = workspace.ledger_path, workspace.root / "ledger.db-journal"
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(ledger)) as connection:
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # rolls an interrupted write back
        hot.unlink(missing_ok=True)  # what is left was never begun in earnest
    folder = workspace.root / "backup"
    folder.mkdir(exist_ok=True, mode=0o700)
    kept = _free_name(folder / f"replaced-{now.astimezone(UTC):%Y%m%dT%H%M%S}.db")
    try:
        os.link(ledger, kept)
    except OSError:  # a disk without hard links
        shutil.copy2(ledger, kept)
    if hot.exists():  # only a damaged ledger keeps one; it must not be played into the restored one
        hot.replace(kept.with_name(kept.name + "-journal"))
    return kept
