"""Writing workbooks and text tables for people: text stays text, amounts are exact, the same input gives the same bytes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.sheetspec import MAX_TEXT, ColumnSpec, Kind, SheetSpec, check_text
from jiuzhu_cli.tabular.shown import Marked, Yuan, exact_yuan, shown
from jiuzhu_cli.tabular.widths import lines_of, text_width

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from jiuzhu_cli.tabular.rapid import Cells

__all__ = ["MAX_TEXT", "ColumnSpec", "Kind", "SheetSpec", "check_text", "new_book", "write_xlsx"]

CREATED = datetime(2026, 1, 1)  # fixed: the same input gives the same bytes
MAX_ROWS = 1_048_576
SOME_CELLS = 2_000  # from here on rows are put together here
MANY_CELLS = 200_000  # from here on rows go to disk as they are written
FONT, TITLE_FONT = "宋体", "黑体"
FILLS = {"red": "#FFC7CE", "yellow": "#FFEB9C", "grey": "#E7E6E6"}
RED: dict[str, Any] = {"bold": True, "font_color": "#C00000"}

A3, A4 = 8, 9  # Excel's paper numbers
WIDEST_ON_A4 = 200  # columns of width; fitted to one page, a wider sheet can be read on A3 only


def write_xlsx(
    path: Path, sheets: Sequence[SheetSpec], *, marks: Mapping[str, str] | None = None, rapid: bool = False
) -> str:
    """Writes ``sheets`` to ``path`` whole or not at all, mode 0600; returns the SHA-256.

    ``rapid``: in the way of large books (which others take by themselves), where many are written. ``marks`` become custom document properties (``read_workbook(...).marks``). DataError when a text is too long, a
    sheet has too many rows, or a value does not fit its column's kind.
    """
    many = rapid or sum(len(sheet.rows) * len(sheet.columns) for sheet in sheets) > MANY_CELLS

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
    from xlsxwriter.exceptions import FileCreateError

    from jiuzhu_cli.tabular.rapid import Book

    texts = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with contextlib.ExitStack() as stack:
        scratch = path.parent
        if many:
            folder = tempfile.TemporaryDirectory(prefix=f".rows.{os.getpid()}.tmp", dir=path.parent)
            scratch = Path(stack.enter_context(folder))
        options = {"constant_memory": many, "in_memory": not many, "tmpdir": str(scratch), **texts}
        book = Book(str(path), options)
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


def append_sheet(book: xlsxwriter.Workbook, spec: SheetSpec, *, first: bool) -> None:
    """Adds ``spec`` to an open XlsxWriter workbook (for ``annotate``)."""
    _Writer(book, spec, first=first).write()


class _Writer:
    """Writes one sheet top to bottom (constant-memory mode allows nothing else)."""

    def __init__(self, book: xlsxwriter.Workbook, spec: SheetSpec, *, first: bool, rapid: bool = True) -> None:
        self.book, self.spec = book, spec
        self.rapid = rapid and not spec.comments and (book.constant_memory or self._regular(book, first=first))
        if spec.first_row + len(spec.rows) + len(spec.footnotes) > MAX_ROWS:
            raise DataError(f"工作表“{spec.name}”有 {len(spec.rows)} 行，超过表格上限", "按乡镇分开导出")
        self.sheet: Worksheet = book.add_worksheet(spec.name)
        if spec.hidden and not first:
            self.sheet.hide()
        self._formats: dict[tuple[Any, ...], Format] = {}

    def _regular(self, book: xlsxwriter.Workbook, *, first: bool) -> bool:
        """Whether the formats of the cells, which XlsxWriter numbers as it packs them, come in the order of the columns: those of a first sheet do
        whose first row is like all others."""
        rows = self.spec.rows
        if not first or book.worksheets() or len(rows) * len(self.spec.columns) < SOME_CELLS:
            return False
        return not any(isinstance(value, Marked) for value in rows[0]) and all(number for number, _ in self.spec.fills)

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
                (lines_of(c.header, self.widths[i], spec.font_size / 11) for i, c in enumerate(spec.columns)), default=1
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
                sample = [shown(r[index], column.kind) for r in self.spec.rows[:1000]]
                widest = max(map(text_width, sample), default=0)
                width = min(max(widest, text_width(column.header), 6) + 2, 60 if column.wrap else 80)
            self.widths.append(width)
            self.sheet.set_column(index, index, width)

    def _page(self) -> None:
        spec, sheet = self.spec, self.sheet
        printed = sum(self.widths[: spec.print_columns or None])
        wide = spec.paper == "A3" or (not spec.paper and spec.landscape and printed > WIDEST_ON_A4)
        sheet.set_paper(A3 if wide else A4)
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
                sheet.repeat_rows(0 if spec.rows_per_page or spec.heights else head, head)
            if spec.freeze:
                sheet.freeze_panes(head + 1, spec.freeze_columns)
            if spec.autofilter and spec.rows:
                sheet.autofilter(head, 0, head + len(spec.rows), len(spec.columns) - 1)
        breaks = spec.page_breaks or (
            range(spec.rows_per_page, len(spec.rows), spec.rows_per_page) if spec.rows_per_page else ()
        )
        sheet.set_h_pagebreaks([spec.first_row + n for n in breaks])

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
        self.sheet.set_row(row, lines_of(text, sum(self.widths[: last + 1]), scale) * scale * 16.5 + 5)
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
            if column.shrink:
                style |= {"shrink": True}
            if column.fill:
                style |= {"bg_color": FILLS[column.fill]}
            if column.align:
                style |= {"align": column.align}
            styles.append(style)
        self._styles, self._plain = styles, [self._format(**style) for style in styles]
        # wrapped columns, and how many characters surely stand in one line
        self._wrapped = [
            (i, int(max(1.0, (self.widths[i] - 1) / (spec.font_size / 11)) / 2))
            for i, column in enumerate(spec.columns)
            if column.wrap
        ]
        if self.rapid:
            from jiuzhu_cli.tabular.rapid import put_rows, put_shared

            if self.book.constant_memory:
                put_rows(sheet, first, len(spec.columns), self._rapid_rows(first))
            else:
                put_shared(sheet, first, len(spec.columns), self._shared_rows(first))
        else:
            self._rows(first)
        if spec.rows:
            for index, column in enumerate(spec.columns):
                if column.choices:
                    self._choices(first, index, column)
                for text, colour in (column.shades or {}).items():
                    shade = self.book.add_format({"bg_color": FILLS[colour]})
                    rule = {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": shade}
                    self.sheet.conditional_format(first, index, first + len(spec.rows) - 1, index, rule)

    def _height(self, number: int, values: Sequence[Any]) -> float:
        """Points, 0: as it comes."""
        if self.spec.heights:
            return self.spec.heights[number]
        size = self.spec.font_size
        lines = 1
        for i, short in self._wrapped:
            if value := values[i]:
                text = value if value.__class__ is str else shown(value, "text")
                if len(text) > short or "\n" in text:
                    lines = max(lines, lines_of(text, self.widths[i], size / 11))
        return min(max(self.spec.row_height, lines * size * 1.45 + 3 if lines > 1 else 0), 400)

    def _rows(self, first: int) -> None:
        spec, sheet = self.spec, self.sheet
        comments: dict[int, list[tuple[int, str]]] = {}
        for (number, index), text in spec.comments.items():
            comments.setdefault(number, []).append((index, text))
        for number, values in enumerate(spec.rows):
            row = first + number
            if height := self._height(number, values):
                sheet.set_row(row, height)
            for index, text in comments.get(number, ()):  # in its turn: constant-memory mode drops what comes late
                sheet.write_comment(row, index, text[:2000], {"author": "jiuzhu", "x_scale": 1.5})
            for index, value in enumerate(values):
                self._cell(row, index, value)

    def _rapid_rows(self, first: int) -> Iterator[tuple[float, Sequence[str]]]:
        """The same rows as XML of their own, in a fifth of the time."""
        from jiuzhu_cli.tabular.rapid import Cells

        cells = Cells(self.sheet, [int(style._get_xf_index()) for style in self._plain])
        filled: dict[int, list[int]] = {}
        for number, index in self.spec.fills:
            filled.setdefault(number, []).append(index)
        shapes = list(zip(range(len(self.spec.columns)), cells.starts, cells.texts, cells.blanks, strict=True))
        for number, values in enumerate(self.spec.rows):
            row = str(first + number + 1)
            if cells.plain(values):
                out = [
                    f"{start}{row}{text}{value}</t></is></c>"
                    if value.__class__ is str and value
                    else f"{start}{row}{blank}"
                    if value is None or value == ""
                    else self._rapid_cell(cells, number, index, row, value)
                    for value, (index, start, text, blank) in zip(values, shapes, strict=True)
                ]
                for index in filled.get(number, ()):
                    out[index] = self._rapid_cell(cells, number, index, row, values[index])
            else:
                out = [self._rapid_cell(cells, number, index, row, value) for index, value in enumerate(values)]
            yield self._height(number, values), out

    def _shared_rows(self, first: int) -> Iterator[Sequence[str] | None]:
        """The same for a book that is packed from memory: texts are numbers of the book's table. None for a row written by XlsxWriter."""
        spec, sheet, table = self.spec, self.sheet, self.sheet.str_table
        for style in self._formats.values():
            style._get_xf_index()  # in the order in which they stand in the sheet
        shapes = [
            (f'<c r="{column_letters(index)}', f'" s="{style._get_xf_index()}', column)
            for index, (style, column) in enumerate(zip(self._plain, spec.columns, strict=True))
        ]
        known, odd = table.string_table, {number for number, _ in spec.fills}
        for number, values in enumerate(spec.rows):
            at = first + number
            if height := self._height(number, values):
                sheet.set_row(at, height)
            if number in odd or any(value.__class__ is Marked for value in values):
                for index, value in enumerate(values):
                    self._cell(at, index, value)
                yield None
                continue
            out, row = [], str(at + 1)
            for value, (start, style, column) in zip(values, shapes, strict=True):
                if value is None or value == "":
                    out.append(f'{start}{row}{style}"/>')
                    continue
                if not isinstance(value, str) and column.kind in ("amount", "count"):
                    figure = exact_yuan(value) if column.kind == "amount" else f"{value:.16G}"
                    out.append(f'{start}{row}{style}"><v>{figure}</v></c>')
                    continue
                text = value if isinstance(value, str) else shown(value, column.kind)
                place = known.get(text)
                if place is None:
                    check_text(text, self._where(at, len(out)))
                    place = known[text] = table.unique_count
                    table.unique_count += 1
                table.count += 1
                out.append(f'{start}{row}{style}" t="s"><v>{place}</v></c>')
            yield out

    def _rapid_cell(self, cells: Cells, number: int, index: int, row: str, value: Any) -> str:
        kind, style = self.spec.columns[index].kind, cells.styles[index]
        if (number, index) in self.spec.fills or isinstance(value, Marked):
            style = int(self._style_of(number, index, value)._get_xf_index())
        if value is None or value == "":
            return cells.blank(index, row, style)
        if isinstance(value, Marked):
            check_text(value.text, self._where(int(row) - 1, index))
            runs = self._runs(value)
            return cells.text(index, row, style, value.text) if len(runs) == 1 else cells.runs(index, row, style, runs)
        if isinstance(value, str):
            return cells.text(index, row, style, check_text(value, self._where(int(row) - 1, index)))
        if kind == "amount":
            return cells.number(index, row, style, exact_yuan(value))
        if kind == "count":
            return cells.number(index, row, style, f"{value:.16G}")
        return cells.text(index, row, style, shown(value, kind))

    def _style_of(self, number: int, index: int, value: Any) -> Format:
        properties = dict(self._styles[index])
        if (number, index) in self.spec.fills:
            properties |= {"bg_color": FILLS[self.spec.fills[number, index]]}
        if isinstance(value, Marked) and value.spans and value.spans[0] == (0, len(value.text)):
            properties = self._styles[index] | RED  # all of it: one run is no rich text
        return self._format(**properties)

    def _where(self, row: int, index: int) -> str:
        return f"工作表“{self.spec.name}”第 {row + 1} 行“{self.spec.columns[index].header}”"

    def _cell(self, row: int, index: int, value: Any) -> None:
        kind, style = self.spec.columns[index].kind, self._style_of(row - self.spec.first_row, index, value)
        if value is None or value == "":
            self.sheet.write_blank(row, index, None, style)
        elif isinstance(value, Marked):
            check_text(value.text, self._where(row, index))
            runs = self._runs(value)
            if len(runs) == 1:
                self.sheet.write_string(row, index, value.text, style)
            else:
                self.sheet.write_rich_string(row, index, *(part for run in runs for part in run if part), style)
        elif kind in {"text", "date"} or isinstance(value, str):
            text = value if isinstance(value, str) else shown(value, kind)
            check_text(text, self._where(row, index))
            self.sheet.write_string(row, index, text, style)
        elif kind == "amount":
            self.sheet.write_number(row, index, Yuan(value / 100), style)
        else:
            self.sheet.write_number(row, index, value, style)

    def _runs(self, value: Marked) -> list[tuple[Format | None, str]]:
        """The marked and the other parts of the text with their fonts; what stands first unmarked has the cell's."""
        red, other, text = self._format(**RED), self._format(), value.text
        runs: list[tuple[Format | None, str]] = []
        at = 0
        for start, end in value.spans:
            if start > at:
                runs.append((other if runs else None, text[at:start]))
            runs.append((red, text[start:end]))
            at = end
        if at < len(text):
            runs.append((other if runs else None, text[at:]))
        return runs

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
