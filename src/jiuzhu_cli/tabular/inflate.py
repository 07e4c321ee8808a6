"""Parts of a zip inflated piece by piece, with less copying than ``zipfile`` does."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

_ROOT = re.compile(rb"<([A-Za-z][\w.-]*:)(?:worksheet|sst)[\s>]")
_FED = 1 << 19  # bytes of the archive given to zlib at once


def inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes, size: int) -> Iterator[bytes]:
    """The part in pieces of ``size`` bytes at most. ``data``: the whole archive.

    BadZipFile, zlib.error, EOFError … as zipfile raises them, for a wrong checksum or length too.
    """
    with archive.open(info) as stream:  # looks at the part's own header
        if info.compress_type != zipfile.ZIP_DEFLATED:
            while block := stream.read(size):
                yield block
            return
    name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
    begin = info.header_offset + 30 + name + extra
    packed = memoryview(data)[begin : begin + info.compress_size]
    machine = zlib.decompressobj(-15)
    total = crc = at = 0
    rest: bytes | memoryview = b""
    while not machine.eof:
        if not rest:
            rest = packed[at : at + _FED]
            at += _FED
            if not rest:
                raise EOFError("part ends early")
        block = machine.decompress(rest, size)
        rest = machine.unconsumed_tail
        if block:
            total, crc = total + len(block), zlib.crc32(block, crc)
            yield block
    if crc != info.CRC or total != info.file_size:
        raise zipfile.BadZipFile("checksum or length")


def without_prefix(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """XML of a sheet or of shared strings, piece by piece, its tags without the prefix that some programs (.NET) give them all."""
    source = iter(blocks)
    first = next(source, b"")
    root = _ROOT.search(first)
    if root is None:
        yield from chain((first,), source)
        return
    opens, closes, carry = b"<" + root.group(1), b"</" + root.group(1), b""
    for fresh in chain((first,), source):
        block = carry + fresh
        cut = block.rfind(b"<")
        cut = cut if cut >= 0 else len(block)
        yield block[:cut].replace(opens, b"<").replace(closes, b"</")
        carry = block[cut:]
    yield carry.replace(opens, b"<").replace(closes, b"</")
