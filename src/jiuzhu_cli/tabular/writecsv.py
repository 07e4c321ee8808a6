"""Text tables for people and programs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jiuzhu_cli.tabular.files import write_bytes

_DEFUSE = frozenset("=+-@\t\r")  # what a spreadsheet would run
_STARTS = re.compile(r"\n[-=+@\t\r]")


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    r"""A UTF-8 csv with BOM and \r\n for people and spreadsheets; cells that would run as formulas get a leading '.

    Returns the SHA-256. Numbers given as int or float are written as they are.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_defused(header))
    columns = list(zip(*rows, strict=True))
    columns = [_defused(column) if _may_run(column) else column for column in columns]
    writer.writerows(zip(*columns, strict=True))
    return write_bytes(path, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8"))


def _may_run(column: Sequence[Any]) -> bool:
    """Whether a cell may begin with what runs: asked of all at once, cell by cell it takes longer than the writing."""
    texts = [cell for cell in column if cell.__class__ is str]
    return _STARTS.search("\n" + "\n".join(texts)) is not None


def _defused(cells: Iterable[Any]) -> tuple[Any, ...]:
    return tuple("'" + cell if isinstance(cell, str) and cell[:1] in _DEFUSE else cell for cell in cells)
