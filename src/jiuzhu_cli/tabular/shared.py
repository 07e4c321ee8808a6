"""The shared strings of a workbook read as vectors; those with formats or entities by the kept reader."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.tabular.column import BLANK, TEXT
from jiuzhu_cli.tabular.oddcells import OddCells
from jiuzhu_cli.tabular.words import (
    ENDS,
    PAD,
    Unusual,
    escapes,
    flags_of,
    indices,
    literal,
    spans,
    stands,
    strings,
    words_of,
)

CHUNK = 1 << 20
_LONGEST_HEAD, _LONGEST_ITEM = 1 << 16, 16 << 20
_SST = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
_ITEM, _ITEM_MASK = literal(b"<si>")
_NO_ITEM, _NO_ITEM_MASK = literal(b"<si/>")
_PLAIN, _PLAIN_MASK = literal(b"<si><t>")
_SPACED, _ = literal(b"<si><t x")
_SPACED_TEXT = b'<si><t xml:space="preserve">'
_END, _ = literal(b"</t></si")
_PHONETIC_END, _ = literal(b"</t><pho")
_ITEM_END, _ITEM_END_MASK = literal(b"</si>")


class SharedStrings:
    """``text``: null, then the strings in order, null when empty; ``kinds`` beside them. Empty until they are loaded."""

    def __init__(self, odd: OddCells) -> None:
        self._odd = odd
        self._part = ""
        self.text = pa.nulls(1, pa.string())
        self.kinds = np.zeros(1, dtype=np.uint8)

    def load(self, part: str, blocks: Iterable[bytes]) -> None:
        """Reads them from ``blocks`` of the inflated ``part``. Unusual, and nothing loaded, when not written in the plain manner."""
        self._part = part
        text = pa.concat_arrays([self.text[:1], *map(self._chunk, _cut(blocks))])
        self.kinds = np.where(flags_of(text.is_valid()), TEXT, BLANK).astype(np.uint8)
        self.text = text

    def __len__(self) -> int:
        return len(self.kinds) - 1

    def _chunk(self, data: bytes) -> pa.StringArray:
        every, words, size = np.frombuffer(data, dtype=np.uint8), words_of(data), len(data) - len(PAD)
        ends = np.flatnonzero(every[: size + ENDS] == 60)
        tags = ends[:-ENDS]
        items = np.flatnonzero(every.take(tags + 1) == ord("s"))
        heads = words[tags[items]]
        mine = ((heads & _ITEM_MASK) == _ITEM) | ((heads & _NO_ITEM_MASK) == _NO_ITEM)
        if not mine.all():  # <sz>, <strike> of a text with formats
            if (every.take(tags[items[~mine]] + 2) == ord("i")).any():
                raise Unusual("shared strings")
            items = items[mine]
        if not len(items) or items[0] != 0 or tags[0] != 0:
            raise Unusual("shared strings")
        following = np.append(items[1:], len(tags))
        total, after = following - items, ends[following]
        begin = tags[items]
        spaced = np.zeros(len(items), dtype=bool)
        plain = (words[begin] & _PLAIN_MASK) == _PLAIN
        maybe = np.flatnonzero(words[begin] == _SPACED)
        if len(maybe):
            spaced[maybe] = stands(words, begin[maybe], _SPACED_TEXT)
        end = ends[items + 2]
        last = ends[items + total - 1]
        short = (total == 4) & (words[end] == _END) & (last == end + 4)
        phonetic = (total == 5) & (words[end] == _PHONETIC_END) & (every.take(last - 2) == 47)
        closed = ((words[last] & _ITEM_END_MASK) == _ITEM_END) & self._blank(every, last + 5, after)
        plain = (plain | spaced) & (short | phonetic) & closed
        start = begin + np.where(spaced, len(_SPACED_TEXT), 7)
        found = escapes(data)
        if len(found):
            plain[np.searchsorted(begin, found, side="right") - 1] = False
        return self._texts(data, begin, after, start, end, plain)

    @staticmethod
    def _blank(every: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Whether nothing or one line end stands there."""
        gap = end - begin
        return (gap == 0) | ((gap == 1) & (every.take(begin) == 10))

    def _texts(
        self, data: bytes, begin: np.ndarray, after: np.ndarray, start: np.ndarray, end: np.ndarray, plain: np.ndarray
    ) -> pa.StringArray:
        code = np.zeros(len(plain), dtype=np.int32)
        here = np.flatnonzero(plain)
        code[here] = np.where(start[here] < end[here], np.arange(1, 2 * len(here), 2), 0)
        try:
            text = spans(data, start[here], end[here], between=True).take(indices(code)).cast(pa.string())
        except pa.ArrowInvalid:
            raise Unusual("encoding") from None
        rest = np.flatnonzero(~plain)
        if len(rest):
            if b"<!" in data or b"<?" in data:
                raise Unusual("comment")
            items = [data[a:b].strip() for a, b in zip(begin[rest].tolist(), after[rest].tolist(), strict=True)]
            try:
                if any(ElementTree.fromstring(item).tag != "si" for item in items):
                    raise Unusual("shared strings")
            except (ElementTree.ParseError, UnicodeDecodeError, ValueError):
                raise Unusual("shared strings") from None
            cells = [b' t="s"><v>%d</v></c>' % number for number in range(len(items))]
            found, _ = self._odd.ask(cells, {self._part: _SST + b"".join(items) + b"</sst>"})
            if not all(type(value) is str for value in found):
                raise Unusual("shared strings")
            code[:] = 0
            code[rest] = np.arange(1, len(rest) + 1)
            odd = strings([None, *(value or None for value in found)])
            text = pc.coalesce(text, odd.take(indices(code)))
        return text


def _well_formed(xml: bytes) -> bool:
    try:
        expat.ParserCreate().Parse(xml, True)
    except expat.ExpatError:
        return False
    return True


def _cut(blocks: Iterable[bytes]) -> Iterable[bytes]:
    """The part cut before ``<si>``, with room behind each piece."""
    held, begun = b"", False
    for block in blocks:
        held += block
        if not begun:
            at = held.find(b"<si")
            if at < 0:
                if len(held) > _LONGEST_HEAD:
                    raise Unusual("shared strings")
                continue
            if b"<!" in held[:at] or b"<sst" not in held[:at] or not _well_formed(held[:at] + b"</sst>"):
                raise Unusual("shared strings")
            held, begun = held[at:], True
        if len(held) >= CHUNK:
            at = held.rfind(b"<si>")
            if at > 0:
                yield held[:at] + PAD
                held = held[at:]
            elif len(held) > _LONGEST_ITEM:
                raise Unusual("shared strings")
    at = held.rfind(b"</sst>")
    if begun:
        if at < 0 or held[at + 6 :].strip():
            raise Unusual("shared strings")
        yield held[:at] + PAD
    elif b"<sst" not in held or b"<!" in held:
        raise Unusual("shared strings")
