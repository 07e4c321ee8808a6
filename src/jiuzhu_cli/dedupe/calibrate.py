"""What clerks found about people with two numbers, turned into the weights by which the matching judges such pairs (``dedupe calibrate``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.ledger.doubts import decided_numbers
from jiuzhu_cli.ledger.snapshot import open_snapshot
from jiuzhu_cli.matching import calibration, weights
from jiuzhu_cli.tabular.files import write_bytes

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace

_PEOPLE = """
SELECT row_id, id_no, name, village, phone, max(account_no) OVER (PARTITION BY batch_id, case_no) AS account_no FROM roll
WHERE month = ? OR row_id IN (SELECT unnest(?)) ORDER BY row_id
"""


@dataclass(frozen=True, slots=True)
class Calibration:
    """``known``: the weights from now on; ``before``: those that held. ``left_out``: decided pairs whose rows are no longer live.
    ``path``: the file, '' when there was nothing to keep."""

    known: weights.Second
    before: weights.Second
    left_out: int
    path: str

    def as_json(self) -> dict[str, Any]:
        shown = ("share", "phone", "account")
        return {
            "decided": self.known.decided,
            "same": self.known.same,
            "left_out": self.left_out,
            "before": {name: getattr(self.before, name) for name in shown},
            "after": {name: getattr(self.known, name) for name in shown},
            "path": self.path,
        }


def weights_of(workspace: Workspace) -> weights.Second:
    """The weights that hold in this workspace: what was last calibrated, else the shipped estimate."""
    path = workspace.policy_dir / calibration.FILE
    return calibration.from_text(path.read_text("utf-8")) if path.is_file() else weights.Second()


def calibrate(workspace: Workspace, store: Store, *, today: date, actor: str, now: datetime) -> Calibration:
    """Refreshes the weights from all decisions on two numbers of one person, and keeps them in the workspace's policy folder.

    Always from the shipped estimate and all decisions, so that the same decisions give the same weights however often it is run.
    """
    decided = decided_numbers(store)
    try:
        before = weights_of(workspace)
    except PolicyError:  # written over
        before = weights.Second()
    decisions: list[calibration.Decided] = []
    if decided:
        months = [one["month"] for one in decided]
        rows = sorted({row for one in decided for row in (one["row_a"], one["row_b"])})
        columns = ("row_id", "batch_id", "case_no", "id_no", "name", "village", "phone", "account_no")
        with open_snapshot(store, months=(min(months), max(months)), roll_columns=columns, registers=False, places=False) as connection:  # fmt: skip
            people = connection.sql(_PEOPLE, params=[max(months), rows]).to_arrow_table()
        decisions = _judged(people, decided)
    known = calibration.refreshed(decisions, day=today.isoformat())
    path = workspace.policy_dir / calibration.FILE
    if known == weights.Second() and not path.exists():  # nothing to keep
        return Calibration(known, before, len(decided) - len(decisions), "")
    with store.transaction(actor=actor, command="dedupe calibrate", now=now) as tx:
        tx.journal("match_weights", {"decided": known.decided, "same": known.same, "share": known.share, "phone": known.phone, "account": known.account})  # fmt: skip
    write_bytes(path, calibration.as_text(known).encode())
    return Calibration(known, before, len(decided) - len(decisions), str(path))


def _judged(people: pa.Table, decided: list[dict[str, Any]]) -> list[calibration.Decided]:
    """The decided pairs as the matching sees them among ``people``."""
    place = {row: at for at, row in enumerate(people["row_id"].to_pylist())}
    found = [(place[one["row_a"]], place[one["row_b"]], one["same"]) for one in decided if one["row_a"] in place and one["row_b"] in place]  # fmt: skip
    return calibration.judged(people, found)
