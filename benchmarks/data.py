"""Makes (once, then kept under bench-work/) what the benchmarks read."""

from __future__ import annotations

import re
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "sample_data"))

from generator import bulk  # noqa: E402
from generator.folder import write_folder  # noqa: E402
from generator.headers import FORMS  # noqa: E402
from generator.scenario import Scenario, make_scenario  # noqa: E402
from generator.standards import standards_for  # noqa: E402

REGION, MONTH, SEED = "421002", "2026-10", 20261001


def scenario(persons: int, each: int, towns: int = 11) -> Scenario:
    return make_scenario(
        REGION,
        standards_for(REGION, MONTH),
        persons=persons,
        month=MONTH,
        seed=SEED,
        towns=towns,
        each=each,
        complete=True,
    )


def wide_ledger(work: Path, rows: int) -> Path:
    """A 低保 ledger of ``rows`` persons and 24 columns, xlsx."""
    path = work / f"低保{rows}.xlsx"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        made = scenario(int(rows * 2.4), 1)
        roll = made.rolls[MONTH]["subsistence_allowance"]
        if len(roll) < rows:
            raise RuntimeError(f"only {len(roll)} rows; enlarge the world")
        part = path.with_suffix(".part")
        bulk.write_roll(
            part,
            "subsistence_allowance",
            roll.head(rows),
            region=made.world.region.name,
            month=MONTH,
            columns=bulk.WIDE,
        )
        part.rename(path)
    return path


def long_ledger(work: Path, rows: int) -> Path:
    """A ledger of ``rows`` persons made of ``wide_ledger`` of a tenth, ten times over with other people's IDs: no world is so large."""
    path = work / f"低保{rows}长.xlsx"
    if not path.exists():
        part = path.with_suffix(".part")
        with (
            zipfile.ZipFile(wide_ledger(work, rows // 10)) as source,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                data = source.read(name)
                if name.endswith("sheet1.xml"):
                    with target.open(name, "w", force_zip64=True) as sheet:
                        _ten_times(data, sheet)
                else:
                    target.writestr(name, data)
        part.rename(path)
    return path


_INLINE = re.compile(rb' t="inlineStr"><is><t(?: xml:space="preserve")?>([^<]*)</t></is></c>')
_SHARED = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"


def saved_ledger(work: Path, rows: int) -> Path:
    """The ledger of ``wide_ledger`` with its texts where Excel and WPS put them when they save: each once, in shared strings."""
    path = work / f"低保{rows}另存.xlsx"
    if not path.exists():
        part = path.with_suffix(".part")
        with (
            zipfile.ZipFile(wide_ledger(work, rows)) as source,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                data = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    data, strings = _shared(data)
                    target.writestr("xl/sharedStrings.xml", strings)
                elif name == "xl/_rels/workbook.xml.rels":
                    data = data.replace(
                        b"</Relationships>",
                        b'<Relationship Id="rIdShared" Type="%s" Target="sharedStrings.xml"/></Relationships>'
                        % _SHARED,
                    )
                elif name == "[Content_Types].xml":
                    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
                    added = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
                    data = data.replace(b"</Types>", added)
                target.writestr(name, data)
        part.rename(path)
    return path


def _shared(sheet: bytes) -> tuple[bytes, bytes]:
    """The sheet's XML with numbers in place of its texts, and the part with the texts, in order of their first appearance."""
    number: dict[bytes, int] = {}
    count = 0

    def one(match: re.Match[bytes]) -> bytes:
        nonlocal count
        count += 1
        return b' t="s"><v>%d</v></c>' % number.setdefault(match.group(1), len(number))

    sheet = _INLINE.sub(one, sheet)
    items = b"".join(
        b'<si><t xml:space="preserve">%s</t></si>' % t if t != t.strip() else b"<si><t>%s</t></si>" % t for t in number
    )
    head = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return sheet, b'%s count="%d" uniqueCount="%d">%s</sst>' % (head, count, len(number), items)


_PREFECTURES = ("4201", "4202", "4203", "4205", "4206", "4207", "4208", "4209", "4211")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NUMBER = re.compile(rb">\d{4}(\d{13})[\dX]<|>4210(\d{9})<")  # an ID; a household's number
_CELL = re.compile(rb'(<(?:row|c) r="[A-Z]*)\d+"')


def _ten_times(data: bytes, sheet: IO[bytes]) -> None:
    start = data.index(b'<row r="3"')
    stop = data.rindex(b"</row>") + len(b"</row>")
    sheet.write(re.sub(rb"<dimension[^>]*/>", b"", data[:start]))
    rows = data[start:stop].split(b"</row>")[:-1]
    number = 3
    for area in ("", *_PREFECTURES):
        prefix = area.encode()
        for row in rows:
            text = row if not area else _NUMBER.sub(partial(_moved, prefix), row)
            sheet.write(_CELL.sub(rb'\g<1>%d"' % number, text) + b"</row>")
            number += 1
    sheet.write(data[stop:])


def _moved(prefix: bytes, match: re.Match[bytes]) -> bytes:
    if match.group(2):
        return b">" + prefix + match.group(2) + b"<"
    digits = prefix + match.group(1)
    check = sum(weight * (digit - 48) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11
    return b">" + digits + b"10X98765432"[check : check + 1] + b"<"


def many_rolls(work: Path, persons: int, each: int = 100) -> Path:
    """A folder with the rolls of twelve programmes and the registers; about 1.18 roll rows a person. Has ``truth.json``."""
    target = work / f"rolls{persons}"
    if not (target / "truth.json").exists():
        counts = bulk.write_rolls(scenario(persons, each), target)
        print(f"{target.name}: {sum(counts.values())} rows {counts}", file=sys.stderr)
    return target


def folder_of_rolls(work: Path, persons: int) -> Path:
    """A folder a town, a workbook a programme: with 85,000 persons some 235 files and 105,000 rows."""
    target = work / f"folder{persons}"
    if not target.exists():
        made = scenario(persons, 1, towns=20)
        part = target.with_suffix(".part")
        for programme, roll in made.rolls[MONTH].items():
            word = FORMS[programme].word.replace("{城乡}", "")
            columns = ["serial", "town", *(c for c in FORMS[programme].columns if c in roll.columns and c != "town")]
            for town, rows in roll.groupby("town"):
                (part / str(town)).mkdir(parents=True, exist_ok=True)
                bulk.write_roll(
                    part / str(town) / f"{town}{word}{MONTH}.xlsx",
                    programme,
                    rows,
                    region=made.world.region.name,
                    month=MONTH,
                    columns=list(bulk.WIDE) if programme == "subsistence_allowance" else columns,
                )
        part.rename(target)
    return target


def messy_folder(work: Path) -> Path:
    """Ledgers in habits mixed at random, with damaged cells: ``inbox`` of the sample data's generator."""
    target = work / "messy"
    if not (target / "truth.json").exists():
        write_folder(scenario(3_000, 2, towns=9), target, catalogue=False, damaged_each=10)
    return target / "inbox"
