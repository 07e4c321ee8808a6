"""One table understood: programme or register, columns, month, area, category, totals; split where it holds several lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.finding import Finding, Severity, SourceRef
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.areas import Towns
from jiuzhu_cli.intake.body import Body
from jiuzhu_cli.intake.columns import Problem, Understanding
from jiuzhu_cli.intake.grid import Grid
from jiuzhu_cli.intake.headers import Lexicon, unit_of_lines
from jiuzhu_cli.intake.place import place_table
from jiuzhu_cli.intake.recognise import Evidence, Named, Names, category_in, title_of_other_benefit
from jiuzhu_cli.intake.table import Hints, Table
from jiuzhu_cli.intake.totals import household_blocks, state_totals
from jiuzhu_cli.intake.when import date_table

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.tabular.read import Sheet

_PROGRAMME_COLUMN = re.compile(r"项目|补贴(名称|类型|种类|类别)|救助(类型|类别|种类)|保障(类型|类别)|业务类型|待遇类型")
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


@dataclass(frozen=True)
class Context:
    """What is known before a table is looked at. ``sheets``: how many sheets of the workbook hold tables."""

    policy: Policy
    names: Names
    lexicon: Lexicon
    towns: Towns
    hints: Hints
    today: date
    file: str
    folders: tuple[str, ...]
    region: str
    sheets: int = 1

    def hinted(self) -> Named | None:
        if not self.hints.programme:
            return None
        try:
            return "roll", self.policy.programme(self.hints.programme).code
        except UsageError:
            return "register", self.policy.register(self.hints.programme).code


@dataclass
class Work:
    """One table in the making, with the evidence around it."""

    context: Context
    sheet: Sheet
    grid: Grid
    body: Body
    table: Table
    evidence: list[Evidence]
    columns: Understanding | None = None

    def tell(self, code: str, severity: Severity, *, column: str = "", field: str = "", **values: str | int) -> None:
        source = SourceRef(self.context.file, self.sheet.name, 0, column)
        self.table.findings.append(Finding(code, severity, source, field, "", values))
        if severity == "error":
            self.table.fatal = True

    def values(self, column: int) -> list[Any]:
        """Cells of a column at the table's data rows."""
        cells = self.grid.columns[column]
        rows = self.table.rows
        if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows):
            return cells[int(rows[0]) : int(rows[-1]) + 1]
        return [cells[row] for row in rows.tolist()]

    def only(self, keep: np.ndarray, reason: str) -> Work:
        """The same table with only the data rows of ``keep`` (a mask); the others are skipped for ``reason``."""
        old = self.table
        table = replace(
            old,
            columns=[replace(column) for column in old.columns],
            rows=old.rows[keep],
            skipped=sorted([*old.skipped, *((row, reason) for row in old.rows[~keep].tolist())]),
            how=dict(old.how),
            findings=list(old.findings),
        )
        return replace(self, table=table)


def understand(
    context: Context, sheet: Sheet, index: int, grid: Grid, body: Body, *, above: list[list[str]]
) -> list[Table]:
    """The table (or the several that one list is split into) under one header. ``above``: the titles of the sheet's first table, when it is another."""
    header = body.header
    lines = [text for texts in body.titles for text in texts]
    title = _main_title(body.titles)
    table = Table(sheet.name, index, title, header.first, header.last, rows=body.rows, skipped=list(body.skipped))
    work = Work(context, sheet, grid, body, table, _evidence(context, sheet, title, lines, above))
    named, joint = _programme(work)
    _columns(work, named)
    _drop_prefilled(work)
    split = _split_by_value(work, named, joint)
    works = split or [work]
    if not split and len(joint) == 2:
        works = _split_by_amount(work, joint)
    out: list[Table] = []
    for one in works:
        for dated in date_table(one):
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


# ---- programme -----------------------------------------------------------------------------------------------


def _programme(work: Work) -> tuple[Named | None, tuple[Named, ...]]:
    """The one programme or register, or several that the list holds together (() unless more than one)."""
    context, table = work.context, work.table
    told = [(proof, found) for proof in work.evidence if (found := context.names.in_text(proof.text))]
    told.sort(key=lambda pair: ("标题", "工作表名", "表头上方", "上文", "文件名", "文件夹").index(pair[0].place))
    hinted = context.hinted()
    if hinted is not None:
        _set_programme(table, hinted, "由 --programme 指定")
        if told and hinted not in told[0][1]:
            work.tell(
                "programme_conflict",
                "warning",
                first="--programme",
                second=told[0][0].shown(),
                chosen=_name(context, hinted),
            )
        return hinted, ()
    if told:
        proof, found = told[0]
        for other, theirs in told[1:]:
            common = tuple(one for one in found if one in theirs)
            if common and len(common) < len(found):
                proof, found = other, common
            elif not common and other.place not in ("上文", "文件夹"):
                work.tell(
                    "programme_conflict",
                    "warning",
                    first=proof.shown(),
                    second=other.shown(),
                    chosen="、".join(_name(context, one) for one in found),
                )
        if len(found) == 1:
            _set_programme(table, found[0], proof.shown())
            return found[0], ()
        _set_programme(table, found[0], proof.shown())
        return found[0], found
    foreign = next(
        (
            proof
            for proof in work.evidence
            if proof.place in ("标题", "工作表名", "文件名") and title_of_other_benefit(proof.text)
        ),
        None,
    )
    if foreign is not None:
        work.tell("programme_unknown", "error", shown_text=foreign.shown())
        return None, ()
    keys = [key for key in work.body.header.keys().values() if key]
    fields = {context.lexicon.index.get(key, "") for key in keys}
    named, words = context.names.by_columns(keys, paid={"amount_fen", "account_no"} <= fields)
    if named is not None:
        _set_programme(table, named, f"列名“{'、'.join(words[:3])}”")
        return named, ()
    return None, ()


def _name(context: Context, named: Named) -> str:
    shapes: Any = context.policy.programmes if named[0] == "roll" else context.policy.registers
    return str(shapes[named[1]].name)


def _set_programme(table: Table, named: Named, how: str) -> None:
    table.kind, table.code = named  # type: ignore[assignment]
    table.how["programme"] = how


# ---- columns -------------------------------------------------------------------------------------------------


def _columns(work: Work, named: Named | None) -> None:
    context, table = work.context, work.table
    programme = context.policy.programmes.get(named[1]) if named and named[0] == "roll" else None
    words: Iterable[str] = ()
    if programme is not None:
        words = (word for many in programme.categories.values() for word in many)
    understanding = Understanding(
        work.grid,
        work.body,
        context.lexicon,
        mapping=context.hints.mapping,
        unit=unit_of_lines([proof.text for proof in work.evidence if proof.place in ("标题", "表头上方")]),
        kind=named[0] if named else "roll",
        register=named[1] if named and named[0] == "register" else "",
        per_person=programme is None or programme.unit == "person",
        payable=programme is None or programme.benefit not in ("status", "service"),
        category_words=frozenset(words),
        own_names=_own_amount_words(context, named),
    )
    understanding.resolve()
    table.columns = understanding.columns
    table.amount_from_parts = understanding.parts_sum
    work.columns = understanding
    for problem in understanding.problems:
        _tell_problem(work, problem)


def _own_amount_words(context: Context, named: Named | None) -> tuple[str, ...]:
    """Names by which an amount column says whose it is, where two programmes stand in one list."""
    if named == context.names.living:
        return ("生活补贴",)
    if named == context.names.care:
        return ("护理补贴",)
    return ()


def _tell_problem(work: Work, problem: Problem) -> None:
    shown = "、".join(f"{column.letters}列“{column.header}”" for column in problem.columns)
    values: dict[str, str | int] = {"columns": shown, **problem.values}
    if problem.columns:
        values["example"] = (
            f"{problem.columns[0].letters}={work.context.lexicon.names.get(problem.columns[0].field, '')}"
        )
        told = problem.columns[0]
        by_content = problem.code == "column_by_content"
        values["header"] = work.context.lexicon.names.get(told.field, "") if by_content else told.header
    letters = problem.columns[0].letters if problem.columns else ""
    field = problem.columns[0].field if problem.columns else ""
    work.tell(problem.code, problem.severity, column=letters, field=field, **values)  # type: ignore[arg-type]


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


def _skip(table: Table, rows: list[int], reason: str) -> None:
    if rows:
        table.rows = table.rows[~np.isin(table.rows, rows)]
        table.skipped = sorted([*table.skipped, *((row, reason) for row in rows)])


# ---- several lists in one ------------------------------------------------------------------------------------


def _split_by_value(work: Work, named: Named | None, joint: tuple[Named, ...]) -> list[Work]:
    """A list whose rows name their programme (救助类型: 农村低保 / 农村特困) becomes one table for each."""
    if (named is not None and not joint) or work.table.fatal:
        return []
    for column in work.table.columns:
        if not _PROGRAMME_COLUMN.search(header_key(column.header)):
            continue
        values = [compact(value) if isinstance(value, str) else "" for value in work.values(column.index)]
        meaning = {value: work.context.names.in_text(value) for value in set(values)}
        codes = {found[0] for found in meaning.values() if len(found) == 1 and found[0][0] == "roll"}
        if (
            not codes
            or (joint and not codes <= set(joint))
            or any(not found for value, found in meaning.items() if value)
        ):
            continue
        out = []
        for code in sorted(codes):
            keep = np.array([meaning[value][:1] == (code,) for value in values], dtype=bool)
            one = work.only(keep, "other_programme")
            _set_programme(one.table, code, f"{column.letters}列“{column.header}”")
            if len(codes) > 1:
                one.tell(
                    "table_split",
                    "notice",
                    column=column.letters,
                    programme=_name(work.context, code),
                    rows=int(keep.sum()),
                )
            _columns_again(one, code)
            out.append(one)
        return out
    return []


def _columns_again(work: Work, named: Named) -> None:
    """Columns read anew now that the programme is known; what was said about them before is forgotten."""
    said = {
        "amount_column_ambiguous",
        "amount_column_missing",
        "amount_from_standard",
        "id_column_ambiguous",
        "column_by_content",
    }
    said |= {"account_column_ambiguous", "id_column_missing", "name_column_ambiguous"}
    work.table.findings = [finding for finding in work.table.findings if finding.code not in said]
    work.table.fatal = any(finding.severity == "error" for finding in work.table.findings)
    _columns(work, named)


def _split_by_amount(work: Work, joint: tuple[Named, ...]) -> list[Work]:
    """两项补贴 on one list: one table a programme, each with its own amount column and the rows that have one."""
    out = []
    for named in joint:
        one = work.only(np.ones(len(work.table.rows), dtype=bool), "other_programme")
        _set_programme(one.table, named, one.table.how.get("programme", ""))
        _columns_again(one, named)
        amount = one.table.column("amount_fen")
        words = _own_amount_words(work.context, named)
        if amount is None or not words or not any(word in compact(amount.header) for word in words):
            work.tell("programmes_joined", "error", programmes="、".join(_name(work.context, other) for other in joint))
            return [work]
        paid = np.array(
            [value not in (None, "", 0, 0.0, "0", "0.00", "-", "—", "/", "无") for value in one.values(amount.index)],
            dtype=bool,
        )
        kept = one.only(paid, "other_programme")
        kept.tell(
            "table_split", "notice", column=amount.letters, programme=_name(work.context, named), rows=int(paid.sum())
        )
        out.append(kept)
    return out


# ---- the rest ------------------------------------------------------------------------------------------------


def _finish(work: Work) -> None:
    context, table = work.context, work.table
    if not table.code and not any(finding.code == "programme_unknown" for finding in table.findings):
        work.tell("programme_unknown", "error", shown_text=work.evidence[0].shown())
    _category(work)
    place_table(work)
    if not any(reason in ("other_programme", "other_month") for _, reason in table.skipped):
        state_totals(work.grid, table, work.grid.width - 1)
    table.blocks = household_blocks(work.grid, table)
    hidden = work.sheet.hidden_rows
    if hidden:
        rows = [row + 1 for row in table.rows.tolist() if row in hidden]
        if rows:
            work.tell("rows_hidden", "warning", rows=_ranges(rows), count=len(rows))
    columns = [column for column in table.columns if column.index in work.sheet.hidden_columns]
    if columns:
        shown = "、".join(f"{column.letters}列“{column.header}”" for column in columns)
        work.tell("columns_hidden", "warning", columns=shown, count=len(columns))
    unused = [text for text in context.hints.mapping if not _mapped(work, text)]
    if unused:
        work.tell("map_unused", "warning", columns="、".join(unused))


def _mapped(work: Work, text: str) -> bool:
    return any(
        column.why.startswith("由 --map")
        and (column.letters == text.upper() or header_key(text) in header_key(column.header.replace("|", "")))
        for column in work.table.columns
    )


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
