"""Which bank's file a payment goes into, and what that file cannot say of it, looked at before anything is locked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.layout import bind, misfits, ownership, problems_of, rows_at_most, setting_of
from jiuzhu_cli.payment.parts import layout_of, summary_of
from jiuzhu_cli.payment.values import CHUNK

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.load import Policy

DEFAULT = "card_xlsx"
# sources of a bank's columns that a case has under another name, or may lack
_AS_WRITTEN = {
    "phone": "coalesce(phone, '') AS phone", "address": "coalesce(address, '') AS address", "amount": "due_fen AS amount",
    "person_name": "recipient_name AS person_name", "person_id_no": "recipient AS person_id_no",
}  # fmt: skip


def layouts_in_use(settings: Mapping[str, Any], policy: Policy) -> tuple[list[BankLayout], BankLayout]:
    """The layouts that lines are routed to, and the one for all others. ``settings``: ``[payment]``.

    ``banks`` names them (the first is for all others unless ``default_bank`` says); without it all that route by
    themselves. DataError for a code that is none, or whose file no software but the bank's can make.
    """
    named = [str(code) for code in settings.get("banks", [])]
    default = str(settings.get("default_bank", named[0] if named else DEFAULT))
    for code in (*named, default):
        if code not in policy.banks:
            what = f"jiuzhu.toml 的 default_bank “{code}”" if code == default else f"jiuzhu.toml 的 banks 里的“{code}”"
            made = [one.code for one in policy.banks.values() if one.makes_files]
            raise DataError(f"{what}不是已知的代发格式", f"可用：{'、'.join(made)}")
        bind(policy.banks[code], {})
    used = [policy.banks[code] for code in named] or [b for b in policy.banks.values() if b.routed and b.makes_files]
    return used, policy.banks[default]


def routes(workspace: Workspace, policy: Policy, bank_names: Iterable[str]) -> Iterable[tuple[str, str, int, bool]]:
    """``(bank_name, layout code, cap in 分, whether one payee's lines are one transfer)``: by the longest word of a layout found in the name,
    else the default layout."""
    used, default = layouts_in_use(workspace.config.get("payment", {}), policy)
    ceiling = round(float(workspace.get("payment", "max_line_yuan", 50_000)) * 100)
    combined = bool(workspace.get("payment", "combine_payees", False))
    words = sorted(
        ((word, layout.code) for layout in used for word in layout.banks),
        key=lambda pair: (-len(pair[0]), not policy.banks[pair[1]].own, pair[1]),
    )
    for name in bank_names:
        flat = compact(name)
        code = next((code for word, code in words if word in flat), default.code)
        layout = policy.banks[code]
        caps = [cap for cap in (ceiling, layout.max_line_fen, layout.max_file_fen) if cap]
        yield name, code, min(caps) if caps else 0, combined if layout.combine is None else layout.combine


def unfit(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, policy: Policy, month: str
) -> Iterator[tuple[int, str]]:
    """``(n, reason)``: cases of table ``candidate`` that their bank's file cannot express (a rare character, too long, a
    delimiter, a formula, an account of another bank without 联行号)."""
    settings = workspace.config.get("payment", {})
    known = {row[0] for row in connection.execute("DESCRIBE candidate").fetchall()} - {"n", "programme", "month"}
    banks = connection.execute("SELECT DISTINCT bank FROM candidate WHERE live_fen IS NULL ORDER BY bank").fetchall()
    for (bank,) in banks:
        layout = bind(layout_of(policy, bank), settings)
        wanted = {column.source for column in layout.columns} | {"payee_name", "bank_name", "bank_code"}
        told = [_AS_WRITTEN.get(name, name) for name in sorted(wanted & (known | _AS_WRITTEN.keys()))]
        table = connection.sql(
            f"SELECT n, programme, {', '.join(told)} FROM candidate WHERE live_fen IS NULL AND bank = ? ORDER BY n",
            params=[bank],
        ).to_arrow_table()
        for first in range(0, table.num_rows, CHUNK):
            piece = table.slice(first, CHUNK)
            numbers = piece["n"].to_pylist()
            found: dict[int, list[str]] = {}
            for index, what in misfits(layout, _columns(policy, layout, piece, month)):
                found.setdefault(index, []).append(what)
            yield from ((numbers[index], f"{layout.name}：{'；'.join(what)}") for index, what in found.items())


def _columns(policy: Policy, layout: BankLayout, table: pa.Table, month: str) -> dict[str, list[Any]]:
    """Cases as the columns of their bank's file, as far as they are known before there are lines."""
    used = {column.source for column in layout.columns} | {"payee_name"}
    columns: dict[str, list[Any]] = {
        name: table[name].to_pylist() for name in used & set(table.column_names) - {"month", "programme"}
    }
    known = policy.programmes
    programmes = table["programme"].to_pylist()
    if "purpose" in used or layout.container == "pain001":
        columns["purpose"] = [(known[code].payment.purpose or known[code].name) + month for code in programmes]
    if "programme" in used:
        columns["programme"] = [known[code].name for code in programmes]
    told = layout.other_bank or any(column.only for column in layout.columns)
    if told and layout.separate_by == "bank":
        pairs = zip(table["bank_name"].to_pylist(), table["bank_code"].to_pylist(), strict=True)
        columns["own_flag"] = ownership(layout, policy.bank_names, [(name or "", code or "") for name, code in pairs])
    return columns


def file_warnings(store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any]) -> list[str]:
    """What the files of a batch lack of the settings or cannot say of their totals; ``export`` will refuse it. Lines are held
    (``unfit``)."""
    settings = workspace.config.get("payment", {})
    nobody: dict[str, list[Any]] = {"line_no": [], "payee_name": [], "account_no": [], "amount": []}
    found = []
    for entry in payments.banks_of(store, batch["payment_id"]):
        layout = bind(layout_of(policy, entry["bank"]), settings)
        split = rows_at_most(layout) or layout.max_file_fen
        figures = (1, 1) if split else (entry["transfers"], entry["amount_fen"])
        summary = summary_of(workspace, batch, *figures)
        summary["date"] = summary["date"] or "20260101"  # the day of export, not known yet
        found += [f"{layout.name}：{p.name}{p.what}" for p in problems_of(layout, nobody, summary)]
        if layout.separate_by == "account" and not setting_of(layout, settings, "own_prefixes"):
            found.append(f"{layout.name}：在 jiuzhu.toml 的 [payment.constants.{layout.code}] 写 own_prefixes")
    return found
