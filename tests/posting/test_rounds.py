"""Posting, end to end on a ledger: what is posted, for how long, by whom it may be disputed, when it may end."""

from __future__ import annotations

import stat
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from jiuzhu_cli.core.errors import DataError, PolicyError, RefusedError, UsageError
from jiuzhu_cli.core.mask import find_personal_numbers
from jiuzhu_cli.ledger import postings
from jiuzhu_cli.ledger.files import changed_files, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace, find_workspace
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.posting import closing, objections, rounds
from jiuzhu_cli.tabular.read import read_workbook
from tests.support import make_id, make_workspace, put_roll

MONTH, TODAY = "2026-10", date(2026, 10, 21)
NOW = datetime(2026, 10, 21, 1, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "golden"
SECRET = {
    "account_no": "6217001234567890123",
    "phone": "13812345678",
    "address": "青山村三组12号",
    "illness": "尿毒症",
    "disability_grade": "一级",
}


def row(serial: int, name: str, village: str = "青山村", **values: Any) -> dict[str, Any]:
    return SECRET | {
        "id_no": make_id(serial),
        "name": name,
        "village": village,
        "category": "农村",
        "amount_fen": 62000,
        **values,
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_workspace(tmp_path / "ws")
    path = made.root / "jiuzhu.toml"
    text = path.read_text("utf-8").replace('phone = ""', 'phone = "0716-8123456"', 1)
    path.write_text(text.replace('address = ""', 'address = "民政路8号"', 1), "utf-8")
    return find_workspace(made.root, explicit=True)


@pytest.fixture
def store(workspace: Workspace) -> Any:
    with workspace.open_store() as opened:
        yield opened


def fill(store: Store) -> None:
    rows = [
        row(1, "张小明", household_size=3, covered_persons=2, kin_filed="是", case_no=1),
        {"id_no": make_id(9), "name": "张大", "village": "青山村", "case_no": 1, "lead": 0},
        row(2, "欧阳娜娜", household_size=1, kin_filed="否", case_no=2),
        row(3, "张大明", amount_fen=30050, case_no=3),
        row(4, "李四", village="绿水村", case_no=4),
    ]
    put_roll(store, "subsistence_allowance", "青溪镇", MONTH, rows)


def make(workspace: Workspace, store: Store, **options: Any) -> rounds.Made:
    policy = load_policy(workspace.policy_dir, region=workspace.region)
    defaults: dict[str, Any] = {"start": TODAY, "actor": "张经办", "now": NOW}
    return rounds.make(workspace, store, policy, MONTH, **defaults | options)


def close(workspace: Workspace, store: Store, today: date, **options: Any) -> closing.Closed:
    found = closing.select(store, load_policy(region=workspace.region), MONTH)
    return closing.close(store, found, today=today, actor="张经办", now=NOW, **options)


def shown(workspace: Workspace, path: str) -> str:
    """Everything that a reader of the file sees, as text for golden files."""
    full = workspace.root / path
    if full.suffix == ".xlsx":
        sheet = read_workbook(full).sheets[0]
        rows = zip(*sheet.columns, strict=True)
        return (
            "\n".join(" | ".join("" if cell is None else str(cell) for cell in one).rstrip(" |") for one in rows) + "\n"
        )
    document = Document(str(full))
    lines = [p.text for p in document.sections[0].header.paragraphs]
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            lines += [" | ".join(cell.text for cell in one.cells) for one in block.rows]
        elif block.text:
            lines.append(block.text)
    return "\n".join(lines) + "\n"


def test_golden_lists(workspace: Workspace, store: Store) -> None:
    fill(store)
    made = make(workspace, store)
    assert [(one.area, one.households, one.persons, one.amount_fen, one.start, one.end) for one in made.lists] == [
        ("青溪镇/绿水村", 1, 1, 62000, "2026-10-21", "2026-10-27"),
        ("青溪镇/青山村", 3, 4, 154050, "2026-10-21", "2026-10-27"),
    ]
    for path in made.lists[1].files:
        golden = GOLDEN / f"posting_list_{Path(path).suffix[1:]}.txt"
        assert shown(workspace, path) == golden.read_text("utf-8"), path


def test_nothing_personal_gets_out_and_files_are_private(workspace: Workspace, store: Store) -> None:
    fill(store)
    for one in make(workspace, store).lists:
        for path in one.files:
            full = workspace.root / path
            assert stat.S_IMODE(full.stat().st_mode) == 0o600 and stat.S_IMODE(full.parent.stat().st_mode) == 0o700
            text = shown(workspace, path)
            assert not find_personal_numbers(text.replace("0716-8123456", ""))
            for secret in (*SECRET.values(), "张小明", "李四", make_id(1)):
                assert secret not in text
            with zipfile.ZipFile(full) as archive:
                everything = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "ignore")
            assert not any(secret in everything for secret in (*SECRET.values(), "张小明", make_id(1), "张经办"))


def test_same_masked_names_are_told_apart_by_four_digits_only(workspace: Workspace, store: Store) -> None:
    put_roll(store, "subsistence_allowance", "青溪镇", MONTH, [row(1, "张小明"), row(2, "张大明"), row(3, "李四")])
    made = make(workspace, store)
    names = read_workbook(workspace.root / made.lists[0].files[0]).sheets[0].columns[1][5:8]
    assert sorted(names) == sorted(["李*", f"张*明（尾号{make_id(1)[-4:]}）", f"张*明（尾号{make_id(2)[-4:]}）"])


def test_again_changes_nothing_and_a_lost_file_comes_back_the_same(workspace: Workspace, store: Store) -> None:
    fill(store)
    first = make(workspace, store)
    before = {e["path"]: e["sha256"] for e in recorded_files(store)}
    lost = workspace.root / first.lists[0].files[1]
    lost.unlink()
    (workspace.root / first.lists[0].files[0]).write_bytes(b"altered")
    again = make(workspace, store, start=date(2026, 10, 25))
    assert {one.change for one in again.lists} == {"unchanged"}
    assert [one.as_json() | {"change": ""} for one in again.lists] == [
        one.as_json() | {"change": ""} for one in first.lists
    ]
    assert {e["path"]: e["sha256"] for e in recorded_files(store)} == before and not changed_files(store, workspace)


def test_a_changed_list_is_posted_anew_and_a_vanished_one_taken_down(workspace: Workspace, store: Store) -> None:
    fill(store)
    first = make(workspace, store)
    number = first.lists[1].posting
    objection = objections.receive(
        store, [p for p in postings.live_postings(store, MONTH) if p["posting_id"] == number],
        person="张小明", text="家里有车", received_on=date(2026, 10, 22), actor="乙", now=NOW,
    )  # fmt: skip
    with store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE roll_row SET amount_fen = 50000 WHERE name = '张大明'")
        tx.execute("DELETE FROM roll_row WHERE village = '绿水村'")
    second = make(workspace, store, start=date(2026, 10, 23))
    assert [(one.change, one.start, one.end) for one in second.lists] == [("replaced", "2026-10-23", "2026-10-29")]
    assert second.withdrawn == 1 and not any("绿水村" in str(e["path"]) for e in recorded_files(store))
    assert not (workspace.root / first.lists[0].files[0]).exists() and not changed_files(store, workspace)
    [moved] = objections.listed(store, MONTH)
    assert (moved.number, moved.posting, moved.state) == (objection.number, second.lists[0].posting, "open")


def test_programmes_that_must_not_be_posted_are_named_once_with_the_reason(workspace: Workspace, store: Store) -> None:
    fill(store)
    put_roll(store, "disability_living_subsidy", "青溪镇", MONTH, [row(5, "王五"), row(6, "赵六", village="绿水村")])
    made = make(workspace, store)
    [(code, reason)] = made.not_posted
    assert code == "disability_living_subsidy" and "残疾" in reason
    assert {one.programme for one in made.lists} == {"subsistence_allowance"}
    assert make(workspace, store, programmes=["困难残疾人生活补贴"]).lists == []
    with pytest.raises(RefusedError, match="特困"):
        make(workspace, store, programmes=["特困"])


def test_small_quick_aid_is_not_posted(workspace: Workspace, store: Store) -> None:
    put_roll(
        store,
        "temporary_assistance",
        "青溪镇",
        MONTH,
        [row(1, "张三", category="小额快救"), row(2, "李四", category="急难型")],
    )
    [one] = make(workspace, store).lists
    assert one.households == 1 and "张*" not in shown(workspace, one.files[0])


def test_decided_changes_are_what_is_posted(workspace: Workspace, store: Store) -> None:
    put_roll(store, "subsistence_allowance", "青溪镇", MONTH, [row(1, "张三"), row(2, "李四")])
    sql = (
        "INSERT INTO proposal (case_id, proposal_key, month, programme, area, id_no, name, action, amount_before_fen, amount_after_fen, effective_month,"
        " reasons, basis, steps, needs_hearing, policy_digest, state, created_at)"
        " VALUES (?,?,?,'subsistence_allowance','青溪镇/青山村',?,?,?,62000,?,?,'','','[]',0,'','effective','')"
    )
    with store.transaction(actor="测试", command="test") as tx:
        tx.execute(sql, ("R1", "a", MONTH, make_id(1), "张三", "stop", 0, MONTH))
        tx.execute(sql, ("R2", "b", MONTH, make_id(2), "李四", "decrease", 40000, MONTH))
    [one] = make(workspace, store).lists
    assert (one.households, one.amount_fen) == (1, 40000)


@pytest.mark.parametrize("field", ["name", "village"])
def test_a_list_with_a_full_number_is_held_back(workspace: Workspace, store: Store, field: str) -> None:
    bad = row(1, "张三") | {field: f"{row(1, '张三')[field]}{make_id(7)}"}
    put_roll(store, "subsistence_allowance", "青溪镇", MONTH, [bad])
    put_roll(store, "subsistence_allowance", "白石镇", MONTH, [row(3, "王五", village="好村")])
    made = make(workspace, store)
    assert [one.area for one in made.lists] == ["白石镇/好村"] and len(made.held) == 1 and "身份证号" in made.held[0][2]
    assert make_id(7) not in made.held[0][2]
    assert not [p for p in workspace.root.rglob("*.docx") if "好村" not in p.name]
    assert len(postings.live_postings(store, MONTH)) == 1


def test_final_round_waits_for_the_first(workspace: Workspace, store: Store) -> None:
    fill(store)
    made = make(workspace, store, round_="final")
    assert not made.lists and len(made.waiting) == 2
    make(workspace, store)
    assert set(postings.posting_state(store, MONTH).values()) == {"open"}
    with pytest.raises(RefusedError, match="才期满"):
        close(workspace, store, date(2026, 10, 27))
    assert len(close(workspace, store, date(2026, 10, 28)).closed) == 2
    assert postings.posting_state(store, MONTH) == {
        ("subsistence_allowance", "青溪镇", "青山村"): "closed", ("subsistence_allowance", "青溪镇", "绿水村"): "closed",
    }  # fmt: skip
    final = make(workspace, store, round_="final", start=date(2026, 10, 29))
    assert len(final.lists) == 2 and "第二榜" in shown(workspace, final.lists[0].files[1])


def test_an_open_objection_keeps_the_posting_open(workspace: Workspace, store: Store) -> None:
    fill(store)
    make(workspace, store, programmes=["低保"])
    found = [p for p in postings.live_postings(store, MONTH) if p["village"] == "青山村"]
    options: dict[str, Any] = {"actor": "乙", "now": NOW, "received_on": TODAY}
    with pytest.raises(UsageError, match="没有叫"):
        objections.receive(store, found, person="孙七", text="x", **options)
    with pytest.raises(UsageError, match="内容"):
        objections.receive(store, found, person="", text=" ", **options)
    raised = objections.receive(store, found, person="张小明", text=f"他的号 {make_id(1)}", **options)
    assert make_id(1) not in str(raised.as_json())
    result = close(workspace, store, date(2026, 10, 30))
    assert [one["village"] for one in result.closed] == ["绿水村"] and "异议" in result.left[0][1]
    with pytest.raises(UsageError):
        objections.resolve(store, raised.number, result="也许", note="x", actor="丙", now=NOW)
    objections.resolve(store, raised.number, result="不成立", note="入户核实无车", actor="丙", now=NOW)
    with pytest.raises(RefusedError, match="已经答复"):
        objections.resolve(store, raised.number, result="成立", note="x", actor="丙", now=NOW)
    assert len(close(workspace, store, date(2026, 10, 30)).closed) == 1


def test_override_closes_early_and_is_journalled(workspace: Workspace, store: Store) -> None:
    fill(store)
    make(workspace, store)
    assert len(close(workspace, store, TODAY, override="临近春节，经会议研究").closed) == 2
    details = [entry["detail"] for entry in store.query("SELECT detail FROM journal WHERE entity LIKE 'posting:%'")]
    assert sum("经会议研究" in text for text in details) == 2


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ("days = 7\nunit = 'calendar'\ncount_first_day = true", "2026-10-27"),
        ("days = 7\nunit = 'calendar'\ncount_first_day = false", "2026-10-28"),
        ("days = 7\nunit = 'working'\ncount_first_day = true", "2026-10-29"),
        ("days = 7\nunit = 'working'\ncount_first_day = false", "2026-10-30"),
    ],
)
def test_days_by_two_parameters(workspace: Workspace, store: Store, settings: str, end: str) -> None:
    fill(store)
    path = workspace.root / "jiuzhu.toml"
    head, _, tail = path.read_text("utf-8").partition("[posting]\n")
    path.write_text(head + "[posting]\n" + settings + "\n[payment]" + tail.partition("[payment]")[2], "utf-8")
    reopened = find_workspace(workspace.root, explicit=True)
    made = make(reopened, store)
    assert {one.end for one in made.lists} == {end}
    assert ("7个工作日" in shown(reopened, made.lists[0].files[1])) == ("working" in settings)


@pytest.mark.parametrize(
    "setting", ["days = 0", "days = 'x'", "unit = 'weeks'", "count_first_day = 1", "names = 'none'"]
)
def test_wrong_settings_are_said_when_the_workspace_is_opened(workspace: Workspace, setting: str) -> None:
    key = setting.partition(" ")[0]
    path = workspace.root / "jiuzhu.toml"
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith(f"{key} ")]
    lines.insert(lines.index("[posting]") + 1, setting)
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(DataError, match=key):
        find_workspace(workspace.root, explicit=True)


def test_a_programme_that_asks_for_a_forbidden_column_is_a_policy_error(workspace: Workspace, store: Store) -> None:
    fill(store)
    folder = workspace.policy_dir / "programmes"
    folder.mkdir(parents=True)
    (folder / "subsistence_allowance.toml").write_text(
        '[posting]\nallowed = true\ncolumns = ["head_name", "account_no"]\n', "utf-8"
    )
    with pytest.raises(PolicyError, match="account_no"):
        make(workspace, store)


EVIL = "{{ ''.__class__.__mro__ }}"


@pytest.mark.parametrize(("text", "says"), [(EVIL, "不允许"), ("{{ unknown_word }}", "有误"), ("{{ title", "有误")])
def test_templates_are_sandboxed_and_strict(workspace: Workspace, store: Store, text: str, says: str) -> None:
    fill(store)
    own = workspace.templates_dir / "posting"
    own.mkdir(parents=True)
    document = Document()
    document.add_paragraph(text)
    document.save(str(own / "list.docx"))
    with pytest.raises(DataError, match=says):
        make(workspace, store)
    assert not postings.live_postings(store, MONTH)


def test_a_workspace_template_goes_first_and_text_is_escaped(workspace: Workspace, store: Store) -> None:
    put_roll(store, "subsistence_allowance", "青<镇&", MONTH, [row(1, "张三", village="村{{7*7}}")])
    own = workspace.templates_dir / "posting"
    own.mkdir(parents=True)
    document = Document()
    document.add_paragraph("本区样式：{{ title }}")
    document.save(str(own / "subsistence_allowance.docx"))
    [one] = make(workspace, store).lists
    text = shown(workspace, one.files[1])
    assert "本区样式：2026年10月青<镇&村{{7*7}}最低生活保障公示" in text
    assert (workspace.root / one.files[1]).resolve().is_relative_to(workspace.public.resolve())


@pytest.mark.parametrize("village", ["../../../etc", "a/b\\c", "CON", "村" * 200, "..", " "])
def test_names_never_leave_the_folder(workspace: Workspace, store: Store, village: str) -> None:
    put_roll(
        store,
        "subsistence_allowance",
        "..",
        MONTH,
        [row(1, "张三", village=village), row(2, "李四", village=village + "_")],
    )
    made = make(workspace, store)
    files = [workspace.root / path for one in made.lists for path in one.files]
    assert len(set(files)) == 4 and all(
        f.resolve().is_relative_to(workspace.public.resolve()) and f.exists() for f in files
    )
