"""A form to be printed and signed: bands of cells of different widths over one grid, as high as their text needs, on A4.

What belongs together (a block of signatures) is not torn apart by the page's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.shown import Yuan, shown
from jiuzhu_cli.tabular.widths import page_room, row_height
from jiuzhu_cli.tabular.write import A4, FONT, TITLE_FONT, Kind, check_text, new_book

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Align = Literal["", "left", "center", "right"]
Look = Literal["title", "heading", "note", "head", "label", "value", "total", "sign"]
_LOOKS: dict[Look, dict[str, Any]] = {
    "title": {"bold": True, "font_name": TITLE_FONT, "font_size": 18, "align": "center"},
    "heading": {"bold": True, "font_name": TITLE_FONT, "font_size": 12, "align": "left"},
    "note": {"font_size": 10, "align": "left"},
    "head": {"bold": True, "align": "center", "border": 1, "bg_color": "#D9E1F2"},
    "label": {"align": "center", "border": 1, "bg_color": "#F2F2F2"},
    "value": {"align": "left", "border": 1},
    "total": {"bold": True, "align": "left", "border": 1},
    "sign": {"align": "left", "valign": "top", "border": 1},
}
_NUMBERS = {"amount": "#,##0.00", "count": "#,##0"}
_SIZE = 10.5
WHOLE = 12  # a table of so few rows is not torn apart


@dataclass(frozen=True, slots=True)
class Box:
    """One cell over ``span`` columns of the grid. ``amount`` values are 分, shown as 元 with thousands apart."""

    value: Any
    span: int = 1
    look: Look = "value"
    kind: Kind = "text"
    align: Align = ""


@dataclass(frozen=True, slots=True)
class Band:
    """One row: boxes from left to right, together as wide as the grid. ``height``: points at least. ``keep``: on one page with the next."""

    boxes: tuple[Box, ...]
    height: float = 18
    keep: bool = False


class Head(NamedTuple):
    """A column of a table: its header, how many columns of the grid it takes, what stands in it."""

    text: str
    span: int
    kind: Kind = "text"
    align: Align = ""


@dataclass(slots=True)
class Printed:
    """A sheet of bands over columns of ``widths`` (half-width characters). ``repeated``: so many bands stand above every page."""

    name: str
    widths: Sequence[float]
    bands: list[Band] = field(default_factory=list)
    landscape: bool = False
    repeated: int = 0
    page_footer: str = "&C第 &P 页 共 &N 页"

    @property
    def columns(self) -> int:
        return len(self.widths)

    def line(self, text: str, look: Look = "note", *, height: float = 18, keep: bool = False) -> None:
        """One text across the page."""
        self.bands.append(Band((Box(text, self.columns, look),), height, keep))

    def table(
        self,
        heads: Sequence[Head],
        rows: Sequence[Sequence[Any]],
        *,
        totals: int = 0,
    ) -> None:
        """A table; the last ``totals`` rows are sums. The header stays with the first row."""
        self.bands.append(Band(tuple(Box(head.text, head.span, "head") for head in heads), keep=bool(rows)))
        for number, row in enumerate(rows):
            look: Look = "total" if number >= len(rows) - totals else "value"
            boxes = tuple(
                Box(value, head.span, look, head.kind, head.align) for value, head in zip(row, heads, strict=True)
            )
            last = number == len(rows) - 1
            self.bands.append(Band(boxes, keep=not last and (len(rows) <= WHOLE or number >= len(rows) - totals - 1)))


def write_printed(path: Path, sheets: Sequence[Printed]) -> str:
    """Writes the forms whole or not at all, mode 0600; returns the SHA-256. The same forms give the same bytes."""

    def write(temporary: Path) -> None:
        with new_book(temporary, many=False) as book:
            for sheet in sheets:
                _Printer(book, sheet).write()

    return write_atomic(path, write)


class _Printer:
    def __init__(self, book: xlsxwriter.Workbook, form: Printed) -> None:
        self.book, self.form = book, form
        self.sheet: Worksheet = book.add_worksheet(form.name)
        self._formats: dict[tuple[Any, ...], Format] = {}

    def write(self) -> None:
        form, sheet = self.form, self.sheet
        for index, width in enumerate(form.widths):
            sheet.set_column(index, index, width)
        sheet.set_paper(A4)
        sheet.set_landscape() if form.landscape else sheet.set_portrait()
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.7)
        sheet.center_horizontally()
        sheet.set_footer(form.page_footer)
        sheet.fit_to_pages(1, 0)
        heights = [self._height(band) for band in form.bands]
        for row, (band, height) in enumerate(zip(form.bands, heights, strict=True)):
            sheet.set_row(row, height)
            self._band(row, band)
        if form.repeated:
            sheet.repeat_rows(0, form.repeated - 1)
        sheet.set_h_pagebreaks(self._breaks(heights, page_room(form.widths, landscape=form.landscape)))

    def _height(self, band: Band) -> float:
        """As high as the text that needs most."""
        texts, column, size = [], 0, _SIZE
        for box in band.boxes:
            size = max(size, _LOOKS[box.look].get("font_size", _SIZE))
            if box.kind not in _NUMBERS or isinstance(box.value, str):
                texts.append((shown(box.value, box.kind), sum(self.form.widths[column : column + box.span])))
            column += box.span
        return row_height(texts, size, max(band.height, size * 1.45 + 3))

    def _breaks(self, heights: Sequence[float], page: float) -> list[int]:
        """Rows before which a page begins: where the next group of bands kept together would not fit."""
        repeated = sum(heights[: self.form.repeated])
        found, used, at = [], 0.0, 0
        while at < len(heights):
            end = at + 1
            while end < len(heights) and self.form.bands[end - 1].keep:
                end += 1
            group = sum(heights[at:end])
            if used and used + group > page and repeated + group <= page:
                found.append(at)
                used = repeated
            for height in heights[at:end]:  # a group higher than a page breaks where it must
                used = used + height if used + height <= page else repeated + height
            at = end
        return found

    def _band(self, row: int, band: Band) -> None:
        column = 0
        for box in band.boxes:
            style, last = self._style(box), column + box.span - 1
            if box.span > 1:
                self.sheet.merge_range(row, column, row, last, "", style)
            if box.value is None or box.value == "":
                self.sheet.write_blank(row, column, None, style)
            elif box.kind in _NUMBERS and not isinstance(box.value, str):
                value = Yuan(box.value / 100) if box.kind == "amount" else box.value
                self.sheet.write_number(row, column, value, style)
            else:
                text = check_text(shown(box.value, box.kind), f"工作表“{self.form.name}”")
                self.sheet.write_string(row, column, text, style)
            column += box.span

    def _style(self, box: Box) -> Format:
        properties: dict[str, Any] = {"font_name": FONT, "font_size": _SIZE, "valign": "vcenter", "text_wrap": True}
        properties |= _LOOKS[box.look]
        if box.kind in _NUMBERS and box.look in ("value", "total"):
            # a number that is too wide would print as ###
            properties |= {"num_format": _NUMBERS[box.kind], "align": "right", "text_wrap": False, "shrink": True}
        if box.align:
            properties |= {"align": box.align}
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(properties)
        return self._formats[key]
