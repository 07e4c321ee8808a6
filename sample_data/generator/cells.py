"""From a value of the record to what a clerk would have typed into the cell."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np

from generator.habits import Habit

_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
AMOUNTS = frozenset({"amount", "base", "care", "addon", "income", "income_year", "assets"})
IDS = frozenset({"id_no", "head_id_no", "staff_id", "kin_id"})
NAMES = frozenset({"name", "head_name", "payee_name", "staff_name", "kin_name"})
DATES = frozenset({"event_date", "death_date", "cancel_date", "valid_to", "issue_date", "filed_on"})
_SERIAL_ZERO = date(1899, 12, 30)


def render_cell(field: str, value: Any, habit: Habit, rng: np.random.Generator) -> Any:
    """The cell for one value: text, number, date or None."""
    if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
        return None
    if field in AMOUNTS:
        return _amount(int(value), habit)
    if field in IDS:
        return _id(str(value), habit, rng)
    if field in NAMES:
        text = str(value)
        return f"{text[0]}  {text[1]}" if "spaced_names" in habit.noise and len(text) == 2 else text
    if field in DATES:
        return _date(str(value), habit)
    if field == "start_month":
        return _month(str(value), habit)
    if field == "account_no":
        return "'" + str(value) if "apostrophe" in habit.noise and rng.random() < 0.2 else str(value)
    if isinstance(value, np.integer | float):
        return int(value)
    return value


def _amount(fen: int, habit: Habit) -> Any:
    if "thousands" in habit.noise and fen >= 1000_00:
        return f"{fen / 100:,.2f}"
    if "text_amounts" in habit.noise:
        return f"{fen // 100}元" if fen % 300 == 0 else f"{fen / 100:.2f}"
    return in_yuan(fen)


def in_yuan(fen: int) -> int | float:
    return fen // 100 if fen % 100 == 0 else fen / 100


def _id(text: str, habit: Habit, rng: np.random.Generator) -> str:
    if "old_15" in habit.noise and text[6:8] == "19" and rng.random() < 0.06:
        return text[:6] + text[8:17]
    if "lower_x" in habit.noise:
        text = text.replace("X", "x")
    if "full_width" in habit.noise and rng.random() < 0.1:
        return text.translate(_FULL_WIDTH)
    if "apostrophe" in habit.noise and rng.random() < 0.1:
        return "'" + text
    if "spaced_names" in habit.noise and rng.random() < 0.1:
        return f"{text[:6]} {text[6:14]} {text[14:]}"
    return text


def _date(text: str, habit: Habit) -> Any:
    day = date.fromisoformat(text)
    if habit.dates == "date":
        return datetime(day.year, day.month, day.day)
    if habit.dates == "serial":
        return (day - _SERIAL_ZERO).days
    if habit.dates == "dot":
        return f"{day.year}.{day.month}.{day.day}"
    if habit.dates == "compact":
        return f"{day:%Y%m%d}"
    if habit.dates == "chinese":
        return f"{day.year}年{day.month}月{day.day}日"
    return text


def _month(text: str, habit: Habit) -> str:
    year, month = text.split("-")
    if habit.dates == "dot":
        return f"{year}.{int(month)}"
    if habit.dates == "compact":
        return year + month
    if habit.dates == "chinese":
        return f"{year}年{int(month)}月"
    return text
