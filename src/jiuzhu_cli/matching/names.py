"""Names compared by character, sound and shape, as vectors over the distinct names.

A name is a row of tokens: Chinese characters in their usual form (異體 and 繁體 as 异体 and 简体), and runs of Latin letters (张yan) or a question
mark for characters that could not be typed. Sound: the toneless syllable, with the readings that characters have as surnames, 平翘舌 and
前后鼻音 folded. Shape: four-corner codes that differ in at most one figure. The tables are ours (``matching.characters``).
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.names import INTERPUNCT, normalise_name
from jiuzhu_cli.matching.characters import SIZE, characters, folded
from jiuzhu_cli.matching.texts import letters

EQUAL, SOUND, SHAPE, ONE_OFF, SURNAME, OTHER = 0, 1, 2, 3, 4, 5
LEVELS = ("equal", "sound", "shape", "one_character", "surname", "different")
WIDTH = 12  # characters that are looked at
LEAST = 3  # columns that there always are
LONG = 5  # from so many characters the parts of a name may stand in either order (minority names)
UNREAD = 1000  # sounds from here belong to one token each: characters without a reading, letters that are no syllable
_WILD = 0x110000  # ? and *: any character
_LATIN = 0x110001  # + 20 bits of the letters' checksum
_PLAIN = r"^[\x{4e00}-\x{9fff}]{1,12}$"
_TOLD = r"已|某|^同上$"  # what the careful reading takes out of a name that looks plain


@dataclass(slots=True)
class Names:
    """``code``: number of each record's name, -1 without one. The rest has one row a distinct name: ``text`` (one spelling for comparison), ``tokens``,
    ``sound`` (-1 after the end, -2 unread), ``length``, ``sound_key`` (equal for names of one sound), ``first`` (sound of the first token), ``corner``."""

    code: np.ndarray
    text: pa.Array
    tokens: np.ndarray
    sound: np.ndarray
    length: np.ndarray
    sound_key: np.ndarray
    first: np.ndarray
    corner: np.ndarray


def read_names(column: pa.Array) -> Names:
    """Reads a text column of names."""
    raw = pc.dictionary_encode(pc.fill_null(pc.cast(column, pa.string()), ""))
    text = _tidied(raw.dictionary)
    tokens = _tokens(text)
    table = characters()
    tokens = np.ascontiguousarray(tokens[:, : max(LEAST, int((tokens > 0).sum(axis=1).max(initial=0)))])
    plain = tokens.copy()
    han = tokens < SIZE
    plain[han] = table.plain[tokens[han]]
    changed = np.flatnonzero((plain != tokens).any(axis=1))
    if len(changed):
        written = np.flatnonzero(table.plain != np.arange(SIZE))
        usual = dict(zip(written.tolist(), table.plain[written].tolist(), strict=True))
        spelled = [value.translate(usual) for value in text.take(pa.array(changed)).to_pylist()]
        text = pc.replace_with_mask(text, _mask(changed, len(text)), pa.array(spelled, pa.string()))
    again = pc.dictionary_encode(text)
    number = again.indices.to_numpy(zero_copy_only=False)
    first = np.empty(len(again.dictionary), np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    code = number[raw.indices.to_numpy(zero_copy_only=False)].astype(np.int32) if len(number) else np.empty(0, np.int32)
    empty = pc.index(again.dictionary, "").as_py()
    code[code == empty] = -1
    return _vectors(code, again.dictionary, plain[first])


def _mask(rows: np.ndarray, size: int) -> pa.Array:
    mask = np.zeros(size, bool)
    mask[rows] = True
    return pa.array(mask)


def _tidied(values: pa.Array) -> pa.Array:
    """One spelling for comparison: no spaces, interpuncts and brackets; parts of a minority name in one order."""
    values = _replaced(values, _odd(values), lambda odd: pc.replace_substring_regex(odd, r"[\s\x{3000}\x{a0}]+", ""))
    return _replaced(values, _odd(values), lambda odd: pa.array([_read(name) for name in odd.to_pylist()], pa.string()))


def _odd(values: pa.Array) -> pa.Array:
    plain = pc.match_substring_regex(values, _PLAIN)
    return pc.or_(pc.invert(plain), pc.match_substring_regex(values, _TOLD))


def _replaced(values: pa.Array, odd: pa.Array, by) -> pa.Array:  # type: ignore[no-untyped-def]
    return pc.replace_with_mask(values, odd, by(values.filter(odd)))


def _read(name: str) -> str:
    name = normalise_name(re.sub(r"[（(].*?[)）]", "", name)).casefold()
    if INTERPUNCT in name:
        name = "".join(sorted(name.split(INTERPUNCT)))
    return re.sub(r"[\s.'’\-]", "", name.replace("？", "?").replace("*", "?"))


def _tokens(text: pa.Array) -> np.ndarray:
    """Code points of each name, ``WIDTH`` columns, 0 after the end; runs of letters and unread characters as one token."""
    plain = pc.match_substring_regex(text, _PLAIN).to_numpy(zero_copy_only=False)
    out = np.zeros((len(text), WIDTH), np.int32)
    rows = np.flatnonzero(plain)
    if len(rows):
        han = text.filter(pa.array(plain))
        sizes = pc.binary_length(han).to_numpy(zero_copy_only=False) // 3
        three = letters(han).reshape(-1, 3).astype(np.int32)  # UTF-8 of U+0800 … U+FFFF
        points = (three[:, 0] & 15) << 12 | (three[:, 1] & 63) << 6 | three[:, 2] & 63
        place = np.arange(len(points)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        out[np.repeat(rows, sizes), place] = points
    others = np.flatnonzero(~plain)
    for row, name in zip(others.tolist(), text.take(pa.array(others)).to_pylist(), strict=True):
        runs = re.findall(r"[a-zü]+|.", name)[:WIDTH]
        out[row, : len(runs)] = [_token(run) for run in runs]
    return out


def _token(run: str) -> int:
    if run == "?":
        return _WILD
    return _LATIN + (zlib.crc32(run.encode()) & 0xFFFFF) if run[0] in "abcdefghijklmnopqrstuvwxyzü" else ord(run)


def _latin_sounds(text: pa.Array) -> dict[int, int]:
    """Token → sound of the letters that are a syllable (张yan)."""
    syllables = characters().syllables
    runs = {run for name in text.filter(pc.match_substring_regex(text, "[a-zü]")).to_pylist() for run in re.findall(r"[a-zü]+", name)}  # fmt: skip
    return {_token(run): syllables[sound] for run in runs if (sound := folded(run.replace("ü", "v"))) in syllables}


def _vectors(code: np.ndarray, text: pa.Array, tokens: np.ndarray) -> Names:
    """Sounds, shapes and keys of the distinct names."""
    table = characters()
    inside = np.where((tokens > 0) & (tokens < SIZE), tokens, 0)
    sound = table.sound[inside].astype(np.int32)
    sound[:, 0] = table.surname[inside[:, 0]]
    sound = np.where((sound < 0) & (tokens > 0), UNREAD + tokens, sound)
    latin = np.nonzero(tokens >= _LATIN)
    spelled = _latin_sounds(text)
    sound[latin] = [spelled.get(token, UNREAD + token) for token in tokens[latin].tolist()]
    sound[tokens == 0], sound[tokens == _WILD] = -1, -2
    length = (tokens > 0).sum(axis=1).astype(np.int8)
    keyed = sound.copy()
    long = length >= LONG
    keyed[long] = -np.sort(-keyed[long], axis=1)
    key = np.zeros(len(tokens), np.uint64)
    for column in range(WIDTH):
        key *= np.uint64(1_000_003)
        key += (keyed[:, column] + 3).astype(np.uint64) if column < keyed.shape[1] else np.uint64(2)
    return Names(code, text, tokens, sound, length, key.view(np.int64), sound[:, 0].copy(), table.corner[inside])


def compare(names: Names, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Level of each pair of name numbers (-1: no name, OTHER)."""
    out = np.full(len(left), OTHER, np.int8)
    both = np.flatnonzero((left >= 0) & (right >= 0))
    same = left[both] == right[both]
    out[both[same]] = EQUAL
    for start in range(0, len(rest := both[~same]), 1 << 18):
        part = rest[start : start + (1 << 18)]
        out[part] = _compare(names, left[part], right[part])
    return out


def _compare(names: Names, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ta, tb = names.tokens[a], names.tokens[b]
    sa, sb = names.sound[a], names.sound[b]
    la, lb = names.length[a], names.length[b]
    level = np.full(len(a), OTHER, np.int8)
    first = (ta[:, 0] == tb[:, 0]) | (sa[:, 0] == sb[:, 0])
    level[first] = SURNAME
    equal = ta == tb
    wrong = (~equal & (ta > 0) & (tb > 0)).sum(axis=1)
    alike = la == lb
    # a character left out or written as two (张龙天): all others in order, at least two of them
    level[_contained(ta, tb, la, lb)] = ONE_OFF
    level[alike & (wrong == 1) & (la >= 3)] = ONE_OFF
    wild = (ta == _WILD) | (tb == _WILD)
    close = equal | (sa == sb) | wild | _near(names, a, b)
    level[alike & (wrong == 1) & (la >= 2) & close.all(axis=1)] = SHAPE
    level[alike & (equal | (sa == sb)).all(axis=1)] = SOUND
    level[alike & (la >= LONG) & (names.sound_key[a] == names.sound_key[b])] = SOUND  # parts in another order
    return level


def _near(names: Names, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Characters whose four-corner codes differ in at most one of four figures."""
    ca, cb = names.corner[a], names.corner[b]
    return ((ca == cb).sum(axis=2) >= 3) & (ca[:, :, 0] >= 0) & (cb[:, :, 0] >= 0)


def _contained(ta: np.ndarray, tb: np.ndarray, la: np.ndarray, lb: np.ndarray) -> np.ndarray:
    """One name has one character more, all others agree in order; or two where the other has a rare one (张龙天, 张䶮)."""
    out = np.zeros(len(ta), bool)
    for long, short, longer in ((ta, tb, la - lb == 1), (tb, ta, lb - la == 1)):
        rows = np.flatnonzero(longer & (np.minimum(la, lb) >= 2))
        if len(rows):
            one, two = long[rows], short[rows]
            ahead = np.cumprod(one == two, axis=1).sum(axis=1)
            shifted = np.hstack([one[:, 1:], np.zeros((len(rows), 1), one.dtype)])
            behind = np.cumprod((shifted == two)[:, ::-1], axis=1).sum(axis=1)
            width = one.shape[1]
            odd = two[np.arange(len(rows)), np.minimum(ahead, width - 1)]
            rare = (odd > 0) & ((odd < 0x4E00) | (odd > 0x9FA5))
            out[rows] = (ahead + behind >= width) | ((ahead + behind >= width - 1) & (ahead >= 1) & rare)
    return out
