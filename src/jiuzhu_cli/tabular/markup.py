"""What a text file is (web page, single-file page, XML spreadsheet, plain table), and its text.

A byte that its encoding does not have names the line it stands in.
"""

from __future__ import annotations

import codecs
import re

from jiuzhu_cli.core.errors import DataError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(
    r"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w-]+)|<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE
)
_CHINESE = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030"}
_KNOWN = frozenset(("utf-8", "utf-16", "gb18030", "big5", "windows-1252", "iso-8859-1", "hz-gb-2312"))
_START = re.compile(r"(?:\s|<!--(?:(?!-->)[\s\S]){0,4000}-->|<\?[^<>]{0,400}\?>|<!doctype[^<>]{0,400}>)*<([\w:]+)", re.IGNORECASE)  # fmt: skip
_TABLE_WITHIN = re.compile(r"<table\b[^<>]{0,2000}>(?:\s*<[^<>]{0,500}>){0,20}?\s*<t[dh]\b", re.IGNORECASE)
_RESAVE = "在记事本里打开，另存为 UTF-8 编码；或在 WPS/Excel 里另存为 .xlsx"
_PAGE_TAGS = frozenset("html head meta title body table style script div center font p tr td th tbody thead h1 h2 h3 link span b".split())  # fmt: skip


def text_kind(data: bytes) -> str:
    """``html``, ``mhtml``, ``xmlss``, ``xml`` (any other) or ``text``, by the first 16 KB."""
    head = _head(data)
    if re.match(r"\s*(?:MIME-Version:|From:|Message-ID:|X-[\w-]+:)", head, re.IGNORECASE):
        kind = re.search(r"^Content-Type:\s*(?:multipart/related|text/html)", head, re.IGNORECASE | re.MULTILINE)
        return "mhtml" if kind else "text"
    if not head.lstrip().startswith("<"):
        return "html" if _TABLE_WITHIN.search(head) else "text"
    match = _START.match(head)
    tag = match.group(1).lower() if match else ""
    if tag.rpartition(":")[2] == "workbook":
        return "xmlss"
    if tag in _PAGE_TAGS:
        return "html"
    if head.lstrip()[:5].lower() == "<?xml":
        return "xmlss" if re.search(r"<(?:\w+:)?Workbook\b", head) else "xml"
    return "html" if re.search(r"<(?:html|table|!doctype html)\b", head, re.IGNORECASE) else "text"


def _head(data: bytes) -> str:
    head = data[:16_384]
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace")
    wide = utf16_without_mark(head)
    return head.decode(wide, "replace") if wide else head.decode("latin-1")


def utf16_without_mark(data: bytes) -> str:
    """``utf-16-le`` or ``utf-16-be`` when ``data`` has no BOM but reads as such, else "".

    Tables have line breaks, digits and separators: every ASCII character brings a zero byte, always on the same side.
    """
    head = data[: 4096 & ~1]
    low, high = head[0::2].count(0), head[1::2].count(0)  # zero bytes where LE (BE) has the other half
    if high > 3 and high > 9 * low and high * 20 >= len(head) // 2:
        return "utf-16-le"
    if low > 3 and low > 9 * high and low * 20 >= len(head) // 2:
        return "utf-16-be"
    return ""


def decode(data: bytes, name: str) -> str:
    """Text of ``data``: by its BOM, else as UTF-16 when its zero bytes say so, else strict UTF-8, else strict GB18030.

    DataError names the line that is neither.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(data[len(bom) :], encoding, name)
    if b"\x00" in data:
        if wide := utf16_without_mark(data):
            return _strict(data, wide, name)
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise DataError(f"“{name}”第 {line} 行有空字节，不是文本表格", _RESAVE)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as utf8:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError as gb:
            line = data[: max(utf8.start, gb.start)].count(b"\n") + 1
            raise DataError(f"“{name}”第 {line} 行的文字既不是 UTF-8 也不是 GB18030（GBK）编码", _RESAVE) from None


def _strict(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "ignore")
        raise DataError(f"“{name}”第 {before.count(chr(10)) + 1} 行的文字编码已损坏", _RESAVE) from None


def decode_markup(data: bytes, name: str, charset: str = "") -> str:
    """Text of a page or XML document: BOM, ``charset`` of the transport, its own declaration; where that is wrong, as ``decode``."""
    if not data.startswith(tuple(bom for bom, _ in _BOMS)) and b"\x00" not in data[:4096]:
        declared = _DECLARED.search(data[:16_384].decode("latin-1"))
        for word in (charset, *(declared.groups() if declared else ())):
            encoding = (word or "").lower()
            encoding = _CHINESE.get(encoding, encoding)
            if encoding in _KNOWN and encoding not in ("utf-8", "utf-16", "gb18030"):
                try:
                    return data.decode(encoding)
                except UnicodeDecodeError:
                    pass
    return decode(data, name)
