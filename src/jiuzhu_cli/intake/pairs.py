"""The provincial system's two exports of one list: a household file and a person file (policy-reference §5).

The person file tells the members, the household file the figures. They are one roll: persons from the one, figures that
it lacks from the other, joined by the head's ID; households without a person row stay as the household file has them.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from jiuzhu_cli.intake.cases import CASE_FIELDS
from jiuzhu_cli.intake.prepare import Prepared

_SIDE = re.compile(r"家庭|人员")
_STAMP = re.compile(r"[_\-. ]*\d{6,}$|[（(]\d+[)）]$")
_JOINED = 0.5  # of the smaller side's heads


def pair_key(path: Path) -> tuple[str, str] | None:
    """(folder and common name, side) of a file that may be one of a pair: 农村低保家庭查询_1, 农村低保人员查询_2."""
    stem = _STAMP.sub("", path.stem)
    words = list(_SIDE.finditer(stem))
    if not words:
        return None
    last = words[-1]
    return f"{path.parent}/{stem[: last.start()]}·{stem[last.end() :]}", last.group(0)


def join(households: Prepared, persons: Prepared) -> bool:
    """Joins two lists of one programme, month and area; False when they are not a pair. Both are changed."""
    left, right = households.rows, persons.rows
    same = (households.table.kind, households.table.code, households.table.month, households.category) == (
        persons.table.kind, persons.table.code, persons.table.month, persons.category or households.category,
    )  # fmt: skip
    if left is None or right is None or not same or not right.lists_members or "head_id_no" not in right.columns:
        return False
    at = np.flatnonzero(right.lead)
    lead_of = dict(zip(right.get("id_no").take(at), at.tolist(), strict=True))
    heads = np.flatnonzero(left.lead)
    ids = left.get("id_no").take(heads).tolist()
    common = [(person, lead_of[id_no]) for person, id_no in zip(heads.tolist(), ids, strict=True) if id_no in lead_of]
    if len(common) < _JOINED * max(1, min(len(heads), len(lead_of))):
        return False
    common = [(person, lead) for person, lead in common if not right.refused[lead]]
    theirs = np.full(right.size, -1, dtype=np.int64)
    theirs[[lead for _, lead in common]] = [person for person, _ in common]
    for name in CASE_FIELDS:
        if name not in left.values:
            continue
        told, mine = left.values[name].take(theirs), right.get(name)
        if name == "amount_fen":
            for lead in np.flatnonzero(told.valid & mine.valid & (told.numbers != mine.numbers)).tolist():
                right.blame(lead, name, "household_value_conflict", "warning")
        if told.blanks < right.size:
            right.values[name] = mine.filled(told)
    left.absorbed = np.isin(left.case, left.case[[person for person, _ in common]])
    households.amount_fen = left.get("amount_fen").total(left.lead & ~left.refused & ~left.absorbed)
    persons.amount_fen = right.get("amount_fen").total(right.lead & ~right.refused)
    persons.category = persons.category or households.category
    households.area, households.category = persons.area, persons.category
    return True
