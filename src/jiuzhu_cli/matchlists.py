"""Same persons in any lists, without a workspace: reads the files, asks ``matching``, writes the answer. Beside ``workflow``: intake meets matching here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jiuzhu_cli.core.errors import DataError, OutsideError, UsageError, reason_of
from jiuzhu_cli.core.shared import MARK, SCHEMA_VERSION
from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.intake.headers import Lexicon
from jiuzhu_cli.matching.engine import Matched, match_records
from jiuzhu_cli.matching.hashed import match_hashes
from jiuzhu_cli.tabular.column import BLANK, TEXT, Column
from jiuzhu_cli.tabular.csvtext import decode, separator
from jiuzhu_cli.tabular.files import write_atomic
from jiuzhu_cli.tabular.read import as_text, read_workbook

if TYPE_CHECKING:
    from jiuzhu_cli.matching.weights import Second
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.tabular.read import Sheet

# glossary code → column of the records that matching takes; earlier codes win
FIELDS = {
    "id_no": "id_no",
    "disability_no": "certificate_no",
    "certificate_no": "certificate_no",
    "name": "name",
    "sex": "sex",
    "birth_date": "birth_date",
    "village": "village",
    "phone": "phone",
    "account_no": "account_no",
}
COLUMNS = tuple(dict.fromkeys(FIELDS.values()))
_TEXT_TABLES = {".csv", ".txt"}
_WRITTEN = {".csv", ".parquet"}


@dataclass(frozen=True, slots=True)
class MatchedLists:
    """``rows`` of all files, ``persons`` found, ``pairs`` put together, ``candidates`` for a clerk, ``files``: (name, rows) in order."""

    rows: int
    persons: int
    pairs: int
    candidates: int
    seconds: float
    files: list[tuple[str, int]]
    by_key: dict[str, int]
    hashed: bool = False

    def as_json(self) -> dict[str, Any]:
        files, first = [], 0
        for name, rows in self.files:
            files.append({"file": name, "first_row": first, "rows": rows})
            first += rows
        return {
            "rows": self.rows,
            "persons": self.persons,
            "pairs": self.pairs,
            "candidates": self.candidates,
            "seconds": round(self.seconds, 3),
            "by_key": self.by_key,
            "files": files,
            "hashed": self.hashed,
        }


def match_lists(
    paths: Sequence[Path],
    policy: Policy,
    *,
    out: Path,
    pairs: Path | None = None,
    second_ids: Second | None = None,
    engine: str = "duckdb",
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> MatchedLists:
    """Reads ``paths`` (xlsx, xls, csv, parquet), writes ``out`` (row, person) and ``pairs`` (row_a, row_b, key, levels, score).

    ``second_ids``: how common second IDs are, as calibrated. ``engine``: ``duckdb`` or ``spark`` (the same answer). Rows count from 0 over the
    files in order. UsageError for a wrong output name, DataError for a file without names and IDs.
    """
    for target in (out, pairs):
        if target is not None and target.suffix.lower() not in _WRITTEN:
            raise UsageError(f"结果文件“{target.name}”的扩展名不对", "写成 .csv 或 .parquet")
        if target is not None and any(target.resolve() == path.resolve() for path in paths):
            raise UsageError(f"结果文件“{target.name}”就是要比对的名单，会把它盖掉", "换一个文件名")
    if pairs is not None and pairs.resolve() == out.resolve():
        raise UsageError("--out 和 --pairs 不能是同一个文件", "换一个文件名")
    started = time.perf_counter()
    lexicon = Lexicon(policy)
    marks = [_mark(path) for path in paths]
    if any(mark.get("hashed") for mark in marks):
        parts = _hashed_lists(paths, marks)
        rows = [part.num_rows for part in parts]
        matched = match_hashes(pa.concat_tables(parts))
    elif engine == "spark":
        matched, rows = _on_spark(
            paths, lexicon, with_pairs=pairs is not None, second_ids=second_ids, progress=progress
        )
    else:
        parts = []
        for path in paths:
            progress(f"正在读 {path.name}")
            parts.append(read_list(path, lexicon))
        rows = [part.num_rows for part in parts]
        progress(f"正在比对 {sum(rows)} 行")
        matched = match_records(_whole(parts), second_ids=second_ids)
    if not dry_run:
        write_table(out, pa.table({"row": np.arange(len(matched.person)), "person": matched.person}))
        if pairs is not None:
            write_table(pairs, matched.pairs())
    return _summary(
        matched,
        [(path.name, count) for path, count in zip(paths, rows, strict=True)],
        started,
        hashed=any(mark.get("hashed") for mark in marks),
    )


def _whole(parts: list[pa.Table]) -> pa.Table:
    """One table; ``parts`` is empty afterwards, so that the texts can go once they are read."""
    whole = pa.concat_tables(parts)
    parts.clear()
    return whole


def _mark(path: Path) -> dict[str, Any]:
    """What ``jiuzhu export snapshot`` wrote into a Parquet file about itself; {} for any other file."""
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return {}
    try:
        about = json.loads((pq.read_schema(path).metadata or {}).get(MARK.encode(), b"{}"))
    except (OSError, pa.ArrowInvalid, ValueError):
        return {}  # read_list says what is wrong with it
    if not isinstance(about, dict):
        return {}
    if about and about.get("schema_version") != SCHEMA_VERSION:
        raise DataError(f"“{_said(path)}”是另一版本的快照（{about.get('schema_version')}），本版认 {SCHEMA_VERSION}", "两边用同一版本的 jiuzhu 重新导出")  # fmt: skip
    return dict(about)


def _hashed_lists(paths: Sequence[Path], marks: Sequence[dict[str, Any]]) -> list[pa.Table]:
    """The hashes of snapshots made with one key. DataError, with the reason, for anything else among them."""
    for path, mark in zip(paths, marks, strict=True):
        if not mark.get("hashed"):
            raise DataError(
                f"“{_said(path)}”是明文，别的是密文，不能放在一起比", "都用密文（同一密钥导出），或都用明文"
            )
    if len({mark.get("key_fingerprint") for mark in marks}) > 1:
        said = "、".join(
            f"{_said(path)}（{mark.get('key_fingerprint')}）" for path, mark in zip(paths, marks, strict=True)
        )
        raise DataError(f"这些密文不是用同一个密钥做的，比不出同一个人：{said}", "核对密钥指纹，用同一密钥重新导出")
    parts = []
    for path in paths:
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(
                f"“{_said(path)}”读不出来，可能已损坏", "核对 manifest.json 里的 SHA-256，重新取一份"
            ) from error
        if "id_no" not in table.column_names:
            raise DataError(f"“{_said(path)}”里没有身份证号的密文", "用 roll.parquet 或 register.parquet")
        parts.append(pa.table({name: table[name] if name in table.column_names else pa.nulls(table.num_rows, pa.string()) for name in ("id_no", "account_no", "phone")}))  # fmt: skip
    return parts


def _said(path: Path) -> str:
    """The file with its folder: every district's file has the same name."""
    return f"{path.resolve().parent.name}/{path.name}"


def _on_spark(
    paths: Sequence[Path],
    lexicon: Lexicon,
    *,
    with_pairs: bool,
    second_ids: Second | None,
    progress: Callable[[str], None],
) -> tuple[Matched, list[int]]:
    """The match, and the rows of each file. Spark reads Parquet files itself, in parts; the others are read here."""
    from jiuzhu_cli.compute.spark import spark_session
    from jiuzhu_cli.matching.spark import match_frame

    progress("正在启动 Spark")
    with spark_session() as session:
        frames: list[Any] = []
        rows: list[int] = []
        for path in paths:
            progress(f"正在读 {path.name}")
            place = _parquet_columns(path, lexicon)
            if place is None:
                part = read_list(path, lexicon)
                numbers = pa.array(np.arange(sum(rows), sum(rows) + part.num_rows), pa.int64())
                frames.append(session.createDataFrame(part.append_column("row", numbers)))
                rows.append(part.num_rows)
            else:
                shown = [f"CAST(`{name}` AS STRING) AS {field}" for field, name in place.items()]
                missing = [f"CAST(NULL AS STRING) AS {field}" for field in COLUMNS if field not in place]
                number = f"CAST({sum(rows)} + _metadata.row_index AS BIGINT) AS row"
                frames.append(session.read.parquet(str(path.resolve())).selectExpr(number, *shown, *missing))
                rows.append(pq.read_metadata(path).num_rows)
        whole = frames[0]
        for frame in frames[1:]:
            whole = whole.unionByName(frame)
        progress(f"正在比对 {sum(rows)} 行")
        matched = match_frame(session, whole, second_ids=second_ids)
        if with_pairs:  # while the session lasts
            table = matched.pairs()
            matched.pairs = lambda: table
        return matched, rows


def _parquet_columns(path: Path, lexicon: Lexicon) -> dict[str, str] | None:
    """Field → column of a Parquet file that Spark can read as this program would; None for other files, column types and names."""
    if path.suffix.lower() != ".parquet" or not path.is_file() or any(c in str(path.resolve()) for c in "[]{}*?,\\:"):
        return None
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowInvalid):
        return None  # read_list says what is wrong
    place: dict[str, str] = {}
    wanted = {code: name for name in reversed(schema.names) if (code := _code(name, lexicon))}
    for code, field in FIELDS.items():
        if code in wanted and field not in place:
            place[field] = wanted[code]
    kinds = [schema.field(name).type for name in place.values()]
    plain = all(pa.types.is_string(kind) or pa.types.is_int64(kind) or pa.types.is_int32(kind) for kind in kinds)
    return (
        place
        if plain and {"id_no", "name"} & place.keys() and not any("`" in name for name in place.values())
        else None
    )


def _summary(matched: Matched, files: list[tuple[str, int]], started: float, *, hashed: bool) -> MatchedLists:
    counts = matched.by_key
    candidates = counts.get("same_person", 0)
    size = len(matched.person)
    return MatchedLists(
        size,
        int(matched.person.max(initial=-1)) + 1,
        sum(counts.values()) - candidates,
        candidates,
        time.perf_counter() - started,
        files,
        counts,
        hashed,
    )


def read_list(path: Path, lexicon: Lexicon) -> pa.Table:
    """The people of one file as text columns ``COLUMNS``. DataError when nothing in it is a name or an ID number."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            found = _parquet(path, lexicon)
        elif suffix in _TEXT_TABLES:
            found = _text_table(path, lexicon)
        else:
            found = None
    except FileNotFoundError as error:
        raise OutsideError(f"没有找到文件“{path.name}”", "核对路径") from error
    except pa.ArrowInvalid as error:
        raise DataError(f"“{path.name}”读不出来，可能已损坏或各行列数不一", "用 WPS/Excel 打开核对，另存为 .xlsx 后再比对") from error  # fmt: skip
    except OSError as error:
        raise OutsideError(f"读不了文件 {path.name}：{reason_of(error)}", "核对路径和权限") from error
    if found is None and suffix != ".parquet":
        book = read_workbook(path)
        tables = [table for sheet in book.sheets if not sheet.hidden for table in _sheet(sheet, lexicon)]
        found = pa.concat_tables(tables) if tables else None
    if found is None:
        raise DataError(f"“{path.name}”里没有认出姓名或身份证号这样的列", "核对表头；表头要在数据上面，写明姓名、身份证号")  # fmt: skip
    return found


def _plain(table: pa.Table, lexicon: Lexicon) -> pa.Table | None:
    """A table whose column names are headers: glossary codes or Chinese words. None when none names a person."""
    columns = {field: table.column(place) for field, place in _places(table.column_names, lexicon).items()}
    return _records(columns, table.num_rows)


def _places(headers: list[str], lexicon: Lexicon) -> dict[str, int]:
    """Column of the records → place of the header that means it; of several codes the earlier in ``FIELDS`` wins."""
    wanted = {code: headers.index(name) for name in reversed(headers) if (code := _code(name, lexicon))}
    found: dict[str, int] = {}
    for code, field in FIELDS.items():
        if code in wanted:
            found.setdefault(field, wanted[code])
    return found


def _parquet(path: Path, lexicon: Lexicon) -> pa.Table | None:
    """Only the columns that matter are read."""
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        places = _places(names, lexicon)
        if len(set(names)) < len(names):
            return _plain(file.read(), lexicon)
        return _plain(file.read(columns=[names[place] for place in places.values()]), lexicon) if places else None


def _code(header: str, lexicon: Lexicon) -> str:
    return header if header in FIELDS else lexicon.meaning([header]).field if header_key(header) else ""


def _records(columns: dict[str, Any], rows: int) -> pa.Table | None:
    if not {"id_no", "name"} & columns.keys():
        return None
    made = {
        field: pc.cast(columns[field], pa.string()) if field in columns else pa.nulls(rows, pa.string()) for field in COLUMNS
    }  # fmt: skip
    return pa.table(made)


def _text_table(path: Path, lexicon: Lexicon) -> pa.Table | None:
    """A csv whose first line is the header: read as a whole, all cells text. None when it begins otherwise (titles …)."""
    text = decode(path.read_bytes(), path.name)
    if not text.strip():
        return None
    delimiter = separator(text)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    names = [name.strip().strip('"') for name in first.rstrip("\r").split(delimiter)]
    if len(set(names)) != len(names) or not {"id_no", "name"} & {_code(name, lexicon) for name in names}:
        return None
    table = pacsv.read_csv(
        pa.BufferReader(text.encode("utf-8")),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]),
    )  # fmt: skip
    if '="' in text:
        table = pa.table({name: pc.replace_substring_regex(table[name], r'^="(.*)"$', r"\1") for name in table.column_names})  # fmt: skip
    return _plain(table, lexicon)


def _sheet(sheet: Sheet, lexicon: Lexicon) -> list[pa.Table]:
    """The tables of a sheet with any habit of titles and headers; totals and signatures are no people."""
    from jiuzhu_cli.intake.columns import Understanding
    from jiuzhu_cli.intake.find import sheet_bodies

    out = []
    for grid, body in sheet_bodies(sheet, lexicon):
        understood = Understanding(grid, body, lexicon, mapping={}, unit="", kind="roll", payable=False)
        understood.resolve()
        columns: dict[str, pa.Array] = {}
        for code, field in FIELDS.items():
            hits = understood.by(code)
            if hits and field not in columns:
                columns[field] = _texts(sheet.columns[hits[0].index].take(body.rows))
        found = _records(columns, len(body.rows))
        if found is not None and found.num_rows:
            out.append(found)
    return out


def _texts(cells: Column) -> pa.Array:
    """The cells as text: those that are text as they stand, each distinct other one as it is read."""
    if np.isin(cells.kinds, (BLANK, TEXT)).all():
        return cells.text
    values, places = cells.distinct()
    return pa.array([_cell(value) for value in values], pa.string()).take(pa.array(places))


def _cell(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and cell >= 10**15:
        return f"{cell:.14e}".replace(".", "")[:15] + "0" * (
            len(f"{cell:.0f}") - 15
        )  # what a number cell keeps: 15 figures
    return as_text(cell) or None


def write_table(path: Path, table: pa.Table) -> None:
    """``table`` as csv (UTF-8) or parquet, whole or not at all."""

    def write(target: Path) -> None:
        if path.suffix.lower() == ".parquet":
            pq.write_table(table, target)
        else:
            pacsv.write_csv(table, target, pacsv.WriteOptions(quoting_style="none"))

    write_atomic(path, write)
