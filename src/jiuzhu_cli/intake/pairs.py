"""The provincial system's two exports of one list: a household file and a person file (policy-reference §5).

The person file tells the members, the household file the figures. They are one roll: persons from the one, figures that
it lacks from the other, joined by the head's ID; households without a person row stay as the household file has them.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from jiuzhu_cli.intake.cases import CASE_FIELDS, refuse_with_lead
from jiuzhu_cli.intake.prepare import Prepared, count, finding_of
from jiuzhu_cli.intake.rows import Rows

_SIDE = re.compile(r"家庭|人员")
_STAMP = re.compile(r"[_\-. ]*\d{6,}$|[（(]\d+[)）]$")
_JOINED = 0.5  # of the smaller side's heads


def pair_key(path: Path) -> tuple[str, str] | None:
    """(folder and common name, side) of a file that may be one of a pair: 农村低保家庭查询_1, 农村低保人员查询_2."""
    if not _SIDE.search(path.name):
        return None
    stem = _STAMP.sub("", path.stem)
    words = list(_SIDE.finditer(stem))
    if not words:
        return None
    last = words[-1]
    return f"{path.parent}/{stem[: last.start()]}·{stem[last.end() :]}", last.group(0)


def other_side(left: str, right: str) -> bool:
    """Whether two file names are the two exports of one list."""
    keys = pair_key(Path(left)), pair_key(Path(right))
    return keys[0] is not None and keys[1] is not None and keys[0][0] == keys[1][0] and keys[0][1] != keys[1][1]


def join(households: Prepared, persons: Prepared) -> bool:
    """Joins two lists of one programme, month and area; False when they are not a pair. Both are changed.

    One of them may lack the amounts: what the other knows of them makes it whole.
    """
    if households.rows is None and persons.rows is None:
        return False
    left, right = households.rows or households.waiting, persons.rows or persons.waiting
    same = (households.table.kind, households.table.code, households.table.month, households.category) == (
        persons.table.kind, persons.table.code, persons.table.month, persons.category or households.category,
    )  # fmt: skip
    if left is None or right is None or not same or "head_id_no" not in right.columns:
        return False
    said = {id(rows): len(rows.issues) for rows in (left, right)}
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
    persons.category = persons.category or households.category
    households.area, households.category = persons.area, persons.category
    for prepared, rows in ((households, left), (persons, right)):
        _settle(prepared, rows, said[id(rows)])
    return True


def _settle(prepared: Prepared, rows: Rows, said: int) -> None:
    """What joining said (issues from ``said`` on) and changed: findings and figures. A household whose amount neither file knows is refused."""
    if prepared.waiting is not None:
        prepared.rows, prepared.waiting, prepared.table.fatal = rows, None, False
        prepared.findings = [f for f in prepared.findings if f.code not in ("column_missing", "amount_column_missing")]
        absorbed = rows.absorbed if rows.absorbed is not None else np.zeros(rows.size, dtype=bool)
        without = rows.lead & ~rows.refused & ~absorbed & ~rows.get("amount_fen").valid
        for lead in np.flatnonzero(without).tolist():
            rows.blame(lead, "amount_fen", "amount_missing", "error", cell=False)
        if without.any():
            refuse_with_lead(rows)
    prepared.findings += [finding_of(rows, issue) for issue in rows.issues[said:]]
    count(prepared, rows)
