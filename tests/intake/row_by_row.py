"""Households and checks of a list row by row, in plain Python: what the vectors of intake must come to. For tests only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jiuzhu_cli.core.identity import sex
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.cases import CASE_FIELDS, HEAD_WORDS, SHARED_FIELDS

MARKERS = ("serial_no", "head_name", "household_size", "covered_persons", "amount_fen", "account_no", "income_fen")


@dataclass
class Plain:
    """Rows as lists by field; ``told``: (row, field, code) of what is blamed."""

    size: int
    values: dict[str, list[Any]]
    columns: set[str]
    problems: dict[str, dict[int, str]]
    case: list[int] = field(default_factory=list)
    lead: list[bool] = field(default_factory=list)
    told: list[tuple[int, str, str]] = field(default_factory=list)

    def get(self, name: str) -> list[Any]:
        return self.values.get(name, [None] * self.size)


def duplicates(rows: Plain) -> None:
    first: dict[str, int] = {}
    for person, id_no in enumerate(rows.get("id_no")):
        earlier = first.setdefault(id_no, person) if id_no else person
        if earlier != person:
            same = all(v[person] == v[earlier] for name, v in rows.values.items() if name != "serial_no")
            rows.told.append((person, "id_no", "duplicate_row" if same else "duplicate_person"))


def compare_with_id(rows: Plain) -> None:
    for person, (id_no, stated) in enumerate(zip(rows.get("id_no"), rows.get("sex"), strict=True)):
        if stated in ("男", "女") and id_no and sex(id_no) not in ("", stated):
            rows.told.append((person, "sex", "sex_differs"))
    for person, (id_no, born) in enumerate(zip(rows.get("id_no"), rows.get("birth_date"), strict=True)):
        if born and id_no and len(id_no) == 18:
            own = f"{id_no[6:10]}-{id_no[10:12]}-{id_no[12:14]}"
            if born != own and not (born.endswith("-01") and born[:7] == own[:7]):
                rows.told.append((person, "birth_date", "birth_differs"))


def households(rows: Plain, summed: set[str]) -> None:
    """Cases, leads and their figures; ``summed``: amounts that stand on each person's row."""
    rows.case = _group(rows)
    heads = _heads(rows)
    lead_of: dict[int, int] = {}
    for person, case in enumerate(rows.case):
        if heads[person]:
            if case not in lead_of:
                lead_of[case] = person
            elif rows.get("id_no")[person] != rows.get("id_no")[lead_of[case]]:
                rows.told.append((person, "relation", "household_two_heads"))
    for person, case in enumerate(rows.case):
        lead_of.setdefault(case, person)
    owner = [lead_of[case] for case in rows.case]
    rows.lead = [owner[person] == person for person in range(rows.size)]
    members = [person for person in range(rows.size) if not rows.lead[person]]
    for name in CASE_FIELDS:
        if name in rows.values:
            _settle(rows, name, rows.values[name], members, owner, summed=name in summed)
    for name in SHARED_FIELDS:
        if name in rows.values:
            values = rows.values[name]
            for person in members:
                values[person] = values[owner[person]] if values[person] is None else values[person]
    _name_heads(rows, owner)
    if members:
        _count_persons(rows, lead_of)


def _say_head(word: str | None) -> bool:
    return word is not None and compact(word) in HEAD_WORDS


def _group(rows: Plain) -> list[int]:
    codes = [code for code in rows.get("case_code") if code is not None]
    if codes and (len(codes) < rows.size or len(set(codes)) < len(codes)):
        keys = _keyed(rows, "case_code")
    elif "head_id_no" in rows.columns:
        keys = _keyed(rows, "head_id_no")
    else:
        keys = [index if start else None for index, start in enumerate(_starts(rows))]
    numbers: dict[Any, int] = {}
    out, last = [], None
    for key in keys:
        last = key if key is not None else last
        out.append(numbers.setdefault(last, len(numbers)))
    return out


def _keyed(rows: Plain, name: str) -> list[Any]:
    out = []
    for index, (value, word) in enumerate(zip(rows.get(name), rows.get("relation"), strict=True)):
        own = rows.get("id_no")[index] or ("row", index)
        out.append(value if value is not None else own if index == 0 or _say_head(word) else None)
    return out


def _starts(rows: Plain) -> list[bool]:
    relation, head_name = rows.get("relation"), rows.get("head_name")
    heads = [_say_head(word) for word in relation]
    kin = [word is not None and not head for word, head in zip(relation, heads, strict=True)]
    markers = [rows.values[name] for name in MARKERS if name in rows.values]
    markers = [values for values in markers if None in values]
    if any(kin):
        markers = [m for m in markers if sum(m[i] is not None for i in range(rows.size) if kin[i]) <= 0.2 * sum(kin)]
    told = any(heads)
    starts, current = [], None
    for index in range(rows.size):
        filled = sum(values[index] is not None for values in markers)
        fresh = index == 0 or heads[index]
        if head_name[index] is not None:
            fresh = fresh or head_name[index] != current
        elif told and not kin[index]:
            fresh = fresh or filled > 0 or not markers
        if not told and "head_name" not in rows.columns:
            fresh = fresh or filled > 0 or len(markers) < 2
        elif markers and kin[index] and filled * 2 >= len(markers) and filled > 1:
            fresh = True
        current = head_name[index] if fresh else current
        starts.append(fresh)
    return starts


def _heads(rows: Plain) -> list[bool]:
    found = [_say_head(word) for word in rows.get("relation")]
    for own, head in (("id_no", "head_id_no"), ("name", "head_name")):
        known = {case for case, is_head in zip(rows.case, found, strict=True) if is_head}
        pairs = zip(rows.get(own), rows.get(head), rows.case, found, strict=True)
        found = [is_head or (a is not None and a == b and case not in known) for a, b, case, is_head in pairs]
    return found


def _settle(
    rows: Plain, name: str, values: list[Any], members: Sequence[int], owner: Sequence[int], *, summed: bool
) -> None:
    blamed: set[int] = set()
    for person in members:
        value, lead = values[person], owner[person]
        if value is None:
            continue
        values[person] = None
        if values[lead] is None and lead not in rows.problems.get(name, {}):
            values[lead] = value
        elif summed and values[lead] is not None:
            values[lead] += value
        elif values[lead] != value and lead not in blamed:
            blamed.add(lead)
            rows.told.append((person, name, "household_value_conflict"))


def _name_heads(rows: Plain, owner: Sequence[int]) -> None:
    ids, names = rows.get("id_no"), rows.get("name")
    head_ids, head_names = list(rows.get("head_id_no")), list(rows.get("head_name"))
    for person, lead in enumerate(owner):
        stated = head_names[lead]
        if head_ids[person] is None:
            head_ids[person] = head_ids[lead] or (ids[lead] if stated is None or stated == names[lead] else None)
        if head_names[person] is None:
            head_names[person] = stated or (names[lead] if head_ids[person] == ids[lead] else None)
    rows.values["head_id_no"], rows.values["head_name"] = head_ids, head_names


def _count_persons(rows: Plain, lead_of: dict[int, int]) -> None:
    covered = rows.values.setdefault("covered_persons", [None] * rows.size)
    for case, lead in sorted(lead_of.items()):
        count = rows.case.count(case)
        if covered[lead] is None:
            covered[lead] = count
        elif count > 1 and covered[lead] != count:
            rows.told.append((lead, "covered_persons", "covered_persons_differ"))
