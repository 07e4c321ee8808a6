"""The examination of a workspace (体检): permissions, disk, settings, backups, the ledger's integrity."""

from __future__ import annotations

import shutil
from datetime import date, datetime

from jiuzhu_cli.ledger.workspace import FOLDERS, Workspace

_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"}


def examine(workspace: Workspace, *, today: date) -> list[tuple[str, str]]:
    """``(level, text)`` with level ``error`` or ``warning``; empty when all is well."""
    found: list[tuple[str, str]] = []
    for folder in FOLDERS:
        path = workspace.root / folder
        if not path.is_dir():
            found.append(("error", f"缺文件夹 {folder}（重新建一个即可）"))
        elif path.stat().st_mode & 0o077 and path.stat().st_mode & 0o7777 != 0o777:
            found.append(("warning", f"文件夹 {folder} 别人也能看，应只限本人（0700）"))
    if workspace.ledger_path.stat().st_mode & 0o077:
        found.append(("warning", "台账文件 ledger.db 别人也能看，应只限本人（0600）"))
    free = shutil.disk_usage(workspace.root).free
    if free < 1 << 30:
        found.append(("error" if free < 100 << 20 else "warning", f"磁盘只剩 {free >> 20} MB"))
    if not workspace.get("bureau", "phone"):
        found.append(("warning", "jiuzhu.toml 没有填监督电话（[bureau] phone），公示单上会空着"))
    if not workspace.get("payment", "payer_account"):
        found.append(("warning", "jiuzhu.toml 没有填付款账号（[payment] payer_account）"))
    backups = sorted((workspace.root / "backup").glob("ledger-*.db"), key=lambda path: path.stat().st_mtime)
    if not backups:
        found.append(("warning", "还没有备份：jiuzhu backup"))
    elif (today - datetime.fromtimestamp(backups[-1].stat().st_mtime).date()).days > 31:
        found.append(("warning", f"最近的备份 {backups[-1].name} 已超过一个月"))
    if _network_share(workspace):
        found.append(("warning", "工作区在网络共享盘上，断线时台账可能损坏；请放到本机硬盘"))
    with workspace.open_store() as store:
        if [row[0] for row in store.query("PRAGMA quick_check(1)")] != ["ok"]:
            found.append(("error", "台账数据库有损坏：jiuzhu restore 恢复最近的备份"))
    return found


def _network_share(workspace: Workspace) -> bool:
    """Linux only: the file system type of the deepest mount point that holds the workspace."""
    from pathlib import Path

    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return False
    best, kind = "", ""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        parts = line.split()
        if len(parts) > 2 and str(workspace.root).startswith(parts[1]) and len(parts[1]) > len(best):
            best, kind = parts[1], parts[2]
    return kind in _NETWORK_FILE_SYSTEMS
