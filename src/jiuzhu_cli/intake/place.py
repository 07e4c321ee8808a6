"""The town and village of a table (所属乡镇、村) from columns, headings, titles, names of sheet, file and folders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.areas import distinct_texts, sheet_village, short_village
from jiuzhu_cli.intake.body import TOWN_GROUP

if TYPE_CHECKING:
    from jiuzhu_cli.intake.table import Table
    from jiuzhu_cli.intake.work import Work

_NOT_A_PLACE = re.compile(r"计$|^[-—/无]$")


def place_table(work: Work) -> None:
    """Sets ``area``, ``village`` and ``row_villages`` of the work's table; tells when nothing says a town."""
    table, towns = work.table, work.context.towns
    _row_places(work)
    if work.context.hints.area:
        town, village = _split_hint(work.context.hints.area)
        table.area, table.village = f"{towns.canonical(town)}/{village}" if village else towns.canonical(town), village
        table.how["area"] = "由 --area 指定"
        return
    town, village, how = _from_texts(work)
    counted = _column_towns(work)
    if counted:
        best = max(counted, key=lambda name: counted[name])
        share = counted[best] / sum(counted.values())
        if len(counted) == 1:
            if town and town != best:
                work.tell("area_conflict", "warning", first=how, second=f"乡镇列“{best}”", chosen=best)
                village = ""
            town, how = best, "乡镇列" if not town or town != best else how
        elif not (town == best and share >= 0.8):
            if town:
                work.tell(
                    "area_conflict", "warning", first=how, second=f"乡镇列的 {len(counted)} 个乡镇", chosen="全区名单"
                )
            town = village = ""
            how = f"乡镇列有 {len(counted)} 个乡镇，按全区名单"
    village = _village(work, village)
    if not town and not counted:
        if table.kind == "roll":
            work.tell("area_unknown", "notice")
        how = "没有写乡镇，按全区名单"
    # a list is a village's only where its words say so: a column that happens to name one village may name two tomorrow
    table.area = f"{town}/{village}" if town and village else town
    table.village = village or _only_village(work)
    table.how["area"] = how


def _split_hint(area: str) -> tuple[str, str]:
    town, _, village = area.partition("/")
    return town.strip(), village.strip()


def _from_texts(work: Work) -> tuple[str, str, str]:
    """(town, village, how) from the texts around the table; the first that names a town, the first that names a village."""
    town = village = how = ""
    order = ("标题", "表头上方", "工作表名", "上文", "文件名", "文件夹")
    for place in order:
        for proof in work.evidence:
            if proof.place != place:
                continue
            text = proof.text
            if place == "表头上方" and not re.search(r"单位|乡|镇|街道|村|社区|地区|区划", text):
                continue
            found, inside = work.context.towns.find(text)
            if found and not town:
                town, how = found, proof.shown()
            if inside and not village and place not in ("上文", "文件夹"):
                village = inside
                how = how or proof.shown()
    return town, village, how


def _column_towns(work: Work) -> dict[str, int]:
    """Towns of the town column (or of 地区) with the number of rows each."""
    table, towns = work.table, work.context.towns
    if table.row_towns is not None:
        return dict(Counter(filter(None, table.row_towns)))
    column = table.column("town")
    if column is not None:
        out: dict[str, int] = {}
        for text, count in distinct_texts(work.values(column.index)).items():
            if not _NOT_A_PLACE.search(compact(text)):
                name = towns.canonical(text)
                out[name] = out.get(name, 0) + count
        return out
    column = table.column("area_text")
    if column is None:
        return {}
    out = {}
    for text, count in distinct_texts(work.values(column.index)).items():
        name = towns.find(text)[0]
        if name:
            out[name] = out.get(name, 0) + count
    return out


def _village(work: Work, told: str) -> str:
    """The village whose list this is, by its words; '' when a column or headings name several."""
    if work.table.row_villages is not None or len(_column_villages(work)) > 1:
        return ""
    return told or sheet_village(work.table.sheet, many=work.context.sheets >= 2)


def _only_village(work: Work) -> str:
    names = _column_villages(work)
    return names.pop() if len(names) == 1 and work.table.row_villages is None else ""


def _column_villages(work: Work) -> set[str]:
    column = work.table.column("village")
    if column is None:
        return set()
    texts = distinct_texts(work.values(column.index))
    return {short_village(text) for text in texts if not _NOT_A_PLACE.search(compact(text))}


def join_areas(tables: Sequence[Table]) -> None:
    """Sheets of one workbook, programme and month that are parts of one list get its area: villages their town's.

    Where a part has rows of several towns the whole is the district's list.
    """
    lists: dict[tuple[str, str, str], list[Table]] = {}
    for table in tables:
        if not table.fatal:
            lists.setdefault((table.kind, table.code, table.month), []).append(table)
    for parts in lists.values():
        if len(parts) < 2:
            continue
        areas = {table.area for table in parts}
        if "" in areas and len(areas) > 1:
            for table in parts:
                town = table.area.partition("/")[0]
                if town and table.column("town") is None and table.row_towns is None:
                    table.row_towns = [town] * len(table.rows)
                table.area = ""
        elif len(areas) > 1:
            by_town: dict[str, set[str]] = {}
            for area in areas:
                by_town.setdefault(area.partition("/")[0], set()).add(area)
            for table in parts:
                town = table.area.partition("/")[0]
                if len(by_town[town]) > 1:
                    table.area = town


def _row_places(work: Work) -> None:
    """Headings inside the table (东风村, 城关镇 above their rows) name the place of the rows below them."""
    groups = [(row, name, bool(TOWN_GROUP.match(name))) for row, name in work.body.groups if name]
    table = work.table
    for town in (False, True):
        mine = [(row, name) for row, name, is_town in groups if is_town == town]
        if not mine or table.column("town" if town else "village") is not None:
            continue
        tidy = work.context.towns.canonical if town else short_village
        rows = np.searchsorted([row for row, _ in mine], table.rows) - 1
        names = [tidy(mine[at][1]) if at >= 0 else "" for at in rows.tolist()]
        if not any(names):
            continue
        table.how["area" if town else "village"] = f"表内小标题“{mine[0][1]}”等"
        if town:
            table.row_towns = names
        else:
            table.row_villages = names
