"""One case's amount in words: each step with its figure, the parameter, its date and document; the steps add up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.amounts import AmountRules


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


def steps_of(
    fact: dict[str, Any], reading: dict[str, Any], amount_fen: int, addons: Iterable[dict[str, Any]], rules: AmountRules
) -> list[dict[str, Any]]:
    """How ``amount_fen`` comes about by one reading (a row of ``candidate``); the steps' ``adds_fen`` sum to it.

    ``addons``: rows of ``addon_person`` of the case and the reading's 城市/农村.
    """
    steps = _top_up(fact, reading, addons, rules) if fact["amount_rule"] == "top_up" else _tariffs(reading, rules)
    rest = amount_fen - sum(step.get("adds_fen", 0) for step in steps)
    if rest:
        # the roll's own add-on lies within what the known facts allow, or members are not all told
        how = "成员情况不全，按花名册所列计"
        steps.append({"label": "分类施保", "how": how, "value": yuan(rest), "adds_fen": rest})
    return [*steps, {"label": "应发金额", "value": yuan(amount_fen)}]


def _top_up(
    fact: dict[str, Any], reading: dict[str, Any], addons: Iterable[dict[str, Any]], rules: AmountRules
) -> list[dict[str, Any]]:
    kind = reading["town_kind"]
    standard = rules.standards[kind]
    each = yuan(standard.amount_fen)
    leaving = fact["leaving"] if fact["listed"] <= fact["covered"] else 0
    persons = fact["covered"] - leaving
    yearly = fact["income_period"] == "year"
    income = f"{yuan(fact['income_fen'])} ÷ 12" if yearly else yuan(fact["income_fen"])
    if reading["place"] == 1:
        short = f"{each} × {persons} − {income}"
    else:
        short = f"（{each} − {income} ÷ 家庭人口 {fact['size']}）× {persons}"
    unit = "元" if rules.unit_fen == 100 else f"{yuan(rules.unit_fen)} 元"
    how = f"{'向上' if rules.round_up else '四舍五入'}取整到{unit}" if rules.unit_fen > 1 else "取到分"
    steps: list[dict[str, Any]] = [
        {"label": f"低保标准（{kind}）", **source_of(standard), "value": each},
        {
            "label": "保障人数",
            "value": str(persons),
            "how": f"{fact['covered']} 人减去不再计入的 {leaving} 人" if leaving else "花名册",
        },
        {"label": "家庭月收入", "value": income, "how": "年收入除以 12，先不舍入" if yearly else "花名册所载月收入"},
        {
            "label": "补差金额",
            "how": f"{short}，最后一次{how}",
            "value": yuan(reading["base"]),
            "adds_fen": reading["base"],
            "rounding": [source_of(one) for one in rules.rounding],
        },
    ]
    if reading["base"]:
        steps += [_addon(one, kind, rules) for one in addons if one["low"]]
    return steps


def _addon(one: dict[str, Any], kind: str, rules: AmountRules) -> dict[str, Any]:
    """One person's 分类施保: the highest that applies, with all the grounds."""
    months = one["age_months"]
    grounds = {
        "elder": (months is not None and months > rules.elder_months, f"{rules.elder_months // 12} 周岁以上"),
        "minor": (months is not None and months < rules.minor_months, f"未满 {rules.minor_months // 12} 周岁"),
        "severe": (bool(one["severe"]), "重度残疾"),
        "ill": (bool(one["ill"]), "重病"),
    }
    known = {
        what: rules.addons[(what, kind)]
        for what, (holds, _) in grounds.items()
        if holds and (what, kind) in rules.addons
    }
    value = next(value for value in known.values() if value.amount_fen == one["low"])
    told = "、".join(grounds[what][1] for what in known)
    return {
        "label": "分类施保",
        "how": f"{one['name']}（{told}），一人只计一次",
        **source_of(value),
        "value": yuan(one["low"]),
        "adds_fen": one["low"],
    }


def _tariffs(reading: dict[str, Any], rules: AmountRules) -> list[dict[str, Any]]:
    """The amounts that add up to a fixed or tiered benefit."""
    labels = {"basic": "基本生活", "care": "照料护理", "amount": "标准"}
    steps = []
    for number in reading["tariffs"]:
        one = rules.tariffs[number]
        told = "、".join(part for part in (one.town_kind, one.care, *(f"{g}级" for g in one.grades)) if part)
        label = labels[one.part] + (f"（{told}）" if told else "")
        steps.append({"label": label, **source_of(one.value), "value": yuan(one.fen), "adds_fen": one.fen})
    return steps
