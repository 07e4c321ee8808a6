"""Spark gives the same persons and the same pairs, from Parquet files and others."""

from __future__ import annotations

from pathlib import Path

import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jiuzhu_cli.matchlists import match_lists
from jiuzhu_cli.policy.load import load_policy
from tests.matching.people import HARD, make_lists
from tests.spark import needs_spark


@needs_spark
def test_same_pairs_from_files_of_two_districts(tmp_path: Path) -> None:
    records = make_lists(900, HARD, 17).records
    first, second, third = tmp_path / "甲区.parquet", tmp_path / "乙区.parquet", tmp_path / "丙区.csv"
    pq.write_table(records.slice(0, 400), first, row_group_size=150)
    pq.write_table(records.slice(400, 300).select(["name", "id_no", "phone"]), second)
    pacsv.write_csv(records.slice(700), third)
    answers = []
    for engine in ("duckdb", "spark"):
        out, pairs = tmp_path / f"{engine}.csv", tmp_path / f"{engine}-pairs.csv"
        told = match_lists([first, second, third], load_policy(), out=out, pairs=pairs, engine=engine)
        answers.append((out.read_bytes(), pairs.read_bytes(), told.persons, told.by_key))
    assert len(answers[0][3]) >= 5, "candidates of many kinds"
    assert answers[0] == answers[1]
