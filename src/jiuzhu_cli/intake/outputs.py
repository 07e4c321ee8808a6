"""What an import leaves for the clerk beside the record, written after the commit: annotated copies and remainders."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from jiuzhu_cli.intake.job import Job
from jiuzhu_cli.intake.reports import errors_name, remainder_name, write_errors, write_remainder
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy


def write_outputs(workspace: Workspace, policy: Policy, store: Store, job: Job, *, now: datetime, actor: str) -> None:
    """Annotated copy and remainders; those that are there and recorded are left alone."""
    assert job.book is not None
    batches = [result.batch for result in job.results if result.batch is not None]
    place = f"{min(batches):06d}" if batches else f"refused-{job.book.sha256[:12]}"
    folder = workspace.internal / "import" / place
    recorded = {str(entry["path"]) for entry in recorded_files(store)} if folder.exists() else set()
    written: list[tuple[Path, str, str, int | None, str]] = []
    if any(finding.severity != "notice" for result in job.results for finding in result.findings):
        target = folder / errors_name(job.shown)
        if not (target.exists() and workspace.relative(target) in recorded):
            digest = write_errors(target, job.book, job.tables, job.results, policy)
            written.append((target, "errors", digest, None, place))
        for result in job.results:
            if any(finding.severity != "notice" for finding in result.findings):
                result.errors_file = workspace.relative(target)
    for one in job.lists:
        if one.batch is None or not any(table.refused for table in one.tables):
            continue
        if one.results[0].status not in ("imported", "corrected", "already"):
            continue
        target = folder / remainder_name(job.shown, one.batch)
        if not (target.exists() and workspace.relative(target) in recorded):
            digest, lines = write_remainder(target, one.tables, one.batch, policy, one.results)
            written.append((target, "remainder", digest, lines, place))
        for result in one.results:
            result.remainder_file = workspace.relative(target) if result.refused else ""
    if written:
        with store.transaction(actor=actor, command="import", now=now) as tx:
            for path, kind, digest, lines_, where in written:
                entity = f"batch:{int(where)}" if where.isdigit() else f"import:{where}"
                record_file(tx, workspace, path, entity=entity, kind=f"import-{kind}", sha256=digest, lines=lines_)
                tx.journal(entity, {"file": workspace.relative(path)}, digest=digest)
