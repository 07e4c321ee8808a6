"""A known list written in habits mixed at random comes back: every row exact, or refused with the right cell and reason."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.intake.areas import Towns
from jiuzhu_cli.intake.find import find_tables
from jiuzhu_cli.intake.prepare import prepare_tables
from jiuzhu_cli.intake.table import Hints
from jiuzhu_cli.tabular.read import read_workbook
from tests.corpus.book import write
from tests.intake.lists import POLICY, TODAY, record, run
from tests.properties.habit_plan import ERRORS, HABITS, TOWN, Plan, random_plan, settled
from tests.properties.habit_writer import Expected, Writer
from tests.support import REGION, make_workspace

SEEDS = 250


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    habits = tuple((key, draw(st.sampled_from(options))) for key, options in HABITS.items())
    sizes = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=8)))
    mistake = st.tuples(st.integers(0, len(sizes) - 1), st.integers(0, 3), st.sampled_from(ERRORS))
    errors = tuple(draw(st.lists(mistake, max_size=2)))
    return settled(Plan(sizes, errors, draw(st.integers(0, 999)), habits))


def outcome(path: Path) -> tuple[Expected, list[str]]:
    """What the program makes of a file, and whatever else it says of rows and tables as errors."""
    book = read_workbook(path)
    tables, findings = find_tables(
        book, POLICY, hints=Hints(), region=REGION, towns=(), today=TODAY, file_name=path.name
    )
    found = Expected(",".join(sorted({table.code for table in tables})))
    told = [f"{f.code} {f.source.cell()}" for f in findings if f.severity == "error" or f.code == "row_not_read"]
    for prepared in prepare_tables(path.name, book.sheets, tables, POLICY, today=TODAY, towns=Towns(())):
        told += [f.code for f in prepared.findings if f.code.startswith("total_")]
        for finding in prepared.findings:
            if finding.severity == "error":
                source = finding.source
                found.refused.append((finding.code, source.cell() if source.column else str(source.row)))
        rows = prepared.rows
        if rows is None:
            continue
        ids, names, villages = rows.get("id_no"), rows.get("name"), rows.get("village")
        amounts, towns = rows.get("amount_fen"), rows.get("town")
        heads = {int(rows.case[at]): ids[at] for at in range(rows.size) if rows.lead[at]}
        for at in range(rows.size):
            if not rows.refused[at]:
                told += [f"town {towns[at]}"] if (towns[at] or prepared.area.partition("/")[0]) != TOWN else []
                key = prepared.table.month, ids[at]
                told += [f"twice {ids[at]}"] if key in found.persons else []
                fen = amounts[at] if rows.lead[at] else None
                found.persons[key] = names[at], villages[at] or None, heads[int(rows.case[at])], fen
    return found, told


def differences(plan: Plan, folder: Path) -> list[str]:
    """In words, where what comes back is not what was written; [] where all is well."""
    writer = Writer(plan)
    path = write(folder, writer.file())
    found, told = outcome(path)
    want = writer.expected
    out = list(told)
    if found.programme != want.programme:
        out.append(f"programme {found.programme}")
    for key in {**want.persons, **found.persons}:
        if want.persons.get(key) != found.persons.get(key):
            out.append(f"{key}: wanted {want.persons.get(key)}, found {found.persons.get(key)}")
    missing, more = Counter(want.refused) - Counter(found.refused), Counter(found.refused) - Counter(want.refused)
    out += [f"not refused: {one}" for one in missing] + [f"refused: {one}" for one in more]
    return out


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_list_in_random_habits(seed: int, tmp_path: Path) -> None:
    plan = random_plan(random.Random(seed))
    assert not differences(plan, tmp_path), plan


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_a_list_in_any_habits(plan: Plan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert not differences(plan, Path(folder)), plan


@pytest.mark.parametrize("seed", range(900, 930))
def test_a_list_in_random_habits_in_the_record(seed: int, tmp_path: Path) -> None:
    """The same through the whole import: what stands in the ledger afterwards."""
    plan = random_plan(random.Random(seed))
    writer = Writer(plan)
    path = write(tmp_path, writer.file())
    workspace = make_workspace(tmp_path / "ws")
    run(workspace, path)
    columns = "b.month, r.id_no, r.name, r.village, r.head_id_no, r.amount_fen, r.lead, r.town"
    found = {}
    for month, id_no, name, village, head, fen, lead, town in record(workspace, columns):
        assert (month, id_no) not in found
        assert town == TOWN
        found[month, id_no] = name, village or None, head if writer.per_home else id_no, fen if lead else None
    assert found == writer.expected.persons, plan
