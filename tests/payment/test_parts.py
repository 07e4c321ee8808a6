"""Which lines stand in which file: own bank and others, splits by count and by sum, what the settings must say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.account import bank_code_check
from jiuzhu_cli.core.errors import DataError, RefusedError
from jiuzhu_cli.payment.bankfile import read_export
from jiuzhu_cli.payment.parts import bound_layout
from jiuzhu_cli.policy.check_banks import check_banks
from jiuzhu_cli.tabular.read import read_workbook
from tests.payment.conftest import NOW, Desk, person

OWN_CODE = "102421002013"  # 工行
OTHER_CODE = "402421002016"  # 农信社
BASE = """name = "试"
banks = ["工商银行", "工行"]
routed = false
container = "delimited"
source = "测试"
file_name = "try_{month}_{sequence:02d}"
columns = [
  { name = "序号", source = "line_no" },
  { name = "账号", source = "account_no" },
  { name = "户名", source = "payee_name" },
  { name = "行别", source = "own_flag", own = "0", other = "1" },
  { name = "行号", source = "bank_code", only = "other", required = true },
  { name = "金额", source = "amount" },
]
"""


def ready(desk: Desk, more: str, people: list[dict[str, Any]]) -> None:
    desk.write_policy("try", BASE.replace('source = "测试"', f'source = "测试"\n{more}', 1))
    desk.configure('default_bank = "card_xlsx"', 'banks = ["try"]')
    desk.roll(people)


def exported(desk: Desk) -> dict[str, dict[str, list[Any]]]:
    """File name → columns, of the batch exported now."""
    desk.draft(), desk.lock(), desk.approve()
    made = desk.export()
    layout = bound_layout(desk.workspace, desk.policy, made.files[0]["bank"])
    assert sum(file["amount_fen"] for file in made.files) == made.batch["amount_fen"]
    return {
        Path(file["path"]).name: read_export(layout, desk.workspace.root / file["path"]).columns for file in made.files
    }


def mixed() -> list[dict[str, Any]]:
    return [
        person(1, bank_name="中国工商银行甲支行"),
        person(2, bank_name="甲县农村信用社", bank_code=OTHER_CODE),
        person(3, bank_name="", bank_code=OWN_CODE),
        person(4, bank_name="工行", bank_code=OTHER_CODE),  # the number decides
    ]


def test_own_bank_by_name_or_by_number_in_one_file(desk: Desk) -> None:
    assert all(bank_code_check(code[:11]) == code[11] for code in (OWN_CODE, OTHER_CODE))
    ready(desk, 'other_bank = "same"', mixed())
    columns = exported(desk)["try_2026-10_01.txt"]
    by_name = dict(zip(columns["payee_name"], columns["own_flag"], strict=True))
    flags = [by_name[person(i)["name"]] for i in (1, 2, 3, 4)]
    assert flags == ["own", "other", "own", "other"]
    codes = dict(zip(columns["payee_name"], columns["bank_code"], strict=True))
    assert [codes[person(i)["name"]] for i in (1, 2, 3, 4)] == ["", OTHER_CODE, "", OTHER_CODE]


def test_own_bank_and_others_in_two_files(desk: Desk) -> None:
    ready(desk, 'other_bank = "separate"', mixed())
    files = exported(desk)
    assert sorted(files) == ["try_2026-10_01_本行.txt", "try_2026-10_01_跨行.txt"]
    assert set(files["try_2026-10_01_跨行.txt"]["own_flag"]) == {"other"}
    for path in desk.answers(1, {2: "户名不符"}):
        desk.read(path)
    assert desk.batch(1)["state"] == "reconciled"


def test_whose_account_it_is_is_never_guessed(desk: Desk) -> None:
    people = [*mixed(), person(5, bank_name=""), person(6, bank_name="甲县农村信用社")]
    ready(desk, 'other_bank = "same"', people)
    made = desk.draft()
    assert made.holds_by_code == {"unfit": 2} and made.batch["lines"] == 4
    reasons = {h["recipient_name"]: h["reason"] for h in _holds(desk)}
    assert "看不出是不是本行" in reasons[person(5)["name"]] and "没有行号" in reasons[person(6)["name"]]


def test_other_banks_refused(desk: Desk) -> None:
    ready(desk, 'other_bank = "refused"', mixed())
    assert desk.draft().holds_by_code == {"unfit": 2}


def _holds(desk: Desk) -> list[dict[str, Any]]:
    from jiuzhu_cli.ledger import payments

    return payments.holds(desk.store, 1)


def own(count: int) -> list[dict[str, Any]]:
    return [person(i, bank_name="工行") for i in range(1, count + 1)]


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ("max_lines = 3", [3, 3, 1]),
        ("max_file_fen = 20003", [2, 1, 1, 1, 1, 1]),  # two of them make 20,003 分 and more
        ("max_file_fen = 30006", [3, 2, 2]),
        ("max_lines = 2\nmax_file_fen = 30006", [2, 2, 2, 1]),
    ],
)
def test_files_are_split_by_count_and_by_sum(desk: Desk, limits: str, sizes: list[int]) -> None:
    ready(desk, limits, own(7))
    files = exported(desk)
    assert [len(columns["amount"]) for _, columns in sorted(files.items())] == sizes
    assert sorted(files) == [f"try_2026-10_01_{i:02d}.txt" for i in range(1, len(sizes) + 1)]
    assert sorted(n for columns in files.values() for n in columns["line_no"]) == list(range(1, 8))
    cover = next(path for path in (desk.workspace.bank / "2026-10" / "1").glob("汇总单*"))
    cells = [str(cell) for column in read_workbook(cover).sheets[0].columns for cell in column]
    assert all(name in cells for name in files), "every file stands on the cover sheet"
    for path in desk.answers(1, {3: "户名不符"}):
        desk.read(path)
    assert desk.batch(1)["state"] == "reconciled"


def test_a_lost_file_comes_back_the_same_or_not_at_all(desk: Desk) -> None:
    """A layout that was changed since would give the bank another file under the same name."""
    ready(desk, "header = false", own(3))
    exported(desk)
    path = next(desk.workspace.bank.glob("2026-10/1/try*"))
    sent = path.read_bytes()
    path.unlink()
    desk.write_policy("try", BASE.replace('container = "delimited"', 'container = "delimited"\ndelimiter = ";"'))
    with pytest.raises(RefusedError) as error:
        desk.export(1)
    assert error.value.code == "altered_layout" and not path.exists()
    desk.write_policy("try", BASE)
    desk.export(1)
    assert path.read_bytes() == sent


def test_the_bureaus_own_layout_goes_before_a_shipped_one_of_the_same_bank(desk: Desk) -> None:
    desk.write_policy("zz_own", BASE.replace("routed = false\n", "").replace("try_", "own_"))
    assert [p for p in check_banks(desk.policy, NOW.date()) if "zz_own" in p.where] == []
    desk.roll(own(2))
    assert [file["bank"] for file in _export(desk)] == ["zz_own"]


def _export(desk: Desk) -> list[dict[str, Any]]:
    desk.draft(), desk.lock(), desk.approve()
    return desk.export().files


def test_a_line_beyond_what_a_file_may_hold_is_held(desk: Desk) -> None:
    ready(desk, "max_file_fen = 10003", own(5))
    assert desk.draft().holds_by_code == {"over_cap": 2}


def test_social_security_cards_have_a_file_of_their_own(desk: Desk) -> None:
    desk.configure('default_bank = "card_xlsx"', 'banks = ["card_split_xlsx"]')
    desk.roll([person(1), person(2, account_no="6210000000000002"), person(3)])
    assert any("own_prefixes" in text for text in desk.draft().warnings)
    desk.lock(), desk.approve()
    with pytest.raises(DataError, match="哪些账号") as error:
        desk.export()
    assert "own_prefixes" in error.value.todo
    assert desk.batch(1)["state"] == "approved" and not (desk.workspace.bank / "2026-10").exists()
    desk.configure("[mail]", '[payment.constants.card_split_xlsx]\nown_prefixes = "6210 6211"\n[mail]')
    names = {Path(file["path"]).stem.rpartition("_")[2]: file["lines"] for file in desk.export().files}
    assert names == {"社保卡": 1, "非社保卡": 2}


def test_settings_that_are_missing_are_said_at_the_draft_and_stop_the_export(desk: Desk) -> None:
    desk.configure('default_bank = "card_xlsx"', 'banks = ["icbc_batch_xls"]')
    desk.roll(own(3))
    made = desk.draft()
    assert any("payer_account" in text for text in made.warnings) and any(
        "payer_bank" in text for text in made.warnings
    )
    desk.lock(), desk.approve()
    with pytest.raises(DataError, match=r"\[payment\] 写 payer_account"):
        desk.export()
    desk.configure('payer_name = ""', 'payer_name = "甲区民政局"')
    desk.configure('payer_account = ""', 'payer_account = "1100000000000000001"')
    desk.configure("[mail]", '[payment.constants]\npayer_bank = "工行甲支行"\n[mail]')
    path = desk.workspace.root / desk.export().files[0]["path"]
    assert path.suffix == ".xls" and path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0"
    sheet = read_workbook(path).sheets[0]
    assert [sheet.columns[c][1] for c in (0, 1, 2)] == ["工行甲支行", "1100000000000000001", "甲区民政局"]


def test_layouts_that_no_software_writes_cannot_be_chosen(desk: Desk) -> None:
    desk.configure('default_bank = "card_xlsx"', 'default_bank = "cmb_sa"')
    desk.roll(own(1))
    with pytest.raises(DataError, match="密钥"):
        desk.draft()


def test_days_and_months_are_written_in_the_banks_style(desk: Desk) -> None:
    columns = BASE.replace('  { name = "行别", source = "own_flag", own = "0", other = "1" },\n', '  { name = "日期", source = "date", style = "yyyy/MM/dd" },\n').replace(
        '  { name = "行号", source = "bank_code", only = "other", required = true },\n', '  { name = "月份", source = "month", style = "yyyyMM" },\n'
    )  # fmt: skip
    desk.write_policy("try", columns)
    desk.configure('default_bank = "card_xlsx"', 'banks = ["try"]')
    desk.roll(own(2))
    files = exported(desk)
    text = next(desk.workspace.bank.glob("2026-10/1/try*")).read_bytes().decode("gbk")
    assert "|2026/10/25|202610|" in text and set(next(iter(files.values()))["month"]) == {"2026-10"}


def test_several_payments_of_one_payee_are_one_row(desk: Desk) -> None:
    ready(desk, 'other_bank = "same"', own(3))
    desk.configure('banks = ["try"]', 'banks = ["try"]\ncombine_payees = true')
    desk.roll(own(3), programme="disability_care_subsidy")
    columns = exported(desk)["try_2026-10_01.txt"]
    assert sorted(columns["amount"]) == [2 * (10_000 + i) for i in (1, 2, 3)] and columns["own_flag"] == ["own"] * 3
    for path in desk.answers(1, {2: "户名不符"}):
        desk.read(path)
    assert desk.batch(1)["state"] == "reconciled"


NARROW = BASE.replace('container = "delimited"', 'container = "fixed"').replace('banks = ["工商银行", "工行"]\n', "").split("columns = [")[0] + """columns = [
  { name = "序号", source = "line_no", width = 6 },
  { name = "账号", source = "account_no", width = 32 },
  { name = "户名", source = "payee_name", width = 40 },
  { name = "金额", source = "amount", width = AMOUNT, align = "right", pad = "0", point = false },
  { name = "用途", source = "purpose", width = PURPOSE },
]
"""  # fmt: skip


def narrow(desk: Desk, amount: int, purpose: int) -> None:
    desk.write_policy("try", NARROW.replace("AMOUNT", str(amount)).replace("PURPOSE", str(purpose)))


@pytest.mark.parametrize(("amount", "purpose", "column"), [(5, 60, "金额"), (9, 24, "用途")])
def test_what_does_not_fit_together_goes_apart(desk: Desk, amount: int, purpose: int, column: str) -> None:
    """Sums and purposes of several lines are longer than those of one: said when drafted, paid singly, not refused at the bank's door."""
    narrow(desk, amount, purpose)
    desk.configure('default_bank = "card_xlsx"', 'banks = ["try"]\ncombine_payees = true')
    people = [person(1, amount_fen=60_000), person(2, amount_fen=100)]
    desk.roll(people)
    desk.roll(people[:1], programme="disability_care_subsidy")
    made = desk.draft()
    assert [column in text and "1 笔合并后写不下" in text for text in made.warnings] == [True]
    assert desk.draft().warnings == made.warnings
    desk.lock(), desk.approve()
    assert sum(file["lines"] for file in desk.export().files) == 3


def test_what_fits_together_stays_together(desk: Desk) -> None:
    narrow(desk, 9, 60)
    desk.configure('default_bank = "card_xlsx"', 'banks = ["try"]\ncombine_payees = true')
    desk.roll([person(1)])
    desk.roll([person(1)], programme="disability_care_subsidy")
    assert desk.draft().warnings == []
    narrow(desk, 5, 60)  # the bank's form changed after the draft: still wide enough for each alone and for both
    desk.lock(), desk.approve()
    assert sum(file["lines"] for file in desk.export().files) == 1


def test_a_form_that_became_narrower_is_told_at_locking(desk: Desk) -> None:
    narrow(desk, 9, 60)
    desk.configure('default_bank = "card_xlsx"', 'banks = ["try"]\ncombine_payees = true')
    desk.roll([person(1, amount_fen=60_000)])
    desk.roll([person(1, amount_fen=60_000)], programme="disability_care_subsidy")
    desk.draft()
    narrow(desk, 5, 60)
    with pytest.raises(RefusedError, match="合并的转账写不下"):
        desk.lock()
    desk.draft()
    desk.lock()
