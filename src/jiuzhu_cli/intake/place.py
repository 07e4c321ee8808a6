"""The town and village of a table (所属乡镇、村) from columns, headings, titles, names of sheet, file and folders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.areas import UNKNOWN, Towns, district_word, sheet_village, short_village
from jiuzhu_cli.intake.body import GROUP, TOWN_GROUP

if TYPE_CHECKING:
    from jiuzhu_cli.intake.table import Table
    from jiuzhu_cli.intake.work import Work

_NOT_A_PLACE = re.compile(r"计$|^[-—/无]$")


def place_table(work: Work) -> None:
    """Sets ``area``, ``village``, ``towns`` and ``row_villages`` of the work's table; tells when nothing says a town.

    A roll is the whole district's ('') only where its rows name two towns, its words say so, or a county department
    sends it; a roll of an unknown town is ``UNKNOWN``, which covers nothing.
    """
    table = work.table
    town, village, how = _from_texts(work)
    if work.context.hints.area:
        town, village = _split_hint(work.context.hints.area)
    table.towns = towns = _local_towns(work, town)
    _row_places(work)
    if work.context.hints.area:
        town = town if town == UNKNOWN else towns.canonical(town)
        table.area, table.village = f"{town}/{village}" if village else town, village
        table.how["area"] = "由 --area 指定"
        return
    counted = _column_towns(work, towns)
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
    if not town and not counted and work.context.template is not None and work.context.template.area:
        town, village = _split_hint(work.context.template.area)
        how = "模板"
    if not town and not counted:
        if table.kind == "register":
            how = "没有写乡镇，按全区名单"
        elif how := _district(work):
            pass
        else:
            work.tell("area_unknown", "warning")
            town, village, how = UNKNOWN, "", "没有写乡镇，也没有写是全区名单"
    # a list is a village's only where its words say so: a column that happens to name one village may name two tomorrow
    table.area = f"{town}/{village}" if town and village else town
    table.village = village or _only_village(work)
    table.how["area"] = how


def _local_towns(work: Work, town: str) -> Towns:
    """The bureau's towns with every full name that the table's column and the texts around it give."""
    column = work.table.column("town")
    texts = list(work.distinct(column.index)) if column is not None else []
    texts += [proof.text for proof in work.evidence] + [name for _, name in work.body.groups]
    found = {work.context.towns.find(text)[0] for text in texts}
    return work.context.towns.knowing(sorted(found - {""}), own=town)


def _district(work: Work) -> str:
    """What says that the list is the whole district's; '' when nothing does."""
    for proof in work.evidence:
        if proof.place in ("上文", "文件夹"):
            continue
        line = proof.place == "表头上方"
        if line and not re.search(r"单位|[县市区旗](?![一-鿿]*[村组])|全[区县市旗]", proof.text):
            continue
        if word := district_word(proof.text, sender=True):
            return f"{proof.shown()}中的“{word}”，按全区名单"
    return ""


def _split_hint(area: str) -> tuple[str, str]:
    if re.fullmatch("全[区县市旗]", area.strip()):
        return "", ""
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


def _column_towns(work: Work, towns: Towns) -> dict[str, int]:
    """Towns of the town column (or of those that 地区 and 村 name) with the number of rows each."""
    table = work.table
    if table.row_towns is not None:
        return dict(Counter(filter(None, table.row_towns)))
    column = table.column("town")
    if column is not None:
        out: dict[str, int] = {}
        for text, count in work.distinct(column.index).items():
            if not _NOT_A_PLACE.search(compact(text)):
                name = towns.canonical(text)
                out[name] = out.get(name, 0) + count
                if rivals := towns.rivals(text):
                    values = {"name": compact(text), "towns": "、".join(rivals)}
                    work.tell("area_ambiguous", "warning", column=column.letters, field="town", **values)
        return out
    for code in ("area_text", "village"):
        column = table.column(code)
        out = {}
        for text, count in work.distinct(column.index).items() if column is not None else ():
            name = towns.find(text)[0]
            if name:
                out[name] = out.get(name, 0) + count
        if out:
            return out
    return {}


def _village(work: Work, told: str) -> str:
    """The village whose list this is, by its words; '' when a column or headings name several."""
    if work.table.row_villages is not None or len(_column_villages(work)) > 1:
        return ""
    if told or work.context.towns.find(work.table.sheet)[0]:
        return told
    named = bool(work.context.names.in_text(work.table.sheet))  # 孤儿, 公租房: a sheet for each programme
    return sheet_village(work.table.sheet, many=work.context.sheets >= 2 and not named)


def _only_village(work: Work) -> str:
    names = _column_villages(work)
    return names.pop() if len(names) == 1 and work.table.row_villages is None else ""


def _column_villages(work: Work) -> set[str]:
    column = work.table.column("village")
    if column is None:
        return set()
    texts = work.distinct(column.index)
    return {short_village(text) for text in texts if not _NOT_A_PLACE.search(compact(text))}


def join_areas(tables: Sequence[Table]) -> None:
    """Sheets of one workbook, programme and month that are parts of one list get its area: villages their town's.

    Where a part has rows of several towns the whole is the district's list.
    """
    lists: dict[tuple[str, str, str], list[Table]] = {}
    for table in tables:
        if not table.fatal:
            lists.setdefault((table.kind, table.code, table.month), []).append(table)
    for sheets in lists.values():
        if len(sheets) < 2:
            continue
        _share_town(sheets)
        parts = [table for table in sheets if table.area != UNKNOWN]
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


def _share_town(parts: Sequence[Table]) -> None:
    """Sheets that say no town beside sheets that all say the same one are that town's too."""
    told = {table.area.partition("/")[0] for table in parts if table.area != UNKNOWN}
    if len(told) != 1:
        return
    for table in parts:
        if table.area == UNKNOWN:
            table.area = next(iter(told))
            table.how["area"] = "同一工作簿的其他工作表"
            table.findings = [finding for finding in table.findings if finding.code != "area_unknown"]


def _row_places(work: Work) -> None:
    """Headings inside the table (东风村, 城关镇 above their rows) name the place of the rows below them."""
    groups = [(row, name, bool(TOWN_GROUP.match(name))) for row, name in work.body.groups if name]
    table = work.table
    for town in (False, True):
        mine = [(row, name) for row, name, is_town in groups if is_town == town]
        if not mine or table.column("town" if town else "village") is not None:
            continue
        tidy = (table.towns or work.context.towns).canonical if town else short_village
        rows = np.searchsorted([row for row, _ in mine], table.rows) - 1
        pattern = TOWN_GROUP if town else GROUP
        heads = (pattern.match(compact(text)) for texts in work.body.titles for text in texts)
        above = next(
            (tidy(match.group(1)) for match in heads if match), ""
        )  # the first heading stands above the header
        names = [tidy(mine[at][1]) if at >= 0 else above for at in rows.tolist()]
        if not any(names):
            continue
        table.how["area" if town else "village"] = f"表内小标题“{mine[0][1]}”等"
        if town:
            table.row_towns = names
        else:
            table.row_villages = names
