"""A ledger of version 1, made by that version's own schema, opened by this program: carried over whole, or left as it was."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jiuzhu_cli.core.doubt import verdict_of
from jiuzhu_cli.core.errors import DataError, OutsideError
from jiuzhu_cli.ledger import migrate
from jiuzhu_cli.ledger.backup import restore_from
from jiuzhu_cli.ledger.people import find_person
from jiuzhu_cli.ledger.store import GENESIS, PAGE_SIZE, SCHEMA_VERSION, Store, _entry_hash
from jiuzhu_cli.ledger.verdicts import history
from jiuzhu_cli.ledger.workspace import Workspace
from tests.support import make_id, make_workspace

SCHEMA_1 = Path(__file__).with_name("schema_v1.sql").read_text("utf-8")


def old_ledger(path: Path, persons: int = 3) -> None:
    """A version 1 ledger with one roll, one register and a journal of two entries."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"BEGIN;\n{SCHEMA_1}\nPRAGMA user_version=1;\nCOMMIT;")
        db.execute("BEGIN")
        for number, (kind, code) in enumerate([("roll", "subsistence_allowance"), ("register", "death")], 1):
            db.execute(
                "INSERT INTO batch (batch_id, kind, programme, area, month, status, file_name, file_sha256, content_sha256, rows, accepted,"
                " refused, amount_fen, policy_digest, actor, created_at) VALUES (?,?,?,'甲镇','2026-09','active','旧.xlsx','a',?,?,?,0,0,'','甲','')",
                (number, kind, code, str(number), persons, persons),
            )
            db.execute("INSERT INTO batch_table VALUES (?,1,'Sheet1',1,'[]',?,?,0,NULL,'')", (number, persons, persons))
        db.executemany(
            "INSERT INTO roll_row (batch_id, table_no, source_row, case_no, lead, id_no, name, town, village, amount_fen) VALUES (1,1,?,?,1,?,'某人','甲镇','一村',100)",
            [(n, n, make_id(n % 499 + 1)) for n in range(1, persons + 1)],
        )
        db.execute(
            "INSERT INTO register_row (batch_id, table_no, source_row, id_no, name) VALUES (2,1,2,?,'某人')",
            (make_id(1),),
        )
        previous = GENESIS
        for seq in (1, 2):
            entry = (seq, f"2026-09-0{seq}T01:00:00Z", "甲", "import", f"batch:{seq}", "{}", "", previous)
            db.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?)", (*entry, _entry_hash(*entry)))
            previous = _entry_hash(*entry)
        db.execute("COMMIT")
    path.chmod(0o600)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    made = make_workspace(tmp_path / "w")
    old_ledger(made.ledger_path)
    yield made


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Tables with their columns in order, and the indexes and triggers by name."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        found: dict[str, list[tuple[object, ...]]] = {
            name: db.execute(f"PRAGMA table_xinfo({name})").fetchall() for name in names
        }
        found["others"] = [
            (kind, name, table, " ".join(sql.split()) if kind == "trigger" else "")
            for kind, name, table, sql in db.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type <> 'table' ORDER BY 1, 2"
            )
        ]
        return found


def test_an_old_ledger_is_carried_over_with_a_backup_before(work: Workspace, tmp_path: Path) -> None:
    with work.open_store() as store:
        assert store.query("SELECT count(*), sum(amount_fen), count(area_code) FROM roll_row")[0][:] == (3, 300, 0)
        assert store.check_journal() == []
        last = store.query("SELECT command, detail FROM journal ORDER BY seq DESC LIMIT 1")[0]
    assert last["command"] == "migrate" and "ledger-v1.db" in last["detail"]
    kept = work.root / "backup" / "ledger-v1.db"
    assert kept.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM roll_row").fetchone() == (3,)
    Store.create(tmp_path / "new.db")
    assert shape(work.ledger_path) == shape(tmp_path / "new.db")  # as if it had been made by this version
    with work.open_store() as store:
        assert store.query("SELECT count(*) FROM journal")[0][0] == 3  # once
        assert store.query("PRAGMA page_size")[0][0] == PAGE_SIZE
        assert find_person(store, make_id(2)).names == ("某人",) and find_person(store, make_id(1)).names == ("某人",)
    assert [path.name for path in (work.root / "backup").iterdir()] == ["ledger-v1.db"]


@pytest.mark.parametrize(
    ("kind", "disposition", "verdict"),
    [
        ("double", "pending", ("pending", "")),
        ("double", "legal", ("allowed", "")),
        ("missed", "legal", ("false_alarm", "")),
        ("double", "stop_b", ("confirmed", "b")),
        ("account", "adjust", ("confirmed", "adjust")),
        ("missed", "referred", ("referred", "")),
    ],
)
def test_decisions_on_doubts_are_kept(work: Workspace, kind: str, disposition: str, verdict: tuple[str, str]) -> None:
    with closing(sqlite3.connect(work.ledger_path)) as db, db:
        db.execute(
            "INSERT INTO doubt VALUES ('D000001','k',?,'exclusive','strong','2026-09','2026-09','1','甲','p','甲镇','','2','乙','q','甲镇','',5,'e',"
            "'b','open',?,'看过','李核实','2026-09-20T00:00:00Z','2026-09','2026-09','2026-09')",
            (kind, disposition),
        )
        db.execute("INSERT INTO doubt_month VALUES ('D000001','2026-09',5,5)")
    with work.open_store() as store:
        [row] = [dict(row) for row in store.query("SELECT * FROM doubt")]
        assert (verdict_of(row), row["disposition"], row["disposition_note"]) == (verdict, disposition, "看过")
        assert store.query("SELECT decided_fen, row_a FROM doubt_month")[0][:] == (5, None)
        told = [(e["actor"], e["result"]) for e in history(store, ["D000001"])]
        assert told == ([] if disposition == "pending" else [("李核实", verdict[0])])


def test_an_earlier_backup_is_never_overwritten(work: Workspace) -> None:
    (work.root / "backup" / "ledger-v1.db").write_bytes(b"mine")
    work.open_store().close()
    assert (work.root / "backup" / "ledger-v1.db").read_bytes() == b"mine"
    assert (work.root / "backup" / "ledger-v1_2.db").exists()


@pytest.mark.parametrize(
    "broken",
    [
        "ALTER TABLE roll_row ADD COLUMN area_code TEXT; ALTER TABLE nowhere ADD COLUMN x TEXT;",  # fails half-way
        "DELETE FROM batch_table; DELETE FROM batch;",  # comes through, but nothing fits any more
    ],
)
def test_a_migration_that_fails_leaves_the_old_ledger(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setitem(migrate.MIGRATIONS, 1, broken)
    with pytest.raises(OutsideError, match="仍是原来的台账"):
        work.open_store()
    with Store(work.ledger_path, migrate=False) as store:
        assert store.query("PRAGMA user_version")[0][0] == 1
        assert store.query("SELECT count(*) FROM roll_row")[0][0] == 3
        assert "area_code" not in [row["name"] for row in store.query("PRAGMA table_info(roll_row)")]
        assert store.check_journal() == []
    monkeypatch.undo()
    with work.open_store() as store:  # and the next attempt succeeds
        assert store.query("SELECT count(*) FROM column_mapping")[0][0] == 0


def test_a_full_disk_stops_before_anything_is_changed(work: Workspace) -> None:
    old_ledger(work.ledger_path, persons=4000)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(work.root), "status"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=small_files, check=False)
    assert done.returncode == 5, done.stderr
    assert "备份" in done.stderr and "Traceback" not in done.stderr
    assert list((work.root / "backup").iterdir()) == []
    with Store(work.ledger_path, migrate=False) as store:
        assert store.query("PRAGMA user_version")[0][0] == 1
        assert store.query("SELECT count(*) FROM roll_row")[0][0] == 4000


def test_killed_in_the_middle_it_is_old_or_new_but_whole(work: Workspace) -> None:
    script = (
        "import sqlite3, os, sys\nfrom pathlib import Path\nfrom jiuzhu_cli.ledger import migrate\n"
        "from jiuzhu_cli.ledger.store import Store\n"
        "migrate.MIGRATIONS[1] += 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000000)"
        " UPDATE roll_row SET remark = (SELECT max(x) FROM n);'\n"
        f"print('go', flush=True)\nStore(Path({str(work.ledger_path)!r}))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "go\n"
        while not (work.root / "backup" / "ledger-v1.db").exists():
            assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with work.open_store() as store:
        assert store.query("PRAGMA user_version")[0][0] == SCHEMA_VERSION
        assert store.query("SELECT count(*), max(remark) FROM roll_row")[0][:] == (3, None)
        assert store.check_journal() == []


def test_an_old_backup_is_restored_and_then_carried_over(work: Workspace, tmp_path: Path) -> None:
    import shutil
    from datetime import UTC, datetime

    shutil.copy2(work.ledger_path, tmp_path / "september.db")
    work.open_store().close()
    restore_from(work, tmp_path / "september.db", now=datetime(2026, 10, 1, tzinfo=UTC), actor="甲")
    with work.open_store() as store:
        assert store.query("PRAGMA user_version")[0][0] == SCHEMA_VERSION
        assert store.query("SELECT count(*) FROM roll_row")[0][0] == 3
    with closing(sqlite3.connect(tmp_path / "september.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)  # the backup itself is left alone


def test_a_trial_run_does_not_touch_the_old_ledger(work: Workspace) -> None:
    before = work.ledger_path.read_bytes()
    command = [sys.executable, "-m", "jiuzhu_cli", "-C", str(work.root), "--dry-run", "status"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert work.ledger_path.read_bytes() == before
    assert list((work.root / "backup").iterdir()) == []


def test_a_damaged_old_ledger_is_said_and_not_carried_over(work: Workspace) -> None:
    old_ledger(work.ledger_path, persons=3000)
    data = bytearray(work.ledger_path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 30_000] = b"\x5a" * 30_000
    work.ledger_path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="损坏"):
        work.open_store()
    assert work.ledger_path.read_bytes() == bytes(data)


def test_payments_are_carried_over_with_their_way(work: Workspace) -> None:
    with closing(sqlite3.connect(work.ledger_path)) as db, db:
        for number, state in enumerate(("draft", "returned"), 1):
            done = "李审批" if state == "returned" else ""
            db.execute(
                "INSERT INTO payment_batch (payment_id, month, sequence, kind, state, lines, amount_fen, control_sha256, policy_digest, drafted_by,"
                " drafted_at, locked_by, locked_at, approved_by, approved_at) VALUES (?,'2026-09',?,'regular',?,1,100,'c','','甲','1',?,?,?,?)",
                (number, number, state, done and "甲", done and "2", done, done and "3"),
            )
            db.execute(
                "INSERT INTO obligation (obligation_id, programme, month, recipient_id_no, recipient_name, town, village, amount_fen, persons,"
                " roll_row_id) VALUES (?,'subsistence_allowance','2026-09',?,'某','甲镇','',100,1,1)",
                (number, make_id(number)),
            )
            db.execute(
                "INSERT INTO payment_line (payment_id, line_no, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, state)"
                " VALUES (?,7,?,'card_xlsx','1','某','',100,?)",
                (number, number, "paid" if done else "due"),
            )
    with work.open_store() as store:
        assert [row[0] for row in store.query("SELECT state FROM payment_batch ORDER BY payment_id")] == [
            "draft",
            "reconciled",
        ]
        lines = store.query(
            "SELECT line_no, transfer_no, state, purpose, cause FROM payment_line JOIN obligation USING (obligation_id) ORDER BY 3"
        )
        assert [tuple(row) for row in lines] == [(7, 7, "due", "regular", ""), (7, 7, "paid", "regular", "")]
        way = store.query("SELECT payment_id, from_state, to_state, actor FROM payment_move ORDER BY move_id")
        assert [tuple(row) for row in way] == [
            (1, "", "draft", "甲"),
            (2, "", "draft", "甲"),
            (2, "draft", "locked", "甲"),
            (2, "locked", "approved", "李审批"),
        ]
