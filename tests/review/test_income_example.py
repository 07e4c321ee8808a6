"""The worked example of ``docs/家庭收入测算.md``: from the forms to the review, by the commands that clerks type; its figures recomputed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.core.mask import find_personal_numbers
from tests.review.worlds import World, household
from tests.support import make_id

PAGE = Path(__file__).parents[2] / "docs" / "家庭收入测算.md"
PEOPLE = {
    "户主": (make_id(1, born="19800101"), "张户主", "本人", "有劳动能力"),
    "配偶": (make_id(2, born="19600101", male=False), "李配偶", "配偶", "无劳动能力"),
    "儿子": (make_id(3, born="20150101"), "张小儿", "子女", None),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    line = household(1, 100000, 900000, 3, income_period="year", name="张户主")
    for month in ("2026-10", "2025-12"):
        world.roll("subsistence_allowance", line, month=month)
    world.store.close()
    return world


def run(world: World, capsys: Any, *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["-C", str(world.workspace.root), "--today", "2026-11-20", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out or err


def lines_of_the_page() -> list[list[str]]:
    table = PAGE.read_text("utf-8").split("明细：")[1].split("样例地区")[0]
    rows = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in table.strip().splitlines()]
    return rows[2:]


def fill(path: Path, rows: list[dict[str, Any]]) -> None:
    """Types rows into a blank form, by the headers it has."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    top = next(row for row in range(1, 6) if any("身份证号" in str(cell.value) for cell in sheet[row]))
    columns = {str(cell.value).rstrip("*"): cell.column for cell in sheet[top] if cell.value}
    for at, row in enumerate(rows, top + 1):
        for header, value in row.items():
            column = next(number for name, number in columns.items() if re.sub(r"[（*].*", "", name).strip() == header)
            sheet.cell(at, column).value = value
    book.save(path)


def test_the_page_is_what_the_program_says(world: World, tmp_path: Path, capsys: Any) -> None:
    forms = {}
    for name in ("家庭收入核算明细", "家庭成员情况"):
        forms[name] = tmp_path / f"{name}.xlsx"
        assert run(world, capsys, "template", name, "-o", str(forms[name]))[0] == 0
    head = {"户主姓名": "张户主", "户主身份证号": PEOPLE["户主"][0]}
    fill(
        forms["家庭收入核算明细"],
        [
            head | {"成员姓名": PEOPLE[who][1], "成员身份证号": PEOPLE[who][0], "收入项目": kind}
            | ({"金额": float(amount)} if amount else {}) | ({"收入期间": period} if period else {}) | ({"数量": quantity} if quantity else {})
            for who, kind, amount, period, quantity in lines_of_the_page()
        ],
    )  # fmt: skip
    fill(
        forms["家庭成员情况"],
        [
            head | {"成员姓名": name, "成员身份证号": id_no, "与户主关系": relation, "劳动能力": ability}
            for id_no, name, relation, ability in PEOPLE.values()
        ],
    )
    code, said = run(world, capsys, "import", *map(str, forms.values()))
    assert code == 0, said
    code, said = run(world, capsys, "review", "income", "--month", "2026-10", "--json")
    data = json.loads(said)
    assert code == 0 and (data["households"], data["measured"]) == (1, 1), said
    page = PAGE.read_text("utf-8")
    told = re.findall(r"\| (?:\*\*)?(-?[\d.]+)(?:\*\*)? \|\n", page.split("| 全年（元） |")[1])
    assert told == ["6400.00", "2800.00", "1716.00", "-1200.00", "9716.00"]
    assert data["cases"][0]["income12_fen"] == 971600 and data["cases"][0]["differs_fen"] == 71600
    assert data["cases"][0]["verdict"] == "低于低保标准"
    assert find_personal_numbers(said) == []
    code, said = run(world, capsys, "explain", PEOPLE["户主"][0], "--month", "2026-10", "--json", "--full")
    steps = json.loads(said)["programmes"][0]["income"]["steps"]
    assert [one["value"] for one in steps if one["value"]] == told
    assert any("收入 10916.00 元，扣减 1200.00 元" in one["how"] for one in steps)
    code, said = run(world, capsys, "explain", PEOPLE["户主"][0], "--month", "2026-10")
    assert "家庭收入（按明细）：全年 9716.00 元" in said and find_personal_numbers(said) == []
    code, said = run(world, capsys, "review", "run", "--month", "2026-10", "--json")
    assert json.loads(said)["by_action"] == {"decrease": 1}
    store = world.workspace.open_store()
    from jiuzhu_cli.ledger.proposals import proposals_of

    made = proposals_of(store, "2026-10")[0]
    store.close()
    assert made["amount_after_fen"] == 99100 and "**991** 元" in page
    code, said = run(world, capsys, "review", "income", "--month", "2025-12", "--json")
    assert json.loads(said)["cases"][0]["income12_fen"] == 800000 and "**8000.00** 元" in page
