"""Whose names and IDs the columns of one table hold: the person's, the head's (户主), the payee's (收款人), somebody else's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.content import looks_like_name
from jiuzhu_cli.intake.grid import cell_text
from jiuzhu_cli.intake.headers import owner_of
from jiuzhu_cli.intake.table import Column, Problem
from jiuzhu_cli.tabular.column import BLANK

if TYPE_CHECKING:
    from jiuzhu_cli.intake.columns import Understanding

_MULTI = re.compile(r"[、,，;；/|\n\r]|(?<=[\dXx])\s+(?=\d{6})|(?<=[一-鿿]{2})\s+(?=[一-鿿]{2,})")
_SEVERAL_IDS = re.compile(r"(?:(?<![\dXx])\d{13,18}[\dXx]?(?![\dXx]).*?){2}", re.DOTALL)
_TWO_IDS = 27  # characters of two of the shortest and what stands between them
_MEMBER = re.compile(r"成员|人员|对象|共同生活|家属")
_NUMBER = r"[(（]?([一二三四五六七八九十]|\d{1,2})[)）]?"
_NUMBERED = re.compile(
    rf"成员{_NUMBER}|^(?:成员|家庭成员)?(?:的)?(?:姓名|身份证件?号?码?|公民身份号码|(?:与户主)?关系){_NUMBER}$"
)
_NOUNS = (
    ("id_no", re.compile("身份证|身份号|证件号")),
    ("relation", re.compile("关系|称谓")),
    ("name", re.compile("姓名|名字|名称|^$")),
)
_CHINESE_DIGITS = {word: number for number, word in enumerate("一二三四五六七八九十", 1)}
_PROVEN = 0.8  # of the rows with a member
_HOUSEHOLD_MEMBER = re.compile(r"成员|共同生活|家属")
_ID_INSIDE = re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])")
_EXACT_NAME = ("姓名", "身份证号", "身份证号码", "公民身份号码")


def members_side_by_side(view: Understanding) -> None:
    """Members in columns of their own (成员1姓名, 成员1身份证号, 成员2姓名 …; 家庭成员 over 姓名 身份证号 姓名 身份证号).

    They are kept as they are where the programme is paid by person, or where nothing says who the household's head is
    unless the first of them is.
    """
    groups = _numbered(view) or _repeated(view)
    groups = {at: columns for at, columns in groups.items() if "id_no" in columns and "name" in columns}
    if not groups or view.kind != "roll":
        return
    inside = {column.index for columns in groups.values() for column in columns.values()}
    own = [c for code in ("id_no", "head_id_no") for c in view.by(code) if c.index not in inside and c.field == code]
    if not own:
        if view.per_person or len(groups) < 2:
            return
        first = groups.pop(min(groups))
        for code, column in first.items():
            column.field, column.why = code, "并排几人中的第一人"
    for number, at in enumerate(sorted(groups), 1):
        for code, column in groups[at].items():
            column.field, column.why = "", f"第 {number} 位家庭成员" + ("，原样保留" if view.per_person else "")
            column.member = None if view.per_person else (number, code)
            view.owners[column.index] = "other"


def _noun(text: str) -> str:
    return next((code for code, pattern in _NOUNS if pattern.search(text)), "")


def _numbered(view: Understanding) -> dict[int, dict[str, Column]]:
    """Columns of members by the number in their header."""
    out: dict[int, dict[str, Column]] = {}
    for column in view.columns:
        flat = compact(column.header.replace("|", ""))
        match = _NUMBERED.search(flat)
        if match is None or column.index in view.fixed:
            continue
        word = match.group(1) or match.group(2)
        noun = _noun(flat.replace(match.group(0), "", 1) if match.group(1) else flat)
        if noun:
            number = int(word) if word.isdigit() else _CHINESE_DIGITS[word]
            out.setdefault(number, {}).setdefault(noun, column)
    return out


def _repeated(view: Understanding) -> dict[int, dict[str, Column]]:
    """Columns of members whose headers repeat (姓名 身份证号 关系, 姓名 身份证号 关系) right of the head's."""
    keys = {
        c.index: header_key(c.header.rpartition("|")[2])
        for c in view.columns
        if c.field in ("name", "id_no", "relation")
    }
    if not view.by("head_id_no") and not any(re.search("户主", c.header) for c in view.by("id_no")):
        return {}
    ids = [c for c in view.by("id_no") if list(keys.values()).count(keys[c.index]) > 1]
    names = [c for c in view.by("name") if list(keys.values()).count(keys[c.index]) > 1]
    if len(ids) < 2 or len(ids) != len(names) or view.alike(ids[0], ids[1]):
        return {}
    out: dict[int, dict[str, Column]] = {}
    number = 0
    for column in view.columns:
        if column in names:
            number += 1
        if number and column.field in ("name", "id_no", "relation"):
            out.setdefault(number, {}).setdefault(column.field, column)
    return out


def lists_in_one_cell(view: Understanding) -> None:
    """A members' column whose cells hold several people is a list, to be taken apart per person (多值单元格)."""
    ids = [*view.by("id_no"), *view.by("member_ids")]
    each = {column.index for column in ids if _one_member_each(view, column)}
    for column in view.by("id_no"):
        if column.index in view.fixed:
            continue
        others = [c for c in view.by("id_no") if c is not column] + view.by("head_id_no")
        several = sum(len(text) >= _TWO_IDS and bool(_SEVERAL_IDS.search(text)) for text in view.texts(column))
        rare = bool(others) and bool(_MEMBER.search(column.header)) and _somewhere_several(view, column)
        if (several and (others or several >= 0.1 * len(view.texts(column)))) or rare or column.index in each:
            column.field, column.why = "member_ids", "一格多人，逐人展开"
    listed = bool(view.by("member_ids"))
    for column in view.by("name"):
        if column.index in view.fixed or not (listed or _MEMBER.search(column.header)):
            continue
        texts = view.texts(column)
        others = [c for c in view.by("name") if c is not column] + view.by("head_name")
        joined = sum(bool(_MULTI.search(text)) for text in texts)
        if joined and (listed or (others and joined >= 0.1 * len(texts))):
            column.field, column.why = "member_names", "一格多人，逐人展开"
        elif listed and others and _MEMBER.search(column.header):
            column.field, column.why = "member_names", "与成员身份证号一格多人的列对应"
    for many, single in (("member_names", "name"), ("member_ids", "id_no")):
        for column in view.by(many):
            texts = view.texts(column)
            if (
                column.index not in view.fixed
                and column.index not in each
                and not view.by(single)
                and not (many == "member_names" and listed)
                and texts
                and not any(_MULTI.search(t) for t in texts)
            ):
                column.field, column.why = single, "每格一人"


def _one_member_each(view: Understanding, column: Column) -> bool:
    """Whether each row is a household of its head and the one member beside: heads differ, none is a member, sizes say so.

    Read as a long list of members such a table would lose its heads.
    """
    heads = view.by("head_id_no")
    if not heads and view.by("head_name") and _HOUSEHOLD_MEMBER.search(column.header):
        heads = [other for other in view.by("id_no") if other is not column]  # a plain 身份证号 beside 户主姓名
    sizes = next((found for code in ("household_size", "covered_persons") if (found := view.by(code))), [])
    if len(heads) != 1 or not (_MEMBER if sizes else _HOUSEHOLD_MEMBER).search(column.header):
        return False
    heads_of, listed = ([compact(str(value or "")).upper() for value in view.values(one)] for one in (heads[0], column))
    counts = view.values(sizes[0]) if sizes else [None] * len(listed)
    own = list(filter(None, heads_of))
    two = [
        str(count).strip().removesuffix(".0").removesuffix("人") == "2"
        for count, one in zip(counts, listed, strict=True)
        if one
    ]
    if not two or len(set(own)) < len(own) or set(own) & set(filter(None, listed)):
        return False
    return not sizes or sum(two) >= _PROVEN * len(two)


def _somewhere_several(view: Understanding, column: Column) -> bool:
    """Whether a cell anywhere in the column holds several IDs: in a long list few households may have members."""
    cells = view.grid.columns[column.index]
    return any(
        len(cell) > 30 and bool(_SEVERAL_IDS.search(cell))
        for cell in map(cells.__getitem__, view.body.rows.tolist())
        if isinstance(cell, str)
    )


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
    for code, head in (("id_no", "head_id_no"), ("name", "head_name")):
        many = view.by(code)
        members = [c for c in many if re.search("成员|共同生活", c.header)]
        if len(many) == 2 and len(members) == 1 and not view.by(head) and not view.alike(many[0], many[1]):
            other = next(c for c in many if c is not members[0])
            if other.index not in view.fixed:
                other.field, other.why = head, "另有家庭成员的列，这一列是户主的"


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
        named = [c for c in filled if name_share(view, c) >= 0.8]
        if len(named) == 1 and all(name_share(view, c) < 0.2 for c in filled if c is not named[0]):
            chosen = named[0]  # one header over two columns: 姓名 merged over 姓名 and 性别
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


def name_share(view: Understanding, column: Column) -> float:
    texts = view.texts(column)
    return sum(looks_like_name(text) for text in texts) / len(texts) if texts else 0.0


def id_share(view: Understanding, column: Column) -> float:
    values = [value for value in view.values(column) if value not in (None, "")]
    return sum(parse_id(value).ok for value in values) / len(values) if values else 0.0


def _anything(view: Understanding, column: Column) -> bool:
    """Whether any data row has something in a column; all are looked at, for members may be few."""
    return bool((view.grid.columns[column.index].take(view.body.rows).kinds != BLANK).any())


def fall_back_to_head(view: Understanding) -> None:
    """A list of households names only the head (or the payee): that is the person of the row."""
    heads = view.texts(view.by("head_id_no")[0]) if view.by("head_id_no") and view.by("head_name") else []
    if not view.by("id_no") and heads and len(set(heads)) == len(heads):  # a row a household
        for nameless in view.by("name"):  # members without IDs, beside a head with one
            if nameless.index not in view.fixed and _HOUSEHOLD_MEMBER.search(nameless.header):
                nameless.field, nameless.why = "member_names", "家庭成员只有姓名，没有身份证号"
    members = view.by("member_names") or view.by("member_ids")
    if not view.by("id_no") and not members:
        for empty in view.by("name"):  # a column for members in which nobody stands
            if empty.index not in view.fixed and view.by("head_name") and not _anything(view, empty):
                empty.field, empty.why = "", "整列空白"
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


def tell_unread_members(view: Understanding) -> None:
    """A warning for each column of household members that nobody is taken from: names without IDs, or words unknown."""
    if view.kind != "roll" or view.per_person or any(column.member for column in view.columns):
        return
    for column in view.columns:
        names_alone = column.field == "member_names" and not (view.by("member_ids") or _holds_ids(view, "id_no"))
        loose = not column.field and column.index not in view.fixed and _HOUSEHOLD_MEMBER.search(column.header)
        if (names_alone and _anything(view, column)) or (
            loose and any(_ID_INSIDE.search(t) for t in view.texts(column))
        ):
            view.problems.append(Problem("members_unread", "warning", (column,)))


def _holds_ids(view: Understanding, code: str) -> bool:
    """Whether some cell under a field lists several IDs."""
    return any(_SEVERAL_IDS.search(text) for column in view.by(code) for text in view.texts(column))
