"""Whether a file is worth reading, by its name and its first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.tabular import markup
from jiuzhu_cli.tabular.archive import file_bytes

TABLES = frozenset((".xlsx", ".xls", ".xlsm", ".et", ".csv", ".txt"))
# what may hold ledgers but is not opened: passing it over without a word would lose a town
ARCHIVES = frozenset((".zip", ".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".cab", ".arj", ".lzh", ".zipx"))
UNREAD_TABLES = frozenset((".xlsb", ".ods", ".numbers", ".ett", ".xltx", ".xlt"))
_DOCUMENTS = frozenset(
    ".doc .docx .wps .wpt .dot .dotx .ppt .pptx .dps .pdf .ofd .jpg .jpeg .png .gif .bmp .tif .tiff .mp4 .msg .eml .vsd .db .lnk .exe".split()
)
_BINARY = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x09\x08\x10\x00\x00\x06", b"\x09\x08\x08\x00\x00\x05")


def is_worth_reading(path: Path, passwords: Sequence[str] = ()) -> bool:
    """For a file that lies in a folder: true when its name, or else its content, is that of a table or an archive.

    Text with an unknown name, documents and pictures are passed over. A file that the user asks for is always read.
    """
    suffix = path.suffix.lower()
    if suffix in TABLES or suffix in ARCHIVES or suffix in UNREAD_TABLES:
        return True
    if suffix in _DOCUMENTS:
        return False
    try:
        head = _head(path, passwords)
    except JiuzhuError:
        return False
    if head.startswith(_BINARY):
        return True
    if head.startswith(b"PK\x03\x04"):
        return b"xl/" in head or b"[Content_Types].xml" in head[:64]
    kind = markup.text_kind(head) if head.lstrip()[:1] in (b"<", b"M", b"\xef", b"\xff", b"\xfe") else "text"
    return kind in ("xmlss", "mhtml") or (kind == "html" and b"<td" in head.replace(b"\x00", b"").lower())


def _head(path: Path, passwords: Sequence[str]) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16_384)
    except OSError:
        return file_bytes(path, passwords)[:16_384]
