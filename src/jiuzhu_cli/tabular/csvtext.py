"""Text tables (csv, txt): encoding and separator are found from the content, and a doubtful byte names its line."""

from __future__ import annotations

import codecs
import csv
import io
import re

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import Cell

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FORCED_TEXT = re.compile(r'="([^"]*)"')  # how Excel users keep an ID from becoming a number
_RESAVE = "在记事本里打开，另存为 UTF-8 编码；或在 WPS/Excel 里另存为 .xlsx"
FIELD_LIMIT = 1 << 20


def decode(data: bytes, name: str) -> str:
    """Text of ``data``: by its BOM, else strict UTF-8, else strict GB18030. DataError names the line that is neither."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                line = data[: error.start + len(bom)].count(b"\n") + 1
                raise DataError(f"“{name}”第 {line} 行的文字编码已损坏", _RESAVE) from None
    if b"\x00" in data:
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


def separator(text: str) -> str:
    """Tab or comma: whichever the first lines hold more of outside quotes."""
    head = re.sub(r'"[^"]*"', "", text[:65536])
    return "\t" if head.count("\t") > head.count(",") else ","


def parse(data: bytes, name: str) -> list[list[Cell]]:
    """Rows of text cells, blank ones None; rows may differ in length. Lines without any character are kept as empty rows.

    DataError on an unknown encoding or a quote that is never closed (it would swallow the rows behind it).
    """
    text = decode(data, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text), strict=True)
    csv.field_size_limit(FIELD_LIMIT)
    rows: list[list[Cell]] = []
    begun = 1
    try:
        for row in reader:
            # a quoted line break makes one record of several lines: the record keeps its number in order
            rows.append([cell or None for cell in row])
            begun = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"“{name}”从第 {begun} 行起引号不配对，后面的行会读乱，没有读取", "改正该行的英文双引号后再导入"
        ) from error
    if '="' in text:
        for cells in rows:
            for index, cell in enumerate(cells):
                if cell and cell.startswith('="') and (match := _FORCED_TEXT.fullmatch(cell)):
                    cells[index] = match.group(1) or None
    return rows
