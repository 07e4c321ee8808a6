"""Near words, for errors that help: “…？您是不是要写：低保标准_农村”."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def near(word: str, known: Iterable[str]) -> str:
    """``（相近的有：…）`` or "" when nothing is near."""
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    close += [name for name in names if word and name not in close and (word in name or name in word)][: 3 - len(close)]
    return f"（相近的有：{'、'.join(close)}）" if close else ""
