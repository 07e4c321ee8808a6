"""Bytes of files on the disk and in zip archives: a member of one is a path below it (``…/包.zip/目录/表.xls``).

Nothing is unpacked to the disk. Format: APPNOTE.TXT 6.3 (PKWARE); names in UTF-8, GBK, or the Info-ZIP Unicode field.
Archives within an archive are opened one level deep.
"""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from jiuzhu_cli.core.errors import DataError, OutsideError, reason_of
from jiuzhu_cli.core.text import natural_order
from jiuzhu_cli.tabular.secret import needed

MAX_ARCHIVE = 512 << 20  # bytes of the archive itself: it is held in memory
MAX_MEMBERS = 5_000
MAX_INFLATED = 2 << 30  # of all members together
MAX_RATIO = 400  # inflated : stored, beyond RATIO_FREE bytes
RATIO_FREE = 32 << 20
MAX_NAME = 400
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/", b"word/", b"ppt/", b"mimetype", b"customXml/")
_RUBBISH = ("__MACOSX", "Thumbs.db", "desktop.ini")
_UNPACK = "请先用解压软件解开，核对无误后再导入其中的表格"
_AES = 99


def file_bytes(path: Path, passwords: Sequence[str] = ()) -> bytes:
    """The bytes at ``path``, which may lie inside an archive. OutsideError when it cannot be opened, DataError as ``members``.

    A wanting or wrong password of the archive: DataError with code ``secret.ENCRYPTED``.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        for above in path.parents:
            if above.is_file():
                return _archive_at(above).read(path.relative_to(above).parts, tuple(passwords))
        raise _outside(path, error) from error
    except OSError as error:
        raise _outside(path, error) from error


def members(path: Path, passwords: Sequence[str] = ()) -> list[Path] | None:
    """Paths of the files in the archive at ``path`` and in archives within it, sorted; None when it is no zip of files.

    DataError when the archive must be refused: damaged, a bomb, names that point outside, too much in it.
    """
    if not _may_be_archive(path):
        return None
    try:
        archive = _archive_at(path)
        return None if archive.office else [path.joinpath(*parts) for parts in archive.files(tuple(passwords))]
    finally:
        _opened.cache_clear()
        _nested.cache_clear()


def refuse_archive(path: Path, data: bytes, passwords: Sequence[str]) -> None:
    """DataError with the reason when the file at ``path``, with these bytes, is a zip of files rather than a workbook."""
    if data[30:64].startswith(_OFFICE) or _Archive(data, path.name).office:
        return
    if path.is_file() and not members(path, passwords):
        raise DataError(f"“{path.name}”是压缩包，里面没有文件", "请报送人核对后重新发送")
    raise DataError(f"“{path.name}”是压缩包里的压缩包，只打开一层", _UNPACK)


def _outside(path: Path, error: OSError) -> OutsideError:
    return OutsideError(f"读不了文件“{path.name}”：{reason_of(error)}", "检查文件是否存在、是否有权限")


def _may_be_archive(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return False
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) and not head[30:].startswith(_OFFICE)


def _archive_at(path: Path) -> _Archive:
    try:
        stat = path.stat()
        if stat.st_size > MAX_ARCHIVE:
            raise DataError(f"压缩包“{path.name}”有 {stat.st_size >> 20} MB，太大，没有读取", _UNPACK)
        return _opened(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise _outside(path, error) from error


@lru_cache(maxsize=1)  # the members of an archive are asked for one after another
def _opened(path: Path, _changed: int, _size: int) -> _Archive:
    return _Archive(path.read_bytes(), path.name)


@lru_cache(maxsize=1)
def _nested(outer: _Archive, parts: tuple[str, ...], passwords: tuple[str, ...]) -> _Archive:
    return _Archive(outer.member(parts, passwords), parts[-1])


class _Archive:
    """A zip in memory. ``entries``: by path within it; ``office``: it is a document that is a zip itself (xlsx, docx, ods)."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
            infos = self.zip.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, EOFError, NotImplementedError) as error:
            raise self._refused("已损坏，解不开", "请报送人重新发送") from error
        self.office = _is_office({info.filename for info in infos})
        self.entries: dict[tuple[str, ...], zipfile.ZipInfo] = {}
        if not self.office:
            self._check(infos)

    def _refused(self, why: str, todo: str = _UNPACK) -> DataError:
        return DataError(f"压缩包“{self.name}”{why}", todo)

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_MEMBERS:
            raise self._refused(f"里有 {len(infos)} 个文件，多得不正常，没有读取")
        if sum(info.file_size for info in infos) > MAX_INFLATED:
            raise self._refused("解开后大得不正常（像压缩炸弹），没有读取")
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.file_size > RATIO_FREE and info.file_size > MAX_RATIO * max(info.compress_size, 1):
                raise self._refused("解开后大得不正常（像压缩炸弹），没有读取")
            if info.header_offset < end:
                raise self._refused("里的文件互相重叠（像压缩炸弹），没有读取")
            end = info.header_offset + info.compress_size
        encoding = _name_encoding(infos)
        for info in infos:
            name = _member_name(info, encoding)
            if name.endswith(("/", "\\")) or info.is_dir():
                continue
            parts = self._parts(name)
            if parts in self.entries:
                raise self._refused(f"里有重名的文件（{parts[-1]}），没有读取")
            if not any(part.startswith((".", "~$")) or part in _RUBBISH for part in parts):
                self.entries[parts] = info

    def _parts(self, name: str) -> tuple[str, ...]:
        plain = name.replace("\\", "/")
        parts = tuple(part for part in plain.split("/") if part not in ("", "."))
        if plain.startswith("/") or ".." in parts or plain[1:2] == ":" or not parts:
            raise self._refused("里有指向压缩包以外的文件名，不正常，没有读取", "请核对来源；" + _UNPACK)
        if len(name) > MAX_NAME or any(ord(char) < 32 for char in name):
            raise self._refused("里有不正常的文件名，没有读取", "请核对来源；" + _UNPACK)
        return parts

    def files(self, passwords: tuple[str, ...], *, deep: bool = True) -> Iterator[tuple[str, ...]]:
        """Paths of all files; of archives within, their files instead (those of an encrypted one need a password)."""
        inflated = 0
        for parts, info in sorted(self.entries.items(), key=lambda entry: [natural_order(part) for part in entry[0]]):
            if not (deep and self._is_archive(parts, info)):
                yield parts
                continue
            inner = _nested(self, parts, passwords)
            inflated += sum(i.file_size for i in inner.zip.infolist())
            if inflated > MAX_INFLATED:
                raise self._refused("解开后大得不正常（像压缩炸弹），没有读取")
            if inner.office:
                yield parts
            else:
                yield from ((*parts, *below) for below in inner.files((), deep=False))

    def _is_archive(self, parts: tuple[str, ...], info: zipfile.ZipInfo) -> bool:
        if info.flag_bits & 1:
            return parts[-1].lower().endswith(".zip")
        try:
            with self.zip.open(info) as stream:
                head = stream.read(64)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
            return False
        return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) and not head[30:].startswith(_OFFICE)

    def read(self, parts: tuple[str, ...], passwords: tuple[str, ...]) -> bytes:
        """The bytes of a member, here or in an archive within."""
        if parts in self.entries:
            return self.member(parts, passwords)
        for length in range(1, len(parts)):
            if parts[:length] in self.entries:
                return _nested(self, parts[:length], passwords).member(parts[length:], passwords)
        raise self._refused(f"里没有“{'/'.join(parts)}”", "请核对文件")

    def member(self, parts: tuple[str, ...], passwords: tuple[str, ...]) -> bytes:
        info = self.entries.get(parts)
        if info is None:
            raise self._refused(f"里没有“{'/'.join(parts)}”", "请核对文件")
        shown = f"{self.name}/{'/'.join(parts)}"
        try:
            if not info.flag_bits & 1:
                return self.zip.read(info)
            if info.flag_bits & 0x40:
                raise NotImplementedError
            for password in passwords:
                for secret in dict.fromkeys((password.encode(), password.encode("gb18030", "replace"))):
                    with contextlib.suppress(_WrongPassword):
                        return self._decrypted(info, secret)
        except NotImplementedError as error:
            raise self._refused(f"里“{parts[-1]}”的压缩或加密方式认不得") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError, struct.error) as error:
            raise self._refused(f"里的“{parts[-1]}”已损坏，解不开", "请报送人重新发送") from error
        raise needed(shown, passwords)

    def _decrypted(self, info: zipfile.ZipInfo, secret: bytes) -> bytes:
        if info.compress_type == _AES:
            return self._aes(info, secret)
        try:
            return self.zip.read(info, pwd=secret)
        except (RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            if isinstance(error, NotImplementedError):
                raise
            raise _WrongPassword from error  # one wrong password in 256 passes the first check and fails on the contents

    def _aes(self, info: zipfile.ZipInfo, secret: bytes) -> bytes:
        """WinZip's AES (AE-1, AE-2): PBKDF2, AES in counter mode from 1 with the low byte first, HMAC-SHA1 of 10 bytes."""
        import hashlib
        import hmac

        import numpy as np
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        strength, method = _aes_field(info.extra)
        file = self.zip.fp
        assert file is not None
        file.seek(info.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))
        file.seek(name + extra, io.SEEK_CUR)
        data = file.read(info.compress_size)
        salt_length, key_length = 4 + 4 * strength, 8 + 8 * strength
        if len(data) < salt_length + 12 or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotImplementedError
        salt, check = data[:salt_length], data[salt_length : salt_length + 2]
        keys = hashlib.pbkdf2_hmac("sha1", secret, salt, 1000, 2 * key_length + 2)
        if keys[-2:] != check:
            raise _WrongPassword
        body, mac = data[salt_length + 2 : -10], data[-10:]
        if not hmac.compare_digest(hmac.new(keys[key_length:-2], body, "sha1").digest()[:10], mac):
            raise _WrongPassword
        counters = np.zeros((-(-len(body) // 16), 2), dtype="<u8")
        counters[:, 0] = np.arange(1, len(counters) + 1)
        stream = Cipher(algorithms.AES(keys[:key_length]), modes.ECB()).encryptor().update(counters.tobytes())
        plain = (np.frombuffer(body, np.uint8) ^ np.frombuffer(stream, np.uint8, len(body))).tobytes()
        if method == zipfile.ZIP_DEFLATED:
            inflate = zlib.decompressobj(-15)
            plain = inflate.decompress(plain, info.file_size + 1)
        if len(plain) != info.file_size:
            raise zipfile.BadZipFile("size")
        return plain


class _WrongPassword(Exception):
    pass


def _aes_field(extra: bytes) -> tuple[int, int]:
    """(strength 1–3, compression method) of the AES extra field."""
    for kind, data in _fields(extra):
        if kind == 0x9901 and len(data) >= 7 and data[2:4] == b"AE" and 1 <= data[4] <= 3:
            return data[4], int.from_bytes(data[5:7], "little")
    raise NotImplementedError


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _is_office(names: set[str]) -> bool:
    return (
        "[Content_Types].xml" in names
        or any(name.endswith(("workbook.xml", "workbook.bin")) or name.startswith(("word/", "ppt/")) for name in names)
        or {"mimetype", "content.xml"} <= names
    )


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437", "replace")


def _name_encoding(infos: Sequence[zipfile.ZipInfo]) -> str:
    """How names without the UTF-8 mark are written: UTF-8 when all of them read as such, else GBK, else as DOS did."""
    for encoding in ("utf-8", "gb18030"):
        try:
            for info in infos:
                if not info.flag_bits & 0x800:
                    _raw_name(info).decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "cp437"


def _member_name(info: zipfile.ZipInfo, encoding: str) -> str:
    if info.flag_bits & 0x800:
        return info.orig_filename
    raw = _raw_name(info)
    for kind, data in _fields(info.extra):
        if kind == 0x7075 and len(data) > 5 and struct.unpack_from("<I", data, 1)[0] == zlib.crc32(raw):
            with contextlib.suppress(UnicodeDecodeError):
                return data[5:].decode("utf-8")
    return raw.decode(encoding)
