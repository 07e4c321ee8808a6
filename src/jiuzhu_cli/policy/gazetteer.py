"""Looks a place up for a person: the codes of a name, the place of a code, what an ended county is today."""

from __future__ import annotations

from dataclasses import dataclass

from jiuzhu_cli.core.division import short_town, village_key
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.divisions import Divisions, Town, changes, counties, county_codes, full_name, successors, today


@dataclass(frozen=True, slots=True)
class Place:
    """One answer of ``look_up``: code (6 or 12 digits), the full name, and what must be said of it (Chinese)."""

    code: str
    name: str
    note: str = ""


def look_up(text: str, divisions: Divisions) -> list[Place]:
    """What a code or a name may mean: counties of the country, towns and villages of the bureau's county; [] for nothing known."""
    flat = compact(text)
    if flat.isdigit():
        return _by_code(flat, divisions)
    out = [Place(code, full_name(code)) for code in sorted(county_codes(flat))]
    out += [
        Place(
            c.old_code,
            c.old_name,
            f"{c.year} 年停用，现为 {today(c.old_code)} {counties().get(today(c.old_code), c.new_name)}",
        )
        for c in changes()
        if c.old_name == flat and c.old_code not in counties()
    ]
    home = full_name(divisions.region)
    for town in divisions.towns.values():
        for name in sorted({town.name, *town.also, short_town(town.name)}, key=len, reverse=True):
            if flat.startswith(name) or flat.startswith(home + name):
                rest = flat.removeprefix(home)[len(name) :]
                inside = divisions.village(town.code, rest).code if rest else town.code + "000"
                if inside:
                    out.append(Place(inside, home + town.name + _village_name(town, inside)))
                break
        out += [
            Place(code, home + town.name + _village_name(town, code))
            for code in sorted(town.keys.get(village_key(flat), ()))
        ]
    return list({place.code + place.note: place for place in out}.values())


def _village_name(town: Town, code: str) -> str:
    return next((name for name, known in town.villages.items() if known == code), "")


def _by_code(code: str, divisions: Divisions) -> list[Place]:
    whole, county = code.ljust(12, "0")[:12], code[:6]
    if way := successors(county):
        steps = "，".join(f"{step.year} 年改为 {step.new_code} {step.new_name}" for step in way)
        return [Place(county, way[0].old_name, f"已停用：{steps}；持这个代码的身份证号照常有效")]
    town = divisions.towns.get(whole[:9])
    if len(code) > 6 and town is not None:
        village = _village_name(town, whole)
        return [Place(whole, full_name(county) + town.name + village)] if village or whole.endswith("000") else []
    name = full_name(county if len(code) >= 6 else code)
    return [Place(code[:6], name, "区划表里没有它下面的这个代码" if len(code) > 6 else "")] if name else []
