"""Vectors of a list say what the same list read row by row says: values, households, figures, what is blamed."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiuzhu_cli.core.money import parse_amount
from jiuzhu_cli.intake import checks
from jiuzhu_cli.intake.cases import household_cases, refuse_with_lead
from jiuzhu_cli.intake.crosscheck import cross_check
from jiuzhu_cli.intake.rows import Rows, read_rows
from jiuzhu_cli.intake.table import Column, Table
from jiuzhu_cli.intake.vectors import Vector
from jiuzhu_cli.tabular.cells import CellError
from tests.intake import row_by_row
from tests.intake.sheets import TODAY, policy, sheet
from tests.support import make_id

FIELDS = (
    "serial_no", "case_code", "head_name", "head_id_no", "name", "id_no", "relation", "sex", "birth_date", "town", "village",
    "household_size", "covered_persons", "amount_fen", "base_fen", "income_fen", "payee_name", "payee_id_no", "account_no",
    "bank_name", "phone", "address", "start_month", "cause", "grade", "kin_filed",
)  # fmt: skip
NAMES = ("王小明", "李芳", "热依·石子", "欧阳 小明", "张三", None, "张 三")
ODD: tuple[Any, ...] = (
    None,
    "",
    " ",
    "-",
    3,
    2.5,
    True,
    date(2020, 1, 2),
    CellError("#N/A"),
    "a  b",
    '"引"号\\',
    "行\n二",
)


def _line(rng: random.Random, serial: int, house: int, head: int, own: int, figures: list[Any]) -> dict[str, Any]:
    """One row of a household whose head is ``head``; ``figures``: amount, size, account of the household."""
    full, is_head = own == head or rng.random() < 0.3, own == head
    amount, size, account = figures
    line: dict[str, Any] = {
        "serial_no": serial if full else None, "case_code": f"C{house}" if full else None, "name": rng.choice(NAMES),
        "head_name": NAMES[head % 3] if full else None, "head_id_no": make_id(head) if full else None, "id_no": make_id(own),
        "relation": "户主" if is_head else rng.choice(["妻子", "儿子", "女"]), "sex": rng.choice(["男", "女", None]),
        "birth_date": rng.choice([f"{make_id(own)[6:10]}-{make_id(own)[10:12]}-01", "2020.1", date(1990, 1, 1), None]),
        "town": "城关镇" if full else None, "village": "东风村" if full else None, "household_size": size if full else None,
        "covered_persons": size if full else None, "amount_fen": amount if full else None, "base_fen": amount if full else None,
        "income_fen": 120.5 if full else None, "payee_name": rng.choice(NAMES) if full else None,
        "payee_id_no": make_id(head) if full else None, "account_no": account if full else None,
        "bank_name": "农商行" if full else None, "phone": "13812345678" if full else None, "address": f"{house}组" if full else None,
        "start_month": "2022-05", "cause": "因病" if full else None, "grade": "A" if full else None, "kin_filed": "否",
    }  # fmt: skip
    if rng.random() < 0.1:
        line[rng.choice(FIELDS)] = rng.choice(ODD)
    return line


def _read(seed: int) -> Rows:
    """A random list of households, messy, as the cleaners leave it."""
    rng = random.Random(seed)
    lines: list[dict[str, Any]] = []
    person = 1
    for house in range(rng.choice([1, 3, 20, 60])):
        size = rng.randint(1, 4)
        head = person + (rng.randrange(size) if rng.random() < 0.2 else 0)
        figures = [rng.choice([300, 450.5, "600", None]), rng.choice([size, str(size), 1]), f"42100100{house:06d}"]
        lines += [_line(rng, len(lines), house, head, own, figures) for own in range(person, person + size)]
        person += size
        if rng.random() < 0.05:
            lines.append(dict(lines[-1]))
    order = [name for name in FIELDS if name in ("name", "id_no") or rng.random() < 0.6]
    rng.shuffle(order)
    data = [[line[name] for name in order] for line in lines]
    places = [at for at in range(len(data) * 2) if at % 2 == 0] if rng.random() < 0.3 else list(range(len(data)))
    spread: list[list[Any]] = [[] for _ in range(max(places) + 1)]
    for at, row in zip(places, data, strict=True):
        spread[at] = row
    columns = [Column(index, f"C{index}", name, name) for index, name in enumerate(order)]
    table = Table("表", 0, columns=columns, rows=np.array(places), kind="roll", code="subsistence_allowance")
    found = read_rows("表.xlsx", sheet(spread), table, None, policy().glossary, today=TODAY)
    found.issues.clear()
    return found


def _plain(rows: Rows) -> row_by_row.Plain:
    values = {name: vector.tolist() for name, vector in rows.values.items()}
    return row_by_row.Plain(rows.size, values, set(rows.columns), {n: dict(p) for n, p in rows.problems.items()})


def _told(rows: Rows) -> list[tuple[int, str, str]]:
    return sorted((issue.row, issue.field, issue.code) for issue in rows.issues)


@pytest.mark.parametrize("level", ["household", "person"])
@pytest.mark.parametrize("seed", range(60))
def test_households(seed: int, level: Any) -> None:
    rows = _read(seed)
    plain = _plain(rows)
    row_by_row.households(plain, {"amount_fen", "base_fen"} if level == "person" else set())
    household_cases(rows, today=TODAY, level=level)
    assert (rows.case.tolist(), rows.lead.tolist()) == (plain.case, plain.lead)
    assert {name: vector.tolist() for name, vector in rows.values.items()} == plain.values
    assert _told(rows) == sorted(plain.told)


@pytest.mark.parametrize("seed", range(60, 90))
def test_repeated_rows_and_the_person_against_the_id(seed: int) -> None:
    rows = _read(seed)
    plain = _plain(rows)
    checks.duplicates(rows)
    cross_check(rows)
    row_by_row.duplicates(plain)
    row_by_row.compare_with_id(plain)
    assert _told(rows) == sorted(plain.told)


@pytest.mark.parametrize("seed", range(90, 110))
def test_a_refused_lead_refuses_its_household_and_nobody_else(seed: int) -> None:
    rows = _read(seed)
    household_cases(rows, today=TODAY, level="household")
    rows.refused[:: 1 + seed % 5] = True
    bad = rows.refused.copy()
    refuse_with_lead(rows)
    cases = {case for case, lead, refused in zip(rows.case, rows.lead, bad, strict=True) if lead and refused}
    assert rows.refused.tolist() == [old or case in cases for old, case in zip(bad.tolist(), rows.case, strict=True)]


@given(st.lists(st.one_of(st.none(), st.integers(0, 5), st.integers(10**14, 10**15)), min_size=1), st.data())
def test_a_vector_is_a_list_of_its_values(values: list[int | None], data: st.DataObject) -> None:
    vector, plain = Vector.of(values, "amount_fen"), list(values)
    for _ in range(data.draw(st.integers(0, 4))):
        at, value = data.draw(st.integers(0, len(plain) - 1)), data.draw(st.one_of(st.none(), st.integers(0, 9)))
        vector[at] = plain[at] = value
        assert vector[at] == value
    assert vector == plain
    assert vector.total(vector.valid) == sum(value or 0 for value in plain)
    assert vector.blanks == plain.count(None)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(plain), max_size=len(plain))))
    assert vector.where(keep) == [value if kept else None for value, kept in zip(plain, keep.tolist(), strict=True)]
    assert vector.map(lambda value: None if value is None else value + 1) == [v if v is None else v + 1 for v in plain]
    seen = list(dict.fromkeys(value for value in plain if value is not None))
    assert vector.codes().tolist() == [-1 if value is None else seen.index(value) for value in plain]
    assert vector.times(Vector.of(plain, "amount_fen"), 100) == [
        v * v if v is not None and v <= 100 // max(v, 1) else None for v in plain
    ]


def test_amounts_of_a_whole_column_are_those_of_single_cells() -> None:
    cells = [300, "1,200.50", 0.1 + 0.2, -5, None, "无", 12.345, 10**15]
    lines = [["张三", make_id(at), cell] for at, cell in enumerate(cells)]
    columns = [Column(at, "ABC"[at], name, name) for at, name in enumerate(("name", "id_no", "amount_fen"))]
    table = Table("表", 0, columns=columns, rows=np.arange(len(lines)), kind="roll", code="old_age_allowance")
    rows = read_rows("表.xlsx", sheet(lines), table, None, policy().glossary, today=TODAY)
    read = [parse_amount(cell) for cell in cells]
    assert rows.values["amount_fen"] == [one.fen for one in read]
    assert rows.problems["amount_fen"] == {at: one.problem for at, one in enumerate(read) if one.problem}
