"""Ledgers of a whole city, filled through the record's own bulk path: no workbooks, so that a million persons take minutes, not hours."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from generator.city import City, make_city
from generator.headers import FORMS
from generator.standards import standards_for

from benchmarks.data import REGION
from jiuzhu_cli.ledger.incoming import stage_lists
from jiuzhu_cli.ledger.rolls import BatchHead, TableHead, row_columns, save_batch
from jiuzhu_cli.ledger.snapshot import duck_type
from jiuzhu_cli.ledger.store import SCHEMA_VERSION, Store
from jiuzhu_cli.ledger.workspace import create_workspace
from jiuzhu_cli.policy.load import load_policy

MONTHS = ("2026-08", "2026-09", "2026-10")
BY_TOWN = ("subsistence_allowance", "extreme_poverty_support", "low_income_margin", "old_age_allowance")
HOUSEHOLD = ("subsistence_allowance", "low_income_margin", "rigid_expenditure")
# the case's figures stand on its head's row only
_CASE = "household_size covered_persons amount_fen base_fen addon_fen care_fen income_fen assets_fen income_period payee_name payee_id_no account_no bank_name".split()  # fmt: skip
_FEN = {name: f"{name}_fen" for name in "amount base addon care income assets".split()}


@dataclass(frozen=True, slots=True)
class List:
    """One list of the city: what ``batch`` says of it, and its rows as staged."""

    kind: str
    programme: str
    area: str
    month: str
    rows: pa.Table


def city_workspace(work: Path, persons: int, *, seed: int, each: int, region: str = REGION) -> Path:
    """A workspace with three months of ``persons`` persons in twelve programmes (some 3.0 rows a person) and ten registers; ``truth.json`` beside."""
    target = work / f"city{persons}-{seed}-v{SCHEMA_VERSION}"
    if (target / "truth.json").exists():
        return target
    started = time.monotonic()
    city = make_city(region, standards_for(region, MONTHS[-1]), persons=persons, months=MONTHS, seed=seed, each=each)
    print(f"{target.name}: made in {time.monotonic() - started:.0f} s", file=sys.stderr)
    create_workspace(target, region=region, name="示例市民政局", towns=tuple(city.towns))
    count = fill(target / "ledger.db", city, region)
    city.truth.files.append({"rows": count})
    city.truth.write(target / "truth.json")
    print(f"{target.name}: {count} roll rows, filled in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return target


def fill(ledger: Path, city: City, region: str) -> int:
    """Saves all lists of ``city``; returns the number of roll rows."""
    digest, total = load_policy(region=region).digest, 0
    with Store(ledger) as store:
        for lists in _groups(city):
            staged = stage_lists(store, [(one.kind, one.rows) for one in lists])
            with store.transaction(actor="样例", command="import") as tx:
                for one, incoming in zip(lists, staged, strict=True):
                    rows = one.rows.num_rows
                    name = f"{one.area or '全市'}{one.programme}{one.month}.xlsx"
                    amount = (
                        int(sum(v or 0 for v in one.rows.column("amount_fen").to_pylist())) if one.kind == "roll" else 0
                    )
                    head = BatchHead(
                        one.kind, one.programme, one.area, one.month, "", name, sha256(name.encode()).hexdigest(), sha256(name.encode()).hexdigest(),
                        rows, rows, 0, amount, None, digest,
                    )  # fmt: skip
                    columns = [{"column": "A", "header": c, "field": c, "why": "header"} for c in incoming.columns]
                    table = TableHead(1, "Sheet1", 2, json.dumps(columns), rows, rows, 0, None, name)
                    batch = save_batch(tx, head, [table], incoming, [])
                    tx.journal(f"batch:{batch}", {"rows": rows})
                    total += rows if one.kind == "roll" else 0
    return total


@dataclass(frozen=True, slots=True)
class LedgerSize:
    """Bytes: of the file, of its indexes' pages, of all values of all tables written as text, of the text columns alone."""

    file: int
    indexes: int
    values: int
    texts: int


def ledger_size(ledger: Path) -> LedgerSize:
    values = texts = 0
    with closing(sqlite3.connect(f"file:{ledger.as_posix()}?mode=ro", uri=True)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = [
                (row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")
            ]  # computed ones are not listed
            sums = ", ".join(f"coalesce(sum(length(CAST({name} AS BLOB))), 0)" for name, _ in columns)
            found = db.execute(f"SELECT {sums} FROM {table}").fetchone()
            values += sum(found)
            texts += sum(size for size, (_, kind) in zip(found, columns, strict=True) if kind == "TEXT")
        try:
            indexes = db.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE type = 'index')"
            ).fetchone()[0]
        except sqlite3.OperationalError:  # SQLite built without it
            indexes = 0
    return LedgerSize(ledger.stat().st_size, indexes, values, texts)


def somebody(ledger: Path) -> tuple[str, str]:
    """ID and name of a person from the middle of the rolls."""
    with closing(sqlite3.connect(f"file:{ledger.as_posix()}?mode=ro", uri=True)) as db:
        found = db.execute(
            "SELECT id_no, name FROM roll_row WHERE row_id >= (SELECT max(row_id) / 2 FROM roll_row) LIMIT 1"
        ).fetchone()
    return str(found[0]), str(found[1])


def _groups(city: City) -> Iterator[list[List]]:
    """The lists, as many at a time as one transaction takes well. Of the earliest month half of the towns handed theirs in."""
    for register, lines in city.registers.items():
        rows = lines.drop(columns=["person"], errors="ignore").reset_index(drop=True)
        yield [
            List(
                "register",
                register,
                "",
                MONTHS[-1],
                _staged("register", rows.assign(table_no=1, source_row=np.arange(len(rows)) + 3)),
            )
        ]
    for month, rolls in city.rolls.items():
        partial = month == MONTHS[0]
        for programme, full in rolls.items():
            roll = full[full["town"].isin(city.towns[::2])] if partial else full
            if programme in BY_TOWN or partial:
                parts = [(str(town), rows) for town, rows in roll.groupby("town", sort=True)]
            else:
                parts = [("", roll)]
            lists = [List("roll", programme, area, month, _roll(programme, rows)) for area, rows in parts if len(rows)]
            if lists:
                yield lists


def _roll(programme: str, roll: pd.DataFrame) -> pa.Table:
    """A roll of the generator as intake would leave it: households together, the case's figures on the head's row."""
    rows = roll.assign(order=~roll["lead"].astype(bool)).sort_values(
        ["town", "village", "case", "order"], kind="stable"
    )
    kept = [c for c in FORMS[programme].columns if c in rows.columns] + [
        c for c in ("name", "id_no", "town", "village", "payee_id_no", "care", "base", "kin_filed", "claimed_status") if c in rows.columns
    ]  # fmt: skip
    out = rows[list(dict.fromkeys(kept))].rename(columns=_FEN).drop(columns=["serial"], errors="ignore")
    if programme in HOUSEHOLD:
        out = out.assign(head_name=rows["head_name"], head_id_no=rows["head_id_no"], relation=rows["relation"])
    else:
        out = out.drop(columns=["head_name", "head_id_no", "relation"], errors="ignore")
    if "self_care" in out:
        out["self_care"] = out["self_care"].replace("半护理", "半自理")
    if "income_fen" in out:
        out["income_period"] = "month"
    lead = rows["lead"].astype(bool).to_numpy()
    for name in _CASE:
        if name in out:
            out[name] = out[name].astype(object).where(lead, None)
    case = (
        (rows["case"] != rows["case"].shift()).cumsum().to_numpy()
        if programme in HOUSEHOLD
        else np.arange(len(rows)) + 1
    )
    return _staged(
        "roll", out.assign(case_no=case, lead=lead.astype(int), table_no=1, source_row=np.arange(len(rows)) + 3)
    )


def _staged(kind: str, rows: pd.DataFrame) -> pa.Table:
    arrays = {}
    for name in row_columns(kind):
        whole = duck_type(name) == "BIGINT"
        if name not in rows:
            empty = name in ("town", "village", "name")
            arrays[name] = (
                pa.array([""] * len(rows), pa.string())
                if empty
                else pa.nulls(len(rows), pa.int64() if whole else pa.string())
            )
            continue
        values = rows[name].astype(object)
        values = values.where(
            values.notna() & (values != "" if name not in ("town", "village") else True),
            "" if name in ("town", "village") else None,
        )
        arrays[name] = pa.array(
            [None if v is None else int(v) for v in values] if whole else list(values),
            pa.int64() if whole else pa.string(),
        )
    return pa.table(arrays)
