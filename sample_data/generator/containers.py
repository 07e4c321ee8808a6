"""Writes grids as xlsx, xls or csv. The same grids give the same bytes."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import xlsxwriter

from generator.layout import Grid

_CREATED = datetime(2026, 10, 20)


def fits_xls(grids: list[Grid]) -> bool:
    """xlwt counts characters beyond the basic plane wrongly, so such names need another container."""
    return all(
        ord(ch) < 0x10000 for g in grids for row in g.cells for cell in row if isinstance(cell, str) for ch in cell
    )


def write_xlsx(path: Path, grids: list[Grid]) -> None:
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": _CREATED})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        title = book.add_format({"align": "center", "bold": True})
        for grid in grids:
            sheet = book.add_worksheet(grid.name)
            anchors = {(r0, c0) for r0, c0, _, _ in grid.merges}
            for r0, c0, r1, c1 in grid.merges:
                sheet.merge_range(r0, c0, r1, c1, "", title)
            for r, row in enumerate(grid.cells):
                for c, cell in enumerate(row):
                    if cell is None:
                        continue
                    style = title if (r, c) in anchors else None
                    if isinstance(cell, datetime):
                        sheet.write_datetime(r, c, cell, day)
                    elif isinstance(cell, str):
                        sheet.write_string(r, c, cell, style)
                    else:
                        sheet.write_number(r, c, cell, style)
            if grid.hidden:
                sheet.hide()


def write_xls(path: Path, grids: list[Grid]) -> None:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for grid in grids:
        sheet = book.add_sheet(grid.name, cell_overwrite_ok=True)
        for r, row in enumerate(grid.cells):
            for c, cell in enumerate(row):
                if cell is None:
                    continue
                if isinstance(cell, datetime):
                    sheet.write(r, c, cell, day)
                else:
                    sheet.write(r, c, cell if isinstance(cell, str) else float(cell))
        for r0, c0, r1, c1 in grid.merges:
            sheet.merge(r0, r1, c0, c1)
        if grid.hidden:
            sheet.visibility = 1
    book.save(str(path))


def write_csv(path: Path, grid: Grid, encoding: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in grid.cells:
        writer.writerow([_csv_text(cell) for cell in row])
    path.write_bytes(buffer.getvalue().encode(encoding))


def _csv_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y/%m/%d}"
    if isinstance(cell, float):
        return f"{cell:.5E}" if cell > 1e15 else f"{cell:g}"
    return str(cell)


def name_apart(grids: list[Grid]) -> None:
    """Sheets of one workbook that would have one name (villages of two towns) are told apart as Excel does: 五星社区 (2)."""
    seen: dict[str, int] = {}
    for grid in grids:
        times = seen[grid.name] = seen.get(grid.name, 0) + 1
        if times > 1:
            grid.name = f"{grid.name} ({times})"


def write(path: Path, grids: list[Grid], container: str) -> Path:
    """Writes and returns the real path: its suffix follows the container (xls falls back to xlsx for rare characters)."""
    name_apart(grids)
    if container == "xls" and not fits_xls(grids):
        container = "xlsx"
    if container in ("xlsx", "xls"):
        target = path.with_name(path.name + "." + container)
        (write_xlsx if container == "xlsx" else write_xls)(target, grids)
        return target
    encoding = {"csv-gb18030": "gb18030", "csv-bom": "utf-8-sig", "csv-utf8": "utf-8"}[container]
    target = path.with_name(path.name + ".csv")
    write_csv(target, grids[0], encoding)
    return target
