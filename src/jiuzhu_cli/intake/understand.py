"""One table understood: programme or register, columns, month, area, category, totals; split where it holds several lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.core.finding import Finding, SourceRef
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.body import Body
from jiuzhu_cli.intake.ditto import fill_dittos
from jiuzhu_cli.intake.grid import Grid
from jiuzhu_cli.intake.mapping import hits
from jiuzhu_cli.intake.monthly import share_among_months, split_by_month
from jiuzhu_cli.intake.place import place_table
from jiuzhu_cli.intake.programme import find_programme, read_columns
from jiuzhu_cli.intake.recognise import Evidence, category_in
from jiuzhu_cli.intake.split import split_by_amount, split_by_value
from jiuzhu_cli.intake.table import Table
from jiuzhu_cli.intake.totals import drop_bare_totals, household_blocks, state_totals
from jiuzhu_cli.intake.when import date_table
from jiuzhu_cli.intake.work import Context, Work

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.read import Sheet

_KEY_FIELDS = (
    "name",
    "id_no",
    "head_name",
    "head_id_no",
    "account_no",
    "payee_name",
    "payee_id_no",
    "member_names",
    "member_ids",
)
_TABLE_NOUN = re.compile(r"(表|册|名单|台账|公示|清单|情况|信息|对象|名册|明细)([（(].*[)）])?$")
_STEM = re.compile(r"\.[A-Za-z]{2,5}$")


def understand(
    context: Context, sheet: Sheet, index: int, grid: Grid, body: Body, *, above: list[list[str]]
) -> list[Table]:
    """The table (or the several that one list is split into) under one header. ``above``: the titles of the sheet's first table, when it is another."""
    header = body.header
    lines = [text for texts in body.titles for text in texts]
    title = _main_title(body.titles)
    table = Table(sheet.name, index, title, header.first, header.last, rows=body.rows, skipped=list(body.skipped))
    work = Work(context, sheet, grid, body, table, _evidence(context, sheet, title, lines, above))
    named, joint = find_programme(work)
    read_columns(work, named)
    fill_dittos(work)
    _drop_prefilled(work)
    _drop_unfilled(work)
    drop_bare_totals(work)
    split = split_by_value(work, named, joint)
    works = split or [work]
    if not split and len(joint) == 2:
        works = split_by_amount(work, joint)
    out: list[Table] = []
    for one in works:
        for dated in split_by_month(one) or share_among_months(one) or date_table(one):
            _finish(dated)
            out.append(dated.table)
    return out


def _main_title(titles: list[list[str]]) -> str:
    """The line that names the table (…表, …册, …名单): the longest such, else the longest without a colon, '' when there is none."""
    texts = [
        text for row in titles for text in row if not re.search(r"[：:]", text) or _TABLE_NOUN.search(compact(text))
    ]
    if not texts:
        return ""
    named = [text for text in texts if _TABLE_NOUN.search(compact(text))]
    return max(named or texts, key=len)


def _evidence(context: Context, sheet: Sheet, title: str, lines: list[str], above: list[list[str]]) -> list[Evidence]:
    """Texts that may name programme, month and area, the strongest first."""
    out = [Evidence("标题", title)] if title else []
    out.append(Evidence("工作表名", sheet.name))
    out += [Evidence("表头上方", line) for line in lines if line != title]
    if above and not any(_TABLE_NOUN.search(compact(line)) for line in lines):  # nothing of its own: the list goes on
        out.append(Evidence("上文", _main_title(above)))
    out.append(Evidence("文件名", _STEM.sub("", context.file)))
    out += [Evidence("文件夹", folder) for folder in context.folders]
    return out


# ---- columns -------------------------------------------------------------------------------------------------


def _drop_prefilled(work: Work) -> None:
    """Rows that hold only a serial number or a place (lines prepared for later) are not data."""
    table, grid = work.table, work.grid
    keys = [column.index for code in _KEY_FIELDS if (column := table.column(code)) is not None]
    if not keys:
        return
    money = [
        column.index for column in table.columns if column.field in ("amount_fen", "base_fen", "addon_fen", "care_fen")
    ]
    light = {
        column.index
        for column in table.columns
        if column.field
        in ("serial_no", "town", "village", "area_text", "month", "province", "city", "county", "category")
    }
    empty = [
        row
        for row in work.body.odd
        if all(grid.value(row, index) in (None, "") for index in keys)
        and all(grid.value(row, index) in (None, "", 0, 0.0, "0", "0.00") for index in money)
        and all(index in light or index in money for index, _ in grid.cells(row))
    ]
    _skip(table, empty, "prefilled")


def _drop_unfilled(work: Work) -> None:
    """Lines of a register's form that nobody has filled in yet (``Register.blank_without``)."""
    table = work.table
    register = work.context.policy.registers.get(table.code) if table.kind == "register" else None
    column = table.column(register.blank_without) if register is not None and register.blank_without else None
    if column is not None:
        blank = [row for row in table.rows.tolist() if work.grid.value(row, column.index) in (None, "")]
        _skip(table, blank, "prefilled")


def _skip(table: Table, rows: list[int], reason: str) -> None:
    if rows:
        table.rows = table.rows[~np.isin(table.rows, rows)]
        table.skipped = sorted([*table.skipped, *((row, reason) for row in rows)])


# ---- the rest ------------------------------------------------------------------------------------------------


def _finish(work: Work) -> None:
    context, table = work.context, work.table
    if not table.code and not any(finding.code == "programme_unknown" for finding in table.findings):
        work.tell("programme_unknown", "error", shown_text=work.evidence[0].shown())
    _category(work)
    _care_mode(work)
    place_table(work)
    if not any(reason in ("other_programme", "other_month") for _, reason in table.skipped):
        state_totals(work.grid, table, work.grid.width - 1)
    table.blocks = household_blocks(work.grid, table)
    hidden = work.sheet.hidden_rows
    if hidden:
        rows = [row + 1 for row in table.rows.tolist() if row in hidden]
        if rows:
            work.tell("rows_hidden", "warning", rows=_ranges(rows), count=len(rows))
    _tell_struck(work)
    columns = [column for column in table.columns if column.index in work.sheet.hidden_columns]
    if columns:
        shown = "、".join(f"{column.letters}列“{column.header}”" for column in columns)
        work.tell("columns_hidden", "warning", columns=shown, count=len(columns))
    unused = [text for text in context.hints.mapping if not hits(text, table.columns)]
    if unused:
        work.tell("map_unused", "warning", columns="、".join(unused))


def _tell_struck(work: Work) -> None:
    """A warning for each row whose name or ID is crossed out: it is read, but somebody may have meant to take it away."""
    if not work.sheet.struck:
        return
    keys = {column.index for code in _KEY_FIELDS[:4] if (column := work.table.column(code)) is not None}
    rows = {row for row, index in work.sheet.struck if index in keys and work.grid.value(row, index) not in (None, "")}
    for row in sorted(rows.intersection(work.table.rows.tolist())):
        source = SourceRef(work.context.file, work.table.sheet, row + 1)
        work.table.findings.append(Finding("struck_through", "warning", source))


def _category(work: Work) -> None:
    programme = work.context.policy.programmes.get(work.table.code)
    if programme is None or not programme.categories:
        return
    named = (work.table.kind, work.table.code)
    for proof in work.evidence:
        others = work.context.names.in_text(proof.text)
        if others and named not in others:
            continue
        if found := category_in(proof.text, programme.categories):
            work.table.category = found
            work.table.how["category"] = proof.shown()
            return


def _care_mode(work: Work) -> None:
    """集中 or 分散 where the words around a list of 特困人员 say one of them."""
    programme = work.context.policy.programmes.get(work.table.code)
    if programme is None or "供养方式" not in programme.signature:
        return
    for proof in work.evidence:
        if len(told := set(re.findall("集中|分散", compact(proof.text)))) == 1:
            work.table.care_mode = told.pop()
            work.table.how["care_mode"] = proof.shown()
        if told:
            return


def _ranges(rows: list[int]) -> str:
    """3, 4, 5, 9 as 3-5、9; at most eight pieces."""
    pieces: list[list[int]] = []
    for row in rows:
        if pieces and row == pieces[-1][1] + 1:
            pieces[-1][1] = row
        else:
            pieces.append([row, row])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in pieces[:8]]
    return "、".join(shown) + (" 等" if len(pieces) > 8 else "")
