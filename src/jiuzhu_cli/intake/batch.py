"""The door of intake: files and folders in, batches in the record out, one transaction a file."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from jiuzhu_cli.core.errors import JiuzhuError, UsageError
from jiuzhu_cli.core.finding import Finding, SourceRef
from jiuzhu_cli.intake.areas import Towns, is_full_town
from jiuzhu_cli.intake.cases import AmountLevel
from jiuzhu_cli.intake.find import find_tables
from jiuzhu_cli.intake.pairs import join, pair_key
from jiuzhu_cli.intake.prepare import Prepared, prepare_tables
from jiuzhu_cli.intake.reports import REMAINDER_OF, errors_name, remainder_name, write_errors, write_remainder
from jiuzhu_cli.intake.result import ImportResult, Status, TableResult
from jiuzhu_cli.intake.save import ListOfFile, Mode, SourceFile, lists_of, recognise_known, save_list
from jiuzhu_cli.intake.table import Hints
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.read import read_workbook

SUFFIXES = {".xlsx", ".xls", ".xlsm", ".et", ".csv", ".txt"}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to import. ``max_bad_pct``: a file with more refused rows than that is refused whole; ``strict``: with any.

    ``mode`` settles what would be asked: ``replace`` takes a list as the corrected roll, ``append`` as a further part.
    ``level``: whether amounts on members' rows are the household's or each person's.
    """

    hints: Hints = field(default_factory=Hints)
    strict: bool = False
    max_bad_pct: float | None = None
    mode: Mode = ""
    level: AmountLevel = ""
    passwords: Sequence[str] = ()


@dataclass(slots=True)
class Job:
    """One file on its way."""

    path: Path
    shown: str
    book: Workbook | None = None
    tables: list[Prepared] = field(default_factory=list)
    results: list[TableResult] = field(default_factory=list)
    supplements: int | None = None
    lists: list[ListOfFile] = field(default_factory=list)
    partners: list[tuple[Prepared, TableResult, Job]] = field(default_factory=list)  # household lists joined to ours


def import_paths(
    workspace: Workspace,
    policy: Policy,
    paths: Sequence[Path],
    options: Options | None = None,
    *,
    today: date,
    now: datetime,
    actor: str,
    progress: Progress | None = None,
) -> ImportResult:
    """Imports files and folders (read whole, sorted). Bad files and rows are in the result; only a broken run raises."""
    options = options or Options()
    say = progress or (lambda _: None)
    groups = _groups(source_files(paths, workspace))
    found: list[list[TableResult]] = [[] for _ in groups]
    paths_ahead = [path for group in groups for path, _ in group]
    with _without_collector(), workspace.open_store() as store, _Ahead(paths_ahead, options) as ahead:
        known = _known_towns(store, groups)
        waiting: list[int] = []

        def take(number: int, *, last: bool) -> None:
            jobs = [
                read_job(
                    path, root, workspace, policy, store, options, ahead, today=today, asked=paths, known=sorted(known)
                )
                for path, root in groups[number]
            ]
            if not last and _short_towns(jobs):
                waiting.append(number)  # other files may write the town in full
                return
            known.update(_full_towns(jobs))
            _join_pairs(jobs)
            for job in sorted(jobs, key=lambda job: not job.partners):  # a pair is saved with its persons
                if job.book is not None:
                    save_job(workspace, policy, store, job, options, now=now, actor=actor)
            found[number] = [table for job in jobs for table in job.results]

        for number, group in enumerate(groups):
            for path, _ in group:
                say(path.name)
            take(number, last=len(groups) == 1)
        for number in waiting:
            take(number, last=True)
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


def _known_towns(store: Store, groups: Iterable[Iterable[tuple[Path, Path]]]) -> set[str]:
    """Full names of towns in the record and in the names of the files and folders at hand."""
    names = {part for group in groups for path, root in group for part in (root.name, *path.relative_to(root).parts)}
    found = {Towns(()).find(name)[0] for name in names} | {area.partition("/")[0] for area in rolls.areas(store)}
    return {town for town in found if is_full_town(town)}


def _short_towns(jobs: Iterable[Job]) -> bool:
    """Whether some table's town is unknown or only known by a short name."""
    for prepared in (table for job in jobs if job.supplements is None for table in job.tables):
        if prepared.table.kind == "roll" and not prepared.fatal and prepared.rows is not None:
            towns = {prepared.area.partition("/")[0], *prepared.rows.get("town")} - {None, ""}
            if not all(map(is_full_town, towns)):
                return True
    return False


def _full_towns(jobs: Iterable[Job]) -> set[str]:
    tables = [prepared.table for job in jobs for prepared in job.tables if prepared.table.towns is not None]
    return {town for table in tables if table.towns is not None for town in table.towns.known}


class _Ahead:
    """Reads the next workbook while the one before is cleaned and saved (the reader leaves the interpreter free)."""

    def __init__(self, paths: Sequence[Path], options: Options) -> None:
        self._waiting = [path for path in paths if path.suffix.lower() in SUFFIXES]
        self._passwords = options.passwords
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="read")
        self._next: tuple[Path, Future[Workbook]] | None = None

    def __enter__(self) -> _Ahead:
        self._advance()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _advance(self) -> None:
        self._next = None
        if self._waiting:
            path = self._waiting.pop(0)
            self._next = path, self._pool.submit(read_workbook, path, passwords=self._passwords)

    def get(self, path: Path) -> Workbook:
        """The workbook at ``path``; files are asked for in order. Raises as ``read_workbook`` does."""
        if self._next is None or self._next[0] != path:
            return read_workbook(path, passwords=self._passwords)
        future = self._next[1]
        wait([future])
        self._advance()
        return future.result()


def source_files(paths: Sequence[Path], workspace: Workspace) -> Iterator[tuple[Path, Path]]:
    """Files to be read with the folder they were asked for; folders recursively, without lock files and our own output.

    UsageError when a path does not exist.
    """
    own = (workspace.root / "out").resolve()
    for path in paths:
        if path.is_file():
            yield path, path.parent
        elif path.is_dir():
            for folder, names, files in os.walk(path):
                names[:] = sorted(n for n in names if not n.startswith(".") and (Path(folder) / n).resolve() != own)
                for name in sorted(files):
                    if not name.startswith((".", "~$")):
                        yield Path(folder) / name, path
        else:
            raise UsageError(f"没有“{path}”这个文件或文件夹", "检查路径；含空格时加引号")


def _groups(files: Iterable[tuple[Path, Path]]) -> list[list[tuple[Path, Path]]]:
    """Files one by one, in order; the two exports of one provincial list together."""
    found: dict[str, list[tuple[Path, Path]]] = {}
    for path, root in files:
        key = pair_key(path)
        found.setdefault(key[0] if key else str(path), []).append((path, root))
    return list(found.values())


def _join_pairs(jobs: Sequence[Job]) -> None:
    """Lets the household lists among ``jobs`` go into the person lists that they belong to."""
    sides = [(pair_key(job.path) or ("", ""))[1] for job in jobs]
    for home, side in zip(jobs, sides, strict=True):
        for job, other in zip(jobs, sides, strict=True):
            if side == "家庭" and other == "人员":
                for number, households in enumerate(home.tables):
                    for place, persons in enumerate(job.tables):
                        if (
                            households.rows is not None
                            and households.rows.absorbed is None
                            and join(households, persons)
                        ):
                            job.partners.append((households, home.results[number], home))
                            job.results[place].amount_fen = persons.amount_fen
                            home.results[number].amount_fen = households.amount_fen


def read_job(
    path: Path,
    root: Path,
    workspace: Workspace,
    policy: Policy,
    store: Store,
    options: Options,
    ahead: _Ahead,
    *,
    today: date,
    asked: Collection[Path] = (),
    known: Sequence[str] = (),
) -> Job:
    """Reads and judges one file; whatever cannot be read becomes a refused result.

    ``asked``: paths the user named; ``known``: full names of towns that other files and the record have.
    """
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    job = Job(path, shown)
    named = (
        root == path.parent and path in asked
    )  # in a folder other files may lie about; one asked for must hold a list
    if path.suffix.lower() not in SUFFIXES:
        job.results.append(_strange(path, shown, named=named))
        return job
    try:
        book = ahead.get(path)
    except JiuzhuError as error:
        finding = Finding(
            "file_unreadable", "error", SourceRef(path.name), values={"reason": error.message, "todo": error.todo}
        )
        job.results.append(
            TableResult(shown, status="refused", note=error.message, todo=error.todo, findings=[finding])
        )
        return job
    hints, level, heads, present = options.hints, options.level, frozenset[str](), frozenset[str]()
    if REMAINDER_OF in book.marks:
        base = _base_of(store, book.marks)
        if base is None:
            note = f"它补充的批次 {book.marks[REMAINDER_OF]} 已被更正或撤销"
            job.results.append(TableResult(shown, status="refused", note=note, todo="请改正后重新导入整份花名册"))
            return job
        job.supplements = base
        hints = replace(
            hints,
            programme=book.marks.get("jiuzhu_programme", ""),
            month=book.marks.get("jiuzhu_month", ""),
            area=book.marks.get("jiuzhu_area", ""),
        )
        level = "person" if book.marks.get("jiuzhu_amount_level") == "person" else "household"
        persons = rolls.roll_persons(store, base, without_file=book.sha256)
        heads, present = frozenset(i for i, lead in persons if lead), frozenset(i for i, _ in persons)
    folders = (
        [parent.name for parent in path.parents if parent.is_relative_to(root)] if path.is_relative_to(root) else []
    )
    tables, findings = find_tables(
        book, policy, hints=hints, region=workspace.region, towns=workspace.towns, known=known, today=today, file_name=path.name,
        folders=folders,
    )  # fmt: skip
    towns = Towns(workspace.towns, known)
    job.book = book
    for prepared in prepare_tables(
        path.name,
        book.sheets,
        tables,
        policy,
        level=level,
        today=today,
        towns=towns,
        known_heads=heads,
        present=present,
    ):
        if job.supplements is not None:
            prepared.area = book.marks.get("jiuzhu_area", prepared.area)
        job.tables.append(prepared)
        job.results.append(_result(shown, prepared))
    if findings:
        _file_findings(job, findings)
    if not job.tables and not any(f.severity == "error" for r in job.results for f in r.findings):
        todo = "台账要有一行表头（姓名、身份证号等）；确认选对了文件" if named else ""
        status: Status = "refused" if named else "skipped"
        job.results = [TableResult(shown, status=status, note="没有找到台账", todo=todo, findings=findings)]
    return job


def _strange(path: Path, shown: str, *, named: bool) -> TableResult:
    """A file of a kind that is never read: passed over in a folder, refused when the user asked for it."""
    note = f"不认识 {path.suffix or '没有扩展名的文件'}"
    if not named:
        return TableResult(shown, status="skipped", note=note)
    todo = "台账要是 xlsx、xls、csv 文件；用 Excel 或 WPS 另存后再导入"
    values: dict[str, str | int] = {"reason": note, "todo": todo}
    finding = Finding("file_unreadable", "error", SourceRef(path.name), values=values)
    return TableResult(shown, status="refused", note=note, todo=todo, findings=[finding])


def _file_findings(job: Job, findings: list[Finding]) -> None:
    """Findings about sheets go with the first table; errors of sheets without one are results of their own."""
    for finding in findings:
        if finding.severity == "error" or not job.tables:
            job.results.append(TableResult(job.shown, sheet=finding.source.sheet, findings=[finding]))
        else:
            job.results[0].findings.append(finding)
            job.tables[0].findings.append(finding)


def _base_of(store: Store, marks: dict[str, str]) -> int | None:
    """The live roll that a workbook of corrected rows belongs to."""
    number = marks[REMAINDER_OF]
    return rolls.active_root(store, int(number)) if number.isdigit() else None


def _result(shown: str, prepared: Prepared) -> TableResult:
    table = prepared.table
    return TableResult(
        shown, table.sheet, table.title, table.kind, table.code, prepared.area, table.month, prepared.category,
        rows=prepared.total, accepted=prepared.accepted, refused=prepared.refused, amount_fen=prepared.amount_fen,
        stated_total_fen=table.stated_total_fen, findings=list(prepared.findings), how=dict(table.how),
    )  # fmt: skip


def save_job(
    workspace: Workspace, policy: Policy, store: Store, job: Job, options: Options, *, now: datetime, actor: str
) -> None:
    """Saves the lists of one file in one transaction, then writes what the clerk needs."""
    assert job.book is not None
    paired = list(zip(job.tables, job.results, strict=False))
    refusal = _whole_file_refused(job, options)
    if refusal:
        for _, result in paired:
            result.accepted, result.refused, result.amount_fen = 0, result.rows, 0
            result.note, result.todo = refusal, "改正后重新导入整份文件；或去掉 --strict、调高 --max-bad-pct"
    else:
        source = _source(job)
        own = [(t, r) for t, r in paired if t.rows is None or t.rows.absorbed is None]
        own += [(table, result) for table, result, _ in job.partners]
        job.lists = lists_of([t for t, _ in own], [r for _, r in own], job.supplements)
        fresh = [one for one in job.lists if not recognise_known(store, one)]
        for number, one in enumerate(fresh):
            one.staged = rolls.stage_rows(store, one.rows, f"incoming_{number}")
            if one.staged:  # what is still asked of the rows; the rest would only take memory
                one.rows = one.rows.select(["id_no", "name", "town", "village", "table_no"])
        if fresh:
            with store.transaction(actor=actor, command="import", now=now) as tx:
                for one in fresh:
                    save_list(tx, store, one, source, policy.digest, options.mode, fresh)
    for prepared, result in paired:
        if result.status == "refused" and _all_present(prepared):
            result.status, result.note, result.refused, result.unchanged = (
                "already",
                "这些人都已在名册里",
                0,
                prepared.total,
            )
        elif result.status == "refused" and not result.note:
            result.note = "整张表不能导入" if prepared.fatal else "没有一行可以收下"
    _write_files(workspace, policy, store, job, now=now, actor=actor)


def _all_present(prepared: Prepared) -> bool:
    """Whether every row was refused only because its person is on the roll already."""
    errors = [finding for finding in prepared.findings if finding.severity == "error"]
    return bool(errors) and len(errors) == prepared.total and all(f.code == "already_in_roll" for f in errors)


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


def _write_files(workspace: Workspace, policy: Policy, store: Store, job: Job, *, now: datetime, actor: str) -> None:
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
