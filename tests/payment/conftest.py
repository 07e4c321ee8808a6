"""A desk at which payments are made: a workspace, its store and the steps of a batch, for people who never exist."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace, find_workspace
from jiuzhu_cli.payment import answers, approvals, export, plan, returns, settlement
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.support import make_id, make_workspace, put_register, put_roll

MONTH = "2026-10"
LIVING = "disability_living_subsidy"  # per person, monthly, never posted
NOW = datetime(2026, 10, 25, 2, 0, tzinfo=UTC)


def person(serial: int, **values: Any) -> dict[str, Any]:
    """A roll row of one person; account and amount follow the serial number."""
    base = {
        "id_no": make_id(serial),
        "name": f"张{chr(0x4E00 + serial)}",
        "amount_fen": 10_000 + serial,
        "account_no": f"6217{serial:012d}",
    }
    return base | values


class Desk:
    def __init__(self, workspace: Workspace, store: Store, policy: Policy) -> None:
        self.workspace, self.store, self.policy = workspace, store, policy
        self.tick = 0

    @property
    def now(self) -> datetime:
        self.tick += 1
        return NOW + timedelta(minutes=self.tick)

    def roll(
        self,
        rows: list[dict[str, Any]],
        *,
        programme: str = LIVING,
        area: str = "甲镇",
        month: str = MONTH,
        compare: bool = True,
    ) -> int:
        batch = put_roll(self.store, programme, area, month, rows)
        if compare:
            self.compare(month)
        return batch

    def supersede(
        self, batch: int, rows: list[dict[str, Any]], *, programme: str = LIVING, area: str = "甲镇", month: str = MONTH
    ) -> int:
        """A corrected roll in the place of ``batch``."""
        with self.store.transaction(actor="测试", command="test", now=self.now) as tx:
            tx.execute("UPDATE batch SET status = 'superseded' WHERE batch_id = ?", (batch,))
            tx.journal(f"batch:{batch}", {"superseded": True})
        new = put_roll(self.store, programme, area, month, rows)
        with self.store.transaction(actor="测试", command="test", now=self.now) as tx:
            tx.execute("UPDATE batch SET supersedes = ?, created_at = ? WHERE batch_id = ?", (batch, tx.now, new))
            tx.journal(f"batch:{new}", {"supersedes": batch})
        return new

    def compare(self, month: str = MONTH) -> None:
        with self.store.transaction(actor="测试", command="dedupe run", now=self.now) as tx:
            tx.journal(f"dedupe:{month}", {})

    def register(self, code: str, rows: list[dict[str, Any]]) -> None:
        put_register(self.store, code, rows)

    def doubt(self, number: int, a: tuple[str, str, str], b: tuple[str, str, str], **values: Any) -> str:
        """A strong doubt between (id, programme, area) a and b."""
        doubt_id = f"D{number:06d}"
        row = {
            "doubt_id": doubt_id, "doubt_key": doubt_id, "kind": "double", "code": "X", "severity": "strong", "month_from": MONTH, "month_to": MONTH,
            "id_no_a": a[0], "name_a": "甲", "programme_a": a[1], "area_a": a[2], "source_a": "", "id_no_b": b[0], "name_b": "乙",
            "programme_b": b[1], "area_b": b[2], "source_b": "", "amount_fen": 1, "evidence": "", "basis": "测试", "state": "open",
            "run_month": MONTH, "first_seen": MONTH, "last_seen": MONTH,
        } | values  # fmt: skip
        self._insert("doubt", row)
        for month in {row["month_from"], row["month_to"]}:
            self._insert("doubt_month", {"doubt_id": doubt_id, "month": month, "amount_fen": 1})
        return doubt_id

    def decision(
        self, number: int, id_no: str, action: str, before: int | None, after: int | None, **values: Any
    ) -> None:
        row = {
            "case_id": f"R{number:06d}", "proposal_key": f"k{number}", "month": MONTH, "programme": LIVING, "area": "甲镇", "id_no": id_no, "name": "甲",
            "action": action, "amount_before_fen": before, "amount_after_fen": after, "effective_month": MONTH, "reasons": "", "basis": "",
            "steps": "[]", "needs_hearing": 0, "policy_digest": "", "state": "effective", "created_at": "", "decided_at": "2026-10-20T00:00:00Z",
        } | values  # fmt: skip
        self._insert("proposal", row)

    def posting(self, programme: str, town: str, village: str, *, state: str = "closed", month: str = MONTH) -> int:
        row = {
            "programme": programme, "town": town, "village": village, "month": month, "round": "first", "households": 1, "persons": 1,
            "amount_fen": 1, "from_date": "2026-10-01", "to_date": "2026-10-07", "content_sha256": "", "state": state, "created_by": "测试",
            "created_at": "2026-10-01T00:00:00Z",
        }  # fmt: skip
        number = self._insert("posting", row)
        with self.store.transaction(actor="测试", command="post make", now=self.now) as tx:
            tx.journal(f"posting:{number}", {})
        return number

    def objection(self, posting: int, id_no: str = "", state: str = "open") -> None:
        self._insert(
            "objection",
            {"posting_id": posting, "id_no": id_no, "text": "有异议", "received_on": "2026-10-05", "state": state},
        )

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        with self.store.transaction(actor="测试", command="test", now=self.now) as tx:
            cursor = tx.execute(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values())
            )
        return int(cursor.lastrowid or 0)

    # -- the steps

    def draft(self, month: str = MONTH, **options: Any) -> plan.Draft:
        return plan.draft(
            self.store,
            self.workspace,
            self.policy,
            month,
            actor=options.pop("actor", "张经办"),
            now=self.now,
            **options,
        )

    def lock(self, number: int = 0) -> dict[str, Any]:
        batch = approvals.choose(self.store, ("draft",), number=number)
        return approvals.lock(self.store, self.workspace, self.policy, batch, actor="张经办", now=self.now)

    def approve(self, number: int = 0, *, actor: str = "李审批", **options: Any) -> dict[str, Any]:
        batch = approvals.choose(self.store, ("locked",), number=number)
        return approvals.approve(self.store, self.workspace, self.policy, batch, actor=actor, now=self.now, **options)

    def export(self, number: int = 0, **options: Any) -> export.Exported:
        batch = approvals.choose(
            self.store, ("approved", "released"), number=number, otherwise=("exported", "reconciled", "locked", "draft")
        )
        return export.export(self.store, self.workspace, self.policy, batch, actor="张经办", now=self.now, **options)

    def cancel(self, number: int = 0) -> dict[str, Any]:
        batch = approvals.choose(self.store, ("draft", "locked", "approved"), number=number)
        return approvals.cancel(self.store, batch, reason="", actor="张经办", now=self.now)

    def answers(self, number: int, failures: dict[int, str] | None = None, *, name: str = "") -> list[Path]:
        folder = self.workspace.root / "inbox" / (name or str(number))
        folder.mkdir(exist_ok=True)
        return answers.simulate_returns(self.store, self.workspace, self.policy, number, folder, failures or {})

    def read(self, path: Path, **options: Any) -> returns.Returned:
        return returns.read_return(
            self.store, self.workspace, self.policy, path, actor="张经办", now=self.now, **options
        )

    def settle(
        self, number: int, *, numbers: list[int], paid: bool = True, reason: str = "银行电话答复", **options: Any
    ) -> settlement.Settled:
        return settlement.settle(
            self.store, self.workspace, self.policy, self.batch(number), numbers, paid=paid, reason=reason,
            actor="张经办", now=self.now, **options,
        )  # fmt: skip

    def pay(self, month: str = MONTH, failures: dict[int, str] | None = None, **options: Any) -> int:
        """A whole batch, from draft to the last return; returns its number."""
        number = int(self.draft(month, **options).batch["payment_id"])
        self.lock(number)
        self.approve(number)
        self.export(number)
        for path in self.answers(number, failures):
            self.read(path, number=number)  # next month's file may be the same to the byte
        return number

    def states(self) -> dict[tuple[str, str], list[str]]:
        """(recipient, item) → states of all its lines, in order."""
        rows = self.store.query(
            "SELECT o.recipient_id_no, o.item, l.state FROM payment_line l JOIN obligation o USING (obligation_id) ORDER BY l.line_id"
        )
        found: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            found.setdefault((row[0], row[1]), []).append(row[2])
        return found

    def batch(self, number: int) -> dict[str, Any]:
        return payments.batch(self.store, number)

    def write_policy(self, name: str, text: str) -> None:
        path = self.workspace.policy_dir / "banks" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        self.policy = load_policy(self.workspace.policy_dir, region=self.workspace.region)

    def configure(self, old: str, new: str) -> None:
        path = self.workspace.root / "jiuzhu.toml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
        self.workspace = find_workspace(self.workspace.root, explicit=True)


@pytest.fixture(scope="session")
def shipped_policy() -> Policy:
    return load_policy(region="421002")


@pytest.fixture(scope="session")
def empty_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new workspace whose ledger has its tables: made once, copied for every test."""
    workspace = make_workspace(tmp_path_factory.mktemp("desk") / "ws")
    workspace.open_store().close()
    return workspace.root


@pytest.fixture
def desk(tmp_path: Path, empty_workspace: Path, shipped_policy: Policy) -> Iterator[Desk]:
    shutil.copytree(empty_workspace, tmp_path / "ws")
    workspace = find_workspace(tmp_path / "ws", explicit=True)
    with workspace.open_store() as store:
        yield Desk(workspace, store, shipped_policy)
