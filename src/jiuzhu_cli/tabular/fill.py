"""Fills cells of a workbook in place, formatting and drop-downs kept: what a clerk does with the mouse (demo and tests)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jiuzhu_cli.tabular.files import write_atomic


def fill_workbook(
    path: Path, target: Path, decide: Callable[[str, Mapping[str, Any]], Mapping[str, str]], *, key: str
) -> int:
    """Copies ``path`` to ``target``, filling rows of every visible sheet whose header row holds the column ``key``.

    ``decide(sheet, row)`` gets the row as header → value and returns header → text to put in. Returns how many rows were filled.
    """
    import openpyxl

    book = openpyxl.load_workbook(path)
    filled = 0
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        header: dict[str, int] = {}
        for cells in sheet.iter_rows():
            texts = {str(cell.value): cell.column or 0 for cell in cells if cell.value is not None}
            if not header:
                header = texts if key in texts else {}
                continue
            place = cells[0].row or 0
            row = {name: sheet.cell(place, column).value for name, column in header.items()}
            if row[key] in (None, ""):
                continue
            answers = decide(sheet.title, row)
            for name, text in answers.items():
                if name in header:
                    sheet.cell(place, header[name]).value = text
            filled += bool(answers)
    write_atomic(target, book.save)
    return filled
