"""Posting rounds (两榜): lists made, hung for their days, closed. First the record is committed, then the files released.

Same content: same posting, same dates, same bytes. Changed content: the old posting is replaced and the days begin anew.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.period import check_month, posting_end
from jiuzhu_cli.ledger import postings
from jiuzhu_cli.ledger.files import forget_file, record_file, recorded_files
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.postings import Key, Posting
from jiuzhu_cli.posting.lists import VillageList, lists_of, rolls_present
from jiuzhu_cli.posting.render import find_template, render_docx, render_xlsx
from jiuzhu_cli.posting.scan import KINDS, personal_numbers_in
from jiuzhu_cli.posting.wording import ROUNDS, Period, notice_of
from jiuzhu_cli.tabular.files import safe_name, sha256_of

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

COMMAND = "post make"


@dataclass(slots=True)
class Posted:
    """One list as reported. ``change``: new, replaced (a changed list posted anew) or unchanged."""

    posting: int
    programme: str
    area: str
    round: str
    households: int
    persons: int
    amount_fen: int
    start: str
    end: str
    state: str
    change: str
    files: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "posting": self.posting, "area": self.area, "programme": self.programme, "round": self.round,
            "households": self.households, "persons": self.persons, "amount_fen": self.amount_fen,
            "from": self.start, "to": self.end, "state": self.state, "change": self.change, "files": self.files,
        }  # fmt: skip


@dataclass(slots=True)
class Made:
    """``not_posted`` and ``waiting``: (programme, reason); ``held``: (area, programme, reason) of lists kept back by the scan."""

    month: str
    round: str
    lists: list[Posted] = field(default_factory=list)
    not_posted: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[str, str, str]] = field(default_factory=list)
    held: list[tuple[str, str, str]] = field(default_factory=list)
    withdrawn: int = 0
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "round": self.round,
            "lists": [one.as_json() for one in self.lists],
            "not_posted": [{"programme": code, "reason": why} for code, why in self.not_posted],
            "waiting": [{"area": area, "programme": code, "reason": why} for area, code, why in self.waiting],
            "held": [{"area": area, "programme": code, "reason": why} for area, code, why in self.held],
            "withdrawn": self.withdrawn,
            "warnings": self.warnings,
        }


@dataclass(slots=True)
class _Job:
    """A list on its way to the wall: its dates, its place, its staged files."""

    village: VillageList
    period: Period
    old: dict[str, Any] | None
    change: str
    targets: tuple[Path, Path]
    staged: list[tuple[Path, Path, str]] = field(default_factory=list)  # (staged file, target, sha256)
    number: int = 0


def posting_period(workspace: Workspace, policy: Policy, start: date) -> tuple[Period, list[str]]:
    """The period of a list hung on ``start``, by ``jiuzhu.toml`` [posting], else by the policy; and warnings."""
    rules = {name: policy.parameter_or_none(name, start) for name in ("公示天数", "公示按工作日", "公示含首日")}
    days_rule, working_rule, first_rule = (rule.value if rule else None for rule in rules.values())
    days = workspace.get("posting", "days", int(days_rule) if days_rule is not None else 7)
    unit = workspace.get("posting", "unit", "working" if working_rule is True else "calendar")
    counted = workspace.get("posting", "count_first_day", first_rule is not False)
    off, worked = policy.days_off()
    working = unit == "working"
    end = posting_end(start, days, working_days=working, count_first_day=counted, holidays=off, extra_workdays=worked)
    unknown = sorted({start.year, end.year} - {day.year for day in off}) if working else []
    warnings = [f"节假日表里没有 {year} 年，工作日按周一至周五计算，请核对截止日" for year in unknown]
    return Period(start, end, days, working), warnings


def make(
    workspace: Workspace,
    store: Store,
    policy: Policy,
    month: str,
    *,
    round_: str = "first",
    programmes: Sequence[str] = (),
    start: date,
    actor: str,
    now: datetime,
) -> Made:
    """Makes the month's posting lists (all programmes with a roll, or those named) and releases their files.

    Files: ``out/public/<month>/<town>/<village>_<programme>_<round>.{xlsx,docx}``. A list whose finished file shows a full
    personal number is held back and not recorded. RefusedError when there is nothing to post.
    """
    check_month(month)
    if round_ not in ROUNDS:
        raise UsageError(f"--round 不能是“{round_}”", "写 first（第一榜）或 final（第二榜）")
    made = Made(month, round_)
    chosen = _choose(store, policy, month, programmes, made)
    period, made.warnings = posting_period(workspace, policy, start)
    names = workspace.get("posting", "names", "masked")
    live = _live(store, month, round_)
    first = postings.posting_state(store, month) if round_ == "final" else {}
    jobs, seen = [], set[Key]()
    paths = _Paths(workspace)
    for village in lists_of(store, month, chosen, round_=round_, masked=names == "masked"):
        seen.add(village.key)
        if round_ == "final" and "first" in village.programme.posting.rounds and first.get(village.key) != "closed":
            made.waiting.append((village.area, village.programme.code, "第一榜公示还没有结束，不能出第二榜"))
            continue
        old = live.get(village.key)
        same = old is not None and old["content_sha256"] == village.digest
        kept = _old_period(old, period) if old is not None and same else period
        change = "unchanged" if same else "replaced" if old else "new"
        jobs.append(_Job(village, kept, old, change, paths.of(village, month, round_)))
    codes = {programme.code for programme in chosen}
    withdrawn = [one for key, one in live.items() if key[0] in codes and key not in seen]
    with _staging(workspace, store, actor) as staging:
        _stage(workspace, store, policy, month, round_, jobs, staging, made)
        jobs = [job for job in jobs if job.staged or job.change == "unchanged"]
        _record(store, policy, month, round_, jobs, withdrawn, actor=actor, now=now)
        _release(workspace, store, jobs, withdrawn, actor=actor, now=now)
    made.withdrawn = len(withdrawn)
    made.lists = [_posted(workspace, job, round_) for job in jobs]
    made.warnings = list(dict.fromkeys(made.warnings))
    return made


@contextlib.contextmanager
def _staging(workspace: Workspace, store: Store, actor: str) -> Iterator[Path]:
    """A private folder for files not yet released; the ledger's lock is held, so what a killed run left there can go."""
    with store.writing(actor, COMMAND):
        folder = workspace.internal / ".posting"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _choose(store: Store, policy: Policy, month: str, names: Sequence[str], made: Made) -> list[Programme]:
    present = rolls_present(store, month)
    wanted = [policy.programme(name) for name in names] or [
        policy.programmes[code] for code in sorted(present) if code in policy.programmes
    ]
    missing = [programme.name for programme in wanted if programme.code not in present]
    if missing or not wanted:
        what = f"没有{'、'.join(missing)}的花名册" if missing else "还没有导入任何花名册"
        raise RefusedError(f"{month} {what}，无从公示", "先用 jiuzhu import 导入该月花名册")
    chosen = []
    for programme in wanted:
        if not programme.posting.allowed:
            made.not_posted.append((programme.code, programme.posting.reason or "按规定不公示"))
        elif made.round not in (programme.posting.rounds or ("first",)):
            made.not_posted.append((programme.code, f"不设{ROUNDS[made.round]}"))
        else:
            chosen.append(programme)
    return chosen


def _live(store: Store, month: str, round_: str) -> dict[Key, dict[str, Any]]:
    found = postings.live_postings(store, month, round_=round_)
    return {(one["programme"], one["town"], one["village"]): one for one in found}


def _old_period(old: Mapping[str, Any], period: Period) -> Period:
    """The dates that already hang on the wall, whatever the settings have become since."""
    start, end = date.fromisoformat(old["from_date"]), date.fromisoformat(old["to_date"])
    if (end - start) == (period.end - period.start):
        return Period(start, end, period.days, period.working)
    return Period(start, end, (end - start).days + 1, False)


class _Paths:
    """Where lists go; two villages whose names differ only in what a file name cannot hold still get two files."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._owners: dict[str, Key] = {}

    def of(self, village: VillageList, month: str, round_: str) -> tuple[Path, Path]:
        folder = self.workspace.public / month / safe_name(village.town or "全区")
        base = safe_name(f"{village.village or '全部'}_{village.programme.name}_{ROUNDS[round_]}")
        stem, number = base, 1
        while self._owners.setdefault(str(folder / stem).casefold(), village.key) != village.key:
            number += 1
            stem = f"{base}_{number}"
        return folder / f"{stem}.xlsx", folder / f"{stem}.docx"


def _stage(
    workspace: Workspace,
    store: Store,
    policy: Policy,
    month: str,
    round_: str,
    jobs: Sequence[_Job],
    staging: Path,
    made: Made,
) -> None:
    """Renders what must be written into ``staging`` and looks through each finished file; held lists keep no staged file."""
    manifest = {str(entry["path"]): str(entry["sha256"]) for entry in recorded_files(store)}
    contact = [str(workspace.get("bureau", key, "")) for key in ("phone", "address")]
    for index, job in enumerate(jobs):
        notice = notice_of(job.village, month, round_, job.period, workspace, policy)
        made.warnings += notice.warnings
        if job.change == "unchanged" and all(_intact(workspace, path, manifest) for path in job.targets):
            continue
        sheet, document = staging / f"{index}.xlsx", staging / f"{index}.docx"
        template = find_template(workspace.templates_dir, job.village.programme.code)
        digests = render_xlsx(sheet, job.village, notice), render_docx(document, job.village, notice, template)
        kinds = {kind for path in (sheet, document) for kind in personal_numbers_in(path, contact)}
        if kinds:
            what = "、".join(KINDS[kind] for kind in sorted(kinds))
            reason = f"公示单里出现了完整的{what}，已扣下没有出文件；请查花名册的姓名、村名等栏和公示模板"
            made.held.append((job.village.area, job.village.programme.code, reason))
            continue
        job.staged = [(sheet, job.targets[0], digests[0]), (document, job.targets[1], digests[1])]


def _intact(workspace: Workspace, path: Path, manifest: Mapping[str, str]) -> bool:
    return path.is_file() and manifest.get(workspace.relative(path)) == sha256_of(path)


def _record(
    store: Store,
    policy: Policy,
    month: str,
    round_: str,
    jobs: Sequence[_Job],
    withdrawn: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    now: datetime,
) -> None:
    fresh = [job for job in jobs if job.change != "unchanged"]
    for job in jobs:
        job.number = job.old["posting_id"] if job.old else 0
    if not fresh and not withdrawn:
        return
    made = [
        Posting(
            job.village.programme.code, job.village.town, job.village.village, month, round_, job.village.households,
            job.village.persons, job.village.amount_fen, job.period.start.isoformat(), job.period.end.isoformat(), job.village.digest,
        )
        for job in fresh
    ]  # fmt: skip
    replaced = {job.village.key: job.old["posting_id"] for job in fresh if job.old}
    with store.transaction(actor=actor, command=COMMAND, now=now) as tx:
        keep_policy(tx, policy.digest, policy.files.packed)
        numbers = postings.save_postings(tx, made, replaced, [one["posting_id"] for one in withdrawn], policy.digest)
    for job in fresh:
        job.number = numbers[job.village.key]


def _release(
    workspace: Workspace,
    store: Store,
    jobs: Sequence[_Job],
    withdrawn: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Moves staged files to their places, takes withdrawn ones away, and notes both in the manifest."""
    ready = [(job, *file) for job in jobs for file in job.staged]
    kept = {workspace.relative(path) for job in jobs for path in job.targets}
    stale = [
        str(entry["path"])
        for one in withdrawn
        for entry in recorded_files(store, entity=f"posting:{one['posting_id']}")
        if entry["path"] not in kept
    ]
    if not ready and not stale:
        return
    for _, staged, target, _ in ready:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged.replace(target)
    with store.transaction(actor=actor, command=COMMAND, now=now) as tx:
        for job, _, target, digest in ready:
            record_file(
                tx, workspace, target, entity=f"posting:{job.number}", kind="posting", sha256=digest,
                lines=job.village.households, amount_fen=job.village.amount_fen,
            )  # fmt: skip
        for path in stale:
            (workspace.root / path).unlink(missing_ok=True)
            forget_file(tx, path)


def _posted(workspace: Workspace, job: _Job, round_: str) -> Posted:
    village = job.village
    return Posted(
        posting=job.number,
        programme=village.programme.code,
        area=village.area,
        round=round_,
        households=village.households,
        persons=village.persons,
        amount_fen=village.amount_fen,
        start=job.period.start.isoformat(),
        end=job.period.end.isoformat(),
        state=job.old["state"] if job.old and job.change == "unchanged" else "open",
        change=job.change,
        files=[workspace.relative(path) for path in job.targets],
    )
