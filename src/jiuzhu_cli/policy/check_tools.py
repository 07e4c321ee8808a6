"""What the checks of the policy share: names of sides and parameters, expressions that must compile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.expression import compile_rule, words_of
from jiuzhu_cli.policy.formula import check_units
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.vocabulary import KINDS
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


def check_side(policy: Policy, where: str, side: str) -> Iterator[Problem]:
    """Whether a programme, ``register:CODE`` or ``stopped:CODE`` exists."""
    kind, _, code = side.rpartition(":")
    known: Mapping[str, object] = policy.registers if kind == "register" else policy.programmes
    if side != "*" and (kind not in ("", "register", "stopped") or code not in known):
        yield Problem("error", where, f"没有叫“{side}”的{'名单' if kind == 'register' else '项目'}{near(code, known)}")


def check_parameter(
    policy: Policy, where: str, key: str, name: str, *, switch: bool = False, unit: str = ""
) -> Iterator[Problem]:
    """Whether a parameter exists, has a value for the region, is a switch, is counted in ``unit``."""
    table = policy.parameters
    if name not in table.names():
        yield Problem("error", where, f"{key} 里的参数“{name}”不存在{near(name, table.names())}")
    elif not table.applies(name):
        yield Problem("warning", where, f"{key} 里的参数“{name}”没有适用于本地区的值")
    else:
        for one in table.chosen(name):
            if switch and not isinstance(one.value, bool):
                yield Problem("error", where, f"{key} 里的“{name}”不是开关（真假）")
                return
            if unit and not one.unit.startswith(unit):
                yield Problem("error", where, f"{key} 里的“{name}”不以{unit}计")
                return


def check_expression(
    policy: Policy, where: str, expression: str, words: Mapping[str, Any], on: date
) -> Iterator[Problem]:
    """Whether a condition compiles over ``words`` and the parameters of that day, and mixes no units."""

    def attempt() -> None:
        used = words_of(expression, where)
        values = policy.values_of(used, words, on, where)
        compile_rule(
            expression, dict.fromkeys(words, "x"), {word: one.value for word, one in values.items()}, where=where
        )
        money = {word for word, one in values.items() if one.unit.startswith("元")}
        check_units(expression, {word for word, kind in KINDS.items() if kind == "money"} | money, set(used), where)

    yield from attempted(where, attempt)


def attempted(where: str, attempt: Callable[[], object]) -> Iterator[Problem]:
    """The PolicyError of ``attempt`` as a problem."""
    try:
        attempt()
    except PolicyError as error:
        yield Problem("error", where, error.message)
