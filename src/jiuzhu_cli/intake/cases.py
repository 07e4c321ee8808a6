"""Which rows are one household, who leads it, and its figures standing once.

Evidence for a household, strongest first: merged cells, the household's code, the head's ID, 户主/本人 in 与户主关系 or a
new head's name, household columns that are blank on the members' rows. Nothing is guessed: where an amount may be the
household's or each person's and neither header, blanks nor the stated total tell, the table is refused with a question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import eq
from typing import Any, Literal

import numpy as np

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.members import expand_members
from jiuzhu_cli.intake.rows import Rows

AmountLevel = Literal["", "household", "person"]
AMOUNTS = ("amount_fen", "base_fen", "addon_fen", "care_fen")
CASE_FIELDS = (
    "household_size", "covered_persons", *AMOUNTS, "income_fen", "income_period", "assets_fen", "payee_name", "payee_id_no",
    "account_no", "bank_name",
)  # fmt: skip
SHARED_FIELDS = (
    "town", "village", "category", "case_code", "address", "phone", "start_month", "cause", "kin_filed", "grade",
)  # fmt: skip
HEAD_WORDS = frozenset("本人 户主 申请人 户主本人 本 持证人 本人(户主) 户主(本人)".split())
_MARKERS = ("serial_no", "head_name", "household_size", "covered_persons", "amount_fen", "account_no", "income_fen")


def plain_cases(rows: Rows) -> None:
    """Every row a case of its own (programmes paid by person)."""
    rows.case = np.arange(rows.size, dtype=np.int64)
    rows.lead = np.ones(rows.size, dtype=bool)


def household_cases(
    rows: Rows,
    *,
    today: date,
    level: AmountLevel = "",
    known_heads: frozenset[str] = frozenset(),
    standard: Callable[[str | None], int | None] | None = None,
) -> None:
    """Sets ``rows.case`` and ``rows.lead``, and lets each household's figures stand once, on its lead row.

    ``standard``: 分 a person and month that a top-up programme brings households of a category up to.
    ``known_heads``: heads that stand on the roll which these rows supplement; their members join without a lead row.
    """
    attached = expand_members(rows, today)
    rows.case = _group(rows, attached)
    if not rows.size:
        rows.lead = np.zeros(0, dtype=bool)
        return
    heads = _heads(rows, attached)
    counts = np.bincount(rows.case)
    lead_of = np.full(len(counts), -1, dtype=np.int64)
    for person in np.flatnonzero(heads).tolist():
        if lead_of[rows.case[person]] < 0:
            lead_of[rows.case[person]] = person
        elif rows.get("id_no")[person] != rows.get("id_no")[lead_of[rows.case[person]]]:
            rows.blame(person, "relation", "household_two_heads", "warning")
    first = np.full(len(counts), rows.size, dtype=np.int64)
    np.minimum.at(first, rows.case, np.arange(rows.size))
    lead_of = np.where(lead_of < 0, first, lead_of)
    rows.lead = np.zeros(rows.size, dtype=bool)
    rows.lead[lead_of] = True
    joining = _join_known(rows, lead_of, known_heads)
    rows.lists_members = bool((counts > 1).any())
    owner = lead_of[rows.case].tolist()
    members = np.flatnonzero(~rows.lead).tolist()
    summed = personal_amounts(rows, members, owner, level, standard)
    if not rows.table.fatal:
        _settle(rows, members, owner, summed)
    for name in SHARED_FIELDS:
        values = rows.values.get(name)
        if values is not None:
            for person in members:
                if values[person] is None:
                    values[person] = values[owner[person]]
    _name_heads(rows, owner)
    if rows.lists_members:
        _count_persons(rows, lead_of.tolist(), counts.tolist())
    for person in joining:
        rows.lead[person] = False
        for name in CASE_FIELDS:
            if name in rows.values:
                rows.values[name][person] = None
    rows.personal = bool(summed)
    rows.owner = np.array(owner, dtype=np.int64)


def _join_known(rows: Rows, lead_of: np.ndarray, known_heads: frozenset[str]) -> list[int]:
    """Leads that only stand in for a head who is on the roll already."""
    if not known_heads:
        return []
    ids, head_ids = rows.get("id_no"), rows.get("head_id_no")
    return [one for one in lead_of.tolist() if head_ids[one] in known_heads and head_ids[one] != ids[one]]


# which rows belong together --------------------------------------------------------------------------------


def _group(rows: Rows, attached: np.ndarray) -> np.ndarray:
    """Household number of each person, in order of appearance."""
    keys: list[Any]
    if _tells_households(rows.get("case_code")):
        keys = _keyed(rows, "case_code")
    elif "head_id_no" in rows.columns and rows.columns["head_id_no"] is not rows.columns.get("id_no"):
        keys = _keyed(rows, "head_id_no")
    else:
        starts = _starts(rows)
        keys = _carry([index if start else None for index, start in enumerate(starts)])
    _join_merged(rows, keys)
    numbers: dict[Any, int] = {}
    out = np.empty(rows.size, dtype=np.int64)
    current = 0
    for person, (key, joined) in enumerate(zip(keys, attached.tolist(), strict=True)):
        if not joined:
            current = numbers.setdefault(key, len(numbers))
        out[person] = current
    return out


def _join_merged(rows: Rows, keys: list[Any]) -> None:
    """Cells merged over several rows make those rows one household, whatever else they say."""
    if rows.table.blocks is None or not len(rows.table.blocks):
        return
    blocks = rows.table.blocks[rows.origin].tolist()
    for index in range(1, len(blocks)):
        if blocks[index] == blocks[index - 1]:
            if index == 1 or blocks[index - 2] != blocks[index]:
                # the first of its merged rows may have been taken for a member of the household above
                mixed = index >= 2 and keys[index - 1] == keys[index - 2]
                keys[index - 1] = ("merged", blocks[index]) if mixed else keys[index - 1]
            keys[index] = keys[index - 1]


def _tells_households(codes: list[Any]) -> bool:
    """A code repeated or left blank on some rows is the household's; one that differs on every row tells nothing."""
    told = [code for code in codes if code is not None]
    return bool(told) and (len(told) < len(codes) or len(set(told)) < len(told))


def _keyed(rows: Rows, name: str) -> list[Any]:
    """By a column's value; a blank is as above, unless the row is a head's own."""
    heads = _say_head(rows.get("relation"))
    ids = rows.get("id_no")
    keys = [
        value if value is not None else (ids[index] or ("row", index)) if heads[index] or index == 0 else None
        for index, value in enumerate(rows.get(name))
    ]
    return _carry(keys)


def _carry(keys: list[Any]) -> list[Any]:
    last: Any = ("row", 0)
    out = []
    for key in keys:
        if key is not None:
            last = key
        out.append(last)
    return out


def _say_head(words: Sequence[str | None]) -> list[bool]:
    """Which kinship words say head of the household."""
    known = {word: word is not None and compact(word) in HEAD_WORDS for word in set(words)}
    return list(map(known.__getitem__, words))


def _equal(left: Sequence[Any], right: Sequence[Any]) -> np.ndarray:
    """Where both say the same, and something."""
    same = np.fromiter(map(eq, left, right), dtype=bool, count=len(left))
    for index in np.flatnonzero(same).tolist() if None in left else ():
        same[index] = left[index] is not None
    return same


def _starts(rows: Rows) -> list[bool]:
    """Where a household begins, told by relation, head's name and household columns that are blank on members' rows."""
    size = rows.size
    relation, head_name = rows.get("relation"), rows.get("head_name")
    heads = _say_head(relation)
    kin = [word is not None and not head for word, head in zip(relation, heads, strict=True)]
    markers = [rows.values[name] for name in _MARKERS if name in rows.values]
    markers = [values for values in markers if any(value is None for value in values)]
    if any(kin):  # only columns that are blank on most members' rows say anything
        markers = [m for m in markers if sum(m[i] is not None for i in range(size) if kin[i]) <= 0.2 * sum(kin)]
    told = "relation" in rows.columns and any(heads)
    starts, current = [], None
    for index in range(size):
        filled = sum(values[index] is not None for values in markers)
        fresh = index == 0 or heads[index]
        if head_name[index] is not None:
            fresh = fresh or head_name[index] != current
        elif told and not kin[index]:
            fresh = fresh or filled > 0 or not markers
        if not told and "head_name" not in rows.columns:
            # without any word of kinship two blank household columns are needed to make a member of a row
            fresh = fresh or filled > 0 or len(markers) < 2
        elif markers and kin[index] and filled * 2 >= len(markers) and filled > 1:
            fresh = True
        if fresh:
            current = head_name[index]
        starts.append(fresh)
    return starts


def _heads(rows: Rows, attached: np.ndarray) -> np.ndarray:
    """Rows that are their household's head: by relation, else by the head's ID, else by the head's name."""
    ids, names = rows.get("id_no"), rows.get("name")
    by_relation = np.array(_say_head(rows.get("relation")), dtype=bool)
    by_id, by_name = _equal(ids, rows.get("head_id_no")), _equal(names, rows.get("head_name"))
    found = by_relation.copy()
    for better in (by_id, by_name):
        known = np.zeros(int(rows.case.max()) + 1, dtype=bool)
        known[rows.case[found]] = True
        found |= better & ~known[rows.case]
    return found & ~attached if bool(attached.any()) else found


# figures ---------------------------------------------------------------------------------------------------


def personal_amounts(
    rows: Rows,
    members: list[int],
    owner: list[int],
    level: AmountLevel,
    standard: Callable[[str | None], int | None] | None = None,
) -> set[str]:
    """Amount fields that stand on each person's row and are to be summed; the others are the household's.

    Told by the user, the header, blanks on members' rows, the stated total, by differing within most households, or by
    the arithmetic of the amounts themselves. Else, and where header and total contradict each other, the table is
    refused: ``amount_level_unknown``.
    """
    summed: set[str] = set()
    for name in AMOUNTS:
        values = rows.values.get(name)
        if values is None:
            continue
        doubled = [person for person in members if values[person] is not None and values[owner[person]] is not None]
        told = level or rows.columns[name].level
        stated = _told_by_total(rows, name, values) if doubled and not level else ""
        disputed = bool(told and stated and told != stated)  # the header says one thing, the table's total another
        if not told and doubled:
            told = stated or _told_by_difference(values, doubled, owner)
            told = told or _told_by_arithmetic(rows, values, doubled, owner, standard)
            if name == "amount_fen":
                rows.table.amount_level = told
        if (not told and doubled) or disputed:
            rows.blame(-1, name, "amount_level_unknown", "error", header=rows.columns[name].header)
            rows.table.fatal = True
        if told == "person":
            summed.add(name)
    return summed


def _told_by_total(rows: Rows, name: str, values: list[int | None]) -> AmountLevel:
    stated = rows.table.stated_total_fen
    if name != "amount_fen" or stated is None:
        return ""
    all_rows = sum(value or 0 for value in values)
    seen: dict[int, int] = {}
    for case, value in zip(rows.case.tolist(), values, strict=True):
        if value is not None:
            seen.setdefault(case, value)
    once = sum(seen.values())
    if all_rows == once:
        return ""
    return "person" if stated == all_rows else "household" if stated == once else ""


def _told_by_difference(values: list[int | None], doubled: list[int], owner: list[int]) -> AmountLevel:
    """Persons' amounts differ within most households; a household's amount repeated does not."""
    households = {owner[person] for person in doubled}
    differing = {owner[person] for person in doubled if values[person] != values[owner[person]]}
    return "person" if len(differing) * 2 > len(households) else ""


def _told_by_arithmetic(
    rows: Rows,
    values: list[int | None],
    doubled: list[int],
    owner: list[int],
    standard: Callable[[str | None], int | None] | None,
) -> AmountLevel:
    """The repeated amounts against what top-up (标准 × 人数 − 月收入) or one-person households' grades would give.

    Four households in five must fit one reading, and not one in five the other.
    """
    counts = np.bincount(rows.case).tolist()
    cases = rows.case.tolist()
    stated = rows.get("covered_persons")
    sizes = rows.get("household_size")
    income, periods, category = rows.get("income_fen"), rows.get("income_period"), rows.get("category")
    leads = sorted({owner[person] for person in doubled})
    single = {values[p] for p in np.flatnonzero(rows.lead).tolist() if counts[cases[p]] == 1 and (stated[p] or 1) == 1}
    whole = each = judged = 0
    for lead in leads:
        persons, amount = stated[lead] or counts[cases[lead]], values[lead]
        if amount is None or persons < 2:
            continue
        line = standard(category[lead]) if standard is not None else None
        if line is not None and income[lead] is not None and periods[lead] is not None:
            monthly = income[lead] / (12 if periods[lead] == "year" else 1)
            gap = line * persons - monthly * persons / (sizes[lead] or persons)
            whole += abs(amount - gap) <= 100  # rounded to the yuan
            each += abs(amount * persons - gap) <= 100 * persons
        elif 0 < len(single) <= 12:
            whole += amount % persons == 0 and amount // persons in single
            each += amount in single
        else:
            continue
        judged += 1
    if judged < 3:
        return ""
    if whole >= 0.8 * judged and each <= 0.2 * judged:
        return "household"
    return "person" if each >= 0.8 * judged and whole <= 0.2 * judged else ""


def _settle(rows: Rows, members: list[int], owner: list[int], summed: set[str]) -> None:
    """Figures move to the lead row. Repeated ones must agree; the lead's stands and a conflict is said."""
    for name in CASE_FIELDS:
        values = rows.values.get(name)
        if values is None:
            continue
        blamed: set[int] = set()
        for person in members:
            value, lead = values[person], owner[person]
            if value is None:
                continue
            values[person] = None
            if values[lead] is None and (name not in rows.problems or lead not in rows.problems[name]):
                values[lead] = value
            elif name in summed and values[lead] is not None:
                values[lead] += value
            elif values[lead] != value and lead not in blamed:
                blamed.add(lead)
                rows.blame(person, name, "household_value_conflict", "warning", lead_row=rows.source_row(lead))


def _name_heads(rows: Rows, owner: list[int]) -> None:
    """Every row of a household says who its head is."""
    ids, names = rows.get("id_no"), rows.get("name")
    head_ids, head_names = rows.get("head_id_no"), rows.get("head_name")
    for person, lead in enumerate(owner):
        stated = head_names[lead]
        if head_ids[person] is None:
            head_ids[person] = head_ids[lead] or (ids[lead] if stated is None or stated == names[lead] else None)
        if head_names[person] is None:
            head_names[person] = stated or (names[lead] if head_ids[person] == ids[lead] else None)
    rows.values["head_id_no"], rows.values["head_name"] = head_ids, head_names


def _count_persons(rows: Rows, leads: list[int], counts: list[int]) -> None:
    """In a list of members the covered persons are those listed, where the list does not state them."""
    covered = rows.values.get("covered_persons")
    if covered is None:
        covered = rows.values["covered_persons"] = [None] * rows.size
    for case, lead in enumerate(leads):
        if covered[lead] is None:
            covered[lead] = counts[case]
        elif counts[case] > 1 and covered[lead] != counts[case]:
            rows.blame(
                lead, "covered_persons", "covered_persons_differ", "warning", stated=covered[lead], listed=counts[case]
            )


def refuse_with_lead(rows: Rows) -> None:
    """A refused lead refuses its household (money cannot go to a damaged ID); so does any refused member where amounts are
    each person's, for the household's sum would be short. Elsewhere the household stays without the refused member."""
    refused = rows.refused.copy()
    bad_cases = np.zeros(int(rows.case.max(initial=-1)) + 1, dtype=bool)
    bad_cases[rows.case[refused & (rows.lead | rows.personal)]] = True
    owner = rows.owner
    for person in np.flatnonzero(bad_cases[rows.case] & ~refused).tolist():
        lead = int(owner[person])
        if refused[lead]:
            rows.blame(person, "head_id_no", "lead_refused", "error", cell=False, lead_row=rows.source_row(lead))
        else:
            rows.blame(person, "amount_fen", "household_incomplete", "error", cell=False)
    kept = refused & ~bad_cases[rows.case]
    for person in np.flatnonzero(kept & ~rows.lead).tolist():
        lead = int(owner[person])
        rows.blame(person, "", "member_refused", "notice", cell=False, lead_row=rows.source_row(lead))
