"""jiuzhu init: makes a workspace."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context


def command(
    ctx: typer.Context,
    folder: Path = typer.Argument(..., metavar="文件夹", help="工作区放在哪里（没有就新建）。"),
    region: str = typer.Option(..., "--region", help="六位行政区划代码，例如 421002。"),
    name: str = typer.Option(..., "--name", help="单位全称，印在公示单和通知书上。"),
    towns: str = typer.Option("", "--towns", help="乡镇（街道）全称，逗号隔开；也可以后写进 jiuzhu.toml。"),
) -> None:
    from jiuzhu_cli.ledger.workspace import create_workspace
    from jiuzhu_cli.policy.load import load_policy

    context: Context = ctx.obj
    listed = tuple(town.strip() for town in towns.replace("，", ",").split(",") if town.strip())
    workspace = create_workspace(folder, region=region, name=name, actor=context.actor_option, towns=listed)
    unconfirmed = load_policy(workspace.policy_dir, region=workspace.region).unconfirmed()
    data = {
        "workspace": str(workspace.root),
        "region": workspace.region,
        "name": workspace.bureau,
        "unconfirmed_parameters": len(unconfirmed),
    }
    lines = [f"工作区已建好：{workspace.root}", f"单位：{workspace.bureau}　区划：{workspace.region}"]
    if unconfirmed:
        lines.append(
            f"有 {len(unconfirmed)} 项政策参数还没有本地文件依据（请核对）：jiuzhu -C {folder} policy list --unconfirmed"
        )
    lines += ["", "下一步：把各乡镇、各部门的表放进 inbox 文件夹，然后", f"  jiuzhu -C {folder} import {folder}/inbox"]
    context.emit(data, lines)
