"""jiuzhu dedupe: run, decide, list, diff, explain."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import typer

from jiuzhu_cli.cli.context import Context, first_few, moment, relative, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("run", help="查疑点，出清单（CSV）和可填处理结果的工作簿。")
def run(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    month_from: str = typer.Option("", "--from", help="从哪个月查起（缺省只查这一个月）。"),
    fail_on: str = typer.Option("", "--fail-on", help="strong：有待核实的强疑点时退出码 3；any：有任何待核实疑点时。"),
    split_by_town: bool = typer.Option(False, "--split-by-town", help="另按乡镇各出一个工作簿，便于下发。"),
    engine: str = typer.Option(
        "duckdb", "--engine", help="duckdb（本机）或 spark（要装 PySpark 和 Java 17；结果一样，单机上慢得多）。"
    ),
    accept_doubles: bool = typer.Option(
        False, "--accept-doubles", help="名册重复的比例超过上限也照样登记疑点（先核实不是导错了）。"
    ),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.dedupe.evidence import CODES, KINDS, SEVERITIES
    from jiuzhu_cli.dedupe.run import run_dedupe

    if fail_on not in ("", "strong", "any"):
        raise UsageError(f"--fail-on 不能是“{fail_on}”", "写 strong 或 any")
    if engine not in ("duckdb", "spark"):
        raise UsageError(f"没有计算引擎“{engine}”", "写 duckdb 或 spark")
    context: Context = ctx.obj
    gc.disable()  # rows of lists and workbooks, no cycles worth looking for
    with context.workspace.open_store() as store:
        result = run_dedupe(
            context.workspace,
            store,
            context.policy(),
            month=month,
            month_from=month_from,
            split_by_town=split_by_town,
            accept_doubles=accept_doubles,
            engine=engine,
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
    if result.overdue:
        lines.append(f"! {result.overdue} 条强疑点过了核实期限（jiuzhu dedupe list --overdue）。")
    lines += [
        f"清单：{relative(context.workspace, result.csv)}",
        f"工作簿：{relative(context.workspace, result.workbook)}",
    ]
    lines += [f"乡镇工作簿：{len(result.town_workbooks)} 个，在 {relative(context.workspace, result.town_workbooks[0].parent)}"] if result.town_workbooks else []  # fmt: skip
    lines += [
        f"! 先前的工作簿有人填过、还没有读回，原样另存：先读回 jiuzhu dedupe decide {relative(context.workspace, one)}"
        for one in result.filled_workbooks
    ]
    if result.stale_workbooks:
        folder = relative(context.workspace, result.stale_workbooks[0].parent)
        lines.append(
            f"! {folder} 里还有先前的工作簿 {len(result.stale_workbooks)} 个，这次没有重写，内容是旧的：填了处理结果的先读回，不要再下发。"
        )
    nowhere = sum(not d["area_a"] and not d["area_b"] for d in result.doubts)
    if result.town_workbooks and nowhere:
        lines.append(f"! 有 {nowhere} 条没有写明乡镇（多半是全区名单上的人），只在总工作簿里，须另行分派。")
    if result.open:
        lines += [
            "下一步：在工作簿里填“处理结果”，然后",
            f"  jiuzhu dedupe decide {relative(context.workspace, result.workbook)}",
        ]
    else:
        lines.append(f"下一步：jiuzhu review run --month {result.month}")
    context.emit(result.as_json(), lines)
    if (fail_on == "strong" and result.strong) or (fail_on == "any" and result.open):
        raise typer.Exit(3)


@app.command("decide", help="读回填好处理结果的工作簿；可一次给几个文件。")
def decide(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="文件…", help="填好的疑点工作簿。"),
    prefer: list[Path] = typer.Option([], "--prefer", metavar="文件", help="同一疑点填得不一样时，以这个文件为准。"),
) -> None:
    from jiuzhu_cli.dedupe.dispositions import decide_files

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = decide_files(store, files, actor=context.actor, now=context.now, today=context.today, prefer=prefer)
    lines = [f"处理结果：新记 {result.applied} 条，没有变化 {result.unchanged} 条，没有采用 {len(result.refused)} 行。"]
    in_conflict = {conflict.doubt_id for conflict in result.conflicts}
    lines += first_few(
        [f"✗ {r.file} {r.sheet} {r.cell}：{r.reason}" for r in result.refused if r.doubt_id not in in_conflict]
    )
    shown: list[str] = []
    for conflict in result.conflicts:
        shown.append(f"✗ 疑点 {conflict.doubt_id} 各处填得不一样，没有采用：")
        for side in conflict.sides:
            who = "、".join(part for part in (side.checked_by, side.checked_on) if part)
            read = f"，{side.actor} 于 {moment(side.at)} 读入" if side.at else ""
            note = f"，备注：{side.note}" if side.note else ""
            shown.append(f"    {side.place}：{side.verdict}（核实：{who or '没有写'}{read}{note}）")
    lines += first_few(shown, 40)
    if result.conflicts:
        lines.append("商定后改其中一份再读入，或加 --prefer 文件 以它为准。")
    if len(result.refused) > sum(len(conflict.sides) for conflict in result.conflicts):
        lines.append("没有采用的，处理结果不变；改好表里这些格，再运行一次。")
    context.emit(result.as_json(), lines)
    if result.refused:
        raise typer.Exit(3)


@app.command("list", help="看某月的疑点和处理情况（姓名、身份证号已遮盖，完整的在工作簿里）。")
def show(
    ctx: typer.Context,
    month: str = typer.Option("", "--month", help="月份 YYYY-MM；--overdue 时可以不写。"),
    pending: bool = typer.Option(False, "--pending", help="只看待核实的。"),
    overdue: bool = typer.Option(False, "--overdue", help="只看过了核实期限还没有处理结果的强疑点。"),
) -> None:
    from jiuzhu_cli.core.doubt import verdict_label
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.dedupe.deadline import Deadlines
    from jiuzhu_cli.dedupe.evidence import CODES, SEVERITIES
    from jiuzhu_cli.ledger.doubts import doubts_of, waiting

    context: Context = ctx.obj
    if month or not overdue:
        if not month:
            raise UsageError("没有写哪个月", "加 --month 2026-10；看各月超期的加 --overdue")
        check_month(month)
    with context.workspace.open_store() as store:
        doubts = waiting(store, month=month) if overdue else doubts_of(store, (month, month))
    deadlines = Deadlines(context.policy())
    dues = {d["doubt_id"]: deadlines.of(d) for d in doubts}
    if overdue:
        doubts = [d for d in doubts if deadlines.overdue(d, context.today)]
        doubts.sort(key=lambda d: (str(dues[d["doubt_id"]]), d["doubt_id"]))
    doubts = [d for d in doubts if not pending or d["disposition"] == "pending"]
    data = [
        _shown(d) | {"verdict": verdict_label(d), "deadline": str(dues[d["doubt_id"]] or ""), "overdue": deadlines.overdue(d, context.today)}
        for d in doubts
    ]  # fmt: skip
    rows = [
        (d["doubt_id"], SEVERITIES[d["severity"]], CODES.get(d["code"], d["code"]), d["name_a"], d["id_no_a"], d["area_a"] or d["area_b"], d["verdict"], d["deadline"])
        for d in data
    ]  # fmt: skip
    none = "没有超期的强疑点。" if overdue else "没有疑点。"
    context.emit(
        {"month": month, "doubts": data},
        [table(rows, ["编号", "级别", "疑点类型", "姓名", "身份证号", "乡镇", "处理结果", "核实期限"])]
        if rows
        else [none],
    )


@app.command("diff", help="两个月的疑点相比：新增、不再出现、仍待核实、重新打开。")
def diff(
    ctx: typer.Context,
    first: str = typer.Argument(..., metavar="较早月份", help="YYYY-MM。"),
    second: str = typer.Argument(..., metavar="较晚月份", help="YYYY-MM。"),
) -> None:
    from jiuzhu_cli.core.doubt import verdict_label
    from jiuzhu_cli.dedupe.diff import CHANGES, diff_months
    from jiuzhu_cli.dedupe.evidence import CODES

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        found = diff_months(context.workspace, store, first, second, actor=context.actor, now=context.now)
    told = "，".join(f"{CHANGES[change]} {count} 条" for change, count in found.counts.items())
    lines = [f"{first} 到 {second}：{told}。"]
    lines += [
        f"! {month} 的名册在比对之后有变动，先重新运行 jiuzhu dedupe run --month {month}" for month in found.stale
    ]
    data = [_shown(row) | {"verdict": verdict_label(row), "change": row["change"]} for row in found.rows]
    rows = [
        (CHANGES[d["change"]], d["doubt_id"], CODES.get(d["code"], d["code"]), d["name_a"], d["area_a"] or d["area_b"], d["verdict"])
        for d in data if d["change"] != "decided"
    ]  # fmt: skip
    if rows:
        lines += ["", table(rows[:40], ["变化", "编号", "疑点类型", "姓名", "乡镇", "处理结果"]), ""]
    if len(rows) > 40:
        lines.append(f"…… 还有 {len(rows) - 40} 条，见清单。")
    lines.append(f"清单：{relative(context.workspace, found.csv)}")
    context.emit(
        {"from": first, "to": second, **found.counts, "stale": found.stale, "csv": str(found.csv), "doubts": data},
        lines,
    )


@app.command("explain", help="说明一条疑点为什么成立：规则、金额怎么算的、双方记录在哪个文件哪一行、处理经过。")
def explain(
    ctx: typer.Context,
    doubt_id: str = typer.Argument(..., metavar="疑点编号", help="例如 D000012。"),
    full: bool = typer.Option(False, "--full", help="显示完整姓名、身份证号和账号（缺省脱敏）。"),
) -> None:
    from jiuzhu_cli.cli.doubt import tell

    tell(ctx.obj, doubt_id, full=full)


@app.command("calibrate", help="按办事人员对“疑似一人两个身份证号”的处理结果，更新比对的权重（存在工作区 policy/）。")
def calibrate(ctx: typer.Context) -> None:
    from jiuzhu_cli.dedupe.calibrate import calibrate as refresh

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        done = refresh(context.workspace, store, today=context.today, actor=context.actor, now=context.now)
    rows = [
        (word, *("按名单量" if value is None else f"{value:.3%}" for value in (getattr(done.before, name), getattr(done.known, name))))
        for name, word in (("share", "写着第二个真号码的行"), ("phone", "同一人两个号码，电话相同的"), ("account", "同一人两个号码，账号相同的"))
    ]  # fmt: skip
    lines = [
        f"用了 {done.known.decided} 条处理结果：{done.known.same} 条是同一人，{done.known.decided - done.known.same} 条不是。"
        if done.known.decided
        else "还没有处理过的“疑似一人两个身份证号”，用随带的估计。",
        *([f"另有 {done.left_out} 条的名册已被替换，没有用。"] if done.left_out else []),
        table(rows, ["权重", "原来", "现在"]),
        *(
            [
                f"存在 {relative(context.workspace, done.path)}；在工作区里 jiuzhu match 用它。删掉这个文件就回到随带的估计。"
            ]
            if done.path
            else []
        ),
    ]
    context.emit(done.as_json(), lines)


def _shown(doubt: dict[str, Any]) -> dict[str, Any]:
    """A doubt's row for the screen: names and numbers masked, nothing internal."""
    from jiuzhu_cli.cli.privacy import masked

    hidden = ("doubt_key", "facts", "decided_facts", "in_first", "in_second", "earlier", "reopened")
    shown: dict[str, Any] = masked({k: v for k, v in doubt.items() if k not in hidden})
    return shown
