"""jiuzhu pay layout: the banks' files as data — list and show them, check a file against them, draft one from a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.cli.policyversion import policy_now, workspace_of
from jiuzhu_cli.cli.words import CERTAINTY, CONTAINERS

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


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
