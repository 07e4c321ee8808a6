"""Files as other programs write them, made byte by byte: web pages, XML spreadsheets, old BIFF, zips with GBK names or passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

Row = Sequence[Any]


# pages -----------------------------------------------------------------------------------------------------

EXCEL_HEAD = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"'
    ' xmlns="http://www.w3.org/TR/REC-html40"><head><meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    "<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:ExcelWorksheets><x:ExcelWorksheet><x:Name>{name}</x:Name>"
    "</x:ExcelWorksheet></x:ExcelWorksheets></x:ExcelWorkbook></xml><![endif]-->"
    '<style>td{{mso-number-format:"\\@"; br {{mso-data-placement:same-cell}}}}</style></head><body>'
)


def page(
    rows: Sequence[Row], *, title: str = "", name: str = "名册", charset: str = "utf-8", encode: str = ""
) -> bytes:
    """A web system's export: text cells in a table, as Excel opens it."""
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else cell}</td>" for cell in row) + "</tr>\r\n" for row in rows
    )
    text = (
        EXCEL_HEAD.format(charset=charset, name=name)
        + (f"<h2>{title}</h2>" if title else "")
        + f'<table border="1">{body}</table></body></html>'
    )
    return text.encode(encode or charset)


def mhtml(sheets: Mapping[str, bytes], *, hidden: Sequence[str] = ()) -> bytes:
    """Excel's single file web page: a frame that names the sheets, one part a sheet."""
    worksheets = "".join(
        f"<x:ExcelWorksheet><x:Name>{name}</x:Name>{'<x:Visible>SheetHidden</x:Visible>' if name in hidden else ''}"
        f'<x:WorksheetSource HRef="book.files/sheet{n:03d}.htm"/></x:ExcelWorksheet>'
        for n, name in enumerate(sheets, 1)
    )
    frame = (
        f"<html><!--[if gte mso 9]><xml><x:ExcelWorkbook><x:ExcelWorksheets>{worksheets}</x:ExcelWorksheets></x:ExcelWorkbook></xml><![endif]-->"
        "<frameset><frame></frameset></html>"
    )
    parts = [("book.htm", frame.encode())]
    parts += [(f"book.files/sheet{n:03d}.htm", data) for n, data in enumerate(sheets.values(), 1)]
    lines = ["MIME-Version: 1.0", 'Content-Type: multipart/related; boundary="----=_Part"', ""]
    for location, data in parts:
        lines += ["------=_Part", f"Content-Location: file:///C:/dir/{location}", "Content-Transfer-Encoding: base64"]
        lines += ['Content-Type: text/html; charset="utf-8"', "", base64.encodebytes(data).decode()]
    return "\r\n".join([*lines, "------=_Part--", ""]).encode()


# XML Spreadsheet 2003 --------------------------------------------------------------------------------------


def xmlss(sheets: Mapping[str, str], *, hidden: Sequence[str] = (), doctype: str = "") -> bytes:
    """A workbook of hand-written ``<Row>`` elements by sheet name."""
    worksheets = "".join(
        f'<Worksheet ss:Name="{name}"><Table>{rows}</Table>'
        '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">'
        f"{'<Visible>SheetHidden</Visible>' if name in hidden else ''}</WorksheetOptions></Worksheet>"
        for name, rows in sheets.items()
    )
    return (
        f'<?xml version="1.0"?>\n{doctype}<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f"{worksheets}</Workbook>"
    ).encode()


def xml_row(cells: Row, attributes: str = "") -> str:
    """A ``<Row>``: text as String, numbers as Number."""
    made = "".join(
        "<Cell/>"
        if cell is None
        else f'<Cell><Data ss:Type="{"String" if isinstance(cell, str) else "Number"}">{cell}</Data></Cell>'
        for cell in cells
    )
    return f"<Row {attributes}>{made}</Row>"


# BIFF2 to BIFF5 --------------------------------------------------------------------------------------------


def record(code: int, data: bytes) -> bytes:
    return struct.pack("<HH", code, len(data)) + data


def old_xls(version: int, rows: Sequence[Row], *, name: str = "名册", hidden_row: int = -1, page: int = 936) -> bytes:
    """A bare workbook of Excel 2, 3, 4 or 95. Strings, ints, floats, ("date", serial), ("error", code), ("formula", text)."""
    encoding = {936: "gbk", 1252: "cp1252"}[page]
    wide = version == 5
    styles = record(0x42, struct.pack("<H", page)) + _old_formats(version) + _old_styles(version)
    if not wide:
        body = record({2: 0x09, 3: 0x209, 4: 0x409}[version], struct.pack("<HH", version << 8 if version > 2 else 2, 0x10) + b"\0\0" * (version > 2))  # fmt: skip
        body += styles
    else:
        body = record(0x809, struct.pack("<HHHH", 0x500, 0x10, 0, 0))
    for number, row in enumerate(rows):
        if version > 2:
            flags = 0x20 if number == hidden_row else 0
            body += record(0x208, struct.pack("<HHHHHHHH", number, 0, len(row), 0xFF, 0, 0, flags, 15))
        body += b"".join(_old_cell(version, number, column, cell, encoding) for column, cell in enumerate(row))
    body += record(0x0A, b"")
    if not wide:
        return body
    title = name.encode(encoding)

    def front(position: int) -> bytes:
        bound = struct.pack("<IBBB", position, 0, 0, len(title)) + title
        return record(0x809, struct.pack("<HHHH", 0x500, 5, 0, 0)) + styles + record(0x85, bound) + record(0x0A, b"")

    return front(len(front(0))) + body


def _old_formats(version: int) -> bytes:
    texts = ["General", "yyyy-mm-dd"]
    if version == 5:
        return record(0x41E, struct.pack("<HB", 164, len(texts[1])) + texts[1].encode())
    return b"".join(
        record(0x41E if version == 4 else 0x1E, b"\0\0" * (version == 4) + bytes([len(text)]) + text.encode())
        for text in texts
    )


def _old_styles(version: int) -> bytes:
    """Two XF: general, date."""
    if version == 5:
        return b"".join(record(0xE0, struct.pack("<HH12x", 0, index)) for index in (0, 164))
    if version == 2:
        return b"".join(record(0x43, bytes([0, 0, index, 0])) for index in (0, 1))
    return b"".join(record(0x243 if version == 3 else 0x443, bytes([0, index]) + b"\0" * 10) for index in (0, 1))


def _old_cell(version: int, row: int, column: int, cell: Any, encoding: str) -> bytes:
    kind, value = cell if isinstance(cell, tuple) else ("", cell)
    style = int(kind == "date")
    head = struct.pack("<HH", row, column) + (bytes([style, 0, 0]) if version == 2 else struct.pack("<H", style))
    high = 0 if version == 2 else 0x200
    count = "<B" if version == 2 else "<H"
    if value is None:
        return b""
    if kind == "error":
        return record(high | 0x05, head + bytes([value, 1]))
    if kind == "formula":
        code = {2: 0x06, 3: 0x206, 4: 0x406, 5: 0x06}[version]
        text = value.encode(encoding)
        result = head + b"\0\0\0\0\0\0\xff\xff" + b"\0" * 8
        return record(code, result) + record(high | 0x07, struct.pack(count, len(text)) + text)
    if isinstance(value, str):
        text = value.encode(encoding)
        return record(high | 0x04, head + struct.pack(count, len(text)) + text)
    if version > 2 and isinstance(value, int) and abs(value) < 1 << 28:
        return record(0x27E, head + struct.pack("<i", value << 2 | 2))
    return record(high | 0x03, head + struct.pack("<d", value))


# zips ------------------------------------------------------------------------------------------------------


class _RawName(zipfile.ZipInfo):
    """An entry whose name is written as GBK bytes, without the UTF-8 mark, as Windows does."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def packed(files: Mapping[str, bytes], *, gbk: bool = False) -> bytes:
    """A zip of ``files``; names as UTF-8 with the mark, or as GBK."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = (_RawName if gbk else zipfile.ZipInfo)("placeholder", (2026, 10, 1, 0, 0, 0))
            info.filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def raw_zip(entries: Sequence[tuple[bytes, bytes, int, int, bytes, bytes]]) -> bytes:
    """A zip of (name, stored bytes, flags, method, extra, plain): what ``zipfile`` cannot write."""
    body, directory = b"", b""
    for name, stored, flags, method, extra, plain in entries:
        sizes = struct.pack("<IIIHH", zlib.crc32(plain), len(stored), len(plain), len(name), len(extra))
        fixed = struct.pack("<HHHHH", 20, flags, method, 0, 0x5D4F)
        directory += b"PK\x01\x02\x14\x00" + fixed + sizes + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name + extra
        body += b"PK\x03\x04" + fixed + sizes + name + extra + stored
    count = len(entries)
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)


def zip_crypto(name: str, data: bytes, password: bytes) -> bytes:
    """A zip of one stored file under the traditional encryption (APPNOTE 6.1)."""
    keys = [0x12345678, 0x23456789, 0x34567890]
    table = [_crc_entry(n) for n in range(256)]

    def update(byte: int) -> None:
        keys[0] = keys[0] >> 8 ^ table[(keys[0] ^ byte) & 255]
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = keys[2] >> 8 ^ table[(keys[2] ^ keys[1] >> 24) & 255]

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in b"salt-of-11b"[:11] + bytes([zlib.crc32(data) >> 24]) + data:
        key = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ (key * (key ^ 1) >> 8 & 255))
        update(byte)
    return raw_zip([(name.encode(), bytes(out), 0x801, 0, b"", data)])


def _crc_entry(number: int) -> int:
    for _ in range(8):
        number = number >> 1 ^ 0xEDB88320 if number & 1 else number >> 1
    return number


def zip_aes(name: str, data: bytes, password: bytes, *, strength: int = 3) -> bytes:
    """A zip of one file under WinZip's AES (AE-2), deflated first."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = deflate.compress(data) + deflate.flush()
    salt, length = b"0123456789abcdef"[: 4 + 4 * strength], 8 + 8 * strength
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 2 * length + 2)
    cipher = Cipher(algorithms.AES(keys[:length]), modes.ECB()).encryptor()
    body = bytearray()
    for at in range(0, len(plain), 16):
        stream = cipher.update((at // 16 + 1).to_bytes(16, "little"))
        body += bytes(a ^ b for a, b in zip(plain[at : at + 16], stream, strict=False))
    mac = hmac.new(keys[length:-2], bytes(body), "sha1").digest()[:10]
    extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", strength, 8)
    return raw_zip([(name.encode(), salt + keys[-2:] + bytes(body) + mac, 0x801, 99, extra, data)])
