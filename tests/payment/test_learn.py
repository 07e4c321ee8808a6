"""A layout drafted from a sample writes and reads; a file is told where it does not fit; neither ever falls over."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.account import luhn
from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.mask import find_personal_numbers
from jiuzhu_cli.payment.answers import outcome_columns, return_shape
from jiuzhu_cli.payment.conform import Conformity, conform
from jiuzhu_cli.payment.layout import SUFFIX, bind, encode_text, write_file
from jiuzhu_cli.payment.learn import Draft, learn
from jiuzhu_cli.payment.sheets import write_sheet
from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout
from jiuzhu_cli.policy.check_banks import check_banks
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.payment.conftest import NOW, Desk, person
from tests.payment.test_layout import BANKS, SETTINGS
from tests.support import make_id

NAMES = "王小丫 阿卜杜拉·买买提 欧阳一 赵四 钱七 孙丽华 李建国 周敏 吴军 郑爱民 冯玉兰 陈秀英".split()
PLAIN = tuple(code for code in BANKS if code != "pain001")


def lines(count: int = 12, *, start: int = 1) -> dict[str, list[Any]]:
    """Lines of people who never exist; own bank and another by turns."""
    order = range(start, start + count)
    return {
        "line_no": list(range(1, count + 1)),
        "payee_name": [NAMES[i % len(NAMES)] for i in order],
        "person_name": [NAMES[i % len(NAMES)] for i in order],
        "payee_id_no": [make_id(i) for i in order],
        "person_id_no": [make_id(i) for i in order],
        "account_no": [f"81010000{i * 7919:09d}" for i in order],
        "bank_name": [("甲县农商行", "甲县农信社")[i % 2] for i in order],
        "bank_code": [("", "402421002016")[i % 2] for i in order],
        "own_flag": [("own", "other")[i % 2] for i in order],
        "amount": [65_000 + i * 1234 for i in order],
        "purpose": ["低保金2026-10"] * count,
        "programme": ["农村低保"] * count,
        "month": ["2026-10"] * count,
        "persons": [1 + i % 3 for i in order],
        "phone": [f"138{i:08d}" for i in order],
        "address": [f"甲镇一村{i}组" for i in order],
    }


def sample(layout: BankLayout, folder: Path, columns: dict[str, list[Any]]) -> Path:
    path = folder / f"样例{SUFFIX[layout.container]}"
    summary = {
        "lines": len(columns["line_no"]),
        "total": sum(columns["amount"]),
        "month": "2026-10",
        "date": "20261025",
    }
    write_file(layout, path, columns, summary)
    return path


def answer(layout: BankLayout, folder: Path, columns: dict[str, list[Any]]) -> Path:
    """The bank's answer to these lines, two of them failed."""
    told = outcome_columns(layout, columns, {2: "户名不符", 5: "账户已销户"})
    path = folder / f"回盘{SUFFIX[layout.container]}"
    summary = {"lines": len(columns["line_no"]), "total": sum(columns["amount"]), "month": "2026-10"}
    if layout.is_book:
        write_sheet(layout, path, told, shape=return_shape(layout))
    else:
        path.write_bytes(
            encode_text(
                layout,
                told,
                summary,
                shape=return_shape(layout),
                header=layout.returns_header,
                with_summary=layout.returns_summary,
            )
        )
    return path


@pytest.mark.parametrize("code", PLAIN)
def test_a_sample_of_every_layout_is_learnt_and_comes_out_again(
    code: str, shipped_policy: Policy, tmp_path: Path
) -> None:
    layout = bind(shipped_policy.banks[code], SETTINGS)
    draft = learn(sample(layout, tmp_path, lines()), code="learnt")
    assert draft.layout is not None and draft.same and draft.lines == 12, (draft.questions, draft.toml)
    sources = {column.source for column in draft.layout.columns}
    assert {"account_no", "payee_name", "amount"} <= sources
    assert not find_personal_numbers(draft.toml) and not any(name in draft.toml for name in NAMES), (
        "nobody of the sample"
    )


@pytest.mark.parametrize("code", ["rural_text", "postal_fixed", "ccb_xlsx", "ccb_xls", "civil_affairs_xlsx"])
def test_an_answer_is_learnt_as_one(code: str, shipped_policy: Policy, tmp_path: Path) -> None:
    layout = bind(shipped_policy.banks[code], SETTINGS)
    draft = learn(answer(layout, tmp_path, lines()), code="learnt")
    assert draft.layout is not None and draft.is_return and draft.same, (draft.questions, draft.toml)
    assert {"result", "reason"} <= {column.source for column in draft.layout.returns}
    assert "result" not in {column.source for column in draft.layout.columns}


FORMS: dict[str, dict[str, Any]] = {
    "semicolons and a header": {"delimiter": ";", "header": True},
    "tabs": {"delimiter": "\t"},
    "two characters": {"delimiter": "|!"},
    "three characters": {"delimiter": "|#|"},
    "a mark behind the last": {"delimiter": "|", "end_delimiter": True},
    "utf-8 with a mark in front": {"encoding": "utf-8-sig", "delimiter": ","},
    "utf-8": {"encoding": "utf-8", "delimiter": "^"},
    "lines ended as on unix": {"line_end": "\n"},
    "gb18030": {"encoding": "gb18030", "delimiter": "~"},
}


def shaped(policy: Policy, **changes: Any) -> BankLayout:
    return bind(policy.banks["salary_text"].model_copy(update=changes), {})


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_text_is_found(form: str, shipped_policy: Policy, tmp_path: Path) -> None:
    columns = lines()
    if form == "gb18030":
        columns["payee_name"][3] = "䶮四"
    layout = shaped(shipped_policy, **FORMS[form])
    draft = learn(sample(layout, tmp_path, columns), code="learnt")
    assert draft.layout is not None and draft.same, (draft.questions, draft.toml)
    for key, value in FORMS[form].items():
        assert getattr(draft.layout, key) == value, key


def test_header_and_trailer_with_count_and_sum(shipped_policy: Policy, tmp_path: Path) -> None:
    postal = shipped_policy.banks["postal_fixed"]
    both = bind(postal.model_copy(update={"summary_last": False, "trailer": postal.summary}), {})
    draft = learn(sample(both, tmp_path, lines()), code="learnt")
    assert draft.layout is not None and draft.same, draft.toml
    for place in (draft.layout.opening, draft.layout.closing):
        assert {"lines", "total"} <= {column.source for column in place}
    assert "分起草" in draft.toml, "whole numbers may be 元 or 分: asked"


def padded(text: str, width: int, *, right: bool = False) -> str:
    fill = " " * (width - len(text.encode("gbk")))
    return fill + text if right else text + fill


def with_check(digits: str) -> str:
    return next(digits + str(last) for last in range(10) if luhn(digits + str(last)))


def test_fixed_widths_are_found_by_what_numbers_are(tmp_path: Path) -> None:
    """A day, numbers at the right, IDs and cards side by side without a gap, a mark behind the amount."""
    columns = lines()
    cards = [with_check(f"621799{i * 7_919_103:012d}") for i in range(1, 13)]
    rows = [
        "20261025" + padded(str(i + 1), 6, right=True) + columns["payee_id_no"][i] + padded(cards[i], 22) + padded(columns["payee_name"][i], 30)
        + padded(f"{columns['amount'][i] / 100:.2f}", 15, right=True) + "RMB"
        for i in range(12)
    ]  # fmt: skip
    path = tmp_path / "样例.txt"
    path.write_bytes("\r\n".join([*rows, ""]).encode("gbk"))
    draft = learn(path, code="learnt")
    assert draft.layout is not None and draft.same, draft.toml
    shape = [(column.source, column.width) for column in draft.layout.columns]
    assert shape[:4] == [("date", 8), ("line_no", 6), ("payee_id_no", 18), ("account_no", 22)]
    assert [source for source, _ in shape[4:]] == ["payee_name", "amount", "const:RMB"]
    assert sum(width for _, width in shape[4:6]) == 45 and "看不出来" in draft.toml, (
        "where the name's column ends is asked"
    )


@pytest.mark.parametrize("first", [False, True])
def test_a_total_as_long_as_the_details_is_not_taken_for_one(tmp_path: Path, first: bool) -> None:
    """Every record of one length, as banks often have it: the line with count and sum hid every column."""
    columns = lines()
    rows = [
        padded(columns["account_no"][i], 22) + padded(columns["payee_name"][i], 30)
        + f"{columns['amount'][i]:012d}" + padded("救助金", 20)
        for i in range(12)
    ]  # fmt: skip
    total = padded(f"T{12:08d}{sum(columns['amount']):015d}", 84)
    path = tmp_path / "样例.txt"
    path.write_bytes("\r\n".join([total, *rows, ""] if first else [*rows, total, ""]).encode("gbk"))
    draft = learn(path, code="learnt")
    assert draft.layout is not None and draft.same and draft.lines == 12, draft.toml
    assert [(c.source, c.width) for c in draft.layout.columns] == [
        ("account_no", 22), ("payee_name", 30), ("amount", 12), ("const:救助金", 20)
    ]  # fmt: skip
    assert [(c.source, c.width) for c in draft.layout.summary] == [
        ("const:T", 1), ("lines", 8), ("total", 15), ("const:", 60)
    ]  # fmt: skip


def test_a_workbook_with_titles_sums_and_signatures(tmp_path: Path) -> None:
    columns = lines()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "代发明细"
    sheet.append(["某县2026年10月低保金发放表"])
    sheet.append(["单位：某县民政局", None, None, "日期：2026-10-25"])
    sheet.append(["序号", "收款人姓名", "收款人账号", "开户行名称", "代发金额（元）", "身份证号码", "备注"])
    for i in range(12):
        sheet.append([i + 1, columns["payee_name"][i], columns["account_no"][i], "某农商行", columns["amount"][i] / 100, columns["payee_id_no"][i], ""])  # fmt: skip
    sheet.append(["合计", None, None, None, sum(columns["amount"]) / 100])
    sheet.append(["制表人：甲", None, None, "审核：乙"])
    path = tmp_path / "样例.xlsx"
    book.save(path)
    draft = learn(path, code="learnt")
    assert draft.layout is not None and draft.same and draft.lines == 12, draft.toml
    assert [column.source for column in draft.layout.closing][::4] == ["const:合计", "total"]
    assert any("制表人" in question for question in draft.questions)


def test_numbers_filled_with_zeros_between_marks(tmp_path: Path) -> None:
    rows = [f"{i:06d}|{f'810100{i:012d}'}|{NAMES[i]}|{i * 100}.50|0001" for i in range(1, 6)]
    path = tmp_path / "样例.txt"
    path.write_bytes("\r\n".join([*rows, ""]).encode("gbk"))
    draft = learn(path, code="learnt")
    assert draft.layout is not None and draft.same and draft.layout.columns[0].zeros == 6, draft.toml
    path.write_bytes("\r\n".join(f'{i},"{NAMES[i]}","1,000.00"' for i in range(1, 6)).encode("gbk"))
    with pytest.raises(DataError, match="带引号"):
        learn(path, code="learnt")


def test_what_is_unsure_is_marked(shipped_policy: Policy, tmp_path: Path) -> None:
    path = tmp_path / "样例.txt"
    rows = [f"{i:03d}|88001234|甲{i}乙|{f'810100{i:012d}'}|{NAMES[i]}|{i * 100}" for i in range(1, 9)]
    path.write_bytes("\r\n".join(rows).encode("gbk"))
    draft = learn(path, code="learnt")
    assert draft.layout is not None and "88001234" not in draft.toml and draft.constants == {"constant_1": "88001234"}
    kept = tomllib.loads(draft.toml)
    assert [column["source"] for column in kept["columns"]] == [
        "line_no", "setting:constant_1", "const:", "account_no", "payee_name", "amount",
    ]  # fmt: skip
    assert draft.toml.count("请核对：") >= 3


def test_samples_that_say_too_little_are_refused(tmp_path: Path) -> None:
    for text in ("", "\r\n\r\n", "没有分隔的一行字\r\n另一行更长更长的字\r\n再一行", "<Document/>"):
        path = tmp_path / "样例.txt"
        path.write_bytes(text.encode("gbk"))
        with pytest.raises(DataError):
            learn(path, code="learnt")


@pytest.mark.parametrize("code", ["bocom_text", "postal_fixed", "ccb_xls", "icbc_batch_xls"])
def test_a_learnt_layout_pays_a_month(code: str, desk: Desk, tmp_path: Path) -> None:
    """Put into policy/banks and named in the settings it writes the bank's files and reads the answer."""
    draft = learn(sample(bind(desk.policy.banks[code], SETTINGS), tmp_path, lines()), code="learnt")
    desk.write_policy("learnt", draft.toml)
    assert [problem for problem in check_banks(desk.policy, NOW.date()) if problem.level == "error"] == []
    desk.configure('default_bank = "card_xlsx"', 'banks = ["learnt"]')
    desk.configure('payer_name = ""', 'payer_name = "甲区民政局"')
    desk.configure('payer_account = ""', 'payer_account = "1100000000000000001"')
    desk.roll([person(i, bank_name="甲县农商行") for i in range(1, 6)])
    number = desk.draft().batch["payment_id"]
    desk.lock(), desk.approve()
    made = desk.export()
    assert [file["bank"] for file in made.files] == ["learnt"]
    fits = [
        one
        for one in conform(desk.workspace.root / made.files[0]["path"], [desk.policy.banks["learnt"]])[1]
        if one.fits
    ]
    assert fits and fits[0].lines == 5
    read = desk.read(desk.answers(number, {2: "户名不符"})[0])
    assert (read.succeeded, read.failed, read.missing) == (4, 1, 0)


# -- check ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", BANKS)
def test_a_layouts_own_file_fits_it(code: str, shipped_policy: Policy, tmp_path: Path) -> None:
    layout = bind(shipped_policy.banks[code], SETTINGS)
    form, found = conform(sample(layout, tmp_path, lines()), list(shipped_policy.banks.values()))
    fitting = {(one.code, one.use) for one in found if one.fits}
    assert (code, "export") in fitting and form["container"] in ("text", "xlsx", "xls", "xml")


@pytest.mark.parametrize("code", ["rural_text", "postal_fixed", "ccb_xlsx", "ccb_xls", "bocom_text"])
def test_an_answer_fits_as_an_answer(code: str, shipped_policy: Policy, tmp_path: Path) -> None:
    layout = bind(shipped_policy.banks[code], SETTINGS)
    _, found = conform(answer(layout, tmp_path, lines()), [shipped_policy.banks[code]])
    assert {one.use for one in found if one.fits} >= {"return"}


def told(path: Path, layout: BankLayout) -> Conformity:
    return next(one for one in conform(path, [layout])[1] if one.use == "export")


FAULTS = [
    (b"|650", b"|x650", 3, "金额", "不是金额"),
    (b"8101000000000791", b"81A1000000000791", 2, "账号", "不是 6 至 32 位数字"),
    ("|王小丫".encode("gbk"), "|".encode("gbk"), 0, "姓名", "是空的"),
    ("|赵四".encode("gbk"), "|赵四|多".encode("gbk"), 0, "", "栏"),
    ("欧阳一".encode("gbk"), b"\xff\xff\xff", 0, "", "不是 gbk 编码"),
]


@pytest.mark.parametrize("fault", range(len(FAULTS)))
def test_row_and_field_are_told_where_a_file_does_not_fit(fault: int, shipped_policy: Policy, tmp_path: Path) -> None:
    old, new, _, column, what = FAULTS[fault]
    layout = shipped_policy.banks["salary_text"]
    columns = lines() | {"amount": [65_000 + i for i in range(12)]}
    path = sample(bind(layout, {}), tmp_path, columns)
    data = path.read_bytes()
    assert old in data
    at = data[: data.index(old)].count(b"\n") + 1
    path.write_bytes(data.replace(old, new, 1))
    one = told(path, layout)
    assert not one.fits and (misfit := next(m for m in one.misfits if m.row)) and misfit.row == at, one.misfits
    assert what in misfit.what and misfit.column == column


def test_widths_sums_headers_and_encodings_are_told(shipped_policy: Policy, tmp_path: Path) -> None:
    postal = shipped_policy.banks["postal_fixed"]
    path = sample(bind(postal, {}), tmp_path, lines())
    data = path.read_bytes()
    path.write_bytes(data.replace(b"000000281", b"00000281", 1) + b"")
    assert "字节" in told(path, postal).misfits[0].what or told(path, postal).misfits
    rural = shipped_policy.banks["rural_text"]
    path = sample(bind(rural, {}), tmp_path, lines())
    path.write_bytes(path.read_bytes().replace(b"12|", b"13|", 1))
    assert any("汇总写 13 笔" in misfit.what for misfit in told(path, rural).misfits)
    path = sample(bind(rural.model_copy(update={"encoding": "utf-8"}), {}), tmp_path, lines())
    assert any("编码像 utf-8" in misfit.what for misfit in told(path, rural).misfits)
    book = shipped_policy.banks["ccb_xlsx"]
    turned = bind(book.model_copy(update={"columns": (book.columns[1], book.columns[0], *book.columns[2:])}), {})
    path = sample(turned, tmp_path, lines())
    assert any("次序不同" in misfit.what for misfit in told(path, book).misfits)


def test_fixed_text_that_is_another_is_told(shipped_policy: Policy, tmp_path: Path) -> None:
    text = shipped_policy.banks["salary_text"]
    columns = (BankColumn(name="标志", source="const:D"), *text.columns)
    path = sample(bind(text.model_copy(update={"columns": columns}), {}), tmp_path, lines())
    path.write_bytes(path.read_bytes().replace(b"D|8101000000003959", b"X|8101000000003959", 1))
    path.write_bytes(path.read_bytes().replace(b"\r\nD|", b"\r\nC|", 1))
    found = told(path, text.model_copy(update={"columns": columns}))
    assert [(misfit.row, misfit.column) for misfit in found.misfits][:1] == [(2, "标志")]


POLICY = load_policy(region="421002")


@given(st.binary(max_size=600), st.sampled_from(["salary_text", "rural_text", "postal_fixed"]), st.integers(0, 400))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_looked_at_never_a_crash(tmp_path: Path, junk: bytes, code: str, at: int) -> None:
    layout = bind(POLICY.banks[code], {})
    path = sample(layout, tmp_path, lines(4))
    data = path.read_bytes()
    for file in (junk, data[:at] + junk[:30] + data[at + 20 :]):
        path.write_bytes(file)
        with contextlib.suppress(DataError):
            conform(path, [POLICY.banks[c] for c in ("salary_text", "rural_text", "postal_fixed", "pain001")])
        with contextlib.suppress(DataError):
            draft: Draft = learn(path, code="learnt")
            tomllib.loads(draft.toml)
