"""The columns of one table: each header understood, then all of them together, then by content where headers are silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.money import UNITS, parse_amount
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.amounts import choose_amount
from jiuzhu_cli.intake.body import Body
from jiuzhu_cli.intake.grid import Grid, cell_text, letters_of, looks_like_id
from jiuzhu_cli.intake.headers import (
    MONEY_FIELDS,
    PART_FIELDS,
    Lexicon,
    level_of,
    money_word,
    not_paid,
    owner_of,
    unit_of,
)
from jiuzhu_cli.intake.table import Column

SAMPLE = 240
_MULTI = re.compile(r"[、,，;；/|\n\r]|(?<=[\dXx])\s+(?=\d{6})|(?<=[一-鿿])\s{1,}(?=[一-鿿]{2,})")
_PERSON_NAME = re.compile(r"^[一-鿿㐀-䶿]{1,2}\s*[一-鿿㐀-䶿·]{1,8}$")
_EXACT_NAME = ("姓名", "身份证号", "身份证号码", "公民身份号码")


@dataclass(slots=True)
class Problem:
    """Something to tell about the columns: a finding code, its severity, columns and values."""

    code: str
    severity: str
    columns: tuple[Column, ...] = ()
    values: dict[str, str | int] = field(default_factory=dict)


class Understanding:
    """Maps the columns of one table; ``columns`` and ``problems`` are the result."""

    def __init__(
        self,
        grid: Grid,
        body: Body,
        lexicon: Lexicon,
        *,
        mapping: Mapping[str, str],
        unit: str,
        kind: str,
        register: str = "",
        per_person: bool = True,
        payable: bool = True,
        category_words: frozenset[str] = frozenset(),
        own_names: tuple[str, ...] = (),
    ) -> None:
        self.grid, self.body, self.lexicon = grid, body, lexicon
        self.mapping, self.unit = mapping, unit
        self.kind, self.register = kind, register
        self.per_person, self.payable = per_person, payable
        self.category_words, self.own_names = category_words, own_names
        step = max(1, len(body.rows) // SAMPLE)
        self.rows: list[int] = body.rows[::step][: SAMPLE + 60].tolist()
        self.fixed: set[int] = set()
        self.owners: dict[int, str] = {}
        self.problems: list[Problem] = []
        self.parts_sum = False
        self.columns = self._read()

    # ---- one column at a time ------------------------------------------------------------------------------

    def _read(self) -> list[Column]:
        header = self.body.header
        columns = []
        for index in range(self.grid.width):
            parts = header.parts.get(index, [])
            if not parts and not self._filled(index):
                continue
            meaning = self.lexicon.meaning(parts, register=self.register, kind=self.kind) if parts else None
            column = Column(index, letters_of(index), "|".join(parts))
            if meaning is not None:
                column.field, column.why = meaning.field, meaning.why
                self.owners[index] = meaning.owner
                if column.field in MONEY_FIELDS:
                    column.unit = unit_of(parts) or self.unit or "元"
                    column.level = level_of(parts)
            columns.append(column)
        self._apply_mapping(columns)
        return columns

    def _filled(self, index: int) -> bool:
        return any(self.grid.value(row, index) not in (None, "") for row in self.rows)

    def _apply_mapping(self, columns: list[Column]) -> None:
        for text, wanted in self.mapping.items():
            code = self.lexicon.field_code(wanted)
            key = header_key(text)
            hits = [
                c
                for c in columns
                if (key and key in (header_key(c.header.replace("|", "")), header_key(c.header.rpartition("|")[2])))
                or text.upper() == c.letters
            ]
            if code is None or not hits:
                continue
            if code:
                for other in columns:
                    if other.field == code:
                        other.field, other.why = "", "已另行指定，原样保留"
            for column in hits:
                column.field, column.why = code, "由 --map 指定"
                if code in MONEY_FIELDS and column.unit == "元":
                    column.unit = unit_of(column.header.split("|")) or self.unit or "元"
                self.fixed.add(column.index)

    # ---- all columns together ------------------------------------------------------------------------------

    def resolve(self) -> None:
        """Settles what the columns mean together. Adds problems; the caller makes findings of them."""
        self._lists_in_one_cell()
        self._owners_by_neighbour()
        for code in ("id_no", "name", "head_id_no", "head_name"):
            self._one_person_column(code)
        self._by_content()
        self._fall_back_to_head()
        if self.kind == "roll":
            self._settle_amount()
        self._single("account_no", fatal=self.payable and self.kind == "roll")
        self._category()
        self._rest()

    def by(self, code: str) -> list[Column]:
        return [column for column in self.columns if column.field == code]

    def _values(self, column: Column) -> list[Any]:
        cells = self.grid.columns[column.index]
        return [cells[row] for row in self.rows]

    def _texts(self, column: Column) -> list[str]:
        return [text for value in self._values(column) if (text := cell_text(value))]

    def _lists_in_one_cell(self) -> None:
        """A members' column whose cells hold several people is a list, to be taken apart per person (多值单元格)."""
        for single, several, is_list in (
            ("name", "member_names", lambda text: bool(_MULTI.search(text))),
            ("id_no", "member_ids", lambda text: len(re.findall(r"\d{17}[\dXx]|\d{15}", text)) > 1),
        ):
            for column in self.by(single):
                if column.index in self.fixed or not re.search(r"成员|人员|对象|共同生活", column.header):
                    continue
                texts = self._texts(column)
                if (
                    texts
                    and sum(is_list(text) for text in texts) >= max(1, 0.1 * len(texts))
                    and self.by("head_name" if single == "name" else "head_id_no")
                ):
                    column.field, column.why = several, "一格多人，逐人展开"
        for several, single in (("member_names", "name"), ("member_ids", "id_no")):
            for column in self.by(several):
                texts = self._texts(column)
                if (
                    column.index not in self.fixed
                    and not self.by(single)
                    and texts
                    and not any(_MULTI.search(t) for t in texts)
                ):
                    column.field, column.why = single, "每格一人"

    def _owners_by_neighbour(self) -> None:
        """Two plain 身份证号: each belongs to the name on its left (户主 … 身份证号 … 成员姓名 … 身份证号)."""
        for code, head, payee, related in (
            ("id_no", "head_id_no", "payee_id_no", "related_id_no"),
            ("phone", "", "", ""),
            ("name", "head_name", "payee_name", "related_name"),
        ):
            many = [c for c in self.by(code) if c.index not in self.fixed]
            if len(self.by(code)) < 2:
                continue
            for column in many:
                owner = self._left_owner(column)
                moved = {"head": head, "payee": payee, "other": "", "related": related}.get(owner)
                rest = [c for c in self.by(code) if c is not column]
                if moved is not None and rest and not (moved and self.by(moved)):
                    column.field, column.why = moved, "跟着左边的姓名列"

    def _left_owner(self, column: Column) -> str:
        if self.owners.get(column.index):
            return self.owners[column.index]
        at = self.columns.index(column)
        for left in reversed(self.columns[max(0, at - 4) : at]):
            if left.field in ("name", "id_no") and self.lexicon.types.get(column.field) != self.lexicon.types.get(
                left.field
            ):
                return ""
            if left.field == "head_name":
                return "head"
            if left.field == "payee_name":
                return "payee"
            if left.field == "related_name":
                return "related"
            if self.owners.get(left.index) == "other" or owner_of(header_key(left.header)) == "other":
                return "other"
        return ""

    def _one_person_column(self, code: str) -> None:
        """One column of names or IDs; equal copies are harmless, a plain word beats a longer one for names."""
        many = self.by(code)
        if len(many) < 2:
            return
        chosen = next((c for c in many if c.index in self.fixed), None)
        filled = [c for c in many if self._texts(c)] or many[:1]
        if chosen is None and len(filled) == 1:
            chosen = filled[0]
        if chosen is None and all(self._alike(filled[0], other) for other in filled[1:]):
            chosen = filled[0]
        if chosen is None and code.endswith("id_no"):
            share = {c.index: self._id_share(c) for c in filled}
            sure = [c for c in filled if share[c.index] >= 0.5]
            if len(sure) == 1 and all(share[c.index] < 0.05 for c in filled if c is not sure[0]):
                chosen = sure[0]
            else:
                self.problems.append(Problem("id_column_ambiguous", "error", tuple(sure or filled)))
                return
        if chosen is None:
            exact = [c for c in filled if header_key(c.header.rpartition("|")[2]) in _EXACT_NAME]
            if len(exact) == 1:
                chosen = exact[0]
            else:
                self.problems.append(Problem("name_column_ambiguous", "error", tuple(filled)))
                return
        for column in many:
            if column is not chosen:
                column.field, column.why = "", f"与{chosen.letters}列同义，原样保留"

    def _alike(self, left: Column, right: Column) -> bool:
        pairs = [
            (compact(cell_text(a)), compact(cell_text(b)))
            for a, b in zip(self._values(left), self._values(right), strict=True)
        ]
        told = [(a, b) for a, b in pairs if a and b]
        return bool(told) and all(a.upper() == b.upper() for a, b in told)

    def _id_share(self, column: Column) -> float:
        values = [value for value in self._values(column) if value not in (None, "")]
        return sum(parse_id(value).ok for value in values) / len(values) if values else 0.0

    def _by_content(self) -> None:
        """Columns that no header explains, by what is in them: IDs, names, accounts. Amounts are never found this way."""
        tests: list[tuple[str, str, Callable[[str], bool]]] = [
            ("id_no", "内容是身份证号", lambda text: looks_like_id(text) and parse_id(text).ok),
            ("account_no", "内容像银行账号", lambda text: bool(re.fullmatch(r"62\d{14,17}|\d{17}|\d{19}", text))),
            ("phone", "内容像手机号", lambda text: bool(re.fullmatch(r"1[3-9]\d{9}", text))),
            ("name", "内容像姓名", lambda text: bool(_PERSON_NAME.match(text)) and len(text) <= 4),
        ]
        if not self.by("id_no") and (self.by("head_id_no") or self.by("payee_id_no")):
            tests = tests[1:]
        if self.by("name") or self.by("head_name") or self.by("payee_name"):
            tests = [test for test in tests if test[0] != "name"]
        for code, why, matches in tests:
            if self.by(code):
                continue
            found = []
            for column in self.columns:
                if column.field or column.index in self.fixed or self.owners.get(column.index) == "other":
                    continue
                if column.header and code in ("name", "phone", "account_no"):
                    continue  # a header that says something else is believed
                texts = self._texts(column)
                if len(texts) >= min(3, len(self.rows)) and sum(map(matches, map(compact, texts))) >= 0.8 * len(texts):
                    if code == "name" and len(set(texts)) < 0.5 * len(texts):
                        continue
                    found.append(column)
            if len(found) == 1:
                found[0].field, found[0].why = code, why
                self.problems.append(Problem("column_by_content", "notice", (found[0],)))
            elif len(found) > 1 and code == "id_no":
                self.problems.append(Problem("id_column_ambiguous", "error", tuple(found)))

    def _fall_back_to_head(self) -> None:
        """A list of households names only the head (or the payee): that is the person of the row."""
        members = self.by("member_names") or self.by("member_ids")
        if not self.by("id_no") and not members:
            for code in ("head_id_no", "payee_id_no"):
                if column := next(iter(self.by(code)), None):
                    named = self.by("head_name" if code == "head_id_no" else "payee_name")
                    if self.by("name") and (code == "payee_id_no" or self._repeats(column)) and not named:
                        break  # somebody else's number
                    if self.by("name") and named and not self._alike(self.by("name")[0], named[0]):
                        break
                    column.field, column.why = "id_no", f"{column.why}；表中只有这一列身份证号"
                    break
        if not self.by("name") and not self.by("member_names"):
            for code in ("head_name", "payee_name"):
                if column := next(iter(self.by(code)), None):
                    column.field, column.why = "name", f"{column.why}；表中只有这一列姓名"
                    break
        if self.by("id_no") or members:
            return
        if not any(problem.code == "id_column_ambiguous" for problem in self.problems):
            self.problems.append(Problem("id_column_missing", "error"))

    def _repeats(self, column: Column) -> bool:
        """Whether the same ID stands above different names: then it is the head's, not the person's."""
        names = self.by("name")[0]
        seen: dict[str, set[str]] = {}
        for id_no, name in zip(self._values(column), self._values(names), strict=True):
            if cell_text(id_no):
                seen.setdefault(cell_text(id_no), set()).add(cell_text(name))
        step = self.body.rows[1] - self.body.rows[0] if len(self.body.rows) > 1 else 1
        return step >= 1 and sum(len(names) > 1 for names in seen.values()) > 0.1 * max(1, len(seen))

    # ---- money ---------------------------------------------------------------------------------------------

    def money(self, column: Column) -> np.ndarray:
        """Sampled values of a money column in 元; NaN for blanks and what is no number."""
        out = np.full(len(self.rows), np.nan)
        for at, value in enumerate(self._values(column)):
            amount = parse_amount(value if not isinstance(value, str) else value.strip(), "元")
            if amount.fen is not None:
                out[at] = amount.fen / 100 * (UNITS.get(column.unit, 100) / 100)
            elif amount.problem == "amount_decimals" and isinstance(value, int | float):
                out[at] = float(value) * UNITS.get(column.unit, 100) / 100
        return out

    def _settle_amount(self) -> None:
        for column in self.by("amount_fen"):
            if column.index in self.fixed:
                continue
            key = header_key(column.header.replace("|", ""))
            if not_paid(key):
                column.field, column.why = "", "不是本期发放的金额，原样保留"
        if any(column.index in self.fixed for column in self.by("amount_fen")):
            for column in self.by("amount_fen"):
                if column.index not in self.fixed:
                    column.field, column.why = "", "已另行指定金额列，原样保留"
            return
        self._own_amount()
        samples = {
            c.index: self.money(c)
            for c in self.columns
            if c.field in ("amount_fen", "months_paid", "standard_amount", "per_person_amount", *PART_FIELDS)
            or (not c.field and money_word(header_key(c.header.replace("|", ""))))
        }
        if not self.by("amount_fen") and not any(
            self.by(code) for code in (*PART_FIELDS, "standard_amount", "per_person_amount")
        ):
            loose = [
                c for c in self.columns if not c.field and c.index in samples and not np.isnan(samples[c.index]).all()
            ]
            if len(loose) == 1:
                loose[0].field, loose[0].why = "amount_fen", "唯一的金额列"
                loose[0].unit = unit_of(loose[0].header.split("|")) or self.unit or "元"
        if not self.payable and not self.by("amount_fen"):
            return
        choice = choose_amount(self.columns, samples, per_person=self.per_person)
        self.parts_sum = choice.parts
        if choice.problem:
            severity = "error" if choice.rivals else "warning"
            self.problems.append(Problem(choice.problem, severity if self.payable else "notice", choice.rivals))
        if choice.column is not None and choice.column.field in ("standard_amount", "per_person_amount"):
            self.problems.append(Problem("amount_from_standard", "warning", (choice.column,)))
        self._name_amount(choice.column, choice.why)
        self._standard_is_base(samples)

    def _standard_is_base(self, samples: dict[int, np.ndarray]) -> None:
        """A column called 标准 that, with care and add-on, adds up to the amount is the basic part of it."""
        amount, parts = self.by("amount_fen"), [c for code in PART_FIELDS for c in self.by(code)]
        if len(amount) != 1 or not parts or self.by("base_fen") or amount[0].index not in samples:
            return
        rest = np.nan_to_num(samples[amount[0].index]) - sum(np.nan_to_num(samples[c.index]) for c in parts)
        for column in self.by("standard_amount"):
            if (np.abs(np.nan_to_num(samples[column.index]) - rest) < 0.005).mean() >= 0.95:
                column.field, column.why = "base_fen", "与其他分项相加等于发放金额"
                return

    def _own_amount(self) -> None:
        """Where a list holds two programmes, the amount is the column that bears this programme's name."""
        own = [
            c
            for c in self.columns
            if c.field in ("", "amount_fen")
            and any(word in compact(c.header) for word in self.own_names)
            and not re.search(r"类[别型]|等级|档|标准|账|卡", c.header)
            and not np.isnan(self.money(c)).all()
        ]
        others = [c for c in self.by("amount_fen") if c not in own]
        if not own or (not others and all(c.field for c in own)):
            return
        for column in own:
            column.field, column.why = "amount_fen", "表头写明是本项目的金额"
            column.unit = unit_of(column.header.split("|")) or self.unit or "元"
        for column in others:
            column.field, column.why = "", "是别的项目或几个项目合计的金额，原样保留"

    def _name_amount(self, chosen: Column | None, why: str) -> None:
        plain = []
        for column in self.by("amount_fen"):
            if chosen is not None and column is not chosen:
                column.field, column.why = "", f"发放金额取{chosen.letters}列，这一列原样保留"
                plain.append(column)
        if chosen is not None:
            chosen.field = "amount_fen"
            if why:
                chosen.why = f"{chosen.why}；{why}"
        household = chosen is not None and chosen.level
        for code in PART_FIELDS:
            many = self.by(code)
            if len(many) > 1:
                keep = next((c for c in many if household and c.level == household), many[0])
                for column in many:
                    if column is not keep:
                        column.field, column.why = "", f"与{keep.letters}列同义，原样保留"

    # ---- the others ----------------------------------------------------------------------------------------

    def _single(self, code: str, *, fatal: bool) -> None:
        many = self.by(code)
        if len(many) < 2:
            return
        chosen = next((c for c in many if c.index in self.fixed), None)
        filled = [c for c in many if self._texts(c)] or many[:1]
        if chosen is None and (len(filled) == 1 or all(self._alike(filled[0], c) for c in filled[1:])):
            chosen = filled[0]
        if chosen is None and code == "account_no":
            bank = [c for c in filled if not re.search(r"社保卡号|社会保障卡号|存折|账户$", header_key(c.header))]
            chosen = bank[0] if len(bank) == 1 else None
        if chosen is None and fatal:
            self.problems.append(Problem("account_column_ambiguous", "error", tuple(filled)))
            return
        self._keep(chosen or filled[0], many)

    def _keep(self, chosen: Column, many: list[Column]) -> None:
        for column in many:
            if column is not chosen:
                column.field, column.why = "", f"与{chosen.letters}列同义，原样保留"

    def _category(self) -> None:
        many = self.by("category")
        if len(many) < 2:
            return
        fixed = next((c for c in many if c.index in self.fixed), None)

        def fit(column: Column) -> float:
            texts = self._texts(column)
            return sum(text in self.category_words for text in texts) / len(texts) if texts else -1.0

        self._keep(fixed or max(many, key=fit), many)

    def _rest(self) -> None:
        """For every other field the fullest column counts; its doubles are kept as they are."""
        settled = {"id_no", "name", "amount_fen", "account_no", ""}
        for code in {column.field for column in self.columns} - settled:
            many = self.by(code)
            if len(many) > 1:
                fixed = next((c for c in many if c.index in self.fixed), None)
                self._keep(
                    fixed or max(many, key=lambda c: (len(self._texts(c)) > 0.5 * len(self.rows), -c.index)), many
                )
