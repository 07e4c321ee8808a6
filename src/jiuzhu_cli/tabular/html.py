"""HTML tables saved as .xls: what web systems export, and what Excel and WPS call a web page (also as one file, MHTML).

All tables of a page stand on one sheet, one below the other, with the text between them in rows of its own, as Excel shows
them. Cells are text as they stand there, so that long numbers keep every digit; only what is marked as a number
(``x:num`` by Office, ``sdval`` by LibreOffice) is one. Markup that nobody closed is read as browsers do; nothing outside the file is ever fetched.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from functools import lru_cache

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cellgrid import CellGrid
from jiuzhu_cli.tabular.cells import Cell, CellError, Sheet
from jiuzhu_cli.tabular.convert import EXACT

MAX_TABLES = 10_000
MAX_DEPTH = 64  # tables within tables
MAX_SPAN = 16_384
MAX_WORK = 20_000_000  # places covered by cells that span rows
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"
_TAG = re.compile(
    r"<!--|<![^<>]*>|<\?[^<>]*>|<(/?)([A-Za-z][A-Za-z0-9:]*)((?>[^<>\"']+|\"[^\"<]{0,2000}\"|'[^'<]{0,2000}'|[\"'])*+)>"
)
# a row as programs write it, whole: nothing but text in its cells
_ATTRIBUTES = r"((?:\s(?>[^<>\"']+|\"[^\"<>]*\"|'[^'<>]*')*+)?)"
_ROW = re.compile(
    rf"<tr{_ATTRIBUTES}>\s*+((?>(?><t[dh]{_ATTRIBUTES}>[^<]*+</t[dh]\s*+>)\s*+)++)</tr\s*+>", re.IGNORECASE
)
_CELL = re.compile(rf"<t[dh]{_ATTRIBUTES}>([^<]*+)<", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([A-Za-z][\w:.-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(E[-+]?\d+)?", re.IGNORECASE)
_SHOWN_NUMBER = re.compile(r"[¥￥$]?\s*[-+(]?[¥￥$]?[\d,.\s]+(E[-+]?\d+)?\s*[%)]?", re.IGNORECASE)
_SHEET_NAME = re.compile(r"<x:Name>\s*([^<>]{1,200}?)\s*</x:Name>", re.IGNORECASE)
_FORCED_TEXT = re.compile(r'="([^"]*)"')
_ERRORS = frozenset(("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"))
_UNSHOWN = frozenset("script style title textarea xmp noscript template select".split())
_VOID = frozenset("br img input hr col meta link base wbr area embed source frame".split())
_BLOCKS = frozenset("p div h1 h2 h3 h4 h5 h6 li ul ol center caption hr body pre address section dt dd form fieldset legend".split())  # fmt: skip


@lru_cache(maxsize=4096)
def _attributes(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), html.unescape(double or single or bare))
    return found


@dataclass(slots=True)
class _Block:
    """A table, or a line of text outside tables. ``cells``: (row, column, value)."""

    cells: list[tuple[int, int, Cell]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    unshown: dict[int, int] = field(default_factory=dict)  # hidden cells by column
    rows: int = 0
    hidden: bool = False
    blank: bool = False  # an empty line


@dataclass(slots=True)
class _Table:
    """A table being read."""

    block: _Block
    place: int  # among the blocks
    row: int = -1
    column: int = 0
    columns: int = 0  # of <col>
    below: dict[int, int] = field(default_factory=dict)  # column → last row that a cell above reaches
    cell: dict[str, str] | None = None  # attributes of the open cell
    text: list[str] = field(default_factory=list)


def read_html(text: str, file: str, name: str) -> list[Sheet]:
    """The one sheet of a page, or DataError when it holds no table. ``file`` is for messages, ``name`` the sheet's if none is given."""
    titles = _SHEET_NAME.findall(text[:65_536])
    reader = _Reader(file)
    reader.feed(text)
    blocks = reader.finish()
    if not reader.tables:
        _refuse_empty(text, file)
    grid = CellGrid(file, html.unescape(titles[0]) if titles else name)
    row = 0
    for block in blocks:
        for at, column, value in block.cells:
            grid.put(row + at, column, value)
        for top, left, bottom, right in block.merged:
            grid.merge(row + top, left, row + bottom, right)
        grid.hidden_rows.update(range(row, row + block.rows) if block.hidden else (row + r for r in block.hidden_rows))
        grid.hidden_columns |= block.hidden_columns
        row += block.rows
        grid.rows = max(grid.rows, row)
    return [grid.sheet()]


def _refuse_empty(text: str, file: str) -> None:
    if re.search(r"<frameset", text, re.IGNORECASE):
        raise DataError(
            f"“{file}”是网页的框架，数据在同名的 .files 文件夹里", "用 WPS 或 Excel 打开原网页，另存为 .xlsx 后再导入"
        )
    raise DataError(f"“{file}”是网页（HTML），里面没有表格", f"请核对；若打开能看到表格，{_RESAVE}")


class _Reader:
    """Goes through the tags; ``blocks`` are what was found, in order."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.blocks: list[_Block] = []
        self.tables = 0  # with any value
        self.stack: list[_Table] = []
        self.outside: list[str] = []
        self.unshown = ""  # the hidden element that is open, how often its name is open, whether it began within a cell
        self.depth = 0
        self.within = False
        self.work = 0

    def feed(self, text: str) -> None:
        at, end, search = 0, len(text), _TAG.search
        while at < end:
            match = search(text, at)
            if match is None:
                self._characters(text[at:])
                return
            if match.start() > at:
                self._characters(text[at : match.start()])
            at = match.end()
            tag = match.group(2)
            if tag is None:
                if match.group() == "<!--":
                    close = text.find("-->", at)
                    at = close + 3 if close >= 0 else end
                continue
            tag = tag.lower()
            if tag == "tr" and self.stack and not self.unshown and (row := _ROW.match(text, match.start())):
                self._row(self.stack[-1], row.group(1), _CELL.findall(row.group(2)))
                at = row.end()
            elif match.group(1):
                self._close(tag)
            elif tag in _UNSHOWN:
                close_tag = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(text, at)
                at = close_tag.end() if close_tag else end
            else:
                self._open(tag, match.group(3))

    def finish(self) -> list[_Block]:
        while self.stack:
            self._end_table()
        self._flush()
        return [block for block in self.blocks if block.cells or block.blank]

    def _characters(self, text: str) -> None:
        table = self.stack[-1] if self.stack else None
        if table is not None and table.cell is not None:
            if not (self.unshown and self.within):
                table.text.append(_SPACES.sub(" ", text))
        elif not text.isspace():
            self.outside.append(_SPACES.sub(" ", text))

    def _open(self, tag: str, attributes: str) -> None:
        table = self.stack[-1] if self.stack else None
        if tag in ("td", "th"):
            if table is not None:
                self._open_cell(table, _attributes(attributes))
            return
        if self.unshown == tag and tag not in _VOID:
            self.depth += 1
        if tag == "tr":
            if table is not None:
                self._end_cell(table)
                self._open_row(table, _attributes(attributes))
        elif tag == "table":
            self._open_table(_attributes(attributes))
        elif tag in ("col", "colgroup"):
            if table is not None and tag == "col":
                self._column(table, _attributes(attributes))
        elif tag == "br":
            self._break(table)
        else:
            if tag in _BLOCKS:
                self._separate(table)
            if (
                attributes
                and not self.unshown
                and tag not in _VOID
                and not attributes.endswith("/")
                and _HIDDEN.search(_attributes(attributes).get("style", ""))
            ):
                self.unshown, self.depth, self.within = tag, 1, table is not None and table.cell is not None

    def _close(self, tag: str) -> None:
        table = self.stack[-1] if self.stack else None
        if self.unshown == tag:
            self.depth -= 1
            if self.depth <= 0:
                self.unshown, self.within = "", False
        if tag == "table":
            if table is not None:
                self._end_table()
        elif tag in ("td", "th", "tr"):
            if table is not None:
                self._end_cell(table)
        elif tag in _BLOCKS:
            self._separate(table)

    def _break(self, table: _Table | None) -> None:
        if table is not None and table.cell is not None:
            table.text.append("\n")
        elif table is None:
            if self.outside:
                self._flush()
            elif self.blocks:
                self.blocks.append(_Block(rows=1, blank=True, hidden=bool(self.unshown)))

    def _separate(self, table: _Table | None) -> None:
        """A block of text begins or ends."""
        if table is None or table.cell is None:
            self._flush()
        elif table.text and not table.text[-1].endswith("\n"):
            table.text.append("\n")

    def _flush(self) -> None:
        text = _plain("".join(self.outside))
        self.outside.clear()
        if text:  # within a table but outside its cells (a caption): above it
            place = self.stack[0].place if self.stack else len(self.blocks)
            self.blocks.insert(place, _Block([(0, 0, text)], rows=1, hidden=bool(self.unshown)))
            for table in self.stack:
                table.place += 1

    def _open_table(self, attributes: dict[str, str]) -> None:
        if len(self.stack) >= MAX_DEPTH or len(self.blocks) >= MAX_TABLES:
            raise DataError(f"“{self.file}”的表格层层相套，不是正常的网页表格，没有读取", _RESAVE)
        if not self.stack:
            self._flush()
        block = _Block(hidden=bool(self.unshown) or bool(_HIDDEN.search(attributes.get("style", ""))))
        self.stack.append(_Table(block, len(self.blocks)))
        self.blocks.append(block)

    def _end_table(self) -> None:
        table = self.stack[-1]
        self._end_cell(table)
        self.stack.pop()
        block = table.block
        block.rows = table.row + 1
        for column, count in block.unshown.items():
            if count * 2 > block.rows:  # hidden in most rows: the page hides the column
                block.hidden_columns.add(column)
        if any(value is not None for _, _, value in block.cells):
            self.tables += 1
            last = block.rows - 1
            block.merged = [(top, left, min(bottom, last), right) for top, left, bottom, right in block.merged]
        else:  # a frame around other tables
            block.cells, block.merged, block.rows = [], [], 0

    def _open_row(self, table: _Table, attributes: dict[str, str]) -> None:
        table.row += 1
        table.column = 0
        if self.unshown or _HIDDEN.search(attributes.get("style", "")) or "hidden" in attributes:
            table.block.hidden_rows.add(table.row)

    def _row(self, table: _Table, attributes: str, cells: list[tuple[str, str]]) -> None:
        self._end_cell(table)
        self._open_row(table, _attributes(attributes))
        row, put = table.row, table.block.cells.append
        for given, text in cells:
            if given or table.below:
                self._open_cell(table, _attributes(given))
                table.text.append(_SPACES.sub(" ", text))
                self._end_cell(table)
            else:
                put((row, table.column, _value({}, _plain(_SPACES.sub(" ", text)))))
                table.column += 1

    def _column(self, table: _Table, attributes: dict[str, str]) -> None:
        span = _span(attributes.get("span", "1"))
        if _HIDDEN.search(attributes.get("style", "")) and span < 2_000:
            table.block.hidden_columns.update(range(table.columns, table.columns + span))
        table.columns += span

    def _open_cell(self, table: _Table, attributes: dict[str, str]) -> None:
        self._end_cell(table)
        table.row = max(table.row, 0)
        table.cell = attributes
        table.text = []

    def _end_cell(self, table: _Table) -> None:
        attributes = table.cell
        if attributes is None:
            return
        if self.within:  # whatever was hidden within the cell ends with it
            self.unshown, self.within = "", False
        row, column, below = table.row, table.column, table.below
        while below and below.get(column, -1) >= row:
            column += 1
        self.work += column - table.column
        value = _value(attributes, _plain("".join(table.text)))
        table.cell = None
        across, down = 1, 1
        if attributes:
            across, down = _span(attributes.get("colspan", "1")), _span(attributes.get("rowspan", "1"))
            if across > 1 or down > 1:
                table.block.merged.append((row, column, row + down - 1, column + across - 1))
                if down > 1:
                    self.work += across
                    below.update(dict.fromkeys(range(column, column + across), row + down - 1))
            if _HIDDEN.search(attributes.get("style", "")):
                table.block.unshown[column] = table.block.unshown.get(column, 0) + 1
        if self.work > MAX_WORK:
            raise DataError(f"“{self.file}”的跨行跨列单元格多得不正常，没有读取", _RESAVE)
        table.block.cells.append((row, column, value))
        table.column = column + across


def _span(text: str) -> int:
    digits = text.strip()
    return min(max(int(digits[:9]), 1), MAX_SPAN) if digits.isascii() and digits.isdigit() else 1


def _plain(text: str) -> str:
    """Text of a cell: entities resolved, spaces at the edges and around line breaks gone."""
    if "&" in text:
        text = html.unescape(text)
    if "\xa0" in text:
        text = text.replace("\xa0", " ")
    if "\n" in text:
        return "\n".join(line.strip() for line in text.split("\n")).strip()
    return text.strip()


def _value(attributes: dict[str, str], text: str) -> Cell:
    if attributes:
        if "x:err" in attributes:
            return CellError(attributes["x:err"] or text or "#VALUE!")
        if "x:str" not in attributes and (given := attributes.get("x:num", attributes.get("sdval"))) is not None:
            return _number(given, text)
        if "x:bool" in attributes:
            return (attributes["x:bool"] or text).strip().upper() == "TRUE"
    if not text:
        return None
    if text[0] == "#" and text in _ERRORS:
        return CellError(text)
    if text[0] == "=" and (match := _FORCED_TEXT.fullmatch(text)):
        return match.group(1) or None
    return text


def _number(given: str, shown: str) -> Cell:
    """A cell marked as a number: its exact value where the shown text is one, too; else (a date) what is shown.

    It came from a spreadsheet's number cell: more than 15 digits were lost there, and it stays a number here.
    """
    exact = given.strip() or shown.replace(",", "")
    if not _NUMBER.fullmatch(exact) or (shown and not _SHOWN_NUMBER.fullmatch(shown)):
        return shown or None
    value = float(exact)
    return int(value) if -EXACT < value < EXACT and value.is_integer() else value
