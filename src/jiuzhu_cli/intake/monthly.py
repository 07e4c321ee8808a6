"""Lists of several months (季度名册): a column a month (7月 8月 9月 合计), or one sum for all of them. One table a month.

A sum for several months is never taken apart by guess: only where the user says of which months it is (``--month
2026-07..2026-09``), and only amounts that divide to the 分.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from jiuzhu_cli.core.finding import Finding, SourceRef
from jiuzhu_cli.core.money import parse_amount, yuan
from jiuzhu_cli.core.period import month_span
from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.intake.headers import money_word, unit_of
from jiuzhu_cli.intake.recognise import CHINESE_NUMBERS, is_range, month_in, year_in
from jiuzhu_cli.intake.table import Column
from jiuzhu_cli.intake.vectors import Vector
from jiuzhu_cli.intake.when import PLACES, speaks_of_month

if TYPE_CHECKING:
    from jiuzhu_cli.intake.rows import Rows
    from jiuzhu_cli.intake.work import Work

_MONTH = re.compile(r"(?:(20\d\d)年)?(\d{1,2}|十[一二]?|[一二三四五六七八九])月份?(\D{0,10})")
_PLAIN = frozenset(("", "发放", "应发", "实发", "补贴", "补助", "津贴", "标准", "低保", "保障"))
_SUM = re.compile(r"合计|小计|总计|共计|总额|总金额|^计$|实发|发放金额|季度")
_SETTLED = {
    "amount_column_ambiguous",
    "amount_column_missing",
    "amount_from_standard",
    "amount_from_other",
    "month_range",
}


def split_by_month(work: Work) -> list[Work]:
    """One table a month where the list has a column of amounts a month; [] where it has none.

    A list whose title says one of those months is that month's, the other columns are for comparison. Persons without
    an amount in a month are not on its list; rows without any amount (members) go with the row above.
    """
    table = work.table
    found = _month_columns(work) if table.kind == "roll" else []
    if not found:
        return []
    told = _told_month(work)
    chosen = [(month, column) for month, column in found if month == told]
    if chosen:
        found = chosen
    elif len(found) < 2:
        return []
    wanted = month_span(work.context.hints.month) if work.context.hints.month else []
    if len(found) > 1 and wanted:
        found = [(month, column) for month, column in found if month in wanted]
    table.findings = [finding for finding in table.findings if finding.code not in _SETTLED]
    table.fatal = any(finding.severity == "error" for finding in table.findings)
    if len(found) > 1:
        _check_sums(work, [column for _, column in found])
    masks = _on_list(work, [column for _, column in found])
    out: list[Work] = []
    for (month, column), mask in zip(found, masks, strict=True):
        if not mask.any() and len(found) > 1:
            continue
        one = work.only(mask if len(found) > 1 else np.ones(len(table.rows), dtype=bool), "month_blank")
        if out:
            one.table.findings = []  # said with the first month's
        _pay(one.table.columns, column)
        one.table.month = month
        one.table.how["month"] = f"{column.letters}列“{column.header}”"
        out.append(one)
    return out


def _month_columns(work: Work) -> list[tuple[str, Column]]:
    """(month, column) of the columns that hold amounts of one month each, in order; [] unless all months differ."""
    found: list[tuple[str, int, Column]] = []
    for column in work.table.columns:
        match = _MONTH.fullmatch(header_key(column.header.rpartition("|")[2]))
        if match is None or column.field not in ("", "amount_fen", "standard_amount", "base_fen"):
            continue
        rest = match.group(3)
        if rest not in _PLAIN and not money_word(rest):
            continue
        number = int(match.group(2)) if match.group(2).isdigit() else CHINESE_NUMBERS.get(match.group(2), 0)
        if 1 <= number <= 12:
            found.append((match.group(1) or year_in(column.header), number, column))
    if not found or len({(year, number) for year, number, _ in found}) < len(found):
        return []
    years = _years(work, found)
    return [(f"{year}-{number:02d}", column) for year, (_, number, column) in zip(years, found, strict=True) if year]


def _years(work: Work, found: list[tuple[str, int, Column]]) -> list[str]:
    """The year of each month column: its own, else what the words around say; a year more behind the turn of a year."""
    told = next(filter(None, (year_in(proof.text) for proof in work.evidence)), "") or work.context.hints.month[:4]
    out = []
    for at, (own, _, _) in enumerate(found):
        later = any(before >= 10 and after <= 3 for (_, before, _), (_, after, _) in pairwise(found[: at + 1]))
        out.append(own or (str(int(told) + later) if told else ""))
    return out


def _told_month(work: Work) -> str:
    """The one month that the user or the words around the table name; '' where they name several or none."""
    if work.context.hints.month:
        return work.context.hints.month
    for place in PLACES:
        for proof in work.evidence:
            if proof.place != place or (place == "表头上方" and not speaks_of_month(proof.text)):
                continue
            if is_range(proof.text):
                return ""
            found = month_in(proof.text, today=work.context.today)
            if found is not None and found.sure in ("stated", "short"):
                return found.month
    return ""


def _fen(work: Work, column: Column) -> np.ndarray:
    """分 by data row, -1 where the cell holds no amount or nought."""
    unit = unit_of(column.header.split("|")) or work.columns.unit if work.columns is not None else ""
    cells = work.values(column.index)
    read = {cell: parse_amount(cell, unit or "元").fen for cell in {*cells} if not hasattr(cell, "code")}
    return np.array([read.get(cell) or -1 for cell in cells], dtype=np.int64)


def _on_list(work: Work, columns: list[Column]) -> list[np.ndarray]:
    """Per month which rows are on its list. A cell that is no amount (一百, 错) stays, to be refused by its row."""
    named = []
    for column in columns:
        cells = work.values(column.index)
        empty = np.array(
            [cell is None or str(cell).strip() in ("", "-", "—", "/", "0", "0.0", "0.00", "无") for cell in cells]
        )
        named.append(~empty)
    anything = np.logical_or.reduce(named)
    above = np.maximum.accumulate(np.where(anything, np.arange(len(anything)), -1))
    return [np.where(above >= 0, mask[np.maximum(above, 0)], False) if len(mask) else mask for mask in named]


def _check_sums(work: Work, columns: list[Column]) -> None:
    """The row's own 合计 against its months: told by cell where it differs on a few rows."""
    taken = {column.index for column in columns}
    totals = [
        column
        for column in work.table.columns
        if column.index not in taken
        and column.field in ("", "amount_fen")
        and _SUM.search(header_key(column.header.rpartition("|")[2]))
    ]
    added = sum(np.maximum(_fen(work, column), 0) for column in columns)
    back = sum(np.maximum(_fen(work, column), 0) for column in work.table.columns if column.field == "back_pay")
    for column in totals:
        stated = _fen(work, column)
        differs = (stated >= 0) & (stated != added) & (stated != added + back)
        if not (stated >= 0).any() or differs.sum() * 2 > (stated >= 0).sum():
            continue  # it is the sum of something else
        for at in np.flatnonzero(differs).tolist():
            source = SourceRef(work.context.file, work.table.sheet, int(work.table.rows[at]) + 1, column.letters)
            values: dict[str, str | int] = {"stated": yuan(int(stated[at])), "sum": yuan(int(added[at]))}
            work.table.findings.append(Finding("months_sum_differs", "warning", source, "amount_fen", "", values))


def _pay(columns: list[Column], chosen: Column) -> None:
    """Makes ``chosen`` the amount of a table's columns; the other amounts stay as they are written."""
    for at, column in enumerate(columns):
        if column.index == chosen.index:
            unit = unit_of(column.header.split("|")) or column.unit
            columns[at] = replace(column, field="amount_fen", why="这个月的金额列", unit=unit)
        elif column.field in ("amount_fen", "base_fen", "addon_fen", "care_fen", "standard_amount"):
            columns[at] = replace(column, field="", why="几个月的金额，按月分开，这一列原样保留")


def share_among_months(work: Work) -> list[Work]:
    """One table for each of the months that the user says one amount is for; [] where only one month is said."""
    months = month_span(work.context.hints.month) if work.context.hints.month else []
    if len(months) < 2 or work.table.kind != "roll":
        return []
    out: list[Work] = []
    for month in months:
        one = work.only(np.ones(len(work.table.rows), dtype=bool), "other_month")
        one.table.month, one.table.how["month"] = month, "由 --month 指定，金额平均分到各月"
        one.table.months_shared = len(months)
        if out:
            one.table.findings = []
        out.append(one)
    return out


def divide_amounts(rows: Rows) -> None:
    """Each amount is the month's part of it; a row whose amount does not divide to the 分 is refused."""
    count = rows.table.months_shared
    for name in ("amount_fen", "base_fen", "addon_fen", "care_fen"):
        values = rows.values.get(name)
        if count < 2 or values is None:
            continue
        odd = values.valid & (values.numbers % count != 0)
        for person in np.flatnonzero(odd).tolist():
            rows.blame(person, name, "amount_not_divisible", "error", months=count)
        rows.values[name] = Vector(pa.array(values.numbers // count, mask=~values.valid))
