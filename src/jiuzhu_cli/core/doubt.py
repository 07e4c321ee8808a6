"""The words of doubts (疑点): their kinds, what a clerk may find of one (处理结果), which side stops, and what follows for payment.

A verdict has two parts. The *result* says what was found; the *side* says who is to stop, where somebody is. Both together give the
*disposition*, which is all that payment and review read: what happens. One table each; nothing else lists kinds or results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """``blocks``: a strong doubt without a result holds the payments it names. ``by_run``: ``dedupe run`` finds it, others are left alone.

    ``stoppable``: somebody is paid who could be stopped. ``confirmed``: how the clerk says that it is true.
    """

    name: str
    blocks: bool = True
    by_run: bool = True
    stoppable: bool = True
    confirmed: str = "属实"


KINDS: dict[str, Kind] = {
    "double": Kind("重复享受", confirmed="双重享受"),
    "after_event": Kind("去世等后仍发放"),
    "claim": Kind("身份不符"),
    "account": Kind("账户异常"),
    "missed": Kind("应享未享", blocks=False, stoppable=False),
    "same_person": Kind("疑似同一人", blocks=False, confirmed="双重享受"),
    "household": Kind("家庭户疑点", blocks=False),
    "kinship": Kind("近亲属未备案", blocks=False),
}
RUN_KINDS = tuple(code for code, kind in KINDS.items() if kind.by_run)
BLOCKING_KINDS = tuple(code for code, kind in KINDS.items() if kind.blocks)


@dataclass(frozen=True, slots=True)
class Result:
    """``sides``: it may say which side. ``after``: what happens to the payment, for the legend and the manual."""

    label: str
    means: str
    after: str
    sides: bool = False


RESULTS: dict[str, Result] = {
    "pending": Result("待核实", "还没有结论（缺省）", "强疑点拦住双方当月的款，核实前不发；待核线索和应享未享不拦"),
    "confirmed": Result(
        "双重享受",
        "核实属实，不该同时享受（死亡、身份、账户等疑点写“属实”，意思相同）",
        "写明停发哪一方的，拦住那一方，复核出停发建议，先听取意见并书面告知（社会救助法第48条）；没写的，双方都先不发，写明为止",
        sides=True,
    ),
    "allowed": Result("允许叠加", "核实后可以同时享受", "照发，以后各月不再作待核实列出"),
    "not_same": Result("非同一人", "两条记录不是同一个人", "照发，以后各月不再列出；号码填错的请更正名册"),
    "stopped": Result("已停发", "这一方已经办了停发", "拦住这一方当月的款；以后名册上又有，疑点退回待核实", sides=True),
    "recovered": Result(
        "已追回", "多发的钱已经追回", "同“已停发”，并且追缴清单（pay recover）不再列这几个月的款", sides=True
    ),
    "false_alarm": Result("误报", "核实后不存在这个问题", "照发，以后各月不再列出"),
    "referred": Result("已转部门办理", "由其他部门处理", "照发"),
}
SIDES = {"a": "甲方", "b": "乙方", "both": "双方", "adjust": "调整金额"}

# words of workbooks of version 0.1, which said both in one column: label → (result, side)
OLD_WORDS = {
    "合规不处理": ("allowed", ""),
    "停发甲方": ("confirmed", "a"),
    "停发乙方": ("confirmed", "b"),
    "停发双方": ("confirmed", "both"),
    "调整金额": ("confirmed", "adjust"),
}
RELEASED = ("legal", "referred")
# what follows, in words: dispositions that ``disposition_of`` gives
DISPOSITIONS = {
    "pending": "待核实",
    "legal": "照发",
    "referred": "已转部门办理",
    "confirmed": "双方先不发",
    "adjust": "调整金额",
}
DISPOSITIONS |= {f"stop_{side}": f"停发{SIDES[side]}" for side in ("a", "b", "both")}
DISPOSITIONS |= {f"stopped_{side}": f"{SIDES[side]}已停发" for side in ("a", "b", "both")}
DISPOSITIONS |= {f"recovered_{side}": f"{SIDES[side]}已追回" for side in ("a", "b", "both")}


def disposition_of(result: str, side: str, *, stoppable: bool = True) -> str:
    """What follows from a verdict: ``pending``, ``legal`` and ``referred`` (paid), ``confirmed`` (both sides held until a side is told),
    ``stop_SIDE`` (held, and a stop proposal), ``adjust`` (held until an amount changes), ``stopped_SIDE``, ``recovered_SIDE`` (held, done).
    """
    if result in ("pending", "referred"):
        return result
    if result == "confirmed":
        if not stoppable:
            return "referred"
        return "adjust" if side == "adjust" else f"stop_{side}" if side else "confirmed"
    return f"{result}_{side}" if result in ("stopped", "recovered") else "legal"


def verdict_of(doubt: Mapping[str, Any]) -> tuple[str, str]:
    """(result, side) of a doubt's row. Rows without ``result`` (older programs) are read from their disposition."""
    disposition = doubt["disposition"]
    action, _, side = disposition.partition("_")
    result = doubt["result"] or {
        "pending": "pending",
        "legal": "allowed",
        "referred": "referred",
        "stopped": "stopped",
        "recovered": "recovered",
    }.get(action, "confirmed")
    return result, "adjust" if disposition == "adjust" else side


def result_label(kind: str, result: str) -> str:
    """How the result is called for doubts of ``kind``."""
    if result == "confirmed" and kind in KINDS:
        return KINDS[kind].confirmed
    return RESULTS[result].label if result in RESULTS else result


def result_choices(kind: str) -> tuple[str, ...]:
    """What the workbook offers for doubts of ``kind``. Whatever the kind, ``双重享受`` is understood as its word for true."""
    told = KINDS[kind]
    if not told.stoppable:
        return tuple(result_label(kind, code) for code in ("pending", "confirmed", "false_alarm", "referred"))
    words = dict.fromkeys((RESULTS["pending"].label, told.confirmed, *(r.label for r in RESULTS.values())))
    return tuple(words)


def verdict_label(doubt: Mapping[str, Any]) -> str:
    """``双重享受（停发乙方）``, ``已停发（甲方）``, ``允许叠加`` …"""
    result, side = verdict_of(doubt)
    label = result_label(doubt["kind"], result)
    if not side:
        return label
    return f"{label}（{'停发' if result == 'confirmed' and side != 'adjust' else ''}{SIDES[side]}）"


def payable_sides(doubt: Mapping[str, Any]) -> tuple[str, ...]:
    """The sides of a doubt that are paid something: not a register's entry, not what somebody lacks."""
    if doubt["kind"] in KINDS and not KINDS[doubt["kind"]].stoppable:
        return ()
    return tuple(
        side
        for side in ("a", "b")
        if doubt[f"id_no_{side}"] and not str(doubt[f"programme_{side}"]).startswith("register:")
    )


def effect_on(disposition: str, side: str) -> str:
    """What a disposition does to one side: ``pending``, ``stop``, ``done`` (stopped already), ``adjust``, ``undecided``, ``release``."""
    if disposition in ("pending", "adjust"):
        return disposition
    if disposition == "confirmed":
        return "undecided"
    action, _, sides = disposition.partition("_")
    if sides in (side, "both"):
        return "stop" if action == "stop" else "done"
    return "release"
