"""A large text table read as vectors holds the very cells that the csv module gives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiuzhu_cli.tabular import csvrows, csvtext
from jiuzhu_cli.tabular.column import Column
from jiuzhu_cli.tabular.read import read_workbook


def both(text: str, mark: str = ",", *, plain: bool = True) -> tuple[list[Column], int]:
    """Split by the csv module and as vectors, in pieces of all sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvtext, "plain_columns", lambda *_: None)
        patch.setattr(csvtext, "separator", lambda _: mark)
        expected = csvtext.read_text(text.encode(), "a.csv")
        patch.setattr(csvrows, "LARGE", 0)
        for size in (1, 7, 64, 1 << 20):
            patch.setattr(csvrows, "PIECE", size)
            found = csvrows.plain_columns(text, mark)
            assert (found is not None) == (plain and expected[1] > 0)
            if found is not None:
                assert found == expected
                assert [one.kinds.tolist() for one in found[0]] == [one.kinds.tolist() for one in expected[0]]
    return expected


@pytest.mark.parametrize(
    ("text", "height"),
    [
        ("姓名,金额\n张三,5\n", 2), ("a,b,,\n,,\n", 2), ("a", 1), ("a\n\n\nb,c,d\n\n", 5), ("\n", 0), ("a,b\r\n\r\nc\r\n", 3), (",\n", 1), ("a\x0bb,c\n", 1),
        (" a , b \n", 1), ("a,b\nc\nd,e,f,g\n", 3), ("\n\na\n", 3), ("𠮷,䶮\n", 1), ("=1,'x\n", 1),
    ],
)  # fmt: skip
def test_habits(text: str, height: int) -> None:
    assert both(text)[1] == height


@pytest.mark.parametrize("text", ['a,"b"\n', "a\rb\n", '="1",2\n', "a\r\r\nb\n"])
def test_what_is_left_to_the_csv_module(text: str) -> None:
    both(text, plain=False)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab,;\n\t 张𠮷0'"), max_size=200), st.sampled_from(",;\t"))
def test_random_texts(text: str, mark: str) -> None:
    both(text, mark)


def test_a_large_table(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = [[chance.choice(["", "张三", f"{n:018d}", f"{n / 100}"]) for _ in range(12)] for n in range(20_000)]
    lines = ["序号,乙,丙,丁,戊,己,庚,辛,壬,癸,子,丑", *(",".join(row) for row in rows)]
    for encoding in ("utf-8", "gb18030"):
        (tmp_path / "a.csv").write_bytes("\r\n".join(lines).encode(encoding))
        sheet = read_workbook(tmp_path / "a.csv").sheets[0]
        assert (sheet.width, sheet.height) == (12, 20_001) and sheet.columns[0]._cells is None
        for index in range(12):
            assert list(sheet.columns[index])[1:] == [row[index] or None for row in rows]
