"""Columns that somebody named: by ``--map`` now, earlier for lists of the same sender, or by the template the list was filled into.

What is said now wins over everything. What was said earlier fills in where headers leave it open and never overrides
what a header plainly says; it is dropped, with a word, where the column's content contradicts it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.money import parse_amount
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.grid import looks_like_id
from jiuzhu_cli.intake.headers import MONEY_FIELDS, level_of, unit_of
from jiuzhu_cli.intake.table import Column, Problem, Table
from jiuzhu_cli.ledger.mappings import ColumnMapping, drop, remember
from jiuzhu_cli.ledger.store import Transaction

if TYPE_CHECKING:
    from jiuzhu_cli.intake.columns import Understanding
    from jiuzhu_cli.intake.work import Work

_PLACES = ("标题", "表头上方", "工作表名", "上文", "文件名", "文件夹")
_FITS = 0.5  # a column less than half of whose cells can be what it is said to be contradicts it


def sender_of(work: Work) -> str:
    """Whose list it is, for remembering: the town that the words around the table name, '' when they name none."""
    towns, told = work.context.towns, work.context.hints.area
    if told:
        return towns.canonical(told.partition("/")[0])
    for place in _PLACES:
        for proof in work.evidence:
            if proof.place == place and (town := towns.find(proof.text)[0]):
                return towns.canonical(town)
    return ""


def form_of(columns: Sequence[Column], *, ordered: bool) -> str:
    """A digest of a form's headers; ``ordered``: with their places, for columns that only their place tells."""
    keys = [f"{column.letters if ordered else ''}={_key(column)}" for column in columns]
    return hashlib.sha256("\n".join(keys if ordered else sorted(keys)).encode()).hexdigest()[:16]


def _key(column: Column) -> str:
    return header_key(column.header.replace("|", ""))


def _alone(column: Column, columns: Sequence[Column]) -> bool:
    """Whether a column's header is told and no other's, and is a word, not a person's number in a list without headers."""
    key = _key(column)
    return bool(key) and mask_text(key) == key and sum(_key(other) == key for other in columns) == 1


def hits(text: str, columns: Sequence[Column]) -> list[Column]:
    """The columns that ``--map TEXT=…`` means: by their whole header, its lowest part, or their letters."""
    key = header_key(text)
    whole = [c for c in columns if key and key == _key(c)]
    if not whole:
        whole = [c for c in columns if key and key == header_key(c.header.rpartition("|")[2])]
    if not whole:
        whole = [c for c in columns if text.strip().upper() == c.letters]
    return whole


def apply_said(view: Understanding) -> None:
    """``--map`` and the template's own columns."""
    for column in view.columns:
        if (field := view.template.get(_key(column))) is not None and _alone(column, view.columns):
            _set(view, column, field, "模板的列")
    for text, wanted in view.mapping.items():
        code = view.lexicon.field_code(wanted)
        found = hits(text, view.columns)
        if code is None or not found:
            continue
        if (
            code
            and len(found) == 1
            and text.strip().upper() == found[0].letters
            and not content_fits(code, view.texts(found[0]))
        ):
            view.problems.append(Problem("mapping_unfit", "warning", (found[0],), {"wanted": view.lexicon.names[code]}))
            continue  # the same letters mean other columns on other sheets
        for column in found:
            plain = column.field
            doubles = len(view.by(plain)) > 1 if plain else True
            if plain in ("", code) or (not code and doubles):
                view.said.append(column)
            elif plain != code:
                view.problems.append(Problem("mapping_not_kept", "notice", (column,)))
        if code:
            for other in view.by(code):
                if other not in found:
                    other.field, other.why = "", "已另行指定，原样保留"
        for column in found:
            _set(view, column, code, "由 --map 指定")


def apply_remembered(view: Understanding) -> None:
    """What was said for this sender's lists before; the latest word on a field counts."""
    ordered, free = form_of(view.columns, ordered=True), form_of(view.columns, ordered=False)
    for one in reversed(view.memory):
        if one.form not in ("", ordered if one.letters else free):
            continue
        if one.letters:
            found = [c for c in view.columns if c.letters == one.letters]
        else:
            found = [c for c in view.columns if _key(c) == one.header]
        if len(found) != 1 or found[0].index in view.fixed:
            continue
        column = found[0]
        if one.field and any(c.index in view.fixed for c in view.by(one.field)):
            continue
        if reason := _overruled(view, column, one):
            _tell(view, "mapping_not_used", one, column, reason)
        elif one.field and not content_fits(one.field, view.texts(column)):
            view.dropped.append(one.mapping_id)
            _tell(view, "mapping_dropped", one, column, f"{column.letters}列的内容不像{view.lexicon.names[one.field]}")
        else:
            if one.field:
                for other in view.by(one.field):
                    if other is not column:
                        other.field, other.why = "", f"{one.by}，原样保留"
            _set(view, column, one.field, one.by)
            view.used.append(f"{one.by}：{said_of(view, column, one.field)}")


def _overruled(view: Understanding, column: Column, one: ColumnMapping) -> str:
    """Why the headers leave no room for a remembered meaning; '' when they do."""
    names = view.lexicon.names
    if column.field and column.field != one.field and not (not one.field and len(view.by(column.field)) > 1):
        return f"表头写明是{names[column.field]}"
    others = [c for c in view.by(one.field) if c is not column] if one.field else []
    if others and not column.field:
        return f"{others[0].letters}列“{others[0].header}”写明是{names[one.field]}"
    return ""


def _tell(view: Understanding, code: str, one: ColumnMapping, column: Column, reason: str) -> None:
    values: dict[str, str | int] = {"by": one.by, "mapping": said_of(view, column, one.field), "reason": reason}
    view.problems.append(Problem(code, "warning", (column,), values))


def _set(view: Understanding, column: Column, code: str, why: str) -> None:
    column.field, column.why = code, why
    if code in MONEY_FIELDS and column.unit == "元":
        column.unit = unit_of(column.header.split("|")) or view.unit or "元"
        column.level = level_of(column.header.split("|"))
    view.fixed.add(column.index)


def said_of(view: Understanding, column: Column, field: str) -> str:
    """打款数=发放金额, as ``--map`` takes it."""
    return f"{column_word(column, view.columns)}={view.lexicon.names.get(field, '') or '忽略'}"


def column_word(column: Column, columns: Sequence[Column]) -> str:
    """How ``--map`` can name a column: its header where that tells it, else its letters."""
    last = column.header.rpartition("|")[2]
    for word in (last, column.header.replace("|", "")):
        if word and not re.search(r"[=\s\"']", word) and hits(word, columns) == [column]:
            return word
    return column.letters


def to_remember(work: Work, view: Understanding) -> list[ColumnMapping]:
    """What was said about the table's columns, as it is kept once the table is in the record."""
    table = work.table
    if not table.code or not view.said:
        return []
    sender = sender_of(work)
    out = []
    for column in view.said:
        by_header = _alone(column, view.columns)
        form = "" if by_header and sender else form_of(view.columns, ordered=not by_header)
        header, letters = (_key(column), "") if by_header else ("", column.letters)
        out.append(ColumnMapping(table.kind, table.code, sender, form, header, letters, column.header, column.field))
    return out


def keep_mappings(tx: Transaction, tables: Sequence[Table]) -> None:
    """Within the transaction that saves these tables: what was said about them is kept, what they contradict is dropped."""
    remember(tx, [one for table in tables for one in table.said])
    drop(tx, [one for table in tables for one in table.dropped])


def content_fits(field: str, texts: Sequence[str]) -> bool:
    """Whether a column's cells can be ``field`` at all; only those fields are looked at that cannot be mistaken."""
    kind = next((kind for fields, kind in _KINDS if field in fields), None)
    flat = [compact(text) for text in texts]
    return kind is None or not flat or sum(map(kind, flat)) >= _FITS * len(flat)


def _is_amount(text: str) -> bool:
    return parse_amount(text).problem != "amount_not_number" and not looks_like_id(text)


def _is_date(text: str) -> bool:
    number = text.removesuffix(".0")
    return not parse_date(int(number) if number.isdigit() else text)[1]


def _is_name(text: str) -> bool:
    return bool(re.search("[一-鿿]", text)) and not re.search(r"\d{2}|[:：]", text) and len(text) <= 30


_KINDS: list[tuple[frozenset[str], Callable[[str], bool]]] = [
    (frozenset({"id_no", "head_id_no", "payee_id_no", "related_id_no"}), lambda t: len(re.sub(r"\D", "", t)) >= 12),
    (frozenset({"name", "head_name", "payee_name", "related_name"}), _is_name),
    (frozenset({"account_no"}), lambda t: len(re.sub(r"\D", "", t)) >= 8 or "E+" in t.upper()),
    (frozenset({"phone"}), lambda t: 7 <= len(re.sub(r"\D", "", t)) <= 26),
    (MONEY_FIELDS, _is_amount),
    (frozenset({"birth_date", "event_date", "valid_from", "valid_to", "approved_on"}), _is_date),
    (frozenset({"household_size", "covered_persons", "months_paid", "age"}), lambda t: bool(re.match(r"\d{1,3}(\.0+)?\D{0,2}$", t))),
]  # fmt: skip
