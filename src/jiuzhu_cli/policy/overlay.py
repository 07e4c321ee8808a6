"""A policy with other values, in memory: what ``policy simulate`` judges by. Nothing of it is ever written.

The changed values are one more parameter file over all others, so that everything that is computed from them follows by its formula, and a value is
read by the same code and the same rules as one that stands in a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import tomli

from jiuzhu_cli.core.errors import PolicyError, UsageError
from jiuzhu_cli.policy.files import OWN, PolicyFiles
from jiuzhu_cli.policy.floors import check_floors
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.policy.words import near

FILE = OWN + "parameters/~模拟.toml"
SOURCE = "模拟，没有文件依据"
SWITCHES = {"是": True, "开": True, "true": True, "否": False, "关": False, "false": False}


@dataclass(frozen=True, slots=True)
class Changed:
    """A parameter whose value that day is another one. ``derived``: by its formula, not because it was set."""

    name: str
    unit: str
    before: Decimal | str | bool | None
    after: Decimal | str | bool | None
    derived: bool


def parse_settings(texts: Iterable[str]) -> list[tuple[str, str]]:
    """``名称=值`` each; UsageError for anything else."""
    found = []
    for text in texts:
        name, equals, value = text.replace("＝", "=").partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(
                f"--set “{text}”写法不对", "写成 参数=值，例如 --set 低保标准=780、--set 低保标准_农村=+5%"
            )
        found.append((name.strip(), value.strip()))
    return found


def read_settings(content: bytes, name: str) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """A file of settings: ``参数 = 值`` a line (also below ``[set]``), and ``[[parameter]]`` entries as in ``policy/parameters/``."""
    try:
        table = tomli.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except (UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise UsageError(f"{name} 不是 TOML：{error}", '每行写 参数 = 值，例如 "低保标准_农村" = 780') from error
    entries = table.pop("parameter", [])
    common = {key: table.pop(key) for key in ("area", "source", "confirmed") if key in table and entries}
    more = table.pop("set", {})
    values = {**table, **(more if isinstance(more, dict) else {})}
    for key, value in values.items():
        if isinstance(value, (dict, list)):
            raise UsageError(f"{name} 的“{key}”不是一个值", "每行写 参数 = 值；整条参数写成 [[parameter]]")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise UsageError(f"{name} 的 parameter 应是列表", "写成 [[parameter]]")
    words = {True: "是", False: "否"}
    texts = [(key, words[value] if isinstance(value, bool) else str(value)) for key, value in values.items()]
    return texts, [{**common, **one} for one in entries]


def with_values(
    policy: Policy, settings: Iterable[tuple[str, str]], entries: Iterable[Mapping[str, Any]], since: date
) -> Policy:
    """``policy`` with these values from ``since`` on. A family (低保标准) stands for all its members.

    UsageError with near words for names that do not exist, and for values that are none.
    """
    made = [_entry(policy, one, text, since) for name, text in settings for one in _members(policy, name)]
    lines: list[str] = []
    for entry in made:
        lines += ["[[parameter]]", *(f"{_key(key)} = {_toml(value)}" for key, value in entry.items()), ""]
    for given in entries:
        if str(given.get("name", "")) not in policy.parameters.names():
            raise UsageError(f"没有叫“{given.get('name', '')}”的参数{near(str(given.get('name', '')), policy.parameters.names())}", "用 jiuzhu policy list 查看全部参数")  # fmt: skip
        entry = {"area": policy.region, "source": SOURCE, **given}
        lines += ["[[parameter]]", *(f"{_key(key)} = {_toml(value)}" for key, value in entry.items()), ""]
    content = "\n".join(lines).encode()
    files = (*policy.files.files, (FILE, content))
    digest = hashlib.sha256(policy.files.digest.encode() + content).hexdigest()
    return Policy(PolicyFiles(files, digest), policy.region, policy.now)


def changes(before: Policy, after: Policy, day: date, asked: Iterable[str]) -> list[Changed]:
    """Every parameter of the region whose value on ``day`` differs, those set (by name or family) first."""
    own = {one for name in asked for one in _members(before, name)}
    found = []
    for name in after.parameters.names():
        old, new = before.parameter_or_none(name, day), after.parameter_or_none(name, day)
        if (old.value if old else None) != (new.value if new else None):
            unit = (new or old).unit  # type: ignore[union-attr]
            found.append(Changed(name, unit, old.value if old else None, new.value if new else None, name not in own))
    return sorted(found, key=lambda one: (one.derived, one.name))


def later_values(policy: Policy, names: Iterable[str], day: date, until: date) -> list[ParameterValue]:
    """Values of ``names`` that the files let begin after ``day``, up to ``until``: a year's cost does not know them."""
    return [
        one for name in sorted(set(names)) if policy.parameters.applies(name)
        for one in policy.parameters.chosen(name) if day < one.since <= until
    ]  # fmt: skip


def broken_floors(before: Policy, after: Policy, today: date) -> list[str]:
    """Floors that only the changed policy breaks, in words."""
    known = {one.text for one in check_floors(before, today)}
    return [
        f"{one.where.rpartition(' ')[2]}：{one.text}" for one in check_floors(after, today) if one.text not in known
    ]


def _members(policy: Policy, name: str) -> list[str]:
    names = policy.parameters.names()
    if name in names:
        return [name]
    family = [one for one in names if one.startswith(name + "_") and policy.parameters.applies(one)]
    if not family:
        raise UsageError(f"没有叫“{name}”的参数{near(name, names)}", "用 jiuzhu policy list 查看全部参数")
    return family


def _entry(policy: Policy, name: str, text: str, since: date) -> dict[str, Any]:
    now = policy.parameter_or_none(name, since)
    series = policy.parameters.chosen(name) if policy.parameters.applies(name) else ()
    area = series[-1].area if series else policy.region
    unit = now.unit if now else series[-1].unit if series else ""
    return {
        "name": name, "area": area, "unit": unit, "source": SOURCE,
        "values": [{"since": since, "value": _value(name, text, now, unit)}],
    }  # fmt: skip


def _value(name: str, text: str, now: ParameterValue | None, unit: str) -> Decimal | str | bool:
    plain = text.replace("＋", "+").replace("－", "-").replace("％", "%").strip()
    if now is not None and isinstance(now.value, bool):
        if plain.lower() not in SWITCHES:
            raise UsageError(f"“{name}”是开关，不能写成“{text}”", "写 是 或 否")
        return SWITCHES[plain.lower()]
    if now is not None and isinstance(now.value, str):
        return plain
    if now is None and plain.lower() in SWITCHES:
        return SWITCHES[plain.lower()]
    percent, relative = plain.endswith("%"), plain[:1] in "+-"
    try:
        number = Decimal(plain.removesuffix("%"))
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation as error:
        if now is None and not percent:
            return plain
        raise UsageError(f"“{name}”的值“{text}”不是数", "写一个数，或 +5%、-30 这样在现值上增减") from error
    if relative or (percent and unit != "%"):
        if now is None:
            raise UsageError(f"“{name}”那天没有值，不能在现值上增减", "写一个数")
        if not relative:
            raise UsageError(f"“{name}”的值“{text}”写法不明", "增减写 +5% 或 -5%")
        base = Decimal(now.value)
        number = base * (100 + number) / 100 if percent else base + number
        if unit.startswith("元"):  # an amount of money has whole 分
            number = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if unit.startswith("元") and (number < 0 or number * 100 != (number * 100).to_integral_value()):
        raise UsageError(f"“{name}”的值 {number} 不是整分的金额", "写成元，最多两位小数，不小于 0")
    return number


def _key(key: str) -> str:
    return json.dumps(str(key), ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    raise PolicyError(f"不能写成 TOML 的值：{value}", "改正参数文件")
