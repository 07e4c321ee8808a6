"""Places written once above the rows they hold for: a blank below 东风村 means 东风村, where the whole column is written so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.areas import short_village
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.intake.vectors import Vector, is_true, nothing

_VILLAGE = re.compile(r"[一-鿿]{2,}(?:村(?![一-鿿]?[路街])|社区|居委会)")
_FEWEST = 0.2  # share of blanks below which a blank may be an omission: what is filled is told


def places_as_above(rows: Rows, name: str, within: Vector | None = None) -> Vector:
    """The place column ``name`` (one value a person), blanks filled from above; unchanged where it is not written that way.

    It is when its first row is filled, no place is written again right below itself, and none comes back after another.
    A run ends with its 小计, a heading, a blank row, or another place of ``within`` (the town over a village); it goes on
    below a header printed again. Blanks at the head of a run stay blank, and in a list with few of them where
    the row's address names another place.
    """
    values = rows.get(name)
    if not values.blanks or values[0] is None:
        return values
    given = values.tolist()
    blanks = [index for index, value in enumerate(given) if value is None]
    ends, pages = _breaks(rows)
    over = within.tolist() if within is not None else [None] * len(given)
    out: list[Any] = []
    seen: set[tuple[Any, Any]] = set()
    last: Any = None
    previous: tuple[Any, Any] | None = None  # the place written last
    for index, value in enumerate(given):
        if index and (ends[index] or over[index] != over[index - 1]):
            last = None
        if value is not None:
            place = (over[index], value)
            if place == previous and last is not None and not pages[index]:
                return values
            if place != previous and place in seen:
                return values
            seen.add(place)
            previous, last = place, value
        out.append(last)
    addresses = rows.get("address") if "address" in rows.columns else nothing("address", rows.size)
    for index in blanks:
        place, address = out[index], compact(addresses[index] or "")
        if place is None or short_village(place) in address:
            continue
        few, other = len(blanks) < _FEWEST * len(given), bool(_VILLAGE.search(address))
        if few and other:
            out[index] = None
        elif few or other:
            rows.blame(index, name, "place_as_above", "warning", place=place)
    return Vector.of(out)


def _breaks(rows: Rows) -> tuple[list[bool], list[bool]]:
    """Per person: whether something ends the run between the row above and this one; whether a header stands between."""
    at = rows.table.rows[rows.origin]
    ends, pages = [False] * rows.size, [False] * rows.size
    kinds = dict(rows.table.skipped)
    for index in (np.flatnonzero(np.diff(at) > 1) + 1).tolist():
        between = {kinds.get(row, "other") for row in range(int(at[index - 1]) + 1, int(at[index]))}
        pages[index] = "repeated_header" in between
        ends[index] = not pages[index] or not between <= {"repeated_header", "blank"}
    return ends, pages


def household_as_above(rows: Rows, names: Sequence[str]) -> None:
    """Fields of a household (``names``, the first tells which) that are written on its first row only: blanks get what stands above.

    Only where the column is written that way: filled on the first row, and never again right below itself. Below a cell that
    cannot be read nothing is filled in: whose rows they are is not known.
    """
    if not names or names[0] not in rows.columns:
        return
    values = rows.values[names[0]]
    if not len(values) or not values.blanks or values[0] is None:
        return
    told = {person for person, code in rows.problems.get(names[0], {}).items() if not code.endswith("_missing")}
    given = values.valid.copy()
    array = values.array
    again = is_true(pc.equal(array.slice(1), array.slice(0, len(array) - 1)))
    if again.any():
        return
    given[list(told)] = True
    above = np.maximum.accumulate(np.where(given, np.arange(len(given)), 0))
    for name in names:
        if name in rows.columns:
            found = rows.values[name]
            rows.values[name] = found.filled(found.take(above))
