"""One person's name, however it is written, is not two people."""

from __future__ import annotations

import pytest

from jiuzhu_cli.core.actors import same_actor


@pytest.mark.parametrize(
    "name", ["张 经办", "张经办\u200b", "\u2060张经办", "张\u00ad经办", "张\ufe0f经办", "张\u2800经办", "张\u115f经办", "张·经办", "\u3164张经办"]
)  # fmt: skip
def test_the_same_person(name: str) -> None:
    assert same_actor(name, "张经办")


def test_others_are_others() -> None:
    assert same_actor("ＬＩ", "li") and same_actor("…", "…")
    assert not same_actor("张经办", "张经力") and not same_actor("…", "——") and not same_actor("", "张")
