"""jiuzhu policy check and diff: whether the policy data hang together; what two days or two versions say differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.cli.policyversion import months_of_rolls, paid_versions, policy_now, version_of

if TYPE_CHECKING:
    from jiuzhu_cli.policy.model import ParameterValue

CHECK = "检查政策数据：名称对得上、日期不重叠不断档、规则写得通、不低于底线；有错误时退出码 3。"
DIFF = "两天或两个版本的政策有什么不同。例：jiuzhu policy diff 2026-06-30 2026-07-01；已发放的月份与现在：jiuzhu policy diff 2026-05 today"


def check(
    ctx: typer.Context, region: str = typer.Option("", "--region", help="行政区划代码；缺省为工作区的地区。")
) -> None:
    from jiuzhu_cli.policy.check import check_policy
    from jiuzhu_cli.policy.check_parameters import check_months
    from jiuzhu_cli.policy.compare import changed_since_paid
    from jiuzhu_cli.policy.problem import Problem

    context: Context = ctx.obj
    policy = policy_now(context, region)
    problems = check_policy(policy, context.today)
    errors = [one for one in problems if one.level == "error"]
    if not errors and not region:
        problems += check_months(policy, months_of_rolls(context))
        paid = [(one.month, one.policy) for one in paid_versions(context, policy) if one.pinned]
        for name, file, months, then, now in changed_since_paid(paid, policy):
            told = "、".join(months) if len(months) < 4 else f"{months[0]} 至 {months[-1]} 的 {len(months)} 个月"
            text = f"{told} 已发放，当时用 {then}，现在写 {now}；已发的不会改，要补发或追回的另列名册办理，以后的新值另写一个起始日期"
            problems.append(Problem("warning", f"{file} 参数“{name}”", text))
    lines = [f"{'✗' if one.level == 'error' else '!'} {one.where}：{one.text}" for one in problems]
    pending: list[ParameterValue] = []
    if not errors:
        pending = policy.unconfirmed()
        lines.append(
            f"政策数据没有错误：项目 {len(policy.programmes)}，名单 {len(policy.registers)}，关系 {len(policy.relations)}，检查 {len(policy.checks)}，"
            f"参数 {len(policy.parameters.names())}，其中 {len(pending)} 项请核对（jiuzhu policy list --unconfirmed）。"
        )
    context.emit(
        {
            "ok": not errors,
            "problems": [one.as_json() for one in problems],
            "unconfirmed": [one.name for one in pending],
            "digest": policy.digest,
        },
        lines,
    )
    if errors:
        raise typer.Exit(3)


def diff(
    ctx: typer.Context,
    before: str = typer.Argument(
        ..., metavar="前", help="YYYY-MM-DD（现在文件里那一天）、YYYY-MM（已发放的月份用发放时的版本）或 today。"
    ),
    after: str = typer.Argument(..., metavar="后", help="同上。"),
    region: str = typer.Option("", "--region", help="行政区划代码；缺省为工作区的地区。"),
) -> None:
    from jiuzhu_cli.policy.compare import WORDS, differences, in_force

    context: Context = ctx.obj
    first, second = (version_of(context, region, text, option="") for text in (before, after))
    # a month that was paid against today: what today's files say of that very month tells a change of the file from a new date
    then = in_force(second.policy, first.day) if first.pinned and not second.month else None
    found = differences(in_force(first.policy, first.day), in_force(second.policy, second.day), then)
    rows = []
    for one in found:
        old, new = one.texts()
        source = (one.after or one.before or one.then).source if (one.after or one.before or one.then) else ""  # type: ignore[union-attr]
        cells = [WORDS.get(one.kind, one.kind), one.name, old, new]
        rows.append([*cells, *([one.then.shown if one.then else ""] if then is not None else []), source])
    heads = ["种类", "名称", "前", "后", *([f"现在的文件里 {first.month}"] if then is not None else []), "来源"]
    lines = [f"前：{first.label}", f"后：{second.label}", ""]
    lines.append(table(rows, heads) if rows else "没有不同。")
    data = {"before": first.as_json(), "after": second.as_json(), "differences": [one.as_json() for one in found]}
    context.emit(data, lines)
