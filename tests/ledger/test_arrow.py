"""Reads by ADBC: a column's type must not depend on where its first value stands, nor the memory asked for on the largest of ledgers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jiuzhu_cli.ledger import store as stores
from tests.support import make_workspace


@pytest.mark.parametrize("rows", [stores.BATCH_ROWS, 1000])
def test_late_first_value_keeps_its_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(stores, "BATCH_ROWS", rows)
    with make_workspace(tmp_path / "w").open_store() as store:
        sql = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)"
            " SELECT i, CASE WHEN i = 70000 THEN 'x' END AS late FROM n"
        )
        table = store.arrow(sql)
    assert [str(kind) for kind in table.schema.types] == ["int64", "string"]
    assert table["late"][69999].as_py() == "x"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the system")
def test_a_small_ledger_is_read_on_a_small_machine(tmp_path: Path) -> None:
    """8 GB were set aside for every column: a desktop without them, or with all of it promised to others, ended without a word."""
    with make_workspace(tmp_path / "w").open_store():
        pass
    program = (
        "import resource, sys; from pathlib import Path; from jiuzhu_cli.ledger.workspace import find_workspace\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "with find_workspace(Path(sys.argv[1]), explicit=True).open_store() as store:\n"
        "    print(store.arrow('SELECT name, sql FROM sqlite_schema').num_rows)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "w")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= 1
