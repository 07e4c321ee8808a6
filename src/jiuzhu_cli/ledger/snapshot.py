"""What the compute engine sees: the live rows of the record as DuckDB tables, in memory and disposable."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import months_between

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.ledger.store import Store

ROLL_COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name relation head_id_no head_name town village category "
    "household_size covered_persons amount_fen base_fen addon_fen care_fen income_fen income_period assets_fen payee_name payee_id_no "
    "account_no bank_name phone address case_code care_mode self_care disability_no disability_kind disability_grade illness "
    "work_ability cause claimed_status stage grade kin_filed start_month event_date remark extra area_code bank_code"
).split()
REGISTER_COLUMNS = (
    "row_id batch_id table_no source_row id_no name event_date valid_from valid_to status kind grade certificate_no "
    "related_id_no related_name relation organisation amount_fen quantity town village extra area_code account_no bank_name"
).split()

# Columns that hold few different texts; a million rows take 16 bytes of memory for each text, and 2 for its number.
REPEATED = frozenset(
    "relation town village category income_period care_mode self_care disability_kind disability_grade work_ability cause stage grade"
    " kin_filed start_month event_date status kind organisation bank_name".split()
)
MANY_TEXTS = 60_000  # of so many different ones numbers would take as much room
# Text types of the snapshot: months, codes of lists (of a register ``register:CODE``), and what registers say of persons.
TYPES = {
    "sex_text": ("女", "男"),
    "disability_text": ("听力", "多重", "智力", "精神", "肢体", "视力", "言语"),
    "house_text": ("A", "B", "C", "D"),
}

CHUNK = 250_000  # rows read at a time
MEMORY_GIB = 2.75
NEAR = 2_000  # rows of other batches that are read along rather than asking anew

# Words in a death list's 状态 that take the entry back. 注销 is not one: it says that the death was registered (户口注销).
_TAKEN_BACK = ("撤销", "恢复", "误报", "误登", "作废", "更正")
DEATH_REGISTERS = "('death', 'cremation')"


def death_stands(status: str) -> str:
    """SQL (SQLite and DuckDB): whether a death register's line with this ``status`` column still says that somebody died."""
    return "(" + " AND ".join(f"COALESCE({status}, '') NOT LIKE '%{word}%'" for word in _TAKEN_BACK) + ")"


def death_day(row: str = "") -> str:
    """SQL (SQLite and DuckDB): the day on which a death register's line says somebody was dead at the latest, or NULL.

    The day of death; where the list leaves it out, of the cremation or of the household registration's end.
    """
    alias = row and row + "."
    return f"COALESCE(NULLIF({alias}event_date, ''), NULLIF({alias}valid_from, ''))"


def open_snapshot(
    store: Store,
    *,
    months: tuple[str, str] | None = None,
    roll_columns: Sequence[str] | None = None,
    registers: bool | Sequence[str] = True,
    register_columns: Sequence[str] | None = None,
    places: bool = True,
    narrow: bool = False,
    of_known: Collection[str] = (),
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the live rows.

    Tables: ``roll`` (``programme, area, month, file_name, sheet`` and ``roll_columns``, default all), ``register``
    (``register, month, file_name, sheet`` and ``register_columns``), ``coverage`` (``programme, area, month``: rolls imported;
    area '' covers the whole district), ``register_coverage`` (``register, area``), ``origin`` (one row a table of a list: ``kind, batch_id,
    table_no, programme, area, month, file_name, sheet``).
    ``months`` limits rolls to first..last month, both included; ``registers``: all, none, or these codes. Without ``places`` rows carry no
    ``file_name`` and ``sheet`` (``origin`` has them): a million rows would repeat them a million times.
    ``narrow``: texts that repeat (codes, months, ``REPEATED``) are of ENUM types, ordered like the texts. The types ``month_text``, ``code_text``
    and ``TYPES`` are there either way, VARCHAR unless ``narrow``.
    ``of_known``: registers of which only lines about somebody whom the rolls or one of the other registers name are read: what a whole
    district's lists say of everybody else would be most of the rows.
    What does not fit into the engine's share of memory waits in a folder of the workspace (whose mode is 0700) until the connection closes.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    _bound_memory(connection)
    connection.execute(f"SET temp_directory = {_text(str(spill_folder(store)))}")
    span = f" AND b.month BETWEEN '{months[0]}' AND '{months[1]}'" if months else ""
    codes = "" if isinstance(registers, bool) else f" AND b.programme IN ({', '.join(map(_text, registers)) or 'NULL'})"
    live = f"b.status = 'active' AND ((b.kind = 'roll'{span})" + (
        f" OR (b.kind = 'register'{codes}))" if registers else ")"
    )
    small = {
        "origin": "SELECT b.kind, b.batch_id, t.table_no, b.programme, b.area, b.month, b.file_name, t.sheet FROM batch b"
        f" JOIN batch_table t USING (batch_id) WHERE {live}",
        "coverage": f"SELECT DISTINCT programme, area, month FROM batch b WHERE b.status = 'active' AND b.kind = 'roll'{span}",
        "register_coverage": "SELECT DISTINCT programme AS register, area FROM batch WHERE status = 'active' AND kind = 'register'",
    }
    for name, sql in small.items():
        data = store.arrow(sql)
        connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {duck_type(c)}' for c in data.column_names)})")
        _insert(connection, name, data, ", ".join(data.column_names))
    make_types(connection, months, narrow=narrow)
    for kind, columns in (("roll", roll_columns or ROLL_COLUMNS), ("register", register_columns or REGISTER_COLUMNS)):
        if kind == "roll" or registers:
            _read_rows(connection, store, kind, columns, places=places, narrow=narrow, of_known=of_known)
    return connection


def make_types(connection: duckdb.DuckDBPyConnection, months: tuple[str, str] | None, *, narrow: bool) -> None:
    """The types of texts that repeat (see ``open_snapshot``): ENUMs of what ``origin`` holds, or plain text."""
    if not narrow:
        for name in ("month_text", "code_text", *TYPES):
            connection.execute(f"CREATE TYPE {name} AS VARCHAR")
        return
    within = months_between(*months) if months else []
    for name, values in (
        ("month_text", f"SELECT month FROM origin UNION SELECT unnest([{', '.join(map(_text, within))}]::VARCHAR[])"),
        (
            "code_text",
            "SELECT programme FROM origin UNION SELECT 'register:' || programme FROM origin WHERE kind = 'register'",
        ),
        ("file_text", "SELECT file_name FROM origin"),
        ("sheet_text", "SELECT sheet FROM origin"),
        ("area_text", "SELECT area FROM origin"),
    ):
        connection.execute(
            f"CREATE TYPE {name} AS ENUM (SELECT DISTINCT v FROM ({values} UNION SELECT '') t(v) ORDER BY v)"
        )
    for name, words in TYPES.items():
        connection.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(map(_text, sorted(words)))})")


def _bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Half of the machine's memory, at most ``MEMORY_GIB``: the rest is for what reads and writes beside the engine."""
    connection.execute("SET memory_limit = '50%'")
    size, unit = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0].split()
    if float(size) * {"GiB": 1, "TiB": 1024}.get(unit, 0) > MEMORY_GIB:
        connection.execute(f"SET memory_limit = '{MEMORY_GIB}GiB'")


def spill_folder(store: Store) -> Path:
    """Where the engine puts what does not fit into memory; it makes the folder when it must, and removes it. ``store.sweep`` knows the name."""
    return store.path.with_name(f".spill-{os.getpid()}.tmp")


def _read_rows(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    kind: str,
    columns: Sequence[str],
    *,
    places: bool,
    narrow: bool,
    of_known: Collection[str],
) -> None:
    """Fills ``roll`` or ``register``. Rows are read by their numbers, two readers in turn, and what the batch says is joined here:
    SQLite would take five times as long to look it up for each row."""
    place = ("file_name", "sheet") if places else ()
    head = {"o.programme": "programme", "o.area": "area"} if kind == "roll" else {"o.programme": "register"}
    head |= {"o.month": "month", **{f"o.{name}": name for name in place}}
    kinds = {name: _HEAD_TYPES[name] if narrow else "VARCHAR" for name in head.values()}
    kinds |= {name: duck_type(name) for name in columns}
    keys = [name for name in ("batch_id", "table_no") if name not in columns]
    select = f"SELECT {', '.join((*columns, *keys))} FROM {kind}_row"
    few = set(of_known) if kind == "register" else set()
    every, known = _batches(connection, kind, few), _batches(connection, kind, few, within=True)
    queries = [
        (f"{select} WHERE row_id BETWEEN {first} AND {last}", "NOT ")
        for first, last in row_ranges(store, f"{kind}_row", every)
    ]
    if known:
        people = " UNION ".join(
            f"SELECT id_key FROM {table} WHERE row_id BETWEEN {first} AND {last}"
            for table, batches in (("roll_row", _batches(connection, "roll", set())), ("register_row", every))
            for first, last in row_ranges(store, table, batches, chunk=10**12)
        )
        # + keeps the search off the index: a scan in the order of the rows finds them in a tenth of the time
        queries += [
            (f"{select} WHERE row_id BETWEEN {first} AND {last} AND +id_key IN ({people or 'NULL'})", "")
            for first, last in row_ranges(store, f"{kind}_row", known, chunk=4 * CHUNK)
        ]
    repeated = [name for name in columns if narrow and name in REPEATED]
    parts = store.arrows([sql for sql, _ in queries], then=lambda data: _numbered(data, repeated))
    if repeated:  # a type is made of all its texts: all parts are read first, and given up one by one
        held = deque(parts)
        kinds |= {
            name: _type_of(connection, f"{kind}_{name}", [data.column(name) for data in held]) for name in repeated
        }
        parts = (held.popleft() for _ in range(len(held)))
    connection.execute(f"CREATE TABLE {kind} ({', '.join(f'{name} {type_}' for name, type_ in kinds.items())})")
    shown = [f"CAST({source} AS {kinds[name]})" for source, name in head.items()]
    shown += [f"CAST(r.{name} AS {kinds[name]})" for name in columns]
    listed = ", ".join(map(_text, few)) or "''"
    for data, (_, which) in zip(parts, queries, strict=True):
        _insert(
            connection, kind, data, ", ".join(shown),
            f" r JOIN origin o ON o.kind = '{kind}' AND o.batch_id = r.batch_id AND o.table_no = r.table_no AND o.programme {which}IN ({listed})",
        )  # fmt: skip


def _batches(
    connection: duckdb.DuckDBPyConnection, kind: str, codes: Collection[str], *, within: bool = False
) -> list[int]:
    """The live batches of a kind whose programme or register is (not) one of ``codes``."""
    listed = ", ".join(map(_text, codes)) or "''"
    rows = connection.execute(
        f"SELECT DISTINCT batch_id FROM origin WHERE kind = '{kind}' AND programme {'' if within else 'NOT '}IN ({listed}) ORDER BY 1"
    ).fetchall()
    return [int(row[0]) for row in rows]


def add_roll_extra(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    month: str,
    programmes: Sequence[str],
    words: Sequence[str],
    rows: Sequence[int] | None = None,
) -> None:
    """``roll_extra (row_id, extra)``: the other columns of the leads on these programmes' rolls of ``month`` in which any of ``words`` stands;
    with ``rows`` of these rows only (a person's: nothing else is read)."""
    batches = [
        row[0]
        for row in store.query(
            "SELECT batch_id FROM batch WHERE kind = 'roll' AND status = 'active' AND month = ?"
            " AND programme IN (SELECT value FROM json_each(?))",
            (month, json.dumps(list(programmes))),
        )
    ]
    connection.execute("CREATE TABLE roll_extra (row_id BIGINT, extra VARCHAR)")
    if not batches or not words:
        return
    told = " OR ".join(f"instr(extra, {_text(word)}) > 0" for word in words)
    if rows is not None:
        few = store.query(
            f"SELECT row_id, extra FROM roll_row WHERE row_id IN (SELECT value FROM json_each(?)) AND batch_id IN ({', '.join(map(str, batches))})"
            f" AND lead = 1 AND ({told})",
            (json.dumps(list(rows)),),
        )
        if few:
            connection.executemany("INSERT INTO roll_extra VALUES (?,?)", [tuple(row) for row in few])
        return
    queries = [
        f"SELECT row_id, extra FROM roll_row WHERE row_id BETWEEN {first} AND {last} AND batch_id IN ({', '.join(map(str, batches))})"
        f" AND lead = 1 AND ({told})"
        for first, last in row_ranges(store, "roll_row", batches)
    ]
    for data in store.arrows(queries):
        _insert(connection, "roll_extra", data, "CAST(row_id AS BIGINT), CAST(extra AS VARCHAR)")


_HEAD_TYPES = {
    "programme": "code_text", "register": "code_text", "month": "month_text", "area": "area_text", "file_name": "file_text", "sheet": "sheet_text",
}  # fmt: skip


def _numbered(data: pa.Table, names: Sequence[str]) -> pa.Table:
    """``data`` with these text columns as numbers and a dictionary; the driver takes a column without any text for numbers."""
    for name in names:
        place = data.column_names.index(name)
        data = data.set_column(place, name, data.column(name).cast("string").dictionary_encode())
    return data


def _type_of(connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[pa.ChunkedArray]) -> str:
    """A new type ``name`` of all texts of these dictionaries, in their order as texts; VARCHAR where there are too many."""
    import pyarrow as pa

    texts = {text for column in columns for part in column.chunks for text in part.dictionary.to_pylist()}
    if len(texts) > MANY_TEXTS:
        return "VARCHAR"
    connection.register("incoming", pa.table({"text": pa.array(sorted(texts | {""}), pa.string())}))
    connection.execute(f"CREATE TYPE {name} AS ENUM (SELECT text FROM incoming ORDER BY text)")
    connection.unregister("incoming")
    return name


def _insert(connection: duckdb.DuckDBPyConnection, table: str, data: pa.Table, columns: str, joined: str = "") -> None:
    connection.register("incoming", data)
    connection.execute(f"INSERT INTO {table} SELECT {columns} FROM incoming{joined}")
    connection.unregister("incoming")


def row_ranges(store: Store, table: str, batches: Sequence[int], *, chunk: int = CHUNK) -> list[tuple[int, int]]:
    """Ranges of row numbers in which all rows of these batches lie, of at most ``chunk`` numbers each, in order. A batch's rows were
    written in one go; what lies between two batches is some other batch, perhaps one that is no longer live."""
    found: list[list[int]] = []
    for first, last in store.query(
        f"SELECT min(row_id), max(row_id) FROM {table} WHERE batch_id IN (SELECT value FROM json_each(?)) GROUP BY batch_id ORDER BY 1",
        (json.dumps(list(batches)),),
    ):
        if found and first <= found[-1][1] + NEAR:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return [(at, min(at + chunk - 1, last)) for first, last in found for at in range(first, last + 1, chunk)]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def duck_type(column: str) -> str:
    """Declared, not inferred: an all-NULL column must still be text."""
    whole = column.endswith("_fen") or column in {
        "row_id", "batch_id", "table_no", "source_row", "case_no", "lead", "household_size", "covered_persons",
    }  # fmt: skip
    return "BIGINT" if whole else "VARCHAR"
