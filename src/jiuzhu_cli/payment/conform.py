"""Whether a file fits a layout, and where it does not: row by row and field by field (核对一份文件合不合格式)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.account import parse_bank_code
from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.payment.answers import return_shape
from jiuzhu_cli.payment.layout import SUFFIX, read_bytes
from jiuzhu_cli.payment.matching import outcome_of
from jiuzhu_cli.payment.sample import container_of, encoding_of
from jiuzhu_cli.payment.textfile import cells, decode_text, lines_of
from jiuzhu_cli.payment.values import BankFile, UnreadableFile, fixed_text, is_fixed, values_of

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

LOOKED_AT = 20_000  # lines gone through one by one where a file does not fit
TOLD = 50
_ACCOUNT = re.compile(r"[0-9-]{6,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Misfit:
    """``row`` 1-based in the file, 0: the whole; ``column``: the layout's name of the field, '' the whole line."""

    row: int
    column: str
    what: str

    def text(self) -> str:
        where = f"第 {self.row} 行" if self.row else "文件"
        return f"{where}{'“' + self.column + '”' if self.column else ''}：{self.what}"


@dataclass(slots=True)
class Conformity:
    """How a file stands to one layout. ``use``: export (报盘) or return (回盘); ``share``: of the lines looked at, how many fit."""

    code: str
    name: str
    use: str
    lines: int = 0
    share: float = 0.0
    misfits: list[Misfit] = field(default_factory=list)
    more: int = 0  # misfits beyond those told

    @property
    def fits(self) -> bool:
        return not self.misfits

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code, "name": self.name, "use": self.use, "fits": self.fits, "lines": self.lines, "share": round(self.share, 4),
            "problems": [{"row": one.row, "column": one.column, "what": one.what} for one in self.misfits], "more": self.more,
        }  # fmt: skip


def conform(path: Path, layouts: Sequence[BankLayout]) -> tuple[dict[str, str], list[Conformity]]:
    """The file's form (``container, encoding``) and how it stands to each layout, as the file sent and as the bank's answer; the
    best first. Layouts of another container are told so without more."""
    data = read_bytes(path)
    kind = container_of(data)
    encoding = ""
    if kind == "text":
        with contextlib.suppress(DataError):  # told line by line
            encoding = encoding_of(data)[0]
    found: list[Conformity] = []
    for layout in layouts:
        if not layout.makes_files:
            continue
        wanted = {"delimited": "text", "fixed": "text", "pain001": "xml"}.get(layout.container, layout.container)
        if wanted != kind:
            one = Conformity(layout.code, layout.name, "export")
            one.misfits.append(Misfit(0, "", f"载体不同：格式是{SUFFIX[layout.container]}，文件是 {kind}"))
            found.append(one)
            continue
        found += [_conformity(layout, use, path, data, encoding) for use in ("export", "return")]
    found.sort(key=lambda one: (not one.fits, -one.share, one.more + len(one.misfits), one.use))
    return {"container": kind, "encoding": encoding}, found


def _conformity(layout: BankLayout, use: str, path: Path, data: bytes, encoding: str) -> Conformity:
    one = Conformity(layout.code, layout.name, use)
    shape = layout.columns if use == "export" else return_shape(layout)
    known = 1.0  # of the header
    if layout.container == "pain001":
        misfits, one.lines = _of_message(layout, use, data)
    elif layout.is_book:
        misfits, one.lines, known = _of_book(layout, use, path, shape)
    else:
        misfits, one.lines = _of_text(layout, use, data, shape, encoding)
    bad = {misfit.row for misfit in misfits if misfit.row}
    whole = any(not misfit.row for misfit in misfits)
    one.share = (
        0.0 if whole and not one.lines else max(0.0, 1 - len(bad) / max(one.lines, 1)) * (0.5 if whole else 1) * known
    )
    one.misfits, one.more = misfits[:TOLD], max(len(misfits) - TOLD, 0)
    return one


# -- text -----------------------------------------------------------------------------------------------------


def _of_text(
    layout: BankLayout, use: str, data: bytes, shape: Sequence[BankColumn], encoding: str
) -> tuple[list[Misfit], int]:
    own = use == "export"
    header = layout.header if own or not layout.returns else layout.returns_header
    with_summary = bool(layout.summary or layout.trailer) if own or not layout.returns else layout.returns_summary
    compatible = (
        not encoding
        or encoding == layout.encoding
        or data.isascii()
        or (encoding == "gbk" and layout.encoding == "gb18030")
    )
    found = [] if compatible else [Misfit(0, "", f"编码像 {encoding}，格式是 {layout.encoding}")]
    shown = [
        column.model_copy(update={"source": f"fixed_{at}"}) if is_fixed(column) else column
        for at, column in enumerate(shape)
    ]
    try:
        file = decode_text(layout, data, shape=shown, header=header, with_summary=with_summary)
    except DataError as error:
        lines, count = _line_by_line(layout, data, shape, header=header, with_summary=with_summary)
        return found + (lines or [Misfit(0, "", error.message)]), count
    if header:
        found += _of_header(layout, data, shape, with_summary=with_summary)
    for at, column in enumerate(shape):
        text = fixed_text(column) if column.source.startswith("const:") else ""
        values = file.columns.get(f"fixed_{at}", ()) if text else ()
        found += [
            Misfit(row, column.name, f"不是“{text}”")
            for row, one in zip(file.rows, values, strict=False)
            if one != text
        ]
    return found + list(_of_values(layout, use, file, shape)), len(file)


def _line_by_line(
    layout: BankLayout, data: bytes, shape: Sequence[BankColumn], *, header: bool, with_summary: bool
) -> tuple[list[Misfit], int]:
    """What is wrong with each line that cannot be read."""
    lines = lines_of(data, LOOKED_AT)
    opening, closing = (layout.opening, layout.closing) if with_summary else ((), ())
    first = bool(opening) + header
    last = len(lines) - bool(closing)
    found: list[Misfit] = []
    for at, line in enumerate(lines):
        columns = opening if opening and not at else closing if closing and at == len(lines) - 1 else shape
        if first - header <= at < first:
            continue
        found += [Misfit(at + 1, name, what) for name, what in _of_line(layout, columns, line)]
    return found, max(last - first, 0)


def _of_line(layout: BankLayout, shape: Sequence[BankColumn], line: bytes) -> Iterator[tuple[str, str]]:
    try:
        texts = cells(layout, shape, [line])
    except UnicodeDecodeError:
        yield "", f"不是 {layout.encoding} 编码，或一个汉字被切成两半"
        return
    except ValueError:
        if layout.container == "fixed":
            yield "", f"{len(line)} 字节，格式是 {sum(column.width for column in shape)} 字节"
        else:
            have = line.decode(layout.encoding, "replace").count(layout.delimiter) + 1
            yield "", f"按“{layout.delimiter}”分有 {have} 栏，格式是 {len(shape) + layout.end_delimiter} 栏"
        return
    for column, values in zip(shape, texts, strict=True):
        try:
            values_of(column, values)
        except ValueError:
            yield column.name, _not_of_kind(column)


def _not_of_kind(column: BankColumn) -> str:
    if column.source in ("amount", "paid_amount", "total"):
        return f"不是金额（{str(column.decimals) + ' 位小数' if column.point else '整数，不带小数点'}）"
    if column.source in ("month", "date"):
        return f"不是 {column.style}"
    if column.source == "own_flag":
        return f"不是“{column.own}”或“{column.other}”"
    return "不是数"


def _of_header(layout: BankLayout, data: bytes, shape: Sequence[BankColumn], *, with_summary: bool) -> Iterator[Misfit]:
    row = bool(layout.opening and with_summary)
    line = lines_of(data, row + 1)[row]
    try:
        names = [texts[0].strip() for texts in cells(layout, shape, [line])]
    except ValueError:
        yield Misfit(row + 1, "", "表头的栏数与格式不同")
        return
    for column, name in zip(shape, names, strict=True):
        if name != column.name:
            yield Misfit(row + 1, column.name, f"表头写的是“{mask_text(name)}”")


# -- workbooks and messages -----------------------------------------------------------------------------------


def _of_book(layout: BankLayout, use: str, path: Path, shape: Sequence[BankColumn]) -> tuple[list[Misfit], int, float]:
    from jiuzhu_cli.payment.sheets import read_sheet
    from jiuzhu_cli.tabular.read import as_text, read_workbook

    needed = ["account_no", "amount"] + (["result"] if use == "return" else ["payee_name"])
    sheet = next((one for one in read_workbook(path).sheets if not one.hidden), None)
    if sheet is None:
        return [Misfit(0, "", "没有看得见的工作表")], 0, 0.0
    found: list[Misfit] = []
    names = [column.name for column in shape]
    rows = [[as_text(column[row]).strip() for column in sheet.columns] for row in range(min(sheet.height, 30))]
    top = max(range(len(rows)), key=lambda row: len(set(rows[row]) & set(names)), default=-1)
    heads = rows[top] if top >= 0 else []
    while heads and not heads[-1]:
        heads = heads[:-1]
    if heads != names and use == "export":
        missing, extra = [n for n in names if n not in heads], [h for h in heads if h and h not in names]
        found += [Misfit(top + 1, name, "缺这一列") for name in missing]
        found += [Misfit(top + 1, "", f"多一列“{mask_text(name)}”") for name in extra]
        if not missing and not extra:
            found.append(Misfit(top + 1, "", f"列的次序不同，格式是 {'、'.join(names)}"))
    if use == "export" and sheet.name != layout.sheet:
        found.append(Misfit(0, "", f"工作表叫“{mask_text(sheet.name)}”，格式是“{layout.sheet}”"))
    if use == "export" and layout.title and (not rows or layout.title not in rows[0]):
        found.append(Misfit(1, "", f"没有标题“{layout.title}”"))
    try:
        file = read_sheet(path, shape, needed=needed)
    except DataError as error:
        return [*found, Misfit(0, "", error.message)], 0, 0.0
    known = len(set(heads) & set(names)) / max(len(set(heads) | set(names)), 1)
    return found + list(_of_values(layout, use, file, shape)), len(file), known


def _of_message(layout: BankLayout, use: str, data: bytes) -> tuple[list[Misfit], int]:
    from jiuzhu_cli.payment.message import Fault
    from jiuzhu_cli.payment.pain import read_initiation, read_status

    try:
        file = (read_initiation if use == "export" else read_status)(layout, data)
    except Fault as error:
        parts = [re.match(r"第 (\d+) 行\s*(.*)", fault) for fault in error.faults]
        return [
            Misfit(int(part.group(1)), "", part.group(2).lstrip("：")) if part else Misfit(0, "", fault)
            for part, fault in zip(parts, error.faults, strict=True)
        ], 0
    except UnreadableFile as error:
        return [Misfit(0, "", error.message)], 0
    return list(_of_values(layout, use, file, layout.columns)), len(file)


# -- values ---------------------------------------------------------------------------------------------------


def _of_values(layout: BankLayout, use: str, file: BankFile, shape: Sequence[BankColumn]) -> Iterator[Misfit]:
    """What stands in a file that can be read but is none of its kind: an account with letters, no name, an unknown result."""
    if not len(file):
        yield Misfit(0, "", "没有明细")
    names = {column.source: column.name for column in shape if not is_fixed(column)}
    columns = file.columns
    numbers: set[Any] = set()
    for at, row in enumerate(file.rows):
        for source, what in _wrong(layout, use, {source: values[at] for source, values in columns.items()}):
            yield Misfit(row, names.get(source, source), what)
        number = columns["line_no"][at] if "line_no" in columns else None
        if number is not None and number in numbers:
            yield Misfit(row, names.get("line_no", ""), "与前面的重复")
        numbers.add(number)


def _wrong(layout: BankLayout, use: str, line: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "account_no" in line and not _ACCOUNT.fullmatch(str(line["account_no"] or "")):
        yield "account_no", "不是 6 至 32 位数字" if line["account_no"] else "是空的"
    name = str(line.get("payee_name", "-") or "")
    if not name or re.fullmatch(r"[\d.,\s]+", name):
        yield "payee_name", "是空的" if not name else "是数字，不是户名"
    if "amount" in line and not line["amount"]:
        yield "amount", "是空的或为零"
    id_no = str(line.get("payee_id_no") or "")
    if id_no and not parse_id(id_no).ok:
        yield "payee_id_no", "身份证号的位数或校验位不对"
    code = str(line.get("bank_code") or "")
    if code and parse_bank_code(code)[1]:
        yield "bank_code", "联行号的位数或校验位不对"
    result = str(line.get("result") or "")
    if use == "return" and "result" in line and line.get("paid_amount") is None and not outcome_of(layout, result):
        yield "result", f"“{mask_text(result)}”看不出是成功还是失败（格式的 success、failure）"
