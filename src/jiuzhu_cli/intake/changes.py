"""What a roll changes against the one before it, as people read it: the sheets 与上月比 and 与原表比, the lines on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.mask import mask_id, mask_name
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.intake.compare import KINDS, Comparison
from jiuzhu_cli.intake.watch import SHEETS
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.ours import FRONTS
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec

if TYPE_CHECKING:
    from jiuzhu_cli.intake.save import ListOfFile

_COLUMNS: tuple[ColumnSpec, ...] = (
    ColumnSpec("名册", 24, wrap=True), ColumnSpec("变化", 18), ColumnSpec("姓名", 12), ColumnSpec("身份证号", 22),
    ColumnSpec("村（社区）", 14), ColumnSpec("原来", 30), ColumnSpec("现在", 30), ColumnSpec("工作表", 16), ColumnSpec("行", 8, "count"),
)  # fmt: skip
_FILLS = {KINDS[0]: "red", "账号换了": "yellow", "账号没有了": "yellow"}
MOST_LINES = 100_000  # a sheet holds a million rows, a reader far fewer


def change_sheets(lists: Sequence[ListOfFile], policy: Policy) -> list[SheetSpec]:
    """One sheet for what differs from last month, one for what differs from rolls replaced; none where nothing differs."""
    out = []
    for which, name in SHEETS.items():
        chosen = [(one, one.compared[which]) for one in lists if which in one.compared and one.compared[which].lines]
        if not chosen:
            continue
        rows: list[list[Any]] = []
        fills: dict[tuple[int, int], str] = {}
        notes = []
        for one, found in chosen:
            called = _called(one, policy)
            notes.append(f"{called}：{totals(found, which)}")
            for line in found.lines[: MOST_LINES - len(rows)]:
                if line.kind in _FILLS:
                    fills |= {(len(rows), place): _FILLS[line.kind] for place in (1, 5, 6)}
                sheet = one.tables[line.table_no - 1].table.sheet if line.row else ""
                rows.append([called, line.kind, line.name, line.id_no, line.village, line.before, line.after, sheet, line.row or None])  # fmt: skip
        if sum(len(found.lines) for _, found in chosen) > len(rows):
            notes.append(f"变化太多，只列前 {MOST_LINES} 条。")
        columns = _COLUMNS
        if len(chosen) == 1:
            columns, rows = _COLUMNS[1:], [row[1:] for row in rows]
            fills = {(row, place - 1): fill for (row, place), fill in fills.items()}
        out.append(SheetSpec(name, columns, rows, title=FRONTS[name], notes=notes, fills=fills))
    return out


def _called(one: ListOfFile, policy: Policy) -> str:
    item = policy.programmes.get(one.programme)
    return "".join((one.area.replace("/", "") or "全区", one.category, item.name if item else "", one.month))


def totals(found: Comparison, which: str = "month") -> str:
    """What differs in one sentence."""
    before = f"{found.month} 的名册" if which == "month" else "更正前"
    counted = [
        (found.count("新增"), "新增 {} 人"), (found.count("撤下"), "撤下 {} 人"), (found.waiting, "{} 人在退回的行里"),
        (found.count("金额变了"), "{} 户金额变了"), (len(found.accounts), "{} 户账号变了"), (found.count(KINDS[0]), "其中 {} 户连户名也换了"),
        (found.count("家庭人口变了"), "{} 户人口变了"),
    ]  # fmt: skip
    said = "，".join(text.format(count) for count, text in counted if count) or "没有变化"
    return (
        f"{before} {found.persons_before} 人、{yuan(found.amount_fen_before, grouped=True)} 元，"
        f"这次 {found.taken} 人、{yuan(found.amount_fen_after, grouped=True)} 元：{said}"
    )


def screen_lines(found: Comparison, *, most: int = 10) -> list[str]:
    """The totals, and each account that is another (masked), the gravest first."""
    lines = [f"  与上月比　{totals(found)}"] if found.lines else [f"  与上月比　与 {found.month} 没有变化"]
    for line in found.accounts[:most]:
        place = f"第 {line.row} 行" if line.row else ""
        lines.append(
            f"    {line.kind}　{mask_name(line.name)} {mask_id(line.id_no)}　{line.before or '空白'} → {line.after or '空白'}　{place}"
        )
    if len(found.accounts) > most:
        lines.append(f"    …… 还有 {len(found.accounts) - most} 户换了账号，见核对结果的“{SHEETS['month']}”表")
    return lines


__all__ = ["change_sheets", "screen_lines", "totals"]
