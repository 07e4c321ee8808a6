"""Reads the policy: the package's data files and, over them, the bureau's own folder ``policy/``.

Same layout in both places: ``glossary.toml``, ``programmes/*.toml``, ``registers/*.toml``, ``parameters/**/*.toml``,
``relations.toml``, ``checks.toml``, ``doubts.toml``, ``findings.toml``, ``holidays.toml``, ``banks/*.toml``, ``bank_names.toml``, ``divisions.csv`` (only the bureau's). What has a code (programme, register, bank, relation,
claim, check, doubt, glossary field, finding) is overridden key by key under the same code; a parameter by the same (name, area, since).
Parts are read when first asked for; the digest covers every file. Anything wrong is a PolicyError naming file and key.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from jiuzhu_cli.core.errors import PolicyError, UsageError, reason_of
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.bank_names import BankNames, read_bank_names
from jiuzhu_cli.policy.divisions import OWN_FILE, Divisions
from jiuzhu_cli.policy.doubts import FILE as DOUBTS
from jiuzhu_cli.policy.doubts import read_doubts
from jiuzhu_cli.policy.findings import fill
from jiuzhu_cli.policy.glossary import merge_glossary
from jiuzhu_cli.policy.model import (
    BankLayout,
    Check,
    Claim,
    DoubtCode,
    FindingText,
    GlossaryField,
    Holiday,
    ParameterValue,
    Programme,
    Register,
    Relation,
    Shape,
)
from jiuzhu_cli.policy.parameter import ParameterTable, read_parameters
from jiuzhu_cli.policy.words import near

OWN = "policy/"  # how files of the bureau's folder are named in errors
DATA = Path(__file__).resolve().parent.parent / "data"
_KINDS = {
    "string": "应是加引号的文字", "bool": "应是 true 或 false", "int": "应是整数", "decimal": "应是数", "float": "应是数", "date": "应是日期，例如 2026-01-01",
    "tuple": "应是列表 [ ]", "list": "应是列表 [ ]", "dict": "应是一组键和值", "model": "应是一组键和值", "greater_than": "太小", "less_than": "太大",
}  # fmt: skip
S = TypeVar("S", bound=Shape)
Named = TypeVar("Named", bound=Programme | Register)


def load_policy(overrides: Path | None = None, *, region: str = "") -> Policy:
    """The policy of ``region`` (six digits; unknown ones get the national defaults), with the bureau's folder over it."""
    roots = [DATA]
    if overrides is not None and overrides.is_dir():
        roots.append(overrides)
    return Policy(roots, region)


class Policy:
    """Everything that is data, checked on first use. See ``docs/dev/contracts.md`` for what the stages call."""

    def __init__(self, roots: Iterable[Path], region: str) -> None:
        self.region = region
        self._files: dict[str, list[tuple[str, bytes]]] = {}
        digest = hashlib.sha256()
        for root in roots:
            for path in sorted([*root.rglob("*.toml"), *root.glob(OWN_FILE)]):
                inside = path.relative_to(root).as_posix()
                try:
                    content = path.read_bytes()
                except OSError as error:
                    raise PolicyError(f"读不了政策文件 {inside}：{reason_of(error)}", "检查文件权限") from error
                shown = inside if root == DATA else OWN + inside
                self._files.setdefault(inside.partition("/")[0], []).append((shown, content))
                digest.update(f"{shown}\0{len(content)}\0".encode() + content)
        self.digest = digest.hexdigest()

    # ---- parts -------------------------------------------------------------------------------------------

    @cached_property
    def programmes(self) -> dict[str, Programme]:
        return self._coded("programmes", Programme)

    @cached_property
    def registers(self) -> dict[str, Register]:
        return self._coded("registers", Register)

    @cached_property
    def banks(self) -> dict[str, BankLayout]:
        return self._coded("banks", BankLayout)

    @cached_property
    def glossary(self) -> dict[str, GlossaryField]:
        return merge_glossary(
            [(shown, table) for shown, table in self._tables("glossary.toml")],
            lambda shown, key, data: build(GlossaryField, data, shown, key),
        )

    @cached_property
    def findings(self) -> dict[str, FindingText]:
        merged: dict[str, tuple[str, dict[str, Any]]] = {}
        for shown, table in self._tables("findings.toml"):
            for code, data in _dict(table.get("codes", {}), shown, "codes").items():
                merged[code] = (shown, merged.get(code, ("", {"code": code}))[1] | _dict(data, shown, code))
        return {code: build(FindingText, data, shown, code) for code, (shown, data) in sorted(merged.items())}

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        return tuple(self._listed("relations.toml", "relations", Relation))

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(self._listed("relations.toml", "claims", Claim))

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        return tuple(self._listed("checks.toml", "checks", Check))

    @cached_property
    def doubts(self) -> dict[str, DoubtCode]:
        return read_doubts(self._tables(DOUBTS), build)

    @cached_property
    def holidays(self) -> tuple[Holiday, ...]:
        found: list[Holiday] = []
        for shown, table in self._tables("holidays.toml"):
            for index, data in enumerate(_list(table, "holidays", shown), 1):
                found.append(build(Holiday, data, shown, f"holidays 第 {index} 项"))
        return tuple(sorted(found, key=lambda one: (one.first, one.off)))

    @cached_property
    def divisions(self) -> Divisions:
        """Towns and villages of the region with their codes, the bureau's ``divisions.csv`` over the shipped table."""
        own = self._files.get(OWN_FILE, [])
        return Divisions(self.region, own[-1][1] if own else None)

    @cached_property
    def bank_names(self) -> BankNames:
        return read_bank_names(self._tables("bank_names.toml"), build)

    @cached_property
    def parameters(self) -> ParameterTable:
        return read_parameters(self._tables("parameters"), self.region, build)

    # ---- look-ups ----------------------------------------------------------------------------------------

    def own_files(self) -> list[str]:
        """Files of the bureau's folder, relative to it."""
        names = [shown for files in self._files.values() for shown, _ in files]
        return sorted(shown.removeprefix(OWN) for shown in names if shown.startswith(OWN))

    def programme(self, text: str) -> Programme:
        """The programme of this code, name or alias; UsageError with near names."""
        return _find(self.programmes, text, "救助项目", "jiuzhu policy list --programmes")

    def register(self, text: str) -> Register:
        """The register of this code, name or alias; UsageError with near names."""
        return _find(self.registers, text, "比对名单", "jiuzhu policy list --registers")

    def parameter(self, name: str, on: date, *, area: str | None = None) -> ParameterValue:
        """The value of ``name`` on that day for the most specific area; PolicyError when there is none."""
        return self.parameters.value(name, on, area)

    def parameter_or_none(self, name: str, on: date, *, area: str | None = None) -> ParameterValue | None:
        """As ``parameter``, None when no value holds that day: for switches only."""
        return self.parameters.value_or_none(name, on, area)

    def switch(self, name: str, on: date, *, area: str | None = None) -> bool:
        """Whether a local switch is on; '' is always on, a switch without a value is off."""
        found = self.parameter_or_none(name, on, area=area) if name else None
        return not name or (found is not None and found.value is True)

    def unconfirmed(self) -> list[ParameterValue]:
        """Values of this region that somebody must still check against the local document (请核对)."""
        return self.parameters.unconfirmed()

    def finding_text(self, code: str, **values: object) -> tuple[str, str]:
        """Message and what to do for a finding code, placeholders filled."""
        return fill(self.findings, code, values)

    def days_off(self) -> tuple[frozenset[date], frozenset[date]]:
        """Public holidays and worked weekend days, for counting working days."""
        days = {True: set[date](), False: set[date]()}
        for stretch in self.holidays:
            span = range(stretch.first.toordinal(), stretch.last.toordinal() + 1)
            days[stretch.off].update(date.fromordinal(day) for day in span)
        return frozenset(days[True]), frozenset(days[False])

    # ---- reading -----------------------------------------------------------------------------------------

    def _tables(self, part: str) -> Iterable[tuple[str, dict[str, Any]]]:
        for shown, content in self._files.get(part, []):
            yield shown, parse_toml(content, shown)

    def _coded(self, part: str, shape: type[S]) -> dict[str, S]:
        """One file an entry; the file's name is the code unless it says otherwise."""
        merged: dict[str, tuple[str, dict[str, Any]]] = {}
        for shown, table in self._tables(part):
            code = str(table.get("code", Path(shown).stem))
            merged[code] = (shown, _over(merged.get(code, ("", {}))[1], table) | {"code": code})
        return {code: build(shape, data, shown, code) for code, (shown, data) in sorted(merged.items())}

    def _listed(self, part: str, key: str, shape: type[S]) -> list[S]:
        merged: dict[str, tuple[str, dict[str, Any]]] = {}
        for shown, table in self._tables(part):
            for one in _list(table, key, shown):
                entry = _dict(one, shown, key)
                code = str(entry.get("id", ""))
                merged[code] = (shown, merged.get(code, ("", {}))[1] | entry)
        return [build(shape, data, shown, code or key) for code, (shown, data) in merged.items()]


def parse_toml(content: bytes, shown: str) -> dict[str, Any]:
    """TOML with exact decimals; PolicyError naming the file and the line."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise PolicyError(f"政策文件 {shown} 不是 UTF-8 编码", "用 UTF-8 另存") from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"政策文件 {shown} 写法有误：{error}", "按 TOML 格式改正，可对照包内同名文件") from error


def build(shape: type[S], data: Any, shown: str, key: str) -> S:
    """``data`` as ``shape``; a pydantic error becomes a PolicyError naming file, entry and key."""
    try:
        return shape.model_validate(_dict(data, shown, key))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ""
        if first["type"] == "extra_forbidden":
            known = f"，不认识这个键{near(where, shape.model_fields)}"
        elif first["type"] == "missing":
            known = "，缺这个键"
        else:
            wanted = next((text for kind, text in _KINDS.items() if first["type"].startswith(kind)), first["msg"])
            known = f"，值不对（{wanted}）"
        raise PolicyError(
            f"政策文件 {shown} 的“{key}”有误：{where}{known}", "改正后运行 jiuzhu policy check"
        ) from error


def _dict(data: Any, shown: str, key: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise PolicyError(f"政策文件 {shown} 的“{key}”应是一组键和值", "对照包内同名文件改正")
    return dict(data)


def _list(table: Mapping[str, Any], key: str, shown: str) -> list[Any]:
    entries = table.get(key, [])
    if not isinstance(entries, list):
        raise PolicyError(f"政策文件 {shown} 的 {key} 应是列表", f"写成 [[{key}]]")
    return entries


def _over(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """``after`` laid over ``before`` key by key, also inside tables ([posting], [fields] …); lists are replaced whole."""
    merged = dict(before)
    for key, value in after.items():
        known = merged.get(key)
        merged[key] = {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return merged


def _find(entries: Mapping[str, Named], text: str, what: str, listing: str) -> Named:
    if text in entries:
        return entries[text]
    wanted = compact(text)
    names: list[str] = []
    for entry in entries.values():
        if wanted == entry.name or wanted in entry.aliases:
            return entry
        names += [entry.code, entry.name, *entry.aliases]
    raise UsageError(f"没有叫“{text}”的{what}{near(wanted, names)}", f"用 {listing} 查看全部")
