"""Whether a file is worth reading, by its name and its first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jiuzhu_cli.core.errors import DataError, JiuzhuError
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


_COPY = "把其中的表格复制到 Excel，另存为 .xlsx 后再导入"
_ORIGINAL = "请向报送人索取 Excel 原件"
_UNPACK = "先用解压软件解开，再导入其中的表格；或请报送人改用 zip"
_OTHERS: tuple[tuple[bytes, int, str, str], ...] = (
    (b"%PDF", 0, "PDF 文件", _ORIGINAL + "；扫描件需先录成表格"),
    (b"\x89PNG", 0, "图片", _ORIGINAL),
    (b"\xff\xd8\xff", 0, "图片", _ORIGINAL),
    (b"GIF8", 0, "图片", _ORIGINAL),
    (b"BM", 0, "图片", _ORIGINAL),
    (b"II*\x00", 0, "图片", _ORIGINAL),
    (b"MM\x00*", 0, "图片", _ORIGINAL),
    (b"Rar!", 0, "RAR 压缩包", _UNPACK),
    (b"7z\xbc\xaf", 0, "7z 压缩包", _UNPACK),
    (b"\x1f\x8b", 0, "gz 压缩包", _UNPACK),
    (b"BZh", 0, "bz2 压缩包", _UNPACK),
    (b"\xfd7zXZ", 0, "xz 压缩包", _UNPACK),
    (b"MSCF", 0, "cab 压缩包", _UNPACK),
    (b"ustar", 257, "tar 压缩包", _UNPACK),
    (b"{\\rtf", 0, "RTF 文档", _COPY),
    (b"SQLite format 3", 0, "数据库文件", "请换成表格文件"),
    (b"\x00\x01\x00\x00Standard ", 0, "Access 数据库", "在 Access 里把表导出为 .xlsx 后再导入"),
    (b"MZ", 0, "程序", "请核对来源，不要打开它"),
)


def refuse_other(data: bytes, name: str) -> None:
    """DataError for what is plainly no text table."""
    if not data.strip(b" \t\r\n\0\xef\xbb\xbf"):
        raise DataError(f"“{name}”是空文件", "请报送人重新发送")
    for mark, at, what, todo in _OTHERS:
        binary = len(mark) > 2 or b"\x00" in data[:64]  # two letters may begin a text, too
        if data.startswith(mark, at) and binary:
            raise DataError(f"“{name}”其实是{what}，不是可以导入的表格", todo)
    if _is_dbf(data):
        raise DataError(
            f"“{name}”其实是 DBF 数据库表（FoxPro），不是可以导入的表格", "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"
        )


def _is_dbf(data: bytes) -> bool:
    """A dBASE or FoxPro table: version, a date, a header that ends with its mark."""
    if (
        len(data) < 65
        or data[0] not in (0x03, 0x30, 0x31, 0x83, 0xF5)
        or not (1 <= data[2] <= 12 and 1 <= data[3] <= 31)
    ):
        return False
    header = int.from_bytes(data[8:10], "little")
    return (
        b"\x00" in data[:32]
        and 64 < header <= len(data)
        and b"\r" in data[header - 265 if header > 265 else 32 : header]
    )
