"""Bank files (银行代发文件): one declarative table (``policy.model.BankLayout``) both writes and reads a bank's file.

Lines travel as columns: ``dict[source, list]``, all lists of one length; ``line_no``, ``amount`` and ``paid_amount`` (分) are
integers, everything else text. A summary (汇总行) is a dict of the same kind with single values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.mask import mask_text

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

Columns = dict[str, list[Any]]
Summary = dict[str, Any]

WHOLE = {"line_no", "lines", "sequence", "batch"}
MONEY = {"amount", "paid_amount", "total"}
REQUIRED = {"account_no": "没有账号", "payee_name": "没有户名", "amount": "金额为零"}
SUFFIX = {"xlsx": ".xlsx", "delimited": ".txt", "fixed": ".txt"}
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]")
_YUAN = re.compile(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot stand in the bank's file. ``what`` is Chinese; ``name`` the payee's."""

    line_no: int
    name: str
    what: str


class UnreadableFile(DataError):
    """A file that one layout cannot read. ``fit`` (0 to 1): how far it understood it, so that the right layout's reason is told."""

    def __init__(self, message: str, todo: str, *, fit: float) -> None:
        super().__init__(message, todo, code="unreadable_file")
        self.fit = fit


@dataclass(slots=True)
class BankFile:
    """A file as read: ``rows`` are 1-based row (line) numbers in the file, parallel to the columns."""

    columns: Columns
    rows: list[int]
    summary: Summary = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


def count_of(columns: Columns) -> int:
    return len(next(iter(columns.values()))) if columns else 0


# -- one value ------------------------------------------------------------------------------------------------


def _texts(column: BankColumn, values: Sequence[Any]) -> list[str]:
    """Values of one column as the file shows them, before padding."""
    if column.source in MONEY:  # amounts repeat: each is written out once
        known = {fen: _amount_text(fen, point=column.point) for fen in set(values)}
        return [known[fen] for fen in values]
    return ["" if value is None else str(value) for value in values]


def _amount_text(fen: int | None, *, point: bool) -> str:
    if fen is None:
        return ""
    return f"{fen // 100}.{fen % 100:02d}" if point else str(fen)


def _values(column: BankColumn, texts: list[str]) -> list[Any]:
    """Texts of the file back as values. ValueError when one is none of its kind."""
    if column.source in MONEY:
        known = {text: _fen(text, point=column.point) for text in set(texts)}
        return [known[text] for text in texts]
    if column.source in WHOLE:
        if not all(text.isdecimal() or not text for text in texts):
            raise ValueError(column.name)
        return [int(text) if text else None for text in texts]
    return texts


def _fen(text: str, *, point: bool) -> int | None:
    if not text:
        return None
    if not point:
        if not text.isdecimal():
            raise ValueError(text)
        return int(text)
    match = _YUAN.fullmatch(text)
    if not match:
        raise ValueError(text)
    return int(match.group(1).replace(",", "")) * 100 + int((match.group(2) or "0").ljust(2, "0"))


def _column_values(column: BankColumn, columns: Mapping[str, Sequence[Any]], count: int) -> Sequence[Any]:
    if column.source.startswith("const:"):
        return [column.source.removeprefix("const:")] * count
    return columns.get(column.source) or [""] * count


def _padded(column: BankColumn, texts: list[str], encoding: str) -> list[str]:
    """Filled to the column's width in *bytes*: a Chinese character is two in GBK."""
    left, pad, width = column.align == "left", column.pad, column.width
    if all(map(str.isascii, texts)):
        return [text.ljust(width, pad) if left else text.rjust(width, pad) for text in texts]
    fills = [pad * (width - len(text.encode(encoding))) for text in texts]
    return [text + fill if left else fill + text for text, fill in zip(texts, fills, strict=True)]


# -- what a file may hold -------------------------------------------------------------------------------------


def problems_of(layout: BankLayout, columns: Columns, summary: Summary | None = None) -> list[Problem]:
    """All reasons why ``columns`` cannot be written in this layout, line by line; [] when every value fits.

    Nothing is ever shortened, replaced by ``?`` or left out: one problem refuses the whole file.
    """
    names, numbers = columns["payee_name"], columns["line_no"]
    found = [Problem(int(numbers[index]), str(names[index]), what) for index, what in misfits(layout, columns)]
    for source, what in REQUIRED.items():
        found += [Problem(int(numbers[i]), str(names[i]), what) for i, value in enumerate(columns[source]) if not value]
    for column in layout.summary:
        texts = _texts(column, [(summary or {}).get(column.source, _constant(column))])
        found += [Problem(0, "汇总行", f"{column.name}{what}") for _, what in _misfits(layout, column, texts)]
    return sorted(found, key=lambda p: p.line_no)


def misfits(layout: BankLayout, columns: Columns) -> Iterator[tuple[int, str]]:
    """``(index, what)`` of every value that this layout cannot express; columns not given are left out."""
    count = count_of(columns)
    for column in layout.columns:
        if column.source in columns or column.source.startswith("const:"):
            texts = _texts(column, _column_values(column, columns, count))
            yield from ((index, f"{column.name}{what}") for index, what in _misfits(layout, column, texts))


def _constant(column: BankColumn) -> Any:
    return column.source.removeprefix("const:") if column.source.startswith("const:") else ""


def _misfits(layout: BankLayout, column: BankColumn, texts: list[str]) -> Iterable[tuple[int, str]]:
    typed = column.source in MONEY or column.source in WHOLE
    joined = "".join(texts)
    if not typed and not joined.isalnum():  # letters, digits and characters only: nothing to look for
        for index, text in enumerate(texts):
            if _CONTROL.search(text):
                yield index, "里有换行或不可见字符"
            elif _FORMULA.match(text):
                yield index, "像公式（以 = + - @ 开头）"
            elif text != text.strip():
                yield index, "首尾有空格"
    if layout.container == "xlsx":
        return
    try:
        joined.encode(layout.encoding)
    except UnicodeEncodeError:
        for index, text in enumerate(texts):
            missing = [char for char in dict.fromkeys(text) if not _encodable(char, layout.encoding)]
            if missing:
                yield index, f"里的“{''.join(missing)}”银行文件写不了（{layout.encoding} 编码没有这个字）"
        return
    if layout.container == "delimited":
        if layout.delimiter in joined:
            for index, text in enumerate(texts):
                if layout.delimiter in text:
                    yield index, f"里有分隔符“{layout.delimiter}”"
        return
    narrow = joined.isascii()
    if narrow and not typed and column.pad == " " and max(map(len, texts), default=0) <= column.width:
        return
    for index, text in enumerate(texts):
        if (len(text) if narrow else len(text.encode(layout.encoding))) > column.width:
            yield index, f"超出 {column.width} 字节"
        elif text and text[-1 if column.align == "left" else 0] == column.pad and not (typed and text.strip("0") == ""):
            yield index, f"以填充字符“{column.pad}”{'结尾' if column.align == 'left' else '开头'}"


def _encodable(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


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
    shape = shape or layout.columns
    count = count_of(columns)
    fixed = layout.container == "fixed"
    try:
        cells = []
        for column in shape:
            texts = _texts(column, _column_values(column, columns, count))
            cells.append(_padded(column, texts, layout.encoding) if fixed else texts)
        joint = "" if fixed else layout.delimiter
        lines = [joint.join(row) for row in zip(*cells, strict=True)]
        if header if header is not None else layout.header:
            lines.insert(0, joint.join(column.name for column in shape))
        if layout.summary and with_summary:
            totals = []
            for column in layout.summary:
                texts = _texts(column, [(summary or {}).get(column.source, _constant(column))])
                totals += _padded(column, texts, layout.encoding) if fixed else texts
            lines.insert(len(lines) if layout.summary_last else 0, joint.join(totals))
        return "".join(line + layout.line_end for line in lines).encode(layout.encoding)
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise DataError(f"“{bad}”不在 {layout.encoding} 编码里，文件没有写", "改用含该字的编码或另一种格式") from error


# -- reading --------------------------------------------------------------------------------------------------


def decode_text(
    layout: BankLayout,
    data: bytes,
    *,
    shape: Sequence[BankColumn] | None = None,
    header: bool | None = None,
    with_summary: bool = True,
) -> BankFile:
    """A delimited or fixed-width file read back by the same table.

    DataError (with line numbers, masked) when a line has not the columns or a value is none of its kind, and when the
    summary's count or total differs from the lines.
    """
    shape = shape or layout.columns
    head = header if header is not None else layout.header
    expects_summary = bool(layout.summary) and with_summary
    raw = _split_lines(data)
    first, last = 0, len(raw)
    summary: Summary = {}
    if expects_summary:
        if not raw:
            raise DataError("文件是空的", "请重新取文件")
        at = last - 1 if layout.summary_last else 0
        try:
            totals = _parse(layout, layout.summary, [raw[at]], at + 1)
        except UnreadableFile as error:  # a damaged total does not make it another layout's file
            rest = raw[:at] if layout.summary_last else raw[1:]
            error.fit = _fit(layout, shape, rest[head:] if rest else [])
            raise
        summary = {column.source: values[0] for column, values in zip(layout.summary, totals, strict=True)}
        first, last = (0, at) if layout.summary_last else (1, last)
    first += head
    try:
        values = _parse(layout, shape, raw[first:last], first + 1)
    except UnreadableFile as error:
        error.fit = max(error.fit, 0.3 if expects_summary else 0)  # the summary was understood
        raise
    sources = [column.source for column in shape]
    columns = {s: v for s, v in zip(sources, values, strict=True) if not s.startswith("const:")}
    result = BankFile(columns, list(range(first + 1, max(first, last) + 1)), summary)
    if expects_summary:
        check_summary(layout, result)
    return result


def _parse(layout: BankLayout, shape: Sequence[BankColumn], lines: list[bytes], first: int) -> list[list[Any]]:
    """The values of ``lines`` column by column; DataError naming lines (counted from ``first``) that do not fit."""
    try:
        return [_values(column, texts) for column, texts in zip(shape, _cells(layout, shape, lines), strict=True)]
    except (ValueError, UnicodeDecodeError):
        wrong = []
    checked = 0
    for index, line in enumerate(lines):
        checked += 1
        try:
            for column, texts in zip(shape, _cells(layout, shape, [line]), strict=True):
                _values(column, texts)
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
        _parse(layout, shape, lines, 1)
    except UnreadableFile as error:
        return error.fit
    return 0.9 if lines else 0


def _cells(layout: BankLayout, shape: Sequence[BankColumn], lines: list[bytes]) -> list[list[str]]:
    """The texts of each column. ValueError when a line has another number of columns or too many bytes."""
    if not lines:
        return [[] for _ in shape]
    if layout.container == "delimited":
        rows = [line.split(layout.delimiter) for line in b"\n".join(lines).decode(layout.encoding).split("\n")]
        if any(len(row) != len(shape) for row in rows):
            raise ValueError("columns")
        return [[text.strip() for text in column] for column in zip(*rows, strict=True)]
    if max(map(len, lines)) > sum(column.width for column in shape):
        raise ValueError("bytes")
    found, at = [], 0
    for column in shape:
        end = at + column.width
        texts = b"\n".join([line[at:end] for line in lines]).decode(layout.encoding).split("\n")
        at = end
        if column.align == "left":
            found.append([text.rstrip(column.pad) for text in texts])
        else:
            zero = "0" if column.pad == "0" else ""
            found.append([text.lstrip(column.pad) or (zero if text else "") for text in texts])
    return found


def check_summary(layout: BankLayout, file: BankFile) -> None:
    """DataError when the stated count or total is not that of the lines."""
    stated_lines, stated_total = file.summary.get("lines"), file.summary.get("total")
    total = sum(fen or 0 for fen in file.columns.get("amount", []))
    if stated_lines is not None and stated_lines != len(file):
        raise UnreadableFile(
            f"汇总写 {stated_lines} 笔，实有 {len(file)} 笔", "文件可能被截断，请重新取文件", fit=min(len(file), 1)
        )
    if stated_total is not None and "amount" in file.columns and stated_total != total:
        raise UnreadableFile(
            f"汇总金额 {stated_total / 100:.2f} 元，各行合计 {total / 100:.2f} 元，对不上",
            "请与银行核对后重新取文件",
            fit=min(len(file), 1),
        )


def _split_lines(data: bytes) -> list[bytes]:
    """Lines without their ends and without what some systems put behind the last one."""
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
    while lines and not lines[-1].strip(b" \x1a\r"):
        lines.pop()
    return lines


def file_stem(layout: BankLayout, *, month: str, sequence: int, batch: int, part: int, parts: int) -> str:
    """The deterministic file name without folder and suffix; parts are numbered when there are several."""
    stem = layout.file_name.format(bank=layout.code, name=layout.name, month=month, sequence=sequence, batch=batch)
    return f"{stem}_{part:02d}" if parts > 1 else stem


def masked(problems: Sequence[Problem], *, limit: int = 20) -> str:
    """Problems as one Chinese sentence for an error: names are told (they must be mended), numbers are masked."""
    shown = "；".join(f"第 {p.line_no} 笔 {p.name}：{mask_text(p.what)}" for p in problems[:limit])
    return shown + (f"；另有 {len(problems) - limit} 处" if len(problems) > limit else "")


def read_bytes(path: Path) -> bytes:
    from jiuzhu_cli.core.errors import OutsideError, reason_of

    try:
        return path.read_bytes()
    except OSError as error:
        raise OutsideError(f"读不了 {path.name}：{reason_of(error)}", "检查路径和权限") from error
