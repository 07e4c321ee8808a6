"""The door of intake: files and folders in, batches in the record out."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path

from jiuzhu_cli.intake.ahead import Ahead, ready_to_judge
from jiuzhu_cli.intake.areas import is_full_town
from jiuzhu_cli.intake.job import (
    Job,
    Options,
    Setting,
    Supplemented,
    damaged_tables,
    recover,
    result_of,
    supplemented_roll,
)
from jiuzhu_cli.intake.meter import Meter
from jiuzhu_cli.intake.pairs import join, pair_key
from jiuzhu_cli.intake.recover import evidence_of
from jiuzhu_cli.intake.result import ImportResult, TableResult
from jiuzhu_cli.intake.saving import Saver
from jiuzhu_cli.intake.sources import Source, source_files, source_groups, towns_in_names
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.mappings import active_mappings
from jiuzhu_cli.ledger.store import Store, arrow_driver
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.child import Readers
from jiuzhu_cli.tabular.secret import Secrets

__all__ = ["Options", "import_paths"]

HELD_ROWS = 5_000  # a larger file does not wait for what the files after it may tell
HELD_IN_ALL = 200_000  # rows of files that wait; what is more is read again


def import_paths(
    workspace: Workspace,
    policy: Policy,
    paths: Sequence[Path],
    options: Options | None = None,
    *,
    today: date,
    now: datetime,
    actor: str,
    progress: Meter | None = None,
    secrets: Secrets | None = None,
    readers: Readers | None = None,
) -> ImportResult:
    """Imports files and folders (read whole, sorted). Bad files and rows are in the result; only a broken run raises.

    ``secrets``: passwords of encrypted files, and who is asked for more. ``readers``: processes that read; without them
    files are read in this one.
    """
    options = options or Options()
    meter = progress or Meter()
    setting = Setting.of(workspace, policy, options, today=today, asked=paths)
    secrets = secrets or Secrets()
    groups = source_groups(source_files(paths, workspace, secrets))
    found: list[list[TableResult]] = [[] for _ in groups]
    sources = [source for group in groups for source in group]
    meter.start([path for path, _ in sources])
    opened = nullcontext(readers) if readers is not None else Readers(0)
    with _without_collector(), workspace.open_store() as store, opened as reading:
        setting = setting.remembering(active_mappings(store))
        known = _known_towns(store, sources)
        known.update(policy.divisions.likely_towns([*setting.towns, *known]))
        ahead = Ahead(groups, setting, secrets, reading, lambda: sorted(known))
        saver = Saver(workspace, policy, store, options, now, actor, len(sources))
        if readers is not None and ahead.large:
            arrow_driver()  # the rows will want both, and here it is the reader who is waited for
            ready_to_judge(policy)
        waiting: dict[int, tuple[int, list[Job]]] = {}  # number of towns known then, the files as judged then
        damaged: dict[int, list[Job]] = {}

        def supplemented(book: Workbook) -> Supplemented | None:
            saver.flush()  # its roll may be among the files that wait to be saved
            return supplemented_roll(store, book)

        def judged(number: int) -> list[Job]:
            jobs = []
            for path, root in groups[number]:
                meter.begin(path)
                jobs.append(ahead.job(path, root, supplemented))
                meter.end(path, _rows(jobs[-1:]))
            return jobs

        def take(number: int, jobs: list[Job], *, last: bool) -> None:
            if not last and _short_towns(jobs):  # other files may write the town in full
                held = sum(_rows(others) for _, others in waiting.values())
                waiting[number] = len(known), jobs if held + _rows(jobs) <= HELD_IN_ALL else []
                return
            told = not options.recover or all([recover(job, store, policy) for job in jobs])  # noqa: C419 - each is looked up
            if not told and not last and _rows(jobs) <= HELD_ROWS:
                damaged[number] = jobs  # other files may tell a damaged number
            else:
                finish(number, jobs)

        def finish(number: int, jobs: list[Job]) -> None:
            known.update(_full_towns(jobs))
            _join_pairs(jobs)
            saver.add(jobs)
            found[number] = [table for job in jobs for table in job.results]

        try:
            for number in range(len(groups)):
                take(number, judged(number), last=len(groups) == 1)
            for number, (towns, jobs) in waiting.items():
                take(number, jobs if jobs and towns == len(known) else judged(number), last=True)
            if damaged:
                saver.flush()
                beside = evidence_of(damaged_tables([job for jobs in damaged.values() for job in jobs]))
                for number, jobs in damaged.items():
                    for job in jobs:
                        recover(job, store, policy, beside)
                    finish(number, jobs)
        except Exception:
            saver.finish()  # a fault in one file keeps none of those before it out
            raise
        reading.dismiss()  # that takes them as long as saving a file, and nobody else wants the second core
        saver.finish()
    return ImportResult([table for tables in found for table in tables])


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of cells hold no cycles, and each walk of the cycle collector through their lists costs a tenth of a second."""
    active = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if active:
            gc.enable()


def _known_towns(store: Store, sources: Iterable[Source]) -> set[str]:
    """Full names of towns in the record and in the names of the files and folders at hand."""
    recorded = {area.partition("/")[0] for area in rolls.areas(store)}
    return towns_in_names(sources) | set(filter(is_full_town, recorded))


def _rows(jobs: Iterable[Job]) -> int:
    return sum(table.total for job in jobs for table in job.tables)


def _short_towns(jobs: Iterable[Job]) -> bool:
    """Whether some table's town is unknown or only known by a short name."""
    for prepared in (table for job in jobs if job.supplements is None for table in job.tables):
        if prepared.table.kind == "roll" and not prepared.fatal and prepared.rows is not None:
            own = prepared.rows.get("town").distinct() if prepared.towns is None else prepared.towns
            if not all(map(is_full_town, {prepared.area.partition("/")[0], *own} - {None, ""})):
                return True
    return False


def _full_towns(jobs: Iterable[Job]) -> set[str]:
    tables = [prepared.table for job in jobs for prepared in job.tables if prepared.table.towns is not None]
    return {town for table in tables if table.towns is not None for town in table.towns.known}


def _join_pairs(jobs: Sequence[Job]) -> None:
    """Lets the household lists among ``jobs`` go into the person lists that they belong to."""
    sides = [(pair_key(job.path) or ("", ""))[1] for job in jobs]
    for home, side in zip(jobs, sides, strict=True):
        for job, other in zip(jobs, sides, strict=True):
            if side == "家庭" and other == "人员":
                for number, households in enumerate(home.tables):
                    for place, persons in enumerate(job.tables):
                        absorbed = households.rows is not None and households.rows.absorbed is not None
                        if not absorbed and join(households, persons):
                            job.results[place] = result_of(job.shown, persons)
                            home.results[number] = result_of(home.shown, households)
                            job.partners.append((households, home.results[number], home))
