"""ID numbers as vectors: sound ones as integers, damaged ones with the sound numbers they may have been.

The check digit (ISO 7064 MOD 11-2, GB 11643) leaves an invalid number at most one correcting digit at each of 17 places, one check
character and the neighbour swaps that make it sound; a number with a digit too few or too many is treated alike. So a damaged number is
not searched by similarity but by some thirty exact probes into the sound numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.identity import CHECK_CHARS, MIN_BIRTH_YEAR, PROVINCE_CODES, WEIGHTS
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.matching.texts import letters, table_of

NONE, SOUND, DAMAGED = 0, 1, 2
FOREIGN = 10**17  # old permits (3 letters, 12 digits) count from here; 17 digits stay below
WIDTH = 19
_W = np.array(WEIGHTS)
_INVERSE = np.array([pow(w, -1, 11) for w in WEIGHTS])
_POWERS = 10 ** np.arange(16, -1, -1, dtype=np.int64)
_RESIDUE = np.full(256, -1, np.int16)  # check character → weighted sum modulo 11
for _index, _char in enumerate(CHECK_CHARS):
    _RESIDUE[ord(_char)] = _index
_PROVINCES = np.zeros(100, bool)
_PROVINCES[[*map(int, PROVINCE_CODES), *range(90, 100)]] = True
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int8)


@dataclass(slots=True)
class Ids:
    """One entry a record. ``key``: the first 17 digits of a sound number as an integer (15 digits upgraded), else -1.
    ``birth``: YYYYMMDD of a sound number or of the legible digits of a damaged one, else 0.
    ``broken``: records with a damaged number, ascending, and in ``text`` these numbers: 19 ASCII bytes, 0 after the end."""

    state: np.ndarray
    key: np.ndarray
    birth: np.ndarray
    broken: np.ndarray
    text: np.ndarray

    def text_of(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of ``rows``, all of them damaged."""
        return self.text[np.searchsorted(self.broken, rows)]


def read_ids(column: pa.Array) -> Ids:
    """Reads a text column of ID numbers. Nothing is guessed: what is not sound is ``DAMAGED``, also …000 (Excel's rounding)."""
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    size = len(text)
    result = Ids(np.zeros(size, np.int8), np.full(size, -1, np.int64), np.zeros(size, np.int32), np.empty(0, np.int64), np.empty((0, WIDTH), np.uint8))  # fmt: skip
    plain = pc.match_substring_regex(text, "^[0-9]{17}[0-9Xx]$")
    usual = np.flatnonzero(plain.to_numpy(zero_copy_only=False))
    _eighteen(result, usual, letters(text.filter(plain)).reshape(-1, 18))
    odd = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
    if len(odd):
        _others(result, odd, _mended(text.take(pa.array(odd))))
    damaged = np.flatnonzero(result.state == DAMAGED)
    result.broken, result.text = damaged, table_of(_mended(text.take(pa.array(damaged))), WIDTH)
    return result


def _eighteen(result: Ids, rows: np.ndarray, matrix: np.ndarray) -> None:
    """Numbers of 17 digits and a check character, 2**18 at a time: the columns of a part stay in the processor's cache."""
    for start in range(0, len(rows), 1 << 18):
        part = slice(start, start + (1 << 18))
        columns = np.ascontiguousarray(matrix[part].T)
        digits = (columns[:17] - 48).astype(np.int16)
        last = np.where(columns[17] == ord("x"), np.uint8(ord("X")), columns[17])
        total = np.zeros(digits.shape[1], np.int16)
        for place, weight in enumerate(WEIGHTS):
            total += digits[place] * np.int16(weight)
        high, low = _number(digits[:6]), _number(digits[14:])
        day = _number(digits[6:14])
        born = _date(day)
        sound = (_RESIDUE[last] == total % 11) & (born > 0) & _area_known(high // 10000)
        sound &= ~((digits[15] == 0) & (digits[16] == 0) & (last == ord("0")))
        result.state[rows[part]] = np.where(sound, SOUND, DAMAGED)
        result.key[rows[part]] = np.where(sound, (high * np.int64(10**8) + day) * 1000 + low, -1)
        result.birth[rows[part]] = born


def _number(digits: np.ndarray) -> np.ndarray:
    out = digits[0].astype(np.int32)
    for place in digits[1:]:
        out = out * 10 + place
    return out


def date_numbers(digits: np.ndarray) -> np.ndarray:
    """YYYYMMDD of eight rows of digits, 0 where that is no date of somebody's birth."""
    return _date(_number(digits))


def _others(result: Ids, odd: np.ndarray, text: pa.Array) -> None:
    """Numbers in other spellings, of other lengths, old permits."""
    text = pc.if_else(pc.less_equal(pc.binary_length(text), WIDTH), text, "")
    lengths = pc.binary_length(text).to_numpy(zero_copy_only=False)
    matrix = table_of(text, WIDTH)
    numeric = (matrix >= 48) & (matrix <= 57)
    head = numeric[:, :17].all(axis=1)
    usual = np.flatnonzero((lengths == 18) & head & (numeric[:, 17] | (matrix[:, 17] == ord("X"))))
    _eighteen(result, odd[usual], matrix[usual, :18])

    fifteen = np.flatnonzero((lengths == 15) & numeric[:, :15].all(axis=1))
    digits = (matrix[fifteen, :15].T - 48).astype(np.int16)
    day = 19000000 + _number(digits[6:12])
    born = _date(day)
    area = _number(digits[:6])
    sound = (born > 0) & _area_known(area // 10000)
    result.state[odd[fifteen]] = np.where(sound, SOUND, NONE)
    result.key[odd[fifteen]] = np.where(sound, (area * np.int64(10**8) + day) * 1000 + _number(digits[12:]), -1)
    result.birth[odd[fifteen]] = born

    near = np.flatnonzero(
        ((lengths == 17) & numeric[:, :16].all(axis=1)) | ((lengths == 19) & numeric[:, :18].all(axis=1))
    )
    result.state[odd[near]] = DAMAGED
    result.birth[odd[near]] = _date(_number((matrix[near, 6:14].T - 48).astype(np.int16)))
    foreign = pc.match_substring_regex(text, r"^[A-Z]{3}[0-9]{12}$").to_numpy(zero_copy_only=False)
    if foreign.any():
        letters_ = matrix[foreign, :3].astype(np.int64) - 65
        number = (matrix[foreign, 3:15].astype(np.int64) - 48) @ 10 ** np.arange(11, -1, -1, dtype=np.int64)
        result.state[odd[foreign]] = SOUND
        result.key[odd[foreign]] = FOREIGN + (letters_ @ np.array([676, 26, 1])) * 10**12 + number


def _mended(text: pa.Array) -> pa.Array:
    odd = np.flatnonzero(~pc.string_is_ascii(text).to_numpy(zero_copy_only=False))
    if len(odd):
        values = text.to_numpy(zero_copy_only=False).copy()
        values[odd] = [re.sub(r"[^\x21-\x7e]", "", compact(value)) for value in values[odd]]
        text = pa.array(values, pa.string())
    text = pc.ascii_upper(pc.replace_substring_regex(text, r"[\s'`\"]|^ID[:：]?", ""))
    slipped = pc.and_(pc.match_substring_regex(text, "[OILX]"), pc.invert(pc.match_substring_regex(text, r"^[A-Z]{3}[0-9]{12}$")))  # fmt: skip
    mended = pc.replace_substring_regex(pc.replace_substring_regex(text, "O", "0"), "[IL]", "1")
    text = pc.if_else(slipped, mended, text)
    return pc.if_else(pc.match_substring_regex(text, r"^([0-9]{14,18}[0-9X]|[A-Z]{3}[0-9]{12})$"), text, "")


def _area_known(province: np.ndarray) -> np.ndarray:
    return _PROVINCES[province]


def _date(number: np.ndarray) -> np.ndarray:
    """YYYYMMDD, 0 where that is no date."""
    year, month, day = number // 10000, number // 100 % 100, number % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _DAYS[np.where((month >= 1) & (month <= 12), month, 0)] + ((month == 2) & leap)
    good = (year >= MIN_BIRTH_YEAR) & (year <= 2100) & (day >= 1) & (day <= longest)
    return np.where(good, number, 0).astype(np.int32)


def probes(ids: Ids, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sound numbers that the damaged ``rows`` may have been, as (row, key): one slip away each. Excel's …000 has none."""
    text = ids.text_of(rows)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    zeros = (text[:, 15:18] == 48).all(axis=1) & (text[:, 18] == 0)
    eighteen = (text[:, 17] > 0) & (text[:, 18] == 0) & ~zeros
    found += _one_slip(text[eighteen], rows[eighteen])
    found += _one_too_many(text[text[:, 18] > 0], rows[text[:, 18] > 0])
    short = text[:, 17] == 0
    found += _one_too_few(text[short], rows[short])
    return np.concatenate([row for row, _ in found]), np.concatenate([key for _, key in found])


def _one_slip(text: np.ndarray, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    digits = text[:, :17].astype(np.int64) - 48
    residue = _RESIDUE[text[:, 17]]
    total = digits @ _W
    key = digits @ _POWERS
    found = [(rows, key)]  # the check character wrong
    for place in range(17):
        step = (residue - total) * _INVERSE[place] % 11
        digit = digits[:, place] + step
        digit = np.where(digit > 10, digit - 11, digit)
        fits = (digit <= 9) & (step > 0)
        found.append((rows[fits], (key + (digit - digits[:, place]) * _POWERS[place])[fits]))
    for place in range(16):
        difference = digits[:, place + 1] - digits[:, place]
        fits = (difference != 0) & ((total + difference * (_W[place] - _W[place + 1])) % 11 == residue)
        found.append((rows[fits], (key + difference * (_POWERS[place] - _POWERS[place + 1]))[fits]))
    last = text[:, 17].astype(np.int64) - 48
    swapped = total + (last - digits[:, 16]) * _W[16]
    fits = (last <= 9) & (_RESIDUE[text[:, 16]] == swapped % 11)
    found.append((rows[fits], (key + last - digits[:, 16])[fits]))
    return found


def _one_too_many(text: np.ndarray, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    found = []
    for place in range(WIDTH):
        rest = np.delete(text, place, axis=1)
        digits = rest[:, :17].astype(np.int64) - 48
        fits = (digits <= 9).all(axis=1) & (_RESIDUE[rest[:, 17]] == (digits @ _W) % 11)
        found.append((rows[fits], (digits @ _POWERS)[fits]))
    return found


def _one_too_few(text: np.ndarray, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """17 characters: a digit left out anywhere, or the check character."""
    last = text[:, 16]
    whole = last != ord("X")
    digits = text[:, :17].astype(np.int64) - 48
    found = [(rows[whole], (digits @ _POWERS)[whole])]
    for place in range(17):
        wider = np.insert(digits[:, :16], place, 0, axis=1)
        digit = (_RESIDUE[last] - wider @ _W) * _INVERSE[place] % 11
        fits = digit <= 9
        found.append((rows[fits], (wider @ _POWERS + digit * _POWERS[place])[fits]))
    return found


def slips(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Places at which two numbers of 19 bytes differ; two neighbours swapped count as one slip."""
    differs = left != right
    count = differs.sum(axis=1)
    swap = differs[:, :-1] & differs[:, 1:] & (left[:, :-1] == right[:, 1:]) & (left[:, 1:] == right[:, :-1])
    return np.where(swap.any(axis=1), count - 1, count)


def texts_of(keys: np.ndarray) -> np.ndarray:
    """Sound numbers as 19 ASCII bytes with their check character."""
    digits = keys[:, None] // _POWERS % 10
    out = np.zeros((len(keys), WIDTH), dtype=np.uint8)
    out[:, :17] = digits + 48
    out[:, 17] = np.frombuffer(CHECK_CHARS.encode(), dtype=np.uint8)[digits @ _W % 11]
    return out
