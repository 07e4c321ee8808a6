from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.matching.ids import DAMAGED, NONE, SOUND, probes, read_ids, slips, texts_of
from tests.matching.people import HARD, make_lists

GOOD = "11010519491231002X"  # the example of GB 11643


def state(text: str | None) -> int:
    return int(read_ids(pa.array([text], pa.string())).state[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, SOUND), (GOOD.lower(), SOUND), (" 110105 19491231 002x ", SOUND), ("'" + GOOD, SOUND),
        ("１１０１０５１９４９１２３１００２Ｘ", SOUND), ("11O10519491231002X", SOUND), ("610104620927690", SOUND),
        ("ABC123456789012", SOUND), (None, NONE), ("", NONE), ("不详", NONE), ("4.21E+17", NONE), ("110105", NONE),
        ("110105194912310021", DAMAGED), ("11010519491231000", DAMAGED), ("1101051949123100020", DAMAGED),
        ("110105194912310000", DAMAGED), ("110105194913310021", DAMAGED), ("990105194912310021", DAMAGED),
    ],
)  # fmt: skip
def test_what_an_id_cell_is(text: str | None, expected: int) -> None:
    assert state(text) == expected


def test_sound_is_what_the_import_takes() -> None:
    column = make_lists(4000, HARD, 11).records["id_no"].combine_chunks()
    ids = read_ids(column)
    expected = [parse_id(text, today=date(2100, 12, 31)).value for text in column.to_pylist()]
    assert (ids.state == SOUND).tolist() == [bool(value) for value in expected]
    keys = [int(value[:17]) if value else -1 for value in expected]
    assert ids.key.tolist() == keys
    sound = ids.key >= 0
    assert [bytes(row[:18]).decode() for row in texts_of(ids.key[sound])] == [value for value in expected if value]


def damaged(rng: np.random.Generator, good: str) -> dict[str, str]:
    at = int(rng.integers(0, 17))
    other = str((int(good[at]) + int(rng.integers(1, 10))) % 10)
    swap = next(n for n in rng.permutation(17).tolist() if good[n] != good[n + 1])
    return {
        "digit": good[:at] + other + good[at + 1 :],
        "check": good[:17] + ("1" if good[17] != "1" else "2"),
        "swap": good[:swap] + good[swap + 1] + good[swap] + good[swap + 2 :],
        "dropped": good[:at] + good[at + 1 :],
        "doubled": good[: at + 1] + good[at:],
    }


def test_probes_hold_the_true_number_whatever_the_slip() -> None:
    rng = np.random.default_rng(5)
    column = make_lists(3000, HARD, 12).records["id_no"].combine_chunks()
    sound = read_ids(column)
    goods = [bytes(row[:18]).decode() for row in texts_of(sound.key[sound.key >= 0][:1500])]
    lost: dict[str, int] = {}
    cases = [(kind, text, good) for good in goods for kind, text in damaged(rng, good).items()]
    ids = read_ids(pa.array([text for _, text, _ in cases]))
    rows, keys = probes(ids, np.flatnonzero(ids.state == DAMAGED))
    found = set(zip(rows.tolist(), keys.tolist(), strict=True))
    for row, (kind, text, good) in enumerate(cases):
        if "X" not in text[:-1] and text[15:18] != "000" and (row, int(good[:17])) not in found:
            lost[kind] = lost.get(kind, 0) + 1
    assert not lost
    assert len(found) / len(cases) < 30


def test_swapped_neighbours_are_one_slip() -> None:
    def bytes_of(*texts: str) -> np.ndarray:
        return np.array(texts, dtype="S19").view(np.uint8).reshape(-1, 19)

    left = bytes_of(GOOD, GOOD, GOOD)
    right = bytes_of(GOOD, "110105194912310" + "20X", "110105194912319" + "92X")
    assert slips(left, right).tolist() == [0, 1, 2]
