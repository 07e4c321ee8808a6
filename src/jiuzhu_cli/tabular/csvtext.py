"""Text tables (csv, txt): encoding and separator are found from the content, and a doubtful byte names its line."""

from __future__ import annotations

import csv
import io
import re
from itertools import zip_longest

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cellgrid import MAX_COLUMNS
from jiuzhu_cli.tabular.cells import Cell
from jiuzhu_cli.tabular.column import Column
from jiuzhu_cli.tabular.csvrows import plain_columns
from jiuzhu_cli.tabular.markup import decode
from jiuzhu_cli.tabular.scan import MAX_AREA, SPARSE, SPARSE_AREA

_FORCED_TEXT = re.compile(r'="([^"]*)"')  # how Excel users keep an ID from becoming a number
_SEPARATORS = "\t,;|"
_DECLARED = re.compile(r"\s*\"?sep=(.)\"?[ \t,;]*(\r\n|\n|\r|$)", re.IGNORECASE)
FIELD_LIMIT = 1 << 20


def separator(text: str) -> str:
    """Tab, comma, semicolon or bar, whichever the first lines hold most of outside quotes; the last two only when lines agree.

    Semicolons and bars also stand within cells (several names in one), so most lines must have the same number of them.
    """
    head = re.sub(r'"[^"]*"', "", text[:65536])
    lines = [
        line for line in re.split(r"\r\n|\r|\n", head)[:20] if line.strip(" ")
    ]  # of a quoted row only the tabs are left
    if len(text) > 65536:
        lines = lines[:-1] or lines
    found, most = ",", 0
    for mark in _SEPARATORS:
        counts = [line.count(mark) for line in lines]
        alike = counts.count(max(set(counts) - {0}, key=counts.count, default=1))
        if (mark in "\t," or alike * 2 > len(counts)) and sum(counts) > most:
            found, most = mark, sum(counts)
    return found


def read_text(data: bytes, name: str) -> tuple[list[Column], int]:
    """Columns of text cells, blank ones None, and their height. Lines without any character are kept as empty rows.

    DataError on an unknown encoding or a quote that is never closed (it would swallow the rows behind it).
    """
    text = decode(data, name)
    declared = _DECLARED.match(text)  # Excel reads such a first line and does not show it
    text = text[declared.end() :] if declared else text
    mark = declared.group(1) if declared and declared.group(1) not in '"\r\n' else separator(text)
    plain = plain_columns(text, mark)
    if plain is not None:
        return plain
    rows = _rows(text, mark, name, 1 + (declared is not None))
    _check_extent(rows, name)
    columns = [Column(list(cells)) for cells in zip_longest(*rows)]
    return columns, len(rows) if columns else 0


def _check_extent(rows: list[list[Cell]], name: str) -> None:
    """DataError when the table is wider than a sheet, or one long line makes it an absurd rectangle."""
    width = max(map(len, rows), default=0)
    if width > MAX_COLUMNS:
        line = next(number for number, row in enumerate(rows, 1) if len(row) == width)
        raise DataError(
            f"“{name}”第 {line} 行有 {width} 列，不是正常的表格，没有读取", "请核对文件是否完整、是否用错了分隔符"
        )
    area = width * len(rows)
    if area > MAX_AREA or (area > SPARSE_AREA and sum(map(len, rows)) * SPARSE < area):
        raise DataError(
            f"“{name}”有 {len(rows)} 行，最宽的一行有 {width} 列，不是正常的表格，没有读取",
            "删去多余的列，或按乡镇拆成几个文件后再导入",
        )


def _rows(text: str, mark: str, name: str, first_line: int) -> list[list[Cell]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    csv.field_size_limit(FIELD_LIMIT)
    rows: list[list[Cell]] = []
    begun = first_line
    try:
        for row in reader:
            # a quoted line break makes one record of several lines: the record keeps its number in order
            rows.append([cell or None for cell in row])
            begun = reader.line_num + first_line
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
