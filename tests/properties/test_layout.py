"""What a layout writes it reads back, whatever the values, in every container; what it cannot write it refuses."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.payment import textfile
from jiuzhu_cli.payment.answers import extended_shape, return_shape
from jiuzhu_cli.payment.bankfile import read_export, write_part
from jiuzhu_cli.payment.layout import SUFFIX, bind, decode_text, encode_text, problems_of
from jiuzhu_cli.payment.parts import Part
from jiuzhu_cli.payment.textvectors import vectors_of
from jiuzhu_cli.payment.values import column_values
from jiuzhu_cli.policy.bank_layout import BankLayout
from jiuzhu_cli.policy.check_banks import _faults
from jiuzhu_cli.policy.load import load_policy

SETTINGS = {
    "payer_name": "甲区民政局",
    "payer_account": "1100000000000000001",
    "constants": {"payer_bank": "甲支行", "unit_code": "1", "branch_no": "41"},
}
BANKS = {code: bind(one, SETTINGS) for code, one in load_policy(region="421002").banks.items() if one.makes_files}
TEXTS = sorted(code for code, one in BANKS.items() if one.container in ("delimited", "fixed"))
BOOKS = sorted(code for code, one in BANKS.items() if one.is_book)
CHARS = st.characters(min_codepoint=0x20, max_codepoint=0x2A6DF, exclude_categories=("Cs", "Cc", "Co", "Cn"))
NAMES = st.one_of(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=4),
    st.sampled_from(["䶮小丫", "阿卜杜拉·买买提", "=1+1", "王|小", " 王", "王 ", "㛃一", "𠮷野", "合计"]),
    st.text(CHARS, min_size=0, max_size=24),
)
LINE = st.tuples(
    NAMES,
    st.text("0123456789", min_size=6, max_size=30),
    st.one_of(st.integers(1, 10**9), st.sampled_from([1, 99, 100, 10**13])),
    st.text(CHARS, max_size=8),
)


def columns_of(lines: list[tuple[str, str, int, str]]) -> dict[str, list[Any]]:
    return {
        "line_no": list(range(1, len(lines) + 1)),
        "payee_name": [line[0] for line in lines],
        "account_no": [line[1] for line in lines],
        "amount": [line[2] for line in lines],
        "payee_id_no": [""] * len(lines),
        "bank_name": [line[3].strip() for line in lines],
        "purpose": ["低保金2026-10"] * len(lines),
        "phone": [""] * len(lines),
        "address": [""] * len(lines),
        "agreement_no": [""] * len(lines),
        "month": ["2026-10"] * len(lines),
        "programme": ["农村低保"] * len(lines),
        "persons": [len(line[0]) for line in lines],
        "person_name": [line[0] for line in lines],
        "person_id_no": [""] * len(lines),
        "own_flag": ["other" if len(line[1]) % 2 else "own" for line in lines],
        "bank_code": ["402421002016" if len(line[1]) % 2 else "" for line in lines],
    }


def summary_of(columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {"lines": len(columns["line_no"]), "total": sum(columns["amount"]), "month": "2026-10"}


@given(st.lists(LINE, min_size=1, max_size=12), st.sampled_from(TEXTS))
@settings(max_examples=150, deadline=None)
def test_text_comes_back_as_it_was_or_is_refused(lines: list[tuple[str, str, int, str]], code: str) -> None:
    layout, columns = BANKS[code], columns_of(lines)
    summary = summary_of(columns)
    if problems_of(layout, columns, summary):
        return
    found = decode_text(layout, encode_text(layout, columns, summary))
    for column in [column for column in layout.columns if column.source in found.columns]:
        assert found.columns[column.source] == columns[column.source], column.name
    stated = {column.source for column in (*layout.opening, *layout.closing)} & summary.keys()
    assert {key: found.summary[key] for key in stated} == {key: summary[key] for key in stated}


@given(st.lists(LINE, min_size=1, max_size=6), st.sampled_from(BOOKS))
@settings(max_examples=40, deadline=None)
def test_a_workbook_comes_back_as_it_was_or_is_refused(lines: list[tuple[str, str, int, str]], code: str) -> None:
    layout, columns = BANKS[code], columns_of(lines)
    if problems_of(layout, columns, {}):
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Part(code, Path(folder) / f"f{SUFFIX[layout.container]}", columns, summary_of(columns))
        write_part(layout, part)  # compares every value itself
        assert sum(read_export(layout, part.path).columns["amount"]) == part.amount_fen


@given(st.binary(max_size=400), st.sampled_from(TEXTS))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused_never_a_crash(data: bytes, code: str) -> None:
    from jiuzhu_cli.core.errors import DataError

    with contextlib.suppress(DataError):
        decode_text(BANKS[code], data)


# -- layouts that nobody has written yet ----------------------------------------------------------------------

PADS = st.sampled_from([" ", "0", "*"])
HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
EASY = st.tuples(  # most of these can be written, whatever the layout
    st.one_of(
        st.text(HAN, min_size=2, max_size=4), st.sampled_from(["阿卜杜拉·买买提", "王|小", "张！", "欧阳*", "0五"])
    ),
    st.text("123456789", min_size=6, max_size=17),
    st.one_of(
        st.integers(1, 10**7).map(lambda yuan: yuan * 100), st.integers(1, 10**9).map(lambda fen: fen - fen % 10 or 10)
    ),
    st.text(HAN, max_size=6),
)


@st.composite
def layouts(draw: st.DrawFn) -> BankLayout:
    """A layout of text, made up; ``policy check`` finds nothing wrong with it."""
    container = draw(st.sampled_from(["delimited", "fixed"]))
    sources = ["account_no", "payee_name", "amount", *draw(st.lists(st.sampled_from(["line_no", "bank_name", "month", "own_flag", "const:甲", "purpose", "bank_code", "persons"]), unique=True, max_size=5))]  # fmt: skip
    order = draw(st.permutations(sources))

    def column(source: str) -> dict[str, Any]:
        number = source in ("amount", "line_no", "persons", "lines", "total")
        right = draw(st.booleans())
        pad = draw(PADS) if right or not number else " "
        made: dict[str, Any] = {"name": f"列{source[:4]}".replace(":", ""), "source": source, "width": draw(st.integers(18, 44)), "align": "right" if right else "left", "pad": pad}  # fmt: skip
        if source in ("amount", "total"):
            made |= {"point": draw(st.booleans()), "decimals": draw(st.sampled_from([0, 1, 2, 2, 2, 2, 3, 4]))}
        if number and container == "delimited":
            made["zeros"] = draw(st.sampled_from([0, 0, 8, 16]))
        if source == "month":
            made["style"] = draw(st.sampled_from(["", "yyyyMM", "yyyy/MM", "yyyy年MM月"]))
        if source == "bank_code":
            made["only"] = draw(st.sampled_from(["", "other"]))
        return made

    totals = [column(source) for source in draw(st.permutations(["lines", "total", "month", "const:总"]))]
    place = draw(st.sampled_from(["none", "first", "last", "both"]))
    return bind(
        BankLayout.model_validate(
            {
                "code": "made", "name": "试", "container": container, "encoding": draw(st.sampled_from(["gbk", "gb18030", "utf-8", "utf-8-sig"])),
                "delimiter": draw(st.sampled_from(["|", ",", "\t", "|!", "||", "~#~", "|"])), "end_delimiter": draw(st.booleans()),
                "header": draw(st.booleans()), "line_end": draw(st.sampled_from(["\r\n", "\n"])), "columns": [column(source) for source in order],
                "summary": [] if place == "none" else totals, "summary_last": place == "last", "trailer": totals if place == "both" else [], "source": "测试",
                "banks": ["试"], "other_bank": "same" if "own_flag" in sources else "",
            }
        ),
        {},
    )  # fmt: skip


@given(layouts(), st.lists(EASY, min_size=1, max_size=90))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_layout_it_is_what_it_writes_it_reads(
    layout: BankLayout, lines: list[tuple[str, str, int, str]]
) -> None:
    if list(_faults(layout)):
        return
    columns = columns_of(lines)
    summary = summary_of(columns)
    if problems_of(layout, columns, summary):
        return
    data = encode_text(layout, columns, summary)
    found = decode_text(layout, data)
    assert len(found) == len(lines)
    for column in layout.columns:
        if column.source in found.columns:
            expected = list(column_values(column, columns, len(lines)))
            assert found.columns[column.source] == expected, column
    assert encode_text(layout, found.columns | {"own_flag": columns["own_flag"]}, found.summary) == data


def read_both_ways(layout: BankLayout, data: bytes, **how: Any) -> None:
    """As lists and as vectors a file has the same values, or the same is wrong with it."""
    told: list[Any] = []
    for vectors in (False, True):
        try:
            found = decode_text(layout, data, vectors=vectors, **how)
        except DataError as error:
            told.append((error.message, getattr(error, "fit", None)))
        else:
            columns = {s: v.to_pylist() if vectors else v for s, v in found.columns.items()}
            told.append((columns, found.rows, found.summary))
    assert told[0] == told[1]


@given(st.lists(LINE, min_size=1, max_size=12), st.sampled_from(TEXTS), st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_a_text_is_the_same_as_lists_and_as_vectors(
    lines: list[tuple[str, str, int, str]], code: str, data: st.DataObject
) -> None:
    layout = BANKS[code]
    shape = data.draw(st.sampled_from([layout.columns, return_shape(layout), extended_shape(layout)]))
    columns = columns_of(lines)
    results = data.draw(
        st.lists(st.sampled_from(["成功", "失败", "", " ", "0"]), min_size=len(lines), max_size=len(lines))
    )
    columns |= {"result": results, "reason": ["账户冻结" if one == "失败" else "" for one in results], "paid_amount": columns["amount"]}  # fmt: skip
    try:
        written = encode_text(layout, columns, summary_of(columns), shape=shape)
    except DataError:
        return
    how = {"shape": shape}
    read_both_ways(layout, written, **how)
    at = data.draw(st.integers(0, max(len(written) - 1, 0)))
    odd = data.draw(st.sampled_from([b"\r", b"\n", b"|", b"0", b" ", b"\xb0", b"", b"\r\n", b"\x1a", b"\xff", "，".encode("gbk")]))  # fmt: skip
    for damaged in (
        written[:at] + odd + written[at:],
        written[:at] + odd + written[at + 1 :],
        written[:at],
        written.replace(b"\r\n", b"\n"),
        written.replace(b"\r\n", b"\n", 1),
        written.replace(b" \r\n", b"\r\n"),
        written.replace(b"\n", b"\r\n"),
        written + odd,
    ):
        read_both_ways(layout, damaged, **how)


@pytest.mark.parametrize("code", TEXTS)
def test_many_lines_are_the_same_as_lists_and_as_vectors(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "BLOCK", 2000)
    layout = BANKS[code]
    rows = [("王小" + chr(0x4E00 + n), f"6217{n:08d}", n * 100 + 100, "农信") for n in range(300)]
    for changed in (rows, [*rows[:150], ("㛃", "6217", 100, ""), *rows[150:]]):
        columns = columns_of(changed)
        with contextlib.suppress(DataError):
            written = encode_text(layout, columns, summary_of(columns))
            if changed is rows and len(layout.delimiter) == 1:  # such a file is read as vectors indeed
                head, _, rest = written.rstrip().partition(b"\r\n")
                lines = rest if layout.opening or layout.header else head + b"\r\n" + rest
                lines = lines.rpartition(b"\r\n")[0] if layout.closing else lines
                assert vectors_of(layout, layout.columns, lines, textfile._unpadded) is not None
            read_both_ways(layout, written)
            read_both_ways(layout, written.replace(b"6217", b"6 17", 1))
