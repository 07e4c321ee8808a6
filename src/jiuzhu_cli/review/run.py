"""``jiuzhu review run``: every roll of one month judged at once; the differences become proposals (复核建议)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger.decisions import last_decision
from jiuzhu_cli.ledger.doubts import confirmed_stops
from jiuzhu_cli.ledger.links import keep_links
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.progress import suspended_cases
from jiuzhu_cli.ledger.proposals import (
    decided_leads,
    decided_moves,
    effective_changes,
    graces,
    incomplete_lists,
    proposals_of,
    save_proposals,
)
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.certifying import EVENT as UNCERTIFIED
from jiuzhu_cli.review.certifying import resumptions
from jiuzhu_cli.review.judging import judge, of_known, registers_of
from jiuzhu_cli.review.leads import lead_months
from jiuzhu_cli.review.tiers import read_roll_extra

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name relation town village category household_size covered_persons "
    "amount_fen base_fen addon_fen care_fen income_fen income_period assets_fen care_mode self_care disability_no disability_kind "
    "disability_grade illness work_ability cause claimed_status stage grade kin_filed start_month event_date"
).split()
REGISTER_COLUMNS = (
    "row_id batch_id table_no source_row id_no name event_date valid_from valid_to status kind grade certificate_no related_id_no related_name "
    "relation organisation amount_fen quantity town village extra"
).split()


@dataclass(slots=True)
class ReviewRun:
    """What ``review run`` reports; ``as_json`` is the contract's document."""

    month: str
    proposals: int
    by_action: dict[str, int]
    kept: int
    added: int
    gone: int
    in_force: int
    csv: Path
    workbook: Path
    towns: list[Path] = field(default_factory=list)  # a workbook a town, where asked for
    not_judged: list[dict[str, Any]] = field(default_factory=list)
    unconfirmed: list[ParameterValue] = field(default_factory=list)
    movement: list[dict[str, Any]] = field(default_factory=list)  # by programme: entered, ended, relinked, transferred
    filled: list[Path] = field(default_factory=list)  # workbooks filled in, not read back yet: kept beside

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "proposals": self.proposals,
            "by_action": self.by_action,
            "kept": self.kept,
            "added": self.added,
            "gone": self.gone,
            "in_force": self.in_force,
            "csv": str(self.csv),
            "workbook": str(self.workbook),
            "towns": [str(path) for path in self.towns],
            "not_judged": self.not_judged,
            "movement": self.movement,
            "unconfirmed": [
                {
                    "name": one.name,
                    "value": one.value if isinstance(one.value, bool) else str(one.value),
                    "unit": one.unit,
                    "source": one.source,
                }
                for one in self.unconfirmed
            ],
        }


def run_review(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    *,
    today: date,
    now: datetime,
    actor: str,
    keep_rows: bool = False,
    split_by_town: bool = False,
) -> ReviewRun:
    """Judges the rolls of ``month``, records the proposals, writes the list and the workbook from the record.

    Run again, the same proposals keep their numbers and decisions; what is no longer proposed is ``gone``.
    UsageError when no roll of the month has been imported.
    """
    from jiuzhu_cli.ledger.files import record_file, set_aside
    from jiuzhu_cli.ledger.previous import add_previous
    from jiuzhu_cli.ledger.snapshot import open_snapshot
    from jiuzhu_cli.review.output import write_outputs

    check_month(month)
    connection = open_snapshot(
        store, months=(month, month), roll_columns=COLUMNS, registers=registers_of(policy, month), register_columns=REGISTER_COLUMNS,
        of_known=of_known(policy, month),
    )  # fmt: skip
    try:
        if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册，没有可复核的", "先用 jiuzhu import 导入当月花名册")
        add_previous(connection, store, month)
        read_roll_extra(connection, store, policy, month)
        judged = judge(
            connection, policy, month, today=today, stops=confirmed_stops(store, month), keep_rows=keep_rows, incomplete=incomplete_lists(store, month),
            in_force={(one.programme, one.area, one.id_no): one.amount_after_fen for one in effective_changes(store, month)},
            graces=graces(store, month), leads=decided_leads(store, month, lead_months(policy, month)), moves=decided_moves(store, month),
        )  # fmt: skip
        judged.proposals += resumptions(
            connection, policy, month, suspended_cases(store, month, UNCERTIFIED), today=today
        )
    finally:
        connection.close()
    with store.transaction(actor=actor, command="review run", now=now) as tx:
        keep_policy(tx, policy.digest, policy.files.packed)
        saved = save_proposals(tx, month, judged.proposals, policy_digest=policy.digest)
        keep_links(tx, month, judged.links)
    rows = proposals_of(store, month)
    filled = set_aside(store, workspace, f"review:{month}", frozenset({"review_workbook", "review_town"}))
    written = write_outputs(
        workspace, policy, month, rows, judged.not_judged, judged.unconfirmed, seen=last_decision(store), split_by_town=split_by_town
    )  # fmt: skip
    with store.transaction(actor=actor, command="review run", now=now) as tx:
        for path, sha256, kind in written:
            record_file(tx, workspace, path, entity=f"review:{month}", kind=kind, sha256=sha256, lines=len(rows))
    return ReviewRun(
        month=month,
        proposals=len(rows),
        by_action=dict(sorted(Counter(row["action"] for row in rows).items())),
        kept=judged.kept,
        added=saved.added,
        gone=saved.gone,
        in_force=judged.in_force,
        csv=written[0][0],
        workbook=written[1][0],
        towns=[path for path, _, kind in written if kind == "review_town"],
        not_judged=judged.not_judged,
        unconfirmed=judged.unconfirmed,
        movement=judged.movement,
        filled=filled,
    )
