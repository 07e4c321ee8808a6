"""The summary of a batch (发放汇总表): by programme, town and funding source, households, persons and amount, beside other months."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.money import capitals
from jiuzhu_cli.payment.figures import Cell, Figures, Key, Tally, change, tallied, total
from jiuzhu_cli.policy.funding import OPEN
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec

_COUNTED = (
    ColumnSpec("笔数", 9, "count", shrink=True), ColumnSpec("户数", 9, "count", shrink=True), ColumnSpec("人数", 9, "count", shrink=True), ColumnSpec("金额（元）", 17, "amount", shrink=True),
)  # fmt: skip
_COMPARED = (
    ColumnSpec("本月累计人数", 9, "count", shrink=True), ColumnSpec("本月累计金额（元）", 17, "amount", shrink=True),
    ColumnSpec("上月人数", 9, "count", shrink=True), ColumnSpec("上月金额（元）", 17, "amount", shrink=True), ColumnSpec("金额环比", 10, align="right"),
    ColumnSpec("去年同月人数", 9, "count", shrink=True), ColumnSpec("去年同月金额（元）", 17, "amount", shrink=True), ColumnSpec("金额同比", 10, align="right"),
)  # fmt: skip


def summary(bureau: str, figures: Figures) -> list[SheetSpec]:
    """The sheets: 按项目, 按乡镇, 按资金来源, 项目和乡镇. Each is a page of its own with title, sums and place for names."""
    return [
        _sheet(bureau, figures, "按项目", [ColumnSpec("救助项目（类别）", 30, wrap=True)], *_rows(figures, "rank", lambda cell: figures.title(cell.programme, cell.category))),
        _sheet(bureau, figures, "按乡镇", [ColumnSpec("乡镇（街道）", 30, wrap=True)], *_rows(figures, "place", lambda cell: cell.town or "未注明乡镇")),
        _by_source(bureau, figures),
        _by_both(bureau, figures),
    ]  # fmt: skip


def _rows(figures: Figures, order: str, key: Key) -> tuple[list[list[Any]], tuple[ColumnSpec, ...]]:
    """A row for whatever one of the months has, so that what is gone shows, too."""
    months = [tallied(cells, key) for cells in (figures.month, figures.before, figures.year_ago)]
    own = tallied(figures.cells, key)
    rows = []
    for name in dict.fromkeys(key(cell) for cell in figures.seen(order)):
        rows.append([name, *_numbers(own.get(name, Tally())), *_compared(*(one.get(name, Tally()) for one in months))])
    whole = [total(cells) for cells in (figures.month, figures.before, figures.year_ago)]
    rows.append(["合计", *_numbers(figures.total), *_compared(*whole)])
    return rows, (*_COUNTED, *_COMPARED)


def _numbers(tally: Tally) -> list[Any]:
    return [tally.lines, tally.households or None, tally.persons, tally.amount_fen]


def _compared(now: Tally, before: Tally, ago: Tally) -> list[Any]:
    """Persons and amount of the three months; blank where nothing is on record."""
    found: list[Any] = [now.persons, now.amount_fen]
    for then in (before, ago):
        found += [then.persons or None, then.amount_fen or None, change(now.amount_fen, then.amount_fen)]
    return found


def _by_source(bureau: str, figures: Figures) -> SheetSpec:
    rows: list[list[Any]] = [
        [
            figures.title(one.programme, one.category), one.share.level,
            "" if one.share.percent_text is None else one.share.percent_text + "%", one.amount_fen,
            "" if one.share.level == OPEN or one.share.confirmed else "请核对",
        ]
        for one in figures.sources
    ]  # fmt: skip
    rows += [["合计", level, "", fen, ""] for level, fen in figures.by_source().items()]
    rows.append(["合计", "", "", figures.total.amount_fen, capitals(figures.total.amount_fen)])
    columns = [
        ColumnSpec("救助项目（类别）", 36, wrap=True), ColumnSpec("资金来源", 12), ColumnSpec("分担比例", 12, align="right"), ColumnSpec("金额（元）", 18, "amount", shrink=True),
        ColumnSpec("说明", 44, wrap=True),
    ]  # fmt: skip
    note = f"分担比例是参数“资金分担_项目名_中央（省、市、县）”；没有写的列为“{OPEN}”，不推测。"
    return _sheet(bureau, figures, "按资金来源", columns, rows, (), notes=(note,))


def _by_both(bureau: str, figures: Figures) -> SheetSpec:
    rows: list[list[Any]] = []

    def key(cell: Cell) -> tuple[str, str]:
        return figures.title(cell.programme, cell.category), cell.town or "未注明乡镇"

    by = tallied(figures.cells, key)
    parts = tallied(figures.cells, lambda cell: key(cell)[0])
    for title, whole in parts.items():
        rows += [[title, town, *_numbers(tally)] for (name, town), tally in by.items() if name == title]
        rows.append([title, "小计", *_numbers(whole)])
    rows.append(["合计", "", *_numbers(figures.total)])
    columns = [ColumnSpec("救助项目（类别）", 40, wrap=True), ColumnSpec("乡镇（街道）", 30, wrap=True)]
    return _sheet(bureau, figures, "项目和乡镇", columns, rows, _COUNTED)


def _sheet(
    bureau: str,
    figures: Figures,
    name: str,
    first: list[ColumnSpec],
    rows: list[list[Any]],
    more: tuple[ColumnSpec, ...],
    *,
    notes: tuple[str, ...] = (),
) -> SheetSpec:
    batch = figures.batch
    sums = {"合计", "小计"}
    return SheetSpec(
        name=name,
        columns=[*first, *more],
        rows=rows,
        title=f"{batch['month']} 社会救助资金发放汇总表（{name}）",
        notes=[
            f"单位：{bureau}　　第 {batch['payment_id']} 批（本月第 {batch['sequence']} 次）　　控制摘要：{batch['control_sha256'][:16]}",
            *notes,
        ],
        footnotes=[
            "合计按项目相加，一人享受几个项目的分别计。本月、上月、去年同月：同一笔应发款只在第一次制单的月份计一次，退回重发的不重复计；“—”是没有可比的。",
            "制表：　　　　　　　　复核：　　　　　　　　负责人：　　　　　　　　日期：",
        ],
        fills={
            (number, index): "grey"
            for number, row in enumerate(rows)
            if sums & {str(cell) for cell in row[: len(first) + 1]}
            for index in range(len(row))
        },
        autofilter=False,
        row_height=20,
        paper="A4",
        font_size=10,
    )
