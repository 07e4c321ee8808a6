"""Whole columns cleaned at once. Cells that are canonical already are recognised by vectors; only odd ones are read one by one.

Semantics are those of ``core`` (``parse_id``, ``parse_amount``, ``parse_date``, ``read_name``, ``parse_account``): a property test holds
the vector path to the scalar one. Every function takes the cells of one column (a ``Column`` or a sequence of cells) and
returns a ``Cleaned``; cells that are canonical as they stand keep their place in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.account import parse_account, parse_bank_code
from jiuzhu_cli.core.identity import CHECK_CHARS, MIN_BIRTH_YEAR, PROVINCE_CODES, WEIGHTS, parse_id
from jiuzhu_cli.core.money import MAX_FEN, UNITS, parse_amount
from jiuzhu_cli.core.names import read_name
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact, small_number, tidy
from jiuzhu_cli.intake.letters import made_of, of_width, plain_characters, plain_names
from jiuzhu_cli.intake.vectors import Vector
from jiuzhu_cli.tabular.cells import CellError
from jiuzhu_cli.tabular.column import DATE, FLOAT, INT, TEXT, Column

_ISO_MONTH = re.compile(r"(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])", re.ASCII).fullmatch
_PHONE = re.compile(r"(\+?86)?1[3-9]\d{9}|0\d{2,3}\d{7,8}|[2-8]\d{6,7}").fullmatch
_BLANKS = frozenset(("", "-", "—", "——", "/", "\\"))
_WEIGHTS = np.array(WEIGHTS, dtype=np.float32)
_CHECKS = np.frombuffer(CHECK_CHARS.encode(), dtype=np.uint8)
_PROVINCES = np.zeros(100, dtype=bool)
_PROVINCES[[int(code) for code in PROVINCE_CODES]] = True
_PROVINCES[90:] = True  # foreign permanent residents
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0], dtype=np.int32)
_EXACT_FLOAT = 10**15  # below it a double holds every amount in 分 exactly
_PROBE = 512

Cells = Column | Sequence[Any]
Reader = Callable[[Any], tuple[Any, str, tuple[str, ...]]]


@dataclass(slots=True)
class Cleaned:
    """One column: ``values`` (canonical, None when blank or unreadable), and by cell index what was wrong or repaired."""

    values: Vector
    problems: dict[int, str] = field(default_factory=dict)  # finding code
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)


def as_column(cells: Cells) -> Column:
    """The cells as a column of vectors."""
    return cells if isinstance(cells, Column) else Column(list(cells))


def _by_distinct(column: Column, read: Reader, kind: pa.DataType | None = None) -> Cleaned:
    """Each distinct cell is read once, a blank too; for columns that repeat themselves, and for odd cells."""
    cells, codes = column.distinct()
    found = [(None, "cell_error", ()) if isinstance(cell, CellError) else read(cell) for cell in cells]
    values = [value for value, _, _ in found]
    if values == cells and kind is None:
        out = Cleaned(Vector(column.text))
    else:
        out = Cleaned(Vector(pa.array(values, type=kind or pa.string()).take(pa.array(codes))))
    told = [place for place, (_, problem, notes) in enumerate(found) if problem or notes]
    if told:
        odd = np.zeros(len(found), dtype=bool)
        odd[told] = True
        rows = odd[codes].nonzero()[0]
        for row, code in zip(rows.tolist(), codes[rows].tolist(), strict=True):
            _, problem, notes = found[code]
            if problem:
                out.problems[row] = problem
            if notes:
                out.notes[row] = notes
    return out


def _read_odd(column: Column, good: np.ndarray, read: Reader, values: pa.Array | None = None) -> Cleaned:
    """The cells that are ``good`` as they stand (or their ``values``, where these are not the texts); the others by ``read``."""
    if good.all():
        return Cleaned(Vector(column.text if values is None else values))
    rows = (~good).nonzero()[0]
    kind = pa.string() if values is None else values.type
    odd = _by_distinct(column.take(rows), read, kind)
    places = rows.tolist()
    out = Cleaned(
        Vector(column.text if values is None else values),
        {places[index]: code for index, code in odd.problems.items()},
        {places[index]: notes for index, notes in odd.notes.items()},
    )
    if odd.values.blanks < len(rows) or column.kinds[rows].any():  # blanks that stay blank need no writing
        out.values = Vector(pc.replace_with_mask(out.values.array, ~good, odd.values.array))
    return out


def repeats_itself(column: Column) -> bool:
    """Whether a column seems to have few distinct values, which are then read once each."""
    if len(column) <= _PROBE:
        found = len(column.coded().dictionary) + bool(column.text.null_count)
        return found * 8 <= len(column)
    return len(column.text[:_PROBE].unique()) * 8 <= _PROBE


def _sound_dates(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _MONTH_DAYS[np.minimum(month, 13)] + (leap & (month == 2))
    return np.asarray((day >= 1) & (day <= longest))


# identity numbers ------------------------------------------------------------------------------------------


def canonical_ids(chars: np.ndarray, today: date) -> np.ndarray:
    """Which rows of ``chars`` (n × 18 bytes) are canonical: digits, check digit, birth date, province, not …000."""
    digits = chars[:, :17] - np.uint8(48)  # below '0' wraps round
    good = (digits <= 9).all(axis=1)
    check = (digits.astype(np.float32) @ _WEIGHTS).astype(np.int32) % 11
    good &= chars[:, 17] == _CHECKS[check]
    good &= (digits[:, 15] != 0) | (digits[:, 16] != 0) | (chars[:, 17] != 48)
    century, decade, month, day = (digits[:, at].astype(np.int32) * 10 + digits[:, at + 1] for at in (6, 8, 10, 12))
    year = century * 100 + decade
    good &= _sound_dates(year, month, day) & (year >= MIN_BIRTH_YEAR)
    good &= year * 10000 + month * 100 + day <= today.year * 10000 + today.month * 100 + today.day
    return good & _PROVINCES[np.minimum(digits[:, 0] * np.uint8(10) + digits[:, 1], 99)]


def clean_ids(cells: Cells, today: date) -> Cleaned:
    """Identity numbers; problems and notes are those of ``core.identity.parse_id``."""
    column = as_column(cells)
    good = of_width(column.text, 18, lambda chars: canonical_ids(chars, today)) & (column.kinds == TEXT)

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        found = parse_id(cell, today=today)
        return found.value or None, found.problem, found.notes

    return _read_odd(column, good, read)


# names, texts ----------------------------------------------------------------------------------------------


def clean_names(cells: Cells) -> Cleaned:
    """Names; problems and notes are those of ``core.names.read_name``."""
    column = as_column(cells)
    good = plain_names(column.text, 50) & (column.kinds == TEXT)

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        found = read_name(cell)
        return found.value or None, found.problem, found.notes

    return _read_odd(column, good, read)


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


def clean_texts(cells: Cells) -> Cleaned:
    """Free or coded text, tidied to one line."""
    column = as_column(cells)

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        return plain_text(cell), "", ()

    if repeats_itself(column):
        return _by_distinct(column, read)
    # the shorter ones may be a dash or a stroke for nothing
    good = made_of(column.text, plain_characters(), 3, 1_000_000) & (column.kinds <= INT)
    return _read_odd(column, good, read)


def clean_by(cells: Cells, read: Reader) -> Cleaned:
    """By a reader of one's own: cell → (text, problem, notes)."""
    return _by_distinct(as_column(cells), read)


_REMARKED = re.compile(r"([^()]+)\(([^()]+)\)")


def clean_words(cells: Cells, words: dict[str, str], problem: str = "") -> Cleaned:
    """Coded text: ``words`` maps a compact spelling to the canonical word; others stay as they are, with ``problem``."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None:
            return None, "", ()
        flat = compact(text)
        known = words.get(flat)
        if known is None and (remarked := _REMARKED.fullmatch(flat)):  # 一级（重度）; 一级（二级） says two things
            known = words.get(remarked[1]) if words.get(remarked[2], "") in ("", words.get(remarked[1])) else None
        return (known, "", ()) if known is not None else (text, problem, ())

    return _by_distinct(as_column(cells), read)


# amounts, counts, dates ------------------------------------------------------------------------------------


def clean_amounts(cells: Cells, unit: str = "元") -> Cleaned:
    """Amounts in 分; problems are those of ``core.money.parse_amount``. A negative amount keeps its value beside its problem."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        if cell is None:
            return None, "", ()
        found = parse_amount(cell, unit)
        return found.fen, found.problem, found.notes

    column = as_column(cells)
    fen, good = np.zeros(len(column), dtype=np.int64), np.zeros(len(column), dtype=bool)
    whole = (column.kinds == INT).nonzero()[0]
    if len(whole):
        fen[whole], good[whole] = _whole_units(column.take(whole).text, UNITS[unit])
    if unit == "元" and len(floats := (column.kinds == FLOAT).nonzero()[0]):
        fen[floats], good[floats] = _whole_cents(column.take(floats).text)
    return _read_odd(column, good, read, pa.array(fen, mask=~good))


def _whole_units(texts: pa.StringArray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers as 分, and which are no more than any roll's."""
    if pc.max(pc.binary_length(texts)).as_py() > 18:  # beyond what 64 bits hold for sure
        return np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=bool)
    numbers = texts.cast(pa.int64()).to_numpy()
    good = (numbers >= 0) & (numbers <= MAX_FEN // scale)
    return np.where(good, numbers, 0) * scale, good


def _whole_cents(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Doubles that are a whole number of 分: k/100 rounds back to the very double, so its shortest form has two decimals."""
    values = texts.cast(pa.float64()).to_numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        cents = np.rint(values * 100)
        good = (cents >= 0) & (cents < _EXACT_FLOAT) & (cents / 100 == values)
    return np.where(good, cents, 0).astype(np.int64), good


def clean_counts(cells: Cells) -> Cleaned:
    """Whole numbers 0–10,000 (人口数), in figures or Chinese numerals; a trailing 人, 户, 周岁 is dropped. Problem: ``count_not_number``."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None:
            return None, "", ()
        number = small_number(compact(text).rstrip("人户口岁个周整名"))
        return (number, "", ()) if number is not None and number <= 10_000 else (None, "count_not_number", ())

    return _by_distinct(as_column(cells), read, pa.int64())


def clean_dates(cells: Cells) -> Cleaned:
    """Dates as ``YYYY-MM-DD``; problems are those of ``core.period.parse_date``."""

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        if type(cell) is str and _ISO_MONTH(cell):
            return f"{cell}-01", "", ()
        found, problem = parse_date(cell)
        return (found.isoformat() if found else None), problem, ()

    column = as_column(cells)
    good = of_width(column.text, 10, _iso_dates) & (column.kinds == TEXT)
    good |= column.kinds == DATE
    return _read_odd(column, good, read)


def _iso_dates(chars: np.ndarray) -> np.ndarray:
    """Which rows (n × 10 bytes) are dates YYYY-MM-DD of the years 1900 to 2199."""
    digits = chars[:, [0, 1, 2, 3, 5, 6, 8, 9]] - np.uint8(48)
    good = (digits <= 9).all(axis=1) & (chars[:, 4] == 45) & (chars[:, 7] == 45)
    century, decade, month, day = (digits[:, at].astype(np.int32) * 10 + digits[:, at + 1] for at in (0, 2, 4, 6))
    year = century * 100 + decade
    return np.asarray(good & (year >= 1900) & (year <= 2199) & _sound_dates(year, month, day))


def clean_months(cells: Cells) -> Cleaned:
    """Months as ``YYYY-MM``, from months or dates of any form."""
    out = clean_dates(cells)
    out.values = Vector(pc.utf8_slice_codeunits(out.values.array, 0, 7))
    return out


# accounts, phones ------------------------------------------------------------------------------------------


def clean_accounts(cells: Cells) -> Cleaned:
    """Accounts as text; problems are those of ``parse_account``."""
    column = as_column(cells)
    good = np.zeros(len(column), dtype=bool)
    for width in np.unique(pc.binary_length(column.text).drop_null().to_numpy()).tolist():
        if 6 <= width <= 32:
            good |= of_width(column.text, width, _sound_accounts)
    good &= column.kinds == TEXT
    return _read_odd(column, good, lambda cell: (*parse_account(cell), ()))


def _sound_accounts(chars: np.ndarray) -> np.ndarray:
    """Which rows (n × width) are accounts as ``parse_account`` leaves them; those with many zeros it has to judge."""
    digits = chars - np.uint8(48)  # below '0' wraps round
    width = digits.shape[1]
    good = (digits <= 9).all(axis=1) & digits.any(axis=1)
    if width >= 18:
        good &= digits[:, 15:].any(axis=1)
    if 16 <= width <= 19:
        cards = (digits[:, 0] == 6) & (digits[:, 1] == 2)
        doubled = digits[:, width - 2 :: -2] * np.uint8(2)
        total = digits[:, ::-2].sum(axis=1, dtype=np.int32) + (doubled - 9 * (doubled > 9)).sum(axis=1, dtype=np.int32)
        good &= ~cards | (total % 10 == 0)
    return np.asarray(good)


def clean_bank_codes(cells: Cells) -> Cleaned:
    """联行号 as text; problems are those of ``core.account.parse_bank_code``."""
    return _by_distinct(as_column(cells), lambda cell: (*parse_bank_code(cell), ()))


def _mobile(chars: np.ndarray) -> np.ndarray:
    digits = chars - np.uint8(48)
    return np.asarray((digits <= 9).all(axis=1) & (digits[:, 0] == 1) & (digits[:, 1] >= 3))


def clean_phones(cells: Cells) -> Cleaned:
    """Phones, several joined by '/'. Problem ``phone_format`` is soft: the text is kept."""
    column = as_column(cells)
    good = of_width(column.text, 11, _mobile) & (column.kinds <= INT)

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None or text in ("无", "暂无"):
            return None, "", ()
        parts = [re.sub(r"[-—()（）\s]", "", compact(part)) for part in re.split(r"[/、,，;；\s]+", text)]
        parts = [part for part in parts if part]
        sound = bool(parts) and all(map(_PHONE, parts))
        return "/".join(parts) or None, "" if sound else "phone_format", ()

    return _read_odd(column, good, read)


def clean_flags(cells: Cells) -> Cleaned:
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
