"""The annotated copy: the sender's own workbook with the bad cells red, the reasons beside them and a summary in front."""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import CellError, Sheet, Workbook, column_index
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.package import Odd
from jiuzhu_cli.tabular.patch import new_workbook, patched_copy
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.sheetpatch import SheetMarks
from jiuzhu_cli.tabular.write import CREATED, FILLS, FONT, MAX_TEXT, SheetSpec, text_width

MAX_KEPT_CELLS = 300_000  # beyond it openpyxl takes minutes: data and marks only
REASON_HEADER = "核对结果"
PLAIN_NOTE = "原表是 xls/csv 或特别大，本副本只保留数据和标记，没有保留原来的格式。"
_STRANGE = (Odd, KeyError, ValueError, TypeError, AttributeError, IndexError, zipfile.BadZipFile, zlib.error)
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True, slots=True)
class CellMark:
    """A cell to be marked: 1-based sheet row, column as letters or 1-based number, the reason (Chinese, masked)."""

    sheet: str
    row: int
    column: int | str
    reason: str

    @property
    def place(self) -> tuple[int, int]:
        """0-based (row, column)."""
        column = column_index(self.column) if isinstance(self.column, str) else self.column - 1
        return self.row - 1, column


def annotate_copy(
    source: Path,
    target: Path,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    *fronts: SheetSpec,
    header_rows: Mapping[str, int] | None = None,
    book: Workbook | None = None,
) -> str:
    """Copies ``source`` to ``target`` (xlsx) with marked cells red and commented, ``reasons`` (by sheet and 1-based row) in a
    column appended at the right, and ``fronts`` as the first sheets. Returns the SHA-256.

    Of an xlsx all else stays byte for byte (``patch``); of one put together oddly openpyxl makes the copy. What is no xlsx
    becomes a new workbook that carries data and marks and says so. ``header_rows`` (1-based) tell where each sheet's header
    stands, default 1. ``book`` spares reading again.
    """
    book = book or read_workbook(source)
    headers = dict(header_rows or {})
    taken = {sheet.name for sheet in book.sheets}
    sheets = []
    for front in fronts:
        name = _free_name(front.name, taken)
        taken.add(name)
        sheets.append(replace(front, name=name))
    ways = [_copy_plain]
    if book.kind == "xlsx":
        cells = sum(sheet.width * sheet.height for sheet in book.sheets)
        small = cells <= MAX_KEPT_CELLS and sum(s.blank_rows for s in book.sheets) < 20_000
        ways = [_copy_patched, _copy_kept, _copy_plain] if small else [_copy_patched, _copy_plain]
    for way in ways[:-1]:
        try:
            return write_atomic(target, lambda path, way=way: way(book, path, marks, reasons, sheets, headers))  # type: ignore[misc]
        except _STRANGE:
            continue  # the next way asks less of the file; the marks matter more than the formats
    return write_atomic(target, lambda path: _copy_plain(book, path, marks, reasons, sheets, headers))


def write_fronts(target: Path, fronts: Sequence[SheetSpec]) -> str:
    """A workbook of ``fronts`` alone, as they look before an annotated copy. Returns the SHA-256."""
    return write_atomic(target, lambda path: new_workbook(path, fronts))


def _free_name(name: str, taken: set[str]) -> str:
    base, number = _SHEET_NAME.sub("_", name)[:28], 1
    candidate = base
    while candidate.lower() in {t.lower() for t in taken}:
        number += 1
        candidate = f"{base}{number}"
    return candidate


def _reason_columns(book: Workbook, reasons: Mapping[tuple[str, int], str]) -> dict[str, int]:
    """0-based column for the reasons of each sheet that has any: right of the last one with a value and of merged titles."""
    concerned = {sheet for sheet, _ in reasons}
    return {
        sheet.name: max([sheet.width, *(right + 1 for _, _, _, right in sheet.merged if right < sheet.width + 50)])
        for sheet in book.sheets
        if sheet.name in concerned
    }


def _comments(marks: Sequence[CellMark], anchors: Mapping[str, Mapping[tuple[int, int], tuple[int, int]]]) -> dict[
    tuple[str, int, int], str
]:  # fmt: skip
    """Reasons by sheet and 0-based cell (the top left one of a merged range), several joined."""
    found: dict[tuple[str, int, int], list[str]] = {}
    for mark in marks:
        place = anchors.get(mark.sheet, {}).get(mark.place, mark.place)
        reasons = found.setdefault((mark.sheet, *place), [])
        if mark.reason not in reasons:
            reasons.append(mark.reason)
    return {key: "；".join(texts)[:2000] for key, texts in found.items()}


def _anchors(sheet: Sheet) -> dict[tuple[int, int], tuple[int, int]]:
    """Every cell of a merged range to its top left cell."""
    anchors = {}
    for top, left, bottom, right in sheet.merged:
        if (bottom - top + 1) * (right - left + 1) <= 100_000:
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    anchors[row, column] = (top, left)
    return anchors


def _copy_patched(
    book: Workbook,
    path: Path,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    fronts: Sequence[SheetSpec],
    headers: Mapping[str, int],
) -> None:
    anchors = {sheet.name: _anchors(sheet) for sheet in book.sheets}
    places = _reason_columns(book, reasons)
    sheets: dict[str, SheetMarks] = {
        name: SheetMarks(reason_column=column, header=REASON_HEADER) for name, column in places.items()
    }
    for name, mark in sheets.items():
        mark.header_row = headers.get(name, 1) - 1
    for (name, row), text in reasons.items():
        sheets[name].reasons[row - 1] = text
        sheets[name].width = max(sheets[name].width, min(text_width(text) + 2, 60))
    for one in marks:
        red = sheets.setdefault(one.sheet, SheetMarks()).red
        for row, column in {one.place, anchors[one.sheet].get(one.place, one.place)}:
            red.setdefault(row, set()).add(column)
    comments: dict[str, dict[tuple[int, int], str]] = {}
    for (name, row, column), text in _comments(marks, anchors).items():
        comments.setdefault(name, {})[row, column] = text
    patched_copy(book.path, path, sheets, comments, fronts)


def _copy_kept(
    book: Workbook,
    path: Path,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    fronts: Sequence[SheetSpec],
    headers: Mapping[str, int],
) -> None:
    from openpyxl import load_workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    red = PatternFill("solid", fgColor="FF" + FILLS["red"][1:])
    copy: Any = load_workbook(book.path, keep_links=False)
    places = _reason_columns(book, reasons)
    anchors = {sheet.name: _anchors(sheet) for sheet in book.sheets}
    for mark in marks:
        row, column = mark.place
        copy[mark.sheet].cell(row + 1, column + 1).fill = red
    for (title, row, column), text in _comments(marks, anchors).items():
        comment = Comment(text, "jiuzhu", height=40 + 18 * (len(text) // 14 + 1), width=240)
        copy[title].cell(row + 1, column + 1).comment = comment
    for title, column in places.items():
        sheet = copy[title]
        width = 12
        for (name, row), text in reasons.items():
            if name == title:
                cell = sheet.cell(row, column + 1, text[:MAX_TEXT])
                cell.data_type = "s"
                cell.fill, cell.alignment = red, Alignment(wrap_text=True, vertical="center")
                width = max(width, min(text_width(text) + 2, 60))
        header = sheet.cell(headers.get(title, 1), column + 1, REASON_HEADER)
        header.font, header.fill = Font(bold=True), red
        header.alignment = Alignment(horizontal="center", vertical="center")
        sheet.column_dimensions[header.column_letter].width = width
        sheet.column_dimensions[header.column_letter].hidden = False
    for place, front in enumerate(fronts):
        _fill_summary(copy.create_sheet(front.name, place), front)
    copy.active = 0
    for number, sheet in enumerate(copy.worksheets):
        sheet.sheet_view.tabSelected = number == 0
    _save_steadily(copy, path)


def _fill_summary(sheet: Any, summary: SheetSpec) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    thin = Side(style="thin", color="FF999999")
    box, wrap = Border(thin, thin, thin, thin), Alignment(wrap_text=True, vertical="center")
    last, row = max(len(summary.columns), 1), 1
    for text, size in [(summary.title, 16), *((note, 11) for note in summary.notes)]:
        if text:
            cell = sheet.cell(row, 1, text)
            cell.data_type, cell.font, cell.alignment = "s", Font(FONT, size, bold=size > 11), wrap
            if last > 1:
                sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=last)
            total = sum(c.width or 16 for c in summary.columns)
            sheet.row_dimensions[row].height = max(1, -(-text_width(text) // int(max(total, 10)))) * size * 1.6 + 4
            row += 1
    for index, column in enumerate(summary.columns):
        cell = sheet.cell(row, index + 1, column.header)
        cell.font, cell.border, cell.fill = Font(FONT, 11, bold=True), box, PatternFill("solid", fgColor="FFD9E1F2")
        sheet.column_dimensions[cell.column_letter].width = column.width or 16
    for values in summary.rows:
        row += 1
        for index, value in enumerate(values):
            kind = summary.columns[index].kind
            cell = sheet.cell(row, index + 1)
            cell.border, cell.font, cell.alignment = box, Font(FONT, 11), wrap
            if value is None:
                continue
            if kind == "amount" and isinstance(value, int):
                cell.value, cell.number_format = round(value / 100, 2), "0.00"
            elif kind == "count" and isinstance(value, int):
                cell.value = value
            else:
                cell.value = str(value)[:MAX_TEXT]
                cell.data_type = "s"
    sheet.page_setup.paperSize, sheet.page_setup.orientation = 9, "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _save_steadily(copy: Any, path: Path) -> None:
    """Saves as openpyxl does, but without the time of day: not in the zip's entries, not in the properties."""
    from openpyxl.writer.excel import ExcelWriter

    class SteadyZip(zipfile.ZipFile):
        def writestr(self, zinfo_or_arcname: Any, data: Any, *args: Any, **kwargs: Any) -> None:
            name = getattr(zinfo_or_arcname, "filename", zinfo_or_arcname)
            if name == "docProps/core.xml":
                stamp = CREATED.strftime("%Y-%m-%dT%H:%M:%SZ")
                text = data.decode() if isinstance(data, bytes) else data
                data = re.sub(r"(<dcterms:modified[^>]*>)[^<]*", rf"\g<1>{stamp}", text)
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            super().writestr(info, data)

        def write(self, filename: Any, arcname: Any = None, *args: Any, **kwargs: Any) -> None:
            self.writestr(str(arcname or filename), Path(filename).read_bytes())

    with SteadyZip(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        ExcelWriter(copy, archive).write_data()


def _copy_plain(
    book: Workbook,
    path: Path,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    fronts: Sequence[SheetSpec],
    headers: Mapping[str, int],
) -> None:
    from jiuzhu_cli.tabular.write import append_sheet, new_book

    with new_book(path, many=True) as copy:
        for place, front in enumerate(fronts):
            notes = front.notes if place else [*front.notes, PLAIN_NOTE]
            append_sheet(copy, replace(front, notes=notes), first=place == 0)
        anchors = {sheet.name: _anchors(sheet) for sheet in book.sheets}
        comments = _comments(marks, anchors)
        red_cells = {(mark.sheet, *mark.place) for mark in marks}
        places = _reason_columns(book, reasons)
        for sheet in book.sheets:
            _plain_sheet(copy, sheet, red_cells, comments, reasons, places.get(sheet.name), headers.get(sheet.name, 1))


def _plain_sheet(
    copy: Any,
    sheet: Sheet,
    red_cells: set[tuple[str, int, int]],
    comments: Mapping[tuple[str, int, int], str],
    reasons: Mapping[tuple[str, int], str],
    reason_column: int | None,
    header_row: int,
) -> None:
    name = sheet.name
    target = copy.add_worksheet(_SHEET_NAME.sub("_", name)[:31] or "Sheet")
    if sheet.hidden:
        target.hide()
    base = {"font_name": FONT, "font_size": 11}
    plain = copy.add_format(base)
    red = copy.add_format({**base, "bg_color": FILLS["red"]})
    days = {False: copy.add_format({**base, "num_format": "yyyy-mm-dd"}), True: copy.add_format({**base, "num_format": "yyyy-mm-dd", "bg_color": FILLS["red"]})}  # fmt: skip
    note = copy.add_format({**base, "bg_color": FILLS["red"], "text_wrap": True})
    marked_rows = {row for title, row, _ in red_cells if title == name}
    for index, cells in enumerate(sheet.columns):
        widest = max((text_width(str(cell)) for cell in cells[:500] if cell is not None), default=6)
        target.set_column(index, index, min(widest + 2, 40))
    if reason_column is not None:
        target.set_column(reason_column, reason_column, 50)
    own: dict[int, list[tuple[int, str]]] = {}
    for (title, row, column), text in comments.items():
        if title == name:
            own.setdefault(row, []).append((column, text))
    for row in range(sheet.height):
        watched = row in marked_rows
        for column, text in own.get(row, ()):  # in its turn: constant-memory mode drops what comes late
            target.write_comment(row, column, text, {"author": "jiuzhu"})
        for index, cells in enumerate(sheet.columns):
            value = cells[row]
            bad = watched and (name, row, index) in red_cells
            if value is None:
                if bad:
                    target.write_blank(row, index, None, red)
            elif isinstance(value, bool):
                target.write_boolean(row, index, value, red if bad else plain)
            elif isinstance(value, int | float) and math.isfinite(value):
                target.write_number(row, index, value, red if bad else plain)
            elif isinstance(value, datetime | date):
                target.write_datetime(row, index, value, days[bad])
            else:
                text = str(value)
                if len(text) > MAX_TEXT:
                    raise DataError(f"工作表“{name}”第 {row + 1} 行的文字超过单元格上限", "缩短后再试")
                target.write_string(row, index, text, red if bad else plain)
        if reason_column is not None:
            if (name, row + 1) in reasons:
                target.write_string(row, reason_column, reasons[name, row + 1][:MAX_TEXT], note)
            elif row + 1 == header_row:
                target.write_string(row, reason_column, REASON_HEADER, red)


__all__ = ["CellError", "CellMark", "annotate_copy", "write_fronts"]
