"""Looks through an xlsx before the reader may: bombs and entities are refused, and what the reader would lose is noted.

The reader (calamine) allocates the whole rectangle up to the farthest cell and aborts the process when that is absurd; it
turns ``#N/A`` into a blank and knows nothing of hidden rows or of formulas that were never calculated. All of this is
found by one pass of ``bytes.find`` over each sheet's XML; the slower exact passes run only where something is odd. A large
sheet is read on the way (``slices``), piece by piece as it is found harmless.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from xml.etree import ElementTree
from xml.parsers import expat

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.cells import CellError, column_index, column_letters, split_reference
from jiuzhu_cli.tabular.slices import LARGE, MAX_SLICE, SlicedSheet, Slices

MAX_ENTRIES = 5_000
MAX_INFLATED = 4 << 30
MAX_RATIO = 400  # inflated : stored, beyond RATIO_FREE bytes; honest sheets stay below 100
RATIO_FREE = 32 << 20
MAX_AREA = 60_000_000  # cells of the rectangle that the reader would allocate
SPARSE_AREA, SPARSE = 2_000_000, 50  # larger than this, one cell in 50 must be filled
CHUNK = 1 << 20
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OFFICE_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension ref="(?:[A-Z]+\d+:)?([A-Z]+)(\d+)"')
_SHELL = {
    "[content_types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml", "xl/sharedstrings.xml",
}  # fmt: skip
_ELEMENT = re.compile(rb"<[A-Za-z_]")
_NUMBER = re.compile(rb"[0-9]{1,7}")
_LOWER = re.compile(rb'<c r="[a-z]')  # nobody writes it, the reader takes it
_NOTHING = re.compile(rb"(?!)")
_ROOT = re.compile(rb"<(?:([A-Za-z][\w.-]*):)?worksheet[\s>]")


@dataclass(slots=True)
class SheetFacts:
    """What the reader does not tell: ``errors`` by 0-based (row, column), hidden rows and columns, number of the last row in the file."""

    errors: dict[tuple[int, int], CellError] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    rows: int = 0


@dataclass(slots=True)
class XlsxFacts:
    sheets: dict[str, SheetFacts] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    read: dict[str, SlicedSheet] = field(default_factory=dict)  # large sheets, read on the way


def inspect_xlsx(data: bytes, name: str) -> XlsxFacts:
    """Facts of an xlsx/xlsm by sheet name. ``name`` (the file's) is for messages.

    DataError when it is no xlsx, damaged, encrypted, a bomb, has a DOCTYPE, or a cell absurdly far away.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _Inspector(archive, name).run()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise DataError(f"“{name}”已损坏，解不开", f"请报送人重新发送；若能打开，{_RESAVE}") from error
    except (ElementTree.ParseError, expat.ExpatError, UnicodeDecodeError) as error:
        raise DataError(f"“{name}”内部结构已损坏", f"若能打开，{_RESAVE}") from error


class _Inspector:
    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive, self.name = archive, name
        self.inflated = 0
        self.entries = {info.filename: info for info in archive.infolist()}

    def run(self) -> XlsxFacts:
        self._check_directory()
        facts = XlsxFacts()
        sheets = self._sheet_parts()
        parts = set(sheets.values())
        for part in self.entries:
            if part.endswith((".xml", ".rels")) and part not in parts:
                for _ in self._chunks(part):
                    pass  # counted, and refused on a DOCTYPE
        for title, part in sheets.items():
            facts.sheets[title], read = self._sheet(title, part)
            if read is not None:
                facts.read[title] = read
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

    def _chunks(self, part: str, edge: bytes = b"") -> Iterator[bytes]:
        """The part inflated piece by piece, cut before ``edge`` (so that no cell is split); limits are checked on the way."""
        info = self.entries[part]
        carry, inflated, first = b"", 0, True
        with self.archive.open(info) as stream:
            while block := stream.read(CHUNK):
                if first and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise DataError(f"“{self.name}”的内部编码不是 UTF-8", _RESAVE)
                inflated += len(block)
                self.inflated += len(block)
                if self.inflated > MAX_INFLATED or (
                    inflated > RATIO_FREE and inflated > MAX_RATIO * max(info.compress_size, 1)
                ):
                    raise DataError(
                        f"“{self.name}”解压后大得不正常（像压缩炸弹），没有读取",
                        f"请核对来源；确属正常表格时，{_RESAVE}",
                    )
                block = carry + block if carry else block
                # it can only stand before the root element, and later parts of a large sheet need not be searched again
                if first and (b"<!DOCTYPE" in block or b"<!ENTITY" in block):
                    raise DataError(f"“{self.name}”里含有 DOCTYPE 声明，正常表格没有，出于安全没有读取", _RESAVE)
                first = not _ELEMENT.search(block)
                cut = block.rfind(edge) if edge else block.rfind(b"<")
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
        if info.file_size > 16 << 20:
            raise DataError(f"“{self.name}”的部件 {part} 大得不正常", _RESAVE)
        return b"".join(self._chunks(part))

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
                if key in relations and relations[key] in self.entries:
                    parts[element.get("name", "")] = relations[key]
        return parts

    def _sheet(self, title: str, part: str) -> tuple[SheetFacts, SlicedSheet | None]:
        large = self.entries[part].file_size >= LARGE and self._shell_size() <= MAX_SLICE
        slices = Slices(self._shell(), part, title) if large else None
        try:
            facts = self._scan(title, part, slices)
        except BaseException:
            if slices is not None:
                slices.abandon()
            raise
        return facts, slices.finish() if slices is not None else None

    def _shell_size(self) -> int:
        return sum(info.file_size for name, info in self.entries.items() if name.lower() in _SHELL)

    def _shell(self) -> dict[str, bytes]:
        """The parts of the workbook that the cells of a sheet need."""
        return {name: b"".join(self._chunks(name)) for name in self.entries if name.lower() in _SHELL}

    def _scan(self, title: str, part: str, slices: Slices | None) -> SheetFacts:
        scan = _FastScan()
        for chunk in self._chunks(part, b"<row"):
            scan.feed(chunk)
            if slices is not None and not slices.failed:
                if scan.odd or scan.extent_in_doubt(self.entries[part].file_size):
                    slices.abandon()
                else:
                    slices.add(chunk)
            if scan.odd:
                return self._slowly(title, part)
        if scan.extent_in_doubt():
            extent = _Extent(scan.prefix)
            for chunk in self._chunks(part, b"<row"):
                extent.feed(chunk)
            self._check_area(title, extent.last_row, extent.last_column, extent.cells)
        return scan.facts

    def _slowly(self, title: str, part: str) -> SheetFacts:
        """For XML that is right but written in no known program's manner: a full parse."""
        parser = _SlowScan()
        for chunk in self._chunks(part):
            parser.feed(chunk)
        self._check_area(title, parser.last_row, parser.last_column, parser.values)
        return parser.facts

    def _check_area(self, title: str, last_row: int, last_column: int, cells: int) -> None:
        area = (last_row + 1) * (last_column + 1)
        far = f"{column_letters(last_column)}{last_row + 1}"
        if last_row >= 1_048_576 or last_column >= 16_384:
            raise DataError(f"“{self.name}”的工作表“{title}”里有超出表格边界的单元格（{far}）", _RESAVE)
        if area > MAX_AREA or (area > SPARSE_AREA and cells * SPARSE < area):
            raise DataError(
                f"“{self.name}”的工作表“{title}”只有 {cells} 个有内容的单元格，范围却一直到 {far}，没有读取",
                f"按 Ctrl+End 找到远处的单元格，把它所在的行、列整行整列删除，保存后再导入（范围 {far}）",
            )


class _FastScan:
    """One pass over a sheet written in the usual manner (``<c r="A1" ...>``, double quotes)."""

    def __init__(self) -> None:
        self.facts, self.odd, self.prefix = SheetFacts(), False, b""
        self._begun = self._beyond = self._formula_seen = False
        self._far, self._most_rows, self._most_columns = _NOTHING, 0, 0
        self._bytes = 0

    def feed(self, chunk: bytes) -> None:
        if not self._begun:
            self._begin(chunk)
            self._hidden(chunk, b"col")
        self._bytes += len(chunk)
        self._beyond = self._beyond or self._far.search(chunk) is not None
        if (b"'" in chunk and b"r='" in chunk) or (self._beyond and _LOWER.search(chunk)):
            self.odd = True
        if b"hidden=" in chunk:
            self._hidden(chunk, b"row")
        if b't="e"' in chunk:
            self._errors(chunk)
        self._formula_seen = self._formula_seen or self._formula_end in chunk
        if self._formula_seen:
            self._formulas(chunk)
        row = chunk.rfind(self._row)
        if row >= 0 and (number := _NUMBER.match(chunk, row + len(self._row))):
            self.facts.rows = max(self.facts.rows, int(number.group()))

    def _begin(self, chunk: bytes) -> None:
        self._begun = True
        root = _ROOT.search(chunk)
        if root is None:
            self.odd = True
            self.prefix = b""
        elif root.group(1):
            self.prefix = root.group(1) + b":"
        self._cell = b"<" + self.prefix + b'c r="'
        self._row = b"<" + self.prefix + b'row r="'
        self._formula_end = b"</" + self.prefix + b"f>"
        claimed = _DIMENSION.search(chunk[: 1 << 16])
        if claimed and len(claimed.group(1)) <= 3 and len(claimed.group(2)) <= 7:
            self._far, self._most_rows, self._most_columns = _beyond_corner(claimed.group(1), claimed.group(2))
        else:
            self._beyond = True
        p = re.escape(self.prefix)
        v = b"<" + p + b"v"
        self._uncalculated = re.compile(
            b"<%sf(?:/>|>[^<]*</%sf>| [^>]*?(?:/>|>[^<]*</%sf>))\\s*(%s\\s*/>|%s>\\s*</%sv>)?\\s*</%sc>"
            % (p, p, p, v, v, p, p)
        )
        self._value = re.compile(v + b">([^<]*)<")

    def extent_in_doubt(self, size: int = 0) -> bool:
        """Whether the file's own word about its extent cannot be relied on, or is too large to be taken on trust.

        ``size``: bytes of the whole sheet, as the archive states them; by default what has been seen.
        """
        if self._beyond:
            return True
        bound = self._most_rows * self._most_columns
        # a cell takes 20 bytes at least
        return bound > MAX_AREA or (bound > SPARSE_AREA and (size or self._bytes) // 20 * SPARSE < bound)

    def _address(self, chunk: bytes, before: int) -> tuple[int, int] | None:
        start = chunk.rfind(self._cell, 0, before)
        if start < 0:
            return None
        start += len(self._cell)
        return split_reference(chunk[start : chunk.find(b'"', start, start + 12)].decode("ascii", "replace"))

    def _errors(self, chunk: bytes) -> None:
        at = chunk.find(b't="e"')
        while at >= 0:
            opening = chunk.rfind(b"<", 0, at)
            if chunk.startswith(b"<" + self.prefix + b"c ", opening):
                where = self._address(chunk, at)
                if where is None or not chunk.startswith(self._cell, opening):
                    self.odd = True
                    return
                end = chunk.find(b"</" + self.prefix + b"c>", at)
                value = self._value.search(chunk, at, end if end >= 0 else len(chunk))
                code = value.group(1).decode("utf-8", "replace") if value else ""
                self.facts.errors[where] = CellError(code or "#VALUE!")
            at = chunk.find(b't="e"', at + 5)

    def _formulas(self, chunk: bytes) -> None:
        for match in self._uncalculated.finditer(chunk):
            opening = chunk.rfind(b"<" + self.prefix + b"c", 0, match.start())
            where = self._address(chunk, match.start())
            if where is None or not chunk.startswith(self._cell, opening):
                self.odd = True
                return
            if not (match.group(1) and b't="str"' in chunk[opening : match.start()]):
                self.facts.errors.setdefault(where, CellError("formula_without_value"))

    def _hidden(self, chunk: bytes, what: bytes) -> None:
        pattern = b"<" + re.escape(self.prefix) + what + rb' ([^>]*?)hidden="(?:1|true)"([^>]*)>'
        for match in re.finditer(pattern, chunk):
            _note_hidden(self.facts, what == b"col", (match.group(1) + match.group(2)).decode("ascii", "replace"))


def _beyond_corner(letters: bytes, digits: bytes) -> tuple[re.Pattern[bytes], int, int]:
    """A pattern of references well beyond a corner, and how many rows and columns those that it does not match can have.

    Fit for a pass over every cell: it looks at the number of letters and digits and at the first one or two of them.
    """
    first, many = letters[:1], len(digits)
    if len(letters) == 1:
        near, columns = b"[A-Z]", 26
    elif len(letters) == 2:
        near, columns = b"[A-%s]?[A-Z]" % first, (column_index(first.decode()) + 2) * 26
    else:
        near, columns = b"[A-Z]{1,3}", 18278
    if many == 1:
        low, rows = b"[0-9]", 9
    else:
        lead, second, rest = digits[:1], digits[1:2], many - 2
        rows = (int(digits[:2]) + 1) * 10**rest - 1
        low = b"[0-9]{1,%d}|%s[0-%s][0-9]{%d}" % (many - 1, lead, second, rest)
        low += b"|[0-%d][0-9]{%d}" % (int(lead) - 1, many - 1) if lead > b"1" else b""
    return re.compile(b'r="(?=[A-Z]|[a-z]{1,3}[0-9])(?!%s(?:%s)")' % (near, low)), rows, columns


def _note_hidden(facts: SheetFacts, is_column: bool, attributes: str) -> None:
    values: dict[str, str] = dict(re.findall(r'(\w+)="(\d+)"', attributes))
    if is_column and "min" in values:
        last = min(int(values.get("max", values["min"])), 16_384)
        if last - int(values["min"]) < 2_000:  # "everything to the right hidden" is a frame, not a hidden column
            facts.hidden_columns.update(range(int(values["min"]) - 1, last))
    elif not is_column and "r" in values:
        facts.hidden_rows.add(int(values["r"]) - 1)


class _Extent:
    """The farthest cell that has a value, exactly; blank styled cells do not count (the reader skips them too)."""

    def __init__(self, prefix: bytes) -> None:
        self.last_row = self.last_column = -1
        self.cells = 0
        p = re.escape(prefix)
        self._pattern = re.compile(b'<%sc r="([A-Z]+)([0-9]+)"(?:[^>]*[^/>])?>\\s*<%s(?:v|f|is)[ />]' % (p, p))
        self._columns: dict[bytes, int] = {}

    def feed(self, chunk: bytes) -> None:
        found = self._pattern.findall(chunk)
        self.cells += len(found)
        if found:
            rows: set[bytes] = {row for _, row in found}
            longest = max(map(len, rows))
            self.last_row = max(self.last_row, int(max(row for row in rows if len(row) == longest)) - 1)
            self.last_column = max(self.last_column, *(column_index(c.decode()[:8]) for c in {c for c, _ in found}))


class _SlowScan:
    """A namespace-aware parse of a sheet's XML that finds the same facts as ``_FastScan`` and ``_Extent``."""

    def __init__(self) -> None:
        self.facts = SheetFacts()
        self.last_row = self.last_column = -1
        self.values = 0
        self._row, self._column = -1, -1
        self._kind, self._formula, self._valued, self._text = "", False, False, ""
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._in_value = False

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            place = split_reference(attributes.get("r", "").upper())
            self._row, self._column = place or (self._row, self._column + 1)
            self._kind, self._formula, self._valued, self._text = attributes.get("t", ""), False, False, ""
        elif tag == "row":
            number = attributes.get("r", "")
            self._row, self._column = (int(number) - 1 if number.isdigit() else self._row + 1), -1
            self.facts.rows = max(self.facts.rows, self._row + 1)
            if attributes.get("hidden") in ("1", "true"):
                self.facts.hidden_rows.add(self._row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            _note_hidden(self.facts, True, " ".join(f'{k}="{v}"' for k, v in attributes.items()))
        elif tag == "f":
            self._formula = True
        elif tag in ("v", "is"):
            self._valued, self._in_value = True, tag == "v"

    def _characters(self, text: str) -> None:
        if self._in_value:
            self._text += text

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag == "v":
            self._in_value = False
        elif tag == "c" and (self._valued or self._formula):
            self.values += 1
            self.last_row, self.last_column = max(self.last_row, self._row), max(self.last_column, self._column)
            where = (self._row, self._column)
            if self._kind == "e":
                self.facts.errors[where] = CellError(self._text or "#VALUE!")
            elif self._formula and not self._text.strip() and not (self._kind == "str" and self._valued):
                self.facts.errors[where] = CellError("formula_without_value")


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
