"""The columns of one table: each header understood, then all of them together, then by content where headers are silent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from jiuzhu_cli.core.money import UNITS, Amount, parse_amount
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.amounts import settle_amount
from jiuzhu_cli.intake.body import Body
from jiuzhu_cli.intake.content import by_content, contradicted_by_content
from jiuzhu_cli.intake.grid import Grid, cell_text
from jiuzhu_cli.intake.headers import (
    MONEY_FIELDS,
    Lexicon,
    level_of,
    unit_of,
)
from jiuzhu_cli.intake.mapping import apply_remembered, apply_said
from jiuzhu_cli.intake.people import (
    fall_back_to_head,
    lists_in_one_cell,
    members_side_by_side,
    one_person_column,
    owners_by_neighbour,
    tell_unread_members,
)
from jiuzhu_cli.intake.statuses import settle_statuses
from jiuzhu_cli.intake.table import Column, Problem
from jiuzhu_cli.ledger.mappings import ColumnMapping
from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.column import INT
from jiuzhu_cli.tabular.column import Column as Cells

SAMPLE = 240


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
        code: str = "",
        per_person: bool = True,
        payable: bool = True,
        monthly: bool = False,
        category_words: frozenset[str] = frozenset(),
        own_names: tuple[str, ...] = (),
        memory: Sequence[ColumnMapping] = (),
        template: Mapping[str, str] | None = None,
        today: date = date.max,
    ) -> None:
        self.grid, self.body, self.lexicon = grid, body, lexicon
        self.mapping, self.unit = mapping, unit
        self.kind, self.register, self.code = kind, register, code
        self.per_person, self.payable, self.monthly = per_person, payable, monthly
        self.category_words, self.own_names = category_words, own_names
        self.memory, self.template, self.today = memory, template or {}, today
        self.said: list[Column] = []  # named by --map, to be remembered
        self.used: list[str] = []  # what was remembered and is used, in words
        self.dropped: list[int] = []  # remembered mappings that the content contradicts
        step = max(1, len(body.rows) // SAMPLE)
        self.rows: list[int] = body.rows[::step][: SAMPLE + 60].tolist()
        self._samples: dict[int, list[Any]] = {}
        self._texts: dict[int, list[str]] = {}
        self.fixed: set[int] = set()
        self.owners: dict[int, str] = {}
        self.problems: list[Problem] = []
        self.parts_sum = False
        self.columns = self._read()
        apply_said(self)
        apply_remembered(self)

    def _read(self) -> list[Column]:
        header = self.body.header
        columns = []
        for index in range(self.grid.width):
            parts = header.parts.get(index, [])
            if not parts and not self._filled(index):
                continue
            meaning = self.lexicon.meaning(parts, register=self.register, kind=self.kind) if parts else None
            column = Column(index, header.letters.get(index) or column_letters(index), "|".join(parts))
            if meaning is not None:
                column.field, column.why = meaning.field, meaning.why
                self.owners[index] = meaning.owner
                if column.field in MONEY_FIELDS:
                    column.unit = unit_of(parts) or self.unit or "元"
                    column.level = level_of(parts)
            columns.append(column)
        return columns

    def _filled(self, index: int) -> bool:
        return any(value not in (None, "") for value in self._sample(index))

    def resolve(self) -> None:
        """Settles what the columns mean together. Adds problems; the caller makes findings of them."""
        members_side_by_side(self)
        lists_in_one_cell(self)
        owners_by_neighbour(self)
        for code in ("id_no", "name", "head_id_no", "head_name"):
            one_person_column(self, code)
        contradicted_by_content(self)
        by_content(self)
        fall_back_to_head(self)
        tell_unread_members(self)
        if self.kind == "roll":
            settle_amount(self)
            self._unit()
        self._single("account_no", fatal=self.payable and self.kind == "roll")
        settle_statuses(self)
        self._category()
        self._rest()

    def _unit(self) -> None:
        """元 in the header of what is paid, 万元 in the line above: nobody can say which of them was left standing."""
        for column in self.by("amount_fen"):
            stated = unit_of(column.header.split("|"))
            if stated and self.unit and UNITS[self.unit] > UNITS[stated]:
                values: dict[str, str | int] = {"line": self.unit, "unit": stated}
                self.problems.append(Problem("amount_unit_conflict", "error", (column,), values))

    def by(self, code: str) -> list[Column]:
        return [column for column in self.columns if column.field == code]

    def values(self, column: Column) -> list[Any]:
        return self._sample(column.index)

    def _sample(self, index: int) -> list[Any]:
        if index not in self._samples:
            self._samples[index] = self._cells(index)[:]
        return self._samples[index]

    def _cells(self, index: int) -> Cells:
        return self.grid.columns[index].take(np.array(self.rows, dtype=np.int64))

    def texts(self, column: Column) -> list[str]:
        """The sampled cells that hold something, as texts."""
        if column.index not in self._texts:
            cells = self._cells(column.index)
            if (cells.kinds <= INT).all():  # a whole number is written as its text
                texts = [text.strip() for text in cells.text.drop_null().to_pylist()]
            else:
                texts = [cell_text(value) for value in self._sample(column.index)]
            self._texts[column.index] = list(filter(None, texts))
        return self._texts[column.index]

    def alike(self, left: Column, right: Column) -> bool:
        pairs = [
            (compact(cell_text(a)), compact(cell_text(b)))
            for a, b in zip(self.values(left), self.values(right), strict=True)
        ]
        told = [(a, b) for a, b in pairs if a and b]
        return bool(told) and all(a.upper() == b.upper() for a, b in told)

    def money(self, column: Column) -> np.ndarray:
        """Sampled values of a money column in 元; NaN for blanks and what is no number."""
        out = np.full(len(self.rows), np.nan)
        read: dict[tuple[type, Any], Amount] = {}
        for at, value in enumerate(self.values(column)):
            key = type(value), value
            if key not in read:
                read[key] = parse_amount(value.strip() if isinstance(value, str) else value, "元")
            amount = read[key]
            if amount.fen is not None:
                out[at] = amount.fen / 100 * (UNITS.get(column.unit, 100) / 100)
            elif amount.problem == "amount_decimals" and isinstance(value, int | float):
                out[at] = float(value) * UNITS.get(column.unit, 100) / 100
        return out

    def _single(self, code: str, *, fatal: bool) -> None:
        many = self.by(code)
        if len(many) < 2:
            return
        chosen = next((c for c in many if c.index in self.fixed), None)
        filled = [c for c in many if self.texts(c)] or many[:1]
        if chosen is None and (len(filled) == 1 or all(self.alike(filled[0], c) for c in filled[1:])):
            chosen = filled[0]
        if chosen is None and code == "account_no":
            bank = [c for c in filled if not re.search(r"社保卡号|社会保障卡号|存折|账户$", header_key(c.header))]
            chosen = bank[0] if len(bank) == 1 else None
        if chosen is None and fatal:
            self.problems.append(Problem("account_column_ambiguous", "error", tuple(filled)))
            return
        self.keep(chosen or filled[0], many)

    def keep(self, chosen: Column, many: list[Column]) -> None:
        for column in many:
            if column is not chosen:
                column.field, column.why = "", f"与{chosen.letters}列同义，原样保留"

    def _category(self) -> None:
        many = self.by("category")
        if len(many) < 2:
            return
        fixed = next((c for c in many if c.index in self.fixed), None)

        def fit(column: Column) -> float:
            texts = self.texts(column)
            return sum(text in self.category_words for text in texts) / len(texts) if texts else -1.0

        self.keep(fixed or max(many, key=fit), many)

    def _rest(self) -> None:
        """For every other field a full column counts, of a register the one whose word stands first in its file (车辆类型 before
        号牌种类); the others are kept as they are."""
        settled = {"id_no", "name", "amount_fen", "account_no", ""}
        words = list(self.lexicon.registers.get(self.register, ()))
        order = {word: at for at, word in enumerate(words)}

        def rank(column: Column) -> tuple[bool, int, int]:
            full = len(self.texts(column)) > 0.5 * len(self.rows)
            return full, -order.get(header_key(column.header), len(words)), -column.index

        for code in {column.field for column in self.columns} - settled:
            many = [column for column in self.by(code) if not column.flag]
            if len(many) > 1:
                fixed = next((c for c in many if c.index in self.fixed), None)
                self.keep(fixed or max(many, key=rank), many)
