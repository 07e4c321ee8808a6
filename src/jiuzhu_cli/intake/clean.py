"""Whole columns cleaned at once. Cells that are canonical already are recognised by vectors; only odd ones are read one by one.

Semantics are those of ``core`` (``parse_id``, ``parse_amount``, ``parse_date``, ``normalise_name``): a property test holds
the vector path to the scalar one. Every function takes the cells of one column and returns a ``Cleaned``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from jiuzhu_cli.core.identity import CHECK_CHARS, MIN_BIRTH_YEAR, PROVINCE_CODES, WEIGHTS, parse_id
from jiuzhu_cli.core.money import MAX_FEN, UNITS, parse_amount
from jiuzhu_cli.core.names import name_problem, normalise_name
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact, tidy
from jiuzhu_cli.intake.vectors import ascii_matrix, chinese_characters, keep, made_of, plain_characters, repeats_itself
from jiuzhu_cli.tabular.cells import CellError

_ISO_DATE = re.compile(r"(?:19\d\d|20\d\d|21\d\d)-\d\d-\d\d").fullmatch
_PHONE = re.compile(r"(\+?86)?1[3-9]\d{9}|0\d{2,3}\d{7,8}|[2-8]\d{6,7}").fullmatch
_ALIKE = {str, type(None), int, float, date, datetime}  # equal cells of these types read alike; True == 1 does not
_BLANKS = frozenset(("", "-", "—", "——", "/", "\\"))
_WEIGHTS = np.array(WEIGHTS, dtype=np.int32)
_CHECKS = np.frombuffer(CHECK_CHARS.encode(), dtype=np.uint8)
_PROVINCES = np.zeros(100, dtype=bool)
_PROVINCES[[int(code) for code in PROVINCE_CODES]] = True
_PROVINCES[90:] = True  # foreign permanent residents
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0, 0, 0, 0, 0], dtype=np.int32)
_EXACT_FLOAT = 10**15  # below it a double holds every amount in 分 exactly

Reader = Callable[[Any], tuple[Any, str, tuple[str, ...]]]


@dataclass(slots=True)
class Cleaned:
    """One column: ``values`` (canonical, None when blank or unreadable), and by cell index what was wrong or repaired."""

    values: list[Any]
    problems: dict[int, str] = field(default_factory=dict)  # finding code
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)


def _read_odd(cells: Sequence[Any], odd: Sequence[int], out: Cleaned, read: Reader) -> Cleaned:
    """Reads the cells at ``odd`` by ``read``, each distinct value once."""
    seen: dict[tuple[type, Any], tuple[Any, str, tuple[str, ...]]] = {}
    for index in odd:
        cell = cells[index]
        key = (type(cell), cell)
        found = seen.get(key)
        if found is None:
            found = seen[key] = (None, "cell_error", ()) if isinstance(cell, CellError) else read(cell)
        out.values[index] = found[0]
        if found[1]:
            out.problems[index] = found[1]
        if found[2]:
            out.notes[index] = found[2]
    return out


def _by_distinct(cells: Sequence[Any], read: Reader) -> Cleaned:
    """For columns of few distinct values: each is read once."""
    if not set(map(type, cells)) <= _ALIKE:
        return _read_odd(cells, range(len(cells)), Cleaned([None] * len(cells)), read)
    found = {cell: read(cell) for cell in set(cells)}
    values = {cell: result[0] for cell, result in found.items()}
    out = Cleaned(list(map(values.__getitem__, cells)))
    odd = {cell: result for cell, result in found.items() if result[1] or result[2]}
    if odd:
        for index, cell in enumerate(cells):
            if cell in odd:
                _, problem, notes = odd[cell]
                if problem:
                    out.problems[index] = problem
                if notes:
                    out.notes[index] = notes
    return out


# identity numbers ------------------------------------------------------------------------------------------


def canonical_ids(chars: np.ndarray, today: date) -> np.ndarray:
    """Which rows of ``chars`` (n × 18 bytes of ASCII) are canonical: digits, check digit, birth date, province, not …000."""
    if not len(chars):
        return np.zeros(0, dtype=bool)
    digits = chars[:, :17].astype(np.int32) - 48
    good = ((digits >= 0) & (digits <= 9)).all(axis=1)
    digits[~good] = 0
    good &= chars[:, 17] == _CHECKS[(digits @ _WEIGHTS) % 11]
    good &= ~((digits[:, 15] == 0) & (digits[:, 16] == 0) & (chars[:, 17] == 48))
    year = digits[:, 6] * 1000 + digits[:, 7] * 100 + digits[:, 8] * 10 + digits[:, 9]
    month = digits[:, 10] * 10 + digits[:, 11]
    day = digits[:, 12] * 10 + digits[:, 13]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _MONTH_DAYS[np.minimum(month, 13)] + (leap & (month == 2))
    good &= (year >= MIN_BIRTH_YEAR) & (day >= 1) & (day <= longest)
    good &= year * 10000 + month * 100 + day <= today.year * 10000 + today.month * 100 + today.day
    return good & _PROVINCES[digits[:, 0] * 10 + digits[:, 1]]


def clean_ids(cells: Sequence[Any], today: date) -> Cleaned:
    """Identity numbers; problems and notes are those of ``core.identity.parse_id``."""
    plain, chars = ascii_matrix(cells, 18)
    good = np.zeros(len(cells), dtype=bool)
    good[plain] = canonical_ids(chars, today)
    out = Cleaned(keep(cells, good))

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        found = parse_id(cell, today=today)
        return found.value or None, found.problem, found.notes

    return _read_odd(cells, np.flatnonzero(~good).tolist(), out, read)


# names, texts ----------------------------------------------------------------------------------------------


def clean_names(cells: Sequence[Any]) -> Cleaned:
    """Names; problems are those of ``core.names.name_problem``."""
    good = made_of(cells, chinese_characters(), 1, 50)
    out = Cleaned(keep(cells, good))

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        name = normalise_name(cell)
        return name or None, name_problem(name), ()

    return _read_odd(cells, np.flatnonzero(~good).tolist(), out, read)


def plain_text(cell: Any) -> str | None:
    """Any cell as one line of text: whole floats without '.0', dates as YYYY-MM-DD; None when it says nothing."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    elif isinstance(cell, datetime):
        text = cell.strftime("%Y-%m-%d" if not (cell.hour or cell.minute or cell.second) else "%Y-%m-%d %H:%M:%S")
    elif isinstance(cell, date):
        text = cell.isoformat()
    else:
        text = str(cell)
        # printable text has no invisible character and no white space but the plain space
        if not text.isprintable() or "  " in text or text[:1] == " " or text[-1:] == " ":
            text = tidy(text)
    return None if text in _BLANKS else text


def clean_texts(cells: Sequence[Any]) -> Cleaned:
    """Free or coded text, tidied to one line."""
    if not repeats_itself(cells):
        # the shorter ones may be a dash or a stroke for nothing
        good = made_of(cells, plain_characters(), 3, 1_000_000)
        odd = np.flatnonzero(~good).tolist()
        return _read_odd(cells, odd, Cleaned(keep(cells, good)), lambda cell: (plain_text(cell), "", ()))
    return _by_distinct(cells, lambda cell: (plain_text(cell), "", ()))


def clean_by(cells: Sequence[Any], read: Reader) -> Cleaned:
    """By a reader of one's own: cell → (value, problem, notes)."""
    return _by_distinct(cells, read)


def clean_words(cells: Sequence[Any], words: dict[str, str], problem: str = "") -> Cleaned:
    """Coded text: ``words`` maps a compact spelling to the canonical word; others stay as they are, with ``problem``."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None:
            return None, "", ()
        known = words.get(compact(text))
        return (known, "", ()) if known is not None else (text, problem, ())

    return _by_distinct(cells, read)


# amounts, counts, dates ------------------------------------------------------------------------------------


def clean_amounts(cells: Sequence[Any], unit: str = "元") -> Cleaned:
    """Amounts in 分; problems are those of ``core.money.parse_amount``. A negative amount keeps its value beside its problem."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        if cell is None:
            return None, "", ()
        found = parse_amount(cell, unit)
        return found.fen, found.problem, found.notes

    if repeats_itself(cells):
        return _by_distinct(cells, read)
    out = Cleaned([None] * len(cells))
    scale = UNITS[unit]
    whole = [i for i, cell in enumerate(cells) if type(cell) is int and 0 <= cell * scale <= MAX_FEN]
    for index in whole:
        out.values[index] = cells[index] * scale
    if unit == "元":
        _whole_cents(cells, out)
    odd = [i for i, cell in enumerate(cells) if out.values[i] is None and cell is not None]
    return _read_odd(cells, odd, out, read)


def _whole_cents(cells: Sequence[Any], out: Cleaned) -> None:
    """Floats that are a whole number of 分: k/100 rounds back to the very double, so its shortest form has two decimals."""
    floats = [i for i, cell in enumerate(cells) if type(cell) is float]
    if not floats:
        return
    values = np.array([cells[i] for i in floats], dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        cents = np.rint(values * 100)
        good = (cents >= 0) & (cents < _EXACT_FLOAT) & (cents / 100 == values)
    for index, ok, value in zip(floats, good.tolist(), cents.tolist(), strict=True):
        if ok:
            out.values[index] = int(value)


def clean_counts(cells: Sequence[Any]) -> Cleaned:
    """Whole numbers 0–10,000 (人口数); a trailing 人 or 户 is dropped. Problem: ``count_not_number``."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None:
            return None, "", ()
        text = compact(text).rstrip("人户口岁个")
        if text.isascii() and text.isdigit() and int(text) <= 10_000:
            return int(text), "", ()
        return None, "count_not_number", ()

    return _by_distinct(cells, read)


def clean_dates(cells: Sequence[Any]) -> Cleaned:
    """Dates as ``YYYY-MM-DD``; problems are those of ``core.period.parse_date``."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        if type(cell) is str and _ISO_DATE(cell):
            try:
                date.fromisoformat(cell)
            except ValueError:
                return None, "date_impossible", ()
            return cell, "", ()
        found, problem = parse_date(cell)
        return (found.isoformat() if found else None), problem, ()

    return _by_distinct(cells, read)


def clean_months(cells: Sequence[Any]) -> Cleaned:
    """Months as ``YYYY-MM``, from months or dates of any form."""
    out = clean_dates(cells)
    out.values = [value[:7] if value else None for value in out.values]
    return out


# accounts, phones ------------------------------------------------------------------------------------------


def luhn(number: str) -> bool:
    """Whether the check digit of a card number holds (Luhn, ISO/IEC 7812)."""
    total = 0
    for position, char in enumerate(reversed(number)):
        value = ord(char) - 48
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_card(account: str) -> bool:
    """A UnionPay card number: only these carry a check digit (policy-reference §3); passbooks and old accounts do not."""
    return account.startswith("62") and 16 <= len(account) <= 19


def parse_account(raw: Any) -> tuple[str | None, str]:
    """One account cell as ``(account, problem)``.

    Problems: ``account_numeric`` (a number cell over 15 digits, or the zeros Excel leaves: digits are lost),
    ``account_scientific``, ``account_characters``, ``account_length``, ``account_luhn``; ``account_zeros`` keeps its value.
    """
    if raw is None:
        return None, ""
    if isinstance(raw, bool):
        return None, "account_characters"
    if isinstance(raw, int | float):
        if not float(raw).is_integer() or abs(raw) >= 10**15:
            return None, "account_numeric"
        raw = str(int(raw))
    text = compact(str(raw)).lstrip("'‘’`").replace("-", "").replace("—", "")
    if text in ("", "/", "无", "暂无", "空"):
        return None, ""
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+?\d+", text):
        return None, "account_scientific"
    if text.endswith(".0") and text[:-2].isdigit():
        text = text[:-2]
    if not (text.isascii() and text.isdigit()):
        return None, "account_characters"
    if not 6 <= len(text) <= 32:
        return None, "account_length"
    if is_card(text) and not luhn(text):
        return None, "account_luhn"
    # 18 digits or more whose 16th and later are all zero: an account that has once been a number. A card's check digit
    # that holds all the same leaves it as likely to be genuine: then it is only said.
    if len(text) >= 18 and not text[15:].strip("0"):
        return (text, "account_zeros") if is_card(text) else (None, "account_numeric")
    return text, ""


def clean_accounts(cells: Sequence[Any]) -> Cleaned:
    """Accounts as text; problems are those of ``parse_account``."""
    cards, chars = ascii_matrix(cells, 19)  # the commonest form; others are read one by one
    digits = chars - np.uint8(48)  # below '0' wraps round
    doubled = digits[:, 17::-2] * 2
    total = digits[:, 18::-2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    good = np.zeros(len(cells), dtype=bool)
    good[cards] = (
        (digits <= 9).all(axis=1) & (digits[:, 0] == 6) & (digits[:, 1] == 2) & (total % 10 == 0) & digits[:, 15:].any(axis=1)
    )  # fmt: skip
    out = Cleaned(keep(cells, good))
    odd = [i for i, cell in enumerate(cells) if out.values[i] is None and cell is not None]
    return _read_odd(cells, odd, out, lambda cell: (*parse_account(cell), ()))


def clean_phones(cells: Sequence[Any]) -> Cleaned:
    """Phones, several joined by '/'. Problem ``phone_format`` is soft: the text is kept."""
    mobiles, chars = ascii_matrix(cells, 11)
    digits = chars - np.uint8(48)
    good = np.zeros(len(cells), dtype=bool)
    good[mobiles] = (digits <= 9).all(axis=1) & (digits[:, 0] == 1) & (digits[:, 1] >= 3)
    out = Cleaned(keep(cells, good))

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None or text in ("无", "暂无"):
            return None, "", ()
        parts = [re.sub(r"[-—()（）\s]", "", compact(part)) for part in re.split(r"[/、,，;；\s]+", text)]
        parts = [part for part in parts if part]
        good = bool(parts) and all(map(_PHONE, parts))
        return "/".join(parts) or None, "" if good else "phone_format", ()

    odd = [i for i, cell in enumerate(cells) if out.values[i] is None and cell is not None]
    return _read_odd(cells, odd, out, read)


def clean_flags(cells: Sequence[Any]) -> Cleaned:
    """是 / 否 in its many spellings; anything else stays as it is with ``flag_unknown``."""
    return clean_words(cells, FLAGS, "flag_unknown")


FLAGS = dict.fromkeys(("是", "有", "已备案", "已", "已登记", "已报备", "备案", "Y", "y", "YES", "1", "√", "✓", "✔"), "是") | dict.fromkeys(("否", "无", "未备案", "未", "没有", "不是", "未登记", "N", "n", "NO", "0", "×", "X", "x"), "否")  # fmt: skip
GRADES = {
    spelling: grade
    for grade, spellings in {
        "一级": "一级 1级 一 1 壹级 Ⅰ级 I级 Ⅰ",
        "二级": "二级 2级 二 2 贰级 Ⅱ级 II级 Ⅱ",
        "三级": "三级 3级 三 3 叁级 Ⅲ级 III级 Ⅲ",
        "四级": "四级 4级 四 4 肆级 Ⅳ级 IV级 Ⅳ",
    }.items()
    for spelling in spellings.split()
}
DISABILITY_KINDS = {
    spelling: kind
    for kind, spellings in {
        "视力": "1 视力 视力残疾 视残 盲",
        "听力": "2 听力 听力残疾 听残 聋",
        "言语": "3 言语 言语残疾 语言 语言残疾 哑",
        "肢体": "4 肢体 肢体残疾 肢残",
        "智力": "5 智力 智力残疾 智残",
        "精神": "6 精神 精神残疾 精残",
        "多重": "7 多重 多重残疾",
    }.items()
    for spelling in spellings.split()
}
