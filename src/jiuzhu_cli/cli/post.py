"""jiuzhu post: make, close, object, resolve, list."""

from __future__ import annotations

from datetime import date

import typer

from jiuzhu_cli.cli.context import Context, first_few, table
from jiuzhu_cli.cli.words import OBJECTION_STATES
from jiuzhu_cli.cli.words import POSTING_STATES as STATES
from jiuzhu_cli.cli.words import ROUNDS as ROUND_WORDS

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

MONTH = typer.Option("", "--month", help="月份 YYYY-MM。")
PROGRAMME = typer.Option([], "--programme", "-p", help="只看这些项目（代码、名称或俗称，可写多次）。")
TOWN = typer.Option("", "--town", help="乡镇（街道）。")
VILLAGE = typer.Option("", "--village", help="村（社区）。")
ROUND = typer.Option("", "--round", help="榜次：first 第一榜 / final 第二榜；缺省为两榜都看。")
POSTING = typer.Option(0, "--posting", help="公示编号（jiuzhu post list 可查）。")


@app.command("make", help="出公示名单：每村每项目一份，xlsx 和可打印的 docx；不该公示的项目不出。")
def make(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    round_: str = typer.Option("first", "--round", help="榜次：first 第一榜（初审）/ final 第二榜（确认）。"),
    programme: list[str] = PROGRAMME,
    start: str = typer.Option("", "--from", help="张贴日期 YYYY-MM-DD；缺省为今天。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.posting import rounds
    from jiuzhu_cli.posting.wording import CHECK

    context: Context = ctx.obj
    policy = context.policy(month)
    begin = _day(start, "--from") if start else context.today
    with context.workspace.open_store() as store:
        made = rounds.make(
            context.workspace, store, policy, month, round_=round_, programmes=programme, start=begin,
            actor=context.actor, now=context.now,
        )  # fmt: skip
    changes = [one.change for one in made.lists]
    lines = [
        f"{month} {ROUND_WORDS[round_]}：{len(made.lists)} 份名单（新出 {changes.count('new')}，换新 {changes.count('replaced')}，"
        f"没有变化 {changes.count('unchanged')}，撤下 {made.withdrawn}）。"
    ]
    rows = []
    for code in dict.fromkeys(one.programme for one in made.lists):
        same = [one for one in made.lists if one.programme == code]
        dates = sorted({f"{one.start} 至 {one.end}" for one in same})
        rows.append(
            (
                policy.programmes[code].name, len(same), sum(one.households for one in same), sum(one.persons for one in same),
                yuan(sum(one.amount_fen for one in same), grouped=True), dates[0] if len(dates) == 1 else f"{len(dates)} 种起止日",
            )
        )  # fmt: skip
    if rows:
        lines += ["", table(rows, ["项目", "名单", "户", "保障人数", "金额（元）", "公示期"]), ""]
        lines.append(f"文件在 out/public/{month}/，按乡镇分文件夹。")
    lines += [f"不公示：{policy.programmes[code].name}——{why}" for code, why in made.not_posted]
    lines += first_few([f"没有出：{area} {policy.programmes[code].name}——{why}" for area, code, why in made.waiting])
    lines += first_few([f"扣下：{area} {policy.programmes[code].name}——{why}" for area, code, why in made.held])
    lines += [f"注意：{text}" for text in made.warnings if not text.startswith(CHECK)]
    if asked := [text.removeprefix(CHECK).partition("：")[0] for text in made.warnings if text.startswith(CHECK)]:
        lines.append(f"注意：{CHECK}{'、'.join(asked)}（来源见 jiuzhu policy list --unconfirmed）")
    lines.append("下一步：张贴；有异议用 jiuzhu post object 登记；期满后 jiuzhu post close --month " + month)
    context.emit(made.as_json(), lines)
    if made.held:
        raise typer.Exit(3)
    if made.waiting and not made.lists:
        raise typer.Exit(4)


@app.command("close", help="期满结束公示；没到期或有异议未答复的不能结束。")
def close(
    ctx: typer.Context,
    month: str = MONTH,
    round_: str = ROUND,
    programme: list[str] = PROGRAMME,
    town: str = TOWN,
    village: str = VILLAGE,
    posting: int = POSTING,
    override: str = typer.Option("", "--override", metavar="理由", help="写明理由，提前结束（记入日志）。"),
) -> None:
    from jiuzhu_cli.core.errors import RefusedError
    from jiuzhu_cli.posting import closing

    context: Context = ctx.obj
    policy = context.policy(month)
    _which(month, posting)
    with context.workspace.open_store() as store:
        found = closing.select(
            store, policy, month, round_=round_, programmes=programme, town=town, village=village, posting_id=posting
        )
        if not found:
            raise RefusedError("没有符合的公示", "先用 jiuzhu post make 出名单，或用 jiuzhu post list 查看")
        result = closing.close(
            store, found, today=context.today, override=override, actor=context.actor, now=context.now
        )
    done = sum(one["state"] == "closed" for one in found)
    lines = [f"已结束公示 {len(result.closed)} 份" + (f"（此前已结束 {done} 份）" if done else "") + "。"]
    lines += first_few([f"未结束：第 {one['posting_id']} 号 {one['town']}{one['village']} {policy.programme(one['programme']).name}——{why}" for one, why in result.left])  # fmt: skip
    lines.append(f"下一步：jiuzhu pay draft --month {found[0]['month']}")
    context.emit(result.as_json(), lines)


@app.command("object", help="登记一件对公示的异议。")
def object_(
    ctx: typer.Context,
    text: str = typer.Option(..., "--text", help="异议内容。"),
    person: str = typer.Option("", "--person", help="针对的人：姓名或身份证号；不写则针对整份名单。"),
    received_on: str = typer.Option("", "--received-on", help="收到日期 YYYY-MM-DD；缺省为今天。"),
    posting: int = POSTING,
    month: str = MONTH,
    round_: str = ROUND,
    programme: list[str] = PROGRAMME,
    town: str = TOWN,
    village: str = VILLAGE,
) -> None:
    from jiuzhu_cli.posting import closing, objections

    context: Context = ctx.obj
    _which(month, posting)
    with context.workspace.open_store() as store:
        found = closing.select(
            store, context.policy(month), month, round_=round_, programmes=programme, town=town, village=village, posting_id=posting
        )  # fmt: skip
        day = _day(received_on, "--received-on") if received_on else context.today
        made = objections.receive(
            store, found, person=person, text=text, received_on=day, actor=context.actor, now=context.now
        )
    context.emit(
        made.as_json(),
        [f"已登记第 {made.number} 号异议（{made.area}，第 {made.posting} 号公示）。", f"答复：jiuzhu post resolve {made.number} --result 成立或不成立 --note 核查结果"],
    )  # fmt: skip


@app.command("resolve", help="答复异议：成立或不成立，写明核查结果。")
def resolve(
    ctx: typer.Context,
    number: int = typer.Argument(..., metavar="异议号", help="异议编号。"),
    result: str = typer.Option(..., "--result", help="成立 / 不成立（upheld / dismissed）。"),
    note: str = typer.Option(..., "--note", help="核查结果和答复。"),
) -> None:
    from jiuzhu_cli.posting import objections

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        made = objections.resolve(store, number, result=result, note=note, actor=context.actor, now=context.now)
    lines = [f"第 {made.number} 号异议已答复：{OBJECTION_STATES[made.state]}。"]
    if made.state == "upheld":
        lines.append("下一步：更正花名册重新导入并重出公示，或作复核决定；在此之前该户不会发放。")
    context.emit(made.as_json(), lines)


@app.command("list", help="看某月的公示和异议。")
def show(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    round_: str = ROUND,
    programme: list[str] = PROGRAMME,
    town: str = TOWN,
    village: str = VILLAGE,
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.posting import closing, objections

    context: Context = ctx.obj
    policy = context.policy(month)
    with context.workspace.open_store() as store:
        found = closing.select(store, policy, month, round_=round_, programmes=programme, town=town, village=village)
        raised = objections.listed(store, month)
    lists = closing.overview(found)
    kept = {one["posting"] for one in lists}
    raised = [one for one in raised if one.posting in kept]
    rows = [
        (
            one["posting"], one["area"], policy.programme(one["programme"]).name, ROUND_WORDS[one["round"]], one["households"],
            yuan(one["amount_fen"], grouped=True), f"{one['from']} 至 {one['to']}", _state(one, context.today), one["open_objections"] or "",
        )
        for one in lists
    ]  # fmt: skip
    lines = [f"{month} 共 {len(lists)} 份公示。"]
    if rows:
        lines += ["", table(rows, ["编号", "地区", "项目", "榜次", "户", "金额（元）", "公示期", "状态", "未答复异议"])]
    if raised:
        lines += ["", "异议：", table([(o.number, o.posting, o.area, o.person, o.received_on, OBJECTION_STATES[o.state], o.text) for o in raised], ["异议号", "公示", "地区", "针对", "收到", "状态", "内容"])]  # fmt: skip
    context.emit({"month": month, "lists": lists, "objections": [one.as_json() for one in raised]}, lines)


def _which(month: str, posting: int) -> None:
    """UsageError unless the command says which lists are meant."""
    from jiuzhu_cli.core.errors import UsageError

    if not month and not posting:
        raise UsageError(
            "没有说是哪份公示", "用 --month 写月份，或用 --posting 写公示编号（jiuzhu post list --month 月份 可查）"
        )


def _state(one: dict[str, object], today: date) -> str:
    if one["state"] == "open" and today.isoformat() > str(one["to"]):
        return "期满待结束"
    return STATES[str(one["state"])]


def _day(text: str, option: str) -> date:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.period import parse_date

    day, problem = parse_date(text)
    if problem or day is None:
        raise UsageError(f"{option} “{text}”不是日期", "请写成 YYYY-MM-DD，例如 2026-11-21")
    return day
