"""Marks put into the XML of a worksheet: the rows concerned are rewritten, every other byte goes through as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from jiuzhu_cli.tabular.cells import column_index, column_letters
from jiuzhu_cli.tabular.package import RELATIONS, Odd, attributes, escape, prefix_of
from jiuzhu_cli.tabular.styles import Styles
from jiuzhu_cli.tabular.write import FILLS, MAX_TEXT, text_width

_MOST_HEAD = 64 << 20
_LINE = 15.0  # points
_TALLEST = 400.0
# what follows the drawing of comments in a worksheet (ECMA-376 part 1, 18.3.1.99)
_BEHIND = (
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
)


@dataclass(slots=True)
class SheetMarks:
    """What is put into one sheet; all places 0-based. ``cells`` are colours (of ``write.FILLS``) by row and column.

    ``reasons`` go into ``reason_column`` of their rows, on red, or on yellow where the row is among the ``mild``.
    """

    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    mild: set[int] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)
    reason_column: int | None = None
    header_row: int = 0
    header: str = ""
    width: float = 12
    old: set[int] = field(default_factory=set)  # rows with a reason of an earlier copy: it goes, and its colours
    drawing: str = ""  # relation ID of a new drawing of comments
    deselect: bool = False


class SheetPatch:
    """One worksheet on its way through; ``pieces`` are its bytes in order. Odd when it is written in a way not known here."""

    def __init__(self, pieces: Iterable[bytes], marks: SheetMarks, styles: Styles) -> None:
        self._pieces, self._marks, self._styles = iter(pieces), marks, styles
        self._columns: list[tuple[int, int, int]] = []  # 1-based first and last column, format
        rows = set(marks.cells) | set(marks.reasons) | marks.old
        if marks.reason_column is not None:
            rows.add(marks.header_row)
        self._rows = sorted(rows, reverse=True)  # the next one last
        self._reason = self._mild = self._reason_header = 0
        if marks.reason_column is not None:
            self._reason, self._mild = styles.format(fill=FILLS["red"]), styles.format(fill=FILLS["yellow"])
            self._reason_header = styles.format(fill=FILLS["red"], bold=True, centre=True)

    def __iter__(self) -> Iterator[bytes]:
        buffer = b""
        start = None
        while start is None:
            piece = next(self._pieces, b"")
            if not piece or len(buffer) > _MOST_HEAD:
                raise Odd("no sheetData")
            buffer += piece
            start = re.search(rb"<(?:[\w.-]+:)?sheetData\s*(/?)>", buffer)
        self._p = prefix_of(buffer, "worksheet")
        p = re.escape(self._p)
        self._cell = re.compile(rb"<" + p + rb"c\b([^>]*?)(?:/>|>.*?</" + p + rb"c>)", re.DOTALL)
        self._row = re.compile(rb"<" + p + rb"row\b[^>]*>")
        empty = bool(start.group(1))
        yield self._head(buffer[: start.start()])
        name = self._p + b"sheetData"
        yield b"<" + name + b">"
        buffer = b"</" + name + b">" + buffer[start.end() :] if empty else buffer[start.end() :]
        closing = b"</" + name
        row_end = b"</" + self._p + b"row>"
        while True:
            end = buffer.find(closing)
            if end >= 0:
                yield self._body(buffer[:end], last=True)
                break
            cut = buffer.rfind(row_end)
            if cut >= 0:
                cut += len(row_end)
                yield self._body(buffer[:cut], last=False)
                buffer = buffer[cut:]
            piece = next(self._pieces, b"")
            if not piece:
                raise Odd("no end of sheetData")
            buffer += piece
        tail = buffer[end:] + b"".join(self._pieces)
        yield self._tail(tail)

    # head ---------------------------------------------------------------------------------------------------

    def _head(self, head: bytes) -> bytes:
        p = re.escape(self._p)
        if self._marks.deselect:
            head = re.sub(rb"(<" + p + rb'sheetView\b[^>]*?)\s+tabSelected\s*=\s*(?:"[^"]*"|\'[^\']*\')', rb"\1", head)
        block = re.search(rb"<" + p + rb"cols\s*>(.*?)</" + p + rb"cols>", head, re.DOTALL)
        tags = re.findall(rb"<" + p + rb"col\b[^>]*>", block.group(1)) if block else []
        columns = [attributes(tag) for tag in tags]
        self._columns = [(int(c["min"]), int(c["max"]), int(c.get("style", 0))) for c in columns]
        if self._marks.reason_column is None:
            return head
        head = self._wider(head)
        number = self._marks.reason_column + 1
        made = self._column(number, number, f' width="{self._marks.width:g}" customWidth="1"')
        out: list[tuple[int, bytes]] = [(number, made)]
        for tag, told in zip(tags, columns, strict=True):
            first, last = int(told["min"]), int(told["max"])
            rest = re.sub(rb'^<[^\s>]+|\s(?:min|max)\s*=\s*(?:"[^"]*"|\'[^\']*\')|/?>$', b"", tag).decode()
            if not first <= number <= last:
                out.append((first, tag if tag.endswith(b"/>") else tag[:-1] + b"/>"))
                continue
            if first < number:
                out.append((first, self._column(first, number - 1, rest)))
            if number < last:
                out.append((number + 1, self._column(number + 1, last, rest)))
        cols = b"<" + self._p + b"cols>" + b"".join(tag for _, tag in sorted(out)) + b"</" + self._p + b"cols>"
        if block:
            return head[: block.start()] + cols + head[block.end() :]
        return head + cols  # the columns stand right before the rows

    def _column(self, first: int, last: int, rest: str) -> bytes:
        return f'<{self._p.decode()}col min="{first}" max="{last}"{rest.rstrip()}/>'.encode()

    def _wider(self, head: bytes) -> bytes:
        """The dimension with the column of reasons."""
        match = re.search(
            rb"(<" + re.escape(self._p) + rb'dimension\b[^>]*?ref\s*=\s*")([A-Z]+)(\d+):([A-Z]+)(\d+)"', head
        )
        if match is None:
            return head
        last = max(column_index(match.group(4).decode()), self._marks.reason_column or 0)
        reference = b"%s%s:%s%s" % (match.group(2), match.group(3), column_letters(last).encode(), match.group(5))
        return head[: match.start(2)] + reference + head[match.end() - 1 :]

    # rows ---------------------------------------------------------------------------------------------------

    def _body(self, rows: bytes, *, last: bool) -> bytes:
        """Whole rows: those concerned are rewritten, missing ones put in."""
        if not self._rows:
            return rows
        final = 1 << 30
        if not last:
            final = self._number(rows, rows.rfind(b"<" + self._p + b"row")) - 1
        out, at = [], 0
        while self._rows and self._rows[-1] <= final:
            index = self._rows.pop()
            start = self._find(rows, index, at)
            if start is None:
                start = self._place(rows, index, at)
                out += [rows[at:start], self._rewritten(b'<%srow r="%d"/>' % (self._p, index + 1), index)]
                at = start
                continue
            end = rows.find(b">", start)
            if rows[end - 1 : end] != b"/":
                close = b"</" + self._p + b"row>"
                end = rows.index(close, end) + len(close) - 1
            out += [rows[at:start], self._rewritten(rows[start : end + 1], index)]
            at = end + 1
        out.append(rows[at:])
        return b"".join(out)

    def _number(self, rows: bytes, start: int) -> int:
        told = attributes(rows[start : rows.find(b">", start)]) if start >= 0 else {}
        if not told.get("r", "").isdigit():
            raise Odd("rows without a number")
        return int(told["r"])

    def _find(self, rows: bytes, index: int, at: int) -> int | None:
        """Where the row stands from ``at`` on."""
        start = rows.find(b'<%srow r="%d"' % (self._p, index + 1), at)
        if start >= 0:
            return start
        for match in self._row.finditer(rows, at):
            if (number := self._number(rows, match.start())) >= index + 1:
                return match.start() if number == index + 1 else None
        return None

    def _place(self, rows: bytes, index: int, at: int) -> int:
        """Where a row that is not there belongs."""
        for match in self._row.finditer(rows, at):
            if self._number(rows, match.start()) > index + 1:
                return match.start()
        return len(rows)

    def _rewritten(self, row: bytes, index: int) -> bytes:
        p, marks = self._p, self._marks
        tag = row[: row.index(b">") + 1]
        told = attributes(tag)
        cells: dict[int, bytes] = {}
        column = -1
        for match in self._cell.finditer(row, len(tag)):
            reference = re.search(rb'\sr\s*=\s*["\']([A-Z]+)\d+["\']', match.group(1))
            column = column_index(reference.group(1).decode()) if reference else column + 1
            cells[column] = match.group(0)
        if index in marks.old:
            cells.pop(marks.reason_column if marks.reason_column is not None else -1, None)
            cells = {column: self._uncoloured(cell) for column, cell in cells.items()}
        ground = int(told["s"]) if told.get("customFormat") in ("1", "true") and "s" in told else None
        for column, colour in marks.cells.get(index, {}).items():
            if column in cells:
                cells[column] = self._coloured(cells[column], colour)
            else:
                style = self._styles.coloured(ground if ground is not None else self._column_style(column + 1), colour)
                cells[column] = b'<%sc r="%s%d" s="%d"/>' % (p, column_letters(column).encode(), index + 1, style)
        text = marks.reasons.get(index)
        if marks.reason_column is not None:
            if text is not None:
                cells[marks.reason_column] = self._text(
                    index, text, self._mild if index in marks.mild else self._reason
                )
                tag = self._taller(tag, told, text)
            elif index == marks.header_row:
                cells[marks.reason_column] = self._text(index, marks.header, self._reason_header)
        tag = re.sub(rb'\sspans\s*=\s*(?:"[^"]*"|\'[^\']*\')', b"", tag)
        tag = tag[:-2] + b">" if tag.endswith(b"/>") else tag
        return tag + b"".join(cells[column] for column in sorted(cells)) + b"</" + p + b"row>"

    def _coloured(self, cell: bytes, colour: str) -> bytes:
        end = cell.index(b">")
        tag, rest = cell[:end], cell[end:]
        if tag.endswith(b"/"):
            tag, rest = tag[:-1], b"/" + rest
        match = re.search(rb'\ss\s*=\s*["\'](\d+)["\']', tag)
        style = self._styles.coloured(int(match.group(1)) if match else 0, colour)
        tag = tag[: match.start()] + tag[match.end() :] if match else tag
        return tag.rstrip() + b' s="%d"' % style + rest

    def _uncoloured(self, cell: bytes) -> bytes:
        match = re.match(rb'<[^>]*?\ss\s*=\s*["\'](\d+)["\']', cell)
        if match is None:
            return cell
        return cell[: match.start(1)] + b"%d" % self._styles.bare(int(match.group(1))) + cell[match.end(1) :]

    def _column_style(self, number: int) -> int:
        return next((style for first, last, style in self._columns if first <= number <= last), 0)

    def _text(self, index: int, text: str, style: int) -> bytes:
        p = self._p.decode()
        place = f"{column_letters(self._marks.reason_column or 0)}{index + 1}"
        shown = escape(text[:MAX_TEXT])
        return (
            f'<{p}c r="{place}" s="{style}" t="inlineStr"><{p}is><{p}t xml:space="preserve">{shown}</{p}t></{p}is></{p}c>'
        ).encode()

    def _taller(self, tag: bytes, told: dict[str, str], text: str) -> bytes:
        """The row high enough for its reason; not every program sees to that itself when it opens the file."""
        lines = sum(max(1, -(-text_width(line) // int(max(self._marks.width - 2, 1)))) for line in text.split("\n"))
        needed = min(lines * _LINE + 2, _TALLEST)
        if lines == 1 or float(told.get("ht", 0)) >= needed:
            return tag
        without = re.sub(rb'\s(?:ht|customHeight)\s*=\s*(?:"[^"]*"|\'[^\']*\')', b"", tag)
        close = 2 if without.endswith(b"/>") else 1
        return without[:-close].rstrip() + b' ht="%g" customHeight="1"' % needed + without[-close:]

    # tail ---------------------------------------------------------------------------------------------------

    def _tail(self, tail: bytes) -> bytes:
        if not self._marks.drawing:
            return tail
        from xml.parsers import expat

        opening = b"<%sworksheet><%ssheetData>" % (self._p, self._p)
        places: list[int] = []
        depth = 0
        parser = expat.ParserCreate()

        def start(name: str, given: dict[str, str]) -> None:
            nonlocal depth
            local = name.rpartition(":")[2]
            if depth == 1 and local == "legacyDrawing":
                raise Odd("drawing of comments already there")
            if depth == 1 and (local in _BEHIND or local == "AlternateContent"):  # controls stand in AlternateContent
                places.append(parser.CurrentByteIndex - len(opening))
            depth += 1

        def end(_: str) -> None:
            nonlocal depth
            depth -= 1
            if depth == 0:
                places.append(parser.CurrentByteIndex - len(opening))

        parser.StartElementHandler, parser.EndElementHandler = start, end
        try:
            parser.Parse(opening + tail, True)
        except expat.ExpatError as error:
            raise Odd("tail") from error
        drawing = f'<{self._p.decode()}legacyDrawing xmlns:r="{RELATIONS}" r:id="{self._marks.drawing}"/>'
        return tail[: places[0]] + drawing.encode() + tail[places[0] :]


__all__ = ["SheetMarks", "SheetPatch"]
