"""The annotated copy: the sender's own workbook with the bad cells red, the reasons beside them and a summary in front."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.archive import file_bytes
from jiuzhu_cli.tabular.cells import CellError, Sheet, Workbook, column_index
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.ours import REASON_HEADER, old_reasons
from jiuzhu_cli.tabular.package import Odd
from jiuzhu_cli.tabular.patch import Draft, new_workbook
from jiuzhu_cli.tabular.plaincopy import PlainMarks, write_plain
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.sheetpatch import SheetMarks
from jiuzhu_cli.tabular.write import CREATED, FILLS, FONT, MAX_TEXT, SheetSpec, text_width

MAX_KEPT_CELLS = 300_000  # beyond it openpyxl takes minutes: data and marks only
PLAIN_NOTE = "原表是 xls/csv 或特别大，本副本只保留数据和标记，没有保留原来的格式。"
_STRANGE = (
    Odd, DataError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError, EOFError,
    SyntaxError,  # of XML
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True, slots=True)
class CellMark:
    """A cell to be marked: 1-based sheet row, column as letters or 1-based number, the reason (Chinese, masked); its colour."""

    sheet: str
    row: int
    column: int | str
    reason: str
    colour: Literal["red", "yellow"] = "red"

    @property
    def place(self) -> tuple[int, int]:
        """0-based (row, column)."""
        column = column_index(self.column) if isinstance(self.column, str) else self.column - 1
        return self.row - 1, column


class CopyDraft:
    """What of ``annotate_copy`` takes long with a large sheet, done before all is known that stands in front of it.

    To be closed. The copy has the same bytes with and without a draft.
    """

    def __init__(
        self,
        folder: Path,
        marks: Sequence[CellMark],
        reasons: Mapping[tuple[str, int], str],
        header_rows: Mapping[str, int],
        book: Workbook,
    ) -> None:
        """``folder`` is for what waits, the rest as for the copy. Raises whatever an odd workbook brings about."""
        self._told = list(marks), dict(reasons), dict(header_rows)
        sheets, comments = _patches(book, *self._told)
        self._draft = Draft(_source(book), sheets, comments, {sheet.name for sheet in book.sheets}, folder)

    def close(self) -> None:
        """Lets go of its files."""
        self._draft.close()

    def is_of(
        self, marks: Sequence[CellMark], reasons: Mapping[tuple[str, int], str], header_rows: Mapping[str, int]
    ) -> bool:
        """Whether it was made of these very marks."""
        return self._told == (list(marks), dict(reasons), dict(header_rows))

    def write(self, path: Path, fronts: Sequence[SheetSpec]) -> None:
        """Once only."""
        self._draft.write(path, fronts)


def annotate_copy(
    source: Path,
    target: Path,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    *fronts: SheetSpec,
    header_rows: Mapping[str, int] | None = None,
    book: Workbook | None = None,
    draft: CopyDraft | None = None,
) -> str:
    """Copies ``source`` to ``target`` (xlsx) with marked cells coloured and commented, ``reasons`` (by sheet and 1-based row) in
    a column appended at the right, and ``fronts`` as the first sheets. Returns the SHA-256. A reason is yellow where all marks
    of its row are.

    Of an xlsx all else stays byte for byte (``patch``); of one put together oddly openpyxl makes the copy. What is no xlsx
    becomes a new workbook that carries data and marks and says so. ``header_rows`` (1-based) tell where each sheet's header
    stands, default 1. ``book`` spares reading again (of an xlsx its sheets may come without their columns, where no copy of ours
    has come back), a ``draft`` of it the longest part where it is of these marks.
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
    if draft is not None and draft.is_of(marks, reasons, headers):
        with contextlib.suppress(*_STRANGE):
            return write_atomic(target, lambda path: draft.write(path, sheets))
    for way in ways[:-1]:
        try:
            return write_atomic(target, lambda path, way=way: way(book, path, marks, reasons, sheets, headers))  # type: ignore[misc]
        except _STRANGE:
            continue  # the next way asks less of the file; the marks matter more than the formats
    whole = book if all(len(sheet.columns) == sheet.width for sheet in book.sheets) else read_workbook(source)
    return write_atomic(target, lambda path: _copy_plain(whole, path, marks, reasons, sheets, headers))


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


def _colours(marks: Sequence[CellMark]) -> dict[str, dict[int, dict[int, str]]]:
    """Colour by sheet, 0-based row and column; red goes before yellow."""
    out: dict[str, dict[int, dict[int, str]]] = {}
    for mark in marks:
        row, column = mark.place
        cells = out.setdefault(mark.sheet, {}).setdefault(row, {})
        if cells.get(column) != "red":
            cells[column] = mark.colour
    return out


def _reason_colour(cells: Mapping[int, str]) -> str:
    return "yellow" if cells and "red" not in cells.values() else "red"


def _anchors(sheet: Sheet) -> dict[tuple[int, int], tuple[int, int]]:
    """Every cell of a merged range to its top left cell."""
    anchors = {}
    for top, left, bottom, right in sheet.merged:
        if (bottom - top + 1) * (right - left + 1) <= 100_000:
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    anchors[row, column] = (top, left)
    return anchors


def _source(book: Workbook) -> Path | io.BytesIO:
    """The workbook's file, or its bytes where it lies in an archive. DataError when it is encrypted there."""
    return book.path if book.path.is_file() else io.BytesIO(file_bytes(book.path))


def _copy_patched(
    book: Workbook,
    path: Path,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    fronts: Sequence[SheetSpec],
    headers: Mapping[str, int],
) -> None:
    with contextlib.closing(CopyDraft(path.parent, marks, reasons, headers, book)) as draft:
        draft.write(path, fronts)


def _patches(
    book: Workbook,
    marks: Sequence[CellMark],
    reasons: Mapping[tuple[str, int], str],
    headers: Mapping[str, int],
) -> tuple[dict[str, SheetMarks], dict[str, dict[tuple[int, int], str]]]:
    """What is put into each sheet, and the comments of its cells."""
    anchors = {sheet.name: _anchors(sheet) for sheet in book.sheets}
    places = _reason_columns(book, reasons)
    sheets: dict[str, SheetMarks] = {
        name: SheetMarks(reason_column=column, header=REASON_HEADER) for name, column in places.items()
    }
    for name, mark in sheets.items():
        mark.header_row = headers.get(name, 1) - 1
    for one in book.sheets:
        earlier = old_reasons(one, headers.get(one.name, 1) - 1)
        if earlier is not None:
            sheet = sheets.setdefault(one.name, SheetMarks(header=REASON_HEADER))
            sheet.reason_column, sheet.old = earlier[0], set(earlier[1])
            sheet.old |= {
                top
                for top, _, bottom, _ in one.merged
                if bottom > top and any(top <= row <= bottom for row in earlier[1])
            }
            sheet.header_row = headers.get(one.name, 1) - 1
    for (name, row), text in reasons.items():
        sheets[name].reasons[row - 1] = text
        sheets[name].width = max(sheets[name].width, min(text_width(text) + 2, 60))
    for name, rows in _colours(marks).items():
        sheet = sheets.setdefault(name, SheetMarks())
        for row, cells in rows.items():
            if _reason_colour(cells) == "yellow":
                sheet.mild.add(row)
            for column, colour in cells.items():
                for top, left in {(row, column), anchors[name].get((row, column), (row, column))}:
                    there = sheet.cells.setdefault(top, {})
                    there[left] = "red" if there.get(left) == "red" else colour
    comments: dict[str, dict[tuple[int, int], str]] = {}
    for (name, row, column), text in _comments(marks, anchors).items():
        comments.setdefault(name, {})[row, column] = text
    return sheets, comments


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

    fills = {name: PatternFill("solid", fgColor="FF" + FILLS[name][1:]) for name in ("red", "yellow")}
    colours = _colours(marks)
    copy: Any = load_workbook(_source(book), keep_links=False)
    places = _reason_columns(book, reasons)
    anchors = {sheet.name: _anchors(sheet) for sheet in book.sheets}
    for title, rows in colours.items():
        for row, cells in rows.items():
            for column, colour in cells.items():
                copy[title].cell(row + 1, column + 1).fill = fills[colour]
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
                colour = _reason_colour(colours.get(name, {}).get(row - 1, {}))
                cell.fill, cell.alignment = fills[colour], Alignment(wrap_text=True, vertical="center")
                width = max(width, min(text_width(text) + 2, 60))
        header = sheet.cell(headers.get(title, 1), column + 1, REASON_HEADER)
        header.font, header.fill = Font(bold=True), fills["red"]
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
    colours, places = _colours(marks), _reason_columns(book, reasons)
    comments = _comments(marks, {sheet.name: _anchors(sheet) for sheet in book.sheets})
    sheets = []
    for sheet in book.sheets:
        of = sheet.name
        own = {row - 1: text for (name, row), text in reasons.items() if name == of}
        plain = PlainMarks(colours.get(of, {}), {}, own, places.get(of), headers.get(of, 1) - 1, REASON_HEADER)
        plain.mild = {row for row in own if _reason_colour(plain.cells.get(row, {})) == "yellow"}
        for (name, row, column), text in comments.items():
            if name == of:
                plain.comments.setdefault(row, []).append((column, text))
        sheets.append((sheet, plain))
    write_plain(path, sheets, fronts, PLAIN_NOTE)


__all__ = ["CellError", "CellMark", "CopyDraft", "annotate_copy", "write_fronts"]
