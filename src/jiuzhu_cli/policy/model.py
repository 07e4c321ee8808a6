"""The shapes that policy data must have. ``load.py`` reads the TOML files into them; nothing here does I/O."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jiuzhu_cli.policy.earlier import in_tariffs

Unit = Literal["household", "person"]
Benefit = Literal["top_up", "graded", "fixed", "one_off", "instalments", "reimbursement", "service", "status"]
RelationKind = Literal["X", "T", "H", "S", "E", "C"]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    MERGED: ClassVar[
        dict[str, str]
    ] = {}  # lists whose entries a later file adds to or changes by their name, instead of replacing the list

    file: str = Field(default="", exclude=True, repr=False)  # where it was last written, for errors

    def at(self, what: str) -> str:
        """``what`` with the file in which it stands, as errors begin."""
        return f"{self.file} {what}".strip()


class GlossaryField(Shape):
    """One field of the glossary: a column of ``roll_row`` / ``register_row`` and the headers that mean it.

    ``use``: ``column`` is stored under ``code``; ``input`` is only read at import and mapped onto columns; ``derived`` is
    a word of the rules, computed from columns (money in 分).
    """

    code: str
    name: str  # the Chinese term
    type: Literal["id", "name", "text", "amount", "count", "date", "month", "account", "phone", "area", "code"]
    level: Literal["person", "case"] = "person"  # case: stands once per household in household programmes
    use: Literal["column", "input", "derived"] = "column"
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
    formula: str = ""  # when derived from other parameters: how; ``value`` is then the result
    note: str = ""
    confirmed: bool = True  # False: 请核对 is shown wherever it was used

    @property
    def amount_fen(self) -> int:
        """The value of an amount parameter (unit 元…) in 分, exactly. ValueError when it is no whole number of 分."""
        fen = Decimal(self.value) * 100 if self.unit.startswith("元") and not isinstance(self.value, bool) else None
        if fen is None or fen != fen.to_integral_value():
            raise ValueError(f"{self.name} 不是以元计的金额")
        return int(fen)


class Floor(Shape):
    """What a parameter must not fall below (``at_least``) or rise above (``at_most``): formulas over other parameters, in its own unit."""

    id: str
    parameter: str
    at_least: str = ""
    at_most: str = ""
    level: Literal["error", "warning"] = "warning"
    since: date | None = None
    until: date | None = None
    source: str
    note: str = ""
    confirmed: bool = True


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
    except_categories: tuple[str, ...] = ()  # canonical categories that are not posted (小额快救)
    basis: str = ""
    condition: str = ""
    procedure: str = ""
    standard: str = ""


class PaymentRule(Shape):
    payable: bool = True
    payee: Literal["head", "person"] = "person"
    purpose: str = ""  # 用途 printed in bank files
    by_agreement: tuple[
        str, ...
    ] = ()  # 供养方式 or category whose money goes to whom an agreement on file names (集中: the home)


class Tariff(Shape):
    """One line of a programme's tariff table: what is paid to whom. Figures of different ``part`` add up; of one part the first line that holds counts.

    ``amount``: arithmetic over parameters in 元 (``低保标准_城市 * 老年加发比例 / 100``), or one a category. ``per``: once a ``household``, times the
    ``person`` covered, ``gap`` (amount × persons − income) or each ``member`` of whom ``when`` is true (the highest counts, once a person, and only
    beside a positive rest); '' reads it off the parameter's unit (元/户, 元/人).
    """

    part: str = "标准"
    label: str = ""
    amount: str | dict[str, str]
    when: str = ""  # glossary terms; '' holds for all
    per: Literal["", "household", "person", "gap", "member"] = ""
    plan: str = ""  # parameter of instalments (开工:50,竣工验收:50): of the stage told its share is paid
    turning: str = (
        ""  # parameter that says whether an age counts from 当月 or 次月 of the birthday; without one both are right
    )
    switch: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def amounts(self) -> dict[str, str]:
        """Category ('' all) → arithmetic."""
        return {"": self.amount} if isinstance(self.amount, str) else self.amount


class ReviewRule(Shape):
    """How a programme is reviewed. Months are counted from the month of the decision, of the event, of the birthday: 1 is the next."""

    amount: Literal["", "top_up", "basic_plus_care", "fixed", "graded"] = ""
    cycle_months: int = 12
    death_grace_months: int = 0
    after_decision: int = 1
    after_event: int = 1
    after_age: int = 1
    parameters: dict[str, str] = Field(default_factory=dict)  # roles → parameter names


Action = Literal["start", "increase", "decrease", "stop", "grace", "transfer", "check", "by_amount"]


class Event(Shape):
    """Something that has come about for a case, and what follows for it (``data/events.toml``; ``[[review]]`` of a register).

    ``per``: who is looked at: each ``person`` of a case, the ``case`` (its lead), a person ``outside`` the programmes of ``on`` (each of
    them apart), a person or case that was on last month's roll and is ``gone``; ``built_in``: found by the program itself, under this ``id``.
    With ``registers`` (a register's own file names itself) each line of the case's persons that ``lines`` counts is looked at, beside the
    sums of what counts. ``when``: true, and it has come about; words in ``policy.vocabulary``. ``rank``: the lowest decides the action.
    ``action``: ``by_amount`` is what the computed amount asks for. ``amount``: what is paid afterwards. ``effective``: from when, by the
    programme's ``[review]`` months. ``to``: where to, of a transfer. ``then``: what follows once a clerk has agreed to the ``check``.
    """

    id: str
    name: str
    on: tuple[str, ...] = ()  # programmes; () all that are reviewed
    per: Literal["person", "case", "outside", "gone", "built_in"] = "person"
    registers: tuple[str, ...] = ()
    lines: str = "名单有效"
    when: str = ""
    action: Action = "check"
    amount: Literal["", "zero", "computed", "reached", "frozen", "less_share"] = ""
    to: str = ""
    then: Literal["", "stop", "leave", "transfer"] = ""
    rank: int = 70
    effective: Literal["decision", "event", "age"] = "decision"
    hearing: bool = True  # False: no hearing even when money ends
    message: str = ""
    source: str
    switch: str = ""  # local switch (a boolean parameter); '' always on
    since: date | None = None
    until: date | None = None
    note: str = ""


class Programme(Shape):
    MERGED: ClassVar[dict[str, str]] = {"rules": "name"}

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    department: str
    group: str = ""  # which kind of assistance: 基本生活、专项、急难 of 《社会救助法》第15条, or a welfare outside it
    since: date | None = None  # from when there is such a programme
    until: date | None = None
    unit: Unit
    benefit: Benefit
    categories: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # canonical category → words that mean it
    required: tuple[str, ...] = ()  # fields a row must have
    signature: tuple[str, ...] = ()  # fields or header words that tell the programme when no name does
    rules: tuple[Rule, ...] = ()
    posting: Posting = Posting()
    payment: PaymentRule = PaymentRule()
    tariffs: tuple[Tariff, ...] = ()
    review: ReviewRule = ReviewRule()
    source: str

    @model_validator(mode="before")
    @classmethod
    def _earlier(cls, data: Any) -> Any:
        return in_tariffs(data) if isinstance(data, dict) else data

    @property
    def is_paid(self) -> bool:
        """Whether the bureau pays money for it month by month or case by case: no status, no service, nothing that others pay out."""
        return self.payment.payable and self.benefit not in ("status", "service")


class Register(Shape):
    MERGED: ClassVar[dict[str, str]] = {"review": "id"}

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    department: str
    required: tuple[str, ...] = ()
    signature: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # own header synonyms: register_row column → headers
    kept: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # columns of its own, kept as they are (``extra``): word → headers, the first stands on its template
    blank_without: str = ""  # a line whose cell of this field is empty is not filled in yet: no line of the list
    choices: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # drop-downs of its form by field; '@income', '@relations', '@circumstances': the words of income.toml
    hints: dict[str, str] = Field(default_factory=dict)  # how to fill in a field, on its form
    as_above: tuple[
        str, ...
    ] = ()  # fields of the household, which may be written once on its first row; the first of them is the one that tells
    snapshot: bool = False  # each list tells all there is on its day: of an area only the last one counts
    mutual: bool = False  # both parties stand in a line (marriage): it is found by either's ID
    event_ends: bool = False  # event_date is when what it says ended (注销、迁出), not when it began
    meaning: str = ""  # what a hit means, shown to clerks
    numbers: dict[str, tuple[str, ...]] = Field(
        default_factory=dict
    )  # word of [[review]] rules → headers of further columns with a number
    review: tuple[Event, ...] = ()  # what its lines mean for cases under review
    source: str


class Relation(Shape):
    """What two programmes are to each other. X exclusive, T top-up to a cap, H the higher one, S stack, E entitled, C candidate.

    For E and C, ``a`` is what the person has (a programme, ``register:disability_certificate``, or ``stopped:PROGRAMME``: had until now),
    ``b`` what is due; with a = b the programme's own line shows what is wanting.
    """

    id: str
    a: str
    b: str
    kind: RelationKind
    level: Unit = "person"
    when: str = ""  # SQL-free condition in glossary terms on side a / b, see dedupe
    cap: str = ""  # parameter name of the cap, for T
    reduce: Literal["a", "b"] = "b"  # T: whose amount is topped up; H: which of two equal ones is dropped
    below: Literal["check", "increase"] = "check"  # T: what is proposed where less is paid than the cap leaves
    settle: Literal["drop", "difference"] = (
        "drop"  # H: the lower one is nothing, or the higher one is paid as the difference
    )
    within: str = ""  # a = b, one-off aid: parameter name of the months within which one cause counts once
    severity: Literal["strong", "candidate"] = "strong"
    since: date | None = None
    until: date | None = None
    switch: str = ""  # local switch (a boolean parameter); '' always on
    code: str = ""  # of E and C: doubt code with its own wording
    note: str = ""
    basis: str


class Claim(Shape):
    """A status that rolls state of a person (对象类型 低保户): the words that state it, and the programmes any of which bears it out.

    The claim with the longest matching word wins, so that 低保边缘 is not read as 低保.
    """

    words: tuple[str, ...] = ()
    programmes: tuple[str, ...]
    id: str = ""
    on: str = ""  # with no words: everyone on this programme's roll claims it by being there
    level: Unit = "person"  # household: somebody of the case must stand on one of ``programmes``
    severity: Literal["strong", "candidate"] = "strong"
    when: str = ""  # with ``on``: only lines of which this is true claim it
    needs: tuple[str, ...] = ()  # programmes whose rolls must be there to judge; () the first of ``programmes``
    switch: str = ""  # local switch (a boolean parameter); '' always on
    note: str = ""
    basis: str


class Check(Shape):
    """A doubt about one line of a roll: ``when`` is true of the person and the line in that month.

    ``on``: programmes whose rolls are looked at, () for all. ``against``: the register (``register:CODE``) whose line is shown beside
    it; nothing is judged while that register was not imported. ``code``: what kind of doubt it is (``doubts.toml``).
    """

    id: str
    on: tuple[str, ...] = ()
    code: str
    when: str
    against: str = ""
    severity: Literal["strong", "candidate"] = "candidate"
    switch: str = ""  # local switch (a boolean parameter); '' always on
    since: date | None = None
    until: date | None = None
    note: str = ""
    basis: str


class Holiday(Shape):
    """One stretch of days off (or, with ``off`` false, of weekend days worked) by the State Council's notice."""

    name: str
    first: date
    last: date
    off: bool = True
    source: str
    confirmed: bool = True


class ApprovalLevel(Shape):
    """Who may approve payment batches up to which sum (``approvals.toml``). ``up_to``: 元, None without limit; ``persons`` (): anybody but the drafter."""

    id: str
    name: str = Field(min_length=1)
    up_to: Decimal | None = Field(default=None, gt=0)
    persons: tuple[str, ...] = ()

    @property
    def limit_fen(self) -> int | None:
        return None if self.up_to is None else int(self.up_to * 100)


class Bank(Shape):
    """A bank as offices name it. ``codes``: first three digits of its 联行号; ``family``: banks that are taken for one (农信, 农商)."""

    name: str
    codes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    family: str = ""


class DoubtCode(Shape):
    """One code of doubts: its kind (``core/doubt.py``) and name, what clerks must know of it, how its facts are said (template), the basis where no rule has its own."""

    code: str
    kind: str
    name: str
    note: str = ""
    says: str = ""
    basis: str = ""


class FindingText(Shape):
    code: str
    name: str
    message: str  # with {placeholders}
    todo: str


Extra = dict[str, Any]
