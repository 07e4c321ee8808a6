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
    lead_of = {right.get("id_no")[p]: p for p in np.flatnonzero(right.lead).tolist()}
    heads = np.flatnonzero(left.lead).tolist()
    ids = left.get("id_no")
    common = [person for person in heads if ids[person] in lead_of]
    if len(common) < _JOINED * max(1, min(len(heads), len(lead_of))):
        return False
    absorbed_cases = set()
    for person in common:
        lead = lead_of[ids[person]]
        if right.refused[lead]:
            continue
        absorbed_cases.add(int(left.case[person]))
        for name in CASE_FIELDS:
            value = left.values[name][person] if name in left.values else None
            if value is None:
                continue
            mine = right.values.setdefault(name, [None] * right.size)
            if mine[lead] is None:
                mine[lead] = value
            elif name == "amount_fen" and mine[lead] != value:
                right.blame(lead, name, "household_value_conflict", "warning")
    left.absorbed = np.isin(left.case, sorted(absorbed_cases))
    amounts = left.get("amount_fen")
    stays = np.flatnonzero(left.lead & ~left.refused & ~left.absorbed).tolist()
    households.amount_fen = sum(amounts[person] or 0 for person in stays)
    mine = right.get("amount_fen")
    persons.amount_fen = sum(mine[p] or 0 for p in np.flatnonzero(right.lead & ~right.refused).tolist())
    persons.category = persons.category or households.category
    households.area, households.category = persons.area, persons.category
    return True
