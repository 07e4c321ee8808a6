"""A bank's answer (回盘) as columns: read by the layout's own table, by what was exported and two columns more, or by its headers.

``write_answer`` is the encoding side of the same table, for rehearsals and tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.layout import BankFile, Columns, Summary, decode_text, encode_text
from jiuzhu_cli.payment.pain import read_status, status_report
from jiuzhu_cli.payment.parts import Part, layout_of, parts
from jiuzhu_cli.payment.sheets import read_sheet, write_sheet

if TYPE_CHECKING:
    from jiuzhu_cli.policy.bank_layout import BankColumn, BankLayout
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.tabular.cells import Workbook

_ACCOUNT_HEADS = [
    word.encode(encoding) for word in ("账号", "帐号", "卡号") for encoding in ("gb18030", "utf-8", "utf-16-le")
]


def return_shape(layout: BankLayout) -> tuple[BankColumn, ...]:
    """The columns of the bank's return: as the layout says, else the exported ones with 结果 and 失败原因 behind them."""
    return layout.returns or extended_shape(layout)


def extended_shape(layout: BankLayout) -> tuple[BankColumn, ...]:
    from jiuzhu_cli.policy.bank_layout import BankColumn

    return (
        *layout.columns,
        BankColumn(name="结果", source="result", width=10),
        BankColumn(name="失败原因", source="reason", width=60),
    )


def decode_return(layout: BankLayout, path: Path, data: bytes, opened: dict[Path, Workbook] | None = None) -> BankFile:
    """A return file as columns, whichever way fits. When none does, the DataError of the reading that came furthest.

    ``opened``: workbooks read so far, kept for the next layout that tries the file.
    """
    opened = {} if opened is None else opened
    if layout.container == "pain001":
        return read_status(layout, data)
    binary = data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    if layout.is_book or binary:
        return _by_headers(layout, path, opened)
    ways: list[tuple[Sequence[BankColumn], bool, bool]] = [
        (return_shape(layout), layout.returns_header, layout.returns_summary),
        (extended_shape(layout), layout.header, bool(layout.summary)),
    ]
    errors: list[DataError] = []
    for shape, header, with_summary in ways:
        try:
            return decode_text(layout, data, shape=shape, header=header, with_summary=with_summary, vectors=True)
        except DataError as error:
            errors.append(error)
    if any(word in data[:4096] for word in _ACCOUNT_HEADS):
        try:  # a text table with a header line
            return _by_headers(layout, path, opened)
        except DataError as error:
            errors.append(error)
    raise max(errors, key=fit_of)


def _by_headers(layout: BankLayout, path: Path, opened: dict[Path, Workbook]) -> BankFile:
    """A table found by its headers. A bank that sends failures only need not say so in every row (``returns_only_failures``);
    one that gives no accounts back must give numbers and names."""
    result = () if layout.returns_only_failures else ("result",)
    shape = return_shape(layout)
    try:
        return read_sheet(path, shape, needed=("account_no", "amount", *result), opened=opened)
    except DataError as error:
        try:
            return read_sheet(path, shape, needed=("line_no", "payee_name", "amount", *result), opened=opened)
        except DataError:
            raise error from None


def fit_of(error: DataError) -> float:
    """How far a reading came (0 to 1)."""
    return getattr(error, "fit", 0.0)


# -- the encoding side ----------------------------------------------------------------------------------------


def outcome_columns(layout: BankLayout, columns: Columns, failures: Mapping[int, str]) -> Columns:
    """``columns`` with ``result`` and ``reason``: rows whose number is in ``failures`` failed for that reason."""
    numbers = columns["line_no"]
    return {
        **columns,
        "result": [layout.failure[0] if number in failures else layout.success[0] for number in numbers],
        "reason": [failures.get(number, "") for number in numbers],
    }


def encode_return(layout: BankLayout, columns: Columns, summary: Summary) -> bytes:
    """A delimited or fixed-width return as the bank would send it; ``columns`` with ``result, reason``."""
    return encode_text(
        layout,
        columns,
        summary,
        shape=return_shape(layout),
        header=layout.returns_header,
        with_summary=layout.returns_summary,
    )


def write_answer(layout: BankLayout, path: Path, part: Part, failures: Mapping[int, str]) -> None:
    """Writes the return of one exported file with the given failures (row number → reason)."""
    columns = outcome_columns(layout, part.columns, failures)
    if layout.is_book:
        write_sheet(layout, path, columns, shape=return_shape(layout))
    elif layout.container == "pain001":
        path.write_bytes(b"".join(status_report(columns, part.summary)))
    else:
        path.write_bytes(encode_return(layout, columns, part.summary))


def simulate_returns(
    store: Store, workspace: Workspace, policy: Policy, payment_id: int, folder: Path, failures: Mapping[int, str]
) -> list[Path]:
    """A rehearsal bank: answers every file of an exported batch into ``folder``; returns the paths."""
    batch = payments.batch(store, payment_id)
    made = []
    for part in parts(store, workspace, policy, batch):
        path = folder / f"{part.path.stem}_回盘{part.path.suffix}"
        write_answer(layout_of(policy, part.bank), path, part, failures)
        made.append(path)
    return made
