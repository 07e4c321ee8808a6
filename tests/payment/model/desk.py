"""The desk of ``tests.payment.conftest`` with a clock that can be moved, two banks of its own, and lists saved as intake saves them."""

from __future__ import annotations

import itertools
import json
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from jiuzhu_cli.ledger.decisions import Decision, take_down, undo_decisions
from jiuzhu_cli.ledger.incoming import stage_lists
from jiuzhu_cli.ledger.rolls import BatchHead, TableHead, save_batch, undo_batch
from jiuzhu_cli.ledger.snapshot import duck_type
from jiuzhu_cli.ledger.workspace import find_workspace
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.payment.conftest import NOW, Desk
from tests.payment.model.world import PRICE, Listing
from tests.support import make_id, make_workspace

# a bank that numbers its lines and tells what it paid; and one that gives account, amount and name only
LAYOUTS = {
    "jia": """
name = "甲行代发"
banks = ["甲行"]
container = "delimited"
encoding = "gbk"
delimiter = "|"
file_name = "jia_{month}_{sequence:02d}"
source = "测试用"
summary = [{ name = "笔数", source = "lines" }, { name = "金额", source = "total" }]
columns = [
  { name = "序号", source = "line_no" }, { name = "账号", source = "account_no" }, { name = "户名", source = "payee_name" },
  { name = "金额", source = "amount" }, { name = "用途", source = "purpose" },
]
returns = [
  { name = "序号", source = "line_no" }, { name = "账号", source = "account_no" }, { name = "金额", source = "amount" },
  { name = "实发", source = "paid_amount" }, { name = "结果", source = "result" }, { name = "原因", source = "reason" },
]
returns_summary = true
success = ["00"]
failure = ["99"]
""",
    "yi": """
name = "乙行代发"
banks = ["乙行"]
container = "delimited"
encoding = "gbk"
delimiter = ","
file_name = "yi_{month}_{sequence:02d}"
source = "测试用"
columns = [{ name = "账号", source = "account_no" }, { name = "金额", source = "amount" }, { name = "户名", source = "payee_name" }]
returns = [
  { name = "账号", source = "account_no" }, { name = "金额", source = "amount" }, { name = "户名", source = "payee_name" },
  { name = "结果", source = "result" }, { name = "原因", source = "reason" },
]
success = ["成功"]
failure = ["失败"]
""",
}  # fmt: skip
CLERK, APPROVER = "张经办", "李审批"


def make_template(folder: Path) -> Path:
    """A workspace with the two banks and an empty ledger, to be copied for each walk."""
    workspace = make_workspace(folder / "ws")
    place = workspace.policy_dir / "banks"
    place.mkdir(exist_ok=True)
    for code, text in LAYOUTS.items():
        (place / f"{code}.toml").write_text(text, "utf-8")
    workspace.open_store().close()
    return workspace.root


_POLICIES: dict[str, Policy] = {}


def policy_of(root: Path) -> Policy:
    """The policy of a workspace, read once however many have the same."""
    workspace = find_workspace(root, explicit=True)
    files = sorted(workspace.policy_dir.rglob("*.toml"))
    digest = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    if digest not in _POLICIES:
        _POLICIES[digest] = load_policy(workspace.policy_dir, region=workspace.region)
    return _POLICIES[digest]


@contextmanager
def small_tables() -> Iterator[None]:
    """Of five persons' tables threads, plans made better and a DuckDB of their own cost far more than the work: each connection gets a new
    database within one DuckDB instead, which is let go with it."""
    connect = duckdb.connect
    whole = connect(":memory:", config={"threads": 1})
    count = itertools.count()

    def connected(place: str = ":memory:") -> duckdb.DuckDBPyConnection:
        assert place == ":memory:"
        name = f"small{next(count)}"
        connection = whole.cursor()
        for order in (f"ATTACH ':memory:' AS {name}", f"USE {name}", "PRAGMA disable_optimizer"):
            connection.execute(order)
        weakref.finalize(connection, whole.execute, f"DETACH {name}")
        return connection

    duckdb.connect = connected
    try:
        yield
    finally:
        duckdb.connect = connect


@contextmanager
def open_desk(root: Path, clock: float = 0) -> Iterator[WalkDesk]:
    workspace = find_workspace(root, explicit=True)
    with workspace.open_store() as store:
        desk = WalkDesk(workspace, store, policy_of(root))
        desk.clock = clock
        yield desk


class WalkDesk(Desk):
    clock: float = 0  # minutes that the clock is off

    @property
    def now(self) -> datetime:
        self.tick += 1
        return NOW + timedelta(minutes=self.tick + self.clock)

    def run(self, name: str, options: dict[str, Any]) -> Any:
        """One command by its name, for another process; what it returns, as far as a file can tell it."""
        made = getattr(self, name)(**options)
        return made if isinstance(made, (int, str, type(None))) else True

    def import_list(
        self, programme: str, town: str, month: str, rows: list[list[Any]], mark: str, replaces: list[int]
    ) -> int:
        """Saves a list (``rows``: person, amount, account, bank, item) as intake leaves it; returns its batch."""
        people = [make_id(number) for number, *_ in rows]
        columns: dict[str, list[Any]] = {
            "id_no": people,
            "name": ["张" + chr(0x4E00 + number) for number, *_ in rows],
            "town": [town] * len(rows),
            "village": ["一村"] * len(rows),
            "amount_fen": [amount for _, amount, *_ in rows],
            "account_no": [account for *_, account, _, _ in rows],
            "bank_name": [bank for *_, bank, _ in rows],
            "event_date": [item.removeprefix("event:") or None for *_, item in rows],
            "case_no": list(range(1, len(rows) + 1)),
            "lead": [1] * len(rows),
            "table_no": [1] * len(rows),
            "source_row": list(range(3, len(rows) + 3)),
        }
        table = pa.table(
            {n: pa.array(v, pa.int64() if duck_type(n) == "BIGINT" else pa.string()) for n, v in columns.items()}
        )
        digest = sha256(mark.encode()).hexdigest()
        total = sum(columns["amount_fen"])
        head = BatchHead(
            "roll", programme, town, month, "", f"{mark}.xlsx", digest, digest, len(rows), len(rows), 0, total, None, self.policy.digest
        )  # fmt: skip
        self.store.lock.acquire("测试 正在导入")
        try:
            staged = stage_lists(self.store, [("roll", table)])
            told = json.dumps([{"column": "A", "header": c, "field": c, "why": "header"} for c in staged[0].columns])
            sheet = TableHead(1, "Sheet1", 2, told, len(rows), len(rows), 0, None, mark)
            with self.store.transaction(actor=CLERK, command="import", now=self.now) as tx:
                batch = save_batch(tx, head, [sheet], staged[0], [], replaces=replaces)
                tx.journal(f"batch:{batch}", {"rows": len(rows)})
        finally:
            self.store.lock.release()
        return batch

    def undo_import(self, batch: int) -> None:
        with self.store.transaction(actor=CLERK, command="batch undo", now=self.now) as tx:
            undo_batch(tx, self.store, batch)

    def decide(
        self, number: int, person: int, programme: str, town: str, action: str, before: int, after: int, month: str
    ) -> int:
        """A proposal of review and the decision on it; returns the batch of decisions."""
        case = f"R{number:06d}"
        self.decision(
            number, make_id(person), action, before, after, state="open", decided_at="", effective_month=month, month=month,
            programme=programme, area=town,
        )  # fmt: skip
        values = {
            "state": "effective", "decision_note": "", "hearing_date": "", "notice_date": "", "effective_month": month, "maker": "", "checker": "",
        }  # fmt: skip
        with self.store.transaction(actor=CLERK, command="review decide", now=self.now) as tx:
            return take_down(tx, [Decision(case, values, "")], files="复核.xlsx")

    def undo_decisions(self, number: int) -> None:
        with self.store.transaction(actor=CLERK, command="review undo", now=self.now) as tx:
            undo_decisions(tx, number)

    def read_file(self, path: str, number: int = 0) -> None:
        self.read(Path(path), number=number)

    def draft_month(self, month: str, override: str | None = None, programmes: tuple[str, ...] = ()) -> None:
        self.draft(month, override=override, programmes=tuple(programmes))


def row_of(listing: Listing) -> list[list[Any]]:
    return [[number, row.amount, row.account, row.bank, row.item] for number, row in sorted(listing.rows.items())]


__all__ = ["APPROVER", "CLERK", "PRICE", "WalkDesk", "make_template", "open_desk", "row_of", "small_tables"]
