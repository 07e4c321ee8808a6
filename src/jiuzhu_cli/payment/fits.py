"""What a bank's file may hold: every reason why a value cannot stand in it. Nothing is ever shortened, replaced or left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.payment.values import (
    MONEY,
    WHOLE,
    Columns,
    Problem,
    Summary,
    column_values,
    count_of,
    fixed_text,
    is_fixed,
    needs_more_decimals,
    pieces_of,
    texts_of,
)

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

REQUIRED = {"account_no": "没有账号", "payee_name": "没有户名", "amount": "金额为零"}
BOOKS_TEXT = 32_767  # characters of a cell
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_BYTES = {"gbk": 2, "gb18030": 4, "utf-8": 4}  # of a character, at most
_RARE = {
    "pinyin": "该行要求用拼音代替这个字，请按开户时登记的写法更正户名",
    "split": "该行要求拆字书写，请按开户时登记的写法更正户名",
    "image": "该行要求另送图片，请与银行商定户名写法",
    "": "请问清银行开户系统里这个户名怎么写",
}


def problems_of(layout: BankLayout, columns: Columns, summary: Summary | None = None) -> list[Problem]:
    """All reasons why ``columns`` cannot be written in this layout, line by line; [] when every value fits.

    One problem refuses the whole file. ``layout`` as ``layout.bind`` makes it, where settings stand in it.
    """
    found: list[Problem] = []
    for piece in pieces_of(columns):
        names, numbers = piece["payee_name"], piece["line_no"]
        found += [Problem(int(numbers[index]), str(names[index]), what) for index, what in misfits(layout, piece)]
        for source, what in REQUIRED.items():
            if not all(piece[source]):
                found += [
                    Problem(int(numbers[i]), str(names[i]), what) for i, value in enumerate(piece[source]) if not value
                ]
    for column in (*layout.opening, *layout.closing):
        value = fixed_text(column) if is_fixed(column) else (summary or {}).get(column.source, "")
        if column.required and value in ("", None):
            found.append(Problem(0, "汇总行", f"没有{column.name}"))
        found += [Problem(0, "汇总行", f"{column.name}{what}") for _, what in _misfits(layout, column, [value])]
    for column in layout.columns:
        if is_fixed(column) and column.required and not fixed_text(column):
            key = column.source.partition(":")[2]
            section = "payment" if key in ("payer_name", "payer_account", "agreement_no") else "payment.constants"
            found.append(Problem(0, "设置", f"没有{column.name}：在 jiuzhu.toml 的 [{section}] 写 {key}"))
    return sorted(found, key=lambda p: p.line_no)


def misfits(layout: BankLayout, columns: Columns) -> Iterator[tuple[int, str]]:
    """``(index, what)`` of every value that this layout cannot express; columns not given are left out."""
    count = count_of(columns)
    owners = columns.get("own_flag")
    if owners is not None and layout.other_bank:
        yield from ((i, "开户银行看不出是不是本行，请补全银行名称或联行号") for i, one in enumerate(owners) if not one)
        if layout.other_bank == "refused":
            yield from ((i, f"不是本行账户，{layout.name}不收") for i, one in enumerate(owners) if one == "other")
    for column in layout.columns:
        if column.source not in columns and not is_fixed(column):
            continue
        values = column_values(column, columns, count)
        if column.required and not is_fixed(column):
            wanted = (
                [one == column.only for one in owners] if column.only and owners is not None else [True] * len(values)
            )
            yield from (
                (i, f"没有{column.name}") for i, value in enumerate(values) if wanted[i] and value in ("", None)
            )
        yield from ((index, f"{column.name}{what}") for index, what in _misfits(layout, column, values))


def _misfits(layout: BankLayout, column: BankColumn, values: Iterable[object]) -> Iterable[tuple[int, str]]:
    values = list(values)
    typed = column.source in MONEY or column.source in WHOLE
    if column.source in MONEY and column.decimals < 2:
        unit = "元" if column.decimals == 0 else "角"
        for index, value in enumerate(values):
            if needs_more_decimals(column, value):  # type: ignore[arg-type]
                yield index, f"有{'角分' if unit == '元' else '分'}，这个格式只写到{unit}"
    texts = texts_of(column, values)
    joined = "".join(texts)
    if not typed and not joined.isalnum():  # letters, digits and characters only: nothing to look for
        for index, text in enumerate(texts):
            if _CONTROL.search(text):
                yield index, "里有换行或不可见字符"
            elif _FORMULA.match(text):
                yield index, "像公式（以 = + - @ 开头）"
            elif text != text.strip():
                yield index, "首尾有空格"
    if layout.is_book or layout.container == "pain001":
        if len(joined) > BOOKS_TEXT:
            yield from ((i, "太长") for i, text in enumerate(texts) if len(text) > BOOKS_TEXT)
        if layout.container == "pain001":
            from jiuzhu_cli.payment.pain import too_long

            yield from too_long(column.source, texts)
        return
    try:
        joined.encode(layout.encoding)
    except UnicodeEncodeError:
        for index, text in enumerate(texts):
            missing = [char for char in dict.fromkeys(text) if not encodable(char, layout.encoding)]
            if missing:
                yield (
                    index,
                    f"里的“{''.join(missing)}”银行文件写不了（{layout.encoding} 编码没有这个字；{_RARE[layout.rare]}）",
                )
        return
    if layout.container == "delimited":
        mark = layout.delimiter
        if any(char in joined for char in mark):
            for index, text in enumerate(texts):
                if (text + mark).find(mark) != len(text):
                    yield index, f"里有分隔符“{mark}”"
        return
    codec = codec_of(layout)
    narrow = joined.isascii()
    longest = max(map(len, texts), default=0) * (1 if narrow else _BYTES[codec])
    if longest <= column.width and (typed or column.pad not in joined or (narrow and column.pad == " ")):
        return
    for index, text in enumerate(texts):
        if (len(text) if narrow else len(text.encode(codec))) > column.width:
            yield index, f"超出 {column.width} 字节"
        elif not typed and text and text[-1 if column.align == "left" else 0] == column.pad:
            yield index, f"以填充字符“{column.pad}”{'结尾' if column.align == 'left' else '开头'}"


def codec_of(layout: BankLayout) -> str:
    """The encoding of a piece of the file: the mark in front of utf-8-sig is written once."""
    return "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding


def encodable(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def masked(problems: list[Problem], *, limit: int = 20) -> str:
    """Problems as one Chinese sentence for an error: names are told (they must be mended), numbers are masked."""
    shown = "；".join(
        (f"第 {p.line_no} 笔 " if p.line_no else "") + f"{p.name}：{mask_text(p.what)}" for p in problems[:limit]
    )
    return shown + (f"；另有 {len(problems) - limit} 处" if len(problems) > limit else "")
