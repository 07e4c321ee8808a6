"""Workbooks under a password in each scheme of Office, made from plain ones: agile and standard xlsx, RC4, CryptoAPI and XOR xls.

Sources: [MS-OFFCRYPTO] 2.3.4–2.3.7, [MS-XLS] 2.2.10, [MS-CFB].
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msoffcrypto.format.ooxml import OOXMLFile
from msoffcrypto.method.ecma376_standard import ECMA376Standard

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
except ImportError:  # before cryptography 43
    from cryptography.hazmat.primitives.ciphers.algorithms import ARC4

_END, _FREE, _TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
SALT = bytes(range(16))


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file; short streams are padded to 4096 bytes, so that none goes into the mini stream."""
    padded = {name: data.ljust(max(4096, -(-len(data) // 512) * 512), b"\0") for name, data in streams.items()}
    chain: list[int] = []
    starts = {}
    for name, data in padded.items():
        starts[name] = len(chain)
        count = len(data) // 512
        chain += [*range(len(chain) + 1, len(chain) + count), _END]
    names = list(padded)
    directory_at, directory_sectors = len(chain), -(-(len(names) + 1) // 4)
    chain += [*range(directory_at + 1, directory_at + directory_sectors), _END]
    tables = 1
    while tables * 128 < len(chain) + tables:
        tables += 1
    first = len(chain)
    chain += [_TABLE] * tables
    chain += [_FREE] * (tables * 128 - len(chain))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, directory_at, 0, 4096, _END, 0, _END, 0
    )
    header += struct.pack("<109I", *range(first, first + tables), *[_FREE] * (109 - tables))

    def entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        title = name.encode("utf-16-le") + b"\0\0" if name else b""
        return title.ljust(64, b"\0") + struct.pack(
            "<HBBIII36xIII", len(title), kind, 1, _FREE, right, child, start, size, 0
        )

    entries = entry("Root Entry", 5, _FREE, 1, _END, 0)
    for number, name in enumerate(names, 1):
        right = number + 1 if number < len(names) else _FREE
        entries += entry(name, 2, right, _FREE, starts[name], max(4096, len(streams[name])))
    entries = entries.ljust(directory_sectors * 512, b"\0")
    return header + b"".join(padded.values()) + entries + struct.pack(f"<{len(chain)}I", *chain)


def agile(plain: bytes, password: str) -> bytes:
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(plain)).encrypt(password, out)
    return out.getvalue()


def standard(plain: bytes, password: str) -> bytes:
    """AES-128 as Office 2007 and WPS write it."""
    key = ECMA376Standard.makekey_from_password(password, 0x660E, 0x8004, 0x18, 128, 16, SALT)

    def encrypt(data: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(data)

    verifier = b"verifier of test"
    provider = "Microsoft Enhanced RSA and AES Cryptographic Provider\0".encode("utf-16-le")
    header = struct.pack("<IIIIIIII", 0x24, 0, 0x660E, 0x8004, 128, 0x18, 0, 0) + provider
    info = struct.pack("<HHII", 4, 2, 0x24, len(header)) + header + struct.pack("<I", 16) + SALT + encrypt(verifier)
    info += struct.pack("<I", 20) + encrypt(hashlib.sha1(verifier).digest().ljust(32, b"\0"))
    package = struct.pack("<Q", len(plain)) + encrypt(plain.ljust(-(-len(plain) // 16) * 16, b"\0"))
    return compound({"EncryptionInfo": info, "EncryptedPackage": package})


Keystream = Callable[[int], bytes]  # of block n, 1024 bytes


def rc4(book: bytes, password: str) -> bytes:
    """The 40-bit RC4 of Excel 97."""
    first = hashlib.md5(password.encode("utf-16-le")).digest()[:5]
    middle = hashlib.md5((first + SALT) * 16).digest()[:5]

    def key(block: int) -> bytes:
        return hashlib.md5(middle + struct.pack("<I", block)).digest()

    verifier = b"verifier of test"
    both = Cipher(ARC4(key(0)), None).encryptor().update(verifier + hashlib.md5(verifier).digest())
    return _encrypted(book, struct.pack("<HHH", 1, 1, 1) + SALT + both, _stream(key))


def crypto_api(book: bytes, password: str) -> bytes:
    """The 128-bit RC4 of Excel 2002 and later."""
    base = hashlib.sha1(SALT + password.encode("utf-16-le")).digest()

    def key(block: int) -> bytes:
        return hashlib.sha1(base + struct.pack("<I", block)).digest()[:16]

    verifier = b"verifier of test"
    both = Cipher(ARC4(key(0)), None).encryptor().update(verifier + hashlib.sha1(verifier).digest())
    provider = "Microsoft Enhanced Cryptographic Provider v1.0\0".encode("utf-16-le")
    header = struct.pack("<IIIIIIII", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + provider
    info = struct.pack("<HHHII", 1, 2, 2, 4, len(header)) + header
    info += struct.pack("<I", 16) + SALT + both[:16] + struct.pack("<I", 20) + both[16:]
    return _encrypted(book, info, _stream(key))


def _stream(key: Callable[[int], bytes]) -> Keystream:
    return lambda block: Cipher(ARC4(key(block)), None).encryptor().update(bytes(1024))


def _encrypted(book: bytes, info: bytes, keystream: Keystream) -> bytes:
    """The records of ``book`` with a FILEPASS behind the first one, the rest encrypted but for what [MS-XLS] leaves plain."""
    password = struct.pack("<HH", 0x2F, len(info)) + info
    end = 4 + struct.unpack_from("<H", book, 2)[0]
    whole = bytearray(book[:end] + password + book[end:])
    plain, at = [], 0
    while at + 4 <= len(whole):
        code, length = struct.unpack_from("<HH", whole, at)
        if code == 0x85:  # positions of sheets move, and are not encrypted
            moved = struct.unpack_from("<I", whole, at + 4)[0] + len(password)
            struct.pack_into("<I", whole, at + 4, moved)
            plain.append((at, 8))
        else:
            plain.append((at, 4 + length if code in (0x809, 0x2F, 0xE1) else 4))
        at += 4 + length
    stream = b"".join(keystream(block) for block in range(len(whole) // 1024 + 1))
    out = bytearray(a ^ b for a, b in zip(whole, stream, strict=False))
    for start, length in plain:
        out[start : start + length] = whole[start : start + length]
    return compound({"Workbook": bytes(out)})
