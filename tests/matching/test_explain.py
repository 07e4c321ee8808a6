"""One pair in words: the same key, levels and score that the matching gives it."""

from __future__ import annotations

import pytest

from jiuzhu_cli.matching.engine import match_records
from jiuzhu_cli.matching.explain import KEY_WORDS, explain_pair
from jiuzhu_cli.matching.keys import KEYS
from tests.matching.people import HARD, make_lists
from tests.matching.test_engine import table


@pytest.mark.parametrize("seed", [61, 62])
def test_explained_as_judged(seed: int) -> None:
    records = make_lists(6000, HARD, seed).records
    pairs = match_records(records).pairs().to_pylist()
    seen: dict[str, int] = {}
    for pair in pairs:
        seen[pair["key"]] = seen.get(pair["key"], 0) + 1
        if seen[pair["key"]] > 4:
            continue
        told = explain_pair(records, pair["row_a"], pair["row_b"])
        assert told.key == pair["key"]
        assert ";".join(f"{name}={level}" for name, level, _ in told.fields) == pair["levels"]
        assert told.score == pytest.approx(pair["score"], abs=0.02)
        if told.key != "id_no":
            assert told.prior + told.household + sum(weight for *_, weight in told.fields) == pytest.approx(told.score, abs=0.1)  # fmt: skip
        text = "\n".join(told.lines())
        assert KEY_WORDS[told.key] in text
        assert str(records["phone"][pair["row_a"]].as_py()) not in text
    assert len(seen) >= 7


def test_every_key_has_words() -> None:
    assert set(KEYS) | {"id_no", "same_person", ""} == set(KEY_WORDS)


def test_two_who_have_nothing_in_common() -> None:
    told = explain_pair(table(id_no=[None, None], name=["张三", "李四"]), 0, 1)
    assert (told.key, told.one) == ("", False)
    assert "不归到一起" in told.lines()[-1]


def test_twins_numbers_are_never_put_together() -> None:
    """One place, one birth date, all else equal: for a clerk only."""
    both = table(id_no=["421002201001011231", "421002201001011258"], name=["王小明"] * 2, village=["东风村"] * 2, phone=["13812345678"] * 2, account_no=["6210001122334455"] * 2)  # fmt: skip
    told = explain_pair(both, 0, 1)
    assert (told.key, told.one) == ("same_person", False)
    assert "双胞胎" in told.lines()[-1]
    assert match_records(both).person.tolist() == [0, 1]
