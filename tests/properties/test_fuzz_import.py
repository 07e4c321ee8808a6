"""Mutated files of every container through the whole import: read, refused or asked about; never a fault, never a hang.

``JIUZHU_FUZZ=2000 pytest tests/properties/test_fuzz_import.py`` tries so many of each kind (default 40). A failing case is
named by kind and number: ``mutant(kind, number)`` makes the same bytes again.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import run
from tests.support import make_id, make_workspace
from tests.tabular import encrypted
from tests.tabular.makers import mhtml, old_xls, packed, page, xml_row, xmlss

CASES = int(os.environ.get("JIUZHU_FUZZ", "40"))
AT_ONCE = 20
SECONDS = 30  # for AT_ONCE small files together, on a busy machine
HEADER = ["户主姓名", "身份证号", "与户主关系", "发放金额", "银行账号", "出生日期"]
ROWS: list[list[Any]] = [
    [f"王{chr(0x4E00 + n)}", make_id(n), ("户主", "配偶", "子女")[n % 3], 300.5 if n % 3 == 0 else None, f"42100100{n:06d}", "1970-01-01"]
    for n in range(30)
]  # fmt: skip
TITLE = "青溪镇2026年10月农村低保发放花名册"
TABLE: list[list[Any]] = [[TITLE], HEADER, *ROWS, ["合计", None, None, 3005.0]]
TEXT = "".join(",".join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in TABLE)


def _xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in TABLE:
        book.active.append(row)
    book.active.merge_cells("A1:F1")
    book.active.row_dimensions[5].hidden = True
    book.active["D40"] = "=SUM(D3:D32)"
    book.create_sheet("说明")["A1"] = "填表说明"
    book.save(out)
    return out.getvalue()


def _xls() -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("名册")
    for number, row in enumerate(TABLE):
        for column, cell in enumerate(row):
            if cell is not None:
                sheet.write(number, column, cell)
    sheet.row(40).set_cell_error(2, 0x2A)
    book.save(out)
    return out.getvalue()


def _xmlss() -> bytes:
    return xmlss({"名册": "<Column/>" + "".join(map(xml_row, TABLE)), "藏": xml_row(["x"])}, hidden=["藏"])


SEEDS: dict[str, Callable[[], bytes]] = {
    "xlsx": _xlsx, "xls": _xls, "excel 95": lambda: old_xls(5, TABLE), "excel 3": lambda: old_xls(3, TABLE), "csv": TEXT.encode,
    "gbk csv": lambda: TEXT.encode("gbk"), "utf-16": lambda: TEXT.encode("utf-16"), "page": lambda: page(TABLE), "mhtml": lambda: mhtml({"名册": page(TABLE)}),
    "xml": _xmlss, "zip": lambda: packed({"青溪镇/名册.xlsx": _xlsx(), "名册.csv": TEXT.encode("gbk"), "里.zip": packed({"名册.xml": _xmlss()})}, gbk=True),
    "encrypted": lambda: encrypted.agile(_xlsx(), "密码"), "encrypted xls": lambda: encrypted.rc4(_xls()[512:-1024], "密码"),
}  # fmt: skip
SUFFIX = {"xlsx": ".xlsx", "csv": ".csv", "gbk csv": ".csv", "utf-16": ".txt", "zip": ".zip"}
MARKUP = frozenset(("csv", "gbk csv", "utf-16", "page", "mhtml", "xml"))
ODD = [
    "", "0", "-1", "99999999999999999999", "1048577", "16385", "1e999", "NaN", "\x00", "\ufeff", "\u202e", '"', "'", "<", ">", "&", "&#0;", "&#x110000;",
    "]]>", "<![CDATA[", "<!DOCTYPE x>", "<!--", "=1+1", "#N/A", "䶮", "𠮷", "\r", "\n", "\t", ",", "A0", "XFD1048576", "s", "b", "e", "d", "inlineStr", "合计", "2026-11-31",
]  # fmt: skip
seed = lru_cache(maxsize=None)(lambda kind: SEEDS[kind]())


def mutant(kind: str, number: int) -> bytes:
    """The bytes of one case."""
    chance, data = random.Random(f"{kind} {number}"), seed(kind)
    if kind == "xlsx" and chance.random() < 0.8:
        return _parts(data, chance)
    if kind in MARKUP and chance.random() < 0.7:
        encoding = {"gbk csv": "gbk", "utf-16": "utf-16"}.get(kind, "utf-8")
        return _words(data.decode(encoding), chance).encode(encoding, "ignore")
    return _bytes(data, chance)


def _bytes(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at, length = chance.randrange(len(out) or 1), chance.choice((1, 2, 4, 8, 64, 600))
        act = chance.randrange(6)
        if act == 0:
            out[at : at + length] = bytes(chance.choice((0, 0xFF, 0x7F, chance.randrange(256))) for _ in range(length))
        elif act == 1:
            del out[at : at + length]
        elif act == 2:
            out[at:at] = out[at : at + length]
        elif act == 3 and out:
            out[at] ^= 1 << chance.randrange(8)
        elif act == 4:
            other = chance.randrange(len(out) or 1)
            out[at : at + length] = out[other : other + length]
        elif chance.random() < 0.3:
            del out[at:]
    return bytes(out)


def _words(text: str, chance: random.Random) -> str:
    """``text`` with some of its numbers, tags, attributes and cells changed, lost or doubled."""
    parts = re.split(r"(<[^<>]*>|[\d.]+|\"|,|\r\n)", text)
    for _ in range(chance.choice((1, 2, 4, 10))):
        at = chance.randrange(len(parts))
        act = chance.randrange(4)
        if act == 0:
            parts[at] = chance.choice(ODD)
        elif act == 1:
            parts[at] *= chance.choice((0, 2, 50))
        elif act == 2:
            other = chance.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        else:
            parts[at] = re.sub(r'"[^"]*"', lambda _: f'"{chance.choice(ODD)}"', parts[at], count=1)
    return "".join(parts)


def _parts(data: bytes, chance: random.Random) -> bytes:
    """An xlsx with one part changed, lost, doubled or swapped."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    at = chance.randrange(len(parts))
    name, body = parts[at]
    act = chance.randrange(8)
    if act == 0:
        del parts[at]
    elif act == 1:
        parts[at] = (name, parts[chance.randrange(len(parts))][1])
    elif act == 2:
        parts[at] = (name, _bytes(body, chance))
    else:
        if act > 4:
            at = next(index for index, (part, _) in enumerate(parts) if "sheet1.xml" in part)
            name, body = parts[at]
        parts[at] = (name, _words(body.decode("utf-8"), chance).encode("utf-8", "ignore"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts:
            archive.writestr(part, content)
    return out.getvalue()


@contextlib.contextmanager
def _bounded(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} seconds")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("fuzz") / "ws")


@pytest.mark.parametrize("kind", SEEDS)
def test_no_mutant_is_more_than_refused(kind: str, workspace: Workspace, tmp_path: Path) -> None:
    for first in range(0, CASES, AT_ONCE):
        folder = tmp_path / str(first)
        for number in range(first, min(first + AT_ONCE, CASES)):
            path = folder / f"{number}" / f"名册{SUFFIX.get(kind, '.xls')}"
            path.parent.mkdir(parents=True)
            path.write_bytes(mutant(kind, number))
        try:
            with _bounded(SECONDS):
                result = run(workspace, folder)
            assert result.exit_code in (0, 3, 4)
            assert all(table.note or table.findings or table.batch for table in result.tables)
        except Exception as error:
            raise AssertionError(f"{kind}: {_culprit(workspace, folder)}") from error
        shutil.rmtree(folder)


def _culprit(workspace: Workspace, folder: Path) -> str:
    """The numbers of the cases that fail alone."""
    found = []
    for case in sorted(folder.iterdir()):
        try:
            with _bounded(SECONDS):
                run(workspace, case)
        except Exception as error:
            found.append(f"mutant {case.name}: {error!r:.200}")
    return "; ".join(found) or "only together"
