"""Checks of what rules say: conditions that hold for nobody or for everybody, words in quotes that no list has, relations that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.expression import parse, shown, word_of, words_of
from jiuzhu_cli.policy.model import Programme, Relation, Shape
from jiuzhu_cli.policy.parts import Folder, Listed, parts_of
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.satisfy import Conditions
from jiuzhu_cli.policy.vocabulary import CHOICES
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

CONDITIONS = ("expression", "when", "lines")  # fields of a shape that are true or false
CONTRADICTORY = {
    frozenset(pair) for pair in ("XS", "XE", "XT", "XH", "TS", "TH", "HS")
}  # C asks to look; E beside T, H, S is well
KIND_WORDS = {"X": "互斥", "T": "补差", "H": "择高", "S": "可叠加", "E": "应享", "C": "候选"}


class Condition(NamedTuple):
    """One condition of any kind of data. ``categories``: what 类别 and 乙类别 may be, where the programmes are known."""

    where: str
    text: str
    since: date | None
    categories: Mapping[str, frozenset[str]]


def check_conditions(policy: Policy, today: date) -> Iterator[Problem]:
    """Conditions that nobody or everybody meets, whatever values the parameters have; or with this region's value of one of them."""
    decided: dict[tuple[str, tuple[tuple[str, Any], ...]], tuple[bool | None, bool | None]] = {}
    for one in conditions_of(policy):
        try:
            words = words_of(one.text)
            texts = list(_texts(one.text))
        except PolicyError:  # said where its words are checked
            continue
        for word, text in texts:
            known = one.categories.get(word) or CHOICES.get(word.removeprefix("乙"))
            if known and text not in known:
                yield Problem(
                    "warning", one.where, f"“{word}”没有“{text}”这个写法{near(text, known)}：{shown(one.text)}"
                )
        names = [word for word in words if word in policy.parameters.names()]
        free = dict.fromkeys(names)
        can_hold, can_fail = _decided(decided, one.text, free)
        if can_hold is False:
            yield Problem("error", one.where, f"条件怎么都不会成立：{shown(one.text)}")
        elif can_fail is False:
            yield Problem("warning", one.where, f"条件总是成立，等于没有写：{shown(one.text)}")
        else:
            yield from _fixed(policy, one, names, max(today, one.since or today), decided)


def _fixed(policy: Policy, one: Condition, names: list[str], day: date, decided: dict[Any, Any]) -> Iterator[Problem]:
    """With one parameter at its value: 0 and switches say that a place has no such thing, so they are no slip."""
    for name in names:
        try:
            value = policy.parameter_or_none(name, day)
        except PolicyError:  # said where the formula stands
            continue
        if value is None or isinstance(value.value, bool) or value.value == 0:
            continue
        if _decided(decided, one.text, dict.fromkeys(names) | {name: value.value})[0] is False:
            text = f"“{name}”是 {value.value}{value.unit}（{value.file}），这个条件不会成立：{shown(one.text)}"
            yield Problem("warning", one.where, text)


def _decided(known: dict[Any, Any], text: str, parameters: dict[str, Any]) -> tuple[bool | None, bool | None]:
    key = (text, tuple(parameters.items()))
    if key not in known:
        conditions = Conditions(parameters)
        known[key] = (conditions.possible([(text, True)]), conditions.possible([(text, False)]))
    found: tuple[bool | None, bool | None] = known[key]
    return found


def conditions_of(policy: Policy) -> Iterator[Condition]:
    """Every condition in the data, of whatever kind; a plain true or false is how a rule is switched on or off."""
    for kind, part in parts_of(type(policy)).items():
        if part.judges and isinstance(part, Folder | Listed):
            entries = getattr(policy, kind)
            for entry in entries.values() if isinstance(entries, Mapping) else entries:
                yield from _within(policy, entry, entry.at(_named(entry)), entry)


def _within(policy: Policy, shape: Shape, where: str, owner: Shape) -> Iterator[Condition]:
    for field in type(shape).model_fields:
        value = getattr(shape, field)
        if (
            field in CONDITIONS
            and isinstance(value, str)
            and value.strip()
            and value.strip().lower() not in ("true", "false")
        ):
            yield Condition(where, value, getattr(shape, "since", None), _categories(policy, shape, owner))
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Shape):
                yield from _within(policy, inner, f"{where}“{_named(inner)}”", owner)


def _named(entry: Shape) -> str:
    return next(
        (str(value) for key in ("id", "name", "code") if (value := getattr(entry, key, ""))), type(entry).__name__
    )


def _categories(policy: Policy, shape: Shape, owner: Shape) -> dict[str, frozenset[str]]:
    """What 类别 may be: of a programme's own rules, of the programmes that a relation, check or event is about."""
    if isinstance(owner, Programme):
        sides = {"类别": (owner.code,)}
    elif isinstance(shape, Relation):
        sides = {"类别": (shape.a.removeprefix("stopped:"),), "乙类别": (shape.b,)}
    else:
        sides = {"类别": tuple(getattr(shape, "on", ()) or ())}
    found = {}
    for word, codes in sides.items():
        known = [frozenset(policy.programmes[code].categories) for code in codes if code in policy.programmes]
        if codes and len(known) == len(codes) and all(known):
            found[word] = frozenset().union(*known)
    return found


def _texts(text: str) -> Iterator[tuple[str, str]]:
    """(word, text in quotes) wherever a word is compared with a text."""
    from sqlglot import exp

    for node in parse(text).find_all(exp.EQ, exp.NEQ, exp.In):
        others = node.expressions if isinstance(node, exp.In) else [node.expression]
        word = node.this.this if isinstance(node.this, exp.Coalesce) else node.this
        if not isinstance(word, exp.Column) and len(others) == 1:
            word, others = others[0], [node.this]
        if isinstance(word, exp.Column):
            yield from (
                (word_of(word), str(one.this)) for one in others if isinstance(one, exp.Literal) and one.is_string
            )


def check_contradictions(policy: Policy, today: date) -> Iterator[Problem]:
    """Two relations of one pair at one level that cannot both be meant: both in force on some day, and true of the same person."""
    pairs: dict[tuple[frozenset[str], str], list[Relation]] = {}
    for relation in policy.relations:
        pairs.setdefault((frozenset((relation.a, relation.b)), relation.level), []).append(relation)
    for (sides, _), same in pairs.items():
        if len(sides) == 1:  # a programme beside itself: how often a month, and what its own line wants, are two things
            continue
        for number, first in enumerate(same):
            for second in same[number + 1 :]:
                kinds = frozenset((first.kind, second.kind))
                alike = first.kind == second.kind and first.kind in "XTHS" and not (first.within or second.within)
                if kinds in CONTRADICTORY or alike:
                    yield from _pair(policy, first, second, today, alike=alike)


def _pair(policy: Policy, first: Relation, second: Relation, today: date, *, alike: bool) -> Iterator[Problem]:
    since = [one.since for one in (first, second) if one.since]
    until = [one.until for one in (first, second) if one.until]
    begin = max(since) if since else None
    if begin and until and begin > min(until):
        return
    day = max(begin or today, today)
    day = min([day, *until])
    if not all(policy.switch(one.switch, day) for one in (first, second)):
        return
    turned = first.a != second.a
    wanted = [
        (first.when or "true", True),
        (_turned(second.when) if turned and second.when else second.when or "true", True),
    ]
    try:
        names = [word for text, _ in wanted for word in words_of(text) if word in policy.parameters.names()]
        if Conditions(dict.fromkeys(names)).possible(wanted) is not True:
            return
    except PolicyError:  # said where its words are checked
        return
    what = f"{_sided(policy, first.a)}与{_sided(policy, first.b)}"
    if alike:
        yield Problem(
            "warning",
            second.at(f"关系 {second.id}"),
            f"与 {first.id}（{first.file}）重复：{what}都写了{KIND_WORDS[first.kind]}，条件可以同时成立",
        )
        return
    text = f"与 {first.id}（{first.file}）矛盾：{what}既{KIND_WORDS[first.kind]}又{KIND_WORDS[second.kind]}，条件可以同时成立"
    yield Problem("error", second.at(f"关系 {second.id}"), text)


def _turned(when: str) -> str:
    """A condition told from the other side: 乙's words without 乙, the others with it (words of the person are the same on both)."""
    from jiuzhu_cli.policy.vocabulary import ROW

    def renamed(node: Any) -> Any:
        from sqlglot import exp

        if isinstance(node, exp.Column):
            word = word_of(node)
            other = word.removeprefix("乙") if word.startswith("乙") else "乙" + word if word in ROW else word
            return exp.column(exp.to_identifier(other, quoted=True))
        return node

    return str(parse(when).transform(renamed).sql(dialect="duckdb"))


def _sided(policy: Policy, side: str) -> str:
    kind, _, code = side.rpartition(":")
    known = policy.registers.get(code) if kind == "register" else policy.programmes.get(code)
    return f"{'以前的' if kind == 'stopped' else ''}{known.name}" if known else side
