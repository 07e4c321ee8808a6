"""``policy check`` finds what cycles, limits and notices name and is not there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.load import load_policy

DAY = date(2026, 10, 22)


def problems(folder: Path, file: str, text: str) -> list[str]:
    (folder / file).write_text(text, "utf-8")
    return [
        f"{one.where}：{one.text}"
        for one in check_policy(load_policy(folder, region="421002"), DAY)
        if one.level == "error"
    ]


@pytest.mark.parametrize("region", ["421002", "230321", "110101"])
def test_the_shipped_files_are_sound(region: str) -> None:
    assert [p for p in check_policy(load_policy(region=region), DAY) if p.level == "error"] == []


@pytest.mark.parametrize(
    ("file", "text", "word"),
    [
        ("cycles.toml", '[[cycles]]\nid = "x"\non = ["subsistence_alowance"]\nmonths = 3\nsource = "s"', "subsistence_allowance"),
        ("cycles.toml", '[[cycles]]\nid = "x"\ntask = "revue"\nmonths = 3\nsource = "s"', "review"),
        ("cycles.toml", '[[cycles]]\nid = "x"\ngrade = "D"\nmonths = 3\nsource = "s"', "类别"),
        ("cycles.toml", '[[cycles]]\nid = "x"\nparameter = "核查周期_D类"\nsource = "s"', "不存在"),
        ("cycles.toml", '[[cycles]]\nid = "x"\nparameter = "核查周期_A类"\nmonths = 3\nsource = "s"', "只写一个"),
        ("cycles.toml", '[[cycles]]\nid = "x"\nper_year = "核查周期_A类"\nsource = "s"', "不以次计"),
        ("cycles.toml", '[[cycles]]\nid = "x"\nmonths = 3\nswitch = "核查周期_A类"\nsource = "s"', "不是开关"),
        ("cycles.toml", '[[classes]]\nid = "D"\nname = "D类"\nwords = ["红"]', "同时属于"),
        ("cycles.toml", '[[tasks]]\nid = "visit"\ncovers = ["certifi"]', "certify"),
        ("cycles.toml", '[[cycle]]\nid = "x"', "不认识的键"),
        ("deadlines.toml", '[[steps]]\nid = "survey"\nend = ["调察"]', "调查"),
        ("deadlines.toml", '[[steps]]\nid = "survey"\nlimit = "低保标准_农村"', "不以工作日"),
        ("deadlines.toml", '[[steps]]\nid = "survey"\ninstead = [{ limit = "全程办理工作日" }]', "special"),
        ("deadlines.toml", '[[steps]]\nid = "death"\nstart = "受理"', "受理"),
        ("deadlines.toml", '[[notices]]\nid = "stop"\nactions = ["stopp"]', "stop"),
    ],
)  # fmt: skip
def test_slips_are_found(tmp_path: Path, file: str, text: str, word: str) -> None:
    found = problems(tmp_path, file, text)
    assert found
    assert any(word in one for one in found), found
    assert all(f"policy/{file}" in one for one in found), found
