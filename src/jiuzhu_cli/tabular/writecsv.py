"""Text tables for people and programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jiuzhu_cli.tabular.files import write_bytes

_DEFUSE = frozenset("=+-@\t\r")  # what a spreadsheet would run


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    r"""A UTF-8 csv with BOM and \r\n for people and spreadsheets; cells that would run as formulas get a leading '.

    Returns the SHA-256. Numbers given as int or float are written as they are.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for row in (header, *rows):
        writer.writerow(["'" + cell if isinstance(cell, str) and cell[:1] in _DEFUSE else cell for cell in row])
    return write_bytes(path, b"\xef\xbb\xbf" + text.getvalue().encode("utf-8"))
