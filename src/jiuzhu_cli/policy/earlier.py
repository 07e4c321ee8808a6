"""Programme files as bureaus wrote them before there were tariff tables: ``[review] amount`` with roles in ``[review.parameters]``.

What such a file of a programme of its own says is read as the table it means; beside a table (the package's or its own) the old keys say
nothing and ``amount`` is let go, so that nobody's month stands still for a key; ``policy check`` names roles that no longer count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_GRADES = {"一级": 1, "二级": 2, "三级": 3, "四级": 4}
_CARE = {"care_self": "自理", "care_partial": "半自理", "care_full": "全护理"}
_ADDONS = {
    "elder": ("老年人", "年龄 >= 分类施保老年起龄"), "minor": ("未成年人", "年龄 < 分类施保未成年年龄"), "severe": ("重度残疾人", "残疾等级 <= 2"), "ill": ("重病患者", "重病"),
}  # fmt: skip
_POOR = "(在册低保 or 在册低保边缘 or 在册特困)"
OLD_ROLE = re.compile(r"amount(_.+)?|basic_(urban|rural)|care_(self|partial|full)|addon_\w+_(urban|rural)")


def in_tariffs(data: dict[str, Any]) -> dict[str, Any]:
    """A programme's table with ``[review] amount`` of old turned into ``tariffs``, where it has none."""
    review = data.get("review")
    if not isinstance(review, Mapping) or "amount" not in review:
        return data
    kept = {key: value for key, value in review.items() if key != "amount"}
    roles = kept.get("parameters", {})
    found = {**data, "review": kept}
    if not data.get("tariffs") and isinstance(roles, Mapping) and review["amount"]:
        found["tariffs"] = _table(str(review["amount"]), {str(role): str(name) for role, name in roles.items()})
    return found


def _table(kind: str, roles: dict[str, str]) -> list[dict[str, Any]]:
    if kind == "top_up":
        main: dict[str, Any] = {
            "part": "低保金",
            "label": "低保标准",
            "per": "gap",
            "amount": _by_kind(roles, "standard"),
        }
        lines = [main] if main["amount"] else []
        for what, (label, when) in _ADDONS.items():
            if amount := _by_kind(roles, f"addon_{what}"):
                lines.append({"part": "分类施保", "label": label, "per": "member", "amount": amount, "when": when})
        return lines
    if kind == "basic_plus_care":
        basic = _by_kind(roles, "basic")
        lines = [{"part": "基本生活", "amount": basic}] if basic else []
        for role, tier in _CARE.items():
            if role in roles:
                lines.append({"part": "照料护理", "label": tier, "amount": roles[role], "when": f"自理能力 = '{tier}'"})
        return lines
    lines = []
    for role, name in roles.items():
        rest = role.removeprefix("amount_")
        if role.startswith("amount_") and rest in _GRADES:
            lines.append({"label": rest, "amount": name, "when": f"残疾等级 = {_GRADES[rest]}"})
    ages = [
        (int(m[1]), bool(m[2]), name)
        for role, name in roles.items()
        if (m := re.fullmatch(r"amount_(\d+)(_poor)?", role))
    ]
    for age, poor, name in sorted(ages, key=lambda one: (-one[0], not one[1])):
        lines.append(
            {"label": f"{age} 周岁以上", "amount": name, "when": f"年龄 >= {age}" + (f" and {_POOR}" if poor else "")}
        )
    return [*lines, *([{"amount": roles["amount"]}] if "amount" in roles else [])]


def _by_kind(roles: dict[str, str], name: str) -> dict[str, str]:
    return {
        kind: roles[f"{name}_{role}"]
        for role, kind in (("urban", "城市"), ("rural", "农村"))
        if f"{name}_{role}" in roles
    }
