"""XML Spreadsheet 2003 (SpreadsheetML, usually saved as .xls or .xml), as Office and many web systems write it.

Source: Microsoft's "XML Spreadsheet Reference". One pass of expat; a DOCTYPE, and with it every entity of its own, is refused.
"""

from __future__ import annotations

import re
from datetime import datetime
from xml.parsers import expat

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cellgrid import MAX_COLUMNS, MAX_ROWS, CellGrid
from jiuzhu_cli.tabular.cells import Cell, CellError, Sheet
from jiuzhu_cli.tabular.convert import EXACT

MAX_DEPTH = 256
MAX_SHEETS = 5_000
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"
_DECLARATION = re.compile(r"\s*<\?xml[^<>]*\?>")
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?Z?")
_SS = "urn:schemas-microsoft-com:office:spreadsheet"


def read_xmlss(text: str, file: str) -> list[Sheet]:
    """The worksheets of ``text`` (the whole document, decoded). DataError when it is damaged, has a DOCTYPE, or a cell absurdly far away."""
    reader = _Reader(file)
    try:
        reader.parse(_DECLARATION.sub("", text, count=1))
    except expat.ExpatError as error:
        raise DataError(
            f"“{file}”第 {error.lineno} 行的 XML 结构已损坏，读不出来", f"请报送人重新发送；若能打开，{_RESAVE}"
        ) from error
    if not reader.sheets:
        raise DataError(f"“{file}”里没有工作表", "请核对文件")
    return reader.sheets


class _Reader:
    """Elements as they come. ``row`` and ``column`` are 0-based, of the open or last cell."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.sheets: list[Sheet] = []
        self.grid: CellGrid | None = None
        self.path: list[str] = []
        self.hidden = False
        self.row = self.column = self.columns = -1
        self.text: list[str] | None = None
        self.kind = ""
        self.value: Cell = None
        self.formula, self._merge = False, 0

    def parse(self, text: str) -> None:
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)

    def _refuse(self, *_: object) -> None:
        raise DataError(f"“{self.file}”里含有 DOCTYPE 声明，正常表格没有，出于安全没有读取", _RESAVE)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        path = self.path
        path.append(tag)
        if len(path) > MAX_DEPTH:
            raise DataError(f"“{self.file}”的 XML 嵌套太深，不是正常表格，没有读取", _RESAVE)
        if self.text is not None:
            return  # formatting within a value
        if tag == "Cell":
            self._open_cell(attributes)
        elif tag == "Data":
            if path[-2] == "Cell":
                self.text, self.kind = [], _get(attributes, "Type")
        elif tag == "Row":
            self._open_row(attributes)
        elif tag == "Column":
            self._open_column(attributes)
        elif tag == "Worksheet" and len(path) == 2:
            if len(self.sheets) >= MAX_SHEETS:
                raise DataError(f"“{self.file}”的工作表多得不正常，没有读取", _RESAVE)
            self.grid = CellGrid(self.file, _get(attributes, "Name") or f"Sheet{len(self.sheets) + 1}")
            self.hidden, self.row, self.columns = False, -1, -1
        elif tag == "Visible":
            self.text = []

    def _end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        path = self.path
        if tag == "Data":
            if path[-2] == "Cell" and self.text is not None:
                self.value, self.text = self._converted("".join(self.text)), None
        elif tag == "Cell":
            self._end_cell()
        elif tag == "Visible":
            self.hidden = self.hidden or "Hidden" in "".join(self.text or ())
            self.text = None
        elif tag == "Worksheet" and self.grid is not None and len(path) == 2:
            self.sheets.append(self.grid.sheet(hidden=self.hidden))
            self.grid = None
        path.pop()

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _open_row(self, attributes: dict[str, str]) -> None:
        index = self._index(attributes, MAX_ROWS)
        self.row = index if index is not None else self.row + 1
        self.column = -1
        if self.grid is None:
            return
        span = self._number(attributes, "Span", MAX_ROWS)
        if _get(attributes, "Hidden") == "1":
            self.grid.hidden_rows.update(range(self.row, min(self.row + span + 1, MAX_ROWS)))
        self.row += span

    def _open_column(self, attributes: dict[str, str]) -> None:
        index = self._index(attributes, MAX_COLUMNS)
        self.columns = index if index is not None else self.columns + 1
        span = self._number(attributes, "Span", MAX_COLUMNS)
        if _get(attributes, "Hidden") == "1" and self.grid is not None and span < 2_000:
            self.grid.hidden_columns.update(range(self.columns, self.columns + span + 1))
        self.columns += span

    def _open_cell(self, attributes: dict[str, str]) -> None:
        index = self._index(attributes, MAX_COLUMNS)
        self.column = index if index is not None else self.column + 1
        self.value, self.formula = None, bool(_get(attributes, "Formula"))
        across = self._number(attributes, "MergeAcross", MAX_COLUMNS)
        down = self._number(attributes, "MergeDown", MAX_ROWS)
        self._merge = across
        if self.grid is not None and (across or down):
            self.grid.merge(self.row, self.column, self.row + down, self.column + across)

    def _end_cell(self) -> None:
        if self.grid is None:
            return
        if self.value is None and self.formula and self.kind != "String":
            self.value = CellError("formula_without_value")
        self.grid.put(max(self.row, 0), self.column, self.value)  # a cell outside of rows stands in the first
        self.column += self._merge
        self.kind, self._merge = "", 0

    def _index(self, attributes: dict[str, str], limit: int) -> int | None:
        """0-based place of a 1-based ss:Index; None when there is none."""
        return self._number(attributes, "Index", limit) - 1 if _get(attributes, "Index") else None

    def _number(self, attributes: dict[str, str], name: str, limit: int) -> int:
        text = _get(attributes, name)
        if not text:
            return 0
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit()) or (name == "Index" and int(digits[:12]) == 0):
            raise DataError(f"“{self.file}”里的 ss:{name}=“{digits[:20]}”不是正常的数", f"若能打开，{_RESAVE}")
        value = int(digits[:12])
        if name == "Index" and value > limit:
            raise DataError(f"“{self.file}”里有超出表格边界的单元格（第 {value} 行或列）", _RESAVE)
        return min(value, limit)

    def _converted(self, text: str) -> Cell:
        kind = self.kind
        if kind == "Error":
            return CellError(text.strip() or "#VALUE!")
        if kind in ("Number", "Boolean", "DateTime"):
            plain = text.strip()
            if not plain:
                return None
            if kind == "Boolean":
                return plain in ("1", "true", "TRUE")
            return _moment(plain) if kind == "DateTime" else _number(plain)
        return text or None


def _get(attributes: dict[str, str], name: str) -> str:
    return attributes.get(f"{_SS} {name}") or attributes.get(name) or ""


def _number(text: str) -> Cell:
    """As a spreadsheet holds it: a double; more than 15 digits are lost there, and stay recognisable as a number here."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if -EXACT < value < EXACT and value.is_integer() else value


def _moment(text: str) -> Cell:
    """A date, a moment, or (on day 0, 1899-12-31 or -30) a time of day as text."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return text
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, int((match.group(7) or "").ljust(6, "0")))
    except ValueError:
        return text
    if year <= 1899:
        return moment.time().isoformat()
    return moment.date() if moment.time().isoformat() == "00:00:00" else moment
