"""Workbooks of Excel 2 to 95 (BIFF2–BIFF5), which old business systems (PowerBuilder, FoxPro, Delphi) still export.

Source: OpenOffice.org's documentation of the Excel file format. Only values, dates, errors and what is hidden are read.
"""

from __future__ import annotations

import re
import struct
from datetime import date, datetime, timedelta

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cellgrid import CellGrid
from jiuzhu_cli.tabular.cells import Cell, CellError, Sheet
from jiuzhu_cli.tabular.convert import EXACT

_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"
_VERSIONS = {b"\x09\x00": 2, b"\x09\x02": 3, b"\x09\x04": 4}
_BOF = frozenset((0x0009, 0x0209, 0x0409, 0x0809))
_EOF, _CODEPAGE, _DATEMODE, _FILEPASS, _BOUNDSHEET, _COLINFO, _SHEET_NAME = 0x0A, 0x42, 0x22, 0x2F, 0x85, 0x7D, 0x8F
_FORMATS, _XFS = frozenset((0x001E, 0x041E)), frozenset((0x0043, 0x0243, 0x0443, 0x00E0))
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
_CODE_PAGES = {936: "gb18030", 950: "big5", 932: "cp932", 949: "cp949", 1200: "utf-16-le", 65001: "utf-8", 437: "cp437"}
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_MAX_COLUMNS = 256


def old_version(book: bytes) -> int:
    """2 to 5 when ``book`` is the record stream of a workbook that old, else 0."""
    if book[:2] == b"\x09\x08":
        return 5 if book[4:6] == b"\x00\x05" else 0
    return _VERSIONS.get(book[:2], 0) if len(book) > 8 and book[2] in (4, 6, 8) and book[3] == 0 else 0


def read_old(book: bytes, file: str, name: str) -> list[Sheet]:
    """The worksheets of an old record stream; ``name`` for the only sheet of a file that names none. DataError when damaged."""
    try:
        sheets = _Reader(book, file, name).run()
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise DataError(f"“{file}”已损坏，读不出来", f"请报送人重新发送；若能打开，{_RESAVE}") from error
    if not sheets:
        raise DataError(f"“{file}”里没有工作表", "请核对文件")
    return sheets


class _Reader:
    def __init__(self, book: bytes, file: str, name: str) -> None:
        self.book, self.file, self.name = book, file, name
        self.version = old_version(book)
        self.encoding = "gb18030"  # of files without a word about it
        self.first_day = datetime(1899, 12, 30)
        self.formats: list[bool] = []  # whether it shows a date, by index; sparse in version 5
        self.custom: dict[int, bool] = {}
        self.dates: list[bool] = []  # by XF
        self.bound: dict[int, tuple[str, bool, bool]] = {}  # position → name, hidden, is a worksheet
        self.grid: CellGrid | None = None
        self.hidden = False
        self.pending: tuple[int, int] | None = None  # a formula whose text follows

    def run(self) -> list[Sheet]:
        sheets: list[Sheet] = []
        at, end, title = 0, len(self.book), ""
        while at + 4 <= end:
            code, length = struct.unpack_from("<HH", self.book, at)
            data = self.book[at + 4 : at + 4 + length]
            if code in _BOF:
                kind = struct.unpack_from("<H", data, 2)[0]
                bound = self.bound.get(at, (title or f"{self.name}{len(sheets) + 1 if sheets else ''}", False, True))
                if kind == 0x10 and bound[2]:
                    self.grid, self.hidden, title = CellGrid(self.file, bound[0]), bound[1], ""
            elif code == _EOF:
                if self.grid is not None:
                    sheets.append(self.grid.sheet(hidden=self.hidden))
                    self.grid = None
                elif self.version < 5 and not self.bound and sheets:
                    break
            elif code == _SHEET_NAME and self.version == 4:
                title = self._text(data[5 : 5 + data[4]])
            elif self.grid is not None:
                self._cell(code, data)
            if self.version < 5 or self.grid is None:
                self._global(code, data)
            at += 4 + length
        if self.grid is not None:
            raise ValueError("no end of the sheet")
        return sheets

    def _global(self, code: int, data: bytes) -> None:
        if code == _CODEPAGE and len(data) >= 2:
            page = struct.unpack("<H", data[:2])[0]
            self.encoding = _CODE_PAGES.get(page, self.encoding if page in (0x8000, 0x8001) else f"cp{page}")
            try:
                "".encode(self.encoding)
            except LookupError:
                self.encoding = "gb18030"
        elif code == _DATEMODE and data[:1] == b"\x01":
            self.first_day = datetime(1904, 1, 1)
        elif code == _FILEPASS:
            raise DataError(f"“{self.file}”是加了密码的旧版 Excel 表格，解不开", _RESAVE + "（不带密码）")
        elif code in _FORMATS:
            self._format(data)
        elif code in _XFS:
            self._xf(data)
        elif code == _BOUNDSHEET and self.version == 5:
            position, visible, kind, count = struct.unpack_from("<IBBB", data)
            self.bound[position] = (self._text(data[7 : 7 + count]), bool(visible & 3), kind == 0)

    def _format(self, data: bytes) -> None:
        head = 2 if self.version >= 4 else 0
        text = self._text(data[head + 1 : head + 1 + data[head]])
        shows_date = bool(re.search("[ymdhs年月日]", _LITERAL.sub("", text.split(";")[0]).lower()))
        if self.version == 5:
            self.custom[struct.unpack_from("<H", data)[0]] = shows_date
        self.formats.append(shows_date)

    def _xf(self, data: bytes) -> None:
        if self.version == 5:
            index = struct.unpack_from("<H", data, 2)[0]
            self.dates.append(self.custom.get(index, index in _DATE_FORMATS))
        else:
            index = data[2] & 0x3F if self.version == 2 else data[1]
            self.dates.append(self.formats[index] if index < len(self.formats) else index in _DATE_FORMATS)

    def _text(self, data: bytes) -> str:
        return data.decode(self.encoding, "replace")

    def _cell(self, code: int, data: bytes) -> None:
        grid = self.grid
        assert grid is not None
        if code in (0x0007, 0x0207):
            self._formula_text(data)
        elif code in (0x0008, 0x0208):
            self._row(data)
        elif code == _COLINFO and len(data) >= 10:
            first, last = struct.unpack_from("<HH", data)
            if data[8] & 1 and last < 255:
                grid.hidden_columns.update(range(first, last + 1))
        elif len(data) >= 7:
            self._value(code, data)

    def _row(self, data: bytes) -> None:
        assert self.grid is not None
        row = struct.unpack_from("<H", data)[0]
        self.grid.rows = max(self.grid.rows, row + 1)
        if self.version > 2 and len(data) >= 14 and data[12] & 0x20:
            self.grid.hidden_rows.add(row)

    def _value(self, code: int, data: bytes) -> None:
        row, column = struct.unpack_from("<HH", data)
        kind = code & 0xFF
        body = data[7:] if self.version == 2 else data[6:]
        style = data[4] & 0x3F if self.version == 2 else struct.unpack_from("<H", data, 4)[0]
        if code == 0x0002 and self.version == 2:
            self._put(row, column, self._number(float(struct.unpack_from("<H", body)[0]), style))
        elif kind == 0x03:
            self._put(row, column, self._number(struct.unpack_from("<d", body)[0], style))
        elif kind in (0x04, 0xD6):
            count = body[0] if self.version == 2 else struct.unpack_from("<H", body)[0]
            start = 1 if self.version == 2 else 2
            self._put(row, column, self._text(body[start : start + count]) or None)
        elif kind == 0x05:
            self._put(row, column, CellError(_ERRORS.get(body[0], "#VALUE!")) if body[1] else bool(body[0]))
        elif kind == 0x06:
            self._formula(row, column, style, body)
        elif code == 0x027E:
            self._put(row, column, self._number(_rk(body), style))
        elif code == 0x00BD:
            for index in range((len(data) - 6) // 6):
                style = struct.unpack_from("<H", data, 4 + 6 * index)[0]
                self._put(row, column + index, self._number(_rk(data[6 + 6 * index :]), style))

    def _formula(self, row: int, column: int, style: int, body: bytes) -> None:
        if body[6:8] != b"\xff\xff":
            self._put(row, column, self._number(struct.unpack_from("<d", body)[0], style))
        elif body[0] == 0:
            self.pending = (row, column)
        elif body[0] == 1:
            self._put(row, column, bool(body[2]))
        elif body[0] == 2:
            self._put(row, column, CellError(_ERRORS.get(body[2], "#VALUE!")))

    def _formula_text(self, data: bytes) -> None:
        if self.pending is not None:
            count, start = (data[0], 1) if self.version == 2 else (struct.unpack_from("<H", data)[0], 2)
            self._put(*self.pending, self._text(data[start : start + count]) or None)
            self.pending = None

    def _put(self, row: int, column: int, value: Cell) -> None:
        if column >= _MAX_COLUMNS:
            raise ValueError("cell beyond the last column")
        assert self.grid is not None
        self.grid.put(row, column, value)

    def _number(self, value: float, style: int) -> Cell:
        if style < len(self.dates) and self.dates[style] and 0 <= value < 2_958_466:
            return self._date(value)
        return int(value) if -EXACT < value < EXACT and value.is_integer() else value

    def _date(self, serial: float) -> date | datetime | str:
        days = serial + 1 if serial < 60 and self.first_day.year == 1899 else serial  # 1900 had no 29 February
        moment = self.first_day + timedelta(seconds=round(days * 86_400, 3))
        if serial < 1:
            return moment.time().isoformat()
        return moment.date() if moment == datetime(moment.year, moment.month, moment.day) else moment


def _rk(data: bytes) -> float:
    """A number in four bytes: 30 bits of a double or an integer, perhaps in hundredths."""
    raw = struct.unpack_from("<i", data)[0]
    value = float(raw >> 2) if raw & 2 else struct.unpack("<d", b"\0\0\0\0" + struct.pack("<i", raw & ~3))[0]
    return value / 100 if raw & 1 else value
