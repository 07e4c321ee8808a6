"""Which rows are one household, who leads it, and its figures standing once.

Evidence for a household, strongest first: merged cells, the household's code, the head's ID, 户主/本人 in 与户主关系 or a
new head's name, household columns that are blank on the members' rows. Nothing is guessed: where an amount may be the
household's or each person's and neither header, blanks nor the stated total tell, the table is refused with a question.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.members import expand_members
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.intake.vectors import Vector, codes_of, is_true

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
    _merged_amounts(rows)


def _merged_amounts(rows: Rows) -> None:
    """An amount merged over the rows of several persons says nobody's share: each of them is refused."""
    column = rows.columns.get("amount_fen")
    for top, left, bottom, right in rows.sheet.merged if column is not None else ():
        if column is not None and bottom > top and left <= column.index <= right:
            first, stop = np.searchsorted(rows.table.rows, [top, bottom + 1]).tolist()
            for person in range(first, stop) if stop - first > 1 else ():
                rows.blame(person, "amount_fen", "amount_merged", "error")


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
    if not rows.size:
        plain_cases(rows)
        return
    by_relation = _say_head(rows.get("relation"))
    rows.case = _group(rows, by_relation, attached)
    heads = _heads(rows, by_relation, attached)
    counts = np.bincount(rows.case)
    said = _first(rows.case, np.flatnonzero(heads), len(counts))
    ids = rows.get("id_no")
    others = np.flatnonzero(heads & (said[rows.case] != np.arange(rows.size)))
    for person in others.tolist():
        if ids[person] != ids[int(said[rows.case[person]])]:
            rows.blame(person, "relation", "household_two_heads", "warning")
    lead_of = np.where(said < 0, _first(rows.case, np.arange(rows.size), len(counts)), said)
    rows.lead = np.zeros(rows.size, dtype=bool)
    rows.lead[lead_of] = True
    rows.owner = lead_of[rows.case]
    joining = _join_known(rows, lead_of, known_heads)
    rows.lists_members = bool((counts > 1).any())
    summed = personal_amounts(rows, level, standard)
    if not rows.table.fatal and rows.lists_members:
        _settle(rows, summed)
    for name in SHARED_FIELDS:
        values = rows.values.get(name)
        if values is not None and values.blanks and rows.lists_members:
            rows.values[name] = values.filled(values.take(rows.owner))
    _name_heads(rows)
    if rows.lists_members:
        _count_persons(rows, lead_of, counts)
    if joining:
        rows.lead[joining] = False
        for name in CASE_FIELDS:
            if name in rows.values:
                for person in joining:
                    rows.values[name][person] = None
    rows.personal = bool(summed)


def _first(groups: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """The first of ``rows`` (ascending) in each of ``size`` groups, -1 where there is none."""
    out = np.full(size, -1, dtype=np.int64)
    out[groups[rows[::-1]]] = rows[::-1]
    return out


def _join_known(rows: Rows, lead_of: np.ndarray, known_heads: frozenset[str]) -> list[int]:
    """Leads that only stand in for a head who is on the roll already."""
    if not known_heads:
        return []
    ids, head_ids = rows.get("id_no"), rows.get("head_id_no")
    return [one for one in lead_of.tolist() if head_ids[one] in known_heads and head_ids[one] != ids[one]]


# which rows belong together --------------------------------------------------------------------------------


def _group(rows: Rows, heads: np.ndarray, attached: np.ndarray) -> np.ndarray:
    """Household number of each person, in order of appearance; those ``attached`` belong to the row above."""
    if _tells_households(rows.get("case_code")):
        keys = _keyed(rows, "case_code", heads)
    elif "head_id_no" in rows.columns and rows.columns["head_id_no"] is not rows.columns.get("id_no"):
        keys = _keyed(rows, "head_id_no", heads)
    else:
        starts = _starts(rows, heads)
        if "head_id_no" in rows.columns:  # the rows are heads, members stand in cells beside them
            starts |= rows.get("id_no").valid | rows.get("head_name").valid | rows.get("amount_fen").valid
            starts[list(rows.problems.get("id_no", {}))] = True
        keys = _carry(np.where(starts, np.arange(rows.size), -1))
    _join_merged(rows, keys)
    return codes_of(pa.array(keys[_last(~attached)])).astype(np.int64)


def _last(known: np.ndarray) -> np.ndarray:
    """For each row the last one up to it that is ``known``; the first row where there is none."""
    return np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))


def _carry(keys: np.ndarray) -> np.ndarray:
    """A blank (-1) is as above."""
    return np.asarray(keys[_last(keys >= 0)])


def _join_merged(rows: Rows, keys: np.ndarray) -> None:
    """Cells merged over several rows make those rows one household, whatever else they say."""
    if rows.table.blocks is None or not len(rows.table.blocks):
        return
    blocks = rows.table.blocks[rows.origin]
    unused = int(keys.max()) + 1
    for index in (np.flatnonzero(blocks[1:] == blocks[:-1]) + 1).tolist():
        # the first of its merged rows may have been taken for a member of the household above
        if index >= 2 and blocks[index - 2] != blocks[index] and keys[index - 1] == keys[index - 2]:
            keys[index - 1] = unused + int(blocks[index])
        keys[index] = keys[index - 1]


def _tells_households(codes: Vector) -> bool:
    """A code repeated or left blank on some rows is the household's; one that differs on every row tells nothing."""
    told = len(codes) - codes.blanks
    return bool(told) and (bool(codes.blanks) or int(codes.codes().max()) + 1 < told)


def _keyed(rows: Rows, name: str, heads: np.ndarray) -> np.ndarray:
    """By a column's value; a blank is as above, unless the row is a head's own."""
    values = rows.get(name)
    own = heads.copy()
    own[0] = True
    keys = values.filled(rows.get("id_no").where(own)).codes().astype(np.int64)
    alone = own & (keys < 0)
    keys[alone] = int(keys.max()) + 1 + np.flatnonzero(alone)
    return _carry(keys)


def _say_head(words: Vector) -> np.ndarray:
    """Which kinship words say head of the household."""
    if words.blanks == len(words):
        return np.zeros(len(words), dtype=bool)
    heads = [word for word in words.distinct() if word is not None and compact(word) in HEAD_WORDS]
    return is_true(pc.is_in(words.array, pa.array(heads, type=pa.string())))


def _starts(rows: Rows, heads: np.ndarray) -> np.ndarray:
    """Where a household begins, told by relation, head's name and household columns that are blank on members' rows."""
    relation, head_name = rows.get("relation"), rows.get("head_name")
    kin = relation.valid & ~heads
    markers = [rows.values[name].valid for name in _MARKERS if name in rows.values]
    markers = [filled for filled in markers if not filled.all()]
    if kin.any():  # only columns that are blank on most members' rows say anything
        markers = [filled for filled in markers if filled[kin].sum() <= 0.2 * kin.sum()]
    told = "relation" in rows.columns and bool(heads.any())
    filled = np.sum(markers, axis=0) if markers else np.zeros(rows.size, dtype=np.int64)
    fresh = heads.copy()
    fresh[0] = True
    named = head_name.valid
    if told:
        fresh |= ~named & ~kin & ((filled > 0) | (not markers))
    if not told and "head_name" not in rows.columns:
        # without any word of kinship two blank household columns are needed to make a member of a row
        fresh |= (filled > 0) | (len(markers) < 2)
    elif markers:
        fresh |= kin & (filled * 2 >= len(markers)) & (filled > 1)
    # a head's name other than that of the last row that began a household or bore a name
    above = np.append(0, _last(fresh | named)[:-1])
    names = head_name.codes()
    return np.asarray(fresh | (named & (names != names[above])))


def _heads(rows: Rows, by_relation: np.ndarray, attached: np.ndarray) -> np.ndarray:
    """Rows that are their household's head: by relation, else by the head's ID, else by the head's name."""
    found = by_relation
    for own, head in (("id_no", "head_id_no"), ("name", "head_name")):
        known = np.zeros(int(rows.case.max()) + 1, dtype=bool)
        known[rows.case[found]] = True
        found = found | (rows.get(own).equals(rows.get(head)) & ~known[rows.case])
    return np.asarray(found & ~attached)


# figures ---------------------------------------------------------------------------------------------------


def personal_amounts(
    rows: Rows, level: AmountLevel, standard: Callable[[str | None], int | None] | None = None
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
        valid = values.valid
        doubled = np.flatnonzero(~rows.lead & valid & valid[rows.owner])
        repeated = len(doubled) > 0
        told = level or rows.columns[name].level
        stated = _told_by_total(rows, name, values) if repeated and not level else ""
        disputed = bool(told and stated and told != stated)  # the header says one thing, the table's total another
        if not told and repeated:
            told = stated or _told_by_difference(rows, values, doubled)
            told = told or _told_by_arithmetic(rows, values, np.unique(rows.owner[doubled]), standard)
            if name == "amount_fen":
                rows.table.amount_level = told
        if (not told and repeated) or disputed:
            rows.blame(-1, name, "amount_level_unknown", "error", header=rows.columns[name].header)
            rows.table.fatal = True
        if told == "person":
            summed.add(name)
    return summed


def _told_by_total(rows: Rows, name: str, values: Vector) -> AmountLevel:
    stated = rows.table.stated_total_fen
    if name != "amount_fen" or stated is None:
        return ""
    all_rows = values.total(values.valid)
    first = _first(rows.case, np.flatnonzero(values.valid), int(rows.case.max()) + 1)
    once = values.total(first[first >= 0])
    if all_rows == once:
        return ""
    return "person" if stated == all_rows else "household" if stated == once else ""


def _told_by_difference(rows: Rows, values: Vector, doubled: np.ndarray) -> AmountLevel:
    """Persons' amounts differ within most households; a household's amount repeated does not."""
    number, owner = values.numbers, rows.owner[doubled]
    differing = owner[number[doubled] != number[owner]]
    return "person" if len(np.unique(differing)) * 2 > len(np.unique(owner)) else ""


def _told_by_arithmetic(
    rows: Rows, values: Vector, leads: np.ndarray, standard: Callable[[str | None], int | None] | None
) -> AmountLevel:
    """The repeated amounts against what top-up (标准 × 人数 − 月收入) or one-person households' grades would give.

    Four households in five must fit one reading, and not one in five the other.
    """
    counts = np.bincount(rows.case)[rows.case]
    covered = rows.get("covered_persons")
    alone = rows.lead & (counts == 1) & (~covered.valid | (covered.numbers <= 1))
    single = set(values.take(np.flatnonzero(alone)).distinct())
    asked = ("covered_persons", "household_size", "income_fen", "income_period", "category")
    stated, sizes, income, periods, category = (rows.get(name).take(leads).tolist() for name in asked)
    whole = each = judged = 0
    for place, (amount, listed) in enumerate(zip(values.take(leads), counts[leads].tolist(), strict=True)):
        persons = stated[place] or listed
        if amount is None or persons < 2:
            continue
        line = standard(category[place]) if standard is not None else None
        if line is not None and income[place] is not None and periods[place] is not None:
            monthly = income[place] / (12 if periods[place] == "year" else 1)
            gap = line * persons - monthly * persons / (sizes[place] or persons)
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


def _settle(rows: Rows, summed: set[str]) -> None:
    """Figures move to the lead row. Repeated ones must agree; the lead's stands and a conflict is said."""
    member = ~rows.lead
    for name in CASE_FIELDS:
        values = rows.values.get(name)
        if values is None or not (valid := values.valid)[member].any():
            continue
        on_members = np.flatnonzero(member & valid)
        owner = rows.owner[on_members]
        free = rows.lead & ~valid  # leads whose blank a member's value may fill
        free[list(rows.problems.get(name, ()))] = False
        source = _first(rows.owner, on_members, rows.size)
        settled = values.where(~(free & (source >= 0)), values.take(source))
        if name in summed:
            summing = settled.valid[owner]
            total = np.where(valid & rows.lead, values.numbers, 0)
            np.add.at(total, owner[summing], values.numbers[on_members[summing]])
            differs = ~summing
            settled = Vector(pa.array(total, mask=~settled.valid))
        else:
            differs = ~values.take(on_members).equals(settled.take(owner))
        blamed = _first(rows.owner, on_members[differs], rows.size)
        for person in np.sort(blamed[blamed >= 0]).tolist():
            lead_row = rows.source_row(int(rows.owner[person]))
            rows.blame(person, name, "household_value_conflict", "warning", lead_row=lead_row)
        rows.values[name] = settled.where(rows.lead)


def _name_heads(rows: Rows) -> None:
    """Every row of a household says who its head is."""
    ids, names = rows.get("id_no"), rows.get("name")
    head_ids, head_names = rows.get("head_id_no"), rows.get("head_name")
    lead = np.flatnonzero(rows.lead)
    of_lead = np.zeros(rows.size, dtype=np.int64)
    of_lead[lead] = np.arange(len(lead))
    of_lead = of_lead[rows.owner]  # each row's household among the leads
    lead_ids, lead_names, stated = ids.take(lead), names.take(lead), head_names.take(lead)
    if head_ids.blanks:
        own = lead_ids.where(~stated.valid | stated.equals(lead_names))
        head_ids = head_ids.filled(head_ids.take(lead).filled(own).take(of_lead))
    if head_names.blanks:
        own = lead_names.where(head_ids.take(lead).alike(lead_ids))
        told = stated.take(of_lead).filled(lead_names.take(of_lead).where(head_ids.alike(lead_ids.take(of_lead))))
        below = np.arange(rows.size) > rows.owner
        head_names = head_names.filled(told.filled(own.take(of_lead).where(below)))
    rows.values["head_id_no"], rows.values["head_name"] = head_ids, head_names


def _count_persons(rows: Rows, leads: np.ndarray, counts: np.ndarray) -> None:
    """In a list of members the covered persons are those listed, where the list does not state them."""
    covered = rows.get("covered_persons")
    stated, told = covered.numbers[leads], covered.valid[leads]
    for case in np.flatnonzero(told & (counts > 1) & (stated != counts)).tolist():
        numbers: dict[str, Any] = {"stated": int(stated[case]), "listed": int(counts[case])}
        rows.blame(int(leads[case]), "covered_persons", "covered_persons_differ", "warning", **numbers)
    listed = np.zeros(rows.size, dtype=np.int64)
    listed[leads] = counts
    rows.values["covered_persons"] = covered.filled(Vector(pa.array(listed, mask=~rows.lead)))


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
