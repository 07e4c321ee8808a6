"""Where two writings of one thing differ: the characters that a clerk's eye should fall on."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache

from jiuzhu_cli.tabular.write import Marked

Spans = tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def differences(a: str, b: str, *, always: bool = True) -> tuple[Spans, Spans]:
    """The differing spans of ``a`` and of ``b``. Of one length, place by place (two digits swapped are two marks); else aligned.

    None when one is blank or both are the same; and, unless ``always``, when less than half agrees: that is another number, not a slip.
    """
    if not a or not b or a == b:
        return (), ()
    if len(a) == len(b):
        places = [i for i in range(len(a)) if a[i] != b[i]]
        agree, spans = len(a) - len(places), _runs(places)
        found = (spans, spans)
    else:
        blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
        agree = sum(block.size for block in blocks)
        same_a = {i for block in blocks for i in range(block.a, block.a + block.size)}
        same_b = {i for block in blocks for i in range(block.b, block.b + block.size)}
        found = (
            _runs([i for i in range(len(a)) if i not in same_a]),
            _runs([i for i in range(len(b)) if i not in same_b]),
        )
    return found if always or 2 * agree >= max(len(a), len(b)) else ((), ())


def _runs(places: list[int]) -> Spans:
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1][1] = place + 1
        else:
            runs.append([place, place + 1])
    return tuple((start, end) for start, end in runs)


def side_by_side(a: str, b: str, *, always: bool = True) -> tuple[str | Marked, str | Marked]:
    """Both texts as cells of a workbook, what differs marked."""
    if a == b or not a or not b:
        return a, b
    spans_a, spans_b = differences(a, b, always=always)
    return Marked(a, spans_a) if spans_a else a, Marked(b, spans_b) if spans_b else b
