"""Codes of places (12 digits) and banks (联行号) beside their names: filled where the names tell one, compared where both stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.vectors import Vector, is_true
from jiuzhu_cli.policy.divisions import AS_OF, Divisions, counties, county_codes, full_name, successors

if TYPE_CHECKING:
    from jiuzhu_cli.intake.rows import Rows
    from jiuzhu_cli.policy.bank_names import BankNames
    from jiuzhu_cli.policy.divisions import Found

_TOLD = 5  # places of one kind that a table is told of


def place_codes(rows: Rows, divisions: Divisions) -> None:
    """``area_code`` of every row from its town and village; a code that the list states itself goes before.

    Told once a place: a village name that two villages of the town have, a town that the table of divisions knows by another
    ending (乡 become 镇), a town that is another county's. A town that no table knows is as good as any: no code, no word.
    """
    stated = _stated(rows, divisions)
    _counties(rows, divisions)
    if not divisions.towns:
        if stated is not None:
            rows.values["area_code"] = stated
        return
    towns, villages = rows.get("town"), rows.get("village")
    pairs, inverse = _pairs(towns, villages)
    found = [divisions.place(town or "", village or "") for town, village in pairs]
    codes = Vector(pa.array([one.code or None for one in found], type=pa.string()).take(pa.array(inverse)))
    rows.values["area_code"] = codes if stated is None else stated.filled(codes)
    _tell(rows, divisions, dict(zip(pairs, found, strict=True)))


def _pairs(left: Vector, right: Vector) -> tuple[list[tuple[str | None, str | None]], np.ndarray]:
    """The distinct pairs of two columns, and which each row has."""
    wide = left.codes().astype(np.int64) + 1
    narrow = right.codes().astype(np.int64) + 1
    both = wide * (int(narrow.max(initial=0)) + 1) + narrow
    size = int(both.max(initial=0)) + 1
    if size > 4 * len(both) + 1024:  # few rows of very many names
        _, first, inverse = np.unique(both, return_index=True, return_inverse=True)
    else:
        place = np.full(size, -1, dtype=np.int64)
        place[both[::-1]] = np.arange(len(both) - 1, -1, -1)  # the first row of each pair
        there = np.flatnonzero(place >= 0)
        first = place[there]
        place[there] = np.arange(len(there))
        inverse = place[both]
    return [(left[at], right[at]) for at in first.tolist()], inverse


def _tell(rows: Rows, divisions: Divisions, places: dict[tuple[str | None, str | None], Found]) -> None:
    told = {"renamed": "town_renamed", "ambiguous": "area_code_ambiguous"}
    said: dict[str, set[str]] = {}
    for (town, village), found in places.items():
        name = f"{town}{village}" if found.problem == "ambiguous" and village and found.code else town or ""
        code = told.get(found.problem)
        if code and name and name not in said.setdefault(code, set()) and len(said[code]) < _TOLD:
            said[code].add(name)
            rows.blame(
                -1, "village" if name != town else "town", code, "notice", place=name, known=found.name, as_of=AS_OF[:4]
            )
    if not any(found.code for found in places.values()):
        return
    for town in sorted({town for (town, _), found in places.items() if town and found.problem == "unknown"})[:_TOLD]:
        if county := divisions.elsewhere(town):
            rows.blame(-1, "town", "town_elsewhere", "warning", place=town, county=counties().get(county, county))


def _stated(rows: Rows, divisions: Divisions) -> Vector | None:
    """A column of division codes: 9 or 12 digits (6: the county's, which tells nothing new)."""
    written = rows.values.get("area_code")
    if written is None:
        return None
    seen = {text: _read_code(text, divisions) for text in written.distinct()}
    for text, (_, problem) in seen.items():
        if problem:
            for person in np.flatnonzero(is_true(pc.equal(written.array, text))).tolist():
                rows.blame(person, "area_code", problem, "warning")
    return written.map(lambda text: seen[text][0])


def _read_code(text: str | None, divisions: Divisions) -> tuple[str | None, str]:
    flat = compact(text or "").removesuffix(".0")
    if not flat:
        return None, ""
    if not re.fullmatch(r"\d{6}|\d{9}|\d{12}", flat):
        return None, "area_code_format"
    whole = flat.ljust(12, "0")
    county = whole[:6]
    ours = divisions.region == county or any(way.new_code == divisions.region for way in successors(county))
    if divisions.region and not ours:
        return whole, "area_code_elsewhere"
    return (None if len(flat) == 6 else whole), ""


def _counties(rows: Rows, divisions: Divisions) -> None:
    """A column of counties (所属区县): one that the table knows and that is not the bureau's is told."""
    if "county" not in rows.columns or not divisions.county:
        return
    for text in filter(None, rows.get("county").distinct()[: 10 * _TOLD]):
        codes = county_codes(text, divisions.region[:2])
        if codes and divisions.region not in codes:
            name = full_name(sorted(codes)[0]) if len(codes) == 1 else compact(text)
            rows.blame(-1, "county", "county_differs", "warning", place=compact(text), known=name, own=divisions.county)


def bank_codes(rows: Rows, banks: BankNames) -> None:
    """A 联行号 that is another bank's than the one written beside it is told; the bank as written stays."""
    if "bank_code" not in rows.columns or "bank_name" not in rows.columns:
        return
    pairs, inverse = _pairs(rows.get("bank_code"), rows.get("bank_name"))
    for place, (code, name) in enumerate(pairs):
        if code and name and (both := banks.differ(name, code)):
            for person in np.flatnonzero(inverse == place).tolist():
                rows.blame(person, "bank_code", "bank_code_differs", "warning", code_bank=both[0], bank=both[1])
