"""The Chinese terms that a relation's ``when`` may use, and the columns they mean (words: ``policy/vocabulary.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import last_day
from jiuzhu_cli.policy.expression import Ratio, compile_rule, fen, words_of

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Check, Claim, Relation

PERSON = {
    "年龄": "a.age",
    "性别": "a.sex",
    "持残疾证": "a.certified",
    "残疾等级": "a.degree",
    "残疾类别": "a.disability",
    "重病": "a.ill",
    "在读": "a.enrolled",
    "危房等级": "a.house",
}
_ROW = {
    "类别": "category",
    "供养方式": "care_mode",
    "自理能力": "self_care",
    "劳动能力": "work_ability",
    "救助原因": "cause",
    "对象类型": "claimed_status",
    "档次": "grade",
    "进度": "stage",
}


def _row(alias: str, prefix: str = "") -> dict[str, str | Ratio]:
    columns: dict[str, str | Ratio] = {prefix + word: f"{alias}.{column}" for word, column in _ROW.items()}
    return columns | {prefix + "金额": fen(f"{alias}.share_fen")}


# what a person is due: there is no side b yet
DUE: dict[str, str | Ratio] = {**PERSON, **_row("a")}
# roll rows on both sides; 乙 marks side b
PAIR: dict[str, str | Ratio] = {**DUE, **_row("b", "乙"), **{"乙" + word: column for word, column in PERSON.items()}}
# side b's words over the row of the other programme, when side a is what is due
OTHER: dict[str, str | Ratio] = {
    **PERSON,
    **_row("a", "乙"),
    **{"乙" + word: column for word, column in PERSON.items()},
}


def condition(relation: Relation, policy: Policy, months: Iterable[str], columns: Mapping[str, str | Ratio]) -> str:
    """The relation's ``when`` as a SQL boolean over a, b; parameters as they stand on each month's last day.

    PolicyError names words that are neither terms nor parameters.
    """
    return compiled(relation.when, relation.at(f"关系 {relation.id} 的条件"), policy, months, columns)


def compiled(when: str, where: str, policy: Policy, months: Iterable[str], columns: Mapping[str, str | Ratio]) -> str:
    """``when`` as a SQL boolean over a.month and ``columns``; ``where`` names it in a PolicyError."""
    if not when.strip():
        return "TRUE"
    words = words_of(when, where)
    found: dict[str, list[str]] = {}
    for month in sorted(months):
        values = {word: one.value for word, one in policy.values_of(words, columns, last_day(month), where).items()}
        found.setdefault(compile_rule(when, columns, values, where=where), []).append(month)
    if len(found) == 1:
        return next(iter(found))
    return "(" + " OR ".join(f"(a.month IN {_texts(held)} AND {sql})" for sql, held in found.items()) + ")"


def in_force(rule: Relation | Check | Claim, policy: Policy, month: str) -> bool:
    """Whether the rule holds in ``month``: its dates where it has any, and its local switch."""
    day = last_day(month)
    since, until = getattr(rule, "since", None), getattr(rule, "until", None)
    if (since and day < since) or (until and day > until):
        return False
    return policy.switch(rule.switch, day)


def _texts(values: Iterable[str]) -> str:
    return "(" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")"
