"""The papers of a batch: what they say to the 分, that the same record gives the same bytes, that they stand on the record."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.core.errors import OutsideError, RefusedError
from jiuzhu_cli.ledger.audit import check_ledger
from jiuzhu_cli.ledger.files import changed_files, recorded_files
from jiuzhu_cli.payment import back_pay, papers, roster
from jiuzhu_cli.payment.figures import change
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.tabular.files import sha256_of
from tests.payment.conftest import MONTH, NOW, Desk, person
from tests.support import make_id

LOW, LIVING, ORPHAN = "subsistence_allowance", "disability_living_subsidy", "orphan_allowance"
SHARES = {"最低生活保障_农村_中央": "70", "最低生活保障_农村_县": "30", "最低生活保障_城市_县": "33.3"}


def shares(desk: Desk) -> None:
    text = "".join(
        f'[[parameter]]\nname = "资金分担_{name}"\nunit = "%"\nsource = "测试"\nvalues = [{{ since = 2025-01-01, value = {value} }}]\n'
        for name, value in SHARES.items()
    )
    folder = desk.workspace.policy_dir / "parameters"
    folder.mkdir(exist_ok=True)
    (folder / "shares.toml").write_text(text, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)


def month(desk: Desk, month_: str, households: int, persons: int) -> int:
    """A month's rolls in two towns, drafted and locked; returns the batch."""
    for town, base in (("甲镇", 0), ("乙镇", 100)):
        homes = [
            person(
                base + n,
                town=town,
                amount_fen=50_001 + n,
                category="农村" if n % 2 else "城市",
                covered_persons=n % 3 + 1,
            )
            for n in range(1, households + 1)
        ]
        desk.roll(homes, programme=LOW, area=town, month=month_, compare=False)
        desk.roll([person(base + 50 + n, town=town) for n in range(1, persons + 1)], area=town, month=month_)
    number = int(desk.draft(month_, override="测试：不公示").batch["payment_id"])
    desk.lock(number)
    return number


def make(desk: Desk, number: int, *kinds: str, **options: Any) -> papers.Papers:
    return papers.make_papers(
        desk.store, desk.workspace, desk.policy, desk.batch(number), kinds or (papers.SLIP, papers.SUMMARY, papers.ROSTER),
        actor="张经办", now=NOW + timedelta(days=1), command="pay papers", **options,
    )  # fmt: skip


def cells(desk: Desk, path: str, sheet: str = "") -> list[list[Any]]:
    book = openpyxl.load_workbook(desk.workspace.root / path)
    found = book[sheet] if sheet else book.worksheets[0]
    return [[cell for cell in row if cell is not None] for row in found.iter_rows(values_only=True)]


def texts(desk: Desk, path: str) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(desk.workspace.root / path):
        for row in sheet.iter_rows(values_only=True):
            yield from (str(cell) for cell in row if cell is not None)


def path_of(made: papers.Papers, kind: str) -> str:
    return next(str(paper["path"]) for paper in made.papers if paper["kind"] == kind)


def test_the_slip_says_what_is_signed_for(desk: Desk) -> None:
    shares(desk)
    month(desk, "2026-09", 3, 2)
    number = month(desk, MONTH, 4, 3)
    batch = desk.batch(number)
    made = make(desk, number, papers.SLIP)
    rows = cells(desk, path_of(made, papers.SLIP), "审批单")
    whole = batch["amount_fen"] / 100
    homes = 2 * sum(50_001 + n for n in range(1, 5))
    urban = 2 * sum(50_001 + n for n in (2, 4))
    assert batch["lines"] == 14 and ["控制摘要", f"{batch['control_sha256']}（SHA-256，明细改一个字就对不上）"] in rows
    assert ["最低生活保障（城市）", 4, 4, 10, urban / 100] in rows, "persons: 3 and 2, in two towns"
    assert ["最低生活保障（农村）", 4, 4, 6, (homes - urban) / 100] in rows
    assert ["合计", 14, 8, 22, whole] in rows
    assert ["制单时的合计", 14, whole, "一致"] in rows and ["按项目相加", 14, whole, "一致"] in rows
    assert ["笔数", "14", "10", "+40.00%", "—", "—"] in rows
    assert any(row and str(row[0]).startswith("制单人：张经办") for row in rows)
    assert any("审批人：\n" in str(cell) for row in rows for cell in row), "room for a name"
    desk.approve(number)
    again = make(desk, number, papers.SLIP)
    assert any(
        "审批人" in str(cell) and "李审批" in str(cell)
        for row in cells(desk, path_of(again, papers.SLIP))
        for cell in row
    )


def test_sources_add_up_and_what_nobody_wrote_is_left_open(desk: Desk) -> None:
    shares(desk)
    number = month(desk, MONTH, 5, 2)
    rows = cells(desk, path_of(make(desk, number, papers.SUMMARY), papers.SUMMARY), "按资金来源")
    rural = 2 * sum(50_001 + n for n in (1, 3, 5))
    urban = 2 * sum(50_001 + n for n in (2, 4))
    assert ["最低生活保障（农村）", "中央", "70%", (rural * 7 + 5) // 10 / 100] in rows
    assert ["最低生活保障（城市）", "县", "33.3%", (urban * 333 + 500) // 1000 / 100] in rows
    sums = {row[1]: row[2] for row in rows if row[:1] == ["合计"] and isinstance(row[1], str)}
    assert list(sums) == ["中央", "县", "未填"]
    assert round(sum(sums.values()) * 100) == desk.batch(number)["amount_fen"]


def test_months_are_compared_and_what_was_tried_again_counts_once(desk: Desk) -> None:
    first = month(desk, "2026-09", 2, 2)
    desk.approve(first), desk.export(first)
    for path in desk.answers(first, {1: "户名不符"}):
        desk.read(path)
    failed = desk.store.query("SELECT amount_fen FROM payment_line WHERE payment_id = ? AND state = 'failed'", (first,))
    retry = desk.draft("2026-09", override="已更正").batch
    desk.lock(retry["payment_id"])
    assert failed and retry["lines"] == len(failed)
    number = month(desk, MONTH, 3, 2)
    rows = cells(desk, path_of(make(desk, number, papers.SLIP), papers.SLIP))
    before, now = desk.batch(first), desk.batch(number)
    assert ["笔数", "10", str(before["lines"]), change(10, before["lines"]), "—", "—"] in rows
    money = next(row for row in rows if row[:1] == ["金额（元）"])
    assert money[2] == f"{before['amount_fen'] / 100:,.2f}", "the line paid again is in September once"
    assert money[3] == change(now["amount_fen"], before["amount_fen"])
    # what comes later changes nothing in what was said then
    digests = {p["path"]: p["sha256"] for p in make(desk, first).papers}
    desk.approve(number)
    assert {p["path"]: p["sha256"] for p in make(desk, first).papers} == digests


@pytest.mark.parametrize(("now", "then", "told"), [(3, 2, "+50.00%"), (1, 3, "-66.67%"), (5, 5, "0.00%"), (5, 0, "—"), (200_001, 200_000, "0.00%"), (200_010, 200_000, "+0.01%"), (199_990, 200_000, "-0.01%")])  # fmt: skip
def test_change_in_hundredths_of_a_per_cent(now: int, then: int, told: str) -> None:
    assert change(now, then) == told


def test_made_again_the_same_bytes_and_an_altered_one_is_told(desk: Desk) -> None:
    number = month(desk, MONTH, 2, 1)
    made = make(desk, number)
    files = {p["path"]: (desk.workspace.root / p["path"]).read_bytes() for p in made.papers}
    recorded = {str(row["path"]): row for row in recorded_files(desk.store, entity=papers.entity_of(number))}
    assert recorded.keys() == files.keys() and changed_files(desk.store, desk.workspace) == []
    for path in files:
        (desk.workspace.root / path).unlink()
    again = make(desk, number)
    assert again.written == len(files) and {p: (desk.workspace.root / p).read_bytes() for p in files} == files
    assert make(desk, number).written == 0
    slip = desk.workspace.root / path_of(made, papers.SLIP)
    slip.write_bytes(b"altered")
    assert (path_of(made, papers.SLIP), "altered") in changed_files(desk.store, desk.workspace)
    with pytest.raises(RefusedError) as error:
        make(desk, number)
    assert error.value.code == "altered_file" and slip.read_bytes() == b"altered"
    assert make(desk, number, mend=True).mended == [path_of(made, papers.SLIP)]
    assert slip.read_bytes() == files[path_of(made, papers.SLIP)]


def test_the_roster_pages_have_their_sums(desk: Desk) -> None:
    names = ["阿卜杜热合曼·买买提伊明·图尔荪江·吐尔逊", "张三"]
    rows = [person(n, name=names[n % 2], amount_fen=100 + n, village=f"{n % 3}村") for n in range(1, 101)]
    desk.roll(rows)
    number = int(desk.draft().batch["payment_id"])
    desk.lock(number)
    made = make(desk, number, papers.ROSTER)
    assert [p["kind"] for p in made.papers] == [papers.ROSTER, papers.FILING] and made.papers[0]["lines"] == 100
    book = openpyxl.load_workbook(desk.workspace.root / path_of(made, papers.ROSTER))
    sheet = book.active
    assert sheet is not None and sheet.page_setup.orientation == "landscape" and sheet.print_title_rows == "$1:$3"
    table = [list(row) for row in sheet.iter_rows(min_row=4, values_only=True)]
    breaks = [b.id - 3 for b in sheet.row_breaks.brk]
    pages = [table[start:end] for start, end in zip([0, *breaks], [*breaks, len(table)], strict=True)]
    seen: list[int] = []
    for page in pages:
        lines = [row for row in page if isinstance(row[0], int)]
        small = next(row for row in page if row[1] == "本页小计")
        assert 0 < len(lines) <= roster.ROWS_PER_PAGE and small[2] == f"{len(lines)} 笔"
        assert round(small[6] * 100) == round(sum(row[6] for row in lines) * 100)
        seen += [row[0] for row in lines]
    assert seen == list(range(1, 101))
    whole = next(row for row in table if row[1] == "合计")
    assert round(whole[6] * 100) == sum(100 + n for n in range(1, 101)) == made.papers[0]["amount_fen"]
    heights = [sheet.row_dimensions[n].height or 15 for n in range(1, sheet.max_row + 1)]
    above = sum(heights[:3])
    for start, end in zip([0, *breaks], breaks, strict=False):
        used = above + sum(heights[3 + start : 3 + end])
        room = roster.page_room([c.width for c in roster.COLUMNS], landscape=True)
        assert room - roster.SLACK - 12 <= used <= room, (
            "full pages are full: where the spreadsheet ignores breaks it breaks there itself"
        )


def test_the_edition_passed_from_hand_to_hand_covers_numbers_and_none_is_public(desk: Desk) -> None:
    desk.roll([person(1), person(2)])
    desk.roll([person(3)], programme=ORPHAN)
    number = int(desk.draft().batch["payment_id"])
    desk.lock(number)
    full, covered = make(desk, number, papers.ROSTER), make(desk, number, papers.ROSTER, masked=True)
    told = {text for paper in covered.papers[:-1] for text in texts(desk, paper["path"])}
    open_ = {text for paper in full.papers[:-1] for text in texts(desk, paper["path"])}
    for serial in (1, 2, 3):
        assert make_id(serial) in open_ and make_id(serial) not in told
        assert f"6217{serial:012d}" in open_ and f"6217{serial:012d}" not in told
    assert all(p["path"].startswith("out/internal/") for p in (*full.papers, *covered.papers))
    assert not list(desk.workspace.public.rglob("*"))
    only = make(desk, number, papers.ROSTER, programmes=[ORPHAN], town="甲镇")
    assert [p["lines"] for p in only.papers[:-1]] == [1]
    assert len(recorded_files(desk.store, entity=papers.entity_of(number))) == 5, "choosing some withdraws none"


def test_debit_is_credit_and_what_is_not_known_is_marked(desk: Desk) -> None:
    shares(desk)
    number = month(desk, MONTH, 5, 3)
    with pytest.raises(RefusedError) as error:
        make(desk, number, papers.VOUCHER)
    assert error.value.code == "not_exported"
    desk.approve(number), desk.export(number)
    made = make(desk, number, papers.VOUCHER)
    paths = [desk.workspace.root / p["path"] for p in made.papers]
    assert [path.suffix for path in paths] == [".xlsx", ".csv", ".json"]
    with paths[1].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for books in ("财务会计", "预算会计"):
        of = [row for row in rows if row["账套"] == books]
        debit = sum(round(float(row["借方金额（元）"] or 0) * 100) for row in of)
        credit = sum(round(float(row["贷方金额（元）"] or 0) * 100) for row in of)
        assert debit == credit == desk.batch(number)["amount_fen"]
    rural = [
        row for row in rows if row["救助项目"] == "最低生活保障" and row["类别"] == "农村" and row["科目代码"] == "5001"
    ]
    assert [(row["支出功能分类代码"], row["资金来源"]) for row in rural] == [("2081902", "中央"), ("2081902", "县")]
    assert all("资金来源" not in row["核对"] for row in rural)
    open_ = [row for row in rows if row["资金来源"] == "未填"]
    assert open_ and all("请核对" in row["核对"] and "资金来源" in row["核对"] for row in open_)
    shown = cells(desk, made.papers[0]["path"], "记账凭证")
    assert ["财务会计", "合计", desk.batch(number)["amount_fen"] / 100, desk.batch(number)["amount_fen"] / 100] in shown


def test_what_came_back_is_booked_off_to_the_fen(desk: Desk) -> None:
    shares(desk)
    number = month(desk, MONTH, 3, 2)
    desk.approve(number), desk.export(number)
    assert make(desk, number, papers.RETURNED).papers == [], "nothing has come back yet"
    for path in desk.answers(number, {1: "户名不符", 4: "账号不存在", 9: "户名不符"}):
        desk.read(path)
    made = make(desk, number, papers.RETURNED)
    back = desk.store.query(
        "SELECT SUM(amount_fen), COUNT(*) FROM payment_line WHERE payment_id = ? AND state = 'failed'", (number,)
    )[0]
    assert [(p["lines"], p["amount_fen"]) for p in made.papers[:-1]] == [(back[1], back[0])] * 2 and back[1] == 3
    with (desk.workspace.root / made.papers[1]["path"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for side in ("借方金额（元）", "贷方金额（元）"):
        amounts = [Decimal(row[side]) for row in rows if row[side] and row["账套"] == "预算会计"]
        assert sum(amounts) == -Decimal(back[0]) / 100 and all(amount < 0 for amount in amounts)
    assert all(row["摘要"].startswith("退回冲减2026年10月第1次") for row in rows)


def test_a_programme_of_the_bureau_without_subjects_is_marked(desk: Desk) -> None:
    folder = desk.workspace.policy_dir / "programmes"
    folder.mkdir()
    (folder / "winter_fuel.toml").write_text(
        'code = "winter_fuel"\nname = "冬季取暖补贴"\ndepartment = "民政"\ngroup = "专项救助"\nunit = "household"\nbenefit = "fixed"\n'
        'required = ["name", "id_no", "amount_fen"]\nsource = "测试"\n[posting]\nallowed = false\nreason = "测试"\n',
        "utf-8",
    )
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)
    desk.roll([person(1)], programme="winter_fuel")
    number = desk.pay()
    rows = cells(desk, make(desk, number, papers.VOUCHER).papers[0]["path"], "记账凭证")
    assert all(row[5] == "请核对" and "支出科目" in row[-2] for row in rows if row and row[-1] == "冬季取暖补贴")
    assert sum(1 for row in rows if row and row[-1] == "冬季取暖补贴") == 4


def test_months_paid_back_are_told_and_a_person_counts_once(desk: Desk) -> None:
    first = desk.roll([person(1), person(2)], month="2026-09")
    desk.pay("2026-09")
    desk.supersede(first, [person(1, amount_fen=12_000), person(2)], month="2026-09")
    desk.compare("2026-09")
    desk.roll([person(1, amount_fen=12_000), person(2)])
    back_pay.find(desk.store, desk.workspace, desk.policy, actor="张经办", now=NOW)
    back_pay.decide(desk.store, [1], confirmed=True, note="核实", actor="张经办", now=NOW)
    number = int(desk.draft().batch["payment_id"])
    desk.lock(number)
    made = make(desk, number)
    rows = cells(desk, path_of(made, papers.SLIP), "审批单")
    assert ["其中补发以前月", "1 笔　¥19.99"] in rows
    assert next(row for row in rows if row[:1] == ["合计"])[1:] == [3, 2, 240.01], "three lines, two persons"
    table = cells(desk, path_of(made, papers.ROSTER))
    assert [row[4:7] for row in table if row[:2] == [1, person(1)["name"]]] == [["2026-09", 1, 19.99]]
    desk.approve(number), desk.export(number)
    assert len(make(desk, number, papers.VOUCHER).papers) == 3


def test_holds_and_overrides_are_printed(desk: Desk) -> None:
    desk.roll([person(1), person(2, account_no="")])
    desk.roll([person(3), person(4)], programme=LOW)  # never posted
    number = int(desk.draft(override="区政府专题会议纪要〔2026〕8号").batch["payment_id"])
    desk.lock(number)
    path = path_of(make(desk, number, papers.SLIP), papers.SLIP)
    rows = cells(desk, path, "审批单")
    held = next(n for n, row in enumerate(rows) if row[:1] == ["六、拦下不发的"])
    assert rows[held + 2][1:] == [1, 100.02]
    told = "\n".join(texts(desk, path))
    assert "区政府专题会议纪要〔2026〕8号" in told
    assert make_id(3) not in told and make_id(4) not in told


def test_a_batch_locked_anew_withdraws_the_papers_of_the_earlier_lock(desk: Desk) -> None:
    from jiuzhu_cli.ledger import payment_moves

    desk.roll([person(1)]), desk.roll([person(2)], area="乙镇")
    number = int(desk.draft().batch["payment_id"])
    desk.lock(number)
    first = make(desk, number)
    with desk.store.transaction(actor="张经办", command="test", now=desk.now) as tx:
        payment_moves.set_reopened(tx, number, "改名册")
    with pytest.raises(RefusedError) as error:
        make(desk, number)
    assert error.value.code == "not_locked"
    desk.store.connection.execute("UPDATE batch SET status = 'undone' WHERE area = '乙镇'")
    desk.store.connection.commit()
    desk.draft(), desk.lock(number)
    second = make(desk, number, anew=True)
    gone = {p["path"] for p in first.papers} - {p["path"] for p in second.papers}
    assert len(gone) == 1 and not any((desk.workspace.root / path).exists() for path in gone)
    assert changed_files(desk.store, desk.workspace) == []
    assert sum(row[1] for row in cells(desk, path_of(second, papers.SLIP)) if row[:1] == ["甲镇"]) == 1


def test_the_filing_list_names_every_file_and_every_move(desk: Desk) -> None:
    shares(desk)
    number = month(desk, MONTH, 2, 1)
    make(desk, number)
    desk.approve(number)
    exported = desk.export(number)
    made = make(desk, number, papers.SLIP, papers.VOUCHER)
    filed = json.loads((desk.workspace.root / path_of(made, papers.FILING)).read_text("utf-8"))
    named = {one["path"]: one["sha256"] for one in filed["files"]}
    assert {f["path"] for f in exported.files} | {exported.cover, exported.manifest} <= named.keys()
    assert {p["path"] for p in made.papers} - {path_of(made, papers.FILING)} <= named.keys()
    assert {"花名册", "发放汇总表"} <= {Path(path).name.split("_")[0] for path in named}
    for path, digest in named.items():
        assert sha256_of(desk.workspace.root / path) == digest
    way = [(move["from_state"], move["to_state"]) for move in filed["moves"]]
    assert way == [
        ("", "draft"),
        ("draft", "locked"),
        ("locked", "approved"),
        ("approved", "released"),
        ("released", "exported"),
    ]
    assert not any(make_id(serial) in json.dumps(filed, ensure_ascii=False) for serial in range(1, 160))


def test_whole_numbers_of_people_are_let_through_and_none_is_named_in_full(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.roll([person(n) for n in range(1, 13)], programme=LOW)  # not posted: let through as a whole
    number = int(desk.draft(override="专题会议纪要").batch["payment_id"])
    desk.lock(number)
    path = path_of(make(desk, number, papers.SLIP), papers.SLIP)
    assert openpyxl.load_workbook(desk.workspace.root / path).sheetnames == ["审批单", "放行明细"]
    row = next(row for row in cells(desk, path, "审批单") if "专题会议纪要" in row)
    assert row[1].startswith("12 笔 ") and row[1].endswith("等") and row[1].count("（") == 8 and row[4] == "待第二人"
    desk.approve(number)
    row = next(
        row
        for row in cells(desk, path_of(make(desk, number, papers.SLIP), papers.SLIP), "审批单")
        if "专题会议纪要" in row
    )
    assert row[3:5] == ["张经办", "李审批"]
    monkeypatch.setattr(papers, "LISTED", 10)
    few = path_of(make(desk, number, papers.SLIP), papers.SLIP)
    assert openpyxl.load_workbook(desk.workspace.root / few).sheetnames == ["审批单"]


def test_a_draft_has_no_papers(desk: Desk) -> None:
    desk.roll([person(1)])
    number = int(desk.draft().batch["payment_id"])
    with pytest.raises(RefusedError):
        make(desk, number)
    assert not list((desk.workspace.internal / "pay").rglob("审批单*")) and isinstance(desk.workspace.root, Path)


def test_a_run_that_was_killed_before_it_noted_what_it_wrote_is_no_alteration(desk: Desk) -> None:
    number = month(desk, MONTH, 2, 1)
    locked = make(desk, number, papers.SLIP)
    slip = desk.workspace.root / path_of(locked, papers.SLIP)
    desk.approve(number)
    old = desk.store.query("SELECT path, sha256, bytes FROM output_file WHERE kind = 'slip'")
    approved = make(desk, number, papers.SLIP)
    assert path_of(approved, papers.SLIP) == path_of(locked, papers.SLIP) and old[0][1] != sha256_of(slip)
    # as if the process had ended between writing and noting
    with desk.store.transaction(actor="张经办", command="test", now=desk.now) as tx:
        tx.execute("UPDATE output_file SET sha256 = ?, bytes = ? WHERE path = ?", (old[0][1], old[0][2], old[0][0]))
        tx.journal("test", {})
    again = make(desk, number, papers.SLIP)
    assert again.mended == [] and changed_files(desk.store, desk.workspace) == []
    assert not list(slip.parent.rglob(".*"))


def test_a_disk_that_refuses_leaves_what_was_written_on_record(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    number = month(desk, MONTH, 2, 1)

    def full(*_: Any, **__: Any) -> str:
        raise OutsideError("写不了文件", "检查磁盘空间")

    monkeypatch.setattr(papers, "write_xlsx", full)
    with pytest.raises(OutsideError):
        make(desk, number)
    assert [row["kind"] for row in recorded_files(desk.store, entity=papers.entity_of(number))] == [
        "slip",
        "filing_list",
    ]
    assert changed_files(desk.store, desk.workspace) == []
    monkeypatch.undo()
    assert len(make(desk, number).papers) == 7


def test_sums_that_the_papers_rest_on_are_audited(desk: Desk) -> None:
    number = month(desk, MONTH, 2, 1)
    make(desk, number)
    assert not [p for p in check_ledger(desk.store, desk.workspace).problems if p.code == "paper_totals"]
    with desk.store.transaction(actor="张经办", command="test", now=desk.now) as tx:
        tx.execute("UPDATE payment_sum SET amount_fen = amount_fen + 1 WHERE payment_id = ?", (number,))
        tx.journal("test", {})
    assert [p.entity for p in check_ledger(desk.store, desk.workspace).problems if p.code == "paper_totals"] == [
        f"payment:{number}"
    ]
    with pytest.raises(RefusedError) as error:
        make(desk, number)
    assert error.value.code == "sums_differ"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_pages_end_where_their_sums_stand_when_printed(desk: Desk, tmp_path: Path) -> None:
    desk.roll([person(n, village="观音垱镇柳港村" if n % 7 else "一村") for n in range(1, 61)])
    number = int(desk.draft().batch["payment_id"])
    desk.lock(number)
    made = make(desk, number, papers.ROSTER, papers.SLIP)
    for kind, pages in ((papers.ROSTER, (3,)), (papers.SLIP, (1, 2))):
        source = tmp_path / f"{kind}.xlsx"
        shutil.copy(desk.workspace.root / path_of(made, kind), source)
        home = f"-env:UserInstallation=file://{tmp_path / 'home'}"
        subprocess.run(["soffice", home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(source)], check=True, capture_output=True, timeout=120)  # fmt: skip
        printed = len(re.findall(rb"/Type\s*/Page[^s]", source.with_suffix(".pdf").read_bytes()))
        assert printed in pages, kind
