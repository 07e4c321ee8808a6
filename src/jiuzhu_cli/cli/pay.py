"""jiuzhu pay: draft, lock, approve, export, read the bank's return, follow up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jiuzhu_cli.cli import pay_figures, pay_gates, pay_money, pay_papers, pay_return
from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.cli.pay_key import KEY, PASSWORD, signer
from jiuzhu_cli.cli.pay_key import app as keys
from jiuzhu_cli.cli.pay_layout import app as layouts
from jiuzhu_cli.cli.pay_states import BATCH, MONTH
from jiuzhu_cli.cli.pay_states import app as states
from jiuzhu_cli.cli.pay_states import title as _title
from jiuzhu_cli.cli.words import LINE_STATES

if TYPE_CHECKING:
    from jiuzhu_cli.payment.plan import Draft
    from jiuzhu_cli.policy.load import Policy

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def lean(ctx: typer.Context) -> None:
    from jiuzhu_cli.core.lean import without

    ctx.with_resource(without("pandas", "polars"))  # Arrow and ADBC would load them, and nothing here needs them


app.add_typer(keys, name="key", help="签名密钥：做一个、登记、停用、看谁登记了。")
app.add_typer(pay_gates.overrides, name="override", help="单笔放行：一人申请，另一人同意，只管一个月。")
app.add_typer(layouts, name="layout", help="银行文件的格式：查看、核对一份文件、从样例起草。")


@app.command("draft", help="制单：算出本月该发的，拦下有疑点、未公示、没账号的。")
def draft(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    programme: list[str] = typer.Option([], "--programme", "-p", help="只制这些项目（代码、名称或俗称，可写多次）。"),
    override: str = typer.Option(
        None,
        "--override",
        metavar="理由",
        help="写明理由，放行能放行的全部拦下原因；审批人审批即为同意，印在审批单上。",
    ),
) -> None:
    from jiuzhu_cli.core.errors import RefusedError
    from jiuzhu_cli.payment import plan
    from jiuzhu_cli.payment.holds import BY_CODE

    context: Context = ctx.obj
    policy = context.policy(month)
    with context.workspace.open_store() as store:
        try:
            made = plan.draft(
                store, context.workspace, policy, month, actor=context.actor, now=context.now, programmes=programme,
                override=override,
            )  # fmt: skip
        except RefusedError as error:
            if context.dry_run and error.code == "all_held":
                error.todo = "逐笔处理后再制单；不加 --dry-run 再运行，会写出拦下名单"
            raise
    data = made.as_json()
    words = "没有变化" if made.unchanged else "已制单"
    lines = [f"{words}：{_title(made.batch)}"]
    lines.append("  " + _due(made))
    if made.released:
        released = "、".join(f"{BY_CODE[c].name} {n} 笔" for c, n in made.released.items())
        why = f"按理由“{made.batch['override_reason']}”" if made.batch["override_reason"] else "按单笔放行"
        lines.append(f"  {why}放行：{released}（已记入日志）")
    if made.held:
        rows = [(BY_CODE[c].name, n, BY_CODE[c].todo) for c, n in made.holds_by_code.items()]
        lines += [f"拦下 {made.held} 笔（一笔有几个原因的，各记一次）：", table(rows, ["原因", "笔数", "怎么办"])]
        lines += [] if context.dry_run else [f"  名单：{path}" for path in made.files]
    lines += [f"注意：{text}" for text in made.warnings]
    lines.append("下一步：核对后锁定：jiuzhu pay lock")
    context.emit(data, lines)


@app.command("export", help="导出银行文件、汇总单和清单；再运行一次只补缺的文件。")
def export(
    ctx: typer.Context,
    batch: int = BATCH,
    month: str = MONTH,
    rewrite: bool = typer.Option(False, "--rewrite", help="文件被改动过时，按台账重写。"),
    key: Path | None = KEY,
    password_file: Path | None = PASSWORD,
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.payment_states import SENT
    from jiuzhu_cli.payment import approvals
    from jiuzhu_cli.payment import export as files

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        chosen = approvals.choose(
            store, ("approved", "released"), number=batch, month=month, otherwise=(*SENT, "locked", "draft")
        )
        signed = signer(context, store, key, password_file) if chosen["state"] == "approved" else None
        made = files.export(
            store,
            context.workspace,
            policy,
            chosen,
            actor=context.actor,
            now=context.now,
            rewrite=rewrite,
            signer=signed,
        )
        papers, told = pay_papers.at_step(context, store, made.batch)
    rows = [(_bank(policy, f["bank"]), f["path"], f["lines"], yuan(f["amount_fen"], grouped=True)) for f in made.files]
    lines = [f"已导出：{_title(made.batch)}" if made.written else f"文件都在，没有改动：{_title(made.batch)}"]
    lines += [table(rows, ["格式", "文件", "笔数", "金额（元）"]), f"汇总单：{made.cover}", f"清单：{made.manifest}"]
    lines += [*told, "下一步：送银行；拿到回盘后：jiuzhu pay return 回盘文件"]
    context.emit(made.as_json() | {"papers": papers}, lines)


@app.command("list", help="各批次到了哪一步。")
def list_(ctx: typer.Context, month: str = MONTH) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.payment_states import KINDS, WORDS
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.ledger import payments
    from jiuzhu_cli.payment.approvals import as_json

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        found = payments.batches(store, month=check_month(month) if month else "")
    rows = [
        (
            b["payment_id"], b["month"], b["sequence"], KINDS[b["kind"]], WORDS[b["state"]],
            b["lines"], yuan(b["amount_fen"], grouped=True), b["drafted_by"], b["approved_by"],
        )
        for b in found
    ]  # fmt: skip
    heads = ["批次", "月份", "序号", "种类", "状态", "笔数", "金额（元）", "制单", "审批"]
    context.emit({"batches": [as_json(b) for b in found]}, [table(rows, heads) if rows else "还没有付款批次。"])


@app.command("show", help="看一个批次：各银行、各状态的笔数，拦下的原因，导出的文件。")
def show(ctx: typer.Context, batch: int = typer.Argument(0, metavar="[批次号]", help="缺省为最近一批。")) -> None:
    from collections import Counter

    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.payment_states import WORDS
    from jiuzhu_cli.ledger import payments
    from jiuzhu_cli.ledger import returns as answers
    from jiuzhu_cli.ledger.files import recorded_files
    from jiuzhu_cli.payment import approvals
    from jiuzhu_cli.payment.holds import BY_CODE

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        every = tuple(WORDS)
        chosen = approvals.choose(store, (), number=batch, otherwise=every)
        states = payments.states_of(store, chosen["payment_id"])
        held = Counter(h["code"] for h in payments.holds(store, chosen["payment_id"]))
        files = [f for f in recorded_files(store, entity=f"payment:{chosen['payment_id']}") if f["kind"] == "bank_file"]
        returns = answers.returns(store, chosen["payment_id"])
        waiting = answers.under_way(store, chosen["payment_id"]) if returns else []
        through, let_through = pay_gates.let_through(store, chosen["payment_id"])
    rows = [
        (_bank(policy, s["bank"]), LINE_STATES[s["state"]], s["lines"], yuan(s["amount_fen"], grouped=True))
        for s in states
    ]
    lines = [_title(chosen), table(rows, ["格式", "状态", "笔数", "金额（元）"])]
    if held:
        lines += [
            "拦下（一笔有几个原因的，各记一次）：",
            table([(BY_CODE[c].name, n) for c, n in sorted(held.items())], ["原因", "笔数"]),
        ]
    lines += through
    if waiting:
        told = [
            (
                w["line_no"],
                w["transfer_no"],  # what the bank calls it: combined lines are one row of its file
                _bank(policy, w["bank"]),
                w["town"],
                w["recipient_name"],
                yuan(w["amount_fen"], grouped=True),
                w["reason"],
            )
            for w in waiting[:20]
        ]
        lines += [
            f"没有回音或部分到账的 {len(waiting)} 笔" + ("（前 20 笔）：" if len(waiting) > 20 else "："),
            table(told, ["序号", "银行文件里的序号", "格式", "乡镇", "姓名", "金额（元）", "说明"]),
            f"向银行问清后：jiuzhu pay settle --batch {chosen['payment_id']} --line 序号 --paid 或 --failed --reason 依据",
        ]
    listed = [{k: f[k] for k in ("path", "lines", "amount_fen", "sha256")} for f in files]
    data = approvals.as_json(chosen) | {
        "files": listed, "by_state": states, "holds_by_code": dict(sorted(held.items())), "returns": returns,
        "under_way": waiting, **let_through,
    }  # fmt: skip
    context.emit(data, lines)


def _bank(policy: Policy, code: str) -> str:
    """The format by its name; the code stays in --json."""
    return policy.banks[code].name if code in policy.banks else code


def _due(made: Draft) -> str:
    """The month's sum and where each yuan of it stands."""
    from jiuzhu_cli.core.money import yuan

    sums, batch = made.sums, made.batch
    drafted = f"制单 {batch['lines']} 笔 {yuan(batch['amount_fen'], grouped=True)}"
    held = f"拦下 {made.held} 笔 {yuan(sums.held, grouped=True)}"
    already = f"已发或在途 {made.already} 笔 {yuan(sums.already, grouped=True)}"
    total = batch["lines"] + made.held + made.already - sums.back_pays
    changed = sums.due - sums.back_pay - sums.rolls
    decided = f"（复核决定{'增' if changed > 0 else '减'} {yuan(abs(changed), grouped=True)}）" if changed else ""
    whole = f"名册应发 {total} 笔 {yuan(sums.rolls, grouped=True)} 元{decided}"
    back_pay = f" + 补发以前月份 {sums.back_pays} 笔 {yuan(sums.back_pay, grouped=True)}" if sums.back_pay else ""
    set_off = f" + 抵扣追缴 {yuan(sums.set_off, grouped=True)}" if sums.set_off else ""
    return f"{whole}{back_pay} = {drafted} + {held} + {already}{set_off}"


app.registered_commands[1:1] = states.registered_commands  # behind draft
app.command("papers", help="出（重出）一批的单据：审批单、发放汇总表、花名册、记账凭证；内容不变的，字节也不变。")(
    pay_papers.papers
)
app.registered_commands += [
    *pay_money.app.registered_commands,
    *pay_figures.app.registered_commands,
    *pay_gates.app.registered_commands,
]
app.command("return", help="读银行回盘：逐笔核对，成功的入账，失败的列出待补发；有一处不对就整份不收。")(
    pay_return.return_
)
app.command(
    "settle", help="回盘里没有的、部分到账的笔：向银行问清后逐笔记作到账或失败；只回失败的银行，其余一次记作到账。"
)(pay_return.settle)
