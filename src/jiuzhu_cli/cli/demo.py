"""jiuzhu demo: a workspace from sample data and a whole month in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from jiuzhu_cli.cli.context import Context


def command(
    ctx: typer.Context,
    folder: Path = typer.Argument(Path("jiuzhu-demo"), metavar="[文件夹]", help="建在哪里；已有旧的演示就换一个名字。"),
) -> None:
    from jiuzhu_cli.policy.load import load_policy
    from jiuzhu_cli.workflow import SAMPLE_MONTH, Month, prepare_demo

    context: Context = ctx.obj
    place, number = folder, 1
    while (place / "jiuzhu.toml").exists():
        number += 1
        place = folder.with_name(f"{folder.name}-{number}")
    workspace = prepare_demo(place)
    policy = load_policy(workspace.policy_dir, region=workspace.region)
    context.say(f"工作区：{workspace.root}")
    steps: list[dict[str, Any]] = []
    outputs: list[str] = []
    with workspace.open_store() as store:
        for index, step in enumerate(Month(workspace, policy, store, SAMPLE_MONTH).run(), 1):
            steps.append({"step": step.name, "command": step.command, **step.figures})
            outputs += step.outputs
            if not context.json:
                context.emit(
                    {},
                    [
                        f"\n{index:2d}. {step.name}　$ {step.command}",
                        *(f"    {line}" for line in step.lines),
                        *(f"    → {path}" for path in step.outputs[:4]),
                    ],
                )
    data = {"workspace": str(workspace.root), "month": SAMPLE_MONTH, "steps": steps, "outputs": outputs}
    closing = [
        "",
        f"都在 {workspace.root} 里：内部资料 out/internal，公示单 out/public，银行文件 out/bank。",
        f"接着看：jiuzhu -C {place} status　　jiuzhu -C {place} show 姓名　　jiuzhu -C {place} policy list",
    ]
    context.emit(data, closing)
