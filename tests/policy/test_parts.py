"""A new kind of data is one declaration: read, overridden by id and key, its slips named, known to ``policy check``."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.files import PolicyFiles, read_files, unpack_files
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.parts import Folder, Listed, parts_of


class Limit(Shape):
    class Inner(Shape):
        days: int = 0
        town: str = ""

    id: str
    days: int
    words: tuple[str, ...] = ()
    more: tuple[Inner, ...] = ()


class Wider(Policy):
    limits = Listed(Limit)
    forms = Folder(Limit)


def world(tmp_path: Path, **files: str) -> Wider:
    first, own = tmp_path / "first", tmp_path / "own"
    for root in (first, own):
        root.mkdir(exist_ok=True)
    for name, text in files.items():
        root, _, inside = name.partition("_")
        path = (first if root == "first" else own) / inside.replace("__", "/")
        path = path.with_name(path.name + ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Wider(read_files(first, own), "")


def test_entries_lie_over_each_other_by_id(tmp_path: Path) -> None:
    found = world(
        tmp_path,
        first_limits='[[limits]]\nid = "a"\ndays = 3\nwords = ["x", "y"]\n[[limits]]\nid = "b"\ndays = 4\n',
        own_limits='[[limits]]\nid = "a"\nwords = ["z"]\n[[limits]]\nid = "c"\ndays = 5\n',
        own_forms__one="id = 'x'\ndays = 1\n",
    )
    assert [(one.id, one.days, one.words) for one in found.limits] == [("a", 3, ("z",)), ("b", 4, ()), ("c", 5, ())]
    assert [one.file for one in found.limits] == ["policy/limits.toml"] * 1 + ["policy/limits.toml"] * 2
    assert set(parts_of(Wider)) == {"limits", "forms"} and "programmes" in parts_of(Policy)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[limits]]\nid = "a"\ndayz = 3\n', ["limits.toml", "“a”", "缺这个键"]),
        ('[[limits]]\nid = "a"\ndays = 3\nmore = [{ towns = "x" }]\n', ["limits.toml", "“a”", "towns", "town"]),
        ('[[limits]]\nid = "a"\ndays = "three"\n', ["limits.toml", "“a”", "整数"]),
        ('[[limits]]\nid = "a"\ndays = 3\n[[limits]]\nid = "a"\ndays = 4\n', ["写了两次"]),
    ],
)
def test_slips_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(PolicyError) as error:
        _ = world(tmp_path, own_limits=text).limits
    assert all(word in error.value.message for word in words), error.value.message


def test_what_a_digest_names_can_be_kept_and_brought_back(tmp_path: Path) -> None:
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "a.toml").write_text(
        '[[parameter]]\nname = "低保标准_农村"\narea = "421002"\nunit = "元/人/月"\nsource = "文"\n'
        "values = [{ since = 2026-07-01, value = 611 }]\n",
        "utf-8",
    )
    (tmp_path / "divisions.csv").write_bytes(
        "代码,乡镇\n".encode("gb18030")
    )  # bytes that are no UTF-8 are kept as they are
    before = load_policy(tmp_path, region="421002")
    packed = before.files.packed()
    back = Policy(unpack_files(packed, before.digest), "421002")
    assert back.digest == before.digest and back.files == before.files
    assert back.programmes == before.programmes and back.parameters.series == before.parameters.series
    assert len(packed) < 300_000
    with pytest.raises(PolicyError, match="对不上"):
        unpack_files(PolicyFiles(before.files.files[:-1], "").packed(), before.digest)
    with pytest.raises(PolicyError, match="读不出来"):
        unpack_files(packed[:-40], before.digest)
