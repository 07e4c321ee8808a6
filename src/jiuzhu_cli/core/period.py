"""Months and dates. A month is the text ``YYYY-MM``; dates are ``datetime.date``; nothing reads the clock here."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.text import compact, half_width, strip_invisible

_MONTH = re.compile(r"(?:19[5-9]|20\d|21\d)[0-9]-(?:0[1-9]|1[0-2])", re.ASCII)
_CN_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
EXCEL_EPOCH = date(1899, 12, 30)
_NO_DATE = frozenset(
    ("", "-", "--", "—", "——", "/", "\\", "无", "长期", "长期有效", "永久", "永久有效", "暂无", "不详", "空")
)
_SEPARATORS = "-./、，,·—–"
_TIME = re.compile(
    r"(?:[T ]+|(?<=日)|(?<=日 ))(?:上午|下午)?\d{1,2}[:：时点]\d{1,2}(?:[:：分]\d{1,2}(?:\.\d+)?秒?|分)?(?:Z|\+\d\d:?\d\d)?$",
    re.ASCII,
)


def check_month(text: str) -> str:
    """``text`` if it is a month ``YYYY-MM`` from 1950 to 2199; else UsageError."""
    if not _MONTH.fullmatch(text or ""):
        raise UsageError(f"月份“{text}”写法不对", "请写成 YYYY-MM，例如 2026-10")
    return text


def check_months(text: str) -> str:
    """``text`` if it is a month or a span ``YYYY-MM..YYYY-MM`` of at most twelve months; else UsageError."""
    first, dots, last = text.partition("..")
    if not dots:
        return check_month(text)
    if check_month(first) >= check_month(last) or len(months_between(first, last)) > 12:
        raise UsageError(f"月份“{text}”写法不对", "从早到晚写，不超过十二个月，例如 2026-07..2026-09")
    return text


def month_span(text: str) -> list[str]:
    """The months of what ``check_months`` lets pass."""
    first, _, last = text.partition("..")
    return months_between(first, last or first)


def month_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def add_months(month: str, count: int) -> str:
    """The month ``count`` months later (earlier when negative)."""
    index = int(month[:4]) * 12 + int(month[5:]) - 1 + count
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def months_between(first: str, last: str) -> list[str]:
    """All months from ``first`` to ``last``, both included."""
    span = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])
    return [add_months(first, step) for step in range(span + 1)]


def first_day(month: str) -> date:
    return date(int(month[:4]), int(month[5:]), 1)


def last_day(month: str) -> date:
    return first_day(add_months(month, 1)) - timedelta(days=1)


def parse_date(raw: Any) -> tuple[date | None, str]:
    """A date cell of any type as ``(date, problem)``; a blank is ``(None, "")``.

    Understood: dates, Excel serials (1957-2079: 20261 is rather a month mistyped), 2026-11-03, 2026.11.3, 2026/11/3, 2026、11、3,
    20261103, 2026年11月3日, 二〇二六年十一月三日, each with a time behind it or not. Only year and month (2026.11, 202611): the
    first of it. Problems: ``date_format`` (also years of two figures, 民国, time stamps), ``date_impossible``,
    ``date_ambiguous`` (the number 2026.1 may have been 2026.10).
    """
    if raw is None or (isinstance(raw, str) and compact(raw) in _NO_DATE):
        return None, ""
    if isinstance(raw, datetime):
        return raw.date(), ""
    if isinstance(raw, date):
        return raw, ""
    if isinstance(raw, bool):
        return None, "date_format"
    if isinstance(raw, int | float):
        return _numeric_date(raw)
    text = _TIME.sub("", half_width(strip_invisible(str(raw))).strip().lstrip("'"))
    spaced = re.fullmatch(r"(\d{4}) +(\d{1,2})(?: +(\d{1,2}))?", text, re.ASCII)
    text = "-".join(filter(None, spaced.groups())) if spaced else compact(text)
    if re.search(r"[一二三四五六七八九十〇○]", text):
        text = _chinese_date(text)
    match = (
        re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
        or re.fullmatch(rf"(\d{{4}})[{_SEPARATORS}年](\d{{1,2}})[{_SEPARATORS}月](\d{{1,2}})[日号.]?", text, re.ASCII)
        or re.fullmatch(rf"(\d{{4}})[{_SEPARATORS}年]?(\d{{2}}|(?<=[{_SEPARATORS}年])\d)()月?份?", text, re.ASCII)
    )
    if not match:
        serial = re.fullmatch(r"(\d{5})(?:\.0+)?", text, re.ASCII)
        return _numeric_date(int(serial.group(1))) if serial else (None, "date_format")
    return _day(int(match.group(1)), int(match.group(2)), int(match.group(3) or 1))


def _numeric_date(raw: float) -> tuple[date | None, str]:
    """A number cell: an Excel serial (the time of day dropped), 20261103, 202611, or 2026.11."""
    if 21000 <= raw < 65601:
        return EXCEL_EPOCH + timedelta(days=int(raw)), ""
    if 1900 <= raw < 2201 and raw != int(raw):
        year, _, month = repr(raw).partition(".")
        if month == "1":
            return None, "date_ambiguous"
        return _day(int(year), int(month), 1) if len(month) == 2 else (None, "date_format")
    if abs(raw) < 1e9 and raw == int(raw):
        number = int(raw)
        if 19000101 <= number <= 22001231:
            return _day(number // 10000, number // 100 % 100, number % 100)
        if 190001 <= number <= 220012 and 1 <= number % 100 <= 12:
            return _day(number // 100, number % 100, 1)
    return None, "date_format"


def _day(year: int, month: int, day: int) -> tuple[date | None, str]:
    try:
        found = date(year, month, day)
    except ValueError:
        return None, "date_impossible"
    return (found, "") if 1900 <= year <= 2200 else (None, "date_impossible")


def _chinese_date(text: str) -> str:
    def number(match: re.Match[str]) -> str:
        word = match.group(0)
        if "十" not in word:
            return word.translate(_CN_DIGITS)
        tens, _, ones = word.partition("十")
        return str(
            (int(tens.translate(_CN_DIGITS)) if tens else 1) * 10 + (int(ones.translate(_CN_DIGITS)) if ones else 0)
        )

    return re.sub(r"[一二三四五六七八九十〇○零]+", number, text)


def find_month(text: str) -> str:
    """The month that a title or file name states (2026年10月, 2026-10, 202610, 二〇二六年十月), or ""."""
    flat = compact(text)
    if re.search(r"[一二三四五六七八九十〇○]+月", flat):
        flat = _chinese_date(flat)
    for pattern in (
        r"(20\d{2})年度?(\d{1,2})月",
        r"(?<!\d)(20\d{2})[-._/](\d{1,2})(?!\d)",
        r"(?<!\d)(20\d{2})[-._/](0[1-9]|1[0-2])(?=\d{2,3}周?岁)",
        r"(?<!\d)(20\d{2})(0[1-9]|1[0-2])(?:\d{2})?(?!\d)",
    ):
        for match in re.finditer(pattern, flat):
            if 1 <= int(match.group(2)) <= 12:
                return f"{match.group(1)}-{int(match.group(2)):02d}"
    return ""


def posting_end(
    start: date,
    days: int,
    *,
    working_days: bool,
    count_first_day: bool,
    holidays: Collection[date] = (),
    extra_workdays: Collection[date] = (),
) -> date:
    """The last day of a posting of ``days`` days begun on ``start`` (公示期).

    ``working_days`` counts only Monday to Friday without ``holidays``, plus ``extra_workdays`` (调休).
    """

    def counts(day: date) -> bool:
        return not working_days or day in extra_workdays or (day.weekday() < 5 and day not in holidays)

    day = start if count_first_day else start + timedelta(days=1)
    left = days
    while True:
        if counts(day):
            left -= 1
            if left <= 0:
                return day
        day += timedelta(days=1)
