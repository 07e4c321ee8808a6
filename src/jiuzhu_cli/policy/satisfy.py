"""Whether a rule's condition can ever be true, or ever be false: asked without any person, over the values at which something changes.

``possible([(expression, truth), …])``: can all of them have these truths at once, for some values of their words? The condition is taken
apart into atoms (a word or ``coalesce(word, constant)`` against a constant or another such word, a flag, ``is null``); of each way
to make it true (its disjunctive normal form) the values around every constant are tried, those of words that are compared with each other together.
An atom of another make (arithmetic, a function, ``like``) is taken as free, equal texts of it alike: so "impossible" is always right, while
an impossibility that lies in arithmetic, or in what the words mean (a household of 0 persons), is not seen. More than ``LIMIT`` ways or ``ROWS`` combinations: not decided.
Words may be unknown (NULL) unless they are parameters; a parameter without a ``fixed`` value stands for any value it may be given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.expression import parse, word_of
from jiuzhu_cli.policy.vocabulary import BOUNDS, KINDS

if TYPE_CHECKING:
    from sqlglot.exp import Expression

LIMIT = 4_000  # ways to make a condition true
ROWS = 400_000  # combinations of values tried in all
_FRESH = "\uffff"  # stands for a text that no rule names
_OPERATORS = {
    "EQ": lambda a, b: a == b, "NEQ": lambda a, b: a != b, "LT": lambda a, b: a < b, "LTE": lambda a, b: a <= b, "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
}  # fmt: skip
_FLIPPED = {"EQ": "EQ", "NEQ": "NEQ", "LT": "GT", "LTE": "GTE", "GT": "LT", "GTE": "LTE"}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: ``word`` ('' none), and ``value`` the constant, or what stands for an unknown word."""

    word: str
    value: Any = None

    def of(self, values: Mapping[str, Any]) -> Any:
        found = values[self.word] if self.word else None
        return self.value if found is None else found


@dataclass(frozen=True, slots=True)
class Atom:
    """``kind``: compare, flag, null, or free (a word of its own that no other atom shares but by the same text)."""

    kind: str
    left: Side
    operator: str = ""
    right: Side = Side("")

    def words(self) -> set[str]:
        return {side.word for side in (self.left, self.right) if side.word}

    def holds(self, values: Mapping[str, Any]) -> bool | None:
        if self.kind == "null":
            return values[self.left.word] is None
        left = self.left.of(values)
        if self.kind == "flag":
            return left if isinstance(left, bool) else None
        right = self.right.of(values)
        if left is None or right is None:
            return None
        return bool(_OPERATORS[self.operator](left, right))


class TooManyError(Exception):
    """There are more ways than are tried."""


class Conditions:
    """``kinds``: words of which kind; ``parameters``: names whose value is any (None) or fixed."""

    def __init__(self, parameters: Mapping[str, Any], kinds: Mapping[str, str] = KINDS) -> None:
        self.parameters, self.kinds = parameters, kinds
        self._rows = 0

    def possible(self, wanted: Iterable[tuple[str, bool]]) -> bool | None:
        """Whether all of (expression, truth) can be at once; None: not decided. PolicyError when one is no expression."""
        trees = [(parse(text), truth) for text, truth in wanted]
        tried = self._rows = 0
        try:
            for way in self._ways(trees, []):
                tried += 1
                if tried > LIMIT:
                    return None
                if self._together(way):
                    return True
        except (TooManyError, RecursionError):
            return None
        return False

    # ---- taking apart -------------------------------------------------------------------------------------

    def _ways(
        self, waiting: list[tuple[Expression, bool]], found: list[tuple[Atom, bool]]
    ) -> Iterator[list[tuple[Atom, bool]]]:
        """Each list of atoms with their truths that makes all that waits come true."""
        from sqlglot import exp

        waiting = list(waiting)
        found = list(found)
        while waiting:
            node, truth = waiting.pop()
            if isinstance(node, exp.Paren):
                waiting.append((node.this, truth))
            elif isinstance(node, exp.Not):
                waiting.append((node.this, not truth))
            elif isinstance(node, exp.And | exp.Or):
                sides = [(node.this, truth), (node.expression, truth)]
                if isinstance(node, exp.And) == truth:
                    waiting += sides
                    continue
                for side in sides:
                    yield from self._ways([*waiting, side], found)
                return
            elif isinstance(node, exp.Between):
                low = exp.GTE(this=node.this, expression=node.args["low"])
                high = exp.LTE(this=node.this, expression=node.args["high"])
                waiting.append((exp.And(this=low, expression=high), truth))
            elif isinstance(node, exp.In) and node.expressions:
                tree: Expression = exp.EQ(this=node.this, expression=node.expressions[0])
                for one in node.expressions[1:]:
                    tree = exp.Or(this=tree, expression=exp.EQ(this=node.this, expression=one))
                waiting.append((tree, truth))
            elif isinstance(node, exp.Boolean):
                if bool(node.this) != truth:
                    return
            else:
                atom = self._atom(node)
                if isinstance(atom, bool):
                    if atom != truth:
                        return
                elif (atom, not truth) in found:
                    return
                else:
                    found.append((atom, truth))
        yield found

    def _atom(self, node: Expression) -> Atom | bool:
        from sqlglot import exp

        if isinstance(node, exp.Column):
            side = self._side(node)
            if side is not None and not side.word:
                return bool(side.value)
            return Atom("flag", Side(word_of(node)))
        if isinstance(node, exp.Is) and isinstance(node.this, exp.Column) and isinstance(node.expression, exp.Null):
            word = word_of(node.this)
            return False if word in self.parameters else Atom("null", Side(word))
        name = type(node).__name__
        if name in _OPERATORS:
            left, right = self._side(node.this), self._side(node.expression)
            if left is not None and right is not None:
                if not left.word and not right.word:
                    return bool(_OPERATORS[name](left.value, right.value))
                return Atom("compare", left, name, right)
            first, second = (side.sql(dialect="duckdb") for side in (node.this, node.expression))
            if first > second:
                first, second, name = second, first, _FLIPPED[name]
            return Atom("compare", Side(f"§{first} − {second}"), name, Side("", Fraction(0)))
        return Atom("flag", Side(f"§{node.sql(dialect='duckdb')}"))

    def _side(self, node: Expression) -> Side | None:
        """None when it is neither a word, a constant, nor ``coalesce(word, constant)``."""
        from sqlglot import exp

        if isinstance(node, exp.Paren):
            return self._side(node.this)
        if isinstance(node, exp.Column):
            fixed = self.parameters.get(word_of(node))
            return Side(word_of(node)) if fixed is None else Side("", _constant(fixed))
        if isinstance(node, exp.Boolean):
            return Side("", bool(node.this))
        if isinstance(node, exp.Literal) and node.is_string:
            return Side("", str(node.this))
        if isinstance(node, exp.Coalesce) and len(node.expressions) == 1:
            word, other = self._side(node.this), self._side(node.expressions[0])
            if word is not None and word.word and word.value is None and other is not None and not other.word:
                return word if word.word in self.parameters else Side(word.word, other.value)
            return None
        return self._number(node)

    def _number(self, node: Expression) -> Side | None:
        from jiuzhu_cli.policy.formula import exactly

        fixed = {
            name: value
            for name, value in self.parameters.items()
            if isinstance(value, Decimal | int) and not isinstance(value, bool)
        }
        try:
            return Side("", exactly(node, fixed))
        except PolicyError:
            return None

    # ---- trying values ------------------------------------------------------------------------------------

    def _together(self, way: Sequence[tuple[Atom, bool]]) -> bool:
        """Whether some values give all atoms their truths. Words that no atom joins are tried apart."""
        groups: list[tuple[set[str], list[tuple[Atom, bool]]]] = []
        for atom, truth in way:
            words, atoms = atom.words(), [(atom, truth)]
            apart = []
            for other, listed in groups:
                if other & words:
                    words, atoms = words | other, atoms + listed
                else:
                    apart.append((other, listed))
            groups = [*apart, (words, atoms)]
        return all(self._found(sorted(words), atoms) for words, atoms in groups)

    def _found(self, words: list[str], atoms: list[tuple[Atom, bool]]) -> bool:
        grids = self._grids(words, [atom for atom, _ in atoms])
        for row in product(*(grids[word] for word in words)):
            self._rows += 1
            if self._rows > ROWS:
                raise TooManyError
            values = dict(zip(words, row, strict=True))
            if all(atom.holds(values) is truth for atom, truth in atoms):
                return True
        return False

    def _grids(self, words: list[str], atoms: list[Atom]) -> dict[str, list[Any]]:
        constants = {side.value for atom in atoms if atom.kind == "compare" for side in (atom.left, atom.right)} - {
            None
        }
        flags = {atom.left.word for atom in atoms if atom.kind == "flag"} | {
            word for word in words if self.kinds.get(word) == "flag" or isinstance(self.parameters.get(word), bool)
        }
        texts = {one for one in constants if isinstance(one, str)}
        numbers = {Fraction(one) for one in constants if isinstance(one, Fraction)}
        for word in words:
            numbers |= {Fraction(one) for one in BOUNDS.get(word.removeprefix("乙"), ()) if one is not None}
        grids: dict[str, list[Any]] = {}
        for word in words:
            unknown = [] if word in self.parameters else [None]
            if word in flags or any(isinstance(one, bool) for one in constants):
                grids[word] = [True, False, *unknown]
            elif texts or self.kinds.get(word) in ("text", "date"):
                grids[word] = [*_texts(texts, len(words)), *unknown]
            else:
                grids[word] = [*self._numbers(word, numbers, len(words)), *unknown]
        return grids

    def _numbers(self, word: str, constants: set[Fraction], many: int) -> list[Fraction]:
        """The constants, and ``many`` values in every gap, below and above: within the word's bounds, whole where it counts."""
        kind = self.kinds.get(word, "")
        low, high = BOUNDS.get(
            word.removeprefix("乙"), (0 if kind == "money" or word in self.parameters else None, None)
        )
        marks = sorted(constants) or [Fraction(0)]
        points = set(marks)
        for first, second in pairwise(marks):
            points |= {first + (second - first) * n / (many + 1) for n in range(1, many + 1)}
            points |= {
                Fraction(whole)
                for whole in range(first.__floor__() + 1, min(second.__ceil__(), first.__floor__() + 1 + many))
            }
        points |= {Fraction(marks[0].__floor__() - n) for n in range(1, many + 1)}
        points |= {Fraction(marks[-1].__ceil__() + n) for n in range(1, many + 1)}
        counts = kind == "number" and word not in self.parameters
        return sorted(
            one for one in points
            if (low is None or one >= low) and (high is None or one <= high) and not (counts and one.denominator != 1)
        )  # fmt: skip


def _texts(constants: set[str], many: int) -> list[str]:
    """The texts named, one just after each, the empty one, and ``many`` that no rule names."""
    return sorted({"", *constants, *(one + "0" for one in constants), *(_FRESH + str(n) for n in range(many))})


def _constant(value: Any) -> Any:
    return value if isinstance(value, bool | str) else Fraction(value)
