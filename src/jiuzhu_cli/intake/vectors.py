"""Fields of a table as vectors: texts or whole numbers in Arrow, single values as Python's where somebody asks.

A large ledger never becomes Python objects cell by cell: what is done to all rows is done by ``array`` and ``valid``, what
concerns a few rows reads and sets them by index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_COUNTS = frozenset(("household_size", "covered_persons", "months_paid", "age", "age_in_month"))


def type_of(name: str) -> pa.DataType:
    """The type of a field that nothing is known of but its name: amounts and counts are whole numbers, the rest is text."""
    return pa.int64() if name.endswith("_fen") or name in _COUNTS else pa.string()


class Vector(Sequence[Any]):
    """The values of one field: ``str`` or ``int``, None where there is none. Equal to a list of the same values."""

    __slots__ = ("_array", "_new")

    def __init__(self, array: pa.Array) -> None:
        self._array = array
        self._new: dict[int, Any] = {}  # set by index since

    @classmethod
    def of(cls, values: Vector | pa.Array | Sequence[Any], name: str = "") -> Vector:
        """From any sequence; ``name`` tells the type of the field where it holds nothing."""
        if isinstance(values, Vector):
            return values
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        array = values if isinstance(values, pa.Array) else pa.array(values)
        return cls(array.cast(type_of(name)) if pa.types.is_null(array.type) else array)

    @property
    def array(self) -> pa.Array:
        """All values: Arrow string or int64."""
        if self._new:
            index = sorted(self._new)
            changed = np.zeros(len(self._array), dtype=bool)
            changed[index] = True
            values = pa.array([self._new[place] for place in index], type=self._array.type)
            self._array, self._new = pc.replace_with_mask(self._array, changed, values), {}
        return self._array

    @property
    def valid(self) -> np.ndarray:
        """Which rows have a value."""
        array = self.array
        if not array.null_count:
            return np.ones(len(array), dtype=bool)
        return np.asarray(array.is_valid().to_numpy(zero_copy_only=False))

    @property
    def blanks(self) -> int:
        """How many rows have no value."""
        return int(self.array.null_count)

    @property
    def numbers(self) -> np.ndarray:
        """Whole numbers, 0 where there is none."""
        array = self.array
        return np.asarray((array.fill_null(0) if array.null_count else array).to_numpy())

    def total(self, rows: np.ndarray) -> int:
        """The sum over ``rows`` (a mask), however large."""
        numbers = self.numbers[rows]
        safe = len(numbers) * max(int(numbers.max(initial=0)), -int(numbers.min(initial=0))) < 2**63
        return int(numbers.sum()) if safe else sum(numbers.tolist())

    def times(self, counts: Vector, most: int) -> Vector:
        """Multiplied row by row; None where either is or the product would be more than ``most``."""
        fits = self.numbers <= most // np.maximum(counts.numbers, 1)
        return Vector(pc.multiply(self.where(fits).array, counts.array))

    def codes(self) -> np.ndarray:
        """Equal values as equal numbers, from 0 in order of appearance; -1 where there is none."""
        return codes_of(self.array)

    def distinct(self) -> list[Any]:
        """Every value once, in order of appearance, None among them if there is one."""
        return list(self.array.unique().to_pylist())

    def map(self, read: Callable[[Any], Any], kind: pa.DataType | None = None) -> Vector:
        """What ``read`` makes of each value, each distinct one (and None) read once."""
        if self and self.blanks == len(self):
            return Vector(pa.repeat(pa.scalar(read(None), kind or self._array.type), len(self)))
        coded = self.array.dictionary_encode("encode")
        made = pa.array([read(value) for value in coded.dictionary.to_pylist()], type=kind or self._array.type)
        return Vector(made.take(coded.indices))

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self.array[index].to_pylist()
        return self._new[index] if index in self._new else self._array[index].as_py()

    def __setitem__(self, index: int, value: Any) -> None:
        self._new[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.tolist() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Vector({self.tolist()!r})"

    def tolist(self) -> list[Any]:
        """All as Python values: for small tables and few rows."""
        return list(self.array.to_pylist())

    def copy(self) -> Vector:
        """The same values, to be changed by themselves."""
        return Vector(self.array)

    def take(self, rows: np.ndarray) -> Vector:
        """The values at ``rows``; None at -1."""
        return Vector(self.array.take(pa.array(rows, mask=rows < 0)))

    def where(self, keep: np.ndarray, other: Vector | None = None) -> Vector:
        """The values where ``keep``, elsewhere those of ``other`` or none."""
        if keep.all():
            return self
        return Vector(pc.if_else(keep, self.array, pa.scalar(None, self._array.type) if other is None else other.array))

    def filled(self, other: Vector) -> Vector:
        """The values, and where there is none those of ``other``."""
        return Vector(pc.coalesce(self.array, other.array)) if self.blanks else self

    def equals(self, other: Vector) -> np.ndarray:
        """Where both say the same, and something."""
        return is_true(pc.equal(self.array, other.array))

    def alike(self, other: Vector) -> np.ndarray:
        """Where both say the same or nothing."""
        return np.asarray(self.equals(other) | ~(self.valid | other.valid))


class Fields(dict[str, Vector]):
    """Vectors by field; what is put in becomes one."""

    def __setitem__(self, name: str, values: Any) -> None:
        super().__setitem__(name, Vector.of(values, name))

    def setdefault(self, name: str, values: Any = None) -> Vector:
        if name not in self:
            self[name] = values
        return self[name]


def nothing(name: str, size: int) -> Vector:
    """No value in any of ``size`` rows."""
    return Vector(pa.nulls(size, type_of(name)))


def same(name: str, value: Any, size: int) -> Vector:
    """One value in all of ``size`` rows."""
    return Vector(pa.repeat(pa.scalar(value, type_of(name)), size))


def codes_of(array: pa.Array) -> np.ndarray:
    """See ``Vector.codes``."""
    coded = array.dictionary_encode().indices
    return np.asarray((coded.fill_null(-1) if coded.null_count else coded).to_numpy())


def is_true(array: pa.BooleanArray) -> np.ndarray:
    """A vector of truth as numpy's; unknown is false."""
    return np.asarray((array.fill_null(False) if array.null_count else array).to_numpy(zero_copy_only=False))
