"""Parameters (政策参数): dated values by area, each with its source.

An entry is one series: ``name``, ``area`` (region-code prefix, '' nation), ``unit``, ``source`` and ``values``, a list of
``{since, value}`` (or ``formula`` in place of ``value``), each with an optional ``until``, ``source``, ``confirmed``, ``note``.
A value holds until the next one begins. The most specific area that has a series decides alone: a day outside its
dates is an error, never the value of a wider area. A formula is computed on the day asked for, from the values of that day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.files import OWN, REGIONS
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.policy.words import near

Series = tuple[ParameterValue, ...]
_SERIES_KEYS = {"name", "area", "unit", "source", "confirmed", "note", "values"}
LAST_YEAR = "上年_"  # before a name in a formula: its value on the last day of the year before
TODO = "在工作区 policy/parameters/ 里写明当地标准、起始日期和文号，再运行 jiuzhu policy check"


class NoValueError(PolicyError):
    """The parameter exists for the area, but has no value on that day."""


class ParameterTable:
    """All series, by name and area. ``region`` is the area asked for when a call names none."""

    def __init__(
        self,
        series: Mapping[tuple[str, str], Series],
        region: str,
        twice: Iterable[tuple[ParameterValue, ParameterValue]] = (),
    ) -> None:
        """``twice``: values that two entries give for one name, area and day, the later one counting."""
        self.region = region
        self.series = series
        self.twice = tuple(twice)
        self._areas: dict[str, list[str]] = {}
        for name, area in series:
            self._areas.setdefault(name, []).append(area)

    def with_names_of(self, other: ParameterTable) -> ParameterTable:
        """This table and, of ``other``, the names that this one does not know."""
        more = {key: series for key, series in other.series.items() if key[0] not in self._areas}
        return ParameterTable({**self.series, **more}, self.region)

    def names(self) -> list[str]:
        return sorted(self._areas)

    def applies(self, name: str, area: str | None = None) -> bool:
        """Whether any series of ``name`` covers the area."""
        wanted = self.region if area is None else area
        return any(wanted.startswith(one) for one in self._areas.get(name, []))

    def chosen(self, name: str, area: str | None = None) -> Series:
        """The series that decides for ``area``: of its prefixes the longest. PolicyError when the name is unknown."""
        wanted = self.region if area is None else area
        fitting = [one for one in self._areas.get(name, []) if wanted.startswith(one)]
        if fitting:
            return self.series[(name, max(fitting, key=len))]
        if name not in self._areas:
            raise PolicyError(f"没有叫“{name}”的参数{near(name, self._areas)}", "用 jiuzhu policy list 查看全部参数")
        raise PolicyError(f"参数“{name}”没有适用于本地区（{wanted or '未设区划'}）的值", TODO)

    def value(self, name: str, on: date, area: str | None = None) -> ParameterValue:
        """The value on that day, formulas computed. PolicyError: unknown name, no value for the area or the day."""
        return self._resolve(name, on, area, ())

    def value_or_none(self, name: str, on: date, area: str | None = None) -> ParameterValue | None:
        """As ``value``; None when the area or the day has no value, or when a value the formula needs is missing that day."""
        try:
            return self._resolve(name, on, area, ()) if self.applies(name, area) else None
        except NoValueError:
            return None

    def unconfirmed(self) -> list[ParameterValue]:
        """The latest value of each name that decides for the region and is not confirmed; a formula stands as its text."""
        latest = [self.chosen(name)[-1] for name in self.names() if self.applies(name)]
        return [one for one in latest if not one.confirmed]

    def _resolve(self, name: str, on: date, area: str | None, path: tuple[str, ...]) -> ParameterValue:
        if name in path:
            raise PolicyError(f"参数公式绕成了圈：{' → '.join((*path, name))}", "改正其中一条公式")
        series = self.chosen(name, area)
        found = _on(series, on)
        if found is None:
            gap = "，其间有空档或已到期" if series[0].since <= on else ""
            raise NoValueError(
                f"参数“{name}”在 {on.isoformat()} 没有值（本地区的值从 {series[0].since.isoformat()} 起{gap}）", TODO
            )
        if not found.formula:
            return found
        where = f"{found.file} 参数“{name}”的公式".strip()
        inputs = self._inputs(found.formula, on, area, (*path, name), where)
        from jiuzhu_cli.policy.formula import evaluate

        value = evaluate(found.formula, {word: one.value for word, one in inputs.items()}, where)
        confirmed = found.confirmed and all(one.confirmed for one in inputs.values())
        return found.model_copy(update={"value": value, "confirmed": confirmed})

    def _inputs(
        self, formula: str, on: date, area: str | None, path: tuple[str, ...], where: str
    ) -> dict[str, ParameterValue]:
        """The values that ``formula`` needs on that day; PolicyError naming ``where`` for a word that is no parameter."""
        from jiuzhu_cli.policy.expression import words_of

        found = {}
        for word in words_of(formula, where):
            name = word.removeprefix(LAST_YEAR)
            if name not in self._areas:
                raise PolicyError(
                    f"{where}里的“{word}”不是参数{near(name, self._areas)}", "用 jiuzhu policy list 查看全部参数"
                )
            day = on if name == word else date(on.year - 1, 12, 31)
            found[word] = self._resolve(name, day, area, path)
        return found

    def inputs(self, formula: str, on: date, where: str) -> dict[str, ParameterValue]:
        """The parameters that ``formula`` needs, as they stand on that day, by the words it uses. As ``value`` fails."""
        return self._inputs(formula, on, None, (), where)

    def exactly(self, formula: str, inputs: Mapping[str, ParameterValue], where: str) -> Decimal:
        """The value of a formula over its ``inputs``, not rounded (28 digits): for comparing, not for paying."""
        from jiuzhu_cli.policy.expression import as_decimal, parse
        from jiuzhu_cli.policy.formula import exactly

        return as_decimal(exactly(parse(formula, where), {word: one.value for word, one in inputs.items()}, where))

    def changes(self, names: Iterable[str]) -> set[date]:
        """Days on which a value of ``names`` may change for the region: their own dates and those of all that their formulas need."""
        from jiuzhu_cli.policy.expression import words_of

        days: set[date] = set()
        waiting, seen = list(names), set[str]()
        while waiting:
            word = waiting.pop()
            name = word.removeprefix(LAST_YEAR)
            if word in seen or name not in self._areas or not self.applies(name):
                continue
            seen.add(word)
            series = self.chosen(name)
            ends = {one.until + timedelta(days=1) for one in series if one.until}
            own = {one.since for one in series} | ends
            days |= own if word == name else {date(day.year + 1, 1, 1) for day in own}
            waiting += [inner for one in series if one.formula for inner in words_of(one.formula)]
        return days


def _layer(file: str) -> str:
    parts = file.split("/")
    return OWN if file.startswith(OWN) else parts[1] if parts[0] == REGIONS and len(parts) > 2 else ""


def _on(series: Series, day: date) -> ParameterValue | None:
    found = None
    for one in series:
        if one.since <= day:
            found = one
    return found if found is not None and (found.until is None or day <= found.until) else None


def read_parameters(
    tables: Iterable[tuple[str, Mapping[str, Any]]], region: str, make: Callable[..., ParameterValue]
) -> ParameterTable:
    """Series from ``[[parameter]]`` entries of all files; a later file replaces single values, keyed by ``since``."""
    merged: dict[tuple[str, str], dict[date, ParameterValue]] = {}
    twice: list[tuple[ParameterValue, ParameterValue]] = []
    for shown, table in tables:
        unknown = set(table) - {"parameter", "area", "source", "confirmed"}
        if unknown:
            raise PolicyError(
                f"政策文件 {shown} 有不认识的键：{'、'.join(sorted(unknown))}", "参数写成 [[parameter]] 的列表"
            )
        common = {key: table[key] for key in ("area", "source", "confirmed") if key in table}
        entries = table.get("parameter", [])
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise PolicyError(f"政策文件 {shown} 的 parameter 应是列表", "参数写成 [[parameter]] 的列表")
        for entry in entries:
            for one in _values(common | dict(entry), shown, make):
                days = merged.setdefault((one.name, one.area), {})
                before = days.get(one.since)
                if before is not None and _layer(before.file) == _layer(one.file):
                    twice.append((before, one))
                days[one.since] = one
    series = {key: tuple(days[day] for day in sorted(days)) for key, days in sorted(merged.items())}
    return ParameterTable(series, region, twice)


def _values(entry: dict[str, Any], shown: str, make: Callable[..., ParameterValue]) -> list[ParameterValue]:
    name = str(entry.get("name", ""))
    unknown = set(entry) - _SERIES_KEYS - {"since", "until", "value", "formula"}
    if not name or unknown:
        what = f"有不认识的键：{'、'.join(sorted(unknown))}" if unknown else "缺 name"
        raise PolicyError(f"政策文件 {shown} 的参数“{name}”{what}", "对照包内 parameters/ 里的写法改正")
    stated = entry.pop("values", None) or [{}]
    if not isinstance(stated, list) or not all(isinstance(value, Mapping) for value in stated):
        raise PolicyError(
            f"政策文件 {shown} 的参数“{name}”的 values 应是列表", "写成 values = [{ since = 2026-01-01, value = 1 }]"
        )
    made = []
    for value in stated:
        data = {key: entry[key] for key in entry if key != "values"} | dict(value)
        if "formula" in data:
            data.setdefault("value", str(data["formula"]))  # computed on the day asked for
        if isinstance(data.get("value"), int) and not isinstance(data["value"], bool):
            data["value"] = Decimal(data["value"])
        made.append(make(ParameterValue, data, shown, name))
    return made
