"""Keeping libraries from loading others that a command does not need."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from types import ModuleType
from typing import Any


class _Missing:
    """Among ``sys.meta_path``: as if the packages were not installed; as a context manager, until it ends."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"{fullname} is not wanted here", name=fullname)

    def __enter__(self) -> _Missing:
        return self

    def __exit__(self, *_: object) -> None:
        finders: list[Any] = sys.meta_path
        if self in finders:
            finders.remove(self)


def without(*names: str) -> _Missing:
    """From now on, or within ``with``, the packages ``names`` cannot be imported, if they are not loaded yet.

    Arrow looks for pandas on the first array it makes from Python values, which takes longer than reading a file.
    """
    finder = _Missing(frozenset(names) - sys.modules.keys())
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]  # importlib.abc would load tempfile, random …
    return finder


class _Unmasked(ModuleType):
    """In place of ``numpy.ma`` until somebody wants more of it than to know that an array is no masked one."""

    MaskedArray = type("MaskedArray", (), {})  # nothing is one while the real module is not loaded

    @staticmethod
    def is_masked(_: Any) -> bool:
        """What ``numpy.unique`` asks."""
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("numpy.ma"), name)


def without_masked() -> None:
    """Arrow asks of each numpy array whether it is masked, which would load ``numpy.ma``: that takes as long as reading five files."""
    import numpy

    if "numpy.ma" not in sys.modules:
        numpy.ma = _Unmasked("numpy.ma")  # type: ignore[misc,assignment]


class _StandIn(ModuleType):
    """In place of a module of which loading others needs next to nothing; whoever wants more of it gets it from the module."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what importing asks of every module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


_STAND_INS: dict[str, dict[str, Any]] = {
    "numpy._core._add_newdocs": {},  # help texts of numpy
    "numpy._core._add_newdocs_scalars": {},
    "pyarrow.vendored.docscrape": {
        "NumpyDocString": lambda _: {"Parameters": ()}
    },  # help texts of Arrow's 300 functions
    "pydantic.plugin._loader": {"get_plugins": tuple},  # looks through all packages that are installed
}


def put_stand_ins() -> None:
    """From now on libraries load without what only people at a Python prompt would read: that took as long as reading ten files."""
    for name, held in _STAND_INS.items():
        if name not in sys.modules:
            sys.modules[name] = module = _StandIn(name)
            vars(module).update(held)


def share_charsets() -> None:
    """From now on ``re`` works out a set of characters once, not anew for each pattern that has it.

    Of Chinese characters it takes half a millisecond, and the patterns of an import have fifty such sets.
    """
    compiler: Any = getattr(re, "_compiler", None)
    work_out = getattr(compiler, "_optimize_charset", None)
    if work_out is None:  # another Python
        return
    known: dict[str, tuple[list[Any], bool]] = {}

    def shared(charset: Any, *rest: Any) -> tuple[list[Any], bool]:
        if any(one is not None for one in rest):  # whatever the case of letters
            return work_out(charset, *rest)  # type: ignore[no-any-return]
        key = repr(charset)
        if key not in known:
            known[key] = work_out(charset, *rest)
        found, cased = known[key]
        return found.copy(), cased

    compiler._optimize_charset = shared


_SELDOM = frozenset(("__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"))  # not __init__


def put_off_methods() -> None:
    """From now on ``dataclasses`` compiles a method when it is first called.

    An import has a hundred such classes with six methods each, and compares or shows objects of hardly any of them.
    """
    work_out = getattr(dataclasses, "_create_fn", None)
    if work_out is None:  # another Python
        return

    def create(name: str, args: Any, body: Any, **more: Any) -> Any:
        if name not in _SELDOM:
            return work_out(name, args, body, **more)
        made: list[Any] = []

        def method(*given: Any) -> Any:
            if not made:
                made.append(work_out(name, args, body, **more))
            return made[0](*given)

        method.__name__ = name
        return method

    dataclasses._create_fn = create  # type: ignore[attr-defined]
