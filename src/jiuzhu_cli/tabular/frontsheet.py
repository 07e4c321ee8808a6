"""Sheets put before the sender's own: a ``SheetSpec`` as the XML of a worksheet, in the styles of the workbook it joins."""

from __future__ import annotations

from collections.abc import Iterator

from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.package import MAIN, escape
from jiuzhu_cli.tabular.styles import HEADER_FILL, Styles
from jiuzhu_cli.tabular.write import FILLS, MAX_TEXT, ColumnSpec, SheetSpec, text_width

_BUILT_IN = {"amount": 2, "count": 1}  # number formats 0.00 and 0


class FrontSheet:
    """The sheet's bytes in pieces; texts are inline and always text, amounts in 分 become 元."""

    def __init__(self, spec: SheetSpec, styles: Styles, *, selected: bool) -> None:
        self._spec, self._selected = spec, selected
        self._widths = [column.width or self._by_content(place) for place, column in enumerate(spec.columns)]
        self._title = styles.format(size=16, bold=True, centre=True)
        self._note = styles.format()
        self._header = styles.format(bold=True, fill=HEADER_FILL, box=True, centre=True)
        self._styles = styles
        self._made: dict[tuple[str, str, bool], int] = {}

    def _by_content(self, place: int) -> float:
        column = self._spec.columns[place]
        widest = max((text_width(_shown(row[place], column)) for row in self._spec.rows[:1000]), default=0)
        return min(max(widest, text_width(column.header), 6) + 2, 60)

    def __iter__(self) -> Iterator[bytes]:
        spec = self._spec
        last = column_letters(max(len(spec.columns), 1) - 1)
        top = [(text, self._title, 16.0) for text in [spec.title] if text] + [
            (note, self._note, 11.0) for note in spec.notes
        ]
        header = len(top) + 1
        chosen = ' tabSelected="1"' if self._selected else ""
        end = header + len(spec.rows)
        yield (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{MAIN.decode()}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><dimension ref="A1:{last}{end}"/>'
            f'<sheetViews><sheetView{chosen} workbookViewId="0">'
            f'<pane ySplit="{header}" topLeftCell="A{header + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            '<sheetFormatPr defaultRowHeight="15"/><cols>'
            + "".join(
                f'<col min="{n}" max="{n}" width="{w:g}" customWidth="1"/>' for n, w in enumerate(self._widths, 1)
            )
            + "</cols><sheetData>"
        ).encode()
        for row, (text, style, size) in enumerate(top, 1):
            lines = -(-text_width(text) * size / 11 // max(sum(self._widths) - 2, 10))
            yield self._row(row, [self._text(row, 0, text, style)], lines * size * 1.5 + 6)
        heads = [self._text(header, place, column.header, self._header) for place, column in enumerate(spec.columns)]
        yield self._row(header, heads, 22)
        for number, values in enumerate(spec.rows):
            yield self._line(header + 1 + number, number, values)
        yield b"</sheetData>"
        if spec.autofilter and spec.rows:
            yield f'<autoFilter ref="A{header}:{last}{end}"/>'.encode()
        if len(spec.columns) > 1 and top:
            merged = "".join(f'<mergeCell ref="A{row}:{last}{row}"/>' for row in range(1, header))
            yield f'<mergeCells count="{len(top)}">{merged}</mergeCells>'.encode()
        yield (
            b'<pageMargins left="0.4" right="0.4" top="0.6" bottom="0.7" header="0.3" footer="0.3"/>'
            b'<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
        )

    def _line(self, row: int, number: int, values: object) -> bytes:
        cells, lines = [], 1
        for place, (column, value) in enumerate(zip(self._spec.columns, values, strict=True)):  # type: ignore[call-overload]
            style = self._format(column, self._spec.fills.get((number, place), ""))
            if value is None or value == "":
                cells.append(f'<c r="{column_letters(place)}{row}" s="{style}"/>')
            elif column.kind in _BUILT_IN and isinstance(value, int):
                amount = f"{value / 100:.2f}" if column.kind == "amount" else str(value)
                cells.append(f'<c r="{column_letters(place)}{row}" s="{style}"><v>{amount}</v></c>')
            else:
                cells.append(self._text(row, place, str(value), style))
                room = max(int(self._widths[place]) - 2, 1)
                lines = max(lines, sum(max(1, -(-text_width(line) // room)) for line in str(value).split("\n")))
        return self._row(row, cells, min(lines * 15.0 + 4, 400) if lines > 1 else 0)

    def _format(self, column: ColumnSpec, fill: str) -> int:
        key = (column.kind, fill, column.wrap)
        if key not in self._made:
            figure = column.kind in _BUILT_IN
            self._made[key] = self._styles.format(
                number=_BUILT_IN.get(column.kind, 49), box=True, right=figure, fill=FILLS.get(fill, "")
            )
        return self._made[key]

    @staticmethod
    def _text(row: int, place: int, text: str, style: int) -> str:
        shown = escape(text[:MAX_TEXT])
        return f'<c r="{column_letters(place)}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'

    @staticmethod
    def _row(row: int, cells: list[str], height: float) -> bytes:
        tall = f' ht="{height:g}" customHeight="1"' if height else ""
        return f'<row r="{row}"{tall}>{"".join(cells)}</row>'.encode()


def _shown(value: object, column: ColumnSpec) -> str:
    if column.kind == "amount" and isinstance(value, int):
        return f"{value / 100:.2f}"
    return "" if value is None else str(value)
