"""A bureau in a temporary folder, for tests of review: rolls in, proposals out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.review.run import ReviewRun, run_review
from tests.support import make_id, make_workspace, put_register, put_roll

TODAY = date(2026, 10, 22)
NOW = datetime(2026, 10, 22, 1, 0, tzinfo=UTC)
MONTH = "2026-10"
POLICIES: dict[str, Policy] = {}


def policy_of(region: str) -> Policy:
    """The shipped policy of a region, read once."""
    if region not in POLICIES:
        POLICIES[region] = load_policy(region=region)
    return POLICIES[region]


@dataclass
class World:
    workspace: Workspace
    store: Store
    policy: Policy

    @classmethod
    def make(cls, folder: Path, region: str = "421002") -> World:
        workspace = make_workspace(folder / "bureau", region=region)
        return cls(workspace, workspace.open_store(), policy_of(region))

    def roll(
        self, programme: str, *rows: dict[str, Any], month: str = MONTH, area: str = "青溪镇", part: str = ""
    ) -> int:
        return put_roll(self.store, programme, area, month, list(rows), part=part)

    def register(self, code: str, *rows: dict[str, Any], area: str = "") -> int:
        return put_register(self.store, code, list(rows), area=area)

    def review(self, month: str = MONTH, *, today: date = TODAY, keep_rows: bool = False) -> ReviewRun:
        return run_review(
            self.store, self.workspace, self.policy, month, today=today, now=NOW, actor="张经办", keep_rows=keep_rows
        )

    def proposals(self, month: str = MONTH) -> list[dict[str, Any]]:
        from jiuzhu_cli.ledger.proposals import proposals_of

        return proposals_of(self.store, month)

    def one(self, month: str = MONTH) -> dict[str, Any]:
        found = self.proposals(month)
        assert len(found) == 1, [(p["action"], p["reasons"]) for p in found]
        return found[0]


def household(serial: int, amount: int, income: int, persons: int, **more: Any) -> dict[str, Any]:
    """One household's line; amounts in 分, income a month unless ``income_period`` says otherwise; born 1980: no add-on by age."""
    base = {
        "id_no": make_id(serial, born="19800101"),
        "name": f"户主{serial}",
        "amount_fen": amount,
        "income_fen": income,
        "income_period": "month",
    }
    return base | {"covered_persons": persons, "household_size": persons, "category": "农村"} | more
