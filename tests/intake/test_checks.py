"""Cross-checks of a row's cells: what is said, what refuses, what is filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.intake.lists import codes, name, record, run_one, workbook
from tests.support import make_id, make_workspace

A = make_id(1, born="19450310")  # a man
CERTIFICATE = A + "42"  # 肢体, 二级

# file, header, row → codes, refused
CASES: dict[str, tuple[str, list[str], list[Any], set[str], int]] = {
    "sex": ("高龄津贴", ["性别", "发放金额"], ["女", 100], {"sex_differs"}, 0),
    "birth": ("高龄津贴", ["出生日期", "发放金额"], ["1946-03-10", 100], {"birth_differs"}, 0),
    "birth as year and month": ("高龄津贴", ["出生日期", "发放金额"], ["1945.03", 100], set(), 0),
    "nought": ("高龄津贴", ["发放金额"], [0], {"amount_zero"}, 0),
    "blank amount": ("高龄津贴", ["发放金额"], [None], {"amount_missing"}, 1),
    "negative": ("高龄津贴", ["发放金额"], [-5], {"amount_negative"}, 1),
    "thousandths": ("高龄津贴", ["发放金额"], [1.005], {"amount_decimals"}, 1),
    "status needs no amount": ("低保边缘", ["家庭人口"], [3], set(), 0),
    "phone": ("高龄津贴", ["联系电话", "发放金额"], ["1380000", 100], {"phone_format"}, 0),
    "impossible date": ("临时救助", ["救助日期", "救助金额"], ["2026-11-31", 100], {"date_impossible"}, 0),
    "parts": ("特困", ["基本生活费", "照料护理费", "合计"], [800, 200, 999], {"amount_parts_differ"}, 0),
    "certificate of another": (
        "重度残疾人护理补贴", ["残疾证号", "护理补贴金额"], [make_id(2) + "42", 100], {"disability_no_differs"}, 0,
    ),
    "certificate against grade": (
        "重度残疾人护理补贴", ["残疾证号", "残疾等级", "护理补贴金额"], [CERTIFICATE, "一级", 100], {"disability_grade_differs"}, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_said(case: str, tmp_path: Path) -> None:
    programme, header, row, expected, refused = CASES[case]
    rows = [[name(1), A, *row]]
    rows += [
        [name(n), make_id(n, born="19440101"), *(v if not isinstance(v, str) else None for v in row)]
        for n in range(3, 6)
    ]
    for line in rows[1:]:  # the other rows are sound
        for place, head in enumerate(header, 2):
            if head.endswith(("金额", "合计")) or head in ("基本生活费", "照料护理费"):
                line[place] = {"基本生活费": 800, "照料护理费": 200, "合计": 1000}.get(head, 100)
    workspace = make_workspace(tmp_path / "ws")
    result = run_one(
        workspace, workbook(tmp_path / f"东城街道2026年10月{programme}.xlsx", ["姓名", "身份证号", *header], rows)
    )
    told = {f.code for f in result.findings if f.severity != "notice" and f.source.row}
    assert (told, result.refused) == (expected, refused)


@pytest.mark.parametrize(
    ("header", "cells"),
    [(["残疾证号"], [CERTIFICATE]), (["残疾类别等级"], ["肢体2级"]), (["残疾类别", "残疾等级"], ["肢残", 2])],
)
def test_kind_and_grade_are_filled(header: list[str], cells: list[Any], tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    path = workbook(
        tmp_path / "东城街道2026年10月重度残疾人护理补贴.xlsx",
        ["姓名", "身份证号", "补贴金额", *header],
        [[name(1), A, 100, *cells]],
    )
    run_one(workspace, path)
    assert record(workspace, "disability_kind, disability_grade") == [("肢体", "二级")]


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        (["家庭月收入"], [900], (90000, "month")),
        (["家庭年收入（元）"], [12000], (1200000, "year")),
        (["家庭月收入", "家庭年收入"], [900, 12000], (1200000, "year")),
        (["家庭人口", "人均月收入"], [3, 300], (90000, "month")),
    ],
)
def test_income(header: list[str], cells: list[Any], expected: tuple[int, str], tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    head = ["户主姓名", "户主身份证号", "保障金额", *header]
    run_one(workspace, workbook(tmp_path / "东城街道2026年10月农村低保.xlsx", head, [[name(1), A, 100, *cells]]))
    assert record(workspace, "income_fen, income_period") == [expected]


def test_columns_unknown_are_kept_and_words_made_canonical(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "ws")
    header = ["姓名", "身份证号", "供养方式", "自理能力", "发放金额", "是否近亲属备案", "帮扶责任人", "民族"]
    rows = [[name(1), A, "集中供养", "部分丧失", 100, "√", "张书记", "汉族"]]
    result = run_one(workspace, workbook(tmp_path / "东城街道2026年10月特困.xlsx", header, rows))
    assert "category_unknown" not in codes(result)
    assert record(workspace, "care_mode, self_care, kin_filed, extra") == [
        ("集中", "半自理", "是", '{"帮扶责任人": "张书记", "民族": "汉族"}')
    ]
