"""One file on its way into the record: read, understood, cleaned and judged; nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.core.finding import Finding, SourceRef
from jiuzhu_cli.intake.areas import towns_of
from jiuzhu_cli.intake.cases import AmountLevel
from jiuzhu_cli.intake.find import find_tables
from jiuzhu_cli.intake.prepare import Prepared, prepare, prepare_tables
from jiuzhu_cli.intake.recover import Damaged, Evidence, look_up
from jiuzhu_cli.intake.remainder import REMAINDER_OF, known_remainder
from jiuzhu_cli.intake.result import Status, TableResult
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.intake.save import ListOfFile, Mode
from jiuzhu_cli.intake.table import Hints
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.mappings import ColumnMapping
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.ours import is_front
from jiuzhu_cli.tabular.sniff import is_worth_reading


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
    recover: bool = True  # damaged IDs and accounts by the one other record that can be meant
    accept_change: bool = False  # take in lists that differ from last month's more than is likely


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
    given: dict[str, Any] = field(default_factory=dict)  # what its tables were judged by
    about_sheets: list[Finding] = field(default_factory=list)  # findings of its sheets, which the first table carries
    light: bool = False  # its lists are made, its cells and cleaned values are not at hand (``light``)


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for every file of one import. ``asked``: the paths that the user named."""

    policy: Policy
    options: Options
    region: str
    towns: tuple[str, ...]
    today: date
    asked: Collection[Path] = ()

    @classmethod
    def of(
        cls, workspace: Workspace, policy: Policy, options: Options, *, today: date, asked: Collection[Path]
    ) -> Setting:
        return cls(policy, options, workspace.region, tuple(workspace.towns), today, asked)

    def remembering(self, mappings: Sequence[ColumnMapping]) -> Setting:
        """The same with what was said about columns before."""
        hints = replace(self.options.hints, remembered=mappings)
        return replace(self, options=replace(self.options, hints=hints))


@dataclass(frozen=True, slots=True)
class Supplemented:
    """The roll that a workbook of corrected rows belongs to; ``heads`` and ``persons`` are those it has already."""

    base: int
    heads: frozenset[str]
    persons: frozenset[str]


def read_job(
    path: Path,
    root: Path,
    setting: Setting,
    read: Callable[[Path], Workbook],
    supplemented: Callable[[Workbook], Supplemented | None],
    *,
    known: Sequence[str] = (),
) -> Job:
    """Reads and judges one file; whatever cannot be read becomes a refused result.

    ``read`` opens the file, ``supplemented`` finds the roll that a workbook of corrected rows belongs to; ``known``: full names
    of towns that other files and the record have.
    """
    job = blank_job(path, root)
    shown, named = job.shown, is_named(path, root, setting)
    if not named and not is_worth_reading(path):
        note = f"不认识 {path.suffix or '没有扩展名的文件'}"
        job.results.append(TableResult(shown, status="skipped", note=note))
        return job
    try:
        book = read(path)
    except JiuzhuError as error:
        job.results.append(_unreadable(path, shown, error))
        return job
    roll: Supplemented | None = None
    if known_remainder(book):
        roll = supplemented(book)
        if roll is None:
            note = f"它补充的批次 {book.marks[REMAINDER_OF]} 已被更正、撤销，或不在这个工作区"
            job.results.append(TableResult(shown, status="refused", note=note, todo="请改正后重新导入整份花名册"))
            return job
    judge(job, root, book, setting, known=known, named=named, roll=roll)
    return job


# Workbooks of other commands, which clerks keep beside the ledgers: their rows name people and amounts, and are no roll
_OWN_BOOKS = {
    "doubts": ("是疑点工作簿，不是台账", "填好处理结果后用 jiuzhu dedupe decide 读回"),
    "review": ("是复核建议工作簿，不是台账", "填好决定后用 jiuzhu review decide 读回"),
    "due": ("是以前版本的到期走访名单，不是台账", "重新运行 jiuzhu review due，填新的走访清单"),
    "due_cards": ("是打印用的入户核查走访表", "把填好的内容登记到走访清单工作簿，导入那一份"),
    "calendar": ("是复核日历，不是台账", "不用导入"),
    "notices": ("是告知书清单，不是台账", "送达日期填在复核建议工作簿里，用 jiuzhu review decide 读回"),
    "deadlines": ("是办理时限清单，不是台账", "办理日期填在办理进度台账里，导入那一份"),
}


def blank_job(path: Path, root: Path) -> Job:
    """The file at ``path``, found in the folder ``root``, before anything is known of it."""
    try:
        return Job(path, path.relative_to(root).as_posix())
    except ValueError:
        return Job(path, path.name)


def is_named(path: Path, root: Path, setting: Setting) -> bool:
    """Whether the user named this very file: in a folder other files may lie about, one asked for must hold a list."""
    return root == path.parent and path in setting.asked


def judge(
    job: Job,
    root: Path,
    book: Workbook,
    setting: Setting,
    *,
    known: Sequence[str],
    named: bool,
    roll: Supplemented | None = None,
) -> None:
    """Finds, cleans and judges the tables of ``book``; depends on its arguments only, so that it may run anywhere."""
    path, options = job.path, setting.options
    status: Status = "refused" if named else "skipped"
    if own := _OWN_BOOKS.get(book.marks.get("jiuzhu_kind") or book.marks.get("jiuzhu", "")):
        job.results.append(TableResult(job.shown, status=status, note=own[0], todo=own[1]))
        return
    book.sheets = [
        sheet for sheet in book.sheets if not is_front(sheet)
    ]  # a check workbook of ours comes back corrected
    hints, level, heads, present = options.hints, options.level, frozenset[str](), frozenset[str]()
    if answers := hints.answers.get(job.shown):
        hints = replace(hints, mapping={**hints.mapping, **answers})
    if roll is not None:
        job.supplements, heads, present = roll.base, roll.heads, roll.persons
        hints = replace(
            hints,
            programme=book.marks.get("jiuzhu_programme", ""),
            month=book.marks.get("jiuzhu_month", ""),
            area=book.marks.get("jiuzhu_area", ""),
        )
        level = "person" if book.marks.get("jiuzhu_amount_level") == "person" else "household"
    within = path.parts[len(root.parts) : -1]
    folders = [*reversed(within), root.name] if path.parts[: len(root.parts)] == root.parts else []
    tables, findings = find_tables(
        book, setting.policy, hints=hints, region=setting.region, towns=setting.towns, known=known, today=setting.today,
        file_name=path.name, folders=folders,
    )  # fmt: skip
    job.book = book
    job.given = {
        "today": setting.today, "towns": towns_of(setting.towns, tuple(known)), "known_heads": heads, "present": present,
    }  # fmt: skip
    for prepared in prepare_tables(path.name, book.sheets, tables, setting.policy, level=level, **job.given):
        if job.supplements is not None:
            prepared.area = book.marks.get("jiuzhu_area", prepared.area)
        job.tables.append(prepared)
        job.results.append(result_of(job.shown, prepared))
    if findings:
        _file_findings(job, findings)
    if not job.tables and not any(f.severity == "error" for r in job.results for f in r.findings):
        todo = "台账要有一行表头（姓名、身份证号等）；确认选对了文件" if named else ""
        job.results = [TableResult(job.shown, status=status, note="没有找到台账", todo=todo, findings=findings)]


def damaged_tables(jobs: Sequence[Job]) -> list[tuple[Rows, list[Damaged]]]:
    """The rows of the files' tables with their damaged cells."""
    return [(table.rows, table.damaged) for job in jobs for table in job.tables if table.rows is not None]


def recover(job: Job, store: Store, policy: Policy, beside: Evidence | None = None) -> bool:
    """Looks in the record (and ``beside`` it) for the damaged numbers of a file and judges the tables again for which it tells something.

    False when damaged numbers are left that another file may tell.
    """
    places = [place for place, table in enumerate(job.tables) if table.rows is not None]
    if not any(job.tables[place].damaged for place in places):
        return True
    asked = damaged_tables([job])
    done = True
    for place, (rows, damaged), found in zip(
        places, asked, look_up(store, asked, policy.bank_names, beside), strict=True
    ):
        if found:
            old = job.tables[place]
            known = old.recovered | found
            new = prepare(old.file, rows.sheet, old.table, policy, level=old.level, recovered=known, **job.given)
            new.area = old.area
            new.damaged = [one for one in damaged if (one.field, one.row) not in found]
            new.findings += job.about_sheets if place == 0 else []
            job.tables[place], job.results[place] = new, result_of(job.shown, new)
        done = done and all((one.field, one.row) in found for one in damaged)
    return done


def supplemented_roll(store: Store, book: Workbook) -> Supplemented | None:
    """The live roll that a workbook of corrected rows belongs to; None when it is corrected or undone, or is another list's."""
    number = book.marks[REMAINDER_OF]
    base = rolls.active_root(store, int(number)) if number.isdigit() else None
    if base is None:
        return None
    for mark, told in zip(
        ("jiuzhu_programme", "jiuzhu_month", "jiuzhu_area"), rolls.list_of(store, int(number)), strict=True
    ):
        if book.marks.setdefault(mark, told) != told:
            return None
    persons = rolls.roll_persons(store, base, without_file=book.sha256)
    return Supplemented(base, frozenset(i for i, lead in persons if lead), frozenset(i for i, _ in persons))


def _unreadable(path: Path, shown: str, error: JiuzhuError) -> TableResult:
    values: dict[str, str | int] = {"reason": error.message, "todo": error.todo}
    finding = Finding("file_unreadable", "error", SourceRef(path.name), values=values)
    return TableResult(shown, status="refused", note=error.message, todo=error.todo, findings=[finding])


def _file_findings(job: Job, findings: list[Finding]) -> None:
    """Findings about sheets go with the first table; errors of sheets without one are results of their own."""
    for finding in findings:
        if finding.severity == "error" or not job.tables:
            job.results.append(TableResult(job.shown, sheet=finding.source.sheet, findings=[finding]))
        else:
            job.about_sheets.append(finding)
            job.results[0].findings.append(finding)
            job.tables[0].findings.append(finding)


def result_of(shown: str, prepared: Prepared) -> TableResult:
    table = prepared.table
    return TableResult(
        shown, table.sheet, table.title, table.kind, table.code, prepared.area, table.month, prepared.category,
        rows=prepared.total, accepted=prepared.accepted, refused=prepared.refused, amount_fen=prepared.amount_fen,
        stated_total_fen=table.stated_total_fen, findings=list(prepared.findings), how=dict(table.how),
    )  # fmt: skip
