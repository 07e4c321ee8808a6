"""The records as vectors of numbers: what a comparison needs, nothing else. ``read_people`` is the door."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.matching.ids import SOUND, Ids, date_numbers, read_ids
from jiuzhu_cli.matching.names import Names, read_names
from jiuzhu_cli.matching.texts import coded, figures, letters, named, numbered, text_column

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


def read_people(records: pa.Table, *, dense: bool = True) -> People:
    """``records``: text columns among ``COLUMNS``, NULL or '' where nothing is written.

    ``dense``: villages, phones and accounts are numbered from 0 in order of appearance; else the numbers depend on the text only, so that
    parts of a table read apart agree. Two threads: most of the work is done outside Python.
    """

    def reader(name: str, read: Callable[[pa.Array], np.ndarray]) -> Callable[[], np.ndarray]:
        def values() -> np.ndarray:
            found = read(text_column(records, name))
            return numbered(found) if dense else found

        return values

    with ThreadPoolExecutor(2) as threads:
        names = threads.submit(lambda: read_names(text_column(records, "name")))
        ids = threads.submit(lambda: _ids(records))
        others = [
            threads.submit(task)
            for task in (
                reader("phone", _phones),
                reader("account_no", lambda column: figures(column, 8)),
                reader("village", lambda column: named(column, _village)),
                lambda: _days(text_column(records, "birth_date")),
                lambda: coded(text_column(records, "sex"), _sex, known=-1).astype(np.int8),
            )
        ]
        phone, account, village, stated, sex = (task.result() for task in others)
        own = ids.result()
        birth = np.where(own.state == SOUND, own.birth, np.where(stated > 0, stated, own.birth))
        return People(records.num_rows, own, names.result(), stated, birth, sex, village, phone, account)


def _ids(records: pa.Table) -> Ids:
    ids = read_ids(text_column(records, "id_no"))
    if "certificate_no" in records.column_names:
        _by_certificate(ids, text_column(records, "certificate_no"))
    return ids


def _sex(text: str) -> int:
    return {"男": 1, "女": 0}.get(text[:1], -1)


def _by_certificate(ids: Ids, column: pa.Array) -> None:
    """A disability certificate's number begins with the ID (policy-reference §4): it stands in where the ID itself is unusable."""
    other = read_ids(pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(pc.fill_null(column, "")), 0, 18))
    use = (ids.state != SOUND) & (other.state == SOUND) & (other.key < 10**17)
    for mine, theirs in ((ids.state, other.state), (ids.key, other.key), (ids.birth, other.birth)):
        mine[use] = theirs[use]


def _phones(column: pa.Array) -> np.ndarray:
    """Telephone numbers without the country's 86 before a mobile one."""
    numbers = figures(column, 7)
    return np.where(numbers // 10**11 == 86, numbers % 10**11, numbers)


def _days(column: pa.Array) -> np.ndarray:
    """YYYYMMDD of dates in any spelling, 0 where there is none."""
    encoded = pc.dictionary_encode(column)
    values = encoded.dictionary
    plain = pc.match_substring_regex(values, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    usual = plain.to_numpy(zero_copy_only=False)
    days = np.zeros(len(values) + 1, np.int32)
    figures_ = letters(values.filter(plain)).reshape(-1, 10)[:, [0, 1, 2, 3, 5, 6, 8, 9]].T.astype(np.int16) - 48
    days[:-1][usual] = date_numbers(figures_)
    others = values.filter(pc.invert(plain)).to_pylist()
    days[:-1][~usual] = [_day(text) for text in others]
    return days[pc.fill_null(encoded.indices, len(values)).to_numpy(zero_copy_only=False)]


def _day(text: str) -> int:
    day, problem = parse_date(text) if text else (None, "")
    return day.year * 10000 + day.month * 100 + day.day if day and not problem else 0


def _village(text: str) -> str:
    """The bare name of a village: without town, body (村委会) and group."""
    name = _GROUP.sub("", compact(text))
    name = _TOWN.sub("", name)
    bare = _BODY.sub("", _GROUP.sub("", _BODY.sub("", name)))
    return bare or name
