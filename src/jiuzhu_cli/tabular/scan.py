"""A worksheet's XML looked through for the kept reader: what it does not tell of the cells, and how far they reach.

``FastScan`` is one pass of ``bytes.find``; ``Extent`` and ``SlowScan`` are the exact passes for where something is odd.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from jiuzhu_cli.tabular.cells import CellError, column_index, split_reference

MAX_AREA = 60_000_000  # cells of the rectangle that the reader would allocate
SPARSE_AREA, SPARSE = 2_000_000, 50  # larger than this, one cell in 50 must be filled
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension ref="(?:[A-Z]+\d+:)?([A-Z]+)(\d+)"')
_NUMBER = re.compile(rb"[0-9]{1,7}")
_LOWER = re.compile(rb'<c r="[a-z]')  # nobody writes it, the reader takes it
_NOTHING = re.compile(rb"(?!)")
_ROOT = re.compile(rb"<(?:([A-Za-z][\w.-]*):)?worksheet[\s>]")


@dataclass(slots=True)
class SheetFacts:
    """What the reader does not tell: ``errors`` by 0-based (row, column), hidden rows and columns, number of the last row in the file,
    cells crossed out."""

    errors: dict[tuple[int, int], CellError] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    rows: int = 0
    struck: set[tuple[int, int]] = field(default_factory=set)


class FastScan:
    """One pass over a sheet written in the usual manner (``<c r="A1" ...>``, double quotes)."""

    def __init__(self) -> None:
        self.facts, self.odd, self.prefix = SheetFacts(), False, b""
        self._begun = self._beyond = self._formula_seen = False
        self._far, self._most_rows, self._most_columns = _NOTHING, 0, 0
        self._bytes = 0

    def feed(self, chunk: bytes) -> None:
        if not self._begun:
            self._begin(chunk)
            note_all_hidden(self.facts, chunk, self.prefix, b"col")
        self._bytes += len(chunk)
        self._beyond = self._beyond or self._far.search(chunk) is not None
        if (b"'" in chunk and b"r='" in chunk) or (self._beyond and _LOWER.search(chunk)):
            self.odd = True
        if b"hidden=" in chunk:
            note_all_hidden(self.facts, chunk, self.prefix, b"row")
        if b't="e"' in chunk:
            self._errors(chunk)
        self._formula_seen = self._formula_seen or self._formula in chunk
        if self._formula_seen:
            self._formulas(chunk)
        row = chunk.rfind(self._row)
        if row >= 0 and (number := _NUMBER.match(chunk, row + len(self._row))):
            self.facts.rows = max(self.facts.rows, int(number.group()))

    def _begin(self, chunk: bytes) -> None:
        self._begun = True
        prefix = prefix_of(chunk)
        self.odd, self.prefix = prefix is None, prefix or b""
        self._cell = b"<" + self.prefix + b'c r="'
        self._row = b"<" + self.prefix + b'row r="'
        self._formula = b"<" + self.prefix + b"f"
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

    def extent_in_doubt(self) -> bool:
        """Whether the file's own word about its extent cannot be relied on, or is too large to be taken on trust."""
        if self._beyond:
            return True
        bound = self._most_rows * self._most_columns
        # a cell takes 20 bytes at least
        return bound > MAX_AREA or (bound > SPARSE_AREA and self._bytes // 20 * SPARSE < bound)

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
                close = chunk.find(b">", at)
                if close > 0 and chunk[close - 1 : close] != b"/":  # without a value it says nothing
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


def note_all_hidden(facts: SheetFacts, chunk: bytes, prefix: bytes, what: bytes) -> None:
    """Notes the hidden ``row`` or ``col`` elements of ``chunk``."""
    pattern = b"<" + re.escape(prefix) + what + rb' ([^>]*?)hidden="(?:1|true)"([^>]*)>'
    for match in re.finditer(pattern, chunk):
        _note_hidden(facts, what == b"col", (match.group(1) + match.group(2)).decode("ascii", "replace"))


def prefix_of(beginning: bytes) -> bytes | None:
    """The namespace prefix of a sheet's tags with its colon, mostly b""; None when the root is not found."""
    root = _ROOT.search(beginning)
    return None if root is None else root.group(1) + b":" if root.group(1) else b""


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


class Extent:
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


class SlowScan:
    """A namespace-aware parse of a sheet's XML that finds the same facts as ``FastScan`` and ``Extent``."""

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
