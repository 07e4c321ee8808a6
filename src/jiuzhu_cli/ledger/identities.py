"""Where else in the record a person stands: what a damaged ID or account may have been, by the live rolls and registers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from jiuzhu_cli.ledger.keys import id_between, same_id
from jiuzhu_cli.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Standing:
    """One person on one live row: where it stands, and the account paid into (rolls' lead rows only)."""

    id_no: str
    name: str
    file: str
    row: int
    account_no: str | None = None
    payee_name: str | None = None
    bank_name: str | None = None


def standing_at(store: Store, ids: Collection[str]) -> Iterator[Standing]:
    """Rows of the live rolls and registers whose person has one of these IDs, the latest batch first; by the index on IDs."""
    yield from _standing(
        store, f"json_each(?) w CROSS JOIN {{}} r ON {same_id('r', 'w.value')}", json.dumps(sorted(ids))
    )


def standing_from(store: Store, stems: Collection[str]) -> Iterator[Standing]:
    """The same for IDs that begin with one of these stems (digits)."""
    for stem in sorted(stems):
        yield from _standing(store, f"(SELECT ? AS stem) w JOIN {{}} r ON {id_between('r', stem)}", stem)


def _standing(store: Store, found: str, value: str) -> Iterator[Standing]:
    for table, accounts in (
        ("roll_row", "r.account_no, r.payee_name, r.bank_name"),
        ("register_row", "NULL, NULL, NULL"),
    ):
        sql = (
            f"SELECT r.id_no, r.name, b.file_name, r.source_row, {accounts} FROM {found.format(table)}"
            " JOIN batch b ON b.batch_id = r.batch_id WHERE b.status = 'active' ORDER BY b.batch_id DESC, r.row_id"
        )
        for row in store.query(sql, (value,)):
            yield Standing(*row)
