"""The gates through the program alone: workbooks in, commands typed, files and JSON out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.tabular.fill import fill_workbook
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.support import make_id, make_workspace

LIVING = "困难残疾人生活补贴"
HEAD = ("姓名", "身份证号", "补贴金额（元）", "户名", "银行账号", "开户银行")


class Bureau:
    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = make_workspace(root).root, capsys
        self.today = "2026-09-25"

    def run(self, *words: str, code: int = 0, actor: str = "张经办") -> dict[str, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(self.root), "--today", self.today, "--actor", actor, "--json", "--yes", *words])
        out = self.capsys.readouterr()
        assert (ended.value.code or 0) == code, (words, out)
        return json.loads(out.out) if out.out.strip() else {}  # type: ignore[no-any-return]

    def book(self, name: str, title: str, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
        path = self.root / "inbox" / f"{name}.xlsx"
        columns = [ColumnSpec(text, 16) for text in head]
        write_xlsx(path, [SheetSpec("Sheet1", columns, [tuple(map(str, row)) for row in rows], title=title)])
        return str(path)

    def roll(self, month: str, people: list[tuple[int, str, str]]) -> None:
        """(serial, 元, account) each; a second list names somebody whom nothing holds."""
        self.today = f"{month}-25"
        rows = [(_name(n), make_id(n), yuan, _name(n), account, "农业银行") for n, yuan, account in people]
        title = f"青溪镇{month[:4]}年{int(month[5:])}月{LIVING}发放花名册"
        self.run("import", self.book(f"{title}{len(people)}", title, HEAD, rows), "--accept-change")
        self.run("dedupe", "run", "--month", month)

    def pay(self, month: str, **options: str) -> dict[str, Any]:
        made = self.run("pay", "draft", "--month", month, *(f"--{key}={value}" for key, value in options.items()))
        self.run("pay", "lock")
        self.run("pay", "approve", actor="李审批")
        self.run("pay", "export")
        return made


def _name(number: int) -> str:
    return "赵钱孙李周吴郑王冯陈"[number % 10] + "一二三四五六七八九十"[number // 10 % 10] + "甲"


@pytest.fixture
def bureau(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bureau:
    return Bureau(tmp_path / "ws", capsys)


def test_accounts_amounts_and_money_are_asked_for_month_after_month(bureau: Bureau) -> None:
    accounts = [f"17000100200300{n:04d}" for n in range(20)]
    people = [(n, "80.00", accounts[n]) for n in range(1, 6)]
    bureau.roll("2026-09", people)
    assert bureau.pay("2026-09")["holds_by_code"] == {}
    # another account, a zero too many, a new person, the rest as they were
    people[0] = (1, "80.00", "170001002003009991")
    people[1] = (2, "800.00", accounts[2])
    bureau.roll("2026-10", [*people, (6, "800.00", accounts[6])])
    held = bureau.run("pay", "draft", "--month", "2026-10")
    assert held["holds_by_code"] == {"account_changed": 1, "amount_jump": 1} and held["lines"] == 4
    asked = bureau.run("pay", "override", "ask", make_id(1), "--month", "2026-10", "--reason", "本人到场换卡")
    number = str(asked["overrides"][0]["override_id"])
    bureau.run("pay", "override", "agree", number, code=4)
    bureau.run("pay", "override", "agree", number, actor="王复核")
    # the finance office's table: not enough for five of them
    sheet = bureau.book(
        "指标", "2026年指标", ("文号", "下达日期", "资金来源", "救助项目", "金额（元）"),
        [("区财社〔2026〕3号", "2026-02-01", "县级", LIVING, "1519.99")],
    )  # fmt: skip
    left = bureau.run("pay", "budget", "--import", sheet)
    assert (left["imported"]["added"], left["out_fen"], left["left_fen"]) == (
        1,
        40_000,
        7_999,
    )  # the standing draft is due
    refused = bureau.run("pay", "draft", "--month", "2026-10", code=4)
    assert "超出经费指标" in json.dumps(refused, ensure_ascii=False)
    more = bureau.book(
        "追加", "追加", ("文号", "下达日期", "资金来源", "救助项目", "金额（元）"),
        [("区财社〔2026〕9号", "2026-10-20", "县级", LIVING, "0.01")],
    )  # fmt: skip
    bureau.run("pay", "budget", "--import", more)
    made = bureau.pay("2026-10")
    assert made["holds_by_code"] == {"amount_jump": 1} and made["amount_fen"] == 112_000
    shown = bureau.run("pay", "show")
    assert [(one["code"], one["asked_by"], one["agreed_by"]) for one in shown["override_lines"]] == [
        ("account_changed", "张经办", "王复核")
    ]
    assert bureau.run("pay", "budget")["left_fen"] == 0
    # next month: the account agreed to is the one that was last paid; the jump is still there
    bureau.roll("2026-11", people)
    (bureau.root / "policy" / "budgets" / "2026.toml").unlink()
    assert bureau.run("pay", "draft", "--month", "2026-11")["holds_by_code"] == {"amount_jump": 1}
    assert bureau.run("audit", "check")["ok"]


def test_a_stop_that_rested_on_a_death_taken_back_is_said(bureau: Bureau) -> None:
    people = [(n, "80.00", f"17000100200300{n:04d}") for n in range(1, 5)]
    bureau.roll("2026-09", people)
    title = "死亡人员名单"
    taken = bureau.run(
        "import", bureau.book(title, title, ("姓名", "身份证号", "死亡日期"), [(_name(1), make_id(1), "2026-08-10")])
    )
    bureau.run("dedupe", "run", "--month", "2026-09")
    review = bureau.run("review", "run", "--month", "2026-09")
    filled = bureau.root / "inbox" / "已填.xlsx"
    book = Path(review["workbook"])
    fill_workbook(book, filled, lambda sheet, row: {"决定": "同意"} if sheet == "停发" else {}, key="建议编号")
    decided = bureau.run("review", "decide", str(filled))
    assert decided["effective"] == 1
    assert bureau.run("pay", "draft", "--month", "2026-09")["holds_by_code"]["dead"] == 1
    bureau.run("batch", "undo", str(taken["files"][0]["batch"]))
    bureau.run("dedupe", "run", "--month", "2026-09")
    made = bureau.run("pay", "draft", "--month", "2026-09")
    assert made["holds_by_code"] == {"no_hearing": 1, "stopped": 1}
    bureau.run("review", "undo", str(decided["decision"]))
    assert bureau.run("pay", "draft", "--month", "2026-09")["holds_by_code"] == {}
