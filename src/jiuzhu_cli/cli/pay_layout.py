"""jiuzhu pay layout: the banks' files as data — list and show them, check a file against them, draft one from a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.cli.policyversion import policy_now, workspace_of
from jiuzhu_cli.cli.words import CERTAINTY, CONTAINERS

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
USES = {"export": "报盘", "return": "回盘"}


@app.command("list", help="列出代发格式：载体、编码、适用银行，来源有多可靠，本程序能不能写。")
def list_(ctx: typer.Context) -> None:
    context: Context = ctx.obj
    banks = list(policy_now(context, "").banks.values())
    codes = _in_use(context)
    rows = [
        (b.code, b.name, CONTAINERS[b.container], b.encoding if b.container in ("delimited", "fixed") else "", "、".join(b.banks),
         CERTAINTY[b.certainty], "在用" if b.code in codes else "可选" if b.makes_files else "写不了")
        for b in banks
    ]  # fmt: skip
    heads = ["代码", "格式", "载体", "编码", "适用银行", "来源", "状态"]
    notes = [f"{b.name}：{b.says}" for b in banks if not b.makes_files]
    data = {"layouts": [as_json(b) | {"in_use": b.code in codes} for b in banks]}
    context.emit(data, [table(rows, heads), "写不了的：", *notes, "看一种的全部：jiuzhu pay layout show 代码"])


@app.command("show", help="看一种代发格式：每一列、首末行、回盘、来源、要注意什么。")
def show(
    ctx: typer.Context, code: str = typer.Argument(..., metavar="代码", help="jiuzhu pay layout list 里的代码。")
) -> None:
    context: Context = ctx.obj
    layout = find(context, code)
    lines = [
        f"{layout.code}　{layout.name}",
        f"载体：{CONTAINERS[layout.container]}　来源（{CERTAINTY[layout.certainty]}）：{layout.source}",
    ]
    lines += [f"注意：{layout.says}"] if layout.says else []
    for name, shape in (
        ("首行", layout.opening),
        ("明细", layout.columns),
        ("末行", layout.closing),
        ("回盘", layout.returns),
    ):
        if shape:
            heads = ["列", "内容", "宽", "说明"]
            lines += [f"{name}：", table([(c.name, c.source, c.width or "", _remarks(c)) for c in shape], heads)]
    context.emit(as_json(layout), lines)


@app.command("check", help="核对一份文件合不合格式：合哪一种；不合的，哪一行、哪一栏为什么。都不合时退出码 3。")
def check(
    ctx: typer.Context,
    file: Path = typer.Argument(..., metavar="文件", help="报盘文件，或银行给回来的文件。"),
    bank: str = typer.Option("", "--bank", help="只对这一种格式；缺省对全部。"),
) -> None:
    from jiuzhu_cli.payment.conform import conform

    context: Context = ctx.obj
    layouts = [find(context, bank)] if bank else list(policy_now(context, "").banks.values())
    if bank:
        from jiuzhu_cli.payment.layout import bind

        bind(layouts[0], {})
    form, found = conform(file, layouts)
    fitting = [one for one in found if one.fits]
    lines = [f"{file.name}：{form['container']}" + (f"，编码 {form['encoding']}" if form["encoding"] else "")]
    lines += [f"合格式：{one.code} {one.name}（{USES[one.use]}，{one.lines} 笔）" for one in fitting]
    for one in [] if fitting else found[: 1 if bank else 3]:
        lines.append(f"不合：{one.code} {one.name}（{USES[one.use]}），{one.lines} 笔里合的约 {one.share:.0%}")
        lines += [f"  {misfit.text()}" for misfit in one.misfits[:20]]
        rest = len(one.misfits) - 20 + one.more if len(one.misfits) > 20 else one.more
        lines += [f"  另有 {rest} 处"] if rest > 0 else []
    if not fitting:
        lines.append("要按这份文件起草一个格式：jiuzhu pay layout learn 文件")
    data = {
        "file": file.name,
        **form,
        "fits": sorted({one.code for one in fitting}),
        "layouts": [one.as_json() for one in found],
    }
    context.emit(data, lines)
    if not fitting:
        raise typer.Exit(3)


@app.command("learn", help="从银行给的样例起草一个格式：载体、编码、分隔或定长、首末行、每一列；拿不准的标“请核对”。")
def learn(
    ctx: typer.Context,
    sample: Path = typer.Argument(..., metavar="样例", help="银行给的报盘或回盘样例，明细最好三笔以上。"),
    code: str = typer.Option("my_bank", "--code", help="格式代码，也是文件名：字母、数字、下划线。"),
    name: str = typer.Option("", "--name", help="格式名称。"),
    save: bool = typer.Option(False, "--save", help="存进工作区的 policy/banks/；缺省只显示。"),
) -> None:
    import re

    from jiuzhu_cli.core.errors import RefusedError, UsageError
    from jiuzhu_cli.core.mask import mask_text
    from jiuzhu_cli.payment import learn as drafting
    from jiuzhu_cli.tabular.files import write_bytes

    context: Context = ctx.obj
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", code):
        raise UsageError(
            f"格式代码“{code}”不对", "用小写字母开头，只含小写字母、数字、下划线，例如 --code rural_county"
        )
    if code in policy_now(context, "").banks:
        raise UsageError(f"已有代发格式“{code}”", "换一个代码：起草的格式不和已有的混在一起")
    draft = drafting.learn(sample, code=code, name=name)
    path = ""
    if save:
        target = context.workspace.policy_dir / "banks" / f"{code}.toml"
        if target.exists():
            raise RefusedError(f"{target.name} 已经在 policy/banks/ 里", "换一个 --code，或先移走它", code="exists")
        write_bytes(target, draft.toml.encode())
        path = context.workspace.relative(target)
    lines = [draft.toml]
    lines.append(
        f"读懂样例 {draft.lines} 笔；"
        + ("照它写回，与样例一样" if draft.same else "照它写回，与样例不完全一样：请核对标出的列")
    )
    lines += [f"请核对：{question}" for question in draft.questions]
    lines += [f"设置：{key} = {mask_text(value)}" for key, value in draft.constants.items()]
    lines.append(
        f"已存 {path}；核对后运行 jiuzhu policy check，在 jiuzhu.toml 的 [payment] banks 里写上 {code}"
        if path
        else f"存进工作区：加 --save（写到 policy/banks/{code}.toml）"
    )
    data = {
        "code": code, "toml": draft.toml, "lines": draft.lines, "same": draft.same, "return": draft.is_return, "usable": draft.layout is not None,
        "questions": draft.questions, "constants": {key: mask_text(value) for key, value in draft.constants.items()}, "file": path,
    }  # fmt: skip
    context.emit(data, lines)
    if draft.layout is None:
        raise typer.Exit(3)


def find(context: Context, code: str) -> BankLayout:
    """The layout of this code; UsageError with near ones."""
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.policy.words import near

    banks = policy_now(context, "").banks
    if code not in banks:
        raise UsageError(f"没有代发格式“{code}”{near(code, banks)}", "用 jiuzhu pay layout list 查看全部")
    return banks[code]


def as_json(layout: BankLayout) -> dict[str, Any]:
    found = layout.model_dump(mode="json", exclude_defaults=True, exclude={"columns", "returns", "summary", "trailer"})
    shapes = {
        key: [column.model_dump(mode="json", exclude_defaults=True) for column in getattr(layout, key)]
        for key in ("columns", "returns", "summary", "trailer")
    }
    return {
        "container": layout.container, "encoding": layout.encoding, "certainty": layout.certainty, "source": layout.source,
        "says": layout.says, "makes_files": layout.makes_files, **found, **shapes,
    }  # fmt: skip


def _in_use(context: Context) -> set[str]:
    """Codes that lines go to: as the workspace says, outside of one all that route by themselves."""
    from jiuzhu_cli.payment.routing import layouts_in_use

    policy = policy_now(context, "")
    workspace = workspace_of(context)
    used, default = layouts_in_use(workspace.config.get("payment", {}) if workspace else {}, policy)
    return {layout.code for layout in (*used, default)}


def _remarks(column: BankColumn) -> str:
    words = []
    if column.source in ("amount", "paid_amount", "total"):
        words.append(
            f"{column.decimals} 位小数" if column.point else "不带小数点" + ("（分）" if column.decimals == 2 else "")
        )
    if column.align == "right" or column.pad != " ":
        words.append(f"{'右' if column.align == 'right' else '左'}对齐补“{column.pad}”")
    if column.source == "own_flag":
        words.append(f"本行“{column.own}”，跨行“{column.other}”")
    words += [column.style] if column.style else []
    words += [f"只填{'本行' if column.only == 'own' else '跨行'}"] if column.only else []
    words += [f"缺省“{column.default}”"] if column.default else []
    words += ["必填"] if column.required else []
    return "，".join(words)
