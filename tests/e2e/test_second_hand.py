"""A hostile month by another hand: every plant found, every decoy left alone, every damaged cell named, everybody paid once."""

from __future__ import annotations

import csv
import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.e2e.program import Program
from tests.e2e.second_hand import CARE, ELDER, LEFT, LIVING, ORPHAN, World
from tests.e2e.second_hand_folder import Damage, Folder, write_standards
from tests.e2e.second_hand_score import ledger_money, ledger_rows, score, unfounded_reviews

MONTH, TODAY = "2026-10", "2026-10-26"
SECRET = (
    LIVING,
    CARE,
    ORPHAN,
    LEFT,
    ELDER,
)  # never posted: the programme's name alone tells of a disability or a child's fate
WORLDS = [
    ("530128", 7),
    pytest.param(("152523", 8), marks=pytest.mark.slow),
    pytest.param(("360781", 9), marks=pytest.mark.slow),
]
HEADERS = {"id_no": "身份证号", "name": "姓名", "amount": "发放金额", "account": "银行账号"}

File = dict[str, Any]


@dataclass
class Quarter:
    world: World
    damages: list[Damage]
    program: Program
    files: list[File]  # of the first import
    held_back: Counter[tuple[str, str, str, str]]  # what the record holds before the remainders are mended
    doubts: list[dict[str, str]]
    proposals: list[dict[str, str]]


@pytest.fixture(scope="module", params=WORLDS, ids=lambda param: f"{param[0]}-{param[1]}")
def quarter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Quarter:
    region, seed = request.param
    root = tmp_path_factory.mktemp(region)
    folder = Folder(region, seed, root, households=3)
    world = folder.write()
    program = Program(root / "workspace")
    program.init(region)
    write_standards(program.workspace, region)
    files: list[File] = program.run("import", folder.first, "--today", TODAY, expect=(3,)).data["files"]
    program.run("import", folder.later, "--today", TODAY)
    held_back = ledger_rows(program.workspace)
    mended = mend_remainders(program, files, folder.damages, root / "改正")
    program.run("import", mended, "--today", TODAY)
    found = program.run("dedupe", "run", "--month", MONTH, "--from", "2026-09", "--today", TODAY).data
    proposed = program.run("review", "run", "--month", MONTH, "--today", TODAY, expect=(0, 3)).data
    return Quarter(world, folder.damages, program, files, held_back, read_csv(program.path(found["csv"])), read_csv(program.path(proposed["csv"])))  # fmt: skip


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def of_file(files: list[File], damage: Damage) -> list[File]:
    return [
        f for f in files if f["file"].rpartition("/")[2] == damage.file.name and damage.file.parent.name in f["file"]
    ]


def mend_remainders(program: Program, files: list[File], damages: list[Damage], target: Path) -> Path:
    """Every remainder with the right values put in, as a clerk would; each must hold just the refused rows of its batch."""
    target.mkdir()
    for shown in sorted({file["remainder_file"] for file in files if file["remainder_file"]}):
        own = [file for file in files if file["remainder_file"] == shown]
        wrong = [d for d in damages if d.refused and any(file in of_file(files, d) for file in own)]
        book = openpyxl.load_workbook(program.path(shown))
        left = {damage.row[3]: damage for damage in wrong}
        lines = 0
        for sheet in book:
            header: list[str] = []
            for row in sheet.iter_rows():
                texts = [re.sub(r"\s", "", str(cell.value or "")) for cell in row]
                if not header:
                    header = texts if "姓名" in texts else []
                    continue
                lines += 1
                damage = left.pop(next(i for i, d in left.items() if f"{d.cell.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}" == texts[header.index("原表行号")] and (not d.sheet or d.sheet in sheet.title)))  # fmt: skip
                row[header.index(HEADERS[damage.field])].value = damage.right
        assert not left, (shown, left)
        assert lines == len(wrong)
        book.save(target / Path(shown).name)
    return target


def test_every_row_is_taken_in_or_refused(quarter: Quarter) -> None:
    assert [f for f in quarter.files if f["accepted"] + f["refused"] != f["rows"]] == []
    planned = Counter(row for roll in quarter.world.rolls for row in roll.rows())
    planned.subtract(damage.row for damage in quarter.damages if damage.refused)
    assert quarter.held_back == +planned


def test_stated_totals_are_the_sums_of_the_rows(quarter: Quarter) -> None:
    spoilt = {f["file"] for d in quarter.damages for f in of_file(quarter.files, d)}
    clean = [f for f in quarter.files if f["stated_total_fen"] is not None and f["file"] not in spoilt]
    assert clean
    assert [f["file"] for f in clean if f["amount_fen"] != f["stated_total_fen"]] == []


def test_every_damaged_cell_is_named_and_red(quarter: Quarter) -> None:
    assert quarter.damages
    for damage in quarter.damages:
        tables = [f for f in of_file(quarter.files, damage) if not damage.sheet or f["sheet"] == damage.sheet]
        assert any(m["cell"] == damage.cell for f in tables for m in f["messages"]), damage
        book = openpyxl.load_workbook(quarter.program.path(tables[0]["errors_file"]))
        sheet = book[damage.sheet] if damage.sheet else book.worksheets[1]
        assert sheet[damage.cell].fill.fgColor.rgb == "FFFFC7CE", damage


def test_mended_remainders_complete_the_rolls(quarter: Quarter) -> None:
    assert ledger_rows(quarter.program.workspace) == Counter(row for roll in quarter.world.rolls for row in roll.rows())
    planned: Counter[tuple[str, str]] = Counter()
    for roll in quarter.world.rolls:
        planned[roll.programme, roll.month] += roll.sum_fen
    assert +ledger_money(quarter.program.workspace) == +planned


def test_everything_planted_is_found_and_nothing_else(quarter: Quarter) -> None:
    lost, wrong, legal = score(quarter.world, quarter.doubts)
    assert (lost, wrong, legal) == ([], [], [])


def test_reviews_say_what_is_due(quarter: Quarter) -> None:
    said = {(row["programme"], row["id_no"]): row["action"] for row in quarter.proposals}
    assert [
        (key, said.get(key)) for key, actions in quarter.world.reviews.items() if said.get(key) not in actions
    ] == []
    assert unfounded_reviews(quarter.world, quarter.proposals) == []


def test_a_month_is_posted_and_paid_once(quarter: Quarter) -> None:
    program, world = quarter.program, quarter.world
    for number, day in (("first", "2026-10-26"), ("final", "2026-11-05")):
        lists = program.run("post", "make", "--month", MONTH, "--round", number, "--today", day, expect=(0, 3)).data[
            "lists"
        ]
        assert not {one["programme"] for one in lists} & set(SECRET)
        program.run("post", "close", "--month", MONTH, "--today", "2026-11-04" if number == "first" else "2026-11-15")
    assert told_in_public(program.workspace / "out" / "public", world) == []
    draft = program.run("pay", "draft", "--month", MONTH, "--actor", "甲").data
    again = program.run("pay", "draft", "--month", MONTH, "--actor", "甲").data
    assert (again["lines"], again["amount_fen"]) == (draft["lines"], draft["amount_fen"])
    program.run("pay", "lock", "--actor", "甲")
    program.run("pay", "approve", "--actor", "乙")
    files = program.run("pay", "export", "--actor", "甲").data["files"]
    assert (sum(f["lines"] for f in files), sum(f["amount_fen"] for f in files)) == (
        draft["lines"],
        draft["amount_fen"],
    )
    held = next(path for path in draft["holds_files"] if path.endswith(".csv"))
    assert draft["lines"] + draft["held"] == payable_cases(world)
    assert program.path(held).exists()
    twice = program.run("pay", "export", "--actor", "甲").data["files"]
    assert [f["sha256"] for f in twice] == [f["sha256"] for f in files]
    failed = give_returns(program, files)
    follow = program.run("pay", "draft", "--month", MONTH, "--actor", "甲", expect=(0, 4)).data
    assert failed == 0 or follow.get("kind") == "retry"
    for command in ("show", "explain"):
        someone = next(plant for plant in world.plants if plant.kind == "double")
        program.run(command, next(iter(someone.persons)))
    program.run("audit", "check")


def payable_cases(world: World) -> int:
    return len(
        {
            (r.programme, c.people[0].id_no, c.town, r.part)
            for r in world.rolls
            if r.month == MONTH
            for c in r.cases
            if c.fen
        }
    )


def told_in_public(folder: Path, world: World) -> list[str]:
    """Files for the wall in which somebody's ID, account, telephone number or full name stands."""
    people = [p for roll in world.rolls for case in roll.cases for p in case.people]
    numbers = {text for p in people for text in (p.id_no, p.account, p.phone)}
    names = {p.name for p in people}
    bad = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".xlsx", ".docx"):
            continue
        with zipfile.ZipFile(path) as archive:
            text = "\n".join(archive.read(one).decode("utf-8", "ignore") for one in archive.namelist())
        digits, cells = set(re.findall(r"\d{11,20}[Xx]?", text)), set(re.findall(r">([^<>]{2,4})<", text))
        if digits & numbers or cells & names:
            bad.append(path.name)
    return bad


def give_returns(program: Program, files: list[File]) -> int:
    """Answers each xlsx of the banks: the first line failed, the rest paid. Returns how many failed."""
    failed = 0
    for file in files:
        source = program.path(file["path"])
        if file["bank"] != "card_xlsx" or file["lines"] < 2:
            continue
        book = openpyxl.load_workbook(source)
        sheet = book.worksheets[0]
        start = next(
            int(row[0].row or 0) for row in sheet.iter_rows() if any("收款人全称" in str(cell.value) for cell in row)
        )
        width = sheet.max_column
        sheet.cell(start, width + 1, "发放结果")
        sheet.cell(start, width + 2, "失败原因")
        for offset in range(file["lines"]):
            sheet.cell(start + 1 + offset, width + 1, "成功" if offset else "失败")
            sheet.cell(start + 1 + offset, width + 2, None if offset else "账号不存在")
        target = program.workspace.parent / f"回盘_{source.name}"
        book.save(target)
        told = program.run("pay", "return", target, expect=(0, 3)).data
        assert (told["succeeded"], told["failed"]) == (file["lines"] - 1, 1)
        failed += 1
    return failed
