"""What a bank's file shows of its own form: container, encoding, line end, delimiter or the cuts between fixed widths."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jiuzhu_cli.core.account import is_card, luhn
from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.identity import parse_id

LOOKED_AT = 2000  # lines that decide on the form
Encoding = Literal["gbk", "gb18030", "utf-8", "utf-8-sig"]
_MARKS = re.compile(r"[^\w\s.\-·，。、（）()：:“”/*+\"\']")
_BOOKS = {b"PK\x03\x04": "xlsx", b"\xd0\xcf\x11\xe0": "xls"}


@dataclass(frozen=True, slots=True)
class TextForm:
    """A text file's form. ``delimiter`` '' : fixed width, cut at ``cuts`` (bytes; 0 and the whole length included).
    ``apart``: lines as long as the others that state the others' count and sum. ``unsure``: Chinese, what cannot be told."""

    encoding: Encoding
    line_end: str
    lines: list[bytes]
    delimiter: str = ""
    end_delimiter: bool = False
    cuts: tuple[int, ...] = ()
    unsure: tuple[str, ...] = ()
    apart: frozenset[int] = frozenset()

    @property
    def codec(self) -> str:
        return "utf-8" if self.encoding == "utf-8-sig" else self.encoding


def container_of(data: bytes) -> str:
    """``xlsx``, ``xls``, ``xml`` or ``text``, by the first bytes."""
    for magic, kind in _BOOKS.items():
        if data.startswith(magic):
            return kind
    return "xml" if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" else "text"


def encoding_of(data: bytes) -> tuple[Encoding, str]:
    """The encoding, and what is unsure of it: a file of ASCII alone says nothing. DataError when it is none that banks use."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig", ""
    if data.isascii():
        return "gbk", "样例里没有汉字，看不出编码，按 gbk 起草"
    for encoding in ("utf-8", "gbk", "gb18030"):
        try:
            data.decode(encoding)
            return encoding, ""  # type: ignore[return-value]
        except UnicodeDecodeError:
            continue
    raise DataError("文件不是 GBK、GB18030 或 UTF-8 编码的文本", "请银行按约定的编码重新给文件")


def text_form(data: bytes) -> TextForm:
    """The form of a text file. DataError when it is empty, in no known encoding, or neither delimited nor of fixed width."""
    encoding, unsure = encoding_of(data)
    body = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\x1a")
    line_end = "\r\n" if b"\r\n" in body else "\n"
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError("样例是空的", "给一份有几笔明细的样例")
    notes = [unsure] if unsure else []
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    texts = [line.decode(codec) for line in lines[:LOOKED_AT]]
    if sum(text.count('"') >= 2 for text in texts) * 2 > len(texts):
        raise DataError(
            "样例是带引号的 csv，银行文件的格式没有引号",
            "在 WPS/Excel 里打开，另存为 xlsx 再起草；或请银行给不带引号的样例",
        )
    delimiter = delimiter_of(texts)
    if delimiter:
        counts = Counter(text.count(delimiter) for text in texts)
        usual = counts.most_common(1)[0][0]
        rows = [text for text in texts if text.count(delimiter) == usual]
        ends = all(text.rstrip().endswith(delimiter) for text in rows)
        return TextForm(encoding, line_end, lines, delimiter, ends, (), tuple(notes))
    width = Counter(map(len, lines)).most_common(1)[0][0]
    same = [at for at, line in enumerate(lines[:LOOKED_AT]) if len(line) == width]
    if width < 8 or len(same) < max(2, 0.6 * min(len(lines), LOOKED_AT)):
        raise DataError("看不出分隔符，各行的字节数也不一样", "给一份明细至少三笔的样例；定长文件每行字节数要相同")
    others = [line.decode(codec) for line in lines[:LOOKED_AT] + lines[-1:] if len(line) != width]
    apart = _stating(lines, width, codec) if len(lines) <= LOOKED_AT else frozenset()
    details = [lines[at] for at in same if at not in apart]
    cuts, more = cuts_of(details, codec, [*others, *(lines[at].decode(codec) for at in sorted(apart))])
    return TextForm(encoding, line_end, lines, "", False, cuts, (*notes, *more), apart)


def _stating(lines: Sequence[bytes], width: int, codec: str) -> frozenset[int]:
    """The first or last line where it is as long as the details, but states how many they are and what a column of them makes.

    Banks often give every record one length. Taken for a detail, such a line hides all columns.
    """
    for at in (len(lines) - 1, 0):
        details = [line for n, line in enumerate(lines) if n != at and len(line) == width]
        if len(lines[at]) != width or len(details) < 2:
            continue
        text = lines[at].decode(codec)
        told = {int(run[a:b]) for run in re.findall(r"\d{1,40}", text) for a, b in _parts(len(run))}
        cuts, _ = cuts_of(details, codec, [text])
        columns = ([line[a:b].strip() for line in details] for a, b in itertools.pairwise(cuts))
        sums = {sum(map(int, cells)) for cells in columns if all(map(bytes.isdigit, cells))}
        if len(details) in told and (told & sums) - {0, len(details)}:
            return frozenset((at,))
    return frozenset()


def _parts(length: int) -> list[tuple[int, int]]:
    """A run of digits as two numbers that meet anywhere: a count and a sum, both filled with zeros."""
    return [pair for at in range(1, length + 1) for pair in ((0, at), (at, length)) if pair[0] < pair[1]]


def delimiter_of(texts: Sequence[str]) -> str:
    """The mark that stands equally often in most lines; several characters where one never stands without the other; '' none."""
    best, most = "", (0.0, 0)
    for mark in {char for text in texts[:200] for char in _MARKS.findall(text) + (["\t"] if "\t" in text else [])}:
        counts = Counter(text.count(mark) for text in texts)
        times, lines = counts.most_common(1)[0]
        if not times:
            times, lines = max(((t, n) for t, n in counts.items() if t), key=lambda one: one[1], default=(0, 0))
        share = lines / len(texts)
        if times >= 1 and share >= 0.5 and (times >= 2 or share > 0.9) and (share, times) > most:
            best, most = mark, (share, times)
    if not best:
        return ""
    if best == "," and all(re.search(r"(?<!\d)\d{1,3},\d{3}(?!\d)", text) for text in texts):  # thousands, not columns
        return ""
    runs = {
        text[a:b]
        for text in texts[:50]
        for i in _places(text, best)
        for a in range(max(i - 4, 0), i + 1)
        for b in range(i + 1, i + 6)
    }
    longer = [run for run in runs if best in run and all(map(_MARKS.fullmatch, run)) and _always(texts, best, run)]
    return max(longer, key=len, default=best)


def _places(text: str, mark: str) -> list[int]:
    found, at = [], text.find(mark)
    while at >= 0:
        found.append(at)
        at = text.find(mark, at + 1)
    return found


def _always(texts: Sequence[str], mark: str, longer: str) -> bool:
    """Whether ``mark`` stands in ``longer`` only, wherever it stands."""
    inside = longer.count(mark)
    return all(text.count(mark) == inside * text.count(longer) for text in texts)


# -- fixed widths ---------------------------------------------------------------------------------------------


def cuts_of(lines: Sequence[bytes], codec: str, others: Sequence[str] = ()) -> tuple[tuple[int, ...], list[str]]:
    """Where columns of fixed width begin and end, by what changes from byte to byte over all lines; what stays open is told.

    ``others``: header and trailer, whose sums tell where the amounts end.
    """
    stated = {int(run[at:]) for text in others for run in re.findall(r"\d{1,40}", text) for at in range(len(run))} - {0}
    width = len(lines[0])
    kinds = [_kinds(line, codec) for line in lines]
    at = [{kind[p] for kind in kinds} for p in range(width)]
    cuts = {0, width}
    unsure: list[str] = []
    still = [len({line[p] for line in lines}) == 1 for p in range(width)]  # the same byte in every line
    for p in range(1, width):
        before, here = at[p - 1], at[p]
        if before == {" "} and here != {" "}:  # behind a gap
            cuts.add(p)
        elif still[p - 1] and still[p]:
            continue
        elif (
            (here == {"d"} and before != {"d"} and before <= {" ", "h", "a", "x"})
            or ("h" in here and before <= {"d", "a", "x", "."})
            or (still[p] and here == {"a"} and before <= {"d", "."})
        ):  # a full number behind a text, a text behind a number
            cuts.add(p)
    for first, last in _runs(at):
        found = _within(lines, first, last, stated)
        cuts |= {cut for cut in found if first <= cut <= last}
    ordered = sorted(cuts)
    # a column of blanks alone belongs to the text before it
    for left, middle in itertools.pairwise(ordered):
        if left and all(at[p] == {" "} for p in range(left, middle)) and middle != width:
            cuts.discard(left)
    for cut in sorted(cuts - {0, width}):
        if at[cut - 1] != {" "} or not _at_the_right(lines, at, cut, min(c for c in cuts if c > cut)):
            continue
        gap = cut - 1  # a number at the right: the blanks are its own where the text before them is always as long
        while gap and at[gap - 1] == {" "}:
            gap -= 1
        if gap and " " in at[cut] and " " not in at[gap - 1]:
            cuts = (cuts - {cut}) | {gap}
        else:
            unsure.append(f"第 {cut + 1} 字节起的一列靠右，前面的空白归哪一列看不出来")
    return tuple(sorted(cuts)), unsure


def _at_the_right(lines: Sequence[bytes], at: Sequence[set[str]], first: int, last: int) -> bool:
    """Whether a number stands there that ends with its column and is filled with blanks in front, as far as the lines show."""
    number = all(kinds <= {"d", ".", " "} for kinds in at[first:last]) and " " not in at[last - 1]
    return number and not all(line[first : first + 1] == b"0" for line in lines)


def _kinds(line: bytes, codec: str) -> str:
    found = []
    for char in line.decode(codec):
        size = len(char.encode(codec))
        found.append(
            (
                "h"
                if size > 1
                else "d"
                if char.isdigit()
                else "x"
                if char in "Xx"
                else " "
                if char == " "
                else "."
                if char == "."
                else "a"
            )
            * size
        )
    return "".join(found)


def _runs(at: Sequence[set[str]]) -> list[tuple[int, int]]:
    """Stretches of bytes that are digits in every line, or the X that an ID may end with."""
    found, first = [], -1
    for p, kinds in enumerate([*at, set()]):
        digits = "d" in kinds and kinds <= {"d", "x"}
        if digits and first < 0:
            first = p
        elif not digits and first >= 0:
            found.append((first, p))
            first = -1
    return found


def _within(lines: Sequence[bytes], first: int, last: int, stated: set[int]) -> set[int]:
    """Cuts within a stretch of digits: consecutive numbers in front, amounts that make a ``stated`` sum, IDs, cards."""
    texts = [line[first:last].decode("ascii") for line in lines]
    cuts: set[int] = set()
    if len(texts) >= 3:
        for size in range(1, min(11, last - first + 1)):
            numbers = [int(text[:size]) if text[:size].isdecimal() else 0 for text in texts]
            if all(b - a == 1 for a, b in itertools.pairwise(numbers)):
                cuts.add(first + size)
                break
    begin = max(cuts, default=first) - first
    for end in range(last - first - 1, begin, -1):
        pieces = [text[begin:end] for text in texts]
        if len(texts) >= 3 and all(map(str.isdecimal, pieces)) and sum(map(int, pieces)) in stated:
            return cuts | {first + end}
    for start in range(last - first):
        if start + 18 <= last - first and all(parse_id(text[start : start + 18]).ok for text in texts):
            return cuts | {first + start, first + start + 18}
        for size in (19, 16, 17, 18):
            pieces = [text[start : start + size] for text in texts]
            if len(pieces) >= 3 and all(len(one) == size and is_card(one) and luhn(one) for one in pieces):
                return cuts | {first + start, first + start + size}
    return cuts
