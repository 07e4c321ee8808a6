"""The forms that go out with the visitor: the workbook that comes back by import, and a page a household to take along.

What is known is filled in beforehand, and no more than the visitor needs: no account, no amount, no illness; on paper the ID is masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.mask import mask_id
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.review.visits import REGISTER
from jiuzhu_cli.tabular.cards import Box, Card, Line, write_cards
from jiuzhu_cli.tabular.ours import AREA_MARK, MARK, MONTH_MARK
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.review.due import DueCase

FOUND = ("无变化", "收入变化", "财产变化", "家庭人口变化", "已就业", "已去世", "已搬离", "无人在家", "拒绝入户")
CERTIFY = ("已认证", "未认证")
SIGNED = ("已签字", "未签字")
_COLUMNS = (
    ColumnSpec("序号", 6, "count"), ColumnSpec("村（社区）", 12), ColumnSpec("救助项目", 14), ColumnSpec("姓名", 9, wrap=True), ColumnSpec("身份证号", 20),
    ColumnSpec("人数", 6, "count"), ColumnSpec("核查类别", 9), ColumnSpec("事项", 11, wrap=True), ColumnSpec("上次复核/起始", 13), ColumnSpec("到期月份", 9),
    ColumnSpec("逾期", 13, wrap=True), ColumnSpec("住址", 24, wrap=True), ColumnSpec("电话", 13),
    ColumnSpec("入户日期", 12), ColumnSpec("入户人员", 12), ColumnSpec("发现情况", 13, choices=FOUND), ColumnSpec("现家庭月收入（元）", 12, "amount"),
    ColumnSpec("现家庭人口", 8, "count"), ColumnSpec("生存认证", 9, choices=CERTIFY), ColumnSpec("签字", 9, choices=SIGNED), ColumnSpec("情况说明", 26, wrap=True),
)  # fmt: skip
_FIRST_OPEN = 13  # from this column on it is filled in
NOTES = (
    "内部资料，不得外传。去过的户在黄格里填：入户日期、入户人员、发现情况；没有去的留空，下次再填。核查类别有调整的直接改。",
    "填好交回后运行 jiuzhu import 本文件：填了入户日期的算走访过，发现有变化的下次复核列为核查；不用改表头。",
)
_WIDTHS = (11, 19, 11, 15, 11, 21)


def write_visit_book(path: Path, month: str, towns: dict[str, Sequence[DueCase]], *, area: str = "") -> str:
    """The workbook to be filled in, a sheet a town; returns its SHA-256. It carries the mark by which import knows it again."""
    sheets = [_sheet(town, month, cases) for town, cases in sorted(towns.items())]
    marks = {MARK: f"register:{REGISTER}", MONTH_MARK: month} | ({AREA_MARK: area} if area else {})
    if not sheets:
        nothing = SheetSpec("说明", (ColumnSpec("说明", 40),), [("本月没有到期应复核、走访的户（人）。",)])
        return write_xlsx(path, [nothing], marks={"jiuzhu": "calendar", "month": month})
    return write_xlsx(path, sheets, marks=marks)


def _sheet(town: str, month: str, cases: Sequence[DueCase]) -> SheetSpec:
    rows = [
        (
            number, one.village, one.programme_name, one.name, one.id_no, one.persons, one.class_name, one.tasks, one.since_text, one.due_month,
            one.late_text, one.address, one.phone, "", "", "", None, None, "", "", "",
        )
        for number, one in enumerate(cases, 1)
    ]  # fmt: skip
    fills = {(row, column): "yellow" for row in range(len(rows)) for column in (13, 14, 15)}
    fills |= {(row, 18): "yellow" for row, one in enumerate(cases) if one.proof}
    return SheetSpec(
        town or "全区", _COLUMNS, rows, title=f"{month} {town} 应复核走访清单", notes=NOTES, fills=fills, freeze_columns=5, print_columns=len(_COLUMNS)
    )  # fmt: skip


def write_visit_cards(
    path: Path, month: str, bureau: str, cases: Sequence[DueCase], members: dict[int, list[dict[str, Any]]]
) -> str:
    """A page a household for one town, a sheet a village; ``members`` by case key: ``name, relation, age``."""
    villages: dict[str, list[Card]] = {}
    for number, one in enumerate(cases, 1):
        villages.setdefault(one.village or one.town or "全区", []).append(
            _card(one, number, len(cases), month, members.get(one.key, []))
        )
    names: set[str] = set()
    sheets = [(_sheet_name(village, names), cards) for village, cards in villages.items()]
    footer = f"&L{bureau.replace('&', '&&')}　内部资料，用后收回&R第 &P 页 共 &N 页"
    return write_cards(path, sheets, _WIDTHS, footer=footer, marks={"jiuzhu": "due_cards", "month": month})


def _sheet_name(village: str, taken: set[str]) -> str:
    """A name that a sheet may bear, not used before."""
    plain = "".join(" " if char in "[]:*?/\\'" else char for char in village)[:28].strip() or "村"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}{number}"
    taken.add(name)
    return name


def _card(one: DueCase, number: int, of: int, month: str, members: Sequence[dict[str, Any]]) -> Card:
    """One household's page: what is known, to be checked; what is found, to be written; who signs."""

    def pairs(*said: tuple[str, str, int]) -> Line:
        return Line(tuple(box for label, text, span in said for box in (Box(label, 1, "label"), Box(text, span))))

    lines = [
        Line((Box("入户核查走访表", 6, "title"),), 32),
        Line((Box(f"{one.town}　{one.village}　{month}　第 {number} 户 / 共 {of} 户", 6, "left"),), 20),
        Line((Box("一、已知情况（入户时核对，不符的在后面写明）", 6, "head"),)),
        pairs(("姓名", one.name, 1), ("身份证号", mask_id(one.id_no), 3)),
        pairs(
            ("救助项目", one.programme_name, 1), ("核查类别", one.class_name or "未分类", 1), ("本次事项", one.tasks, 1)
        ),
        pairs(("保障人数", f"{one.persons} 人", 1), ("上次复核", one.since_text, 1), ("登记收入", _income(one), 1)),
        pairs(("住址", one.address, 3), ("电话", one.phone, 1)),
    ]
    shown = [m for m in members if m["name"]][:8]
    if len(shown) > 1:
        lines.append(
            Line(
                (
                    Box("共同生活成员", 1, "label"),
                    Box("与户主关系", 1, "label"),
                    Box("年龄", 1, "label"),
                    Box("现在是否共同生活，有何变化", 3, "label"),
                )
            )
        )
        for member in shown:
            age = "" if member["age"] is None else f"{member['age']}"
            lines.append(
                Line((Box(member["name"]), Box(member["relation"] or ""), Box(age), Box("□ 是　　□ 否，", 3)), 20)
            )
        if len(members) > len(shown):
            lines.append(Line((Box(f"另有 {len(members) - len(shown)} 人，见花名册", 6, "note"),), 16))
    lines += [
        Line((Box("二、本次入户情况", 6, "head"),)),
        pairs(("入户日期", "　　　　年　　月　　日", 1), ("见到的人", "□ 本人　□ 家属　□ 无人在家　□ 拒绝", 3)),
        pairs(("家庭人口", "□ 无变化　□ 有变化，现　　　人：", 5)),
        pairs(("家庭收入", "□ 无变化　□ 有变化，现每月　　　　　元，来源：", 5)),
        pairs(("家庭财产", "□ 无变化　□ 有变化：", 5)),
        pairs(("就业", "□ 无　□ 已就业，单位或地点：", 5)),
    ]
    if one.proof:
        lines.append(pairs(("生存认证", "□ 见到本人，健在　　□ 未见到本人，原因：", 5)))
    lines += [
        Line((Box("其他情况", 1, "label"), Box("", 5)), 60, stretch=True),
        Line((Box("三、签字", 6, "head"),)),
        Line((Box("对象或家属", 1, "label"), Box("", 2), Box("入户人员（两人）", 1, "label"), Box("", 2)), 44),
        Line((Box("填好的内容登记到走访清单工作簿后，用 jiuzhu import 读入；本表由乡镇归档。", 6, "note"),), 18),
    ]
    return lines


def _income(one: DueCase) -> str:
    if one.income_fen is None:
        return "未载"
    return f"{'每年' if one.income_period == 'year' else '每月'} {yuan(one.income_fen)} 元"
