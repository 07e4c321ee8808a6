"""Finds the tables of a workbook and understands each: the first half of intake. ``find_tables`` is the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.core.finding import Finding, SourceRef
from jiuzhu_cli.intake.areas import towns_of
from jiuzhu_cli.intake.body import Body, names_somebody, read_body, read_titles
from jiuzhu_cli.intake.grid import Grid, cell_text, looks_like_id
from jiuzhu_cli.intake.headers import Lexicon
from jiuzhu_cli.intake.layout import Header, Known, find_header, panels
from jiuzhu_cli.intake.mixed import join_names, take_apart
from jiuzhu_cli.intake.place import join_areas
from jiuzhu_cli.intake.recognise import Names, partial_list
from jiuzhu_cli.intake.shapes import odd_shape
from jiuzhu_cli.intake.table import Hints, Table
from jiuzhu_cli.intake.template import OWN_SHEETS, template_of
from jiuzhu_cli.intake.understand import understand
from jiuzhu_cli.intake.work import Context
from jiuzhu_cli.tabular.column import Column

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.tabular.read import Sheet, Workbook


@lru_cache(maxsize=4)
def words_of(policy: Policy) -> tuple[Names, Lexicon]:
    """The policy's names and header words; made once for a folder of files."""
    return Names(policy), Lexicon(policy)


def find_tables(
    book: Workbook,
    policy: Policy,
    *,
    hints: Hints,
    region: str,
    towns: Sequence[str],
    today: date,
    known: Sequence[str] = (),
    file_name: str | None = None,
    folders: Sequence[str] = (),
) -> tuple[list[Table], list[Finding]]:
    """The tables of ``book`` in order, and findings about the workbook (hidden or table-less sheets).

    ``towns`` are the bureau's towns (full names), ``known`` such names from elsewhere, ``region`` its six-digit code; ``file_name`` and ``folders`` (nearest
    first) are further evidence for programme, month and area. Nothing is raised for bad data: a table that cannot be
    imported is ``fatal`` and says why.
    """
    name = file_name or book.path.name
    context = Context(
        policy, *words_of(policy), towns_of(tuple(towns), tuple(known)), hints, today, name, tuple(folders), region
    )
    context = replace(context, template=template_of(book.marks, policy))
    findings: list[Finding] = []
    drafts: list[tuple[int, Sheet, Grid, Body]] = []
    for index, sheet in enumerate(book.sheets):
        if sheet.name in OWN_SHEETS and not any(looks_like_id(cell) for column in sheet.columns for cell in column):
            continue  # guidance and lists of a form, whoever sends it
        if sheet.hidden:
            rows = sum(1 for row in range(sheet.height) if any(column[row] is not None for column in sheet.columns))
            if rows:
                findings.append(
                    Finding(
                        "sheet_hidden",
                        "warning",
                        SourceRef(name, sheet.name),
                        values={"sheet": sheet.name, "rows": rows},
                    )
                )
            continue
        bodies = sheet_bodies(sheet, context.lexicon)
        drafts += [(index, sheet, grid, body) for grid, body in bodies]
        findings += (
            _unread(sheet, name, bodies, context.lexicon.known) if bodies else _without_table(sheet, name, context)
        )
    context = replace(context, sheets=len({index for index, _, _, _ in drafts}))
    tables: list[Table] = []
    for index, sheet, grid, body in drafts:
        tables += understand(context, sheet, index, grid, body, above=_titles_above(drafts, index, body))
    tables, findings = _people_only(tables, findings, name)
    tables, findings = _whole_lists(tables, findings, name, hints)
    if not hints.area:
        join_areas(tables)
    return tables, findings


def _titles_above(drafts: Sequence[tuple[int, Sheet, Grid, Body]], index: int, body: Body) -> list[list[str]]:
    """The titles that hold for a table without its own: of the sheet's first, or of a sheet before with the same columns."""
    first = next(other for at, _, _, other in drafts if at == index)
    if first is not body:
        return first.titles
    if body.titles:
        return []
    keys = body.header.keys()
    earlier = [other for at, _, _, other in drafts if at < index and other.titles and other.header.keys() == keys]
    return earlier[-1].titles if earlier else []


def _people_only(tables: list[Table], findings: list[Finding], name: str) -> tuple[list[Table], list[Finding]]:
    """Leaves out tables without any person (汇总表: villages and sums)."""
    kept = []
    for table in tables:
        people = {"name", "id_no", "head_name", "head_id_no", "payee_name", "payee_id_no", "member_names", "member_ids"}
        doubtful = any(finding.code == "id_column_ambiguous" for finding in table.findings)
        if doubtful or people & {column.field for column in table.columns}:
            kept.append(table)
        else:
            source = SourceRef(name, table.sheet)
            findings.append(Finding("sheet_without_table", "notice", source, values={"sheet": table.sheet}))
    return kept, findings


def _whole_lists(
    tables: list[Table], findings: list[Finding], name: str, hints: Hints
) -> tuple[list[Table], list[Finding]]:
    """Leaves out lists of people who left or came (停发名单, 新增, 变动表) beside a roll; alone, such a list is refused.

    Taken for the roll of the month it would replace it. ``--programme`` says that it is meant.
    """
    words = [
        partial_list(table.title) or partial_list(table.sheet)
        if table.kind == "roll" and not hints.programme_of(table.sheet)
        else ""
        for table in tables
    ]
    beside = not all(words)
    kept = []
    for table, word in zip(tables, words, strict=True):
        source = SourceRef(name, table.sheet)
        values: dict[str, str | int] = {"sheet": table.sheet, "title": table.title or table.sheet, "word": word}
        if word and beside:
            findings.append(Finding("list_left_out", "warning", source, values=values))
            continue
        if word:
            table.findings.append(Finding("list_partial", "error", source, values=values))
            table.fatal = True
        kept.append(table)
    return kept, findings


def sheet_bodies(sheet: Sheet, lexicon: Lexicon) -> list[tuple[Grid, Body]]:
    """Every table of a sheet with its rows, top to bottom; lists printed side by side one after the other."""
    grid = Grid(sheet)
    out: list[tuple[Grid, Body]] = []
    start = 0
    while start < grid.height:
        header = find_header(grid, start, lexicon.known)
        if header is None:
            break
        titles = read_titles(grid, start, header.first)
        pieces = panels(header)
        stop = header.last + 1
        for piece in pieces:
            view = grid if len(pieces) == 1 else _panel(sheet, piece)
            above = titles if len(pieces) == 1 else _panel_titles(grid, start, header.first, piece)
            body, end = read_body(view, piece, above, lexicon.known)
            stop = max(stop, end)
            join_names(sheet, view, body)
            take_apart(sheet, view, body)
            if len(body.rows) or len(pieces) == 1:
                out.append((view, body))
        start = stop
    return out


def _panel_titles(grid: Grid, start: int, stop: int, header: Header) -> list[list[str]]:
    """The titles of one of several lists side by side: lines of one text hold for all, of others what stands above it."""
    first, last = min(header.parts), max(header.parts)
    out = []
    for row in range(start, stop):
        cells = grid.cells(row)
        if len({cell_text(value) for _, value in cells}) > 1:
            cells = [(column, value) for column, value in cells if first <= column <= last]
        if texts := list(dict.fromkeys(" ".join(cell_text(value).split()) for _, value in cells)):
            out.append(texts)
    return out


def _panel(sheet: Sheet, header: Header) -> Grid:
    """The sheet with every column blank but those of one panel; coordinates stay."""
    blank = Column([None] * sheet.height)
    first, last = min(header.parts), max(header.parts)
    columns = [cells if first <= index <= last else blank for index, cells in enumerate(sheet.columns)]
    merged = [area for area in sheet.merged if area[1] >= first and area[3] <= last]
    return Grid(replace(sheet, columns=columns, merged=merged))


def _unread(sheet: Sheet, name: str, bodies: Sequence[tuple[Grid, Body]], known: Known) -> list[Finding]:
    """A warning for every row of a sheet with tables that names somebody and is in none of them: no row is lost in silence."""
    grid = next((grid for grid, _ in bodies if grid.sheet is sheet), None) or Grid(sheet)
    left = np.ones(grid.height, dtype=bool)
    keys = [body.header.keys() for _, body in bodies]
    for _, body in bodies:
        left[body.rows] = False
        left[body.header.first : body.header.last + 1] = False
        left[[row for row, kind in body.skipped if kind in ("blank", "repeated_header")]] = False
    out = []
    for row in np.flatnonzero(left).tolist():
        cells = grid.cells(row)
        above = next(
            (key for key, (_, body) in zip(keys[::-1], bodies[::-1], strict=True) if body.header.last < row), {}
        )
        if names_somebody(cells, above, known):
            out.append(Finding("row_not_read", "warning", SourceRef(name, sheet.name, row + 1)))
    return out


def _without_table(sheet: Sheet, name: str, context: Context) -> list[Finding]:
    """A sheet without a header: an error when it holds people, else a notice; nothing for an empty one."""
    people = sum(looks_like_id(value) for column in sheet.columns for value in column[:2000])
    source = SourceRef(name, sheet.name)
    if people:
        code = odd_shape(Grid(sheet), context.lexicon.known) or "header_missing"
        return [Finding(code, "error", source, values={"sheet": sheet.name, "rows": people})]
    if any(value is not None for column in sheet.columns for value in column):
        return [Finding("sheet_without_table", "notice", source, values={"sheet": sheet.name})]
    return []
