"""What is in force on a day, and what differs between two days or two versions: parameters, switches, programmes, rules, relations and every other kind of data that judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.policy.model import ParameterValue, Programme, Shape
from jiuzhu_cli.policy.parts import Folder, Listed, parts_of

# what the screen calls a kind; one that is not named here is shown by the name it has on ``Policy``
WORDS = {
    "parameters": "参数", "switches": "开关", "programmes": "项目", "rules": "规则", "registers": "名单", "relations": "关系", "claims": "声称",
    "checks": "检查", "events": "变动",
}  # fmt: skip
_SOURCES = ("source", "basis")
_QUIET = {"source", "basis", "note", "id", "code", "since", "until"}  # told beside the value


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing in force: ``value`` is what two versions are compared by, ``shown`` the same for people."""

    name: str
    value: Any
    shown: str
    source: str


@dataclass(frozen=True, slots=True)
class Difference:
    """``before``, ``after``: None where the thing is not in force. ``then``: what today's files say of the earlier day, where asked."""

    kind: str
    key: str
    before: Standing | None
    after: Standing | None
    then: Standing | None = None

    @property
    def name(self) -> str:
        one = self.after or self.before or self.then
        return one.name if one else self.key

    def changed(self) -> tuple[str, ...]:
        """Keys of an entry that differ; () for values and for what came or went."""
        if self.before is None or self.after is None or not isinstance(self.before.value, Mapping):
            return ()
        keys = [*self.before.value, *(key for key in self.after.value if key not in self.before.value)]
        return tuple(key for key in keys if self.before.value.get(key) != self.after.value.get(key))

    def texts(self) -> tuple[str, str]:
        """Before and after as people read them: of an entry only what differs."""
        keys = self.changed()
        if not keys or self.before is None or self.after is None:
            return (self.before.shown if self.before else "没有", self.after.shown if self.after else "没有")
        return _keys_of(self.before.value, keys), _keys_of(self.after.value, keys)

    def as_json(self) -> dict[str, Any]:
        before, after = self.texts()
        sides = {"before": before if self.before else None, "after": after if self.after else None}
        if self.then is not None:
            sides["files_now"] = self.then.shown
        return {
            "kind": self.kind, "key": self.key, "name": self.name, **sides, "changed": list(self.changed()),
            "source_before": self.before.source if self.before else "", "source_after": self.after.source if self.after else "",
        }  # fmt: skip


def applies(entry: Any, policy: Policy, day: date) -> bool:
    """Whether an entry is in force: its ``since``, ``until`` and local ``switch``, where it has them."""
    since, until, switch = (getattr(entry, key, None) for key in ("since", "until", "switch"))
    return (
        (since is None or since <= day)
        and (until is None or day <= until)
        and (not switch or policy.switch(switch, day))
    )


def in_force(policy: Policy, day: date) -> dict[tuple[str, str], Standing]:
    """Everything in force on ``day`` by (kind, key)."""
    found: dict[tuple[str, str], Standing] = {}
    for name in policy.parameters.names():
        value = policy.parameter_or_none(name, day)
        if value is not None:
            kind = "switches" if isinstance(value.value, bool) else "parameters"
            found[kind, name] = Standing(name, (value.value, value.unit), shown_value(value), _sourced(value))
    for kind, part in parts_of(type(policy)).items():
        if part.judges and isinstance(part, Folder | Listed):
            entries = getattr(policy, kind)
            for entry in entries.values() if isinstance(entries, Mapping) else entries:
                if applies(entry, policy, day):
                    found.update(_standing(kind, entry, day))
    return found


def differences(before: Mapping[tuple[str, str], Standing], after: Mapping[tuple[str, str], Standing], then: Mapping[tuple[str, str], Standing] | None = None) -> list[Difference]:  # fmt: skip
    """What differs, by kind and key; with ``then`` also what today's files say otherwise of the earlier day."""
    order = [*WORDS]
    found = []
    for key in {*before, *after, *(then or ())}:
        sides = [side.get(key) for side in (before, after, then if then is not None else before)]
        values = [one.value if one else None for one in sides]
        if values[0] != values[1] or values[0] != values[2]:
            shown = sides[2] if then is not None and values[0] != values[2] else None
            found.append(Difference(key[0], key[1], sides[0], sides[1], shown))
    return sorted(
        found, key=lambda one: (order.index(one.kind) if one.kind in order else len(order), one.kind, one.key)
    )


def changed_since_paid(
    paid: Iterable[tuple[str, Policy]], now: Policy
) -> list[tuple[str, str, tuple[str, ...], str, str]]:
    """Parameters of which today's files say something else of a month than it was paid with: (name, file, months, then, now).

    ``paid``: (month, the policy it was paid with), in order.
    """
    grouped: dict[tuple[str, str, str, str], list[str]] = {}
    for month, policy in paid:
        day = first_day(month)
        for name in policy.parameters.names():
            old, new = policy.parameter_or_none(name, day), now.parameter_or_none(name, day)
            if old is not None and (new is None or (new.value, new.unit) != (old.value, old.unit)):
                file = new.file if new is not None else old.file
                key = (name, file, shown_value(old), shown_value(new) if new is not None else "没有值")
                grouped.setdefault(key, []).append(month)
    return [(name, file, tuple(months), then, told) for (name, file, then, told), months in sorted(grouped.items())]


def shown_value(one: ParameterValue) -> str:
    """A parameter's value with its unit; switches as 开、关."""
    return ("开" if one.value else "关") if isinstance(one.value, bool) else f"{one.value} {one.unit}".strip()


def _sourced(one: ParameterValue) -> str:
    return f"{one.source}（{one.since.isoformat()} 起）{'' if one.confirmed else '，请核对'}"


def _standing(kind: str, entry: Shape, day: date) -> dict[tuple[str, str], Standing]:
    data = entry.model_dump(mode="json", exclude_defaults=True)
    key = str(data.get("code" if "code" in data and "id" not in data else "id", getattr(entry, "name", "")))
    source = next((str(data[name]) for name in _SOURCES if data.get(name)), "")
    found = {}
    if isinstance(entry, Programme):
        data.pop("rules", None)
        for rule in entry.rules:
            if (rule.since is None or rule.since <= day) and (rule.until is None or day <= rule.until):
                told = rule.model_dump(mode="json", exclude={"name", "source"})
                name = f"{entry.name}“{rule.name}”"
                found["rules", f"{entry.code}/{rule.name}"] = Standing(name, told, rule.expression, rule.source)
    shown = _keys_of(data, [name for name in data if name not in _QUIET and not isinstance(data[name], list | dict)])
    found[kind, key] = Standing(str(data.get("name", key)), data, shown, source)
    return found


def _keys_of(value: Mapping[str, Any], keys: Iterable[str]) -> str:
    return "；".join(f"{key}：{_plain(value[key])}" for key in keys if key in value) or "（没有写）"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "，".join(f"{key}={_plain(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return "、".join(map(_plain, value))
    return ("是" if value else "否") if isinstance(value, bool) else str(value)
