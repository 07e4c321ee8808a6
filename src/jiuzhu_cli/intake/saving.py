"""Judged files into the record: one transaction for a group of files, each of which is saved whole or not at all.

A group is bounded, so that a kill loses little: what it held is imported by the next run. Files for people are written
after the commit, beside what comes next, and noted with the next group; a batch whose files are missing or not noted gets
them when its list is imported again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from jiuzhu_cli.intake.job import Job, Options
from jiuzhu_cli.intake.mapping import keep_mappings
from jiuzhu_cli.intake.outputs import Drafts, Written, note_outputs, outputs_of
from jiuzhu_cli.intake.remainder import rows_present
from jiuzhu_cli.intake.save import ListOfFile, SourceFile, lists_of, recognise_known, save_list
from jiuzhu_cli.intake.watch import Limits, Watch
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.incoming import stage_lists
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.store import PartUndone, Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy

# Counted, never by the clock: what a damaged number is looked up in must not depend on which process was faster
GROUP_FILES, GROUP_ROWS = 64, 24_000
# Groups begin small, grow, and grow smaller towards the end: while the first one is gathered nothing is saved, while the last
# one is saved nothing is read. But each one waits for the disk
FIRST_FILES, LAST_FILES = 16, 8  # fewer than ``LAST_FILES`` that are left go with those before them
# While a larger one is gathered its rows are already put beside the record, so many files at a time
STAGED_FILES = 24

Files = list[tuple[Job, list[ListOfFile]]]  # judged files, and their lists that the record does not hold yet


@dataclass
class Saver:
    """Takes judged files in their order and saves them; ``flush`` saves what still waits, ``finish`` also waits for the files for people."""

    workspace: Workspace
    policy: Policy
    store: Store
    options: Options
    now: datetime
    actor: str
    left: int = 0  # files that are still to come
    _saved: int = 0
    _jobs: list[Job] = field(default_factory=list)
    _rows: int = 0
    _staged: Files = field(default_factory=list)  # of the group, with what is new in them
    _writer: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="outputs"))
    _writing: Future[list[Written]] | None = None  # of the group before

    def add(self, jobs: Sequence[Job]) -> None:
        """Files that belong together (most often one): they are saved in one group."""
        self._jobs += sorted((job for job in jobs if job.book is not None), key=lambda job: not job.partners)
        self._rows += sum(table.total for job in jobs for table in job.tables)
        self.left -= len(jobs)
        most = min(GROUP_FILES, max(FIRST_FILES, min(self.left, 2 * self._saved)))
        enough = len(self._staged) + len(self._jobs) >= most and not 0 < self.left < min(LAST_FILES, most)
        if enough or self._rows >= GROUP_ROWS:
            self.flush()
        elif len(self._jobs) >= STAGED_FILES:
            self._stage_ahead()

    def _stage_ahead(self) -> None:
        """Puts the rows of the files that wait beside the record: else nothing is done while others are awaited."""
        jobs, self._jobs = self._jobs, []
        staged, self._staged = self._staged, []  # should it fail, the group is left out whole
        fresh = [(job, self._fresh(job, None)) for job in jobs]
        _stage(self.store, fresh, after=staged)
        self._staged = staged + fresh

    def flush(self) -> None:
        """Raises what a file's saving raises, after the files before it are saved."""
        if not (self._jobs or self._staged):
            return
        jobs, self._jobs, self._rows = self._jobs, [], 0
        staged, self._staged = self._staged, []
        self._saved += len(staged) + len(jobs)
        with (
            ThreadPoolExecutor(1, thread_name_prefix="beside") as beside,
            Drafts(self.workspace, self.policy, beside) as drafts,
        ):
            self._save(staged, jobs, beside, drafts)

    def finish(self) -> None:
        """``flush``; afterwards all files for people are there and noted."""
        self.flush()
        self._note(self._written())
        self._writer.shutdown()

    def _written(self) -> list[Written]:
        """The files of the groups before that are not noted yet; waits for them and raises what writing them raised."""
        if self._writing is None:
            return []
        writing, self._writing = self._writing, None
        return writing.result()

    def _note(self, written: Sequence[Written]) -> None:
        if not written:
            return
        with self.store.transaction(actor=self.actor, command="import", now=self.now) as tx:
            note_outputs(tx, self.workspace, written)

    def _save(self, staged: Files, more: list[Job], beside: Executor, drafts: Drafts) -> None:
        """One group: files whose rows are ``staged`` already, then ``more``."""
        fresh = [(job, self._fresh(job, beside)) for job in more]
        pending, jobs = staged + fresh, [*(job for job, _ in staged), *more]
        for job, lists in pending:
            if lists:
                drafts.begin(job)
        failure: BaseException | None = None
        watch = self._watch()
        if any(lists for _, lists in pending):
            _stage(self.store, fresh, after=staged)
            pending = [(job, [one for one in new if not one.long or self._is_fresh(one)]) for job, new in pending]
            written = self._written()
            with self.store.transaction(actor=self.actor, command="import", now=self.now) as tx:
                note_outputs(tx, self.workspace, written)
                keep_policy(tx, self.policy.digest, self.policy.files.packed)
                for number, (job, lists) in enumerate(pending):
                    source = _source(job)
                    try:
                        with tx.part():
                            # what another file of the group has just brought in is known by now
                            mine = [one for one in lists if not recognise_known(self.store, one)]
                            for one in mine:
                                save_list(
                                    tx, self.store, one, source, self.policy.digest, self.options.mode, mine, watch
                                )
                            if mine:
                                keep_mappings(tx, [prepared.table for prepared in job.tables])
                    except PartUndone as undone:
                        jobs, failure = jobs[:number], undone.__cause__
                        break
        else:
            self._note(self._written())
        for job in jobs:
            _conclude(job)
        outputs = outputs_of(self.workspace, self.policy, self.store, jobs, drafts)
        if drafts.begun:
            self._note(outputs())
        else:
            self._writing = self._writer.submit(outputs)
        if failure is not None:
            raise failure

    def _watch(self) -> Watch:
        return Watch(self.policy, Limits.of(self.workspace), accept=self.options.accept_change)

    def _fresh(self, job: Job, beside: Executor | None) -> list[ListOfFile]:
        """The lists of a file that the record does not hold yet; none when the file is refused whole.

        Long lists of a file that nobody has imported before are taken for such until their digest is there.
        """
        refusal = _whole_file_refused(job, self.options)
        if refusal:
            for result in job.results[: len(job.tables)]:
                result.accepted, result.refused, result.amount_fen = 0, result.rows, 0
                result.note, result.todo = refusal, "改正后重新导入整份文件；或去掉 --strict、调高 --max-bad-pct"
            return []
        if not job.light:
            paired = zip(job.tables, job.results, strict=False)
            own = [(t, r) for t, r in paired if t.rows is None or t.rows.absorbed is None]
            own += [(table, result) for table, result, _ in job.partners]
            job.lists = lists_of([t for t, _ in own], [r for _, r in own], job.supplements, beside)
        new = any(one.long for one in job.lists) and not rolls.knows_file(self.store, _source(job).sha256)
        return [one for one in job.lists if (new and one.long) or self._is_fresh(one)]

    def _is_fresh(self, one: ListOfFile) -> bool:
        """Whether the record does not hold the list yet; what was said of a known one then is said again."""
        if not recognise_known(self.store, one):
            return True
        if one.results[0].status == "already":
            self._watch().compare_again(self.store, one)
        return False


def _stage(store: Store, files: Files, *, after: Files) -> None:
    """Puts the rows of files' lists beside the record; from then on they are only there. ``after``: those that are there already."""
    lists = [one for _, mine in files for one in mine]
    rows = [(one.kind, one.rows) for one in lists if one.rows is not None]
    if rows:
        before = sum(len(mine) for _, mine in after)
        for one, incoming in zip(lists, stage_lists(store, rows, after=before), strict=True):
            one.incoming, one.rows = incoming, None


def _conclude(job: Job) -> None:
    """What is said of tables that brought nothing into the record, and of rows that their roll has already."""
    for prepared, result in zip(job.tables, job.results, strict=False):
        present = len(rows_present(prepared)) if job.supplements is not None else 0
        if present and result.status in ("imported", "already", "refused"):
            result.refused, result.unchanged = result.refused - present, result.unchanged + present
        if result.status == "refused" and present and not result.refused:
            result.status, result.note = "already", "这些人都已在名册里"
        elif result.status == "refused" and not result.note:
            result.note = "整张表不能导入" if prepared.fatal else "没有一行可以收下"


def _source(job: Job) -> SourceFile:
    """What the batch says it came from: the file, or both of a pair."""
    assert job.book is not None
    homes = {home.path.name: home.book.sha256 for _, _, home in job.partners if home.book is not None}
    if not homes:
        return SourceFile(job.path.name, job.book.sha256)
    digests = "".join([job.book.sha256, *homes.values()])
    return SourceFile("、".join([job.path.name, *homes]), hashlib.sha256(digests.encode()).hexdigest())


def _whole_file_refused(job: Job, options: Options) -> str:
    rows = sum(table.total for table in job.tables)
    refused = sum(table.refused for table in job.tables)
    if options.strict and refused:
        return f"有 {refused} 行不能收下，按 --strict 整份退回"
    if options.max_bad_pct is not None and rows and refused * 100 > options.max_bad_pct * rows:
        return f"{rows} 行里有 {refused} 行不能收下，超过 {options.max_bad_pct:g}%，整份退回"
    return ""
