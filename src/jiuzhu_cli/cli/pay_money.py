"""jiuzhu pay recover, reverse: money that has to come back, and money that came back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jiuzhu_cli.cli.context import Context, table

if TYPE_CHECKING:
    from jiuzhu_cli.payment.correction import Corrected

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(
    "recover",
    help="追缴：发出后才知道已死亡、已确认重复、已停发或多发的，立账、列清单；读回填好的清单（追回、免收、抵扣）。",
)
def recover(
    ctx: typer.Context,
    file: Path = typer.Argument(None, metavar="[填好的追缴台账]", help="读回里面填的追回、免收和抵扣。"),
    month: str = typer.Option("", "--month", help="只看这个月发的；缺省为所有月份。"),
    confirm: list[int] = typer.Option([], "--confirm", metavar="编号", help="由另一人确认这项追缴的免收（可写多次）。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment import recovery, repayments

    context: Context = ctx.obj
    policy = context.policy()
    lines: list[str] = []
    data = {}
    refused = False
    with context.workspace.open_store() as store:
        if file is not None:
            read = repayments.read_back(store, file, today=context.today, actor=context.actor, now=context.now)
            data["read"] = read.as_json()
            refused = bool(read.refused)
            lines.append(
                f"已读回：记追回 {read.booked} 笔 {yuan(read.booked_fen, grouped=True)} 元，免收待确认 {read.asked} 笔 {yuan(read.asked_fen, grouped=True)} 元，"
                f"抵扣意见 {read.agreed} 件，以前读过的 {read.unchanged} 笔"
            )
            lines += [f"  ✗ {one['sheet']} {one['cell']}　{one['reason']}。{one['todo']}" for one in read.refused]
        for number in confirm:
            fen = repayments.confirm(store, number, actor=context.actor, now=context.now)
            lines.append(f"追缴 {number} 免收 {yuan(fen, grouped=True)} 元已确认")
        done = file if file is not None and not refused else None
        found = recovery.recover(
            store, context.workspace, policy, month=month, read=done, actor=context.actor, now=context.now
        )
    rows = [(recovery.WORDS[code], n, yuan(fen, grouped=True)) for code, (n, fen) in found.by_code.items()]
    lines += [table(rows, ["原因", "笔数", "尚需追回（元）"])] if rows else ["没有应追回的款。"]
    if found.sums["claims"]:
        sums = {
            name: yuan(found.sums[f"{name}_fen"], grouped=True) for name in ("claimed", "repaid", "waived", "set_off")
        }
        lines.append(
            f"共立账 {found.sums['claims']} 笔 {sums['claimed']} 元：已追回 {sums['repaid']}，已抵扣 {sums['set_off']}，已免收 {sums['waived']}"
            + (f"；这次新立 {found.opened} 笔，更正 {found.changed} 笔" if found.opened or found.changed else "")
        )
    if found.kept:
        lines.append(
            f"{found.kept} 有人填过、还没有（全部）读回，没有覆盖，新名单另存：填好的读回 jiuzhu pay recover {found.kept}"
        )
    lines += [f"名单：{f['path']}" for f in found.files]
    asked = [f"--confirm {row['recovery_id']}" for row in found.rows if row["asked_fen"]]
    if asked:
        more = f"（共 {len(asked)} 笔，编号见名单）" if len(asked) > 10 else ""
        lines.append(f"免收等另一人确认{more}：jiuzhu pay recover {' '.join(asked[:10])} --actor 确认人")
    if found.files:
        lines.append(f"下一步：追回后在名单里填日期和金额，读回：jiuzhu pay recover {found.files[0]['path']}")
    context.emit(found.as_json() | data, lines)
    if refused:
        raise typer.Exit(3)


@app.command(
    "reverse",
    help="冲正：退汇、记错的笔由两人冲正，重新算作未发；记作失败、其实已到账的由两人改记；不写选项列出待确认的。",
)
def reverse(
    ctx: typer.Context,
    batch: int = typer.Option(0, "--batch", help="批次号。"),
    line: list[int] = typer.Option(
        [], "--line", metavar="序号", help="批次里的第几笔（可写多次）；合并成一笔转账的一起冲正。"
    ),
    kind: str = typer.Option(
        "退汇", "--kind", metavar="种类", help="退汇：钱退回来了；记错：其实没有到账；实际到账：记作失败、其实已到账。"
    ),
    day: str = typer.Option("", "--date", metavar="日期", help="退回、到账（查出）的日期；缺省为今天。"),
    reference: str = typer.Option("", "--reference", metavar="凭证", help="退汇凭证、回单号。"),
    reason: str = typer.Option("", "--reason", metavar="依据", help="银行怎么说的（记入日志）。"),
    confirm: list[int] = typer.Option([], "--confirm", metavar="编号", help="由另一人确认（可写多次）。"),
    drop: list[int] = typer.Option([], "--drop", metavar="编号", help="撤回还没有确认的。"),
) -> None:
    from jiuzhu_cli.cli.pay_papers import booked_off_again
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.period import parse_date
    from jiuzhu_cli.ledger import payments
    from jiuzhu_cli.payment import approvals, correction
    from jiuzhu_cli.payment.failures import mending_forms

    context: Context = ctx.obj
    if sum(map(bool, (line, confirm, drop))) > 1:
        raise UsageError("--line、--confirm、--drop 一次只写一种", "先提出，再由另一人确认")
    with context.workspace.open_store() as store:
        if line:
            code = next((code for code, word in correction.KINDS.items() if kind in (code, word)), kind)
            on_date, problem = parse_date(day) if day else (context.today, "")
            if problem or on_date is None:
                raise UsageError(f"--date “{day}”不是日期", "请写成 YYYY-MM-DD")
            chosen = approvals.choose(store, ("exported", "reconciled", "closed"), number=batch)
            made = correction.ask(
                store, chosen, line, kind=code, on_date=on_date, reference=reference, reason=reason, today=context.today, actor=context.actor,
                now=context.now,
            )  # fmt: skip
            numbers = " ".join(f"--confirm {row['correction_id']}" for row in made.rows)
            lines = [
                f"已提出{'改记到账' if code == correction.AFTER_ALL else '冲正'} {len(made.rows)} 笔，还没有生效：",
                _corrections(made),
                f"下一步：由另一人确认：jiuzhu pay reverse {numbers} --actor 确认人",
            ]
        elif confirm or drop:
            made = correction.answer(store, confirm or drop, done=bool(confirm), actor=context.actor, now=context.now)
            back = [row for row in made.rows if row["kind"] != correction.AFTER_ALL]
            what = f"更正 {len(made.rows)} 笔（冲正 {len(back)}，改记到账 {len(made.rows) - len(back)}）"
            lines = [f"已{what if confirm else f'撤回 {len(made.rows)} 笔'}：", _corrections(made)]
            for number in dict.fromkeys(row["payment_id"] for row in back) if confirm else ():
                owner = payments.batch(store, number)
                forms = mending_forms(
                    store, context.workspace, context.policy(), owner, actor=context.actor, now=context.now
                )
                lines += [
                    f"更正表（{form['town'] or '未注明乡镇'}，{form['lines']} 笔）：{form['path']}" for form in forms
                ]
            if confirm:
                for number in dict.fromkeys(row["payment_id"] for row in made.rows):
                    lines += booked_off_again(context, store, number)
                months = dict.fromkeys(row["month"] for row in back)
                lines += [f"下一步：更正账号后补发：jiuzhu pay draft --month {month}" for month in months]
        else:
            made = correction.waiting(store)
            lines = [_corrections(made)] if made.rows else ["没有待确认的冲正。"]
    context.emit(made.as_json(), lines)


def _corrections(made: Corrected) -> str:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment.correction import KINDS, state_word

    rows = [
        (r["correction_id"], r["payment_id"], r["line_no"], r["month"], r["town"], r["recipient_name"], yuan(r["amount_fen"], grouped=True), KINDS[r["kind"]],
         r["on_date"], state_word(r), r["asked_by"])
        for r in made.rows
    ]  # fmt: skip
    return table(rows, ["编号", "批次", "序号", "月份", "乡镇", "姓名", "金额（元）", "种类", "日期", "状态", "提出"])


@app.command(
    "back-pay",
    help="补发：找出已发月份还欠的（更正、倒算的决定、漏发、异议成立），列清单；确认后随下次制单补发，只补一次。",
)
def back_pay(
    ctx: typer.Context,
    month: str = typer.Option("", "--month", help="只看到这个月为止；缺省为已发过的所有月份。"),
    confirm: list[int] = typer.Option([], "--confirm", metavar="编号", help="核实过、应补的（可写多次）。"),
    confirm_all: bool = typer.Option(False, "--confirm-all", help="待确认的都应补。"),
    decline: list[int] = typer.Option([], "--decline", metavar="编号", help="核实过、不补的（可写多次）。"),
    reason: str = typer.Option("", "--reason", metavar="依据", help="为什么补或不补（记入日志）。"),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment import back_pay as stage

    context: Context = ctx.obj
    if bool(decline) + bool(confirm) + confirm_all > 1:
        raise UsageError("--confirm、--confirm-all、--decline 一次只写一种", "分几次写")
    policy = context.policy()
    lines = []
    with context.workspace.open_store() as store:
        if confirm_all:
            found, count, fen = stage.confirm_all(
                store, context.workspace, policy, month=month, note=reason, actor=context.actor, now=context.now
            )
        else:
            if confirm or decline:
                count, fen = stage.decide(
                    store, confirm or decline, confirmed=not decline, note=reason, actor=context.actor, now=context.now
                )
            found = stage.find(store, context.workspace, policy, month=month, actor=context.actor, now=context.now)
        if confirm or confirm_all or decline:
            lines.append(f"已{'定为不补' if decline else '确认'} {count} 笔 {yuan(fen, grouped=True)} 元")
    rows = [
        (r["back_pay_id"], r["month"], r["town"], r["recipient_name"], yuan(r["amount_fen"], grouped=True), "已制单" if r["drafted"] else stage.STATES[r["state"]], r["reason"])
        for r in found.rows[:30]
    ]  # fmt: skip
    lines += (
        [table(rows, ["编号", "所属月份", "乡镇", "姓名", "补发（元）", "状态", "原因"])]
        if rows
        else ["没有要补发的。"]
    )
    lines += [f"另有 {len(found.rows) - 30} 笔，见清单"] if len(found.rows) > 30 else []
    lines += [f"清单：{file['path']}" for file in found.files]
    sums = found.sums()
    if sums["found"][0]:
        lines.append(
            f"待确认 {sums['found'][0]} 笔 {yuan(sums['found'][1], grouped=True)} 元：核实后 jiuzhu pay back-pay --confirm 编号 --reason 依据"
        )
    if sums["confirmed"][0]:
        lines.append(
            f"待制单 {sums['confirmed'][0]} 笔 {yuan(sums['confirmed'][1], grouped=True)} 元：随下次 jiuzhu pay draft --month 月份 一并制单"
        )
    context.emit(found.as_json(), lines)


@app.command("reconcile", help="对账：每人每项目 应发 = 已发 + 等待 + 抵扣 − 多发；有差异逐笔列原因，退出码 3。")
def reconcile(
    ctx: typer.Context,
    first: str = typer.Option("", "--from", help="从哪个月；缺省为台账里最早的月份。"),
    last: str = typer.Option("", "--to", help="到哪个月；缺省为最近的月份。"),
) -> None:
    from jiuzhu_cli.cli import words
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment import reconcile as proof

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = proof.reconcile(
            store, context.workspace, policy, first=first, last=last, actor=context.actor, now=context.now
        )
    sums = {name: yuan(fen, grouped=True) for name, fen in found.sums.items()}
    waiting = "，".join(f"{word} {sums[name]}" for name, word in proof.WAITING.items() if found.sums[name])
    lines = [
        f"{found.first} 至 {found.last}，{found.persons} 人，应发 {sums['due']} 元（按名册、决定和各月政策重算）",
        f"  = 已到账 {sums['paid']}",
        f"  + 等待中 {yuan(found.waiting_fen, grouped=True)}" + (f"（{waiting}）" if waiting else ""),
        f"  + 抵扣 {sums['set_off']}" + (f"　+ 决定不补 {sums['declined']}" if found.sums["declined"] else ""),
        f"  − 多发 {sums['claimed']}（已追回 {sums['repaid']}，已抵扣 {sums['set_off_back']}，免收 {sums['waived']}，尚欠 {sums['open']}）",
    ]
    if found.differences:
        rows = [
            (proof.DIFFERENCES[why][0], n, yuan(fen, grouped=True), proof.DIFFERENCES[why][1].format(month="月份"))
            for why, (n, fen) in found.by_reason.items()
        ]
        lines += [
            f"  差异 {len(found.differences)} 笔，合计 {sums['difference']} 元：",
            table(rows, ["原因", "笔数", "差额（元）", "怎么办"]),
        ]
    lines += [
        f"✗ {words.entity(one['entity'])}：{proof.PROBLEMS[one['code']]}（{yuan(one['stated_fen'], grouped=True)} 元，明细 {yuan(one['found_fen'], grouped=True)} 元）"
        for one in found.problems
    ]
    lines.append(
        "账平：每个人、每个项目、每个月都对得上。"
        if found.balanced
        else "账不平：逐笔见工作簿的“差异”表，办完再对一次。"
    )
    lines += [f"工作簿：{file['path']}" for file in found.files]
    context.emit(found.as_json(), lines)
    if not found.balanced:
        raise typer.Exit(3)
