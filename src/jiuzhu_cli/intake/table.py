"""What is understood of a sheet: tables, their columns, where their data rows are. Nothing here reads cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from jiuzhu_cli.core.finding import Finding, Severity
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.areas import Towns
from jiuzhu_cli.ledger.mappings import ColumnMapping

TableKind = Literal["roll", "register"]


@dataclass(slots=True)
class Column:
    """One column of a table. ``field`` is a glossary code, '' for a column that is kept as it is.

    ``header`` is the header as read, the rows of a merged header joined by '|' (家庭成员|姓名). ``why`` says in Chinese
    how the field was found. ``unit`` scales amounts (元, 万元 …). ``level`` is 'household' or 'person' when the header
    itself says so (户月保障金额, 人均月补助), else ''. ``member`` is the number and the field (name, id_no, relation) of a member whom
    columns of their own name (成员1姓名, 成员1身份证号, 成员2姓名 …); such a column has no ``field``. ``flag``
    is the status that 是 in the column stands for (是否低保户), else ''.
    """

    index: int  # 0-based column of the sheet
    letters: str
    header: str
    field: str = ""
    why: str = ""
    unit: str = "元"
    level: Literal["", "household", "person"] = ""
    member: tuple[int, str] | None = None
    flag: str = ""


@dataclass(slots=True)
class Table:
    """One table found on one sheet. All rows are 0-based rows of the sheet.

    ``rows`` are the data rows in order; everything else between header and end of table is in ``skipped`` with a reason
    code: ``repeated_header``, ``total``, ``subtotal``, ``note``, ``signature``, ``blank``, ``group`` (village heading), ``prefilled``
    (only a serial number or a place), ``other_programme``, ``other_month`` (rows of a list split by programme or month), ``month_blank`` (no amount in this month's column).
    ``area`` is a town, 'town/village', '' (whole district: rows carry their own town) or 未注明 (nothing tells); ``towns``
    reads town names as this table means them; ``village`` is told by title or
    sheet name. ``blocks`` numbers, per data row, the household that merged cells tell (same length as ``rows``), or None.
    ``how`` says in Chinese how ``programme``, ``month``, ``area``, ``category`` were recognised.
    ``row_villages``, ``row_towns`` name the place per data row where headings inside the table tell it (东风村 above its
    rows), or None.
    ``amount_from_parts``: no total is printed; what is paid is base + addon + care.
    ``fatal``: the table cannot be imported; an error finding says why.
    """

    sheet: str
    sheet_index: int
    title: str = ""
    header_first: int = 0
    header_last: int = 0
    columns: list[Column] = field(default_factory=list)
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    skipped: list[tuple[int, str]] = field(default_factory=list)
    stated_total_fen: int | None = None
    stated_of_page: bool = False  # the only 合计 is just the last page's
    months_shared: int = 1  # each amount is for so many months, of which this table is one
    stated_households: int | None = None
    stated_persons: int | None = None
    kind: TableKind = "roll"
    code: str = ""  # programme or register code, '' unknown
    month: str = ""
    area: str = ""
    village: str = ""
    category: str = ""
    care_mode: str = ""  # 集中 or 分散, where the words around the list say it of all its people
    how: dict[str, str] = field(default_factory=dict)
    blocks: np.ndarray | None = None
    row_villages: list[str] | None = None
    row_towns: list[str] | None = None
    towns: Towns | None = None
    amount_from_parts: bool = False
    findings: list[Finding] = field(default_factory=list)
    fatal: bool = False
    amount_level: str = ""  # 'household' or 'person' where the rows prove it
    said: list[ColumnMapping] = field(default_factory=list)  # --map's words, remembered when the table is saved
    dropped: list[int] = field(default_factory=list)  # remembered mappings that the content contradicts

    def column(self, field_code: str) -> Column | None:
        """The column holding ``field_code``, or None."""
        return next((column for column in self.columns if column.field == field_code), None)


@dataclass(slots=True)
class Problem:
    """Something to tell about the columns: a finding code, its severity, columns and values."""

    code: str
    severity: Severity
    columns: tuple[Column, ...] = ()
    values: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hints:
    """What the user says: programme or register (code, name or alias), month ``YYYY-MM``, area; header text → field.

    ``sheets``: the programme or register of single sheets by their name, before that of the whole; ``remembered``: what was said about columns before; ``answers``: what has just been answered, by file as it is shown.
    """

    programme: str = ""
    month: str = ""
    area: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    remembered: Sequence[ColumnMapping] = ()
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sheets: Mapping[str, str] = field(default_factory=dict)

    def programme_of(self, sheet: str) -> str:
        """What is said of the lists on a sheet, '' when nothing is."""
        told = {compact(name): programme for name, programme in self.sheets.items()}
        return told.get(compact(sheet), self.programme)
