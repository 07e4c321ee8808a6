"""Where else in the record a person stands: what a damaged ID or account may have been, by the live rolls and registers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from jiuzhu_cli.ledger.store import Store

_AT_ONCE = 400  # values of one query


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
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(part))
        yield from _standing(store, f"id_no IN ({marks})", part)


def standing_from(store: Store, stems: Collection[str]) -> Iterator[Standing]:
    """The same for IDs that begin with one of these stems (digits)."""
    for stem in sorted(stems):
        yield from _standing(store, "id_no >= ? AND id_no < ?", [stem, stem + ":"])


def _standing(store: Store, where: str, values: Sequence[str]) -> Iterator[Standing]:
    for table, accounts in (
        ("roll_row", "r.account_no, r.payee_name, r.bank_name"),
        ("register_row", "NULL, NULL, NULL"),
    ):
        sql = (
            f"SELECT r.id_no, r.name, b.file_name, r.source_row, {accounts} FROM {table} r JOIN batch b USING (batch_id)"
            f" WHERE r.{where.replace(' AND id_no', ' AND r.id_no')} AND b.status = 'active' ORDER BY b.batch_id DESC, r.row_id"
        )
        for row in store.query(sql, tuple(values)):
            yield Standing(*row)
