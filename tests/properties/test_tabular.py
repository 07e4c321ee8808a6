"""What is written is read back the same; no damaged file does anything but be refused."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30) | st.sampled_from(
    [
        "=1+1",
        "+1",
        "-1",
        "@a",
        " 前后空格 ",
        "1e5",
        "0012",
        "_x0041_",
        "421002199001011234",
        "a\nb",
        "䶮𠮷",
        "TRUE",
        "#N/A",
    ]
)


@QUIET
@given(st.lists(st.tuples(TEXTS, st.integers(-(10**12), 10**12)), min_size=1, max_size=20))
def test_xlsx_round_trip(tmp_path: Path, rows: list[tuple[str, int]]) -> None:
    write_xlsx(tmp_path / "a.xlsx", [SheetSpec("表", [ColumnSpec("文字"), ColumnSpec("金额", kind="amount")], rows)])
    sheet = read_workbook(tmp_path / "a.xlsx").sheets[0]
    assert sheet.columns[0][1:] == [text for text, _ in rows]
    assert [round(cell * 100) for cell in sheet.columns[1][1:]] == [fen for _, fen in rows]


@QUIET
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=20))
def test_csv_round_trip_but_for_the_defusing_mark(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    write_csv(tmp_path / "a.csv", ["甲", "乙"], rows)
    sheet = read_workbook(tmp_path / "a.csv").sheets[0]
    for column in (0, 1):
        for found, row in zip(sheet.columns[column][1:], rows, strict=True):
            assert found in (row[column], "'" + row[column])
            assert not found.startswith(("=", "+", "-", "@"))


def _xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in range(30):
        book.active.append([f"姓名{row}", "421002199001011234", row / 3, "=A1"])
    book.save(out)
    return out.getvalue()


def _xls() -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("表")
    for row in range(30):
        sheet.write(row, 0, f"姓名{row}")
        sheet.write(row, 1, row / 3)
    book.save(out)
    return out.getvalue()


SEEDS = {"xlsx": _xlsx(), "xls": _xls(), "csv": "姓名,金额\r\n张三,1\r\n".encode("gb18030") * 5}


@pytest.mark.parametrize("kind", SEEDS)
def test_damaged_files_are_read_or_refused_never_more(tmp_path: Path, kind: str) -> None:
    seed, path = SEEDS[kind], tmp_path / f"a.{kind}"

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(0, len(seed) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(seed))
    )
    def damage(edits: list[tuple[int, int]], cut: int) -> None:
        data = bytearray(seed)
        for place, value in edits:
            data[place] = value
        path.write_bytes(bytes(data[: cut if cut % 5 == 0 else None]))
        with contextlib.suppress(JiuzhuError):
            read_workbook(path)

    damage()
