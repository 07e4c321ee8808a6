"""Reads by ADBC: a column's type must not depend on where its first value stands."""

from __future__ import annotations

from pathlib import Path

from tests.support import make_workspace


def test_late_first_value_keeps_its_type(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "w").open_store() as store:
        sql = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)"
            " SELECT i, CASE WHEN i = 70000 THEN 'x' END AS late FROM n"
        )
        table = store.arrow(sql)
    assert [str(kind) for kind in table.schema.types] == ["int64", "string"]
    assert table["late"][69999].as_py() == "x"
