"""What a list says its people are elsewhere (身份类别: 低保户, 特困户 …): by header (是否低保户) and by what the cells hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jiuzhu_cli.core.text import compact, header_brackets, header_key
from jiuzhu_cli.intake.clean import FLAGS

if TYPE_CHECKING:
    from jiuzhu_cli.intake.columns import Understanding
    from jiuzhu_cli.intake.table import Column

_ASKS = re.compile(r"^(?:家庭|本人|该户)?是否(?:为|是|属于|属|享受|纳入|已纳入)?(.+)$|^(.+?)是否?$")
_JOINED = re.compile(r"[或和及与、/]")
_NONE = frozenset("其他 其它 无 否 一般 一般户 普通 正常 非困难 不属于 - / —".split())  # what most people of a list are
_KINDS = re.compile(r"(类型|类别|属性|身份|性质)$")


def settle_statuses(view: Understanding) -> None:
    """Columns that state other programmes become ``claimed_status``, whatever their header; flags get their word."""
    if view.kind != "roll":
        return
    for column in view.columns:
        if column.index not in view.fixed and column.field in ("", "claimed_status"):
            _flag(view, column)
    for column in view.columns:
        if column.index in view.fixed or column.flag or column.field not in ("", "category", "cause"):
            continue
        if column.field == "category" or _KINDS.search(header_key(column.header.rpartition("|")[2])):
            texts = [text for text in map(compact, view.texts(column)) if text not in _NONE]
            foreign = sum(_foreign(view, text) for text in texts)
            own = sum(text in view.category_words for text in texts)
            if foreign > own and (column.field == "category" or foreign >= 0.2 * len(texts)):
                column.field, column.why = "claimed_status", "内容是别的救助身份"


def _flag(view: Understanding, column: Column) -> None:
    """是否低保户 with 是 and 否 in its cells: 是 stands for 低保户."""
    last = column.header.rpartition("|")[2]
    key = header_key(last)
    asked = _ASKS.match(key)
    if asked is None and not any(re.fullmatch(r"是[/、或]?否", remark) for remark in header_brackets(last)):
        return
    word = next(filter(None, asked.groups()), "") if asked else key
    texts = [compact(text) for text in view.texts(column)]
    flags = sum(text in FLAGS for text in texts)
    if not texts or flags < 0.5 * len(texts):
        return
    if _JOINED.search(word) or not view.lexicon.status(word):
        if column.field:
            column.field, column.why = "", "只有是、否，说不清是哪一种身份，原样保留"
        return
    column.field, column.why, column.flag = "claimed_status", f"填“是”的按“{word}”", word


def _foreign(view: Understanding, text: str) -> bool:
    """Whether a cell states a programme other than the list's own."""
    found = view.lexicon.status(text)
    return bool(found) and view.code not in found
