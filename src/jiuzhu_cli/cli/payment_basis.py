"""Why a paid line had its amount (发放依据), as it was frozen when the batch was drafted; for ``show`` and ``explain``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jiuzhu_cli.core.money import yuan

_PARTS = (("base_fen", "基本"), ("addon_fen", "分类施保、加发"), ("care_fen", "照料护理"))


def source(payment: Mapping[str, Any]) -> str:
    """Roll and row, decision, persons and parts, agreement: what is the line's own. '' for lines of before bases were kept."""
    basis, parts = payment["basis"], payment["parts"] or {}
    if not basis:
        return ""
    told = [f"{basis['roll']['file']}" + (f" 第 {payment['source_row']} 行" if payment["source_row"] else "")]
    if parts.get("persons", 0) > 1:
        told.append(f"{parts['persons']} 人")
    told += [f"{word} {yuan(parts[key])} 元" for key, word in _PARTS if parts.get(key)]
    if "agreement" in parts:
        told.append("按代领协议")
    if "case" in basis:
        case = basis["case"]
        told.append(f"复核决定 {case['case_id']}（{case['effective_month']} 起 {yuan(case['amount_after_fen'])} 元）")
    return "，".join(told)


def standards(payment: Mapping[str, Any]) -> str:
    """The amounts of that day with since when, and which policy it was; switches, months and noughts are in --json."""
    basis = payment["basis"]
    if not basis:
        return ""
    told = [
        f"{one['parameter']} {one['value']}{one['unit']}（{one['since']} 起{'' if one['confirmed'] else '，请核对'}）"
        for one in basis["parameters"]
        if one["unit"].startswith("元") and one["value"].strip("0.")
    ]
    return "；".join([*told, f"政策版本 {basis['policy'][:12]}"])
