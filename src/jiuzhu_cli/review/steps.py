"""One case's amount in words: each step with its figure, the parameter, its date and document; the steps add up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.amounts import AmountRules


def top_up_fen(standard_fen: int, persons: int, income12: int, *, unit_fen: int, up: bool) -> int:
    """The household's 补差 in 分, rounded once; the same arithmetic as the SQL, for one case."""
    short = standard_fen * 12 * persons - income12
    if short <= 0 or persons <= 0:
        return 0
    whole = 12 * unit_fen
    return (short + whole - 1) // whole * unit_fen if up else (2 * short + whole) // (2 * whole) * unit_fen


def source_of(value: ParameterValue) -> dict[str, Any]:
    """What a step says of the parameter it used."""
    return {
        "parameter": value.name,
        "value": str(value.value),
        "unit": value.unit,
        "since": value.since.isoformat(),
        "source": value.source,
        "confirmed": value.confirmed,
    }


def top_up_steps(
    fact: dict[str, Any], candidate: dict[str, Any], addons: Iterable[dict[str, Any]], rules: AmountRules
) -> list[dict[str, Any]]:
    """How one household's amount was found; the ``adds_fen`` of the steps sum to ``candidate['low']``."""
    kind = candidate["town_kind"]
    standard = rules.standards[kind]
    leaving = fact["leaving"] if fact["listed"] <= fact["covered"] else 0
    persons = fact["covered"] - leaving
    yearly = fact["income_period"] == "year"
    unit = "元" if rules.unit_fen == 100 else f"{yuan(rules.unit_fen)} 元"
    how = f"{'向上' if rules.round_up else '四舍五入'}取整到{unit}" if rules.unit_fen > 1 else "取到分"
    income = f"{yuan(fact['income_fen'])} ÷ 12" if yearly else yuan(fact["income_fen"])
    steps: list[dict[str, Any]] = [
        {"label": f"低保标准（{kind}）", "value": yuan(standard.amount_fen), **source_of(standard)},
        {
            "label": "保障人数",
            "value": str(persons),
            "how": f"{fact['covered']} 人减去不再计入的 {leaving} 人" if leaving else "花名册",
        },
        {
            "label": "家庭月收入",
            "value": income,
            "how": "年收入除以 12，先不舍入" if yearly else "花名册所载月收入",
        },
        {
            "label": "补差金额",
            "how": f"{yuan(standard.amount_fen)} × {persons} − {income}，最后一次{how}",
            "value": yuan(candidate["base"]),
            "adds_fen": candidate["base"],
            "rounding": [source_of(one) for one in rules.rounding],
        },
    ]
    total = candidate["base"]
    if candidate["base"]:
        for one in addons:
            if one["low"]:
                reasons = [
                    word
                    for what, word, holds in (
                        (
                            "elder",
                            f"{rules.elder_months // 12} 周岁以上",
                            (one["age_months"] or 0) > rules.elder_months,
                        ),
                        (
                            "minor",
                            f"未满 {rules.minor_months // 12} 周岁",
                            (one["age_months"] or 9999) < rules.minor_months,
                        ),
                        ("severe", "重度残疾", bool(one["severe"])),
                        ("ill", "重病", bool(one["ill"])),
                    )
                    if holds and (what, kind) in rules.addons
                ]
                value = max(
                    (v for (_, of), v in rules.addons.items() if of == kind and v.amount_fen == one["low"]),
                    key=lambda v: v.since,
                )
                steps.append(
                    {
                        "label": "分类施保",
                        "how": f"{one['name']}（{'、'.join(reasons)}），一人只计一次",
                        "adds_fen": one["low"],
                        **source_of(value),
                        "value": yuan(one["low"]),
                    }
                )
                total += one["low"]
    if candidate["low"] != total:
        # the roll's own add-on lies within what the known facts allow, or members are not all told
        steps.append(
            {
                "label": "分类施保",
                "how": "成员情况不全，按花名册所列计",
                "value": yuan(candidate["low"] - total),
                "adds_fen": candidate["low"] - total,
            }
        )
    steps.append({"label": "应发金额", "value": yuan(candidate["low"])})
    return steps


def tariff_steps(candidate: dict[str, Any], rules: AmountRules) -> list[dict[str, Any]]:
    """The amounts that add up to a fixed or tiered benefit."""
    labels = {"basic": "基本生活", "care": "照料护理", "amount": "标准"}
    steps = []
    for number in candidate["tariffs"]:
        one = rules.tariffs[number]
        told = "、".join(part for part in (one.town_kind, one.care, *(f"{g}级" for g in one.grades)) if part)
        steps.append(
            {
                "label": labels[one.part] + (f"（{told}）" if told else ""),
                "adds_fen": one.fen,
                **source_of(one.value),
                "value": yuan(one.fen),
            }
        )
    steps.append({"label": "应发金额", "value": yuan(candidate["low"])})
    return steps
