"""What somebody says about a column is remembered for the same sender's lists, shown, dropped when contradicted, forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.intake.result import TableResult
from jiuzhu_cli.intake.table import Hints
from jiuzhu_cli.ledger import mappings
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import NOW, name, run, workbook
from tests.support import make_id, make_workspace

HEADER = ["序号", "姓名", "身份证号", "转款金额", "打款金额", "卡号"]


def rows(serials: range, header: list[str] = HEADER, swap: bool = False) -> list[list[Any]]:
    out: list[list[Any]] = []
    for s in serials:
        money = [s + 100, s + 70]
        out.append([s, name(s), make_id(s), *(money[::-1] if swap else money), f"42100100{s:06d}"])
    return out


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    yield make_workspace(tmp_path / "w")


class Town:
    """A town that sends its list of old age allowance every month."""

    def __init__(self, work: Workspace, folder: Path, town: str = "城关镇") -> None:
        self.work, self.folder, self.town = work, folder, town

    def send(
        self, month: int, header: list[str] = HEADER, data: list[list[Any]] | None = None, **said: str
    ) -> TableResult:
        title = f"{self.town}2026年{month}月高龄津贴发放花名册"
        path = workbook(self.folder / f"{self.town}{month}.xlsx", header, data or rows(range(1, 9)), title=title)
        return run(self.work, path, hints=Hints(mapping=said)).tables[0]

    def kept(self) -> list[tuple[str, str, str]]:
        with self.work.open_store() as store:
            return [(one.sender, one.shown, one.field) for one in mappings.active_mappings(store)]


@pytest.fixture
def town(work: Workspace, tmp_path: Path) -> Town:
    return Town(work, tmp_path / "in")


def messages(result: TableResult) -> list[str]:
    return [finding.code for finding in result.findings]


def test_asked_once_then_remembered_and_said_each_time(town: Town) -> None:
    first = town.send(8)
    assert first.status == "refused"
    asked = next(f for f in first.findings if f.code == "amount_column_ambiguous")
    assert asked.values["example"] == "--map 转款金额=发放金额 或 --map 打款金额=发放金额"
    assert town.kept() == []  # nothing said, nothing kept
    second = town.send(8, 打款金额="发放金额")
    assert (second.status, second.amount_fen) == ("imported", 100 * sum(s + 70 for s in range(1, 9)))
    assert town.kept() == [("城关镇", "打款金额", "amount_fen")]
    third = town.send(9)
    assert (third.status, third.amount_fen) == ("imported", second.amount_fen)
    assert third.how["mapping"] == "按 2026-11-21 张经办的指定：打款金额=发放金额"
    assert (
        town.send(10, [*HEADER[:3], HEADER[4], HEADER[3], HEADER[5]], rows(range(1, 9), swap=True)).amount_fen
        == second.amount_fen
    )


def test_another_sender_and_another_programme_are_asked(town: Town, work: Workspace, tmp_path: Path) -> None:
    town.send(8, 打款金额="发放金额")
    assert Town(work, tmp_path / "in", "青溪镇").send(8).status == "refused"
    path = workbook(
        tmp_path / "in" / "x.xlsx", HEADER, rows(range(1, 9)), title="城关镇2026年8月困难残疾人生活补贴发放花名册"
    )
    assert run(work, path).tables[0].status == "refused"


def test_what_the_header_plainly_says_is_never_overridden(town: Town) -> None:
    town.send(8, 打款金额="发放金额")
    plain = ["序号", "姓名", "身份证号", "发放金额", "打款数目", "卡号"]
    got = town.send(9, plain, rows(range(1, 9)))
    assert got.amount_fen == 100 * sum(
        s + 100 for s in range(1, 9)
    )  # 发放金额, not what was remembered for another header
    assert "mapping" not in got.how


def test_said_against_a_plain_header_it_is_used_once_and_not_kept(town: Town) -> None:
    header = ["序号", "姓名", "身份证号", "发放金额", "补发金额", "卡号"]
    got = town.send(8, header, 补发金额="发放金额")
    assert got.amount_fen == 100 * sum(s + 70 for s in range(1, 9))
    assert "mapping_not_kept" in messages(got) and town.kept() == []


def test_contradicted_by_content_it_is_dropped_with_a_word(town: Town) -> None:
    header = ["序号", "姓名", "身份证号", "转款金额", "经办数", "卡号"]
    data = rows(range(1, 9))
    assert town.send(8, header, data, 经办数="发放金额").amount_fen == 100 * sum(s + 70 for s in range(1, 9))
    for row in data:
        row[4] = "已核"  # the same word now heads remarks
    got = town.send(9, header, data)
    assert (got.status, got.amount_fen) == ("imported", 100 * sum(s + 100 for s in range(1, 9)))
    dropped = next(f for f in got.findings if f.code == "mapping_dropped")
    assert dropped.severity == "warning" and "经办数=发放金额" in str(dropped.values["mapping"])
    assert town.kept() == []


def test_columns_that_only_their_place_tells_hold_for_the_same_form(town: Town) -> None:
    header = ["序号", "姓名", "身份证号", "实发金额", "实发金额", "卡号"]
    asked = next(f for f in town.send(8, header).findings if f.code == "amount_column_ambiguous")
    assert asked.values["example"] == "--map D=发放金额 或 --map E=发放金额"
    assert town.send(8, header, E="发放金额").status == "imported"
    assert town.send(9, header).status == "imported"
    other = ["姓名", "序号", "身份证号", "实发金额", "实发金额", "卡号"]
    moved = [[row[1], row[0], *row[2:]] for row in rows(range(1, 9))]
    assert town.send(10, other, moved).status == "refused"  # another form: E may be anything there


def test_a_later_word_replaces_the_earlier(town: Town) -> None:
    town.send(8, 打款金额="发放金额")
    assert town.send(9, 转款金额="发放金额").amount_fen == 100 * sum(s + 100 for s in range(1, 9))
    assert town.send(10).amount_fen == 100 * sum(s + 100 for s in range(1, 9))


def test_lists_without_a_town_hold_for_the_same_form_only(work: Workspace, tmp_path: Path) -> None:
    def send(month: int, header: list[str], **said: str) -> str:
        path = workbook(
            tmp_path / f"{month}.xlsx", header, rows(range(1, 9)), title=f"全区2026年{month}月高龄津贴发放花名册"
        )
        return run(work, path, hints=Hints(mapping=said)).tables[0].status

    assert send(8, HEADER, 打款金额="发放金额") == "imported"
    assert send(9, HEADER) == "imported"
    assert send(10, [*HEADER[:5], "银行账号"]) == "refused"


def test_forget(town: Town, work: Workspace) -> None:
    town.send(8, 打款金额="发放金额")
    with work.open_store() as store:
        number = mappings.active_mappings(store)[0].mapping_id
        with store.transaction(actor="李四", command="mapping forget", now=NOW) as tx:
            mappings.forget(tx, [number])
        with pytest.raises(UsageError), store.transaction(actor="李四", command="mapping forget", now=NOW) as tx:
            mappings.forget(tx, [number])
        assert store.check_journal() == []
    assert town.send(9).status == "refused"


def test_a_refused_list_teaches_nothing(town: Town) -> None:
    data = rows(range(1, 4))
    for row in data:
        row[2] = "123"
    assert town.send(8, HEADER, data, 打款金额="发放金额").status == "refused"
    assert town.kept() == []


def test_a_number_in_place_of_a_header_is_never_kept(work: Workspace, tmp_path: Path) -> None:
    """A list without headers: its first person stands where the header should be."""
    data = [["姓名", "性别", make_id(77)], *([name(s), "男", make_id(s)] for s in range(1, 9))]
    path = workbook(tmp_path / "城关镇.xlsx", data[0], data[1:], title="城关镇2026年10月死亡人员名单")
    run(work, path, hints=Hints(mapping={"C": "身份证号"}))
    with work.open_store() as store:
        rows = store.query("SELECT header, shown FROM column_mapping")
        journal = "".join(row["detail"] for row in store.query("SELECT detail FROM journal"))
    assert all(make_id(77) not in f"{row['header']}{row['shown']}" for row in rows)
    assert make_id(77) not in journal


def test_letters_fit_only_the_sheets_where_the_content_does(work: Workspace, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for number, header in enumerate((["姓名", "身份证号", "打款", "转款"], ["姓名", "身份证号", "开户行", "发放金额"])):
        sheet = book.active if number == 0 else book.create_sheet("东风村")
        sheet.append(["城关镇2026年10月高龄津贴"])
        sheet.append(header)
        for s in range(1 + 10 * number, 6 + 10 * number):
            sheet.append([name(s), make_id(s), s if number == 0 else "农行", s + 1])
    book.save(tmp_path / "城关镇.xlsx")
    tables = run(work, tmp_path / "城关镇.xlsx", hints=Hints(mapping={"C": "发放金额"})).tables
    assert [table.amount_fen for table in tables] == [1500, 100 * (12 + 13 + 14 + 15 + 16)]
    assert "mapping_unfit" in messages(tables[1])
