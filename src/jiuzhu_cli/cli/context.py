"""What every command has: workspace, policy, clock, actor, streams; and the only ways to print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy


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

    def policy(self) -> Policy:
        """The policy of the workspace (package data overlaid by its ``policy/`` folder)."""
        if self._policy is None:
            from jiuzhu_cli.policy.load import load_policy

            self._policy = load_policy(self.workspace.policy_dir, region=self.workspace.region)
        return self._policy

    def _rehearsal(self, workspace: Workspace) -> Workspace:
        """A trial run works on a throw-away copy: the same code, nothing of the real workspace written."""
        import tempfile

        from jiuzhu_cli.ledger.workspace import copy_workspace

        self._scratch = tempfile.TemporaryDirectory(prefix="jiuzhu-dry-run-")
        return copy_workspace(workspace, Path(self._scratch.name) / "workspace")

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

    def emit(self, data: dict[str, Any], lines: Iterable[str]) -> None:
        """The result: one JSON document on stdout with --json, else Chinese text."""
        if self.json:
            sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n")
        else:
            for line in lines:
                print(line)


def table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> str:
    """An aligned table for the terminal; wide Chinese counts double, IDs stay text."""
    from tabulate import tabulate

    return tabulate(rows, headers=list(headers), tablefmt="simple", disable_numparse=True)


def relative(workspace: Workspace, path: Path | str) -> str:
    """A path as shown to users: inside the workspace relative to it."""
    try:
        return workspace.relative(Path(path))
    except ValueError:
        return str(path)
