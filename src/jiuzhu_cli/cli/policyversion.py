"""Which version of the policy, and which day of it, a ``jiuzhu policy`` command is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.cli.context import Context, moment
from jiuzhu_cli.core.errors import UsageError

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy


@dataclass(frozen=True)
class Version:
    """A policy on a day. ``month``: asked for a month; ``drafted``: that month was paid, drafted on that day; ``lost``: only its digest is known."""

    policy: Policy
    day: date
    month: str = ""
    drafted: str = ""
    lost: bool = False

    @property
    def pinned(self) -> bool:
        """Whether the policy is the one that the month was paid with."""
        return bool(self.drafted) and not self.lost

    @property
    def label(self) -> str:
        if not self.month:
            return f"{self.day.isoformat()}（现在的文件）"
        if self.pinned:
            return f"{self.month}（发放时的版本，{self.drafted} 制单，{self.policy.digest[:12]}）"
        why = "已发放，但当时的政策没有存下来；现在的文件" if self.lost else "还没有发放，现在的文件"
        return f"{self.month}（{why}）"

    def told(self) -> list[str]:
        return [self.label, ""] if self.month else []

    def as_json(self) -> dict[str, Any]:
        return {"on": self.day.isoformat(), "month": self.month, "pinned": self.pinned, "digest": self.policy.digest}


def policy_now(context: Context, region: str) -> Policy:
    """The workspace's policy; outside of one, or for another region, that of the package."""
    from jiuzhu_cli.policy.load import load_policy

    workspace = workspace_of(context)
    if workspace is None:
        return load_policy(region=region)
    return load_policy(workspace.policy_dir, region=region) if region else context.policy()


def version_on(context: Context, region: str, on: str, month: str) -> Version:
    """What ``--on`` (a day of today's files) or ``--month`` (as that month is judged) asks for."""
    if on and month:
        raise UsageError("--on 和 --month 只写一个", "看某一天现在文件里的值写 --on；看某月核算用的值写 --month")
    return version_of(context, region, month or on or "today", option="--month" if month else "--on")


def version_of(context: Context, region: str, text: str, *, option: str) -> Version:
    """``today``/``今天``, a day (of today's files), or a month: of one that was paid, the files it was paid with, on its first day."""
    from jiuzhu_cli.core.period import check_month, first_day, parse_date

    now = policy_now(context, region)
    if text in ("today", "今天"):
        return Version(now, context.today)
    day, problem = parse_date(text)
    if day is not None and not problem and len(text) > len("2026-05"):
        if option == "--month":
            raise UsageError(f"--month “{text}”不是月份", "请写成 YYYY-MM，例如 2026-05")
        return Version(now, day)
    if option == "--on":
        raise UsageError(f"--on “{text}”不是日期", "请写成 YYYY-MM-DD，例如 2026-05-01")
    month = check_month(text)
    return _paid(context, now, month) or Version(now, first_day(month), month)


def paid_versions(context: Context, now: Policy) -> list[Version]:
    """Months that were paid, each with the policy of then."""
    from jiuzhu_cli.ledger.policies import pinned_policies

    workspace = workspace_of(context)
    if workspace is None or not workspace.ledger_path.exists():
        return []
    with workspace.open_store() as store:
        months = [one.month for one in pinned_policies(store)]
    return [found for month in months if (found := _paid(context, now, month)) is not None]


def months_of_rolls(context: Context) -> list[str]:
    """Months of which the workspace has rolls; [] outside of one."""
    from jiuzhu_cli.ledger.policies import roll_months

    workspace = workspace_of(context)
    if workspace is None or not workspace.ledger_path.exists():
        return []
    with workspace.open_store() as store:
        return roll_months(store)


def _paid(context: Context, now: Policy, month: str) -> Version | None:
    from jiuzhu_cli.core.period import first_day
    from jiuzhu_cli.ledger.policies import pinned_policies
    from jiuzhu_cli.policy.load import pinned_policy

    workspace = workspace_of(context)
    if workspace is None or not workspace.ledger_path.exists():
        return None
    with workspace.open_store() as store:
        found = pinned_policies(store, month)
    if not found:
        return None
    one, drafted = found[0], moment(found[0].drafted_at)[:10]
    if one.digest == now.digest:
        return Version(now, first_day(month), month, drafted)
    if one.content is None:
        return Version(now, first_day(month), month, drafted, lost=True)
    return Version(pinned_policy(one.content, one.digest, now), first_day(month), month, drafted)


def workspace_of(context: Context) -> Workspace | None:
    """None outside of a workspace, where none was named: the package's policy can be looked at without one."""
    if context.directory is not None:
        return context.workspace
    try:
        return context.workspace
    except UsageError:
        return None
