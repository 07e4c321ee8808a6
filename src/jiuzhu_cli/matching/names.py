"""Names compared by character, sound and shape, as vectors over the distinct names.

A name is a row of tokens: Chinese characters, and runs of Latin letters (张yan) or a question mark for characters that could not be
typed. Sound: the toneless syllable (pypinyin, with the readings that characters have as surnames), 平翘舌 and 前后鼻音 folded. Shape:
four-corner codes that differ in at most one figure (four-corner-method). Without these packages only equal characters are alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.names import INTERPUNCT, normalise_name

EQUAL, SOUND, SHAPE, ONE_OFF, SURNAME, OTHER = 0, 1, 2, 3, 4, 5
LEVELS = ("equal", "sound", "shape", "one_character", "surname", "different")
WIDTH = 12
_WILD = 0x110000  # ? and *: any character
_LATIN = 0x110001  # + number of the syllable
_SURNAME_SOUND = dict(
    pair.split("=")
    for pair in (
        "单=shan 曾=zeng 仇=qiu 翟=zhai 解=xie 区=ou 任=ren 查=zha 盖=ge 朴=piao 尉=wei 乐=yue 华=hua 卜=bu 缪=miao 覃=qin 冼=xian 召=shao"
        " 员=yun 宓=fu 繁=po 种=chong 秘=bi 折=she 黑=he 能=nai 郇=xun 佴=nai 洗=xian 燕=yan 应=ying 葛=ge 阚=kan 訾=zi 隗=wei 郗=xi 逄=pang"
        " 牟=mu 万=wan 祭=zhai 过=guo 哈=ha 宁=ning 纪=ji 钻=zuan 曲=qu 石=shi 车=che 沈=shen 贾=jia 谌=chen 冯=feng 令=ling 子=zi"
    ).split()
)
_FOLDS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


def _folded(sound: str) -> str:
    for whole, part in _FOLDS:
        sound = sound.replace(whole, part)
    return sound.replace("ü", "v")


@lru_cache(maxsize=1)
def _readings() -> dict[int, str]:
    try:
        from pypinyin.constants import PINYIN_DICT
        from pypinyin.contrib.tone_convert import to_normal
    except ImportError:
        return {}
    plain: dict[str, str] = {}
    out = {}
    for code, readings in PINYIN_DICT.items():
        first = readings.partition(",")[0]
        if first not in plain:
            plain[first] = _folded(to_normal(first))
        out[code] = plain[first]
    return out


@lru_cache(maxsize=1)
def _corners() -> dict[str, str]:
    try:
        from four_corner_method import FourCornerMethod
    except ImportError:
        return {}
    return FourCornerMethod().data


def sounds_known() -> bool:
    """Whether names can be compared by sound (package pypinyin)."""
    return bool(_readings())


@dataclass(slots=True)
class Names:
    """``code``: number of each record's name, -1 without one. The rest has one row a distinct name: ``tokens``, ``sound`` (-1 after the end),
    ``length``, ``sound_key`` (equal for names of one sound), ``first`` (sound of the first token)."""

    code: np.ndarray
    tokens: np.ndarray
    sound: np.ndarray
    length: np.ndarray
    sound_key: np.ndarray
    first: np.ndarray
    corner: np.ndarray


def read_names(column: pa.Array) -> Names:
    """Reads a text column of names."""
    first = pc.dictionary_encode(pc.fill_null(pc.cast(column, pa.string()), ""))
    values = first.dictionary
    odd = np.flatnonzero(~pc.match_substring_regex(values, _PLAIN).to_numpy(zero_copy_only=False))
    again = np.arange(len(values))
    if len(odd):
        spelled = [_tidied(value) for value in values.take(pa.array(odd)).to_pylist()]
        tidy = pc.replace_with_mask(values, _mask(odd, len(values)), pa.array(spelled, pa.string()))
        second = pc.dictionary_encode(tidy)
        again, values = second.indices.to_numpy(), second.dictionary
    code = again[first.indices.to_numpy()].astype(np.int64)
    empty = pc.index(values, "").as_py()
    code[code == empty] = -1
    return _vectors(code, values)


def _mask(rows: np.ndarray, size: int) -> pa.Array:
    mask = np.zeros(size, bool)
    mask[rows] = True
    return pa.array(mask)


_PLAIN = r"^[\x{4e00}-\x{9fff}]{1,12}$"


def _tidied(name: str) -> str:
    """One spelling for comparison: no spaces, interpuncts and brackets; parts of a minority name in one order."""
    name = normalise_name(re.sub(r"[（(].*?[)）]", "", name)).casefold()
    if INTERPUNCT in name:
        name = "".join(sorted(name.split(INTERPUNCT)))
    return re.sub(r"[\s.'’\-]", "", name.replace("？", "?").replace("*", "?"))


def _vectors(code: np.ndarray, distinct: pa.Array) -> Names:
    """Tokens, sounds and keys of the distinct names."""
    readings = _readings()
    numbers: dict[str, int] = {}
    tokens = (
        np.array(distinct.to_pylist() or [""], dtype=f"U{WIDTH}").view(np.uint32).reshape(-1, WIDTH).astype(np.int32)
    )
    latin: dict[int, int] = {}
    spelled = pc.match_substring_regex(distinct, r"[a-z?]").to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(spelled).tolist():
        name = distinct[row].as_py()
        parts: list[int] = []
        for run, char in re.findall(r"([a-z]+)|(.)", name):
            if run:
                number = numbers.setdefault(_folded(run), len(numbers))
                parts.append(_LATIN + number)
                latin[_LATIN + number] = number
            else:
                parts.append(_WILD if char == "?" else ord(char))
        tokens[row] = (parts + [0] * WIDTH)[:WIDTH]
    length = (tokens > 0).sum(axis=1).astype(np.int8)
    seen = np.zeros(int(tokens.max(initial=0)) + 1, bool)
    seen[tokens] = True
    kinds = np.flatnonzero(seen)
    number_of = np.zeros(len(seen), np.int32)
    number_of[kinds] = np.arange(len(kinds))
    place = number_of[tokens]
    kinds_sound = np.full(len(kinds), -1, np.int32)
    surname_sound = kinds_sound.copy()
    for index, token in enumerate(kinds.tolist()):
        if token == 0:
            continue
        text = chr(token) if token < _WILD else ""
        reading = readings.get(token, text)
        kinds_sound[index] = (
            latin[token] if token in latin else numbers.setdefault(reading, len(numbers)) if text else -2
        )
        own = _SURNAME_SOUND.get(text) if readings else None
        surname_sound[index] = numbers.setdefault(_folded(own), len(numbers)) if own else kinds_sound[index]
    sound = kinds_sound[place]
    sound[:, 0] = surname_sound[place[:, 0]]
    key = np.zeros(len(tokens), np.uint64)
    for column in range(WIDTH):
        key = key * np.uint64(1_000_003) + (sound[:, column] + 3).astype(np.uint64)
    corners = _corners()
    kinds_corner = np.full((len(kinds), 4), -1, np.int8)
    for index, token in enumerate(kinds.tolist()):
        figures = corners.get(chr(token), "") if 0 < token < _WILD else ""
        if len(figures) >= 4:
            kinds_corner[index] = [int(f) for f in figures[:4]]
    return Names(code, tokens, sound, length, key.view(np.int64), sound[:, 0].copy(), kinds_corner[place])


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
    near = _near(names, a, b)
    close = equal | (sa == sb) | wild | near
    level[alike & (wrong == 1) & (la >= 2) & close.all(axis=1)] = SHAPE
    level[alike & (equal | (sa == sb)).all(axis=1)] = SOUND
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
            odd = two[np.arange(len(rows)), np.minimum(ahead, WIDTH - 1)]
            rare = (odd > 0) & ((odd < 0x4E00) | (odd > 0x9FA5))
            out[rows] = (ahead + behind >= WIDTH) | ((ahead + behind >= WIDTH - 1) & (ahead >= 1) & rare)
    return out
