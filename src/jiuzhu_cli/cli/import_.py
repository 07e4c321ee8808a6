"""jiuzhu import: rolls and registers in, whatever their habit; what was understood, taken in and refused is said."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Collection
from contextlib import nullcontext, suppress
from dataclasses import replace as replace_options
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jiuzhu_cli.cli.asking import answers_at_terminal, said_columns, said_programmes, unmet_sheets
from jiuzhu_cli.cli.context import Context
from jiuzhu_cli.cli.imported import import_lines
from jiuzhu_cli.cli.passwords import make_secrets, refuse_in_arguments
from jiuzhu_cli.cli.progress import ProgressLine
from jiuzhu_cli.core.lean import without
from jiuzhu_cli.tabular.child import MEMORY, Readers
from jiuzhu_cli.tabular.early import Early, likely_first
from jiuzhu_cli.tabular.forked import can_fork
from jiuzhu_cli.tabular.reader import load_reader

if TYPE_CHECKING:
    from jiuzhu_cli.intake.job import Options
    from jiuzhu_cli.intake.result import ImportResult
    from jiuzhu_cli.tabular.secret import Secrets

MOST_READERS = 4  # the one that saves keeps up with no more


def command(
    ctx: typer.Context,
    paths: list[Path] = typer.Argument(..., metavar="文件或文件夹…", help="要导入的文件，或整个文件夹。"),
    programme: list[str] = typer.Option(
        [], "--programme", "-p", help="表里认不出项目时指明：名称、简称或代码；只说一张工作表的写 表名=项目，可写多次。"
    ),
    month: str = typer.Option("", "--month", "-m", help="表里认不出月份时指明：YYYY-MM。"),
    area: str = typer.Option("", "--area", help="表里认不出乡镇时指明。"),
    mapping: list[str] = typer.Option([], "--map", help="指明某列是什么，例如 --map 打款数=发放金额；可写多次。"),
    strict: bool = typer.Option(False, "--strict", help="有一行不能收下，就整份退回。"),
    accept_valid: bool = typer.Option(False, "--accept-valid", help="收下好的行，坏的行另存待改正（缺省就是这样）。"),
    max_bad_pct: float | None = typer.Option(None, "--max-bad-pct", help="坏行超过百分之几就整份退回。"),
    replace: bool = typer.Option(
        False,
        "--replace",
        help="人员只有部分相同、或已在发放时，当作更正过的整份花名册；已发的不变，差额走补发、追缴。",
    ),
    append: bool = typer.Option(False, "--append", help="当作同一项目同月的另一批人。"),
    amount_level: str = typer.Option(
        "", "--amount-level", help="成员行上的金额是 household（整户的）还是 person（各人的）。"
    ),
    password: str = typer.Option("", "--password", hidden=True, help="不再使用：密码不能写在命令行里。"),
    password_file: Path | None = typer.Option(
        None, "--password-file", help="加密文件的密码所在的文件：每行一个，权限 0600。不写时在终端里询问。"
    ),
    keyring: bool = typer.Option(False, "--keyring", help="从系统钥匙串取密码（jiuzhu/单位名称，文件名或文件夹名）。"),
    accept_change: bool = typer.Option(
        False, "--accept-change", help="与上月相比变化再大也收下（人数少了一半、账号换了一半等，缺省先问）。"
    ),
    no_recover: bool = typer.Option(
        False, "--no-recover", help="损坏的身份证号、账号一律拒收，不从别处唯一对得上的记录找回。"
    ),
    findings: Path | None = typer.Option(None, "--findings", help="把全部问题另写成一个文件：.csv、.xlsx 或 .json。"),
    explain: bool = typer.Option(False, "--explain", help="只看不导入：每张表、每一列是怎么认出来的，会问什么。"),
) -> None:
    context: Context = ctx.obj
    refuse_in_arguments(password)
    alone, early = len(paths) == 1 and paths[0].is_file(), None
    ctx.with_resource(without("pandas", "polars"))  # Arrow and ADBC would load them, and nothing here needs them
    if alone:
        if can_fork():
            load_reader()
        readers = ctx.with_resource(Readers(1, loaded=can_fork()))
        readers.expect(paths)  # it is read while the rest of the program loads
    elif can_fork() and (os.cpu_count() or 1) > 1:
        load_reader()
        with suppress(OSError):
            early = Early(likely_first(paths, context.workspace.root / "out"), MEMORY)

    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.period import check_months
    from jiuzhu_cli.intake.job import Options
    from jiuzhu_cli.intake.listing import check_target, write_findings
    from jiuzhu_cli.intake.table import Hints

    if (replace and append) or (strict and accept_valid):
        raise UsageError("这两个选项只能用一个：--replace/--append，--strict/--accept-valid", "去掉其中一个")
    if amount_level not in ("", "household", "person"):
        raise UsageError(f"--amount-level “{amount_level}”不认识", "写 household（整户的）或 person（各人的）")
    if max_bad_pct is not None and not 0 <= max_bad_pct <= 100:
        raise UsageError("--max-bad-pct 要写 0 至 100 的数", "例如 --max-bad-pct 5")
    policy = context.policy()
    if not alone:
        import jiuzhu_cli.intake.batch  # noqa: F401 - while the first files are read
        from jiuzhu_cli.intake.ahead import ready_to_judge

        ready_to_judge(policy)
        workers = min(os.cpu_count() or 1, MOST_READERS)
        readers = ctx.with_resource(Readers(workers, loaded=True, early=early, at_hand=(policy,)))
    whole, sheets = said_programmes(policy, programme)
    columns = said_columns(policy, mapping, paths)
    options = Options(
        hints=Hints(whole, check_months(month) if month else "", area, columns, sheets=sheets),
        strict=strict,
        max_bad_pct=max_bad_pct,
        mode="replace" if replace else "append" if append else "",
        level=amount_level,  # type: ignore[arg-type]
        accept_change=accept_change,
        recover=not no_recover,
    )
    if findings is not None:
        check_target(findings)
    bar = ProgressLine() if sys.stderr.isatty() and not context.quiet and not context.json else None
    readers.watch = bar.within if bar is not None else None
    secrets = make_secrets(
        password_file,
        keyring=keyring,
        bureau=context.workspace.bureau,
        pause=bar.hidden if bar is not None else nullcontext,
    )
    if explain:
        _explain(context, paths, options, secrets, readers)
        return
    result = _import(context, paths, options, secrets, bar, readers)
    if answers := answers_at_terminal(context, result):
        options = replace_options(options, hints=replace_options(options.hints, answers=answers))
        again = _import(context, paths, options, secrets, bar, readers)
        result = _merged(result, again, "refused", set(answers))
    data = result.as_json(policy)
    lines = [] if context.json else import_lines(context, result)
    if _accepted_on_terminal(context, result, lines):
        result = _merged(
            result, _import(context, paths, replace_options(options, accept_change=True), secrets, bar, readers)
        )
        data, lines = result.as_json(policy), import_lines(context, result)
    if unmet := unmet_sheets(sheets, result):
        lines.append(f"--programme 里的工作表没有找到：{'、'.join(unmet)}。照表底的标签写工作表名。")
    if findings is not None:
        count = write_findings(findings, result, policy)
        lines.append(f"全部问题 {count} 条：{findings}")
    context.emit(data, lines)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _explain(context: Context, paths: list[Path], options: Options, secrets: Secrets, readers: Readers) -> None:
    """How the files are understood; nothing is taken in."""
    from jiuzhu_cli.cli.explained import explain_lines
    from jiuzhu_cli.intake.look import look

    gc.disable()
    seen = list(
        look(
            context.workspace, context.policy(), paths, options, today=context.today, secrets=secrets, read=readers.get
        )
    )
    context.emit({"tables": [one.data for one in seen]}, explain_lines(seen))


def _import(
    context: Context,
    paths: list[Path],
    options: Options,
    secrets: Secrets,
    bar: ProgressLine | None,
    readers: Readers,
) -> ImportResult:
    from jiuzhu_cli.intake.batch import import_paths

    gc.disable()  # millions of cells, no cycles worth looking for
    with bar or nullcontext():
        return import_paths(
            context.workspace, context.policy(), paths, options, today=context.today, now=context.now, actor=context.actor,
            progress=bar, secrets=secrets, readers=readers,
        )  # fmt: skip


def _accepted_on_terminal(context: Context, result: ImportResult, lines: list[str]) -> bool:
    """Whether somebody at the terminal takes in what changed too much; what changed is shown first."""
    held = [one for one in result.tables if one.status == "ask" and one.last_month is not None]
    if not held or context.json or context.dry_run or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    if context.yes:
        return False  # --yes answers small questions; this one has an option of its own
    for line in lines:
        print(line)
    return typer.confirm(
        f"以上 {len(held)} 张表与上月相差很大，还没有收下。核对过了，收下吗？", default=False, err=True
    )


def _merged(
    first: ImportResult, second: ImportResult, held: str = "ask", files: Collection[str] | None = None
) -> ImportResult:
    """The first run's results, those that were held back (in ``files``) replaced by the second run's."""
    again = {(one.file, one.sheet, one.title): one for one in second.tables}
    first.tables = [
        again.get((one.file, one.sheet, one.title), one)
        if one.status == held and (files is None or one.file in files)
        else one
        for one in first.tables
    ]
    return first
