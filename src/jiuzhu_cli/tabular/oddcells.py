"""What vectors do not read of a sheet - dates, texts with formats, entities, errors - read by the kept reader, once a writing.

Cells of the same writing have the same value, so each distinct writing is handed over once: in a small workbook that has
the styles and the properties of the real one and a sheet of nothing but these cells. So the value is the very one that the
kept reader gives when it reads the sheet itself.
"""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np

from jiuzhu_cli.tabular.cells import CellError
from jiuzhu_cli.tabular.column import BLANK, ERROR, kind_of, written
from jiuzhu_cli.tabular.convert import value_of
from jiuzhu_cli.tabular.words import Unusual, masks

_TAIL = re.compile(rb'(?: (?:s|t|cm|vm|ph)="[^"<>&]*")* ?(/?)>')
_TYPE, _STYLE = re.compile(rb' t="([^"]*)"'), re.compile(rb' s="([^"]*)"')
_SIMPLE = re.compile(rb'(?: (?:s|t|cm|vm|ph)="[^"<>&]*")*><v>[^<>&]+</v></c>')
_FORMULA = re.compile(rb"<f(?: [^<>]*)?(?:/>|>[^<]*</f>)")
_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_FOOT = b"</sheetData></worksheet>"
_FORMAT = re.compile(rb"numFmtId\s*=\s*.(\d*)")
_PLAIN_FORMATS = frozenset(b"%d" % number for number in (*range(5), *range(9, 14), 37, 38, 39, 40, 48, 49))
_MOST_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Kind and text of a cell (see ``column``); ``present``: it counts for the extent of the sheet even when blank."""

    kind: int
    text: str | None
    present: bool


class OddCells:
    """The kept reader's answers, kept. ``shell``: the parts of the workbook that cells need; ``part``, ``title``: of one sheet."""

    def __init__(self, shell: Mapping[str, bytes], part: str, title: str) -> None:
        self._shell, self._part, self._title = shell, part, title
        self._known: dict[bytes, Answer] = {}
        self._lock = threading.Lock()

    def read(self, bodies: list[bytes]) -> list[Answer]:
        """``bodies``: cells from behind the reference to their end. Unusual when one is no whole cell or cannot be read."""
        with self._lock:
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            fresh: dict[bytes, list[bytes]] = {}
            for body in bodies:
                if body not in self._known and (answer := _at_once(body)) is not None:
                    self._known[body] = answer
                elif body not in self._known:
                    fresh.setdefault(_FORMULA.sub(b"", body), []).append(body)
            if fresh:
                for writings, answer in zip(fresh.values(), self._answers(list(fresh)), strict=True):
                    self._known.update(dict.fromkeys(writings, answer))
            return [self._known[body] for body in bodies]

    @property
    def looks(self) -> bytes:
        """The workbook's styles as they are written."""
        return self._shell.get("xl/styles.xml", b"")

    def are_plain(self, styles: list[bytes]) -> list[bool]:
        """Whether a number with each of these attributes (`` s="3"`` or nothing) is a number and no date."""
        looks = self.looks
        if b"<numFmt" not in looks and _PLAIN_FORMATS.issuperset(_FORMAT.findall(looks)):
            return [True] * len(styles)
        return [answer.text == "1.5" for answer in self.read([style + b"><v>1.5</v></c>" for style in styles])]

    def _answers(self, bodies: list[bytes]) -> list[Answer]:
        answers = []
        for body, cell in zip(bodies, self.ask(bodies, {})[0], strict=True):
            if cell == "":  # nothing at all, or a text without a character
                answers.append(Answer(BLANK, None, self.ask([body], {})[1]))
            else:
                value = value_of(cell)
                answers.append(Answer(kind_of(value), written(value), True))
        return answers

    def ask(self, bodies: list[bytes], more: Mapping[str, bytes]) -> tuple[list[Any], bool]:
        """Values of cells, '' for none, and whether the sheet has any cell at all. ``more``: further parts of the workbook."""
        from python_calamine import CalamineError, CalamineWorkbook

        rows = b"".join(b'<row r="%d"><c r="A%d"%s</row>' % (n, n, body) for n, body in enumerate(bodies, 1))
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w") as archive:
            for name, data in {**self._shell, **more, self._part: _HEAD + rows + _FOOT}.items():
                archive.writestr(name, data)
        book.seek(0)
        try:
            with CalamineWorkbook.from_filelike(book) as workbook:
                sheet = workbook.get_sheet_by_name(self._title)
                found = [row[0] for row in sheet.to_python(skip_empty_area=False)]
                return found + [""] * (len(bodies) - len(found)), sheet.start is not None
        except (CalamineError, OSError, ValueError, OverflowError):
            raise Unusual("kept reader") from None
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # the reader's own failure, not an Exception
                raise
            raise Unusual("kept reader") from None


def _at_once(body: bytes) -> Answer | None:
    """Errors and formulas without a value, of which the kept reader tells nothing. Unusual when it is no whole cell."""
    if _SIMPLE.fullmatch(body) and b't="e"' not in body:
        return None
    try:
        cell = ElementTree.fromstring(b"<c" + body)
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError):
        raise Unusual("cell") from None
    if any(child.tag not in ("f", "v", "is") for child in cell):
        raise Unusual("cell")
    value = cell.find("v")
    text = "".join(one.text or "" for one in cell.findall("v"))
    kind = cell.get("t")
    if kind == "e" and len(cell):
        error = CellError(text or "#VALUE!")
    elif cell.find("f") is not None and not text.strip() and not (kind == "str" and value is not None):
        if cell.find("is") is not None:
            raise Unusual("cell")
        error = CellError("formula_without_value")
    else:
        return None
    return Answer(ERROR, error.code, True)


_BEYOND = (0, 8, 16, 0)  # bytes of a tail from which each part of its key says something
Table = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _no_forms() -> Table:
    return np.zeros(0, np.uint64), np.zeros((4, 0), np.uint64), np.zeros(0, np.uint8), np.zeros(0, bool)


@dataclass(slots=True)
class _Forms:
    """What is known of the forms of tails, and of the styles among them."""

    table: Table = field(default_factory=_no_forms)  # keys in order, their parts, what each says: replaced at once
    plain: dict[bytes, bool] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@lru_cache(maxsize=8)
def _forms_of(looks: bytes) -> _Forms:
    """For workbooks with these very styles, as one program writes them: file after file has the same forms."""
    return _Forms()


class Tails:
    """The forms in which cells' tags end (`` s="3" t="s">``), numbered as they are met, and what each says of the cell."""

    OTHER, NUMBER, DATED, STR, INLINE, SHARED = range(6)
    _TYPES: ClassVar = {b"": NUMBER, b"n": NUMBER, b"str": STR, b"inlineStr": INLINE, b"s": SHARED}
    _ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
    LONGEST, _FEW = 24, 256
    _LIGHT, _MOST = 1 << 16, 4096  # bytes of styles and number of forms that are kept for the next workbook

    def __init__(self, odd: OddCells) -> None:
        self._odd = odd
        self._known = _forms_of(odd.looks) if len(odd.looks) <= self._LIGHT else _Forms()
        if len(self._known.table[0]) > self._MOST:
            self._known = _Forms()

    def forms(
        self, data: bytes, words: np.ndarray, begin: np.ndarray, end: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the tail in each span says (``OTHER`` … ``SHARED``), and whether it closes the cell. Unusual on other attributes."""
        length = (end - begin).astype(np.uint64)
        longest = int(length.max())
        if longest > self.LONGEST or int(length.min()) < 1:
            raise Unusual("attributes")
        first = words[begin] & masks(end - begin)
        # most tails fit into a word; what only longer ones have is zero
        nothing = np.broadcast_to(np.uint64(0), first.shape)
        last = np.where(length > 8, words[end - 8], np.uint64(0)) if longest > 8 else nothing
        middle = np.where(length > 16, words[begin + 8], np.uint64(0)) if longest > 16 else nothing
        key = (first * self._ODD[0]) ^ length
        if longest > 8:
            key ^= (last * self._ODD[1]) ^ (middle * self._ODD[2])
        keys, parts, what, closed = self._known.table
        place = np.minimum(keys.searchsorted(key), max(len(keys) - 1, 0))
        unknown = (keys[place] != key).nonzero()[0] if len(keys) else np.arange(len(key))
        few = self._FEW
        while len(unknown):  # the first cells have nearly all the forms of a sheet: all cells need not be sorted
            some, few = unknown[:few], 8 * few
            _, one = np.unique(key[some], return_index=True)
            one = some[one]
            own = np.array([first[one], last[one], middle[one], length[one]], dtype=np.uint64)
            texts = [bytes(data[a:b]) for a, b in zip(begin[one].tolist(), end[one].tolist(), strict=True)]
            with self._known.lock:
                keys, parts, what, closed = self._add(texts, key[one], own)
            place = np.minimum(keys.searchsorted(key), len(keys) - 1)
            unknown = (keys[place] != key).nonzero()[0]
        for index, part in enumerate((first, last, middle, length)):
            if longest > _BEYOND[index] and (parts[index][place] != part).any():
                raise Unusual("attributes")
        return what[place], closed[place]

    def _add(self, tails: list[bytes], key: np.ndarray, own: np.ndarray) -> Table:
        """The table with these tails in it."""
        fresh = []
        for tail in tails:
            match = _TAIL.fullmatch(tail)
            types, styles = _TYPE.findall(tail), _STYLE.findall(tail)
            if match is None or len(types) > 1 or len(styles) > 1:
                raise Unusual("attributes")
            says = self._TYPES.get(types[0] if types else b"", self.OTHER)
            fresh.append((says, b' s="%s"' % styles[0] if styles else b"", bool(match.group(1))))
        known = self._known
        asked = sorted({style for says, style, _ in fresh if says == self.NUMBER} - known.plain.keys())
        known.plain.update(zip(asked, self._odd.are_plain(asked) if asked else [], strict=True))
        kinds = [self.DATED if says == self.NUMBER and not known.plain[style] else says for says, style, _ in fresh]
        keys, parts, what, closed = known.table
        added = ~np.isin(key, keys)  # another thread may have met the same
        keys, parts = np.append(keys, key[added]), np.hstack([parts, own[:, added]])
        what = np.append(what, np.array(kinds, dtype=np.uint8)[added])
        closed = np.append(closed, np.array([one[2] for one in fresh], dtype=bool)[added])
        order = np.argsort(keys)
        known.table = keys[order], parts[:, order], what[order], closed[order]
        return known.table
