"""Columns of a row against one another: sex, birth date, age, disability certificate against the ID; dates in order; sizes.

All of it only warns: which of two statements is wrong a program cannot know. Sums in figures and in words (大写) that differ
refuse the row: what would be paid is in doubt.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import last_day
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.clean import DISABILITY_KINDS, GRADES
from jiuzhu_cli.intake.letters import bytes_of
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.intake.vectors import Vector, is_true

_CERTIFICATE = "视力 听力 言语 肢体 智力 精神 多重".split()  # kinds 1–7, policy-reference §4
_GRADES = "一级 二级 三级 四级".split()


def cross_check(rows: Rows) -> None:
    """Sex, birth date and disability certificate against the ID: warnings. Fills kind and grade from the certificate."""
    with_id, chars = bytes_of(rows.get("id_no").array, 18)
    stated = rows.get("sex")
    if stated.blanks < rows.size:
        men, women = (is_true(pc.equal(stated.array, word))[with_id] for word in ("男", "女"))
        odd, digit = chars[:, 16] % 2 == 1, chars[:, 16] - np.uint8(48) <= 9
        for person in with_id[digit & np.where(odd, women, men)].tolist():
            rows.blame(person, "sex", "sex_differs", "warning")
    born = rows.get("birth_date")
    if born.blanks < rows.size:
        dated, written = bytes_of(born.take(with_id).array, 10)
        same_digits = written[:, [0, 1, 2, 3, 5, 6, 8, 9]] == chars[dated, 6:14]
        # 1980年3月 is read as the first of the month
        first = (written[:, 8:] == np.frombuffer(b"01", dtype=np.uint8)).all(axis=1) & same_digits[:, :6].all(axis=1)
        for person in with_id[dated[~(same_digits.all(axis=1) | first)]].tolist():
            rows.blame(person, "birth_date", "birth_differs", "warning")
    _split_kind_and_grade(rows)
    if "disability_no" in rows.columns:
        certificates(rows)


def certificates(
    rows: Rows, number: str = "disability_no", kind_of: str = "disability_kind", grade_of: str = "disability_grade"
) -> None:
    """A disability certificate is the ID, kind 1–7, grade 1–4, perhaps B and a serial for a replacement (policy-reference §4)."""
    ids, numbers = rows.get("id_no"), rows.get(number)
    kinds, grades = rows.get(kind_of), rows.get(grade_of)
    agreeing, kind_told, grade_told = _agreeing(numbers, ids)
    differs = (kinds.valid & ~kinds.equals(kind_told)) | (grades.valid & ~grades.equals(grade_told))
    plain = agreeing & ~differs
    rows.values[number] = numbers
    kinds = rows.values[kind_of] = kinds.filled(kind_told.where(plain))
    grades = rows.values[grade_of] = grades.filled(grade_told.where(plain))
    for person in np.flatnonzero(numbers.valid & ~plain).tolist():
        flat = compact(numbers[person]).upper()
        numbers[person], id_no = flat, ids[person]
        if (
            len(flat) < 20
            or flat[18] not in "1234567"
            or flat[19] not in "1234"
            or not (len(flat) == 20 or flat[20] == "B")
        ):
            if flat != id_no:  # some write the ID itself
                rows.blame(person, number, "disability_no_format", "warning")
            continue
        if id_no and flat[:18] != id_no:
            rows.blame(person, number, "disability_no_differs", "warning")
            continue
        kind, grade = _CERTIFICATE[int(flat[18]) - 1], _GRADES[int(flat[19]) - 1]
        if grades[person] is None:
            grades[person] = grade
        elif grades[person] != grade:
            rows.blame(person, grade_of, "disability_grade_differs", "warning", certificate=grade)
        if kinds[person] is None:
            kinds[person] = kind
        elif kinds[person] in _CERTIFICATE and kinds[person] != kind:
            rows.blame(person, kind_of, "disability_kind_differs", "warning", certificate=kind)


def _agreeing(numbers: Vector, ids: Vector) -> tuple[np.ndarray, Vector, Vector]:
    """Which numbers are the row's ID, a kind and a grade and nothing more, and the kinds and grades of these."""
    at, chars = bytes_of(numbers.array, 20)
    known, own = bytes_of(ids.take(at).array, 18)
    at, chars = at[known], chars[known]
    kind, grade = chars[:, 18] - np.uint8(49), chars[:, 19] - np.uint8(49)
    good = (chars[:, :18] == own).all(axis=1) & (kind < len(_CERTIFICATE)) & (grade < len(_GRADES))
    agreeing = np.zeros(len(numbers), dtype=bool)
    agreeing[at[good]] = True
    told = []
    for words, index in ((_CERTIFICATE, kind), (_GRADES, grade)):
        places = np.full(len(numbers), -1, dtype=np.int64)
        places[at[good]] = index[good]
        told.append(Vector.of(words).take(places))
    return agreeing, told[0], told[1]


def _split_kind_and_grade(rows: Rows) -> None:
    """肢体二级 in one column: kind and grade."""
    both = rows.values.get("disability_kind_grade")
    if both is None:
        return
    kinds, grades = rows.get("disability_kind").tolist(), rows.get("disability_grade").tolist()
    for person, text in enumerate(both):
        if text is None:
            continue
        flat = compact(text)
        kind = next((DISABILITY_KINDS[w] for w in _KIND_WORDS if w in flat), None)
        grade = next((GRADES[w] for w in _GRADE_WORDS if w in flat), None)
        if kind is None or grade is None:
            rows.blame(person, "disability_kind_grade", "disability_grade_unknown", "warning")
        kinds[person], grades[person] = kinds[person] or kind, grades[person] or grade
    rows.values["disability_kind"], rows.values["disability_grade"] = kinds, grades


_KIND_WORDS = sorted((word for word in DISABILITY_KINDS if not word.isdigit()), key=len, reverse=True)
_GRADE_WORDS = sorted((word for word in GRADES if word.endswith("级")), key=len, reverse=True)


def dates_and_ages(rows: Rows, today: date) -> None:
    """Age against the ID (a year less, two more: 虚岁), an event before birth or after today, a start after the list's month, an end before
    its beginning."""
    with_id, chars = bytes_of(rows.get("id_no").array, 18)
    day = last_day(rows.table.month[-7:]) if rows.table.month else today
    age = rows.get("age")
    if age.blanks < rows.size and len(with_id):
        digits = (chars[:, 6:14] - np.uint8(48)).astype(np.int64)
        born = digits @ 10 ** np.arange(7, -1, -1, dtype=np.int64)
        full = (day.year * 10000 + day.month * 100 + day.day - born) // 10000
        over = age.numbers[with_id] - full
        wrong = age.valid[with_id] & ((over < -1) | (over > 2))
        for person in with_id[wrong].tolist():
            rows.blame(person, "age", "age_differs", "warning")
    for name in ("event_date", "approved_on", "valid_from"):
        told = rows.get(name)
        if told.blanks == rows.size:
            continue
        if name != "valid_from":
            for person in np.flatnonzero(is_true(pc.greater(told.array, today.isoformat()))).tolist():
                rows.blame(person, name, "date_future", "warning")
        months = pc.utf8_slice_codeunits(told.take(with_id).array, 0, 7)
        for person in with_id[is_true(pc.less(months, _birth_months(rows, with_id)))].tolist():
            rows.blame(person, name, "date_before_birth", "warning")
    started = rows.get("start_month")
    if rows.table.month and started.blanks < rows.size:
        for person in np.flatnonzero(is_true(pc.greater(started.array, rows.table.month[-7:]))).tolist():
            rows.blame(person, "start_month", "start_after_list", "warning", list_month=rows.table.month)
    first, last = rows.get("valid_from"), rows.get("valid_to")
    if first.blanks < rows.size and last.blanks < rows.size:
        for person in np.flatnonzero(is_true(pc.less(last.array, first.array))).tolist():
            rows.blame(person, "valid_to", "dates_reversed", "warning")


def _birth_months(rows: Rows, with_id: np.ndarray) -> pa.Array:
    ids = rows.get("id_no").take(with_id).array
    year, month = pc.utf8_slice_codeunits(ids, 6, 10), pc.utf8_slice_codeunits(ids, 10, 12)
    return pc.binary_join_element_wise(year, month, "-")


def household_sizes(rows: Rows) -> None:
    """A household that lists more members than it says it has, or has more covered than members. Call when cases are formed."""
    size, covered = rows.get("household_size"), rows.get("covered_persons")
    if size.blanks == rows.size or not len(rows.case):
        return
    listed = np.bincount(rows.case, weights=~rows.refused, minlength=int(rows.case.max()) + 1).astype(np.int64)[
        rows.case
    ]
    more = np.maximum(listed, np.where(covered.valid, covered.numbers, 0))
    for person in np.flatnonzero(rows.lead & size.valid & (more > size.numbers)).tolist():
        rows.blame(
            person, "household_size", "household_size_differs", "warning", stated=size[person], listed=int(more[person])
        )


def amounts_in_words(rows: Rows) -> None:
    """金额大写 against 金额: the row is refused where they differ; alone it is the amount."""
    words = rows.values.get("amount_words")
    if words is None:
        return
    amounts = rows.values.get("amount_fen")
    if amounts is None:
        rows.values["amount_fen"] = words
        rows.columns["amount_fen"] = rows.columns["amount_words"]
        rows.problems["amount_fen"] = dict(rows.problems.get("amount_words", {}))
        return
    for person in np.flatnonzero(is_true(pc.not_equal(amounts.array, words.array))).tolist():
        figures, written = yuan(amounts[person]), yuan(words[person])
        rows.blame(person, "amount_words", "amount_words_differ", "error", figures=figures, words=written)
