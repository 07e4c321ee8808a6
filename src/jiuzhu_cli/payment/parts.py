"""The bank files that a batch becomes: whose lines stand in which file, split as the bank wants them, as columns ready to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.payment_digests import sealed_lines
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.layout import SUFFIX, bind, file_stem, ownership, rows_at_most, setting_of
from jiuzhu_cli.payment.values import OTHER, OWN, Columns, Lines, Summary, beijing, count_of, total_of

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.load import Policy

CONTACT = {"phone", "address"}
OF_RECIPIENT = ("recipient_name", "persons")  # wanted of ``sealed_lines`` beside its own columns
USED = [  # what files are made of
    "line_no", "transfer_no", "programme", "month", "recipient_id_no", "recipient_name", "persons", "bank", "account_no", "payee_name",
    "payee_id_no", "bank_name", "bank_code", "amount_fen",
]  # fmt: skip
# rows of the bank's file: lines of one payee that go in one transfer are one row; the first line speaks for it
_TRANSFERS = """
SELECT transfer_no AS line_no, first(programme ORDER BY line_no) AS programme, first(month ORDER BY line_no) AS month,
       count(DISTINCT programme) AS programmes, count(DISTINCT month) AS months, max(month) AS last_month,
       first(payee_name ORDER BY line_no) AS payee_name, first(payee_id_no ORDER BY line_no) AS payee_id_no,
       first(recipient_name ORDER BY line_no) AS person_name, first(recipient_id_no ORDER BY line_no) AS person_id_no,
       first(account_no ORDER BY line_no) AS account_no, first(bank_name ORDER BY line_no) AS bank_name,
       first(bank_code ORDER BY line_no) AS bank_code, sum(amount_fen)::BIGINT AS amount, max(persons)::BIGINT AS persons {contact}
FROM lines GROUP BY transfer_no ORDER BY transfer_no
"""

_OWN_NAMES = {"amount_fen": "amount", "recipient_name": "person_name", "recipient_id_no": "person_id_no"}
_ALWAYS = ("line_no", "payee_name", "account_no", "amount")
_KEPT = frozenset(
    "line_no programme month payee_name payee_id_no person_name person_id_no account_no bank_name bank_code amount persons phone address".split()
)


@dataclass
class Part:
    """One bank file to be: its lines as columns and its place."""

    bank: str
    path: Path
    columns: Columns
    summary: Summary

    @property
    def lines(self) -> int:
        return count_of(self.columns)

    @cached_property
    def amount_fen(self) -> int:
        return total_of(self.columns)


def folder_of(workspace: Workspace, batch: dict[str, Any]) -> Path:
    return workspace.bank / str(batch["month"]) / str(batch["payment_id"])


def layout_of(policy: Policy, bank: str) -> BankLayout:
    """DataError when the policy no longer has the layout that a batch was drafted with."""
    if bank not in policy.banks:
        raise DataError(f"找不到代发格式“{bank}”", "恢复 policy/banks/ 里的文件，或取消该批重新制单")
    return policy.banks[bank]


def bound_layout(workspace: Workspace, policy: Policy, bank: str) -> BankLayout:
    """The layout with the workspace's agreement number, paying account and constants in it."""
    return bind(layout_of(policy, bank), workspace.config.get("payment", {}))


def summed(lines: pa.Table, *keys: str) -> list[dict[str, Any]]:
    """``lines, transfers, amount_fen`` of a batch's lines by ``keys``, in their order."""
    groups = lines.group_by(list(keys)).aggregate(
        [([], "count_all"), ("transfer_no", "count_distinct"), ("amount_fen", "sum")]
    )
    names = {"count_all": "lines", "transfer_no_count_distinct": "transfers", "amount_fen_sum": "amount_fen"}
    named = groups.rename_columns([names.get(name, name) for name in groups.column_names])
    rows: list[dict[str, Any]] = named.sort_by([(key, "ascending") for key in keys]).to_pylist()
    return rows


def parts(
    store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], lines: pa.Table | None = None
) -> Iterator[Part]:
    """The bank files of a batch, by bank and line number: own bank and others apart where the layout says so, then split by its
    ``max_lines`` and ``max_file_fen`` (and by what a workbook holds). ``lines``: the batch's (columns ``USED``), where they have been read."""
    import pyarrow.compute as pc

    if lines is None:
        lines = sealed_lines(store, batch["payment_id"], more=OF_RECIPIENT).select(USED)
    banks = lines["bank"].unique().to_pylist()
    combined = not lines["transfer_no"].equals(lines["line_no"])
    for bank in sorted(banks):
        layout = bound_layout(workspace, policy, bank)
        wanted = lines if combined else lines.select(_needed(layout))
        of_bank = wanted.filter(pc.equal(lines["bank"], bank)) if len(banks) > 1 else wanted
        whole = bank_columns(store, workspace, policy, batch, layout, of_bank, combined=combined)
        pieces = [
            (group, piece) for group, table in _grouped(workspace, layout, whole) for piece in _split(layout, table)
        ]
        several: dict[str, int] = {}
        for group, _ in pieces:
            several[group] = several.get(group, 0) + 1
        number: dict[str, int] = {}
        for running, (group, table) in enumerate(pieces, 1):
            number[group] = number.get(group, 0) + 1
            summary = summary_of(workspace, batch, table.num_rows, total_of(Lines(table)))
            stem = file_stem(
                layout,
                month=batch["month"],
                sequence=batch["sequence"],
                batch=batch["payment_id"],
                date=summary["date"],
                part=number[group],
                parts=several[group],
                group=group,
            )
            path = folder_of(workspace, batch) / (stem + SUFFIX[layout.container])
            yield Part(layout.code, path, Lines(_dated(layout, table, summary["date"])), summary | {"part": running})


def _needed(layout: BankLayout) -> list[str]:
    """Those of ``USED`` that the columns of one bank are made of where a line is a row."""
    sources = {column.source for column in (*layout.columns, *layout.returns)} | set(_ALWAYS)
    made_of = {"programme", "month", "bank_name", "bank_code"}  # purposes, and whose account it is
    every = layout.container == "pain001"
    return [name for name in USED if every or name in made_of or _OWN_NAMES.get(name, name) in sources]


def _dated(layout: BankLayout, table: pa.Table, day: str) -> pa.Table:
    """With the day of the export on every line, where the layout asks for it."""
    import pyarrow as pa

    wanted = any(column.source == "date" for column in layout.columns)
    return table.append_column("date", pa.repeat(day, table.num_rows)) if wanted else table


def _grouped(workspace: Workspace, layout: BankLayout, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """``(name, lines)``: one group, or those of the bank itself and those of others."""
    import pyarrow.compute as pc

    if layout.other_bank != "separate":
        yield "", table
        return
    flags = table["own_flag"]
    for flag, name in zip((OWN, OTHER), layout.separate_names, strict=True):
        group = table.filter(pc.equal(flags, flag))
        if group.num_rows:
            yield name, group
    unknown = table.filter(pc.equal(flags, ""))
    if unknown.num_rows:  # refused by ``fits``; never lost on the way there
        yield "", unknown


def _split(layout: BankLayout, table: pa.Table) -> Iterator[pa.Table]:
    import numpy as np

    sums = np.cumsum(table["amount"].to_numpy())
    most, first = rows_at_most(layout), 0
    while first < table.num_rows:
        last = min(first + most, table.num_rows) if most else table.num_rows
        if layout.max_file_fen:
            before = int(sums[first - 1]) if first else 0
            within = int(np.searchsorted(sums, before + layout.max_file_fen, side="right"))
            last = min(last, max(within, first + 1))
        yield table.slice(first, last - first)
        first = last


def bank_columns(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    layout: BankLayout,
    lines: pa.Table,
    *,
    combined: bool,
) -> pa.Table:
    """The batch's rows of one bank as the columns that layouts know: a row a transfer, by number. ``combined``: some transfers are of several lines."""
    import duckdb
    import pyarrow as pa

    used = {column.source for column in layout.columns}
    contact = bool(used & CONTACT)
    if contact:
        told = payments.contacts(store, batch["payment_id"], layout.code)
        for name in sorted(CONTACT):
            lines = lines.append_column(name, told[name])
    if combined:
        more = ", first(phone ORDER BY line_no) AS phone, first(address ORDER BY line_no) AS address" if contact else ""
        with duckdb.connect(":memory:") as connection:
            connection.register("lines", lines)
            table = connection.sql(_TRANSFERS.format(contact=more)).to_arrow_table()
    else:
        table = lines.rename_columns([_OWN_NAMES.get(name, name) for name in lines.column_names])
        table = table.append_column("programmes", pa.repeat(1, len(table))).append_column(
            "months", pa.repeat(1, len(table))
        )
        table = table.append_column("last_month", table["month"])
    wanted = used | {column.source for column in layout.returns} | set(_ALWAYS)
    columns = {name: table[name] for name in table.column_names if name in wanted & _KEPT}
    if "purpose" in used or layout.container == "pain001":
        purposes = {code: p.payment.purpose or p.name for code, p in policy.programmes.items()}
        columns["purpose"] = purposes_of(table, purposes)
    if "programme" in used:
        names = {code: p.name for code, p in policy.programmes.items()}
        columns["programme"] = _told(table, ("programme",), lambda keys: [names.get(code, code) for (code,) in keys])
    if layout.other_bank or any(column.only or column.source == "own_flag" for column in layout.columns):
        columns["own_flag"] = _owners(workspace, policy, layout, table)
    return pa.table(columns)


def _told(
    table: pa.Table, names: Sequence[str], words: Callable[[list[tuple[Any, ...]]], Sequence[str]]
) -> pa.ChunkedArray:
    """A text for each row, by its values in the columns ``names``: ``words`` tells those of all different ones at once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = [pc.dictionary_encode(table[name].combine_chunks()) for name in names]
    number = pa.repeat(0, table.num_rows)
    for one in coded:
        number = pc.add(pc.multiply(number, max(len(one.dictionary), 1)), pc.cast(one.indices, pa.int64()))
    rows = number.dictionary_encode()
    keys = []
    for code in rows.dictionary.to_pylist():
        key, rest = [], code
        for one in reversed(coded):
            rest, at = divmod(rest, len(one.dictionary))
            key.append(one.dictionary[at].as_py())
        keys.append(tuple(reversed(key)))
    return pa.chunked_array([pa.array(words(keys), pa.string()).take(rows.indices)])


def purposes_of(table: pa.Table, words: dict[str, str]) -> pa.ChunkedArray:
    """用途 by row: programme and month; several in one transfer are counted."""

    def said(keys: list[tuple[Any, ...]]) -> list[str]:
        return [
            words.get(programme, programme)
            + (f"等{programmes}项" if programmes > 1 else "")
            + (month if months == 1 else f"{month}至{last}")
            for programme, month, programmes, months, last in keys
        ]

    return _told(table, ("programme", "month", "programmes", "months", "last_month"), said)


def _owners(workspace: Workspace, policy: Policy, layout: BankLayout, table: pa.Table) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    if layout.separate_by == "account":
        prefixes = setting_of(layout, workspace.config.get("payment", {}), "own_prefixes")
        if not prefixes:
            raise DataError(
                f"{layout.name}：不知道哪些账号算“{layout.separate_names[0]}”",
                f'在 jiuzhu.toml 写 [payment.constants.{layout.code}] own_prefixes = "621xxx 622xxx"（账号开头的几位）',
            )
        own = [pc.starts_with(table["account_no"], start) for start in str(prefixes).split()]
        return pc.if_else(reduce(pc.or_, own, pc.is_null(table["account_no"])), OWN, OTHER)
    return _told(table, ("bank_name", "bank_code"), lambda pairs: ownership(layout, policy.bank_names, pairs))


def summary_of(workspace: Workspace, batch: dict[str, Any], lines: int, total: int) -> Summary:
    """What headers and trailers may state of one file."""
    stamp = batch["exported_at"]
    return {
        "lines": lines,
        "total": total,
        "month": batch["month"],
        "date": beijing(stamp).strftime("%Y%m%d") if stamp else "",
        "time": beijing(stamp).strftime("%Y-%m-%dT%H:%M:%S") if stamp else "",
        "sequence": batch["sequence"],
        "batch": batch["payment_id"],
        **{key: str(workspace.get("payment", key, "")) for key in ("payer_name", "payer_account", "agreement_no")},
    }
