"""Writing workbooks and text tables for people: text stays text, amounts are exact, the same input gives the same bytes."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.files import write_atomic, write_bytes

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

CREATED = datetime(2026, 1, 1)  # fixed: the same input gives the same bytes
MAX_TEXT = 32_767  # UTF-16 units in one cell, a limit of the format
MAX_ROWS = 1_048_576
MANY_CELLS = 200_000  # from here on rows go to disk as they are written
FONT, TITLE_FONT = "宋体", "黑体"
FILLS = {"red": "#FFC7CE", "yellow": "#FFEB9C", "grey": "#E7E6E6"}
RED: dict[str, Any] = {"bold": True, "font_color": "#C00000"}
_DEFUSE = ("=", "+", "-", "@", "\t", "\r")

A3, A4 = 8, 9  # Excel's paper numbers
WIDEST_ON_A4 = 200  # columns of width; fitted to one page, a wider sheet can be read on A3 only
Kind = Literal["text", "amount", "count", "date"]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text cell of which some characters are red and bold: ``spans`` of (from, to), in order, not touching."""

    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column. ``width`` in half-width characters, 0: by content. ``amount`` cells are 分 (int), shown as 元.

    ``choices`` makes a drop-down for the column's cells; ``wrap`` breaks long text into lines; ``shades`` (text → a colour of ``FILLS``)
    colours cells by what they hold, also after somebody changed it.
    """

    header: str
    width: float = 0
    kind: Kind = "text"
    choices: tuple[str, ...] | None = None
    wrap: bool = False
    align: Literal["", "left", "center", "right"] = ""
    shades: Mapping[str, str] | None = None


@dataclass(slots=True)
class SheetSpec:
    """One sheet: title and notes above, a header row, the rows.

    ``fills`` and ``comments`` are keyed by 0-based (row, column) within ``rows``. ``rows_per_page`` puts a page break behind
    every so many rows (Excel ignores breaks while it fits to the width: let ``row_height`` fill the page, too). ``footnotes`` stand below the rows, across all columns.
    """

    name: str
    columns: Sequence[ColumnSpec]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    notes: Sequence[str] = ()
    footnotes: Sequence[str] = ()
    fills: Mapping[tuple[int, int], str] = field(default_factory=dict)
    comments: Mapping[tuple[int, int], str] = field(default_factory=dict)
    freeze: bool = True
    freeze_columns: int = 0  # so many at the left stay in sight, too
    autofilter: bool = True
    header_row: bool = True
    hidden: bool = False
    landscape: bool = True
    repeat_header: bool = True
    rows_per_page: int = 0
    font_size: float = 11
    row_height: float = 0  # points; 0: by content
    borders: bool = True
    page_footer: str = "&C第 &P 页 共 &N 页"
    print_columns: int = 0  # only so many at the left are printed, with title and notes above them; 0: all

    @property
    def first_row(self) -> int:
        """0-based sheet row of the first data row."""
        return bool(self.title) + len(self.notes) + self.header_row


def text_width(text: str) -> int:
    """Half-width columns that ``text`` takes; Chinese characters take two; of several lines the longest."""
    return max(
        (sum(2 if ord(c) > 0x2E7F or c in "“”‘’…—·×" else 1 for c in line) for line in text.split("\n")), default=0
    )


def check_text(text: str, where: str = "") -> str:
    """``text`` if a cell can hold it; DataError when it is too long (XlsxWriter would drop it silently)."""
    if len(text) > MAX_TEXT:
        raise DataError(
            f"{where or '单元格'}的文字有 {len(text)} 个字，超过表格单元格上限 {MAX_TEXT}", "缩短该处文字后再试"
        )
    return text


def write_xlsx(path: Path, sheets: Sequence[SheetSpec], *, marks: Mapping[str, str] | None = None) -> str:
    """Writes ``sheets`` to ``path`` whole or not at all, mode 0600; returns the SHA-256.

    ``marks`` become custom document properties (``read_workbook(...).marks``). DataError when a text is too long, a
    sheet has too many rows, or a value does not fit its column's kind.
    """
    many = sum(len(sheet.rows) * len(sheet.columns) for sheet in sheets) > MANY_CELLS

    def write(temporary: Path) -> None:
        with new_book(temporary, many=many) as book:
            for key, value in (marks or {}).items():
                book.set_custom_property(key, value, "text")
            for number, sheet in enumerate(sheets):
                append_sheet(book, sheet, first=number == 0)

    return write_atomic(path, write)


@contextlib.contextmanager
def new_book(path: Path, *, many: bool) -> Iterator[xlsxwriter.Workbook]:
    """A workbook to be filled and packed at ``path``, or given up on any error; OSError when the disk refuses.

    With ``many`` cells rows wait in a folder beside it whose name tells the process, so that a killed one can be cleared away.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    texts = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with contextlib.ExitStack() as stack:
        scratch = path.parent
        if many:
            folder = tempfile.TemporaryDirectory(prefix=f".rows.{os.getpid()}.tmp", dir=path.parent)
            scratch = Path(stack.enter_context(folder))
        options = {"constant_memory": many, "in_memory": not many, "tmpdir": str(scratch), **texts}
        book = xlsxwriter.Workbook(str(path), options)
        book.set_properties({"created": CREATED, "author": "jiuzhu"})
        try:
            yield book
        except BaseException:
            book.fileclosed = True  # an unfinished workbook must not be packed when it is collected
            raise
        try:
            book.close()
        except FileCreateError as error:
            raise OSError(getattr(error.args[0], "errno", None), str(error)) from error


class _Yuan(float):
    """元 that XlsxWriter writes in its shortest exact form: its own 16 digits make 0.07 into 0.07000000000000001."""

    def __format__(self, spec: str) -> str:
        return f"{float(self):.2f}".rstrip("0").rstrip(".")


def append_sheet(book: xlsxwriter.Workbook, spec: SheetSpec, *, first: bool) -> None:
    """Adds ``spec`` to an open XlsxWriter workbook (for ``annotate``)."""
    _Writer(book, spec, first=first).write()


class _Writer:
    """Writes one sheet top to bottom (constant-memory mode allows nothing else)."""

    def __init__(self, book: xlsxwriter.Workbook, spec: SheetSpec, *, first: bool) -> None:
        self.book, self.spec = book, spec
        if spec.first_row + len(spec.rows) + len(spec.footnotes) > MAX_ROWS:
            raise DataError(f"工作表“{spec.name}”有 {len(spec.rows)} 行，超过表格上限", "按乡镇分开导出")
        self.sheet: Worksheet = book.add_worksheet(spec.name)
        if spec.hidden and not first:
            self.sheet.hide()
        self._formats: dict[tuple[Any, ...], Format] = {}

    def _format(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            base = {"font_name": FONT, "font_size": self.spec.font_size, "valign": "vcenter"}
            self._formats[key] = self.book.add_format(base | properties)
        return self._formats[key]

    def write(self) -> None:
        spec, sheet = self.spec, self.sheet
        self._widths()
        self._page()
        row = self._top()
        if spec.header_row:
            style = self._format(bold=True, align="center", text_wrap=True, border=1, bg_color="#D9E1F2")
            lines = max(
                (_lines(c.header, self.widths[i], spec.font_size / 11) for i, c in enumerate(spec.columns)), default=1
            )
            sheet.set_row(row, spec.font_size * 1.5 * lines + 6)
            for index, column in enumerate(spec.columns):
                sheet.write_string(row, index, column.header, style)
            row += 1
        self._body(row)
        row += len(spec.rows)
        for text in spec.footnotes:
            size = min(spec.font_size, 12)
            self._across(row, text, self._format(text_wrap=True, align="left", font_size=size), scale=size / 11)
            row += 1

    def _widths(self) -> None:
        self.widths = []
        for index, column in enumerate(self.spec.columns):
            width = column.width
            if not width:
                sample = [_shown(r[index], column.kind) for r in self.spec.rows[:1000]]
                widest = max(map(text_width, sample), default=0)
                width = min(max(widest, text_width(column.header), 6) + 2, 60 if column.wrap else 80)
            self.widths.append(width)
            self.sheet.set_column(index, index, width)

    def _page(self) -> None:
        spec, sheet = self.spec, self.sheet
        printed = sum(self.widths[: spec.print_columns or None])
        sheet.set_paper(A3 if spec.landscape and printed > WIDEST_ON_A4 else A4)
        if spec.print_columns:
            below = spec.first_row + len(spec.rows) + len(spec.footnotes)
            sheet.print_area(0, 0, max(below - 1, 0), spec.print_columns - 1)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.set_footer(spec.page_footer)
        if spec.landscape:
            sheet.set_landscape()
        else:
            sheet.set_portrait()
        head = spec.first_row - 1
        if spec.header_row:
            if spec.repeat_header:
                sheet.repeat_rows(0 if spec.rows_per_page else head, head)
            if spec.freeze:
                sheet.freeze_panes(head + 1, spec.freeze_columns)
            if spec.autofilter and spec.rows:
                sheet.autofilter(head, 0, head + len(spec.rows), len(spec.columns) - 1)
        if spec.rows_per_page:
            sheet.set_h_pagebreaks(
                [spec.first_row + n for n in range(spec.rows_per_page, len(spec.rows), spec.rows_per_page)]
            )

    def _top(self) -> int:
        row = 0
        if self.spec.title:
            style = self._format(
                bold=True, font_name=TITLE_FONT, font_size=self.spec.font_size + 7, align="center", text_wrap=True
            )
            self._across(row, self.spec.title, style, scale=(self.spec.font_size + 7) / 11)
            row += 1
        for note in self.spec.notes:
            self._across(row, note, self._format(text_wrap=True, align="left"))
            row += 1
        return row

    def _across(self, row: int, text: str, style: Format, *, scale: float = 0) -> None:
        """One text over all columns, the row as high as it needs."""
        scale = scale or self.spec.font_size / 11
        last = (self.spec.print_columns or len(self.spec.columns)) - 1
        self.sheet.set_row(row, _lines(text, sum(self.widths[: last + 1]), scale) * scale * 16.5 + 5)
        check_text(text, f"工作表“{self.spec.name}”")
        if last > 0:
            self.sheet.merge_range(row, 0, row, last, "", style)
        self.sheet.write_string(row, 0, text, style)

    def _body(self, first: int) -> None:
        spec, sheet = self.spec, self.sheet
        border = {"border": 1} if spec.borders else {}
        styles = []
        for column in spec.columns:
            style: dict[str, Any] = dict(border)
            if column.kind == "amount":
                style |= {"num_format": "0.00", "align": "right"}
            elif column.kind == "count":
                style |= {"num_format": "0", "align": "right"}
            else:
                style |= {"num_format": "@"}
            if column.wrap:
                style |= {"text_wrap": True}
            if column.align:
                style |= {"align": column.align}
            styles.append(style)
        plain = [self._format(**style) for style in styles]
        kinds = [column.kind for column in spec.columns]
        wrapped = [i for i, column in enumerate(spec.columns) if column.wrap]
        fills = spec.fills
        comments: dict[int, list[tuple[int, str]]] = {}
        for (number, index), text in spec.comments.items():
            comments.setdefault(number, []).append((index, text))
        for number, values in enumerate(spec.rows):
            row = first + number
            if wrapped:
                lines = max(_lines(_shown(values[i], "text"), self.widths[i], spec.font_size / 11) for i in wrapped)
                height = max(spec.row_height, lines * spec.font_size * 1.45 + 3 if lines > 1 else 0)
                if height:
                    sheet.set_row(row, min(height, 400))
            elif spec.row_height:
                sheet.set_row(row, spec.row_height)
            for index, text in comments.get(number, ()):  # in its turn: constant-memory mode drops what comes late
                sheet.write_comment(row, index, text[:2000], {"author": "jiuzhu", "x_scale": 1.5})
            for index, value in enumerate(values):
                style_ = plain[index]
                if fills and (number, index) in fills:
                    style_ = self._format(**styles[index], bg_color=FILLS[fills[number, index]])
                if isinstance(value, Marked) and (not value.spans or value.spans[0] == (0, len(value.text))):
                    # all or nothing of it: one run is no rich text
                    style_ = self._format(**styles[index], **RED) if value.spans else style_
                    value = value.text  # noqa: PLW2901
                self._cell(row, index, kinds[index], value, style_)
        if spec.rows:
            for index, column in enumerate(spec.columns):
                if column.choices:
                    self._choices(first, index, column)
                for text, colour in (column.shades or {}).items():
                    shade = self.book.add_format({"bg_color": FILLS[colour]})
                    rule = {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": shade}
                    self.sheet.conditional_format(first, index, first + len(spec.rows) - 1, index, rule)

    def _cell(self, row: int, index: int, kind: str, value: Any, style: Format) -> None:
        if value is None or value == "":
            self.sheet.write_blank(row, index, None, style)
        elif isinstance(value, Marked):
            check_text(value.text, f"工作表“{self.spec.name}”第 {row + 1} 行“{self.spec.columns[index].header}”")
            self._marked(row, index, value, style)
        elif kind in {"text", "date"} or isinstance(value, str):
            text = value if isinstance(value, str) else _shown(value, kind)
            check_text(text, f"工作表“{self.spec.name}”第 {row + 1} 行“{self.spec.columns[index].header}”")
            self.sheet.write_string(row, index, text, style)
        elif kind == "amount":
            self.sheet.write_number(row, index, _Yuan(value / 100), style)
        else:
            self.sheet.write_number(row, index, value, style)

    def _marked(self, row: int, index: int, value: Marked, style: Format) -> None:
        text, red = value.text, self._format(**RED)
        parts: list[Any] = []
        at = 0
        for start, end in value.spans:
            parts += [text[at:start]] if start > at else []
            parts += [red, text[start:end]]
            at = end
        parts += [text[at:]] if at < len(text) else []
        self.sheet.write_rich_string(row, index, *parts, style)

    def _choices(self, first: int, index: int, column: ColumnSpec) -> None:
        choices = list(column.choices or ())
        if len(",".join(choices)) > 255:
            raise DataError(f"“{column.header}”的下拉选项太长", "缩短选项文字")
        self.sheet.data_validation(
            first,
            index,
            first + len(self.spec.rows) - 1,
            index,
            {
                "validate": "list",
                "source": choices,
                "error_title": "请从下拉列表选择",
                "error_message": "只能选择列表里的一项",
                "ignore_blank": True,
            },
        )


def _shown(value: Any, kind: str) -> str:
    """A value as the cell shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Marked):
        return value.text
    if kind == "amount":
        return f"{value / 100:.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _lines(text: str, width: float, scale: float) -> int:
    """Lines that ``text`` takes in a cell of ``width`` half-width characters at 11 points times ``scale``."""
    room = max(1.0, (width - 1) / scale)
    if 2 * len(text) <= room and "\n" not in text:
        return 1
    return sum(max(1, -(-text_width(line) // int(room))) if int(room) else 1 for line in text.split("\n"))


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    r"""A UTF-8 csv with BOM and \r\n for people and spreadsheets; cells that would run as formulas get a leading '.

    Returns the SHA-256. Numbers given as int or float are written as they are.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_defused(cell) for cell in header])
    writer.writerows([_defused(cell) for cell in row] for row in rows)
    return write_bytes(path, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8"))


def _defused(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return "'" + cell if cell.startswith(_DEFUSE) else cell
    return cell
