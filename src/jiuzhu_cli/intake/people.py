"""Whose names and IDs the columns of one table hold: the person's, the head's (户主), the payee's (收款人), somebody else's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.grid import cell_text, looks_like_id
from jiuzhu_cli.intake.headers import owner_of
from jiuzhu_cli.intake.table import Column, Problem

if TYPE_CHECKING:
    from jiuzhu_cli.intake.columns import Understanding

_MULTI = re.compile(r"[、,，;；/|\n\r]|(?<=[\dXx])\s+(?=\d{6})|(?<=[一-鿿])\s{1,}(?=[一-鿿]{2,})")
_PERSON_NAME = re.compile(r"^[一-鿿㐀-䶿]{1,2}\s*[一-鿿㐀-䶿·]{1,8}$")
_EXACT_NAME = ("姓名", "身份证号", "身份证号码", "公民身份号码")


def lists_in_one_cell(view: Understanding) -> None:
    """A members' column whose cells hold several people is a list, to be taken apart per person (多值单元格)."""
    for single, several, is_list in (
        ("name", "member_names", lambda text: bool(_MULTI.search(text))),
        ("id_no", "member_ids", lambda text: len(re.findall(r"\d{17}[\dXx]|\d{15}", text)) > 1),
    ):
        for column in view.by(single):
            if column.index in view.fixed or not re.search(r"成员|人员|对象|共同生活", column.header):
                continue
            texts = view.texts(column)
            if (
                texts
                and sum(is_list(text) for text in texts) >= max(1, 0.1 * len(texts))
                and view.by("head_name" if single == "name" else "head_id_no")
            ):
                column.field, column.why = several, "一格多人，逐人展开"
    for several, single in (("member_names", "name"), ("member_ids", "id_no")):
        for column in view.by(several):
            texts = view.texts(column)
            if (
                column.index not in view.fixed
                and not view.by(single)
                and texts
                and not any(_MULTI.search(t) for t in texts)
            ):
                column.field, column.why = single, "每格一人"


def owners_by_neighbour(view: Understanding) -> None:
    """Two plain 身份证号: each belongs to the name on its left (户主 … 身份证号 … 成员姓名 … 身份证号)."""
    for code, head, payee, related in (
        ("id_no", "head_id_no", "payee_id_no", "related_id_no"),
        ("phone", "", "", ""),
        ("name", "head_name", "payee_name", "related_name"),
    ):
        many = [c for c in view.by(code) if c.index not in view.fixed]
        if len(view.by(code)) < 2:
            continue
        for column in many:
            owner = left_owner(view, column)
            moved = {"head": head, "payee": payee, "other": "", "related": related}.get(owner)
            rest = [c for c in view.by(code) if c is not column]
            if moved is not None and rest and not (moved and view.by(moved)):
                column.field, column.why = moved, "跟着左边的姓名列"


def left_owner(view: Understanding, column: Column) -> str:
    if view.owners.get(column.index):
        return view.owners[column.index]
    at = view.columns.index(column)
    for left in reversed(view.columns[max(0, at - 4) : at]):
        if left.field in ("name", "id_no") and view.lexicon.types.get(column.field) != view.lexicon.types.get(
            left.field
        ):
            return ""
        if left.field == "head_name":
            return "head"
        if left.field == "payee_name":
            return "payee"
        if left.field == "related_name":
            return "related"
        if view.owners.get(left.index) == "other" or owner_of(header_key(left.header)) == "other":
            return "other"
    return ""


def one_person_column(view: Understanding, code: str) -> None:
    """One column of names or IDs; equal copies are harmless, a plain word beats a longer one for names."""
    many = view.by(code)
    if len(many) < 2:
        return
    chosen = next((c for c in many if c.index in view.fixed), None)
    filled = [c for c in many if view.texts(c)] or many[:1]
    if chosen is None and len(filled) == 1:
        chosen = filled[0]
    if chosen is None and all(view.alike(filled[0], other) for other in filled[1:]):
        chosen = filled[0]
    if chosen is None and code.endswith("id_no"):
        share = {c.index: id_share(view, c) for c in filled}
        sure = [c for c in filled if share[c.index] >= 0.5]
        if len(sure) == 1 and all(share[c.index] < 0.05 for c in filled if c is not sure[0]):
            chosen = sure[0]
        else:
            view.problems.append(Problem("id_column_ambiguous", "error", tuple(sure or filled)))
            return
    if chosen is None:
        exact = [c for c in filled if header_key(c.header.rpartition("|")[2]) in _EXACT_NAME]
        if len(exact) == 1:
            chosen = exact[0]
        else:
            view.problems.append(Problem("name_column_ambiguous", "error", tuple(filled)))
            return
    for column in many:
        if column is not chosen:
            column.field, column.why = "", f"与{chosen.letters}列同义，原样保留"


def id_share(view: Understanding, column: Column) -> float:
    values = [value for value in view.values(column) if value not in (None, "")]
    return sum(parse_id(value).ok for value in values) / len(values) if values else 0.0


def by_content(view: Understanding) -> None:
    """Columns that no header explains, by what is in them: IDs, names, accounts. Amounts are never found this way."""
    tests: list[tuple[str, str, Callable[[str], bool]]] = [
        ("id_no", "内容是身份证号", lambda text: looks_like_id(text) and parse_id(text).ok),
        ("account_no", "内容像银行账号", lambda text: bool(re.fullmatch(r"62\d{14,17}|\d{17}|\d{19}", text))),
        ("phone", "内容像手机号", lambda text: bool(re.fullmatch(r"1[3-9]\d{9}", text))),
        ("name", "内容像姓名", lambda text: bool(_PERSON_NAME.match(text)) and len(text) <= 4),
    ]
    if not view.by("id_no") and (view.by("head_id_no") or view.by("payee_id_no")):
        tests = tests[1:]
    if view.by("name") or view.by("head_name") or view.by("payee_name"):
        tests = [test for test in tests if test[0] != "name"]
    for code, why, matches in tests:
        if view.by(code):
            continue
        found = []
        for column in view.columns:
            if column.field or column.index in view.fixed or view.owners.get(column.index) == "other":
                continue
            if column.header and code in ("name", "phone", "account_no"):
                continue  # a header that says something else is believed
            texts = view.texts(column)
            if len(texts) >= min(3, len(view.rows)) and sum(map(matches, map(compact, texts))) >= 0.8 * len(texts):
                if code == "name" and len(set(texts)) < 0.5 * len(texts):
                    continue
                found.append(column)
        if len(found) == 1:
            found[0].field, found[0].why = code, why
            view.problems.append(Problem("column_by_content", "notice", (found[0],)))
        elif len(found) > 1 and code == "id_no":
            view.problems.append(Problem("id_column_ambiguous", "error", tuple(found)))


def fall_back_to_head(view: Understanding) -> None:
    """A list of households names only the head (or the payee): that is the person of the row."""
    members = view.by("member_names") or view.by("member_ids")
    if not view.by("id_no") and not members:
        for code in ("head_id_no", "payee_id_no"):
            if column := next(iter(view.by(code)), None):
                named = view.by("head_name" if code == "head_id_no" else "payee_name")
                if view.by("name") and (code == "payee_id_no" or repeats(view, column)) and not named:
                    break  # somebody else's number
                if view.by("name") and named and not view.alike(view.by("name")[0], named[0]):
                    break
                column.field, column.why = "id_no", f"{column.why}；表中只有这一列身份证号"
                break
    if not view.by("name") and not view.by("member_names"):
        for code in ("head_name", "payee_name"):
            if column := next(iter(view.by(code)), None):
                column.field, column.why = "name", f"{column.why}；表中只有这一列姓名"
                break
    if view.by("id_no") or members:
        return
    if not any(problem.code == "id_column_ambiguous" for problem in view.problems):
        view.problems.append(Problem("id_column_missing", "error"))


def repeats(view: Understanding, column: Column) -> bool:
    """Whether the same ID stands above different names: then it is the head's, not the person's."""
    names = view.by("name")[0]
    seen: dict[str, set[str]] = {}
    for id_no, name in zip(view.values(column), view.values(names), strict=True):
        if cell_text(id_no):
            seen.setdefault(cell_text(id_no), set()).add(cell_text(name))
    step = view.body.rows[1] - view.body.rows[0] if len(view.body.rows) > 1 else 1
    return step >= 1 and sum(len(names) > 1 for names in seen.values()) > 0.1 * max(1, len(seen))
