"""A filled-in review workbook beside the ledgers was once imported as a roll: its rows name people and amounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.intake.lists import run
from tests.support import make_id, make_workspace


@pytest.mark.parametrize("marks", [{"jiuzhu": "review"}, {"jiuzhu": "due"}, {"jiuzhu_kind": "doubts"}])
def test_workbooks_of_other_commands_are_passed_over(tmp_path: Path, marks: dict[str, str]) -> None:
    workspace = make_workspace(tmp_path / "ws")
    columns = [ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20), ColumnSpec("发放金额", 10, "amount")]
    sheet = SheetSpec("停发", columns, [["王建国", make_id(1), 50000]], title="2026年10月最低生活保障复核建议")
    path = tmp_path / "inbox" / "复核建议-2026-10_已填.xlsx"
    path.parent.mkdir()
    write_xlsx(path, [sheet], marks=marks)
    (beside,) = run(workspace, path.parent).tables
    assert (beside.status, beside.batch) == ("skipped", None) and "不是台账" in beside.note
    (named,) = run(workspace, path).tables
    assert named.status == "refused" and named.todo
