"""jiuzhu template: a blank workbook for a programme or register, to be filled in by those who send lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jiuzhu_cli.cli.context import Context, relative

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme, Register


def command(
    ctx: typer.Context,
    programme: str = typer.Argument(
        ..., metavar="项目或名单", help="名称、简称或代码，例如 低保、高龄津贴、死亡名单。"
    ),
    month: str = typer.Option("", "--month", "-m", help="哪个月的：YYYY-MM；不写则标题里留空。"),
    area: str = typer.Option("", "--area", help="哪个乡镇（或 乡镇/村）的；不写则表里有乡镇一列。"),
    output: Path | None = typer.Option(
        None, "--output", "-o", metavar="文件", help="写到哪里；不写则放在 out/template。"
    ),
) -> None:
    from jiuzhu_cli.core.errors import RefusedError, UsageError
    from jiuzhu_cli.intake.template import Choices, make_form
    from jiuzhu_cli.ledger.people import places_and_banks
    from jiuzhu_cli.tabular.files import safe_name
    from jiuzhu_cli.tabular.form import write_form

    context: Context = ctx.obj
    policy, workspace = context.policy(), context.workspace
    shape = _shape(policy, programme)
    with workspace.open_store() as store:
        towns, villages, banks = places_and_banks(store, area.partition("/")[0])
    choices = Choices(
        towns=workspace.towns or towns,
        villages=villages,
        banks=banks
        or list(dict.fromkeys(word for layout in policy.banks.values() for word in layout.banks if len(word) > 3)),
    )
    form = make_form(policy, shape, month=month, area=area, choices=choices)
    if output is not None and output.suffix.lower() != ".xlsx":
        raise UsageError(f"模板要写成 .xlsx 文件，不是“{output.name}”", f"例如 -o {output.stem or '模板'}.xlsx")
    if output is not None and output.exists():
        raise RefusedError(f"{output.name} 已经存在", "换一个文件名；程序不覆盖已有的文件")
    if output is not None:
        path, digest = output, write_form(output, form)
    else:
        name = safe_name(f"{area.replace('/', '')}{month}{shape.name}模板")
        path, digest = _beside_others(workspace.root / "out" / "template", name, lambda path: write_form(path, form))
    shown = relative(workspace, path) if output is None else str(path)
    data = {
        "path": shown,
        "sha256": digest,
        "kind": "roll" if shape.code in policy.programmes else "register",
        "programme": shape.code,
        "month": month,
        "area": area,
        "columns": [{"header": c.header, "required": c.required, "choices": list(c.choices)} for c in form.columns],
    }
    required = "、".join(column.header for column in form.columns if column.required)
    lines = [
        f"{shape.name}模板：{shown}",
        f"  {len(form.columns)} 列，必填：{required}",
        "  发给填表的人；填好后直接导入：jiuzhu import 文件",
    ]
    context.emit(data, lines)


def _beside_others(folder: Path, name: str, write: Callable[[Path], str]) -> tuple[Path, str]:
    """Writes ``name.xlsx``; somebody may have filled in one of that name: then ``name_2.xlsx`` …, unless it is still as written."""
    from jiuzhu_cli.tabular.files import sha256_of

    number, path = 1, folder / f"{name}.xlsx"
    while path.exists():
        number += 1
        path = folder / f"{name}_{number}.xlsx"
    digest = write(path)
    for earlier in (folder / f"{name}{f'_{n}' if n > 1 else ''}.xlsx" for n in range(1, number)):
        if sha256_of(earlier) == digest:
            path.unlink()
            return earlier, digest
    return path, digest


def _shape(policy: Policy, text: str) -> Programme | Register:
    from jiuzhu_cli.core.errors import UsageError

    try:
        return policy.programme(text)
    except UsageError:
        try:
            return policy.register(text)
        except UsageError:
            raise UsageError(
                f"没有叫“{text}”的项目或名单",
                "用 jiuzhu policy list --programmes、jiuzhu policy list --registers 查看全部",
            ) from None
