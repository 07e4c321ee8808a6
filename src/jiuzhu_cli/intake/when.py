"""The month of a table (所属月份), from what the user says, titles, a column, the sheet's, file's and folders' names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.intake.recognise import Evidence, MonthFound, is_range, month_in, months_of_values, year_in

if TYPE_CHECKING:
    from jiuzhu_cli.intake.work import Work

PLACES = ("标题", "表头上方", "工作表名", "上文", "文件名", "文件夹")
_DAY_OF_PAPER = re.compile(
    r"日期|时间|制表|填[报表]日|打印|导出"
)  # 制表日期 says when it was written, not what month it is of


def date_table(work: Work) -> list[Work]:
    """The table with its month set, or one table a month where a column of months says several."""
    table = work.table
    column = table.column("month")
    by_value = {}
    if column is not None:
        values = work.values(column.index)
        by_value = {value: month for value, month in months_of_values({*values}, _year(work)).items() if month}
    months = sorted(set(by_value.values()))
    if work.context.hints.month:
        table.month, table.how["month"] = work.context.hints.month, "由 --month 指定"
        _conflict(work, months)
        return [work]
    if len(months) > 1 and column is not None and table.kind == "roll":
        out = []
        for month in months:
            keep = np.array(
                [by_value.get(value, months[-1] if value in (None, "") else "") == month for value in values],
                dtype=bool,
            )
            one = work.only(keep, "other_month")
            one.table.month, one.table.how["month"] = month, f"{column.letters}列“{column.header}”"
            one.tell("table_split_month", "notice", column=column.letters, month=month, rows=int(keep.sum()))
            out.append(one)
        return out
    _one_month(work, months[0] if len(months) == 1 else "", column.letters if column is not None else "")
    return [work]


def _year(work: Work) -> str:
    return next(
        filter(None, (year_in(proof.text) for proof in work.evidence if not _DAY_OF_PAPER.search(proof.text))), ""
    )


def _one_month(work: Work, from_column: str, letters: str) -> None:
    table, today = work.table, work.context.today
    told = [
        proof
        for place in PLACES
        for proof in work.evidence
        if proof.place == place and not (place == "表头上方" and not speaks_of_month(proof.text))
    ]
    title_range = next((proof for proof in told if proof.place in ("标题", "工作表名") and is_range(proof.text)), None)
    if title_range is not None and not from_column and table.kind == "roll":
        work.tell("month_range", "error", shown_text=title_range.text)
        return
    year = next(filter(None, (year_in(proof.text) for proof in told)), "")
    readings = [(proof, found) for proof in told if (found := month_in(proof.text, year=year, today=today))]
    readings.sort(key=lambda pair: ("stated", "short", "yearless", "day").index(pair[1].sure) > 1)
    stated = [(proof, found) for proof, found in readings if found.sure in ("stated", "short")]
    if from_column and not (stated and stated[0][0].place in ("标题", "工作表名")):
        table.month, table.how["month"] = from_column, f"{letters}列"
        _conflict_with(work, stated)
        return
    if readings:
        proof, found = readings[0]
        table.month, table.how["month"] = found.month, proof.shown()
        if from_column and from_column != found.month:
            work.tell(
                "month_conflict",
                "warning",
                first=proof.shown(),
                second=f"{letters}列“{from_column}”",
                chosen=found.month,
            )
        _conflict_with(work, stated)
        if found.sure == "yearless":
            work.tell("month_year_assumed", "notice", month=found.month, shown_text=proof.text)
        elif found.sure == "day" and table.kind == "roll":
            work.tell("month_from_date", "warning", month=found.month, shown_text=proof.text)
        return
    several = next((proof for proof in told if is_range(proof.text)), None)
    form = work.context.template
    if several is None and form is not None and form.month:
        table.month, table.how["month"] = form.month, "模板"
        return
    if table.kind == "roll" and several is not None:
        work.tell("month_range", "error", shown_text=several.text)
    elif table.kind == "roll":
        work.tell("month_unknown", "error")


def speaks_of_month(line: str) -> bool:
    """Whether a line above the header states the list's month: （2026年10月）, 所属月份：2026-10; not 制表日期：2026年10月8日."""
    if re.search(r"月份|所属|期间", line):
        return True
    return not _DAY_OF_PAPER.search(line) and not re.search(r"月\s*\d{1,2}\s*[日号]|20\d\d[-./]\d{1,2}[-./]\d", line)


def _conflict_with(work: Work, stated: list[tuple[Evidence, MonthFound]]) -> None:
    for proof, found in stated:
        if found.month != work.table.month and proof.place not in ("上文", "文件夹"):
            work.tell(
                "month_conflict",
                "warning",
                first=work.table.how["month"],
                second=proof.shown(),
                chosen=work.table.month,
            )
            return


def _conflict(work: Work, months: list[str]) -> None:
    title = next((proof for proof in work.evidence if proof.place == "标题"), None)
    found = month_in(title.text, today=work.context.today) if title else None
    others = [month for month in months if month != work.table.month]
    if found is not None and found.sure == "stated" and found.month != work.table.month and title is not None:
        work.tell("month_conflict", "warning", first="--month", second=title.shown(), chosen=work.table.month)
    elif others:
        work.tell(
            "month_conflict",
            "warning",
            first="--month",
            second=f"所属月份列“{'、'.join(others[:3])}”",
            chosen=work.table.month,
        )
