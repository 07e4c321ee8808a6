"""Grids as files: xlsx, xls, and csv in the three encodings that offices use."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path

import openpyxl
import xlwt
from openpyxl.utils import get_column_letter

from tests.e2e.second_hand_tables import Grid


def save(path: Path, grids: list[Grid]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    {".xlsx": _save_xlsx, ".xls": _save_xls, ".csv": _save_csv}[path.suffix](path, grids)


def _save_xlsx(path: Path, grids: list[Grid]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for grid in grids:
        sheet = book.create_sheet(grid.name[:31])
        for row, line in enumerate(grid.rows, 1):
            for column, value in enumerate(line, 1):
                if value is not None:
                    sheet.cell(row, column, value)
        for top, left, bottom, right in grid.merges:
            sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
        for column in grid.hidden_columns:
            sheet.column_dimensions[get_column_letter(column + 1)].hidden = True
        sheet.sheet_state = "hidden" if grid.hidden else "visible"
    book.save(path)


def _save_xls(path: Path, grids: list[Grid]) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="YYYY/M/D")
    for grid in grids:
        sheet = book.add_sheet(grid.name[:31], cell_overwrite_ok=True)
        for top, left, bottom, right in grid.merges:
            sheet.write_merge(top, bottom, left, right, grid.rows[top][left])
        for row, line in enumerate(grid.rows):
            for column, value in enumerate(line):
                if value is not None:
                    sheet.write(row, column, value, *([day] if isinstance(value, date) else []))
        sheet.visibility = 1 if grid.hidden else 0
    book.save(str(path))


def _save_csv(path: Path, grids: list[Grid]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    for line in grids[0].rows:
        writer.writerow(
            ["" if v is None else v.strftime("%Y/%m/%d") if isinstance(v, (date, datetime)) else v for v in line]
        )
    encoding = ["gb18030", "utf-8-sig", "utf-8"][len(path.stem) % 3]
    path.write_bytes(text.getvalue().encode(encoding))
