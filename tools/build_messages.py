"""Makes ``data/messages/CODE.toml`` of a message's XML schema: elements in order, how often, what their texts may be.

    python tools/build_messages.py pain.001.001.09.xsd
    python tools/build_messages.py pain.002.001.12.xsd --as pain.002.001.10 --without TrckrData --open OrgnlTxRef

The schemas come with packages (sepaxml 2.7: pain.001.001.09; pain001 0.0.74: pain.002.001.12). ``--open``: what stands in these elements
is not looked at (the version at hand differs there from the one written); ``--without``: elements that the older version lacks.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

XS = "{http://www.w3.org/2001/XMLSchema}"
DATA = Path(__file__).parent.parent / "src" / "jiuzhu_cli" / "data" / "messages"
NAMES = {"pain.001": "客户付款指令", "pain.002": "付款状态回执"}
FACETS = {"minLength": "min", "maxLength": "max", "totalDigits": "digits", "fractionDigits": "decimals"}


def groups_of(schema: ElementTree.Element, without: set[str], opened: set[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind in schema.findall(f"{XS}complexType"):
        body = kind.find(f"{XS}sequence")
        choice = kind.find(f"{XS}choice")
        simple = kind.find(f"{XS}simpleContent/{XS}extension")
        if simple is not None:
            attribute = simple.find(f"{XS}attribute")
            assert attribute is not None and attribute.get("use") == "required"
            found[kind.get("name", "")] = {
                "text": simple.get("base"),
                "attribute": f"{attribute.get('name')} {attribute.get('type')}",
            }
            continue
        holder = choice if choice is not None else body
        assert holder is not None
        elements = []
        for one in holder:
            if one.tag == f"{XS}any":
                elements = ["* any 0..*"]
                break
            name, type_ = one.get("name", ""), one.get("type", "")
            if name in without:
                continue
            often = f"{one.get('minOccurs', '1')}..{one.get('maxOccurs', '1').replace('unbounded', '*')}"
            elements.append(f"{name} {'any' if name in opened else type_}" + ("" if often == "1..1" else f" {often}"))
        found[kind.get("name", "")] = ({"choice": True} if choice is not None else {}) | {"elements": elements}
    return found


def texts_of(schema: ElementTree.Element) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind in schema.findall(f"{XS}simpleType"):
        rule = kind.find(f"{XS}restriction")
        assert rule is not None
        facts: dict[str, Any] = {"base": rule.get("base", "").removeprefix("xs:")}
        values = [one.get("value") for one in rule.findall(f"{XS}enumeration")]
        for one in rule:
            tag, value = one.tag.removeprefix(XS), one.get("value", "")
            if tag in FACETS:
                facts[FACETS[tag]] = int(value)
            elif tag == "pattern":
                facts["pattern"] = value
            elif tag == "minInclusive":
                facts["least"] = value
        found[kind.get("name", "")] = facts | ({"values": values} if values else {})
    return found


def used(groups: dict[str, dict[str, Any]], root: str) -> set[str]:
    """Types that the root leads to."""
    seen, todo = set(), [root]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        group = groups.get(name, {})
        todo += [one.split()[1] for one in group.get("elements", ())]
        todo += [group[key].split()[-1] for key in ("text", "attribute") if key in group]
    return seen


def toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        text = ", ".join(map(toml, value))
        return f"[{text}]" if len(text) < 130 else "[\n" + "".join(f"  {toml(one)},\n" for one in value) + "]"
    return f"'{value}'" if "\\" in value else f'"{value}"'


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("xsd", type=Path)
    parser.add_argument("--as", dest="code", default="")
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--open", dest="opened", nargs="*", default=[])
    chosen = parser.parse_args()
    given = re.search(r"(pain\.\d{3}\.\d{3}\.\d{2})", chosen.xsd.name)
    assert given is not None
    code = chosen.code or given.group(1)
    schema = ElementTree.parse(chosen.xsd).getroot()
    groups, texts = groups_of(schema, set(chosen.without), set(chosen.opened)), texts_of(schema)
    root = schema.find(f"{XS}element")
    assert root is not None
    keep = used(groups, root.get("type", ""))
    remark = (
        ""
        if code == given.group(1)
        else f"，由 {given.group(1)} 的结构改出：去掉 {'、'.join(chosen.without)}，{'、'.join(chosen.opened)} 里不查"
    )
    lines = [
        f'name = "{NAMES[code[:8]]} {code}"',
        f'namespace = "urn:iso:std:iso:20022:tech:xsd:{code}"',
        f'root = "{root.get("name")} {root.get("type")}"',
        f'source = "ISO 20022 消息定义 {code} 的 XML Schema（tools/build_messages.py 转出{remark}）"',
    ]
    for title, entries in (("groups", groups), ("texts", texts)):
        for name in sorted(set(entries) & keep):
            lines += ["", f"[[{title}]]", f'name = "{name}"']
            lines += [f"{key} = {toml(value)}" for key, value in entries[name].items()]
    DATA.mkdir(exist_ok=True)
    (DATA / f"{code}.toml").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
