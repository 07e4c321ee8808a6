"""What an import leaves for the clerk beside the record, written after the commit: annotated copies and remainders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jiuzhu_cli.intake.changes import change_sheets
from jiuzhu_cli.intake.job import Job
from jiuzhu_cli.intake.remainder import remainder_name, to_mend, write_remainder
from jiuzhu_cli.intake.reports import errors_name, write_errors
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy


@dataclass(frozen=True, slots=True)
class _Written:
    path: Path
    kind: str
    sha256: str
    lines: int | None
    entity: str


def write_outputs(
    workspace: Workspace, policy: Policy, store: Store, jobs: Sequence[Job], *, now: datetime, actor: str
) -> None:
    """Annotated copies and remainders of ``jobs``, noted in the manifest; those that are there and noted are left alone."""
    noted = {str(entry["path"]) for entry in recorded_files(store)}
    active = rolls.active_among(store, [one.batch for job in jobs for one in job.lists if one.batch is not None])
    written = [one for job in jobs for one in _outputs(workspace, policy, job, noted, active)]
    if written:
        with store.transaction(actor=actor, command="import", now=now) as tx:
            for one in written:
                kind = f"import-{one.kind}"
                record_file(tx, workspace, one.path, entity=one.entity, kind=kind, sha256=one.sha256, lines=one.lines)
                tx.journal(one.entity, {"file": workspace.relative(one.path)}, digest=one.sha256)


def _outputs(
    workspace: Workspace, policy: Policy, job: Job, noted: Collection[str], active: Collection[int]
) -> list[_Written]:
    """Writes the files of one job; its results name them. Rows of a list that is corrected by now are not asked for."""
    assert job.book is not None
    batches = [result.batch for result in job.results if result.batch is not None]
    place = f"{min(batches):06d}" if batches else f"refused-{job.book.sha256[:12]}"
    entity = f"batch:{min(batches)}" if batches else f"import:{place}"
    folder = workspace.internal / "import" / place
    written: list[_Written] = []

    def missing(target: Path) -> bool:
        return not (workspace.relative(target) in noted and target.exists())

    changes = change_sheets(job.lists, policy)
    if changes or any(finding.severity != "notice" for result in job.results for finding in result.findings):
        target = folder / errors_name(job.shown)
        if missing(target):
            digest = write_errors(target, job.book, job.tables, job.results, policy, changes)
            written.append(_Written(target, "errors", digest, None, entity))
        for result in job.results:
            if any(finding.severity != "notice" for finding in result.findings):
                result.errors_file = workspace.relative(target)
        for one in job.lists:
            for found in one.compared.values():
                found.workbook = workspace.relative(target) if found.lines else ""
    for one in job.lists:
        if one.batch not in active or not any(map(to_mend, one.tables)):
            continue
        if one.results[0].status not in ("imported", "corrected", "already"):
            continue
        assert one.batch is not None
        target = folder / remainder_name(job.shown, one.batch)
        if missing(target):
            digest, lines = write_remainder(target, one.tables, one.batch, policy, one.results)
            written.append(_Written(target, "remainder", digest, lines, entity))
        for result in one.results:
            result.remainder_file = workspace.relative(target) if result.refused else ""
    return written
