"""Looks through an xlsx before the reader may: bombs and entities are refused, and what the reader would lose is noted.

The reader (calamine) allocates the whole rectangle up to the farthest cell and aborts the process when that is absurd; it
turns ``#N/A`` into a blank and knows nothing of hidden rows or of formulas that were never calculated. All of this is
told by the vector reader (``sheetxml``) where it can read the sheet; else by one pass of ``bytes.find`` over the sheet's
XML, the slower exact passes running only where something is odd.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from xml.etree import ElementTree
from xml.parsers import expat

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.inflate import inflated, without_prefix
from jiuzhu_cli.tabular.oddcells import OddCells, Tails
from jiuzhu_cli.tabular.scan import (
    MAX_AREA,
    SPARSE,
    SPARSE_AREA,
    Extent,
    FastScan,
    SheetFacts,
    SlowScan,
    note_all_hidden,
    prefix_of,
)
from jiuzhu_cli.tabular.shared import SharedStrings
from jiuzhu_cli.tabular.sheetrows import RowReader
from jiuzhu_cli.tabular.sheetxml import SheetXml, read_sheet
from jiuzhu_cli.tabular.struck import struck_cells, struck_formats
from jiuzhu_cli.tabular.words import Unusual

MAX_ENTRIES = 5_000
MAX_INFLATED = 4 << 30
MAX_RATIO = 400  # inflated : stored, beyond RATIO_FREE bytes; honest sheets stay below 100
RATIO_FREE = 32 << 20
CHUNK = 2 << 20
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OFFICE_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_SHELL = {"[content_types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
_SHARED = "xl/sharedstrings.xml"
_SMALL = 16 << 20
_HIDDEN_STATES = ("hidden", "veryHidden")
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_NO_PROLOG = re.compile(rb"\s*(?:<\?xml[^<>]*\?>\s*)?<[A-Za-z_]")  # nothing stands before the root element


@dataclass(slots=True)
class XlsxFacts:
    """What an xlsx tells beside its cells, and the sheets that could be read as vectors on the way."""

    sheets: dict[str, SheetFacts] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    read: dict[str, SheetXml] = field(default_factory=dict)  # sheets that were read as vectors
    hidden: dict[str, bool] = field(default_factory=dict)  # by name, in order, where all sheets are such; else empty


Watch = Callable[[float, int], None]  # told how much of a file has been read (0 to 1), and how many rows
_STEP = 0.01  # of a file, from one word of it to the next
_WATCHED = 16 << 20  # bytes: a smaller one is read before anybody has looked


def inspect_xlsx(data: bytes, name: str, watch: Watch | None = None) -> XlsxFacts:
    """Facts of an xlsx/xlsm by sheet name. ``name`` (the file's) is for messages; ``watch`` is told how far it has come.

    DataError when it is no xlsx, damaged, encrypted, a bomb, has a DOCTYPE, or a cell absurdly far away.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _Inspector(archive, name, watch).run()
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as error:
        raise DataError(f"“{name}”已损坏，解不开", f"请报送人重新发送；若能打开，{_RESAVE}") from error
    except (ElementTree.ParseError, expat.ExpatError, UnicodeDecodeError) as error:
        raise DataError(f"“{name}”内部结构已损坏", f"若能打开，{_RESAVE}") from error


class _Inspector:
    def __init__(self, archive: zipfile.ZipFile, name: str, watch: Watch | None = None) -> None:
        self.archive, self.name = archive, name
        self.inflated = self.rows = self.rows_before = 0
        self.told = 0.0
        self.whole = sum(info.file_size for info in archive.infolist())
        self.watch = watch if self.whole >= _WATCHED else None
        self.entries = {info.filename: info for info in archive.infolist()}
        self.kept: dict[str, bytes] = {}  # small parts, inflated
        self.hidden: dict[str, bool] = {}
        self.reader: RowReader | None = None

    def run(self) -> XlsxFacts:
        self._check_directory()
        facts = XlsxFacts()
        sheets = self._sheet_parts()
        parts = set(sheets.values())
        for part in self.entries:
            if part.lower() in _SHELL and self.entries[part].file_size <= _SMALL:
                self._small(part)
            elif part.endswith((".xml", ".rels")) and part not in parts and part.lower() != _SHARED:
                for _ in self._chunks(part):
                    pass  # counted, and refused on a DOCTYPE
        self._prepare(sheets)
        for title, part in sheets.items():
            facts.sheets[title], read = self._sheet(title, part)
            self.rows_before = self.rows
            if read is not None:
                facts.read[title] = read
            if crossed := struck_formats(self.kept.get("xl/styles.xml", b"")):
                before = self.inflated  # read once more, not counted twice
                facts.sheets[title].struck = struck_cells(self._chunks(part), crossed)
                self.inflated = before
        if len(facts.read) == len(self.hidden):
            facts.hidden = self.hidden
        if "docProps/custom.xml" in self.entries:
            facts.marks = _custom_properties(self._small("docProps/custom.xml"))
        return facts

    def _check_directory(self) -> None:
        infos = self.archive.infolist()
        if len(infos) > MAX_ENTRIES:
            raise DataError(f"“{self.name}”里有 {len(infos)} 个部件，不是正常的工作簿", _RESAVE)
        if len(self.entries) != len(infos):
            raise DataError(f"“{self.name}”里有重名部件，不是正常的工作簿", _RESAVE)
        if any(info.flag_bits & 1 for info in infos):
            raise DataError(f"“{self.name}”是加密的压缩包", "请先解密，再导入其中的表格")
        if "xl/workbook.xml" not in self.entries and not any(n.endswith("workbook.xml") for n in self.entries):
            raise DataError(*_what_zip(self.name, set(self.entries)))

    def _blocks(self, part: str) -> Iterator[bytes]:
        """The part inflated piece by piece; limits are checked on the way."""
        info = self.entries[part]
        total, before, first = 0, b"", True
        for block in inflated(self.archive, info, CHUNK):
            if not total and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise DataError(f"“{self.name}”的内部编码不是 UTF-8", _RESAVE)
            total += len(block)
            self.inflated += len(block)
            if self.watch is not None and self.inflated >= (self.told + _STEP) * self.whole:
                self.told = min(self.inflated / self.whole, 1.0)
                self.watch(self.told, self.rows)
            if self.inflated > MAX_INFLATED or (total > RATIO_FREE and total > MAX_RATIO * max(info.compress_size, 1)):
                raise DataError(
                    f"“{self.name}”解压后大得不正常（像压缩炸弹），没有读取",
                    f"请核对来源；确属正常表格时，{_RESAVE}",
                )
            if first:
                # it can only stand before the root element, and later parts of a large sheet need not be searched again
                seen = before + block
                if not _NO_PROLOG.match(seen) and (b"<!DOCTYPE" in seen or b"<!ENTITY" in seen):
                    raise DataError(f"“{self.name}”里含有 DOCTYPE 声明，正常表格没有，出于安全没有读取", _RESAVE)
                first, before = not _ELEMENT.search(seen), block
            yield block

    def _chunks(self, part: str, edge: bytes = b"<") -> Iterator[bytes]:
        """The part inflated piece by piece, cut before ``edge`` (so that no cell is split)."""
        carry = b""
        for fresh in self._blocks(part):
            block = carry + fresh if carry else fresh
            cut = block.rfind(edge)
            if cut <= 0 or len(block) - cut > CHUNK:
                cut = len(block)
            yield block[:cut]
            carry = block[cut:]
        if carry:
            yield carry

    def _small(self, part: str) -> bytes:
        info = self.entries.get(part)
        if info is None:
            raise DataError(f"“{self.name}”缺少部件 {part}，已损坏", _RESAVE)
        if info.file_size > _SMALL:
            raise DataError(f"“{self.name}”的部件 {part} 大得不正常", _RESAVE)
        if part not in self.kept:
            self.kept[part] = b"".join(self._blocks(part))
        return self.kept[part]

    def _sheet_parts(self) -> dict[str, str]:
        """Sheet names and the parts that hold their cells (worksheets only, in order)."""
        relations = {}
        base = next(n for n in ("xl/workbook.xml", *self.entries) if n in self.entries and n.endswith("workbook.xml"))
        folder, _, leaf = base.rpartition("/")
        rels = ElementTree.fromstring(self._small(f"{folder}/_rels/{leaf}.rels" if folder else f"_rels/{leaf}.rels"))
        for item in rels:
            target, kind = item.get("Target", ""), item.get("Type", "")
            if kind.endswith("/worksheet"):
                full = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
                relations[item.get("Id", "")] = full
        parts = {}
        for element in ElementTree.fromstring(self._small(base)).iter():
            if element.tag.rpartition("}")[2] == "sheet":
                key = element.get(f"{{{_OFFICE}}}id") or element.get(f"{{{_OFFICE_STRICT}}}id") or ""
                title = element.get("name", "")
                self.hidden[f"{title}\0" if title in self.hidden else title] = element.get("state") in _HIDDEN_STATES
                if key in relations and relations[key] in self.entries:
                    parts[title] = relations[key]
        return parts

    def _prepare(self, sheets: dict[str, str]) -> None:
        """The reader of rows as vectors, unless the workbook is put together in a manner of its own."""
        shell = {name: data for name, data in self.kept.items() if name.lower() in _SHELL}
        usual = "xl/workbook.xml" in shell and len(shell) == sum(name.lower() in _SHELL for name in self.entries)
        usual = usual and all(part.startswith("xl/worksheets/") for part in sheets.values())
        shared = next((part for part in self.entries if part.lower() == _SHARED), None)
        if usual and sheets:
            title, part = next(iter(sheets.items()))
            odd = OddCells(shell, part, title)
            strings = SharedStrings(odd)
            self.reader = RowReader(odd, Tails(odd), strings)
            before = self.inflated
            try:
                if shared is not None:
                    strings.load(shared, without_prefix(self._blocks(shared)))
                return
            except Unusual:
                self.reader, self.inflated = None, before
        if shared is not None:
            for _ in self._chunks(shared):
                pass

    def _sheet(self, title: str, part: str) -> tuple[SheetFacts, SheetXml | None]:
        before = self.inflated
        if self.reader is not None:
            try:
                blocks, size = without_prefix(self._blocks(part)), self.entries[part].file_size
                sheet = read_sheet(blocks, self.reader, size, partial(self._check_area, title))
            except Unusual:
                self.inflated = before
            else:
                facts = SheetFacts(hidden_rows=sheet.hidden_rows, rows=sheet.rows)
                note_all_hidden(facts, sheet.head, b"", b"col")
                return facts, sheet
        return self._scan(title, part), None

    def _scan(self, title: str, part: str) -> SheetFacts:
        scan, before = FastScan(), self.inflated
        first = next(self._blocks(part), b"")
        edge, self.inflated = b"<" + (prefix_of(first) or b"") + b"row", before
        for chunk in self._chunks(part, edge):
            scan.feed(chunk)
            if scan.odd:
                return self._slowly(title, part)
        if scan.extent_in_doubt():
            extent = Extent(scan.prefix)
            for chunk in self._chunks(part, edge):
                extent.feed(chunk)
            self._check_area(title, extent.last_row, extent.last_column, extent.cells)
        return scan.facts

    def _slowly(self, title: str, part: str) -> SheetFacts:
        """For XML that is right but written in no known program's manner: a full parse."""
        parser = SlowScan()
        for chunk in self._chunks(part):
            parser.feed(chunk)
        self._check_area(title, parser.last_row, parser.last_column, parser.values)
        return parser.facts

    def _check_area(self, title: str, last_row: int, last_column: int, cells: int) -> None:
        self.rows = self.rows_before + last_row + 1
        area = (last_row + 1) * (last_column + 1)
        far = f"{column_letters(last_column)}{last_row + 1}"
        if last_row >= 1_048_576 or last_column >= 16_384:
            raise DataError(f"“{self.name}”的工作表“{title}”里有超出表格边界的单元格（{far}）", _RESAVE)
        if area > MAX_AREA or (area > SPARSE_AREA and cells * SPARSE < area):
            raise DataError(
                f"“{self.name}”的工作表“{title}”只有 {cells} 个有内容的单元格，范围却一直到 {far}，没有读取",
                f"按 Ctrl+End 找到远处的单元格，把它所在的行、列整行整列删除，保存后再导入（范围 {far}）",
            )


def _custom_properties(xml: bytes) -> dict[str, str]:
    """Name and text of each custom document property."""
    return {item.get("name", ""): "".join(item.itertext()) for item in ElementTree.fromstring(xml) if item.get("name")}


def _what_zip(name: str, parts: set[str]) -> tuple[str, str]:
    """Message and advice for a zip that is no xlsx."""
    if "xl/workbook.bin" in parts:
        return f"“{name}”是二进制工作簿（xlsb）", _RESAVE
    if any(part.startswith("word/") for part in parts):
        return f"“{name}”是 Word 文档，不是表格", "把其中的表格复制到 Excel，另存为 .xlsx 后再导入"
    if any(part.startswith("ppt/") for part in parts):
        return f"“{name}”是演示文稿，不是表格", "请换成表格文件"
    if "content.xml" in parts:
        return f"“{name}”是 OpenDocument 表格（ods）", _RESAVE
    return f"“{name}”是压缩包，不是表格", "先解压，再导入其中的表格"
