"""The worked example of docs/政策参数.md: its files are put into a fresh workspace, its commands typed, and what it says is seen."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.support import make_id, make_workspace, put_roll

PAGE = Path(__file__).resolve().parents[2] / "docs" / "政策参数.md"
TODAY = "2026-10-22"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[dict[str, str], list[str]]]:
    """Of each step of the page: its files by path, and the commands below them."""
    text = PAGE.read_text("utf-8").partition("## 从头做一遍")[2]
    found = []
    for part in text.split("\n### ")[1:]:
        files: dict[str, str] = {}
        commands: list[str] = []
        for language, block in FENCE.findall(part):
            if language == "toml":
                path = block.splitlines()[0].removeprefix("# ").strip()
                assert path.startswith("policy/"), block
                files[path] = block
            else:
                commands += block.splitlines()
        found.append((files, commands))
    return found


class Desk:
    def __init__(self, work: Workspace) -> None:
        self.work = work

    def type(self, line: str) -> Any:
        """One command as the page has it, run in the workspace's folder; its JSON."""
        words = shlex.split(line)
        assert words[0] == "jiuzhu", line
        out = io.StringIO()
        with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
            main(["--today", TODAY, "--json", *words[1:]])
        assert ended.value.code in (0, None), line + out.getvalue()
        return json.loads(out.getvalue())

    def do(self, number: int) -> dict[str, Any]:
        files, commands = steps()[number - 1]
        for path, text in files.items():
            target = self.work.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        return {line: self.type(line) for line in commands}

    def proposals(self, month: str = "2026-10") -> dict[tuple[str, str], tuple[str, int | None, str]]:
        from jiuzhu_cli.ledger.proposals import proposals_of

        with self.work.open_store() as store:
            rows = proposals_of(store, month)
        return {
            (one["programme"], one["id_no"]): (one["action"], one["amount_after_fen"], one["reasons"]) for one in rows
        }


LOW, FISH, POOR = "subsistence_allowance", "fishing_ban", "extreme_poverty_support"


def person(serial: int, born: str = "19800101") -> str:
    return make_id(serial, born=born)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    work = make_workspace(tmp_path / "w")
    monkeypatch.chdir(work.root)

    def household(serial: int, amount: int, covered: int = 1, size: int = 1) -> dict[str, Any]:
        return {"id_no": person(serial), "name": "王" + "甲乙丙丁戊己"[serial], "amount_fen": amount, "income_fen": 0, "income_period": "month",
                "covered_persons": covered, "household_size": size, "category": "农村", "account_no": f"8101{serial:011d}"}  # fmt: skip

    with work.open_store() as store:
        for month, amounts in (("2026-09", [60000, 60000, 120000]), ("2026-10", [60000, 62000, 124000])):
            rows = [household(1, amounts[0]), household(2, amounts[1]), household(3, amounts[2], covered=2)]
            put_roll(store, LOW, "青溪镇", month, rows)
        put_roll(store, POOR, "青溪镇", "2026-10", [{"id_no": person(11, "19500101"), "name": "王一甲", "amount_fen": 99700, "category": "农村", "self_care": "自理"}])  # fmt: skip
    fishers = [
        ("王一甲", person(11, "19500101"), 150),
        ("王一乙", person(12, "19600101"), 100),
        ("王一丙", person(13, "19900101"), 150),
    ]
    columns = [ColumnSpec(one, 16) for one in ("姓名", "身份证号", "退捕证号", "补助金额", "银行账号")]
    rows = [[name, id_no, f"退{n}", str(yuan), f"8102{n:011d}"] for n, (name, id_no, yuan) in enumerate(fishers)]
    write_xlsx(work.root / "青溪镇2026年10月退捕渔民生活补助花名册.xlsx", [SheetSpec("Sheet1", columns, rows)])
    boats = [("王乙", person(1), "鄂荆渔001", "机动渔船"), ("王丙", person(2), "鄂荆渔002", "自用舢板")]
    columns = [
        ColumnSpec(one, 16) for one in ("船主姓名", "船主身份证号", "渔船编号", "渔船类型", "登记日期", "评估价值")
    ]
    write_xlsx(work.root / "渔船登记名单.xlsx", [SheetSpec("Sheet1", columns, [[*boat, "2020-05-01", "30000"] for boat in boats])])  # fmt: skip
    yield Desk(work)


def test_the_page_has_four_steps_of_data_alone() -> None:
    found = steps()
    assert [sorted(path.split("/")[1] for path in files) for files, _ in found] == [
        ["parameters"], ["programmes"], ["parameters", "programmes", "relations.toml"], ["registers"],
    ]  # fmt: skip
    assert all(commands[0] == "jiuzhu policy check" for _, commands in found)


def test_the_example_from_end_to_end(desk: Desk) -> None:
    run = "jiuzhu review run --month 2026-10"
    desk.type(run)
    # the shipped standard of 600: the second and third household have too much
    assert {key[1]: value[:2] for key, value in desk.proposals().items() if key[0] == LOW} == {
        person(2): ("decrease", 60000), person(3): ("decrease", 120000),
    }  # fmt: skip

    told = desk.do(1)
    assert told["jiuzhu policy check"]["ok"] and not told["jiuzhu policy check"]["problems"]
    changed = {
        one["key"]: (one["before"], one["after"])
        for one in told["jiuzhu policy diff 2026-09-30 2026-10-01"]["differences"]
    }
    assert changed == {
        "低保标准_农村": ("600 元/人/月", "620 元/人/月"), "特困基本生活标准_农村": ("780 元/人/月", "806 元/人/月"),
        "低保边缘标准_农村": ("900 元/人/月", "930 元/人/月"), "小额快救上限": ("600 元/人次", "620 元/人次"),
    }  # fmt: skip
    assert {key: value[:2] for key, value in desk.proposals().items() if key[0] == LOW} == {
        (LOW, person(1)): ("increase", 62000)
    }
    desk.type("jiuzhu review run --month 2026-09")
    assert [key for key in desk.proposals("2026-09") if key[0] == LOW] == []

    assert desk.do(2)["jiuzhu policy check"]["ok"]
    assert (
        desk.proposals()[LOW, person(3)][0] == "check"
        and "保障人数多于家庭人口，须核实" in desk.proposals()[LOW, person(3)][2]
    )
    assert desk.proposals()[LOW, person(1)][:2] == ("increase", 62000)

    told = desk.do(3)
    assert told["jiuzhu policy check"]["ok"] and told["jiuzhu policy show 退捕渔民"]["code"] == FISH
    roll = told["jiuzhu import 青溪镇2026年10月退捕渔民生活补助花名册.xlsx"]["files"][0]
    assert (roll["status"], roll["programme"]) == ("imported", FISH)
    from jiuzhu_cli.ledger.doubts import doubts_of

    with desk.work.open_store() as store:
        doubts = [one for one in doubts_of(store, ("2026-10", "2026-10")) if one["rule"] == "渔1"]
    assert [(one["id_no_a"], one["severity"], {one["programme_a"], one["programme_b"]}) for one in doubts] == [(person(11, "19500101"), "strong", {FISH, POOR})]  # fmt: skip
    found = desk.proposals()
    assert found[FISH, person(12, "19600101")][:2] == ("increase", 15000)
    assert found[FISH, person(13, "19900101")][0] == "stop" and "未满 60 周岁" in found[FISH, person(13, "19900101")][2]

    told = desk.do(4)
    assert told["jiuzhu policy check"]["ok"]
    assert told["jiuzhu import 渔船登记名单.xlsx"]["files"][0]["status"] == "imported"
    found = desk.proposals()
    assert "名下有登记渔船，须核实是否变卖" in found[LOW, person(1)][2]
    assert (LOW, person(2)) not in found  # a skiff for one's own use


def test_a_slip_in_the_example_is_told(desk: Desk) -> None:
    text = steps()[0][0]["policy/parameters/2026-10-低保.toml"].replace("620", "440")
    path = desk.work.policy_dir / "parameters" / "x.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    found = desk.type("jiuzhu policy check")["problems"]
    assert any("低于底线 456" in one["text"] and "60%" in one["text"] for one in found)
