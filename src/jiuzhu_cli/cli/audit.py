"""jiuzhu audit, backup, restore: the journal's chain, the files' digests, copies of the ledger."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, moment, relative, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("check", help="核对日志链、数据库、控制总数和产出文件；有问题时退出码 3。")
def check(ctx: typer.Context) -> None:
    from jiuzhu_cli.cli import words
    from jiuzhu_cli.ledger.audit import check_ledger

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = check_ledger(store, context.workspace)
    lines = [f"日志 {result.entries} 条，产出文件 {result.files} 个，付款批次 {result.payments} 个。"]
    lines += [f"✗ {problem.text.replace(problem.entity, words.entity(problem.entity))}" for problem in result.problems]
    if result.filled:
        more = f"等 {len(result.filled)} 份" if len(result.filled) > 1 else ""
        lines.append(f"填写过的表不算改动：{result.filled[0]}{more}")
    lines.append(
        "有问题：不要再发放，先查清上面各条。"
        if result.problems
        else "全部相符：日志链完整，文件没有被改动，总数一致。"
    )
    context.emit(result.as_json(), lines)
    if result.problems:
        raise typer.Exit(3)


@app.command("log", help="看操作日志：谁、何时、做了什么。")
def log(
    ctx: typer.Context,
    last: int = typer.Option(30, "--last", help="看最近多少条。"),
    entity: str = typer.Option("", "--entity", help="只看某一对象，例如 batch:12。"),
) -> None:
    from jiuzhu_cli.cli import words
    from jiuzhu_cli.core.doubt import DISPOSITIONS
    from jiuzhu_cli.ledger.audit import journal_entries

    context: Context = ctx.obj
    policy = context.policy()
    names = {code: item.name for code, item in policy.programmes.items()} | DISPOSITIONS
    names |= {code: item.name for code, item in policy.registers.items()} | {
        code: b.name for code, b in policy.banks.items()
    }
    with context.workspace.open_store() as store:
        entries = journal_entries(store, last=last, entity=entity)
    rows = [
        (e["seq"], moment(e["at"]), e["actor"], e["command"], words.entity(e["entity"]), words.journal_detail(e["detail"], names))
        for e in entries
    ]  # fmt: skip
    heads = ["序号", "时间（北京）", "经办人", "命令", "对象", "内容"]
    context.emit({"entries": entries}, [table(rows, heads) if rows else "没有这样的日志。"])


def backup(
    ctx: typer.Context,
    target: Path | None = typer.Argument(None, metavar="[文件]", help="备份到哪里；缺省放进 backup 文件夹。"),
) -> None:
    from jiuzhu_cli.ledger.backup import back_up

    context: Context = ctx.obj
    made = back_up(context.workspace, target, now=context.now, actor=context.actor)
    context.emit(
        {"backup": str(made.path), "sha256": made.sha256, "bytes": made.size},
        [f"已备份并检查：{relative(context.workspace, made.path)}（{made.size:,} 字节）"],
    )


def restore(ctx: typer.Context, source: Path = typer.Argument(..., metavar="备份文件", help="要恢复的备份。")) -> None:
    from jiuzhu_cli.core.errors import RefusedError
    from jiuzhu_cli.ledger.backup import restore_from

    context: Context = ctx.obj
    question = f"用 {source.name} 替换现在的台账？（现在的会另存）"
    if not context.yes and (context.json or not context.confirmed(question)):
        raise RefusedError("没有恢复", "确认后加 --yes 再运行")
    done = restore_from(context.workspace, source, now=context.now, actor=context.actor)
    kept = relative(context.workspace, done.kept) if done.kept else ""
    lines = [f"已恢复。原台账另存为 {kept}" if kept else "已恢复。"]
    if done.forgotten:
        lines += [
            f"注意：这 {len(done.forgotten)} 个银行文件是备份之后导出的，恢复的台账不记得它们，里面的钱可能已经发出："
        ]
        lines += [f"  {name}" for name in done.forgotten]
        lines.append("先问银行收到没有，再决定是否重新发放。")
    context.emit({"restored": str(source.resolve()), "kept": kept, "forgotten": done.forgotten}, lines)
