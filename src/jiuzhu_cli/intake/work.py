"""What is known before a table is looked at, and one table in the making."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.finding import Finding, Severity, SourceRef
from jiuzhu_cli.intake.areas import Towns, distinct_texts
from jiuzhu_cli.intake.body import Body
from jiuzhu_cli.intake.columns import Understanding
from jiuzhu_cli.intake.grid import Grid
from jiuzhu_cli.intake.headers import Lexicon
from jiuzhu_cli.intake.recognise import Evidence, Named, Names
from jiuzhu_cli.intake.table import Hints, Table
from jiuzhu_cli.intake.template import Template
from jiuzhu_cli.tabular.column import Column

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.tabular.read import Sheet


@dataclass(frozen=True)
class Context:
    """What is known before a table is looked at. ``sheets``: how many sheets of the workbook hold tables."""

    policy: Policy
    names: Names
    lexicon: Lexicon
    towns: Towns
    hints: Hints
    today: date
    file: str
    folders: tuple[str, ...]
    region: str
    sheets: int = 1
    template: Template | None = None  # the form that the workbook was filled into

    def hinted(self, sheet: str) -> Named | None:
        said = self.hints.programme_of(sheet)
        if not said:
            return None
        try:
            return "roll", self.policy.programme(said).code
        except UsageError:
            return "register", self.policy.register(said).code


@dataclass
class Work:
    """One table in the making, with the evidence around it."""

    context: Context
    sheet: Sheet
    grid: Grid
    body: Body
    table: Table
    evidence: list[Evidence]
    columns: Understanding | None = None
    _distinct: dict[int, tuple[np.ndarray, Column, dict[str, int]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def tell(self, code: str, severity: Severity, *, column: str = "", field: str = "", **values: str | int) -> None:
        source = SourceRef(self.context.file, self.sheet.name, 0, column)
        self.table.findings.append(Finding(code, severity, source, field, "", values))
        if severity == "error":
            self.table.fatal = True

    def distinct(self, column: int) -> dict[str, int]:
        """Distinct non-blank texts of a column at the table's data rows, with their counts."""
        rows, cells = self.table.rows, self.grid.columns[column]
        known = self._distinct.get(column)
        if known is None or known[0] is not rows or known[1] is not cells:
            known = self._distinct[column] = rows, cells, distinct_texts(self.cells(column))
        return known[2]

    def cells(self, column: int) -> Column:
        """A column at the table's data rows."""
        return self.grid.columns[column].take(self.table.rows)

    def values(self, column: int) -> list[Any]:
        """Its cells."""
        return self.cells(column)[:]

    def only(self, keep: np.ndarray, reason: str) -> Work:
        """The same table with only the data rows of ``keep`` (a mask); the others are skipped for ``reason``."""
        old = self.table
        table = replace(
            old,
            columns=[replace(column) for column in old.columns],
            rows=old.rows[keep],
            skipped=sorted([*old.skipped, *((row, reason) for row in old.rows[~keep].tolist())]),
            how=dict(old.how),
            findings=list(old.findings),
        )
        return replace(self, table=table)
