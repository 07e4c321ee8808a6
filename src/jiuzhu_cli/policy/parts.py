"""Kinds of policy data: what is declared once in ``load.Policy`` — where it lies, its shape — and how it is read.

A kind is a descriptor: ``events = Listed(Event)`` on ``Policy`` reads ``[[events]]`` of ``events.toml``, the bureau's file over the
package's, entry by entry under the same ``id`` and key by key; ``policy check`` then knows file, keys and shape. Nothing else to do.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar, overload

import tomli
from pydantic import ValidationError

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.files import PolicyFiles
from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.words import near

_KINDS = {
    "string": "应是加引号的文字", "bool": "应是 true 或 false", "int": "应是整数", "decimal": "应是数", "float": "应是数", "date": "应是日期，例如 2026-01-01",
    "tuple": "应是列表 [ ]", "list": "应是列表 [ ]", "dict": "应是一组键和值", "model": "应是一组键和值", "greater_than": "太小", "less_than": "太大",
}  # fmt: skip
S = TypeVar("S", bound=Shape)
T = TypeVar("T")


def shape_of(shape: type[S] | str) -> type[S]:
    """A shape itself, or that of ``module:Class`` of this package: making the classes of kinds that a command never asks for took 20 ms."""
    if not isinstance(shape, str):
        return shape
    module, _, name = shape.partition(":")
    found: type[S] = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    return found


class Part(Generic[T]):
    """One kind of data, read when first asked for. ``part``: its folder, or its file; ``key``: its list in the file, '' the whole file.

    ``judges``: cases are judged by it, so a month that was paid keeps its own; what does not judge (how banks want their files, how
    headers are read, how things are said) is always today's.
    """

    def __init__(self, part: str = "", key: str = "", *, judges: bool = True) -> None:
        self.part, self.key, self.name, self.judges = part, key, "", judges

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, policy: None, owner: type) -> Part[T]: ...
    @overload
    def __get__(self, policy: Any, owner: type) -> T: ...
    def __get__(self, policy: Any, owner: type) -> Part[T] | T:
        if policy is None:
            return self
        if policy.now is None:
            found = self.read(policy.files, policy.region)
        elif not self.judges:
            found = getattr(policy.now, self.name)
        else:
            found = self.with_new(self.read(policy.files, policy.region), getattr(policy.now, self.name))
        policy.__dict__[self.name] = found  # later asked of the instance itself
        return found

    def with_new(self, pinned: T, now: T) -> T:
        """What was pinned, with what could not have judged anything then because it did not exist: a programme added since."""
        return pinned

    @property
    def folder(self) -> bool:
        return not self.part.endswith((".toml", ".csv"))

    def read(self, files: PolicyFiles, region: str) -> T:
        raise NotImplementedError


class Folder(Part[dict[str, S]]):
    """One file an entry, by its code: the file's name unless it says otherwise. ``programmes/*.toml``."""

    def __init__(self, shape: type[S] | str, part: str = "", *, judges: bool = True) -> None:
        super().__init__(part, judges=judges)
        self._shape = shape

    def with_new(self, pinned: dict[str, S], now: dict[str, S]) -> dict[str, S]:
        return dict(sorted((now | pinned).items()))

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.part = self.part or name

    def read(self, files: PolicyFiles, region: str) -> dict[str, S]:
        merged: dict[str, tuple[str, dict[str, Any]]] = {}
        shape: type[S] = shape_of(self._shape)
        for shown, table in tables(files, self.part):
            code = str(table.get("code", Path(shown).stem))
            over = _over(merged.get(code, ("", {}))[1], table, shape.MERGED)
            merged[code] = (shown, over | {"code": code})
        return {code: build(shape, data, shown, code) for code, (shown, data) in sorted(merged.items())}


class Listed(Part[tuple[S, ...]]):
    """Entries ``[[key]]`` of one file, each with an ``id``; both are the attribute's name unless told."""

    def __init__(self, shape: type[S] | str, part: str = "", key: str = "", *, judges: bool = True) -> None:
        super().__init__(part, key, judges=judges)
        self._shape = shape

    def __set_name__(self, owner: type, name: str) -> None:
        super().__set_name__(owner, name)
        self.key = self.key or name
        self.part = self.part or f"{name}.toml"

    def read(self, files: PolicyFiles, region: str) -> tuple[S, ...]:
        merged: dict[str, tuple[str, dict[str, Any]]] = {}
        alone: set[str] = set()  # ids that one file only writes: nothing to override
        for shown, table in tables(files, self.part):
            seen: set[str] = set()
            for one in listed(table, self.key, shown):
                entry = table_of(one, shown, self.key)
                code = str(entry.get("id", ""))
                if code and code in seen:
                    raise PolicyError(f"政策文件 {shown} 里 {self.key} 的 id“{code}”写了两次", "每条各用一个 id")
                seen.add(code)
                code = code or f"{shown}#{len(merged)}"
                (alone.discard if code in merged else alone.add)(code)
                merged[code] = (shown, _over(merged.get(code, ("", {}))[1], entry))
        shape: type[S] = shape_of(self._shape)
        return tuple(
            build(
                shape,
                data,
                shown,
                data.get("id") or self.key,
                new=partial(self._new, code, merged) if code in alone else None,
            )
            for code, (shown, data) in merged.items()
        )

    def _new(self, code: str, known: Mapping[str, Any]) -> str:
        """Why an entry that lacks keys does not take them from the package."""
        told = f"（没有 id 同为“{code}”的自带条目可盖，新写的要写全{near(code, [one for one in known if one != code])}"
        return told + (
            "；名单自己的事项写在 policy/registers/ 那份名单的 [[review]] 里）" if self.key == "events" else "）"
        )


class Read(Part[T]):
    """What a function makes of the files of ``part``: (tables by name, region) → value. ``new``: as ``with_new``."""

    def __init__(
        self,
        part: str,
        make: Callable[[Iterable[tuple[str, dict[str, Any]]], str], T],
        key: str = "",
        *,
        judges: bool = True,
        new: Callable[[T, T], T] | None = None,
    ) -> None:
        super().__init__(part, key, judges=judges)
        self.make, self.new = make, new

    def with_new(self, pinned: T, now: T) -> T:
        return self.new(pinned, now) if self.new else pinned

    def read(self, files: PolicyFiles, region: str) -> T:
        return self.make(tables(files, self.part), region)


def parts_of(policy: type) -> dict[str, Part[Any]]:
    """All kinds declared on a policy class, by name."""
    return {name: part for name, part in vars(policy).items() if isinstance(part, Part)}


def tables(files: PolicyFiles, part: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """(name, table) of each file of ``part``."""
    for shown, content in files.of(part):
        yield shown, parse_toml(content, shown)


def parse_toml(content: bytes, shown: str) -> dict[str, Any]:
    """TOML with exact decimals; PolicyError naming the file and the line."""
    try:
        return tomli.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise PolicyError(f"政策文件 {shown} 不是 UTF-8 编码", "用 UTF-8 另存") from error
    except tomli.TOMLDecodeError as error:
        raise PolicyError(f"政策文件 {shown} 写法有误：{error}", "按 TOML 格式改正，可对照包内同名文件") from error


def build(shape: type[S], data: Any, shown: str, key: str, *, new: Callable[[], str] | None = None) -> S:
    """``data`` as ``shape``; a pydantic error becomes a PolicyError naming file, entry and key (``new``: what is said where a key is missing)."""
    try:
        return shape.model_validate(table_of(data, shown, key) | {"file": shown})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = f"，不认识这个键{near(where, _fields_at(shape, first['loc']))}"
        elif first["type"] == "missing":
            known = f"，缺这个键{new() if new else ''}"
        else:
            wanted = next((text for kind, text in _KINDS.items() if first["type"].startswith(kind)), first["msg"])
            known = f"，值不对（{wanted}）"
        raise PolicyError(
            f"政策文件 {shown} 的“{key}”有误：{where}{known}", "改正后运行 jiuzhu policy check"
        ) from error


def _fields_at(shape: type[Shape], path: tuple[int | str, ...]) -> list[str]:
    """Names of the fields beside the unknown one at ``path``, which may lie in a shape within the shape."""
    from typing import get_args

    for step in path[:-1]:
        if not isinstance(step, str) or step not in shape.model_fields:
            continue
        wanted: list[Any] = [shape.model_fields[step].annotation]
        inner = None
        while wanted and inner is None:
            one = wanted.pop()
            inner = one if isinstance(one, type) and issubclass(one, Shape) else None
            wanted += get_args(one)
        shape = inner or shape
    return [name for name in shape.model_fields if name != "file"]


def table_of(data: Any, shown: str, key: str) -> dict[str, Any]:
    """``data`` as keys and values; PolicyError when it is none."""
    if not isinstance(data, Mapping):
        raise PolicyError(f"政策文件 {shown} 的“{key}”应是一组键和值", "对照包内同名文件改正")
    return dict(data)


def listed(table: Mapping[str, Any], key: str, shown: str) -> list[Any]:
    """The entries ``[[key]]``; PolicyError when they are no list."""
    entries = table.get(key, [])
    if not isinstance(entries, list):
        raise PolicyError(f"政策文件 {shown} 的 {key} 应是列表", f"写成 [[{key}]]")
    return entries


def _over(
    before: Mapping[str, Any], after: Mapping[str, Any], merged_by: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """``after`` laid over ``before`` key by key, also inside tables ([posting], [fields] …).

    Lists are replaced whole, but for those of ``merged_by``: their entries lie over those of the same name, new ones come behind.
    """
    merged = dict(before)
    for key, value in after.items():
        known = merged.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            merged[key] = {**known, **value}
        elif key in merged_by and isinstance(known, list) and isinstance(value, list):
            merged[key] = _entries_over(known, value, merged_by[key])
        else:
            merged[key] = value
    return merged


def _entries_over(before: list[Any], after: list[Any], name: str) -> list[Any]:
    found: dict[Any, Any] = {}
    for number, one in enumerate((*before, *after)):
        key = one.get(name, number) if isinstance(one, Mapping) else number
        found[key] = {**found[key], **one} if key in found else one
    return list(found.values())
