"""jiuzhu export: what leaves the district as a whole."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, relative, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("snapshot", help="把台账导出成 Parquet，供市、省汇总，或各区县之间比对。")
def snapshot(
    ctx: typer.Context,
    out: str = typer.Option(..., "--out", metavar="文件夹", help="放在 out/internal 下的哪个文件夹，例如 上报/2026-10。"),
    month: str = typer.Option("", "--month", help="只导这个月的名册（YYYY-MM）；缺省全部。"),
    hash_key_file: Path | None = typer.Option(
        None, "--hash-key-file", metavar="文件",
        help="用这个文件里的密钥把身份证号、账号、电话变成密文（HMAC-SHA-256），姓名、住址等不导出。密文只能逐个相同地比：写错的号码、同音的姓名都比不出来。",
    ),
) -> None:  # fmt: skip
    from jiuzhu_cli.exporting import export_snapshot, read_key

    context: Context = ctx.obj
    key = read_key(hash_key_file) if hash_key_file else None
    with context.workspace.open_store() as store:
        done = export_snapshot(
            context.workspace, store, folder=out, month=month, key=key, policy_digest=context.policy().digest, actor=context.actor, now=context.now
        )  # fmt: skip
    rows = [(one["name"], one["rows"], f"{one['amount_fen'] / 100:,.2f}") for one in done.files]
    lines = [
        table(rows, ["文件", "行", "金额（元）"]),
        f"在 {relative(context.workspace, done.folder)}，只有本人可读；内有个人信息，按规定传递和销毁。",
    ]
    if done.hashed:
        lines += [
            "号码是密文，没有姓名、生日、住址。比对方只能认出号码完全相同的人：号码写错一位、缺号、两个号码的，查不出来。",
            "密钥只能在参加比对的区县之间，不能给汇总的单位：身份证号可以一个个试出来，谁有密钥谁就能还原。",
        ]
    context.emit(done.as_json(), lines)


@app.command("key", help="生成一个密钥文件（只有本人可读），供几个区县的密文导出共用。")
def key(ctx: typer.Context, path: Path = typer.Argument(..., metavar="文件", help="写到哪里；已有的不覆盖。")) -> None:
    from jiuzhu_cli.core.keyed import fingerprint
    from jiuzhu_cli.exporting import make_key

    context: Context = ctx.obj
    made = "" if context.dry_run else fingerprint(make_key(path))
    context.emit(
        {"path": str(path), "fingerprint": made},
        [
            f"密钥写在 {path}，指纹 {made}。",
            "交给参加比对的其他区县：当面或专人递送，不走邮件、微信；各方核对指纹一致再导出。不要给汇总结果的单位，用完删除。",
        ],
    )
