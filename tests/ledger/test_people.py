"""Who is meant, and everything that is known of one person."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.mask import find_personal_numbers
from jiuzhu_cli.ledger.people import _NAMED, find_person, person_file
from jiuzhu_cli.ledger.store import Store
from tests.support import make_id, make_workspace, put_register, put_roll

ONE, TWO, THREE = make_id(1), make_id(2), make_id(3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = make_workspace(tmp_path / "bureau").open_store()
    put_roll(
        store,
        "subsistence_allowance",
        "青溪镇",
        "2026-10",
        [
            {"id_no": ONE, "name": "王小明", "amount_fen": 100, "case_no": 1},
            {"id_no": TWO, "name": "王小明", "case_no": 1, "lead": 0, "relation": "子"},
            {"id_no": THREE, "name": "买买提·艾力", "amount_fen": 200, "case_no": 2},
        ],
    )
    put_register(store, "death", [{"id_no": make_id(4), "name": "名单上人", "event_date": "2026-01-01"}])
    return store


@pytest.mark.parametrize(
    ("text", "id_no"),
    [
        (ONE, ONE),
        (f" {ONE.lower()} ", ONE),
        (f"王小明{TWO[-4:]}", TWO),
        (f"王小明 {TWO[-4:].lower()}", TWO),
        (f"{ONE[-4:]} 王小明", ONE),
        ("买买提•艾力", THREE),
        ("名单上人", make_id(4)),
    ],
)
def test_found(store: Store, text: str, id_no: str) -> None:
    assert find_person(store, text).id_no == id_no


def test_several_are_listed_masked(store: Store) -> None:
    with pytest.raises(UsageError, match="2 个人") as caught:
        find_person(store, "王小明")
    assert find_personal_numbers(caught.value.message) == []
    assert "王小明" not in caught.value.message


@pytest.mark.parametrize("text", ["无此人", make_id(99), "421002197001010031", "", "王小明0000", "1234"])
def test_nobody(store: Store, text: str) -> None:
    with pytest.raises(UsageError):
        find_person(store, text)


def test_search_by_name_reads_the_index_only(store: Store) -> None:
    sql = "SELECT row_id FROM roll_row INDEXED BY roll_person WHERE name_key = 1"
    plan = [row["detail"] for row in store.query(f"EXPLAIN QUERY PLAN {_NAMED.format(kind='roll')}", ("王小明", ""))]
    assert plan[0] == store.query(f"EXPLAIN QUERY PLAN {sql}")[0]["detail"] and "INDEX roll_person" in plan[0]
    assert any("SEARCH r USING INTEGER PRIMARY KEY" in line for line in plan)
    steps = store.query(f"EXPLAIN {sql}")  # the key is taken from the index, the row is never gone to
    index = {row["p1"] for row in steps if row["opcode"] == "OpenRead" and str(row["p4"]).startswith("k(")}
    assert {row["p1"] for row in steps if row["opcode"] == "Column"} == index


def test_file(store: Store) -> None:
    put_roll(store, "old_age_allowance", "青溪镇", "2026-09", [{"id_no": ONE, "name": "王小明", "amount_fen": 5000}])
    put_register(
        store,
        "staff_and_cadres",
        [{"id_no": make_id(9), "name": "干部", "related_id_no": ONE, "related_name": "王小明"}],
    )
    file = person_file(store, ONE)
    assert [(r["programme"], r["month"], r["amount_fen"]) for r in file["rolls"]] == [
        ("subsistence_allowance", "2026-10", 100),
        ("old_age_allowance", "2026-09", 5000),
    ]
    assert {m["id_no"] for m in file["members"]} == {ONE, TWO}
    assert [r["register"] for r in file["registers"]] == ["staff_and_cadres"]
    assert {e["entity"] for e in file["events"]} >= {"batch:1"}
    assert file["payments"] == []
