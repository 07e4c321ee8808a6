"""jiuzhu mapping: what people said that columns mean (--map), as it is remembered: list, forget."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli.context import Context, short_name, shorten, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@app.command("list", help="看记住了哪些列的指定：哪个项目、哪个乡镇的表，哪个表头是什么，谁在哪天说的。")
def list_(ctx: typer.Context) -> None:
    from jiuzhu_cli.ledger.mappings import active_mappings

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = active_mappings(store)
    names = {code: field.name for code, field in policy.glossary.items()}
    rows = []
    for one in found:
        item = policy.programmes.get(one.programme) or policy.registers.get(one.programme)
        where = one.sender or "没写乡镇、表头相同的表"
        header = shorten(one.shown.replace("|", " "), 24) if one.header else f"{one.letters}列（表头相同的表）"
        rows.append(
            (
                one.mapping_id,
                short_name(item) if item else one.programme,
                where,
                header,
                names.get(one.field, "不用"),
                one.actor,
                one.day,
            )
        )
    data = {
        "mappings": [
            {
                "id": one.mapping_id,
                "kind": one.kind,
                "programme": one.programme,
                "sender": one.sender,
                "header": one.shown,
                "column": one.letters,
                "field": one.field,
                "actor": one.actor,
                "at": one.created_at,
            }
            for one in found
        ]
    }
    lines = (
        [table(rows, ["编号", "项目", "乡镇", "表头", "当作", "谁说的", "哪天"])] if rows else ["没有记住任何指定。"]
    )
    if rows:
        lines.append("忘掉其中一条：jiuzhu mapping forget 编号")
    context.emit(data, lines)


@app.command("forget", help="忘掉记住的指定，下次遇到再问。")
def forget(
    ctx: typer.Context,
    numbers: list[int] = typer.Argument(None, metavar="编号…", help="要忘掉的编号，见 jiuzhu mapping list。"),
    every: bool = typer.Option(False, "--all", help="全部忘掉。"),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.ledger.mappings import active_mappings
    from jiuzhu_cli.ledger.mappings import forget as forget_them

    context: Context = ctx.obj
    if bool(numbers) == every:
        raise UsageError("要写编号，或用 --all 全部忘掉", "用 jiuzhu mapping list 查看编号")
    with context.workspace.open_store() as store:
        wanted = [one.mapping_id for one in active_mappings(store)] if every else list(numbers)
        if wanted:
            with store.transaction(actor=context.actor, command="mapping forget", now=context.now) as tx:
                forget_them(tx, wanted)
    context.emit({"forgotten": wanted}, [f"忘掉了 {len(wanted)} 条。"])
