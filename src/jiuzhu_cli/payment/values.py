"""The values of bank files: lines as columns, one value as the text a file shows, and back.

Lines travel as columns: ``source → list``, all lists of one length; ``line_no``, ``persons``, ``amount`` and ``paid_amount`` (分) are
integers, everything else text. A summary (汇总行) is a dict of the same kind with single values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankColumn

Columns = Mapping[str, Any]
Summary = dict[str, Any]

WHOLE = {"line_no", "lines", "sequence", "batch", "persons"}
MONEY = {"amount", "paid_amount", "total"}
DATED = {"month", "date"}
CHUNK = 65_536  # lines that are text at one time
OWN, OTHER = "own", "other"  # values of ``own_flag``
_YUAN = re.compile(r"(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?", re.ASCII)
_STYLES = {"yyyy": r"(?P<y>\d{4})", "MM": r"(?P<m>\d{2})", "dd": r"(?P<d>\d{2})"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot stand in the bank's file. ``what`` is Chinese; ``name`` the payee's."""

    line_no: int
    name: str
    what: str


class UnreadableFile(DataError):
    """A file that one layout cannot read. ``fit`` (0 to 1): how far it understood it, so that the right layout's reason is told."""

    def __init__(self, message: str, todo: str, *, fit: float) -> None:
        super().__init__(message, todo, code="unreadable_file")
        self.fit = fit


@dataclass(slots=True)
class BankFile:
    """A file as read: ``rows`` are 1-based row (line) numbers in the file, parallel to the columns (lists, or Arrow where they were asked for)."""

    columns: dict[str, Any]
    rows: list[int]
    summary: Summary = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)


class Lines(Mapping[str, list[Any]]):
    """Columns that stay Arrow: a column becomes a list when it is asked for, a piece of all when it is written."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __getitem__(self, source: str) -> list[Any]:
        if source not in self.table.column_names:
            raise KeyError(source)
        found: list[Any] = self.table[source].to_pylist()
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.table.column_names)

    def __len__(self) -> int:
        return self.table.num_columns

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}


def count_of(columns: Columns) -> int:
    if isinstance(columns, Lines):
        return int(columns.table.num_rows)
    return len(next(iter(columns.values()))) if columns else 0


def total_of(columns: Columns, source: str = "amount") -> int:
    """The sum of one column of money in 分."""
    if isinstance(columns, Lines):
        import pyarrow.compute as pc

        return int(pc.sum(columns.table[source]).as_py() or 0)
    return sum(columns[source])


def cut(columns: Columns, first: int, last: int) -> dict[str, list[Any]]:
    """The lines ``first`` to before ``last`` as lists."""
    if isinstance(columns, Lines):
        return columns.table.slice(first, last - first).to_pydict()  # type: ignore[no-any-return]
    return {source: values[first:last] for source, values in columns.items()}


def pieces_of(columns: Columns, size: int = CHUNK) -> Iterator[dict[str, list[Any]]]:
    """All lines in pieces of ``size``; one empty piece when there are none."""
    count = count_of(columns)
    for first in range(0, max(count, 1), size):
        yield cut(columns, first, min(first + size, count))


def beijing(stamp: str) -> datetime:
    """A time on record (UTC) as the clock on the wall shows it."""
    return datetime.fromisoformat(stamp) + timedelta(hours=8)


# -- one column ----------------------------------------------------------------------------------------------


def is_fixed(column: BankColumn) -> bool:
    """Whether the column is the same on every line: written from the layout or the settings, not read."""
    return column.source.startswith(("const:", "setting:"))


def fixed_text(column: BankColumn) -> str:
    """The text of such a column; of a setting (see ``layout.bind``) its default."""
    return column.source.removeprefix("const:") if column.source.startswith("const:") else column.default


def column_values(column: BankColumn, columns: Columns, count: int) -> Sequence[Any]:
    """The values that a column is to show, line by line; blank where it is for the bank's own (or other banks') payees only."""
    if is_fixed(column):
        values: Sequence[Any] = [fixed_text(column)] * count
    else:
        values = columns.get(column.source) or [""] * count
    if column.only:
        owners = columns.get("own_flag") or [""] * count
        values = [value if owner == column.only else "" for value, owner in zip(values, owners, strict=True)]
    return values


def texts_of(column: BankColumn, values: Sequence[Any]) -> list[str]:
    """Values of one column as the file shows them, before padding."""
    if column.source in MONEY:  # amounts repeat: each is written out once
        known = {fen: amount_text(column, fen).zfill(column.zeros) for fen in set(values)}
        return [known[fen] for fen in values]
    if column.source == "own_flag":
        words = {OWN: column.own, OTHER: column.other}
        return [words.get(value, "") for value in values]
    if column.source in DATED and column.style:
        known = {value: styled(column, value) for value in set(values)}
        return [known[value] for value in values]
    if column.zeros and column.source in WHOLE:
        return ["" if value in (None, "") else str(value).zfill(column.zeros) for value in values]
    return ["" if value is None else str(value) for value in values]


def values_of(column: BankColumn, texts: list[str]) -> list[Any]:
    """Texts of the file back as values. ValueError when one is none of its kind."""
    if column.source in MONEY:
        known = {text: _fen(column, text) for text in set(texts)}
        return [known[text] for text in texts]
    if column.source in WHOLE:
        if not all((text.isascii() and text.isdecimal()) or not text for text in texts):
            raise ValueError(column.name)
        return [int(text) if text else None for text in texts]
    if column.source == "own_flag":
        marks = {column.own: OWN, column.other: OTHER}
        if not marks.keys() >= set(texts):
            raise ValueError(column.name)
        return [marks[text] for text in texts]
    if column.source in DATED and column.style:
        known_days = {text: _unstyled(column, text) for text in set(texts)}
        return [known_days[text] for text in texts]
    return texts


def amount_text(column: BankColumn, fen: int | None) -> str:
    """An amount as the column writes it; one that needs more decimals than it has is written whole and told by ``fits``."""
    if fen is None or fen == "":
        return ""
    if needs_more_decimals(column, fen):
        return f"{fen // 100}.{fen % 100:02d}"
    text = str(fen * 10**column.decimals // 100)
    if not column.point or not column.decimals:
        return text
    text = text.rjust(column.decimals + 1, "0")
    return f"{text[: -column.decimals]}.{text[-column.decimals :]}"


def needs_more_decimals(column: BankColumn, fen: int | None) -> bool:
    return bool(fen) and column.decimals < 2 and int(fen or 0) % 10 ** (2 - column.decimals) != 0


def _fen(column: BankColumn, text: str) -> int | None:
    if not text:
        return None
    if not column.point:
        if not (text.isascii() and text.isdecimal()):
            raise ValueError(text)
        number = int(text)
        if column.decimals >= 2:
            fen, rest = divmod(number, 10 ** (column.decimals - 2))
            if rest:
                raise ValueError(text)
            return fen
        return number * int(10 ** (2 - column.decimals))
    match = _YUAN.fullmatch(text)
    digits = match.group(2) or "" if match else ""
    if not match or len(digits) > max(2, column.decimals) or digits[2:].strip("0"):
        raise ValueError(text)
    return int(match.group(1).replace(",", "")) * 100 + int(digits[:2].ljust(2, "0") or "0")


def styled(column: BankColumn, value: Any) -> str:
    """A month (YYYY-MM) or day (YYYYMMDD) in the column's style."""
    digits = str(value or "").replace("-", "")
    if not digits:
        return ""
    return column.style.replace("yyyy", digits[:4]).replace("MM", digits[4:6]).replace("dd", digits[6:8])


def _unstyled(column: BankColumn, text: str) -> str:
    if not text:
        return ""
    match = _style_pattern(column.style).fullmatch(text)
    if match is None:
        raise ValueError(text)
    found = match.groupdict()
    month = f"{found['y']}-{found['m']}"
    return month if column.source == "month" else f"{found['y']}{found['m']}{found.get('d', '')}"


@lru_cache(maxsize=64)
def _style_pattern(style: str) -> re.Pattern[str]:
    pattern = re.escape(style)
    for word, group in _STYLES.items():
        pattern = pattern.replace(word, group, 1)
    return re.compile(pattern, re.ASCII)
