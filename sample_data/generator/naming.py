"""File names, sheet names and titles, as offices give them."""

from __future__ import annotations

import numpy as np

from generator.habits import Habit
from generator.headers import FORMS


def _word(programme: str, category: str) -> str:
    return FORMS[programme].word.replace("{城乡}", category or "城乡")


def file_name(
    programme: str,
    category: str,
    town: str,
    short: str,
    month: str,
    habit: Habit,
    rng: np.random.Generator,
    word: str = "",
) -> str:
    """Without suffix. ``word``: 家庭查询/人员查询 for exported pairs, ``all`` for a workbook with every list of a town."""
    year, number = int(month[:4]), int(month[5:])
    if word in ("家庭查询", "人员查询"):
        return f"{town}{_word(programme, category)}{word}_{year}{number:02d}08"
    place = "" if habit.town_folder else short if habit.short_town else town
    what = "民政救助台账" if word == "all" else _word(programme, category)
    if habit.month_in == "title" and word != "all":
        return f"{place}{what}" + ("" if month.endswith("10") else f"（{number}月）")
    style = int(rng.integers(4))
    when = (f"{year}年{number}月", f"{year}{number:02d}", f"{year}-{number:02d}", f"{year}.{number}")[style]
    return (
        f"{place}{when}{what}",
        f"{what}{place}_{when}",
        f"{place}{what}花名册{when}",
        f"{when}{place}{what}发放表",
    )[style]


def sheet_name(programme: str, category: str, habit: Habit) -> str:
    return _word(programme, category) if habit.one_workbook or habit.hidden_old else "Sheet1"


def titles(
    programme: str, category: str, place: str, month: str, habit: Habit, rng: np.random.Generator
) -> tuple[str, ...]:
    """The title and the line under it (who reports, unit of money, date)."""
    year, number = int(month[:4]), int(month[5:])
    form = FORMS[programme]
    title = str(rng.choice(form.titles)).replace("{城乡}", category or "城乡")
    when = f"{year}年{number}月" if habit.month_in in ("title", "both") else ""
    return f"{place}{when}{title}", f"填报单位：{place}        单位：元        填报日期：{year}年{number}月15日"
