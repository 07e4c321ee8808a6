"""One case's amount in words: each step with its figure, the parameter, its date and document; the steps add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.caps import Limit
from jiuzhu_cli.review.tariffs import AmountRules, Line, fen_of
from jiuzhu_cli.review.tiers import told

Step = dict[str, Any]


def source_of(value: ParameterValue) -> dict[str, Any]:
    """What a step says of the parameter it used."""
    return {
        "parameter": value.name,
        "value": ("是" if value.value else "否") if isinstance(value.value, bool) else str(value.value),
        "unit": value.unit,
        "since": value.since.isoformat(),
        "source": value.source,
        "confirmed": value.confirmed,
    }


def steps_of(
    fact: dict[str, Any],
    reading: dict[str, Any],
    amount_fen: int,
    addons: Iterable[dict[str, Any]],
    limits: Sequence[Step],
    rules: AmountRules,
) -> list[Step]:
    """How ``amount_fen`` comes about by one reading (a row of ``candidate``); the steps' ``adds_fen`` sum to it.

    ``addons``: rows of ``addon_person`` of the case and the reading's category. ``limits``: ``limit_steps`` of caps and higher benefits, in order.
    """
    steps: list[Step] = []
    for number, figure in zip(reading["lines"], reading["figures"], strict=True):
        line = rules.lines[number]
        steps += _gap(fact, reading, line, figure, rules) if line.per == "gap" else _figure(fact, line, figure)
    members = next((line for line in rules.lines if line.per == "member" and line.programme == fact["programme"]), None)
    if members is not None and reading["base"]:
        steps += [_addon(one, rules) for one in addons if one["low"]]
    running = sum(step.get("adds_fen", 0) for step in steps)
    for step in limits:
        if step["limit_fen"] < running:
            steps.append({**step, "adds_fen": step["limit_fen"] - running})
            running = step["limit_fen"]
    rest = amount_fen - running
    if rest and members is not None:
        # the roll's own add-on lies within what the known facts allow, or members are not all told
        how = "成员情况不全，按花名册所列计"
        steps.append({"label": members.part, "how": how, "value": yuan(rest), "adds_fen": rest})
    elif rest:
        steps.append(
            {"label": "舍去零头", "how": "花名册所发在允许的取整范围内", "value": yuan(rest), "adds_fen": rest}
        )
    return [*steps, {"label": "应发金额", "value": yuan(amount_fen)}]


def limit_steps(rows: Sequence[tuple[Limit, dict[str, Any]]], names: Mapping[str, str]) -> list[Step]:
    """What relations leave of the amount, a step a bound: all that is taken off under one cap together. ``rows`` of ``limit_row``, in order."""
    bounds: dict[tuple[int, str], list[tuple[Limit, dict[str, Any]]]] = {}
    for limit, row in rows:
        bounds.setdefault((row["turn"], limit.relation.cap or limit.relation.id), []).append((limit, row))
    return [_bound(together, names) for together in bounds.values()]


def _bound(rows: Sequence[tuple[Limit, dict[str, Any]]], names: Mapping[str, str]) -> Step:
    limit, row = rows[0]
    left: Step = {
        "value": yuan(row["fen"]),
        "limit_fen": row["fen"],
        "relation": "、".join(one.relation.id for one, _ in rows),
    }
    if limit.cap is None:
        how = f"与{_share(limit, row, names)} 择高" + (
            "，低的不发" if limit.relation.settle == "drop" else "，高的补差"
        )
        return {"label": "择高", "how": how, **left}
    taken = "、".join(_share(one, its, names) for one, its in rows)
    how = f"合计不超过 {yuan(fen_of(limit.cap))}，减去{taken}，不足一分的舍去"
    return {"label": "合计封顶补差", "how": how, **source_of(limit.cap), **left}


def _share(limit: Limit, row: dict[str, Any], names: Mapping[str, str]) -> str:
    """The other benefit and this person's part of it."""
    persons = f" ÷ {row['other_persons']} 人" if row["other_persons"] != 1 else ""
    other = (
        limit.other
        if limit.cap is not None
        else limit.relation.a
        if row["own"] == limit.relation.b
        else limit.relation.b
    )
    return f"{names.get(other, other)} {yuan(row['other_fen'])}{persons}"


def _named(line: Line) -> str:
    told = "、".join(part for part in (line.kind, line.label) if part)
    return line.part + (f"（{told}）" if told else "")


def _sources(line: Line) -> dict[str, Any]:
    """The line's first parameter as the step's source, with the arithmetic and the others where there are several."""
    if not line.values:
        return {}
    told = source_of(line.values[0])
    if line.amount.strip() != line.values[0].name:
        told |= {"formula": line.amount, "parameters": [source_of(one) for one in line.values]}
        told["confirmed"] = all(one.confirmed for one in line.values)
    return told


def _persons(fact: dict[str, Any]) -> tuple[int, int]:
    """Persons covered that still count, and how many no longer do."""
    leaving = fact["leaving"] if fact["listed"] <= fact["covered"] else 0
    return fact["covered"] - leaving, leaving


def _heads(fact: dict[str, Any]) -> Step:
    persons, leaving = _persons(fact)
    how = f"{fact['covered']} 人减去不再计入的 {leaving} 人" if leaving else "花名册"
    return {"label": "保障人数", "value": str(persons), "how": how}


def _gap(fact: dict[str, Any], reading: dict[str, Any], line: Line, figure: int, rules: AmountRules) -> list[Step]:
    settings = rules.settings[fact["programme"]]
    each, persons = yuan(line.fen or 0), _persons(fact)[0]
    yearly = fact["income_period"] == "year"
    income = f"{yuan(fact['income_fen'])} ÷ 12" if yearly else yuan(fact["income_fen"])
    if fact["income_fen"] < 0:
        income = "0.00"
    if reading["place"] == 1:
        short = f"{each} × {persons} − {income}"
    else:
        short = f"（{each} − {income} ÷ 家庭人口 {fact['size']}）× {persons}"
    unit = "元" if settings.unit_fen == 100 else f"{yuan(settings.unit_fen)} 元"
    how = f"{'向上' if settings.round_up else '四舍五入'}取整到{unit}" if settings.unit_fen > 1 else "取到分"
    return [
        {"label": (line.label or "标准") + (f"（{line.kind}）" if line.kind else ""), **_sources(line), "value": each},
        _heads(fact),
        {
            "label": "家庭月收入",
            "value": income,
            "how": "收入为负的按 0 计"
            if fact["income_fen"] < 0
            else "按收入明细核算的年收入除以 12，先不舍入"
            if fact.get("measured")
            else "年收入除以 12，先不舍入"
            if yearly
            else "花名册所载月收入",
        },
        {
            "label": "补差金额",
            "how": f"{short}，最后一次{how}",
            "value": yuan(figure),
            "adds_fen": figure,
            "rounding": [source_of(one) for one in settings.rounding],
        },
    ]


def _figure(fact: dict[str, Any], line: Line, figure: int) -> list[Step]:
    """A sum paid once, or times the persons covered."""
    step: Step = {"label": _named(line), **_sources(line), "value": yuan(figure), "adds_fen": figure}
    if line.label == fact.get("assessed"):
        return [{"label": "自理能力", "value": line.label, "how": told(fact)}, step]
    if line.per != "person":
        return [step]
    return [_heads(fact), step | {"how": f"{yuan(line.fen or 0)} × {_persons(fact)[0]} 人"}]


def _addon(one: dict[str, Any], rules: AmountRules) -> Step:
    """One person's add-on: the highest that applies, with all the grounds."""
    lines = [rules.lines[number] for number in one["hits"]]
    counted = next(line for line in lines if line.fen == one["low"])
    grounds = "、".join(dict.fromkeys(line.label for line in lines if line.label))
    return {
        "label": counted.part,
        "how": f"{one['name']}{f'（{grounds}）' if grounds else ''}，一人只计一次",
        **_sources(counted),
        "value": yuan(one["low"]),
        "adds_fen": one["low"],
    }
