"""Forms to be printed: one page of A4 a card, boxes with what is known and room to write. For pens, not for reading back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.widths import lines_of
from jiuzhu_cli.tabular.write import A4, FONT, MAX_ROWS, TITLE_FONT, check_text, new_book

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

PAGE_POINTS = 750.0  # height of A4 within the margins below, a little less: no card runs over into the next page
Style = Literal["label", "value", "head", "note", "title", "left"]
_LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_name": TITLE_FONT, "font_size": 18, "align": "center"},
    "head": {"bold": True, "align": "left", "bg_color": "#E7E6E6", "border": 1},
    "label": {"align": "center", "border": 1, "bg_color": "#F2F2F2"},
    "value": {"align": "left", "border": 1},
    "note": {"align": "left", "font_size": 9, "font_color": "#595959"},
    "left": {"align": "left"},
}


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a line: its text, over how many columns, how it looks. What does not fit in its width makes the line higher."""

    text: str
    span: int = 1
    style: Style = "value"


@dataclass(frozen=True, slots=True)
class Line:
    """Boxes side by side; ``height`` in points at least. ``stretch``: takes its share of what is left of the page."""

    boxes: tuple[Box, ...]
    height: float = 22
    stretch: bool = False


Card = Sequence[Line]


def write_cards(
    path: Path, sheets: Sequence[tuple[str, Sequence[Card]]], widths: Sequence[float], *, footer: str = "", marks: Mapping[str, str] | None = None
) -> str:  # fmt: skip
    """Writes sheets (name, cards), every card a page; whole or not at all, mode 0600; returns the SHA-256. Same cards, same bytes."""

    def write(temporary: Path) -> None:
        with new_book(temporary, many=False) as book:
            for key, value in (marks or {}).items():
                book.set_custom_property(key, value, "text")
            for name, cards in sheets:
                _Sheet(book, name, widths, footer).write(cards)

    return write_atomic(path, write)


class _Sheet:
    def __init__(self, book: xlsxwriter.Workbook, name: str, widths: Sequence[float], footer: str) -> None:
        self.book, self.widths = book, widths
        self.sheet: Worksheet = book.add_worksheet(name)
        self._formats: dict[str, Format] = {}
        for index, width in enumerate(widths):
            self.sheet.set_column(index, index, width)
        self.sheet.set_portrait()
        self.sheet.set_paper(A4)
        self.sheet.set_margins(left=0.5, right=0.4, top=0.5, bottom=0.6)
        self.sheet.center_horizontally()
        # fitted to the width, Excel ignores breaks: there the height of a card and the next one's title leave no other; others obey them
        self.sheet.fit_to_pages(1, 0)
        self.sheet.hide_gridlines(2)
        self.sheet.set_footer(footer)

    def write(self, cards: Sequence[Card]) -> None:
        row, breaks = 0, []
        for card in cards:
            if row + len(card) > MAX_ROWS:
                raise DataError("打印的表太多，一张工作表放不下", "按乡镇分开导出")
            for line, height in zip(card, self._heights(card), strict=True):
                self.sheet.set_row(row, height)
                column = 0
                for box in line.boxes:
                    self._box(row, column, box)
                    column += box.span
                row += 1
            breaks.append(row)
        self.sheet.set_h_pagebreaks(breaks[:-1])
        self.sheet.print_area(0, 0, max(row - 1, 0), len(self.widths) - 1)

    def _heights(self, card: Card) -> list[float]:
        """Heights by content, the stretching lines sharing what is left of the page; a card that is too high is drawn together."""
        heights = [max(line.height, *self._needed(line)) for line in card]
        left = PAGE_POINTS - sum(heights)
        stretching = [index for index, line in enumerate(card) if line.stretch]
        if left > 0:
            for index in stretching:
                heights[index] += left / len(stretching)
        elif left < 0:
            heights = [height * PAGE_POINTS / sum(heights) for height in heights]
        return [round(height, 1) for height in heights]

    def _needed(self, line: Line) -> list[float]:
        out, column = [], 0
        for box in line.boxes:
            width = sum(self.widths[column : column + box.span])
            out.append(
                lines_of(box.text, width, _LOOKS[box.style].get("font_size", 11) / 11) * 15.0 + 4 if box.text else 0
            )
            column += box.span
        return out

    def _box(self, row: int, column: int, box: Box) -> None:
        look = self._formats.get(box.style)
        if look is None:
            base = {"font_name": FONT, "font_size": 11, "valign": "vcenter", "text_wrap": True, "num_format": "@"}
            look = self._formats[box.style] = self.book.add_format(base | _LOOKS[box.style])
        text = check_text(box.text)
        if box.span > 1:
            self.sheet.merge_range(row, column, row, column + box.span - 1, "", look)
        self.sheet.write_string(row, column, text, look)
