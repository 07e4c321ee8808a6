"""jiuzhu policy simulate: what other values would change, for whom, and what it would cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, first_few, relative, table
from jiuzhu_cli.core.errors import UsageError

if TYPE_CHECKING:
    from jiuzhu_cli.review.simulate import Simulation

SIMULATE = "改几个参数会怎样：谁进谁出谁增谁减、多少钱、各级分担、悬崖；只测算，不改台账和政策。例：jiuzhu policy simulate --set 低保标准=780 --from 2027-01"


def simulate(
    ctx: typer.Context,
    settings: list[str] = typer.Option([], "--set", metavar="参数=值", help="可写多次；低保标准=780 城乡一起改，也可 低保标准_农村=+5%、=+30、开关=是。"),
    set_file: Path | None = typer.Option(None, "--set-file", metavar="文件.toml", help="一批设定写在文件里：每行 \"参数\" = 值，或整条 [[parameter]]。"),
    since: str = typer.Option(..., "--from", help="从哪个月起，例如 2027-01。"),
    month: str = typer.Option("", "--month", help="用哪个月的花名册；缺省为最近一个月。"),
    near: int = typer.Option(10, "--near", min=1, max=50, help="临界户：人均收入在线的上下百分之几以内。"),
) -> None:  # fmt: skip
    from jiuzhu_cli.core.period import check_month, first_day, last_day
    from jiuzhu_cli.ledger.files import record_file
    from jiuzhu_cli.policy import overlay
    from jiuzhu_cli.review.simulate import latest_rolls
    from jiuzhu_cli.review.simulate import simulate as judge_both
    from jiuzhu_cli.review.simulate_output import write_simulation

    context: Context = ctx.obj
    day = first_day(check_month(since))
    asked = overlay.parse_settings(settings)
    entries: list[dict[str, Any]] = []
    if set_file is not None:
        if not set_file.is_file():
            raise UsageError(f"没有文件 {set_file.name}", "检查 --set-file 的路径")
        more, entries = overlay.read_settings(set_file.read_bytes(), set_file.name)
        asked = [*more, *asked]
    if not asked and not entries:
        raise UsageError("没有写要改什么", "例如 --set 低保标准=780，或 --set-file 文件.toml")
    policy = context.policy()
    changed_policy = overlay.with_values(policy, asked, entries, day)
    names = [name for name, _ in asked] + [str(one["name"]) for one in entries]
    changed = overlay.changes(policy, changed_policy, day, names)
    floors = overlay.broken_floors(policy, changed_policy, context.today)
    later = [
        f"{one.name} 从 {one.since.isoformat()} 起另有值 {one.value}{one.unit}"
        for one in overlay.later_values(policy, (one.name for one in changed), day, last_day(f"{since[:4]}-12"))
    ]
    with context.workspace.open_store() as store:
        result = judge_both(store, policy, changed_policy, month or latest_rolls(store), since, today=context.today, near_percent=near)  # fmt: skip
        written = write_simulation(context.workspace, changed_policy, result, changed, floors, later)
        with store.transaction(actor=context.actor, command="policy simulate", now=context.now) as tx:
            for path, sha256, kind in written:
                record_file(tx, context.workspace, path, entity=f"simulate:{since}", kind=kind, sha256=sha256, lines=len(result.rows))  # fmt: skip
    data = _json(changed_policy, result) | {
        "changed": [{"name": one.name, "unit": one.unit, "before": _plain(one.before), "after": _plain(one.after), "derived": one.derived} for one in changed],
        "floors": floors, "later": later, "files": [str(path) for path, _, _ in written],
    }  # fmt: skip
    lines = [f"模拟：{result.month} 的花名册，自 {since} 起。只测算，台账和政策文件没有改。"]
    from jiuzhu_cli.review.simulate_output import value_word

    lines.append(table([(one.name + ("（随公式）" if one.derived else ""), value_word(one.before), value_word(one.after), one.unit) for one in changed], ["参数", "现在", "改后", "单位"]) if changed else "设定的值与现在相同。")  # fmt: skip
    lines += [f"! {text}" for text in (*floors, *later)]
    lines += ["", *_shown(data, result)]
    lines += [f"{label}：{relative(context.workspace, path)}" for label, (path, _, _) in zip(("测算表", "名单（内部）", "全部名单（CSV）"), written, strict=True)]  # fmt: skip
    context.emit(data, lines)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool) else str(value)


def _json(policy: Any, result: Simulation) -> dict[str, Any]:
    from jiuzhu_cli.review.simulate_cost import by_source, months_left, table_of
    from jiuzhu_cli.review.simulate_output import limits_told

    total = table_of([{**one, "all": ""} for one in result.sums], result.since, "all")
    return {
        "month": result.month,
        "from": result.since,
        "months_to_year_end": months_left(result.since),
        "total": {key: value for key, value in total[0].items() if key != "all"} if total else {},
        "programmes": table_of(result.sums, result.since, "programme"),
        "categories": table_of(result.sums, result.since, "programme", "kind"),
        "towns": table_of(result.sums, result.since, "town"),
        "sources": by_source(policy, result),
        "in_kind": result.in_kind,
        "checks": result.checks,
        "blocked": result.blocked,
        "unknown": result.unknown,
        "cliff": result.cliff.falls,
        "near": result.cliff.near,
        "near_percent": result.cliff.percent,
        "notes": limits_told(result),
    }


def _shown(data: dict[str, Any], result: Simulation) -> list[str]:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.review.simulate_output import CLASS_WORDS, lost_text, span

    names = result.names
    rows = [
        [names[one["programme"]], one["cases_b"], one["cases_a"], *(one[c] for c in ("in", "out", "up", "down", "same")), one["open"] + one["unknown"], span(one["low"], one["high"])]
        for one in data["programmes"]
    ]  # fmt: skip
    words = [CLASS_WORDS[c] for c in ("in", "out", "up", "down", "same")]
    lines = [table(rows, ["项目", "现在", "改后", *words, "不明", "每月增减（元）"])]
    total = data["total"]
    if total:
        lines.append(
            f"合计每月 {span(total['low'], total['high'])} 元；到年底 {data['months_to_year_end']} 个月 {span(total['to_year_end_low'], total['to_year_end_high'])} 元；"
            f"全年 {span(total['full_year_low'], total['full_year_high'])} 元。"
        )
    towns = [[one["town"] or "未注明", one["in"], one["out"], one["up"], one["down"], span(one["low"], one["high"])] for one in data["towns"]]  # fmt: skip
    lines += ["", table(towns, ["乡镇", *words[:4], "每月增减（元）"])]
    sources: dict[str, list[int]] = {}
    for one in data["sources"]:
        both = sources.setdefault(one["source"], [0, 0])
        both[0] += one["low"]
        both[1] += one["high"]
    lines.append("资金来源（每月）：" + "，".join(f"{name} {span(*both)} 元" for name, both in sources.items()) + "。")
    lines += [f"{names[one['programme']]}：失去 {one['lost']} 人，新有 {one['gained']} 人{'' if one['listed'] else '（没有导入这个名册）'}。" for one in result.in_kind]  # fmt: skip
    falls: dict[tuple[str, str], dict[str, Any]] = {}  # the worst of each programme and category: they come worst first
    for one in result.cliff.falls:
        if one["policy"] == "after" and (one["loss_high_fen"] or one["more_fen"]):
            falls.setdefault((one["programme"], one["kind"]), one)
    if falls:
        shown = [[names[f["programme"]], f["kind"], f"{f['line']:.2f}", f["size"], span(f["loss_low_fen"], f["loss_high_fen"]), yuan(f["more_fen"]), lost_text(names, [x for x in f["lost"] if not x["fen"]])] for f in list(falls.values())[:8]]  # fmt: skip
        lines += ["", "悬崖（改后，月收入多 1 元减少最多的）：", table(shown, ["项目", "类别", "线", "人口", "减少（元/月）", "最多另减", "失去的服务"])]  # fmt: skip
    return [*lines, "", *first_few(data["notes"])]
