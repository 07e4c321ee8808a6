"""The bureau's own folder: overriding by code, and errors that name file and key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.glossary import header_clashes, header_index
from jiuzhu_cli.policy.load import load_policy

BASE_FIELDS = 'name = "某补贴"\ndepartment = "民政"\nunit = "person"\nbenefit = "fixed"\nsource = "某文"\n'


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_a_header_of_ones_own_wins_over_the_package(tmp_path: Path) -> None:
    write(tmp_path, "glossary.toml", '[account_no]\naliases = ["惠农卡", "标准"]\n')
    glossary = load_policy(tmp_path).glossary
    index = header_index(glossary)
    assert index[header_key("惠农卡")] == "account_no" and index[header_key("开户行")] == "bank_name"
    assert index[header_key("银行账号")] == "account_no"
    assert header_clashes(glossary) == [] or all(word == "标准" for word, _, _ in header_clashes(glossary))


def test_a_programme_is_overridden_key_by_key(tmp_path: Path) -> None:
    write(tmp_path, "programmes/old_age_allowance.toml", 'name = "高龄老人津贴"\n')
    write(tmp_path, "programmes/fishery.toml", BASE_FIELDS)
    policy = load_policy(tmp_path)
    assert policy.programme("高龄").name == "高龄老人津贴" and policy.programme("高龄").unit == "person"
    assert policy.programme("某补贴").code == "fishery"


def test_a_relation_is_switched_off_by_its_id(tmp_path: Path) -> None:
    write(tmp_path, "relations.toml", '[[relations]]\nid = "A21"\nkind = "S"\n')
    found = [one for one in load_policy(tmp_path).relations if one.id == "A21"]
    assert len(found) == 1 and found[0].kind == "S" and found[0].a == "elder_care_subsidy"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("programmes/x.toml", BASE_FIELDS + "unitt = 1\n", ["programmes/x.toml", "unitt", "unit"]),
        ("programmes/x.toml", 'name = "某"\n', ["programmes/x.toml", "缺这个键"]),
        ("programmes/x.toml", BASE_FIELDS.replace("person", "family"), ["programmes/x.toml", "unit"]),
        ("programmes/x.toml", "name = \n", ["programmes/x.toml", "写法有误"]),
        ("relations.toml", '[[relations]]\nid = "Z1"\na = "x"\n', ["relations.toml", "Z1"]),
        # an event of a register's own file overridden in the wrong place: the message says the right one
        (
            "events.toml",
            '[[events]]\nid = "vehicle"\nuntil = 2026-09-30\n',
            ["events.toml", "vehicle", "缺这个键", "policy/registers/", "[[review]]"],
        ),
        ("events.toml", '[[events]]\nid = "to_margn"\nuntil = 2026-09-30\n', ["to_margn", "to_margin"]),
        ("relations.toml", "relations = 3\n", ["relations.toml", "列表"]),
        ("glossary.toml", "account_no = 3\n", ["glossary.toml", "account_no"]),
        (
            "parameters/a.toml",
            '[[parameter]]\nname = "甲"\nvalues = [{ value = 3 }]\n',
            ["parameters/a.toml", "甲", "缺这个键"],
        ),
        ("parameters/a.toml", '[[parameters]]\nname = "甲"\n', ["parameters/a.toml", "parameters"]),
        ("parameters/a.toml", "parameter = 3\n", ["parameters/a.toml"]),
        ("findings.toml", "codes = 3\n", ["findings.toml"]),
        ("holidays.toml", '[[holidays]]\nname = "某"\n', ["holidays.toml"]),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, name: str, text: str, words: list[str]) -> None:
    write(tmp_path, name, text)
    policy = load_policy(tmp_path, region="421002")
    with pytest.raises(PolicyError) as error:
        for part in (
            "programmes",
            "registers",
            "relations",
            "claims",
            "glossary",
            "findings",
            "holidays",
            "parameters",
            "case_events",
        ):
            getattr(policy, part)
    assert all(word in error.value.message for word in words), error.value.message
    assert error.value.todo


def test_a_file_in_another_encoding_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "glossary.toml").write_bytes("# 词汇表\n".encode("gbk"))
    with pytest.raises(PolicyError, match="UTF-8"):
        _ = load_policy(tmp_path).glossary


PARAMETER = '[[parameter]]\nname = "{0}"\narea = ""\nunit = "{1}"\nsource = "文"\nvalues = [{2}]\n'


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("relations.toml", '[[relations]]\nid = "Z1"\na = "subsistence_allowanc"\nb = "*"\nkind = "X"\nbasis = "文"\n', "subsistence_allowance"),
        ("relations.toml", '[[relations]]\nid = "Z1"\na = "register:deaths"\nb = "*"\nkind = "X"\nbasis = "文"\n', "register:deaths"),
        ("relations.toml", '[[relations]]\nid = "A01"\nkind = "T"\n', "cap"),
        ("relations.toml", '[[relations]]\nid = "A01"\nwhen = "残疾等级 = \'一级\'"\n', "不同种类"),
        ("relations.toml", '[[relations]]\nid = "A01"\nwhen = "年令 > 3"\n', "年龄"),
        ("relations.toml", '[[relations]]\nid = "A01"\nwhen = "金额 > 年龄"\n', "金额（元）和数混用"),
        ("relations.toml", '[[relations]]\nid = "A01"\nswitch = "金融资产月数"\n', "不是开关"),
        ("relations.toml", '[[claims]]\nid = "Z1"\nwords = ["某"]\nprogrammes = ["nothing"]\nbasis = "文"\n', "nothing"),
        ("programmes/subsistence_allowance.toml", 'aliases = ["低保", "特困"]\n', "特困"),
        ("programmes/subsistence_allowance.toml", '[posting]\ncolumns = ["id_no"]\n', "不许公示"),
        ("programmes/subsistence_allowance.toml", '[review.parameters]\nstandard_rural = "低保标准_农寸"\n', "低保标准_农村"),
        ("registers/death.toml", '[fields]\ndied_on = ["死亡日期"]\n', "died_on"),
        ("parameters/a.toml", PARAMETER.format("甲", "元", "{ since = 2026-01-01, until = 2026-07-01, value = 1 }, { since = 2026-07-01, value = 2 }"), "重叠"),
        ("parameters/a.toml", PARAMETER.format("甲", "元", "{ since = 2026-07-01, until = 2026-01-01, value = 1 }"), "早于"),
        ("parameters/a.toml", PARAMETER.format("甲", "元", '{ since = 2026-07-01, value = "三百" }'), "不是数"),
        ("parameters/a.toml", PARAMETER.format("甲", "元", '{ since = 2026-01-01, formula = "乙 * 2" }'), "乙"),
        ("parameters/a.toml", PARAMETER.format("危改拨付计划", "", '{ since = 2026-01-01, value = "开工:30,竣工:60" }').replace('""', '"421002"', 1), "合计 100"),
    ],
)  # fmt: skip
def test_check_finds_what_is_wrong(tmp_path: Path, name: str, text: str, words: str) -> None:
    write(tmp_path, name, text)
    problems = check_policy(load_policy(tmp_path, region="421002"), date(2026, 11, 21))
    assert any(words in one.text for one in problems if one.level == "error"), problems


def test_a_gap_is_a_warning(tmp_path: Path) -> None:
    values = "{ since = 2026-01-01, until = 2026-05-31, value = 1 }, { since = 2026-07-01, value = 2 }"
    write(tmp_path, "parameters/a.toml", PARAMETER.format("甲", "元", values))
    problems = check_policy(load_policy(tmp_path, region="421002"), date(2026, 11, 21))
    assert [one.level for one in problems if "没有值" in one.text] == ["warning"]


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("parameter/a.toml", "error", "parameters"),
        ("relation.toml", "error", "relations.toml"),
        ("parameters/a.toml", "warning", "低保标准_农村"),
    ],
)
def test_slips_in_the_bureaus_folder_are_seen(tmp_path: Path, name: str, level: str, words: str) -> None:
    write(tmp_path, name, PARAMETER.format("低保标准-农村", "元", "{ since = 2026-01-01, value = 1 }"))
    problems = check_policy(load_policy(tmp_path, region="421002"), date(2026, 11, 21))
    assert [(one.level, words in one.text) for one in problems] == [(level, True)]
