"""The words of a posting list (公示单): title, fund, basis, conditions, procedure, standard, totals, period and where to object.

Model: a township's posting of 2025 (东园镇), see the policy reference §2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.posting.lists import VillageList

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

ROUNDS = {"first": "第一榜", "final": "第二榜"}
_KINDS = {"first": "初审公示", "final": "确认公布"}
CHECK = "公示单写的标准请核对："  # so that a screen can tell these in one line
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Period:
    """How long a list hangs. ``days`` of ``unit`` (calendar or working), the first day counted or not."""

    start: date
    end: date
    days: int
    working: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """All texts of one list. ``clauses`` are (label, text) in order; ``statement`` says for how long and where to object."""

    title: str
    subtitle: str
    place: str
    clauses: tuple[tuple[str, str], ...]
    summary: str
    statement: str
    bureau: str
    signed: str
    period: str
    contact: str
    warnings: tuple[str, ...] = field(default=())


def chinese_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def notice_of(
    village: VillageList, month: str, round_: str, period: Period, workspace: Workspace, policy: Policy
) -> Notice:
    """The texts for one list. Values of the standard come from the policy of the month's first day."""
    programme = village.programme
    rule = programme.posting
    warnings: list[str] = []
    year, number = int(month[:4]), int(month[5:])
    place = village.town + village.village or workspace.bureau
    name = programme.name
    two_rounds = len(rule.rounds) > 1
    title = f"{year}年{number}月{place}{name}{'公示' if round_ == 'first' else '公布'}"
    subtitle = f"（{ROUNDS[round_]}：{_KINDS[round_]}）" if two_rounds else ""
    standard = _filled(rule.standard, first_day(month), policy, warnings)
    people = f"{village.households}户{village.persons}人" if programme.unit == "household" else f"{village.persons}人"
    amount = f"，金额合计{yuan(village.amount_fen, grouped=True)}元" if village.amount_fen else ""
    summary = f"本期公示对象共{people}{amount}"
    clauses = [
        ("资金名称", programme.payment.purpose or name),
        ("政策依据", rule.basis),
        ("享受条件", rule.condition),
        ("办理程序", rule.procedure),
        ("保障标准", standard),
        ("对象及金额", f"{summary}，名单附后"),
    ]
    bureau = workspace.bureau
    phone, address = str(workspace.get("bureau", "phone", "")), str(workspace.get("bureau", "address", ""))
    contact = "；".join(text for text in (phone and f"联系电话：{phone}", address and f"通讯地址：{address}") if text)
    if not contact:
        warnings.append("jiuzhu.toml 的 [bureau] 没有填 phone 和 address，公示单上没有异议电话和地址")
    unit = "个工作日" if period.working else "天"
    span = f"{chinese_date(period.start)}起至{chinese_date(period.end)}止"
    statement = (
        f"本期公示为期{period.days}{unit}，从{span}。在公示期内，如有异议，可来人、来信、来电向{bureau}反映"
        + (f"（{contact}）" if contact else "")
        + "。"
    )
    return Notice(
        title=title,
        subtitle=subtitle,
        place=place,
        clauses=tuple((label, text) for label, text in clauses if text),
        summary=summary,
        statement=statement,
        bureau=bureau,
        signed=chinese_date(period.start),
        period=f"{chinese_date(period.start)}—{chinese_date(period.end)}",
        contact=contact,
        warnings=tuple(warnings),
    )


def _filled(text: str, on: date, policy: Policy, warnings: list[str]) -> str:
    """``{参数名}`` replaced by the value of the day. A clause (up to ；or ，) whose value is unknown here is left out, with a warning."""
    values: dict[str, str] = {}
    for name in _PLACEHOLDER.findall(text):
        found = policy.parameter_or_none(name, on)
        if found is None:
            warnings.append(f"本地区没有“{name}”的值，公示单的标准里略去了这一句")
        else:
            values[name] = _shown(found.value)
            if not found.confirmed:
                warnings.append(f"{CHECK}{name}（{values[name]}）：{found.source}")
    return _render(text, values)


def _render(text: str, values: Mapping[str, str]) -> str:
    kept = []
    for part in re.split(r"(?<=[；，])", text):
        names = _PLACEHOLDER.findall(part)
        if all(name in values for name in names):
            kept.append(_PLACEHOLDER.sub(lambda match: values[match.group(1)], part))
    return "".join(kept).rstrip("；，")


def _shown(value: Decimal | str | bool) -> str:
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return "是" if value is True else "否" if value is False else str(value)
