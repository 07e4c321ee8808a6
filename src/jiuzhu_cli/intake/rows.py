"""The data rows of one table as cleaned columns, with what is wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.finding import Severity
from jiuzhu_cli.core.mask import mask_account, mask_id, mask_name, mask_phone, mask_text
from jiuzhu_cli.core.names import read_name
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake import clean
from jiuzhu_cli.intake.clean import Cleaned, Reader, plain_text
from jiuzhu_cli.intake.letters import has_empty
from jiuzhu_cli.intake.table import Column, Table
from jiuzhu_cli.intake.vectors import Fields, Vector, nothing
from jiuzhu_cli.policy.model import GlossaryField, Programme, Register
from jiuzhu_cli.tabular.cells import CellError, Sheet
from jiuzhu_cli.tabular.column import BLANK, run_of
from jiuzhu_cli.tabular.column import Column as Cells

SELF_CARE = {
    word: level
    for level, words in {
        "自理": "自理 全自理 完全自理 能自理 有自理能力 具备生活自理能力 全部自理 可自理 生活自理 具备",
        "半自理": "半自理 半护理 部分丧失 部分丧失生活自理能力 部分自理 半失能 部分自理能力 部分失能 不能完全自理",
        "全护理": "全护理 不能自理 完全丧失 完全丧失生活自理能力 失能 完全不能自理 完全失能 全失能 无自理能力 不自理 完全不自理",
    }.items()
    for word in words.split()
}
CARE_MODES = {word: mode for mode in ("集中", "分散") for word in (mode, f"{mode}供养", f"{mode}安置", f"{mode}照料")}
PERIODS = dict.fromkeys(("月", "每月", "按月", "元/月", "month"), "month") | dict.fromkeys(
    ("年", "每年", "按年", "全年", "元/年", "year"), "year"
)
SEXES = {"男": "男", "男性": "男", "1": "男", "女": "女", "女性": "女", "2": "女"}
# What is told of a cell that was taken all the same
NOTES: dict[str, Severity] = {
    "id_upgraded": "notice", "id_letter_slip": "notice", "name_dead": "warning", "name_remark": "notice", "name_brackets": "warning",
    "name_pinyin": "warning", "name_unread": "warning", "name_split": "notice", "rare_character": "notice", "characters_private": "warning",
}  # fmt: skip
MAX_NOTICES = 20
FILLED_TYPES = {"area", "code", "date", "month"}


@dataclass(slots=True)
class Issue:
    """What is wrong: data row (0-based within ``Rows``, -1: the whole table), field, finding code, values for its text."""

    row: int
    field: str
    code: str
    severity: Severity
    values: dict[str, Any] = default(default_factory=dict)
    shown: str = ""
    cell: bool = True  # False: the row as a whole


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member of the household of ``person``, as listed in a cell: the ID cannot be read, everybody else is taken in."""

    person: int
    name: str
    id_no: str
    relation: str


@dataclass(slots=True)
class Rows:
    """Cleaned rows of one table. ``values[field]`` (a ``Vector``) and ``origin`` are as long as there are persons.

    ``origin`` is the index of the data row that a person stands on (members in one cell make several persons of a row);
    ``problems[field]`` are finding codes by person, not yet judged; ``refused`` marks persons not to be taken in.
    """

    file: str
    sheet: Sheet
    table: Table
    values: Fields
    columns: dict[str, Column]
    problems: dict[str, dict[int, str]]
    origin: np.ndarray
    refused: np.ndarray
    issues: list[Issue] = default(default_factory=list)
    case: np.ndarray = default(default_factory=lambda: np.empty(0, dtype=np.int64))
    lead: np.ndarray = default(default_factory=lambda: np.empty(0, dtype=bool))
    owner: np.ndarray = default(default_factory=lambda: np.empty(0, dtype=np.int64))  # each person's lead
    lists_members: bool = False
    personal: bool = False  # amounts stood on each person's row and were summed
    member_columns: dict[str, Column] = default(default_factory=dict)
    beside: dict[int, str] = default(default_factory=dict)  # what stood beside a person's name: 已故, 户主
    place: np.ndarray | slice = default(default_factory=lambda: slice(0))  # the data rows of the sheet
    left_out: list[LeftOut] = default(default_factory=list)  # members listed in a cell with IDs that cannot be read
    absorbed: np.ndarray | None = None  # persons that the paired list of members holds already, see ``pairs``

    @property
    def size(self) -> int:
        return len(self.origin)

    def get(self, name: str) -> Vector:
        """The values of a field; all None when the table has no such column."""
        found = self.values.get(name)
        return found if found is not None else nothing(name, self.size)

    def raw(self, person: int, name: str) -> Any:
        """The cell as it stands in the sheet."""
        column = self.columns.get(name)
        if column is None:
            return None
        return self.sheet.columns[column.index][int(self.table.rows[self.origin[person]])]

    def source_row(self, person: int) -> int:
        """1-based row of the sheet."""
        return int(self.table.rows[self.origin[person]]) + 1

    def blame(
        self,
        person: int,
        name: str,
        code: str,
        severity: Severity,
        *,
        cell: bool = True,
        keep: bool = False,
        **values: Any,
    ) -> None:
        """Notes an issue; an error refuses the person unless ``keep``."""
        shown = mask_cell(self.raw(person, name), name) if person >= 0 else ""
        self.issues.append(Issue(person, name, code, severity, values, shown, cell))
        if severity == "error" and person >= 0 and not keep:
            self.refused[person] = True


def mask_cell(cell: Any, name: str) -> str:
    """A cell as findings show it: no full ID, account, phone or name."""
    if cell is None:
        return ""
    if isinstance(cell, CellError):
        return str(cell)
    text = compact(plain_text(cell) or str(cell))
    if name.endswith("id_no") or name == "disability_no":
        return mask_id(text) if len(text) >= 15 else text[:2] + "*" * (len(text) - 2)
    if name == "account_no":
        return mask_account(text)
    if name == "phone":
        return mask_phone(text)
    if name in ("name", "head_name", "payee_name", "related_name"):
        return mask_name(text)
    return mask_text(text)[:40]


def read_rows(
    file: str,
    sheet: Sheet,
    table: Table,
    policy_item: Programme | Register | None,
    glossary: Mapping[str, GlossaryField],
    *,
    today: date,
) -> Rows:
    """Cleans every column of ``table``. Nothing is judged yet but cells that hold an Excel error."""
    size = len(table.rows)
    rows = Rows(
        file, sheet, table, Fields(), {}, {}, np.arange(size, dtype=np.int64), np.zeros(size, dtype=bool)
    )  # fmt: skip
    rows.place = run_of(table.rows)
    merged = _vertical_merges(sheet)
    categories = _category_words(policy_item)
    for column in table.columns:
        if not column.field or column.flag or column.field in rows.columns:
            continue
        kind = glossary[column.field].type if column.field in glossary else "text"
        cells = sheet.columns[column.index].take(rows.place)
        if kind in FILLED_TYPES and len(
            spans := merged[(merged[:, 1] <= column.index) & (column.index <= merged[:, 3])]
        ):
            cells = _fill_merged(cells, table.rows, spans)
        rows.columns[column.field] = column
        cleaned = _clean(column, kind, cells, categories, today)
        rows.values[column.field] = cleaned.values
        if cleaned.problems:
            rows.problems[column.field] = cleaned.problems
        if cleaned.notes:
            _tell_notes(rows, column.field, cleaned.notes)
    if rows.beside:
        _keep_beside(rows)
    _flags(rows)
    rows.values["extra"] = _extra(rows)
    return rows


def _tell_notes(rows: Rows, name: str, notes: Mapping[int, tuple[str, ...]]) -> None:
    """What a reader found odd but took, where the person or the payee stands; of one kind so many, then only how many more."""
    said: Counter[str] = Counter()
    for person, codes in notes.items():
        for code in codes if name not in ("head_name", "related_name") else ():
            if code not in NOTES:
                continue
            said[code] += 1
            remark = read_name(rows.raw(person, name)).remark if code in ("name_dead", "name_remark") else ""
            if remark and name == "name":
                rows.beside[person] = remark
            if NOTES[code] != "notice" or said[code] <= MAX_NOTICES:
                shown = (
                    remark if len(remark) <= 3 else remark[:2] + "…"
                )  # 曾用名, 由某人代领: no second name in a finding
                rows.blame(person, name, code, NOTES[code], remark=shown)
    for code, count in said.items():
        if NOTES[code] == "notice" and count > MAX_NOTICES:
            rows.blame(-1, name, f"{code}_more", "notice", count=count - MAX_NOTICES)


def _keep_beside(rows: Rows) -> None:
    """What was taken out beside a name is kept among the remarks."""
    remarks = list(rows.get("remark"))
    for person, said in rows.beside.items():
        remarks[person] = "；".join(filter(None, (remarks[person], f"姓名旁注：{said}")))
    rows.values["remark"] = remarks


def _flags(rows: Rows) -> None:
    """Columns that ask for a status (是否低保户: 是) add its word to ``claimed_status``; what is neither 是 nor 否 is taken as written."""
    for column in (column for column in rows.table.columns if column.flag):
        found = clean.clean_by(_cells(rows, column), _flag_reader(column.flag)).values
        said = rows.values.get("claimed_status")
        rows.values["claimed_status"] = found if said is None else _joined([said.array, found.array], "、")
        rows.columns.setdefault("claimed_status", column)


def _cells(rows: Rows, column: Column) -> Cells:
    return rows.sheet.columns[column.index].take(rows.place)


def _joined(texts: list[pa.StringArray], between: str) -> pa.StringArray:
    """Row by row what there is of ``texts``, None where there is nothing."""
    out, *rest = texts
    for more in rest:  # Arrow's own way of skipping blanks loses rows that have nothing but blanks
        out = pc.coalesce(pc.binary_join_element_wise(out, more, between), out, more)
    return out


def _flag_reader(word: str) -> Reader:
    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        flag = clean.FLAGS.get(compact(text)) if text is not None else "否"
        return ({"是": word, "否": None}.get(flag, text) if flag else text), "", ()

    return read


def _clean(column: Column, kind: str, cells: Cells, categories: Reader | None, today: date) -> Cleaned:
    special = {
        "disability_grade": clean.GRADES,
        "disability_kind": clean.DISABILITY_KINDS,
        "self_care": SELF_CARE,
        "care_mode": CARE_MODES,
        "income_period": PERIODS,
        "sex": SEXES,
    }
    if column.field in special:
        problem = f"{column.field}_unknown" if column.field in ("disability_grade", "self_care", "care_mode") else ""
        return clean.clean_words(cells, special[column.field], problem)
    if column.field == "kin_filed":
        return clean.clean_flags(cells)
    if column.field == "category" and categories is not None:
        return clean.clean_by(cells, categories)
    if column.field == "serial_no":  # only whether it is blank tells anything
        text = cells.text
        return Cleaned(
            Vector(pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text) if has_empty(text) else text)
        )
    if column.field == "bank_code":
        return clean.clean_bank_codes(cells)
    if column.field in ("member_names", "member_ids", "disability_no", "certificate_no", "case_code"):
        return clean.clean_texts(cells)
    if kind == "amount":
        return clean.clean_amounts(cells, column.unit)
    simple: dict[str, Callable[[Cells], Cleaned]] = {
        "name": clean.clean_names,
        "count": clean.clean_counts,
        "date": clean.clean_dates,
        "month": clean.clean_months,
        "account": clean.clean_accounts,
        "phone": clean.clean_phones,
    }
    if kind == "id":
        return clean.clean_ids(cells, today)
    return simple.get(kind, clean.clean_texts)(cells)


def _category_words(item: Programme | Register | None) -> Reader | None:
    """Reads a category cell: the programme's word when a spelling equals it, else the longest spelling it holds."""
    if not isinstance(item, Programme) or not item.categories:
        return None
    words = {compact(word): category for category, spellings in item.categories.items() for word in spellings}
    words |= {compact(category): category for category in item.categories}
    by_length = sorted(words, key=len, reverse=True)

    def read(cell: Any) -> tuple[Any, str, tuple[str, ...]]:
        text = plain_text(cell)
        if text is None:
            return None, "", ()
        flat = compact(text)
        if flat in words:
            return words[flat], "", ()
        inside = next((word for word in by_length if len(word) > 1 and word in flat), None)
        return (words[inside], "", ()) if inside else (text, "category_unknown", ())

    return read


def _vertical_merges(sheet: Sheet) -> np.ndarray:
    """Merged cells of several rows: first row, first column, last row, last column."""
    merged = np.array(sheet.merged, dtype=np.int64).reshape(-1, 4)
    return merged[merged[:, 2] > merged[:, 0]]


def _fill_merged(cells: Cells, wanted: np.ndarray, spans: np.ndarray) -> Cells:
    """A merged cell keeps its value only in its first row: the others get it back."""
    start, stop = np.searchsorted(wanted, spans[:, 0]), np.searchsorted(wanted, spans[:, 2] + 1)
    blank, index = cells.kinds == BLANK, np.arange(len(cells))
    held = start < stop  # spans that hold data rows, by their first row
    held[held] = (wanted[start[held]] == spans[held, 0]) & ~blank[start[held]]
    end = np.zeros(len(cells), dtype=np.int64)
    end[start[held]] = stop[held]
    top = np.maximum.accumulate(np.where(end > 0, index, 0))
    return cells.take(np.where(blank & (index < end[top]), top, index))


def _extra(rows: Rows) -> pa.StringArray:
    """JSON of the columns kept as they are, by header; None where a row has none."""
    pieces: list[pa.StringArray] = []
    for column in rows.table.columns:
        taken = rows.columns.get(column.field) is column
        if (taken and column.field not in KEPT_INPUTS) or column.member or column.header in OUR_HEADERS:
            continue
        texts = clean.clean_texts(_cells(rows, column)).values.array
        if texts.null_count == len(texts):
            continue
        for char, written in (("\\", "\\\\"), ('"', '\\"')):  # cleaned text has no other character that JSON escapes
            texts = pc.replace_substring(texts, char, written)
        header = json.dumps(column.header.replace("\n", ""), ensure_ascii=False)
        pieces.append(pc.binary_join_element_wise(f'{header}: "', texts, '"', ""))
    if not pieces:
        return nothing("extra", rows.size).array
    joined = _joined(pieces, ", ")
    return pc.binary_join_element_wise("{", joined, "}", "")


OUR_HEADERS = frozenset(("原表行号", "退回原因", "核对结果"))  # what our own workbooks add to the sender's columns
# Input fields that have no column of their own in the record and are worth keeping
KEPT_INPUTS = {
    "ethnicity", "health", "approved_on", "months_paid", "back_pay", "standard_amount", "per_person_amount",
    "disability_kind_grade", "income_per_person_month", "income_per_person_year",
}  # fmt: skip
