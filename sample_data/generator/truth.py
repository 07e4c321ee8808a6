"""What was planted, written down. Persons are named by their canonical ID; amounts in 分; months YYYY-MM."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One planted (or tolerated, or decoy) fact.

    ``kind``: double, missed, claim, after_event, account — or, for reviews, over_income, wrong_amount, wrong_tier, death.
    ``persons``: one ID, or all members for household facts, or all holders of an account. ``programmes``: what is had first,
    then what it conflicts with (double), is absent (missed) or is claimed (claim).
    """

    kind: str
    rule: str
    persons: tuple[str, ...]
    programmes: tuple[str, ...]
    months: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged cell. ``refused``: the row must not enter the ledger."""

    file: str
    sheet: str
    cell: str
    row: int
    field: str
    what: str
    programme: str
    month: str
    town: str
    id_no: str
    refused: bool


@dataclass
class Truth:
    seed: int
    region: str
    months: list[str]
    towns: list[str]
    planted: list[Case] = field(default_factory=list)
    candidates: list[Case] = field(default_factory=list)  # what is to be proposed, not called a doubt
    tolerated: list[Case] = field(default_factory=list)
    decoys: list[Case] = field(default_factory=list)
    review: list[Case] = field(default_factory=list)
    damaged: list[Damage] = field(default_factory=list)
    not_imported: list[dict[str, str]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    rolls: list[dict[str, Any]] = field(default_factory=list)

    def plant(self, kind: str, rule: str, persons: Iterable[str], programmes: Iterable[str], **more: Any) -> None:
        self.planted.append(Case(kind, rule, tuple(persons), tuple(programmes), **more))

    def decoy(self, rule: str, persons: Iterable[str], programmes: Iterable[str], **more: Any) -> None:
        self.decoys.append(Case("decoy", rule, tuple(persons), tuple(programmes), **more))

    def write(self, path: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
