"""The sheets of the workbook of doubts (疑点): one a kind with both records side by side, a summary, the overdue, a legend.

The left columns, as far as 核实期限, are what is printed (A4, landscape); the columns behind them (birth, account, phone, place in the
files, rule) are for the screen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import KINDS, OLD_WORDS, RESULTS, SIDES, result_choices, result_label, verdict_of
from jiuzhu_cli.core.identity import birth_date, sex
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.dedupe.evidence import CODES, SEVERITIES
from jiuzhu_cli.dedupe.marks import side_by_side
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec

if TYPE_CHECKING:
    from jiuzhu_cli.dedupe.deadline import Deadlines
    from jiuzhu_cli.dedupe.evidence import Speaker
    from jiuzhu_cli.ledger.doubt_records import Beside

ID_HEADER, RESULT_HEADER, SIDE_HEADER, NOTE_HEADER = "疑点编号", "处理结果", "停发哪一方", "备注"
CHECKER_HEADER, CHECKED_HEADER = "核实人", "核实日期"
OLD_HEADER = "处理意见"  # of workbooks of version 0.1: result and side in one word
ID_A_HEADER, ID_B_HEADER = "甲方身份证号", "乙方身份证号"
SUMMARY_SHEET, OVERDUE_SHEET, LEGEND_SHEET = "汇总", "超期未核实", "填表说明"
SIZE = 10  # points; with it the printed columns stay readable on A4

HOW = (
    "怎么填：填“处理结果”（点格子右边的箭头选）、“停发哪一方”、“备注”、“核实人”、“核实日期”，其他列不要改；可以排序、筛选、加列、删去不归自己管的行。",
    "甲方、乙方的姓名、证号、出生日期、账号、电话不同的字标红加粗。账号、电话、出处、依据在表的右边，屏幕上看，不打印。各词的意思和对发放的作用见“填表说明”。",
)


def _columns(kind: str) -> tuple[ColumnSpec, ...]:
    stoppable = KINDS[kind].stoppable
    shades = {RESULTS["pending"].label: "yellow"}
    printed = (
        ColumnSpec(ID_HEADER, 8.8, align="center"),
        ColumnSpec("级别", 7, align="center", wrap=True),
        ColumnSpec("疑点类型", 10, wrap=True),
        ColumnSpec("月份", 8.6, wrap=True, align="center"),
        ColumnSpec("甲方姓名", 7.5, wrap=True, align="center"),
        ColumnSpec("乙方姓名", 7.5, wrap=True, align="center"),
        ColumnSpec(ID_A_HEADER, 18.3, align="center"),
        ColumnSpec(ID_B_HEADER, 18.3, align="center"),
        ColumnSpec("甲方项目", 10, wrap=True),
        ColumnSpec("乙方项目", 10, wrap=True),
        ColumnSpec("甲方乡镇村", 9, wrap=True),
        ColumnSpec("乙方乡镇村", 9, wrap=True),
        ColumnSpec("甲方金额", 8.8, kind="amount"),
        ColumnSpec("乙方金额", 8.8, kind="amount"),
        ColumnSpec("涉及金额（元）", 13, kind="amount"),
        ColumnSpec("情况", 34, wrap=True),
        ColumnSpec(RESULT_HEADER, 9.3, choices=result_choices(kind), shades=shades, wrap=True, align="center"),
        ColumnSpec(SIDE_HEADER, 8, choices=tuple(SIDES.values()) if stoppable else None, wrap=True, align="center"),
        ColumnSpec(NOTE_HEADER, 10, wrap=True),
        ColumnSpec(CHECKER_HEADER, 7.5, wrap=True, align="center"),
        ColumnSpec(CHECKED_HEADER, 10.5, align="center"),
        ColumnSpec("核实期限", 10.5, align="center"),
    )
    return (
        *printed,
        ColumnSpec("甲方出生日期、性别", 14, wrap=True, align="center"),
        ColumnSpec("乙方出生日期、性别", 14, wrap=True, align="center"),
        ColumnSpec("甲方账号", 22),
        ColumnSpec("乙方账号", 22),
        ColumnSpec("甲方电话", 13),
        ColumnSpec("乙方电话", 13),
        ColumnSpec("甲方出处", 24, wrap=True),
        ColumnSpec("乙方出处", 24, wrap=True),
        ColumnSpec("依据", 40, wrap=True),
    )


PRINTED = 22


def kind_sheets(
    doubts: Sequence[dict[str, Any]],
    beside: Mapping[tuple[str, str], Beside],
    speaker: Speaker,
    deadlines: Deadlines,
    today: date | None,
    span: str,
) -> list[SheetSpec]:
    """One sheet a kind that occurs, in the order of ``KINDS``."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for doubt in doubts:
        by_kind[doubt["kind"]].append(doubt)
    sheets = []
    for kind in KINDS:
        some = by_kind.get(kind)
        if not some:
            continue
        total = yuan(sum(doubt["amount_fen"] for doubt in some), grouped=True)
        due = PRINTED - 1
        sheets.append(
            SheetSpec(
                KINDS[kind].name,
                _columns(kind),
                [_row(doubt, beside, speaker, deadlines) for doubt in some],
                freeze_columns=1,
                title=f"{KINDS[kind].name}（{span}）：{len(some)} 条，涉及 {total} 元",
                fills={(n, due): "red" for n, doubt in enumerate(some) if deadlines.overdue(doubt, today)},
                print_columns=PRINTED,
                paper="A4",
                font_size=SIZE,
            )
        )
    return sheets


def _row(
    doubt: dict[str, Any], beside: Mapping[tuple[str, str], Beside], speaker: Speaker, deadlines: Deadlines
) -> tuple[Any, ...]:
    a, b = (_record(doubt, beside, side) for side in "ab")
    names = side_by_side(doubt["name_a"], doubt["name_b"])
    numbers = side_by_side(doubt["id_no_a"], doubt["id_no_b"], always=False)
    births = side_by_side(_born(doubt["id_no_a"]), _born(doubt["id_no_b"]), always=False)
    accounts = side_by_side(a[2], b[2], always=False)
    phones = side_by_side(a[3], b[3], always=False)
    result, side = verdict_of(doubt)
    due = deadlines.of(doubt)
    return (
        doubt["doubt_id"],
        SEVERITIES[doubt["severity"]],
        CODES.get(doubt["code"], doubt["code"]),
        _span(doubt),
        *names,
        *numbers,
        speaker.name(doubt["programme_a"]),
        speaker.name(doubt["programme_b"]) if doubt["programme_b"] else "",
        a[0],
        b[0],
        a[1],
        b[1],
        doubt["amount_fen"],
        doubt["evidence"],
        result_label(doubt["kind"], result),
        SIDES.get(side, ""),
        doubt["disposition_note"],
        doubt["checked_by"],
        doubt["checked_on"],
        due.isoformat() if due else "",
        *births,
        *accounts,
        *phones,
        a[4],
        b[4],
        doubt["basis"],
    )  # fmt: skip


def _record(
    doubt: Mapping[str, Any], beside: Mapping[tuple[str, str], Beside], side: str
) -> tuple[str, int | None, str, str, str]:
    """Place, amount, account, phone and place in the files of one side."""
    found = beside.get((doubt["doubt_id"], side))
    if found is None:
        return doubt[f"area_{side}"], None, "", "", doubt[f"source_{side}"]
    town, village, amount, account, phone, file, sheet, row = found
    area = doubt[f"area_{side}"]
    place = area if "/" in area or not village else f"{area or town}/{village}"
    return place, amount, account, phone, " ".join(part for part in (file, sheet, f"第{row}行") if part)


def _span(doubt: Mapping[str, Any]) -> str:
    first, last = str(doubt["month_from"]), str(doubt["month_to"])
    return first if first == last else f"{first}至{last}"


def _born(id_no: str) -> str:
    born = birth_date(id_no)
    return f"{born.isoformat()} {sex(id_no)}" if born else ""


def town_of(doubt: Mapping[str, Any]) -> str:
    """The town that a doubt is counted under."""
    return str(doubt["area_a"] or doubt["area_b"] or "未注明").partition("/")[0]


_SUMS = ("count", "strong", "fen", "decided", "pending", "overdue")


def summary_sheet(
    title: str,
    doubts: Sequence[dict[str, Any]],
    deadlines: Deadlines,
    today: date | None,
    not_judged: Sequence[dict[str, Any]],
    earlier: int,
) -> SheetSpec:
    """Counts by kind, code and town; a subtotal for codes of several towns; the total."""
    places: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(_SUMS))
    for doubt in doubts:
        pending, place = doubt["disposition"] == "pending", places[doubt["kind"], doubt["code"], town_of(doubt)]
        place[0] += 1
        place[1] += doubt["severity"] == "strong"
        place[2] += doubt["amount_fen"]
        place[3] += not pending
        place[4] += pending
        place[5] += pending and deadlines.overdue(doubt, today)
    sums: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for (kind, code, town), figures in places.items():
        for key in ((kind, code, town), (kind, code, ""), ("", "", "")):
            sums[key].update(dict(zip(_SUMS, figures, strict=True)))
    order = {kind: n for n, kind in enumerate(KINDS)}
    keys = sorted(
        (key for key in sums if key[0]), key=lambda key: (order.get(key[0], 99), key[1], key[2] or "\U0010ffff")
    )
    towns = Counter(key[:2] for key in keys if key[2])
    rows = []
    for kind, code, town in [*keys, ("", "", "")]:
        if kind and not town and towns[kind, code] < 2:
            continue
        names = (KINDS[kind].name, CODES.get(code, code), town or "小计") if kind else ("合计", "", "")
        total = sums[kind, code, town]
        rows.append((*names, *(total[name] for name in _SUMS)))
    footnotes = [f"不能判定：{one['reason']}（涉及 {one['persons']} 人）" if one["persons"] else f"不能判定：{one['reason']}" for one in not_judged]  # fmt: skip
    if earlier:
        footnotes.append(f"更早月份还有 {earlier} 条疑点待核实，见那几个月的清单。")
    columns = (
        ColumnSpec("类别", 16),
        ColumnSpec("疑点类型", 28),
        ColumnSpec("乡镇", 14),
        *(ColumnSpec(header, 9, kind="count") for header in ("条数", "强疑点")),
        ColumnSpec("涉及金额（元）", 16, kind="amount"),
        *(ColumnSpec(header, 9, kind="count") for header in ("已处理", "待核实", "超期")),
    )
    bold = {(n, c): "grey" for n, row in enumerate(rows) if row[2] in ("小计", "") for c in range(len(columns))}
    return SheetSpec(
        SUMMARY_SHEET, columns, rows, title=title, notes=HOW, footnotes=footnotes, autofilter=False, fills=bold
    )


def overdue_sheet(doubts: Sequence[dict[str, Any]], deadlines: Deadlines, today: date | None) -> list[SheetSpec]:
    """The strong doubts past their deadline, the longest first; no sheet when there are none."""
    late = sorted((deadlines.of(d) or date.max, d["doubt_id"], d) for d in doubts if deadlines.overdue(d, today))
    if not late:
        return []
    rows = [
        (due.isoformat(), doubt_id, KINDS[d["kind"]].name, CODES.get(d["code"], d["code"]), town_of(d), d["name_a"], d["name_b"], d["amount_fen"], d["evidence"])
        for due, doubt_id, d in late
    ]  # fmt: skip
    columns = (
        ColumnSpec("核实期限", 12, align="center"),
        ColumnSpec(ID_HEADER, 10, align="center"),
        ColumnSpec("类别", 14),
        ColumnSpec("疑点类型", 18, wrap=True),
        ColumnSpec("乡镇", 12),
        ColumnSpec("甲方姓名", 9),
        ColumnSpec("乙方姓名", 9),
        ColumnSpec("涉及金额（元）", 14, kind="amount"),
        ColumnSpec("情况", 56, wrap=True),
    )
    title = f"强疑点过了核实期限还没有处理结果：{len(rows)} 条"
    note = "处理结果在各类疑点的表里填，本表只供查看。"
    return [SheetSpec(OVERDUE_SHEET, columns, rows, title=title, notes=(note,))]


_KIND_MEANS = {
    True: "强疑点是名册自身互相矛盾，没有处理结果的拦住当月发放；待核线索只提示去看一看，不拦发放",
    False: "不拦发放",
}


def legend_sheet(doubts: Sequence[dict[str, Any]], speaker: Speaker) -> SheetSpec:
    """What each kind and code of this workbook, each result, side and colour means, and what happens to the payment."""
    rows: list[tuple[str, str, str, str]] = []
    for kind, told in KINDS.items():
        some = [d for d in doubts if d["kind"] == kind]
        for code in sorted({d["code"] for d in some}):
            bases = Counter(d["basis"] for d in some if d["code"] == code)
            shown = "；".join(basis for basis, _ in bases.most_common(2)) + ("；等" if len(bases) > 2 else "")
            entry = speaker.policy.doubts.get(code)
            note = f"{entry.note}。" if entry and entry.note else ""
            means = note.replace("。。", "。") + (f"依据：{shown}" if shown else "")
            rows.append(("疑点类型", f"{told.name}：{CODES.get(code, code)}", means, _KIND_MEANS[told.blocks]))
    for code, result in RESULTS.items():
        label = f"{result.label} / 属实" if code == "confirmed" else result.label
        rows.append((RESULT_HEADER, label, result.means, result.after))
    rows += [
        (SIDE_HEADER, "甲方、乙方、双方", "不该享受的一方；处理结果为双重享受（属实）、已停发、已追回时填。只有一方领钱的不必填", "写明的一方当月不发"),
        (SIDE_HEADER, "调整金额", "都可以享受，金额要改；处理结果填双重享受（属实）", "双方先不发，改正名册或复核调整后再发"),
        (CHECKED_HEADER, "核实日期", "写成 2026-10-12。两个人对同一条填得不一样时，双方都列出来，先不采用", "以 dedupe decide --prefer 指定以哪个文件为准"),
        (OLD_HEADER, "、".join(OLD_WORDS), "以前的一列两用的词，填在处理结果里也认", "同上"),
        ("颜色", "红色粗体字", "甲方、乙方同一栏里不同的字。整个号码都不同（不到一半相同）的不标", ""),
        ("颜色", "黄底", "处理结果还是“待核实”", ""),
        ("颜色", "红底", "强疑点过了核实期限还没有处理结果", "仍拦住发放"),
    ]  # fmt: skip
    columns = (
        ColumnSpec("栏目", 12, align="center"),
        ColumnSpec("填写或看到的", 26, wrap=True),
        ColumnSpec("意思", 62, wrap=True),
        ColumnSpec("对当月发放的作用", 50, wrap=True),
    )
    return SheetSpec(LEGEND_SHEET, columns, rows, title="填表说明", autofilter=False)
