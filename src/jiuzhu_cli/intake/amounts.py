"""Which of several money columns is what is paid (发放金额). Never guessed: a proof by header or by arithmetic, or a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.core.finding import Severity
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.headers import PART_FIELDS, level_of, money_word, not_paid, other_period, unit_of
from jiuzhu_cli.intake.table import Column, Problem

if TYPE_CHECKING:
    from jiuzhu_cli.intake.columns import Understanding

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
        if column not in addends
        and column.index in samples
        and column.field in ("", "back_pay")
        and column is not total
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


def settle_amount(view: Understanding) -> None:
    for column in view.by("amount_fen"):
        if column.index in view.fixed:
            continue
        key = header_key(column.header.replace("|", ""))
        if not_paid(key):
            column.field, column.why = "", "不是本期发放的金额，原样保留"
    said = next((column for column in view.by("amount_fen") if column.index in view.fixed), None)
    if said is not None:
        name_amount(view, said, "")
        return
    own_amount(view)
    yearly = _other_periods(view) if view.monthly else []
    if len(view.by("amount_fen")) == 1 and not any(view.by(code) for code in (*PART_FIELDS, "back_pay")):
        name_amount(view, view.by("amount_fen")[0], "")  # the usual list: nothing to choose from, nothing to add up
        return
    samples = {
        c.index: view.money(c)
        for c in view.columns
        if c.field in ("amount_fen", "months_paid", "standard_amount", "per_person_amount", "back_pay", *PART_FIELDS)
        or (
            not c.field
            and c not in yearly
            and c.index not in view.fixed
            and money_word(header_key(c.header.replace("|", "")))
        )
    }
    if not view.by("amount_fen"):
        _sum_column(view, samples)
    if not view.by("amount_fen") and not any(
        view.by(code) for code in (*PART_FIELDS, "standard_amount", "per_person_amount")
    ):
        loose = [c for c in view.columns if not c.field and c.index in samples and not np.isnan(samples[c.index]).all()]
        for column in loose:  # of several the choice below proves one, or asks
            column.field, column.why = "amount_fen", "唯一的金额列" if len(loose) == 1 else "表头像金额"
            column.unit = unit_of(column.header.split("|")) or view.unit or "元"
            samples[column.index] = view.money(column)
    if not view.payable and not view.by("amount_fen"):
        return
    if yearly and not any(view.by(code) for code in ("amount_fen", *PART_FIELDS)):
        view.problems.append(Problem("amount_other_period", "error", tuple(yearly)))
        return
    choice = choose_amount(view.columns, samples, per_person=view.per_person)
    view.parts_sum = choice.parts
    if choice.problem:
        severity: Severity = "notice" if not view.payable else "error" if choice.rivals else "warning"
        view.problems.append(Problem(choice.problem, severity, choice.rivals))
    if choice.column is not None and choice.column.field in ("standard_amount", "per_person_amount"):
        standard = choice.column.field == "standard_amount"
        code = "amount_from_standard" if standard else "amount_from_other"
        view.problems.append(Problem(code, "warning", (choice.column,)))
    if choice.column is not None:
        _tell_back_pay(view, choice.column, samples)
    name_amount(view, choice.column, choice.why)
    standard_is_base(view, samples)


def _tell_back_pay(view: Understanding, amount: Column, samples: dict[int, np.ndarray]) -> None:
    """Says whether what is paid holds the 补发 beside it: a sum that adds it up does, any other amount does not."""
    for back in view.by("back_pay"):
        extra = np.nan_to_num(samples[back.index])
        if not (extra > 0).any():
            continue
        whole = np.nan_to_num(samples[amount.index])
        others = [c for c in view.columns if c.index in samples and c is not back and c is not amount]
        inside = any(_same(np.nan_to_num(samples[c.index]) + extra, whole) for c in others)
        code = "back_pay_included" if inside else "back_pay_left_out"
        view.problems.append(Problem(code, "warning", (back,)))


def _other_periods(view: Understanding) -> list[Column]:
    """Amounts that headers call a year's or a quarter's (元/年): never this month's payment, and never divided here."""
    out = []
    for column in view.by("amount_fen"):
        if period := other_period(column.header.split("|")):
            column.field, column.why = "", f"表头写明是按{period}的金额，不是本月发放的"
            out.append(column)
    return out


def _sum_column(view: Understanding, samples: dict[int, np.ndarray]) -> None:
    """A column called no more than 小计 that adds up the parts, row by row, is the amount."""
    parts = [c for code in PART_FIELDS for c in view.by(code)]
    for column in view.columns:
        if not column.field and re.fullmatch("小计|计|总数", _key(column)):
            samples[column.index] = view.money(column)
            if _is_sum(column, parts, view.columns, samples):
                column.field, column.why = "amount_fen", "等于各分项之和"
                column.unit = unit_of(column.header.split("|")) or view.unit or "元"
                return


def standard_is_base(view: Understanding, samples: dict[int, np.ndarray]) -> None:
    """A column called 标准 that, with care and add-on, adds up to the amount is the basic part of it."""
    amount, parts = view.by("amount_fen"), [c for code in PART_FIELDS for c in view.by(code)]
    if len(amount) != 1 or not parts or view.by("base_fen") or amount[0].index not in samples:
        return
    rest = np.nan_to_num(samples[amount[0].index]) - sum(np.nan_to_num(samples[c.index]) for c in parts)
    for column in view.by("standard_amount"):
        if (np.abs(np.nan_to_num(samples[column.index]) - rest) < 0.005).mean() >= 0.95:
            column.field, column.why = "base_fen", "与其他分项相加等于发放金额"
            return


def own_amount(view: Understanding) -> None:
    """Where a list holds two programmes, the amount is the column that bears this programme's name."""
    own = [
        c
        for c in view.columns
        if c.field in ("", "amount_fen")
        and any(word in compact(c.header) for word in view.own_names)
        and not re.search(r"类[别型]|等级|档|标准|账|卡", c.header)
        and not np.isnan(view.money(c)).all()
    ]
    others = [c for c in view.by("amount_fen") if c not in own]
    if not own or (not others and all(c.field for c in own)):
        return
    for column in own:
        column.field, column.why = "amount_fen", "表头写明是本项目的金额"
        column.unit = unit_of(column.header.split("|")) or view.unit or "元"
    for column in others:
        column.field, column.why = "", "是别的项目或几个项目合计的金额，原样保留"


def name_amount(view: Understanding, chosen: Column | None, why: str) -> None:
    plain = []
    for column in view.by("amount_fen"):
        if chosen is not None and column is not chosen:
            column.field, column.why = "", f"发放金额取{chosen.letters}列，这一列原样保留"
            plain.append(column)
    if chosen is not None:
        chosen.field = "amount_fen"
        if why:
            chosen.why = f"{chosen.why}；{why}"
        chosen.level = chosen.level or level_of(chosen.header.split("|"))
    household = chosen is not None and chosen.level
    for code in PART_FIELDS:
        many = view.by(code)
        if len(many) > 1:
            keep = next((c for c in many if household and c.level == household), many[0])
            for column in many:
                if column is not keep:
                    column.field, column.why = "", f"与{keep.letters}列同义，原样保留"
