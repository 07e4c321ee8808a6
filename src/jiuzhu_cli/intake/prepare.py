"""One table from cells to rows ready for the record: cleaned, judged, grouped into cases, with its findings and figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.finding import Finding, SourceRef
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.intake import checks, crosscheck
from jiuzhu_cli.intake.above import household_as_above, places_as_above
from jiuzhu_cli.intake.areas import UNKNOWN, Towns, short_village
from jiuzhu_cli.intake.cases import AmountLevel, household_cases, plain_cases, refuse_with_lead
from jiuzhu_cli.intake.codes import bank_codes, place_codes
from jiuzhu_cli.intake.monthly import divide_amounts
from jiuzhu_cli.intake.recover import Damaged, Key, Recovered, damaged_cells, put_back
from jiuzhu_cli.intake.rows import Issue, Rows, read_rows
from jiuzhu_cli.intake.table import Table
from jiuzhu_cli.intake.vectors import Vector, is_true, same
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.policy.model import Programme
from jiuzhu_cli.tabular.cells import Sheet

# Sum and stated total differ by persons of a household, months of a quarter or year, or 元, 百元, 千元, 万元
_FACTORS = frozenset((*range(2, 13), 100, 1000, 10000))


@dataclass(slots=True)
class Prepared:
    """One table ready to be saved. Counts are of source rows; ``persons`` of the record may be more (members in a cell)."""

    file: str
    table: Table
    area: str = ""
    category: str = ""
    rows: Rows | None = None
    waiting: Rows | None = None  # rows that lack nothing but the amount column, which the other file of a pair may have
    findings: list[Finding] = field(default_factory=list)
    total: int = 0
    accepted: int = 0
    refused: int = 0
    amount_fen: int = 0
    damaged: list[Damaged] = field(default_factory=list)  # numbers to be looked for elsewhere
    recovered: dict[Key, Recovered] = field(default_factory=dict)  # what was found of them
    level: AmountLevel = ""  # as it was judged
    towns: frozenset[str] | None = None  # that its rows name, where the rows themselves are not at hand (``light``)

    @property
    def fatal(self) -> bool:
        return self.table.fatal or self.rows is None

    @property
    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)

    def refused_rows(self) -> list[int]:
        """0-based rows of the sheet whose own person was refused."""
        if self.rows is None:
            return []
        return sorted({int(self.table.rows[i]) for i in self.rows.origin[self.rows.refused].tolist()})


def prepare(
    file: str,
    sheet: Sheet,
    table: Table,
    policy: Policy,
    *,
    today: date,
    towns: Towns,
    level: AmountLevel = "",
    known_heads: frozenset[str] = frozenset(),
    present: frozenset[str] = frozenset(),
    recovered: Mapping[Key, Recovered] | None = None,
) -> Prepared:
    """Cleans and judges one table. Whatever is wrong is in ``findings``; nothing raises for bad data.

    ``known_heads`` and ``present``: heads and persons of the roll that these rows are to supplement; ``recovered``: damaged
    numbers that were found elsewhere.
    """
    items = policy.programmes if table.kind == "roll" else policy.registers
    item = items.get(table.code)
    out = Prepared(
        file, table, table.area, table.category, total=len(table.rows), findings=list(table.findings), level=level
    )
    if table.fatal or item is None:
        table.fatal, out.refused = True, out.total
        return out
    rows = read_rows(file, sheet, table, item, policy.glossary, today=today)
    if recovered is None:
        out.damaged = damaged_cells(rows)
    else:
        out.recovered = dict(recovered)
        put_back(rows, recovered)
    checks.own_person(rows)
    _months(rows)
    _areas(rows, out, towns)
    place_codes(rows, policy.divisions)
    bank_codes(rows, policy.bank_names)
    if isinstance(item, Programme):
        _judge_roll(rows, out, item, policy, today, level, known_heads, present)
    else:
        _register_fields(rows)
        household_as_above(rows, item.as_above)
        plain_cases(rows)
        checks.judge_cells(rows, item)
        crosscheck.cross_check(rows)
        crosscheck.dates_and_ages(rows, today)
        if "certificate_no" in rows.columns and "残疾证号" in item.signature:
            crosscheck.certificates(rows, "certificate_no", "kind", "grade")
    out.rows = rows
    out.findings += [finding_of(rows, issue) for issue in rows.issues]
    if table.fatal:
        fatal = [finding for finding in out.findings if finding.severity == "error" and not finding.source.row]
        if all(finding.code == "column_missing" and finding.column_field == "amount_fen" for finding in fatal):
            out.waiting = rows
        out.rows, out.refused = None, out.total
        return out
    count(out, rows)
    return out


def count(out: Prepared, rows: Rows) -> None:
    """Sets the figures of a table whose rows are judged; persons that a paired list holds already count as accepted."""
    own = np.zeros(out.total, dtype=bool)
    own[rows.origin[rows.refused]] = True
    out.refused = int(own.sum())
    out.accepted = out.total - out.refused
    if "amount_fen" in rows.values:
        absorbed = rows.absorbed if rows.absorbed is not None else np.zeros(rows.size, dtype=bool)
        out.amount_fen = rows.values["amount_fen"].total(rows.lead & ~rows.refused & ~absorbed)


def prepare_tables(
    file: str,
    sheets: Sequence[Sheet],
    tables: Sequence[Table],
    policy: Policy,
    *,
    level: AmountLevel = "",
    **options: Any,
) -> list[Prepared]:
    """Every table of a workbook prepared; what proves the level of the amounts on one sheet holds for its sheets alike.

    A village of one or two households proves nothing by itself.
    """
    out = [prepare(file, sheets[table.sheet_index], table, policy, level=level, **options) for table in tables]
    proven: dict[Any, set[str]] = {}
    for table in tables:
        if table.amount_level:
            proven.setdefault(_shape(table), set()).add(table.amount_level)
    for index, table in enumerate(tables):
        told = proven.get(_shape(table), set())
        if any(finding.code == "amount_level_unknown" for finding in out[index].findings) and len(told) == 1:
            table.fatal = False
            known: AmountLevel = "person" if "person" in told else "household"
            out[index] = prepare(file, sheets[table.sheet_index], table, policy, level=known, **options)
    return out


def _shape(table: Table) -> tuple[str, str, tuple[str, ...]]:
    return table.code, table.month, tuple(column.header for column in table.columns)


def _judge_roll(
    rows: Rows,
    out: Prepared,
    item: Programme,
    policy: Policy,
    today: date,
    level: AmountLevel,
    known_heads: frozenset[str],
    present: frozenset[str],
) -> None:
    crosscheck.amounts_in_words(rows)
    checks.whole_amount(rows)
    checks.household_income(rows)
    checks.duplicates(rows)
    copies = _blank_copies(rows)
    divide_amounts(rows)
    if item.unit == "household":
        standard = _standard_of(item, policy, out)
        household_cases(rows, today=today, level=level, known_heads=known_heads, standard=standard)
    else:
        plain_cases(rows)
    if rows.table.fatal:
        return
    _uniform_category(rows, out)
    checks.judge_cells(rows, item)
    checks.judge_amounts(rows, item)
    crosscheck.cross_check(rows)
    crosscheck.dates_and_ages(rows, today)
    if item.unit == "household":
        crosscheck.household_sizes(rows)
    if present:
        again = pc.is_in(rows.get("id_no").array, pa.array(sorted(present), type=pa.string()))
        for person in np.flatnonzero(again.to_numpy(zero_copy_only=False)).tolist():
            rows.blame(person, "id_no", "already_in_roll", "error")
    if item.unit == "household" and rows.size:
        refuse_with_lead(rows)
    _compare_total(rows, out, copies, asked=not level)


def _standard_of(item: Programme, policy: Policy, out: Prepared) -> Callable[[str | None], int | None]:
    """The standard (分/人/月) that a top-up programme brings a household of that category up to in the list's month."""

    lines = [line.amounts for line in item.tariffs if line.per == "gap"]

    def standard(category: str | None) -> int | None:
        name = next((by[kind] for by in lines for kind in (category or out.category, "") if kind in by), None)
        if name is None or not out.table.month or item.benefit != "top_up":
            return None
        value = policy.parameter_or_none(name, first_day(out.table.month))
        return value.amount_fen if value is not None else None

    return cache(standard)


def _blank_copies(rows: Rows) -> int:
    """A refused copy of a row must not add to its household's sum; returns what the copies' amounts come to."""
    amounts = rows.values.get("amount_fen")
    total = 0
    if amounts is not None:
        total = amounts.total(rows.refused)
        rows.values["amount_fen"] = amounts.where(~rows.refused)
    return total


def _compare_total(rows: Rows, out: Prepared, copies: int, *, asked: bool) -> None:
    """The sum against the stated total. A multiple of it is no slip of one row: the list is refused unless ``level`` was told."""
    stated = out.table.stated_total_fen
    amounts = rows.values.get("amount_fen")
    if stated is None or amounts is None:
        return
    readable = copies + amounts.total(rows.lead)
    if readable == stated:
        return
    shown: dict[str, Any] = {"stated": yuan(stated, grouped=True), "sum": yuan(readable, grouped=True)}
    less, more = sorted((readable, stated))
    times = more // less if less > 0 and more % less == 0 else 0
    if asked and times in _FACTORS and np.count_nonzero(rows.lead) > 1 and not out.table.stated_of_page:
        rows.blame(-1, "amount_fen", "total_by_factor", "error", times=times, **shown)
        rows.table.fatal = True
    else:
        rows.blame(-1, "amount_fen", "total_mismatch", "warning", **shown)


def _uniform_category(rows: Rows, out: Prepared) -> None:
    """The list's category: told by its title, or one and the same on all its rows; rows without one get it. So 供养方式."""
    if out.table.care_mode:
        rows.values["care_mode"] = rows.get("care_mode").filled(same("care_mode", out.table.care_mode, rows.size))
    values = rows.get("category")
    if out.category:
        values = rows.values["category"] = values.filled(same("category", out.category, rows.size))
    found = values.distinct()
    out.category = found[0] if len(found) == 1 and found[0] is not None else ""


def _months(rows: Rows) -> None:
    """A row of another month than the list's cannot be taken in with it."""
    months = rows.get("month")
    if not rows.table.month or months.blanks == rows.size:
        return
    for person in np.flatnonzero(is_true(pc.not_equal(months.array, rows.table.month))).tolist():
        rows.blame(person, "month", "month_differs", "error", month=months[person], list_month=rows.table.month)


# where -----------------------------------------------------------------------------------------------------


def _areas(rows: Rows, out: Prepared, towns: Towns) -> None:
    """``town`` and ``village`` of every row: its own columns, else the list's area. A list of an unknown town is the town's that its rows agree on."""
    towns = out.table.towns or towns
    list_town, _, list_village = out.area.partition("/")
    list_town = "" if list_town == UNKNOWN else list_town
    list_village = out.table.village or list_village
    town_values = places_as_above(rows, "town")
    village_values = places_as_above(rows, "village", within=town_values)
    for name in ("area_text", "village"):  # a place written out in one cell tells the town, and the village
        if name not in rows.columns:
            continue
        found_towns, found_villages = _places(rows.values[name], towns)
        town_values = town_values.filled(found_towns)
        if name == "village":
            found_villages = found_villages.where(found_towns.valid)
        village_values = found_villages.filled(village_values)
    if out.table.row_villages is not None:  # headings inside the table
        village_values = village_values.filled(_named(rows, out.table.row_villages))
    if out.table.row_towns is not None:
        town_values = town_values.filled(_named(rows, out.table.row_towns))
    town_values = town_values.map(lambda text: towns.canonical(text) if text else list_town or None)
    rows.values["town"] = town_values
    rows.values["village"] = village_values.map(lambda text: short_village(text) if text else list_village or None)
    found = set(filter(None, town_values.distinct()))
    if out.area == UNKNOWN and len(found) == 1:
        out.area = found.pop()
    elif list_town and found != {list_town} and found:
        for person in np.flatnonzero(is_true(pc.not_equal(town_values.array, list_town))).tolist():
            rows.blame(person, "town", "town_differs", "warning", list_town=list_town)


def _places(written: Vector, towns: Towns) -> tuple[Vector, Vector]:
    """Towns and villages that cells name."""
    coded = written.array.dictionary_encode("encode")
    seen = [towns.find(text) if text else ("", "") for text in coded.dictionary.to_pylist()]
    found = (pa.array([names[which] or None for names in seen], pa.string()) for which in (0, 1))
    in_towns, in_villages = (Vector(names.take(coded.indices)) for names in found)
    return in_towns, in_villages


def _named(rows: Rows, places: list[str]) -> Vector:
    """The place that headings give each person, None for ''."""
    written = pa.array(places, type=pa.string()).take(pa.array(rows.origin))
    return Vector(pc.if_else(pc.equal(written, ""), pa.scalar(None, pa.string()), written))


# registers, findings ---------------------------------------------------------------------------------------


def _register_fields(rows: Rows) -> None:
    """Glossary fields of people that a register keeps under its own names."""
    for source, target in (
        ("disability_no", "certificate_no"),
        ("disability_kind", "kind"),
        ("disability_grade", "grade"),
    ):
        if source in rows.values and target not in rows.values:
            rows.values[target] = rows.values[source]
            rows.columns[target] = rows.columns[source]


def finding_of(rows: Rows, issue: Issue) -> Finding:
    column = rows.columns.get(issue.field)
    row = rows.source_row(issue.row) if issue.row >= 0 else 0
    letters = column.letters if column is not None and issue.cell and row else ""
    values = {"header": column.header if column is not None else "", **issue.values}
    return Finding(
        issue.code,
        issue.severity,
        SourceRef(rows.file, rows.table.sheet, row, letters),
        issue.field,
        issue.shown,
        values,
    )
