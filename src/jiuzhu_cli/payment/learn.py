"""A layout drafted from a bank's sample (从样例起草格式): its form, header and trailer, its columns, each one that is unsure marked 请核对.

Nothing of the sample's people goes into the draft. The draft is then held to the sample: what it reads it must write again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import tomli

from jiuzhu_cli.core.errors import DataError, JiuzhuError
from jiuzhu_cli.payment.columns import BAD, Guess, by_content, by_header, guess
from jiuzhu_cli.payment.drafted import OF_ANSWER, Found, written
from jiuzhu_cli.payment.layout import bind, read_bytes
from jiuzhu_cli.payment.sample import TextForm, container_of, text_form
from jiuzhu_cli.payment.textfile import decode_text, encode_text
from jiuzhu_cli.policy.bank_layout import BankLayout

TOTALS = ("合计", "总计", "小计")
NEEDED = {"account_no": "账号", "payee_name": "户名", "amount": "金额"}


@dataclass(slots=True)
class Draft:
    """``toml``: the layout's text. ``questions``: what must be checked, Chinese. ``same``: the sample came out again byte for byte (text)
    or value for value (workbooks); ``lines``: how many lines of it were understood; ``constants``: settings the sample suggests."""

    code: str
    toml: str
    layout: BankLayout | None
    questions: list[str]
    lines: int
    same: bool
    is_return: bool
    constants: dict[str, str] = field(default_factory=dict)


def learn(path: Path, *, code: str, name: str = "") -> Draft:
    """A draft from the sample at ``path``. DataError when its form cannot be told, or no layout is needed (pain.001, pain.002)."""
    data = read_bytes(path)
    kind = container_of(data)
    if kind == "xml":
        raise DataError(f"“{path.name}”是 XML：ISO 20022 的用自带的 pain001", "用 jiuzhu pay layout check 核对它")
    found = _of_book(path, kind) if kind in ("xlsx", "xls") else _of_text(text_form(data))
    answers = any(one.source in OF_ANSWER for one in found.columns)
    told = {one.source for one in found.columns}
    found.questions += [f"没有认出{what}列，补上以后才能用" for source, what in NEEDED.items() if source not in told]
    if answers:
        found.questions.append("样例是回盘：报盘的列是照它去掉结果起草的，请对照银行的报盘格式")
    text = written(found, code=code, name=name or f"从样例起草（{code}）", answers=answers)
    layout, lines, same = None, found.lines, False
    if told >= NEEDED.keys():
        try:
            layout = BankLayout.model_validate(tomli.loads(text, parse_float=Decimal) | {"code": code})
            lines, same = _tried(layout, found, path, data, answers)
        except JiuzhuError as error:
            found.questions.append(f"起草的格式读不回样例：{error.message}")
    return Draft(code, text, layout, found.questions, lines, same, answers, found.constants)


# -- text -----------------------------------------------------------------------------------------------------


def _of_text(form: TextForm) -> Found:
    head: dict[str, Any] = {"container": "delimited" if form.delimiter else "fixed", "encoding": form.encoding}
    if form.delimiter:
        head["delimiter"] = form.delimiter
        if form.end_delimiter:
            head["end_delimiter"] = True
    if form.line_end != "\r\n":
        head["line_end"] = form.line_end
    lines = [line.decode(form.codec) for line in form.lines]
    shapes = [line.count(form.delimiter) for line in lines] if form.delimiter else [len(line) for line in form.lines]
    usual = Counter(shapes).most_common(1)[0][0]
    shapes = [-1 if index in form.apart else shape for index, shape in enumerate(shapes)]
    body = [index for index, shape in enumerate(shapes) if shape == usual]
    first, last = body[0], body[-1] + 1
    found = Found(head, [], questions=list(form.unsure))
    if first > 1 or last < len(lines) - 1:
        found.questions.append("明细前后不止一行别的内容，这里只认一行首行、一行末行")
    odd = [index + 1 for index in range(first, last) if shapes[index] != usual]
    if odd:
        found.questions.append(f"第 {'、'.join(map(str, odd[:5]))} 行与其他明细栏数或字节数不同")
    rows = [_cells(form, form.lines[index]) for index in body]
    opening = _cells(form, form.lines[0]) if first and form.delimiter else [lines[0]] if first else []
    closing = (
        _cells(form, form.lines[-1])
        if last < len(lines) and form.delimiter
        else [lines[-1]]
        if last < len(lines)
        else []
    )
    if _is_header(rows):
        found.header, titles, rows = True, rows[0], rows[1:]
    else:
        titles = [""] * len(rows[0]) if rows else []
    if not opening and len(rows) > 2 and _is_total(rows[0], rows[1:]):
        opening, rows = rows[0], rows[1:]
    if not closing and len(rows) > 2 and _is_total(rows[-1], rows[:-1]):
        closing, rows = rows[-1], rows[:-1]
    if len(rows) < 1:
        raise DataError("样例里没有明细", "给一份明细至少三笔的样例")
    if len(rows) < 3:
        found.questions.append("明细不到三笔，列是什么可能认错，最好用三笔以上的样例再起草一次")
    found.lines = len(rows)
    raw = list(zip(*rows, strict=True))
    pads = [_padding(cells) if not form.delimiter else {} for cells in raw]
    texts = [_bare(cells, pad) for cells, pad in zip(raw, pads, strict=True)]
    found.columns = [
        guess(title.strip(), cells, at) for at, (title, cells) in enumerate(zip(titles, texts, strict=True), 1)
    ]
    _settle(found, texts)
    totals = _totals(found, texts)
    if not form.delimiter:
        opening, closing = (_pieces(cells, found.lines, totals) for cells in (opening, closing))
    for cells, place in ((opening, found.opening), (closing, found.closing)):
        place += [_of_summary(cell.strip(), found, totals, number) for number, cell in enumerate(cells, 1)]
    _unit_of_amounts(found, texts, totals)
    if not form.delimiter:
        for column, pad, left, right in zip(found.columns, pads, form.cuts, form.cuts[1:], strict=False):
            column.extra = {"width": right - left, **pad, **column.extra}
        for cells, place in ((opening, found.opening), (closing, found.closing)):
            for cell, column in zip(cells, place, strict=True):
                column.extra = {"width": len(cell.encode(form.codec)), **_padding([cell]), **column.extra}
    return found


def _cells(form: TextForm, line: bytes) -> list[str]:
    if form.delimiter:
        cells = line.decode(form.codec).split(form.delimiter)
        return [cell.strip() for cell in (cells[:-1] if form.end_delimiter else cells)]
    return [line[a:b].decode(form.codec, "replace") for a, b in zip(form.cuts, form.cuts[1:], strict=False)]


def _pieces(cells: Sequence[str], lines: int, totals: dict[str, int]) -> list[str]:
    """The cells of a header or trailer of fixed width: at its gaps, where digits begin or end, and where count and sum meet."""
    if len(cells) != 1:  # a line of the same width as the others, cut already
        return list(cells)
    found: list[str] = []
    sums = {lines, totals["fen"], totals["yuan"]}
    for piece in re.findall(r"\d+\s*|[^\d\s]+\s*|\s+", cells[0]):
        digits = piece.rstrip()
        cut = (
            next((at for at in range(1, len(digits)) if {int(digits[:at]), int(digits[at:])} <= sums - {0}), 0)
            if digits.isdecimal()
            else 0
        )
        number = len(digits) if digits[:1] == "0" else len(piece)  # zeros fill it: the blanks behind are no part of it
        found += [part for part in (piece[:cut], piece[cut:number], piece[number:]) if part]
    return found


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    if len(rows) < 2:
        return False
    known = sum(bool(by_header(cell.strip())) for cell in rows[0])
    digits = sum(any(char.isdigit() for char in cell) for cell in rows[0])
    return known >= 2 or (known >= 1 and not digits)


def _is_total(row: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a line states the count and the sum of the others, or says so."""
    cells = [cell.strip().replace(",", "") for cell in row]
    if any(cell.startswith(TOTALS) for cell in cells):
        return True
    sums = set()
    for column in zip(*others, strict=True):
        texts = [cell.strip().replace(",", "") for cell in column]
        if all(re.fullmatch(r"\d+(\.\d+)?", text) for text in texts):
            sums.add(sum(map(Decimal, texts)))
    numbers = {Decimal(cell) for cell in cells if re.fullmatch(r"\d+(\.\d+)?", cell)}
    return Decimal(len(others)) in numbers and bool(numbers & sums)


def _padding(cells: Sequence[str]) -> dict[str, Any]:
    """How a column of fixed width is filled: left with blanks unless it shows otherwise."""
    if all(cell.isascii() and cell.isdecimal() for cell in cells) and sum(cell[:1] == "0" for cell in cells) * 2 >= len(
        cells
    ):
        return {"align": "right", "pad": "0"}
    if any(cell[:1] == " " for cell in cells if cell.strip()) and not any(
        cell[-1:] == " " for cell in cells if cell.strip()
    ):
        return {"align": "right"}
    return {}


def _bare(cells: Sequence[str], pad: dict[str, Any]) -> list[str]:
    if pad.get("pad") == "0":
        return [cell.lstrip("0") or "0" for cell in cells]
    return [cell.strip() for cell in cells]


# -- workbooks ------------------------------------------------------------------------------------------------


def _of_book(path: Path, kind: str) -> Found:
    from jiuzhu_cli.tabular.column import TEXT
    from jiuzhu_cli.tabular.read import as_text, read_workbook

    best: tuple[int, Any, int] | None = None
    for sheet in read_workbook(path).sheets:
        for row in range(min(sheet.height, 30)) if not sheet.hidden else ():
            known = sum(bool(by_header(as_text(sheet.columns[c][row]))) for c in range(sheet.width))
            if known >= 2 and (best is None or known > best[0]):
                best = known, sheet, row
    if best is None:
        raise DataError(f"“{path.name}”里没有认得的表头", "样例要有表头行（账号、户名、金额……）和几笔明细")
    _, sheet, top = best
    found = Found({"container": kind, "sheet": sheet.name}, [])
    if top:
        title = next(
            (as_text(sheet.columns[c][0]) for c in range(sheet.width) if sheet.columns[c][0] not in (None, "")), ""
        )
        found.head["title"] = title
        if top > 1:
            found.questions.append("表头上面不止一行标题，这里只写第一行")
        found.questions.append("标题照样例写了，里面若有月份请改") if re.search(r"\d", title) else None
    rows = [[as_text(column[row]) for column in sheet.columns] for row in range(top + 1, sheet.height)]
    while rows and not any(rows[-1]):
        rows.pop()
    below = next(
        (
            at
            for at in range(len(rows) - 1, max(len(rows) - 8, 0), -1)
            if any(c.strip().startswith(TOTALS) for c in rows[at])
        ),
        0,
    )
    if below and below < len(rows) - 1:
        found.questions.append("合计下面还有制表人等文字，写出的文件没有")
    closing, rows = (rows[below], rows[:below]) if below else ([], rows)
    if not rows:
        raise DataError("样例里没有明细", "给一份明细至少三笔的样例")
    texts = [list(cells) for cells in zip(*rows, strict=True)]
    titles = [as_text(column[top]) for column in sheet.columns]
    found.columns = [guess(title, cells, at) for at, (title, cells) in enumerate(zip(titles, texts, strict=True), 1)]
    found.lines = len(rows)
    _settle(found, texts)
    for column, one in zip(sheet.columns, found.columns, strict=True):
        if one.source in ("amount", "paid_amount"):
            one.extra.pop("whole", None)
            if (column.kinds[top + 1 : top + 1 + len(rows)] == TEXT).all():
                one.extra["text"] = True
            else:
                one.extra.pop("decimals", None)
    totals = _totals(found, texts)
    found.closing = [_of_summary(cell, found, totals, number) for number, cell in enumerate(closing, 1)]
    return found


# -- both -----------------------------------------------------------------------------------------------------


def _answers(found: Found, texts: Sequence[Sequence[str]]) -> None:
    """Codes beside a column of reasons are results; a column filled only where a line failed is its reason."""
    sources = {one.source for one in found.columns}
    for one, cells in zip(found.columns, texts, strict=True):
        words = {cell.strip() for cell in cells}
        codes = 1 < len(words) <= 6 and all(re.fullmatch(r"[A-Za-z0-9]{1,4}", word) for word in words)
        if (
            "reason" in sources
            and "result" not in sources
            and codes
            and one.source not in ("line_no", "persons", "own_flag")
        ):
            one.source, one.extra, one.doubt = "result", {}, "像是结果代码，成功、失败各是哪个请核对"
            sources.add("result")
    results = next((cells for one, cells in zip(found.columns, texts, strict=True) if one.source == "result"), None)
    for one, cells in zip(found.columns, texts, strict=True) if results and "reason" not in sources else ():
        filled = [bool(cell.strip()) for cell in cells]
        failed = [any(sign in result for sign in BAD) for result in results or ()]
        if (
            one.source == "const:"
            and any(filled)
            and all(bad or not full for bad, full in zip(failed, filled, strict=True))
        ):
            one.source, one.doubt = "reason", "只有失败的行有内容，像是失败原因"
            return


def _settle(found: Found, texts: Sequence[Sequence[str]]) -> None:
    """One column a source; constants become text or settings; marks and words of single columns are kept."""
    _answers(found, texts)
    taken: dict[str, int] = {}
    order = sorted(range(len(found.columns)), key=lambda at: bool(found.columns[at].doubt))  # sure ones first
    for at in order:
        one = found.columns[at]
        if one.source in taken and ":" not in one.source and one.source != "const":
            one.name = f"栏{at + 1}" if one.name == found.columns[taken[one.source]].name else one.name
            one.doubt = f"另有一列（{found.columns[taken[one.source]].name}）也像，这一列写出时留空"
            one.source, one.extra = "const:", {}
        taken.setdefault(one.source, at)
    codes = next((cells for one, cells in zip(found.columns, texts, strict=True) if one.source == "bank_code"), None)
    for one, cells in zip(found.columns, texts, strict=True):
        values = {cell.strip() for cell in cells}
        if one.source == "const" or one.source in ("agreement_no", "payer_account", "payer_name"):
            _constant(found, one, next(iter(values)) if len(values) == 1 else "")
        elif one.source == "own_flag":
            _own_flag(one, cells, codes)
        elif one.source == "result":
            found.words = [word for word, _ in Counter(cell.strip() for cell in cells if cell.strip()).most_common()]
        elif (
            one.source == "line_no"
            and found.head["container"] == "delimited"
            and len({len(c) for c in cells}) == 1
            and cells[0][:1] == "0"
        ):
            one.extra["zeros"] = len(cells[0])
        elif one.source == "line_no" and any(not cell.strip().isdecimal() for cell in cells):
            one.source, one.doubt, one.extra = "const:", "表头说是序号，内容不是数，写出时留空", {}
        elif one.source == "date":
            one.doubt = one.doubt or "写出时是导出的日期"


def _constant(found: Found, one: Guess, value: str) -> None:
    """The same on every line: numbers that a bank gave the bureau are settings, never part of a layout."""
    if one.source in ("agreement_no", "payer_account", "payer_name"):
        found.constants[one.source] = value
        found.questions.append(f"“{one.name}”是 jiuzhu.toml 的设置：[payment] {one.source}")
    elif len(re.sub(r"\D", "", value)) >= 6:
        key = f"constant_{sum(key.startswith('constant_') for key in found.constants) + 1}"
        found.constants[key] = value
        one.source, one.doubt = (
            f"setting:{key}",
            f"每行都一样的号码：在 jiuzhu.toml 的 [payment.constants] 写 {key}，可改个名字",
        )
    else:
        one.source, one.doubt = f"const:{value}", "每行都一样，按固定文字写"


def _own_flag(one: Guess, cells: Sequence[str], codes: Sequence[str] | None) -> None:
    marks = Counter(cell.strip() for cell in cells)
    other = {cell.strip() for cell, code in zip(cells, codes, strict=True) if code.strip()} if codes else set()
    own = set(marks) - other
    if len(marks) == 2 and len(other) == 1 and len(own) == 1:
        one.extra = {"own": own.pop(), "other": other.pop()}
        return
    known = [mark for mark, _ in marks.most_common()]
    one.extra = {"own": known[0], "other": known[1] if len(known) > 1 else ("1" if known[0] != "1" else "0")}
    one.doubt = "本行、跨行各写什么，请对照协议"


def _totals(found: Found, texts: Sequence[Sequence[str]]) -> dict[str, int]:
    """The sum of the amounts taken as 元 (in 分) and as 分."""
    sums = {"yuan": -1, "fen": -1}
    for one, cells in zip(found.columns, texts, strict=True):
        if one.source == "amount":
            numbers = [Decimal(cell.replace(",", "") or "0") for cell in cells if re.fullmatch(r"[\d,]*\.?\d*", cell)]
            sums = {"yuan": int(sum(numbers) * 100), "fen": int(sum(numbers))}
    return sums


def _of_summary(text: str, found: Found, totals: dict[str, int], number: int) -> Guess:
    plain = text.replace(",", "")
    digits = plain.lstrip("0") or "0"
    if re.fullmatch(r"\d+\.\d+", plain) and int(Decimal(plain) * 100) == totals["yuan"]:
        return Guess("总金额", "total")
    if plain.isascii() and plain.isdecimal():
        if int(digits) == found.lines:
            return Guess("总笔数", "lines")
        if int(digits) == totals["fen"] and totals["fen"] > 0:
            whole = any(one.source == "amount" and one.extra.get("whole") for one in found.columns)
            return Guess("总金额", "total", "", {"whole": True} if whole else {"decimals": 0})
        if int(digits) == totals["yuan"] and totals["yuan"] > 0:
            return Guess("总金额", "total", "", {"point": False})
    source, extra, _ = by_content([text])
    if source in ("month", "date"):
        return Guess("月份" if source == "month" else "日期", source, "", extra)
    if len(re.sub(r"\D", "", text)) >= 6:
        one = Guess(f"栏{number}", "const")
        _constant(found, one, text)
        return one
    return Guess(
        text[:8] if text.startswith(TOTALS) else f"栏{number}",
        f"const:{text}",
        "" if text.startswith(TOTALS) or not text else "按固定文字写",
    )


def _unit_of_amounts(found: Found, texts: Sequence[Sequence[str]], totals: dict[str, int]) -> None:
    """Whole numbers: 分 or 元. A total with two decimals tells; so does zero-filled fixed width; else it is asked."""
    stated = [one for one in (*found.opening, *found.closing) if one.source == "total"]
    yuan = any(not total.extra for total in stated) and totals["yuan"] > 0
    for one in (*found.columns, *found.opening, *found.closing):
        if not one.extra.pop("whole", False):
            continue
        one.extra |= {"decimals": 0} if yuan else {"point": False}
        if not yuan:
            one.doubt = "整数：按分起草（不带小数点），若是元改成 decimals = 0"


def _tried(layout: BankLayout, found: Found, path: Path, data: bytes, answers: bool) -> tuple[int, bool]:
    """The sample read by the draft and written again: lines, and whether it is the same."""
    bound = bind(layout, {"constants": found.constants} | found.constants)
    shape = bound.returns if answers else bound.columns
    if bound.is_book:
        from jiuzhu_cli.payment.sheets import read_sheet, write_sheet

        read = read_sheet(path, shape, needed=[c.source for c in shape if c.source in NEEDED])
        again = path.parent / f".{path.stem[:40]}.learn{path.suffix}"
        try:
            write_sheet(bound, again, read.columns, shape=shape)
            written = read_sheet(again, shape, needed=["account_no", "amount"])
        finally:
            again.unlink(missing_ok=True)
        return len(read), written.columns == read.columns
    options: dict[str, Any] = {
        "shape": shape,
        "header": found.header,
        "with_summary": bool(found.opening or found.closing),
    }
    file = decode_text(bound, data, **options)
    summary = file.summary
    made = encode_text(bound, file.columns, summary, **options)
    return len(file), made.rstrip(b"\x1a\r\n") == data.rstrip(b"\x1a\r\n")
