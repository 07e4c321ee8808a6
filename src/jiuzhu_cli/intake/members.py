"""Members that stand together in one cell (张三、李四 | 4210…、4210…) become persons of their row's household."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
import pyarrow.compute as pc

from jiuzhu_cli.core.finding import Severity
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.clean import clean_ids, clean_names, plain_text
from jiuzhu_cli.intake.rows import LeftOut, Rows
from jiuzhu_cli.intake.table import Column
from jiuzhu_cli.intake.vectors import is_true, nothing

_SPLIT = re.compile(r"[、，,;；/|\n\r\t]+")
_KIN = re.compile(r"[(（]([^()（）]*)[)）]")
_HEAD = frozenset("本人 户主 申请人 户主本人 本人(户主) 户主(本人)".split())


def split_cell(cell: Any) -> list[str]:
    """The parts of a cell that lists several names or IDs; blanks only divide what is long enough to be one each."""
    out: list[str] = []
    for part in _SPLIT.split(str(cell)) if cell is not None else ():
        pieces = part.split()
        if len(pieces) > 1 and not all(len(piece) >= (15 if piece[0].isdigit() else 2) for piece in pieces):
            pieces = ["".join(pieces)]
        out += pieces
    return out


def _words(cell: Any) -> list[str]:
    return [word for word in re.split(r"[、，,;；/|\s]+", str(cell)) if word] if cell is not None else []


@dataclass(slots=True)
class _Listed:
    """The people that one row lists: IDs as written ('' for none), names and kinship where they can be told apart."""

    ids: list[str]
    names: list[str | None]
    kin: list[str | None]
    unmatched: bool = False
    without_id: bool = False


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
                rows.columns[own], rows.values[own] = rows.columns[head], rows.values[head].copy()
                rows.problems[own] = dict(rows.problems.get(head, {}))


def expand_members(rows: Rows, today: date) -> np.ndarray:
    """Expands in place; returns which persons were taken out of a members' cell or column (they follow their row's own).

    Positions match. A member whose ID is damaged is left out with an error finding on that cell; the household stays, for
    its money goes to the head.
    """
    groups = _groups(rows)
    if "id_no" not in rows.member_columns and not groups:
        return np.zeros(rows.size, dtype=bool)
    lists = _Listing(rows, groups).people()
    if "id_no" not in rows.columns:
        _own_of_list(rows, lists, today)
    own = rows.get("id_no").tolist()
    kinship = rows.values["relation"].tolist() if "relation" in rows.values else None
    kin_of: list[str | None] = kinship if kinship is not None else [None] * rows.size
    read = clean_ids([text for listed in lists for text in listed.ids], today)
    ids = iter(enumerate(read.values))
    picks: list[int] = []
    members: list[tuple[int, str, str | None, str | None]] = []
    trouble: list[tuple[int, str, str, Severity]] = []
    lost: list[tuple[int, str | None, str, str | None]] = []
    for person, listed in enumerate(lists):
        picks.append(person)
        if listed.unmatched:
            trouble.append((person, "member_ids", "member_unmatched", "warning"))
        if listed.without_id:
            trouble.append((person, "member_ids", "member_left_out", "warning"))
        mine = listed.kin[listed.ids.index(own[person])] if own[person] in listed.ids else None
        if kinship is not None and len(_words(kinship[person])) > 1:
            kin_of[person] = mine or "本人"
        elif mine and kin_of[person] is None:
            kin_of[person] = mine
        seen = {own[person]}
        mates = zip(islice(ids, len(listed.ids)), listed.names, listed.kin, strict=True)
        for at, ((number, id_no), name, kin) in enumerate(mates):
            if number in read.problems:
                trouble.append((person, "member_ids", "member_id_damaged", "error"))
                lost.append((person, name, listed.ids[at], kin))
            elif id_no not in seen:
                seen.add(id_no)
                members.append((len(picks), id_no, name, kin))
                picks.append(person)
    if any(kin_of):
        rows.values["relation"] = kin_of
    rows.columns["member_ids"] = rows.member_columns.get("id_no") or groups[0]["id_no"]
    attached = np.zeros(len(picks), dtype=bool)
    attached[[position for position, *_ in members]] = True
    _spread(rows, np.array(picks, dtype=np.int64), attached)
    for field in ("name", "relation") if members else ():
        rows.values.setdefault(field, nothing(field, len(picks)))
    for position, id_no, name, kin in members:
        rows.values["id_no"][position] = id_no
        rows.values["name"][position] = name or ""
        if kin:
            rows.values["relation"][position] = kin
    first = np.flatnonzero(~attached).tolist()
    for person, name, code, severity in trouble:
        rows.blame(first[person], name, code, severity, keep=True)
    rows.left_out = [LeftOut(first[person], name or "", id_no, kin or "") for person, name, id_no, kin in lost]
    return attached


def _groups(rows: Rows) -> list[dict[str, Column]]:
    """Columns of members side by side, in order: field → column."""
    out: dict[int, dict[str, Column]] = {}
    for column in rows.table.columns:
        if column.member:
            out.setdefault(column.member[0], {})[column.member[1]] = column
    return [out[number] for number in sorted(out)]


class _Listing:
    """Who is listed on the rows of a table."""

    def __init__(self, rows: Rows, groups: list[dict[str, Column]]) -> None:
        self._ids = _cells(rows, rows.member_columns.get("id_no"))
        self._texts = [split_cell(cell) for cell in _cells(rows, rows.member_columns.get("name"))]
        self._names = iter(clean_names([_KIN.sub("", text) for named in self._texts for text in named]).values)
        self._relations = _cells(rows, rows.columns.get("relation"))
        self._groups = [{name: _cells(rows, column) for name, column in group.items()} for group in groups]
        self._group_names = [
            clean_names(group["name"]).values.tolist() if "name" in group else None for group in self._groups
        ]
        self._own, self._own_names = rows.get("id_no").tolist(), rows.get("name").tolist()
        self._head_names = rows.get("head_name").tolist()
        self._named = "name" in rows.member_columns

    def people(self) -> list[_Listed]:
        """The people listed on each row, out of shared cells first, then out of columns of their own."""
        return [self._row(person) for person in range(len(self._own))]

    def _row(self, person: int) -> _Listed:
        ids, texts, own = split_cell(self._ids[person]), self._texts[person], self._own[person]
        inside = [match.group(1) if (match := _KIN.search(text)) else None for text in texts]
        names = [plain_text(name) for name in islice(self._names, len(texts))]
        kin = _words(self._relations[person])
        out = _Listed(ids, [None] * len(ids), [None] * len(ids))
        if len(names) == len(ids):
            out.names = names
            out.kin = [word if word and len(word) <= 4 else None for word in inside]
        elif (
            len(names) == len(ids) + 1
            and names[0] is not None
            and names[0] in (self._own_names[person], self._head_names[person])
        ):
            out.names = names[1:]  # the head's name stands with the members', not the ID
        else:
            out.unmatched = bool(ids or self._named)
        if len(kin) == len(ids) and len(kin) > 1:
            out.kin = list(kin)
        elif len(kin) == len(ids) - 1 and len(kin) > 1 and own in ids:
            others = iter(kin)
            out.kin = ["本人" if text == own else next(others, None) for text in ids]
        for group, group_names in zip(self._groups, self._group_names, strict=True):
            if id_no := compact(plain_text(group["id_no"][person]) or "" if "id_no" in group else ""):
                out.ids.append(id_no)
                out.names.append(group_names[person] if group_names is not None else None)
                out.kin.append(plain_text(group["relation"][person]) if "relation" in group else None)
            elif group_names is not None and plain_text(group["name"][person]):
                out.without_id = True
        return out


def _own_of_list(rows: Rows, lists: list[_Listed], today: date) -> None:
    """The row's own person where only the list of members has IDs: whom the row names, who is 本人 there, or, where
    nobody is named beside the list, its first. Else nobody: the row has no ID."""
    column = rows.member_columns["id_no"]
    beside_of = next((name for name in ("name", "head_name") if name in rows.columns), "")
    if beside_of and rows.columns.get("name") is rows.member_columns.get("name"):
        beside_of = "head_name" if "head_name" in rows.values else ""
    beside = rows.get(beside_of).tolist() if beside_of else None
    picked: list[str | None] = []
    names: list[str | None] = []
    for person, listed in enumerate(lists):
        at = -1
        if beside is not None and beside[person] is not None:
            at = listed.names.index(beside[person]) if beside[person] in listed.names else -1
        elif any(word in _HEAD for word in listed.kin):
            at = next(place for place, word in enumerate(listed.kin) if word in _HEAD)
        elif listed.ids:
            at = 0
        picked.append(listed.ids[at] if at >= 0 else None)
        names.append(listed.names[at] if at >= 0 else None)
    read = clean_ids(picked, today)
    rows.columns["id_no"], rows.values["id_no"] = column, read.values
    rows.problems["id_no"] = read.problems
    if "name" not in rows.columns:
        rows.columns["name"] = rows.member_columns.get("name", column)
        rows.values["name"] = names if beside is None else [a or b for a, b in zip(beside, names, strict=True)]


def _cells(rows: Rows, column: Column | None) -> list[Any]:
    """The cells of a column at the rows' persons; None where there is no such column."""
    if column is None:
        return [None] * rows.size
    return rows.sheet.columns[column.index].take(rows.table.rows[rows.origin])[:]


def _holds_several(rows: Rows) -> bool:
    """Whether some cell of the ID column lists several IDs."""
    cells = rows.sheet.columns[rows.columns["id_no"].index].take(rows.table.rows)
    long = cells.take(np.flatnonzero(is_true(pc.greater(pc.utf8_length(cells.text), 30))))
    return any(isinstance(cell, str) and len(split_cell(cell)) > 1 for cell in long)


def _spread(rows: Rows, picks: np.ndarray, attached: np.ndarray) -> None:
    """Makes room for the members: every column gets blanks on their places."""
    kept = np.where(attached, -1, picks)
    for name, values in list(rows.values.items()):
        rows.values[name] = values.take(kept)
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
