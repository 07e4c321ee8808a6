"""Bank layouts: golden files for each one shipped, and every refusal."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.payment.answers import decode_return
from jiuzhu_cli.payment.bankfile import read_export, self_check, write_part
from jiuzhu_cli.payment.layout import SUFFIX, bind, decode_text, encode_text, problems_of
from jiuzhu_cli.payment.parts import Part
from jiuzhu_cli.payment.values import Lines
from jiuzhu_cli.policy.bank_layout import BankLayout
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.read import read_workbook

GOLDEN = Path(__file__).parent.parent / "golden"
BY_THE_BANK = {"boc_fast", "cmb_sa", "icbc_office"}  # no software but the bank's makes these
SETTINGS = {
    "payer_name": "甲区民政局",
    "payer_account": "1100000000000000001",
    "agreement_no": "8800",
    "constants": {
        "payer_bank": "工行甲支行", "province": "甲省", "city": "甲市", "unit_code": "101001", "budget_item": "低保",
        "boc_field_xlsx": {"branch_no": "41"},
    },
}  # fmt: skip
# codes of the shipped layouts: known here, so that one that is lost or renamed is noticed
BANKS = (
    "abc_xls", "abc_xlsx", "boc_field_xlsx", "boc_xlsx", "bocom_text", "card_split_xlsx", "card_xlsx", "ccb_xls", "ccb_xlsx",
    "civil_affairs_xlsx", "fiscal_xlsx", "icbc_batch_xls", "icbc_xlsx", "pain001", "postal_fixed", "rural_text", "salary_text",
)  # fmt: skip


def bound(policy: Policy, code: str) -> BankLayout:
    return bind(policy.banks[code], SETTINGS)


def sample() -> dict[str, list[Any]]:
    """Four lines that do not exist: one 分, a large sum, an interpunct, a long account."""
    return {
        "line_no": [1, 2, 3, 4],
        "payee_name": ["王小丫", "阿卜杜拉·买买提", "欧阳一", "赵四"],
        "payee_id_no": ["421002197001010038", "421002197001010054", "421002197001010070", ""],
        "account_no": ["6217000000000000001", "81010000123456789", "0100200300400", "62170000000000000000000000000009"],
        "bank_name": ["甲银行", "", "甲银行乙支行", ""],
        "amount": [1, 123_456_789, 65_000, 10_000],
        "purpose": ["低保金2026-10"] * 4,
        "phone": ["13800000000", "", "", ""],
        "address": ["甲镇一村1组", "", "", ""],
        "person_name": ["王小丫", "阿卜杜拉·买买提", "欧阳一", "赵小四"],
        "person_id_no": ["421002197001010038", "421002197001010054", "421002197001010070", "421002201501010017"],
        "programme": ["农村低保"] * 4,
        "month": ["2026-10"] * 4,
        "persons": [1, 3, 2, 1],
    }


def with_others() -> dict[str, list[Any]]:
    """The same lines, the second of another bank."""
    return sample() | {
        "own_flag": ["own", "other", "own", "own"],
        "bank_code": ["", "402421002016", "102421002013", ""],
        "bank_name": ["甲银行", "甲农信社", "甲银行乙支行", "丙支行"],
    }


SUMMARY = {
    "lines": 4,
    "total": 123_531_790,
    "month": "2026-10",
    "date": "20261025",
    "sequence": 1,
    "batch": 7,
    "agreement_no": "8800",
}


def shown(layout: BankLayout, path: Path) -> str:
    """What the golden file holds: the bytes of a text file, the cells of a workbook."""
    if not layout.is_book:
        return path.read_bytes().decode(layout.encoding).replace("\r\n", "␍\n")
    sheet = read_workbook(path).sheets[0]
    rows = [[sheet.columns[c][r] for c in range(sheet.width)] for r in range(sheet.height)]
    return f"[{sheet.name}]\n" + "".join(" | ".join("" if v is None else repr(v) for v in row) + "\n" for row in rows)


def part_of(layout: BankLayout, folder: Path, columns: dict[str, list[Any]]) -> Part:
    return Part(layout.code, folder / f"f{SUFFIX[layout.container]}", columns, dict(SUMMARY))


@pytest.mark.parametrize(
    ("code", "others"), [*((code, False) for code in BANKS), ("icbc_xlsx", True), ("icbc_batch_xls", True)]
)
def test_golden_bank_file(code: str, others: bool, shipped_policy: Policy, tmp_path: Path) -> None:
    """``JIUZHU_GOLDEN=write pytest`` writes the files anew."""
    layout = bound(shipped_policy, code)
    columns = with_others() if others or layout.code == "icbc_batch_xls" else sample()
    part = part_of(layout, tmp_path, columns)
    assert problems_of(layout, part.columns, part.summary) == []
    first = write_part(layout, part)
    assert write_part(layout, part) == first, "same input, same bytes"
    golden = GOLDEN / f"bank_{code}{'_others' if others else ''}.txt"
    text = shown(layout, part.path)
    if os.environ.get("JIUZHU_GOLDEN") == "write":
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_every_shipped_layout_is_known_here(shipped_policy: Policy) -> None:
    assert set(shipped_policy.banks) == {*BANKS, *BY_THE_BANK}
    for code in BY_THE_BANK:
        with pytest.raises(DataError, match="写不了"):
            bound(shipped_policy, code)


@pytest.mark.parametrize("code", BANKS)
def test_an_altered_file_is_noticed(code: str, shipped_policy: Policy, tmp_path: Path) -> None:
    layout = bound(shipped_policy, code)
    part = part_of(layout, tmp_path, with_others())
    write_part(layout, part)
    part.columns = {**part.columns, "amount": [2, *part.columns["amount"][1:]]}
    with contextlib.suppress(DataError):  # its own totals may tell first
        assert self_check(layout, part) != ""


@pytest.mark.parametrize("code", BANKS)
def test_a_file_of_the_record_is_the_same_and_any_altered_value_is_noticed(
    code: str, shipped_policy: Policy, tmp_path: Path
) -> None:
    """Lines as they come from the record (Arrow) make the bytes that lists make; each value of each column is compared."""
    layout, columns = bound(shipped_policy, code), with_others()
    whole = part_of(layout, tmp_path, columns)
    digest = write_part(layout, whole)
    if layout.container == "pain001":
        return
    part = Part(layout.code, whole.path, Lines(pa.table(columns)), dict(SUMMARY))
    assert write_part(layout, part) == digest and self_check(layout, part) == ""
    told = [column for column in layout.columns if column.source in columns]
    assert told
    for column in told:
        for at in range(4):
            values = list(columns[column.source])
            values[at] = values[at] + 1 if isinstance(values[at], int) else values[at].replace("2026-", "2027-") + "7"
            altered = Part(layout.code, part.path, Lines(pa.table({**columns, column.source: values})), dict(SUMMARY))
            blank = column.only and column.only != columns["own_flag"][at]  # does not stand in this line
            if column.source == "own_flag" or blank:
                continue
            assert "列不同" in self_check(layout, altered), (column.name, at)
    fewer = Part(layout.code, part.path, Lines(pa.table(columns).slice(0, 3)), dict(SUMMARY))
    assert "行" in self_check(layout, fewer)


@pytest.mark.parametrize("code", ["rural_text", "postal_fixed"])
@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("payee_name", "䶮小丫", "䶮"),
        ("payee_name", "=1+1", "像公式"),
        ("payee_name", "＝王", "像公式"),
        ("payee_name", "王\n小", "换行"),
        ("payee_name", "王\t小", "换行"),
        ("payee_name", "", "没有户名"),
        ("account_no", "", "没有账号"),
        ("amount", 0, "金额为零"),
    ],
)
def test_what_cannot_be_said_is_refused(code: str, column: str, value: Any, what: str, shipped_policy: Policy) -> None:
    columns = sample()
    columns[column][1] = value
    found = problems_of(shipped_policy.banks[code], columns, SUMMARY)
    assert any(p.line_no == 2 and what in p.what for p in found), found


def test_delimiter_and_width(shipped_policy: Policy) -> None:
    columns = sample()
    columns["payee_name"][0] = "王|小"
    assert any("分隔符" in p.what for p in problems_of(shipped_policy.banks["rural_text"], columns, SUMMARY))
    columns = sample()
    columns["payee_name"][0] = "王" * 21  # 42 bytes of 40
    columns["amount"][1] = 10**14
    found = problems_of(shipped_policy.banks["postal_fixed"], columns, SUMMARY)
    assert [(p.line_no, "超出" in p.what) for p in found] == [(1, True), (2, True)]
    columns["payee_name"][0] = "王" * 20
    columns["amount"][1] = 10**14 - 1
    assert problems_of(shipped_policy.banks["postal_fixed"], columns, SUMMARY) == []


def test_encoding_never_writes_a_question_mark(shipped_policy: Policy) -> None:
    columns = sample()
    columns["payee_name"][0] = "䶮"
    with pytest.raises(DataError, match="䶮"):
        encode_text(shipped_policy.banks["rural_text"], columns, SUMMARY)


def test_fixed_width_counts_bytes(shipped_policy: Policy) -> None:
    data = encode_text(shipped_policy.banks["postal_fixed"], sample(), SUMMARY)
    assert {len(line) for line in data.split(b"\r\n")[:4]} == {133}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"4|1235317.90", b"5|1235317.90", "汇总写 5 笔"),
        (b"4|1235317.90", b"4|1235317.91", "对不上"),
        (b"|650.00|", b"|650.001|", "第 4 行"),
        (b"|650.00|", b"|650.00|x|", "第 4 行"),
        (b"|650.00|", b"|\xff\xff|", "第 4 行"),
    ],
)
def test_a_damaged_text_file_is_refused_with_its_line(
    old: bytes, new: bytes, message: str, shipped_policy: Policy
) -> None:
    layout = shipped_policy.banks["rural_text"]
    data = encode_text(layout, sample(), SUMMARY)
    assert old in data
    with pytest.raises(DataError, match=message):
        decode_text(layout, data.replace(old, new))


def test_a_delimiter_inside_a_gbk_character_does_not_split_it(shipped_policy: Policy) -> None:
    """The second byte of 亅 and others in GBK is the bar itself."""
    char = next(chr(c) for c in range(0x4E00, 0x9FA6) if chr(c).encode("gbk", "replace")[-1:] == b"|")
    columns = sample()
    columns["payee_name"][0] = char + "一"
    layout = shipped_policy.banks["rural_text"]
    assert decode_text(layout, encode_text(layout, columns, SUMMARY)).columns["payee_name"][0] == char + "一"


def test_xlsx_totals_row_must_agree(shipped_policy: Policy, tmp_path: Path) -> None:
    from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

    head = [ColumnSpec("序号"), ColumnSpec("账号"), ColumnSpec("姓名"), ColumnSpec("金额", kind="amount")]
    rows = [("1", "62170001", "王一", 100), ("2", "62170002", "王二", 200), ("合计", "", "", 301)]
    path = tmp_path / "r.xlsx"
    write_xlsx(path, [SheetSpec(name="S", columns=head, rows=rows, title="回盘")])
    with pytest.raises(DataError, match="对不上"):
        read_export(shipped_policy.banks["ccb_xlsx"], path)
    write_xlsx(path, [SheetSpec(name="S", columns=head, rows=[*rows[:2], ("合计", "", "", 300)], title="回盘")])
    assert read_export(shipped_policy.banks["ccb_xlsx"], path).columns["amount"] == [100, 200]


def test_a_totals_row_may_say_how_many_in_the_column_of_accounts(shipped_policy: Policy, tmp_path: Path) -> None:
    """合计 | 2笔 | | 300: the count was taken for an account, the row for a payment that nobody sent."""
    from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

    head = [
        ColumnSpec("结果"),
        ColumnSpec("账号"),
        ColumnSpec("姓名"),
        ColumnSpec("金额", kind="amount"),
        ColumnSpec("不成功原因"),
    ]
    rows = [("失败", "62170001", "王一", 100, "户名有误"), ("成功", "62170002", "王二", 200, "")]
    path = tmp_path / "r.xlsx"
    for said, total, fits in (("2笔", 300, True), ("共2笔", None, True), ("3笔", 300, False), ("2笔", 301, False)):
        spec = SheetSpec(name="S", columns=head, rows=[*rows, ("合计", said, "", total, "")], title="回盘")
        write_xlsx(path, [spec])
        if not fits:
            with pytest.raises(DataError, match="对不上"):
                decode_return(shipped_policy.banks["ccb_xlsx"], path, path.read_bytes())
            continue
        file = decode_return(shipped_policy.banks["ccb_xlsx"], path, path.read_bytes())
        assert file.columns["account_no"] == ["62170001", "62170002"]
        assert file.columns["reason"] == ["户名有误", ""], "the bank's own header for it"
