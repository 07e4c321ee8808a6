"""An xlsx package taken apart and put together again: parts that nobody touches are copied as they lie, still compressed.

Formats: ECMA-376 part 2 (packages, relationships, content types), PKWARE's APPNOTE (zip).
"""

from __future__ import annotations

import posixpath
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jiuzhu_cli.tabular.inflate import PACKED_END, inflated, machine, packed

MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LARGE = 4 << 20  # bytes of a part from which on speed matters more than the last tenth of its size
_PIECE = 1 << 20
_ROOT = re.compile(rb"<(?:([\w.-]+):)?(\w+)[\s>/]")
_RELATION = re.compile(rb"<(?:[\w.-]+:)?Relationship\s[^>]*>")
_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ENCODING = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([^"']+)""")


class Odd(Exception):
    """The package is put together in a way that is not patched here."""


def attributes(tag: bytes) -> dict[str, str]:
    """Attributes of a start tag by name as written; the five XML entities resolved."""
    return {
        name.decode(): _plain((double or single).decode("utf-8"))
        for name, double, single in _ATTRIBUTE.findall(tag)
    }  # fmt: skip


def _plain(text: str) -> str:
    if "&" not in text:
        return text
    import html

    return html.unescape(text)


def escape(text: str) -> str:
    """``text`` for an element's content or an attribute in double quotes: what XML cannot hold is left out."""
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)
    text = re.sub(r"_x(?=[0-9A-Fa-f]{4}_)", "_x005F_x", text)  # Excel reads _x0041_ as A
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def prefix_of(data: bytes, root: str) -> bytes:
    """The prefix with colon that a part's elements bear (b'' mostly). Odd when the root is another, or not UTF-8, or strict OOXML."""
    encoding = _ENCODING.match(data)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or (encoding and encoding.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii")):  # fmt: skip
        raise Odd("encoding")
    match = _ROOT.search(data, 0, 4096)
    if match is None or match.group(2).decode() != root:
        raise Odd("root")
    prefix = match.group(1) + b":" if match.group(1) else b""
    declared = b"xmlns:" + match.group(1) if match.group(1) else b"xmlns"
    tag = data[match.start() : data.find(b">", match.start())]
    if root not in ("Types", "Relationships") and attributes(tag).get(declared.decode()) != MAIN.decode():
        raise Odd("namespace")
    return prefix


class Package:
    """A source package: its parts, relations and content types."""

    def __init__(self, source: Path | BinaryIO) -> None:
        self.archive = zipfile.ZipFile(source)
        self.infos = {info.filename: info for info in self.archive.infolist() if not info.is_dir()}
        if len(self.infos) < sum(not info.is_dir() for info in self.archive.infolist()):
            raise Odd("duplicate parts")
        for info in self.infos.values():
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Odd("compression")

    def close(self) -> None:
        self.archive.close()

    def read(self, name: str) -> bytes:
        if name not in self.infos:
            raise Odd(name)
        return self.archive.read(self.infos[name])

    def start_of(self, name: str, size: int) -> bytes:
        with self.archive.open(self.infos[name]) as stream:
            return stream.read(size)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The part's bytes, a megabyte at a time."""
        return inflated(self.archive, self.infos[name], _PIECE)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """``id → (last word of the type, part)`` of a part ('' is the package); targets outside the package are left out."""
        name = relations_part(part)
        if name not in self.infos:
            return {}
        found = {}
        for tag in _RELATION.findall(self.read(name)):
            told = attributes(tag)
            if told.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), told["Target"]))
                found[told["Id"]] = (told["Type"].rpartition("/")[2], target.lstrip("/"))
        return found


def relations_part(part: str) -> str:
    """Where the relations of ``part`` stand."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def with_relation(data: bytes | None, kind: str, target: str, wanted: str) -> tuple[bytes, str]:
    """A relations part with one more entry to ``/target``; returns it with the new entry's ID."""
    if data is None:
        data = (
            b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
        )
    prefix = prefix_of(data, "Relationships")
    taken = {attributes(tag).get("Id") for tag in _RELATION.findall(data)}
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}{number}"
    entry = f'<{prefix.decode()}Relationship Id="{name}" Type="{RELATIONS}/{kind}" Target="/{target}"/>'
    return before_end(data, prefix + b"Relationships", entry.encode()), name


def before_end(data: bytes, element: bytes, added: bytes) -> bytes:
    """``data`` with ``added`` as the last child of ``element``, which may be written ``<element/>``."""
    end = data.rfind(b"</" + element)
    if end >= 0:
        return data[:end] + added + data[end:]
    match = re.search(rb"<" + re.escape(element) + rb"(?:\s[^>]*)?/>", data)
    if match is None:
        raise Odd(element.decode())
    return data[: match.end() - 2] + b">" + added + b"</" + element + b">" + data[match.end() :]


def _deflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = machine.compressobj(2, zlib.DEFLATED, -15)  # a fifth larger than the best, in a tenth of the time
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


@dataclass(frozen=True, slots=True)
class Packed:
    """A part deflated already, in a file of its own: its checksum and lengths."""

    file: BinaryIO
    crc: int
    packed: int
    size: int

    @classmethod
    def of(cls, pieces: Iterable[bytes], file: BinaryIO) -> Packed:
        """``pieces`` deflated into ``file``, fast rather than small."""
        crc = length = size = 0
        for piece in pieces:
            crc, size = machine.crc32(piece, crc), size + len(piece)
            length += file.write(packed(piece))
        length += file.write(PACKED_END)
        return cls(file, crc, length, size)


class Writer:
    """Writes a zip: new parts deflated, old ones copied as they are. The same input gives the same bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._directory: list[bytes] = []

    def copy(self, package: Package, name: str) -> None:
        """A part of ``package`` as it lies there."""
        info = package.infos[name]
        source = package.archive.fp
        assert source is not None
        source.seek(info.header_offset)
        header = source.read(30)
        if header[:4] != b"PK\x03\x04":
            raise Odd("local header")
        source.seek(sum(struct.unpack("<HH", header[26:30])), 1)
        at = self._header(name, info.compress_type, info.CRC, info.compress_size, info.file_size)
        left = info.compress_size
        while left:
            piece = source.read(min(left, _PIECE))
            if not piece:
                raise Odd("short part")
            self._file.write(piece)
            left -= len(piece)
        self._note(at, name, info.compress_type, info.CRC, info.compress_size, info.file_size)

    def paste(self, name: str, part: Packed) -> None:
        """A part that is deflated already."""
        at = self._header(name, zipfile.ZIP_DEFLATED, part.crc, part.packed, part.size)
        part.file.seek(0)
        shutil.copyfileobj(part.file, self._file, _PIECE)
        self._note(at, name, zipfile.ZIP_DEFLATED, part.crc, part.packed, part.size)

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """A new part."""
        at = self._header(name, zipfile.ZIP_DEFLATED, 0, 0, 0)
        crc = size = packed = 0

        def counted() -> Iterator[bytes]:
            nonlocal crc, size
            for piece in pieces:
                crc, size = zlib.crc32(piece, crc), size + len(piece)
                yield piece

        for data in _deflated(counted()):
            packed += self._file.write(data)
        end = self._file.tell()
        self._file.seek(at)
        self._header(name, zipfile.ZIP_DEFLATED, crc, packed, size)
        self._file.seek(end)
        self._note(at, name, zipfile.ZIP_DEFLATED, crc, packed, size)

    def _fields(self, name: str, method: int, crc: int, packed: int, size: int) -> bytes:
        if max(packed, size) >= 0xFFFFFFFF:
            raise Odd("zip64")
        flags = 0 if name.isascii() else 0x800
        return struct.pack("<HHHHHLLLHH", 20, flags, method, 0, 0x21, crc, packed, size, len(name.encode()), 0)

    def _header(self, name: str, method: int, crc: int, packed: int, size: int) -> int:
        at = self._file.tell()
        self._file.write(b"PK\x03\x04" + self._fields(name, method, crc, packed, size) + name.encode())
        return at

    def _note(self, at: int, name: str, method: int, crc: int, packed: int, size: int) -> None:
        made_by = struct.pack("<H", 20)
        rest = struct.pack("<HHHLL", 0, 0, 0, 0, at)
        self._directory.append(b"PK\x01\x02" + made_by + self._fields(name, method, crc, packed, size) + rest + name.encode())  # fmt: skip

    def close(self) -> None:
        """Writes the directory."""
        start = self._file.tell()
        for entry in self._directory:
            self._file.write(entry)
        count = len(self._directory)
        if count >= 0xFFFF or start >= 0xFFFFFFFF:
            raise Odd("zip64")
        size = self._file.tell() - start
        self._file.write(struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, count, count, size, start, 0))
