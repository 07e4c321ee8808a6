"""jiuzhu pay papers: the papers of a batch — approval slip, summary, rosters, voucher — made or made again; and made at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, table

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store

COMMANDS = {
    "locked": "lock",
    "approved": "approve",
    "released": "release",
    "exported": "export",
    "reconciled": "return",
    "closed": "close",
}
SHOWN = 10  # rosters told one by one
KIND_CHOICES = {
    "审批单": "slip",
    "汇总表": "summary",
    "花名册": "roster",
    "凭证": "voucher",
    "退回凭证": "voucher_returned",
}


def papers(
    ctx: typer.Context,
    batch: int = typer.Option(0, "--batch", help="批次号；缺省为最近一批。"),
    month: str = typer.Option("", "--month", help="月份 YYYY-MM；缺省为最近的月份。"),
    only: list[str] = typer.Option([], "--only", metavar="单据", help="只出这些：审批单、汇总表、花名册、凭证、退回凭证（可写多次）；缺省为这一步能出的全部。"),
    programme: list[str] = typer.Option([], "--programme", "-p", help="花名册只出这些项目（可写多次）。"),
    town: str = typer.Option("", "--town", help="花名册只出这个乡镇。"),
    masked: bool = typer.Option(False, "--masked", help="花名册出遮盖身份证号、账号的一份（签收时传看用）。"),
    rewrite: bool = typer.Option(False, "--rewrite", help="单据被改动过时，按台账重写。"),
) -> None:  # fmt: skip
    from jiuzhu_cli.core.errors import RefusedError, UsageError
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.payment_states import FIXED, SENT, WORDS
    from jiuzhu_cli.payment import approvals
    from jiuzhu_cli.payment import papers as paper

    context: Context = ctx.obj
    wrong = [word for word in only if word not in KIND_CHOICES]
    if wrong:
        raise UsageError(f"没有叫“{wrong[0]}”的单据", f"--only 后面写：{'、'.join(KIND_CHOICES)}")
    with context.workspace.open_store() as store:
        try:
            chosen = approvals.choose(store, (), number=batch, month=month, otherwise=FIXED)
        except RefusedError:  # there are drafts at most: what to do with the latest is said of it
            chosen = approvals.choose(store, (), month=month, otherwise=tuple(WORDS))
        policy = context.policy(chosen["month"])
        kinds = [KIND_CHOICES[word] for word in only] or [
            kind for kind in paper.KINDS if kind not in (paper.VOUCHER, paper.RETURNED) or chosen["state"] in SENT
        ]
        codes = [policy.programme(name).code for name in programme]
        if (codes or town or masked) and not only:
            kinds = [paper.ROSTER]
        made = paper.make_papers(
            store, context.workspace, policy, chosen, kinds, actor=context.actor, now=context.now, command="pay papers",
            programmes=codes, town=town, masked=masked, mend=rewrite,
        )  # fmt: skip
    if not made.papers:
        raise UsageError("这一批里没有这样的款", "用 jiuzhu pay show 看这一批有哪些项目、乡镇，有没有退回的")
    rosters = [p for p in made.papers if p["kind"] in (paper.ROSTER, paper.ROSTER_MASKED)]
    rows = [
        (paper.KIND_WORDS[p["kind"]], p["path"], p["lines"], yuan(p["amount_fen"], grouped=True))
        for p in made.papers
        if p not in rosters[SHOWN:]
    ]
    head = f"第 {chosen['payment_id']} 批单据 {len(made.papers)} 份，新写或改写 {made.written} 份"
    lines = [head, table(rows, ["单据", "文件", "笔数", "金额（元）"])]
    lines += [f"还有 {len(rosters) - SHOWN} 份花名册在同一个文件夹里"] if len(rosters) > SHOWN else []
    lines += [f"注意：{path} 曾被改动，已按台账重写" for path in made.mended]
    context.emit(made.as_json(), lines)


def at_step(
    context: Context, store: Store, batch: dict[str, Any], *, again: bool = False
) -> tuple[list[dict[str, Any]], list[str]]:
    """The papers that a batch's new state brings with it: for ``--json``, and lines for people. What keeps them from
    being written is told: the step itself has been taken.

    ``again``: the state may be the old one, one more has approved it.
    """
    from jiuzhu_cli.core.errors import JiuzhuError
    from jiuzhu_cli.payment import papers as paper

    kinds = (paper.SLIP,) if again else paper.kinds_at(context.workspace, batch)
    if not kinds:
        return [], []
    try:
        made = paper.make_papers(
            store, context.workspace, context.policy(batch["month"]), batch, kinds, actor=context.actor, now=context.now,
            command=f"pay {COMMANDS[batch['state']]}", anew=batch["state"] == "locked" and not again,
        )  # fmt: skip
    except JiuzhuError as error:  # the step itself is done and stands
        return [], [f"注意：单据没有写成：{error.message}。{error.todo}；再出单据：jiuzhu pay papers"]
    lines = [f"{paper.KIND_WORDS[p['kind']]}：{p['path']}" for p in made.papers if p["kind"] != paper.ROSTER]
    rosters = [p for p in made.papers if p["kind"] == paper.ROSTER]
    if rosters:
        lines.append(f"花名册：{len(rosters)} 份，在 {rosters[0]['path'].rpartition('/')[0]}")
    elif batch["state"] == "locked" and not again:
        lines.append("花名册：这一批笔数多，要用时出：jiuzhu pay papers --only 花名册")
    return made.papers, lines


def after_answers(context: Context, store: Store, payment_id: int) -> tuple[list[dict[str, Any]], list[str]]:
    """When the bank's last answer has been read: what came back is booked off."""
    from jiuzhu_cli.ledger import payments

    batch = payments.batch(store, payment_id)
    if batch["state"] != "reconciled":
        return [], []
    return at_step(context, store, batch)


def booked_off_again(context: Context, store: Store, payment_id: int) -> list[str]:
    """After a correction the voucher of what came back says another sum; with nothing left to book off, the one before is withdrawn. Lines for people."""
    from jiuzhu_cli.core.errors import JiuzhuError
    from jiuzhu_cli.ledger import payments
    from jiuzhu_cli.payment import papers as paper

    batch = payments.batch(store, payment_id)
    try:
        made = paper.make_papers(
            store, context.workspace, context.policy(batch["month"]), batch, (paper.RETURNED,), actor=context.actor, now=context.now, command="pay reverse",
        )  # fmt: skip
    except JiuzhuError as error:  # the correction itself is done and stands
        return [f"注意：退回凭证没有写成：{error.message}。{error.todo}；再出：jiuzhu pay papers --batch {payment_id} --only 退回凭证"]  # fmt: skip
    return [
        f"退回凭证（第 {payment_id} 批全部退回的总数）：{p['path']}" for p in made.papers if p["kind"] == paper.RETURNED
    ] or [f"第 {payment_id} 批没有退回的款了，原来的退回凭证作废：请财务冲回"]
