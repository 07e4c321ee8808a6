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
from dataclasses import dataclass
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np

from jiuzhu_cli.tabular.cells import CellError
from jiuzhu_cli.tabular.column import BLANK, ERROR, kind_of, written
from jiuzhu_cli.tabular.convert import value_of
from jiuzhu_cli.tabular.words import masks

_TAIL = re.compile(rb'((?: (?:s|t|cm|vm|ph)="[^"<>&]*")*) ?(/?)>')
_TYPE, _STYLE = re.compile(rb' t="([^"]*)"'), re.compile(rb' s="([^"]*)"')
_FORMULA = re.compile(rb"<f(?: [^<>]*)?(?:/>|>[^<]*</f>)")
_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_FOOT = b"</sheetData></worksheet>"
_MOST_KEPT = 200_000


class Unusual(Exception):
    """XML that the vector reader does not read: the sheet goes to the kept reader. Never leaves the room."""


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

    def is_plain(self, style: bytes) -> bool:
        """Whether a number with this attribute (`` s="3"`` or nothing) is a number and no date."""
        return self.read([style + b"><v>1.5</v></c>"])[0].text == "1.5"

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


class Tails:
    """The forms in which cells' tags end (`` s="3" t="s">``), numbered as they are met, and what each says of the cell."""

    OTHER, NUMBER, DATED, STR, INLINE, SHARED = range(6)
    _TYPES: ClassVar = {b"": NUMBER, b"n": NUMBER, b"str": STR, b"inlineStr": INLINE, b"s": SHARED}
    _ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
    LONGEST = 24

    def __init__(self, odd: OddCells) -> None:
        self._odd, self._lock = odd, threading.Lock()
        # keys in order, their parts, what each form says: replaced at once, so that no thread sees half of it
        self._table = np.zeros(0, np.uint64), np.zeros((4, 0), np.uint64), np.zeros(0, np.uint8), np.zeros(0, bool)
        self._plain: dict[bytes, bool] = {}

    def forms(
        self, data: bytes, words: np.ndarray, begin: np.ndarray, end: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the tail in each span says (``OTHER`` … ``SHARED``), and whether it closes the cell. Unusual on other attributes."""
        length = (end - begin).astype(np.uint64)
        longest = int(length.max())
        if longest > self.LONGEST or int(length.min()) < 1:
            raise Unusual("attributes")
        first = words[begin] & masks(end - begin)
        last = np.where(length > 8, words[end - 8], np.uint64(0))
        middle = np.where(length > 16, words[begin + 8], np.uint64(0)) if longest > 16 else np.zeros_like(first)
        key = (first * self._ODD[0]) ^ (last * self._ODD[1]) ^ (middle * self._ODD[2]) ^ length
        while True:
            keys, parts, what, closed = self._table
            place = np.minimum(keys.searchsorted(key), max(len(keys) - 1, 0))
            unknown = np.flatnonzero(keys[place] != key) if len(keys) else np.arange(1)
            if not len(unknown):
                break
            one = unknown[0]
            with self._lock:
                if key[one] not in self._table[0]:
                    own = np.array([first[one], last[one], middle[one], length[one]], dtype=np.uint64)
                    self._add(bytes(data[begin[one] : end[one]]), key[one], own)
        for index, part in enumerate((first, last, middle, length)):
            if (index != 2 or longest > 16) and (parts[index][place] != part).any():
                raise Unusual("attributes")
        return what[place], closed[place]

    def _add(self, tail: bytes, key: np.uint64, own: np.ndarray) -> None:
        match = _TAIL.fullmatch(tail)
        if match is None:
            raise Unusual("attributes")
        types, styles = _TYPE.findall(match.group(1)), _STYLE.findall(match.group(1))
        if len(types) > 1 or len(styles) > 1:
            raise Unusual("attributes")
        says = self._TYPES.get(types[0] if types else b"", self.OTHER)
        if says == self.NUMBER:
            style = b' s="%s"' % styles[0] if styles else b""
            if style not in self._plain:
                self._plain[style] = self._odd.is_plain(style)
            says = self.NUMBER if self._plain[style] else self.DATED
        keys, parts, what, closed = self._table
        at = int(keys.searchsorted(key))
        self._table = (
            np.insert(keys, at, key), np.insert(parts, at, own, axis=1), np.insert(what, at, says),
            np.insert(closed, at, bool(match.group(2))),
        )  # fmt: skip
