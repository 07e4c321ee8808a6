"""Lines of one payee that go as one transfer (一卡通合并), and what their bank's file cannot say of the whole: such lines stay transfers of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jiuzhu_cli.payment.layout import bind, misfits
from jiuzhu_cli.payment.parts import layout_of, purposes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

# what combining changes of a row: its sum, and its purpose, which counts programmes and months
_SEVERAL = """
SELECT transfer_no, first(programme ORDER BY line_no) AS programme, first(month ORDER BY line_no) AS month, count(DISTINCT programme) AS programmes,
       count(DISTINCT month) AS months, max(month) AS last_month, sum(amount_fen)::BIGINT AS amount
FROM {source} WHERE bank = ? GROUP BY transfer_no HAVING count(*) > 1 ORDER BY transfer_no
"""


@dataclass(frozen=True, slots=True)
class Crowded:
    """A transfer of several lines that its bank's file cannot hold, and why."""

    transfer_no: int
    layout: str
    what: str


def crowded(connection: duckdb.DuckDBPyConnection, source: str, workspace: Workspace, policy: Policy) -> list[Crowded]:
    """Transfers of several lines in the relation ``source`` (``line_no, transfer_no, programme, month, bank, amount_fen``) that do not fit."""
    settings = workspace.config.get("payment", {})
    words = {code: p.payment.purpose or p.name for code, p in policy.programmes.items()}
    found = []
    for (bank,) in connection.execute(f"SELECT DISTINCT bank FROM {source} ORDER BY 1").fetchall():
        table = connection.sql(_SEVERAL.format(source=source), params=[bank]).to_arrow_table()
        if not table.num_rows:
            continue
        layout = bind(layout_of(policy, bank), settings)
        columns = {"amount": table["amount"].to_pylist(), "purpose": purposes_of(table, words).to_pylist()}
        numbers = table["transfer_no"].to_pylist()
        found += [Crowded(numbers[index], layout.name, what) for index, what in misfits(layout, columns)]
    return found


def said(found: Sequence[Crowded]) -> list[str]:
    """One Chinese sentence a layout and reason."""
    counts: dict[tuple[str, str], set[int]] = {}
    for one in found:
        counts.setdefault((one.layout, one.what), set()).add(one.transfer_no)
    return [
        f"{layout}：{len(numbers)} 笔合并后写不下（{what}），没有合并，分开转账"
        for (layout, what), numbers in counts.items()
    ]
