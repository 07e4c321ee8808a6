"""What must hold for a row to be taken in, and what is merely said: required fields, amounts, incomes, repeated rows."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.finding import Severity
from jiuzhu_cli.core.money import MAX_FEN
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.letters import repeated
from jiuzhu_cli.intake.members import find_member_columns
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.intake.vectors import Vector, is_true, same
from jiuzhu_cli.policy.model import Programme, Register

# Problems that only inform, whatever the field
_SOFT = {
    "account_zeros",
    "phone_format", "flag_unknown", "category_unknown", "disability_grade_unknown", "self_care_unknown", "care_mode_unknown",
}  # fmt: skip
MAX_CASE_FEN = 100_000_000  # a million yuan for one case: a slip of digits, or 元 under 万元
MAX_MONTH_FEN = 10_000_000  # a hundred thousand where a rule gives the amount by the month: the same
_MONEY_PARTS = ("base_fen", "addon_fen", "care_fen")


def own_person(rows: Rows) -> None:
    """A list that only knows the head (户主姓名, 户主身份证号) lists heads: they are the rows' persons.

    Where a row of a list of members leaves name and ID blank, its person is the head likewise (policy-reference §5).
    """
    find_member_columns(rows)
    _drop_empty_members(rows)
    heads_only = "id_no" not in rows.columns and "head_id_no" in rows.columns
    if heads_only and "name" in rows.columns and "head_name" in rows.columns:
        # the ID is the head's: a row that names somebody else has none of its own
        names, head_names = rows.values["name"], rows.values["head_name"]
        heads_own = ~names.valid | names.equals(head_names)
        rows.values["id_no"] = rows.values["head_id_no"].where(heads_own)
        rows.values["name"] = names.filled(head_names)
        rows.columns["id_no"] = rows.columns["head_id_no"]
        rows.problems["id_no"] = dict(rows.problems.get("head_id_no", {}))
        rows.problems.pop("name", None)
    for own, head in (("id_no", "head_id_no"), ("name", "head_name")):
        if head in rows.columns and own not in rows.columns:
            rows.columns[own] = rows.columns[head]
            rows.values[own] = rows.values[head].copy()
            if head in rows.problems:
                rows.problems[own] = dict(rows.problems[head])
    if "id_no" in rows.columns and "head_id_no" in rows.columns:
        _blank_is_the_head(rows)


def _drop_empty_members(rows: Rows) -> None:
    """Columns for members in which nothing stands leave a list of heads, whose cells are then the ones to blame."""
    own = [name for name in ("id_no", "name") if name in rows.columns and f"head_{name}" in rows.columns]
    told = [code for name in own for code in rows.problems.get(name, {}).values() if not code.endswith("_missing")]
    if "id_no" in own and not told and all(rows.values[name].blanks == rows.size for name in own):
        for name in own:
            for store in (rows.columns, rows.values, rows.problems):
                store.pop(name, None)  # type: ignore[attr-defined]


def _blank_is_the_head(rows: Rows) -> None:
    ids, names, head_ids = rows.values["id_no"], rows.get("name"), rows.values["head_id_no"]
    head_names = rows.get("head_name")
    missing = rows.problems.get("id_no", {})
    blank = np.zeros(rows.size, dtype=bool)
    blank[[person for person, code in missing.items() if code == "id_missing"]] = True
    blank &= (~names.valid | names.equals(head_names)) & head_ids.valid
    if blank.any():
        rows.values["id_no"] = ids.where(~blank, head_ids)
        names = names.where(~blank, names.filled(head_names))
        for person in np.flatnonzero(blank).tolist():
            del missing[person]
            rows.problems.get("name", {}).pop(person, None)
    rows.values["name"] = names


def whole_amount(rows: Rows) -> None:
    """Fills ``amount_fen`` where the list has no such column: the sum of its parts, or a person's amount or standard."""
    if "amount_fen" in rows.columns:
        return
    parts = [name for name in _MONEY_PARTS if name in rows.columns]
    source = parts[0] if parts else next((n for n in ("per_person_amount", "standard_amount") if n in rows.columns), "")
    if not source:
        return
    if parts:
        each = [rows.values[name] for name in parts]
        values = Vector(
            pa.array(sum(part.numbers for part in each), mask=~np.logical_or.reduce([part.valid for part in each]))
        )
        rows.problems["amount_fen"] = {
            person: code for name in reversed(parts) for person, code in rows.problems.get(name, {}).items()
        }
        rows.blame(-1, source, "amount_from_parts", "notice", header="、".join(rows.columns[n].header for n in parts))
    else:
        values = rows.values[source].copy()
        persons = rows.values.get("covered_persons") if source == "per_person_amount" else None
        if persons is not None:
            values = values.times(persons, MAX_FEN)
        rows.problems["amount_fen"] = dict(rows.problems.get(source, {}))
        rows.blame(-1, source, "amount_from_other", "notice", header=rows.columns[source].header)
    rows.values["amount_fen"] = values
    rows.columns["amount_fen"] = rows.columns[source]


def household_income(rows: Rows) -> None:
    """``income_fen`` and ``income_period`` from whichever income columns the list has; the yearly figure is the authority.

    A person's share becomes the household's income only where the household's size is stated (保障人口 may be less).
    """
    size_of = rows.get("household_size")
    for name, period, each in (
        ("income_year", "year", False),
        ("income_month", "month", False),
        ("income_per_person_year", "year", True),
        ("income_per_person_month", "month", True),
    ):
        values = rows.values.get(name)
        if values is None:
            continue
        income, periods = rows.get("income_fen"), rows.get("income_period")
        column = rows.columns[name]
        rows.columns.setdefault("income_fen", column)
        told = bool(re.search("[年月]", column.header)) or column.why.startswith("由 --map") or not each
        new = values.valid & ~income.valid & ((size_of.numbers > 0) if each else True)
        household = values.times(size_of, MAX_FEN) if each else values
        rows.values["income_fen"] = income.where(~new, household)
        rows.values["income_period"] = periods.where(~new, same("income_period", period if told else None, rows.size))
        if each and not size_of.numbers.any():
            rows.blame(-1, name, "income_size_unknown", "warning", header=column.header)
        elif not told:
            rows.blame(-1, name, "income_period_unknown", "warning", header=column.header)
    plain = rows.columns.get("income_fen")
    if plain is not None and plain.field == "income_fen":
        header = plain.header
        written = "year" if "年" in header and "月" not in header else "month" if "月" in header else ""
        periods = rows.get("income_period")
        periods_known = is_true(pc.is_in(periods.array, pa.array(["month", "year"])))
        unsaid = rows.values["income_fen"].valid & ~periods_known
        rows.values["income_period"] = periods.where(~unsaid, same("income_period", written or None, rows.size))
        if unsaid.any() and not written:
            rows.blame(-1, "income_fen", "income_period_unknown", "warning", header=header)


def judge_cells(rows: Rows, item: Programme | Register) -> None:
    """Turns the problems of cells into findings and refuses the rows that cannot be taken in."""
    payable = isinstance(item, Programme) and item.payment.payable
    for name in sorted(rows.problems):
        if name in ("member_names", "member_ids") or name not in rows.columns:
            continue
        if name in ("id_no", "name") and rows.columns[name] is rows.columns.get(f"head_{name}"):
            rows.problems.get(f"head_{name}", {}).clear()
    for name in sorted(rows.problems):
        if name not in rows.columns:
            continue
        found = list(rows.problems[name].items())
        if name not in ("id_no", "name"):  # a blank: whether the field is required is judged below
            found = [(person, code) for person, code in found if code not in ("id_missing", "name_missing")]
        for person, code in sorted(found):
            severity = _severity(name, code, item, payable, bool(rows.lead[person]))
            cell = rows.raw(person, name)
            rows.blame(person, name, code, severity, length=len(compact(str(cell))) if cell is not None else 0)
    required = [name for name in item.required if name not in ("amount_fen",)]
    for name in dict.fromkeys(["id_no", "name", *required]):
        if name not in rows.values:
            rows.blame(-1, name, "column_missing", "error")
            rows.table.fatal = True
            continue
        values = rows.values[name].array
        blank = ~rows.values[name].valid | is_true(pc.equal(values, "" if pa.types.is_string(values.type) else -1))
        if not blank.any() or (name == "name" and name in rows.member_columns):
            continue  # members out of a shared cell may come without a name
        told = {
            p for p, c in rows.problems.get(name, {}).items() if name in ("id_no", "name") or not c.endswith("_missing")
        }
        for person in np.flatnonzero(blank).tolist():
            if person not in told:
                code = {"id_no": "id_missing", "name": "name_missing"}.get(name, "required_missing")
                rows.blame(person, name, code, "error")


def _severity(name: str, code: str, item: Programme | Register, payable: bool, lead: bool) -> Severity:
    if name in ("id_no", "name") or (name in item.required and name != "amount_fen"):
        return "error"
    if code in _SOFT:
        return "warning"
    if name == "amount_fen":
        return "error" if lead and (payable or name in item.required) else "warning"
    if name == "account_no":
        return "error" if (lead and payable) or isinstance(item, Register) else "warning"
    return "warning"


def judge_amounts(rows: Rows, item: Programme) -> None:
    """A lead row needs its amount where the programme does; nought is said; parts must add up to the whole."""
    if "amount_fen" not in item.required:
        return
    if "amount_fen" not in rows.values:
        rows.blame(-1, "amount_fen", "column_missing", "error")
        rows.table.fatal = True
        return
    amounts = rows.values["amount_fen"]
    refused_for_it = (
        issue.row
        for issue in rows.issues
        if issue.severity == "error" and (issue.field == "amount_fen" or issue.code.startswith("duplicate_"))
    )
    told = {*rows.problems.get("amount_fen", {}), *refused_for_it}
    most = MAX_MONTH_FEN if item.tariffs and item.review.cycle_months else MAX_CASE_FEN
    number, odd = amounts.numbers, (amounts.numbers == 0) | (amounts.numbers > most)
    base = rows.columns.get("base_fen")
    parts = [rows.values[name] for name in _MONEY_PARTS if name in rows.columns]
    summed = number
    if base is not None and rows.columns["amount_fen"] is not base:
        some = np.logical_or.reduce([part.valid for part in parts])
        summed = np.where(some, sum(part.numbers for part in parts), number)
        odd |= summed != number
    for person in np.flatnonzero(rows.lead & odd).tolist():
        amount = amounts[person]
        if amount is None:
            if person not in told:
                rows.blame(person, "amount_fen", "amount_missing", "error")
        elif amount == 0:
            rows.blame(person, "amount_fen", "amount_zero", "warning")
        elif amount > most and item.payment.payable:
            rows.blame(person, "amount_fen", "amount_too_large", "error")
        elif summed[person] != amount:
            values = {"parts_fen": int(summed[person]), "amount_fen": amount}
            rows.blame(person, "amount_fen", "amount_parts_differ", "warning", **values)


_REPEATED: dict[bool, tuple[str, Severity]] = {True: ("duplicate_row", "error"), False: ("duplicate_person", "warning")}


def duplicates(rows: Rows) -> None:
    """The very same row again is refused; the same person with other data stays twice, so that dedupe reports a double."""
    again = np.flatnonzero(repeated(rows.get("id_no").array) & ~rows.refused)
    if not len(again):
        return
    codes = rows.get("id_no").take(again).codes()
    first = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    first[codes[::-1]] = again[::-1]
    earlier = first[codes]
    again, earlier = again[earlier != again], earlier[earlier != again]
    alike = np.ones(len(again), dtype=bool)
    for name, values in rows.values.items():
        if name != "serial_no":
            alike &= values.take(again).alike(values.take(earlier))
    for person, other, copied in zip(again.tolist(), earlier.tolist(), alike.tolist(), strict=True):
        code, severity = _REPEATED[copied]
        rows.blame(person, "id_no", code, severity, other_row=rows.source_row(other))
