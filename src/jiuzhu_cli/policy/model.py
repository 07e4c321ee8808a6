"""The shapes that policy data must have. ``load.py`` reads the TOML files into them; nothing here does I/O."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Unit = Literal["household", "person"]
Benefit = Literal["top_up", "graded", "fixed", "one_off", "instalments", "reimbursement", "service", "status"]
RelationKind = Literal["X", "T", "H", "S", "E", "C"]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class GlossaryField(Shape):
    """One field of the glossary: a column of ``roll_row`` / ``register_row`` and the headers that mean it."""

    code: str
    name: str  # the Chinese term
    type: Literal["id", "name", "text", "amount", "count", "date", "month", "account", "phone", "area", "code"]
    level: Literal["person", "case"] = "person"  # case: stands once per household in household programmes
    aliases: tuple[str, ...] = ()
    national: str = ""  # national identifier, e.g. GMSFHM
    note: str = ""


class ParameterValue(Shape):
    """One dated value. ``area`` is a region-code prefix ('' nation, '4210' city, '421002' district)."""

    name: str
    area: str = ""
    since: date
    until: date | None = None
    value: Decimal | str | bool
    unit: str = ""
    source: str
    confirmed: bool = True  # False: 请核对 is shown wherever it was used


class Rule(Shape):
    """A boolean expression in the glossary's Chinese terms; true means the condition holds (the person passes)."""

    name: str
    expression: str
    message: str  # shown when it fails
    source: str
    since: date | None = None
    until: date | None = None
    on_fail: Literal["stop", "check"] = "stop"


class Posting(Shape):
    allowed: bool = True
    reason: str = ""  # why not, when not allowed
    rounds: tuple[Literal["first", "final"], ...] = ("first",)
    columns: tuple[
        str, ...
    ] = ()  # whitelisted posting columns, in order: head_name, persons, amount, village, kin_filed, category ...
    basis: str = ""
    condition: str = ""
    procedure: str = ""
    standard: str = ""


class PaymentRule(Shape):
    payable: bool = True
    payee: Literal["head", "person"] = "person"
    purpose: str = ""  # 用途 printed in bank files


class ReviewRule(Shape):
    amount: Literal["", "top_up", "basic_plus_care", "fixed", "graded"] = ""
    cycle_months: int = 12
    death_grace_months: int = 0
    parameters: dict[str, str] = Field(default_factory=dict)  # roles → parameter names


class Programme(Shape):
    code: str
    name: str
    aliases: tuple[str, ...] = ()
    department: str
    unit: Unit
    benefit: Benefit
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # canonical category → words that mean it
    required: tuple[str, ...] = ()  # fields a row must have
    signature: tuple[str, ...] = ()  # fields or header words that tell the programme when no name does
    rules: tuple[Rule, ...] = ()
    posting: Posting = Posting()
    payment: PaymentRule = PaymentRule()
    review: ReviewRule = ReviewRule()
    source: str


class Register(Shape):
    code: str
    name: str
    aliases: tuple[str, ...] = ()
    department: str
    required: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # own header synonyms: register_row column → headers
    meaning: str = ""  # what a hit means, shown to clerks
    source: str


class Relation(Shape):
    """What two programmes are to each other. X exclusive, T top-up to a cap, H the higher one, S stack, E entitled, C candidate.

    For E and C, ``a`` is what the person has (a programme, or ``register:disability_certificate``), ``b`` what is due.
    """

    id: str
    a: str
    b: str
    kind: RelationKind
    level: Unit = "person"
    when: str = ""  # SQL-free condition in glossary terms on side a / b, see dedupe
    cap: str = ""  # parameter name of the cap, for T
    severity: Literal["strong", "candidate"] = "strong"
    since: date | None = None
    until: date | None = None
    switch: str = ""  # local switch (a boolean parameter); '' always on
    note: str = ""
    basis: str


class Claim(Shape):
    """A status that rolls state of a person (对象类型 低保户): the words that state it, and the programmes any of which bears it out.

    The claim with the longest matching word wins, so that 低保边缘 is not read as 低保.
    """

    words: tuple[str, ...]
    programmes: tuple[str, ...]
    basis: str


class BankColumn(Shape):
    """One column of a bank's file; the same table encodes and decodes."""

    name: str  # header text
    source: str  # line_no, payee_name, payee_id_no, account_no, amount, bank_name, purpose, const:…, result, reason
    width: int = 0  # fixed-width only
    align: Literal["left", "right"] = "left"
    pad: str = " "
    decimals: int = 2
    point: bool = True  # False: amount in 分 without a point


class BankLayout(Shape):
    code: str
    name: str
    banks: tuple[str, ...] = ()  # words of 开户银行 that route a line here
    container: Literal["xlsx", "delimited", "fixed"]
    encoding: str = "gbk"
    delimiter: str = "|"
    line_end: str = "\r\n"
    header: bool = False
    summary: tuple[BankColumn, ...] = ()  # first line with totals: lines, total, month, date …
    columns: tuple[BankColumn, ...]
    returns: tuple[BankColumn, ...] = ()
    returns_header: bool = False
    success: tuple[str, ...] = ("成功",)
    failure: tuple[str, ...] = ("失败",)
    max_lines: int = 0
    max_line_fen: int = 0
    file_name: str = "{bank}_{month}_{sequence}"
    source: str


class FindingText(Shape):
    code: str
    name: str
    message: str  # with {placeholders}
    todo: str


Extra = dict[str, Any]
