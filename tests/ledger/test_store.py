"""The record under faults: two writers, a newer version, a broken file, an edited journal, a full disk."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import DataError, RefusedError
from jiuzhu_cli.ledger import snapshot
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.snapshot import open_snapshot
from jiuzhu_cli.ledger.store import SCHEMA_VERSION, Store
from tests.support import make_id, make_workspace, put_register, put_roll


def row(serial: int, fen: int = 69000) -> dict[str, object]:
    return {"id_no": make_id(serial), "name": "某人", "amount_fen": fen}


def test_a_rolled_back_transaction_leaves_nothing(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "w").open_store() as store:
        with pytest.raises(KeyboardInterrupt), store.transaction(actor="甲", command="t") as tx:
            tx.journal("x", {"a": 1})
            raise KeyboardInterrupt
        assert store.query("SELECT COUNT(*) FROM journal")[0][0] == 0
        with store.transaction(actor="甲", command="t") as tx:
            tx.journal("x", {"a": 1})
        assert store.check_journal() == []


def test_journal_cannot_be_rewritten_and_an_edit_is_found(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    with work.open_store() as store:
        for number in range(3):
            with store.transaction(actor="甲", command="t") as tx:
                tx.journal("x", {"n": number})
        for sql in (
            "UPDATE journal SET actor='乙'",
            "DELETE FROM journal",
            "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq=1",
        ):
            with pytest.raises(sqlite3.IntegrityError), store.transaction(actor="甲", command="t") as tx:
                tx.execute(sql)
    with sqlite3.connect(work.ledger_path) as raw:
        raw.executescript("DROP TRIGGER journal_no_update; UPDATE journal SET actor='乙' WHERE seq=2;")
    with work.open_store() as store:
        assert store.check_journal() == [2]
        assert any(p.code == "journal_broken" for p in check_ledger(store, work).problems)


def test_second_writer_waits_then_is_told_who(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    script = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from jiuzhu_cli.ledger.store import Store
        with Store(Path({str(work.ledger_path)!r})) as store, store.transaction(actor="李四", command="import") as tx:
            print("held", flush=True)
            time.sleep(20)
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        with (
            Store(work.ledger_path, lock_wait=0.2) as store,
            pytest.raises(RefusedError, match="李四") as caught,
            store.transaction(actor="乙", command="t"),
        ):
            pass
        assert caught.value.exit_code == 4
        child.send_signal(signal.SIGKILL)
        child.wait()
    with Store(work.ledger_path, lock_wait=2) as store, store.transaction(actor="乙", command="t") as tx:
        tx.journal("x", {})  # a killed holder leaves no lock behind


def test_newer_ledger_is_refused_and_a_broken_one_is_said(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    with sqlite3.connect(work.ledger_path) as raw:
        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(RefusedError, match="更新版本"):
        work.open_store()
    work.ledger_path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(DataError, match="损坏"):
        work.open_store()


def test_snapshot_sees_only_live_rolls_and_types_hold(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    with work.open_store() as store:
        put_roll(store, "subsistence_allowance", "甲镇", "2026-10", [row(1), row(2)])
        gone = put_roll(store, "subsistence_allowance", "乙镇", "2026-10", [row(3)])
        with store.transaction(actor="甲", command="t") as tx:
            tx.execute("UPDATE batch SET status='undone' WHERE batch_id=?", [gone])
        db = open_snapshot(store, months=("2026-10", "2026-10"))
        assert db.execute("SELECT COUNT(*), SUM(amount_fen) FROM roll").fetchall() == [(2, 138000)]
        assert db.execute("SELECT area FROM coverage").fetchall() == [("甲镇",)]
        types = dict(
            db.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name='roll'").fetchall()
        )
        assert types["id_no"] == types["illness"] == "VARCHAR" and types["income_fen"] == "BIGINT"
        assert open_snapshot(store, months=("2026-11", "2026-11")).execute("SELECT COUNT(*) FROM roll").fetchall() == [
            (0,)
        ]


def test_snapshot_reads_in_pieces_what_lies_between_other_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = make_workspace(tmp_path / "w")
    months = ["2026-09", "2026-10"] * 4
    with work.open_store() as store:
        for number, month in enumerate(months):
            put_roll(
                store,
                "subsistence_allowance",
                f"第{number}镇",
                month,
                [row(10 * number + n) for n in range(number + 1)],
            )
        whole = open_snapshot(store, months=("2026-10", "2026-10")).execute("SELECT * FROM roll").fetchall()
        monkeypatch.setattr(snapshot, "CHUNK", 3)
        monkeypatch.setattr(snapshot, "NEAR", 1)
        db = open_snapshot(store, months=("2026-10", "2026-10"))
        assert db.execute("SELECT * FROM roll").fetchall() == whole
        assert len(whole) == sum(n + 1 for n, month in enumerate(months) if month == "2026-10")
        bare = open_snapshot(store, places=False).execute("SELECT * FROM roll").description
        assert not {"file_name", "sheet"} & {column[0] for column in bare}


@pytest.mark.parametrize("many", [60_000, 3])
def test_texts_as_numbers_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Read in pieces, with texts that come late, columns without any, and more texts than numbers are taken for."""
    monkeypatch.setattr(snapshot, "CHUNK", 4)
    monkeypatch.setattr(snapshot, "MANY_TEXTS", many)
    work = make_workspace(tmp_path / "w")
    with work.open_store() as store:
        for number, month in enumerate(("2026-09", "2026-10", "2026-10")):
            rows = [
                row(10 * number + n)
                | {"village": f"{'乙甲丁丙'[n % 4]}村", "cause": "火灾" if number == 2 and n == 8 else None}
                for n in range(9)
            ]
            put_roll(store, "subsistence_allowance", f"第{number}镇", month, rows)
        put_register(
            store, "death", [{"id_no": make_id(1), "name": "某", "status": "注销"}, {"id_no": make_id(2), "name": "某"}]
        )
        plain, narrow = (open_snapshot(store, months=("2026-08", "2026-10"), narrow=one) for one in (False, True))
        for table in ("roll", "register"):
            as_text = f"SELECT COLUMNS(*)::VARCHAR FROM {table} ORDER BY row_id::BIGINT"
            assert narrow.execute(as_text).fetchall() == plain.execute(as_text).fetchall() != []
        kinds = dict(
            narrow.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'roll'").fetchall()
        )
        assert kinds["month"].startswith("ENUM") and kinds["village"].startswith("ENUM") == (many > 3)
        order = "SELECT DISTINCT village::VARCHAR, village FROM roll ORDER BY village"
        assert [one for one, _ in narrow.execute(order).fetchall()] == sorted({f"{one}村" for one in "甲乙丙丁"})
        assert narrow.execute(
            "SELECT count(*) FROM roll WHERE village = '没有的村' OR month = '2031-01'"
        ).fetchall() == [(0,)]
        assert narrow.execute(
            "SELECT CAST('2026-08' AS month_text), CAST('register:death' AS code_text)"
        ).fetchall() == [("2026-08", "register:death")]


def test_what_a_snapshot_puts_on_disk_lies_in_the_workspace_and_goes(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    with work.open_store() as store:
        db = open_snapshot(store)
        db.execute("SET memory_limit = '60MB'")
        db.execute("CREATE TABLE t AS SELECT i, 'x' || i || repeat('y', 30) AS s FROM range(2000000) r(i)")
        assert [p.name for p in work.root.glob(".spill*")] == [f".spill-{os.getpid()}.tmp"]
        assert stat.S_IMODE(work.root.stat().st_mode) == 0o700
        db.close()
        assert not list(work.root.glob(".spill*"))


def test_audit_finds_totals_that_do_not_agree(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    with work.open_store() as store:
        put_roll(store, "subsistence_allowance", "甲镇", "2026-10", [row(1), row(2)])
        assert check_ledger(store, work).problems == ()
        with store.transaction(actor="甲", command="t") as tx:
            tx.execute("UPDATE roll_row SET amount_fen = amount_fen + 1 WHERE source_row = 2")
        assert [p.code for p in check_ledger(store, work).problems] == ["batch_totals"]


def test_full_disk_exits_5_and_leaves_no_half_file(tmp_path: Path) -> None:
    work = make_workspace(tmp_path / "w")
    with work.open_store() as store:
        put_roll(store, "subsistence_allowance", "甲镇", "2026-10", [row(n) for n in range(1, 400)])

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(work.root), "backup"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files, check=False)
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert list((work.root / "backup").iterdir()) == []
    with work.open_store() as store:
        assert store.check_journal() == []


def test_killed_writers_leave_a_whole_ledger(tmp_path: Path) -> None:
    """kill -9 in the middle of transactions, many times: the chain holds and nothing is half there."""
    work = make_workspace(tmp_path / "w")
    script = textwrap.dedent(f"""
        from pathlib import Path
        from jiuzhu_cli.ledger.store import Store
        with Store(Path({str(work.ledger_path)!r})) as store:
            print("go", flush=True)
            for n in range(100000):
                with store.transaction(actor="甲", command="t") as tx:
                    tx.journal("pair", {{"n": n, "half": 1}})
                    tx.journal("pair", {{"n": n, "half": 2}})
    """)
    for attempt in range(8):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None and child.stdout.readline() == "go\n"
            time.sleep(0.02 + 0.013 * attempt)
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        with work.open_store() as store:
            assert store.check_journal() == []
            assert store.query("SELECT COUNT(*) FROM journal")[0][0] % 2 == 0
