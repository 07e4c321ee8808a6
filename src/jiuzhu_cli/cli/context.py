"""What every command has: workspace, policy, clock, actor, streams; and the only ways to print."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme, Register


@dataclass
class Context:
    """Made once by the top-level callback; commands take it from ``typer.Context.obj``."""

    directory: Path | None = None
    today: date = field(default_factory=date.today)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    actor_option: str = ""
    json: bool = False
    quiet: bool = False
    yes: bool = False
    dry_run: bool = False
    _workspace: Workspace | None = None
    _policy: Policy | None = None
    _scratch: TemporaryDirectory[str] | None = None
    _real_root: Path | None = None  # of the workspace that a trial run copied

    @classmethod
    def make(cls, directory: Path | None, today: str, actor: str, flags: Mapping[str, bool]) -> Context:
        context = cls(
            directory=directory,
            actor_option=actor,
            json=flags.get("json", False),
            quiet=flags.get("quiet", False),
            yes=flags.get("yes", False),
            dry_run=flags.get("dry_run", False),
        )
        if today:
            from jiuzhu_cli.core.period import parse_date

            day, problem = parse_date(today)
            if problem or day is None:
                raise UsageError(f"--today “{today}”不是日期", "请写成 YYYY-MM-DD，例如 2026-11-21")
            context.today = day
            context.now = datetime.combine(day, time(1, 0), UTC)
        return context

    @property
    def workspace(self) -> Workspace:
        if self._workspace is None:
            from jiuzhu_cli.ledger.workspace import find_workspace

            self._workspace = find_workspace(self.directory, explicit=self.directory is not None)
            if self.dry_run:
                self._workspace = self._rehearsal(self._workspace)
        return self._workspace

    def policy(self, month: str = "") -> Policy:
        """The policy of the workspace (package data overlaid by its ``policy/`` folder); of a ``month`` that was paid, the one of then."""
        if self._policy is None:
            from jiuzhu_cli.policy.load import load_policy

            self._policy = load_policy(self.workspace.policy_dir, region=self.workspace.region)
        return self._pinned(month, self._policy) if month else self._policy

    def forget_policy(self) -> None:
        """Its files have been changed: the next ``policy`` reads them anew."""
        self._policy = None

    def _pinned(self, month: str, now: Policy) -> Policy:
        from jiuzhu_cli.ledger.policies import pinned_policies
        from jiuzhu_cli.policy.load import pinned_policy

        with self.workspace.open_store() as store:
            found = pinned_policies(store, month)
        if not found or found[0].digest == now.digest:
            return now
        day = moment(found[0].drafted_at)[:10]
        if found[0].content is None:
            self.say(f"注意：{month} 已发放，当时（{day}）的政策没有存在台账里，只能按现在的政策核算。")
            return now
        self.say(f"{month} 已发放，按发放时（{day} 制单）的政策核算；与现在的差别：jiuzhu policy diff {month} today")
        return pinned_policy(found[0].content, found[0].digest, now)

    def _rehearsal(self, workspace: Workspace) -> Workspace:
        """A trial run works on a throw-away copy: the same code, nothing of the real workspace written."""
        import tempfile

        from jiuzhu_cli.ledger.workspace import copy_workspace

        self._real_root = workspace.root
        self._scratch = tempfile.TemporaryDirectory(prefix="jiuzhu-dry-run-")
        return copy_workspace(workspace, Path(self._scratch.name) / "workspace")

    def warn_of_clock(self) -> None:
        """Says so when the command was recorded on an earlier day than entries before it; the numbers' order counts, not the clock."""
        if self._workspace is None or self.dry_run or not self._workspace.ledger_path.exists():
            return
        from jiuzhu_cli.ledger.store import Store

        with Store(self._workspace.ledger_path, migrate=False) as store:
            latest = store.clock_set_back(self.now)
        if latest:
            self.say(f"注意：台账里已有 {latest[:10]} 的操作，今天却是 {self.today}：请核对电脑日期。先后以序号为准。")

    def finish(self) -> None:
        """Throws the trial run's copy away; safe to call twice."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None
            self.say("试运行：以上只是演算，工作区里什么也没有改动。")

    @property
    def actor(self) -> str:
        return self.actor_option or self.workspace.actor

    def say(self, text: str) -> None:
        """Progress and messages: stderr, unless --quiet."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def confirmed(self, question: str) -> bool:
        """Whether the person at the keyboard says yes. A script with nobody there has not said it: False, and the caller tells of --yes."""
        import click

        try:
            return click.confirm(question, default=False, err=True)
        except click.Abort:
            if sys.stdin.isatty():
                raise
            print(file=sys.stderr)  # the question stands without an answer
            return False

    def emit(self, data: dict[str, Any], lines: Iterable[str]) -> None:
        """The result: one JSON document on stdout with --json, else Chinese text."""
        if self.json:
            if self._workspace is not None:
                data = _absolute(data, str(self._workspace.root), str(self._real_root or self._workspace.root))
            sys.stdout.write(_document(data) + "\n")
        else:
            for line in lines:
                print(line)


_MANY = 50


def _document(data: dict[str, Any]) -> str:
    """``data`` as JSON, indented; of a list of very many entries each stands on a line of its own."""
    long = [name for name, value in data.items() if isinstance(value, list) and len(value) > _MANY]
    text = json.dumps(data | {name: [] for name in long}, ensure_ascii=False, indent=1, default=str)
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    for name in long:
        head = json.dumps(name, ensure_ascii=False) + ": ["
        entries = ",\n  ".join(map(encode, data[name]))
        text = text.replace(f"\n {head}]", f"\n {head}\n  {entries}\n ]", 1)
    return text


# keys of JSON documents that hold a path of the workspace: scripts run from anywhere, so they are told the whole path
_PATH_KEYS = frozenset(
    "csv workbook town_workbooks stale_workbooks errors_file remainder_file path files holds_files cover manifest backup kept restored outputs".split()
)


def _absolute(part: Any, root: str, shown: str, key: str = "") -> Any:
    """``part`` with the paths under ``root`` written in full, below ``shown`` (a trial run's copy has another root)."""
    if isinstance(part, dict):
        return {name: _absolute(value, root, shown, name) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_absolute(value, root, shown, key) for value in part]
    if isinstance(part, str) and key in _PATH_KEYS:
        if part.startswith(("out/", "backup/")):
            return str(Path(shown) / part)
        if part.startswith(root):
            return shown + part[len(root) :]
    return part


def text_width(text: str) -> int:
    """Columns that ``text`` takes on a terminal; Chinese characters take two."""
    from wcwidth import wcswidth

    width: int = wcswidth(text)
    return width if width >= 0 else len(text)


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns: its middle gives way, both ends of a file name tell most."""
    if text_width(text) <= width:
        return text
    head, tail = "", ""
    for before, after in zip(text, reversed(text), strict=True):
        if text_width(head + before + tail) >= width - 1:
            break
        head += before
        if text_width(head + after + tail) >= width - 1:
            break
        tail = after + tail
    return f"{head}…{tail}"


_RUN = re.compile(r"[\w.%-]+$", re.ASCII)  # a word or number, kept whole where it fits
_CLOSING = frozenset("，。；：、！？）」』》〉】”’)]}")  # never first in a line


def _wrapped(text: str, width: int) -> str:
    """``text`` broken into lines of at most ``width`` columns: between Chinese characters, or before a word."""
    lines = []
    for line in text.split("\n"):
        current = ""
        for character in line:
            if text_width(current + character) <= width:
                current += character
                continue
            kept, carried = current, ""
            if character in _CLOSING:
                kept, carried = current[:-1], current[-1:]
            elif character.isascii() and not character.isspace() and (run := _RUN.search(current)):
                kept, carried = current[: run.start()], run.group()
            if not kept.strip():
                kept, carried = current, ""
            lines.append(kept)
            current = carried + character
        lines.append(current)
    return "\n".join(lines)


def indented(text: str, indent: str) -> list[str]:
    """``text`` in lines of at most ``TERMINAL`` columns, each behind ``indent``."""
    return [indent + line for line in _wrapped(text, TERMINAL - text_width(indent)).split("\n")]


TERMINAL = 100  # columns of the terminal that tables are made for
_NUMBER = re.compile(r"-?[\d,]{1,15}(\.\d+)?")
_NARROWEST = 12


def table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> str:
    """An aligned table at most ``TERMINAL`` columns wide: long texts wrap, figures stand right, IDs stay text."""
    import tabulate

    tabulate.MIN_PADDING = 0  # two spaces between columns are enough
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(headers)
    figures = [any(column) and all(not value or _NUMBER.fullmatch(value) for value in column) for column in columns]
    widths = [max(map(text_width, (header, *(line for value in column for line in value.split("\n")))))
              for header, column in zip(headers, columns, strict=True)]  # fmt: skip
    room = TERMINAL - 2 * (len(widths) - 1)
    while sum(widths) > room:
        flexible = [
            n for n, width in enumerate(widths) if not figures[n] and width > max(_NARROWEST, text_width(headers[n]))
        ]
        if not flexible:
            break
        widths[max(flexible, key=lambda n: widths[n])] -= 1
    body = [[_wrapped(value, widths[n]) for n, value in enumerate(row)] for row in cells]
    return tabulate.tabulate(
        body,
        headers=list(headers),
        tablefmt="simple",
        disable_numparse=True,
        colalign=["right" if figure else "left" for figure in figures] if body else None,
    )


def short_name(item: Programme | Register | None, part: str = "") -> str:
    """A programme or register in a crowded table: its usual short name (the first alias) where the full one is long."""
    if item is None:
        return "—"
    short = item.aliases[0] if item.aliases else item.name
    if part:
        return f"{short}（{part}）"
    return item.name if text_width(item.name) <= 12 else short


def first_few(lines: Sequence[str], limit: int = 20) -> list[str]:
    """The first ``limit`` lines and how many more there are: a screen is not a list (the list is in --json)."""
    more = len(lines) - limit
    return [*lines[:limit], f"…… 还有 {more} 条，加 --json 看全部"] if more > 0 else list(lines)


def moment(at: str) -> str:
    """A timestamp of the record (UTC) as people read it here: 北京时间, to the minute."""
    try:
        told = datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        return at
    return f"{told.astimezone(timezone(timedelta(hours=8))):%Y-%m-%d %H:%M}"


def relative(workspace: Workspace, path: Path | str) -> str:
    """A path as shown to users: inside the workspace relative to it."""
    try:
        return workspace.relative(Path(path))
    except ValueError:
        return str(path)
