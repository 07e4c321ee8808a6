"""Writing files whole or not at all: temporary name, fsync, rename, 0600. Everything that leaves goes through here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from jiuzhu_cli.core.errors import OutsideError, reason_of
from jiuzhu_cli.core.text import natural_order

_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)


LOCKS = ("~$", ".~")  # what Excel and WPS lay beside a workbook that is open
_SYSTEM = ("thumbs.db", "desktop.ini", ".lnk")  # left by the system in every folder


def files_below(folder: Path, own: Path) -> Iterator[Path]:
    """Files of ``folder`` and its folders in natural order, without hidden and lock files, what systems leave, and all in ``own``."""
    for place, names, files in os.walk(folder):
        inside = [n for n in names if not n.startswith(".") and (Path(place) / n).resolve() != own]
        names[:] = sorted(inside, key=natural_order)
        for name in sorted(files, key=natural_order):  # last month's roll before this month's
            if not name.startswith((".", *LOCKS)) and not name.lower().endswith(_SYSTEM):
                yield Path(place) / name


def safe_name(text: str, *, limit: int = 80) -> str:
    """``text`` as one component of a file name on Windows and Linux: no separators, no reserved names, bounded bytes."""
    name = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", text).strip(". ") or "_"
    if _RESERVED.match(name.split(".")[0]):
        name = "_" + name
    while len(name.encode()) > limit * 3 or len(name) > limit:
        name = name[:-1]
    return name


def write_atomic(path: Path, write: Callable[[Path], object]) -> str:
    """Calls ``write`` with a temporary path beside ``path``, then fsyncs and renames. Returns the SHA-256.

    On any failure nothing is left but what was there before. OutsideError (exit 5) when the disk or folder refuses.
    """
    temporary = path.with_name(f".{path.stem[:60]}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        write(temporary)
        temporary.chmod(0o600)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OutsideError(
            f"写不了文件 {path.name}：{reason_of(error)}", "检查磁盘空间，并关闭正打开着它的 WPS/Excel 后再运行"
        ) from error
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return digest


def write_bytes(path: Path, data: bytes) -> str:
    """``write_atomic`` for bytes in memory."""
    return write_atomic(path, lambda temporary: temporary.write_bytes(data))


def put_in_place(draft: Path, path: Path) -> None:
    """A file written whole under another name (``write_atomic``) gets its own. OutsideError (exit 5) when the folder refuses."""
    try:
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutsideError(
            f"写不了文件 {path.name}：{reason_of(error)}", "关闭正打开着它的 WPS/Excel 后再运行"
        ) from error


def write_unless_altered(
    path: Path, write: Callable[[Path], str], *, recorded: str, mend: bool
) -> tuple[str, str, bool]:
    """Writes ``path`` by ``write`` (which returns the digest), unless what lies there is neither ``recorded`` nor what would be written.

    Returns the digest to be, the digest that was there ('' nothing), and whether it was altered; an altered file stays, but for ``mend``.
    What a killed run had written and not yet noted is no alteration.
    """
    before = sha256_of(path) if path.exists() else ""
    draft = path.with_name(f".{path.stem[:60]}.{os.getpid()}.new.tmp{path.suffix}")
    try:
        digest = write(draft)
        altered = bool(before and recorded) and before not in (recorded, digest)
        if mend or not altered:
            put_in_place(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return digest, before, altered


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # pragma: no cover - no directory handles there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
