"""Where the bytes of a file come from: the disk, or (later) an archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jiuzhu_cli.core.errors import OutsideError, reason_of


def file_bytes(path: Path, passwords: Sequence[str] = ()) -> bytes:
    """The bytes at ``path``, which may lie inside an archive (``…/包.zip/目录/表.xls``). OutsideError when it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutsideError(f"读不了文件“{path.name}”：{reason_of(error)}", "检查文件是否存在、是否有权限") from error
