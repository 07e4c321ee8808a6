"""The divisions of the country (行政区划): a shipped, dated table of counties, towns and villages, and the bureau's own over it.

Shipped: ``data/divisions`` (statistical codes of the National Bureau of Statistics as of 2023-06-30; changes of counties since 1980
by year), built by ``tools/build_divisions.py``. Own: ``policy/divisions.csv`` with the columns 代码, 乡镇, 村, 又名, 状态 (撤销 removes;
a code that is known renames; further names, 、 between them, are old or everyday ones). Only the county of the workspace is loaded.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from jiuzhu_cli.core.division import is_full_town, short_county, short_town, town_kind, village_key, village_kind
from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.text import compact

AS_OF = "2023-06-30"
FOLDER = Path(__file__).resolve().parent.parent / "data" / "divisions"
OWN_FILE = "divisions.csv"
_HEADER = ("代码", "乡镇", "村", "又名", "状态")
_OFFICE = re.compile(r"办事处$")


@dataclass(frozen=True, slots=True)
class Change:
    """A county's code or name that ended in ``year``, and what took its place."""

    old_code: str
    old_name: str
    new_code: str
    new_name: str
    year: int


@dataclass(slots=True)
class Town:
    """One town: 9 digits, name, further names; its villages by name → 12 digits."""

    code: str
    name: str
    also: set[str] = field(default_factory=set)
    villages: dict[str, str] = field(default_factory=dict)
    keys: dict[str, set[str]] = field(default_factory=dict)  # village_key → codes

    def put(self, code: str, name: str, also: Iterable[str] = ()) -> None:
        for one in filter(None, (name, *also)):
            self.villages[one] = code
            self.keys.setdefault(village_key(one), set()).add(code)


@dataclass(frozen=True, slots=True)
class Found:
    """``code``: 12 digits, '' when the names do not tell one. ``problem``: '', ``unknown``, ``ambiguous`` or ``renamed`` (a town that
    the table knows under ``name``)."""

    code: str = ""
    problem: str = ""
    name: str = ""


# the country -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def counties() -> dict[str, str]:
    """Provinces (2 digits), cities (4) and counties (6) of the shipped table with their names."""
    with (FOLDER / "counties.csv").open(encoding="utf-8") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


@lru_cache(maxsize=1)
def changes() -> tuple[Change, ...]:
    """Counties' codes and names that have ended, since 1980, by year."""
    with (FOLDER / "changes.csv").open(encoding="utf-8") as file:
        rows = [
            Change(r["old_code"], r["old_name"], r["new_code"], r["new_name"], int(r["year"]))
            for r in csv.DictReader(file)
        ]
    return tuple(sorted(rows, key=lambda change: (change.year, change.old_code)))


def successors(code: str) -> list[Change]:
    """The way from an ended county code to the one of today (370284 胶南市 → 370211 黄岛区, 2012); [] for one in force or unknown."""
    out: list[Change] = []
    year = 0
    while code not in counties() and len(out) < 10:
        found = [c for c in changes() if c.old_code == code and c.year >= year and c.new_code != code]
        if not found:
            break
        out.append(found[-1])
        code, year = found[-1].new_code, found[-1].year
    return out


def full_name(code: str) -> str:
    """Province, city and county of a code of 2 to 12 digits, as far as the shipped table knows them."""
    names = counties()
    return "".join(
        names.get(code[:size], "") for size in (2, 4, 6) if len(code) >= size and set(code[size - 2 : size]) != {"0"}
    )


def county_codes(name: str, within: str = "") -> set[str]:
    """County codes that ``name`` (full or short, of today or of before) may mean, as they are in force today; ``within`` is a prefix."""
    flat = compact(name)
    names = counties()
    for city in sorted((n for c, n in names.items() if len(c) < 6), key=len, reverse=True):
        if len(flat) > len(city) + 1 and flat.startswith(city):
            flat = flat[len(city) :]
    out = {code for code, full in names.items() if len(code) == 6 and full == flat}
    out |= {today(c.old_code) for c in changes() if c.old_name == flat and not out}
    out |= {code for code, full in names.items() if len(code) == 6 and not out and short_county(full) == flat}
    return {code for code in out if code.startswith(within)}


def today(code: str) -> str:
    """The code that a county's code has become; itself where it is in force or unknown."""
    way = successors(code)
    return way[-1].new_code if way else code


@lru_cache(maxsize=4)
def _city(prefix: str) -> tuple[tuple[str, str], ...]:
    """Towns (9 digits) and villages (12 digits) of one city by code."""
    with zipfile.ZipFile(FOLDER / "places.zip") as archive:
        try:
            text = archive.read(f"{prefix}.txt").decode()
        except KeyError:
            return ()
    out, town = [], ""
    for line in text.splitlines():
        code, _, name = line.partition("\t")
        town = code if len(code) == 9 else town
        out.append((code if len(code) == 9 else town + code, name))
    return tuple(out)


# the bureau's county ---------------------------------------------------------------------------------------


class Divisions:
    """Towns and villages of one county (six digits; another region, '' too, knows none but the bureau's own)."""

    def __init__(self, region: str, own: bytes | None = None, shown: str = f"policy/{OWN_FILE}") -> None:
        self.region = region
        self._own, self._shown = own, shown
        self._places: dict[tuple[str, str], Found] = {}  # the same ones come back from file to file

    @property
    def county(self) -> str:
        """The county's name, '' when the table does not know it."""
        return counties().get(self.region, "")

    @cached_property
    def towns(self) -> dict[str, Town]:
        """Towns by code of 9 digits."""
        out: dict[str, Town] = {}
        for code, name in _city(self.region[:4]) if len(self.region) == 6 else ():
            if not code.startswith(self.region):
                continue
            if len(code) == 9:
                plain = _OFFICE.sub("", name)
                out[code] = Town(code, plain, {name} if name != plain else set())
            else:
                out[code[:9]].put(code, name)
        self._lay_own(out)
        return out

    @cached_property
    def _by_name(self) -> dict[str, set[str]]:
        return _names((name, town.code) for town in self.towns.values() for name in (town.name, *town.also))

    @cached_property
    def _by_short(self) -> dict[str, set[str]]:
        names = ((short_town(name), town.code) for town in self.towns.values() for name in (town.name, *town.also))
        return _names((short, code) for short, code in names if len(short) >= 2)

    def likely_towns(self, seen: Iterable[str]) -> list[str]:
        """Full names of the county's towns, to understand short ones by; ``seen``: full names that the bureau and its files use.

        None where these are all unknown to the table: it is not of this place, or too old. One whose short name a seen town
        has (朝阳乡 beside the table's 朝阳街道) stays out.
        """
        told = set(seen)
        if told and not any(self.town(name).code for name in told):
            return []
        shorts = {short_town(name) for name in told}
        names = [town.name for town in self.towns.values() if is_full_town(town.name)]
        return [name for name in names if name in told or short_town(name) not in shorts]

    def town(self, name: str) -> Found:
        """The code (12 digits) of a town by full name, short name, name of before or other ending (乡 become 镇: ``renamed``)."""
        flat = _OFFICE.sub("", compact(name))
        codes = self._by_name.get(flat) or self._by_short.get(short_town(flat)) or set()
        if len(codes) != 1:
            return Found(problem="ambiguous" if codes else "unknown")
        town = self.towns[next(iter(codes))]
        other = flat not in (town.name, *town.also) and town_kind(flat) not in ("", town_kind(town.name))
        return Found(town.code + "000", "renamed" if other else "", town.name)

    def village(self, town: str, name: str) -> Found:
        """The code of a village in the town of this code (9 or 12 digits)."""
        place = self.towns.get(town[:9])
        if place is None:
            return Found(problem="unknown")
        flat = compact(name)
        if flat in place.villages:
            return Found(place.villages[flat])
        codes = place.keys.get(village_key(flat), set())
        if len(codes) > 1 and (kind := village_kind(flat)):
            codes = {code for one, code in place.villages.items() if code in codes and village_kind(one) == kind}
        if len(codes) == 1:
            return Found(next(iter(codes)))
        return Found(problem="ambiguous" if codes else "unknown")

    def place(self, town: str, village: str) -> Found:
        """The code of a row's town and village: the village's where it is known, else the town's, else none.

        ``problem`` is the town's, or ``ambiguous`` when several villages of the town go by that name.
        """
        known = self._places.get((town, village))
        if known is None:
            known = self._places[town, village] = self._place(town, village)
        return known

    def _place(self, town: str, village: str) -> Found:
        found = self.town(town) if town else Found()
        if not found.code or not village:
            return found
        inside = self.village(found.code, village)
        if inside.code:
            return Found(inside.code, found.problem, found.name)
        return Found(found.code, found.problem or ("ambiguous" if inside.problem == "ambiguous" else ""), found.name)

    def elsewhere(self, name: str) -> str:
        """The county of the same city that has a town of exactly this name, '' when none or several have."""
        flat = _OFFICE.sub("", compact(name))
        found = {
            code[:6] for code, full in _city(self.region[:4]) if len(code) == 9 and _OFFICE.sub("", full) == flat
        } - {self.region}
        return found.pop() if len(found) == 1 else ""

    def _lay_own(self, out: dict[str, Town]) -> None:
        for line, row in self._own_rows():
            code, town, village = row["代码"], row["乡镇"], row["村"]
            also = [name for name in re.split(r"[、,，;；]", row["又名"]) if name]
            if not re.fullmatch(r"\d{9}(\d{3})?", code) or not (town or village):
                raise self._wrong(line, "代码要是 9 位（乡镇）或 12 位（村）数字，并写乡镇或村的名称")
            if row["状态"] in ("撤销", "停用"):
                self._drop(out, code)
                continue
            if village and not code.endswith("000") and len(code) == 12:
                home = out.get(code[:9]) or out.setdefault(code[:9], Town(code[:9], town or code[:9]))
                home.put(code, village, also)
                continue
            before = out.get(code[:9])
            new = Town(code[:9], town or village, set(also), *((before.villages, before.keys) if before else ()))
            if before and before.name != new.name:
                new.also |= {before.name, *before.also}
            out[code[:9]] = new

    @staticmethod
    def _drop(out: dict[str, Town], code: str) -> None:
        if len(code) == 9 or code.endswith("000"):
            out.pop(code[:9], None)
        elif home := out.get(code[:9]):
            kept = {name: known for name, known in home.villages.items() if known != code}
            home.villages, home.keys = {}, {}
            for name, known in kept.items():
                home.put(known, name)

    def _own_rows(self) -> Iterable[tuple[int, dict[str, str]]]:
        if self._own is None:
            return
        try:
            text = self._own.decode("utf-8-sig")
        except UnicodeDecodeError:
            try:
                text = self._own.decode("gb18030")
            except UnicodeDecodeError as error:
                raise PolicyError(f"{self._shown} 的编码认不出", "用 UTF-8 另存") from error
        reader = csv.DictReader(io.StringIO(text))
        header = [compact(name or "") for name in reader.fieldnames or ()]
        if not {"代码", "乡镇"} <= set(header):
            raise PolicyError(f"{self._shown} 的表头不对", f"第一行写：{'，'.join(_HEADER)}（村、又名、状态可以没有）")
        reader.fieldnames = header
        for row in reader:
            values = {name: compact(row.get(name) or "") for name in _HEADER}
            if any(values.values()):
                yield reader.line_num, values

    def _wrong(self, line: int, what: str) -> PolicyError:
        return PolicyError(f"{self._shown} 第 {line} 行有误：{what}", "改正后再运行")


def _names(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for name, code in pairs:
        out.setdefault(name, set()).add(code)
    return out
