"""jiuzhu match on files: three formats, one answer; what cannot be is refused in Chinese."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from jiuzhu_cli.cli.main import main
from tests.matching.people import HARD, make_lists, pair_scores

HEADERS = ["公民身份号码", "老人姓名", "出生日期", "村（社区）", "手机号", "一卡通账号"]


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_xlsx(path: Path, records: pa.Table) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["青溪镇2026年10月高龄津贴发放表"])
    sheet.append(["序号", *HEADERS])
    for number, row in enumerate(zip(*(column.to_pylist() for column in records.columns), strict=True), 1):
        sheet.append([number, *row])
    sheet.append(["合计", None, f"{records.num_rows}人"])
    sheet.append(["填表人：", None, "审核人："])
    book.save(path)


def test_three_formats_one_numbering(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = make_lists(3000, HARD, 51)
    records = lists.records
    pq.write_table(records.slice(0, 1000), folder / "甲.parquet")
    pacsv.write_csv(records.slice(1000, 1000).rename_columns(HEADERS), folder / "乙.csv")
    write_xlsx(folder / "丙.xlsx", records.slice(2000))
    code = run("match", "甲.parquet", "乙.csv", "丙.xlsx", "--out", "o.csv", "--pairs", "p.csv", "--json", "--quiet")
    assert code == 0
    said = json.loads(capsys.readouterr().out)
    assert {"rows", "persons", "pairs", "seconds"} <= said.keys()
    assert [file["first_row"] for file in said["files"]] == [0, 1000, 2000]
    out = pacsv.read_csv(folder / "o.csv")
    assert out.column_names == ["row", "person"]
    assert out["row"].to_pylist() == list(range(3000))
    person = out["person"].to_numpy()
    assert said["persons"] == len(np.unique(person))
    precision, recall, _ = pair_scores(lists.person, person)
    assert precision > 0.99
    assert recall > 0.97
    pairs = pacsv.read_csv(folder / "p.csv")
    assert pairs.column_names == ["row_a", "row_b", "key", "levels", "score"]
    assert said["pairs"] + said["candidates"] == pairs.num_rows
    assert run("match", "甲.parquet", "乙.csv", "丙.xlsx", "--out", "o.parquet", "--quiet") == 0
    assert pq.read_table(folder / "o.parquet").equals(out)


def test_gbk_csv_of_an_office(folder: Path) -> None:
    text = '姓名,身份证号码,行政村\n张三,"=""11010519491231002X""",东风村\n张三,11010519491231002x,东风\n,,\n'
    (folder / "a.csv").write_bytes(text.encode("gbk"))
    assert run("match", "a.csv", "--out", "o.csv", "--quiet") == 0
    assert pacsv.read_csv(folder / "o.csv")["person"].to_pylist() == [0, 0, 1]


def test_number_cells_keep_fifteen_figures(folder: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["姓名", "身份证号"], ["欧阳振华", 110105194912310021], ["欧阳振华", "11010519491231002X"]):
        sheet.append(row)
    book.save(folder / "a.xlsx")
    assert run("match", "a.xlsx", "--out", "o.csv", "--pairs", "p.csv", "--quiet") == 0
    assert pacsv.read_csv(folder / "p.csv")["key"].to_pylist() == ["id_prefix"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("a.csv", "--out", "o.csv", "--engine", "hive"), 2, "hive"),
        (("a.csv", "--out", "o.xlsx"), 2, "扩展名"),
        (("a.csv", "--out", "a.csv"), 2, "盖掉"),
        (("a.csv", "--out", "o.csv", "--pairs", "o.csv"), 2, "同一个文件"),
        (("none.csv", "--out", "o.csv"), 5, "none.csv"),
        (("none.parquet", "--out", "o.csv"), 5, "none.parquet"),
        (("b.csv", "--out", "o.csv"), 3, "b.csv"),
        (("c.parquet", "--out", "o.csv"), 3, "c.parquet"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, word: str
) -> None:
    (folder / "a.csv").write_text("姓名,身份证号\n张三,11010519491231002X\n", "utf-8")
    (folder / "b.csv").write_text("数量,单价\n1,2\n", "utf-8")
    (folder / "c.parquet").write_bytes(b"PAR1 no")
    assert run("match", *arguments) == code
    assert word in capsys.readouterr().err
    assert not (folder / "o.csv").exists()


def test_trial_run_writes_nothing(folder: Path) -> None:
    (folder / "a.csv").write_text("姓名,身份证号\n张三,11010519491231002X\n", "utf-8")
    assert run("match", "a.csv", "--out", "o.csv", "--dry-run", "--quiet") == 0
    assert not (folder / "o.csv").exists()


@pytest.mark.parametrize("others", [[], ["甲.csv"]])
def test_a_list_of_a_header_only_is_said(folder: Path, capsys: pytest.CaptureFixture[str], others: list[str]) -> None:
    """Everything is written all the same: an empty export is a finding, not a fault."""
    (folder / "空.csv").write_text(",".join(HEADERS) + "\n", "utf-8")
    pacsv.write_csv(make_lists(200, HARD, 5).records.rename_columns(HEADERS), folder / "甲.csv")
    assert run("match", "空.csv", *others, "--out", "o.csv", "--quiet") == 3
    assert "只有表头、没有人的名单：空.csv" in capsys.readouterr().out
    rows = (folder / "o.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + (200 if others else 0)
