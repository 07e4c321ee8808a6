"""Lists of households as townships write them: who belongs together, and the household's money once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.intake.lists import name, record, run
from tests.intake.test_ugly import Ugly, write, write_csv, write_xls
from tests.support import make_id, make_workspace

SIZES = (2, 1, 3, 1)
MONEY = (600, 350, 900, 280)
FILE = "城关镇2026年10月农村低保.xlsx"


@dataclass(frozen=True)
class Person:
    """One person of the made-up list."""

    house: int
    at: int
    number: int
    head: int

    @property
    def cells(self) -> dict[str, Any]:
        size, money = SIZES[self.house], MONEY[self.house]
        return {
            "no": self.house + 1, "name": name(self.number), "id": make_id(self.number), "head": name(self.head),
            "head_id": make_id(self.head), "kin": "本人" if self.at == 0 else ["配偶", "子"][self.at - 1], "size": size,
            "money": money, "each": money / size, "account": f"42100100{self.head:06d}", "village": "东风村",
            "relation": "户主" if self.at == 0 else "之子",
        }  # fmt: skip


def everyone() -> list[Person]:
    serial = itertools.count(1)
    out = []
    for house, size in enumerate(SIZES):
        numbers = [next(serial) for _ in range(size)]
        out += [Person(house, at, number, numbers[0]) for at, number in enumerate(numbers)]
    return out


def lines(words: str, *, once: str = "") -> list[list[Any]]:
    """A row a person; the words of ``once`` only stand on the head's row."""
    return [
        [None if person.at and word in once.split() else person.cells[word] for word in words.split()]
        for person in everyone()
    ]


def heads(words: str) -> list[list[Any]]:
    return [[person.cells[word] for word in words.split()] for person in everyone() if person.at == 0]


def merged(columns: Sequence[str], first: int) -> list[str]:
    out, row = [], first
    for size in SIZES:
        if size > 1:
            out += [f"{column}{row}:{column}{row + size - 1}" for column in columns]
        row += size
    return out


TOTAL = sum(MONEY)
CASES: dict[str, Ugly] = {
    "merged": Ugly(
        [
            ["序号", "户主", "成员姓名", "身份证号", "与户主关系", "保障人口", "户月保障金额", "账号"],
            *lines("no head name id kin size money account", once="no head size money account"),
        ],
        7,
        TOTAL,
        FILE,
        merged("ABFGH", 2),
    ),
    "blank as above": Ugly(
        [
            ["序号", "户主", "成员姓名", "身份证号", "与户主关系", "保障人口", "户月保障金额", "账号"],
            *lines("no head name id kin size money account", once="no head size money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "amount repeated, header says household": Ugly(
        [["户主", "姓名", "身份证号", "关系", "户月保障金额", "账号"], *lines("head name id kin money account")],
        7,
        TOTAL,
        FILE,
    ),
    "amount repeated, total tells": Ugly(
        [
            ["户主姓名", "姓名", "身份证号", "关系", "保障金", "账号"],
            *lines("head name id kin money account"),
            ["合计", None, None, None, TOTAL],
        ],
        7,
        TOTAL,
        FILE,
    ),
    "each person's amount, header says so": Ugly(
        [["户主姓名", "姓名", "身份证号", "关系", "人月补助金额", "账号"], *lines("head name id kin each account")],
        7,
        TOTAL,
        FILE,
    ),
    "each person's amount, total tells": Ugly(
        [
            ["户主姓名", "姓名", "身份证号", "关系", "保障金", "账号"],
            *lines("head name id kin each account"),
            ["合计", None, None, None, TOTAL],
        ],
        7,
        TOTAL,
        FILE,
    ),
    "no head column, only kinship": Ugly(
        [
            ["姓名", "身份证号", "与户主关系", "保障人口", "保障金额", "账号"],
            *lines("name id relation size money account", once="size money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "only the serial number tells": Ugly(
        [
            ["序号", "姓名", "身份证号", "户保障金额", "账号"],
            *lines("no name id money account", once="no money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "head's name and ID on every row": Ugly(
        [
            ["户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "户月保障金额（元）", "一卡通账号"],
            *lines("head head_id name id money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "head's ID on the head's row only": Ugly(
        [
            ["户主姓名", "户主身份证号", "家庭成员姓名", "家庭成员身份证号", "户月保障金额（元）", "账号"],
            *lines("head head_id name id money account", once="head head_id money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "plain ID is the head's, members have their own": Ugly(
        [
            ["户主", "身份证号", "家庭成员", "成员身份证号", "户保障金额", "账号"],
            *lines("head head_id name id money account", once="head head_id money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "household code": Ugly(
        [
            ["低保证号", "姓名", "身份证号", "与户主关系", "户月保障金额", "账号"],
            *lines("no name id kin money account"),
        ],
        7,
        TOTAL,
        FILE,
    ),
    "heads only": Ugly(
        [
            ["序号", "户主姓名", "身份证号", "保障人口", "月保障金额", "账号"],
            *heads("no head head_id size money account"),
        ],
        4,
        TOTAL,
        FILE,
    ),
    "heads only, standard and count beside": Ugly(
        [
            ["户主姓名", "身份证号", "低保标准", "保障人口", "人均补差", "月发放金额", "账号"],
            *([row[0], row[1], 500, *row[2:]] for row in heads("head head_id size each money account")),
        ],
        4,
        TOTAL,
        FILE,
    ),
    "heads with parts": Ugly(
        [
            ["户主姓名", "身份证号", "基本生活费", "分类施保", "合计", "账号"],
            *([row[0], row[1], row[2] - 50, 50, row[2], row[3]] for row in heads("head head_id money account")),
        ],
        4,
        TOTAL,
        FILE,
    ),
    "heads with parts under one head": Ugly(
        [
            ["户主姓名", "身份证号", "发放金额", None, None, "账号"],
            [None, None, "补差", "分类施保", "小计", None],
            *([row[0], row[1], row[2] - 50, 50, row[2], row[3]] for row in heads("head head_id money account")),
        ],
        4,
        TOTAL,
        FILE,
        ["A1:A2", "B1:B2", "C1:E1", "F1:F2"],
    ),
    "merged amounts only": Ugly(
        [
            ["姓名", "身份证号", "与户主关系", "户保障金额", "账号"],
            *lines("name id kin money account", once="money account"),
        ],
        7,
        TOTAL,
        FILE,
        merged("DE", 2),
    ),
    "sub-totals of villages": Ugly(
        [
            ["村", "户主", "姓名", "身份证号", "关系", "户月保障金额", "账号"],
            *lines("village head name id kin money account", once="head money account"),
            ["东风村小计", None, None, None, "4户7人", TOTAL],
            ["总计", None, None, None, "4户7人", TOTAL],
        ],
        7,
        TOTAL,
        FILE,
    ),
    "page total between members": Ugly(
        [
            ["户主", "姓名", "身份证号", "关系", "户月保障金额", "账号"],
            *lines("head name id kin money account", once="money account")[:5],
            ["本页小计", None, None, None, 1850],
            ["户主", "姓名", "身份证号", "关系", "户月保障金额", "账号"],
            *lines("head name id kin money account", once="money account")[5:],
            ["本页小计", None, None, None, 280],
            ["合计", None, None, None, TOTAL],
        ],
        7,
        TOTAL,
        FILE,
    ),
    "last month beside this month": Ugly(
        [
            ["户主姓名", "身份证号", "保障人口", "上月保障金额", "本月保障金额", "账号"],
            *([*row[:3], 100, *row[3:]] for row in heads("head head_id size money account")),
        ],
        4,
        TOTAL,
        FILE,
    ),
    "due and paid": Ugly(
        [
            ["户主姓名", "身份证号", "应发金额", "实发金额", "账号"],
            *([row[0], row[1], row[2] + 20, row[2], row[3]] for row in heads("head head_id money account")),
        ],
        4,
        TOTAL,
        FILE,
    ),
    "serial number merged, names not": Ugly(
        [
            ["序号", "姓名", "身份证号", "与户主关系", "户月保障金额", "账号"],
            *lines("no name id kin money account", once="no"),
        ],
        7,
        TOTAL,
        FILE,
        merged("A", 2),
    ),
}


@pytest.mark.parametrize("form", [write, write_xls, write_csv], ids=["xlsx", "xls", "csv"])
@pytest.mark.parametrize("title", CASES)
def test_households(tmp_path: Path, title: str, form: Callable[[Path, Ugly], Path | None]) -> None:
    case = CASES[title]
    path = form(tmp_path / case.file, case)
    if path is None:
        return
    workspace = make_workspace(tmp_path / "ws")
    [table] = run(workspace, path).tables
    told = (
        table.status,
        table.note,
        table.rows,
        table.refused,
        table.amount_fen,
        sorted(f.code for f in table.findings),
    )
    assert (table.status, table.rows, table.accepted, table.refused) == ("imported", case.persons, case.persons, 0), (
        told
    )
    found = record(workspace, "id_no, head_id_no, lead, r.amount_fen, account_no")
    wanted = [
        (make_id(p.number), make_id(p.head), int(p.at == 0), MONEY[p.house] * 100 if p.at == 0 else None, f"42100100{p.head:06d}" if p.at == 0 else None)
        for p in everyone()
        if case.persons == 7 or p.at == 0
    ]  # fmt: skip
    assert found == wanted, told
    assert table.amount_fen == TOTAL * 100
