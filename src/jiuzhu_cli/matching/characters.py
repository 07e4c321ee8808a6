"""How characters sound and look and which are variants, as arrays over code points: from ``data/characters`` (tools/build_characters.py)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

_DATA = Path(__file__).resolve().parent.parent / "data" / "characters"
SIZE = 0x34000  # all Han characters of Unicode lie below
_FOLDS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


def folded(sound: str) -> str:
    """A toneless syllable with 平翘舌 and 前后鼻音 as one."""
    for whole, part in _FOLDS:
        sound = sound.replace(whole, part)
    return sound


@dataclass(frozen=True, slots=True)
class Characters:
    """Indexed by code point below ``SIZE``. ``sound``: number of the folded syllable, -1 unknown; ``surname``: the same, read as a surname (单 shan);
    ``corner``: four figures of the four-corner code, -1 unknown; ``plain``: the simplified or usual form. ``syllables``: number of a folded syllable."""

    sound: np.ndarray
    surname: np.ndarray
    corner: np.ndarray
    plain: np.ndarray
    syllables: dict[str, int]


@lru_cache(maxsize=1)
def characters() -> Characters:
    """The shipped tables. Numbers of syllables depend on them only, so that vectors made apart agree."""
    sound = np.full(SIZE, -1, np.int16)
    syllables: dict[str, int] = {}
    for syllable, codes in _table("sounds"):
        sound[codes] = syllables.setdefault(folded(syllable), len(syllables))
    surname = sound.copy()
    for pair in (_DATA / "surnames.txt").read_text("utf-8").split():
        char, _, syllable = pair.partition("=")
        surname[ord(char)] = syllables[folded(syllable)]
    corner = np.full((SIZE, 4), -1, np.int8)
    for figures, codes in _table("corners"):
        corner[codes] = [int(figure) for figure in figures]
    plain = np.arange(SIZE, dtype=np.int32)
    for usual, codes in _table("variants"):
        plain[codes] = ord(usual)
    return Characters(sound, surname, corner, plain, syllables)


def _table(name: str) -> list[tuple[str, np.ndarray]]:
    """(word, code points of the characters) a line."""
    lines = (line.split("\t") for line in (_DATA / f"{name}.txt").read_text("utf-8").splitlines())
    return [(word, np.frombuffer(chars.encode("utf-32-le"), np.uint32)) for word, chars in lines]
