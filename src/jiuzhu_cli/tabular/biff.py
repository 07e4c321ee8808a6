"""What the reader does not tell about an old workbook (xls, et): error cells, hidden rows and columns, encryption.

Sources: [MS-CFB] for the container, [MS-XLS] for the records. Only what is needed is read.
"""

from __future__ import annotations

import struct

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import CellError, column_letters
from jiuzhu_cli.tabular.scan import SPARSE, SPARSE_AREA, SheetFacts
from jiuzhu_cli.tabular.struck import struck_formats_of_biff

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
_BOF, _EOF, _FILEPASS, _BOUNDSHEET, _ROW, _COLINFO, _FORMULA, _BOOLERR = (
    0x0809, 0x000A, 0x002F, 0x0085, 0x0208, 0x007D, 0x0006, 0x0205,
)  # fmt: skip
_DIMENSIONS, _SST = 0x0200, 0x00FC
_CELLS = frozenset((0x0203, 0x0204, 0x00FD, 0x027E, 0x00BD, 0x00BE, 0x0201, 0x00D6, _FORMULA, _BOOLERR))
_VALUES = _CELLS - {0x0201, 0x00BE}
MAX_COLUMNS = 256
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"


class _Container:
    """An OLE2 compound file: names of its streams and their bytes."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 1536:
            raise ValueError("too short")
        self.data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift > 9:
            raise ValueError("sector size")
        self.size, self.mini_size = 1 << shift, 1 << mini_shift
        first_directory = struct.unpack_from("<I", data, 48)[0]
        self.cutoff, first_mini_fat, mini_count = struct.unpack_from("<III", data, 56)
        fat_count = struct.unpack_from("<I", data, 44)[0]
        if max(fat_count, mini_count) > len(data) // self.size + 1 or self.cutoff > 1 << 16:
            raise ValueError("counts beyond the file")
        difat_next, difat_count = struct.unpack_from("<II", data, 68)
        sectors = list(struct.unpack_from("<109I", data, 76))
        entries = self.size // 4
        if difat_count > len(data) // self.size:
            raise ValueError("counts beyond the file")
        for _ in range(difat_count):
            block = struct.unpack(f"<{entries}I", self._sector(difat_next))
            sectors += block[:-1]
            difat_next = block[-1]
        self.fat: list[int] = []
        for sector in sectors:
            if sector < _END:
                self.fat += struct.unpack(f"<{entries}I", self._sector(sector))
        directory = self._chain(first_directory)
        self.streams: dict[str, tuple[int, int]] = {}
        mini_start = _END
        for at in range(0, len(directory) - 127, 128):
            length, kind = struct.unpack_from("<HB", directory, at + 64)
            start, size = struct.unpack_from("<II", directory, at + 116)
            if kind == 5:
                mini_start = start
            elif kind == 2:
                self.streams[directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")] = (
                    start,
                    size,
                )
        self._mini = self._chain(mini_start) if mini_start < _END else b""
        table = self._chain(first_mini_fat) if first_mini_fat < _END else b""
        self.mini_fat = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])

    def _sector(self, number: int) -> bytes:
        block = self.data[(number + 1) * self.size : (number + 2) * self.size]
        return block.ljust(self.size, b"\0") if block else b"\xff" * self.size

    def _chain(self, start: int) -> bytes:
        parts, seen = [], 0
        while start < len(self.fat) and seen <= len(self.fat):
            parts.append(self._sector(start))
            start, seen = self.fat[start], seen + 1
        if seen > len(self.fat):
            raise ValueError("circular chain")
        return b"".join(parts)

    def read(self, name: str) -> bytes:
        start, size = self.streams[name]
        if size >= self.cutoff:
            return self._chain(start)[:size]
        parts, seen = [], 0
        while start < len(self.mini_fat) and seen <= len(self.mini_fat):
            parts.append(self._mini[start * self.mini_size : (start + 1) * self.mini_size])
            start, seen = self.mini_fat[start], seen + 1
        return b"".join(parts)[:size]


def _open(data: bytes, name: str) -> _Container:
    try:
        return _Container(data)
    except (ValueError, struct.error, IndexError) as error:
        raise DataError(f"“{name}”已损坏，读不出来", f"请报送人重新发送；若能打开，{_RESAVE}") from error


def _open_book(container: _Container, name: str) -> bytes:
    try:
        return container.read("Workbook" if "Workbook" in container.streams else "Book")
    except (ValueError, struct.error, IndexError) as error:
        raise DataError(f"“{name}”已损坏，读不出来", f"请报送人重新发送；若能打开，{_RESAVE}") from error


def kind_of(data: bytes, name: str) -> str:
    """``xls`` or ``encrypted``; DataError for any other compound file (Word, PowerPoint, damaged)."""
    container = _open(data, name)
    streams = container.streams
    book = _open_book(container, name) if "Workbook" in streams or "Book" in streams else b""
    if "EncryptedPackage" in streams:
        return "encrypted"
    if book:
        at = 0
        while at + 4 <= min(len(book), 8192):
            code, length = struct.unpack_from("<HH", book, at)
            if code == _FILEPASS:
                return "encrypted"
            if code == _EOF:
                break
            at += 4 + length
        return "xls"
    if "WordDocument" in streams:
        raise DataError(f"“{name}”是 Word 文档，不是表格", "把其中的表格复制到 Excel，另存为 .xlsx 后再导入")
    raise DataError(f"“{name}”不是表格文件", f"请核对；若能用 WPS 打开，{_RESAVE}")


def is_bare(data: bytes) -> bool:
    """Whether ``data`` is the stream of an Excel 97–2003 workbook without its container, as some programs write it (older: ``oldbiff``)."""
    return data[:2] == b"\x09\x08" and len(data) > 8 and data[2] in (8, 16) and data[3:6] == b"\0\0\6"


def book_stream(data: bytes, name: str) -> bytes:
    """The stream of records in the container. DataError when it is damaged."""
    return _open_book(_open(data, name), name)


def wrapped(book: bytes) -> bytes:
    """A compound file with ``book`` as its workbook stream."""
    size = 512
    stream = book.ljust(max(4096, -(-len(book) // size) * size), b"\0")
    sectors = len(stream) // size
    tables = 1
    while tables * 128 < sectors + 1 + tables:
        tables += 1
    if tables > 109:
        raise DataError("旧版工作簿太大，读不了", _RESAVE)
    chain = [*range(1, sectors), _END, _END, *[0xFFFFFFFD] * tables]
    fat = struct.pack(f"<{tables * 128}I", *chain, *[_FREE] * (tables * 128 - len(chain)))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack(
        "<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, sectors, 0, 4096, _END, 0, _END, 0, sectors + 1
    )  # fmt: skip
    header += struct.pack("<108I", *range(sectors + 2, sectors + 1 + tables), *[_FREE] * (109 - tables))

    def entry(name: str, kind: int, child: int, start: int, length: int) -> bytes:
        title = name.encode("utf-16-le") + b"\0\0"
        return title.ljust(64, b"\0") + struct.pack(
            "<HBBIII36xIII", len(title) if name else 0, kind, 1, _FREE, _FREE, child, start, length, 0
        )

    directory = entry("Root Entry", 5, 1, _END, 0) + entry("Workbook", 2, _FREE, 0, len(stream))
    directory += entry("", 0, _FREE, 0, 0) * 2
    return header + stream + directory + fat


def inspect_xls(data: bytes, name: str) -> dict[str, SheetFacts]:
    """Facts of each worksheet by name (see ``scan.SheetFacts``).

    DataError when a record claims more than a workbook can hold: the reader would believe it and abort the process.
    """
    try:
        book = _open_book(_open(data, name), name)
        crossed = struck_formats_of_biff(book)
        facts = {}
        for title, position in _bound_sheets(book):
            facts[title], extent = _sheet_facts(book, position, crossed)
            extent.check(name, title)
        return facts
    except (ValueError, struct.error, IndexError) as error:
        raise DataError(f"“{name}”已损坏，读不出来", f"请报送人重新发送；若能打开，{_RESAVE}") from error


def _bound_sheets(book: bytes) -> list[tuple[str, int]]:
    found, at = [], 0
    while at + 4 <= len(book):
        code, length = struct.unpack_from("<HH", book, at)
        body = at + 4
        if code == _BOUNDSHEET and length >= 8:
            position, _, _, count, wide = struct.unpack_from("<IBBBB", book, body)
            if wide & 1:
                title = book[body + 8 : body + 8 + count * 2].decode("utf-16-le", "replace")
            else:
                title = book[body + 8 : body + 8 + count].decode("latin-1")
            found.append((title, position))
        elif code == _SST and length >= 8:
            if max(struct.unpack_from("<II", book, body)) > len(book):
                raise ValueError("more strings than bytes")
        elif code == _EOF:
            break
        at = body + length
    return found


class _Extent:
    """The farthest cell with a value, and how many there are."""

    def __init__(self) -> None:
        self.row = self.column = self.cells = 0

    def add(self, row: int, column: int) -> None:
        self.cells += 1
        self.row = max(self.row, row)
        self.column = max(self.column, column)

    def check(self, name: str, title: str) -> None:
        """DataError when a few cells span an absurd rectangle: the reader would fill it."""
        area = (self.row + 1) * (self.column + 1)
        if area > SPARSE_AREA and self.cells * SPARSE < area:
            far = f"{column_letters(self.column)}{self.row + 1}"
            raise DataError(
                f"“{name}”的工作表“{title}”只有 {self.cells} 个有内容的单元格，范围却一直到 {far}，没有读取",
                f"按 Ctrl+End 找到远处的单元格，把它所在的行、列整行整列删除，保存后再导入（范围 {far}）",
            )


def _sheet_facts(book: bytes, at: int, crossed: frozenset[int]) -> tuple[SheetFacts, _Extent]:
    facts, extent = SheetFacts(), _Extent()
    unpack, depth, end = struct.Struct("<HH").unpack_from, 0, len(book)
    while at + 4 <= end:
        code, length = unpack(book, at)
        body = at + 4
        if code in _CELLS and length >= 4 and unpack(book, body)[1] >= MAX_COLUMNS:
            raise ValueError("cell beyond the last column")
        if code in _VALUES and length >= 4:
            extent.add(*unpack(book, body))
        if crossed and code in _CELLS and length >= 6 and unpack(book, body + 2)[1] in crossed:
            facts.struck.add(unpack(book, body))
        if code == _FORMULA and length >= 14:
            if book[body + 12 : body + 14] == b"\xff\xff" and book[body + 6] == 2:
                row, column = unpack(book, body)
                facts.errors[row, column] = CellError(_ERRORS.get(book[body + 8], "#VALUE!"))
        elif code == _BOOLERR and length >= 8:
            if book[body + 7] == 1:
                row, column = unpack(book, body)
                facts.errors[row, column] = CellError(_ERRORS.get(book[body + 6], "#VALUE!"))
        elif code == _ROW and length >= 16:
            row = unpack(book, body)[0]
            facts.rows = max(facts.rows, row + 1)
            if book[body + 12] & 0x20:
                facts.hidden_rows.add(row)
        elif code == _COLINFO and length >= 10:
            first, last = unpack(book, body)
            if book[body + 8] & 1 and last < 255:
                facts.hidden_columns.update(range(first, last + 1))
        elif code == _DIMENSIONS and length >= 8:
            top, bottom, left, right = struct.unpack_from("<IIHH" if length >= 12 else "<4H", book, body)
            if not (top <= bottom <= 65_536 and left <= right <= MAX_COLUMNS):
                raise ValueError("extent beyond the format's")
        elif code == _BOF:
            depth += 1
        elif code == _EOF:
            depth -= 1
            if depth <= 0:
                break
        at = body + length
    return facts, extent
