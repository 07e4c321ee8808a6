"""The records as vectors of numbers: what a comparison needs, nothing else. ``read_people`` is the door."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.matching.ids import SOUND, Ids, read_ids
from jiuzhu_cli.matching.names import Names, read_names

# text columns of the records; any may be absent
COLUMNS = ("id_no", "certificate_no", "name", "sex", "birth_date", "village", "phone", "account_no")
_GROUP = re.compile(r"第?[0-9一二三四五六七八九十]+(村民小组|居民小组|小组|组|社|队|屯)$")
_BODY = re.compile(r"(村民委员会|居民委员会|村委会|居委会|社区|行政村|自然村|村|居|委)$")
_TOWN = re.compile(r"^.{2,10}?(镇|乡|街道|街道办事处)(?=.)")


@dataclass(slots=True)
class People:
    """One entry a record. ``stated``, ``birth``: YYYYMMDD as the list states it; as told by a sound ID, else stated, else by the legible digits
    of a damaged one; 0 unknown. ``village``, ``phone``, ``account``: equal numbers for equal values, -1 unknown. ``sex``: as stated, 1 male, 0 female."""

    size: int
    ids: Ids
    names: Names
    stated: np.ndarray
    birth: np.ndarray
    sex: np.ndarray
    village: np.ndarray
    phone: np.ndarray
    account: np.ndarray


def read_people(records: pa.Table) -> People:
    """``records``: text columns among ``COLUMNS``, NULL or '' where nothing is written."""
    size = records.num_rows

    def column(name: str) -> pa.Array:
        if name not in records.column_names:
            return pa.nulls(size, pa.string())
        found = pc.cast(records[name], pa.string())
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    ids = read_ids(column("id_no"))
    if "certificate_no" in records.column_names:
        _by_certificate(ids, column("certificate_no"))
    stated = _coded(column("birth_date"), _day, known=0)
    sound = ids.state == SOUND
    birth = np.where(sound, ids.birth, np.where(stated > 0, stated, ids.birth)).astype(np.int32)
    sex = _coded(column("sex"), lambda text: {"男": 1, "女": 0}.get(text[:1], -1), known=-1).astype(np.int8)
    return People(
        size,
        ids,
        read_names(column("name")),
        stated.astype(np.int32),
        birth,
        sex,
        _numbered(column("village"), _village),
        _numbered(_figures(column("phone"), 7)),
        _numbered(_figures(column("account_no"), 8)),
    )


def _by_certificate(ids: Ids, column: pa.Array) -> None:
    """A disability certificate's number begins with the ID (policy-reference §4): it stands in where the ID itself is unusable."""
    other = read_ids(pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(pc.fill_null(column, "")), 0, 18))
    use = (ids.state != SOUND) & (other.state == SOUND) & (other.key < 10**17)
    for mine, theirs in ((ids.state, other.state), (ids.key, other.key), (ids.birth, other.birth), (ids.text, other.text)):  # fmt: skip
        mine[use] = theirs[use]


def _coded(column: pa.Array, code: Callable[[str], int], *, known: int) -> np.ndarray:
    """``code`` of each distinct text; ``known`` for NULL."""
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers = np.array([*(code(text) for text in encoded.dictionary.to_pylist()), known], dtype=np.int64)
    return numbers[pc.fill_null(encoded.indices, len(numbers) - 1).to_numpy(zero_copy_only=False)]


def _day(text: str) -> int:
    if len(text) == 10 and text[4] == "-" == text[7]:  # mostly; parse_date knows the other habits
        with contextlib.suppress(ValueError):
            return int(date.fromisoformat(text).strftime("%Y%m%d"))
    day, problem = parse_date(text) if text else (None, "")
    return day.year * 10000 + day.month * 100 + day.day if day and not problem else 0


def _village(text: str) -> str:
    """The bare name of a village: without town, body (村委会) and group."""
    name = _GROUP.sub("", compact(text))
    name = _TOWN.sub("", name)
    bare = _BODY.sub("", _GROUP.sub("", _BODY.sub("", name)))
    return bare or name


def _figures(column: pa.Array, least: int) -> pa.Array:
    digits = pc.replace_substring_regex(pc.fill_null(column, ""), r"\D", "")
    return pc.if_else(pc.greater_equal(pc.utf8_length(digits), least), digits, "")


def _numbered(column: pa.Array, tidy: Callable[[str], str] | None = None) -> np.ndarray:
    """Equal numbers for equal texts, -1 for NULL and ''."""
    encoded = pc.dictionary_encode(pc.fill_null(column, ""))
    values = encoded.dictionary
    if tidy is not None:
        again = pc.dictionary_encode(pa.array([tidy(text) for text in values.to_pylist()], pa.string()))
        numbers, values = again.indices.to_numpy(zero_copy_only=False).astype(np.int32), again.dictionary
    else:
        numbers = np.arange(len(values), dtype=np.int32)
    empty = pc.index(values, "").as_py()
    if empty >= 0:
        numbers[numbers == empty] = -1
    return numbers[encoded.indices.to_numpy(zero_copy_only=False)] if len(numbers) else np.empty(0, np.int32)
