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

NONE, SOUND, DAMAGED = 0, 1, 2
FOREIGN = 10**17  # old permits (3 letters, 12 digits) are numbered from here; 17 digits stay below
WIDTH = 19
_W = np.array(WEIGHTS)
_INVERSE = np.array([pow(w, -1, 11) for w in WEIGHTS])
_POWERS = 10 ** np.arange(16, -1, -1, dtype=np.int64)
_RESIDUE = np.full(256, -1)  # check character → weighted sum modulo 11
for _index, _char in enumerate(CHECK_CHARS):
    _RESIDUE[ord(_char)] = _index
_PROVINCES = np.array([int(code) for code in PROVINCE_CODES])
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@dataclass(slots=True)
class Ids:
    """One entry a record. ``key``: the first 17 digits of a sound number as an integer (15 digits upgraded), else -1.
    ``birth``: YYYYMMDD of a sound number or of the legible digits of a damaged one, else 0. ``text``: 19 ASCII bytes, 0 after the end."""

    state: np.ndarray
    key: np.ndarray
    birth: np.ndarray
    text: np.ndarray


def read_ids(column: pa.Array) -> Ids:
    """Reads a text column of ID numbers. Nothing is guessed: what is not sound is ``DAMAGED``, also …000 (Excel's rounding)."""
    size = len(column)
    text = _tidied(column)
    lengths = pc.binary_length(text).to_numpy(zero_copy_only=False)
    raw = np.array(pc.if_else(pc.less_equal(pc.binary_length(text), WIDTH), text, "").to_numpy(zero_copy_only=False), dtype="S19")  # fmt: skip
    matrix = np.ascontiguousarray(raw).view(np.uint8).reshape(size, WIDTH)
    lengths = np.where(lengths <= WIDTH, lengths, 0)
    numeric = (matrix >= 48) & (matrix <= 57)
    result = Ids(np.zeros(size, np.int8), np.full(size, -1, np.int64), np.zeros(size, np.int32), matrix)

    head = numeric[:, :17].all(axis=1)
    last = matrix[:, 17]
    eighteen = np.flatnonzero((lengths == 18) & head & (numeric[:, 17] | (last == ord("X"))))
    digits = matrix[eighteen, :17].astype(np.int64) - 48
    born = _birth(digits[:, 6:14])
    sound = (_RESIDUE[last[eighteen]] == (digits @ _W) % 11) & (born > 0) & _area_known(digits)
    zeros = (matrix[eighteen, 15:18] == 48).all(axis=1)
    result.state[eighteen] = np.where(sound & ~zeros, SOUND, DAMAGED)
    result.key[eighteen] = np.where(sound & ~zeros, digits @ _POWERS, -1)
    result.birth[eighteen] = born

    fifteen = np.flatnonzero((lengths == 15) & numeric[:, :15].all(axis=1))
    digits = matrix[fifteen, :15].astype(np.int64) - 48
    century = np.tile([1, 9], (len(digits), 1))
    digits = np.hstack([digits[:, :6], century, digits[:, 6:]])
    born = _birth(digits[:, 6:14])
    sound = (born > 0) & _area_known(digits)
    result.state[fifteen] = np.where(sound, SOUND, NONE)
    result.key[fifteen] = np.where(sound, digits @ _POWERS, -1)
    result.birth[fifteen] = born

    near = np.flatnonzero(
        ((lengths == 17) & numeric[:, :16].all(axis=1)) | ((lengths == 19) & numeric[:, :18].all(axis=1))
    )
    result.state[near] = DAMAGED
    result.birth[near] = _birth(matrix[near, 6:14].astype(np.int64) - 48)
    foreign = pc.match_substring_regex(text, r"^[A-Z]{3}[0-9]{12}$").to_numpy(zero_copy_only=False)
    if foreign.any():
        result.state[foreign] = SOUND
        result.key[foreign] = FOREIGN + np.unique(raw[foreign], return_inverse=True)[1]
    return result


def _tidied(column: pa.Array) -> pa.Array:
    """Upper case, no spaces and quotes, ASCII; what typists put for digits (O, l) as digits. '' for what is no number at all."""
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    rest = pc.invert(pc.match_substring_regex(text, "^[0-9]{17}[0-9X]$"))
    return pc.replace_with_mask(text, rest, _mended(text.filter(rest)))


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


def _area_known(digits: np.ndarray) -> np.ndarray:
    return np.isin(digits[:, 0] * 10 + digits[:, 1], _PROVINCES) | (digits[:, 0] == 9)


def _birth(digits: np.ndarray) -> np.ndarray:
    """YYYYMMDD from 8 columns of digits, 0 where that is no date."""
    number = digits @ _POWERS[-8:]
    year, month, day = number // 10000, number // 100 % 100, number % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _DAYS[np.where((month >= 1) & (month <= 12), month, 0)] + ((month == 2) & leap)
    good = (year >= MIN_BIRTH_YEAR) & (year <= 2100) & (day >= 1) & (day <= longest)
    return np.where(good, number, 0).astype(np.int32)


def probes(ids: Ids, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sound numbers that the damaged ``rows`` may have been, as (row, key): one slip away each. Excel's …000 has none."""
    text = ids.text[rows]
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
