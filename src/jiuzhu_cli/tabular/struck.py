"""Cells crossed out (删除线): by the number of a format whose font is struck through. Read only where a workbook has such a font."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from jiuzhu_cli.tabular.cells import split_reference

_FONTS = re.compile(rb"<(?:\w+:)?fonts\b[^>]*>(.*?)</(?:\w+:)?fonts>", re.DOTALL)
_FONT = re.compile(rb"<(?:\w+:)?font\b(?:[^>]*/>|[^>]*>.*?</(?:\w+:)?font>)", re.DOTALL)
_STRIKE = re.compile(rb"<(?:\w+:)?strike\b(?![^>]*val\s*=\s*[\"'](?:0|false)[\"'])")
_FORMATS = re.compile(rb"<(?:\w+:)?cellXfs\b[^>]*>(.*?)</(?:\w+:)?cellXfs>", re.DOTALL)
_FORMAT = re.compile(rb"<(?:\w+:)?xf\b[^>]*?fontId\s*=\s*[\"'](\d+)[\"']")
_XF = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/])>")
_PLACE = re.compile(rb"(?:^|\s)r\s*=\s*[\"']([A-Z]{1,3}\d{1,7})[\"']")
_STYLE = re.compile(rb"(?:^|\s)s\s*=\s*[\"'](\d+)[\"']")
_FONT_RECORD, _FORMAT_RECORD, _STRUCK_BIT, _NO_FONT = 0x31, 0xE0, 0x08, 4


def struck_formats(styles: bytes) -> frozenset[int]:
    """Numbers of the cell formats of ``xl/styles.xml`` whose font is struck through."""
    if b"strike" not in styles:
        return frozenset()
    fonts, formats = _FONTS.search(styles), _FORMATS.search(styles)
    if fonts is None or formats is None:
        return frozenset()
    struck = {at for at, font in enumerate(_FONT.findall(fonts.group(1))) if _STRIKE.search(font)}
    found = [_FORMAT.match(tag) for tag in _XF.findall(formats.group(1))]
    return frozenset(at for at, match in enumerate(found) if match is not None and int(match.group(1)) in struck)


def struck_cells(chunks: Iterable[bytes], formats: frozenset[int]) -> set[tuple[int, int]]:
    """0-based (row, column) of the cells with something in them that have one of ``formats``; ``chunks``: a sheet's XML, no
    cell's tag cut."""
    out = set()
    for chunk in chunks:
        for cell in _CELL.finditer(chunk):
            style, place = _STYLE.search(cell.group(1)), _PLACE.search(cell.group(1))
            if style is not None and place is not None and int(style.group(1)) in formats:
                at = split_reference(place.group(1).decode())
                if at is not None:
                    out.add(at)
    return out


def struck_formats_of_biff(book: bytes) -> frozenset[int]:
    """The same of a BIFF8 workbook stream: FONT and XF records of its globals ([MS-XLS] 2.4.122, 2.4.353)."""
    fonts: list[bool] = []
    formats: list[int] = []
    at = 0
    while at + 4 <= len(book):
        code, length = struct.unpack_from("<HH", book, at)
        if code == _FONT_RECORD and length >= 4:
            fonts.append(bool(book[at + 6] & _STRUCK_BIT))
        elif code == _FORMAT_RECORD and length >= 2:
            formats.append(struct.unpack_from("<H", book, at + 4)[0])
        elif code == 0x0A:
            break
        at += 4 + length
    # no font has the number 4: those behind the fourth are one further
    struck = {number + (number >= _NO_FONT) for number, crossed in enumerate(fonts) if crossed}
    return frozenset(number for number, font in enumerate(formats) if font in struck)
