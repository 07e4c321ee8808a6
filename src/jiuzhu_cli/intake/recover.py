"""Damaged IDs and accounts (Excel's zeros, a lost or wrong digit) taken from the one other record that can be meant.

Nothing is made up: a number is taken over only where exactly one person of the same name stands elsewhere in the record with a
sound number that fits what is left of the damaged one (and the sex and birth date that the list states). Two such persons, or
none: the row stays refused. What was taken over is told with the file and row it came from (reliability, row 17).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jiuzhu_cli.core.damage import Damage, account_damage, id_damage
from jiuzhu_cli.core.identity import sex
from jiuzhu_cli.core.mask import mask_account, mask_id
from jiuzhu_cli.core.names import name_key
from jiuzhu_cli.ledger.identities import Standing, standing_at, standing_from

if TYPE_CHECKING:
    from jiuzhu_cli.intake.rows import Rows
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.bank_names import BankNames

_IDS = {"id_no": "name", "head_id_no": "head_name", "payee_id_no": "payee_name"}
_ID_PROBLEMS = frozenset(
    (
        "id_numeric",
        "id_scientific",
        "id_excel_zeros",
        "id_checksum",
        "id_birth",
        "id_length",
        "id_prefix",
        "id_characters",
    )
)
_ACCOUNT_PROBLEMS = frozenset(("account_numeric", "account_scientific"))


@dataclass(frozen=True, slots=True)
class Damaged:
    """One damaged cell: its field, data row (0-based within the table), what is left of it, and whose it is.

    ``taken``: sound numbers that stand on other rows of the list itself and so cannot be this row's.
    """

    field: str
    row: int
    damage: Damage
    names: tuple[str, ...]
    sex: str = ""
    birth: str = ""
    ids: tuple[str, ...] = ()  # for an account: the sound IDs of the row
    bank: str = ""


@dataclass(frozen=True, slots=True)
class Recovered:
    """``value`` as it stands at ``row`` of ``file``; with ``candidates`` > 1 nothing is taken over, it is only told."""

    value: str
    file: str = ""
    row: int = 0
    candidates: int = 1


Key = tuple[str, int]  # field, data row


def damaged_cells(rows: Rows) -> list[Damaged]:
    """The refused ID and account cells of a table that still say enough to be looked for."""
    out = []
    for name, whose in _IDS.items():
        for row, code in rows.problems.get(name, {}).items():
            if code in _ID_PROBLEMS and (damage := id_damage(rows.raw(row, name))):
                who = _first(rows, row, whose, "name" if name != "payee_id_no" else "")
                told = ("", "") if name != "id_no" else (_first(rows, row, "sex"), _first(rows, row, "birth_date"))
                if who:
                    out.append(Damaged(name, row, damage, (who,), *told))
    for row, code in rows.problems.get("account_no", {}).items():
        if code in _ACCOUNT_PROBLEMS and (damage := account_damage(rows.raw(row, "account_no"))):
            names = [rows.get(name)[row] for name in ("payee_name", "name", "head_name")]
            ids = [rows.get(name)[row] for name in ("payee_id_no", "id_no", "head_id_no")]
            bank = _first(rows, row, "bank_name")
            out.append(
                Damaged("account_no", row, damage, tuple(filter(None, names)), ids=tuple(filter(None, ids)), bank=bank)
            )
    return out


def _first(rows: Rows, row: int, *names: str) -> str:
    return next((value for name in names if name and (value := rows.get(name)[row])), "")


def put_back(rows: Rows, found: Mapping[Key, Recovered]) -> None:
    """Sets what was found elsewhere and tells it; called right after the cells were read."""
    for (name, row), one in found.items():
        kind = "account" if name == "account_no" else "id"
        if one.candidates > 1:
            rows.blame(row, name, f"{kind}_candidates", "notice", count=one.candidates)
            continue
        rows.values[name][row] = one.value
        rows.problems[name].pop(row, None)
        shown = mask_account(one.value) if kind == "account" else mask_id(one.value)
        rows.blame(row, name, f"{kind}_recovered", "warning", found=shown, other_file=one.file, other_row=one.row)


@dataclass(slots=True)
class Evidence:
    """What stands elsewhere, as far as it may matter: persons by name."""

    by_name: dict[str, dict[str, Standing]] = field(default_factory=dict)
    accounts: dict[str, list[Standing]] = field(default_factory=dict)  # by ID: where the person is paid

    def add(self, standing: Iterable[Standing]) -> None:
        """Keeps the first that tells of a person: the latest batch comes first."""
        for one in standing:
            self.by_name.setdefault(name_key(one.name), {}).setdefault(one.id_no, one)

    def fitting(self, damaged: Damaged) -> list[Standing]:
        """Persons of that name whose sound ID fits."""
        people = self.by_name.get(name_key(damaged.names[0]), {})
        return [people[id_no] for id_no in damaged.damage.among(people) if _agrees(damaged, id_no)]


def _agrees(damaged: Damaged, id_no: str) -> bool:
    """Whether the sex and birth date that the list states beside the ID are the ID's; the year and month of a birth will do."""
    if damaged.sex in ("男", "女") and sex(id_no) not in ("", damaged.sex):
        return False
    return not damaged.birth or damaged.birth[:7].replace("-", "") == id_no[6:12]


def evidence_of(tables: Sequence[tuple[Rows, Sequence[Damaged]]]) -> Evidence:
    """What tables that are not yet in the record tell of one another's damaged cells."""
    asked = [one for _, damaged in tables for one in damaged]
    names = {name_key(one.names[0]) for one in asked if one.names}
    ids = {id_no for one in asked for id_no in one.ids}
    out = Evidence()
    for rows, _ in tables:
        lines = zip(
            *(rows.get(name) for name in ("id_no", "name", "account_no", "payee_name", "bank_name")), strict=True
        )
        for row, (id_no, name, account, payee, bank) in enumerate(lines):
            if id_no and name and (id_no in ids or name_key(name) in names):
                standing = Standing(id_no, name, rows.file, rows.source_row(row), account, payee, bank)
                out.add([standing])
                if account:
                    out.accounts.setdefault(id_no, []).append(standing)
    return out


def look_up(
    store: Store, tables: Sequence[tuple[Rows, Sequence[Damaged]]], banks: BankNames, beside: Evidence | None = None
) -> list[dict[Key, Recovered]]:
    """For each table what the record, the other columns and tables of the file, and ``beside`` tell of its damaged cells."""
    wanted = [one for _, damaged in tables for one in damaged if one.field != "account_no"]
    beside = beside or Evidence()
    evidence = Evidence({name: dict(people) for name, people in beside.by_name.items()})
    if wanted:
        evidence.add(standing_at(store, {probe for one in wanted for probe in one.damage.probes}))
        evidence.add(standing_from(store, {one.damage.stem for one in wanted if one.damage.stem}))
    out: list[dict[Key, Recovered]] = []
    for rows, damaged in tables:
        found = _ids_of(
            rows,
            damaged,
            _with_file(evidence, rows, tables, [one for one in damaged if one.field == "id_no"], own=False),
            _with_file(
                evidence, rows, tables, [one for one in damaged if one.field in ("head_id_no", "payee_id_no")], own=True
            ),
        )
        found |= _accounts_of(store, damaged, found, banks, beside)
        out.append(found)
    return out


def _with_file(
    evidence: Evidence,
    rows: Rows,
    tables: Sequence[tuple[Rows, Sequence[Damaged]]],
    damaged: Sequence[Damaged],
    *,
    own: bool,
) -> Evidence:
    """The evidence and what the file itself says elsewhere: of this table whose ID stands as head's or payee's, and for
    these (``own``) the persons of its rows."""
    names = {name_key(one.names[0]) for one in damaged}
    out = Evidence({name: dict(people) for name, people in evidence.by_name.items() if name in names})
    if not names:
        return out
    for other, _ in tables:
        for id_field, name_field in _IDS.items():
            if id_field not in other.values or (other is rows and id_field == "id_no" and not own):
                continue
            pairs = zip(other.get(id_field), other.get(name_field), strict=True)
            out.add(
                Standing(id_no, name, other.file, other.source_row(row))
                for row, (id_no, name) in enumerate(pairs)
                if id_no and name and name_key(name) in names
            )
    return out


def _ids_of(rows: Rows, damaged: Sequence[Damaged], persons: Evidence, others: Evidence) -> dict[Key, Recovered]:
    out: dict[Key, Recovered] = {}
    claimed: dict[str, list[Key]] = {}
    for one in damaged:
        found = [] if one.field == "account_no" else (persons if one.field == "id_no" else others).fitting(one)
        if len(found) > 1:
            out[one.field, one.row] = Recovered("", candidates=len(found))
        elif found:
            out[one.field, one.row] = Recovered(found[0].id_no, found[0].file, found[0].row)
            if one.field == "id_no":
                claimed.setdefault(found[0].id_no, []).append((one.field, one.row))
    sound = set(rows.get("id_no")) if claimed else set()
    for id_no, keys in claimed.items():
        if id_no in sound or len(keys) > 1:  # who stands on the list already cannot be this row's person too
            for key in keys:
                del out[key]
    return out


def _accounts_of(
    store: Store, damaged: Sequence[Damaged], ids: Mapping[Key, Recovered], banks: BankNames, beside: Evidence
) -> dict[Key, Recovered]:
    """The one account that the same person is paid into elsewhere, at the same bank, in the same name."""
    wanted: dict[Key, tuple[Damaged, set[str]]] = {}
    for one in damaged:
        if one.field == "account_no":
            mine = {ids[name, one.row].value for name in _IDS if (name, one.row) in ids} - {""}
            wanted[one.field, one.row] = one, mine | set(one.ids)
    if not wanted:
        return {}
    elsewhere: dict[str, list[Standing]] = {id_no: list(paid) for id_no, paid in beside.accounts.items()}
    for standing in standing_at(store, {id_no for _, mine in wanted.values() for id_no in mine}):
        if standing.account_no:
            elsewhere.setdefault(standing.id_no, []).append(standing)
    out: dict[Key, Recovered] = {}
    for key, (one, mine) in wanted.items():
        names = set(map(name_key, one.names))
        bank = banks.find(one.bank) if one.bank else None
        found: dict[str, Standing] = {}
        for standing in (s for id_no in sorted(mine) for s in elsewhere.get(id_no, ())):
            other = banks.find(standing.bank_name) if standing.bank_name else None
            same_bank = bank is None or other is None or bank.family == other.family
            if (
                same_bank
                and name_key(standing.payee_name or standing.name) in names
                and one.damage.fits(standing.account_no or "")
            ):
                found.setdefault(standing.account_no or "", standing)
        if len(found) == 1:
            account, standing = next(iter(found.items()))
            out[key] = Recovered(account, standing.file, standing.row)
        elif found:
            out[key] = Recovered("", candidates=len(found))
    return out
