"""Persons found by the keys that the record computes: never too few, never somebody else, and by the index."""

from __future__ import annotations

import random

import pytest

from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.ledger.identities import standing_at, standing_from
from jiuzhu_cli.ledger.keys import id_between, id_key, name_key, related_to, same_id
from jiuzhu_cli.ledger.people import find_person, names_beside
from jiuzhu_cli.ledger.store import Store
from tests.support import make_id, make_workspace, put_register, put_roll

NAMES = ("王小明", "李", "𬎆𬎆", "阿依古丽·买买提", "Ａ", "張㐱", "欧阳娜娜", "?", "买买提·阿依古丽")


def with_code(id_no: str, region: str) -> str:
    """The same birth date and sequence number, first issued elsewhere: the same key."""
    return next(whole for digit in "0123456789X" if parse_id(whole := region + id_no[6:17] + digit).ok)


@pytest.fixture
def store(tmp_path):
    with make_workspace(tmp_path / "w").open_store() as opened:
        yield opened


def test_people_of_one_key_are_told_apart(store: Store) -> None:
    here = make_id(5)
    there = with_code(here, "530824" if not here.startswith("530824") else "421002")
    assert here != there and here[8:17] == there[8:17]
    put_roll(
        store,
        "old_age_allowance",
        "甲镇",
        "2026-10",
        [{"id_no": here, "name": "王小明"}, {"id_no": there, "name": "李四"}],
    )
    put_register(
        store,
        "staff_and_cadres",
        [{"id_no": make_id(6), "name": "干部", "related_id_no": there, "related_name": "李四"}],
    )
    assert find_person(store, here).names == ("王小明",) and find_person(store, there).names == ("李四",)
    assert names_beside(store, there) == {"李四", "干部"} and names_beside(store, here) == {"王小明"}
    assert [one.id_no for one in standing_at(store, {here})] == [here]
    assert {one.id_no for one in standing_at(store, {here, there})} == {here, there}


def test_every_stem_finds_whoever_begins_so(store: Store) -> None:
    ids = sorted({make_id(n) for n in range(1, 60)})
    put_roll(store, "old_age_allowance", "甲镇", "2026-10", [{"id_no": one, "name": "某人"} for one in ids])
    for one in random.Random(7).sample(ids, 8):
        for length in (6, 9, 14, 15, 17, 18):
            stem = one[:length].rstrip("X")
            assert [s.id_no for s in standing_from(store, {stem})] == [i for i in ids if i.startswith(stem)], stem


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_by_its_key(store: Store, name: str) -> None:
    put_roll(
        store,
        "old_age_allowance",
        "甲镇",
        "2026-10",
        [{"id_no": make_id(n + 1), "name": one} for n, one in enumerate(NAMES)],
    )
    found = store.query(f"SELECT name FROM roll_row WHERE name_key = {name_key('?1')} AND name = ?1", (name,))
    assert [row[0] for row in found] == [name]
    assert store.query(f"SELECT {name_key('?1')} BETWEEN 0 AND 8388607", (name,))[0][0] == 1


def test_searches_go_by_the_index(store: Store) -> None:
    for sql, index in (
        (f"SELECT 1 FROM roll_row r WHERE {same_id('r', '?1')}", "roll_person"),
        (f"SELECT 1 FROM register_row r WHERE {same_id('r', '?1')}", "register_person"),
        (f"SELECT 1 FROM register_row r WHERE {related_to('r', '?1')}", "register_related"),
        (f"SELECT 1 FROM roll_row r WHERE {id_between('r', make_id(1)[:15])} AND ?1 IS NOT NULL", "roll_person"),
    ):
        assert f"INDEX {index}" in store.query(f"EXPLAIN QUERY PLAN {sql}", (make_id(1),))[0]["detail"], sql
    assert id_key("x") in same_id("r", "x")
