"""What an import leaves for the clerk beside the record, written after the commit: annotated copies and remainders."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from jiuzhu_cli.intake.changes import change_sheets
from jiuzhu_cli.intake.job import Job
from jiuzhu_cli.intake.remainder import asks_back, members_to_mend, remainder_name, write_remainder
from jiuzhu_cli.intake.reports import errors_name, marks_of, write_errors
from jiuzhu_cli.intake.save import LONG_LIST
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store, Transaction
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.annotate import CopyDraft


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written and is not noted yet. ``kind``: errors, remainder; ``entity``: what the journal calls it by."""

    path: Path
    kind: str
    sha256: str
    lines: int | None
    entity: str


class Drafts:
    """Annotated copies of large files, begun while their rows are saved: from that on one core would idle.

    Nothing of them is seen before what ``outputs_of`` gives has written the copy, after the commit; what they wait in has no name.
    """

    def __init__(self, workspace: Workspace, policy: Policy, beside: Executor) -> None:
        self._workspace, self._policy, self._beside = workspace, policy, beside
        self._begun: dict[Path, Future[CopyDraft]] = {}

    def __enter__(self) -> Drafts:
        return self

    def __exit__(self, *_: object) -> None:
        for path in list(self._begun):
            if (draft := self.take(path)) is not None:
                draft.close()

    @property
    def begun(self) -> bool:
        """Whether there are any."""
        return bool(self._begun)

    def begin(self, job: Job) -> None:
        """Begins the copy of a file of many rows that has something to be marked."""
        if sum(table.total for table in job.tables) >= LONG_LIST and job.book is not None and job.book.kind == "xlsx":
            marks = marks_of(job.tables, job.results, self._policy)
            if marks.reasons:
                folder = self._workspace.internal
                self._begun[job.path] = self._beside.submit(CopyDraft, folder, *marks, job.book)

    def take(self, path: Path) -> CopyDraft | None:
        """The draft for the file; None where none was begun or it could not be made."""
        future = self._begun.pop(path, None)
        return future.result() if future is not None and future.exception() is None else None


def outputs_of(
    workspace: Workspace, policy: Policy, store: Store, jobs: Sequence[Job], drafts: Drafts
) -> Callable[[], list[Written]]:
    """What writes the annotated copies and remainders of ``jobs``, in any thread; those that are there and noted are left alone."""
    noted = {str(entry["path"]) for entry in recorded_files(store)}
    active = rolls.active_among(store, [one.batch for job in jobs for one in job.lists if one.batch is not None])
    return lambda: [one for job in jobs for one in _outputs(workspace, policy, job, drafts, noted, active)]


def note_outputs(tx: Transaction, workspace: Workspace, written: Sequence[Written]) -> None:
    """Enters the files in the manifest and the journal."""
    for one in written:
        kind = f"import-{one.kind}"
        record_file(tx, workspace, one.path, entity=one.entity, kind=kind, sha256=one.sha256, lines=one.lines)
        tx.journal(one.entity, {"file": workspace.relative(one.path)}, digest=one.sha256)


def _outputs(
    workspace: Workspace, policy: Policy, job: Job, drafts: Drafts, noted: Collection[str], active: Collection[int]
) -> list[Written]:
    """Writes the files of one job; its results name them. Rows of a list that is corrected by now are not asked for."""
    assert job.book is not None
    batches = [result.batch for result in job.results if result.batch is not None]
    place = f"{min(batches):06d}" if batches else f"refused-{job.book.sha256[:12]}"
    entity = f"batch:{min(batches)}" if batches else f"import:{place}"
    folder = workspace.internal / "import" / place
    written: list[Written] = []

    def missing(target: Path) -> bool:
        return not (workspace.relative(target) in noted and target.exists())

    changes = change_sheets(job.lists, policy)
    if changes or any(finding.severity != "notice" for result in job.results for finding in result.findings):
        target = folder / errors_name(job.shown)
        if missing(target):
            draft = drafts.take(job.path)
            with closing(draft) if draft is not None else nullcontext():
                digest = write_errors(target, job.book, job.tables, job.results, policy, changes, draft)
            written.append(Written(target, "errors", digest, None, entity))
        for result in job.results:
            if any(finding.severity != "notice" for finding in result.findings):
                result.errors_file = workspace.relative(target)
        for one in job.lists:
            for found in one.compared.values():
                found.workbook = workspace.relative(target) if found.lines else ""
    for one in job.lists:
        if one.batch not in active or not any(map(asks_back, one.tables)):
            continue
        if one.results[0].status not in ("imported", "corrected", "already"):
            continue
        assert one.batch is not None
        target = folder / remainder_name(job.shown, one.batch)
        if missing(target):
            digest, lines = write_remainder(target, one.tables, one.batch, policy, one.results)
            written.append(Written(target, "remainder", digest, lines, entity))
        for result, prepared in zip(one.results, one.tables, strict=True):
            wanted = result.refused or members_to_mend(prepared)
            result.remainder_file = workspace.relative(target) if wanted else ""
    return written
