"""Households: who belongs together, members in cells and in columns, the household's money once."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus.book import HOMES, File, Page, account, case, name, one
from tests.support import make_id

T = "城关镇2026年10月农村低保花名册"
HOMES_OF = ((1, 2, 600), (3, 1, 350), (4, 3, 900), (7, 1, 280))  # first person, size, 元
KIN = ("户主", "配偶", "之子")


def household_rows(row: Callable[[int, int, int, int, int], list[object]]) -> list[list[object]]:
    """A row a person: ``row(household from 1, place in it, person, head, 元)``."""
    return [
        row(number, at, head + at, head, money)
        for number, (head, size, money) in enumerate(HOMES_OF, 1)
        for at in range(size)
    ]


def blocks(columns: str, first: int) -> list[str]:
    out, row = [], first
    for _, size, _ in HOMES_OF:
        if size > 1:
            out += [f"{column}{row}:{column}{row + size - 1}" for column in columns]
        row += size
    return out


def once(at: int, value: object) -> object:
    return value if at == 0 else None


@case()
def household_cells_merged() -> File:
    rows = household_rows(
        lambda no, at, who, head, money: [
            once(at, no),
            once(at, name(head)),
            name(who),
            make_id(who),
            KIN[at],
            once(at, money),
            once(at, account(head)),
        ]
    )
    head = ["序号", "户主姓名", "姓名", "身份证号", "与户主关系", "户月保障金额", "银行账号"]
    return one([T], head, *rows, ["合计", None, None, None, None, 2130], merges=blocks("ABFG", 3), file=HOMES)


@case()
def household_cells_blank() -> File:
    rows = household_rows(
        lambda no, at, who, head, money: [
            once(at, no),
            name(who),
            make_id(who),
            KIN[at],
            once(at, money),
            once(at, account(head)),
        ]
    )
    return one([T], ["户号", "姓名", "身份证号", "与户主关系", "发放金额", "银行账号"], *rows, file=HOMES)


@case()
def household_total_repeated_on_every_row() -> File:
    """The header says 户: the household's figure, however often it is printed."""
    rows = household_rows(
        lambda no, at, who, head, money: [name(head), make_id(head), name(who), make_id(who), KIN[at], money]
    )
    head = ["户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "户月保障金额（元）"]
    return one([T], head, *rows, ["合计", None, None, None, None, 2130], file=HOMES)


@case()
def each_persons_amount_proved_by_the_total() -> File:
    rows = household_rows(
        lambda no, at, who, head, money: [
            make_id(head),
            name(who),
            make_id(who),
            KIN[at],
            money / (2 if head == 1 else 1),
        ]
    )
    head = ["户主身份证号", "姓名", "身份证号", "与户主关系", "金额"]
    return one([T], head, *rows, ["合计", None, None, None, 600 + 350 + 2700 + 280], file=HOMES)


@case()
def repeated_amount_of_unknown_level_is_asked() -> File:
    rows = household_rows(lambda no, at, who, head, money: [make_id(head), name(who), make_id(who), KIN[at], money])
    return one([T], ["户主身份证号", "姓名", "身份证号", "与户主关系", "金额"], *rows, file=HOMES)


@case(level="household")
def repeated_amount_level_given() -> File:
    rows = household_rows(lambda no, at, who, head, money: [make_id(head), name(who), make_id(who), KIN[at], money])
    return one([T], ["户主身份证号", "姓名", "身份证号", "与户主关系", "金额"], *rows, file=HOMES)


def in_cells(names: Callable[[list[int]], str], ids: Callable[[list[int]], str]) -> list[list[object]]:
    """A row a household: head, its ID, the members' names and IDs in one cell each, the money."""
    rows = []
    for number, (head, size, money) in enumerate(HOMES_OF, 1):
        others = list(range(head + 1, head + size))
        cells = [number, name(head), make_id(head), names(others), ids(others), size, money, account(head)]
        rows.append([cell if cell != "" else None for cell in cells])
    return rows


CELLS = ["序号", "户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "保障人数", "月保障金额", "银行账号"]


@case()
def members_in_cells_by_enumeration_comma() -> File:
    rows = in_cells(lambda who: "、".join(map(name, who)), lambda who: "、".join(map(make_id, who)))
    return one([T], CELLS, *rows, file=HOMES)


@case()
def members_in_cells_by_line_breaks() -> File:
    rows = in_cells(lambda who: "\n".join(map(name, who)), lambda who: "\n".join(map(make_id, who)))
    return one([T], CELLS, *rows, file=HOMES)


@case()
def members_in_cells_by_mixed_signs() -> File:
    signs = ["，", ";", "；", "/", ",", " "]
    rows = in_cells(lambda who: signs[len(who)].join(map(name, who)), lambda who: signs[-1].join(map(make_id, who)))
    return one([T], CELLS, *rows, file=HOMES)


@case()
def members_in_cells_kinship_in_brackets() -> File:
    rows = in_cells(
        lambda who: "、".join(f"{name(n)}（{'妻' if at == 0 else '子'}）" for at, n in enumerate(who)),
        lambda who: ",".join(map(make_id, who)),
    )
    return one([T], CELLS, *rows, file=HOMES)


@case()
def members_with_ids_in_the_same_cell() -> File:
    """家庭成员: 张三420…，李四420… in one cell."""
    rows = []
    for number, (head, size, money) in enumerate(HOMES_OF, 1):
        members = "，".join(f"{name(n)}{make_id(n)}" for n in range(head + 1, head + size))
        rows.append([number, name(head), make_id(head), members or None, size, money])
    head = ["序号", "户主姓名", "身份证号", "家庭成员姓名及身份证号", "保障人数", "月保障金额"]
    return one([T], head, *rows, file=HOMES)


@case()
def members_with_ids_in_brackets() -> File:
    rows = []
    for number, (head, size, money) in enumerate(HOMES_OF, 1):
        members = "、".join(f"{name(n)}（{make_id(n)}）" for n in range(head + 1, head + size))
        rows.append([number, name(head), make_id(head), members or None, size, money])
    return one([T], ["序号", "户主姓名", "身份证号", "家庭成员", "保障人数", "月保障金额"], *rows, file=HOMES)


@case()
def everybody_with_ids_in_one_cell() -> File:
    """No column for the head: the first of the cell is."""
    rows = []
    for number, (head, size, money) in enumerate(HOMES_OF, 1):
        everybody = "\n".join(f"{name(n)} {make_id(n)}" for n in range(head, head + size))
        rows.append([number, everybody, size, money])
    return one([T], ["序号", "家庭成员及身份证号", "保障人数", "月保障金额"], *rows, file=HOMES)


@case()
def members_under_a_vague_word() -> File:
    """其他人员 beside the head's own ID: its cells name members, never the row's person."""
    rows = []
    for number, (head, size, money) in enumerate(HOMES_OF, 1):
        members = "，".join(f"{name(n)}{make_id(n)}" for n in range(head + 1, head + min(size, 2)))
        rows.append([number, name(head), make_id(head), members or None, money])
    return one([T], ["序号", "户主姓名", "身份证号", "其他人员", "保障金额"], *rows, file=HOMES)


@case()
def guardians_name_and_id_in_one_cell() -> File:
    """Somebody else's: it leaves the row's person alone."""
    rows = [[n, name(n), make_id(n), f"{name(n + 20)} {make_id(n + 20)}", 600] for n in (1, 3)]
    return one([T], ["序号", "户主姓名", "身份证号", "监护人姓名及身份证号", "保障金额"], *rows, file=HOMES)


@case()
def members_beside_the_head_without_numbers() -> File:
    """One member each, and nothing says how many persons: the head stays the household's head."""
    rows = [[1, name(1), make_id(1), name(2), make_id(2), 600], [2, name(3), make_id(3), None, None, 350]]
    head = ["序号", "户主姓名", "身份证号", "成员姓名", "成员身份证号", "保障金额"]
    return one([T], head, *rows, file=HOMES)


@case()
def members_by_name_only() -> File:
    """Without an ID nobody can be recorded: said, for the clerk thinks them imported."""
    rows = [[1, name(1), make_id(1), name(2), 600], [2, name(3), make_id(3), f"{name(4)}、{name(5)}", 350]]
    return one([T], ["序号", "户主姓名", "户主身份证号", "家庭成员姓名", "保障金额"], *rows, file=HOMES)


@case()
def one_member_of_a_cell_damaged() -> File:
    """The household stays: its money goes to the head; the member is left out and told."""
    rows = in_cells(
        lambda who: "、".join(map(name, who)),
        lambda who: "、".join("4210021970010100" if n == 6 else make_id(n) for n in who),
    )
    return one([T], CELLS, *rows, file=HOMES)


@case()
def members_in_numbered_columns() -> File:
    rows = []
    for head, size, money in HOMES_OF:
        cells: list[object] = [name(head), make_id(head), money]
        for at in (1, 2):
            who = head + at
            cells += [name(who), make_id(who), KIN[at]] if at < size else [None, None, None]
        rows.append(cells)
    head = ["户主姓名", "户主身份证号", "月保障金额"]
    head += [f"成员{n}{word}" for n in (1, 2) for word in ("姓名", "身份证号", "与户主关系")]
    return one([T], head, *rows, file=HOMES)


@case()
def members_in_repeated_columns_under_a_band() -> File:
    rows = []
    for head, size, money in HOMES_OF:
        cells: list[object] = [name(head), make_id(head), money]
        for at in (1, 2):
            cells += [name(head + at), make_id(head + at)] if at < size else [None, None]
        rows.append(cells)
    return one(
        [T],
        ["户主姓名", "户主身份证号", "月保障金额", "家庭成员", None, None, None],
        [None, None, None, "姓名", "身份证号", "姓名", "身份证号"],
        *rows,
        merges=["A2:A3", "B2:B3", "C2:C3", "D2:G2"],
        file=HOMES,
    )


@case()
def head_damaged_refuses_the_household() -> File:
    def row(no: int, at: int, who: int, head: int, money: int) -> list[object]:
        id_no = make_id(4)[:-1] + ("1" if make_id(4)[-1] != "1" else "2") if who == 4 else make_id(who)
        return [once(at, no), name(who), id_no, KIN[at], once(at, money)]

    return one([T], ["户号", "姓名", "身份证号", "与户主关系", "发放金额"], *household_rows(row), file=HOMES)


@case()
def member_damaged_leaves_the_household() -> File:
    rows = household_rows(
        lambda no, at, who, head, money: [
            once(at, no),
            name(who),
            make_id(who)[:17] if who == 2 else make_id(who),
            KIN[at],
            once(at, money),
        ]
    )
    return one([T], ["户号", "姓名", "身份证号", "与户主关系", "发放金额"], *rows, file=HOMES)


@case()
def heads_alone_with_the_number_of_persons() -> File:
    rows = [[n, name(head), make_id(head), size, money] for n, (head, size, money) in enumerate(HOMES_OF, 1)]
    return one([T], ["序号", "户主姓名", "身份证号码", "保障人口", "保障金额（元）"], *rows, file=HOMES)


@case()
def ditto_marks_for_the_household() -> File:
    """〃 and 同上 under the head's name, ID, village and account: as above."""
    rows = household_rows(
        lambda no, at, who, head, money: [
            "〃" if at else "东风村",
            "〃" if at else name(head),
            "同上" if at else make_id(head),
            name(who),
            make_id(who),
            KIN[at],
            once(at, money),
            "″" if at else account(head),
        ]
    )
    head = ["村", "户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "户月保障金额", "银行账号"]
    return one([T], head, *rows, file=HOMES)


@case()
def sub_total_cuts_through_a_household() -> File:
    """A page ends inside a household: 本页小计 stands between its head and its member."""
    rows = household_rows(
        lambda no, at, who, head, money: [once(at, no), name(who), make_id(who), KIN[at], once(at, money)]
    )
    head = ["户号", "姓名", "身份证号", "与户主关系", "发放金额"]
    page = ["本页小计", None, None, None, 1850]
    return one([T], head, *rows[:4], page, head, *rows[4:], ["合计", None, None, None, 2130], file=HOMES)


# ---- the provincial system's two exports ------------------------------------------------------------------------------


def persons_export(*, money: bool) -> File:
    rows = household_rows(
        lambda no, at, who, head, fee: [
            "城关镇",
            "东风村",
            name(who),
            make_id(who),
            KIN[at],
            name(head),
            make_id(head),
            *([fee] if money else []),
        ]
    )
    head = ["所属街", "所属社", "姓名", "身份证号", "与户主关系", "户主姓名", "户主身份证号"]
    head += ["户月保障金额（元）"] if money else []
    return File("2026年10月农村低保人员查询_20261009.xlsx", [Page([head, *rows])])


def households_export(*, money: bool) -> File:
    rows = []
    for head, size, fee in HOMES_OF:
        members = range(head, head + size)
        cells = [
            "城关镇",
            "东风村",
            name(head),
            make_id(head),
            ",".join(map(name, members)),
            ",".join(map(make_id, members)),
        ]
        rows.append([*cells, size, account(head), *([fee] if money else [])])
    head = [
        "所属街",
        "所属社",
        "户主姓名",
        "户主身份证号",
        "家庭成员姓名",
        "家庭成员身份证号",
        "保障人口数",
        "银行账号",
    ]
    head += ["户月保障金额（元）"] if money else []
    return File("2026年10月农村低保家庭查询_20261009.xlsx", [Page([head, *rows])])


@case()
def paired_exports() -> list[File]:
    return [households_export(money=True), persons_export(money=True)]


@case()
def paired_exports_money_with_the_households_only() -> list[File]:
    return [households_export(money=True), persons_export(money=False)]


@case()
def paired_exports_money_with_the_persons_only() -> list[File]:
    """The household export without money comes after its persons: it is no corrected roll that takes the money away."""
    return [persons_export(money=True), households_export(money=False)]
