"""The bureau's folder over every kind of data there is: one key changed, the rest as shipped, and the file named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.policy.load import Policy, load_policy, pinned_policy
from jiuzhu_cli.policy.parts import Folder, Listed, Part, parts_of
from tests.policy.test_files import write

PARTS = parts_of(Policy)
ENTRIES = {name: part for name, part in PARTS.items() if isinstance(part, Folder | Listed)}
TEXTS = ("source", "basis", "note", "name", "message")


def entries(policy: Policy, name: str) -> list[Any]:
    found = getattr(policy, name)
    return list(found.values()) if isinstance(found, dict) else list(found)


def overlay(folder: Path, part: Part[Any], entry: Any) -> tuple[str, Any]:
    """A file of the bureau that changes one key of ``entry``: which one, and what it is then."""
    shape = type(entry).model_fields
    text = next((name for name in TEXTS if name in shape), None)
    field = text or next(name for name in shape if isinstance(getattr(entry, name), int))
    old = getattr(entry, field)
    value: Any = "本地" if text else not old if isinstance(old, bool) else old + 1
    said = f'{field} = "{value}"' if text else f"{field} = {str(value).lower()}"
    if isinstance(part, Folder):
        write(folder, f"{part.part}/{entry.code}.toml", f"{said}\n")
    else:
        write(folder, part.part, f'[[{part.key}]]\nid = "{entry.id}"\n{said}\n')
    return field, value


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_one_key_of_an_entry(tmp_path: Path, name: str) -> None:
    shipped = load_policy(region="421002")
    before = entries(shipped, name)
    if not before:
        pytest.skip("nothing is shipped of this kind")
    first = before[0]
    field, value = overlay(tmp_path, PARTS[name], first)
    after = entries(load_policy(tmp_path, region="421002"), name)
    assert after[0] == first.model_copy(update={field: value, "file": after[0].file})
    assert after[0].file.startswith("policy/") and after[1:] == before[1:]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_a_paid_month_keeps_its_own_of_every_kind_that_judges(tmp_path: Path, name: str) -> None:
    old = load_policy(region="421002")
    first = entries(old, name)[0] if entries(old, name) else pytest.skip("nothing is shipped of this kind")
    field, value = overlay(tmp_path, PARTS[name], first)
    now = load_policy(tmp_path, region="421002")
    kept = entries(pinned_policy(old.files.packed(), old.digest, now), name)[0]
    assert (getattr(kept, field) == value) is not PARTS[name].judges


def test_the_kinds_that_functions_read(tmp_path: Path) -> None:
    write(tmp_path, "parameters/a.toml", '[[parameter]]\nname = "低保标准_农村"\narea = "421002"\nunit = "元/人/月"\nsource = "文"\nvalues = [{ since = 2026-07-01, value = 601 }]\n')  # fmt: skip
    write(tmp_path, "glossary.toml", '[account_no]\naliases = ["惠民卡卡号"]\n')
    write(tmp_path, "findings.toml", '[codes.account_changed]\ntodo = "本地办法"\n')
    write(tmp_path, "doubts.toml", '[codes.aged_out]\nname = "本地名称"\n')
    write(
        tmp_path,
        "holidays.toml",
        '[[holidays]]\nname = "本地放假"\nfirst = 2026-11-11\nlast = 2026-11-12\nsource = "文"\n',
    )
    write(tmp_path, "bank_names.toml", '[[banks]]\nname = "示例村镇银行"\ncodes = ["320"]\naliases = ["示例村镇"]\n')
    policy = load_policy(tmp_path, region="421002")
    from datetime import date

    assert policy.parameter("低保标准_农村", date(2026, 8, 1)).value == 601
    assert policy.parameter("低保标准_农村", date(2026, 6, 30)).value == 585
    assert "惠民卡卡号" in policy.glossary["account_no"].aliases and "银行账号" in policy.glossary["account_no"].aliases
    assert policy.findings["account_changed"].todo == "本地办法" and policy.findings["account_changed"].message
    assert policy.doubts["aged_out"].name == "本地名称" and policy.doubts["aged_out"].kind
    assert date(2026, 11, 12) in policy.days_off()[0]
    assert policy.bank_names.find("示例村镇银行青溪支行") is not None


def test_rules_and_what_a_register_means_lie_over_each_other_one_by_one(tmp_path: Path) -> None:
    write(tmp_path, "programmes/subsistence_allowance.toml", '[[rules]]\nname = "收入低于标准"\non_fail = "check"\n[[rules]]\nname = "另一条"\nexpression = "年龄 > 3"\nmessage = "小"\nsource = "文"\n')  # fmt: skip
    before = load_policy(region="421002").programmes["subsistence_allowance"].rules
    after = load_policy(tmp_path, region="421002").programmes["subsistence_allowance"].rules
    assert [rule.name for rule in after] == [*(rule.name for rule in before), "另一条"]
    assert after[0] == before[0].model_copy(update={"on_fail": "check"})


def test_a_region_lies_between_the_nation_and_the_bureau(tmp_path: Path) -> None:
    write(tmp_path, "relations.toml", '[[relations]]\nid = "A21"\nnote = "本局"\n')
    kinds = {region: {one.id: (one.kind, one.note) for one in load_policy(tmp_path, region=region).relations} for region in ("421002", "640502")}  # fmt: skip
    assert kinds["421002"]["A21"] == ("H", "本局") and kinds["640502"]["A21"] == ("S", "本局")
