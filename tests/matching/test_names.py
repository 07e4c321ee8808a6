from __future__ import annotations

import pyarrow as pa
import pytest

from jiuzhu_cli.matching.names import LEVELS, compare, read_names

CASES = [
    ("张伟", "张　伟", "equal"),
    ("张伟", "张玮", "sound"),
    ("单丽", "善丽", "sound"),
    ("曾强", "增强", "sound"),
    ("翟芳", "宅芳", "sound"),
    ("李欣怡", "李新宜", "sound"),
    ("张燕", "张yan", "sound"),
    ("曾敏", "zeng敏", "sound"),
    ("王未来", "王末来", "shape"),
    ("张䶮", "张？", "shape"),
    ("张䶮", "张龙天", "one_character"),
    ("王秀兰", "王秀", "one_character"),
    ("王秀兰", "王秀霞", "one_character"),
    ("张伟", "张静", "surname"),
    ("钱振花", "钱为", "surname"),
    ("张伟", "李娜", "different"),
    ("阿迪力·买买提", "阿迪力.买买提", "equal"),
    ("阿迪力·买买提", "买买提·阿迪力", "equal"),
    ("李明（已故）", "李明", "equal"),
    ("", "", "different"),
]


@pytest.mark.parametrize(("left", "right", "level"), CASES)
def test_level_of_two_names(left: str, right: str, level: str) -> None:
    names = read_names(pa.array([left, right]))
    assert LEVELS[int(compare(names, names.code[:1], names.code[1:])[0])] == level
    assert LEVELS[int(compare(names, names.code[1:], names.code[:1])[0])] == level


def test_names_that_sound_alike_share_a_key() -> None:
    names = read_names(pa.array(["曾　强", "增强", "张强"]))
    keys = names.sound_key[names.code]
    assert keys[0] == keys[1] != keys[2]
