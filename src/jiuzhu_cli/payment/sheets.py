"""Bank files that are workbooks (xlsx, xls): written cell by cell from the layout, read by headers wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jiuzhu_cli.core.money import parse_amount, yuan
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.payment.values import (
    DATED,
    MONEY,
    WHOLE,
    BankFile,
    Columns,
    Lines,
    Summary,
    UnreadableFile,
    column_values,
    count_of,
    cut,
    fixed_text,
    is_fixed,
    pieces_of,
    texts_of,
    values_of,
)
from jiuzhu_cli.tabular.shown import exact_yuan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout
    from jiuzhu_cli.tabular.cells import Workbook
    from jiuzhu_cli.tabular.column import Column

# headers that banks put over the columns of what they send back (reference §5, appendices C and D)
SYNONYMS = {
    "line_no": ("序号", "顺序号", "笔号", "序列号"),
    "account_no": (
        "账号", "银行账号", "收款账号", "收款人账号", "卡号", "银行卡号", "一卡通账号", "社保卡号", "存折账号", "卡号/账号",
    ),
    "payee_name": ("姓名", "户名", "收款人全称", "收款人姓名", "收款人名称", "收款人户名", "收款户名", "账户名称", "收款账号名称"),
    "payee_id_no": ("身份证号", "身份证号码", "收款人身份证号", "证件号码", "身份证"),
    "amount": ("金额", "发放金额", "交易金额", "代发金额", "应发金额", "补贴金额", "汇款金额"),
    "paid_amount": ("实发金额", "成功金额", "到账金额", "入账金额", "实际发放金额"),
    "result": (
        "结果", "处理结果", "交易结果", "发放结果", "代发结果", "入账结果", "状态", "处理状态", "交易状态", "发放状态",
        "反馈状态", "处理标志", "是否成功", "成功标志",
    ),
    "reason": ("失败原因", "原因", "退票原因", "错误信息", "处理信息", "返回信息", "反馈信息", "错误原因", "失败信息"),
}  # fmt: skip
_TOTAL_WORDS = ("合计", "总计")
_COUNTED = re.compile(r"共?(\d+)[笔户人条]")  # “共3笔” in the column of accounts
_LATE = ("摘要", "备注")  # only when no better column says why


def write_sheet(
    layout: BankLayout,
    path: Path,
    columns: Columns,
    *,
    shape: Sequence[BankColumn] | None = None,
    summary: Summary | None = None,
) -> str:
    """Writes an xlsx or xls bank file; returns its SHA-256. ``summary``: for the layout's closing row, left out with another ``shape``."""
    from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

    closing = layout.closing if shape is None else ()
    shape = shape or layout.columns
    specs = [ColumnSpec(header=column.name, width=column.width or 22, kind=_kind(column)) for column in shape]
    rows: Sequence[Sequence[Any]] = _Rows(shape, columns)
    if closing:
        rows = [*rows, _closing_row(closing, specs, summary or {})]
    spec = SheetSpec(name=layout.sheet, columns=specs, rows=rows, title=layout.title)
    if layout.container == "xls":
        from jiuzhu_cli.tabular.writexls import write_xls

        return write_xls(path, spec)
    return write_xlsx(path, [spec])


def _kind(column: BankColumn) -> Literal["amount", "count", "text"]:
    if column.source in MONEY and not column.text and column.point and column.decimals == 2:
        return "amount"
    return "count" if column.source in WHOLE and not column.text else "text"


class _Rows(Sequence[Sequence[Any]]):
    """The rows of a sheet, made some thousand at a time when they are gone through."""

    def __init__(self, shape: Sequence[BankColumn], columns: Columns) -> None:
        self.shape, self.columns = shape, columns

    def __len__(self) -> int:
        return count_of(self.columns)

    def __getitem__(self, index: Any) -> Any:
        first, last, _ = index.indices(len(self)) if isinstance(index, slice) else (index, index + 1, 1)
        found = list(self._made(cut(self.columns, first, last)))
        return found if isinstance(index, slice) else found[0]

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for piece in pieces_of(self.columns):
            yield from self._made(piece)

    def _made(self, piece: Columns) -> Iterator[Sequence[Any]]:
        count = count_of(piece)
        cells = []
        for column in self.shape:
            values = column_values(column, piece, count)
            plain = _kind(column) != "text" or column.source not in MONEY | WHOLE | DATED | {"own_flag"}
            cells.append(values if plain else texts_of(column, values))
        return zip(*cells, strict=True)


def _closing_row(closing: Sequence[BankColumn], specs: Sequence[Any], summary: Summary) -> list[Any]:
    row: list[Any] = []
    for column, spec in zip(closing, specs, strict=False):
        value = fixed_text(column) if is_fixed(column) else summary.get(column.source, "")
        row.append(value if spec.kind != "text" and not isinstance(value, str) else texts_of(column, [value])[0])
    return row + [""] * (len(specs) - len(row))


def differs_from(layout: BankLayout, path: Path, columns: Columns, summary: Summary) -> str:
    """Where a workbook that was just written differs from what it should hold, cell by cell in vectors; '' when nowhere."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from jiuzhu_cli.tabular.read import read_workbook

    sheet = read_workbook(path).sheets[0]
    first = bool(layout.title) + 1
    count = count_of(columns)
    if sheet.height != first + count + bool(layout.closing):
        return f"{sheet.height - first - bool(layout.closing)} 行，应为 {count} 行"
    for index, column in enumerate(layout.columns):
        if sheet.columns[index][first - 1] != column.name:
            return f"第 {index + 1} 列的表头不是“{column.name}”"
    for index, column in enumerate(layout.columns):
        cells = sheet.columns[index].text if index < sheet.width else pa.nulls(sheet.height, pa.string())
        got = pc.fill_null(cells.slice(first, count), "")
        if _kind(column) != "text":
            got = pc.replace_substring_regex(got, r"^(\d+)\.0$", r"\1")
        if not pa.chunked_array([got]).equals(_shown(column, columns, count)):
            return f"“{column.name}”列不同"
    at = first + count
    if layout.closing:
        specs = [_Spec(_kind(column)) for column in layout.columns]
        for index, value in enumerate(_closing_row(layout.closing, specs, summary)):
            text = exact_yuan(value) if specs[index].kind == "amount" and isinstance(value, int) else str(value)
            if (sheet.columns[index].text[at].as_py() or "").removesuffix(".0") != text:
                return "合计行不同"
    return ""


def _shown(column: BankColumn, columns: Columns, count: int) -> pa.ChunkedArray:
    """A column as its cells show it; what is text on record stays Arrow."""
    import pyarrow as pa

    kind, made = _kind(column), column.only or column.source in MONEY | WHOLE | DATED | {"own_flag"}
    if isinstance(columns, Lines) and not made and column.source in columns:
        return columns.table[column.source]
    values = column_values(column, columns, count)
    if kind == "text":
        texts = texts_of(column, values)
    else:
        known = {value: _figure(kind, value) for value in set(values)}
        texts = [known[value] for value in values]
    return pa.chunked_array([texts], pa.string())


def _figure(kind: str, value: Any) -> str:
    if kind == "amount":
        return exact_yuan(value)
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class _Spec:
    kind: str


def read_sheet(
    path: Path, shape: Sequence[BankColumn], *, needed: Sequence[str], opened: dict[Path, Workbook] | None = None
) -> BankFile:
    """Reads an xlsx (xls, csv) file whose columns are found by ``shape``'s headers or their synonyms.

    ``needed``: sources that must be there. UnreadableFile when no sheet has them, when an amount or number cannot be read
    (row numbers told), or when a 合计 row differs from the sum. ``opened``: workbooks read before, where several layouts try one file.
    """
    from jiuzhu_cli.tabular.read import read_workbook

    opened = {} if opened is None else opened
    if path not in opened:
        opened[path] = read_workbook(path)
    book = opened[path]
    best: list[str] = list(needed)
    for sheet in book.sheets:
        if sheet.hidden:
            continue
        for row in range(min(sheet.height, 30)):
            heads = [_text(sheet.columns[c][row]) for c in range(sheet.width)]
            located = locate(heads, shape)
            missing = [source for source in needed if source not in located]
            if not missing:
                return _rows_below(sheet.columns, row, sheet.height, located, shape)
            if len(missing) < len(best):
                best = missing
    words = {"account_no": "账号", "payee_name": "姓名", "amount": "金额", "result": "结果", "line_no": "序号"}
    raise UnreadableFile(
        f"“{path.name}”里找不到这些列：{'、'.join(words.get(source, source) for source in best)}",
        "回盘文件要有账号、姓名、金额和结果列；请向银行索取带结果的文件",
        fit=0.5 * (1 - len(best) / len(needed)),
    )


def locate(heads: Sequence[str], shape: Sequence[BankColumn]) -> dict[str, int]:
    """``source → column index``: the layout's own headers first, then synonyms; the first column wins."""
    keys = [header_key(head) if head else "" for head in heads]
    located: dict[str, int] = {}
    for column in shape:
        key = header_key(column.name)
        if not is_fixed(column) and key in keys:
            located.setdefault(column.source, keys.index(key))
    for source, words in SYNONYMS.items():
        if source not in located:
            hits = [
                keys.index(header_key(w))
                for w in words
                if header_key(w) in keys and keys.index(header_key(w)) not in located.values()
            ]
            if hits:
                located[source] = hits[0]
    if "reason" not in located:
        free = [at for at, key in enumerate(keys) if at not in located.values()]
        said = [at for at in free if "原因" in keys[at]] + [at for word in _LATE for at in free if keys[at] == word]
        if said:
            located["reason"] = said[0]
    return located


def _rows_below(
    sheet: Sequence[Column], head: int, height: int, located: dict[str, int], shape: Sequence[BankColumn]
) -> BankFile:
    import numpy as np

    markers = [located[s] for s in ("line_no", "payee_name", "account_no") if s in located] + [0]
    keeps = np.zeros(height, bool)
    if "account_no" in located:  # nearly all rows: they have an account
        keeps[head + 1 :] = _have_account(sheet[located["account_no"]], head + 1)
    odd_rows = np.flatnonzero(~keeps[head + 1 :]) + head + 1
    few = len(odd_rows) * 20 < height
    cells = {index: sheet[index] if few else list(sheet[index]) for index in {*located.values(), *markers}}
    heads = {source: _text(cells[index][head]) for source, index in located.items()}
    stated: list[tuple[int, Any, int | None]] = []
    for row in odd_rows.tolist():
        given = cells[located["account_no"]][row] if "account_no" in located else None
        if all(cells[index][row] in (None, "") for index in located.values()):
            continue
        account = _text(given)
        counted = _COUNTED.fullmatch(compact(account))
        words = {header_key(_text(cells[index][row])) for index in markers if cells[index][row] not in (None, "")}
        # a person may be called 合计; a totals row has no account
        none = not account or counted or account.startswith(_TOTAL_WORDS)
        if none and any(word.startswith(_TOTAL_WORDS) for word in words):
            amount = cells[located["amount"]][row] if "amount" in located else None
            stated.append((row, amount, int(counted[1]) if counted else None))
            continue
        if ("小计" in words and not account) or all(_text(cells[i][row]) == heads[s] for s, i in located.items()):
            continue
        if "account_no" in located and given in (None, "") and cells[located.get("amount", 0)][row] in (None, ""):
            continue  # 制表人, remarks under the table
        keeps[row] = True
    places = np.flatnonzero(keeps)
    kept: list[int] = places.tolist()
    columns: dict[str, list[Any]] = {}
    wrong: list[int] = []
    for source, index in located.items():
        columns[source] = _cells_of(source, sheet[index].take(places), kept, wrong)
    for column in shape:  # marks and dates as the layout writes them, where the column is called as in the layout
        source = column.source
        marked = source == "own_flag" or (source in DATED and bool(column.style))
        if marked and source in columns and header_key(heads[source]) == header_key(column.name):
            odd = [row for row, text in zip(kept, columns[source], strict=True) if not _is_value(column, text)]
            wrong += odd
            columns[source] = columns[source] if odd else values_of(column, columns[source])
    if wrong:
        shown = "、".join(str(row + 1) for row in sorted(set(wrong))[:10])
        raise UnreadableFile(
            f"第 {shown} 行的金额、序号、账号或日期读不懂",
            "请银行重新给文件；账号须为文本，金额至多两位小数",
            fit=0.9 * (1 - len(set(wrong)) / len(kept)),
        )
    total = sum(fen or 0 for fen in columns.get("amount", []))
    for row, cell, lines in stated:
        if lines is not None and lines != len(kept):
            raise UnreadableFile(
                f"第 {row + 1} 行合计写 {lines} 笔，表里是 {len(kept)} 笔，对不上",
                "请与银行核对后重新取文件",
                fit=min(len(kept), 1),
            )
        said = parse_amount(cell).fen
        if said is not None and said != total:
            raise UnreadableFile(
                f"第 {row + 1} 行合计写 {yuan(said)} 元，各行相加 {yuan(total)} 元，对不上",
                "请与银行核对后重新取文件",
                fit=min(len(kept), 1),
            )
    return BankFile(columns, [row + 1 for row in kept])


def _is_value(column: BankColumn, text: str) -> bool:
    try:
        values_of(column, [text])
    except ValueError:
        return False
    return True


def _have_account(column: Column, first: int) -> np.ndarray:
    """Of the rows from ``first`` on, which have a text that begins as an account does."""
    import pyarrow.compute as pc

    from jiuzhu_cli.tabular.column import TEXT

    text = column.text[first:]
    plain = pc.and_(pc.match_substring_regex(text, "^[0-9]"), pc.string_is_ascii(text))
    found: np.ndarray = pc.fill_null(plain, False).to_numpy(zero_copy_only=False) & (column.kinds[first:] == TEXT)
    return found


def _cells_of(source: str, column: Column, rows: list[int], wrong: list[int]) -> list[Any]:
    """The values of a column; ``wrong`` gets the rows whose cell is none of its kind. Equal cells are read once, plain figures all at once."""
    import numpy as np
    import pyarrow.compute as pc

    from jiuzhu_cli.tabular.column import INT, TEXT

    text, kinds = column.text, column.kinds
    plain = TEXT if source == "account_no" else INT
    if source in WHOLE | {"account_no"} and (kinds == plain).all() and pc.all(pc.ascii_is_decimal(text)).as_py():
        if source == "account_no":
            return text.to_pylist()  # type: ignore[no-any-return]
        if (pc.max(pc.utf8_length(text)).as_py() or 0) < 19:
            return text.cast("int64").to_pylist()  # type: ignore[no-any-return]
    distinct, codes = column.distinct()
    values, bad = np.empty(len(distinct), object), np.zeros(len(distinct), bool)
    for at, cell in enumerate(distinct):
        odd: list[int] = []
        values[at] = _cell(source, cell, 0, odd)
        bad[at] = bool(odd)
    wrong += [rows[at] for at in np.flatnonzero(bad[codes]).tolist()]
    return values[codes].tolist()  # type: ignore[no-any-return]


def _cell(source: str, cell: Any, row: int, wrong: list[int]) -> Any:
    if source in MONEY:
        amount = parse_amount(cell)
        if amount.problem or (amount.fen is None and source == "amount"):
            wrong.append(row)
        return amount.fen
    if source in WHOLE:
        text = compact(_text(cell))
        if text and not text.isdecimal():
            wrong.append(row)
            return None
        return int(text) if text else None
    if source == "account_no":
        if isinstance(cell, float) or (isinstance(cell, int) and cell >= 10**15):
            wrong.append(row)  # a number cell has lost digits of an account
        return compact(_text(cell))
    return _text(cell).strip()


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float | Decimal) and cell == int(cell):
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)
