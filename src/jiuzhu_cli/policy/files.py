"""The files that a policy is read from, as one thing that can be kept: the package's, over them those of the region (``data/regions/42/…``: what
a province, city or county has otherwise than the nation), over them the bureau's own.

``digest`` names exactly these files; ``packed`` holds them whole, so that a month that was paid is judged with them for ever.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from jiuzhu_cli.core.errors import PolicyError, reason_of

OWN = "policy/"  # how files of the bureau's folder are named
OWN_TABLES = ("divisions.csv",)  # what the bureau's folder may hold beside TOML
REGIONS = "regions"
DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """``files``: (name as shown, content), the package's first; names of the bureau's own begin with ``policy/``."""

    files: tuple[tuple[str, bytes], ...]
    digest: str

    def of(self, part: str) -> list[tuple[str, bytes]]:
        """The files of one kind: of the folder or the file ``part``, in the order in which they lie over each other."""
        return [(shown, content) for shown, content in self.files if _part(shown) == part]

    def own(self) -> list[str]:
        """Names of the bureau's files, relative to its folder."""
        return sorted(shown.removeprefix(OWN) for shown, _ in self.files if shown.startswith(OWN))

    def packed(self) -> bytes:
        """All of it, compressed; the same files give the same bytes."""
        listed = [[shown, content.decode("utf-8", "surrogateescape")] for shown, content in self.files]
        return zlib.compress(json.dumps(listed, ensure_ascii=False).encode("utf-8", "surrogateescape"), 3)


def read_files(*roots: Path, region: str = "") -> PolicyFiles:
    """The TOML files (and ``divisions.csv``) below ``roots``, of ``regions/`` only those of ``region``. PolicyError when one cannot be read."""
    files: list[tuple[str, bytes]] = []
    for root in roots:
        tables = [path for name in OWN_TABLES for path in root.glob(name)]
        found = sorted(
            (_layer(path, root), path)
            for path in (*root.rglob("*.toml"), *tables)
            if region.startswith(_layer(path, root))
        )
        for _, path in found:
            inside = path.relative_to(root).as_posix()
            try:
                content = path.read_bytes()
            except OSError as error:
                raise PolicyError(f"读不了政策文件 {inside}：{reason_of(error)}", "检查文件权限") from error
            files.append((inside if root == DATA else OWN + inside, content))
    return PolicyFiles(tuple(files), _digest(files))


def unpack_files(packed: bytes, digest: str) -> PolicyFiles:
    """What ``packed`` gave. PolicyError when it is not what ``digest`` names: somebody has changed the record."""
    try:
        listed = json.loads(zlib.decompress(packed).decode("utf-8", "surrogateescape"))
        files = [(str(shown), text.encode("utf-8", "surrogateescape")) for shown, text in listed]
    except (zlib.error, ValueError, TypeError, AttributeError) as error:
        raise PolicyError("台账里存的当时的政策读不出来", "用 jiuzhu restore 恢复一份备份") from error
    if _digest(files) != digest:
        raise PolicyError("台账里存的当时的政策与它的摘要对不上，可能被改动过", "用 jiuzhu restore 恢复一份备份")
    return PolicyFiles(tuple(files), digest)


def _layer(path: Path, root: Path) -> str:
    """The region that a file is of; '' the nation: national files first, then from the wider to the narrower area."""
    parts = path.relative_to(root).parts
    return parts[1] if parts[0] == REGIONS and len(parts) > 2 else ""


def _part(shown: str) -> str:
    parts = shown.removeprefix(OWN).split("/")
    return parts[2] if parts[0] == REGIONS and len(parts) > 2 else parts[0]


def _digest(files: list[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for shown, content in files:
        digest.update(f"{shown}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
