"""Members that stand together in one cell (张三、李四 | 4210…、4210…) become persons of their row's household."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np

from jiuzhu_cli.core.finding import Severity
from jiuzhu_cli.intake.clean import clean_ids, clean_names
from jiuzhu_cli.intake.rows import Rows

_SPLIT = re.compile(r"[、，,;；/|\s]+")


def split_cell(cell: Any) -> list[str]:
    """The parts of a cell that lists several names or IDs."""
    return [part for part in _SPLIT.split(str(cell)) if part] if cell is not None else []


def find_member_columns(rows: Rows) -> None:
    """Notes which columns list several persons a cell; beside the head's columns they say who the row's own person is.

    They stand in columns of their own (``member_names``, ``member_ids``) or, in the provincial household export, under
    家庭成员姓名 and 家庭成员身份证号 beside 户主姓名 and 户主身份证号.
    """
    with_head = "head_id_no" in rows.columns
    if "member_ids" in rows.columns:
        rows.member_columns["id_no"] = rows.columns["member_ids"]
        if "member_names" in rows.columns:
            rows.member_columns["name"] = rows.columns["member_names"]
        elif with_head and "head_name" in rows.columns and "name" in rows.columns:
            rows.member_columns["name"] = rows.columns["name"]
    elif with_head and "id_no" in rows.columns and _holds_several(rows):
        rows.member_columns["id_no"] = rows.columns["id_no"]
        if "name" in rows.columns:
            rows.member_columns["name"] = rows.columns["name"]
    if not with_head:
        return
    for own, head in (("id_no", "head_id_no"), ("name", "head_name")):
        if rows.member_columns.get(own) is not None and rows.columns.get(own) is rows.member_columns[own]:
            for store in (rows.columns, rows.values, rows.problems):
                store.pop(own, None)  # type: ignore[attr-defined]
            if head in rows.columns:
                rows.columns[own], rows.values[own] = rows.columns[head], list(rows.values[head])
                rows.problems[own] = dict(rows.problems.get(head, {}))


def expand_members(rows: Rows, today: date) -> np.ndarray:
    """Expands in place; returns which persons were taken out of a members' cell (they follow their row's own person).

    Positions match. A member whose ID is damaged is left out with an error finding on that cell; the household stays, for
    its money goes to the head.
    """
    if "id_no" not in rows.member_columns:
        return np.zeros(rows.size, dtype=bool)
    own = rows.get("id_no")
    picks: list[int] = []
    members: list[tuple[int, str, str | None]] = []
    trouble: list[tuple[int, str, str, Severity]] = []
    for person in range(rows.size):
        picks.append(person)
        found = split_cell(_cell(rows, person, "id_no"))
        called = clean_names(split_cell(_cell(rows, person, "name"))).values
        if len(called) != len(found):
            trouble.append((person, "member_ids", "member_unmatched", "warning"))
        read = clean_ids(found, today)
        for place, id_no in enumerate(read.values):
            if place in read.problems:
                trouble.append((person, "member_ids", "member_id_damaged", "error"))
            elif id_no != own[person]:
                name = called[place] if len(called) == len(found) else None
                members.append((len(picks), id_no, name))
                picks.append(person)
    rows.columns["member_ids"] = rows.member_columns["id_no"]
    attached = np.zeros(len(picks), dtype=bool)
    attached[[position for position, _, _ in members]] = True
    _spread(rows, np.array(picks, dtype=np.int64), attached)
    for position, id_no, name in members:
        rows.values["id_no"][position] = id_no
        rows.values.setdefault("name", [None] * len(picks))[position] = name or ""
    first = np.flatnonzero(~attached).tolist()
    for person, name, code, severity in trouble:
        rows.blame(first[person], name, code, severity, keep=True)
    return attached


def _cell(rows: Rows, person: int, name: str) -> Any:
    column = rows.member_columns.get(name)
    return rows.sheet.columns[column.index][int(rows.table.rows[rows.origin[person]])] if column else None


def _holds_several(rows: Rows) -> bool:
    """Whether some cell of the ID column lists several IDs."""
    column = rows.columns["id_no"]
    cells = rows.sheet.columns[column.index]
    return any(
        isinstance(cell, str) and len(cell) > 30 and len(split_cell(cell)) > 1
        for cell in (cells[row] for row in rows.table.rows.tolist())
    )


def _spread(rows: Rows, picks: np.ndarray, attached: np.ndarray) -> None:
    """Makes room for the members: every column gets blanks on their places."""
    order = picks.tolist()
    blank = attached.tolist()
    for name, values in rows.values.items():
        rows.values[name] = [None if new else values[old] for old, new in zip(order, blank, strict=True)]
    place = np.flatnonzero(~attached)
    rows.problems = {
        name: {int(place[person]): code for person, code in found.items()} for name, found in rows.problems.items()
    }
    for issue in rows.issues:
        if issue.row >= 0:
            issue.row = int(place[issue.row])
    rows.origin = rows.origin[picks]
    refused = np.zeros(len(picks), dtype=bool)
    refused[place] = rows.refused
    rows.refused = refused
