"""Workbooks of the old kind (.xls, BIFF8) for the banks' tools that take nothing else. By xlwt; the same input gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.shown import shown
from jiuzhu_cli.tabular.write import FONT, SheetSpec, check_text

MAX_ROWS_XLS = 65_536
_FORMATS = {"amount": "0.00", "count": "0", "text": "@", "date": "@"}


def write_xls(path: Path, spec: SheetSpec) -> str:
    """One sheet (name, title, header, rows) as BIFF8, whole or not at all, mode 0600; returns the SHA-256.

    ``amount`` cells are 分 (int) and become numbers of two exact decimals; text stays text, never a formula. DataError when the
    sheet has too many rows or a text is too long.
    """
    if spec.first_row + len(spec.rows) > MAX_ROWS_XLS:
        raise DataError(f"工作表“{spec.name}”有 {len(spec.rows)} 行，超过 xls 的上限 {MAX_ROWS_XLS}", "分成几个文件")

    def write(temporary: Path) -> None:
        import xlwt

        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet(spec.name)
        font = f"font: name {FONT}, height 220"
        styles = [xlwt.easyxf(font, num_format_str=_FORMATS[column.kind]) for column in spec.columns]
        head = xlwt.easyxf(f"{font}, bold on; align: horiz center", num_format_str="@")
        row = 0
        if spec.title:
            sheet.write_merge(0, 0, 0, max(len(spec.columns) - 1, 0), check_text(spec.title), head)
            row += 1
        for index, column in enumerate(spec.columns):
            sheet.col(index).width = 256 * int(min(column.width or 22, 80))
            if spec.header_row:
                sheet.write(row, index, column.header, head)
        row += spec.header_row
        for values in spec.rows:
            for index, value in enumerate(values):
                if value not in (None, ""):
                    sheet.write(row, index, _cell(value, spec.columns[index].kind), styles[index])
            row += 1
            if row % 1000 == 0:
                sheet.flush_row_data()
        book.save(str(temporary))

    return write_atomic(path, write)


def _cell(value: Any, kind: str) -> Any:
    if kind == "amount" and isinstance(value, int):
        return value / 100  # the double that stands for these two decimals
    if kind == "count" and isinstance(value, int):
        return value
    return check_text(value if isinstance(value, str) else shown(value, kind))
