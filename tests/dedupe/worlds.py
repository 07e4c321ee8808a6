"""Small ledgers as data for the dedupe tests: rolls by (programme, town, month), registers by code; people by serial number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jiuzhu_cli.core.identity import check_char
from jiuzhu_cli.dedupe.run import DedupeResult, run_dedupe
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.support import REGION, make_id, make_workspace, put_register, put_roll

MONTH = "2026-10"
LOW, MARGIN, POOR, SINGLE = "subsistence_allowance", "low_income_margin", "extreme_poverty_support", "single_person_allowance"  # fmt: skip
LIVING, CARE, OLD = "disability_living_subsidy", "disability_care_subsidy", "old_age_allowance"
HOUSE, HELP = "dilapidated_house_renovation", "temporary_assistance"

_POLICY: Policy | None = None


def policy() -> Policy:
    """The shipped policy of the sample region, read once."""
    global _POLICY  # noqa: PLW0603
    if _POLICY is None:
        _POLICY = load_policy(None, region=REGION)
    return _POLICY


def person(serial: int, fen: int | None = 10_000, *, born: str = "19700101", **more: Any) -> dict[str, Any]:
    """One roll row of a person; a case of its own unless told otherwise."""
    return {"id_no": make_id(serial, born=born), "name": name(serial), "amount_fen": fen, **more}


def name(serial: int) -> str:
    return "王" + "赵钱孙李周吴郑冯陈褚"[serial % 10] + "天地玄黄宇宙洪荒日月"[serial // 10 % 10]


def household(case: int, fen: int | None, *serials: int, **more: Any) -> list[dict[str, Any]]:
    """The rows of one household case; the first is its head."""
    head = make_id(serials[0])
    rows = [person(s, None, case_no=case, lead=0, head_id_no=head, **more) for s in serials]
    rows[0] |= {"lead": 1, "amount_fen": fen}
    return rows


class World:
    """A workspace with its ledger open."""

    def __init__(self, folder: Path) -> None:
        self.workspace: Workspace = make_workspace(folder / "workspace")
        self.store: Store = self.workspace.open_store()

    def roll(self, programme: str, town: str, *rows: dict[str, Any], month: str = MONTH, **more: Any) -> int:
        numbered = [{"case_no": 1000 + n, **row} for n, row in enumerate(rows)]
        return put_roll(self.store, programme, town, month, numbered, **more)

    def register(self, code: str, *rows: dict[str, Any], **more: Any) -> int:
        return put_register(self.store, code, list(rows), **more)

    def run(self, month: str = MONTH, month_from: str = "", **more: Any) -> DedupeResult:
        return run_dedupe(
            self.workspace, self.store, more.pop("policy", policy()), month=month, month_from=month_from, actor="张经办", **more
        )  # fmt: skip

    def undo(self, batch: int) -> None:
        with self.store.transaction(actor="测试", command="undo") as tx:
            tx.execute("UPDATE batch SET status = 'undone' WHERE batch_id = ?", (batch,))
            tx.journal(f"batch:{batch}", {"undone": True})


class Corner:
    """A part of a world for one test's case: towns of its own and people numbered elsewhere, so that many cases stand in one ledger.

    Lines of registers wait until ``flush``: a register is one list.
    """

    def __init__(self, world: World, number: int, lines: dict[str, list[dict[str, Any]]]) -> None:
        self.world, self.store, self.workspace = world, world.store, world.workspace
        self.tag, self.area, self.lines = f"{number}片", f"{420600 + number}", lines

    def roll(self, programme: str, town: str, *rows: dict[str, Any], **more: Any) -> int:
        return self.world.roll(
            programme, town and self.tag + town, *map(self._moved, rows), **{"part": self.tag} | more
        )

    def register(self, code: str, *rows: dict[str, Any], **_: Any) -> int:
        self.lines.setdefault(code, []).extend(map(self._moved, rows))
        return 0

    def _moved(self, row: dict[str, Any]) -> dict[str, Any]:
        return {key: self._value(key, value) for key, value in row.items()}

    def _value(self, key: str, value: Any) -> Any:
        if key == "town" and value:
            return self.tag + value
        if key.endswith(("id_no", "disability_no")) and isinstance(value, str) and value.startswith(REGION):
            first17 = self.area + value[6:17]
            return first17 + check_char(first17) + value[18:]
        return value


def flush(world: World, lines: dict[str, list[dict[str, Any]]]) -> None:
    for code, rows in lines.items():
        world.register(code, *rows, month=MONTH)


def short(result: DedupeResult) -> set[tuple[Any, ...]]:
    """(code, programme a, programme b, ids, amount) of what a run found."""
    return {
        (d["code"], d["programme_a"], d["programme_b"], frozenset(filter(None, (d["id_no_a"], d["id_no_b"]))), d["amount_fen"])
        for d in result.doubts
    }  # fmt: skip


def ids(*serials: int, born: str = "19700101") -> frozenset[str]:
    return frozenset(make_id(s, born=born) for s in serials)
