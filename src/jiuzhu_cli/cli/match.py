"""jiuzhu match: which rows of any lists are the same person. No workspace needed."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, table


def command(
    ctx: typer.Context,
    paths: list[Path] = typer.Argument(..., metavar="文件…", help="要比对的名单：xlsx、csv、parquet，可以几份一起。"),
    out: Path = typer.Option(..., "--out", metavar="文件", help="结果：每行是第几个人（csv 或 parquet）。"),
    pairs: Path | None = typer.Option(None, "--pairs", metavar="文件", help="另存依据：哪两行、凭什么、几分。"),
    engine: str = typer.Option(
        "duckdb", "--engine", help="duckdb（本机）或 spark（要装 PySpark 和 Java 17；结果一样）。"
    ),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.lean import without
    from jiuzhu_cli.dedupe.calibrate import weights_of
    from jiuzhu_cli.matching.explain import KEY_WORDS
    from jiuzhu_cli.matchlists import match_lists
    from jiuzhu_cli.policy.load import load_policy

    if engine != "spark":
        ctx.with_resource(without("pandas", "polars"))  # Arrow and DuckDB would load them, and nothing here needs them
    context: Context = ctx.obj
    if engine not in ("duckdb", "spark"):
        raise UsageError(f"--engine “{engine}”不认识", "写 duckdb 或 spark")
    policy, known = load_policy() if context.directory is None else context.policy(), None
    if context.directory is not None:
        known = weights_of(context.workspace)
    result = match_lists(
        paths,
        policy,
        out=out,
        pairs=pairs,
        engine=engine,
        second_ids=known,
        dry_run=context.dry_run,
        progress=context.say,
    )
    blank = [name for name, count in result.files if not count]
    rows = [(KEY_WORDS.get(key, key), count) for key, count in result.by_key.items()]
    lines = [
        f"共 {result.rows} 行，{result.persons} 个人；{result.pairs} 行与别的行是同一个人（{result.seconds:.1f} 秒）。",
        *([table(rows, ["依据", "行"])] if rows else []),
        f"有 {result.candidates} 对号码不同、其余都同，请人工核对（--pairs 里 key 是 same_person）。"
        if result.candidates
        else "",
        "这是密文名单，只比出了号码完全相同的人；号码写错、缺号、姓名同音的，要用明文才查得出。"
        if result.hashed
        else "",
        f"! 只有表头、没有人的名单：{'、'.join(blank)}；请核对是不是导出时漏了。" if blank else "",
        "试运行，没有写文件。" if context.dry_run else f"结果：{out}" + (f"；依据：{pairs}" if pairs else ""),
    ]
    context.emit(result.as_json(), [line for line in lines if line])
    if blank:
        raise typer.Exit(3)
