"""Delimited and fixed-width bank files: written and read in pieces, so that a million lines take the memory of a few thousand.

Widths are bytes of the file's encoding (a Chinese character is two in GBK). The same columns write and read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.payment.fits import codec_of
from jiuzhu_cli.payment.textvectors import as_vector, vectors_of
from jiuzhu_cli.payment.values import (
    MONEY,
    WHOLE,
    BankFile,
    Columns,
    Summary,
    UnreadableFile,
    column_values,
    count_of,
    fixed_text,
    is_fixed,
    pieces_of,
    texts_of,
    values_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

BLOCK = 4 << 20  # bytes that are lines at one time
BOM = b"\xef\xbb\xbf"


# -- writing --------------------------------------------------------------------------------------------------


def encode_text(
    layout: BankLayout,
    columns: Columns,
    summary: Summary | None = None,
    *,
    shape: Sequence[BankColumn] | None = None,
    header: bool | None = None,
    with_summary: bool = True,
) -> bytes:
    """The bytes of a delimited or fixed-width file. Call ``problems_of`` first; an unfit value raises DataError here."""
    return b"".join(encoded(layout, columns, summary, shape=shape, header=header, with_summary=with_summary))


def encoded(
    layout: BankLayout,
    columns: Columns,
    summary: Summary | None = None,
    *,
    shape: Sequence[BankColumn] | None = None,
    header: bool | None = None,
    with_summary: bool = True,
) -> Iterator[bytes]:
    """``encode_text`` piece by piece."""
    shape = shape or layout.columns
    fixed = layout.container == "fixed"
    joint = "" if fixed else layout.delimiter
    end = (joint if layout.end_delimiter else "") + layout.line_end
    codec = codec_of(layout)
    try:
        if layout.encoding == "utf-8-sig":
            yield BOM
        if layout.opening and with_summary:
            yield (joint.join(_summary_cells(layout, layout.opening, summary)) + end).encode(codec)
        if header if header is not None else layout.header:
            names = [column.name for column in shape]
            if fixed:
                names = [_padded(column, [column.name], codec, as_text=True)[0] for column in shape]
            yield (joint.join(names) + end).encode(codec)
        for piece in pieces_of(columns):
            count = count_of(piece)
            cells = []
            for column in shape:
                texts = texts_of(column, column_values(column, piece, count))
                cells.append(_padded(column, texts, codec) if fixed else texts)
            yield "".join([joint.join(row) + end for row in zip(*cells, strict=True)]).encode(codec)
        if layout.closing and with_summary:
            yield (joint.join(_summary_cells(layout, layout.closing, summary)) + end).encode(codec)
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise DataError(f"“{bad}”不在 {layout.encoding} 编码里，文件没有写", "改用含该字的编码或另一种格式") from error


def _summary_cells(layout: BankLayout, shape: Sequence[BankColumn], summary: Summary | None) -> list[str]:
    cells: list[str] = []
    for column in shape:
        value = fixed_text(column) if is_fixed(column) else (summary or {}).get(column.source, "")
        texts = texts_of(column, [value])
        cells += _padded(column, texts, codec_of(layout)) if layout.container == "fixed" else texts
    return cells


def _padded(column: BankColumn, texts: list[str], codec: str, *, as_text: bool = False) -> list[str]:
    """Filled to the column's width in *bytes*: a Chinese character is two in GBK."""
    left = column.align == "left" or as_text
    pad, width = (" " if as_text else column.pad), column.width
    if all(map(str.isascii, texts)):
        return [text.ljust(width, pad) if left else text.rjust(width, pad) for text in texts]
    pieces = "\n".join(texts).encode(codec).split(b"\n")  # all at once; no text of a line has a line's end in it
    lengths = map(len, pieces) if len(pieces) == len(texts) else (len(text.encode(codec)) for text in texts)
    fills = [pad * (width - length) for length in lengths]
    return [text + fill if left else fill + text for text, fill in zip(texts, fills, strict=True)]


# -- reading --------------------------------------------------------------------------------------------------


def decode_text(
    layout: BankLayout,
    data: bytes,
    *,
    shape: Sequence[BankColumn] | None = None,
    header: bool | None = None,
    with_summary: bool = True,
    vectors: bool = False,
) -> BankFile:
    """A delimited or fixed-width file read back by the same table. ``vectors``: its columns are Arrow (int64 and strings), not lists.

    DataError (with line numbers, masked) when a line has not the columns or a value is none of its kind, and when the
    summary's count or total differs from the lines.
    """
    shape = shape or layout.columns
    whole = BankFile({column.source: [] for column in shape if not is_fixed(column)}, [])
    chunks: dict[str, list[Any]] = {source: [] for source in whole.columns}
    for piece in decoded(layout, data, shape=shape, header=header, with_summary=with_summary, vectors=vectors):
        for source, values in piece.columns.items():
            chunks[source].append(values)
        whole.rows += piece.rows
        whole.summary |= piece.summary
    if vectors:
        import pyarrow as pa

        whole.columns = {source: pa.chunked_array(values) for source, values in chunks.items()}
    else:
        whole.columns = {source: list(chain.from_iterable(values)) for source, values in chunks.items()}
    return whole


def decoded(
    layout: BankLayout,
    data: bytes,
    *,
    shape: Sequence[BankColumn] | None = None,
    header: bool | None = None,
    with_summary: bool = True,
    vectors: bool = False,
) -> Iterator[BankFile]:
    """``decode_text`` piece by piece; what the header or trailer states is in the last piece, whose end it is compared at."""
    shape = shape or layout.columns
    head = header if header is not None else layout.header
    body = _Body(data)
    opening, closing = (layout.opening, layout.closing) if with_summary else ((), ())
    summary: Summary = {}
    for place, totals in (("first", opening), ("last", closing)):
        if not totals:
            continue
        if not len(body):
            raise DataError("文件是空的", "请重新取文件")
        line, number = body.take(place)
        try:
            values = parse(layout, totals, [line], number)
        except UnreadableFile as error:  # a damaged total does not make it another layout's file
            if place == "first" and closing and len(body):
                body.take("last")
            if head and len(body):
                body.take("first")
            error.fit = _fit(layout, shape, next(body.blocks(), []))
            raise
        found = {c.source: v[0] for c, v in zip(totals, values, strict=True) if not is_fixed(c)}
        _agree(summary, found, number)
        summary |= found
    if head and len(body):
        body.take("first")
    sources = [column.source for column in shape]
    lines = total = 0
    row = body.row
    for piece in body.pieces():
        try:
            made: list[Any] = vectors_of(layout, shape, piece, _unpadded) or [] if vectors else []
            if not made:
                made = parse(layout, shape, _lines(piece), row)
                if vectors:
                    made = [as_vector(column, one) for column, one in zip(shape, made, strict=True)]
        except UnreadableFile as error:
            error.fit = max(error.fit, 0.3 if summary else 0)  # the summary was understood
            raise
        columns = {s: v for s, v, c in zip(sources, made, shape, strict=True) if not is_fixed(c)}
        count = len(made[0])
        lines += count
        if "amount" in columns:
            total += _sum(columns["amount"]) if vectors else sum(filter(None, columns["amount"]))
        yield BankFile(columns, list(range(row, row + count)))
        row += count
    if summary:
        check_summary(summary, lines, total if "amount" in sources else None)
    none = {s: as_vector(c, []) if vectors else [] for s, c in zip(sources, shape, strict=True) if not is_fixed(c)}
    yield BankFile(none, [], summary)


def _sum(amounts: pa.Array) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(amounts).as_py() or 0)


class _Body:
    """The lines of a file's bytes, without their ends and without what some systems put behind the last one."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.first = len(BOM) if data.startswith(BOM) else 0
        self.last = len(data)
        self.row = 1
        while self.last > self.first:
            start = self.data.rfind(b"\n", self.first, self.last) + 1 or self.first
            if self.data[start : self.last].strip(b" \x1a\r"):
                break
            self.last = max(start - 1, self.first) if start > self.first else self.first
        if self.last > self.first and self.data[self.last - 1 : self.last] == b"\r":
            self.last -= 1

    def __len__(self) -> int:
        return max(self.last - self.first, 0)

    def take(self, place: str) -> tuple[bytes, int]:
        """The first or last line of what is left, and its number in the file."""
        if place == "first":
            end = self.data.find(b"\n", self.first, self.last)
            end = self.last if end < 0 else end
            line, number = self.data[self.first : end], self.row
            self.first, self.row = min(end + 1, self.last), self.row + 1
        else:
            start = self.data.rfind(b"\n", self.first, self.last) + 1 or self.first
            line = self.data[start : self.last]
            number = self.row + self.data.count(b"\n", self.first, start)
            self.last = max(start - 1, self.first)
            if self.last > self.first and self.data[self.last - 1 : self.last] == b"\r":
                self.last -= 1
        return line.removesuffix(b"\r"), number

    def blocks(self) -> Iterator[list[bytes]]:
        """What is left, some megabytes of lines at a time."""
        return map(_lines, self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The same before they are lines: whole ones, without the last one's end."""
        at = self.first
        while at < self.last:
            end = self.last
            if end - at > BLOCK:
                found = self.data.rfind(b"\n", at, at + BLOCK)
                end = found if found >= 0 else self.data.find(b"\n", at, self.last)
                end = end if end >= 0 else self.last
            yield self.data[at:end].removesuffix(b"\r")
            at = end + 1


def _lines(piece: bytes) -> list[bytes]:
    return piece.replace(b"\r\n", b"\n").split(b"\n")


def lines_of(data: bytes, most: int) -> list[bytes]:
    """The first lines of a file, and its last where there are more."""
    body, found = _Body(data), []
    for block in body.blocks():
        found += block
        if len(found) > most:
            return [*found[:most], body.take("last")[0]] if most > 1 else found[:most]
    return found


def parse(layout: BankLayout, shape: Sequence[BankColumn], lines: list[bytes], first: int) -> list[list[Any]]:
    """The values of ``lines`` column by column; UnreadableFile naming lines (counted from ``first``) that do not fit."""
    try:
        return [values_of(column, texts) for column, texts in zip(shape, cells(layout, shape, lines), strict=True)]
    except (ValueError, UnicodeDecodeError):
        wrong = []
    checked = 0
    for index, line in enumerate(lines):
        checked += 1
        try:
            for column, texts in zip(shape, cells(layout, shape, [line]), strict=True):
                values_of(column, texts)
        except (ValueError, UnicodeDecodeError):
            wrong.append(first + index)
        if len(wrong) >= 10 and checked >= 200:
            break
    raise UnreadableFile(
        f"第 {'、'.join(map(str, wrong[:10]))} 行读不懂：栏数、字节数、编码或金额与“{layout.name}”格式不符",
        "请银行按约定格式重新给文件，或用 --bank 指明格式",
        fit=0.9 * (checked - len(wrong)) / checked if checked else 0,
    )


def _fit(layout: BankLayout, shape: Sequence[BankColumn], lines: list[bytes]) -> float:
    """How much of ``lines`` the layout understands, 0 to 0.9."""
    try:
        parse(layout, shape, lines, 1)
    except UnreadableFile as error:
        return error.fit
    return 0.9 if lines else 0


def cells(layout: BankLayout, shape: Sequence[BankColumn], lines: list[bytes]) -> list[list[str]]:
    """The texts of each column. ValueError when a line has another number of columns or too many bytes."""
    if not lines:
        return [[] for _ in shape]
    codec = codec_of(layout)
    if layout.container == "delimited":
        mark = layout.delimiter
        whole = b"\n".join(lines).decode(codec)
        rows = whole.split("\n")
        wide = len(shape) + layout.end_delimiter
        if {row.count(mark) for row in rows} != {wide - 1}:
            raise ValueError("columns")
        if len(mark) == 1:  # no line has more of them than another: all are split at once
            flat = whole.replace("\n", mark).split(mark)
        else:
            flat = [text for row in rows for text in row.split(mark)]
        if any(map(str.isspace, set(whole) - {"\n"})):
            flat = [text.strip() for text in flat]
        if layout.end_delimiter and any(flat[wide - 1 :: wide]):
            raise ValueError("columns")
        return [flat[index::wide] for index in range(len(shape))]
    width = sum(column.width for column in shape)
    if max(map(len, lines)) > width:
        raise ValueError("bytes")
    return [_unpadded(c, t) for c, t in zip(shape, _sliced(shape, lines, width, codec), strict=True)]


def _sliced(shape: Sequence[BankColumn], lines: list[bytes], width: int, codec: str) -> Iterator[list[str]]:
    """Each column's bytes decoded; of lines of full width all at once. Widths that cut through a character are an error."""
    at = 0
    if len(lines) > 64 and min(map(len, lines)) == width:
        import numpy as np

        table = np.frombuffer(b"".join(lines), np.uint8).reshape(len(lines), width)
        for column in shape:
            body = table[:, at : at + column.width]
            at += column.width
            if (
                column.align == "left" and column.pad == " "
            ):  # what all lines are filled with is no character's second byte
                used = np.flatnonzero((body != 32).any(axis=0))
                body = body[:, : used[-1] + 1 if used.size else 0]
            piece = np.full((len(lines), body.shape[1] + 1), 10, np.uint8)
            piece[:, :-1] = body
            plain = bool(piece.max() < 128)  # the same in all encodings, and decoded in no time
            texts = piece.tobytes()[:-1].decode("ascii" if plain else codec).split("\n")
            if len(texts) != len(lines):
                raise ValueError("bytes")
            yield texts
        return
    for column in shape:
        end = at + column.width
        yield b"\n".join([line[at:end] for line in lines]).decode(codec).split("\n")
        at = end


def _unpadded(column: BankColumn, texts: list[str]) -> list[str]:
    if column.align == "left":
        return [text.rstrip(column.pad) for text in texts]
    if column.pad != "0" or column.source not in MONEY | WHOLE:  # a text never begins with what it is filled with
        return [text.lstrip(column.pad) for text in texts]
    bare = [text.lstrip("0") for text in texts]
    return [
        text if text[:1] not in ("", ".") else "0" + text if whole else ""
        for text, whole in zip(bare, texts, strict=True)
    ]


def check_summary(summary: Summary, lines: int, total: int | None) -> None:
    """UnreadableFile when the stated count or total is not that of the lines (``total`` None: they have no amounts)."""
    stated_lines, stated_total = summary.get("lines"), summary.get("total")
    if stated_lines is not None and stated_lines != lines:
        raise UnreadableFile(
            f"汇总写 {stated_lines} 笔，实有 {lines} 笔", "文件可能被截断，请重新取文件", fit=min(lines, 1)
        )
    if stated_total is not None and total is not None and stated_total != total:
        raise UnreadableFile(
            f"汇总金额 {yuan(stated_total)} 元，各行合计 {yuan(total)} 元，对不上",
            "请与银行核对后重新取文件",
            fit=min(lines, 1),
        )


def _agree(known: Summary, found: Summary, row: int) -> None:
    """What header and trailer both state must be one."""
    for source in known.keys() & found.keys() & {"lines", "total"}:
        if known[source] != found[source]:
            raise UnreadableFile(
                f"首行与第 {row} 行的{'笔数' if source == 'lines' else '合计'}不同", "请重新取文件", fit=0.9
            )
