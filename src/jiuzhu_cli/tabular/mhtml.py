"""A web page saved as one file (MHTML, RFC 2557), which Excel writes with one part a sheet."""

from __future__ import annotations

import email
import html
import re
from email.message import Message
from urllib.parse import unquote

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import Sheet
from jiuzhu_cli.tabular.html import read_html
from jiuzhu_cli.tabular.markup import decode_markup

MAX_PARTS = 2_000
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"
_WORKSHEET = re.compile(r"<x:ExcelWorksheet>([\s\S]{0,20000}?)</x:ExcelWorksheet>", re.IGNORECASE)
_NAME = re.compile(r"<x:Name>([^<>]{1,200})</x:Name>", re.IGNORECASE)
_SOURCE = re.compile(r"<x:WorksheetSource\s+HRef=[\"']([^\"'<>]{1,400})[\"']", re.IGNORECASE)
_HIDDEN = re.compile(r"<x:Visible>\s*Sheet(?:Very)?Hidden", re.IGNORECASE)


def read_mhtml(data: bytes, file: str, name: str) -> list[Sheet]:
    """The sheets of a single-file web page; DataError when none of its parts holds a table."""
    try:
        message = email.message_from_bytes(data)
        parts = [part for part in message.walk() if part.get_content_type() == "text/html"]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"“{file}”已损坏，读不出来", f"若能打开，{_RESAVE}") from error
    if not parts or len(parts) > MAX_PARTS:
        raise DataError(f"“{file}”是网页存档，里面没有表格", f"请核对；若打开能看到表格，{_RESAVE}")
    texts = {_leaf(str(part.get("Content-Location", number))): _text(part, file) for number, part in enumerate(parts)}
    sheets = []
    for worksheet in _WORKSHEET.findall(next(iter(texts.values()))[: 4 << 20]):
        title, source = _NAME.search(worksheet), _SOURCE.search(worksheet)
        text = texts.get(_leaf(html.unescape(source.group(1)))) if source else None
        if text is None:
            continue
        try:
            found = read_html(text, file, name)
        except DataError:
            if re.search(r"<t[dh]\b", text, re.IGNORECASE):
                raise
            continue  # an empty sheet
        for sheet in found:
            sheet.name = html.unescape(title.group(1)) if title else sheet.name
            sheet.hidden = bool(_HIDDEN.search(worksheet))
            sheets.append(sheet)
    return sheets or read_html(next(iter(texts.values())), file, name)


def _leaf(location: str) -> str:
    return unquote(location).replace("\\", "/").rpartition("/")[2].lower()


def _text(part: Message, file: str) -> str:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(f"“{file}”已损坏，读不出来", f"若能打开，{_RESAVE}") from error
    charset = part.get_content_charset() or ""
    return decode_markup(payload if isinstance(payload, bytes) else b"", file, charset)
