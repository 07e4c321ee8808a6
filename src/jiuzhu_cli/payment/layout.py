"""Bank files (银行代发文件): one declarative table (``policy.model.BankLayout``) both writes and reads a bank's file.

Lines travel as columns: ``dict[source, list]``, all lists of one length; ``line_no``, ``amount`` and ``paid_amount`` (分) are
integers, everything else text. A summary (汇总行) is a dict of the same kind with single values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.mask import mask_text

if TYPE_CHECKING:
    from jiuzhu_cli.policy.model import BankColumn, BankLayout

Columns = dict[str, list[Any]]
Summary = dict[str, Any]

WHOLE = {"line_no", "lines", "sequence", "batch"}
MONEY = {"amount", "paid_amount", "total"}
REQUIRED = {"account_no", "payee_name", "amount"}
SUFFIX = {"xlsx": ".xlsx", "delimited": ".txt", "fixed": ".txt"}
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot stand in the bank's file. ``what`` is Chinese; ``name`` the payee's."""

    line_no: int
    name: str
    what: str


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
    if column.source in MONEY:
        if column.point:
            return [f"{fen // 100}.{fen % 100:02d}" if fen is not None else "" for fen in values]
        return [str(fen) if fen is not None else "" for fen in values]
    return ["" if value is None else str(value) for value in values]


def _value(column: BankColumn, text: str) -> Any:
    """A text of the file back as a value. ValueError when it is none."""
    if column.source in MONEY:
        if not text:
            return None
        if not column.point:
            if not text.isdecimal():
                raise ValueError(text)
            return int(text)
        match = re.fullmatch(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?", text)
        if not match:
            raise ValueError(text)
        return int(match.group(1).replace(",", "")) * 100 + int((match.group(2) or "0").ljust(2, "0"))
    if column.source in WHOLE:
        return int(text) if text else None
    return text


def _column_values(column: BankColumn, columns: Mapping[str, Sequence[Any]], count: int) -> Sequence[Any]:
    if column.source.startswith("const:"):
        return [column.source.removeprefix("const:")] * count
    return columns.get(column.source) or [""] * count


def _pad(column: BankColumn, text: str, encoding: str) -> str:
    """Filled to the column's width in *bytes*: a Chinese character is two in GBK."""
    fill = column.pad * (column.width - len(text.encode(encoding)))
    return text + fill if column.align == "left" else fill + text


# -- what a file may hold -------------------------------------------------------------------------------------


def problems_of(layout: BankLayout, columns: Columns, summary: Summary | None = None) -> list[Problem]:
    """All reasons why ``columns`` cannot be written in this layout, line by line; [] when every value fits.

    Nothing is ever shortened, replaced by ``?`` or left out: one problem refuses the whole file.
    """
    found: list[Problem] = []
    names, numbers = columns["payee_name"], columns["line_no"]
    count = count_of(columns)

    def add(index: int, what: str) -> None:
        found.append(Problem(int(numbers[index]), str(names[index]), what))

    for source in REQUIRED:
        for index, value in enumerate(columns[source]):
            if not value:
                add(index, {"account_no": "没有账号", "payee_name": "没有户名", "amount": "金额为零"}[source])
    for column in layout.columns:
        texts = _texts(column, _column_values(column, columns, count))
        for index, what in _misfits(layout, column, texts):
            add(index, f"{column.name}{what}")
    for column in layout.summary:
        texts = _texts(column, [(summary or {}).get(column.source, _constant(column))])
        found += [Problem(0, "汇总行", f"{column.name}{what}") for _, what in _misfits(layout, column, texts)]
    return sorted(found, key=lambda p: p.line_no)


def _constant(column: BankColumn) -> Any:
    return column.source.removeprefix("const:") if column.source.startswith("const:") else ""


def _misfits(layout: BankLayout, column: BankColumn, texts: list[str]) -> Iterable[tuple[int, str]]:
    typed = column.source in MONEY or column.source in WHOLE
    if not typed:
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
        "".join(texts).encode(layout.encoding)
    except UnicodeEncodeError:
        for index, text in enumerate(texts):
            missing = [char for char in dict.fromkeys(text) if not _encodable(char, layout.encoding)]
            if missing:
                yield index, f"里的“{''.join(missing)}”在该行的编码（{layout.encoding}）里没有"
        return
    if layout.container == "delimited":
        for index, text in enumerate(texts):
            if layout.delimiter in text:
                yield index, f"里有分隔符“{layout.delimiter}”"
        return
    for index, text in enumerate(texts):
        if len(text.encode(layout.encoding)) > column.width:
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
            cells.append([_pad(column, text, layout.encoding) for text in texts] if fixed else texts)
        joint = "" if fixed else layout.delimiter
        lines = [joint.join(row) for row in zip(*cells, strict=True)]
        if header if header is not None else layout.header:
            lines.insert(0, joint.join(column.name for column in shape))
        if layout.summary and with_summary:
            totals = []
            for column in layout.summary:
                text = _texts(column, [(summary or {}).get(column.source, _constant(column))])[0]
                totals.append(_pad(column, text, layout.encoding) if fixed else text)
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
    lines, wrong = _split_lines(layout, data)
    summary: Summary = {}
    rows: list[int] = []
    values: list[list[Any]] = [[] for _ in shape]
    head = header if header is not None else layout.header
    expects_summary = bool(layout.summary) and with_summary
    summary_at = (len(lines) - 1 if layout.summary_last else 0) if expects_summary else -1
    header_at = (1 if expects_summary and not layout.summary_last else 0) if head else -1
    for index, line in enumerate(lines):
        if index == header_at or line is None:
            continue
        target = layout.summary if index == summary_at else shape
        try:
            parsed = [_value(column, text) for column, text in zip(target, _cells(layout, target, line), strict=True)]
        except (ValueError, UnicodeDecodeError):
            wrong.append(index + 1)
            continue
        if index == summary_at:
            summary = {column.source: value for column, value in zip(target, parsed, strict=True)}
            continue
        rows.append(index + 1)
        for store, value in zip(values, parsed, strict=True):
            store.append(value)
    if wrong:
        shown = "、".join(map(str, sorted(set(wrong))[:10]))
        raise DataError(
            f"第 {shown} 行读不懂：栏数、字节数、编码或金额与“{layout.name}”格式不符",
            "请银行按约定格式重新给文件，或用 --bank 指明格式",
        )
    result = BankFile(
        {
            column.source: store
            for column, store in zip(shape, values, strict=True)
            if not column.source.startswith("const:")
        },
        rows,
        summary,
    )
    if expects_summary:
        check_summary(layout, result)
    return result


def check_summary(layout: BankLayout, file: BankFile) -> None:
    """DataError when the stated count or total is not that of the lines."""
    stated_lines, stated_total = file.summary.get("lines"), file.summary.get("total")
    total = sum(fen or 0 for fen in file.columns.get("amount", []))
    if stated_lines is not None and stated_lines != len(file):
        raise DataError(f"汇总写 {stated_lines} 笔，实有 {len(file)} 笔", "文件可能被截断，请重新取文件")
    if stated_total is not None and "amount" in file.columns and stated_total != total:
        raise DataError(
            f"汇总金额 {stated_total / 100:.2f} 元，各行合计 {total / 100:.2f} 元，对不上", "请与银行核对后重新取文件"
        )


def _split_lines(layout: BankLayout, data: bytes) -> tuple[list[Any], list[int]]:
    """Lines without their ends: text, or bytes for fixed width. Also the numbers of lines that cannot be decoded."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    raw = data.replace(b"\r\n", b"\n").split(b"\n")
    while raw and not raw[-1].strip(b" \x1a"):
        raw.pop()
    if layout.container == "fixed":
        return list(raw), []
    lines: list[Any] = []
    wrong = []
    for index, line in enumerate(raw):
        try:
            lines.append(line.decode(layout.encoding))
        except UnicodeDecodeError:
            lines.append(None)
            wrong.append(index + 1)
    return lines, wrong


def _cells(layout: BankLayout, shape: Sequence[BankColumn], line: Any) -> list[str]:
    if layout.container == "delimited":
        cells = line.split(layout.delimiter)
        if len(cells) != len(shape):
            raise ValueError(len(cells))
        return [cell.strip() for cell in cells]
    if len(line) > sum(column.width for column in shape):
        raise ValueError(len(line))
    cells, at = [], 0
    for column in shape:
        text = line[at : at + column.width].decode(layout.encoding)
        at += column.width
        if column.align == "left":
            cells.append(text.rstrip(column.pad))
        else:
            bare = text.lstrip(column.pad)
            cells.append(bare or (text[-1:] if column.pad == "0" else ""))
    return cells


def file_stem(layout: BankLayout, *, month: str, sequence: int, batch: int, part: int, parts: int) -> str:
    """The deterministic file name without folder and suffix; parts are numbered when there are several."""
    stem = layout.file_name.format(bank=layout.code, name=layout.name, month=month, sequence=sequence, batch=batch)
    return f"{stem}_{part:02d}" if parts > 1 else stem


def masked(problems: Sequence[Problem], *, limit: int = 20) -> str:
    """Problems as one Chinese sentence for an error: names are told (they must be mended), numbers are masked."""
    shown = "；".join(f"第 {p.line_no} 笔 {p.name}：{mask_text(p.what)}" for p in problems[:limit])
    return shown + (f"；另有 {len(problems) - limit} 处" if len(problems) > limit else "")


def read_bytes(path: Path) -> bytes:
    from jiuzhu_cli.core.errors import OutsideError

    try:
        return path.read_bytes()
    except OSError as error:
        raise OutsideError(f"读不了 {path.name}：{error.strerror or error}", "检查路径和权限") from error
