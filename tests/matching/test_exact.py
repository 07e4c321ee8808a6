from __future__ import annotations

import duckdb

from jiuzhu_cli.matching.engine import find_pairs
from jiuzhu_cli.matching.keys import EXACT, MatchKey
from tests.support import make_id

PEOPLE = [(0, make_id(1), "张三"), (1, make_id(2), "张三"), (2, make_id(1), "张叁"), (3, None, "张三"), (4, "", "李四"), (5, make_id(1), "张三")]  # fmt: skip


def test_one_id_is_one_person_and_pairs_keep_their_key() -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE people (row INTEGER, id_no VARCHAR, name VARCHAR)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", PEOPLE)
        assert find_pairs(connection, "people") == [(0, 2, "id_no", "exact"), (0, 5, "id_no", "exact")]
        by_name = (*EXACT, MatchKey("name", "candidate", "r.name"))
        assert find_pairs(connection, "people", by_name) == [
            (0, 1, "name", "candidate"),
            (0, 2, "id_no", "exact"),
            (0, 3, "name", "candidate"),
            (0, 5, "id_no", "exact"),
        ]
