"""The files of a simulation: a workbook of sums without any person, and for the bureau alone the list of who changes (workbook and CSV)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.review.simulate import CLASSES, Simulation
from jiuzhu_cli.review.simulate_cost import by_source, table_of
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.overlay import Changed

CLASS_WORDS = {
    "in": "新增", "out": "退出", "up": "增额", "down": "减额", "same": "不变", "open": "增减不定", "unknown": "算不出",
}  # fmt: skip
LISTED = 20_000  # rows of a class in the workbook; the CSV has them all
CSV_HEADER = (
    "programme", "town", "village", "name", "id_no", "category", "change", "persons_before", "persons_after", "before_low_fen", "before_high_fen",
    "after_low_fen", "after_high_fen", "difference_low_fen", "difference_high_fen", "reason",
)  # fmt: skip
_MONEY = (
    ColumnSpec("现在每月（元）", 16, align="right"), ColumnSpec("改后每月（元）", 16, align="right"), ColumnSpec("每月增减（元）", 16, align="right"),
    ColumnSpec("到年底增减（元）", 18, align="right"), ColumnSpec("全年增减（元）", 18, align="right"), ColumnSpec("现在人均（元）", 14, align="right"),
    ColumnSpec("改后人均（元）", 14, align="right"),
)  # fmt: skip
_COUNTS = (
    *(ColumnSpec(text, 8, "count") for text in ("现在户数", "改后户数", "现在人数", "改后人数")),
    *(ColumnSpec(CLASS_WORDS[one], 9, "count") for one in CLASSES),
    ColumnSpec("新增人数", 9, "count"),
    ColumnSpec("退出人数", 9, "count"),
)


def value_word(value: Any) -> str:
    """A parameter's value as people read it."""
    if value is None:
        return "没有值"
    return ("是" if value else "否") if isinstance(value, bool) else str(value)


def span(low: int | None, high: int | None) -> str:
    """An amount in 元, or the range that the facts leave."""
    if low is None or high is None:
        return ""
    return yuan(low) if low == high else f"{yuan(low)} 至 {yuan(high)}"


def counts_of(row: dict[str, Any]) -> list[Any]:
    counts = [row["cases_b"], row["cases_a"], row["persons_b"], row["persons_a"], *(row[one] for one in CLASSES)]
    return [*counts, row["in_persons"], row["out_persons"]]


def money_of(row: dict[str, Any]) -> list[str]:
    return [
        span(row["b_low"], row["b_high"]), span(row["a_low"], row["a_high"]), span(row["low"], row["high"]),
        span(row["to_year_end_low"], row["to_year_end_high"]), span(row["full_year_low"], row["full_year_high"]),
        span(row["head_b_low"], row["head_b_high"]), span(row["head_a_low"], row["head_a_high"]),
    ]  # fmt: skip


def lost_text(names: dict[str, str], lost: Sequence[dict[str, Any]]) -> str:
    """What is bound to a line, in words: money with its sum, the rest by name, each with whom it is for."""
    parts = []
    for one in lost:
        text = names.get(one["programme"], one["programme"]) + (f"（{one['label']}）" if one["label"] else "")
        if one["fen"]:
            text += f" {span(*one['fen'])} 元/人/月"
        if one["when"]:
            text += f"〔{one['when']}〕"
        parts.append(text)
    return "；".join(parts)


def limits_told(result: Simulation) -> list[str]:
    """What the figures do not know, said plainly."""
    told = [
        "新增只能从名册上已知收入的家庭（低保边缘、刚性支出困难等）里算；不在任何名册上的家庭不知道收入，没有也不能算进。",
        "两种政策都按起始月份核算同一批花名册，年龄、证件有效期和收入按那时算；名册以后的变动没有算。",
        "按现行政策本来就应停发的，两边都不计；家庭成员没有逐人列出的，分类施保只能给出范围。",
    ]
    if any(one["property_open"] for one in result.sums):
        told.append(f"新增里有 {sum(one['property_open'] for one in result.sums)} 户财产情况名册没有写，须核实后才能确定。")  # fmt: skip
    if any(one["unpriced"] for one in result.sums):
        told.append(f"新增、退出里有 {sum(one['unpriced'] for one in result.sums)} 户（人）金额算不出，钱数没有包括他们。")  # fmt: skip
    told += [f"{result.names.get(one['programme'], '')}：{one['cases']} 户（人）{one['reason']}，增减算不出。" for one in result.unknown]  # fmt: skip
    told += [f"{result.names.get(one['programme'], '')}：{one['cases']} 户（人）须核查：{one['message']}（没有算作退出）。" for one in result.checks]  # fmt: skip
    if result.applicants:
        told.append(f"收入核算名单里另有 {result.applicants} 户不在任何名册上，可能申请，没有算进。")
    told += [f"{result.names.get(code, code)}{'（' + area + '）' if area else ''}名册有退回待改正的行，没有算进。" for code, area in result.incomplete]  # fmt: skip
    blocked: dict[tuple[str, str], int] = {}
    for one in result.blocked:
        blocked[one["target"], one["reason"]] = blocked.get((one["target"], one["reason"]), 0) + one["cases"]
    told += [f"可能新纳入{result.names.get(target, target)}的另有 {n} 户没有计：{reason}。" for (target, reason), n in sorted(blocked.items())]  # fmt: skip
    return told + result.missing


def write_simulation(
    workspace: Workspace, policy: Policy, result: Simulation, changed: Sequence[Changed], floors: Sequence[str], later: Sequence[str]
) -> list[tuple[Path, str, str]]:  # fmt: skip
    """Writes the three files; ``(path, sha256, kind)``, the workbook of sums first. The same question gives the same names and bytes."""
    asked = "|".join([result.month, result.since, *(f"{one.name}={one.after}" for one in changed)])
    mark = hashlib.sha256(asked.encode()).hexdigest()[:8]
    folder = workspace.internal / "simulate" / result.since
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    marks = {"jiuzhu": "simulate", "month": result.month}
    book, names = folder / f"政策模拟-{result.since}-{mark}.xlsx", folder / f"政策模拟名单-{result.since}-{mark}.xlsx"
    table = folder / f"simulate-{result.since}-{mark}.csv"
    return [
        (book, write_xlsx(book, _summary(policy, result, changed, floors, later), marks=marks), "simulate_workbook"),
        (names, write_xlsx(names, _list(result), marks=marks), "simulate_list"),
        (table, write_csv(table, CSV_HEADER, [["" if cell is None else cell for cell in row] for row in result.rows]), "simulate_csv"),
    ]  # fmt: skip


def _summary(
    policy: Policy, result: Simulation, changed: Sequence[Changed], floors: Sequence[str], later: Sequence[str]
) -> list[SheetSpec]:
    names, since = result.names, result.since
    title = f"政策模拟：自 {since} 起"
    by_programme, by_town = table_of(result.sums, since, "programme"), table_of(result.sums, since, "town")
    total = table_of([{**one, "all": "合计"} for one in result.sums], since, "all")
    sheets = [_notes(result, changed, floors, later)]
    body = [["合计" if "all" in one else names[one["programme"]], *counts_of(one), *money_of(one)] for one in (*by_programme, *total)]  # fmt: skip
    sheets.append(
        _sheet(
            "总表",
            (ColumnSpec("项目", 20), *_COUNTS, *_MONEY),
            body,
            title,
            "户数一栏，按人发放的项目是人数；合计是户次、人次，一户在几个项目里的计几次。",
        )
    )
    body = [[one.get("town", "合计") or "未注明", *counts_of(one), *money_of(one)] for one in (*by_town, *total)]
    sheets.append(_sheet("按乡镇", (ColumnSpec("乡镇", 14), *_COUNTS, *_MONEY), body, title))
    body = [
        [names[one["programme"]], one["kind"] or "不分", one["town"] or "未注明", *counts_of(one), *money_of(one)]
        for one in table_of(result.sums, since, "programme", "kind", "town")
    ]
    sheets.append(
        _sheet("按项目", (ColumnSpec("项目", 20), ColumnSpec("类别", 8), ColumnSpec("乡镇", 14), *_COUNTS, *_MONEY), body, title)
    )  # fmt: skip
    sheets.append(_sources(policy, result, title))
    sheets += [_cliff(result, title), _near(result, title)]
    return sheets


def _sheet(
    name: str, columns: Sequence[ColumnSpec], body: Sequence[Sequence[Any]], title: str, *notes: str
) -> SheetSpec:
    return SheetSpec(name, columns, body, title=f"{title}　{name}", notes=list(notes), freeze_columns=1)


def _notes(result: Simulation, changed: Sequence[Changed], floors: Sequence[str], later: Sequence[str]) -> SheetSpec:
    rows = [
        ("设定" if not one.derived else "随公式变", one.name, value_word(one.before), value_word(one.after), one.unit)
        for one in changed
    ]
    rows += [("底线", text, "", "请核对", "") for text in floors]
    rows += [("以后的值", text, "", "没有算进", "") for text in later]
    rows += [
        ("服务", f"{result.names[one['programme']]}：失去 {one['lost']} 人，新有 {one['gained']} 人{'' if one['listed'] else '（没有导入这个名册，须逐人核对是否已享受）'}", "", "", "")
        for one in result.in_kind
    ]  # fmt: skip
    rows += [("说明", text, "", "", "") for text in limits_told(result)]
    return SheetSpec(
        "说明",
        (ColumnSpec("种类", 12), ColumnSpec("内容", 70, wrap=True), ColumnSpec("现在", 14, align="right"), ColumnSpec("改后", 14, align="right"), ColumnSpec("单位", 12)),
        rows,
        title=f"政策模拟：{result.month} 的花名册，自 {result.since} 起改变政策",
        notes=["只是测算，没有改动台账和政策文件；定案后把新标准和文号写进 policy/parameters/，再照常复核。"],
        autofilter=False,
    )  # fmt: skip


def _sources(policy: Policy, result: Simulation, title: str) -> SheetSpec:
    rows = [
        [result.names[one["programme"]], one["kind"] or "不分", one["source"], "" if one["percent"] is None else f"{one['percent']}%{'' if one['confirmed'] else ' 请核对'}",
         span(one["low"], one["high"]), span(one["to_year_end_low"], one["to_year_end_high"]), span(one["full_year_low"], one["full_year_high"])]
        for one in by_source(policy, result)
    ]  # fmt: skip
    columns = (
        ColumnSpec("项目", 20),
        ColumnSpec("类别", 8),
        ColumnSpec("资金来源", 10),
        ColumnSpec("分担比例", 14),
        *_MONEY[2:5],
    )
    return _sheet(
        "资金来源",
        columns,
        rows,
        title,
        "分担比例写在参数“资金分担_项目名_中央”（省、市、县）里，单位 %；没有写的列为未填，不推测。",
    )


def _cliff(result: Simulation, title: str) -> SheetSpec:
    names = result.names
    rows = [
        ["现在" if one["policy"] == "before" else "改后", names[one["programme"]], one["kind"], f"{one['line']:.2f}", one["size"], yuan(one["income_below_fen"]), yuan(one["income_at_fen"]),
         span(one["below_low_fen"], one["below_high_fen"]), names.get(one["next"], "没有"), span(one["at_low_fen"], one["at_high_fen"]), span(one["loss_low_fen"], one["loss_high_fen"]),
         yuan(one["more_fen"]) if one["more_fen"] else "", lost_text(names, one["lost"]), lost_text(names, one["gained"])]
        for one in result.cliff.falls
    ]  # fmt: skip
    columns = (
        ColumnSpec("政策", 8), ColumnSpec("项目", 18), ColumnSpec("类别", 8), ColumnSpec("线（元/人/月）", 12, align="right"), ColumnSpec("家庭人口", 9, "count"),
        ColumnSpec("线下月收入（元）", 14, align="right"), ColumnSpec("到线月收入（元）", 14, align="right"), ColumnSpec("线下享受（元/月）", 16, align="right"), ColumnSpec("到线后转为", 14),
        ColumnSpec("到线后享受（元/月）", 16, align="right"), ColumnSpec("多收 1 元减少（元/月）", 18, align="right"), ColumnSpec("有人符合条件最多另减（元/人/月）", 18, align="right"),
        ColumnSpec("失去的其他待遇", 60, wrap=True), ColumnSpec("新有的", 24, wrap=True),
    )  # fmt: skip
    return _sheet("悬崖", columns, rows, title, "家庭月收入多 1 元，从线下到线上，本项目和随它享受的各项目减少多少；按减少多少排。按成年、健康的成员算，因人而异的列在后面。")  # fmt: skip


def _near(result: Simulation, title: str) -> SheetSpec:
    names = result.names
    rows = [
        ["现在" if one["policy"] == "before" else "改后", one["kind"], f"{one['line']:.2f}", "、".join(names[code] for code in one["programmes"]), one["town"] or "未注明", one["below"], one["at"]]
        for one in result.cliff.near
    ]  # fmt: skip
    columns = (
        ColumnSpec("政策", 8), ColumnSpec("类别", 8), ColumnSpec("线（元/人/月）", 14, align="right"), ColumnSpec("用这条线的项目", 40, wrap=True), ColumnSpec("乡镇", 14),
        ColumnSpec("线下户数", 10, "count"), ColumnSpec("线上户数", 10, "count"),
    )  # fmt: skip
    return _sheet(
        "临界户",
        columns,
        rows,
        title,
        f"名册上人均收入在线的上下 {result.cliff.percent}% 以内的家庭；收入不明的不在内。",
    )


def _list(result: Simulation) -> list[SheetSpec]:
    columns = (
        ColumnSpec("救助项目", 16), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20), ColumnSpec("类别", 8),
        ColumnSpec("人数", 8, "count"), ColumnSpec("现在（元/月）", 16, align="right"), ColumnSpec("改后（元/月）", 16, align="right"), ColumnSpec("增减（元/月）", 16, align="right"),
        ColumnSpec("说明", 44, wrap=True),
    )  # fmt: skip
    sheets = []
    for class_, word in CLASS_WORDS.items():
        rows = [row for row in result.rows if row[6] == class_]
        if not rows:
            continue
        body = [
            [result.names[r[0]], r[1], r[2], r[3], r[4], r[5], r[7] if class_ == "out" else r[8], span(r[9], r[10]), span(r[11], r[12]), span(r[13], r[14]), r[15]]
            for r in rows[:LISTED]
        ]  # fmt: skip
        notes = ["内部资料，不得外传。"]
        if len(rows) > LISTED:
            notes.append(f"共 {len(rows)} 户（人），这里列前 {LISTED}，全部在同名的 CSV 里。")
        sheets.append(
            SheetSpec(word, columns, body, title=f"政策模拟名单：{word}（自 {result.since} 起）", notes=notes)
        )
    return sheets or [SheetSpec("名单", columns, [], title="政策模拟名单：没有变化", notes=["内部资料，不得外传。"])]
