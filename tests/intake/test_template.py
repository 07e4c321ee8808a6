"""Every programme and register: its blank workbook filled with generated people is taken in whole, wherever columns went."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.intake.result import TableResult
from jiuzhu_cli.intake.template import Choices, make_form, template_of
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.model import Programme, Register
from jiuzhu_cli.tabular.form import FormColumn, write_form
from jiuzhu_cli.tabular.read import read_workbook
from tests.intake.lists import POLICY, name, run
from tests.support import make_id, make_workspace

SHAPES: list[Programme | Register] = [*POLICY.programmes.values(), *POLICY.registers.values()]
PERSONS = 6
CHOICES = Choices(
    towns=["城关镇", "青溪镇"], villages=["东风村", "红星村"], banks=["农业银行城关支行", "农商银行东关分理处"]
)
TOP = 3


def cell(shape: Programme | Register, column: FormColumn, row: int) -> Any:
    """What a person types into this column for the ``row``-th person (households of two)."""
    household = isinstance(shape, Programme) and shape.unit == "household"
    head = row - row % 2 if household else row
    key = header_key(column.header)
    if column.kind == "id":
        serial = head if key.startswith("户主") and household else row
        return make_id(serial + 1, born="20120101" if "儿童" in shape.name or "孤儿" in shape.name else "19380101")
    if household and "只在户主这一行填" in column.how and row != head:
        return None
    if key == "与户主关系" and household:
        return "本人" if row == head else "配偶"
    if column.choices:
        return column.choices[row % len(column.choices)]
    if column.kind == "amount":
        return {"发放金额": 300 + row, "基本金额": 200 + row, "照料护理金额": 100, "分类施保金额": 50}.get(key, 1000)
    typed = {
        "count": 2, "date": date(2026, 9, 3), "month": date(2025, 3, 1), "account": f"42100100{row:06d}", "phone": f"1380000{row:04d}", "code12": "102537000019",
    }  # fmt: skip
    if column.kind in typed:
        return typed[column.kind]
    if key in ("户名", "户主姓名") or key.endswith("姓名") or column.required:
        return name(head if "户" in key else row)
    return {"序号": row + 1, "备注": "新", "乡镇": "城关镇", "村": "东风村"}.get(key)


def fill(path: Path, shape: Programme | Register, form_columns: list[FormColumn]) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for row in range(PERSONS):
        for index, column in enumerate(form_columns):
            value = cell(shape, column, row)
            if value is not None:
                sheet.cell(TOP + 1 + row, index + 1).value = value
    book.save(path)


def made(
    tmp_path: Path, shape: Programme | Register, *, month: str = "2026-10", area: str = "城关镇"
) -> tuple[Path, list[FormColumn]]:
    month = month if isinstance(shape, Programme) else ""
    form = make_form(POLICY, shape, month=month, area=area, choices=CHOICES)
    path = tmp_path / "表.xlsx"
    write_form(path, form)
    return path, list(form.columns)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("w") / "w")


def taken_whole(result: TableResult, shape: Programme | Register) -> None:
    told = [(f.code, f.source.cell(), f.column_field, f.values) for f in result.findings if f.severity != "notice"]
    assert (result.programme, result.rows, result.accepted, told) == (shape.code, PERSONS, PERSONS, [])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.code)
def test_filled_in_it_is_taken_in_whole(work: Workspace, tmp_path: Path, shape: Programme | Register) -> None:
    path, columns = made(tmp_path, shape)
    fill(path, shape, columns)
    tables = run(work, path).tables
    assert len(tables) == 1
    taken_whole(tables[0], shape)
    if isinstance(shape, Programme):
        assert (tables[0].month, tables[0].area) == ("2026-10", "城关镇")
        paid = [300 + row for row in range(0, PERSONS, 2 if shape.unit == "household" else 1)]
        assert tables[0].amount_fen == (100 * sum(paid) if shape.payment.payable else tables[0].amount_fen)


def rebuilt(path: Path, order: list[int], *, title: str | None = None, extra: str = "") -> Path:
    """The filled-in form with its columns in another order, perhaps another title, a column of the sender's own in front."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=TOP, max_row=TOP + PERSONS)]
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    sheet.delete_rows(1, sheet.max_row)
    if title is not None:
        sheet.append([title])
    for number, row in enumerate(rows):
        front = [extra if number == 0 else "x"] if extra else []
        sheet.append(front + [row[index] for index in order])
    book.save(path)
    return path


@pytest.mark.parametrize("code", ["subsistence_allowance", "extreme_poverty_support", "death", "elder_service_voucher"])
def test_known_without_any_title_and_with_columns_moved_and_added(tmp_path: Path, code: str) -> None:
    work = make_workspace(tmp_path / "w")
    shape = POLICY.programmes.get(code) or POLICY.registers[code]
    path, columns = made(tmp_path, shape)
    fill(path, shape, columns)
    rebuilt(path, list(range(len(columns)))[::-1], extra="经办人打钩")
    result = run(work, path).tables[0]
    taken_whole(result, shape)
    if isinstance(shape, Programme):
        assert (result.month, result.area) == ("2026-10", "城关镇")
        assert result.how["programme"] == result.how["month"] == result.how["area"] == "模板"


def test_what_people_see_counts_before_the_mark(tmp_path: Path) -> None:
    """Last month's form used again: the title is what the clerk has changed, and it is what will be printed."""
    work = make_workspace(tmp_path / "w")
    shape = POLICY.programmes["old_age_allowance"]
    path, columns = made(tmp_path, shape)
    fill(path, shape, columns)
    order = list(range(len(columns)))
    result = run(work, rebuilt(path, order, title="青溪镇2026年11月高龄津贴花名册")).tables[0]
    assert (result.month, result.area) == ("2026-11", "青溪镇")
    path, columns = made(tmp_path, shape)
    fill(path, shape, columns)
    result = run(work, rebuilt(path, order, title="城关镇2026年10月老年人电费减免补贴发放表")).tables[0]
    assert result.status == "refused" and "programme_unknown" in [f.code for f in result.findings]
    path, columns = made(tmp_path, shape)
    fill(path, shape, columns)
    result = run(work, rebuilt(path, order, title="城关镇2026年10月困难残疾人生活补贴花名册")).tables[0]
    assert "programme_conflict" in [f.code for f in result.findings]


def test_what_a_topped_up_sum_is_computed_from_can_be_filled_in() -> None:
    def headers(code: str) -> list[str]:
        return [header_key(column.header) for column in make_form(POLICY, POLICY.programmes[code]).columns]

    assert {"家庭收入", "收入周期"} <= set(headers("single_person_allowance"))
    assert "家庭收入" not in headers("old_age_allowance")


def test_without_month_and_area_they_are_left_open(tmp_path: Path) -> None:
    shape = POLICY.programmes["subsistence_allowance"]
    form = make_form(POLICY, shape, choices=CHOICES)
    path = tmp_path / "表.xlsx"
    write_form(path, form)
    assert next(c for c in form.columns if c.header == "乡镇").choices == ("城关镇", "青溪镇")
    template = template_of(read_workbook(path).marks, POLICY)
    assert template is not None and (template.code, template.month, template.area) == ("subsistence_allowance", "", "")
    fill(path, shape, list(form.columns))
    result = run(make_workspace(tmp_path / "w"), path).tables[0]
    assert "month_unknown" in [f.code for f in result.findings]


def test_a_blank_form_is_no_list(tmp_path: Path) -> None:
    path, _ = made(tmp_path, POLICY.programmes["subsistence_allowance"])
    result = run(make_workspace(tmp_path / "w"), path).tables[0]
    assert result.accepted == 0 and result.status in ("refused", "skipped")


def test_ids_and_accounts_are_text_and_choices_are_offered(tmp_path: Path) -> None:
    path, columns = made(tmp_path, POLICY.programmes["subsistence_allowance"])
    sheet = openpyxl.load_workbook(path).worksheets[0]
    at = {header_key(column.header): index + 1 for index, column in enumerate(columns)}
    for header in ("身份证号", "户主身份证号", "银行账号", "联系电话"):
        assert sheet.cell(TOP + 1, at[header]).number_format == "@"
        letters = sheet.cell(TOP + 1, at[header]).column_letter
        assert sheet.column_dimensions[letters].number_format == "@"  # every row, not only the ruled ones
        assert sheet.cell(TOP, at[header]).comment is not None
    lists = {str(check.sqref).split(":")[0]: check for check in sheet.data_validations.dataValidation}
    assert lists[sheet.cell(TOP + 1, at["类别"]).coordinate].type == "list"
    assert sheet.freeze_panes == f"{get_column_letter(at['姓名'] + 1)}{TOP + 1}"
    assert str(sheet.cell(TOP, at["身份证号"]).value).endswith("*")


def test_the_same_form_gives_the_same_bytes(tmp_path: Path) -> None:
    form = make_form(
        POLICY, POLICY.programmes["subsistence_allowance"], month="2026-10", area="城关镇", choices=CHOICES
    )
    assert write_form(tmp_path / "a.xlsx", form) == write_form(tmp_path / "b.xlsx", form)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_the_mark_survives_another_program(tmp_path: Path) -> None:
    shape = POLICY.programmes["subsistence_allowance"]
    path, columns = made(tmp_path, shape)
    fill(path, shape, columns)
    before = read_workbook(path).marks
    home = f"-env:UserInstallation=file://{tmp_path}/office"
    out = tmp_path / "saved"
    subprocess.run(
        ["soffice", home, "--headless", "--convert-to", "xlsx", "--outdir", str(out), str(path)],
        capture_output=True,
        check=True,
    )
    assert read_workbook(out / path.name).marks == before
    taken_whole(run(make_workspace(tmp_path / "w"), out / path.name).tables[0], shape)
