"""jiuzhu match: which rows of any lists are the same person. No workspace needed."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, table

KEY_WORDS = {
    "id_no": "身份证号相同",
    "id_probe": "身份证号差一处（错一位、邻位颠倒、多一位、少一位）",
    "id_prefix": "身份证号前 15 位相同（Excel 末三位变 000）",
    "id_text": "写坏的身份证号一模一样",
    "name_birth": "姓名（同音）和出生日期",
    "name_phone": "姓名（同音）和电话",
    "name_account": "姓名（同音）和账号",
    "name_village": "姓名（同音）和村",
    "birth_phone": "出生日期和电话",
    "birth_account": "出生日期和账号",
    "birth_village": "姓氏、出生日期和村",
    "surname_phone": "姓氏和电话",
    "surname_account": "姓氏和账号",
    "same_person": "两个号码都对、其余都同：请人工核对",
}


def command(
    ctx: typer.Context,
    paths: list[Path] = typer.Argument(..., metavar="文件…", help="要比对的名单：xlsx、csv、parquet，可以几份一起。"),
    out: Path = typer.Option(..., "--out", metavar="文件", help="结果：每行是第几个人（csv 或 parquet）。"),
    pairs: Path | None = typer.Option(None, "--pairs", metavar="文件", help="另存依据：哪两行、凭什么、几分。"),
    engine: str = typer.Option("duckdb", "--engine", help="duckdb（本机）；spark 目前还不能用。"),
) -> None:
    from jiuzhu_cli.core.errors import RefusedError, UsageError
    from jiuzhu_cli.matchlists import match_lists
    from jiuzhu_cli.policy.load import load_policy

    context: Context = ctx.obj
    if engine == "spark":
        raise RefusedError("--engine spark 还没有做好", "去掉 --engine，用本机的 DuckDB；百万行约几十秒")
    if engine != "duckdb":
        raise UsageError(f"--engine “{engine}”不认识", "写 duckdb")
    policy = context.policy() if context.directory is not None else load_policy()
    result = match_lists(paths, policy, out=out, pairs=pairs, dry_run=context.dry_run, progress=context.say)
    rows = [(KEY_WORDS.get(key, key), count) for key, count in result.by_key.items()]
    lines = [
        f"共 {result.rows} 行，{result.persons} 个人；{result.pairs} 行与别的行是同一个人（{result.seconds:.1f} 秒）。",
        *([table(rows, ["依据", "行"])] if rows else []),
        f"有 {result.candidates} 对号码不同、其余都同，请人工核对（--pairs 里 key 是 same_person）。"
        if result.candidates
        else "",
        "试运行，没有写文件。" if context.dry_run else f"结果：{out}" + (f"；依据：{pairs}" if pairs else ""),
    ]
    context.emit(result.as_json(), [line for line in lines if line])
