"""A random table written in each container is read back cell by cell, value and type."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.tabular import archive
from jiuzhu_cli.tabular.read import read_workbook
from tests.tabular.makers import mhtml, old_xls, packed, page, xml_row, xmlss, zip_aes, zip_crypto

QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# no blanks at the edges and none doubled: pages do not keep them
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: not word.startswith(("=", "#", "'", "sep"))
)
CHINESE = st.text(st.sampled_from("张王李赵一二三四五六七八九十䶮镇村户主金额,;|\"'<>&-_=()（）、，：。ABCxyz0123456789"), min_size=1, max_size=12).filter(
    lambda word: not word.startswith(("=", "#", "'", "sep"))
)  # fmt: skip
NUMBERS = st.integers(-(10**14), 10**14) | st.floats(-1e12, 1e12).filter(lambda value: not value.is_integer())


def tables(words: st.SearchStrategy[str], *, numbers: bool) -> st.SearchStrategy[list[list[Any]]]:
    cells = st.none() | words | NUMBERS if numbers else st.none() | words
    return st.integers(1, 6).flatmap(
        lambda width: st.lists(
            st.tuples(words, *[cells] * (width - 1), words).map(list), min_size=2, max_size=12
        )  # first and last columns filled: where a table ends is not lost
    )


def escaped(rows: list[list[Any]]) -> list[list[Any]]:
    return [[html.escape(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]


def text(rows: list[list[Any]], mark: str) -> str:
    def cell(value: Any) -> str:
        return "" if value is None else '"' + value.replace('"', '""') + '"'

    return "".join(mark.join(map(cell, row)) + "\r\n" for row in rows)


def check(tmp_path: Path, data: bytes, rows: list[list[Any]], name: str = "表.xls") -> None:
    (tmp_path / name).write_bytes(data)
    sheet = read_workbook(tmp_path / name).sheets[0]
    assert [[cells[row] for cells in sheet.columns] for row in range(sheet.height)] == rows
    assert [[type(cells[row]) for cells in sheet.columns] for row in range(sheet.height)] == [
        list(map(type, row)) for row in rows
    ]


@QUIET
@given(tables(WORDS, numbers=False), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_pages(tmp_path: Path, rows: list[list[Any]], encoding: str) -> None:
    check(tmp_path, page(escaped(rows), charset=encoding.removesuffix("-sig"), encode=encoding), rows)
    check(tmp_path, mhtml({"表": page(escaped(rows))}), rows)


@QUIET
@given(tables(WORDS, numbers=True))
def test_xml_spreadsheets(tmp_path: Path, rows: list[list[Any]]) -> None:
    check(tmp_path, xmlss({"表": "".join(map(xml_row, escaped(rows)))}), rows)


def gbk(word: str) -> bool:
    return word.encode("gbk", "ignore").decode("gbk") == word


@QUIET
@given(tables(CHINESE.filter(gbk), numbers=True), st.sampled_from([2, 3, 4, 5]))
def test_old_workbooks(tmp_path: Path, rows: list[list[Any]], version: int) -> None:
    check(tmp_path, old_xls(version, rows), rows)


@QUIET
@given(
    tables(WORDS, numbers=False), st.sampled_from([",", "\t"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"])
)  # fmt: skip
def test_text(tmp_path: Path, rows: list[list[Any]], mark: str, encoding: str) -> None:
    data = text(rows, mark).encode(encoding)
    if encoding == "gb18030":
        try:  # a short text may be both; then it is taken as UTF-8
            data.decode("utf-8")
        except UnicodeDecodeError:
            check(tmp_path, data, rows, "表.csv")
        return
    check(tmp_path, data, rows, "表.csv")


PACKERS: dict[str, Callable[[str, bytes], bytes]] = {
    "plain": lambda name, data: packed({name: data}), "gbk": lambda name, data: packed({name: data}, gbk=True),
    "nested": lambda name, data: packed({"里.zip": packed({name: data}, gbk=True)}), "crypto": lambda name, data: zip_crypto(name, data, b"pw"),
    "aes": lambda name, data: zip_aes(name, data, b"pw", strength=2),
}  # fmt: skip
NAMES = st.text(st.sampled_from("张王李镇村花名册0123456789()（）·- _."), min_size=1, max_size=20).map(
    lambda name: f"甲{name}乙.csv"
)


@QUIET
@given(st.binary(max_size=3000), st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(list(PACKERS)))
def test_members_of_archives(tmp_path: Path, data: bytes, names: list[str], kind: str) -> None:
    path = tmp_path / "包.zip"
    path.write_bytes(PACKERS[kind]("/".join(names), data))
    (member,) = archive.members(path, ["pw"]) or []
    assert member == path.joinpath(*(["里.zip"] if kind == "nested" else []), *names)
    assert archive.file_bytes(member, ["no", "pw"]) == data


@pytest.mark.parametrize("kind", PACKERS)
def test_an_empty_member(tmp_path: Path, kind: str) -> None:
    (tmp_path / "包.zip").write_bytes(PACKERS[kind]("空.csv", b""))
    (member,) = archive.members(tmp_path / "包.zip") or []
    assert archive.file_bytes(member, ["pw"]) == b""
