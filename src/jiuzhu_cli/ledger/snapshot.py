"""What the compute engine sees: the live rows of the record as DuckDB tables, in memory and disposable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store

ROLL_COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name relation head_id_no head_name town village category "
    "household_size covered_persons amount_fen base_fen addon_fen care_fen income_fen income_period assets_fen payee_name payee_id_no "
    "account_no bank_name phone address case_code care_mode self_care disability_no disability_kind disability_grade illness "
    "work_ability cause claimed_status stage grade kin_filed start_month event_date remark extra area_code bank_code"
).split()
REGISTER_COLUMNS = (
    "row_id batch_id table_no source_row id_no name event_date valid_from valid_to status kind grade certificate_no "
    "related_id_no related_name relation organisation amount_fen town village extra area_code"
).split()

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
) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with the live rows.

    Tables: ``roll`` (``programme, area, month, file_name, sheet`` and ``roll_columns``, default all), ``register``
    (``register, file_name, sheet`` and the register columns), ``coverage`` (``programme, area, month``: rolls imported;
    area '' covers the whole district), ``register_coverage`` (``register, area``).
    ``months`` limits rolls to first..last month, both included; ``registers``: all, none, or these codes.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    columns = ", ".join(f"r.{name}" for name in (roll_columns or ROLL_COLUMNS))
    span = f" AND b.month BETWEEN '{months[0]}' AND '{months[1]}'" if months else ""
    live = f"b.status = 'active' AND b.kind = 'roll'{span}"
    tables = {
        "roll": f"SELECT b.programme, b.area, b.month, b.file_name, t.sheet, {columns} FROM batch b JOIN roll_row r USING (batch_id) "
        f"JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no WHERE {live}",
        "coverage": f"SELECT DISTINCT programme, area, month FROM batch b WHERE {live}",
        "register_coverage": "SELECT DISTINCT programme AS register, area FROM batch WHERE status = 'active' AND kind = 'register'",
    }
    if registers:
        codes = "" if registers is True else f" AND b.programme IN ({', '.join(repr(code) for code in registers)})"
        fields = ", ".join(f"r.{name}" for name in REGISTER_COLUMNS)
        tables["register"] = (
            f"SELECT b.programme AS register, b.month, b.file_name, t.sheet, {fields} FROM batch b JOIN register_row r USING (batch_id) "
            "JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no WHERE b.status = 'active' AND b.kind = 'register'"
            + codes
        )
    for name, sql in tables.items():
        data = store.arrow(sql)
        connection.register("incoming", data)
        casts = ", ".join(f"CAST({field.name} AS {duck_type(field.name)}) AS {field.name}" for field in data.schema)
        connection.execute(f'CREATE TABLE "{name}" AS SELECT {casts} FROM incoming')
        connection.unregister("incoming")
    return connection


def duck_type(column: str) -> str:
    """Declared, not inferred: an all-NULL column must still be text."""
    whole = column.endswith("_fen") or column in {
        "row_id", "batch_id", "table_no", "source_row", "case_no", "lead", "household_size", "covered_persons",
    }  # fmt: skip
    return "BIGINT" if whole else "VARCHAR"
