"""Reads the policy: the package's data files and, over them, the bureau's own folder ``policy/``.

Same layout in both places; each kind of data is declared once, on ``Policy``. What has a code (programme, register, bank, relation,
claim, check, doubt, glossary field, finding) is overridden key by key under the same code; a parameter by the same (name, area, since).
Parts are read when first asked for; the digest covers every file. Anything wrong is a PolicyError naming file and key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jiuzhu_cli.core.errors import PolicyError, UsageError
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.bank_names import read_bank_names
from jiuzhu_cli.policy.divisions import OWN_FILE, Divisions
from jiuzhu_cli.policy.doubts import FILE as DOUBTS
from jiuzhu_cli.policy.doubts import read_doubts
from jiuzhu_cli.policy.files import DATA, PolicyFiles, read_files, unpack_files
from jiuzhu_cli.policy.findings import fill
from jiuzhu_cli.policy.glossary import merge_glossary
from jiuzhu_cli.policy.model import (
    ApprovalLevel,
    Check,
    Claim,
    Event,
    FindingText,
    Floor,
    GlossaryField,
    Holiday,
    ParameterValue,
    Programme,
    Register,
    Relation,
)
from jiuzhu_cli.policy.parameter import ParameterTable, read_parameters
from jiuzhu_cli.policy.parts import Folder, Listed, Part, Read, build, listed, table_of
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:  # of kinds that few commands ask for; loaded when one does
    from jiuzhu_cli.policy.accounts import Entry, Subject
    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.budgets import Budget
    from jiuzhu_cli.policy.care import CareAnswer, CareItem, CareTier
    from jiuzhu_cli.policy.income import IncomeItem, IncomeLead, IncomePolicy, MemberRule
    from jiuzhu_cli.policy.message import Message
    from jiuzhu_cli.policy.price import PriceCover, PriceMonth, PriceTrigger
    from jiuzhu_cli.policy.procedure import Cycle, DeadlineStep, NoticeKind, ReviewClass, ReviewTask
    from jiuzhu_cli.policy.return_reasons import ReasonTable, ReturnReason

INCOME, BUDGETS = "income.toml", "budgets"

Tables = Iterable[tuple[str, dict[str, Any]]]
Named = TypeVar("Named", bound=Programme | Register)


def load_policy(overrides: Path | None = None, *, region: str = "") -> Policy:
    """The policy of ``region`` (six digits; unknown ones get the national defaults), with the bureau's folder over it."""
    own = [overrides] if overrides is not None and overrides.is_dir() else []
    return Policy(read_files(DATA, *own, region=region), region)


def pinned_policy(packed: bytes, digest: str, now: Policy) -> Policy:
    """The policy that ``digest`` names as it judged a month then; ``now`` is today's, for what does not judge."""
    return Policy(unpack_files(packed, digest), now.region, now)


def _findings(tables: Tables, region: str) -> dict[str, FindingText]:
    merged: dict[str, tuple[str, dict[str, Any]]] = {}
    for shown, table in tables:
        for code, data in table_of(table.get("codes", {}), shown, "codes").items():
            merged[code] = (shown, merged.get(code, ("", {"code": code}))[1] | table_of(data, shown, code))
    return {code: build(FindingText, data, shown, code) for code, (shown, data) in sorted(merged.items())}


def _holidays(tables: Tables, region: str) -> tuple[Holiday, ...]:
    found: list[Holiday] = []
    for shown, table in tables:
        for index, data in enumerate(listed(table, "holidays", shown), 1):
            found.append(build(Holiday, data, shown, f"holidays 第 {index} 项"))
    return tuple(sorted(found, key=lambda one: (one.first, one.off)))


def _glossary(tables: Tables, region: str) -> dict[str, GlossaryField]:
    return merge_glossary(tables, lambda shown, key, data: build(GlossaryField, data, shown, key))


def _budgets(tables: Tables, region: str) -> tuple[Budget, ...]:
    from jiuzhu_cli.policy.budgets import read_budgets

    return read_budgets(tables, build)


def _words(tables: Tables, key: str) -> dict[str, tuple[str, ...]]:
    from jiuzhu_cli.policy.income import read_words

    return read_words(tables, key)


class _Places(Part[Divisions]):
    """Towns and villages of the region with their codes, the bureau's ``divisions.csv`` over the shipped table."""

    def read(self, files: PolicyFiles, region: str) -> Divisions:
        own = files.of(OWN_FILE)
        return Divisions(region, own[-1][1] if own else None)


class Policy:
    """Everything that is data, checked on first use. See ``docs/dev/contracts.md`` for what the stages call."""

    programmes = Folder(Programme)
    registers = Folder(Register)
    relations = Listed(Relation)
    claims = Listed(Claim, "relations.toml")
    checks = Listed(Check)
    case_events = Listed(Event, "events.toml", "events")
    review_tasks: Listed[ReviewTask] = Listed("procedure:ReviewTask", "cycles.toml", "tasks")
    review_classes: Listed[ReviewClass] = Listed("procedure:ReviewClass", "cycles.toml", "classes")
    cycles: Listed[Cycle] = Listed("procedure:Cycle")
    deadline_steps: Listed[DeadlineStep] = Listed("procedure:DeadlineStep", "deadlines.toml", "steps")
    notice_kinds: Listed[NoticeKind] = Listed("procedure:NoticeKind", "deadlines.toml", "notices")
    care_items: Listed[CareItem] = Listed("care:CareItem", "tiers.toml", "items")
    care_answers: Listed[CareAnswer] = Listed("care:CareAnswer", "tiers.toml", "answers")
    care_tiers: Listed[CareTier] = Listed("care:CareTier", "tiers.toml", "tiers")
    price_months: Listed[PriceMonth] = Listed("price:PriceMonth", "price.toml", "months")
    price_triggers: Listed[PriceTrigger] = Listed("price:PriceTrigger", "price.toml", "triggers")
    price_covered: Listed[PriceCover] = Listed("price:PriceCover", "price.toml", "covered")
    parameters = Read(
        "parameters", lambda tables, region: read_parameters(tables, region, build), new=ParameterTable.with_names_of
    )
    floors = Listed(Floor)
    income_items: Listed[IncomeItem] = Listed("income:IncomeItem", INCOME, "items")
    income_members: Listed[MemberRule] = Listed("income:MemberRule", INCOME, "members")
    income_leads: Listed[IncomeLead] = Listed("income:IncomeLead", INCOME, "leads")
    relation_words = Read(INCOME, lambda tables, _: _words(tables, "relations"), "relations")
    circumstance_words = Read(INCOME, lambda tables, _: _words(tables, "circumstances"), "circumstances")
    holidays = Read("holidays.toml", _holidays, "holidays")
    approval_levels = Listed(ApprovalLevel, "approvals.toml", "levels", judges=False)
    banks: Folder[BankLayout] = Folder("bank_layout:BankLayout", judges=False)
    messages: Folder[Message] = Folder("message:Message", judges=False)
    budgets = Read(BUDGETS, _budgets, BUDGETS, judges=False)
    subjects: Listed[Subject] = Listed("accounts:Subject", "accounts.toml", judges=False)
    entries: Listed[Entry] = Listed("accounts:Entry", "accounts.toml", judges=False)
    return_reasons: Listed[ReturnReason] = Listed(
        "return_reasons:ReturnReason", "return_reasons.toml", "reasons", judges=False
    )
    glossary = Read("glossary.toml", _glossary, judges=False)
    findings = Read("findings.toml", _findings, "codes", judges=False)
    doubts = Read(DOUBTS, lambda tables, _: read_doubts(tables, build), judges=False)
    bank_names = Read("bank_names.toml", lambda tables, _: read_bank_names(tables, build), judges=False)
    divisions = _Places(OWN_FILE, judges=False)

    def __init__(self, files: PolicyFiles, region: str, now: Policy | None = None) -> None:
        """``now``: today's policy, where ``files`` are those that a month was paid with (see ``parts.Part.judges``)."""
        self.files, self.region, self.now = files, region, now

    @property
    def digest(self) -> str:
        """SHA-256 over all files used; pinned into every result."""
        return self.files.digest

    @cached_property
    def reasons(self) -> ReasonTable:
        """Why banks send money back, as it is looked up."""
        from jiuzhu_cli.policy.return_reasons import ReasonTable

        return ReasonTable(self.return_reasons)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What comes about for cases: of ``events.toml``, then of the registers' own files, which name themselves."""
        of_registers = [
            one if one.registers else one.model_copy(update={"registers": (register.code,)})
            for register in self.registers.values()
            for one in register.review
        ]
        return (*self.case_events, *of_registers)

    @property
    def income(self) -> IncomePolicy:
        """Items of income, who counts, what registers tell of income (``income.toml``)."""
        from jiuzhu_cli.policy.income import IncomePolicy, in_order

        return IncomePolicy(
            self.income_items,
            in_order(self.income_members),
            self.income_leads,
            self.relation_words,
            self.circumstance_words,
        )

    # ---- look-ups ----------------------------------------------------------------------------------------

    def own_files(self) -> list[str]:
        """Files of the bureau's folder, relative to it."""
        return self.files.own()

    def programme(self, text: str) -> Programme:
        """The programme of this code, name or alias; UsageError with near names."""
        return _find(self.programmes, text, "救助项目", "jiuzhu policy list --programmes")

    def register(self, text: str) -> Register:
        """The register of this code, name or alias; UsageError with near names."""
        return _find(self.registers, text, "比对名单", "jiuzhu policy list --registers")

    def parameter(self, name: str, on: date, *, area: str | None = None) -> ParameterValue:
        """The value of ``name`` on that day for the most specific area; PolicyError when there is none."""
        return self.parameters.value(name, on, area)

    def parameter_or_none(self, name: str, on: date, *, area: str | None = None) -> ParameterValue | None:
        """As ``parameter``, None when no value holds that day: for switches only."""
        return self.parameters.value_or_none(name, on, area)

    def values_of(
        self, words: Iterable[str], known: Collection[str], on: date, where: str
    ) -> dict[str, ParameterValue]:
        """The parameters among the ``words`` of a rule that are not ``known`` words; PolicyError with the rule and near words."""
        found = {}
        for word in dict.fromkeys(words):
            if word in known:
                continue
            if word not in self.parameters.names():
                names = [*known, *self.parameters.names()]
                raise PolicyError(
                    f"{where}里的“{word}”不认识{near(word, names)}",
                    "改成规则用词或参数名；改正后运行 jiuzhu policy check",
                )
            found[word] = self.parameter(word, on)
        return found

    def switch(self, name: str, on: date, *, area: str | None = None) -> bool:
        """Whether a local switch is on; '' is always on, a switch without a value is off."""
        found = self.parameter_or_none(name, on, area=area) if name else None
        return not name or (found is not None and found.value is True)

    def unconfirmed(self) -> list[ParameterValue]:
        """Values of this region that somebody must still check against the local document (请核对)."""
        return self.parameters.unconfirmed()

    def finding_text(self, code: str, **values: object) -> tuple[str, str]:
        """Message and what to do for a finding code, placeholders filled."""
        return fill(self.findings, code, values)

    def days_off(self) -> tuple[frozenset[date], frozenset[date]]:
        """Public holidays and worked weekend days, for counting working days."""
        days = {True: set[date](), False: set[date]()}
        for stretch in self.holidays:
            span = range(stretch.first.toordinal(), stretch.last.toordinal() + 1)
            days[stretch.off].update(date.fromordinal(day) for day in span)
        return frozenset(days[True]), frozenset(days[False])


def _find(entries: Mapping[str, Named], text: str, what: str, listing: str) -> Named:
    if text in entries:
        return entries[text]
    wanted = compact(text)
    names: list[str] = []
    for entry in entries.values():
        if wanted == entry.name or wanted in entry.aliases:
            return entry
        names += [entry.code, entry.name, *entry.aliases]
    raise UsageError(f"没有叫“{text}”的{what}{near(wanted, names)}", f"用 {listing} 查看全部")
