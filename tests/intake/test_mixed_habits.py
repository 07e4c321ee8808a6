"""One known list written in habits mixed at random must be understood as the same list."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.intake.sheets import fields, sheet, tables_of
from tests.support import make_id

WORDS = {
    "serial_no": ["序号", "编号", "序 号"],
    "village": ["村（居）", "行政村", "村组", "所属社区"],
    "name": ["姓名", "姓  名", "对象姓名", "保障人员姓名"],
    "id_no": ["身份证号", "身份证\n号码", "公民身份号码", "证件号码", "身份证号（18位）"],
    "relation": ["与户主关系", "家庭关系", "称谓"],
    "amount_fen": ["发放金额", "保障金额（元）", "月保障金（元/月）", "实发金额", "补助金额"],
    "account_no": ["银行账号", "银行帐号", "一卡通账号", "银行卡号"],
    "bank_name": ["开户银行", "开户行", "银行名称"],
    "phone": ["联系电话", "手机号", "联系方式"],
    "": ["文化程度", "网格员", "是否脱贫户"],
    "remark": ["备注", "说明"],
}
TITLES = [
    "城关镇2026年10月农村低保花名册",
    "江陵县城关镇农村居民最低生活保障金发放表（2026年10月）",
    "2026年10月份城关镇农村低保公示",
    "二〇二六年十月城关镇农村低保对象名单",
]


def build(rng: random.Random) -> tuple[list[list[Any]], dict[str, str], list[int], int]:
    """Rows of a sheet, the expected columns, the expected data rows, the sum in 元."""
    order = [
        "serial_no",
        "village",
        "name",
        "id_no",
        "amount_fen",
        *rng.sample(["relation", "account_no", "bank_name", "phone", "", "remark"], rng.randint(1, 6)),
    ]
    rng.shuffle(order)
    header = [rng.choice(WORDS[field]) for field in order]
    pad = [None] * rng.choice([0, 0, 1, 2])
    expected = {field: chr(65 + len(pad) + at) for at, field in enumerate(order) if field}
    lines: list[list[Any]] = [[]] * rng.choice([0, 0, 1])
    title = rng.choice(TITLES)
    head: list[list[Any]] = [[title]]
    if rng.random() < 0.5:
        head.append(["填报单位：城关镇人民政府", None, "单位：元", "填报时间：2026年10月9日"])
    lines += [*head, pad + header]
    rows, total, people = [], 0, rng.randint(1, 25)
    every = rng.choice([0, 0, 4, 9])
    for n in range(1, people + 1):
        if every and n > 1 and n % every == 1:
            if rng.random() < 0.5:
                lines += head
            lines.append(pad + header)
        amount = rng.choice([100, 250.5, 300])
        total += round(amount * 100)
        values = {
            "serial_no": n, "village": rng.choice(["东风村", "前进村"]), "name": "张王李赵"[n % 4] + rng.choice(["三", "小四", "建 国"]), "id_no": make_id(n),
            "relation": rng.choice(["本人", "配偶", None]), "amount_fen": rng.choice([amount, f"{amount:.2f}"]), "account_no": f"62170012345678{n:05d}", "bank_name": "农商行",
            "phone": f"138{n:08d}", "": rng.choice(["小学", "是", None]), "remark": rng.choice([None, "残疾", "新增"]),
        }  # fmt: skip
        rows.append(len(lines))
        lines.append(pad + [values[field] for field in order])
        if rng.random() < 0.05:
            lines.append([])
    label = [None] * (len(pad) + len(order))
    label[len(pad) + min(order.index("serial_no"), order.index("name"), order.index("village"))] = rng.choice(
        ["合计", "合　计", "总计", "合 计："]
    )
    label[len(pad) + order.index("amount_fen")] = total / 100
    lines.append(label)
    lines += rng.choice(
        [
            [],
            [["制表人：张三", None, "审核人："]],
            [[], ["注：本表一式两份"]],
            [["制表：", "审核：", "日期："], ["第1页"]],
        ]
    )
    return lines, expected, rows, total


@pytest.mark.parametrize("seed", range(80))
def test_the_same_list_in_any_habit(seed: int) -> None:
    lines, expected, rows, total = build(random.Random(seed))
    tables, findings = tables_of(sheet(lines), file="上报.xlsx")
    assert [(table.code, table.month, table.area, table.category, table.fatal) for table in tables] == [
        ("subsistence_allowance", "2026-10", "城关镇", "农村", False)
    ]
    assert (fields(tables[0]), tables[0].rows.tolist(), tables[0].stated_total_fen, findings) == (
        expected,
        rows,
        total,
        [],
    )
