"""Which of several money columns is what is paid (发放金额). Never guessed: a proof by header or by arithmetic, or a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.intake.headers import PART_FIELDS
from jiuzhu_cli.intake.table import Column

_NET = re.compile(r"实发|实际发放|实付|最终确定")
_TOTAL = re.compile(r"合计|总计|共计|总额|总金额")
_GROSS = re.compile(r"应发|核定|批准|审批|拟")
_STANDARD = re.compile(r"标准")
_SHARE = 0.95


@dataclass(slots=True)
class Choice:
    """The paid column, or why there is none: ``problem`` is a finding code, ``rivals`` the columns in doubt."""

    column: Column | None
    why: str = ""
    problem: str = ""
    rivals: tuple[Column, ...] = ()
    parts: bool = False  # no total printed: what is paid is the sum of the parts


def _key(column: Column) -> str:
    return header_key(column.header.replace("|", ""))


def _rank(column: Column) -> int:
    """0 net, 1 plain, 2 total, 3 gross, 4 standard; by the header alone."""
    key = _key(column)
    for rank, pattern in ((4, _STANDARD), (0, _NET), (3, _GROSS), (2, _TOTAL)):
        if pattern.search(key):
            return rank
    return 1


def _same(left: np.ndarray, right: np.ndarray) -> bool:
    both = ~np.isnan(left) | ~np.isnan(right)
    if not both.any():
        return True
    return bool((np.abs(np.nan_to_num(left[both]) - np.nan_to_num(right[both])) < 0.005).mean() >= _SHARE)


def choose_amount(columns: Sequence[Column], samples: dict[int, np.ndarray], *, per_person: bool) -> Choice:
    """The paid column among ``columns``; ``samples`` are their sampled values in 元 (NaN for blanks) by column index.

    ``per_person``: the programme is paid per person, so a column of standards may stand for the amount.
    Problems: ``amount_column_ambiguous``, ``amount_column_missing``.
    """
    every = [column for column in columns if column.field == "amount_fen"]
    paid = [column for column in every if not np.isnan(samples[column.index]).all()] or every[:1]
    parts = [column for column in columns if column.field in PART_FIELDS]
    if not paid:
        return _without_amount(columns, parts, per_person=per_person)
    if len(paid) == 1:
        return Choice(paid[0])
    lowest = _distinct(paid, samples)
    if len(lowest) == 1:
        return Choice(lowest[0], "几列金额逐行相同")
    net = [column for column in lowest if _rank(column) == 0]
    if len(net) == 1:
        return Choice(net[0], "实发")
    if len(net) > 1:
        return Choice(None, problem="amount_column_ambiguous", rivals=tuple(net))
    whole = [column for column in lowest if _is_sum(column, [*parts, *lowest], columns, samples)]
    if len(whole) == 1:
        return Choice(whole[0], "等于各分项之和")
    product = _product(lowest, columns, samples)
    if product is not None:
        return Choice(product, "等于月金额乘发放月数")
    left = [column for column in lowest if _rank(column) not in (3, 4)] or lowest
    if len(left) == 1:
        return Choice(left[0], "应发、核定、标准不作发放金额")
    return Choice(None, problem="amount_column_ambiguous", rivals=tuple(left))


def _without_amount(columns: Sequence[Column], parts: list[Column], *, per_person: bool) -> Choice:
    if len(parts) == 1:
        return Choice(parts[0], "唯一的金额列")
    if parts:
        return Choice(None, parts=True)
    for code, why in (("standard_amount", "表中只有标准一列金额"), ("per_person_amount", "表中只有每人金额一列")):
        found = [column for column in columns if column.field == code]
        if found and (
            per_person or (code == "per_person_amount" and not any(c.field == "covered_persons" for c in columns))
        ):
            if len(found) == 1:
                return Choice(found[0], why)
            return Choice(None, problem="amount_column_ambiguous", rivals=tuple(found))
    return Choice(None, problem="amount_column_missing")


def _distinct(paid: list[Column], samples: dict[int, np.ndarray]) -> list[Column]:
    """One column of each group that says the same in every row: the one whose header says most."""
    groups: list[list[Column]] = []
    for column in sorted(paid, key=_rank):
        home = next((group for group in groups if _same(samples[group[0].index], samples[column.index])), None)
        if home is None:
            groups.append([column])
        else:
            home.append(column)
    return [group[0] for group in groups]


def _is_sum(total: Column, addends: list[Column], columns: Sequence[Column], samples: dict[int, np.ndarray]) -> bool:
    """Whether ``total`` equals, row by row, the sum of two or more of the other money columns."""
    want = np.nan_to_num(samples[total.index])
    others = [column for column in addends if column is not total]
    extra = [
        column
        for column in columns
        if column not in addends and column.index in samples and not column.field and column is not total
    ]
    pool = (others + extra)[:7]
    if not (want > 0).any():
        return False
    for size in range(2, len(pool) + 1):
        for group in combinations(pool, size):
            values = [np.nan_to_num(samples[column.index]) for column in group]
            if any(not (value > 0).any() for value in values):
                continue
            if (np.abs(sum(values) - want) < 0.005).mean() >= _SHARE:
                return True
    return False


def _product(paid: list[Column], columns: Sequence[Column], samples: dict[int, np.ndarray]) -> Column | None:
    """Of two columns the one that is the other times 发放月数, row by row."""
    months = next((column for column in columns if column.field == "months_paid"), None)
    if months is None or months.index not in samples or len(paid) != 2:
        return None
    count = np.nan_to_num(samples[months.index], nan=1.0)
    for monthly, whole in ((paid[0], paid[1]), (paid[1], paid[0])):
        if _same(samples[monthly.index] * count, samples[whole.index]) and (count > 1).any():
            return whole
    return None
