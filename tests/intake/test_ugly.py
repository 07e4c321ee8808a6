"""Township workbooks as they come: every row is read or refused, none is lost, and the money is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import name, record, run
from tests.support import make_id, make_workspace

Rows = Sequence[Sequence[Any]]


@dataclass
class Ugly:
    """One workbook: sheets of rows with merges; expected totals over its tables."""

    rows: Rows | dict[str, Rows]
    persons: int
    yuan: float
    file: str = "城关镇2026年10月高龄津贴.xlsx"
    merges: Sequence[str] = ()
    area: str = "城关镇"
    month: str = "2026-10"
    refused: int = 0
    programme: str = "old_age_allowance"
    tables: int = 1
    stated: float | None = None
    villages: set[str] = field(default_factory=set)


H = ["序号", "姓名", "身份证号", "发放金额", "银行账号"]


def person(n: int, amount: Any = 100, serial: Any = None) -> list[Any]:
    return [n if serial is None else serial, name(n), make_id(n), amount, f"42100100{n:06d}"]


def people(*numbers: int, amount: Any = 100) -> list[list[Any]]:
    return [person(n, amount) for n in numbers]


def wide(*cells: Any, width: int = 5) -> list[Any]:
    return [*cells, *[None] * (width - len(cells))]


ID = [make_id(n) for n in range(60)]
T = "城关镇2026年10月高龄津贴发放表"

CASES: dict[str, Ugly] = {
    "month only in the sheet's name": Ugly({"10月份": [H, *people(1, 2, 3)]}, 3, 300, file="2026年城关镇高龄津贴.xlsx"),
    "month alone in a line": Ugly([["城关镇高龄津贴花名册"], ["2026年10月"], H, *people(1, 2)], 2, 200, file="a.xlsx"),
    "month in Chinese digits": Ugly(
        [["城关镇二〇二六年十月份高龄津贴发放表"], H, *people(1, 2)], 2, 200, file="a.xlsx"
    ),
    "month and unit at the right edge": Ugly(
        [wide("城关镇高龄津贴发放表"), wide("单位：元", None, None, "2026.10"), H, *people(1, 2)], 2, 200, file="a.xlsx"
    ),
    "blank columns between": Ugly(
        [
            ["序号", None, "姓名", None, None, "身份证号", None, "发放金额", None, "银行账号"],
            *([n, None, name(n), None, None, ID[n], None, 100, None, f"42100100{n:06d}"] for n in (1, 2, 3)),
        ],
        3,
        300,
    ),
    "blank rows between": Ugly([[T], [], H, [], person(1), [], [], person(2), [], person(3)], 3, 300),
    "notes between rows": Ugly(
        [H, person(1), ["说明：以下人员为本月新增"], person(2), ["注：下列人员账号有变"], person(3), ["备注：完"]],
        3,
        300,
    ),
    "serial numbers as text, numbers as text": Ugly(
        [H, *([str(n), name(n), ID[n], " 100.00 ", f" 42100100{n:06d} "] for n in (1, 2))], 2, 200
    ),
    "headers with blanks and line breaks": Ugly(
        [["序 号", "姓　名 ", " 身份证\n号 码", "发放\n金额\n（元）", "银行账号\n（一卡通）"], *people(1, 2)], 2, 200
    ),
    "headers in full-width and colons": Ugly(
        [["序号：", "姓名：", "身份证号：", "发放金额（元）：", "银行账号："], *people(1, 2)], 2, 200
    ),
    "headers with stars": Ugly([["*序号", "*姓名", "*身份证号", "*发放金额", "*银行账号"], *people(1, 2)], 2, 200),
    "headers with numbers before": Ugly(
        [["1.序号", "2.姓名", "3.身份证号", "4.发放金额", "5.银行账号"], *people(1, 2)], 2, 200
    ),
    "total under the header": Ugly([H, ["合计", None, None, 300, None], *people(1, 2, 3)], 3, 300, stated=300),
    "total above the header": Ugly([[T], ["合计：3人 300元"], H, *people(1, 2, 3)], 3, 300),
    "total in words": Ugly([H, *people(1, 2, 3), ["合计（大写）：叁佰元整"]], 3, 300, stated=300),
    "total in two rows": Ugly(
        [H, *people(1, 2, 3), ["合计", None, "3人", 300, None], ["大写", "叁佰元整", None, None, None]],
        3,
        300,
        stated=300,
    ),
    "sub-totals without a word": Ugly(
        [H, *people(1, 2), [None, None, None, 200, None], *people(3), [None, None, None, 100, None]], 3, 300
    ),
    "sub-totals with a count, no word": Ugly([H, *people(1, 2), [None, "2人", None, 200, None], *people(3)], 3, 300),
    "total without a word at the end": Ugly([H, *people(1, 2, 3), [None, None, None, 300, None]], 3, 300),
    "sub-total named by the village": Ugly(
        [
            ["村", *H[1:]],
            *(["东风村", *p[1:]] for p in people(1, 2)),
            ["东风村 小计", None, None, 200, None],
            *(["前进村", *p[1:]] for p in people(3)),
            ["前进村 小计", None, None, 100, None],
            ["总 计", None, None, 300, None],
        ],
        3,
        300,
        stated=300,
        villages={"东风村", "前进村"},
    ),
    "village merged down": Ugly(
        [
            ["村", *H[1:]],
            ["东风村", *person(1)[1:]],
            [None, *person(2)[1:]],
            ["前进村", *person(3)[1:]],
            [None, *person(4)[1:]],
        ],
        4,
        400,
        merges=["A2:A3", "A4:A5"],
        villages={"东风村", "前进村"},
    ),
    "village headings": Ugly(
        [H, ["东风村"], *people(1, 2), ["前进村（2人）"], *people(3, 4)], 4, 400, villages={"东风村", "前进村"}
    ),
    "two lists side by side": Ugly([[*H, *H], [*person(1), *person(3)], [*person(2), *person(4)]], 4, 400, tables=2),
    "two lists side by side, blank column between, uneven": Ugly(
        [[T], [*H, None, *H], [*person(1), None, *person(4)], [*person(2), None, *person(5)], person(3)],
        5,
        500,
        tables=2,
    ),
    "two tables one under the other": Ugly(
        [
            ["城关镇东风村2026年10月高龄津贴"],
            H,
            *people(1, 2),
            ["合计", None, None, 200],
            [],
            ["城关镇前进村2026年10月高龄津贴"],
            H,
            *people(3),
            ["合计", None, None, 100],
        ],
        3,
        300,
        tables=2,
    ),
    "header again on every page": Ugly(
        [[T], H, *people(1, 2), ["第1页 共2页"], [T], H, *people(3, 4), ["第2页 共2页"]], 4, 400
    ),
    "three header rows": Ugly(
        [
            [T],
            ["基本情况", None, None, "发放情况", None],
            ["人员", None, None, "本月", "账户"],
            ["序号", "姓名", "身份证号", "发放金额", "账号"],
            *people(1, 2, 3),
        ],
        3,
        300,
        merges=["A2:C2", "D2:E2", "A3:C3"],
    ),
    "header two rows tall, merged": Ugly(
        [["序号", "姓名", "身份证号", "补贴", None], [None, None, None, "金额（元）", "账号"], *people(1, 2)],
        2,
        200,
        merges=["A1:A2", "B1:B2", "C1:C2", "D1:E1"],
    ),
    "columns numbered below the header": Ugly([H, ["①", "②", "③", "④", "⑤"], *people(1, 2)], 2, 200),
    "English letters": Ugly([["No", "name", "ID card", "发放金额", "账号"], *people(1, 2, 3)], 3, 300),
    "header in letters only, amount named": Ugly([["xh", "xm", "sfzh", "发放金额", "yhzh"], *people(1, 2, 3)], 3, 300),
    "title in a merged block of rows": Ugly(
        [wide("城关镇2026年10月\n高龄津贴发放表"), wide(), wide(), H, *people(1, 2)],
        2,
        200,
        merges=["A1:E3"],
        file="1.xlsx",
    ),
    "title split over cells": Ugly(
        [["城关镇", "2026年", "10月", "高龄津贴", "发放表"], H, *people(1, 2)], 2, 200, file="1.xlsx"
    ),
    "who made it, signatures": Ugly(
        [
            [T],
            ["填报单位：城关镇人民政府", None, None, "填报日期：2026年11月3日"],
            H,
            *people(1, 2),
            ["单位负责人：", None, "经办人：李某", None, "联系电话：13800000000"],
            ["（盖章）"],
        ],
        2,
        200,
    ),
    "prefilled serial numbers": Ugly([H, *people(1, 2), [3], [4], [5]], 2, 200),
    "prefilled formulas of nought": Ugly(
        [H, *people(1, 2), [3, None, None, 0, None], [4, None, None, 0, None]], 2, 200
    ),
    "amounts with signs and units": Ugly([H, person(1, "¥100.00"), person(2, "100元"), person(3, "1,100.00")], 3, 1300),
    "unit of ten thousand in the header": Ugly(
        [["序号", "姓名", "身份证号", "发放金额（万元）", "银行账号"], *people(1, 2, amount=0.01)], 2, 200
    ),
    "IDs with blanks, quotes and small x": Ugly(
        [
            H,
            [1, name(1), f"'{ID[1]}", 100, "421001000001"],
            [2, name(2), f" {ID[2][:6]} {ID[2][6:14]} {ID[2][14:]} ", 100, "421001000002"],
        ],
        2,
        200,
    ),
    "names with blanks inside": Ugly(
        [H, [1, "王 芳", ID[1], 100, "421001000001"], [2, "李　静", ID[2], 100, "421001000002"]], 2, 200
    ),
    "one damaged row among good ones": Ugly(
        [H, *people(1, 2), [3, name(3), ID[3][:-1], 100, "421001000003"]], 3, 200, refused=1
    ),
    "row without ID": Ugly([H, *people(1, 2), [3, name(3), None, 100, "421001000003"]], 3, 200, refused=1),
    "row without name": Ugly([H, *people(1, 2), [3, None, ID[3], 100, "421001000003"]], 3, 200, refused=1),
    "rows struck out by 空白 words": Ugly([H, *people(1, 2), ["以下空白"], []], 2, 200),
    "remark column full of text": Ugly(
        [[*H, "备注"], [*person(1), "10月新增，原在前进村小计栏"], [*person(2), "合计两人"], [*person(3), None]], 3, 300
    ),
    "household and person in one name column": Ugly(
        [
            ["户主（姓名）", "身份证号码（18位）", "金额", "卡号"],
            *([name(n), ID[n], 100, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "guardian beside the person": Ugly(
        [
            [*H, "监护人姓名", "监护人身份证号", "监护人电话"],
            *([*person(n), name(n + 20), ID[n + 20], "13800000000"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "payee beside the person": Ugly(
        [
            [*H[:4], "领款人", "领款人身份证号", "领款人账号"],
            *([*person(n)[:4], name(n + 20), ID[n + 20], "421001000099"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "year to date beside the month": Ugly(
        [
            ["序号", "姓名", "身份证号", "本月发放金额", "累计发放金额", "银行账号"],
            *([n, name(n), ID[n], 100, 1000, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "standard, months, amount": Ugly(
        [
            ["姓名", "身份证号", "补贴标准（元/月）", "发放月数", "发放金额", "账号"],
            *([name(n), ID[n], 50, 2, 100, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "sheets by village beside an empty and a summary sheet": Ugly(
        {
            "东风村": [[T], H, *people(1, 2)],
            "前进村": [[T], H, *people(3)],
            "汇总": [["村", "人数", "金额"], ["东风村", 2, 200], ["前进村", 1, 100]],
            "Sheet3": [],
        },
        3,
        300,
        tables=2,
    ),
    "sheets by town": Ugly(
        {"城关镇": [["2026年10月高龄津贴"], H, *people(1, 2)], "青溪镇": [["2026年10月高龄津贴"], H, *people(3)]},
        3,
        300,
        file="民政局高龄津贴.xlsx",
        tables=2,
        area="城关镇 青溪镇",
    ),
    "the list goes on on a second sheet without a title": Ugly(
        {"Sheet1": [[T], H, *people(1, 2)], "Sheet2": [H, *people(3)]}, 3, 300, tables=2, file="1.xlsx"
    ),
    "first rows are the reader's instructions": Ugly(
        [["填表说明："], ["1、姓名、身份证号须与户口簿一致；"], ["2、金额为每月发放金额。"], [T], H, *people(1, 2)],
        2,
        200,
    ),
    "age and birth between": Ugly(
        [
            ["姓名", "性别", "出生年月", "年龄", "身份证号", "发放金额", "账号"],
            *([name(n), "男", "1970.01", 56, ID[n], 100, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "no serial, names first, village in brackets": Ugly(
        [
            ["姓名", "所在村（社区）", "身份证号", "金额(元)", "一卡通账号"],
            *([name(n), "东风村", ID[n], 100, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
        villages={"东风村"},
    ),
    "care with parts, own programme in brackets": Ugly(
        [
            ["城关镇特困人员（分散供养）10月份发放明细"],
            ["姓名", "身份证号", "基本生活费", "照料护理费", "小计", "备注", "账号"],
            *([name(n), ID[n], 900, 190, 1090, None, f"42100100{n:06d}"] for n in (1, 2)),
            ["合计", None, 1800, 380, 2180],
        ],
        2,
        2180,
        file="2026年特困.xlsx",
        programme="extreme_poverty_support",
        stated=2180,
    ),
    "total counted in words below": Ugly(
        [[T], H, *people(1, 2, 3), ["共计3人，300元，大写：叁佰元整"]], 3, 300, stated=300
    ),
    "village list named by its title": Ugly(
        [["城关镇东风村2026年10月高龄津贴"], H, *people(1, 2)],
        2,
        200,
        file="1.xlsx",
        area="城关镇/东风村",
        villages={"东风村"},
    ),
    "two programmes' sheets in one workbook, one left out": Ugly(
        {"高龄津贴": [H, *people(1, 2)], "停发人员": [["姓名", "身份证号", "停发原因"], [name(3), ID[3], "死亡"]]},
        2,
        200,
        file="城关镇2026年10月.xlsx",
    ),
    "IDs under two heads, agent last": Ugly(
        [
            ["老人信息", None, "经办人信息", None, None, None],
            ["姓名", "身份证号", "姓名", "身份证号", "发放金额", "账号"],
            *([name(n), ID[n], name(30), ID[30], 100, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
        merges=["A1:B1", "C1:D1"],
    ),
    "amount zero for those stopped": Ugly([H, *people(1, 2), person(3, 0)], 3, 200),
    "header repeated with a space more": Ugly(
        [H, *people(1, 2), ["序 号", "姓 名", "身份证号", "发放金额", "银行账号"], *people(3)], 3, 300
    ),
    "titles in the first and the last column": Ugly(
        [["城关镇", None, None, None, "2026年10月"], [None, "高龄津贴发放花名册"], H, *people(1, 2)],
        2,
        200,
        file="1.xlsx",
    ),
    "month as a date cell above": Ugly(
        [["城关镇高龄津贴发放表"], ["发放月份", None, None, "2026年10月"], H, *people(1, 2)], 2, 200, file="1.xlsx"
    ),
    "a month a row": Ugly(
        [["所属月份", *H[1:]], *(["2026年10月", *person(n)[1:]] for n in (1, 2))], 2, 200, file="城关镇高龄津贴.xlsx"
    ),
    "sums per row beside": Ugly(
        [
            ["姓名", "身份证号", "高龄津贴", "服务补贴", "合计", "账号"],
            *([name(n), ID[n], 100, 0, 100, f"42100100{n:06d}"] for n in (1, 2)),
        ],
        2,
        200,
    ),
    "one person only": Ugly([[T], H, *people(1)], 1, 100),
    "one person and a total": Ugly([[T], H, *people(1), ["合计", None, None, 100]], 1, 100, stated=100),
    "village with a digit and group headings": Ugly(
        [H, ["一、东风村民委员会（2人，200元）"], *people(1, 2), ["二、前进社区（1人）"], *people(3)],
        3,
        300,
        villages={"东风村", "前进社区"},
    ),
    "total in the name column": Ugly([H, *people(1, 2), [None, "合 计", None, 200, None]], 2, 200, stated=200),
    "total in the last column's remark": Ugly(
        [[*H, "备注"], *people(1, 2), [None, None, None, 200, None, "合计"]], 2, 200, stated=200
    ),
    "average and highest below": Ugly(
        [H, *people(1, 2), ["合计", None, None, 200], ["平均", None, None, 100]], 2, 200, stated=200
    ),
}


def write(path: Path, case: Ugly) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    sheets = case.rows if isinstance(case.rows, dict) else {"Sheet1": case.rows}
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for merge in case.merges:
            sheet.merge_cells(merge)
    book.save(path)
    return path


def write_xls(path: Path, case: Ugly) -> Path:
    import xlwt
    from openpyxl.utils import range_boundaries

    book = xlwt.Workbook()
    sheets = case.rows if isinstance(case.rows, dict) else {"Sheet1": case.rows}
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(at, column, value)
        for merge in case.merges:
            left, top, right, bottom = range_boundaries(merge)
            value = rows[top - 1][left - 1] if len(rows[top - 1]) >= left else ""
            sheet._cell_overwrite_ok = True
            sheet.write_merge(top - 1, bottom - 1, left - 1, right - 1, value if value is not None else "")
    path = path.with_suffix(".xls")
    book.save(str(path))
    return path


def write_csv(path: Path, case: Ugly) -> Path | None:
    import csv

    if isinstance(case.rows, dict) or case.merges:
        return None
    path = path.with_suffix(".csv")
    with path.open("w", encoding="gb18030", newline="") as stream:
        csv.writer(stream).writerows(
            [[f"{v}\t" if isinstance(v, str) and len(v) > 11 and v.isdigit() else v for v in row] for row in case.rows]
        )
    return path


@pytest.mark.parametrize("form", [write, write_xls, write_csv], ids=["xlsx", "xls", "csv"])
@pytest.mark.parametrize("title", CASES)
def test_ugly(tmp_path: Path, title: str, form: Callable[[Path, Ugly], Path | None]) -> None:
    case = CASES[title]
    path = form(tmp_path / case.file, case)
    if path is None:
        return
    workspace: Workspace = make_workspace(tmp_path / "ws")
    tables = [table for table in run(workspace, path).tables if table.status != "skipped"]
    told = [
        (
            t.status,
            t.note,
            t.programme,
            t.area,
            t.month,
            t.rows,
            t.refused,
            t.amount_fen,
            sorted(c.code for c in t.findings),
        )
        for t in tables
    ]
    assert len(tables) == case.tables, told
    assert {t.status for t in tables} == {"imported"}, told
    assert {t.programme for t in tables} == {case.programme}, told
    assert {t.area for t in tables} == set(case.area.split()), told
    assert {t.month for t in tables} == {case.month}, told
    assert sum(t.rows for t in tables) == case.persons, told
    assert sum(t.accepted + t.refused for t in tables) == case.persons, told
    assert sum(t.refused for t in tables) == case.refused, told
    assert sum(t.amount_fen for t in tables) == round(case.yuan * 100), told
    if case.stated is not None:
        assert tables[0].stated_total_fen == round(case.stated * 100), told
    assert len(record(workspace, "id_no")) == case.persons - case.refused
    if case.villages:
        assert {village for (village,) in record(workspace, "village")} == case.villages
