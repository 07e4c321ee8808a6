"""Bank files (银行代发文件): one declarative table (``policy.bank_layout.BankLayout``) both writes and reads a bank's file.

Here the containers meet: text (``textfile``), workbooks (``sheets``), XML (``pain``). What a layout leaves to the workspace — agreement
number, paying account, whatever a bank gives its customer — is put in by ``bind``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, OutsideError, reason_of
from jiuzhu_cli.payment.fits import masked, misfits, problems_of
from jiuzhu_cli.payment.textfile import decode_text, decoded, encode_text, encoded
from jiuzhu_cli.payment.values import (
    MONEY,
    OTHER,
    OWN,
    WHOLE,
    BankFile,
    Columns,
    Lines,
    Problem,
    Summary,
    UnreadableFile,
    count_of,
)
from jiuzhu_cli.tabular.files import write_atomic

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout
    from jiuzhu_cli.policy.bank_names import BankNames

__all__ = [
    "MONEY", "WHOLE", "BankFile", "Columns", "Lines", "Problem", "Summary", "UnreadableFile", "bind", "count_of", "decode_text",
    "encode_text", "file_stem", "masked", "misfits", "problems_of", "read_bytes", "rows_at_most", "write_file",
]  # fmt: skip

SUFFIX = {"xlsx": ".xlsx", "xls": ".xls", "delimited": ".txt", "fixed": ".txt", "pain001": ".xml"}
ROWS_OF_BOOKS = {"xlsx": 1_048_576, "xls": 65_536}
OF_PAYER = ("payer_name", "payer_account", "agreement_no")  # settings with a name of their own


def bind(layout: BankLayout, settings: Mapping[str, Any]) -> BankLayout:
    """The layout with what ``[payment]`` and ``[payment.constants]`` of the workspace say in the place of its settings.

    ``[payment.constants.代码]`` holds for that layout only and goes first. DataError for a layout that no software can write.
    """
    if not layout.makes_files:
        raise DataError(f"“{layout.name}”的文件本程序写不了：{layout.says}", "换一种格式（jiuzhu pay layout list）")
    constants = settings.get("constants", {})
    own = constants.get(layout.code, {})

    def put(column: BankColumn) -> BankColumn:
        key = column.source.removeprefix("setting:")
        if key == column.source and key not in OF_PAYER:
            return column
        words = (own.get(key), constants.get(key), settings.get(key), column.default)
        text = next((str(word) for word in words if isinstance(word, str) and word), "")
        return column.model_copy(update={"source": f"setting:{key}", "default": text})

    shapes = {key: tuple(map(put, getattr(layout, key))) for key in ("columns", "summary", "trailer", "returns")}
    return layout.model_copy(update=shapes)


def setting_of(layout: BankLayout, settings: Mapping[str, Any], key: str) -> Any:
    """One of ``[payment.constants]``, that of the layout first; None when nobody says it."""
    constants = settings.get("constants", {})
    return constants.get(layout.code, {}).get(key, constants.get(key))


def ownership(layout: BankLayout, names: BankNames, accounts: Sequence[tuple[str, str]]) -> list[str]:
    """For each ``(bank_name, bank_code)``: ``own``, ``other``, or '' where neither tells.

    A 联行号 says whose account it is by its first digits (行别); else the bank as written. Never guessed.
    """
    codes = layout.own_codes
    mine = [found for word in layout.banks if (found := names.find(word))]
    if not codes:
        codes = tuple(code for bank in mine for code in bank.codes)
    families = {bank.family for bank in mine}
    known: dict[tuple[str, str], str] = {}
    for pair in set(accounts):
        name, code = pair
        written = names.find(name) if name else None
        if code:
            known[pair] = OWN if code.startswith(codes) else OTHER
        elif any(word in name for word in layout.banks) or (written and written.family in families):
            known[pair] = OWN
        else:
            known[pair] = OTHER if written else ""
    return [known[pair] for pair in accounts]


def rows_at_most(layout: BankLayout) -> int:
    """Lines that one file can hold; 0: any number. A workbook's title, header and totals take rows, too."""
    room = ROWS_OF_BOOKS.get(layout.container, 0)
    room -= (bool(layout.title) + 1 + bool(layout.closing)) if room else 0
    return min(filter(None, (room, layout.max_lines)), default=0)


def write_file(layout: BankLayout, path: Path, columns: Columns, summary: Summary) -> str:
    """Writes a bank file whole or not at all; returns its SHA-256. ``layout`` as ``bind`` made it; call ``problems_of`` first."""
    if layout.is_book:
        from jiuzhu_cli.payment.sheets import write_sheet

        return write_sheet(layout, path, columns, summary=summary)
    if layout.container == "pain001":
        from jiuzhu_cli.payment.pain import initiation

        return write_atomic(path, lambda temporary: _put(temporary, initiation(layout, columns, summary)))
    return write_atomic(path, lambda temporary: _put(temporary, encoded(layout, columns, summary)))


def _put(path: Path, pieces: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(pieces)


def pieces_in(layout: BankLayout, path: Path) -> Iterator[BankFile]:
    """A file that was exported, read back piece by piece by its layout's columns. UnreadableFile where it does not fit."""
    if layout.is_book:
        from jiuzhu_cli.payment.sheets import read_sheet

        wanted = ("account_no", "payee_name", "amount")
        yield read_sheet(path, layout.columns, needed=[c.source for c in layout.columns if c.source in wanted])
    elif layout.container == "pain001":
        from jiuzhu_cli.payment.pain import read_initiation

        yield read_initiation(layout, read_bytes(path))
    else:
        yield from decoded(layout, read_bytes(path))


def file_stem(
    layout: BankLayout, *, month: str, sequence: int, batch: int, part: int, parts: int, date: str = "", group: str = ""
) -> str:
    """The deterministic file name without folder and suffix; parts are numbered when there are several."""
    stem = layout.file_name.format(
        bank=layout.code, name=layout.name, month=month, sequence=sequence, batch=batch, date=date, yyyymm=month.replace("-", ""),
    )  # fmt: skip
    stem = f"{stem}_{group}" if group else stem
    return f"{stem}_{part:02d}" if parts > 1 else stem


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutsideError(f"读不了 {path.name}：{reason_of(error)}", "检查路径和权限") from error
