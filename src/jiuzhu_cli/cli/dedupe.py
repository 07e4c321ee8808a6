"""jiuzhu dedupe: run, decide, list."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, first_few, relative, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("run", help="查疑点，出清单（CSV）和可填处理意见的工作簿。")
def run(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    month_from: str = typer.Option("", "--from", help="从哪个月查起（缺省只查这一个月）。"),
    fail_on: str = typer.Option("", "--fail-on", help="strong：有待核实的强疑点时退出码 3；any：有任何待核实疑点时。"),
    split_by_town: bool = typer.Option(False, "--split-by-town", help="另按乡镇各出一个工作簿，便于下发。"),
    engine: str = typer.Option("duckdb", "--engine", help="计算引擎：duckdb。"),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.dedupe.evidence import CODES, KINDS, SEVERITIES
    from jiuzhu_cli.dedupe.run import run_dedupe

    if fail_on not in ("", "strong", "any"):
        raise UsageError(f"--fail-on 不能是“{fail_on}”", "写 strong 或 any")
    if engine != "duckdb":
        raise UsageError(f"本版没有计算引擎“{engine}”", "去掉 --engine，或写 --engine duckdb")
    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = run_dedupe(
            context.workspace,
            store,
            context.policy(),
            month=month,
            month_from=month_from,
            split_by_town=split_by_town,
            actor=context.actor,
            now=context.now,
            today=context.today,
        )
    groups = sorted({(d["kind"], d["code"], d["severity"]) for d in result.doubts}, key=lambda g: (list(KINDS).index(g[0]), g))  # fmt: skip
    rows = []
    for kind, code, severity in groups:
        same = [d for d in result.doubts if (d["kind"], d["code"], d["severity"]) == (kind, code, severity)]
        rows.append((KINDS[kind], CODES.get(code, code), SEVERITIES[severity], len(same), sum(d["disposition"] == "pending" for d in same)))  # fmt: skip
    span = result.month if result.month_from == result.month else f"{result.month_from} 至 {result.month}"
    lines = [
        f"{span} 共 {len(result.doubts)} 条疑点：待核实 {result.open} 条（强疑点 {result.strong} 条，其中 {result.blocking} 条会拦住发放），已处理 {len(result.doubts) - result.open} 条。"
    ]
    if rows:
        lines += ["", table(rows, ["类别", "疑点类型", "级别", "条数", "待核实"]), ""]
    lines += [f"不能判定：{one['reason']}" for one in result.not_judged]
    if result.earlier:
        lines.append(f"更早月份还有 {result.earlier} 条待核实。")
    lines += [
        f"清单：{relative(context.workspace, result.csv)}",
        f"工作簿：{relative(context.workspace, result.workbook)}",
    ]
    lines += [f"乡镇工作簿：{len(result.town_workbooks)} 个，在 {relative(context.workspace, result.town_workbooks[0].parent)}"] if result.town_workbooks else []  # fmt: skip
    if result.open:
        lines += [
            "下一步：在工作簿里填“处理意见”，然后",
            f"  jiuzhu dedupe decide {relative(context.workspace, result.workbook)}",
        ]
    else:
        lines.append(f"下一步：jiuzhu review run --month {result.month}")
    context.emit(result.as_json(), lines)
    if (fail_on == "strong" and result.strong) or (fail_on == "any" and result.open):
        raise typer.Exit(3)


@app.command("decide", help="读回填好处理意见的工作簿；可一次给几个文件。")
def decide(
    ctx: typer.Context, files: list[Path] = typer.Argument(..., metavar="文件…", help="填好的疑点工作簿。")
) -> None:
    from jiuzhu_cli.dedupe.dispositions import decide_files

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = decide_files(store, files, actor=context.actor, now=context.now)
    lines = [f"处理意见：新记 {result.applied} 条，没有变化 {result.unchanged} 条，没有采用 {len(result.refused)} 条。"]
    lines += first_few([f"✗ {r.file} {r.sheet} {r.cell}：{r.reason}" for r in result.refused])
    if result.refused:
        lines.append("没有采用的，处理意见不变；改好表里这些格，再运行一次。")
    context.emit(result.as_json(), lines)
    if result.refused:
        raise typer.Exit(3)


@app.command("list", help="看某月的疑点和处理情况（身份证号已遮盖）。")
def show(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    pending: bool = typer.Option(False, "--pending", help="只看待核实的。"),
) -> None:
    from jiuzhu_cli.core.doubt import verdict_label
    from jiuzhu_cli.core.mask import mask_id, mask_text
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.dedupe.evidence import CODES, SEVERITIES
    from jiuzhu_cli.ledger.doubts import doubts_of

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        doubts = doubts_of(store, (check_month(month), month))
    doubts = [d for d in doubts if not pending or d["disposition"] == "pending"]
    rows = [
        (d["doubt_id"], SEVERITIES[d["severity"]], CODES.get(d["code"], d["code"]), d["name_a"], mask_id(d["id_no_a"]), d["area_a"], verdict_label(d))
        for d in doubts
    ]  # fmt: skip
    hidden = ("doubt_key", "id_no_a", "id_no_b", "facts", "decided_facts")
    data = [
        {k: mask_text(v) if isinstance(v, str) else v for k, v in d.items() if k not in hidden}
        | {"id_no_a": mask_id(d["id_no_a"]), "id_no_b": mask_id(d["id_no_b"])}
        for d in doubts
    ]
    context.emit(
        {"month": month, "doubts": data},
        [table(rows, ["编号", "级别", "疑点类型", "姓名", "身份证号", "乡镇", "处理意见"])] if rows else ["没有疑点。"],
    )
