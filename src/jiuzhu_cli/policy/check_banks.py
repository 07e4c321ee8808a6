"""Checks of the bank layouts (``banks/*.toml``): a layout that could not write and read back what it says is an error."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout
    from jiuzhu_cli.policy.load import Policy

OF_LINES = frozenset(
    "line_no payee_name payee_id_no person_name person_id_no account_no amount bank_name bank_code branch purpose programme persons month date phone address"
    " own_flag agreement_no payer_name payer_account".split()
)
OF_RETURNS = OF_LINES | {"result", "reason", "paid_amount"}
OF_SUMMARIES = frozenset("lines total month date sequence batch payer_name payer_account agreement_no".split())
NUMBERS = frozenset("line_no amount paid_amount total lines sequence batch persons".split())
NEEDED = {"account_no": "账号", "payee_name": "户名", "amount": "金额"}
IN_NAMES = frozenset("bank name month yyyymm date sequence batch".split())


def check_banks(policy: Policy, today: date) -> Iterator[Problem]:
    words: dict[tuple[bool, str], str] = {}
    for layout in policy.banks.values():
        where = layout.at(f"代发格式 {layout.code}")
        yield from (Problem("error", where, text) for text in _faults(layout))
        if layout.container == "pain001" and layout.message not in policy.messages:
            known = "、".join(code for code in policy.messages if code.startswith("pain.001"))
            yield Problem("error", where, f"没有消息 {layout.message} 的结构（data/messages/），可用：{known}")
        for word in layout.banks if layout.routed and layout.makes_files else ():
            first = words.setdefault((layout.own, word), layout.code)
            if first != layout.code:
                text = f"“{word}”的账户 {first} 也收，走 {first}；要走这一个，把那一个写 routed = false"
                yield Problem("warning", where, text)


def _faults(layout: BankLayout) -> Iterator[str]:
    if not layout.makes_files:
        if not layout.says:
            yield "本程序写不了的格式要写 says：知道什么、怎么办"
        return
    yield from _file(layout)
    shapes = (
        ("columns", layout.columns, OF_LINES),
        ("returns", layout.returns, OF_RETURNS),
        ("summary", layout.summary, OF_SUMMARIES),
        ("trailer", layout.trailer, OF_SUMMARIES),
    )
    for name, shape, known in shapes:
        for number, column in enumerate(shape, 1):
            yield from (f"{name} 第 {number} 列“{column.name}”{text}" for text in _column(layout, column, known))
        told = Counter(column.source for column in shape if ":" not in column.source)
        yield from (
            f"{name} 里 {source} 有 {n} 列，读回来分不清；多的一列用 const:" for source, n in told.items() if n > 1
        )
    sources = {column.source for column in layout.columns}
    yield from (f"columns 里没有{what}（{source}）" for source, what in NEEDED.items() if source not in sources)
    if layout.returns and not {column.source for column in layout.returns} & {"result", "paid_amount"}:
        yield "returns 里没有结果（result）也没有到账金额（paid_amount），读不出成败"
    if both := sorted(set(layout.success) & set(layout.failure)):
        yield f"“{both[0]}”既算成功又算失败"


def _file(layout: BankLayout) -> Iterator[str]:
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(layout.file_name) if name is not None}
        if used - IN_NAMES:
            wrong = sorted(used - IN_NAMES)[0]
            yield f"file_name 里不认识 {{{wrong}}}{near(wrong, IN_NAMES)}"
        else:
            layout.file_name.format(
                bank="a", name="a", month="2026-01", yyyymm="202601", date="20260101", sequence=1, batch=1
            )
    except (ValueError, IndexError, KeyError):
        yield f"file_name 写法不对：{layout.file_name}"
    if re.search(r'[\x00-\x1f<>:"/\\|?*]', re.sub(r"\{[^}]*\}", "", layout.file_name)):
        yield "file_name 里有文件名不能用的字符"
    if layout.is_book:
        if not 0 < len(layout.sheet) <= 31 or re.search(r"[\[\]:*?/\\]", layout.sheet):
            yield "sheet 要 1 至 31 个字，不含 [ ] : * ? / \\"
        if layout.opening:
            yield "工作簿的汇总写在最后一行：加 summary_last = true，或写 title"
        if layout.closing and not any(c.source.startswith(("const:合计", "const:总计")) for c in layout.closing):
            yield "工作簿的汇总行要有一格“合计”（const:合计），读回来才认得"
        if len(layout.closing) > len(layout.columns):
            yield "汇总行比明细的列还多"
    if layout.container == "delimited" and (not layout.delimiter or set(layout.delimiter) & set("\r\n0123456789.")):
        yield "delimiter 要写一个或几个不是数字、小数点、换行的字符"
    if layout.line_end not in ("\r\n", "\n"):
        yield 'line_end 写 "\\r\\n" 或 "\\n"'
    if layout.summary_last and layout.trailer:
        yield "summary_last = true 时 summary 就是末行，不再写 trailer"
    if layout.other_bank == "separate" and layout.separate_names[0] == layout.separate_names[1]:
        yield "separate_names 的两个名字要不同"
    if layout.other_bank and layout.separate_by == "bank" and not (layout.banks or layout.own_codes):
        yield "要分本行、跨行，banks 或 own_codes 要写本行的名称或行别"
    if min(layout.max_lines, layout.max_file_fen, layout.max_line_fen) < 0:
        yield "max_lines、max_file_fen、max_line_fen 不能是负数"


def _column(layout: BankLayout, column: BankColumn, known: frozenset[str]) -> Iterator[str]:
    kind, colon, text = column.source.partition(":")
    fixed = bool(colon)
    if fixed and kind not in ("const", "setting"):
        yield f"的 source 写法不对：{column.source}"
    elif fixed and kind == "setting" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text):
        yield f"的 setting 要写 jiuzhu.toml 里的名字（字母、数字、下划线）：{text}"
    elif not fixed and column.source not in known:
        yield f"的 source “{column.source}”不认识{near(column.source, known)}"
    if layout.container in ("delimited", "fixed"):
        shown = column.name + (text if kind == "const" else "") + column.default + column.own + column.other
        try:
            shown.encode(layout.encoding)
        except UnicodeEncodeError:
            yield f"里有 {layout.encoding} 编码没有的字"
        if layout.container == "delimited" and any(
            layout.delimiter in part for part in (column.name, text, column.default)
        ):
            yield "里有分隔符"
    if layout.container == "fixed":
        if column.width <= 0:
            yield "要写 width（字节）"
        if len(column.pad) != 1 or not column.pad.isascii():
            yield "的 pad 要是一个半角字符"
        if column.align == "left" and column.pad.isdigit() and column.source in NUMBERS:
            yield '的数字靠左、用数字填充，读回来不是原来的数：写 align = "right"'
        if fixed and kind == "const" and len(text.encode(layout.encoding, "replace")) > column.width:
            yield f"的固定文字超出 {column.width} 字节"
    if column.zeros and (column.source not in NUMBERS or layout.container != "delimited" or not 0 < column.zeros <= 20):
        yield "的 zeros 只用于分隔文本的数字，写几位数（定长文本写 width、align、pad）"
    if not 0 <= column.decimals <= 6:
        yield "的 decimals 要在 0 至 6"
    if column.style:
        day = "dd" in column.style
        if "yyyy" not in column.style or "MM" not in column.style or (column.source == "date") != day:
            yield "的 style 要有 yyyy、MM，日期还要有 dd（月份没有），例如 yyyy-MM-dd、yyyyMM"
        if column.source not in ("month", "date"):
            yield "的 style 只用于 month、date"
    if column.source == "own_flag" and column.own == column.other:
        yield "的 own 与 other 相同，分不出本行、跨行"
